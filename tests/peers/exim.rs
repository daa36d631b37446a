//! Exim's `${prvs}` and `${prvscheck}`, through one `exim -be`.

use std::path::Path;
use std::process::Command;

use backstop::{Day, Form, KeyRing, Verdict, batv};

use super::{Sequence, ask};

const SENDERS: usize = 2000;

fn program() -> Option<&'static str> {
    ["/usr/sbin/exim4", "/usr/sbin/exim", "/usr/exim/bin/exim"].into_iter().find(|path| Path::new(path).exists())
}

pub(crate) fn is_installed() -> bool {
    program().is_some()
}

/// Expands each line without any configuration.
fn expand(lines: &[String]) -> Vec<String> {
    let answers = ask(Command::new(program().unwrap()).args(["-C", "/dev/null", "-be"]), lines);
    let answers: Vec<String> = answers.iter().map(|line| line.strip_prefix("> ").unwrap_or(line).to_owned()).collect();
    // The last prompt stands alone.
    assert_eq!(answers.len(), lines.len() + 1);
    answers
}

/// The text as an argument of an expansion.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if matches!(character, '$' | '\\' | '{' | '}') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

fn sign_line(address: &str, secret: &str, key: char) -> String {
    format!("${{prvs{{{}}}{{{}}}{{{key}}}}}", escaped(address), escaped(secret))
}

/// Gives `ADDRESS|RESULT`, or nothing for what has not the shape of a tag.
fn check_line(address: &str, secret: &str) -> String {
    let shown = "$prvscheck_address|$prvscheck_result";
    format!("${{prvscheck{{{}}}{{{}}}{{{shown}}}}}", escaped(address), escaped(secret))
}

fn ring(secret: &str, key: char) -> KeyRing {
    KeyRing::parse(format!("version 1\nprvs {key} sha1 7 - - * text:{secret}\n").as_bytes()).unwrap()
}

fn sign(ring: &KeyRing, sender: &str, day: Day) -> Option<String> {
    batv::sign(ring, sender.as_bytes(), Form::Prefix, day).unwrap().address().map(ToString::to_string)
}

/// `ADDRESS|1` for a genuine one, `ADDRESS|` for any other with the shape of a tag, else nothing.
fn check(ring: &KeyRing, recipient: &str, today: Day) -> String {
    match batv::verify(ring, recipient.as_bytes(), today) {
        Ok(Verdict::Genuine(proof)) => format!("{}|1", proof.mailbox),
        Ok(Verdict::Expired(..) | Verdict::Forged { .. } | Verdict::UnknownKey { .. }) => {
            let (_, address) = batv::strip(recipient.as_bytes()).unwrap().unwrap();
            format!("{address}|")
        }
        _ => String::new(),
    }
}

/// Why Exim may say otherwise of a tag with a right MAC; each is asserted to be what differs.
enum Known {
    /// Exim compares the day numbers with `>=`: about half of all expired tags verify.
    ExpiredVerifies,
    /// Exim knows no skew past the wrap of the day number.
    SkewAtWrap,
    /// Exim compares the hash with regard to case, and never folds the address.
    Case,
}

fn known(recipient: &str, ours: &str, theirs: &str, today: Day) -> Option<Known> {
    let number: u32 = recipient.get(6..9)?.parse().ok()?;
    let now = today.number() % 1000;
    let hex = recipient.get(9..15)?;
    match (ours.ends_with("|1"), theirs.ends_with("|1")) {
        (false, true) if number >= now && (number - now) > 8 => Some(Known::ExpiredVerifies),
        (false, true) if number < 7 && now >= 993 => Some(Known::ExpiredVerifies),
        (true, false) if number < now && number == (now + 8) % 1000 => Some(Known::SkewAtWrap),
        (true, false) if hex.contains(|c: char| c.is_ascii_uppercase()) => Some(Known::Case),
        (true, false) if recipient.contains(|c: char| c.is_ascii_uppercase()) => Some(Known::Case),
        _ => None,
    }
}

/// Each sender signed today, signed on a random day and checked, and changed in one place and checked.
pub(crate) fn agrees_on_random_addresses(today: Day) {
    let mut random = Sequence::new();
    let seed = random.0;
    let (mut lines, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..SENDERS {
        let key = random.one_of(&['0', '1', '5', '9']);
        let secret = format!("s{}e", random.text("abcXYZ0189!#/+=,${}\\", 1, 60));
        let (sender, ring) = (random.address(48), ring(&secret, key));
        let Some(signed) = sign(&ring, &sender, today) else { continue };
        lines.push(sign_line(&sender, &secret, key));
        ours.push((signed.clone(), None));
        let age = u32::try_from(random.below(30)).unwrap();
        let other = sign(&ring, &sender, today.plus(1).minus(age)).unwrap();
        for recipient in [other, random.mutated(&signed)] {
            lines.push(check_line(&recipient, &secret));
            ours.push((check(&ring, &recipient, today), Some(recipient)));
        }
    }
    let (mut same, mut differ) = (0, 0);
    for ((line, (ours, recipient)), theirs) in lines.iter().zip(ours).zip(expand(&lines)) {
        if ours == theirs {
            same += 1;
        } else {
            let known = recipient.and_then(|recipient| known(&recipient, &ours, &theirs, today));
            assert!(known.is_some(), "seed {seed}: {line}\n ours {ours}\n Exim {theirs}");
            differ += 1;
        }
    }
    assert!(same > 2 * SENDERS && differ < SENDERS, "{same} the same, {differ} known to differ");
}

/// `K DDD` and the hash of a tag as letters.
fn normal(answer: &str) -> String {
    let mut text = answer.as_bytes().to_vec();
    if let Some(at) = answer.find("prvs=") {
        text[at + 5..at + 15].copy_from_slice(b"KDDDSSSSSS");
    }
    String::from_utf8(text).unwrap()
}

/// Sender, what Exim makes of it, what we make of it, and why.
const SIGNED: [(&str, &str, &str, &str); 4] = [
    (
        "\"a b\"@example.com",
        "prvs=KDDDSSSSSS=\"a b\"@example.com",
        "\"prvs=KDDDSSSSSS=a b\"@example.com",
        "quotes in the middle of a local part are illegal",
    ),
    (
        "prvs=0785e65738=a@example.com",
        "prvs=KDDDSSSSSS=prvs=0785e65738=a@example.com",
        "",
        "a tag is never put before a tag",
    ),
    (
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com",
        "prvs=KDDDSSSSSS=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com",
        "",
        "a local part has 64 octets",
    ),
    (
        "SRS0=PGkz=G3=example.com=a@fwd.example.net",
        "prvs=KDDDSSSSSS=SRS0=PGkz=G3=example.com=a@fwd.example.net",
        "",
        "an SRS address is never signed",
    ),
];

pub(crate) fn differs_where_known(today: Day) {
    let ring = ring("secret", '3');
    let lines: Vec<String> = SIGNED.iter().map(|row| sign_line(row.0, "secret", '3')).collect();
    for (row, theirs) in SIGNED.iter().zip(expand(&lines)) {
        assert_eq!(normal(&theirs), row.1, "Exim on {}: {}", row.0, row.3);
        assert_eq!(normal(&sign(&ring, row.0, today).unwrap_or_default()), row.2, "{}: {}", row.0, row.3);
    }

    // Case: an upper-cased hash and an upper-cased address of a sender that was signed in lower case.
    let signed = sign(&ring, "alice@example.com", today).unwrap();
    let hash = signed.replace(&signed[9..15], &signed[9..15].to_uppercase());
    let address = signed.replace("alice@example.com", "ALICE@EXAMPLE.COM");
    let lines = [check_line(&hash, "secret"), check_line(&address, "secret")];
    let theirs = expand(&lines);
    assert_eq!(theirs[1], "ALICE@EXAMPLE.COM|");
    assert_eq!(check(&ring, &address, today), "ALICE@EXAMPLE.COM|1");
    assert_eq!(check(&ring, &hash, today), "alice@example.com|1");
    if hash != signed {
        assert_eq!(theirs[0], "alice@example.com|");
    }

    // A tag whose number lies ahead although it expired long ago.
    let now = today.number() % 1000;
    if now < 900 {
        let expired = sign(&ring, "alice@example.com", today.minus(950)).unwrap();
        assert_eq!(expand(&[check_line(&expired, "secret")])[0], "alice@example.com|1");
        assert_eq!(check(&ring, &expired, today), "alice@example.com|");
    }

    // The sub-address form is nothing to Exim.
    let subaddress = batv::sign(&ring, b"alice@example.com", Form::Subaddress, today).unwrap();
    let subaddress = subaddress.address().unwrap().to_string();
    assert_eq!(expand(&[check_line(&subaddress, "secret")])[0], "");
    assert_eq!(check(&ring, &subaddress, today), "alice@example.com|1");
}
