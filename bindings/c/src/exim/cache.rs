//! The files that a process of Exim has in use: key rings and policies, by their paths.
//!
//! Exim forks for every connection and delivery, so files are read when they are first asked for and kept by the thread:
//! there is nothing to lock, and nothing that a fork could tear. At most `MOST` of each kind are kept, and the one that
//! was used longest ago goes. A file that changed is read again, and one that went bad keeps what is there, as a key store
//! does; the next process then says why. A file that cannot be used at first is not kept and is tried again at each call.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::thread::LocalKey;

use backstop_core::keyfile::read_text;
use backstop_core::keystore::Seen;
use backstop_core::policy::Policy;

use super::call::Trouble;
use crate::keyring::{backstop_keyring, named};
use crate::keystore::backstop_keystore;

const MOST: usize = 8;

/// Open files, the last one used first.
type Shelf<T> = RefCell<Vec<(Box<[u8]>, T)>>;

thread_local! {
    static RINGS: Shelf<backstop_keystore> = const { RefCell::new(Vec::new()) };
    static POLICIES: Shelf<PolicyFile> = const { RefCell::new(Vec::new()) };
}

/// The key ring of a file as it is now.
pub(super) fn ring(path: &[u8]) -> Result<Arc<backstop_keyring>, Trouble> {
    let open = |path: &Path| backstop_keystore::open(path).map_err(|error| Trouble::passing(&error));
    on_shelf(&RINGS, path, open, |_, store| store.get())
}

/// The policy of a file as it is now.
pub(super) fn policy(path: &[u8]) -> Result<Arc<Policy>, Trouble> {
    on_shelf(&POLICIES, path, PolicyFile::open, |path, file| file.get(path))
}

struct PolicyFile {
    policy: Arc<Policy>,
    /// The file as it was when it was read.
    seen: Seen,
}

impl PolicyFile {
    fn open(path: &Path) -> Result<PolicyFile, Trouble> {
        let seen = Seen::at(path);
        let text = read_text(path, "the policy").map_err(|error| Trouble::passing(&error))?;
        let policy = Policy::parse(&text).map_err(|error| Trouble::Passing(format!("{}: {error}", path.display())))?;
        Ok(PolicyFile { policy: Arc::new(policy), seen })
    }

    fn get(&mut self, path: &Path) -> Arc<Policy> {
        // Again at each call, as long as it cannot be used: the reason may pass without a change of the file.
        if Seen::at(path) != self.seen
            && let Ok(new) = PolicyFile::open(path)
        {
            *self = new;
        }
        self.policy.clone()
    }
}

fn on_shelf<T, R>(
    shelf: &'static LocalKey<Shelf<T>>,
    name: &[u8],
    open: impl FnOnce(&Path) -> Result<T, Trouble>,
    take: impl FnOnce(&Path, &mut T) -> R,
) -> Result<R, Trouble> {
    let path = named(name).filter(|path| path.is_absolute());
    let path =
        path.ok_or_else(|| Trouble::Misuse("the path of a file must be a full one, from the root".to_owned()))?;
    let put = |shelf: &Shelf<T>| {
        let Ok(mut shelf) = shelf.try_borrow_mut() else { return Err(gone()) };
        let (name, mut file) = match shelf.iter().position(|(there, _)| **there == *name) {
            Some(at) => shelf.remove(at),
            None => (name.into(), open(path)?),
        };
        let taken = take(path, &mut file);
        shelf.truncate(MOST - 1);
        shelf.insert(0, (name, file));
        Ok(taken)
    };
    shelf.try_with(put).unwrap_or_else(|_| Err(gone()))
}

fn gone() -> Trouble {
    Trouble::Passing("the process is about to end".to_owned())
}
