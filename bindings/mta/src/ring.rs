//! The key ring: from the file that the configuration names, else from the state directory, made there if need be.
//!
//! A ring that the daemon made itself is known to this host alone. Another host that sends mail for the same domains
//! would sign with other keys, and its bounces be refused here: enforce is refused until the configuration names the
//! ring, which is when somebody has thought about it.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use backstop::policy::{Mode, Need, Policy};
use backstop::settings::quoted;
use backstop::{Day, Domains, KeyRing, NewKey, Secret, Use, keyfile};
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
                 these domains would be refused; share {} with them and write [keys] file = {}",
                own.display(),
                quoted(&own.display().to_string())
            )));
        }
        if !keyfile::is_there(path) {
            if !make {
                let ring = KeyRing::empty();
                notices.push(format!("there is no key ring at {} yet; a start makes it", path.display()));
                return Ok(Loaded { ring, notices });
            }
            let today = today.ok_or_else(|| Stop::new(Exit::Os, "the clock shows no time between 1970 and 9999"))?;
            let ring = new_ring(&config.policy, today)?;
            let folder = fs::DirBuilder::new().recursive(true).mode(0o700).create(state);
            folder.map_err(|error| {
                let (state, why) = (state.display(), keyfile::in_words(&error));
                Stop::new(
                    Exit::CannotCreate,
                    format!("the state directory {state} cannot be made: {why}; name another with --state"),
                )
            })?;
            keyfile::create(path, &ring, None).map_err(|error| {
                Stop::new(Exit::CannotCreate, format!("{error}; the state directory is set by --state"))
            })?;
            notices.push(format!("made the key ring {}", path.display()));
        }
    }
    let trust = if config.keys.allow_unsafe { keyfile::Trust::AnyMode } else { keyfile::Trust::Private };
    let loaded = keyfile::load(path, trust).map_err(|error| {
        let exit = if keyfile::is_there(path) { Exit::Data } else { Exit::NoInput };
        Stop::new(exit, error.to_string())
    })?;
    if loaded.ring.keys().is_empty() {
        return Err(Stop::new(
            Exit::Data,
            format!("{}: the ring has no key; `backstop key add` makes one", path.display()),
        ));
    }
    notices.extend(loaded.warning);
    notices.extend(today.and_then(|today| unsigned(&config.policy, &loaded.ring, today)));
    Ok(Loaded { ring: loaded.ring, notices })
}

/// What is to be said about own domains for which no key signs today.
fn unsigned(policy: &Policy, ring: &KeyRing, today: Day) -> Option<String> {
    let signs = |part: &Domains| {
        let mut keys = ring.keys().iter().filter(|key| matches!(key.usage(), Use::Prvs | Use::Bst1));
        keys.any(|key| key.signs_on(today) && key.domains().covers(part))
    };
    let unsigned = policy
        .own_domains()
        .parts()
        .filter(|(domain, part)| policy.mode_on(domain.as_bytes(), today) != Mode::Off && !signs(part));
    let unsigned: Vec<&str> = unsigned.map(|(domain, _)| domain).collect();
    (!unsigned.is_empty()).then(|| {
        let names = unsigned.join(",");
        format!(
            "no key signs for {names} today, so that its mail leaves unsigned; `backstop key add --domains {names}`"
        )
    })
}

/// One key for each use that the policy has work for, as `backstop key new` makes them.
fn new_ring(policy: &Policy, today: Day) -> Result<KeyRing, Stop> {
    let mut ring = KeyRing::empty();
    for usage in [Use::Prvs].into_iter().chain(policy.srs().map(|_| Use::Srs)) {
        let octet = random::<1>()?.first().copied().unwrap_or_default();
        let wrong = |error: backstop::Error| Stop::new(Exit::Os, error.to_string());
        let id = ring.free_id(usage, &Domains::all(), octet).map_err(wrong)?;
        let secret = Secret::new(&*random::<32>()?).map_err(wrong)?;
        let (mac, days) = (usage.default_mac(), usage.default_days());
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
