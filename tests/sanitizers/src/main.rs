//! Many addresses at once, for tools that look for reads and writes out of bounds: each engine that there is, or those that
//! are named, over addresses of every length, each of which stands alone on the heap. Run by `tests/sanitizers/run`.
//!
//! Whatever an engine says of an address must be what is said of it alone; `tests/bulk.rs` asks for more, and compiles too
//! much for Miri. Prints a line for each engine, and ends with 1 if one that is named is not there.

use std::process::ExitCode;

use backstop::bulk::Engine;
use backstop::{Day, Form, KeyRing, Signed, batv};

const RINGS: [&str; 3] = [
    "prvs 0 sha1 7 - - * text:secret",
    "prvs 4 sha256 10 - - * text:secret",
    "bst1 k sha256 10 - - *.example text:one\nprvs 4 sha1 10 - - *.example text:two\nprvs 5 sha256 9 - - *.net text:three",
];

/// An address of about so many octets, half of them before the `@`.
fn of_length(length: usize) -> Box<[u8]> {
    let local = "Abcdefghijklmnopqrstuvwxyz.0123456789-abcdefghijklmnopqr";
    let domain = format!("{}{}", "a-label.".repeat(20), ["example", "net"][length % 2]);
    let local = &local[..local.len().min(length / 2)];
    let domain = &domain[domain.len() - length.saturating_sub(local.len() + 1).min(domain.len())..];
    [local, "@", domain.trim_start_matches(['.', '-'])].concat().into_bytes().into()
}

fn agree(engine: Engine, ring: &KeyRing, addresses: &[Box<[u8]>], form: Form, day: Day) -> usize {
    let addresses: Vec<&[u8]> = addresses.iter().map(|address| &**address).collect();
    let mut tagged = 0;
    batv::sign_many_with(engine, ring, &addresses, form, day, |number, signed| {
        assert_eq!(signed, batv::sign(ring, addresses[number], form, day).as_ref().map_err(Clone::clone), "{number}");
        tagged += usize::from(matches!(signed, Ok(Signed::Done(_))));
    });
    batv::verify_many_with(engine, ring, &addresses, day, |number, verdict| {
        let alone = batv::verify(ring, addresses[number], day);
        assert_eq!(verdict, alone.as_ref().map_err(Clone::clone), "{number}");
        tagged += usize::from(verdict.is_ok_and(|verdict| verdict.proof().is_some()));
    });
    tagged
}

/// Over every `step`-th length.
fn run(engine: Engine, step: usize, forms: &[Form]) -> usize {
    let day = Day::parse("2026-11-21").expect("a date");
    let mut tagged = 0;
    for text in RINGS {
        let ring = KeyRing::parse(format!("version 1\n{text}\n").as_bytes()).expect("a ring");
        let mut plain: Vec<Box<[u8]>> = (0..200).step_by(step).map(of_length).collect();
        let count = plain.len();
        plain[count / 2] = (*b"no address").into();
        plain[count / 3] = "\"a b\"@b\u{fc}cher.example".as_bytes().into();
        for &form in forms {
            let signed = |address: &[u8]| match batv::sign(&ring, address, form, day) {
                Ok(Signed::Done(signed)) => signed.as_bytes().into(),
                _ => address.into(),
            };
            let mut recipients: Vec<Box<[u8]>> = plain.iter().map(|address| signed(address)).collect();
            recipients[count - 1].make_ascii_uppercase();
            tagged += agree(engine, &ring, &plain, form, day) + agree(engine, &ring, &recipients, form, day);
        }
    }
    tagged
}

fn main() -> ExitCode {
    let named: Vec<String> = std::env::args().skip(1).collect();
    for name in Engine::NAMES.into_iter().filter(|name| named.is_empty() || named.iter().any(|it| it == name)) {
        let Some(engine) = Engine::named(name) else {
            if named.is_empty() {
                println!("{name}: not here");
                continue;
            }
            eprintln!("{name}: the processor lacks what it needs");
            return ExitCode::FAILURE;
        };
        // Miri takes milliseconds for a hash.
        let tagged = match cfg!(miri) {
            true => run(engine, 11, &[Form::Prefix]),
            false => run(engine, 1, &[Form::Prefix, Form::Subaddress]),
        };
        assert!(tagged > 20, "nearly nothing was signed: {tagged}");
        println!("{name}: {tagged} tags made or verified");
    }
    ExitCode::SUCCESS
}
