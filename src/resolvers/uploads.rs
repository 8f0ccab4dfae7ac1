//! Uploads: announcing and completing them, and the fields of files.

use async_graphql::{ComplexObject, Context, Object};

use super::ask::Ask;
use super::disputes;
use super::error::{Nullable, answer, settle};
use crate::features::uploads::{NewUpload, Purpose, commands, queries};
use crate::kernel::id::FileId;
use crate::kernel::{Error, Result};
use crate::schema::auth::{Access, auth};
use crate::schema::scalars::Url;
use crate::schema::uploads::*;

/// Mutations of uploads.
#[derive(Default)]
pub struct UploadMutation;

/// Bringing files in.
#[Object]
impl UploadMutation {
    /// Announces a file, and gives the address where its bytes are to be put, by HTTP and with the headers that come with
    /// it. Then call `uploadComplete`.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn upload_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is about to be uploaded.")] input: UploadCreateInput,
    ) -> Nullable<UploadCreatePayload> {
        settle(create(ctx, input).await)
    }

    /// Checks what was put, and makes it a file. May be repeated: the answer is the same.
    #[graphql(directive = auth::apply(Access::SignedIn))]
    async fn upload_complete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which upload.")] input: UploadCompleteInput,
    ) -> Nullable<UploadCompletePayload> {
        settle(complete(ctx, input).await)
    }
}

async fn create(ctx: &Context<'_>, input: UploadCreateInput) -> Result<UploadCreatePayload> {
    let limit = ctx.platform().config.storage.max_file_size;
    let (purpose, name, size) = (input.purpose.into(), input.file_name.as_deref(), i64::from(input.size));
    let input = NewUpload::new(purpose, name, &input.content_type, size, limit)?;
    let signed = commands::create(ctx.platform(), ctx.caller(), input).await?;
    Ok(UploadCreatePayload { upload: Some(signed.into()), ..Default::default() })
}

async fn complete(ctx: &Context<'_>, input: UploadCompleteInput) -> Result<UploadCompletePayload> {
    let id = commands::complete(ctx.platform(), ctx.caller(), input.upload_id.parse()?).await?;
    ctx.loaders().renew();
    Ok(UploadCompletePayload { file: visible(ctx, id).await?, ..Default::default() })
}

/// A file, if the viewer may see it: as it is, or as evidence.
pub async fn visible(ctx: &Context<'_>, id: FileId) -> Result<Option<File>> {
    let viewer = ctx.caller().viewer.map(|viewer| viewer.user);
    let Some(file) = ctx.loaders().file(id).await? else { return Ok(None) };
    let is_evidence = file.purpose == Purpose::Evidence && !file.is_for(viewer);
    let may_see = if is_evidence { disputes::is_evidence_for(ctx, id).await? } else { file.is_for(viewer) };
    Ok(may_see.then(|| file.into()))
}

/// The file that something shows, if it shows one.
pub async fn of(ctx: &Context<'_>, id: Option<FileId>) -> Result<Option<File>> {
    let Some(id) = id else { return Ok(None) };
    let gone = || Error::internal("a file that is shown is gone");
    visible(ctx, id).await?.ok_or_else(gone).map(Some)
}

/// Fields of a file that need a look.
#[ComplexObject]
impl File {
    /// Where it can be read. Of a public file it stays; of a private one it opens for 5 minutes, for whoever has it.
    async fn url(&self, ctx: &Context<'_>) -> async_graphql::Result<Url> {
        answer(queries::address(ctx.platform(), ctx.caller(), &self.row).await).map(Url)
    }

    /// The name that its owner gave it. Shown to the owner and to staff.
    #[graphql(directive = auth::apply(Access::SelfOnly))]
    async fn name(&self, ctx: &Context<'_>) -> Option<&str> {
        let may_see = |viewer: crate::kernel::Viewer| viewer.user == self.row.owner || viewer.roles.is_staff();
        self.row.file_name.as_deref().filter(|_| ctx.caller().viewer.is_some_and(may_see))
    }
}
