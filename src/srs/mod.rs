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

use crate::address::check_domain;
use crate::day::Day;
use crate::encode::{SHA1_BASE64, base32_character, base32_value};
use crate::error::Error;
use crate::key::{Key, Use};
use crate::mac::{self, Text as _};
use crate::words;

mod forward;
mod own;
mod reverse;

pub use forward::forward;
pub use own::{named_forwarders, own_forwarders, served_forwarders};
pub(crate) use reverse::is_over;
pub use reverse::reverse;

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

impl Alphabet {
    /// All alphabets.
    pub const ALL: &'static [Alphabet] = &[Alphabet::Classic, Alphabet::Url, Alphabet::Alt];

    /// The word in a policy file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Alphabet::Classic => "classic",
            Alphabet::Url => "url",
            Alphabet::Alt => "alt",
        }
    }
}

/// What to do with a local part that is longer than 64 octets: that of a result, in both directions, but for the SRS address
/// of another forwarder to which an SRS1 one returns. A sender that has one itself, as Exim makes them with its prvs tag, has
/// such a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OverLong {
    /// Leave the sender as it is, reason `too-long`; a bounce that would return to such a sender is `malformed`.
    #[default]
    Leave,
    /// Emit it all the same, up to 254 octets in all, as every peer does, and take it back.
    Emit,
}

impl OverLong {
    /// Both.
    pub const ALL: &'static [OverLong] = &[OverLong::Leave, OverLong::Emit];

    /// The word in a policy file.
    pub const fn as_str(self) -> &'static str {
        match self {
            OverLong::Leave => "leave",
            OverLong::Emit => "emit",
        }
    }
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
    /// Four characters, as all peers write, hold 20 bits against the best guess, since capitals are not told apart: about
    /// a million tries find one. Each character more or less is 5 bits.
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
pub(crate) fn srs1_parts(rest: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (hash, rest) = cut(rest.get(1..)?)?;
    let (host, rest) = cut(rest)?;
    let whole = check_domain(host, 0).is_ok() && rest.len() > 1 && matches!(rest.first(), Some(b'=' | b'+' | b'-'));
    whole.then_some((hash, host, rest))
}

/// The day mod 1024 in two characters, in upper case.
fn stamp(day: Day) -> [u8; 2] {
    let day = day.number() % 1024;
    [day >> 5, day & 31].map(|value| base32_character(u8::try_from(value).unwrap_or(0)))
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

/// The number of a stamp.
#[inline(always)]
pub(crate) fn number_of([high, low]: [u8; 2]) -> Option<u32> {
    Some(u32::from(base32_value(high)?) * 32 + u32::from(base32_value(low)?))
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
