//! Holds of a while told together.

use sim_core::{SimTime, Span};

use super::Sample;

/// Fewer holds than this say nothing.
///
/// Source: Netflix, concurrency-limits, `WindowedLimit`: `windowSize`.
const FEWEST: u64 = 10;

/// Puts the holds of a window together: their mean time, the most slots in use, and whether any was dropped.
///
/// Source: Netflix, concurrency-limits, `WindowedLimit` with `AverageSampleWindow`.
#[derive(Clone, Debug)]
pub(super) struct Window {
    length: Span,
    ends: SimTime,
    count: u64,
    sum: u128,
    in_use: u32,
    dropped: bool,
}

impl Window {
    pub(super) fn new(length: Span) -> Self {
        Self { length, ends: SimTime::ZERO, count: 0, sum: 0, in_use: 0, dropped: false }
    }

    /// Adds a hold. If the window has ended with it, and had enough of them, they are told.
    pub(super) fn add(&mut self, sample: Sample) -> Option<Sample> {
        self.count += 1;
        self.sum += u128::from(sample.time.as_nanos());
        self.in_use = self.in_use.max(sample.in_use);
        self.dropped |= sample.dropped;
        if sample.now <= self.ends {
            return None;
        }
        let next = Self { ends: sample.now.saturating_add(self.length), ..Self::new(self.length) };
        let Self { count, sum, in_use, dropped, .. } = std::mem::replace(self, next);
        let time = Span::from_nanos((sum / u128::from(count)) as u64);
        (count >= FEWEST).then_some(Sample { time, in_use, dropped, ..sample })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_tells_the_mean_of_ten_or_more() {
        let ms = |ms: u64| Span::from_nanos(ms * 1_000_000);
        let at = |now: u64, time: u64| Sample {
            now: SimTime::ZERO + ms(now),
            time: ms(time),
            in_use: now as u32 % 7,
            dropped: now == 300,
        };
        let mut window = Window::new(ms(1_000));
        assert_eq!(window.add(at(100, 5)), None, "one is not enough");
        let told: Vec<Sample> = (2..=12).filter_map(|n| window.add(at(n * 100, n))).collect();
        // From 200 ms to 1,200 ms: eleven holds of 2 to 12 ms.
        assert_eq!(told, [Sample { now: SimTime::ZERO + ms(1_200), time: ms(7), in_use: 6, dropped: true }]);
        assert_eq!(window.add(at(2_300, 5)), None, "the next window had one");
    }
}
