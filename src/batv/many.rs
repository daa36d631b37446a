//! Many addresses in one call, each exactly as [`sign`] and [`verify`] would have it.
//!
//! Addresses are read one after the other, and what is to be hashed is gathered (`bulk`); when enough messages are there,
//! all are hashed, and the results go to the caller in the order of the addresses. What needs no hash, what is too long
//! for gathering and what is no address goes its usual way, at its place in the order.

use super::{Choice, Form, Found, bst1, choose_path, judge, parse_recipient, prvs, sign, verify};
use crate::address::{Mailbox, Stripped};
use crate::bulk::{Engine, JOBS, Jobs, Ticket};
use crate::day::Day;
use crate::error::Error;
use crate::key::{Key, KeyRing};
use crate::mac;
use crate::verdict::{Signed, Unsigned, Verdict};

/// Marks many envelope senders; `each` gets the number of a sender in the slice and what [`sign`] says of it, in order.
///
/// Nothing is allocated. A few senders cost what they cost one by one, some sixteen or more far less.
///
/// ```
/// use backstop::{Day, Form, KeyRing, batv};
/// let ring = KeyRing::parse(b"version 1\nprvs 0 sha1 7 - - * text:secret\n")?;
/// let senders: [&[u8]; 3] = [b"user@example.com", b"no address", b"<>"];
/// let mut lines = Vec::new();
/// batv::sign_many(&ring, &senders, Form::Prefix, Day::parse("2026-11-21")?, |number, result| {
///     lines.push(match result {
///         Ok(signed) => signed.address().map_or("unsigned".to_string(), |address| address.to_string()),
///         Err(error) => format!("sender {number}, {error}"),
///     });
/// });
/// assert_eq!(lines[0], "prvs=07853508f8=user@example.com");
/// assert!(lines[1].starts_with("sender 1, octet 2 of the address: "));
/// assert_eq!(lines[2], "unsigned");
/// # Ok::<(), backstop::Error>(())
/// ```
#[inline]
pub fn sign_many(
    ring: &KeyRing,
    senders: &[&[u8]],
    form: Form,
    day: Day,
    each: impl FnMut(usize, Result<Signed, Error>),
) {
    sign_many_with(Engine::best(), ring, senders, form, day, each);
}

/// Below so many addresses nothing is gathered.
const FEW: usize = 4;

#[doc(hidden)]
pub fn sign_many_with(
    engine: Engine,
    ring: &KeyRing,
    senders: &[&[u8]],
    form: Form,
    day: Day,
    mut each: impl FnMut(usize, Result<Signed, Error>),
) {
    if senders.len() < FEW {
        return senders.iter().enumerate().for_each(|(number, sender)| each(number, sign(ring, sender, form, day)));
    }
    let mut jobs = Jobs::new();
    let mut drafts = [Draft::Alone; JOBS];
    for (window, senders) in senders.chunks(JOBS).enumerate() {
        for (sender, draft) in senders.iter().zip(&mut drafts) {
            *draft = prepare(ring, sender, form, day, &mut jobs);
        }
        jobs.run(engine);
        for (place, (sender, draft)) in senders.iter().zip(&drafts).enumerate() {
            let number = window * JOBS + place;
            match *draft {
                Draft::Alone => each(number, sign(ring, sender, form, day)),
                Draft::Unsigned(reason) => each(number, Ok(Signed::Unsigned(reason))),
                Draft::Prvs(mailbox, stamp, ticket) => {
                    let hash = mac::prefix(&jobs.tag(ticket));
                    each(number, Ok(Signed::Done(prvs::make_of(&mailbox, form, stamp, |_| hash))));
                }
                Draft::Bst1(key, mailbox, ticket) => {
                    let octets = bst1::octets_of(day, mac::prefix(&jobs.tag(ticket)));
                    each(number, Ok(Signed::Done(bst1::make_of(key, mailbox, octets))));
                }
            }
        }
        jobs.clear();
    }
}

/// A sender before it is signed.
#[derive(Clone, Copy)]
enum Draft<'r, 'a> {
    /// It is for [`sign`].
    Alone,
    Unsigned(Unsigned),
    /// With the stamp of its tag.
    Prvs(Mailbox<'a>, [u8; 4], Ticket),
    Bst1(&'r Key, Mailbox<'a>, Ticket),
}

#[inline(always)]
fn prepare<'r, 'a>(ring: &'r KeyRing, sender: &'a [u8], form: Form, day: Day, jobs: &mut Jobs<'r>) -> Draft<'r, 'a> {
    let draft = match choose_path(ring, sender, form, day) {
        Err(_) => None,
        Ok(Err(reason)) => return Draft::Unsigned(reason),
        Ok(Ok((Choice::Prvs(key), mailbox))) => {
            let stamp = prvs::stamp(key, day);
            let ticket = jobs.add(&key.keyed, |message| prvs::write(message, key, stamp, &mailbox, false));
            ticket.map(|ticket| Draft::Prvs(mailbox, stamp, ticket))
        }
        Ok(Ok((Choice::Bst1(key), mailbox))) => {
            let ticket = jobs.add(&key.keyed, |message| bst1::write(message, key, mailbox, day));
            ticket.map(|ticket| Draft::Bst1(key, mailbox, ticket))
        }
    };
    draft.unwrap_or(Draft::Alone)
}

/// Tells what many recipients are; `each` gets the number of a recipient in the slice and what [`verify`] says of it, in
/// order.
///
/// Nothing is allocated. A few recipients cost what they cost one by one, some sixteen or more far less.
///
/// ```
/// use backstop::{Day, KeyRing, batv};
/// let ring = KeyRing::parse(b"version 1\nprvs 0 sha1 7 - - * text:secret\n")?;
/// let recipients: [&[u8]; 3] = [b"prvs=07853508f8=user@example.com", b"prvs=07853508f9=user@example.com", b"no address"];
/// let mut slugs = Vec::new();
/// batv::verify_many(&ring, &recipients, Day::parse("2026-11-25")?, |_, result| {
///     slugs.push(result.map_or("no address", |verdict| verdict.slug()));
/// });
/// assert_eq!(slugs, ["genuine", "forged", "no address"]);
/// # Ok::<(), backstop::Error>(())
/// ```
#[inline]
pub fn verify_many<'a>(
    ring: &KeyRing,
    recipients: &[&'a [u8]],
    day: Day,
    each: impl FnMut(usize, Result<Verdict<'a>, Error>),
) {
    verify_many_with(Engine::best(), ring, recipients, day, each);
}

#[doc(hidden)]
pub fn verify_many_with<'a>(
    engine: Engine,
    ring: &KeyRing,
    recipients: &[&'a [u8]],
    day: Day,
    mut each: impl FnMut(usize, Result<Verdict<'a>, Error>),
) {
    if recipients.len() < FEW {
        let recipients = recipients.iter().enumerate();
        return recipients.for_each(|(number, recipient)| each(number, verify(ring, recipient, day)));
    }
    let mut jobs = Jobs::new();
    let mut cases = [Case::Alone; JOBS];
    let (mut number, mut rest) = (0, recipients);
    while !rest.is_empty() {
        // A recipient may need two tags.
        let mut count = 0;
        for (recipient, case) in rest.iter().zip(&mut cases) {
            if jobs.room() < 2 {
                break;
            }
            *case = look_at(ring, recipient, day, &mut jobs);
            count += 1;
        }
        jobs.run(engine);
        let (now, later) = rest.split_at_checked(count).unwrap_or_default();
        for (recipient, case) in now.iter().zip(&cases) {
            let verdict = match case {
                Case::Alone => verify(ring, recipient, day),
                Case::Known(verdict) => Ok(*verdict),
                Case::Prvs(tag, key, parts, [one, other]) => {
                    let is = |ticket| tag.is(mac::prefix(&jobs.tag(ticket)));
                    // Both are compared, so that the time does not tell.
                    let right = is(*one) | is(*other);
                    Ok(tag.verdict(ring, key, right, parts, day))
                }
                Case::Bst1(tag, key, parts, ticket) => {
                    let octets = bst1::octets_of(tag.signed(), mac::prefix(&jobs.tag(*ticket)));
                    Ok(tag.verdict(ring, key, tag.is(octets), parts, day))
                }
            };
            each(number, verdict);
            number += 1;
        }
        jobs.clear();
        rest = later;
    }
}

/// A recipient before it is verified.
#[derive(Clone, Copy)]
enum Case<'r, 'a> {
    /// It is for [`verify`].
    Alone,
    Known(Verdict<'a>),
    /// With the tag over the address as given and, where that counts, over the folded one; else the same twice.
    Prvs(prvs::Tag, &'r Key, Stripped<'a>, [Ticket; 2]),
    Bst1(bst1::Tag, &'r Key, Stripped<'a>, Ticket),
}

#[inline(always)]
fn look_at<'r, 'a>(ring: &'r KeyRing, recipient: &'a [u8], day: Day, jobs: &mut Jobs<'r>) -> Case<'r, 'a> {
    let mailbox = match parse_recipient(recipient) {
        Ok(Ok(mailbox)) => mailbox,
        Ok(Err(verdict)) => return Case::Known(verdict),
        Err(_) => return Case::Alone,
    };
    let case = judge(mailbox.stripped(mailbox.content()), Some(mailbox), |found, under, parts| match found {
        Found::Prvs(tag, _) => Some(match tag.key(ring, under.domain(), day) {
            Err(verdict) => Case::Known(verdict),
            Ok(key) => {
                let mut add = |fold| jobs.add(&key.keyed, |text| prvs::write(text, key, tag.stamp(), under, fold));
                let one = add(false)?;
                let other = if prvs::folds(key, under) { add(true)? } else { one };
                Case::Prvs(tag, key, *parts, [one, other])
            }
        }),
        Found::Bst1(tag, _) => Some(match tag.key(ring, under.domain()) {
            Err(verdict) => Case::Known(verdict),
            Ok(key) => {
                let ticket = jobs.add(&key.keyed, |text| bst1::write(text, key, *under, tag.signed()))?;
                Case::Bst1(tag, key, *parts, ticket)
            }
        }),
        _ => None,
    });
    match case {
        Ok(Ok(case)) => case.unwrap_or(Case::Alone),
        Ok(Err(verdict)) => Case::Known(verdict),
        Err(_) => Case::Alone,
    }
}
