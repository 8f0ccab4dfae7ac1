//! Coming back: a socket resumes a stream a few events before its end, however long the stream is.

use std::time::Instant;

use load::Outcome;
use load::socket::{GraphqlSocket, Line};
use serde_json::{Value, json};

use crate::data::type_id;
use crate::ground::{Ground, Kind, Running};
use crate::meter::{Measure, Meter};

/// Events between the cursor and the end of the stream.
const MISSED: i64 = 10;
/// Resumptions before anything is measured.
const WARM: usize = 50;
const CURSOR: &str = "{ viewer { streamCursor } }";
const SEND: &str = "mutation ($input: MessageSendInput!) { messageSend(input: $input) { userErrors { message } } }";
const RESUME: &str = "subscription ($after: String) { conversationChanged(after: $after) { __typename cursor
    ... on MessageCreated { message { number content } } } }";

/// A stream of `events` events is resumed `count` times.
pub async fn run(ground: &Ground, events: usize, count: usize) -> Outcome<Measure> {
    let running = ground.start(Kind::Gigwire).await?;
    let talk = ground.world.talks[0];
    let [reader, writer] = talk.people.map(|number| &ground.world.people[number]);
    lengthen(&running, reader.user, events).await?;
    let token = reader.token()?;
    let data = running.first().http.ask(Some(&token), CURSOR, json!({})).await?;
    let cursor = data["viewer"]["streamCursor"].clone();
    for number in 0..MISSED {
        let input = json!({ "conversationId": type_id("conversation", talk.id), "content": number.to_string() });
        running.first().http.ask(Some(&writer.token()?), SEND, json!({ "input": input })).await?;
    }
    for _ in 0..WARM {
        resume(&running, &token, &cursor).await?;
    }
    let meter = Meter::begin(ground, &running).await?;
    let mut millis = Vec::with_capacity(count);
    for _ in 0..count {
        let begun = Instant::now();
        resume(&running, &token, &cursor).await?;
        millis.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let measure = meter.end("resume", "resumptions", count, &mut millis).await?.of_size(events);
    ground.end(running).await?;
    Ok(measure)
}

/// Makes a person's stream as long as if that much had happened.
async fn lengthen(running: &Running, user: uuid::Uuid, events: usize) -> Outcome<()> {
    let stream = format!("user:{}", user.simple());
    let sql = "with pushed as (
            insert into streams (name, head) values ($1, $2)
            on conflict (name) do update set head = streams.head + excluded.head returning head)
        insert into events (stream, seq, id, noun, kind, object_id, subject_id, version, facts, request_id, occurred_at)
        select $1, head - $2 + n, bench.id(at, 'event' || n), 'profile', 'ProfileUpdated', $3, $3, n, '{}', 'bench', at
        from pushed, generate_series(1, $2) as n, lateral (select (extract(epoch from now()) * 1000)::bigint as at) as time";
    sqlx::query(sql).bind(stream).bind(i64::try_from(events)?).bind(user).execute(&running.db).await?;
    Ok(())
}

/// Connects, goes on behind the cursor, and hears what was missed.
async fn resume(running: &Running, token: &str, cursor: &Value) -> Outcome<()> {
    let payload = json!({ "authorization": format!("Bearer {token}") });
    let mut socket = GraphqlSocket::open(running.target(0), Line::default(), payload).await?;
    socket.subscribe("s", RESUME, json!({ "after": cursor })).await?;
    let mut heard = 0;
    while heard < MISSED {
        let item = socket.data().await?["conversationChanged"].take();
        match item["__typename"].as_str() {
            Some("MessageCreated") => heard += 1,
            Some("StreamResumed") => {}
            _ => return Err(format!("not resumed but {item}").into()),
        }
    }
    Ok(())
}
