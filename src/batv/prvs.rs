//! `prvs`, the tag of draft-levine-smtp-batv-01, which Exim shares.
//!
//! ```text
//! prvs=KDDDSSSSSS=local@domain        local+prvs=KDDDSSSSSS@domain
//! K       the key's digit
//! DDD     (signing day + days) mod 1000
//! SSSSSS  hex of the first three octets of the HMAC
//! sha1    over K DDD address, byte for byte as given; verified also over the address with A-Z folded
//! sha256  over K DDD address, A-Z folded, without the quotes and backslashes of a quoted local part
//! ```
//!
//! A tag adds [`LENGTH`] octets to the local part. Twenty-four bits fall to 2^24 tries: limit the tries, or use bst1.

use super::Form;
use super::foreign::{is_whole, strip_prefix};
use crate::address::{Address, MAX_ADDRESS, MAX_LOCAL, Mailbox, Stripped};
#[cfg(feature = "bulk")]
use crate::bulk::Engine;
use crate::day::{Day, ahead_of_prvs, implied_by_prvs, is_over_by_prvs};
use crate::encode;
use crate::key::{Key, KeyId, KeyRing, Use};
use crate::mac::{self, BLOCK, Mac, Text};
use crate::sixteen::{self, both};
use crate::verdict::Verdict;
use crate::words;

/// What the tag adds to a local part: `prvs=KDDDSSSSSS=`.
pub(super) const LENGTH: usize = 16;
/// K DDD SSSSSS.
const VALUE: usize = 10;

/// A tag as read: its key and day number, its MAC and where it stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag {
    /// K DDD as they stand, the beginning of the signed text.
    pub(super) stamp: [u8; 4],
    mac: [u8; 3],
    pub(super) form: Form,
}

/// Whether these octets, at most eight of each, are `digits` digits and then hex.
#[inline(always)]
pub(super) fn is_tag(tag: &[u8], digits: usize) -> bool {
    let (day, hash) = tag.split_at_checked(digits).unwrap_or_default();
    words::are_digits(day) & words::are_hex_digits(hash) && !hash.is_empty()
}

/// Reads `KDDDSSSSSS=rest`, what follows `prvs=`.
#[inline(always)]
pub(super) fn read(value: &[u8]) -> Option<(Tag, &[u8])> {
    let (tag, rest) = value.split_first_chunk::<VALUE>()?;
    let rest = rest.strip_prefix(b"=").filter(|rest| !rest.is_empty())?;
    is_tag(tag, 4).then(|| (parts(tag, Form::Prefix), rest))
}

/// Reads the usual tagged recipient: `prvs=KDDDSSSSSS=` and an address without anything unusual.
#[inline(always)]
pub(super) fn read_usual(recipient: &[u8]) -> Option<(Tag, Mailbox<'_>)> {
    let (tag, rest) = read(strip_prefix(recipient, b"prvs=")?)?;
    let look = sixteen::look(rest)?;
    Some((tag, Mailbox::known(rest, look.local, look.is_plain)))
}

/// Reads `rest+prvs=KDDDSSSSSS`.
pub(super) fn read_subaddress(content: &[u8]) -> Option<(Tag, &[u8])> {
    let (head, tag) = content.split_last_chunk::<VALUE>()?;
    let (rest, name) = head.split_last_chunk::<6>()?;
    strip_prefix(name, b"+prvs=")
        .filter(|_| is_tag(tag, 4) && is_whole(rest))
        .map(|_| (parts(tag, Form::Subaddress), rest))
}

#[inline(always)]
fn parts(tag: &[u8; VALUE], form: Form) -> Tag {
    let [k, d1, d2, d3, hex @ ..] = *tag;
    Tag { stamp: [k, d1, d2, d3], mac: encode::unhex(hex), form }
}

/// Whether a tagged address keeps within the limits of RFC 5321.
pub(super) fn fits(mailbox: Mailbox<'_>) -> bool {
    mailbox.local().len() + LENGTH <= MAX_LOCAL && mailbox.as_bytes().len() + LENGTH <= MAX_ADDRESS
}

/// K DDD of a tag made with this key on this day.
#[inline(always)]
pub(super) fn stamp(key: &Key, day: Day) -> [u8; 4] {
    let expiry = day.number() + u32::from(key.days);
    let digit = |place: u32| b'0' + u8::try_from(expiry / place % 10).unwrap_or(0);
    [key.id.0, digit(100), digit(10), digit(1)]
}

/// The address signed on this day; the caller has asked [`fits`].
///
/// Out of line, as its two ways are, so that the result is written where the caller wants it and never copied.
#[inline(never)]
pub(super) fn make(key: &Key, mailbox: &Mailbox<'_>, form: Form, day: Day) -> Address {
    let stamp = stamp(key, day);
    if is_whole_prefix(mailbox, form) {
        make_whole(key, mailbox, stamp)
    } else {
        make_of_parts(mailbox, form, stamp, hash(key, stamp, mailbox, false))
    }
}

/// Like [`make`], with the hash, of an address whose text stands at the beginning of a longer one, into an address that was
/// made before; octets of its local part and of all of it.
#[cfg(feature = "bulk")]
#[inline(always)]
pub(super) fn make_of_text<const TEXT: usize>(
    address: &mut Address,
    text: &[u8; TEXT],
    lengths: [u8; 2],
    stamp: [u8; 4],
    hash: [u8; 3],
) {
    address.tag_text(&prefix(stamp, hash), text, lengths);
}

/// Like [`make`], with the hash, into an address that was made before.
#[cfg(feature = "bulk")]
#[inline(always)]
pub(super) fn make_in(
    engine: Engine,
    address: &mut Address,
    mailbox: Mailbox<'_>,
    form: Form,
    stamp: [u8; 4],
    hash: [u8; 3],
) {
    if is_whole_prefix(&mailbox, form) {
        address.tag_by(&prefix(stamp, hash), mailbox, |room, bytes| engine.copy_short(room, bytes));
    } else {
        *address = make_of_parts(&mailbox, form, stamp, hash);
    }
}

/// Whether the tag goes before the address in one piece.
#[inline(always)]
fn is_whole_prefix(mailbox: &Mailbox<'_>, form: Form) -> bool {
    form == Form::Prefix && !mailbox.is_quoted()
}

/// `prvs=KDDDSSSSSS=`
#[inline(always)]
fn prefix(stamp: [u8; 4], hash: [u8; 3]) -> [u8; LENGTH] {
    // As two numbers, since the compiler would write a text in many pieces.
    let stamp = u64::from(u32::from_le_bytes(stamp));
    let name = u64::from_le_bytes(*b"prvs=\0\0\0");
    both(name | stamp << 40, stamp >> 24 | encode::hex_digits(hash) << 8 | u64::from(b'=') << 56)
}

/// The tag before the address in one piece.
#[inline(never)]
fn make_whole(key: &Key, mailbox: &Mailbox<'_>, stamp: [u8; 4]) -> Address {
    make_of_blocks::<1, { BLOCK - 4 }>(key, mailbox, stamp, || make_longer(key, mailbox, stamp))
}

/// Like [`make_whole`], of an address that needs two blocks, or more.
#[inline(never)]
fn make_longer(key: &Key, mailbox: &Mailbox<'_>, stamp: [u8; 4]) -> Address {
    make_of_blocks::<2, { 2 * BLOCK - 4 }>(key, mailbox, stamp, || {
        let mut address = Address::EMPTY;
        address.tag(&prefix(stamp, hash(key, stamp, mailbox, false)), *mailbox);
        address
    })
}

/// The tag before an address that needs so many blocks and is hashed as it is, with so many octets behind the stamp; for
/// others see `else_make`.
///
/// The address is taken from the blocks that are hashed, so that all of it stands at fixed places; then the compiler writes
/// it where the caller wants it, and no copy is made.
#[inline(always)]
fn make_of_blocks<const BLOCKS: usize, const TEXT: usize>(
    key: &Key,
    mailbox: &Mailbox<'_>,
    stamp: [u8; 4],
    else_make: impl FnOnce() -> Address,
) -> Address {
    if key.mac == Mac::Sha1
        && let Some(blocks) = sixteen::blocks::<BLOCKS>(stamp, mailbox.as_bytes(), false)
        && let Some(text) = blocks.as_flattened().last_chunk::<TEXT>()
    {
        let hash = mac::of_words(key.keyed.tag_of_blocks(&blocks));
        return Address::of_text(&prefix(stamp, hash), text, [mailbox.local().len(), mailbox.as_bytes().len()]);
    }
    else_make()
}

/// The tag inside quotes or behind the local part.
#[inline(never)]
fn make_of_parts(mailbox: &Mailbox<'_>, form: Form, stamp: [u8; 4], hash: [u8; 3]) -> Address {
    let hash = encode::hex(hash);
    let quote: &[u8] = if mailbox.is_quoted() { b"\"" } else { b"" };
    match form {
        Form::Prefix => {
            Address::join(&[quote, b"prvs=", &stamp, &hash, b"=", mailbox.content(), quote], mailbox.domain())
        }
        Form::Subaddress => {
            Address::join(&[quote, mailbox.content(), b"+prvs=", &stamp, &hash, quote], mailbox.domain())
        }
    }
}

/// The octets behind a stamp; `fold` is for the sha1 form, the other always folds.
#[inline(never)]
fn hash(key: &Key, stamp: [u8; 4], mailbox: &Mailbox<'_>, fold: bool) -> [u8; 3] {
    let fold = fold || key.mac == Mac::Sha256;
    if !mailbox.is_quoted()
        && let Some(blocks) = sixteen::blocks::<1>(stamp, mailbox.as_bytes(), fold)
    {
        return mac::of_words(key.keyed.tag_of_blocks(&blocks));
    }
    hash_of_longer(key, stamp, mailbox, fold)
}

/// Like [`hash`], of an address that does not fit in one block, or is in quotes.
#[inline(never)]
fn hash_of_longer(key: &Key, stamp: [u8; 4], mailbox: &Mailbox<'_>, fold: bool) -> [u8; 3] {
    if !mailbox.is_quoted()
        && let Some(blocks) = sixteen::blocks::<2>(stamp, mailbox.as_bytes(), fold)
    {
        return mac::of_words(key.keyed.tag_of_blocks(&blocks));
    }
    let mut message = key.keyed.message();
    write(&mut message, key, stamp, mailbox, fold);
    mac::prefix(&message.finish())
}

/// Writes what is hashed.
#[inline(always)]
pub(super) fn write(message: &mut impl Text, key: &Key, stamp: [u8; 4], mailbox: &Mailbox<'_>, fold: bool) {
    message.push(&stamp);
    if key.mac == Mac::Sha256 {
        message.push_folded_address(*mailbox);
    } else if fold {
        message.push_folded(mailbox.as_bytes());
    } else {
        message.push(mailbox.as_bytes());
    }
}

/// Whether a tag of the sha1 form may also be right over the folded address, which then is another text.
#[inline(always)]
pub(super) fn folds(key: &Key, mailbox: &Mailbox<'_>) -> bool {
    key.mac == Mac::Sha1 && !sixteen::is_folded(mailbox.as_bytes())
}

/// Steps 3 to 5 of the order of verdicts, for a tag before this address, of which the caller has parts.
#[inline(never)]
pub(super) fn check<'a>(
    ring: &KeyRing,
    read: Tag,
    mailbox: &Mailbox<'_>,
    parts: &Stripped<'a>,
    day: Day,
) -> Verdict<'a> {
    let Some(key) = read.key(ring, mailbox.domain()) else {
        let [k, ..] = read.stamp;
        let covered = covered(ring, mailbox.domain(), read.expiry(), day);
        return Verdict::UnknownKey { key: Some(KeyId(k)), covered };
    };
    let mut right = read.is(hash(key, read.stamp, mailbox, false));
    if folds(key, mailbox) {
        // Not skipped when the first was right, so that the time does not tell.
        right |= read.is(hash(key, read.stamp, mailbox, true));
    }
    read.verdict(ring, key, right, parts, day)
}

impl Tag {
    /// Whether the hash is this one.
    #[inline(always)]
    pub(super) fn is(self, hash: [u8; 3]) -> bool {
        mac::equal(hash, self.mac)
    }

    /// The number of the day on which it expires.
    #[inline(always)]
    fn expiry(self) -> u32 {
        let [_, expiry @ ..] = self.stamp;
        expiry.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
    }

    /// Whether the tag was over before `grace` days, whatever key made it.
    pub(super) fn is_over(self, grace: u32, today: Day) -> bool {
        is_over_by_prvs(self.expiry(), u32::from(Use::Prvs.max_days()), grace, today)
    }

    /// Step 3: the key that the tag names.
    #[inline(always)]
    pub(super) fn key<'r>(self, ring: &'r KeyRing, domain: &[u8]) -> Option<&'r Key> {
        let [k, ..] = self.stamp;
        ring.key_by_id(Use::Prvs, KeyId(k), domain)
    }

    /// Steps 4 and 5.
    #[inline(always)]
    pub(super) fn verdict<'a>(
        &self,
        ring: &KeyRing,
        key: &Key,
        right: bool,
        parts: &Stripped<'a>,
        day: Day,
    ) -> Verdict<'a> {
        let expiry = self.expiry();
        let covered = || covered(ring, parts.domain(), expiry, day);
        Verdict::of(key, right, implied_by_prvs(expiry, u32::from(key.days), day), *parts, covered)
    }
}

/// Whether keys of the ring signed for the domain on every day on which any key may have made the tag.
///
/// The number is the last day, and the key that is not known may have any life: its tag was signed one to
/// [`Use::max_days`] days before, and tomorrow at the latest, by a clock that is ahead.
#[cold]
fn covered(ring: &KeyRing, domain: &[u8], expiry: u32, today: Day) -> bool {
    let longest = u32::from(Use::Prvs.max_days());
    let ahead = ahead_of_prvs(expiry, today);
    let last = if ahead <= longest + 1 { today.plus(ahead) } else { today.minus(1000 - ahead) };
    ring.covers(Use::Prvs, domain, last.minus(longest), last.minus(1).min(today.plus(1)))
}
