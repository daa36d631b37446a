//! The text form of a key ring; its grammar and limits stand at [`KeyRing::parse`].
//!
//! No message repeats what a column holds: a slip may have put a secret there.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use base64ct::{Base64, Base64Unpadded, Encoding};
use zeroize::Zeroizing;

use super::{Key, KeyId, KeyRing, Secret, Use};
use crate::day::Day;
use crate::domains::Domains;
use crate::error::Error;
use crate::mac::{self, Keyed, Mac};

/// The longest ring, in octets.
pub(crate) const MAX_TEXT: usize = 1 << 20;
/// The most keys in a ring.
pub(super) const MAX_KEYS: usize = 1000;
/// The most domain patterns in all keys of a ring together, since every two keys of one id are compared.
const MAX_PATTERNS: usize = 10_000;

/// The columns before the secret.
const COLUMNS: [&str; 7] = ["use", "id", "mac", "days", "from", "until", "domains"];

pub(super) fn parse(text: &[u8]) -> Result<KeyRing, Error> {
    if text.len() > MAX_TEXT {
        return Err(ring_error(0, format!("it is longer than {MAX_TEXT} octets; prune it")));
    }
    let text = core::str::from_utf8(text).map_err(|error| {
        let before = text.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|&&octet| octet == b'\n').count();
        ring_error(line, "it is not UTF-8; write a secret of other octets as hex: or base64:")
    })?;
    if text.starts_with('\u{feff}') {
        return Err(ring_error(0, "the file begins with a byte order mark; save it as UTF-8 without one"));
    }
    // Large enough from the start: growing would leave copies of the key states behind.
    let most = lines(text).filter(|(_, line)| says_something(line)).count().min(MAX_KEYS);
    let mut keys: Vec<Key> = Vec::with_capacity(most);
    let mut secrets: Vec<Secret> = Vec::with_capacity(most);
    let mut versioned = false;
    let mut patterns = 0;
    for (index, line) in lines(text) {
        if !says_something(line) {
            continue;
        }
        if !versioned {
            version(line).map_err(|message| ring_error(index, message))?;
            // Before any key: what was cut off may be a part of its secret. What is no ring was not cut.
            if !text.ends_with('\n') {
                let last = text.matches('\n').count();
                let what = "the text ends in the middle of a line; copy it whole, or end the last line";
                return Err(ring_error(last, what));
            }
            versioned = true;
            continue;
        }
        let (key, secret) = key(index, line).map_err(|message| ring_error(index, message))?;
        patterns += key.domains.len();
        if patterns > MAX_PATTERNS {
            return Err(ring_error(
                index,
                format!("a ring may name {MAX_PATTERNS} domains; use `*`, or `*.` and a suffix"),
            ));
        }
        if let Some(message) = keys.iter().zip(&secrets).find_map(|(other, its)| conflict(&key, &secret, other, its)) {
            return Err(ring_error(index, message));
        }
        if keys.len() == MAX_KEYS {
            return Err(ring_error(index, format!("a ring may hold {MAX_KEYS} keys; prune it")));
        }
        keys.push(key);
        secrets.push(secret);
    }
    if !versioned {
        return Err(ring_error(0, "this is no key ring, which begins with the line `version 1`"));
    }
    Ok(KeyRing::new(text, keys))
}

/// Whether a line is neither blank nor a comment.
fn says_something(line: &str) -> bool {
    !line.starts_with('#') && !line.trim_matches([' ', '\t']).is_empty()
}

/// The lines without their ends, with their index.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).enumerate()
}

/// Splits off the first word; the rest begins at the next word.
pub(super) fn word(line: &str) -> (&str, &str) {
    let line = line.trim_start_matches([' ', '\t']);
    let (word, rest) = line.split_at(line.find([' ', '\t']).unwrap_or(line.len()));
    (word, rest.trim_start_matches([' ', '\t']))
}

fn ring_error(index: usize, message: impl Into<String>) -> Error {
    Error::Ring { line: index + 1, message: message.into() }
}

fn version(line: &str) -> Result<(), String> {
    let (name, rest) = word(line);
    let (number, more) = word(rest);
    if name != "version" || !more.is_empty() {
        return Err("this is no key ring, which begins with the line `version 1`".into());
    }
    match number.parse::<u32>() {
        Ok(1) if number == "1" => Ok(()),
        // Not as it stands there, which may be anything with zeros in front.
        Ok(other) if other != 1 => Err(format!("version {other} is not known; this backstop reads version 1")),
        _ => Err("the version must be a plain number; this backstop reads version 1".into()),
    }
}

fn column(number: usize, what: &str) -> String {
    let name = COLUMNS.get(number - 1).unwrap_or(&"secret");
    format!("column {number} ({name}) {what}")
}

pub(super) fn key(line: usize, text: &str) -> Result<(Key, Secret), String> {
    let mut rest = text;
    let mut columns = [""; 7];
    for slot in &mut columns {
        (*slot, rest) = word(rest);
    }
    if rest.is_empty() {
        let names = COLUMNS.join(" ");
        return Err(format!("a key has eight columns: {names} secret"));
    }
    let [usage, id, mac, days, from, until, domains] = columns;
    let usage = *Use::ALL
        .iter()
        .find(|known| known.as_str() == usage)
        .ok_or_else(|| column(1, "must be prvs, bst1, srs or mark"))?;
    let id = match id.as_bytes() {
        [id] if usage.ids().contains(id) => KeyId(*id),
        _ if usage.ids().len() == 10 => return Err(column(2, &format!("must be a digit for {usage}"))),
        _ => return Err(column(2, &format!("must be one of a-z2-7 for {usage}"))),
    };
    let mac = Mac::ALL
        .iter()
        .copied()
        .find(|known| known.as_str() == mac)
        .ok_or_else(|| column(3, "must be sha1 or sha256"))?;
    if !usage.takes(mac) {
        let only = usage.default_mac().as_str();
        return Err(column(3, &format!("must be {only} for {usage}")));
    }
    let days = days
        .parse::<u16>()
        .ok()
        .filter(|number| (1..=usage.max_days()).contains(number) && number.to_string() == days)
        .ok_or_else(|| column(4, &format!("must be a number from 1 to {} for {usage}", usage.max_days())))?;
    let (from, until) = (date(5, from)?, date(6, until)?);
    if let (Some(from), Some(until)) = (from, until)
        && until < from
    {
        return Err(column(6, "lies before `from`; the key would never sign"));
    }
    let domains = Domains::parse(domains).map_err(|error| column(7, &format!("has a fault: {error}")))?;
    let secret = secret(rest)?;
    let settings = text.get(..text.len() - rest.len()).unwrap_or_default();
    let settings: Vec<&[u8]> = settings.split([' ', '\t']).filter(|w| !w.is_empty()).map(str::as_bytes).collect();
    let key = Key {
        usage,
        id,
        mac,
        days,
        from,
        until,
        domains,
        keyed: Keyed::new(mac, secret.octets()),
        secret_len: secret.octets().len(),
        fingerprint: mac::fingerprint(secret.octets(), &settings),
        line,
    };
    Ok((key, secret))
}

fn date(number: usize, text: &str) -> Result<Option<Day>, String> {
    match text {
        "-" => Ok(None),
        text => Day::parse(text).map(Some).map_err(|_| column(number, "must be `-` or a date such as 2026-11-21")),
    }
}

/// Reads `text:...`, `hex:...`, `base32:...` or `base64:...`.
fn secret(text: &str) -> Result<Secret, String> {
    let wrong = |what: &str| column(8, what);
    let Some((form, value)) = text.split_once(':') else {
        return Err(wrong("must begin with text:, hex:, base32: or base64:"));
    };
    let octets = match form {
        "text" => {
            if value.trim_matches([' ', '\t']).len() != value.len() {
                return Err(wrong("has blanks at an end of text:; write it as hex: or base64:"));
            }
            if value.chars().any(|character| character.is_control() && character != '\t') {
                return Err(wrong("has a control character in text:; write it as hex: or base64:"));
            }
            Zeroizing::new(value.as_bytes().to_vec())
        }
        "hex" | "base32" | "base64" => {
            let value = value.trim_end_matches([' ', '\t']);
            let octets = match form {
                "hex" => hex(value),
                "base32" => base32(value),
                _ => base64(value),
            };
            octets.ok_or_else(|| wrong(&format!("is not {form}")))?
        }
        _ => return Err(wrong("must begin with text:, hex:, base32: or base64:")),
    };
    Secret::new(&octets).map_err(|_| wrong(&format!("must have 1 to {} octets", Secret::MAX)))
}

fn base32(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let base32 = base32::RFC4648_NOPAD.with_ignore_case();
    let value = text.trim_end_matches('=');
    let octets = decoded(value, |room| base32.decode_buf(value, room).ok().map(|octets| octets.len()))?;
    let again = Zeroizing::new(base32.encode(&octets));
    let is_padded = text.len() == value.len() || text.len() == value.len().next_multiple_of(8);
    (is_padded && again.eq_ignore_ascii_case(value)).then_some(octets)
}

fn base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    decoded(text, |room| {
        let length = Base64::decode(text, room).map(<[u8]>::len);
        length.or_else(|_| Base64Unpadded::decode(text, room).map(<[u8]>::len)).ok()
    })
}

/// What a decoder wrote, of the length that it tells, into room that is wiped though the text was none of its kind.
fn decoded(text: &str, decode: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<Zeroizing<Vec<u8>>> {
    let mut octets = Zeroizing::new(vec![0; text.len()]);
    let length = decode(&mut octets)?;
    octets.truncate(length);
    Some(octets)
}

/// In room that is enough from the start, since growing leaves copies.
fn hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let nibble = |digit: &u8| (*digit as char).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut octets = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for [high, low] in pairs {
        octets.push(nibble(high)? << 4 | nibble(low)?);
    }
    rest.is_empty().then_some(octets)
}

/// Why two keys cannot stand in one ring.
fn conflict(key: &Key, secret: &Secret, other: &Key, its: &Secret) -> Option<String> {
    let line = other.line();
    if key.usage == other.usage && key.id == other.id && key.domains.overlaps(&other.domains) {
        let usage = key.usage;
        // Exim writes its number into the tags, which only the key of this id verifies.
        let shared = if (usage, key.mac) == (Use::Prvs, Mac::Sha1) { ", in Exim too if it has this key" } else { "" };
        return Some(format!(
            "line {line} has a {usage} key of the same id for the same domains; choose another id{shared}"
        ));
    }
    if key.usage != other.usage && secret == its {
        return Some(format!("line {line} has the same secret for another use; give each use its own"));
    }
    None
}
