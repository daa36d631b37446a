//! The messages of files: single messages, mbox, Maildir and other folders, standard input; one at a time.
//!
//! ```text
//! mbox      = 1*( separator message )        separator, at the start or after an empty line (RFC 4155):
//! separator = "From " words weekday month day time [zone] year LF          as "From a@b Fri Nov 20 10:12:00 2026"
//! Maildir   = folder with cur or new; those below it whose names begin with a dot and have these are its folders
//! ```
//!
//! Lines that were quoted with `>From ` stay so. Memory holds one message, of which [`MAX_MESSAGE`] octets are kept, and
//! [`BATCH`] names of files, which are read in the order of their names. What cannot be read is told and counted, and the
//! rest goes on.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::args::Format;
use crate::output;
use crate::stop::Stop;

/// Octets of a message that are looked at.
pub(crate) const MAX_MESSAGE: usize = 16 << 20;
/// Octets that are read at once, and the longest line of an mbox that is looked at as a whole.
const BLOCK: usize = 256 * 1024;
/// Names of a folder that are sorted at once.
const BATCH: usize = 65_536;
/// Octets of a file in which a separator is looked for.
const HEAD: usize = 1024;

/// One message.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    /// Where it lies: the file, with `#NUMBER` if it is one of several.
    pub(crate) file: &'a [u8],
    pub(crate) octets: &'a [u8],
    /// Whether it was longer than [`MAX_MESSAGE`].
    pub(crate) is_cut: bool,
}

/// What is done with each message.
pub(crate) type Judge<'a> = dyn FnMut(Message<'_>) -> Result<(), Stop> + 'a;

/// Why a file was left.
enum Left {
    /// It cannot be read on.
    Unread(io::Error),
    Stop(Stop),
}

impl From<io::Error> for Left {
    fn from(error: io::Error) -> Left {
        Left::Unread(error)
    }
}

impl From<Stop> for Left {
    fn from(stop: Stop) -> Left {
        Left::Stop(stop)
    }
}

/// Reads files, and hands their messages on.
pub(crate) struct Store<'a> {
    pub(crate) format: Format,
    pub(crate) judge: &'a mut Judge<'a>,
    /// The message that is being read.
    message: Vec<u8>,
    is_cut: bool,
    /// Files and folders that were tried, and those that could not be read.
    pub(crate) tried: u64,
    pub(crate) failed: u64,
}

impl<'a> Store<'a> {
    pub(crate) fn new(format: Format, judge: &'a mut Judge<'a>) -> Store<'a> {
        Store { format, judge, message: Vec::new(), is_cut: false, tried: 0, failed: 0 }
    }

    /// All messages of a file or folder, or of standard input for `-`.
    pub(crate) fn read(&mut self, path: &Path) -> Result<(), Stop> {
        let done = if path == OsStr::new("-") {
            let mut input = io::stdin().lock();
            let done = self.stream(b"-", &mut input, self.format);
            // Who writes to the pipe shall not be stopped by a message that is too long.
            done.and_then(|()| io::copy(&mut input, &mut io::sink()).map(drop).map_err(Left::Unread))
        } else if path.is_dir() {
            return self.folder(path);
        } else if self.format == Format::Maildir {
            Err(io::Error::other("it is no folder").into())
        } else {
            self.file(path, self.format)
        };
        self.end(path, done)
    }

    /// Tells and counts what could not be read.
    fn end(&mut self, path: &Path, done: Result<(), Left>) -> Result<(), Stop> {
        self.tried += 1;
        match done {
            Ok(()) => Ok(()),
            Err(Left::Stop(stop)) => Err(stop),
            Err(Left::Unread(error)) => {
                self.failed += 1;
                output::tell(&format!("{} cannot be read: {}", path.display(), backstop::keyfile::in_words(&error)));
                Ok(())
            }
        }
    }

    fn folder(&mut self, path: &Path) -> Result<(), Stop> {
        let is_maildir = |path: &Path| path.join("cur").is_dir() || path.join("new").is_dir();
        if self.format == Format::Maildir || (self.format == Format::Auto && is_maildir(path)) {
            if !is_maildir(path) {
                return self.end(path, Err(io::Error::other("it has neither cur nor new").into()));
            }
            self.maildir(path)?;
            return self.entries(path, &mut |store, path, name| match name.as_encoded_bytes() {
                [b'.', ..] if is_maildir(path) => store.maildir(path),
                _ => Ok(()),
            });
        }
        self.entries(path, &mut |store, path, name| {
            if name.as_encoded_bytes().starts_with(b".") || path.is_dir() {
                return Ok(());
            }
            let done = store.file(path, store.format);
            store.end(path, done)
        })
    }

    fn maildir(&mut self, path: &Path) -> Result<(), Stop> {
        for part in ["cur", "new"].map(|part| path.join(part)).iter().filter(|part| part.is_dir()) {
            self.entries(part, &mut |store, path, name| {
                if name.as_encoded_bytes().starts_with(b".") || path.is_dir() {
                    return Ok(());
                }
                let done = store.file(path, Format::Message);
                store.end(path, done)
            })?;
        }
        Ok(())
    }

    /// Walks over the entries of a folder, in the order of their names as far as they are sorted at once.
    fn entries(
        &mut self,
        folder: &Path,
        visit: &mut dyn FnMut(&mut Store<'a>, &Path, &OsStr) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.end(folder, Err(error.into())),
        };
        loop {
            let mut names: Vec<PathBuf> = Vec::new();
            for entry in entries.by_ref().take(BATCH) {
                match entry {
                    Ok(entry) => names.push(entry.file_name().into()),
                    Err(error) => self.end(folder, Err(error.into()))?,
                }
            }
            if names.is_empty() {
                return Ok(());
            }
            names.sort_unstable();
            for name in names {
                visit(self, &folder.join(&name), name.as_os_str())?;
            }
        }
    }

    fn file(&mut self, path: &Path, format: Format) -> Result<(), Left> {
        self.stream(path.as_os_str().as_encoded_bytes(), &mut File::open(path)?, format)
    }

    fn stream(&mut self, name: &[u8], input: &mut impl Read, format: Format) -> Result<(), Left> {
        let mut head = Vec::with_capacity(HEAD);
        input.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        let first = head.split(|octet| *octet == b'\n').next().unwrap_or_default();
        let is_mbox = format == Format::Mbox || (format == Format::Auto && is_separator(first));
        let mut input = head.as_slice().chain(input);
        if is_mbox {
            return self.mbox(name, &mut BufReader::with_capacity(BLOCK, input));
        }
        self.message.clear();
        let read = input.by_ref().take(MAX_MESSAGE as u64).read_to_end(&mut self.message).map(drop);
        self.is_cut = read.is_ok() && input.read(&mut [0])? > 0;
        // What came before the trouble is judged as well.
        if read.is_ok() || !self.message.is_empty() {
            self.hand_on(name)?;
        }
        read.map_err(Into::into)
    }

    fn mbox(&mut self, name: &[u8], input: &mut impl BufRead) -> Result<(), Left> {
        let (mut number, mut begins, mut after_blank) = (0_u64, true, true);
        let mut line = Vec::new();
        self.clear();
        let ended = loop {
            line.clear();
            match input.by_ref().take(BLOCK as u64).read_until(b'\n', &mut line) {
                Ok(0) => break Ok(()),
                Ok(_) => {}
                Err(error) => break Err(error),
            }
            if begins && after_blank && is_separator(&line) && !self.message.is_empty() {
                number += 1;
                self.hand_on(&numbered(name, number))?;
                self.clear();
            }
            self.append(&line);
            after_blank = begins && line.trim_ascii().is_empty();
            begins = line.ends_with(b"\n");
        };
        if !self.message.is_empty() {
            let name = if number == 0 { name.to_vec() } else { numbered(name, number + 1) };
            self.hand_on(&name)?;
        }
        ended.map_err(Into::into)
    }

    fn clear(&mut self) {
        self.message.clear();
        self.is_cut = false;
    }

    fn append(&mut self, line: &[u8]) {
        let room = MAX_MESSAGE.saturating_sub(self.message.len());
        self.is_cut |= line.len() > room;
        self.message.extend_from_slice(line.get(..room).unwrap_or(line));
    }

    fn hand_on(&mut self, file: &[u8]) -> Result<(), Stop> {
        (self.judge)(Message { file, octets: &self.message, is_cut: self.is_cut })
    }
}

fn numbered(name: &[u8], number: u64) -> Vec<u8> {
    [name, format!("#{number}").as_bytes()].concat()
}

/// Whether a line can begin a message in an mbox.
fn is_separator(line: &[u8]) -> bool {
    const DAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
    let Some(rest) = line.strip_prefix(b"From ").filter(|_| line.len() <= HEAD) else { return false };
    let words: Vec<&[u8]> = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    let Some(at) = words.iter().rposition(|word| DAYS.contains(&word.strip_suffix(b",").unwrap_or(word))) else {
        return false;
    };
    let after = words.get(at + 1..).unwrap_or_default();
    let is_year = |word: &&[u8]| word.len() == 4 && word.iter().all(u8::is_ascii_digit);
    (4..=6).contains(&after.len()) && after.iter().any(is_year) && after.iter().any(|word| word.contains(&b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8], format: Format) -> Vec<(String, String, bool)> {
        let mut seen = Vec::new();
        let mut judge = |message: Message<'_>| {
            let text = |octets| String::from_utf8_lossy(octets).into_owned();
            seen.push((text(message.file), text(message.octets), message.is_cut));
            Ok(())
        };
        let done = Store::new(format, &mut judge).stream(b"f", &mut &input[..], format);
        assert!(done.is_ok());
        seen
    }

    const LINE: &str = "From a@b.example Fri Nov 20 10:12:00 2026\n";

    #[test]
    fn an_mbox_is_cut_at_its_separators_only() {
        let one = format!("{LINE}Subject: 1\n\nFrom now on\n{LINE}\n>{LINE}no field\n");
        let two = format!("{LINE}\r\nno field\r\n");
        let seen = read(format!("{one}\n{two}").as_bytes(), Format::Auto);
        let names: Vec<_> = seen.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["f#1", "f#2"]);
        assert_eq!((seen[0].1.as_str(), seen[1].1.as_str()), (format!("{one}\n").as_str(), two.as_str()));
        assert_eq!(read(one.as_bytes(), Format::Auto)[0].0, "f");
        assert_eq!(read(format!("{one}\n{two}").as_bytes(), Format::Message).len(), 1);
    }

    #[test]
    fn what_begins_without_a_separator_is_one_message() {
        for text in ["", "Subject: 1\n\nx", "From: a@b\n", "From the desk of nobody\n", "\n"] {
            assert_eq!(read(text.as_bytes(), Format::Auto), [("f".to_owned(), text.to_owned(), false)], "{text:?}");
        }
        assert!(read(b"", Format::Mbox).is_empty());
    }

    #[test]
    fn separators_of_all_dialects_are_known() {
        for line in [
            "From MAILER-DAEMON Fri Nov 20 10:12:00 2026",
            "From a@b.example  Fri Nov  6 10:12 2026",
            "From a b@c Fri Nov 20 10:12:00 +0000 2026",
            "From a@b Fri Nov 20 10:12:00 CET 2026 remote from c",
            "From a@b Fri, 20 Nov 2026 10:12:00 +0100",
        ] {
            assert_eq!(is_separator(line.as_bytes()), !line.ends_with("from c"), "{line}");
        }
        for line in ["From: a", "From Monday on", "from a Fri Nov 20 10:12:00 2026", "From a Fri Nov 20"] {
            assert!(!is_separator(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn a_message_that_is_too_long_loses_its_end_and_none_behind_it() {
        let long = format!("{LINE}Subject: 1\n\n{}\n\n{LINE}Subject: 2\n\n", "x".repeat(MAX_MESSAGE + 10));
        let seen = read(long.as_bytes(), Format::Auto);
        assert_eq!(seen.iter().map(|it| (it.1.len(), it.2)).collect::<Vec<_>>(), [(MAX_MESSAGE, true), (54, false)]);
        let seen = read(&vec![b'x'; MAX_MESSAGE + 1], Format::Auto);
        assert_eq!((seen[0].1.len(), seen[0].2), (MAX_MESSAGE, true));
    }
}
