//! Announcing, completing, attaching and removing.

use super::images::{self, Picture};
use super::model::{KEPT_MS, NewUpload, Purpose, Refusal, Signed, Status, Upload};
use super::{inspect, queries, store};
use crate::kernel::id::{FileId, TypedId, UploadId, UserId};
use crate::kernel::{Caller, Code, Error, Result};
use crate::platform::Platform;
use crate::platform::files::{Key, LINK_MS, Media, Put};
use crate::platform::work::Unit;

/// Rows and objects that are looked at in one go.
const AT_ONCE: i64 = 100;

/// Announces a file: gives the address where its bytes are to be put.
pub async fn create(platform: &Platform, caller: &Caller, input: NewUpload) -> Result<Signed> {
    let owner = caller.viewer()?.user;
    let upload = platform
        .work
        .run(caller, (owner, input), |unit, (owner, input)| {
            Box::pin(async move {
                let upload = announced(unit, *owner, input);
                let remove_at = unit.now.plus(KEPT_MS);
                store::insert(&mut unit.tx, &upload, remove_at).await?;
                store::note_object(&mut unit.tx, &upload.key, Some(remove_at)).await?;
                Ok(upload)
            })
        })
        .await?;
    let expires_at = upload.created_at.plus(LINK_MS);
    let put = Put { media: upload.media, size: upload.size, until: expires_at };
    let mut put = platform.files.sign_put(&upload.key, &put).await?;
    put.url = platform.address(caller, put.url);
    Ok(Signed { id: upload.id, put, expires_at })
}

fn announced(unit: &Unit, owner: UserId, input: &NewUpload) -> Upload {
    let id = unit.ids.uuid();
    Upload {
        id: UploadId::of(id),
        owner,
        purpose: input.purpose,
        status: Status::Pending,
        file_name: input.file_name.clone(),
        key: Key::incoming(id),
        media: input.media,
        size: input.size,
        width: None,
        height: None,
        created_at: unit.now,
        updated_at: unit.now,
        version: 1,
    }
}

/// Checks what was put, and makes it a file. Any number of these may run for one upload: the first to commit decides, and
/// all of them, also later ones, answer the same.
pub async fn complete(platform: &Platform, caller: &Caller, id: UploadId) -> Result<FileId> {
    let upload = queries::own(platform, caller, id).await?;
    if upload.status == Status::Pending {
        match check(platform, caller, &upload).await? {
            Checked::File(file) => settle(platform, caller, file).await?,
            Checked::Refused(refusal) => refuse(platform, caller, id, refusal).await?,
            // Perhaps another one was faster and has tidied up.
            Checked::Missing => {}
        }
    }
    let settled = queries::own(platform, caller, id).await?;
    match settled.status {
        Status::Ready => Ok(settled.file_id()),
        Status::Refused(refusal) => Err(refusal.error()),
        Status::Pending => {
            let message = "Nothing was put at the upload's address yet; put the file there first.";
            Err(Error::new(Code::UploadMissing, message).at("uploadId"))
        }
    }
}

/// What was found where a client puts its bytes.
enum Checked {
    /// It is what was announced, and kept where nobody can put.
    File(Upload),
    /// It is not.
    Refused(Refusal),
    /// Nothing.
    Missing,
}

async fn check(platform: &Platform, caller: &Caller, upload: &Upload) -> Result<Checked> {
    match platform.files.head(&upload.key).await? {
        None => return Ok(Checked::Missing),
        Some(size) if size != upload.size => return Ok(Checked::Refused(Refusal::Size)),
        Some(_) => {}
    }
    if upload.media.is_image() {
        return picture(platform, caller, upload).await;
    }
    let kept = keep_key(platform, caller, upload.purpose, upload.media).await?;
    if !platform.files.copy(&upload.key, &kept).await? {
        return Ok(Checked::Missing);
    }
    // The copy is judged: what was copied from may be put anew at any moment.
    let first = platform.files.read(&kept, inspect::FIRST).await?.unwrap_or_default();
    if platform.files.head(&kept).await? != Some(upload.size) {
        return Ok(Checked::Refused(Refusal::Size));
    }
    if inspect::media(&first) != Some(upload.media) {
        return Ok(Checked::Refused(Refusal::Type));
    }
    Ok(Checked::File(Upload { key: kept, ..upload.clone() }))
}

/// A picture is taken out of its file and written anew.
async fn picture(platform: &Platform, caller: &Caller, upload: &Upload) -> Result<Checked> {
    let slot = images::slot().await?;
    if queries::own(platform, caller, upload.id).await?.status != Status::Pending {
        // Settled while this one waited: nothing is done twice.
        return Ok(Checked::Missing);
    }
    let Some(bytes) = platform.files.read(&upload.key, upload.size).await? else { return Ok(Checked::Missing) };
    if inspect::media(&bytes) != Some(upload.media) {
        return Ok(Checked::Refused(Refusal::Type));
    }
    let Picture { bytes, media, width, height } = match images::renew(slot, bytes, upload.media).await? {
        Ok(picture) => picture,
        Err(refusal) => return Ok(Checked::Refused(refusal)),
    };
    let key = keep_key(platform, caller, upload.purpose, media).await?;
    let size = bytes.len() as u64;
    platform.files.write(&key, bytes).await?;
    let (width, height) = (Some(width.into()), Some(height.into()));
    Ok(Checked::File(Upload { key, media, size, width, height, ..upload.clone() }))
}

/// A fresh key, noted before anything is written to it: if nobody settles on it, its object is removed.
async fn keep_key(platform: &Platform, caller: &Caller, purpose: Purpose, media: Media) -> Result<Key> {
    let key = Key::stored(purpose.policy().is_public, platform.ids.uuid(), media);
    platform
        .work
        .run(caller, key.clone(), |unit, key| {
            Box::pin(async move { store::note_object(&mut unit.tx, key, Some(unit.now.plus(KEPT_MS))).await })
        })
        .await?;
    Ok(key)
}

/// Makes the upload a file, unless another one was faster: then this one's object is removed in its time.
async fn settle(platform: &Platform, caller: &Caller, file: Upload) -> Result<()> {
    let incoming = Key::incoming(file.id.uuid());
    platform
        .work
        .run(caller, file, |unit, file| {
            Box::pin(async move {
                if store::become_ready(&mut unit.tx, file, unit.now, unit.now.plus(KEPT_MS)).await? {
                    store::note_object(&mut unit.tx, &file.key, None).await?;
                }
                Ok(())
            })
        })
        .await?;
    tidy_up(platform, &incoming).await;
    Ok(())
}

async fn refuse(platform: &Platform, caller: &Caller, id: UploadId, refusal: Refusal) -> Result<()> {
    platform
        .work
        .run(caller, (id, refusal), |unit, (id, refusal)| {
            Box::pin(async move { store::refuse(&mut unit.tx, *id, *refusal, unit.now).await })
        })
        .await?;
    tidy_up(platform, &Key::incoming(id.uuid())).await;
    Ok(())
}

/// Removes what was put, now rather than later. Its note stays, because it may be put once more until the address ends.
async fn tidy_up(platform: &Platform, incoming: &Key) {
    if let Err(error) = platform.files.delete(incoming).await {
        tracing::debug!(%error, "what was put stays until it is due");
    }
}

/// Attaches a file of the owner to something, inside the command that needs it: it is kept until it is detached.
pub async fn attach(unit: &mut Unit, owner: UserId, file: FileId, purpose: Purpose) -> Result<()> {
    let kept = store::keep(&mut unit.tx, file, owner, unit.now).await?.ok_or_else(|| Error::not_found("file"))?;
    if kept.purpose == purpose {
        return Ok(());
    }
    let message = format!("This file was uploaded as {}; upload it as {}.", kept.purpose.name(), purpose.name());
    Err(Error::new(Code::Invalid, message))
}

/// Lets a file go that nothing needs any more, inside the command that replaces it.
pub async fn detach(unit: &mut Unit, file: FileId) -> Result<()> {
    store::let_go(&mut unit.tx, file, unit.now, unit.now.plus(KEPT_MS)).await
}

/// Removes what has been unneeded for its time: rows first, so that nothing shows a file whose object is gone.
pub async fn remove_unneeded(platform: &Platform, caller: &Caller) -> Result<()> {
    let now = platform.clock.now();
    loop {
        let due = store::due(&platform.db, now, AT_ONCE).await?;
        if due.is_empty() || platform.stop.is_cancelled() {
            break;
        }
        for id in due {
            platform
                .work
                .run(caller, id, |unit, id| {
                    Box::pin(async move {
                        if let Some(key) = store::remove(&mut unit.tx, *id, unit.now).await? {
                            store::note_object(&mut unit.tx, &key, Some(unit.now)).await?;
                        }
                        Ok(())
                    })
                })
                .await?;
        }
    }
    remove_objects(platform, caller).await
}

/// The object goes before its note: whoever dies in between is followed by one who removes it again.
async fn remove_objects(platform: &Platform, caller: &Caller) -> Result<()> {
    let now = platform.clock.now();
    let mut last = String::new();
    loop {
        let due = store::objects_due(&platform.db, now, &last, AT_ONCE).await?;
        let Some(end) = due.last() else { return Ok(()) };
        last = end.0.as_str().to_owned();
        for store::ObjectKey(key) in due {
            if platform.stop.is_cancelled() {
                return Ok(());
            }
            // A store that is away is left alone until the next time.
            platform.files.delete(&key).await?;
            platform
                .work
                .run(caller, key, |unit, key| {
                    Box::pin(async move { store::forget_object(&mut unit.tx, key, unit.now).await })
                })
                .await?;
        }
    }
}
