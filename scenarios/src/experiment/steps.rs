//! Progress of experiments that go on once they know more.

use std::sync::atomic::{AtomicU64, Ordering};

use super::estimate::ENOUGH;
use super::gather::Progress;

/// Progress of points that are run one after the other, of which there will be about so many more.
pub(crate) struct Steps<'a> {
    inner: &'a dyn Progress,
    /// Replications that have ended.
    ended: AtomicU64,
    /// Those that had when the point was begun.
    before: AtomicU64,
    /// Those that points after this one will take.
    ahead: AtomicU64,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(inner: &'a dyn Progress) -> Self {
        let zero = || AtomicU64::new(0);
        Self { inner, ended: zero(), before: zero(), ahead: zero() }
    }

    /// Says how many points are still to come, given how many were tried, and what is done next.
    pub(crate) fn expect(&self, tried: usize, ahead: u64, text: &str) {
        let each = self.ended.load(Ordering::Relaxed).checked_div(tried as u64).unwrap_or(ENOUGH as u64);
        self.ahead.store(ahead * each, Ordering::Relaxed);
        self.inner.stage(text);
    }

    /// Says that the next point begins.
    pub(crate) fn begin(&self) {
        self.before.store(self.ended.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

impl Progress for Steps<'_> {
    fn planned(&self, replications: u64) {
        let others = self.before.load(Ordering::Relaxed) + self.ahead.load(Ordering::Relaxed);
        self.inner.planned(others + replications);
    }

    fn finished(&self, events: u64) {
        self.ended.fetch_add(1, Ordering::Relaxed);
        self.inner.finished(events);
    }

    // What is done is told by whoever runs the points.
}
