//! What shows that a person wrote a message, or sent it to many: answers, what is passed on, lists.
//!
//! ```text
//! subject = *( "[" tag "]" / "*" tag "*" ) [ word [ "[" number "]" ] ":" ] rest       word: Re, Fwd, AW, TR, Ответ, 回复 ...
//! ```
//!
//! People forward bounces, paste them into mail of their own, and discuss them on lists; newsletters explain them. `kind.rs`
//! weighs what is found here against a bounce. A mail system never answers with `Re:`, but for programs that answer
//! automatically, which are not judged by this. The words are those that mail programs write in some twenty languages;
//! `I:` (Italian) is one, so a subject that begins so by chance counts as passed on.

use super::guard::Block;

/// What a person does with the mail of another, as the subject says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Answered,
    PassedOn,
}

/// How the subject of an answer begins, before the colon, in lower case.
const ANSWERS: [&str; 34] = [
    "re",
    "aw",
    "sv",
    "vs",
    "odp",
    "antw",
    "antwort",
    "rif",
    "res",
    "resp",
    "réf",
    "ref",
    "rép",
    "atb",
    "ynt",
    "yan",
    "bls",
    "vá",
    "ha",
    "ответ",
    "отв",
    "от",
    "відповідь",
    "відп",
    "отг",
    "回复",
    "回覆",
    "答复",
    "答覆",
    "返信",
    "답장",
    "회신",
    "απ",
    "رد",
];
/// How that of a mail which was passed on begins.
const PASSED_ON: [&str; 31] = [
    "fw",
    "fwd",
    "wg",
    "tr",
    "rv",
    "enc",
    "i",
    "vb",
    "vl",
    "vl.",
    "pd",
    "doorst",
    "ilt",
    "i̇lt",
    "továbbítás",
    "wtr",
    "přep",
    "trs",
    "rvs",
    "пересл",
    "fwd.",
    "переслать",
    "пересылка",
    "转发",
    "轉寄",
    "轉發",
    "転送",
    "전달",
    "προώθ",
    "πρθ",
    "إعادة توجيه",
];

impl Answer {
    /// Of a subject in lower case without its tags: `re:`, `re[2]:`, `re :`, `回复：`.
    pub(super) fn of(subject: &str) -> Option<Answer> {
        let (word, _) = subject.split_once([':', '：'])?;
        let word = word.split(['[', '(', '^']).next().unwrap_or_default().trim();
        match () {
            () if ANSWERS.contains(&word) => Some(Answer::Answered),
            () if PASSED_ON.contains(&word) => Some(Answer::PassedOn),
            () => None,
        }
    }
}

/// A subject without what gateways and lists put in front of it: `[EXTERNAL]`, `[list-name]`, `***SPAM***`; `[Fwd: x]`
/// becomes `Fwd: x]`.
pub(super) fn untagged(subject: &str) -> &str {
    let mut rest = subject.trim_start();
    while let Some(tag) = rest.strip_prefix('[') {
        match tag.split_once(']') {
            Some((name, after)) if !name.contains(':') && !after.trim().is_empty() => rest = after.trim_start(),
            _ => return tag.trim_start(),
        }
    }
    let starred = rest.strip_prefix('*').and_then(|rest| rest.trim_start_matches('*').split_once('*'));
    starred.map_or(rest, |(_, after)| after.trim_start_matches(['*', ' ']))
}

/// Whether a mail came over a list, as list managers and senders of newsletters write.
pub(super) fn is_list(block: &Block<'_>) -> bool {
    ["List-Id", "List-Unsubscribe", "List-Post"].iter().any(|name| block.get(name).is_some())
        || block.get("Precedence").is_some_and(|value| value.eq_ignore_ascii_case(b"list"))
}

/// The local part of an envelope sender in lower case; empty is the null sender.
pub(super) fn sender_local(sender: &[u8]) -> String {
    let sender = String::from_utf8_lossy(sender.trim_ascii()).to_lowercase();
    let bare = sender.trim_matches(['<', '>', ' ']);
    bare.rsplit_once('@').map_or(bare, |(local, _)| local).to_owned()
}

/// Whether a text is an answer above what it quotes: words of its own, then two lines or more behind `>`.
pub(super) fn is_above_quote(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_own = lines.next().is_some_and(|line| !line.starts_with('>'));
    is_own && lines.filter(|line| line.starts_with('>')).nth(1).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_known_in_many_languages_and_behind_tags() {
        for (subject, expected) in [
            ("Re: x", Some(Answer::Answered)),
            ("RE : x", Some(Answer::Answered)),
            ("Re[2]: x", Some(Answer::Answered)),
            ("AW: x", Some(Answer::Answered)),
            ("Ответ: x", Some(Answer::Answered)),
            ("回复：x", Some(Answer::Answered)),
            ("[EXTERNAL] Fwd: x", Some(Answer::PassedOn)),
            ("[list] [EXT] TR: x", Some(Answer::PassedOn)),
            ("***SPAM*** WG: x", Some(Answer::PassedOn)),
            ("[Fwd: x]", Some(Answer::PassedOn)),
            ("İLT: x", Some(Answer::PassedOn)),
            ("轉寄: x", Some(Answer::PassedOn)),
            ("Undeliverable: Re: x", None),
            ("[EXTERNAL] Undeliverable: x", None),
            ("Returned mail: see transcript", None),
            ("[", None),
            ("[]", None),
            ("[x] ", None),
            ("[re: x] y", Some(Answer::Answered)),
            ("***", None),
            ("", None),
        ] {
            assert_eq!(Answer::of(&untagged(subject).to_lowercase()), expected, "{subject}");
        }
    }

    #[test]
    fn any_field_of_a_list_makes_one() {
        for (field, expected) in [
            ("List-Id: x", true),
            ("List-Unsubscribe: x", true),
            ("List-Post: x", true),
            ("Precedence: List", true),
            ("Precedence: bulk", false),
            ("Subject: list", false),
        ] {
            assert_eq!(is_list(&Block::read(field.as_bytes()).0), expected, "{field}");
        }
    }

    #[test]
    fn the_local_part_of_a_sender_is_what_stands_before_its_domain() {
        for (sender, expected) in
            [("<>", ""), ("", ""), (" <Bob@b.example> ", "bob"), ("\"a@b\"@b.example", "\"a@b\""), ("MAILER", "mailer")]
        {
            assert_eq!(sender_local(sender.as_bytes()), expected, "{sender}");
        }
    }

    #[test]
    fn an_answer_above_a_quote_has_words_of_its_own() {
        assert!(is_above_quote("I see.\n\nEve wrote:\n> a\n> b\n"));
        assert!(!is_above_quote("> a\n> b\n> c\n"));
        assert!(!is_above_quote("Sorry.\n> one line\n"));
        assert!(!is_above_quote("\n\n> a\n> b\n> c\n"));
        assert!(!is_above_quote("I see.\n> a\nand\nso on\n"));
        assert!(!is_above_quote(""));
    }
}
