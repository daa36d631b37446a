//! Runs the body of a fuzz target as a plain test: over its kept seeds, and over mutations of them.
//!
//! The mutations come from a fixed sequence, so that every run is the same run; a failure names the seed or the mutated
//! input. `tests/fuzz_seeds.rs` and those of the daemon include this file.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

/// Mutations of the seeds that each target runs over.
const MUTATIONS: u64 = 4000;

/// Runs the body; a panic passes on, after the input that caused it.
fn run(body: fn(&[u8]), name: &str, input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(input))) {
        eprintln!("{name}: b\"{}\"", input.escape_ascii());
        resume_unwind(panic);
    }
}

/// SplitMix64: a sequence for a number.
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 for none.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    fn octet(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// Part of one seed, part of another, and a few octets changed, put in or taken out.
    fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let (first, second) = (&seeds[self.below(seeds.len())], &seeds[self.below(seeds.len())]);
        let mut input = first.clone();
        if self.below(3) == 0 {
            input.truncate(self.below(first.len()));
            input.extend_from_slice(&second[self.below(second.len())..]);
        }
        for _ in 0..self.below(4) {
            let at = self.below(input.len());
            match self.below(3) {
                0 => input.insert(at, self.octet()),
                1 if !input.is_empty() => drop(input.remove(at)),
                _ if !input.is_empty() => input[at] = self.octet(),
                _ => {}
            }
        }
        input
    }
}

/// Runs the body over the seeds of a target below this package's `fuzz/corpus`, and over mutations of them.
pub fn replay(package: &str, target: &str, body: fn(&[u8])) {
    let folder = Path::new(package).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "{} holds {} seeds", folder.display(), files.len());
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    for (file, seed) in files.iter().zip(&seeds) {
        run(body, &file.display().to_string(), seed);
    }
    for number in 0..MUTATIONS {
        run(body, &format!("{target}, mutation {number}"), &Sequence(number).mutate(&seeds));
    }
}
