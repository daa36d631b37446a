//! Own mail that leaves without a mark by design is no backscatter when it comes back without one.

#![cfg(feature = "bounce")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use backstop::bounce::{self, Advice, Envelope, Verdict, Why};
use backstop::policy::{Addresses, Mode, Policy};
use backstop::{Day, Domains, KeyRing, mark};

const UNMARKED: Verdict = Verdict::Unproven(Why::MarksNotInForce);

fn policy() -> Policy {
    Policy::new(Domains::parse("example.com").unwrap())
        .with_mode(Mode::Enforce)
        .with_no_sign(Addresses::parse(["list@example.com"]).unwrap())
        .with_marks_since(Day::parse("2026-02-01").unwrap())
}

/// The verdict about a bounce to this recipient, which returns a mail with these fields of From, and what enforce would do.
fn judged(from: &str, recipient: &str) -> (Verdict, Advice) {
    let text = "version 1\nprvs 4 sha256 10 - - * text:the prvs key\nmark m sha256 14 - - * text:the mark key\n";
    let ring = KeyRing::parse(text.as_bytes()).unwrap();
    let message = format!(
        "From: MAILER-DAEMON@mx.b.example\nSubject: failure notice\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nuser unknown\n\n--b\n\
         Content-Type: text/rfc822-headers\n\nReceived: from a.example by mx.b.example; Fri, 20 Nov 2026 10:11:12 +0000\n\
         {from}To: x@b.example\nDate: Fri, 20 Nov 2026 10:11:10 +0000\n\n--b--\n"
    );
    let envelope = Envelope { sender: Some(b"<>"), recipient: Some(recipient.as_bytes()) };
    let seen = bounce::inspect(message.as_bytes(), &envelope, &ring, &policy(), Day::parse("2026-11-21").unwrap());
    (seen.verdict, seen.would)
}

#[test]
fn a_from_without_exactly_one_address_has_no_mark() {
    for from in [
        "bob@example.com <alice@example.com>",
        "alice@example.com, bob@example.com",
        "Alice <alice@example.com>,",
        "alice@example.com via list <alice@example.com>",
        "<@relay.example:alice@example.com>",
        "Alice <alice@example.com> (",
    ] {
        assert_eq!(mark::address_of_from(from.as_bytes()), None, "{from}");
        assert_eq!(judged(&format!("From: {from}\n"), "alice@example.com"), (UNMARKED, Advice::Deliver), "{from}");
    }
    let two = "From: alice@example.com\nFrom: alice@example.com\n";
    assert_eq!(judged(two, "alice@example.com"), (UNMARKED, Advice::Deliver));
    for from in
        ["alice@example.com", "alice@example.com <alice@example.com>", "\"Alice, a@b\" <alice@example.com> (home)"]
    {
        let expected = (Verdict::Backscatter, Advice::Refuse);
        assert_eq!(judged(&format!("From: {from}\n"), "alice@example.com"), expected, "{from}");
    }
}

#[test]
fn what_is_not_signed_is_not_marked() {
    let long = format!("{}@example.com", "x".repeat(49));
    for recipient in [long.as_str(), "list@example.com", "list-bounces@lists.example.com"] {
        assert_eq!(judged("From: alice@example.com\n", recipient), (UNMARKED, Advice::Deliver), "{recipient}");
    }
    for recipient in ["bob@example.com", "prvs=4123abcdef=alice@example.com"] {
        assert_ne!(judged("From: alice@example.com\n", recipient).0, UNMARKED, "{recipient}");
    }
}
