//! Many addresses in one call: each engine says of each address exactly what `sign` and `verify` say of it alone.
//!
//! An engine that this processor lacks is named and skipped; the plain one is always there.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

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
        "prvs 0 sha1 7 - - * text:one\nprvs 1 sha1 7 - - *.example text:two",
        "prvs 0 sha1 7 - 2026-11-20 * text:old\nprvs 1 sha1 7 2026-11-22 - * text:new",
    ];
    rings.iter().map(|text| KeyRing::parse(format!("version 1\n{text}\n").as_bytes()).unwrap()).collect()
}

/// What addresses are not compared by.
fn parts(signed: &Signed) -> Option<(&[u8], &[u8])> {
    signed.address().map(|address| (address.mailbox().local(), address.mailbox().domain()))
}

#[track_caller]
fn all_agree(ring: &KeyRing, addresses: &[Vec<u8>], form: Form, day: Day) {
    let addresses: Vec<&[u8]> = addresses.iter().map(Vec::as_slice).collect();
    for (name, engine) in engines() {
        let mut next = 0;
        batv::sign_many_with(engine, ring, &addresses, form, day, |number, result| {
            assert_eq!(number, next, "{name}");
            let alone = batv::sign(ring, addresses[number], form, day);
            assert_eq!(result, alone.as_ref().map_err(Clone::clone), "{name} {number}");
            assert_eq!(result.ok().and_then(parts), alone.as_ref().ok().and_then(parts), "{name} {number}");
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
        2 => "[A-Za-z0-9+=_/-]{1,80}",
        1 => "\"([a-zA-Z @.]|\\\\[ -~]){0,30}\"",
        1 => "(prvs|bst1|btv1|SRS0)=[0-9a-z=/]{0,30}",
        1 => "[Ss][Rr][Ss][012][-+=/][0-9a-z./-]{0,30}",
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

/// The address of exactly this many octets that a number makes, of letters, digits and dots.
fn of_length(length: usize, number: usize) -> Vec<u8> {
    let local = format!("{number}.abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz");
    let domain = format!("@{}example", "a-label.".repeat(32));
    let local = &local[..local.len().min(length / 2).min(64)];
    let domain = format!("@{}", &domain[domain.len() - (length - local.len()).saturating_sub(1).min(domain.len())..]);
    [local.as_bytes(), domain.as_bytes()].concat()
}

#[test]
fn no_size_of_a_batch_loses_or_changes_anything() {
    let day = Day::parse(DAY).unwrap();
    for ring in rings() {
        for size in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 128, 1000] {
            let addresses: Vec<Vec<u8>> = (0..size).map(|number| of_length(20 + number % 25, number)).collect();
            all_agree(&ring, &addresses, Form::Prefix, day);
            let tagged: Vec<_> = addresses.iter().map(|address| altered(&ring, address, 0, day)).collect();
            all_agree(&ring, &tagged, Form::Prefix, day);
        }
    }
}

#[test]
fn addresses_of_every_length_agree_beside_each_other() {
    let day = Day::parse(DAY).unwrap();
    for ring in rings() {
        let addresses: Vec<Vec<u8>> = (0..260).map(|length| of_length(length, length)).collect();
        let tagged: Vec<_> = addresses.iter().map(|address| altered(&ring, address, 0, day)).collect();
        assert!(ring.keys().len() > 1 || tagged.iter().zip(&addresses).any(|(tagged, plain)| tagged != plain));
        all_agree(&ring, &addresses, Form::Prefix, day);
        all_agree(&ring, &tagged, Form::Prefix, day);
    }
}

#[test]
fn a_local_part_with_no_room_for_a_tag_is_left_as_it_is() {
    let day = Day::parse(DAY).unwrap();
    for ring in rings() {
        let addresses: Vec<Vec<u8>> = (40..=70).map(|local| [&[b'a'; 70][..local], b"@b"].concat()).collect();
        all_agree(&ring, &addresses, Form::Prefix, day);
    }
}

#[test]
fn one_bad_address_changes_nothing_beside_it() {
    let (ring, day) = (&rings()[0], Day::parse(DAY).unwrap());
    let good: Vec<Vec<u8>> = (0..40).map(|number| of_length(37, 100 + number)).collect();
    for bad in [&b"no address"[..], b"", b"a@b@c", b"\"@example.com", &[0xff; 300]] {
        for place in 0..good.len() {
            let mut addresses = good.clone();
            addresses[place] = bad.to_vec();
            all_agree(ring, &addresses, Form::Prefix, day);
        }
    }
}

#[test]
fn every_octet_at_every_place_is_read_alike() {
    let (ring, day) = (&rings()[0], Day::parse(DAY).unwrap());
    for (local, domain) in [("a", "b"), ("a.b", "c.example"), ("prvs=0123abcdef=user", "mail.example.com")] {
        let address = format!("{local}@{domain}").into_bytes();
        for place in 0..address.len() {
            let addresses: Vec<Vec<u8>> = (0..=255)
                .map(|octet| {
                    let mut address = address.clone();
                    address[place] = octet;
                    address
                })
                .collect();
            all_agree(ring, &addresses, Form::Prefix, day);
        }
    }
}

#[test]
fn every_verdict_comes_out_of_a_batch() {
    let day = Day::parse(DAY).unwrap();
    let ring = KeyRing::parse(b"version 1\nprvs 0 sha1 7 2026-11-01 - * text:secret\n").unwrap();
    let sign = |day: Day| {
        altered(&KeyRing::parse(b"version 1\nprvs 0 sha1 7 - - * text:secret\n").unwrap(), b"user@example.com", 0, day)
    };
    let genuine = sign(day);
    let mut forged = genuine.clone();
    forged[9] ^= 1;
    let unknown = [b"prvs=9", &genuine[6..]].concat();
    let before = Day::parse("2026-10-30").unwrap();
    let kinds = [
        ("genuine", genuine),
        ("forged", forged),
        ("unknown-key", unknown),
        ("expired", sign(day.minus(15))),
        ("malformed", b"prvs=nothing@example.com".to_vec()),
        ("foreign", b"btv1==123456789ab==user@example.com".to_vec()),
        ("untagged", b"user@example.com".to_vec()),
    ];
    let recipients: Vec<&[u8]> = kinds.iter().map(|(_, recipient)| recipient.as_slice()).collect();
    for (name, engine) in engines() {
        let mut slugs = Vec::new();
        batv::verify_many_with(engine, &ring, &recipients, day, |_, verdict| slugs.push(verdict.unwrap().slug()));
        assert_eq!(slugs, kinds.each_ref().map(|(slug, _)| *slug), "{name}");
        let (mut window, recipient) = (None, sign(before));
        batv::verify_many_with(engine, &ring, &[recipient.as_slice(); 4], before, |_, verdict| {
            window = verdict.unwrap().reason();
        });
        assert_eq!(window, Some("window"), "{name}");
    }
}

#[test]
fn the_best_engine_is_one_of_those_by_name() {
    assert!(Engine::named("plain").is_some());
    assert!(Engine::named("").is_none() && Engine::named("sse").is_none());
    let best = format!("{:?}", Engine::best());
    let first = engines().next().map(|(_, engine)| format!("{engine:?}")).unwrap();
    // The widest engine hashes SHA-1, whatever is best for SHA-256.
    assert_eq!(best.split(',').next(), first.split(',').next());
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
