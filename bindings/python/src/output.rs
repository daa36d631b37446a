//! What Python gets: texts, dates, and how an object shows itself.

use backstop::Day;
use pyo3::PyTypeInfo;
use pyo3::prelude::*;
use pyo3::types::PyDate;

use crate::error::{INTERNAL, fault};
use crate::input::EPOCH;

/// An address as `str`. The core takes no address that is not UTF-8, so none comes out.
pub(crate) fn text(octets: &[u8]) -> PyResult<String> {
    let text = std::str::from_utf8(octets);
    text.map(str::to_owned)
        .map_err(|_| fault(INTERNAL, "the library made an address that is not UTF-8; please report it"))
}

/// The date of a day.
pub(crate) fn date(py: Python<'_>, day: Option<Day>) -> PyResult<Option<Bound<'_, PyDate>>> {
    let Some(day) = day else { return Ok(None) };
    let date = PyDate::type_object(py).call_method1("fromordinal", (EPOCH + i64::from(day.number()),))?;
    Ok(Some(date.cast_into::<PyDate>()?))
}

/// `Class(name=value, ...)`, from the attributes with these names.
pub(crate) fn shown(object: &Bound<'_, PyAny>, names: &[&str]) -> PyResult<String> {
    let class = object.get_type().name()?;
    let fields = names.iter().map(|name| Ok(format!("{name}={}", object.getattr(*name)?.repr()?)));
    Ok(format!("{class}({})", fields.collect::<PyResult<Vec<_>>>()?.join(", ")))
}
