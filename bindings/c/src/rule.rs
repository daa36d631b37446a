//! The rules by which a policy decides, as numbers with names. Numbers of rules are never reused.

use std::ffi::c_char;

use backstop_core::policy::Rule;

use crate::verdict::word_or_unknown;

/// Rule: the sender is own and the mail is vouched for: it gets a tag.
pub const BACKSTOP_RULE_SIGNED: i32 = 1;
/// Rule: the sender is foreign and the mail is forwarded: it is rewritten into the forwarder's domain.
pub const BACKSTOP_RULE_REWRITTEN: i32 = 2;
/// Rule: the null sender of a bounce is never signed and never rewritten.
pub const BACKSTOP_RULE_NULL: i32 = 3;
/// Rule: nobody vouches for this mail: it was neither submitted nor made by the mail system itself.
pub const BACKSTOP_RULE_NOT_VOUCHED: i32 = 4;
/// Rule: the policy is switched off for this domain.
pub const BACKSTOP_RULE_OFF: i32 = 5;
/// Rule: the sender is on the list no-sign.
pub const BACKSTOP_RULE_NO_SIGN: i32 = 6;
/// Rule: every recipient is on the list no-sign-recipients.
pub const BACKSTOP_RULE_NO_SIGN_RECIPIENTS: i32 = 7;
/// Rule: the address carries a tag or is rewritten already.
pub const BACKSTOP_RULE_ALREADY: i32 = 8;
/// Rule: no key of the ring signs for this domain on this day.
pub const BACKSTOP_RULE_NO_KEY: i32 = 9;
/// Rule: the new address would break the length limits of RFC 5321.
pub const BACKSTOP_RULE_TOO_LONG: i32 = 10;
/// Rule: the sender is own and needs no SRS.
pub const BACKSTOP_RULE_OWN_SENDER: i32 = 11;
/// Rule: the policy names no forwarder for this recipient's domain.
pub const BACKSTOP_RULE_NO_FORWARDER: i32 = 12;
/// Rule: the parts of the address could not be told apart on the way back.
pub const BACKSTOP_RULE_SHAPE: i32 = 13;
/// Rule: the domain is neither own nor an own forwarder's: its tags are for others to judge.
pub const BACKSTOP_RULE_NOT_OWN: i32 = 14;
/// Rule: it is no address.
pub const BACKSTOP_RULE_UNPARSABLE: i32 = 15;
/// Rule: the tag is genuine.
pub const BACKSTOP_RULE_GENUINE: i32 = 16;
/// Rule: the tag or mark has expired, but only within the days of expired-grace.
pub const BACKSTOP_RULE_EXPIRED_GRACE: i32 = 17;
/// Rule: the tag has expired.
pub const BACKSTOP_RULE_EXPIRED: i32 = 18;
/// Rule: the tag is forged.
pub const BACKSTOP_RULE_FORGED: i32 = 19;
/// Rule: the tag was made by no key of the ring, though the ring covers the day that it implies.
pub const BACKSTOP_RULE_UNKNOWN_KEY: i32 = 20;
/// Rule: the tag names a key that the ring lacks for that day, the ring does not cover that day, and the tag may be in
/// date.
pub const BACKSTOP_RULE_NOT_COVERED: i32 = 21;
/// Rule: the tag is damaged.
pub const BACKSTOP_RULE_MALFORMED: i32 = 22;
/// Rule: the tag is of another system.
pub const BACKSTOP_RULE_FOREIGN: i32 = 23;
/// Rule: a bounce to a mailbox whose mail has long been signed carries no tag.
pub const BACKSTOP_RULE_UNTAGGED: i32 = 24;
/// Rule: a bounce without a tag, but mail from this mailbox has not been signed for long enough.
pub const BACKSTOP_RULE_TOO_EARLY: i32 = 25;
/// Rule: a bounce to an address that never sends mail.
pub const BACKSTOP_RULE_NEVER_SENDS: i32 = 26;
/// Rule: the sender is not null, so this is no bounce to judge.
pub const BACKSTOP_RULE_NOT_A_BOUNCE: i32 = 27;
/// Rule: the SRS address is genuine and returns to the first sender.
pub const BACKSTOP_RULE_SRS_GENUINE: i32 = 28;
/// Rule: the SRS address is genuine, but only bounces may use it.
pub const BACKSTOP_RULE_SRS_SENDER: i32 = 29;
/// Rule: the SRS address of an own forwarder is not genuine.
pub const BACKSTOP_RULE_SRS_BAD: i32 = 30;
/// Rule: the SRS address lies in a domain that is no own forwarder.
pub const BACKSTOP_RULE_SRS_ELSEWHERE: i32 = 31;
/// Rule: the recipient is exempt and never refused.
pub const BACKSTOP_RULE_EXEMPT_RECIPIENT: i32 = 32;
/// Rule: the sender is exempt and never refused.
pub const BACKSTOP_RULE_EXEMPT_SENDER: i32 = 33;
/// Rule: the client is exempt and never refused.
pub const BACKSTOP_RULE_EXEMPT_CLIENT: i32 = 34;
/// Rule: the mail system itself made this mail, which is never refused.
pub const BACKSTOP_RULE_INTERNAL_CLIENT: i32 = 35;
/// Rule: the client is a user of this site and never refused.
pub const BACKSTOP_RULE_SUBMITTED_CLIENT: i32 = 36;
/// Rule: a mark of ours came back inside the message.
pub const BACKSTOP_RULE_MARK_GENUINE: i32 = 37;
/// Rule: only marks came back that are out of date.
pub const BACKSTOP_RULE_MARK_EXPIRED: i32 = 38;
/// Rule: a mark came back that names a key of ours, and was not made with it for this address.
pub const BACKSTOP_RULE_MARK_FORGED: i32 = 39;
/// Rule: the headers of an own mail came back without the mark that all own mail has.
pub const BACKSTOP_RULE_BACKSCATTER: i32 = 40;

/// The word of a BACKSTOP_RULE_* for logs and metrics, such as "too-early". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_rule_name(rule: i32) -> *const c_char {
    word_or_unknown(rule_word(rule))
}

/// One sentence for a BACKSTOP_RULE_*. Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_rule_text(rule: i32) -> *const c_char {
    match rule_sentence(rule) {
        Some(sentence) => sentence.as_ptr(),
        None => c"This number is no rule of this version of backstop.".as_ptr(),
    }
}

numbers!(rule_number(Rule), { rule_word: slug, rule_sentence: sentence }, {
    BACKSTOP_RULE_SIGNED => Rule::Signed,
    BACKSTOP_RULE_REWRITTEN => Rule::Rewritten,
    BACKSTOP_RULE_NULL => Rule::Null,
    BACKSTOP_RULE_NOT_VOUCHED => Rule::NotVouched,
    BACKSTOP_RULE_OFF => Rule::Off,
    BACKSTOP_RULE_NO_SIGN => Rule::NoSign,
    BACKSTOP_RULE_NO_SIGN_RECIPIENTS => Rule::NoSignRecipients,
    BACKSTOP_RULE_ALREADY => Rule::Already,
    BACKSTOP_RULE_NO_KEY => Rule::NoKey,
    BACKSTOP_RULE_TOO_LONG => Rule::TooLong,
    BACKSTOP_RULE_OWN_SENDER => Rule::OwnSender,
    BACKSTOP_RULE_NO_FORWARDER => Rule::NoForwarder,
    BACKSTOP_RULE_SHAPE => Rule::Shape,
    BACKSTOP_RULE_NOT_OWN => Rule::NotOwn,
    BACKSTOP_RULE_UNPARSABLE => Rule::Unparsable,
    BACKSTOP_RULE_GENUINE => Rule::Genuine,
    BACKSTOP_RULE_EXPIRED_GRACE => Rule::ExpiredGrace,
    BACKSTOP_RULE_EXPIRED => Rule::Expired,
    BACKSTOP_RULE_FORGED => Rule::Forged,
    BACKSTOP_RULE_UNKNOWN_KEY => Rule::UnknownKey,
    BACKSTOP_RULE_NOT_COVERED => Rule::NotCovered,
    BACKSTOP_RULE_MALFORMED => Rule::Malformed,
    BACKSTOP_RULE_FOREIGN => Rule::Foreign,
    BACKSTOP_RULE_UNTAGGED => Rule::Untagged,
    BACKSTOP_RULE_TOO_EARLY => Rule::TooEarly,
    BACKSTOP_RULE_NEVER_SENDS => Rule::NeverSends,
    BACKSTOP_RULE_NOT_A_BOUNCE => Rule::NotABounce,
    BACKSTOP_RULE_SRS_GENUINE => Rule::SrsGenuine,
    BACKSTOP_RULE_SRS_SENDER => Rule::SrsSender,
    BACKSTOP_RULE_SRS_BAD => Rule::SrsBad,
    BACKSTOP_RULE_SRS_ELSEWHERE => Rule::SrsElsewhere,
    BACKSTOP_RULE_EXEMPT_RECIPIENT => Rule::ExemptRecipient,
    BACKSTOP_RULE_EXEMPT_SENDER => Rule::ExemptSender,
    BACKSTOP_RULE_EXEMPT_CLIENT => Rule::ExemptClient,
    BACKSTOP_RULE_INTERNAL_CLIENT => Rule::InternalClient,
    BACKSTOP_RULE_SUBMITTED_CLIENT => Rule::SubmittedClient,
    BACKSTOP_RULE_MARK_GENUINE => Rule::MarkGenuine,
    BACKSTOP_RULE_MARK_EXPIRED => Rule::MarkExpired,
    BACKSTOP_RULE_MARK_FORGED => Rule::MarkForged,
    BACKSTOP_RULE_BACKSCATTER => Rule::Backscatter,
});
