//! Signing and stripping, where the vectors and the verdicts say nothing: why a sender is not signed, which keys' days a
//! number may stand for, what is left in quotes, and the parts of what was made.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use backstop::{Day, Form, KeyRing, Lapse, Path, Unsigned, Verdict, batv};

fn ring(lines: &str) -> KeyRing {
    KeyRing::parse(format!("version 1\n{lines}").as_bytes()).unwrap()
}

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

/// Why a sender is not signed on 2026-11-21.
fn reason(ring: &KeyRing, sender: &str, form: Form) -> Unsigned {
    batv::sign(ring, sender.as_bytes(), form, day("2026-11-21")).unwrap().reason().unwrap()
}

#[test]
fn the_reason_is_that_of_the_key_which_came_nearest_to_signing() {
    let long = format!("{}@example.com", "a".repeat(64));
    let later = "prvs 0 sha1 7 2027-01-01 - example.com text:secret\n";
    let bst1 = "bst1 b sha256 7 - - example.com text:other\n";
    for (lines, sender, form, expected) in [
        (later.to_owned(), "user@example.com", Form::Prefix, Unsigned::NoKey),
        (later.to_owned(), "user@example.com", Form::Subaddress, Unsigned::NoKey),
        (later.to_owned(), "user@example.org", Form::Prefix, Unsigned::NotOwn),
        // Of bst1 there is a key, and no room; that prvs has no key of the day is not what hinders.
        (format!("{later}{bst1}"), long.as_str(), Form::Prefix, Unsigned::TooLong),
        (format!("{later}{bst1}"), long.as_str(), Form::Subaddress, Unsigned::NoKey),
        (bst1.to_owned(), "user@example.com", Form::Subaddress, Unsigned::NotOwn),
        (bst1.to_owned(), long.as_str(), Form::Prefix, Unsigned::TooLong),
    ] {
        assert_eq!(reason(&ring(&lines), sender, form), expected, "{lines}{sender} {form:?}");
    }
}

#[test]
fn an_srs_address_is_left_as_it_is_however_it_is_written_and_however_many_there_are() {
    let ring = ring("prvs 0 sha1 7 - - * text:secret\n");
    for local in ["SRS0-abc", "srs1-abc.d", "SRS0-a/b", "SRS0+abc", "sRs0=abc", "SRS0-"] {
        for sender in [format!("{local}@example.com"), format!("<{local}@example.com>")] {
            assert_eq!(reason(&ring, &sender, Form::Prefix), Unsigned::Already, "{sender}");
            batv::sign_many(&ring, &[sender.as_bytes(); 40], Form::Prefix, day("2026-11-21"), |number, signed| {
                assert_eq!(signed.unwrap().reason(), Some(Unsigned::Already), "{sender} {number}");
            });
        }
    }
    for local in ["SRS2-abc", "SRS0.abc", "SRS0", "aSRS0-abc"] {
        let sender = format!("{local}@example.com");
        assert!(batv::sign(&ring, sender.as_bytes(), Form::Prefix, day("2026-11-21")).unwrap().address().is_some());
    }
}

#[test]
fn on_a_day_that_bst1_cannot_hold_it_has_no_key_and_prvs_signs() {
    let (bst1, prvs) = ("bst1 k sha256 10 - - * text:one\n", "prvs 0 sha1 7 - - * text:two\n");
    let signed = |lines: &str, at| batv::sign(&ring(lines), b"a@example.com", Form::Prefix, day(at)).unwrap();
    assert!(signed(bst1, "2059-09-18").address().is_some());
    assert_eq!(signed(bst1, "2059-09-19").reason(), Some(Unsigned::NoKey));
    assert!(signed(&[bst1, prvs].concat(), "2059-09-19").address().unwrap().as_bytes().starts_with(b"prvs="));
}

#[test]
fn a_tag_of_no_key_is_covered_only_if_a_key_signed_on_each_day_it_may_mean() {
    // Day 20778 is 2026-11-21. Number 780 is two days on: signed 97 days ago, on 2026-08-16, to tomorrow.
    for (from, until, expected) in [
        ("-", "-", true),
        ("2026-08-16", "-", true),
        ("2026-08-17", "-", false),
        ("-", "2026-11-22", true),
        ("-", "2026-11-21", false),
    ] {
        let ring = ring(&format!("prvs 1 sha1 2 {from} {until} * text:a\nprvs 2 sha1 9 {from} {until} * text:b\n"));
        match batv::verify(&ring, b"prvs=9780000000=user@example.com", day("2026-11-21")).unwrap() {
            Verdict::UnknownKey { covered, .. } => assert_eq!(covered, expected, "{from} {until}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_tag_of_no_key_is_not_covered_if_it_may_be_of_a_day_on_which_no_key_of_the_ring_signed() {
    // The third key is that of another host, on the three days that the ring lacks.
    let gap = "prvs 1 sha256 5 - 2026-06-10 * text:first\nprvs 2 sha256 20 2026-06-14 - * text:second\n";
    let third = "prvs 3 sha256 10 2026-06-11 2026-06-13 * text:third\n";
    // One of a longer life than any that the ring has, from before the ring.
    let young = "prvs 2 sha256 10 2026-06-02 - * text:second\n";
    let longer = "prvs 3 sha256 30 - 2026-06-01 * text:third\n";
    for (ours, lacking, signed, today) in
        [(gap, third, "2026-06-12", "2026-06-18"), (young, longer, "2026-05-31", "2026-06-25")]
    {
        let theirs = ring(lacking);
        let sender = batv::sign(&theirs, b"alice@example.com", Form::Prefix, day(signed)).unwrap();
        let sender = sender.address().unwrap().as_bytes();
        assert!(matches!(batv::verify(&theirs, sender, day(today)), Ok(Verdict::Genuine(_))));
        match batv::verify(&ring(ours), sender, day(today)).unwrap() {
            Verdict::UnknownKey { covered, .. } => assert!(!covered, "{lacking}"),
            other => panic!("{other:?}"),
        }
    }
    // Where another key closes the gap, and no key is older than the tag may be, it is covered.
    let whole = ring("prvs 1 sha256 5 - 2026-06-11 * text:a\nprvs 2 sha256 20 2026-06-12 - * text:b\n");
    let verdict = batv::verify(&whole, b"prvs=3624000000=alice@example.com", day("2026-06-18")).unwrap();
    assert!(matches!(verdict, Verdict::UnknownKey { covered: true, .. }), "{verdict:?}");
}

#[test]
fn a_number_further_ahead_than_the_keys_live_is_covered_if_the_ring_signed_on_each_day_of_a_longer_life() {
    // The last day of such a tag is 60 days ahead, so that it was signed from 39 days ago, by a key of 99 days, to tomorrow.
    for (from, until, ahead, expected) in [
        ("-", "-", 60, true),
        ("2026-10-13", "-", 60, true),
        ("2026-10-14", "-", 60, false),
        ("2026-10-13", "2026-11-22", 60, true),
        ("2026-10-13", "2026-11-21", 60, false),
        ("-", "2026-11-21", 100, false),
        ("2026-11-22", "-", 100, true),
        ("2026-10-13", "-", 12, false),
        ("2026-08-26", "-", 12, true),
    ] {
        for key in [4, 9] {
            let ring = ring(&format!("prvs 4 sha256 10 {from} {until} * text:a\n"));
            let recipient = format!("alice+prvs={key}{:03}abcdef@example.com", (20_778 + ahead) % 1000);
            match batv::verify(&ring, recipient.as_bytes(), day("2026-11-21")).unwrap() {
                Verdict::UnknownKey { covered, .. } => assert_eq!(covered, expected, "{from} {until} {ahead} {key}"),
                other => assert!(key == 4 && matches!(other, Verdict::Forged { .. }), "{other:?}"),
            }
        }
    }
}

#[test]
fn quotes_count_in_the_sixty_four_octets_under_a_tag() {
    let tagged = |length: usize| format!("\"prvs=0785000000={}\"@example.com", "a".repeat(length));
    assert!(batv::strip(tagged(62).as_bytes()).unwrap().is_some());
    assert!(batv::strip(tagged(63).as_bytes()).is_err());
}

#[test]
fn what_was_signed_knows_where_its_local_part_ends() {
    let ring = ring("prvs 0 sha1 7 - - * text:secret\n");
    for (sender, form, local) in [
        ("user@example.com", Form::Prefix, "prvs=07853508f8=user"),
        ("user@example.com", Form::Subaddress, "user+prvs=07853508f8"),
    ] {
        let signed = batv::sign(&ring, sender.as_bytes(), form, day("2026-11-21")).unwrap();
        let address = signed.address().unwrap();
        assert_eq!((address.mailbox().local(), address.mailbox().domain()), (local.as_bytes(), &b"example.com"[..]));
        let Ok(Path::Mailbox(parsed)) = Path::parse(address.as_bytes()) else { panic!("{address}") };
        assert_eq!(address.mailbox(), parsed);
    }
}

#[test]
fn a_tag_that_came_off_has_a_word() {
    for (address, word) in [
        ("prvs=0785000000=user@example.com", "prvs"),
        ("user+prvs=0785000000@example.com", "prvs"),
        ("bst1=kabcdefghijklmnop=user@example.com", "bst1"),
        ("btv1==123456789ab==user@example.com", "btv1"),
    ] {
        let found = batv::strip(address.as_bytes()).unwrap();
        assert_eq!(found.map(|(tag, rest)| (tag.slug(), rest.to_string())), Some((word, "user@example.com".into())));
    }
}

#[test]
fn a_bare_address_has_neither_brackets_nor_route() {
    for (address, bare) in [
        ("<user@example.com>", "user@example.com"),
        ("<@a.example:user@example.com>", "user@example.com"),
        ("user@example.com", "user@example.com"),
        ("<Postmaster>", "Postmaster"),
        ("postmaster", "postmaster"),
        ("<>", "<>"),
        ("<no address>", "<no address>"),
        ("no address", "no address"),
    ] {
        assert_eq!(batv::bare(address.as_bytes()), bare.as_bytes());
    }
}

#[test]
fn every_word_of_a_verdict_has_a_sentence() {
    let ring = ring("prvs 0 sha1 7 - - example.com text:secret\n");
    let mut sentences = Vec::new();
    for recipient in [
        "user@example.com",
        "prvs=07853508f8=user@example.com",
        "prvs=07853508f9=user@example.com",
        "prvs=17853508f8=user@example.com",
        "prvs=x=user@example.com",
        "btv1==123456789ab==user@example.com",
    ] {
        let verdict = batv::verify(&ring, recipient.as_bytes(), day("2026-11-21")).unwrap();
        sentences.push(verdict.sentence());
        match verdict {
            Verdict::Malformed(malformed) => sentences.push(malformed.sentence()),
            Verdict::Foreign(foreign) => sentences.push(foreign.sentence()),
            _ => {}
        }
    }
    use Unsigned::{Already, NoKey, NotOwn, Null, OwnDomain, Shape, TooLong};
    for unsigned in [Null, Already, NotOwn, NoKey, TooLong, OwnDomain, Shape] {
        sentences.push(unsigned.sentence());
        assert_eq!(unsigned.to_string(), unsigned.slug());
    }
    sentences.extend([Lapse::Lifetime.sentence(), Lapse::Window.sentence()]);
    assert!(sentences.iter().all(|sentence| sentence.len() > 20 && sentence.ends_with('.')), "{sentences:?}");
}
