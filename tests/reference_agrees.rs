//! The library beside the slow second implementation of `reference/mod.rs`, over random ordinary addresses.
//!
//! Ordinary: an unquoted local part, a domain of labels. Keys have no dates, since the reference knows none. Each format
//! is made by both and compared octet for octet, then judged by both at a random age, as it is and changed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]
#![allow(clippy::expect_used, unreachable_pub, reason = "the reference stands in a module of its own")]

mod reference;

use backstop::mark::{self, Marked};
use backstop::srs::{self, Dialect, OverLong};
use backstop::{Day, Domains, Form, KeyRing, Path, Verdict, batv};
use proptest::prelude::*;
use reference::Outcome;

/// Signing days: from 2008 to 2059, past many wraps of the day numbers.
const DAYS: std::ops::Range<u32> = 14_000..32_700;

fn address(most: usize) -> impl Strategy<Value = String> {
    let local = prop::string::string_regex(&format!("[A-Za-z0-9._+=!#$%&'*/?^`{{|}}~-]{{1,{most}}}")).unwrap();
    (local, "([A-Za-z0-9]([A-Za-z0-9-]{0,6}[A-Za-z0-9])?\\.){1,3}[a-z]{2,5}")
        .prop_map(|(local, domain)| format!("{local}@{domain}"))
        .prop_filter("neither tagged nor rewritten", |address| {
            let start = address.to_ascii_lowercase();
            !["prvs=", "bst1=", "btv1=", "msprvs1=", "ses=", "srs"].iter().any(|head| start.starts_with(head))
                && !start.contains("+prvs=")
        })
}

fn secret() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..100)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn ring(usage: &str, id: char, mac: &str, days: i64, secret: &[u8]) -> KeyRing {
    let ring = format!("version 1\n{usage} {id} {mac} {days} - - * hex:{}\n", hex(secret));
    KeyRing::parse(ring.as_bytes()).unwrap()
}

fn day(number: i64) -> Day {
    Day::from_number(u32::try_from(number).unwrap()).unwrap()
}

/// Changes one octet of the local part: another character or the other case.
fn changed(address: &str, place: usize, to: Option<char>) -> String {
    let mut octets = address.as_bytes().to_vec();
    let at = place % address.rfind('@').unwrap();
    match to {
        Some(to) => octets[at] = u8::try_from(to).unwrap(),
        None if octets[at].is_ascii_alphabetic() => octets[at] ^= 0x20,
        None => {}
    }
    String::from_utf8(octets).unwrap()
}

fn change() -> impl Strategy<Value = (usize, Option<char>)> {
    (any::<usize>(), prop::option::of(prop::sample::select("abcdef0123456789=+-ABC".chars().collect::<Vec<_>>())))
}

/// The verdict in the words of the reference.
fn outcome(verdict: &Verdict<'_>) -> Outcome {
    match verdict {
        Verdict::Genuine(proof) => Outcome::Genuine {
            mailbox: proof.mailbox.to_string(),
            signed: proof.signed.unwrap().number().into(),
            expires: proof.expires.unwrap().number().into(),
        },
        Verdict::Expired(proof, _) => Outcome::Expired { mailbox: proof.mailbox.to_string() },
        Verdict::Forged { .. } => Outcome::Forged,
        _ => Outcome::NotATag,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn prvs_agrees(
        address in address(48), secret in secret(), sha256 in any::<bool>(), key in prop::char::range('0', '9'),
        days in 1..=99_i64, signed in DAYS, age in -1..2100_i64, (place, to) in change(),
    ) {
        let ring = ring("prvs", key, if sha256 { "sha256" } else { "sha1" }, days, &secret);
        let signed = i64::from(signed);
        let make = if sha256 { reference::prvs_sha256 } else { reference::prvs_sha1 };
        let expected = make(&secret, key, days, &address, signed);
        let made = batv::sign(&ring, address.as_bytes(), Form::Prefix, day(signed)).unwrap();
        prop_assert_eq!(made.address().unwrap().to_string(), expected.clone());

        let (local, domain) = address.rsplit_once('@').unwrap();
        let subaddress = batv::sign(&ring, address.as_bytes(), Form::Subaddress, day(signed)).unwrap();
        let value = &expected["prvs=".len()..][..10];
        prop_assert_eq!(subaddress.address().unwrap().to_string(), format!("{local}+prvs={value}@{domain}"));

        let subaddress = subaddress.address().unwrap().to_string();
        for tagged in [changed(&expected, place, to), changed(&subaddress, place, to), subaddress, expected] {
            let today = signed + age;
            let ours = batv::verify(&ring, tagged.as_bytes(), day(today)).unwrap();
            let theirs = reference::prvs_verify(sha256, &secret, key, days, &tagged, today);
            prop_assert_eq!(outcome(&ours), theirs, "{}", tagged);
        }
    }

    #[test]
    fn bst1_agrees(
        address in address(10), secret in secret(), id in "[a-z2-7]",
        days in 1..=99_i64, signed in DAYS, age in -3..150_i64, (place, to) in change(),
    ) {
        let id = id.chars().next().unwrap();
        let ring = ring("bst1", id, "sha256", days, &secret);
        let signed = i64::from(signed);
        let expected = reference::bst1(&secret, id, &address, signed);
        let made = batv::sign(&ring, address.as_bytes(), Form::Prefix, day(signed)).unwrap();
        let (local, domain) = address.rsplit_once('@').unwrap();
        if 23 + local.len() + 14 + domain.len() <= 64 {
            prop_assert_eq!(made.address().unwrap().to_string(), expected.clone());
        } else {
            prop_assert_eq!(made.reason().unwrap().slug(), "too-long");
        }
        for tagged in [changed(&expected, place, to), expected] {
            let ours = batv::verify(&ring, tagged.as_bytes(), day(signed + age)).unwrap();
            let theirs = reference::bst1_verify(&secret, id, days, &tagged, signed + age);
            prop_assert_eq!(outcome(&ours), theirs, "{}", tagged);
        }
    }

    #[test]
    fn srs_agrees_over_three_hops(
        sender in address(64), secret in secret(), separator in prop::sample::select(vec!['=', '+', '-']),
        length in 1..=27_usize, days in 1..=500_i64, signed in DAYS, age in -3..1030_i64, (place, to) in change(),
    ) {
        let ring = ring("srs", '0', "sha1", days, &secret);
        let dialect = Dialect::CLASSIC.with_separator(separator).unwrap().with_hash(length, length).unwrap();
        let dialect = dialect.with_over_long(OverLong::Emit);
        let signed = i64::from(signed);
        let mut sender = sender;
        for forwarder in ["one.example.net", "Two.example.net", "three.example.net"] {
            let own = Domains::parse(forwarder).unwrap();
            let expected = reference::srs_forward(&secret, separator, length, &sender, forwarder, signed);
            let made = srs::forward(&ring, sender.as_bytes(), forwarder, &own, &dialect, day(signed)).unwrap();
            if expected.len() > backstop::MAX_ADDRESS {
                prop_assert_eq!(made.reason().unwrap().slug(), "too-long");
                break;
            }
            prop_assert_eq!(made.address().unwrap().to_string(), expected.clone());
            for address in [changed(&expected, place, to), expected.clone()] {
                let ours = match srs::reverse(&ring, address.as_bytes(), &own, &dialect, day(signed + age)) {
                    Ok(Verdict::Genuine(proof)) => Some(proof.mailbox.to_string()),
                    _ => None,
                };
                let theirs = reference::srs_reverse(&[&secret], length, days, &address, signed + age);
                // The reference takes whatever the hash covers for an address.
                let theirs = theirs.filter(|theirs| Path::parse_tagged(theirs.as_bytes()).is_ok());
                prop_assert_eq!(ours, theirs, "{}", address);
            }
            sender = expected;
        }
    }

    #[test]
    fn marks_agree(
        from in address(64), secret in secret(), id in "[a-z2-7]", nonce in any::<[u8; 8]>(),
        left in "[A-Za-z0-9._+=-]{1,60}", signed in DAYS,
    ) {
        let id = id.chars().next().unwrap();
        let ring = ring("mark", id, "sha256", 14, &secret);
        let today = day(signed.into());
        let Marked::Done(header) = mark::make_header(&ring, from.as_bytes(), nonce, today).unwrap() else { panic!() };
        let shown = header.split("n=").nth(1).unwrap().get(..13).unwrap();
        prop_assert_eq!(&header, &reference::mark_header(&secret, id, &from, shown, signed.into()));
        prop_assert_eq!(mark::verify_header(&ring, header.as_bytes(), from.as_bytes(), today).unwrap().slug(), "genuine");

        let domain = from.rsplit('@').next().unwrap();
        let made = mark::make_message_id(&ring, &left, domain, from.as_bytes(), today).unwrap();
        let expected = reference::mark_message_id(&secret, id, &left, domain, &from, signed.into());
        prop_assert_eq!(made, Marked::Done(expected.clone()));
        let verdict = mark::verify_message_id(&ring, expected.as_bytes(), from.as_bytes(), today).unwrap();
        prop_assert_eq!(verdict.slug(), "genuine");
    }
}
