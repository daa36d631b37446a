//! The key ring: from the file that the configuration names, else from the state directory, made there if need be.
//!
//! A ring that the daemon made itself is known to this host alone. Another host that sends mail for the same domains
//! would sign with other keys, and its bounces be refused here: enforce is refused until the configuration names the
//! ring, which is when somebody has thought about it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use backstop::policy::{Need, Policy};
use backstop::{Day, Domains, KeyRing, Mac, NewKey, Secret, Use, keyfile};
use zeroize::Zeroizing;

use crate::config::Config;
use crate::stop::{Exit, Stop};

/// The name of a ring of our own in the state directory.
pub const OWN_RING: &str = "keys";

/// A ring and what is to be said about it.
#[derive(Debug)]
pub struct Loaded {
    /// The ring.
    pub ring: KeyRing,
    /// Sentences for the log.
    pub notices: Vec<String>,
}

/// Loads the ring, and makes one if the configuration names none and `make` says so.
///
/// # Errors
/// One sentence with the file and the remedy.
pub fn load(config: &Config, state: &Path, today: Option<Day>, make: bool) -> Result<Loaded, Stop> {
    let mut notices = Vec::new();
    let own = state.join(OWN_RING);
    let path = config.keys.file.as_deref().unwrap_or(&own);
    if config.keys.file.is_none() {
        if config.policy.needs(Need::Refuse) {
            return Err(Stop::config(format!(
                "mode = \"enforce\" needs a ring that the configuration names, since bounces of other hosts that send for \
                 these domains would be refused; share {} with them and write [keys] file = {:?}",
                own.display(),
                own.display().to_string()
            )));
        }
        if !is_there(path) {
            if !make {
                let ring = KeyRing::empty();
                notices.push(format!("there is no key ring at {} yet; a start makes it", path.display()));
                return Ok(Loaded { ring, notices });
            }
            let today = today.ok_or_else(|| Stop::new(Exit::Os, "the clock shows no time between 1970 and 9999"))?;
            let ring = new_ring(&config.policy, today)?;
            keyfile::create(path, &ring, None).map_err(|error| {
                Stop::new(Exit::CannotCreate, format!("{error}; the state directory is set by --state"))
            })?;
            notices.push(format!("made the key ring {}", path.display()));
        }
    }
    let trust = if config.keys.allow_unsafe { keyfile::Trust::AnyMode } else { keyfile::Trust::Private };
    let loaded = keyfile::load(path, trust).map_err(|error| {
        let exit = if is_there(path) { Exit::Data } else { Exit::NoInput };
        Stop::new(exit, error.to_string())
    })?;
    notices.extend(loaded.warning);
    Ok(Loaded { ring: loaded.ring, notices })
}

fn is_there(path: &Path) -> bool {
    !matches!(fs::symlink_metadata(path), Err(error) if error.kind() == ErrorKind::NotFound)
}

/// One key for each use that the policy has work for, as `backstop key new` makes them.
fn new_ring(policy: &Policy, today: Day) -> Result<KeyRing, Stop> {
    let mut ring = KeyRing::empty();
    let srs = policy.srs().map(|_| (Use::Srs, Mac::Sha1, 21));
    for (usage, mac, days) in [(Use::Prvs, Mac::Sha256, 10)].into_iter().chain(srs) {
        let octet = random::<1>()?.first().copied().unwrap_or_default();
        let wrong = |error: backstop::Error| Stop::new(Exit::Os, error.to_string());
        let id = ring.free_id(usage, &Domains::all(), octet).map_err(wrong)?;
        let secret = Secret::new(&*random::<32>()?).map_err(wrong)?;
        let (from, until, domains) = (Some(today), None, Domains::all());
        ring = ring.add(&NewKey { usage, id, mac, days, from, until, domains, secret }).map_err(wrong)?;
    }
    Ok(ring)
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Stop> {
    let mut octets = Zeroizing::new([0; N]);
    getrandom::fill(&mut *octets)
        .map_err(|error| Stop::new(Exit::Os, format!("the system gives no random: {error}")))?;
    Ok(octets)
}
