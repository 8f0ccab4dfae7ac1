//! Reads of files. Public ones are for all, private ones for their owner.

use super::model::{Status, Upload};
use super::store;
use crate::kernel::id::{FileId, TypedId, UploadId};
use crate::kernel::{Caller, Error, Result};
use crate::platform::Platform;
use crate::platform::files::{LINK_MS, Link, PREFIX};

/// Files by id, in no particular order. Who may see which is asked of each with [`Upload::is_for`].
pub async fn by_ids(platform: &Platform, ids: &[FileId]) -> Result<Vec<Upload>> {
    let ids: Vec<_> = ids.iter().map(|id| UploadId::of(id.uuid())).collect();
    let mut found = store::by_ids(&platform.db, &ids).await?;
    found.retain(|upload| upload.status == Status::Ready);
    Ok(found)
}

/// The viewer's own upload, however far it is.
pub async fn own(platform: &Platform, caller: &Caller, id: UploadId) -> Result<Upload> {
    let viewer = caller.viewer()?.user;
    let found = store::by_ids(&platform.db, &[id]).await?.pop().filter(|upload| upload.owner == viewer);
    found.ok_or_else(|| Error::not_found("upload").at("uploadId"))
}

/// Where a file can be read: for ever if it is public, else for a few minutes by whoever is given the address.
pub async fn address(platform: &Platform, caller: &Caller, file: &Upload) -> Result<String> {
    let base = platform.config.storage.public_base_url.trim_end_matches('/');
    let place = match (file.key.is_public(), base) {
        (true, "") => format!("{PREFIX}{}", file.key),
        (true, base) => format!("{base}/{}", file.key),
        (false, _) => {
            let link = Link { name: file.file_name.clone(), until: platform.clock.now().plus(LINK_MS) };
            platform.files.sign_get(&file.key, &link).await?
        }
    };
    Ok(platform.address(caller, place))
}
