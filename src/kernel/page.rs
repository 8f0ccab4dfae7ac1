//! Pages of a list by keyset: no offsets, so entries that arrive meanwhile are neither repeated nor skipped.

use std::collections::HashMap;
use std::hash::Hash;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::{Code, Error, Result};

/// Entries in a page when the client names no number.
pub const DEFAULT_SIZE: i64 = 20;
/// Entries in a page at most.
pub const MAX_SIZE: i64 = 100;

/// A place in a list: the value that the list is ordered by, and the id that breaks ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The ordering value.
    pub key: i64,
    /// The tie breaker.
    pub id: Uuid,
}

impl Cursor {
    /// The opaque text that clients keep.
    pub fn encode(self) -> String {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.key.to_be_bytes());
        bytes[8..].copy_from_slice(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a text that [`Cursor::encode`] wrote.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (key, id) = bytes.split_first_chunk::<8>()?;
        Some(Cursor { key: i64::from_be_bytes(*key), id: Uuid::from_slice(id).ok()? })
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// How many entries.
    pub size: i64,
    /// From the start (`first`) or from the end (`last`).
    pub forward: bool,
    /// Only entries behind this one.
    pub after: Option<Cursor>,
    /// Only entries in front of this one.
    pub before: Option<Cursor>,
}

impl Page {
    /// Checks the four arguments of a connection.
    pub fn from_args(first: Option<i32>, after: Option<&str>, last: Option<i32>, before: Option<&str>) -> Result<Self> {
        if first.is_some() && last.is_some() {
            return Err(bad("Use either first or last, not both."));
        }
        let size = first.or(last).map_or(DEFAULT_SIZE, i64::from);
        if !(0..=MAX_SIZE).contains(&size) {
            return Err(bad(&format!("first and last go from 0 to {MAX_SIZE}.")));
        }
        let cursor = |text: Option<&str>| match text {
            None => Ok(None),
            Some(text) => Cursor::decode(text).map(Some).ok_or_else(|| bad("This cursor is not one of this list's.")),
        };
        Ok(Page { size, forward: last.is_none(), after: cursor(after)?, before: cursor(before)? })
    }

    /// The first entries of a list.
    pub const fn first(size: i64) -> Self {
        Page { size, forward: true, after: None, before: None }
    }
}

fn bad(message: &str) -> Error {
    Error::new(Code::BadUserInput, message)
}

/// How a list is ordered by its cursors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// One page of a list, in the list's order.
#[derive(Clone, Debug)]
pub struct Slice<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Whether more follow.
    pub has_next: bool,
    /// Whether some precede.
    pub has_previous: bool,
}

impl<T> Slice<T> {
    /// Makes a page of what a store read: up to one entry more than wanted, in reading direction.
    pub fn of(page: &Page, mut read: Vec<T>) -> Self {
        let wanted = usize::try_from(page.size).unwrap_or(0);
        let more = read.len() > wanted;
        read.truncate(wanted);
        if page.forward {
            Slice { items: read, has_next: more, has_previous: page.after.is_some() }
        } else {
            read.reverse();
            Slice { items: read, has_next: page.before.is_some(), has_previous: more }
        }
    }

    /// The page of a list that is there as a whole, in its order.
    pub fn within(page: &Page, all: Vec<T>, order: Way, place: impl Fn(&T) -> Cursor) -> Self {
        let place = |entry: &T| {
            let Cursor { key, id } = place(entry);
            (key, id)
        };
        let behind = |entry: &T, cursor: Cursor| match order {
            Way::Ascending => place(entry) > (cursor.key, cursor.id),
            Way::Descending => place(entry) < (cursor.key, cursor.id),
        };
        let in_front = |entry: &T, cursor: Cursor| place(entry) != (cursor.key, cursor.id) && !behind(entry, cursor);
        let mut found: Vec<T> = all
            .into_iter()
            .filter(|entry| page.after.is_none_or(|cursor| behind(entry, cursor)))
            .filter(|entry| page.before.is_none_or(|cursor| in_front(entry, cursor)))
            .collect();
        if !page.forward {
            found.reverse();
        }
        Slice::of(page, found)
    }

    /// The first pages of several lists that were read together: up to one entry more than wanted of each, and `list` says
    /// whose an entry is.
    pub fn first_of_each<K: Eq + Hash>(size: i64, read: Vec<T>, list: impl Fn(&T) -> K) -> HashMap<K, Self> {
        let mut found: HashMap<K, Vec<T>> = HashMap::new();
        for entry in read {
            found.entry(list(&entry)).or_default().push(entry);
        }
        let page = Page::first(size);
        found.into_iter().map(|(list, entries)| (list, Slice::of(&page, entries))).collect()
    }

    /// A page without entries.
    pub const fn empty() -> Self {
        Slice { items: Vec::new(), has_next: false, has_previous: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_the_way_to_the_client_and_back() {
        let cursor = Cursor { key: -7, id: Uuid::from_u128(42) };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        for bad in ["", "x", "AAAA", "äöü"] {
            assert_eq!(Cursor::decode(bad), None);
        }
    }

    #[test]
    fn arguments_are_checked() {
        assert!(Page::from_args(Some(1), None, Some(1), None).is_err());
        assert!(Page::from_args(Some(101), None, None, None).is_err());
        assert!(Page::from_args(Some(-1), None, None, None).is_err());
        assert!(Page::from_args(None, Some("nonsense"), None, None).is_err());
        assert_eq!(Page::from_args(None, None, None, None).unwrap().size, DEFAULT_SIZE);
    }

    #[test]
    fn a_page_read_backwards_is_shown_forwards() {
        let page = Page::from_args(None, None, Some(2), None).unwrap();
        let slice = Slice::of(&page, vec![9, 8, 7]);
        assert_eq!(slice.items, [8, 9]);
        assert!(slice.has_previous && !slice.has_next);
    }

    #[test]
    fn a_list_in_memory_has_pages_too() {
        let place = |entry: &i64| Cursor { key: *entry, id: Uuid::nil() };
        let at = |key| Some(Cursor { key, id: Uuid::nil() });
        let all = vec![9, 7, 5, 3, 1];
        let items = |page: Page| {
            let slice = Slice::within(&page, all.clone(), Way::Descending, place);
            (slice.items, slice.has_previous, slice.has_next)
        };
        assert_eq!(items(Page::first(2)), (vec![9, 7], false, true));
        assert_eq!(items(Page { after: at(7), ..Page::first(2) }), (vec![5, 3], true, true));
        assert_eq!(items(Page { forward: false, ..Page::first(2) }), (vec![3, 1], true, false));
        assert_eq!(items(Page { forward: false, before: at(3), ..Page::first(2) }), (vec![7, 5], true, true));
        assert_eq!(items(Page { after: at(9), before: at(3), ..Page::first(9) }), (vec![7, 5], true, false));
        let slice = Slice::within(&Page { after: at(1), ..Page::first(9) }, vec![1, 2], Way::Ascending, place);
        assert_eq!(slice.items, [2]);
    }
}
