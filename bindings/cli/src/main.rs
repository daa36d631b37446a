//! The `backstop` command: signs envelope senders, verifies the recipients of returning bounces, rewrites forwarded
//! senders. It holds no rules of its own: all are the library's.
//!
//! `args.rs` has the commands and options; each verb has a file; `stream.rs` reads addresses one a line, `output.rs`
//! writes, `stop.rs` says how a run ends.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests fail by panicking")
)]

mod args;
mod decide;
mod explain;
mod inspect;
mod key;
mod mark;
mod output;
mod pages;
mod ring;
mod sign;
mod srs;
mod stop;
mod stream;
mod strip;
mod try_it;
mod verify;
mod when;

use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::{Cli, Command};
use crate::stop::{Outcome, Run, Stop};

fn main() -> ExitCode {
    let ended = match Cli::try_parse() {
        Ok(cli) => run(&cli.command),
        Err(error) => usage(&error),
    };
    match ended {
        Ok(Outcome::Done) | Err(Stop::ClosedPipe) => ExitCode::SUCCESS,
        Ok(Outcome::Remarks(text)) => tell(&text, 1),
        Err(Stop::Trouble(text)) => tell(&text, 2),
    }
}

fn tell(text: &str, code: u8) -> ExitCode {
    output::tell(text);
    ExitCode::from(code)
}

fn run(command: &Command) -> Run {
    match command {
        Command::Try(args) => try_it::run(args),
        Command::Sign(args) => sign::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Srs(args) => srs::run(args),
        Command::Strip(args) => strip::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Decide(args) => decide::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Key(args) => key::run(args),
        Command::Mark(args) => mark::run(args),
        Command::Completions { shell } => pages::completions(*shell),
        Command::Man { folder } => pages::man(folder),
    }
}

/// Help goes out as it is. Of an error, the first paragraph becomes one sentence, and the help that explains it is named
/// where clap tells the command.
fn usage(error: &clap::Error) -> Run {
    let text = error.render().to_string();
    let paragraph = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            output::print(text.as_bytes())?;
            return Ok(Outcome::Done);
        }
        // No value is repeated, and of words only names of options: it may be a secret in the wrong place.
        ErrorKind::ValueValidation => {
            let what = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            return Err(Stop::Trouble(format!("{} {what}", option(error))));
        }
        ErrorKind::InvalidValue
            if let Some(ContextValue::Strings(words)) = error.get(ContextKind::ValidValue)
                && !words.is_empty() =>
        {
            let what = match words.split_last() {
                Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
                _ => words.concat(),
            };
            return Err(Stop::Trouble(format!("{} takes {what}", option(error))));
        }
        ErrorKind::TooManyValues => return Err(Stop::Trouble(format!("{} takes no value", option(error)))),
        ErrorKind::UnknownArgument if !option(error).starts_with('-') => {
            "an argument is given that the command does not take"
        }
        ErrorKind::InvalidSubcommand => "there is no such command",
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "a command is missing",
        _ => text.split("\n\n").next().unwrap_or_default(),
    };
    let sentence = paragraph.strip_prefix("error: ").unwrap_or(paragraph).split_whitespace();
    let mut sentence = sentence.collect::<Vec<_>>().join(" ");
    if let Some(tip) = text.lines().find_map(|line| line.trim_start().strip_prefix("tip: ")) {
        sentence += &format!("; {tip}");
    }
    if let Some(usage) = text.lines().find_map(|line| line.strip_prefix("Usage: ")) {
        let command = usage.split(' ').take_while(|word| !word.starts_with(['-', '<', '[']));
        sentence += &format!("; see `{} --help`", command.collect::<Vec<_>>().join(" "));
    }
    Err(Stop::Trouble(sentence))
}

/// The name of the argument that an error is about, without its value.
fn option(error: &clap::Error) -> String {
    let named = error.get(ContextKind::InvalidArg).map(ToString::to_string).unwrap_or_default();
    named.split(' ').next().unwrap_or_default().trim_end_matches("...").to_owned()
}
