//! Rights, as far as others may change them: roles, blocks, live connections. Roles of staff are for administrators to
//! give and take; a moderator blocks and disconnects everybody but staff.
//!
//! Every change of rights ends in [`changed`]: it commits a mark that each instance finds within seconds, and tells all
//! of them at once.

use serde_json::json;

use super::{Block, User, events, store};
use crate::kernel::id::UserId;
use crate::kernel::{Caller, Code, Error, Result, Role, Roles, Timestamp, text};
use crate::platform::Platform;
use crate::platform::work::{AuditRow, Unit};

/// Says that the rights of a user change with this unit of work: its sessions, its roles, a block, or that staff end its
/// connections. Whoever it concerns looks again at once, and within seconds where no wake gets through.
pub(super) fn changed(unit: &mut Unit, user: UserId) {
    unit.later(store::rights::rights_changed(user, unit.now));
    unit.tell(events::rights_changed(user));
}

/// What staff do to a user, and why.
#[derive(Clone, Debug)]
pub struct Measure {
    /// Whom it concerns.
    pub user: UserId,
    /// Why.
    pub reason: String,
}

impl Measure {
    /// Checks what staff typed.
    pub fn new(user: UserId, reason: &str) -> Result<Self> {
        let reason = text::paragraphs(reason, text::NOTE_MAX).map_err(|error| error.at("reason"))?;
        Ok(Measure { user, reason })
    }
}

/// Gives a user exactly these roles. Its sockets are closed, since they were opened with others.
pub async fn set_roles(platform: &Platform, caller: &Caller, measure: Measure, roles: Roles) -> Result<()> {
    let admin = caller.viewer()?;
    admin.must_be(Role::Admin)?;
    if roles == Roles::default() {
        return Err(Error::new(Code::Invalid, "A user has at least one role; to keep it out, block it.").at("roles"));
    }
    let input = (admin.user, measure, roles);
    let set = platform.work.run(caller, input, |unit, (admin, measure, roles)| {
        Box::pin(async move {
            // Whoever gives up the own role must leave another administrator behind, and of two who try at once one
            // does not: they are locked in one order.
            let takes_own = measure.user == *admin && !roles.has(Role::Admin);
            let others = if takes_own { store::rights::lock_admins(&mut unit.tx).await? } else { Vec::new() };
            let target = pair(unit, *admin, Role::Admin, measure.user).await?;
            if takes_own && !others.iter().any(|other| other.id != *admin && !other.is_blocked(unit.now)) {
                let message = "Somebody has to be an administrator; make another one first.";
                return Err(Error::new(Code::LastAdmin, message).at("roles"));
            }
            write_roles(unit, &target, *roles, &measure.reason).await
        })
    });
    set.await
}

/// Adds a role that a user may choose to its own.
pub async fn add_role(platform: &Platform, caller: &Caller, role: Role) -> Result<UserId> {
    let viewer = caller.viewer()?.user;
    let added = platform.work.run(caller, (viewer, role), |unit, (viewer, role)| {
        Box::pin(async move {
            let user = super::queries::locked(unit, *viewer).await?;
            let roles = Roles(user.roles.0 | Roles::of(&[*role]).0);
            write_roles(unit, &user, roles, "The user's own choice.").await?;
            Ok(user.id)
        })
    });
    added.await
}

async fn write_roles(unit: &mut Unit, user: &User, roles: Roles, reason: &str) -> Result<()> {
    if user.roles == roles {
        return Ok(());
    }
    store::rights::set_roles(&mut unit.tx, user.id, roles, unit.now).await?;
    let names = |roles: Roles| roles.list().into_iter().map(Role::name).collect::<Vec<_>>();
    let change = json!({ "before": names(user.roles), "after": names(roles) });
    unit.audit(AuditRow::new("user.roles", user.id).because(reason).with(change));
    changed(unit, user.id);
    Ok(())
}

/// Keeps a user out until an instant, or until somebody lifts it. Its sessions end. Who is blocked already is blocked
/// anew, with this end and reason.
pub async fn block(platform: &Platform, caller: &Caller, measure: Measure, until: Option<Timestamp>) -> Result<()> {
    let (staff, role) = acting(caller)?;
    if staff == measure.user {
        return Err(Error::new(Code::OwnAccount, "Nobody blocks the own account.").at("userId"));
    }
    if until.is_some_and(|until| until <= platform.clock.now()) {
        return Err(Error::new(Code::Invalid, "A block ends in the future.").at("blockUntil"));
    }
    let input = (staff, role, measure, until);
    let blocked = platform.work.run(caller, input, |unit, (staff, role, measure, until)| {
        Box::pin(async move {
            let user = pair(unit, *staff, *role, measure.user).await?.id;
            let block = Block { at: unit.now, until: *until, reason: measure.reason.clone() };
            store::rights::set_block(&mut unit.tx, user, Some(&block), unit.now).await?;
            let ended = store::sessions::end_all_sessions(&mut unit.tx, user, unit.now).await?;
            let facts = json!({ "until": until.and_then(|until| until.rfc3339()), "sessionsEnded": ended });
            unit.audit(AuditRow::new("user.block", user).because(&measure.reason).with(facts));
            changed(unit, user);
            Ok(())
        })
    });
    blocked.await
}

/// Lets a blocked user in again.
pub async fn unblock(platform: &Platform, caller: &Caller, measure: Measure) -> Result<()> {
    let (staff, role) = acting(caller)?;
    let unblocked = platform.work.run(caller, (staff, role, measure), |unit, (staff, role, measure)| {
        Box::pin(async move {
            let user = pair(unit, *staff, *role, measure.user).await?;
            if !user.is_blocked(unit.now) {
                return Err(Error::conflict("This user is not blocked.").at("userId"));
            }
            store::rights::set_block(&mut unit.tx, user.id, None, unit.now).await?;
            unit.audit(AuditRow::new("user.unblock", user.id).because(&measure.reason));
            changed(unit, user.id);
            Ok(())
        })
    });
    unblocked.await
}

/// Ends all live connections of a user, on every instance. Its sessions go on: its clients may come back.
pub async fn disconnect(platform: &Platform, caller: &Caller, measure: Measure) -> Result<()> {
    let (staff, role) = acting(caller)?;
    let disconnected = platform.work.run(caller, (staff, role, measure), |unit, (staff, role, measure)| {
        Box::pin(async move {
            let user = pair(unit, *staff, *role, measure.user).await?.id;
            store::rights::count_disconnection(&mut unit.tx, user).await?;
            unit.audit(AuditRow::new("user.disconnect", user).because(&measure.reason));
            changed(unit, user);
            Ok(())
        })
    });
    disconnected.await
}

/// Who of the staff acts, and in which role.
fn acting(caller: &Caller) -> Result<(UserId, Role)> {
    let viewer = caller.viewer()?;
    Ok((viewer.user, viewer.must_be_staff()?))
}

/// Locks who acts and whom it concerns, and gives the latter, if the one may still act on the other. So two
/// administrators cannot block each other at once, or take each other's role.
async fn pair(unit: &mut Unit, staff: UserId, role: Role, user: UserId) -> Result<User> {
    unit.act_as(role);
    let mut found = store::rights::lock_users(&mut unit.tx, &[staff, user]).await?;
    let may_act = |actor: &User| actor.id == staff && actor.roles.has(role) && !actor.is_blocked(unit.now);
    if !found.iter().any(may_act) {
        return Err(Error::forbidden("Your own rights have just changed."));
    }
    let place = found.iter().position(|found| found.id == user);
    let target = place.map(|place| found.swap_remove(place));
    let target = target.ok_or_else(|| Error::not_found("user").at("userId"))?;
    if target.roles.is_staff() && role != Role::Admin {
        return Err(Error::forbidden("Only administrators do this to staff."));
    }
    Ok(target)
}
