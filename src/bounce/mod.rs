//! The returned message: what kind it is, whether it answers our own mail, and where it came from.
//!
//! ```text
//! message  -> guard.rs      header block and leaves, within limits; parts.rs hands them to mail-parser
//!          -> kind.rs       evidence (evidence.rs, evidence.toml; person.rs: against) -> kind; ordinary mail ends here
//!          -> returned.rs   the headers that came back; status.rs: delivery-status fields
//!          -> proof.rs      tag of the recipient, marks that came back, marks in In-Reply-To and References;
//!                           check.rs: what one of them is
//!          -> verdict.rs    genuine, expired, forged, backscatter, or unproven and why; what to do
//!          -> source.rs     who reported, who injected, links
//! keep.rs keeps what of a message is looked at, while it comes in; arrival.rs reads what the delivering host wrote on top of
//! a stored message; object.rs writes all of it as JSON, report.rs what others should see; sending.rs keeps this host from
//! being a reflector itself.
//! ```
//!
//! Bytes, envelope, key ring, policy and day come in; nothing is looked up, nothing is kept. The work is bounded by the
//! message's length, and the stack needs less than 256 KiB, whatever the message is.

#![forbid(unsafe_code)]

mod arrival;
mod check;
pub mod evidence;
mod guard;
mod keep;
mod kind;
mod object;
mod parts;
mod person;
mod proof;
pub mod report;
mod returned;
mod sending;
mod source;
mod status;
mod verdict;

pub use self::arrival::{Arrival, RECIPIENT_FIELDS, arrival};
pub use self::check::{Check, Outcome, Place};
use self::evidence::Fact;
pub use self::guard::Cut;
use self::guard::{Block, MAX_PHRASES, MAX_QUOTED, note};
pub use self::keep::Kept;
pub use self::kind::{Evidence, GATE, Kind, MAX_WORDS, MIN_SIGN, MIN_TOLD, THRESHOLD};
use self::kind::{Outer, Scores};
pub use self::returned::Form;
use self::returned::Found;
pub use self::sending::{Restraint, may_autorespond, may_bounce};
pub use self::source::{Injector, Source, Trust, dnsbl_name};
pub use self::status::{Action, Delivery, Reason};
pub use self::verdict::{Advice, Verdict, Why};
use crate::day::Day;
use crate::key::KeyRing;
use crate::policy::{Mode, Policy};

/// The limits that `inspect` keeps to, for documentation and tests.
pub mod limits {
    pub use super::guard::{
        MAX_CHECKS, MAX_DECODED, MAX_DELIVERIES, MAX_FIELDS, MAX_LEAVES, MAX_LINKS, MAX_NESTING, MAX_PARTS,
        MAX_PHRASES, MAX_QUOTED, MAX_RETURNED, MAX_TYPE, MAX_VALUE,
    };
    pub use super::keep::MAX_KEPT;
}

/// What the mail system knows of a message beside its octets. What is `None` is read from the message, as stored mail wants
/// it: the sender from Return-Path or the separator of an mbox, the recipient as [`arrival`] reads it, never from To.
///
/// Who is just receiving a message gives both: his own fields do not stand on top yet. What stands there is the word of
/// another host, and without it nothing is proved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// MAIL, as it came: `<>` or empty is the null sender.
    pub sender: Option<&'a [u8]>,
    /// RCPT, as it came. Each recipient is judged by itself. Empty: nobody knows it, and no field shall stand for it;
    /// nothing is proved then.
    pub recipient: Option<&'a [u8]>,
}

/// What came back of the mail that a message answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Returned {
    /// How it came back.
    pub form: Form,
    /// Whether a mark would show among its headers.
    pub complete: bool,
    /// Its Message-ID, without brackets.
    pub message_id: Option<String>,
    /// The address of its From.
    pub from: Option<String>,
    /// Its first recipient.
    pub to: Option<String>,
    /// The day of its Date.
    pub day: Option<Day>,
    /// How many header fields came back.
    pub fields: usize,
}

/// All that is known of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspection {
    /// What kind it is.
    pub kind: Kind,
    /// What it is to us.
    pub verdict: Verdict,
    /// What to do with it, in the mode of the recipient's domain.
    pub advice: Advice,
    /// What mode enforce would do with it.
    pub would: Advice,
    /// How much speaks for the kind; [`THRESHOLD`] is needed.
    pub score: i32,
    /// How much weak evidence says that the mail it answers was not ours (above 0) or was (below). It never decides.
    pub lean: i32,
    /// What the score and the leaning are made of.
    pub evidence: Vec<Evidence>,
    /// Every tag and mark that was checked, good and bad.
    pub checks: Vec<Check>,
    /// The recipient without its tag, if the tag or a mark for it proves it, or without a tag: as with
    /// [`batv::verify`](crate::batv::verify), what an unproved tag says is nobody's address. `None` with
    /// [`Kind::NotABounce`], where nobody looked at it.
    pub mailbox: Option<String>,
    /// What came back; the first is the nearest.
    pub returned: Vec<Returned>,
    /// What the delivery-status fields say of each recipient.
    pub deliveries: Vec<Delivery>,
    /// Why the mail was not delivered, if it is a bounce that tells.
    pub reason: Option<Reason>,
    /// Where it came from.
    pub source: Source,
    /// What was left out because of a limit.
    pub cuts: Vec<Cut>,
}

impl Inspection {
    /// The proof that makes it genuine.
    pub fn proof(&self) -> Option<&Check> {
        self.checks.iter().find(|check| check.outcome == Outcome::Genuine).filter(|_| self.verdict == Verdict::Genuine)
    }
}

/// Judges one message for one recipient.
///
/// ```
/// use backstop::bounce::{self, Envelope};
/// use backstop::{Day, Domains, KeyRing, policy::Policy};
/// let ring = KeyRing::parse(b"version 1\nprvs 0 sha1 7 - - * text:secret\n")?;
/// let policy = Policy::new(Domains::parse("example.com")?);
/// let message = b"From: Mail Delivery System <MAILER-DAEMON@mx.example.net>\r\n\
///                 Subject: Undelivered Mail Returned to Sender\r\n\r\nno such user\r\n";
/// let envelope = Envelope { sender: Some(b"<>"), recipient: Some(b"prvs=07853508f8=user@example.com") };
/// let seen = bounce::inspect(message, &envelope, &ring, &policy, Day::parse("2026-11-22")?);
/// assert_eq!((seen.kind.slug(), seen.verdict.slug()), ("dsn-failed", "genuine"));
/// assert_eq!(seen.proof().unwrap().place.slug(), "recipient-tag");
/// # Ok::<(), backstop::Error>(())
/// ```
pub fn inspect(message: &[u8], envelope: &Envelope<'_>, ring: &KeyRing, policy: &Policy, day: Day) -> Inspection {
    let message = guard::without_blank_lines(message);
    let (block, length) = Block::read(message);
    let sender = envelope.sender.or_else(|| block.get("Return-Path")).or_else(|| guard::mbox_sender(message));
    let outer = Outer {
        content: parts::content(&block, false),
        from: block.get("From").map(parts::address).unwrap_or_default(),
        sender,
        block: &block,
    };
    let mut seen = Inspection::new();
    if block.cut {
        note(&mut seen.cuts, Cut::Fields);
    }
    let mut scores = Scores::new();
    scores.block(&outer);
    if scores.best().1 < GATE {
        return seen.with(scores);
    }
    let body = Body::read(&outer, message.get(length..).unwrap_or_default(), &mut seen.cuts);
    body.score(&mut scores);
    let (mut kind, score) = scores.best();
    if score < THRESHOLD {
        return seen.with(scores);
    }
    if kind.is_dsn() {
        kind = match body.report.action() {
            Some(Action::Failed) => Kind::DsnFailed,
            Some(Action::Delayed) => Kind::DsnDelayed,
            Some(_) => Kind::DsnSuccess,
            None => kind,
        };
        seen.reason = body.reason(kind);
    }
    seen.kind = kind;
    seen.score = score;
    let named = || arrival(message, &[]).recipient.map(String::into_bytes);
    let recipient = envelope.recipient.map(<[u8]>::to_vec).or_else(named).filter(|it| !it.is_empty());
    let mut checker = proof::Checker::new(ring, policy, recipient.as_deref(), day);
    let blocks: Vec<Block<'_>> = body.found.iter().map(|found| Block::read(&found.octets).0).collect();
    for (block, found) in blocks.iter().zip(&body.found) {
        checker.returned(block, &Block::read(&found.loose).0, found.form != Form::Text);
    }
    checker.told(body.text.as_bytes(), &blocks);
    checker.told(&body.disposition, &blocks);
    checker.replied(&block);
    let proved = checker.mailbox.as_deref().filter(|_| is_proved_or_untagged(&checker.checks));
    seen.mailbox = proved.map(|it| String::from_utf8_lossy(it).into_owned());
    seen.returned = body.found.iter().map(|found| returned(found, kind)).collect();
    let mailbox = checker.mailbox.as_deref();
    let first = seen.returned.first().zip(blocks.first());
    seen.verdict = verdict::decide(kind, &checker, first, ring, policy, day);
    seen.advice = verdict::advise(seen.verdict, &checker.checks, mailbox, ring, policy, day, None);
    seen.would = verdict::advise(seen.verdict, &checker.checks, mailbox, ring, policy, day, Some(Mode::Enforce));
    seen.checks = checker.checks;
    let reporting = body.report.reporting.clone().or_else(|| {
        let (_, domain) = outer.from.address.rsplit_once('@')?;
        Some(domain.to_ascii_lowercase())
    });
    match body.found.first() {
        Some(found) => {
            seen.source = source::read(reporting, found, policy);
            source::facts(&seen.source, found, policy).into_iter().for_each(|fact| scores.fact(fact));
        }
        None => seen.source.reporting = reporting,
    }
    seen.deliveries = body.report.deliveries;
    seen.with(scores)
}

impl Inspection {
    fn new() -> Inspection {
        Inspection {
            kind: Kind::NotABounce,
            verdict: Verdict::NotABounce,
            advice: Advice::Deliver,
            would: Advice::Deliver,
            score: 0,
            lean: 0,
            evidence: Vec::new(),
            checks: Vec::new(),
            mailbox: None,
            returned: Vec::new(),
            deliveries: Vec::new(),
            reason: None,
            source: Source::default(),
            cuts: Vec::new(),
        }
    }

    fn with(mut self, scores: Scores) -> Inspection {
        if self.kind == Kind::NotABounce {
            self.score = scores.best().1;
        }
        self.lean = scores.lean;
        self.evidence = scores.evidence;
        self
    }
}

/// Whether a tag or mark has a right MAC for the recipient's mailbox, or no tag stood before it.
fn is_proved_or_untagged(checks: &[Check]) -> bool {
    let is_right = |check: &Check| matches!(check.outcome, Outcome::Genuine | Outcome::Expired | Outcome::Future);
    // A tag of a key that the ring lacks may be out of date by its day alone.
    checks.iter().any(|check| is_right(check) && check.usage.is_some())
        || checks.iter().all(|check| check.place != Place::Recipient)
}

fn returned(found: &Found<'_>, kind: Kind) -> Returned {
    let (block, _) = Block::read(&found.octets);
    let address =
        |name| block.get(name).map(parts::address).map(|it| it.address).filter(|address: &String| !address.is_empty());
    let is_private = |name: &[u8]| name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(b"X-"));
    let traced = block.get("Received").is_some() || block.fields.iter().any(|field| is_private(field.name));
    let message_id = block
        .get("Message-ID")
        .map(|value| String::from_utf8_lossy(value.trim_ascii()).trim_matches(['<', '>']).to_owned());
    // Who answers with the text of a mail may quote headers that its writer had put into it: those of spam, to complain.
    let quotes_headers = found.form != Form::Text || kind.is_dsn() || kind == Kind::VirusNotice;
    // A bare CR may stand for the end of a line, so that a field swallowed the one behind it.
    let is_clean = block.fields.iter().all(|field| !parts::has_bare_cr(field.value));
    // HTML that did not escape `<id>` lost it as a tag.
    let has_lost_id = found.form == Form::Text && block.get("Message-ID").is_some_and(|id| id.trim_ascii().is_empty());
    let whole = found.whole && is_clean && quotes_headers && !has_lost_id;
    Returned {
        form: found.form,
        // A block that was cut off without a word often lacks one of these; the mark stands above them.
        complete: traced && whole && ["From", "Date"].iter().all(|name| block.get(name).is_some()),
        message_id: message_id.filter(|id| !id.is_empty()),
        from: address("From"),
        to: address("To"),
        day: block.get("Date").and_then(parts::day),
        fields: block.fields.len(),
    }
}

/// Whether a line names an address that failed: `<a@b.example>:`, or the address behind "Failed recipient:" and the like.
fn is_failed_address(line: &str) -> bool {
    let is_address = |text: &str| {
        let text = text.trim().trim_end_matches([',', '.', ';']).trim_matches(['<', '>', '"']);
        let parts = text.split_once('@').filter(|(local, domain)| !local.is_empty() && domain.contains('.'));
        parts.is_some() && !text.contains(|it: char| it.is_whitespace() || matches!(it, ':' | '<' | '>'))
    };
    let line = line.trim();
    match line.strip_suffix(':') {
        Some(address) => is_address(address),
        None => line.split_once(':').is_some_and(|(label, rest)| {
            let label = label.to_ascii_lowercase();
            let says = ["deliver", "recipient", "failed"].iter().any(|word| label.contains(word));
            says && is_address(rest.split_whitespace().next().unwrap_or_default())
        }),
    }
}

/// Octets of a disposition notification that are read: it has a dozen fields.
const MAX_DISPOSITION: usize = 16 * 1024;

/// What the body of a message has to say.
struct Body<'a> {
    found: Vec<Found<'a>>,
    report: status::Report,
    facts: Vec<Fact>,
    /// The text that people read, up to where headers are quoted.
    text: String,
    /// The fields of a disposition notification, the Original-Message-ID among them (RFC 8098).
    disposition: Vec<u8>,
}

impl<'a> Body<'a> {
    fn read(outer: &Outer<'_, '_>, body: &'a [u8], cuts: &mut Vec<Cut>) -> Body<'a> {
        let leaves = guard::leaves(outer.block, body, cuts);
        let mut it = Body {
            found: Vec::new(),
            report: status::Report::default(),
            facts: Vec::new(),
            text: String::new(),
            disposition: Vec::new(),
        };
        returned::in_parts(&leaves, &mut it.found, cuts);
        for form in it.found.iter().map(|found| found.form) {
            let fact = if form == Form::Headers { Fact::ReturnedHeaders } else { Fact::ReturnedMessage };
            if !it.facts.contains(&fact) {
                it.facts.push(fact);
            }
        }
        for leaf in &leaves {
            let fact = match &leaf.content {
                content if content.is_delivery_status() => Fact::DeliveryStatusPart,
                content if content.is("message", "disposition-notification") => Fact::DispositionPart,
                content if content.is("message", "feedback-report") => Fact::FeedbackPart,
                _ => continue,
            };
            if fact == Fact::DeliveryStatusPart && it.report.deliveries.is_empty() {
                it.report = status::read(&parts::decoded(leaf).octets);
            }
            if fact == Fact::DispositionPart && it.disposition.is_empty() {
                let fields = parts::decoded(leaf).octets;
                it.disposition = fields.get(..MAX_DISPOSITION).unwrap_or(&fields).to_vec();
            }
            if !it.facts.contains(&fact) {
                it.facts.push(fact);
            }
        }
        let of = |subtype: &'static str| leaves.iter().filter(move |leaf| leaf.content.is("text", subtype)).take(4);
        let plain = of("plain").next().is_some();
        for leaf in of(if plain { "plain" } else { "html" }) {
            let leaf = parts::leaf_text(leaf, MAX_QUOTED);
            if leaf.cut {
                note(cuts, Cut::Size);
            }
            it.quoted(&leaf);
        }
        // Some quote the headers in the HTML alone.
        for leaf in of("html").filter(|_| plain) {
            if it.found.is_empty() {
                it.quoted_headers(&parts::leaf_text(leaf, MAX_QUOTED));
            }
        }
        it
    }

    /// A text that people read: headers and fields that are quoted in it.
    fn quoted(&mut self, leaf: &parts::Text<'_>) {
        let start = self.quoted_headers(leaf);
        let text = leaf.text.as_ref();
        if self.report.deliveries.is_empty() {
            self.report = status::in_text(text);
        }
        let end = text.floor_char_boundary(start.unwrap_or(MAX_PHRASES).min(MAX_PHRASES));
        if self.text.len() < MAX_PHRASES {
            self.text.push_str(text.get(..end).unwrap_or(text));
            self.text.push('\n');
        }
    }

    /// The offset is that of the first header block.
    fn quoted_headers(&mut self, leaf: &parts::Text<'_>) -> Option<usize> {
        let before = self.found.len();
        let start = returned::in_text(leaf, &mut self.found);
        if self.found.len() > before && !self.facts.contains(&Fact::ReturnedText) {
            self.facts.push(Fact::ReturnedText);
        }
        start
    }

    fn score(&self, scores: &mut Scores) {
        self.facts.iter().for_each(|fact| scores.fact(*fact));
        if status::reply(&self.text).is_some() || status::numbered(&self.text) {
            scores.fact(Fact::SmtpError);
        }
        if self.text.lines().any(is_failed_address) {
            scores.fact(Fact::FailedAddress);
        }
        if scores.is_in_thread() && person::is_above_quote(&self.text) {
            scores.fact(Fact::QuotedAnswer);
        }
        scores.phrases(&self.text, evidence::Place::Body);
    }

    /// Why the mail was not delivered: the fields, else the text.
    fn reason(&self, kind: Kind) -> Option<Reason> {
        let told = self.report.deliveries.iter().find_map(|delivery| delivery.reason);
        match kind {
            Kind::DsnDelayed => Some(Reason::Delayed),
            Kind::DsnFailed => told.or_else(|| status::class(status::code(&self.text).as_deref(), &self.text)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domains::Domains;

    fn seen(message: &str, sender: &str) -> Inspection {
        let envelope = Envelope { sender: Some(sender.as_bytes()), recipient: Some(b"alice@example.com") };
        let policy = Policy::new(Domains::parse("example.com").unwrap());
        inspect(message.as_bytes(), &envelope, &KeyRing::empty(), &policy, Day::parse("2026-11-22").unwrap())
    }

    fn ids(seen: &Inspection) -> Vec<&str> {
        seen.evidence.iter().map(|it| it.id).collect()
    }

    fn body(message: &str) -> Body<'_> {
        let (block, length) = Block::read(message.as_bytes());
        let (content, from) = (parts::content(&block, false), parts::Addressee::default());
        let outer = Outer { content, from, sender: None, block: &block };
        Body::read(&outer, message.as_bytes().get(length..).unwrap(), &mut Vec::new())
    }

    #[test]
    fn a_body_is_looked_at_from_the_gate_on_and_ordinary_mail_has_its_score() {
        let name = "from-delivery-name";
        for (from, text, expected, score) in [
            ("auto@b.example", "550 <a>", &["sender-other"][..], 0),
            ("\"Mail Delivery\" <auto@b.example>", "", &[name, "sender-other"], GATE),
            ("\"Mail Delivery\" <auto@b.example>", "550 <a>", &[name, "sender-other", "smtp-error"], GATE + 15),
            ("\"Mail Delivery\" <auto@b.example>", "(#5.1.1)", &[name, "sender-other", "smtp-error"], GATE + 15),
            ("\"Mail Delivery\" <auto@b.example>", "Version 5.1.1 is out", &[name, "sender-other"], GATE),
        ] {
            let seen = seen(&format!("From: {from}\n\n{text}\n"), "bob@b.example");
            assert_eq!(
                (seen.kind, seen.score, ids(&seen)),
                (Kind::NotABounce, score, expected.to_vec()),
                "{from} {text}"
            );
        }
    }

    #[test]
    fn each_sort_of_part_is_seen_once_and_the_first_of_it_is_read() {
        let part = |kind: &str, text: &str| format!("--b\nContent-Type: {kind}\n\n{text}\n");
        let status =
            |to: &str| part("message/delivery-status", &format!("Final-Recipient: rfc822; {to}\nAction: failed"));
        let parts = [
            part("message/rfc822", "Subject: x\n\nx"),
            part("message/rfc822", "Subject: x\n\nx"),
            part("message/disposition-notification", "Disposition: first"),
            part("message/disposition-notification", "Disposition: second"),
            status("first@b.example"),
            status("second@b.example"),
            part("message/feedback-report", "Version: 1"),
            part("text/rfc822-headers", "Subject: x"),
            part("text/rfc822-headers", "Subject: x"),
        ];
        let message = format!("Content-Type: multipart/mixed; boundary=b\n\n{}--b--\n", parts.concat());
        let body = body(&message);
        let facts = [
            Fact::ReturnedMessage,
            Fact::ReturnedHeaders,
            Fact::DispositionPart,
            Fact::DeliveryStatusPart,
            Fact::FeedbackPart,
        ];
        assert_eq!(body.facts, facts);
        assert_eq!(body.disposition, b"Disposition: first\n");
        let recipients: Vec<_> = body.report.deliveries.iter().filter_map(|it| it.recipient.as_deref()).collect();
        assert_eq!(recipients, ["first@b.example"]);
    }

    #[test]
    fn headers_in_texts_are_seen_once() {
        let block = "From: a@example.com\nTo: b@b.example\nSubject: x\n";
        let part = format!("--b\n\nIt came back:\n\n{block}\nx\n");
        let message = format!("Content-Type: multipart/mixed; boundary=b\n\n{part}{part}--b--\n");
        let body = body(&message);
        assert_eq!((body.facts, body.found.len()), (vec![Fact::ReturnedText], 2));
    }

    #[test]
    fn a_text_that_leaves_no_room_is_the_last() {
        for (length, more) in [(MAX_PHRASES - 2, true), (MAX_PHRASES - 1, false), (MAX_PHRASES, false)] {
            let message = format!("\n{}", "x".repeat(length));
            let mut body = body(&message);
            body.quoted(&parts::Text { text: "more".into(), cut: false, broken: false });
            assert_eq!(body.text.ends_with("more\n"), more, "{length}");
        }
    }

    #[test]
    fn an_address_that_failed_stands_alone_before_a_colon_or_behind_words_that_say_so() {
        for (line, expected) in [
            ("<a@b.example>:", true),
            (" \"a@b.example\": ", true),
            ("Failed recipient: <a@b.example>; x", true),
            ("DELIVERY to: a@b.example.", true),
            ("To: a@b.example", false),
            ("Failed: nobody", false),
            ("Failed:", false),
            ("a@b.example", false),
            ("@b.example:", false),
            ("a@localhost:", false),
            ("localhost:", false),
            ("write to a@b.example:", false),
            ("mailto:a@b.example:", false),
            ("Failed: x<a@b.example", false),
            ("", false),
        ] {
            assert_eq!(is_failed_address(line), expected, "{line}");
        }
    }
}
