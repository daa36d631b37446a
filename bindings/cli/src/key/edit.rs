//! `backstop key rotate`, `retire` and `prune`.

use backstop::{Day, Error, Key, KeyRing, keyfile};

use super::make::fits;
use super::{COPY, date, done, id, random_octet, random_secret};
use crate::args;
use crate::ring;
use crate::stop::{Run, Stop};
use crate::when::Clock;

pub(super) fn rotate(args: &args::KeyRotate) -> Run {
    let path = ring::existing(&args.keys)?;
    let today = Clock(args.at.at).day()?;
    let (usage, id) = (args.choice.usage, id(args.choice.usage, args.choice.id)?);
    fits(usage, args.mac, args.days)?;
    let (secret, random) = (random_secret()?, random_octet()?);
    let mut old_line = 0;
    let loaded = keyfile::edit(&path, ring::trust(&args.keys), |ring| {
        let old = ring.select(usage, id, args.choice.domain.as_deref(), today)?;
        old_line = old.line();
        let (mac, days) = (args.mac.unwrap_or(old.mac()), args.days.unwrap_or(old.days()));
        ring.rotate_to(old, today, ring.free_id(usage, old.domains(), random)?, &secret, mac, days)
    });
    let loaded = loaded.map_err(Stop::of_domain)?;
    ring::tell(loaded.warning);
    let line = |number| loaded.ring.keys().iter().find(|key| key.line() == number);
    let (Some(old), Some(new)) = (line(old_line), line(old_line + 1)) else {
        return Err(Stop::trouble("the ring was rotated and does not show it; look at it with `backstop key list`"));
    };
    let (id, print, old_id, until) = (new.id(), new.fingerprint(), old.id(), date(old.until()));
    let text = match new.from() {
        Some(from) if from > today => format!(
            "{usage} key {id} ({print}) signs from {from} on, key {old_id} until {until}; {COPY} before {from}\n"
        ),
        _ => format!("{usage} key {id} ({print}) signs from now on, key {old_id} ended on {until}; {COPY} now\n"),
    };
    done(&path, &text)
}

pub(super) fn retire(args: &args::KeyRetire) -> Run {
    let path = ring::existing(&args.keys)?;
    let today = Clock(args.at.at).day()?;
    let (usage, id) = (args.choice.usage, id(args.choice.usage, args.choice.id)?);
    let last_day = args.last_day.unwrap_or(today);
    let mut line = 0;
    let loaded = keyfile::edit(&path, ring::trust(&args.keys), |ring| {
        let key = ring.select(usage, id, args.choice.domain.as_deref(), today)?;
        if id.is_none() {
            is_alone(ring, key, args.choice.domain.is_some(), today)?;
        }
        line = key.line();
        ring.retire(key, last_day)
    });
    let loaded = loaded.map_err(Stop::of_domain)?;
    ring::tell(loaded.warning);
    let key = loaded.ring.keys().iter().find(|key| key.line() == line).map(Key::id);
    let id = key.map(|id| id.to_string()).unwrap_or_default();
    done(&path, &format!("{usage} key {id} signs until {last_day}; {COPY}\n"))
}

/// Refuses to guess which key is to end while one in whose place this one signs is open.
fn is_alone(ring: &KeyRing, key: &Key, is_by_domain: bool, today: Day) -> Result<(), Error> {
    let (usage, domains) = (key.usage(), key.domains());
    let older = |other: &&Key| {
        let is_other = other.usage() == usage && other.line() != key.line() && other.signs_on(today);
        is_other && (!is_by_domain || other.domains().covers(domains) && domains.covers(other.domains()))
    };
    let older: Vec<String> = ring.keys().iter().filter(older).map(|other| other.id().to_string()).collect();
    let (id, verb) = (key.id(), if older.len() == 1 { "is" } else { "are" });
    match older.join(" and ") {
        none if none.is_empty() => Ok(()),
        older => Err(Error::Edit(format!(
            "{usage} key {id} signs in place of {older}, which {verb} still open; say with --id which of them to retire"
        ))),
    }
}

pub(super) fn prune(args: &args::KeyPrune) -> Run {
    let path = ring::existing(&args.keys)?;
    let today = Clock(args.at.at).day()?;
    let mut dropped = 0;
    let loaded = keyfile::edit(&path, ring::trust(&args.keys), |ring| {
        let (ring, count) = ring.prune(today)?;
        dropped = count;
        Ok(ring)
    })?;
    ring::tell(loaded.warning);
    let kept = loaded.ring.keys().len();
    let more = match (dropped, kept) {
        (_, 0) => "; the ring has no key left, add one with `backstop key add`".to_owned(),
        (0, _) => String::new(),
        _ => format!("; {COPY}"),
    };
    done(&path, &format!("{dropped} dropped, {kept} kept{more}\n"))
}
