//! `backstop key`: makes and changes key rings. What a ring may hold and what an edit does is the library's to say; here
//! secrets are read or drawn, files are named, and what was done is told. No secret is ever shown or taken from the
//! arguments.

mod edit;
mod import;
mod make;
mod show;

use std::io::Read;
use std::path::Path;

use backstop::{Day, KeyId, Secret, Use, keyfile};
use zeroize::Zeroizing;

use crate::args;
use crate::output;
use crate::stop::{Outcome, Run, Stop};

/// The most octets of a file with secrets.
const MAX_FILE: u64 = 1 << 20;
/// What is to be done behind an edit.
const COPY: &str = "copy the ring to all hosts and reload their daemons";

pub(crate) fn run(args: &args::Key) -> Run {
    match args {
        args::Key::New(args) => make::new(args),
        args::Key::Add(args) => make::add(args),
        args::Key::List(args) => show::list(args),
        args::Key::Rotate(args) => edit::rotate(args),
        args::Key::Retire(args) => edit::retire(args),
        args::Key::Prune(args) => edit::prune(args),
        args::Key::Check(args) => show::check(args),
        args::Key::Import(args) => import::run(args),
    }
}

/// Fills the octets from the system's source of randomness.
pub(crate) fn fill_random(octets: &mut [u8]) -> Result<(), Stop> {
    getrandom::fill(octets)
        .map_err(|error| Stop::trouble(format!("the system gives no random octets: {error}; try again")))
}

/// A random secret of 32 octets.
pub(crate) fn random_secret() -> Result<Secret, Stop> {
    let mut octets = Zeroizing::new([0; 32]);
    fill_random(octets.as_mut())?;
    Ok(Secret::new(octets.as_ref())?)
}

fn random_octet() -> Result<u8, Stop> {
    let mut octet = [0];
    fill_random(&mut octet)?;
    let [octet] = octet;
    Ok(octet)
}

fn date(day: Option<Day>) -> String {
    day.map_or_else(|| "-".to_owned(), |day| day.to_string())
}

/// A file with secrets, as it is called in what is told.
fn name(file: &Path) -> String {
    if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
}

fn id(usage: Use, id: Option<char>) -> Result<Option<KeyId>, Stop> {
    id.map(|id| KeyId::new(usage, id)).transpose().map_err(Into::into)
}

/// Tells what was done to a ring; where that cannot be told, it is done all the same.
fn done(path: &Path, text: &str) -> Run {
    output::print(text.as_bytes()).map_err(|stop| match stop {
        Stop::Trouble(why) => {
            Stop::Trouble(format!("{} holds what was asked for, see `backstop key list`, but {why}", path.display()))
        }
        Stop::ClosedPipe => Stop::ClosedPipe,
    })?;
    Ok(Outcome::Done)
}

/// Reads a file or pipe with secrets, `-` from standard input.
fn read_secrets(file: &Path) -> Result<Zeroizing<Vec<u8>>, Stop> {
    // Large enough for all but the oddest files, since growing leaves copies behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(64 * 1024));
    let read = match file.to_str() {
        Some("-") => std::io::stdin().lock().take(MAX_FILE).read_to_end(&mut octets),
        _ => std::fs::File::open(file).and_then(|open| {
            tell_if_open(&open, file);
            open.take(MAX_FILE).read_to_end(&mut octets)
        }),
    };
    read.map_err(|error| Stop::trouble(format!("{} cannot be read: {}", name(file), keyfile::in_words(&error))))?;
    Ok(octets)
}

/// Warns of a secret that all users of this host may have read.
#[cfg(unix)]
fn tell_if_open(open: &std::fs::File, file: &Path) {
    let Ok(metadata) = open.metadata() else { return };
    let mode = std::os::unix::fs::MetadataExt::mode(&metadata);
    if metadata.is_file() && mode & 0o006 != 0 {
        let (name, word) = (file.display(), keyfile::shell_word(file));
        output::tell(&format!(
            "warning: {name}: others may read or write it (mode {:04o}); run `chmod o-rwx {word}`, and rotate its keys if \
             somebody may have",
            mode & 0o7777
        ));
    }
}

#[cfg(not(unix))]
fn tell_if_open(_: &std::fs::File, _: &Path) {}
