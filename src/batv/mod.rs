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
mod prvs;

pub use self::foreign::Tag;
use self::foreign::{Found, recognise};
use crate::address::{Address, Mailbox, Path};
use crate::day::Day;
use crate::error::Error;
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
/// The null sender, an address that carries a tag or is an SRS address, and one that no key serves stay as they are.
/// Whether the mail is the host's own to sign is for the caller, or [`Policy`](crate::policy::Policy), to know.
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
    Ok(match Path::parse(sender)? {
        Path::Null => Signed::Unsigned(Unsigned::Null),
        Path::Postmaster => Signed::Unsigned(Unsigned::NotOwn),
        Path::Mailbox(mailbox) => match choose(ring, mailbox, form, day) {
            Ok(Choice::Bst1(key)) => done(bst1::make(key, mailbox, day)),
            Ok(Choice::Prvs(key)) => done(prvs::make(key, mailbox, form, day)),
            Err(reason) => Signed::Unsigned(reason),
        },
    })
}

fn done(address: Option<Address>) -> Signed {
    address.map_or(Signed::Unsigned(Unsigned::TooLong), Signed::Done)
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
#[inline]
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
    if content.contains(&b'=') && (recognise(content) != Found::Nothing || srs::is_srs(content)) {
        return Err(Unsigned::Already);
    }
    let mut reason = Unsigned::NotOwn;
    if form == Form::Prefix {
        match ring.signing_key(Use::Bst1, mailbox.domain(), day) {
            Ok(key) if bst1::fits(mailbox, day) => return Ok(Choice::Bst1(key)),
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
/// assert_eq!(proof.mailbox.as_bytes(), b"user@example.com");
/// assert_eq!(batv::verify(&ring, b"prvs=07853508f9=user@example.com", day)?.slug(), "forged");
/// # Ok::<(), backstop::Error>(())
/// ```
///
/// # Errors
/// [`Error::Address`] if the recipient is no path, [`Error::NullRecipient`] if it is `<>`.
pub fn verify(ring: &KeyRing, recipient: &[u8], day: Day) -> Result<Verdict, Error> {
    let mailbox = match Path::parse_tagged(recipient)? {
        Path::Null => return Err(Error::NullRecipient),
        Path::Postmaster => return Ok(Verdict::Untagged),
        Path::Mailbox(mailbox) => mailbox,
    };
    let content = mailbox.content();
    let found = if content.contains(&b'=') { recognise(content) } else { Found::Nothing };
    let rest = match found {
        Found::Prvs(_, rest) | Found::Bst1(_, rest) => rest,
        Found::Foreign(foreign, _) => return Ok(Verdict::Foreign(foreign)),
        Found::Malformed => return Ok(Verdict::Malformed(Malformed::Shape)),
        Found::Nothing => return mailbox.within_limits().map(|_| Verdict::Untagged),
    };
    let under = mailbox_of(mailbox, rest)?;
    Ok(match found {
        Found::Prvs(tag, _) => prvs::check(ring, tag, under, day),
        Found::Bst1(tag, _) => bst1::check(ring, tag, under, day),
        _ => Verdict::Untagged,
    })
}

/// The address whose local part, inside the same quotes, is only `rest`.
#[inline]
fn mailbox_of(mailbox: Mailbox<'_>, rest: &[u8]) -> Result<Address, Error> {
    let quote: &[u8] = if mailbox.is_quoted() { b"\"" } else { b"" };
    let address = Address::join(&[quote, rest, quote], mailbox.domain()).ok_or(Error::Address {
        offset: crate::address::MAX_ADDRESS,
        problem: crate::error::AddressProblem::LongAddress,
    })?;
    address.mailbox().within_limits()?;
    Ok(address)
}

/// Takes a tag of any known system off, without verifying anything; `None` where there is none.
///
/// For keys of greylisting, reputation and allow-lists, which must stay the same from day to day. Never deliver by the
/// result. VERP, SRS and ordinary addresses with `=` stay as they are.
///
/// ```
/// use backstop::batv::strip;
/// let (tag, address) = strip(b"btv1==123456789ab==user@example.com")?.unwrap();
/// assert_eq!((tag.slug(), address.as_bytes()), ("btv1", &b"user@example.com"[..]));
/// assert_eq!(strip(b"list-owner+a=b.example@example.com")?, None);
/// # Ok::<(), backstop::Error>(())
/// ```
///
/// # Errors
/// [`Error::Address`] if it is no path.
pub fn strip(address: &[u8]) -> Result<Option<(Tag, Address)>, Error> {
    let Path::Mailbox(mailbox) = Path::parse_tagged(address)? else { return Ok(None) };
    let (tag, rest) = match recognise(mailbox.content()) {
        Found::Prvs(_, rest) => (Tag::Prvs, rest),
        Found::Bst1(_, rest) => (Tag::Bst1, rest),
        Found::Foreign(foreign, rest) => (Tag::Foreign(foreign), rest),
        Found::Malformed | Found::Nothing => return mailbox.within_limits().map(|_| None),
    };
    Ok(Some((tag, mailbox_of(mailbox, rest)?)))
}
