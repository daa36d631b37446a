//! Threads that share one ring against the same threads with a ring each: `threads-sign RATIO`, 1.00 if sharing costs
//! nothing: what they get done with the shared ring, over what they get done with their own, in the same time.
//!
//! Both ways take turns in short rounds within one run, by the same threads, so that whatever else the machine does falls
//! on both alike. The figure is the median of the ratios within a round, in which each way comes first every other time.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench fails by panicking"
)]

#[expect(dead_code, reason = "its operations are measured elsewhere")]
mod support;

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use backstop::{Day, Form, KeyRing, batv};

const ROUNDS: usize = 201;
const ROUND: Duration = Duration::from_millis(4);
/// Calls between two looks at whether the round is over.
const CALLS: u64 = 64;

/// What the threads do, once each, with a ring and an address.
type Operation = fn(&KeyRing, &[u8], Day);

fn main() {
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get().max(2));
    let plain = support::address(37);
    let signed = batv::sign(&support::ring(1), &plain, Form::Prefix, support::day()).expect("an address");
    let signed = signed.address().expect("a key").as_bytes().to_vec();
    let sign: Operation = |ring, address, day| {
        let _ = black_box(batv::sign(ring, black_box(address), Form::Prefix, day));
    };
    let verify: Operation = |ring, address, day| {
        let _ = black_box(batv::verify(ring, black_box(address), day));
    };
    for (name, operation, address) in [("threads-sign", sign, plain), ("threads-verify", verify, signed)] {
        println!("{name} {:.3}", shared_over_own(threads, operation, &address));
    }
    eprintln!("{threads} threads");
}

/// The median over the rounds of calls with the shared ring over calls with own ones.
fn shared_over_own(threads: usize, operation: Operation, address: &[u8]) -> f64 {
    let (shared, day) = (support::ring(1), support::day());
    let (start, end) = (Barrier::new(threads + 1), Barrier::new(threads + 1));
    let (is_over, done) = (AtomicBool::new(false), AtomicU64::new(0));
    // Two halves a round, in changing order.
    let is_shared = |half: usize| (half + half / 2).is_multiple_of(2);
    let mut ratios = Vec::new();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let own = support::ring(1);
                for half in 0..2 * ROUNDS {
                    let ring = if is_shared(half) { &shared } else { &own };
                    let mut calls = 0;
                    start.wait();
                    while !is_over.load(Ordering::Relaxed) {
                        (0..CALLS).for_each(|_| operation(ring, address, day));
                        calls += CALLS;
                    }
                    done.fetch_add(calls, Ordering::Relaxed);
                    end.wait();
                }
            });
        }
        for _ in 0..ROUNDS {
            let mut rates = [0.0; 2];
            for _ in 0..2 {
                let half = 2 * ratios.len() + usize::from(rates != [0.0; 2]);
                is_over.store(false, Ordering::Relaxed);
                done.store(0, Ordering::Relaxed);
                start.wait();
                let began = Instant::now();
                std::thread::sleep(ROUND);
                is_over.store(true, Ordering::Relaxed);
                let took = began.elapsed();
                end.wait();
                rates[usize::from(is_shared(half))] = done.load(Ordering::Relaxed) as f64 / took.as_secs_f64();
            }
            ratios.push(rates[1] / rates[0]);
        }
    });
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}
