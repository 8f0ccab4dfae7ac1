//! Connections, and those that stay at hand between two uses.
//!
//! The pool asks a connection that comes back whether it still lives: a second round trip for every read and every
//! transaction. After one that ended well the answer is known, so such a connection stays here for the next one, and goes
//! back to the pool only from time to time, when somebody waits there, or in doubt.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{FutureExt, TryFutureExt, TryStreamExt};
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::{Database, Executor, IntoArguments, Pool};

use super::{DbError, Kind};

/// How long a connection stays out of the pool, which looks after its age.
const OUT_AT_MOST: Duration = Duration::from_secs(60);

/// A pool with the connections that are at hand.
#[derive(Debug)]
pub(crate) struct Leases<DB: Database> {
    pool: Pool<DB>,
    at_hand: Arc<Mutex<AtHand<DB>>>,
    /// How long an answer may take, where the database does not see to that itself.
    patience: Option<Duration>,
}

#[derive(Debug)]
struct AtHand<DB: Database> {
    free: VecDeque<Lease<DB>>,
    /// Those who ask the pool. What comes back meanwhile is theirs.
    waiting: usize,
    is_closed: bool,
}

impl<DB: Database> Clone for Leases<DB> {
    fn clone(&self) -> Self {
        Leases { pool: self.pool.clone(), at_hand: self.at_hand.clone(), patience: self.patience }
    }
}

impl<DB: Database> Leases<DB> {
    /// Connections of this pool.
    pub(super) fn new(pool: Pool<DB>, patience: Option<Duration>) -> Self {
        let at_hand = AtHand { free: VecDeque::new(), waiting: 0, is_closed: false };
        Leases { pool, at_hand: Arc::new(Mutex::new(at_hand)), patience }
    }

    /// The same ones with less patience.
    pub(super) fn answering_within(self, patience: Duration) -> Self {
        Leases { patience: Some(patience), ..self }
    }

    /// The pool itself, for what is done once.
    pub(super) const fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// A connection.
    pub(super) async fn take(&self) -> Result<Lease<DB>, DbError> {
        let waiting = {
            let mut at_hand = self.at_hand();
            if let Some(lease) = at_hand.free.pop_back() {
                return Ok(lease);
            }
            at_hand.waiting += 1;
            Waiting(self)
        };
        // In a box: it is seldom asked, but its future takes eight kilobytes, and would in every future around it.
        let connection = self.hear(Box::pin(self.pool.acquire())).await?;
        drop(waiting);
        Ok(Lease { connection, since: Instant::now(), is_sane: true })
    }

    /// Takes a connection back after the first answer that it gave, and gives that answer. If it was broken when it was
    /// taken, most likely those beside it are.
    fn end<T>(&self, mut lease: Lease<DB>, answer: Result<T, DbError>) -> Result<T, DbError> {
        match answer.as_ref().map_err(|error| error.kind) {
            Ok(_) => self.keep(lease),
            Err(Kind::Away) => self.distrust(),
            Err(Kind::Silent) => lease.is_sane = false,
            Err(_) => {}
        }
        answer
    }

    /// An answer, unless there is none for too long.
    fn hear<T>(
        &self,
        answer: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> impl Future<Output = Result<T, DbError>> {
        let Some(patience) = self.patience else { return answer.err_into().left_future() };
        let silent = move |_| DbError { kind: Kind::Silent, message: format!("no answer within {patience:?}") };
        tokio::time::timeout(patience, answer).map(move |heard| Ok(heard.map_err(silent)??)).right_future()
    }

    /// Takes a connection for one statement, and gives all its rows.
    pub(super) async fn once<A: IntoArguments<DB>>(&self, query: Query<'_, DB, A>) -> Result<Vec<DB::Row>, DbError>
    where
        for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    {
        let mut lease = self.take().await?;
        let rows = self.hear(query.fetch_all(&mut *lease.connection)).await;
        self.end(lease, rows)
    }

    /// Opens a transaction.
    pub(super) async fn begin(&self, statement: &'static str) -> Result<Open<DB>, DbError>
    where
        for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    {
        let mut lease = self.take().await?;
        // Given up in the middle, nobody would know whether it is open.
        lease.is_sane = false;
        let begun = self.hear(say(&mut lease.connection, statement)).await;
        lease.is_sane = true;
        match begun {
            Ok(()) => Ok(Open { lease: Some(lease), leases: self.clone() }),
            Err(error) => self.end(lease, Err(error)),
        }
    }

    /// Closes what is at hand, and keeps nothing from now on.
    pub(super) async fn close(&self) {
        let free = {
            let mut at_hand = self.at_hand();
            at_hand.is_closed = true;
            std::mem::take(&mut at_hand.free)
        };
        drop(free);
        self.pool.close().await;
    }

    /// Keeps a connection at hand, unless somebody waits for one or it is out for long. The one that was not used for longest
    /// goes back if it is out for long as well.
    fn keep(&self, lease: Lease<DB>) {
        let mut at_hand = self.at_hand();
        let mut back = Vec::new();
        if at_hand.free.front().is_some_and(Lease::is_old) {
            back.extend(at_hand.free.pop_front());
        }
        if at_hand.waiting > 0 || at_hand.is_closed || lease.is_old() {
            back.push(lease);
        } else {
            at_hand.free.push_back(lease);
        }
        drop(at_hand);
    }

    /// One connection broke: most likely all did.
    fn distrust(&self) {
        let free = std::mem::take(&mut self.at_hand().free);
        free.into_iter().for_each(|mut lease| lease.is_sane = false);
    }

    fn at_hand(&self) -> MutexGuard<'_, AtHand<DB>> {
        self.at_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts somebody who asks the pool, for as long as they do.
struct Waiting<'a, DB: Database>(&'a Leases<DB>);

impl<DB: Database> Drop for Waiting<'_, DB> {
    fn drop(&mut self) {
        self.0.at_hand().waiting -= 1;
    }
}

/// A connection out of the pool. Dropped, it goes back there, where it must answer first.
#[derive(Debug)]
pub(crate) struct Lease<DB: Database> {
    connection: PoolConnection<DB>,
    since: Instant,
    /// Otherwise it is closed, and makes room for another one.
    is_sane: bool,
}

impl<DB: Database> Lease<DB> {
    fn is_old(&self) -> bool {
        self.since.elapsed() > OUT_AT_MOST
    }
}

impl<DB: Database> Drop for Lease<DB> {
    fn drop(&mut self) {
        if !self.is_sane {
            self.connection.close_on_drop();
        }
    }
}

impl<DB: Database> Deref for Lease<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        &self.connection
    }
}

impl<DB: Database> DerefMut for Lease<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        &mut self.connection
    }
}

/// Runs a statement without values or rows. One that says nothing did not run to its end.
async fn say<'c, DB: Database>(connection: &'c mut DB::Connection, statement: &'static str) -> Result<(), sqlx::Error>
where
    &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let mut said = connection.fetch_many(statement);
    let mut outcome = Err(sqlx::Error::WorkerCrashed);
    while said.try_next().await?.is_some() {
        outcome = Ok(());
    }
    outcome
}

/// An open transaction. Dropped, it rolls back as soon as the statement under way has ended.
#[derive(Debug)]
pub(crate) struct Open<DB: Database>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    lease: Option<Lease<DB>>,
    leases: Leases<DB>,
}

impl<DB: Database> Open<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// The connection inside.
    pub(super) fn connection(&mut self) -> Result<&mut DB::Connection, DbError> {
        let over = || DbError { kind: Kind::Other, message: "the transaction is over".to_owned() };
        Ok(&mut *self.lease.as_mut().ok_or_else(over)?.connection)
    }

    /// Ends it with `COMMIT` or `ROLLBACK`.
    pub(super) async fn end(mut self, statement: &'static str) -> Result<(), DbError> {
        match self.lease.take() {
            Some(lease) => lease.finish(&self.leases, statement).await,
            None => Ok(()),
        }
    }
}

impl<DB: Database> Drop for Open<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            let leases = self.leases.clone();
            tokio::spawn(async move { lease.finish(&leases, "ROLLBACK").await });
        }
    }
}

impl<DB: Database> Lease<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    async fn finish(mut self, leases: &Leases<DB>, statement: &'static str) -> Result<(), DbError> {
        // Unless that is heard, the transaction may be open still.
        self.is_sane = false;
        leases.hear(say(&mut self.connection, statement)).await?;
        self.is_sane = true;
        leases.keep(self);
        Ok(())
    }
}
