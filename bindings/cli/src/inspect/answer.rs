//! `--may-answer`: whether this host may send a bounce or an automatic reply, one line a message. Keys and policy play no
//! part; the rules are those of `bounce::may_bounce` and `bounce::may_autorespond`.

use backstop::bounce::{self, Envelope};
use backstop::explain::printable;

use super::store::{Message, Store};
use crate::args::{self, Answer};
use crate::output;
use crate::stop::{Run, Stop, Tally};

pub(super) fn run(args: &args::Inspect, answer: Answer) -> Run {
    let mut tally = Tally::new("must not be answered");
    let mut judge = |message: Message<'_>| -> Result<(), Stop> {
        let arrival = bounce::arrival(message.octets, &args.recipient_from);
        let given = args.recipient.as_ref().map(|it| it.to_string_lossy().into_owned());
        let recipient = given.or(arrival.recipient);
        let sender = args.sender.as_ref().map(|it| it.as_encoded_bytes());
        let envelope = Envelope { sender, recipient: recipient.as_deref().map(str::as_bytes) };
        let may = match answer {
            Answer::Bounce => bounce::may_bounce(message.octets, &envelope, args.vouched),
            Answer::Reply => {
                let own: Vec<&str> = recipient.iter().map(String::as_str).collect();
                bounce::may_autorespond(message.octets, &envelope, &own, args.vouched)
            }
        };
        let file = printable(message.file);
        tally.count(may.err().map(|why| why.slug()));
        match may {
            Ok(()) => output::print(format!("yes {file}\n").as_bytes()),
            Err(why) => output::print(format!("no {file} reason={}\n", why.slug()).as_bytes()),
        }
    };
    let mut store = Store::new(args.format, &[], &mut judge);
    store.read_all(&args.files)?;
    match (store.failed, store.tried) {
        (0, _) => Ok(tally.outcome()),
        (failed, tried) => {
            Err(Stop::trouble(format!("{failed} of {tried} files cannot be read; nothing is said of them")))
        }
    }
}
