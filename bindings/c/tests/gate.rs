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

#[path = "../src/gate.rs"]
mod gate;
#[path = "../src/status.rs"]
mod status;

use std::panic::panic_any;

use gate::gate;
use status::{BACKSTOP_ERR_ADDRESS, BACKSTOP_ERR_INTERNAL, BACKSTOP_OK};

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
