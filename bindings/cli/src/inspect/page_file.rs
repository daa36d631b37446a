//! The file of `--html`: looked at before the run, replaced behind it.
//!
//! What is there already is replaced only if it is empty or begins as a page of this command does, and is no input: of
//! swapped names none may cost a mailbox. The page is written to a new file in the same folder, which gets owner, group and
//! rights of the older page and then takes its name, so that this is whole until the new one is. Where that cannot be, as
//! in a folder that is not this user's, it is written in place. That either is possible is tried before the run.
//!
//! A link is followed: the page is made where it ends, and the link stays. A link to nothing is refused. What is no
//! regular file is written to as it is. `/dev/stdout` is written in place if it is a file: of the text of the run, which
//! stands there by then, nothing stays.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use backstop::keyfile;

use super::page::START;
use crate::stop::Stop;

const OTHER: &str = "it holds something else than a page of this command; remove it first if nobody needs it";
const INPUT: &str = "it is among the files to read";

/// Where the page goes.
pub(super) struct PageFile<'a> {
    /// As it was given.
    path: &'a Path,
    place: Place,
}

enum Place {
    /// Written to as it is: a device, a pipe, or the file to which standard output goes.
    Open(File),
    /// A file, at the end of all links.
    File(PathBuf),
}

impl<'a> PageFile<'a> {
    /// Looks whether the page can be written, and leaves no trace.
    pub(super) fn new(path: &'a Path, inputs: &[PathBuf]) -> Result<PageFile<'a>, Stop> {
        match place(path, inputs) {
            Ok(place) => Ok(PageFile { path, place }),
            Err(error) => Err(unwritten(path, &keyfile::in_words_of_new(&error))),
        }
    }

    pub(super) fn write(self, page: &str) -> Result<(), Stop> {
        let path = self.path;
        let file = match self.place {
            Place::Open(file) => Some(file),
            Place::File(target) => replace(&target, page).map_err(|error| {
                unwritten(path, &format!("{}; what it held before stays", keyfile::in_words_of_new(&error)))
            })?,
        };
        file.map_or(Ok(()), |file| write_in_place(file, page))
            .map_err(|error| Stop::trouble(format!("{} is cut short: {}", path.display(), keyfile::in_words(&error))))
    }
}

fn unwritten(path: &Path, why: &str) -> Stop {
    Stop::trouble(format!("{} cannot be written: {why}, or name another --html", path.display()))
}

fn place(path: &Path, inputs: &[PathBuf]) -> io::Result<Place> {
    if path == Path::new("-") {
        return Err(io::Error::other("it stands for no file; give /dev/stdout, or ./- for a file of that name"));
    }
    let target = match fs::metadata(path) {
        Ok(it) if it.is_dir() => return Err(ErrorKind::IsADirectory.into()),
        Ok(it) if !it.is_file() => return OpenOptions::new().write(true).open(path).map(Place::Open),
        Ok(_) => fs::canonicalize(path)?,
        Err(error) if error.kind() == ErrorKind::NotFound && path.is_symlink() => {
            return Err(io::Error::other("it is a link to a file that is not there; make that, or remove the link"));
        }
        // As `out/`, which only a folder can have for its name.
        Err(error) if error.kind() == ErrorKind::NotFound && !ends_with_name(path) => {
            return Err(ErrorKind::IsADirectory.into());
        }
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    if inputs.iter().any(|input| input == path || fs::canonicalize(input).is_ok_and(|input| input == target)) {
        return Err(io::Error::other(INPUT));
    }
    match replaceable(&target)? {
        Some(old) if is_stdout(&old) => return Ok(Place::Open(old)),
        Some(_) => {}
        None => fs::remove_file(new_beside(&target, None)?.1)?,
    }
    Ok(Place::File(target))
}

fn ends_with_name(path: &Path) -> bool {
    let octets = path.as_os_str().as_encoded_bytes();
    path.file_name().is_some_and(|name| octets.ends_with(name.as_encoded_bytes()))
}

/// The file to replace, if there is one and it may be replaced and written to.
fn replaceable(target: &Path) -> io::Result<Option<File>> {
    let file = match OpenOptions::new().read(true).write(true).open(target) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut head = Vec::with_capacity(START.len());
    (&file).take(START.len() as u64).read_to_end(&mut head)?;
    match head.is_empty() || head == START.as_bytes() {
        true => Ok(Some(file)),
        false => Err(io::Error::other(OTHER)),
    }
}

/// Puts a new file with the page in place of the old one; or gives that back if it must be written in place.
fn replace(target: &Path, page: &str) -> io::Result<Option<File>> {
    // Looked at once more: the run may have been long.
    let old = replaceable(target)?;
    let rights = old.as_ref().map(File::metadata).transpose()?;
    let (file, beside) = match new_beside(target, rights.as_ref()) {
        Err(_) if old.is_some() => return Ok(old),
        made => made?,
    };
    let fill = || {
        (&file).write_all(page.as_bytes())?;
        if let Some(rights) = rights {
            file.set_permissions(rights.permissions())?;
        }
        file.sync_all()
    };
    let left = fill().and_then(|()| match fs::rename(&beside, target) {
        Err(_) if old.is_some() => Ok(old),
        renamed => renamed.map(|()| None),
    });
    if !matches!(left, Ok(None)) {
        let _ = fs::remove_file(&beside);
    }
    left
}

fn write_in_place(mut file: File, page: &str) -> io::Result<()> {
    if file.metadata()?.is_file() {
        file.set_len(0)?;
        file.rewind()?;
    }
    file.write_all(page.as_bytes())
}

/// A new file on the same file system, because in the same folder. One of this name was left by a run that was killed. In
/// place of an old one it is its owner's, and closed to all others until it has its rights.
fn new_beside(target: &Path, old: Option<&Metadata>) -> io::Result<(File, PathBuf)> {
    let path = target.with_file_name(format!(".backstop-{}.new", std::process::id()));
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let Some(old) = old else { return File::create_new(&path).map(|file| (file, path)) };
    let file = closed(OpenOptions::new().write(true).create_new(true)).open(&path)?;
    match give(&file, old) {
        Ok(()) => Ok((file, path)),
        Err(error) => fs::remove_file(&path).and(Err(error)),
    }
}

#[cfg(unix)]
fn closed(options: &mut OpenOptions) -> &OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(unix)]
fn give(file: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    fchown(file, Some(old.uid()), Some(old.gid()))
}

#[cfg(unix)]
fn is_stdout(file: &File) -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;
    let stdout = io::stdout().as_fd().try_clone_to_owned().and_then(|it| File::from(it).metadata());
    let place = |it: Metadata| (it.dev(), it.ino());
    stdout.is_ok_and(|stdout| file.metadata().is_ok_and(|file| place(file) == place(stdout)))
}

#[cfg(not(unix))]
fn closed(options: &mut OpenOptions) -> &OpenOptions {
    options
}

#[cfg(not(unix))]
fn give(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn is_stdout(_: &File) -> bool {
    false
}
