//! The arguments of `backstop inspect`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{At, Keys, parse};

pub(crate) const INSPECT_EXAMPLES: &str = "\
Examples:
  backstop inspect --policy policy.toml bounce.eml
  backstop inspect --policy policy.toml --at-arrival --html page.html /var/mail/alice ~/Maildir
  backstop inspect --json --recipient alice@example.com - < bounce.eml

For one message the text tells all about it, for more it counts. With --json, one object a message: file, kind, verdict, \
proof, reason, score, evidence (id, weight, why), returned, source, mailbox, advice, would; reason tells why the verdict is \
unproven, and the class of a failed delivery stands in returned. A message of an mbox is FILE#NUMBER.

For whom a message came is read from X-Original-To, Envelope-To or Delivered-To, as the delivering host writes them above \
the first Received; below it, and in To, a sender may write what he likes, and it proves nothing.

Folders that are no Maildir are read with all that they hold, 16 folders deep; names with a dot before them, links to \
folders, pipes, sockets and devices are left out. A name that is not UTF-8 has U+FFFD for what is not in file, and the \
object has a last key, file_hex, with all of its octets.

Exit code 0: none of the messages is backscatter, forged or expired. 1: some are; the last line tells how many. 2: trouble; \
a file that cannot be read is told and left out, and all others are counted. After Ctrl-C nothing is counted, and what was \
printed holds. With --may-answer, 1 says that a message must not be answered, or that there is none: reason=empty, and of a folder no \
line.";

/// What plays no part in whether this host may answer: keys, policy, day, and all that is told of verdicts.
const UNANSWERED: [&str; 12] = [
    "policy",
    "keys",
    "allow_unsafe_keys",
    "without_keys",
    "at",
    "at_arrival",
    "json",
    "each",
    "summary_json",
    "html",
    "report_to",
    "reports_per_host",
];
/// What plays no part either where the table of evidence is checked, without any message: all but the files.
const UNCHECKED: [&str; 7] = ["format", "recipient", "recipient_from", "sender", "dnsbl", "may_answer", "burst"];

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Messages, mbox files, Maildir folders, other folders of files, or - for standard input.
    #[arg(value_name = "FILE", required_unless_present = "check_evidence")]
    pub(crate) files: Vec<PathBuf>,
    /// What the files are.
    #[arg(long, value_name = "FORM", default_value = "auto")]
    pub(crate) format: Format,
    /// The policy: a TOML file with a table `[policy]` [default: none; nothing is own, and nothing backscatter].
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The recipient of the envelope of all messages, tag and all [default: as the delivering host wrote it].
    #[arg(long, value_name = "ADDRESS", value_parser = parse::recipient(), allow_hyphen_values = true)]
    #[arg(conflicts_with = "recipient_from")]
    pub(crate) recipient: Option<OsString>,
    /// A header field that names the recipient wherever it stands, since your hosts write it; may be given again.
    #[arg(long, value_name = "FIELD", value_parser = parse::field)]
    pub(crate) recipient_from: Vec<String>,
    /// The envelope sender of all messages [default: for the kind, Return-Path or the separator of the mbox; for refusals at
    /// RCPT and for reports, Return-Path above the first Received].
    #[arg(long, value_name = "ADDRESS", value_parser = parse::sender(), allow_hyphen_values = true)]
    pub(crate) sender: Option<OsString>,
    #[command(flatten)]
    pub(crate) keys: Keys,
    /// Judge without a key ring: nothing is proved.
    #[arg(long, conflicts_with_all = ["keys", "allow_unsafe_keys"])]
    pub(crate) without_keys: bool,
    #[command(flatten)]
    pub(crate) at: At,
    /// Judge each message on the day on which it came, as old mail wants it.
    #[arg(long, conflicts_with = "at")]
    pub(crate) at_arrival: bool,
    /// Print one JSON object a message.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print one line a message, and no counts.
    #[arg(long, conflicts_with = "json")]
    pub(crate) each: bool,
    /// Print the counts as one JSON object.
    #[arg(long, conflicts_with_all = ["json", "each"])]
    pub(crate) summary_json: bool,
    /// Write the counts as a page with plots; an older page is replaced, and no other file.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Name what to ask this DNS list about the injecting host (JSON, one message); may be given again. Nothing is asked.
    #[arg(long, value_name = "ZONE", value_parser = parse::zone)]
    #[arg(conflicts_with_all = ["each", "summary_json", "may_answer"])]
    pub(crate) dnsbl: Vec<String>,
    /// Say instead whether this host may answer each message, so that it is no reflector: `yes FILE` or `no FILE reason=WHY`.
    #[arg(long, value_name = "ANSWER", conflicts_with_all = UNANSWERED)]
    pub(crate) may_answer: Option<Answer>,
    /// Somebody vouches for the senders: they logged in, are of the own network, or passed SPF (with --may-answer).
    #[arg(long, requires = "may_answer")]
    pub(crate) vouched: bool,
    /// In the counts: how many messages in an hour are a burst, if that is four times the usual number [default: 10].
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, conflicts_with = "may_answer")]
    #[arg(value_parser = parse::number(2, 10_000, "2 to 10000"))]
    pub(crate) burst: Option<u16>,
    /// Write abuse reports, letters to postmasters and records into this new or empty folder; nothing is sent.
    #[arg(long, value_name = "FOLDER", requires = "report_from")]
    pub(crate) report_to: Option<PathBuf>,
    /// The address in the From of the reports, which must be read.
    #[arg(long, value_name = "ADDRESS", value_parser = parse::author, requires = "report_to")]
    pub(crate) report_from: Option<String>,
    /// How many messages of a reporting host are reported.
    #[arg(long, value_name = "NUMBER", default_value_t = 3, allow_hyphen_values = true, requires = "report_to")]
    #[arg(value_parser = parse::number(1, 10_000, "1 to 10000"))]
    pub(crate) reports_per_host: u16,
    /// Print the table of evidence that messages are judged by; with FILE, check tables of your own instead.
    #[arg(long, conflicts_with_all = UNANSWERED, conflicts_with_all = UNCHECKED)]
    pub(crate) check_evidence: bool,
}

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Answer {
    /// A bounce of a message that was taken in
    Bounce,
    /// A vacation reply or the like (RFC 3834)
    Reply,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Detected: an mbox begins with "From " and a date, a Maildir has cur or new
    Auto,
    /// One message a file
    Message,
    /// An mbox
    Mbox,
    /// A Maildir, with its folders
    Maildir,
}
