//! One line `NAME RATIO` for each operation: its cost on 37 octets with one key, over the floor of the same run.
//!
//! Floor and operations take turns in short rounds, so that a slow moment of the machine falls on all alike; the figure is
//! the median over the rounds of the ratio within a round. Each round stands at another depth of the stack: where a buffer
//! lies there is luck, which makes one process in eight slower by 0.1, and so it is no process's luck.
//!
//! Operations on many addresses (`sign-many`, `verify-many`) are told for one address of a thousand; their names end in the
//! hash, if it is not SHA-1, and in the engine, if one is forced (`support/bulk.rs`). A word behind `--` picks the
//! operations that have it in their name.
//!
//! `cargo bench --bench ratios -- --curves` tells the operations on one address by its octets and the keys of each use:
//! `sign/14/1 RATIO`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench fails by panicking"
)]

#[path = "support/bulk.rs"]
mod bulk;
mod support;

use std::cell::Cell;
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 201;
const CALLS: u32 = 2_000;
/// Enough steps to come past all places within a page.
const DEPTHS: usize = 67;
/// Octets and keys of the curves; up to 51 octets a prvs tag takes two compressions.
const CURVES: [(usize, usize); 14] = [
    (14, 1),
    (20, 1),
    (28, 1),
    (37, 1),
    (44, 1),
    (51, 1),
    (52, 1),
    (60, 1),
    (75, 1),
    (90, 1),
    (37, 2),
    (37, 4),
    (37, 7),
    (37, 10),
];

/// What is measured: its name, the addresses of one call, and the call.
type Measured = (String, u32, Box<dyn Fn()>);

fn singles() -> Vec<Measured> {
    support::operations(37, 1).into_iter().map(|(name, run)| (name.to_owned(), 1, run)).collect()
}

fn curves() -> Vec<Measured> {
    let point = |(octets, keys)| {
        support::operations(octets, keys)
            .into_iter()
            .map(move |(name, run)| (format!("{name}/{octets}/{keys}"), 1, run))
    };
    CURVES.into_iter().flat_map(point).collect()
}

/// What one address costs, of so many in each call.
fn nanoseconds(run: &dyn Fn(), addresses: u32) -> f64 {
    let calls = if addresses == 1 { CALLS } else { 5 * CALLS.div_ceil(addresses) };
    let start = Instant::now();
    for _ in 0..calls {
        run();
    }
    start.elapsed().as_nanos() as f64 / f64::from(calls * addresses)
}

/// Runs at this depth of the stack, in steps of at least 80 octets.
#[inline(never)]
fn at_depth(depth: usize, run: &mut dyn FnMut()) {
    let room = black_box([0_u8; 80]);
    match depth {
        0 => run(),
        _ => at_depth(depth - 1, run),
    }
    black_box(&room);
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let (block, state) = ([7; 64], Cell::new([1, 2, 3, 4, 5]));
    let floor = || state.set(support::floor(state.get(), black_box(&block)));
    let is_curves = std::env::args().any(|arg| arg == "--curves");
    let mut operations = if is_curves { curves() } else { singles() };
    if !is_curves {
        operations.extend(bulk::operations());
    }
    // As `cargo bench --bench ratios -- sign-many` gives it, beside cargo's own `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    operations.retain(|(name, ..)| wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted)));
    let mut ratios = vec![Vec::new(); operations.len()];
    let mut floors = Vec::new();
    for round in 0..ROUNDS {
        at_depth(round % DEPTHS, &mut || {
            let before = nanoseconds(&floor, 1);
            floors.push(before);
            for ((_, addresses, run), ratios) in operations.iter().zip(&mut ratios) {
                ratios.push(nanoseconds(run, *addresses) / nanoseconds(&floor, 1).min(before));
            }
        });
    }
    for ((name, ..), ratios) in operations.iter().zip(ratios) {
        println!("{name} {:.2}", median(ratios));
    }
    black_box(state);
    eprintln!("floor: {:.0} ns", median(floors));
}
