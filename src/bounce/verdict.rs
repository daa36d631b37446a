//! What a message is to us: a bounce of our own mail, backscatter, or not to be told.
//!
//! In this order:
//!
//! 1. not a bounce and no other automatic answer: `not-a-bounce`, whatever it carries;
//! 2. any good proof (`proof.rs`): `genuine`;
//! 3. a feedback report: `unproven`. It may come long after the mail that it reports, with its addresses taken out;
//! 4. a tag or returned mark of ours that is out of date, or a tag that is so by its day, whatever key made it: `expired`;
//! 5. a right MAC that proves nothing: for another own address which the returned block names, or dated in the future:
//!    `unproven`; it was made with a key of ours, so that it is neither forged nor backscatter;
//! 6. a tag or returned mark that names a key of ours and is not ours: `forged`;
//! 7. a block came back in which a mark would show, its From is own, all mail of that address has long had marks, the mail
//!    to whose sender it came was signed and so had one, every mark could be checked, and no tag or returned mark may by its
//!    day be another host's, whose key the ring lacks: `backscatter`;
//! 8. In-Reply-To names a Message-ID of ours that is out of date: `expired`;
//! 9. else `unproven`, and why.
//!
//! In-Reply-To and References hold the Message-IDs of whole conversations: old ones, and those of colleagues, whose MAC is
//! for another address. They prove, and but for the eighth step nothing is held against a message for them.
//!
//! "Would show" means that the block ends as a block does and has a From, a Date, and a Received or an X- field: who keeps
//! these keeps a mark as well. Headers that an automatic answer quotes may be those in the text that it answers; only a
//! bounce and a virus notice return those of the mail. A returned Date from before the marks gives `marks-not-in-force`, and
//! so do a recipient whose mail is never signed and a From without exactly one address ([`mark::address_of_from`]): such mail
//! may leave without a mark.

use super::Returned;
use super::check::{Check, Outcome, Place};
use super::guard::Block;
use super::kind::Kind;
use super::proof::Checker;
use crate::address::Path;
use crate::day::Day;
use crate::key::KeyRing;
use crate::mark;
use crate::policy::{Mode, Policy, Rule};

/// What a message is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Ordinary mail.
    NotABounce,
    /// It answers mail that left here.
    Genuine,
    /// It answers mail that left here long ago, or repeats an old tag or mark; a tag may be of a key that the ring lacks.
    Expired,
    /// It carries a tag or mark that names a key of ours and was not made with it for this address.
    Forged,
    /// It may be either.
    Unproven(Why),
    /// It answers mail that did not leave here.
    Backscatter,
}

/// Why nothing can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// No headers came back.
    NothingReturned,
    /// Headers came back, but not those among which a mark would show.
    TooLittleReturned,
    /// The From that came back is not own.
    FromNotOwn,
    /// Not all mail of that address has had a mark for long enough, or the returned mail is from before.
    MarksNotInForce,
    /// A tag or mark of a key that this ring lacks, for a day that it does not cover: perhaps another host's.
    NotCovered,
    /// A mark of ours came back that is for another own address, one which the mail that came back names as its sender.
    OtherAddress,
    /// A mark of ours is dated in the future: the clock of a host that signs was wrong.
    Future,
    /// A mark came back that was changed, or without the sender that it was made for, or that may be another mail's, so that
    /// nothing can be told.
    Damaged,
    /// A feedback report, which goes to those who asked for reports and is no answer to what it reports.
    Reported,
    /// Not all marks were checked: no recipient is known, there are more than `guard::MAX_CHECKS`, or not all of the message
    /// was kept.
    Unchecked,
}

impl Why {
    /// All reasons.
    pub const ALL: &'static [Why] = &[
        Why::NothingReturned,
        Why::TooLittleReturned,
        Why::FromNotOwn,
        Why::MarksNotInForce,
        Why::NotCovered,
        Why::OtherAddress,
        Why::Future,
        Why::Damaged,
        Why::Reported,
        Why::Unchecked,
    ];

    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Why::NothingReturned => "nothing-returned",
            Why::TooLittleReturned => "too-little-returned",
            Why::FromNotOwn => "from-not-own",
            Why::MarksNotInForce => "marks-not-in-force",
            Why::NotCovered => "not-covered",
            Why::OtherAddress => "other-address",
            Why::Future => "future",
            Why::Damaged => "damaged",
            Why::Reported => "reported",
            Why::Unchecked => "unchecked",
        }
    }

    /// One sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Why::NothingReturned => "Nothing of the mail that it answers came back.",
            Why::TooLittleReturned => "Too little of the mail that it answers came back for a mark to show.",
            Why::FromNotOwn => "The mail that came back is not from an own address.",
            Why::MarksNotInForce => "Not all mail of this address carried a mark when that mail may have left.",
            Why::NotCovered => "It names a key that this ring lacks; another host may have signed.",
            Why::OtherAddress => "A mark of ours came back that is for another own address.",
            Why::Future => "A mark of ours is dated in the future; look at the clocks of the hosts that sign.",
            Why::Damaged => {
                "The mark that came back tells nothing: it was changed on the way, lost its sender, or may be another mail's."
            }
            Why::Reported => "It reports mail to those who asked for reports, and answers nobody.",
            Why::Unchecked => {
                "Not all marks could be checked: the recipient is not known, or the message has too much of them or of all."
            }
        }
    }
}

impl Verdict {
    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Verdict::NotABounce => "not-a-bounce",
            Verdict::Genuine => "genuine",
            Verdict::Expired => "expired",
            Verdict::Forged => "forged",
            Verdict::Unproven(_) => "unproven",
            Verdict::Backscatter => "backscatter",
        }
    }

    /// One sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Verdict::NotABounce => "It is ordinary mail and no answer of a machine.",
            Verdict::Genuine => "It answers mail that left here: a tag or mark of ours came back.",
            Verdict::Expired => "A tag or mark came back that is out of date.",
            Verdict::Forged => {
                "It carries a tag or mark that names a key of this ring and was not made with it for this address."
            }
            Verdict::Unproven(why) => why.sentence(),
            Verdict::Backscatter => {
                "It answers mail that did not leave here: the headers came back, and all our mail has a mark."
            }
        }
    }

    /// Why nothing can be told.
    pub const fn why(self) -> Option<Why> {
        match self {
            Verdict::Unproven(why) => Some(why),
            _ => None,
        }
    }

    /// The SMTP reply of a policy that refuses after the message.
    pub const fn reply(self) -> Option<&'static str> {
        match self {
            Verdict::Backscatter => Some(Rule::Backscatter.reply(None)),
            Verdict::Forged => Some(Rule::MarkForged.reply(None)),
            Verdict::Expired => Some(Rule::MarkExpired.reply(None)),
            _ => None,
        }
    }
}

/// What a mail system may do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Advice {
    /// As any other mail.
    Deliver,
    /// Deliver, and say in a header or by a folder what it is.
    Flag,
    /// Refuse it after the message.
    Refuse,
}

impl Advice {
    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Advice::Deliver => "deliver",
            Advice::Flag => "flag",
            Advice::Refuse => "refuse",
        }
    }
}

/// Steps 1 to 9; `returned` is what is told of the first block that came back, and its fields.
pub(super) fn decide(
    kind: Kind,
    checker: &Checker<'_>,
    returned: Option<(&Returned, &Block<'_>)>,
    ring: &KeyRing,
    policy: &Policy,
    day: Day,
) -> Verdict {
    let any = |outcomes: &[Outcome]| checker.checks.iter().any(|check| outcomes.contains(&check.outcome));
    let direct = |outcomes: &[Outcome]| {
        let holds = |check: &Check| !check.place.is_thread() && outcomes.contains(&check.outcome);
        checker.checks.iter().any(holds)
    };
    if kind == Kind::NotABounce {
        Verdict::NotABounce
    } else if any(&[Outcome::Genuine]) {
        Verdict::Genuine
    } else if kind == Kind::FeedbackReport {
        Verdict::Unproven(Why::Reported)
    } else if direct(&[Outcome::Expired]) {
        Verdict::Expired
    } else if direct(&[Outcome::OtherAddress]) {
        Verdict::Unproven(Why::OtherAddress)
    } else if any(&[Outcome::Future]) {
        Verdict::Unproven(Why::Future)
    } else if direct(&[Outcome::Forged, Outcome::UnknownKey]) {
        Verdict::Forged
    } else if checker.may_be_of_another_host {
        Verdict::Unproven(Why::NotCovered)
    } else if direct(&[Outcome::Damaged]) {
        Verdict::Unproven(Why::Damaged)
    } else {
        // Blocks behind the first may be quoted in the body of the first.
        let is_old = |check: &Check| check.place == Place::InReplyTo && check.outcome == Outcome::Expired;
        let answers_old = checker.checks.iter().any(is_old);
        match returned.map(|it| backscatter(it, checker.mailbox.as_deref(), ring, policy, day)) {
            None | Some(Err(_)) if answers_old => Verdict::Expired,
            None => Verdict::Unproven(Why::NothingReturned),
            Some(Err(why)) => Verdict::Unproven(why),
            Some(Ok(())) if !checker.is_whole() => Verdict::Unproven(Why::Unchecked),
            Some(Ok(())) => Verdict::Backscatter,
        }
    }
}

fn backscatter(
    (returned, block): (&Returned, &Block<'_>),
    recipient: Option<&[u8]>,
    ring: &KeyRing,
    policy: &Policy,
    day: Day,
) -> Result<(), Why> {
    if !returned.complete {
        return Err(Why::TooLittleReturned);
    }
    let from = returned.from.as_deref().unwrap_or_default();
    let Ok(Path::Mailbox(from)) = Path::parse(from.as_bytes()) else { return Err(Why::FromNotOwn) };
    if !policy.own_domains().contains(from.domain()) {
        return Err(Why::FromNotOwn);
    }
    let before = |date: Day| policy.marks_since().is_none_or(|since| date <= since);
    let mut fields = block.all("From");
    let has_mark = fields.next().is_some_and(|field| mark::address_of_from(field).is_some()) && fields.next().is_none();
    let recipient = recipient.and_then(|it| Path::parse_tagged(it).ok()).and_then(Path::mailbox);
    let is_unsigned = recipient.is_some_and(|it| policy.never_marks(ring, it, day));
    if !policy.marks_in_force(ring, from, day) || returned.day.is_some_and(before) || !has_mark || is_unsigned {
        return Err(Why::MarksNotInForce);
    }
    Ok(())
}

/// What to do in the mode of the recipient's domain, or in the one given; `mailbox` is the recipient without its tag.
pub(super) fn advise(
    verdict: Verdict,
    checks: &[Check],
    mailbox: Option<&[u8]>,
    ring: &KeyRing,
    policy: &Policy,
    day: Day,
    mode: Option<Mode>,
) -> Advice {
    let mailbox = mailbox.and_then(|it| Path::parse_tagged(it).ok()).and_then(Path::mailbox);
    let mode = mode.unwrap_or_else(|| policy.mode_on(mailbox.map(|it| it.domain()).unwrap_or_default(), day));
    let exempt = mailbox.is_none_or(|it| policy.is_exempt(it));
    let domain = mailbox.map(|it| it.domain()).unwrap_or_default();
    let in_grace = || checks.iter().any(|check| policy.check_in_grace(ring, check, domain, day));
    match (verdict, mode) {
        (Verdict::NotABounce | Verdict::Genuine | Verdict::Unproven(_), _) | (_, Mode::Off | Mode::Sign) => {
            Advice::Deliver
        }
        (Verdict::Expired, _) if in_grace() => Advice::Deliver,
        (_, Mode::Observe) => Advice::Flag,
        (_, Mode::Enforce) if exempt => Advice::Flag,
        (_, Mode::Enforce) => Advice::Refuse,
    }
}
