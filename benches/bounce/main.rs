//! How many messages a second `bounce::inspect` judges on one core.
//!
//! ```text
//! [BACKSTOP_CORPORA=FOLDER] cargo bench --bench bounce --features bounce     one line: messages and MB a second
//! cargo bench --bench bounce --features bounce -- --worker SECONDS < PATHS   for benches/bounce/measure; see there
//! ```
//!
//! The messages are those that FOLDER's `manifest.jsonl` names (`examples/corpora.rs`), without it the repository's own in
//! `tests/bounce`, which the line says. All are in memory before the clock starts. One thread goes through all of them in
//! each of eleven rounds of at least a fifth of a second; the figures are those of the round in the middle. The time is the
//! processor's, which other processes do not lengthen (Linux; else the time of day, and the line says so); beside it stands
//! the time of day.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench fails by panicking"
)]

use std::hint::black_box;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use backstop::bounce::{self, Envelope, Kind};
use backstop::policy::Policy;
use backstop::{Day, Domains, KeyRing};

const ROUNDS: usize = 11;
const ROUND: Duration = Duration::from_millis(200);

/// What judges one message.
struct Judge {
    ring: KeyRing,
    policy: Policy,
    day: Day,
}

impl Judge {
    fn new() -> Judge {
        Judge {
            ring: KeyRing::parse(b"version 1\nmark m sha256 14 - - * text:a bench\n").expect("a ring"),
            policy: Policy::new(Domains::parse("example.com").expect("a domain")),
            day: Day::parse("2026-11-21").expect("a date"),
        }
    }

    fn kind(&self, message: &[u8]) -> Kind {
        black_box(bounce::inspect(black_box(message), &Envelope::default(), &self.ring, &self.policy, self.day)).kind
    }
}

/// So many messages, in so much time of the processor and of the day.
struct Taken {
    messages: usize,
    cpu: Duration,
    wall: Duration,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--worker", seconds] => worker(seconds.parse().expect("seconds")),
        _ => figure(),
    }
}

fn figure() {
    let (from, paths) = match std::env::var_os("BACKSTOP_CORPORA") {
        Some(folder) => ("labelled messages", named(Path::new(&folder))),
        None => ("messages of tests/bounce (BACKSTOP_CORPORA names no others)", fixtures()),
    };
    let messages: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).expect("a message")).collect();
    let judge = Judge::new();
    let mut rounds: Vec<Taken> = (0..ROUNDS).map(|_| passes(&judge, &messages, ROUND)).collect();
    let rate = |taken: &Taken| taken.messages as f64 / taken.cpu.as_secs_f64();
    rounds.sort_by(|one, other| rate(one).total_cmp(&rate(other)));
    let taken = &rounds[ROUNDS / 2];
    let size = messages.iter().map(Vec::len).sum::<usize>() as f64 / messages.len() as f64;
    println!(
        "inspect {:.0} messages/s, {:.0} MB/s of {}; {:.0} messages/s by the time of day; {} {from}, {size:.0} octets each",
        rate(taken),
        rate(taken) * size / 1e6,
        if cpu().is_some() { "one core" } else { "the time of day, as nothing tells the processor's" },
        taken.messages as f64 / taken.wall.as_secs_f64(),
        messages.len(),
    );
}

/// The word for each message of stdin's paths, then messages, seconds of the processor, seconds of the day.
fn worker(seconds: f64) {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).expect("paths");
    let messages: Vec<Vec<u8>> = text.lines().map(|path| std::fs::read(path).expect("a message")).collect();
    let judge = Judge::new();
    for message in &messages {
        println!(
            "{}",
            match judge.kind(message) {
                kind if kind.is_dsn() => "bounce",
                Kind::NotABounce => "other",
                _ => "automatic",
            }
        );
    }
    let taken = passes(&judge, &messages, Duration::from_secs_f64(seconds));
    println!("{} {:.6} {:.6}", taken.messages, taken.cpu.as_secs_f64(), taken.wall.as_secs_f64());
}

/// Goes through all messages until so much time of the processor is used.
fn passes(judge: &Judge, messages: &[Vec<u8>], least: Duration) -> Taken {
    let (begun, before) = (Instant::now(), cpu());
    let mut done = 0;
    loop {
        let wall = begun.elapsed();
        let cpu = cpu().zip(before).map_or(wall, |(now, before)| now - before);
        if cpu >= least {
            return Taken { messages: done, cpu, wall };
        }
        for message in messages {
            judge.kind(message);
        }
        done += messages.len();
    }
}

/// The processor's time of this thread, as Linux counts it.
fn cpu() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// What the manifest of labelled messages names.
fn named(folder: &Path) -> Vec<std::path::PathBuf> {
    let manifest = std::fs::read_to_string(folder.join("manifest.jsonl")).expect("manifest.jsonl");
    let rows = manifest.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("an object a line"));
    rows.map(|row| folder.join(row["path"].as_str().expect("a path"))).collect()
}

fn fixtures() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bounce");
    let entries = std::fs::read_dir(folder).expect("tests/bounce").map(|entry| entry.expect("a file").path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "eml")).collect()
}
