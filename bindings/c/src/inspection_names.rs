//! The numbers of `inspection.rs`, with their words and sentences.

use std::ffi::{CStr, c_char};

use backstop_core::bounce::{Advice, Kind, Place, Reason, Restraint, Verdict, Why};

use crate::verdict::word_or_unknown;

/// # Returned messages: numbers
///
/// Kind: a bounce: not delivered, and nothing more will be tried.
pub const BACKSTOP_KIND_DSN_FAILED: i32 = 1;
/// Kind: a warning: not delivered yet.
pub const BACKSTOP_KIND_DSN_DELAYED: i32 = 2;
/// Kind: a delivery report that somebody asked for.
pub const BACKSTOP_KIND_DSN_SUCCESS: i32 = 3;
/// Kind: a message disposition notification (RFC 8098): read, deleted.
pub const BACKSTOP_KIND_MDN: i32 = 4;
/// Kind: a feedback report (RFC 5965).
pub const BACKSTOP_KIND_FEEDBACK_REPORT: i32 = 5;
/// Kind: an answer of a program on behalf of a recipient, other than those below.
pub const BACKSTOP_KIND_AUTO_REPLY: i32 = 6;
/// Kind: an answer of somebody who is away.
pub const BACKSTOP_KIND_VACATION: i32 = 7;
/// Kind: a demand to prove that a human has sent a mail.
pub const BACKSTOP_KIND_CHALLENGE: i32 = 8;
/// Kind: a notice that a mail had a virus.
pub const BACKSTOP_KIND_VIRUS_NOTICE: i32 = 9;
/// Kind: a notice that a mail was taken for spam, or broke a rule on content.
pub const BACKSTOP_KIND_SPAM_NOTICE: i32 = 10;
/// Kind: a demand to confirm a subscription that somebody asked for in this name.
pub const BACKSTOP_KIND_SUBSCRIPTION_CONFIRMATION: i32 = 11;
/// Kind: another message of a program.
pub const BACKSTOP_KIND_OTHER_AUTOMATIC: i32 = 12;
/// Kind: ordinary mail.
pub const BACKSTOP_KIND_NOT_A_BOUNCE: i32 = 13;

/// Verdict: ordinary mail, whatever it carries.
pub const BACKSTOP_MESSAGE_NOT_A_BOUNCE: i32 = 1;
/// Verdict: it answers mail that left here, and a tag or mark proves it.
pub const BACKSTOP_MESSAGE_GENUINE: i32 = 2;
/// Verdict: a tag or mark of ours came back out of date.
pub const BACKSTOP_MESSAGE_EXPIRED: i32 = 3;
/// Verdict: it carries a tag or mark that names a key of ours and was not made with it for this address.
pub const BACKSTOP_MESSAGE_FORGED: i32 = 4;
/// Verdict: it may be either; BACKSTOP_WHY_* says why.
pub const BACKSTOP_MESSAGE_UNPROVEN: i32 = 5;
/// Verdict: it answers mail that did not leave here.
pub const BACKSTOP_MESSAGE_BACKSCATTER: i32 = 6;

/// The verdict is not unproven.
pub const BACKSTOP_WHY_NONE: i32 = 0;
/// Unproven: no headers came back.
pub const BACKSTOP_WHY_NOTHING_RETURNED: i32 = 1;
/// Unproven: headers came back, but not those among which a mark would show.
pub const BACKSTOP_WHY_TOO_LITTLE_RETURNED: i32 = 2;
/// Unproven: the From that came back is not own.
pub const BACKSTOP_WHY_FROM_NOT_OWN: i32 = 3;
/// Unproven: not all mail of that address has had a mark for long enough.
pub const BACKSTOP_WHY_MARKS_NOT_IN_FORCE: i32 = 4;
/// Unproven: it names a key that this ring lacks, for a day that it does not cover.
pub const BACKSTOP_WHY_NOT_COVERED: i32 = 5;
/// Unproven: not all marks were checked.
pub const BACKSTOP_WHY_UNCHECKED: i32 = 6;
/// Unproven: a mark of ours came back that is for another own address, which the mail that came back names as its
/// sender.
pub const BACKSTOP_WHY_OTHER_ADDRESS: i32 = 7;
/// Unproven: a mark of ours is dated in the future.
pub const BACKSTOP_WHY_FUTURE: i32 = 8;
/// Unproven: a mark came back that was changed on the way, or without the sender that it was made for, or that may be
/// another mail's.
pub const BACKSTOP_WHY_DAMAGED: i32 = 9;
/// Unproven: a feedback report, which goes to those who asked for reports.
pub const BACKSTOP_WHY_REPORTED: i32 = 10;

/// Advice: deliver it as any other mail.
pub const BACKSTOP_ADVICE_DELIVER: i32 = 1;
/// Advice: deliver it, and say in a header or by a folder what it is.
pub const BACKSTOP_ADVICE_FLAG: i32 = 2;
/// Advice: refuse it after the message.
pub const BACKSTOP_ADVICE_REFUSE: i32 = 3;

/// Place: the recipient of the envelope.
pub const BACKSTOP_PLACE_RECIPIENT: i32 = 1;
/// Place: a mark header that came back.
pub const BACKSTOP_PLACE_RETURNED_MARK: i32 = 2;
/// Place: the Message-ID that came back.
pub const BACKSTOP_PLACE_RETURNED_MESSAGE_ID: i32 = 3;
/// Place: In-Reply-To.
pub const BACKSTOP_PLACE_IN_REPLY_TO: i32 = 4;
/// Place: References.
pub const BACKSTOP_PLACE_REFERENCES: i32 = 5;

/// No failure is told.
pub const BACKSTOP_FAILURE_NONE: i32 = 0;
/// Failure: there is no such address.
pub const BACKSTOP_FAILURE_BAD_ADDRESS: i32 = 1;
/// Failure: the mailbox has no room.
pub const BACKSTOP_FAILURE_MAILBOX_FULL: i32 = 2;
/// Failure: the host could not be reached, or mail goes in circles.
pub const BACKSTOP_FAILURE_UNREACHABLE: i32 = 3;
/// Failure: not delivered yet; it will be tried again.
pub const BACKSTOP_FAILURE_DELAYED: i32 = 4;
/// Failure: refused for relaying, reputation, authentication or rules.
pub const BACKSTOP_FAILURE_POLICY: i32 = 5;
/// Failure: refused for what the mail is: spam, a virus, too large.
pub const BACKSTOP_FAILURE_CONTENT: i32 = 6;

/// It may be answered.
pub const BACKSTOP_RESTRAINT_NONE: i32 = 0;
/// Restraint: the sender is null, unknown or no address.
pub const BACKSTOP_RESTRAINT_NULL_SENDER: i32 = 1;
/// Restraint: nobody vouches for the sender.
pub const BACKSTOP_RESTRAINT_UNAUTHENTICATED: i32 = 2;
/// Restraint: the message is a report itself.
pub const BACKSTOP_RESTRAINT_REPORT: i32 = 3;
/// Restraint: a program wrote it.
pub const BACKSTOP_RESTRAINT_AUTO_SUBMITTED: i32 = 4;
/// Restraint: it came over a mailing list, or is bulk mail.
pub const BACKSTOP_RESTRAINT_LIST: i32 = 5;
/// Restraint: the sender is a program.
pub const BACKSTOP_RESTRAINT_ROBOT: i32 = 6;
/// Restraint: it asks for no automatic replies.
pub const BACKSTOP_RESTRAINT_SUPPRESSED: i32 = 7;
/// Restraint: none of the own addresses stands in To or Cc.
pub const BACKSTOP_RESTRAINT_NOT_ADDRESSED: i32 = 8;

/// The word of a BACKSTOP_KIND_*, such as "dsn-failed". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_kind_name(kind: i32) -> *const c_char {
    word_or_unknown(kind_word(kind))
}

/// The word of a BACKSTOP_MESSAGE_*, such as "backscatter". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_message_name(verdict: i32) -> *const c_char {
    word_or_unknown(message_word(verdict))
}

/// The word of a BACKSTOP_WHY_*, such as "nothing-returned". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_why_name(why: i32) -> *const c_char {
    word_or_unknown(if why == BACKSTOP_WHY_NONE { Some(c"none") } else { why_word(why) })
}

/// The word of a BACKSTOP_ADVICE_*, such as "refuse". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_advice_name(advice: i32) -> *const c_char {
    word_or_unknown(advice_word(advice))
}

/// The word of a BACKSTOP_PLACE_*, such as "recipient-tag". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_place_name(place: i32) -> *const c_char {
    word_or_unknown(place_word(place))
}

/// The word of a BACKSTOP_FAILURE_*, such as "mailbox-full". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_failure_name(failure: i32) -> *const c_char {
    word_or_unknown(if failure == BACKSTOP_FAILURE_NONE { Some(c"none") } else { failure_word(failure) })
}

/// The word of a BACKSTOP_RESTRAINT_*, such as "list". Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_restraint_name(restraint: i32) -> *const c_char {
    word_or_unknown(if restraint == BACKSTOP_RESTRAINT_NONE { Some(c"none") } else { restraint_word(restraint) })
}

/// One sentence for a BACKSTOP_RESTRAINT_*. Static, never NULL, for any number.
#[unsafe(no_mangle)]
pub const extern "C" fn backstop_restraint_text(restraint: i32) -> *const c_char {
    match restraint_sentence(restraint) {
        Some(sentence) => sentence.as_ptr(),
        None if restraint == BACKSTOP_RESTRAINT_NONE => c"It may be answered.".as_ptr(),
        None => c"This number is no restraint of this version of backstop.".as_ptr(),
    }
}

pub(crate) const fn message_number(verdict: Verdict) -> i32 {
    match verdict {
        Verdict::NotABounce => BACKSTOP_MESSAGE_NOT_A_BOUNCE,
        Verdict::Genuine => BACKSTOP_MESSAGE_GENUINE,
        Verdict::Expired => BACKSTOP_MESSAGE_EXPIRED,
        Verdict::Forged => BACKSTOP_MESSAGE_FORGED,
        Verdict::Unproven(_) => BACKSTOP_MESSAGE_UNPROVEN,
        Verdict::Backscatter => BACKSTOP_MESSAGE_BACKSCATTER,
    }
}

const fn message_word(verdict: i32) -> Option<&'static CStr> {
    Some(match verdict {
        BACKSTOP_MESSAGE_NOT_A_BOUNCE => c_text!(Verdict::NotABounce.slug()),
        BACKSTOP_MESSAGE_GENUINE => c_text!(Verdict::Genuine.slug()),
        BACKSTOP_MESSAGE_EXPIRED => c_text!(Verdict::Expired.slug()),
        BACKSTOP_MESSAGE_FORGED => c_text!(Verdict::Forged.slug()),
        BACKSTOP_MESSAGE_UNPROVEN => c_text!(Verdict::Unproven(Why::Unchecked).slug()),
        BACKSTOP_MESSAGE_BACKSCATTER => c_text!(Verdict::Backscatter.slug()),
        _ => return None,
    })
}

numbers!(kind_number(Kind), { kind_word: slug }, {
    BACKSTOP_KIND_DSN_FAILED => Kind::DsnFailed,
    BACKSTOP_KIND_DSN_DELAYED => Kind::DsnDelayed,
    BACKSTOP_KIND_DSN_SUCCESS => Kind::DsnSuccess,
    BACKSTOP_KIND_MDN => Kind::Mdn,
    BACKSTOP_KIND_FEEDBACK_REPORT => Kind::FeedbackReport,
    BACKSTOP_KIND_AUTO_REPLY => Kind::AutoReply,
    BACKSTOP_KIND_VACATION => Kind::Vacation,
    BACKSTOP_KIND_CHALLENGE => Kind::Challenge,
    BACKSTOP_KIND_VIRUS_NOTICE => Kind::VirusNotice,
    BACKSTOP_KIND_SPAM_NOTICE => Kind::SpamNotice,
    BACKSTOP_KIND_SUBSCRIPTION_CONFIRMATION => Kind::SubscriptionConfirmation,
    BACKSTOP_KIND_OTHER_AUTOMATIC => Kind::OtherAutomatic,
    BACKSTOP_KIND_NOT_A_BOUNCE => Kind::NotABounce,
});

numbers!(why_number(Why), { why_word: slug }, {
    BACKSTOP_WHY_NOTHING_RETURNED => Why::NothingReturned,
    BACKSTOP_WHY_TOO_LITTLE_RETURNED => Why::TooLittleReturned,
    BACKSTOP_WHY_FROM_NOT_OWN => Why::FromNotOwn,
    BACKSTOP_WHY_MARKS_NOT_IN_FORCE => Why::MarksNotInForce,
    BACKSTOP_WHY_NOT_COVERED => Why::NotCovered,
    BACKSTOP_WHY_UNCHECKED => Why::Unchecked,
    BACKSTOP_WHY_OTHER_ADDRESS => Why::OtherAddress,
    BACKSTOP_WHY_FUTURE => Why::Future,
    BACKSTOP_WHY_DAMAGED => Why::Damaged,
    BACKSTOP_WHY_REPORTED => Why::Reported,
});

numbers!(advice_number(Advice), { advice_word: slug }, {
    BACKSTOP_ADVICE_DELIVER => Advice::Deliver,
    BACKSTOP_ADVICE_FLAG => Advice::Flag,
    BACKSTOP_ADVICE_REFUSE => Advice::Refuse,
});

numbers!(place_number(Place), { place_word: slug }, {
    BACKSTOP_PLACE_RECIPIENT => Place::Recipient,
    BACKSTOP_PLACE_RETURNED_MARK => Place::ReturnedMark,
    BACKSTOP_PLACE_RETURNED_MESSAGE_ID => Place::ReturnedMessageId,
    BACKSTOP_PLACE_IN_REPLY_TO => Place::InReplyTo,
    BACKSTOP_PLACE_REFERENCES => Place::References,
});

numbers!(failure_number(Reason), { failure_word: slug }, {
    BACKSTOP_FAILURE_BAD_ADDRESS => Reason::BadAddress,
    BACKSTOP_FAILURE_MAILBOX_FULL => Reason::MailboxFull,
    BACKSTOP_FAILURE_UNREACHABLE => Reason::Unreachable,
    BACKSTOP_FAILURE_DELAYED => Reason::Delayed,
    BACKSTOP_FAILURE_POLICY => Reason::Policy,
    BACKSTOP_FAILURE_CONTENT => Reason::Content,
});

numbers!(restraint_number(Restraint), { restraint_word: slug, restraint_sentence: sentence }, {
    BACKSTOP_RESTRAINT_NULL_SENDER => Restraint::NullSender,
    BACKSTOP_RESTRAINT_UNAUTHENTICATED => Restraint::Unauthenticated,
    BACKSTOP_RESTRAINT_REPORT => Restraint::Report,
    BACKSTOP_RESTRAINT_AUTO_SUBMITTED => Restraint::AutoSubmitted,
    BACKSTOP_RESTRAINT_LIST => Restraint::List,
    BACKSTOP_RESTRAINT_ROBOT => Restraint::Robot,
    BACKSTOP_RESTRAINT_SUPPRESSED => Restraint::Suppressed,
    BACKSTOP_RESTRAINT_NOT_ADDRESSED => Restraint::NotAddressed,
});
