//! What one tag or mark of a message is: where it stood, and what became of it.

use crate::day::Day;
use crate::key::Use;
use crate::verdict::Verdict;

/// Where a tag or mark stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The recipient of the envelope.
    Recipient,
    /// A mark header that came back.
    ReturnedMark,
    /// The Message-ID that came back.
    ReturnedMessageId,
    /// In-Reply-To.
    InReplyTo,
    /// References.
    References,
}

impl Place {
    /// All places.
    pub const ALL: &'static [Place] =
        &[Place::Recipient, Place::ReturnedMark, Place::ReturnedMessageId, Place::InReplyTo, Place::References];

    /// Whether it holds the Message-IDs of a conversation, old ones and those of others among them.
    pub(super) const fn is_thread(self) -> bool {
        matches!(self, Place::InReplyTo | Place::References)
    }

    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Place::Recipient => "recipient-tag",
            Place::ReturnedMark => "returned-mark",
            Place::ReturnedMessageId => "returned-message-id",
            Place::InReplyTo => "in-reply-to",
            Place::References => "references",
        }
    }
}

/// What became of one tag or mark.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// Where it stood.
    pub place: Place,
    /// What it is: the slug of a [`Verdict`].
    pub outcome: Outcome,
    /// The key that it names.
    pub key: Option<char>,
    /// The use of that key, where the MAC is right.
    pub usage: Option<Use>,
    /// The day of signing, where the MAC is right.
    pub signed: Option<Day>,
    /// The last day of validity, where the MAC is right.
    pub expires: Option<Day>,
    /// The recipient (the own mailbox to which SRS returns), the nonce of the mark header, or the Message-ID as it was signed,
    /// in lower case, so that its uses can be counted. Empty for a mark header that is not of the form.
    pub token: String,
}

/// What a tag or mark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Ours, and in date.
    Genuine,
    /// Ours, and out of date or outside its key's window; or a tag that is out of date by its day, whatever key made it.
    Expired,
    /// A mark of ours, dated in the future.
    Future,
    /// A mark of ours, old or not, for another own address that the returned block names as its sender.
    OtherAddress,
    /// It names a key of ours and was not made with it for this address.
    Forged,
    /// It names a key that the ring lacks, and no other host of ours can have made it: the ring covers that day.
    UnknownKey,
    /// It names a key that the ring lacks, for a day that the ring does not cover.
    NotCovered,
    /// A mark of which something was lost on the way: cut, wrapped or encoded, its case, or the sender that it was made for; or
    /// one that may be another mail's, out of date or with a wrong MAC.
    Damaged,
    /// Not of the form.
    Malformed,
    /// Another site's or system's.
    Foreign,
}

impl Outcome {
    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Outcome::Genuine => "genuine",
            Outcome::Expired => "expired",
            Outcome::Future => "future",
            Outcome::OtherAddress => "other-address",
            Outcome::Forged => "forged",
            Outcome::UnknownKey => "unknown-key",
            Outcome::NotCovered => "not-covered",
            Outcome::Damaged => "damaged",
            Outcome::Malformed => "malformed",
            Outcome::Foreign => "foreign",
        }
    }

    /// `None` for what carries no tag.
    pub(super) fn of(verdict: &Verdict<'_>) -> Option<Outcome> {
        Some(match verdict {
            Verdict::Genuine(_) => Outcome::Genuine,
            Verdict::Expired(..) => Outcome::Expired,
            Verdict::Forged { .. } => Outcome::Forged,
            Verdict::UnknownKey { covered: true, .. } => Outcome::UnknownKey,
            Verdict::UnknownKey { covered: false, .. } => Outcome::NotCovered,
            Verdict::Malformed(_) => Outcome::Malformed,
            Verdict::Foreign(_) => Outcome::Foreign,
            Verdict::Untagged => return None,
        })
    }
}
