//! Events as they are stated and as they are stored.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Place;
use crate::kernel::id::{EventId, TypedId, UserId};
use crate::kernel::{Actor, Error, Result, Role, Timestamp, Viewer};
use crate::platform::db::{FromRow, Row};

/// The name of a stream. Cheap to copy around.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName(Arc<str>);

impl StreamName {
    /// Everything that happens to one user.
    pub fn user(id: UserId) -> Self {
        StreamName(format!("user:{}", id.uuid().simple()).into())
    }

    /// Whose stream it is; nobody's if it is a topic.
    pub fn owner(&self) -> Option<UserId> {
        let id = self.0.strip_prefix("user:")?;
        Uuid::try_parse(id).ok().map(UserId::of)
    }

    /// What is told to everyone.
    pub fn announcements() -> Self {
        StreamName("topic:announcements".into())
    }

    /// What staff hear of. Who of them may hear of an event is decided when it is delivered.
    pub fn staff() -> Self {
        StreamName("topic:staff".into())
    }

    /// Everything that a viewer hears of.
    pub fn heard_by(viewer: &Viewer) -> Vec<Self> {
        let topic = viewer.roles.is_staff().then(StreamName::staff);
        [StreamName::user(viewer.user), StreamName::announcements()].into_iter().chain(topic).collect()
    }

    /// Whether it is read by many, rather than the stream of one user.
    pub fn is_topic(&self) -> bool {
        self.0.starts_with("topic:")
    }

    /// A name that was stored or came over the bus.
    pub fn from_text(text: impl Into<Arc<str>>) -> Self {
        StreamName(text.into())
    }

    /// The stored form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The stored form, shared.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }
}

/// A fact that a command states. It becomes one [`Event`] in each stream of its audience.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Who gets it: at most [`super::AUDIENCE_MAX`] streams in one transaction.
    pub audience: Vec<StreamName>,
    /// Which subscription shows it, such as `booking`.
    pub noun: &'static str,
    /// Its type in the API, such as `BookingCreated`.
    pub kind: &'static str,
    /// The object that it is about, loaded anew at delivery.
    pub object: Uuid,
    /// What subscriptions filter by, such as the conversation of a message. Mostly the object itself.
    pub subject: Uuid,
    /// The object's version after the change.
    pub version: i64,
    /// Small facts that cannot be loaded later: from, to, counters. Never free text.
    pub facts: String,
}

impl Draft {
    /// A fact about an object that is its own subject.
    pub fn new(noun: &'static str, kind: &'static str, object: impl TypedId, version: i64) -> Self {
        Draft {
            audience: Vec::new(),
            noun,
            kind,
            object: object.uuid(),
            subject: object.uuid(),
            version,
            facts: "{}".to_owned(),
        }
    }

    /// Sends it to these users.
    pub fn to(mut self, users: impl IntoIterator<Item = UserId>) -> Self {
        self.audience.extend(users.into_iter().map(StreamName::user));
        self
    }

    /// Sends it to a topic.
    pub fn to_topic(mut self, topic: StreamName) -> Self {
        self.audience.push(topic);
        self
    }

    /// Names what subscriptions filter by.
    pub fn about(mut self, subject: impl TypedId) -> Self {
        self.subject = subject.uuid();
        self
    }

    /// Adds the small facts.
    pub fn facts(mut self, facts: &impl Serialize) -> Result<Self> {
        self.facts = serde_json::to_string(facts).map_err(Error::internal)?;
        Ok(self)
    }

    /// The small facts in the shape that the command gave them, for projections.
    pub fn read_facts<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.facts).map_err(Error::internal)
    }
}

/// Who says something: events name it.
#[derive(Clone, Debug)]
pub struct Author {
    /// The user in one of its roles, or the program itself.
    pub actor: Actor,
    /// The request that it said it in.
    pub request_id: Arc<str>,
}

/// A fact, and who stated it.
#[derive(Clone, Debug)]
pub struct Stated {
    /// Who.
    pub author: Author,
    /// What.
    pub draft: Draft,
}

/// The small facts of an object that took a step in its life: the names of two of its states.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Where it stood.
    pub from: String,
    /// Where it stands.
    pub to: String,
}

impl Step {
    /// From one state to another.
    pub fn new(from: &str, to: &str) -> Self {
        Step { from: from.to_owned(), to: to.to_owned() }
    }
}

/// A committed fact in one stream.
#[derive(Clone, Debug)]
pub struct Event {
    /// The stream that holds it.
    pub stream: StreamName,
    /// Its number there, from 1, without gaps.
    pub seq: i64,
    /// The fact's id: the same in every stream that got it.
    pub id: EventId,
    /// Which subscription shows it.
    pub noun: String,
    /// Its type in the API.
    pub kind: String,
    /// The object that it is about.
    pub object: Uuid,
    /// What subscriptions filter by.
    pub subject: Uuid,
    /// The object's version after the change.
    pub version: i64,
    /// The small facts, as JSON.
    pub facts: String,
    /// Who caused it.
    pub actor: Actor,
    /// The request that caused it.
    pub request_id: String,
    /// When.
    pub occurred_at: Timestamp,
}

impl Event {
    /// The object's id in its kind.
    pub fn object_id<T: TypedId>(&self) -> T {
        T::of(self.object)
    }

    /// The small facts in the shape that the command gave them.
    pub fn read_facts<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.facts).map_err(Error::internal)
    }

    /// The place of whoever has seen it.
    pub fn place(&self) -> Place {
        Place { seq: self.seq, mark: self.mark() }
    }

    /// The 8 bytes of the id that a cursor carries: the random end, since the start is only the time.
    pub fn mark(&self) -> u64 {
        self.id.uuid().as_u64_pair().1
    }
}

impl FromRow for Event {
    fn from_row(row: &Row) -> Result<Self> {
        let actor = match row.get::<Option<UserId>>("actor_id")? {
            Some(user) => Actor::User(user, row.parsed("actor_role", role)?),
            None => Actor::System,
        };
        Ok(Event {
            stream: StreamName::from_text(row.get::<String>("stream")?),
            seq: row.get("seq")?,
            id: row.get("id")?,
            noun: row.get("noun")?,
            kind: row.get("kind")?,
            object: row.get("object_id")?,
            subject: row.get("subject_id")?,
            version: row.get("version")?,
            facts: row.get("facts")?,
            actor,
            request_id: row.get("request_id")?,
            occurred_at: row.get("occurred_at")?,
        })
    }
}

fn role(name: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.name() == name)
}
