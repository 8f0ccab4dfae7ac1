//! Files in a folder of this machine, the default. Its signed addresses are our own: `server/files.rs` serves them.
//!
//! Bytes arrive in a temporary file that takes its name when it is whole and on disk, so that no reader finds half an
//! object, whatever dies meanwhile. What a crash leaves behind is removed by [`Folder::tidy`].

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use futures_util::{Stream, StreamExt};
use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::Sha256;
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Files, Key, Link, PREFIX, Put, SignedPut};
use crate::kernel::text::hex;
use crate::kernel::{Error, Result, Timestamp};
use crate::platform::config::Secret;
use crate::platform::host;

/// Where objects grow.
const GROWING: &str = "growing";
/// A client that sends nothing for so long is given up.
const SILENCE: Duration = Duration::from_secs(30);

/// Objects in a folder.
pub struct Folder {
    root: PathBuf,
    secret: Secret,
}

/// What a signed address carries beside its key.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Ticket {
    /// When it ends, in milliseconds.
    pub until: i64,
    /// The bytes, of one to put with.
    #[serde(default)]
    pub size: u64,
    /// The type, of one to put with.
    #[serde(default, rename = "type")]
    pub mime: String,
    /// The name to save under, of one to read with.
    pub name: Option<String>,
    /// Proves that this server made it.
    pub signature: String,
}

/// What became of bytes on their way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// They are stored.
    Stored,
    /// There were more than announced: nothing is stored.
    TooMany,
    /// They ended early, or the client fell silent: nothing is stored.
    TooFew,
}

impl Folder {
    /// Objects below this folder, which is made when it is needed. The secret signs addresses.
    pub fn new(root: PathBuf, secret: Secret) -> Self {
        Folder { root, secret }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// The signature over everything that an address permits.
    fn mac(&self, method: &str, key: &Key, ticket: &Ticket) -> Result<Hmac<Sha256>> {
        let said = (method, key.as_str(), ticket.until, ticket.size, &ticket.mime, &ticket.name);
        let said = serde_json::to_vec(&said).map_err(Error::internal)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.reveal().as_bytes()).map_err(Error::internal)?;
        mac.update(&said);
        Ok(mac)
    }

    /// The address that permits this, on this server.
    fn address(&self, method: &str, key: &Key, mut ticket: Ticket) -> Result<String> {
        ticket.signature = hex(&self.mac(method, key, &ticket)?.finalize().into_bytes());
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("until", &ticket.until.to_string());
        if method == "PUT" {
            query.append_pair("size", &ticket.size.to_string()).append_pair("type", &ticket.mime);
        }
        if let Some(name) = &ticket.name {
            query.append_pair("name", name);
        }
        query.append_pair("signature", &ticket.signature);
        Ok(format!("{PREFIX}{key}?{}", query.finish()))
    }

    /// Whether a ticket of ours permits this now.
    pub fn permits(&self, method: &str, key: &Key, ticket: &Ticket, now: Timestamp) -> bool {
        let Some(signature) = unhex(&ticket.signature) else { return false };
        let is_ours = self.mac(method, key, ticket).is_ok_and(|mac| mac.verify_slice(&signature).is_ok());
        is_ours && now.0 < ticket.until
    }

    /// Stores what a client sends, if it is exactly `size` bytes. Stops to read as soon as there are more.
    pub async fn receive<B: AsRef<[u8]>, E>(
        &self,
        key: &Key,
        size: u64,
        mut body: impl Stream<Item = Result<B, E>> + Unpin + Send,
    ) -> Result<Received> {
        let mut growing = Growing::begin(&self.root).await?;
        let mut left = size;
        loop {
            let chunk = match tokio::time::timeout(SILENCE, body.next()).await {
                Ok(Some(Ok(chunk))) => chunk,
                Ok(None) => break,
                Ok(Some(Err(_))) | Err(_) => return Ok(Received::TooFew),
            };
            match left.checked_sub(chunk.as_ref().len() as u64) {
                Some(rest) => left = rest,
                None => return Ok(Received::TooMany),
            }
            growing.file.write_all(chunk.as_ref()).await.map_err(Error::internal)?;
        }
        if left > 0 {
            return Ok(Received::TooFew);
        }
        growing.become_whole(&self.path(key)).await?;
        Ok(Received::Stored)
    }

    /// An object to be read bit by bit, and its size.
    pub async fn open(&self, key: &Key) -> Result<Option<(File, u64)>> {
        let file = match File::open(self.path(key)).await {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::internal(error)),
        };
        let size = file.metadata().await.map_err(Error::internal)?.len();
        Ok(Some((file, size)))
    }

    /// Removes what began to grow before `then` and never became whole.
    pub async fn tidy(&self, then: Timestamp) -> Result<()> {
        let mut entries = match fs::read_dir(self.root.join(GROWING)).await {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::internal(error)),
        };
        while let Some(entry) = entries.next_entry().await.map_err(Error::internal)? {
            let touched = entry.metadata().await.and_then(|data| data.modified()).map_err(Error::internal)?;
            let touched = touched.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
            if i64::try_from(touched).unwrap_or(i64::MAX) < then.0 {
                gone(fs::remove_file(entry.path()).await)?;
            }
        }
        Ok(())
    }
}

/// A file that is not whole yet. Dropped before it is, it is removed.
struct Growing {
    file: File,
    path: Option<PathBuf>,
}

impl Growing {
    async fn begin(root: &Path) -> Result<Self> {
        let folder = root.join(GROWING);
        fs::create_dir_all(&folder).await.map_err(Error::internal)?;
        let path = folder.join(format!("{:016x}", host::jitter(u64::MAX)));
        let file = File::create_new(&path).await.map_err(Error::internal)?;
        Ok(Growing { file, path: Some(path) })
    }

    /// Gives it its name, once its bytes are on disk; then the name is put on disk as well.
    async fn become_whole(mut self, to: &Path) -> Result<()> {
        self.file.flush().await.map_err(Error::internal)?;
        self.file.sync_all().await.map_err(Error::internal)?;
        let folder = to.parent().ok_or_else(|| Error::internal("a key without a room"))?;
        fs::create_dir_all(folder).await.map_err(Error::internal)?;
        if let Some(path) = &self.path {
            fs::rename(path, to).await.map_err(Error::internal)?;
        }
        self.path = None;
        // Other systems than Unix do not open folders.
        #[cfg(unix)]
        File::open(folder).await.map_err(Error::internal)?.sync_all().await.map_err(Error::internal)?;
        Ok(())
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        // One that cannot be removed now is found by `tidy`.
        if let Some(path) = &self.path
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::debug!(%error, "a temporary file stays for a while");
        }
    }
}

fn gone(removed: std::io::Result<()>) -> Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::internal(error)),
        _ => Ok(()),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(digits).collect()
}

#[async_trait]
impl Files for Folder {
    fn name(&self) -> String {
        format!("the folder {}", self.root.display())
    }

    async fn sign_put(&self, key: &Key, put: &Put) -> Result<SignedPut> {
        let mime = put.media.mime().to_owned();
        let headers = vec![("content-type".to_owned(), mime.clone())];
        let ticket = Ticket { until: put.until.0, size: put.size, mime, ..Ticket::default() };
        Ok(SignedPut { url: self.address("PUT", key, ticket)?, headers })
    }

    async fn sign_get(&self, key: &Key, link: &Link) -> Result<String> {
        let ticket = Ticket { until: link.until.0, name: link.name.clone(), ..Ticket::default() };
        self.address("GET", key, ticket)
    }

    async fn head(&self, key: &Key) -> Result<Option<u64>> {
        match fs::metadata(self.path(key)).await {
            Ok(data) => Ok(Some(data.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::internal(error)),
        }
    }

    async fn read(&self, key: &Key, max: u64) -> Result<Option<Vec<u8>>> {
        let Some((file, size)) = self.open(key).await? else { return Ok(None) };
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(max)).unwrap_or(0));
        file.take(max).read_to_end(&mut bytes).await.map_err(Error::internal)?;
        Ok(Some(bytes))
    }

    async fn write(&self, key: &Key, bytes: Vec<u8>) -> Result<()> {
        let mut growing = Growing::begin(&self.root).await?;
        growing.file.write_all(&bytes).await.map_err(Error::internal)?;
        growing.become_whole(&self.path(key)).await
    }

    async fn copy(&self, from: &Key, to: &Key) -> Result<bool> {
        let Some((mut source, _)) = self.open(from).await? else { return Ok(false) };
        let mut growing = Growing::begin(&self.root).await?;
        tokio::io::copy(&mut source, &mut growing.file).await.map_err(Error::internal)?;
        growing.become_whole(&self.path(to)).await?;
        Ok(true)
    }

    async fn delete(&self, key: &Key) -> Result<()> {
        gone(fs::remove_file(self.path(key)).await)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::platform::files::Media;

    #[test]
    fn a_ticket_permits_only_what_it_says() {
        let folder = Folder::new(PathBuf::new(), Secret::new("secret"));
        let (key, other) = (Key::incoming(Uuid::from_u128(1)), Key::incoming(Uuid::from_u128(2)));
        let mime = Media::Png.mime().to_owned();
        let mut ticket = Ticket { until: 10, size: 5, mime, ..Ticket::default() };
        ticket.signature = hex(&folder.mac("PUT", &key, &ticket).unwrap().finalize().into_bytes());
        let at = |ticket: &Ticket, now| folder.permits("PUT", &key, ticket, Timestamp(now));
        assert!(at(&ticket, 9) && !at(&ticket, 10), "it ends");
        assert!(
            !folder.permits("PUT", &other, &ticket, Timestamp(0))
                && !folder.permits("GET", &key, &ticket, Timestamp(0))
        );
        for forged in [
            Ticket { until: 11, ..ticket.clone() },
            Ticket { size: 6, ..ticket.clone() },
            Ticket { mime: "text/html".to_owned(), ..ticket.clone() },
            Ticket { name: Some(String::new()), ..ticket.clone() },
            Ticket { signature: String::new(), ..ticket.clone() },
            Ticket { signature: "ü".to_owned(), ..ticket.clone() },
            Ticket { signature: ticket.signature[2..].to_owned(), ..ticket.clone() },
        ] {
            assert!(!at(&forged, 0), "{forged:?}");
        }
        let stranger = Folder::new(PathBuf::new(), Secret::new("other"));
        assert!(!stranger.permits("PUT", &key, &ticket, Timestamp(0)));
    }
}
