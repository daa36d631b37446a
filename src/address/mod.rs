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

mod parse;

use core::fmt;
use core::hash::{Hash, Hasher};

use self::parse::{LocalLimit, fail};
pub(crate) use self::parse::{check_domain, is_bare};
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

impl<'a> Path<'a> {
    /// Reads a path, with or without `<>`.
    ///
    /// # Errors
    /// [`Error::Address`] with the offset of the octet that does not fit.
    #[inline(always)]
    pub fn parse(input: &'a [u8]) -> Result<Self, Error> {
        parse::path(input, LocalLimit::Strict)
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
        parse::path(input, LocalLimit::Tagged)
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

    /// An address that was looked at elsewhere, with the length of its local part and whether it is plain.
    #[inline(always)]
    pub(crate) const fn known(bytes: &'a [u8], at: usize, plain: bool) -> Mailbox<'a> {
        Mailbox { bytes, at, plain }
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

    /// Octets of the local part, quotes included, where no `SRS0` stands before it.
    #[inline(always)]
    pub(crate) const fn local_len(self) -> usize {
        let quotes = if self.quoted { 2 } else { 0 };
        self.content.len() + quotes
    }

    /// The address in one piece.
    pub fn to_address(self) -> Address {
        if !self.quoted && !self.srs0 {
            return Address::join(&[self.content], self.domain);
        }
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
        address.write(local, domain);
        address
    }

    /// Like [`Address::join`], in place.
    #[inline(always)]
    pub(crate) fn write(&mut self, local: &[&[u8]], domain: &[u8]) {
        let mut room = self.bytes.as_mut_slice();
        for piece in local {
            room = append(room, piece);
        }
        let behind_local = room.len();
        room = append(append(room, b"@"), domain);
        [self.local, self.len] = [behind_local, room.len()].map(|left| u8::try_from(MAX_ADDRESS - left).unwrap_or(0));
    }

    /// Writes a short tag before a whole address in one piece; the caller has checked the length.
    #[inline(always)]
    pub(crate) fn tag<const N: usize>(&mut self, tag: &[u8; N], mailbox: Mailbox<'_>) {
        let at = self.put(0, tag);
        let end = self.put(at, mailbox.bytes);
        self.local = u8::try_from(N + mailbox.at).unwrap_or(0);
        self.len = u8::try_from(end).unwrap_or(0);
    }

    /// A short tag before an address that begins a longer text, with the octets of its local part and of all of it.
    ///
    /// All stands at fixed places, and the value is made in one expression: so the compiler writes it where the caller
    /// wants it, and no copy is made.
    #[inline(always)]
    pub(crate) fn of_text<const N: usize, const TEXT: usize>(
        tag: &[u8; N],
        text: &[u8; TEXT],
        [local, length]: [usize; 2],
    ) -> Address {
        const { assert!(N + TEXT <= MAX_ADDRESS) };
        let mut bytes = [0; MAX_ADDRESS];
        append(append(&mut bytes, tag), text);
        let octets = |behind: usize| u8::try_from(N + behind).unwrap_or(0);
        Address { bytes, len: octets(length), local: octets(local) }
    }

    /// Like [`Address::tag`], of an address of this length, with this local part, that begins a longer text.
    #[cfg(feature = "bulk")]
    #[inline(always)]
    pub(crate) fn tag_text<const N: usize, const TEXT: usize>(
        &mut self,
        tag: &[u8; N],
        text: &[u8; TEXT],
        [local, length]: [u8; 2],
    ) {
        const { assert!(N + TEXT <= MAX_ADDRESS) };
        self.put(0, tag);
        self.put(N, text);
        let tag = u8::try_from(N).unwrap_or(0);
        (self.local, self.len) = (tag.saturating_add(local), tag.saturating_add(length));
    }

    /// Like [`Address::tag`]; `copy` may copy a short address, and says whether it did.
    #[cfg(feature = "bulk")]
    #[inline(always)]
    pub(crate) fn tag_by<const N: usize>(
        &mut self,
        tag: &[u8; N],
        mailbox: Mailbox<'_>,
        copy: impl FnOnce(&mut [u8; 64], &[u8]) -> bool,
    ) {
        let room = self.bytes.get_mut(N..).and_then(<[u8]>::first_chunk_mut);
        if !room.is_some_and(|room| copy(room, mailbox.bytes)) {
            return self.tag(tag, mailbox);
        }
        self.put(0, tag);
        self.local = u8::try_from(N + mailbox.at).unwrap_or(0);
        self.len = u8::try_from(N + mailbox.bytes.len()).unwrap_or(0);
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

/// Puts a piece at the beginning of the room, if it is large enough; the room behind it.
#[inline(always)]
pub(crate) fn append<'r>(room: &'r mut [u8], piece: &[u8]) -> &'r mut [u8] {
    let Some((to, rest)) = room.split_at_mut_checked(piece.len()) else { return &mut [] };
    to.copy_from_slice(piece);
    rest
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Address {}

/// The hash of its octets.
impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl AsRef<[u8]> for Address {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn an_owned_address_keeps_its_parts() {
        let address = Address::join(&[b"\"a@", b"b\""], b"example.com");
        assert_eq!(address.as_bytes(), b"\"a@b\"@example.com");
        assert_eq!(address.mailbox().local(), b"\"a@b\"");
        assert_eq!(address.mailbox().domain(), b"example.com");
    }

    #[test]
    fn addresses_are_equal_by_their_octets_and_print_as_they_are() {
        let mailbox = |text: &'static str| Path::parse(text.as_bytes()).ok();
        assert_eq!(mailbox("a@example.com"), mailbox("<a@example.com>"));
        assert_ne!(mailbox("a@example.com"), mailbox("A@example.com"));
        let [one, other] = [b"a", b"b"].map(|local| Address::join(&[local], b"example.com"));
        assert_eq!(one, Address::join(&[b"a"], b"example.com"));
        assert_ne!(one, other);
        assert_eq!(one.mailbox().to_string(), "a@example.com");
        assert_eq!(alloc::format!("{one:?}"), "Address(a@example.com)");
        assert_eq!(one.as_ref(), one.as_bytes());
    }

    #[cfg(feature = "std")]
    #[test]
    fn the_hash_of_an_address_is_that_of_its_octets() {
        use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
        let hash = BuildHasherDefault::<DefaultHasher>::new();
        let [one, other] = [b"a", b"b"].map(|local| Address::join(&[local], b"example.com"));
        assert_eq!(hash.hash_one(one), hash.hash_one(one.as_bytes()));
        assert_ne!(hash.hash_one(one), hash.hash_one(other));
    }
}
