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
use backstop::{Address, Day, KeyRing, UNPARSABLE, Verdict, batv};

use crate::args;
use crate::ring;
use crate::stop::{Run, Tally};
use crate::stream::{self, Verb};
use crate::when::Clock;
use backstop::json::Object;

pub(crate) fn run(args: &args::Verify) -> Run {
    let ring = ring::load(&args.keys)?;
    let mut verify = Verify { ring, verdicts: Verdicts::new(args.addresses.json, Input::Address) };
    stream::run(&args.addresses.addresses, args.addresses.json, Clock(args.at.at), &mut verify)?;
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

    fn lines(&mut self, addresses: &[&[u8]], day: Day, out: &mut Vec<u8>) {
        let verdicts = &mut self.verdicts;
        batv::verify_many(&self.ring, addresses, day, |number, verdict| {
            let address = addresses.get(number).copied().unwrap_or_default();
            match verdict {
                Ok(verdict) => verdicts.write(address, verdict, out),
                Err(_) => verdicts.write_unparsable(address, out),
            }
        });
    }

    fn unparsable(&mut self, input: &[u8], out: &mut Vec<u8>) {
        self.verdicts.write_unparsable(input, out);
    }

    fn passes_through(&self) -> bool {
        false
    }
}

/// What is verified.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    Address,
    Mark,
}

/// Writes and counts verdicts.
pub(crate) struct Verdicts {
    pub(crate) json: bool,
    of: Input,
    dates: Dates,
    pub(crate) tally: Tally,
}

impl Verdicts {
    pub(crate) const fn new(json: bool, of: Input) -> Verdicts {
        Verdicts { json, of, dates: Dates([None; 64]), tally: Tally::new("not genuine") }
    }

    pub(crate) fn write(&mut self, input: &[u8], verdict: &Verdict<'_>, out: &mut Vec<u8>) {
        let genuine = matches!(verdict, Verdict::Genuine(_));
        self.tally.count(if genuine { None } else { Some(verdict.slug()) });
        let proof = verdict.proof();
        let address = proof.map(|proof| proof.mailbox.to_address());
        let mailbox = match verdict {
            Verdict::Untagged if self.of != Input::Mark => Some(batv::bare(input)),
            _ => address.as_ref().map(Address::as_bytes),
        };
        let shown = Shown {
            verdict: verdict.slug(),
            mailbox,
            key: verdict.key().and_then(|key| u8::try_from(key.as_char()).ok()),
            signed: proof.and_then(|proof| proof.signed).map(|day| self.dates.text(day)),
            expires: proof.and_then(|proof| proof.expires).map(|day| self.dates.text(day)),
            reason: verdict.reason(),
        };
        self.put(input, &shown, out);
    }

    pub(crate) fn write_unparsable(&mut self, input: &[u8], out: &mut Vec<u8>) {
        self.tally.count(Some(UNPARSABLE));
        let reason = Some(UNPARSABLE);
        self.put(
            input,
            &Shown { verdict: "malformed", mailbox: None, key: None, signed: None, expires: None, reason },
            out,
        );
    }

    fn put(&self, input: &[u8], shown: &Shown<'_>, out: &mut Vec<u8>) {
        let key = shown.key.as_ref().map(std::slice::from_ref);
        let (signed, expires) =
            (shown.signed.as_ref().map(<[u8; 10]>::as_slice), shown.expires.as_ref().map(<[u8; 10]>::as_slice));
        let reason = shown.reason.map(str::as_bytes);
        if self.json {
            let mut object = Object::open(out);
            object.text("input", input).text("verdict", shown.verdict.as_bytes()).optional("mailbox", shown.mailbox);
            object.optional("key", key);
            object.optional("signed", signed).optional("expires", expires).optional("reason", reason);
            return object.close();
        }
        out.extend_from_slice(shown.verdict.as_bytes());
        out.push(b' ');
        match shown.mailbox.unwrap_or(input) {
            [] => out.extend_from_slice(b"<>"),
            plain if plain.iter().fold(true, |plain, octet| plain & octet.is_ascii_graphic()) => {
                out.extend_from_slice(plain);
            }
            other => out.extend_from_slice(printable(other).as_bytes()),
        }
        for (name, value) in [(" key=", key), (" signed=", signed), (" expires=", expires), (" reason=", reason)] {
            if let Some(value) = value {
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(value);
            }
        }
        out.push(b'\n');
    }
}

/// The columns of one line.
struct Shown<'a> {
    verdict: &'static str,
    mailbox: Option<&'a [u8]>,
    key: Option<u8>,
    signed: Option<[u8; 10]>,
    expires: Option<[u8; 10]>,
    reason: Option<&'static str>,
}

/// The dates written last: bounces of one day name few days, and the calendar takes as long as an HMAC.
struct Dates([Option<(Day, [u8; 10])>; 64]);

impl Dates {
    fn text(&mut self, day: Day) -> [u8; 10] {
        let index = usize::try_from(day.number() % 64).unwrap_or(0);
        match self.0.get(index) {
            Some(Some((last, text))) if *last == day => return *text,
            _ => {}
        }
        let mut text = [b'-'; 10];
        // A day has ten characters, from 1970 to 9999.
        let _ = write!(text.as_mut_slice(), "{day}");
        if let Some(slot) = self.0.get_mut(index) {
            *slot = Some((day, text));
        }
        text
    }
}
