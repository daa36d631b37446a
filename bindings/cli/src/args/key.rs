//! The arguments of `backstop key`.

use std::path::PathBuf;

use backstop::{Day, Domains, Mac, Use};
use clap::{Args, Subcommand, ValueEnum};

use super::parse::{self, Open};
use super::{At, Keys};
use crate::when;

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key ring with a new key.
    #[command(after_help = "Examples:\n  backstop key new\n  \
        backstop key new --keys /etc/backstop/keys --group mail --use prvs,srs --domains example.com")]
    New(KeyNew),
    /// Add a key to a ring: a random one, or a secret from a file.
    #[command(after_help = "Examples:\n  backstop key add --use srs --domains fwd.example.net\n  \
        backstop key add --use prvs --mac sha1 --days 7 --secret-file - < secret")]
    Add(KeyAdd),
    /// List the keys of a ring, without their secrets.
    #[command(after_help = "Example:\n  backstop key list\n\n\
        Under today, signs is a key that signs, open one that could and in whose place another signs, waits one of later \
        days, ended one of earlier ones; all of them verify what they signed. The last line is the fingerprint of the ring, by \
        which hosts are compared.\n\n\
        With --json: use, id, mac, days, from, until, domains, octets, line, fingerprint, today, ring.")]
    List(KeyList),
    /// Make a successor for a key: it signs in three days, when all hosts have it.
    #[command(after_help = "Examples:\n  backstop key rotate --use srs\n  \
        backstop key rotate --use prvs --mac sha256 --days 10\n\n\
        Then copy the ring to all hosts and reload the daemons there: backstopd reads it at its start and on SIGHUP only. \
        A key that a stranger may have read is not rotated, since its tags go on being believed; it is replaced.")]
    Rotate(KeyRotate),
    /// Set the last day on which a key signs.
    #[command(after_help = "Example:\n  backstop key retire --use prvs --id 4 --last-day 2026-12-31\n\n\
        Another key must sign on every day on which this one would have signed. Without --id no older key may still be \
        open.")]
    Retire(KeyRetire),
    /// Drop the keys that no policy asks about any more.
    #[command(after_help = "Example:\n  backstop key prune\n\n\
        A key is kept for 200 days after its last: 99, the most that a tag may live, 99, the most that expired-grace may be, \
        and two for clocks; an srs key for 502, since max-age may be 500. One without a last day is never dropped.")]
    Prune(KeyPrune),
    /// Say what is due in a ring; exit code 1 if something is.
    #[command(after_help = "Example:\n  backstop key check\n\n\
        With --json: finding, due, line, sentence, ring; the last object is of the ring, with null for finding and line.")]
    Check(KeyCheck),
    /// Add the secrets of another program to the ring, which is made if there is none.
    #[command(after_help = "Examples:\n  backstop key import --from postsrsd /etc/postsrsd.secret\n  \
        backstop key import --from exim --id 0 - < prvs-secret\n\n\
        postsrsd's file holds one secret a line; the first one signs. As postsrsd does it, a line with # is a secret too, \
        and only empty lines are not. Exim's file holds one line: the secret of its prvs expansion.\n\n\
        The keys sign like their program: SRS for 21 days, prvs with sha1 for 7. They have no dates and so count as \
        signing since ever: where mail left without a tag lately, set enforce-since in the policy, or bounces to that \
        mail are refused.")]
    Import(KeyImport),
}

/// What a new key is like.
#[derive(Debug, Args)]
pub(crate) struct KeySettings {
    /// How many days its tags live: 1 to 99, srs to 500 [default: 10 for prvs and bst1, 21 for srs, 14 for mark].
    #[arg(long, value_name = "DAYS", allow_hyphen_values = true)]
    #[arg(value_parser = parse::number(1, Use::Srs.max_days(), "1 to 99, for srs 1 to 500"))]
    pub(crate) days: Option<u16>,
    /// The domains for which it signs, such as example.com,*.example.net,!lists.example.net.
    #[arg(long, value_name = "LIST", default_value = "*", value_parser = parse::domains)]
    pub(crate) domains: Domains,
    /// Its hash, sha1 or sha256 [default: sha1 for srs, else sha256].
    #[arg(long, value_name = "MAC", value_parser = parse::mac(), hide_possible_values = true)]
    pub(crate) mac: Option<Mac>,
    /// The first day on which it signs, or - for none [default: today]. Do not name a day before it truly signs: an
    /// enforcing policy would refuse bounces to mail that left unsigned; set enforce-since there if it must be.
    #[arg(long, value_name = "WHEN", value_parser = parse::open, allow_hyphen_values = true)]
    pub(crate) from: Option<Open>,
}

#[derive(Debug, Args)]
pub(crate) struct KeyNew {
    /// What its tags mark: prvs, bst1, srs or mark; several with commas make a key each.
    #[arg(long = "use", value_name = "USE", default_value = "prvs", value_delimiter = ',', value_parser = parse::usage(), hide_possible_values = true)]
    pub(crate) uses: Vec<Use>,
    #[command(flatten)]
    pub(crate) settings: KeySettings,
    /// A group that may read the ring, by name or number: mode 0640 instead of 0600.
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Debug, Args)]
pub(crate) struct KeyAdd {
    /// What its tags mark: prvs, bst1, srs or mark.
    #[arg(long = "use", value_name = "USE", default_value = "prvs", value_parser = parse::usage(), hide_possible_values = true)]
    pub(crate) usage: Use,
    /// The character that names it: a digit for prvs and srs, else one of a-z2-7 [default: a free one].
    #[arg(long, value_name = "ID", value_parser = parse::id)]
    pub(crate) id: Option<char>,
    #[command(flatten)]
    pub(crate) settings: KeySettings,
    /// The last day on which it signs, or - for none.
    #[arg(long, value_name = "WHEN", default_value = "-", value_parser = parse::open, allow_hyphen_values = true)]
    pub(crate) until: Open,
    /// A file or pipe with the octets of the secret, or - for standard input; one line end at its end is dropped. A text
    /// of several lines, or with a byte order mark, is refused.
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    pub(crate) secret_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Debug, Args)]
pub(crate) struct KeyList {
    /// Print one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) at: At,
}

/// Which key of a ring.
#[derive(Debug, Args)]
pub(crate) struct KeyChoice {
    /// The use of the key: prvs, bst1, srs or mark.
    #[arg(long = "use", value_name = "USE", default_value = "prvs", value_parser = parse::usage(), hide_possible_values = true)]
    pub(crate) usage: Use,
    /// The character that names it [default: the one that signs].
    #[arg(long, value_name = "ID", value_parser = parse::id)]
    pub(crate) id: Option<char>,
    /// A domain that it serves, where the ring has several such keys.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct KeyRotate {
    #[command(flatten)]
    pub(crate) choice: KeyChoice,
    /// The hash of the new key, sha1 or sha256 [default: that of the old one].
    #[arg(long, value_name = "MAC", value_parser = parse::mac(), hide_possible_values = true)]
    pub(crate) mac: Option<Mac>,
    /// How many days its tags live: 1 to 99, srs to 500 [default: as those of the old one].
    #[arg(long, value_name = "DAYS", allow_hyphen_values = true)]
    #[arg(value_parser = parse::number(1, Use::Srs.max_days(), "1 to 99, for srs 1 to 500"))]
    pub(crate) days: Option<u16>,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Debug, Args)]
pub(crate) struct KeyRetire {
    #[command(flatten)]
    pub(crate) choice: KeyChoice,
    /// The last day on which it signs [default: today].
    #[arg(long, value_name = "WHEN", value_parser = when::parse, allow_hyphen_values = true)]
    pub(crate) last_day: Option<Day>,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Debug, Args)]
pub(crate) struct KeyPrune {
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Debug, Args)]
pub(crate) struct KeyCheck {
    /// Print one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) at: At,
}

/// A program whose secrets can be imported.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Program {
    /// postsrsd.secret: one secret a line.
    Postsrsd,
    /// The secret of Exim's prvs expansion.
    Exim,
}

#[derive(Debug, Args)]
pub(crate) struct KeyImport {
    /// The file or pipe with the secrets, or - for standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Whose secrets these are.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) from: Program,
    /// The digit that names the first key; for exim its key number [default: 0 for exim, else a free one].
    #[arg(long, value_name = "ID", value_parser = parse::id)]
    pub(crate) id: Option<char>,
    /// The domains for which the keys sign.
    #[arg(long, value_name = "LIST", default_value = "*", value_parser = parse::domains)]
    pub(crate) domains: Domains,
    /// A group that may read the ring, by name or number, where there is none yet: mode 0640 instead of 0600.
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    #[command(flatten)]
    pub(crate) keys: Keys,
}
