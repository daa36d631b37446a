//! Whether the time of a verification tells a forged tag from a genuine one, or how much of it is right: Welch's t over
//! samples that are taken in turn. Prints; no test, since the machine's noise decides as well.
//!
//! The classes are forged at the first and at the last octet of the tag, which an attacker must not tell apart, and
//! genuine, which he may (the answer says it); genuine against itself, the control, shows what the machine adds. The
//! statistic is taken over all samples and over those below the 90th percentile of both classes together, which cuts
//! interrupts off. |t| above 4.5 is a difference that is no accident; where the control has one, the run says so and
//! nothing else of that key.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench fails by panicking"
)]

use std::hint::black_box;
use std::time::Instant;

use backstop::{Day, Form, KeyRing, batv};

/// Calls between two looks at the clock.
const CALLS: usize = 16;
const SAMPLES: usize = 100_000;
/// Above this a difference is no accident.
const ACCIDENT: f64 = 4.5;

/// Where the six octets of the MAC stand in `prvs=KDDDSSSSSS=`.
const MAC: [usize; 2] = [9, 14];

/// Welch's t of the two classes.
fn welch(one: &[f64], other: &[f64]) -> f64 {
    let moments = |samples: &[f64]| {
        let count = samples.len() as f64;
        let mean = samples.iter().sum::<f64>() / count;
        (mean, samples.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (count - 1.0) / count)
    };
    let ((one, its), (other, others)) = (moments(one), moments(other));
    (one - other) / (its + others).sqrt()
}

fn below(samples: &[f64], limit: f64) -> Vec<f64> {
    samples.iter().copied().filter(|&it| it <= limit).collect()
}

/// Prints both statistics and gives them back.
fn compare(name: &str, classes: [&[u8]; 2], verify: impl Fn(&[u8])) -> [f64; 2] {
    // Both are verified where they lie at the same place, by the same code.
    let mut address = classes[0].to_vec();
    // Room from the start: what growing costs would fall on the samples after it.
    let mut samples = [0, 1].map(|_| Vec::with_capacity(SAMPLES + SAMPLES / 10));
    // Which class comes next is drawn, so that nothing periodic favours one.
    let mut draw = 0x9e37_79b9_u32;
    while samples.iter().any(|class| class.len() < SAMPLES) {
        draw ^= draw << 13;
        draw ^= draw >> 17;
        draw ^= draw << 5;
        let class = (draw >> 16 & 1) as usize;
        address.copy_from_slice(classes[class]);
        let begun = Instant::now();
        for _ in 0..CALLS {
            verify(&address);
        }
        samples[class].push(begun.elapsed().as_nanos() as f64 / CALLS as f64);
    }
    let mut all: Vec<f64> = samples.concat();
    all.sort_by(f64::total_cmp);
    let limit = all[all.len() / 10 * 9];
    let median = |samples: &[f64]| {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    };
    let [one, other] = &samples;
    let [all, cropped] = [welch(one, other), welch(&below(one, limit), &below(other, limit))];
    println!(
        "{name:<34} medians {:6.1} {:6.1} ns   t {all:7.2}   t below the 90th percentile {cropped:7.2}",
        median(one),
        median(other),
    );
    [all, cropped]
}

fn main() {
    let day = Day::parse("2026-11-21").expect("a date");
    for key in ["prvs 0 sha1 7", "prvs 4 sha256 7"] {
        let ring = KeyRing::parse(format!("version 1\n{key} - - * text:bench\n").as_bytes()).expect("a ring");
        let signed = batv::sign(&ring, b"firstname.lastname@mail.example.com", Form::Prefix, day).expect("an address");
        let genuine = signed.address().expect("signed").as_bytes().to_vec();
        let forge = |at: usize| {
            let mut forged = genuine.clone();
            forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
            forged
        };
        let (early, late) = (forge(MAC[0]), forge(MAC[1]));
        let verify = |address: &[u8]| {
            black_box(batv::verify(&ring, black_box(address), day)).expect("an address");
        };
        let control = compare(&format!("{key}: genuine, genuine"), [&genuine, &genuine], verify);
        if control.iter().any(|t| t.abs() > ACCIDENT) {
            println!(
                "{key}: the control differs from itself: the machine is too restless, this run says nothing of {key}"
            );
            continue;
        }
        compare(&format!("{key}: forged early, late"), [&early, &late], verify);
        compare(&format!("{key}: genuine, forged"), [&genuine, &late], verify);
    }
}
