//! Memory of sockets that wait.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Plan;
use crate::stage::{AT_ONCE, NOTIFICATIONS, Stage, settled};
use load::Outcome;
use load::http::Person;
use load::program::Program;
use load::report::{Report, bytes, each};
use load::socket::GraphqlSocket;

/// Sockets that come and go first, so that what is made once is there.
const WARM: usize = 100;
/// Bytes of an idle signed-in socket with one subscription at most.
const GOAL: i64 = 5_000;
/// What a busy page of a front end has open.
const TEN: [&str; 10] = [
    "subscription { notificationReceived { __typename id cursor } }",
    "subscription { conversationChanged { __typename id cursor } }",
    "subscription { bookingChanged { __typename id cursor } }",
    "subscription { offerChanged { __typename id cursor } }",
    "subscription { jobChanged { __typename id cursor } }",
    "subscription { walletChanged { __typename id cursor } }",
    "subscription { earningChanged { __typename id cursor } }",
    "subscription { reviewChanged { __typename id cursor } }",
    "subscription { disputeChanged { __typename id cursor } }",
    "subscription { announcementPublished { __typename id cursor } }",
];

/// Many people, each with one socket and one subscription of their own stream.
pub async fn run(stage: &Stage, plan: &Plan, report: &mut Report) -> Outcome<()> {
    let program = stage.start().await?;
    warm_up(stage, &program).await?;
    let before = settled(&program).await?;
    let mut idle = JoinSet::new();
    let mut steps = vec![before];
    for (from, to) in [(0, plan.people / 2), (plan.people / 2, plan.people)] {
        for socket in stage.crowd(&program, from..to, NOTIFICATIONS).await? {
            idle.spawn(socket.idle());
        }
        program.reaches("gigwire_live_operations", to).await?;
        steps.push(settled(&program).await?);
    }
    let after = steps[2];
    let figure = each(before, after, plan.people);
    let what = format!("memory of an idle socket with one subscription, {} people", plan.people);
    report.judge(&what, bytes(figure), "5 kB", figure <= GOAL);
    report.note("of it in the second half", bytes(each(steps[1], after, plan.people - plan.people / 2)));
    report
        .note("memory (RSS) without them, and with them", format!("{}, {}", bytes(before as i64), bytes(after as i64)));
    // Longer than between two pings: whoever was not answered would be closed by now.
    sleep(Duration::from_secs(60)).await;
    let later = program.usage()?;
    let open = program.gauge("gigwire_sockets_open").await?;
    report.note("the same a minute of pings later", bytes(each(before, later.memory, plan.people)));
    report.judge("sockets still open then", open, plan.people, open as usize == plan.people);
    idle.shutdown().await;
    program.end().await
}

/// Ten subscriptions on one socket.
pub async fn many(stage: &Stage, plan: &Plan, report: &mut Report) -> Outcome<()> {
    let count = (plan.people / 8).max(1);
    let program = stage.start().await?;
    warm_up(stage, &program).await?;
    let bare = settled(&program).await?;
    let sockets = stage.crowd(&program, 0..count, TEN[0]).await?;
    program.reaches("gigwire_live_operations", count).await?;
    let one = settled(&program).await?;
    let further = |mut socket: GraphqlSocket| async move {
        for (number, document) in TEN.iter().enumerate().skip(1) {
            socket.subscribe(&format!("further{number}"), document, json!({})).await?;
        }
        // An operation that was refused would come first.
        socket.subscribe("last", "{ __typename }", json!({})).await?;
        socket.data().await?;
        Outcome::Ok(socket)
    };
    let sockets: Vec<_> = stream::iter(sockets).map(further).buffered(AT_ONCE).try_collect().await?;
    program.reaches("gigwire_live_operations", count * TEN.len()).await?;
    let ten = settled(&program).await?;
    report.note(&format!("memory of a socket with 10 subscriptions, {count} people"), bytes(each(bare, ten, count)));
    report.note("of it each further subscription", bytes(each(one, ten, count * (TEN.len() - 1))));
    drop(sockets);
    program.end().await
}

/// Fills what is filled once: a hundred sockets come and go, and everybody asks once over HTTP, so that what the database
/// keeps in memory of people (on SQLite up to 10 MB) does not count as theirs.
async fn warm_up(stage: &Stage, program: &Program) -> Outcome<()> {
    let last = stage.people.len();
    drop(stage.crowd(program, last.saturating_sub(WARM)..last, NOTIFICATIONS).await?);
    let ask = |person: &'_ Person| {
        let token = person.access_token.clone();
        async move { program.http.ask(Some(&token), "{ viewer { streamCursor } }", json!({})).await.map(drop) }
    };
    stream::iter(&stage.people).map(ask).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    program.reaches("gigwire_sockets_open", 0).await
}
