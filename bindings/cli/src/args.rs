//! The arguments of every command, for clap. Help, man pages and shell completions are made from what stands here.

use std::ffi::OsString;
use std::path::PathBuf;

use backstop::srs::{Alphabet, OverLong};
use backstop::{Day, Use};
use clap::{Args, Parser, Subcommand};

use crate::when;

mod inspect;
mod key;
mod parse;

pub(crate) use self::inspect::*;
pub(crate) use self::key::*;

// The texts behind the options: one line a paragraph, which the terminal's width wraps, and one line an example.

const EXIT_CODES: &str = "\
Exit codes:
  0  all done
  1  something is due, not genuine, not read, unmarked or unsigned (but null and signed senders)
  2  trouble with the usage, the keys or a file, told in one sentence

Environment:
  BACKSTOP_KEYS    the key ring, where --keys names none
  XDG_CONFIG_HOME  else the ring is backstop/keys in it [default: ~/.config]";

/// Stop backscatter: sign envelope senders, verify the recipients of returning bounces, rewrite forwarded senders.
#[derive(Debug, Parser)]
#[command(name = "backstop", version, arg_required_else_help = true, subcommand_required = true)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole idea with one address, in one run, without any files.
    #[command(
        name = "try",
        after_help = "Example:\n  backstop try alice@example.com\n\n\
        With --json: input, output, signed, reason of the sender, then input, verdict, mailbox, key, signed, expires, reason of \
        each bounce."
    )]
    Try(Try),
    /// Sign envelope senders: one address a line.
    #[command(after_help = SIGN_EXAMPLES)]
    Sign(Sign),
    /// Verify the recipients of bounces: one verdict a line.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(Verify),
    /// Rewrite the senders of forwarded mail, and back (SRS).
    #[command(subcommand)]
    Srs(Srs),
    /// Take the tags of any known system off, without verifying them.
    #[command(after_help = STRIP_EXAMPLES)]
    Strip(Strip),
    /// Tell in words what an address is, and what to do with it.
    #[command(after_help = "Example:\n  backstop explain prvs=47887d6e94=alice@example.com\n\n\
        The exit code is 0 whatever the address is, and 2 for trouble; scripts ask `backstop verify`.")]
    Explain(Explain),
    /// Show which rule of a policy decides what for a sender and a recipient.
    #[command(after_help = DECIDE_EXAMPLES)]
    Decide(Decide),
    /// Judge returned messages: genuine bounces, auto-replies, backscatter, and where it came from.
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect(Inspect),
    /// Make and change the key ring.
    #[command(subcommand)]
    Key(Key),
    /// Make and verify marks inside messages.
    #[command(subcommand)]
    Mark(Mark),
    /// Print the completions of a shell.
    #[command(after_help = "Example:\n  backstop completions bash > /etc/bash_completion.d/backstop")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a folder.
    #[command(after_help = "Example:\n  backstop man /usr/local/share/man/man1")]
    Man {
        /// The folder, which must exist.
        folder: PathBuf,
    },
}

const SIGN_EXAMPLES: &str = "\
Examples:
  backstop sign alice@example.com
  backstop sign --json - < senders

What is not signed comes out as it came in. With --json: input, output, signed, reason.

A line above 65536 octets is no address; it passes whole, but JSON shows that many octets of it.";

const VERIFY_EXAMPLES: &str = "\
Examples:
  backstop verify prvs=47887d6e94=alice@example.com
  backstop verify --json - < recipients

A line of text holds the verdict (genuine, expired, forged, unknown-key, malformed, foreign or untagged), the mailbox or \
what stands for it, and key=, signed=, expires= and reason= where they are known. With --json: input, verdict, mailbox, \
key, signed, expires, reason. Only a right signature or none at all gives a mailbox.";

const STRIP_EXAMPLES: &str = "\
Example:
  backstop strip btv1==123456789ab==alice@example.com

For keys of greylisting and allow-lists; never deliver by the result. With --json: input, output, stripped, tag, reason.";

const DECIDE_EXAMPLES: &str = "\
Example:
  backstop decide --policy policy.toml --from alice@example.com --to bob@example.org

With --json, of the sender (decision outgoing and forward): decision, input, output, rule, origin; of the recipient \
(incoming): decision, input, output, rule, action, would, verdict, reply, refuse_at, mode, client, log, by_message. The last \
says that the answer waits for the message, which is not known here (refuse-at = \"message\"): ask `backstop inspect`.

The exit code is 0 whatever is decided, and 2 for trouble; scripts take --json.";

/// Which key ring.
#[derive(Debug, Clone, Args)]
pub(crate) struct Keys {
    /// The key ring [default: $BACKSTOP_KEYS, else backstop/keys in the configuration folder].
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// Take a key ring that others may read or write, as containers often have it.
    #[arg(long)]
    pub(crate) allow_unsafe_keys: bool,
}

/// Which day.
#[derive(Debug, Clone, Args)]
pub(crate) struct At {
    /// The day to work with, as 2026-11-21, 2026-11-21T10:00:00Z, @20778d or @1795280400 [default: today].
    #[arg(long, value_name = "WHEN", value_parser = when::parse, allow_hyphen_values = true)]
    pub(crate) at: Option<Day>,
}

/// The addresses to work on.
#[derive(Debug, Args)]
pub(crate) struct Addresses {
    /// Addresses, or - for standard input: one address a line in, one line out, in order.
    #[arg(required = true, value_name = "ADDRESS", value_parser = parse::address())]
    pub(crate) addresses: Vec<OsString>,
    /// Print one JSON object a line; what is not UTF-8 becomes U+FFFD in it.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Try {
    /// An address of yours.
    #[arg(value_parser = parse::address())]
    pub(crate) address: OsString,
    #[command(flatten)]
    pub(crate) at: At,
    /// Print one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Sign {
    #[command(flatten)]
    pub(crate) addresses: Addresses,
    /// Write the tag as a sub-address: alice+prvs=...@example.com.
    #[arg(long)]
    pub(crate) subaddress: bool,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) addresses: Addresses,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Strip {
    #[command(flatten)]
    pub(crate) addresses: Addresses,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The address.
    #[arg(value_parser = parse::address())]
    pub(crate) address: OsString,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Srs {
    /// Rewrite the envelope senders of forwarded mail into the forwarder's domain.
    #[command(after_help = "Example:\n  backstop srs forward --domain fwd.example.net alice@example.com\n\n\
        With --json: input, output, rewritten, reason.")]
    Forward(SrsForward),
    /// Find out to whom the recipients of bounces to a forwarder return.
    #[command(after_help = "Example:\n  backstop srs reverse SRS0=PGkz=G3=example.com=alice@fwd.example.net\n\n\
        With --json: input, verdict, mailbox, key, signed, expires, reason.")]
    Reverse(SrsReverse),
}

#[derive(Debug, Args)]
pub(crate) struct SrsForward {
    #[command(flatten)]
    pub(crate) addresses: Addresses,
    /// The forwarder's domain.
    #[arg(long, value_name = "FWD")]
    pub(crate) domain: String,
    #[command(flatten)]
    pub(crate) dialect: SrsDialect,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Debug, Args)]
pub(crate) struct SrsReverse {
    #[command(flatten)]
    pub(crate) addresses: Addresses,
    /// An own forwarder's domain, may be given again [default: every domain that an srs key serves].
    #[arg(long, value_name = "FWD")]
    pub(crate) domain: Vec<String>,
    #[command(flatten)]
    pub(crate) dialect: SrsDialect,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) at: At,
}

/// Where sites that use SRS differ: one set of options for both ways, so that a script can give both the same.
#[derive(Debug, Args)]
pub(crate) struct SrsDialect {
    /// Forward: the first separator, =, + or - (all are read).
    #[arg(long, value_name = "CHARACTER", default_value_t = '=', allow_hyphen_values = true)]
    #[arg(value_parser = parse::separator)]
    pub(crate) separator: char,
    /// Forward: how many characters of hash are written, 1 to 27 [default: 4, or --hash-min if that is more].
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    #[arg(value_parser = parse::number(1, 27, "1 to 27"))]
    pub(crate) hash_length: Option<u16>,
    /// Reverse: how many characters of hash are enough, at most --hash-length [default: as many].
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    #[arg(value_parser = parse::number(1, 27, "1 to 27"))]
    pub(crate) hash_min: Option<u16>,
    /// Reverse: the greatest age in days, 1 to 500 [default: the key's].
    #[arg(long, value_name = "DAYS", allow_hyphen_values = true)]
    #[arg(value_parser = parse::number(1, Use::Srs.max_days(), "1 to 500"))]
    pub(crate) max_age: Option<u16>,
    /// Forward: rewrite senders in the forwarder's own domain as well.
    #[arg(long)]
    pub(crate) always_rewrite: bool,
    /// Forward: how the hash writes + and / (all are read).
    #[arg(long, value_name = "NAME", default_value = "classic", value_parser = parse::alphabet())]
    pub(crate) alphabet: Alphabet,
    /// Forward: what to do with a result whose local part is longer than 64 octets.
    #[arg(long, value_name = "WHAT", default_value = "leave", value_parser = parse::over_long())]
    pub(crate) over_long: OverLong,
}

#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// The policy: a TOML file with a table `[policy]`.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// The envelope sender; <> is the null sender of a bounce.
    #[arg(long, value_name = "SENDER", value_parser = parse::sender(), allow_hyphen_values = true)]
    pub(crate) from: OsString,
    /// The recipient.
    #[arg(long, value_name = "RECIPIENT", value_parser = parse::recipient(), allow_hyphen_values = true)]
    pub(crate) to: OsString,
    /// The address of the client, such as 192.0.2.1, or internal for the mail system itself [default: one that nobody knows].
    #[arg(long, value_name = "CLIENT")]
    pub(crate) client: Option<String>,
    /// The client has authenticated itself.
    #[arg(long)]
    pub(crate) authenticated: bool,
    /// Print one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Mark {
    /// Make the Backstop-Mark header of a message: the whole line, name and value.
    #[command(after_help = "Example:\n  backstop mark header --from alice@example.com")]
    Header(MarkHeader),
    /// Make a Message-ID with a mark for a message that has none.
    #[command(after_help = "Example:\n  backstop mark message-id --from alice@example.com --domain example.com")]
    MessageId(MarkMessageId),
    /// Verify marks that came back in a bounce.
    #[command(after_help = "Examples:\n  backstop mark verify --recipient alice@example.com --header 'v=1; i=...'\n  \
        backstop mark verify --recipient alice@example.com --message-id - < references\n\n\
        With --json: input, verdict, mailbox, key, signed, expires, reason.")]
    Verify(MarkVerify),
}

#[derive(Debug, Args)]
pub(crate) struct MarkHeader {
    /// The address in the From header of the message.
    #[arg(long, value_name = "ADDRESS", value_parser = parse::address(), allow_hyphen_values = true)]
    pub(crate) from: OsString,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Debug, Args)]
pub(crate) struct MarkMessageId {
    /// The address in the From header of the message.
    #[arg(long, value_name = "ADDRESS", value_parser = parse::address(), allow_hyphen_values = true)]
    pub(crate) from: OsString,
    /// The right side of the Message-ID.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: String,
    /// The left side without the mark, unique at the domain [default: random].
    #[arg(long, value_name = "TEXT")]
    pub(crate) left: Option<String>,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Debug, Args)]
pub(crate) struct MarkVerify {
    /// The recipient of the bounce, with or without its tag.
    #[arg(long, value_name = "ADDRESS", value_parser = parse::address(), allow_hyphen_values = true)]
    pub(crate) recipient: OsString,
    #[command(flatten)]
    pub(crate) mark: MarkValue,
    /// Print one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) at: At,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct MarkValue {
    /// The value of a Backstop-Mark header, or - for one a line on standard input.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) header: Option<OsString>,
    /// A Message-ID, or - for one a line on standard input.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(crate) message_id: Option<OsString>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    /// What stands behind the options of a command and of those below it.
    fn texts(command: &clap::Command, out: &mut Vec<String>) {
        out.extend(command.get_after_help().map(ToString::to_string));
        command.get_subcommands().for_each(|below| texts(below, out));
    }

    #[test]
    fn each_paragraph_of_help_is_one_line_that_the_terminal_wraps() {
        let mut all = Vec::new();
        texts(&Cli::command(), &mut all);
        assert!(all.len() > 15);
        for text in all {
            for (line, next) in text.lines().zip(text.lines().skip(1)) {
                assert!(line.is_empty() || next.is_empty() || next.starts_with("  "), "{line}\n{next}");
            }
        }
    }
}
