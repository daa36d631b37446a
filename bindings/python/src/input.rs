//! What Python gives: texts, times, numbers and words.
//!
//! A wrong type is a `TypeError`. A value that is out of its range is a `backstop.Error`, also where Python would have an
//! `OverflowError`.

use std::borrow::Cow;

use backstop::{Day, Error};
use pyo3::PyTypeInfo;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDate, PyDateTime, PyInt, PyString, PyTzInfo};

use crate::error::{OPTION, TIME, failed, fault};

/// The ordinal of 1970-01-01 in Python.
pub(crate) const EPOCH: i64 = 719_163;
const SECONDS: i64 = 86_400;

/// The octets of a `str` or of `bytes`.
pub(crate) struct Text<'a>(Cow<'a, [u8]>);

impl Text<'_> {
    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The text, if it is UTF-8.
    pub(crate) fn utf8(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl<'a> FromPyObject<'a, '_> for Text<'a> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, '_, PyAny>) -> PyResult<Text<'a>> {
        if let Ok(octets) = object.extract::<&'a [u8]>() {
            return Ok(Text(Cow::Borrowed(octets)));
        }
        let Ok(text) = object.cast::<PyString>() else {
            return Err(expected("str or bytes", &object));
        };
        Ok(Text(match object.extract::<Cow<'a, str>>() {
            Ok(Cow::Borrowed(text)) => Cow::Borrowed(text.as_bytes()),
            Ok(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
            // A surrogate has no UTF-8. Its octets are none either, so the core says where the text is wrong.
            Err(_) => Cow::Owned(text.call_method1("encode", ("utf-8", "surrogatepass"))?.extract::<Vec<u8>>()?),
        }))
    }
}

fn expected(what: &str, object: &Bound<'_, PyAny>) -> PyErr {
    let name = object.get_type().name().map_or_else(|_| "another type".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("expected {what}, not {name}"))
}

/// The octets of many texts, in one piece.
pub(crate) struct Texts {
    octets: Vec<u8>,
    ends: Vec<usize>,
}

impl Texts {
    /// The texts of an iterable, which is not one text itself.
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Texts> {
        if object.is_instance_of::<PyString>() || object.is_instance_of::<PyBytes>() {
            return Err(expected("an iterable of str or bytes", object));
        }
        let mut texts = Texts { octets: Vec::new(), ends: Vec::new() };
        for item in object.try_iter()? {
            let item = item?;
            // The usual ones first, which this copies once less.
            match item.cast::<PyString>().ok().and_then(|text| text.encode_utf8().ok()) {
                Some(octets) => texts.octets.extend_from_slice(octets.as_bytes()),
                None => texts.octets.extend_from_slice(item.extract::<Text<'_>>()?.octets()),
            }
            texts.ends.push(texts.octets.len());
        }
        Ok(texts)
    }

    pub(crate) fn slices(&self) -> Vec<&[u8]> {
        let mut begin = 0;
        let mut next = |end: &usize| self.octets.get(std::mem::replace(&mut begin, *end)..*end).unwrap_or_default();
        self.ends.iter().map(&mut next).collect()
    }
}

/// Finds the types of times that may be given, when the module is imported.
pub(crate) fn find_types(py: Python<'_>) -> PyResult<()> {
    PyDateTime::type_object(py);
    PyDate::type_object(py);
    PyTzInfo::utc(py).map(drop)
}

/// The day of a time that was given.
pub(crate) struct Now(Day);

/// The day for which a function is asked: by the system clock if none is given.
pub(crate) fn day(now: Option<Now>) -> PyResult<Day> {
    now.map_or_else(|| Day::today().map_err(failed), |Now(day)| Ok(day))
}

impl FromPyObject<'_, '_> for Now {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Now> {
        if let Ok(time) = object.cast::<PyDateTime>() {
            return instant(&time).map(Now);
        }
        if let Ok(date) = object.cast::<PyDate>() {
            return ordinal(&date).map(Now);
        }
        if !object.is_instance_of::<PyInt>() || object.is_instance_of::<PyBool>() {
            return Err(expected("None, a date, a datetime with a time zone or an int of unix seconds", &object));
        }
        let seconds = match object.extract::<i64>() {
            Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => {
                return Err(fault(TIME, "the time is no time between 1970 and 9999; give unix seconds"));
            }
            seconds => seconds?,
        };
        Day::from_unix_seconds(seconds).map(Now).map_err(failed)
    }
}

fn instant(time: &Bound<'_, PyDateTime>) -> PyResult<Day> {
    if time.call_method0("utcoffset")?.is_none() {
        let message =
            "the datetime has no time zone, so its day in UTC is not known; give it one, such as timezone.utc";
        return Err(fault(TIME, message));
    }
    match time.call_method1("astimezone", (PyTzInfo::utc(time.py())?,)) {
        Err(error) if error.is_instance_of::<PyOverflowError>(time.py()) => {
            Err(fault(TIME, "the datetime is no time between 1970 and 9999 in UTC"))
        }
        time => ordinal(&time?),
    }
}

fn ordinal(date: &Bound<'_, PyAny>) -> PyResult<Day> {
    let number = date.call_method0("toordinal")?.extract::<i64>()?.saturating_sub(EPOCH);
    let seconds = number.saturating_mul(SECONDS);
    Day::from_unix_seconds(seconds).map_err(|error| match error {
        Error::Time(_) => fault(TIME, "the date does not lie between 1970 and 9999"),
        other => failed(other),
    })
}

/// A number for an option. What no option takes becomes a number that none takes.
pub(crate) struct Number(u64);

impl FromPyObject<'_, '_> for Number {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Number> {
        if !object.is_instance_of::<PyInt>() || object.is_instance_of::<PyBool>() {
            return Err(expected("an int", &object));
        }
        match object.extract::<u64>() {
            Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => Ok(Number(u64::MAX)),
            number => number.map(Number),
        }
    }
}

impl Number {
    /// The number, or the greatest of its type, which is out of range for every option.
    pub(crate) fn count(&self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    pub(crate) fn days(&self) -> u16 {
        u16::try_from(self.0).unwrap_or(u16::MAX)
    }

    pub(crate) fn port(&self) -> PyResult<u16> {
        u16::try_from(self.0).map_err(|_| fault(OPTION, "port must be 0 to 65535"))
    }
}

/// The value that a word stands for, among all that there are.
pub(crate) fn word<T: Copy>(name: &str, given: &Text<'_>, all: &[T], word: fn(T) -> &'static str) -> PyResult<T> {
    all.iter().copied().find(|one| word(*one).as_bytes() == given.octets()).ok_or_else(|| {
        let words: Vec<_> = all.iter().map(|one| word(*one)).collect();
        fault(OPTION, &format!("{name} must be {}", words.join(" or ")))
    })
}
