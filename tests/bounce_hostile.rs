//! Hostile messages: each is answered within 50 ms per MB, on a stack of 256 KiB, without a panic.
//!
//! Every message begins like a bounce, so that nothing is passed over. The time is that of the best of three runs, and where
//! Linux tells it the time on the processor, since other processes may take it away; a message below 1 MB counts as 1 MB.

#![cfg(feature = "bounce")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use backstop::bounce::{self, Cut, Envelope, Inspection, Restraint};
use backstop::policy::Policy;
use backstop::{Day, Domains, KeyRing};

const STACK: usize = 256 * 1024;
/// Without optimisation the library itself is slower; tests/run asks for the release build too.
const PER_MEGABYTE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 50 });
const HEAD: &str = "Return-Path: <>\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example.net>\n\
                    Subject: Undelivered Mail Returned to Sender\nX-Failed-Recipients: a@b.example\n";

fn inspect(message: &[u8]) -> Inspection {
    let ring = KeyRing::parse(b"version 1\nmark m sha256 14 - - * text:an example\n").unwrap();
    let policy = Policy::new(Domains::parse("example.com").unwrap());
    let envelope = Envelope { sender: Some(b"<>"), recipient: Some(b"alice@example.com") };
    bounce::inspect(message, &envelope, &ring, &policy, Day::parse("2026-11-21").unwrap())
}

/// How long this thread was on the processor; its first number in schedstat is in nanoseconds.
fn on_processor() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// What is made of a message in time.
fn in_time<T>(message: &str, make: impl Fn() -> T) -> T {
    let runs = (0..3).map(|_| {
        let (begun, before) = (Instant::now(), on_processor());
        let made = make();
        let spent = before.and_then(|before| on_processor()?.checked_sub(before));
        (spent.filter(|spent| !spent.is_zero()).unwrap_or_else(|| begun.elapsed()), made)
    });
    let (took, made) = runs.min_by_key(|(took, _)| *took).unwrap();
    let megabytes = u32::try_from(message.len().div_ceil(1_000_000).max(1)).unwrap();
    assert!(took <= PER_MEGABYTE * megabytes, "{} octets took {took:?}", message.len());
    made
}

/// The inspection of a message, made in time on a small stack.
fn answered(message: String) -> Inspection {
    thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || {
            // The table of evidence is read once in a process.
            inspect(b"From: MAILER-DAEMON\n\n");
            in_time(&message, || inspect(message.as_bytes()))
        })
        .unwrap()
        .join()
        .expect("no panic")
}

fn bounce_with(rest: &str) -> Inspection {
    let seen = answered(format!("{HEAD}{rest}"));
    assert!(seen.kind.is_dsn(), "{:?}", seen.kind);
    seen
}

#[test]
fn a_hundred_thousand_nested_messages() {
    bounce_with(&format!("Content-Type: message/rfc822\n\n{}", "Content-Type: message/rfc822\n\n".repeat(100_000)));
}

#[test]
fn a_hundred_thousand_nested_messages_in_a_part() {
    let nested = "Content-Type: message/rfc822\n\n".repeat(100_000);
    bounce_with(&format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n{nested}\n--b--\n"));
}

#[test]
fn a_hundred_thousand_nested_messages_that_are_encoded() {
    // "Content-Type: message/rfc822\n\n" is 30 octets, so that its base64 repeats.
    let nested = "Q29udGVudC1UeXBlOiBtZXNzYWdlL3JmYzgyMgoK".repeat(100_000);
    bounce_with(&format!(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\
         Content-Transfer-Encoding: base64\n\n{nested}\n--b--\n"
    ));
}

#[test]
fn ten_thousand_nested_multiparts() {
    let open = |depth: usize| format!("Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}\n");
    let seen = bounce_with(&(0..10_000).map(open).collect::<String>());
    assert!(seen.cuts.contains(&Cut::Nesting));
    let close = |depth: usize| format!("--b{depth}--\n");
    bounce_with(&(0..10_000).map(open).chain((0..10_000).rev().map(close)).collect::<String>());
}

#[test]
fn ten_thousand_nested_multiparts_whose_boundaries_begin_alike() {
    let open = |depth: usize| {
        let boundary = "b".repeat(1 + depth % 200);
        format!("Content-Type: multipart/mixed; boundary={boundary}\n\n--{boundary}\n")
    };
    bounce_with(&(0..10_000).map(open).collect::<String>());
}

#[test]
fn a_million_parts() {
    let seen = bounce_with(&format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(1_000_000)));
    assert!(seen.cuts.contains(&Cut::Leaves));
}

#[test]
fn a_million_parts_that_are_multiparts() {
    let part = "--b\nContent-Type: multipart/mixed; boundary=c\n\n";
    bounce_with(&format!("Content-Type: multipart/mixed; boundary=b\n\n{}", part.repeat(1_000_000)));
}

#[test]
fn a_million_lines_that_are_nearly_boundaries() {
    bounce_with(&format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n{}", "--bx\n".repeat(1_000_000)));
}

#[test]
fn long_fields_that_break_off_before_thousands_of_lines() {
    for name in ["Message-ID", "Backstop-Mark", "X-Other"] {
        let text = format!("{name}: a\n{}{}", " a\n".repeat(10_000), "x\n".repeat(16_000));
        bounce_with(&format!("\n{text}"));
        let leaves = format!("--b\n\n{text}").repeat(4);
        bounce_with(&format!("Content-Type: multipart/mixed; boundary=b\n\n{leaves}"));
    }
    bounce_with(&format!("\n{}", "Message-ID: a\nx\n".repeat(4_000)));
    bounce_with(&format!("\n{}", "x Backstop-Mark: a\n".repeat(4_000)));
}

#[test]
fn fifty_megabytes_of_one_header_line() {
    bounce_with(&format!("X-Long: {}\n\n", "x".repeat(50_000_000)));
    bounce_with(&format!("To: {}\n\n", "a@b.example, ".repeat(4_000_000)));
    bounce_with(&format!("Content-Type: text/plain; {}\n\n", "a*0*=b'c'd; ".repeat(4_000_000)));
}

#[test]
fn fifty_megabytes_of_a_name_without_a_colon() {
    answered("x".repeat(50_000_000));
    bounce_with(&"x".repeat(50_000_000));
}

#[test]
fn a_million_header_fields_and_folds() {
    let seen = bounce_with(&format!("{}\n", "Received: from a by b\n".repeat(1_000_000)));
    assert!(seen.cuts.contains(&Cut::Fields));
    bounce_with(&format!("References:{}\n", "\n <a.bsm1-aaaaaaaaaaaaaaaaaaaa@example.com>".repeat(1_000_000)));
}

#[test]
fn a_million_marks_are_not_all_checked() {
    let marks =
        "Backstop-Mark: v=1; i=example.com; k=m; d=20778; n=a4dqobyha4dqo; t=aaaaaaaaaaaaaaaa\n".repeat(200_000);
    let seen = bounce_with(&format!("\nThis came back:\n\nFrom: alice@example.com\nTo: b@c.example\n{marks}\n"));
    // All are the same mark, which is listed once.
    assert_eq!(seen.checks.len(), 1);
}

#[test]
fn text_that_nearly_is_headers() {
    bounce_with(&format!("\n{}", "From: a\n\n".repeat(1_000_000)));
    bounce_with(&format!("\n{}", "> ".repeat(5_000_000)));
    bounce_with(&format!("\n{}", "To: a\nx\n".repeat(1_000_000)));
    bounce_with(&format!("\n{}", "> To: a\nx\nx\n".repeat(1_000_000)));
    bounce_with(&format!("\n> From: a\n> To: a\n> Date: a\n{}", "x\nMessage-ID: a\n".repeat(1_000_000)));
    bounce_with(&format!("\n{}", "Final-Recipient: rfc822; \\x{\\x{\\x{41}\n\n".repeat(300_000)));
}

#[test]
fn html_and_links_without_end() {
    let html = |text: &str| format!("Content-Type: text/html; charset=utf-8\n\n{text}");
    bounce_with(&html(&"<a ".repeat(3_000_000)));
    bounce_with(&html(&"&#x41;&amp;&".repeat(1_000_000)));
    bounce_with(&html(&"<!--<style><script>".repeat(500_000)));
    for pre in ["<pre>", "<pre>\n\n", "</pre><pre", "<pre></pre>a"] {
        bounce_with(&html(&pre.repeat(1_000_000)));
    }
    bounce_with(&format!("Content-Type: message/rfc822\n\nFrom: a@b\n\n{}", "http://h/ ".repeat(1_000_000)));
}

#[test]
fn encoded_words_and_addresses_without_end() {
    answered(format!("From: {}\n{HEAD}\n", "=?utf-8?q?=41?= (((((\"".repeat(100_000)));
    answered(format!("Subject: {}\n{HEAD}\n", "=?utf-8?b?TWFpbA==?= =?".repeat(100_000)));
    answered(format!("From: {}\n{HEAD}\n", "(".repeat(1_000_000)));
    for tags in ["[", "[a]", "*", "**a*", "[a", "re: ", "["] {
        answered(format!("Subject: {}\n{HEAD}\n", tags.repeat(500_000)));
    }
    answered(format!("Received: from {}\n{HEAD}\n", "(".repeat(1_000_000)));
}

/// A value of 8 KiB, as much as is kept of one.
fn filled(with: &str) -> String {
    with.repeat(8 * 1024 / with.len())
}

fn parts_of(kind: &str) -> String {
    let parts = format!("--b\nContent-Type: {kind}\n\nx\n").repeat(120);
    format!("{HEAD}Content-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n")
}

#[test]
fn encoded_words_that_never_end_in_all_fields_at_once() {
    // The first have no end; the second look like it until their last octets, and the third end, and are none for all that.
    for words in [filled("=?aa?q? "), filled("=?aa?q? ") + "=ZZ ?=", filled("=?aa?q?=ZZ=?=a?q? ")] {
        answered(parts_of(&format!("text/plain; a=\"{words}\"")));
        let block = format!("From: {words}\nTo: {words}\nSubject: {words}\nReply-To: {words}\nDate: x\nX-a: b\n");
        let returned = format!("--b\nContent-Type: message/rfc822\n\n{block}\nx\n").repeat(8);
        answered(format!("{HEAD}{block}Content-Type: multipart/mixed; boundary=b\n\n{returned}--b--\n"));
    }
}

#[test]
fn an_answer_to_encoded_words_that_never_end() {
    let envelope = Envelope { sender: Some(b"bob@elsewhere.example"), recipient: Some(b"alice@example.com") };
    for name in ["To", "Precedence"] {
        let message = format!("{}\nx\n", format!("{name}: {}\n", filled("=?aa?q? ")).repeat(120));
        let restraint =
            in_time(&message, || bounce::may_autorespond(message.as_bytes(), &envelope, &["alice@example.com"], true));
        assert_eq!(restraint, Err(Restraint::NotAddressed));
    }
}

#[test]
fn parameters_of_a_content_type_without_end() {
    let names: String = (0..1000).map(|name| format!(";{name:03x}*1=x")).collect();
    let after_others = ";a=b".repeat(1000) + &";c*1=x".repeat(690);
    for parameters in [names, after_others, format!(";c*={}", filled("x'"))] {
        answered(parts_of(&format!("text/plain{parameters}")));
    }
}

#[test]
fn every_prefix_of_a_bounce_and_no_octets_at_all() {
    let whole = format!(
        "{HEAD}Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\n\nfailed\n--b\n\
         Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; a@b.example\n\
         Action: failed\nStatus: 5.1.1\n\n--b\nContent-Type: text/rfc822-headers\n\nReceived: from x\nFrom: alice@example.com\n\
         \n--b--\n"
    );
    for length in 0..=whole.len() {
        inspect(&whole.as_bytes()[..length]);
    }
    inspect(&[0; 1000]);
    inspect(&[0xff; 1000]);
}
