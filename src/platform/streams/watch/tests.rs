//! Handing over, and ringing a crowd.

use uuid::Uuid;

use super::*;
use crate::kernel::id::{EventId, TypedId};
use crate::kernel::{Actor, Timestamp};

/// An event whose mark is its number.
fn event(seq: i64) -> Arc<Event> {
    let id = Uuid::from_u128(seq.unsigned_abs().into());
    Arc::new(Event {
        stream: StreamName::announcements(),
        seq,
        id: EventId::of(id),
        noun: String::new(),
        kind: String::new(),
        object: id,
        subject: id,
        version: 1,
        facts: String::new(),
        actor: Actor::System,
        request_id: String::new(),
        occurred_at: Timestamp(0),
    })
}

fn place(seq: i64) -> Place {
    Place { seq, mark: seq.unsigned_abs() }
}

fn growth(behind: Place, events: impl IntoIterator<Item = i64>) -> Growth {
    Growth { stream: StreamName::announcements(), behind, events: events.into_iter().map(event).collect() }
}

fn watch() -> Watch {
    let watch = Watch::new(&All::default(), &StreamName::announcements(), &Bell::default());
    watch.watched().first_head(place(7));
    watch
}

fn seen(watch: &Watch) -> Vec<i64> {
    match watch.ahead(place(7), 100) {
        Ahead::Events(events) => events.iter().map(|event| event.seq).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn what_is_handed_over_is_taken_in_order_and_once() {
    let watch = watch();
    watch.watched().is_behind(10);
    // Two units of work that committed one after the other, heard of the other way round.
    let mut grown = vec![growth(place(9), [10])];
    assert!(!watch.watched.take_grown(&mut grown), "something is missing");
    assert_eq!((seen(&watch).len(), grown.len()), (0, 1));
    grown.push(growth(place(7), [8, 9]));
    grown.push(growth(place(6), [7]));
    assert!(watch.watched.take_grown(&mut grown));
    assert_eq!((seen(&watch), grown.len()), (vec![8, 9, 10], 0));
    watch.watched().is_behind(11);
    assert!(!watch.watched.take_grown(&mut grown), "another instance has written more");
}

#[tokio::test]
async fn what_follows_on_another_course_is_left_to_the_database() {
    let watch = watch();
    let mut grown = vec![growth(Place { seq: 7, mark: 99 }, [8])];
    watch.watched().is_behind(8);
    assert!(!watch.watched.take_grown(&mut grown));
    assert_eq!((seen(&watch).len(), grown.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn of_a_crowd_the_first_is_rung_first_and_the_others_once_for_all_that_came() {
    let (all, name) = (All::default(), StreamName::announcements());
    let bells: Vec<Bell> = (0..=CROWD).map(|_| Bell::default()).collect();
    let watches: Vec<_> = bells.iter().map(|bell| Watch::new(&all, &name, bell)).collect();
    let watched = watches[0].watched.clone();
    watched.first_head(place(7));
    watched.take_grown(&mut vec![growth(place(7), [8])]);
    watched.take_grown(&mut vec![growth(place(8), [9])]);
    let is_rung = |bell: &Bell| {
        use futures_util::FutureExt;
        bell.notified().now_or_never().is_some()
    };
    assert!(is_rung(&bells[0]) && !bells[1..].iter().any(is_rung));
    tokio::time::sleep(MOMENT * 2).await;
    assert!(bells.iter().all(is_rung));
    tokio::time::sleep(MOMENT * 2).await;
    assert!(!bells.iter().any(is_rung));
}
