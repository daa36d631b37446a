//! Signed marks inside the message, for bounces and auto-replies that answer the From instead of the envelope sender.
//!
//! ```text
//! Backstop-Mark: v=1; i=<From domain>; k=<id>; d=<unix day>; n=<13 base32>; t=<16 base32>
//!     t: first 80 bits of HMAC-SHA256 over "mark1|" k "|" d "|" n "|" folded From
//! Message-ID: <left.bsm1-KDDDT@domain>        K: id; DDD: unix day, 15 bits in base32; T: 16 base32
//!     T: first 80 bits of HMAC-SHA256 over "bsm1|" K "|" day in decimal "|" left "|" domain "|" folded From
//! ```
//!
//! Base32 is `a-z2-7`, read in any case. From is the bare address of the From header; `folded` as in `batv/bst1.rs`. A
//! mark proves a bounce only for the address it was made for: verifying takes the bounce's recipient, without its tag.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::address::{Mailbox, Path, check_domain, is_bare};
use crate::day::{Day, Implied, in_date};
use crate::encode::{base32_character, base32_of_eight, base32_of_ten, base32_value, ten_of_base32};
use crate::error::Error;
use crate::key::{Key, KeyId, KeyRing, Use};
use crate::mac::{self, Text as _};
use crate::verdict::{Foreign, Malformed, Unsigned, Verdict};

/// The name of the header that carries a mark.
pub const HEADER: &str = "Backstop-Mark";
/// The longest header value or Message-ID that is looked at, in octets: a longer header is malformed, a longer Message-ID
/// untagged.
pub const MAX_MARK: usize = 998;
/// The longest left side of a Message-ID that is made, in octets.
pub const MAX_LEFT: usize = 700;
/// The longest From that is looked at, in octets.
pub const MAX_FROM: usize = 8192;
/// Characters of K, DDD and T.
const ID_MARK: usize = 20;

/// The outcome of making a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marked {
    /// The header's value, or the Message-ID with its brackets.
    Done(String),
    /// No mark, and why.
    Unsigned(Unsigned),
}

fn from_mailbox(from: &[u8]) -> Result<Result<Mailbox<'_>, Unsigned>, Error> {
    Ok(match Path::parse(from)? {
        Path::Mailbox(mailbox) => Ok(mailbox),
        Path::Null => Err(Unsigned::Null),
        Path::Postmaster => Err(Unsigned::NotOwn),
    })
}

/// The address for which a message with this From field has a mark, if it has exactly one (RFC 5322, 3.4); else no mark shall
/// be made.
///
/// None has a list, a group, a route, a name with an `@` outside quotes that is not the address itself, or a field of more
/// than [`MAX_FROM`] octets: what a bounce answers there is a guess.
///
/// ```
/// use backstop::mark::address_of_from;
/// assert_eq!(address_of_from(b"\"Alice, a@b\" <alice@example.com> (home)").as_deref(), Some(&b"alice@example.com"[..]));
/// assert_eq!(address_of_from(b"bob@example.com <alice@example.com>"), None);
/// ```
pub fn address_of_from(field: &[u8]) -> Option<Vec<u8>> {
    if field.len() > MAX_FROM {
        return None;
    }
    // Before, within and behind the angle brackets.
    let mut parts = [const { Vec::new() }; 3];
    let (mut part, mut depth, mut name_has_at) = (0, 0_usize, false);
    let mut octets = field.iter().copied();
    while let Some(octet) = octets.next() {
        let taken: &mut Vec<u8> = parts.get_mut(part)?;
        match octet {
            b'\\' if depth > 0 => drop(octets.next()?),
            b'(' => depth += 1,
            b')' => depth = depth.checked_sub(1)?,
            _ if depth > 0 => {}
            b'"' => quoted(&mut octets, taken)?,
            b'<' if part == 0 => part = 1,
            b'>' if part == 1 => part = 2,
            b'<' | b'>' | b',' | b';' | b':' | b'\\' => return None,
            _ => {
                name_has_at |= part == 0 && octet == b'@';
                taken.push(octet);
            }
        }
    }
    let [before, within, behind] = parts.each_ref().map(|part| part.trim_ascii());
    let address = match part {
        0 => before,
        // What looks like another address may stand in a name in quotes only.
        2 if (!name_has_at || before.eq_ignore_ascii_case(within)) && behind.is_empty() => within,
        _ => return None,
    };
    (depth == 0 && matches!(Path::parse(address), Ok(Path::Mailbox(_)))).then(|| address.to_vec())
}

/// The rest of a quoted string, with its quotes.
fn quoted(octets: &mut impl Iterator<Item = u8>, taken: &mut Vec<u8>) -> Option<()> {
    taken.push(b'"');
    loop {
        let octet = octets.next()?;
        taken.push(octet);
        match octet {
            b'"' => return Some(()),
            b'\\' => taken.push(octets.next()?),
            _ => {}
        }
    }
}

/// Makes the value of the header for a message with this From, from eight random octets.
///
/// Put it on top of the header: who returns a header cut off cuts its end.
///
/// ```
/// use backstop::{Day, KeyRing, mark};
/// let ring = KeyRing::parse(b"version 1\nmark m sha256 14 - - * text:an example\n")?;
/// let day = Day::parse("2026-11-21")?;
/// let mark::Marked::Done(value) = mark::make_header(&ring, b"alice@example.com", [7; 8], day)? else { panic!() };
/// assert!(value.starts_with("v=1; i=example.com; k=m; d=20778; n=a4dqobyha4dqo; t="));
/// let verdict = mark::verify_header(&ring, value.as_bytes(), b"alice@example.com", day)?;
/// assert_eq!(verdict.slug(), "genuine");
/// assert_eq!(mark::verify_header(&ring, value.as_bytes(), b"bob@example.com", day)?.slug(), "forged");
/// # Ok::<(), backstop::Error>(())
/// ```
///
/// # Errors
/// [`Error::Address`] if the From is no address.
pub fn make_header(ring: &KeyRing, from: &[u8], nonce: [u8; 8], day: Day) -> Result<Marked, Error> {
    let from = from_mailbox(from)?.and_then(|from| match from.domain().contains(&b';') {
        // A general address literal, which would end the value of `i=`.
        true => Err(Unsigned::Shape),
        false => Ok(from),
    });
    Ok(match from.and_then(|from| Ok((from, ring.signing_key(Use::Mark, from.domain(), day)?))) {
        Err(reason) => Marked::Unsigned(reason),
        Ok((from, key)) => {
            let nonce = base32_of_eight(nonce);
            let tag = base32_of_ten(header_tag(key, day, &nonce, from));
            let (domain, nonce, tag) = (text(from.domain()), text(&nonce), text(&tag));
            Marked::Done(format!("v=1; i={domain}; k={}; d={}; n={nonce}; t={tag}", key.id, day.number()))
        }
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_string()
}

fn header_tag(key: &Key, day: Day, nonce: &[u8], from: Mailbox<'_>) -> [u8; 10] {
    let mut message = key.keyed.message();
    message.push(b"mark1|").push(&[key.id.0]).push(b"|").push_decimal(day.number()).push(b"|");
    message.push_folded(nonce).push(b"|").push_folded_address(from);
    mac::prefix(&message.finish())
}

/// Checks the value of a mark header that came back in a bounce to this recipient, whose own tag is off.
///
/// A mark whose `i=` is served by no key of the ring is another site's: `foreign`. An own one for another address is
/// `forged`. Folding white space may stand around each `name=value`; names that are not known are passed over.
///
/// # Errors
/// [`Error::Address`] if the recipient is no path, [`Error::NullRecipient`] if it is `<>`.
pub fn verify_header<'a>(ring: &KeyRing, value: &[u8], recipient: &'a [u8], today: Day) -> Result<Verdict<'a>, Error> {
    let Some(recipient) = recipient_mailbox(recipient)? else { return Ok(Verdict::Untagged) };
    let Some(mark) = Header::read(value) else { return Ok(Verdict::Malformed(Malformed::Shape)) };
    if ring.fitting(Use::Mark, mark.domain).next().is_none() {
        return Ok(Verdict::Foreign(Foreign::Mark));
    }
    Ok(check(ring, mark.id, mark.signed, recipient, today, |key| {
        let same = mark.domain.eq_ignore_ascii_case(recipient.domain());
        same & mac::equal(header_tag(key, mark.signed, mark.nonce, recipient), mark.tag)
    }))
}

/// The day that a mark header names, whatever key made it, and its nonce.
#[cfg(feature = "bounce")]
pub(crate) fn day_and_nonce_of_header(value: &[u8]) -> Option<(Day, &[u8])> {
    Header::read(value).map(|mark| (mark.signed, mark.nonce))
}

/// The day that the mark in a Message-ID names, whatever key made it.
#[cfg(feature = "bounce")]
pub(crate) fn day_of_message_id(id: &[u8]) -> Option<Day> {
    let (_, [_, high, middle, low, ..], _) = split_id(id)?;
    day_of_three([high, middle, low])
}

fn recipient_mailbox(recipient: &[u8]) -> Result<Option<Mailbox<'_>>, Error> {
    match Path::parse(recipient)? {
        Path::Null => Err(Error::NullRecipient),
        path => Ok(path.mailbox()),
    }
}

/// Steps 3 to 5 of the order of verdicts.
fn check<'a>(
    ring: &KeyRing,
    id: KeyId,
    signed: Day,
    recipient: Mailbox<'a>,
    today: Day,
    right: impl FnOnce(&Key) -> bool,
) -> Verdict<'a> {
    let covered = || ring.covers(Use::Mark, recipient.domain(), signed, signed);
    let Some(key) = ring.key_by_id(Use::Mark, id, recipient.domain()) else {
        return Verdict::UnknownKey { key: Some(id), covered: covered() };
    };
    let implied = Implied { signed, in_date: in_date(signed, u32::from(key.days), today) };
    Verdict::of(key, right(key), implied, recipient.stripped(recipient.content()), covered)
}

/// The parts of a mark header.
struct Header<'a> {
    domain: &'a [u8],
    id: KeyId,
    signed: Day,
    nonce: &'a [u8],
    tag: [u8; 10],
}

impl<'a> Header<'a> {
    fn read(value: &'a [u8]) -> Option<Header<'a>> {
        if value.len() > MAX_MARK {
            return None;
        }
        let names = [b'v', b'i', b'k', b'd', b'n', b't'];
        let mut found: [Option<&[u8]>; 6] = [None; 6];
        for part in value.split(|&octet| octet == b';') {
            let part = part.trim_ascii();
            if part.is_empty() {
                continue;
            }
            let (name, value) = part.split_at_checked(part.iter().position(|&octet| octet == b'=')?)?;
            let [name] = name.trim_ascii() else { continue };
            let slot = names.iter().zip(&mut found).find(|(known, _)| name.eq_ignore_ascii_case(known));
            if let Some((_, slot)) = slot
                && slot.replace(value.get(1..)?.trim_ascii()).is_some()
            {
                return None;
            }
        }
        let [Some(b"1"), Some(domain), Some([id]), Some(day), Some(nonce), Some(tag)] = found else { return None };
        check_domain(domain, 0).ok()?;
        base32_value(*id)?;
        let is_nonce = nonce.len() == 13 && nonce.iter().all(|&octet| base32_value(octet).is_some());
        let is_day = !day.is_empty() && day.len() <= 7 && day.iter().all(u8::is_ascii_digit);
        if !is_nonce || !is_day {
            return None;
        }
        let day = day.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        Some(Header {
            domain,
            id: KeyId(id.to_ascii_lowercase()),
            signed: Day::from_number(day).ok()?,
            nonce,
            tag: ten_of_base32(tag.try_into().ok()?)?,
        })
    }
}

/// Makes a Message-ID `<left.bsm1-KDDDT@domain>` for a message with this From that has none.
///
/// `left` is what would stand before the `@` without a mark: any dot-atom, unique at the domain. A mark key must serve
/// `domain` as well, else the answer is `not-own`. Days end at 2059-09-18.
///
/// ```
/// use backstop::{Day, KeyRing, mark};
/// let ring = KeyRing::parse(b"version 1\nmark m sha256 14 - - * text:an example\n")?;
/// let day = Day::parse("2026-11-21")?;
/// let made = mark::make_message_id(&ring, "20261121.7", "example.com", b"alice@example.com", day)?;
/// let mark::Marked::Done(id) = made else { panic!() };
/// assert!(id.starts_with("<20261121.7.bsm1-mujk") && id.ends_with("@example.com>"));
/// assert_eq!(mark::verify_message_id(&ring, id.as_bytes(), b"alice@example.com", day)?.slug(), "genuine");
/// # Ok::<(), backstop::Error>(())
/// ```
///
/// # Errors
/// [`Error::MessageId`] if `left` is no such text; [`Error::Address`] if `domain` is no domain or the From no address.
pub fn make_message_id(ring: &KeyRing, left: &str, domain: &str, from: &[u8], day: Day) -> Result<Marked, Error> {
    check_domain(domain.as_bytes(), 0)?;
    if left.is_empty() || left.len() > MAX_LEFT || !left.bytes().all(is_bare) {
        return Err(Error::MessageId);
    }
    let signer = from_mailbox(from)?.and_then(|from| Ok((from, ring.signing_key(Use::Mark, from.domain(), day)?)));
    let (from, key) = match signer {
        Ok(signer) => signer,
        Err(reason) => return Ok(Marked::Unsigned(reason)),
    };
    // Verifying takes the Message-ID of a domain that no key serves for another site's.
    if ring.fitting(Use::Mark, domain.as_bytes()).next().is_none() {
        return Ok(Marked::Unsigned(Unsigned::NotOwn));
    }
    let Some(three) = three_of_day(day) else { return Ok(Marked::Unsigned(Unsigned::NoKey)) };
    let tag = base32_of_ten(id_tag(key, day, left.as_bytes(), domain.as_bytes(), from));
    Ok(Marked::Done(format!("<{left}.bsm1-{}{}{}@{domain}>", key.id, text(&three), text(&tag))))
}

/// Fifteen bits of day in three characters; `None` past 2059-09-18.
fn three_of_day(day: Day) -> Option<[u8; 3]> {
    let day = day.number();
    let character = |shift: u32| base32_character(u8::try_from(day >> shift & 31).unwrap_or(0)).to_ascii_lowercase();
    (day <= 0x7fff).then(|| [10, 5, 0].map(character))
}

fn day_of_three(three: [u8; 3]) -> Option<Day> {
    let number = three.into_iter().try_fold(0, |sum, octet| Some(sum * 32 + u32::from(base32_value(octet)?)));
    number.and_then(|number| Day::from_number(number).ok())
}

fn id_tag(key: &Key, day: Day, left: &[u8], domain: &[u8], from: Mailbox<'_>) -> [u8; 10] {
    let mut message = key.keyed.message();
    message.push(b"bsm1|").push(&[key.id.0]).push(b"|").push_decimal(day.number()).push(b"|");
    message.push(left).push(b"|").push(domain).push(b"|").push_folded_address(from);
    mac::prefix(&message.finish())
}

/// Checks one Message-ID, as Message-ID, In-Reply-To or References hold it, that came back to this recipient. Of a list of
/// several each is for a call of its own.
///
/// Without a mark it is `untagged`; under a domain that no mark key serves, `foreign`.
///
/// # Errors
/// [`Error::Address`] if the recipient is no path, [`Error::NullRecipient`] if it is `<>`.
pub fn verify_message_id<'a>(ring: &KeyRing, id: &[u8], recipient: &'a [u8], today: Day) -> Result<Verdict<'a>, Error> {
    let Some(recipient) = recipient_mailbox(recipient)? else { return Ok(Verdict::Untagged) };
    let Some((left, mark, domain)) = split_id(id) else { return Ok(Verdict::Untagged) };
    if ring.fitting(Use::Mark, domain).next().is_none() {
        return Ok(Verdict::Foreign(Foreign::Mark));
    }
    let [key_id, high, middle, low, tag @ ..] = mark;
    let read = day_of_three([high, middle, low]).zip(ten_of_base32(&tag));
    let (Some((signed, tag)), Some(_)) = (read, base32_value(key_id)) else {
        return Ok(Verdict::Malformed(Malformed::Shape));
    };
    let key_id = KeyId(key_id.to_ascii_lowercase());
    Ok(check(ring, key_id, signed, recipient, today, |key| {
        mac::equal(id_tag(key, signed, left, domain, recipient), tag)
    }))
}

/// `left`, K DDD T and `domain` of a Message-ID with a mark.
fn split_id(id: &[u8]) -> Option<(&[u8], [u8; ID_MARK], &[u8])> {
    if id.len() > MAX_MARK {
        return None;
    }
    let id = id.trim_ascii();
    let id = id.strip_prefix(b"<").and_then(|id| id.strip_suffix(b">")).unwrap_or(id);
    let (local, domain) = id.split_at_checked(id.iter().position(|&octet| octet == b'@')?)?;
    let (head, mark) = local.split_last_chunk::<ID_MARK>()?;
    let (left, name) = head.split_last_chunk::<6>()?;
    (name.eq_ignore_ascii_case(b".bsm1-") && !left.is_empty()).then_some((left, *mark, domain.get(1..)?))
}
