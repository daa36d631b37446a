//! `backstop mark`: signed marks inside messages, made and verified.

use std::ffi::OsStr;

use backstop::mark::{self, Marked};
use backstop::{Day, KeyRing, Path, batv};

use crate::args;
use crate::output;
use crate::ring;
use crate::stop::{Outcome, Run, Stop, Tally};
use crate::stream::{self, Verb};
use crate::verify::{Input, Verdicts};
use crate::when::Clock;

pub(crate) fn run(args: &args::Mark) -> Run {
    match args {
        args::Mark::Header(args) => header(args),
        args::Mark::MessageId(args) => message_id(args),
        args::Mark::Verify(args) => verify(args),
    }
}

fn header(args: &args::MarkHeader) -> Run {
    let ring = ring::load(&args.keys)?;
    let day = Clock(args.at.at).day()?;
    let made = mark::make_header(&ring, args.from.as_encoded_bytes(), random()?, day).map_err(of("--from"))?;
    print(made, |value| format!("{}: {value}\n", mark::HEADER))
}

fn message_id(args: &args::MarkMessageId) -> Run {
    let ring = ring::load(&args.keys)?;
    let day = Clock(args.at.at).day()?;
    let left = match &args.left {
        Some(left) => left.clone(),
        None => format!("{:032x}", u128::from_be_bytes(random()?)),
    };
    let from = args.from.as_encoded_bytes();
    Path::parse(from).map_err(of("--from"))?;
    let made = mark::make_message_id(&ring, &left, &args.domain, from, day).map_err(|error| match error {
        backstop::Error::MessageId => of("--left")(error),
        other => Stop::of_domain(other),
    })?;
    print(made, |id| format!("{id}\n"))
}

/// Trouble with the value of an option.
fn of(option: &str) -> impl Fn(backstop::Error) -> Stop {
    move |error| Stop::trouble(format!("{option}: {error}"))
}

fn random<const N: usize>() -> Result<[u8; N], Stop> {
    let mut octets = [0; N];
    crate::key::fill_random(&mut octets)?;
    Ok(octets)
}

fn print(made: Marked, line: impl FnOnce(String) -> String) -> Run {
    match made {
        Marked::Done(text) => {
            output::print(line(text).as_bytes())?;
            Ok(Outcome::Done)
        }
        Marked::Unsigned(reason) => {
            let mut tally = Tally::new("left unmarked");
            tally.count(Some(reason.slug()));
            Ok(tally.outcome())
        }
    }
}

fn verify(args: &args::MarkVerify) -> Run {
    let ring = ring::load(&args.keys)?;
    let recipient = args.recipient.as_encoded_bytes();
    // As `inspect` does: a mark is for the mailbox, and the bounce may name that with its tag.
    let under = batv::strip(recipient).map_err(of("--recipient"))?.map(|(_, under)| under.to_address());
    let recipient = under.as_ref().map_or(recipient, |under| under.as_bytes());
    if Path::parse(recipient).map_err(of("--recipient"))? == Path::Null {
        return Err(of("--recipient")(backstop::Error::NullRecipient));
    }
    let (value, is_header) = match (&args.mark.header, &args.mark.message_id) {
        (Some(value), _) => (value.as_os_str(), true),
        (None, id) => (id.as_deref().unwrap_or(OsStr::new("")), false),
    };
    let verdicts = Verdicts::new(args.json, Input::Mark);
    let mut verify = Verify { ring, recipient, is_header, verdicts };
    stream::run(&[value.to_owned()], args.json, Clock(args.at.at), &mut verify)?;
    Ok(verify.verdicts.tally.outcome())
}

struct Verify<'a> {
    ring: KeyRing,
    recipient: &'a [u8],
    is_header: bool,
    verdicts: Verdicts,
}

impl Verb for Verify<'_> {
    fn line(&mut self, mark: &[u8], day: Day, out: &mut Vec<u8>) {
        let verdict = match self.is_header {
            true => mark::verify_header(&self.ring, header_value(mark), self.recipient, day),
            false => mark::verify_message_id(&self.ring, mark, self.recipient, day),
        };
        match verdict {
            Ok(verdict) => self.verdicts.write(mark, &verdict, out),
            Err(_) => self.unparsable(mark, out),
        }
    }

    fn unparsable(&mut self, input: &[u8], out: &mut Vec<u8>) {
        self.verdicts.write_unparsable(input, out);
    }

    fn passes_through(&self) -> bool {
        false
    }
}

/// A header line may be given with its name.
fn header_value(line: &[u8]) -> &[u8] {
    match line.split_at_checked(mark::HEADER.len()) {
        Some((name, [b':', value @ ..])) if name.eq_ignore_ascii_case(mark::HEADER.as_bytes()) => value,
        _ => line,
    }
}
