//! The library beside the peers that are installed: Mail::SRS and Exim, over random addresses.
//!
//! `peers/mail_srs.rs` and `peers/exim.rs` hold the comparisons. What is known to differ stands there as data: an
//! example, both answers and the reason; whatever else differs fails. The addresses come from a fixed seed, which
//! BACKSTOP_SEED replaces; a failure names it.
//!
//! A peer that is not installed is skipped, which stderr says; with CI=true it fails. Debian: libmail-srs-perl,
//! exim4-daemon-heavy.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

#[path = "peers/exim.rs"]
mod exim;
#[path = "peers/mail_srs.rs"]
mod mail_srs;

use std::env;
use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::thread;

use backstop::Day;

/// SplitMix64: the sequence of a seed.
struct Sequence(u64);

impl Sequence {
    fn new() -> Sequence {
        Sequence(env::var("BACKSTOP_SEED").map_or(20_261_121, |seed| seed.parse().unwrap()))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn text(&mut self, alphabet: &str, least: usize, most: usize) -> String {
        let length = least + self.below(most - least + 1);
        (0..length).map(|_| char::from(self.one_of(alphabet.as_bytes()))).collect()
    }

    /// An ordinary address: an unquoted local part of up to `most` octets of any kind, a domain of one to three labels.
    fn address(&mut self, most: usize) -> String {
        let common = "abcdefghijklmnopqrstuvwxyz0123456789.-_+";
        let any = "abcxyzABCXYZ0189.-_+=!#$%&'*/?^`{|}~";
        let alphabet = if self.below(3) == 0 { any } else { common };
        let local = self.text(alphabet, 1, most);
        let labels: Vec<String> =
            (0..=self.below(3)).map(|_| self.text("abcdefghijklmnopqrstuvwxyzABC0189", 1, 9)).collect();
        format!("{local}@{}.example", labels.join("."))
    }

    /// The text with one character of its local part replaced, put in, taken out or turned to the other case.
    fn mutated(&mut self, address: &str) -> String {
        let mut changed = address.as_bytes().to_vec();
        let at = self.below(address.rfind('@').unwrap());
        let other = self.one_of(b"abcdefABCDEFGz0123456789=+-_.");
        match self.below(4) {
            0 => changed[at] = other,
            1 => changed.insert(at, other),
            2 => drop(changed.remove(at)),
            _ => changed[at] ^= if changed[at].is_ascii_alphabetic() { 0x20 } else { 0 },
        }
        String::from_utf8(changed).unwrap()
    }
}

/// Whether to go on without the peer; says so where the test harness does not swallow it.
fn skip(peer: &str, package: &str) {
    assert_ne!(env::var("CI").as_deref(), Ok("true"), "{peer} is not installed (Debian: {package})");
    let reason = format!("SKIPPED: {peer} is not installed (Debian: {package})\n");
    io::stderr().write_all(reason.as_bytes()).unwrap();
}

/// Feeds all requests to one process and gives what it answered, line by line.
fn ask(command: &mut Command, requests: &[String]) -> Vec<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = requests.join("\n") + "\n";
    let writer = thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    let mut answers = String::new();
    child.stdout.take().unwrap().read_to_string(&mut answers).unwrap();
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    answers.lines().map(str::to_owned).collect()
}

/// Runs the comparison again when midnight fell into it, since the peers' day is the system's.
fn on_one_day(compare: impl Fn(Day)) {
    loop {
        let today = Day::today().unwrap();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| compare(today)));
        if Day::today().unwrap() == today {
            return outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    }
}

#[test]
fn mail_srs_agrees_on_random_addresses() {
    if mail_srs::is_installed() {
        on_one_day(mail_srs::agrees_on_random_addresses)
    } else {
        skip("Mail::SRS", "libmail-srs-perl")
    }
}

#[test]
fn mail_srs_differs_only_where_known() {
    if mail_srs::is_installed() {
        on_one_day(mail_srs::differs_where_known)
    } else {
        skip("Mail::SRS", "libmail-srs-perl")
    }
}

#[test]
fn exim_agrees_on_random_addresses() {
    if exim::is_installed() { on_one_day(exim::agrees_on_random_addresses) } else { skip("Exim", "exim4-daemon-heavy") }
}

#[test]
fn exim_differs_only_where_known() {
    if exim::is_installed() { on_one_day(exim::differs_where_known) } else { skip("Exim", "exim4-daemon-heavy") }
}
