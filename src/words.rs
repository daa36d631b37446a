//! Eight octets at a time: what nearly every address passes, and what costs most if taken octet by octet.
//!
//! All functions look at a `u64` as eight lanes and answer in bit 7 of each. Lanes are compared with sums that never leave
//! them: the octets are cut to seven bits first, and those above ASCII are told apart by their own bit 7.

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// Bit 7 of each lane whose seven low bits lie in `low..=high`.
#[inline(always)]
const fn between(seven: u64, low: u8, high: u8) -> u64 {
    (seven + (0x80 - low as u64) * ONES) & !(seven + (0x7f - high as u64) * ONES) & TOPS
}

/// Bit 7 of each lane that is a letter, a digit or one of `-./`.
#[inline(always)]
const fn plain(word: u64) -> u64 {
    let seven = word & !TOPS;
    // A-Z and a-z differ in one bit, which nothing else below a-z has.
    (between(seven | 0x20 * ONES, b'a', b'z') | between(seven, b'-', b'9')) & !word
}

/// Bit 7 of each lane that is this octet of ASCII.
#[inline(always)]
const fn equal(word: u64, octet: u8) -> u64 {
    let other = word ^ octet as u64 * ONES;
    !(((other & !TOPS) + !TOPS) | other) & TOPS
}

/// Up to eight octets, the rest zero.
#[inline(always)]
fn short_word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, &octet| word << 8 | u64::from(octet))
}

/// How many octets from the start are letters, digits or one of `-./=`, and whether a `=` may be among them.
#[inline(always)]
pub(crate) fn plain_run(bytes: &[u8]) -> (usize, bool) {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let (mut length, mut equals) = (0, 0);
    for chunk in chunks {
        let word = u64::from_le_bytes(*chunk);
        let signs = equal(word, b'=');
        let other = (plain(word) | signs) ^ TOPS;
        equals |= signs;
        if other != 0 {
            return (length + other.trailing_zeros() as usize / 8, equals != 0);
        }
        length += 8;
    }
    // A zero octet is not plain, so the search ends at the last octet.
    let word = short_word(rest);
    let signs = equal(word, b'=');
    (length + ((plain(word) | signs) ^ TOPS).trailing_zeros() as usize / 8, (equals | signs) != 0)
}

/// Whether this is a domain of letters, digits and hyphens, with single dots between them.
#[inline(always)]
pub(crate) fn is_plain_domain(bytes: &[u8]) -> bool {
    let (chunks, rest) = bytes.as_chunks::<8>();
    // The top bit of `before` tells whether the octet before this word is a dot; the domain begins as if after one.
    let (mut wrong, mut before) = (0, TOPS);
    for chunk in chunks {
        let word = u64::from_le_bytes(*chunk);
        let dots = equal(word, b'.');
        wrong |= (plain(word) ^ TOPS) | equal(word, b'/') | dots & (dots << 8 | before >> 56);
        before = dots;
    }
    let word = short_word(rest);
    let dots = equal(word, b'.');
    let used = !(u64::MAX.checked_shl(rest.len() as u32 * 8).unwrap_or(0));
    wrong |= ((plain(word) ^ TOPS) & used) | equal(word, b'/') | dots & (dots << 8 | before >> 56);
    wrong == 0 && bytes.last().is_some_and(|&octet| octet != b'.')
}

/// Whether lowering A-Z changes nothing.
#[inline(always)]
pub(crate) fn is_folded(bytes: &[u8]) -> bool {
    let capitals = |word: u64| between(word & !TOPS, b'A', b'Z') & !word;
    let (chunks, rest) = bytes.as_chunks::<8>();
    let found = chunks.iter().fold(0, |found, chunk| found | capitals(u64::from_le_bytes(*chunk)));
    found | capitals(short_word(rest)) == 0
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
    fn folded_is_without_capitals() {
        every_place(|bytes, octet, _| assert_eq!(is_folded(bytes), !octet.is_ascii_uppercase(), "{bytes:?}"));
    }
}
