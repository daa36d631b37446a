//! A rotation on two hosts, walked through day by day.
//!
//! The new ring is made on one host and copied to the other some days later. Every tag that either host makes on any day
//! is shown to both hosts on each day of its life, from the skew day before it was signed to its last, with the ring that
//! the host has on that day.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeSet;

use backstop::policy::{Client, Mode, Policy};
use backstop::srs::{self, Dialect};
use backstop::{Day, Domains, Form, KeyRing, Secret, Use, batv, mark};

const SENDER: &[u8] = b"alice@example.com";
/// Outlasts the longest life, here 21 days, on both sides of the rotation.
const AROUND: u32 = 40;

/// The day on which the successor is made.
fn made() -> Day {
    Day::parse("2026-11-21").unwrap()
}

/// Rings of one key, with this last day; prvs alone, since bst1 would sign in its place.
fn old_ring(usage: Use, until: &str) -> KeyRing {
    let line = match usage {
        Use::Prvs => format!("prvs 4 sha256 10 2026-01-01 {until} * text:old secret"),
        Use::Bst1 => format!("bst1 k sha256 10 2026-01-01 {until} * text:old secret"),
        Use::Srs => format!("srs 0 sha1 21 2026-01-01 {until} * text:old secret"),
        Use::Mark => format!("mark m sha256 14 2026-01-01 {until} * text:old secret"),
    };
    KeyRing::parse(format!("version 1\n{line}\n").as_bytes()).unwrap()
}

fn rotated(ring: &KeyRing, usage: Use) -> KeyRing {
    let key = ring.select(usage, None, None, made()).unwrap();
    let id = ring.free_id(usage, key.domains(), 5).unwrap();
    ring.rotate(key, made(), id, &Secret::new(&[7; 32]).unwrap()).unwrap()
}

fn forwarders() -> Domains {
    Domains::parse("fwd.example.net").unwrap()
}

/// The tagged sender, or the marked header, that a host with this ring makes.
fn sign(usage: Use, ring: &KeyRing, day: Day) -> Option<Vec<u8>> {
    let signed = match usage {
        Use::Prvs | Use::Bst1 => batv::sign(ring, SENDER, Form::Prefix, day).unwrap(),
        Use::Srs => srs::forward(ring, SENDER, "fwd.example.net", &forwarders(), &Dialect::CLASSIC, day).unwrap(),
        Use::Mark => {
            return match mark::make_header(ring, SENDER, [7; 8], day).unwrap() {
                mark::Marked::Done(value) => Some(value.into_bytes()),
                mark::Marked::Unsigned(_) => None,
            };
        }
    };
    signed.address().map(|address| address.as_bytes().to_vec())
}

/// The verdict of a host with this ring.
fn verify(usage: Use, ring: &KeyRing, tag: &[u8], day: Day) -> &'static str {
    let verdict = match usage {
        Use::Prvs | Use::Bst1 => batv::verify(ring, tag, day),
        Use::Srs => srs::reverse(ring, tag, &forwarders(), &Dialect::CLASSIC, day),
        Use::Mark => mark::verify_header(ring, tag, SENDER, day),
    };
    verdict.unwrap().slug()
}

/// The rings of a host, each with the day from which on the host has it.
struct Host(Vec<(Day, KeyRing)>);

impl Host {
    fn new(old: &KeyRing, new: &KeyRing, copied: Day) -> Host {
        Host(vec![(Day::MIN, old.clone()), (copied, new.clone())])
    }

    fn ring(&self, day: Day) -> &KeyRing {
        &self.0.iter().rfind(|(from, _)| *from <= day).unwrap().1
    }
}

/// One tag before one host.
#[derive(Debug)]
struct Sight {
    signed: Day,
    by_successor: bool,
    day: Day,
    verifier: usize,
    slug: &'static str,
}

/// Shows every tag of every host to every host on each day of its life.
fn walk(usage: Use, hosts: &[Host]) -> Vec<Sight> {
    let mut sights = Vec::new();
    for ahead in 0..2 * AROUND {
        let signed = made().minus(AROUND).plus(ahead);
        for (host, signer) in hosts.iter().enumerate() {
            let ring = signer.ring(signed);
            let tag = sign(usage, ring, signed).unwrap_or_else(|| panic!("{usage}: host {host} is mute on {signed}"));
            let key = ring.signing_key(usage, b"example.com", signed).unwrap();
            let by_successor = key.from().is_some_and(|from| from > made());
            for age in 0..=u32::from(key.days()) + 1 {
                let day = signed.minus(1).plus(age);
                for (verifier, host) in hosts.iter().enumerate() {
                    let slug = verify(usage, host.ring(day), &tag, day);
                    sights.push(Sight { signed, by_successor, day, verifier, slug });
                }
            }
        }
    }
    sights
}

fn assert_all_genuine(usage: Use, sights: &[Sight]) {
    let refused: Vec<&Sight> = sights.iter().filter(|sight| sight.slug != "genuine").collect();
    assert!(refused.is_empty(), "{usage}: {} of {}: {:?}", refused.len(), sights.len(), refused[0]);
    let signers: BTreeSet<bool> = sights.iter().map(|sight| sight.by_successor).collect();
    assert_eq!(signers.len(), 2, "{usage}: both keys must have signed");
}

#[test]
fn copied_a_day_after_it_was_made_nothing_is_refused_on_any_day() {
    for &usage in Use::ALL {
        let old = old_ring(usage, "-");
        let new = rotated(&old, usage);
        let hosts = [made(), made().plus(1)].map(|copied| Host::new(&old, &new, copied));
        let sights = walk(usage, &hosts);
        assert_all_genuine(usage, &sights);
        let first = sights.iter().filter(|sight| sight.by_successor).map(|sight| sight.signed).min();
        assert_eq!(first, Some(made().plus(3)), "{usage}");
        let last = sights.iter().filter(|sight| !sight.by_successor).map(|sight| sight.signed).max();
        assert_eq!(last, Some(made().plus(2)), "{usage}");
    }
}

#[test]
fn copied_a_day_after_from_the_late_host_answers_unknown_key_and_nothing_else() {
    for usage in [Use::Prvs, Use::Bst1, Use::Mark] {
        let old = old_ring(usage, "-");
        let new = rotated(&old, usage);
        let copied = made().plus(4);
        let sights = walk(usage, &[Host::new(&old, &new, made()), Host::new(&old, &new, copied)]);
        let mut unknown = 0;
        for sight in &sights {
            let too_early = sight.by_successor && sight.verifier == 1 && sight.day < copied;
            unknown += u32::from(too_early);
            assert_eq!(sight.slug, if too_early { "unknown-key" } else { "genuine" }, "{usage}: {sight:?}");
        }
        // Signed on the day of `from`: seen the day before and that day; signed a day later: seen the day before.
        assert_eq!(unknown, 4, "{usage}");
    }
}

/// An SRS address names no key: the late host finds that none of its keys made it.
#[test]
fn copied_a_day_after_from_the_late_host_holds_srs_of_the_successor_for_forged_until_then() {
    let old = old_ring(Use::Srs, "-");
    let new = rotated(&old, Use::Srs);
    let copied = made().plus(4);
    let sights = walk(Use::Srs, &[Host::new(&old, &new, made()), Host::new(&old, &new, copied)]);
    for sight in &sights {
        let too_early = sight.by_successor && sight.verifier == 1 && sight.day < copied;
        assert_eq!(sight.slug, if too_early { "forged" } else { "genuine" }, "{sight:?}");
    }
}

#[test]
fn a_late_host_may_sign_with_the_old_key_for_three_days_after_from() {
    for &usage in Use::ALL {
        let old = old_ring(usage, "-");
        let new = rotated(&old, usage);
        let copied = made().plus(7);
        let sights = walk(usage, &[Host::new(&old, &new, made()), Host::new(&old, &new, copied)]);
        let refused = |sight: &&Sight| sight.verifier == 0 && sight.slug != "genuine";
        assert_eq!(sights.iter().filter(refused).count(), 0, "{usage}");
        let last = sights.iter().filter(|sight| !sight.by_successor).map(|sight| sight.signed).max();
        assert_eq!(last, Some(made().plus(6)), "{usage}");
    }
}

#[test]
fn a_key_that_ends_before_the_overlap_is_followed_without_a_gap() {
    for &usage in Use::ALL {
        for ends_in in [1, 2, 4] {
            let old = old_ring(usage, &made().plus(ends_in).to_string());
            let new = rotated(&old, usage);
            let hosts = [made(), made().plus(1)].map(|copied| Host::new(&old, &new, copied));
            assert_all_genuine(usage, &walk(usage, &hosts));
        }
    }
}

#[test]
fn pruning_as_soon_as_it_may_be_refuses_nothing() {
    for &usage in Use::ALL {
        let old = old_ring(usage, "-");
        let new = rotated(&old, usage);
        let day = (0..600).map(|ahead| made().plus(ahead)).find(|&day| new.prune(day).unwrap().1 == 1).unwrap();
        let (pruned, _) = new.prune(day).unwrap();
        assert_eq!(pruned.keys().len(), 1);
        let hosts = [made(), made().plus(1)].map(|copied| {
            let mut host = Host::new(&old, &new, copied);
            host.0.push((day, pruned.clone()));
            host
        });
        assert_all_genuine(usage, &walk(usage, &hosts));
    }
}

#[test]
fn pruning_as_soon_as_it_may_leaves_enforce_in_force() {
    let policy = Policy::new(Domains::parse("example.com").unwrap()).with_mode(Mode::Enforce);
    let rule = |ring: &KeyRing, day| policy.incoming(ring, b"<>", SENDER, Client::Other, day).rule.slug();
    for usage in [Use::Prvs, Use::Bst1] {
        let new = rotated(&old_ring(usage, "-"), usage);
        let (day, pruned) = (0..600)
            .map(|ahead| (made().plus(ahead), new.prune(made().plus(ahead)).unwrap()))
            .find_map(|(day, (pruned, count))| (count == 1).then_some((day, pruned)))
            .unwrap();
        // A day more than is needed, for the slowest clock of the site.
        for seen in [day.minus(1), day] {
            assert_eq!((rule(&new, seen), rule(&pruned, seen)), ("untagged", "untagged"), "{usage} on {seen}");
        }
    }
}

/// The hosts of this ring alone sign, so that a tag with an id that it never had is forged, also after the prune.
#[test]
fn pruning_as_soon_as_it_may_lets_no_forged_tag_pass() {
    for (id, forger) in [("prvs 4", "prvs 9"), ("bst1 k", "bst1 z")] {
        for (days, life, grace) in [(1, 99, 7), (1, 99, 99), (10, 10, 7), (10, 99, 99), (99, 1, 0), (99, 99, 99)] {
            let own = format!(
                "version 1\n{id} sha256 {days} 2025-01-01 2026-11-23 * text:old\n\
                 {} sha256 {days} 2026-11-24 - * text:new\n",
                id.replace('4', "5").replace('k', "m")
            );
            let ring = KeyRing::parse(own.as_bytes()).unwrap();
            let forger = format!("version 1\n{forger} sha256 {life} - - * text:guessed\n");
            let forger = KeyRing::parse(forger.as_bytes()).unwrap();
            let policy = Policy::new(Domains::parse("example.com").unwrap()).with_mode(Mode::Enforce);
            let policy = policy.with_expired_grace(grace).unwrap();
            let day = (0..600).map(|ahead| made().plus(ahead)).find(|&day| ring.prune(day).unwrap().1 == 1).unwrap();
            let (pruned, _) = ring.prune(day).unwrap();
            for signed in (0..220).map(|back| day.plus(2).minus(back)) {
                let tag = sign(Use::Prvs, &forger, signed).unwrap();
                for (ring, seen) in [(&ring, day), (&pruned, day.minus(1)), (&pruned, day)] {
                    let decision = policy.incoming(ring, b"<>", &tag, Client::Other, seen);
                    let is_refused = decision.action.slug() == "refuse";
                    assert!(is_refused, "{own}{life} {grace}: of {signed} on {seen}: {:?}", decision.rule);
                }
            }
        }
    }
}

/// Rotated as often, and pruned before.
#[test]
fn ten_ids_last_for_a_rotation_of_prvs_every_23_days_and_of_srs_every_57() {
    let rotates = |usage: Use, interval: u32| {
        let mut ring = old_ring(usage, "-");
        (0..40).all(|time| {
            let today = made().plus(time * interval);
            ring = ring.prune(today).unwrap().0;
            let key = ring.select(usage, None, None, today).unwrap();
            let Ok(id) = ring.free_id(usage, key.domains(), 5) else { return false };
            let secret = Secret::new(&[u8::try_from(time).unwrap(); 32]).unwrap();
            ring = ring.rotate(key, today, id, &secret).unwrap();
            true
        })
    };
    for (usage, least) in [(Use::Prvs, 23), (Use::Srs, 57), (Use::Bst1, 7), (Use::Mark, 7)] {
        assert!(!rotates(usage, least - 1), "{usage}");
        assert!(rotates(usage, least), "{usage}");
    }
}
