//! Two messages at a time with the SHA instructions, interleaved: while one waits for a result, the other goes on.
//!
//! Everything here is compiled for SHA, SSSE3 and SSE4.1; `engine.rs` asks the processor before it calls. Vectors hold four
//! words, of a block and of a SHA-1 state with the first one highest, as the instructions want it.

use core::arch::x86_64::*;

use super::lanes::K2;
use super::{Blocks, Group};
use crate::mac::Keyed;

pub(super) const LANES: usize = 2;

/// Calls a step for each number in turn, for both messages.
macro_rules! steps {
    ($step:ident, $one:ident, $other:ident, $($number:literal)*) => {
        $($step::<$number>(&mut $one); $step::<$number>(&mut $other);)*
    };
}

/// The first words of the tags of HMAC-SHA-1.
#[target_feature(enable = "sha,ssse3,sse4.1")]
pub(super) fn sha1(group: &Group<'_, LANES>) -> [[u32; LANES]; 3] {
    let [one, other] = group.keys.map(|key| sha1_states(key));
    let ([mut one, one_outer], [mut other, other_outer]) = (one, other);
    let [message, other_message] = group.messages;
    for block in 0..group.blocks {
        [one, other] = sha1_compress([one, other], [words(message, block, false), words(other_message, block, false)]);
    }
    let states = sha1_compress([one_outer, other_outer], [one, other].map(|state| sha1_block(state)));
    let [one, other] = states.map(|[abcd, _]| numbers(abcd));
    let ([_, c, b, a], [_, z, y, x]) = (one, other);
    [[a, x], [b, y], [c, z]]
}

/// Four words a b c d, and e highest in the other.
type Sha1 = [__m128i; 2];

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn sha1_states(key: &Keyed) -> [Sha1; 2] {
    key.states().map(|&[a, b, c, d, e, ..]| [vector([d, c, b, a]), vector([0, 0, 0, e])])
}

/// The last block of the outer hash.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn sha1_block([abcd, e]: Sha1) -> [__m128i; 4] {
    let end = vector([0, 0, 0x8000_0000, 0]);
    [abcd, _mm_or_si128(e, end), vector([0; 4]), vector([(64 + 20) * 8, 0, 0, 0])]
}

/// One message between two steps of four rounds.
struct Sha1Step {
    words: [__m128i; 4],
    abcd: __m128i,
    /// The four words a step ago, from which e follows; e itself before the first.
    before: __m128i,
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn sha1_compress(states: [Sha1; 2], blocks: [[__m128i; 4]; 2]) -> [Sha1; 2] {
    let ([state, other_state], [block, other_block]) = (states, blocks);
    let step = |[abcd, e]: Sha1, words| Sha1Step { words, abcd, before: e };
    let (mut one, mut other) = (step(state, block), step(other_state, other_block));
    steps!(sha1_step, one, other, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);
    let add = |[abcd, e]: Sha1, step: Sha1Step| [_mm_add_epi32(abcd, step.abcd), _mm_sha1nexte_epu32(step.before, e)];
    [add(state, one), add(other_state, other)]
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
#[expect(clippy::indexing_slicing, reason = "a number modulo 4 of four vectors")]
fn sha1_step<const N: usize>(step: &mut Sha1Step) {
    let words = &mut step.words;
    if N >= 4 {
        let old = _mm_xor_si128(_mm_sha1msg1_epu32(words[N % 4], words[(N + 1) % 4]), words[(N + 2) % 4]);
        words[N % 4] = _mm_sha1msg2_epu32(old, words[(N + 3) % 4]);
    }
    let next = match N {
        0 => _mm_add_epi32(step.before, words[0]),
        _ => _mm_sha1nexte_epu32(step.before, words[N % 4]),
    };
    step.before = step.abcd;
    step.abcd = match N / 5 {
        0 => _mm_sha1rnds4_epu32::<0>(step.abcd, next),
        1 => _mm_sha1rnds4_epu32::<1>(step.abcd, next),
        2 => _mm_sha1rnds4_epu32::<2>(step.abcd, next),
        _ => _mm_sha1rnds4_epu32::<3>(step.abcd, next),
    };
}

/// The first words of the tags of HMAC-SHA-256.
#[target_feature(enable = "sha,ssse3,sse4.1")]
pub(super) fn sha256(group: &Group<'_, LANES>) -> [[u32; LANES]; 3] {
    let [one, other] = group.keys.map(|key| sha256_states(key));
    let ([mut one, one_outer], [mut other, other_outer]) = (one, other);
    let [message, other_message] = group.messages;
    for block in 0..group.blocks {
        [one, other] = sha256_compress([one, other], [words(message, block, true), words(other_message, block, true)]);
    }
    let states = sha256_compress([one_outer, other_outer], [one, other].map(|state| sha256_block(state)));
    let [one, other] = states.map(|[abef, cdgh]| [numbers(abef), numbers(cdgh)]);
    let ([[_, _, b, a], [.., c]], [[_, _, y, x], [.., z]]) = (one, other);
    [[a, x], [b, y], [c, z]]
}

/// The words a b e f and c d g h, the first one highest.
type Sha256 = [__m128i; 2];

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn sha256_states(key: &Keyed) -> [Sha256; 2] {
    key.states().map(|&[a, b, c, d, e, f, g, h]| [vector([f, e, b, a]), vector([h, g, d, c])])
}

/// The last block of the outer hash; here the first word of a vector is lowest.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn sha256_block([abef, cdgh]: Sha256) -> [__m128i; 4] {
    let (first, second) = (_mm_unpackhi_epi64(cdgh, abef), _mm_unpacklo_epi64(cdgh, abef));
    // From d c b a and h g f e, lowest first, to a b c d and e f g h.
    let turned = |vector| _mm_shuffle_epi32::<0b00_01_10_11>(vector);
    let end = vector([0x8000_0000, 0, 0, 0]);
    [turned(first), turned(second), end, vector([0, 0, 0, (64 + 32) * 8])]
}

/// One message between two steps of four rounds.
struct Sha256Step {
    words: [__m128i; 4],
    abef: __m128i,
    cdgh: __m128i,
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn sha256_compress(states: [Sha256; 2], blocks: [[__m128i; 4]; 2]) -> [Sha256; 2] {
    let ([state, other_state], [block, other_block]) = (states, blocks);
    let step = |[abef, cdgh]: Sha256, words| Sha256Step { words, abef, cdgh };
    let (mut one, mut other) = (step(state, block), step(other_state, other_block));
    steps!(sha256_step, one, other, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    let add = |[abef, cdgh]: Sha256, step: Sha256Step| [_mm_add_epi32(abef, step.abef), _mm_add_epi32(cdgh, step.cdgh)];
    [add(state, one), add(other_state, other)]
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
#[expect(clippy::indexing_slicing, reason = "a number modulo 4 of four vectors; one of sixteen times four constants")]
fn sha256_step<const N: usize>(step: &mut Sha256Step) {
    let words = &mut step.words;
    if N >= 4 {
        let (near, last) = (words[(N + 2) % 4], words[(N + 3) % 4]);
        let old = _mm_sha256msg1_epu32(words[N % 4], words[(N + 1) % 4]);
        words[N % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(old, _mm_alignr_epi8::<4>(last, near)), last);
    }
    let known = _mm_add_epi32(words[N % 4], vector(K2.as_chunks().0[N]));
    step.cdgh = _mm_sha256rnds2_epu32(step.cdgh, step.abef, known);
    step.abef = _mm_sha256rnds2_epu32(step.abef, step.cdgh, _mm_shuffle_epi32::<0b00_00_11_10>(known));
}

/// The words of a block, the first of a vector lowest or highest.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn words(message: &Blocks, block: usize, is_first_lowest: bool) -> [__m128i; 4] {
    let order = match is_first_lowest {
        true => _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12),
        false => _mm_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
    };
    let mut words = [vector([0; 4]); 4];
    if let Some(octets) = message.block(block) {
        for (word, octets) in words.iter_mut().zip(octets.as_chunks::<16>().0) {
            *word = _mm_shuffle_epi8(load(octets), order);
        }
    }
    words
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn load(octets: &[u8; 16]) -> __m128i {
    // SAFETY: the reference is to sixteen octets, and the load asks for no alignment.
    unsafe { _mm_loadu_si128(octets.as_ptr().cast()) }
}

/// Four words, the first lowest.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn vector([a, b, c, d]: [u32; 4]) -> __m128i {
    _mm_setr_epi32(a.cast_signed(), b.cast_signed(), c.cast_signed(), d.cast_signed())
}

/// Its words, the lowest first.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn numbers(vector: __m128i) -> [u32; 4] {
    let mut words = [0; 4];
    // SAFETY: the array is of four words, which are sixteen octets, and the store asks for no alignment.
    unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), vector) };
    words
}
