//! TOML tables with the line of everything in them, for errors that say where and what to do.
//!
//! As the core reads its `[policy]`: by hand over the parsed document, since derived readers tell neither the nearest
//! known key nor a remedy.

use std::fmt;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong in a configuration, and on which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// A key with its value.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    text: &'a str,
    pub(super) name: &'a str,
    at: usize,
    value: &'a Spanned<DeValue<'a>>,
}

/// Calls `read` with every top-level entry of a TOML text.
pub(super) fn read(text: &str, mut read: impl FnMut(Entry<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
    let document = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        fault(text, at, format!("this is no TOML: {}", error.message()))
    })?;
    entries(text, document.get_ref()).into_iter().try_for_each(&mut read)
}

impl<'a> Entry<'a> {
    pub(super) fn fault(&self, what: impl fmt::Display) -> Fault {
        fault(self.text, self.at, format!("`{}` {what}", self.name))
    }

    /// The refusal of a key that nobody knows; `table` is empty at the top.
    pub(super) fn unknown(&self, table: &str, known: &[&str]) -> Fault {
        let most = self.name.len() / 3;
        let near = known.iter().map(|known| (strsim::levenshtein(self.name, known), *known)).min();
        let remedy = match near.filter(|(edits, _)| *edits <= most) {
            Some((_, name)) => format!("did you mean `{name}`?"),
            None => format!("known are {}", known.join(", ")),
        };
        let place = if table.is_empty() { String::new() } else { format!(" in [{table}]") };
        fault(self.text, self.at, format!("unknown key `{}`{place}; {remedy}", self.name))
    }

    pub(super) fn entries(&self) -> Result<Vec<Entry<'a>>, Fault> {
        match self.value.get_ref() {
            DeValue::Table(table) => Ok(entries(self.text, table)),
            _ => Err(self.fault(format_args!("must be a table, [{}]", self.name))),
        }
    }

    pub(super) fn str(&self) -> Result<&'a str, Fault> {
        self.value.get_ref().as_str().ok_or_else(|| self.fault("must be a text in quotes"))
    }

    pub(super) fn path(&self) -> Result<PathBuf, Fault> {
        let path = Path::new(self.str()?);
        if path.is_absolute() { Ok(path.to_owned()) } else { Err(self.fault("must be a path that begins with `/`")) }
    }

    pub(super) fn yes(&self) -> Result<bool, Fault> {
        self.value.get_ref().as_bool().ok_or_else(|| self.fault("must be true or false"))
    }

    pub(super) fn number(&self, low: u32, high: u32) -> Result<u32, Fault> {
        let number = self.value.get_ref().as_integer();
        let number = number.and_then(|it| u32::from_str_radix(it.as_str(), it.radix()).ok());
        let wrong = || self.fault(format_args!("must be a whole number from {low} to {high}"));
        number.filter(|number| (low..=high).contains(number)).ok_or_else(wrong)
    }

    pub(super) fn choice<T: Copy>(&self, all: &[(&str, T)]) -> Result<T, Fault> {
        let word = self.value.get_ref().as_str();
        let found = all.iter().find(|(name, _)| Some(*name) == word);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<String> = all.iter().map(|(name, _)| format!("{name:?}")).collect();
            self.fault(format_args!("must be {}", names.join(" or ")))
        })
    }

    /// The texts of a list; each stands where an error in it is reported.
    pub(super) fn list(&self) -> Result<Vec<Entry<'a>>, Fault> {
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
    let entry = |(key, value): (&'a Spanned<_>, _)| {
        let name: &std::borrow::Cow<'a, str> = key.get_ref();
        Entry { text, name, at: key.span().start, value }
    };
    let mut entries: Vec<Entry<'a>> = table.iter().map(entry).collect();
    // In the order of the text, so that the later of two that collide is the one to blame.
    entries.sort_by_key(|entry| entry.at);
    entries
}

fn fault(text: &str, at: usize, message: String) -> Fault {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    Fault { line: before.iter().filter(|&&octet| octet == b'\n').count() + 1, message }
}
