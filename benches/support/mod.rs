//! What the benches share: addresses of known lengths, rings of known sizes, and the floor.
//!
//! The floor is two dependent SHA-1 compressions, from key states that exist already: how long one HMAC tag takes from the
//! first octet to the last. Calls on addresses that have nothing to do with each other may overlap a little in the
//! processor; so may the operations, and no more than a signer's in a loop.

use std::hint::black_box;

use backstop::{Day, Domains, Form, KeyRing, batv, srs};

/// The day on which everything here is signed.
pub(crate) fn day() -> Day {
    Day::parse("2026-11-21").expect("a date")
}

/// An address of exactly this many octets.
pub(crate) fn address(length: usize) -> Vec<u8> {
    let domain = match length {
        ..20 => "@a.example",
        20..60 => "@mail.example.com",
        // A tag must still fit into the 64 octets of the local part.
        _ => "@departments.of.a-company.mail.example.com",
    };
    let local = "firstname.lastname-department.of.a.company.with.a.long.name";
    format!("{}{domain}", &local[..length - domain.len()]).into_bytes()
}

/// A ring with this many keys of each use; the first one signs.
pub(crate) fn ring(keys: usize) -> KeyRing {
    let mut text = String::from("version 1\n");
    for id in 0..keys {
        let from = if id == 0 { "2026-11-01" } else { "2026-10-01" };
        text += &format!("prvs {id} sha1 7 {from} - * text:bench prvs {id}\n");
        text += &format!("srs {id} sha1 21 {from} - * text:bench srs {id}\n");
    }
    KeyRing::parse(text.as_bytes()).expect("a ring")
}

/// The two compressions of one HMAC tag, each waiting for the one before, the first for the last call's.
#[inline]
pub(crate) fn floor(state: [u32; 5], block: &[u8; 64]) -> [u32; 5] {
    let mut state = state;
    sha1::block_api::compress(&mut state, std::slice::from_ref(block));
    sha1::block_api::compress(&mut state, std::slice::from_ref(block));
    state
}

/// One operation to measure: its name and what it does once.
pub(crate) type Operation = (&'static str, Box<dyn Fn()>);

/// Every operation on an address of this length with a ring of so many keys of each use.
pub(crate) fn operations(length: usize, keys: usize) -> Vec<Operation> {
    let plain = address(length);
    let day = day();
    let own = Domains::parse("fwd.example.net").expect("a domain");
    let dialect = srs::Dialect::CLASSIC.with_over_long(srs::OverLong::Emit);
    let bytes = |signed: backstop::Signed| signed.address().map(|address| address.as_bytes().to_vec());
    let signed = bytes(batv::sign(&ring(keys), &plain, Form::Prefix, day).expect("an address"));
    let forwarded = srs::forward(&ring(keys), &plain, "fwd.example.net", &own, &dialect, day).expect("an address");
    let forwarded = bytes(forwarded).expect("rewritten");
    let mut operations: Vec<Operation> = Vec::new();
    let mut push = |name, input: Vec<u8>, run: fn(&KeyRing, &[u8], &Domains, &srs::Dialect, Day)| {
        let (ring, own) = (ring(keys), own.clone());
        operations.push((name, Box::new(move || run(&ring, black_box(&input), &own, &dialect, black_box(day)))));
    };
    if let Some(signed) = signed {
        let mut forged = signed.clone();
        forged[9] = if forged[9] == b'0' { b'1' } else { b'0' };
        push("sign", plain.clone(), |ring, input, _, _, day| {
            black_box(batv::sign(ring, input, Form::Prefix, day)).expect("an address");
        });
        push("verify-genuine", signed, |ring, input, _, _, day| {
            black_box(batv::verify(ring, input, day)).expect("an address");
        });
        push("verify-forged", forged, |ring, input, _, _, day| {
            black_box(batv::verify(ring, input, day)).expect("an address");
        });
    }
    push("verify-untagged", plain.clone(), |ring, input, _, _, day| {
        black_box(batv::verify(ring, input, day)).expect("an address");
    });
    push("srs-forward", plain, |ring, input, own, dialect, day| {
        black_box(srs::forward(ring, input, "fwd.example.net", own, dialect, day)).expect("an address");
    });
    push("srs-reverse", forwarded, |ring, input, own, dialect, day| {
        black_box(srs::reverse(ring, input, own, dialect, day)).expect("an address");
    });
    operations
}
