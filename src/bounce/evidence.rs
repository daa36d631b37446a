//! The table of evidence, `evidence.toml`: read once, checked by [`check`].
//!
//! The file says how it is written. Items have an id, a weight and a sentence; the phrases of a language and place for a
//! kind are one item. Phrases are found in one pass over a text that is folded first: lower case, one blank for all white
//! space, typographic apostrophes straight.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::kind::Kind;
use super::status;

/// The table that the library uses.
pub const TABLE: &str = include_str!("evidence.toml");
/// The heaviest weight, for or against.
pub const MAX_WEIGHT: i32 = 100;
/// Octets of the shortest phrase.
pub const MIN_PHRASE: usize = 6;

/// What an item speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vote {
    /// The three delivery status notifications together.
    Bounce,
    /// One kind; of the three it speaks for all and leans to one.
    Kind(Kind),
    /// All kinds but not-a-bounce.
    Automatic,
    /// No kind: that the mail which it answers was not ours.
    NotOurs,
}

/// What is known of a message beside the words in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fact {
    NullSender,
    NullSenderOther,
    FromNobody,
    ReportDelivery,
    ReportDisposition,
    ReportFeedback,
    Report,
    Reply,
    PassedOn,
    Person,
    ListOfOthers,
    QuotedAnswer,
    DeliveryStatusPart,
    DispositionPart,
    FeedbackPart,
    ReturnedHeaders,
    ReturnedMessage,
    ReturnedText,
    SmtpError,
    FailedAddress,
    DaemonSender,
    OwnRelay,
    Elsewhere,
    OwnName,
    WrongName,
}

impl Fact {
    const ALL: [(&'static str, Fact); 25] = [
        ("null-sender", Fact::NullSender),
        ("null-sender-other", Fact::NullSenderOther),
        ("from-nobody", Fact::FromNobody),
        ("report-delivery", Fact::ReportDelivery),
        ("report-disposition", Fact::ReportDisposition),
        ("report-feedback", Fact::ReportFeedback),
        ("report", Fact::Report),
        ("reply", Fact::Reply),
        ("passed-on", Fact::PassedOn),
        ("person", Fact::Person),
        ("list-of-others", Fact::ListOfOthers),
        ("quoted-answer", Fact::QuotedAnswer),
        ("delivery-status-part", Fact::DeliveryStatusPart),
        ("disposition-part", Fact::DispositionPart),
        ("feedback-part", Fact::FeedbackPart),
        ("returned-headers", Fact::ReturnedHeaders),
        ("returned-message", Fact::ReturnedMessage),
        ("returned-text", Fact::ReturnedText),
        ("smtp-error", Fact::SmtpError),
        ("failed-address", Fact::FailedAddress),
        ("daemon-sender", Fact::DaemonSender),
        ("own-relay", Fact::OwnRelay),
        ("elsewhere", Fact::Elsewhere),
        ("own-name", Fact::OwnName),
        ("wrong-name", Fact::WrongName),
    ];
}

/// When an item holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    Field(String),
    Says(String, Vec<String>),
    FromLocal(Vec<String>),
    FromLocalBegins(Vec<String>),
    FromName(Vec<String>),
    /// No other item of the From holds, and its local part has none of the words.
    FromOther(Vec<String>),
    /// The envelope sender is known and not null, and its local part has none of the words.
    SenderOther(Vec<String>),
    SubjectBegins(Vec<String>),
    Fact(Fact),
}

impl Test {
    pub(super) fn is_fact(&self, fact: Fact) -> bool {
        matches!(self, Test::Fact(this) if *this == fact)
    }

    /// What asks whether others hold has a higher number than these, and stands behind them.
    const fn stage(&self) -> Option<u8> {
        match self {
            Test::FromLocal(_) | Test::FromLocalBegins(_) | Test::FromName(_) | Test::SenderOther(_) => Some(1),
            Test::FromOther(_) => Some(2),
            Test::Fact(Fact::Person | Fact::ListOfOthers) => Some(3),
            Test::Field(_) | Test::Says(..) | Test::SubjectBegins(_) | Test::Fact(_) => None,
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) vote: Vote,
    pub(super) weight: i32,
    pub(super) test: Test,
    pub(super) why: String,
}

/// Where a phrase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Subject,
    Body,
}

/// All phrases of a language and place for a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) place: Place,
    pub(super) weight: i32,
    pub(super) why: String,
}

/// The table, ready for use, and all else that is made once: a second lazy static would be first waited for in a child of
/// a fork that came before it was made.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) items: Vec<Item>,
    pub(super) groups: Vec<Group>,
    pub(super) reasons: status::Finder,
    subject: Finder,
    body: Finder,
}

/// Finds the phrases of one place.
#[derive(Debug)]
struct Finder {
    automaton: Option<AhoCorasick>,
    /// The group of each pattern.
    owners: Vec<usize>,
}

impl Finder {
    fn new(phrases: &[(String, usize)]) -> Finder {
        let built = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(phrases.iter().map(|(phrase, _)| phrase.as_bytes()));
        Finder { automaton: built.ok(), owners: phrases.iter().map(|(_, group)| *group).collect() }
    }
}

impl Table {
    /// The groups whose phrases stand in a text, each once, in the order of their first phrase.
    pub(super) fn find(&self, text: &str, place: Place) -> Vec<&Group> {
        let finder = match place {
            Place::Subject => &self.subject,
            Place::Body => &self.body,
        };
        let Some(automaton) = &finder.automaton else { return Vec::new() };
        let folded = fold(text);
        let mut found: Vec<usize> = Vec::new();
        for hit in automaton.find_iter(folded.as_bytes()) {
            if let Some(&group) = finder.owners.get(hit.pattern().as_usize())
                && !found.contains(&group)
            {
                found.push(group);
            }
        }
        found.into_iter().filter_map(|group| self.groups.get(group)).collect()
    }

    pub(super) fn of_fact(&self, fact: Fact) -> Option<&Item> {
        self.items.iter().find(|item| item.test.is_fact(fact))
    }
}

/// The table of this library. Its check is a test, so that it can be read; were it not, nothing would be a bounce.
pub(super) fn table() -> &'static Table {
    static READ: LazyLock<Table> = LazyLock::new(|| Read::new(TABLE).finish());
    &READ
}

/// Checks a table of evidence, and says how many items and phrases it has.
///
/// ```
/// use backstop::bounce::evidence;
/// let (items, phrases) = evidence::check(evidence::TABLE).unwrap();
/// assert!(items > 40 && phrases > 900);
/// assert!(evidence::check("[[item]]\nid = \"x\"").is_err());
/// ```
///
/// # Errors
/// All that is wrong with it, one sentence each, with the line.
pub fn check(table: &str) -> Result<(usize, usize), Vec<String>> {
    let read = Read::new(table);
    if read.problems.is_empty() { Ok((read.items.len(), read.phrases.len())) } else { Err(read.problems) }
}

/// One row of the table, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// The id that results show.
    pub id: &'static str,
    /// What it speaks for: a kind, or `bounce`, `automatic`, `not-ours`.
    pub speaks_for: &'static str,
    /// How much.
    pub weight: i32,
    /// One sentence.
    pub why: &'static str,
}

/// All rows of the table: the items, then the phrases by language, place and kind.
pub fn rows() -> impl Iterator<Item = Row> {
    let items = table().items.iter().map(|item| Row {
        id: &item.id,
        speaks_for: match item.vote {
            Vote::Bounce => "bounce",
            Vote::Kind(kind) => kind.slug(),
            Vote::Automatic => "automatic",
            Vote::NotOurs => "not-ours",
        },
        weight: item.weight,
        why: &item.why,
    });
    let groups = table().groups.iter();
    items.chain(groups.map(|it| Row { id: &it.id, speaks_for: it.kind.slug(), weight: it.weight, why: &it.why }))
}

/// Lower case, one blank for all white space, straight apostrophes.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for chunk in text.split_inclusive(|character: char| character.is_whitespace()) {
        let word = chunk.trim_end();
        if word.is_empty() {
            continue;
        }
        if !folded.is_empty() {
            folded.push(' ');
        }
        if word.is_ascii() {
            let start = folded.len();
            folded.push_str(word);
            if let Some(added) = folded.get_mut(start..) {
                added.make_ascii_lowercase();
            }
        } else {
            for character in word.chars() {
                match character {
                    '\u{2019}' | '\u{2018}' | '\u{b4}' => folded.push('\''),
                    other => folded.extend(other.to_lowercase()),
                }
            }
        }
    }
    folded
}

/// A table that is being read, and all that is wrong with it.
struct Read<'t> {
    text: &'t str,
    items: Vec<Item>,
    groups: Vec<Group>,
    phrases: Vec<(String, usize)>,
    places: [Option<(i32, String)>; 2],
    problems: Vec<String>,
}

type Node<'a> = &'a Spanned<DeValue<'a>>;

impl<'t> Read<'t> {
    fn new(text: &'t str) -> Read<'t> {
        let mut read = Read {
            text,
            items: Vec::new(),
            groups: Vec::new(),
            phrases: Vec::new(),
            places: [None, None],
            problems: Vec::new(),
        };
        match DeTable::parse(text) {
            Ok(document) => read.document(document.get_ref()),
            Err(error) => {
                read.fault(error.span().map_or(0, |span| span.start), &format!("no TOML: {}", error.message()))
            }
        }
        read
    }

    fn finish(self) -> Table {
        let of = |place: Place| {
            let here = |group: &usize| self.groups.get(*group).is_some_and(|group| group.place == place);
            let phrases: Vec<_> = self.phrases.iter().filter(|(_, group)| here(group)).cloned().collect();
            Finder::new(&phrases)
        };
        let (subject, body) = (of(Place::Subject), of(Place::Body));
        Table { items: self.items, groups: self.groups, reasons: status::Finder::new(), subject, body }
    }

    fn fault(&mut self, at: usize, what: &str) {
        let line = self.text.get(..at).unwrap_or(self.text).matches('\n').count() + 1;
        self.problems.push(format!("line {line}: {what}"));
    }

    fn document(&mut self, document: &DeTable<'_>) {
        // Places first: phrases take their weights.
        for (name, value) in document {
            if name.get_ref().as_ref() == "place" {
                self.each(value, |read, name, value| read.place(name, value));
            }
        }
        for (name, value) in document {
            match (name.get_ref().as_ref(), value.get_ref()) {
                ("place", _) => {}
                ("item", DeValue::Array(items)) => items.iter().for_each(|item| self.item(item)),
                ("phrases", _) => self.each(value, |read, language, value| {
                    read.each(value, |read, place, value| {
                        read.each(value, |read, kind, value| read.group(language, place, kind, value));
                    });
                }),
                (other, _) => self.fault(name.span().start, &format!("`{other}` is no part of the table")),
            }
        }
    }

    fn each(&mut self, value: Node<'_>, mut with: impl FnMut(&mut Self, &str, Node<'_>)) {
        match value.get_ref() {
            DeValue::Table(table) => table.iter().for_each(|(name, value)| with(self, name.get_ref(), value)),
            _ => self.fault(value.span().start, "this must be a table"),
        }
    }

    fn place(&mut self, name: &str, value: Node<'_>) {
        let Some(place) = place_of(name) else { return self.fault(value.span().start, "a place is subject or body") };
        let (mut weight, mut why) = (None, None);
        self.each(value, |read, name, value| match name {
            "weight" => weight = read.weight(value),
            "why" => why = read.sentence(value),
            _ => read.fault(value.span().start, "a place has weight and why"),
        });
        match weight.zip(why) {
            Some(both) => {
                if let Some(slot) = self.places.get_mut(usize::from(place == Place::Body)) {
                    *slot = Some(both);
                }
            }
            None => self.fault(value.span().start, "a place needs weight and why"),
        }
    }

    fn item(&mut self, value: Node<'_>) {
        let at = value.span().start;
        let (mut id, mut vote, mut weight, mut test, mut words, mut why) = (None, None, None, None, Vec::new(), None);
        self.each(value, |read, name, value| match name {
            "id" => id = read.text(value),
            "for" => vote = read.vote(value),
            "weight" => weight = read.weight(value),
            "test" => test = read.text(value),
            "words" => words = read.words(value),
            "why" => why = read.sentence(value),
            other => read.fault(value.span().start, &format!("`{other}` is no part of an item")),
        });
        let (Some(id), Some(vote), Some(weight), Some(test), Some(why)) = (id, vote, weight, test, why) else {
            return self.fault(at, "an item needs id, for, weight, test, words and why");
        };
        let name = id.clone();
        if let Some(test) = self.test(at, &test, words) {
            let stage = test.stage();
            let mut before = self.items.iter();
            if let Some(later) = before.find(|item| stage.is_some() && item.test.stage() > stage) {
                let what = format!("{id} must stand before {}, which asks whether it holds", later.id);
                self.fault(at, &what);
            }
            self.items.push(Item { id, vote, weight, test, why });
        }
        self.unique(at, &name);
    }

    fn unique(&mut self, at: usize, id: &str) {
        let ids = self.items.iter().map(|item| &item.id).chain(self.groups.iter().map(|group| &group.id));
        if ids.filter(|other| *other == id).count() > 1 {
            self.fault(at, &format!("the id {id} is there twice"));
        }
        let plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
        if id.is_empty() || !id.bytes().all(plain) {
            self.fault(at, &format!("the id {id} must be of a-z, 0-9 and -"));
        }
    }

    fn test(&mut self, at: usize, test: &str, words: Vec<String>) -> Option<Test> {
        let is_lower = words.iter().all(|word| *word == word.to_lowercase() && !word.is_empty());
        if words.is_empty() || (!is_lower && test != "field") {
            self.fault(at, "the words of this item must be there, and in lower case");
            return None;
        }
        let one = words.first().filter(|_| words.len() == 1);
        let read = match (test.split_once(' '), test) {
            (Some(("says", field)), _) => Some(Test::Says(field.to_owned(), words)),
            (_, "field") => one.map(|field| Test::Field(field.clone())),
            (_, "fact") => {
                one.and_then(|word| Fact::ALL.iter().find(|(name, _)| name == word)).map(|(_, fact)| Test::Fact(*fact))
            }
            (_, "from-local") => Some(Test::FromLocal(words)),
            (_, "from-local-begins") => Some(Test::FromLocalBegins(words)),
            (_, "from-name") => Some(Test::FromName(words)),
            (_, "from-other") => Some(Test::FromOther(words)),
            (_, "sender-other") => Some(Test::SenderOther(words)),
            (_, "subject-begins") => Some(Test::SubjectBegins(words)),
            _ => None,
        };
        if read.is_none() {
            self.fault(at, "no such test; field and fact take one word");
        }
        read
    }

    fn group(&mut self, language: &str, place: &str, kind: &str, value: Node<'_>) {
        let at = value.span().start;
        let id = format!("{language}-{place}-{kind}");
        let kind = kind_of(kind);
        let (Some(kind), Some(place)) = (kind, place_of(place)) else {
            return self.fault(at, &format!("{id} names no kind, or no place"));
        };
        let Some((weight, why)) = self.places.get(usize::from(place == Place::Body)).cloned().flatten() else {
            return self.fault(at, "the place of these phrases has no weight");
        };
        let number = self.groups.len();
        self.groups.push(Group { id: id.clone(), kind, place, weight, why });
        self.unique(at, &id);
        for phrase in self.words(value) {
            let there = |(other, group): &(String, usize)| {
                *other == phrase && self.groups.get(*group).is_some_and(|group| group.place == place)
            };
            if self.phrases.iter().any(there) {
                self.fault(at, &format!("{phrase:?} is there twice"));
            }
            if phrase.len() < MIN_PHRASE || fold(&phrase) != phrase {
                self.fault(
                    at,
                    &format!("{phrase:?} is shorter than {MIN_PHRASE} octets, or not in lower case with single blanks"),
                );
            }
            self.phrases.push((phrase, number));
        }
    }

    fn vote(&mut self, value: Node<'_>) -> Option<Vote> {
        let word = self.text(value)?;
        let vote = match word.as_str() {
            "bounce" => Some(Vote::Bounce),
            "automatic" => Some(Vote::Automatic),
            "not-ours" => Some(Vote::NotOurs),
            word => kind_of(word).map(Vote::Kind),
        };
        if vote.is_none() {
            self.fault(value.span().start, &format!("{word} is no kind"));
        }
        vote
    }

    fn weight(&mut self, value: Node<'_>) -> Option<i32> {
        let read =
            value.get_ref().as_integer().and_then(|number| i32::from_str_radix(number.as_str(), number.radix()).ok());
        let fits = read.filter(|weight| *weight != 0 && weight.abs() <= MAX_WEIGHT);
        if fits.is_none() {
            self.fault(
                value.span().start,
                &format!("a weight is a number up to {MAX_WEIGHT}, for or against, and not 0"),
            );
        }
        fits
    }

    fn text(&mut self, value: Node<'_>) -> Option<String> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.fault(value.span().start, "this must be a text in quotes");
        }
        text.map(str::to_owned)
    }

    fn sentence(&mut self, value: Node<'_>) -> Option<String> {
        let text = self.text(value)?;
        if !text.ends_with('.') || !text.starts_with(char::is_uppercase) {
            self.fault(value.span().start, "a sentence begins with a capital and ends with a full stop");
        }
        Some(text)
    }

    fn words(&mut self, value: Node<'_>) -> Vec<String> {
        let DeValue::Array(words) = value.get_ref() else {
            self.fault(value.span().start, "this must be a list of texts");
            return Vec::new();
        };
        words.iter().filter_map(|word| self.text(word)).collect()
    }
}

/// A kind that something can speak for.
fn kind_of(word: &str) -> Option<Kind> {
    Kind::ALL.iter().copied().find(|kind| kind.slug() == word && *kind != Kind::NotABounce)
}

fn place_of(name: &str) -> Option<Place> {
    match name {
        "subject" => Some(Place::Subject),
        "body" => Some(Place::Body),
        _ => None,
    }
}
