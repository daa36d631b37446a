//! The messages of a Maildir in use: `cur` and then `new`, while mail programs rename and remove them.
//!
//! ```text
//! new/BASE -> cur/BASE:2,S         a program took it in, or a flag changed: only what stands before `:` stays
//! ```
//!
//! Names are listed first and opened later, so a message may be gone by then, or come into `cur` behind our back; and a
//! listing itself may pass over a name that changes meanwhile. Hence the messages are noted before any is read, as are
//! those that were gone when it was their turn; what of them was not met under any name is looked for once more, in at most
//! [`ROUNDS`] more listings. What is then not found was removed or delivered elsewhere: it is told in one note, and is no
//! trouble.
//!
//! Limits: the first [`BATCH`] messages of each folder are noted. [`MAX_MISSED`] are looked for, and more are told as
//! unread. Of a folder with more than [`BATCH`] messages the later ones are listed when the first have been read: one that
//! is renamed meanwhile may be met twice.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use super::{BATCH, Store};
use crate::args::Format;
use crate::stop::Stop;

/// How often the folders are listed again.
const ROUNDS: usize = 3;
/// Messages that are looked for.
const MAX_MISSED: usize = 4 * BATCH;
const PARTS: [&str; 2] = ["cur", "new"];

/// What stands before the flags.
fn base(name: &OsStr) -> &[u8] {
    let name = name.as_encoded_bytes();
    name.split(|octet| *octet == b':').next().unwrap_or(name)
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

impl<'a> Store<'a> {
    /// Reads the messages of a Maildir, without its folders.
    pub(super) fn maildir(&mut self, folder: &Path) -> Result<(), Stop> {
        let mut missed: HashSet<Vec<u8>> = HashSet::new();
        let mut more = 0;
        for listed in PARTS.iter().filter_map(|part| fs::read_dir(folder.join(part)).ok()) {
            let names = listed.flatten().take(BATCH).map(|entry| entry.file_name()).filter(|name| !is_hidden(name));
            missed.extend(names.map(|name| base(&name).to_vec()));
        }
        // A listing may have the old and the new name, which come one after the other.
        let mut last = Vec::new();
        self.parts(folder, &mut |store, path, name| {
            match store.entry(path, Format::Message, None)? {
                true => {
                    missed.remove(base(name));
                    last = base(name).to_vec();
                }
                false if last == base(name) => {}
                false if missed.len() < MAX_MISSED => drop(missed.insert(base(name).to_vec())),
                false => more += 1,
            }
            Ok(())
        })?;
        for _ in 0..ROUNDS {
            if missed.is_empty() {
                break;
            }
            self.parts(folder, &mut |store, path, name| {
                if missed.contains(base(name)) && store.entry(path, Format::Message, None)? {
                    missed.remove(base(name));
                }
                Ok(())
            })?;
        }
        if !missed.is_empty() {
            self.note(folder, &format!("lost {} messages while it was read; they are left out", missed.len()));
        }
        if more > 0 {
            let what =
                format!("{more} messages more than can be looked for were renamed; try again when it is at rest");
            self.end(folder, Err(io::Error::other(what).into()))?;
        }
        Ok(())
    }

    fn parts(
        &mut self,
        folder: &Path,
        visit: &mut dyn FnMut(&mut Store<'a>, &Path, &OsStr) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        for part in PARTS.map(|part| folder.join(part)).iter().filter(|part| part.is_dir()) {
            self.entries(part, &mut |store, path, name| {
                if is_hidden(name) { Ok(()) } else { visit(store, path, name) }
            })?;
        }
        Ok(())
    }
}
