//! No block of memory goes back to the allocator with a secret in it: not the octets of a key, not their text, not the
//! states of HMAC that stand for them.
//!
//! The allocator of this test looks through every block before it is freed, while it is still its own; growing a vector
//! frees its old block and so is seen, too. What is left on the stack by moves is not looked at. The test's own texts are
//! constants, since any copy that it made would be found.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::fs;
use std::os::unix::fs::PermissionsExt;

use backstop::keyfile::{self, Trust};
use backstop::{Day, Domains, KeyId, KeyRing, Mac, NewKey, Secret, Use};

thread_local! {
    static NEEDLES: RefCell<&'static [&'static [u8]]> = const { RefCell::new(&[]) };
    static FOUND: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

struct Looking;

/// Notes the needle that stands in a block, and the block's size.
fn look(block: &[u8]) {
    let _ = NEEDLES.try_with(|needles| {
        let Ok(needles) = needles.try_borrow() else { return };
        for (number, needle) in needles.iter().enumerate() {
            if block.len() >= needle.len() && block.windows(needle.len()).any(|window| window == *needle) {
                FOUND.set(Some((number, block.len())));
            }
        }
    });
}

// SAFETY: every call goes to the system's allocator; blocks come zeroed, so that all of them may be read.
unsafe impl GlobalAlloc for Looking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the block is still allocated and that long, and was zeroed when it was made. Padding of values that were
        // moved into it is not initialised for the compiler, which knows nothing of this block at this place.
        look(std::hint::black_box(unsafe { std::slice::from_raw_parts(pointer, layout.size()) }));
        // SAFETY: the pointer came from `alloc` above, hence from the system.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static LOOKING: Looking = Looking;

const OCTETS: &[u8] = b"\x93secret-octets-of-32-for-the-key\xf1";
const HEX: &str = "937365637265742d6f63746574732d6f662d33322d666f722d7468652d6b6579f1";
const TEXT: &str = "a text secret that is nowhere else";
/// Many keys, so that whatever grows with them grows several times.
const RING: &str = "version 1
prvs 4 sha256 10 2026-11-01 - example.com hex:937365637265742d6f63746574732d6f662d33322d666f722d7468652d6b6579f1
prvs 5 sha1 10 2026-11-01 - example.org text:a text secret that is nowhere else
prvs 6 sha1 10 2026-11-01 - a.example.org text:a text secret that is nowhere else
prvs 7 sha1 10 2026-11-01 - b.example.org text:a text secret that is nowhere else
prvs 8 sha1 10 2026-11-01 - c.example.org text:a text secret that is nowhere else
prvs 9 sha1 10 2026-11-01 - d.example.org text:a text secret that is nowhere else
prvs 0 sha1 10 2026-11-01 - e.example.org text:a text secret that is nowhere else
prvs 1 sha1 10 2026-11-01 - f.example.org text:a text secret that is nowhere else
prvs 2 sha1 10 2026-11-01 - g.example.org text:a text secret that is nowhere else
";

/// The states of HMAC of a key, as they lie in memory.
fn states(mac: Mac, secret: &[u8]) -> [Vec<u8>; 2] {
    [0x36, 0x5c].map(|pad| {
        let mut block = [pad; 64];
        block.iter_mut().zip(secret).for_each(|(to, from)| *to ^= from);
        match mac {
            Mac::Sha1 => {
                let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
                sha1::block_api::compress(&mut state, &[block]);
                state.iter().flat_map(|word| word.to_ne_bytes()).collect()
            }
            Mac::Sha256 => {
                let mut state = [
                    0x6a09_e667,
                    0xbb67_ae85,
                    0x3c6e_f372,
                    0xa54f_f53a,
                    0x510e_527f,
                    0x9b05_688c,
                    0x1f83_d9ab,
                    0x5be0_cd19,
                ];
                sha2::block_api::compress256(&mut state, &[block]);
                state.iter().flat_map(|word| word.to_ne_bytes()).collect()
            }
        }
    })
}

const NAMES: [&str; 7] = ["octets", "hex", "text", "inner sha256", "outer sha256", "inner sha1", "outer sha1"];

/// Runs this, and fails if a block with a secret was freed meanwhile.
#[track_caller]
fn leaves_nothing<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let result = watched(run);
    if let Some((needle, size)) = result.1 {
        panic!("{what}: a block of {size} octets was freed with a secret in it: {}", NAMES[needle]);
    }
    result.0
}

fn watched<T>(run: impl FnOnce() -> T) -> (T, Option<(usize, usize)>) {
    let [a, b] = states(Mac::Sha256, OCTETS);
    let [c, d] = states(Mac::Sha1, TEXT.as_bytes());
    // Never freed, so that they are not found themselves. Of the others the beginning is enough: what grows leaves that.
    let mut needles: Vec<&'static [u8]> = vec![&OCTETS[..8], &HEX.as_bytes()[..16], &TEXT.as_bytes()[..8]];
    needles.extend([a, b, c, d].map(|state| &*Vec::leak(state)));
    NEEDLES.set(Vec::leak(needles));
    FOUND.set(None);
    let result = run();
    NEEDLES.set(&[]);
    (result, FOUND.get())
}

fn day() -> Day {
    Day::parse("2026-11-21").unwrap()
}

fn ring() -> KeyRing {
    KeyRing::parse(RING.as_bytes()).unwrap()
}

#[test]
fn the_allocator_finds_a_secret_that_is_freed() {
    assert_eq!(watched(|| drop(std::hint::black_box(OCTETS.to_vec()))).1, Some((0, OCTETS.len())));
    assert_eq!(watched(|| drop(std::hint::black_box(String::from(HEX)))).1, Some((1, HEX.len())));
    let grown = watched(|| {
        let mut text = String::from(TEXT);
        text.reserve(1000);
        std::mem::forget(std::hint::black_box(text));
    });
    assert_eq!(grown.1, Some((2, TEXT.len())));
    let state = watched(|| drop(std::hint::black_box(states(Mac::Sha256, OCTETS))));
    assert!(state.1.is_some_and(|(needle, _)| needle == 3 || needle == 4));
}

#[test]
fn a_ring_holds_the_states_that_are_looked_for() {
    let ring = ring();
    for (key, needles) in [(0, states(Mac::Sha256, OCTETS)), (1, states(Mac::Sha1, TEXT.as_bytes()))] {
        let key = &ring.keys()[key];
        // SAFETY: the key is alive and that large; it lies in a block that was zeroed, see `dealloc`.
        let octets = std::hint::black_box(unsafe {
            std::slice::from_raw_parts(std::ptr::from_ref(key).cast::<u8>(), size_of_val(key))
        });
        assert!(needles.iter().all(|needle| octets.windows(needle.len()).any(|window| window == needle)));
    }
}

#[test]
fn reading_cloning_and_dropping_a_ring_leave_nothing() {
    leaves_nothing("parse", || drop(ring()));
    leaves_nothing("clone", || drop(ring().clone()));
    leaves_nothing("a ring that is refused at its end", || {
        const REFUSED: &str = "version 1
prvs 4 sha256 10 - - example.com hex:937365637265742d6f63746574732d6f662d33322d666f722d7468652d6b6579f1
prvs 5 sha1 10 - - example.org text:a text secret that is nowhere else
srs 5 sha1 10 - - example.org text:a text secret that is nowhere else
";
        assert!(KeyRing::parse(REFUSED.as_bytes()).is_err());
    });
    for damaged in [
        "base32:SNZWKY3SMV2C233DORSXI4ZNN5TC2MZSFVTG64RNORUGKLLLMV4!!",
        "base64:k3NlY3JldC1vY3RldHMtb2YtMzItZm9yLXRoZS1rZX!x",
        "base64:k3NlY3JldC1vY3RldHMtb2YtMzItZm9yLXRoZS1rZX!",
    ] {
        leaves_nothing(damaged, || {
            let ring = format!("version 1\nprvs 4 sha256 10 - - * {damaged}\n");
            assert!(KeyRing::parse(ring.as_bytes()).is_err());
        });
    }
    leaves_nothing("a secret", || drop(Secret::new(OCTETS).unwrap().clone()));
}

#[test]
fn every_edit_leaves_nothing() {
    let ring = ring();
    let new = || NewKey {
        usage: Use::Bst1,
        id: KeyId::new(Use::Bst1, 'k').unwrap(),
        mac: Mac::Sha256,
        days: 10,
        from: None,
        until: None,
        domains: Domains::parse("example.net").unwrap(),
        secret: Secret::new(b"another secret, of another use").unwrap(),
    };
    leaves_nothing("add", || drop(ring.add(&new()).unwrap()));
    leaves_nothing("add the secret to an empty ring", || {
        let new = NewKey { secret: Secret::new(OCTETS).unwrap(), ..new() };
        drop(KeyRing::empty().add(&new).unwrap());
    });
    leaves_nothing("rotate and retire", || {
        let id = KeyId::new(Use::Prvs, '3').unwrap();
        let rotated = ring.rotate(&ring.keys()[0], day(), id, &Secret::new(b"the next one of prvs").unwrap()).unwrap();
        drop(rotated.retire(&rotated.keys()[0], day().plus(5)).unwrap());
    });
    leaves_nothing("prune", || drop(ring.prune(day()).unwrap()));
    leaves_nothing("check", || drop(ring.check(day())));
}

#[test]
fn reading_and_editing_a_file_leave_nothing() {
    let path = std::env::temp_dir().join(format!("backstop-secrets-{}", std::process::id()));
    fs::write(&path, RING).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    leaves_nothing("load", || drop(keyfile::load(&path, Trust::Private).unwrap()));
    leaves_nothing("an edit that is refused", || {
        // The only signer of its domain.
        assert!(keyfile::edit(&path, Trust::Private, |ring| ring.retire(&ring.keys()[0], day())).is_err());
    });
    leaves_nothing("edit", || {
        let id = KeyId::new(Use::Prvs, '3').unwrap();
        let secret = Secret::new(b"the next one of prvs").unwrap();
        drop(keyfile::edit(&path, Trust::Private, |ring| ring.rotate(&ring.keys()[0], day(), id, &secret)).unwrap());
    });
    assert_eq!(keyfile::load(&path, Trust::Private).unwrap().ring.keys().len(), ring().keys().len() + 1);
    let other = path.with_extension("new");
    leaves_nothing("create", || keyfile::create(&other, &ring(), None).unwrap());
    fs::remove_file(&path).unwrap();
    fs::remove_file(&other).unwrap();
}

#[test]
fn debug_shows_no_secret() {
    let ring = ring();
    let secret = Secret::new(TEXT.as_bytes()).unwrap();
    let shown = format!("{ring:?} {ring:#?} {:?} {secret:?}", ring.keys());
    assert!(!shown.contains(TEXT) && !shown.contains(HEX) && !shown.contains("937365"), "{shown}");
}
