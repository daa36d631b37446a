//! A mark planted in what a bounce returns is found and proves it, and nowhere else does it prove anything.
//!
//! Planting rewrites a Message-ID that came back: a mark header before it, on top of its block or at the end of it, or a
//! marked Message-ID in its place, behind the same quote marks. Over the fixtures in `tests/bounce`, and over the bounces of labelled real messages where
//! `BACKSTOP_CORPORA` names their folder (examples/corpora.rs says of what form); without it that part says so and is
//! skipped.

#![cfg(feature = "bounce")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use backstop::bounce::{self, Envelope, Inspection, Verdict};
use backstop::mark::{self, Marked};
use backstop::policy::Policy;
use backstop::{Day, Domains, KeyRing};
use proptest::prelude::*;

const FROM: &[u8] = b"alice@example.com";

fn ring() -> KeyRing {
    KeyRing::parse(b"version 1\nmark m sha256 14 - - * text:planted\n").unwrap()
}

fn today() -> Day {
    Day::parse("2026-11-21").unwrap()
}

fn inspect(message: &[u8]) -> Inspection {
    let envelope = Envelope { sender: None, recipient: Some(FROM) };
    bounce::inspect(message, &envelope, &ring(), &Policy::new(Domains::parse("example.com").unwrap()), today())
}

/// Where Message-IDs stand behind the message's own block: the line, where the name begins in it, and the line's end.
fn returned_ids(message: &[u8]) -> Vec<(usize, usize, usize)> {
    let start = message.iter().take_while(|octet| octet.is_ascii_whitespace()).count();
    let own = message[start..].windows(3).position(|it| it.starts_with(b"\n\n") || it == b"\n\r\n");
    let Some(mut at) = own.map(|own| own + start) else { return Vec::new() };
    let mut ids = Vec::new();
    for line in message[at..].split_inclusive(|octet| *octet == b'\n') {
        let quote = line.iter().take_while(|octet| matches!(octet, b' ' | b'\t' | b'>' | b'|')).count();
        if line[quote..].len() > 11 && line[quote..][..11].eq_ignore_ascii_case(b"message-id:") {
            ids.push((at, at + quote, at + line.len()));
        }
        at += line.len();
    }
    ids
}

/// Where the fields begin and end among which a line with this quote mark stands.
fn block_around(message: &[u8], line: usize, quote: &[u8]) -> (usize, usize) {
    let is_fold = |text: &[u8]| text.strip_prefix(quote).is_some_and(|text| matches!(text.first(), Some(b' ' | b'\t')));
    let goes_on = |text: &&[u8]| {
        let name = text.strip_prefix(quote).and_then(|text| text.split(|octet| *octet == b':').next());
        let is_field = name.is_some_and(|name| !name.is_empty() && name.iter().all(u8::is_ascii_graphic));
        !text.trim_ascii().is_empty() && (is_field || is_fold(text))
    };
    let (above, below) = message.split_at(line);
    let above: Vec<_> = above.split_inclusive(|octet| *octet == b'\n').rev().take_while(goes_on).collect();
    // What is left of a field that begins behind something else on its line.
    let above = above.iter().rev().skip_while(|text| is_fold(text));
    // Behind a soft break of quoted-printable the same line goes on.
    let mut is_broken = false;
    let below = below.split_inclusive(|octet| *octet == b'\n').take_while(|text| {
        let was_broken = std::mem::replace(&mut is_broken, text.trim_ascii_end().ends_with(b"="));
        was_broken && !text.trim_ascii().is_empty() || goes_on(text)
    });
    (line - above.map(|text| text.len()).sum::<usize>(), line + below.map(<[u8]>::len).sum::<usize>())
}

/// The message with the field in place of what stands from `at` to `rest`.
fn planted(message: &[u8], (at, rest): (usize, usize), quote: &[u8], field: &str) -> Vec<u8> {
    [&message[..at], quote, field.as_bytes(), b"\n", &message[rest..]].concat()
}

fn fields() -> [(String, bool, &'static str); 2] {
    let Marked::Done(header) = mark::make_header(&ring(), FROM, [3; 8], today().minus(2)).unwrap() else { panic!() };
    let made = mark::make_message_id(&ring(), "planted.1", "example.com", FROM, today().minus(2)).unwrap();
    let Marked::Done(id) = made else { panic!() };
    [
        (format!("{}: {header}", mark::HEADER), true, "returned-mark"),
        (format!("Message-ID: {id}"), false, "returned-message-id"),
    ]
}

/// `None` if nothing came back; else what is wrong. Of several Message-IDs one must be the one that came back.
fn plant(name: &str, message: &[u8]) -> Option<Vec<String>> {
    let ids = returned_ids(message);
    ids.first()?;
    let mut wrong = Vec::new();
    for (field, keep, place) in fields() {
        // In a quoted-printable part the equals signs are written as such, in HTML the brackets.
        let html = field.replace('<', "&lt;").replace('>', "&gt;");
        let forms = [field.clone(), field.replace('=', "=3D"), html];
        for spot in if keep { &["before it", "on top", "at the end"][..] } else { &["in its place"] } {
            let proves = |(line, name, end): &(usize, usize, usize)| {
                let quote = &message[*line..*name];
                let (top, bottom) = block_around(message, *line, quote);
                let at = match *spot {
                    "before it" => (*line, *line),
                    "on top" => (top, top),
                    "at the end" => (bottom, bottom),
                    _ => (*line, *end),
                };
                forms.iter().any(|form| {
                    let seen = inspect(&planted(message, at, quote, form));
                    seen.verdict == Verdict::Genuine && seen.proof().is_some_and(|proof| proof.place.slug() == place)
                })
            };
            if !ids.iter().any(proves) {
                wrong.push(format!("{name}: {place} {spot} not found"));
            }
        }
    }
    Some(wrong)
}

fn check(messages: Vec<(String, Vec<u8>)>) -> (usize, usize) {
    let bounces = messages.iter().filter(|(_, message)| inspect(message).kind.is_dsn());
    let (mut all, mut planted, mut wrong) = (0, 0, Vec::new());
    for (name, message) in bounces {
        all += 1;
        if let Some(found) = plant(name, message) {
            planted += 1;
            wrong.extend(found);
        }
    }
    assert!(wrong.is_empty(), "{} of {planted}:\n{}", wrong.len(), wrong.join("\n"));
    (all, planted)
}

#[test]
fn a_mark_planted_in_a_fixture_proves_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bounce");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "eml"));
    let (all, planted) = check(files.iter().map(|it| (it.display().to_string(), fs::read(it).unwrap())).collect());
    assert!(all >= 25 && planted >= 15, "{planted} of {all}");
}

#[test]
fn a_mark_planted_in_a_real_bounce_proves_it() {
    let Some(folder) = std::env::var_os("BACKSTOP_CORPORA").map(PathBuf::from) else {
        return eprintln!("skipped: BACKSTOP_CORPORA names no folder of labelled messages");
    };
    let manifest = fs::read_to_string(folder.join("manifest.jsonl")).unwrap();
    let rows = manifest.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let paths = rows.filter(|row| row["kind"] == "bounce").map(|row| row["path"].as_str().unwrap().to_owned());
    let messages = paths.map(|path| (path.clone(), fs::read(folder.join(path)).unwrap())).collect();
    let (all, planted) = check(messages);
    println!("{all} bounces, {planted} return a Message-ID, all proved by a planted mark and a planted Message-ID");
}

#[test]
fn a_mark_in_the_block_of_the_bounce_itself_proves_nothing() {
    let bounce = "From: MAILER-DAEMON@mx.example.net\nSubject: Undelivered Mail Returned to Sender\n\nno such user\n";
    for (field, _, _) in fields() {
        let seen = inspect(format!("{field}\n{bounce}").as_bytes());
        assert!(seen.kind.is_dsn());
        assert_eq!((seen.proof(), seen.checks.len()), (None, 0));
        assert!(matches!(seen.verdict, Verdict::Unproven(_)));
    }
}

/// The ways in which a block comes back.
#[derive(Debug, Clone, Copy)]
enum Way {
    Message,
    Headers,
    Base64,
    QuotedPrintable,
    Text(&'static str),
}

fn in_base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for (number, three) in octets.chunks(3).enumerate() {
        let bits = three.iter().fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let pad = place > three.len();
            text.push(if pad { '=' } else { char::from(ALPHABET[(bits >> (18 - 6 * place) & 63) as usize]) });
        }
        if number % 19 == 18 {
            text.push('\n');
        }
    }
    text
}

fn returned_by(way: Way, block: &str) -> String {
    let part = |head: &str, body: &str| {
        format!(
            "Content-Type: multipart/report; report-type=delivery-status; boundary=\"=_b\"\n\n--=_b\n\nfailed\n--=_b\n\
             {head}\n\n{body}\n--=_b--\n"
        )
    };
    let encoded = |name: &str| format!("Content-Type: message/rfc822\nContent-Transfer-Encoding: {name}");
    match way {
        Way::Message => part("Content-Type: message/rfc822", &format!("{block}\nbody\n")),
        Way::Headers => part("Content-Type: text/rfc822-headers", block),
        Way::Base64 => part(&encoded("base64"), &in_base64(block.as_bytes())),
        Way::QuotedPrintable => part(&encoded("quoted-printable"), &block.replace('=', "=3D")),
        Way::Text(prefix) => {
            let lines: String = block.lines().map(|line| format!("{prefix}{line}\n")).collect();
            format!("\nSorry: no such user\n\n{lines}\nthe end\n")
        }
    }
}

fn ways() -> impl Strategy<Value = Way> {
    let prefixes = vec!["", "> ", "    ", "| ", ">> "];
    prop_oneof![
        Just(Way::Message),
        Just(Way::Headers),
        Just(Way::Base64),
        Just(Way::QuotedPrintable),
        proptest::sample::select(prefixes).prop_map(Way::Text),
    ]
}

proptest! {
    #[test]
    fn a_mark_comes_back_by_every_way(
        way in ways(),
        others in proptest::collection::vec(("[A-Z][A-Za-z0-9-]{0,20}", "[ -~]{0,60}"), 0..20),
        at in 0_usize..20,
        folded: bool,
        crlf: bool,
    ) {
        let mut lines = vec![
            "From: Alice <alice@example.com>".to_owned(),
            "To: x@reflector.example".to_owned(),
            "Date: Fri, 20 Nov 2026 10:11:12 +0000".to_owned(),
        ];
        // A line that is blank but for a name stays a line.
        lines.extend(others.iter().map(|(name, value)| format!("X-{name}: {}.", value.trim())));
        let mark = fields()[0].0.clone();
        let mark = if folded { mark.replace("; n=", ";\n\tn=") } else { mark };
        lines.insert(at % (lines.len() + 1), mark);
        let block = lines.join("\n") + "\n";
        let message = format!("From: MAILER-DAEMON@mx.example.net\nSubject: failure notice\n{}", returned_by(way, &block));
        let message = if crlf { message.replace('\n', "\r\n") } else { message };
        let seen = inspect(message.as_bytes());
        prop_assert_eq!(seen.proof().map(|proof| proof.place.slug()), Some("returned-mark"), "{}", message);
        prop_assert_eq!(seen.returned[0].from.as_deref(), Some("alice@example.com"));
    }
}
