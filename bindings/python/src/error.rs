//! Errors of the core as `backstop.Error`, with the names that the C header gives them.

use backstop::Error;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// An option lies outside its range.
pub(crate) const OPTION: &str = "BACKSTOP_ERR_OPTION";
/// The text is no IP address.
pub(crate) const IP: &str = "BACKSTOP_ERR_IP";
/// The text is no domain, or no list of domains.
pub(crate) const DOMAIN: &str = "BACKSTOP_ERR_DOMAIN";
/// The left side of a Message-ID cannot be used.
pub(crate) const MESSAGE_ID: &str = "BACKSTOP_ERR_MESSAGE_ID";
/// Not between 1970 and the year 9999.
pub(crate) const TIME: &str = "BACKSTOP_ERR_TIME";
/// A fault of the library itself.
pub(crate) const INTERNAL: &str = "BACKSTOP_ERR_INTERNAL";

/// An error of the core.
pub(crate) fn failed(error: Error) -> PyErr {
    let (code, offset, line) = match &error {
        Error::Address { offset, .. } => ("BACKSTOP_ERR_ADDRESS", Some(*offset), None),
        Error::NullRecipient => ("BACKSTOP_ERR_NULL_RECIPIENT", None, None),
        Error::Time(_) => (TIME, None, None),
        Error::Ring { line, .. } => ("BACKSTOP_ERR_KEYRING", None, Some(*line)),
        Error::File { .. } => ("BACKSTOP_ERR_FILE", None, None),
        Error::Policy { line, .. } => ("BACKSTOP_ERR_POLICY", None, Some(*line)),
        Error::Pattern { .. } => (DOMAIN, None, None),
        Error::Separator | Error::Range { .. } => (OPTION, None, None),
        Error::MessageId => (MESSAGE_ID, None, None),
        _ => (INTERNAL, None, None),
    };
    raise(&error.to_string(), code, offset, line)
}

/// An error that only Python's face has.
pub(crate) fn fault(code: &str, message: &str) -> PyErr {
    raise(message, code, None, None)
}

/// The class of all errors, found when the module is imported.
pub(crate) fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "backstop._error", "Error")
}

fn raise(message: &str, code: &str, offset: Option<usize>, line: Option<usize>) -> PyErr {
    Python::attach(|py| match class(py).and_then(|class| class.call1((message, code, offset, line))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    })
}
