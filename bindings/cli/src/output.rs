//! Writing to standard output, and one line for people to standard error.

use std::io::Write;

use backstop::explain::printable;

use crate::stop::Stop;

/// Writes all of it at once.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Stop> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Stop::of_write(&error))
}

/// Writes a line after `backstop: ` to standard error; whether anyone reads it there changes nothing.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "backstop: {}", printable(text.as_bytes()));
}
