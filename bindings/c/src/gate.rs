//! What every function passes: one gate for panics, one for NULL, the time, text in and out, and structures that grow.
//!
//! No panic leaves the library: it becomes `BACKSTOP_ERR_INTERNAL`. Pointers are checked before anything is read, and
//! results are written last, when nothing can fail any more, so that an error leaves everything as it was; only a
//! length that a buffer would have needed is written.

use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::slice;

use backstop_core::Day;

use crate::status::{
    BACKSTOP_ERR_INTERNAL, BACKSTOP_ERR_LENGTH, BACKSTOP_ERR_NULL, BACKSTOP_ERR_SIZE, BACKSTOP_ERR_TOO_SMALL, failed,
};

/// Runs the body of a function; `Ok` and `Err` both hold the code that it returns.
pub(crate) fn gate(body: impl FnOnce() -> Result<i32, i32>) -> i32 {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(code) | Err(code)) => code,
        Err(payload) => {
            // Dropping it could panic again.
            std::mem::forget(payload);
            BACKSTOP_ERR_INTERNAL
        }
    }
}

/// A pointer that is not NULL.
pub(crate) const fn known<T>(pointer: *const T) -> Result<NonNull<T>, i32> {
    match NonNull::new(pointer.cast_mut()) {
        Some(pointer) => Ok(pointer),
        None => Err(BACKSTOP_ERR_NULL),
    }
}

/// Borrows what a handle points to.
///
/// # Safety
/// If not NULL, it is a live object of this library, which nobody frees or changes during the call.
pub(crate) unsafe fn object<'a, T>(pointer: *const T) -> Result<&'a T, i32> {
    let pointer = known(pointer)?;
    // SAFETY: promised by the caller.
    Ok(unsafe { pointer.as_ref() })
}

/// So many elements of this size are no more than there can be.
pub(crate) fn fits_memory(count: usize, size: usize) -> Result<(), i32> {
    match count.checked_mul(size).map(isize::try_from) {
        Some(Ok(_)) => Ok(()),
        _ => Err(BACKSTOP_ERR_LENGTH),
    }
}

/// Borrows so many elements.
///
/// # Safety
/// If not NULL, `len` elements can be read there, and nobody writes to them while the result is in use.
pub(crate) unsafe fn slice<'a, T>(data: *const T, len: usize) -> Result<&'a [T], i32> {
    let data = known(data)?;
    fits_memory(len, size_of::<T>())?;
    // SAFETY: promised by the caller; the length was checked.
    Ok(unsafe { slice::from_raw_parts(data.as_ptr(), len) })
}

/// Borrows a text as octets.
///
/// # Safety
/// As for [`slice`].
pub(crate) unsafe fn text<'a>(data: *const c_char, len: usize) -> Result<&'a [u8], i32> {
    // SAFETY: promised by the caller.
    unsafe { slice(data.cast::<u8>(), len) }
}

/// The day of a time: unix seconds, -1 the system clock.
pub(crate) fn day(now: i64) -> Result<Day, i32> {
    let day = if now == -1 { Day::today() } else { Day::from_unix_seconds(now) };
    day.map_err(|error| failed(&error))
}

/// Where one value goes.
pub(crate) struct Place<T>(NonNull<T>);

impl<T> Place<T> {
    pub(crate) fn new(pointer: *mut T) -> Result<Place<T>, i32> {
        known(pointer).map(Place)
    }

    /// # Safety
    /// A value of this type may be written there.
    pub(crate) unsafe fn put(self, value: T) {
        // SAFETY: promised by the caller.
        unsafe { self.0.as_ptr().write(value) }
    }
}

/// Where a text goes: a buffer, what it holds, and where its length goes.
pub(crate) struct Buffer {
    data: NonNull<c_char>,
    cap: usize,
    len: Place<usize>,
}

impl Buffer {
    pub(crate) fn new(data: *mut c_char, cap: usize, len: *mut usize) -> Result<Buffer, i32> {
        Ok(Buffer { data: known(data)?, cap, len: Place::new(len)? })
    }

    /// Whether this many octets fit; if not, the length needed was written.
    ///
    /// # Safety
    /// A length may be written where it goes.
    pub(crate) unsafe fn fits(self, len: usize) -> Result<Buffer, i32> {
        if len <= self.cap {
            return Ok(self);
        }
        // SAFETY: promised by the caller.
        unsafe { self.len.put(len) };
        Err(BACKSTOP_ERR_TOO_SMALL)
    }

    /// Writes a text and its length; a raw pointer, since the text may lie in the buffer itself.
    ///
    /// # Safety
    /// The text can be read, and `cap` octets and a length can be written where they go.
    pub(crate) unsafe fn put(self, text: *const [u8]) -> Result<(), i32> {
        // SAFETY: promised by the caller; the copy keeps within `cap` and may overlap.
        unsafe {
            let buffer = self.fits(text.len())?;
            ptr::copy(text.cast::<u8>(), buffer.data.as_ptr().cast::<u8>(), text.len());
            buffer.len.put(text.len());
        }
        Ok(())
    }
}

/// Where a structure goes that begins with its size; callers of former versions know less of it.
pub(crate) struct Grown<T> {
    at: NonNull<T>,
    /// As the caller gave it, one of those published.
    pub(crate) size: u32,
}

impl<T: Copy> Grown<T> {
    /// # Safety
    /// If not NULL, the `size` at the start can be read.
    pub(crate) unsafe fn new(pointer: *const T, published: &[u32]) -> Result<Grown<T>, i32> {
        let at = known(pointer)?;
        // SAFETY: promised by the caller.
        let size = unsafe { at.cast::<u32>().read() };
        if published.contains(&size) && size as usize <= size_of::<T>() {
            Ok(Grown { at, size })
        } else {
            Err(BACKSTOP_ERR_SIZE)
        }
    }

    /// Where it stands, for writing into it field by field: moving a structure in one piece costs more than all that
    /// stands in most. Fields beyond `size` are not there.
    pub(crate) const fn at(&self) -> *mut T {
        self.at.as_ptr()
    }

    /// The place with this number in an array of which this is the first; its size is written.
    ///
    /// # Safety
    /// The array has an element of this number, and it can be written.
    #[inline(always)]
    pub(crate) unsafe fn nth(&self, number: usize) -> Grown<T> {
        let size = self.size;
        // SAFETY: promised by the caller; elements stand as far apart as the caller's header says they are large.
        unsafe {
            let at = self.at.byte_add(number * size as usize);
            at.cast::<u32>().write(size);
            Grown { at, size }
        }
    }

    /// Writes as much of a value as the caller knows.
    ///
    /// # Safety
    /// `size` octets can be written there.
    pub(crate) unsafe fn put(self, value: T) {
        let from = (&raw const value).cast::<u8>();
        // SAFETY: promised by the caller; `size` is at most that of the value, which is a copy on this stack.
        unsafe { ptr::copy_nonoverlapping(from, self.at.as_ptr().cast::<u8>(), self.size as usize) };
    }

    /// Reads as much of it as the caller knows, over what `value` has.
    ///
    /// # Safety
    /// `size` octets can be read there, and make a valid `T` over any other.
    pub(crate) unsafe fn get(self, mut value: T) -> T {
        let to = (&raw mut value).cast::<u8>();
        // SAFETY: promised by the caller; `size` is at most that of the value, which is a copy on this stack.
        unsafe { ptr::copy_nonoverlapping(self.at.as_ptr().cast::<u8>(), to, self.size as usize) };
        value
    }
}

/// Writes a text into a field of a structure, with zeros up to the field's end; gives its length. All texts put there
/// are shorter than their fields.
///
/// # Safety
/// The field can be written, and the text does not lie in it.
#[inline(always)]
pub(crate) unsafe fn fill<const N: usize>(field: *mut [c_char; N], text: &[u8]) -> u32 {
    let len = text.len().min(N.saturating_sub(1));
    // SAFETY: promised by the caller; `len` octets can be read there and are fewer than `N`.
    unsafe {
        field.write([0; N]);
        ptr::copy_nonoverlapping(text.as_ptr(), field.cast::<u8>(), len);
    }
    u32::try_from(len).unwrap_or(0)
}
