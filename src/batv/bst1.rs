//! `bst1`, backstop's own tag: the whole signing day and 65 bits of MAC.
//!
//! ```text
//! bst1=KXXXXXXXXXXXXXXXX=local@domain        23 octets more than the address
//! K     the key's id, one of a-z2-7
//! X*16  base32 (a-z2-7, any case when read) of ten octets: 15 bits of unix day, then the first 65 bits of
//!       HMAC-SHA256(secret, "bst1|" K "|" day in decimal "|" folded address)
//! ```
//!
//! Days end at 2059-09-18. A tag is made only where one SRS hop still fits into the 64 octets of a local part; DESIGN.md
//! has the full specification and tests/vectors/bst1.jsonl fixed examples.

use crate::address::{Address, MAX_ADDRESS, MAX_LOCAL, Mailbox, Stripped};
use crate::day::{Day, Implied, in_date, is_over};
use crate::encode;
use crate::key::{Key, KeyId, KeyRing, Use};
use crate::mac::{self, Text};
use crate::verdict::Verdict;

/// What the tag adds to a local part.
const LENGTH: usize = 23;
/// What one SRS0 hop adds besides the domain: `SRS0=HHHH=TT=` and `=`.
const SRS_HOP: usize = 14;
/// The last day that fifteen bits can hold: 2059-09-18.
pub(crate) const LAST_DAY: u32 = (1 << 15) - 1;

/// A tag as read: its key and its ten octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag {
    id: KeyId,
    octets: [u8; 10],
}

/// Reads `KXXXXXXXXXXXXXXXX=rest`, what follows `bst1=`.
pub(super) fn read(value: &[u8]) -> Option<(Tag, &[u8])> {
    let (id, value) = value.split_first()?;
    encode::base32_value(*id)?;
    let (text, rest) = value.split_first_chunk::<16>()?;
    let rest = rest.strip_prefix(b"=").filter(|rest| !rest.is_empty())?;
    Some((Tag { id: KeyId(id.to_ascii_lowercase()), octets: encode::ten_of_base32(text)? }, rest))
}

/// Whether a tagged address keeps within the limits and leaves room for one SRS hop.
pub(super) fn fits(mailbox: Mailbox<'_>) -> bool {
    LENGTH + mailbox.local().len() + SRS_HOP + mailbox.domain().len() <= MAX_LOCAL
        && LENGTH + mailbox.as_bytes().len() <= MAX_ADDRESS
}

/// The address signed on this day; the caller has asked [`fits`].
pub(super) fn make(key: &Key, mailbox: Mailbox<'_>, day: Day) -> Address {
    make_of(key, mailbox, octets(key, mailbox, day))
}

/// The address with these octets in its tag.
pub(super) fn make_of(key: &Key, mailbox: Mailbox<'_>, octets: [u8; 10]) -> Address {
    let text = encode::base32_of_ten(octets);
    let quote: &[u8] = if mailbox.is_quoted() { b"\"" } else { b"" };
    Address::join(&[quote, b"bst1=", &[key.id.0], &text, b"=", mailbox.content(), quote], mailbox.domain())
}

fn octets(key: &Key, mailbox: Mailbox<'_>, day: Day) -> [u8; 10] {
    let mut message = key.keyed.message();
    write(&mut message, key, mailbox, day);
    octets_of(day, mac::prefix(&message.finish()))
}

/// Writes what is hashed.
#[inline(always)]
pub(super) fn write(message: &mut impl Text, key: &Key, mailbox: Mailbox<'_>, day: Day) {
    message.push(b"bst1|").push(&[key.id.0]).push(b"|").push_decimal(day.number()).push(b"|");
    message.push_folded_address(mailbox);
}

/// Fifteen bits of day, then 65 bits of MAC.
pub(super) fn octets_of(day: Day, mac: [u8; 9]) -> [u8; 10] {
    // The first bit of the MAC shares an octet with the last seven of the day; all others move up by one.
    let [first, rest @ ..] = mac;
    let [.., high, low] = (day.number() << 1 | u32::from(first >> 7)).to_be_bytes();
    let mut octets = [0; 10];
    let [day_high, day_low, tag @ ..] = &mut octets;
    (*day_high, *day_low) = (high, low);
    let mut carry = first;
    for (to, next) in tag.iter_mut().zip(rest) {
        *to = carry << 1 | next >> 7;
        carry = next;
    }
    octets
}

/// Steps 3 to 5 of the order of verdicts, for a tag before this address, of which the caller has parts.
#[inline(never)]
pub(super) fn check<'a>(
    ring: &KeyRing,
    read: Tag,
    mailbox: &Mailbox<'_>,
    parts: &Stripped<'a>,
    today: Day,
) -> Verdict<'a> {
    let Some(key) = read.key(ring, mailbox.domain()) else {
        let covered = ring.covers(Use::Bst1, mailbox.domain(), read.signed(), read.signed());
        return Verdict::UnknownKey { key: Some(read.id), covered };
    };
    read.verdict(ring, key, read.is(octets(key, *mailbox, read.signed())), parts, today)
}

impl Tag {
    /// The day of signing.
    pub(super) fn signed(self) -> Day {
        let [high, low, ..] = self.octets;
        Day::MIN.plus(u32::from(u16::from_be_bytes([high, low]) >> 1))
    }

    /// Whether the tag was over before `grace` days, whatever key made it.
    pub(super) fn is_over(self, grace: u32, today: Day) -> bool {
        is_over(self.signed(), u32::from(Use::Bst1.max_days()), grace, today)
    }

    /// Whether the octets are these.
    pub(super) fn is(self, octets: [u8; 10]) -> bool {
        mac::equal(octets, self.octets)
    }

    /// Step 3: the key that the tag names.
    pub(super) fn key<'r>(self, ring: &'r KeyRing, domain: &[u8]) -> Option<&'r Key> {
        ring.key_by_id(Use::Bst1, self.id, domain)
    }

    /// Steps 4 and 5.
    pub(super) fn verdict<'a>(
        &self,
        ring: &KeyRing,
        key: &Key,
        right: bool,
        parts: &Stripped<'a>,
        today: Day,
    ) -> Verdict<'a> {
        let signed = self.signed();
        let covered = || ring.covers(Use::Bst1, parts.domain(), signed, signed);
        let implied = Implied { signed, in_date: in_date(signed, u32::from(key.days), today) };
        Verdict::of(key, right, implied, *parts, covered)
    }
}
