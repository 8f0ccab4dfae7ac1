//! Who a session is, and for how long.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::operations::Refusal;
use crate::kernel::Timestamp;
use crate::platform::host;

/// A token is renewed so long before its end.
const AHEAD: Duration = Duration::from_secs(60);
/// Between two attempts to renew at least: a clock that goes wrong makes every token look old.
const PAUSE: Duration = Duration::from_secs(20);

/// A pair of tokens.
pub struct Tokens {
    /// Opens sockets.
    pub access: String,
    /// Brings the next pair.
    pub refresh: String,
    ends_at: Instant,
    renew_at: Instant,
}

impl Tokens {
    /// Reads them from the answer to this mutation.
    pub fn of(answer: &Value, mutation: &str) -> Result<Self, Refusal> {
        if let Some(refusal) = Refusal::of_answer(answer) {
            return Err(refusal);
        }
        let session = &answer["data"][mutation]["session"];
        let text = |name: &str| session[name].as_str().map(str::to_owned);
        let (Some(access), Some(refresh)) = (text("accessToken"), text("refreshToken")) else {
            return Err(Refusal::new("UNKNOWN", "the answer holds no tokens"));
        };
        let ends = text("expiresAt").and_then(|at| Timestamp::parse(&at));
        let left = ends.map_or(0, |ends| ends.0 - host::clock().now().0);
        let left = Duration::from_millis(u64::try_from(left).unwrap_or_default());
        let now = Instant::now();
        let renew_in = left.saturating_sub(AHEAD).max(PAUSE);
        Ok(Tokens { access, refresh, ends_at: now + left, renew_at: now + renew_in })
    }

    /// It is no use to show it.
    pub fn is_old(&self) -> bool {
        self.ends_at <= Instant::now()
    }

    /// When to ask for the next pair.
    pub fn renew_at(&self) -> Instant {
        self.renew_at
    }

    /// Somebody is asking for it.
    pub fn is_renewing(&mut self) {
        self.renew_at = Instant::now() + PAUSE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pair(lives: i64) -> Tokens {
        let ends = host::clock().now().plus(lives).rfc3339();
        let session = json!({ "accessToken": "a", "refreshToken": "r", "expiresAt": ends });
        let answer = json!({ "data": { "sessionRefresh": { "session": session, "userErrors": [] } } });
        Tokens::of(&answer, "sessionRefresh").ok().unwrap()
    }

    #[test]
    fn tokens_are_renewed_before_they_end() {
        let now = Instant::now();
        let long = pair(900_000);
        assert!(
            !long.is_old()
                && long.renew_at() > now + Duration::from_secs(835)
                && long.renew_at() < now + Duration::from_secs(845)
        );
        let ended = pair(-5_000);
        assert!(ended.is_old(), "or this machine's clock goes ahead");
        assert!(ended.renew_at() > now + Duration::from_secs(19), "it is not asked for without a pause");
    }

    #[test]
    fn a_refusal_is_no_pair() {
        let answer = json!({ "data": { "accountSignIn": { "session": null, "userErrors": [{ "code": "BAD_CREDENTIALS", "message": "No." }] } } });
        let refusal = Tokens::of(&answer, "accountSignIn").err().unwrap();
        assert_eq!(refusal, Refusal::new("BAD_CREDENTIALS", "No."));
    }
}
