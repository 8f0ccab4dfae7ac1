//! Letters as `.eml` files in a folder, for a developer to look at.
//!
//! A file is named after its letter and appears whole or not at all; a second attempt writes the same file again. Ids
//! sort by age, and so do the files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::fs;
use tokio::io::AsyncWriteExt;

use super::{Mailer, Outgoing, Refusal};
use crate::kernel::id::LetterId;
use crate::kernel::{Error, Result};

/// A folder of captured letters.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// This folder; it is made with its first letter.
    pub const fn new(path: PathBuf) -> Self {
        Folder(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The ids of the newest letters, newest first.
    pub async fn newest(&self, count: usize) -> Result<Vec<LetterId>> {
        let mut found: Vec<LetterId> = Vec::new();
        let mut entries = match fs::read_dir(&self.0).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(found),
            entries => entries.map_err(Error::internal)?,
        };
        while let Some(entry) = entries.next_entry().await.map_err(Error::internal)? {
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".eml"));
            found.extend(id.and_then(|id| id.parse::<LetterId>().ok()));
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.truncate(count);
        Ok(found)
    }

    /// A letter as it was written, if it is there.
    pub async fn read(&self, id: LetterId) -> Result<Option<String>> {
        match fs::read(self.file(id)).await {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::internal(error)),
        }
    }

    fn file(&self, id: LetterId) -> PathBuf {
        self.0.join(format!("{id}.eml"))
    }

    async fn write(&self, letter: &Outgoing) -> std::io::Result<()> {
        let mut folder = fs::DirBuilder::new();
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // Letters are personal: they are their owner's alone.
        #[cfg(unix)]
        {
            folder.mode(0o700);
            options.mode(0o600);
        }
        folder.recursive(true).create(&self.0).await?;
        let draft = self.0.join(format!("{}.part", letter.id));
        let mut file = options.open(&draft).await?;
        file.write_all(&letter.message.formatted()).await?;
        file.sync_all().await?;
        fs::rename(&draft, self.file(letter.id)).await
    }
}

#[async_trait]
impl Mailer for Folder {
    async fn send(&self, letter: &Outgoing) -> Result<Option<String>, Refusal> {
        let failed = |error: std::io::Error| Refusal::ForNow(format!("the folder of letters: {}", error.kind()));
        self.write(letter).await.map_err(failed)?;
        Ok(None)
    }
}
