//! How Exim calls a function and is answered: arguments and options in, a text and a status out.
//!
//! ```text
//! ${dlfunc{LIBRARY}{FUNCTION}{argument}...{name=value}...}       int f(unsigned char **yield, int argc, unsigned char **argv)
//! ```
//!
//! Arguments end in NUL. The answer stands in a buffer of the thread, ends in NUL and lasts until the thread's next call;
//! Exim copies it at once. Nothing here knows Exim's headers or calls its functions.

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int, c_uchar};

use backstop_core::explain::printable;
use backstop_core::{Day, Error};

use super::{BACKSTOP_EXIM_DEFER, BACKSTOP_EXIM_ERROR, BACKSTOP_EXIM_OK};
use crate::gate::{Place, gate, known, slice};
use crate::status::BACKSTOP_ERR_INTERNAL;

/// As many arguments as Exim gives. It counts them up to a NULL, which a full list has not: then the count is larger, by
/// whatever stood behind the list.
const MOST: usize = 8;
const FAULT: &CStr = c"backstop has a fault and did nothing; please report it";

thread_local! {
    /// The last answer of this thread, with its NUL.
    static ANSWER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Why there is no answer, in one sentence.
pub(super) enum Trouble {
    /// Something that may pass without a change of Exim's configuration: a file that cannot be used now.
    Passing(String),
    /// The call is wrong.
    Misuse(String),
}

impl Trouble {
    pub(super) fn passing(error: &Error) -> Trouble {
        Trouble::Passing(error.to_string())
    }
}

/// Answers one call.
///
/// # Safety
/// If not NULL, `result` can be written, and `argv` holds `argc` pointers, or [`MOST`] if that is less, that are NULL or point to a text that ends in NUL.
pub(super) unsafe fn call(
    result: *mut *mut c_uchar,
    argc: c_int,
    argv: *mut *mut c_uchar,
    body: impl FnOnce(&[&[u8]]) -> Result<Vec<u8>, Trouble>,
) -> c_int {
    let status = gate(|| {
        // First, so that a fault has its sentence too.
        // SAFETY: promised by the caller. Exim only reads what it is given.
        unsafe { Place::new(result)?.put(FAULT.as_ptr().cast_mut().cast()) };
        // SAFETY: promised by the caller.
        let answer = unsafe { arguments(argc, argv) }.and_then(|arguments| body(&arguments));
        let (status, text) = match answer {
            Ok(text) => (BACKSTOP_EXIM_OK, text),
            Err(Trouble::Passing(sentence)) => (BACKSTOP_EXIM_DEFER, printable(sentence.as_bytes()).into_bytes()),
            Err(Trouble::Misuse(sentence)) => (BACKSTOP_EXIM_ERROR, printable(sentence.as_bytes()).into_bytes()),
        };
        let answer = kept(text).ok_or(BACKSTOP_ERR_INTERNAL)?;
        // SAFETY: as above.
        unsafe { Place::new(result)?.put(answer) };
        Ok(status)
    });
    if status < BACKSTOP_EXIM_OK { BACKSTOP_EXIM_ERROR } else { status }
}

/// Keeps an answer until the next one; `None` while the thread ends.
fn kept(mut text: Vec<u8>) -> Option<*mut c_uchar> {
    text.push(0);
    let keep = |answer: &RefCell<Vec<u8>>| {
        let mut answer = answer.try_borrow_mut().ok()?;
        *answer = text;
        Some(answer.as_mut_ptr())
    };
    ANSWER.try_with(keep).ok().flatten()
}

/// # Safety
/// As for [`call`]; nobody writes to the texts while the result is in use.
unsafe fn arguments<'a>(argc: c_int, argv: *mut *mut c_uchar) -> Result<Vec<&'a [u8]>, Trouble> {
    let count = usize::try_from(argc).map_err(|_| Trouble::Misuse(format!("{argc} is no number of arguments")))?;
    let count = count.min(MOST);
    if count == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: promised by the caller.
    let pointers = unsafe { slice(argv.cast_const(), count) };
    let pointers = pointers.map_err(|_| Trouble::Misuse("the list of arguments is NULL".to_owned()))?;
    let text = |(at, pointer): (usize, &*mut c_uchar)| match known(pointer.cast_const().cast::<c_char>()) {
        // SAFETY: promised by the caller.
        Ok(text) => Ok(unsafe { CStr::from_ptr(text.as_ptr()) }.to_bytes()),
        Err(_) => Err(Trouble::Misuse(format!("argument {} is NULL", at + 1))),
    };
    pointers.iter().enumerate().map(text).collect()
}

/// The options of a call, which stand behind its arguments; one with an empty value counts as not given.
pub(super) struct Options<'a>(Vec<(&'static str, &'a [u8])>);

/// Parts the arguments that a function wants from the options that it knows.
pub(super) fn split<'a, const N: usize>(
    function: &str,
    given: &[&'a [u8]],
    wanted: [&str; N],
    known: &[&'static str],
) -> Result<([&'a [u8]; N], Options<'a>), Trouble> {
    let Some((arguments, rest)) = given.split_first_chunk::<N>() else {
        let count = given.len();
        let wanted = wanted.join("}{");
        return Err(Trouble::Misuse(format!("{function} takes {{{wanted}}} and {count} arguments were given")));
    };
    let mut options = Options(Vec::new());
    for (at, text) in rest.iter().enumerate() {
        let number = N + at + 1;
        let the_options = || match known {
            [] => format!("{function} has no options"),
            known => format!("the options of {function} are {}=", known.join("=, ")),
        };
        let Some(end) = text.iter().position(|octet| *octet == b'=') else {
            // Whatever it is, it is not told: a slip may have put a secret there.
            let problem = format!("argument {number} is not an option of the form name=value; {}", the_options());
            return Err(Trouble::Misuse(problem));
        };
        let (name, value) = text.split_at(end);
        let Some(name) = known.iter().find(|it| it.as_bytes() == name) else {
            // Only what looks like a name: a secret in base64 may end in `=`.
            let is_name = name.len() <= 20 && name.iter().all(|octet| octet.is_ascii_lowercase() || *octet == b'_');
            let option = match std::str::from_utf8(name) {
                Ok(name) if is_name && !name.is_empty() => format!("unknown option `{name}=`"),
                _ => "an unknown option".to_owned(),
            };
            return Err(Trouble::Misuse(format!("argument {number}: {option}; {}", the_options())));
        };
        if options.0.iter().any(|(given, _)| given == name) {
            return Err(Trouble::Misuse(format!("argument {number}: the option `{name}=` is given twice")));
        }
        options.0.push((name, value.get(1..).unwrap_or_default()));
    }
    Ok((*arguments, options))
}

impl<'a> Options<'a> {
    pub(super) fn text(&self, name: &str) -> Option<&'a [u8]> {
        self.0.iter().find(|(given, value)| *given == name && !value.is_empty()).map(|(_, value)| *value)
    }

    /// The day of the option `now`, in unix seconds; without it that of the system clock.
    pub(super) fn day(&self) -> Result<Day, Trouble> {
        let Some(text) = self.text("now") else {
            return Day::today().map_err(|error| Trouble::passing(&error));
        };
        let seconds = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        let seconds = seconds.ok_or_else(|| Trouble::Misuse("now= takes unix seconds".to_owned()))?;
        Day::from_unix_seconds(seconds).map_err(|error| Trouble::Misuse(format!("now=: {error}")))
    }
}

/// An answer of several words, for Exim's `${extract{name}{...}}`: `name=value`, quoted where Exim wants quotes.
#[derive(Default)]
pub(super) struct Words(Vec<u8>);

impl Words {
    /// Adds one; an empty value is left out, which extracts to the same.
    pub(super) fn with(mut self, name: &str, value: &[u8]) -> Words {
        if value.is_empty() {
            return self;
        }
        if !self.0.is_empty() {
            self.0.push(b' ');
        }
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'=');
        if value.iter().any(|octet| matches!(octet, b'"' | b'\\') || octet.is_ascii_whitespace()) {
            self.0.push(b'"');
            for octet in value {
                if matches!(octet, b'"' | b'\\') {
                    self.0.push(b'\\');
                }
                self.0.push(*octet);
            }
            self.0.push(b'"');
        } else {
            self.0.extend_from_slice(value);
        }
        self
    }

    pub(super) fn done(self) -> Vec<u8> {
        self.0
    }
}
