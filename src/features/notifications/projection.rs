//! From events to notifications, in the same transaction.
//!
//! The rows are written with [`Unit::later`]: they travel with the streams' heads, so that telling costs no round trip.
//! It also puts them behind the heads' locks, in one order for everybody who writes notifications.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::{Kind, Notification, Subject, events, store};
use crate::features::{bookings, chat};
use crate::kernel::id::{ConversationId, TypedId, UserId};
use crate::kernel::{Error, Result};
use crate::platform::streams::{Draft, StreamName};
use crate::platform::work::Unit;

/// Tells those whom an event concerns.
pub fn project<'a>(unit: &'a mut Unit, draft: &'a Draft) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        if draft.kind == chat::events::READ {
            let facts: chat::events::ReadFacts = draft.read_facts()?;
            store::read_conversation(unit, facts.reader, ConversationId::of(draft.subject), facts.number);
            return Ok(());
        }
        if Kind::ALL.iter().all(|kind| kind.notice().event != draft.kind) {
            return Ok(());
        }
        let facts: Map<String, Value> = draft.read_facts()?;
        let data = serde_json::to_string(&renamed(&facts)).map_err(Error::internal)?;
        let audience: Vec<UserId> = draft.audience.iter().filter_map(StreamName::owner).collect();
        for kind in Kind::ALL.iter().copied().filter(|kind| follows(*kind, draft, &facts)) {
            for user in kind.notice().to.of(&audience, unit.actor()) {
                tell(unit, kind, user, draft, (&facts, &data));
            }
        }
        Ok(())
    })
}

fn follows(kind: Kind, draft: &Draft, facts: &Map<String, Value>) -> bool {
    let notice = kind.notice();
    let said = |name: &str| facts.get(name).and_then(Value::as_str);
    // A dispute that was withdrawn puts the booking back: nobody has begun or delivered anew. Its split completes it.
    let is_back = said("from") == Some(bookings::Status::Disputed.name())
        && said("to") != Some(bookings::Status::Completed.name());
    notice.event == draft.kind && !is_back && notice.reaching.is_none_or(|state| said("to") == Some(state))
}

fn tell(unit: &mut Unit, kind: Kind, user: UserId, draft: &Draft, (facts, data): (&Map<String, Value>, &str)) {
    let notice = kind.notice();
    let notification = Notification {
        id: unit.ids.new_id(),
        user,
        kind,
        subject: Subject {
            kind: notice.about.to_owned(),
            id: if notice.is_renewed { draft.subject } else { draft.object },
        },
        number: facts.get("number").and_then(Value::as_i64),
        data: data.to_owned(),
        read_at: None,
        dismissed_at: None,
        created_at: unit.now,
        updated_at: unit.now,
        version: 1,
    };
    if notice.is_renewed {
        store::insert_or_renew(unit, &notification);
    } else {
        store::insert(unit, &notification);
        unit.state(events::received(&notification));
    }
}

/// The facts under the names that the API gives to things.
fn renamed(facts: &Map<String, Value>) -> Map<String, Value> {
    facts.iter().map(|(name, value)| (camel(name), value.clone())).collect()
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(word.len().min(1));
        text.push_str(&first.to_uppercase());
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::camel;

    #[test]
    fn facts_get_names_of_the_api() {
        assert_eq!(["to", "refund_minor", "a__b"].map(camel), ["to", "refundMinor", "aB"]);
    }
}
