//! A circuit breaker: no more calls to what keeps failing.

use sim_core::{SimTime, Span};

use crate::blueprint::{BreakerPlan, BreakerWindow};

/// Parts of a window of time: its oldest part leaves it at once.
const PARTS: u64 = 100;

/// Shares are compared with this much slack, in calls: 7 of 100 are 7 %.
const SLACK: f64 = 1e-9;

/// A circuit breaker.
///
/// Closed, it lets every call through and looks at the last ones that ended; once enough have failed it opens and
/// lets none through. After a while it is half open: some calls may try, and when all of them have ended they
/// decide. A call is judged by the state that let it through: one that began before the breaker opened says
/// nothing about the time after.
///
/// Source: resilience4j, `CircuitBreakerStateMachine`; Nygard, *Release It!*, 2007.
#[derive(Clone, Debug)]
pub struct Breaker {
    state: State,
    /// Names the present stay in a state.
    period: u32,
    /// Up to when the stays are counted.
    counted: SimTime,
    times: StateTimes,
    recent: Recent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: SimTime },
    HalfOpen { let_through: u32, ended: Tally },
}

/// Leave to make one call; to be handed back with its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    period: u32,
}

/// Nanoseconds spent in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateTimes {
    /// Every call goes through.
    pub closed: u64,
    /// None does.
    pub open: u64,
    /// Some do, to find out.
    pub half_open: u64,
}

/// Calls that ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    calls: u32,
    failed: u32,
    slow: u32,
    /// Failed, slow, or both.
    bad: u32,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.failed += other.failed;
        self.slow += other.slow;
        self.bad += other.bad;
    }

    fn remove(&mut self, other: Self) {
        self.calls -= other.calls;
        self.failed -= other.failed;
        self.slow -= other.slow;
        self.bad -= other.bad;
    }

    /// Whether so many of them failed or were slow that the breaker opens.
    fn opens(self, plan: &BreakerPlan) -> bool {
        let reaches = |count: u32, share: f64| f64::from(count) + SLACK >= share * f64::from(self.calls);
        match plan.slow_share {
            Some(share) => reaches(self.failed, plan.failures) || reaches(self.slow, share),
            None => reaches(self.bad, plan.failures),
        }
    }
}

impl Breaker {
    /// A closed breaker.
    pub fn new(plan: &BreakerPlan, now: SimTime) -> Self {
        Self {
            state: State::Closed,
            period: 0,
            counted: now,
            times: StateTimes::default(),
            recent: Recent::new(plan.window),
        }
    }

    /// Asks to make a call.
    pub fn permit(&mut self, plan: &BreakerPlan, now: SimTime) -> Option<Permit> {
        self.advance(now);
        match &mut self.state {
            State::Closed => {}
            State::Open { .. } => return None,
            State::HalfOpen { let_through, .. } if *let_through >= plan.probes => return None,
            State::HalfOpen { let_through, .. } => *let_through += 1,
        }
        Some(Permit { period: self.period })
    }

    /// A call has ended after `took`. Returns whether that opens the breaker.
    pub fn record(
        &mut self,
        plan: &BreakerPlan,
        permit: Permit,
        failed: bool,
        took: Span,
        now: SimTime,
    ) -> bool {
        self.advance(now);
        if permit.period != self.period {
            return false;
        }
        let slow = plan.slow.is_some_and(|slow| took > slow);
        let one = Tally {
            calls: 1,
            failed: u32::from(failed),
            slow: u32::from(slow),
            bad: u32::from(failed || slow),
        };
        let opens = match &mut self.state {
            State::Closed => {
                self.recent.fit(plan.window);
                let seen = self.recent.add(one, now);
                let enough = match plan.window {
                    BreakerWindow::Time(_) => plan.min_calls,
                    BreakerWindow::Calls(window) => plan.min_calls.min(window),
                };
                seen.calls >= enough && seen.opens(plan)
            }
            State::Open { .. } => false,
            State::HalfOpen { ended, .. } => {
                ended.add(one);
                let ended = *ended;
                if ended.calls < plan.probes {
                    return false;
                }
                if !ended.opens(plan) {
                    self.enter(State::Closed);
                }
                ended.opens(plan)
            }
        };
        if opens {
            self.enter(State::Open { until: now.saturating_add(plan.open) });
        }
        opens
    }

    /// A call was not made after all, or its caller has gone: it says nothing.
    pub fn give_back(&mut self, permit: Permit) {
        if let State::HalfOpen { let_through, .. } = &mut self.state
            && permit.period == self.period
        {
            *let_through -= 1;
        }
    }

    /// The stays in each state since the last time this was asked.
    pub fn flush(&mut self, now: SimTime) -> StateTimes {
        self.advance(now);
        std::mem::take(&mut self.times)
    }

    /// Counts the stays up to `now`; an open breaker is half open when its time is up.
    fn advance(&mut self, now: SimTime) {
        if let State::Open { until } = self.state
            && until <= now
        {
            self.count(until);
            self.enter(State::HalfOpen { let_through: 0, ended: Tally::default() });
        }
        self.count(now);
    }

    fn count(&mut self, now: SimTime) {
        let stay = now.since(self.counted).as_nanos();
        match self.state {
            State::Closed => self.times.closed += stay,
            State::Open { .. } => self.times.open += stay,
            State::HalfOpen { .. } => self.times.half_open += stay,
        }
        self.counted = now;
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.period = self.period.wrapping_add(1);
        self.recent.clear();
    }
}

/// The calls that a closed breaker judges by.
#[derive(Clone, Debug)]
struct Recent {
    window: BreakerWindow,
    sum: Tally,
    /// Parts of the window's time, or single calls; a ring.
    parts: Vec<Tally>,
    /// Number of the latest part since the start, or the next call's place.
    latest: u64,
}

impl Recent {
    fn new(window: BreakerWindow) -> Self {
        let parts = match window {
            BreakerWindow::Time(_) => vec![Tally::default(); PARTS as usize],
            BreakerWindow::Calls(_) => Vec::new(),
        };
        Self { window, sum: Tally::default(), parts, latest: 0 }
    }

    /// Begins anew where the window is another one.
    fn fit(&mut self, window: BreakerWindow) {
        if self.window != window {
            *self = Self::new(window);
        }
    }

    fn clear(&mut self) {
        *self = Self::new(self.window);
    }

    /// Adds a call that has just ended. Returns the window's calls with it.
    fn add(&mut self, call: Tally, now: SimTime) -> Tally {
        match self.window {
            BreakerWindow::Time(window) => {
                self.add_at(call, now.as_nanos() / (window.as_nanos() / PARTS).max(1));
            }
            BreakerWindow::Calls(window) => self.add_next(call, window as usize),
        }
        self.sum
    }

    fn add_at(&mut self, call: Tally, part: u64) {
        // Each part that begins takes the place of the one that has become too old.
        for begun in (self.latest + 1..=part).take(PARTS as usize) {
            self.sum.remove(std::mem::take(&mut self.parts[(begun % PARTS) as usize]));
        }
        self.latest = part;
        self.parts[(part % PARTS) as usize].add(call);
        self.sum.add(call);
    }

    fn add_next(&mut self, call: Tally, window: usize) {
        if self.parts.len() < window {
            self.parts.push(call);
        } else {
            let place = &mut self.parts[(self.latest % window as u64) as usize];
            self.sum.remove(std::mem::replace(place, call));
        }
        self.latest += 1;
        self.sum.add(call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> SimTime {
        SimTime::ZERO + span(seconds)
    }

    fn span(seconds: f64) -> Span {
        Span::from_seconds(seconds).unwrap()
    }

    /// Half of at least four calls, open for 10 s, two probes.
    fn plan(window: BreakerWindow) -> BreakerPlan {
        BreakerPlan {
            window,
            min_calls: 4,
            failures: 0.5,
            slow: None,
            slow_share: None,
            open: span(10.0),
            probes: 2,
        }
    }

    /// Makes a call that ends at once; none when it is not let through.
    fn call(breaker: &mut Breaker, plan: &BreakerPlan, failed: bool, now: SimTime) -> Option<bool> {
        let permit = breaker.permit(plan, now)?;
        Some(breaker.record(plan, permit, failed, Span::ZERO, now))
    }

    #[test]
    fn it_opens_at_the_share_but_not_before_enough_calls() {
        let plan = plan(BreakerWindow::Calls(100));
        let mut breaker = Breaker::new(&plan, at(0.0));
        for failed in [true, true, true] {
            assert_eq!(call(&mut breaker, &plan, failed, at(1.0)), Some(false), "three are not enough");
        }
        assert_eq!(call(&mut breaker, &plan, false, at(1.0)), Some(true), "three of four");
        assert_eq!(call(&mut breaker, &plan, false, at(10.9)), None);
    }

    #[test]
    fn a_count_forgets_what_lies_further_back() {
        let plan = plan(BreakerWindow::Calls(4));
        let mut breaker = Breaker::new(&plan, at(0.0));
        // The window never holds two failures: they are four apart.
        for i in 0..40 {
            assert_eq!(call(&mut breaker, &plan, i % 4 == 0, at(0.0)), Some(false), "call {i}");
        }
        assert_eq!(call(&mut breaker, &plan, true, at(0.0)), Some(false));
        assert_eq!(call(&mut breaker, &plan, true, at(0.0)), Some(true), "two of the last four");
    }

    #[test]
    fn a_window_of_time_forgets_what_is_older() {
        let plan = plan(BreakerWindow::Time(span(10.0)));
        let mut breaker = Breaker::new(&plan, at(0.0));
        for second in 0..3 {
            call(&mut breaker, &plan, true, at(f64::from(second)));
        }
        // At 11.5 s only the failure of 2 s is left, at 12.2 s none of them.
        assert_eq!(call(&mut breaker, &plan, false, at(11.5)), Some(false));
        assert_eq!(call(&mut breaker, &plan, false, at(11.6)), Some(false));
        assert_eq!(call(&mut breaker, &plan, true, at(12.2)), Some(false));
        assert_eq!(call(&mut breaker, &plan, true, at(12.3)), Some(true), "two of four");
    }

    #[test]
    fn a_window_of_time_survives_a_long_silence() {
        let plan = plan(BreakerWindow::Time(span(10.0)));
        let mut breaker = Breaker::new(&plan, at(0.0));
        for _ in 0..3 {
            call(&mut breaker, &plan, true, at(1.0));
        }
        assert_eq!(call(&mut breaker, &plan, true, at(5_000.0)), Some(false), "the first of a new window");
    }

    #[test]
    fn probes_decide_when_all_of_them_have_ended() {
        let plan = plan(BreakerWindow::Calls(4));
        let mut breaker = Breaker::new(&plan, at(0.0));
        for _ in 0..4 {
            call(&mut breaker, &plan, true, at(0.0));
        }
        let now = at(10.0);
        let first = breaker.permit(&plan, now).unwrap();
        let second = breaker.permit(&plan, now).unwrap();
        assert_eq!(breaker.permit(&plan, now), None, "two probes are let through");
        assert!(!breaker.record(&plan, first, false, Span::ZERO, now));
        assert!(breaker.record(&plan, second, true, Span::ZERO, now), "one of two is half");
        assert_eq!(breaker.permit(&plan, at(19.9)), None);
        for _ in 0..2 {
            assert_eq!(call(&mut breaker, &plan, false, at(20.0)), Some(false));
        }
        for _ in 0..10 {
            assert!(breaker.permit(&plan, at(20.0)).is_some(), "it is closed again");
        }
    }

    #[test]
    fn a_probe_that_was_not_made_can_be_made_again() {
        let plan = BreakerPlan { probes: 1, ..plan(BreakerWindow::Calls(4)) };
        let mut breaker = Breaker::new(&plan, at(0.0));
        for _ in 0..4 {
            call(&mut breaker, &plan, true, at(0.0));
        }
        let probe = breaker.permit(&plan, at(10.0)).unwrap();
        assert_eq!(breaker.permit(&plan, at(11.0)), None);
        breaker.give_back(probe);
        assert!(breaker.permit(&plan, at(11.0)).is_some());
    }

    #[test]
    fn calls_from_before_it_opened_say_nothing() {
        let plan = plan(BreakerWindow::Calls(4));
        let mut breaker = Breaker::new(&plan, at(0.0));
        let early = breaker.permit(&plan, at(0.0)).unwrap();
        for _ in 0..4 {
            call(&mut breaker, &plan, true, at(0.0));
        }
        let probe = breaker.permit(&plan, at(10.0)).unwrap();
        assert!(!breaker.record(&plan, early, true, span(10.0), at(10.0)), "it is no probe");
        assert!(!breaker.record(&plan, probe, false, Span::ZERO, at(10.0)));
        call(&mut breaker, &plan, false, at(10.0));
        assert!((0..3).all(|_| breaker.permit(&plan, at(10.0)).is_some()), "two good probes close it");
    }

    #[test]
    fn slow_calls_count_as_failures_or_have_a_share_of_their_own() {
        for (slow_share, opens) in [(None, true), (Some(1.0), false), (Some(0.5), true)] {
            let plan = BreakerPlan { slow: Some(span(1.0)), slow_share, ..plan(BreakerWindow::Calls(4)) };
            let mut breaker = Breaker::new(&plan, at(0.0));
            let permits = [(); 4].map(|()| breaker.permit(&plan, at(0.0)).unwrap());
            let mut opened = false;
            for (permit, took) in permits.into_iter().zip([0.5, 1.0, 1.1, 2.0]) {
                opened = breaker.record(&plan, permit, false, span(took), at(took));
            }
            assert_eq!(opened, opens, "two of four are slow, share {slow_share:?}");
        }
    }

    #[test]
    fn stays_add_up_to_the_time_that_passed() {
        let plan = BreakerPlan { probes: 1, ..plan(BreakerWindow::Calls(4)) };
        let mut breaker = Breaker::new(&plan, at(1.0));
        for _ in 0..4 {
            call(&mut breaker, &plan, true, at(3.0));
        }
        // Open from 3 s, half open from 13 s, closed by a probe at 14 s.
        call(&mut breaker, &plan, false, at(14.0));
        let seconds = |n: u64| n * 1_000_000_000;
        let expected = StateTimes { closed: seconds(2 + 6), open: seconds(10), half_open: seconds(1) };
        assert_eq!(breaker.flush(at(20.0)), expected);
        assert_eq!(breaker.flush(at(20.0)), StateTimes::default());
    }
}
