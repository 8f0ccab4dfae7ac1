//! A field that has to wait, and how it is woken.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as Task, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

use super::Answer;
use super::fields::Place;

/// A field that has to wait. It has a waker of its own, so that an answer wakes one field and not all around it.
pub(super) struct Waiting<'a> {
    /// Where it stands in the object.
    pub place: Place,
    field: Pin<Box<dyn Future<Output = Answer> + Send + 'a>>,
    latch: Arc<Latch>,
    waker: Waker,
}

/// Whether a field was woken, and who is told.
struct Latch {
    is_awake: AtomicBool,
    above: AtomicWaker,
}

impl Wake for Latch {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_awake.store(true, Ordering::Release);
        self.above.wake();
    }
}

impl<'a> Waiting<'a> {
    pub fn new(place: Place, field: Pin<Box<dyn Future<Output = Answer> + Send + 'a>>) -> Self {
        // It was asked with another waker, so it is asked once more with its own.
        let latch = Arc::new(Latch { is_awake: AtomicBool::new(true), above: AtomicWaker::new() });
        Waiting { place, field, waker: latch.clone().into(), latch }
    }

    /// Asks again, if it was woken.
    pub fn poll(&mut self, task: &Task<'_>) -> Poll<Answer> {
        self.latch.above.register(task.waker());
        if !self.latch.is_awake.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        self.field.as_mut().poll(&mut Task::from_waker(&self.waker))
    }
}
