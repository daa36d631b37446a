//! In words what an address is: its parts, the fields of its tag, the days that they imply, the verdict and why, and what
//! to do with it. For people who look into a log; what programs need stands in the types of the library.
//!
//! The fields are read again from the text that [`batv::strip`] recognised, so that no other place has to keep them for
//! this one's sake. Everything shown is escaped: addresses come from the network, and may hold what steers a terminal.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Write as _;

use crate::address::{Mailbox, Path};
use crate::batv::{self, Form, Tag};
use crate::day::{Day, ahead_of_prvs, implied_by_srs};
use crate::encode::ten_of_base32;
use crate::key::{KeyRing, Use};
use crate::srs;
use crate::verdict::{Foreign, Lapse, Signed, Verdict};

/// Tells in words what an address is on this day; with a ring also whether its tag is right.
///
/// ```
/// use backstop::{Day, KeyRing, explain::explain};
/// let ring = KeyRing::parse(b"version 1\nprvs 0 sha1 7 - - * text:secret\n")?;
/// let text = explain(Some(&ring), b"prvs=07853508f8=user@example.com", Day::parse("2026-11-25")?);
/// assert!(text.contains("signed      2026-11-21"));
/// assert!(text.contains("verdict     genuine: The tag was made by a key of this ring and is in date."));
/// # Ok::<(), backstop::Error>(())
/// ```
pub fn explain(ring: Option<&KeyRing>, address: &[u8], day: Day) -> String {
    let mut lines = Lines(String::new());
    let shown = if address.is_empty() { "<>".to_owned() } else { printable(address) };
    lines.put("address", &shown);
    match Path::parse_tagged(address) {
        Err(error) => {
            lines.put("problem", &format!("{error}."));
            lines.put(
                "what to do",
                "It is no address that SMTP could carry; treat it like any other one that is wrong.",
            );
        }
        Ok(Path::Null) => {
            lines.put("meaning", "The null sender, which bounces have. It is never signed and never a recipient.");
        }
        Ok(Path::Postmaster) => {
            lines.put("meaning", "The postmaster of this host. It carries no tag and is never refused.");
        }
        Ok(Path::Mailbox(mailbox)) => describe(&mut lines, ring, mailbox, day),
    }
    lines.0
}

/// The octets as people may safely see them: control characters, what has no width and marks that turn the direction of
/// text are escaped as `\u{1b}`, octets that are not UTF-8 as `\xff`.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() || is_unseen(character) {
                text.extend(character.escape_default());
            } else {
                text.push(character);
            }
        }
        for octet in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{octet:02x}");
        }
    }
    text
}

/// The marks of Unicode's UAX 9, the separators of lines and paragraphs, odd blanks, and what is shown as
/// nothing (Default_Ignorable_Code_Point) and would make two addresses look the same.
const fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{1680}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2000}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}'
            | '\u{205f}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// A table of two columns.
struct Lines(String);

impl Lines {
    fn put(&mut self, name: &str, text: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{name:<11} {text}");
    }
}

fn describe(lines: &mut Lines, ring: Option<&KeyRing>, mailbox: Mailbox<'_>, day: Day) {
    let local = mailbox.local();
    let quoted = if mailbox.is_quoted() { ", quoted" } else { "" };
    lines.put("local part", &format!("{} ({} octets of 64{quoted})", printable(local), local.len()));
    lines.put("domain", &printable(mailbox.domain()));
    let content = mailbox.content();
    if srs::is_srs(content) {
        describe_srs(lines, content, day);
    } else if let Ok(Some((tag, under))) = batv::strip(mailbox.as_bytes()) {
        match tag {
            Tag::Prvs => describe_prvs(lines, content, day),
            Tag::Bst1 => describe_bst1(lines, content),
            Tag::Foreign(foreign) => lines.put("tag", &format!("{}: {}", foreign.slug(), foreign.sentence())),
        }
        lines.put(
            "under it",
            &format!("{} (unproved as long as nothing verified the tag)", printable(under.to_address().as_bytes())),
        );
    } else {
        lines.put("tag", "none that is known");
    }
    let Some(ring) = ring else {
        lines.put("verdict", "none without a key ring; make one with `backstop key new`, or name one with --keys");
        return;
    };
    let verdict = if srs::is_srs(content) {
        let own = srs::served_forwarders(ring, mailbox.as_bytes());
        srs::reverse(ring, mailbox.as_bytes(), &own, &srs::Dialect::CLASSIC, day)
    } else {
        batv::verify(ring, mailbox.as_bytes(), day)
    };
    match verdict {
        Err(error) => lines.put("verdict", &format!("malformed: {error}.")),
        Ok(verdict) => judge(lines, ring, mailbox, &verdict, day),
    }
}

fn judge(lines: &mut Lines, ring: &KeyRing, mailbox: Mailbox<'_>, verdict: &Verdict<'_>, day: Day) {
    if let Some(proof) = verdict.proof() {
        if let Some((signed, expires)) = proof.signed.zip(proof.expires) {
            lines.put("signed", &format!("{signed} by {} key {}", proof.usage, proof.key));
            lines.put("expires", &expires.to_string());
        } else {
            lines.put("signed", &format!("by {} key {}, which leaves no date", proof.usage, proof.key));
        }
    }
    lines.put("verdict", &format!("{}: {}", verdict.slug(), verdict.sentence()));
    let fate = batv::sign(ring, mailbox.as_bytes(), Form::Prefix, day);
    // Of a mailbox under a tag of others its domain tells, as it does for the policy: there may be more tags under it.
    let serves = |usage| ring.signing_key(usage, mailbox.domain(), day).is_ok();
    let is_signed = match verdict {
        Verdict::Foreign(_) => serves(Use::Prvs) || serves(Use::Bst1),
        _ => matches!(fate, Ok(Signed::Done(_))),
    };
    if matches!(verdict, Verdict::Untagged) {
        let fate = match fate {
            Ok(Signed::Done(signed)) => format!("signed as {}", printable(signed.as_bytes())),
            Ok(Signed::Unsigned(reason)) => format!("left unsigned, {reason}: {}", reason.sentence()),
            Err(error) => format!("left unsigned: {error}."),
        };
        lines.put("as sender", &format!("It would be {fate}"));
    }
    lines.put("what to do", &advice(verdict, is_signed));
}

fn advice(verdict: &Verdict<'_>, is_signed: bool) -> String {
    let bounce = match verdict {
        Verdict::Genuine(proof) if proof.usage == Use::Srs => {
            return format!(
                "Send a bounce on to {}; refuse other mail.",
                printable(proof.mailbox.to_address().as_bytes())
            );
        }
        Verdict::Genuine(proof) => return format!("Deliver to {}.", printable(proof.mailbox.to_address().as_bytes())),
        Verdict::Expired(proof, Lapse::Lifetime) if proof.usage != Use::Srs => {
            "Refuse a bounce, unless your policy grants it some days of grace."
        }
        Verdict::Expired(..) => "Refuse a bounce.",
        Verdict::Forged { .. } => "Refuse a bounce: it answers mail that was not yours.",
        Verdict::UnknownKey { .. } => {
            "See with `backstop key list` whether this ring is older than that of the host that signed; \
             if all hosts have the same ring, refuse a bounce."
        }
        Verdict::Malformed(_) => "Refuse a bounce; if many look like this, something on the way damages addresses.",
        Verdict::Foreign(foreign) if is_signed && *foreign != Foreign::Srs => {
            "Refuse a bounce: mail from the mailbox under the tag leaves with another one, which this ring makes."
        }
        Verdict::Foreign(Foreign::Srs) => "Leave it to the system that made the address.",
        Verdict::Foreign(_) => {
            "Leave it to the system that made the tag; `backstop strip` takes it off for lists of senders."
        }
        Verdict::Untagged if !is_signed => {
            "Let a bounce pass: this ring signs no mail from this mailbox, so that its bounces bring no tag."
        }
        Verdict::Untagged => {
            "Refuse a bounce once mail from this mailbox has been signed for as long as tags live, and a week."
        }
    };
    bounce.to_string()
}

fn describe_prvs(lines: &mut Lines, content: &[u8], day: Day) {
    let (value, form) = match batv::prvs_form(content) {
        Some(Form::Prefix) => (content.get(5..15), ""),
        Some(Form::Subaddress) => (content.last_chunk::<10>().map(<[u8; 10]>::as_slice), ", as a sub-address"),
        None => return,
    };
    let Some(([key], [d1, d2, d3], mac)) = value.and_then(split_prvs) else { return };
    lines.put("tag", &format!("prvs, the BATV draft{form}: key {}, mac {}", char::from(*key), printable(mac)));
    let number = [d1, d2, d3].iter().fold(0, |sum, digit| sum * 10 + u32::from(digit.wrapping_sub(b'0')));
    let ahead = ahead_of_prvs(number, day);
    // No tag lives longer than this, so that a number further ahead must lie in the past.
    let most = u32::from(Use::Prvs.max_days()) + 1;
    let expires = if ahead <= most { day.plus(ahead) } else { day.minus(1000 - ahead) };
    let is = if ahead <= most { "still holds" } else { "has run out" };
    lines
        .put("its day", &format!("{number:03}: it {is} if {expires} is meant; the number comes again every 1000 days"));
}

fn split_prvs(value: &[u8]) -> Option<(&[u8; 1], &[u8; 3], &[u8])> {
    let (key, rest) = value.split_first_chunk::<1>()?;
    let (day, mac) = rest.split_first_chunk::<3>()?;
    Some((key, day, mac))
}

fn describe_bst1(lines: &mut Lines, content: &[u8]) {
    let value = content.get(5..).and_then(<[u8]>::split_first);
    let Some((key, text)) = value.and_then(|(key, rest)| Some((key, rest.first_chunk::<16>()?))) else { return };
    let Some([high, low, ..]) = ten_of_base32(text) else { return };
    lines.put("tag", &format!("bst1: key {}", char::from(key.to_ascii_lowercase())));
    if let Ok(signed) = Day::from_number(u32::from(u16::from_be_bytes([high, low]) >> 1)) {
        lines.put("its day", &format!("made on {signed}"));
    }
}

/// Of what has not the shape of an SRS address, the parts that are there.
fn describe_srs(lines: &mut Lines, content: &[u8], day: Day) {
    let mut parts = content.get(5..).unwrap_or_default().splitn(4, |&octet| octet == b'=');
    let mut part = || parts.next().filter(|part| !part.is_empty()).map(printable);
    let (hash, stamp, host, local) = (part(), part(), part(), part());
    let hash = hash.map(|hash| format!(": hash {hash}")).unwrap_or_default();
    if content.get(3) == Some(&b'1') {
        lines.put("tag", &format!("SRS1, forwarded more than once{hash}"));
        if let Some((_, host, rest)) = content.get(4..).and_then(srs::srs1_parts) {
            let (host, rest) = (printable(host), printable(rest));
            lines.put("under it", &format!("SRS0{rest} at {host}, the first forwarder"));
        }
        return;
    }
    let shown = stamp.as_ref().map(|stamp| format!(", stamp {stamp}")).unwrap_or_default();
    lines.put("tag", &format!("SRS0, a forwarded sender{hash}{shown}"));
    if let Some(number) = stamp.and_then(|stamp| stamp.as_bytes().try_into().ok()).and_then(srs::number_of) {
        let implied = implied_by_srs(number, 0, day);
        lines.put("its day", &format!("made on {}; the stamp comes again every 1024 days", implied.signed));
    }
    if let Some((host, local)) = host.zip(local) {
        lines.put("under it", &format!("{local}@{host} (unproved as long as nothing verified the hash)"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> KeyRing {
        let text = "version 1\nprvs 0 sha1 7 - - * text:secret\nbst1 k sha256 10 - - short.example text:bst1 secret\n\
                    srs 0 sha1 21 - - fwd.example.net text:tops3cr3t\n";
        let text = text.replace("7 - - *", "7 - - *,!unserved.example");
        KeyRing::parse(text.as_bytes()).unwrap()
    }

    fn told(address: &str, day: &str) -> String {
        explain(Some(&ring()), address.as_bytes(), Day::parse(day).unwrap())
    }

    #[test]
    fn controls_and_foreign_octets_are_escaped_and_letters_are_not() {
        assert_eq!(printable("jörg\u{1b}[2J\r\n\u{9b}\u{202e}".as_bytes()), "jörg\\u{1b}[2J\\r\\n\\u{9b}\\u{202e}");
        assert_eq!(printable(b"a\xffb\\"), "a\\xffb\\");
        let unseen = "a\u{ad}\u{200b}\u{202f}\u{2060}\u{feff}\u{e0061}b";
        assert_eq!(printable(unseen.as_bytes()), "a\\u{ad}\\u{200b}\\u{202f}\\u{2060}\\u{feff}\\u{e0061}b");
    }

    #[test]
    fn a_tag_is_described_by_the_form_in_which_it_is_verified() {
        let text = told("prvs=foo+prvs=0785e65738@example.com", "2026-11-21");
        assert!(text.contains("prvs, the BATV draft, as a sub-address: key 0, mac e65738\n"), "{text}");
        assert!(text.contains("785: it still holds if 2026-11-28 is meant"), "{text}");
    }

    #[test]
    fn a_prvs_number_means_the_nearest_day_that_a_tag_can_live_to() {
        let tag = "prvs=07853508f8=user@example.com";
        for (today, expected) in [
            ("2026-11-21", "785: it still holds if 2026-11-28 is meant"),
            ("2026-11-28", "785: it still holds if 2026-11-28 is meant"),
            ("2026-11-29", "785: it has run out if 2026-11-28 is meant"),
            ("2026-08-20", "785: it still holds if 2026-11-28 is meant"),
            ("2026-08-19", "785: it has run out if 2024-03-03 is meant"),
        ] {
            let text = told(tag, today);
            assert!(text.contains(expected), "{today}: {text}");
        }
    }

    #[test]
    fn the_verdict_and_what_to_do_go_together() {
        for (address, day, verdict, advice) in [
            ("prvs=07853508f8=user@example.com", "2026-11-21", "genuine: ", "Deliver to user@example.com."),
            ("user+prvs=07853508f9@example.com", "2026-11-21", "forged: ", "Refuse a bounce: it answers"),
            ("prvs=07853508f8=user@example.com", "2026-12-21", "expired: ", "Refuse a bounce, unless"),
            ("prvs=17853508f8=user@example.com", "2026-11-21", "unknown-key: ", "See with `backstop key list`"),
            ("prvs=0785350=user@example.com", "2026-11-21", "malformed: ", "Refuse a bounce; if many"),
            ("btv1==123456789ab==user@example.com", "2026-11-21", "foreign: ", "Refuse a bounce: mail from"),
            (
                "btv1==123456789ab==user@unserved.example",
                "2026-11-21",
                "foreign: ",
                "Leave it to the system that made the tag; `backstop strip`",
            ),
            ("user@example.com", "2026-11-21", "untagged: ", "Refuse a bounce once"),
            ("user@unserved.example", "2026-11-21", "untagged: ", "Let a bounce pass: this ring signs no mail"),
            ("SRS0=PGkz=G3=example.com=alice@fwd.example.net", "2023-11-20", "genuine: ", "Send a bounce on to alice@"),
            (
                "SRS0=PGkz=G3=example.com=alice@else.example",
                "2023-11-20",
                "foreign: ",
                "Leave it to the system that made the address.",
            ),
            ("SRS0=PGkz=G3=example.com=alice@fwd.example.net", "2023-12-20", "expired: ", "Refuse a bounce.\n"),
        ] {
            let text = told(address, day);
            assert!(text.contains(&format!("verdict     {verdict}")), "{address}: {text}");
            assert!(text.contains(&format!("what to do  {advice}")), "{address}: {text}");
        }
    }

    #[test]
    fn days_of_bst1_and_srs_are_told() {
        let day = Day::parse("2026-11-21").unwrap();
        let signed = batv::sign(&ring(), b"u@short.example", Form::Prefix, day).unwrap();
        let text = told(signed.address().unwrap().as_str().unwrap(), "2026-11-22");
        assert!(text.contains("bst1: key k\nits day     made on 2026-11-21\n"), "{text}");
        let text = told("SRS0=PGkz=G3=example.com=alice@fwd.example.net", "2023-11-20");
        assert!(text.contains("its day     made on 2023-11-14; the stamp comes again every 1024 days"), "{text}");
        let text = told("SRS1=abcd=first.example==PGkz=G3=example.com=alice@fwd.example.net", "2023-11-20");
        assert!(text.contains("SRS0=PGkz=G3=example.com=alice at first.example, the first forwarder"), "{text}");
    }

    #[test]
    fn of_what_is_no_whole_srs_address_only_the_parts_that_are_there_are_told() {
        for (address, told_of) in [
            ("SRS0=abc@fwd.example.net", "SRS0, a forwarded sender: hash abc\nverdict "),
            ("SRS0=@fwd.example.net", "SRS0, a forwarded sender\nverdict "),
            ("SRS0=abcd=!!@fwd.example.net", "SRS0, a forwarded sender: hash abcd, stamp !!\nverdict "),
            (
                "SRS0==!!=example.com=bob@fwd.example.net",
                "SRS0, a forwarded sender, stamp !!\nunder it    bob@example.com ",
            ),
            ("SRS0=abcd=!!=example.com@fwd.example.net", "SRS0, a forwarded sender: hash abcd, stamp !!\nverdict "),
            ("SRS0=abcd=!!==bob@fwd.example.net", "SRS0, a forwarded sender: hash abcd, stamp !!\nverdict "),
            ("SRS1=abc@fwd.example.net", "SRS1, forwarded more than once: hash abc\nverdict "),
            ("SRS1=abcd=first.example=bob@fwd.example.net", "SRS1, forwarded more than once: hash abcd\nverdict "),
            ("SRS1=@fwd.example.net", "SRS1, forwarded more than once\nverdict "),
        ] {
            let text = told(address, "2026-11-21");
            assert!(text.contains(&format!("tag         {told_of}")), "{address}: {text}");
            assert!(text.contains("verdict     malformed: "), "{address}: {text}");
        }
    }

    #[test]
    fn nothing_is_judged_without_a_ring_and_nothing_steers_the_terminal() {
        let day = Day::parse("2026-11-21").unwrap();
        assert!(
            explain(None, b"prvs=07853508f8=user@example.com", day).contains("verdict     none without a key ring")
        );
        for address in [&b"a\x1b[2J@b"[..], "a\u{9b}2J@example.com".as_bytes(), b"<>", b"", b"<postmaster>", b"\xff@b"]
        {
            let text = explain(Some(&ring()), address, day);
            assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
            assert!(text.lines().count() >= 2, "{text}");
        }
    }
}
