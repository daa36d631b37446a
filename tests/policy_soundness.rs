//! What a policy promises, over random policies, rings and addresses.
//!
//! - A bounce without a tag is refused exactly if mail from that mailbox was signed today and on each of the days + 7 days before.
//! - Mail that nobody vouches for is never signed.
//! - A tag that a host cannot verify is out of date only when it is, whichever key made it, and is refused before that only
//!   if a key of the host's ring signed on the day on which it was made.
//! - What was signed or forwarded comes back to where it came from, as long as its key says.
//!
//! Each property counts how often it had something to prove, so that none passes by never applying.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::cell::Cell;
use std::fmt::Write;

use backstop::policy::{Action, Addresses, Client, Forwarding, Mode, Origin, Policy, Rule};
use backstop::srs::{Dialect, OverLong};
use backstop::{Day, Domains, Form, KeyRing, Verdict, batv};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};

const TODAY: u32 = 20_778;
const OTHER: &[u8] = b"bob@elsewhere.example";
const DOMAINS: [&str; 4] = ["example.com", "a.example.com", "b.example.com", "example.net"];

fn today() -> Day {
    Day::from_number(TODAY).unwrap()
}

fn run<S: Strategy>(strategy: S, property: impl Fn(S::Value)) {
    let mut config = Config::with_cases(3000);
    config.failure_persistence = None;
    let outcome = TestRunner::new(config).run(&strategy, |value| {
        property(value);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// A key that begins and ends within some months of today, or is open.
fn key() -> impl Strategy<Value = (bool, bool, u32, Option<u32>, Option<u32>, &'static str)> {
    let sets = select(vec!["*", "example.com", "*.example.com", "a.example.com", "*,!b.example.com", "example.net"]);
    let days = prop_oneof![4 => 1..15_u32, 1 => 80..=99_u32];
    let from = proptest::option::weighted(0.6, prop_oneof![0..140_u32, 0..40_u32]);
    let until = proptest::option::weighted(0.4, 0..160_u32);
    (any::<bool>(), any::<bool>(), days, from, until, sets)
}

fn ring() -> impl Strategy<Value = KeyRing> {
    proptest::collection::vec(key(), 0..5).prop_map(|keys| {
        let mut text = "version 1\nsrs 0 sha1 21 - - * text:forwarding\n".to_owned();
        for (index, (bst1, sha1, days, from, until, set)) in keys.into_iter().enumerate() {
            let usage = if bst1 { "bst1" } else { "prvs" };
            let id = if bst1 { char::from(b"abcde"[index]) } else { char::from(b"01234"[index]) };
            let mac = if sha1 && !bst1 { "sha1" } else { "sha256" };
            // Windows lie around today; the end never before the beginning.
            let from = from.map(|ago| TODAY + 10 - ago);
            let until = until.map(|length| from.unwrap_or(TODAY - 100) + length);
            let date = |day: Option<u32>| day.map_or("-".to_owned(), |it| Day::from_number(it).unwrap().to_string());
            let (from, until) = (date(from), date(until));
            writeln!(text, "{usage} {id} {mac} {days} {from} {until} {set} text:secret {index}").unwrap();
        }
        KeyRing::parse(text.as_bytes()).unwrap()
    })
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![6 => Just(Mode::Enforce), 1 => select(Mode::ALL.to_vec())]
}

fn day() -> impl Strategy<Value = Option<Day>> {
    proptest::option::weighted(0.3, (TODAY - 30..TODAY + 10).prop_map(|number| Day::from_number(number).unwrap()))
}

fn addresses() -> impl Strategy<Value = Addresses> {
    let entries = vec!["news", "alice@example.com", "@a.example.com", "@*.example.com,!b.example.com", "\"q q\"@*"];
    subsequence(entries, 0..2).prop_map(|entries| Addresses::parse(entries).unwrap())
}

fn policy() -> impl Strategy<Value = Policy> {
    let own = select(vec!["*", "example.com", "example.com,*.example.com", "*,!elsewhere.example", "example.net"]);
    let domain = (select(DOMAINS.to_vec()), proptest::option::of(mode()), day());
    let domains = proptest::collection::vec(domain, 0..2);
    let lists = (addresses(), addresses(), proptest::option::weighted(0.2, addresses()));
    (own, mode(), day(), domains, lists, any::<bool>(), 0..=99_u16).prop_map(
        |(own, mode, since, domains, (no_sign, no_sign_recipients, never_send), subaddress, grace)| {
            let mut policy = Policy::new(Domains::parse(own).unwrap())
                .with_mode(mode)
                .with_no_sign(no_sign)
                .with_no_sign_recipients(no_sign_recipients)
                .with_never_send(never_send.unwrap_or_default())
                .with_form(if subaddress { Form::Subaddress } else { Form::Prefix })
                .with_srs(Forwarding::new("fwd.example").unwrap())
                .with_expired_grace(grace)
                .unwrap();
            if let Some(since) = since {
                policy = policy.with_enforce_since(since);
            }
            for (domain, mode, since) in domains {
                policy = policy.with_domain(Domains::parse(domain).unwrap(), mode, since);
            }
            policy
        },
    )
}

fn address() -> impl Strategy<Value = String> {
    let local = prop_oneof![
        4 => select(vec!["alice", "news", "Bob.X", "\"q q\"", "a=b", "x+y", "jörg", "u..v"]).prop_map(str::to_owned),
        2 => (1..=64_usize).prop_map(|length| "a".repeat(length)),
    ];
    (local, select(DOMAINS.to_vec())).prop_map(|(local, domain)| format!("{local}@{domain}"))
}

/// Whether submitted mail from this mailbox was signed today and on each of the days + 7 days before, found by signing it.
fn was_signed(policy: &Policy, ring: &KeyRing, mailbox: &str) -> bool {
    let (mut back, mut span) = (0, 1);
    while back < span {
        let day = today().minus(back);
        let out = policy.outgoing(ring, mailbox.as_bytes(), [OTHER], Origin::Submitted, day);
        let Some(sender) = out.rewrite else { return false };
        let Verdict::Genuine(proof) = batv::verify(ring, sender.as_bytes(), day).unwrap() else {
            panic!("{mailbox} was signed as {sender}, which is not genuine");
        };
        let days = proof.expires.unwrap().number() - proof.signed.unwrap().number();
        span = span.max(days + 8);
        back += 1;
    }
    true
}

#[test]
fn an_untagged_bounce_is_refused_exactly_if_mail_was_signed_on_each_of_the_last_days_and_seven_more() {
    let (refused, kept, early) = (Cell::new(0), Cell::new(0), Cell::new(0));
    run((policy(), ring(), address()), |(policy, ring, mailbox)| {
        let decision = policy.incoming(&ring, b"<>", mailbox.as_bytes(), Client::Other, today());
        if decision.rule == Rule::NeverSends {
            return;
        }
        let domain = mailbox.rsplit('@').next().unwrap();
        let enforce = policy.mode_on(domain.as_bytes(), today()) == Mode::Enforce;
        let signed = was_signed(&policy, &ring, &mailbox);
        assert_eq!(decision.would == Action::Refuse, signed, "{mailbox} {:?}", decision.rule);
        assert_eq!(decision.action == Action::Refuse, signed && enforce, "{mailbox} {:?}", decision.rule);
        let counter = match decision.rule {
            Rule::Untagged => &refused,
            Rule::TooEarly => &early,
            _ => &kept,
        };
        counter.set(counter.get() + 1);
    });
    assert!(refused.get() > 100 && kept.get() > 100 && early.get() > 20, "{refused:?} {kept:?} {early:?}");
}

#[test]
fn mail_that_nobody_vouches_for_is_never_signed() {
    let vouched = Cell::new(0);
    let sender = prop_oneof![address(), "\\PC{0,30}"];
    run((policy(), ring(), sender, any::<bool>()), |(policy, ring, sender, inbound)| {
        let origin = if inbound { Origin::Inbound } else { Origin::Unknown };
        let out = policy.outgoing(&ring, sender.as_bytes(), [OTHER], origin, today());
        assert_eq!(out.rewrite, None, "{sender}");
        let submitted = policy.outgoing(&ring, sender.as_bytes(), [OTHER], Origin::Submitted, today());
        vouched.set(vouched.get() + usize::from(submitted.rewrite.is_some()));
    });
    assert!(vouched.get() > 100, "{vouched:?}");
}

#[test]
fn what_was_signed_comes_back_to_its_mailbox_for_as_long_as_its_tag_lives() {
    let signed = Cell::new(0);
    run((policy(), ring(), address(), 0..=100_u32, any::<bool>()), |(policy, ring, mailbox, age, bounce)| {
        let out = policy.outgoing(&ring, mailbox.as_bytes(), [OTHER], Origin::Submitted, today());
        let Some(sender) = out.rewrite else { return };
        let Verdict::Genuine(proof) = batv::verify(&ring, sender.as_bytes(), today()).unwrap() else {
            panic!("{mailbox} was signed as {sender}, which is not genuine");
        };
        // The day before is the skew: that host is late.
        let days = proof.expires.unwrap().number() - TODAY;
        let day = today().minus(1).plus(age % (days + 2));
        let from: &[u8] = if bounce { b"" } else { OTHER };
        let decision = policy.incoming(&ring, from, sender.as_bytes(), Client::Other, day);
        let address = decision.action.address().map(|it| it.as_bytes().to_vec()).unwrap_or_default();
        assert_eq!(String::from_utf8(address).unwrap(), mailbox, "{sender} on {day}: {:?}", decision.rule);
        assert_eq!((decision.action.slug(), decision.rule, decision.log), ("strip", Rule::Genuine, false));
        signed.set(signed.get() + 1);
    });
    assert!(signed.get() > 300, "{signed:?}");
}

#[test]
fn no_tag_of_a_key_that_a_host_lacks_is_refused_in_its_days_and_grace_unless_the_ring_signed_when_it_was_made() {
    let (kept, over, covered) = (Cell::new(0), Cell::new(0), Cell::new(0));
    // Two hosts, or one that lost its ring; the day before is of a host whose clock is late.
    let grace_and_age = (0..=99_u16, prop_oneof![0..120_u32, 0..1100_u32]);
    run((policy(), ring(), ring(), address(), grace_and_age), |(policy, its, ours, mailbox, (grace, age))| {
        let policy = policy.with_expired_grace(grace).unwrap();
        let out = policy.outgoing(&its, mailbox.as_bytes(), [OTHER], Origin::Submitted, today());
        let Some(sender) = out.rewrite else { return };
        let Verdict::Genuine(proof) = batv::verify(&its, sender.as_bytes(), today()).unwrap() else {
            panic!("{mailbox} was signed as {sender}, which is not genuine");
        };
        let (signed, last) = (proof.signed.unwrap(), proof.expires.unwrap().plus(grace.into()));
        let day = today().minus(1).plus(age);
        let decision = policy.incoming(&ours, b"<>", sender.as_bytes(), Client::Other, day);
        if matches!(decision.verdict, Some(Verdict::UnknownKey { .. })) {
            assert!(decision.rule != Rule::Expired || day > last.plus(1), "{sender} on {day}, in date to {last}");
            if decision.rule == Rule::UnknownKey && day <= last.plus(1) {
                let domain = mailbox.rsplit('@').next().unwrap().as_bytes();
                assert!(ours.signing_key(proof.usage, domain, signed).is_ok(), "{sender} on {day}: {ours:?}");
                covered.set(covered.get() + 1);
            }
            let counter = if decision.rule == Rule::Expired { &over } else { &kept };
            counter.set(counter.get() + 1);
        }
    });
    assert!(kept.get() > 20 && over.get() > 100 && covered.get() > 20, "{kept:?} {over:?} {covered:?}");
}

#[test]
fn a_forwarded_sender_gets_its_bounce_back_for_as_long_as_the_key_says() {
    let returned = Cell::new(0);
    let sender = address().prop_map(|it| it.replace("@", "@mx."));
    run((policy(), ring(), sender, 0..=22_u32), |(policy, ring, sender, age)| {
        let emit = Dialect::CLASSIC.with_over_long(OverLong::Emit);
        let policy = policy.with_srs(Forwarding::new("fwd.example").unwrap().with_dialect(emit));
        let out = policy.forward(&ring, sender.as_bytes(), b"alice@example.com", today());
        let Some(rewritten) = out.rewrite else { return };
        let day = today().minus(1).plus(age);
        let decision = policy.incoming(&ring, b"<>", rewritten.as_bytes(), Client::Other, day);
        let address = decision.action.address().map(ToString::to_string).unwrap_or_default();
        assert_eq!((decision.action.slug(), address), ("reverse", sender.clone()), "{rewritten} {day}");
        returned.set(returned.get() + 1);
    });
    assert!(returned.get() > 100, "{returned:?}");
}

#[test]
fn the_exempt_are_never_refused_and_no_input_makes_a_decision_fail() {
    let refused = Cell::new(0);
    let tagged = address().prop_flat_map(|address| {
        let tags = ["", "prvs=4788abcdef=", "prvs=x=", "btv1==123456789ab==", "SRS0=x=AB=c.example=", "bst1="];
        select(tags.to_vec()).prop_map(move |tag| format!("{tag}{address}").into_bytes())
    });
    let recipient = prop_oneof![4 => tagged, 1 => proptest::collection::vec(any::<u8>(), 0..90)];
    let sender = proptest::collection::vec(any::<u8>(), 0..12);
    run((policy(), ring(), recipient, sender), |(policy, ring, recipient, sender)| {
        for client in [Client::Internal, Client::Exempt, Client::Submitted] {
            let decision = policy.incoming(&ring, &sender, &recipient, client, today());
            assert_ne!(decision.would, Action::Refuse);
        }
        for (from, client) in [(&sender[..], Client::Other), (b"", Client::Other)] {
            let decision = policy.incoming(&ring, from, &recipient, client, today());
            assert_eq!(decision.reply.is_some(), decision.action == Action::Refuse);
            assert!(decision.action == decision.would || decision.would == Action::Refuse);
            refused.set(refused.get() + usize::from(decision.action == Action::Refuse));
        }
    });
    assert!(refused.get() > 100, "{refused:?}");
}
