//! Health: what a caller thinks of the replicas that it may call.
//!
//! An opinion, with a delay, and each caller has its own. Two things form it: how its own calls end (passive
//! ejection) and checks by the clock (active). Calls go to the replicas that are in; when too few are, to all of
//! them, since then it is likelier that the opinion is wrong.
//!
//! Source: Envoy, outlier detection and panic threshold; `HAProxy`, `inter`, `fall` and `rise`.

use sim_core::{SimTime, Span};

/// The longest ejection, however often a replica was ejected: Envoy, `max_ejection_time`.
const LONGEST: f64 = 300.0;

/// How the health of replicas is judged.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthPlan {
    /// Checks by the clock.
    pub check: Option<CheckPlan>,
    /// Ejection by how calls end.
    pub eject: Option<EjectPlan>,
    /// With a smaller share of the replicas in, health is ignored.
    pub panic: f64,
}

/// Checks by the clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CheckPlan {
    /// Time between two checks of a replica.
    pub every: Span,
    /// Failed checks in a row after which a replica is out.
    pub fall: u32,
    /// Passed checks in a row after which it is in again.
    pub rise: u32,
}

/// Ejection by how calls end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EjectPlan {
    /// Failed calls in a row after which a replica is ejected.
    pub errors: u32,
    /// How long, times how often it was ejected.
    pub time: Span,
    /// The largest share of the replicas that may be ejected at once; one always may.
    pub max: f64,
}

/// One caller's opinion of one replica.
#[derive(Clone, Copy, Debug, Default)]
struct Opinion {
    /// Failed calls in a row.
    failures: u32,
    /// How often it was ejected.
    times: u32,
    /// When it returns from its ejection.
    until: Option<SimTime>,
    /// Whether checks have taken it out.
    down: bool,
    /// Checks in a row that speak against `down`.
    streak: u32,
    /// Up to when its time out has been counted.
    counted: SimTime,
}

impl Opinion {
    fn is_out(&self) -> bool {
        self.down || self.until.is_some()
    }
}

/// What one caller thinks of the replicas of a service.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// By number of the replica.
    opinions: Vec<Opinion>,
    /// The replicas that may be called at all.
    members: Vec<u32>,
    /// Those of them that are in.
    usable: Vec<u32>,
    /// Whether `usable` has to be made anew.
    stale: bool,
    /// When the next ejection ends.
    next_return: Option<SimTime>,
    /// Replicas ejected so far.
    pub ejections: u64,
    /// Nanoseconds that replicas have been out.
    pub out_ns: u128,
}

impl Health {
    /// The replicas among `ready` that are in; none when so few are that health is to be ignored.
    pub fn usable(&mut self, plan: &HealthPlan, ready: &[u32], now: SimTime) -> Option<&[u32]> {
        self.let_return(now);
        if self.members != ready {
            self.meet(ready, now);
        }
        if self.stale {
            self.stale = false;
            self.usable.clear();
            let opinions = &self.opinions;
            self.usable.extend(ready.iter().filter(|&&replica| !opinions[replica as usize].is_out()));
        }
        let enough = self.usable.len() as f64 >= plan.panic * ready.len() as f64;
        (enough && !self.usable.is_empty()).then_some(&self.usable)
    }

    /// Takes in who may be called now, and forgets who may no longer be.
    fn meet(&mut self, ready: &[u32], now: SimTime) {
        let most = ready.last().map_or(0, |&last| last as usize + 1);
        if self.opinions.len() < most {
            self.opinions.resize(most, Opinion::default());
        }
        for replica in 0..self.opinions.len() {
            if ready.binary_search(&(replica as u32)).is_err() {
                self.count(replica, now);
                self.opinions[replica] = Opinion::default();
            }
        }
        self.members.clear();
        self.members.extend_from_slice(ready);
        self.stale = true;
    }

    /// A call to the replica has ended, for this caller well or not.
    pub fn ended(&mut self, plan: &HealthPlan, replica: u32, well: bool, now: SimTime) {
        self.let_return(now);
        let (Some(eject), Some(opinion)) = (plan.eject, self.opinions.get_mut(replica as usize)) else {
            return;
        };
        opinion.failures = if well { 0 } else { opinion.failures + 1 };
        if opinion.failures < eject.errors || opinion.until.is_some() {
            return;
        }
        let ejected = self.opinions.iter().filter(|opinion| opinion.until.is_some()).count();
        let allowed = ((eject.max * self.members.len() as f64).floor() as usize).max(1);
        if ejected >= allowed || self.members.binary_search(&replica).is_err() {
            return;
        }
        self.count(replica as usize, now);
        let opinion = &mut self.opinions[replica as usize];
        opinion.failures = 0;
        opinion.times += 1;
        let longest = eject.time.as_seconds().max(LONGEST);
        let time = (eject.time.as_seconds() * f64::from(opinion.times)).min(longest);
        let until = now.saturating_add(Span::from_seconds(time).unwrap_or(sim_core::MAX_SPAN));
        opinion.until = Some(until);
        self.next_return = Some(self.next_return.map_or(until, |next| next.min(until)));
        self.ejections += 1;
        self.stale = true;
    }

    /// A check of the replica has passed or failed. Tells whether further checks could change anything while
    /// they give the same.
    pub fn checked(&mut self, check: &CheckPlan, replica: u32, passed: bool, now: SimTime) -> bool {
        self.let_return(now);
        let Some(opinion) = self.opinions.get_mut(replica as usize) else { return false };
        if passed != opinion.down {
            opinion.streak = 0;
            return false;
        }
        opinion.streak += 1;
        if opinion.streak < if opinion.down { check.rise } else { check.fall } {
            return true;
        }
        self.count(replica as usize, now);
        let opinion = &mut self.opinions[replica as usize];
        opinion.down = !opinion.down;
        opinion.streak = 0;
        self.stale = true;
        false
    }

    /// Counts the time that replicas have been out until `now`, and takes what was counted.
    pub fn take_out_ns(&mut self, now: SimTime) -> u128 {
        self.let_return(now);
        for replica in 0..self.opinions.len() {
            self.count(replica, now);
        }
        std::mem::take(&mut self.out_ns)
    }

    /// Ends the ejections whose time has passed.
    fn let_return(&mut self, now: SimTime) {
        if self.next_return.is_none_or(|next| next > now) {
            return;
        }
        self.next_return = None;
        self.stale = true;
        for replica in 0..self.opinions.len() {
            let Some(until) = self.opinions[replica].until else { continue };
            if until <= now {
                self.count(replica, until);
                self.opinions[replica].until = None;
            } else {
                self.next_return = Some(self.next_return.map_or(until, |next| next.min(until)));
            }
        }
    }

    /// Adds the time that the replica has been out up to `now`.
    fn count(&mut self, replica: usize, now: SimTime) {
        let opinion = &mut self.opinions[replica];
        if opinion.is_out() {
            self.out_ns += u128::from(now.since(opinion.counted).as_nanos());
        }
        opinion.counted = now;
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

    /// Envoy's defaults, and checks like those of `HAProxy`.
    fn plan() -> HealthPlan {
        HealthPlan {
            check: Some(CheckPlan { every: span(2.0), fall: 3, rise: 2 }),
            eject: Some(EjectPlan { errors: 5, time: span(30.0), max: 0.1 }),
            panic: 0.5,
        }
    }

    const FOUR: [u32; 4] = [0, 1, 2, 3];

    fn fail(health: &mut Health, replica: u32, times: u32, seconds: f64) {
        (0..times).for_each(|_| health.ended(&plan(), replica, false, at(seconds)));
    }

    #[test]
    fn five_failures_in_a_row_eject_for_thirty_seconds_then_sixty() {
        let mut health = Health::default();
        let usable = |health: &mut Health, seconds| health.usable(&plan(), &FOUR, at(seconds)).unwrap().len();
        assert_eq!(usable(&mut health, 0.0), 4);
        fail(&mut health, 2, 4, 1.0);
        health.ended(&plan(), 2, true, at(1.0));
        fail(&mut health, 2, 4, 1.0);
        assert_eq!(usable(&mut health, 1.0), 4, "not in a row");
        fail(&mut health, 2, 1, 2.0);
        assert_eq!(health.usable(&plan(), &FOUR, at(31.9)), Some(&[0, 1, 3][..]));
        assert_eq!(usable(&mut health, 32.0), 4);
        fail(&mut health, 2, 5, 40.0);
        assert_eq!([usable(&mut health, 99.9), usable(&mut health, 100.0)], [3, 4]);
        assert_eq!(health.take_out_ns(at(200.0)), 90_000_000_000);
        assert_eq!(health.ejections, 2);
    }

    #[test]
    fn a_tenth_may_be_ejected_but_always_one() {
        let mut health = Health::default();
        health.usable(&plan(), &FOUR, at(0.0));
        fail(&mut health, 0, 5, 1.0);
        fail(&mut health, 1, 50, 1.0);
        assert_eq!(health.usable(&plan(), &FOUR, at(2.0)), Some(&[1, 2, 3][..]));
    }

    #[test]
    fn checks_take_out_after_three_and_let_in_after_two() {
        let mut health = Health::default();
        let check = plan().check.unwrap();
        health.usable(&plan(), &FOUR, at(0.0));
        let told: Vec<bool> = (0..4).map(|_| health.checked(&check, 1, false, at(2.0))).collect();
        assert_eq!(told, [true, true, false, false], "then there is nothing more to find out");
        assert_eq!(health.usable(&plan(), &FOUR, at(3.0)), Some(&[0, 2, 3][..]));
        assert!(health.checked(&check, 1, true, at(10.0)));
        assert!(!health.checked(&check, 1, true, at(12.0)));
        assert_eq!(health.usable(&plan(), &FOUR, at(12.0)), Some(&FOUR[..]));
        assert_eq!(health.take_out_ns(at(12.0)), 10_000_000_000);
    }

    #[test]
    fn with_fewer_than_half_in_health_is_ignored() {
        let mut health = Health::default();
        let check = plan().check.unwrap();
        health.usable(&plan(), &FOUR, at(0.0));
        let down = |health: &mut Health, replica| {
            (0..3).for_each(|_| _ = health.checked(&check, replica, false, at(1.0)));
            health.usable(&plan(), &FOUR, at(1.0)).map(<[u32]>::len)
        };
        assert_eq!([0, 1, 2].map(|replica| down(&mut health, replica)), [Some(3), Some(2), None]);
    }

    #[test]
    fn who_comes_back_is_judged_anew() {
        let mut health = Health::default();
        health.usable(&plan(), &FOUR, at(0.0));
        fail(&mut health, 3, 5, 0.0);
        assert_eq!(health.usable(&plan(), &[0, 1, 2], at(10.0)), Some(&[0, 1, 2][..]));
        assert_eq!(health.usable(&plan(), &FOUR, at(20.0)), Some(&FOUR[..]));
        assert_eq!(health.take_out_ns(at(30.0)), 10_000_000_000);
    }
}
