//! The messages of files: single messages, mbox, Maildir and other folders, standard input; one at a time.
//!
//! ```text
//! mbox      = 1*( separator message )        separator, at the start or after an empty line (RFC 4155):
//! separator = "From " words weekday month day time [zone] year LF          as "From a@b Fri Nov 20 10:12:00 2026"
//! Maildir   = folder with cur or new; those below it that have these are its folders, however deep, as Dovecot's layout
//!             `fs` has them; nothing else below it is mail
//! ```
//!
//! Other folders (MH and the like) are walked, [`MAX_DEPTH`] deep; links to folders are not followed, and names that begin
//! with a dot are passed over. Only regular files are opened: a named pipe would hang until somebody writes. What is left
//! out for these reasons is told. What a shell makes of `<(...)` (`/dev/fd/63`) is a pipe and is read.
//!
//! Lines that were quoted with `>From ` stay so, the mark of UTF-8 before a message goes. Memory holds one message, of
//! which [`MAX_MESSAGE`] octets are kept, and [`BATCH`] names of files a level, which are read in the order of their names;
//! of a Maildir, up to 58 octets a message besides. What cannot be read is told and counted, and the rest goes on. Packed
//! files, archives and UTF-16 are refused by name (`foreign.rs`). A Maildir is read while mail programs change it
//! (`store/maildir.rs`).

use std::ffi::OsStr;
use std::fs::{self, File, FileType};
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

mod maildir;

use super::foreign;
use crate::args::Format;
use crate::output;
use crate::stop::Stop;

/// Octets of a message that are looked at.
pub(crate) const MAX_MESSAGE: usize = 16 << 20;
/// Octets that are read at once, and the longest line of an mbox that is looked at as a whole.
const BLOCK: usize = 256 * 1024;
/// Names of a folder that are sorted at once.
const BATCH: usize = if cfg!(test) { 64 } else { 16_384 };
/// Folders inside each other that are read.
const MAX_DEPTH: usize = 16;
/// Notes on files that are told one by one.
const MAX_NOTES: u64 = 20;
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
    /// Whether an empty file is handed on as well, as a message without octets.
    pub(crate) takes_empty: bool,
    /// The message that is being read.
    message: Vec<u8>,
    is_cut: bool,
    /// Files and folders that were tried, and those that could not be read.
    pub(crate) tried: u64,
    pub(crate) failed: u64,
    /// What this run writes, which is no mail.
    passed: Vec<PathBuf>,
    notes: u64,
}

impl<'a> Store<'a> {
    /// `written` are the files and folders that the run itself writes.
    pub(crate) fn new(format: Format, written: &[&Path], judge: &'a mut Judge<'a>) -> Store<'a> {
        let passed = written.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
        let (message, takes_empty) = (Vec::new(), false);
        Store { format, judge, takes_empty, message, is_cut: false, tried: 0, failed: 0, passed, notes: 0 }
    }

    /// All messages of these files and folders, and of standard input for `-`.
    pub(crate) fn read_all(&mut self, paths: &[PathBuf]) -> Result<(), Stop> {
        for path in paths {
            self.read(path)?;
        }
        if self.notes > MAX_NOTES {
            tell(&format!("and {} more notes of this kind", self.notes - MAX_NOTES));
        }
        Ok(())
    }

    fn read(&mut self, path: &Path) -> Result<(), Stop> {
        let done = if path == OsStr::new("-") {
            let mut input = io::stdin().lock();
            let done = self.stream(b"-", &mut input, self.format);
            // Who writes to the pipe shall not be stopped by a message that is too long.
            done.and_then(|()| io::copy(&mut input, &mut io::sink()).map(drop).map_err(Left::Unread))
        } else if path.is_dir() {
            return self.folder(path, 0, false);
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
                tell(&format!("{} cannot be read: {}", path.display(), backstop::keyfile::in_words(&error)));
                Ok(())
            }
        }
    }

    /// Tells what is odd about a file, and goes on; of many such files the first ones.
    fn note(&mut self, path: &Path, what: &str) {
        self.notes += 1;
        if self.notes <= MAX_NOTES {
            let name = if path == OsStr::new("-") { Path::new("standard input") } else { path };
            tell(&format!("{} {what}", name.display()));
        }
    }

    /// A folder; below a Maildir only Maildirs count.
    fn folder(&mut self, path: &Path, depth: usize, is_below: bool) -> Result<(), Stop> {
        let is_maildir = is_maildir(path);
        if is_below || self.format == Format::Maildir || (self.format == Format::Auto && is_maildir) {
            if is_maildir {
                self.maildir(path)?;
            } else if !is_below {
                return self.end(path, Err(io::Error::other("it has neither cur nor new").into()));
            }
            return self.entries(path, &mut |store, path, name| {
                let is_part = is_maildir && ["cur", "new", "tmp"].iter().any(|part| name == *part);
                if is_part || !path.is_dir() { Ok(()) } else { store.inner(path, depth, true) }
            });
        }
        self.entries(path, &mut |store, path, name| match name.as_encoded_bytes() {
            [b'.', ..] => Ok(()),
            _ => store.entry(path, store.format, Some(depth)).map(drop),
        })
    }

    /// What a folder holds: a file, or a folder that is read if `depth` is that of the one around it. Says whether it was
    /// still there; among the messages of a Maildir, which have no depth, a file may be gone, and elsewhere it is missing.
    fn entry(&mut self, path: &Path, format: Format, depth: Option<usize>) -> Result<bool, Stop> {
        if self
            .passed
            .iter()
            .any(|it| it.file_name() == path.file_name() && fs::canonicalize(path).is_ok_and(|path| path == *it))
        {
            return Ok(true);
        }
        match fs::metadata(path).map(|it| it.file_type()) {
            Ok(kind) if kind.is_dir() => match depth {
                Some(depth) => self.inner(path, depth, false)?,
                None => self.note(path, "is a folder among messages and is left out"),
            },
            Ok(kind) if !kind.is_file() => self.note(path, &format!("is {} and is left out", nature(kind))),
            _ => {
                let done = self.file(path, format);
                let is_lost = |error: &io::Error| error.kind() == io::ErrorKind::NotFound && !path.is_symlink();
                if depth.is_none() && matches!(&done, Err(Left::Unread(error)) if is_lost(error)) {
                    return Ok(false);
                }
                self.end(path, done)?;
            }
        }
        Ok(true)
    }

    /// A folder in a folder.
    fn inner(&mut self, path: &Path, depth: usize, is_below: bool) -> Result<(), Stop> {
        if path.is_symlink() {
            self.note(path, "is a link to a folder and is left out; name the folder itself to read it");
        } else if depth + 1 >= MAX_DEPTH {
            self.note(path, &format!("lies {MAX_DEPTH} folders deep and is left out; name it to read it"));
        } else {
            return self.folder(path, depth + 1, is_below);
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
        let kind = fs::metadata(path)?.file_type();
        if !kind.is_file() && !is_open_already(path) {
            let what = format!("it is {}; give its messages to `backstop inspect -`", nature(kind));
            return Err(io::Error::other(what).into());
        }
        self.stream(path.as_os_str().as_encoded_bytes(), &mut File::open(path)?, format)
    }

    fn stream(&mut self, name: &[u8], input: &mut impl Read, format: Format) -> Result<(), Left> {
        let mut head = Vec::with_capacity(HEAD);
        input.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        if let Some(what) = foreign::is(&head) {
            return Err(io::Error::other(what).into());
        }
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
        let path = PathBuf::from(String::from_utf8_lossy(name).into_owned());
        if head.is_empty() && format != Format::Message {
            self.note(&path, "is empty and holds no message");
            self.clear();
            return if self.takes_empty { Ok(self.hand_on(name)?) } else { Ok(()) };
        }
        let first = head.split(|octet| *octet == b'\n').next().unwrap_or_default();
        let begins = is_separator(first);
        let mut input = head.chain(input);
        if format == Format::Mbox && !begins {
            let what = "does not begin as an mbox does, with \"From \", a sender and a date; what stands before the first \
                        such line is judged as one message";
            self.note(&path, what);
        } else if !begins && !foreign::begins_with_field(head) {
            self.note(&path, "does not begin with a header field, as a message does; it is judged as it is");
        }
        if format == Format::Mbox || (format == Format::Auto && begins) {
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

/// Tells a line, in place of the progress that a terminal shows.
fn tell(line: &str) {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
    output::tell(line);
}

fn is_maildir(path: &Path) -> bool {
    path.join("cur").is_dir() || path.join("new").is_dir()
}

/// Whether a path names what this process was given open, as `/dev/stdin` and the `/dev/fd/63` of a shell do: there is a
/// writer, or nothing to wait for.
fn is_open_already(path: &Path) -> bool {
    path == OsStr::new("/dev/stdin")
        || path.starts_with("/dev/fd")
        || (path.starts_with("/proc") && path.parent().is_some_and(|it| it.ends_with("fd")))
}

/// What something is that is neither a file nor a folder.
#[cfg(unix)]
fn nature(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    match kind {
        _ if kind.is_fifo() => "a named pipe",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn nature(_: FileType) -> &'static str {
    "no file"
}

fn numbered(name: &[u8], number: u64) -> Vec<u8> {
    [name, format!("#{number}").as_bytes()].concat()
}

/// Whether a line can begin a message in an mbox.
pub(crate) fn is_separator(line: &[u8]) -> bool {
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
        let done = Store::new(format, &[], &mut judge).stream(b"f", &mut &input[..], format);
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
        for text in ["Subject: 1\n\nx", "From: a@b\n", "From the desk of nobody\n", "\n"] {
            assert_eq!(read(text.as_bytes(), Format::Auto), [("f".to_owned(), text.to_owned(), false)], "{text:?}");
        }
        assert_eq!(read(b"\xef\xbb\xbfSubject: 1\n\nx", Format::Auto)[0].1, "Subject: 1\n\nx");
    }

    #[test]
    fn an_empty_file_has_no_message_unless_it_is_said_to_be_one() {
        for (format, number) in [(Format::Auto, 0), (Format::Mbox, 0), (Format::Message, 1)] {
            assert_eq!(read(b"", format).len(), number, "{format:?}");
        }
    }

    #[test]
    fn an_mbox_that_is_said_to_be_one_may_begin_without_a_separator() {
        let text = format!("Subject: 1\n\nx\n\n{LINE}Subject: 2\n\n");
        assert_eq!(read(text.as_bytes(), Format::Mbox).len(), 2);
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
