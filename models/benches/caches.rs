//! What looking into a cache costs: `cargo bench -p models`.
//!
//! A get is a look for a key of a Zipf law, and a put where it is missing. Caches are full from the start.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use models::blueprint::EvictRule;
use models::cache::{Store, Value};
use sim_core::{Draws, SimTime, Span, Zipf};

/// Keys, drawn beforehand.
const KEYS: usize = 1 << 20;

/// Values that a key can have: a cache of a million entries has to let some go.
const VALUES: u32 = 4_000_000;

fn gets(c: &mut Criterion) {
    let mut group = c.benchmark_group("get");
    group.throughput(Throughput::Elements(KEYS as u64)).sample_size(20);
    let law = Zipf::new(VALUES, 0.9).expect("a Zipf law");
    let keys: Vec<u32> = (0..KEYS as u64).map(|number| law.sample(&mut Draws::keyed(number))).collect();
    let rules = [
        ("lru", EvictRule::Lru),
        ("lfu", EvictRule::Lfu),
        ("fifo", EvictRule::Fifo),
        ("random", EvictRule::Random),
        ("none", EvictRule::None),
    ];
    for (name, rule) in rules {
        for size in [1_000, 100_000, 1_000_000] {
            group.bench_with_input(BenchmarkId::new(name, size), &size, |b, &size| {
                let mut store = Store::new(rule, size, 1);
                for key in 0..size {
                    store.put(key, Value::until(SimTime::MAX), false, SimTime::ZERO);
                }
                let mut now = 0;
                b.iter(|| {
                    for &key in &keys {
                        now += 1;
                        let at = SimTime::from_nanos(now);
                        if store.get(key, Span::ZERO, at).is_none() {
                            store.put(key, Value::until(SimTime::MAX), false, at);
                        }
                    }
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, gets);
criterion_main!(benches);
