//! `backstop strip`: known tags of any system removed, unverified; what carries none comes out as it came in, without brackets.

use backstop::{Day, UNPARSABLE, batv};

use crate::args;
use crate::stop::{Run, Tally};
use crate::stream::{self, Verb};
use crate::when::Clock;
use backstop::json::Object;

pub(crate) fn run(args: &args::Strip) -> Run {
    let mut strip = Strip { json: args.addresses.json, tally: Tally::new("not read") };
    stream::run(&args.addresses.addresses, args.addresses.json, Clock(Some(Day::MIN)), &mut strip)?;
    Ok(strip.tally.outcome())
}

struct Strip {
    json: bool,
    tally: Tally,
}

impl Verb for Strip {
    fn line(&mut self, address: &[u8], _: Day, out: &mut Vec<u8>) {
        match batv::strip(address) {
            Err(_) => return self.unparsable(address, out),
            Ok(None) => self.put(address, None, None, out),
            Ok(Some((tag, stripped))) => self.put(address, Some((tag, stripped.to_address().as_bytes())), None, out),
        }
        self.tally.count(None);
    }

    fn unparsable(&mut self, input: &[u8], out: &mut Vec<u8>) {
        self.tally.count(Some(UNPARSABLE));
        self.put(input, None, Some(UNPARSABLE), out);
    }

    fn passes_through(&self) -> bool {
        !self.json
    }
}

impl Strip {
    fn put(&self, input: &[u8], found: Option<(batv::Tag, &[u8])>, reason: Option<&str>, out: &mut Vec<u8>) {
        let output = found.map_or_else(|| batv::bare(input), |(_, stripped)| stripped);
        if !self.json {
            out.extend_from_slice(output);
            return out.push(b'\n');
        }
        let mut object = Object::open(out);
        object.text("input", input).text("output", output).flag("stripped", found.is_some());
        object.optional("tag", found.map(|(tag, _)| tag.slug().as_bytes()));
        object.optional("reason", reason.map(str::as_bytes));
        object.close();
    }
}
