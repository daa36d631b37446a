//! Forward: a sender becomes SRS0, or SRS1 at the second forwarder. The usual SRS0 is written before its hash is known.

use crate::address::{Address, MAX_ADDRESS, MAX_LOCAL, Mailbox, Path, append, check_domain};
use crate::day::Day;
use crate::domains::Domains;
use crate::encode::{base64_of_sha1, base64_of_three};
use crate::error::Error;
use crate::key::{Key, KeyRing, Use};
use crate::mac;
use crate::sixteen::{self, Piece};
use crate::verdict::{Signed, Unsigned};

use super::{Dialect, OverLong, Shape, hash, shape, srs1_parts, stamp};

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
    // The address is written where the caller wants it, and never copied.
    match forwarding.parts(mailbox, shape) {
        Ok(parts) if parts.is_usual => Ok(Signed::Done(forwarding.usual(parts.key, &mailbox))),
        Ok(parts) => Ok(Signed::Done(forwarding.join(&parts))),
        Err(reason) => Ok(Signed::Unsigned(reason)),
    }
}

/// Octets of the longest usual address behind its hash and stamp.
const TEXT: usize = 112;

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
    /// The parts of the result, if that keeps within the limits that the dialect sets.
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
        let text = host.len() + 1 + rest.len() + 1 + self.forwarder.len();
        let is_usual = is_srs0 && length == 4 && quote.is_empty() && text <= TEXT;
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

    /// SRS0 with four characters of hash and no quotes, of at most [`TEXT`] octets behind them.
    ///
    /// What stands behind the hash is written before that is known, for which only a head of fixed length waits.
    #[inline(never)]
    fn usual(&self, key: &Key, mailbox: &Mailbox<'_>) -> Address {
        let (host, local) = (mailbox.domain(), mailbox.local());
        let mut text = [0; TEXT];
        let before = append(append(append(&mut text, host), b"="), local);
        append(append(before, b"@"), self.forwarder);
        let [high, low] = stamp(self.day);
        // Digits have the bit that small letters have.
        let folded = [high, low].map(|octet| octet | 0x20);
        let digest = match sixteen::blocks_of_two::<1>(folded, mailbox.as_bytes(), pieces(mailbox)) {
            Some(blocks) => mac::of_words(key.keyed.tag_of_blocks(&blocks)),
            None => longer(key, folded, mailbox),
        };
        let [a, b, c, d] = base64_of_three(digest, self.dialect.alphabet.last_two());
        let head = [b'S', b'R', b'S', b'0', self.dialect.separator, a, b, c, d, b'=', high, low, b'='];
        let behind = host.len() + 1 + local.len();
        Address::of_text(&head, &text, [behind, behind + 1 + self.forwarder.len()])
    }
}

/// What is hashed behind the stamp.
#[inline(always)]
fn pieces(mailbox: &Mailbox<'_>) -> [Piece; 2] {
    let (host, local) = (mailbox.domain().len(), mailbox.local().len());
    [Piece { at: local + 1, length: host }, Piece { at: 0, length: local }]
}

/// The hash for an SRS0 address whose message needs more than one block.
#[cold]
fn longer(key: &Key, stamp: [u8; 2], mailbox: &Mailbox<'_>) -> [u8; 3] {
    match sixteen::blocks_of_two::<2>(stamp, mailbox.as_bytes(), pieces(mailbox)) {
        Some(blocks) => mac::of_words(key.keyed.tag_of_blocks(&blocks)),
        None => mac::prefix(&hash(key, Some(stamp), mailbox.domain(), mailbox.local(), false)),
    }
}
