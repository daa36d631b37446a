//! What is kept of a message while it comes in: inspected, it is the message, however long and in whatever pieces it comes.
//!
//! Over the fixtures in `tests/bounce`, over the labelled real messages where `BACKSTOP_CORPORA` names their folder
//! (examples/corpora.rs says of what form; without it that part says so and is skipped), and over random messages with long
//! leaves. Fixtures and real messages are also blown up: filler stands behind each line that ends a part's block, so that much
//! of each has to be left out.

#![cfg(feature = "bounce")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use backstop::bounce::{self, Envelope, Inspection, Kept, Verdict, Why, limits};
use backstop::mark::{self, Marked};
use backstop::policy::Policy;
use backstop::{Day, Domains, KeyRing};
use proptest::prelude::*;

const OWN: &[u8] = b"alice@example.com";

fn today() -> Day {
    Day::parse("2026-11-21").unwrap()
}

fn ring() -> KeyRing {
    KeyRing::parse(b"version 1\nmark m sha256 14 2026-01-01 - * text:kept\n").unwrap()
}

fn policy() -> Policy {
    Policy::new(Domains::parse("example.com").unwrap()).with_marks_since(Day::parse("2026-02-01").unwrap())
}

fn envelope() -> Envelope<'static> {
    Envelope { sender: Some(b"<>"), recipient: Some(OWN) }
}

fn whole(message: &[u8]) -> Inspection {
    bounce::inspect(message, &envelope(), &ring(), &policy(), today())
}

fn keep(message: &[u8], piece: usize) -> Kept {
    let mut kept = Kept::new();
    for octets in message.chunks(piece) {
        kept.push(octets);
        assert!(kept.octets().len() <= limits::MAX_KEPT);
    }
    kept
}

fn judged(kept: &Kept) -> Inspection {
    kept.inspect(&envelope(), &ring(), &policy(), today())
}

/// The whole inspection is the same: kind, verdict, evidence, what came back, source, limits.
fn assert_same(message: &[u8], piece: usize, name: &str) {
    let kept = keep(message, piece);
    assert!(kept.is_whole(), "{name}: not all of {} octets was kept that is looked at", message.len());
    assert_eq!(judged(&kept), whole(message), "{name}, {} octets in pieces of {piece}", message.len());
}

/// Filler behind the first blank line and behind each blank line that follows a delimiter's block.
fn blown_up(message: &[u8], filler: &[u8]) -> Vec<u8> {
    let (mut out, mut in_block) = (Vec::new(), true);
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        in_block |= line.starts_with(b"--");
        out.extend_from_slice(line);
        if in_block && line.trim_ascii().is_empty() {
            in_block = false;
            out.extend_from_slice(filler);
        }
    }
    out
}

fn fillers() -> [Vec<u8>; 3] {
    let line = b"a line of text that says nothing of any interest to anybody at all\r\n";
    // Text, what looks like delimiters, and one line without an end.
    [line.repeat(4000), b"--no delimiter\r\n-- \r\n".repeat(12_000), [&b"x".repeat(260_000)[..], b"\r\n"].concat()]
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files(&entry, found);
        } else {
            found.push(entry);
        }
    }
}

#[test]
fn every_fixture_is_judged_the_same_by_what_is_kept() {
    let mut found = Vec::new();
    files(Path::new("tests/bounce"), &mut found);
    found.retain(|path| path.extension().is_some_and(|it| it == "eml"));
    assert!(found.len() > 50);
    let fillers = fillers();
    for path in found {
        let (name, message) = (path.display().to_string(), fs::read(&path).unwrap());
        assert_same(&message, 7, &name);
        for filler in &fillers {
            let message = blown_up(&message, filler);
            let kept = keep(&message, 65_535);
            // Ten blown up parts are more than are kept.
            if kept.is_whole() {
                assert_eq!(judged(&kept), whole(&message), "{name}, blown up to {}", message.len());
            }
        }
    }
}

#[test]
fn every_real_message_is_judged_the_same_by_what_is_kept() {
    let Some(folder) = std::env::var_os("BACKSTOP_CORPORA") else {
        println!("skipped: BACKSTOP_CORPORA names no folder of labelled messages");
        return;
    };
    let mut found = Vec::new();
    files(Path::new(&folder), &mut found);
    // What lies beside the folders of messages tells of them.
    found.retain(|path| path.parent() != Some(Path::new(&folder)));
    let (mut cut, mut blown, filler) = (0, 0, fillers());
    for path in &found {
        let message = fs::read(path).unwrap();
        let kept = keep(&message, 65_535);
        assert!(!kept.is_whole() || judged(&kept) == whole(&message), "{}", path.display());
        cut += usize::from(!kept.is_whole());
        let message = blown_up(&message, &filler[blown % 3]);
        if message.len() < 4_000_000 {
            blown += 1;
            let kept = keep(&message, 65_535);
            assert!(!kept.is_whole() || judged(&kept) == whole(&message), "{} blown up", path.display());
        }
    }
    println!("{} messages the same, {blown} blown up; of {cut} not all was kept", found.len());
    assert!(cut * 100 < found.len(), "of {cut} of {} not all was kept", found.len());
}

fn mark_of(from: &[u8]) -> String {
    let Marked::Done(mark) = mark::make_header(&ring(), from, [7; 8], today().minus(2)).unwrap() else { panic!() };
    mark
}

/// A bounce with this much text in front, and behind the headers that came back.
fn bounce_of(before: usize, behind: usize, mark: Option<&str>) -> Vec<u8> {
    let text = |octets: usize| "no such user here, and more of it\r\n".repeat(octets / 35);
    let mark = mark.map(|mark| format!("Backstop-Mark: {mark}\r\n")).unwrap_or_default();
    format!(
        "From: MAILER-DAEMON@mx.example.net\r\nSubject: Undelivered Mail Returned to Sender\r\nContent-Type: multipart/report; \
         report-type=delivery-status; boundary=\"=_b\"\r\n\r\n--=_b\r\n\r\n{}\r\n--=_b\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; \
         bob@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--=_b\r\nContent-Type: message/rfc822\r\n\r\nReceived: from x \
         by y; Fri, 20 Nov 2026 10:11:12 +0000\r\nFrom: alice@example.com\r\nTo: bob@example.net\r\nSubject: hello\r\n{mark}Date: Fri, 20 Nov 2026 \
         10:11:12 +0000\r\n\r\n{}\r\n--=_b--\r\n{}",
        text(before),
        text(behind),
        text(behind)
    )
    .into_bytes()
}

#[test]
fn a_mark_behind_twenty_megabytes_of_text_proves_and_its_want_is_seen() {
    let mark = mark_of(OWN);
    for (before, behind) in [(0, 20_000_000), (20_000_000, 0), (3_000_000, 3_000_000)] {
        let message = bounce_of(before, behind, Some(&mark));
        assert_same(&message, 65_535, "marked");
        assert_eq!(judged(&keep(&message, 65_535)).verdict, Verdict::Genuine);
        let message = bounce_of(before, behind, None);
        assert_same(&message, 65_535, "without a mark");
        assert_eq!(judged(&keep(&message, 65_535)).verdict, Verdict::Backscatter);
    }
}

#[test]
fn where_not_all_could_be_kept_a_proof_holds_and_nothing_else_is_held_against_the_message() {
    let parts =
        "--=_b\r\nContent-Type: text/plain\r\n\r\nTEXT\r\n".replace("TEXT", &"x y z\r\n".repeat(30_000)).repeat(20);
    let forged = mark_of(b"bob@example.com");
    for (mark, before, verdict) in [
        (Some(mark_of(OWN)), false, Verdict::Genuine),
        (Some(forged), false, Verdict::Unproven(Why::Unchecked)),
        (None, false, Verdict::Unproven(Why::Unchecked)),
        // The proof lies behind what was dropped.
        (Some(mark_of(OWN)), true, Verdict::Unproven(Why::NothingReturned)),
    ] {
        let message = String::from_utf8(bounce_of(0, 100, mark.as_deref())).unwrap();
        let at = if before { message.find("--=_b\r\n").unwrap() } else { message.find("--=_b--").unwrap() };
        let message = [&message[..at], &parts, &message[at..]].concat();
        let kept = keep(message.as_bytes(), 10_000);
        assert!(!kept.is_whole() && !kept.wants_more());
        let seen = judged(&kept);
        assert_eq!(seen.verdict, verdict, "{:?}", seen.checks);
        assert!(seen.cuts.contains(&bounce::Cut::Size));
        assert_eq!(seen.would.slug(), "deliver");
    }
}

#[test]
fn a_header_block_of_fifty_megabytes_and_one_endless_line_are_bounded() {
    for line in [&b"X-Filler: 0123456789\r\n"[..], b"X", b"--", b"\r\n", b"--=_b\r\n", b"\n--"] {
        for head in [&b""[..], b"Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n--=_b\r\n\r\n"] {
            let mut kept = Kept::new();
            kept.push(b"From: MAILER-DAEMON\r\n");
            kept.push(head);
            let piece = line.repeat(65_536 / line.len());
            for _ in 0..800 {
                kept.push(&piece);
            }
            assert!(kept.octets().len() <= limits::MAX_KEPT, "{}", line.escape_ascii());
            judged(&kept);
        }
    }
}

/// A piece of a body: a delimiter, a block, filler.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let filler = (0..5_usize, 1..400_000_usize).prop_map(|(kind, octets)| {
        let unit: &[u8] =
            [&b"text of some length\r\n"[..], b"x", b"--x\r\n", b"\n", b"=_b--=_c\r\n"].get(kind).unwrap();
        unit.repeat(octets.div_ceil(unit.len()))
    });
    let block = prop_oneof![
        Just(&b"\r\n--=_b\r\n\r\n"[..]),
        Just(&b"\n--=_b\nContent-Type: message/rfc822\n\nReceived: x\nFrom: alice@example.com\n\n"[..]),
        Just(&b"\r\n--=_b\r\nContent-Type: multipart/mixed; boundary=\"=_c\"\r\n\r\n"[..]),
        Just(&b"\r\n--=_b\r\nContent-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: base64\r\n\r\nRnJvbTogYQ0K\r\n"[..]),
        Just(&b"\r\n--=_c\r\n\r\n"[..]),
        Just(&b"\r\n--=_c--\r\n"[..]),
        Just(&b"\r\n--=_b--\r\n"[..]),
        Just(&b"--=_b \t\r\n"[..]),
        Just(&b"--=_bx\r\n"[..]),
        Just(&b"\r\nReceived: x\r\nFrom: alice@example.com\r\nTo: b@example.net\r\nSubject: x\r\n\r\n"[..]),
    ];
    prop_oneof![filler, block.prop_map(<[u8]>::to_vec)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn random_messages_are_judged_the_same_by_what_is_kept(
        all in prop::collection::vec(pieces(), 1..14),
        boundary in prop_oneof![Just("=_b"), Just("=_c"), Just("none")],
        piece in 1000..70_000_usize,
    ) {
        let head = format!(
            "From: MAILER-DAEMON@mx.example.net\r\nSubject: Undelivered Mail Returned to Sender\r\nX-Failed-Recipients: b@c.example\r\n\
             Content-Type: multipart/report; boundary=\"{boundary}\"\r\n\r\n"
        );
        let message = [head.as_bytes(), &all.concat()].concat();
        let kept = keep(&message, piece);
        let (seen, all) = (judged(&kept), whole(&message));
        if kept.is_whole() {
            prop_assert_eq!(seen, all);
        } else if seen.verdict == Verdict::Genuine {
            prop_assert_eq!(all.verdict, Verdict::Genuine);
        }
    }
}
