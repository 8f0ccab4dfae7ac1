//! Cursors: where a client stands in a stream, opaque to it and checked by us.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::StreamName;

/// The first byte of every cursor, so that the form can change later.
const VERSION: u8 = 1;

/// A place in one stream. Place 0 is in front of the first event and has mark 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Place {
    /// The number of the last event seen.
    pub seq: i64,
    /// Eight bytes of that event's id, to notice a restored database.
    pub mark: u64,
}

/// Places in one or several streams of one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The database, by its epoch.
    pub epoch: Uuid,
    /// A place for each stream that the cursor speaks of.
    pub places: Vec<(StreamName, Place)>,
}

impl Cursor {
    /// A cursor of one stream.
    pub fn at(epoch: Uuid, stream: StreamName, place: Place) -> Self {
        Cursor { epoch, places: vec![(stream, place)] }
    }

    /// The opaque text.
    pub fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(17 + self.places.len() * 56);
        bytes.push(VERSION);
        bytes.extend_from_slice(self.epoch.as_bytes());
        for (stream, place) in &self.places {
            let name = stream.as_str().as_bytes();
            bytes.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(&place.seq.to_be_bytes());
            bytes.extend_from_slice(&place.mark.to_be_bytes());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a text that [`Cursor::encode`] wrote; anything else is `None`.
    pub fn decode(text: &str) -> Option<Self> {
        // Far above what encode writes, far below what would cost anything.
        if text.len() > 1_024 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (epoch, mut rest) = rest.split_first_chunk::<16>()?;
        if *version != VERSION {
            return None;
        }
        let mut places = Vec::new();
        while let Some((length, tail)) = rest.split_first() {
            let (name, tail) = tail.split_at_checked(usize::from(*length))?;
            let (seq, tail) = tail.split_first_chunk::<8>()?;
            let (mark, tail) = tail.split_first_chunk::<8>()?;
            let place = Place { seq: i64::from_be_bytes(*seq), mark: u64::from_be_bytes(*mark) };
            if place.seq < 0 {
                return None;
            }
            places.push((StreamName::from_text(std::str::from_utf8(name).ok()?), place));
            rest = tail;
        }
        Some(Cursor { epoch: Uuid::from_bytes(*epoch), places })
    }

    /// The place in a stream, if the cursor speaks of it.
    pub fn place(&self, stream: &StreamName) -> Option<Place> {
        self.places.iter().find(|(name, _)| name == stream).map(|(_, place)| *place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_what_it_wrote() {
        let stream = StreamName::announcements();
        let place = Place { seq: 7, mark: 99 };
        let mut cursor = Cursor::at(Uuid::from_u128(5), stream.clone(), place);
        cursor.places.push((StreamName::from_text("user:1"), Place::default()));
        let read = Cursor::decode(&cursor.encode()).unwrap();
        assert_eq!(read, cursor);
        assert_eq!(read.place(&stream), Some(place));
    }

    #[test]
    fn nonsense_is_refused() {
        let good = Cursor::at(Uuid::nil(), StreamName::announcements(), Place::default()).encode();
        let cut = &good[..good.len() - 3];
        for bad in ["", "AA", "%%%", cut, &"A".repeat(5_000)] {
            assert_eq!(Cursor::decode(bad), None, "{bad}");
        }
    }
}
