//! Whom a report names as the reflector, and how it says why the mail is known to be forged.

#![cfg(feature = "bounce")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use backstop::bounce::report::{self, Letter};
use backstop::bounce::{self, Envelope, Inspection, Verdict};
use backstop::policy::Policy;
use backstop::{Day, Domains, KeyRing};

fn policy() -> Policy {
    let own = Policy::new(Domains::parse("example.com,mx.own.example").unwrap());
    own.with_own_relays(["in.relay.example", "203.0.113.5"])
}

/// A bounce of a host of this name, with a tag that was not made here.
fn judged(reporting: &str, received: &str) -> (String, Inspection) {
    let message = format!("{received}From: MAILER-DAEMON@{reporting}\nSubject: Delivery failure\n\nno such user\n");
    let ring = KeyRing::parse(b"version 1\nprvs 4 sha256 10 - - * text:secret\n").unwrap();
    let envelope = Envelope { sender: Some(b"<>"), recipient: Some(b"prvs=4788000000=alice@example.com") };
    let seen = bounce::inspect(message.as_bytes(), &envelope, &ring, &policy(), Day::parse("2026-11-22").unwrap());
    assert_eq!(seen.verdict, Verdict::Forged);
    (message, seen)
}

#[test]
fn the_reflector_is_who_first_handed_the_message_over_from_outside() {
    let outside = "Received: from mx.b.example (mx.b.example [198.51.100.17]) by in.relay.example\n";
    let by_name = "Received: from in.relay.example ([192.0.2.1]) by mail.example.com\n";
    let by_address = "Received: from gate.example ([203.0.113.5]) by mail.example.com\n";
    let private = "Received: from gate.example ([10.0.0.1]) by mail.example.com\n";
    for (reporting, received, host, client, is_own) in [
        ("mx.b.example", outside.to_owned(), Some("mx.b.example"), Some("198.51.100.17"), false),
        (
            "mx.b.example",
            [by_name, by_address, private, outside].concat(),
            Some("mx.b.example"),
            Some("198.51.100.17"),
            false,
        ),
        ("mx.c.example", outside.to_owned(), None, Some("198.51.100.17"), false),
        ("mx.b.example", private.to_owned(), Some("mx.b.example"), None, false),
        ("in.relay.example", outside.to_owned(), None, Some("198.51.100.17"), true),
        ("mx.own.example", outside.to_owned(), None, Some("198.51.100.17"), true),
    ] {
        let (message, seen) = judged(reporting, &received);
        let it = report::reflector(message.as_bytes(), &seen, &policy());
        let client = client.map(|ip| ip.parse().unwrap());
        assert_eq!((it.host.as_deref(), it.client, it.is_own), (host, client, is_own), "{reporting} {received}");
    }
}

#[test]
fn a_report_of_a_forged_tag_says_so_and_names_what_is_known_of_its_arrival() {
    let (message, seen) = judged("mx.b.example", "");
    let arrival = Some("Fri, 20 Nov 2026 10:00:00 +0000");
    for (sender, expected) in [
        (Some(&b"<>"[..]), Some("Original-Mail-From: <>\n")),
        (Some(b"bounces@b.example"), Some("Original-Mail-From: <bounces@b.example>\n")),
        (Some(b"no address"), None),
        (None, None),
    ] {
        let letter = Letter {
            from: "a@example.com",
            to: "postmaster@b.example",
            date: "x",
            arrival: arrival.filter(|_| sender.is_some()),
            sender,
            client: None,
        };
        let arf = report::arf(message.as_bytes(), &seen, &letter, &policy()).unwrap();
        assert_eq!(arf.contains("Original-Mail-From"), expected.is_some(), "{arf}");
        assert!(arf.contains(expected.unwrap_or_default()), "{arf}");
        assert!(arf.contains("It carries a signature in our name"), "{arf}");
        assert!(
            arf.contains("It bounces mail that we did not send.") && arf.contains("\n  Subject: Delivery"),
            "{arf}"
        );
        assert_eq!(arf.contains("below on Fri, 20 Nov 2026 10:00:00 +0000.\n"), sender.is_some(), "{arf}");
        assert_eq!(arf.contains("\nArrival-Date: Fri, 20 Nov 2026 10:00:00 +0000\n"), sender.is_some(), "{arf}");
    }
}
