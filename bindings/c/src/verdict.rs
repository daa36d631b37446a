//! Verdicts as C sees them: a structure without pointers, and numbers with names.

use std::ffi::{CStr, c_char};
use std::mem::offset_of;

use backstop_core::batv::{self, Tag};
use backstop_core::{Day, Foreign, KeyId, Lapse, Malformed, Use, Verdict};

use crate::gate::{Grown, fill};

/// # Verdicts
///
/// No verdict: nothing was judged (backstop_decision; backstop_verify_many where an address is none).
pub const BACKSTOP_NONE: i32 = 0;
/// The tag was made by a key of this ring and is in date.
pub const BACKSTOP_GENUINE: i32 = 1;
/// The tag was made by a key of this ring, but is too old or outside the key's window.
pub const BACKSTOP_EXPIRED: i32 = 2;
/// The tag was not made with the key that this ring has for it, or not for this address.
pub const BACKSTOP_FORGED: i32 = 3;
/// This ring has no key for the tag, its domain and its day.
pub const BACKSTOP_UNKNOWN_KEY: i32 = 4;
/// It begins like a tag and has not the shape of one.
pub const BACKSTOP_MALFORMED: i32 = 5;
/// A tag of another system, which only that system can verify.
pub const BACKSTOP_FOREIGN: i32 = 6;
/// The address carries no tag.
pub const BACKSTOP_UNTAGGED: i32 = 7;

/// The verdict has no reason besides itself.
pub const BACKSTOP_REASON_NONE: i32 = 0;
/// Expired: the tag or mark has outlived its days, or a bst1 tag or a mark is dated days ahead.
pub const BACKSTOP_REASON_LIFETIME: i32 = 1;
/// Expired: the key was not signing on the day that the tag implies.
pub const BACKSTOP_REASON_WINDOW: i32 = 2;
/// Malformed: not the shape that it begins like.
pub const BACKSTOP_REASON_SHAPE: i32 = 3;
/// Malformed: an SRS hash shorter than the least length, or longer than any.
pub const BACKSTOP_REASON_HASH_LENGTH: i32 = 4;
/// Malformed: an SRS stamp that is not two base32 characters.
pub const BACKSTOP_REASON_STAMP: i32 = 5;
/// Malformed: what is left without the tag is no address, or of SRS an SRS address of an own forwarder.
pub const BACKSTOP_REASON_MAILBOX: i32 = 6;
/// Foreign: a tag of Cisco ESA, Amazon or Citrix.
pub const BACKSTOP_REASON_PRVS_CISCO: i32 = 7;
/// Foreign: a tag of Exim before 4.68.
pub const BACKSTOP_REASON_PRVS_SLASH: i32 = 8;
/// Foreign: a tag of old qmail patches.
pub const BACKSTOP_REASON_PRVS_TRAILING: i32 = 9;
/// Foreign: a tag of Barracuda.
pub const BACKSTOP_REASON_BTV1: i32 = 10;
/// Foreign: a tag of SparkPost or Message Systems.
pub const BACKSTOP_REASON_MSPRVS1: i32 = 11;
/// Foreign: a SES signature of pysrs.
pub const BACKSTOP_REASON_SES: i32 = 12;
/// Foreign: an SRS address at a host that is no own forwarder.
pub const BACKSTOP_REASON_NOT_OWN: i32 = 13;
/// Foreign: a mark of another site.
pub const BACKSTOP_REASON_OTHER_SITE: i32 = 14;

/// No key is known to have made the tag.
pub const BACKSTOP_USE_NONE: i32 = 0;
/// A prvs key.
pub const BACKSTOP_USE_PRVS: i32 = 1;
/// A bst1 key.
pub const BACKSTOP_USE_BST1: i32 = 2;
/// An srs key.
pub const BACKSTOP_USE_SRS: i32 = 3;
/// A mark key.
pub const BACKSTOP_USE_MARK: i32 = 4;

/// backstop_strip found no tag.
pub const BACKSTOP_TAG_NONE: i32 = 0;
/// backstop_strip took off prvs, of whatever site.
pub const BACKSTOP_TAG_PRVS: i32 = 1;
/// backstop_strip took off bst1.
pub const BACKSTOP_TAG_BST1: i32 = 2;
/// backstop_strip took off the tag of Cisco ESA, Amazon or Citrix.
pub const BACKSTOP_TAG_PRVS_CISCO: i32 = 3;
/// backstop_strip took off the tag of Exim before 4.68.
pub const BACKSTOP_TAG_PRVS_SLASH: i32 = 4;
/// backstop_strip took off the tag of old qmail patches.
pub const BACKSTOP_TAG_PRVS_TRAILING: i32 = 5;
/// backstop_strip took off the tag of Barracuda.
pub const BACKSTOP_TAG_BTV1: i32 = 6;
/// backstop_strip took off the tag of SparkPost or Message Systems.
pub const BACKSTOP_TAG_MSPRVS1: i32 = 7;
/// backstop_strip took off a SES signature of pysrs.
pub const BACKSTOP_TAG_SES: i32 = 8;

/// What an address with or without a tag is. Begin with BACKSTOP_VERDICT_INIT, which sets the size.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct backstop_verdict {
    /// The octets of this structure as the caller knows it: BACKSTOP_VERDICT_SIZE_1 or sizeof(backstop_verdict).
    pub size: u32,
    /// BACKSTOP_GENUINE to BACKSTOP_UNTAGGED.
    pub verdict: i32,
    /// BACKSTOP_REASON_*.
    pub reason: i32,
    /// The day of signing, in days since 1970-01-01; -1 if unknown (not genuine or expired, or SRS1).
    pub signed_day: i32,
    /// The last day of validity, in days since 1970-01-01; -1 if unknown.
    pub expires_day: i32,
    /// The character of the key that the tag names; 0 if it names none.
    pub key: i32,
    /// The octets of `mailbox`, without its NUL.
    pub mailbox_len: u32,
    /// The address under the tag, ending in NUL. Genuine and expired: proved by the tag. Untagged: the mailbox as it
    /// came, without brackets and route (for a mark: empty). Otherwise empty, since what an unproved tag says is
    /// nobody's address.
    pub mailbox: [c_char; 321],
    /// Zero.
    pub reserved: [c_char; 3],
    /// BACKSTOP_USE_* of the key that made the tag; BACKSTOP_USE_NONE unless genuine or expired. Behind
    /// BACKSTOP_VERDICT_SIZE_1.
    pub key_use: i32,
    /// With BACKSTOP_UNKNOWN_KEY: 1 if keys of the ring signed for this domain on that day, so that the tag is none of
    /// ours, 0 if this ring may only be older than that of the host that signed. For prvs, whose day depends on the life
    /// of the key that is not known: on each of the days that it may be. Else 0. Behind
    /// BACKSTOP_VERDICT_SIZE_1.
    pub covered: i32,
}

/// The sizes of backstop_verdict that were ever published.
const PUBLISHED: [u32; 2] = [352, 360];

const _: () = assert!(size_of::<backstop_verdict>() == 360);

impl backstop_verdict {
    /// Where a verdict goes.
    ///
    /// # Safety
    /// If not NULL, the `size` at the start can be read.
    pub(crate) unsafe fn place(pointer: *const backstop_verdict) -> Result<Grown<backstop_verdict>, i32> {
        // SAFETY: promised by the caller.
        unsafe { Grown::new(pointer, &PUBLISHED) }
    }

    /// Writes a verdict, as much of it as the caller knows; `address` is what an untagged one was judged as.
    ///
    /// # Safety
    /// `size` octets may be written there, and `address` does not lie in them.
    pub(crate) unsafe fn put(place: Grown<backstop_verdict>, verdict: &Verdict<'_>, address: &[u8]) {
        let proof = verdict.proof();
        let proved = proof.map(|proof| proof.mailbox.to_address());
        let mailbox = match (&proved, verdict) {
            (Some(mailbox), _) => mailbox.as_bytes(),
            (None, Verdict::Untagged) => batv::bare(address),
            _ => b"",
        };
        let (signed, expires) = (proof.and_then(|proof| proof.signed), proof.and_then(|proof| proof.expires));
        let (size, to) = (place.size as usize, place.at());
        // SAFETY: promised by the caller; the last fields are written only where the size has them.
        unsafe {
            (*to).verdict = verdict_number(verdict);
            (*to).reason = reason_number(verdict);
            (*to).signed_day = day_number(signed);
            (*to).expires_day = day_number(expires);
            (*to).key = verdict.key().map_or(0, character);
            (*to).mailbox_len = fill(&raw mut (*to).mailbox, mailbox);
            (*to).reserved = [0; 3];
            if size > offset_of!(backstop_verdict, key_use) {
                (*to).key_use = proof.map_or(BACKSTOP_USE_NONE, |proof| use_number(proof.usage));
                (*to).covered = i32::from(matches!(verdict, Verdict::UnknownKey { covered: true, .. }));
            }
        }
    }

    /// Writes that nothing was judged.
    ///
    /// # Safety
    /// `size` octets may be written there.
    pub(crate) unsafe fn put_none(place: Grown<backstop_verdict>) {
        let start = offset_of!(backstop_verdict, verdict);
        // SAFETY: promised by the caller; all behind the size is zeros but the days.
        unsafe {
            place.at().byte_add(start).cast::<u8>().write_bytes(0, (place.size as usize).saturating_sub(start));
            (*place.at()).signed_day = -1;
            (*place.at()).expires_day = -1;
        }
    }
}

fn day_number(day: Option<Day>) -> i32 {
    day.and_then(|day| i32::try_from(day.number()).ok()).unwrap_or(-1)
}

fn character(key: KeyId) -> i32 {
    u8::try_from(key.as_char()).unwrap_or(0).into()
}

pub(crate) const fn verdict_number(verdict: &Verdict<'_>) -> i32 {
    match verdict {
        Verdict::Genuine(_) => BACKSTOP_GENUINE,
        Verdict::Expired(..) => BACKSTOP_EXPIRED,
        Verdict::Forged { .. } => BACKSTOP_FORGED,
        Verdict::UnknownKey { .. } => BACKSTOP_UNKNOWN_KEY,
        Verdict::Malformed(_) => BACKSTOP_MALFORMED,
        Verdict::Foreign(_) => BACKSTOP_FOREIGN,
        Verdict::Untagged => BACKSTOP_UNTAGGED,
    }
}

pub(crate) const fn reason_number(verdict: &Verdict<'_>) -> i32 {
    match verdict {
        Verdict::Expired(_, lapse) => lapse_number(*lapse),
        Verdict::Malformed(malformed) => malformed_number(*malformed),
        Verdict::Foreign(foreign) => foreign_number(*foreign),
        _ => BACKSTOP_REASON_NONE,
    }
}

numbers!(use_number(Use), { use_word: as_str }, {
    BACKSTOP_USE_PRVS => Use::Prvs,
    BACKSTOP_USE_BST1 => Use::Bst1,
    BACKSTOP_USE_SRS => Use::Srs,
    BACKSTOP_USE_MARK => Use::Mark,
});

numbers!(lapse_number(Lapse), { lapse_word: slug }, {
    BACKSTOP_REASON_LIFETIME => Lapse::Lifetime,
    BACKSTOP_REASON_WINDOW => Lapse::Window,
});

numbers!(malformed_number(Malformed), { malformed_word: slug }, {
    BACKSTOP_REASON_SHAPE => Malformed::Shape,
    BACKSTOP_REASON_HASH_LENGTH => Malformed::HashLength,
    BACKSTOP_REASON_STAMP => Malformed::Stamp,
    BACKSTOP_REASON_MAILBOX => Malformed::Mailbox,
});

numbers!(foreign_number(Foreign), { foreign_word: slug }, {
    BACKSTOP_REASON_PRVS_CISCO => Foreign::Cisco,
    BACKSTOP_REASON_PRVS_SLASH => Foreign::PrvsSlash,
    BACKSTOP_REASON_PRVS_TRAILING => Foreign::PrvsTrailing,
    BACKSTOP_REASON_BTV1 => Foreign::Btv1,
    BACKSTOP_REASON_MSPRVS1 => Foreign::Msprvs1,
    BACKSTOP_REASON_SES => Foreign::Ses,
    BACKSTOP_REASON_NOT_OWN => Foreign::Srs,
    BACKSTOP_REASON_OTHER_SITE => Foreign::Mark,
});

/// The tag that backstop_strip took off.
pub(crate) const fn tag_number(tag: Tag) -> i32 {
    match tag {
        Tag::Prvs => BACKSTOP_TAG_PRVS,
        Tag::Bst1 => BACKSTOP_TAG_BST1,
        Tag::Foreign(Foreign::Cisco) => BACKSTOP_TAG_PRVS_CISCO,
        Tag::Foreign(Foreign::PrvsSlash) => BACKSTOP_TAG_PRVS_SLASH,
        Tag::Foreign(Foreign::PrvsTrailing) => BACKSTOP_TAG_PRVS_TRAILING,
        Tag::Foreign(Foreign::Btv1) => BACKSTOP_TAG_BTV1,
        Tag::Foreign(Foreign::Msprvs1) => BACKSTOP_TAG_MSPRVS1,
        Tag::Foreign(Foreign::Ses) => BACKSTOP_TAG_SES,
        // Neither is ever taken off.
        Tag::Foreign(Foreign::Srs | Foreign::Mark) => BACKSTOP_TAG_NONE,
    }
}

const fn verdict_word(verdict: i32) -> Option<&'static CStr> {
    Some(match verdict {
        BACKSTOP_NONE => c"none",
        BACKSTOP_GENUINE => c"genuine",
        BACKSTOP_EXPIRED => c"expired",
        BACKSTOP_FORGED => c"forged",
        BACKSTOP_UNKNOWN_KEY => c"unknown-key",
        BACKSTOP_MALFORMED => c"malformed",
        BACKSTOP_FOREIGN => c"foreign",
        BACKSTOP_UNTAGGED => c"untagged",
        _ => return None,
    })
}

const fn reason_word(reason: i32) -> Option<&'static CStr> {
    match (lapse_word(reason), malformed_word(reason), foreign_word(reason)) {
        (Some(word), ..) | (_, Some(word), _) | (.., Some(word)) => Some(word),
        _ if reason == BACKSTOP_REASON_NONE => Some(c"none"),
        _ => None,
    }
}

const fn tag_word(tag: i32) -> Option<&'static CStr> {
    Some(match tag {
        BACKSTOP_TAG_NONE => c"none",
        BACKSTOP_TAG_PRVS => c_text!(Tag::Prvs.slug()),
        BACKSTOP_TAG_BST1 => c_text!(Tag::Bst1.slug()),
        BACKSTOP_TAG_PRVS_CISCO => c_text!(Foreign::Cisco.slug()),
        BACKSTOP_TAG_PRVS_SLASH => c_text!(Foreign::PrvsSlash.slug()),
        BACKSTOP_TAG_PRVS_TRAILING => c_text!(Foreign::PrvsTrailing.slug()),
        BACKSTOP_TAG_BTV1 => c_text!(Foreign::Btv1.slug()),
        BACKSTOP_TAG_MSPRVS1 => c_text!(Foreign::Msprvs1.slug()),
        BACKSTOP_TAG_SES => c_text!(Foreign::Ses.slug()),
        _ => return None,
    })
}

/// The word of a number, for any number.
pub(crate) const fn word_or_unknown(word: Option<&'static CStr>) -> *const c_char {
    match word {
        Some(word) => word.as_ptr(),
        None => c"unknown".as_ptr(),
    }
}

/// # Verdicts in words
///
/// The word of a verdict for logs and metrics, such as "unknown-key". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_verdict_name(verdict: i32) -> *const c_char {
    word_or_unknown(verdict_word(verdict))
}

/// The word of a BACKSTOP_REASON_*, such as "lifetime". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_reason_name(reason: i32) -> *const c_char {
    word_or_unknown(reason_word(reason))
}

/// The word of a BACKSTOP_TAG_*, such as "btv1". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_tag_name(tag: i32) -> *const c_char {
    word_or_unknown(tag_word(tag))
}

/// The word of a BACKSTOP_USE_*, such as "prvs". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_use_name(usage: i32) -> *const c_char {
    word_or_unknown(if usage == BACKSTOP_USE_NONE { Some(c"none") } else { use_word(usage) })
}
