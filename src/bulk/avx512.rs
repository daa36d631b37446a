//! Sixteen lanes with AVX-512: rotations and functions of three words are one instruction each.
//!
//! Everything here is compiled for AVX-512 F and BW; `engine.rs` asks the processor before it calls.

use core::arch::x86_64::*;

use super::lanes::{hashes, rounds};
use super::{Blocks, Look, Usual};
use crate::mac::{BLOCK, Keyed};
use crate::srs;

pub(super) const LANES: usize = 16;
type Vector = __m512i;

hashes!("avx512f,avx512bw", 16);

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn splat(word: u32) -> Vector {
    _mm512_set1_epi32(word.cast_signed())
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn add(a: Vector, b: Vector) -> Vector {
    _mm512_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn xor(a: Vector, b: Vector) -> Vector {
    _mm512_xor_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm512_ternarylogic_epi32::<0x96>(a, b, c)
}

/// Left by `LEFT`; `RIGHT` is 32 less that.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn rotate<const LEFT: i32, const RIGHT: i32>(a: Vector) -> Vector {
    const { assert!(LEFT + RIGHT == 32) };
    _mm512_rol_epi32::<LEFT>(a)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn shift<const RIGHT: u32>(a: Vector) -> Vector {
    _mm512_srli_epi32::<RIGHT>(a)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn choose(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm512_ternarylogic_epi32::<0xca>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn majority(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm512_ternarylogic_epi32::<0xe8>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load(octets: &[u8; BLOCK]) -> Vector {
    // SAFETY: the reference is to 64 octets, and the load asks for no alignment.
    unsafe { _mm512_loadu_si512(octets.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_words(words: &[u32; LANES]) -> Vector {
    // SAFETY: the reference is to sixteen words, which are 64 octets, and the load asks for no alignment.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn store(vector: Vector) -> [u32; LANES] {
    let mut words = [0; LANES];
    // SAFETY: the array is of sixteen words, which are 64 octets, and the store asks for no alignment.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), vector) };
    words
}

/// At most 64 octets, zeros after them, and a bit for each that there is.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_some(octets: &[u8]) -> Option<(Vector, u64)> {
    let missing = 64_usize.checked_sub(octets.len()).filter(|&missing| missing < 64)?;
    let there = u64::MAX >> missing;
    // SAFETY: only the octets whose bit is set are read, and these are the slice's.
    Some((unsafe { _mm512_maskz_loadu_epi8(there, octets.as_ptr().cast()) }, there))
}

/// A bit for each octet from `low` to `high`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn between(octets: Vector, low: u8, high: u8) -> u64 {
    let above = _mm512_sub_epi8(octets, _mm512_set1_epi8(low.cast_signed()));
    _mm512_cmple_epu8_mask(above, _mm512_set1_epi8((high - low).cast_signed()))
}

/// A bit for each octet that is this one.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn same(octets: Vector, octet: u8) -> u64 {
    _mm512_cmpeq_epi8_mask(octets, _mm512_set1_epi8(octet.cast_signed()))
}

/// What [`super::Engine::look`] is for.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn look(addresses: &[&[u8]], looks: &mut [Look]) {
    for (address, to) in addresses.iter().zip(looks) {
        *to = look_at(address)
            .map_or(Look::NOTHING, |(local, is_plain)| Look { local: u8::try_from(local).unwrap_or(0), is_plain });
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn look_at(address: &[u8]) -> Option<(usize, bool)> {
    let (octets, there) = load_some(address)?;
    look_in(octets, there)
}

/// Looks at the octets that there are.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn look_in(octets: Vector, there: u64) -> Option<(usize, bool)> {
    let letters = between(_mm512_or_si512(octets, _mm512_set1_epi8(0x20)), b'a', b'z');
    let equals = same(octets, b'=');
    let at = there & !(letters | between(octets, b'-', b'9') | equals);
    // One octet is left, and it is the `@`; what is above it is the domain.
    let (first, last) = (at << 1, there & !(there >> 1));
    let domain = there & !(at | at.wrapping_sub(1));
    let dots = same(octets, b'.');
    let wrong = (dots & (dots << 1 | first | last) | equals | same(octets, b'/')) & domain;
    let is_usual = at & (at.wrapping_sub(1) | 1) == 0 && at & same(octets, b'@') != 0 && domain != 0 && wrong == 0;
    is_usual.then_some((at.trailing_zeros() as usize, equals == 0))
}

/// What [`super::Engine::write_short`] is for.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn write_short(block: &mut [u8; BLOCK], stamp: [u8; 4], text: &[u8], fold: bool) -> bool {
    let Some((octets, there)) = load_some(text).filter(|_| text.len() <= super::SHORT) else { return false };
    let octets = match fold {
        true => _mm512_mask_add_epi8(octets, between(octets, b'A', b'Z'), octets, _mm512_set1_epi8(0x20)),
        false => octets,
    };
    store_message(block, stamp, octets, there);
    true
}

/// Stores the block of a stamp and of a text, at most [`super::SHORT`] octets with zeros after them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn store_message(block: &mut [u8; BLOCK], stamp: [u8; 4], octets: Vector, there: u64) {
    const { assert!(super::SHORT + 4 + 1 + 8 == BLOCK) };
    // The text moves up by one word, which is the stamp; behind it stands one bit, and at the end the length.
    let octets = _mm512_alignr_epi32::<15>(octets, splat(u32::from_le_bytes(stamp)));
    let end = (there << 4 | 0xf).wrapping_add(1);
    let octets = _mm512_mask_blend_epi8(end, octets, _mm512_set1_epi8(-128));
    let bits = (u32::try_from(BLOCK + 4).unwrap_or(0) + there.count_ones()) * 8;
    let octets = _mm512_mask_set1_epi32(octets, 1 << 15, bits.swap_bytes().cast_signed());
    // SAFETY: the reference is to 64 octets, and the store asks for no alignment.
    unsafe { _mm512_storeu_si512(block.as_mut_ptr().cast(), octets) };
}

/// What [`super::Engine::gather`] is for.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn gather(
    addresses: &[&[u8]],
    stamp: [u8; 4],
    longest: usize,
    blocks: &mut [Blocks],
    found: &mut [Usual],
) -> usize {
    let mut count = 0;
    for (address, to) in addresses.iter().zip(found) {
        *to = Usual::NOTHING;
        let Some((octets, there)) = load_some(address).filter(|_| address.len() <= super::SHORT) else { continue };
        let fits = |&(local, _): &(usize, bool)| local <= longest && !srs::is_srs(address);
        let Some((local, true)) = look_in(octets, there).filter(fits) else { continue };
        let Some((block, _)) = blocks.get_mut(count).and_then(|blocks| blocks.0.split_first_chunk_mut()) else {
            continue;
        };
        store_message(block, stamp, octets, there);
        *to = Usual { local: u8::try_from(local).unwrap_or(0), job: u8::try_from(count).unwrap_or(0) };
        count += 1;
    }
    count
}

/// What [`super::Engine::copy_short`] is for.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn copy_short(room: &mut [u8; BLOCK], octets: &[u8]) -> bool {
    let Some((octets, _)) = load_some(octets) else { return false };
    // SAFETY: the reference is to 64 octets, and the store asks for no alignment.
    unsafe { _mm512_storeu_si512(room.as_mut_ptr().cast(), octets) };
    true
}

/// The inner and the outer states; mostly all lanes have one key.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn states(keys: &[&Keyed; LANES]) -> [[Vector; 8]; 2] {
    let [first, ..] = keys;
    if keys.iter().fold(true, |same, key| same & core::ptr::eq(*key, *first)) {
        return first.states().map(|words| words.map(|word| splat(word)));
    }
    super::gathered(keys).map(|words| words.map(|word| load_words(&word)))
}

/// A block of each message: the word of this place of all of them in each vector.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn words(messages: &[&Blocks; LANES], block: usize) -> [Vector; 16] {
    let zero = splat(0);
    let mut rows = [zero; LANES];
    // The octets of each word, in four words, from the last to the first.
    let swap = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203));
    for (row, message) in rows.iter_mut().zip(messages) {
        if let Some(octets) = message.block(block) {
            *row = _mm512_shuffle_epi8(load(octets), swap);
        }
    }
    // Within each quarter of a vector, four rows by four words are turned; then the quarters are.
    let mut turned = [[zero; 4]; 4];
    for (turned, rows) in turned.iter_mut().zip(rows.as_chunks::<4>().0) {
        let [a, b, c, d] = *rows;
        let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
        let (ab_high, cd_high) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
        *turned = [
            _mm512_unpacklo_epi64(ab, cd),
            _mm512_unpackhi_epi64(ab, cd),
            _mm512_unpacklo_epi64(ab_high, cd_high),
            _mm512_unpackhi_epi64(ab_high, cd_high),
        ];
    }
    let [first, second, third, fourth] = turned;
    let mut words = [[zero; 4]; 4];
    for (place, (((a, b), c), d)) in first.into_iter().zip(second).zip(third).zip(fourth).enumerate() {
        let (even, odd) = (_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0xdd>(a, b));
        let (even_later, odd_later) = (_mm512_shuffle_i32x4::<0x88>(c, d), _mm512_shuffle_i32x4::<0xdd>(c, d));
        let quarters = [
            _mm512_shuffle_i32x4::<0x88>(even, even_later),
            _mm512_shuffle_i32x4::<0x88>(odd, odd_later),
            _mm512_shuffle_i32x4::<0xdd>(even, even_later),
            _mm512_shuffle_i32x4::<0xdd>(odd, odd_later),
        ];
        for (words, quarter) in words.iter_mut().zip(quarters) {
            if let Some(word) = words.get_mut(place) {
                *word = quarter;
            }
        }
    }
    let [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]] = words;
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mac::{self, Mac, Text as _};
    use crate::sixteen::tests::{usual_local, with_dots, with_each_octet};
    use alloc::vec::Vec;
    use core::slice::from_ref;

    fn is_here() -> bool {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
    }

    /// Octets of the local part of what is looked at, and whether it has no `=`.
    fn looked(address: &[u8]) -> Option<(usize, bool)> {
        usual_local(address).filter(|_| address.len() <= 64).map(|local| (local, !address.contains(&b'=')))
    }

    fn looks_right(address: &[u8]) {
        let mut looks = [Look::NOTHING];
        // SAFETY: the tests ask for the processor.
        unsafe { look(&[address], &mut looks) };
        let [Look { local, is_plain }] = looks;
        assert_eq!((local > 0).then_some((usize::from(local), is_plain)), looked(address), "{address:?}");
    }

    #[test]
    fn every_octet_at_every_place_is_looked_at() {
        if is_here() {
            with_each_octet(&[3, 4, 15, 16, 17, 33, 63, 64, 65], looks_right);
            with_dots(4..=66, looks_right);
            looks_right(b"");
        }
    }

    #[test]
    fn all_usual_addresses_without_an_equals_sign_are_gathered_up_to_their_limits() {
        if !is_here() {
            return;
        }
        let key = Keyed::new(Mac::Sha1, b"key");
        let longest = 20;
        let check = |address: &[u8]| {
            let (mut blocks, mut found) = ([Blocks::EMPTY; 2], [Usual { local: 9, job: 9 }; 4]);
            let nothing: &[u8] = b"no address";
            // SAFETY: the test asked for the processor.
            let count =
                unsafe { gather(&[nothing, address, address, address], *b"0123", longest, &mut blocks, &mut found) };
            let fits = |&(local, is_plain): &(usize, bool)| local <= longest && is_plain;
            let Some((local, _)) = looked(address).filter(fits).filter(|_| address.len() <= 51) else {
                assert_eq!((count, found), (0, [Usual::NOTHING; 4]), "{address:?}");
                return;
            };
            let usual = |job| Usual { local: u8::try_from(local).unwrap(), job };
            // A third has no room.
            assert_eq!((count, found), (2, [Usual::NOTHING, usual(0), usual(1), Usual::NOTHING]), "{address:?}");
            let mut message = key.message();
            message.push(b"0123").push(address);
            let tag: [u8; 12] = mac::prefix(&message.finish());
            for block in &blocks {
                let words = key.tag_of_blocks(block.first(1));
                assert_eq!(mac::of_words(words), tag, "{address:?}");
            }
        };
        with_each_octet(&[3, 17, 50, 51, 52], check);
    }

    #[test]
    fn short_texts_are_copied_and_written_as_they_are_piece_by_piece() {
        if !is_here() {
            return;
        }
        let text: Vec<u8> = (0..66).map(|i| b"aZ09@Q.xB-[`{y"[i % 14]).collect();
        let key = Keyed::new(Mac::Sha1, b"key");
        for text in (0..=text.len()).map(|length| &text[..length]) {
            let mut room = [1; BLOCK];
            // SAFETY: the test asked for the processor.
            let is_copied = unsafe { copy_short(&mut room, text) };
            assert_eq!(is_copied, (1..=BLOCK).contains(&text.len()));
            assert!(!is_copied || room.starts_with(text), "{text:?}");
            for fold in [false, true] {
                // SAFETY: as above.
                let is_written = unsafe { write_short(&mut room, *b"0123", text, fold) };
                assert_eq!(is_written, (1..=super::super::SHORT).contains(&text.len()));
                let mut message = key.message();
                message.push(b"0123");
                let tag = if fold { message.push_folded(text) } else { message.push(text) }.finish();
                let words = key.tag_of_blocks(from_ref(&room));
                assert!(!is_written || mac::of_words::<12>(words) == mac::prefix(&tag), "{text:?} {fold}");
            }
        }
    }
}
