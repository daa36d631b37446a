//! Recipients of mail that comes in: the table, each recipient by itself.
//!
//! | verdict | off, sign, observe | enforce, null sender | enforce, other sender |
//! |---|---|---|---|
//! | genuine | strip | strip | strip |
//! | expired (lifetime) within `expired-grace` | strip, log | strip, log | strip, log |
//! | expired | strip, log | 550 | 550 |
//! | forged, foreign, malformed, unknown-key on a covered day | unchanged, log | 550 | unchanged |
//! | untagged | unchanged, log if null sender | 550 if signable or never-send, else unchanged, log | unchanged |
//! | SRS genuine | reverse | reverse | 550 unless `reverse-any-sender` |
//! | SRS bad at an own forwarder | unchanged, log | 550 | 550 |
//! | SRS elsewhere, unparsable, not own | unchanged | unchanged | unchanged |
//!
//! A tag of an unknown key on a day that the ring does not cover is refused as `expired`, from the null sender only, where
//! its own day says that it was over before `expired-grace`, whatever key made it; else never: unchanged, log. An SRS
//! address that is over on its face is SRS bad, for any sender; else never: unchanged, log.
//! Never refused: exempt recipients (with or without a tag), exempt clients and senders, own users, the MTA itself. They
//! get what observe does. An SRS address that returns to an own mailbox is judged once more as that recipient.

use super::{Action, Client, Incoming, Mode, Policy, RefuseAt, Rule};
use crate::address::{Mailbox, Path, Stripped};
use crate::day::Day;
use crate::key::KeyRing;
use crate::verdict::{Foreign, Lapse, Proof, Verdict};
use crate::{batv, srs};

/// How recipients of a domain are treated on a day.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    pub(super) mode: Mode,
    refuse_at: RefuseAt,
}

/// One row of the table for one kind of sender.
pub(super) struct Row<'r> {
    /// What is done where nothing is refused.
    pub(super) lenient: Action,
    /// Whether enforce refuses.
    pub(super) refuse: bool,
    pub(super) verdict: Option<Verdict<'r>>,
    pub(super) rule: Rule,
    pub(super) manner: Manner,
    pub(super) log: bool,
    /// Whether the message has a say.
    pub(super) by_message: bool,
}

impl<'r> Row<'r> {
    /// What the mode makes of it.
    pub(super) fn answer(self) -> Incoming<'r> {
        let would = if self.refuse { Action::Refuse } else { self.lenient };
        let refused = self.refuse && self.manner.mode == Mode::Enforce;
        Incoming {
            action: if refused { Action::Refuse } else { self.lenient },
            would,
            verdict: self.verdict,
            rule: self.rule,
            mode: self.manner.mode,
            reply: refused.then(|| self.rule.reply(self.verdict.as_ref())),
            refuse_at: self.manner.refuse_at,
            by_message: self.by_message,
            log: self.log,
        }
    }

    /// Whether a message may change the answer to a bounce: not where the recipient is no own mailbox.
    const fn has_a_say(&self) -> bool {
        !matches!(
            self.rule,
            Rule::NotOwn
                | Rule::Unparsable
                | Rule::ExemptRecipient
                | Rule::SrsElsewhere
                | Rule::SrsGenuine
                | Rule::SrsSender
                | Rule::SrsBad
        )
    }
}

/// What every judgement needs.
struct Judge<'a> {
    policy: &'a Policy,
    ring: &'a KeyRing,
    /// Whether the sender is null, so that this is a bounce.
    bounce: bool,
    day: Day,
}

impl Policy {
    /// Decides about one recipient of a mail from `sender`, which may be `<>` or empty.
    ///
    /// Both are bytes as MAIL and RCPT gave them: the sha1 form of prvs covers the case of the address. What is no address
    /// passes unchanged, for the MTA to refuse.
    pub fn incoming<'r>(
        &self,
        ring: &KeyRing,
        sender: &[u8],
        recipient: &'r [u8],
        client: Client,
        day: Day,
    ) -> Incoming<'r> {
        self.judged(ring, sender, recipient, client, day).answer()
    }

    /// The row of a recipient, exemptions taken into account.
    pub(super) fn judged<'r>(
        &self,
        ring: &KeyRing,
        sender: &[u8],
        recipient: &'r [u8],
        client: Client,
        day: Day,
    ) -> Row<'r> {
        let judge = Judge { policy: self, ring, bounce: self.is_null(sender), day };
        let mut row = judge.row(recipient);
        let waits = row.manner.refuse_at == RefuseAt::Message && row.manner.mode >= Mode::Observe;
        let by_message = waits && (row.refuse || (judge.bounce && row.has_a_say()));
        if !row.refuse && !by_message {
            return row;
        }
        match self.exemption(sender, recipient, &row, client) {
            Some(rule) if row.refuse => (row.refuse, row.rule) = (false, rule),
            Some(_) => {}
            None => row.by_message = by_message,
        }
        row
    }

    /// Whether this recipient is never refused, with or without a tag: bare `postmaster`, and an exempt recipient here.
    ///
    /// For callers with refusals of their own, such as limits: RFC 5321 section 4.5.1 wants mail for the postmaster taken.
    pub fn exempts_recipient(&self, recipient: &[u8]) -> bool {
        let given = match Path::parse_tagged(recipient) {
            Ok(Path::Postmaster) => return true,
            Ok(Path::Mailbox(mailbox)) => Some(mailbox),
            Ok(Path::Null) | Err(_) => None,
        };
        let stripped = batv::strip(recipient).ok().flatten().map(|(_, address)| address.to_address());
        given.is_some_and(|it| self.is_exempt_here(it)) || stripped.is_some_and(|it| self.is_exempt_here(it.mailbox()))
    }

    /// Whether the tag before this local part is out of date by its day, whatever key made it.
    pub(crate) fn is_no_day_of_a_tag(&self, content: &[u8], day: Day) -> bool {
        match self.srs().filter(|_| srs::is_srs(content)) {
            Some(srs) => srs::is_over(content, srs.forwarders(), day),
            None => batv::is_over(content, self.expired_grace.into(), day),
        }
    }

    /// Only here: a listed local part of another site is no reason to return mail to it.
    fn is_exempt_here(&self, mailbox: Mailbox<'_>) -> bool {
        self.is_here(mailbox.domain()) && self.exempt_recipients.holds(mailbox)
    }

    fn is_null(&self, sender: &[u8]) -> bool {
        let daemon = |local: &[u8]| self.mailer_daemon_is_null && local.eq_ignore_ascii_case(b"mailer-daemon");
        match Path::parse_tagged(sender) {
            Ok(Path::Null) => true,
            Ok(Path::Mailbox(mailbox)) => daemon(mailbox.content()),
            // Some MTAs give it without a domain.
            _ => daemon(sender.strip_prefix(b"<").and_then(|it| it.strip_suffix(b">")).unwrap_or(sender)),
        }
    }

    /// With its own site's tag or without: one that signs has another sender every day.
    fn exempts_sender(&self, sender: &[u8]) -> bool {
        let stripped = || batv::strip(sender).ok().flatten().map(|(_, address)| address.to_address());
        !self.exempt_senders.is_empty()
            && (self.exempt_senders.contains(sender)
                || stripped().is_some_and(|it| self.exempt_senders.contains(it.as_bytes())))
    }

    /// The rule by which this mail is never refused.
    fn exemption(&self, sender: &[u8], recipient: &[u8], row: &Row<'_>, client: Client) -> Option<Rule> {
        match client {
            Client::Internal => return Some(Rule::InternalClient),
            Client::Exempt => return Some(Rule::ExemptClient),
            Client::Submitted => return Some(Rule::SubmittedClient),
            Client::Other => {}
        }
        let meant = row.lenient.address().is_some_and(|it| self.is_exempt_here(it.mailbox()));
        if meant || self.exempts_recipient(recipient) {
            Some(Rule::ExemptRecipient)
        } else if self.exempts_sender(sender) {
            Some(Rule::ExemptSender)
        } else {
            None
        }
    }
}

impl Judge<'_> {
    fn manner(&self, domain: &[u8]) -> Manner {
        Manner { mode: self.policy.mode_on(domain, self.day), refuse_at: self.policy.refuse_at_in(domain) }
    }

    fn row<'r>(&self, recipient: &'r [u8]) -> Row<'r> {
        let manner = self.manner(b"");
        let passed = |rule, verdict, manner| {
            let (lenient, refuse) = (Action::Unchanged, false);
            Row { lenient, refuse, verdict, rule, manner, log: false, by_message: false }
        };
        let mailbox = match Path::parse_tagged(recipient) {
            Ok(Path::Mailbox(mailbox)) => mailbox,
            Ok(Path::Postmaster) => return passed(Rule::ExemptRecipient, Some(Verdict::Untagged), manner),
            Ok(Path::Null) | Err(_) => return passed(Rule::Unparsable, None, manner),
        };
        let manner = self.manner(mailbox.domain());
        if !self.policy.is_here(mailbox.domain()) {
            return passed(Rule::NotOwn, None, manner);
        }
        let row = match srs::is_srs(mailbox.content()) {
            true if !self.policy.is_own_forwarder(mailbox.domain()) => {
                Some(passed(Rule::SrsElsewhere, Some(Verdict::Foreign(Foreign::Srs)), manner))
            }
            true => self.reverse(recipient, mailbox, manner),
            false => {
                let verdict = batv::verify(self.ring, mailbox.as_bytes(), self.day);
                verdict.ok().map(|verdict| self.recipient(mailbox, verdict, manner))
            }
        };
        row.unwrap_or_else(|| passed(Rule::Unparsable, None, manner))
    }

    /// The row of a recipient that is no SRS address.
    fn recipient<'r>(&self, mailbox: Mailbox<'_>, verdict: Verdict<'r>, manner: Manner) -> Row<'r> {
        let bounces = |rule| if self.bounce { (true, rule) } else { (false, Rule::NotABounce) };
        let (refuse, rule) = match verdict {
            Verdict::Genuine(_) => (false, Rule::Genuine),
            Verdict::Expired(proof, Lapse::Lifetime) if self.in_grace(&proof) => (false, Rule::ExpiredGrace),
            Verdict::Expired(..) => (true, Rule::Expired),
            Verdict::Forged { .. } => bounces(Rule::Forged),
            Verdict::UnknownKey { covered: true, .. } => bounces(Rule::UnknownKey),
            Verdict::UnknownKey { covered: false, .. } => {
                match self.policy.is_no_day_of_a_tag(mailbox.content(), self.day) {
                    true => bounces(Rule::Expired),
                    false => (false, Rule::NotCovered),
                }
            }
            Verdict::Malformed(_) => bounces(Rule::Malformed),
            Verdict::Foreign(_) => bounces(Rule::Foreign),
            Verdict::Untagged if self.bounce => self.untagged(mailbox),
            Verdict::Untagged => (false, Rule::NotABounce),
        };
        let log = match verdict {
            Verdict::Genuine(_) => false,
            Verdict::Expired(..) => true,
            // To any other sender this is ordinary mail.
            Verdict::Untagged => self.bounce,
            _ => self.bounce || manner.mode != Mode::Enforce,
        };
        let lenient = verdict.proof().map_or(Action::Unchanged, |proof| Action::Strip(proof.mailbox.to_address()));
        Row { lenient, refuse, verdict: Some(verdict), rule, manner, log, by_message: false }
    }

    /// A bounce without a tag.
    fn untagged(&self, mailbox: Mailbox<'_>) -> (bool, Rule) {
        let policy = self.policy;
        if policy.own.contains(mailbox.domain()) && policy.never_send.holds(mailbox) {
            return (true, Rule::NeverSends);
        }
        match policy.signable(self.ring, mailbox, self.day) {
            Ok(()) => (true, Rule::Untagged),
            Err(rule) => (false, rule),
        }
    }

    /// Whether a tag has expired only lately, and its key was signing on the day that it implies: a tag of an old key
    /// returns to the same number after a thousand days.
    fn in_grace(&self, proof: &Proof<'_>) -> bool {
        let Some((signed, last)) = proof.signed.zip(proof.expires) else { return false };
        let key = self.ring.key_by_id(proof.usage, proof.key, proof.mailbox.domain());
        let grace = u32::from(self.policy.expired_grace);
        key.is_some_and(|key| key.window_holds(signed)) && last < self.day && self.day <= last.plus(grace)
    }

    /// An SRS address at an own forwarder; `None` if it is no address.
    fn reverse<'r>(&self, recipient: &'r [u8], mailbox: Mailbox<'_>, manner: Manner) -> Option<Row<'r>> {
        let srs = self.policy.srs.as_ref()?;
        let verdict = srs::reverse(self.ring, recipient, &srs.forwarders, &srs.dialect, self.day).ok()?;
        let row = |lenient, refuse, rule| Row {
            lenient,
            refuse,
            verdict: Some(verdict),
            rule,
            manner,
            log: refuse,
            by_message: false,
        };
        let proof = match verdict {
            Verdict::Genuine(proof) => proof,
            Verdict::UnknownKey { covered: false, .. }
                if !self.policy.is_no_day_of_a_tag(mailbox.content(), self.day) =>
            {
                return Some(Row { log: true, ..row(Action::Unchanged, false, Rule::NotCovered) });
            }
            _ => return Some(row(Action::Unchanged, true, Rule::SrsBad)),
        };
        let result = proof.mailbox.to_address();
        let returned = match self.in_turn(proof.mailbox) {
            Some(judged) if judged.lenient == Action::Unchanged => Row { lenient: Action::Reverse(result), ..judged },
            Some(judged) => judged,
            None => row(Action::Reverse(result), false, Rule::SrsGenuine),
        };
        if self.bounce || self.policy.reverse_any_sender {
            Some(returned)
        } else {
            Some(row(returned.lenient, true, Rule::SrsSender))
        }
    }

    /// The judgement of the own recipient to whom an SRS address returns; tags of other sites are theirs to judge.
    fn in_turn<'r>(&self, result: Stripped<'r>) -> Option<Row<'r>> {
        if !self.policy.own.contains(result.domain()) {
            return None;
        }
        let verdict = batv::verify_returned(self.ring, result, self.day).ok()?;
        let manner = self.manner(result.domain());
        Some(self.recipient(result.to_address().mailbox(), verdict, manner))
    }
}
