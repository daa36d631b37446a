//! Deciding allocates nothing, whatever the answer: counted by the allocator.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use backstop::policy::{Addresses, Client, Forwarding, Mode, Networks, Origin, Policy};
use backstop::{Day, Domains, KeyRing};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How often the calling thread allocated during the call.
fn allocations<T>(call: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.with(Cell::get);
    let result = call();
    (ALLOCATIONS.with(Cell::get) - before, result)
}

#[test]
fn the_allocator_counts() {
    assert_eq!(allocations(|| vec![1_u8]).0, 1);
}

#[test]
fn no_decision_allocates() {
    let ring = b"version 1
prvs 4 sha256 99 2026-01-01 - example.com text:one
bst1 k sha256 99 2026-01-01 - *.example.com text:two
srs 0 sha1 21 - - * text:three
";
    let ring = KeyRing::parse(ring).unwrap();
    let list = || Addresses::parse(["news", "@raw.example.com", "\"q q\"@*"]).unwrap();
    let policy = Policy::new(Domains::parse("example.com,*.example.com").unwrap())
        .with_mode(Mode::Enforce)
        .with_no_sign(list())
        .with_no_sign_recipients(list())
        .with_never_send(list())
        .with_exempt_clients(Networks::parse(["192.0.2.0/24"]).unwrap())
        .with_srs(Forwarding::new("fwd.example").unwrap());
    let day = Day::parse("2026-11-21").unwrap();
    let long = format!("{}@example.com", "a".repeat(60));
    let addresses: Vec<&[u8]> = vec![
        b"alice@example.com",
        b"<Alice@a.Example.com>",
        b"\"q q\"@example.com",
        b"news@example.com",
        b"prvs=4788abcdef=alice@example.com",
        b"btv1==123456789ab==alice@example.com",
        b"SRS0=x=y@fwd.example",
        b"bob@example.org",
        b"no address",
        b"<>",
        long.as_bytes(),
    ];
    let mut kinds = std::collections::BTreeSet::new();
    for address in addresses {
        let (count, out) = allocations(|| policy.outgoing(&ring, address, [address], Origin::Submitted, day));
        assert_eq!(count, 0, "{address:?}");
        let (count, forwarded) = allocations(|| policy.forward(&ring, address, b"alice@example.com", day));
        assert_eq!(count, 0, "{address:?}");
        let given = [Some(address), out.rewrite.as_ref().map(|it| it.as_bytes())];
        for recipient in given.into_iter().chain([forwarded.rewrite.as_ref().map(|it| it.as_bytes())]).flatten() {
            for later in [0, 105, 200] {
                let judge = || policy.incoming(&ring, b"<>", recipient, Client::Other, day.plus(later));
                let (count, decision) = allocations(judge);
                assert_eq!(count, 0, "{recipient:?}");
                kinds.insert(decision.action.slug());
            }
        }
    }
    assert_eq!(Vec::from_iter(kinds), ["refuse", "reverse", "strip", "unchanged"]);
}
