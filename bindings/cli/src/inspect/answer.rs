//! `--may-answer`: whether this host may send a bounce or an automatic reply, one line a message. Keys and policy play no
//! part; the rules are those of `bounce::may_bounce` and `bounce::may_autorespond`. Where no message is, as from a program
//! that failed, or only the separator that a delivering program writes before it, nobody is to be answered either: reason
//! `empty`. A folder without messages has no line, and exit code 1.

use backstop::batv;
use backstop::bounce::{self, Envelope, Restraint};
use backstop::explain::printable;

use super::store::{Message, Store, is_separator};
use crate::args::{self, Answer};
use crate::output;
use crate::stop::{Outcome, Run, Stop, Tally};

/// The reason where there is no message.
const EMPTY: &str = "empty";

pub(super) fn run(args: &args::Inspect, answer: Answer) -> Run {
    let mut tally = Tally::new("must not be answered");
    let mut judge = |message: Message<'_>| -> Result<(), Stop> {
        let arrival = bounce::arrival(message.octets, &args.recipient_from);
        let given = args.recipient.as_ref().map(|it| it.to_string_lossy().into_owned());
        let recipient = given.or(arrival.recipient);
        let sender = args.sender.as_ref().map(|it| it.as_encoded_bytes());
        let envelope = Envelope { sender, recipient: recipient.as_deref().map(str::as_bytes) };
        let why = match answer {
            _ if is_nothing(message.octets) => Some(EMPTY),
            Answer::Bounce => bounce::may_bounce(message.octets, &envelope, args.vouched).err().map(Restraint::slug),
            Answer::Reply => {
                let under = recipient.as_deref().and_then(mailbox);
                let own: Vec<&str> = recipient.iter().chain(&under).map(String::as_str).collect();
                let may = bounce::may_autorespond(message.octets, &envelope, &own, args.vouched);
                may.err().map(Restraint::slug)
            }
        };
        let file = printable(message.file);
        tally.count(why);
        match why {
            None => output::print(format!("yes {file}\n").as_bytes()),
            Some(why) => output::print(format!("no {file} reason={why}\n").as_bytes()),
        }
    };
    let mut store = Store::new(args.format, &[], &mut judge);
    store.takes_empty = true;
    store.read_all(&args.files)?;
    match (store.failed, store.tried) {
        (0, _) if tally.is_empty() => {
            Ok(Outcome::Remarks("there is no message, so that nobody is to be answered".into()))
        }
        (0, _) => Ok(tally.outcome()),
        (failed, tried) => {
            Err(Stop::trouble(format!("{failed} of {tried} files cannot be read; nothing is said of them")))
        }
    }
}

/// Whether no message is there, but for separators of an mbox.
fn is_nothing(octets: &[u8]) -> bool {
    octets.split(|octet| *octet == b'\n').all(|line| line.trim_ascii().is_empty() || is_separator(line))
}

/// The mailbox under a recipient's tag, which is what To and Cc name.
fn mailbox(recipient: &str) -> Option<String> {
    let (_, under) = batv::strip(recipient.as_bytes()).ok()??;
    Some(String::from_utf8_lossy(under.to_address().as_bytes()).into_owned())
}
