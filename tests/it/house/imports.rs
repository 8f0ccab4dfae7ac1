//! Who may use whom: the layers, and the arrows between features.
//!
//! To add a feature: a row in [`FEATURES`] that names what it uses directly; what those use may be used too.

use std::collections::BTreeSet;

use super::tokens::program;

/// The layers by line: a line uses only lines below it, so two layers of one line never meet.
const LAYERS: [(&str, u8); 10] = [
    ("kernel", 1),
    ("platform", 2),
    ("features", 3),
    ("schema", 4),
    ("loaders", 4),
    ("resolvers", 5),
    ("server", 6),
    ("tasks", 6),
    ("cli", 7),
    // It only hands its arguments to `cli`.
    ("main", 8),
];

/// What a feature uses, directly; nothing uses `admin` or the projections.
pub const FEATURES: [(&str, &[&str]); 25] = [
    ("audit", &[]),
    // Raised by everybody: it knows the kind and the id of what an alert is about, no more.
    ("alerts", &[]),
    ("accounts", &["audit", "alerts"]),
    ("uploads", &["accounts"]),
    ("profiles", &["uploads"]),
    ("categories", &["uploads"]),
    ("listings", &["categories"]),
    ("jobs", &["categories"]),
    ("wallet", &["accounts"]),
    ("payouts", &["wallet"]),
    ("offers", &["jobs", "listings", "wallet"]),
    // It knows the kind and the id of what a conversation is about, no more.
    ("chat", &["uploads"]),
    ("presence", &["chat"]),
    ("bookings", &["offers", "listings", "chat", "wallet"]),
    ("changes", &["bookings"]),
    ("disputes", &["bookings"]),
    ("reviews", &["bookings"]),
    // It reads the books of all of them, and nobody but the staff's tools asks it.
    ("proof", &["bookings", "payouts"]),
    ("announcements", &["accounts"]),
    ("banners", &["uploads"]),
    // Projections of everybody's events.
    ("notifications", PRODUCT),
    ("earnings", PRODUCT),
    ("webhooks", PRODUCT),
    ("search", PRODUCT),
    (
        "admin",
        &[
            "proof",
            "payouts",
            "changes",
            "disputes",
            "reviews",
            "announcements",
            "banners",
            "notifications",
            "earnings",
            "webhooks",
            "search",
        ],
    ),
];

/// The features that nothing else reaches; all others follow from them.
const PRODUCT: &[&str] =
    &["payouts", "changes", "disputes", "reviews", "announcements", "banners", "profiles", "presence"];

/// The wrong imports of one file of `src`: its path below `src`, and its text.
pub fn wrong_imports(path: &str, source: &str) -> Vec<String> {
    let home = module(path);
    let Some((layer, line)) = home.first().and_then(|name| LAYERS.into_iter().find(|(layer, _)| layer == name)) else {
        return if path == "lib.rs" { Vec::new() } else { vec![format!("`{path}` is in no layer of the house")] };
    };
    if home.iter().any(|name| name == "tests") {
        return Vec::new();
    }
    let feature = home.get(1).filter(|_| layer == "features").map(String::as_str);
    let mut wrong = BTreeSet::new();
    for path in paths(&program(source), &home) {
        let shown = path.join("::");
        let part = |n: usize| path.get(n).map(String::as_str);
        let Some(used) = part(0).filter(|name| !name.ends_with('!')) else { continue };
        match LAYERS.into_iter().find(|(name, _)| *name == used) {
            None => wrong.insert(format!("`{shown}`: there is no layer `{used}`")),
            Some((used, _)) if used == layer => match (feature, part(1)) {
                (Some(me), other) => {
                    refused(me, other, part(2)).is_some_and(|why| wrong.insert(format!("`{shown}`: {why}")))
                }
                _ => false,
            },
            Some((used, below)) if below >= line => wrong.insert(format!("`{shown}`: `{layer}` may not use `{used}`")),
            Some(("features", _)) if part(2) == Some("store") => {
                wrong.insert(format!("`{shown}`: a store is its feature's own, use its queries or commands"))
            }
            Some(_) => false,
        };
    }
    wrong.into_iter().collect()
}

/// Why the feature `me` may not use this part of `other`.
fn refused(me: &str, other: Option<&str>, part: Option<&str>) -> Option<String> {
    let Some(other) = other.filter(|name| *name != "*") else {
        return Some("name the feature".into());
    };
    if other == me {
        return None;
    }
    let Some(direct) = uses(me) else {
        return Some(format!("the feature `{me}` has no row in FEATURES"));
    };
    if !reach(direct).contains(other) {
        return Some(format!("`{me}` may not use `{other}`"));
    }
    (part == Some("store")).then(|| "a store is its feature's own, use its queries or commands".into())
}

/// What a feature uses directly, if it has a row.
pub fn uses(feature: &str) -> Option<&'static [&'static str]> {
    FEATURES.iter().find(|(name, _)| *name == feature).map(|(_, used)| *used)
}

/// These features and all that they use in turn.
fn reach(direct: &[&'static str]) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let mut open = direct.to_vec();
    while let Some(name) = open.pop() {
        if found.insert(name) {
            open.extend(uses(name).unwrap_or_default());
        }
    }
    found
}

/// The module of a file below `src`.
fn module(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/').filter(|part| *part != "lib").map(Into::into).collect()
}

/// Every path in the program that begins at this crate, as its parts below the root; a macro keeps its `!`.
fn paths(tokens: &[String], home: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let begins = matches!(tokens[i].as_str(), "crate" | "super" | "gigwire") && (i == 0 || tokens[i - 1] != "::");
        // `pub(in crate::a)` says who may look in, it uses nothing.
        let visibility = i > 0 && tokens[i - 1] == "in" && i > 1 && tokens[i - 2] == "(";
        if begins && !visibility && tokens.get(i + 1).is_some_and(|t| t == "::") {
            i = branches(tokens, i, &[], &mut |path| found.extend(resolve(home, path)));
        } else {
            i += 1;
        }
    }
    found
}

/// Walks a path and its `{..}` groups from `i`; each full path is told once. Returns where the walk ended.
fn branches(tokens: &[String], mut i: usize, before: &[String], tell: &mut impl FnMut(&[String])) -> usize {
    let mut path = before.to_vec();
    while let Some(token) = tokens.get(i) {
        if token == "{" && tokens[i - 1] == "::" {
            i += 1;
            while tokens.get(i).is_some_and(|t| t != "}") {
                i = if tokens[i] == "," { i + 1 } else { branches(tokens, i, &path, tell) };
            }
            return i + 1;
        }
        let word = token.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !word && token != "*" {
            return i + 1;
        }
        if token != "self" {
            path.push(token.clone());
        }
        match (tokens.get(i + 1).map(String::as_str), tokens.get(i + 2).map(String::as_str)) {
            (Some("::"), Some("<")) | (None, _) => break,
            (Some("::"), _) => i += 2,
            (Some("!"), next) if next != Some("=") => {
                path.last_mut().unwrap().push('!');
                break;
            }
            _ => break,
        }
    }
    tell(&path);
    i += 1;
    // A renamed branch: `a as b`.
    if tokens.get(i).is_some_and(|t| t == "as") { i + 2 } else { i }
}

/// The path from the root of the crate, for a path as written in the module `home`.
fn resolve(home: &[String], path: &[String]) -> Option<Vec<String>> {
    let mut from = if path.first()? == "super" { home.to_vec() } else { Vec::new() };
    for part in path {
        match part.as_str() {
            "crate" | "gigwire" => {}
            "super" => drop(from.pop()),
            _ => from.push(part.clone()),
        }
    }
    (!from.is_empty()).then_some(from)
}

#[cfg(test)]
mod tests {
    use super::{FEATURES, reach, uses, wrong_imports};

    #[track_caller]
    fn right(path: &str, source: &str) {
        assert_eq!(wrong_imports(path, source), Vec::<String>::new());
    }

    #[track_caller]
    fn wrong(path: &str, source: &str, why: &str) {
        let found = wrong_imports(path, source).join("\n");
        assert!(found.contains(why) && !found.contains('\n'), "{found}");
    }

    #[test]
    fn a_line_uses_lines_below() {
        right("platform/db/mod.rs", "use crate::kernel::{Error, money::Money};");
        right(
            "resolvers/jobs.rs",
            "use crate::{features::jobs::commands, loaders, schema::jobs::{self, Job as Shape}};",
        );
        right("main.rs", "fn main() { gigwire::cli::run() }");
        right("cli/serve.rs", "use crate::{server, tasks};");
        right("lib.rs", "pub mod server; pub use crate::server::x;");
        wrong("kernel/id.rs", "use crate::platform::db;", "`kernel` may not use `platform`");
        wrong("platform/db/mod.rs", "fn a() -> crate::features::jobs::Job { b }", "`platform` may not use `features`");
        wrong(
            "features/jobs/queries.rs",
            "use crate::{kernel::{Error, id::Ids}, loaders::jobs::A}};",
            "loaders::jobs::A",
        );
        wrong("server/mod.rs", "use crate::{kernel, tasks::{self}};", "`server` may not use `tasks`");
    }

    #[test]
    fn schema_and_loaders_do_not_meet() {
        right("loaders/jobs.rs", "use crate::features::jobs::queries; use super::users::Users;");
        wrong("schema/jobs.rs", "use crate::loaders::jobs::Jobs;", "`schema` may not use `loaders`");
        wrong("loaders/jobs.rs", "use crate::schema::jobs::Job;", "`loaders` may not use `schema`");
    }

    #[test]
    fn features_follow_the_arrows() {
        right(
            "features/bookings/commands.rs",
            "use crate::features::{accounts::model::User, offers::{self, commands}};",
        );
        right("features/bookings/commands.rs", "use super::store; use crate::features::bookings::store as mine;");
        right("features/mod.rs", "use crate::features::{jobs, admin};");
        wrong(
            "features/offers/commands.rs",
            "use crate::features::bookings::model::Booking;",
            "`offers` may not use `bookings`",
        );
        wrong("features/chat/mod.rs", "use super::jobs::model::Job;", "`chat` may not use `jobs`");
        wrong("features/wallet/escrow.rs", "use super::super::payouts::x;", "`wallet` may not use `payouts`");
        wrong(
            "features/reviews/events.rs",
            "use crate::features::notifications::queries;",
            "may not use `notifications`",
        );
        wrong("features/haggling/mod.rs", "use crate::features::jobs::Job;", "`haggling` has no row");
        wrong("features/jobs/mod.rs", "use crate::features::*;", "name the feature");
        wrong("features/jobs/mod.rs", "use crate::features as all;", "name the feature");
    }

    #[test]
    fn a_store_is_private() {
        let why = "a store is its feature's own";
        wrong("features/bookings/commands.rs", "use crate::features::offers::{model::Offer, store};", why);
        wrong("features/bookings/commands.rs", "fn a() { crate::features::offers::store::find(b) }", why);
        wrong("loaders/jobs.rs", "use crate::features::jobs::store::find;", why);
    }

    #[test]
    fn only_the_program_counts() {
        right("kernel/mod.rs", "/// Not [`crate::platform`].\nconst A: &str = \"crate::server\";");
        right("kernel/id.rs", "#[cfg(test)] mod tests { use crate::platform::db; }");
        right("kernel/id/tests.rs", "use crate::platform::db;");
        right("kernel/id.rs", "pub(in crate::platform) fn a() { crate::refuse!(b) } use super::Error;");
        wrong("kernel/id.rs", "use crate::helpers::a;", "there is no layer `helpers`");
        wrong("helpers.rs", "", "in no layer");
    }

    #[test]
    fn the_arrows_have_no_circle() {
        for (feature, direct) in FEATURES {
            assert!(!reach(direct).contains(feature), "{feature} uses itself");
            assert!(direct.iter().all(|used| uses(used).is_some()), "{feature} uses a feature without a row");
        }
        assert!(reach(&["bookings"]).contains("audit"));
        assert!(!reach(&["webhooks"]).contains("notifications"));
    }
}
