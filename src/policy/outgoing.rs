//! Senders of mail that leaves: signed if own and vouched for, rewritten if foreign and forwarded.
//!
//! The rules in their order; the first that applies decides:
//!
//! | sign | rewrite |
//! |---|---|
//! | `unparsable`, `null`, `not-own` (also bare postmaster) | `unparsable`, `null`, `own-sender` |
//! | `not-vouched`: origin neither submitted nor internal | `no-forwarder` |
//! | `off` for the sender's domain | `off` for the forwarder's domain |
//! | `no-sign`, `no-sign-recipients` | |
//! | `already`, `no-key`, `too-long`, `shape` | `already`, `no-key`, `too-long`, `shape` |
//! | `signed` | `rewritten` |

use super::{Mode, Origin, Outgoing, Policy, Rule};
use crate::address::{Address, Mailbox, Path};
use crate::day::Day;
use crate::key::KeyRing;
use crate::verdict::Signed;
use crate::{batv, srs};

impl Policy {
    /// Decides about the sender of a mail that leaves, from its recipients and whoever vouches for it.
    ///
    /// Sender and recipients are paths with or without `<>`. Mail to several recipients has one sender, so it goes
    /// unsigned for the recipients' sake only if all of them ask for it.
    pub fn outgoing<'a>(
        &self,
        ring: &KeyRing,
        sender: &[u8],
        recipients: impl IntoIterator<Item = &'a [u8]>,
        origin: Origin,
        day: Day,
    ) -> Outgoing {
        decided(Rule::Signed, || {
            let mailbox = match Path::parse(sender).map_err(|_| Rule::Unparsable)? {
                Path::Null => return Err(Rule::Null),
                Path::Postmaster => return Err(Rule::NotOwn),
                Path::Mailbox(mailbox) => mailbox,
            };
            if !self.own.contains(mailbox.domain()) {
                return Err(Rule::NotOwn);
            }
            if !matches!(origin, Origin::Submitted | Origin::Internal) {
                return Err(Rule::NotVouched);
            }
            self.may_sign(mailbox, day)?;
            let mut recipients = recipients.into_iter().peekable();
            if recipients.peek().is_some() && recipients.all(|it| self.no_sign_recipients.contains(it)) {
                return Err(Rule::NoSignRecipients);
            }
            finish(batv::sign(ring, sender, self.form, day))
        })
    }

    /// Decides about the sender of a mail that is forwarded; `recipient` is the address here that forwards it.
    ///
    /// Only foreign senders are rewritten, own ones too if the dialect says so. That the mail leaves this site again is
    /// for the caller to know.
    pub fn forward(&self, ring: &KeyRing, sender: &[u8], recipient: &[u8], day: Day) -> Outgoing {
        decided(Rule::Rewritten, || {
            let own = match Path::parse_tagged(sender).map_err(|_| Rule::Unparsable)? {
                Path::Null => return Err(Rule::Null),
                Path::Postmaster => return Err(Rule::OwnSender),
                Path::Mailbox(mailbox) => self.own.contains(mailbox.domain()),
            };
            let srs = self.srs.as_ref().ok_or(Rule::NoForwarder)?;
            if own && !srs.dialect.always_rewrite {
                return Err(Rule::OwnSender);
            }
            let recipient = Path::parse_tagged(recipient).ok().and_then(Path::mailbox);
            let forwarder = srs.forwarder_for(recipient.map(Mailbox::domain).unwrap_or_default());
            let forwarder = forwarder.ok_or(Rule::NoForwarder)?;
            if self.mode_on(forwarder.as_bytes(), day) == Mode::Off {
                return Err(Rule::Off);
            }
            finish(srs::forward(ring, sender, forwarder, &srs.forwarders, &srs.dialect, day))
        })
    }

    /// Whether this policy, recipients aside, lets mail from an own mailbox be signed.
    fn may_sign(&self, mailbox: Mailbox<'_>, day: Day) -> Result<(), Rule> {
        if self.mode_on(mailbox.domain(), day) == Mode::Off {
            Err(Rule::Off)
        } else if self.no_sign.holds(mailbox) {
            Err(Rule::NoSign)
        } else {
            Ok(())
        }
    }

    /// Whether submitted mail from this mailbox was signed today and on every one of the days + 7 days before.
    ///
    /// `days` is the lifetime of the keys that sign on those days, the longest of them, so the walk is at most 107 steps.
    /// Nothing is computed and nothing allocated.
    pub(super) fn signable(&self, ring: &KeyRing, mailbox: Mailbox<'_>, today: Day) -> Result<(), Rule> {
        if !self.own.contains(mailbox.domain()) {
            return Err(Rule::NotOwn);
        }
        self.may_sign(mailbox, today)?;
        let (mut back, mut span) = (0, 1);
        while back < span {
            let choice = batv::choose(ring, mailbox, self.form, today.minus(back));
            let days = match choice {
                Ok(choice) => u32::from(choice.key().days()),
                Err(reason) if back == 0 => return Err(reason.into()),
                Err(_) => return Err(Rule::TooEarly),
            };
            span = span.max(days + super::DELAY + 1);
            back += 1;
        }
        Ok(())
    }

    /// Whether all mail of this mailbox that may still be under way has left with a mark: since
    /// [`DELAY`](super::DELAY) days before the day, by this policy and the ring.
    #[cfg(feature = "bounce")]
    pub(crate) fn marks_in_force(&self, ring: &KeyRing, mailbox: Mailbox<'_>, day: Day) -> bool {
        let signs = |back| ring.signing_key(crate::Use::Mark, mailbox.domain(), day.minus(back)).is_ok();
        self.own.contains(mailbox.domain())
            && !self.no_sign.holds(mailbox)
            && self.marks_since.is_some_and(|since| since.plus(super::DELAY) < day)
            && (0..=super::DELAY).all(signs)
    }

    /// Whether mail with this sender may always leave without a mark: it is never signed. So it may go another way, as who
    /// is on `no-sign` does, or by a program that marks only what it signs.
    #[cfg(feature = "bounce")]
    pub(crate) fn never_marks(&self, ring: &KeyRing, sender: Mailbox<'_>, today: Day) -> bool {
        matches!(self.signable(ring, sender, today), Err(Rule::NotOwn | Rule::NoSign | Rule::TooLong | Rule::Shape))
    }
}

fn finish(signed: Result<Signed, crate::Error>) -> Result<Address, Rule> {
    match signed {
        Ok(Signed::Done(address)) => Ok(address),
        Ok(Signed::Unsigned(reason)) => Err(reason.into()),
        Err(_) => Err(Rule::Unparsable),
    }
}

fn decided(rule: Rule, decide: impl FnOnce() -> Result<Address, Rule>) -> Outgoing {
    match decide() {
        Ok(address) => Outgoing { rewrite: Some(address), rule },
        Err(rule) => Outgoing { rewrite: None, rule },
    }
}
