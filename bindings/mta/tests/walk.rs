//! Forty days of a site with two hosts, with the time in the test's hands: no genuine bounce is refused on any of them.
//!
//! ```text
//! day  0  a new ring; mode sign. Mail of the days before left unsigned
//!      2  observe, for 14 days
//!     16  enforce, enforce-since day 18
//!     20  the key is rotated on host 1; host 2 gets the ring on day 23, the last day on which it may
//!     30  the ring is lost and replaced by a new one, with another id, before the first mail of the day; or at noon, or
//!         with the id of the lost key, and then enforce-since is put off by 17 days, which the same id needs
//! ```
//!
//! Each day each host sends; each mail bounces on each of the 17 days that follow (10 days of the tag and 7 of expired-grace)
//! to each host, whichever sent it. All decisions are those of `decide.rs`, by the snapshots that the hosts have that day.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use backstop::policy::Action;
use backstop::{Day, KeyRing, Secret, Use};
use backstopd::clock::{Clock, Now};
use backstopd::config::Config;
use backstopd::decide::{self, Context};
use backstopd::faces::Face;
use backstopd::faces::milter::session::{Answer, End, Session};
use backstopd::log::Log;
use backstopd::state::{Snapshot, State};

/// Tags live for ten days, and are taken off for seven more.
const LATEST: u32 = 17;
const LAST: u32 = 40;
const SENDERS: [&str; 3] = ["<alice@example.com>", "<Bob.B@sub.example.com>", "<news@example.com>"];

/// Days before 0 are those of the time without backstop.
fn day(number: u32) -> Day {
    Day::parse("2026-11-21").unwrap().plus(number)
}

fn now(number: u32) -> Now {
    Now { seconds: u64::from(day(number).number()) * 86_400 + 43_200, day: day(number) }
}

fn key(id: u32, from: u32, secret: &str) -> KeyRing {
    KeyRing::parse(format!("version 1\nprvs {id} sha256 10 {} - * text:{secret}\n", day(from)).as_bytes()).unwrap()
}

/// The rings of the whole time.
struct Rings {
    first: KeyRing,
    rotated: KeyRing,
    replaced: KeyRing,
    /// Whether the ring is lost at noon, and enforce-since put off.
    at_noon: bool,
}

impl Rings {
    fn new(new_id: u32) -> Rings {
        let first = key(4, 0, "the first key of this site");
        let old = first.select(Use::Prvs, None, None, day(20)).unwrap();
        let id = first.free_id(Use::Prvs, old.domains(), 5).unwrap();
        let rotated = first.rotate(old, day(20), id, &Secret::new(&[7; 32]).unwrap()).unwrap();
        Rings { first, rotated, replaced: key(new_id, 30, "made when the others were lost"), at_noon: false }
    }

    fn of(&self, host: usize, number: u32) -> KeyRing {
        match number {
            30.. => self.replaced.clone(),
            23.. => self.rotated.clone(),
            20.. if host == 0 => self.rotated.clone(),
            _ => self.first.clone(),
        }
    }
}

fn snapshot(rings: &Rings, host: usize, number: u32) -> Snapshot {
    let mode = match number {
        0..2 => "mode = \"sign\"".to_owned(),
        2..16 => "mode = \"observe\"".to_owned(),
        30.. if rings.at_noon => format!("mode = \"enforce\"\nenforce-since = {}", day(30 + LATEST)),
        _ => format!("mode = \"enforce\"\nenforce-since = {}", day(18)),
    };
    let text = format!(
        "[policy]\nown-domains = [\"example.com\", \"*.example.com\"]\n{mode}\n[keys]\nfile = \"/etc/backstop/keys\"\n\
         [milter]\nlisten = [\"inet:127.0.0.1:10030\"]\n"
    );
    Snapshot { config: Config::parse(text.as_bytes()).unwrap(), ring: rings.of(host, number) }
}

/// The sender with which a user's mail leaves a host.
fn sent(host: &Snapshot, sender: &'static str, number: u32) -> Option<String> {
    let user = Context::of_client(Face::Milter, host, (Some("198.51.100.9".parse().unwrap()), 4000), true);
    let (decided, _) = decide::outgoing(host, &user, sender.as_bytes(), &[b"<x@elsewhere.example>"], now(number));
    decided.rewrite.map(|address| address.to_string())
}

/// What a host does with a bounce of a stranger.
fn returned(host: &Snapshot, recipient: &str, number: u32) -> (Action, &'static str) {
    let stranger = Context::of_client(Face::Milter, host, (Some("203.0.113.9".parse().unwrap()), 4000), false);
    let (decided, _) = decide::incoming(host, &stranger, b"<>", recipient.as_bytes(), now(number));
    (decided.action, decided.rule.slug())
}

/// Walks; gives how many bounces came back without their tag.
fn walk(rings: &Rings) -> u32 {
    // Sent in the ten days before, unsigned, and bouncing for as long as a tagged one.
    let mut mails: Vec<(u32, String)> =
        (0..LATEST).flat_map(|until| SENDERS.map(|it| (until, it.to_owned()))).collect();
    let mut stripped = 0;
    for number in 0..=LAST {
        let hosts = [0, 1].map(|host| snapshot(rings, host, number));
        for (host, sender) in hosts.iter().flat_map(|host| SENDERS.map(|sender| (host, sender))) {
            let signed = sent(host, sender, number);
            assert!(signed.is_some(), "{sender} leaves unsigned on day {number}");
            mails.push((number + LATEST, signed.unwrap()));
        }
        if rings.at_noon && number == 30 {
            let morning = Snapshot { ring: rings.rotated.clone(), ..snapshot(rings, 0, number) };
            mails.extend(SENDERS.map(|sender| (number + LATEST, sent(&morning, sender, number).unwrap())));
        }
        mails.retain(|(until, _)| number <= *until);
        for (at, host) in hosts.iter().enumerate() {
            for (_, sender) in &mails {
                let (action, rule) = returned(host, sender, number);
                assert_ne!(action, Action::Refuse, "{sender} on day {number} at host {at}: {rule}");
                stripped += u32::from(matches!(action, Action::Strip(_)));
            }
        }
    }
    stripped
}

#[test]
fn no_genuine_bounce_is_refused_on_any_of_forty_days() {
    let stripped = walk(&Rings::new(9));
    // All that were signed, but those that were under way when their key was lost.
    let days = |from: u32, to: u32| (from..to).map(|sent| (to.min(sent + LATEST + 1) - sent) * 12).sum::<u32>();
    assert_eq!(stripped, days(0, 30) + days(30, LAST + 1));
}

#[test]
fn backscatter_is_refused_as_soon_as_that_is_safe_and_not_before() {
    let rings = Rings::new(9);
    let forged = |number: u32| {
        let genuine = sent(&snapshot(&rings, 0, number), SENDERS[0], number).unwrap();
        let at = "prvs=4123".len();
        let other = if genuine.as_bytes()[at] == b'0' { "1" } else { "0" };
        [&genuine[..at], other, &genuine[at + 1..]].concat()
    };
    for number in 0..=LAST {
        for host in [0, 1] {
            let it = snapshot(&rings, host, number);
            // 10 and 7 days after the first and after the replaced ring began, and only when enforcing.
            let expected = match number {
                0..18 => (Action::Unchanged, if number < 17 { "too-early" } else { "untagged" }),
                30.. => (Action::Unchanged, "too-early"),
                _ => (Action::Refuse, "untagged"),
            };
            assert_eq!(returned(&it, SENDERS[0], number), expected, "untagged on day {number} at host {host}");
            let action = if number < 18 { Action::Unchanged } else { Action::Refuse };
            assert_eq!(returned(&it, &forged(number), number), (action, "forged"), "on day {number} at host {host}");
        }
    }
}

#[test]
fn a_ring_lost_at_noon_or_replaced_under_the_same_id_costs_no_bounce_if_enforce_since_is_put_off() {
    let lost = Rings::new(9).rotated;
    for id in lost.keys().iter().map(|key| key.id().as_char().to_digit(10).unwrap()).chain([9]) {
        assert!(walk(&Rings { at_noon: true, ..Rings::new(id) }) > 0, "{id}");
    }
}

#[test]
fn enforcing_on_through_the_loss_of_a_ring_at_noon_refuses_what_left_that_morning_only_under_the_same_id() {
    let lost = Rings::new(9).rotated;
    let morning = sent(&Snapshot { ring: lost.clone(), ..snapshot(&Rings::new(9), 0, 30) }, SENDERS[0], 30).unwrap();
    let same = morning["prvs=".len()..].chars().next().unwrap().to_digit(10).unwrap();
    for (id, at_noon, expected) in [
        (9, false, (Action::Unchanged, "not-covered")),
        (same, false, (Action::Refuse, "forged")),
        (same, true, (Action::Unchanged, "forged")),
    ] {
        let rings = Rings { at_noon, ..Rings::new(id) };
        assert_eq!(returned(&snapshot(&rings, 0, 30), &morning, 30), expected, "{id} {at_noon}");
    }
}

#[test]
fn a_mail_that_waits_over_midnight_is_judged_by_the_day_on_which_it_came() {
    let night = Arc::new(AtomicU64::new(u64::from(day(17).number()) * 86_400 + 86_399));
    let it = snapshot(&Rings::new(9), 0, 17);
    let text = format!(
        "[policy]\nown-domains = [\"example.com\"]\nmode = \"enforce\"\nenforce-since = {}\nrefuse-at = \"message\"\n[keys]\n\
         file = \"/etc/backstop/keys\"\n[milter]\nlisten = [\"inet:127.0.0.1:10030\"]\n",
        day(18)
    );
    let config = Config::parse(text.as_bytes()).unwrap();
    let clock = Clock::Set(Arc::clone(&night));
    let log = Log::start(&config.log, clock.clone()).unwrap();
    let state = Arc::new(State::new(Snapshot { config, ring: it.ring }, clock, log));
    let mail = |comes: bool| {
        let mut session = Session::new(Arc::clone(&state));
        session.connect(Some("203.0.113.9:4000".parse().unwrap()));
        session.mail(b"<>", false);
        let answers = [SENDERS[0], "<carol@example.com>"].map(|it| session.recipient(it.as_bytes(), b""));
        if comes {
            night.fetch_add(1, Ordering::Relaxed);
        }
        (answers, session.data(b""), session.end(b""))
    };
    // The last second in which nothing is refused: both wait together, and neither is refused after it.
    let (answers, data, end) = mail(true);
    assert_eq!((answers, data), ([Answer::Continue; 2], Answer::Continue));
    assert!(matches!(end, End::Accept(_)), "{end:?}");
    let (answers, _, end) = mail(false);
    assert!(matches!((answers, end), ([Answer::Continue, Answer::Refuse(_)], End::Refuse(_))));
}
