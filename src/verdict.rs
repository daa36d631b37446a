//! What an address turned out to be, and why: values, never errors.
//!
//! Every verdict and every reason has a slug. Slugs are a closed list: scripts, logs and metrics rely on them, and none
//! is ever given a second meaning.

use core::fmt;

use crate::address::{Address, Stripped};
use crate::day::{Day, Implied};
use crate::key::{Key, KeyId, Use};

/// What a right MAC proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proof<'a> {
    /// The address under the tag: the mailbox, the sender to whom an SRS address returns, or the From of a mark.
    pub mailbox: Stripped<'a>,
    /// The use of the key that made the tag.
    pub usage: Use,
    /// The key that made the tag.
    pub key: KeyId,
    /// The day of signing; `None` for SRS1, which carries none.
    pub signed: Option<Day>,
    /// The last day of validity; `None` for SRS1. A skew day there is at the other end only.
    pub expires: Option<Day>,
}

/// What an address with or without a tag is, in the order in which it is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// Signed by a key of the ring, in date.
    Genuine(Proof<'a>),
    /// Signed by a key of the ring, but too old or outside the key's window.
    Expired(Proof<'a>, Lapse),
    /// The MAC is wrong, whatever the date.
    Forged {
        /// The key that the tag names; for SRS, which names none, the first whose window holds the day.
        key: KeyId,
    },
    /// The ring has no key that could have made this tag on the day that it implies.
    UnknownKey {
        /// The key that the tag names, if it names one.
        key: Option<KeyId>,
        /// Whether keys of the ring signed for this domain on that day, so that the tag cannot be one of ours. For prvs,
        /// whose day depends on the life of the key that is not known: on each of the days that it may be.
        covered: bool,
    },
    /// It begins like a tag and has not the shape of one.
    Malformed(Malformed),
    /// A tag of another system, which only that system can verify.
    Foreign(Foreign),
    /// No tag at all.
    Untagged,
}

impl<'a> Verdict<'a> {
    /// Steps 4 and 5 of the order of verdicts, for a tag that names its key and its day.
    #[inline(always)]
    pub(crate) fn of(
        key: &Key,
        right: bool,
        implied: Implied,
        mailbox: Stripped<'a>,
        covered: impl FnOnce() -> bool,
    ) -> Verdict<'a> {
        let window = key.window_holds(implied.signed);
        if !right {
            return match window {
                true => Verdict::Forged { key: key.id },
                false => Verdict::UnknownKey { key: Some(key.id), covered: covered() },
            };
        }
        let expires = implied.signed.plus(u32::from(key.days));
        let proof =
            Proof { mailbox, usage: key.usage, key: key.id, signed: Some(implied.signed), expires: Some(expires) };
        match (implied.in_date, window) {
            (false, _) => Verdict::Expired(proof, Lapse::Lifetime),
            (true, false) => Verdict::Expired(proof, Lapse::Window),
            (true, true) => Verdict::Genuine(proof),
        }
    }

    /// The word that stands for it in text, JSON, logs and metrics.
    pub const fn slug(&self) -> &'static str {
        match self {
            Verdict::Genuine(_) => "genuine",
            Verdict::Expired(..) => "expired",
            Verdict::Forged { .. } => "forged",
            Verdict::UnknownKey { .. } => "unknown-key",
            Verdict::Malformed(_) => "malformed",
            Verdict::Foreign(_) => "foreign",
            Verdict::Untagged => "untagged",
        }
    }

    /// What a right MAC proved, also when it came too late.
    pub const fn proof(&self) -> Option<&Proof<'a>> {
        match self {
            Verdict::Genuine(proof) | Verdict::Expired(proof, _) => Some(proof),
            _ => None,
        }
    }

    /// The key that the tag names.
    pub fn key(&self) -> Option<KeyId> {
        match self {
            Verdict::Forged { key } => Some(*key),
            Verdict::UnknownKey { key, .. } => *key,
            other => other.proof().map(|proof| proof.key),
        }
    }

    /// The slug of the reason, where the verdict has one.
    pub const fn reason(&self) -> Option<&'static str> {
        match self {
            Verdict::Expired(_, lapse) => Some(lapse.slug()),
            Verdict::Malformed(malformed) => Some(malformed.slug()),
            Verdict::Foreign(foreign) => Some(foreign.slug()),
            _ => None,
        }
    }

    /// One sentence for people.
    pub const fn sentence(&self) -> &'static str {
        match self {
            Verdict::Genuine(_) => "The tag was made by a key of this ring and is in date.",
            Verdict::Expired(_, lapse) => lapse.sentence(),
            Verdict::Forged { .. } => {
                "The tag was not made with the key that this ring has for it, or not for this address."
            }
            Verdict::UnknownKey { .. } => "This ring has no key for the tag, its domain and its day.",
            Verdict::Malformed(malformed) => malformed.sentence(),
            Verdict::Foreign(foreign) => foreign.sentence(),
            Verdict::Untagged => "The address carries no tag.",
        }
    }

    /// The SMTP reply for a policy that refuses; `None` where refusing makes no sense.
    pub const fn smtp_reply(&self) -> Option<&'static str> {
        Some(match self {
            Verdict::Genuine(_) => return None,
            Verdict::Expired(..) => "550 5.7.1 The signature of this return address has expired",
            Verdict::Forged { .. } => {
                "550 5.7.1 The signature of this return address is forged; we did not send that mail"
            }
            Verdict::UnknownKey { .. } => "550 5.7.1 The signature of this return address was made by no key of ours",
            Verdict::Malformed(_) => "550 5.7.1 The signature of this return address is damaged",
            Verdict::Foreign(_) => "550 5.7.1 This return address carries a signature of another system",
            Verdict::Untagged => "550 5.7.1 We sign all our mail; this bounce answers mail that we did not send",
        })
    }
}

/// Why a tag with a right MAC no longer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lapse {
    /// Older than the key's `days`, or made further ahead than tomorrow.
    Lifetime,
    /// Signed, by what the tag implies, on a day outside the key's `from` and `until`.
    Window,
}

impl Lapse {
    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Lapse::Lifetime => "lifetime",
            Lapse::Window => "window",
        }
    }

    /// One sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Lapse::Lifetime => "The tag was made by a key of this ring, and today is not one of its days.",
            Lapse::Window => "The MAC is right, but the key was not signing on the day that the tag implies.",
        }
    }
}

/// Why something that begins like a tag is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// Not the shape of the tag that it begins like.
    Shape,
    /// An SRS hash shorter than the least length, or longer than any.
    HashLength,
    /// An SRS stamp that is not two base32 characters.
    Stamp,
    /// What is left without the tag is no address, or of SRS0 an SRS address of an own forwarder, of which nobody makes one.
    Mailbox,
}

impl Malformed {
    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Malformed::Shape => "shape",
            Malformed::HashLength => "hash-length",
            Malformed::Stamp => "stamp",
            Malformed::Mailbox => "mailbox",
        }
    }

    /// One sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Malformed::Shape => "It begins like a tag and has not the shape of one.",
            Malformed::HashLength => "The SRS hash is shorter than the least length, or longer than any.",
            Malformed::Stamp => "The SRS day stamp is not two base32 characters.",
            Malformed::Mailbox => {
                "What is left without the tag is no address, or is an SRS address of an own forwarder."
            }
        }
    }
}

/// Whose tag it is, when it is not ours to verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// `prvs=DDDSSSSSS=local`: Cisco ESA, Amazon, Citrix.
    Cisco,
    /// `prvs=local/TAG`: Exim before 4.68.
    PrvsSlash,
    /// `prvs=local=TAG`: old qmail patches.
    PrvsTrailing,
    /// `btv1==DDDSSSSSSSS==local`: Barracuda.
    Btv1,
    /// `msprvs1=DDDDDSSSSSSSS=local`: SparkPost, Message Systems.
    Msprvs1,
    /// `SES=...=local`: pysrs.
    Ses,
    /// An SRS address at a host that is not an own forwarder.
    Srs,
    /// A mark of another site.
    Mark,
}

impl Foreign {
    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Foreign::Cisco => "prvs-cisco",
            Foreign::PrvsSlash => "prvs-slash",
            Foreign::PrvsTrailing => "prvs-trailing",
            Foreign::Btv1 => "btv1",
            Foreign::Msprvs1 => "msprvs1",
            Foreign::Ses => "ses",
            Foreign::Srs => "not-own",
            Foreign::Mark => "other-site",
        }
    }

    /// One sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Foreign::Cisco => "The tag has the form of Cisco ESA, Amazon and Citrix; only they can verify it.",
            Foreign::PrvsSlash => "The tag has the form of Exim before 4.68, which nothing verifies any more.",
            Foreign::PrvsTrailing => "The tag has the form of old qmail patches, which only they verify.",
            Foreign::Btv1 => "The tag is Barracuda's; only Barracuda can verify it.",
            Foreign::Msprvs1 => "The tag is SparkPost's; only SparkPost can verify it.",
            Foreign::Ses => "The tag is a SES signature of pysrs; only its owner can verify it.",
            Foreign::Srs => "The SRS address belongs to a host that is not an own forwarder.",
            Foreign::Mark => "The mark belongs to another site.",
        }
    }
}

/// Why an address was left as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsigned {
    /// The null sender is never signed and never rewritten.
    Null,
    /// It carries a tag or is an SRS address already.
    Already,
    /// No key of the ring names the domain; for SRS: the sender has no domain.
    NotOwn,
    /// Keys name the domain, and none signs on this day.
    NoKey,
    /// The result would break the limits of RFC 5321.
    TooLong,
    /// SRS: the sender lies in the forwarder's own domain.
    OwnDomain,
    /// Its parts could not be told apart on the way back: `""@domain`, a broken SRS address, an odd address literal.
    Shape,
}

impl Unsigned {
    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Unsigned::Null => "null",
            Unsigned::Already => "already",
            Unsigned::NotOwn => "not-own",
            Unsigned::NoKey => "no-key",
            Unsigned::TooLong => "too-long",
            Unsigned::OwnDomain => "own-domain",
            Unsigned::Shape => "shape",
        }
    }

    /// One sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Unsigned::Null => "The null sender of a bounce is never signed.",
            Unsigned::Already => "The address carries a tag or is rewritten already.",
            Unsigned::NotOwn => "No key of the ring names this domain.",
            Unsigned::NoKey => "No key of the ring signs for this domain on this day.",
            Unsigned::TooLong => "The signed address would break the length limits of RFC 5321.",
            Unsigned::OwnDomain => "The sender lies in the forwarder's own domain and needs no rewriting.",
            Unsigned::Shape => "The parts of the address could not be told apart on the way back.",
        }
    }
}

impl fmt::Display for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}

/// The reason of everything that is no address: a verdict on the command line, an error in the library.
pub const UNPARSABLE: &str = "unparsable";

/// The outcome of signing or rewriting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "held inline, so that signing allocates nothing")]
pub enum Signed {
    /// The new address.
    Done(Address),
    /// The address stays as it is.
    Unsigned(Unsigned),
}

impl Signed {
    /// The new address, if there is one.
    pub const fn address(&self) -> Option<&Address> {
        match self {
            Signed::Done(address) => Some(address),
            Signed::Unsigned(_) => None,
        }
    }

    /// Why the address stays as it is, if it does.
    pub const fn reason(&self) -> Option<Unsigned> {
        match self {
            Signed::Done(_) => None,
            Signed::Unsigned(reason) => Some(*reason),
        }
    }
}
