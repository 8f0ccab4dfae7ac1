//! Letters as rows: posted with their cause, and kept with what became of them.
//!
//! Address and facts stay only as long as the letter waits; a one-time code is never in the row. What remains says who
//! got which letter, when, after how many attempts, and under which reference.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::kernel::id::{CodeId, LetterId, TaskId, UserId};
use crate::kernel::{Caller, Error, Result, Timestamp};
use crate::platform::db::{Db, FromRow, Row, Tx, q};
use crate::platform::queue::{self, NewTask};
use crate::platform::work::{Unit, Work};

/// The task that delivers a letter.
pub const DELIVER: &str = "mail.deliver";

/// The payload of [`DELIVER`].
#[derive(Serialize, Deserialize)]
pub struct Deliver {
    /// Which letter.
    pub letter: LetterId,
}

/// A letter to be posted.
#[derive(Clone, Debug)]
pub struct Letter {
    template: &'static str,
    user: UserId,
    language: String,
    address: String,
    facts: Map<String, Value>,
    code: Option<CodeId>,
}

impl Letter {
    /// A letter to a user by the name of its template, in a language that [`super::Mail::language`] gave.
    pub fn new(template: &'static str, user: UserId, name: &str, address: &str, language: &str) -> Self {
        let facts = Map::from_iter([("name".to_owned(), name.into())]);
        Letter { template, user, language: language.to_owned(), address: address.to_owned(), facts, code: None }
    }

    /// Fills a placeholder.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// Shows a one-time code, which is looked up when the letter leaves.
    pub fn with_code(mut self, code: CodeId) -> Self {
        self.code = Some(code);
        self
    }
}

/// Posts a letter: it leaves when, and only when, this unit of work commits.
pub fn post(unit: &mut Unit, letter: Letter) -> Result<LetterId> {
    let id: LetterId = unit.ids.new_id();
    let facts = serde_json::to_string(&letter.facts).map_err(Error::internal)?;
    let statement = q("insert into letters
        (id, user_id, template, language, address, facts, code_id, status, attempts, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, 'PENDING', 0, $8, $8)")
    .bind(id)
    .bind(letter.user)
    .bind(letter.template)
    .bind(letter.language)
    .bind(letter.address)
    .bind(facts)
    .bind(letter.code)
    .bind(unit.now);
    unit.later(statement);
    unit.enqueue(NewTask::new(DELIVER, &Deliver { letter: id }, unit.now)?);
    Ok(id)
}

/// A letter that has not left yet.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its id.
    pub id: LetterId,
    /// The name of its template.
    pub template: String,
    /// The language.
    pub language: String,
    /// Where it goes.
    pub address: String,
    /// What fills its placeholders.
    pub facts: Map<String, Value>,
    /// The code that it shows.
    pub code: Option<CodeId>,
    /// When it was posted: the date of the letter at each attempt.
    pub created_at: Timestamp,
}

impl FromRow for Waiting {
    fn from_row(row: &Row) -> Result<Self> {
        let facts: String = row.get("facts")?;
        Ok(Waiting {
            id: row.get("id")?,
            template: row.get("template")?,
            language: row.get("language")?,
            address: row.get("address")?,
            facts: serde_json::from_str(&facts).map_err(Error::internal)?,
            code: row.get("code_id")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// A letter, as long as it waits.
pub async fn waiting(db: &Db, id: LetterId) -> Result<Option<Waiting>> {
    q("select id, template, language, address, facts, code_id, created_at from letters
        where id = $1 and status = 'PENDING'")
    .bind(id)
    .optional(db)
    .await
}

/// How a letter ended.
#[derive(Clone, Debug)]
pub enum End {
    /// Somebody took it, perhaps under a reference.
    Sent(Option<String>),
    /// It will not leave, for this reason.
    Failed(String),
}

/// Ends a letter together with its task, so that it is not sent again.
pub async fn end(work: &Work, caller: &Caller, task: TaskId, attempts: i64, id: LetterId, end: End) -> Result<()> {
    work.run(caller, (task, attempts, id, end), |unit, (task, attempts, id, end)| {
        Box::pin(async move {
            queue::finish(&mut unit.tx, *task, unit.now).await?;
            finish(&mut unit.tx, *id, *attempts, end, unit.now).await
        })
    })
    .await
}

async fn finish(tx: &mut Tx, id: LetterId, attempts: i64, end: &End, now: Timestamp) -> Result<()> {
    let (status, reference, error) = match end {
        End::Sent(reference) => ("SENT", reference.as_deref(), None),
        End::Failed(reason) => ("FAILED", None, Some(reason.as_str())),
    };
    q("update letters set status = $2, attempts = $3, reference = $4, last_error = $5, updated_at = $6, ended_at = $6,
        address = null, facts = null where id = $1 and status = 'PENDING'")
    .bind(id)
    .bind(status)
    .bind(attempts)
    .bind(reference)
    .bind(error)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes an attempt that was in vain; the letter goes on waiting.
pub async fn postpone(db: &Db, id: LetterId, attempts: i64, reason: &str, now: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    q("update letters set attempts = $2, last_error = $3, updated_at = $4 where id = $1 and status = 'PENDING'")
        .bind(id)
        .bind(attempts)
        .bind(reason)
        .bind(now)
        .execute(&mut tx)
        .await?;
    Ok(tx.commit().await?)
}

/// How many letters were given up since an instant.
pub async fn failed_since(tx: &mut Tx, since: Timestamp) -> Result<i64> {
    q("select count(*) as n from letters where status = 'FAILED' and ended_at >= $1").bind(since).one(tx).await
}
