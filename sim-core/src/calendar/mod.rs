//! The pending events, in one total order of (time, sequence).

mod far;
mod near;

use crate::{SimTime, Span};
use far::{Far, boundary_before, start_of};
use near::Near;

/// Events that are kept sorted; with more than that, the later ones are kept in buckets.
const NEAR: usize = 64;

/// What is pending, the earliest first; among events of one instant, the one scheduled first.
///
/// The next few dozen events are in a sorted array, all later ones in the buckets of a radix heap, which is
/// moved into the array piece by piece. With few events pending there is only the array; with many, an event
/// changes place a few times, whatever their number. The order of (time, sequence) needs no sequence number:
/// both parts keep events of one instant in the order in which they were scheduled.
///
/// ```
/// use sim_core::{Calendar, SimTime, Span};
/// let mut calendar = Calendar::new();
/// calendar.schedule(SimTime::from_nanos(30), 'c');
/// calendar.schedule(SimTime::from_nanos(10), 'a');
/// calendar.schedule(SimTime::from_nanos(10), 'b');
/// assert_eq!(calendar.pop(), Some((SimTime::from_nanos(10), 'a')));
/// calendar.schedule_in(Span::from_nanos(5), 'd'); // 5 ns from now
/// let rest: Vec<char> = std::iter::from_fn(|| calendar.pop()).map(|(_, event)| event).collect();
/// assert_eq!(rest, ['b', 'd', 'c']);
/// ```
#[derive(Clone, Debug)]
pub struct Calendar<E> {
    /// The events before `bound`.
    near: Near<E>,
    /// The events at `bound` and later.
    far: Far<E>,
    /// Later than now, and not later than the beginning of any bucket that holds anything.
    bound: u64,
    now: u64,
    /// How many events have ever been popped.
    popped: u64,
    /// Events that the loop has run at `now`, counted in whole slices.
    pub(crate) stalled: u64,
}

impl<E: Copy> Calendar<E> {
    /// Nothing pending, at the start of simulated time.
    pub const fn new() -> Self {
        Self { near: Near::new(), far: Far::new(), bound: u64::MAX, now: 0, popped: 0, stalled: 0 }
    }

    /// Nothing pending, with room for `n` events.
    pub fn with_capacity(n: usize) -> Self {
        let mut calendar = Self::new();
        calendar.far.reserve(n);
        calendar
    }

    /// The time of the event popped last.
    #[inline]
    pub const fn now(&self) -> SimTime {
        SimTime::from_nanos(self.now)
    }

    /// How many events are pending.
    #[inline]
    pub const fn len(&self) -> usize {
        self.near.len() + self.far.len()
    }

    /// Whether nothing is pending.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many events have been popped since the calendar was made.
    #[inline]
    pub const fn popped(&self) -> u64 {
        self.popped
    }

    /// Bytes of memory held.
    pub const fn memory(&self) -> usize {
        self.near.memory() + self.far.memory()
    }

    /// Adds an event at `at`, after those already scheduled for that instant.
    ///
    /// # Panics
    ///
    /// When `at` is in the past.
    #[inline]
    pub fn schedule(&mut self, at: SimTime, event: E) {
        if at < self.now() {
            self.refuse(at);
        }
        let at = at.as_nanos();
        // What is not the usual case is a call that nothing comes after: so there is nothing to be kept meanwhile.
        if at >= self.bound {
            return self.schedule_far(at, event);
        }
        if self.near.is_full() {
            return self.schedule_with_room(at, event);
        }
        self.near.insert_in_room(at, event);
        if self.near.len() > NEAR {
            self.spill();
        }
    }

    #[inline(never)]
    fn schedule_far(&mut self, at: u64, event: E) {
        self.far.push(at, self.now, event);
    }

    #[cold]
    #[inline(never)]
    fn schedule_with_room(&mut self, at: u64, event: E) {
        self.near.make_room((at, event));
        self.schedule(SimTime::from_nanos(at), event);
    }

    #[cold]
    #[inline(never)]
    fn refuse(&self, at: SimTime) -> ! {
        panic!("an event at {at:?} is in the past of {:?}", self.now());
    }

    /// Adds an event `span` from now.
    ///
    /// # Panics
    ///
    /// When that is out of range.
    #[inline]
    pub fn schedule_in(&mut self, span: Span, event: E) {
        self.schedule(self.now() + span, event);
    }

    /// Takes the earliest event and makes its time the present.
    #[inline]
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        self.pop_until(u64::MAX)
    }

    /// Takes the earliest event if it is before `until`.
    #[inline]
    pub fn pop_before(&mut self, until: SimTime) -> Option<(SimTime, E)> {
        self.pop_until(until.as_nanos().checked_sub(1)?)
    }

    #[inline]
    fn pop_until(&mut self, last: u64) -> Option<(SimTime, E)> {
        if self.near.is_empty() {
            self.refill(last);
        }
        let (at, event) = self.near.pop(last)?;
        self.now = at;
        self.popped += 1;
        Some((SimTime::from_nanos(at), event))
    }

    /// The time of the earliest event.
    pub fn peek_time(&self) -> Option<SimTime> {
        let far = || self.far.first().map(|(bucket, _)| self.far.earliest(bucket));
        self.near.entries().first().map(|&(at, _)| at).or_else(far).map(SimTime::from_nanos)
    }

    /// Moves the first buckets into the sorted array, which is empty; nothing if all is later than `last`.
    #[cold]
    #[inline(never)]
    fn refill(&mut self, last: u64) {
        while let Some((bucket, len)) = self.far.first() {
            if !self.near.is_empty() && self.near.len() + len > NEAR / 2 {
                return;
            }
            if len > NEAR {
                let earliest = self.far.earliest(bucket);
                if earliest > last {
                    return;
                }
                self.refine(bucket, earliest);
            } else {
                self.bound = start_of(bucket, self.now).saturating_add(1 << bucket);
                self.far.drain(bucket, |_, at, event| self.near.insert(at, event));
            }
        }
        self.bound = u64::MAX;
    }

    /// Spreads the first bucket over those below it, as seen from its earliest event, which becomes the present.
    fn refine(&mut self, bucket: usize, earliest: u64) {
        self.now = earliest;
        self.bound = earliest.saturating_add(1);
        self.far.drain(bucket, |far, at, event| {
            if at == earliest {
                self.near.insert(at, event);
            } else {
                far.push(at, earliest, event);
            }
        });
    }

    /// Moves the later part of the sorted array, which has become too long, into buckets.
    #[cold]
    #[inline(never)]
    fn spill(&mut self) {
        let near = self.near.entries();
        let later = |entry: &(u64, E)| Some(entry.0).filter(|&at| at > self.now);
        // Whole buckets only: from the one that the middle is in, or the last event if half happen now.
        if let Some(cut) = near.get(NEAR / 2).and_then(later).or(near.last().and_then(later)) {
            self.bound = boundary_before(cut, self.now);
            self.near.split_off(self.bound, |at, event| self.far.push(at, self.now, event));
        }
    }
}

impl<E: Copy> Default for Calendar<E> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    fn drain(calendar: &mut Calendar<u32>) -> Vec<(u64, u32)> {
        std::iter::from_fn(|| calendar.pop()).map(|(at, event)| (at.as_nanos(), event)).collect()
    }

    #[test]
    fn events_of_one_instant_come_in_the_order_they_were_scheduled() {
        let mut calendar = Calendar::new();
        for event in 0..1000 {
            calendar.schedule(SimTime::from_nanos(u64::from(event % 3)), event);
        }
        let order = drain(&mut calendar);
        assert_eq!(order.len(), 1000);
        assert!(order.is_sorted());
    }

    #[test]
    fn an_event_before_the_end_is_popped_and_one_at_the_end_is_not() {
        let mut calendar = Calendar::new();
        calendar.schedule(SimTime::from_nanos(4), 'a');
        calendar.schedule(SimTime::from_nanos(5), 'b');
        assert_eq!(calendar.pop_before(SimTime::ZERO), None);
        assert_eq!(calendar.pop_before(SimTime::from_nanos(5)), Some((SimTime::from_nanos(4), 'a')));
        assert_eq!(calendar.pop_before(SimTime::from_nanos(5)), None);
        assert_eq!((calendar.now().as_nanos(), calendar.len(), calendar.popped()), (4, 1, 1));
    }

    #[test]
    fn the_end_of_time_is_in_range() {
        let mut calendar = Calendar::new();
        for event in 0..100 {
            calendar.schedule(SimTime::MAX, event);
        }
        calendar.schedule(SimTime::ZERO, 100);
        assert_eq!(calendar.peek_time(), Some(SimTime::ZERO));
        let order: Vec<u32> = drain(&mut calendar).into_iter().map(|(_, event)| event).collect();
        assert_eq!(order[0], 100);
        assert!(order[1..].iter().copied().eq(0..100));
        calendar.schedule(SimTime::MAX, 7);
        assert_eq!(drain(&mut calendar), [(u64::MAX, 7)]);
    }

    #[test]
    #[should_panic(expected = "an event at SimTime(9 ns) is in the past of SimTime(10 ns)")]
    fn the_past_is_out_of_reach() {
        let mut calendar = Calendar::new();
        calendar.schedule(SimTime::from_nanos(10), ());
        calendar.pop();
        calendar.schedule(SimTime::from_nanos(9), ());
    }

    /// A hundred thousand events at one instant, each of which schedules another there, would take hours if
    /// each shifted the rest.
    #[test]
    fn a_crowded_instant_takes_linear_time() {
        let mut calendar = Calendar::new();
        for event in 0..100_000 {
            calendar.schedule(SimTime::from_nanos(77), event);
            calendar.schedule(SimTime::from_nanos(78 + u64::from(event)), event);
        }
        for event in 0..100_000 {
            assert_eq!(calendar.pop(), Some((SimTime::from_nanos(77), event)));
            calendar.schedule_in(Span::ZERO, event);
        }
        assert!(drain(&mut calendar).is_sorted_by_key(|&(at, _)| at));
    }

    /// What a test does to a calendar.
    #[derive(Clone, Debug)]
    enum Step {
        Schedule(u64),
        Pop,
        PopBefore(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let delay = prop_oneof![
            3 => 0..4_u64,
            4 => 0..1000_u64,
            2 => 0..1_000_000_000_u64,
            1 => (0..62_u32).prop_map(|bit| 1 << bit)
        ];
        let step = prop_oneof![
            5 => delay.clone().prop_map(Step::Schedule),
            3 => Just(Step::Pop),
            1 => delay.prop_map(Step::PopBefore)
        ];
        proptest::collection::vec(step, 0..1500)
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 300,
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// Against a sorted map of (time, sequence).
        #[test]
        fn events_come_in_the_order_of_time_and_sequence(steps in steps(), start in 0..1_u64 << 62) {
            let mut calendar = Calendar::new();
            let mut sorted = std::collections::BTreeSet::new();
            let (mut now, mut sequence) = (0, 0_u32);
            let mut steps = steps;
            steps.insert(0, Step::Pop);
            steps.insert(0, Step::Schedule(start));
            for step in steps {
                prop_assert_eq!(calendar.len(), sorted.len());
                prop_assert_eq!(calendar.peek_time().map(SimTime::as_nanos), sorted.first().map(|&(at, _)| at));
                let until = match step {
                    Step::Schedule(delay) => {
                        let at = u64::saturating_add(now, delay);
                        calendar.schedule(SimTime::from_nanos(at), sequence);
                        sorted.insert((at, sequence));
                        sequence += 1;
                        continue;
                    }
                    Step::Pop => u64::MAX,
                    Step::PopBefore(delay) => u64::saturating_add(now, delay),
                };
                let expected = sorted.first().copied().filter(|&(at, _)| at < until);
                let found = calendar.pop_before(SimTime::from_nanos(until));
                prop_assert_eq!(found.map(|(at, event)| (at.as_nanos(), event)), expected);
                if let Some(first) = expected {
                    sorted.remove(&first);
                    now = first.0;
                }
                prop_assert_eq!(calendar.now().as_nanos(), now);
            }
            prop_assert_eq!(drain(&mut calendar), sorted.into_iter().collect::<Vec<_>>());
        }
    }
}
