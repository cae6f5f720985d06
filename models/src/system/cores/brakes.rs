//! What makes work slower than the cores are: contention between those who compute, a quota, and pauses.

use sim_core::{Draws, SimTime, combine};

use crate::blueprint::{Contention, CoresPlan, ThrottlePlan};
use crate::observe::ThrottledObservation;

/// Separates the phase of a quota's periods from what else is drawn for a replica.
const SALT_PHASE: u64 = 0x6C62_272E_07BB_0142;

/// What slows all bursts on the cores of a replica.
#[derive(Clone, Debug, Default)]
pub(super) struct Brakes {
    contention: Option<Contention>,
    quota: Option<Quota>,
    /// Pauses under way: while there are any, everything stands still.
    pauses: u32,
}

impl Brakes {
    /// The brakes of `plan`, if there are any.
    pub(super) fn new(plan: &CoresPlan, name: u64) -> Option<Box<Self>> {
        let quota = plan.throttle.map(|throttle| Quota::new(throttle, plan.cores, name));
        (plan.contention.is_some() || quota.is_some())
            .then(|| Box::new(Self { contention: plan.contention, quota, pauses: 0 }))
    }

    /// Puts other limits in force; a quota that changes begins anew.
    pub(super) fn change(&mut self, plan: &CoresPlan, name: u64) {
        self.contention = plan.contention;
        let before = self.quota.take();
        self.quota = plan.throttle.map(|throttle| {
            let mut quota = Quota::new(throttle, plan.cores, name);
            if let Some(before) = before {
                quota.throttled = before.throttled;
                if (quota.plan, quota.each) == (before.plan, before.each) {
                    quota = before;
                }
            }
            quota
        });
    }

    /// Pace of each of `running` that share `width` cores, as a share of what the cores alone would give.
    ///
    /// The work of all together is what contention leaves of it, and never more than the cores can do.
    #[inline]
    pub(super) fn efficiency(&self, running: usize, width: f64) -> f64 {
        let Some(contention) = self.contention.filter(|_| running > 1) else { return 1.0 };
        let n = running as f64;
        let cores = n.min(width);
        contention.speedup(n).min(cores) / cores
    }

    /// Lets time pass while `used` cores are asked for; returns the nanoseconds in which there was work.
    pub(super) fn pass(&mut self, from: SimTime, to: SimTime, used: f64) -> f64 {
        match &mut self.quota {
            None => to.since(from).as_nanos() as f64,
            Some(quota) => quota.pass(from.as_nanos(), to.as_nanos(), used),
        }
    }

    /// Nanoseconds until there have been `active` ones of work, while `used` cores are asked for.
    pub(super) fn delay(&self, from: SimTime, active: f64, used: f64) -> f64 {
        self.quota.as_ref().map_or(active, |quota| quota.delay(from.as_nanos(), active, used))
    }

    /// Whether everything stands still.
    pub(super) fn is_paused(&self) -> bool {
        self.pauses > 0
    }

    /// A pause begins.
    pub(super) fn pause(&mut self) {
        self.pauses += 1;
    }

    /// One of the pauses ends.
    pub(super) fn resume(&mut self) {
        self.pauses -= 1;
    }

    pub(super) fn take_throttled(&mut self) -> ThrottledObservation {
        self.quota.as_mut().map(|quota| std::mem::take(&mut quota.throttled)).unwrap_or_default()
    }
}

/// CPU time that may be used in each period: what Linux does to a container with a CPU limit.
///
/// All cores of the host run at full speed until the quota is used up; then everything stands still until the next
/// period begins. What is left at the end of a period is lost. The kernel hands the quota to its cores in slices of
/// 5 ms, which is left out.
///
/// Source: Turner, Rao, Rao, *CPU bandwidth control for CFS*, Linux Symposium 2010; Linux,
/// `Documentation/scheduler/sched-bwc.rst`.
#[derive(Clone, Debug)]
struct Quota {
    plan: ThrottlePlan,
    /// Core-nanoseconds of each period.
    each: f64,
    /// Nanoseconds by which periods begin before whole multiples.
    phase: u64,
    /// The period that `left` is of.
    number: u64,
    /// Core-nanoseconds left in it.
    left: f64,
    /// Whether it has been held back in it.
    stood: bool,
    throttled: ThrottledObservation,
}

impl Quota {
    fn new(plan: ThrottlePlan, cores: f64, name: u64) -> Self {
        let period = plan.period.as_nanos().max(1);
        let each = cores * period as f64;
        let phase = (Draws::keyed(combine(SALT_PHASE, name)).unit() * period as f64) as u64;
        Self {
            plan,
            each,
            phase,
            number: u64::MAX,
            left: each,
            stood: false,
            throttled: ThrottledObservation::default(),
        }
    }

    fn period(&self) -> u64 {
        self.plan.period.as_nanos().max(1)
    }

    /// The period at an instant, and when it ends.
    fn at(&self, nanos: u64) -> (u64, u64) {
        let period = self.period();
        let shifted = nanos + self.phase;
        let number = shifted / period;
        (number, (number + 1) * period - self.phase)
    }

    fn pass(&mut self, from: u64, to: u64, used: f64) -> f64 {
        let mut active = 0.0;
        let mut now = from;
        while now < to {
            let (number, end) = self.at(now);
            if number != self.number {
                self.number = number;
                self.left = self.each;
                self.stood = false;
                self.throttled.periods += 1;
            }
            let end = end.min(to);
            let time = (end - now) as f64;
            let runs = time.min(self.left / used);
            active += runs;
            self.left = (self.left - runs * used).max(0.0);
            let stands = time - runs;
            if stands > 0.0 {
                self.throttled.nanos += stands;
                self.throttled.held_back += u64::from(!self.stood);
                self.stood = true;
            }
            now = end;
        }
        active
    }

    fn delay(&self, from: u64, active: f64, used: f64) -> f64 {
        let (number, end) = self.at(from);
        let left = if number == self.number { self.left } else { self.each };
        let rest = (end - from) as f64;
        let now = rest.min(left / used);
        if active <= now {
            return active;
        }
        let period = self.period() as f64;
        let each = period.min(self.each / used);
        let wanted = active - now;
        // Whole periods that are not enough, and what is left for the last one.
        let whole = (wanted / each).ceil() - 1.0;
        rest + whole * period + (wanted - whole * each)
    }
}

#[cfg(test)]
mod tests {
    use sim_core::Span;

    use super::*;

    const MS: u64 = 1_000_000;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-3, "{a} instead of {b}");
    }

    /// Half a core in periods of 100 ms that begin at whole multiples.
    fn half() -> Quota {
        let plan = ThrottlePlan { period: Span::from_nanos(100 * MS), host_cores: f64::INFINITY };
        Quota { phase: 0, ..Quota::new(plan, 0.5, 1) }
    }

    #[test]
    fn one_thread_runs_half_of_each_period() {
        let mut quota = half();
        close(quota.pass(0, 40 * MS, 1.0), 40e6);
        close(quota.pass(40 * MS, 90 * MS, 1.0), 10e6); // To 50 ms; then it stands.
        close(quota.pass(90 * MS, 230 * MS, 1.0), 80e6); // 50 in the second period, 30 in the third.
        assert_eq!((quota.throttled.periods, quota.throttled.held_back), (3, 2));
        close(quota.throttled.nanos, 100e6);
    }

    #[test]
    fn four_threads_use_the_quota_up_in_a_quarter_of_the_time() {
        let mut quota = half();
        close(quota.pass(0, 100 * MS, 4.0), 12.5e6);
        close(quota.throttled.nanos, 87.5e6);
    }

    #[test]
    fn what_is_left_is_lost() {
        let mut quota = half();
        close(quota.pass(90 * MS, 95 * MS, 1.0), 5e6);
        close(quota.pass(110 * MS, 200 * MS, 1.0), 50e6);
    }

    #[test]
    fn a_delay_is_when_so_much_has_passed() {
        for active in [1.0, 9e6, 49.9e6, 50e6, 50.1e6, 123.4e6, 200e6] {
            for from in [0, 30 * MS, 77 * MS] {
                let mut quota = half();
                let delay = quota.delay(from, active, 1.0);
                close(quota.pass(from, from + delay.round() as u64, 1.0), active);
            }
        }
        // 120 ms of work from 0 on: 50 + 50 + 20, the last in the third period.
        close(half().delay(0, 120e6, 1.0), 220e6);
    }

    #[test]
    fn contention_is_gunthers_law_up_to_the_cores() {
        let plan = CoresPlan {
            contention: Some(Contention { sigma: 0.05, kappa: 0.0095 }),
            ..CoresPlan::shared(4.0)
        };
        let brakes = Brakes::new(&plan, 1).unwrap();
        // 10 / (1 + 0.45 + 0.855) = 4.34 is more than four cores do; 200 / 389 is not.
        close(brakes.efficiency(10, 4.0), 1.0);
        close(brakes.efficiency(200, 4.0) * 4.0, 200.0 / (1.0 + 0.05 * 199.0 + 0.0095 * 200.0 * 199.0));
        close(brakes.efficiency(1, 4.0), 1.0);
        close(brakes.efficiency(2, 4.0), 1.0 / (1.0 + 0.05 + 0.019));
        close(plan.most_work(), 4.0);
    }
}
