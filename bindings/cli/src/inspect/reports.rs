//! Abuse reports, letters and records, as files in a folder that is new or empty. Nothing is sent, nothing replaced.
//!
//! ```text
//! FOLDER/000001-mx.reflector.example.arf.eml      RFC 5965, a whole message, for whoever sends mail
//! FOLDER/000001-mx.reflector.example.letter.txt   the same in words
//! FOLDER/000001-mx.reflector.example.record.txt   what the one whose name was misused can show
//! ```
//!
//! Only backscatter and forged tags or marks are reported, and of each host only the first few: a postmaster needs no
//! thousand reports. How often each host was counted is known for as many hosts as `top.rs` holds, and in all there are
//! [`MAX_REPORTS`]. Own hosts are not reported.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use backstop::bounce::Verdict;
use backstop::bounce::report::{self, Letter};
use backstop::policy::Policy;
use backstop::{Day, keyfile};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::Seen;
use super::top::Top;
use crate::stop::Stop;

const SECONDS_OF_A_DAY: i64 = 86_400;
/// Messages that are reported in one run.
const MAX_REPORTS: u64 = 10_000;

/// Where reports go, and how many there are.
pub(crate) struct Reports {
    folder: PathBuf,
    from: String,
    /// The Date of all reports.
    date: String,
    per_host: u64,
    hosts: Top,
    written: u64,
    left_out: u64,
    /// From own hosts.
    own: u64,
}

impl Reports {
    /// `day` is the one that was asked for; the reports have its first second, else the time now.
    pub(crate) fn new(folder: &Path, from: &str, per_host: u16, day: Option<Day>) -> Result<Reports, Stop> {
        let shown = folder.display();
        let now = day.map_or_else(OffsetDateTime::now_utc, |day| {
            let midnight = i64::from(day.number()) * SECONDS_OF_A_DAY;
            OffsetDateTime::from_unix_timestamp(midnight).unwrap_or(OffsetDateTime::UNIX_EPOCH)
        });
        if let Err(error) = fs::create_dir(folder)
            && error.kind() != ErrorKind::AlreadyExists
        {
            return Err(Stop::trouble(format!("{shown} cannot be made: {}", keyfile::in_words_of_new(&error))));
        }
        match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
            Ok(false) => {}
            Ok(true) => return Err(Stop::trouble(format!("{shown} is not empty; name a new folder with --report-to"))),
            Err(error) => return Err(Stop::trouble(format!("{shown} cannot be read: {}", keyfile::in_words(&error)))),
        }
        Ok(Reports {
            folder: folder.to_owned(),
            from: from.to_owned(),
            date: now.format(&Rfc2822).unwrap_or_default(),
            per_host: u64::from(per_host),
            hosts: Top::default(),
            written: 0,
            left_out: 0,
            own: 0,
        })
    }

    /// Writes the three files of a message, if it is one to report.
    pub(crate) fn write(&mut self, seen: &Seen<'_>, policy: &Policy) -> Result<(), Stop> {
        let it = &seen.inspection;
        if !matches!(it.verdict, Verdict::Backscatter | Verdict::Forged) {
            return Ok(());
        }
        let reflector = report::reflector(seen.octets, it, policy);
        if reflector.is_own {
            self.own += 1;
            return Ok(());
        }
        let (host, client) = (reflector.host, reflector.client);
        let time = seen.arrival.seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        let arrival = time.and_then(|time| time.format(&Rfc2822).ok());
        // A host without a name is written to by its address.
        let to = match (&host, client) {
            (Some(host), _) => format!("postmaster@{host}"),
            (None, Some(IpAddr::V4(client))) => format!("postmaster@[{client}]"),
            (None, Some(IpAddr::V6(client))) => format!("postmaster@[IPv6:{client}]"),
            (None, None) => "undisclosed-recipients:;".to_owned(),
        };
        let letter = Letter {
            from: &self.from,
            to: &to,
            date: &self.date,
            arrival: arrival.as_deref(),
            sender: seen.sender,
            client,
        };
        let Some(arf) = report::arf(seen.octets, it, &letter, policy) else { return Ok(()) };
        // Colons stand in no name of a file on some systems.
        let address = client.map(|client| client.to_string().replace(':', "-"));
        let name = host.as_deref().or(address.as_deref()).unwrap_or("unknown");
        if self.hosts.count(name) >= self.per_host || self.written >= MAX_REPORTS {
            self.left_out += 1;
            return Ok(());
        }
        self.hosts.add(name, true);
        self.written += 1;
        let text = report::plain(seen.octets, it, &letter, policy).unwrap_or_default();
        let record = report::victim_record(it, &letter, policy).unwrap_or_default();
        for (kind, content) in [("arf.eml", arf), ("letter.txt", text), ("record.txt", record)] {
            let path = self.folder.join(format!("{:06}-{name}.{kind}", self.written));
            put(&path, &content).map_err(|error| {
                Stop::trouble(format!("{} cannot be written: {}", path.display(), keyfile::in_words(&error)))
            })?;
        }
        Ok(())
    }

    /// What was done.
    pub(crate) fn told(&self) -> String {
        let mut text = format!("{} messages reported in {}, nothing is sent", self.written, self.folder.display());
        if self.left_out > 0 {
            text += &format!("; {} more of the same hosts are left out (--reports-per-host)", self.left_out);
        }
        if self.own > 0 {
            text += &format!("; {} not reported, since an own host wrote them", self.own);
        }
        text
    }
}

fn put(path: &Path, content: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(content.as_bytes())
}
