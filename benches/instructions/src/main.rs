//! Does one operation CALLS times, for `benches/instructions/run`, which counts the instructions inside `counted` alone.

use std::hint::black_box;

use backstop::bounce::{self, Envelope};
use backstop::policy::Policy;
use backstop::srs::{self, Dialect};
use backstop::{Day, Domains, Form, KeyRing, batv};

/// The count is divided by as many.
const CALLS: usize = 100;

const RING: &[u8] = b"version 1
prvs 0 sha1 7 2026-11-01 - * text:the key of the counts
prvs 1 sha1 7 2026-10-01 - * text:an older key of the counts
srs 0 sha1 21 2026-11-01 - * text:the srs key of the counts
";
const SENDER: &[u8] = b"firstname.lastname@mail.example.com";

#[unsafe(no_mangle)]
#[inline(never)]
fn counted(operation: &dyn Fn()) {
    for _ in 0..CALLS {
        operation();
    }
}

fn main() {
    let ring = KeyRing::parse(RING).expect("a ring");
    let day = Day::parse("2026-11-21").expect("a date");
    let own = Domains::parse("fwd.example.net").expect("a domain");
    let octets = |signed: &backstop::Signed| signed.address().expect("signed").as_bytes().to_vec();
    let signed = octets(&batv::sign(&ring, SENDER, Form::Prefix, day).expect("an address"));
    let forwarded = srs::forward(&ring, SENDER, "fwd.example.net", &own, &Dialect::CLASSIC, day).expect("an address");
    let forwarded = octets(&forwarded);
    let message = include_bytes!("../../../tests/bounce/exim.eml");
    let policy = Policy::new(Domains::parse("mail.example.com").expect("a domain"));
    let envelope = Envelope { sender: Some(b"<>"), recipient: Some(&signed) };
    let operation: &dyn Fn() = match std::env::args().nth(1).as_deref() {
        Some("sign") => &|| {
            black_box(batv::sign(&ring, black_box(SENDER), Form::Prefix, day)).expect("an address");
        },
        Some("verify") => &|| {
            black_box(batv::verify(&ring, black_box(&signed), day)).expect("an address");
        },
        Some("reverse") => &|| {
            black_box(srs::reverse(&ring, black_box(&forwarded), &own, &Dialect::CLASSIC, day)).expect("an address");
        },
        Some("inspect") => &|| {
            black_box(bounce::inspect(black_box(message), &envelope, &ring, &policy, day));
        },
        _ => panic!("sign, verify, reverse or inspect"),
    };
    // What is made once, such as the tables of the evidence, is made here.
    operation();
    counted(operation);
}
