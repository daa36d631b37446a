//! `backstop sign`: the signed address, one a line; what is not signed comes out as it came in.

use backstop::{Day, Form, KeyRing, Signed, UNPARSABLE, Unsigned, batv};

use crate::args;
use crate::ring;
use crate::stop::{Run, Tally};
use crate::stream::{self, Verb};
use crate::when::Clock;
use backstop::json::Object;

pub(crate) fn run(args: &args::Sign) -> Run {
    let ring = ring::load(&args.keys)?;
    let form = if args.subaddress { Form::Subaddress } else { Form::Prefix };
    let mut sign = Sign { ring, form, rewritten: Rewritten::new("signed", "left unsigned", args.addresses.json) };
    stream::run(&args.addresses.addresses, args.addresses.json, Clock(args.at.at), &mut sign)?;
    Ok(sign.rewritten.tally.outcome())
}

struct Sign {
    ring: KeyRing,
    form: Form,
    rewritten: Rewritten,
}

impl Verb for Sign {
    fn line(&mut self, address: &[u8], day: Day, out: &mut Vec<u8>) {
        match batv::sign(&self.ring, address, self.form, day) {
            Ok(signed) => self.rewritten.write(address, &signed, out),
            Err(_) => self.unparsable(address, out),
        }
    }

    fn lines(&mut self, addresses: &[&[u8]], day: Day, out: &mut Vec<u8>) {
        let rewritten = &mut self.rewritten;
        batv::sign_many(&self.ring, addresses, self.form, day, |number, signed| {
            let address = addresses.get(number).copied().unwrap_or_default();
            match signed {
                Ok(signed) => rewritten.write(address, signed, out),
                Err(_) => rewritten.write_unparsable(address, out),
            }
        });
    }

    fn unparsable(&mut self, input: &[u8], out: &mut Vec<u8>) {
        self.rewritten.write_unparsable(input, out);
    }

    fn passes_through(&self) -> bool {
        !self.rewritten.json
    }
}

/// Writes and counts what signing and forwarding give.
pub(crate) struct Rewritten {
    /// `signed` or `rewritten`.
    name: &'static str,
    pub(crate) json: bool,
    pub(crate) tally: Tally,
}

impl Rewritten {
    pub(crate) const fn new(name: &'static str, what: &'static str, json: bool) -> Rewritten {
        Rewritten { name, json, tally: Tally::new(what) }
    }

    pub(crate) fn write(&mut self, input: &[u8], signed: &Signed, out: &mut Vec<u8>) {
        let fault = match signed.reason() {
            None | Some(Unsigned::Null | Unsigned::Already | Unsigned::OwnDomain) => None,
            Some(reason) => Some(reason.slug()),
        };
        self.tally.count(fault);
        let output = signed.address().map(backstop::Address::as_bytes);
        self.put(input, output, signed.reason().map(Unsigned::slug), out);
    }

    pub(crate) fn write_unparsable(&mut self, input: &[u8], out: &mut Vec<u8>) {
        self.tally.count(Some(UNPARSABLE));
        self.put(input, None, Some(UNPARSABLE), out);
    }

    fn put(&self, input: &[u8], output: Option<&[u8]>, reason: Option<&'static str>, out: &mut Vec<u8>) {
        let shown = output.unwrap_or(input);
        if !self.json {
            out.extend_from_slice(shown);
            return out.push(b'\n');
        }
        let mut object = Object::open(out);
        object.text("input", input).text("output", shown).flag(self.name, output.is_some());
        object.optional("reason", reason.map(str::as_bytes));
        object.close();
    }
}
