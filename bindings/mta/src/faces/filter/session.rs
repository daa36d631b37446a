//! What the filter decides in the course of OpenSMTPD's sessions: reports and questions in, answers out.
//!
//! A session keeps the snapshot with which it began. Who vouches for its mail comes from the reports: authentication, or
//! the client's address; one whose beginning was not reported is a stranger's. At most `sessions` of `[filter]` are
//! remembered; one more forgets the one that was silent for longest, which is a stranger's from then on: its mail leaves
//! unsigned, since nothing vouches for it any more. A mail in its midst has to come again (451): without its sender nobody
//! knows whether it is a bounce. The events of a mail share an instance: OpenSMTPD's number of the session, and that of the
//! mail.
//!
//! A MAIL is asked about, unless a filter in front answered it, and is told right after it was accepted, with its queue id and
//! the sender that the client gave. What follows is judged by what was told; the event of a signature waits for it, too.
//!
//! A recipient can be changed at RCPT only. So the message has a say where it stays as it is or its tag came off there, and not
//! about one whose tag did not pass, nor about an SRS address that was not reversed: a mark could save its bounce, but not
//! take the tag off. That is refused at DATA.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use backstop::policy::RefuseAt;

use super::line::{Phase, Question};
use crate::clock::Now;
use crate::decide::{self, Context, STRANGER};
use crate::faces::Face;
use crate::faces::hold::{Message, Reach, Recipients, Told};
use crate::state::{Snapshot, State};

/// The longest queue id that is remembered; OpenSMTPD's have eight octets.
const MAX_QUEUE: usize = 64;
/// The reply to a mail with a line that OpenSMTPD would not take back whole.
const DAMAGED: &str = "554 5.6.0 A line of this mail is longer than 1997 octets, which cannot pass here; break it";
/// The reply to what comes in a session that was forgotten.
pub const FORGOTTEN: &str = "451 4.3.2 Too many sessions at once, and this mail was forgotten; send it again";

/// Said where a filter in front kept a MAIL from this one.
const UNASKED: &str = "a filter in front of this one answered a MAIL that is to be signed, so that it leaves unsigned; put this \
                       filter in front of it in smtpd.conf";

/// All sessions.
#[derive(Debug)]
pub struct Sessions {
    state: Arc<State>,
    all: HashMap<u64, Session>,
    /// Whether the lines of mails come.
    reach: Reach,
    /// Counts what happens, to know who was silent for longest.
    tick: u64,
}

#[derive(Debug)]
struct Session {
    snapshot: Arc<Snapshot>,
    client: (Option<IpAddr>, u16),
    authenticated: bool,
    /// Its number, and how many mails it brought.
    id: u64,
    mails: u64,
    /// The sender that was asked about last, until its mail is told, or that its MAIL failed.
    asked: Option<Vec<u8>>,
    /// The mail under way, once its MAIL was told.
    mail: Option<Mail>,
    touched: u64,
}

#[derive(Debug, Default)]
struct Mail {
    sender: Vec<u8>,
    queue: Vec<u8>,
    instance: Vec<u8>,
    recipients: Recipients,
    /// The message, if a recipient waits for it.
    message: Option<Message>,
    /// Whether a line of it was too long to be given back.
    damaged: bool,
}

/// What OpenSMTPD is to do.
#[expect(clippy::large_enum_variant, reason = "one at a time, gone as soon as it is written")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Proceed,
    /// Go on with another address.
    Rewrite(backstop::Address),
    /// Refuse with this reply.
    Reject(&'static str),
}

impl Sessions {
    /// None so far.
    pub fn new(state: Arc<State>, sees_message: bool) -> Sessions {
        let until = if sees_message { RefuseAt::Message } else { RefuseAt::Data };
        Sessions { state, all: HashMap::new(), reach: Reach { until, changes_late: false }, tick: 0 }
    }

    /// A client came.
    pub fn connect(&mut self, id: u64, client: (Option<IpAddr>, u16)) {
        self.all.remove(&id);
        self.session(id).client = client;
    }

    /// A client authenticated, or failed to.
    pub fn authenticate(&mut self, id: u64, passed: bool) {
        self.session(id).authenticated = passed;
    }

    /// A client left.
    pub fn disconnect(&mut self, id: u64) {
        self.all.remove(&id);
    }

    /// A mail begins, of which nothing is known yet.
    pub fn begin(&mut self, id: u64) {
        if let Some(session) = self.known(id) {
            session.mail = None;
        }
    }

    /// The MAIL that was asked about last, if any was, came to nothing.
    pub fn fail(&mut self, id: u64) {
        if let Some(session) = self.known(id) {
            session.asked = None;
        }
    }

    /// The mail under way has this queue id and this sender.
    pub fn mail(&mut self, id: u64, queue: &[u8], sender: &[u8]) {
        let state = Arc::clone(&self.state);
        let Some(session) = self.known(id) else { return };
        session.mails += 1;
        let instance = format!("{:016x}.{}", session.id, session.mails).into_bytes();
        let queue = queue.get(..MAX_QUEUE).unwrap_or(queue).to_vec();
        let Session { snapshot, client, authenticated, asked, mail, .. } = session;
        let mail = mail.insert(Mail { sender: sender.to_vec(), queue, instance, ..Mail::default() });
        let (Some(now), asked) = (state.clock.now(), asked.take()) else { return };
        let context =
            Context::of_client(Face::Filter, snapshot, *client, *authenticated).of_mail(&mail.queue, &mail.instance);
        let (decided, event) = decide::outgoing(snapshot, &context, sender, &[], now);
        if asked.as_deref() == Some(sender) {
            state.record(snapshot, &event);
        } else if decided.rewrite.is_some() {
            state.log.complaint(UNASKED);
        }
    }

    /// Answers.
    pub fn ask(&mut self, question: &Question<'_>) -> Answer {
        let state = Arc::clone(&self.state);
        let Some(now) = state.clock.now() else {
            return Answer::Reject("451 4.3.0 The clock of the filter shows no usable time");
        };
        let reach = self.reach;
        match question.phase {
            Phase::MailFrom => return self.session(question.session).sender(question.address, now),
            Phase::DataLine | Phase::Other => return Answer::Proceed,
            Phase::RcptTo | Phase::Data | Phase::Commit => {}
        }
        let Some(session) = self.known(question.session) else { return Answer::Reject(FORGOTTEN) };
        let Session { snapshot, client, authenticated, mail: Some(mail), .. } = session else {
            return Answer::Proceed;
        };
        let asker = Asker { state: &state, snapshot, client: *client, authenticated: *authenticated, now };
        match question.phase {
            Phase::RcptTo => mail.recipient(&asker, question.address, reach),
            Phase::Data => mail.data(&asker),
            _ => mail.commit(&asker),
        }
    }

    /// A line of the mail under way, or one that is too long.
    pub fn data_line(&mut self, id: u64, line: &[u8], whole: bool) {
        let Some(Session { mail: Some(mail), .. }) = self.known(id) else { return };
        mail.damaged |= !whole;
        if let Some(message) = &mut mail.message
            && line != b"."
        {
            message.push(line.strip_prefix(b".").unwrap_or(line));
            message.push(b"\r\n");
        }
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The session, if it is known.
    fn known(&mut self, id: u64) -> Option<&mut Session> {
        self.tick = self.tick.wrapping_add(1);
        let session = self.all.get_mut(&id)?;
        session.touched = self.tick;
        Some(session)
    }

    /// The session, a new one if it is not known.
    fn session(&mut self, id: u64) -> &mut Session {
        self.tick = self.tick.wrapping_add(1);
        let touched = self.tick;
        if !self.all.contains_key(&id) {
            self.make_room();
        }
        let session = self.all.entry(id).or_insert_with(|| Session {
            snapshot: self.state.snapshot(),
            client: STRANGER,
            authenticated: false,
            id,
            mails: 0,
            asked: None,
            mail: None,
            touched,
        });
        session.touched = touched;
        session
    }

    fn make_room(&mut self) {
        let most = self.state.snapshot().config.filter.map_or(1, |filter| filter.sessions);
        while self.all.len() >= most.max(1) {
            let Some(idlest) = self.all.iter().min_by_key(|(_, it)| it.touched).map(|(id, _)| *id) else { return };
            self.all.remove(&idlest);
            self.state.log.complaint(&format!(
                "OpenSMTPD has more than {most} sessions; the idlest one was forgotten, see [filter] sessions"
            ));
        }
    }
}

impl Session {
    fn sender(&mut self, sender: &[u8], now: Now) -> Answer {
        self.asked = Some(sender.to_vec());
        let context = Context::of_client(Face::Filter, &self.snapshot, self.client, self.authenticated);
        let (decided, _) = decide::outgoing(&self.snapshot, &context, sender, &[], now);
        decided.rewrite.map_or(Answer::Proceed, Answer::Rewrite)
    }
}

/// What a mail is judged by, beside itself.
struct Asker<'a> {
    state: &'a Arc<State>,
    snapshot: &'a Snapshot,
    client: (Option<IpAddr>, u16),
    authenticated: bool,
    now: Now,
}

impl Mail {
    fn recipient(&mut self, asker: &Asker<'_>, recipient: &[u8], reach: Reach) -> Answer {
        let Asker { state, snapshot, client, authenticated, now } = *asker;
        let Mail { sender, queue, instance, recipients, message, .. } = self;
        let context = Context::of_client(Face::Filter, snapshot, client, authenticated).of_mail(queue, instance);
        let (decided, told) = recipients.next(state, snapshot, &context, sender, recipient, reach, now);
        if told == Told::Wait {
            message.get_or_insert_with(|| Message::new(Arc::clone(state)));
        }
        match (told, decided.action.address()) {
            (Told::Refuse(reply), _) => Answer::Reject(reply),
            (_, Some(address)) => Answer::Rewrite(*address),
            (_, None) => Answer::Proceed,
        }
    }

    fn data(&mut self, asker: &Asker<'_>) -> Answer {
        let Asker { state, snapshot, client, authenticated, now } = *asker;
        let Mail { sender, queue, instance, recipients, .. } = self;
        let context = Context::of_client(Face::Filter, snapshot, client, authenticated).of_mail(queue, instance);
        recipients.data(state, snapshot, &context, sender, b"", now).map_or(Answer::Proceed, Answer::Reject)
    }

    fn commit(&mut self, asker: &Asker<'_>) -> Answer {
        let Asker { state, snapshot, client, authenticated, now } = *asker;
        let Mail { sender, queue, instance, recipients, message, damaged } = self;
        if *damaged {
            return Answer::Reject(DAMAGED);
        }
        let Some(message) = message.take() else { return Answer::Proceed };
        let context = Context::of_client(Face::Filter, snapshot, client, authenticated).of_mail(queue, instance);
        let reply = recipients.message(state, snapshot, &context, sender, &message, now, |_, _| {});
        reply.map_or(Answer::Proceed, Answer::Reject)
    }
}
