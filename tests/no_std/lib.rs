//! backstop in a shared object that needs nothing: no std, no libc, not even an allocator of the system's.
//!
//! `host.c` loads it and calls [`round_trip`]; the script `run` checks that the object has no NEEDED entry and no
//! undefined symbol. It stands outside the workspace, since feature unification would turn std on.

#![no_std]

mod memory;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::slice;
use core::sync::atomic::{AtomicUsize, Ordering};

use backstop::{Day, Form, KeyRing, Verdict, batv};

/// Octets that the allocator has to give; a ring of one key takes less than two thousand.
const HEAP: usize = 1 << 16;

/// Gives memory from its own room and takes none back.
struct Bump {
    room: UnsafeCell<[u8; HEAP]>,
    used: AtomicUsize,
}

// SAFETY: `used` is advanced atomically, so no part of the room is given twice.
unsafe impl Sync for Bump {}

// SAFETY: what is given lies in the room, is aligned, long enough and never given again.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.room.get().cast::<u8>();
        let advance = |used: usize| {
            let at = (start as usize + used).next_multiple_of(layout.align()) - start as usize;
            at.checked_add(layout.size()).filter(|end| *end <= HEAP)
        };
        match self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, advance) {
            // SAFETY: `advance` kept the end within the room.
            Ok(used) => unsafe { start.add(advance(used).unwrap_or(HEAP) - layout.size()) },
            Err(_) => core::ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static HEAP_OF_OUR_OWN: Bump = Bump { room: UnsafeCell::new([0; HEAP]), used: AtomicUsize::new(0) };

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// Signs `sender` with a key of the day 20778 and verifies the result: writes the signed address and gives its length.
///
/// Negative: -1 the ring or the sender does not parse or is not signed, -2 there is no room, -3 it is not genuine.
///
/// # Safety
/// `sender` must point to `length` octets, `out` to `capacity` octets that may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn round_trip(sender: *const u8, length: usize, out: *mut u8, capacity: usize) -> isize {
    // SAFETY: the caller keeps the contract above.
    let (sender, out) = unsafe { (slice::from_raw_parts(sender, length), slice::from_raw_parts_mut(out, capacity)) };
    let Ok(ring) = KeyRing::parse(b"version 1\nprvs 0 sha1 7 - - * text:secret\n") else { return -1 };
    let Ok(day) = Day::from_number(20_778) else { return -1 };
    let signed = batv::sign(&ring, sender, Form::Prefix, day);
    let Some(signed) = signed.as_ref().ok().and_then(|signed| signed.address()) else { return -1 };
    let bytes = signed.as_bytes();
    let Some(room) = out.get_mut(..bytes.len()) else { return -2 };
    room.copy_from_slice(bytes);
    match batv::verify(&ring, bytes, day) {
        Ok(Verdict::Genuine(proof)) if proof.mailbox.to_address().as_bytes() == sender => {
            isize::try_from(bytes.len()).unwrap_or(-2)
        }
        _ => -3,
    }
}
