//! Writing: to standard output, and for people's eyes.
//!
//! What came from a network may hold control characters that steer a terminal, or marks that turn the direction of text
//! round. For people both are escaped (`\u{1b}`), octets that are not UTF-8 as `\xff`. Output for programs keeps the
//! octets as they came.

use std::fmt::Write as _;
use std::io::Write;

use crate::stop::Stop;

/// Writes all of it to standard output at once.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Stop> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Stop::of_write(&error))
}

/// The octets as people may safely see them.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() || turns_direction(character) {
                text.extend(character.escape_default());
            } else {
                text.push(character);
            }
        }
        for octet in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{octet:02x}");
        }
    }
    text
}

/// Marks that make text read other than it is stored (Unicode, UAX 9), and line and paragraph separators.
const fn turns_direction(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_and_foreign_octets_are_escaped_and_letters_are_not() {
        assert_eq!(printable("jörg\u{1b}[2J\r\n\u{9b}\u{202e}".as_bytes()), "jörg\\u{1b}[2J\\r\\n\\u{9b}\\u{202e}");
        assert_eq!(printable(b"a\xffb\\"), "a\\xffb\\");
    }
}
