//! The filter of OpenSMTPD, `backstopd filter`: a process of its own on standard input and output.
//!
//! `line.rs` reads, `session.rs` decides. In smtpd.conf, on every listener, the local socket included (so that mail of this
//! host is signed and OpenSMTPD's own bounces reach the mailbox):
//!
//! ```text
//! filter backstop proc-exec "/usr/sbin/backstopd filter" user backstop group backstop
//! listen on socket filter backstop
//! listen on all filter backstop
//! ```
//!
//! In a chain it stands behind filters that only refuse, and in front of those that answer `rewrite`, `junk` or `bypass` at MAIL
//! or RCPT, since OpenSMTPD asks no filter behind such an answer: that MAIL leaves unsigned, that RCPT unjudged. Nor are
//! filters behind this one asked where it rewrites.
//!
//! It signs at MAIL, so it sees no recipient when it does; it refuses at RCPT, DATA or the end of the message and takes off
//! tags at RCPT. OpenSMTPD forgets RET and ENVID of a MAIL that is rewritten, nothing of an RCPT. It asks and waits: every
//! question gets one answer, also one of an unknown kind. A line of more than [`MAX_LINE`] octets is cut off there, which no
//! address survives; one that cannot be read is told in the log and left. Another version of the protocol ends the filter with
//! a sentence, and OpenSMTPD with it: signing what nobody vouched for would be worse. SIGHUP reloads, SIGUSR1 opens the log
//! anew; OpenSMTPD ends it by closing its input.
//!
//! Where the policy wants the message, OpenSMTPD is asked for the lines of all mail and gets each back as it came. It asks what
//! is wanted at its start only, so a reload that begins to want them is refused. OpenSMTPD 6.8 itself cuts lines off behind
//! [`MAX_MAIL_LINE`] octets when it takes them back, without a word; a mail with a longer one is refused instead.
//!
//! Its metrics are its own, read at `metrics` of `[filter]`. Where that cannot be bound at the start the log says so and the
//! filter runs on, since OpenSMTPD ends with it.

pub mod line;
pub mod session;

use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;

use backstop::policy::Need;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::line::{Fault, Line, Phase, Question};
use self::session::{Answer, Sessions};
use crate::args::Source;
use crate::clock::Clock;
use crate::listen::Handed;
use crate::log::Log;
use crate::server::{self, Gates, Loaded};
use crate::state::State;
use crate::stop::{Exit, Stop};

/// The longest line that is read whole.
/// Lines of mail have 65535 octets in OpenSMTPD.
pub const MAX_LINE: usize = 66_048;
/// The longest line of a mail that OpenSMTPD 6.8 takes back whole: it has 2047 octets for the answer, 50 for what stands before.
pub const MAX_MAIL_LINE: usize = 1997;
/// The octets of answers that are kept back while there is more to read.
const BUNCH: usize = 16 * 1024;

/// What OpenSMTPD is asked to tell and to ask.
const REGISTER: &[u8] = b"register|report|smtp-in|link-connect\n\
    register|report|smtp-in|link-auth\n\
    register|report|smtp-in|link-disconnect\n\
    register|report|smtp-in|tx-begin\n\
    register|report|smtp-in|tx-mail\n\
    register|filter|smtp-in|mail-from\n\
    register|filter|smtp-in|rcpt-to\n\
    register|filter|smtp-in|data\n";
/// What it is asked as well where the policy wants the message.
const REGISTER_MESSAGE: &[u8] = b"register|filter|smtp-in|data-line\n\
    register|filter|smtp-in|commit\n";
const REGISTERED: &[u8] = b"register|ready\n";

/// Runs until the input ends.
///
/// # Errors
/// What kept it from starting, or another version of the protocol.
pub fn run(source: &Source, clock: Clock, input: impl Read, mut output: impl Write) -> Result<(), Stop> {
    let (runtime, signals) = signals()?;
    let loaded = load(source, &clock)?;
    let log = Log::start(&loaded.snapshot.config.log, clock.clone())?;
    let ring = &loaded.snapshot.ring;
    log.notice(&format!(
        "backstopd {} is ready: filter; ring {} with {} keys",
        env!("CARGO_PKG_VERSION"),
        ring.fingerprint(),
        ring.keys().len()
    ));
    loaded.notices.iter().for_each(|notice| log.notice(notice));
    let state = Arc::new(State::new(loaded.snapshot, clock, log));
    let mut filter = Filter::new(Arc::clone(&state));
    work_in_background(runtime, signals, source.clone(), Arc::clone(&state), filter.sees_message)?;
    let ended = answer_all(&mut filter, input, &mut output);
    state.log.flush();
    ended
}

fn load(source: &Source, clock: &Clock) -> Result<Loaded, Stop> {
    let loaded = server::load(source.load_for_filter()?, &source.given.state, clock, true)?;
    match loaded.snapshot.config.filter {
        Some(_) => Ok(loaded),
        None => Err(Stop::config("the configuration has no filter; add the table [filter]")),
    }
}

/// SIGHUP and SIGUSR1, caught from here on.
fn signals() -> Result<(Runtime, [Signal; 2]), Stop> {
    let wrong = |error: io::Error| Stop::new(Exit::Os, format!("signals cannot be received: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(wrong)?;
    let listen = |kind| runtime.block_on(async { signal(kind) }).map_err(wrong);
    let signals = [listen(SignalKind::hangup())?, listen(SignalKind::user_defined1())?];
    server::let_sigusr1_come();
    Ok((runtime, signals))
}

/// Reloads, and the metrics.
fn work_in_background(
    runtime: Runtime,
    [mut hangup, mut user]: [Signal; 2],
    source: Source,
    state: Arc<State>,
    sees_message: bool,
) -> Result<(), Stop> {
    let work = move || {
        runtime.block_on(async {
            let (mut gates, handed) = (Gates::new(Arc::clone(&state)), Handed::none());
            let endpoints = state.snapshot().config.filter_metrics.clone();
            match gates.bind(&endpoints, &handed) {
                Ok(bound) => gates.commit(&endpoints, bound),
                Err(stop) => state.log.notice(&format!("the metrics of the filter cannot be read: {stop}")),
            }
            loop {
                tokio::select! {
                    Some(()) = hangup.recv() => {}
                    Some(()) = user.recv() => {
                        state.log.reopen(&state.snapshot().config.log);
                        continue;
                    }
                    else => return,
                }
                let reloaded = reload(&source, &state, sees_message, &mut gates, &handed);
                state.metrics.count_reload(reloaded.is_ok(), state.clock.now());
                match reloaded {
                    Ok(notices) => {
                        notices.iter().for_each(|notice| state.log.notice(notice));
                        state.log.notice(&format!("reloaded: filter; ring {}", state.snapshot().ring.fingerprint()));
                    }
                    Err(stop) => {
                        state.log.reopen(&state.snapshot().config.log);
                        state.log.notice(&format!("the reload is refused, the old configuration runs on: {stop}"));
                    }
                }
            }
        });
    };
    let started = std::thread::Builder::new().name("background".to_owned()).spawn(work);
    started.map(drop).map_err(|error| Stop::new(Exit::Os, format!("a thread cannot be started: {error}")))
}

/// Everything that can fail comes before anything is changed.
fn reload(
    source: &Source,
    state: &State,
    sees_message: bool,
    gates: &mut Gates,
    handed: &Handed,
) -> Result<Vec<String>, Stop> {
    let loaded = load(source, &state.clock)?;
    if !sees_message && loaded.snapshot.config.policy.needs(Need::RefuseAtMessage) {
        return Err(Stop::config(
            "refuse-at = \"message\" wants the lines of mails, for which OpenSMTPD is asked at its start only; restart OpenSMTPD",
        ));
    }
    let log = Log::prepare(&loaded.snapshot.config.log)?;
    let endpoints = loaded.snapshot.config.filter_metrics.clone();
    let bound = gates.bind(&endpoints, handed)?;
    state.swap(loaded.snapshot);
    state.log.turn(log);
    gates.commit(&endpoints, bound);
    Ok(loaded.notices)
}

/// Answers line by line until the input ends.
///
/// # Errors
/// Reading or writing failed, or the version is another.
pub fn answer_all(filter: &mut Filter, input: impl Read, output: &mut impl Write) -> Result<(), Stop> {
    let mut input = io::BufReader::with_capacity(BUNCH, input);
    let (mut line, mut answers) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        let read = input.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line);
        match read {
            Err(error) => return Err(Stop::new(Exit::Io, format!("OpenSMTPD cannot be read: {error}"))),
            // A line without an end is the end of OpenSMTPD in its midst.
            Ok(_) if line.last() != Some(&b'\n') && line.len() < MAX_LINE => return Ok(()),
            Ok(_) => {}
        }
        let whole = line.pop_if(|last| *last == b'\n').is_some();
        if !whole {
            filter.state.log.complaint("OpenSMTPD sent a line of more than 66048 octets; its end is not read");
            input
                .skip_until(b'\n')
                .map_err(|error| Stop::new(Exit::Io, format!("OpenSMTPD cannot be read: {error}")))?;
        }
        filter.line(&line, whole, &mut answers)?;
        // Whole bunches, but nobody waits.
        if input.buffer().is_empty() || answers.len() > BUNCH {
            match output.write_all(&answers).and_then(|()| output.flush()) {
                Ok(()) => answers.clear(),
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                Err(error) => return Err(Stop::new(Exit::Io, format!("OpenSMTPD cannot be answered: {error}"))),
            }
        }
    }
}

/// The filter without its process: lines in, answers out.
#[derive(Debug)]
pub struct Filter {
    state: Arc<State>,
    sessions: Sessions,
    /// Whether OpenSMTPD is asked for the lines of mails.
    sees_message: bool,
}

impl Filter {
    /// A filter that knows no session yet.
    pub fn new(state: Arc<State>) -> Filter {
        let sees_message = state.snapshot().config.policy.needs(Need::RefuseAtMessage);
        Filter { sessions: Sessions::new(Arc::clone(&state), sees_message), state, sees_message }
    }

    /// Takes a line, or the beginning of one that is too long, and appends the answer, if it wants one.
    ///
    /// # Errors
    /// A version that is not known.
    pub fn line(&mut self, line: &[u8], whole: bool, out: &mut Vec<u8>) -> Result<(), Stop> {
        match line::parse(line) {
            Ok(Line::Ready) => {
                let message: &[u8] = if self.sees_message { REGISTER_MESSAGE } else { b"" };
                [REGISTER, message, REGISTERED].iter().for_each(|lines| out.extend_from_slice(lines));
            }
            Ok(Line::Connect(session, client)) => self.sessions.connect(session, client),
            Ok(Line::Auth(session, passed)) => self.sessions.authenticate(session, passed),
            Ok(Line::Begin(session)) => self.sessions.begin(session),
            Ok(Line::Fail(session)) => self.sessions.fail(session),
            Ok(Line::Mail(session, queue, sender)) => self.sessions.mail(session, queue, sender),
            Ok(Line::Disconnect(session)) => self.sessions.disconnect(session),
            Ok(Line::Ask(Question { phase: Phase::DataLine, session, key, address: line })) => {
                self.sessions.data_line(session, line, whole && line.len() <= MAX_MAIL_LINE);
                // Whatever becomes of it: as it came.
                for part in [b"filter-dataline|", key, b"|", line, b"\n"] {
                    out.extend_from_slice(part);
                }
            }
            Ok(Line::Ask(question)) => write_answer(question.key, &self.sessions.ask(&question), out),
            Ok(Line::Other) => {}
            Err(Fault::Shape) => self.state.log.complaint("OpenSMTPD sent a line that is none of its protocol"),
            Err(Fault::Version(version)) => {
                let version = String::from_utf8_lossy(version);
                return Err(Stop::new(
                    Exit::Protocol,
                    format!(
                        "OpenSMTPD speaks version {version:.20} of its filter protocol, and 0.5 to 0.7 are known; take the \
                         filter out of smtpd.conf, or a backstopd that knows it"
                    ),
                ));
            }
        }
        Ok(())
    }
}

fn write_answer(key: &[u8], answer: &Answer, out: &mut Vec<u8>) {
    let (verb, value): (&[u8], &[u8]) = match answer {
        Answer::Proceed => (b"proceed", b""),
        Answer::Rewrite(address) => (b"rewrite|<", address.as_bytes()),
        Answer::Reject(reply) => (b"reject|", reply.as_bytes()),
    };
    let end: &[u8] = if matches!(answer, Answer::Rewrite(_)) { b">\n" } else { b"\n" };
    for part in [b"filter-result|", key, b"|", verb, value, end] {
        out.extend_from_slice(part);
    }
}
