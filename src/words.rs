//! Eight octets at a time: what nearly every address passes, and what costs most if taken octet by octet.
//!
//! All functions look at a `u64` as eight lanes and answer in bit 7 of each. Lanes are compared with sums that never leave
//! them: the octets are cut to seven bits first, and those above ASCII are told apart by their own bit 7.

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;
/// The lane of the last octet.
const LAST: u64 = 0xff << 56;

/// Bit 7 of each lane of seven bits that lies in `low..=high`; the other bits are of no meaning.
#[inline(always)]
const fn between(seven: u64, low: u8, high: u8) -> u64 {
    (seven + (0x80 - low as u64) * ONES) & !(seven + (0x7f - high as u64) * ONES)
}

/// Bit 7 of each lane of seven bits that is not this one; the other bits are of no meaning.
#[inline(always)]
const fn differs(seven: u64, octet: u8) -> u64 {
    (seven ^ (octet as u64 * ONES)) + !TOPS
}

/// Bit 7 of each lane of seven bits that is a letter, a digit or one of `-./`; the other bits are of no meaning.
#[inline(always)]
const fn plain(seven: u64) -> u64 {
    // A-Z and a-z differ in one bit, which nothing else below a-z has.
    between(seven | (0x20 * ONES), b'a', b'z') | between(seven, b'-', b'9')
}

/// The `length` octets, fewer than eight, behind the last whole word; zeros after them.
#[inline(always)]
fn last_word(bytes: &[u8], length: usize) -> u64 {
    let unused = (8 - length) * 8;
    match bytes.last_chunk::<8>() {
        // Shifted twice, since a shift by all of the word is none.
        Some(chunk) => u64::from_le_bytes(*chunk) >> (unused / 2) >> (unused - unused / 2),
        None => bytes.iter().rev().fold(0, |word, &octet| word << 8 | u64::from(octet)),
    }
}

/// At most eight octets, `0` behind them.
#[inline(always)]
fn padded(bytes: &[u8]) -> u64 {
    let mut word = *b"00000000";
    for (to, from) in word.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_le_bytes(word)
}

/// Whether at most eight octets are decimal digits.
#[inline(always)]
pub(crate) fn are_digits(bytes: &[u8]) -> bool {
    let word = padded(bytes);
    (!between(word & !TOPS, b'0', b'9') | word) & TOPS == 0
}

/// Whether at most eight octets are hex digits of any case.
#[inline(always)]
pub(crate) fn are_hex_digits(bytes: &[u8]) -> bool {
    let word = padded(bytes);
    let seven = word & !TOPS;
    let is_hex = between(seven, b'0', b'9') | between(seven | (0x20 * ONES), b'a', b'f');
    (!is_hex | word) & TOPS == 0
}

/// Whether at most eight octets are these, in any case.
#[inline(always)]
pub(crate) fn is_same_short<const N: usize>(bytes: &[u8; N], other: &[u8; N]) -> bool {
    const { assert!(N <= 8) };
    // Of a letter, bit 5 is its case.
    let case = padded(&other.map(|octet| if octet.is_ascii_alphabetic() { 0x20 } else { 0 }));
    padded(bytes) | case == padded(other) | case
}

/// Where an octet of ASCII first stands.
#[inline(always)]
pub(crate) fn find(bytes: &[u8], octet: u8) -> Option<usize> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut length = 0;
    for chunk in chunks {
        let word = u64::from_le_bytes(*chunk);
        let found = !(differs(word & !TOPS, octet) | word) & TOPS;
        if found != 0 {
            return Some(length + found.trailing_zeros() as usize / 8);
        }
        length += 8;
    }
    rest.iter().position(|&other| other == octet).map(|place| length + place)
}

/// How many octets from the start are letters, digits or one of `-./=`, and whether a `=` may be among them.
#[inline(always)]
pub(crate) fn plain_run(bytes: &[u8]) -> (usize, bool) {
    let (mut length, mut no_equals) = (0, TOPS);
    let mut other_in = |word: u64| {
        let seven = word & !TOPS;
        let no_sign = differs(seven, b'=');
        no_equals &= no_sign | word;
        ((!plain(seven) & no_sign) | word) & TOPS
    };
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        let other = other_in(u64::from_le_bytes(*chunk));
        if other != 0 {
            return (length + other.trailing_zeros() as usize / 8, no_equals & TOPS != TOPS);
        }
        length += 8;
    }
    // A zero octet is not plain, so the search ends at the last octet.
    let other = other_in(last_word(bytes, rest.len()));
    (length + other.trailing_zeros() as usize / 8, no_equals & TOPS != TOPS)
}

/// Whether this is a domain of letters, digits and hyphens, with single dots between them.
#[inline(always)]
pub(crate) fn is_plain_domain(bytes: &[u8]) -> bool {
    let mut wrong = 0;
    // Looks at a word and at the dots of the word before it; the answer is the dots of this one.
    let mut look_at = |word: u64, before: u64| {
        let seven = word & !TOPS;
        let dots = !differs(seven, b'.') & TOPS;
        wrong |= !plain(seven) | !differs(seven, b'/') | word | dots & (dots << 8 | before >> 56);
        dots
    };
    let (chunks, rest) = bytes.as_chunks::<8>();
    // The domain begins as if after a dot.
    let mut dots = TOPS;
    for chunk in chunks {
        dots = look_at(u64::from_le_bytes(*chunk), dots);
    }
    match bytes.last_chunk::<8>() {
        None => dots = look_at(after_dot(bytes), 0),
        // Some octets are looked at twice, which does no harm.
        Some(chunk) if !rest.is_empty() => dots = look_at(u64::from_le_bytes(*chunk), 0),
        Some(_) => {}
    }
    (wrong | dots & LAST) & TOPS == 0
}

/// Whether lowering A-Z changes nothing.
#[inline(always)]
pub(crate) fn is_folded(bytes: &[u8]) -> bool {
    let capitals = |word: u64| between(word & !TOPS, b'A', b'Z') & !word & TOPS;
    let (mut found, mut rest) = (0, bytes);
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        found |= capitals(u64::from_le_bytes(*chunk));
        rest = tail;
    }
    let last = bytes.last_chunk::<8>().map_or_else(|| after_dot(bytes), |chunk| u64::from_le_bytes(*chunk));
    (found | capitals(last)) == 0
}

/// Fewer than eight octets at the end of a word, after a dot and letters.
fn after_dot(bytes: &[u8]) -> u64 {
    bytes.iter().fold(u64::from_le_bytes(*b"aaaaaaa."), |word, &octet| word >> 8 | u64::from(octet) << 56)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn every_place(check: impl Fn(&[u8], u8, usize)) {
        for octet in 0..=255 {
            for length in 1..=20 {
                for place in 0..length {
                    let mut bytes: Vec<u8> = b"abcdefghijklmnopqrst"[..length].to_vec();
                    bytes[place] = octet;
                    check(&bytes, octet, place);
                }
            }
        }
    }

    #[test]
    fn a_run_is_plain_up_to_its_first_other_octet() {
        every_place(|bytes, octet, place| {
            let is_plain = octet.is_ascii_alphanumeric() || b"-./=".contains(&octet);
            let expected = if is_plain { bytes.len() } else { place };
            assert_eq!(plain_run(bytes), (expected, octet == b'='), "{bytes:?}");
        });
    }

    #[test]
    fn a_domain_is_plain_with_letters_digits_hyphens_and_single_dots() {
        every_place(|bytes, octet, place| {
            let label = octet.is_ascii_alphanumeric() || octet == b'-';
            let inner = octet == b'.' && place > 0 && place + 1 < bytes.len();
            assert_eq!(is_plain_domain(bytes), label || inner, "{bytes:?}");
        });
        for length in 2..20 {
            for place in 0..length - 1 {
                let mut bytes = b"abcdefghijklmnopqrst"[..length].to_vec();
                bytes[place..place + 2].copy_from_slice(b"..");
                assert!(!is_plain_domain(&bytes), "{bytes:?}");
            }
        }
        assert!(!is_plain_domain(b"") && is_plain_domain(b"a.b.c.d.e.f.g.h.i.j"));
    }

    #[test]
    fn an_octet_is_found_where_it_first_stands() {
        every_place(|bytes, _, place| {
            assert_eq!(find(bytes, b'='), bytes.iter().position(|&octet| octet == b'='), "{bytes:?} {place}");
        });
    }

    #[test]
    fn short_text_is_told_by_all_its_octets() {
        for octet in 0..=255_u8 {
            for place in 0..6 {
                let mut bytes = *b"019909";
                bytes[place] = octet;
                assert_eq!(are_digits(&bytes), octet.is_ascii_digit(), "{bytes:?}");
                assert_eq!(are_hex_digits(&bytes), octet.is_ascii_hexdigit(), "{bytes:?}");
                let (name, mut other) = (*b"prvs1=", *b"PrVs1=");
                other[place] = octet;
                assert_eq!(is_same_short(&other, &name), other.eq_ignore_ascii_case(&name), "{other:?}");
            }
        }
    }

    #[test]
    fn folded_is_without_capitals() {
        every_place(|bytes, octet, _| assert_eq!(is_folded(bytes), !octet.is_ascii_uppercase(), "{bytes:?}"));
    }
}
