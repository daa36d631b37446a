//! Key rings, from text or from a file, and key files that change while the host runs for weeks.
//!
//! Files are read without the lock of the interpreter, so that other threads go on. The lock of a store is taken and given
//! back while the interpreter's is held, and nothing of Python runs in between. So who holds it waits for nobody, and no
//! fork of Python can leave it locked in the child.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use backstop::Error;
use backstop::keyfile::{self, Trust};
use backstop::keystore::{Seen, Watch};
use pyo3::prelude::*;

use crate::error::failed;
use crate::input::Text;
use crate::output::shown;

/// All keys of a site, ready for use; never changes and shows no secret.
#[pyclass(frozen, module = "backstop")]
pub(crate) struct KeyRing(Arc<backstop::KeyRing>);

impl KeyRing {
    pub(crate) fn ring(&self) -> &backstop::KeyRing {
        &self.0
    }
}

#[pymethods]
impl KeyRing {
    /// Reads the text of a key ring.
    ///
    /// Python cannot wipe the text from memory; load has no such text.
    #[staticmethod]
    fn parse(py: Python<'_>, text: Text<'_>) -> PyResult<KeyRing> {
        let octets = text.octets();
        let ring = py.detach(|| backstop::KeyRing::parse(octets)).map_err(failed)?;
        Ok(KeyRing(Arc::new(ring)))
    }

    /// Reads the key ring in a file, which must be a regular one with mode 0600 or 0640.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<KeyRing> {
        let loaded = py.detach(|| keyfile::load(&path, Trust::Private)).map_err(failed)?;
        Ok(KeyRing(Arc::new(loaded.ring)))
    }

    /// Eight characters by which two hosts can tell whether they hold the same keys in the same order.
    #[getter]
    fn fingerprint(&self) -> String {
        self.0.fingerprint().to_string()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf, &["fingerprint"])
    }
}

/// A key file that is read again when it changes.
#[pyclass(frozen, module = "backstop")]
pub(crate) struct KeyStore {
    watch: Watch,
    state: Mutex<State>,
}

struct State {
    ring: Arc<backstop::KeyRing>,
    /// The file as it was last looked at.
    seen: Seen,
    /// Why that file cannot be used, and the ring is an older one.
    report: Option<String>,
    /// How many looks were taken in, by which a slow one learns that it is no longer the newest.
    looks: u64,
}

impl State {
    fn take(&mut self, seen: Seen, read: Result<backstop::KeyRing, Error>) -> Result<(), Error> {
        self.seen = seen;
        self.looks = self.looks.wrapping_add(1);
        match read {
            Ok(ring) => {
                self.ring = Arc::new(ring);
                self.report = None;
                Ok(())
            }
            Err(error) => {
                self.report = Some(error.to_string());
                Err(error)
            }
        }
    }
}

impl KeyStore {
    /// Does something with the state while the interpreter's lock is held. It must be nothing of Python, not even an error:
    /// that may pass the interpreter's lock on to a thread that then waits for this one.
    fn state<T>(&self, _: Python<'_>, what: impl FnOnce(&mut State) -> T) -> T {
        what(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[pymethods]
impl KeyStore {
    /// Opens a key file as KeyRing.load does, and fails with the same errors, and also where the ring has no key.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<KeyStore> {
        let (watch, ring, seen) = py.detach(|| Watch::open(path)).map_err(failed)?;
        Ok(KeyStore { watch, state: Mutex::new(State { ring: Arc::new(ring), seen, report: None, looks: 0 }) })
    }

    /// Gives the ring of the file as it is now.
    ///
    /// Cheap enough for every mail: the file is looked at once a second at most, and read only if it changed. A file that
    /// went bad keeps the ring that is there; report says why.
    fn get(&self, py: Python<'_>) -> KeyRing {
        if self.watch.is_due() {
            let (seen, looks) = self.state(py, |state| (state.seen.clone(), state.looks));
            if let Some((seen, read)) = py.detach(|| self.watch.read_if_changed(&seen)) {
                // Not if a reload came in between, which may have seen a newer file. The report says what is wrong.
                let _ = self.state(py, |state| if state.looks == looks { state.take(seen, read) } else { Ok(()) });
            }
        }
        KeyRing(self.state(py, |state| state.ring.clone()))
    }

    /// Reads the file again now, as on SIGHUP. A bad file keeps the ring that is there and raises what open would.
    fn reload(&self, py: Python<'_>) -> PyResult<()> {
        let (seen, read) = py.detach(|| self.watch.read());
        self.state(py, |state| state.take(seen, read)).map_err(failed)
    }

    /// Says in one sentence why the file, when it was last looked at, could not be used, so that an older ring is given;
    /// None if it could. For the log: ask after get, once a minute or so.
    fn report(&self, py: Python<'_>) -> Option<String> {
        self.state(py, |state| state.report.clone())
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<backstop.KeyStore with ring {}>", self.state(py, |state| state.ring.fingerprint()))
    }
}
