//! From what lies ahead of an operation to a page of answers.

use std::sync::Arc;

use futures_util::future::join_all;

use super::event::Page;
use crate::kernel::Result;
use crate::platform::streams::Place;
use crate::resolvers::live::Item;

/// Events that are shaped at once, so that they load their objects together; fewer where they are large.
pub(super) const SHAPED_AT_ONCE: usize = 32;
/// Bytes of answers behind which a page ends early: what a client that reads nothing may hold.
pub(super) const PAGE_BYTES: usize = 64 << 10;

/// One answer.
pub struct Shown {
    /// As JSON.
    pub text: Arc<str>,
    /// Where the client goes on from behind it; signals have no such place.
    pub cursor: Option<String>,
}

/// An item, and the place behind it in one of the tracks, if it moves one.
pub(super) struct Step {
    pub(super) item: Item,
    pub(super) moves: Option<(usize, Place)>,
}

impl From<Item> for Step {
    fn from(item: Item) -> Self {
        Step { item, moves: None }
    }
}

/// How far a page has come.
pub(super) struct Progress {
    pub(super) answers: Vec<Shown>,
    bytes: usize,
    /// Where the client stands behind them.
    pub(super) places: Vec<Place>,
    /// Steps that are answered, or that are no answer.
    pub(super) passed: usize,
}

impl From<Vec<Place>> for Progress {
    fn from(places: Vec<Place>) -> Self {
        Progress { answers: Vec::new(), bytes: 0, places, passed: 0 }
    }
}

impl Progress {
    /// Shapes so many steps at once, until the page is full.
    pub(super) async fn shape(&mut self, page: &Page<'_>, steps: Vec<Step>, at_once: usize) -> Result<()> {
        let mut steps = steps.into_iter().peekable();
        while self.bytes < PAGE_BYTES && steps.peek().is_some() {
            if self.bytes > 0 {
                // Whatever else this connection does has its turn between two handfuls.
                tokio::task::yield_now().await;
            }
            let (shaped, behind): (Vec<_>, Vec<_>) = steps
                .by_ref()
                .take(at_once)
                .map(|step| {
                    let behind = (step.item.cursor(), step.moves);
                    (page.answer(step.item), behind)
                })
                .unzip();
            let shaped = join_all(shaped).await.into_iter().collect::<Result<Vec<_>>>()?;
            for (answer, (cursor, moves)) in shaped.into_iter().zip(behind) {
                // What does not fit any more is shaped again, in smaller handfuls.
                if self.bytes >= PAGE_BYTES {
                    break;
                }
                self.take(answer.map(|text| Shown { text, cursor }), moves);
            }
        }
        Ok(())
    }

    fn take(&mut self, answer: Option<Shown>, moves: Option<(usize, Place)>) {
        self.passed += 1;
        if let Some(shown) = answer {
            self.bytes += shown.text.len();
            self.answers.push(shown);
        }
        if let Some((index, place)) = moves {
            self.places[index] = place;
        }
    }

    /// How many to shape at once next: about a page, if they are like these.
    pub(super) fn handful(&self) -> usize {
        let each = (self.bytes / self.answers.len().max(1)).max(1);
        (PAGE_BYTES / each).clamp(1, SHAPED_AT_ONCE)
    }
}
