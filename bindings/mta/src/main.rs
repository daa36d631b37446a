//! `backstopd`: reads the command line, runs or checks, and ends with the exit codes of sysexits.h.

#![forbid(unsafe_code)]

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use backstop::explain::printable;
use backstop::keyfile::in_words;
use backstopd::args::{self, Cli, Command, Source};
use backstopd::clock::Clock;
use backstopd::faces::filter;
use backstopd::listen::Handed;
use backstopd::ring::OWN_RING;
use backstopd::stop::{Exit, Stop};
use backstopd::{check, maincf, pages, report, server};
use clap::{CommandFactory, Parser};

fn main() -> ExitCode {
    keep_secrets_from_cores();
    server::hold_sigusr1();
    // Before any thread: the environment is read for the sockets of systemd.
    let handed = Handed::from_env();
    let ended = match Cli::try_parse() {
        Ok(Cli { command: Some(Command::Check(args)), .. }) => check::run(&args.into()).and_then(|text| print(&text)),
        Ok(Cli { command: Some(Command::Filter(source)), .. }) => {
            filter::run(&source, Clock::System, std::io::stdin().lock(), std::io::stdout().lock())
        }
        Ok(Cli { command: Some(Command::Run(source)), .. } | Cli { command: None, run: source }) => {
            run(&source, handed)
        }
        Ok(Cli { command: Some(Command::Ready(args)), .. }) => return end(ready(&args)),
        Ok(Cli { command: Some(Command::Stats(args)), .. }) => stats(&args),
        Ok(Cli { command: Some(Command::Man { folder }), .. }) => pages::run(&folder),
        Err(error) => usage(&error),
    };
    end(ended.map(|()| ExitCode::SUCCESS))
}

fn end(ended: Result<ExitCode, Stop>) -> ExitCode {
    match ended {
        Ok(code) => code,
        Err(stop) => {
            let _ = writeln!(std::io::stderr(), "backstopd: {}", printable(stop.sentence.as_bytes()));
            stop.code()
        }
    }
}

/// Help goes out as it is. Of an error the first paragraph becomes one sentence, with the tip if there is one.
fn usage(error: &clap::Error) -> Result<(), Stop> {
    let text = error.render().to_string();
    if !error.use_stderr() {
        return print(&text);
    }
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let words = paragraph.strip_prefix("error: ").unwrap_or(paragraph).split_whitespace();
    let mut sentence = words.collect::<Vec<_>>().join(" ");
    if let Some(tip) = text.lines().find_map(|line| line.trim_start().strip_prefix("tip: ")) {
        sentence += &format!("; {tip}");
    }
    // A subcommand stands first; of a bad value the usage is not told.
    let first = std::env::args_os().nth(1).unwrap_or_default();
    let command = Cli::command();
    let command =
        first.to_str().and_then(|first| command.find_subcommand(first)).map(|it| format!(" {}", it.get_name()));
    Err(Stop::new(Exit::Usage, format!("{sentence}; see `backstopd{} --help`", command.unwrap_or_default())))
}

/// The kernel writes no core of this process, nor hands one to a helper, and no other process of the same user may attach.
fn keep_secrets_from_cores() {
    // Where the kernel refuses, all else works. A limit of no core would not hold for helpers.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_dumpable(false);
    #[cfg(not(target_os = "linux"))]
    let _ = nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0);
}

fn run(source: &Source, handed: Handed) -> Result<(), Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Stop::new(Exit::Os, format!("the daemon cannot be set up: {error}")))?;
    let started = || {
        if !source.given.domain.is_empty() {
            // Advice that nobody reads is no reason to end.
            let args::Given { domain, port, state } = &source.given;
            let ring = (state != Path::new(args::STATE)).then(|| state.join(OWN_RING));
            let _ = print(&maincf::advice(domain, *port, ring.as_deref()));
        }
    };
    runtime.block_on(server::run(source, Clock::System, handed, started))
}

/// A domain that may not go on is no trouble, but scripts want to know.
fn ready(args: &args::Ready) -> Result<ExitCode, Stop> {
    let mut ready = report::ready::Ready::default();
    let log = report::read(&args.report.files, |decision| ready.take(decision))?;
    log.tell_broken();
    let (top, accept) = (args.report.top, args.accept.clone());
    let question = report::ready::Question { days: args.days, top, accept };
    let (text, all) = ready.answer(&log, &question, args.report.json);
    print(&text)?;
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn stats(args: &args::Stats) -> Result<(), Stop> {
    let mut stats = report::stats::Stats::default();
    let log = report::read(&args.report.files, |decision| stats.take(decision))?;
    log.tell_broken();
    print(&stats.report(&log, args.report.top, args.report.json))
}

fn print(text: &str) -> Result<(), Stop> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Who reads it has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| {
            let why = in_words(&error);
            Stop::new(Exit::Io, format!("standard output cannot be written: {why}; what came out so far is cut short"))
        }),
    }
}
