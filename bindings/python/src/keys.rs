//! Key rings, from text or from a file.

use std::path::PathBuf;
use std::sync::Arc;

use backstop::keyfile::{self, Trust};
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
