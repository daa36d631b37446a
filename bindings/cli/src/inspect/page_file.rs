//! The file of `--html`: looked at before the run, replaced behind it.
//!
//! What is there already is replaced only if it is empty or begins as a page of this command does, and is no input: of
//! swapped names none may cost a mailbox. The page is written to a new file in the same folder, which then takes the name,
//! so that an older page is whole until the new one is. That such a file can be made is tried before the run.
//!
//! A link is followed: the page is made where it ends, and the link stays. A link to nothing is refused. What is no
//! regular file, as `/dev/stdout`, is written to as it is. The new file has the rights of the old one, and its owner and
//! group where this user may give them.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
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
    /// Open: a device or a pipe.
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
        match self.place {
            Place::Open(mut file) => file.write_all(page.as_bytes()).map_err(|error| {
                Stop::trouble(format!("{} is cut short: {}", path.display(), keyfile::in_words(&error)))
            }),
            Place::File(target) => replace(&target, page).map_err(|error| {
                unwritten(path, &format!("{}; what it held before stays", keyfile::in_words_of_new(&error)))
            }),
        }
    }
}

fn unwritten(path: &Path, why: &str) -> Stop {
    Stop::trouble(format!("{} cannot be written: {why}, or name another --html", path.display()))
}

fn place(path: &Path, inputs: &[PathBuf]) -> io::Result<Place> {
    let target = match fs::metadata(path) {
        Ok(it) if it.is_dir() => return Err(ErrorKind::IsADirectory.into()),
        Ok(it) if !it.is_file() => return OpenOptions::new().write(true).open(path).map(Place::Open),
        Ok(_) => fs::canonicalize(path)?,
        Err(error) if error.kind() == ErrorKind::NotFound && path.is_symlink() => {
            return Err(io::Error::other("it is a link to a file that is not there; make that, or remove the link"));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    if inputs.iter().any(|input| input == path || fs::canonicalize(input).is_ok_and(|input| input == target)) {
        return Err(io::Error::other(INPUT));
    }
    replaceable(&target)?;
    let (_, beside) = new_beside(&target)?;
    fs::remove_file(beside)?;
    Ok(Place::File(target))
}

/// What is known of the file to replace, if there is one and it may be replaced.
fn replaceable(target: &Path) -> io::Result<Option<Metadata>> {
    let file = match OpenOptions::new().read(true).write(true).open(target) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut head = Vec::with_capacity(START.len());
    (&file).take(START.len() as u64).read_to_end(&mut head)?;
    match head.is_empty() || head == START.as_bytes() {
        true => file.metadata().map(Some),
        false => Err(io::Error::other(OTHER)),
    }
}

fn replace(target: &Path, page: &str) -> io::Result<()> {
    // Looked at once more: the run may have been long.
    let old = replaceable(target)?;
    let (file, beside) = new_beside(target)?;
    let fill = || {
        (&file).write_all(page.as_bytes())?;
        if let Some(old) = old {
            keep_owner(&file, &old);
            file.set_permissions(old.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&beside, target)
    };
    fill().inspect_err(|_| {
        let _ = fs::remove_file(&beside);
    })
}

/// A new file on the same file system, because in the same folder. One of this name was left by a run that was killed.
fn new_beside(target: &Path) -> io::Result<(File, PathBuf)> {
    let path = target.with_file_name(format!(".backstop-{}.new", std::process::id()));
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => File::create_new(&path).map(|file| (file, path)),
    }
}

#[cfg(unix)]
fn keep_owner(file: &File, old: &Metadata) {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    // Each by itself: who may not give a file away may still give it to a group of his.
    let _ = fchown(file, None, Some(old.gid()));
    let _ = fchown(file, Some(old.uid()), None);
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) {}
