//! Bounce address tag validation: envelope senders out, bounce recipients back.
//!
//! `foreign.rs` tells whose tag a local part carries, `prvs.rs` and `bst1.rs` make and check our own two. The verbs are
//! [`sign`], [`verify`] and [`strip`]; the order of verdicts is that of DESIGN.md:
//!
//! 1. the shape of prvs or bst1 at the start, else the sub-address form; one tag comes off, never two;
//! 2. no such shape: `foreign`, `malformed` or `untagged`;
//! 3. no key of that id for the domain: `unknown-key`;
//! 4. the MAC, always computed: wrong is `forged`, or `unknown-key` if the key was not signing on the implied day;
//! 5. right: `expired` (lifetime, window) or `genuine`.

mod bst1;
mod foreign;
#[cfg(feature = "bulk")]
mod many;
mod prvs;

pub use self::foreign::Tag;
use self::foreign::{Found, recognise};
#[cfg(feature = "bulk")]
pub use self::many::{sign_many, sign_many_with, verify_many, verify_many_with};
use crate::address::{MAX_LOCAL, Mailbox, Path, Stripped};
use crate::day::Day;
use crate::error::{AddressProblem, Error};
use crate::key::{Key, KeyRing, Use};
use crate::srs;
use crate::verdict::{Malformed, Signed, Unsigned, Verdict};

/// Where a new tag stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// `prvs=TAG=local` or `bst1=TAG=local`, as the draft says.
    #[default]
    Prefix,
    /// `local+prvs=TAG`, for MTAs that route by sub-address.
    Subaddress,
}

/// Marks an envelope sender, with bst1 where the ring has such a key and there is room, else with prvs.
///
/// The null sender, an address that carries a tag or is an SRS address, and one that no key serves stay as they are; a bst1
/// key serves none after 2059-09-18, the last day that its tags can hold. Whether the mail is the host's own to sign is for
/// the caller, or [`Policy`](crate::policy::Policy), to know.
///
/// ```
/// use backstop::{Day, Form, KeyRing, batv};
/// let ring = KeyRing::parse(b"version 1\nprvs 0 sha1 7 - - * text:secret\n")?;
/// let signed = batv::sign(&ring, b"user@example.com", Form::Prefix, Day::parse("2026-11-21")?)?;
/// assert_eq!(signed.address().unwrap().as_bytes(), b"prvs=07853508f8=user@example.com");
/// # Ok::<(), backstop::Error>(())
/// ```
///
/// # Errors
/// [`Error::Address`] if the sender is no path.
pub fn sign(ring: &KeyRing, sender: &[u8], form: Form, day: Day) -> Result<Signed, Error> {
    let mailbox = match Path::parse(sender)? {
        Path::Null => return Ok(Signed::Unsigned(Unsigned::Null)),
        Path::Postmaster => return Ok(Signed::Unsigned(Unsigned::NotOwn)),
        Path::Mailbox(mailbox) => mailbox,
    };
    match choose(ring, mailbox, form, day) {
        Ok(Choice::Bst1(key)) => Ok(Signed::Done(bst1::make(key, mailbox, day))),
        Ok(Choice::Prvs(key)) => Ok(Signed::Done(prvs::make(key, &mailbox, form, day))),
        Err(reason) => Ok(Signed::Unsigned(reason)),
    }
}

/// The kind of tag that an address gets, and the key that makes it.
pub(crate) enum Choice<'r> {
    Bst1(&'r Key),
    Prvs(&'r Key),
}

impl<'r> Choice<'r> {
    pub(crate) fn key(&self) -> &'r Key {
        match self {
            Choice::Bst1(key) | Choice::Prvs(key) => key,
        }
    }
}

/// Decides whether and how an address is signed, without computing anything.
#[inline(always)]
pub(crate) fn choose<'r>(
    ring: &'r KeyRing,
    mailbox: Mailbox<'_>,
    form: Form,
    day: Day,
) -> Result<Choice<'r>, Unsigned> {
    let content = mailbox.content();
    if content.is_empty() {
        return Err(Unsigned::Shape);
    }
    // `SRS0-` may stand before a local part that is else plain.
    if srs::is_srs(content) || !mailbox.is_plain() && recognise(content) != Found::Nothing {
        return Err(Unsigned::Already);
    }
    let mut reason = Unsigned::NotOwn;
    if form == Form::Prefix {
        match ring.signing_key(Use::Bst1, mailbox.domain(), day) {
            Ok(_) if day.number() > bst1::LAST_DAY => reason = Unsigned::NoKey,
            Ok(key) if bst1::fits(mailbox) => return Ok(Choice::Bst1(key)),
            Ok(_) => reason = Unsigned::TooLong,
            Err(why) => reason = why,
        }
    }
    match ring.signing_key(Use::Prvs, mailbox.domain(), day) {
        Ok(key) if prvs::fits(mailbox) => Ok(Choice::Prvs(key)),
        Ok(_) => Err(Unsigned::TooLong),
        Err(Unsigned::NotOwn) => Err(reason),
        Err(why) if reason == Unsigned::NotOwn => Err(why),
        Err(_) => Err(reason),
    }
}

/// Tells what the recipient of a bounce is.
///
/// The recipient is taken byte for byte as RCPT gave it, since the sha1 form of prvs covers the case of the address.
///
/// ```
/// use backstop::{Day, KeyRing, Verdict, batv};
/// let ring = KeyRing::parse(b"version 1\nprvs 0 sha1 7 - - * text:secret\n")?;
/// let day = Day::parse("2026-11-25")?;
/// let Verdict::Genuine(proof) = batv::verify(&ring, b"prvs=07853508f8=user@example.com", day)? else { panic!() };
/// assert_eq!(proof.mailbox.to_string(), "user@example.com");
/// assert_eq!(batv::verify(&ring, b"prvs=07853508f9=user@example.com", day)?.slug(), "forged");
/// # Ok::<(), backstop::Error>(())
/// ```
///
/// # Errors
/// [`Error::Address`] if the recipient is no path, [`Error::NullRecipient`] if it is `<>`.
pub fn verify<'a>(ring: &KeyRing, recipient: &'a [u8], day: Day) -> Result<Verdict<'a>, Error> {
    if let Some((tag, mailbox)) = prvs::read_usual(recipient) {
        return Ok(prvs::check(ring, tag, &mailbox, &mailbox.stripped(mailbox.local()), day));
    }
    let mailbox = match Path::parse_tagged(recipient)? {
        Path::Null => return Err(Error::NullRecipient),
        Path::Postmaster => return Ok(Verdict::Untagged),
        Path::Mailbox(mailbox) => mailbox,
    };
    if mailbox.is_plain() {
        return mailbox.within_limits().map(|_| Verdict::Untagged);
    }
    judge(ring, mailbox.stripped(mailbox.content()), Some(mailbox), day)
}

/// Like [`verify`], for the own recipient to whom an SRS address returns.
pub(crate) fn verify_returned<'a>(ring: &KeyRing, recipient: Stripped<'a>, day: Day) -> Result<Verdict<'a>, Error> {
    judge(ring, recipient, None, day)
}

/// Whether the day in a tag alone says that it was over before `grace` days, whatever key made it: none lives longer than
/// [`Use::max_days`].
pub(crate) fn is_over(content: &[u8], grace: u32, day: Day) -> bool {
    match recognise(content) {
        Found::Prvs(tag, _) => tag.is_over(grace, day),
        Found::Bst1(tag, _) => tag.is_over(grace, day),
        Found::Foreign(..) | Found::Malformed | Found::Nothing => false,
    }
}

/// The form of a prvs tag; `None` where there is none.
#[cold]
pub(crate) fn prvs_form(content: &[u8]) -> Option<Form> {
    match recognise(content) {
        Found::Prvs(tag, _) => Some(tag.form),
        _ => None,
    }
}

/// Recognises and checks; `whole` is the recipient in one piece, if it is.
#[inline(always)]
fn judge<'a>(
    ring: &KeyRing,
    recipient: Stripped<'a>,
    whole: Option<Mailbox<'a>>,
    day: Day,
) -> Result<Verdict<'a>, Error> {
    let found = recognise(recipient.content);
    let rest = match found {
        Found::Prvs(_, rest) | Found::Bst1(_, rest) => rest,
        Found::Foreign(foreign, _) => return Ok(Verdict::Foreign(foreign)),
        Found::Malformed => return Ok(Verdict::Malformed(Malformed::Shape)),
        Found::Nothing => return check_limit(recipient).map(|()| Verdict::Untagged),
    };
    let stripped = Stripped { content: rest, ..recipient };
    check_limit(stripped)?;
    let joined;
    let under = match (found, whole) {
        (Found::Prvs(prvs::Tag { form: Form::Prefix, .. }, _) | Found::Bst1(..), Some(whole)) if !recipient.quoted => {
            whole.tail(rest.len())
        }
        _ => {
            joined = stripped.to_address();
            joined.mailbox()
        }
    };
    match found {
        Found::Prvs(tag, _) => Ok(prvs::check(ring, tag, &under, &stripped, day)),
        Found::Bst1(tag, _) => Ok(bst1::check(ring, tag, &under, &stripped, day)),
        _ => Ok(Verdict::Untagged),
    }
}

/// The limit of a local part, on what is left when the tag is off.
#[inline(always)]
fn check_limit(stripped: Stripped<'_>) -> Result<(), Error> {
    if stripped.local_len() <= MAX_LOCAL {
        return Ok(());
    }
    Err(Error::Address { offset: MAX_LOCAL, problem: AddressProblem::LongLocal })
}

/// Takes a tag of any known system off, without verifying anything; `None` where there is none.
///
/// For keys of greylisting, reputation and allow-lists, which must stay the same from day to day. Never deliver by the
/// result. VERP, SRS and ordinary addresses with `=` stay as they are.
///
/// ```
/// use backstop::batv::strip;
/// let (tag, address) = strip(b"btv1==123456789ab==user@example.com")?.unwrap();
/// assert_eq!((tag.slug(), address.to_string().as_str()), ("btv1", "user@example.com"));
/// assert_eq!(strip(b"list-owner+a=b.example@example.com")?, None);
/// # Ok::<(), backstop::Error>(())
/// ```
///
/// # Errors
/// [`Error::Address`] if it is no path.
pub fn strip(address: &[u8]) -> Result<Option<(Tag, Stripped<'_>)>, Error> {
    let Path::Mailbox(mailbox) = Path::parse_tagged(address)? else { return Ok(None) };
    let (tag, rest) = match recognise(mailbox.content()) {
        Found::Prvs(_, rest) => (Tag::Prvs, rest),
        Found::Bst1(_, rest) => (Tag::Bst1, rest),
        Found::Foreign(foreign, rest) => (Tag::Foreign(foreign), rest),
        Found::Malformed | Found::Nothing => return mailbox.within_limits().map(|_| None),
    };
    let stripped = mailbox.stripped(rest);
    check_limit(stripped)?;
    Ok(Some((tag, stripped)))
}

/// An address without brackets and route; the null sender and what is no address stay as they are.
///
/// The mailbox of whoever is [`Verdict::Untagged`]. For keys of lists: with [`strip`] one sender gives one key, however
/// the host writes the address.
///
/// ```
/// use backstop::batv::bare;
/// assert_eq!(bare(b"<user@example.com>"), b"user@example.com");
/// assert_eq!(bare(b"<Postmaster>"), b"Postmaster");
/// assert_eq!(bare(b"<>"), b"<>");
/// ```
pub fn bare(address: &[u8]) -> &[u8] {
    match Path::parse_tagged(address) {
        Ok(Path::Mailbox(mailbox)) => mailbox.as_bytes(),
        Ok(Path::Postmaster) => address.strip_prefix(b"<").and_then(|it| it.strip_suffix(b">")).unwrap_or(address),
        Ok(Path::Null) | Err(_) => address,
    }
}
