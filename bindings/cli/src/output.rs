//! Writing to standard output, and one line for people to standard error.

use std::io::{self, IsTerminal, Write};

use backstop::explain::printable;

use crate::stop::Stop;

/// Writes all of it at once. On a terminal what cannot be seen is escaped as JSON has it, in JSON and in text alike: text has
/// its own escapes by now, and of JSON only control characters are escaped elsewhere.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Stop> {
    let mut out: Box<dyn Write> = lines(true);
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Stop::of_write(&error))
}

/// Standard output for lines that repeat what was read. On a terminal, which an address could steer, what cannot be seen
/// is escaped; elsewhere each octet goes out as it is.
pub(crate) fn lines(json: bool) -> Box<dyn Write> {
    let stdout = io::stdout().lock();
    match stdout.is_terminal() {
        false => Box::new(stdout),
        true => Box::new(Terminal { to: stdout, escape: if json { as_json } else { printable } }),
    }
}

/// Gets whole lines, so that no character is cut, but for those that are passed on in pieces since they are too long
/// (`stream.rs`): there the octets of a character that two pieces share are escaped, as what is no UTF-8 is.
struct Terminal<W> {
    to: W,
    escape: fn(&[u8]) -> String,
}

impl<W: Write> Write for Terminal<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        for part in octets.split_inclusive(|octet| matches!(octet, b'\n' | b'\t')) {
            match part.split_last() {
                Some((end @ (b'\n' | b'\t'), text)) => {
                    self.to.write_all((self.escape)(text).as_bytes())?;
                    self.to.write_all(&[*end])?;
                }
                _ => self.to.write_all((self.escape)(part).as_bytes())?,
            }
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// What [`printable`] escapes, as JSON strings have it: `\u202e`, and a pair of them above U+FFFF.
fn as_json(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for it in String::from_utf8_lossy(octets).chars() {
        if it.is_ascii_graphic() || it == ' ' || printable(it.encode_utf8(&mut [0; 4]).as_bytes()).starts_with(it) {
            text.push(it);
        } else {
            text.extend(it.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

/// Writes a line after `backstop: ` to standard error; whether anyone reads it there changes nothing.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "backstop: {}", printable(text.as_bytes()));
}
