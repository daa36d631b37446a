//! tcp_table, the line protocol of Postfix (tcp_table(5)); Exim's `${readsocket}` can ask it as well.
//!
//! ```text
//! request = "get" SP key LF          key, value and text with %XX for "%", blanks and what is not printable
//! reply   = "200" SP value LF        found
//!         / "500" SP text LF         not found, or a request that is none
//!         / "400" SP text LF         try again later
//! ```
//!
//! The protocol names no map: each map has a port of its own. A line longer than [`MAX_LINE`] ends the connection; a line
//! that is no request is answered with 500, as `put` is. CRLF ends a line too. `lookup.rs` has the maps.

use std::io::Write as _;

use crate::exchange::Broken;
use crate::faces::Face;
use crate::faces::lookup::{self, Map};
use crate::state::State;

/// The longest line with its end: Postfix's own limit for this protocol.
pub const MAX_LINE: usize = 4096;

/// The first line in the buffer without its end, and the octets that it takes; `None` while it is not whole.
///
/// # Errors
/// [`Broken`] if it is too long.
pub fn line(buffer: &[u8]) -> Result<Option<(&[u8], usize)>, Broken> {
    match buffer.iter().take(MAX_LINE).position(|octet| *octet == b'\n') {
        Some(end) => {
            let line = buffer.get(..end).unwrap_or_default();
            Ok(Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1)))
        }
        None if buffer.len() >= MAX_LINE => Err(Broken("a line of more than 4096 octets")),
        None => Ok(None),
    }
}

/// The key of a line, decoded; the text of the 500 if the line is no request.
///
/// # Errors
/// The text.
pub fn key(line: &[u8]) -> Result<Vec<u8>, &'static str> {
    let key = line.strip_prefix(b"get ").ok_or("only get is known here")?;
    let mut octets = key.iter();
    let mut decoded = Vec::with_capacity(key.len());
    while let Some(octet) = octets.next() {
        if *octet != b'%' {
            decoded.push(*octet);
            continue;
        }
        let value = |octet: Option<&u8>| octet.and_then(|octet| char::from(*octet).to_digit(16));
        let (high, low) = (value(octets.next()), value(octets.next()));
        let octet = high.zip(low).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        decoded.push(octet.ok_or("a % must be followed by two hex digits")?);
    }
    Ok(decoded)
}

/// Appends a reply.
pub fn write(out: &mut Vec<u8>, code: &str, text: &[u8]) {
    out.extend_from_slice(code.as_bytes());
    out.push(b' ');
    for octet in text {
        match octet {
            b'!'..=b'$' | b'&'..=b'~' => out.push(*octet),
            // Writing to a Vec cannot fail.
            _ => drop(write!(out, "%{octet:02X}")),
        }
    }
    out.push(b'\n');
}

/// Answers the first request in the buffer; 0 while it is not whole.
///
/// # Errors
/// [`Broken`] if the connection is of no more use.
pub fn answer(state: &State, map: Map, buffer: &[u8], out: &mut Vec<u8>) -> Result<usize, Broken> {
    let Some((line, taken)) = line(buffer)? else { return Ok(0) };
    match (key(line), state.clock.now()) {
        (Err(text), _) => write(out, "500", text.as_bytes()),
        (Ok(_), None) => write(out, "400", b"the clock shows no usable time"),
        (Ok(key), Some(now)) => match lookup::look_up(state, &state.snapshot(), Face::TcpTable, map, &key, now) {
            Some(address) => write(out, "200", address.as_bytes()),
            None => write(out, "500", b"not found"),
        },
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_lf_or_crlf() {
        assert_eq!(line(b"get a\nget b"), Ok(Some((&b"get a"[..], 6))));
        assert_eq!(line(b"get a\r\n"), Ok(Some((&b"get a"[..], 7))));
        assert_eq!(line(b"get a"), Ok(None));
    }

    #[test]
    fn a_line_without_an_end_is_given_up_at_the_limit() {
        let long = [b'x'; MAX_LINE];
        assert_eq!(line(&long[..MAX_LINE - 1]), Ok(None));
        assert_eq!(line(&long), Err(Broken("a line of more than 4096 octets")));
    }

    #[test]
    fn keys_are_decoded_and_values_encoded() {
        for (encoded, decoded) in [
            (&b"alice@example.com"[..], &b"alice@example.com"[..]),
            (b"%22a%20b%22@example.com", b"\"a b\"@example.com"),
            (b"50%25@example.com", b"50%@example.com"),
            (b"%c3%BC@example.com", "ü@example.com".as_bytes()),
        ] {
            assert_eq!(key(&[b"get ", encoded].concat()).unwrap(), decoded);
            let mut out = Vec::new();
            write(&mut out, "200", decoded);
            let expected = out.strip_prefix(b"200 ").unwrap().strip_suffix(b"\n").unwrap();
            assert_eq!(key(&[b"get ", expected].concat()).unwrap(), decoded);
            assert!(!expected.iter().any(|octet| *octet <= b' ' || *octet >= 0x7f));
        }
    }

    #[test]
    fn what_is_no_request_is_told_why() {
        for (line, text) in [
            (&b""[..], "only get is known here"),
            (b"put a b", "only get is known here"),
            (b"GET a", "only get is known here"),
            (b"get", "only get is known here"),
            (b"get %", "a % must be followed by two hex digits"),
            (b"get %4", "a % must be followed by two hex digits"),
            (b"get %4g", "a % must be followed by two hex digits"),
        ] {
            assert_eq!(key(line), Err(text), "{}", line.escape_ascii());
        }
    }
}
