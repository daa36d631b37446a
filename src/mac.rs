//! Message authentication: the only file that names a hash, and the only one that compares secrets. (`bulk` has
//! compressions of its own, in lanes; keys, texts and comparisons are made here.)
//!
//! A key is kept as the two states of HMAC (RFC 2104) after their key blocks, so that a message of up to 55 octets costs
//! two compressions and a longer one one more for each 64 octets. The plain `hmac` crate makes the fingerprints, where
//! speed is no matter, and is the oracle of the tests.
//!
//! Running time depends on the lengths of the key and the message and never on their content.

use core::slice::from_ref;

use ctutils::CtEq;
use hmac::{Hmac, KeyInit, Mac as _};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use wide::bytemuck::cast;
use wide::{u8x16, u16x8, u32x4};
use zeroize::Zeroize;

use crate::address::Mailbox;
use crate::encode::{BASE64_VALUES, SHA1_BASE64, sixes};
use crate::sixteen::both;

/// Octets that a hash takes at once.
pub(crate) const BLOCK: usize = 64;
/// Where the message's length stands in the last block.
pub(crate) const LENGTH_AT: usize = 56;

/// The hash under a key's HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mac {
    /// HMAC-SHA-1 (RFC 2104): what the draft, Exim and Mail::SRS use.
    Sha1,
    /// HMAC-SHA-256 over the folded address.
    Sha256,
}

impl Mac {
    /// Both hashes.
    pub const ALL: &'static [Mac] = &[Mac::Sha1, Mac::Sha256];

    /// The word in the key ring.
    pub const fn as_str(self) -> &'static str {
        match self {
            Mac::Sha1 => "sha1",
            Mac::Sha256 => "sha256",
        }
    }
}

/// The chaining value of a hash, zeros after it.
///
/// No enum: its octets would move in pieces that are not those in which the hash reads them, and the processor would have
/// to wait until they have reached the cache.
type State = [u32; 8];

impl Mac {
    /// The value with which the hash begins.
    const fn beginning(self) -> State {
        match self {
            Mac::Sha1 => [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0, 0, 0, 0],
            Mac::Sha256 => {
                [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19]
            }
        }
    }

    #[inline(always)]
    fn compress(self, state: &mut State, blocks: &[[u8; BLOCK]]) {
        match (self, state.first_chunk_mut()) {
            (Mac::Sha1, Some(state)) => sha1::block_api::compress(state, blocks),
            _ => sha2::block_api::compress256(state, blocks),
        }
    }

    /// The last block of the outer hash: the value, the bit behind it and the length in bits.
    ///
    /// Written as whole vectors, since the hash reads it so: see `sixteen.rs`. What stands behind the value comes from a
    /// table, since the compiler would write constants in smaller pieces.
    #[inline(always)]
    fn last_block(self, [a, b, c, d, e, f, g, h]: State) -> [u8; BLOCK] {
        let mut block = *match self {
            Mac::Sha1 => &SHA1_END,
            Mac::Sha256 => &SHA256_END,
        };
        if let [first, second, ..] = block.as_chunks_mut().0 {
            *first = swapped([a, b, c, d]);
            *second = match self {
                // Of its second vector the hash wrote only this word, so that it is not read as one.
                Mac::Sha1 => (u8x16::from(*second) | u8x16::from(both(e.swap_bytes().into(), 0))).to_array(),
                Mac::Sha256 => swapped([e, f, g, h]),
            };
        }
        block
    }
}

/// The last blocks of the outer hash without the value in front.
static SHA1_END: [u8; BLOCK] = end_behind(20);
static SHA256_END: [u8; BLOCK] = end_behind(32);

/// A bit behind so many octets, and at the end the length of these and of the key block.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn end_behind(octets: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[octets] = 0x80;
    let bits = ((BLOCK + octets) * 8).to_be_bytes();
    [block[BLOCK - 2], block[BLOCK - 1]] = [bits[bits.len() - 2], bits[bits.len() - 1]];
    block
}

/// Four words as octets, big-endian.
#[inline(always)]
fn swapped(words: [u32; 4]) -> [u8; 16] {
    let pairs: u16x8 = cast(words.map(u32::to_le));
    let fours: u32x4 = cast(pairs << 8 | pairs >> 8);
    cast(fours << 16 | fours >> 16)
}

/// Words as the octets of a block, big-endian.
#[inline(always)]
fn octets<const WORDS: usize, const OCTETS: usize>(words: [u32; WORDS]) -> [u8; OCTETS] {
    let mut octets = [0; OCTETS];
    for (chunk, word) in octets.chunks_exact_mut(4).zip(words) {
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    octets
}

/// A key, ready for use: the inner and outer state of HMAC; wiped when dropped.
#[derive(Clone)]
pub(crate) struct Keyed {
    mac: Mac,
    inner: State,
    outer: State,
}

impl Drop for Keyed {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

impl Keyed {
    pub(crate) fn new(mac: Mac, secret: &[u8]) -> Keyed {
        let mut key = [0; BLOCK];
        if let Some(room) = key.get_mut(..secret.len()) {
            room.copy_from_slice(secret);
        } else {
            match mac {
                Mac::Sha1 => key.iter_mut().zip(Sha1::digest(secret)).for_each(|(to, from)| *to = from),
                Mac::Sha256 => key.iter_mut().zip(Sha256::digest(secret)).for_each(|(to, from)| *to = from),
            }
        }
        let state = |pad: u8| {
            let mut block = key.map(|octet| octet ^ pad);
            let mut state = mac.beginning();
            mac.compress(&mut state, from_ref(&block));
            block.zeroize();
            state
        };
        let keyed = Keyed { mac, inner: state(0x36), outer: state(0x5c) };
        key.zeroize();
        keyed
    }

    /// The hash under it.
    #[cfg(feature = "bulk")]
    pub(crate) const fn mac(&self) -> Mac {
        self.mac
    }

    /// The two states, for hashing many messages at once.
    #[cfg(feature = "bulk")]
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "no engine there hashes many at once"))]
    pub(crate) const fn states(&self) -> [&[u32; 8]; 2] {
        [&self.inner, &self.outer]
    }

    /// The tag of a message in blocks, padded as if after the key block: its first words.
    #[inline(always)]
    pub(crate) fn tag_of_blocks(&self, blocks: &[[u8; BLOCK]]) -> [u32; 3] {
        // The hash is chosen once, not at each step.
        let tag = |mac: Mac| {
            let mut state = self.inner;
            mac.compress(&mut state, blocks);
            let last = mac.last_block(state);
            state = self.outer;
            mac.compress(&mut state, from_ref(&last));
            let [a, b, c, ..] = state;
            [a, b, c]
        };
        match self.mac {
            Mac::Sha1 => tag(Mac::Sha1),
            Mac::Sha256 => tag(Mac::Sha256),
        }
    }

    /// Begins the tag of one message.
    #[inline(always)]
    pub(crate) fn message(&self) -> Message<'_> {
        Message { keyed: self, state: self.inner, block: [0; BLOCK], used: 0, blocks: 1 }
    }
}

/// A message on its way to a tag.
pub(crate) struct Message<'k> {
    keyed: &'k Keyed,
    state: State,
    block: [u8; BLOCK],
    used: usize,
    /// Blocks before the present one, the key block among them.
    blocks: u64,
}

/// What the text of a message is appended to.
pub(crate) trait Text {
    /// Appends bytes, of which `put` copies or changes each piece.
    fn append(&mut self, bytes: &[u8], put: impl Fn(&mut [u8], &[u8])) -> &mut Self;

    /// Appends bytes as they are.
    #[inline(always)]
    fn push(&mut self, bytes: &[u8]) -> &mut Self {
        self.append(bytes, <[u8]>::copy_from_slice)
    }

    /// Appends bytes with `A-Z` in lower case.
    #[inline(always)]
    fn push_folded(&mut self, bytes: &[u8]) -> &mut Self {
        self.append(bytes, |room, piece| {
            for (to, from) in room.iter_mut().zip(piece) {
                *to = from.to_ascii_lowercase();
            }
        })
    }

    /// Appends the folded address: `A-Z` in lower case, a quoted local part without its quotes and backslashes, so that
    /// needless quoting changes nothing.
    #[inline(always)]
    fn push_folded_address(&mut self, mailbox: Mailbox<'_>) -> &mut Self {
        if mailbox.is_quoted() {
            self.push_folded_content(mailbox.content(), true).push(b"@").push_folded(mailbox.domain())
        } else {
            self.push_folded(mailbox.as_bytes())
        }
    }

    /// Appends the content of a local part, folded; one that stood in quotes without the backslashes of its pairs.
    #[inline(always)]
    fn push_folded_content(&mut self, mut content: &[u8], quoted: bool) -> &mut Self {
        while quoted && let Some(backslash) = content.iter().position(|&octet| octet == b'\\') {
            let (plain, pair) = content.split_at_checked(backslash).unwrap_or_default();
            self.push_folded(plain).push_folded(pair.get(1..2).unwrap_or_default());
            content = pair.get(2..).unwrap_or_default();
        }
        self.push_folded(content)
    }

    /// Appends a number below ten million in decimal.
    #[inline(always)]
    fn push_decimal(&mut self, number: u32) -> &mut Self {
        let digits = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1]
            .map(|place| b'0' + u8::try_from(number / place % 10).unwrap_or(0));
        let zeros = digits.iter().take(6).take_while(|&&digit| digit == b'0').count();
        self.push(digits.get(zeros..).unwrap_or_default())
    }
}

impl Text for Message<'_> {
    #[inline(always)]
    fn append(&mut self, mut bytes: &[u8], put: impl Fn(&mut [u8], &[u8])) -> &mut Self {
        while let Some(room) = self.block.get_mut(self.used..) {
            if bytes.len() < room.len() {
                if let Some(room) = room.get_mut(..bytes.len()) {
                    put(room, bytes);
                }
                self.used += bytes.len();
                break;
            }
            let (now, later) = bytes.split_at_checked(room.len()).unwrap_or_default();
            put(room, now);
            bytes = later;
            self.keyed.mac.compress(&mut self.state, from_ref(&self.block));
            self.block = [0; BLOCK];
            self.used = 0;
            self.blocks += 1;
        }
        self
    }
}

impl Message<'_> {
    /// The tag: 20 octets for SHA-1, then zeros, or 32 for SHA-256.
    #[inline(always)]
    pub(crate) fn finish(&mut self) -> [u8; 32] {
        let mac = self.keyed.mac;
        let bits = (self.blocks * BLOCK as u64 + self.used as u64) * 8;
        if let Some(octet) = self.block.get_mut(self.used) {
            *octet = 0x80;
        }
        if self.used >= LENGTH_AT {
            mac.compress(&mut self.state, from_ref(&self.block));
            self.block = [0; BLOCK];
        }
        let (_, end) = self.block.split_at_mut(LENGTH_AT);
        end.copy_from_slice(&bits.to_be_bytes());
        mac.compress(&mut self.state, from_ref(&self.block));
        let mut state = self.keyed.outer;
        mac.compress(&mut state, from_ref(&mac.last_block(self.state)));
        octets(state)
    }
}

/// The first octets of a tag, of its first words.
#[inline(always)]
pub(crate) fn of_words<const N: usize>(words: [u32; 3]) -> [u8; N] {
    prefix::<N>(&octets::<3, 12>(words))
}

/// The first octets of a tag.
#[inline(always)]
pub(crate) fn prefix<const N: usize>(tag: &[u8]) -> [u8; N] {
    let mut first = [0; N];
    for (to, from) in first.iter_mut().zip(tag) {
        *to = *from;
    }
    first
}

/// Compares without telling by time where two tags of at most sixteen octets differ.
#[inline(always)]
pub(crate) fn equal<const N: usize>(left: [u8; N], right: [u8; N]) -> bool {
    const { assert!(N <= 16) };
    let number = |octets: [u8; N]| octets.iter().fold(0_u128, |number, &octet| number << 8 | u128::from(octet));
    let differs = number(left) ^ number(right);
    match u32::try_from(differs) {
        // The short ones need no more.
        Ok(differs) if const { N <= 4 } => differs.ct_eq(&0).to_bool(),
        _ => differs.ct_eq(&0).to_bool(),
    }
}

/// Compares two secrets without telling by time where they differ; their lengths are no secret.
pub(crate) fn equal_secrets(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).to_bool()
}

/// Compares the base64 of a secret digest with characters, at most 27, of which each stands for one of two values, without
/// telling by time where they differ; there may be fewer of them than the digest has.
#[inline(always)]
pub(crate) fn equal_base64(digest: &[u8; 20], given: &[u8]) -> bool {
    if given.len() > SHA1_BASE64 {
        return false;
    }
    let mut differs = 0;
    for (octets, characters) in digest.chunks(3).zip(given.chunks(4)) {
        // What is missing behind the last octet is zero.
        let [mut one, mut other] = [sixes(prefix(octets)); 2];
        for (character, lane) in characters.iter().zip([0, 8, 16, 24]) {
            #[expect(clippy::indexing_slicing, reason = "256 entries, one for each octet")]
            let [its, others] = BASE64_VALUES[usize::from(*character)].map(u32::from);
            (one, other) = (one ^ its << lane, other ^ others << lane);
        }
        // Bit 7 of each lane is set where there is a difference; of a value that is none it is 64.
        let there = TOPS >> (8 * (4 - characters.len()));
        differs |= (one + !TOPS) & (other + !TOPS) & there;
    }
    differs.ct_eq(&0).to_bool()
}

/// Bit 7 of each of four lanes.
const TOPS: u32 = 0x8080_8080;

/// What two hosts compare to see whether they hold the same key with the same settings.
pub(crate) fn fingerprint(secret: &[u8], settings: &[&[u8]]) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return [0; 32] };
    mac.update(b"backstop fingerprint 1");
    for setting in settings {
        mac.update(b"|");
        mac.update(setting);
    }
    mac.finalize().into_bytes().into()
}

/// One fingerprint over many, in their order.
pub(crate) fn fingerprint_of_all<'a>(fingerprints: impl Iterator<Item = &'a [u8; 32]>) -> [u8; 32] {
    fingerprints.fold(Sha256::new(), |hash, fingerprint| hash.chain_update(fingerprint)).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn oracle(mac: Mac, secret: &[u8], message: &[u8]) -> [u8; 32] {
        let mut out = [0; 32];
        match mac {
            Mac::Sha1 => {
                let mut hmac = Hmac::<Sha1>::new_from_slice(secret).unwrap();
                hmac.update(message);
                out[..20].copy_from_slice(&hmac.finalize().into_bytes());
            }
            Mac::Sha256 => {
                let mut hmac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
                hmac.update(message);
                out.copy_from_slice(&hmac.finalize().into_bytes());
            }
        }
        out
    }

    #[test]
    fn every_length_of_key_and_message_agrees_with_the_plain_construction() {
        let bytes: Vec<u8> = (0..300_u16).map(|i| (i * 7 % 256) as u8).collect();
        for mac in [Mac::Sha1, Mac::Sha256] {
            for key in [1, 20, 32, 63, 64, 65, 128, 200] {
                let keyed = Keyed::new(mac, &bytes[..key]);
                for length in 0..=bytes.len() {
                    let (message, expected) = (&bytes[..length], oracle(mac, &bytes[..key], &bytes[..length]));
                    assert_eq!(keyed.message().push(message).finish(), expected, "{mac:?} {key} {length}");
                    let (one, two) = message.split_at(length / 3);
                    assert_eq!(keyed.message().push(one).push(two).finish(), expected, "{mac:?} {key} {length}");
                }
            }
        }
    }

    #[test]
    fn the_base64_of_a_digest_is_equal_in_any_case_and_alphabet_and_to_nothing_else() {
        use base64ct::{Base64Unpadded, Encoding};
        let digests = [[0xff; 20], [0; 20], core::array::from_fn(|i| (i * 83 + 5) as u8), [0xfb; 20], [0x3e; 20]];
        for digest in digests {
            let text = Base64Unpadded::encode_string(&digest).into_bytes();
            for length in 0..=text.len() {
                for place in 0..length {
                    for octet in 0..=255 {
                        let mut given = text[..length].to_vec();
                        given[place] = octet;
                        let is_same = match octet {
                            b'-' => text[place] == b'+',
                            b'.' => text[place] == b'/',
                            b'_' => text[place] == b'+' || text[place] == b'/',
                            other => text[place].eq_ignore_ascii_case(&other),
                        };
                        assert_eq!(equal_base64(&digest, &given), is_same, "{text:?} {given:?}");
                    }
                }
            }
            assert!(equal_base64(&digest, b"") && !equal_base64(&digest, &[&text[..], b"A"].concat()));
        }
    }

    #[test]
    fn folding_lowers_ascii_only() {
        let keyed = Keyed::new(Mac::Sha256, b"key");
        let folded = keyed.message().push_folded("JÖRG@Example.COM".as_bytes()).finish();
        assert_eq!(folded, keyed.message().push("jÖrg@example.com".as_bytes()).finish());
    }
}
