//! `backstop key import`: the secrets of postsrsd and Exim, as keys that sign like those programs.
//!
//! ```text
//! postsrsd   one secret a line; the first one signs, all verify; empty lines do not count    srs,  sha1, 21 days
//! exim       the text of prvs's secret, one line end at its end dropped                      prvs, sha1,  7 days
//! ```
//!
//! The keys have no dates, so that what their program signed before goes on verifying.

use backstop::{KeyRing, Mac, NewKey, Secret, Use, keyfile};

use super::make::{tell, without_end};
use super::{id, read_secrets};
use crate::args::{self, Program};
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
    let text = read_secrets(&args.file)?;
    let secrets: Vec<&[u8]> = match args.from {
        Program::Postsrsd => text.split(|&octet| octet == b'\n').map(without_cr).filter(|it| !it.is_empty()).collect(),
        Program::Exim => Some(without_end(&text)).into_iter().filter(|it| !it.is_empty()).collect(),
    };
    if secrets.is_empty() {
        return Err(Stop::trouble(format!("{} holds no secret; name the file that does", args.file.display())));
    }
    let secrets = secrets.into_iter().map(Secret::new).collect::<Result<Vec<_>, _>>()?;
    let count = secrets.len();
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
    let ring = if path.exists() {
        let loaded = keyfile::edit(&path, ring::trust(&args.keys), add)?;
        ring::tell(loaded.warning);
        loaded.ring
    } else {
        let ring = add(&KeyRing::empty())?;
        if !ring::is_named(&args.keys) {
            ring::make_folder(&path)?;
        }
        keyfile::create(&path, &ring, None)?;
        ring
    };
    let new = ring.keys().len().saturating_sub(count);
    tell("added", ring.keys().iter().skip(new), &path, Clock(None).day()?)
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
