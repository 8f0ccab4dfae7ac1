//! Files: where uploads and what becomes of them are kept.
//!
//! A client puts its bytes at a signed address, without the API in between; the server reads, checks and keeps them.
//! An address that begins with a slash is one of this server's own, all others are whole. [`Folder`] is the default;
//! [`S3`] is for several instances. What both promise is in `tests/it/contract/files.rs`.
//!
//! To add a store: a file here that implements [`Files`], its settings, its choice in [`open`], and its lines in the
//! contract suite.

mod folder;
mod key;
mod media;
mod s3;

use std::sync::Arc;

use async_trait::async_trait;

pub use folder::{Folder, Received, Ticket};
pub use key::Key;
pub use media::Media;
pub use s3::S3;

use super::config::{Config, Secret};
use crate::kernel::clock::MINUTE;
use crate::kernel::{Result, Timestamp};

/// How long a signed address works.
pub const LINK_MS: i64 = 5 * MINUTE;
/// In front of the keys in the addresses of this server.
pub const PREFIX: &str = "/files/";
/// What browsers and proxies are told about public files: a key never gets other bytes.
pub const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// What a client is about to put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Put {
    /// Its type.
    pub media: Media,
    /// Its bytes, exactly.
    pub size: u64,
    /// When the address stops working.
    pub until: Timestamp,
}

/// Where and how a client puts its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPut {
    /// The address.
    pub url: String,
    /// The headers that must be sent as they are.
    pub headers: Vec<(String, String)>,
}

/// How an object is shown to whoever has the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The name that a browser saves it under.
    pub name: Option<String>,
    /// When the link stops working.
    pub until: Timestamp,
}

/// A store of objects. What is not there is `None`, and a store that cannot be reached is `SERVICE_UNAVAILABLE`.
#[async_trait]
pub trait Files: Send + Sync + 'static {
    /// What it is, for people.
    fn name(&self) -> String;

    /// An address where exactly these bytes may be put, over and over until it ends.
    async fn sign_put(&self, key: &Key, put: &Put) -> Result<SignedPut>;

    /// An address where an object can be read by whoever has it, until it ends.
    async fn sign_get(&self, key: &Key, link: &Link) -> Result<String>;

    /// How many bytes an object has.
    async fn head(&self, key: &Key) -> Result<Option<u64>>;

    /// The first bytes of an object, at most `max`.
    async fn read(&self, key: &Key, max: u64) -> Result<Option<Vec<u8>>>;

    /// Writes an object as a whole: a reader finds all of it or what was there before.
    async fn write(&self, key: &Key, bytes: Vec<u8>) -> Result<()>;

    /// Copies an object; false when there is none.
    async fn copy(&self, from: &Key, to: &Key) -> Result<bool>;

    /// Removes an object. One that is not there is fine.
    async fn delete(&self, key: &Key) -> Result<()>;
}

/// The store of the settings, and the folder if it is one: the server speaks for it.
pub fn open(config: &Config, secret: Secret) -> (Arc<dyn Files>, Option<Arc<Folder>>) {
    if config.storage.bucket.is_empty() {
        let folder = Arc::new(Folder::new(config.app.data_dir.join("uploads"), secret));
        return (folder.clone(), Some(folder));
    }
    (Arc::new(S3::new(&config.storage)), None)
}

/// The value of `Content-Disposition`: pictures are shown, everything else is saved.
pub fn disposition(media: Media, name: Option<&str>) -> String {
    let kind = if media.is_image() { "inline" } else { "attachment" };
    let Some(name) = name else { return kind.to_owned() };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let encoded: String = name
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("{kind}; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_their_header() {
        assert_eq!(disposition(Media::Png, None), "inline");
        let name = "my \"plan\"; x=1\r\nü.pdf";
        let header = "attachment; filename*=UTF-8''my%20%22plan%22%3B%20x%3D1%0D%0A%C3%BC.pdf";
        assert_eq!(disposition(Media::Pdf, Some(name)), header);
    }
}
