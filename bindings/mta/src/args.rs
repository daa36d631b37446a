//! The command line.

use std::path::{Path, PathBuf};

use backstop::Domains;
use clap::builder::{PathBufValueParser, TypedValueParser as _};
use clap::{Args, Parser, Subcommand};

use crate::config::Config;
use crate::maincf;
use crate::report::ready::Obstacle;
use crate::stop::{Exit, Stop};

/// Where the configuration lies unless it is named.
pub const CONFIG: &str = "/etc/backstop/backstopd.toml";
/// Where a ring of our own lies unless systemd or the command line says otherwise.
pub const STATE: &str = "/var/lib/backstopd";

/// Backscatter protection for mail servers that link nothing.
#[derive(Debug, Parser)]
#[command(name = "backstopd", version, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do; to run, unless told.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to run with.
    #[command(flatten)]
    pub run: Source,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run in the foreground; SIGHUP reloads, SIGTERM stops
    Run(Source),
    /// Run as a filter of OpenSMTPD, which starts it: on standard input and output
    Filter(Source),
    /// Validate a configuration, and print what it amounts to
    Check(Check),
    /// Say from the JSON log which domains may go on to enforce
    ///
    /// Per domain: the share signed by path, what would be refused and to whom, the last unsigned submission, and yes or
    /// no with the reasons. Ends with 0 if every domain may go on, with 1 if one may not.
    Ready(Ready),
    /// Turn the JSON log into figures before and after enforcing
    ///
    /// Bounces a day by verdict, what was let in, refused or would have been, why, by which clients, and tags that were
    /// used often.
    Stats(Stats),
    /// Write the man pages into a folder
    Man {
        /// The folder, which must be there
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
}

/// Where the configuration comes from.
#[derive(Debug, Clone, Args)]
pub struct Source {
    /// The configuration; without it and without --domain /etc/backstop/backstopd.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its fields are the options")]
    pub given: Given,
}

/// What stands in for a configuration, and where the daemon keeps its own files.
#[derive(Debug, Clone, Args)]
pub struct Given {
    /// A domain whose mail this host sends; instead of a file: observes, on loopback ports (may be repeated)
    #[arg(long, value_name = "DOMAIN", conflicts_with = "config")]
    pub domain: Vec<String>,
    /// With --domain: the first of the loopback ports
    // Beside --config clap lets `requires` pass, since that rules the domain out.
    #[arg(long, default_value_t = maincf::PORT, requires = "domain", conflicts_with = "config")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=65_500))]
    pub port: u16,
    /// Where a key ring is made if the configuration names none
    // Absolute, since it is written into advice, and a path of the configuration begins with `/`.
    #[arg(long, value_name = "FOLDER", env = "STATE_DIRECTORY", default_value = STATE)]
    #[arg(value_parser = PathBufValueParser::new().try_map(std::path::absolute))]
    pub state: PathBuf,
}

/// What to check.
#[derive(Debug, Args)]
pub struct Check {
    /// The configuration, as with --config
    #[arg(value_name = "FILE", conflicts_with_all = ["config", "domain", "port"])]
    pub file: Option<PathBuf>,
    /// The configuration; without it and without --domain /etc/backstop/backstopd.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its fields are the options")]
    pub given: Given,
}

/// Which log, and how its report looks.
#[derive(Debug, Args)]
pub struct Report {
    /// The log, as `format = "json"` of the table `log` writes it; `-` or none is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How many addresses and clients a list names
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub top: usize,
    /// One object of JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// May a domain go on to enforce?
#[derive(Debug, Args)]
pub struct Ready {
    /// For how many days, up to the last of the log, nothing may speak against it
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=365))]
    pub days: u32,
    /// What you have looked into and does not count (may be repeated)
    #[arg(long, value_name = "REASON", value_enum)]
    pub accept: Vec<Obstacle>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its fields are the options")]
    pub report: Report,
}

/// Figures of a log.
#[derive(Debug, Args)]
pub struct Stats {
    #[command(flatten)]
    #[expect(missing_docs, reason = "its fields are the options")]
    pub report: Report,
}

impl Source {
    /// Whether it is the configuration that the unit of the package runs with.
    pub fn is_of_package(&self) -> bool {
        self.given.domain.is_empty() && self.config.as_deref().is_none_or(|path| path == Path::new(CONFIG))
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// One sentence with what to do.
    pub fn load(&self) -> Result<Config, Stop> {
        self.load_or(maincf::config)
    }

    /// Reads the configuration; without a file it is one for the filter.
    ///
    /// # Errors
    /// One sentence with what to do.
    pub fn load_for_filter(&self) -> Result<Config, Stop> {
        self.load_or(|domains, _| maincf::filter_config(domains))
    }

    fn load_or(&self, made: impl Fn(&[String], u16) -> String) -> Result<Config, Stop> {
        match (&self.config, self.given.domain.is_empty()) {
            (Some(path), _) => Config::load(path),
            (None, false) => {
                for domain in &self.given.domain {
                    Domains::parse(domain).map_err(|error| Stop::new(Exit::Usage, format!("--domain {error}")))?;
                }
                Config::parse(made(&self.given.domain, self.given.port).as_bytes())
                    .map_err(|fault| Stop::new(Exit::Usage, fault.message))
            }
            (None, true) if !Path::new(CONFIG).exists() => Err(Stop::new(
                Exit::NoInput,
                format!("there is no {CONFIG}; name a file, or try without one: backstopd --domain example.com"),
            )),
            (None, true) => Config::load(Path::new(CONFIG)),
        }
    }
}

impl From<Check> for Source {
    fn from(check: Check) -> Source {
        Source { config: check.file.or(check.config), given: check.given }
    }
}
