//! The four functions that compiled Rust calls and a libc would bring.
//!
//! Writes are volatile, so that the compiler does not turn a loop back into a call of the function that it stands in.

/// Copies `length` octets.
///
/// # Safety
/// As `memcpy` of C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    for at in 0..length {
        // SAFETY: the caller says that both have `length` octets.
        unsafe { to.add(at).write_volatile(*from.add(at)) };
    }
    to
}

/// Writes `length` octets.
///
/// # Safety
/// As `memset` of C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, value: i32, length: usize) -> *mut u8 {
    for at in 0..length {
        // SAFETY: the caller says that there are `length` octets.
        unsafe { to.add(at).write_volatile(value.to_le_bytes()[0]) };
    }
    to
}

/// Compares `length` octets as unsigned numbers.
///
/// # Safety
/// As `memcmp` of C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    for at in 0..length {
        // SAFETY: the caller says that both have `length` octets.
        let (left, right) = unsafe { (*left.add(at), *right.add(at)) };
        if left != right {
            return i32::from(left) - i32::from(right);
        }
    }
    0
}

/// 0 if `length` octets are equal.
///
/// # Safety
/// As `bcmp` of C.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    // SAFETY: the contract is the same.
    unsafe { memcmp(left, right, length) }
}
