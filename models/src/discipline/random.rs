//! Anybody of those who wait.

use sim_core::{Draws, mix};

use super::{Joining, Line, Moment};

/// Anybody of those who wait, with equal probability: what a crowd at a lock that promises no order comes to.
///
/// The mean wait is that of order of arrival; its tail is longer.
///
/// Source: Kingman, *On Queues in which Customers are Served in Random Order*, Proc. Cambridge Phil. Soc. 58, 1962.
#[derive(Clone, Debug)]
pub struct Random<T> {
    line: Vec<T>,
    /// Names the line's own draws: it is no request that draws here.
    stream: u64,
    /// Draws made.
    drawn: u64,
    /// Whose turn it is, once that is drawn.
    chosen: Option<usize>,
}

impl<T> Random<T> {
    /// A line whose draws are named by `stream`.
    pub fn new(stream: u64) -> Self {
        Self { line: Vec::new(), stream, drawn: 0, chosen: None }
    }
}

impl<T: Copy> Line<T> for Random<T> {
    fn join(&mut self, entry: T, _who: Joining) {
        self.line.push(entry);
    }

    fn first(&mut self, _moment: Moment, is_live: impl Fn(T) -> bool) -> Option<T> {
        while !self.line.is_empty() {
            let at = self.chosen.take().unwrap_or_else(|| {
                self.drawn += 1;
                Draws::keyed(mix(self.stream.wrapping_add(self.drawn))).below(self.line.len() as u32) as usize
            });
            let entry = self.line[at];
            if is_live(entry) {
                self.chosen = Some(at);
                return Some(entry);
            }
            self.line.swap_remove(at);
        }
        None
    }

    fn remove_first(&mut self) {
        if let Some(at) = self.chosen.take() {
            self.line.swap_remove(at);
        }
    }

    fn entries(&self) -> usize {
        self.line.len()
    }

    fn sweep(&mut self, is_live: impl Fn(T) -> bool) {
        self.chosen = None;
        self.line.retain(|&entry| is_live(entry));
    }

    fn drain(&mut self) -> Vec<T> {
        self.chosen = None;
        std::mem::take(&mut self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{free, joins, serve_all};
    use super::*;

    /// Which of three is served last: each a third of the time. A fixed lot drawn on joining would serve somebody who
    /// has lost once ever later.
    #[test]
    fn everybody_is_equally_likely_at_every_turn() {
        let mut last = [0_u32; 3];
        for stream in 0..3_000 {
            let mut line = Random::new(mix(stream));
            for entry in 0..3 {
                line.join(entry, joins(0, 0));
            }
            let order = serve_all(&mut line);
            last[order[2]] += 1;
        }
        // Four standard deviations of a binomial with 3,000 trials of a third are 103.
        assert!(last.iter().all(|count| count.abs_diff(1_000) < 103), "{last:?}");
    }

    #[test]
    fn who_is_chosen_stays_so_until_served() {
        let mut line = Random::new(7);
        for entry in 0..20 {
            line.join(entry, joins(0, 0));
        }
        let chosen = line.first(free(20, 0), |entry| entry % 2 == 1);
        assert!(chosen.is_some_and(|entry| entry % 2 == 1), "{chosen:?}");
        line.join(99, joins(20, 0));
        assert_eq!(line.first(free(20, 1), |_| true), chosen);
        line.remove_first();
        assert_ne!(line.first(free(20, 1), |_| true), chosen);
    }
}
