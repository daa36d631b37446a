//! `backstopd man`: the manual pages, made from what is written elsewhere.
//!
//! | page | from |
//! |---|---|
//! | backstopd(8) and one a subcommand | the arguments (`args.rs`), with the tables of signals, exit codes, limits, events and metrics |
//! | backstopd.toml(5) | the sample configuration (`sample.rs` reads it) |
//!
//! Nothing is written for the pages alone but headings.

mod sample;

use std::fs;
use std::io;
use std::path::Path;

use backstop::keyfile;
use clap::{ArgAction, Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use crate::args::Cli;
use crate::stop::{EXITS, Exit, Stop};
use crate::{event, limits, metrics, server};

/// The day of the release whose interface the pages describe; without one readers take the source for the date.
const DATE: &str = "2026-11-22";
const SOURCE: &str = concat!("backstopd ", env!("CARGO_PKG_VERSION"));

/// Writes all pages into a folder that is there.
///
/// # Errors
/// A sentence, if a file cannot be written.
pub fn run(folder: &Path) -> Result<(), Stop> {
    let mut command = Cli::command();
    command.build();
    let all = command_pages(&command).and_then(|mut pages| {
        pages.push(("backstopd.toml.5".to_owned(), sample::page()?));
        Ok(pages)
    });
    let written =
        all.and_then(|pages| pages.into_iter().try_for_each(|(name, text)| fs::write(folder.join(name), text)));
    written.map_err(|error| {
        let (folder, why) = (folder.display(), keyfile::in_words(&error));
        Stop::new(Exit::CannotCreate, format!("the man pages cannot be written to {folder}: {why}"))
    })
}

/// The names and texts of the pages of section 8.
fn command_pages(command: &Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut pages = Vec::new();
    for below in command.get_subcommands() {
        pages.push(page(below.clone())?);
    }
    let (name, mut text) = page(command.clone())?;
    tables().to_writer(&mut text)?;
    pages.push((name, text));
    Ok(pages)
}

fn page(command: Command) -> io::Result<(String, Vec<u8>)> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let page = Man::new(with_usage(command)).section("8").title(name).date(DATE).source(SOURCE).manual("backstopd");
    let mut text = Vec::new();
    page.render(&mut text)?;
    // Before a list of values clap_mangen breaks the line twice around an empty one, of which mandoc warns.
    let text = String::from_utf8_lossy(&text).replace("\n.br\n\n.br\n", "\n.sp\n");
    Ok((page.get_filename(), text.into_bytes()))
}

/// The command with a usage that also names the values and what may be repeated.
fn with_usage(command: Command) -> Command {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut usage = name.clone();
    for argument in command.get_arguments().filter(|it| it.get_id() != "help" && it.get_id() != "version") {
        // A place names itself with its brackets.
        let whole = argument.is_positional() || argument.is_required_set();
        usage += &if whole { format!(" {argument}") } else { format!(" [{argument}]") };
        if !argument.is_positional() && matches!(argument.get_action(), ArgAction::Append) {
            usage += "...";
        }
    }
    if command.has_subcommands() {
        usage += &format!("\n{name} <COMMAND> ...");
    }
    command.override_usage(usage)
}

fn tables() -> Roff {
    let mut page = Roff::new();
    heading(&mut page, "SIGNALS");
    for (signal, what) in server::SIGNALS {
        item(&mut page, signal, what);
    }
    heading(&mut page, "EXIT STATUS");
    for (exit, what) in EXITS {
        item(&mut page, &exit.map_or(0, |exit| exit as u8).to_string(), what);
    }
    item(&mut page, "1", "ready: a domain may not go on to enforce");
    heading(&mut page, "LIMITS");
    for limit in limits::all() {
        item(&mut page, &limit.what.replace('`', ""), &format!("At most {}; beyond it: {}", limit.most, limit.beyond));
    }
    heading(&mut page, "EVENTS");
    page.text(marked(
        "The log has an event a decision, as text or JSON. JSON has every key, null where there is nothing to say; text \
         leaves those out. Control characters, what has no width and what is not UTF-8 are escaped in both; with \
         `addresses = \"domain\"` local parts become `*`.",
    ));
    for (name, what) in event::FIELDS {
        item(&mut page, name, what);
    }
    heading(&mut page, "METRICS");
    page.text(marked(
        "GET /metrics of the address in `[metrics] listen` gives them as OpenMetrics text. All counts begin with the process \
         and outlive a reload. Labels have closed lists of values: no address, domain or client is one.",
    ));
    for metric in metrics::ALL {
        let labels = if metric.labels.is_empty() { String::new() } else { format!("{{{}}}", metric.labels.join(",")) };
        item(&mut page, &format!("{}{labels}", metric.name), metric.help);
    }
    heading(&mut page, "SEE ALSO");
    page.text(marked("`backstopd.toml`(5), `backstop`(1)"));
    page
}

fn heading(page: &mut Roff, text: &str) {
    page.control("SH", [text]);
}

/// A term and what it means.
fn item(page: &mut Roff, term: &str, what: &str) {
    page.control("TP", []).text([bold(term)]).text(marked(what));
}

/// Text in which backquotes mark what is typed.
fn marked(text: &str) -> Vec<Inline> {
    text.split('`').enumerate().map(|(at, part)| if at % 2 == 1 { bold(part) } else { roman(part) }).collect()
}
