//! Back: a recipient in the shape of SRS is judged, and the address to which it returns is taken out of it.

use crate::address::{MAX_LOCAL, Path, Stripped, check_domain, is_bare};
use crate::day::{Day, Implied, implied_by_srs, is_over_by_srs};
use crate::domains::Domains;
use crate::encode::SHA1_BASE64;
use crate::error::Error;
use crate::key::{Key, KeyRing, Use};
use crate::mac::{self, BLOCK};
use crate::sixteen::{self, Piece};
use crate::verdict::{Foreign, Lapse, Malformed, Proof, Verdict};
use crate::words;

use super::{Dialect, OverLong, Shape, cut, cut_short, hash, is_srs, number_of, shape, srs1_parts};

/// Tells what the recipient of a bounce to a forwarder is, and to whom it returns.
///
/// An SRS1 address whose first host is an own forwarder as well is reversed to the end. A result in an own domain is a
/// recipient to be judged in its turn, by [`batv::verify`](crate::batv::verify). An SRS0 address that returns to an SRS address of
/// an own forwarder is malformed, since nobody makes it.
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
    number_of([*high, *low]).is_some_and(|number| is_over_by_srs(number, u32::from(Use::Srs.max_days()), day))
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
        if local.len() > MAX_LOCAL || is_srs(local) {
            return None;
        }
        Some(Usual { address, hash, stamp, host, local, forwarder })
    }
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
    /// The address of these parts, in quotes where they came in quotes, but for those that an address literal alone needs.
    ///
    /// The parts of an unquoted local part have the octets of one already; in quotes, a cut at an escaped `=` leaves a
    /// lone backslash at the end of the part before it, which is neither hash, stamp nor host.
    #[inline(always)]
    fn result(self, srs0: bool, content: &'a [u8], domain: &'a [u8]) -> Result<Stripped<'a>, Malformed> {
        let quoted = self.quoted && !(domain.starts_with(b"[") && is_dot_atom(content));
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

fn is_dot_atom(content: &[u8]) -> bool {
    content.split(|&octet| octet == b'.').all(|atom| !atom.is_empty() && atom.iter().all(|&octet| is_bare(octet)))
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
        match sixteen::blocks_of_two::<1>(folded, usual.address, pieces) {
            Some(blocks) => self.judge_blocks(from, &hash, stamp, &result, &blocks),
            None => match sixteen::blocks_of_two::<2>(folded, usual.address, pieces) {
                Some(blocks) => self.judge_blocks(from, &hash, stamp, &result, &blocks),
                None => self.judge_parts(from, &hash, Some(stamp), &result),
            },
        }
    }

    /// Like [`Reversal::judge`], by the hash of a message in blocks.
    #[inline(always)]
    fn judge_blocks<'a>(
        &self,
        from: From<'_>,
        hash: &[u8],
        stamp: [u8; 2],
        result: &Stripped<'a>,
        blocks: &[[u8; BLOCK]],
    ) -> Verdict<'a> {
        self.judge(from, hash, Some(stamp), result, |key| mac::of_words(key.keyed.tag_of_blocks(blocks)))
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
        let is_too_long = result.local_len() > MAX_LOCAL && self.dialect.over_long == OverLong::Leave;
        // None is made of an own one; somebody moved a `=`, which the hash does not cover.
        if is_too_long || (is_srs(local) && self.own.contains(host)) {
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
        self.tell(result, best)
    }

    /// The verdict by the best answer of a key. What it knows of hashes is in the rank, which the caller may know.
    #[inline(always)]
    fn tell<'a>(&self, result: &Stripped<'a>, best: Option<Best<'_>>) -> Verdict<'a> {
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
            // The window of no key holds the day, so that none signed on it.
            Rank::Unknown => Verdict::UnknownKey { key: None, covered: false },
        }
    }

    /// An SRS1 address may have been made on any day on which its key signed, and lives as long as its SRS0 might.
    fn srs1_window(&self, key: &Key) -> bool {
        let age = self.dialect.max_age(key);
        key.from.is_none_or(|from| from <= self.day.plus(1))
            && key.until.is_none_or(|until| self.day <= until.plus(age + 1))
    }
}
