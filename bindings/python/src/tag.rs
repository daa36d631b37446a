//! Tags of envelope senders: sign, verify, strip, explain.

use backstop::{Error, Form, batv};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::error::failed;
use crate::input::{Now, Text, Texts, day};
use crate::keys::KeyRing;
use crate::output::{shown, text};
use crate::verdict::Verdict;

/// The outcome of signing or rewriting.
#[pyclass(frozen, eq, hash, module = "backstop")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Signed {
    /// The address to go on with: the new one, or the one that was given.
    #[pyo3(get)]
    address: String,
    /// Why the address stays as it is; None if there is a new one.
    #[pyo3(get)]
    reason: Option<&'static str>,
}

#[pymethods]
impl Signed {
    fn __str__(&self) -> &str {
        &self.address
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf, &["address", "reason"])
    }
}

impl Signed {
    pub(crate) fn of(signed: &backstop::Signed, address: &[u8]) -> PyResult<Signed> {
        let result = signed.address().map_or(address, |address| address.as_bytes());
        Ok(Signed { address: text(result)?, reason: signed.reason().map(backstop::Unsigned::slug) })
    }
}

/// Marks an envelope sender, with bst1 where the ring has such a key and there is room, else with prvs.
#[pyfunction]
#[pyo3(signature = (ring, address, now=None))]
pub(crate) fn sign(ring: &KeyRing, address: Text<'_>, now: Option<Now>) -> PyResult<Signed> {
    sign_as(ring, &address, Form::Prefix, now)
}

/// As sign, but the tag stands behind: local+prvs=TAG@domain, for hosts that route by sub-address.
#[pyfunction]
#[pyo3(signature = (ring, address, now=None))]
pub(crate) fn sign_subaddress(ring: &KeyRing, address: Text<'_>, now: Option<Now>) -> PyResult<Signed> {
    sign_as(ring, &address, Form::Subaddress, now)
}

fn sign_as(ring: &KeyRing, address: &Text<'_>, form: Form, now: Option<Now>) -> PyResult<Signed> {
    let signed = batv::sign(ring.ring(), address.octets(), form, day(now)?).map_err(failed)?;
    Signed::of(&signed, address.octets())
}

/// Tells what the recipient of a bounce is, exactly as RCPT gave it.
#[pyfunction]
#[pyo3(signature = (ring, address, now=None))]
pub(crate) fn verify(ring: &KeyRing, address: Text<'_>, now: Option<Now>) -> PyResult<Verdict> {
    let verdict = batv::verify(ring.ring(), address.octets(), day(now)?).map_err(failed)?;
    Verdict::of(&verdict, Some(address.octets()))
}

/// Marks many envelope senders; the answers are what sign gives of each, and for what is no address the Error that it raises.
///
/// Many take far less time than one by one, and other threads run meanwhile.
#[pyfunction]
#[pyo3(signature = (ring, addresses, now=None))]
pub(crate) fn sign_many<'py>(
    py: Python<'py>,
    ring: &KeyRing,
    addresses: &Bound<'py, PyAny>,
    now: Option<Now>,
) -> PyResult<Bound<'py, PyList>> {
    let (texts, day, ring) = (Texts::of(addresses)?, day(now)?, ring.ring());
    answers(py, texts, |senders, answers| {
        batv::sign_many(ring, senders, Form::Prefix, day, |number, result| {
            answers.push(result.map(|signed| Signed::of(signed, senders.get(number).copied().unwrap_or_default())));
        });
    })
}

/// Tells what many recipients of bounces are; the answers are what verify gives of each, and for what is no recipient the
/// Error that it raises.
///
/// Many take less time than one by one, and other threads run meanwhile.
#[pyfunction]
#[pyo3(signature = (ring, addresses, now=None))]
pub(crate) fn verify_many<'py>(
    py: Python<'py>,
    ring: &KeyRing,
    addresses: &Bound<'py, PyAny>,
    now: Option<Now>,
) -> PyResult<Bound<'py, PyList>> {
    let (texts, day, ring) = (Texts::of(addresses)?, day(now)?, ring.ring());
    answers(py, texts, |recipients, answers| {
        batv::verify_many(ring, recipients, day, |number, result| {
            answers.push(result.map(|verdict| Verdict::of(verdict, recipients.get(number).copied())));
        });
    })
}

/// What is told of one of many: an object, or why the text is no address.
type Answer<T> = Result<PyResult<T>, Error>;

/// Asks without the interpreter's lock; an answer that is an error stands in the list.
fn answers<'py, T: IntoPyObject<'py> + Send>(
    py: Python<'py>,
    texts: Texts,
    ask: impl FnOnce(&[&[u8]], &mut Vec<Answer<T>>) + Send,
) -> PyResult<Bound<'py, PyList>> {
    let answers = py.detach(|| {
        let slices = texts.slices();
        let mut answers = Vec::with_capacity(slices.len());
        ask(&slices, &mut answers);
        answers
    });
    let object = |answer: Answer<T>| match answer {
        Ok(answer) => answer?.into_bound_py_any(py),
        Err(error) => Ok(failed(error).into_value(py).into_bound(py).into_any()),
    };
    PyList::new(py, answers.into_iter().map(object).collect::<PyResult<Vec<_>>>()?)
}

/// An address without its tag, which nobody verified.
#[pyclass(frozen, eq, hash, module = "backstop")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Stripped {
    /// The address under the tag, or the one that was given.
    #[pyo3(get)]
    address: String,
    /// The word of the tag that came off; None if there was none.
    #[pyo3(get)]
    tag: Option<&'static str>,
}

#[pymethods]
impl Stripped {
    fn __str__(&self) -> &str {
        &self.address
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf, &["address", "tag"])
    }
}

/// Takes a tag of any known system off, without verifying anything.
///
/// For keys of greylisting, reputation and allow-lists, which must stay the same from day to day. Never deliver by the
/// result. Brackets and a route come off in either case.
#[pyfunction]
pub(crate) fn strip(address: Text<'_>) -> PyResult<Stripped> {
    Ok(match batv::strip(address.octets()).map_err(failed)? {
        Some((tag, stripped)) => Stripped { address: text(stripped.to_address().as_bytes())?, tag: Some(tag.slug()) },
        None => Stripped { address: text(batv::bare(address.octets()))?, tag: None },
    })
}

/// Tells people in words what an address is; some lines, each ending in a line feed.
///
/// With a ring also whether its tag is right. What could steer a terminal is escaped. Not for programs.
#[pyfunction]
#[pyo3(signature = (ring, address, now=None))]
pub(crate) fn explain(ring: Option<&KeyRing>, address: Text<'_>, now: Option<Now>) -> PyResult<String> {
    Ok(backstop::explain::explain(ring.map(KeyRing::ring), address.octets(), day(now)?))
}
