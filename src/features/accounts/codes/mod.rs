//! One-time codes: a few digits that prove that somebody reads what is sent to an address.
//!
//! A code is derived from a random seed, with a secret of the program and everything that it is for: the purpose, the
//! user and the address. It is not stored, not even hashed: whoever reads the database cannot compute it. A newer code
//! for the same purpose replaces the older one.
//!
//! Few digits are safe because guesses are counted in the database, under the lock of the code's row and in the
//! transaction that judges them: five wrong ones per user, purpose and rolling hour, whatever instances, aliases or
//! batches they come through. A new code does not reset the count, a right one does. A refusal must therefore commit:
//! [`check`] answers with a [`Verdict`], and the command turns it into an error behind the commit.
//!
//! To add a purpose: a line in [`Purpose`], a command that calls [`issue`] and puts the code's id into a letter, and one
//! that calls [`check`].

mod store;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::kernel::clock::{HOUR, MINUTE};
use crate::kernel::id::{CodeId, UserId};
use crate::kernel::text::hex;
use crate::kernel::{Code, Error, Result, Timestamp};
use crate::platform::Platform;
use crate::platform::config::Secret;
use crate::platform::work::Unit;

/// Wrong tries per user, purpose and rolling hour.
const TRIES_MAX: i64 = 5;
/// Codes that are sent to one address per purpose and rolling hour.
const SENDS_MAX: i64 = 5;
/// Digits that a code may have.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=8;

pub use store::forget;

/// What a code is for. A code for one purpose is none for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Verifies the e-mail address of an account.
    VerifyEmail,
}

impl Purpose {
    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Purpose::VerifyEmail => "VERIFY_EMAIL",
        }
    }
}

/// What codes are made with, to be taken into a unit of work.
#[derive(Clone, Debug)]
pub struct Rules {
    secret: Secret,
    digits: i64,
    /// How long a code is good, in minutes.
    pub minutes: i64,
}

impl Rules {
    /// Those of the settings.
    pub fn of(platform: &Platform) -> Self {
        let codes = &platform.config.codes;
        Rules { secret: platform.secrets.refresh.clone(), digits: codes.digits, minutes: codes.minutes }
    }
}

/// A code on its way to its user.
#[derive(Clone, Copy, Debug)]
pub struct Issued {
    /// Its id, for the letter that shows it.
    pub id: CodeId,
    /// How long it is good.
    pub expires_at: Timestamp,
}

/// What became of a guess. All of them must commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was right, and is used up.
    Right,
    /// It was wrong, and so many tries are left within the hour.
    Wrong(i64),
    /// There is no live code to compare with.
    Expired,
    /// The tries are used up until this instant.
    Locked(Timestamp),
}

/// A code as it lies in the database.
struct Stored {
    id: CodeId,
    user: UserId,
    purpose: String,
    seed: String,
    digits: i64,
    expires_at: Timestamp,
    used_at: Option<Timestamp>,
}

impl Stored {
    fn is_live(&self, now: Timestamp) -> bool {
        self.used_at.is_none() && now < self.expires_at
    }

    /// The digits themselves.
    fn digits(&self, secret: &Secret, address: &str) -> Result<String> {
        let parts = [self.purpose.as_str(), &self.user.to_string(), address, &self.seed];
        let mac = seal(secret, "one-time code", &parts)?;
        let number = mac.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        let width = usize::try_from(self.digits).map_err(Error::internal)?;
        let bound = 10_u64.pow(u32::try_from(width).map_err(Error::internal)?);
        Ok(format!("{:0width$}", number % bound))
    }
}

/// A keyed hash. The label keeps it apart from everything else that the secret is used for.
fn seal(secret: &Secret, label: &str, parts: &[&str]) -> Result<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).map_err(Error::internal)?;
    for part in [&[label], parts].concat() {
        mac.update(&part.len().to_be_bytes());
        mac.update(part.as_bytes());
    }
    Ok(mac.finalize().into_bytes().into())
}

/// Makes a code for an address of a user, in place of an older one. Refuses when too many went to this address.
pub async fn issue(unit: &mut Unit, rules: &Rules, user: UserId, purpose: Purpose, address: &str) -> Result<Issued> {
    let seed: [u8; 32] = unit.ids.bytes();
    let code = Stored {
        id: unit.ids.new_id(),
        user,
        purpose: purpose.name().to_owned(),
        seed: hex(&seed),
        digits: rules.digits,
        expires_at: unit.now.plus(rules.minutes * MINUTE),
        used_at: None,
    };
    // First, since it takes the lock under which everything else is counted.
    store::replace(&mut unit.tx, &code, unit.now).await?;
    let subject = format!("send:{}:{}", purpose.name(), hex(&seal(&rules.secret, "address", &[address])?[..16]));
    let sent = store::counted(&mut unit.tx, &subject, unit.now.plus(-HOUR)).await?;
    if sent.count >= SENDS_MAX {
        let until = sent.free_at(unit.now);
        let wait = u64::try_from(until.0 - unit.now.0).unwrap_or(0);
        let message = format!("Too many codes were sent to this address. Try again in {}.", minutes(until, unit.now));
        return Err(Error::new(Code::RateLimited, message).retry_after(wait));
    }
    let id = unit.ids.uuid();
    store::count(&mut unit.tx, id, &subject, unit.now).await?;
    Ok(Issued { id: code.id, expires_at: code.expires_at })
}

/// Compares a guess with the live code of a user, whose address the code was sent to.
pub async fn check(
    unit: &mut Unit,
    rules: &Rules,
    user: UserId,
    purpose: Purpose,
    address: &str,
    guess: &str,
) -> Result<Verdict> {
    let Some(code) = store::locked(&mut unit.tx, user, purpose).await? else { return Ok(Verdict::Expired) };
    let subject = format!("try:{}:{user}", purpose.name());
    let tried = store::counted(&mut unit.tx, &subject, unit.now.plus(-HOUR)).await?;
    if tried.count >= TRIES_MAX {
        return Ok(Verdict::Locked(tried.free_at(unit.now)));
    }
    if !code.is_live(unit.now) {
        return Ok(Verdict::Expired);
    }
    if same(&rules.secret, &code.digits(&rules.secret, address)?, guess)? {
        store::used(&mut unit.tx, code.id, unit.now).await?;
        store::uncount(&mut unit.tx, &subject).await?;
        return Ok(Verdict::Right);
    }
    let id = unit.ids.uuid();
    store::count(&mut unit.tx, id, &subject, unit.now).await?;
    Ok(Verdict::Wrong(TRIES_MAX - tried.count - 1))
}

/// Compares without telling by its time how far two texts agree.
fn same(secret: &Secret, a: &str, b: &str) -> Result<bool> {
    Ok(seal(secret, "compare", &[a])? == seal(secret, "compare", &[b])?)
}

/// The digits of a code for the letter that shows it to this address; nothing once it is used, replaced or past its end.
pub async fn reveal(platform: &Platform, id: CodeId, address: &str) -> Result<Option<String>> {
    let found = store::by_id(&platform.db, id).await?.filter(|code| code.is_live(platform.clock.now()));
    found.map(|code| code.digits(&platform.secrets.refresh, address)).transpose()
}

/// What a person typed: digits, perhaps with spaces between them.
pub fn parse(typed: &str) -> Result<String> {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    if DIGITS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(digits);
    }
    Err(Error::new(Code::Invalid, "A code is made of digits; type those of the newest letter."))
}

/// The error behind a verdict, if it is not the right one.
pub fn settle(verdict: Verdict, now: Timestamp) -> Result<()> {
    match verdict {
        Verdict::Right => Ok(()),
        Verdict::Wrong(0) => Err(Error::new(Code::CodeWrong, "This code is wrong, and it was the last try for now.")),
        Verdict::Wrong(left) => {
            Err(Error::new(Code::CodeWrong, format!("This code is wrong. Tries that are left: {left}.")))
        }
        Verdict::Expired => Err(Error::new(Code::CodeExpired, "There is no live code; ask for a new one.")),
        Verdict::Locked(until) => {
            let message = format!("Too many wrong codes. Try again in {}.", minutes(until, now));
            Err(Error::new(Code::TooManyTries, message))
        }
    }
}

fn minutes(until: Timestamp, now: Timestamp) -> String {
    let minutes = (until.0 - now.0).max(1).unsigned_abs().div_ceil(MINUTE.unsigned_abs());
    if minutes == 1 { "a minute".to_owned() } else { format!("{minutes} minutes") }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::kernel::id::TypedId;

    fn stored(seed: &str, digits: i64) -> Stored {
        let now = Timestamp(0);
        Stored {
            id: CodeId::of(Uuid::nil()),
            user: UserId::of(Uuid::nil()),
            purpose: "VERIFY_EMAIL".to_owned(),
            seed: seed.to_owned(),
            digits,
            expires_at: now.plus(MINUTE),
            used_at: None,
        }
    }

    fn digits(seed: &str, secret: &str, address: &str) -> String {
        stored(seed, 8).digits(&Secret::new(secret), address).unwrap()
    }

    #[test]
    fn a_code_has_its_digits_and_depends_on_everything() {
        for width in 4..=8 {
            let code = stored("seed", width).digits(&Secret::new("secret"), "a@x.test").unwrap();
            assert!(code.len() == width as usize && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        }
        let code = digits("seed", "secret", "a@x.test");
        assert_eq!(code, digits("seed", "secret", "a@x.test"));
        let mut other = stored("seed", 8);
        other.purpose = "RESET".to_owned();
        let others = [
            digits("seeds", "secret", "a@x.test"),
            digits("seed", "secrets", "a@x.test"),
            digits("seed", "secret", "b@x.test"),
            other.digits(&Secret::new("secret"), "a@x.test").unwrap(),
        ];
        assert!(others.iter().all(|other| *other != code), "{code} {others:?}");
    }

    #[test]
    fn codes_are_spread_evenly() {
        let mut seen = [0_u32; 10];
        for seed in 0..4_000 {
            let code = stored(&seed.to_string(), 4).digits(&Secret::new("secret"), "a@x.test").unwrap();
            seen[usize::from(code.as_bytes()[0] - b'0')] += 1;
        }
        assert!(seen.iter().all(|count| (300..500).contains(count)), "{seen:?}");
    }

    #[test]
    fn digits_are_read_as_people_type_them() {
        assert_eq!(parse(" 04 27\n").unwrap(), "0427");
        for bad in ["", "123", "123456789", "12a4", "１２３４", "-123", "+1234"] {
            assert_eq!(parse(bad).unwrap_err().code, Code::Invalid, "{bad}");
        }
    }

    #[test]
    fn waits_are_told_in_minutes() {
        assert_eq!(minutes(Timestamp(1), Timestamp(0)), "a minute");
        assert_eq!(minutes(Timestamp(MINUTE + 1), Timestamp(0)), "2 minutes");
    }
}
