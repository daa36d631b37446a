//! Key rings in files: load with checks, create, replace in place.
//!
//! The only file of the core that reads and writes files; `keystore.rs` asks whether one changed. Checks look at
//! the open descriptor, so that no other file can be slipped in between. A ring is refused if others may read or
//! write it, or its group may write it.
//!
//! An edit locks the file, reads it, writes a new one beside it with the same owner, group and mode, and renames it into
//! place, so that a reader sees the old ring or the new one, and a failure leaves the old one. A symlink is followed and
//! stays. The new file is `.NAME.new`; one that a killed edit left behind is removed by the next, which holds the lock.
//! The lock is advisory (`flock`): an editor that knows nothing of it is not held back, and who waits for it in vain
//! gives up after [`PATIENCE`]. A new file is made under its name; a host that falls then may leave it empty, which the next
//! one who makes it is told. Access control lists and extended attributes are not carried over.
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
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::error::Error;
use crate::key::{KeyRing, MAX_TEXT};

/// How long an edit waits for another one.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How long it waits until it looks at the lock again.
const NAP: Duration = Duration::from_millis(20);
const RING: &str = "the key ring";

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
#[non_exhaustive]
pub struct Loaded {
    /// The ring.
    pub ring: KeyRing,
    /// What to log: only [`Trust::AnyMode`] let the file pass, or it was replaced and its folder cannot be synced.
    pub warning: Option<String>,
}

/// Reads the ring in a file.
///
/// # Errors
/// [`Error::File`] if it cannot be read, is no regular file, is too long, others have access, or it is no ring.
pub fn load(path: impl AsRef<Path>, trust: Trust) -> Result<Loaded, Error> {
    let path = path.as_ref();
    let file = open(path, OpenOptions::new().read(true), RING)?;
    let (loaded, _) = read(&file, path, trust)?;
    Ok(loaded)
}

/// Whether something has this name, or may have it: only what surely is not there is to be made.
pub fn is_there(path: impl AsRef<Path>) -> bool {
    !matches!(fs::symlink_metadata(path), Err(error) if error.kind() == ErrorKind::NotFound)
}

/// Reads another file that people write, such as a policy: a regular file of at most 1 MiB, whatever its mode.
///
/// `what` names in an error what was looked for: `the policy`.
///
/// # Errors
/// [`Error::File`] if it cannot be read, is no regular file or is too long.
pub fn read_text(path: impl AsRef<Path>, what: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let path = path.as_ref();
    let (text, _) = octets(&open(path, OpenOptions::new().read(true), what)?, path, what)?;
    Ok(text)
}

/// Makes a new file with this ring: mode 0600, or 0640 with a group that may read it. No moment gives more access.
///
/// # Errors
/// [`Error::File`] if the file exists or cannot be written, or the group is [`u32::MAX`]; then none is left behind.
pub fn create(path: impl AsRef<Path>, ring: &KeyRing, group: Option<u32>) -> Result<(), Error> {
    let path = path.as_ref();
    // The system takes it for "the same as now", and the mode would let in a group that nobody named.
    if group == Some(u32::MAX) {
        return Err(fault(path, format!("cannot be given to group {}, which can be none; name another one", u32::MAX)));
    }
    let file = new_file(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => match fs::metadata(path) {
            Ok(there) if there.is_file() && there.len() == 0 => {
                fault(path, "is there already and empty; delete it first, unless another program is just making it")
            }
            Ok(there) if there.is_file() => fault(path, "is there already; add to it with `backstop key add`"),
            Ok(_) => no_file(path, RING),
            Err(error) => because(path, "is there already and cannot be followed", &error),
        },
        _ => fault(path, format!("cannot be made: {}", in_words_of_new(&error))),
    })?;
    let failed = |error: io::Error| because(path, "cannot be written", &error);
    let fill = || {
        // An edit that comes now waits until the file is whole.
        acquire(&file, Instant::now() + PATIENCE).map_err(failed)?;
        (&file).write_all(ring.as_text().as_bytes()).map_err(failed)?;
        let mode = if group.is_some() { 0o640 } else { 0o600 };
        give_access(&file, None, group, mode).map_err(|error| match group {
            Some(group) if error.kind() == ErrorKind::PermissionDenied => {
                let remedy = "the user that runs this is not in it; run it as root, or name a group of that user";
                fault(path, format!("cannot be given to group {group}: {remedy}"))
            }
            _ => failed(error),
        })?;
        file.sync_all().and_then(|()| sync_folder(path)).map_err(failed)
    };
    fill().inspect_err(|_| drop(fs::remove_file(path)))
}

/// Replaces the ring in a file by what `change` makes of it; a ring with the same text leaves the file alone.
///
/// Edits of one file wait for each other, at most [`PATIENCE`]. The ring that comes back is the new one.
///
/// # Errors
/// [`Error::File`] as for [`load`], if another program keeps the lock, or if the new file cannot be written or given the
/// same owner and group; else the error of `change`. The old file then stays. Once the new file is in place nothing is an
/// error any more: that a crash of the host may still undo it is a warning.
pub fn edit(
    path: impl AsRef<Path>,
    trust: Trust,
    change: impl FnOnce(&KeyRing) -> Result<KeyRing, Error>,
) -> Result<Loaded, Error> {
    let path = path.as_ref();
    let (file, target) = lock(path, PATIENCE)?;
    let (old, metadata) = read(&file, path, trust)?;
    one_name(&metadata, path)?;
    let ring = change(&old.ring)?;
    if ring.as_text() == old.ring.as_text() {
        return Ok(Loaded { ring, warning: old.warning });
    }
    replace(&target, &ring, &metadata).map_err(|error| because(path, "cannot be replaced", &error))?;
    let unsynced = sync_folder(&target).err().map(|error| {
        let told = "the change is made, but a crash of the host may undo it, since its folder cannot be synced";
        format!("{}: {told}: {}", path.display(), in_words(&error))
    });
    let warning = [old.warning, unsynced].into_iter().flatten().reduce(|one, other| format!("{one}; {other}"));
    Ok(Loaded { ring, warning })
}

fn fault(path: &Path, message: impl Into<String>) -> Error {
    Error::File { path: path.display().to_string(), message: message.into() }
}

fn because(path: &Path, what: &str, error: &io::Error) -> Error {
    fault(path, format!("{what}: {}", in_words(error)))
}

fn no_file(path: &Path, what: &str) -> Error {
    fault(path, format!("is no regular file; name the file that holds {what}"))
}

/// Like [`in_words`], for a file that was to be made: what is not there is its folder.
///
/// ```
/// use std::io::{Error, ErrorKind};
/// let lost = backstop::keyfile::in_words_of_new(&Error::from(ErrorKind::NotFound));
/// assert_eq!(lost, "its folder is not there; make that first");
/// ```
pub fn in_words_of_new(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "its folder is not there; make that first".to_owned(),
        _ => in_words(error),
    }
}

/// Why the file system refused something, and what to do, in words instead of the system's numbers.
///
/// ```
/// use std::io::{Error, ErrorKind};
/// let full = backstop::keyfile::in_words(&Error::from(ErrorKind::StorageFull));
/// assert_eq!(full, "no room is left on its file system; make some and try again");
/// ```
pub fn in_words(error: &io::Error) -> String {
    let words = match error.kind() {
        ErrorKind::NotFound => "it is not there; correct its name",
        ErrorKind::PermissionDenied => {
            "the user that runs this has not the right; run it as another one, or change the rights of the file and of \
             its folders"
        }
        ErrorKind::NotADirectory => "a part of its path is no folder; correct its name",
        ErrorKind::IsADirectory => "it is a folder; name a file",
        ErrorKind::InvalidFilename => "its name is too long or not allowed there; choose another one",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "no room is left on its file system; make some and try again"
        }
        ErrorKind::FileTooLarge => "it would be longer than this process may write; raise that limit (`ulimit -f`)",
        ErrorKind::ReadOnlyFilesystem => "its file system is read-only; choose another place, or have it made writable",
        _ => {
            let text = error.to_string();
            return match text.split_once(" (os error") {
                Some((words, _)) => format!("{words}; look at the file, at its folders and at its file system"),
                None => text,
            };
        }
    };
    words.to_owned()
}

/// A path as a shell takes it back: in quotes where it holds anything that a shell would not leave alone.
pub fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"/._-+:,@%=".contains(&octet) || octet >= 0x80;
    if !text.is_empty() && text.bytes().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn open(path: &Path, options: &OpenOptions, what: &str) -> Result<File, Error> {
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::NotFound if fs::symlink_metadata(path).is_ok() => {
            fault(path, "is a link to a file that is not there; make that, or correct the link")
        }
        ErrorKind::NotFound if what == RING => fault(path, "is not there; `backstop key new` makes a key ring"),
        _ => because(path, "cannot be opened", &error),
    };
    // Looked at before as well: opening a pipe would wait for its other end.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(no_file(path, what));
    }
    options.open(path).map_err(failed)
}

/// Checks and reads an open file.
fn octets(file: &File, path: &Path, what: &str) -> Result<(Zeroizing<Vec<u8>>, Metadata), Error> {
    let metadata = file.metadata().map_err(|error| because(path, "cannot be examined", &error))?;
    if !metadata.is_file() {
        return Err(no_file(path, what));
    }
    // Large enough from the start: growing would leave copies of the secrets behind.
    let room = usize::try_from(metadata.len()).unwrap_or(MAX_TEXT).min(MAX_TEXT) + 64;
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    let limit = u64::try_from(MAX_TEXT).unwrap_or(u64::MAX);
    file.take(limit + 1).read_to_end(&mut text).map_err(|error| because(path, "cannot be read", &error))?;
    if text.len() > MAX_TEXT {
        return Err(fault(path, format!("is longer than {MAX_TEXT} octets; name the file that holds {what}")));
    }
    Ok((text, metadata))
}

/// Reads the ring in an open file. Its mode is looked at last: what is no ring needs no other mode.
fn read(file: &File, path: &Path, trust: Trust) -> Result<(Loaded, Metadata), Error> {
    let (text, metadata) = octets(file, path, RING)?;
    let ring = KeyRing::parse(&text).map_err(|error| fault(path, error.to_string()))?;
    let warning = too_open(&metadata, path);
    if let (Some(warning), Trust::Private) = (&warning, trust) {
        return Err(fault(path, warning.as_str()));
    }
    let warning = warning.map(|warning| format!("{}: {warning}", path.display()));
    Ok((Loaded { ring, warning }, metadata))
}

/// Opens and locks the file that a path names in the end, and says which that is.
fn lock(path: &Path, patience: Duration) -> Result<(File, PathBuf), Error> {
    let end = Instant::now() + patience;
    loop {
        let file = open(path, OpenOptions::new().read(true).write(true), RING)?;
        acquire(&file, end).map_err(|error| because(path, "cannot be locked", &error))?;
        let named = fs::canonicalize(path).and_then(|target| Ok((fs::metadata(&target)?, target)));
        let (now, target) = named.map_err(|error| because(path, "cannot be examined", &error))?;
        let locked = file.metadata().map_err(|error| because(path, "cannot be examined", &error))?;
        // While this edit waited, another one may have renamed its new file into place.
        if same_file(&locked, &now) {
            return Ok((file, target));
        }
    }
}

/// Takes the lock of an open file; looked at again and again, since a wait for it could not be ended.
fn acquire(file: &File, end: Instant) -> io::Result<()> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(fs::TryLockError::Error(error)) => return Err(error),
            Err(fs::TryLockError::WouldBlock) if Instant::now() < end => thread::sleep(NAP),
            Err(fs::TryLockError::WouldBlock) => {
                let held = "another program keeps it locked; end that program, or wait for it, and try again";
                return Err(io::Error::new(ErrorKind::TimedOut, held));
            }
        }
    }
}

/// Writes a file beside the target and renames it into place, its last step.
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
    })
}

/// A new file `.NAME.new`, on the same file system because in the same folder. One that is there already was left by an
/// edit that was killed: no other one can be at work, since the caller has the lock.
fn file_beside(target: &Path) -> io::Result<(File, PathBuf)> {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".new");
    let path = target.with_file_name(name);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => new_file(&path).map(|file| (file, path)),
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
    Some(format!("{who} (mode {mode:04o}); run `chmod g-w,o-rwx {}`", shell_word(path)))
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
    #[test]
    fn a_lock_that_is_kept_is_waited_for_in_vain_and_not_for_ever() {
        let path = std::env::temp_dir().join(format!("backstop-lock-{}", std::process::id()));
        let holder = new_file(&path).unwrap();
        holder.lock().unwrap();
        let refused = lock(&path, Duration::from_millis(50)).map(drop);
        holder.unlock().unwrap();
        let free = lock(&path, Duration::ZERO).map(drop);
        fs::remove_file(&path).unwrap();
        let expected =
            "cannot be locked: another program keeps it locked; end that program, or wait for it, and try again";
        assert_eq!(refused, Err(fault(&path, expected)));
        assert_eq!(free, Ok(()));
    }

    #[test]
    fn what_the_file_system_says_becomes_a_sentence_with_a_remedy() {
        // EPERM, ENOENT, EIO, EACCES, ENOTDIR, EISDIR, EFBIG, ENOSPC, EROFS: the same numbers on every Unix.
        for number in [1, 2, 5, 13, 20, 21, 27, 28, 30] {
            let words = in_words(&io::Error::from_raw_os_error(number));
            assert!(words.contains("; ") && !words.contains("os error"), "{number}: {words}");
        }
    }

    #[test]
    fn a_path_is_quoted_where_a_shell_would_not_leave_it_alone() {
        for (path, word) in
            [("/etc/keys-2_a.b", "/etc/keys-2_a.b"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("", "''")]
        {
            assert_eq!(shell_word(Path::new(path)), word);
        }
    }
}
