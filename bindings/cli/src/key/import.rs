//! `backstop key import`: the secrets of postsrsd and Exim, as keys that sign like those programs.
//!
//! ```text
//! postsrsd   one secret a line; the first one signs, all verify; empty lines do not count    srs,  sha1, 21 days
//! exim       one line: the text of prvs's secret                                             prvs, sha1,  7 days
//! ```
//!
//! As for postsrsd, a line that begins with `#` is a secret, and a byte order mark a part of one; both are told, since few
//! may mean it so. The keys have no dates, so that what their program signed before goes on verifying.

use backstop::{KeyRing, Mac, NewKey, Secret, Use, keyfile};

use super::make::{begins_plainly, group_id, tell, too_short, without_end};
use super::{id, name, read_secrets};
use crate::args::{self, Program};
use crate::output;
use crate::ring;
use crate::stop::{Run, Stop};
use crate::when::Clock;

pub(super) fn run(args: &args::KeyImport) -> Run {
    let path = ring::path(&args.keys)?;
    let (usage, days, default) = match args.from {
        Program::Postsrsd => (Use::Srs, 21, None),
        Program::Exim => (Use::Prvs, 7, Some('0')),
    };
    let first = id(usage, args.id.or(default))?;
    let group = args.group.as_deref().map(group_id).transpose()?;
    if group.is_some() && keyfile::is_there(&path) {
        let path = path.display();
        return Err(Stop::trouble(format!("{path} is there already and keeps its group; leave --group out")));
    }
    let text = read_secrets(&args.file)?;
    let secrets: Vec<&[u8]> = match args.from {
        Program::Postsrsd => text.split(|&octet| octet == b'\n').map(without_cr).filter(|it| !it.is_empty()).collect(),
        Program::Exim => Some(without_end(&text)).into_iter().filter(|it| !it.is_empty()).collect(),
    };
    let file = name(&args.file);
    if secrets.is_empty() {
        return Err(Stop::trouble(format!("{file} holds no secret; name the file that does")));
    }
    if let (Program::Exim, Some(only)) = (args.from, secrets.first()) {
        if only.contains(&b'\n') {
            return Err(Stop::trouble(format!("{file} holds more than one line; name a file with the secret alone")));
        }
        begins_plainly(only, &file)?;
    }
    let (count, ids) = (secrets.len(), usage.ids().len());
    if count > ids {
        return Err(Stop::trouble(format!(
            "{file} holds {count} secrets, and {usage} has {ids} ids; leave out those that have signed nothing for {days} days"
        )));
    }
    for (secret, number) in secrets.iter().zip(1..) {
        if let Some(first) = secrets.iter().take(number - 1).position(|other| other == secret) {
            let first = first + 1;
            return Err(Stop::trouble(format!(
                "{file}: secret {number} is secret {first} again; leave one of them out"
            )));
        }
    }
    for (secret, number) in secrets.iter().zip(1..) {
        let beginning = match secret {
            [b'#', ..] => Some("begins with # and is a secret all the same, as for postsrsd".to_owned()),
            [0xef, 0xbb, 0xbf, ..] => {
                Some("begins with a byte order mark, which is a part of it as for postsrsd".to_owned())
            }
            _ => None,
        };
        for what in beginning.into_iter().chain(too_short(secret)) {
            output::tell(&format!("warning: {file}: secret {number} {what}"));
        }
    }
    let secrets = secrets.into_iter().map(Secret::new).collect::<Result<Vec<_>, _>>()?;
    let add = |ring: &KeyRing| {
        secrets.into_iter().zip([first].into_iter().chain(std::iter::repeat(None))).try_fold(
            ring.clone(),
            |ring, (secret, id)| {
                let id = id.map_or_else(|| ring.free_id(usage, &args.domains, 0), Ok)?;
                let domains = args.domains.clone();
                ring.add(&NewKey { usage, id, mac: Mac::Sha1, days, from: None, until: None, domains, secret })
            },
        )
    };
    let ring = if keyfile::is_there(&path) {
        let loaded = keyfile::edit(&path, ring::trust(&args.keys), add)?;
        ring::tell(loaded.warning);
        loaded.ring
    } else {
        let ring = add(&KeyRing::empty())?;
        if !ring::is_named(&args.keys) {
            ring::make_folder(&path)?;
        }
        keyfile::create(&path, &ring, group)?;
        ring
    };
    let new = ring.keys().len().saturating_sub(count);
    let told = tell("added", &ring, ring.keys().iter().skip(new), &path, Clock(None).day()?);
    if matches!(args.from, Program::Exim) {
        output::tell(
            "note: without dates this key counts as signing since ever; where mail left without its tags lately, set \
             enforce-since in the policy, or bounces to that mail are refused",
        );
    }
    told
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
