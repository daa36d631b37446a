//! Text forms of short tags in fixed buffers: hex, base32 and base64.
//!
//! Hex is written and read, and base32 written, by arithmetic, so that no table index depends on a tag. Base32 is the lower-case alphabet
//! `a-z2-7` without padding, read in any case. Base64 is what Mail::SRS cuts its hashes from.

const BASE32: base32::Encoding = base32::RFC4648_LOWER_NOPAD.with_ignore_case();

/// Three octets in lower-case hex.
#[inline(always)]
pub(crate) fn hex(bytes: [u8; 3]) -> [u8; 6] {
    let [text @ .., _, _] = hex_digits(bytes).to_le_bytes();
    text
}

/// Like [`hex`], the first digit in the lowest octet of a number.
#[inline(always)]
pub(crate) fn hex_digits(bytes: [u8; 3]) -> u64 {
    let [a, b, c] = bytes.map(u64::from);
    // One nibble a lane, the first lowest.
    let nibbles = a >> 4 | (a & 15) << 8 | b >> 4 << 16 | (b & 15) << 24 | c >> 4 << 32 | (c & 15) << 40;
    let above_nine = (nibbles + 0x0606_0606_0606) >> 4 & 0x0101_0101_0101;
    nibbles + 0x3030_3030_3030 + above_nine * u64::from(b'a' - b'0' - 10)
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

/// The base32 character, in upper case, of a value below 32; of its low five bits above.
pub(crate) const fn base32_character(value: u8) -> u8 {
    match value & 31 {
        letter @ 0..=25 => b'A' + letter,
        digit => b'2' + digit - 26,
    }
}

/// The longest base64 text of a SHA-1 digest, without padding.
pub(crate) const SHA1_BASE64: usize = 27;

/// A SHA-1 digest in base64 with these characters for 62 and 63, without a table or a branch.
#[inline(always)]
pub(crate) fn base64_of_sha1(digest: &[u8; 20], last_two: [u8; 2]) -> [u8; SHA1_BASE64] {
    let mut text = [0; SHA1_BASE64];
    for (text, octets) in text.chunks_mut(4).zip(digest.chunks(3)) {
        let mut three = [0; 3];
        three.iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
        for (to, from) in text.iter_mut().zip(base64_of_three(three, last_two)) {
            *to = from;
        }
    }
    text
}

/// Three octets in base64 with these characters for 62 and 63, without a table and in fewer steps than the crate takes.
#[inline(always)]
pub(crate) fn base64_of_three(octets: [u8; 3], [plus, slash]: [u8; 2]) -> [u8; 4] {
    let values = sixes(octets);
    // One in each lane that has at least this value.
    let from = |least: u32| (values + (128 - least) * 0x0101_0101) >> 7 & 0x0101_0101;
    // What a range has more than the one before it; a lane that falls below zero meanwhile has borrowed, and gives back.
    let (plus, slash) = (u32::from(plus), u32::from(slash));
    let text = (values + u32::from(b'A') * 0x0101_0101 + from(26) * 6).wrapping_sub(from(52) * 75);
    let text = text.wrapping_add(from(62).wrapping_mul(plus.wrapping_sub(58)));
    text.wrapping_add(from(63).wrapping_mul(slash.wrapping_sub(plus + 1))).to_le_bytes()
}

/// The bits of three octets by sixes, one a lane, the first lowest.
#[inline(always)]
pub(crate) fn sixes(octets: [u8; 3]) -> u32 {
    let [a, b, c] = octets.map(u32::from);
    a >> 2 | (a & 3) << 12 | (b >> 4) << 8 | (b & 15) << 18 | (c >> 6) << 16 | (c & 63) << 24
}

/// The six bits that each character of a hash may stand for, of a hash in any case and alphabet; 64 for those that stand
/// for none.
pub(crate) static BASE64_VALUES: [[u8; 2]; 256] = base64_values();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn base64_values() -> [[u8; 2]; 256] {
    let mut values = [[64; 2]; 256];
    let mut value = 0;
    while value < 26 {
        values[(b'A' + value) as usize] = [value, 26 + value];
        values[(b'a' + value) as usize] = [value, 26 + value];
        value += 1;
    }
    while value < 36 {
        values[(b'0' + value - 26) as usize] = [26 + value; 2];
        value += 1;
    }
    [values[b'+' as usize], values[b'-' as usize]] = [[62; 2]; 2];
    [values[b'/' as usize], values[b'.' as usize]] = [[63; 2]; 2];
    values[b'_' as usize] = [62, 63];
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::{Base64Unpadded, Encoding};

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
        for value in 0..1_u32 << 18 {
            // Every value in each of the first three lanes, and all of the last beside them.
            let [_, a, b, c] = (value << 6 | value >> 12).to_be_bytes();
            let mut expected = [0; 4];
            Base64Unpadded::encode(&[a, b, c], &mut expected).unwrap();
            assert_eq!(base64_of_three([a, b, c], *b"+/"), expected);
            let other = expected.map(|octet| match octet {
                b'+' => b'_',
                b'/' => b'.',
                other => other,
            });
            assert_eq!(base64_of_three([a, b, c], *b"_."), other);
        }
        for digest in [[0xff; 20], [0; 20], core::array::from_fn(|i| u8::try_from(i * 11).unwrap())] {
            let expected = Base64Unpadded::encode_string(&digest);
            assert_eq!(base64_of_sha1(&digest, *b"+/"), expected.as_bytes());
            assert_eq!(base64_of_sha1(&digest, *b"-_"), expected.replace('+', "-").replace('/', "_").as_bytes());
        }
    }
}
