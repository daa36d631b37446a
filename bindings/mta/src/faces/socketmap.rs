//! socketmap, the map protocol of Sendmail and Postfix (socketmap_table(5)).
//!
//! ```text
//! request = netstring(name SP key)            netstring(x) = length ":" x ","
//! reply   = netstring("OK " value)            found
//!         / netstring("NOTFOUND ")            not found; the blank stays
//!         / netstring("TEMP " text)           try again later; Postfix makes it 451
//!         / netstring("PERM " text)           wrong for ever
//! ```
//!
//! Requests may follow each other without a wait. A request longer than [`MAX_REQUEST`] or no netstring ends the
//! connection, since nothing tells where the next one begins. `lookup.rs` has the maps.

use std::io::Write as _;

use crate::exchange::Broken;
use crate::faces::Face;
use crate::faces::lookup::{self, Map};
use crate::state::State;

/// The longest request, without the netstring's frame: no address has so many octets.
pub const MAX_REQUEST: usize = 4096;
/// The most octets of a frame that begins with its length in at most four digits.
pub const MAX_FRAME: usize = MAX_REQUEST + "4096:,".len();

/// A request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The map's name.
    pub map: &'a [u8],
    /// What is looked up.
    pub key: &'a [u8],
}

/// The first request in the buffer and the octets that it takes; `None` while it is not whole.
///
/// # Errors
/// [`Broken`] if no request can begin like this.
pub fn parse(buffer: &[u8]) -> Result<Option<(Request<'_>, usize)>, Broken> {
    const LONG: Broken = Broken("a request of more than 4096 octets");
    let digits = buffer.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let (length, rest) = buffer.split_at_checked(digits).unwrap_or((buffer, &[]));
    if digits > 4 {
        return Err(LONG);
    }
    match rest.first() {
        None => return Ok(None),
        Some(b':') if digits > 0 && (digits == 1 || length.first() != Some(&b'0')) => {}
        Some(_) => return Err(Broken("no netstring")),
    }
    let length = length.iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
    if length > MAX_REQUEST {
        return Err(LONG);
    }
    let Some((payload, end)) = rest.get(1..).and_then(|rest| rest.split_at_checked(length)) else { return Ok(None) };
    match end.first() {
        None => return Ok(None),
        Some(b',') => {}
        Some(_) => return Err(Broken("a netstring without its comma")),
    }
    let mut parts = payload.splitn(2, |octet| *octet == b' ');
    let (Some(map), Some(key)) = (parts.next(), parts.next()) else { return Err(Broken("a request without a key")) };
    Ok(Some((Request { map, key }, digits + 1 + length + 1)))
}

/// Appends a reply of two parts.
pub fn write(out: &mut Vec<u8>, status: &str, text: &[u8]) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{}:{status} ", status.len() + 1 + text.len());
    out.extend_from_slice(text);
    out.push(b',');
}

/// Answers the first request in the buffer; 0 while it is not whole.
///
/// # Errors
/// [`Broken`] if the connection is of no more use.
pub fn answer(state: &State, maps: &[Map], buffer: &[u8], out: &mut Vec<u8>) -> Result<usize, Broken> {
    let Some((request, taken)) = parse(buffer)? else { return Ok(0) };
    let Some(map) = Map::by_name(request.map).filter(|map| maps.contains(map)) else {
        let names: Vec<&str> = maps.iter().map(|map| map.as_str()).collect();
        write(out, "PERM", format!("there is no such map here; the maps are {}", names.join(", ")).as_bytes());
        return Ok(taken);
    };
    match state.clock.now() {
        None => write(out, "TEMP", b"the clock shows no usable time"),
        Some(now) => match lookup::look_up(state, &state.snapshot(), Face::Socketmap, map, request.key, now) {
            Some(address) => write(out, "OK", address.as_bytes()),
            None => write(out, "NOTFOUND", b""),
        },
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_request_is_taken_and_what_follows_left() {
        let (request, taken) = parse(b"22:sign alice@example.com,7:sign ").unwrap().unwrap();
        assert_eq!((request.map, request.key, taken), (&b"sign"[..], &b"alice@example.com"[..], 26));
        // A key may hold blanks, and may be empty.
        assert_eq!(parse(b"12:verify \"a b\",").unwrap().unwrap().0.key, b"\"a b\"");
        assert_eq!(parse(b"5:sign ,").unwrap().unwrap().0.key, b"");
    }

    #[test]
    fn every_beginning_of_a_request_waits_for_more() {
        let whole = b"22:sign alice@example.com,";
        for end in 0..whole.len() {
            assert_eq!(parse(&whole[..end]), Ok(None), "{end}");
        }
    }

    #[test]
    fn what_is_no_request_ends_the_connection() {
        for (buffer, what) in [
            (&b"x"[..], "no netstring"),
            (b":", "no netstring"),
            (b"-1:", "no netstring"),
            (b" 5:", "no netstring"),
            (b"05:", "no netstring"),
            (b"GET / HTTP/1.1\r\n", "no netstring"),
            (b"3:a b;", "a netstring without its comma"),
            (b"4:sign,", "a request without a key"),
            (b"0:,", "a request without a key"),
            (b"4097:", "a request of more than 4096 octets"),
            (b"99999", "a request of more than 4096 octets"),
            (b"99999999999999999999999:", "a request of more than 4096 octets"),
        ] {
            assert_eq!(parse(buffer), Err(Broken(what)), "{}", buffer.escape_ascii());
        }
    }

    #[test]
    fn the_longest_request_fits_the_frame() {
        let mut frame = format!("4096:sign {},", "x".repeat(4091)).into_bytes();
        assert_eq!(frame.len(), MAX_FRAME);
        assert_eq!(parse(&frame).unwrap().unwrap().1, MAX_FRAME);
        frame.pop();
        assert_eq!(parse(&frame), Ok(None));
    }

    #[test]
    fn not_found_keeps_its_blank() {
        let mut out = Vec::new();
        write(&mut out, "NOTFOUND", b"");
        write(&mut out, "OK", b"a@b");
        assert_eq!(out, b"9:NOTFOUND ,6:OK a@b,");
    }
}
