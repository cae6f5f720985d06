//! The kernel allocates nothing once it has reached its high-water mark.

#![expect(unsafe_code, reason = "an allocator that counts is the one way to tell")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use sim_core::{
    Calendar, CancelFlag, Draws, EndReason, Histogram, Key, Limits, Model, Population, SimTime, Slab, Span,
    run_some,
};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Requests that take an exponential time and have a timeout ten times as long, which mostly finds them gone.
struct Delay {
    requests: Slab<SimTime>,
    population: Population,
    times: Histogram,
    draws: Draws,
}

#[derive(Clone, Copy)]
enum Event {
    Arrival,
    Done(Key<SimTime>),
    Timeout(Key<SimTime>),
}

impl Delay {
    fn end(&mut self, key: Key<SimTime>, now: SimTime) {
        if let Some(entered) = self.requests.remove(key) {
            self.population.leave(entered, now);
            self.times.record(now.since(entered).as_nanos());
        }
    }

    /// Exponential, cut off so that the extremes are all seen soon.
    fn draw(&mut self, mean_ns: f64) -> Span {
        Span::from_nanos((-self.draws.open_unit().max(0.001).ln() * mean_ns) as u64)
    }
}

impl Model for Delay {
    type Event = Event;

    fn handle(&mut self, event: Event, now: SimTime, calendar: &mut Calendar<Event>) {
        match event {
            Event::Arrival => {
                self.population.enter(now);
                let key = self.requests.insert(now);
                let (service, gap) = (self.draw(1e6), self.draw(1e4));
                calendar.schedule_in(service, Event::Done(key));
                calendar.schedule_in(Span::from_nanos(10_000_000), Event::Timeout(key));
                calendar.schedule_in(gap, Event::Arrival);
            }
            Event::Done(key) | Event::Timeout(key) => self.end(key, now),
        }
    }
}

#[test]
fn the_loop_allocates_nothing_after_its_high_water_mark() {
    let mut model = Delay {
        requests: Slab::new(),
        population: Population::new(),
        times: Histogram::new(),
        draws: Draws::keyed(5),
    };
    let mut calendar = Calendar::new();
    calendar.schedule(SimTime::ZERO, Event::Arrival);
    let mut run = |events| {
        let (limits, flag) = (Limits::default(), CancelFlag::new());
        let before = ALLOCATIONS.get();
        let ended = run_some(&mut model, &mut calendar, SimTime::MAX, &limits, &flag, events);
        assert_eq!(ended.reason, EndReason::Paused);
        ALLOCATIONS.get() - before
    };
    let warm_up = run(3_000_000);
    assert!(warm_up > 10, "the allocator counts");
    let steady = run(3_000_000);
    assert!(steady <= 1, "{steady} allocations; the cancel flag is one");
    assert!(calendar.len() > 1000, "{} pending prove little", calendar.len());
}
