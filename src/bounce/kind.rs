//! Which kind of message it is, from weighted evidence.
//!
//! ```text
//! block of the message -> items of evidence.rs that hold -> score by kind         cheap; nothing there: not-a-bounce
//! leaves, texts        -> phrases, structure             -> score by kind         only if the block gave a reason
//! score                -> the kind with the highest, if it reaches THRESHOLD      bounces count together as one
//! ```
//!
//! Which of the three bounces it is say the Action fields of RFC 3464, else the phrases. Words alone never make a kind:
//! without a sign in the block of the message its body is not looked at.

use super::evidence::{self, Fact, Group, Item, Place, Table, Test, Vote};
use super::guard::{Block, MAX_PHRASES};
use super::parts::{self, Addressee, Content};
use super::person::{Answer, is_list, sender_local, untagged};

/// The score that a kind needs.
pub const THRESHOLD: i32 = 50;
/// The score in the block of the message from which on its body is looked at.
pub const GATE: i32 = 15;
/// The weight from which on an item in the block of a message is a sign of a mail system; Precedence is below it.
pub const MIN_SIGN: i32 = 20;
/// The weight from which on an item in the block of a message says that it is a bounce, whatever its words are.
pub const MIN_TOLD: i32 = 40;
/// What words alone, in subject and text, can give to a bounce: less than the threshold, or mail about bounces would be one.
pub const MAX_WORDS: i32 = 45;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A bounce: not delivered, and nothing more will be tried.
    DsnFailed,
    /// A warning: not delivered yet.
    DsnDelayed,
    /// A delivery report that somebody asked for: delivered, relayed or expanded.
    DsnSuccess,
    /// A message disposition notification (RFC 8098): read, deleted.
    Mdn,
    /// A feedback report (RFC 5965): a recipient complained, or authentication failed.
    FeedbackReport,
    /// An answer of a program on behalf of a recipient, other than those below.
    AutoReply,
    /// An answer of somebody who is away.
    Vacation,
    /// A demand to prove that a human has sent a mail.
    Challenge,
    /// A notice that a mail had a virus.
    VirusNotice,
    /// A notice that a mail was taken for spam, or broke a rule on content.
    SpamNotice,
    /// A demand to confirm a subscription that somebody asked for in this name.
    SubscriptionConfirmation,
    /// Another message of a program.
    OtherAutomatic,
    /// Ordinary mail.
    NotABounce,
}

impl Kind {
    /// All kinds, not-a-bounce last.
    pub const ALL: &'static [Kind] = &[
        Kind::DsnFailed,
        Kind::DsnDelayed,
        Kind::DsnSuccess,
        Kind::Mdn,
        Kind::FeedbackReport,
        Kind::AutoReply,
        Kind::Vacation,
        Kind::Challenge,
        Kind::VirusNotice,
        Kind::SpamNotice,
        Kind::SubscriptionConfirmation,
        Kind::OtherAutomatic,
        Kind::NotABounce,
    ];

    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Kind::DsnFailed => "dsn-failed",
            Kind::DsnDelayed => "dsn-delayed",
            Kind::DsnSuccess => "dsn-success",
            Kind::Mdn => "mdn",
            Kind::FeedbackReport => "feedback-report",
            Kind::AutoReply => "auto-reply",
            Kind::Vacation => "vacation",
            Kind::Challenge => "challenge",
            Kind::VirusNotice => "virus-notice",
            Kind::SpamNotice => "spam-notice",
            Kind::SubscriptionConfirmation => "subscription-confirmation",
            Kind::OtherAutomatic => "other-automatic",
            Kind::NotABounce => "not-a-bounce",
        }
    }

    /// One sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Kind::DsnFailed => "A mail system says that a mail could not be delivered.",
            Kind::DsnDelayed => "A mail system says that a mail is not delivered yet.",
            Kind::DsnSuccess => "A mail system says that a mail was delivered or passed on.",
            Kind::Mdn => "A mail program says what became of a mail: read, or deleted.",
            Kind::FeedbackReport => "A mail system reports a complaint about a mail.",
            Kind::AutoReply => "A program answered a mail.",
            Kind::Vacation => "Somebody is away, and a program answered a mail.",
            Kind::Challenge => "A system wants proof that a human sent a mail.",
            Kind::VirusNotice => "A system says that a mail had a virus.",
            Kind::SpamNotice => "A system says that a mail looked like spam or broke a rule.",
            Kind::SubscriptionConfirmation => "A list or a site wants a subscription confirmed.",
            Kind::OtherAutomatic => "A program wrote this message.",
            Kind::NotABounce => "Ordinary mail.",
        }
    }

    /// Whether it is a delivery status notification, in any form.
    pub const fn is_dsn(self) -> bool {
        matches!(self, Kind::DsnFailed | Kind::DsnDelayed | Kind::DsnSuccess)
    }
}

/// One reason for what was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// The item's or phrase's id.
    pub id: &'static str,
    /// How much it counts, and for (above 0) or against it.
    pub weight: i32,
    /// One sentence for people.
    pub why: &'static str,
}

/// What the block of a message says, read once.
pub(super) struct Outer<'b, 'a> {
    pub(super) block: &'b Block<'a>,
    pub(super) content: Content,
    pub(super) from: Addressee,
    /// The envelope sender, or Return-Path where the envelope is not known.
    pub(super) sender: Option<&'b [u8]>,
}

/// The sums by kind, and what they were made of.
#[derive(Debug)]
pub(super) struct Scores {
    table: &'static Table,
    /// By kind; the three bounces have one sum, that of the first.
    sums: [i32; Kind::ALL.len()],
    /// Which of the three bounces words speak for.
    leaning: [i32; 3],
    /// What words alone gave to the bounces; no more than [`MAX_WORDS`].
    words: i32,
    /// Whether the block of the message has a sign of a mail system: more than words, a name before the address, and
    /// Auto-Submitted or Precedence, which shops and watchdogs write as well.
    is_signed: bool,
    /// Whether anything says that a mail was not delivered, beside the sender and that a program wrote it: postmasters also
    /// send reports of other sorts.
    is_told: bool,
    /// Whether it looks like a person's mail or another program's: from no mail system, an answer, passed on, or over a list. People forward
    /// bounces and talk about them, so that such a mail without a sign is none.
    is_personal: bool,
    /// Whether the subject is that of an answer: what stands in it is what another mail said.
    is_answer: bool,
    /// Whether In-Reply-To or References is there.
    is_thread: bool,
    /// Whether the body shows more than words: a report, an SMTP reply, headers that came back.
    is_shown: bool,
    /// Whether anything speaks of somebody who is away: the one that tells more of the two.
    is_away: bool,
    /// Whose mail is answered, by weak evidence.
    pub(super) lean: i32,
    pub(super) evidence: Vec<Evidence>,
}

impl Scores {
    pub(super) fn new() -> Scores {
        Scores {
            table: evidence::table(),
            sums: [0; Kind::ALL.len()],
            leaning: [0; 3],
            words: 0,
            is_signed: false,
            is_told: false,
            is_personal: false,
            is_answer: false,
            is_thread: false,
            is_shown: false,
            is_away: false,
            lean: 0,
            evidence: Vec::new(),
        }
    }

    fn add(&mut self, vote: Vote, weight: i32) {
        self.is_away |= vote == Vote::Kind(Kind::Vacation) && weight > 0;
        if vote == Vote::NotOurs {
            self.lean += weight;
        }
        if let Vote::Kind(kind) = vote {
            self.leans_to(kind, weight);
        }
        for (kind, sum) in Kind::ALL.iter().zip(&mut self.sums) {
            let counts = match (vote, kind) {
                (_, Kind::NotABounce | Kind::DsnDelayed | Kind::DsnSuccess) => false,
                (Vote::Bounce, kind) => kind.is_dsn(),
                // Who is away answers automatically.
                (Vote::Kind(Kind::Vacation), Kind::AutoReply) => true,
                (Vote::Kind(it), kind) => it == *kind || it.is_dsn() && kind.is_dsn(),
                (Vote::Automatic, _) => true,
                (Vote::NotOurs, _) => false,
            };
            if counts {
                *sum += weight;
            }
        }
    }

    fn item(&mut self, item: &'static Item) {
        self.add(item.vote, item.weight);
        self.evidence.push(Evidence { id: &item.id, weight: item.weight, why: &item.why });
    }

    /// The best kind and its score. Of equals the first in the order of [`Kind::ALL`]; other-automatic only if no other
    /// reaches the threshold. A bounce without a sign gives way to it: watchdogs and shops report failures, too.
    pub(super) fn best(&self) -> (Kind, i32) {
        let mut best = (Kind::NotABounce, 0);
        let at = Kind::ALL.iter().position(|kind| *kind == Kind::OtherAutomatic);
        let is_other = at.and_then(|at| self.sums.get(at)).is_some_and(|sum| *sum >= THRESHOLD);
        for (kind, sum) in Kind::ALL.iter().copied().zip(self.sums) {
            let about = !self.is_signed && (self.is_personal || !self.is_shown || is_other) || !self.is_told;
            let sum = if about && kind.is_dsn() { sum.min(THRESHOLD - 1) } else { sum };
            if sum > best.1 && !(kind == Kind::OtherAutomatic && best.1 >= THRESHOLD) {
                best = (kind, sum);
            }
        }
        if best.0 == Kind::AutoReply && self.is_away {
            best.0 = Kind::Vacation;
        }
        if best.0.is_dsn() {
            let [failed, delayed, success] = self.leaning;
            if delayed > 0 && delayed >= failed && delayed >= success {
                best.0 = Kind::DsnDelayed;
            } else if success > failed {
                best.0 = Kind::DsnSuccess;
            }
        }
        best
    }

    /// Whether it is part of a conversation, or calls itself so.
    pub(super) const fn is_in_thread(&self) -> bool {
        self.is_thread || self.is_answer
    }

    /// Counts the item whose test is this fact.
    pub(super) fn fact(&mut self, fact: Fact) {
        if let Some(item) = self.table.of_fact(fact) {
            self.is_shown |= item.vote == Vote::Bounce;
            self.is_told |= item.vote == Vote::Bounce;
            self.item(item);
        }
    }

    /// The items that hold for the block of a message, and the phrases in its subject.
    pub(super) fn block(&mut self, outer: &Outer<'_, '_>) {
        let subject = outer.block.get("Subject").map(parts::text).unwrap_or_default();
        let (held, writer) = held(self.table, outer, &subject);
        for item in held {
            self.item(item);
            let speaks = match item.vote {
                Vote::Bounce => true,
                Vote::Kind(kind) => kind.is_dsn(),
                Vote::Automatic | Vote::NotOurs => item.test.is_fact(Fact::NullSender),
            };
            let speaks = speaks && !matches!(item.test, Test::FromName(_)) && !writer.may_have(&item.test);
            self.is_signed |= speaks && item.weight >= MIN_SIGN;
            self.is_told |= speaks && item.weight >= MIN_TOLD;
        }
        self.is_answer = writer.answer.is_some();
        self.is_thread = ["In-Reply-To", "References"].iter().any(|name| outer.block.get(name).is_some());
        self.is_personal = self.is_thread || writer.is_no_mail_system();
        self.phrases(&subject, Place::Subject);
    }

    /// The phrases in a text: the first group of each kind counts.
    pub(super) fn phrases(&mut self, text: &str, place: Place) {
        let text = text.get(..text.floor_char_boundary(MAX_PHRASES)).unwrap_or(text);
        let mut counted: Vec<Kind> = Vec::new();
        for group in self.table.find(text, place) {
            let is_said_before = place == Place::Subject && self.is_answer;
            if counted.contains(&group.kind) || is_said_before {
                continue;
            }
            counted.push(group.kind);
            let weight = if group.kind.is_dsn() { self.words_left(group) } else { group.weight };
            self.evidence.push(Evidence { id: &group.id, weight, why: &group.why });
            self.add(Vote::Kind(group.kind), weight);
            // Without a weight that is left it still tells the three apart.
            self.is_told |= group.kind.is_dsn();
            self.leans_to(group.kind, group.weight - weight);
        }
    }

    fn words_left(&mut self, group: &Group) -> i32 {
        let weight = group.weight.min(MAX_WORDS - self.words).max(0);
        self.words += weight;
        weight
    }

    /// Words for one of the three bounces.
    fn leans_to(&mut self, kind: Kind, weight: i32) {
        let at = Kind::ALL.iter().position(|it| *it == kind);
        if let Some(leaning) = at.and_then(|at| self.leaning.get_mut(at)) {
            *leaning += weight;
        }
    }
}

/// Who wrote a message, as its subject, its list and the items that hold for its block show.
#[derive(Debug, Default)]
struct Writer {
    /// A mail system, by the address of the From.
    is_system: bool,
    /// A mail system, by the name before the address.
    is_named: bool,
    /// Another program, by the address of the From.
    is_robot: bool,
    /// A person, as all of the From shows.
    is_person: bool,
    /// The envelope sender is that of no mail system.
    is_sent: bool,
    /// A program wrote it that people write mail with.
    is_written: bool,
    is_list: bool,
    answer: Option<Answer>,
}

impl Writer {
    /// What an item tells that holds.
    fn learn(&mut self, item: &Item) {
        let is_other = item.vote == Vote::Kind(Kind::OtherAutomatic);
        match &item.test {
            Test::FromLocal(_) | Test::FromLocalBegins(_) if is_other => self.is_robot = true,
            Test::FromLocal(_) | Test::FromLocalBegins(_) => self.is_system = true,
            Test::FromName(_) => self.is_named = true,
            Test::FromOther(_) => self.is_person = true,
            Test::SenderOther(_) => self.is_sent = true,
            Test::Says(field, _) => {
                self.is_written |= item.weight < 0 && (field == "User-Agent" || field == "X-Mailer")
            }
            _ => {}
        }
    }

    /// Whether it may hold for a person's mail as well: anyone can write a subject, and a postmaster is also somebody who
    /// writes.
    fn may_have(&self, test: &Test) -> bool {
        let is_program = self.is_system || self.is_named;
        match test {
            Test::Says(field, _) if field == "Subject" => {
                self.is_person || self.is_written || !is_program && (self.is_list || self.is_sent)
            }
            Test::FromLocalBegins(_) => self.answer.is_some() || self.is_written,
            _ => false,
        }
    }

    /// Whether anything shows that no mail system wrote it.
    const fn is_no_mail_system(&self) -> bool {
        let is_program = self.is_robot && !self.is_system && !self.is_named;
        self.answer.is_some() || self.is_person || self.is_written || is_program || self.is_list
    }
}

/// The items that hold for the block of a message, in the order of the table, and who wrote it.
fn held(table: &'static Table, outer: &Outer<'_, '_>, subject: &str) -> (Vec<&'static Item>, Writer) {
    let address = outer.from.address.to_lowercase();
    let local = address.rsplit_once('@').map_or(address.as_str(), |(local, _)| local).trim_matches('"');
    let name = outer.from.name.as_deref().map(str::to_lowercase).unwrap_or_default();
    let subject_begins = untagged(subject).to_lowercase();
    let sender = outer.sender.map(sender_local);
    let is_null = sender.as_deref() == Some("");
    let answer = Answer::of(&subject_begins);
    let mut writer = Writer { is_list: is_list(outer.block), answer, ..Writer::default() };
    let mut held: Vec<&'static Item> = Vec::new();
    for item in &table.items {
        let holds = match &item.test {
            Test::Field(field) => outer.block.get(field).is_some(),
            // Behind a "Re:" it is what another mail system wrote to another one.
            Test::Says(field, _) if field == "Subject" && answer.is_some() => false,
            Test::Says(field, words) => outer.block.get(field).is_some_and(|value| says(value, words)),
            Test::FromLocal(words) => words.iter().any(|word| *word == local || *word == address),
            Test::FromLocalBegins(words) => words.iter().any(|word| local.starts_with(word.as_str())),
            Test::FromName(words) => !name.is_empty() && words.iter().any(|word| name.contains(word.as_str())),
            // The items of From and sender stand before it in the table. Who is away answers with a null sender, too.
            // A person's name may have "Mail Administrator" in it.
            Test::FromOther(words) => {
                let has = |word: &String| local.contains(word.as_str());
                let is_program = writer.is_system || writer.is_robot || writer.is_named && !writer.is_sent;
                !is_program && !is_null && address.contains('@') && !words.iter().any(has)
            }
            Test::SenderOther(words) => sender
                .as_deref()
                .is_some_and(|local| !local.is_empty() && !words.iter().any(|word| local.contains(word.as_str()))),
            Test::SubjectBegins(words) => words.iter().any(|word| subject_begins.starts_with(word.as_str())),
            // No person sends with a null sender, whatever the subject begins with.
            Test::Fact(Fact::Reply) => !is_null && answer.is_some(),
            Test::Fact(Fact::PassedOn) => !is_null && answer == Some(Answer::PassedOn),
            Test::Fact(Fact::Person) => writer.is_person,
            Test::Fact(Fact::ListOfOthers) => !writer.is_system && !writer.is_named && writer.is_list,
            Test::Fact(fact) => is_fact(*fact, outer),
        };
        if holds {
            writer.learn(item);
            held.push(item);
        }
    }
    (held, writer)
}

/// How the sender of a bounce begins where the null one was rewritten.
const DAEMON: &[u8] = b"mailer-daemon";

fn says(value: &[u8], words: &[String]) -> bool {
    let value = value.to_ascii_lowercase();
    words.iter().any(|word| memchr::memmem::find(&value, word.as_bytes()).is_some())
}

fn is_fact(fact: Fact, outer: &Outer<'_, '_>) -> bool {
    let report = outer.content.is("multipart", "report");
    let names = |name| report && outer.content.report.as_deref() == Some(name);
    match fact {
        Fact::NullSender | Fact::NullSenderOther => {
            outer.sender.is_some_and(|sender| matches!(sender.trim_ascii(), b"" | b"<>"))
        }
        Fact::DaemonSender => outer.sender.is_some_and(|sender| {
            let sender = sender.trim_ascii();
            let local = sender.strip_prefix(b"<").unwrap_or(sender);
            local.get(..DAEMON.len()).is_some_and(|start| start.eq_ignore_ascii_case(DAEMON))
        }),
        Fact::FromNobody => {
            outer.from.address.is_empty() && outer.block.get("From").is_some_and(|from| from.ends_with(b"<>"))
        }
        Fact::ReportDelivery => names("delivery-status"),
        Fact::ReportDisposition => names("disposition-notification"),
        Fact::ReportFeedback => names("feedback-report"),
        Fact::Report => report,
        // Known only when the body was looked at.
        _ => false,
    }
}
