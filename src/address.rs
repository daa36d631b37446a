//! Envelope paths as MTAs pass them: bytes in, borrowed views out.
//!
//! ```text
//! path    = "" / "<>" / "postmaster" / mailbox, with or without "<" ">"
//! mailbox = [route] local "@" domain        route = "@a,@b:", read and dropped (RFC 5321, appendix C)
//! local   = 1*(atext / "." / UTF-8) / quoted-string      dots may stand anywhere: `user.@`, `us..er@` exist
//! domain  = labels of letters, digits, "-", "_" and UTF-8 / "[" literal "]"
//! ```
//!
//! RFC 5321 section 4.1.2, RFC 5322 quoting, RFC 6531 for UTF-8. Limits: [`MAX_LOCAL`], [`MAX_DOMAIN`], [`MAX_ADDRESS`],
//! in octets. There is no white space, no comment and no folding in a path, and none is accepted outside quotes.
//! Parsing is one pass, allocates nothing and fails with the offset of the octet that it could not take.

use core::fmt;

use crate::error::{AddressProblem, Error};

/// The longest local part, in octets, quotes included (RFC 5321, 4.5.3.1.1).
pub const MAX_LOCAL: usize = 64;
/// The longest domain, in octets (RFC 5321, 4.5.3.1.2).
pub const MAX_DOMAIN: usize = 255;
/// The longest address without brackets, in octets (RFC 5321, 4.5.3.1.3 and RFC 3696, erratum 1690).
pub const MAX_ADDRESS: usize = 254;

/// An envelope sender or recipient.
///
/// ```
/// use backstop::Path;
/// let Path::Mailbox(mailbox) = Path::parse(b"<@relay.example:alice@example.com>")? else { panic!() };
/// assert_eq!(mailbox.local(), b"alice");
/// assert_eq!(mailbox.domain(), b"example.com");
/// assert_eq!(Path::parse(b"<>")?, Path::Null);
/// assert_eq!(Path::parse(b"a b@c").unwrap_err().to_string(),
///     "octet 1 of the address: this octet may stand in a local part only inside quotes");
/// # Ok::<(), backstop::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path<'a> {
    /// The null sender `<>` of bounces, also given as an empty string.
    Null,
    /// `postmaster` without a domain, any case.
    Postmaster,
    /// A local part at a domain.
    Mailbox(Mailbox<'a>),
}

/// How long a local part may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LocalLimit {
    /// 64 octets.
    Strict,
    /// Whatever [`MAX_ADDRESS`] leaves.
    Tagged,
}

impl<'a> Path<'a> {
    /// Reads a path, with or without `<>`.
    ///
    /// # Errors
    /// [`Error::Address`] with the offset of the octet that does not fit.
    pub fn parse(input: &'a [u8]) -> Result<Self, Error> {
        parse(input, LocalLimit::Strict)
    }

    /// Reads a recipient that may carry a tag: like [`Path::parse`], but the local part may be longer than 64 octets.
    ///
    /// Some peers (Exim, Mail::SRS) never look at lengths, and their bounces come back. Verifying and reversing check
    /// the limit on what is left when the tag is off.
    ///
    /// # Errors
    /// [`Error::Address`] with the offset of the octet that does not fit.
    pub fn parse_tagged(input: &'a [u8]) -> Result<Self, Error> {
        parse(input, LocalLimit::Tagged)
    }

    /// The mailbox, if this is one.
    pub const fn mailbox(self) -> Option<Mailbox<'a>> {
        match self {
            Path::Mailbox(mailbox) => Some(mailbox),
            Path::Null | Path::Postmaster => None,
        }
    }
}

/// A local part at a domain, borrowed from the input without brackets and route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mailbox<'a> {
    bytes: &'a [u8],
    local: &'a [u8],
    domain: &'a [u8],
}

impl<'a> Mailbox<'a> {
    /// `local@domain` as it was given.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The local part as it was given, quotes included.
    pub const fn local(self) -> &'a [u8] {
        self.local
    }

    /// The domain or the address literal with its brackets, as it was given.
    pub const fn domain(self) -> &'a [u8] {
        self.domain
    }

    /// Whether the local part stands in quotes.
    pub fn is_quoted(self) -> bool {
        self.local.first() == Some(&b'"')
    }

    /// The local part without its quotes; backslashes stay.
    pub fn content(self) -> &'a [u8] {
        match self.local {
            [b'"', inner @ .., b'"'] => inner,
            local => local,
        }
    }

    /// Fails when the local part is longer than [`MAX_LOCAL`].
    pub(crate) fn within_limits(self) -> Result<Self, Error> {
        if self.local.len() > MAX_LOCAL { fail(MAX_LOCAL, AddressProblem::LongLocal) } else { Ok(self) }
    }
}

impl fmt::Display for Mailbox<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_utf8(self.bytes, f)
    }
}

/// An address that the library made, at most [`MAX_ADDRESS`] octets, held inline so that nothing is allocated.
#[derive(Clone, Copy)]
pub struct Address {
    bytes: [u8; MAX_ADDRESS],
    len: u8,
    /// Length of the local part.
    local: u8,
}

impl Address {
    /// Joins the pieces of a local part, `@` and a domain; `None` above [`MAX_ADDRESS`] octets in all.
    #[inline]
    pub(crate) fn join(local: &[&[u8]], domain: &[u8]) -> Option<Address> {
        let mut bytes = [0; MAX_ADDRESS];
        let mut used = 0;
        let mut push = |piece: &[u8]| {
            bytes.get_mut(used..used + piece.len())?.copy_from_slice(piece);
            used += piece.len();
            Some(used)
        };
        let mut at = 0;
        for piece in local {
            at = push(piece)?;
        }
        push(b"@")?;
        let end = push(domain)?;
        Some(Address { bytes, len: u8::try_from(end).ok()?, local: u8::try_from(at).ok()? })
    }

    /// The same address, owned; `None` above [`MAX_ADDRESS`] octets, which no parsed mailbox has.
    pub(crate) fn copy(mailbox: Mailbox<'_>) -> Option<Address> {
        Address::join(&[mailbox.local], mailbox.domain)
    }

    /// `local@domain`.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The address as text; `None` if it is not UTF-8, which no address made from a parsed path is.
    pub fn as_str(&self) -> Option<&str> {
        core::str::from_utf8(self.as_bytes()).ok()
    }

    /// A borrowed view of its parts.
    pub fn mailbox(&self) -> Mailbox<'_> {
        let bytes = self.as_bytes();
        let (local, rest) = bytes.split_at_checked(usize::from(self.local)).unwrap_or_default();
        Mailbox { bytes, local, domain: rest.get(1..).unwrap_or_default() }
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Address {}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_utf8(self.as_bytes(), f)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

fn fmt_utf8(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        f.write_str(chunk.valid())?;
        if !chunk.invalid().is_empty() {
            f.write_str("\u{fffd}")?;
        }
    }
    Ok(())
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
        let alphanumeric = byte.is_ascii_alphanumeric() || byte >= 0x80;
        let atext = matches!(
            byte,
            b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/' | b'=' | b'?' | b'^' | b'_' | b'`' | b'{'..=b'~' | b'.'
        );
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            table[octet] = if alphanumeric || atext { LOCAL } else { 0 }
                | if alphanumeric || matches!(byte, b'-' | b'_') { DOMAIN } else { 0 };
        }
        octet += 1;
    }
    table
}

const fn is(octet: u8, class: u8) -> bool {
    #[expect(clippy::indexing_slicing, reason = "256 entries, one for each octet")]
    let found = CLASS[octet as usize];
    found & class != 0
}

/// Whether a local part may hold this octet without quotes.
pub(crate) const fn is_bare(octet: u8) -> bool {
    is(octet, LOCAL)
}

fn fail<T>(offset: usize, problem: AddressProblem) -> Result<T, Error> {
    Err(Error::Address { offset, problem })
}

fn parse(input: &[u8], limit: LocalLimit) -> Result<Path<'_>, Error> {
    let (bytes, start) = match input {
        [b'<', inner @ .., b'>'] => (inner, 1),
        [b'<', ..] => return fail(input.len(), AddressProblem::Unclosed),
        _ => (input, 0),
    };
    if bytes.is_empty() {
        return Ok(Path::Null);
    }
    let route = route_length(bytes, start)?;
    let (_, bytes) = bytes.split_at_checked(route).unwrap_or_default();
    let start = start + route;
    if bytes.eq_ignore_ascii_case(b"postmaster") {
        return Ok(Path::Postmaster);
    }
    let at = match bytes.first() {
        Some(b'"') => quoted_length(bytes, start)?,
        _ => bare_length(bytes, start)?,
    };
    let (local, rest) = bytes.split_at_checked(at).unwrap_or_default();
    let domain = rest.get(1..).unwrap_or_default();
    check_domain(domain, start + at + 1)?;
    if local.len() > MAX_LOCAL && limit == LocalLimit::Strict {
        return fail(start + MAX_LOCAL, AddressProblem::LongLocal);
    }
    if bytes.len() > MAX_ADDRESS {
        return fail(start + MAX_ADDRESS, AddressProblem::LongAddress);
    }
    if !bytes.is_ascii() {
        if let Err(error) = core::str::from_utf8(bytes) {
            return fail(start + error.valid_up_to(), AddressProblem::Utf8);
        }
    }
    Ok(Path::Mailbox(Mailbox { bytes, local, domain }))
}

/// The length of a leading `@a,@b:`, 0 without one.
fn route_length(bytes: &[u8], start: usize) -> Result<usize, Error> {
    if bytes.first() != Some(&b'@') {
        return Ok(0);
    }
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
#[inline]
fn bare_length(bytes: &[u8], start: usize) -> Result<usize, Error> {
    match bytes.iter().position(|&b| !is(b, LOCAL)) {
        None => fail(start + bytes.len(), AddressProblem::NoAt),
        Some(stop) if bytes.get(stop) != Some(&b'@') => fail(start + stop, AddressProblem::LocalOctet),
        Some(0) => fail(start, AddressProblem::EmptyLocal),
        Some(at) => Ok(at),
    }
}

/// The offset of the `@` behind a quoted local part.
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
pub(crate) fn check_domain(domain: &[u8], start: usize) -> Result<(), Error> {
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
        if is(octet, DOMAIN) {
            after_dot = false;
        } else if octet != b'.' {
            return fail(start + offset, AddressProblem::DomainOctet);
        } else if after_dot {
            return fail(start + offset, AddressProblem::EmptyLabel);
        } else {
            after_dot = true;
        }
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
            ("user @example.com", 4, P::LocalOctet),
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
            ("@a,b:c@d", 3, P::Route),
            ("@a,@:c@d", 4, P::EmptyDomain),
            (long.as_str(), 64, P::LongLocal),
            (long_domain.as_str(), 257, P::LongDomain),
            (long_all.as_str(), 254, P::LongAddress),
        ] {
            assert_eq!(Path::parse(input.as_bytes()), fail(offset, problem), "{input}");
        }
        assert_eq!(Path::parse(b"j\xf6rg@example.com"), fail(1, P::Utf8));
    }

    #[test]
    fn a_tagged_local_part_may_be_long_but_the_address_may_not() {
        let long = "a".repeat(80) + "@b";
        assert!(Path::parse(long.as_bytes()).is_err());
        assert!(Path::parse_tagged(long.as_bytes()).is_ok());
        let longer = "a".repeat(253) + "@b";
        assert_eq!(Path::parse_tagged(longer.as_bytes()), fail(254, AddressProblem::LongAddress));
    }

    #[test]
    fn an_owned_address_keeps_its_parts() {
        let address = Address::join(&[b"\"a@", b"b\""], b"example.com").unwrap();
        assert_eq!(address.as_bytes(), b"\"a@b\"@example.com");
        assert_eq!(address.mailbox().local(), b"\"a@b\"");
        assert_eq!(address.mailbox().domain(), b"example.com");
        assert_eq!(Address::join(&[&[b'a'; 250]], b"b.cd"), None);
    }
}
