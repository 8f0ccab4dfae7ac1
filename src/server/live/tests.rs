//! Views of several streams, which no single subscription is needed for.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::operation::Kind;
use super::progress::{PAGE_BYTES, SHAPED_AT_ONCE};
use super::*;
use crate::kernel::id::{AnnouncementId, SessionId, TypedId, UserId};
use crate::kernel::{Caller, Role, Roles, Viewer};
use crate::platform::streams::{Bell, Draft, Place, StreamName};
use crate::resolvers::live::{Filter, View};
use crate::schema::announcements::AnnouncementEvent;
use crate::server::documents::{self, Limits};
use crate::server::state::Server;

const DOCUMENT: &str = "subscription { announcementPublished { __typename cursor
    ... on AnnouncementAdded { number requestId } ... on StreamGap { reason } } }";

#[tokio::test]
async fn seats_are_given_back() {
    let (server, _folder) = Server::for_tests().await;
    let limits = LiveLimits { connections_per_user: 2, ..LiveLimits::default() };
    let server = Server::with_limits(server.platform.clone(), limits).unwrap();
    let of = |number| {
        let (user, session) = (UserId::of(Uuid::from_u128(number)), SessionId::of(Uuid::from_u128(number)));
        let viewer = Viewer { user, session, roles: Roles::default(), disconnections: 0 };
        Caller { viewer: Some(viewer), ..Caller::system("test") }
    };
    let (one, two) = (server.seat(&of(1)), server.seat(&of(1)));
    assert!(one.is_some() && two.is_some() && server.seat(&of(1)).is_none());
    assert!(server.seat(&of(2)).is_some() && server.seat(&Caller::system("test")).is_some());
    drop((one, two));
    assert!(server.seat(&of(1)).is_some());
}

/// States one event in each of these streams; `name` is the request that causes it.
async fn state(server: &Server, name: &str, streams: &[&StreamName]) {
    let audience: Vec<_> = streams.iter().map(|stream| (*stream).clone()).collect();
    let caller = Caller::system(name);
    let command = server.platform.work.run(&caller, audience, |unit, audience| {
        Box::pin(async move {
            unit.act_as(Role::Admin);
            let object: AnnouncementId = unit.ids.new_id();
            let draft = Draft::new("announcement", "AnnouncementAdded", object, 1);
            unit.state(audience.iter().cloned().fold(draft, Draft::to_topic));
            Ok(())
        })
    });
    command.await.unwrap();
}

/// A view of these streams, as a subscription's field would report it.
async fn view(server: &Server, streams: &[&StreamName], after: Option<&str>, filter: Filter) -> (LiveOperation, Bell) {
    let streams = streams.iter().map(|stream| (*stream).clone()).collect();
    let view = View { after: after.map(str::to_owned), ..View::of_streams::<AnnouncementEvent>(streams, filter) };
    let shape = view.shape;
    let bell = Bell::default();
    let (kind, opening) = server.attach(view, None, &bell).await.unwrap();
    let document = documents::check(DOCUMENT, &Limits::default()).unwrap();
    let key = documents::cache::key(DOCUMENT, None);
    let hoisted = Hoisted { key, document, text_bytes: DOCUMENT.len() };
    let document = server.live.documents.keep(key, DOCUMENT.len(), hoisted);
    (LiveOperation::new(document, None, shape, kind, opening, true, Arc::default()), bell)
}

/// What the view shows until it has no more news.
async fn items(server: &Server, operation: &mut LiveOperation) -> Vec<Value> {
    let mut items = Vec::new();
    while operation.has_news(server.live.limits.checkpoint) {
        let Delivery::Answers(answers) = operation.deliver(server, &Caller::system("test")).await else { panic!() };
        assert!(!answers.is_empty());
        for answer in answers {
            let answer: Value = serde_json::from_str(&answer.text).unwrap();
            items.push(answer["data"]["announcementPublished"].clone());
        }
    }
    items
}

fn names(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["requestId"].as_str().or(item["__typename"].as_str()).unwrap()).collect()
}

/// Waits until everything that was stated has reached the view.
async fn rung(operation: &LiveOperation, bell: &Bell) {
    while !operation.has_news(std::time::Duration::MAX) {
        bell.notified().await;
    }
}

#[tokio::test]
async fn cursors_of_several_streams_go_on_in_each_of_them() {
    let (server, _folder) = Server::for_tests().await;
    let (mine, all) = (&StreamName::user(UserId::of(Uuid::from_u128(1))), &StreamName::announcements());
    let both = [mine, all];
    let (mut operation, bell) = view(&server, &both, None, Filter::default()).await;
    assert!(!operation.has_news(server.live.limits.checkpoint), "nothing is told where no cursor was given");
    let mut seen = Vec::new();
    for (name, stream) in [("1", mine), ("2", all), ("3", mine)] {
        state(&server, name, &[stream]).await;
        rung(&operation, &bell).await;
        seen.extend(items(&server, &mut operation).await);
    }
    assert_eq!(names(&seen), ["1", "2", "3"]);
    for (index, item) in seen.iter().enumerate() {
        let (mut again, _) = view(&server, &both, item["cursor"].as_str(), Filter::default()).await;
        let rest = items(&server, &mut again).await;
        let mut rest = names(&rest);
        // The order between streams is open; in each of them it is kept.
        rest[1..].sort_unstable();
        let expected: Vec<_> =
            std::iter::once("StreamResumed").chain(["1", "2", "3"][index + 1..].iter().copied()).collect();
        assert_eq!(rest, expected);
    }
    // A cursor of both works for one; a cursor of one is not enough for both.
    let composite = seen[1]["cursor"].as_str();
    let (mut narrow, _) = view(&server, &[mine], composite, Filter::default()).await;
    assert_eq!(names(&items(&server, &mut narrow).await), ["StreamResumed", "3"]);
    let (mut narrow, _) = view(&server, &[all], None, Filter::default()).await;
    state(&server, "4", &[all]).await;
    while !narrow.has_news(server.live.limits.checkpoint) {
        tokio::task::yield_now().await;
    }
    let single = items(&server, &mut narrow).await;
    let (mut wide, _) = view(&server, &both, single[0]["cursor"].as_str(), Filter::default()).await;
    assert_eq!(items(&server, &mut wide).await[0]["reason"], "FOREIGN");
}

#[tokio::test]
async fn what_a_view_does_not_show_makes_its_cursor_younger() {
    let (server, _folder) = Server::for_tests().await;
    let all = &StreamName::announcements();
    let filter = Filter { noun: Some("other"), ..Filter::default() };
    let (mut operation, bell) = view(&server, &[all], None, filter).await;
    for number in 0..120 {
        state(&server, &number.to_string(), &[all]).await;
    }
    rung(&operation, &bell).await;
    let mut checkpoints = 0;
    for _ in 0..20 {
        if operation.has_news(server.live.limits.checkpoint) {
            let Delivery::Answers(answers) = operation.deliver(&server, &Caller::system("test")).await else {
                panic!()
            };
            checkpoints += answers.len();
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(checkpoints, 1, "one for a hundred");
}

#[tokio::test]
async fn a_page_of_large_events_ends_early_and_nothing_is_lost() {
    let (server, _folder) = Server::for_tests().await;
    let all = &StreamName::announcements();
    let (mut operation, bell) = view(&server, &[all], None, Filter::default()).await;
    let names: Vec<String> = (0..40).map(|number| number.to_string().repeat(5_000)).collect();
    for name in &names {
        state(&server, name, &[all]).await;
    }
    let mut seen = Vec::new();
    while seen.len() < names.len() {
        rung(&operation, &bell).await;
        let Delivery::Answers(answers) = operation.deliver(&server, &Caller::system("test")).await else { panic!() };
        let bytes: usize = answers.iter().map(|answer| answer.text.len()).sum();
        // The last one may stand over the edge.
        assert!(bytes < PAGE_BYTES + 11_000, "{bytes} bytes in one page");
        for answer in &answers {
            let answer: Value = serde_json::from_str(&answer.text).unwrap();
            seen.push(answer["data"]["announcementPublished"]["requestId"].as_str().unwrap().to_owned());
        }
    }
    assert!(seen == names, "in order, each once");
    assert!(operation.handful < SHAPED_AT_ONCE);
}

/// States one event about this object.
async fn state_of(server: &Server, name: &str, object: u128) {
    let caller = Caller::system(name);
    let command = server.platform.work.run(&caller, object, |unit, object| {
        Box::pin(async move {
            unit.act_as(Role::Admin);
            let draft =
                Draft::new("announcement", "AnnouncementAdded", AnnouncementId::of(Uuid::from_u128(*object)), 1);
            unit.state(draft.to_topic(StreamName::announcements()));
            Ok(())
        })
    });
    command.await.unwrap();
}

/// Waits until the view's hub knows so many events, so that they are one page.
async fn known(operation: &LiveOperation, bell: &Bell, events: i64) {
    let before = Place { seq: events - 1, mark: 0 };
    while !matches!(&operation.kind, Kind::Streams { tracks, .. } if tracks[0].watch.has_news(before)) {
        bell.notified().await;
    }
}

#[tokio::test]
async fn within_a_window_each_object_shows_its_latest_event() {
    let (server, _folder) = Server::for_tests().await;
    let all = &StreamName::announcements();
    let (mut operation, bell) = view(&server, &[all], None, Filter::default()).await;
    let window = std::time::Duration::from_millis(1_500);
    operation.throttle = Some(window);
    for (name, object) in [("a1", 1), ("b1", 2), ("a2", 1), ("c1", 3)] {
        state_of(&server, name, object).await;
    }
    known(&operation, &bell, 4).await;
    let begun = tokio::time::Instant::now();
    let seen = items(&server, &mut operation).await;
    assert_eq!(names(&seen), ["b1", "a2", "c1"], "in their order");
    state_of(&server, "a3", 1).await;
    state_of(&server, "a4", 1).await;
    known(&operation, &bell, 6).await;
    assert!(!operation.has_news(std::time::Duration::MAX), "the window is not over");
    assert!(operation.wakes_at().is_some_and(|at| at <= tokio::time::Instant::now() + window));
    while !operation.has_news(std::time::Duration::MAX) {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(begun.elapsed() >= window);
    assert_eq!(names(&items(&server, &mut operation).await), ["a4"]);
    // Whoever goes on behind any of them misses no object's latest state, and without a window misses nothing.
    for (item, rest) in seen.iter().zip([&["a2", "c1", "a3", "a4"][..], &["c1", "a3", "a4"], &["a3", "a4"]]) {
        let (mut again, _) = view(&server, &[all], item["cursor"].as_str(), Filter::default()).await;
        assert_eq!(names(&items(&server, &mut again).await)[1..], *rest);
    }
}
