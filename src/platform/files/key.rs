//! The names of objects. Only names of one form can be made, so that none leads out of the store.

use std::fmt;

use uuid::Uuid;

use super::Media;

/// Where clients put what is not checked yet.
const INCOMING: &str = "incoming";
/// What everyone may read.
const PUBLIC: &str = "public";
/// What opens by signed links only.
const PRIVATE: &str = "private";
/// Characters of the number in a key.
const DIGITS: usize = 32;

/// The name of an object: a room, 32 hexadecimal digits, and, once it is checked, its type's extension.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// Where an upload is put by its client.
    pub fn incoming(upload: Uuid) -> Self {
        Key(format!("{INCOMING}/{}", upload.simple()))
    }

    /// Where a checked file is kept.
    pub fn stored(is_public: bool, id: Uuid, media: Media) -> Self {
        let room = if is_public { PUBLIC } else { PRIVATE };
        Key(format!("{room}/{}.{}", id.simple(), media.extension()))
    }

    /// Reads a key that one of the others made; nothing else is one.
    pub fn parse(text: &str) -> Option<Self> {
        let (room, name) = text.split_once('/')?;
        let (digits, extension) = match name.split_once('.') {
            Some((digits, extension)) => (digits, Some(extension)),
            None => (name, None),
        };
        let is_number = digits.len() == DIGITS && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let fits = match (room, extension) {
            (INCOMING, None) => true,
            (PUBLIC | PRIVATE, Some(extension)) => Media::of_extension(extension).is_some(),
            _ => false,
        };
        (is_number && fits).then(|| Key(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether everyone may read it.
    pub fn is_public(&self) -> bool {
        self.0.starts_with(PUBLIC)
    }

    /// The type of a checked file.
    pub fn media(&self) -> Option<Media> {
        Media::of_extension(self.0.rsplit_once('.')?.1)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back() {
        let id = Uuid::from_u128(7);
        for key in [Key::incoming(id), Key::stored(true, id, Media::Webp), Key::stored(false, id, Media::Pdf)] {
            assert_eq!(Key::parse(key.as_str()), Some(key));
        }
        assert_eq!(Key::stored(true, id, Media::Webp).media(), Some(Media::Webp));
        assert!(Key::stored(true, id, Media::Png).is_public() && !Key::stored(false, id, Media::Png).is_public());
    }

    #[test]
    fn nothing_else_is_a_key() {
        let good = "0".repeat(DIGITS);
        for bad in [
            "",
            "public",
            "public/",
            "../gigwire.db",
            "public/../../gigwire.db",
            "public/..%2f..%2fgigwire.db",
            &format!("/public/{good}.png"),
            &format!("public//{good}.png"),
            &format!("public/{good}"),
            &format!("public/{good}.svg"),
            &format!("public/{good}.png/x"),
            &format!("public/{good}.png\0"),
            &format!("public/{good}..png"),
            &format!("PUBLIC/{good}.png"),
            &format!("incoming/{good}.png"),
            &format!("other/{good}.png"),
            &format!("incoming/{}", "A".repeat(DIGITS)),
            &format!("incoming/{}", "0".repeat(DIGITS + 1)),
        ] {
            assert_eq!(Key::parse(bad), None, "{bad}");
        }
    }
}
