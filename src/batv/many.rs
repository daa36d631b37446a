//! Many addresses in one call, each exactly as [`sign`] and [`verify`] would have it.
//!
//! Addresses are read one after the other, and what is to be hashed is gathered (`bulk`); when enough messages are there,
//! all are hashed, and the results go to the caller in the order of the addresses. What needs no hash, what is too long
//! for gathering and what is no address goes its usual way, at its place in the order.

use super::{Choice, Form, Found, bst1, check_limit, choose, prvs, recognise, sign, verify};
use crate::address::{Address, MAX_LOCAL, Mailbox, Path, Stripped};
use crate::bulk::{Engine, JOBS, Jobs, Look, Ticket, Usual};
use crate::day::Day;
use crate::error::Error;
use crate::key::{Key, KeyRing};
use crate::mac::{self, Mac};
use crate::verdict::{Signed, Verdict};

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
    each: impl FnMut(usize, Result<&Signed, Error>),
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
    mut each: impl FnMut(usize, Result<&Signed, Error>),
) {
    let alone = |sender: &[u8], each: &mut dyn FnMut(Result<&Signed, Error>)| match sign(ring, sender, form, day) {
        Ok(signed) => each(Ok(&signed)),
        Err(error) => each(Err(error)),
    };
    if senders.len() < FEW {
        let senders = senders.iter().enumerate();
        return senders.for_each(|(number, sender)| alone(sender, &mut |result| each(number, result)));
    }
    let mut jobs = Jobs::new();
    let mut tagged = Signed::Done(Address::EMPTY);
    let mut signing = Signing { engine, ring, form, day, last: None };
    let mut looks = [Look::NOTHING; JOBS];
    let mut drafts = [Draft::EMPTY; JOBS];
    // With one key for all and the text hashed as it is, whatever is usual is gathered in one go.
    let one = ring.only_prvs(day).filter(|key| form == Form::Prefix && key.mac() == Mac::Sha1);
    let one = one.map(|key| (key, prvs::stamp(key, day)));
    let mut usual = [Usual::NOTHING; JOBS];
    for (window, senders) in senders.chunks(JOBS).enumerate() {
        match one {
            Some((key, stamp)) => {
                jobs.add_usual(engine, &key.keyed, stamp, MAX_LOCAL - prvs::LENGTH, senders, &mut usual);
            }
            None => engine.look(senders, &mut looks),
        }
        for (((sender, look), draft), usual) in senders.iter().zip(looks).zip(&mut drafts).zip(usual) {
            if usual.found().is_none() {
                signing.prepare(sender, look, &mut jobs, draft);
            }
        }
        jobs.run(engine);
        for (place, ((sender, draft), usual)) in senders.iter().zip(&drafts).zip(usual).enumerate() {
            let number = window * JOBS + place;
            if let (Some((local, ticket)), Some((_, stamp))) = (usual.found(), one)
                && let (Some(text), Signed::Done(address)) = (jobs.text(ticket), &mut tagged)
            {
                let length = u8::try_from(sender.len()).unwrap_or(0);
                let hash = mac::prefix(&jobs.tag(ticket));
                prvs::make_of_text(address, text, [local, length], stamp, hash);
                each(number, Ok(&tagged));
                continue;
            }
            match draft.kind {
                Kind::Alone => alone(sender, &mut |result| each(number, result)),
                Kind::Prvs => {
                    if let Signed::Done(address) = &mut tagged {
                        let hash = mac::prefix(&jobs.tag(draft.ticket));
                        prvs::make_in(engine, address, draft.mailbox, form, draft.stamp, hash);
                    }
                    each(number, Ok(&tagged));
                }
                Kind::Bst1(key) => {
                    let octets = bst1::octets_of(day, mac::prefix(&jobs.tag(draft.ticket)));
                    each(number, Ok(&Signed::Done(bst1::make_of(key, draft.mailbox, octets))));
                }
            }
        }
        jobs.clear();
    }
}

/// A sender before it is signed.
///
/// Filled in place, and no enum with all of it: its octets would be moved in other pieces than those in which they were
/// written, for which the processor waits.
#[derive(Clone, Copy)]
struct Draft<'r, 'a> {
    kind: Kind<'r>,
    mailbox: Mailbox<'a>,
    /// K DDD of prvs.
    stamp: [u8; 4],
    ticket: Ticket,
}

#[derive(Clone, Copy)]
enum Kind<'r> {
    /// It is for [`sign`].
    Alone,
    Prvs,
    Bst1(&'r Key),
}

impl Draft<'_, '_> {
    const EMPTY: Self =
        Draft { kind: Kind::Alone, mailbox: Mailbox::known(b"", 0, false), stamp: [0; 4], ticket: Ticket::FIRST };
}

/// What all senders of a call have in common.
struct Signing<'r> {
    engine: Engine,
    ring: &'r KeyRing,
    form: Form,
    day: Day,
    /// K DDD of the key that signed last, which mostly signs next.
    last: Option<(&'r Key, [u8; 4])>,
}

impl<'r> Signing<'r> {
    #[inline(always)]
    fn prepare<'a>(&mut self, sender: &'a [u8], look: Look, jobs: &mut Jobs<'r>, draft: &mut Draft<'r, 'a>) {
        draft.kind = Kind::Alone;
        // Of at most 64 octets, the local part is within its limit.
        match look.mailbox(sender) {
            Some(mailbox) => self.prepare_mailbox(mailbox, jobs, draft),
            None => self.prepare_any(sender, jobs, draft),
        }
    }

    #[inline(never)]
    fn prepare_any<'a>(&mut self, sender: &'a [u8], jobs: &mut Jobs<'r>, draft: &mut Draft<'r, 'a>) {
        if let Ok(Path::Mailbox(mailbox)) = Path::parse(sender) {
            self.prepare_mailbox(mailbox, jobs, draft);
        }
    }

    #[inline(always)]
    fn prepare_mailbox<'a>(&mut self, mailbox: Mailbox<'a>, jobs: &mut Jobs<'r>, draft: &mut Draft<'r, 'a>) {
        let (kind, ticket) = match choose(self.ring, mailbox, self.form, self.day) {
            Err(_) => return,
            Ok(Choice::Prvs(key)) => {
                let stamp = self.stamp(key);
                draft.stamp = stamp;
                (Kind::Prvs, gather_prvs(self.engine, jobs, key, stamp, &mailbox, false))
            }
            Ok(Choice::Bst1(key)) => {
                (Kind::Bst1(key), jobs.add(&key.keyed, |message| bst1::write(message, key, mailbox, self.day)))
            }
        };
        if let Some(ticket) = ticket {
            draft.mailbox = mailbox;
            (draft.kind, draft.ticket) = (kind, ticket);
        }
    }

    #[inline(always)]
    fn stamp(&mut self, key: &'r Key) -> [u8; 4] {
        match self.last {
            Some((last, stamp)) if core::ptr::eq(last, key) => stamp,
            _ => {
                let stamp = prvs::stamp(key, self.day);
                self.last = Some((key, stamp));
                stamp
            }
        }
    }
}

/// Gathers what prvs hashes.
#[inline(always)]
fn gather_prvs<'r>(
    engine: Engine,
    jobs: &mut Jobs<'r>,
    key: &'r Key,
    stamp: [u8; 4],
    mailbox: &Mailbox<'_>,
    fold: bool,
) -> Option<Ticket> {
    if !mailbox.is_quoted() {
        let fold = fold || key.mac() == Mac::Sha256;
        let ticket = jobs.add_short(engine, &key.keyed, stamp, mailbox.as_bytes(), fold);
        if ticket.is_some() {
            return ticket;
        }
    }
    jobs.add(&key.keyed, |message| prvs::write(message, key, stamp, mailbox, fold))
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
    each: impl FnMut(usize, Result<&Verdict<'a>, Error>),
) {
    verify_many_with(Engine::best(), ring, recipients, day, each);
}

#[doc(hidden)]
pub fn verify_many_with<'a>(
    engine: Engine,
    ring: &KeyRing,
    recipients: &[&'a [u8]],
    day: Day,
    mut each: impl FnMut(usize, Result<&Verdict<'a>, Error>),
) {
    let alone =
        |recipient: &'a [u8], each: &mut dyn FnMut(Result<&Verdict<'a>, Error>)| match verify(ring, recipient, day) {
            Ok(verdict) => each(Ok(&verdict)),
            Err(error) => each(Err(error)),
        };
    if recipients.len() < FEW {
        let recipients = recipients.iter().enumerate();
        return recipients.for_each(|(number, recipient)| alone(recipient, &mut |result| each(number, result)));
    }
    let mut jobs = Jobs::new();
    let mut looks = [Look::NOTHING; JOBS];
    let mut cases = [Case::EMPTY; JOBS];
    let (mut number, mut rest) = (0, recipients);
    while !rest.is_empty() {
        let mut count = 0;
        engine.look(rest, &mut looks);
        for ((recipient, look), case) in rest.iter().zip(looks).zip(&mut cases) {
            // A recipient may need two tags.
            if jobs.room() < 2 {
                break;
            }
            look_at(engine, ring, recipient, look, &mut jobs, case);
            count += 1;
        }
        jobs.run(engine);
        let (now, later) = rest.split_at_checked(count).unwrap_or_default();
        for (recipient, case) in now.iter().zip(&cases) {
            let [one, other] = case.tickets;
            match (&case.tag, case.key) {
                (Tag::Prvs(tag), Some(key)) => {
                    let is = |ticket| tag.is(mac::prefix(&jobs.tag(ticket)));
                    // Both are compared, so that the time does not tell.
                    let right = is(one) | is(other);
                    each(number, Ok(&tag.verdict(ring, key, right, &case.parts, day)));
                }
                (Tag::Bst1(tag), Some(key)) => {
                    let octets = bst1::octets_of(tag.signed(), mac::prefix(&jobs.tag(one)));
                    each(number, Ok(&tag.verdict(ring, key, tag.is(octets), &case.parts, day)));
                }
                (Tag::Untagged, _) => each(number, Ok(&Verdict::Untagged)),
                _ => alone(recipient, &mut |result| each(number, result)),
            }
            number += 1;
        }
        jobs.clear();
        rest = later;
    }
}

/// A recipient before it is verified; filled in place, like [`Draft`].
#[derive(Clone, Copy)]
struct Case<'r, 'a> {
    tag: Tag,
    /// `None` where the recipient is for [`verify`].
    key: Option<&'r Key>,
    parts: Stripped<'a>,
    /// For prvs the tag over the address as given and, where that counts, over the folded one; else the same twice.
    tickets: [Ticket; 2],
}

#[derive(Clone, Copy)]
enum Tag {
    Prvs(prvs::Tag),
    Bst1(bst1::Tag),
    Untagged,
    Other,
}

impl Case<'_, '_> {
    const EMPTY: Self = Case {
        tag: Tag::Other,
        key: None,
        parts: Stripped { srs0: false, quoted: false, content: b"", domain: b"" },
        tickets: [Ticket::FIRST; 2],
    };
}

#[inline(always)]
fn look_at<'r, 'a>(
    engine: Engine,
    ring: &'r KeyRing,
    recipient: &'a [u8],
    look: Look,
    jobs: &mut Jobs<'r>,
    case: &mut Case<'r, 'a>,
) {
    case.tag = Tag::Other;
    case.key = None;
    let mailbox = match look.mailbox(recipient) {
        Some(mailbox) => mailbox,
        None => match Path::parse_tagged(recipient) {
            Ok(Path::Mailbox(mailbox)) => mailbox,
            _ => return,
        },
    };
    if mailbox.is_plain() {
        if mailbox.within_limits().is_ok() {
            case.tag = Tag::Untagged;
        }
        return;
    }
    let parts = mailbox.stripped(mailbox.content());
    let found = recognise(parts.content);
    let (rest, is_before) = match found {
        Found::Prvs(tag, rest) => (rest, tag.form == Form::Prefix),
        Found::Bst1(_, rest) => (rest, true),
        Found::Nothing if check_limit(parts).is_ok() => {
            case.tag = Tag::Untagged;
            return;
        }
        _ => return,
    };
    let parts = Stripped { content: rest, ..parts };
    if check_limit(parts).is_err() {
        return;
    }
    if is_before && !parts.quoted {
        gather(engine, ring, found, &mailbox.tail(rest.len()), parts, jobs, case);
    } else {
        gather(engine, ring, found, &parts.to_address().mailbox(), parts, jobs, case);
    }
}

/// Steps 3 and 4 up to the hash.
#[inline(always)]
fn gather<'r, 'a>(
    engine: Engine,
    ring: &'r KeyRing,
    found: Found<'a>,
    under: &Mailbox<'_>,
    parts: Stripped<'a>,
    jobs: &mut Jobs<'r>,
    case: &mut Case<'r, 'a>,
) -> Option<()> {
    let key = match found {
        Found::Prvs(tag, _) => {
            let key = tag.key(ring, under.domain())?;
            let mut add = |fold| gather_prvs(engine, jobs, key, tag.stamp, under, fold);
            let one = add(false)?;
            case.tickets = [one, if prvs::folds(key, under) { add(true)? } else { one }];
            case.tag = Tag::Prvs(tag);
            key
        }
        Found::Bst1(tag, _) => {
            let key = tag.key(ring, under.domain())?;
            let ticket = jobs.add(&key.keyed, |text| bst1::write(text, key, *under, tag.signed()))?;
            case.tickets = [ticket; 2];
            case.tag = Tag::Bst1(tag);
            key
        }
        _ => return None,
    };
    case.parts = parts;
    case.key = Some(key);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: &str = "2026-11-21";

    fn engines() -> impl Iterator<Item = Engine> {
        Engine::NAMES.into_iter().filter_map(Engine::named)
    }

    /// Tags of the usual senders of a ring, with the ring.
    fn tagged(keys: &str, form: Form) -> (KeyRing, Vec<String>) {
        let ring = KeyRing::parse(format!("version 1\n{keys}\n").as_bytes()).unwrap();
        let senders: Vec<String> = (0..JOBS).map(|number| format!("User-{number}@example.com")).collect();
        let tag = |sender: &String| match sign(&ring, sender.as_bytes(), form, Day::parse(DAY).unwrap()).unwrap() {
            Signed::Done(address) => address.to_string(),
            Signed::Unsigned(_) => sender.clone(),
        };
        let tags = senders.iter().map(tag).collect();
        (ring, tags)
    }

    const KEYS: [&str; 3] =
        ["prvs 0 sha1 7 - - * text:one", "prvs 4 sha256 7 - - * text:two", "bst1 k sha256 7 - - * text:three"];

    #[test]
    fn usual_senders_are_gathered_and_none_is_left_to_be_signed_alone() {
        let day = Day::parse(DAY).unwrap();
        for keys in KEYS {
            let (ring, _) = tagged(keys, Form::Prefix);
            for engine in engines() {
                let sender: &[u8] = b"alice@example.com";
                let mut looks = [Look::NOTHING; JOBS];
                engine.look(&[sender; JOBS], &mut looks);
                let (mut jobs, mut signing) =
                    (Jobs::new(), Signing { engine, ring: &ring, form: Form::Prefix, day, last: None });
                for look in looks {
                    let mut draft = Draft::EMPTY;
                    signing.prepare(sender, look, &mut jobs, &mut draft);
                    assert!(!matches!(draft.kind, Kind::Alone), "{keys} {engine:?}");
                }
                assert_eq!(jobs.room(), 0);
            }
        }
    }

    #[test]
    fn with_one_key_for_all_usual_senders_are_gathered_at_first_sight() {
        let day = Day::parse(DAY).unwrap();
        let (ring, _) = tagged(KEYS[0], Form::Prefix);
        let key = ring.only_prvs(day).unwrap();
        let senders: [&[u8]; JOBS] = [b"alice@example.com"; JOBS];
        for engine in engines() {
            let (mut jobs, mut usual) = (Jobs::new(), [Usual::NOTHING; JOBS]);
            let stamp = prvs::stamp(key, day);
            jobs.add_usual(engine, &key.keyed, stamp, MAX_LOCAL - prvs::LENGTH, &senders, &mut usual);
            assert_eq!(jobs.room(), 0, "{engine:?}");
            assert!(usual.iter().all(|usual| usual.found().is_some_and(|(local, _)| local == 5)), "{engine:?}");
            // What was gathered before is not written over.
            let mut again = [Usual::NOTHING; JOBS];
            jobs.add_usual(engine, &key.keyed, stamp, MAX_LOCAL - prvs::LENGTH, &senders, &mut again);
            assert_eq!(again, [Usual::NOTHING; JOBS], "{engine:?}");
        }
    }

    #[test]
    fn recipients_with_and_without_a_tag_are_gathered_and_none_is_left_to_be_verified_alone() {
        for keys in KEYS {
            let (ring, tags) = tagged(keys, Form::Prefix);
            let recipients: Vec<&[u8]> = tags.iter().map(String::as_bytes).collect();
            for engine in engines() {
                let (mut looks, mut jobs) = ([Look::NOTHING; JOBS], Jobs::new());
                engine.look(&recipients, &mut looks);
                for (recipient, look) in recipients.iter().zip(looks).take(JOBS / 2) {
                    let mut case = Case::EMPTY;
                    look_at(engine, &ring, recipient, look, &mut jobs, &mut case);
                    assert!(case.key.is_some() && !matches!(case.tag, Tag::Untagged | Tag::Other), "{keys} {engine:?}");
                }
                assert!(jobs.room() <= JOBS / 2);
                for untagged in [&b"alice@example.com"[..], b"a=b@example.com", b"<alice@example.com>"] {
                    let mut case = Case::EMPTY;
                    look_at(engine, &ring, untagged, Look::NOTHING, &mut jobs, &mut case);
                    assert!(case.key.is_none() && matches!(case.tag, Tag::Untagged), "{engine:?}");
                }
            }
        }
    }

    #[test]
    fn the_best_engine_answers_for_each_address_once_and_in_order() {
        let (ring, tags) = tagged(KEYS[0], Form::Prefix);
        let day = Day::parse(DAY).unwrap();
        let senders: Vec<String> = tags.iter().map(|tag| tag.split_at("prvs=0333aabbcc=".len()).1.to_owned()).collect();
        for count in [0, 1, FEW, JOBS] {
            let mut made = Vec::new();
            let some: Vec<&[u8]> = senders.iter().take(count).map(String::as_bytes).collect();
            sign_many(&ring, &some, Form::Prefix, day, |number, signed| {
                made.push((number, signed.unwrap().address().unwrap().to_string()));
            });
            assert_eq!(made, tags.iter().take(count).cloned().enumerate().collect::<Vec<_>>());
            let mut seen = Vec::new();
            let some: Vec<&[u8]> = tags.iter().take(count).map(String::as_bytes).collect();
            verify_many(&ring, &some, day, |number, verdict| seen.push((number, verdict.unwrap().slug())));
            assert_eq!(seen, (0..count).map(|number| (number, "genuine")).collect::<Vec<_>>());
        }
    }
}
