//! One event a decision: what was asked, what was answered and why; one line of text or JSON.
//!
//! ```text
//! 2026-11-21T10:00:00Z incoming face=policy-service mode=observe action=unchanged would=refuse client=192.0.2.1 ...
//! {"time":"2026-11-21T10:00:00Z","event":"incoming","face":"policy-service",...}
//! ```
//!
//! [`FIELDS`] says what each stands for; the manual prints it.
//!
//! JSON has every key, null where there is nothing to say; text leaves those out. Control characters, what has no width
//! and what is not UTF-8 are escaped in both, and [`MAX_SHOWN`] octets of an address are shown. With `addresses = "domain"` local parts become `*`.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Instant;

use backstop::bounce::{self, Inspection};
use backstop::explain::printable;
use backstop::policy::{Action, Client, Incoming, Mode, Origin, Outgoing, Rule};
use backstop::{Address, KeyId, Path, batv};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::clock::Now;
use crate::config::LogSettings;
use crate::decide::Context;
use crate::faces::Face;
use crate::metrics::UNSIGNED;
use crate::state::Snapshot;

/// The keys of an event in their order, and what each says.
pub const FIELDS: [(&str, &str); 25] = [
    ("time", "When, in UTC"),
    ("event", "`outgoing` or `forward` about a sender, `incoming` about a recipient; `notice` has only `text`"),
    ("face", "Who asked: `milter`, `socketmap`, `tcp-table`, `policy-service` or `filter`"),
    ("mode", "The policy's mode for the domain that carries the tag"),
    (
        "action",
        "What was done: `sign`, `rewrite` or `keep`; `unchanged`, `strip`, `reverse` or `refuse`; `defer` sends a client \
         away for an hour, `later` has a mail sent again for this recipient alone",
    ),
    ("would", "About recipients: what enforce would do"),
    ("stage", "Of a refusal: `rcpt`, `data` or `message`"),
    ("client", "The address of the SMTP client, where the face sees it"),
    ("sender", "The sender as given, where the face sees it; the null sender is `<>`"),
    ("recipient", "The recipient as given"),
    ("mailbox", "The recipient without its tag, or to whom it returns"),
    ("output", "The new sender"),
    ("queue", "The mail server's queue id, as far as it has one at that step"),
    (
        "instance",
        "What ties the events of a mail together: from the policy service's client, or made for milter and filter",
    ),
    ("verdict", "What the recipient is: a slug of the library"),
    ("reason", "The rule that decided: a slug of the library"),
    ("detail", "The reason of the verdict: a slug of the library"),
    ("key", "The id of the key that the tag names"),
    ("age", "Days since the tag was signed, if its MAC is right"),
    ("kind", "What the message is, where it was judged by it (`refuse-at = \"message\"`): a slug of the library"),
    ("message", "What the message is to us: a slug of the library, such as `genuine` or `backscatter`"),
    ("proof", "Where the tag or mark stood that proves it: a slug of the library"),
    ("why", "Why a message is `unproven`: a slug of the library"),
    ("uses", "How often this tag or mark was used, where the face sees each use once"),
    ("reply", "The SMTP reply of a refusal"),
];

/// The most octets of an address, queue id or instance that a line has; what is cut off shows as `...`.
pub const MAX_SHOWN: usize = 1000;
/// The action of a sender that stays as it is.
pub(crate) const KEEP: &str = "keep";

/// What was decided about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The sender of mail that leaves.
    Outgoing,
    /// The sender of mail that is forwarded.
    Forward,
    /// A recipient of mail that comes in.
    Incoming,
}

impl Kind {
    /// The word in log and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Outgoing => "outgoing",
            Kind::Forward => "forward",
            Kind::Incoming => "incoming",
        }
    }
}

/// A decision, with all that the log may tell of it.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// What was decided about.
    pub kind: Kind,
    /// When.
    pub now: Now,
    /// Who asked.
    pub face: Face,
    /// The mode in force.
    pub mode: Mode,
    /// What was done.
    pub action: &'static str,
    /// What mode enforce would do, about recipients.
    pub would: Option<&'static str>,
    /// The reply of a refusal.
    pub reply: Option<&'static str>,
    /// The step of the dialogue at which it was given.
    pub stage: Option<&'static str>,
    /// The client.
    pub client: Option<IpAddr>,
    /// The sender, where the face sees it.
    pub sender: Option<&'a [u8]>,
    /// The recipient, where the decision has one.
    pub recipient: Option<&'a [u8]>,
    /// The recipient without its tag.
    pub mailbox: Option<Address>,
    /// The new sender.
    pub output: Option<Address>,
    /// The MTA's queue id, or empty.
    pub queue: &'a [u8],
    /// What ties the events of a mail together, or empty.
    pub instance: &'a [u8],
    /// The verdict about the recipient.
    pub verdict: Option<&'static str>,
    /// The rule that decided.
    pub rule: Rule,
    /// The reason of the verdict.
    pub detail: Option<&'static str>,
    /// The key that the tag names.
    pub key: Option<KeyId>,
    /// Days since the tag was signed.
    pub age: Option<u32>,
    /// What the message is, if the recipient was judged by it.
    pub kind_of_message: Option<bounce::Kind>,
    /// What it is to us.
    pub message: Option<bounce::Verdict>,
    /// Where the proof stood.
    pub proof: Option<bounce::Place>,
    /// How often this tag or mark was used, where the face sees each use once.
    pub uses: Option<u32>,
    /// When the question was there.
    pub begun: Instant,
    notable: bool,
}

impl<'a> Event<'a> {
    fn new(kind: Kind, context: &Context<'a>, mode: Mode, rule: Rule, now: Now) -> Event<'a> {
        Event {
            kind,
            now,
            face: context.face,
            mode,
            action: KEEP,
            would: None,
            reply: None,
            stage: None,
            client: context.ip,
            sender: None,
            recipient: None,
            mailbox: None,
            output: None,
            queue: context.queue,
            instance: context.instance,
            verdict: None,
            rule,
            detail: None,
            key: None,
            age: None,
            kind_of_message: None,
            message: None,
            proof: None,
            uses: None,
            begun: context.begun,
            notable: false,
        }
    }

    pub(crate) fn of_sender(
        kind: Kind,
        snapshot: &Snapshot,
        context: &Context<'a>,
        sender: &'a [u8],
        decided: &Outgoing,
        now: Now,
    ) -> Event<'a> {
        let path = decided.rewrite.as_ref().map_or(sender, Address::as_bytes);
        let domain = Path::parse_tagged(path).ok().and_then(Path::mailbox).map(|it| it.domain()).unwrap_or_default();
        let mode = snapshot.config.policy.mode_on(domain, now.day);
        let action = match (kind, decided.rewrite) {
            (_, None) => KEEP,
            (Kind::Forward, _) => "rewrite",
            _ => "sign",
        };
        // Own mail that leaves unsigned is what an administrator must know before enforcing.
        // So is an address that the mail server completes later, or takes though it is none.
        let ours = context.sees_sender && matches!(context.origin, Origin::Submitted | Origin::Internal);
        let unparsable = ours && decided.rule == Rule::Unparsable;
        let notable = decided.rewrite.is_some() || UNSIGNED.contains(&decided.rule) || unparsable;
        let output = decided.rewrite;
        Event { action, sender: Some(sender), output, notable, ..Event::new(kind, context, mode, decided.rule, now) }
    }

    pub(crate) fn of_recipient(
        context: &Context<'a>,
        sender: &'a [u8],
        recipient: &'a [u8],
        decided: &Incoming<'_>,
        now: Now,
    ) -> Event<'a> {
        let verdict = decided.verdict.as_ref();
        let proof = verdict.and_then(|it| it.proof());
        let stripped = || batv::strip(recipient).ok().flatten().map(|(_, address)| address.to_address());
        let plain = decided.action.address().copied().or_else(|| proof.map(|it| it.mailbox.to_address()));
        // A map is asked about every recipient without a sender; only what it changes is worth a line.
        // What is no address passes unjudged, and whoever comes from outside with it is worth one.
        let unparsable = decided.rule == Rule::Unparsable && context.client == Client::Other;
        let judged = context.sees_sender && (decided.log || unparsable || decided.would != decided.action);
        Event {
            action: decided.action.slug(),
            would: Some(decided.would.slug()),
            reply: decided.reply,
            stage: (decided.action == Action::Refuse).then_some("rcpt"),
            sender: context.sees_sender.then_some(sender),
            recipient: Some(recipient),
            mailbox: plain.or_else(stripped),
            verdict: verdict.map(|it| it.slug()),
            detail: verdict.and_then(|it| it.reason()),
            key: verdict.and_then(|it| it.key()),
            age: proof.and_then(|it| it.signed).map(|day| now.day.number().saturating_sub(day.number())),
            notable: judged || decided.action != Action::Unchanged,
            ..Event::new(Kind::Incoming, context, decided.mode, decided.rule, now)
        }
    }

    /// The same, where a refusal was held back until another step.
    #[must_use]
    pub fn refused_at(self, stage: &'static str) -> Event<'a> {
        Event { stage: Some(stage), ..self }
    }

    /// The same, where the message was judged as well.
    #[must_use]
    pub fn by_message(self, seen: &Inspection) -> Event<'a> {
        let stage = self.stage.map(|_| "message");
        let notable = self.notable || !matches!(seen.verdict, bounce::Verdict::NotABounce | bounce::Verdict::Genuine);
        let proof = seen.proof().map(|check| check.place);
        Event { stage, kind_of_message: Some(seen.kind), message: Some(seen.verdict), proof, notable, ..self }
    }

    /// The same, where the client was sent away.
    #[must_use]
    pub fn deferred(self, reply: &'static str) -> Event<'a> {
        Event { action: "defer", reply: Some(reply), stage: Some("rcpt"), notable: true, ..self }
    }

    /// The same, where the mail is to be sent again for this recipient alone.
    #[must_use]
    pub fn later(self, reply: &'static str) -> Event<'a> {
        Event { action: "later", ..self.deferred(reply) }
    }

    /// Whether it deserves a line in the log.
    pub const fn is_notable(&self) -> bool {
        self.notable
    }

    /// The line, without its end.
    pub fn to_line(&self, settings: &LogSettings) -> String {
        let redact = settings.redact;
        let octets = |octets: &'a [u8]| (!octets.is_empty()).then(|| readable(octets));
        let mut line = Line::open(self.now.seconds, self.kind.as_str(), settings.json);
        line.text("face", Some(self.face.as_str()));
        line.text("mode", Some(self.mode.as_str()));
        line.text("action", Some(self.action));
        line.text("would", self.would);
        line.text("stage", self.stage);
        line.text("client", self.client.map(|ip| ip.to_string()).as_deref());
        line.text("sender", self.sender.map(|it| shown(it, redact)).as_deref());
        line.text("recipient", self.recipient.map(|it| shown(it, redact)).as_deref());
        line.text("mailbox", self.mailbox.as_ref().map(|it| shown(it.as_bytes(), redact)).as_deref());
        line.text("output", self.output.as_ref().map(|it| shown(it.as_bytes(), redact)).as_deref());
        line.text("queue", octets(self.queue).as_deref());
        line.text("instance", octets(self.instance).as_deref());
        line.text("verdict", self.verdict);
        line.text("reason", Some(self.rule.slug()));
        line.text("detail", self.detail);
        line.text("key", self.key.map(|key| key.to_string()).as_deref());
        line.number("age", self.age);
        line.text("kind", self.kind_of_message.map(bounce::Kind::slug));
        line.text("message", self.message.map(bounce::Verdict::slug));
        line.text("proof", self.proof.map(bounce::Place::slug));
        line.text("why", self.message.and_then(bounce::Verdict::why).map(bounce::Why::slug));
        line.number("uses", self.uses);
        line.text("reply", self.reply);
        line.close()
    }
}

/// The line of something that the daemon itself has to say.
pub fn notice(seconds: u64, text: &str, json: bool) -> String {
    let (mut line, text) = (Line::open(seconds, "notice", json), printable(text.as_bytes()));
    if json {
        line.text("text", Some(&text));
    } else {
        line.out.extend([" ", &text]);
    }
    line.close()
}

/// A line under construction, in one buffer: signing is asked for some ten thousand times a second.
struct Line {
    out: String,
    json: bool,
}

impl Line {
    fn open(seconds: u64, event: &str, json: bool) -> Line {
        let (mut out, time) = (String::with_capacity(480), timestamp(seconds));
        if json {
            out.extend(["{\"time\":\"", &time, "\",\"event\":\"", event, "\""]);
        } else {
            out.extend([&time, " ", event]);
        }
        Line { out, json }
    }

    fn text(&mut self, name: &str, value: Option<&str>) {
        let special = |octet: u8| matches!(octet, 0..b' ' | b'"' | b'\\');
        match value {
            None if self.json => self.out.extend([",\"", name, "\":null"]),
            None => {}
            Some(value) if self.json && value.bytes().any(special) => {
                self.out.extend([",\"", name, "\":", &serde_json::Value::from(value).to_string()]);
            }
            Some(value) if self.json => self.out.extend([",\"", name, "\":\"", value, "\""]),
            Some(value) if value.is_empty() || value.bytes().any(|it| special(it) || matches!(it, b' ' | b'=')) => {
                // What was escaped already keeps its backslash, doubled.
                let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                self.out.extend([" ", name, "=\"", &value, "\""]);
            }
            Some(value) => self.out.extend([" ", name, "=", value]),
        }
    }

    fn number(&mut self, name: &str, value: Option<u32>) {
        match value {
            Some(value) if self.json => self.out.extend([",\"", name, "\":", &value.to_string()]),
            value => self.text(name, value.map(|it| it.to_string()).as_deref()),
        }
    }

    fn close(mut self) -> String {
        if self.json {
            self.out.push('}');
        }
        self.out
    }
}

/// Octets as [`printable`] shows them, without a copy where all are ASCII that is seen.
fn readable(octets: &[u8]) -> Cow<'_, str> {
    if let Some((head, [_, ..])) = octets.split_at_checked(MAX_SHOWN) {
        return Cow::Owned(printable(head) + "...");
    }
    match std::str::from_utf8(octets) {
        Ok(text) if octets.iter().all(|octet| matches!(octet, b' '..=b'~')) => Cow::Borrowed(text),
        _ => Cow::Owned(printable(octets)),
    }
}

fn timestamp(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| "-".to_owned())
}

/// An address as the log may show it.
fn shown(octets: &[u8], redact: bool) -> Cow<'_, str> {
    let bare = octets.strip_prefix(b"<").and_then(|it| it.strip_suffix(b">")).unwrap_or(octets);
    if bare.is_empty() {
        return Cow::Borrowed("<>");
    }
    if !redact {
        return readable(bare);
    }
    match bare.iter().rposition(|octet| *octet == b'@').and_then(|at| bare.get(at..)) {
        Some(domain) => Cow::Owned(format!("*{}", readable(domain))),
        None => Cow::Borrowed("*"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_null_sender_is_told_from_an_absent_one() {
        assert_eq!(shown(b"", false), "<>");
        assert_eq!(shown(b"<>", true), "<>");
        assert_eq!(shown(b"<a@b>", false), "a@b");
    }

    #[test]
    fn of_an_address_a_thousand_octets_are_shown() {
        for redact in [false, true] {
            let long = format!("@{}", "d".repeat(1_000_000));
            assert!((1000..1010).contains(&shown(long.as_bytes(), redact).len()));
        }
        let whole = "a".repeat(MAX_SHOWN);
        assert_eq!(shown(whole.as_bytes(), false), whole);
        assert_eq!(shown(format!("{whole}b").as_bytes(), false), format!("{whole}..."));
    }

    #[test]
    fn redaction_leaves_the_domain_alone() {
        assert_eq!(shown(b"prvs=0123456789=alice@example.com", true), "*@example.com");
        assert_eq!(shown(b"\"a@b\"@example.com", true), "*@example.com");
        assert_eq!(shown(b"alice", true), "*");
    }

    #[test]
    fn nothing_in_an_address_can_begin_a_line_or_a_field() {
        let evil = shown(b"a\n2026 incoming face=x\x1b[2J@example.com", false);
        let line = |json| {
            let mut line = Line::open(0, "incoming", json);
            line.text("sender", Some(&evil));
            line.close()
        };
        assert_eq!(
            line(false),
            r#"1970-01-01T00:00:00Z incoming sender="a\\n2026 incoming face=x\\u{1b}[2J@example.com""#
        );
        let json = line(true);
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["sender"], &*evil);
    }
}
