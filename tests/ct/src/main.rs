//! Signs, verifies and rewrites with keys that valgrind holds for undefined, so that memcheck reports every branch and
//! every index that depends on a key or on a tag on its way (the manner of ctgrind). Run by `tests/ct/run`.
//!
//! The two states of HMAC that a ring keeps for a key are found inside it and marked. What is made from them stays marked
//! until it is public by design: the address that signing returns, and the bit whether a tag is genuine, on which the
//! caller acts (outcome.supp names the places of that bit).
//!
//! Not looked at: reading a ring, whose text decides on branches once at start; the hashes' instructions that valgrind
//! does not have (SHA-NI, AVX-512): here the same calls take the portable path.

use std::hint::black_box;

use backstop::bulk::Engine;
use backstop::srs::{self, Dialect, OverLong};
use backstop::{Day, Domains, Form, Key, KeyRing, Mac, batv, mark};

unsafe extern "C" {
    fn ct_find(within: *mut u8, size: usize, octets: *const u8, length: usize) -> *mut u8;
    fn ct_secret(octets: *mut u8, length: usize);
    fn ct_public(octets: *mut u8, length: usize);
    fn ct_is_secret(octets: *const u8, length: usize) -> i32;
    safe fn ct_errors() -> u32;
    safe fn ct_valgrind() -> u32;
}

/// A ring of one key that is marked.
fn ring(key: &str) -> KeyRing {
    let ring = unmarked(key, "the secret");
    mark_key(&ring.keys()[0], b"the secret");
    ring
}

/// A ring of two keys of a use, both marked: what tries them all must not tell which is right but by its answer.
fn ring_of_two(use_of_both: &str, rest: &str) -> KeyRing {
    let secrets = ["the secret", "the other one"];
    let lines: Vec<_> = secrets
        .iter()
        .enumerate()
        .map(|(id, secret)| format!("{use_of_both} {id} {rest} - - * text:{secret}\n"))
        .collect();
    let ring = KeyRing::parse(format!("version 1\n{}", lines.concat()).as_bytes()).expect("a ring");
    ring.keys().iter().zip(secrets).for_each(|(key, secret)| mark_key(key, secret.as_bytes()));
    ring
}

fn unmarked(key: &str, secret: &str) -> KeyRing {
    KeyRing::parse(format!("version 1\n{key} - - * text:{secret}\n").as_bytes()).expect("a ring")
}

/// Marks both states of a key as undefined.
fn mark_key(key: &Key, secret: &[u8]) {
    let states = [0x36, 0x5c].map(|pad| {
        let mut block = [pad; 64];
        block.iter_mut().zip(secret).for_each(|(to, from)| *to ^= from);
        let state: Vec<u8> = match key.mac() {
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
        };
        // SAFETY: the key is alive and that large, and is only read.
        let found = unsafe {
            ct_find(std::ptr::from_ref(key).cast_mut().cast(), size_of::<Key>(), state.as_ptr(), state.len())
        };
        assert!(!found.is_null(), "the states of a key stand elsewhere: mark them where they are");
        (found, state.len())
    });
    for (found, length) in states {
        // SAFETY: it lies in the key; nothing but valgrind's notes on it is changed.
        unsafe { ct_secret(found, length) }
    }
}

/// Makes octets public, after a look whether they hung on the key at all.
fn publish(what: &str, octets: &[u8]) -> Vec<u8> {
    // SAFETY: as above; the vector is our own.
    unsafe {
        assert_ne!(
            ct_is_secret(octets.as_ptr(), octets.len()),
            0,
            "{what} does not hang on the key: nothing is looked at"
        );
        let mut copy = octets.to_vec();
        ct_public(copy.as_mut_ptr(), copy.len());
        copy
    }
}

/// Says which operation raised errors, since valgrind's report names lines only.
fn case<T>(what: &str, call: impl FnOnce() -> T) -> T {
    let before = ct_errors();
    let result = call();
    let raised = ct_errors() - before;
    println!("{what}: {}", if raised == 0 { "nothing depends on a key" } else { "FOUND" });
    result
}

const SENDERS: [&str; 3] =
    ["Alice@Example.com", "\"a b\"@example.com", "a.name.of.more.than.one.block@departments.of.example.com"];

fn senders(today: Day) {
    for key in ["prvs 0 sha1 7", "prvs 4 sha256 7", "bst1 k sha256 7"] {
        let (ring, other) = (ring(key), unmarked(key, "another secret"));
        for sender in SENDERS {
            for form in [Form::Prefix, Form::Subaddress] {
                let signed = case(&format!("sign {key} {form:?} {}", sender.len()), || {
                    batv::sign(&ring, black_box(sender.as_bytes()), form, today).expect("an address")
                });
                let Some(signed) = signed.address() else { continue };
                let genuine = publish("a signed address", signed.as_bytes());
                let forged = batv::sign(&other, sender.as_bytes(), form, today).expect("an address");
                let forged = forged.address().expect("signed").as_bytes().to_vec();
                for (name, tagged) in [("genuine", &genuine), ("forged", &forged)] {
                    case(&format!("verify {key} {form:?} {name} {}", sender.len()), || {
                        let _ = black_box(batv::verify(&ring, black_box(tagged), today).expect("an address"));
                    });
                }
            }
        }
    }
}

/// Many at once: in the lanes that valgrind knows.
fn many(today: Day) {
    let ring = ring("prvs 0 sha1 7");
    let senders: Vec<&[u8]> = SENDERS.iter().cycle().take(40).map(|sender| sender.as_bytes()).collect();
    for engine in Engine::NAMES.into_iter().filter_map(Engine::named) {
        let mut tagged = Vec::new();
        case(&format!("sign_many {engine:?}"), || {
            batv::sign_many_with(engine, &ring, &senders, Form::Prefix, today, |_, signed| {
                tagged.push(signed.cloned())
            });
        });
        let tagged: Vec<Vec<u8>> = tagged
            .iter()
            .flatten()
            .filter_map(|signed| signed.address())
            .map(|address| publish("an address signed with others", address.as_bytes()))
            .collect();
        let tagged: Vec<&[u8]> = tagged.iter().map(Vec::as_slice).collect();
        case(&format!("verify_many {engine:?}"), || {
            batv::verify_many_with(engine, &ring, &tagged, today, |_, verdict| {
                let _ = black_box(verdict.is_ok());
            });
        });
    }
}

/// The second needs more than one block.
const SENDERS_OF_OTHERS: [&str; 3] = [
    "alice@example.com",
    "a.name.of.more.than.one.block@departments.of.example.com",
    "SRS0=abcd=G3=example.org=bob@other.example",
];

fn forwarders(today: Day) {
    let rings = [ring("srs 0 sha1 21"), ring_of_two("srs", "sha1 21")];
    let others = ["another secret", "the other one"].map(|secret| unmarked("srs 0 sha1 21", secret));
    let own = Domains::parse("fwd.example.net").expect("a domain");
    let dialect = Dialect::CLASSIC.with_over_long(OverLong::Emit);
    for (ring, sender) in rings.iter().flat_map(|ring| SENDERS_OF_OTHERS.map(|sender| (ring, sender))) {
        let forward = |ring| {
            srs::forward(ring, black_box(sender.as_bytes()), "fwd.example.net", &own, &dialect, today)
                .expect("an address")
        };
        let forwarded = case("srs forward", || forward(ring));
        let genuine = publish("a rewritten sender", forwarded.address().expect("rewritten").as_bytes());
        // By a key that the ring has not, and by one that the second ring tries after another.
        let [forged, second] = others.each_ref().map(|other| forward(other).address().expect("rewritten").to_string());
        let addresses = [("genuine", &genuine[..]), ("forged", forged.as_bytes()), ("second key", second.as_bytes())];
        for (name, address) in addresses {
            case(&format!("srs reverse {name}"), || {
                let _ = black_box(srs::reverse(ring, black_box(address), &own, &dialect, today).expect("an address"));
            });
        }
    }
}

fn marks(today: Day) {
    let ring = ring("mark m sha256 14");
    let done = |marked: mark::Marked, what| match marked {
        mark::Marked::Done(text) => publish(what, text.as_bytes()),
        other => panic!("{what}: {other:?}"),
    };
    let header =
        case("mark header", || mark::make_header(&ring, b"alice@example.com", [7; 8], today).expect("an address"));
    let header = done(header, "a header");
    let id = case("mark Message-ID", || {
        mark::make_message_id(&ring, "left", "example.com", b"alice@example.com", today).expect("an address")
    });
    let id = done(id, "a Message-ID");
    for recipient in ["alice@example.com", "bob@example.com"] {
        case(&format!("verify header for {recipient}"), || {
            let _ = black_box(mark::verify_header(&ring, &header, recipient.as_bytes(), today).expect("an address"));
        });
        case(&format!("verify Message-ID for {recipient}"), || {
            let _ = black_box(mark::verify_message_id(&ring, &id, recipient.as_bytes(), today).expect("an address"));
        });
    }
}

/// What must be found, or the check is blind: a comparison that ends early, and a table of digits.
#[inline(never)]
fn leak(kind: &str, today: Day) {
    let ring = ring("prvs 0 sha1 7");
    let signed = batv::sign(&ring, b"alice@example.com", Form::Prefix, today).expect("an address");
    let tag = &signed.address().expect("signed").as_bytes()[9..15];
    match kind {
        "branch" => println!("{}", tag.iter().zip(b"000000").take_while(|(one, other)| one == other).count()),
        _ => println!("{}", char::from(black_box(&[b'x'; 256])[usize::from(tag[0])])),
    }
}

fn main() {
    assert_ne!(ct_valgrind(), 0, "this means something under valgrind only: tests/ct/run");
    let today = Day::parse("2026-11-21").expect("a date");
    match std::env::args().nth(1) {
        Some(kind) => leak(&kind, today),
        None => {
            senders(today);
            many(today);
            forwarders(today);
            marks(today);
        }
    }
}
