//! SHA-1 and SHA-256 (FIPS 180-4) in lanes: each lane of a vector belongs to another message.
//!
//! One macro writes both for a vector type, whose operations the calling file defines for its processor. It is no generic
//! function, since a function of a trait cannot be compiled for processor features, and without them no operation would be
//! inlined.
//!
//! The rounds are functions of their number, so that all conditions and all places in the schedule are constants.

/// The constants of SHA-1, each for twenty rounds.
pub(super) const K1: [u32; 4] = [0x5a82_7999, 0x6ed9_eba1, 0x8f1b_bcdc, 0xca62_c1d6];

/// The constants of SHA-256.
pub(super) const K2: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

/// Calls a round for each number in turn.
macro_rules! rounds {
    ($round:ident, $state:ident, $words:ident, $($number:literal)*) => {
        $($state = $round::<$number>($state, &mut $words);)*
    };
}

/// Writes `sha1` and `sha256` for vectors of type `Vector` with so many lanes.
///
/// The calling file has `splat`, `add`, `xor`, `xor3`, `rotate` to the left, `shift` to the right, `choose`, `majority`,
/// `states` (key states, a vector a word), `words` (a block of each message, a vector a word) and `store`.
macro_rules! hashes {
    ($features:literal, $lanes:literal) => {
        /// The first words of the tags of HMAC-SHA-1.
        #[target_feature(enable = $features)]
        pub(super) fn sha1(group: &super::Group<'_, $lanes>) -> [[u32; $lanes]; 3] {
            let [inner, outer] = states(&group.keys);
            let mut state = inner;
            for block in 0..group.blocks {
                state = sha1_compress::<false>(state, words(&group.messages, block));
            }
            let [a, b, c, d, e, ..] = state;
            let (end, zero) = (splat(0x8000_0000), splat(0));
            let last =
                [a, b, c, d, e, end, zero, zero, zero, zero, zero, zero, zero, zero, zero, splat((64 + 20) * 8)];
            let [a, b, c, ..] = sha1_compress::<true>(outer, last);
            [store(a), store(b), store(c)]
        }

        /// The first words of the tags of HMAC-SHA-256.
        #[target_feature(enable = $features)]
        pub(super) fn sha256(group: &super::Group<'_, $lanes>) -> [[u32; $lanes]; 3] {
            let [inner, outer] = states(&group.keys);
            let mut state = inner;
            for block in 0..group.blocks {
                state = sha256_compress(state, words(&group.messages, block));
            }
            let [a, b, c, d, e, f, g, h] = state;
            let (end, zero) = (splat(0x8000_0000), splat(0));
            let last = [a, b, c, d, e, f, g, h, end, zero, zero, zero, zero, zero, zero, splat((64 + 32) * 8)];
            let [a, b, c, ..] = sha256_compress(outer, last);
            [store(a), store(b), store(c)]
        }

        /// Of eight words, SHA-1 has five; the others pass.
        ///
        /// The last block has a function of its own, so that each stands where it is called, in registers, and the words
        /// that are always the same are known.
        #[inline]
        #[target_feature(enable = $features)]
        fn sha1_compress<const IS_LAST: bool>(before: [Vector; 8], words: [Vector; 16]) -> [Vector; 8] {
            let (mut state, mut words) = (before, words);
            rounds!(sha1_round, state, words,
                0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37
                38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71
                72 73 74 75 76 77 78 79);
            let ([a, b, c, d, e, rest @ ..], [a0, b0, c0, d0, e0, ..]) = (state, before);
            let [f, g, h] = rest;
            [add(a, a0), add(b, b0), add(c, c0), add(d, d0), add(e, e0), f, g, h]
        }

        #[inline]
        #[target_feature(enable = $features)]
        #[expect(clippy::indexing_slicing, reason = "a number modulo 16 of sixteen words; one of four constants")]
        fn sha1_round<const T: usize>(state: [Vector; 8], words: &mut [Vector; 16]) -> [Vector; 8] {
            let [a, b, c, d, e, f, g, h] = state;
            if T >= 16 {
                let old = xor(words[(T + 13) % 16], words[(T + 8) % 16]);
                words[T % 16] = rotate::<1, 31>(xor3(old, words[(T + 2) % 16], words[T % 16]));
            }
            let mixed = match T / 20 {
                0 => choose(b, c, d),
                2 => majority(b, c, d),
                _ => xor3(b, c, d),
            };
            let known = add(add(e, splat(super::lanes::K1[T / 20])), words[T % 16]);
            [add(add(known, mixed), rotate::<5, 27>(a)), a, rotate::<30, 2>(b), c, d, f, g, h]
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn sha256_compress(before: [Vector; 8], words: [Vector; 16]) -> [Vector; 8] {
            let (mut state, mut words) = (before, words);
            rounds!(sha256_round, state, words,
                0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37
                38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63);
            for (word, before) in state.iter_mut().zip(before) {
                *word = add(*word, before);
            }
            state
        }

        #[inline]
        #[target_feature(enable = $features)]
        #[expect(clippy::indexing_slicing, reason = "a number modulo 16 of sixteen words; one of 64 constants")]
        fn sha256_round<const T: usize>(state: [Vector; 8], words: &mut [Vector; 16]) -> [Vector; 8] {
            let [a, b, c, d, e, f, g, h] = state;
            if T >= 16 {
                let (near, far) = (words[(T + 14) % 16], words[(T + 1) % 16]);
                let near = xor3(rotate::<15, 17>(near), rotate::<13, 19>(near), shift::<10>(near));
                let far = xor3(rotate::<25, 7>(far), rotate::<14, 18>(far), shift::<3>(far));
                words[T % 16] = add(add(words[T % 16], far), add(words[(T + 9) % 16], near));
            }
            let known = add(add(h, splat(super::lanes::K2[T])), words[T % 16]);
            let mixed = xor3(rotate::<26, 6>(e), rotate::<21, 11>(e), rotate::<7, 25>(e));
            let one = add(add(known, mixed), choose(e, f, g));
            let mixed = xor3(rotate::<30, 2>(a), rotate::<19, 13>(a), rotate::<10, 22>(a));
            [add(one, add(mixed, majority(a, b, c))), a, b, c, add(d, one), e, f, g]
        }
    };
}

pub(super) use {hashes, rounds};
