//! Key rings in files: load with checks, create, replace in place.
//!
//! The only file of the core that touches the file system. Checks look at the open descriptor, so that no other file can
//! be slipped in between. A ring is refused if others may read or write it, or its group may write it.
//!
//! An edit locks the file, reads it, writes a new one beside it with the same owner, group and mode, and renames it into
//! place, so that a reader sees the old ring or the new one, and a failure leaves the old one. A symlink is followed and
//! stays. The lock is advisory (`flock`): an editor that knows nothing of it is not held back. Access control lists and
//! extended attributes are not carried over.
//!
//! Modes, owners and inodes are those of Unix; elsewhere they are neither checked nor kept.
//!
//! ```
//! use backstop::keyfile::{self, Trust};
//! use backstop::{Day, KeyRing};
//! # let folder = std::env::temp_dir().join(format!("backstop-doc-{}", std::process::id()));
//! # std::fs::create_dir(&folder).unwrap();
//! let path = folder.join("keys");
//! keyfile::create(&path, &KeyRing::parse(b"version 1\nprvs 0 sha1 7 - 2026-01-31 * text:an example\n")?, None)?;
//! keyfile::edit(&path, Trust::Private, |ring| Ok(ring.prune(Day::parse("2026-11-21")?)?.0))?;
//! assert!(keyfile::load(&path, Trust::Private)?.ring.keys().is_empty());
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok::<(), backstop::Error>(())
//! ```

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
#[cfg(unix)]
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::Error;
use crate::key::{KeyRing, MAX_TEXT};

/// How many names an edit tries for its new file; one is enough unless earlier edits were killed.
const TRIES: u32 = 16;

/// What a key file must keep from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// Others may neither read nor write it, nor its group write it.
    #[default]
    Private,
    /// Any mode, for containers that cannot set one; what [`Trust::Private`] would refuse becomes a warning.
    AnyMode,
}

/// A ring from a file.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The ring.
    pub ring: KeyRing,
    /// A sentence to log, if only [`Trust::AnyMode`] let the file pass.
    pub warning: Option<String>,
}

/// Reads the ring in a file.
///
/// # Errors
/// [`Error::File`] if it cannot be read, is no regular file, is too long, others have access, or it is no ring.
pub fn load(path: impl AsRef<Path>, trust: Trust) -> Result<Loaded, Error> {
    let path = path.as_ref();
    let file = open(path, OpenOptions::new().read(true))?;
    let (loaded, _) = read(&file, path, trust)?;
    Ok(loaded)
}

/// Makes a new file with this ring: mode 0600, or 0640 with a group that may read it. No moment gives more access.
///
/// # Errors
/// [`Error::File`] if the file exists or cannot be written; then none is left behind.
pub fn create(path: impl AsRef<Path>, ring: &KeyRing, group: Option<u32>) -> Result<(), Error> {
    let path = path.as_ref();
    let file = new_file(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => fault(path, "is there already; add to it, or move it away"),
        ErrorKind::NotFound => fault(path, "cannot be made: its folder is not there; make that first"),
        _ => because(path, "cannot be made", &error),
    })?;
    let fill = || {
        // An edit that comes now waits until the file is whole.
        file.lock()?;
        (&file).write_all(ring.as_text().as_bytes())?;
        give_access(&file, None, group, if group.is_some() { 0o640 } else { 0o600 })?;
        file.sync_all()?;
        sync_folder(path)
    };
    fill().map_err(|error| {
        let _ = fs::remove_file(path);
        because(path, "cannot be written", &error)
    })
}

/// Replaces the ring in a file by what `change` makes of it; a ring with the same text leaves the file alone.
///
/// Edits of one file wait for each other. The ring that comes back is the new one.
///
/// # Errors
/// [`Error::File`] as for [`load`], or if the new file cannot be written or given the same owner and group; else the
/// error of `change`. The old file then stays.
pub fn edit(
    path: impl AsRef<Path>,
    trust: Trust,
    change: impl FnOnce(&KeyRing) -> Result<KeyRing, Error>,
) -> Result<Loaded, Error> {
    let path = path.as_ref();
    let (file, target) = lock(path)?;
    let (old, metadata) = read(&file, path, trust)?;
    one_name(&metadata, path)?;
    let ring = change(&old.ring)?;
    if ring.as_text() != old.ring.as_text() {
        replace(&target, &ring, &metadata).map_err(|error| because(path, "cannot be replaced", &error))?;
    }
    Ok(Loaded { ring, warning: old.warning })
}

fn fault(path: &Path, message: impl Into<String>) -> Error {
    Error::File { path: path.display().to_string(), message: message.into() }
}

fn because(path: &Path, what: &str, error: &io::Error) -> Error {
    fault(path, format!("{what}: {error}"))
}

fn open(path: &Path, options: &OpenOptions) -> Result<File, Error> {
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => fault(path, "is not there; `backstop key new` makes a key ring"),
        _ => because(path, "cannot be opened", &error),
    };
    // Looked at before as well: opening a pipe would wait for its other end.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(fault(path, "is no regular file; name the file that holds the key ring"));
    }
    options.open(path).map_err(failed)
}

/// Checks and reads an open file.
fn read(file: &File, path: &Path, trust: Trust) -> Result<(Loaded, Metadata), Error> {
    let metadata = file.metadata().map_err(|error| because(path, "cannot be examined", &error))?;
    if !metadata.is_file() {
        return Err(fault(path, "is no regular file; name the file that holds the key ring"));
    }
    let warning = too_open(&metadata, path);
    if let (Some(warning), Trust::Private) = (&warning, trust) {
        return Err(fault(path, warning.as_str()));
    }
    let limit = u64::try_from(MAX_TEXT).unwrap_or(u64::MAX);
    if metadata.len() > limit {
        return Err(fault(path, format!("is longer than {MAX_TEXT} octets and so no key ring; name another file")));
    }
    // Large enough from the start: growing would leave copies of the secrets behind.
    let room = usize::try_from(metadata.len()).unwrap_or(MAX_TEXT) + 64;
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    file.take(limit + 1).read_to_end(&mut text).map_err(|error| because(path, "cannot be read", &error))?;
    let ring = KeyRing::parse(&text).map_err(|error| fault(path, error.to_string()))?;
    let warning = warning.map(|warning| format!("{}: {warning}", path.display()));
    Ok((Loaded { ring, warning }, metadata))
}

/// Opens and locks the file that a path names in the end, and says which that is.
fn lock(path: &Path) -> Result<(File, PathBuf), Error> {
    loop {
        let file = open(path, OpenOptions::new().read(true).write(true))?;
        file.lock().map_err(|error| because(path, "cannot be locked", &error))?;
        let named = fs::canonicalize(path).and_then(|target| Ok((fs::metadata(&target)?, target)));
        let (now, target) = named.map_err(|error| because(path, "cannot be examined", &error))?;
        let locked = file.metadata().map_err(|error| because(path, "cannot be examined", &error))?;
        // While this edit waited, another one may have renamed its new file into place.
        if same_file(&locked, &now) {
            return Ok((file, target));
        }
    }
}

/// Writes a file beside the target and renames it into place.
fn replace(target: &Path, ring: &KeyRing, old: &Metadata) -> io::Result<()> {
    let (file, path) = file_beside(target)?;
    let fill = || {
        (&file).write_all(ring.as_text().as_bytes())?;
        keep_access(&file, old)?;
        file.sync_all()?;
        fs::rename(&path, target)
    };
    fill().inspect_err(|_| {
        let _ = fs::remove_file(&path);
    })?;
    sync_folder(target)
}

/// A new file `.NAME.N.new`, on the same file system because in the same folder.
fn file_beside(target: &Path) -> io::Result<(File, PathBuf)> {
    let mut number = 0;
    loop {
        let mut name = OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(format!(".{number}.new"));
        let path = target.with_file_name(name);
        match new_file(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < TRIES => number += 1,
            made => return made.map(|file| (file, path)),
        }
    }
}

fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path)
}

#[cfg(unix)]
fn too_open(metadata: &Metadata, path: &Path) -> Option<String> {
    let mode = metadata.mode() & 0o7777;
    let who = match (mode & 0o006, mode & 0o020) {
        (0, 0) => return None,
        (0, _) => "its group may write to it",
        _ => "others may read or write it",
    };
    Some(format!("{who} (mode {mode:04o}); run `chmod g-w,o-rwx {}`", path.display()))
}

#[cfg(not(unix))]
fn too_open(_: &Metadata, _: &Path) -> Option<String> {
    None
}

/// A rename gives a new file to one name and leaves the old one to the others.
#[cfg(unix)]
fn one_name(metadata: &Metadata, path: &Path) -> Result<(), Error> {
    let count = metadata.nlink();
    if count <= 1 {
        return Ok(());
    }
    let what = "names (hard links), of which an edit would change one; use a symlink instead";
    Err(fault(path, format!("has {count} {what}")))
}

#[cfg(not(unix))]
fn one_name(_: &Metadata, _: &Path) -> Result<(), Error> {
    Ok(())
}

#[cfg(unix)]
fn same_file(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn same_file(_: &Metadata, _: &Metadata) -> bool {
    true
}

#[cfg(unix)]
fn keep_access(file: &File, old: &Metadata) -> io::Result<()> {
    let new = file.metadata()?;
    let owner = Some(old.uid()).filter(|&owner| owner != new.uid());
    let group = Some(old.gid()).filter(|&group| group != new.gid());
    give_access(file, owner, group, old.mode() & 0o7777)
}

#[cfg(not(unix))]
fn keep_access(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Owner and group first: the mode would open the file to the wrong ones.
#[cfg(unix)]
fn give_access(file: &File, owner: Option<u32>, group: Option<u32>, mode: u32) -> io::Result<()> {
    if owner.is_some() || group.is_some() {
        fchown(file, owner, group)?;
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn give_access(_: &File, _: Option<u32>, _: Option<u32>, _: u32) -> io::Result<()> {
    Ok(())
}

/// Makes a new name in a folder last.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            File::open(folder)?.sync_all()
        }
        _ => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_closed_to_others_from_its_first_moment() {
        let path = std::env::temp_dir().join(format!("backstop-new-{}", std::process::id()));
        let file = new_file(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(file.metadata().unwrap().mode() & 0o077, 0);
    }
}
