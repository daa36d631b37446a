//! What the daemon's fuzz targets assert: one plain function a target, over any octets.
//!
//! `fuzz_targets/` hands them to libFuzzer; `../tests/fuzz_seeds.rs` runs them over the kept seeds and over mutations of
//! them. A broken invariant panics.
//!
//! ```text
//! input = octets as they are            tcp_table, policy_service, http, config, report; socketmap
//!       / "~" *( line LF )              socketmap: each line a request, framed
//!       / *( step argument LF )         milter: C client, M sender, A sender with a user, R recipient, T data, H field,
//!                                       B line of the body, E end, X abort
//!       / *( text LF )                  filter
//!       / sender LF recipient LF rest   event: rest is queue id and instance
//! text  = octets as they are, but       milter, filter, event, framed requests of socketmap:
//!         each octet from 0x80 up stands for one of TOKENS
//! ```
//!
//! The faces answer by a policy that enforces, a ring with fixed keys and a clock that stands still; the log goes nowhere.
//! It is a crate apart, since the daemon is GPL-3.0-or-later and the other fuzz targets are not.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use backstop::bounce::{self, Envelope};
use backstop::policy::{Action, Incoming};
use backstop::{Address, KeyRing, Path, mark};
use backstopd::clock::Clock;
use backstopd::config::Config;
use backstopd::decide::{self, Context};
use backstopd::exchange::Broken;
use backstopd::faces::Face;
use backstopd::faces::hold::ALONE;
use backstopd::faces::lookup::Map;
use backstopd::faces::milter::headers::{Change, TOO_MANY};
use backstopd::faces::milter::session::{Answer, End, MAX_ADDRESS, Session};
use backstopd::log::Log;
use backstopd::metrics::http as metrics_http;
use backstopd::report::{self, line, ready, stats};
use backstopd::state::{Snapshot, State};
use backstopd::{faces, guesses};

/// What octets from 0x80 up stand for; the tags are of the ring below: two days old, expired,
/// forged, and SRS.
const TOKENS: [&str; 41] = [
    "prvs=",
    "+prvs=",
    "SRS0=",
    "SRS1=",
    "4",
    "sign ",
    "verify ",
    "srs-forward ",
    "srs-reverse ",
    "@",
    "=",
    "\"",
    "<",
    ">",
    "<>",
    " ",
    "%",
    "alice",
    "Bob.X",
    "news",
    "example.com",
    "Example.COM",
    "elsewhere.example",
    "fwd.example.net",
    "alice@example.com",
    "someone@elsewhere.example",
    "192.0.2.1:25",
    "198.51.100.1:0",
    "prvs=47860fc14d=alice@example.com",
    "prvs=47552a972e=alice@example.com",
    "prvs=4786000000=alice@example.com",
    "SRS0=IPhH=JI=elsewhere.example=someone@fwd.example.net",
    "alice@msg.example.net",
    "From: MAILER-DAEMON@mx.example.org",
    "Subject: Undelivered Mail Returned to Sender",
    "Content-Type: multipart/report; boundary=b",
    "Content-Type: message/rfc822",
    "--b",
    "Received: from x by y; Fri, 20 Nov 2026 10:11:12 +0000",
    "From: alice@msg.example.net",
    "Backstop-Mark: v=1; i=msg.example.net; k=m; d=20776; n=a4dqobyha4dqo; t=b3fipvmvqj5atcne",
];

const CONFIG: &str = "[policy]\nown-domains = [\"example.com\", \"*.example.net\"]\nmode = \"enforce\"\n\
    marks-since = 2020-02-01\nno-sign = [\"news@example.com\"]\nno-sign-recipients = [\"@old.example\"]\nexempt-senders = [\"m@example.org\"]\n\
    internal-hosts = [\"192.0.2.0/24\"]\n[policy.srs]\ndomain = \"fwd.example.net\"\n\
    [policy.domains.\"data.example.net\"]\nmode = \"observe\"\n\
    [policy.domains.\"msg.example.net\"]\nrefuse-at = \"message\"\n[policy.domains.\"see.example.net\"]\n\
    mode = \"observe\"\nrefuse-at = \"message\"\n\
    [log]\nfile = \"/dev/null\"\nformat = \"json\"\nevents = \"all\"\n[limits]\nforged-per-hour = 0\n\
    [milter]\nlisten = [\"inet:127.0.0.1:2\"]\nverdict-header = \"X-Verdict\"\n\
    [filter]\n[policy-service]\nlisten = [\"inet:127.0.0.1:1\"]\nat-data = true\n";
const RING: &[u8] =
    b"version 1\nprvs 4 sha256 10 2020-01-01 - * text:the key of these targets\nsrs 0 sha1 21 2020-01-01 - * text:another\n\
    mark m sha256 14 2020-01-01 - * text:a third\n";
/// 2026-11-21.
const NOW: u64 = 20_778 * 86_400;

fn state() -> &'static Arc<State> {
    static STATE: OnceLock<Arc<State>> = OnceLock::new();
    STATE.get_or_init(|| {
        let (config, clock) = (Config::parse(CONFIG.as_bytes()).unwrap(), Clock::Set(Arc::new(AtomicU64::new(NOW))));
        let log = Log::start(&config.log, clock.clone()).unwrap();
        Arc::new(State::new(Snapshot { config, ring: KeyRing::parse(RING).unwrap() }, clock, log))
    })
}

fn text(data: &[u8]) -> Vec<u8> {
    let token = |octet: u8| TOKENS[usize::from(octet - 0x80) % TOKENS.len()].as_bytes();
    data.iter().flat_map(|octet| if *octet < 0x80 { vec![*octet] } else { token(*octet).to_vec() }).collect()
}

/// What a connection answers to octets that come in pieces of this size, and how it ends.
fn converse(
    octets: &[u8],
    piece: usize,
    frame: usize,
    mut answer: impl FnMut(&[u8], &mut Vec<u8>) -> Result<usize, Broken>,
) -> (Vec<u8>, Result<Vec<u8>, Broken>) {
    let (mut input, mut output) = (Vec::new(), Vec::new());
    for piece in octets.chunks(piece) {
        input.extend_from_slice(piece);
        loop {
            match answer(&input, &mut output) {
                Ok(0) => break,
                Ok(taken) => {
                    assert!(taken <= input.len(), "{taken} of {}", input.len());
                    input.drain(..taken);
                    if input.is_empty() {
                        break;
                    }
                }
                Err(broken) => return (output, Err(broken)),
            }
        }
        // Else the connection would wait for a request that never fits.
        assert!(input.len() < frame, "{} octets of a request that is not given up", input.len());
    }
    (output, Ok(input))
}

/// An answer of a map: an address that is legal, and to which the maps answer as Postfix needs it.
fn assert_answer(face: Face, map: Map, key: &[u8], answer: &[u8]) {
    let (state, snapshot) = (state(), state().snapshot());
    let now = state.clock.now().unwrap();
    let ask = |map, key: &[u8]| faces::lookup::look_up(state, &snapshot, face, map, key, now);
    assert_eq!(ask(map, key).as_ref().map(Address::as_bytes), Some(answer));
    assert!(matches!(Path::parse_tagged(answer), Ok(Path::Mailbox(_))), "{}", answer.escape_ascii());
    // Postfix asks again with every answer; a second hit would go round.
    assert_eq!(ask(map, answer).filter(|_| map != Map::SrsReverse), None, "{}", answer.escape_ascii());
    match map {
        Map::Sign => assert!(ask(Map::Verify, answer).is_some(), "{}", answer.escape_ascii()),
        Map::SrsForward => assert!(ask(Map::SrsReverse, answer).is_some(), "{}", answer.escape_ascii()),
        Map::Verify | Map::SrsReverse => {}
    }
}

/// socketmap: the same answers however the octets come, each a netstring; signing and verifying end.
pub fn socketmap(data: &[u8]) {
    use faces::socketmap::{MAX_FRAME, answer, parse};
    let frame = |line: &[u8]| [format!("{}:", line.len()).as_bytes(), line, b","].concat();
    let octets = match data.strip_prefix(b"~") {
        Some(lines) => lines.split(|octet| *octet == b'\n').flat_map(|line| frame(&text(line))).collect(),
        None => data.to_vec(),
    };
    let (mut requests, mut rest) = (Vec::new(), &*octets);
    while let Ok(Some((request, taken))) = parse(rest) {
        let whole = frame(&[request.map, b" ", request.key].concat());
        assert_eq!(&whole, &rest[..taken]);
        requests.push(request);
        rest = &rest[taken..];
    }
    let ask = |piece| converse(&octets, piece, MAX_FRAME, |input, out| answer(state(), &Map::ALL, input, out));
    let (output, end) = ask(octets.len().max(1));
    assert_eq!(ask(1), (output.clone(), end));
    let mut replies = &*output;
    for request in requests {
        let colon = replies.iter().position(|octet| *octet == b':').unwrap();
        let length: usize = std::str::from_utf8(&replies[..colon]).unwrap().parse().unwrap();
        let (reply, after) = replies[colon + 1..].split_at(length);
        replies = after.strip_prefix(b",").unwrap();
        match (Map::by_name(request.map), reply.strip_prefix(b"OK ")) {
            (Some(map), Some(address)) => assert_answer(Face::Socketmap, map, request.key, address),
            (Some(_), None) => assert_eq!(reply, b"NOTFOUND "),
            (None, _) => assert!(reply.starts_with(b"PERM ")),
        }
    }
    assert_eq!(replies, b"");
}

/// tcp_table: the same answers however the octets come, each a line that decodes; signing and verifying end.
pub fn tcp_table(data: &[u8]) {
    use faces::tcp_table::{MAX_LINE, answer, key, line};
    let Some((which, octets)) = data.split_first() else { return };
    let map = Map::ALL[usize::from(*which) % 4];
    let ask = |piece| converse(octets, piece, MAX_LINE, |input, out| answer(state(), map, input, out));
    let (output, end) = ask(octets.len().max(1));
    assert_eq!(ask(1), (output.clone(), end));
    let mut replies = output.split_inclusive(|octet| *octet == b'\n');
    let mut rest = octets;
    while let Ok(Some((request, taken))) = line(rest) {
        let reply = replies.next().unwrap().strip_suffix(b"\n").unwrap();
        assert!(reply.iter().all(|octet| matches!(octet, b' '..=b'~')), "{}", reply.escape_ascii());
        let value = reply.strip_prefix(b"200 ").map(|value| key(&[b"get ", value].concat()).unwrap());
        match (key(request), value) {
            (Ok(key), Some(address)) => assert_answer(Face::TcpTable, map, &key, &address),
            (_, value) => assert!(value.is_none() && reply.starts_with(b"500 ")),
        }
        rest = &rest[taken..];
    }
    assert_eq!(replies.next(), None);
}

/// The policy service: the same answers however the octets come, each one of the few that it has.
pub fn policy_service(data: &[u8]) {
    use faces::policy_service::{MAX_REQUEST, Session, parse};
    let ask = |piece| {
        let mut session = Session::default();
        converse(data, piece, MAX_REQUEST, |input, out| session.answer(state(), input, out))
    };
    let (output, end) = ask(data.len().max(1));
    assert_eq!(ask(1), (output.clone(), end));
    let (mut requests, mut rest) = (0, data);
    while let Ok(Some((_, taken))) = parse(rest) {
        (requests, rest) = (requests + 1, &rest[taken..]);
    }
    let output = String::from_utf8(output).unwrap();
    let answers: Vec<&str> = output.split_terminator("\n\n").collect();
    assert_eq!(answers.len(), requests);
    for answer in answers {
        let action = answer.strip_prefix("action=").unwrap();
        let refused = action.starts_with("550 5.") && !action.contains('\n');
        assert!(action == "DUNNO" || action == ALONE || refused, "{action}");
    }
}

/// What a mail is, beside what the session knows of it.
#[derive(Default)]
struct Mail {
    sender: Vec<u8>,
    by_user: bool,
    accepted: Vec<Vec<u8>>,
    message: Vec<u8>,
    in_body: bool,
}

impl Mail {
    /// What the policy says of those that wait for the message, all of which is looked at here.
    /// Beside them, whether one is to be refused whatever the message says.
    fn waiting(&self, client: Option<SocketAddr>, known: bool) -> (Vec<(&[u8], Incoming<'_>)>, bool) {
        let (snapshot, now) = (state().snapshot(), state().clock.now().unwrap());
        let (policy, ring) = (&snapshot.config.policy, &snapshot.ring);
        let (ip, port) = (client.map(|it| it.ip()), client.map_or(u16::from(!known), |it| it.port()));
        let class = policy.client(self.by_user, ip, port);
        let mut held = false;
        let judged = self.accepted.iter().filter_map(|recipient| {
            let first = policy.incoming(ring, &self.sender, recipient, class, now.day);
            held |= first.action == Action::Refuse && !first.by_message;
            let envelope = Envelope { sender: Some(&self.sender), recipient: Some(recipient) };
            let seen = || bounce::inspect(&self.message, &envelope, ring, policy, now.day);
            let last = |seen| policy.incoming_message(ring, &self.sender, recipient, class, &seen, now.day);
            first.by_message.then(|| (&**recipient, last(seen())))
        });
        (judged.collect(), held)
    }
}

/// The milter: whatever order the steps come in, only own mail that is vouched for is signed, every recipient that is
/// replaced was given and accepted, a message is refused exactly if the policy says so of all of it, and no recipient whom the
/// policy refuses gets one.
pub fn milter(data: &[u8]) {
    let mut session = Session::new(Arc::clone(state()));
    let (mut client, mut known, mut vouched) = (None::<SocketAddr>, false, false);
    let mut mail = Mail::default();
    for line in data.split(|octet| *octet == b'\n') {
        let Some((step, argument)) = line.split_first() else { continue };
        let argument = text(argument);
        match step {
            b'C' => {
                client = std::str::from_utf8(&argument).ok().and_then(|it| it.parse().ok());
                known = true;
                session.connect(client);
            }
            b'M' | b'A' => {
                let own = |it: SocketAddr| {
                    it.ip().to_string().starts_with("192.0.2.") || (it.port() == 0 && it.ip().is_loopback())
                };
                vouched = *step == b'A' || (known && client.is_none_or(own));
                mail = Mail { sender: argument, by_user: *step == b'A', ..Mail::default() };
                session.mail(&mail.sender, mail.by_user);
                assert_eq!(session.is_busy(), mail.sender.len() <= MAX_ADDRESS);
            }
            b'R' => match session.recipient(&argument, b"") {
                // The header comes behind the recipients; nobody waited for what of it came before.
                Answer::Continue if mail.message.is_empty() => mail.accepted.push(argument),
                Answer::Continue => return,
                Answer::Refuse(ALONE) => assert!(!mail.accepted.is_empty()),
                Answer::Refuse(reply) => assert!(reply.starts_with("550 5.") && reply != guesses::REPLY, "{reply}"),
                Answer::Later => assert!(!session.is_busy() || argument.len() > MAX_ADDRESS),
            },
            b'H' if !mail.in_body => {
                let at = argument.iter().position(|octet| *octet == b':').unwrap_or(argument.len());
                let (name, value) = argument.split_at(at);
                let value = value.get(1..).unwrap_or_default().trim_ascii_start();
                mail.message.extend([name, b": ", value, b"\r\n"].concat());
                session.header(name, value);
            }
            b'B' => {
                if !std::mem::replace(&mut mail.in_body, true) {
                    mail.message.extend(b"\r\n");
                }
                let argument = [&*argument, b"\r\n"].concat();
                mail.message.extend(&argument);
                session.body(&argument);
            }
            b'T' => {
                let busy = session.is_busy();
                match session.data(b"Q") {
                    Answer::Refuse(reply) => {
                        assert!(reply.starts_with("550 5.") && mail.accepted.len() <= 1, "{reply}");
                    }
                    Answer::Continue => assert!(busy),
                    Answer::Later => assert!(!busy),
                }
            }
            b'E' => {
                let busy = session.is_busy();
                let (waiting, held) = mail.waiting(client, known);
                let refused = waiting.iter().find(|(_, last)| last.action == Action::Refuse);
                let changes = match session.end(b"Q") {
                    End::Later => {
                        assert!(!busy);
                        continue;
                    }
                    End::Refuse(reply) => {
                        assert!(
                            held || reply == TOO_MANY || Some(reply) == refused.and_then(|(_, last)| last.reply),
                            "{reply}"
                        );
                        assert!(reply == TOO_MANY || mail.accepted.len() == 1, "one is refused with others");
                        continue;
                    }
                    End::Accept(changes) => changes,
                };
                assert!(busy && refused.is_none() && !held, "{refused:?}");
                for change in changes.headers {
                    let value = match &change {
                        Change::Delete(_, index) => &index.to_string(),
                        Change::Top(name, value) => {
                            assert!(name != mark::HEADER || changes.sender.is_some(), "{value}");
                            value
                        }
                    };
                    // Nothing that arrives gets into a header but the domain of the From.
                    assert!(value.bytes().all(|octet| octet > b'\x1f' && octet != b'\x7f'), "{value:?}");
                }
                if let Some(sender) = changes.sender {
                    assert!(vouched, "{sender} signed for {client:?}");
                    assert!(state().snapshot().config.policy.own_domains().contains(sender.mailbox().domain()));
                }
                for (recipient, last) in waiting.iter().take(faces::hold::MAX_WAITING) {
                    let to = changes.recipients.iter().find(|(given, ..)| given == recipient).map(|(_, to, _)| *to);
                    assert_eq!(to, last.action.address().copied(), "{}", recipient.escape_ascii());
                }
                for (given, address, _) in changes.recipients {
                    assert!(mail.accepted.contains(&given), "{address}");
                    assert!(matches!(Path::parse_tagged(address.as_bytes()), Ok(Path::Mailbox(_))), "{address}");
                }
                mail = Mail::default();
            }
            b'X' => session.abort(),
            _ => {}
        }
    }
}

/// The filter: one answer a question with its key, on a line of its own; a sender that is rewritten is own; what comes in a
/// session that is not known has to come again, and nothing else; where no mail was told since it began, nothing is judged.
pub fn filter(data: &[u8]) {
    use faces::filter::line::{Fault, Line, Phase, Question, parse};
    use faces::filter::session::FORGOTTEN;
    let mut filter = faces::filter::Filter::new(Arc::clone(state()));
    let (mut known, mut told) = (HashSet::new(), HashSet::new());
    for line in data.split(|octet| *octet == b'\n') {
        let (line, mut out) = (text(line), Vec::new());
        let done = filter.line(&line, true, &mut out);
        match parse(&line) {
            Ok(Line::Ask(Question { phase: Phase::DataLine, key, address, .. })) => {
                assert_eq!(out, [b"filter-dataline|", key, b"|", address, b"\n"].concat());
            }
            Ok(Line::Ask(question)) => {
                let answer = [b"filter-result|", question.key, b"|"].concat();
                let answer = out.strip_prefix(&*answer).unwrap().strip_suffix(b"\n").unwrap();
                if question.phase == Phase::MailFrom {
                    known.insert(question.session);
                }
                let forgotten = question.phase != Phase::Other && !known.contains(&question.session);
                assert_eq!(answer.ends_with(FORGOTTEN.as_bytes()), forgotten, "{}", answer.escape_ascii());
                if forgotten {
                    continue;
                }
                let judged = question.phase == Phase::MailFrom || told.contains(&question.session);
                assert!(judged || answer == b"proceed", "{}", answer.escape_ascii());
                let rewritten = answer.strip_prefix(b"rewrite|<").and_then(|it| it.strip_suffix(b">"));
                match rewritten.map(Path::parse_tagged) {
                    Some(Ok(Path::Mailbox(mailbox))) => {
                        let own = state().snapshot().config.policy.own_domains().contains(mailbox.domain());
                        assert!(question.phase != Phase::MailFrom || own, "{}", answer.escape_ascii());
                    }
                    Some(_) => panic!("{}", answer.escape_ascii()),
                    None => assert!(
                        answer == b"proceed"
                            || answer.starts_with(b"reject|550 5.")
                            || answer.ends_with(ALONE.as_bytes())
                    ),
                }
                assert!(!answer.contains(&b'\n'));
            }
            Ok(Line::Ready) => assert!(out.ends_with(b"register|ready\n")),
            Ok(
                report @ (Line::Connect(..)
                | Line::Auth(..)
                | Line::Begin(_)
                | Line::Mail(..)
                | Line::Fail(_)
                | Line::Disconnect(_)),
            ) => {
                match report {
                    Line::Connect(session, _) => {
                        known.insert(session);
                        told.remove(&session);
                    }
                    Line::Auth(session, _) => drop(known.insert(session)),
                    Line::Mail(session, ..) if known.contains(&session) => drop(told.insert(session)),
                    Line::Disconnect(session) => {
                        known.remove(&session);
                        told.remove(&session);
                    }
                    Line::Begin(session) => drop(told.remove(&session)),
                    _ => {}
                }
                assert!(out.is_empty() && done.is_ok());
            }
            Ok(Line::Other) | Err(Fault::Shape) => assert!(out.is_empty() && done.is_ok()),
            Err(Fault::Version(_)) => return assert!(out.is_empty() && done.is_err()),
        }
    }
}

/// HTTP: an answer is the same with more behind it, and comes once the head is whole or too long.
pub fn http(data: &[u8]) {
    let whole = metrics_http::answer(data);
    assert!(whole.is_some() || data.len() < metrics_http::MAX_HEAD);
    let first = (0..data.len()).find_map(|end| metrics_http::answer(&data[..end]));
    assert!(first.is_none() || first == whole, "{first:?} {whole:?}");
    if matches!(whole, Some(metrics_http::Answer::Metrics(_))) {
        assert!(data.windows(8).any(|it| it == b"/metrics"));
    }
}

/// The configuration: a fault is on a line that is there; what is understood reads back from what `check` prints.
pub fn config(data: &[u8]) {
    match Config::parse(data) {
        Err(fault) => {
            assert!((1..=data.split(|octet| *octet == b'\n').count()).contains(&fault.line), "{fault}");
            assert!(!fault.message.is_empty());
        }
        Ok(config) => {
            let printed = config.to_toml(&KeyRing::empty());
            let again = Config::parse(printed.as_bytes()).unwrap_or_else(|fault| panic!("{fault} in\n{printed}"));
            assert_eq!(again.to_toml(&KeyRing::empty()), printed);
            faces::unmet(&config);
        }
    }
}

/// The reports: any log gives one, its figures agree, and nothing of it can write on a terminal.
pub fn report(data: &[u8]) {
    let (mut is_ready, mut sums, mut log, mut decisions) =
        (ready::Ready::default(), stats::Stats::default(), report::Log::default(), 0);
    let take = |decision: &line::Decision| {
        decisions += 1;
        is_ready.take(decision);
        sums.take(decision);
    };
    log.read("fuzz", data, take).unwrap();
    assert_eq!(log.decisions, decisions);
    let question = ready::Question { days: 14, top: 5, accept: Vec::new() };
    let (text, all) = is_ready.answer(&log, &question, false);
    let (json, same) = is_ready.answer(&log, &question, true);
    assert_eq!(all, same);
    for text in [text, sums.report(&log, 5, false)] {
        assert!(!text.contains(|it: char| it.is_control() && it != '\n'), "{}", text.escape_debug());
    }
    for json in [json, sums.report(&log, 5, true)] {
        let report: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(report["log"]["decisions"], decisions);
    }
}

/// Events: each is one line, JSON that the reports read back, and redacted it has no local part.
pub fn event(data: &[u8]) {
    let mut lines = data.splitn(3, |octet| *octet == b'\n');
    let (sender, recipient) = (text(lines.next().unwrap_or_default()), text(lines.next().unwrap_or_default()));
    let rest = lines.next().unwrap_or_default();
    let (state, snapshot) = (state(), state().snapshot());
    let now = state.clock.now().unwrap();
    let context = Context::of_client(Face::Milter, &snapshot, ("192.0.2.1".parse().ok(), 25), rest.len() % 2 == 0)
        .of_mail(rest, rest);
    let incoming = decide::incoming(&snapshot, &context, &sender, &recipient, now).1;
    let outgoing = decide::outgoing(&snapshot, &context, &sender, &[&recipient], now).1;
    let forward = decide::forward(&snapshot, &context, &sender, &recipient, now).1;
    for event in [incoming, outgoing, forward] {
        for (json, redact) in [(true, false), (true, true), (false, false), (false, true)] {
            let settings = backstopd::config::LogSettings { json, redact, ..snapshot.config.log.clone() };
            let text = event.to_line(&settings);
            assert!(!text.contains(char::is_control), "{}", text.escape_debug());
            if json {
                let line = line::parse(text.as_bytes()).unwrap_or_else(|what| panic!("{what}: {text}"));
                let read = line.decision.unwrap();
                assert_eq!(
                    (read.kind, read.face, read.rule, read.action),
                    (event.kind, event.face, event.rule, event.action)
                );
                let object: serde_json::Value = serde_json::from_str(&text).unwrap();
                let local = |name: &str| {
                    let address = object[name].as_str().unwrap_or("*").to_owned();
                    address == "<>" || address.starts_with('*')
                };
                assert!(!redact || ["sender", "recipient", "mailbox", "output"].into_iter().all(local), "{text}");
            }
        }
    }
}
