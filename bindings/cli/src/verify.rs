//! `backstop verify`: what the recipients of bounces are, one verdict a line.
//!
//! ```text
//! genuine alice@example.com key=4 signed=2026-11-21 expires=2026-12-01
//! VERDICT ADDRESS [key=K] [signed=DAY] [expires=DAY] [reason=SLUG]
//! ```
//!
//! ADDRESS is the mailbox where one is known, else the input, with control characters escaped and `<>` for nothing. A
//! mailbox is known for genuine, expired and untagged addresses only: what an unproved tag says is nobody's address.

use std::io::Write as _;

use backstop::explain::printable;
use backstop::{Day, KeyRing, Path, UNPARSABLE, Verdict, batv};

use crate::args;
use crate::json::Object;
use crate::ring;
use crate::stop::{Run, Tally};
use crate::stream::{self, Verb};
use crate::when::Clock;

pub(crate) fn run(args: &args::Verify) -> Run {
    let ring = ring::load(&args.keys)?;
    let mut verify = Verify { ring, verdicts: Verdicts::new(args.addresses.json, Columns::All) };
    stream::run(&args.addresses.addresses, Clock(args.at.at), &mut verify)?;
    Ok(verify.verdicts.tally.outcome())
}

struct Verify {
    ring: KeyRing,
    verdicts: Verdicts,
}

impl Verb for Verify {
    fn line(&mut self, address: &[u8], day: Day, out: &mut Vec<u8>) {
        match batv::verify(&self.ring, address, day) {
            Ok(verdict) => self.verdicts.write(address, &verdict, out),
            Err(_) => self.unparsable(address, out),
        }
    }

    fn unparsable(&mut self, input: &[u8], out: &mut Vec<u8>) {
        self.verdicts.write_unparsable(input, out);
    }

    fn passes_through(&self) -> bool {
        false
    }
}

/// Which keys the JSON objects have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Columns {
    /// With `signed` and `expires`.
    All,
    /// Without them, as `srs reverse` has it.
    WithoutDays,
    /// With them; the input is a mark and no address.
    Mark,
}

/// Writes and counts verdicts.
pub(crate) struct Verdicts {
    pub(crate) json: bool,
    columns: Columns,
    pub(crate) tally: Tally,
}

impl Verdicts {
    pub(crate) const fn new(json: bool, columns: Columns) -> Verdicts {
        Verdicts { json, columns, tally: Tally::new("not genuine") }
    }

    pub(crate) fn write(&mut self, input: &[u8], verdict: &Verdict, out: &mut Vec<u8>) {
        let genuine = matches!(verdict, Verdict::Genuine(_));
        self.tally.count(if genuine { None } else { Some(verdict.slug()) });
        let proof = verdict.proof();
        let mailbox = match verdict {
            Verdict::Untagged if self.columns != Columns::Mark => Some(plain(input)),
            _ => proof.map(|proof| proof.mailbox.as_bytes()),
        };
        let days = proof.map_or((None, None), |proof| (proof.signed, proof.expires));
        self.put(
            input,
            verdict.slug(),
            mailbox,
            verdict.key().map(backstop::KeyId::as_char),
            days,
            verdict.reason(),
            out,
        );
    }

    pub(crate) fn write_unparsable(&mut self, input: &[u8], out: &mut Vec<u8>) {
        self.tally.count(Some(UNPARSABLE));
        self.put(input, "malformed", None, None, (None, None), Some(UNPARSABLE), out);
    }

    #[expect(clippy::too_many_arguments, reason = "they are the columns of the output")]
    fn put(
        &self,
        input: &[u8],
        verdict: &'static str,
        mailbox: Option<&[u8]>,
        key: Option<char>,
        (signed, expires): (Option<Day>, Option<Day>),
        reason: Option<&'static str>,
        out: &mut Vec<u8>,
    ) {
        if self.json {
            let mut object = Object::open(out);
            object.text("input", input).text("verdict", verdict.as_bytes()).optional("mailbox", mailbox);
            object.plain("key", key);
            if self.columns != Columns::WithoutDays {
                object.plain("signed", signed).plain("expires", expires);
            }
            object.optional("reason", reason.map(str::as_bytes));
            return object.close();
        }
        out.extend_from_slice(verdict.as_bytes());
        out.push(b' ');
        match mailbox.unwrap_or(input) {
            [] => out.extend_from_slice(b"<>"),
            plain if plain.iter().all(u8::is_ascii_graphic) => out.extend_from_slice(plain),
            other => out.extend_from_slice(printable(other).as_bytes()),
        }
        let mut column = |name: &str, value: Option<&dyn std::fmt::Display>| {
            if let Some(value) = value {
                // Writing to a Vec cannot fail.
                let _ = write!(out, " {name}={value}");
            }
        };
        column("key", key.as_ref().map(|it| it as _));
        column("signed", signed.as_ref().map(|it| it as _));
        column("expires", expires.as_ref().map(|it| it as _));
        column("reason", reason.as_ref().map(|it| it as _));
        out.push(b'\n');
    }
}

/// An address without its brackets and route.
fn plain(input: &[u8]) -> &[u8] {
    match Path::parse_tagged(input) {
        Ok(Path::Mailbox(mailbox)) => mailbox.as_bytes(),
        _ => b"postmaster",
    }
}
