//! The crate's side of `bench.c`: whole loops in Rust, which pass no C function.
//!
//! They do what a Rust program would: sign into an address and look at it, verify into a verdict and look at it.

use std::hint::black_box;
use std::slice;

use backstop::{Day, Form, KeyRing, batv};

/// What the loops need, made once.
pub struct CrateSide {
    ring: KeyRing,
    day: Day,
}

/// # Safety
/// `len` octets can be read.
unsafe fn octets<'a>(data: *const u8, len: usize) -> &'a [u8] {
    // SAFETY: promised by the caller.
    unsafe { slice::from_raw_parts(data, len) }
}

/// A ring and the day of a time; NULL if one of them is wrong. It lives as long as the process.
///
/// # Safety
/// `len` octets can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn crate_side_new(text: *const u8, len: usize, now: i64) -> *const CrateSide {
    // SAFETY: promised by the caller.
    let ring = KeyRing::parse(unsafe { octets(text, len) });
    match (ring, Day::from_unix_seconds(now)) {
        (Ok(ring), Ok(day)) => Box::leak(Box::new(CrateSide { ring, day })),
        _ => std::ptr::null(),
    }
}

/// Signs so many times; gives the sum of the lengths.
///
/// # Safety
/// `side` came from `crate_side_new`, and `len` octets can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn crate_side_sign(side: &CrateSide, address: *const u8, len: usize, times: u32) -> usize {
    // SAFETY: promised by the caller.
    let address = unsafe { octets(address, len) };
    let mut sum = 0;
    for _ in 0..times {
        let signed = batv::sign(&side.ring, black_box(address), Form::Prefix, black_box(side.day));
        if let Ok(signed) = black_box(&signed) {
            sum += signed.address().map_or(0, |address| address.as_bytes().len());
        }
    }
    sum
}

/// Verifies so many times; gives how often the mailbox was proved.
///
/// # Safety
/// `side` came from `crate_side_new`, and `len` octets can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn crate_side_verify(side: &CrateSide, address: *const u8, len: usize, times: u32) -> usize {
    // SAFETY: promised by the caller.
    let address = unsafe { octets(address, len) };
    let mut proved = 0;
    for _ in 0..times {
        let verdict = batv::verify(&side.ring, black_box(address), black_box(side.day));
        if let Ok(verdict) = black_box(&verdict) {
            proved += usize::from(verdict.proof().is_some());
        }
    }
    proved
}

/// Addresses as the crate takes many.
pub struct CrateList(Vec<&'static [u8]>);

/// A text as C has it, `backstop_text`.
#[repr(C)]
pub struct Text {
    data: *const u8,
    len: usize,
}

/// A list of texts, which live as long as the process.
///
/// # Safety
/// `count` texts can be read, and what they tell of.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn crate_list_new(texts: *const Text, count: usize) -> *const CrateList {
    // SAFETY: promised by the caller.
    let texts = unsafe { slice::from_raw_parts(texts, count) };
    // SAFETY: as above.
    Box::leak(Box::new(CrateList(texts.iter().map(|text| unsafe { octets(text.data, text.len) }).collect())))
}

/// Signs a list in one call; gives the sum of the lengths.
#[unsafe(no_mangle)]
pub extern "C" fn crate_side_sign_many(side: &CrateSide, list: &CrateList) -> usize {
    let mut sum = 0;
    batv::sign_many(&side.ring, black_box(&list.0), Form::Prefix, black_box(side.day), |_, signed| {
        if let Ok(signed) = black_box(&signed) {
            sum += signed.address().map_or(0, |address| address.as_bytes().len());
        }
    });
    sum
}

/// Verifies a list in one call; gives how often the mailbox was proved.
#[unsafe(no_mangle)]
pub extern "C" fn crate_side_verify_many(side: &CrateSide, list: &CrateList) -> usize {
    let mut proved = 0;
    batv::verify_many(&side.ring, black_box(&list.0), black_box(side.day), |_, verdict| {
        if let Ok(verdict) = black_box(&verdict) {
            proved += usize::from(verdict.proof().is_some());
        }
    });
    proved
}
