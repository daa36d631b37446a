//! Abuse reports, letters and records, as files in a folder that is new or empty. Nothing is sent, nothing replaced.
//!
//! ```text
//! FOLDER/000001-mx.reflector.example.arf.eml      RFC 5965, a whole message, for whoever sends mail
//! FOLDER/000001-mx.reflector.example.letter.txt   the same in words
//! FOLDER/000001-mx.reflector.example.record.txt   what the one whose name was misused can show
//! ```
//!
//! Only backscatter and forged tags or marks are reported, and of each host only the first few: a postmaster needs no
//! thousand reports. How often each host was counted is known for as many hosts as `top.rs` holds.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use backstop::bounce::report::{self, Letter};
use backstop::keyfile;
use backstop::policy::Policy;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::Seen;
use super::top::Top;
use crate::stop::Stop;

const SECONDS_OF_A_DAY: i64 = 86_400;

/// Where reports go, and how many there are.
pub(crate) struct Reports {
    folder: PathBuf,
    from: String,
    per_host: u64,
    hosts: Top,
    written: u64,
    left_out: u64,
}

impl Reports {
    pub(crate) fn new(folder: &Path, from: &str, per_host: u16) -> Result<Reports, Stop> {
        let shown = folder.display();
        let path = backstop::Path::parse(from.as_bytes());
        if !matches!(path, Ok(backstop::Path::Mailbox(_))) || from.contains(char::is_control) {
            return Err(Stop::trouble("--report-from takes an address, as abuse@example.com"));
        }
        if let Err(error) = fs::create_dir_all(folder) {
            return Err(Stop::trouble(format!("{shown} cannot be made: {}", keyfile::in_words(&error))));
        }
        match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
            Ok(false) => {}
            Ok(true) => return Err(Stop::trouble(format!("{shown} is not empty; name a new folder with --report-to"))),
            Err(error) => return Err(Stop::trouble(format!("{shown} cannot be read: {}", keyfile::in_words(&error)))),
        }
        Ok(Reports {
            folder: folder.to_owned(),
            from: from.to_owned(),
            per_host: u64::from(per_host),
            hosts: Top::default(),
            written: 0,
            left_out: 0,
        })
    }

    /// Writes the three files of a message, if it is one to report.
    pub(crate) fn write(&mut self, seen: &Seen<'_>, policy: &Policy) -> Result<(), Stop> {
        let it = &seen.inspection;
        let host = it.source.reporting.as_deref().and_then(host_name);
        let midnight = i64::from(seen.day.number()) * SECONDS_OF_A_DAY;
        let time = OffsetDateTime::from_unix_timestamp(seen.arrival.seconds.unwrap_or(midnight)).ok();
        let date = time.and_then(|time| time.format(&Rfc2822).ok()).unwrap_or_else(|| seen.day.to_string());
        // A host without a name is written to by its address.
        let to = match (&host, seen.arrival.client) {
            (Some(host), _) => format!("postmaster@{host}"),
            (None, Some(IpAddr::V4(client))) => format!("postmaster@[{client}]"),
            (None, Some(IpAddr::V6(client))) => format!("postmaster@[IPv6:{client}]"),
            (None, None) => "undisclosed-recipients:;".to_owned(),
        };
        let letter = Letter { from: &self.from, to: &to, date: &date, client: seen.arrival.client };
        let Some(arf) = report::arf(seen.octets, it, &letter, policy) else { return Ok(()) };
        let name = host.as_deref().unwrap_or("unknown");
        if self.hosts.count(name) >= self.per_host {
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
        let left_out = match self.left_out {
            0 => String::new(),
            number => format!("; {number} more of the same hosts are left out (--reports-per-host)"),
        };
        format!("{} messages reported in {}, nothing is sent{left_out}", self.written, self.folder.display())
    }
}

fn put(path: &Path, content: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(content.as_bytes())
}

/// The name of a host if it is one: it comes from outside, and becomes part of an address and of a file's name.
fn host_name(host: &str) -> Option<String> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_label = |label: &str| {
        let fits = label.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
        fits && (1..=63).contains(&label.len()) && !label.starts_with('-')
    };
    (host.len() <= 200 && host.contains('.') && host.split('.').all(is_label)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_hosts_become_names_of_files() {
        assert_eq!(host_name("MX.Reflector.Example.").as_deref(), Some("mx.reflector.example"));
        for host in ["", "..", "../../etc/passwd", "a/b.example", "-x.example", "localhost", "a b.example", "ä.example"]
        {
            assert_eq!(host_name(host), None, "{host}");
        }
    }
}
