//! The mode of a domain on a day, where its refusals stand, and how long enforcing waits for the ring.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use backstop::Domains;
use backstop::policy::{Action, Client, Incoming, Mode, Policy, RefuseAt, Rule};

#[allow(dead_code, reason = "the other tests of the policy use the rest")]
mod policy_common;
use policy_common::{RING, day, own, policy, ring, today};

const NULL: &[u8] = b"<>";

fn judge<'r>(policy: &Policy, recipient: &'r str) -> Incoming<'r> {
    policy.incoming(&ring(RING), NULL, recipient.as_bytes(), Client::Other, today())
}

#[test]
fn enforce_observes_until_the_ring_has_signed_for_days_and_seven_more() {
    // The key lives 10 days; today and the 17 days before begin on 2026-11-04.
    for (from, action, rule) in [
        ("2026-11-03", Action::Refuse, Rule::Untagged),
        ("2026-11-04", Action::Refuse, Rule::Untagged),
        ("2026-11-05", Action::Unchanged, Rule::TooEarly),
        ("2026-11-21", Action::Unchanged, Rule::TooEarly),
        ("2026-11-22", Action::Unchanged, Rule::NoKey),
    ] {
        let ring = ring(&format!("version 1\nprvs 4 sha256 10 {from} - example.com text:one\n"));
        let decision = policy(Mode::Enforce).incoming(&ring, NULL, b"alice@example.com", Client::Other, today());
        assert_eq!((decision.action, decision.rule), (action, rule), "{from}");
    }
}

#[test]
fn a_gap_between_keys_counts_as_too_early_and_the_longest_lifetime_counts() {
    let old = |days: u16, until: &str| {
        ring(&format!(
            "version 1\nprvs 4 sha256 {days} 2026-08-01 {until} example.com text:one
prvs 5 sha256 10 2026-11-15 - example.com text:two\n"
        ))
    };
    for (days, until, rule) in [
        (10, "2026-11-14", Rule::Untagged),
        (10, "2026-11-13", Rule::TooEarly),
        // 60 + 7 days reach back to 2026-09-15, 99 + 7 to 2026-08-07, both within the old key's window.
        (60, "2026-11-14", Rule::Untagged),
        (99, "2026-11-14", Rule::Untagged),
    ] {
        let decision =
            policy(Mode::Enforce).incoming(&old(days, until), NULL, b"alice@example.com", Client::Other, today());
        assert_eq!(decision.rule, rule, "{days} {until}");
    }
    let late = ring("version 1\nprvs 4 sha256 99 2026-08-08 - example.com text:one\n");
    let decision = policy(Mode::Enforce).incoming(&late, NULL, b"alice@example.com", Client::Other, today());
    assert_eq!(decision.rule, Rule::TooEarly);
}

#[test]
fn the_closest_domain_decides_the_mode_and_what_it_does_not_say_is_inherited() {
    let set = |text: &str| Domains::parse(text).unwrap();
    let policy = policy(Mode::Enforce)
        .with_enforce_since(day("2026-11-21"))
        .with_domain(set("*.example.com"), Some(Mode::Sign), None)
        .with_domain(set("a.example.com"), None, Some(day("2026-12-01")))
        .with_domain(set("b.example.com"), Some(Mode::Enforce), None);
    for (domain, on, mode) in [
        ("example.com", "2026-11-20", Mode::Observe),
        ("example.com", "2026-11-21", Mode::Enforce),
        ("x.example.com", "2026-11-21", Mode::Sign),
        ("A.example.com", "2026-11-30", Mode::Observe),
        ("a.example.com", "2026-12-01", Mode::Enforce),
        ("b.example.com", "2026-11-20", Mode::Observe),
        ("b.example.com", "2026-11-21", Mode::Enforce),
    ] {
        assert_eq!(policy.mode_on(domain.as_bytes(), day(on)), mode, "{domain} {on}");
    }
    assert_eq!(Policy::new(own()).mode_on(b"example.com", today()), Mode::Observe);
    assert_eq!(judge(&policy, "alice@example.com").action, Action::Refuse);
    let decision = judge(&policy, "alice@a.example.com");
    assert_eq!((decision.action, decision.would, decision.mode), (Action::Unchanged, Action::Refuse, Mode::Observe));
}

#[test]
fn refuse_at_is_handed_on() {
    assert_eq!(judge(&policy(Mode::Enforce), "alice@example.com").refuse_at, RefuseAt::Data);
    for at in [RefuseAt::Rcpt, RefuseAt::Data, RefuseAt::Message] {
        assert_eq!(judge(&policy(Mode::Enforce).with_refuse_at(at), "alice@example.com").refuse_at, at);
    }
    let set = || Domains::parse("*.example.com").unwrap();
    let mixed = policy(Mode::Enforce).with_refuse_at(RefuseAt::Rcpt);
    let mixed = mixed.with_domain(set(), Some(Mode::Observe), None).with_domain_refuse_at(set(), RefuseAt::Message);
    assert_eq!(judge(&mixed, "alice@example.com").refuse_at, RefuseAt::Rcpt);
    let below = judge(&mixed, "alice@a.example.com");
    assert_eq!((below.refuse_at, below.mode), (RefuseAt::Message, Mode::Observe));
    let alone = policy(Mode::Enforce).with_domain_refuse_at(set(), RefuseAt::Message);
    assert_eq!(judge(&alone, "alice@a.example.com").mode, Mode::Enforce);
}
