//! What a milter decides in the course of a connection, without the protocol: envelope in, replies and changes out.
//!
//! A connection keeps the snapshot with which it began. Addresses come with brackets from smtpd and without from the
//! cleanup path (sendmail(1), own bounces), where the null sender is an empty string and the client's port 0. The queue
//! id is not known before the end of the message; until then an instance of our own ties the events of a mail together.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use backstop::Address;

use super::headers::{Change, Headers};
use crate::decide::{self, Context};
use crate::faces::Face;
use crate::faces::hold::Recipients;
use crate::state::{Snapshot, State};

/// The most recipients of a mail that are kept; the mail server has a limit of its own, in general 1000.
const MAX_RECIPIENTS: usize = 10_000;

/// A connection of the mail server.
#[derive(Debug)]
pub struct Session {
    state: Arc<State>,
    snapshot: Arc<Snapshot>,
    /// Of the SMTP client; without an address and with port 0 it is the mail server itself.
    client: (Option<IpAddr>, u16),
    /// How many mails it brought, and the name of the connection that goes before their number.
    mails: u64,
    name: String,
    mail: Option<Mail>,
}

#[derive(Debug)]
struct Mail {
    instance: Vec<u8>,
    sender: Vec<u8>,
    authenticated: bool,
    judged: Recipients,
    recipients: Vec<Vec<u8>>,
    /// Recipients as given, and what is to stand in their place.
    replaced: Vec<(Vec<u8>, Address)>,
    headers: Headers,
}

/// What to tell the mail server at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Continue,
    /// Refuse with this reply.
    Refuse(&'static str),
    /// Have it tried again later.
    Later,
}

/// What to change in a mail at its end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// The new sender.
    pub sender: Option<Address>,
    /// Recipients to delete as they were given, and to add in their place.
    pub recipients: Vec<(Vec<u8>, Address)>,
    /// What to do with the header.
    pub headers: Vec<Change>,
}

impl Session {
    /// Begins with the snapshot in force.
    pub fn new(state: Arc<State>) -> Session {
        let snapshot = state.snapshot();
        // Until the client is told nobody vouches for it: some port that is not the mail server's own.
        let name = state.connection_name();
        Session { state, snapshot, client: (None, 1), mails: 0, name, mail: None }
    }

    /// The snapshot that it keeps.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The SMTP client; `None` for one on a Unix socket, which is a program on this host. Not called if it is
    /// unknown. A mail under way is given up: it was another client's, and this one may be vouched for.
    pub fn connect(&mut self, client: Option<SocketAddr>) {
        self.mail = None;
        self.client = client.map_or((None, 0), |client| (Some(client.ip()), client.port()));
    }

    /// A mail begins.
    pub fn mail(&mut self, sender: &[u8], authenticated: bool) {
        let (sender, judged) = (sender.to_vec(), Recipients::default());
        let (recipients, replaced, headers) = (Vec::new(), Vec::new(), Headers::default());
        self.mails += 1;
        let instance = format!("{}.{}", self.name, self.mails).into_bytes();
        self.mail = Some(Mail { instance, sender, authenticated, judged, recipients, replaced, headers });
    }

    /// Whether a mail is under way.
    pub const fn is_busy(&self) -> bool {
        self.mail.is_some()
    }

    /// A recipient.
    pub fn recipient(&mut self, recipient: &[u8], queue: &[u8]) -> Answer {
        let (Some(now), Some(mail)) = (self.state.clock.now(), &mut self.mail) else { return Answer::Later };
        if mail.recipients.len() >= MAX_RECIPIENTS {
            return Answer::Later;
        }
        let (state, snapshot) = (&*self.state, &*self.snapshot);
        let context = context(snapshot, self.client, mail.authenticated, queue, &mail.instance);
        let (decided, reply) = mail.judged.next(state, snapshot, &context, &mail.sender, recipient, true, now);
        if let Some(reply) = reply {
            return Answer::Refuse(reply);
        }
        if let Some(address) = decided.action.address() {
            mail.replaced.push((recipient.to_vec(), *address));
        }
        mail.headers.judged(&decided);
        mail.recipients.push(recipient.to_vec());
        Answer::Continue
    }

    /// DATA.
    pub fn data(&mut self, queue: &[u8]) -> Answer {
        let (Some(now), Some(mail)) = (self.state.clock.now(), &mut self.mail) else { return Answer::Later };
        let (state, snapshot) = (&*self.state, &*self.snapshot);
        let context = context(snapshot, self.client, mail.authenticated, queue, &mail.instance);
        match mail.judged.data(state, snapshot, &context, &mail.sender, now) {
            Some(reply) => {
                self.mail = None;
                Answer::Refuse(reply)
            }
            None => Answer::Continue,
        }
    }

    /// A field of the header.
    pub fn header(&mut self, name: &[u8], value: &[u8]) {
        if let Some(mail) = &mut self.mail {
            mail.headers.field(&self.snapshot, name, value);
        }
    }

    /// The end of the message: what to change; `None` to have it tried again.
    pub fn end(&mut self, queue: &[u8]) -> Option<Changes> {
        let (now, mail) = (self.state.clock.now()?, self.mail.take()?);
        let snapshot = &*self.snapshot;
        let context = context(snapshot, self.client, mail.authenticated, queue, &mail.instance);
        let recipients: Vec<&[u8]> = mail.recipients.iter().map(Vec::as_slice).collect();
        let (decided, event) = decide::outgoing(snapshot, &context, &mail.sender, &recipients, now);
        self.state.record(snapshot, &event);
        let headers = mail.headers.changes(snapshot, decided.rewrite.is_some(), now.day);
        Some(Changes { sender: decided.rewrite, recipients: mail.replaced, headers })
    }

    /// The mail under way is given up.
    pub fn abort(&mut self) {
        self.mail = None;
    }
}

fn context<'a>(
    snapshot: &Snapshot,
    client: (Option<IpAddr>, u16),
    authenticated: bool,
    queue: &'a [u8],
    instance: &'a [u8],
) -> Context<'a> {
    let (ip, port) = client;
    Context { queue, instance, ..Context::of_client(Face::Milter, snapshot, ip, port, authenticated) }
}
