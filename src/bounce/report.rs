//! What others should see: an abuse report, a letter to the postmaster of a reflector, a record for the one whose name was
//! misused.
//!
//! Nothing is sent. All three are made only of backscatter and forged tags or marks: a report about a bounce that may be
//! rightful would be abuse itself. The report is ARF (RFC 5965): text, message/feedback-report in 7 bits, and the bounce's
//! own header block, no bodies; its Subject is that of the bounce behind `FW: `, as section 2 demands. Redacted are the local parts of own addresses, the values of marks, and the marks in
//! Message-IDs. What comes from outside is written line by line with control characters escaped.

use std::fmt::Write;
use std::net::IpAddr;

use super::guard::{Block, without_blank_lines};
use super::{Inspection, Kind, Trust, Verdict, parts};
use crate::explain::printable;
use crate::mark;
use crate::policy::Policy;

/// Octets of a Subject; encoded it has three times as many, and a line holds 998.
const MAX_SUBJECT: usize = 240;
/// Octets of the text on a line of the headers; a name stands before the first, and 998 are allowed.
const MAX_LINE: usize = 800;
/// Octets of the text of an encoded word; the line is 76 long at most, and `Subject: FW: ` stands on the first.
const MAX_WORD: usize = 50;

/// What only the caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter<'a> {
    /// From of the report, an address that is read.
    pub from: &'a str,
    /// To of the report, as `postmaster@reflector.example`.
    pub to: &'a str,
    /// When the bounce came, in the form of RFC 5322.
    pub date: &'a str,
    /// The address from which it came.
    pub client: Option<IpAddr>,
}

/// An abuse report about a message, a whole message of its own; `None` if the verdict is neither backscatter nor forged.
pub fn arf(message: &[u8], seen: &Inspection, letter: &Letter<'_>, policy: &Policy) -> Option<String> {
    let text = plain(message, seen, letter, policy)?;
    let headers = headers(message, policy);
    let boundary = free_boundary(&[&text, &headers]);
    let mut fields = format!(
        "Feedback-Type: abuse\nUser-Agent: backstop/{}\nVersion: 1\nOriginal-Mail-From: <>\n",
        env!("CARGO_PKG_VERSION")
    );
    put(&mut fields, "Arrival-Date", letter.date);
    if let Some(client) = letter.client {
        put(&mut fields, "Source-IP", &client.to_string());
    }
    if let Some(host) = &seen.source.reporting {
        put(&mut fields, "Reported-Domain", super::source::organisation(host));
    }
    if let Some(mailbox) = &seen.mailbox {
        put(&mut fields, "Original-Rcpt-To", &redacted(mailbox, policy));
    }
    let mut report = String::new();
    put(&mut report, "From", letter.from);
    put(&mut report, "To", letter.to);
    put(&mut report, "Date", letter.date);
    let subject = Block::read(without_blank_lines(message)).0.get("Subject").map(parts::text).unwrap_or_default();
    let subject = encoded(&printable(redacted(subject.trim(), policy).as_bytes()));
    let _ = writeln!(report, "Subject: {subject}");
    report.push_str("MIME-Version: 1.0\nAuto-Submitted: auto-generated\n");
    let _ = writeln!(report, "Content-Type: multipart/report; report-type=feedback-report; boundary=\"{boundary}\"\n");
    for (kind, bits, content) in [
        ("text/plain; charset=utf-8", "8bit", text),
        ("message/feedback-report", "7bit", in_seven_bits(&fields)),
        ("text/rfc822-headers; charset=utf-8", "8bit", headers),
    ] {
        let head = format!("Content-Type: {kind}\nContent-Transfer-Encoding: {bits}");
        let _ = writeln!(report, "--{boundary}\n{head}\n\n{content}");
    }
    let _ = writeln!(report, "--{boundary}--");
    Some(report)
}

/// The same in words, for the postmaster of the reflector; `None` as for [`arf`].
pub fn plain(message: &[u8], seen: &Inspection, letter: &Letter<'_>, policy: &Policy) -> Option<String> {
    if !is_misuse(seen.verdict) {
        return None;
    }
    let host = printable(seen.source.reporting.as_deref().unwrap_or("your host").as_bytes());
    let mut text = format!(
        "Your host {host} sent us the message whose headers stand below, on {}.\n\n\
         It {} mail that we did not send. Spammers and viruses forge our addresses; a host\n\
         that first takes such mail in and then answers its sender sends the answer to us.\n\
         {}\n\n\
         Please refuse what you cannot deliver while the other host is still connected (a 5xx\n\
         reply at RCPT, or after DATA for viruses and spam), with the list of valid recipients on\n\
         every host that takes mail for your domains, and send no automatic replies to senders\n\
         whom nobody vouches for (RFC 3834). A backup MX without that list is the usual cause.\n\n",
        printable(letter.date.as_bytes()),
        what(seen.kind),
        how_known(seen)
    );
    facts(&mut text, seen, policy);
    let _ = write!(text, "\nHeaders of the message that you sent:\n\n{}", indented(&headers(message, policy)));
    Some(text)
}

/// A record that somebody can show who is blamed for a message: it was not sent from here, and why that is known.
/// `None` as for [`arf`].
pub fn victim_record(seen: &Inspection, letter: &Letter<'_>, policy: &Policy) -> Option<String> {
    if !is_misuse(seen.verdict) {
        return None;
    }
    let mut text = format!(
        "On {} a message came back to us that carries an address of ours as its sender.\n\
         It was not sent by us.\n\nWhy that is known:\n{}\n\n",
        printable(letter.date.as_bytes()),
        how_known(seen)
    );
    facts(&mut text, seen, policy);
    Some(text)
}

const fn is_misuse(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Backscatter | Verdict::Forged)
}

const fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::DsnFailed => "bounces",
        Kind::DsnDelayed | Kind::DsnSuccess => "reports on",
        Kind::Mdn => "confirms",
        Kind::FeedbackReport => "complains about",
        Kind::VirusNotice => "warns of a virus in",
        Kind::SpamNotice => "complains of spam in",
        Kind::Challenge => "wants proof of the sender of",
        _ => "answers",
    }
}

const fn how_known(seen: &Inspection) -> &'static str {
    match seen.verdict {
        Verdict::Forged => {
            "It carries a signature in our name that our keys did not make for this address; only forged\n\
             mail has one."
        }
        _ => {
            "All mail that leaves us carries a signed mark in its headers, and has done so for longer than\n\
             mail stays in queues. The headers that came back have none."
        }
    }
}

fn facts(text: &mut String, seen: &Inspection, policy: &Policy) {
    let source = &seen.source;
    text.push_str("What is known of the forged mail:\n\n");
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<18} {}", redacted(&printable(value.as_bytes()), policy));
    };
    if let Some(injector) = &source.injector {
        let trust = match injector.trust {
            Trust::Reporter => "as the reporting host itself wrote",
            Trust::Claimed => "by a line that may be forged",
        };
        line("given to it by", &format!("{} ({trust})", injector.ip));
    }
    if let Some(subject) = &source.subject {
        line("subject", subject);
    }
    if let Some(from) = &source.from {
        line("forged From", &source.name.as_ref().map_or_else(|| from.clone(), |name| format!("{name} <{from}>")));
    }
    if let Some(id) = seen.returned.first().and_then(|returned| returned.message_id.as_ref()) {
        line("Message-ID", id);
    }
    if let Some(day) = seen.returned.first().and_then(|returned| returned.day) {
        line("its own date", &day.to_string());
    }
    for host in &source.links {
        line("link to", host);
    }
}

/// The header block of a message, redacted. Encoded words are decoded, since an own address may stand in one.
fn headers(message: &[u8], policy: &Policy) -> String {
    let (block, _) = Block::read(without_blank_lines(message));
    let mut text = String::new();
    for field in &block.fields {
        let value = if field.name.eq_ignore_ascii_case(mark::HEADER.as_bytes()) { b"redacted" } else { field.value };
        let value = match memchr::memmem::find(value, b"=?") {
            Some(_) => parts::text(value),
            None => String::from_utf8_lossy(value),
        };
        let mut start = format!("{}: ", printable(field.name));
        let value = value.trim();
        for line in if value.is_empty() { "\n" } else { value }.lines() {
            let line = printable(redacted(line.trim(), policy).as_bytes());
            let mut rest = line.as_str();
            loop {
                let (piece, left) = rest.split_at(rest.floor_char_boundary(MAX_LINE));
                let _ = writeln!(text, "{start}{piece}");
                "\t".clone_into(&mut start);
                rest = left;
                if rest.is_empty() {
                    break;
                }
            }
        }
    }
    text
}

/// A field on one line, whatever the value holds.
fn put(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name}: {}", printable(value.trim().as_bytes()));
}

/// What is not ASCII as `\u{fc}`: a feedback report has 7 bits.
fn in_seven_bits(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            out.extend(character.escape_unicode());
        }
    }
    out
}

/// The value of a Subject, `FW: ` before it: as it is in ASCII, else in encoded words (RFC 2047), one a line. It is cut
/// where its line would be too long.
fn encoded(subject: &str) -> String {
    let mut out = String::from("FW: ");
    let subject = subject.get(..subject.floor_char_boundary(MAX_SUBJECT)).unwrap_or(subject);
    if subject.is_ascii() {
        return out + subject;
    }
    let mut word = String::new();
    for character in subject.chars() {
        let mut octets = [0; 4];
        let coded: String = character.encode_utf8(&mut octets).bytes().map(|octet| format!("={octet:02X}")).collect();
        if word.len() + coded.len() > MAX_WORD {
            let _ = write!(out, "=?utf-8?q?{word}?=\n ");
            word.clear();
        }
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' => word.push(character),
            _ => word.push_str(&coded),
        }
    }
    let _ = write!(out, "=?utf-8?q?{word}?=");
    out
}

/// The text with the local parts of own addresses and the marks of Message-IDs replaced.
fn redacted(text: &str, policy: &Policy) -> String {
    const HIDDEN: &str = "redacted";
    let is_local = |it: char| it.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.\"".contains(it);
    let is_domain = |it: char| it.is_alphanumeric() || matches!(it, '.' | '-' | '_');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('@') {
        let end = after.find(|it| !is_domain(it)).unwrap_or(after.len());
        let domain = after.get(..end).unwrap_or_default().trim_end_matches('.');
        // Quoted local parts may have any character before the quote mark that opens them.
        let quoted = before.strip_suffix('"').and_then(|it| it.rfind('"')).and_then(|at| before.get(..at));
        let head = quoted.unwrap_or(before).trim_end_matches(is_local);
        let local = before.get(head.len()..).unwrap_or_default();
        if !local.is_empty() && policy.own_domains().contains(domain.as_bytes()) {
            out.push_str(head);
            out.push_str(HIDDEN);
        } else if let Some((left, _)) = local.to_ascii_lowercase().split_once(".bsm1-") {
            out.push_str(head);
            out.push_str(local.get(..left.len()).unwrap_or_default());
            out.push_str(".bsm1-");
            out.push_str(HIDDEN);
        } else {
            out.push_str(before);
        }
        out.push('@');
        rest = after;
    }
    out.push_str(rest);
    out
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// A boundary that stands in none of the parts.
fn free_boundary(parts: &[&str]) -> String {
    let mut number = 0_u32;
    loop {
        let boundary = format!("=_backstop_{number}");
        if !parts.iter().any(|part| part.contains(&boundary)) {
            return boundary;
        }
        number = number.wrapping_add(1);
    }
}
