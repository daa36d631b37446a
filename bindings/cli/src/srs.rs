//! `backstop srs`: senders of forwarded mail out, the recipients of their bounces back.

use backstop::srs::{self, Dialect};
use backstop::{Day, Domains, KeyRing, Path, Use};

use crate::args;
use crate::ring;
use crate::sign::Rewritten;
use crate::stop::{Run, Stop};
use crate::stream::{self, Verb};
use crate::verify::{Columns, Verdicts};
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
        .with_alphabet(args.alphabet.0)
        .with_over_long(args.over_long.0);
    Ok(match args.max_age {
        Some(days) => dialect.with_max_age(days)?,
        None => dialect,
    })
}

/// One exact domain for `--domain`; a pattern would be no forwarder.
fn forwarder(domain: &str) -> Result<&str, Stop> {
    if domain.contains(['*', ',', '!']) || Domains::parse(domain).is_err() {
        return Err(Stop::trouble("--domain takes one domain, such as fwd.example.net"));
    }
    Ok(domain)
}

fn forward(args: &args::SrsForward) -> Run {
    let forwarder = forwarder(&args.domain)?;
    let dialect = dialect(&args.dialect)?;
    let ring = ring::load(&args.keys)?;
    let own = named(&ring).chain([forwarder]).collect::<Vec<_>>().join(",");
    // No set is left where the keys take away the one forwarder that there is.
    let own = Domains::parse(&own).or_else(|_| Domains::parse(forwarder))?;
    let rewritten = Rewritten::new("rewritten", "not rewritten", args.addresses.json);
    let mut forward = Forward { ring, forwarder, own, dialect, rewritten };
    stream::run(&args.addresses.addresses, Clock(args.at.at), &mut forward)?;
    Ok(forward.rewritten.tally.outcome())
}

/// The patterns of the srs keys other than `*`: domains that are own forwarders for certain.
fn named(ring: &KeyRing) -> impl Iterator<Item = &str> {
    let keys = ring.keys().iter().filter(|key| key.usage() == Use::Srs);
    keys.flat_map(|key| key.domains().as_str().split(',')).filter(|pattern| *pattern != "*")
}

struct Forward<'a> {
    ring: KeyRing,
    forwarder: &'a str,
    own: Domains,
    dialect: Dialect,
    rewritten: Rewritten,
}

impl Verb for Forward<'_> {
    fn line(&mut self, address: &[u8], day: Day, out: &mut Vec<u8>) {
        match srs::forward(&self.ring, address, self.forwarder, &self.own, &self.dialect, day) {
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
    let domains = args.domain.iter().map(|domain| forwarder(domain)).collect::<Result<Vec<_>, _>>()?;
    let own = match domains.as_slice() {
        [] => Own::served(&ring),
        given => Own { named: None, domain: Vec::new(), domains: Domains::parse(&given.join(","))? },
    };
    let verdicts = Verdicts::new(args.addresses.json, Columns::WithoutDays);
    let mut reverse = Reverse { ring, own, dialect, verdicts };
    stream::run(&args.addresses.addresses, Clock(args.at.at), &mut reverse)?;
    Ok(reverse.verdicts.tally.outcome())
}

/// The own forwarders: those of `--domain`, else those that srs keys serve.
///
/// A key for `*` serves the domain of whatever address is asked about, but that makes no other domain an own one: an SRS1
/// address whose first host is foreign returns to that host and is not opened.
struct Own {
    /// What srs keys name, without exceptions; `None` with `--domain`.
    named: Option<String>,
    /// The domain asked about last.
    domain: Vec<u8>,
    /// The answer for it.
    domains: Domains,
}

impl Own {
    fn served(ring: &KeyRing) -> Own {
        let named = named(ring).filter(|pattern| !pattern.starts_with('!')).collect::<Vec<_>>().join(",");
        Own { named: Some(named), domain: Vec::new(), domains: Domains::all() }
    }

    /// The own forwarders, for the purpose of this address.
    fn forwarders(&mut self, ring: &KeyRing, address: &[u8]) -> &Domains {
        if let (Some(named), Ok(Path::Mailbox(mailbox))) = (&self.named, Path::parse_tagged(address))
            && mailbox.domain() != self.domain
        {
            self.domain = mailbox.domain().to_vec();
            let mut keys = ring.keys().iter().filter(|key| key.usage() == Use::Srs);
            let is_own = keys.any(|key| key.domains().contains(&self.domain));
            let text = String::from_utf8_lossy(&self.domain);
            let list = match (is_own, named.as_str()) {
                (true, "") => text.into_owned(),
                (true, named) => format!("{named},{text}"),
                (false, _) => format!("*,!{text}"),
            };
            // Only an odd address literal is no pattern; a key that serves it is for `*`.
            self.domains = Domains::parse(&list).unwrap_or_else(|_| Domains::all());
        }
        &self.domains
    }
}

struct Reverse {
    ring: KeyRing,
    own: Own,
    dialect: Dialect,
    verdicts: Verdicts,
}

impl Verb for Reverse {
    fn line(&mut self, address: &[u8], day: Day, out: &mut Vec<u8>) {
        let own = self.own.forwarders(&self.ring, address);
        match srs::reverse(&self.ring, address, own, &self.dialect, day) {
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
