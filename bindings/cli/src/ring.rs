//! Finding and loading the key ring: `--keys`, else `$BACKSTOP_KEYS`, else `backstop/keys` in the user's configuration
//! folder.
//!
//! Where there is none the run ends with the command that makes one: nothing is ever signed with a key that nobody kept.

use std::fs;
use std::path::{Path, PathBuf};

use backstop::KeyRing;
use backstop::keyfile::{self, Trust};

use crate::args::Keys;
use crate::output;
use crate::stop::Stop;

/// Where the ring lies.
pub(crate) fn path(keys: &Keys) -> Result<PathBuf, Stop> {
    let in_home = || set("HOME").map(|home| home.join(".config"));
    keys.keys
        .clone()
        .or_else(|| set("BACKSTOP_KEYS"))
        .or_else(|| {
            // The XDG specification has relative ones ignored.
            let folder = set("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute()).or_else(in_home)?;
            Some(folder.join("backstop").join("keys"))
        })
        .ok_or_else(|| Stop::trouble("no key ring is named and there is no home folder; give --keys FILE"))
}

/// A variable of the environment, unless it is empty.
fn set(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Loads the ring.
pub(crate) fn load(keys: &Keys) -> Result<KeyRing, Stop> {
    load_from(&path(keys)?, keys)
}

/// Reads the ring in this file; what only `--allow-unsafe-keys` let pass is told on standard error.
pub(crate) fn load_from(path: &Path, keys: &Keys) -> Result<KeyRing, Stop> {
    if !keyfile::is_there(path) {
        return Err(missing(path, keys));
    }
    let loaded = keyfile::load(path, trust(keys))?;
    tell(loaded.warning);
    Ok(loaded.ring)
}

/// What the arguments say of modes.
pub(crate) const fn trust(keys: &Keys) -> Trust {
    if keys.allow_unsafe_keys { Trust::AnyMode } else { Trust::Private }
}

/// Shows the warning that came with a ring.
pub(crate) fn tell(warning: Option<String>) {
    if let Some(warning) = warning {
        output::tell(&format!("warning: {warning}"));
    }
}

/// Trouble that names the command which makes the ring.
fn missing(path: &Path, keys: &Keys) -> Stop {
    let remedy = match &keys.keys {
        Some(file) => format!("make one with `backstop key new --keys {}`", keyfile::shell_word(file)),
        None => "make one with `backstop key new`, or name one with --keys FILE".to_owned(),
    };
    Stop::trouble(format!("there is no key ring at {}; {remedy}", path.display()))
}

/// Whether somebody said which ring it is.
pub(crate) fn is_named(keys: &Keys) -> bool {
    keys.keys.is_some() || set("BACKSTOP_KEYS").is_some()
}

/// Where the ring lies that is about to be edited; it must be there.
pub(crate) fn existing(keys: &Keys) -> Result<PathBuf, Stop> {
    let path = path(keys)?;
    if keyfile::is_there(&path) { Ok(path) } else { Err(missing(&path, keys)) }
}

/// Makes the folder for a ring at the default place, for the user alone.
pub(crate) fn make_folder(path: &Path) -> Result<(), Stop> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| {
        let (folder, why) = (folder.display(), keyfile::in_words(&error));
        Stop::trouble(format!("{folder} cannot be made: {why}, or name a ring elsewhere with --keys"))
    })
}
