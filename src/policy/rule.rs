//! What a policy answers: the values of its decisions, and the closed list of rules that make them.

use core::fmt;

use crate::address::Address;
use crate::policy::{Mode, RefuseAt};
use crate::verdict::{Unsigned, Verdict};

/// What to do with an envelope sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outgoing {
    /// The new sender; `None` keeps it as it is.
    pub rewrite: Option<Address>,
    /// Why.
    pub rule: Rule,
}

impl Outgoing {
    /// Whether the mail is this site's own, so that it is to have a mark ([`mark`](crate::mark)).
    ///
    /// Its sender is own and untagged, somebody vouches for it, and the mode says to sign. The mark goes on it though the
    /// sender stays as it is (`no-sign`, `no-sign-recipients`, `no-key`, `too-long`, `shape`): only the mark tells its
    /// bounces, which have no tag, from forged ones. For answers of [`Policy::outgoing`](crate::policy::Policy::outgoing) alone:
    /// forwarded mail is another's.
    ///
    /// ```
    /// use backstop::policy::{Addresses, Mode, Origin, Policy};
    /// use backstop::{Day, Domains, KeyRing};
    ///
    /// let policy = Policy::new(Domains::parse("example.com")?)
    ///     .with_mode(Mode::Sign)
    ///     .with_no_sign_recipients(Addresses::parse(["@ezmlm.example.org"])?);
    /// let ring = KeyRing::parse(b"version 1\nprvs 1 sha256 7 - - * text:a secret of sixteen octets\n")?;
    /// let day = Day::parse("2026-11-21")?;
    /// let sent = |sender: &str| {
    ///     let to = [&b"list@ezmlm.example.org"[..]];
    ///     policy.outgoing(&ring, sender.as_bytes(), to, Origin::Submitted, day)
    /// };
    /// assert!(sent("alice@example.com").takes_mark() && sent("alice@example.com").rewrite.is_none());
    /// assert!(!sent("carol@elsewhere.example").takes_mark());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn takes_mark(&self) -> bool {
        use Rule::{NoKey, NoSign, NoSignRecipients, Shape, Signed, TooLong};
        matches!(self.rule, Signed | NoSign | NoSignRecipients | NoKey | TooLong | Shape)
    }
}

/// What to do with an envelope recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Let it pass as it is.
    Unchanged,
    /// Deliver to this mailbox, which stands under the tag.
    Strip(Address),
    /// Send it on to this address, to which the SRS address returns.
    Reverse(Address),
    /// Refuse it with [`Incoming::reply`].
    Refuse,
}

impl Action {
    /// The word that stands for it in text, JSON, logs and metrics.
    pub const fn slug(&self) -> &'static str {
        match self {
            Action::Unchanged => "unchanged",
            Action::Strip(_) => "strip",
            Action::Reverse(_) => "reverse",
            Action::Refuse => "refuse",
        }
    }

    /// The recipient in place of the given one, if there is one.
    pub const fn address(&self) -> Option<&Address> {
        match self {
            Action::Strip(address) | Action::Reverse(address) => Some(address),
            Action::Unchanged | Action::Refuse => None,
        }
    }
}

/// The decision about one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Incoming<'a> {
    /// What to do.
    pub action: Action,
    /// What [`Mode::Enforce`] would do; it differs from `action` only where that is to refuse.
    pub would: Action,
    /// What the address is; `None` where nothing was judged: it is no address, or neither own nor an own forwarder's.
    pub verdict: Option<Verdict<'a>>,
    /// Why `would` is what it is.
    pub rule: Rule,
    /// The mode in force for the recipient's domain on this day.
    pub mode: Mode,
    /// The full SMTP reply; `Some` exactly where `action` is to refuse.
    pub reply: Option<&'static str>,
    /// When to refuse.
    pub refuse_at: RefuseAt,
    /// Whether the message is to be judged as well before this is final: the caller waits for its end, inspects it, and
    /// asks `Policy::incoming_message`. Only under [`RefuseAt::Message`], for bounces and for what else would be refused.
    pub by_message: bool,
    /// Whether the event deserves a line in the log.
    pub log: bool,
}

/// Which rule decided: a closed list, on which scripts, logs and metrics rely.
///
/// Where [`verify`](crate::batv::verify) or signing has a reason of the same meaning, the slug is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The sender is own and the mail is vouched for: it gets a tag.
    Signed,
    /// The sender is foreign and the mail is forwarded: it is rewritten into the forwarder's domain.
    Rewritten,
    /// The null sender of a bounce is never signed and never rewritten.
    Null,
    /// Nobody vouches for this mail: it was neither submitted nor made by the MTA itself.
    NotVouched,
    /// The policy is switched off for this domain.
    Off,
    /// The sender is on the list no-sign.
    NoSign,
    /// Every recipient is on the list no-sign-recipients.
    NoSignRecipients,
    /// The address carries a tag or is rewritten already.
    Already,
    /// No key of the ring signs for this domain on this day.
    NoKey,
    /// The new address would break the length limits of RFC 5321.
    TooLong,
    /// The sender is own and needs no SRS.
    OwnSender,
    /// The policy names no forwarder for this recipient's domain.
    NoForwarder,
    /// The parts of the address could not be told apart on the way back.
    Shape,
    /// The domain is neither own nor an own forwarder's: its tags are for others to judge.
    NotOwn,
    /// It is no address.
    Unparsable,
    /// The tag is genuine.
    Genuine,
    /// The tag or mark has expired, but only within the days of expired-grace.
    ExpiredGrace,
    /// The tag has expired; of an unknown key, by the day that it carries.
    Expired,
    /// The tag is forged.
    Forged,
    /// The tag was made by no key of the ring, though the ring covers the day that it implies.
    UnknownKey,
    /// The tag names a key that the ring lacks for that day, the ring does not cover that day, and the tag may be in date.
    NotCovered,
    /// The tag is damaged.
    Malformed,
    /// The tag is of another system.
    Foreign,
    /// A bounce to a mailbox whose mail has long been signed carries no tag.
    Untagged,
    /// A bounce without a tag, but mail from this mailbox has not been signed for long enough.
    TooEarly,
    /// A bounce to an address that never sends mail.
    NeverSends,
    /// The sender is not null, so this is no bounce to judge.
    NotABounce,
    /// The SRS address is genuine and returns to the first sender.
    SrsGenuine,
    /// The SRS address is genuine, but only bounces may use it.
    SrsSender,
    /// The SRS address of an own forwarder is not genuine.
    SrsBad,
    /// The SRS address lies in a domain that is no own forwarder.
    SrsElsewhere,
    /// The recipient is exempt and never refused.
    ExemptRecipient,
    /// The sender is exempt and never refused.
    ExemptSender,
    /// The client is exempt and never refused.
    ExemptClient,
    /// The MTA itself made this mail, which is never refused.
    InternalClient,
    /// The client is a user of this site and never refused.
    SubmittedClient,
    /// A mark of ours came back inside the message.
    MarkGenuine,
    /// Only marks came back that are out of date.
    MarkExpired,
    /// A mark came back that names a key of ours, and was not made with it for this address.
    MarkForged,
    /// The headers of an own mail came back without the mark that all own mail has.
    Backscatter,
}

impl Rule {
    /// All rules: those of outgoing mail, the two of both ways, those of incoming mail, those of the message.
    pub const ALL: &'static [Rule] = &[
        Rule::Signed,
        Rule::Rewritten,
        Rule::Null,
        Rule::NotVouched,
        Rule::Off,
        Rule::NoSign,
        Rule::NoSignRecipients,
        Rule::Already,
        Rule::NoKey,
        Rule::TooLong,
        Rule::OwnSender,
        Rule::NoForwarder,
        Rule::Shape,
        Rule::NotOwn,
        Rule::Unparsable,
        Rule::Genuine,
        Rule::ExpiredGrace,
        Rule::Expired,
        Rule::Forged,
        Rule::UnknownKey,
        Rule::NotCovered,
        Rule::Malformed,
        Rule::Foreign,
        Rule::Untagged,
        Rule::TooEarly,
        Rule::NeverSends,
        Rule::NotABounce,
        Rule::SrsGenuine,
        Rule::SrsSender,
        Rule::SrsBad,
        Rule::SrsElsewhere,
        Rule::ExemptRecipient,
        Rule::ExemptSender,
        Rule::ExemptClient,
        Rule::InternalClient,
        Rule::SubmittedClient,
        Rule::MarkGenuine,
        Rule::MarkExpired,
        Rule::MarkForged,
        Rule::Backscatter,
    ];

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Rule::Signed => ("signed", "The sender is own and the mail is vouched for: it gets a tag."),
            Rule::Rewritten => (
                "rewritten",
                "The sender is foreign and the mail is forwarded: it is rewritten into the forwarder's domain.",
            ),
            Rule::Null => ("null", "The null sender of a bounce is never signed and never rewritten."),
            Rule::NotVouched => {
                ("not-vouched", "Nobody vouches for this mail: it was neither submitted nor made by the MTA itself.")
            }
            Rule::Off => ("off", "The policy is switched off for this domain."),
            Rule::NoSign => ("no-sign", "The sender is on the list no-sign."),
            Rule::NoSignRecipients => ("no-sign-recipients", "Every recipient is on the list no-sign-recipients."),
            Rule::Already => ("already", "The address carries a tag or is rewritten already."),
            Rule::NoKey => ("no-key", "No key of the ring signs for this domain on this day."),
            Rule::TooLong => ("too-long", "The new address would break the length limits of RFC 5321."),
            Rule::OwnSender => ("own-sender", "The sender is own and needs no SRS."),
            Rule::NoForwarder => ("no-forwarder", "The policy names no forwarder for this recipient's domain."),
            Rule::Shape => ("shape", "The parts of the address could not be told apart on the way back."),
            Rule::NotOwn => {
                ("not-own", "The domain is neither own nor an own forwarder's: its tags are for others to judge.")
            }
            Rule::Unparsable => ("unparsable", "It is no address."),
            Rule::Genuine => ("genuine", "The tag is genuine."),
            Rule::ExpiredGrace => {
                ("expired-grace", "The tag or mark has expired, but only within the days of expired-grace.")
            }
            Rule::Expired => ("expired", "The tag has expired."),
            Rule::Forged => ("forged", "The tag is forged."),
            Rule::UnknownKey => (
                "unknown-key",
                "The tag was made by no key of the ring, though the ring covers the day that it implies.",
            ),
            Rule::NotCovered => (
                "not-covered",
                "The tag names a key that the ring lacks for that day, the ring does not cover that day, and the tag may be in date.",
            ),
            Rule::Malformed => ("malformed", "The tag is damaged."),
            Rule::Foreign => ("foreign", "The tag is of another system."),
            Rule::Untagged => ("untagged", "A bounce to a mailbox whose mail has long been signed carries no tag."),
            Rule::TooEarly => {
                ("too-early", "A bounce without a tag, but mail from this mailbox has not been signed for long enough.")
            }
            Rule::NeverSends => ("never-sends", "A bounce to an address that never sends mail."),
            Rule::NotABounce => ("not-a-bounce", "The sender is not null, so this is no bounce to judge."),
            Rule::SrsGenuine => ("srs-genuine", "The SRS address is genuine and returns to the first sender."),
            Rule::SrsSender => ("srs-sender", "The SRS address is genuine, but only bounces may use it."),
            Rule::SrsBad => ("srs-bad", "The SRS address of an own forwarder is not genuine."),
            Rule::SrsElsewhere => ("srs-elsewhere", "The SRS address lies in a domain that is no own forwarder."),
            Rule::ExemptRecipient => ("exempt-recipient", "The recipient is exempt and never refused."),
            Rule::ExemptSender => ("exempt-sender", "The sender is exempt and never refused."),
            Rule::ExemptClient => ("exempt-client", "The client is exempt and never refused."),
            Rule::InternalClient => ("internal-client", "The MTA itself made this mail, which is never refused."),
            Rule::SubmittedClient => ("submitted-client", "The client is a user of this site and never refused."),
            Rule::MarkGenuine => ("mark-genuine", "A mark of ours came back inside the message."),
            Rule::MarkExpired => ("mark-expired", "Only marks came back that are out of date."),
            Rule::MarkForged => {
                ("mark-forged", "A mark came back that names a key of ours, and was not made with it for this address.")
            }
            Rule::Backscatter => {
                ("backscatter", "The headers of an own mail came back without the mark that all own mail has.")
            }
        }
    }

    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        self.words().0
    }

    /// One sentence for people.
    pub const fn sentence(self) -> &'static str {
        self.words().1
    }

    /// The SMTP reply of a refusal by this rule.
    pub(crate) const fn reply(self, verdict: Option<&Verdict<'_>>) -> &'static str {
        let known = match (self, verdict) {
            (Rule::NeverSends, _) => {
                Some("550 5.7.1 This address sends no mail; this bounce answers mail that we did not send")
            }
            // Also where the key is not known, but the tag's own day says it.
            (Rule::Expired, _) => Some("550 5.7.1 The signature of this return address has expired"),
            (Rule::SrsSender, _) => Some("550 5.7.1 This address takes bounces only, from the null sender"),
            (Rule::MarkExpired, _) => Some("550 5.7.1 This answers mail whose signature has expired"),
            (Rule::MarkForged, _) => {
                Some("550 5.7.1 This answers mail with a signature that we did not make for this address")
            }
            (Rule::Backscatter, _) => {
                Some("550 5.7.1 We mark all our mail; this answers mail that we did not send (forged sender)")
            }
            (_, Some(verdict)) => verdict.smtp_reply(),
            (_, None) => None,
        };
        match known {
            Some(reply) => reply,
            None => "550 5.7.1 This bounce answers mail that we did not send",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}

impl From<Unsigned> for Rule {
    fn from(reason: Unsigned) -> Rule {
        match reason {
            Unsigned::Null => Rule::Null,
            Unsigned::Already => Rule::Already,
            Unsigned::NotOwn | Unsigned::NoKey => Rule::NoKey,
            Unsigned::TooLong => Rule::TooLong,
            Unsigned::OwnDomain => Rule::OwnSender,
            Unsigned::Shape => Rule::Shape,
        }
    }
}
