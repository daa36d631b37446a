//! `backstop decide`: what a policy decides for a sender and a recipient, and by which rule. Nothing is done.
//!
//! Up to three decisions are told, since what the mail is for the MTA is not known here: about the sender if the mail
//! leaves (`outgoing`), about the sender if the recipient forwards the mail (`forward`, where the policy has SRS), and
//! about the recipient if the mail comes in (`incoming`). Under refuse-at = message that one is the envelope's alone, and
//! says where the message, which is not known here, may change it.

use std::net::IpAddr;
use std::path::Path;

use backstop::explain::printable;
use backstop::policy::{Action, Client, Incoming, Mode, Origin, Outgoing, Policy, Rule};
use backstop::{Day, keyfile};

use crate::args;
use crate::output;
use crate::ring;
use crate::stop::{Outcome, Run, Stop};
use crate::when::Clock;
use backstop::json::Object;

/// The port of a client that is no program of the MTA itself; those have 0.
pub(crate) const ANY_PORT: u16 = 25;

pub(crate) fn run(args: &args::Decide) -> Run {
    let policy = policy(&args.policy)?;
    let ring = ring::load(&args.keys)?;
    let day: Day = Clock(args.at.at).day()?;
    let (ip, port) = client(args.client.as_deref())?;
    let (from, to) = (args.from.as_encoded_bytes(), args.to.as_encoded_bytes());
    let (origin, client) = (policy.origin(args.authenticated, ip, port), policy.client(args.authenticated, ip, port));
    let told = Told {
        from,
        to,
        origin,
        client,
        outgoing: policy.outgoing(&ring, from, [to], origin, day),
        forward: policy.srs().map(|_| policy.forward(&ring, from, to, day)),
        incoming: policy.incoming(&ring, from, to, client, day),
    };
    output::print(&if args.json { told.objects() } else { told.words().into_bytes() })?;
    Ok(Outcome::Done)
}

/// Reads a policy.
pub(crate) fn policy(path: &Path) -> Result<Policy, Stop> {
    let octets = keyfile::read_text(path, "the policy")?;
    let path = path.display();
    Policy::parse(&octets).map_err(|error| Stop::trouble(format!("{path}: {error}")))
}

/// The address and port of the client; no client is an unknown one.
fn client(text: Option<&str>) -> Result<(Option<IpAddr>, u16), Stop> {
    match text {
        None => Ok((None, ANY_PORT)),
        Some("internal") => Ok((None, 0)),
        Some(text) => text
            .parse()
            .map(|ip| (Some(ip), ANY_PORT))
            .map_err(|_| Stop::trouble("--client takes an address such as 192.0.2.1 or 2001:db8::1, or `internal`")),
    }
}

struct Told<'a> {
    from: &'a [u8],
    to: &'a [u8],
    origin: Origin,
    client: Client,
    outgoing: Outgoing,
    forward: Option<Outgoing>,
    incoming: Incoming<'a>,
}

impl Told<'_> {
    fn words(&self) -> String {
        let sender = |name: &str, decided: &Outgoing, more: String| {
            let from = path(self.from);
            let result = match &decided.rewrite {
                Some(address) => format!("{from} becomes {}", printable(address.as_bytes())),
                None => format!("{from} stays as it is"),
            };
            let (rule, sentence) = (decided.rule.slug(), decided.rule.sentence());
            format!("{name:<9} {result}\n          {rule}: {sentence}\n{more}")
        };
        let incoming = &self.incoming;
        let by_message = by_message(incoming);
        let is_enforced = incoming.mode == Mode::Enforce;
        let does = |action: &Action, by_message: &str| match (action, incoming.reply) {
            (Action::Strip(address), _) => format!("is delivered to {}", printable(address.as_bytes())),
            (Action::Reverse(address), _) => format!("goes on to {}", printable(address.as_bytes())),
            (Action::Unchanged, _) => format!("stays as it is{by_message}"),
            (Action::Refuse, Some(reply)) => {
                format!("is refused at {}{by_message}: {reply}", incoming.refuse_at.as_str())
            }
            (Action::Refuse, None) => format!("is refused{by_message}"),
        };
        let mut text = sender("outgoing", &self.outgoing, format!("          origin {}\n", self.origin.as_str()));
        if let Some(forward) = &self.forward {
            text += &sender("forward", forward, String::new());
        }
        let (rule, sentence) = (incoming.rule.slug(), incoming.rule.sentence());
        let done = does(&incoming.action, if is_enforced { by_message } else { "" });
        text += &format!("{:<9} {} {done}\n          {rule}: {sentence}\n", "incoming", path(self.to));
        // Elsewhere nothing is refused, whatever the message shows.
        if incoming.would != incoming.action || !(is_enforced || by_message.is_empty()) {
            text += &format!("          in mode enforce it {}\n", does(&incoming.would, by_message));
        }
        let verdict = incoming.verdict.as_ref().map_or("none", |verdict| verdict.slug());
        let (mode, client) = (incoming.mode.as_str(), self.client.as_str());
        text + &format!("          verdict {verdict}, mode {mode}, client {client}\n")
    }

    fn objects(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut sender = |name: &str, decided: &Outgoing, origin: Option<Origin>| {
            let mut object = Object::open(&mut out);
            object.text("decision", name.as_bytes()).text("input", self.from);
            object.optional("output", decided.rewrite.as_ref().map(|address| address.as_bytes()));
            object.text("rule", decided.rule.slug().as_bytes());
            object.optional("origin", origin.map(|origin| origin.as_str().as_bytes()));
            object.close();
        };
        sender("outgoing", &self.outgoing, Some(self.origin));
        if let Some(forward) = &self.forward {
            sender("forward", forward, None);
        }
        let incoming = &self.incoming;
        let mut object = Object::open(&mut out);
        object.text("decision", b"incoming").text("input", self.to);
        object.optional("output", incoming.action.address().map(|address| address.as_bytes()));
        object.text("rule", incoming.rule.slug().as_bytes()).text("action", incoming.action.slug().as_bytes());
        object.text("would", incoming.would.slug().as_bytes());
        object.optional("verdict", incoming.verdict.as_ref().map(|verdict| verdict.slug().as_bytes()));
        object.optional("reply", incoming.reply.map(str::as_bytes));
        object
            .text("refuse_at", incoming.refuse_at.as_str().as_bytes())
            .text("mode", incoming.mode.as_str().as_bytes());
        object.text("client", self.client.as_str().as_bytes()).flag("log", incoming.log);
        object.flag("by_message", incoming.by_message);
        object.close();
        out
    }
}

/// What the message may change in what mode enforce does, as the table of `Policy::incoming_message` has it.
const fn by_message(incoming: &Incoming<'_>) -> &'static str {
    match (incoming.by_message, incoming.would, incoming.rule) {
        (false, ..) | (true, _, Rule::SrsBad | Rule::SrsSender) => "",
        (true, Action::Refuse, _) => ", unless a mark in the message proves it",
        (true, _, Rule::TooEarly | Rule::NoKey) => ", unless the message shows that it answers no mail of ours",
        (true, ..) => "",
    }
}

/// A path as people may see it, `<>` for the null sender.
fn path(bytes: &[u8]) -> String {
    if bytes.is_empty() { "<>".to_owned() } else { printable(bytes) }
}
