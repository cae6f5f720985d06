use super::*;
use crate::blueprint::Contention;

const MS: f64 = 1e6;

/// A replica's cores, driven by hand: bursts are known by numbers.
struct Desk {
    cores: Cores,
    now: f64,
    /// Who has ended, and when, in ms.
    ended: Vec<(u32, f64)>,
}

impl Desk {
    fn new(plan: CoresPlan) -> Self {
        Self { cores: Cores::new(0, &plan, 1.0, 0, SimTime::ZERO), now: 0.0, ended: Vec::new() }
    }

    fn with(scheduling: Scheduling, cores: f64) -> Self {
        Self::new(CoresPlan { scheduling, ..CoresPlan::shared(cores) })
    }

    /// Lets everything happen until then.
    fn until(&mut self, ms: f64) {
        loop {
            let next = self.cores.until_next_end().map(|nanos| self.now + nanos as f64);
            let Some(at) = next.filter(|&at| at <= ms * MS) else { break };
            self.now = at;
            self.cores.advance(SimTime::from_nanos(at as u64));
            while let Some((worker, _)) = self.cores.end_one() {
                let Worker::Visit(number) = worker else { panic!("a frame") };
                self.ended.push((number, (at / MS * 1e3).round() / 1e3));
            }
            while self.cores.next_in_line(|_| true).is_some() {}
        }
        self.now = ms * MS;
        self.cores.advance(SimTime::from_nanos(self.now as u64));
    }

    fn begin(&mut self, number: u32, at: f64, need: f64, class: u16) -> Begun {
        self.until(at);
        self.cores.begin(Worker::Visit(number), (need * MS) as u64, class)
    }

    fn rest(mut self) -> Vec<(u32, f64)> {
        self.until(1e6);
        assert!(self.cores.partial().abs() < 1e-3, "{}", self.cores.partial());
        self.ended
    }
}

/// Three bursts of 10, 4 and 2 ms that begin at 0, 1 and 2 ms.
fn three(scheduling: Scheduling) -> Vec<(u32, f64)> {
    let mut desk = Desk::with(scheduling, 1.0);
    desk.begin(1, 0.0, 10.0, 1);
    desk.begin(2, 1.0, 4.0, 0);
    desk.begin(3, 2.0, 2.0, 1);
    desk.rest()
}

#[test]
fn one_core_serves_in_the_order_of_the_discipline() {
    let in_line = vec![(1, 10.0), (2, 14.0), (3, 16.0)];
    assert_eq!(three(Scheduling::RunToCompletion), in_line);
    // 10 keeps its core; then the smaller one.
    assert_eq!(three(Scheduling::ShortestJobFirst), [(1, 10.0), (3, 12.0), (2, 16.0)]);
    // 4 takes the core at 1, 2 at 2; 4 has 3 left at 4.
    let shortest = [(3, 4.0), (2, 7.0), (1, 16.0)];
    assert_eq!(three(Scheduling::ShortestRemaining), shortest);
    assert_eq!(three(Scheduling::ShortestOriginalSize), shortest);
    assert_eq!(three(Scheduling::LastComeFirst), shortest);
    // The second is of the important class; the others in order.
    assert_eq!(three(Scheduling::Priority { preemptive: true }), [(2, 5.0), (1, 14.0), (3, 16.0)]);
    assert_eq!(three(Scheduling::Priority { preemptive: false }), [(1, 10.0), (2, 14.0), (3, 16.0)]);
    // 1 has got 1 ms when 2 comes, and 2 has got 1 when 3 comes, which catches up at 3; all three share from
    // there: 3 has its second ms at 6, 2 and 1 share to 4 ms each at 10, and 1 has 6 left.
    assert_eq!(three(Scheduling::LeastAttained), [(3, 6.0), (2, 10.0), (1, 16.0)]);
    // Alone to 1; two share to 2; three share: 2 ms each at 8; 1 has 3.5, 2 has 2.5 of 4, and shares to 11.
    assert_eq!(three(Scheduling::Sharing), [(3, 8.0), (2, 11.0), (1, 16.0)]);
}

#[test]
fn what_is_left_is_not_what_was_asked_for() {
    // 10 has 3 left when 5 comes: the rest is smaller, the size is not.
    let two = |scheduling| {
        let mut desk = Desk::with(scheduling, 1.0);
        desk.begin(1, 0.0, 10.0, 0);
        desk.begin(2, 7.0, 5.0, 0);
        desk.rest()
    };
    assert_eq!(two(Scheduling::ShortestRemaining), [(1, 10.0), (2, 15.0)]);
    assert_eq!(two(Scheduling::ShortestOriginalSize), [(2, 12.0), (1, 15.0)]);
}

#[test]
fn two_cores_serve_the_first_two() {
    let of = |scheduling| {
        let mut desk = Desk::with(scheduling, 2.0);
        desk.begin(1, 0.0, 10.0, 0);
        desk.begin(2, 0.0, 6.0, 0);
        desk.begin(3, 1.0, 3.0, 0);
        desk.rest()
    };
    // 3 takes the core of 1, which has got 1 ms, from 1 to 4.
    assert_eq!(of(Scheduling::ShortestRemaining), [(3, 4.0), (2, 6.0), (1, 13.0)]);
    // 3 has a core of its own until it has got 1 ms, at 2; 1 and 2 share the other: all have got 1 to 1.5. Level:
    // at 2, 1 and 2 have got 1.5 and 3 has 1; 3 reaches 2 with them at 3 (they at 1/2 each): three share two cores
    // from there, 3 ends at 4.5 with the others at 3; each has a core then: 2 at 7.5, 1 at 11.5.
    assert_eq!(of(Scheduling::LeastAttained), [(3, 4.5), (2, 7.5), (1, 11.5)]);
}

#[test]
fn a_fraction_of_a_core_is_shared_by_those_who_compute() {
    // Two compute at 0.75 each: 3 ms take 4; the third then joins the second.
    let mut desk = Desk::with(Scheduling::LastComeFirst, 1.5);
    desk.begin(1, 0.0, 3.0, 0);
    desk.begin(2, 0.0, 6.0, 0);
    assert_eq!(desk.rest(), [(1, 4.0), (2, 7.0)]);
    let mut desk = Desk::with(Scheduling::ShortestRemaining, 0.5);
    desk.begin(1, 0.0, 3.0, 0);
    desk.begin(2, 0.0, 1.0, 0);
    assert_eq!(desk.rest(), [(2, 2.0), (1, 8.0)]);
}

#[test]
fn who_is_stopped_gives_back_its_place() {
    for scheduling in [Scheduling::ShortestRemaining, Scheduling::LastComeFirst, Scheduling::LeastAttained] {
        let mut desk = Desk::with(scheduling, 1.0);
        desk.begin(1, 0.0, 10.0, 0);
        let Begun::Computing(second) = desk.begin(2, 1.0, 4.0, 0) else { panic!("in line") };
        let Begun::Computing(third) = desk.begin(3, 2.0, 2.0, 0) else { panic!("in line") };
        desk.until(2.5);
        let got = (desk.cores.stop(third) / MS, desk.cores.stop(second) / MS);
        assert_eq!(got, (0.5, 1.0), "{scheduling:?}");
        assert!((desk.cores.partial() / MS - 1.0).abs() < 1e-9, "{scheduling:?}");
        assert_eq!(desk.rest(), [(1, 11.5)], "{scheduling:?}");
    }
}

#[test]
fn the_order_can_change_while_they_compute() {
    use Scheduling::{LastComeFirst, LeastAttained, RunToCompletion, Sharing, ShortestRemaining};
    let all = [Sharing, LastComeFirst, LeastAttained, RunToCompletion, ShortestRemaining];
    for from in all {
        for to in all {
            let mut desk = Desk::with(from, 1.0);
            desk.begin(1, 0.0, 10.0, 0);
            desk.begin(2, 1.0, 4.0, 0);
            desk.begin(3, 2.0, 2.0, 0);
            desk.until(3.0);
            let plan = CoresPlan { scheduling: to, ..CoresPlan::shared(1.0) };
            desk.cores.change(&plan, 1.0, 0, SimTime::from_nanos(3_000_000));
            while desk.cores.next_in_line(|_| true).is_some() {}
            assert!((desk.cores.partial() - 3.0 * MS).abs() < 1e-3, "{from:?} to {to:?}");
            desk.until(1e6);
            let ended: Vec<f64> = desk.ended.iter().map(|(_, at)| *at).collect();
            assert_eq!(ended.len(), 3, "{from:?} to {to:?}");
            // All 16 ms of work are done without a pause, and nothing is done twice.
            assert!((ended[2] - 16.0).abs() < 1e-3, "{from:?} to {to:?}: {ended:?}");
            assert!((desk.cores.worked - 16.0 * MS).abs() < 10.0, "{from:?} to {to:?}");
        }
    }
}

#[test]
fn contention_slows_all_that_compute() {
    let contention = Some(Contention { sigma: 0.5, kappa: 0.0 });
    let mut desk = Desk::new(CoresPlan { contention, ..CoresPlan::shared(4.0) });
    for number in 1..=2 {
        desk.begin(number, 0.0, 3.0, 0);
    }
    desk.until(4.5);
    // Two do 2 / 1.5 = 4/3 together: 3 ms each take 4.5. Both cores were busy all the time.
    assert_eq!(desk.ended, [(1, 4.5), (2, 4.5)]);
    assert!((desk.cores.busy - 9.0 * MS).abs() < 10.0 && (desk.cores.worked - 6.0 * MS).abs() < 10.0);
}

#[test]
fn a_quota_stands_still_until_the_next_period() {
    let period = Span::from_nanos(100_000_000);
    let throttle = crate::blueprint::ThrottlePlan { period, host_cores: f64::INFINITY };
    for scheduling in [Scheduling::Sharing, Scheduling::LeastAttained] {
        let plan = CoresPlan { throttle: Some(throttle), scheduling, ..CoresPlan::shared(0.5) };
        let mut desk = Desk::new(plan);
        // To where a period begins.
        let waited = desk.begin(1, 0.0, 50.0, 0);
        assert_eq!(waited, Begun::Computing(0));
        desk.until(1000.0);
        let first = desk.ended[0].1;
        assert!((50.0..=100.0).contains(&first), "{first}");
        // Five of 20 ms are 100 ms of CPU, two quotas: all run at once for 10 ms, or what is left of the period, and
        // end 10 ms into the next one, or as much later as they had less than 10 ms in the first.
        let at = desk.now / MS;
        for number in 2..=6 {
            desk.begin(number, at, 20.0, 0);
        }
        desk.until(2000.0);
        let last = desk.ended[5].1 - at;
        assert!((20.0..=120.0).contains(&last), "{scheduling:?}: {last}");
        let throttled = desk.cores.take_throttled();
        assert!(throttled.held_back >= 1 && throttled.nanos > 0.0, "{throttled:?}");
        assert!((desk.cores.busy - 150.0 * MS).abs() < 10.0);
    }
}
