//! `backstop inspect`: what returned messages are, one by one or counted.
//!
//! ```text
//! store.rs   files, mbox, Maildir, standard input -> one message at a time
//! foreign.rs what no message is      text.rs  words for one message, and the counts
//! counts.rs  what is counted, with top.rs (most frequent) and series.rs (time, bursts)
//! summary.rs counts as JSON         page.rs  counts as HTML with plots      reports.rs  abuse reports, as files
//! table.rs   the table of evidence   answer.rs  whether this host may answer    page_file.rs  where the page goes
//! ```
//!
//! Memory stays as it is over any number of messages, but for the names of a Maildir: one message is held, and every count
//! has a limit. The judgement is the library's.

mod answer;
mod counts;
mod foreign;
mod page;
mod page_file;
mod reports;
mod series;
mod store;
mod summary;
mod table;
mod text;
mod top;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use backstop::bounce::{self, Arrival, Envelope, Inspection, Kind};
use backstop::policy::{Action, Policy};
use backstop::{Day, Domains, KeyRing};

use self::counts::Counts;
use self::page_file::PageFile;
use self::reports::Reports;
use self::store::{Message, Store};
use crate::args;
use crate::decide::{self, ANY_PORT};
use crate::output;
use crate::ring;
use crate::stop::{Run, Stop, Tally};
use crate::when::Clock;

/// Octets of output that are collected before they are written.
const OUTPUT: usize = 64 * 1024;
/// Messages in an hour that are a burst, unless `--burst` says it.
const BURST: u16 = 10;
/// How often the progress is shown.
const TICK: Duration = Duration::from_millis(200);

pub(crate) fn run(args: &args::Inspect) -> Run {
    if args.check_evidence {
        return table::run(&args.files);
    }
    if let Some(answer) = args.may_answer {
        return answer::run(args, answer);
    }
    let has_counts = args.html.is_some() || !(args.json || args.each);
    if args.burst.is_some() && !has_counts {
        let beside = if args.json { "--json" } else { "--each" };
        let what = format!(
            "--burst cannot be used with {beside}, which prints no counts; add --html for them, or leave it out"
        );
        return Err(Stop::trouble(what));
    }
    let burst = args.burst.unwrap_or(BURST);
    let ring = match args.without_keys {
        true => KeyRing::empty(),
        false => ring::load(&args.keys)?,
    };
    let policy = args.policy.as_deref().map(decide::policy).transpose()?;
    let today = Clock(args.at.at).day()?;
    let page = args.html.as_deref().map(|path| PageFile::new(path, &args.files)).transpose()?;
    let reports = args.report_to.as_deref().zip(args.report_from.as_deref());
    let reports =
        reports.map(|(folder, from)| Reports::new(folder, from, args.reports_per_host, args.at.at)).transpose()?;
    let mut session = Session {
        args,
        ring,
        has_policy: policy.is_some(),
        policy: policy.map_or_else(nobodys, Ok)?,
        today,
        counts: Counts::new(),
        tally: Tally::new("answer no recent mail of ours"),
        out: Vec::new(),
        only: None,
        reports,
        progress: Progress::new(args.json || args.each),
        writes_at_once: std::io::stdout().is_terminal(),
        is_read: true,
    };
    let mut judge = |message: Message<'_>| session.judge(message);
    let written: Vec<&Path> = args.html.iter().chain(&args.report_to).map(PathBuf::as_path).collect();
    let mut store = Store::new(args.format, &written, &mut judge);
    store.read_all(&args.files)?;
    let (tried, failed) = (store.tried, store.failed);
    session.progress.end();
    session.write()?;
    if args.summary_json {
        session.out = summary::object(&session.counts, burst, session.has_policy);
        session.write()?;
    } else if !(args.json || args.each) {
        let only = session.only.take().filter(|_| session.counts.messages == 1);
        let text = only.unwrap_or_else(|| text::counts(&session.counts, burst, session.has_policy));
        session.out = text.into_bytes();
        session.write()?;
    }
    if let Some(page) = page {
        page.write(&page::page(&session.counts, burst, session.has_policy, session.today))?;
    }
    if let Some(reports) = &session.reports {
        output::tell(&reports.told());
    }
    if failed > 0 {
        let what = format!("{failed} of {tried} files cannot be read; the counts are without them");
        return Err(Stop::trouble(what));
    }
    Ok(session.tally.outcome())
}

/// The policy of somebody who has no domain: that of RFC 2606 which never is one.
fn nobodys() -> Result<Policy, Stop> {
    Ok(Policy::new(Domains::parse("nobody.invalid")?))
}

/// A run over messages.
struct Session<'a> {
    args: &'a args::Inspect,
    ring: KeyRing,
    policy: Policy,
    has_policy: bool,
    today: Day,
    counts: Counts,
    tally: Tally,
    out: Vec<u8>,
    /// All about the first message, in words.
    only: Option<String>,
    reports: Option<Reports>,
    progress: Progress,
    /// Whether somebody looks at each line as it comes.
    writes_at_once: bool,
    /// Whether anyone still reads the output.
    is_read: bool,
}

/// All that is known of one message.
pub(crate) struct Seen<'a> {
    pub(crate) file: &'a [u8],
    pub(crate) octets: &'a [u8],
    pub(crate) inspection: Inspection,
    pub(crate) arrival: Arrival,
    /// Of the envelope, if it is known.
    pub(crate) sender: Option<&'a [u8]>,
    pub(crate) recipient: Option<&'a [u8]>,
}

impl Session<'_> {
    fn judge(&mut self, message: Message<'_>) -> Result<(), Stop> {
        let octets = message.octets;
        let arrival = bounce::arrival(octets, &self.args.recipient_from);
        let given = |address: &Option<OsString>| address.as_ref().map(|it| it.as_encoded_bytes().to_vec());
        let recipient = given(&self.args.recipient).or_else(|| arrival.recipient.clone().map(String::into_bytes));
        let sender = given(&self.args.sender);
        let arrived = arrival.seconds.filter(|_| self.args.at_arrival);
        let day = arrived.and_then(|seconds| Day::from_unix_seconds(seconds).ok()).unwrap_or(self.today);
        let envelope =
            Envelope { sender: sender.as_deref(), recipient: Some(recipient.as_deref().unwrap_or_default()) };
        let inspection = bounce::inspect(octets, &envelope, &self.ring, &self.policy, day);
        let sender = sender.or_else(|| arrival.sender.clone().map(String::into_bytes));
        let at_rcpt = inspection.kind != Kind::NotABounce
            && sender.as_deref().zip(recipient.as_deref()).is_some_and(|(sender, recipient)| {
                let client = self.policy.client(false, arrival.client, ANY_PORT);
                self.policy.incoming(&self.ring, sender, recipient, client, day).would == Action::Refuse
            });
        self.counts.add(&inspection, &arrival, recipient.is_some(), at_rcpt);
        self.counts.octets += octets.len() as u64;
        self.counts.cut += u64::from(message.is_cut);
        let slug = inspection.verdict.slug();
        self.tally.count(Some(slug).filter(|slug| matches!(*slug, "backscatter" | "forged" | "expired")));
        let (sender, recipient) = (sender.as_deref(), recipient.as_deref());
        let seen = Seen { file: message.file, octets, inspection, arrival, sender, recipient };
        if let Some(reports) = &mut self.reports {
            reports.write(&seen, &self.policy)?;
        }
        self.show(&seen)?;
        self.progress.tick(self.counts.messages);
        Ok(())
    }

    fn show(&mut self, seen: &Seen<'_>) -> Result<(), Stop> {
        if self.args.json {
            let zones: Vec<&str> = self.args.dnsbl.iter().map(String::as_str).collect();
            seen.inspection.json(Some(seen.file), &zones, &mut self.out);
            self.out.push(b'\n');
        } else if self.args.each {
            text::line(seen, &mut self.out);
        } else if self.counts.messages == 1 {
            self.only = Some(text::one(seen, &self.args.dnsbl));
        }
        if self.writes_at_once || self.out.len() >= OUTPUT { self.write() } else { Ok(()) }
    }

    /// Writes what was collected. A reader that has gone ends the run, unless it has files to write.
    fn write(&mut self) -> Result<(), Stop> {
        let written = if self.is_read { output::print(&self.out) } else { Ok(()) };
        self.out.clear();
        match written {
            Err(Stop::ClosedPipe) if self.args.html.is_some() || self.reports.is_some() => {
                self.is_read = false;
                Ok(())
            }
            written => written,
        }
    }
}

/// The number of messages, on a terminal only.
struct Progress {
    is_shown: bool,
    shown: Option<Instant>,
    begun: Instant,
}

impl Progress {
    /// Output that goes to the same terminal would be mixed up with it.
    fn new(prints: bool) -> Progress {
        let is_shown = std::io::stderr().is_terminal() && !(prints && std::io::stdout().is_terminal());
        Progress { is_shown, shown: None, begun: Instant::now() }
    }

    fn tick(&mut self, messages: u64) {
        if self.is_shown && self.shown.unwrap_or(self.begun).elapsed() >= TICK {
            self.shown = Some(Instant::now());
            let rate = messages as f64 / self.begun.elapsed().as_secs_f64();
            let _ = write!(std::io::stderr(), "\r{messages} messages, {rate:.0} a second\x1b[K");
        }
    }

    fn end(&self) {
        if self.shown.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
