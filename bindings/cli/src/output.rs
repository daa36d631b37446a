//! Writing to standard output.

use std::io::Write;

use crate::stop::Stop;

/// Writes all of it at once.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Stop> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Stop::of_write(&error))
}
