//! What an upload is for, what it may be, and how far it is.

use crate::kernel::clock::DAY;
use crate::kernel::id::{FileId, TypedId, UploadId, UserId};
use crate::kernel::{Code, Error, Result, Timestamp, text};
use crate::platform::files::{Key, Media, SignedPut};

/// What nothing needs is kept for so long: time to attach it, or for pages that still show it.
pub const KEPT_MS: i64 = DAY;
/// Characters of a file's name at most.
const NAME_MAX: usize = 200;

const MIB: u64 = 1024 * 1024;
const PICTURES: &[Media] = &[Media::Jpeg, Media::Png, Media::Webp];
const ANYTHING: &[Media] = &Media::ALL;

/// What an upload is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The picture of a user.
    ProfileImage,
    /// The wide picture on top of a profile.
    CoverImage,
    /// Something for a conversation.
    ChatAttachment,
    /// Something that a party brings forward in a dispute.
    Evidence,
}

/// What a purpose allows.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Bytes at most; the general limit may be lower.
    pub max_size: u64,
    /// The types that it takes.
    pub media: &'static [Media],
    /// Whether everyone may read it.
    pub is_public: bool,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Purpose; 4] =
        [Purpose::ProfileImage, Purpose::CoverImage, Purpose::ChatAttachment, Purpose::Evidence];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Purpose::ProfileImage => "PROFILE_IMAGE",
            Purpose::CoverImage => "COVER_IMAGE",
            Purpose::ChatAttachment => "CHAT_ATTACHMENT",
            Purpose::Evidence => "EVIDENCE",
        }
    }

    /// What it allows: the one table of it.
    pub const fn policy(self) -> Policy {
        match self {
            Purpose::ProfileImage => Policy { max_size: 5 * MIB, media: PICTURES, is_public: true },
            Purpose::CoverImage => Policy { max_size: 10 * MIB, media: PICTURES, is_public: true },
            Purpose::ChatAttachment | Purpose::Evidence => {
                Policy { max_size: 25 * MIB, media: ANYTHING, is_public: false }
            }
        }
    }

    /// The purpose with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Purpose::ALL.into_iter().find(|purpose| purpose.name() == name)
    }
}

/// How far an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its bytes are not checked yet, or not there.
    Pending,
    /// It is a file.
    Ready,
    /// It was not what was announced.
    Refused(Refusal),
}

impl Status {
    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Pending => "PENDING",
            Status::Ready => "READY",
            Status::Refused(_) => "REFUSED",
        }
    }

    /// The state with this name and, for a refused one, this reason.
    pub fn parse(name: &str, refusal: Option<&str>) -> Option<Self> {
        match (name, refusal) {
            ("PENDING", None) => Some(Status::Pending),
            ("READY", None) => Some(Status::Ready),
            ("REFUSED", Some(refusal)) => Refusal::parse(refusal).map(Status::Refused),
            _ => None,
        }
    }
}

/// Why what was put cannot become a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another number of bytes than announced.
    Size,
    /// Other first bytes than the announced type has.
    Type,
    /// Too many pixels.
    Dimensions,
    /// A picture that breaks off or never was one.
    Unreadable,
}

impl Refusal {
    const ALL: [Refusal; 4] = [Refusal::Size, Refusal::Type, Refusal::Dimensions, Refusal::Unreadable];

    /// Its code in the API.
    pub const fn code(self) -> Code {
        match self {
            Refusal::Size => Code::SizeMismatch,
            Refusal::Type => Code::TypeMismatch,
            Refusal::Dimensions => Code::ImageTooLarge,
            Refusal::Unreadable => Code::ImageUnreadable,
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Refusal::ALL.into_iter().find(|refusal| refusal.code().name() == name)
    }

    /// The refusal as its client reads it.
    pub fn error(self) -> Error {
        let message = match self {
            Refusal::Size => "The file has another size than was announced; start a new upload.",
            Refusal::Type => "The file is not of the type that was announced; start a new upload with its real one.",
            Refusal::Dimensions => "A picture has at most 8000 pixels a side and 40 megapixels; make it smaller.",
            Refusal::Unreadable => "The picture cannot be read; save it anew and start a new upload.",
        };
        Error::new(self.code(), message).at("uploadId")
    }
}

/// An upload, and once it is ready the file.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its id; the file's is the same one of another kind.
    pub id: UploadId,
    /// Whose it is.
    pub owner: UserId,
    /// What it is for.
    pub purpose: Purpose,
    /// How far it is.
    pub status: Status,
    /// The name that its owner gave it.
    pub file_name: Option<String>,
    /// Where it is: at first where the client puts it, in the end where it is kept.
    pub key: Key,
    /// The type: announced at first, in the end the real one.
    pub media: Media,
    /// The bytes: announced at first, in the end the real ones.
    pub size: u64,
    /// Pixels from left to right, of a picture that is ready.
    pub width: Option<i64>,
    /// Pixels from top to bottom, of a picture that is ready.
    pub height: Option<i64>,
    /// When it was announced.
    pub created_at: Timestamp,
    /// Changed last.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

impl Upload {
    /// The id of the file that it becomes.
    pub fn file_id(&self) -> FileId {
        FileId::of(self.id.uuid())
    }

    /// Whether somebody may see the file as it is. What shows it may let others see it: evidence is for its disputes.
    pub fn is_for(&self, viewer: Option<UserId>) -> bool {
        self.purpose.policy().is_public || viewer == Some(self.owner)
    }
}

/// Where a client puts its bytes.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The upload.
    pub id: UploadId,
    /// The address and its headers.
    pub put: SignedPut,
    /// When the address ends.
    pub expires_at: Timestamp,
}

/// What a client announces, checked.
#[derive(Clone, Debug)]
pub struct NewUpload {
    /// What it is for.
    pub purpose: Purpose,
    /// The name of the file.
    pub file_name: Option<String>,
    /// Its type.
    pub media: Media,
    /// Its bytes.
    pub size: u64,
}

impl NewUpload {
    /// Checks what a client announces against the purpose and the general limit.
    pub fn new(purpose: Purpose, name: Option<&str>, content_type: &str, size: i64, limit: u64) -> Result<Self> {
        let policy = purpose.policy();
        let file_name =
            name.map(|name| text::line(name, NAME_MAX)).transpose().map_err(|error| error.at("fileName"))?;
        let media = Media::of_mime(content_type).filter(|media| policy.media.contains(media)).ok_or_else(|| {
            let names: Vec<_> = policy.media.iter().map(|media| media.mime()).collect();
            let message = format!("This purpose takes {}.", names.join(", "));
            Error::new(Code::TypeNotAllowed, message).at("contentType")
        })?;
        let max = policy.max_size.min(limit);
        match u64::try_from(size) {
            Err(_) | Ok(0) => Err(Error::new(Code::Invalid, "A file has at least one byte.").at("size")),
            Ok(size) if size > max => {
                let message = format!("A file for this purpose has at most {max} bytes.");
                Err(Error::new(Code::FileTooLarge, message).at("size"))
            }
            Ok(size) => Ok(NewUpload { purpose, file_name, media, size }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(purpose: Purpose, name: Option<&str>, mime: &str, size: i64) -> Option<Code> {
        NewUpload::new(purpose, name, mime, size, 8 * MIB).err().map(|error| error.code)
    }

    #[test]
    fn a_purpose_limits_size_and_type() {
        use Purpose::{ChatAttachment, CoverImage, ProfileImage};
        let mib = |count: u64| i64::try_from(count * MIB).unwrap();
        assert_eq!(code(ProfileImage, Some("me.png"), "Image/PNG", mib(5)), None);
        assert_eq!(code(ProfileImage, None, "image/png", mib(5) + 1), Some(Code::FileTooLarge));
        assert_eq!(code(CoverImage, None, "image/webp", mib(8)), None);
        assert_eq!(code(CoverImage, None, "image/webp", mib(8) + 1), Some(Code::FileTooLarge), "the general limit");
        assert_eq!(code(ChatAttachment, None, "application/pdf", 1), None);
        assert_eq!(code(ProfileImage, None, "application/pdf", 1), Some(Code::TypeNotAllowed));
        for mime in ["image/svg+xml", "text/html", "application/x-msdownload", "image/gif", "", "image/png; a=b"] {
            assert_eq!(code(ChatAttachment, None, mime, 1), Some(Code::TypeNotAllowed), "{mime}");
        }
        for size in [0, -1, i64::MIN] {
            assert_eq!(code(ProfileImage, None, "image/png", size), Some(Code::Invalid), "{size}");
        }
        assert_eq!(code(ProfileImage, Some("a\nb"), "image/png", 1), Some(Code::Invalid));
        assert_eq!(code(ProfileImage, Some(&"x".repeat(201)), "image/png", 1), Some(Code::TooLong));
    }

    #[test]
    fn what_is_written_reads_back() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::parse(purpose.name()), Some(purpose));
        }
        for refusal in Refusal::ALL {
            let name = refusal.code().name();
            assert_eq!(Status::parse("REFUSED", Some(name)), Some(Status::Refused(refusal)));
        }
        assert_eq!(Status::parse("REFUSED", None), None);
        assert_eq!(Status::parse("READY", Some("SIZE_MISMATCH")), None);
    }
}
