//! What the manual (`include/backstop.h`) promises of functions that change or judge an address, asserted of each call in
//! `fuzz_targets/capi.rs`: also where the buffer is the address itself. `call.rs` has what holds for every function.

use std::ffi::{CStr, c_char};
use std::fmt::Debug;

use capi::*;

use crate::call::{Call, FILL, Input, LENGTH};

impl Input<'_> {
    pub(crate) fn rest(&mut self) -> Box<[u8]> {
        bodies::text(std::mem::take(&mut self.0)).into()
    }
}

impl Call {
    /// The same for a function that changes an address, also where the buffer is the address itself.
    pub(crate) fn changed<T: Copy + PartialEq + Debug>(
        &self,
        address: &[u8],
        untouched: T,
        call: impl Fn((*const c_char, usize), *mut c_char, usize, *mut usize, *mut T) -> i32,
    ) -> Option<(i32, Box<[u8]>)> {
        let given = || self.text(4, address);
        let (code, text) = self.written(untouched, |data, cap, len, value| call(given(), data, cap, len, value))?;
        let mut buffer = vec![FILL; text.len().max(address.len())].into_boxed_slice();
        buffer[..address.len()].copy_from_slice(address);
        let before = buffer.clone();
        let (mut len, mut value) = (LENGTH, untouched);
        let (data, cap) = (buffer.as_mut_ptr(), buffer.len());
        let again = call((data.cast(), address.len()), data.cast(), cap, &raw mut len, &raw mut value);
        assert_eq!((again, &buffer[..len], &buffer[len..]), (code, &*text, &before[len..]));
        if code > 0 {
            assert_eq!(*text, *address);
        }
        Some((code, text))
    }

    pub(crate) fn verdict(&self, call: impl Fn(*mut backstop_verdict) -> i32) -> Option<backstop_verdict> {
        let verdict = self.structure(&[BACKSTOP_VERDICT_SIZE_1, 360], call)?;
        let name = |name: *const c_char| unsafe { CStr::from_ptr(name) } != c"unknown";
        assert!((BACKSTOP_GENUINE..=BACKSTOP_UNTAGGED).contains(&verdict.verdict) && verdict.reserved == [0; 3]);
        assert!(name(backstop_verdict_name(verdict.verdict)) && name(backstop_reason_name(verdict.reason)));
        assert!(
            (BACKSTOP_USE_NONE..=BACKSTOP_USE_MARK).contains(&verdict.key_use) && [0, 1].contains(&verdict.covered)
        );
        assert!(verdict.signed_day >= -1 && verdict.expires_day >= -1 && (0..0x80).contains(&verdict.key));
        ends(&verdict.mailbox, verdict.mailbox_len);
        Some(verdict)
    }
}

/// `BACKSTOP_VERDICT_SIZE_1` of the header.
const BACKSTOP_VERDICT_SIZE_1: u32 = 352;

/// A text in a structure has its length, and nothing behind it.
pub(crate) fn ends(field: &[c_char], len: u32) {
    let (text, rest) = field.split_at(len as usize);
    assert!(text.iter().all(|&character| character != 0) && rest.first() == Some(&0));
}
