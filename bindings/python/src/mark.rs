//! Marks inside the message: make and verify, as a header and in the Message-ID.

use backstop::mark::{self, Marked};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{DOMAIN, MESSAGE_ID, OPTION, failed, fault};
use crate::input::{Now, Text, day};
use crate::keys::KeyRing;
use crate::output::{shown, text};
use crate::verdict::Verdict;

/// A mark, or why there is none.
#[pyclass(frozen, eq, hash, module = "backstop")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Mark {
    /// The header's value, or the Message-ID with its brackets; None if there is no mark.
    #[pyo3(get)]
    value: Option<String>,
    /// Why there is no mark; None if there is one.
    #[pyo3(get)]
    reason: Option<&'static str>,
}

#[pymethods]
impl Mark {
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf, &["value", "reason"])
    }
}

impl From<Marked> for Mark {
    fn from(marked: Marked) -> Mark {
        match marked {
            Marked::Done(value) => Mark { value: Some(value), reason: None },
            Marked::Unsigned(reason) => Mark { value: None, reason: Some(reason.slug()) },
        }
    }
}

/// The bare address for which a message with this From field is to have a mark; None unless the field has exactly one.
///
/// `field` is what stands behind `From:`, folded or not; give it only if the message has one such field.
#[pyfunction]
pub(crate) fn mark_address_of_from(field: Text<'_>) -> PyResult<Option<String>> {
    mark::address_of_from(field.octets()).map(|address| text(&address)).transpose()
}

/// Makes the value of the header Backstop-Mark for a message whose From has this bare address.
///
/// `nonce` has 8 random octets, others for each message; they are drawn from os.urandom if none are given.
#[pyfunction]
#[pyo3(signature = (ring, from_, nonce=None, now=None))]
pub(crate) fn mark_header(
    py: Python<'_>,
    ring: &KeyRing,
    from_: Text<'_>,
    nonce: Option<Bound<'_, PyBytes>>,
    now: Option<Now>,
) -> PyResult<Mark> {
    let octets = match nonce {
        Some(octets) => octets,
        None => {
            let octets = py.import("os")?.call_method1("urandom", (8,))?;
            octets.cast_into::<PyBytes>().map_err(|_| PyTypeError::new_err("os.urandom gave no bytes"))?
        }
    };
    let nonce = octets.as_bytes().try_into().map_err(|_| fault(OPTION, "the nonce must have 8 octets"))?;
    Ok(mark::make_header(ring.ring(), from_.octets(), nonce, day(now)?).map_err(failed)?.into())
}

/// Makes a Message-ID with its brackets, for a message that has none; replace none without being told to.
///
/// `left` is what would stand before the `@` without a mark, unique at `domain`. `from_` is the bare address of the From.
#[pyfunction]
#[pyo3(signature = (ring, left, domain, from_, now=None))]
pub(crate) fn mark_message_id(
    ring: &KeyRing,
    left: Text<'_>,
    domain: Text<'_>,
    from_: Text<'_>,
    now: Option<Now>,
) -> PyResult<Mark> {
    let left = left.utf8().ok_or_else(|| fault(MESSAGE_ID, "the left side of a Message-ID is UTF-8"))?;
    let domain = domain.utf8().ok_or_else(|| fault(DOMAIN, "a domain is UTF-8"))?;
    let marked = mark::make_message_id(ring.ring(), left, domain, from_.octets(), day(now)?);
    Ok(marked.map_err(failed)?.into())
}

/// Checks the value of a header Backstop-Mark that came back in a bounce to this recipient, whose own tag is off.
#[pyfunction]
#[pyo3(signature = (ring, value, recipient, now=None))]
pub(crate) fn mark_verify_header(
    ring: &KeyRing,
    value: Text<'_>,
    recipient: Text<'_>,
    now: Option<Now>,
) -> PyResult<Verdict> {
    let verdict = mark::verify_header(ring.ring(), value.octets(), recipient.octets(), day(now)?);
    Verdict::of(&verdict.map_err(failed)?, None)
}

/// Checks a Message-ID, as Message-ID, In-Reply-To or References hold it, that came back to this recipient.
#[pyfunction]
#[pyo3(signature = (ring, id, recipient, now=None))]
pub(crate) fn mark_verify_message_id(
    ring: &KeyRing,
    id: Text<'_>,
    recipient: Text<'_>,
    now: Option<Now>,
) -> PyResult<Verdict> {
    let verdict = mark::verify_message_id(ring.ring(), id.octets(), recipient.octets(), day(now)?);
    Verdict::of(&verdict.map_err(failed)?, None)
}
