//! Text forms of short tags in fixed buffers: hex, base32 and base64.
//!
//! Hex is written and read, and base32 written, by arithmetic, so that no table index depends on a tag. Base32 is the lower-case alphabet
//! `a-z2-7` without padding, read in any case. Base64 is what Mail::SRS cuts its hashes from.

use base64ct::{Base64, Base64Unpadded, Encoding};

const BASE32: base32::Encoding = base32::RFC4648_LOWER_NOPAD.with_ignore_case();

/// Three octets in lower-case hex.
#[inline(always)]
pub(crate) fn hex(bytes: [u8; 3]) -> [u8; 6] {
    let [a, b, c] = bytes.map(u64::from);
    // One nibble a lane, the first lowest.
    let nibbles = a >> 4 | (a & 15) << 8 | b >> 4 << 16 | (b & 15) << 24 | c >> 4 << 32 | (c & 15) << 40;
    let above_nine = (nibbles + 0x0606_0606_0606) >> 4 & 0x0101_0101_0101;
    let digits = nibbles + 0x3030_3030_3030 + above_nine * u64::from(b'a' - b'0' - 10);
    let [text @ .., _, _] = digits.to_le_bytes();
    text
}

/// Reads six hex digits of any case; the caller has checked that they are hex digits.
#[inline(always)]
pub(crate) fn unhex(digits: [u8; 6]) -> [u8; 3] {
    let [a, b, c, d, e, f] = digits;
    let digits = u64::from_le_bytes([a, b, c, d, e, f, b'0', b'0']);
    // One nibble a lane, then pairs of them: the first of two is the higher.
    let nibbles = (digits & 0x0f0f_0f0f_0f0f) + (digits >> 6 & 0x0101_0101_0101) * 9;
    let [first, _, second, _, third, ..] = (nibbles << 4 | nibbles >> 8).to_le_bytes();
    [first, second, third]
}

/// Ten octets as sixteen base32 characters.
pub(crate) fn base32_of_ten(bytes: [u8; 10]) -> [u8; 16] {
    let mut text = [b'a'; 16];
    base32(&bytes, &mut text);
    text
}

/// Eight octets as thirteen base32 characters.
pub(crate) fn base32_of_eight(bytes: [u8; 8]) -> [u8; 13] {
    let mut text = [b'a'; 13];
    base32(&bytes, &mut text);
    text
}

/// Five bits a character; zeros after the last octet. (The crate takes its characters from a table.)
#[inline(always)]
fn base32(bytes: &[u8], text: &mut [u8]) {
    for (text, bytes) in text.chunks_mut(8).zip(bytes.chunks(5)) {
        let five = (0..5).fold(0, |five, at| five << 8 | u64::from(bytes.get(at).copied().unwrap_or(0)));
        for (to, from) in text.iter_mut().zip(base32_of_five(five)) {
            *to = from;
        }
    }
}

/// Five octets, as a number, as eight characters.
#[inline(always)]
fn base32_of_five(five: u64) -> [u8; 8] {
    // Halves move apart three times, the first below, until each has a lane.
    let values = five >> 20 | (five & 0xf_ffff) << 32;
    let values = values >> 10 & 0x03ff_0000_03ff | (values & 0x03ff_0000_03ff) << 16;
    let values = values >> 5 & 0x001f_001f_001f_001f | (values & 0x001f_001f_001f_001f) << 8;
    let ones = 0x0101_0101_0101_0101;
    // One above 25, where the digits begin.
    let digits = (values + 6 * ones) >> 5 & ones;
    (values + ones * u64::from(b'a') - digits * u64::from(b'a' + 26 - b'2')).to_le_bytes()
}

/// Reads sixteen base32 characters of any case; `None` if one is foreign to the alphabet.
pub(crate) fn ten_of_base32(text: &[u8; 16]) -> Option<[u8; 10]> {
    let mut bytes = [0; 10];
    BASE32.decode_buf(core::str::from_utf8(text).ok()?, &mut bytes).ok()?;
    Some(bytes)
}

/// The value of one base32 character of any case.
pub(crate) const fn base32_value(character: u8) -> Option<u8> {
    match character {
        b'a'..=b'z' => Some(character - b'a'),
        b'A'..=b'Z' => Some(character - b'A'),
        b'2'..=b'7' => Some(character - b'2' + 26),
        _ => None,
    }
}

/// The base32 character, in lower case, of a value below 32; of its low five bits above.
pub(crate) const fn base32_character(value: u8) -> u8 {
    match value & 31 {
        letter @ 0..=25 => b'a' + letter,
        digit => b'2' + digit - 26,
    }
}

/// The longest base64 text of a SHA-1 digest, without padding.
pub(crate) const SHA1_BASE64: usize = 27;

/// Writes the first characters of a SHA-1 digest in base64 (`A-Za-z0-9+/`), without a table; at least as many as asked for.
#[inline(always)]
pub(crate) fn base64_of_sha1(digest: &[u8; 20], characters: usize, text: &mut [u8; SHA1_BASE64]) {
    // Exactly what three octets take, or twenty; the padded form does not look for a rest of three.
    let _ = match (characters <= 4, digest.first_chunk::<3>(), text.first_chunk_mut::<4>()) {
        (true, Some(octets), Some(text)) => Base64::encode(octets, text),
        _ => Base64Unpadded::encode(digest, text),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_survives_hex_in_both_cases() {
        for octet in 0..=255 {
            let text = hex([octet, !octet, 7]);
            assert_eq!(core::str::from_utf8(&text).unwrap(), alloc::format!("{:02x}{:02x}07", octet, !octet));
            assert_eq!(unhex(text), [octet, !octet, 7]);
            assert_eq!(unhex(text.map(|b| b.to_ascii_uppercase())), [octet, !octet, 7]);
        }
    }

    #[test]
    fn base32_reads_what_it_writes_in_any_case() {
        let bytes = [0x51, 0x2a, 0xff, 0, 1, 2, 3, 4, 5, 0x80];
        let text = base32_of_ten(bytes);
        assert_eq!(ten_of_base32(&text), Some(bytes));
        assert_eq!(ten_of_base32(&text.map(|b| b.to_ascii_uppercase())), Some(bytes));
        assert_eq!(ten_of_base32(b"aaaaaaaaaaaaaaa1"), None);
        for value in 0..32 {
            assert_eq!(base32_value(base32_character(value)), Some(value));
        }
    }

    #[test]
    fn base64_is_the_standard_alphabet() {
        let mut text = [0; SHA1_BASE64];
        base64_of_sha1(&[0xff; 20], 4, &mut text);
        assert_eq!(&text[..5], b"////\0");
        base64_of_sha1(&[0xff; 20], 27, &mut text);
        assert_eq!(&text, b"//////////////////////////8");
    }
}
