//! Settings in TOML: tables read with the line of everything in them, and texts and lists written back.
//!
//! Read by hand over the parsed document, since derived readers tell neither the nearest known key nor a remedy. Every fault
//! is an [`Error::Policy`] with line and remedy. Keys come in the order of the text, so that the first fault is the one to
//! mend first, and the later of two that collide is the one to blame.
//!
//! A text is written as a basic string: `"` and `\` behind a backslash, every control character (also DEL and U+0080 to
//! U+009F, so that it can be shown on a terminal) as `\uXXXX`, all else as it is. The escapes of Rust and of JSON are not
//! TOML's: Rust writes `\u{94d}` for a vowel sign, JSON leaves DEL raw, and TOML refuses both.
//!
//! The policy and the configuration of the daemon are read with it, so that it is public; it is no part of what the crate
//! promises.

use alloc::borrow::{Cow, ToOwned};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::day::Day;
use crate::error::Error;

/// A key with its value, and the text in which it stands.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    text: &'a str,
    /// The key.
    pub name: &'a str,
    /// Offset of the key.
    at: usize,
    value: &'a Spanned<DeValue<'a>>,
}

/// Calls `each` with every entry at the top of a text.
///
/// # Errors
/// [`Error::Policy`]: what is no UTF-8 or no TOML; what `each` refuses.
pub fn read(octets: &[u8], each: impl FnMut(Entry<'_>) -> Result<(), Error>) -> Result<(), Error> {
    let text = core::str::from_utf8(octets).map_err(|error| {
        let before = octets.get(..error.valid_up_to()).unwrap_or_default();
        Error::Policy { line: line_behind(before), message: "it is not UTF-8; save it as UTF-8".to_owned() }
    })?;
    let document = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        fault(text, at, format!("this is no TOML: {}", error.message()))
    })?;
    entries(text, document.get_ref()).into_iter().try_for_each(each)
}

#[allow(clippy::missing_errors_doc, reason = "each refuses, with line and remedy, what it does not return")]
impl<'a> Entry<'a> {
    /// An error about this entry, by its name.
    pub fn fault(&self, what: impl fmt::Display) -> Error {
        fault(self.text, self.at, format!("`{}` {what}", self.name))
    }

    /// What is wrong with its value, as the value's own parser says it.
    pub(crate) fn fault_of(&self, error: &Error) -> Error {
        fault(self.text, self.at, format!("`{}`: {error}", self.name))
    }

    /// The refusal of a key that nobody knows; `table` is empty at the top.
    pub fn unknown(&self, table: &str, known: &[&str]) -> Error {
        let remedy = match nearest(self.name, known) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known are {}", known.join(", ")),
        };
        let place = if table.is_empty() { String::new() } else { format!(" in [{table}]") };
        fault(self.text, self.at, format!("unknown key `{}`{place}; {remedy}", self.name))
    }

    /// The entries of a table.
    pub fn entries(&self) -> Result<Vec<Entry<'a>>, Error> {
        match self.value.get_ref() {
            DeValue::Table(table) => Ok(entries(self.text, table)),
            _ => Err(self.fault("must be a table")),
        }
    }

    /// A text.
    pub fn str(&self) -> Result<&'a str, Error> {
        self.value.get_ref().as_str().ok_or_else(|| self.fault("must be a text in quotes"))
    }

    /// True or false.
    pub fn yes(&self) -> Result<bool, Error> {
        self.value.get_ref().as_bool().ok_or_else(|| self.fault("must be true or false"))
    }

    /// A whole number from `low` to `high`.
    pub fn number<N: TryFrom<u32> + PartialOrd + fmt::Display>(&self, low: N, high: N) -> Result<N, Error> {
        let number = self.value.get_ref().as_integer();
        let number = number.and_then(|it| u32::from_str_radix(it.as_str(), it.radix()).ok());
        let number = number.and_then(|it| N::try_from(it).ok()).filter(|it| (&low..=&high).contains(&it));
        number.ok_or_else(|| self.fault(format_args!("must be a whole number from {low} to {high}")))
    }

    /// A date, in quotes or not.
    pub fn day(&self) -> Result<Day, Error> {
        let text = match self.value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Datetime(stamp) => Some(stamp.to_string()),
            _ => None,
        };
        text.and_then(|text| Day::parse(&text).ok()).ok_or_else(|| self.fault("must be a date such as 2026-11-21"))
    }

    /// The one of these that its text is the word of.
    pub fn choice<T: Copy>(&self, all: &[T], word: fn(T) -> &'static str) -> Result<T, Error> {
        let given = self.value.get_ref().as_str();
        let found = all.iter().copied().find(|one| Some(word(*one)) == given);
        found.ok_or_else(|| {
            let words: Vec<String> = all.iter().map(|one| quoted(word(*one))).collect();
            self.fault(format_args!("must be {}", words.join(" or ")))
        })
    }

    /// The texts of a list; each stands where an error in it is reported.
    pub fn list(&self) -> Result<Vec<Entry<'a>>, Error> {
        let wrong = |entry: &Entry<'_>| entry.fault("must be a list of texts, [\"...\", \"...\"]");
        let list = self.value.get_ref().as_array().ok_or_else(|| wrong(self))?;
        let items: Vec<_> = list.iter().map(|value| Entry { at: value.span().start, value, ..*self }).collect();
        match items.iter().find(|item| !item.value.get_ref().is_str()) {
            Some(item) => Err(wrong(item)),
            None => Ok(items),
        }
    }
}

fn entries<'a>(text: &'a str, table: &'a DeTable<'a>) -> Vec<Entry<'a>> {
    let entry =
        |(key, value): (&'a Spanned<Cow<'a, str>>, _)| Entry { text, name: key.get_ref(), at: key.span().start, value };
    let mut entries: Vec<_> = table.iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.at);
    entries
}

fn fault(text: &str, at: usize, message: String) -> Error {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    Error::Policy { line: line_behind(before), message }
}

/// The line, counted from 1, on which these octets end.
fn line_behind(before: &[u8]) -> usize {
    before.iter().filter(|&&octet| octet == b'\n').count() + 1
}

/// The known name with the fewest edits, if they are few.
pub(crate) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let most = name.len() / 3;
    let all = known.iter().map(|known| (edits(name, known), *known));
    all.min().filter(|(edits, _)| *edits <= most).map(|(_, known)| known)
}

/// The edit distance of a word and a known one, which is not empty (Levenshtein), row by row.
fn edits(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, one) in left.bytes().enumerate() {
        let (mut corner, mut before) = (above, above + 1);
        for (cell, other) in row.iter_mut().skip(1).zip(right.bytes()) {
            before = (corner + usize::from(one != other)).min(before + 1).min(*cell + 1);
            corner = core::mem::replace(cell, before);
        }
    }
    row.last().copied().unwrap_or(0)
}

/// A basic string.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            // Writing to a String cannot fail.
            control if control.is_control() => drop(write!(out, "\\u{:04X}", u32::from(control))),
            other => out.push(other),
        }
    }
    out + "\""
}

/// An array of basic strings.
pub fn list(entries: impl IntoIterator<Item: AsRef<str>>) -> String {
    let entries: Vec<String> = entries.into_iter().map(|entry| quoted(entry.as_ref())).collect();
    format!("[{}]", entries.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_letters_that_come_go_or_change() {
        for (name, known, expected) in
            [("kitten", "sitting", 3), ("sitting", "kitten", 3), ("", "abc", 3), ("ab", "axb", 1), ("abcdef", "abc", 3)]
        {
            assert_eq!(edits(name, known), expected, "{name} {known}");
        }
    }

    #[test]
    fn a_text_with_any_character_is_read_back() {
        let text = "a \"b\" \\ \u{0}\u{1b}\u{7f}\u{9b}\n \u{94d}\u{202e}";
        let written = quoted(text);
        assert_eq!(written, "\"a \\\"b\\\" \\\\ \\u0000\\u001B\\u007F\\u009B\\u000A \u{94d}\u{202e}\"");
        let mut seen = Vec::new();
        read(format!("key = {}", list([text])).as_bytes(), |entry| {
            for item in entry.list()? {
                seen.push(format!("{} {}", entry.name, item.str()?));
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, [format!("key {text}")]);
    }
}
