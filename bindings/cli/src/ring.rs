//! Finding and loading the key ring: `--keys`, else `$BACKSTOP_KEYS`, else `backstop/keys` in the user's configuration
//! folder.
//!
//! Where there is none the run ends with the command that makes one: nothing is ever signed with a key that nobody kept.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use backstop::KeyRing;

use crate::args::Keys;
use crate::stop::Stop;

/// Where the ring lies.
pub(crate) fn path(keys: &Keys) -> Result<PathBuf, Stop> {
    let set = |name| std::env::var_os(name).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from);
    let in_home = || set("HOME").map(|home| home.join(".config"));
    keys.keys
        .clone()
        .or_else(|| set("BACKSTOP_KEYS"))
        .or_else(|| Some(set("XDG_CONFIG_HOME").or_else(in_home)?.join("backstop").join("keys")))
        .ok_or_else(|| Stop::trouble("no key ring is named and there is no home folder; give --keys FILE"))
}

/// Loads the ring.
pub(crate) fn load(keys: &Keys) -> Result<KeyRing, Stop> {
    load_from(&path(keys)?, keys)
}
