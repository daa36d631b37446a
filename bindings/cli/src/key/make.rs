//! `backstop key new` and `backstop key add`.

use std::path::Path;

use backstop::{Day, Key, KeyId, KeyRing, Mac, NewKey, Secret, Use, keyfile};

use super::{id, random_octet, random_secret, read_secrets};
use crate::args;
use crate::output;
use crate::ring;
use crate::stop::{Outcome, Run, Stop};
use crate::when::Clock;

pub(super) fn new(args: &args::KeyNew) -> Run {
    let path = ring::path(&args.keys)?;
    let today = Clock(args.at.at).day()?;
    let group = args.group.as_deref().map(group_id).transpose()?;
    if path.exists() {
        let path = path.display();
        return Err(Stop::trouble(format!("{path} is there already; add a key to it with `backstop key add`")));
    }
    let mut made = KeyRing::empty();
    for usage in &args.uses {
        let id = made.free_id(*usage, &args.settings.domains, random_octet()?)?;
        made = made.add(&new_key(*usage, id, &args.settings, None, random_secret()?, today))?;
    }
    if !ring::is_named(&args.keys) {
        ring::make_folder(&path)?;
    }
    keyfile::create(&path, &made, group)?;
    tell("made", made.keys(), &path, today)
}

pub(super) fn add(args: &args::KeyAdd) -> Run {
    let path = ring::existing(&args.keys)?;
    let today = Clock(args.at.at).day()?;
    let id = id(args.usage, args.id)?;
    let secret = match &args.secret_file {
        Some(file) => Secret::new(without_end(&read_secrets(file)?))?,
        None => random_secret()?,
    };
    let random = random_octet()?;
    let loaded = keyfile::edit(&path, ring::trust(&args.keys), |ring| {
        let id = id.map_or_else(|| ring.free_id(args.usage, &args.settings.domains, random), Ok)?;
        ring.add(&new_key(args.usage, id, &args.settings, args.until.0, secret, today))
    })?;
    ring::tell(loaded.warning);
    tell("added", loaded.ring.keys().last(), &path, today)
}

/// The text of a secret without the one line end that an editor leaves.
pub(super) fn without_end(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\n").map_or(text, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn new_key(
    usage: Use,
    id: KeyId,
    settings: &args::KeySettings,
    until: Option<Day>,
    secret: Secret,
    today: Day,
) -> NewKey {
    let (mac, days) = match usage {
        Use::Prvs | Use::Bst1 => (Mac::Sha256, 10),
        Use::Srs => (Mac::Sha1, 21),
        Use::Mark => (Mac::Sha256, 14),
    };
    NewKey {
        usage,
        id,
        mac: settings.mac.unwrap_or(mac),
        days: settings.days.unwrap_or(days),
        from: settings.from.map_or(Some(today), |from| from.0),
        until,
        domains: settings.domains.clone(),
        secret,
    }
}

/// `added prvs key 4 (mfrggzdf) to /etc/backstop/keys, for example.com from now on`.
pub(super) fn tell<'k>(did: &str, keys: impl IntoIterator<Item = &'k Key>, path: &Path, today: Day) -> Run {
    let place = if did == "made" { "in" } else { "to" };
    let line = |key: &Key| {
        let start = match key.from() {
            Some(from) if from != today => from.to_string(),
            _ => "now".to_owned(),
        };
        let (usage, id, print, domains) = (key.usage(), key.id(), key.fingerprint(), key.domains());
        format!("{did} {usage} key {id} ({print}) {place} {}, for {domains} from {start} on\n", path.display())
    };
    output::print(keys.into_iter().map(line).collect::<String>().as_bytes())?;
    Ok(Outcome::Done)
}

/// The number of a group, by itself or from the list of groups that this host keeps in `/etc/group`.
fn group_id(name: &str) -> Result<u32, Stop> {
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
