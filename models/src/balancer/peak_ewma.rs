//! Latency-aware balancing.

use sim_core::{SimTime, Span};

use super::{Pick, Seen};

/// Time in which a latency that was seen loses its weight, in seconds.
const DECAY: f64 = 10.0;

/// What a replica of unknown latency costs that already has a call, in seconds: more than any that is known.
const UNKNOWN: f64 = 1.4e5;

/// Sends a call to the cheaper of two replicas drawn at random, where a replica costs its latency times its
/// outstanding calls and one.
///
/// The latency is a moving average that jumps up to every peak and decays within ten seconds, so a replica that
/// turns slow is noticed with its first answer. Latencies are those that the caller saw, of failures too: fast
/// failures look attractive.
///
/// Source: Finagle, `PeakEwmaLoad`, `decayTime` 10 s; Linkerd 2, balancer with peak EWMA.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PeakEwma {
    /// By number of the replica: latency in seconds, and when it was brought up to date.
    costs: Vec<(f64, SimTime)>,
}

impl PeakEwma {
    /// What a further call to the replica costs.
    fn load(&self, replica: u32, outstanding: u32, now: SimTime) -> f64 {
        let (cost, since) = self.costs.get(replica as usize).copied().unwrap_or((0.0, now));
        let cost = cost * (-now.since(since).as_seconds() / DECAY).exp();
        if cost == 0.0 && outstanding > 0 {
            return UNKNOWN + f64::from(outstanding);
        }
        cost * (f64::from(outstanding) + 1.0)
    }
}

impl Pick for PeakEwma {
    fn pick(&mut self, seen: &mut Seen<'_>) -> usize {
        let count = seen.candidates.len() as u32;
        let one = seen.draws.below(count);
        if count == 1 {
            return 0;
        }
        let mut other = seen.draws.below(count - 1);
        other += u32::from(other >= one);
        let load = |position: u32| {
            let replica = seen.candidates[position as usize];
            self.load(replica, seen.in_flight[replica as usize], seen.now)
        };
        (if load(other) < load(one) { other } else { one }) as usize
    }

    fn ended(&mut self, replica: u32, latency: Span, now: SimTime) {
        let replica = replica as usize;
        if self.costs.len() <= replica {
            self.costs.resize(replica + 1, (0.0, now));
        }
        let (cost, since) = &mut self.costs[replica];
        let latency = latency.as_seconds();
        let kept = (-now.since(*since).as_seconds() / DECAY).exp();
        *cost = if latency > *cost { latency } else { *cost * kept + latency * (1.0 - kept) };
        *since = now;
    }
}

#[cfg(test)]
mod tests {
    use sim_core::Draws;

    use super::super::testing::{ask_at, ask_loaded};
    use super::*;

    fn seconds(seconds: f64) -> SimTime {
        SimTime::ZERO + span(seconds)
    }

    fn span(seconds: f64) -> Span {
        Span::from_seconds(seconds).unwrap()
    }

    /// After a peak of 1 s and, ten seconds later, an answer within 0.1 s: 1/e + 0.1 (1 - 1/e) = 0.4311.
    #[test]
    fn peaks_count_at_once_and_decay() {
        let mut rule = PeakEwma::default();
        rule.ended(0, span(0.2), seconds(0.0));
        rule.ended(0, span(1.0), seconds(1.0));
        assert!((rule.load(0, 0, seconds(1.0)) - 1.0).abs() < 1e-12);
        rule.ended(0, span(0.1), seconds(11.0));
        assert!((rule.load(0, 0, seconds(11.0)) - 0.431_091).abs() < 1e-6);
        assert!((rule.load(0, 2, seconds(11.0)) - 3.0 * 0.431_091).abs() < 1e-5);
    }

    #[test]
    fn the_faster_of_two_is_chosen_and_an_unknown_one_is_tried() {
        let mut rule = PeakEwma::default();
        rule.ended(0, span(0.1), seconds(0.0));
        rule.ended(1, span(0.3), seconds(0.0));
        assert_eq!(ask_at(&mut rule, &[0, 1], 0, seconds(1.0)), 0);
        assert_eq!(ask_at(&mut rule, &[0, 2], 0, seconds(1.0)), 2, "nothing is known of it");
        let mut draws = Draws::keyed(1);
        assert_eq!(ask_loaded(&mut rule, &[0, 2], &[0, 0, 1], &mut draws), 0, "it has a call already");
        assert_eq!(ask_loaded(&mut rule, &[0, 1], &[3, 0], &mut draws), 1, "4 x 0.1 s is more than 0.3 s");
    }
}
