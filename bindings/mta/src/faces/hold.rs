//! Refusals that wait for DATA, and clients that guess: what the faces that see client and mail share.
//!
//! Under refuse-at = data the refusal of the first recipient is held back until DATA, where call-outs are gone. There a
//! face can only refuse the mail as a whole. So once a recipient waits or was accepted, others are refused at RCPT, and a
//! mail that got another recipient accepted passes at DATA; the log says so. A bounce has one recipient.

use backstop::Verdict;
use backstop::policy::{Action, Client, Incoming, Mode, RefuseAt, Rule};

use crate::clock::Now;
use crate::decide::{self, Context};
use crate::guesses;
use crate::state::{Snapshot, State};

/// The recipients of one mail, so far.
#[derive(Debug, Default)]
pub struct Recipients {
    /// The one whose refusal waits for DATA.
    held: Option<Vec<u8>>,
    /// Whether some recipient was accepted for good.
    accepted: bool,
}

impl Recipients {
    /// Decides about the next recipient; the refusal to give now comes second. `can_wait` says that DATA will be asked.
    #[expect(clippy::too_many_arguments, reason = "the question of a face, and who asks")]
    pub fn next<'a>(
        &mut self,
        state: &State,
        snapshot: &Snapshot,
        context: &Context<'a>,
        sender: &'a [u8],
        recipient: &'a [u8],
        can_wait: bool,
        now: Now,
    ) -> (Incoming<'a>, Option<&'static str>) {
        let (decided, mut event) = decide::incoming(snapshot, context, sender, recipient, now);
        if is_away(state, snapshot, context, &decided, now) {
            state.record(snapshot, &event.deferred(guesses::REPLY));
            return (decided, Some(guesses::REPLY));
        }
        if decided.verdict.is_some_and(|verdict| verdict.proof().is_some()) {
            event.uses = Some(state.guesses.count_use(recipient));
        }
        let waits = can_wait && decided.refuse_at == RefuseAt::Data && !self.accepted && self.held.is_none();
        if decided.action == Action::Refuse && waits {
            self.held = Some(recipient.to_vec());
            return (decided, None);
        }
        self.accepted |= decided.action != Action::Refuse;
        state.record(snapshot, &event);
        (decided, decided.reply)
    }

    /// The refusal to give at DATA.
    pub fn data(
        &mut self,
        state: &State,
        snapshot: &Snapshot,
        context: &Context<'_>,
        sender: &[u8],
        now: Now,
    ) -> Option<&'static str> {
        let recipient = self.held.take()?;
        let (decided, event) = decide::incoming(snapshot, context, sender, &recipient, now);
        if self.accepted {
            state.record(snapshot, &event.passed());
            return None;
        }
        state.record(snapshot, &event.refused_at("data"));
        decided.reply
    }
}

/// Whether the client brought too many forged tags lately. Ordinary mail is not kept waiting for that.
fn is_away(state: &State, snapshot: &Snapshot, context: &Context<'_>, decided: &Incoming<'_>, now: Now) -> bool {
    let (limit, forged) = (snapshot.config.limits.forged, matches!(decided.verdict, Some(Verdict::Forged { .. })));
    let judged = forged || (decided.verdict.is_some() && decided.rule != Rule::NotABounce);
    let Some(ip) = context.ip.filter(|_| limit > 0 && judged) else { return false };
    let concerned = context.client == Client::Other && decided.mode == Mode::Enforce;
    concerned && state.guesses.is_away(ip, forged, limit, now.seconds)
}
