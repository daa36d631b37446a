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
use crate::words;

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
    #[inline(always)]
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
    #[inline(always)]
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
#[derive(Debug, Clone, Copy)]
pub struct Mailbox<'a> {
    bytes: &'a [u8],
    /// Length of the local part.
    at: usize,
    /// Whether the local part is known to be only letters, digits, `.`, `-` and `/`, so that it carries no tag.
    plain: bool,
}

impl<'a> Mailbox<'a> {
    /// `local@domain` as it was given.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The local part as it was given, quotes included.
    #[inline]
    pub fn local(self) -> &'a [u8] {
        self.bytes.get(..self.at).unwrap_or_default()
    }

    /// The domain or the address literal with its brackets, as it was given.
    #[inline]
    pub fn domain(self) -> &'a [u8] {
        self.bytes.get(self.at + 1..).unwrap_or_default()
    }

    /// Whether the local part stands in quotes.
    #[inline]
    pub fn is_quoted(self) -> bool {
        self.bytes.first() == Some(&b'"')
    }

    /// The local part without its quotes; backslashes stay.
    #[inline]
    pub fn content(self) -> &'a [u8] {
        match self.local() {
            [b'"', inner @ .., b'"'] => inner,
            local => local,
        }
    }

    /// Whether the local part is known to carry no tag, without a look at it.
    #[inline(always)]
    pub(crate) const fn is_plain(self) -> bool {
        self.plain
    }

    /// The address whose local part, inside the same quotes, is only `content`.
    #[inline(always)]
    pub(crate) fn stripped(self, content: &'a [u8]) -> Stripped<'a> {
        Stripped { srs0: false, quoted: self.is_quoted(), content, domain: self.domain() }
    }

    /// The last `length` octets of an unquoted local part at the domain.
    #[inline(always)]
    pub(crate) fn tail(self, length: usize) -> Mailbox<'a> {
        let cut = self.at.saturating_sub(length);
        Mailbox { bytes: self.bytes.get(cut..).unwrap_or_default(), at: self.at - cut, plain: false }
    }

    /// Fails when the local part is longer than [`MAX_LOCAL`].
    #[inline]
    pub(crate) fn within_limits(self) -> Result<Self, Error> {
        if self.at > MAX_LOCAL { fail(MAX_LOCAL, AddressProblem::LongLocal) } else { Ok(self) }
    }
}

impl PartialEq for Mailbox<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.bytes, self.at) == (other.bytes, other.at)
    }
}

impl Eq for Mailbox<'_> {}

impl fmt::Display for Mailbox<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_utf8(self.bytes, f)
    }
}

/// The address under a tag: pieces of the input, at most [`MAX_ADDRESS`] octets together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stripped<'a> {
    /// Whether `SRS0` stands before the content.
    pub(crate) srs0: bool,
    pub(crate) quoted: bool,
    /// The local part without `SRS0` and quotes.
    pub(crate) content: &'a [u8],
    pub(crate) domain: &'a [u8],
}

impl<'a> Stripped<'a> {
    /// The domain or the address literal with its brackets, as it was given.
    pub const fn domain(self) -> &'a [u8] {
        self.domain
    }

    /// Octets of the local part, quotes included.
    #[inline(always)]
    pub(crate) const fn local_len(self) -> usize {
        let quotes = if self.quoted { 2 } else { 0 };
        let srs0 = if self.srs0 { 4 } else { 0 };
        self.content.len() + quotes + srs0
    }

    /// The address in one piece.
    pub fn to_address(self) -> Address {
        let quote: &[u8] = if self.quoted { b"\"" } else { b"" };
        let srs0: &[u8] = if self.srs0 { b"SRS0" } else { b"" };
        Address::join(&[quote, srs0, self.content, quote], self.domain)
    }
}

impl fmt::Display for Stripped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_address().fmt(f)
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
    /// No address yet.
    pub(crate) const EMPTY: Address = Address { bytes: [0; MAX_ADDRESS], len: 0, local: 0 };

    /// Joins the pieces of a local part, `@` and a domain; the caller has checked that they keep within [`MAX_ADDRESS`].
    #[inline(always)]
    pub(crate) fn join(local: &[&[u8]], domain: &[u8]) -> Address {
        let mut address = Address::EMPTY;
        let mut used = 0;
        for piece in local {
            used = address.put(used, piece);
        }
        let at = address.put(used, b"@");
        let end = address.put(at, domain);
        address.local = u8::try_from(used).unwrap_or(0);
        address.len = u8::try_from(end).unwrap_or(0);
        address
    }

    /// Writes a short tag before a whole address in one piece; the caller has checked the length.
    #[inline(always)]
    pub(crate) fn tag<const N: usize>(&mut self, tag: &[u8; N], mailbox: Mailbox<'_>) {
        let at = self.put(0, tag);
        let end = self.put(at, mailbox.bytes);
        self.local = u8::try_from(N + mailbox.at).unwrap_or(0);
        self.len = u8::try_from(end).unwrap_or(0);
    }

    /// Writes over what stands at this offset.
    #[inline(always)]
    pub(crate) fn patch(&mut self, at: usize, piece: &[u8]) {
        self.put(at, piece);
    }

    /// Puts a piece at this offset if there is room; the offset behind it, also if there was none.
    #[inline(always)]
    fn put(&mut self, at: usize, piece: &[u8]) -> usize {
        let end = at.saturating_add(piece.len());
        if let Some(room) = self.bytes.get_mut(at..end) {
            room.copy_from_slice(piece);
        }
        end
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
        Mailbox { bytes: self.as_bytes(), at: usize::from(self.local), plain: false }
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
fn fail<T>(offset: usize, problem: AddressProblem) -> Result<T, Error> {
    Err(Error::Address { offset, problem })
}

#[inline(always)]
fn parse(input: &[u8], limit: LocalLimit) -> Result<Path<'_>, Error> {
    // The usual address: ASCII, neither brackets nor quotes nor literal. All others take the long way.
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
        let address = Address::join(&[b"\"a@", b"b\""], b"example.com");
        assert_eq!(address.as_bytes(), b"\"a@b\"@example.com");
        assert_eq!(address.mailbox().local(), b"\"a@b\"");
        assert_eq!(address.mailbox().domain(), b"example.com");
    }
}
