//! What is made from the arguments' definition: shell completions and man pages.

use std::fs;
use std::io;
use std::path::Path;

use backstop::keyfile;
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::Cli;
use crate::output;
use crate::stop::{Outcome, Run, Stop};

/// Prints the completions of a shell.
pub(crate) fn completions(shell: Shell) -> Run {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "backstop", &mut text);
    output::print(&text)?;
    Ok(Outcome::Done)
}

/// Writes `backstop.1` and one page for each command below it.
pub(crate) fn man(folder: &Path) -> Run {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    write(&command, folder).map_err(|error| {
        Stop::trouble(format!("the man pages cannot be written to {}: {}", folder.display(), keyfile::in_words(&error)))
    })?;
    Ok(Outcome::Done)
}

/// The day of the release whose interface the pages describe; without one readers take the source for the date.
const DATE: &str = "2026-11-22";
const SOURCE: &str = concat!("backstop ", env!("CARGO_PKG_VERSION"));

fn write(command: &Command, folder: &Path) -> io::Result<()> {
    for below in command.get_subcommands() {
        write(below, folder)?;
    }
    let page = Man::new(synopsis(command)).date(DATE).source(SOURCE).manual("backstop");
    let mut text = Vec::new();
    page.render(&mut text)?;
    // clap_mangen has one name for whatever stands last.
    let last = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let heading = if last.starts_with("Example") { "EXAMPLES" } else { "NOTES" };
    // Before a list of values it breaks the line twice around an empty one, of which mandoc warns.
    let text = String::from_utf8_lossy(&text).replace("\n.br\n\n.br\n", "\n.sp\n");
    let text = text.replace("\n.SH EXTRA\n", &format!("\n.SH {heading}\n"));
    fs::write(folder.join(page.get_filename()), text)
}

/// The command with a synopsis that also names the values; options of which one must be given stand together at its end.
fn synopsis(command: &Command) -> Command {
    if command.has_subcommands() {
        return command.clone();
    }
    let choices: Vec<_> = command.get_groups().filter(|it| it.is_required_set()).collect();
    let is_choice = |it: &clap::Arg| choices.iter().any(|group| group.get_args().any(|id| id == it.get_id()));
    let mut usage = command.get_bin_name().unwrap_or_default().to_owned();
    for argument in command.get_arguments().filter(|it| it.get_id() != "help" && !is_choice(it)) {
        // A place names itself with its brackets.
        let whole = argument.is_positional() || argument.is_required_set();
        usage += &if whole { format!(" {argument}") } else { format!(" [{argument}]") };
    }
    for group in &choices {
        let all = group.get_args().filter_map(|id| command.get_arguments().find(|it| it.get_id() == id));
        usage += &format!(" <{}>", all.map(ToString::to_string).collect::<Vec<_>>().join(" | "));
    }
    command.clone().override_usage(usage)
}
