//! Sixteen octets at a time, as vectors: what nearly every address passes.
//!
//! [`look`] reads an address of 8 to 128 octets whose `@` is among the first 64, [`returned`] what follows the stamp of
//! SRS0 in one of up to 176 with the `@` among the first 112. [`blocks`] makes a message of an address of 12 octets or more,
//! [`blocks_of_two`] one of two pieces of an address of 8 octets or more. For all others they answer `None`, and the parser
//! with `words.rs`, and `mac.rs`, do the same in their way.
//!
//! A block is written as four whole vectors. What is stored in pieces and then loaded as a whole, as the hash does, would
//! wait until all that was begun before it has ended, the hash of the address before among it.

use wide::bytemuck::cast;
use wide::{u8x16, u64x2};

use crate::mac::{BLOCK, LENGTH_AT};
use crate::words;

/// An address of letters, digits and `-./=` before the `@`, and behind it of labels of letters, digits and hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Octets of the local part.
    pub(crate) local: usize,
    /// Whether the local part has neither `=` nor `/`.
    pub(crate) is_plain: bool,
}

/// A bit for each of at most 64 octets.
#[derive(Clone, Copy, Default)]
struct Octets {
    /// Neither letters nor digits nor `-./=`.
    others: u64,
    dots: u64,
    /// `/` and `=`.
    signs: u64,
}

impl Octets {
    /// What at most 64 octets are, with the sixteen that end where they do.
    #[inline(always)]
    fn of(octets: &[u8], last: &[u8; 16]) -> Option<Octets> {
        let missing = 64_usize.checked_sub(octets.len())?;
        let mut found = Octets::default();
        for (chunk, shift) in octets.as_chunks().0.iter().zip([0, 16, 32, 48]) {
            found.add(chunk, |bits| bits << shift);
        }
        // Some are looked at twice, which does no harm.
        found.add(last, |bits| bits << 48 >> missing);
        Some(found)
    }

    /// What 8 to 15 octets are.
    #[inline(always)]
    fn of_few(octets: &[u8]) -> Option<Octets> {
        let up = octets.len().checked_sub(8)?;
        let mut found = Octets::default();
        let [low, high] = [*octets.first_chunk()?, *octets.last_chunk()?].map(u64::from_le_bytes);
        found.add(&both(low, high), |bits| (bits & 0xff) | bits >> 8 << up);
        Some(found)
    }

    /// Adds sixteen octets, of whose bits `place` makes those of all.
    #[inline(always)]
    fn add(&mut self, octets: &[u8; 16], place: impl Fn(u64) -> u64) {
        let octets = u8x16::from(*octets);
        let letters = between(octets | u8x16::splat(0x20), b'a', b'z');
        let signs = same(octets, b'=') | same(octets, b'/');
        let usual = letters | signs | between(octets, b'-', b'9');
        self.others |= place(bits(!usual));
        self.dots |= place(bits(same(octets, b'.')));
        self.signs |= place(bits(signs));
    }
}

/// Looks at an address; `None` if it is for the parser.
#[inline(always)]
pub(crate) fn look(address: &[u8]) -> Option<Look> {
    let (octets, local) = usual(address)?;
    Some(Look { local, is_plain: octets.signs == 0 })
}

/// Octets of `host` and of `host=local` in `host=local@forwarder`; `None` if that is for the parser.
#[inline(always)]
pub(crate) fn returned(rest: &[u8]) -> Option<(usize, usize)> {
    let (octets, both) = match usual(rest) {
        Some(found) => found,
        None => usual_far(rest)?,
    };
    let sign = octets.signs & octets.signs.wrapping_neg();
    let host = sign.trailing_zeros() as usize;
    let wrong = octets.dots & (octets.dots << 1 | 1) & sign.wrapping_sub(1) | octets.dots << 1 & sign;
    // Without a sign among those that were looked at, nothing is known of the octet before it.
    let is_usual = sign != 0 && wrong == 0 && host > 0 && host + 1 < both && rest.get(host) == Some(&b'=');
    is_usual.then_some((host, both))
}

/// Like [`usual`], of an address whose `@` is not among the first 64 octets, up to 112.
#[inline(never)]
fn usual_far(address: &[u8]) -> Option<(Octets, usize)> {
    let head = address.first_chunk::<64>()?;
    let octets = Octets::of(head, head.last_chunk()?).filter(|octets| octets.others == 0)?;
    let (_, local) = usual(address.get(48..)?)?;
    Some((octets, 48 + local))
}

/// What the first 64 octets of a usual address are, and octets of its local part.
#[inline(always)]
fn usual(address: &[u8]) -> Option<(Octets, usize)> {
    let (head, tail) = address.split_at_checked(64).unwrap_or((address, &[]));
    let octets = match head.last_chunk() {
        Some(last) => Octets::of(head, last)?,
        None => Octets::of_few(head)?,
    };
    // The first other octet is the `@`, and the only one; what is above it is the domain.
    let at = octets.others;
    let local = at.trailing_zeros() as usize;
    let domain = !(at | at.wrapping_sub(1));
    let wrong = (octets.dots & (octets.dots << 1 | at << 1) | octets.signs) & domain | at & at.wrapping_sub(1);
    let (mut ends, mut wrong) = ((octets.dots | at) >> (head.len() - 1) & 1, wrong | at & 1);
    if let (false, Some(last)) = (tail.is_empty(), address.last_chunk()) {
        let octets = Octets::of(tail, last)?;
        wrong |= octets.dots & (octets.dots << 1 | ends) | octets.signs | octets.others;
        ends = octets.dots >> (tail.len() - 1) & 1;
    }
    let is_usual = wrong | ends == 0 && address.get(local) == Some(&b'@');
    is_usual.then_some((octets, local))
}

/// Whether lowering A-Z changes nothing.
#[inline(always)]
pub(crate) fn is_folded(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<16>() else { return words::is_folded(text) };
    let capitals = |octets: &[u8; 16]| between(u8x16::from(*octets), b'A', b'Z');
    bits(text.as_chunks().0.iter().fold(capitals(last), |found, octets| found | capitals(octets))) == 0
}

/// The blocks, behind that of the key, of a message of a stamp and a text, folded or as it is; `None` if it needs more or
/// fewer.
#[inline(always)]
pub(crate) fn blocks<const BLOCKS: usize>(stamp: [u8; 4], text: &[u8], fold: bool) -> Option<[[u8; BLOCK]; BLOCKS]> {
    let folded = |octets| if fold { lowered(octets) } else { octets };
    let used = text.len() + stamp.len();
    if (used + BLOCK - LENGTH_AT) / BLOCK + 1 != BLOCKS {
        return None;
    }
    let first = folded(beginning(stamp, text)?);
    let end = match text.last_chunk::<16>() {
        Some(end) => *end,
        // All but the first twelve octets are among the last eight.
        None => both(0, u64::from_le_bytes(*text.last_chunk()?)),
    };
    let end = ended(folded(end), used);
    let length = length_of(used)?;
    let mut blocks = [[0; BLOCK]; BLOCKS];
    for (to, at) in blocks.as_flattened_mut().as_chunks_mut().0.iter_mut().zip((0..).step_by(16)) {
        let lane = match text.get(usize::wrapping_sub(at, stamp.len())..).and_then(<[u8]>::first_chunk) {
            _ if at == 0 => first,
            Some(octets) => folded(*octets),
            // Here it ends, or has ended.
            None => {
                if at <= used {
                    end
                } else {
                    [0; 16]
                }
            }
        };
        *to = if at + 16 == BLOCK * BLOCKS { (u8x16::from(lane) | u8x16::from(length)).to_array() } else { lane };
    }
    Some(blocks)
}

/// The stamp and the first twelve octets of the text.
#[inline(always)]
fn beginning(stamp: [u8; 4], text: &[u8]) -> Option<[u8; 16]> {
    let head: [u8; 12] = *text.first_chunk()?;
    let ([beginning, ..], [rest]) = (head.as_chunks().0, head.as_rchunks().1) else { return None };
    let [beginning, stamp] = [*beginning, stamp].map(|octets| u64::from(u32::from_le_bytes(octets)));
    Some(both(stamp | beginning << 32, u64::from_le_bytes(*rest)))
}

/// The last sixteen octets that hold some of so many, from the last sixteen of these on, and behind them one bit.
#[inline(always)]
fn ended(end: [u8; 16], used: usize) -> [u8; 16] {
    let [_, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = end;
    moved([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, 0x80], 15 - used % 16)
}

/// So many octets and a key block, in bits, where the last vector has them.
#[inline(always)]
fn length_of(used: usize) -> Option<[u8; 16]> {
    Some(both(0, u64::try_from((BLOCK + used) * 8).ok()?.swap_bytes()))
}

/// A piece of an address: where it begins and how many octets it has.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) at: usize,
    pub(crate) length: usize,
}

/// The blocks, behind that of the key, of a message of a stamp and two pieces of one address, these folded; `None` if it
/// needs more or fewer.
#[inline(always)]
pub(crate) fn blocks_of_two<const BLOCKS: usize>(
    stamp: [u8; 2],
    address: &[u8],
    [first, second]: [Piece; 2],
) -> Option<[[u8; BLOCK]; BLOCKS]> {
    let middle = stamp.len() + first.length;
    let used = middle + second.length;
    if (used + BLOCK - LENGTH_AT) / BLOCK + 1 != BLOCKS || first.length == 0 {
        return None;
    }
    let padded = padded(address);
    let address = padded.as_ref().map_or(address, <[u8; 16]>::as_slice);
    // Where the message would begin in the address if all of it were this piece.
    let (one, other) = (first.at.wrapping_sub(stamp.len()), second.at.wrapping_sub(middle));
    let [is_first, is_text] = [middle, used].map(|places| u8x16::splat(u8::try_from(places - 1).unwrap_or(0)));
    let end = u8x16::splat(u8::try_from(used).unwrap_or(0));
    let mut blocks = [[0; BLOCK]; BLOCKS];
    let mut places = u8x16::from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    for (to, at) in blocks.as_flattened_mut().as_chunks_mut::<16>().0.iter_mut().zip((0..).step_by(16)) {
        if at <= used {
            let one = if at < middle { window(address, one.wrapping_add(at))? } else { [0; 16] };
            let other = if at + 16 > middle { window(address, other.wrapping_add(at))? } else { [0; 16] };
            let is_first = places.min(is_first).simd_eq(places);
            let text = u8x16::from(one) & is_first | u8x16::from(other) & !is_first;
            let text = u8x16::from(lowered(text.to_array())) & places.min(is_text).simd_eq(places);
            *to = (text | places.simd_eq(end) & u8x16::splat(0x80)).to_array();
        }
        places += u8x16::splat(16);
    }
    let ([s0, s1], [head, .., tail]) = (stamp, blocks.as_flattened_mut().as_chunks_mut::<16>().0) else {
        return None;
    };
    let [_, _, rest @ ..] = *head;
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = rest;
    *head = [s0, s1, a, b, c, d, e, f, g, h, i, j, k, l, m, n];
    *tail = (u8x16::from(*tail) | u8x16::from(length_of(used)?)).to_array();
    Some(blocks)
}

/// Eight to fifteen octets with zeros behind them; put together as a vector, so that they are stored as one.
#[inline(always)]
fn padded(octets: &[u8]) -> Option<[u8; 16]> {
    let missing = u32::try_from(16_usize.checked_sub(octets.len())?).ok().filter(|&missing| missing > 0)?;
    let [low, high] = [*octets.first_chunk()?, *octets.last_chunk()?].map(u64::from_le_bytes);
    let octets = u64x2::from([low, 0]) | u64x2::from([0, high]).unbounded_shr_scalar(8 * missing);
    let [low, high] = octets.to_array();
    Some(both(low, high))
}

/// Sixteen octets from this place on, which may lie before the first one, as below zero; zeros where there are none.
#[inline(always)]
fn window(bytes: &[u8], at: usize) -> Option<[u8; 16]> {
    if let Some(octets) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        return Some(*octets);
    }
    if at < bytes.len() {
        return Some(moved(*bytes.last_chunk()?, at + 16 - bytes.len()));
    }
    match at.wrapping_neg() {
        before @ ..16 => Some(moved_back(*bytes.first_chunk()?, before)),
        _ => Some([0; 16]),
    }
}

/// Two numbers as octets, each from its lowest one on.
#[inline(always)]
pub(crate) fn both(low: u64, high: u64) -> [u8; 16] {
    cast([low.to_le(), high.to_le()])
}

#[inline(always)]
fn lowered(octets: [u8; 16]) -> [u8; 16] {
    let octets = u8x16::from(octets);
    (octets | between(octets, b'A', b'Z') & u8x16::splat(0x20)).to_array()
}

/// A bit for each octet that is 255; all others are 0.
#[inline(always)]
fn bits(octets: u8x16) -> u64 {
    u64::from(octets.to_bitmask())
}

#[inline(always)]
fn same(octets: u8x16, octet: u8) -> u8x16 {
    octets.simd_eq(u8x16::splat(octet))
}

#[inline(always)]
fn between(octets: u8x16, low: u8, high: u8) -> u8x16 {
    let above = octets - u8x16::splat(low);
    above.min(u8x16::splat(high - low)).simd_eq(above)
}

/// Moved towards the first octet by fewer than sixteen.
#[inline(always)]
fn moved(octets: [u8; 16], count: usize) -> [u8; 16] {
    let ([low, high], []) = octets.as_chunks() else { return octets };
    let both = u64x2::from([*low, *high].map(u64::from_le_bytes));
    let high = u64x2::from([u64::from_le_bytes(*high), 0]);
    let bits = u32::try_from(count * 8).unwrap_or(0);
    // A shift by 64 bits or more leaves nothing, and one by less than none is such a one.
    let moved = both.unbounded_shr_scalar(bits)
        | high.unbounded_shl_scalar(64_u32.wrapping_sub(bits))
        | high.unbounded_shr_scalar(bits.wrapping_sub(64));
    let [low, high] = moved.to_array();
    self::both(low, high)
}

/// Moved away from the first octet by fewer than sixteen.
#[inline(always)]
fn moved_back(octets: [u8; 16], count: usize) -> [u8; 16] {
    let ([low, high], []) = octets.as_chunks() else { return octets };
    let both = u64x2::from([*low, *high].map(u64::from_le_bytes));
    let low = u64x2::from([0, u64::from_le_bytes(*low)]);
    let bits = u32::try_from(count * 8).unwrap_or(0);
    let moved = both.unbounded_shl_scalar(bits)
        | low.unbounded_shr_scalar(64_u32.wrapping_sub(bits))
        | low.unbounded_shl_scalar(bits.wrapping_sub(64));
    let [low, high] = moved.to_array();
    self::both(low, high)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::mac::{self, Keyed, Mac, Text as _};
    use alloc::format;
    use alloc::vec::Vec;

    /// Octets of the local part of a usual address, said octet by octet.
    pub(crate) fn usual_local(address: &[u8]) -> Option<usize> {
        let local = address.iter().position(|&octet| octet == b'@')?;
        let (before, behind) = (&address[..local], &address[local + 1..]);
        let is_label = |label: &[u8]| {
            !label.is_empty() && label.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-')
        };
        let is_usual = |octet: &u8| octet.is_ascii_alphanumeric() || b"-./=".contains(octet);
        let usual = before.iter().all(is_usual) && behind.split(|&octet| octet == b'.').all(is_label);
        (usual && local > 0).then_some(local)
    }

    /// Shows usual addresses of some lengths with every octet at every place.
    pub(crate) fn with_each_octet(lengths: &[usize], mut show: impl FnMut(&[u8])) {
        for &length in lengths {
            for at in [1, length / 2, length.min(65) - 2] {
                for (place, octet) in (0..length).flat_map(|place| (0..=255).map(move |octet| (place, octet))) {
                    let mut address: Vec<u8> = (0..length).map(|i| b"aZ09bY-x"[i % 8]).collect();
                    address[at] = b'@';
                    address[place] = octet;
                    show(&address);
                }
            }
        }
    }

    /// Shows addresses with a dot, and with two, at every place of the domain.
    pub(crate) fn with_dots(lengths: impl Iterator<Item = usize>, mut show: impl FnMut(&[u8])) {
        for (length, at) in lengths.flat_map(|length| [2, 63, 64].map(|at| (length, at))) {
            for place in at + 1..length.max(1) - 1 {
                for two in [false, true] {
                    let mut address: Vec<u8> = (0..length).map(|_| b'a').collect();
                    (address[at], address[place]) = (b'@', b'.');
                    address[place + 1] = if two { b'.' } else { b'b' };
                    show(&address);
                }
            }
        }
    }

    fn looks_right(address: &[u8]) {
        let fits = |local: &usize| (8..=128).contains(&address.len()) && *local < 64;
        let is_plain = |local| !address[..local].iter().any(|octet| b"/=".contains(octet));
        let looked = usual_local(address).filter(fits).map(|local| Look { local, is_plain: is_plain(local) });
        assert_eq!(look(address), looked, "{address:?}");
    }

    #[test]
    fn every_octet_at_every_place_is_looked_at() {
        with_each_octet(&[5, 7, 8, 15, 16, 17, 33, 64, 65, 81, 128, 129], looks_right);
    }

    #[test]
    fn capitals_are_found_at_every_place() {
        with_each_octet(&[5, 15, 16, 17, 33, 51], |text| {
            assert!(is_folded(&text.to_ascii_lowercase()));
            assert_eq!(is_folded(text), !text.iter().any(u8::is_ascii_uppercase), "{text:?}");
            let mut small = text.to_ascii_lowercase();
            small[text.len() / 3] = text[text.len() / 3];
            assert_eq!(is_folded(&small), !small.iter().any(u8::is_ascii_uppercase), "{small:?}");
        });
    }

    #[test]
    fn dots_stand_between_labels() {
        with_dots((8..=130).step_by(3), looks_right);
    }

    #[test]
    fn a_block_is_the_message_that_is_written_piece_by_piece() {
        let text: Vec<u8> = (0..200).map(|i| b"aZ09@Q.xB-y"[i % 11]).collect();
        for mac in [Mac::Sha1, Mac::Sha256] {
            let key = Keyed::new(mac, b"key");
            for length in 0..=text.len() {
                let text = &text[text.len() - length..];
                for fold in [false, true] {
                    let (one, two) = (blocks::<1>(*b"1234", text, fold), blocks::<2>(*b"1234", text, fold));
                    assert_eq!(one.is_some(), (12..=51).contains(&length), "{length}");
                    assert_eq!(two.is_some(), (52..=115).contains(&length), "{length}");
                    let mut message = key.message();
                    message.push(b"1234");
                    let tag = if fold { message.push_folded(text) } else { message.push(text) }.finish();
                    let tags =
                        one.map(|it| key.tag_of_blocks(&it)).into_iter().chain(two.map(|it| key.tag_of_blocks(&it)));
                    for words in tags {
                        assert_eq!(mac::of_words::<12>(words), mac::prefix(&tag), "{mac:?} {length} {fold}");
                    }
                }
            }
        }
    }

    #[test]
    fn blocks_of_two_pieces_are_the_message_that_is_written_piece_by_piece() {
        let address: Vec<u8> = (0..200).map(|i| b"aZ09Q.xB-y"[i % 10]).collect();
        let key = Keyed::new(Mac::Sha1, b"key");
        for whole in [8, 9, 14, 15, 16, 17, 31, 48, 80, 120, 200] {
            let address = &address[..whole];
            let places = |length: usize| (1..=length).flat_map(move |one| (0..=length - one).map(move |at| (at, one)));
            // Of long ones only some.
            let step = 1 + whole / 20;
            for (at, length) in places(whole).filter(|(at, length)| at * length % 3 == 0).step_by(step) {
                for (at2, length2) in
                    [(0, at), (at + length, whole - at - length), (whole - 1, 1), (0, 1), (1, 15.min(whole - 1))]
                {
                    let context = format!("{whole} {at} {length} {at2} {length2}");
                    let pieces = [Piece { at, length }, Piece { at: at2, length: length2 }];
                    let (one, other) = (&address[at..at + length], &address[at2..at2 + length2]);
                    let used = length + length2 + 2;
                    let single = blocks_of_two::<1>(*b"g3", address, pieces);
                    let double = blocks_of_two::<2>(*b"g3", address, pieces);
                    assert_eq!(
                        (single.is_some(), double.is_some()),
                        (used < 56, (56..120).contains(&used)),
                        "{context}"
                    );
                    let mut message = key.message();
                    let tag = message.push(b"g3").push_folded(one).push_folded(other).finish();
                    let tags = single.map(|it| key.tag_of_blocks(&it)).into_iter();
                    for words in tags.chain(double.map(|it| key.tag_of_blocks(&it))) {
                        assert_eq!(mac::of_words::<12>(words), mac::prefix(&tag), "{context}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_returns_is_a_domain_an_equals_sign_and_a_local_part() {
        for text in ["a.example=b@c.example", "host=x@y.example", "a=b=c/d@x.example"] {
            let (host, at) = (text.find('=').unwrap(), text.find('@').unwrap());
            assert_eq!(returned(text.as_bytes()), Some((host, at)), "{text}");
        }
        for length in 50..=180 {
            for place in 1..length.min(120) {
                let mut text: Vec<u8> = (0..length).map(|_| b'a').collect();
                (text[8], text[place]) = (b'=', b'@');
                let fits = place > 9 && place + 1 < length && place < 112;
                let longest = if place < 64 { 128 } else { 48 + 128 };
                let expected = (fits && length <= longest).then_some((8, place));
                assert_eq!(returned(&text), expected, "{length} {place}");
                text[length - 1] = b'.';
                assert_eq!(returned(&text), None, "{length} {place}");
            }
        }
        for text in [
            "=local@c.example",
            "a.example=@c.example",
            ".a.example=b@c.example",
            "a.example.=b@c.example",
            "a..example=b@c.example",
            "a/b.example=c@d.example",
            "a.example.b@c.example",
            "a_b=c@d.example",
            "a.example=b@c..example",
        ] {
            assert_eq!(returned(text.as_bytes()), None, "{text}");
        }
    }
}
