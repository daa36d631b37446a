//! The one place where a question of a face becomes calls of the core's policy, and the answer an event for the log.
//!
//! Nothing is decided here. A face gets the policy's value, does what it says, and gives the event to
//! [`State::record`](crate::state::State::record) when it is done, since some faces hold a refusal back until DATA.

use std::net::IpAddr;
use std::time::Instant;

use backstop::bounce::{Check, Envelope, Inspection, Kept, Outcome, Place};
use backstop::policy::{Client, Incoming, Origin, Outgoing};

use crate::clock::Now;
use crate::event::{Event, Kind};
use crate::faces::Face;
use crate::state::Snapshot;

/// The address and port of a client of which nothing is known: some port that is not the mail system's own.
pub const STRANGER: (Option<IpAddr>, u16) = (None, 1);

/// Who asks, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The face.
    pub face: Face,
    /// The address of the SMTP client, where the face sees one.
    pub ip: Option<IpAddr>,
    /// How the policy classes this client for refusing.
    pub client: Client,
    /// Who vouches for the sender.
    pub origin: Origin,
    /// Whether the face sees the sender when it asks about a recipient.
    pub sees_sender: bool,
    /// When the question was there.
    pub begun: Instant,
    /// The MTA's queue id, or empty.
    pub queue: &'a [u8],
    /// What ties the events of a mail together, or empty.
    pub instance: &'a [u8],
}

impl<'a> Context<'a> {
    /// A face that sees no client and refuses nothing.
    pub fn internal(face: Face) -> Context<'a> {
        let (client, origin) = (Client::Internal, Origin::Unknown);
        Context { face, ip: None, client, origin, sees_sender: false, begun: Instant::now(), queue: b"", instance: b"" }
    }

    /// A face that sees the client.
    pub fn of_client(
        face: Face,
        snapshot: &Snapshot,
        (ip, port): (Option<IpAddr>, u16),
        authenticated: bool,
    ) -> Context<'a> {
        let policy = &snapshot.config.policy;
        let (client, origin) = (policy.client(authenticated, ip, port), policy.origin(authenticated, ip, port));
        Context { ip, client, origin, sees_sender: true, ..Context::internal(face) }
    }

    /// For the mail with this queue id and instance.
    #[must_use]
    pub fn of_mail(self, queue: &'a [u8], instance: &'a [u8]) -> Context<'a> {
        Context { queue, instance, ..self }
    }
}

/// Whether and how the sender of a mail is signed.
pub fn outgoing<'a>(
    snapshot: &Snapshot,
    context: &Context<'a>,
    sender: &'a [u8],
    recipients: &[&[u8]],
    now: Now,
) -> (Outgoing, Event<'a>) {
    let policy = &snapshot.config.policy;
    let decided = policy.outgoing(&snapshot.ring, sender, recipients.iter().copied(), context.origin, now.day);
    (decided, Event::of_sender(Kind::Outgoing, snapshot, context, sender, &decided, now))
}

/// Whether and how the sender of a forwarded mail is rewritten; `recipient` is the address here that forwards it, empty
/// where the face sees none.
pub fn forward<'a>(
    snapshot: &Snapshot,
    context: &Context<'a>,
    sender: &'a [u8],
    recipient: &'a [u8],
    now: Now,
) -> (Outgoing, Event<'a>) {
    let decided = snapshot.config.policy.forward(&snapshot.ring, sender, recipient, now.day);
    (decided, Event::of_sender(Kind::Forward, snapshot, context, sender, &decided, now))
}

/// What becomes of a recipient.
pub fn incoming<'a>(
    snapshot: &Snapshot,
    context: &Context<'a>,
    sender: &'a [u8],
    recipient: &'a [u8],
    now: Now,
) -> (Incoming<'a>, Event<'a>) {
    let decided = snapshot.config.policy.incoming(&snapshot.ring, sender, recipient, context.client, now.day);
    (decided, Event::of_recipient(context, sender, recipient, &decided, now))
}

/// A recipient judged by the message.
#[derive(Debug)]
pub struct Judged<'a> {
    /// What the policy says.
    pub decided: Incoming<'a>,
    /// What the message shows.
    pub seen: Inspection,
}

impl Judged<'_> {
    /// The tag or mark that proves the bounce, to count its uses.
    pub fn token<'a>(&'a self, recipient: &'a [u8]) -> Option<&'a [u8]> {
        let genuine = |check: &&Check| check.outcome == Outcome::Genuine;
        let proof = self.seen.proof().or_else(|| self.seen.checks.iter().find(genuine))?;
        Some(if proof.place == Place::Recipient { recipient } else { proof.token.as_bytes() })
    }
}

/// What becomes of a recipient when the message is there.
pub fn incoming_message<'a>(
    snapshot: &Snapshot,
    context: &Context<'a>,
    sender: &'a [u8],
    recipient: &'a [u8],
    message: &Kept,
    now: Now,
) -> (Judged<'a>, Event<'a>) {
    let (policy, ring) = (&snapshot.config.policy, &snapshot.ring);
    let envelope = Envelope { sender: Some(sender), recipient: Some(recipient) };
    let seen = message.inspect(&envelope, ring, policy, now.day);
    let decided = policy.incoming_message(ring, sender, recipient, context.client, &seen, now.day);
    let event = Event::of_recipient(context, sender, recipient, &decided, now).by_message(&seen);
    (Judged { decided, seen }, event)
}
