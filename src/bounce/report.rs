//! What others should see: an abuse report, a letter to the postmaster of a reflector, a record for the one whose name was
//! misused.
//!
//! Nothing is sent. All three are made only of backscatter and forged tags or marks: a report about a bounce that may be
//! rightful would be abuse itself. The report is ARF (RFC 5965): text, message/feedback-report in 7 bits, and the bounce's
//! own header block, no bodies; its Subject is that of the bounce behind `FW: `, as section 2 demands.
//!
//! ```text
//! Original-Mail-From: "<" [ address ] ">"     Original-Rcpt-To: "<" address ">"     Reported-Domain: domain
//! Source-IP: IPv4 / "IPv6:" IPv6              Arrival-Date: date-time                (section 3.5)
//! ```
//!
//! A field whose value is not known, or does not fit the grammar, is left out. The reflector is who handed the message
//! over: the name that the bounce gives it counts where our own host's Received line has that domain too, as the name of
//! the client's address and not only as what the client called itself, for anyone can put an innocent host's name into a
//! report, and say it in HELO. Redacted are the local parts of own addresses, the values of marks, and the marks in
//! Message-IDs. What comes from outside is written line by line with control characters escaped.

use std::collections::HashSet;
use std::fmt::Write;
use std::net::IpAddr;

use super::guard::{Block, without_blank_lines};
use super::{Inspection, Kind, Trust, Verdict, parts, source};
use crate::address::Path;
use crate::explain::printable;
use crate::mark;
use crate::policy::Policy;

/// Octets of a Subject; encoded it has three times as many, and a line holds 998.
const MAX_SUBJECT: usize = 240;
/// Octets of the text on a line of the headers; a name stands before the first, and 998 are allowed.
const MAX_LINE: usize = 800;
/// Octets of the text of an encoded word; the line is 76 long at most, and `Subject: FW: ` stands on the first.
const MAX_WORD: usize = 50;
/// What boundaries begin with; a number and `_` follow.
const BOUNDARY: &str = "=_backstop_";
/// Received fields in which the reflector is looked for.
const MAX_HOPS: usize = 10;

/// What only the caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter<'a> {
    /// From of the report, an address that is read.
    pub from: &'a str,
    /// To of the report, as `postmaster@reflector.example`.
    pub to: &'a str,
    /// Date of the report, in the form of RFC 5322.
    pub date: &'a str,
    /// When the bounce came, in the same form, if that is known.
    pub arrival: Option<&'a str>,
    /// MAIL of the bounce, if it is known: `<>` or empty is the null sender.
    pub sender: Option<&'a [u8]>,
    /// The address from which it came.
    pub client: Option<IpAddr>,
}

/// Who handed a message over, as far as that can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reflector {
    /// Its name, if it is that of a host and our own host wrote the same domain, or wrote nothing at all.
    pub host: Option<String>,
    /// The address from which it came: that of the first Received line that names neither an own relay nor a private one.
    pub client: Option<IpAddr>,
    /// Whether it is one of our own hosts, which nobody reports.
    pub is_own: bool,
}

/// Reads who handed a message over from its Received lines, of which only the first from outside counts.
pub fn reflector(message: &[u8], seen: &Inspection, policy: &Policy) -> Reflector {
    let (block, _) = Block::read(without_blank_lines(message));
    let relays = policy.own_relays();
    let outside = block.all("Received").take(MAX_HOPS).find_map(|value| {
        let hop = parts::hop(value);
        let ip = hop.ip.filter(|ip| source::is_public(*ip))?;
        let is_relay = relays.contains(&ip.to_string()) || hop.from.is_some_and(|from| relays.contains(&from));
        (!is_relay).then_some((value, ip))
    });
    let name = seen.source.reporting.as_deref().and_then(host_name);
    let is_own =
        name.as_ref().is_some_and(|name| relays.contains(name) || policy.own_domains().contains(name.as_bytes()));
    let host = name.filter(|name| outside.is_none_or(|(value, _)| names(value, name)));
    Reflector { host, client: outside.map(|(_, ip)| ip), is_own }
}

/// Whether a Received line names the domain of this host as the one that it took the message from.
///
/// ```text
/// "from" called [ "(" beside ")" ] *( "(" comment ")" ) "by" ...
/// beside = name [ "[" address "]" ] / "[" address "]" / address / "HELO" called / "helo=" called, and more behind it
/// ```
///
/// The name in the parenthesis is what the host that wrote the line found for the address, and where it stands only it
/// counts: what a client calls itself, it can choose. Without one, what stands before counts: Exim and qmail write there
/// the name that they found, and give what the client called itself behind `helo=` or `HELO`. A name that the address has
/// not in turn (`may be forged`) is none.
fn names(received: &[u8], host: &str) -> bool {
    let text = String::from_utf8_lossy(received).to_ascii_lowercase();
    // A field is folded wherever the writer liked.
    let Some(text) = text.trim_start().strip_prefix("from").filter(|rest| rest.starts_with(char::is_whitespace)) else {
        return false;
    };
    let (called, rest) = text.trim_start().split_at_checked(word(text.trim_start())).unwrap_or_default();
    let beside = rest.trim_start().strip_prefix('(').unwrap_or_default();
    let first = beside.get(..word(beside)).unwrap_or_default();
    let is_address = first.starts_with("ipv6:") || first.parse::<IpAddr>().is_ok();
    if first.is_empty() || is_address || first.contains('=') || matches!(first, "helo" | "ehlo") {
        return source::is_same(called, host);
    }
    // Sendmail writes `user@host` where that host says who the user is.
    let name = first.rsplit('@').next().unwrap_or_default();
    let may_be_forged = beside.split(')').next().is_some_and(|inner| inner.contains("(may be forged"));
    !may_be_forged && source::is_same(name, host)
}

/// The octets of the first word.
fn word(text: &str) -> usize {
    text.find(|it: char| it.is_whitespace() || matches!(it, '(' | ')' | '[')).unwrap_or(text.len())
}

/// The name of a host if it is one: it comes from outside.
fn host_name(host: &str) -> Option<String> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_label = |label: &str| {
        let fits = label.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
        fits && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_address = host.rsplit('.').next().is_some_and(|last| last.bytes().all(|it| it.is_ascii_digit()));
    (host.len() <= 200 && host.contains('.') && !is_address && host.split('.').all(is_label)).then_some(host)
}

/// An abuse report about a message, a whole message of its own; `None` if the verdict is neither backscatter nor forged.
pub fn arf(message: &[u8], seen: &Inspection, letter: &Letter<'_>, policy: &Policy) -> Option<String> {
    let text = plain(message, seen, letter, policy)?;
    let headers = headers(message, policy);
    let boundary = free_boundary(&[&text, &headers]);
    let mut fields = format!("Feedback-Type: abuse\nUser-Agent: backstop/{}\nVersion: 1\n", env!("CARGO_PKG_VERSION"));
    match letter.sender.map(Path::parse) {
        Some(Ok(Path::Null)) => put(&mut fields, "Original-Mail-From", "<>"),
        Some(Ok(Path::Mailbox(sender))) => path(&mut fields, "Original-Mail-From", &sender.to_string(), policy),
        _ => {}
    }
    if let Some(arrival) = letter.arrival {
        put(&mut fields, "Arrival-Date", arrival);
    }
    match letter.client.map(|client| client.to_canonical()) {
        Some(IpAddr::V4(client)) => put(&mut fields, "Source-IP", &client.to_string()),
        Some(IpAddr::V6(client)) => put(&mut fields, "Source-IP", &format!("IPv6:{client}")),
        None => {}
    }
    if let Some(host) = reflector(message, seen, policy).host {
        put(&mut fields, "Reported-Domain", source::organisation(&host));
    }
    if let Some(mailbox) = &seen.mailbox {
        path(&mut fields, "Original-Rcpt-To", mailbox, policy);
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
    let told = seen.source.reporting.as_deref().map(|host| printable(host.as_bytes()));
    let host = match (reflector(message, seen, policy).host, letter.client, told) {
        (Some(host), ..) => format!(" {host}"),
        (None, Some(client), Some(told)) => format!(" {client}, whose report names {told},"),
        (None, Some(client), None) => format!(" {client}"),
        (None, None, told) => told.map(|told| format!(" {told}")).unwrap_or_default(),
    };
    let mut text = format!(
        "Your host{host} sent us the message whose headers stand below{}.\n\n\
         It {} mail that we did not send. Spammers and viruses forge our addresses; a host\n\
         that first takes such mail in and then answers its sender sends the answer to us.\n\
         {}\n\n\
         Please refuse what you cannot deliver while the other host is still connected (a 5xx\n\
         reply at RCPT, or after DATA for viruses and spam), with the list of valid recipients on\n\
         every host that takes mail for your domains, and send no automatic replies to senders\n\
         whom nobody vouches for (RFC 3834). A backup MX without that list is the usual cause.\n\n",
        on(letter),
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
        "A message came back to us{} that carries an address of ours as its sender.\n\
         It was not sent by us.\n\nWhy that is known:\n{}\n\n",
        on(letter),
        how_known(seen)
    );
    facts(&mut text, seen, policy);
    Some(text)
}

/// When the bounce came, if that is known.
fn on(letter: &Letter<'_>) -> String {
    letter.arrival.map(|date| format!(" on {}", printable(date.as_bytes()))).unwrap_or_default()
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

/// A field that holds an address in brackets, if it is one, and in ASCII.
fn path(text: &mut String, name: &str, address: &str, policy: &Policy) {
    let address = redacted(address, policy);
    if address.is_ascii() && matches!(Path::parse(address.as_bytes()), Ok(Path::Mailbox(_))) {
        put(text, name, &format!("<{}>", address.trim_start_matches('<').trim_end_matches('>')));
    }
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

/// A boundary that stands in none of the parts, found in one pass over them.
fn free_boundary(parts: &[&str]) -> String {
    let numbers = parts.iter().flat_map(|part| part.split(BOUNDARY).skip(1));
    let taken: HashSet<u32> = numbers.filter_map(|rest| rest.split('_').next()?.parse().ok()).collect();
    // Of one more numbers than are taken, one is free.
    let free = (0..=u32::MAX).find(|number| !taken.contains(number)).unwrap_or_default();
    format!("{BOUNDARY}{free}_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_hosts_are_hosts() {
        assert_eq!(host_name("MX.Reflector.Example.").as_deref(), Some("mx.reflector.example"));
        assert_eq!(host_name("mx-1.reflector.example").as_deref(), Some("mx-1.reflector.example"));
        let labels = |octets: usize| format!("{}.{0}.{0}.{}", "x".repeat(63), "x".repeat(octets - 192));
        assert!(host_name(&labels(200)).is_some() && host_name(&labels(201)).is_none());
        assert_eq!(host_name(&format!("{}.example", "x".repeat(64))), None);
        for host in [
            "",
            "..",
            "../../etc/passwd",
            "a/b.example",
            "-x.example",
            "localhost",
            "a b.example",
            "\u{e4}.example",
            "192.0.2.1",
            "x-.example",
        ] {
            assert_eq!(host_name(host), None, "{host}");
        }
    }

    #[test]
    fn a_name_counts_where_our_own_host_wrote_its_domain() {
        for (line, expected) in [
            ("from mx1.reflector.example ([203.0.113.9]) by mail.example.com", true),
            ("from helo.example (out.reflector.example [203.0.113.9]) by mail.example.com", true),
            ("from mx.reflector.example (unknown [203.0.113.9]) by mail.example.com", false),
            ("from dsl-7.isp.example ([203.0.113.9]) by mx.reflector.example", false),
            ("from notreflector.example ([203.0.113.9]) by mail.example.com", false),
            ("by mx.reflector.example with SMTP", false),
            ("from mx.reflector.example by mail.example.com", true),
            // Gmail, Courier.
            ("from x.example (mx1.reflector.example. [203.0.113.9]) by mail.example.com", true),
            ("from mx.reflector.example (::ffff:203.0.113.9) by mail.example.com", true),
        ] {
            assert_eq!(names(line.as_bytes(), "mx.reflector.example"), expected, "{line}");
        }
    }

    #[test]
    fn a_folded_line_says_what_it_says_on_one() {
        for (line, expected) in [
            ("from out.reflector.example (out.reflector.example [203.0.113.9])\n\tby mail.example.com (Postfix)", true),
            ("from dsl-7.isp.example (dsl-7.isp.example [203.0.113.9])\n\tby mx.reflector.example (Postfix)", false),
            (
                "from dsl-7.isp.example\r\n (dsl-7.isp.example\r\n [203.0.113.9])\r\n\tby\r\n mx.reflector.example",
                false,
            ),
            ("from\n\tmx.reflector.example\n\t(unknown\n\t[203.0.113.9])\n\tby mail.example.com", false),
            ("from dsl-7.isp.example ([203.0.113.9])\n\tby mail.example.com\n\tfor <mx.reflector.example>", false),
        ] {
            assert_eq!(names(line.as_bytes(), "mx.reflector.example"), expected, "{line:?}");
        }
    }

    #[test]
    fn what_a_client_calls_itself_does_not_count_beside_its_name() {
        for (line, expected) in [
            ("from mx.reflector.example (dsl-7.isp.example [203.0.113.9])\n\tby mail.example.com (Postfix)", false),
            ("from mx.reflector.example (localhost [203.0.113.9]) by mail.example.com", false),
            // Sendmail.
            ("from mx.reflector.example (ident:x@dsl-7.isp.example [203.0.113.9]) by mail.example.com", false),
            ("from x.example (x@out.reflector.example [203.0.113.9]) by mail.example.com", true),
            ("from x.example (out.reflector.example [203.0.113.9] (may be forged)) by mail.example.com", false),
            // qmail.
            ("from unknown (HELO mx.reflector.example) (203.0.113.9)\n  by mail.example.com with SMTP", false),
            ("from dsl-7.isp.example (HELO mx.reflector.example) (203.0.113.9) by mail.example.com", false),
            ("from out.reflector.example (HELO x.example) (203.0.113.9) by mail.example.com", true),
            // Exim.
            ("from [203.0.113.9] (helo=mx.reflector.example)\n\tby mail.example.com with esmtp", false),
            ("from dsl-7.isp.example ([203.0.113.9] helo=mx.reflector.example) by mail.example.com", false),
            ("from out.reflector.example ([203.0.113.9] helo=x.example) by mail.example.com", true),
        ] {
            assert_eq!(names(line.as_bytes(), "mx.reflector.example"), expected, "{line:?}");
        }
    }

    fn policy() -> Policy {
        Policy::new(crate::Domains::parse("example.com").unwrap())
    }

    #[test]
    fn each_kind_of_answer_has_its_verb() {
        let verbs: Vec<_> = Kind::ALL.iter().map(|kind| what(*kind)).collect();
        let dsns = ["bounces", "reports on", "reports on"];
        assert_eq!(verbs[..3], dsns);
        assert_eq!(verbs[3..7], ["confirms", "complains about", "answers", "answers"]);
        assert_eq!(verbs[7..10], ["wants proof of the sender of", "warns of a virus in", "complains of spam in"]);
    }

    #[test]
    fn a_subject_that_is_no_ascii_is_cut_into_words_that_fit_a_line() {
        let (head, tail) = ("=?utf-8?q?", "?=");
        // A letter takes one octet of the word, and room for three.
        let expected = format!("FW: {head}=C3=BC{}{tail}\n {head}{}{tail}", "a".repeat(42), "a".repeat(18));
        assert_eq!(encoded(&format!("\u{fc}{}", "a".repeat(60))), expected);
        assert_eq!(encoded("\u{fc}1 Z"), format!("FW: {head}=C3=BC1=20Z{tail}"));
        assert_eq!(encoded(&"x".repeat(MAX_SUBJECT + 1)), format!("FW: {}", "x".repeat(MAX_SUBJECT)));
    }

    #[test]
    fn an_address_is_told_in_ascii_and_in_brackets_or_not_at_all() {
        for (address, expected) in [
            ("bob@b.example", "To: <bob@b.example>\n"),
            ("<bob@b.example>", "To: <bob@b.example>\n"),
            ("alice@example.com", "To: <redacted@example.com>\n"),
            ("b\u{f6}b@b.example", ""),
            ("no address", ""),
            ("<>", ""),
        ] {
            let mut text = String::new();
            path(&mut text, "To", address, &policy());
            assert_eq!(text, expected, "{address}");
        }
        assert_eq!(in_seven_bits("b\u{f6}b"), "b\\u{f6}b");
    }

    #[test]
    fn own_addresses_and_marks_are_redacted_and_nothing_else() {
        for (text, expected) in [
            ("for <alice@example.com>, a@b.example", "for <redacted@example.com>, a@b.example"),
            ("\"alice x\"@example.com.", "redacted@example.com."),
            ("say \"alice x\"@example.com", "say redacted@example.com"),
            ("<m.1.bsm1-4abc@b.example>", "<m.1.bsm1-redacted@b.example>"),
            ("@example.com", "@example.com"),
            ("a @ b", "a @ b"),
        ] {
            assert_eq!(redacted(text, &policy()), expected, "{text}");
        }
    }

    #[test]
    fn a_boundary_stands_in_none_of_the_parts() {
        for (parts, expected) in [
            (&["", "text"][..], "=_backstop_0_"),
            (&["--=_backstop_0_ --=_backstop_1_", "=_backstop_3_"], "=_backstop_2_"),
            (&["=_backstop_=_backstop_0_=_backstop_1", "=_backstop_-1_"], "=_backstop_2_"),
            (&["=_backstop_4294967295_ =_backstop_99999999999999999999_ =_backstop_"], "=_backstop_0_"),
        ] {
            assert_eq!(free_boundary(parts), expected, "{parts:?}");
        }
    }

    #[test]
    fn a_boundary_is_found_in_one_pass_however_many_stand_in_the_parts() {
        let part: String = (0..50_000).rev().map(|number| format!("--=_backstop_{number}_\n")).collect();
        let begun = std::time::Instant::now();
        assert_eq!(free_boundary(&[&part]), "=_backstop_50000_");
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    }
}
