//! What a command holds in its hands: the transaction, the instant, and what will commit with it.

use uuid::Uuid;

use crate::kernel::id::{AuditId, TypedId};
use crate::kernel::{Actor, Caller, Ids, Role, Timestamp};
use crate::platform::bus::Note;
use crate::platform::db::{Query, Tx, Value, q};
use crate::platform::queue::NewTask;
use crate::platform::streams::Draft;

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
    pub(super) drafts: Vec<Draft>,
    pub(super) tasks: Vec<NewTask>,
    pub(super) notes: Vec<Note>,
    pub(super) later: Vec<Query>,
    audit: Vec<AuditRow>,
    acting_as: Option<Role>,
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
            caller,
            drafts: Vec::new(),
            tasks: Vec::new(),
            notes: Vec::new(),
            later: Vec::new(),
            audit: Vec::new(),
            acting_as: None,
        }
    }

    /// States a fact: it becomes an event in each stream of its audience.
    pub fn state(&mut self, draft: Draft) {
        self.drafts.push(draft);
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
        self.acting_as = Some(role);
    }

    /// Who the events will name.
    pub fn actor(&self) -> Actor {
        match self.caller.viewer {
            None => Actor::System,
            Some(viewer) => {
                let role = self.acting_as.or_else(|| viewer.roles.list().into_iter().next());
                Actor::User(viewer.user, role.unwrap_or(Role::Customer))
            }
        }
    }

    /// Runs a statement at the end, in one round trip with others. For rows that nothing in this unit reads.
    pub fn later(&mut self, statement: Query) {
        self.later.push(statement);
    }

    pub(super) fn audit_rows(&mut self) -> Option<Query> {
        if self.audit.is_empty() {
            return None;
        }
        let (actor_id, actor_role) = match self.actor() {
            Actor::User(user, role) => (Some(user), Some(role.name())),
            Actor::System => (None, None),
        };
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
