//! Outgoing mail: who is signed, who is rewritten, and who vouches for it.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use backstop::Domains;
use backstop::policy::{Client, Forwarding, Mode, Networks, Origin, Policy, Rule};
use backstop::srs::Dialect;

mod policy_common;
use policy_common::{OUTSIDER, RING, forwarded, list, own, policy, ring, signed, today};

fn sent(policy: &Policy, sender: &str, recipients: &[&str], origin: Origin) -> (Option<String>, Rule) {
    let recipients = recipients.iter().map(|it| it.as_bytes());
    let out = policy.outgoing(&ring(RING), sender.as_bytes(), recipients, origin, today());
    (out.rewrite.map(|it| it.to_string()), out.rule)
}

#[test]
fn senders_are_signed_by_the_first_rule_that_applies() {
    let policy = policy(Mode::Sign).with_no_sign(list(&["news", "@raw.example.com"])).with_domain(
        Domains::parse("off.example.com").unwrap(),
        Some(Mode::Off),
        None,
    );
    let long = format!("{}@example.com", "a".repeat(60));
    let srs = forwarded(RING, "carol@example.org", today()).replace("fwd.example.net", "example.com");
    for (sender, rule) in [
        ("alice@example.com", Rule::Signed),
        ("<alice@b.example.com>", Rule::Signed),
        ("", Rule::Null),
        ("<>", Rule::Null),
        ("a b@example.com", Rule::Unparsable),
        ("postmaster", Rule::NotOwn),
        ("bob@example.org", Rule::NotOwn),
        ("x@off.example.com", Rule::Off),
        ("news@example.com", Rule::NoSign),
        ("any@raw.example.com", Rule::NoSign),
        (&signed(RING, "alice@example.com", today()), Rule::Already),
        (&srs, Rule::Already),
        (&long, Rule::TooLong),
    ] {
        let (rewrite, found) = sent(&policy, sender, &["bob@example.org"], Origin::Submitted);
        assert_eq!(found, rule, "{sender}");
        assert_eq!(rewrite.is_some(), rule == Rule::Signed, "{sender}");
        let decided = policy.outgoing(&ring(RING), sender.as_bytes(), [OUTSIDER], Origin::Submitted, today());
        let own = matches!(rule, Rule::Signed | Rule::NoSign | Rule::TooLong);
        assert_eq!(decided.takes_mark(), own, "{sender}");
    }
    let empty = ring("version 1\n");
    let out = policy.outgoing(&empty, b"alice@example.com", [OUTSIDER], Origin::Submitted, today());
    assert_eq!((out.rewrite, out.rule, out.takes_mark()), (None, Rule::NoKey, true));
}

#[test]
fn only_submitted_and_internal_mail_is_signed() {
    for (origin, rule) in [
        (Origin::Submitted, Rule::Signed),
        (Origin::Internal, Rule::Signed),
        (Origin::Inbound, Rule::NotVouched),
        (Origin::Unknown, Rule::NotVouched),
    ] {
        let (rewrite, found) = sent(&policy(Mode::Enforce), "alice@example.com", &["bob@example.org"], origin);
        assert_eq!((rewrite.is_some(), found), (rule == Rule::Signed, rule), "{}", origin.as_str());
    }
}

#[test]
fn every_mode_but_off_signs() {
    for &mode in Mode::ALL {
        let rule = if mode == Mode::Off { Rule::Off } else { Rule::Signed };
        assert_eq!(sent(&policy(mode), "alice@example.com", &[], Origin::Internal).1, rule, "{}", mode.as_str());
    }
}

#[test]
fn mail_goes_unsigned_only_if_every_recipient_is_on_the_list() {
    let policy = policy(Mode::Sign).with_no_sign_recipients(list(&["@lists.example.org", "ezmlm@example.net"]));
    for (recipients, rule) in [
        (&["a@lists.example.org"][..], Rule::NoSignRecipients),
        (&["a@lists.example.org", "<Ezmlm@Example.net>"], Rule::NoSignRecipients),
        (&["a@lists.example.org", "bob@example.org"], Rule::Signed),
        (&["bob@example.org", "a@lists.example.org"], Rule::Signed),
        (&["no address", "a@lists.example.org"], Rule::Signed),
        (&[], Rule::Signed),
    ] {
        assert_eq!(sent(&policy, "alice@example.com", recipients, Origin::Submitted).1, rule, "{recipients:?}");
    }
}

#[test]
fn foreign_senders_of_forwarded_mail_are_rewritten_by_the_first_rule_that_applies() {
    let two = ring(&format!("{RING}srs 1 sha1 21 - - fwd2.example text:four\n"));
    let srs = Forwarding::new("fwd.example.net").unwrap();
    let srs = srs.with_domain("x.example.com,*.x.example.com", "fwd2.example").unwrap();
    let srs = srs.with_domain("off.example.com", "off.example").unwrap();
    let policy =
        policy(Mode::Sign).with_srs(srs).with_domain(Domains::parse("off.example").unwrap(), Some(Mode::Off), None);
    let own = forwarded(RING, "carol@example.org", today());
    let long = format!("{}@example.org", "a".repeat(60));
    for (sender, recipient, rule, domain) in [
        ("carol@example.org", "alice@example.com", Rule::Rewritten, "fwd.example.net"),
        ("carol@example.org", "alice@x.example.com", Rule::Rewritten, "fwd2.example"),
        ("carol@example.org", "alice@a.X.example.com", Rule::Rewritten, "fwd2.example"),
        ("carol@example.org", "postmaster", Rule::Rewritten, "fwd.example.net"),
        ("carol@example.org", "alice@off.example.com", Rule::Off, ""),
        ("bob@example.com", "alice@example.com", Rule::OwnSender, ""),
        ("postmaster", "alice@example.com", Rule::OwnSender, ""),
        ("x@fwd.example.net", "alice@example.com", Rule::OwnSender, ""),
        ("<>", "alice@example.com", Rule::Null, ""),
        ("a b", "alice@example.com", Rule::Unparsable, ""),
        (&own, "alice@example.com", Rule::Already, ""),
        (&own.replace("SRS0=", "SRS1=x=").replace("fwd.example.net", "y.example"), "a@b", Rule::Shape, ""),
        (&long, "alice@example.com", Rule::TooLong, ""),
    ] {
        let out = policy.forward(&two, sender.as_bytes(), recipient.as_bytes(), today());
        assert_eq!(out.rule, rule, "{sender} {recipient}");
        let rewritten = out.rewrite.map(|it| it.to_string()).unwrap_or_default();
        assert_eq!(rewritten.rsplit('@').next(), Some(domain), "{sender} {recipient}");
    }
    let out = policy.forward(&ring("version 1\n"), b"carol@example.org", b"alice@example.com", today());
    assert_eq!(out.rule, Rule::NoKey);
}

#[test]
fn nothing_is_rewritten_without_a_forwarder_but_returning_still_works() {
    let out = Policy::new(own()).forward(&ring(RING), b"carol@example.org", b"alice@example.com", today());
    assert_eq!((out.rewrite, out.rule), (None, Rule::NoForwarder));
    let returning = Forwarding::returning(Domains::parse("fwd.example.net").unwrap());
    let policy = Policy::new(own()).with_srs(returning);
    let out = policy.forward(&ring(RING), b"carol@example.org", b"alice@example.com", today());
    assert_eq!((out.rewrite, out.rule), (None, Rule::NoForwarder));
    let srs = forwarded(RING, "carol@example.org", today());
    let bounce = policy.incoming(&ring(RING), b"<>", srs.as_bytes(), Client::Other, today());
    assert_eq!(bounce.action.address().unwrap().to_string(), "carol@example.org");
}

#[test]
fn own_senders_are_rewritten_only_if_the_dialect_says_always() {
    let always = Forwarding::new("fwd.example.net").unwrap().with_dialect(Dialect::CLASSIC.with_always_rewrite(true));
    let out = policy(Mode::Sign).with_srs(always).forward(&ring(RING), b"a@example.com", b"b@example.com", today());
    assert_eq!(out.rule, Rule::Rewritten);
}

#[test]
fn clients_and_origins_follow_from_address_and_port() {
    let networks = |entries: &[&str]| Networks::parse(entries.iter().copied()).unwrap();
    let policy = policy(Mode::Enforce)
        .with_exempt_clients(networks(&["198.51.100.0/24"]))
        .with_internal_hosts(networks(&["192.0.2.0/24", "2001:db8::/32"]));
    for (ip, port, client, origin) in [
        (None, 0, Client::Internal, Origin::Internal),
        (None, 25, Client::Other, Origin::Unknown),
        (Some("127.0.0.1"), 0, Client::Internal, Origin::Internal),
        (Some("::1"), 0, Client::Internal, Origin::Internal),
        (Some("127.0.0.1"), 40_000, Client::Other, Origin::Inbound),
        (Some("203.0.113.9"), 0, Client::Other, Origin::Inbound),
        (Some("192.0.2.9"), 40_000, Client::Submitted, Origin::Submitted),
        (Some("192.0.2.9"), 0, Client::Submitted, Origin::Submitted),
        (Some("::ffff:192.0.2.9"), 40_000, Client::Submitted, Origin::Submitted),
        (Some("2001:db8:ffff::1"), 40_000, Client::Submitted, Origin::Submitted),
        (Some("2001:db9::1"), 40_000, Client::Other, Origin::Inbound),
        (Some("198.51.100.255"), 40_000, Client::Exempt, Origin::Inbound),
        (Some("::ffff:198.51.100.1"), 40_000, Client::Exempt, Origin::Inbound),
        (Some("198.51.101.0"), 40_000, Client::Other, Origin::Inbound),
    ] {
        let address = ip.map(|ip| ip.parse().unwrap());
        assert_eq!(policy.client(false, address, port), client, "{ip:?} {port}");
        // Whoever authenticates is a user, unless the address says more.
        let user = if client == Client::Other { Client::Submitted } else { client };
        assert_eq!(policy.client(true, address, port), user, "{ip:?} {port}");
        assert_eq!(policy.origin(false, address, port), origin, "{ip:?} {port}");
        assert_eq!(policy.origin(true, address, port), Origin::Submitted, "{ip:?} {port}");
    }
}

#[test]
fn forwarders_must_be_domains() {
    for bad in ["", "a b", "*", "@example.com"] {
        assert!(Forwarding::new(bad).is_err(), "{bad}");
        assert!(Forwarding::new("a.example").unwrap().with_domain("b.example", bad).is_err(), "{bad}");
    }
    let forwarders = Forwarding::returning(Domains::parse("*.example,!x.example").unwrap());
    assert!(forwarders.clone().with_domain("r.example", "y.example").is_ok());
    for taken_away in ["x.example", "X.Example"] {
        let told = forwarders.clone().with_domain("r.example", taken_away).unwrap_err().to_string();
        assert!(told.contains("so that nothing could return"), "{told}");
    }
}
