//! What this host may send itself: automatic replies and bounces that do not make it a reflector.

#![cfg(feature = "bounce")]

use backstop::bounce::{self, Envelope, Restraint};

const ALICE: &str = "alice@example.com";

#[test]
fn this_host_is_no_reflector() {
    let mail = "From: bob@friend.example\nTo: alice@example.com\n";
    let from = |sender: &'static str| Envelope { sender: Some(sender.as_bytes()), recipient: Some(ALICE.as_bytes()) };
    let reply = |fields: &str, sender| {
        bounce::may_autorespond(format!("{fields}{mail}\nhi\n").as_bytes(), &from(sender), &[ALICE], true)
    };
    assert_eq!(reply("", "bob@friend.example"), Ok(()));
    assert_eq!(reply("Auto-Submitted: no\n", "bob@friend.example"), Ok(()));
    for (fields, sender, why) in [
        ("", "<>", Restraint::NullSender),
        ("", "", Restraint::NullSender),
        (
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n",
            "bob@friend.example",
            Restraint::Report,
        ),
        ("Auto-Submitted: auto-replied\n", "bob@friend.example", Restraint::AutoSubmitted),
        ("List-Id: <x.lists.example>\n", "bob@friend.example", Restraint::List),
        ("Precedence: bulk\n", "bob@friend.example", Restraint::List),
        ("", "owner-x@lists.example", Restraint::Robot),
        ("", "x-request@lists.example", Restraint::Robot),
        ("From: MAILER-DAEMON@friend.example\n", "bob@friend.example", Restraint::Robot),
        ("X-Auto-Response-Suppress: OOF, AutoReply\n", "bob@friend.example", Restraint::Suppressed),
    ] {
        assert_eq!(reply(fields, sender), Err(why), "{fields}{sender}");
    }
    assert_eq!(
        bounce::may_autorespond(mail.as_bytes(), &from("b@c.example"), &["carol@example.com"], true),
        Err(Restraint::NotAddressed)
    );
    assert_eq!(bounce::may_bounce(mail.as_bytes(), &from("b@c.example"), false), Err(Restraint::Unauthenticated));
    assert_eq!(bounce::may_bounce(b"Auto-Submitted: auto-generated\n\n", &from("b@c.example"), true), Ok(()));
    // A sender that the message names below what its host wrote is the sender's own word.
    let unnamed = Envelope::default();
    let received = "Received: from x by y; Fri, 20 Nov 2026 10:12:00 +0000\n";
    for (mail, answer) in [
        (format!("Return-Path: <b@c.example>\n{received}\n"), Ok(())),
        (format!("{received}Return-Path: <b@c.example>\n\n"), Err(Restraint::NullSender)),
    ] {
        assert_eq!(bounce::may_bounce(mail.as_bytes(), &unnamed, true), answer, "{mail}");
    }
}

#[test]
fn an_own_address_is_known_whatever_brackets_route_and_quotes_it_has() {
    let envelope = Envelope { sender: Some(b"bob@friend.example"), recipient: None };
    let reply = |to: &str, own| {
        let mail = format!("From: bob@friend.example\nTo: {to}\n\nhi\n");
        bounce::may_autorespond(mail.as_bytes(), &envelope, &[own], true)
    };
    for own in [ALICE, "<Alice@Example.com>", "<@relay.example,@mx.example:alice@example.com>", "\"alice\"@example.com"]
    {
        for to in [ALICE, "Alice <alice@example.com>", "carol@example.com, <ALICE@example.com>"] {
            assert_eq!(reply(to, own), Ok(()), "{own} {to}");
        }
        for to in ["carol@example.com", "alice@example.org", "malice@example.com", "undisclosed-recipients:;"] {
            assert_eq!(reply(to, own), Err(Restraint::NotAddressed), "{own} {to}");
        }
    }
    for (to, own) in [
        ("\"alice\"@example.com", ALICE),
        ("\"a b\"@example.com", "\"a b\"@example.com"),
        ("<\"alice\"@example.com>", ALICE),
    ] {
        assert_eq!(reply(to, own), Ok(()), "{own} {to}");
    }
    for own in ["<>", "", "alice", "<Postmaster>"] {
        assert_eq!(reply(ALICE, own), Err(Restraint::NotAddressed), "{own}");
    }
}
