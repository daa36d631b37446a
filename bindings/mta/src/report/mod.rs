//! The JSON log read again: what `backstopd ready` and `backstopd stats` say of it.
//!
//! ```text
//! files -> read (here) -> line.rs   one event, in closed words
//!            |                      top.rs: counts by address or client in bounded memory
//!            v
//!          ready.rs, stats.rs       figures -> table.rs for people, serde_json for programs
//! ```
//!
//! A log of any length takes bounded memory: figures are kept by day ([`MAX_DAYS`]), by domain ([`ready::MAX_DOMAINS`])
//! and for the addresses and clients that come most often ([`top::CAPACITY`]). Lines may come in any order and from several
//! files. Whatever stands before the first `{` of a line is left out, so that the output of journalctl passes too. A line
//! that is no event is counted and the first few are named; the log as a whole is refused only if no line is an event.

pub mod line;
pub mod ready;
pub mod stats;
mod table;
pub mod top;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use backstop::explain::printable;
use backstop::{Day, keyfile};
use serde_json::{Value, json};

use self::line::Line;
use crate::stop::{Exit, Stop};

/// The longest line that is read; a longer one is broken.
pub const MAX_LINE: usize = 65_536;
/// The most days that have figures of their own: eleven years.
pub const MAX_DAYS: usize = 4000;
/// How many broken lines are named.
const NAMED: usize = 5;

/// What was read.
#[derive(Debug, Default)]
pub struct Log {
    /// All lines that are not empty.
    pub lines: u64,
    /// Those that tell of a decision.
    pub decisions: u64,
    /// The first and the last day.
    pub days: Option<(Day, Day)>,
    broken: u64,
    /// Of the first broken ones: where, and what is wrong.
    named: Vec<String>,
}

/// Reads logs and gives every decision; `-` and no file at all are standard input.
///
/// # Errors
/// A sentence about the file, or that there is no event in any.
pub fn read(files: &[PathBuf], mut each: impl FnMut(&line::Decision)) -> Result<Log, Stop> {
    let mut log = Log::default();
    let stdin = [PathBuf::from("-")];
    for path in if files.is_empty() { &stdin } else { files } {
        let failed = |error: &io::Error| {
            let (name, why) = (path.display(), keyfile::in_words(error));
            let exit = match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::IsADirectory => {
                    Exit::NoInput
                }
                _ => Exit::Io,
            };
            Stop::new(exit, format!("the log {name} cannot be read: {why}"))
        };
        let read = if path == Path::new("-") {
            log.read("standard input", io::stdin().lock(), &mut each)
        } else {
            let file = File::open(path).map_err(|error| failed(&error))?;
            log.read(&path.display().to_string(), BufReader::with_capacity(MAX_LINE, file), &mut each)
        };
        read.map_err(|error| failed(&error))?;
    }
    if log.days.is_none() {
        let first = log.named.first().map(|named| format!("; {named}")).unwrap_or_default();
        return Err(Stop::new(
            Exit::Data,
            format!("there is no event in the log; it is read as JSON, [log] format = \"json\"{first}"),
        ));
    }
    Ok(log)
}

impl Log {
    /// Reads one of the logs; `name` stands in what is said of its lines.
    ///
    /// # Errors
    /// Those of the input.
    pub fn read(
        &mut self,
        name: &str,
        mut input: impl BufRead,
        mut each: impl FnMut(&line::Decision),
    ) -> io::Result<()> {
        let (mut line, mut number) = (Vec::new(), 0_u64);
        loop {
            line.clear();
            let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
            if (&mut input).take(most).read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            number += 1;
            let parsed = if line.len() >= MAX_LINE && !line.ends_with(b"\n") {
                input.skip_until(b'\n')?;
                Err("is too long".to_owned())
            } else if line.trim_ascii().is_empty() {
                continue;
            } else {
                line::parse(&line)
            };
            self.lines += 1;
            match parsed {
                Ok(line) => self.take(&line, &mut each),
                Err(what) => {
                    self.broken += 1;
                    if self.named.len() < NAMED {
                        self.named.push(format!("line {number} of {name} {what}"));
                    }
                }
            }
        }
    }

    fn take(&mut self, line: &Line, each: &mut impl FnMut(&line::Decision)) {
        let (first, last) = self.days.unwrap_or((line.day, line.day));
        self.days = Some((first.min(line.day), last.max(line.day)));
        if let Some(decision) = &line.decision {
            self.decisions += 1;
            each(decision);
        }
    }

    /// The last day of the log.
    pub fn end(&self) -> Day {
        self.days.map_or(Day::MAX, |(_, last)| last)
    }

    /// What was read, in a line.
    fn to_text(&self) -> String {
        let Some((first, last)) = self.days else { return String::new() };
        let days = last.number() - first.number() + 1;
        format!("log: {first} to {last} ({days} days), {} decisions in {} lines\n", self.decisions, self.lines)
    }

    fn to_json(&self) -> Value {
        let (first, last) = self.days.map(|(first, last)| (first.to_string(), last.to_string())).unzip();
        json!({
            "from": first, "to": last, "lines": self.lines, "decisions": self.decisions,
            "broken": { "lines": self.broken, "first": self.named },
        })
    }

    /// Says on standard error which lines are broken; whether anyone reads it changes nothing.
    pub fn tell_broken(&self) {
        if self.broken > 0 {
            let named: Vec<String> = self.named.iter().map(|named| printable(named.as_bytes())).collect();
            let more = if self.broken > NAMED as u64 { ", and so on" } else { "" };
            let _ = writeln!(
                io::stderr(),
                "backstopd: {} of {} lines are no events and were left out: {}{more}",
                self.broken,
                self.lines,
                named.join("; ")
            );
        }
    }
}

/// A share in percent; a dash for nothing of nothing.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "-".to_owned() } else { format!("{:.1} %", ratio(part, whole) * 100.) }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
