//! Verifying an e-mail address: the letters of a new account, a new code, and the code that comes back.

use serde_json::json;

use super::codes::{self, Issued, Purpose, Rules, Verdict};
use super::{User, queries, store};
use crate::kernel::id::UserId;
use crate::kernel::{Caller, Code, Error, Result, Timestamp};
use crate::platform::Platform;
use crate::platform::mail::{Letter, letters};
use crate::platform::work::{AuditRow, Unit};

/// The letter that greets a new user.
const WELCOME: &str = "welcome";
/// The letter with the code.
const EMAIL_CODE: &str = "email-code";

/// What the letters of a new account need, to be taken into its unit of work.
#[derive(Clone, Debug)]
pub(super) struct Post {
    rules: Rules,
    language: String,
}

impl Post {
    pub(super) fn of(platform: &Platform, language: Option<&str>) -> Self {
        Post { rules: Rules::of(platform), language: platform.mail.language(language) }
    }
}

/// Posts the letters of a new account.
pub(super) async fn greet(unit: &mut Unit, post: &Post, user: &User) -> Result<()> {
    letters::post(unit, Letter::new(WELCOME, user.id, &user.display_name, &user.email, &post.language))?;
    send_code(unit, post, user).await?;
    Ok(())
}

async fn send_code(unit: &mut Unit, post: &Post, user: &User) -> Result<Issued> {
    let issued = codes::issue(unit, &post.rules, user.id, Purpose::VerifyEmail, &user.email).await?;
    let letter = Letter::new(EMAIL_CODE, user.id, &user.display_name, &user.email, &post.language)
        .with("minutes", post.rules.minutes)
        .with_code(issued.id);
    letters::post(unit, letter)?;
    Ok(issued)
}

/// Sends the viewer a new code for its address, in place of the one before, and says how long it is good.
pub async fn send(platform: &Platform, caller: &Caller, language: Option<&str>) -> Result<Timestamp> {
    let viewer = caller.viewer()?;
    let post = Post::of(platform, language);
    platform
        .work
        .run(caller, (viewer.user, post), |unit, (user, post)| {
            Box::pin(async move {
                let user = unverified(unit, *user).await?;
                unit.audit(AuditRow::new("email.code_send", user.id));
                Ok(send_code(unit, post, &user).await?.expires_at)
            })
        })
        .await
}

/// Takes the code that came by mail. A wrong one counts, which must commit although the client is refused.
pub async fn verify(platform: &Platform, caller: &Caller, typed: &str) -> Result<UserId> {
    let viewer = caller.viewer()?;
    let guess = codes::parse(typed).map_err(|error| error.at("code"))?;
    let input = (viewer.user, Rules::of(platform), guess);
    let verdict = platform
        .work
        .run(caller, input, |unit, (user, rules, guess)| Box::pin(judge(unit, *user, rules, guess)))
        .await?;
    codes::settle(verdict, platform.clock.now()).map_err(|error| error.at("code"))?;
    Ok(viewer.user)
}

async fn judge(unit: &mut Unit, user: UserId, rules: &Rules, guess: &str) -> Result<Verdict> {
    let user = unverified(unit, user).await?;
    let verdict = codes::check(unit, rules, user.id, Purpose::VerifyEmail, &user.email, guess).await?;
    match verdict {
        Verdict::Right => {
            store::verify_email(&mut unit.tx, user.id, unit.now).await?;
            unit.audit(AuditRow::new("email.verify", user.id));
        }
        Verdict::Wrong(left) => {
            unit.audit(AuditRow::new("email.code_wrong", user.id).with(json!({ "triesLeft": left })));
        }
        Verdict::Expired | Verdict::Locked(_) => {}
    }
    Ok(verdict)
}

/// A user whose address still waits to be verified.
async fn unverified(unit: &mut Unit, user: UserId) -> Result<User> {
    let user = queries::in_unit(unit, user).await?;
    if user.email_verified_at.is_some() {
        return Err(Error::new(Code::EmailVerified, "This address is verified already; there is nothing to do."));
    }
    Ok(user)
}
