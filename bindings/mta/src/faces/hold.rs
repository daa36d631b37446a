//! Refusals that wait for DATA: what the faces that are asked there as well share.
//!
//! Under refuse-at = data the refusal of the first recipient is held back until DATA, where call-outs are gone. There a
//! face can only refuse the mail as a whole. So once a recipient waits or was accepted, others are refused at RCPT, and a
//! mail that got another recipient accepted passes at DATA; the log says so. A bounce has one recipient.

use backstop::policy::{Action, Incoming, RefuseAt};

use crate::clock::Now;
use crate::decide::{self, Context};
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
        let (decided, event) = decide::incoming(snapshot, context, sender, recipient, now);
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
