//! `backstop srs`: senders of forwarded mail out, the recipients of their bounces back.

use std::borrow::Cow;

use backstop::srs::{self, Dialect};
use backstop::{Day, Domains, KeyRing, Path};

use crate::args;
use crate::ring;
use crate::sign::Rewritten;
use crate::stop::{Run, Stop};
use crate::stream::{self, Verb};
use crate::verify::{Input, Verdicts};
use crate::when::Clock;

pub(crate) fn run(args: &args::Srs) -> Run {
    match args {
        args::Srs::Forward(args) => forward(args),
        args::Srs::Reverse(args) => reverse(args),
    }
}

fn dialect(args: &args::SrsDialect) -> Result<Dialect, Stop> {
    let (length, min) = match (args.hash_length, args.hash_min) {
        (Some(length), Some(min)) if min > length => {
            let what = format!(
                "--hash-min {min} is above --hash-length {length}; what is written must be long enough to read"
            );
            return Err(Stop::trouble(what));
        }
        (length, min) => {
            let length = length.unwrap_or(min.unwrap_or(4).max(4));
            (usize::from(length), usize::from(min.unwrap_or(length)))
        }
    };
    let dialect = Dialect::CLASSIC
        .with_separator(args.separator)?
        .with_hash(length, min)?
        .with_always_rewrite(args.always_rewrite)
        .with_alphabet(args.alphabet)
        .with_over_long(args.over_long);
    Ok(match args.max_age {
        Some(days) => dialect.with_max_age(days)?,
        None => dialect,
    })
}

/// One exact domain for `--domain`; a pattern would be no forwarder.
fn forwarder(domain: &str) -> Result<Domains, Stop> {
    srs::own_forwarders(domain, "").map_err(|_| Stop::trouble("--domain takes one domain, such as fwd.example.net"))
}

fn forward(args: &args::SrsForward) -> Run {
    let own = forwarder(&args.domain)?;
    let dialect = dialect(&args.dialect)?;
    let ring = ring::load(&args.keys)?;
    let rewritten = Rewritten::new("rewritten", "not rewritten", args.addresses.json);
    let mut forward = Forward { ring, forwarder: &args.domain, own, dialect, rewritten };
    stream::run(&args.addresses.addresses, args.addresses.json, Clock(args.at.at), &mut forward)?;
    Ok(forward.rewritten.tally.outcome())
}

fn is_srs(address: &[u8]) -> bool {
    matches!(Path::parse_tagged(address), Ok(Path::Mailbox(mailbox)) if srs::is_srs(mailbox.content()))
}

struct Forward<'a> {
    ring: KeyRing,
    forwarder: &'a str,
    /// The forwarder alone; for an address in the shape of SRS the ring tells the others.
    own: Domains,
    dialect: Dialect,
    rewritten: Rewritten,
}

impl Verb for Forward<'_> {
    fn line(&mut self, address: &[u8], day: Day, out: &mut Vec<u8>) {
        let named = is_srs(address).then(|| srs::named_forwarders(&self.ring, address));
        let own = named.as_ref().unwrap_or(&self.own);
        match srs::forward(&self.ring, address, self.forwarder, own, &self.dialect, day) {
            Ok(signed) => self.rewritten.write(address, &signed, out),
            Err(_) => self.unparsable(address, out),
        }
    }

    fn unparsable(&mut self, input: &[u8], out: &mut Vec<u8>) {
        self.rewritten.write_unparsable(input, out);
    }

    fn passes_through(&self) -> bool {
        !self.rewritten.json
    }
}

fn reverse(args: &args::SrsReverse) -> Run {
    let dialect = dialect(&args.dialect)?;
    let ring = ring::load(&args.keys)?;
    args.domain.iter().try_for_each(|domain| forwarder(domain).map(drop))?;
    let given = if args.domain.is_empty() { None } else { Some(Domains::parse(&args.domain.join(","))?) };
    let verdicts = Verdicts::new(args.addresses.json, Input::Address);
    let mut reverse = Reverse { ring, given, dialect, verdicts };
    stream::run(&args.addresses.addresses, args.addresses.json, Clock(args.at.at), &mut reverse)?;
    Ok(reverse.verdicts.tally.outcome())
}

struct Reverse {
    ring: KeyRing,
    /// Those of `--domain`; without it the ring tells, for each address in the shape of SRS. Others need none.
    given: Option<Domains>,
    dialect: Dialect,
    verdicts: Verdicts,
}

impl Verb for Reverse {
    fn line(&mut self, address: &[u8], day: Day, out: &mut Vec<u8>) {
        let own = match &self.given {
            Some(given) => Cow::Borrowed(given),
            None if is_srs(address) => Cow::Owned(srs::served_forwarders(&self.ring, address)),
            None => Cow::Owned(Domains::all()),
        };
        match srs::reverse(&self.ring, address, &own, &self.dialect, day) {
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
