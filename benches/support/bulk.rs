//! Many addresses at once, by every engine that the processor has.

use std::hint::black_box;

use backstop::bulk::Engine;
use backstop::{Form, KeyRing, batv};

use crate::support::{address, day};

/// How many addresses one call gets.
const MANY: u32 = 1_000;

/// An operation, how many addresses it takes in one call, and what it is called.
type Operation = (String, u32, Box<dyn Fn()>);

/// What is named after the operation, the key, and the octets of an address: bst1 needs short ones.
const RINGS: [(&str, &str, usize); 3] = [
    ("", "prvs 4 sha1 7 - - * text:bench", 37),
    ("-sha256", "prvs 4 sha256 7 - - * text:bench", 37),
    ("-bst1", "bst1 k sha256 7 - - * text:bench", 27),
];

/// Signing and verifying, for each hash and each engine; without an engine's name, the best.
pub(crate) fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    for (hash, key, length) in RINGS {
        let engines = Engine::NAMES.iter().filter_map(|name| Some((format!("-{name}"), Engine::named(name)?)));
        for (name, engine) in std::iter::once((String::new(), Engine::best())).chain(engines) {
            both(&mut operations, &format!("{hash}{name}"), key, engine, MANY, |_| length);
        }
    }
    let (_, key, length) = RINGS[0];
    both(&mut operations, "-16", key, Engine::best(), 16, |_| length);
    both(&mut operations, "-mixed", key, Engine::best(), MANY, |number| 14 + number as usize * 7 % 77);
    operations
}

/// Signing so many addresses of these lengths, and verifying them signed.
fn both(
    operations: &mut Vec<Operation>,
    name: &str,
    key: &str,
    engine: Engine,
    count: u32,
    length: impl Fn(u32) -> usize,
) {
    let ring = || KeyRing::parse(format!("version 1\n{key}\n").as_bytes()).expect("a ring");
    let plain: Vec<&[u8]> = (0..count).map(|number| leaked(varied(number, length(number)))).collect();
    let mut signed: Vec<&[u8]> = Vec::new();
    batv::sign_many(&ring(), &plain, Form::Prefix, day(), |_, address| {
        let address = address.expect("an address");
        signed.push(leaked(address.address().expect("a key").as_bytes().to_vec()));
    });
    let (of, day) = (ring(), day());
    let sign = move || {
        batv::sign_many_with(engine, &of, black_box(&plain), Form::Prefix, black_box(day), |_, signed| {
            let _ = black_box(signed);
        });
    };
    operations.push((format!("sign-many{name}"), count, Box::new(sign)));
    let of = ring();
    let verify = move || {
        batv::verify_many_with(engine, &of, black_box(&signed), black_box(day), |_, verdict| {
            let _ = black_box(verdict);
        });
    };
    operations.push((format!("verify-many{name}"), count, Box::new(verify)));
}

/// An address of this length that begins with its number.
fn varied(number: u32, length: usize) -> Vec<u8> {
    let mut address = address(length);
    address[..4].copy_from_slice(format!("{number:04}").as_bytes());
    address
}

fn leaked(address: Vec<u8>) -> &'static [u8] {
    Box::leak(address.into_boxed_slice())
}
