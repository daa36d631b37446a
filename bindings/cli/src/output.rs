//! Writing to standard output, and one line for people to standard error.

use std::io::{self, IsTerminal, Write};

use backstop::explain::printable;

use crate::stop::Stop;

/// Writes all of it at once.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Stop> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Stop::of_write(&error))
}

/// Standard output for lines that repeat what was read. On a terminal, which an address could steer, what cannot be seen
/// is escaped; elsewhere each octet goes out as it is.
pub(crate) fn lines() -> Box<dyn Write> {
    let stdout = io::stdout().lock();
    if stdout.is_terminal() { Box::new(Terminal(stdout)) } else { Box::new(stdout) }
}

struct Terminal<W>(W);

impl<W: Write> Write for Terminal<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        for part in octets.split_inclusive(|octet| matches!(octet, b'\n' | b'\t')) {
            match part.split_last() {
                Some((end @ (b'\n' | b'\t'), text)) => {
                    self.0.write_all(printable(text).as_bytes())?;
                    self.0.write_all(&[*end])?;
                }
                _ => self.0.write_all(printable(part).as_bytes())?,
            }
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes a line after `backstop: ` to standard error; whether anyone reads it there changes nothing.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "backstop: {}", printable(text.as_bytes()));
}
