//! What a command holds in its hands: the transaction, the instant, and what will commit with it.

use uuid::Uuid;

use crate::kernel::id::{AuditId, TypedId};
use crate::kernel::{Actor, Caller, Ids, Role, Timestamp};
use crate::platform::bus::Note;
use crate::platform::db::{Query, Tx, Value, q};
use crate::platform::queue::NewTask;
use crate::platform::streams::{AUDIENCE_MAX, Author, Draft, Stated};

/// An open unit of work.
pub struct Unit {
    /// The transaction. Nothing else may touch the database here.
    pub tx: Tx,
    /// The instant of the whole unit.
    pub now: Timestamp,
    /// Makes ids.
    pub ids: Ids,
    /// Who asks.
    pub caller: Caller,
    pub(super) stated: Vec<Stated>,
    pub(super) tasks: Vec<NewTask>,
    pub(super) notes: Vec<Note>,
    later: Vec<Query>,
    rows: Vec<Rows>,
    audit: Vec<AuditRow>,
    author: Author,
    speakers: usize,
}

/// Rows of one statement, each with what it is told apart by.
struct Rows {
    statement: &'static str,
    rows: Vec<([Uuid; 2], Vec<Value>)>,
}

impl Rows {
    /// A row with the key of an earlier one takes its place.
    fn put(&mut self, key: [Uuid; 2], row: Vec<Value>) {
        self.rows.retain(|(known, _)| *known != key);
        self.rows.push((key, row));
    }
}

/// A line of the audit log.
#[derive(Clone, Debug)]
pub struct AuditRow {
    action: &'static str,
    entity_type: &'static str,
    entity_id: Uuid,
    reason: Option<String>,
    metadata: serde_json::Value,
}

impl AuditRow {
    /// Something was done to an object.
    pub fn new<T: TypedId>(action: &'static str, entity: T) -> Self {
        AuditRow {
            action,
            entity_type: T::PREFIX,
            entity_id: entity.uuid(),
            reason: None,
            metadata: serde_json::Value::Object(serde_json::Map::new()),
        }
    }

    /// Why.
    pub fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// Amounts, before and after.
    pub fn with(mut self, metadata: serde_json::Value) -> Self {
        self.metadata = metadata;
        self
    }
}

impl Unit {
    pub(super) fn new(tx: Tx, now: Timestamp, ids: Ids, caller: Caller) -> Self {
        Unit {
            tx,
            now,
            ids,
            author: author(&caller),
            caller,
            stated: Vec::new(),
            tasks: Vec::new(),
            notes: Vec::new(),
            later: Vec::new(),
            rows: Vec::new(),
            audit: Vec::new(),
            speakers: 1,
        }
    }

    /// States a fact: it becomes an event in each stream of its audience, and names who acts right now.
    pub fn state(&mut self, draft: Draft) {
        self.stated.push(Stated { author: self.author.clone(), draft });
    }

    /// States a fact without saying who acts, nor in which request, which a client may have named: for an audience that must
    /// not learn it.
    pub fn state_unnamed(&mut self, draft: Draft) {
        let author = Author { actor: Actor::System, request_id: self.ids.uuid().simple().to_string().into() };
        self.stated.push(Stated { author, draft });
    }

    /// Asks for background work.
    pub fn enqueue(&mut self, task: NewTask) {
        self.tasks.push(task);
    }

    /// Sends a note over the bus after the commit.
    pub fn tell(&mut self, note: Note) {
        self.notes.push(note);
    }

    /// Writes a line into the audit log.
    pub fn audit(&mut self, row: AuditRow) {
        self.audit.push(row);
    }

    /// Says in which of its roles the viewer acts.
    pub fn act_as(&mut self, role: Role) {
        if let Actor::User(user, _) = self.author.actor {
            self.author.actor = Actor::User(user, role);
        }
    }

    /// Goes on for another caller, in a unit that serves several.
    pub fn speak_for(&mut self, caller: &Caller) {
        self.caller = caller.clone();
        self.author = author(caller);
        self.speakers += 1;
    }

    /// Goes on for whoever stated a fact, since what follows from it is told in the same name.
    pub(super) fn speak_as(&mut self, author: Author) -> Author {
        std::mem::replace(&mut self.author, author)
    }

    /// Who the events will name.
    pub const fn actor(&self) -> Actor {
        self.author.actor
    }

    /// Streams that may be written to.
    pub(super) const fn streams_max(&self) -> usize {
        AUDIENCE_MAX * self.speakers
    }

    /// Runs a statement at the end, in one round trip with others. For rows that nothing in this unit reads.
    pub fn later(&mut self, statement: Query) {
        self.later.push(statement);
    }

    /// The same for one row of a statement with `values {rows}`: it runs once for all its rows. Of two rows with one key
    /// the later one counts.
    pub fn later_row(&mut self, statement: &'static str, key: [Uuid; 2], row: Vec<Value>) {
        match self.rows.iter_mut().find(|rows| rows.statement == statement) {
            Some(rows) => rows.put(key, row),
            None => self.rows.push(Rows { statement, rows: vec![(key, row)] }),
        }
    }

    /// All statements that were left for the end.
    pub(super) fn last(&mut self) -> Vec<Query> {
        let mut last = std::mem::take(&mut self.later);
        for Rows { statement, rows } in std::mem::take(&mut self.rows) {
            last.push(q(statement).rows(rows.into_iter().map(|(_, row)| row).collect()));
        }
        last.extend(self.audit_rows());
        last
    }

    fn audit_rows(&mut self) -> Option<Query> {
        if self.audit.is_empty() {
            return None;
        }
        let (actor_id, actor_role) = self.actor().parts();
        let ip = self.caller.ip.map(|ip| ip.to_string());
        let mut rows: Vec<Vec<Value>> = Vec::with_capacity(self.audit.len());
        for line in std::mem::take(&mut self.audit) {
            let id: AuditId = self.ids.new_id();
            rows.push(vec![
                id.into(),
                actor_id.into(),
                actor_role.into(),
                line.action.into(),
                line.entity_type.into(),
                line.entity_id.into(),
                line.reason.into(),
                line.metadata.to_string().into(),
                ip.as_deref().into(),
                (&*self.caller.request_id).into(),
                self.now.into(),
            ]);
        }
        let statement = "insert into audit (id, actor_id, actor_role, action, entity_type, entity_id, reason, metadata,
            ip, request_id, created_at) values {rows}";
        Some(q(statement).rows(rows))
    }
}

/// Who speaks when a caller does, as long as no role was chosen.
fn author(caller: &Caller) -> Author {
    let actor = caller.viewer.map_or(Actor::System, |viewer| {
        let role = viewer.roles.list().into_iter().next();
        Actor::User(viewer.user, role.unwrap_or(Role::Customer))
    });
    Author { actor, request_id: caller.request_id.clone() }
}
