//! A key ring in a file that changes while the host runs for weeks.
//!
//! What the store knows stands in one immutable `State` that is swapped as a whole: there is no lock that a thread
//! could wait for or that a fork could leave locked in the child. Threads race for the right to look at the file; all
//! others take the ring that is there. When to look and what changed is for the core's `keystore.rs`.

use std::ffi::c_char;
use std::path::Path;
use std::sync::Arc;

use backstop_core::keystore::{Seen, Watch};
use backstop_core::{Error, KeyRing};

use crate::gate::{Buffer, Place, gate, known, object};
use crate::keyring::{backstop_keyring, diagnose_file, lend, path};
use crate::status::{BACKSTOP_OK, failed};
use crate::swap::Swap;

/// A key file that is read again when it changes. Any number of threads may use one at a time.
pub struct backstop_keystore {
    watch: Watch,
    state: Swap<State>,
}

struct State {
    ring: Arc<backstop_keyring>,
    /// The file as it was last looked at.
    seen: Seen,
    /// Why that file cannot be used, and the ring is an older one; empty if it could.
    report: String,
}

impl State {
    /// The state after the file was read.
    fn after(&self, seen: Seen, read: Result<KeyRing, Error>) -> State {
        match read {
            Ok(ring) => State { ring: Arc::new(backstop_keyring(ring)), seen, report: String::new() },
            Err(error) => State { ring: self.ring.clone(), seen, report: error.to_string() },
        }
    }
}

impl backstop_keystore {
    pub(crate) fn open(path: &Path) -> Result<backstop_keystore, Error> {
        let (watch, ring, seen) = Watch::open(path)?;
        let ring = Arc::new(backstop_keyring(ring));
        Ok(backstop_keystore { watch, state: Swap::new(State { ring, seen, report: String::new() }) })
    }

    pub(crate) fn get(&self) -> Arc<backstop_keyring> {
        if self.watch.is_due() {
            self.state.sweep();
            let old = self.state.get();
            if let Some((seen, read)) = self.watch.read_if_changed(&old.seen) {
                // A file that stays bad changes nothing: what is replaced may have to be kept until the store ends.
                let is_known = read.as_ref().is_err_and(|error| error.to_string() == old.report);
                if !is_known {
                    // Not if a reload came in between, which may have seen a newer file.
                    self.state.set_if(&old, old.after(seen, read));
                }
            }
        }
        self.state.get().ring.clone()
    }

    fn reload(&self) -> Result<(), Error> {
        let (seen, read) = self.watch.read();
        let error = read.as_ref().err().cloned();
        self.state.set(self.state.get().after(seen, read));
        error.map_or(Ok(()), Err)
    }
}

/// # Key stores: a key file that changes while a host runs
///
/// Opens a key file as backstop_keyring_load does; fails with the same codes, and with BACKSTOP_ERR_FILE also where the
/// ring has no key; backstop_keystore_diagnose says which. `path` ends in NUL and is copied; a relative one means the
/// folder that is current now.
///
/// @code
/// static int32_t sign_for_weeks(const backstop_keystore *store, const char *sender, char *out, size_t cap,
///                               size_t *len)
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

/// Says in one sentence why backstop_keystore_open refuses a file; the length is 0 if it does not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_keystore_diagnose(
    path: *const c_char,
    buf: *mut c_char,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    gate(|| {
        // SAFETY: the caller keeps the rules of the manual.
        unsafe { diagnose_file(path, Buffer::new(buf, cap, out_len)?, |path| Watch::open(path)) }
    })
}

/// Gives the ring of the file as it is now; `*out` is a reference for backstop_keyring_free.
///
/// Cheap enough for every mail: the file is looked at once a second at most (one stat), and read only if it changed or
/// could not be used. A file that went bad keeps the ring that is there, and this gives BACKSTOP_OK;
/// backstop_keystore_report says why.
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
/// gives the code that backstop_keystore_open would; backstop_keystore_report has the sentence.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_keystore_reload(store: *const backstop_keystore) -> i32 {
    gate(|| {
        // SAFETY: the caller keeps the rules of the manual.
        unsafe { object(store) }?.reload().map_err(|error| failed(&error))?;
        Ok(BACKSTOP_OK)
    })
}

/// Says in one sentence why the file, when it was last looked at, could not be used, so that an older ring is given;
/// the length is 0 if it could. For the log: ask after backstop_keystore_get, once a minute or so.
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
