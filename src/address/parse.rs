//! The parser of paths: one pass, no allocation, errors with the offset of the octet that it could not take.
//!
//! The usual address, ASCII without brackets, quotes or literals, is recognised by `words.rs` eight octets at a time. All
//! others, and all that is wrong, go through [`parse_any`], which takes its time and finds the offset.

use super::{MAX_ADDRESS, MAX_DOMAIN, MAX_LOCAL, Mailbox, Path};
use crate::error::{AddressProblem, Error};
use crate::{sixteen, words};

/// How long a local part may be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LocalLimit {
    /// 64 octets.
    Strict,
    /// Whatever [`MAX_ADDRESS`] leaves.
    Tagged,
}

/// Bit sets over octets.
const LOCAL: u8 = 1;
const DOMAIN: u8 = 2;
const CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop stops at 255")]
        let byte = octet as u8;
        let both = byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'-' | b'_' | b'.');
        let local = matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'/' | b'=' | b'?' | b'^' | b'`' | b'{'..=b'~');
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            table[octet] = if both || local { LOCAL } else { 0 } | if both { DOMAIN } else { 0 };
        }
        octet += 1;
    }
    table
}

#[inline(always)]
const fn class(octet: u8) -> u8 {
    #[expect(clippy::indexing_slicing, reason = "256 entries, one for each octet")]
    CLASS[octet as usize]
}

/// Whether a local part may hold this octet without quotes.
#[inline(always)]
pub(crate) const fn is_bare(octet: u8) -> bool {
    class(octet) & LOCAL != 0
}

#[cold]
pub(super) fn fail<T>(offset: usize, problem: AddressProblem) -> Result<T, Error> {
    Err(Error::Address { offset, problem })
}

#[inline(always)]
pub(super) fn path(input: &[u8], limit: LocalLimit) -> Result<Path<'_>, Error> {
    // The usual address: ASCII, neither brackets nor quotes nor literal. All others take the long way.
    if let Some(look) = sixteen::look(input) {
        return Ok(Path::Mailbox(Mailbox { bytes: input, at: look.local, plain: look.is_plain }));
    }
    let (at, plain) = usual_local(input);
    let domain = input.get(at + 1..).unwrap_or_default();
    let fits = at > 0 && (at <= MAX_LOCAL || limit == LocalLimit::Tagged) && input.len() <= MAX_ADDRESS;
    if input.get(at) == Some(&b'@') && fits && words::is_plain_domain(domain) {
        return Ok(Path::Mailbox(Mailbox { bytes: input, at, plain }));
    }
    parse_any(input, limit)
}

/// The length of the ASCII local part without quotes that bytes begin with, and whether it is plain.
#[inline(always)]
fn usual_local(bytes: &[u8]) -> (usize, bool) {
    let (length, equals) = words::plain_run(bytes);
    match bytes.get(length) {
        Some(b'@') => (length, !equals),
        _ => (less_usual_local(bytes, length), false),
    }
}

/// The length of the ASCII local part without quotes, of which the first octets are known to be such.
#[inline(never)]
fn less_usual_local(bytes: &[u8], known: usize) -> usize {
    let rest = bytes.iter().skip(known);
    known + rest.take_while(|&&octet| octet < 0x80 && is_bare(octet)).count()
}

#[inline(never)]
fn parse_any(input: &[u8], limit: LocalLimit) -> Result<Path<'_>, Error> {
    let (bytes, start) = match input {
        [b'<', inner @ .., b'>'] => (inner, 1),
        [b'<', ..] => return fail(input.len(), AddressProblem::Unclosed),
        _ => (input, 0),
    };
    let route = match bytes.first() {
        None => return Ok(Path::Null),
        Some(b'@') => route_length(bytes, start)?,
        Some(_) => 0,
    };
    let (bytes, start) = (bytes.get(route..).unwrap_or_default(), start + route);
    let at = match bytes.first() {
        Some(b'"') => quoted_length(bytes, start)?,
        _ => match bare_length(bytes, start) {
            Err(_) if bytes.eq_ignore_ascii_case(b"postmaster") => return Ok(Path::Postmaster),
            found => found?,
        },
    };
    let domain = bytes.get(at + 1..).unwrap_or_default();
    if !words::is_plain_domain(domain) || domain.len() > MAX_DOMAIN {
        check_unusual_domain(domain, start + at + 1)?;
    }
    if at > MAX_LOCAL && limit == LocalLimit::Strict {
        return fail(start + MAX_LOCAL, AddressProblem::LongLocal);
    }
    if bytes.len() > MAX_ADDRESS {
        return fail(start + MAX_ADDRESS, AddressProblem::LongAddress);
    }
    check_utf8(bytes, start)?;
    Ok(Path::Mailbox(Mailbox { bytes, at, plain: false }))
}

fn check_utf8(bytes: &[u8], start: usize) -> Result<(), Error> {
    core::str::from_utf8(bytes).map(drop).or_else(|error| fail(start + error.valid_up_to(), AddressProblem::Utf8))
}

/// The length of a leading `@a,@b:`.
#[cold]
fn route_length(bytes: &[u8], start: usize) -> Result<usize, Error> {
    let Some(end) = bytes.iter().position(|&b| b == b':') else {
        return fail(start, AddressProblem::EmptyLocal);
    };
    let mut offset = start;
    for hop in bytes.get(..end).unwrap_or_default().split(|&b| b == b',') {
        match hop {
            [b'@', host @ ..] => check_domain(host, offset + 1)?,
            _ => return fail(offset, AddressProblem::Route),
        }
        offset += hop.len() + 1;
    }
    Ok(end + 1)
}

/// The offset of the `@` behind an unquoted local part.
fn bare_length(bytes: &[u8], start: usize) -> Result<usize, Error> {
    match bytes.iter().position(|&octet| !is_bare(octet)) {
        None => fail(start + bytes.len(), AddressProblem::NoAt),
        Some(stop) if bytes.get(stop) != Some(&b'@') => fail(start + stop, AddressProblem::LocalOctet),
        Some(0) => fail(start, AddressProblem::EmptyLocal),
        Some(at) => Ok(at),
    }
}

/// The offset of the `@` behind a quoted local part.
#[cold]
fn quoted_length(bytes: &[u8], start: usize) -> Result<usize, Error> {
    let mut octets = bytes.iter().enumerate().skip(1);
    while let Some((offset, &octet)) = octets.next() {
        match octet {
            b'"' if bytes.get(offset + 1) == Some(&b'@') => return Ok(offset + 1),
            b'"' => return fail(start + offset + 1, AddressProblem::Quote),
            b'\\' => match octets.next() {
                Some((_, b' '..=b'~')) => {}
                _ => return fail(start + offset, AddressProblem::Quote),
            },
            b' '..=b'~' | 0x80.. => {}
            _ => return fail(start + offset, AddressProblem::Quote),
        }
    }
    fail(start + bytes.len(), AddressProblem::Quote)
}

/// Checks a domain or an address literal that begins at this offset.
#[inline(always)]
pub(crate) fn check_domain(domain: &[u8], start: usize) -> Result<(), Error> {
    if words::is_plain_domain(domain) && domain.len() <= MAX_DOMAIN {
        return Ok(());
    }
    check_unusual_domain(domain, start)?;
    check_utf8(domain, start)
}

/// All but the UTF-8 of a domain that is more than letters, digits, dots and hyphens, or nothing at all.
#[inline(never)]
fn check_unusual_domain(domain: &[u8], start: usize) -> Result<(), Error> {
    if domain.is_empty() {
        return fail(start, AddressProblem::EmptyDomain);
    }
    if domain.len() > MAX_DOMAIN {
        return fail(start + MAX_DOMAIN, AddressProblem::LongDomain);
    }
    if domain.first() == Some(&b'[') {
        return if is_literal(domain) { Ok(()) } else { fail(start, AddressProblem::Literal) };
    }
    let mut after_dot = true;
    for (offset, &octet) in domain.iter().enumerate() {
        if class(octet) & DOMAIN == 0 {
            return fail(start + offset, AddressProblem::DomainOctet);
        }
        if octet == b'.' && after_dot {
            return fail(start + offset, AddressProblem::EmptyLabel);
        }
        after_dot = octet == b'.';
    }
    if after_dot { fail(start + domain.len(), AddressProblem::EmptyLabel) } else { Ok(()) }
}

/// `[192.0.2.1]`, `[IPv6:...]` or `[tag:content]` (RFC 5321, 4.1.3).
fn is_literal(domain: &[u8]) -> bool {
    let [b'[', inner @ .., b']'] = domain else { return false };
    let Ok(text) = core::str::from_utf8(inner) else { return false };
    match text.split_once(':') {
        None => text.parse::<core::net::Ipv4Addr>().is_ok(),
        Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6") => address.parse::<core::net::Ipv6Addr>().is_ok(),
        Some((tag, content)) => {
            let standard = tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !tag.ends_with('-');
            standard && !tag.is_empty() && !content.is_empty() && content.bytes().all(is_literal_octet)
        }
    }
}

/// `dcontent` of RFC 5321: printable, neither bracket nor backslash.
fn is_literal_octet(octet: u8) -> bool {
    octet.is_ascii_graphic() && !matches!(octet, b'[' | b'\\' | b']')
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn parts(input: &str) -> (Vec<u8>, Vec<u8>) {
        match Path::parse(input.as_bytes()) {
            Ok(Path::Mailbox(mailbox)) => (mailbox.local().to_vec(), mailbox.domain().to_vec()),
            other => panic!("{input}: {other:?}"),
        }
    }

    #[test]
    fn mailboxes_split_at_the_last_unquoted_at() {
        for (input, local, domain) in [
            ("alice@example.com", "alice", "example.com"),
            ("<alice@example.com>", "alice", "example.com"),
            ("<@a.example,@b.example:alice@example.com>", "alice", "example.com"),
            ("@a.example:alice@example.com", "alice", "example.com"),
            ("\"a@b\"@example.com", "\"a@b\"", "example.com"),
            ("\"a=b\"@example.com", "\"a=b\"", "example.com"),
            ("\"a\\\"@b\"@example.com", "\"a\\\"@b\"", "example.com"),
            ("\"\"@example.com", "\"\"", "example.com"),
            ("user.@example.com", "user.", "example.com"),
            (".user@example.com", ".user", "example.com"),
            ("us..er@example.com", "us..er", "example.com"),
            ("!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~", "example.com"),
            ("user@[192.0.2.1]", "user", "[192.0.2.1]"),
            ("user@[IPv6:2001:db8::1]", "user", "[IPv6:2001:db8::1]"),
            ("user@[x-net:any]", "user", "[x-net:any]"),
            ("jörg@bücher.example", "jörg", "bücher.example"),
            ("x@y", "x", "y"),
            ("x@_dmarc.host_1.example", "x", "_dmarc.host_1.example"),
            ("postmaster@example.com", "postmaster", "example.com"),
        ] {
            assert_eq!(parts(input), (local.into(), domain.into()), "{input}");
        }
    }

    #[test]
    fn null_and_postmaster_are_paths_of_their_own() {
        for (input, path) in
            [("", Path::Null), ("<>", Path::Null), ("Postmaster", Path::Postmaster), ("<postmaster>", Path::Postmaster)]
        {
            assert_eq!(Path::parse(input.as_bytes()), Ok(path), "{input}");
        }
    }

    #[test]
    fn what_is_no_path_fails_at_its_first_wrong_octet() {
        use AddressProblem as P;
        let long = "a".repeat(65) + "@b";
        let long_domain = alloc::format!("a@{}", "b".repeat(256));
        let long_all = alloc::format!("{}@{}", "a".repeat(64), "b".repeat(190));
        for (input, offset, problem) in [
            ("alice", 5, P::NoAt),
            ("<alice", 6, P::Unclosed),
            ("<", 1, P::Unclosed),
            ("alice@", 6, P::EmptyDomain),
            ("@example.com", 0, P::EmptyLocal),
            ("<@example.com>", 1, P::EmptyLocal),
            ("a@b@example.com", 3, P::DomainOctet),
            ("aaa!bbb@cccc@example.com", 12, P::DomainOctet),
            ("user @example.com", 4, P::LocalOctet),
            ("user name", 4, P::LocalOctet),
            ("a,b@example.com", 1, P::LocalOctet),
            ("<a>@b>", 2, P::LocalOctet),
            ("a\"b\"@example.com", 1, P::LocalOctet),
            ("\"ab@example.com", 15, P::Quote),
            ("\"a\"b@example.com", 3, P::Quote),
            ("\"a\\", 2, P::Quote),
            ("\"a\tb\"@example.com", 2, P::Quote),
            ("\"a\nb\"@example.com", 2, P::Quote),
            ("a@b..c", 4, P::EmptyLabel),
            ("a@.b", 2, P::EmptyLabel),
            ("a@b.", 4, P::EmptyLabel),
            ("a@b c", 3, P::DomainOctet),
            ("a@b\r", 3, P::DomainOctet),
            ("a@[192.0.2.256]", 2, P::Literal),
            ("a@[IPv6:2001::db8::1]", 2, P::Literal),
            ("a@[192.0.2.1", 2, P::Literal),
            ("a@[]", 2, P::Literal),
            ("a@[x-:b]", 2, P::Literal),
            ("a@[x_y:b]", 2, P::Literal),
            ("a@[:b]", 2, P::Literal),
            ("a@[x:]", 2, P::Literal),
            ("a@[x:b c]", 2, P::Literal),
            ("a@[x:b[c]", 2, P::Literal),
            ("@a,b:c@d", 3, P::Route),
            ("@a,@:c@d", 4, P::EmptyDomain),
            (long.as_str(), 64, P::LongLocal),
            (long_domain.as_str(), 257, P::LongDomain),
            (long_all.as_str(), 254, P::LongAddress),
        ] {
            assert_eq!(Path::parse(input.as_bytes()), fail(offset, problem), "{input}");
        }
        for (input, offset) in
            [(&b"j\xf6rg@example.com"[..], 1), (b"a!\x80@example.com", 2), (b"a\x80@b", 1), (b"a\xff@b", 1)]
        {
            assert_eq!(Path::parse(input), fail(offset, P::Utf8), "{input:?}");
        }
    }

    #[test]
    fn the_greatest_lengths_are_allowed_in_every_form() {
        let (underscore, plain) = ("_".repeat(255), "b".repeat(256));
        assert!(Path::parse(alloc::format!("<@{underscore}:a@b>").as_bytes()).is_ok());
        let hop = alloc::format!("<@{plain}:a@b>");
        assert_eq!(Path::parse(hop.as_bytes()), fail(257, AddressProblem::LongDomain));
        let quoted = alloc::format!("\"a\"@{}", "b".repeat(250));
        assert!(Path::parse(quoted.as_bytes()).is_ok());
        assert_eq!(Path::parse((quoted + "b").as_bytes()), fail(254, AddressProblem::LongAddress));
    }

    #[test]
    fn a_tagged_local_part_may_be_long_but_the_address_may_not() {
        let long = "a".repeat(80) + "@b";
        assert!(Path::parse(long.as_bytes()).is_err());
        assert!(Path::parse_tagged(long.as_bytes()).is_ok());
        let longer = "a".repeat(253) + "@b";
        assert_eq!(Path::parse_tagged(longer.as_bytes()), fail(254, AddressProblem::LongAddress));
    }
}
