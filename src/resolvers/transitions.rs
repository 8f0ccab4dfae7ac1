//! What somebody may do next, and what would come of it.

use async_graphql::{Context, ID, Object};

use super::ask::Ask;
use super::error::{Nullable, settle};
use crate::features::changes::preview as changes;
use crate::features::disputes::preview;
use crate::kernel::Result;
use crate::platform::limits::Rule;
use crate::schema::auth::{Access, auth};
use crate::schema::cost::{REHEARSAL, cost};
use crate::schema::transitions::{TransitionName, TransitionPreview};

/// How often one user may rehearse: each is a transaction on the same rows as the real one.
const PREVIEWS: Rule = Rule { burst: 60, per_minute: 60 };

/// Queries of transitions.
#[derive(Default)]
pub struct TransitionQuery;

/// Looking ahead.
#[Object]
impl TransitionQuery {
    /// What a mutation would do to an object now: the mutation itself, run and taken back. Nothing changes and nobody hears
    /// of it. What the mutation takes beside the object, such as a reason, plays no part: a counter is tried at the
    /// price of the offer that it answers, and of a proposal or a decision only whether it may be. At most 60 a minute.
    #[graphql(directive = auth::apply(Access::SignedIn), directive = cost::apply(REHEARSAL))]
    async fn transition_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The id of the job, offer, booking, change or dispute; to propose a change or open a dispute, the booking's."
        )]
        id: ID,
        #[graphql(desc = "Which mutation.")] name: TransitionName,
    ) -> Nullable<TransitionPreview> {
        settle(foresee(ctx, &id, name).await)
    }
}

async fn foresee(ctx: &Context<'_>, id: &str, name: TransitionName) -> Result<TransitionPreview> {
    let viewer = ctx.viewer()?;
    ctx.platform().count(&format!("transitionPreview:{}", viewer.user), PREVIEWS).await?;
    let (platform, caller, mutation) = (ctx.platform(), ctx.caller(), name.mutation());
    if changes::knows(mutation) {
        return Ok(changes::of(platform, caller, mutation, id).await?.into());
    }
    Ok(preview::of(platform, caller, mutation, id).await?.into())
}
