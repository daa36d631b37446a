//! The sender rewriting scheme: senders of forwarded mail out, their bounces back, as Mail::SRS does it.
//!
//! ```text
//! SRS0 sep HHHH=TT=domain=local@forwarder      sep: "=", "+" or "-"
//! SRS1 sep HHHH=host=REST@forwarder            REST: what follows "SRS0" or "SRS1=HHHH=host=", its separator first
//! HHHH   the first characters of the base64 of HMAC-SHA1 over the folded parts in their order: TT domain local, host REST
//! TT     unix day mod 1024 in two base32 characters
//! ```
//!
//! SRS1 carries no day: it verifies from a day before its key signs until `days` and the skew after its key's end.
//! Unlike Mail::SRS: one skew day ahead is in date; the result keeps the limits of RFC 5321 unless told otherwise; a part
//! that needs quotes is quoted as a whole; nothing that leaves or returns is anything but an address. DESIGN.md has the
//! table of differences.

use crate::address::{Address, MAX_ADDRESS, MAX_LOCAL, Mailbox, Path, Stripped, check_domain, is_bare};
use crate::day::{Day, Implied, implied_by_srs, is_over_by_srs};
use crate::domains::Domains;
use crate::encode::{SHA1_BASE64, base32_character, base32_value, base64_of_sha1, base64_of_three};
use crate::error::Error;
use crate::key::{Key, KeyRing, Use};
use crate::mac::{self, Text as _};
use crate::sixteen::{self, Piece};
use crate::verdict::{Foreign, Lapse, Malformed, Proof, Signed, Unsigned, Verdict};
use crate::words;

/// The characters with which the last two values of base64 are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Alphabet {
    /// `+/`: Mail::SRS, libsrs2, pysrs, postsrsd before 2.2.6.
    #[default]
    Classic,
    /// `-_`: postsrsd since 2.2.6.
    Url,
    /// `_.`: libsrs_alt.
    Alt,
}

/// What to do with a result whose local part is longer than 64 octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OverLong {
    /// Leave the sender as it is, reason `too-long`.
    #[default]
    Leave,
    /// Emit it all the same, up to 254 octets in all, as every peer does.
    Emit,
}

/// The options in which sites differ; verifying takes all alphabets and separators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    pub(crate) separator: u8,
    pub(crate) hash_length: usize,
    pub(crate) hash_min: usize,
    pub(crate) max_age: Option<u16>,
    pub(crate) always_rewrite: bool,
    pub(crate) alphabet: Alphabet,
    pub(crate) over_long: OverLong,
}

impl Dialect {
    /// Mail::SRS's own choices: separator `=`, four characters of hash, `+/`.
    pub const CLASSIC: Dialect = Dialect {
        separator: b'=',
        hash_length: 4,
        hash_min: 4,
        max_age: None,
        always_rewrite: false,
        alphabet: Alphabet::Classic,
        over_long: OverLong::Leave,
    };

    /// The first separator: `=`, `+` or `-`.
    ///
    /// # Errors
    /// [`Error::Separator`] for any other.
    pub const fn with_separator(mut self, separator: char) -> Result<Dialect, Error> {
        self.separator = match separator {
            '=' => b'=',
            '+' => b'+',
            '-' => b'-',
            _ => return Err(Error::Separator),
        };
        Ok(self)
    }

    /// How many characters of hash are written, and the least number that is taken: 1 to 27, `min` not above `length`.
    ///
    /// Four characters are 24 bits; below that a hash can be guessed in minutes.
    ///
    /// # Errors
    /// [`Error::Range`].
    pub const fn with_hash(mut self, length: usize, min: usize) -> Result<Dialect, Error> {
        if length == 0 || length > SHA1_BASE64 {
            return Err(Error::Range { name: "the length of the SRS hash", low: 1, high: SHA1_BASE64 });
        }
        if min == 0 || min > length {
            return Err(Error::Range { name: "the least length of the SRS hash", low: 1, high: length });
        }
        (self.hash_length, self.hash_min) = (length, min);
        Ok(self)
    }

    /// The greatest age in days, 1 to 500, instead of the key's `days`.
    ///
    /// # Errors
    /// [`Error::Range`].
    pub const fn with_max_age(mut self, days: u16) -> Result<Dialect, Error> {
        if days == 0 || days > Use::Srs.max_days() {
            return Err(Error::Range { name: "the greatest age", low: 1, high: Use::Srs.max_days() as usize });
        }
        self.max_age = Some(days);
        Ok(self)
    }

    /// Whether senders in the forwarder's own domain are rewritten too.
    #[must_use]
    pub const fn with_always_rewrite(mut self, always: bool) -> Dialect {
        self.always_rewrite = always;
        self
    }

    /// The alphabet of the hash.
    #[must_use]
    pub const fn with_alphabet(mut self, alphabet: Alphabet) -> Dialect {
        self.alphabet = alphabet;
        self
    }

    /// What to do with results above 64 octets of local part.
    #[must_use]
    pub const fn with_over_long(mut self, over_long: OverLong) -> Dialect {
        self.over_long = over_long;
        self
    }

    fn max_age(&self, key: &Key) -> u32 {
        u32::from(self.max_age.unwrap_or(key.days))
    }
}

impl Default for Dialect {
    fn default() -> Dialect {
        Dialect::CLASSIC
    }
}

/// The two shapes, with what follows the four letters: the separator and the rest.
#[derive(Clone, Copy)]
enum Shape<'a> {
    Srs0(&'a [u8]),
    Srs1(&'a [u8]),
}

fn shape(content: &[u8]) -> Option<Shape<'_>> {
    let (name, rest) = content.split_first_chunk::<4>()?;
    let separated = matches!(rest.first(), Some(b'=' | b'+' | b'-'));
    match name.map(|octet| octet.to_ascii_uppercase()) {
        _ if !separated => None,
        [b'S', b'R', b'S', b'0'] => Some(Shape::Srs0(rest)),
        [b'S', b'R', b'S', b'1'] => Some(Shape::Srs1(rest)),
        _ => None,
    }
}

/// Whether the content of a local part ([`Mailbox::content`](crate::Mailbox::content)) begins like an SRS address.
pub fn is_srs(content: &[u8]) -> bool {
    shape(content).is_some()
}

/// Whether the day in an SRS address alone says that it is over, whatever key made it: none lives longer than
/// [`Use::max_days`]. An SRS1 address has the day of its first host, which counts if that is an own forwarder.
pub(crate) fn is_over(content: &[u8], own: &Domains, day: Day) -> bool {
    let rest = match shape(content) {
        Some(Shape::Srs0(rest)) => Some(rest),
        Some(Shape::Srs1(rest)) => srs1_parts(rest).filter(|(_, host, _)| own.contains(host)).map(|(_, _, rest)| rest),
        None => None,
    };
    let stamp = rest.and_then(|rest| cut_short(rest.get(1..)?)).and_then(|(_, rest)| cut_short(rest));
    let Some(([high, low], _)) = stamp else { return false };
    let number = base32_value(*high).zip(base32_value(*low)).map(|(high, low)| u32::from(high) * 32 + u32::from(low));
    number.is_some_and(|number| is_over_by_srs(number, u32::from(Use::Srs.max_days()), day))
}

/// Cuts at the first `=`.
fn cut(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = words::find(text, b'=')?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Cuts at the first `=`, which mostly stands near.
#[inline(always)]
fn cut_short(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&octet| octet == b'=')?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What follows the separator of SRS1: hash, first host, REST with its separator.
fn srs1_parts(rest: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (hash, rest) = cut(rest.get(1..)?)?;
    let (host, rest) = cut(rest)?;
    let whole = check_domain(host, 0).is_ok() && rest.len() > 1 && matches!(rest.first(), Some(b'=' | b'+' | b'-'));
    whole.then_some((hash, host, rest))
}

/// Rewrites the envelope sender of forwarded mail into the forwarder's domain.
///
/// An SRS0 sender of another host becomes SRS1, an SRS1 sender a new SRS1. The null sender, a sender in the forwarder's
/// own domain and SRS addresses at an own forwarder (`own`) stay as they are. Whether the mail is forwarded at all is for
/// the caller to know.
///
/// ```
/// use backstop::{Day, Domains, KeyRing, srs};
/// let ring = KeyRing::parse(b"version 1\nsrs 0 sha1 21 - - * text:tops3cr3t\n")?;
/// let own = Domains::parse("fwd.example.net")?;
/// let day = Day::from_unix_seconds(1_700_000_000)?;
/// let signed = srs::forward(&ring, b"alice@example.com", "fwd.example.net", &own, &srs::Dialect::CLASSIC, day)?;
/// assert_eq!(signed.address().unwrap().as_bytes(), b"SRS0=PGkz=G3=example.com=alice@fwd.example.net");
/// # Ok::<(), backstop::Error>(())
/// ```
///
/// # Errors
/// [`Error::Address`] if the sender is no path or the forwarder no domain.
pub fn forward(
    ring: &KeyRing,
    sender: &[u8],
    forwarder: &str,
    own: &Domains,
    dialect: &Dialect,
    day: Day,
) -> Result<Signed, Error> {
    let forwarding = Forwarding { ring, forwarder: forwarder.as_bytes(), own, dialect, day };
    check_domain(forwarding.forwarder, 0)?;
    let mailbox = match Path::parse_tagged(sender)? {
        Path::Null => return Ok(Signed::Unsigned(Unsigned::Null)),
        Path::Postmaster => return Ok(Signed::Unsigned(Unsigned::NotOwn)),
        Path::Mailbox(mailbox) => mailbox,
    };
    let shape = shape(mailbox.content());
    if shape.is_none() {
        mailbox.within_limits()?;
    }
    // The address is written where the caller wants it, and never copied.
    match forwarding.parts(mailbox, shape) {
        Ok(parts) if parts.is_usual => Ok(Signed::Done(forwarding.usual(parts.key, &mailbox))),
        Ok(parts) => Ok(Signed::Done(forwarding.join(&parts))),
        Err(reason) => Ok(Signed::Unsigned(reason)),
    }
}

/// What is rewritten, and by which key.
struct Parts<'a> {
    key: &'a Key,
    /// Whether it becomes SRS0, which has a stamp.
    is_srs0: bool,
    host: &'a [u8],
    rest: &'a [u8],
    /// Whether the sender stood in quotes.
    was_quoted: bool,
    quote: &'a [u8],
    /// Whether it becomes SRS0 with four characters of hash and no quotes.
    is_usual: bool,
}

/// What every step forward needs.
struct Forwarding<'a> {
    ring: &'a KeyRing,
    forwarder: &'a [u8],
    own: &'a Domains,
    dialect: &'a Dialect,
    day: Day,
}

impl<'a> Forwarding<'a> {
    /// The parts of an address that keeps within the limits.
    #[inline(always)]
    fn parts(&self, mailbox: Mailbox<'a>, shape: Option<Shape<'a>>) -> Result<Parts<'a>, Unsigned> {
        let at_forwarder = mailbox.domain().eq_ignore_ascii_case(self.forwarder);
        if shape.is_some() && (at_forwarder || self.own.contains(mailbox.domain())) {
            return Err(Unsigned::Already);
        }
        if at_forwarder && !self.dialect.always_rewrite {
            return Err(Unsigned::OwnDomain);
        }
        let key = self.ring.signing_key(Use::Srs, self.forwarder, self.day)?;
        let (content, quoted) = (mailbox.content(), mailbox.is_quoted());
        let (host, rest) = match shape {
            None if content.is_empty() => return Err(Unsigned::Shape),
            None => (mailbox.domain(), content),
            Some(Shape::Srs0(rest)) if rest.len() > 1 => (mailbox.domain(), rest),
            Some(Shape::Srs0(_)) => return Err(Unsigned::Shape),
            Some(Shape::Srs1(rest)) => {
                let (_, host, rest) = srs1_parts(rest).ok_or(Unsigned::Shape)?;
                (host, rest)
            }
        };
        let literal = host.first() == Some(&b'[');
        if literal && host.iter().any(|octet| matches!(octet, b'=' | b'"')) {
            // A general address literal; the parts, or the quotes, could not be told apart on the way back.
            return Err(Unsigned::Shape);
        }
        let is_srs0 = shape.is_none();
        let length = self.dialect.hash_length;
        let quote: &[u8] = if quoted || literal { b"\"" } else { b"" };
        let stamp_and_equals = if is_srs0 { 3 } else { 0 };
        let local = 2 * quote.len() + 5 + length + 1 + stamp_and_equals + host.len() + 1 + rest.len();
        let fits = local <= MAX_LOCAL || self.dialect.over_long == OverLong::Emit;
        if !fits || local + 1 + self.forwarder.len() > MAX_ADDRESS {
            return Err(Unsigned::TooLong);
        }
        let is_usual = is_srs0 && length == 4 && quote.is_empty();
        Ok(Parts { key, is_srs0, host, rest, was_quoted: quoted, quote, is_usual })
    }

    #[inline(never)]
    fn join(&self, parts: &Parts<'_>) -> Address {
        let Parts { key, is_srs0, host, rest, was_quoted, quote, .. } = *parts;
        let stamp = if is_srs0 { Some(stamp(self.day)) } else { None };
        let text = base64_of_sha1(&hash(key, stamp, host, rest, was_quoted), self.dialect.alphabet.last_two());
        let hash = text.get(..self.dialect.hash_length).unwrap_or(&text);
        let head = [b'S', b'R', b'S', if is_srs0 { b'0' } else { b'1' }, self.dialect.separator];
        match stamp {
            Some([high, low]) => {
                let middle = [b'=', high, low, b'='];
                Address::join(&[quote, &head, hash, &middle, host, b"=", rest, quote], self.forwarder)
            }
            None => Address::join(&[quote, &head, hash, b"=", host, b"=", rest, quote], self.forwarder),
        }
    }

    /// SRS0 with four characters of hash and no quotes.
    ///
    /// It is written before the hash is known, for which only four octets at a fixed place have to wait.
    #[inline(never)]
    fn usual(&self, key: &Key, mailbox: &Mailbox<'_>) -> Address {
        let stamp = stamp(self.day);
        let (host, local, [high, low]) = (mailbox.domain(), mailbox.local(), stamp);
        let separator = self.dialect.separator;
        let head = [b'S', b'R', b'S', b'0', separator, b'-', b'-', b'-', b'-', b'=', high, low, b'='];
        let mut address = Address::EMPTY;
        address.write(&[&head, host, b"=", local], self.forwarder);
        let pieces = [Piece { at: local.len() + 1, length: host.len() }, Piece { at: 0, length: local.len() }];
        let folded = stamp.map(|octet| octet.to_ascii_lowercase());
        let digest = match sixteen::block_of_two(folded, mailbox.as_bytes(), pieces) {
            Some(block) => mac::prefix(&key.keyed.tag_of_block(&block)),
            None => mac::prefix(&hash(key, Some(stamp), host, local, false)),
        };
        address.patch(5, &base64_of_three(digest, self.dialect.alphabet.last_two()));
        address
    }
}

/// The day mod 1024 in two characters, in upper case.
fn stamp(day: Day) -> [u8; 2] {
    let day = day.number() % 1024;
    [day >> 5, day & 31].map(|value| base32_character(u8::try_from(value).unwrap_or(0)).to_ascii_uppercase())
}

/// The MAC over stamp (none in SRS1), host and rest.
#[inline(never)]
fn hash(key: &Key, stamp: Option<[u8; 2]>, host: &[u8], rest: &[u8], quoted: bool) -> [u8; 20] {
    let mut message = key.keyed.message();
    if let Some(stamp) = stamp {
        message.push(&stamp.map(|octet| octet.to_ascii_lowercase()));
    }
    message.push_folded(host).push_folded_content(rest, quoted);
    mac::prefix(&message.finish())
}

impl Alphabet {
    #[inline(always)]
    const fn last_two(self) -> [u8; 2] {
        match self {
            Alphabet::Classic => *b"+/",
            Alphabet::Url => *b"-_",
            Alphabet::Alt => *b"_.",
        }
    }
}

/// Tells what the recipient of a bounce to a forwarder is, and to whom it returns.
///
/// An SRS1 address whose first host is an own forwarder as well is reversed to the end. A result in an own domain is a
/// recipient to be judged in its turn, by [`batv::verify`](crate::batv::verify).
///
/// ```
/// use backstop::{Day, Domains, KeyRing, Verdict, srs};
/// let ring = KeyRing::parse(b"version 1\nsrs 0 sha1 21 - - * text:tops3cr3t\n")?;
/// let own = Domains::parse("fwd.example.net")?;
/// let day = Day::from_unix_seconds(1_700_600_000)?;
/// let bounce = b"SRS0=PGkz=G3=example.com=alice@fwd.example.net";
/// let Verdict::Genuine(proof) = srs::reverse(&ring, bounce, &own, &srs::Dialect::CLASSIC, day)? else { panic!() };
/// assert_eq!(proof.mailbox.to_string(), "alice@example.com");
/// # Ok::<(), backstop::Error>(())
/// ```
///
/// # Errors
/// [`Error::Address`] if it is no path, [`Error::NullRecipient`] if it is `<>`.
pub fn reverse<'a>(
    ring: &KeyRing,
    address: &'a [u8],
    own: &Domains,
    dialect: &Dialect,
    day: Day,
) -> Result<Verdict<'a>, Error> {
    let reversal = Reversal { ring, own, dialect, day };
    if let Some(usual) = Usual::read(address).filter(|_| dialect.hash_min <= 4) {
        return Ok(reversal.usual(&usual));
    }
    let mailbox = match Path::parse_tagged(address)? {
        Path::Null => return Err(Error::NullRecipient),
        Path::Postmaster => return Ok(Verdict::Untagged),
        Path::Mailbox(mailbox) => mailbox,
    };
    let Some(shape) = shape(mailbox.content()) else {
        return mailbox.within_limits().map(|_| Verdict::Untagged);
    };
    if !own.contains(mailbox.domain()) {
        return Ok(Verdict::Foreign(Foreign::Srs));
    }
    let from = From { domain: mailbox.domain(), quoted: mailbox.is_quoted() };
    match shape {
        Shape::Srs0(rest) => Ok(reversal.srs0(from, rest)),
        Shape::Srs1(rest) => Ok(reversal.srs1(from, rest)),
    }
}

/// An SRS0 address without quotes and with four characters of hash, and nothing unusual behind them.
struct Usual<'a> {
    /// All of the address.
    address: &'a [u8],
    hash: [u8; 4],
    stamp: [u8; 2],
    host: &'a [u8],
    local: &'a [u8],
    forwarder: &'a [u8],
}

/// Octets of `SRS0=HHHH=TT=`.
const USUAL: usize = 13;

impl<'a> Usual<'a> {
    #[inline(always)]
    fn read(address: &'a [u8]) -> Option<Usual<'a>> {
        let (head, rest) = address.split_first_chunk::<USUAL>()?;
        let [s, r, s2, zero, separator, h1, h2, h3, h4, equals, high, low, equals2] = *head;
        let (hash, stamp) = ([h1, h2, h3, h4], [high, low]);
        let is_srs0 = words::is_same_short(&[s, r, s2, zero], b"SRS0") && matches!(separator, b'=' | b'+' | b'-');
        let is_hash = hash.iter().all(|&octet| octet.is_ascii() && octet != b'=' && is_bare(octet));
        if !is_srs0 || !is_hash || [equals, equals2] != *b"==" || number_of(stamp).is_none() {
            return None;
        }
        let (host, at) = sixteen::returned(rest)?;
        let (host, local, forwarder) = (rest.get(..host)?, rest.get(host + 1..at)?, rest.get(at + 1..)?);
        if local.len() > MAX_LOCAL {
            return None;
        }
        Some(Usual { address, hash, stamp, host, local, forwarder })
    }
}

/// The number of a stamp.
#[inline(always)]
fn number_of([high, low]: [u8; 2]) -> Option<u32> {
    Some(u32::from(base32_value(high)?) * 32 + u32::from(base32_value(low)?))
}

/// What every step back needs.
struct Reversal<'a> {
    ring: &'a KeyRing,
    own: &'a Domains,
    dialect: &'a Dialect,
    day: Day,
}

/// Where an address came to: the forwarder, and whether its parts stood in quotes.
#[derive(Clone, Copy)]
struct From<'a> {
    domain: &'a [u8],
    quoted: bool,
}

impl<'a> From<'a> {
    /// The address of these parts, in quotes only where it needs them.
    ///
    /// The parts of an unquoted local part have the octets of one already; in quotes, a cut at an escaped `=` leaves a
    /// lone backslash at the end of the part before it, which is neither hash, stamp nor host.
    #[inline(always)]
    fn result(self, srs0: bool, content: &'a [u8], domain: &'a [u8]) -> Result<Stripped<'a>, Malformed> {
        let quoted = self.quoted && !content.iter().all(|&octet| is_bare(octet));
        if content.is_empty() || check_domain(domain, 0).is_err() {
            return Err(Malformed::Mailbox);
        }
        Ok(Stripped { srs0, quoted, content, domain })
    }
}

/// What one key says of an address, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Genuine,
    Lifetime,
    Window,
    Forged,
    Unknown,
}

impl Rank {
    /// Here the outcome of a comparison is told, and nothing else of it is known (tests/ct/outcome.supp).
    #[inline(always)]
    fn of_srs(right: bool, in_date: bool, window: bool) -> Rank {
        match (right, in_date, window) {
            (true, true, true) => Rank::Genuine,
            (true, true, false) => Rank::Window,
            (true, false, _) => Rank::Lifetime,
            (false, _, true) => Rank::Forged,
            (false, _, false) => Rank::Unknown,
        }
    }
}

/// The best answer so far, the key that gave it, and the day that the stamp implies with it.
type Best<'k> = (Rank, &'k Key, Option<Implied>);

/// Keeps the first of the best answers; of the hash it knows the rank alone.
#[inline(always)]
fn keep_better<'k>(best: &mut Option<Best<'k>>, answer: Best<'k>) {
    let is_better = match best {
        Some((kept, ..)) => answer.0 < *kept,
        None => true,
    };
    if is_better {
        *best = Some(answer);
    }
}

impl Reversal<'_> {
    #[inline(always)]
    fn usual<'a>(&self, usual: &Usual<'a>) -> Verdict<'a> {
        if !self.own.contains(usual.forwarder) {
            return Verdict::Foreign(Foreign::Srs);
        }
        let Usual { hash, stamp, host, local, .. } = *usual;
        let from = From { domain: usual.forwarder, quoted: false };
        let result = Stripped { srs0: false, quoted: false, content: local, domain: host };
        let pieces =
            [Piece { at: USUAL, length: host.len() }, Piece { at: USUAL + host.len() + 1, length: local.len() }];
        let folded = stamp.map(|octet| octet.to_ascii_lowercase());
        match sixteen::block_of_two(folded, usual.address, pieces) {
            Some(block) => {
                self.judge(from, &hash, Some(stamp), &result, |key| mac::prefix(&key.keyed.tag_of_block(&block)))
            }
            None => self.judge_parts(from, &hash, Some(stamp), &result),
        }
    }

    #[inline(never)]
    fn srs0<'a>(&self, from: From<'a>, rest: &'a [u8]) -> Verdict<'a> {
        let (hash, stamp, result) = match self.srs0_parts(from, rest) {
            Ok(parts) => parts,
            Err(malformed) => return Verdict::Malformed(malformed),
        };
        self.judge_parts(from, hash, Some(stamp), &result)
    }

    /// Hash, stamp and to whom the address returns.
    #[inline(always)]
    fn srs0_parts<'a>(&self, from: From<'a>, rest: &'a [u8]) -> Result<(&'a [u8], [u8; 2], Stripped<'a>), Malformed> {
        let (hash, rest) = rest.get(1..).and_then(cut_short).ok_or(Malformed::Shape)?;
        let (stamp, rest) = cut_short(rest).ok_or(Malformed::Shape)?;
        let (host, local) = cut(rest).ok_or(Malformed::Shape)?;
        self.check_hash_length(hash)?;
        let [high, low] = *stamp else { return Err(Malformed::Stamp) };
        number_of([high, low]).ok_or(Malformed::Stamp)?;
        let result = from.result(false, local, host)?;
        if result.local_len() > MAX_LOCAL {
            return Err(Malformed::Mailbox);
        }
        Ok((hash, [high, low], result))
    }

    #[inline(never)]
    fn srs1<'a>(&self, from: From<'a>, rest: &'a [u8]) -> Verdict<'a> {
        let (hash, result) = match self.srs1_parts(from, rest) {
            Ok(parts) => parts,
            Err(malformed) => return Verdict::Malformed(malformed),
        };
        match self.judge_parts(from, hash, None, &result) {
            Verdict::Genuine(_) if self.own.contains(result.domain) => {
                self.srs0(From { domain: result.domain, ..from }, result.content)
            }
            verdict => verdict,
        }
    }

    /// Hash and to whom the address returns.
    fn srs1_parts<'a>(&self, from: From<'a>, rest: &'a [u8]) -> Result<(&'a [u8], Stripped<'a>), Malformed> {
        let (hash, host, rest) = srs1_parts(rest).ok_or(Malformed::Shape)?;
        self.check_hash_length(hash)?;
        Ok((hash, from.result(true, rest, host)?))
    }

    fn check_hash_length(&self, hash: &[u8]) -> Result<(), Malformed> {
        if (self.dialect.hash_min..=SHA1_BASE64).contains(&hash.len()) { Ok(()) } else { Err(Malformed::HashLength) }
    }

    /// Like [`Reversal::judge`], by the hash of the parts.
    fn judge_parts<'a>(
        &self,
        from: From<'_>,
        hash: &[u8],
        stamp: Option<[u8; 2]>,
        result: &Stripped<'a>,
    ) -> Verdict<'a> {
        self.judge(from, hash, stamp, result, |key| self::hash(key, stamp, result.domain, result.content, from.quoted))
    }

    /// Tries every key of the forwarder, since the address names none; `stamp` is `None` for SRS1.
    ///
    /// Out of line, so that tests/ct finds it by its name.
    #[inline(never)]
    fn judge<'a>(
        &self,
        from: From<'_>,
        hash: &[u8],
        stamp: Option<[u8; 2]>,
        result: &Stripped<'a>,
        digest: impl Fn(&Key) -> [u8; 20],
    ) -> Verdict<'a> {
        let number = stamp.and_then(number_of);
        let mut best = None;
        for (_, key) in self.ring.fitting(Use::Srs, from.domain) {
            let right = mac::equal_base64(&digest(key), hash);
            let implied = number.map(|number| implied_by_srs(number, self.dialect.max_age(key), self.day));
            let (in_date, window) = match implied {
                Some(implied) => (implied.in_date, key.window_holds(implied.signed)),
                None => (true, self.srs1_window(key)),
            };
            keep_better(&mut best, (Rank::of_srs(right, in_date, window), key, implied));
        }
        self.tell(from, result, best)
    }

    /// The verdict by the best answer of a key. What it knows of hashes is in the rank, which the caller may know.
    #[inline(always)]
    fn tell<'a>(&self, from: From<'_>, result: &Stripped<'a>, best: Option<Best<'_>>) -> Verdict<'a> {
        let Some((rank, key, implied)) = best else {
            return Verdict::UnknownKey { key: None, covered: false };
        };
        let signed = implied.map(|it| it.signed);
        let expires = signed.map(|day| day.plus(self.dialect.max_age(key)));
        let proof = Proof { mailbox: *result, usage: Use::Srs, key: key.id, signed, expires };
        match rank {
            Rank::Genuine => Verdict::Genuine(proof),
            Rank::Lifetime => Verdict::Expired(proof, Lapse::Lifetime),
            Rank::Window => Verdict::Expired(proof, Lapse::Window),
            Rank::Forged => Verdict::Forged { key: key.id },
            Rank::Unknown => {
                let covered = signed.is_some_and(|day| self.ring.covers(Use::Srs, from.domain, day));
                Verdict::UnknownKey { key: None, covered }
            }
        }
    }

    /// An SRS1 address may have been made on any day on which its key signed, and lives as long as its SRS0 might.
    fn srs1_window(&self, key: &Key) -> bool {
        let age = self.dialect.max_age(key);
        key.from.is_none_or(|from| from <= self.day.plus(1))
            && key.until.is_none_or(|until| self.day <= until.plus(age + 1))
    }
}
