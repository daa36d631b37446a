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
//! A tag of an unknown key on a day that the ring does not cover is never refused: unchanged, log; SRS alike.
//! Never refused: exempt recipients (with or without a tag), exempt clients and senders, own users, the MTA itself. They
//! get what observe does. An SRS address that returns to an own mailbox is judged once more as that recipient.

use super::{Action, Client, Incoming, Mode, Policy, Rule};
use crate::address::{Address, Mailbox, Path, Stripped};
use crate::day::Day;
use crate::key::KeyRing;
use crate::verdict::{Foreign, Lapse, Proof, Verdict};
use crate::{batv, srs};

/// One row of the table for one kind of sender.
struct Row<'r> {
    /// What is done where nothing is refused.
    lenient: Action,
    /// Whether enforce refuses.
    refuse: bool,
    verdict: Option<Verdict<'r>>,
    rule: Rule,
    mode: Mode,
    log: bool,
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
        let judge = Judge { policy: self, ring, bounce: self.is_null(sender), day };
        let mut row = judge.row(recipient);
        if row.refuse
            && let Some(rule) = self.exemption(sender, recipient, &row, client)
        {
            (row.refuse, row.rule) = (false, rule);
        }
        let would = if row.refuse { Action::Refuse } else { row.lenient };
        let refused = row.refuse && row.mode == Mode::Enforce;
        Incoming {
            action: if refused { Action::Refuse } else { row.lenient },
            would,
            verdict: row.verdict,
            rule: row.rule,
            mode: row.mode,
            reply: refused.then(|| row.rule.reply(row.verdict.as_ref())),
            refuse_at: self.refuse_at,
            log: row.log,
        }
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

    /// The rule by which this mail is never refused.
    fn exemption(&self, sender: &[u8], recipient: &[u8], row: &Row<'_>, client: Client) -> Option<Rule> {
        // Only here: a listed local part of another site is no reason to return mail to it.
        let exempt = |it: Mailbox<'_>| self.is_here(it.domain()) && self.exempt_recipients.holds(it);
        match client {
            Client::Internal => return Some(Rule::InternalClient),
            Client::Exempt => return Some(Rule::ExemptClient),
            Client::Submitted => return Some(Rule::SubmittedClient),
            Client::Other => {}
        }
        let given = Path::parse_tagged(recipient).ok().and_then(Path::mailbox);
        let stripped = batv::strip(recipient).ok().flatten().map(|(_, address)| address.to_address());
        let meant = [row.lenient.address(), stripped.as_ref()];
        if given.into_iter().chain(meant.into_iter().flatten().map(Address::mailbox)).any(exempt) {
            Some(Rule::ExemptRecipient)
        } else if self.exempt_senders.contains(sender) {
            Some(Rule::ExemptSender)
        } else {
            None
        }
    }
}

impl Judge<'_> {
    fn row<'r>(&self, recipient: &'r [u8]) -> Row<'r> {
        let mode = self.policy.mode_on(b"", self.day);
        let passed =
            |rule, verdict, mode| Row { lenient: Action::Unchanged, refuse: false, verdict, rule, mode, log: false };
        let mailbox = match Path::parse_tagged(recipient) {
            Ok(Path::Mailbox(mailbox)) => mailbox,
            Ok(Path::Postmaster) => return passed(Rule::ExemptRecipient, Some(Verdict::Untagged), mode),
            Ok(Path::Null) | Err(_) => return passed(Rule::Unparsable, None, mode),
        };
        let mode = self.policy.mode_on(mailbox.domain(), self.day);
        if !self.policy.is_here(mailbox.domain()) {
            return passed(Rule::NotOwn, None, mode);
        }
        let row = match srs::is_srs(mailbox.content()) {
            true if !self.policy.is_own_forwarder(mailbox.domain()) => {
                Some(passed(Rule::SrsElsewhere, Some(Verdict::Foreign(Foreign::Srs)), mode))
            }
            true => self.reverse(recipient, mode),
            false => {
                let verdict = batv::verify(self.ring, mailbox.as_bytes(), self.day);
                verdict.ok().map(|verdict| self.recipient(mailbox, verdict, mode))
            }
        };
        row.unwrap_or_else(|| passed(Rule::Unparsable, None, mode))
    }

    /// The row of a recipient that is no SRS address.
    fn recipient<'r>(&self, mailbox: Mailbox<'_>, verdict: Verdict<'r>, mode: Mode) -> Row<'r> {
        let bounces = |rule| if self.bounce { (true, rule) } else { (false, Rule::NotABounce) };
        let (refuse, rule) = match verdict {
            Verdict::Genuine(_) => (false, Rule::Genuine),
            Verdict::Expired(proof, Lapse::Lifetime) if self.in_grace(&proof) => (false, Rule::ExpiredGrace),
            Verdict::Expired(..) => (true, Rule::Expired),
            Verdict::Forged { .. } => bounces(Rule::Forged),
            Verdict::UnknownKey { covered: true, .. } => bounces(Rule::UnknownKey),
            Verdict::UnknownKey { covered: false, .. } => (false, Rule::NotCovered),
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
            _ => self.bounce || mode != Mode::Enforce,
        };
        let lenient = verdict.proof().map_or(Action::Unchanged, |proof| Action::Strip(proof.mailbox.to_address()));
        Row { lenient, refuse, verdict: Some(verdict), rule, mode, log }
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
    fn reverse<'r>(&self, recipient: &'r [u8], mode: Mode) -> Option<Row<'r>> {
        let srs = self.policy.srs.as_ref()?;
        let verdict = srs::reverse(self.ring, recipient, &srs.forwarders, &srs.dialect, self.day).ok()?;
        let row = |lenient, refuse, rule| Row { lenient, refuse, verdict: Some(verdict), rule, mode, log: refuse };
        let proof = match verdict {
            Verdict::Genuine(proof) => proof,
            Verdict::UnknownKey { covered: false, .. } => {
                return Some(Row { log: true, ..row(Action::Unchanged, false, Rule::NotCovered) });
            }
            _ => return Some(row(Action::Unchanged, true, Rule::SrsBad)),
        };
        let result = proof.mailbox.to_address();
        let returned = match self.in_turn(proof.mailbox) {
            Some(judged) if judged.refuse && judged.lenient == Action::Unchanged => {
                Row { lenient: Action::Reverse(result), ..judged }
            }
            Some(judged) if judged.refuse || judged.lenient != Action::Unchanged => judged,
            _ => row(Action::Reverse(result), false, Rule::SrsGenuine),
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
        let mode = self.policy.mode_on(result.domain(), self.day);
        Some(self.recipient(result.to_address().mailbox(), verdict, mode))
    }
}
