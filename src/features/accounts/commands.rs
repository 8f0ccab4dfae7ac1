//! Signing up, in, on and out.

use super::passwords::{self, Verdict};
use super::tokens::{self, Refresh};
use super::verification::{self, Post};
use super::{SignIn, SignUp, SignedIn, User, rights, store};
use crate::features::alerts::{self, NewAlert};
use crate::kernel::clock::{DAY, SECOND};
use crate::kernel::id::{SessionId, UserId};
use crate::kernel::{Caller, Code, Error, Result, text};
use crate::platform::Platform;
use crate::platform::limits::Rule;
use crate::platform::work::{AuditRow, Unit};

/// A refresh token that was just used may be repeated for so long, by a client whose answer was lost on the way.
const REPEAT_MS: i64 = 10 * SECOND;

/// Sign-ins to one account.
const SIGN_IN_RULE: Rule = Rule { burst: 10, per_minute: 10 };

/// Opens an account and signs it in.
pub async fn sign_up(platform: &Platform, caller: &Caller, input: SignUp) -> Result<SignedIn> {
    let hash = passwords::hash(&platform.ids, input.password.clone()).await?;
    let days = platform.config.tokens.refresh_days;
    let post = Post::of(platform, None);
    let (user, session, refresh) = platform
        .work
        .run(caller, (input, hash, days, post), |unit, (input, hash, days, post)| {
            Box::pin(async move {
                let user = insert(unit, input, hash).await?;
                verification::greet(unit, post, &user).await?;
                let user = user.id;
                let (session, refresh) = open_session(unit, user, *days).await?;
                Ok((user, session, refresh))
            })
        })
        .await?;
    signed_in(platform, user, session, refresh)
}

/// Opens an account for staff, from the command line.
pub async fn create_staff(platform: &Platform, caller: &Caller, input: SignUp) -> Result<UserId> {
    let hash = passwords::hash(&platform.ids, input.password.clone()).await?;
    platform
        .work
        .run(caller, (input, hash), |unit, (input, hash)| {
            Box::pin(async move {
                let user = insert(unit, input, hash).await?.id;
                unit.audit(AuditRow::new("staff.create", user));
                Ok(user)
            })
        })
        .await
}

async fn insert(unit: &mut Unit, input: &SignUp, hash: &str) -> Result<User> {
    let user = User {
        id: unit.ids.new_id(),
        email: input.email.clone(),
        email_verified_at: None,
        display_name: input.display_name.clone(),
        bio: None,
        profile_image: None,
        cover_image: None,
        roles: input.roles,
        block: None,
        hides_presence: false,
        created_at: unit.now,
        updated_at: unit.now,
        version: 1,
    };
    if !store::insert_user(&mut unit.tx, &user, hash).await? {
        return Err(Error::new(Code::EmailTaken, "This address has an account already; sign in instead.").at("email"));
    }
    Ok(user)
}

/// Writes what a profile shows of the account, inside the command that changes it, and tells the new version.
pub async fn set_profile(unit: &mut Unit, user: &User) -> Result<i64> {
    store::set_profile(&mut unit.tx, user, unit.now).await
}

/// Signs in. An unknown address and a wrong password look the same, also in time.
pub async fn sign_in(platform: &Platform, caller: &Caller, input: SignIn) -> Result<SignedIn> {
    let wrong = || Error::new(Code::BadCredentials, "E-mail address or password is wrong.");
    let found = match text::email(&input.email) {
        Ok(email) => {
            // Counted by account as well, however many addresses guess. An unknown account counts just the same.
            platform.count(&format!("signIn:account:{email}"), SIGN_IN_RULE).await?;
            store::credentials(&platform.db, &email).await?
        }
        Err(_) => None,
    };
    let hash = found.as_ref().map(|found| found.password_hash.clone());
    let verdict = passwords::verify(hash, input.password.clone()).await?;
    let user = match (found, verdict) {
        (Some(found), Verdict::Right | Verdict::RightButWeak) => found.user,
        _ => return Err(wrong()),
    };
    user.must_be_free(platform.clock.now())?;
    let stronger = match verdict {
        Verdict::RightButWeak => Some(passwords::hash(&platform.ids, input.password).await?),
        _ => None,
    };
    let days = platform.config.tokens.refresh_days;
    let user = user.id;
    let (session, refresh) = platform
        .work
        .run(caller, (user, stronger, days), |unit, (user, stronger, days)| {
            Box::pin(async move {
                if let Some(hash) = stronger {
                    store::set_password_hash(&mut unit.tx, *user, hash, unit.now).await?;
                }
                open_session(unit, *user, *days).await
            })
        })
        .await?;
    signed_in(platform, user, session, refresh)
}

async fn open_session(unit: &mut Unit, user: UserId, days: i64) -> Result<(SessionId, Refresh)> {
    let session: SessionId = unit.ids.new_id();
    let refresh = Refresh::first(unit.ids.bytes());
    let agent: Option<String> = unit.caller.agent.as_deref().map(|agent| agent.chars().take(200).collect());
    let ip = unit.caller.ip.map(|ip| ip.to_string());
    store::sessions::insert_session(&mut unit.tx, session, user, agent.as_deref(), ip, unit.now).await?;
    store::insert_refresh(&mut unit.tx, &refresh.hash(), session, unit.now.plus(days * DAY)).await?;
    Ok((session, refresh))
}

fn signed_in(platform: &Platform, user: UserId, session: SessionId, refresh: Refresh) -> Result<SignedIn> {
    let access = tokens::issue(platform, session)?;
    Ok(SignedIn {
        user,
        session,
        access_token: access.token,
        refresh_token: refresh.encode(),
        expires_at: access.expires_at,
    })
}

/// What became of a refresh token.
enum Refreshed {
    Next(UserId, SessionId),
    /// It was used before: somebody has a copy. The session is ended, which must commit although the client is refused.
    Stolen(UserId),
}

/// Swaps a refresh token for its successor. One that was used before ends the session, since somebody has a copy.
pub async fn refresh(platform: &Platform, caller: &Caller, token: &str) -> Result<SignedIn> {
    let refused = || Error::new(Code::BadRefreshToken, "This refresh token is not valid any more; sign in again.");
    let parent = Refresh::parse(token).ok_or_else(|| refused().at("refreshToken"))?;
    let child = parent.child(&platform.secrets.refresh)?;
    let days = platform.config.tokens.refresh_days;
    let outcome = platform
        .work
        .run(caller, (parent.hash(), child.hash(), days), move |unit, (parent, child, days)| {
            Box::pin(
                async move { rotate(unit, parent, child, *days).await?.ok_or_else(|| refused().at("refreshToken")) },
            )
        })
        .await?;
    match outcome {
        Refreshed::Next(user, session) => signed_in(platform, user, session, child),
        Refreshed::Stolen(user) => {
            tracing::warn!(%user, "a refresh token was used twice; its session is ended");
            Err(refused().at("refreshToken"))
        }
    }
}

async fn rotate(unit: &mut Unit, parent: &str, child: &str, days: i64) -> Result<Option<Refreshed>> {
    let first_use = store::use_refresh(&mut unit.tx, parent, unit.now).await?;
    let Some(row) = store::refresh(&mut unit.tx, parent).await? else { return Ok(None) };
    if row.ended_at.is_some() || row.expires_at <= unit.now {
        return Ok(None);
    }
    super::queries::in_unit(unit, row.user).await?.must_be_free(unit.now)?;
    if first_use {
        store::insert_refresh(&mut unit.tx, child, row.session, unit.now.plus(days * DAY)).await?;
        store::sessions::touch_session(&mut unit.tx, row.session, unit.now).await?;
        return Ok(Some(Refreshed::Next(row.user, row.session)));
    }
    let recent = row.used_at.is_some_and(|used| unit.now.0 - used.0 <= REPEAT_MS);
    let successor_unused = store::refresh(&mut unit.tx, child).await?.is_some_and(|next| next.used_at.is_none());
    if recent && successor_unused {
        return Ok(Some(Refreshed::Next(row.user, row.session)));
    }
    store::sessions::end_session(&mut unit.tx, row.session, unit.now).await?;
    unit.audit(AuditRow::new("session.reuse", row.session));
    let body = "A refresh token that had been used before came again. Its session was ended.";
    let alert = NewAlert::new(alerts::Kind::SessionStolen, row.user.to_string(), body).about(row.user);
    alerts::commands::raise(unit, alert).await?;
    rights::changed(unit, row.user);
    Ok(Some(Refreshed::Stolen(row.user)))
}

/// Ends this session, or all of the viewer's. Says how many.
pub async fn sign_out(platform: &Platform, caller: &Caller, all: bool) -> Result<u64> {
    let viewer = caller.viewer()?;
    platform
        .work
        .run(caller, (viewer, all), |unit, (viewer, all)| {
            Box::pin(async move {
                rights::changed(unit, viewer.user);
                if *all {
                    store::sessions::end_all_sessions(&mut unit.tx, viewer.user, unit.now).await
                } else {
                    store::sessions::end_session(&mut unit.tx, viewer.session, unit.now).await
                }
            })
        })
        .await
}

/// Ends one of the viewer's sessions, this one or another.
pub async fn end_session(platform: &Platform, caller: &Caller, session: SessionId) -> Result<()> {
    let viewer = caller.viewer()?.user;
    let ended = platform.work.run(caller, (viewer, session), |unit, (viewer, session)| {
        Box::pin(async move {
            if !store::sessions::end_own_session(&mut unit.tx, *session, *viewer, unit.now).await? {
                return Err(Error::not_found("session").at("sessionId"));
            }
            rights::changed(unit, *viewer);
            Ok(())
        })
    });
    ended.await
}
