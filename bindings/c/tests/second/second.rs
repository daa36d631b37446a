//! Another Rust static library, with its own copy of std, for the test that links both into one program.

/// Sums the octets of a text; panics, and so needs unwinding, where there are more than a hundred.
///
/// # Safety
/// `len` octets can be read at `text`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn second_sum(text: *const u8, len: usize) -> u64 {
    // SAFETY: promised by the caller.
    let text = unsafe { std::slice::from_raw_parts(text, len) }.to_vec();
    std::panic::catch_unwind(|| {
        assert!(text.len() <= 100);
        text.iter().map(|&octet| u64::from(octet)).sum()
    })
    .unwrap_or(0)
}
