//! A shared value that threads read and replace without a lock, and without anything outside of it.
//!
//! A reader counts itself in, takes the pointer, takes a reference of its own and counts itself out. Whoever replaces the
//! value keeps the old reference until it has seen the count at zero after the exchange: whoever comes later finds the
//! new pointer. So nobody ever waits, and a fork can leave nothing locked: at worst the child counts a reader that it does
//! not have, and keeps replaced values until the whole is dropped.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::AtomicUsize;
// One order of all steps is what the argument above stands on.
use std::sync::atomic::Ordering::SeqCst;

pub(crate) struct Swap<T> {
    /// From `Arc::into_raw`.
    current: AtomicPtr<T>,
    readers: AtomicUsize,
    /// References that were replaced and may still be about to be counted up, as a list.
    replaced: AtomicPtr<Replaced<T>>,
}

struct Replaced<T> {
    value: Arc<T>,
    next: *mut Replaced<T>,
}

// SAFETY: it hands out and drops `Arc<T>` in any thread, as an `Arc<T>` that is shared itself would.
unsafe impl<T: Send + Sync> Send for Swap<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Swap<T> {}

impl<T> Swap<T> {
    pub(crate) fn new(value: T) -> Swap<T> {
        Swap {
            current: AtomicPtr::new(Arc::into_raw(Arc::new(value)).cast_mut()),
            readers: AtomicUsize::new(0),
            replaced: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The value as it is now.
    pub(crate) fn get(&self) -> Arc<T> {
        self.readers.fetch_add(1, SeqCst);
        let value = self.current.load(SeqCst);
        // SAFETY: the pointer came from `Arc::into_raw`, and its reference is kept while a reader is counted that came
        // before it was replaced.
        let value = unsafe {
            Arc::increment_strong_count(value);
            Arc::from_raw(value)
        };
        self.readers.fetch_sub(1, SeqCst);
        value
    }

    /// Replaces the value.
    pub(crate) fn set(&self, value: T) {
        let old = self.current.swap(Arc::into_raw(Arc::new(value)).cast_mut(), SeqCst);
        // SAFETY: this was the reference of `current`, which nobody else takes over.
        self.keep(unsafe { Arc::from_raw(old) });
    }

    /// Replaces the value if it is still this one.
    pub(crate) fn set_if(&self, old: &Arc<T>, value: T) {
        let new = Arc::into_raw(Arc::new(value)).cast_mut();
        let old = Arc::as_ptr(old).cast_mut();
        match self.current.compare_exchange(old, new, SeqCst, SeqCst) {
            // SAFETY: this was the reference of `current`, which nobody else takes over.
            Ok(old) => self.keep(unsafe { Arc::from_raw(old) }),
            // SAFETY: nobody has seen the new one.
            Err(_) => drop(unsafe { Arc::from_raw(new) }),
        }
    }

    /// Keeps a replaced reference, and drops all that can be dropped.
    fn keep(&self, value: Arc<T>) {
        self.push(Box::into_raw(Box::new(Replaced { value, next: ptr::null_mut() })));
        self.sweep();
    }

    /// Drops replaced references if nobody is about to count one up.
    pub(crate) fn sweep(&self) {
        let list = self.replaced.swap(ptr::null_mut(), SeqCst);
        if self.readers.load(SeqCst) == 0 {
            // SAFETY: the list was taken as a whole, so it is this caller's alone.
            unsafe { free(list) };
        } else if !list.is_null() {
            self.push(list);
        }
    }

    /// Puts a list that is the caller's own before the one that is there.
    fn push(&self, list: *mut Replaced<T>) {
        let mut last = list;
        // SAFETY: all links of the list are the caller's own and live until `free`.
        unsafe {
            while !(*last).next.is_null() {
                last = (*last).next;
            }
            let mut first = self.replaced.load(SeqCst);
            loop {
                (*last).next = first;
                match self.replaced.compare_exchange(first, list, SeqCst, SeqCst) {
                    Ok(_) => return,
                    Err(other) => first = other,
                }
            }
        }
    }
}

/// # Safety
/// All links of the list came from `Box::into_raw` and are the caller's own.
unsafe fn free<T>(mut list: *mut Replaced<T>) {
    while !list.is_null() {
        // SAFETY: promised by the caller.
        let link = unsafe { Box::from_raw(list) };
        list = link.next;
        drop(link.value);
    }
}

impl<T> Drop for Swap<T> {
    fn drop(&mut self) {
        // SAFETY: nobody else has this any more, and the reference of `current` is dropped once.
        unsafe {
            free(*self.replaced.get_mut());
            drop(Arc::from_raw(*self.current.get_mut()));
        }
    }
}
