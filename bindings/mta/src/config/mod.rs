//! The configuration: one TOML file, checked as a whole before anything is done with it.
//!
//! ```text
//! [policy]           what is signed and refused: the core reads it (backstop::policy::Policy::parse)
//! [keys]             the key ring
//! [log] [limits]     for all faces
//! [socketmap] ...    a table a face: where it listens and what is its own; a face without a table is not there
//! ```
//!
//! `backstopd.toml` beside this crate explains every key. [`TABLES`] lists them for errors and for the test that compares
//! the two. An unknown key, a wrong type and a value out of range are refused with their line; nothing is half read.

mod address;
mod show;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use backstop::policy::Policy;
use backstop::settings::{self, Entry};
use backstop::{Error, keyfile, mark};

pub use self::address::{Address, Rights};
use crate::faces::Face;
use crate::faces::lookup::Map;
use crate::stop::{Exit, Stop};

/// Every table with its keys; the policy's are the core's.
pub const TABLES: &[(&str, &[&str])] = &[
    ("keys", KEYS),
    ("log", LOG),
    ("limits", LIMITS),
    ("milter", MILTER),
    ("socketmap", SOCKETMAP),
    ("tcp-table", TCP_TABLE),
    ("policy-service", POLICY_SERVICE),
    ("filter", FILTER),
    ("metrics", METRICS),
];
const KEYS: &[&str] = &["file", "allow-unsafe"];
const LOG: &[&str] = &["file", "format", "addresses", "events"];
const LIMITS: &[&str] = &["connections", "idle-seconds", "milter-idle-seconds", "request-seconds", "forged-per-hour"];
const MILTER: &[&str] = &["listen", "mark", "verdict-header", "socket-owner", "socket-group", "socket-mode"];
const SOCKETMAP: &[&str] = &["listen", "maps", "socket-owner", "socket-group", "socket-mode"];
const TCP_TABLE: &[&str] =
    &["sign", "verify", "srs-forward", "srs-reverse", "socket-owner", "socket-group", "socket-mode"];
const POLICY_SERVICE: &[&str] = &["listen", "at-data", "socket-owner", "socket-group", "socket-mode"];
const FILTER: &[&str] = &["sessions", "metrics"];
const METRICS: &[&str] = &["listen", "socket-owner", "socket-group", "socket-mode"];

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

/// All that one start or reload works with.
#[derive(Debug, Clone)]
pub struct Config {
    /// What is signed and refused.
    pub policy: Policy,
    /// Where the key ring lies.
    pub keys: Keys,
    /// What is logged, how and where.
    pub log: LogSettings,
    /// What one peer may take.
    pub limits: Limits,
    /// Where the faces listen, in the order of the faces, and where the metrics are read.
    pub endpoints: Vec<Endpoint>,
    /// What the milter writes into headers.
    pub headers: Headers,
    /// Whether the policy service is asked at DATA too.
    pub policy_service_at_data: bool,
    /// The filter of OpenSMTPD, if there is one.
    pub filter: Option<Filter>,
    /// Where the metrics of the filter, which is a process of its own, are read.
    pub filter_metrics: Vec<Endpoint>,
}

/// `[keys]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// The ring's file; `None` makes one in the state directory.
    pub file: Option<PathBuf>,
    /// Whether a ring that others may read passes.
    pub allow_unsafe: bool,
}

/// `[log]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogSettings {
    /// The file; `None` is standard error.
    pub file: Option<PathBuf>,
    /// JSON instead of text.
    pub json: bool,
    /// Whether local parts are left out.
    pub redact: bool,
    /// Whether decisions that changed nothing are logged too.
    pub all_events: bool,
}

/// `[limits]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most connections that one listener holds.
    pub connections: usize,
    /// How long a connection may be silent between two requests.
    pub idle: Duration,
    /// How long a mail server may be silent on a milter connection.
    pub milter_idle: Duration,
    /// How long a request may take to come in, and an answer to be taken.
    pub request: Duration,
    /// The most forged tags of a client in an hour; 0 is no limit.
    pub forged: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        let (idle, request) = (Duration::from_secs(300), Duration::from_secs(10));
        Limits { connections: 1000, idle, milter_idle: Duration::from_secs(7210), request, forged: 100 }
    }
}

/// Of `[milter]`: what is written into the headers of mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// Whether own mail gets a mark, if the ring has a key for it.
    pub mark: bool,
    /// The header that tells the verdict about a bounce; `None` tells nothing.
    pub verdict: Option<String>,
}

impl Default for Headers {
    fn default() -> Headers {
        Headers { mark: true, verdict: None }
    }
}

/// `[filter]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    /// The most sessions that it remembers.
    pub sessions: usize,
}

impl Default for Filter {
    fn default() -> Filter {
        Filter { sessions: 10_000 }
    }
}

/// One address at which the daemon listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The face; `None` where the metrics are read.
    pub face: Option<Face>,
    /// Where.
    pub address: Address,
    /// Who may use it, if it is a Unix socket of our own.
    pub rights: Rights,
    /// The maps that may be asked here; none for faces without maps.
    pub maps: Vec<Map>,
}

impl Endpoint {
    /// The name of its table.
    pub const fn table(&self) -> &'static str {
        match self.face {
            Some(face) => face.as_str(),
            None => "metrics",
        }
    }
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// One sentence with file, line and remedy.
    pub fn load(path: &Path) -> Result<Config, Stop> {
        let octets = keyfile::read_text(path, "the configuration")
            .map_err(|error| Stop::new(Exit::NoInput, error.to_string()))?;
        let name = path.display();
        Config::parse(&octets).map_err(|fault| Stop::config(format!("{name}: {fault}")))
    }

    /// Reads a text.
    ///
    /// # Errors
    /// The first fault, with its line.
    pub fn parse(text: &[u8]) -> Result<Config, Fault> {
        Config::read(text).map_err(|error| match error {
            Error::Policy { line, message } => Fault { line, message },
            other => Fault { line: 1, message: other.to_string() },
        })
    }

    fn read(text: &[u8]) -> Result<Config, Error> {
        let mut config = Config {
            policy: Policy::new(backstop::Domains::all()),
            keys: Keys::default(),
            log: LogSettings::default(),
            limits: Limits::default(),
            endpoints: Vec::new(),
            headers: Headers::default(),
            policy_service_at_data: false,
            filter: None,
            filter_metrics: Vec::new(),
        };
        settings::read(text, |entry| match entry.name {
            "policy" => Ok(()),
            "keys" => keys(entry, &mut config.keys),
            "log" => log(entry, &mut config.log),
            "limits" => limits(entry, &mut config.limits),
            "milter" => milter(entry, &mut config),
            "socketmap" => socketmap(entry, &mut config),
            "tcp-table" => tcp_table(entry, &mut config),
            "policy-service" => policy_service(entry, &mut config),
            "filter" => filter(entry, &mut config),
            "metrics" => metrics(entry, &mut config),
            _ => {
                let tables: Vec<&str> = ["policy"].into_iter().chain(TABLES.iter().map(|(name, _)| *name)).collect();
                Err(entry.unknown("", &tables))
            }
        })?;
        config.policy = Policy::parse(text)?;
        config.endpoints.sort_by_key(|endpoint| (endpoint.face.is_none(), endpoint.face));
        Ok(config)
    }
}

fn keys(table: Entry<'_>, keys: &mut Keys) -> Result<(), Error> {
    for entry in table.entries()? {
        match entry.name {
            "file" => keys.file = Some(path(&entry)?),
            "allow-unsafe" => keys.allow_unsafe = entry.yes()?,
            _ => return Err(entry.unknown("keys", KEYS)),
        }
    }
    Ok(())
}

fn path(entry: &Entry<'_>) -> Result<PathBuf, Error> {
    let path = Path::new(entry.str()?);
    if path.is_absolute() { Ok(path.to_owned()) } else { Err(entry.fault("must be a path that begins with `/`")) }
}

fn log(table: Entry<'_>, log: &mut LogSettings) -> Result<(), Error> {
    for entry in table.entries()? {
        match entry.name {
            "file" => log.file = Some(path(&entry)?),
            "format" => log.json = entry.choice(&[("text", false), ("json", true)], |it| it.0)?.1,
            "addresses" => log.redact = entry.choice(&[("full", false), ("domain", true)], |it| it.0)?.1,
            "events" => log.all_events = entry.choice(&[("notable", false), ("all", true)], |it| it.0)?.1,
            _ => return Err(entry.unknown("log", LOG)),
        }
    }
    Ok(())
}

fn limits(table: Entry<'_>, limits: &mut Limits) -> Result<(), Error> {
    for entry in table.entries()? {
        match entry.name {
            "connections" => limits.connections = entry.number(1, 100_000)?,
            "idle-seconds" => limits.idle = Duration::from_secs(entry.number(1, 86_400)?),
            "milter-idle-seconds" => limits.milter_idle = Duration::from_secs(entry.number(1, 86_400)?),
            "request-seconds" => limits.request = Duration::from_secs(entry.number(1, 600)?),
            "forged-per-hour" => limits.forged = entry.number(0, 1_000_000)?,
            _ => return Err(entry.unknown("limits", LIMITS)),
        }
    }
    Ok(())
}

fn milter(table: Entry<'_>, config: &mut Config) -> Result<(), Error> {
    let (mut at, mut rights) = (Vec::new(), Rights::default());
    for entry in table.entries()? {
        match entry.name {
            "listen" => at = listen(&entry)?,
            "mark" => config.headers.mark = entry.yes()?,
            "verdict-header" => config.headers.verdict = verdict_header(&entry)?,
            _ => socket(entry, &mut rights, "milter", MILTER)?,
        }
    }
    add(table, config, Some(Face::Milter), &at, &rights, &[])
}

/// Copies of it are deleted, so it may be none that mail needs.
fn verdict_header(entry: &Entry<'_>) -> Result<Option<String>, Error> {
    let name = entry.str()?;
    let begins = ["backstop-", "x-"].iter().any(|begin| {
        name.get(..begin.len()).is_some_and(|it| it.eq_ignore_ascii_case(begin)) && name.len() > begin.len()
    });
    let is_name = name.len() <= 64 && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    match name {
        "" => Ok(None),
        _ if begins && is_name && !name.eq_ignore_ascii_case(mark::HEADER) => Ok(Some(name.to_owned())),
        _ => Err(entry.fault(format_args!(
            "= {name:?} is deleted from all mail that arrives; give it a name of its own that begins with Backstop- or X-"
        ))),
    }
}

fn socketmap(table: Entry<'_>, config: &mut Config) -> Result<(), Error> {
    let (mut at, mut rights, mut maps) = (Vec::new(), Rights::default(), Map::ALL.to_vec());
    for entry in table.entries()? {
        match entry.name {
            "listen" => at = listen(&entry)?,
            "maps" => {
                let item = |item: Entry<'_>| item.choice(&Map::ALL, Map::as_str);
                maps = entry.list()?.into_iter().map(item).collect::<Result<_, _>>()?;
            }
            _ => socket(entry, &mut rights, "socketmap", SOCKETMAP)?,
        }
    }
    add(table, config, Some(Face::Socketmap), &at, &rights, &maps)
}

fn tcp_table(table: Entry<'_>, config: &mut Config) -> Result<(), Error> {
    let (mut maps, mut rights) = (Vec::new(), Rights::default());
    for entry in table.entries()? {
        match Map::ALL.iter().find(|map| map.as_str() == entry.name) {
            Some(map) => maps.push((entry, *map, listen(&entry)?)),
            None => socket(entry, &mut rights, "tcp-table", TCP_TABLE)?,
        }
    }
    if maps.is_empty() {
        return Err(table.fault("listens nowhere; give sign, verify, srs-forward or srs-reverse an address"));
    }
    maps.iter().try_for_each(|(entry, map, at)| add(*entry, config, Some(Face::TcpTable), at, &rights, &[*map]))
}

fn policy_service(table: Entry<'_>, config: &mut Config) -> Result<(), Error> {
    let (mut at, mut rights) = (Vec::new(), Rights::default());
    for entry in table.entries()? {
        match entry.name {
            "listen" => at = listen(&entry)?,
            "at-data" => config.policy_service_at_data = entry.yes()?,
            _ => socket(entry, &mut rights, "policy-service", POLICY_SERVICE)?,
        }
    }
    add(table, config, Some(Face::PolicyService), &at, &rights, &[])
}

fn metrics(table: Entry<'_>, config: &mut Config) -> Result<(), Error> {
    let (mut at, mut rights) = (Vec::new(), Rights::default());
    for entry in table.entries()? {
        match entry.name {
            "listen" => at = listen(&entry)?,
            _ => socket(entry, &mut rights, "metrics", METRICS)?,
        }
    }
    add(table, config, None, &at, &rights, &[])
}

fn filter(table: Entry<'_>, config: &mut Config) -> Result<(), Error> {
    config.filter.get_or_insert_default();
    for entry in table.entries()? {
        match entry.name {
            "sessions" => config.filter = Some(Filter { sessions: entry.number(1, 1_000_000)? }),
            "metrics" => {
                for address in listen(&entry)? {
                    if matches!(address, Address::Systemd(_)) {
                        return Err(entry.fault("cannot be a socket of systemd, since OpenSMTPD starts the filter"));
                    }
                    free(&entry, config, &address)?;
                    let rights = Rights::default();
                    config.filter_metrics.push(Endpoint { face: None, address, rights, maps: Vec::new() });
                }
            }
            _ => return Err(entry.unknown("filter", FILTER)),
        }
    }
    Ok(())
}

/// A key about Unix sockets, the same in every face.
fn socket(entry: Entry<'_>, rights: &mut Rights, table: &str, known: &[&str]) -> Result<(), Error> {
    match entry.name {
        "socket-owner" => rights.owner = Some(entry.str()?.to_owned()),
        "socket-group" => rights.group = Some(entry.str()?.to_owned()),
        "socket-mode" => rights.mode = Rights::parse_mode(entry.str()?).map_err(|what| entry.fault(what))?,
        _ => return Err(entry.unknown(table, known)),
    }
    Ok(())
}

fn listen(entry: &Entry<'_>) -> Result<Vec<Address>, Error> {
    let parse = |item: Entry<'_>| {
        let text = item.str()?;
        Address::parse(text).map_err(|what| item.fault(format_args!("= {text:?} {what}")))
    };
    entry.list()?.into_iter().map(parse).collect()
}

fn add(
    entry: Entry<'_>,
    config: &mut Config,
    face: Option<Face>,
    at: &[Address],
    rights: &Rights,
    maps: &[Map],
) -> Result<(), Error> {
    if at.is_empty() {
        return Err(entry.fault("listens nowhere; add listen = [\"inet:127.0.0.1:PORT\"] or take the table out"));
    }
    for address in at {
        free(&entry, config, address)?;
        let (rights, maps) = (rights.clone(), maps.to_vec());
        config.endpoints.push(Endpoint { face, address: address.clone(), rights, maps });
    }
    Ok(())
}

/// Filter and daemon are two processes, and may not have one address either.
fn free(entry: &Entry<'_>, config: &Config, address: &Address) -> Result<(), Error> {
    match config.endpoints.iter().chain(&config.filter_metrics).find(|other| other.address.meets(address)) {
        Some(other) if other.address == *address => {
            Err(entry.fault(format_args!("listens at {address}, which is taken; every face needs its own")))
        }
        Some(Endpoint { address: other, .. }) => {
            Err(entry.fault(format_args!("listens at {address}, where {other} is; every face needs its own")))
        }
        None => Ok(()),
    }
}
