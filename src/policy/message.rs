//! Recipients once more, when the message is there: what the table of `incoming.rs` said, and what the message shows.
//!
//! Only for recipients whose answer waits for it ([`Incoming::by_message`]). The envelope's answer stands unless the table
//! has another; "no tag, young" is a bounce without a tag that the envelope lets pass as too early to judge. The last column
//! has the tags that pass and are not genuine: out of date for a few days, or of a key that the ring lacks on a day that it
//! does not cover. A genuine tag is `genuine`, whatever the message says.
//!
//! | the message | envelope refuses | no tag, young | tag in grace, or not covered |
//! |---|---|---|---|
//! | genuine, by a mark inside it | deliver, tag taken off: `mark-genuine` | the same | the same |
//! | only expired marks, within `expired-grace` | deliver, tag taken off: `expired-grace` | the same | the same |
//! | only expired marks, older | 550 | 550: `mark-expired` | as the envelope |
//! | forged mark | 550 | 550 if the From that came back is the recipient: `mark-forged` | as the envelope |
//! | backscatter | 550 | 550: `backscatter` | as the envelope |
//! | unproven, not a bounce | as the envelope | as the envelope | as the envelope |
//!
//! A mark covers the From and a tag the envelope's sender, which may differ in honest mail. So a mark that is not for the
//! recipient refuses nothing that the envelope would not. SRS addresses that return to another site are the envelope's alone:
//! a mark proves nothing of who may use them. A message of which not all was kept proves only what it proves
//! ([`Kept`](crate::bounce::Kept)).

use super::incoming::Row;
use super::{Action, Client, Incoming, Policy, Rule};
use crate::batv;
use crate::bounce::{Check, Inspection, Outcome, Place, Verdict, Why};
use crate::day::{Day, is_over};
use crate::key::{KeyId, KeyRing, Use};

impl Policy {
    /// Decides about one recipient when the message is there: `seen` is its inspection for this very recipient.
    ///
    /// For a recipient whose answer did not wait for the message this is [`incoming`](Policy::incoming).
    ///
    /// ```
    /// use backstop::bounce::{self, Envelope};
    /// use backstop::policy::{Action, Client, Mode, Policy, RefuseAt};
    /// use backstop::{Day, Domains, KeyRing, mark};
    /// let ring = KeyRing::parse(b"version 1\nprvs 4 sha256 10 - - * text:one\nmark m sha256 14 - - * text:two\n")?;
    /// let policy = Policy::new(Domains::parse("example.com")?).with_mode(Mode::Enforce).with_refuse_at(RefuseAt::Message);
    /// let day = Day::parse("2026-11-21")?;
    /// let mark::Marked::Done(mark) = mark::make_header(&ring, b"alice@example.com", [7; 8], day)? else { panic!() };
    ///
    /// let notice = format!("From: <MAILER-DAEMON@mx.example.net>\nSubject: Undelivered Mail Returned to Sender\n\
    ///     Content-Type: message/rfc822\n\nFrom: alice@example.com\nBackstop-Mark: {mark}\n\nhello\n");
    /// let (sender, recipient) = (b"<>", b"alice@example.com");
    /// let first = policy.incoming(&ring, sender, recipient, Client::Other, day);
    /// assert!(first.action == Action::Refuse && first.by_message);
    ///
    /// let envelope = Envelope { sender: Some(sender), recipient: Some(recipient) };
    /// let seen = bounce::inspect(notice.as_bytes(), &envelope, &ring, &policy, day);
    /// let last = policy.incoming_message(&ring, sender, recipient, Client::Other, &seen, day);
    /// assert_eq!((last.action, last.rule.slug()), (Action::Unchanged, "mark-genuine"));
    /// # Ok::<(), backstop::Error>(())
    /// ```
    pub fn incoming_message<'r>(
        &self,
        ring: &KeyRing,
        sender: &[u8],
        recipient: &'r [u8],
        client: Client,
        seen: &Inspection,
        day: Day,
    ) -> Incoming<'r> {
        let mut row = self.judged(ring, sender, recipient, client, day);
        if row.by_message && !is_srs(row.rule) {
            let marks = || seen.checks.iter().filter(|check| check.place != Place::Recipient);
            let any = |outcome| marks().any(|check| check.outcome == outcome);
            match seen.verdict {
                Verdict::Genuine if any(Outcome::Genuine) && row.rule != Rule::Genuine => {
                    save(&mut row, recipient, Rule::MarkGenuine);
                }
                Verdict::Expired | Verdict::Unproven(Why::Reported)
                    if marks().any(|check| self.check_in_grace(ring, check, domain(seen), day)) =>
                {
                    save(&mut row, recipient, Rule::ExpiredGrace);
                }
                Verdict::Expired => refuse(&mut row, Rule::MarkExpired),
                Verdict::Forged if row.refuse || answers_recipient(seen) => refuse(&mut row, Rule::MarkForged),
                Verdict::Backscatter => refuse(&mut row, Rule::Backscatter),
                _ => {}
            }
        }
        row.answer()
    }

    /// A tag or mark that has expired only lately, of a key that signed on the day that it implies, as `incoming.rs` has it
    /// for tags. `domain` is that of the recipient's mailbox. SRS has no grace.
    pub(crate) fn check_in_grace(&self, ring: &KeyRing, check: &Check, domain: &[u8], day: Day) -> bool {
        let usage = check.usage.filter(|usage| *usage != Use::Srs);
        let id = usage.zip(check.key).and_then(|(usage, id)| KeyId::new(usage, id).ok());
        let key = usage.zip(id).and_then(|(usage, id)| ring.key_by_id(usage, id, domain));
        let Some(((signed, last), key)) = check.signed.zip(check.expires).zip(key) else { return false };
        let grace = u32::from(self.expired_grace);
        check.outcome == Outcome::Expired && key.window_holds(signed) && last < day && day <= last.plus(grace)
    }

    /// Whether a mark that names this day cannot have been in date within `expired-grace`, whatever key made it: none lives
    /// longer than [`Use::max_days`], and none is made ahead of tomorrow.
    pub(crate) fn is_no_day_of_a_mark(&self, named: Day, day: Day) -> bool {
        is_over(named, u32::from(Use::Mark.max_days()), u32::from(self.expired_grace), day)
    }
}

const fn is_srs(rule: Rule) -> bool {
    matches!(rule, Rule::SrsGenuine | Rule::SrsSender | Rule::SrsBad | Rule::SrsElsewhere)
}

/// The domain of the recipient's mailbox.
fn domain(seen: &Inspection) -> &[u8] {
    seen.mailbox.as_deref().and_then(|it| it.rsplit_once('@')).map_or(b"", |(_, domain)| domain.as_bytes())
}

/// Whether the mail that came back is from the recipient, so that its marks should be for it.
fn answers_recipient(seen: &Inspection) -> bool {
    let from = seen.returned.first().and_then(|returned| returned.from.as_deref());
    from.zip(seen.mailbox.as_deref()).is_some_and(|(from, mailbox)| from.eq_ignore_ascii_case(mailbox))
}

/// Delivers, to the mailbox under a tag that by itself would not have been taken off.
fn save(row: &mut Row<'_>, recipient: &[u8], rule: Rule) {
    let strip = |given: &[u8]| batv::strip(given).ok().flatten().map(|(_, stripped)| stripped.to_address());
    let under = match row.lenient {
        Action::Unchanged => strip(recipient),
        Action::Reverse(address) => strip(address.as_bytes()),
        Action::Strip(_) | Action::Refuse => None,
    };
    if let Some(mailbox) = under {
        row.lenient = Action::Strip(mailbox);
    }
    (row.refuse, row.rule, row.log) = (false, rule, true);
}

/// Refuses what carries no tag, if nothing but the age of the keys spoke for its mailbox: these rules are for such alone.
/// One that never sends has its own.
fn refuse(row: &mut Row<'_>, rule: Rule) {
    if matches!(row.rule, Rule::Untagged | Rule::TooEarly | Rule::NoKey) {
        (row.refuse, row.rule, row.log) = (true, rule, true);
    }
}
