//! What one Redis message holds: the sender's instance id, a space, and a JSON list of notes.
//!
//! The id stands outside the JSON so that an instance can drop its own echo without reading it. Each note is an object
//! with one short key; a key that this version does not know is skipped, so that versions can run side by side while a
//! new one is rolled out.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::platform::bus::Note;

/// One note on the wire. Exactly one field is filled.
#[derive(Default, Serialize, Deserialize)]
struct Item<'a> {
    /// Heads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    h: Option<Vec<(Cow<'a, str>, i64)>>,
    /// Signal: topic and body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    s: Option<(Cow<'a, str>, Cow<'a, str>)>,
    /// Rights of a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<Cow<'a, str>>,
    /// Resync: the sender lost notes before this one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    r: bool,
}

/// What a received frame turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// The echo of a frame of our own.
    Echo,
    /// Another instance's notes, in its order.
    Notes(Vec<Note>),
    /// Not a frame. Whatever it was meant to say is lost.
    Unreadable,
}

/// Packs notes into one frame. Neighbouring heads become one note with the highest head of each stream.
pub fn encode<'a>(instance: &str, notes: impl Iterator<Item = &'a Note>) -> Result<String, serde_json::Error> {
    let mut items = Vec::new();
    let mut heads = Heads::default();
    for note in notes {
        let item = match note {
            Note::Heads(grown) => {
                heads.add(grown);
                continue;
            }
            Note::Signal { topic, body } => {
                Item { s: Some((Cow::Borrowed(topic), Cow::Borrowed(body))), ..Item::default() }
            }
            Note::Rights(user) => Item { u: Some(Cow::Owned(user.to_string())), ..Item::default() },
            Note::Resync => Item { r: true, ..Item::default() },
        };
        heads.move_into(&mut items);
        items.push(item);
    }
    heads.move_into(&mut items);
    Ok(format!("{instance} {}", serde_json::to_string(&items)?))
}

/// Unpacks a frame, as seen by `instance`.
pub fn decode(instance: &str, payload: &[u8]) -> Received {
    let Some((sender, list)) = std::str::from_utf8(payload).ok().and_then(|text| text.split_once(' ')) else {
        return Received::Unreadable;
    };
    if sender == instance {
        return Received::Echo;
    }
    match serde_json::from_str::<Vec<Item>>(list) {
        Ok(items) => Received::Notes(items.into_iter().filter_map(note).collect()),
        Err(_) => Received::Unreadable,
    }
}

fn note(item: Item) -> Option<Note> {
    match item {
        Item { h: Some(heads), .. } => {
            Some(Note::Heads(heads.into_iter().map(|(stream, head)| (Arc::from(stream), head)).collect()))
        }
        Item { s: Some((topic, body)), .. } => Some(Note::Signal { topic: Arc::from(topic), body: Arc::from(body) }),
        // A user that cannot be read must not keep old rights: everybody is checked again.
        Item { u: Some(user), .. } => Some(Uuid::parse_str(&user).map_or(Note::Resync, Note::Rights)),
        Item { r: true, .. } => Some(Note::Resync),
        Item { .. } => None,
    }
}

/// A run of neighbouring heads.
#[derive(Default)]
struct Heads<'a> {
    list: Vec<(Cow<'a, str>, i64)>,
    places: HashMap<&'a str, usize>,
}

impl<'a> Heads<'a> {
    fn add(&mut self, grown: &'a [(Arc<str>, i64)]) {
        for (stream, head) in grown {
            let place = *self.places.entry(stream).or_insert(self.list.len());
            match self.list.get_mut(place) {
                Some((_, known)) => *known = (*known).max(*head),
                None => self.list.push((Cow::Borrowed(stream), *head)),
            }
        }
    }

    fn move_into(&mut self, items: &mut Vec<Item<'a>>) {
        if !self.list.is_empty() {
            items.push(Item { h: Some(std::mem::take(&mut self.list)), ..Item::default() });
            self.places.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(list: &[(&str, i64)]) -> Note {
        Note::Heads(list.iter().map(|(stream, head)| (Arc::from(*stream), *head)).collect())
    }

    fn signal(topic: &str, body: &str) -> Note {
        Note::Signal { topic: Arc::from(topic), body: Arc::from(body) }
    }

    #[test]
    fn every_kind_survives_the_trip_in_order() {
        let notes = [
            Note::Resync,
            heads(&[("user:a", i64::MAX), ("staff", 1)]),
            signal("user:\"ü\n", r#"{"typing":true}"#),
            Note::Rights(Uuid::from_u128(5)),
            heads(&[("user:a", 0)]),
        ];
        let frame = encode("me", notes.iter()).unwrap();
        assert_eq!(decode("you", frame.as_bytes()), Received::Notes(notes.to_vec()));
        assert_eq!(decode("me", frame.as_bytes()), Received::Echo);
    }

    #[test]
    fn neighbouring_heads_become_one_note_with_the_highest() {
        let notes = [heads(&[("a", 2), ("b", 1)]), heads(&[("a", 3)]), heads(&[("b", 0), ("c", 9)])];
        let frame = encode("me", notes.iter()).unwrap();
        assert_eq!(frame, r#"me [{"h":[["a",3],["b",1],["c",9]]}]"#);
    }

    #[test]
    fn unknown_kinds_are_skipped_and_rubbish_is_noticed() {
        assert_eq!(decode("me", br#"you [{"new":1},{"r":true,"more":2}]"#), Received::Notes(vec![Note::Resync]));
        assert_eq!(decode("me", br#"you [{"u":"nobody"}]"#), Received::Notes(vec![Note::Resync]));
        for rubbish in [&b"you"[..], b"you {", b"you [{\"h\":1}]", b"\xff\xfe x", b""] {
            assert_eq!(decode("me", rubbish), Received::Unreadable, "{rubbish:?}");
        }
    }
}
