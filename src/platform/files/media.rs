//! The media types that are kept. Everything else is refused, so nothing that a browser would run is ever stored.
//!
//! To add one: a variant, a line in each function, and how `features/uploads/inspect.rs` knows its first bytes.

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Media {
    /// A photo.
    Jpeg,
    /// A drawing, or a picture with transparent parts.
    Png,
    /// Either, in a younger form.
    Webp,
    /// A document.
    Pdf,
}

impl Media {
    /// All of them.
    pub const ALL: [Media; 4] = [Media::Jpeg, Media::Png, Media::Webp, Media::Pdf];

    /// The name in `Content-Type`.
    pub const fn mime(self) -> &'static str {
        match self {
            Media::Jpeg => "image/jpeg",
            Media::Png => "image/png",
            Media::Webp => "image/webp",
            Media::Pdf => "application/pdf",
        }
    }

    /// The end of a file's name.
    pub const fn extension(self) -> &'static str {
        match self {
            Media::Jpeg => "jpg",
            Media::Png => "png",
            Media::Webp => "webp",
            Media::Pdf => "pdf",
        }
    }

    /// Whether it is a picture, which browsers may show in a page.
    pub const fn is_image(self) -> bool {
        !matches!(self, Media::Pdf)
    }

    /// The type with this name in `Content-Type`, in any case.
    pub fn of_mime(mime: &str) -> Option<Self> {
        Media::ALL.into_iter().find(|media| media.mime().eq_ignore_ascii_case(mime))
    }

    /// The type with this end of the name.
    pub fn of_extension(extension: &str) -> Option<Self> {
        Media::ALL.into_iter().find(|media| media.extension() == extension)
    }
}
