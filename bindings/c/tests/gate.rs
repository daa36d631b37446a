//! The gate itself, whose code no C program can reach while the library has no fault: a panic becomes a code.

#![allow(
    dead_code,
    unused_macros,
    unreachable_pub,
    clippy::panic,
    reason = "files of the library, of which this test uses some functions"
)]

#[macro_use]
#[path = "../src/text.rs"]
mod text;

#[path = "../src/exim/call.rs"]
mod call;
#[path = "../src/gate.rs"]
mod gate;
#[path = "../src/status.rs"]
mod status;

use std::ffi::{CStr, c_int};
use std::panic::panic_any;
use std::ptr;

use gate::gate;
use status::{BACKSTOP_ERR_ADDRESS, BACKSTOP_ERR_INTERNAL, BACKSTOP_OK};

const BACKSTOP_EXIM_OK: c_int = 0;
const BACKSTOP_EXIM_DEFER: c_int = 1;
const BACKSTOP_EXIM_ERROR: c_int = 3;

/// What panics again when it is dropped.
struct Twice;

impl Drop for Twice {
    fn drop(&mut self) {
        panic!("again");
    }
}

#[test]
fn a_panic_becomes_a_code() {
    assert_eq!(gate(|| panic!("a fault")), BACKSTOP_ERR_INTERNAL);
    assert_eq!(gate(|| panic_any(Twice)), BACKSTOP_ERR_INTERNAL);
}

#[test]
fn codes_go_through_on_both_ways() {
    assert_eq!(gate(|| Ok(BACKSTOP_OK)), BACKSTOP_OK);
    assert_eq!(gate(|| Err(BACKSTOP_ERR_ADDRESS)), BACKSTOP_ERR_ADDRESS);
}

#[test]
fn a_panic_in_a_function_for_exim_is_an_error_with_a_sentence() {
    let mut result = ptr::null_mut();
    // SAFETY: the result can be written, and there are no arguments.
    let status = unsafe { call::call(&raw mut result, 0, ptr::null_mut(), |_| panic!("a fault")) };
    assert_eq!(status, BACKSTOP_EXIM_ERROR);
    // SAFETY: it is a text of the library.
    assert!(unsafe { CStr::from_ptr(result.cast()) }.to_str().is_ok_and(|text| text.contains("report it")));
}
