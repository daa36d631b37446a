//! Signing, verifying, rewriting, stripping and deciding allocate nothing, whatever the outcome.
//!
//! The allocator of this test counts what one thread asks of it. Rings are read before the count begins; what is counted
//! is one call of the library.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

#[cfg(feature = "bulk")]
use backstop::bulk::Engine;
use backstop::policy::{Addresses, Client, Forwarding, Mode, Networks, Origin, Policy};
use backstop::srs::{self, Alphabet, Dialect, OverLong};
use backstop::{Day, Domains, Form, KeyRing, batv};

struct Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above, hence from the system.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Runs the call and fails if it allocated.
#[track_caller]
fn without_allocating<T>(what: &str, call: impl FnOnce() -> T) -> T {
    let before = CALLS.get();
    let result = call();
    assert_eq!(CALLS.get() - before, 0, "{what}");
    result
}

const DAY: &str = "2026-11-21";

fn ring(key: &str) -> KeyRing {
    KeyRing::parse(format!("version 1\n{key}\n").as_bytes()).unwrap()
}

/// Ordinary, quoted, of mixed case, with a literal, beyond ASCII, and too long for most tags.
const SENDERS: [&str; 6] = [
    "alice@example.com",
    "\"a b\\\"@c\"@example.com",
    "Mixed.Case@Example.COM",
    "user@[IPv6:2001:db8::1]",
    "jörg@bücher.example",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com",
];

#[test]
fn the_counter_counts() {
    let before = CALLS.get();
    drop(std::hint::black_box(Box::new(7)));
    assert_eq!(CALLS.get() - before, 1);
}

#[test]
fn signing_and_verifying_tags_allocate_nothing() {
    let day = Day::parse(DAY).unwrap();
    let mut seen = Vec::new();
    for key in ["prvs 0 sha1 7", "prvs 4 sha256 10", "bst1 k sha256 10"] {
        let open = ring(&format!("{key} - - * text:secret"));
        let dated = ring(&format!("{key} 2026-11-25 - * text:secret"));
        let other = ring("prvs 9 sha1 7 - - * text:secret");
        for sender in SENDERS {
            for form in [Form::Prefix, Form::Subaddress] {
                let signed = without_allocating(sender, || batv::sign(&open, sender.as_bytes(), form, day)).unwrap();
                let Some(signed) = signed.address() else { continue };
                let mut forged = signed.as_bytes().to_vec();
                let last = forged.iter().rposition(|&octet| octet == b'@').unwrap() - 1;
                *forged.get_mut(last).unwrap() ^= 3;
                for (ring, recipient, day) in [
                    (&open, signed.as_bytes(), day),
                    (&open, signed.as_bytes(), day.plus(20)),
                    (&dated, signed.as_bytes(), day),
                    (&other, signed.as_bytes(), day),
                    (&open, forged.as_slice(), day),
                ] {
                    let verdict = without_allocating(sender, || batv::verify(ring, recipient, day));
                    seen.extend(verdict.map(|verdict| (verdict.slug(), verdict.reason())));
                }
                assert!(without_allocating(sender, || batv::strip(signed.as_bytes())).unwrap().is_some());
            }
            let verdict = without_allocating(sender, || batv::verify(&open, sender.as_bytes(), day)).unwrap();
            seen.push((verdict.slug(), verdict.reason()));
        }
        for odd in ["prvs=nothing@example.com", "btv1==123456789ab==user@example.com", "a b@example.com", "<>"] {
            let verdict = without_allocating(odd, || batv::verify(&open, odd.as_bytes(), day));
            seen.extend(verdict.map(|verdict| (verdict.slug(), verdict.reason())));
            let _ = without_allocating(odd, || batv::strip(odd.as_bytes()));
            let _ = without_allocating(odd, || batv::sign(&open, odd.as_bytes(), Form::Prefix, day));
        }
    }
    for expected in [
        ("genuine", None),
        ("expired", Some("lifetime")),
        ("expired", Some("window")),
        ("forged", None),
        ("unknown-key", None),
        ("malformed", Some("shape")),
        ("foreign", Some("btv1")),
        ("untagged", None),
    ] {
        assert!(seen.contains(&expected), "{expected:?} was not among the verdicts");
    }
}

#[cfg(feature = "bulk")]
#[test]
fn many_addresses_at_once_allocate_nothing() {
    let day = Day::parse(DAY).unwrap();
    for key in ["prvs 0 sha1 7", "prvs 4 sha256 10", "bst1 k sha256 10"] {
        let ring = ring(&format!("{key} - - * text:secret"));
        let odd = ["prvs=nothing@example.com", "a b@example.com", "<>", "Short@Example.com"];
        let mut recipients: Vec<Vec<u8>> = Vec::new();
        for sender in SENDERS.into_iter().chain(odd).cycle().take(300) {
            let signed = batv::sign(&ring, sender.as_bytes(), Form::Prefix, day);
            let signed = signed.ok().and_then(|signed| signed.address().map(|address| address.as_bytes().to_vec()));
            recipients.push(signed.unwrap_or_else(|| sender.as_bytes().to_vec()));
        }
        let senders: Vec<&[u8]> = SENDERS.into_iter().chain(odd).cycle().take(300).map(str::as_bytes).collect();
        let recipients: Vec<&[u8]> = recipients.iter().map(Vec::as_slice).collect();
        for name in Engine::NAMES {
            let Some(engine) = Engine::named(name) else { continue };
            let (mut signed, mut genuine) = (0, 0);
            without_allocating(name, || {
                batv::sign_many_with(engine, &ring, &senders, Form::Prefix, day, |_, result| {
                    signed += usize::from(result.is_ok_and(|signed| signed.address().is_some()));
                });
                batv::verify_many_with(engine, &ring, &recipients, day, |_, result| {
                    genuine += usize::from(result.is_ok_and(|verdict| verdict.slug() == "genuine"));
                });
            });
            assert!(signed > 29 && genuine == signed, "{name} {key} {signed} {genuine}");
        }
    }
}

#[test]
fn rewriting_and_reversing_allocate_nothing() {
    let day = Day::parse(DAY).unwrap();
    let ring = ring("srs 0 sha1 21 - - * text:tops3cr3t\nsrs 1 sha1 21 - 2026-11-30 * text:old");
    let own = Domains::parse("fwd.example.net").unwrap();
    let dialects = [
        Dialect::CLASSIC,
        Dialect::CLASSIC.with_alphabet(Alphabet::Url).with_over_long(OverLong::Emit).with_hash(27, 4).unwrap(),
    ];
    let hops = [
        "SRS0=wxyz=ZZ=source.org=bob@first.example.org",
        "SRS1=abcd=first.example.org==wxyz=ZZ=source.org=bob@second.example.org",
        "SRS1=@second.example.org",
    ];
    let mut seen = Vec::new();
    for dialect in dialects {
        for sender in SENDERS.into_iter().chain(hops) {
            let forward = || srs::forward(&ring, sender.as_bytes(), "fwd.example.net", &own, &dialect, day);
            let signed = without_allocating(sender, forward).unwrap();
            let Some(signed) = signed.address() else { continue };
            let mut forged = signed.as_bytes().to_vec();
            let hash = forged.get_mut(6).unwrap();
            *hash = if hash.eq_ignore_ascii_case(&b'a') { b'b' } else { b'a' };
            for (address, day) in [(signed.as_bytes(), day), (signed.as_bytes(), day.plus(30)), (&forged, day)] {
                let verdict = without_allocating(sender, || srs::reverse(&ring, address, &own, &dialect, day));
                seen.push(verdict.unwrap().slug());
            }
        }
        for odd in ["SRS0=a@fwd.example.net", "SRS0=a=b=c=d@elsewhere.example", "alice@fwd.example.net"] {
            let verdict = without_allocating(odd, || srs::reverse(&ring, odd.as_bytes(), &own, &dialect, day));
            seen.push(verdict.unwrap().slug());
        }
    }
    for expected in ["genuine", "expired", "forged", "malformed", "foreign", "untagged"] {
        assert!(seen.contains(&expected), "{expected} was not among the verdicts");
    }
}

#[test]
fn no_decision_allocates() {
    let ring = ring(
        "prvs 4 sha256 99 2026-01-01 - example.com text:one\nbst1 k sha256 99 2026-01-01 - *.example.com text:two\n\
         srs 0 sha1 21 - - * text:three",
    );
    let list = || Addresses::parse(["news", "@raw.example.com", "\"q q\"@*"]).unwrap();
    let policy = Policy::new(Domains::parse("example.com,*.example.com").unwrap())
        .with_mode(Mode::Enforce)
        .with_no_sign(list())
        .with_no_sign_recipients(list())
        .with_never_send(list())
        .with_exempt_clients(Networks::parse(["192.0.2.0/24"]).unwrap())
        .with_srs(Forwarding::new("fwd.example").unwrap());
    let day = Day::parse(DAY).unwrap();
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
        let what = String::from_utf8_lossy(address);
        let out = without_allocating(&what, || policy.outgoing(&ring, address, [address], Origin::Submitted, day));
        let forwarded = without_allocating(&what, || policy.forward(&ring, address, b"alice@example.com", day));
        let given = [Some(address), out.rewrite.as_ref().map(|it| it.as_bytes())];
        for recipient in given.into_iter().chain([forwarded.rewrite.as_ref().map(|it| it.as_bytes())]).flatten() {
            for later in [0, 105, 200] {
                let judge = || policy.incoming(&ring, b"<>", recipient, Client::Other, day.plus(later));
                kinds.insert(without_allocating(&String::from_utf8_lossy(recipient), judge).action.slug());
            }
        }
    }
    assert_eq!(Vec::from_iter(kinds), ["refuse", "reverse", "strip", "unchanged"]);
}
