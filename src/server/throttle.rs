//! How often whom is served what.
//!
//! Each root field of a mutation has a rule by its name; queries and all other mutations share one. To add a rule: a line
//! in `RULES`. What depends on the input, such as the account that a sign-in is for, is counted by the command.

use std::collections::HashSet;

use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet};

use super::caller::network;
use super::documents::hoist;
use super::execute::Prepared;
use super::state::Server;
use crate::kernel::{Caller, Result};
use crate::platform::limits::Rule;

/// Whose uses are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// Those from one address.
    Address,
    /// Those of one signed-in user; from one address as long as nobody is signed in.
    User,
}

/// Mutations with rules of their own.
const RULES: [(&str, By, Rule); 9] = [
    ("accountSignIn", By::Address, Rule { burst: 10, per_minute: 10 }),
    ("accountSignUp", By::Address, Rule { burst: 20, per_minute: 20 }),
    ("sessionRefresh", By::Address, Rule { burst: 60, per_minute: 60 }),
    ("emailVerificationSend", By::User, Rule { burst: 5, per_minute: 5 }),
    ("emailVerify", By::User, Rule { burst: 20, per_minute: 20 }),
    ("depositCreate", By::User, Rule { burst: 30, per_minute: 30 }),
    ("uploadCreate", By::User, Rule { burst: 30, per_minute: 30 }),
    // Each may decode a picture.
    ("uploadComplete", By::User, Rule { burst: 60, per_minute: 60 }),
    ("messageSend", By::User, Rule { burst: 200, per_minute: 300 }),
];
/// Everything else.
const OTHERS: (&str, By, Rule) = ("other", By::User, Rule { burst: 600, per_minute: 600 });

impl Server {
    /// Counts a request, and refuses it if it is one too many.
    pub async fn throttle(&self, caller: &Caller, prepared: &Prepared) -> Result<()> {
        let checked = &prepared.checked;
        for (name, by, rule) in rules(checked.kind, &checked.document, checked.operation_name.as_deref()) {
            self.platform.count(&format!("{name}:{}", subject(caller, by)), rule).await?;
        }
        Ok(())
    }
}

fn subject(caller: &Caller, by: By) -> String {
    match (by, caller.viewer) {
        (By::User, Some(viewer)) => viewer.user.to_string(),
        _ => caller.ip.map_or_else(|| "unknown".to_owned(), |ip| network(ip).to_string()),
    }
}

/// The rules of a request, one for each use.
fn rules(kind: OperationType, document: &ExecutableDocument, name: Option<&str>) -> Vec<(&'static str, By, Rule)> {
    if kind != OperationType::Mutation {
        return vec![OTHERS];
    }
    let Ok(chosen) = hoist::choose(document, name) else { return vec![OTHERS] };
    let mut names = Vec::new();
    root_fields(document, &chosen.operation.node.selection_set.node, &mut HashSet::new(), &mut names);
    let rule = |name: &String| RULES.into_iter().find(|(known, ..)| known == name).unwrap_or(OTHERS);
    names.iter().map(rule).collect()
}

/// The fields at the root, with fragments opened. A fragment that is spread twice is the same fields, merged.
fn root_fields<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    seen: &mut HashSet<&'a str>,
    names: &mut Vec<String>,
) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => names.push(field.node.name.node.to_string()),
            Selection::InlineFragment(inline) => {
                root_fields(document, &inline.node.selection_set.node, seen, names);
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                if seen.insert(name)
                    && let Some(fragment) = document.fragments.get(name)
                {
                    root_fields(document, &fragment.node.selection_set.node, seen, names);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::documents::{Limits, check};

    fn names(text: &str) -> Vec<&'static str> {
        let document = check(text, &Limits::default()).unwrap();
        let kind = hoist::choose(&document, None).unwrap().operation.node.ty;
        rules(kind, &document, None).into_iter().map(|(name, ..)| name).collect()
    }

    #[test]
    fn each_root_field_counts_also_under_another_name() {
        assert_eq!(names("{ viewer { user { id } } a: __typename }"), ["other"]);
        assert_eq!(
            names("mutation { a: accountSignIn b: accountSignIn ...F } fragment F on Mutation { messageSend }"),
            ["accountSignIn", "accountSignIn", "messageSend"]
        );
    }
}
