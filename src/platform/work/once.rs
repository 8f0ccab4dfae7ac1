//! Once and only once: a key that the client made, stored in the same transaction as the effect.
//!
//! Only effects are stored. A refusal rolls back and frees the key, so that it is judged again: a user who topped up may
//! simply repeat the request. While the first request still runs, others with the same key wait for it, 5 seconds at
//! most: on PostgreSQL in the database, on SQLite, which belongs to one process, in this one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokio::sync::OwnedMutexGuard;

use super::{Unit, Work};
use crate::kernel::id::UserId;
use crate::kernel::{Caller, Code, Error, Result, Timestamp, text};
use crate::platform::db::{Db, FromRow, Kind, On, Row, q};

/// The scope of a key: one viewer, one operation.
#[derive(Clone, Debug)]
pub struct Once {
    operation: &'static str,
    key: String,
}

impl Once {
    /// Checks a key that the client may leave out.
    pub fn optional(operation: &'static str, key: Option<&str>) -> Result<Option<Self>> {
        key.map(|key| Once::new(operation, key)).transpose()
    }

    /// Checks the client's key.
    pub fn new(operation: &'static str, key: &str) -> Result<Self> {
        let key = text::key(key).map_err(|error| error.at("idempotencyKey"))?;
        Ok(Once { operation, key })
    }
}

/// How long a request waits for another one with its key; as long as PostgreSQL's lock timeout.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Whose key it is, what for, and the key.
type Scope = (UserId, &'static str, String);

/// The keys that are being worked on in this process.
#[derive(Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<HashMap<Scope, Arc<tokio::sync::Mutex<()>>>>>);

impl InFlight {
    /// Waits until nobody else works on this key.
    async fn turn(&self, viewer: UserId, once: &Once) -> Result<OwnedMutexGuard<()>> {
        let turn = {
            let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Whoever works or waits holds a second handle.
            keys.retain(|_, turn| Arc::strong_count(turn) > 1);
            keys.entry((viewer, once.operation, once.key.clone())).or_default().clone()
        };
        tokio::time::timeout(WAIT_MAX, turn.lock_owned()).await.map_err(|_| in_flight())
    }
}

fn in_flight() -> Error {
    Error::new(Code::IdempotencyInFlight, "The same key is being worked on; ask again in a moment.")
        .at("idempotencyKey")
        .retry_after(1_000)
}

/// What a command did, now or the first time.
#[derive(Clone, Copy, Debug)]
pub struct Effect<T> {
    /// The ids of what it made or changed.
    pub value: T,
    /// Whether this answer repeats an earlier effect.
    pub replayed: bool,
}

struct Stored {
    input_hash: String,
    effect: String,
}

impl FromRow for Stored {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Stored { input_hash: row.get("input_hash")?, effect: row.get("effect")? })
    }
}

impl Stored {
    fn replay<T: DeserializeOwned>(self, hash: &str) -> Result<Effect<T>> {
        if self.input_hash != hash {
            let message = "This key was used with another input; make a new key for a new request.";
            return Err(Error::new(Code::IdempotencyMismatch, message).at("idempotencyKey"));
        }
        Ok(Effect { value: serde_json::from_str(&self.effect).map_err(Error::internal)?, replayed: true })
    }
}

impl Work {
    /// Like [`Work::run`], but a repetition with the same key gives the first effect instead of a second one.
    pub async fn once<I, T, F>(&self, caller: &Caller, once: Once, input: I, command: F) -> Result<Effect<T>>
    where
        I: Serialize + Send + Sync + 'static,
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
        F: for<'t> Fn(&'t mut Unit, &'t I) -> BoxFuture<'t, Result<T>> + Clone + Send + Sync + 'static,
    {
        let viewer = caller.viewer()?.user;
        let canonical = serde_json::to_vec(&input).map_err(Error::internal)?;
        let hash = text::hex(&Sha256::digest(canonical));
        // SQLite has one writer lane: a repetition must not queue for it behind everybody else.
        let turn = if self.db.is_postgres() { None } else { Some(self.in_flight.turn(viewer, &once).await?) };
        if turn.is_some()
            && let Some(stored) = find(&self.db, viewer, &once).await?
        {
            return stored.replay(&hash);
        }
        // The turn goes along: it ends with the work, even when the client hangs up before.
        self.run(caller, (once, hash, input, command, turn), move |unit, (once, hash, input, command, _)| {
            Box::pin(async move {
                if let Some(stored) = claim(unit, viewer, once, hash).await? {
                    return stored.replay(hash);
                }
                let value = command(unit, input).await?;
                keep(unit, viewer, once, &value)?;
                Ok(Effect { value, replayed: false })
            })
        })
        .await
    }

    /// Like [`Work::once`], for commands that leave it to the client whether there is a key.
    pub async fn once_if<I, T, F>(&self, caller: &Caller, once: Option<Once>, input: I, command: F) -> Result<Effect<T>>
    where
        I: Serialize + Send + Sync + 'static,
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
        F: for<'t> Fn(&'t mut Unit, &'t I) -> BoxFuture<'t, Result<T>> + Clone + Send + Sync + 'static,
    {
        match once {
            Some(once) => self.once(caller, once, input, command).await,
            None => self.run(caller, input, command).await.map(|value| Effect { value, replayed: false }),
        }
    }
}

/// Takes the key. On PostgreSQL this waits for a transaction that holds the same key, up to the lock timeout.
async fn claim(unit: &mut Unit, viewer: UserId, once: &Once, hash: &str) -> Result<Option<Stored>> {
    let taken = q("insert into idempotency (viewer_id, operation, key, input_hash, effect, created_at)
        values ($1, $2, $3, $4, '', $5) on conflict do nothing")
    .bind(viewer)
    .bind(once.operation)
    .bind(once.key.as_str())
    .bind(hash)
    .bind(unit.now)
    .execute(&mut unit.tx)
    .await
    .map_err(|error| match error.kind {
        Kind::LockTimeout => in_flight(),
        _ => error.into(),
    })?;
    if taken == 1 {
        return Ok(None);
    }
    let stored = find(&mut unit.tx, viewer, once).await?;
    stored.map(Some).ok_or_else(|| Error::new(Code::Contended, "The key was freed meanwhile."))
}

async fn find(on: impl Into<On<'_>>, viewer: UserId, once: &Once) -> Result<Option<Stored>> {
    q("select input_hash, effect from idempotency where viewer_id = $1 and operation = $2 and key = $3")
        .bind(viewer)
        .bind(once.operation)
        .bind(once.key.as_str())
        .optional(on)
        .await
}

fn keep(unit: &mut Unit, viewer: UserId, once: &Once, value: &impl Serialize) -> Result<()> {
    let statement = q("update idempotency set effect = $1 where viewer_id = $2 and operation = $3 and key = $4")
        .bind(serde_json::to_string(value).map_err(Error::internal)?)
        .bind(viewer)
        .bind(once.operation)
        .bind(once.key.as_str());
    unit.later(statement);
    Ok(())
}

/// Forgets some keys from before `then`, and says whether there may be more.
pub async fn forget_keys(db: &Db, then: Timestamp) -> Result<bool> {
    q("delete from idempotency where (viewer_id, operation, key) in
        (select viewer_id, operation, key from idempotency where created_at < $1 limit $2)")
    .bind(then)
    .forget(db)
    .await
}
