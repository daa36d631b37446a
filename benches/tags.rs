//! Elements a second of every operation at eight lengths with one key and at one with three sizes of ring, each group beside the floor.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench fails by panicking"
)]

mod support;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn tags(criterion: &mut Criterion) {
    for keys in [1, 4, 10] {
        let mut group = criterion.benchmark_group(format!("keys-{keys}"));
        group.throughput(Throughput::Elements(1));
        let (block, mut state) = ([7; 64], [1, 2, 3, 4, 5]);
        group.bench_function("floor", |bencher| bencher.iter(|| state = support::floor(state, black_box(&block))));
        black_box(state);
        // A curve by length with one key, and one by keys at the usual length.
        let lengths: &[usize] = if keys == 1 { &[14, 20, 27, 37, 44, 51, 60, 90] } else { &[37] };
        for &length in lengths {
            for (name, run) in support::operations(length, keys) {
                group.bench_function(BenchmarkId::new(name, length), |bencher| bencher.iter(&run));
            }
        }
        group.finish();
    }
}

criterion_group!(benches, tags);
criterion_main!(benches);
