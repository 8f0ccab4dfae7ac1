//! Ids: UUIDv7 inside, TypeID outside (`job_01h455vb4pex5vsknk084sn02q`), one Rust type per kind.
//!
//! A new kind is one line in the list at the end of this file. A wrong kind cannot be parsed: a booking's id is no job's.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::{Clock, Code, Error};

/// The alphabet of Crockford's base32 in lower case, as the TypeID specification wants it.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 128 bits in groups of five.
const SUFFIX_LENGTH: usize = 26;

/// Fills a buffer with random bytes that nobody can guess.
pub type Entropy = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Makes new ids from the clock and entropy that it was given.
#[derive(Clone)]
pub struct Ids {
    clock: Clock,
    entropy: Entropy,
}

impl Ids {
    /// Ids that are as young as `clock` says and as random as `entropy` is.
    pub fn new(clock: Clock, entropy: Entropy) -> Self {
        Ids { clock, entropy }
    }

    /// A new UUIDv7: 48 bits of milliseconds, then random bits, so that ids sort by age.
    pub fn uuid(&self) -> Uuid {
        let millis = u64::try_from(self.clock.now().0).unwrap_or(0);
        let random: [u8; 10] = self.bytes();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    /// A new id of one kind.
    pub fn new_id<T: TypedId>(&self) -> T {
        T::of(self.uuid())
    }

    /// Random bytes for secrets.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.entropy)(&mut bytes);
        bytes
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}

/// An id of one kind.
pub trait TypedId: Copy + Send + Sync + 'static {
    /// The word before the underscore.
    const PREFIX: &'static str;
    /// Gives a UUID this kind.
    fn of(uuid: Uuid) -> Self;
    /// The bare UUID, as tables store it.
    fn uuid(self) -> Uuid;
}

/// Shows a UUID with a kind.
pub fn encode(prefix: &str, uuid: Uuid) -> String {
    let mut rest = uuid.as_u128();
    let mut suffix = [0u8; SUFFIX_LENGTH];
    for place in suffix.iter_mut().rev() {
        *place = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    let mut text = String::with_capacity(prefix.len() + 1 + SUFFIX_LENGTH);
    text.push_str(prefix);
    text.push('_');
    text.extend(suffix.iter().map(|byte| char::from(*byte)));
    text
}

/// Takes an id apart into its kind and its UUID.
pub fn decode(text: &str) -> Option<(&str, Uuid)> {
    let (prefix, suffix) = text.rsplit_once('_')?;
    // 26 characters hold 130 bits: the first may only use three of its five.
    if suffix.len() != SUFFIX_LENGTH || suffix.as_bytes()[0] > b'7' {
        return None;
    }
    let mut value: u128 = 0;
    for byte in suffix.bytes() {
        let digit = ALPHABET.iter().position(|letter| *letter == byte)?;
        value = (value << 5) | digit as u128;
    }
    Some((prefix, Uuid::from_u128(value)))
}

/// Reads an id of one kind; another kind or a malformed text is `BAD_USER_INPUT`.
pub fn parse<T: TypedId>(text: &str) -> Result<T, Error> {
    match decode(text) {
        Some((prefix, uuid)) if prefix == T::PREFIX => Ok(T::of(uuid)),
        _ => Err(Error::new(
            Code::BadUserInput,
            format!("This is no id of this kind: expected `{}_` and 26 characters.", T::PREFIX),
        )),
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl TypedId for $name {
            const PREFIX: &'static str = $prefix;
            fn of(uuid: Uuid) -> Self {
                $name(uuid)
            }
            fn uuid(self) -> Uuid {
                self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&encode($prefix, self.0))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> {
                parse(text)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A person's login.
    UserId = "user";
    /// A sign-in on one device.
    SessionId = "session";
    /// A customer's demand for work.
    JobId = "job";
    /// A price for a job.
    OfferId = "offer";
    /// The contract that an accepted offer becomes.
    BookingId = "booking";
    /// New terms for a booking that one of its parties proposes.
    ChangeId = "change";
    /// A disagreement of a booking's two parties.
    DisputeId = "dispute";
    /// The chat of two people about one thing.
    ConversationId = "conversation";
    /// One line of a chat.
    MessageId = "message";
    /// Money on its way in through a provider.
    PaymentId = "payment";
    /// One account of the ledger.
    PurseId = "purse";
    /// One row of the ledger.
    TransferId = "transfer";
    /// A proof of the ledger.
    ProofId = "proof";
    /// A time in which nothing is paid out.
    FreezeId = "freeze";
    /// The transfers that belong to one cause.
    TransactionId = "transaction";
    /// A committed fact.
    EventId = "event";
    /// What a contractor made with one booking.
    EarningId = "earning";
    /// Something that staff must hear of.
    AlertId = "alert";
    /// Something told to everyone.
    AnnouncementId = "announcement";
    /// What one party of a booking says of the other.
    ReviewId = "review";
    /// Something that a person is told in the app.
    NotificationId = "notification";
    /// The way of a file into the store.
    UploadId = "upload";
    /// What an upload became.
    FileId = "file";
    /// A letter to a user, by mail.
    LetterId = "letter";
    /// A one-time code.
    CodeId = "code";
    /// A unit of background work.
    TaskId = "task";
    /// A line of the audit log.
    AuditId = "audit";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_of_typeid_reads_and_writes() {
        let uuid = Uuid::parse_str("01890a5d-ac96-774b-bcce-b302099a8057").unwrap();
        assert_eq!(encode("prefix", uuid), "prefix_01h455vb4pex5vsknk084sn02q");
        assert_eq!(decode("prefix_01h455vb4pex5vsknk084sn02q"), Some(("prefix", uuid)));
    }

    #[test]
    fn another_kind_or_a_malformed_text_is_refused() {
        let id = encode("job", Uuid::from_u128(7));
        assert!(id.parse::<JobId>().is_ok());
        assert_eq!(id.parse::<BookingId>().unwrap_err().code, Code::BadUserInput);
        for bad in ["", "job", "job_", "job_8zzzzzzzzzzzzzzzzzzzzzzzzz", "job_0000000000000000000000000u", "job_ü"] {
            assert!(bad.parse::<JobId>().is_err(), "{bad}");
        }
    }
}
