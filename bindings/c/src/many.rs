//! Many addresses in one call: signed into one buffer, verified into one array.
//!
//! The core takes slices, C has pairs of pointer and length, so the addresses pass in pieces of 256, read into slices
//! on the stack; nothing is allocated. What is wrong with the call is found before anything is written; what is wrong
//! with an address stands in its own code.

use std::ffi::c_char;
use std::ptr::NonNull;

use backstop_core::batv;
use backstop_core::{Day, Form, KeyRing, Signed};

use crate::gate::{Place, day, fits_memory, gate, known, object, text};
use crate::keyring::backstop_keyring;
use crate::policy::backstop_text;
use crate::status::{BACKSTOP_ERR_TOO_SMALL, BACKSTOP_OK, failed, unsigned};
use crate::verdict::backstop_verdict;

/// Addresses that are passed on at once: several times what the core hashes together.
const PIECE: usize = 256;

/// # Many addresses in one call
///
/// Marks many envelope senders, each as backstop_sign would: where there are sixteen or more of them, for a fraction of
/// the time, by processor. For bulk mail with a sender each, for lists, for logs. There is no such function for the
/// sub-address form.
///
/// `status[i]` is what backstop_sign would return for `addresses[i]`, and `out[i]` what to go on with: if that is
/// BACKSTOP_OK the signed sender, which stands in `buf`; else (BACKSTOP_UNSIGNED_*, or BACKSTOP_ERR_ADDRESS: no address
/// at all) `addresses[i]` as it was given, pointer and length, nothing copied. One bad address is no fault of the
/// others. The texts stand in `buf` one behind the other without NUL; `*len` is how much of it they take. `out` and
/// `status` have `count` elements, as many as `addresses`; `out` may be `addresses` itself.
///
/// BACKSTOP_OK: all were done, and `*done` is `count`. A `buf` of `count` * BACKSTOP_ADDRESS_MAX octets is always large
/// enough. BACKSTOP_ERR_TOO_SMALL: the first `*done` were done, as above, nothing was written for the others, and
/// `*len` has what all `count` take. Go on with the address of that number once `out` was used, or, unless `out` is
/// `addresses`, begin again with more room: there the first would be read from the `buf` that is written to. With room
/// for BACKSTOP_ADDRESS_MAX octets at least one is done. On any other error nothing was written; it is one of the call,
/// of which any of the texts having NULL (BACKSTOP_ERR_NULL) or an impossible length (BACKSTOP_ERR_LENGTH) is one.
///
/// `count` has no limit. Nothing is allocated; the stack that this and backstop_verify_many take is below 64 KiB,
/// whatever `count` is.
///
/// @code
/// static int32_t sign_all(const backstop_keyring *ring, const backstop_text *senders, size_t count,
///                         void (*hand_on)(const backstop_text *sender))
/// {
///     size_t first, next, len, done;
///     for (first = 0; first < count; first += done) {
///         char buf[64 * BACKSTOP_ADDRESS_MAX];
///         backstop_text out[64];
///         int32_t status[64], result;
///         size_t some = count - first < 64 ? count - first : 64;
///         result = backstop_sign_many(ring, senders + first, some, -1, buf, sizeof buf, &len, out, status, &done);
///         if (result != BACKSTOP_OK)
///             return result;
///         for (next = 0; next < done; next++)
///             if (status[next] >= 0)
///                 hand_on(&out[next]);
///     }
///     return BACKSTOP_OK;
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_sign_many(
    ring: *const backstop_keyring,
    addresses: *const backstop_text,
    count: usize,
    now: i64,
    buf: *mut c_char,
    cap: usize,
    len: *mut usize,
    out: *mut backstop_text,
    status: *mut i32,
    done: *mut usize,
) -> i32 {
    gate(|| {
        let (len, done) = (Place::new(len)?, Place::new(done)?);
        let mut places =
            Places { data: known(buf)?.cast(), cap, needed: 0, done: 0, out: known(out)?, status: known(status)? };
        // SAFETY: the caller keeps the rules of the manual.
        let (ring, senders) = unsafe { (object(ring)?, Texts::new(addresses, count)?) };
        let day = day(now)?;
        // SAFETY: as above; there are `count` elements each.
        unsafe {
            senders.each_piece(|first, piece| sign(&ring.0, piece, day, first, &mut places));
            len.put(places.needed);
            done.put(places.done);
        }
        Ok(if places.done == count { BACKSTOP_OK } else { BACKSTOP_ERR_TOO_SMALL })
    })
}

/// Signs a piece, whose first address has this number.
///
/// # Safety
/// What `places` leads to can be written up to the last of these addresses.
unsafe fn sign(ring: &KeyRing, senders: &[&[u8]], day: Day, first: usize, places: &mut Places) {
    batv::sign_many(ring, senders, Form::Prefix, day, |number, result| {
        let given = senders.get(number).copied().unwrap_or_default();
        let number = first + number;
        // SAFETY: promised by the caller.
        unsafe {
            match &result {
                Ok(Signed::Done(address)) => places.signed(number, address.as_bytes()),
                Ok(Signed::Unsigned(reason)) => places.given(number, unsigned(*reason), given),
                Err(error) => places.given(number, failed(error), given),
            }
        }
    });
}

/// Where signed senders go.
struct Places {
    data: NonNull<u8>,
    cap: usize,
    /// Octets of all that was signed, also of what had no room.
    needed: usize,
    /// How many were done; the first that has no room ends the doing.
    done: usize,
    out: NonNull<backstop_text>,
    status: NonNull<i32>,
}

impl Places {
    /// # Safety
    /// `cap` octets can be written, and elements up to this number.
    #[inline(always)]
    unsafe fn signed(&mut self, number: usize, address: &[u8]) {
        let at = self.needed;
        self.needed = at.saturating_add(address.len());
        if number == self.done && self.needed <= self.cap {
            // SAFETY: promised by the caller; the octets from `at` on lie within `cap`, and no address overlaps them:
            // by the manual nothing that goes in lies in `buf`, so not what a former call wrote there either.
            unsafe {
                let to = self.data.as_ptr().add(at);
                to.copy_from_nonoverlapping(address.as_ptr(), address.len());
                self.put(number, BACKSTOP_OK, backstop_text { data: to.cast(), len: address.len() });
            }
        }
    }

    /// # Safety
    /// Elements up to this number can be written.
    #[inline(always)]
    unsafe fn given(&mut self, number: usize, code: i32, address: &[u8]) {
        if number == self.done {
            // SAFETY: promised by the caller.
            unsafe { self.put(number, code, backstop_text { data: address.as_ptr().cast(), len: address.len() }) };
        }
    }

    /// # Safety
    /// As for [`Places::given`].
    #[inline(always)]
    unsafe fn put(&mut self, number: usize, code: i32, text: backstop_text) {
        // SAFETY: promised by the caller.
        unsafe {
            self.out.as_ptr().add(number).write(text);
            self.status.as_ptr().add(number).write(code);
        }
        self.done = number + 1;
    }
}

/// Tells what many recipients of bounces are, each as backstop_verify would.
///
/// `status[i]` is what backstop_verify would return for `addresses[i]`, and `out[i]` its verdict; where `status[i]` is
/// an error (BACKSTOP_ERR_ADDRESS, BACKSTOP_ERR_NULL_RECIPIENT), a verdict BACKSTOP_NONE without anything. `out` and
/// `status` have `count` elements. The size of the first verdict says how far they stand apart and is given to all, so
/// `backstop_verdict out[1000] = {BACKSTOP_VERDICT_INIT};` is enough (with `count` 0 one is there all the same).
///
/// BACKSTOP_OK: all were done. On any other result nothing was written; it is an error of the call, of which any of the
/// texts having NULL (BACKSTOP_ERR_NULL) or an impossible length (BACKSTOP_ERR_LENGTH) is one. Nothing is allocated.
///
/// @code
/// static size_t count_genuine(const backstop_keyring *ring, const backstop_text *rcpts, size_t count)
/// {
///     size_t first, next, genuine = 0;
///     for (first = 0; first < count; first += 64) {
///         backstop_verdict v[64] = {BACKSTOP_VERDICT_INIT};
///         int32_t status[64];
///         size_t some = count - first < 64 ? count - first : 64;
///         if (backstop_verify_many(ring, rcpts + first, some, -1, v, status) != BACKSTOP_OK)
///             return 0;
///         for (next = 0; next < some; next++)
///             genuine += v[next].verdict == BACKSTOP_GENUINE;
///     }
///     return genuine;
/// }
/// @endcode
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backstop_verify_many(
    ring: *const backstop_keyring,
    addresses: *const backstop_text,
    count: usize,
    now: i64,
    out: *mut backstop_verdict,
    status: *mut i32,
) -> i32 {
    gate(|| {
        let status = known(status)?;
        known(addresses)?;
        fits_memory(count, size_of::<backstop_verdict>())?;
        // SAFETY: the caller keeps the rules of the manual.
        let (ring, recipients, out) =
            unsafe { (object(ring)?, Texts::new(addresses, count)?, backstop_verdict::place(out)?) };
        let day = day(now)?;
        // SAFETY: as above; there are `count` elements each.
        unsafe {
            recipients.each_piece(|first, piece| {
                batv::verify_many(&ring.0, piece, day, |number, result| {
                    let given = piece.get(number).copied().unwrap_or_default();
                    let place = out.nth(first + number);
                    let code = match result {
                        Ok(verdict) => {
                            backstop_verdict::put(place, verdict, given);
                            BACKSTOP_OK
                        }
                        Err(error) => {
                            backstop_verdict::put_none(place);
                            failed(&error)
                        }
                    };
                    status.as_ptr().add(first + number).write(code);
                });
            });
        }
        Ok(BACKSTOP_OK)
    })
}

/// The addresses of a call, of which each was looked at. Not a slice: results may take their place while they are read.
struct Texts {
    first: NonNull<backstop_text>,
    count: usize,
}

impl Texts {
    /// # Safety
    /// If not NULL, so many elements can be read, and what each tells of.
    unsafe fn new(texts: *const backstop_text, count: usize) -> Result<Texts, i32> {
        let texts = Texts { first: known(texts)?, count };
        fits_memory(count, size_of::<backstop_text>())?;
        for number in 0..count {
            // SAFETY: promised by the caller.
            unsafe { texts.get(number) }?;
        }
        Ok(texts)
    }

    /// # Safety
    /// The number is below the count, and as for [`Texts::new`].
    #[inline(always)]
    unsafe fn get<'a>(&self, number: usize) -> Result<&'a [u8], i32> {
        // SAFETY: promised by the caller.
        unsafe {
            let it = self.first.as_ptr().add(number).read();
            text(it.data, it.len)
        }
    }

    /// Calls `each` with the number of the first address of a piece, and with the piece.
    ///
    /// # Safety
    /// As for [`Texts::new`]; what `each` writes are no octets of addresses, and no elements behind the piece.
    unsafe fn each_piece<'a>(&self, mut each: impl FnMut(usize, &[&'a [u8]])) {
        let mut room: [&[u8]; PIECE] = [b""; PIECE];
        for first in (0..self.count).step_by(PIECE) {
            let piece = room.split_at_mut(PIECE.min(self.count - first)).0;
            for (number, place) in (first..).zip(piece.iter_mut()) {
                // SAFETY: promised by the caller; each was looked at, so none is an error.
                *place = unsafe { self.get(number) }.unwrap_or_default();
            }
            each(first, piece);
        }
    }
}
