//! One line of the JSON log, in the closed words of the daemon.
//!
//! [`event::FIELDS`](crate::event::FIELDS) says what the keys mean. Keys that are not read here may be missing or new;
//! those that are must be what this version writes, else the line is broken.

use backstop::Day;
use backstop::bounce::{self, Place, Why};
use backstop::policy::{Mode, Rule};
use backstop::srs;
use serde_json::{Map, Value};

use crate::event::Kind;
use crate::faces::Face;

/// The most characters of an address that are kept.
const MAX_ADDRESS: usize = 320;
/// The verdicts, in the order of the figures.
pub const VERDICTS: [&str; 7] = ["genuine", "expired", "forged", "unknown-key", "malformed", "foreign", "untagged"];
/// The verdicts of messages, in the order of the figures.
pub const MESSAGES: [&str; 6] = ["genuine", "expired", "forged", "backscatter", "unproven", "not-a-bounce"];
/// What is done about a recipient.
const ACTIONS: [&str; 9] = ["sign", "rewrite", "keep", "unchanged", "strip", "reverse", "refuse", "defer", "later"];

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The day.
    pub day: Day,
    /// What was decided; `None` for a notice.
    pub decision: Option<Decision>,
}

/// A decision, as far as reports need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The day.
    pub day: Day,
    /// About whom.
    pub kind: Kind,
    /// Who asked.
    pub face: Face,
    /// The mode in force.
    pub mode: Mode,
    /// The rule that decided.
    pub rule: Rule,
    /// What was done.
    pub action: &'static str,
    /// Whether enforce would refuse, or refused.
    pub would_refuse: bool,
    /// The place of the verdict in [`VERDICTS`].
    pub verdict: Option<usize>,
    /// The client.
    pub client: Option<String>,
    /// The sender.
    pub sender: Option<String>,
    /// The recipient as given.
    pub recipient: Option<String>,
    /// The recipient without its tag.
    pub mailbox: Option<String>,
    /// How often the tag was used.
    pub uses: Option<u64>,
    /// Days since the tag was signed.
    pub age: Option<u64>,
    /// What the message showed, if the recipient was judged by it.
    pub message: Option<Message>,
}

/// What a message showed, in closed words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    /// What it is.
    pub kind: bounce::Kind,
    /// What it is to us: the place in [`MESSAGES`].
    pub verdict: usize,
    /// Where the proof stood.
    pub proof: Option<Place>,
    /// Why nothing could be told.
    pub why: Option<Why>,
}

impl Decision {
    /// The domain that it is about: the recipient's as given, or the sender's.
    pub fn domain(&self) -> Option<String> {
        let address = match self.kind {
            Kind::Outgoing | Kind::Forward => self.sender.as_deref(),
            Kind::Incoming => self.recipient.as_deref(),
        };
        address.and_then(|it| it.rsplit_once('@')).map(|(_, domain)| domain.to_ascii_lowercase())
    }

    /// Whether the recipient is an SRS address, as far as a log without local parts (`addresses = "domain"`) shows.
    pub fn is_srs(&self) -> bool {
        let given = self.recipient.as_deref().and_then(|it| it.rsplit_once('@'));
        let meant = self.mailbox.as_deref().and_then(|it| it.rsplit_once('@'));
        let by_rule = match self.rule {
            Rule::SrsElsewhere | Rule::SrsGenuine | Rule::SrsSender | Rule::SrsBad => true,
            // A tag of BATV comes off whatever its key.
            Rule::NotCovered => meant.is_none(),
            _ => false,
        };
        let returns = given.zip(meant).is_some_and(|((_, here), (_, there))| !here.eq_ignore_ascii_case(there));
        by_rule || returns || given.is_some_and(|(local, _)| srs::is_srs(local.as_bytes()))
    }

    /// Whether a tag or a mark proves the bounce.
    pub fn is_proved(&self) -> bool {
        let is = |words: &[&str], at: Option<usize>| at.and_then(|at| words.get(at)) == Some(&"genuine");
        is(&VERDICTS, self.verdict) || is(&MESSAGES, self.message.map(|it| it.verdict))
    }

    /// Whether it is about a recipient of mail from the null sender, told by a face that sees senders.
    pub fn is_bounce(&self) -> bool {
        self.kind == Kind::Incoming && self.sender.as_deref() == Some("<>")
    }
}

/// Reads a line.
///
/// # Errors
/// The end of a sentence that begins with the line.
pub fn parse(line: &[u8]) -> Result<Line, String> {
    let start = line.iter().position(|octet| *octet == b'{').ok_or("is no JSON")?;
    let object = line.get(start..).map(serde_json::from_slice::<Map<String, Value>>);
    let Some(Ok(object)) = object else { return Err("is no JSON".to_owned()) };
    let day = text(&object, "time").and_then(|time| Day::parse(time.get(..10)?).ok());
    let day = day.ok_or("has no time")?;
    let event = text(&object, "event").ok_or("has no event")?;
    if event == "notice" {
        return Ok(Line { day, decision: None });
    }
    let kinds = [Kind::Outgoing, Kind::Forward, Kind::Incoming];
    let kind = known(&object, "event", kinds, Kind::as_str)?;
    let would = text(&object, "would").unwrap_or_default();
    let verdict = match text(&object, "verdict") {
        None => None,
        Some(_) => Some(known(&object, "verdict", 0..VERDICTS.len(), |at| VERDICTS.get(at).copied().unwrap_or(""))?),
    };
    let message = match text(&object, "message") {
        None => None,
        Some(_) => Some(message(&object)?),
    };
    let kept = |key| text(&object, key).filter(|text| text.chars().nth(MAX_ADDRESS).is_none()).map(str::to_owned);
    let whole = |key| object.get(key).and_then(Value::as_u64);
    // One that is too long is none; a part of it would name another domain.
    Ok(Line {
        day,
        decision: Some(Decision {
            day,
            kind,
            face: known(&object, "face", Face::ALL, Face::as_str)?,
            mode: known(&object, "mode", Mode::ALL.iter().copied(), Mode::as_str)?,
            rule: known(&object, "reason", Rule::ALL.iter().copied(), Rule::slug)?,
            action: known(&object, "action", ACTIONS, |it| it)?,
            would_refuse: would == "refuse",
            verdict,
            client: kept("client"),
            sender: kept("sender"),
            recipient: kept("recipient"),
            mailbox: kept("mailbox"),
            uses: whole("uses"),
            age: whole("age"),
            message,
        }),
    })
}

fn message(object: &Map<String, Value>) -> Result<Message, String> {
    let slug = |at: usize| MESSAGES.get(at).copied().unwrap_or("");
    let has = |key| text(object, key).is_some();
    Ok(Message {
        kind: known(object, "kind", bounce::Kind::ALL.iter().copied(), bounce::Kind::slug)?,
        verdict: known(object, "message", 0..MESSAGES.len(), slug)?,
        proof: has("proof").then(|| known(object, "proof", Place::ALL.iter().copied(), Place::slug)).transpose()?,
        why: has("why").then(|| known(object, "why", Why::ALL.iter().copied(), Why::slug)).transpose()?,
    })
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

/// The one of a closed list that a key names.
fn known<T: Copy>(
    object: &Map<String, Value>,
    key: &str,
    all: impl IntoIterator<Item = T>,
    word: impl Fn(T) -> &'static str,
) -> Result<T, String> {
    let Some(found) = text(object, key) else { return Err(format!("has no {key}")) };
    let shown = || backstop::explain::printable(found.chars().take(40).collect::<String>().as_bytes());
    all.into_iter().find(|it| word(*it) == found).ok_or_else(|| format!("has the unknown {key} {:?}", shown()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"time":"2026-11-21T10:00:00Z","event":"incoming","face":"milter","mode":"observe","action":"unchanged","would":"refuse","client":"192.0.2.1","sender":"<>","recipient":"Alice@Example.com","mailbox":null,"verdict":"untagged","reason":"untagged","uses":2,"later":[1]}"#;

    #[test]
    fn an_event_is_read_also_behind_the_prefix_of_a_journal() {
        for prefix in ["", "Nov 21 10:00:00 mx backstopd[17]: "] {
            let line = parse(format!("{prefix}{GOOD}\n").as_bytes()).unwrap();
            let decision = line.decision.unwrap();
            assert_eq!(
                (line.day.to_string().as_str(), decision.domain().as_deref()),
                ("2026-11-21", Some("example.com"))
            );
            assert!(decision.is_bounce() && decision.would_refuse && decision.uses == Some(2));
        }
    }

    #[test]
    fn a_broken_line_is_told_what_it_lacks() {
        let edited = |from: &str, to: &str| GOOD.replace(from, to);
        for (line, what) in [
            (String::new(), "is no JSON"),
            ("2026-11-21T10:00:00Z incoming face=milter".to_owned(), "is no JSON"),
            (GOOD[..60].to_owned(), "is no JSON"),
            ("{}".to_owned(), "has no time"),
            (edited("2026-11-21T", "2026-13-21T"), "has no time"),
            (edited("\"incoming\"", "\"inward\""), "has the unknown event \"inward\""),
            (edited("\"milter\"", "\"\\u001b[2J\""), "has the unknown face \"\\\\u{1b}[2J\""),
            (edited("\"observe\"", "7"), "has no mode"),
            (edited("\"verdict\":\"untagged\"", "\"verdict\":\"x\""), "has the unknown verdict \"x\""),
        ] {
            assert_eq!(parse(line.as_bytes()).unwrap_err(), what, "{line}");
        }
    }
}
