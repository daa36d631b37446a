//! Refusals that wait for DATA or the message, and clients that guess: what the faces that see client and mail share.
//!
//! Under refuse-at = data the refusal of the first recipient is held back until DATA, where call-outs are gone. Under
//! refuse-at = message the answers that the policy marks (`by_message`) wait for the end of the message. At either step a face
//! can only refuse the mail as a whole, and neither of two answers may be lost: to let a recipient in that is to be refused
//! leaves its tag on, and the mail server makes a bounce itself. So a recipient whose answer is or may be a refusal waits
//! alone: whoever comes beside it is refused at RCPT, if that is its answer, or else told [`ALONE`], a 452, upon which a client
//! sends the mail again for the others (RFC 5321, 4.5.3.1.10), and each is judged by itself. That holds for recipients of all
//! modes, since the mail is one. A bounce has one recipient. Where nothing is refused (observe) all wait together.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use backstop::bounce::Kept;
use backstop::policy::{Action, Client, Incoming, Mode, RefuseAt, Rule};
use backstop::{Day, Path, Verdict, srs};

use crate::clock::Now;
use crate::decide::{self, Context, Judged};
use crate::guesses;
use crate::state::{Snapshot, State};

/// The reply to a recipient beside one for whom the mail may be refused as a whole.
pub const ALONE: &str = "452 4.5.3 One recipient at a time: this mail may be refused; send it again for the others";
/// The most recipients of a mail that are judged by the message, since each costs an inspection; others are judged at RCPT.
/// Only where nothing is refused are there more than one.
pub const MAX_WAITING: usize = 8;

/// The most octets that all messages under way may take together; one more has to come later.
pub const MAX_MESSAGES: usize = 64 * 1024 * 1024;
/// The reply to it.
pub const BUSY: &str = "451 4.3.2 Too many messages are judged at once; try again later";

/// A message that a recipient waits for, as far as it is kept, counted against what all of them may take.
#[derive(Debug)]
pub struct Message {
    kept: Kept,
    state: Arc<State>,
    /// The most octets that it has had.
    counted: usize,
    /// Whether there was no room for it.
    starved: bool,
}

impl Message {
    /// Nothing of it yet.
    pub const fn new(state: Arc<State>) -> Message {
        Message { kept: Kept::new(), state, counted: 0, starved: false }
    }

    /// Takes the next octets.
    pub fn push(&mut self, octets: &[u8]) {
        if self.starved {
            return;
        }
        self.kept.push(octets);
        let more = self.kept.octets().len().saturating_sub(self.counted);
        self.counted += more;
        if more > 0 && self.state.messages.fetch_add(more, Ordering::Relaxed) + more > MAX_MESSAGES {
            (self.starved, self.kept) = (true, Kept::new());
            self.free();
            self.state
                .log
                .complaint("the messages that are judged at once take more than 64 MiB; some have to come again");
        }
    }

    /// Whether what comes may be looked at.
    pub fn wants_more(&self) -> bool {
        !self.starved && self.kept.wants_more()
    }

    fn free(&mut self) {
        self.state.messages.fetch_sub(std::mem::take(&mut self.counted), Ordering::Relaxed);
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        self.free();
    }
}

/// How far a face can wait with a refusal.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// Until when.
    pub until: RefuseAt,
    /// Whether it can change a recipient then, too.
    pub changes_late: bool,
}

impl Reach {
    /// Not at all.
    pub const RCPT: Reach = Reach { until: RefuseAt::Rcpt, changes_late: false };
    /// Until DATA.
    pub const DATA: Reach = Reach { until: RefuseAt::Data, changes_late: false };
}

/// What to tell about a recipient at RCPT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Go on; the answer is given, or a refusal is held until DATA.
    Go,
    /// Go on; the answer waits for the message.
    Wait,
    /// Refuse with this reply.
    Refuse(&'static str),
}

/// The recipients of one mail, so far.
#[derive(Debug, Default)]
pub struct Recipients {
    /// The one whose refusal waits for DATA; nobody else was or is let in beside it.
    held: Option<Vec<u8>>,
    /// Those whose answer waits for the message.
    waiting: Vec<Vec<u8>>,
    /// Whether the answer of one that waits may be a refusal.
    alone: bool,
    /// Whether some recipient was accepted for good.
    accepted: bool,
    /// The day of the first one, by which all are judged: an answer that waits over midnight is the one that was meant.
    day: Option<Day>,
}

impl Recipients {
    /// Decides about the next recipient; what to tell now comes second.
    #[expect(clippy::too_many_arguments, reason = "the question of a face, and who asks")]
    pub fn next<'a>(
        &mut self,
        state: &State,
        snapshot: &Snapshot,
        context: &Context<'a>,
        sender: &'a [u8],
        recipient: &'a [u8],
        reach: Reach,
        now: Now,
    ) -> (Incoming<'a>, Told) {
        let now = self.by_day(now);
        let (decided, mut event) = decide::incoming(snapshot, context, sender, recipient, now);
        if is_away(state, snapshot, context, recipient, &decided, now) {
            state.record(snapshot, &event.deferred(guesses::REPLY));
            return (decided, Told::Refuse(guesses::REPLY));
        }
        let late = self.waits_for_message(&decided, recipient, reach);
        let refused = decided.action == Action::Refuse;
        let taken = self.accepted || self.held.is_some() || !self.waiting.is_empty();
        // A refusal that need not wait can be given beside one that waits.
        let beside = self.alone || self.held.is_some();
        if (late && taken && decided.mode == Mode::Enforce) || (beside && (late || !refused)) {
            state.record(snapshot, &event.later(ALONE));
            return (decided, Told::Refuse(ALONE));
        }
        if late {
            self.waiting.push(recipient.to_vec());
            self.alone = decided.mode == Mode::Enforce;
            return (decided, Told::Wait);
        }
        if decided.verdict.is_some_and(|verdict| verdict.proof().is_some()) {
            event.uses = Some(state.guesses.count_use(recipient));
        }
        let can_wait = reach.until >= RefuseAt::Data && decided.refuse_at >= RefuseAt::Data;
        if refused && can_wait && !taken {
            self.held = Some(recipient.to_vec());
            return (decided, Told::Go);
        }
        self.accepted |= !refused;
        state.record(snapshot, &event);
        (decided, decided.reply.map_or(Told::Go, Told::Refuse))
    }

    fn by_day(&mut self, now: Now) -> Now {
        Now { day: *self.day.get_or_insert(now.day), ..now }
    }

    /// Whether the answer to this recipient waits for the message.
    fn waits_for_message(&self, decided: &Incoming<'_>, recipient: &[u8], reach: Reach) -> bool {
        // A tag that did not pass could not be taken off any more, if the message saves its bounce, nor an SRS address reversed.
        let is_bare = decided.verdict == Some(Verdict::Untagged) && !is_srs(recipient);
        let as_it_is = is_bare || decided.action.address().is_some();
        let can = reach.until == RefuseAt::Message && (reach.changes_late || as_it_is);
        let more = self.waiting.len() < MAX_WAITING || decided.mode == Mode::Enforce;
        decided.by_message && can && more
    }

    /// The refusal to give at DATA. `only` is the mail's one recipient, or empty: if nobody knows of one that was accepted or
    /// waits, what was told at RCPT is lost (another connection brought it), and that recipient is judged now.
    pub fn data(
        &mut self,
        state: &State,
        snapshot: &Snapshot,
        context: &Context<'_>,
        sender: &[u8],
        only: &[u8],
        now: Now,
    ) -> Option<&'static str> {
        let now = self.by_day(now);
        let Some(recipient) = self.held.take() else {
            if self.accepted || only.is_empty() {
                return None;
            }
            let (decided, event) = decide::incoming(snapshot, context, sender, only, now);
            // Any other answer was given and counted at RCPT.
            let held = decided.action == Action::Refuse && decided.refuse_at >= RefuseAt::Data;
            if !held {
                return None;
            }
            state.record(snapshot, &event.refused_at("data"));
            return decided.reply;
        };
        let (decided, event) = decide::incoming(snapshot, context, sender, &recipient, now);
        state.record(snapshot, &event.refused_at("data"));
        decided.reply
    }

    /// Judges those that waited by the message; `told` gets each that is let in. The refusal to give.
    #[expect(clippy::too_many_arguments, reason = "the question of a face, and who asks")]
    pub fn message(
        &mut self,
        state: &State,
        snapshot: &Snapshot,
        context: &Context<'_>,
        sender: &[u8],
        message: &Message,
        now: Now,
        mut told: impl FnMut(&[u8], &Judged<'_>),
    ) -> Option<&'static str> {
        if message.starved {
            return Some(BUSY);
        }
        let (mut reply, now) = (None, self.by_day(now));
        for recipient in std::mem::take(&mut self.waiting) {
            let (judged, mut event) =
                decide::incoming_message(snapshot, context, sender, &recipient, &message.kept, now);
            if let Some(token) = judged.token(&recipient) {
                event.uses = Some(state.guesses.count_use(token));
            }
            if judged.decided.action == Action::Refuse {
                reply = judged.decided.reply;
            } else {
                told(&recipient, &judged);
            }
            state.record(snapshot, &event);
        }
        reply
    }
}

fn is_srs(recipient: &[u8]) -> bool {
    let mailbox = Path::parse_tagged(recipient).ok().and_then(Path::mailbox);
    mailbox.is_some_and(|mailbox| srs::is_srs(mailbox.content()))
}

/// Whether the client brought too many forged tags lately, and is to be told so. Neither ordinary mail is kept waiting for
/// that nor mail for whom the policy never refuses: whoever is turned away must still reach the postmaster (RFC 5321, 4.5.1).
fn is_away(
    state: &State,
    snapshot: &Snapshot,
    context: &Context<'_>,
    recipient: &[u8],
    decided: &Incoming<'_>,
    now: Now,
) -> bool {
    let (limit, forged) = (snapshot.config.limits.forged, matches!(decided.verdict, Some(Verdict::Forged { .. })));
    let judged = forged || (decided.verdict.is_some() && decided.rule != Rule::NotABounce);
    let Some(ip) = context.ip.filter(|_| limit > 0 && judged) else { return false };
    let concerned = context.client == Client::Other && decided.mode == Mode::Enforce;
    let exempt = || {
        let rule = matches!(decided.rule, Rule::ExemptRecipient | Rule::ExemptSender);
        rule || snapshot.config.policy.exempts_recipient(recipient)
    };
    concerned && state.guesses.is_away(ip, forged, limit, now.seconds) && !exempt()
}
