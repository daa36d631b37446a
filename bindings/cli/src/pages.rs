//! What is made from the arguments' definition: shell completions and man pages.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

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
    clap_mangen::generate_to(Cli::command(), folder).map_err(|error| {
        let folder = folder.display();
        Stop::trouble(format!("the man pages cannot be written to {folder}: {error}; name a folder that exists"))
    })?;
    Ok(Outcome::Done)
}
