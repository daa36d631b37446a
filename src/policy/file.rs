//! The TOML form of a policy: the table `[policy]` of a text that may hold others.
//!
//! ```text
//! [policy]                               all keys but own-domains are optional
//! own-domains = [domain...]              mode, enforce-since, refuse-at, expired-grace, subaddress, marks-since,
//! no-sign = [address...]                 mailer-daemon-is-null, reverse-any-sender; own-relays, display-names (texts)
//! exempt-clients = [network...]          further lists: no-sign-recipients, never-send, exempt-recipients,
//! [policy.srs]                               exempt-senders (addresses), internal-hosts (networks)
//! [policy.domains."lists.example.com"]   the key is a set of domains; mode, enforce-since, refuse-at
//! ```
//!
//! tests/vectors/policy.toml explains every key. An unknown key, a wrong type or a value out of range is refused with its
//! line, and so is a key of the policy outside of its table; there is no half-read policy. Lists are those of `lists.rs` and
//! `domains.rs`.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use super::{Addresses, Forwarding, Mode, Networks, Policy, RefuseAt, Stance};
use crate::address::check_domain;
use crate::batv::Form;
use crate::domains::Domains;
use crate::error::Error;
use crate::key::Use;
use crate::settings::{self, Entry, nearest};
use crate::srs::{Alphabet, Dialect, OverLong};

const POLICY_KEYS: &[&str] = &[
    "display-names",
    "domains",
    "enforce-since",
    "exempt-clients",
    "exempt-recipients",
    "exempt-senders",
    "expired-grace",
    "internal-hosts",
    "mailer-daemon-is-null",
    "marks-since",
    "mode",
    "never-send",
    "no-sign",
    "no-sign-recipients",
    "own-domains",
    "own-relays",
    "refuse-at",
    "reverse-any-sender",
    "srs",
    "subaddress",
];
const SRS_KEYS: &[&str] = &[
    "alphabet",
    "always-rewrite",
    "domain",
    "domains",
    "forwarders",
    "hash-length",
    "hash-min",
    "max-age",
    "over-long",
    "separator",
];
const DOMAIN_KEYS: &[&str] = &["enforce-since", "mode", "refuse-at"];
/// The longest hash that SRS can write: base64 of 20 octets.
const MAX_HASH: u16 = 27;

pub(super) fn parse(text: &[u8]) -> Result<Policy, Error> {
    let mut found = None;
    settings::read(text, |entry| {
        match entry.name {
            "policy" => found = Some(policy(entry)?),
            name if POLICY_KEYS.contains(&name) => {
                return Err(entry.fault("belongs into the table [policy]"));
            }
            name if nearest(name, &["policy"]).is_some() => return Err(entry.unknown("", &["policy"])),
            _ => {}
        }
        Ok(())
    })?;
    let message = "there is no table [policy]; begin with [policy] and own-domains";
    found.ok_or_else(|| Error::Policy { line: 1, message: message.to_owned() })
}

fn policy(table: Entry<'_>) -> Result<Policy, Error> {
    let entries = table.entries()?;
    let (mut policy, mut own) = (Policy::new(Domains::all()), None);
    let mut by_domain = Vec::new();
    for entry in entries {
        match entry.name {
            "own-domains" => own = Some(entry.domain_list()?),
            "display-names" => policy = policy.with_display_names(entry.strings()?),
            "domains" => by_domain = entry.entries()?,
            "enforce-since" => policy.enforce_since = Some(entry.day()?),
            "exempt-clients" => policy.exempt_clients = entry.networks()?,
            "exempt-recipients" => policy.exempt_recipients = entry.addresses()?,
            "exempt-senders" => policy.exempt_senders = entry.addresses()?,
            "expired-grace" => policy.expired_grace = entry.number(0, Policy::MAX_GRACE)?,
            "internal-hosts" => policy.internal_hosts = entry.networks()?,
            "mailer-daemon-is-null" => policy.mailer_daemon_is_null = entry.yes()?,
            "marks-since" => policy.marks_since = Some(entry.day()?),
            "mode" => policy.mode = entry.mode()?,
            "never-send" => policy.never_send = entry.addresses()?,
            "no-sign" => policy.no_sign = entry.addresses()?,
            "no-sign-recipients" => policy.no_sign_recipients = entry.addresses()?,
            "own-relays" => policy = policy.with_own_relays(entry.strings()?),
            "refuse-at" => policy.refuse_at = entry.refuse_at()?,
            "reverse-any-sender" => policy.reverse_any_sender = entry.yes()?,
            "srs" => policy.srs = Some(forwarding(entry)?),
            "subaddress" => policy.form = if entry.yes()? { Form::Subaddress } else { Form::Prefix },
            _ => return Err(entry.unknown("policy", POLICY_KEYS)),
        }
    }
    let none = || table.fault("has no own-domains; list the domains whose mail this site sends");
    policy.own = own.ok_or_else(none)?;
    for entry in by_domain {
        let stance = stance(entry)?;
        let domains = entry.set(policy.by_domain.iter().map(|(set, _)| set))?;
        let forwarders = policy.srs.as_ref().map(Forwarding::forwarders);
        if !domains.overlaps(&policy.own) && !forwarders.is_some_and(|theirs| domains.overlaps(theirs)) {
            return Err(entry.fault("lies neither in own-domains nor in the forwarders of [policy.srs]"));
        }
        policy.by_domain.push((domains, stance));
    }
    Ok(policy)
}

fn stance(table: Entry<'_>) -> Result<Stance, Error> {
    let mut stance = Stance::default();
    for entry in table.entries()? {
        match entry.name {
            "enforce-since" => stance.enforce_since = Some(entry.day()?),
            "mode" => stance.mode = Some(entry.mode()?),
            "refuse-at" => stance.refuse_at = Some(entry.refuse_at()?),
            _ => return Err(entry.unknown("policy.domains", DOMAIN_KEYS)),
        }
    }
    Ok(stance)
}

fn forwarding(table: Entry<'_>) -> Result<Forwarding, Error> {
    let mut dialect = Dialect::CLASSIC;
    let (mut hash_length, mut hash_min) = (4, None);
    let (mut forwarders, mut default) = (None, None);
    let mut by_recipient = Vec::new();
    for entry in table.entries()? {
        match entry.name {
            "alphabet" => dialect = dialect.with_alphabet(entry.choice(Alphabet::ALL, Alphabet::as_str)?),
            "always-rewrite" => dialect = dialect.with_always_rewrite(entry.yes()?),
            "domain" => default = Some(entry),
            "domains" => by_recipient = entry.entries()?,
            "forwarders" => forwarders = Some(entry.domain_list()?),
            "hash-length" => hash_length = entry.number(1, MAX_HASH)?,
            "hash-min" => hash_min = Some(entry),
            "max-age" => {
                let days = entry.number(1, Use::Srs.max_days())?;
                dialect = dialect.with_max_age(days).map_err(|error| entry.fault_of(&error))?;
            }
            "over-long" => dialect = dialect.with_over_long(entry.choice(OverLong::ALL, OverLong::as_str)?),
            "separator" => {
                let (_, separator) = entry.choice(&[("=", '='), ("+", '+'), ("-", '-')], |it| it.0)?;
                dialect = dialect.with_separator(separator).map_err(|error| entry.fault_of(&error))?;
            }
            _ => return Err(entry.unknown("policy.srs", SRS_KEYS)),
        }
    }
    let hash_min = hash_min.map_or(Ok(hash_length), |entry| entry.number(1, hash_length))?;
    let hash = dialect.with_hash(usize::from(hash_length), usize::from(hash_min));
    let dialect = hash.map_err(|error| table.fault_of(&error))?;

    let targets = || default.iter().chain(&by_recipient);
    let named: Vec<&str> = targets().map(|entry| entry.domain()).collect::<Result<_, _>>()?;
    let forwarders = match forwarders {
        Some(given) => given,
        None if named.is_empty() => return Err(table.fault("names neither domain nor forwarders")),
        None => Domains::parse(&named.join(",")).map_err(|error| table.fault_of(&error))?,
    };
    if let Some(entry) =
        targets().zip(&named).find_map(|(it, name)| (!forwarders.contains(name.as_bytes())).then_some(it))
    {
        return Err(entry.fault("is not among the forwarders, so that nothing could return; add it there"));
    }
    let mut srs = Forwarding { forwarders, default: None, by_recipient: Vec::new(), dialect };
    srs.default = default.map(|entry| entry.domain().map(ToOwned::to_owned)).transpose()?;
    for entry in &by_recipient {
        let recipients = entry.set(srs.by_recipient.iter().map(|(set, _)| set))?;
        srs.by_recipient.push((recipients, entry.domain()?.to_owned()));
    }
    Ok(srs)
}

/// What only a policy holds.
impl<'a> Entry<'a> {
    /// The set of domains that is its name; of two with one pattern neither would be the closer.
    fn set<'s>(&self, mut others: impl Iterator<Item = &'s Domains>) -> Result<Domains, Error> {
        let set = Domains::parse(self.name).map_err(|error| self.fault_of(&error))?;
        match others.find(|other| other.shares_a_pattern(&set)) {
            None => Ok(set),
            Some(other) => Err(self.fault(format_args!("has a domain that stands in `{other}` too; name each once"))),
        }
    }

    fn mode(&self) -> Result<Mode, Error> {
        self.choice(Mode::ALL, Mode::as_str)
    }

    fn refuse_at(&self) -> Result<RefuseAt, Error> {
        self.choice(RefuseAt::ALL, RefuseAt::as_str)
    }

    fn domain(&self) -> Result<&'a str, Error> {
        let domain = self.str()?;
        check_domain(domain.as_bytes(), 0).map_err(|error| self.fault_of(&error)).map(|()| domain)
    }

    fn strings(&self) -> Result<Vec<&'a str>, Error> {
        self.list()?.iter().map(Entry::str).collect()
    }

    fn domain_list(&self) -> Result<Domains, Error> {
        let mut patterns = Vec::new();
        for item in self.list()? {
            let pattern = item.str()?;
            // One that only takes away is no set by itself.
            Domains::parse(pattern.strip_prefix('!').unwrap_or(pattern)).map_err(|error| item.fault_of(&error))?;
            patterns.push(pattern);
        }
        if patterns.is_empty() {
            return Err(self.fault("must name at least one domain"));
        }
        Domains::parse(&patterns.join(",")).map_err(|error| self.fault_of(&error))
    }

    fn addresses(&self) -> Result<Addresses, Error> {
        let mut all = Addresses::default();
        for item in self.list()? {
            all.push(item.str()?).map_err(|error| item.fault_of(&error))?;
        }
        Ok(all)
    }

    fn networks(&self) -> Result<Networks, Error> {
        let mut all = Networks::default();
        for item in self.list()? {
            all.push(item.str()?).map_err(|error| item.fault_of(&error))?;
        }
        Ok(all)
    }
}
