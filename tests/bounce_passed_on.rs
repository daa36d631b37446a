//! A bounce that a person pastes, passes on or attaches, and one that a list or newsletter quotes, is no bounce any more.
//!
//! Each bounce is put into mail of a person and of a list in several ways, under subjects in several languages, with and
//! without a known envelope. Over the bounces among the fixtures in `tests/bounce`, and over those of labelled real messages
//! where `BACKSTOP_CORPORA` names their folder (examples/corpora.rs says of what form); without it that part says so and is
//! skipped. The other way round, a bounce from a mail system stays one whatever
//! its envelope sender is.

#![cfg(feature = "bounce")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use backstop::bounce::{self, Envelope, Inspection, Kind, Verdict};
use backstop::mark::{self, Marked};
use backstop::policy::Policy;
use backstop::{Day, Domains, KeyRing};

const BEFORE: [&str; 12] =
    ["Fwd: ", "Re: ", "[EXTERNAL] ", "", "TR : ", "Ответ: ", "回复：", "[list] AW: ", "I: ", "RV: ", "転送: ", "ENC: "];
const FROM: [&str; 3] =
    ["Joe Doe <joe@firma.example>", "joe@firma.example", "\"Doe, Joe (Sales)\" <joe.doe@firma.example>"];

fn inspect(message: &[u8], sender: Option<&[u8]>) -> Inspection {
    let ring = KeyRing::parse(b"version 1\nmark m sha256 14 - - * text:an example\n").unwrap();
    let day = Day::parse("2026-11-21").unwrap();
    let policy = Policy::new(Domains::parse("example.com").unwrap()).with_marks_since(day.minus(60));
    bounce::inspect(message, &Envelope { sender, recipient: Some(b"alice@example.com") }, &ring, &policy, day)
}

/// The block, with its last line's end, and the body.
fn split(message: &[u8]) -> (&[u8], &[u8]) {
    let start = message.iter().take_while(|octet| octet.is_ascii_whitespace()).count();
    let message = message.get(start..).unwrap_or_default();
    let end = message.windows(2).position(|it| it == b"\n\n").map(|at| (at + 1, at + 2));
    let crlf = message.windows(4).position(|it| it == b"\r\n\r\n").map(|at| (at + 2, at + 4));
    let (head, body) = end.into_iter().chain(crlf).min().unwrap_or((message.len(), message.len()));
    (message.get(..head).unwrap_or_default(), message.get(body..).unwrap_or_default())
}

/// A field's value as it stands, its folds taken out.
fn field(head: &[u8], name: &str) -> String {
    let head = String::from_utf8_lossy(head).replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ");
    let begins = |line: &&str| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    head.lines().find(begins).and_then(|line| line.get(name.len() + 1..)).unwrap_or_default().trim().to_owned()
}

/// What people and lists do with a bounce: what it is called, and the message.
fn ways(number: usize, message: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let (head, body) = split(message);
    let subject = Some(field(head, "Subject")).filter(|it| !it.is_empty()).unwrap_or_else(|| "failure notice".into());
    let before = BEFORE.get(number % BEFORE.len()).unwrap();
    let from = FROM.get(number % FROM.len()).unwrap();
    let own =
        format!("From: {from}\nTo: alice@example.com\nMessage-ID: <1.2@firma.example>\nSubject: {before}{subject}\n");
    let mixed = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=zzq\n\n--zzq\n\nPlease look at this.\n\n--zzq\n\
                 Content-Type: message/rfc822\n\n";
    let parts = field(head, "Content-Type")
        .replace("ultipart/report", "ultipart/mixed")
        .replace("ultipart/Report", "ultipart/mixed");
    let parts = if parts.is_empty() { String::new() } else { format!("MIME-Version: 1.0\nContent-Type: {parts}\n") };
    let above = format!(
        "\nHi,\n\nwhat is this?\n\n-----Original Message-----\nFrom: {}\nSubject: {subject}\n\n",
        field(head, "From")
    );
    let list = format!(
        "From: Mailtool <noreply@mailtool.example>\nList-Id: <l.lists.example>\nList-Unsubscribe: <https://x.example>\n\
         Precedence: bulk\nSubject: {subject}\n\n"
    );
    vec![
        ("pasted", [own.as_bytes(), b"\nHi,\n\nlook:\n\n", body].concat()),
        ("pasted without a word", [own.as_bytes(), b"\n", body].concat()),
        ("passed on in the text", [own.as_bytes(), above.as_bytes(), body].concat()),
        ("passed on with its parts", [own.as_bytes(), parts.as_bytes(), b"\n", body].concat()),
        ("attached", [own.as_bytes(), mixed.as_bytes(), message, b"\n--zzq--\n"].concat()),
        ("quoted by a newsletter", [list.as_bytes(), body].concat()),
    ]
}

/// How many bounces there were among the messages.
fn check(messages: Vec<(String, Vec<u8>)>) -> usize {
    let mut wrong = Vec::new();
    let mut bounces = 0;
    for (number, (name, message)) in messages.iter().enumerate() {
        let seen = inspect(message, None);
        if !seen.kind.is_dsn() {
            continue;
        }
        bounces += 1;
        for (way, passed_on) in ways(number, message) {
            for sender in [None, Some(&b"joe@firma.example"[..])] {
                let seen = inspect(&passed_on, sender);
                if seen.kind.is_dsn() {
                    let why: Vec<_> = seen.evidence.iter().map(|it| format!("{} {}", it.id, it.weight)).collect();
                    wrong.push(format!("{name} {way}, sender known: {}: {}", sender.is_some(), why.join(", ")));
                }
            }
        }
        // Of some the null sender is the only sign.
        let has = |seen: &Inspection, id: &str| seen.evidence.iter().any(|it| it.id == id);
        let is_signed = has(&seen, "from-mailer-daemon") || has(&seen, "report-delivery");
        let seen = inspect(message, Some(b"joe@firma.example"));
        if is_signed && !has(&seen, "person-reply") && !seen.kind.is_dsn() {
            wrong.push(format!("{name}: no bounce with a sender that is not null"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    bounces
}

#[test]
fn a_fixture_that_is_passed_on_is_no_bounce() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bounce");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "eml"));
    files.sort();
    let bounces = check(files.iter().map(|it| (it.display().to_string(), fs::read(it).unwrap())).collect());
    assert!(bounces >= 80, "{bounces}");
}

#[test]
fn a_real_bounce_that_is_passed_on_is_no_bounce() {
    let Some(folder) = std::env::var_os("BACKSTOP_CORPORA").map(PathBuf::from) else {
        return eprintln!("skipped: BACKSTOP_CORPORA names no folder of labelled messages");
    };
    let manifest = fs::read_to_string(folder.join("manifest.jsonl")).unwrap();
    let rows = manifest.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let is_bounce = |row: &serde_json::Value| row.get("kind").is_some_and(|kind| kind == "bounce");
    let path = |row: serde_json::Value| row.get("path").and_then(|path| path.as_str()).unwrap().to_owned();
    let messages: Vec<_> =
        rows.filter(is_bounce).map(path).map(|path| (path.clone(), fs::read(folder.join(path)).unwrap())).collect();
    println!("{} bounces, none of them one where it is passed on", check(messages));
}

#[test]
fn what_has_a_null_sender_is_automatic_whatever_its_subject_begins_with() {
    let ring = KeyRing::parse(b"version 1\nmark m sha256 14 - - * text:an example\n").unwrap();
    let day = Day::parse("2026-11-19").unwrap();
    let Marked::Done(mark) = mark::make_header(&ring, b"alice@example.com", [7; 8], day).unwrap() else { panic!() };
    for before in BEFORE.iter().chain(&["[Fwd: ", "FW: ", "***SPAM*** WG: "]) {
        for from in FROM.iter().chain(&["MAILER-DAEMON@mx.example.net", "postmaster@mx.example.net", "<>"]) {
            let message = format!(
                "From: {from}\nSubject: {before}hello\n\nHet is niet gelukt.\n\nReceived: from a by b; Thu, 19 Nov 2026 \
                 10:11:12 +0000\n{}: {mark}\nFrom: alice@example.com\nDate: Thu, 19 Nov 2026 10:11:10 +0000\n\nhello\n",
                mark::HEADER
            );
            let seen = inspect(message.as_bytes(), Some(b"<>"));
            let why: Vec<_> = seen.evidence.iter().map(|it| format!("{} {}", it.id, it.weight)).collect();
            assert_ne!(seen.kind, Kind::NotABounce, "{before} {from}: {why:?}");
            assert_eq!(seen.verdict, Verdict::Genuine, "{before} {from}");
            assert!(seen.evidence.iter().all(|it| it.id != "passed-on" && it.id != "person-reply"), "{why:?}");
        }
    }
}
