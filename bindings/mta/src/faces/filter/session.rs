//! What the filter decides in the course of OpenSMTPD's sessions: reports and questions in, answers out.
//!
//! A session keeps the snapshot with which it began. Who vouches for its mail comes from the reports: authentication, or
//! the client's address; one whose beginning was not reported is a stranger's. At most `sessions` of `[filter]` are
//! remembered; one more forgets the one that was silent for longest, which is a stranger's from then on: its mail leaves
//! unsigned, since nothing vouches for it any more. OpenSMTPD tells the queue id right after MAIL was answered, so the event
//! of the sender waits for it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::line::{Phase, Question, STRANGER};
use crate::clock::Now;
use crate::decide::{self, Context};
use crate::faces::Face;
use crate::faces::hold::{Reach, Recipients, Told};
use crate::state::{Snapshot, State};

/// The longest queue id that is remembered; OpenSMTPD's have eight octets.
const MAX_QUEUE: usize = 64;

/// All sessions.
#[derive(Debug)]
pub struct Sessions {
    state: Arc<State>,
    all: HashMap<u64, Session>,
    /// Counts what happens, to know who was silent for longest.
    tick: u64,
}

#[derive(Debug)]
struct Session {
    snapshot: Arc<Snapshot>,
    client: (Option<IpAddr>, u16),
    authenticated: bool,
    mail: Mail,
    touched: u64,
}

#[derive(Debug, Default)]
struct Mail {
    sender: Vec<u8>,
    queue: Vec<u8>,
    recipients: Recipients,
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
    pub fn new(state: Arc<State>) -> Sessions {
        Sessions { state, all: HashMap::new(), tick: 0 }
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

    /// The mail under way got its queue id.
    pub fn begin(&mut self, id: u64, queue: &[u8]) {
        let state = Arc::clone(&self.state);
        let session = self.session(id);
        session.mail.queue = queue.get(..MAX_QUEUE).unwrap_or(queue).to_vec();
        let Some(now) = state.clock.now() else { return };
        let (context, sender) = (session.context(), &session.mail.sender);
        let (_, event) = decide::outgoing(&session.snapshot, &context, sender, &[], now);
        state.record(&session.snapshot, &event);
    }

    /// Answers.
    pub fn ask(&mut self, question: &Question<'_>) -> Answer {
        let state = Arc::clone(&self.state);
        let Some(now) = state.clock.now() else {
            return Answer::Reject("451 4.3.0 The clock of the filter shows no usable time");
        };
        let session = self.session(question.session);
        match question.phase {
            Phase::MailFrom => session.sender(question.address, now),
            Phase::RcptTo => session.recipient(&state, question.address, now),
            Phase::Data => session.data(&state, now),
            Phase::Other => Answer::Proceed,
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
            mail: Mail::default(),
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
        self.mail = Mail { sender: sender.to_vec(), ..Mail::default() };
        let (decided, _) = decide::outgoing(&self.snapshot, &self.context(), sender, &[], now);
        decided.rewrite.map_or(Answer::Proceed, Answer::Rewrite)
    }

    fn recipient(&mut self, state: &State, recipient: &[u8], now: Now) -> Answer {
        let Mail { sender, queue, recipients } = &mut self.mail;
        let context = context(&self.snapshot, self.client, self.authenticated, queue);
        let (decided, told) = recipients.next(state, &self.snapshot, &context, sender, recipient, Reach::DATA, now);
        match (told, decided.action.address()) {
            (Told::Refuse(reply), _) => Answer::Reject(reply),
            (_, Some(address)) => Answer::Rewrite(*address),
            (_, None) => Answer::Proceed,
        }
    }

    fn data(&mut self, state: &State, now: Now) -> Answer {
        let Mail { sender, queue, recipients } = &mut self.mail;
        let context = context(&self.snapshot, self.client, self.authenticated, queue);
        recipients.data(state, &self.snapshot, &context, sender, now).map_or(Answer::Proceed, Answer::Reject)
    }

    fn context(&self) -> Context<'_> {
        context(&self.snapshot, self.client, self.authenticated, &self.mail.queue)
    }
}

fn context<'a>(
    snapshot: &Snapshot,
    (ip, port): (Option<IpAddr>, u16),
    authenticated: bool,
    queue: &'a [u8],
) -> Context<'a> {
    Context { queue, ..Context::of_client(Face::Filter, snapshot, ip, port, authenticated) }
}
