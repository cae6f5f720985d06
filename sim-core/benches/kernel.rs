//! What the kernel's operations cost: `cargo bench -p sim-core`.
//!
//! A hold is one event popped and one scheduled, with exponential increments from a table.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use sim_core::{
    Calendar, CancelFlag, Draws, Fingerprint, Histogram, Limits, Model, Population, SimTime, Slab, Span,
    Stream, run_some,
};

/// As large as an event may be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrival(u32),
    Done(u32, u32),
}

/// Exponential increments, drawn from a table that fits into the first-level cache.
struct Increments {
    table: [u64; 1024],
    draws: Draws,
}

impl Increments {
    fn new() -> Self {
        let mut draws = Draws::keyed(1);
        Self { table: std::array::from_fn(|_| (-draws.open_unit().ln() * 1e7) as u64), draws }
    }

    fn next(&mut self) -> u64 {
        self.table[(self.draws.next_u64() & 1023) as usize]
    }
}

fn hold(c: &mut Criterion) {
    let mut group = c.benchmark_group("hold");
    for pending in [1, 2, 10, 50, 1_000, 100_000, 1_000_000] {
        group.bench_with_input(BenchmarkId::new("calendar", pending), &pending, |b, &pending| {
            let (mut calendar, mut increments) = (Calendar::new(), Increments::new());
            for i in 0..pending {
                calendar.schedule(SimTime::from_nanos(increments.next()), Event::Done(i, 1));
            }
            let mut hold = || {
                if let Some((now, event)) = calendar.pop() {
                    calendar.schedule(now + Span::from_nanos(increments.next()), event);
                }
            };
            (0..3 * pending).for_each(|_| hold());
            b.iter(hold);
        });
        group.bench_with_input(BenchmarkId::new("standard heap", pending), &pending, |b, &pending| {
            let (mut heap, mut increments) = (BinaryHeap::new(), Increments::new());
            for i in 0..pending {
                heap.push(Reverse((increments.next(), u64::from(i), Event::Arrival(i))));
            }
            let mut sequence = u64::from(pending);
            let mut hold = || {
                if let Some(Reverse((now, _, event))) = heap.pop() {
                    heap.push(Reverse((now + increments.next(), sequence, event)));
                    sequence += 1;
                }
            };
            (0..3 * pending).for_each(|_| hold());
            b.iter(hold);
        });
    }
    group.finish();
}

/// A queue with one server and nothing measured: the loop by itself, per event.
struct Queue {
    waiting: u32,
    increments: Increments,
}

impl Model for Queue {
    type Event = Event;

    fn handle(&mut self, event: Event, now: SimTime, calendar: &mut Calendar<Event>) {
        match event {
            Event::Arrival(source) => {
                calendar.schedule(now + Span::from_nanos(self.increments.next()), Event::Arrival(source));
                self.waiting += 1;
                if self.waiting == 1 {
                    self.serve(now, calendar);
                }
            }
            Event::Done(..) => {
                self.waiting -= 1;
                if self.waiting > 0 {
                    self.serve(now, calendar);
                }
            }
        }
    }
}

impl Queue {
    fn serve(&mut self, now: SimTime, calendar: &mut Calendar<Event>) {
        calendar.schedule(now + Span::from_nanos(self.increments.next() * 4 / 5), Event::Done(0, 1));
    }
}

fn simulate(c: &mut Criterion) {
    c.bench_function("loop/single server, 1000 events", |b| {
        let mut queue = Queue { waiting: 0, increments: Increments::new() };
        let mut calendar = Calendar::new();
        calendar.schedule(SimTime::ZERO, Event::Arrival(0));
        let (limits, flag) = (Limits { events: u64::MAX, ..Limits::default() }, CancelFlag::new());
        b.iter(|| run_some(&mut queue, &mut calendar, SimTime::MAX, &limits, &flag, 1000).events);
    });
}

fn random(c: &mut Criterion) {
    let (mut draws, mut stream) = (Draws::keyed(1), Stream::new(1, 0, "traffic", "arrival"));
    let mut key = 0_u64;
    c.bench_function("draws/next", |b| b.iter(|| draws.next_u64()));
    c.bench_function("draws/keyed and one unit", |b| {
        b.iter(|| {
            key += 1;
            Draws::keyed(key).unit()
        });
    });
    c.bench_function("draws/below", |b| b.iter(|| draws.below(black_box(10))));
    c.bench_function("stream/next", |b| b.iter(|| stream.next_u64()));
    c.bench_function("span/from seconds", |b| b.iter(|| Span::from_seconds(black_box(0.012_345))));
}

fn statistics(c: &mut Criterion) {
    let mut increments = Increments::new();
    c.bench_function("increments, to subtract", |b| b.iter(|| increments.next()));
    let mut histogram = Histogram::new();
    c.bench_function("histogram/record", |b| b.iter(|| histogram.record(increments.next())));
    c.bench_function("histogram/record, one in five 0", |b| {
        b.iter(|| {
            let value = increments.next();
            histogram.record(if value.is_multiple_of(5) { 0 } else { value });
        });
    });
    let (mut population, mut now) = (Population::new(), 0);
    c.bench_function("population/enter and leave", |b| {
        b.iter(|| {
            now += 1000;
            population.enter(SimTime::from_nanos(now));
            population.leave(SimTime::from_nanos(now), SimTime::from_nanos(now + 500));
        });
    });
    let mut slab = Slab::new();
    let keys: Vec<_> = (0..100_u64).map(|i| slab.insert([i; 4])).collect();
    c.bench_function("slab/get", |b| b.iter(|| slab.get(black_box(keys[50])).is_some()));
    c.bench_function("slab/insert and remove", |b| {
        b.iter(|| {
            let key = slab.insert([7; 4]);
            slab.remove(black_box(key))
        });
    });
    let mut fingerprint = Fingerprint::new();
    c.bench_function("fingerprint/absorb2", |b| b.iter(|| fingerprint.absorb2(black_box(1), black_box(2))));
}

criterion_group!(kernel, hold, simulate, random, statistics);
criterion_main!(kernel);
