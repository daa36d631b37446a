//! Many addresses in one call: each engine says of each address exactly what `sign` and `verify` say of it alone.
//!
//! An engine that this processor lacks is named and skipped; the plain one is always there.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use backstop::bulk::Engine;
use backstop::{Day, Form, KeyRing, Signed, batv};
use proptest::prelude::*;

const DAY: &str = "2026-11-21";

fn engines() -> impl Iterator<Item = (&'static str, Engine)> {
    Engine::NAMES.into_iter().filter_map(|name| {
        let engine = Engine::named(name);
        if engine.is_none() {
            eprintln!("bulk: skipped {name}, which this processor lacks");
        }
        Some((name, engine?))
    })
}

/// Whatever can differ in a ring: the hash, the use, the domains, a window that is over.
fn rings() -> Vec<KeyRing> {
    let rings = [
        "prvs 0 sha1 7 - - * text:secret",
        "prvs 4 sha256 10 - - * text:secret",
        "bst1 k sha256 10 - - * text:secret",
        "bst1 k sha256 10 - - * text:secret\nprvs 4 sha256 10 - - * text:another",
        "prvs 0 sha1 7 - - *.example text:one\nprvs 1 sha1 9 - - *.net text:two\nprvs 2 sha256 9 - - *.org text:three\n\
         bst1 a sha256 5 - - *.org text:four\nbst1 b sha256 5 - - a.example text:five",
        "prvs 0 sha1 7 - 2026-11-20 * text:old\nprvs 1 sha1 7 2026-11-22 - * text:new",
    ];
    rings.iter().map(|text| KeyRing::parse(format!("version 1\n{text}\n").as_bytes()).unwrap()).collect()
}

#[track_caller]
fn all_agree(ring: &KeyRing, addresses: &[Vec<u8>], form: Form, day: Day) {
    let addresses: Vec<&[u8]> = addresses.iter().map(Vec::as_slice).collect();
    for (name, engine) in engines() {
        let mut next = 0;
        batv::sign_many_with(engine, ring, &addresses, form, day, |number, result| {
            assert_eq!(number, next, "{name}");
            assert_eq!(
                result,
                batv::sign(ring, addresses[number], form, day).as_ref().map_err(Clone::clone),
                "{name} {number}"
            );
            next += 1;
        });
        assert_eq!(next, addresses.len(), "{name}");
        let mut next = 0;
        batv::verify_many_with(engine, ring, &addresses, day, |number, result| {
            assert_eq!(number, next, "{name}");
            assert_eq!(
                result,
                batv::verify(ring, addresses[number], day).as_ref().map_err(Clone::clone),
                "{name} {number}"
            );
            next += 1;
        });
        assert_eq!(next, addresses.len(), "{name}");
    }
}

/// Local parts and domains of all lengths, capitals and quotes among them, and some that are no address.
fn address() -> impl Strategy<Value = Vec<u8>> {
    let domain = prop_oneof![
        "[a-z]{1,8}\\.(example|net|org)",
        "[A-Za-z]{1,8}\\.Example",
        "([a-z]{1,60}\\.){0,4}example",
        Just("[192.0.2.1]".to_string()),
        Just("bücher.example".to_string())
    ];
    let local = prop_oneof![
        6 => "[a-z.]{1,48}",
        2 => "[A-Za-z0-9+=_-]{1,80}",
        1 => "\"([a-zA-Z @.]|\\\\[ -~]){0,30}\"",
        1 => "(prvs|bst1|btv1|SRS0)=[0-9a-z=/]{0,30}",
    ];
    prop_oneof![
        12 => (local, domain).prop_map(|(local, domain)| format!("{local}@{domain}").into_bytes()),
        1 => proptest::collection::vec(any::<u8>(), 0..254),
        1 => prop_oneof![Just(""), Just("<>"), Just("postmaster"), Just("a b@c")].prop_map(|text| text.into()),
    ]
}

/// What is done to an address before it is verified.
fn altered(ring: &KeyRing, address: &[u8], how: u8, day: Day) -> Vec<u8> {
    let form = if how & 1 == 0 { Form::Prefix } else { Form::Subaddress };
    let age = [0, 0, 0, 5, 20, 999][usize::from(how >> 1) % 6];
    let Ok(Signed::Done(signed)) = batv::sign(ring, address, form, day.minus(age)) else { return address.to_vec() };
    let mut signed = signed.as_bytes().to_vec();
    match how >> 4 {
        0..=5 => {}
        6..=9 => {
            let place = usize::from(how) * 7 % signed.len();
            signed[place] ^= 1;
        }
        10 | 11 => signed.make_ascii_uppercase(),
        12 => signed.make_ascii_lowercase(),
        13 => signed[5] ^= 3,
        14 => signed.truncate(signed.len() - 1),
        _ => signed = [b"<", signed.as_slice(), b">"].concat(),
    }
    signed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn each_engine_says_of_each_address_what_is_said_of_it_alone(
        which in 0..6_usize,
        addresses in proptest::collection::vec((address(), any::<u8>()), 0..150),
        subaddress in any::<bool>(),
    ) {
        let (rings, day) = (rings(), Day::parse(DAY).unwrap());
        let form = if subaddress { Form::Subaddress } else { Form::Prefix };
        let plain: Vec<Vec<u8>> = addresses.iter().map(|(address, _)| address.clone()).collect();
        all_agree(&rings[which], &plain, form, day);
        let tagged: Vec<Vec<u8>> = addresses.iter().enumerate().map(|(number, (address, how))| {
            // Now and then a tag of another ring, with its keys or without them.
            let ring = if number % 5 == 4 { &rings[number % 6] } else { &rings[which] };
            altered(ring, address, *how, day)
        }).collect();
        all_agree(&rings[which], &tagged, form, day);
    }
}
