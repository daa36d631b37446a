//! What a milter decides in the course of a connection, without the protocol: envelope in, replies and changes out.
//!
//! A mail keeps the snapshot with which it began; the next takes the one in force, if the steps on which the connection agreed
//! are enough for it. Addresses come with brackets from smtpd and without from the
//! cleanup path (sendmail(1), own bounces), where the null sender is an empty string and the client's port 0. The queue
//! id is not known before the end of the message; until then an instance of our own ties the events of a mail together.
//!
//! Of a message that a recipient waits for, what its inspection looks at is kept, 1 MiB at most ([`Message`]), until its end.
//! Several recipients wait only where nothing is refused, so the answer for the mail as a whole is that of its one recipient.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use backstop::Address;
use backstop::policy::RefuseAt;

use super::headers::{Change, Headers, Wanted};
use crate::decide::{self, Context, Judged, STRANGER};
use crate::faces::Face;
use crate::faces::hold::{Message, Reach, Recipients, Told};
use crate::state::{Snapshot, State};

/// The most recipients of a mail that are kept; the mail server has a limit of its own, in general 1000.
pub const MAX_RECIPIENTS: usize = 10_000;
/// The longest address that is taken, in octets: no mail has one of more than 254, with its brackets and a source route.
pub const MAX_ADDRESS: usize = 1000;
/// The longest queue id that is remembered; mail servers make some twenty octets.
const MAX_QUEUE: usize = 64;
/// The argument that says of what the sender wants to hear (RFC 3461, 4.1), and the longest that there is.
const NOTIFY: &[u8] = b"NOTIFY=";
const MAX_NOTIFY: usize = b"NOTIFY=SUCCESS,FAILURE,DELAY".len();
/// A milter waits for everything, and changes recipients at the end.
const REACH: Reach = Reach { until: RefuseAt::Message, changes_late: true };

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
    /// Whether the mail server can be told that the rest of a body is of no use.
    pub(super) skips: bool,
    /// What the mail server was asked to bring, by the snapshot at the beginning of the connection.
    wanted: Wanted,
}

#[derive(Debug)]
struct Mail {
    instance: Vec<u8>,
    sender: Vec<u8>,
    authenticated: bool,
    judged: Recipients,
    /// Recipients as given, each with its NOTIFY, if it has one.
    recipients: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Recipients as given, and what is to stand in their place.
    replaced: Vec<(Vec<u8>, Address)>,
    headers: Headers,
    /// The message, if a recipient waits for it, and whether its header is over.
    message: Option<Message>,
    in_body: bool,
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

/// What to do at the end of a message.
#[expect(clippy::large_enum_variant, reason = "one at a time, gone as soon as it is done")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Let it in, with these changes.
    Accept(Changes),
    /// Refuse it with this reply.
    Refuse(&'static str),
    /// Have it tried again later.
    Later,
}

/// What to change in a mail at its end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// The new sender.
    pub sender: Option<Address>,
    /// Recipients to delete as they were given, and to add in their place with this argument.
    pub recipients: Vec<(Vec<u8>, Address, Option<Vec<u8>>)>,
    /// What to do with the header.
    pub headers: Vec<Change>,
}

impl Session {
    /// Begins with the snapshot in force.
    pub fn new(state: Arc<State>) -> Session {
        let snapshot = state.snapshot();
        let (name, wanted) = (state.connection_name(), Wanted::of(&snapshot));
        Session { state, snapshot, client: STRANGER, mails: 0, name, mail: None, skips: false, wanted }
    }

    /// What the mail server has to bring on this connection.
    pub const fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// A client that the mail server does not know. Another one may have been here before it.
    pub fn connect_unknown(&mut self) {
        (self.mail, self.client) = (None, STRANGER);
    }

    /// The SMTP client; `None` for one on a Unix socket, which is a program on this host. A mail under way is given up: it
    /// was another client's, and this one may be vouched for.
    pub fn connect(&mut self, client: Option<SocketAddr>) {
        self.mail = None;
        self.client = client.map_or((None, 0), |client| (Some(client.ip()), client.port()));
    }

    /// A mail begins. One with a sender that is too long is put off at its recipients: MAIL gets no answer.
    pub fn mail(&mut self, sender: &[u8], authenticated: bool) {
        if self.is_too_long(sender) {
            self.mail = None;
            return;
        }
        let latest = self.state.snapshot();
        if self.wanted.covers(Wanted::of(&latest)) {
            self.snapshot = latest;
        }
        let (sender, judged) = (sender.to_vec(), Recipients::default());
        let (recipients, replaced, headers) = (Vec::new(), Vec::new(), Headers::default());
        self.mails += 1;
        let instance = format!("{}.{}", self.name, self.mails).into_bytes();
        let (message, in_body) = (None, false);
        self.mail =
            Some(Mail { instance, sender, authenticated, judged, recipients, replaced, headers, message, in_body });
    }

    fn is_too_long(&self, address: &[u8]) -> bool {
        let long = address.len() > MAX_ADDRESS;
        if long {
            self.state.log.complaint("a mail server brought an address of more than 1000 octets; it was put off (451)");
        }
        long
    }

    /// Whether a mail is under way.
    pub const fn is_busy(&self) -> bool {
        self.mail.is_some()
    }

    /// A recipient.
    pub fn recipient(&mut self, recipient: &[u8], queue: &[u8]) -> Answer {
        if self.is_too_long(recipient) {
            return Answer::Later;
        }
        let (Some(now), Some(mail)) = (self.state.clock.now(), &mut self.mail) else { return Answer::Later };
        if mail.recipients.len() >= MAX_RECIPIENTS {
            return Answer::Later;
        }
        let (state, snapshot) = (&*self.state, &*self.snapshot);
        let context = Context::of_client(Face::Milter, snapshot, self.client, mail.authenticated)
            .of_mail(cut(queue), &mail.instance);
        let (decided, told) = mail.judged.next(state, snapshot, &context, &mail.sender, recipient, REACH, now);
        match told {
            Told::Refuse(reply) => return Answer::Refuse(reply),
            Told::Wait => {
                let state = &self.state;
                mail.message.get_or_insert_with(|| Message::new(Arc::clone(state)));
            }
            Told::Go => {
                if let Some(address) = decided.action.address() {
                    mail.replaced.push((recipient.to_vec(), *address));
                }
                mail.headers.judged(&decided, None);
            }
        }
        mail.recipients.push((recipient.to_vec(), None));
        Answer::Continue
    }

    /// An argument of the recipient that was just let in. NOTIFY goes with it when its tag goes; ORCPT does not, since it
    /// tells the tag.
    pub fn argument(&mut self, argument: &[u8]) {
        let Some(Mail { recipients, .. }) = &mut self.mail else { return };
        let is_notify = argument.split_at_checked(NOTIFY.len()).is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case(NOTIFY) && value.iter().all(|it| it.is_ascii_alphabetic() || *it == b',')
        });
        if let Some((_, notify)) = recipients.last_mut().filter(|_| is_notify && argument.len() <= MAX_NOTIFY) {
            *notify = Some(argument.to_vec());
        }
    }

    /// DATA.
    pub fn data(&mut self, queue: &[u8]) -> Answer {
        let (Some(now), Some(mail)) = (self.state.clock.now(), &mut self.mail) else { return Answer::Later };
        let (state, snapshot) = (&*self.state, &*self.snapshot);
        let context = Context::of_client(Face::Milter, snapshot, self.client, mail.authenticated)
            .of_mail(cut(queue), &mail.instance);
        match mail.judged.data(state, snapshot, &context, &mail.sender, b"", now) {
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
            if let Some(message) = &mut mail.message {
                [name, b": ", value, b"\r\n"].into_iter().for_each(|part| message.push(part));
            }
        }
    }

    /// A piece of the body. Whether more of it may matter.
    pub fn body(&mut self, octets: &[u8]) -> bool {
        let Some(Mail { message: Some(message), in_body, .. }) = &mut self.mail else { return false };
        if !std::mem::replace(in_body, true) {
            message.push(b"\r\n");
        }
        message.push(octets);
        message.wants_more()
    }

    /// The end of the message.
    pub fn end(&mut self, queue: &[u8]) -> End {
        let (Some(now), Some(mut mail)) = (self.state.clock.now(), self.mail.take()) else { return End::Later };
        let (state, snapshot) = (&*self.state, &*self.snapshot);
        let context = Context::of_client(Face::Milter, snapshot, self.client, mail.authenticated)
            .of_mail(cut(queue), &mail.instance);
        // Of one for whom DATA did not come.
        if let Some(reply) = mail.judged.data(state, snapshot, &context, &mail.sender, b"", now) {
            return End::Refuse(reply);
        }
        if let Some(reply) = mail.headers.refusal() {
            state.log.complaint("a message with more than 100 copies of the verdict header was refused (554)");
            return End::Refuse(reply);
        }
        if let Some(message) = mail.message.take() {
            let (replaced, headers) = (&mut mail.replaced, &mut mail.headers);
            let told = |recipient: &[u8], judged: &Judged<'_>| {
                replaced.extend(judged.decided.action.address().map(|address| (recipient.to_vec(), *address)));
                headers.judged(&judged.decided, Some(&judged.seen));
            };
            if let Some(reply) = mail.judged.message(state, snapshot, &context, &mail.sender, &message, now, told) {
                return End::Refuse(reply);
            }
        }
        let recipients: Vec<&[u8]> = mail.recipients.iter().map(|(given, _)| given.as_slice()).collect();
        let (decided, event) = decide::outgoing(snapshot, &context, &mail.sender, &recipients, now);
        state.record(snapshot, &event);
        let headers = mail.headers.changes(snapshot, decided.takes_mark(), now.day);
        let notify: HashMap<&[u8], &Vec<u8>> =
            mail.recipients.iter().filter_map(|(given, notify)| Some((given.as_slice(), notify.as_ref()?))).collect();
        let with_notify = |(given, address): (Vec<u8>, Address)| {
            let notify = notify.get(given.as_slice()).map(|it| (*it).clone());
            (given, address, notify)
        };
        let recipients = mail.replaced.into_iter().map(with_notify).collect();
        End::Accept(Changes { sender: decided.rewrite, recipients, headers })
    }

    /// The mail under way is given up.
    pub fn abort(&mut self) {
        self.mail = None;
    }
}

fn cut(queue: &[u8]) -> &[u8] {
    queue.get(..MAX_QUEUE).unwrap_or(queue)
}
