//! The messages of a Maildir in use: `cur` and then `new`, while mail programs rename and remove them.
//!
//! ```text
//! new/BASE -> cur/BASE:2,S         a program took it in, or a flag changed: only what stands before `:` stays
//! ```
//!
//! Names are listed first and opened later, so a message may be gone by then, or come into `cur` behind our back; and a
//! listing itself may pass over a name that changes meanwhile. Hence all messages are noted before any is read, from two
//! listings, and each is read once, under whatever name it has by then. What was not met is looked for in further
//! listings, at most [`ROUNDS`], until one finds nothing more. What is left was removed or delivered elsewhere: it is told
//! in one note, and is no trouble.
//!
//! Noted is a hash of the base name, keyed by chance so that no sender of mail can choose names that meet. Among a million
//! messages two have the same hash in one run of 37 million; one of them is passed over if it was delivered or renamed
//! during the run. What lies there from the first under one base name several times is read as often.
//!
//! Limits: [`MAX_NOTED`] base names of a folder are noted, in at most 54 MB. Of a larger one, that is told, for a message
//! that is not noted and is renamed may be passed over or met twice.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;

use super::Store;
use crate::args::Format;
use crate::stop::Stop;

/// How often the folders are listed again.
const ROUNDS: usize = 10;
/// Base names that are noted: as many as a table of 2^21 places takes.
const MAX_NOTED: usize = 7 << 18;
/// Numbers of the listings from which messages are noted.
const LISTINGS: [u8; 2] = [1, 2];
const PARTS: [&str; 2] = ["cur", "new"];

/// What stands before the flags.
fn base(name: &OsStr) -> &[u8] {
    let name = name.as_encoded_bytes();
    name.split(|octet| *octet == b':').next().unwrap_or(name)
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// What is known of a base name.
#[derive(Clone, Copy, Default)]
struct Known {
    is_read: bool,
    /// The last listing that had it, while they are noted.
    listed: u8,
    /// The sum of those that had it more than once. A name that changes may be in one listing twice, but hardly in both.
    repeated: u8,
}

impl Known {
    fn is_to_read(self) -> bool {
        !self.is_read || self.repeated == LISTINGS.iter().sum()
    }
}

/// Base names, as hashes.
#[derive(Default)]
struct Noted {
    key: RandomState,
    known: HashMap<u64, Known>,
    /// Whether there were more than are noted.
    is_full: bool,
}

impl Noted {
    fn hash(&self, name: &OsStr) -> u64 {
        self.key.hash_one(base(name))
    }

    /// What is known of a base name, which may be changed; of one that is new, if there is room for it.
    fn of(&mut self, hash: u64) -> Option<&mut Known> {
        if self.known.len() >= MAX_NOTED && !self.known.contains_key(&hash) {
            self.is_full = true;
            return None;
        }
        Some(self.known.entry(hash).or_default())
    }

    fn missed(&self) -> usize {
        self.known.values().filter(|known| !known.is_read).count()
    }
}

impl<'a> Store<'a> {
    /// Reads the messages of a Maildir, without its folders.
    pub(super) fn maildir(&mut self, folder: &Path) -> Result<(), Stop> {
        let mut noted = Noted::default();
        for listing in LISTINGS {
            for listed in PARTS.iter().filter_map(|part| fs::read_dir(folder.join(part)).ok()) {
                for name in listed.flatten().map(|entry| entry.file_name()).filter(|name| !is_hidden(name)) {
                    let hash = noted.hash(&name);
                    if let Some(known) = noted.of(hash) {
                        if known.listed == listing {
                            known.repeated |= listing;
                        }
                        known.listed = listing;
                    }
                }
            }
        }
        self.parts(folder, &mut |store, path, name| {
            let hash = noted.hash(name);
            if noted.known.get(&hash).is_none_or(|known| known.is_to_read()) {
                let is_read = store.entry(path, Format::Message, None)?;
                if let Some(known) = noted.of(hash) {
                    known.is_read |= is_read;
                }
            }
            Ok(())
        })?;
        let mut missed = noted.missed();
        for _ in 0..ROUNDS {
            if missed == 0 {
                break;
            }
            self.parts(folder, &mut |store, path, name| {
                let hash = noted.hash(name);
                if let Some(known) = noted.known.get_mut(&hash).filter(|known| !known.is_read) {
                    known.is_read = store.entry(path, Format::Message, None)?;
                }
                Ok(())
            })?;
            // What a whole listing does not have is gone.
            let before = std::mem::replace(&mut missed, noted.missed());
            if missed == before {
                break;
            }
        }
        if missed > 0 {
            self.note(folder, &format!("lost {missed} messages while it was read; they are left out"));
        }
        if noted.is_full {
            let what = format!(
                "holds more than {MAX_NOTED} messages; of the others, those that were renamed while it was read may be \
                 left out or counted twice"
            );
            self.note(folder, &what);
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::inspect::store::Message;

    /// An empty Maildir of this name.
    fn made(name: &str) -> PathBuf {
        let home = std::env::temp_dir().join(format!("backstop-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&home);
        PARTS.iter().for_each(|part| fs::create_dir_all(home.join(part)).unwrap());
        home
    }

    /// The base names that are judged, sorted, if `change` happens to the Maildir while the first is; and what failed.
    fn judged(home: &Path, change: &dyn Fn()) -> (Vec<String>, u64) {
        let mut bases = Vec::new();
        let mut judge = |message: Message<'_>| {
            if bases.is_empty() {
                change();
            }
            let path = Path::new(str::from_utf8(message.file).unwrap());
            bases.push(String::from_utf8(base(path.file_name().unwrap()).to_vec()).unwrap());
            Ok(())
        };
        let mut store = Store::new(Format::Maildir, &[], &mut judge);
        store.maildir(home).unwrap();
        let failed = store.failed;
        fs::remove_dir_all(home).unwrap();
        bases.sort_unstable();
        (bases, failed)
    }

    #[test]
    fn more_messages_than_are_sorted_at_once_are_found_where_a_program_moved_them_to() {
        let home = made("moved");
        let names: Vec<String> = (0..super::super::BATCH + 20).map(|number| format!("{number:06}")).collect();
        fs::write(home.join("cur/first:2,"), b"Subject: x\n\n").unwrap();
        names.iter().for_each(|name| fs::write(home.join("new").join(name), b"Subject: x\n\n").unwrap());
        // The listing of cur is through when its only message is judged, and that of new has not begun.
        let (bases, failed) = judged(&home, &|| {
            for name in &names {
                fs::rename(home.join("new").join(name), home.join(format!("cur/{name}:2,S"))).unwrap();
            }
        });
        assert_eq!((bases.len(), failed), (names.len() + 1, 0));
        assert!(bases.iter().eq(names.iter().chain([&"first".to_owned()])));
    }

    #[test]
    fn a_message_that_was_read_is_not_read_again_under_its_new_name() {
        let home = made("again");
        fs::write(home.join("cur/1:2,"), b"Subject: x\n\n").unwrap();
        fs::write(home.join("new/2"), b"Subject: x\n\n").unwrap();
        let change = || fs::rename(home.join("cur/1:2,"), home.join("new/1:2,S")).unwrap();
        assert_eq!(judged(&home, &change), (vec!["1".to_owned(), "2".to_owned()], 0));
    }

    #[test]
    fn files_of_one_base_name_that_lie_there_from_the_first_are_all_read() {
        let home = made("several");
        for name in ["cur/1:2,", "cur/1:2,S", "cur/2:2,", "new/1"] {
            fs::write(home.join(name), b"Subject: x\n\n").unwrap();
        }
        assert_eq!(judged(&home, &|| {}), (["1", "1", "1", "2"].map(str::to_owned).to_vec(), 0));
    }
}
