//! Every age of a tag: each signing day, a thousand of them for prvs, seen from ten days before to 2100 days after.
//!
//! Each tag is made once a day by a key without dates, then shown to that key and to one with the same secret that signs
//! for ninety days only. The day numbers on the wire wrap, at 1000 (prvs) and 1024 (SRS0): without dates a tag comes to
//! life again, with dates it does not. bst1 carries the whole day and knows no wrap.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::ops::{Range, RangeInclusive};
use std::thread;

use backstop::srs::{self, Dialect};
use backstop::{Day, Domains, Form, KeyRing, Use, Verdict, batv};

const SIGNING_DAYS: Range<u32> = 20_000..21_000;
/// Those around the ninety, where a full walk would only take longer.
const DAYS_AROUND: Range<u32> = 20_280..20_410;
const AGES: RangeInclusive<i64> = -10..=2100;
/// The ninety days of the dated key.
const WINDOW: RangeInclusive<i64> = 20_300..=20_389;
const SENDER: &[u8] = b"al@example.com";

fn day(number: i64) -> Day {
    Day::from_number(u32::try_from(number).unwrap()).unwrap()
}

/// The undated and the dated key of a use, alike but for the dates.
fn rings(usage: Use, mac: &str, days: u32) -> [KeyRing; 2] {
    let id = if usage == Use::Bst1 { 'k' } else { '0' };
    let ring = |from: &str, until: &str| {
        let text = format!("version 1\n{usage} {id} {mac} {days} {from} {until} * text:secret\n");
        KeyRing::parse(text.as_bytes()).unwrap()
    };
    [ring("-", "-"), ring(&day(*WINDOW.start()).to_string(), &day(*WINDOW.end()).to_string())]
}

fn forwarder() -> Domains {
    Domains::parse("fwd.example.net").unwrap()
}

fn sign(usage: Use, ring: &KeyRing, day: Day) -> String {
    let signed = match usage {
        Use::Srs => srs::forward(ring, SENDER, "fwd.example.net", &forwarder(), &Dialect::CLASSIC, day),
        _ => batv::sign(ring, SENDER, Form::Prefix, day),
    };
    signed.unwrap().address().unwrap().to_string()
}

/// `genuine`, or why the right tag no longer counts.
fn word(verdict: &Verdict<'_>) -> &'static str {
    match verdict {
        Verdict::Genuine(_) => "genuine",
        Verdict::Expired(..) => verdict.reason().unwrap(),
        _ => panic!("the MAC is right: {verdict:?}"),
    }
}

/// Whether this age, counted from the last time that the number on the wire stood for the signing day, is in date.
fn is_in_date(age: i64, days: i64, wrap: i64) -> bool {
    (-1..=days).contains(&((age + 1).rem_euclid(wrap) - 1))
}

/// Shows the tag of each of these days at every age to both keys.
fn walk(signing_days: Range<u32>, usage: Use, mac: &str, days: u32, wrap: i64) {
    let [undated, dated] = rings(usage, mac, days);
    let own = forwarder();
    let verdict = |ring: &KeyRing, tag: &str, today: i64| match usage {
        Use::Srs => word(&srs::reverse(ring, tag.as_bytes(), &own, &Dialect::CLASSIC, day(today)).unwrap()),
        _ => word(&batv::verify(ring, tag.as_bytes(), day(today)).unwrap()),
    };
    let part = |days_of_part: Range<u32>| {
        let mut genuine = [0_u32; 2];
        for signed in days_of_part {
            let tag = sign(usage, &undated, day(signed.into()));
            let in_window = (WINDOW.start() - 1..=WINDOW.end() + 1).contains(&i64::from(signed));
            for age in AGES {
                let today = i64::from(signed) + age;
                let in_date = is_in_date(age, days.into(), wrap);
                let expected = if in_date { "genuine" } else { "lifetime" };
                assert_eq!(verdict(&undated, &tag, today), expected, "undated: {tag}, {signed} at the age of {age}");
                genuine[0] += u32::from(in_date);

                // A wrapped number stands for a later day, which lies outside the ninety.
                let is_first_life = (-1..=i64::from(days)).contains(&age);
                let expected = if in_date && !(is_first_life && in_window) { "window" } else { expected };
                assert_eq!(verdict(&dated, &tag, today), expected, "dated: {tag}, {signed} at the age of {age}");
                genuine[1] += u32::from(expected == "genuine");
            }
        }
        genuine
    };
    let middle = signing_days.start.midpoint(signing_days.end);
    let [first, second] = thread::scope(|scope| {
        let halves = [signing_days.start..middle, middle..signing_days.end];
        halves.map(|half| scope.spawn(|| part(half))).map(|half| half.join().unwrap())
    });
    let lives = if wrap > 2100 { 1 } else { 3 };
    let life = days + 2;
    let all = (signing_days.end - signing_days.start) * lives * life;
    assert_eq!(first[0] + second[0], all, "undated: each day's tags live {lives} times {life} days");
    assert_eq!(first[1] + second[1], 92 * life, "dated: the tags of ninety days and the skew live once");
}

#[test]
fn a_prvs_tag_lives_from_minus_one_to_seven_and_again_each_thousand_days_unless_its_key_has_dates() {
    assert_eq!(
        AGES.filter(|&age| is_in_date(age, 7, 1000)).collect::<Vec<_>>(),
        (-1..=7).chain(999..=1007).chain(1999..=2007).collect::<Vec<_>>()
    );
    walk(SIGNING_DAYS, Use::Prvs, "sha1", 7, 1000);
}

#[test]
fn a_bst1_tag_lives_once() {
    walk(DAYS_AROUND, Use::Bst1, "sha256", 10, i64::MAX);
}

#[test]
fn an_srs0_address_lives_from_minus_one_to_twenty_one_and_again_each_1024_days_unless_its_key_has_dates() {
    walk(DAYS_AROUND, Use::Srs, "sha1", 21, 1024);
}
