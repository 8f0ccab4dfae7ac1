//! Files that the parties bring forward. They are added and never taken back: the other party and staff have seen them.

use serde_json::json;

use super::commands::{locked, save};
use super::model::ADD_EVIDENCE;
use super::{Dispute, LIFE, events, store};
use crate::features::uploads::{self, Purpose};
use crate::kernel::id::{DisputeId, FileId, UserId};
use crate::kernel::{Caller, Code, Error, Result, Timestamp};
use crate::platform::Platform;
use crate::platform::work::{AuditRow, Unit};

/// Files that each party may add to one dispute.
pub const FILES_MAX: usize = 10;

/// A file that a party brought forward.
#[derive(Clone, Copy, Debug)]
pub struct Evidence {
    /// In which dispute.
    pub dispute: DisputeId,
    /// The file.
    pub file: FileId,
    /// Who added it.
    pub author: UserId,
    /// When.
    pub created_at: Timestamp,
}

/// All files of one dispute.
#[derive(Clone, Debug)]
pub struct EvidenceOf {
    /// The dispute.
    pub dispute: DisputeId,
    /// Its files, the oldest first.
    pub files: Vec<Evidence>,
}

/// Whom a file is shown to that is evidence: the parties of all its disputes, and staff.
#[derive(Clone, Debug)]
pub struct Audience {
    /// The file.
    pub file: FileId,
    /// The parties.
    pub parties: Vec<UserId>,
}

/// Files to be added to a dispute, checked.
#[derive(Clone, Debug)]
pub struct AddEvidence {
    /// The dispute.
    pub dispute: DisputeId,
    /// The files.
    pub files: Vec<FileId>,
}

impl AddEvidence {
    /// Checks what a client sends.
    pub fn new(dispute: DisputeId, files: Vec<FileId>) -> Result<Self> {
        if files.is_empty() {
            return Err(Error::new(Code::Invalid, "Name at least one file.").at("fileIds"));
        }
        Ok(AddEvidence { dispute, files: distinct(files).map_err(|error| error.at("fileIds"))? })
    }
}

/// Each file once, in an order that is the same for everybody: whoever adds the same files waits and is not waited for.
pub(super) fn distinct(mut files: Vec<FileId>) -> Result<Vec<FileId>> {
    files.sort();
    files.dedup();
    if files.len() > FILES_MAX { Err(too_many()) } else { Ok(files) }
}

/// A party has added as many files as it may.
fn too_many() -> Error {
    let message = format!("Each party adds {FILES_MAX} files to a dispute at most.");
    Error::new(Code::TooManyFiles, message)
}

/// A party adds files to a dispute that goes on. One that is there already stays as it is, so that a request may be repeated.
pub async fn add(platform: &Platform, caller: &Caller, input: AddEvidence) -> Result<DisputeId> {
    let viewer = caller.viewer()?;
    platform
        .work
        .run(caller, input, move |unit, input| {
            Box::pin(async move {
                let (_, dispute) = locked(unit, input.dispute).await?;
                let (by, role) = dispute.hand_of(&viewer)?;
                unit.act_as(role);
                LIFE.step(ADD_EVIDENCE, dispute.status, by)?;
                let added = attach(unit, &dispute, viewer.user, &input.files).await;
                let added = added.map_err(|error| error.at("fileIds"))?;
                if added.is_empty() {
                    return Ok(dispute.id);
                }
                let changed = save(unit, &dispute).await?;
                unit.audit(AuditRow::new("dispute.add_evidence", changed.id).with(json!({ "files": names(&added) })));
                unit.state(events::happened(events::EVIDENCE_ADDED, &changed));
                Ok(changed.id)
            })
        })
        .await
}

/// Adds those of an author's files that are not there yet, and says which those are. A file is its owner's to add.
pub(super) async fn attach(
    unit: &mut Unit,
    dispute: &Dispute,
    author: UserId,
    files: &[FileId],
) -> Result<Vec<FileId>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let there = store::evidence(&mut unit.tx, &[dispute.id]).await?;
    let is_there = |file: &FileId| there.iter().any(|it| it.file == *file && it.author == author);
    let added: Vec<_> = files.iter().copied().filter(|file| !is_there(file)).collect();
    if there.iter().filter(|it| it.author == author).count() + added.len() > FILES_MAX {
        return Err(too_many());
    }
    for file in &added {
        uploads::commands::attach(unit, author, *file, Purpose::Evidence).await?;
        let evidence = Evidence { dispute: dispute.id, file: *file, author, created_at: unit.now };
        store::insert_evidence(unit, &evidence);
    }
    Ok(added)
}

/// The files as the audit log names them.
pub(super) fn names(files: &[FileId]) -> Vec<String> {
    files.iter().map(ToString::to_string).collect()
}
