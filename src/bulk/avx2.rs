//! Eight lanes with AVX2.
//!
//! Everything here is compiled for AVX2; `engine.rs` asks the processor before it calls.

use core::arch::x86_64::*;

use super::Blocks;
use super::lanes::{hashes, rounds};
use crate::mac::{BLOCK, Keyed};

pub(super) const LANES: usize = 8;
type Vector = __m256i;

hashes!("avx2", 8);

#[inline]
#[target_feature(enable = "avx2")]
fn splat(word: u32) -> Vector {
    _mm256_set1_epi32(word.cast_signed())
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(a: Vector, b: Vector) -> Vector {
    _mm256_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor(a: Vector, b: Vector) -> Vector {
    _mm256_xor_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    xor(xor(a, b), c)
}

/// Left by `LEFT`; `RIGHT` is 32 less that.
#[inline]
#[target_feature(enable = "avx2")]
fn rotate<const LEFT: i32, const RIGHT: i32>(a: Vector) -> Vector {
    const { assert!(LEFT + RIGHT == 32) };
    _mm256_or_si256(_mm256_slli_epi32::<LEFT>(a), _mm256_srli_epi32::<RIGHT>(a))
}

#[inline]
#[target_feature(enable = "avx2")]
fn shift<const RIGHT: i32>(a: Vector) -> Vector {
    _mm256_srli_epi32::<RIGHT>(a)
}

#[inline]
#[target_feature(enable = "avx2")]
fn choose(a: Vector, b: Vector, c: Vector) -> Vector {
    xor(c, _mm256_and_si256(a, xor(b, c)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn majority(a: Vector, b: Vector, c: Vector) -> Vector {
    xor(_mm256_and_si256(xor(a, b), xor(b, c)), b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(octets: &[u8; BLOCK / 2]) -> Vector {
    // SAFETY: the reference is to 32 octets, and the load asks for no alignment.
    unsafe { _mm256_loadu_si256(octets.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_words(words: &[u32; LANES]) -> Vector {
    // SAFETY: the reference is to eight words, which are 32 octets, and the load asks for no alignment.
    unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(vector: Vector) -> [u32; LANES] {
    let mut words = [0; LANES];
    // SAFETY: the array is of eight words, which are 32 octets, and the store asks for no alignment.
    unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), vector) };
    words
}

/// The inner and the outer states; mostly all lanes have one key.
#[inline]
#[target_feature(enable = "avx2")]
fn states(keys: &[&Keyed; LANES]) -> [[Vector; 8]; 2] {
    let [first, ..] = keys;
    if keys.iter().fold(true, |same, key| same & core::ptr::eq(*key, *first)) {
        return first.states().map(|words| words.map(|word| splat(word)));
    }
    super::gathered(keys).map(|words| words.map(|word| load_words(&word)))
}

/// A block of each message: the word of this place of all of them in each vector.
#[inline]
#[target_feature(enable = "avx2")]
fn words(messages: &[&Blocks; LANES], block: usize) -> [Vector; 16] {
    let [low, high] = [0, 1].map(|half| half_words(messages, block, half));
    let ([a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p]) = (low, high);
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

/// The first or the second eight words.
#[inline]
#[target_feature(enable = "avx2")]
fn half_words(messages: &[&Blocks; LANES], block: usize, half: usize) -> [Vector; 8] {
    let zero = splat(0);
    let mut rows = [zero; LANES];
    // The octets of each word, in four words, from the last to the first.
    let swap = _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203));
    for (row, message) in rows.iter_mut().zip(messages) {
        if let Some(octets) = message.block(block).and_then(|octets| octets.as_chunks().0.get(half)) {
            *row = _mm256_shuffle_epi8(load(octets), swap);
        }
    }
    // Within each half of a vector, four rows by four words are turned; then the halves are.
    let mut turned = [[zero; 4]; 2];
    for (turned, rows) in turned.iter_mut().zip(rows.as_chunks::<4>().0) {
        let [a, b, c, d] = *rows;
        let (ab, cd) = (_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d));
        let (ab_high, cd_high) = (_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, d));
        *turned = [
            _mm256_unpacklo_epi64(ab, cd),
            _mm256_unpackhi_epi64(ab, cd),
            _mm256_unpacklo_epi64(ab_high, cd_high),
            _mm256_unpackhi_epi64(ab_high, cd_high),
        ];
    }
    let [[a, b, c, d], [e, f, g, h]] = turned;
    [
        _mm256_permute2x128_si256::<0x20>(a, e),
        _mm256_permute2x128_si256::<0x20>(b, f),
        _mm256_permute2x128_si256::<0x20>(c, g),
        _mm256_permute2x128_si256::<0x20>(d, h),
        _mm256_permute2x128_si256::<0x31>(a, e),
        _mm256_permute2x128_si256::<0x31>(b, f),
        _mm256_permute2x128_si256::<0x31>(c, g),
        _mm256_permute2x128_si256::<0x31>(d, h),
    ]
}
