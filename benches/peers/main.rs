//! The library beside the crate mailrs-srs: `mailrs-srs/forward RATIO`, its time over the library's, both in one process.
//!
//! ```text
//! cargo bench --bench peers                                                 two lines NAME RATIO
//! cargo bench --bench peers -- --worker PEER OPERATION PASSES < ADDRESSES   the answers, one a line
//! ```
//!
//! The first form takes both in turns over the same 64 addresses; the figure is the median over the rounds of the ratio
//! within a round. The second is for `benches/peers/run`, which times the process: PEER is backstop or mailrs-srs, OPERATION
//! forward, reverse, sign or verify; the addresses are gone through PASSES times and the last answers are printed, `-` for
//! one that is refused.
//!
//! mailrs-srs has a dialect of its own (HMAC-SHA-256, eight hex digits, the day in three decimal digits), so each reverses
//! what it made itself. It reads the clock at every call, and so does the library here.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::panic,
    reason = "a bench fails by panicking"
)]

use std::fmt::Display;
use std::hint::black_box;
use std::io::Read;
use std::time::Instant;

use backstop::{Day, Domains, Error, Form, KeyRing, Signed, Verdict, batv, srs};

const FORWARDER: &str = "fwd.example.net";
/// What `measure` gives to the other peers.
const SRS_SECRET: &str = "a secret for srs";
const PRVS_SECRET: &str = "a secret for prvs";
const ROUNDS: usize = 101;
const CALLS: usize = 2_000;

/// Gives the answer for an address to a function, nothing if it is refused: making text of it is no part of what is timed.
type Ask = Box<dyn Fn(&str, &mut dyn FnMut(&dyn Display))>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--worker", peer, operation, passes] => worker(peer, operation, passes.parse().expect("a number of passes")),
        [] => compare(),
        _ => panic!("usage: [--worker PEER OPERATION PASSES]"),
    }
}

/// The addresses of stdin, so many times; the answers of one more pass are printed.
fn worker(peer: &str, operation: &str, passes: usize) {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).expect("addresses");
    let (ask, addresses) = (peer_of(peer, operation), text.lines().collect::<Vec<_>>());
    for _ in 0..passes {
        addresses.iter().for_each(|address| time_only(&ask, address));
    }
    for address in addresses {
        println!("{}", answer(&ask, address));
    }
}

fn time_only(ask: &Ask, address: &str) {
    ask(black_box(address), &mut |answer| {
        black_box(answer);
    });
}

fn answer(ask: &Ask, address: &str) -> String {
    let mut text = String::from("-");
    ask(address, &mut |answer| text = answer.to_string());
    text
}

fn compare() {
    let addresses: Vec<String> = (0..64).map(|number| format!("firstname.{number:02}@mail.example.com")).collect();
    let sides = ["backstop", "mailrs-srs"].map(|peer| {
        let (forward, reverse) = (peer_of(peer, "forward"), peer_of(peer, "reverse"));
        let forwarded: Vec<String> = addresses.iter().map(|address| answer(&forward, address)).collect();
        let back: Vec<String> = forwarded.iter().map(|address| answer(&reverse, address)).collect();
        assert!(back == addresses && forwarded != addresses, "{peer} does not do what it is timed for");
        [("forward", forward, addresses.clone()), ("reverse", reverse, forwarded)]
    });
    for (ours, theirs) in sides[0].iter().zip(&sides[1]) {
        let ratio = || seconds(&theirs.1, &theirs.2) / seconds(&ours.1, &ours.2);
        let mut ratios: Vec<f64> = (0..ROUNDS).map(|_| ratio()).collect();
        ratios.sort_by(f64::total_cmp);
        println!("mailrs-srs/{} {:.2}", ours.0, ratios[ROUNDS / 2]);
    }
}

fn seconds(ask: &Ask, input: &[String]) -> f64 {
    let begun = Instant::now();
    input.iter().cycle().take(CALLS).for_each(|address| time_only(ask, address));
    begun.elapsed().as_secs_f64()
}

fn peer_of(peer: &str, operation: &str) -> Ask {
    match (peer, operation) {
        ("mailrs-srs", "forward") => {
            Box::new(|address, give| give(&mailrs_srs::rewrite(address, FORWARDER, SRS_SECRET)))
        }
        ("mailrs-srs", "reverse") => Box::new(|address, give| {
            if let Some(back) = mailrs_srs::reverse(address, SRS_SECRET, 21) {
                give(&back);
            }
        }),
        ("backstop", _) => backstop(operation),
        _ => panic!("no peer {peer} that can {operation}"),
    }
}

fn backstop(operation: &str) -> Ask {
    let text = format!("version 1\nprvs 0 sha1 7 - - * text:{PRVS_SECRET}\nsrs 0 sha1 21 - - * text:{SRS_SECRET}\n");
    let ring = KeyRing::parse(text.as_bytes()).expect("a ring");
    let own = Domains::parse(FORWARDER).expect("a domain");
    let dialect = srs::Dialect::CLASSIC.with_over_long(srs::OverLong::Emit);
    let today = || Day::today().expect("a clock");
    let signed = |signed: Result<Signed, Error>, give: &mut dyn FnMut(&dyn Display)| {
        if let Some(address) = signed.expect("an address").address() {
            give(address);
        }
    };
    let verdict = |verdict: Result<Verdict<'_>, Error>, give: &mut dyn FnMut(&dyn Display)| {
        if let Verdict::Genuine(proof) = verdict.expect("an address") {
            give(&proof.mailbox);
        }
    };
    match operation {
        "sign" => {
            Box::new(move |address, give| signed(batv::sign(&ring, address.as_bytes(), Form::Prefix, today()), give))
        }
        "verify" => Box::new(move |address, give| verdict(batv::verify(&ring, address.as_bytes(), today()), give)),
        "forward" => Box::new(move |address, give| {
            signed(srs::forward(&ring, address.as_bytes(), FORWARDER, &own, &dialect, today()), give);
        }),
        "reverse" => Box::new(move |address, give| {
            verdict(srs::reverse(&ring, address.as_bytes(), &own, &dialect, today()), give);
        }),
        _ => panic!("no operation {operation}"),
    }
}
