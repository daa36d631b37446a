//! A key ring in a file that changes while the host runs for weeks.
//!
//! What the store knows stands in one immutable `State` that is swapped as a whole: there is no lock that a thread could
//! wait for or that a fork could leave locked in the child. Threads race for the right to look at the file, once a second
//! of the monotonic clock; all others take the ring that is there. A look is one `stat`; only a changed file is read.

use std::ffi::c_char;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use backstop_core::Error;
use backstop_core::keyfile::{self, Trust};

use crate::gate::{Buffer, Place, gate, known, object};
use crate::keyring::{backstop_keyring, lend, path};
use crate::status::{BACKSTOP_OK, failed};
use crate::swap::Swap;

/// How long a look at the file lasts.
const PAUSE: Duration = Duration::from_secs(1);

/// A key file that is read again when it changes. Any number of threads may use one at a time.
pub struct backstop_keystore {
    path: PathBuf,
    state: Swap<State>,
    opened: Instant,
    /// When the next look is due, in milliseconds since `opened`.
    due: AtomicU64,
}

struct State {
    ring: Arc<backstop_keyring>,
    /// The file as it was last looked at; `None` if it could not be.
    seen: Option<Seen>,
    /// Why that file cannot be used, and the ring is an older one; empty if it could.
    report: String,
}

/// What tells one state of a file from another.
#[derive(PartialEq, Eq)]
pub(crate) struct Seen(Vec<i128>);

impl Seen {
    pub(crate) fn at(path: &Path) -> Option<Seen> {
        fs::metadata(path).ok().map(|metadata| Seen::of(&metadata))
    }

    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Seen {
        use std::os::unix::fs::MetadataExt;
        let (dev, inode, size) = (metadata.dev().into(), metadata.ino().into(), metadata.len().into());
        let times = [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()].map(i128::from);
        Seen([dev, inode, size].into_iter().chain(times).collect())
    }

    #[cfg(not(unix))]
    fn of(metadata: &Metadata) -> Seen {
        let time = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        Seen(vec![metadata.len().into(), time.map_or(0, |time| time.as_nanos().cast_signed())])
    }
}

fn read(path: &Path) -> Result<Arc<backstop_keyring>, Error> {
    keyfile::load(path, Trust::Private).map(|loaded| Arc::new(backstop_keyring(loaded.ring)))
}

impl backstop_keystore {
    pub(crate) fn open(path: &Path) -> Result<backstop_keystore, Error> {
        let seen = Seen::at(path);
        Ok(backstop_keystore {
            path: path.to_path_buf(),
            state: Swap::new(State { ring: read(path)?, seen, report: String::new() }),
            opened: Instant::now(),
            due: AtomicU64::new(u64::try_from(PAUSE.as_millis()).unwrap_or(u64::MAX)),
        })
    }

    /// The state after a look at the file, which looked like `seen` before it is read now, and the error if it is bad.
    fn after(&self, old: &State, seen: Option<Seen>) -> (State, Option<Error>) {
        match read(&self.path) {
            Ok(ring) => (State { ring, seen, report: String::new() }, None),
            Err(error) => (State { ring: old.ring.clone(), seen, report: error.to_string() }, Some(error)),
        }
    }

    /// Whether this caller is the one that looks now.
    fn may_look(&self) -> bool {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        let due = self.due.load(Ordering::Relaxed);
        let next = now.saturating_add(u64::try_from(PAUSE.as_millis()).unwrap_or(u64::MAX));
        now >= due && self.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    pub(crate) fn get(&self) -> Arc<backstop_keyring> {
        if self.may_look() {
            self.state.sweep();
            let old = self.state.get();
            let seen = Seen::at(&self.path);
            if seen != old.seen {
                let (new, _) = self.after(&old, seen);
                // Not if a reload came in between, which may have seen a newer file.
                self.state.set_if(&old, new);
            }
        }
        self.state.get().ring.clone()
    }

    fn reload(&self) -> Result<(), Error> {
        let old = self.state.get();
        let (new, error) = self.after(&old, Seen::at(&self.path));
        self.state.set(new);
        error.map_or(Ok(()), Err)
    }
}

/// # Key stores: a key file that changes while a host runs
///
/// Opens a key file as backstop_keyring_load does; fails with the same codes. `path` ends in NUL and is copied.
///
/// @code
/// static int32_t sign_for_weeks(const backstop_keystore *store, const char *sender, char *out, size_t cap, size_t *len)
/// {
///     backstop_keyring *ring;
///     int32_t status = backstop_keystore_get(store, &ring);
///     if (status != BACKSTOP_OK)
///         return status;
///     status = backstop_sign(ring, sender, strlen(sender), -1, out, cap, len);
///     backstop_keyring_free(ring);
///     return status;
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_keystore_open(path: *const c_char, out: *mut *mut backstop_keystore) -> i32 {
    gate(|| {
        let out = Place::new(out)?;
        // SAFETY: the caller keeps the rules of the manual.
        let path = unsafe { self::path(path) }?;
        let store = backstop_keystore::open(path).map_err(|error| failed(&error))?;
        // SAFETY: as above.
        unsafe { out.put(Box::into_raw(Box::new(store))) };
        Ok(BACKSTOP_OK)
    })
}

/// Gives the ring of the file as it is now; `*out` is a reference for backstop_keyring_free.
///
/// Cheap enough for every mail: the file is looked at once a second at most (one stat), and read only if it changed. A
/// file that went bad keeps the ring that is there, and this gives BACKSTOP_OK; backstop_keystore_report says why.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_keystore_get(
    store: *const backstop_keystore,
    out: *mut *mut backstop_keyring,
) -> i32 {
    gate(|| {
        let out = Place::new(out)?;
        // SAFETY: the caller keeps the rules of the manual.
        unsafe { out.put(lend(object(store)?.get())) };
        Ok(BACKSTOP_OK)
    })
}

/// Reads the file again now, as on SIGHUP (but not in the signal handler). A bad file keeps the ring that is there and
/// gives the code that backstop_keyring_load would; backstop_keystore_report has the sentence.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_keystore_reload(store: *const backstop_keystore) -> i32 {
    gate(|| {
        // SAFETY: the caller keeps the rules of the manual.
        unsafe { object(store) }?.reload().map_err(|error| failed(&error))?;
        Ok(BACKSTOP_OK)
    })
}

/// Says in one sentence why the file, when it was last looked at, could not be used, so that an older ring is given; the
/// length is 0 if it could. For the log: ask after backstop_keystore_get, once a minute or so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_keystore_report(
    store: *const backstop_keystore,
    buf: *mut c_char,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    gate(|| {
        let out = Buffer::new(buf, cap, out_len)?;
        // SAFETY: the caller keeps the rules of the manual.
        unsafe { out.put(object(store)?.state.get().report.as_bytes()) }?;
        Ok(BACKSTOP_OK)
    })
}

/// Frees a store; no other thread may be using it. Rings that it gave stay until they are freed. NULL is passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_keystore_free(store: *mut backstop_keystore) {
    gate(|| {
        let store = known(store)?;
        // SAFETY: by the rules of the manual it is live and came from `Box::into_raw`.
        drop(unsafe { Box::from_raw(store.as_ptr()) });
        Ok(BACKSTOP_OK)
    });
}
