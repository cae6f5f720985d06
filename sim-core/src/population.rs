//! How many are present over time, and Little's Law on the path they take.

use crate::SimTime;

/// Counts who is present, and integrates the count over time.
///
/// Requests at a service, units of a resource in use, requests in a queue: each is a population. Everything is
/// kept in whole nanoseconds, so that Little's Law holds to the last digit: the integral of the count is the
/// time spent by those who left, corrected at the edges by the age of those who are present.
///
/// ```
/// use sim_core::{Population, SimTime};
/// let t = SimTime::from_nanos;
/// let mut queue = Population::default();
/// queue.enter(t(10));
/// queue.enter(t(30));
/// queue.leave(t(10), t(50));
/// let window = queue.flush(t(100));
/// assert_eq!(window.integral, 40 + 70);
/// assert_eq!((window.time_sum, window.age_end), (40, 70));
/// assert_eq!(window.residual(), 0.0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Population {
    /// How many are present.
    n: u64,
    /// When `n` changed last.
    last: SimTime,
    /// Integral of `n` dt from `from` to `last`, in ns.
    integral: u128,
    /// When those present entered, summed.
    sum_enter: i128,
    /// How long those who left were there, summed.
    time_sum: u128,
    enters: u64,
    leaves: u64,
    max: u64,
    /// When the window began, and what it began with.
    from: SimTime,
    age_start: u128,
    n_start: u64,
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
        self.advance(now);
        self.n += units;
        self.max = self.max.max(self.n);
        self.enters += units;
        self.sum_enter += (u128::from(units) * u128::from(now.as_nanos())).cast_signed();
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
        self.advance(now);
        self.n -= units;
        self.leaves += units;
        self.sum_enter -= (u128::from(units) * u128::from(entered.as_nanos())).cast_signed();
        self.time_sum += u128::from(units) * u128::from(now.since(entered).as_nanos());
    }

    #[inline]
    fn advance(&mut self, now: SimTime) {
        self.integral += u128::from(self.n) * u128::from(now.since(self.last).as_nanos());
        self.last = now;
    }

    /// Integral of the count from the window's beginning to `now`, in ns.
    #[inline]
    pub fn integral_at(&self, now: SimTime) -> u128 {
        self.integral + u128::from(self.n) * u128::from(now.since(self.last).as_nanos())
    }

    /// How long those present have been there, summed, in ns.
    ///
    /// Whoever entered later than `now` would make it negative; it is 0 then, and the residual shows it.
    pub fn age_at(&self, now: SimTime) -> u128 {
        let age = (u128::from(self.n) * u128::from(now.as_nanos())).cast_signed() - self.sum_enter;
        u128::try_from(age).unwrap_or(0)
    }

    /// Closes the window at `now` and begins the next one there.
    pub fn flush(&mut self, now: SimTime) -> PopulationWindow {
        self.advance(now);
        let window = PopulationWindow {
            from: self.from,
            to: now,
            span_ns: u128::from(now.since(self.from).as_nanos()),
            integral: self.integral,
            time_sum: self.time_sum,
            age_start: self.age_start,
            age_end: self.age_at(now),
            enters: self.enters,
            leaves: self.leaves,
            n_start: self.n_start,
            n_end: self.n,
            max: self.max,
        };
        *self = Self {
            n: self.n,
            last: now,
            sum_enter: self.sum_enter,
            max: self.n,
            from: now,
            age_start: window.age_end,
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
    ///
    /// A wrong time of entry moves the time of those who left and the age of those present by the same amount
    /// in opposite directions. It shows where an edge of the window finds nobody, because then there is no age.
    pub fn residual(&self) -> f64 {
        let age_start = if self.n_start == 0 { 0 } else { self.age_start };
        let age_end = if self.n_end == 0 { 0 } else { self.age_end };
        let gap = (self.integral + age_start).abs_diff(self.time_sum + age_end);
        gap as f64 / self.integral.max(1) as f64
    }
}
