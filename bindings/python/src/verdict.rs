//! What an address with or without a tag is, as a frozen object.

use backstop::{Day, batv};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDate;

use crate::output::{date, shown, text};

/// What an address with or without a tag is.
#[pyclass(frozen, eq, hash, module = "backstop")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Verdict {
    /// The word of the verdict.
    #[pyo3(get)]
    verdict: &'static str,
    /// The word of its reason, if it has one besides itself.
    #[pyo3(get)]
    reason: Option<&'static str>,
    /// Genuine and expired: the address under the tag, proved by it. Untagged: the address as it came.
    #[pyo3(get)]
    mailbox: Option<String>,
    /// The character of the key that the tag names.
    #[pyo3(get)]
    key: Option<String>,
    /// The use of the key that made the tag, if genuine or expired.
    #[pyo3(get)]
    key_use: Option<&'static str>,
    /// With an unknown key: whether keys of the ring signed for this domain on that day, for prvs on each day that it may be.
    #[pyo3(get)]
    covered: bool,
    signed: Option<Day>,
    expires: Option<Day>,
}

#[pymethods]
impl Verdict {
    /// The day of signing, if it is known.
    #[getter]
    fn signed<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDate>>> {
        date(py, self.signed)
    }

    /// The last day of validity, if it is known.
    #[getter]
    fn expires<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDate>>> {
        date(py, self.expires)
    }

    /// A forged tag has a verdict, too, so an object of this class must not pass for a yes.
    fn __bool__(&self) -> PyResult<bool> {
        Err(PyTypeError::new_err("a Verdict is neither true nor false; compare its attribute verdict"))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf, &["verdict", "reason", "mailbox", "key", "key_use", "covered", "signed", "expires"])
    }
}

impl Verdict {
    /// `address` is what an untagged one was judged as, if it was an address.
    pub(crate) fn of(verdict: &backstop::Verdict<'_>, address: Option<&[u8]>) -> PyResult<Verdict> {
        let proof = verdict.proof();
        let mailbox = match (proof, verdict) {
            (Some(proof), _) => Some(text(proof.mailbox.to_address().as_bytes())?),
            (None, backstop::Verdict::Untagged) => address.map(|address| text(batv::bare(address))).transpose()?,
            _ => None,
        };
        Ok(Verdict {
            verdict: verdict.slug(),
            reason: verdict.reason(),
            mailbox,
            key: verdict.key().map(|key| key.as_char().to_string()),
            key_use: proof.map(|proof| proof.usage.as_str()),
            covered: matches!(verdict, backstop::Verdict::UnknownKey { covered: true, .. }),
            signed: proof.and_then(|proof| proof.signed),
            expires: proof.and_then(|proof| proof.expires),
        })
    }
}
