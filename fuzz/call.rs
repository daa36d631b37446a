//! One call of a C function in `fuzz_targets/capi.rs` and `capi_inspect.rs`: its input in pieces, and what the manual (`include/backstop.h`)
//! promises of every function, asserted by what the function writes: a value, a structure, a text. For addresses there is `call_address.rs`.
//!
//! Everything that a function may read or write is a piece of heap of exactly that size, so that AddressSanitizer sees
//! one octet too many, and is filled with 0x5a before, so that a write where none may be is seen as well.

use std::cell::Cell;
use std::ffi::{CStr, c_char};
use std::fmt::Debug;
use std::ptr;

use capi::*;

/// What stands in places that nothing may be written to.
pub(crate) const FILL: u8 = 0x5a;
pub(crate) const NUMBER: i32 = 0x5a5a_5a5a;
pub(crate) const LENGTH: usize = 0x5a5a_5a5a_5a5a_5a5a;

pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl Input<'_> {
    pub(crate) fn octet(&mut self) -> u8 {
        let (octet, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *octet
    }

    pub(crate) fn number(&mut self) -> u32 {
        u32::from_le_bytes([(); 4].map(|()| self.octet()))
    }

    /// Small for most, anything for some.
    pub(crate) fn option(&mut self) -> u32 {
        match self.octet() {
            small @ ..0xe0 => small.into(),
            _ => self.number(),
        }
    }

    /// The text before the next line feed.
    pub(crate) fn line(&mut self) -> Box<[u8]> {
        let end = self.0.iter().position(|&octet| octet == b'\n');
        let (text, rest) = end.map_or((self.0, &[][..]), |end| (&self.0[..end], &self.0[end + 1..]));
        self.0 = rest;
        bodies::text(text).into()
    }

    /// A day of eighty years, an edge, or anything.
    pub(crate) fn now(&mut self) -> i64 {
        const EDGES: [i64; 10] =
            [-1, -2, 0, i64::MIN, i64::MAX, 253_402_300_799, 253_402_300_800, 1_795_280_400_000, 86_399, 1_795_280_400];
        match self.octet() {
            choice @ ..0xe0 => (1200 + i64::from(choice) * 126) * 86_400,
            choice @ ..0xf0 => EDGES[usize::from(choice - 0xe0) % EDGES.len()],
            _ => i64::from(self.number()) << (self.octet() % 40),
        }
    }
}

/// What is the same for every function.
pub(crate) struct Call {
    pub(crate) now: i64,
    pub(crate) cap: u8,
    /// Which pointer is NULL, or, behind 0x10, which length is too large; 0 for none.
    pub(crate) spoil: u8,
    pub(crate) spoiled: Cell<bool>,
    pub(crate) size: u8,
    pub(crate) any_size: u32,
}

impl Call {
    /// The pointer with this number, or NULL.
    pub(crate) fn at<T>(&self, number: u8, pointer: *const T) -> *mut T {
        if self.spoil != number {
            return pointer.cast_mut();
        }
        self.spoiled.set(true);
        ptr::null_mut()
    }

    /// The text with this number.
    pub(crate) fn text(&self, number: u8, text: &[u8]) -> (*const c_char, usize) {
        self.octets(number, text.as_ptr(), text.len())
    }

    pub(crate) fn octets(&self, number: u8, data: *const u8, len: usize) -> (*const c_char, usize) {
        let too_long = self.spoil == 0x10 + number;
        if too_long {
            self.spoiled.set(true);
        }
        (self.at(number, data).cast(), if too_long { len + isize::MAX.unsigned_abs() + 1 } else { len })
    }

    /// A code that has a name, and the right one if a pointer or a length cannot be used.
    pub(crate) fn code(&self, code: i32) -> i32 {
        let sentence = |code| unsafe { CStr::from_ptr(backstop_strerror(code)) };
        assert!(code != BACKSTOP_ERR_INTERNAL && sentence(code) != sentence(i32::MAX), "{code}");
        assert_eq!(self.spoiled.get(), [BACKSTOP_ERR_NULL, BACKSTOP_ERR_LENGTH].contains(&code), "{code}");
        code
    }

    /// A call that writes one value; `None` is an error, which wrote nothing.
    pub(crate) fn value<T: Copy + PartialEq + Debug>(&self, untouched: T, call: impl Fn(*mut T) -> i32) -> Option<T> {
        let mut place = Box::new(untouched);
        let code = self.code(call(self.at(1, &raw mut *place)));
        assert_eq!(code == BACKSTOP_OK, *place != untouched, "{code}");
        (code == BACKSTOP_OK).then_some(*place)
    }

    pub(crate) fn handle<T>(&self, call: impl Fn(*mut *mut T) -> i32) -> Option<*mut T> {
        let handle = self.value(ptr::without_provenance_mut(LENGTH), call);
        assert_ne!(handle, Some(ptr::null_mut()));
        handle
    }

    /// A call that writes a structure of one of these sizes, the last of them that of `T`; `None` is an error.
    pub(crate) fn structure<T>(&self, published: &[u32], mut call: impl FnMut(*mut T) -> i32) -> Option<T> {
        let size = match self.size {
            usual @ ..0xc0 => published[usize::from(usual) % published.len()],
            _ => self.any_size,
        };
        let right = published.contains(&size);
        // What cannot be a structure is not looked into.
        let mut words =
            vec![u32::from_ne_bytes([FILL; 4]); if right { size as usize / 4 } else { 1 }].into_boxed_slice();
        words[0] = size;
        let before = words.clone();
        let code = self.code(call(self.at(1, words.as_mut_ptr()).cast()));
        assert_eq!(words[0], size);
        assert_eq!(code == BACKSTOP_OK, words != before, "{code}");
        assert!(right || code < 0, "{code} with {size}");
        let mut whole = std::mem::MaybeUninit::<T>::zeroed();
        // SAFETY: numbers and characters only, for which zeros and anything else will do; the rest has the size.
        (code == BACKSTOP_OK).then(|| unsafe {
            ptr::copy_nonoverlapping(words.as_ptr(), whole.as_mut_ptr().cast(), words.len());
            whole.assume_init()
        })
    }

    /// A call that writes a text and perhaps a value. Gives the code and the text; `None` is an error.
    pub(crate) fn written<T: Copy + PartialEq + Debug>(
        &self,
        untouched: T,
        call: impl Fn(*mut c_char, usize, *mut usize, *mut T) -> i32,
    ) -> Option<(i32, Box<[u8]>)> {
        let run = |room: usize, cap: usize| {
            let mut buffer = vec![FILL; room].into_boxed_slice();
            let (mut len, mut value) = (Box::new(LENGTH), Box::new(untouched));
            let (data, len_at) = (self.at(1, buffer.as_mut_ptr()), self.at(2, &raw mut *len));
            let value_at = if size_of::<T>() > 0 { self.at(3, &raw mut *value) } else { ptr::null_mut() };
            let code = self.code(call(data.cast(), cap, len_at, value_at));
            assert_eq!(size_of::<T>() > 0 && code >= 0, *value != untouched, "{code}");
            if code < 0 {
                assert!(buffer.iter().all(|&octet| octet == FILL), "{code}");
            } else {
                assert!(buffer[*len..].iter().all(|&octet| octet == FILL), "{code}");
            }
            (code, *len, buffer)
        };
        let cap = usize::from(self.cap);
        let (first, needed, _) = run(0, 0);
        if first < 0 && first != BACKSTOP_ERR_TOO_SMALL {
            let (again, len, _) = run(cap, cap);
            assert_eq!((again, len, needed), (first, LENGTH, LENGTH));
            return None;
        }
        assert_eq!(first == BACKSTOP_ERR_TOO_SMALL, needed > 0);
        // The day of the clock may be another one at the next call.
        if self.now == -1 {
            run(cap, cap);
            return None;
        }
        let (code, len, text) = run(needed, if self.cap == 0xff { usize::MAX } else { needed });
        assert!(code >= 0 && len == needed, "{code}: {len} of {needed}");
        let cap = cap % (needed + 9);
        let (other, len, buffer) = run(cap, cap);
        assert_eq!((other, len), (if cap < needed { BACKSTOP_ERR_TOO_SMALL } else { code }, needed));
        assert!(cap < needed || buffer[..needed] == *text);
        Some((code, text))
    }
}
