//! Marks: what proves, and what only looks as if. Hostile rows first.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use backstop::mark::{self, Marked};
use backstop::{Day, KeyRing, Unsigned};

const ALICE: &[u8] = b"alice@example.com";

fn ring() -> KeyRing {
    let text = "version 1\n\
        mark m sha256 14 2026-11-01 2026-12-01 example.com,mail.example.com,example.net text:the key of marks\n\
        mark n sha256 14 - - example.org text:another key of marks\n";
    KeyRing::parse(text.as_bytes()).unwrap()
}

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn today() -> Day {
    day("2026-11-21")
}

fn made(marked: Marked) -> String {
    match marked {
        Marked::Done(text) => text,
        Marked::Unsigned(reason) => panic!("{reason}"),
    }
}

fn header() -> String {
    made(mark::make_header(&ring(), ALICE, *b"12345678", today()).unwrap())
}

fn message_id() -> String {
    made(mark::make_message_id(&ring(), "20261121.7", "mail.example.com", ALICE, today()).unwrap())
}

/// The slug and the reason of a header's verdict.
fn header_is(value: &str, recipient: &[u8], on: Day) -> (&'static str, Option<&'static str>) {
    let verdict = mark::verify_header(&ring(), value.as_bytes(), recipient, on).unwrap();
    (verdict.slug(), verdict.reason())
}

fn id_is(id: &str, recipient: &[u8], on: Day) -> (&'static str, Option<&'static str>) {
    let ring = KeyRing::parse(
        b"version 1\nmark m sha256 14 2026-11-01 2026-12-01 example.com,mail.example.com text:the key of marks\n",
    );
    let verdict = mark::verify_message_id(&ring.unwrap(), id.as_bytes(), recipient, on).unwrap();
    (verdict.slug(), verdict.reason())
}

#[test]
fn a_header_proves_only_its_own_from_in_its_own_days() {
    let value = header();
    let changed = |from: &str, to: &str| {
        assert!(value.contains(from), "{value} has no {from}");
        value.replace(from, to)
    };
    let tag = &value[value.len() - 16..];
    let rows = [
        (changed(tag, "aaaaaaaaaaaaaaaa"), ALICE, "forged", None),
        (changed("i=example.com", "i=example.net"), ALICE, "forged", None),
        (changed("d=20778", "d=20777"), ALICE, "forged", None),
        (changed("n=", "n=a").replacen("n=aa", "n=a", 1), ALICE, "malformed", Some("shape")),
        (value.clone(), b"bob@example.com", "forged", None),
        (value.clone(), b"alice@example.net", "forged", None),
        (changed("k=m", "k=n"), ALICE, "unknown-key", None),
        (changed("d=20778", "d=20700"), ALICE, "unknown-key", None),
        (changed("i=example.com", "i=elsewhere.example"), ALICE, "foreign", Some("other-site")),
        (changed("v=1", "v=2"), ALICE, "malformed", Some("shape")),
        (changed("v=1; ", ""), ALICE, "malformed", Some("shape")),
        (format!("{value}; t=aaaaaaaaaaaaaaaa"), ALICE, "malformed", Some("shape")),
        (changed("d=20778", "d=99999999"), ALICE, "malformed", Some("shape")),
        (changed("d=20778", "d=-20778"), ALICE, "malformed", Some("shape")),
        (changed("k=m", "k=mm"), ALICE, "malformed", Some("shape")),
        (changed(tag, &tag[..15]), ALICE, "malformed", Some("shape")),
        (changed("i=example.com", "i=exa mple.com"), ALICE, "malformed", Some("shape")),
        (format!("{value};{}", "x".repeat(1000)), ALICE, "malformed", Some("shape")),
        (String::new(), ALICE, "malformed", Some("shape")),
        (value.clone(), ALICE, "genuine", None),
        (value.to_uppercase(), ALICE, "genuine", None),
        (value.clone(), b"Alice@Example.COM", "genuine", None),
        (value.clone(), b"\"alice\"@example.com", "genuine", None),
        (value.replace("; ", ";\r\n\t"), ALICE, "genuine", None),
        (format!(" {value}; later=1;"), ALICE, "genuine", None),
    ];
    for (value, recipient, slug, reason) in rows {
        assert_eq!(header_is(&value, recipient, today()), (slug, reason), "{value}");
    }
}

#[test]
fn a_header_lives_from_a_day_before_to_the_days_of_its_key() {
    for (on, slug, reason) in [
        ("2026-11-19", "expired", Some("lifetime")),
        ("2026-11-20", "genuine", None),
        ("2026-12-05", "genuine", None),
        ("2026-12-06", "expired", Some("lifetime")),
    ] {
        assert_eq!(header_is(&header(), ALICE, day(on)), (slug, reason), "{on}");
    }
}

#[test]
fn a_message_id_proves_only_as_a_whole() {
    let id = message_id();
    let changed = |from: &str, to: &str| {
        assert!(id.contains(from), "{id} has no {from}");
        id.replace(from, to)
    };
    let rows = [
        (changed("20261121.7", "20261121.8"), ALICE, "forged", None),
        (changed("@mail.example.com", "@example.com"), ALICE, "forged", None),
        (changed("bsm1-mujk", "bsm1-mujj"), ALICE, "forged", None),
        (id.clone(), b"bob@example.com", "forged", None),
        (changed("bsm1-m", "bsm1-q"), ALICE, "unknown-key", None),
        (changed("@mail.example.com", "@elsewhere.example"), ALICE, "foreign", Some("other-site")),
        (changed("bsm1-mujk", "bsm1-m1jk"), ALICE, "malformed", Some("shape")),
        (changed(".bsm1-", ".bsm2-"), ALICE, "untagged", None),
        (changed("20261121.7.bsm1", ".bsm1"), ALICE, "untagged", None),
        ("<20261121.7@mail.example.com>".into(), ALICE, "untagged", None),
        (String::new(), ALICE, "untagged", None),
        (id.clone(), ALICE, "genuine", None),
        (id.trim_matches(['<', '>']).into(), ALICE, "genuine", None),
        (format!(" {id}\r\n"), ALICE, "genuine", None),
    ];
    for (id, recipient, slug, reason) in rows {
        assert_eq!(id_is(&id, recipient, today()), (slug, reason), "{id}");
    }
    assert_eq!(id_is(&id, ALICE, day("2026-12-06")), ("expired", Some("lifetime")));
}

#[test]
fn no_mark_is_made_where_no_key_signs() {
    for (from, on, reason) in [
        (&b"<>"[..], "2026-11-21", Unsigned::Null),
        (b"postmaster", "2026-11-21", Unsigned::NotOwn),
        (b"alice@elsewhere.example", "2026-11-21", Unsigned::NotOwn),
        (ALICE, "2026-12-02", Unsigned::NoKey),
    ] {
        let header = mark::make_header(&ring(), from, [0; 8], day(on)).unwrap();
        let id = mark::make_message_id(&ring(), "1", "example.com", from, day(on)).unwrap();
        assert_eq!((header, id), (Marked::Unsigned(reason), Marked::Unsigned(reason)));
    }
    let late = mark::make_message_id(&ring(), "1", "example.org", b"a@example.org", day("2059-09-19")).unwrap();
    assert_eq!(late, Marked::Unsigned(Unsigned::NoKey));
    let elsewhere = mark::make_message_id(&ring(), "1", "mx.example.com", ALICE, today()).unwrap();
    assert_eq!(elsewhere, Marked::Unsigned(Unsigned::NotOwn), "verifying would take it for another site's");
    for left in ["", "a b", "a@b", "\u{7f}", &"x".repeat(mark::MAX_LEFT + 1)] {
        assert!(mark::make_message_id(&ring(), left, "example.com", ALICE, today()).is_err(), "{left}");
    }
}

#[test]
fn what_is_longer_than_a_line_is_not_looked_at() {
    let padded = |text: String, length: usize| format!("{text:length$}");
    for (longer, header_slug, id_slug) in [(0, "genuine", "genuine"), (1, "malformed", "untagged")] {
        let length = mark::MAX_MARK + longer;
        assert_eq!(header_is(&padded(header(), length), ALICE, today()).0, header_slug, "{length}");
        assert_eq!(id_is(&padded(message_id(), length), ALICE, today()).0, id_slug, "{length}");
    }
    let longest = "x".repeat(mark::MAX_LEFT);
    assert!(mark::make_message_id(&ring(), &longest, "example.com", ALICE, today()).is_ok());
}

#[test]
fn the_one_address_of_a_from_is_found() {
    for (field, address) in [
        ("alice@example.com", "alice@example.com"),
        (" alice@example.com (Alice, of (the) \\) list)\n", "alice@example.com"),
        ("Alice <alice@example.com>", "alice@example.com"),
        ("\"Alice, <Example> a@b\"\n\t<alice@example.com> (home)", "alice@example.com"),
        ("=?utf-8?q?Zo=C3=AB?= <zoe@example.com>", "zoe@example.com"),
        ("<\"two words\"@example.com>", "\"two words\"@example.com"),
        ("\"Alice \\\"<a@b>\\\" (x\" <alice@example.com>", "alice@example.com"),
        ("alice(x)@example.com", "alice@example.com"),
        ("Alice@example.com <alice@example.com>", "alice@example.com"),
    ] {
        let found = mark::address_of_from(field.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(found).unwrap(), address, "{field}");
    }
}

#[test]
fn a_from_above_the_limit_has_no_address() {
    let address = "alice@example.com";
    let padded = |length: usize| format!("{address}{}", " ".repeat(length - address.len()));
    assert_eq!(mark::address_of_from(padded(mark::MAX_FROM).as_bytes()).as_deref(), Some(address.as_bytes()));
    for above in [1, 2] {
        assert_eq!(mark::address_of_from(padded(mark::MAX_FROM + above).as_bytes()), None);
    }
}

#[test]
fn a_from_with_no_several_or_doubtful_addresses_has_none() {
    for field in [
        "",
        "Alice",
        "<>",
        "alice@example.com, bob@example.com",
        "Alice <alice@example.com>, bob@example.com",
        "bob@example.com <alice@example.com>",
        "alice@example.com Alice <alice@example.com>",
        "<alice@example.com> bob@example.com",
        "<alice@example.com> <bob@example.com>",
        "<alice@example.com> x",
        "Friends: alice@example.com;",
        "undisclosed:;",
        "alice @ example.com",
        "<alice@example.com",
        "alice@example.com>",
        "\"Alice <alice@example.com>",
        "(Alice alice@example.com",
        "alice@example.com)",
        "<@relay.example:alice@example.com>",
        "<<alice@example.com>>",
        "<<alice@example.com>",
        "<alice@example.com>>",
        "alice\\@example.com",
        "a\\lice@example.com",
        "<alice@example.com (\\",
    ] {
        assert_eq!(mark::address_of_from(field.as_bytes()), None, "{field}");
    }
}
