//! The adapter to mail-parser: one value or one leaf at a time, within the limits of `guard.rs`.
//!
//! Content types (RFC 2045, 2231), transfer encodings, character sets, encoded words (RFC 2047), addresses (RFC 5322),
//! Received fields and HTML are the library's to understand. Nothing here can nest. What the library cannot read comes out
//! as its octets, with U+FFFD where they are no UTF-8.

use std::borrow::Cow;
use std::net::IpAddr;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::html::html_to_text;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::parsers::MessageStream;
use mail_parser::{HeaderValue, Host};

use super::guard::{BYTE_ORDER_MARK, Block, Leaf, MAX_DECODED, MAX_TYPE, is_known, quote_marks};
use crate::address::Path;
use crate::day::Day;

/// The most `=?` without a `?=` behind them that are read of a value.
const MAX_BEGUN: u32 = 8;

/// What a Content-Type and a Content-Transfer-Encoding say, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) kind: String,
    pub(super) subtype: String,
    pub(super) charset: Option<String>,
    pub(super) boundary: Option<String>,
    pub(super) report: Option<String>,
    pub(super) encoding: Encoding,
}

/// How a leaf is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    None,
    Base64,
    QuotedPrintable,
}

impl Default for Content {
    fn default() -> Content {
        Content {
            kind: "text".into(),
            subtype: "plain".into(),
            charset: None,
            boundary: None,
            report: None,
            encoding: Encoding::None,
        }
    }
}

impl Content {
    pub(super) fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind == kind && self.subtype == subtype
    }

    /// A whole message that came back.
    pub(super) fn is_message(&self) -> bool {
        self.kind == "message" && matches!(self.subtype.as_str(), "rfc822" | "global" | "partial")
    }

    /// The headers of a message that came back.
    pub(super) fn is_headers(&self) -> bool {
        // MAILsweeper says message/rfc822-headers.
        matches!(self.kind.as_str(), "text" | "message")
            && matches!(self.subtype.as_str(), "rfc822-headers" | "rfc822-header" | "global-headers")
    }

    pub(super) fn is_delivery_status(&self) -> bool {
        self.kind == "message" && matches!(self.subtype.as_str(), "delivery-status" | "global-delivery-status")
    }
}

/// What the block of a message or part says of its content.
pub(super) fn content(block: &Block<'_>, in_digest: bool) -> Content {
    let mut content = Content::default();
    if in_digest {
        (content.kind, content.subtype) = ("message".into(), "rfc822".into());
    }
    if let Some(value) = block.get("Content-Transfer-Encoding") {
        // Some quote it, or put a comment behind it.
        let mut words = value.split(|octet| !octet.is_ascii_alphanumeric() && *octet != b'-');
        let word = words.find(|word| !word.is_empty()).unwrap_or_default();
        if word.eq_ignore_ascii_case(b"base64") {
            content.encoding = Encoding::Base64;
        } else if word.eq_ignore_ascii_case(b"quoted-printable") {
            content.encoding = Encoding::QuotedPrintable;
        }
    }
    let Some(value) = block.get("Content-Type") else { return content };
    let value = ended(value.get(..MAX_TYPE).unwrap_or(value));
    let HeaderValue::ContentType(read) = MessageStream::new(&value).parse_content_type() else { return content };
    content.kind = lower(&read.c_type);
    content.subtype = read.c_subtype.as_deref().map(lower).unwrap_or_default();
    content.charset = read.attribute("charset").map(lower);
    content.report = read.attribute("report-type").map(lower);
    if content.kind == "multipart" {
        content.boundary = read.attribute("boundary").map(|boundary| boundary.trim_end().to_owned());
    }
    content
}

fn lower(text: &str) -> String {
    text.trim().to_ascii_lowercase()
}

/// The value as the library wants it: with the end of its line, and without an end of many encoded words that do not end.
fn ended(value: &[u8]) -> Vec<u8> {
    let value = value.get(..end_of_words(value)).unwrap_or(value);
    let mut ended = Vec::with_capacity(value.len() + 1);
    ended.extend_from_slice(value);
    ended.push(b'\n');
    ended
}

/// Where more than [`MAX_BEGUN`] encoded words have begun since the last `?=`, which would end one.
///
/// The library reads from each `=?` to the next `?=` at most, and starts once more behind the `=?` if that is no word; so what
/// it reads has no more than that many times the length of the value.
fn end_of_words(value: &[u8]) -> usize {
    let mut begun = 0;
    for at in memchr::memchr_iter(b'?', value) {
        let (before, behind) = value.split_at(at);
        if behind.get(1) == Some(&b'=') {
            begun = 0;
        } else if let Some((b'=', head)) = before.split_last() {
            begun += 1;
            if begun > MAX_BEGUN {
                return head.len();
            }
        }
    }
    value.len()
}

/// An unstructured value: unfolded, encoded words decoded.
pub(super) fn text(value: &[u8]) -> Cow<'_, str> {
    let plain = memchr::memchr2(b'\n', b'=', value).is_none();
    if plain && let Ok(text) = std::str::from_utf8(value) {
        return Cow::Borrowed(text);
    }
    let ended = ended(value);
    match MessageStream::new(&ended).parse_unstructured() {
        HeaderValue::Text(text) => Cow::Owned(text.into_owned()),
        _ => String::from_utf8_lossy(value),
    }
}

/// The first address of a list of addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Addressee {
    pub(super) name: Option<String>,
    pub(super) address: String,
}

/// A value that is one address and no more. The library takes a quoted local part for a name, and what is behind it for the
/// address.
fn lone_address(value: &[u8]) -> Option<String> {
    let mailbox = Path::parse_tagged(value.trim_ascii()).ok()?.mailbox()?;
    Some(String::from_utf8_lossy(mailbox.as_bytes()).into_owned())
}

/// The first address of From, To and the like.
pub(super) fn address(value: &[u8]) -> Addressee {
    if let Some(address) = lone_address(value) {
        return Addressee { name: None, address };
    }
    let ended = ended(value);
    let HeaderValue::Address(list) = MessageStream::new(&ended).parse_address() else { return Addressee::default() };
    let Some(first) = list.first() else { return Addressee::default() };
    let tidy = |text: &str| text.trim().to_owned();
    let name = first.name.as_deref().map(tidy).filter(|name| !name.is_empty());
    match first.address.as_deref().map(tidy) {
        Some(address) => Addressee { name, address },
        // `From: MAILER-DAEMON`, which the library takes for a name.
        None => Addressee { address: name.clone().filter(|it| !it.contains(' ')).unwrap_or_default(), name },
    }
}

/// All addresses of a list of addresses.
pub(super) fn addresses(value: &[u8]) -> Vec<String> {
    if let Some(address) = lone_address(value) {
        return vec![address];
    }
    let ended = ended(value);
    let HeaderValue::Address(list) = MessageStream::new(&ended).parse_address() else { return Vec::new() };
    list.iter().filter_map(|it| it.address.as_deref()).map(|address| address.trim().to_owned()).collect()
}

/// What a Received field says of one hop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) from: Option<String>,
    pub(super) ip: Option<IpAddr>,
    pub(super) by: Option<String>,
}

/// Reads a Received field.
pub(super) fn hop(value: &[u8]) -> Hop {
    let ended = ended(value);
    let HeaderValue::Received(received) = MessageStream::new(&ended).parse_received() else { return Hop::default() };
    let name = |host: &Host<'_>| match host {
        Host::Name(name) => name.trim_matches(['[', ']', '.']).to_ascii_lowercase(),
        Host::IpAddr(ip) => ip.to_string(),
    };
    let from_ip = match &received.from {
        Some(Host::IpAddr(ip)) => Some(*ip),
        _ => None,
    };
    Hop { from: received.from.as_ref().map(name), ip: received.from_ip.or(from_ip), by: received.by.as_ref().map(name) }
}

/// The day of a Date field.
pub(super) fn day(value: &[u8]) -> Option<Day> {
    Day::from_unix_seconds(seconds(value)?).ok()
}

/// The time of a date, in unix seconds.
pub(super) fn seconds(value: &[u8]) -> Option<i64> {
    let ended = ended(value);
    let HeaderValue::DateTime(date) = MessageStream::new(&ended).parse_date() else { return None };
    if !date.is_valid() {
        return None;
    }
    Some(date.to_timestamp())
}

/// What a leaf is without its encoding.
pub(super) struct Decoded<'a> {
    pub(super) octets: Cow<'a, [u8]>,
    /// Whether it is longer than [`MAX_DECODED`], so that some octets were left out.
    pub(super) cut: bool,
    /// Whether the encoding is none as a whole: lines may be missing, or run into the ones behind them.
    pub(super) broken: bool,
    /// The octets as they stand, if they may be no quoted-printable for all that: a line that ends in `=` then takes in the
    /// next one. Also if the encoding is broken.
    pub(super) raw: &'a [u8],
}

/// The octets of a leaf, decoded; at most [`MAX_DECODED`] of them are read.
pub(super) fn decoded<'a>(leaf: &Leaf<'a>) -> Decoded<'a> {
    let body = leaf.body.get(..MAX_DECODED).unwrap_or(leaf.body);
    let whole = match leaf.content.encoding {
        Encoding::None => Some(Cow::Borrowed(body)),
        Encoding::Base64 => base64_decode(body).map(Cow::Owned),
        // The library drops a bare CR, which may stand for the end of a line.
        Encoding::QuotedPrintable if has_bare_cr(body) => None,
        Encoding::QuotedPrintable => quoted_printable_decode(body).map(Cow::Owned),
    };
    let broken = whole.is_none();
    let octets = whole.unwrap_or_else(|| match leaf.content.encoding {
        Encoding::QuotedPrintable => Cow::Owned(quoted_printable_lines(body)),
        _ => base64_lines(body).and_then(base64_decode).map_or(Cow::Borrowed(body), Cow::Owned),
    });
    let may_hide = broken || leaf.content.encoding == Encoding::QuotedPrintable;
    let raw = if may_hide { body } else { Default::default() };
    Decoded { octets, cut: body.len() < leaf.body.len(), broken, raw }
}

/// Whether there is a CR that belongs to no end of a line.
pub(super) fn has_bare_cr(octets: &[u8]) -> bool {
    octets.split(|octet| *octet == b'\n').any(|line| memchr::memchr(b'\r', line.trim_ascii_end()).is_some())
}

/// The lines in base64 before the first that is not: gateways put footers behind it. `None` if there is none.
fn base64_lines(body: &[u8]) -> Option<&[u8]> {
    let is_base64 = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=');
    let is_good = |line: &&[u8]| line.trim_ascii().len().is_multiple_of(4) && line.trim_ascii().iter().all(is_base64);
    let end = body.split_inclusive(|octet| *octet == b'\n').take_while(is_good).map(<[u8]>::len).sum();
    body.get(..end).filter(|lines| !lines.trim_ascii().is_empty())
}

/// The text with each line decoded that can be. The library decodes all or nothing.
fn quoted_printable_lines(body: &[u8]) -> Vec<u8> {
    let decode = |line| quoted_printable_decode(line).map_or(Cow::Borrowed(line), Cow::Owned);
    body.split_inclusive(|octet| *octet == b'\n').flat_map(|line| decode(line).into_owned()).collect()
}

/// The text of a leaf.
pub(super) struct Text<'a> {
    pub(super) text: Cow<'a, str>,
    /// As of [`Decoded`].
    pub(super) cut: bool,
    /// As of [`Decoded`], and where a line has taken in a field.
    pub(super) broken: bool,
}

/// The first `limit` octets of a leaf's text, decoded, without HTML and byte order marks.
pub(super) fn leaf_text<'a>(leaf: &Leaf<'a>, limit: usize) -> Text<'a> {
    let part = Leaf { content: leaf.content.clone(), at: leaf.at, body: leaf.body.get(..limit).unwrap_or(leaf.body) };
    let Decoded { octets, cut, broken, raw } = decoded(&part);
    let broken = broken || has_swallowed_field(raw);
    let text = in_charset(octets, leaf.content.charset.as_deref());
    let text = if leaf.content.subtype == "html" { Cow::Owned(without_html(&text)) } else { text };
    let text = if has_byte_order_mark(text.as_bytes()) { Cow::Owned(text.replace('\u{feff}', "")) } else { text };
    Text { text, cut: cut || part.body.len() < leaf.body.len(), broken }
}

/// Whether a soft line break of quoted-printable stands before a field that nearly every mail has: that text is in none.
fn has_swallowed_field(raw: &[u8]) -> bool {
    let mut lines = raw.split(|octet| *octet == b'\n');
    let mut is_broken = false;
    lines.any(|line| {
        let was_broken = std::mem::replace(&mut is_broken, line.trim_ascii_end().ends_with(b"="));
        was_broken && is_known(line.get(quote_marks(line)..).unwrap_or_default())
    })
}

/// The text of HTML. The library takes all white space for one blank; within `pre` a line stays a line.
fn without_html(html: &str) -> String {
    // Of the same length, so that offsets are those of the text.
    let lower = html.to_ascii_lowercase();
    let (mut text, mut at) = (String::new(), 0);
    while let Some((before, rest)) = html.get(at..).zip(lower.get(at..)).and_then(|(html, lower)| {
        let start = memchr::memmem::find(lower.as_bytes(), b"<pre")?;
        html.split_at_checked(start)
    }) {
        text.push_str(&html_to_text(before));
        let start = at + before.len();
        let end = memchr::memmem::find(lower.as_bytes().get(start..).unwrap_or_default(), b"</pre");
        let inside = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest);
        text.push('\n');
        for line in inside.lines() {
            // The library takes off the blanks that fold a field, or all but one before a tag.
            let rest = line.trim_start_matches([' ', '\t']);
            text.push_str(line.get(..line.len() - rest.len()).unwrap_or_default());
            text.push_str(&html_to_text(rest));
            text.push('\n');
        }
        at = start + inside.len();
    }
    text.push_str(&html_to_text(html.get(at..).unwrap_or_default()));
    // A blank line, as at the end of a text that is whole.
    let end = lower.trim_ascii_end();
    if ["</pre>", "</body>", "</html>"].iter().any(|tag| end.ends_with(tag)) {
        text.push_str("\n\n");
    }
    text
}

/// Names of ASCII. What is not in it for all that is UTF-8, if it can be: returned headers are often said to be ASCII.
const ASCII: [&str; 3] = ["us-ascii", "ascii", "ansi_x3.4-1968"];

/// The text of octets by the character set that they are said to be in.
///
/// Where the octets are ASCII but for that, they are read as ASCII: a header that came back is, and `+0000` in it is no
/// UTF-7. With the byte order mark of UTF-8 in them they are UTF-8, if they can be.
fn in_charset<'a>(octets: Cow<'a, [u8]>, charset: Option<&str>) -> Cow<'a, str> {
    let is_utf8 = |name: &str| {
        name == "utf-8"
            || ((ASCII.contains(&name) || has_byte_order_mark(&octets)) && std::str::from_utf8(&octets).is_ok())
    };
    let decoder = charset.filter(|name| !is_utf8(name)).and_then(|it| charset_decoder(it.as_bytes()));
    match (decoder, octets) {
        (Some(decoder), octets) if is_for(decoder, &octets) => Cow::Owned(decoder(&octets)),
        (_, Cow::Borrowed(octets)) => String::from_utf8_lossy(octets),
        (_, Cow::Owned(octets)) => match String::from_utf8(octets) {
            Ok(text) => Cow::Owned(text),
            Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
        },
    }
}

fn has_byte_order_mark(octets: &[u8]) -> bool {
    memchr::memmem::find(octets, BYTE_ORDER_MARK).is_some()
}

/// Whether the octets can be in this character set, and are not the same in ASCII.
fn is_for(decoder: fn(&[u8]) -> String, octets: &[u8]) -> bool {
    if decoder(b"a+AGE-") == "a+AGE-" {
        return !octets.is_ascii() || octets.contains(&0x1b);
    }
    // Besides UTF-7, UTF-16 is left, and the names whose text the library does not know: it reads nothing but U+FFFD.
    octets.contains(&0) && decoder(&[0, 0]) == "\0"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(fields: &str) -> Content {
        content(&Block::read(fields.as_bytes()).0, false)
    }

    fn leaf<'a>(fields: &str, body: &'a [u8]) -> Leaf<'a> {
        Leaf { content: typed(fields), at: 0, body }
    }

    #[test]
    fn what_came_back_is_told_by_both_halves_of_the_type() {
        for (kind, expected) in [
            ("Message/RFC822", [true, false, false]),
            ("message/global", [true, false, false]),
            ("message/partial", [true, false, false]),
            ("text/rfc822", [false, false, false]),
            ("text/rfc822-headers", [false, true, false]),
            ("message/rfc822-headers", [false, true, false]),
            ("message/global-headers", [false, true, false]),
            ("application/rfc822-headers", [false, false, false]),
            ("message/delivery-status", [false, false, true]),
            ("message/global-delivery-status", [false, false, true]),
            ("text/delivery-status", [false, false, false]),
            ("message/x", [false, false, false]),
        ] {
            let it = typed(&format!("Content-Type: {kind}"));
            assert_eq!([it.is_message(), it.is_headers(), it.is_delivery_status()], expected, "{kind}");
        }
        let it = typed("Content-Type: text/html");
        assert!(it.is("text", "html") && !it.is("text", "plain") && !it.is("message", "html"));
    }

    #[test]
    fn only_a_multipart_has_a_boundary() {
        for (kind, expected) in [("multipart/mixed", Some("b")), ("text/plain", None)] {
            let it = typed(&format!("Content-Type: {kind}; boundary=\"b \""));
            assert_eq!(it.boundary.as_deref(), expected, "{kind}");
        }
    }

    #[test]
    fn encoded_words_are_all_read_but_where_many_do_not_end() {
        let ended = "=?utf-8?q?a?= ".repeat(30);
        assert_eq!(text(ended.as_bytes()).trim(), "a".repeat(30));
        let unended = |count: usize| text(format!("x{} b", " =?aa?q?".repeat(count)).as_bytes()).into_owned();
        assert_eq!(unended(8), format!("x{} b", " =?aa?q?".repeat(8)));
        assert_eq!(unended(9), format!("x{}", " =?aa?q?".repeat(8)));
        // What ends lets as many begin once more, and a question mark behind anything else begins nothing.
        let mixed = format!("{}=?utf-8?q?a?= {}{}", "=?aa?q? ".repeat(7), "=?aa?q? ".repeat(8), "? ".repeat(30));
        assert!(text(mixed.as_bytes()).ends_with("? ?"), "{mixed}");
    }

    #[test]
    fn of_a_long_content_type_the_beginning_is_read() {
        let charset =
            |octets: usize| typed(&format!("Content-Type: text/plain;{}charset=x-a", " ".repeat(octets))).charset;
        let before = "text/plain;charset=x-a".len();
        assert_eq!(charset(MAX_TYPE - before).as_deref(), Some("x-a"));
        assert_eq!(charset(MAX_TYPE - before + 1).as_deref(), Some("x-"));
    }

    #[test]
    fn the_first_address_has_its_name_and_a_bare_word_is_an_address() {
        for (value, name, expected) in [
            ("Bob <bob@b.example>, c@c.example", Some("Bob"), "bob@b.example"),
            ("\"\" <bob@b.example>", None, "bob@b.example"),
            ("MAILER-DAEMON", Some("MAILER-DAEMON"), "MAILER-DAEMON"),
            ("\"bob smith\"@b.example", None, "\"bob smith\"@b.example"),
            (" <\"bob smith\"@b.example>", None, "\"bob smith\"@b.example"),
            ("Bob <\"bob smith\"@b.example>", Some("Bob"), "\"bob smith\"@b.example"),
            ("<@a.example,@c.example:bob@b.example>", None, "bob@b.example"),
            ("Mail System", Some("Mail System"), ""),
            ("", None, ""),
        ] {
            let it = address(value.as_bytes());
            assert_eq!((it.name.as_deref(), it.address.as_str()), (name, expected), "{value}");
        }
        assert_eq!(addresses(b"Bob <bob@b.example>, c@c.example"), ["bob@b.example", "c@c.example"]);
    }

    #[test]
    fn a_hop_has_its_address_wherever_the_host_wrote_it() {
        for (value, from, ip) in [
            ("from z.example ([192.0.2.1]) by MX.b.example", "z.example", Some("192.0.2.1")),
            ("from [192.0.2.1] by mx.b.example", "192.0.2.1", Some("192.0.2.1")),
            ("from z.example by mx.b.example", "z.example", None),
        ] {
            let it = hop(value.as_bytes());
            assert_eq!((it.from.as_deref(), it.by.as_deref()), (Some(from), Some("mx.b.example")), "{value}");
            assert_eq!(it.ip, ip.map(|ip| ip.parse().unwrap()), "{value}");
        }
    }

    #[test]
    fn a_date_that_is_none_has_no_day() {
        assert_eq!(day(b"Fri, 20 Nov 2026 23:59:59 +0000").map(|day| day.to_string()).as_deref(), Some("2026-11-20"));
        for value in [&b"Fri, 32 Nov 2026 10:00:00 +0000"[..], b"never", b"", b"Wed, 31 Dec 1969 10:00:00 +0000"] {
            assert_eq!(day(value), None);
        }
    }

    #[test]
    fn what_a_limit_cuts_off_is_told() {
        for (octets, cut) in [(MAX_DECODED, false), (MAX_DECODED + 1, true)] {
            let body = vec![b'x'; octets];
            let leaf = leaf("", &body);
            let seen = decoded(&leaf);
            assert_eq!((seen.octets.len(), seen.cut), (MAX_DECODED, cut));
            let seen = leaf_text(&leaf, 2 * MAX_DECODED);
            assert_eq!((seen.text.len(), seen.cut), (MAX_DECODED, cut), "by the limit of decoding");
        }
        for (body, cut) in [(&b"four"[..], false), (b"fives", true)] {
            let leaf = leaf("", body);
            let seen = leaf_text(&leaf, 4);
            assert_eq!((seen.text.len(), seen.cut), (4, cut));
        }
    }

    #[test]
    fn a_text_is_decoded_from_its_encoding_and_its_charset() {
        let latin = "Content-Type: text/plain; charset=iso-8859-1\n";
        for (fields, body, expected) in [
            (latin.to_owned(), &b"b\xf6b"[..], "b\u{f6}b"),
            (format!("{latin}Content-Transfer-Encoding: Quoted-Printable\n"), b"b=F6b", "b\u{f6}b"),
            (format!("{latin}Content-Transfer-Encoding: Base64\n"), b"YvZi", "b\u{f6}b"),
            ("Content-Type: text/plain; charset=iso-2022-jp\n".to_owned(), b"\x1b$B$\"\x1b(B", "\u{3042}"),
            ("Content-Type: text/plain; charset=utf-7\n".to_owned(), b"b+APY-b +0000", "b+APY-b +0000"),
            ("Content-Type: text/plain; charset=utf-16le\n".to_owned(), b"b\0o\0", "bo"),
            ("Content-Type: text/plain; charset=utf-16\n".to_owned(), b"a +0000 ~", "a +0000 ~"),
            ("Content-Type: text/plain; charset=iso-2022-kr\n".to_owned(), b"\x1b$)Ca +0000", "\x1b$)Ca +0000"),
            ("Content-Type: text/plain; charset=hz-gb-2312\n".to_owned(), b"a +0000 ~~\0", "a +0000 ~~\0"),
            ("Content-Type: text/plain; charset=x-none\n".to_owned(), b"b\xf6b", "b\u{fffd}b"),
            ("Content-Type: text/plain; charset=utf-8\n".to_owned(), "b\u{f6}b".as_bytes(), "b\u{f6}b"),
            ("Content-Type: text/plain; charset=US-ASCII\n".to_owned(), "b\u{f6}b".as_bytes(), "b\u{f6}b"),
            ("Content-Type: text/plain; charset=us-ascii\n".to_owned(), b"b\xf6b", "b\u{f6}b"),
            ("Content-Type: text/html\n".to_owned(), b"<p>a</p>", "a"),
            (String::new(), b"<p>a</p>", "<p>a</p>"),
        ] {
            assert_eq!(leaf_text(&leaf(&fields, body), 100).text.trim(), expected, "{fields}");
        }
    }

    #[test]
    fn what_is_encoded_is_read_up_to_or_around_a_line_that_is_not() {
        let (base64, printable) =
            ("Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding: quoted-printable\n");
        for (fields, body, expected, broken) in [
            (base64, "YTpi\nYzpk\n\n-- \nScanned by AV!\n", "a:bc:d", true),
            (base64, "YTpi\r\nYzo=\r\n-- \r\n", "a:bc:", true),
            (base64, "From: a, in plain text\n", "From: a, in plain text\n", true),
            (base64, "\n\nFrom: a\n", "\n\nFrom: a\n", true),
            (base64, "Hello\nFrom: a\n", "Hello\nFrom: a\n", true),
            (base64, "YTpi", "a:b", false),
            (printable, "a=3Db=\nc\n=ZZ = x\nd=3De\r\n", "a=bc\n=ZZ = x\nd=e\r\n", true),
            (printable, "v=1; i=example.com\n", "v=1; i=example.com\n", true),
            (printable, "a=3Db\rc\n", "a=bc\r\n", true),
            (printable, "a=3Db\r\r\nc\n", "a=b\r\nc\r\n", false),
            ("Content-Transfer-Encoding: \"Base64\"\n", "YTpi", "a:b", false),
            ("Content-Transfer-Encoding: base64 (x)\n", "YTpi", "a:b", false),
            ("Content-Transfer-Encoding: quoted-printable;\n", "a=3Db", "a=b", false),
            ("Content-Transfer-Encoding: x-base64\n", "YTpi", "YTpi", false),
        ] {
            let seen = decoded(&leaf(fields, body.as_bytes()));
            assert_eq!(
                (String::from_utf8_lossy(&seen.octets).as_ref(), seen.broken),
                (expected, broken),
                "{fields}{body}"
            );
        }
    }

    #[test]
    fn lines_of_preformatted_html_stay_lines_with_the_blanks_before_them() {
        let html = "<P>a\nb</P><PRE>c\n <b>d</b>\n\te</PRE>f<pre>g\nh</pre>i<pre>j";
        assert_eq!(without_html(html), "a b\n\nc\n d\n\te\nf\ng\nh\ni\nj\n");
        for (html, whole) in
            [("<pre>j</pre></HTML>\n", true), ("<pre>j</pre>", true), ("j<br>", false), ("j</p>", false)]
        {
            assert_eq!(without_html(html).ends_with("\n\n"), whole, "{html}: a blank line where it is not cut off");
        }
    }
}
