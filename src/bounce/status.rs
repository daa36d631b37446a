//! Delivery-status fields (RFC 3464, RFC 6533) and why mail was not delivered.
//!
//! ```text
//! message/delivery-status = fields of the message LF 1*( fields of a recipient LF )
//! recipient  Final-Recipient: rfc822; address      utf-8; address with \x{HEX}      Action, Status, Diagnostic-Code, Remote-MTA
//! ```
//!
//! Where the fields are quoted in plain text, they are read from there. Without them the class comes from the first reply
//! or status code in the text, else from its words. Classes are coarse: they tell a person what to do.

use aho_corasick::AhoCorasick;

use super::evidence;
use super::guard::{Block, MAX_DELIVERIES};
use super::parts;

/// Why mail was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// There is no such address.
    BadAddress,
    /// The mailbox has no room.
    MailboxFull,
    /// The host could not be reached, or mail goes in circles.
    Unreachable,
    /// Not delivered yet; it will be tried again.
    Delayed,
    /// Refused: relaying, reputation, authentication, rules.
    Policy,
    /// Refused for what the mail is: spam, a virus, too large.
    Content,
}

impl Reason {
    /// All classes.
    pub const ALL: &'static [Reason] = &[
        Reason::BadAddress,
        Reason::MailboxFull,
        Reason::Unreachable,
        Reason::Delayed,
        Reason::Policy,
        Reason::Content,
    ];

    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Reason::BadAddress => "bad-address",
            Reason::MailboxFull => "mailbox-full",
            Reason::Unreachable => "unreachable",
            Reason::Delayed => "delayed",
            Reason::Policy => "policy",
            Reason::Content => "content",
        }
    }
}

/// The Action field: what became of a mail for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Not delivered.
    Failed,
    /// Not delivered yet.
    Delayed,
    /// Delivered.
    Delivered,
    /// Passed on to a system that makes no reports.
    Relayed,
    /// Passed on to several addresses.
    Expanded,
}

impl Action {
    const ALL: [Action; 5] = [Action::Failed, Action::Delayed, Action::Delivered, Action::Relayed, Action::Expanded];

    /// The word of the field.
    pub const fn slug(self) -> &'static str {
        match self {
            Action::Failed => "failed",
            Action::Delayed => "delayed",
            Action::Delivered => "delivered",
            Action::Relayed => "relayed",
            Action::Expanded => "expanded",
        }
    }
}

/// What a report says of one recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// The address, from Final-Recipient, else Original-Recipient.
    pub recipient: Option<String>,
    /// What became of it.
    pub action: Option<Action>,
    /// The status code, as `5.1.1`.
    pub status: Option<String>,
    /// What the other host said.
    pub diagnostic: Option<String>,
    /// The class of the reason; `None` for mail that was delivered.
    pub reason: Option<Reason>,
}

/// All that the delivery-status fields say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) reporting: Option<String>,
    pub(super) deliveries: Vec<Delivery>,
}

impl Report {
    /// The worst action: one recipient that failed makes a failure.
    pub(super) fn action(&self) -> Option<Action> {
        self.deliveries.iter().filter_map(|delivery| delivery.action).min()
    }
}

/// Reads the content of a message/delivery-status part, or the text from where the fields begin.
pub(super) fn read(octets: &[u8]) -> Report {
    let mut report = Report::default();
    let mut at = 0;
    while let Some(rest) = octets.get(at..).filter(|rest| !rest.is_empty()) {
        let (block, length) = Block::read(rest);
        if length == 0 || report.deliveries.len() >= MAX_DELIVERIES {
            break;
        }
        at += length;
        if report.reporting.is_none() {
            report.reporting = block.get("Reporting-MTA").map(of_type);
        }
        if let Some(delivery) = delivery(&block) {
            report.deliveries.push(delivery);
        }
    }
    report
}

/// Reads fields that are quoted in plain text.
pub(super) fn in_text(text: &str) -> Report {
    let start = ["Reporting-MTA:", "Final-Recipient:", "Original-Recipient:"]
        .iter()
        .filter_map(|name| memchr::memmem::find(text.as_bytes(), name.as_bytes()))
        .filter(|at| *at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n'))
        .min();
    start.and_then(|at| text.get(at..)).map(|text| read(text.as_bytes())).unwrap_or_default()
}

fn delivery(block: &Block<'_>) -> Option<Delivery> {
    let recipient = block.get("Final-Recipient").or_else(|| block.get("Original-Recipient"))?;
    let action = block.get("Action").and_then(|value| {
        let word = value.split(|octet| !octet.is_ascii_alphabetic()).next().unwrap_or_default();
        Action::ALL.into_iter().find(|action| word.eq_ignore_ascii_case(action.slug().as_bytes()))
    });
    let status = block.get("Status").map(parts::text).and_then(|text| code_of(&text, b"245"));
    let diagnostic = block.get("Diagnostic-Code").map(of_type).filter(|text| !text.is_empty());
    let failed = matches!(action, None | Some(Action::Failed));
    let reason = match action {
        Some(Action::Delayed) => Some(Reason::Delayed),
        _ if failed => class(status.as_deref(), diagnostic.as_deref().unwrap_or_default()),
        _ => None,
    };
    let recipient = Some(of_type(recipient)).filter(|address| !address.is_empty());
    Some(Delivery { recipient, action, status, diagnostic, reason })
}

/// The value behind `type;`, unfolded, with the escapes of RFC 6533.
fn of_type(value: &[u8]) -> String {
    let text = parts::text(value);
    let value = text.split_once(';').map_or(text.as_ref(), |(_, value)| value).trim();
    let mut read = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("\\x{") {
        read.push_str(before);
        let escaped = after.split_once('}').filter(|(hex, _)| hex.len() <= 6);
        let character = escaped.and_then(|(hex, _)| char::from_u32(u32::from_str_radix(hex, 16).ok()?));
        match (character, escaped) {
            (Some(character), Some((_, tail))) => {
                read.push(character);
                rest = tail;
            }
            _ => {
                read.push_str("\\x{");
                rest = after;
            }
        }
    }
    read.push_str(rest);
    read.trim_matches(['<', '>']).to_owned()
}

/// The first status code in a text that says no (`5.1.1`, RFC 3463).
pub(super) fn code(text: &str) -> Option<String> {
    code_of(text, b"45")
}

/// Whether a status code stands in a text as qmail and Exchange write it, `#5.1.1`. Without a reply beside it a bare one may
/// be a version.
pub(super) fn numbered(text: &str) -> bool {
    let number = |rest: &'_ str| {
        rest.split(|it: char| !it.is_ascii_digit() && it != '.').next().is_some_and(|it| code(it).is_some())
    };
    text.split('#').skip(1).any(number)
}

/// The first status code of these classes.
fn code_of(text: &str, classes: &[u8]) -> Option<String> {
    let bytes = text.as_bytes();
    for at in memchr::memchr_iter(b'.', bytes) {
        let Some(start) = at.checked_sub(1) else { continue };
        let class = bytes.get(start).filter(|octet| classes.contains(octet));
        let before = start.checked_sub(1).and_then(|before| bytes.get(before));
        if class.is_none() || before.is_some_and(|octet| octet.is_ascii_alphanumeric() || *octet == b'.') {
            continue;
        }
        let rest = bytes.get(at + 1..).unwrap_or_default();
        let digits = |rest: &[u8]| rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
        let subject = digits(rest);
        let Some(b".") = rest.get(subject..subject + 1) else { continue };
        let detail = digits(rest.get(subject + 1..).unwrap_or_default());
        let end = at + 1 + subject + 1 + detail;
        let after = (bytes.get(end), bytes.get(end + 1).is_some_and(u8::is_ascii_digit));
        if (1..=3).contains(&subject) && (1..=3).contains(&detail) && !matches!(after, (Some(b'.'), true)) {
            return text.get(start..end).map(str::to_owned);
        }
    }
    None
}

/// The first reply of SMTP in a text that says no: `550 ` or `550-` where a word may begin.
pub(super) fn reply(text: &str) -> Option<u16> {
    let bytes = text.as_bytes();
    for (at, window) in bytes.windows(4).enumerate() {
        if let [b'4' | b'5', high, low, b' ' | b'-'] = window
            && matches!(high, b'0' | b'1' | b'2' | b'3' | b'5' | b'7')
            && low.is_ascii_digit()
            && !at.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(|octet| octet.is_ascii_alphanumeric())
            && bytes
                .get(at + 4)
                .is_some_and(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'<' | b'#' | b'\''))
        {
            return text.get(at..at + 3)?.parse().ok();
        }
    }
    None
}

/// Words of replies, and the class that they tell. The first that fits counts.
const WORDS: &[(Reason, &[&str])] = &[
    (
        Reason::MailboxFull,
        &[
            "quota",
            "mailbox full",
            "mailbox is full",
            "insufficient storage",
            "over its limit",
            "inbox is full",
            "no space",
            "account is full",
            "postfach ist voll",
            "postfach des empfängers ist voll",
            "boîte pleine",
            "boîte aux lettres est pleine",
            "buzón lleno",
            "buzón está lleno",
            "casella piena",
            "casella di posta è piena",
            "caixa de correio cheia",
            "caixa postal cheia",
            "postvak is vol",
            "skrzynka jest pełna",
            "ящик переполнен",
            "いっぱい",
            "容量を超えて",
            "邮箱已满",
            "信箱已滿",
            "가득",
            "용량이 초과",
            "posta kutusu dolu",
        ],
    ),
    (
        Reason::Content,
        &[
            "spam",
            "virus",
            "content",
            "too large",
            "message size",
            "exceeds",
            "malware",
            "attachment",
            "banned",
            "blocked using",
            "too big",
            "infected",
        ],
    ),
    (
        Reason::BadAddress,
        &[
            "user unknown",
            "unknown user",
            "no such user",
            "no mailbox",
            "does not exist",
            "doesn't exist",
            "unknown recipient",
            "recipient unknown",
            "invalid recipient",
            "not a valid",
            "not listed",
            "no such",
            "unrouteable",
            "unknown address",
            "mailbox unavailable",
            "not found",
            "unknown or illegal",
            "disabled",
            "recipient rejected",
            "address rejected",
            "not our customer",
            "doesn't have a",
            "no account",
            "notfound",
            "notfnd",
            "incorrect",
            "unbekannter benutzer",
            "empfänger unbekannt",
            "adresse existiert nicht",
            "utilisateur inconnu",
            "destinataire inconnu",
            "n'existe pas",
            "usuario desconocido",
            "no existe",
            "utente sconosciuto",
            "destinatario sconosciuto",
            "indirizzo non valido",
            "usuário desconhecido",
            "não existe",
            "onbekende gebruiker",
            "bestaat niet",
            "nieznany użytkownik",
            "nie istnieje",
            "neznámý uživatel",
            "neexistuje",
            "okänd mottagare",
            "finns inte",
            "неизвестный пользователь",
            "не найден",
            "не существует",
            "宛先不明",
            "存在しません",
            "不存在",
            "존재하지 않는",
            "찾을 수 없",
            "bilinmeyen kullanıcı",
            "bulunamadı",
        ],
    ),
    (
        Reason::Policy,
        &[
            "relay",
            "denied",
            "policy",
            "blocked",
            "blacklist",
            "not allowed",
            "prohibited",
            "rejected",
            "refused",
            "spf",
            "dkim",
            "dmarc",
            "authentication",
        ],
    ),
    (
        Reason::Unreachable,
        &[
            "timed out",
            "time out",
            "timeout",
            "connection",
            "host not found",
            "name service",
            "unreachable",
            "no route",
            "too many hops",
            "hop count",
            "loop",
            "retry time",
            "too long",
        ],
    ),
];

/// All words of all classes in one pass, and the index of the class of each. Made once, with the table of evidence.
#[derive(Debug)]
pub(super) struct Finder {
    automaton: Option<AhoCorasick>,
    classes: Vec<usize>,
}

impl Finder {
    pub(super) fn new() -> Finder {
        let words =
            WORDS.iter().enumerate().flat_map(|(class, (_, words))| words.iter().map(move |word| (word, class)));
        let (words, classes): (Vec<&str>, Vec<usize>) = words.unzip();
        Finder { automaton: AhoCorasick::new(words).ok(), classes }
    }

    /// The first class of which a text in lower case has a word.
    fn worded(&self, said: &str) -> Option<Reason> {
        let hits = self.automaton.as_ref()?.find_overlapping_iter(said);
        let class = hits.filter_map(|hit| self.classes.get(hit.pattern().as_usize())).min()?;
        WORDS.get(*class).map(|(reason, _)| *reason)
    }
}

/// The class of a status code and of what was said.
pub(super) fn class(status: Option<&str>, said: &str) -> Option<Reason> {
    let said = said.to_lowercase();
    let by_words = || evidence::table().reasons.worded(&said);
    let mut parts = status.unwrap_or_default().split('.').skip(1).map(|part| part.parse::<u16>().unwrap_or(0));
    match (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) {
        (1, 1..=6 | 10) | (2, 1) | (0, 1) => match by_words() {
            // Some say 5.1.1 for everything; what they say besides is better.
            Some(reason @ (Reason::MailboxFull | Reason::Content)) if said.len() < 500 => Some(reason),
            _ => Some(Reason::BadAddress),
        },
        (2, 2) => Some(Reason::MailboxFull),
        (2, 3) | (3, 4) | (6, _) => Some(Reason::Content),
        (4, _) => by_words().filter(|reason| *reason == Reason::BadAddress).or(Some(Reason::Unreachable)),
        (7, _) | (1, 7 | 8) => by_words().filter(|reason| *reason == Reason::Content).or(Some(Reason::Policy)),
        _ => by_words(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_code_is_told_from_addresses_and_versions() {
        for (text, expected) in [
            ("smtp; 550 5.1.1 <a@b>: unknown", Some("5.1.1")),
            ("(#5.7.26)", Some("5.7.26")),
            ("4.4.7", Some("4.4.7")),
            ("host 195.5.1.1 said", None),
            ("5.1.1.1 is an address", None),
            ("Exim 4.96 and 3.1.1", None),
            ("v5.1.1", None),
            ("5.1", None),
            ("5.", None),
            (".", None),
            ("5.1.1. Sorry", Some("5.1.1")),
            ("5.123.123", Some("5.123.123")),
            ("5.1234.1", None),
            ("5.1.1234", None),
            ("5..1", None),
            ("5.1.", None),
            ("5-1.1", None),
            ("3.5.1.1", None),
            ("x. 5.1.1", Some("5.1.1")),
            (". 5.1.1", Some("5.1.1")),
            ("250 2.1.5 Ok, 550 5.7.1 no", Some("5.7.1")),
            ("Version 2.4.1 is out", None),
        ] {
            assert_eq!(code(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_numbered_code_stands_behind_its_sign() {
        for (text, expected) in
            [("(#5.1.1)", true), ("no. #4.4.7.", true), ("#1 is 5.1.1", false), ("#2.1.1", false), ("5.1.1", false)]
        {
            assert_eq!(numbered(text), expected, "{text}");
        }
    }

    #[test]
    fn a_reply_is_told_from_other_numbers() {
        for (text, expected) in [
            ("550 user unknown", Some(550)),
            ("said: 452-4.2.2 full", Some(452)),
            ("554 <a@b>: Relay access denied", Some(554)),
            ("1550 users", None),
            ("560 users", None),
            ("550", None),
            ("550 .", None),
            ("550 #5.1.1", Some(550)),
            ("x550 users", None),
            ("55x users", None),
            ("550users", None),
        ] {
            assert_eq!(reply(text), expected, "{text}");
        }
    }

    #[test]
    fn classes_follow_the_code_and_then_the_words() {
        for (status, said, expected) in [
            (Some("5.1.1"), "user unknown", Some(Reason::BadAddress)),
            (Some("5.1.1"), "mailbox is full", Some(Reason::MailboxFull)),
            (Some("5.2.2"), "", Some(Reason::MailboxFull)),
            (Some("5.3.4"), "", Some(Reason::Content)),
            (Some("5.4.4"), "", Some(Reason::Unreachable)),
            (Some("4.4.1"), "connection timed out", Some(Reason::Unreachable)),
            (Some("5.7.1"), "relaying denied", Some(Reason::Policy)),
            (Some("5.7.1"), "message looks like spam", Some(Reason::Content)),
            (Some("5.0.0"), "", None),
            (Some("5.1.10"), "", Some(Reason::BadAddress)),
            (Some("5.2.1"), "", Some(Reason::BadAddress)),
            (Some("5.0.1"), "", Some(Reason::BadAddress)),
            (Some("5.2.3"), "", Some(Reason::Content)),
            (Some("5.6.0"), "", Some(Reason::Content)),
            (Some("5.4.4"), "no such host; unknown user", Some(Reason::BadAddress)),
            (Some("5.4.4"), "quota", Some(Reason::Unreachable)),
            (Some("5.7.1"), "no such user", Some(Reason::Policy)),
            (Some("5.1.7"), "", Some(Reason::Policy)),
            (Some("5.1.1"), &format!("quota{}", "x".repeat(494)), Some(Reason::MailboxFull)),
            (Some("5.1.1"), &format!("quota{}", "x".repeat(495)), Some(Reason::BadAddress)),
            (None, "550 no such user here", Some(Reason::BadAddress)),
            (None, "Over quota", Some(Reason::MailboxFull)),
            (None, "what happened", None),
        ] {
            assert_eq!(class(status, said), expected, "{status:?} {said}");
        }
    }

    fn told(report: &Report) -> Vec<(Option<&str>, Option<Action>, Option<Reason>)> {
        report.deliveries.iter().map(|it| (it.recipient.as_deref(), it.action, it.reason)).collect()
    }

    #[test]
    fn each_recipient_has_its_action_and_the_worst_is_that_of_the_report() {
        let report = read(
            b"Reporting-MTA: dns; mx.b.example\n\nFinal-Recipient: rfc822; a@b.example\nAction: delayed (again)\n\n\
              Original-Recipient: rfc822; b@b.example\nAction: FAILED\nDiagnostic-Code: smtp; no such user\n\n\
              Final-Recipient: rfc822; \nAction: relayed\nDiagnostic-Code: smtp; no such user\n\n\
              X-Other: 1\n\nFinal-Recipient: c@b.example\nDiagnostic-Code:\n",
        );
        let expected = [
            (Some("a@b.example"), Some(Action::Delayed), Some(Reason::Delayed)),
            (Some("b@b.example"), Some(Action::Failed), Some(Reason::BadAddress)),
            (None, Some(Action::Relayed), None),
            (Some("c@b.example"), None, None),
        ];
        assert_eq!(told(&report), expected);
        assert_eq!((report.reporting.as_deref(), report.action()), (Some("mx.b.example"), Some(Action::Failed)));
        let diagnostics: Vec<_> = report.deliveries.iter().map(|it| it.diagnostic.is_some()).collect();
        assert_eq!(diagnostics, [false, true, true, false]);
        assert_eq!(read(b"").action(), None);
    }

    #[test]
    fn as_many_recipients_are_read_as_the_limit_says_and_none_behind_what_is_no_field() {
        let one = "Final-Recipient: rfc822; a@b.example\n\n";
        assert_eq!(read(one.repeat(MAX_DELIVERIES + 1).as_bytes()).deliveries.len(), MAX_DELIVERIES);
        assert_eq!(read(format!("{one}no field\n{one}").as_bytes()).deliveries.len(), 1);
    }

    #[test]
    fn fields_in_a_text_begin_on_a_line_of_their_own() {
        let fields = "Final-Recipient: rfc822; a@b.example\nAction: failed\n";
        for (before, expected) in [("", 1), ("It failed:\n\n", 1), ("See ", 0), ("x\n ", 0)] {
            assert_eq!(in_text(&format!("{before}{fields}")).deliveries.len(), expected, "{before:?}");
        }
        // The first of those that stand there.
        let report = in_text(&format!("x\nReporting-MTA: dns; b.example\n\n{fields}"));
        assert_eq!((report.reporting.as_deref(), report.deliveries.len()), (Some("b.example"), 1));
    }

    #[test]
    fn escapes_of_rfc_6533_are_read_and_broken_ones_kept() {
        assert_eq!(of_type(b"utf-8; j\\x{FC}rgen@b.example"), "jürgen@b.example");
        assert_eq!(of_type(b"utf-8; a\\x{110000}b"), "a\\x{110000}b");
        assert_eq!(of_type(b"rfc822;<a@b.example>"), "a@b.example");
        assert_eq!(of_type(b"a\\x{41"), "a\\x{41");
    }
}
