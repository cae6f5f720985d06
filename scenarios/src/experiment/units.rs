//! Pieces of work in parallel, their results in order.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sim_core::CancelFlag;

/// Results that are waiting for an earlier one, and the next one to hand over.
struct Line<T, F> {
    waiting: BTreeMap<usize, T>,
    next: usize,
    done: F,
}

/// Does `count` pieces of work on the threads of rayon's current pool, and hands each result to `done` in the
/// order of their numbers.
///
/// Pieces are begun in order, so few results wait at any time. Once `cancel` is raised no further piece is
/// begun.
pub(crate) fn in_order<T: Send>(
    count: usize,
    cancel: &CancelFlag,
    work: impl Fn(usize) -> T + Sync,
    done: impl FnMut(usize, T) + Send,
) {
    let next = AtomicUsize::new(0);
    let line = Mutex::new(Line { waiting: BTreeMap::new(), next: 0, done });
    let worker = || {
        while !cancel.is_cancelled() {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= count {
                break;
            }
            let result = work(piece);
            // A poisoned lock means that another thread has panicked: rayon hands its panic on.
            let Ok(mut line) = line.lock() else { break };
            let line = &mut *line;
            line.waiting.insert(piece, result);
            while let Some(result) = line.waiting.remove(&line.next) {
                (line.done)(line.next, result);
                line.next += 1;
            }
        }
    };
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads().min(count) {
            scope.spawn(|_| worker());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whatever_they_take() {
        let mut seen = Vec::new();
        let slow_first = |i: usize| {
            std::thread::sleep(std::time::Duration::from_millis(if i == 0 { 20 } else { 0 }));
            i * i
        };
        in_order(50, &CancelFlag::new(), slow_first, |i, square| seen.push((i, square)));
        assert_eq!(seen, (0..50).map(|i| (i, i * i)).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_is_begun_once_cancelled() {
        let cancel = CancelFlag::new();
        let mut seen = 0;
        let work = |i: usize| {
            if i == 5 {
                cancel.cancel();
            }
            i
        };
        in_order(1_000, &cancel, work, |_, _| seen += 1);
        assert!((6..20).contains(&seen), "{seen}");
    }
}
