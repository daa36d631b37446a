//! `backstop key new` and `backstop key add`.

use std::path::Path;

use backstop::explain::printable;
use backstop::{Day, Key, KeyId, KeyRing, Mac, NewKey, Secret, Use, keyfile};

use super::{COPY, done, id, name, random_octet, random_secret, read_secrets};
use crate::args;
use crate::output;
use crate::ring;
use crate::stop::{Run, Stop};
use crate::when::Clock;

pub(super) fn new(args: &args::KeyNew) -> Run {
    let path = ring::path(&args.keys)?;
    let today = Clock(args.at.at).day()?;
    let group = args.group.as_deref().map(group_id).transpose()?;
    let mut made = KeyRing::empty();
    for usage in &args.uses {
        if made.keys().iter().any(|key| key.usage() == *usage) {
            return Err(Stop::trouble(format!("--use names {usage} twice; name each use once")));
        }
        fits(*usage, args.settings.mac, args.settings.days)?;
        let id = made.free_id(*usage, &args.settings.domains, random_octet()?)?;
        made = made.add(&new_key(*usage, id, &args.settings, None, random_secret()?, today))?;
    }
    if !ring::is_named(&args.keys) {
        ring::make_folder(&path)?;
    }
    keyfile::create(&path, &made, group)?;
    tell("made", &made, made.keys(), &path, today)
}

pub(super) fn add(args: &args::KeyAdd) -> Run {
    let path = ring::existing(&args.keys)?;
    let today = Clock(args.at.at).day()?;
    let id = id(args.usage, args.id)?;
    fits(args.usage, args.settings.mac, args.settings.days)?;
    ends_later(&args.settings, args.until.0, today)?;
    let secret = match &args.secret_file {
        Some(file) => secret_of(&read_secrets(file)?, file)?,
        None => random_secret()?,
    };
    let random = random_octet()?;
    let loaded = keyfile::edit(&path, ring::trust(&args.keys), |ring| {
        let id = id.map_or_else(|| ring.free_id(args.usage, &args.settings.domains, random), Ok)?;
        ring.add(&new_key(args.usage, id, &args.settings, args.until.0, secret, today))
    })?;
    ring::tell(loaded.warning);
    tell("added", &loaded.ring, loaded.ring.keys().last(), &path, today)
}

/// The text of a secret without the one line end that an editor leaves.
pub(super) fn without_end(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\n").map_or(text, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// The octets of a file as a secret. Of a text with several lines nobody can tell which is the secret.
fn secret_of(text: &[u8], file: &Path) -> Result<Secret, Stop> {
    let (octets, file) = (without_end(text), name(file));
    if octets.is_empty() {
        return Err(Stop::trouble(format!("{file}: the secret is empty; name a file that holds one")));
    }
    let is_printed =
        |text: &str| text.contains('\n') && text.chars().all(|it| !it.is_control() || "\r\n\t".contains(it));
    if std::str::from_utf8(octets).is_ok_and(is_printed) {
        return Err(Stop::trouble(format!(
            "{file} holds more than one line of text; name a file with the secret alone"
        )));
    }
    begins_plainly(octets, &file)?;
    if let Some(what) = too_short(octets) {
        output::tell(&format!("warning: {file}: the secret {what}"));
    }
    Ok(Secret::new(octets)?)
}

/// What `key check` will say of a short secret, where it can still be another one.
pub(super) fn too_short(secret: &[u8]) -> Option<String> {
    let least = Secret::SHORT;
    let what = || {
        format!(
            "has less than {least} octets, so that one tag may be enough to guess it; `backstop key check` says what to do"
        )
    };
    (secret.len() < least).then(what)
}

/// Refuses a text with a byte order mark. To strip it would be a guess: a program that reads the same file may take the mark
/// for a part of the secret.
pub(super) fn begins_plainly(secret: &[u8], file: &str) -> Result<(), Stop> {
    match std::str::from_utf8(secret) {
        Ok(text) if text.starts_with('\u{feff}') => Err(Stop::trouble(format!(
            "{file} begins with a byte order mark, as some editors write it, which other programs may take for a part of the \
             secret; save it without one"
        ))),
        _ => Ok(()),
    }
}

/// Refuses a hash or a life of tags that no key of this use can have, by the names of their options.
pub(super) fn fits(usage: Use, mac: Option<Mac>, days: Option<u16>) -> Result<(), Stop> {
    if mac.is_some_and(|mac| !usage.takes(mac)) {
        return Err(Stop::trouble(format!("--mac must be {} for {usage}", usage.default_mac().as_str())));
    }
    let most = usage.max_days();
    if days.is_some_and(|days| days > most) {
        return Err(Stop::trouble(format!("--days takes a whole number from 1 to {most} for {usage}")));
    }
    Ok(())
}

/// Refuses an end before the beginning.
fn ends_later(settings: &args::KeySettings, until: Option<Day>, today: Day) -> Result<(), Stop> {
    let from = settings.from.map_or(Some(today), |from| from.0);
    match (from, until) {
        (Some(from), Some(until)) if until < from => {
            Err(Stop::trouble(format!("--until must be {from}, the first day on which the key signs, or later")))
        }
        _ => Ok(()),
    }
}

fn new_key(
    usage: Use,
    id: KeyId,
    settings: &args::KeySettings,
    until: Option<Day>,
    secret: Secret,
    today: Day,
) -> NewKey {
    NewKey {
        usage,
        id,
        mac: settings.mac.unwrap_or(usage.default_mac()),
        days: settings.days.unwrap_or(usage.default_days()),
        from: settings.from.map_or(Some(today), |from| from.0),
        until,
        domains: settings.domains.clone(),
        secret,
    }
}

/// `added prvs key 4 (mfrggzdf) to /etc/backstop/keys, for example.com from now on`, and behind the last one what to do.
pub(super) fn tell<'k>(
    did: &str,
    ring: &KeyRing,
    keys: impl IntoIterator<Item = &'k Key>,
    path: &Path,
    today: Day,
) -> Run {
    let place = if did == "made" { "in" } else { "to" };
    let line = |key: &Key| {
        let start = match key.from() {
            Some(from) if from != today => from.to_string(),
            _ => "now".to_owned(),
        };
        let span = match key.until() {
            _ if ring.is_replaced(key, today) => ": it verifies, and another key signs in its place".to_owned(),
            None => format!(" from {start} on"),
            Some(until) if until < today => format!(" until {until}: it verifies and never signs"),
            Some(until) => format!(" from {start} until {until}"),
        };
        let (usage, id, print) = (key.usage(), key.id(), key.fingerprint());
        let domains = printable(key.domains().as_str().as_bytes());
        format!("{did} {usage} key {id} ({print}) {place} {}, for {domains}{span}", path.display())
    };
    let lines: Vec<String> = keys.into_iter().map(line).collect();
    let more = if did == "made" { String::new() } else { format!("; {COPY}") };
    done(path, &format!("{}{more}\n", lines.join("\n")))
}

/// The number of a group, by itself or from the list of groups that this host keeps in `/etc/group`.
pub(super) fn group_id(name: &str) -> Result<u32, Stop> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let number = groups.lines().find_map(|line| {
        let mut columns = line.split(':');
        if columns.next() == Some(name) { columns.nth(1)?.parse().ok() } else { None }
    });
    number.ok_or_else(|| Stop::trouble(format!("group {name} is not in /etc/group; give another one, or its number")))
}
