//! How many are present over time, and Little's Law on the path they take.

use crate::SimTime;

/// Counts who is present, and integrates the count over time.
///
/// Requests at a service, units of a resource in use, requests in a queue: each is a population. Everything is
/// kept in whole nanoseconds. The integral of the count is summed by parts, from the instants at which somebody
/// enters or leaves; the times of those who left come from the entries that their owner remembers; and the ages
/// of those who are present are told by the owner when a window is closed. Little's Law connects the three, to
/// the last digit: an entry forgotten, left twice or remembered wrongly shows as a residual.
///
/// ```
/// use sim_core::{Population, Present, SimTime};
/// let t = SimTime::from_nanos;
/// let mut queue = Population::default();
/// queue.enter(t(10));
/// queue.enter(t(30));
/// queue.leave(t(10), t(50));
/// let mut present = Present::default();
/// present.add(1, t(30));
/// let window = queue.flush(t(100), present);
/// assert_eq!(window.integral, 40 + 70);
/// assert_eq!((window.time_sum, window.age_end), (40, 70));
/// assert_eq!(window.residual(), 0.0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Population {
    // What entries and departures change is one line of the cache.
    /// Instants of the window's departures less those of its entries, summed.
    turns: i128,
    /// How long those who left were there, summed.
    time_sum: u128,
    /// How many are present.
    n: u64,
    max: u64,
    leaves: u64,
    /// When the window began, and what it began with.
    from: SimTime,
    age_start: u128,
    n_start: u64,
}

/// Who is present at the end of a window, as whoever keeps them knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// How many.
    pub count: u64,
    /// The instants at which they entered, summed.
    pub entered: u128,
}

impl Present {
    /// Counts `units` that entered at `entered`.
    pub fn add(&mut self, units: u64, entered: SimTime) {
        self.count += units;
        self.entered += u128::from(units) * u128::from(entered.as_nanos());
    }
}

/// Sums of these, and of units, wrap: with 2^64 times of 2^64 ns, 128 bits are enough, and checking costs as much as
/// adding.
#[inline]
fn product(units: u64, nanos: u64) -> u128 {
    u128::from(units) * u128::from(nanos)
}

impl Population {
    /// Nobody present, at the start of simulated time.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many are present.
    #[inline]
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// One enters.
    #[inline]
    pub fn enter(&mut self, now: SimTime) {
        self.enter_n(1, now);
    }

    /// `units` enter together.
    #[inline]
    pub fn enter_n(&mut self, units: u64, now: SimTime) {
        self.n = self.n.wrapping_add(units);
        self.max = self.max.max(self.n);
        self.turns = self.turns.wrapping_sub(product(units, now.as_nanos()).cast_signed());
    }

    /// One who entered at `entered` leaves.
    #[inline]
    pub fn leave(&mut self, entered: SimTime, now: SimTime) {
        self.leave_n(1, entered, now);
    }

    /// `units` that entered at `entered` leave together.
    ///
    /// # Panics
    ///
    /// When fewer are present, or `entered` is later than `now`.
    #[inline]
    pub fn leave_n(&mut self, units: u64, entered: SimTime, now: SimTime) {
        self.n -= units;
        self.leaves = self.leaves.wrapping_add(units);
        self.turns = self.turns.wrapping_add(product(units, now.as_nanos()).cast_signed());
        self.time_sum = self.time_sum.wrapping_add(product(units, now.since(entered).as_nanos()));
    }

    /// One who entered at `entered` leaves, and another one enters at once.
    ///
    /// # Panics
    ///
    /// When `entered` is later than `now`.
    #[inline]
    pub fn replace(&mut self, entered: SimTime, now: SimTime) {
        self.leaves = self.leaves.wrapping_add(1);
        self.time_sum = self.time_sum.wrapping_add(u128::from(now.since(entered).as_nanos()));
    }

    /// Integral of the count from the window's beginning to `now`, in ns.
    pub fn integral_at(&self, now: SimTime) -> u128 {
        let area = |n: u64, at: SimTime| i128::from(n) * i128::from(at.as_nanos());
        // Summed by parts: those present at the end count up to it, less what each missed before entering.
        (area(self.n, now) - area(self.n_start, self.from) + self.turns).cast_unsigned()
    }

    /// How many have entered since the window began.
    pub const fn entered(&self) -> u64 {
        self.n + self.leaves - self.n_start
    }

    /// Closes the window at `now` and begins the next one there. `present` are those who are there.
    pub fn flush(&mut self, now: SimTime, present: Present) -> PopulationWindow {
        let age_end =
            (u128::from(present.count) * u128::from(now.as_nanos())).saturating_sub(present.entered);
        let window = PopulationWindow {
            from: self.from,
            to: now,
            span_ns: u128::from(now.since(self.from).as_nanos()),
            integral: self.integral_at(now),
            time_sum: self.time_sum,
            age_start: self.age_start,
            age_end,
            enters: self.entered(),
            leaves: self.leaves,
            n_start: self.n_start,
            n_end: self.n,
            max: self.max,
        };
        *self = Self {
            n: self.n,
            max: self.n,
            from: now,
            age_start: age_end,
            n_start: self.n,
            ..Self::default()
        };
        window
    }
}

/// What a [`Population`] did between two points in time. Times are in ns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PopulationWindow {
    /// When it begins.
    pub from: SimTime,
    /// When it ends.
    pub to: SimTime,
    /// Its length; of merged windows, the total.
    pub span_ns: u128,
    /// Integral of the count over time.
    pub integral: u128,
    /// How long those who left were there, before the window too.
    pub time_sum: u128,
    /// How long those present at the beginning had been there.
    pub age_start: u128,
    /// How long those present at the end have been there.
    pub age_end: u128,
    /// How many entered.
    pub enters: u64,
    /// How many left.
    pub leaves: u64,
    /// How many were present at the beginning.
    pub n_start: u64,
    /// How many were present at the end.
    pub n_end: u64,
    /// The most present at once.
    pub max: u64,
}

impl PopulationWindow {
    /// Appends the window that follows in the same replication.
    ///
    /// # Panics
    ///
    /// When `next` does not begin where this one ends, with as many present.
    pub fn join(&mut self, next: &Self) {
        assert_eq!(self.to, next.from, "windows that are joined follow each other");
        assert_eq!(self.n_end, next.n_start, "windows that are joined agree on who is present");
        *self = Self {
            from: self.from,
            to: next.to,
            span_ns: self.span_ns + next.span_ns,
            integral: self.integral + next.integral,
            time_sum: self.time_sum + next.time_sum,
            age_start: self.age_start,
            age_end: next.age_end,
            enters: self.enters + next.enters,
            leaves: self.leaves + next.leaves,
            n_start: self.n_start,
            n_end: next.n_end,
            max: self.max.max(next.max),
        };
    }

    /// Adds the window of another replication: counts, times and lengths add up.
    pub fn merge(&mut self, other: &Self) {
        *self = Self {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
            span_ns: self.span_ns + other.span_ns,
            integral: self.integral + other.integral,
            time_sum: self.time_sum + other.time_sum,
            age_start: self.age_start + other.age_start,
            age_end: self.age_end + other.age_end,
            enters: self.enters + other.enters,
            leaves: self.leaves + other.leaves,
            n_start: self.n_start + other.n_start,
            n_end: self.n_end + other.n_end,
            max: self.max.max(other.max),
        };
    }

    /// The mean count, L; 0 for a window of no length.
    pub fn mean(&self) -> f64 {
        if self.span_ns == 0 { 0.0 } else { self.integral as f64 / self.span_ns as f64 }
    }

    /// Entries per second, lambda; 0 for a window of no length.
    pub fn arrival_rate(&self) -> f64 {
        if self.span_ns == 0 { 0.0 } else { self.enters as f64 / (self.span_ns as f64 / 1e9) }
    }

    /// The mean time of those who left, W, in seconds.
    pub fn mean_time(&self) -> Option<f64> {
        (self.leaves > 0).then(|| self.time_sum as f64 / self.leaves as f64 / 1e9)
    }

    /// By how much Little's Law fails on the path, relative to the integral; 0 unless we are wrong.
    pub fn residual(&self) -> f64 {
        let gap = (self.integral + self.age_start).abs_diff(self.time_sum + self.age_end);
        gap as f64 / self.integral.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    const fn t(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    fn present(entered: &[u64]) -> Present {
        let mut present = Present::default();
        for &at in entered {
            present.add(1, t(at));
        }
        present
    }

    /// One is there from 10 to 40, one from 20 to 70 and one from 60 on; the window is cut at 50 and at 100.
    #[test]
    fn two_windows_by_hand() {
        let mut population = Population::new();
        population.enter(t(10));
        population.enter(t(20));
        population.leave(t(10), t(40));
        assert_eq!(population.integral_at(t(45)), 10 + 2 * 20 + 5);
        let mut replaced = Population::new();
        let mut apart = replaced.clone();
        replaced.enter(t(3));
        apart.enter(t(3));
        replaced.replace(t(3), t(5));
        apart.leave(t(3), t(5));
        apart.enter(t(5));
        assert_eq!(replaced, apart);
        let first = population.flush(t(50), present(&[20]));
        population.enter(t(60));
        population.leave(t(20), t(70));
        let second = population.flush(t(100), present(&[60]));

        assert_eq!((first.integral, first.time_sum, first.age_start, first.age_end), (60, 30, 0, 30));
        assert_eq!((first.enters, first.leaves, first.n_start, first.n_end, first.max), (2, 1, 0, 1, 2));
        assert_eq!((second.integral, second.time_sum, second.age_start, second.age_end), (60, 50, 30, 40));
        assert_eq!((second.enters, second.leaves, second.n_start, second.n_end, second.max), (1, 1, 1, 1, 2));
        assert!((first.mean() - 1.2).abs() < 1e-12);
        assert!((first.arrival_rate() - 4e7).abs() < 1e-3);
        assert_eq!(second.mean_time(), Some(50e-9));

        let mut whole = first.clone();
        whole.join(&second);
        assert_eq!((whole.from, whole.to, whole.span_ns), (t(0), t(100), 100));
        assert_eq!((whole.integral, whole.time_sum, whole.age_start, whole.age_end), (120, 80, 0, 40));
        let mut both = first.clone();
        both.merge(&second);
        assert_eq!((both.span_ns, both.n_start, both.age_start, both.age_end), (100, 1, 30, 70));
        for window in [first, second, whole, both] {
            assert!(window.residual() == 0.0, "{window:?}");
        }
    }

    #[test]
    fn an_empty_window_says_nothing() {
        let window = Population::new().flush(SimTime::ZERO, Present::default());
        assert!(window.mean() == 0.0 && window.arrival_rate() == 0.0 && window.residual() == 0.0);
        assert_eq!(window.mean_time(), None);
    }

    #[test]
    fn a_wrong_memory_shows_as_a_residual() {
        let mut population = Population::new();
        population.enter(t(10));
        population.leave(t(11), t(20)); // It entered at 10.
        assert!((population.flush(t(30), Present::default()).residual() - 0.1).abs() < 1e-12);

        let mut population = Population::new();
        population.enter(t(10));
        assert!((population.flush(t(20), present(&[10, 15])).residual() - 0.5).abs() < 1e-12);
    }

    #[test]
    #[should_panic(expected = "windows that are joined follow each other")]
    fn a_gap_between_windows_is_noticed() {
        let mut population = Population::new();
        let mut first = population.flush(t(10), Present::default());
        population.flush(t(20), Present::default());
        first.join(&population.flush(t(30), Present::default()));
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// Whoever enters and leaves in whatever order, Little's Law holds to the last digit in every window.
        #[test]
        fn the_law_holds_on_any_path(steps in proptest::collection::vec((0..4_u8, 0..1_u64 << 40, 1..9_u64), 1..200)) {
            let (mut population, mut inside, mut now) = (Population::new(), Vec::new(), 0);
            let mut area = 0_u128;
            let mut whole: Option<PopulationWindow> = None;
            for (step, wait, units) in steps {
                let n: u64 = inside.iter().map(|&(_, units)| units).sum();
                area += u128::from(n) * u128::from(wait);
                now += wait;
                if step < 2 {
                    population.enter_n(units, t(now));
                    inside.push((now, units));
                } else if step == 2 && !inside.is_empty() {
                    let (entered, units) = inside.swap_remove(wait as usize % inside.len());
                    population.leave_n(units, t(entered), t(now));
                } else {
                    let mut present = Present::default();
                    for &(at, units) in &inside {
                        present.add(units, t(at));
                    }
                    prop_assert_eq!(present.count, population.n());
                    let window = population.flush(t(now), present);
                    prop_assert!(window.residual() == 0.0, "{window:?}");
                    prop_assert_eq!(window.n_start + window.enters, window.n_end + window.leaves);
                    prop_assert!(window.max >= window.n_start.max(window.n_end));
                    match &mut whole {
                        Some(whole) => whole.join(&window),
                        None => whole = Some(window),
                    }
                    let joined = whole.as_ref().unwrap();
                    prop_assert_eq!(joined.integral, area);
                    prop_assert!(joined.residual() == 0.0);
                }
            }
        }
    }
}
