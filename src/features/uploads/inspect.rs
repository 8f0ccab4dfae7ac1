//! What a file really is, by its first bytes, whatever its name and its client say.

use crate::platform::files::Media;

/// So many bytes decide.
pub(super) const FIRST: u64 = 4096;

/// The type of a file that begins like this, if it is one that is kept.
pub(super) fn media(bytes: &[u8]) -> Option<Media> {
    Media::of_mime(infer::get(bytes)?.mime_type())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_kept_is_known() {
        let known: [(&[u8], Media); 4] = [
            (b"\xff\xd8\xff\xe0 photo", Media::Jpeg),
            (b"\x89PNG\r\n\x1a\n", Media::Png),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Media::Webp),
            (b"%PDF-1.7\n", Media::Pdf),
        ];
        for (bytes, wanted) in known {
            assert_eq!(media(bytes), Some(wanted));
        }
        let unwanted: [&[u8]; 9] = [
            b"",
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            b"<?xml version=\"1.0\"?><svg/>",
            b"<!DOCTYPE html><script>",
            b"MZ\x90\0 program",
            b"\x7fELF\x02\x01\x01",
            b"#!/bin/sh\n",
            b"GIF89a",
            b"PK\x03\x04 archive",
        ];
        for bytes in unwanted {
            assert_eq!(media(bytes), None, "{bytes:?}");
        }
    }
}
