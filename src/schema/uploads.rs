//! Uploads and files in the API.

use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject, SimpleObject};

use super::auth::{Access, auth};
use super::error::{payload, user_error};
use super::scalars::{DateTime, Url};
use crate::features::uploads as feature;

/// A checked upload. Files of public purposes are for everyone, evidence is for the parties of its disputes and for staff,
/// others are for their owner alone.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", complex, directive = auth::apply(Access::Public))]
pub struct File {
    /// The id.
    pub id: ID,
    /// What it was uploaded for.
    pub purpose: UploadPurpose,
    /// Its media type. A picture may have become another one than was uploaded.
    pub content_type: String,
    /// Its bytes. A picture has others than were uploaded: it is written anew.
    pub size: i32,
    /// Pixels from left to right. Null for what is no picture.
    pub width: Option<i32>,
    /// Pixels from top to bottom. Null for what is no picture.
    pub height: Option<i32>,
    /// When it was announced.
    pub created_at: DateTime,
    /// Changed last.
    pub updated_at: DateTime,
    /// Grows with each change.
    pub version: i32,
    /// The whole file, for guarded fields.
    #[graphql(skip)]
    pub row: Arc<feature::Upload>,
}

impl From<Arc<feature::Upload>> for File {
    fn from(row: Arc<feature::Upload>) -> Self {
        File {
            id: row.file_id().into(),
            purpose: row.purpose.into(),
            content_type: row.media.mime().to_owned(),
            size: i32::try_from(row.size).unwrap_or(i32::MAX),
            width: row.width.map(super::int),
            height: row.height.map(super::int),
            created_at: DateTime(row.created_at),
            updated_at: DateTime(row.updated_at),
            version: super::version(row.version),
            row,
        }
    }
}

/// What an upload is for. It decides about size, types, and who may read it.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "feature::Purpose")]
pub enum UploadPurpose {
    /// The picture of a user: JPEG, PNG or WebP, at most 5 MiB. Public.
    ProfileImage,
    /// The wide picture on top of a profile: JPEG, PNG or WebP, at most 10 MiB. Public.
    CoverImage,
    /// A picture or a PDF for a conversation, at most 25 MiB. Private: signed links of its owner open it.
    ChatAttachment,
    /// A picture or a PDF for a dispute, at most 25 MiB. Private: signed links of its owner open it, and once it is added to
    /// a dispute also those of the dispute's other party and of staff.
    Evidence,
}

/// Where the bytes of a file are to be put.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SignedIn))]
pub struct Upload {
    /// The id, for `uploadComplete`.
    pub id: ID,
    /// The address. Whoever has it may put these bytes there: keep it secret.
    pub url: Url,
    /// The HTTP method.
    pub method: String,
    /// The headers that must be sent as they are.
    pub headers: Vec<UploadHeader>,
    /// When the address ends, 5 minutes after it was made.
    pub expires_at: DateTime,
}

/// A header of HTTP.
#[derive(Clone, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SignedIn))]
pub struct UploadHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl From<feature::Signed> for Upload {
    fn from(signed: feature::Signed) -> Self {
        let headers = signed.put.headers.into_iter().map(|(name, value)| UploadHeader { name, value });
        Upload {
            id: signed.id.into(),
            url: Url(signed.put.url),
            method: "PUT".to_owned(),
            headers: headers.collect(),
            expires_at: DateTime(signed.expires_at),
        }
    }
}

/// What is about to be uploaded.
#[derive(InputObject)]
pub struct UploadCreateInput {
    /// What it is for.
    pub purpose: UploadPurpose,
    /// The name of the file: 1 to 200 characters.
    pub file_name: Option<String>,
    /// Its media type, such as `image/jpeg`.
    pub content_type: String,
    /// Its bytes, exactly.
    pub size: i32,
}

/// Which upload has its bytes.
#[derive(InputObject)]
pub struct UploadCompleteInput {
    /// The id of the upload.
    pub upload_id: ID,
}

/// The new upload.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SignedIn))]
pub struct UploadCreatePayload {
    /// Where to put the bytes.
    pub upload: Option<Upload>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<UploadError>,
}
payload!(UploadCreatePayload, UploadError);

/// What the upload became.
#[derive(Default, SimpleObject)]
#[graphql(crate = "crate::schema::object", directive = auth::apply(Access::SignedIn))]
pub struct UploadCompletePayload {
    /// The file. It is removed after 24 hours unless something needs it by then.
    pub file: Option<File>,
    /// Why it was refused. Empty when it was done.
    pub user_errors: Vec<UploadError>,
}
payload!(UploadCompletePayload, UploadError);

user_error! {
    /// Why an upload was refused.
    UploadError, UploadErrorCode {
        /// A value breaks a rule: empty, malformed.
        Invalid,
        /// The name is longer than its limit.
        TooLong,
        /// There is no such upload of the viewer's, or its time is over.
        NotFound,
        /// The file has more bytes than the purpose or the server allows.
        FileTooLarge,
        /// The purpose does not take this type.
        TypeNotAllowed,
        /// Nothing was put at the address yet: put it there and complete again.
        UploadMissing,
        /// What was put has another size than was announced.
        SizeMismatch,
        /// What was put is of another type than was announced.
        TypeMismatch,
        /// The picture has more than 8000 pixels a side or 40 megapixels.
        ImageTooLarge,
        /// The picture is damaged.
        ImageUnreadable,
    }
}
