//! Many addresses in one call, for `fuzz_targets/capi.rs`: whatever the list and the room, each is what it is alone, the first
//! are done, and nothing else is written.
//!
//! ```text
//! input = kind times room *(address LF) address      one octet each, then a list that is repeated `times`, at most 300 addresses
//! ```

use std::ptr;

use capi::*;

use crate::call::{Call, Input, LENGTH, NUMBER};
use crate::ring;

const FILL: u8 = 0x5a;
const MOST: usize = 300;
/// The published sizes of a verdict.
const SIZES: [usize; 2] = [352, 360];

/// A list of texts, each alone on the heap.
struct List(Vec<Box<[u8]>>);

impl List {
    fn read(times: u8, input: &mut Input<'_>) -> List {
        let mut lines = Vec::new();
        while !input.0.is_empty() {
            lines.push(input.line());
        }
        let count = (lines.len() * usize::from(times)).min(MOST);
        List(lines.iter().cycle().take(count).cloned().collect())
    }

    /// One of them is spoiled, if something is to be.
    fn texts(&self, call: &Call) -> Box<[backstop_text]> {
        let spoiled = usize::from(call.any_size as u16) % self.0.len().max(1);
        let text = |(at, text): (usize, &Box<[u8]>)| {
            let (data, len) = if at == spoiled { call.text(8, text) } else { (text.as_ptr().cast(), text.len()) };
            backstop_text { data, len }
        };
        self.0.iter().enumerate().map(text).collect()
    }
}

fn same(one: &backstop_text, other: &backstop_text) -> bool {
    ptr::eq(one.data, other.data) && one.len == other.len
}

pub(crate) fn many(call: &Call, input: &mut Input<'_>) {
    let (kind, times, room) = (input.octet(), input.octet(), usize::from(input.octet()));
    let list = List::read(times, input);
    if kind % 2 == 0 { sign(call, &list, room, kind & 2 != 0) } else { verify(call, &list) }
}

fn sign(call: &Call, list: &List, room: usize, in_place: bool) {
    let count = list.0.len();
    let given = list.texts(call);
    let mut texts = given.clone();
    let room = if call.cap == 0xff { count * 254 } else { room * usize::from(call.cap) / 4 };
    let mut buffer = vec![FILL; room].into_boxed_slice();
    let untouched = backstop_text { data: ptr::without_provenance(LENGTH), len: LENGTH };
    let mut results = vec![untouched; count].into_boxed_slice();
    let mut status = vec![NUMBER; count].into_boxed_slice();
    let (mut len, mut done) = (Box::new(LENGTH), Box::new(LENGTH));
    let addresses = texts.as_mut_ptr();
    let out = if in_place { addresses } else { results.as_mut_ptr() };
    let before = call.spoiled.get();
    let code = call.code(unsafe {
        backstop_sign_many(
            call.at(4, ring()),
            call.at(5, addresses),
            count,
            call.now,
            call.at(1, buffer.as_mut_ptr()).cast(),
            room,
            call.at(2, &raw mut *len),
            call.at(3, out),
            call.at(6, status.as_mut_ptr()),
            call.at(7, &raw mut *done),
        )
    });
    assert!(!before || code < 0);
    let out = if in_place { &texts } else { &results };
    if code != BACKSTOP_OK && code != BACKSTOP_ERR_TOO_SMALL {
        let (before, now) = (if in_place { &given[..] } else { &vec![untouched; count][..] }, &out[..]);
        assert!(now.iter().zip(before).all(|(now, before)| same(now, before)), "{code}");
        assert!(buffer.iter().all(|&octet| octet == FILL) && status.iter().all(|&it| it == NUMBER));
        assert_eq!((*len, *done), (LENGTH, LENGTH));
        return;
    }
    assert_eq!(code == BACKSTOP_OK, *done == count);
    assert!(code == BACKSTOP_OK || (*len > room && out.len() > *done));
    // The day of the clock may be another one at the next call.
    if call.now == -1 {
        return;
    }
    let mut needed = 0;
    for (number, text) in given.iter().enumerate() {
        let (mut alone, mut alone_len) = ([0; 600], 0);
        let right = unsafe {
            backstop_sign(
                ring(),
                text.data,
                text.len,
                call.now,
                alone.as_mut_ptr().cast(),
                alone.len(),
                &raw mut alone_len,
            )
        };
        let at = needed;
        needed += if right == BACKSTOP_OK { alone_len } else { 0 };
        if number >= *done {
            assert!(number > *done || right == BACKSTOP_OK && needed > room);
            assert!(status[number] == NUMBER && same(&out[number], if in_place { text } else { &untouched }));
            continue;
        }
        assert_eq!(status[number], right);
        if right == BACKSTOP_OK {
            assert_eq!(buffer[at..needed], alone[..alone_len]);
            assert!(same(&out[number], &backstop_text { data: buffer[at..].as_ptr().cast(), len: alone_len }));
        } else {
            assert!(same(&out[number], text));
        }
    }
    let used =
        out[..*done].iter().zip(&status).filter(|(_, code)| **code == BACKSTOP_OK).map(|(text, _)| text.len).sum();
    assert_eq!(needed, *len);
    assert!(buffer[used..].iter().all(|&octet| octet == FILL));
}

fn verify(call: &Call, list: &List) {
    let count = list.0.len();
    let texts = list.texts(call);
    let size = match call.size {
        usual @ ..0xc0 => SIZES[usize::from(usual) % 2],
        _ => call.any_size as usize,
    };
    let right = SIZES.contains(&size);
    // What cannot be a structure is not looked into; the first has its size, also where there is none.
    let stride = if right { size / 4 } else { 1 };
    let mut words = vec![u32::from_ne_bytes([FILL; 4]); stride * count.max(1)].into_boxed_slice();
    words[0] = size as u32;
    let before = words.clone();
    let mut status = vec![NUMBER; count].into_boxed_slice();
    let code = call.code(unsafe {
        backstop_verify_many(
            call.at(2, ring()),
            call.at(3, texts.as_ptr()),
            count,
            call.now,
            call.at(1, words.as_mut_ptr()).cast(),
            call.at(4, status.as_mut_ptr()),
        )
    });
    assert!(right || code < 0, "{code} with {size}");
    if code != BACKSTOP_OK || count == 0 {
        assert!(words == before && status.iter().all(|&it| it == NUMBER), "{code}");
        return;
    }
    if call.now == -1 {
        return;
    }
    for ((text, code), verdict) in texts.iter().zip(&status).zip(words.chunks(stride)) {
        let mut alone = vec![0_u32; stride].into_boxed_slice();
        (alone[0], alone[3], alone[4]) = (size as u32, u32::MAX, u32::MAX);
        let right = unsafe { backstop_verify(ring(), text.data, text.len, call.now, alone.as_mut_ptr().cast()) };
        assert_eq!((*code, verdict), (right, &*alone));
    }
}
