//! How a run ends: exit code 0 (all done), 1 (something is not genuine, unsigned or due) or 2 (trouble).
//!
//! Trouble is one sentence with what to do, on standard error after `backstop: `. A reader that closed the pipe is no
//! trouble: the run ends quietly with 0.

use std::fmt::Write as _;

/// Why a run ends before it is done.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Usage, keys or I/O: the sentence to show.
    Trouble(String),
    /// Nobody reads the output any more.
    ClosedPipe,
}

impl Stop {
    /// Trouble with this sentence.
    pub(crate) fn trouble(sentence: impl Into<String>) -> Stop {
        Stop::Trouble(sentence.into())
    }

    /// Trouble that may lie in the value of `--domain`; then it names the option.
    pub(crate) fn of_domain(error: backstop::Error) -> Stop {
        match error {
            backstop::Error::Address { offset, problem } => {
                Stop::Trouble(format!("--domain takes one domain, such as example.com; octet {offset}: {problem}"))
            }
            other => other.into(),
        }
    }

    /// What a failed write to standard output means.
    pub(crate) fn of_write(error: &std::io::Error) -> Stop {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Stop::ClosedPipe,
            _ => {
                let why = backstop::keyfile::in_words(error);
                Stop::trouble(format!("standard output cannot be written: {why}; what came out so far is cut short"))
            }
        }
    }
}

impl From<backstop::Error> for Stop {
    fn from(error: backstop::Error) -> Stop {
        Stop::Trouble(error.to_string())
    }
}

/// The end of a run without trouble.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Exit code 0.
    Done,
    /// Exit code 1, with the summary for standard error.
    Remarks(String),
}

/// What every command gives back.
pub(crate) type Run = Result<Outcome, Stop>;

/// Counts what did not go well in a list of addresses.
#[derive(Debug)]
pub(crate) struct Tally {
    what: &'static str,
    total: u64,
    slugs: Vec<(&'static str, u64)>,
}

impl Tally {
    /// `what` follows the numbers in the summary: "not genuine", "left unsigned".
    pub(crate) const fn new(what: &'static str) -> Tally {
        Tally { what, total: 0, slugs: Vec::new() }
    }

    /// Counts an address; `fault` is the slug of what is wrong with it.
    pub(crate) fn count(&mut self, fault: Option<&'static str>) {
        self.total += 1;
        let Some(fault) = fault else { return };
        match self.slugs.iter_mut().find(|(slug, _)| *slug == fault) {
            Some((_, number)) => *number += 1,
            None => self.slugs.push((fault, 1)),
        }
    }

    /// Whether nothing was counted.
    pub(crate) const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// `2 of 5 not genuine: forged 1, untagged 1`.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.slugs.is_empty() {
            return Outcome::Done;
        }
        let faults: u64 = self.slugs.iter().map(|(_, number)| number).sum();
        let mut text = format!("{faults} of {} {}:", self.total, self.what);
        for (index, (slug, number)) in self.slugs.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            // Writing to a String cannot fail.
            let _ = write!(text, "{comma} {slug} {number}");
        }
        Outcome::Remarks(text)
    }
}
