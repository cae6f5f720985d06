//! What the kernel's operations cost.

use criterion::{Criterion, criterion_group, criterion_main};
use sim_core::Draws;

fn draws(c: &mut Criterion) {
    let mut draws = Draws::keyed(1);
    c.bench_function("draws/next", |b| b.iter(|| draws.next_u64()));
}

criterion_group!(kernel, draws);
criterion_main!(kernel);
