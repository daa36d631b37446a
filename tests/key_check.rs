//! What `check` finds in a key ring, and that what it advises can be done.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use backstop::{Day, Key, KeyId, KeyRing, NewKey, Secret, Use};

fn today() -> Day {
    Day::parse("2026-11-21").unwrap()
}

fn ring(lines: &str) -> KeyRing {
    KeyRing::parse(format!("version 1\n{}\n", lines.trim_end_matches('\n')).as_bytes()).unwrap()
}

/// Slugs with their lines, due ones with a `!`.
fn found(lines: &str) -> String {
    let word = |f: backstop::Finding| {
        let line = f.line.map_or_else(String::new, |line| line.to_string());
        format!("{}{line}{}", f.slug, if f.due { "!" } else { "" })
    };
    ring(lines).check(today()).into_iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_finding_has_its_cause() {
    let text = "text:sixteen octets!!";
    for (lines, expected) in [
        (format!("prvs 0 sha256 10 2026-11-21 - * {text}"), ""),
        (format!("prvs 0 sha256 10 2025-10-17 - * {text}"), ""),
        (format!("prvs 0 sha256 10 2025-10-16 - * {text}"), "old2!"),
        (format!("prvs 0 sha256 10 - - * {text}"), "undated2"),
        (format!("srs 0 sha1 21 - - * {text}"), "undated2"),
        (format!("mark m sha256 21 - - * {text}"), ""),
        (format!("prvs 0 sha1 7 2026-01-01 - * {text}"), "sha12"),
        ("prvs 0 sha256 7 2026-01-01 - * text:fifteen octets!".into(), "short-secret2!"),
        (
            format!("prvs 0 sha256 10 2026-01-01 2027-03-01 * text:0\nprvs 1 sha256 10 2027-03-01 - * {text}"),
            "short-secret2!",
        ),
        (
            format!("prvs 0 sha256 10 2026-01-01 2027-03-01 * text:0\nprvs 1 sha256 10 2027-03-02 - * {text}"),
            "short-secret2!",
        ),
        (format!("prvs 0 sha256 10 2026-01-01 2026-11-21 * text:0\nprvs 1 sha256 10 2026-11-22 - * {text}"), ""),
        (format!("prvs 0 sha256 10 2026-11-22 - * {text}"), "no-signer!"),
        (format!("prvs 0 sha256 10 - 2026-12-05 * {text}"), "ends-soon2!"),
        (format!("prvs 0 sha256 10 - 2026-12-06 * {text}"), ""),
        (format!("prvs 0 sha256 10 - 2026-11-21 * {text}"), "ends-soon2!"),
        (format!("prvs 0 sha256 10 - 2026-11-20 * {text}"), "no-signer!"),
        (format!("prvs 0 sha256 10 - 2026-05-05 * {text}"), "no-signer!"),
        (format!("prvs 0 sha256 10 - 2026-05-04 * {text}"), "no-signer! prunable2!"),
        (format!("srs 0 sha1 21 - 2025-07-07 * {text}"), "no-signer!"),
        (format!("srs 0 sha1 21 - 2025-07-06 * {text}"), "no-signer! prunable2!"),
        (format!("prvs 0 sha256 10 - 2026-11-24 * {text}\nprvs 1 sha256 10 2026-11-24 - * {text}"), ""),
        (
            format!("prvs 0 sha256 10 - 2026-11-20 * {text}\nprvs 1 sha256 10 2026-11-24 - a.example {text}"),
            "no-signer!",
        ),
        (
            format!("prvs 0 sha256 10 - 2026-11-20 * {text}\nprvs 1 sha256 10 2026-11-20 - a.example {text}"),
            "no-signer2!",
        ),
        (format!("prvs 0 sha256 10 - 2026-11-20 * {text}\nprvs 1 sha256 10 2026-11-20 - * {text}"), ""),
        (format!("prvs 0 sha1 7 2026-01-01 - * {text}\nprvs 1 sha256 10 2026-11-21 - * {text}"), "replaced2!"),
        (format!("prvs 0 sha256 7 - - * {text}\nprvs 1 sha256 10 2026-11-21 - * {text}"), "replaced2!"),
        (format!("prvs 0 sha1 7 - - * {text}\nprvs 1 sha256 10 2026-11-21 - * {text}"), "replaced2"),
        (format!("srs 0 sha1 21 - - * {text}\nsrs 1 sha1 21 - - * {text} old"), "undated2 replaced3"),
        (format!("srs 0 sha1 21 - - * {text}\nsrs 1 sha1 21 - - a.example {text} old"), "undated2 undated3"),
        (format!("prvs 0 sha256 10 - - * {text}\nprvs 1 sha256 10 2026-11-22 - * {text}"), "undated2"),
        (format!("bst1 k sha256 10 2026-01-01 - * {text}"), "no-fallback2"),
        (format!("bst1 k sha256 10 2026-01-01 - * {text}\nprvs 1 sha256 10 2026-11-20 - * {text} also"), ""),
    ] {
        assert_eq!(found(&lines), expected, "{lines}");
    }
}

#[test]
fn a_key_that_takes_over_when_the_one_before_it_ends_is_not_to_be_retired_or_rotated() {
    let ends = |lines: &str| lines.replace("TEXT", "text:sixteen octets!!");
    let first = "prvs 0 sha256 10 2025-01-01 2027-01-10 * TEXT\n";
    for (more, expected) in [
        ("prvs 1 sha256 10 2025-01-01 - * TEXT 1", ""),
        ("prvs 1 sha256 10 2025-01-01 2027-02-10 * TEXT 1\nprvs 2 sha256 10 2025-01-01 - * TEXT 2", ""),
        ("prvs 1 sha256 10 2025-01-01 - * TEXT 1\nprvs 2 sha256 10 2025-01-01 - * TEXT 2", "replaced4!"),
        ("prvs 1 sha256 10 2025-01-01 - * TEXT 1\nprvs 2 sha256 10 2027-01-11 - * TEXT 2", "replaced3!"),
        ("prvs 1 sha256 10 2025-01-01 - * TEXT 1\nprvs 2 sha256 10 2027-01-12 - * TEXT 2", ""),
    ] {
        let lines = ends(&format!("{first}{more}\n"));
        assert_eq!(found(&lines), expected, "{lines}");
        let told: Vec<usize> = ring(&lines).check(today()).iter().filter_map(|finding| finding.line).collect();
        told.into_iter().fold(ring(&lines), |ring, line| ring.retire(&ring.keys()[line - 2], today()).unwrap());
    }
    let undated = ends("srs 0 sha1 21 - 2027-01-10 * TEXT\nsrs 1 sha1 21 - - * TEXT 1\n");
    assert_eq!(found(&undated), "");
}

#[test]
fn a_key_that_another_program_may_sign_with_is_not_to_be_rotated_or_retired_without_a_thought() {
    let text = "text:sixteen octets!!";
    let sentence = |lines: &str| ring(lines).check(today()).remove(0).sentence;
    let wrap =
        "prvs key 0 on line 2 has no dates, so that its tags verify again after 1000 days; rotate it to have some";
    let unless = ", unless another program signs with it";
    assert_eq!(sentence(&format!("prvs 0 sha1 7 - - * {text}")), format!("{wrap}{unless}"));
    assert_eq!(sentence(&format!("prvs 0 sha256 7 - - * {text}")), wrap);
    let replaced = "prvs key 0 on line 2 is open, though another key signs in its place; retire it";
    let beside = format!("prvs 1 sha256 10 2026-11-21 - * {text}");
    assert_eq!(sentence(&format!("prvs 0 sha1 7 - - * {text}\n{beside}")), format!("{replaced}{unless}"));
    assert_eq!(sentence(&format!("prvs 0 sha256 7 - - * {text}\n{beside}")), replaced);
    let short = "prvs key 0 on line 2 has a secret of less than 16 octets; rotate it";
    assert_eq!(sentence("prvs 0 sha1 7 - - * text:short"), format!("{short}{unless}"));
    assert_eq!(sentence("prvs 0 sha256 7 - - * text:short"), short);
    assert_eq!(
        sentence(&format!("prvs 0 sha1 7 - - * text:short\n{beside}")),
        format!("{}{unless}", short.replace("rotate", "retire"))
    );
}

#[test]
fn a_key_whose_domains_send_no_more_goes_when_no_policy_can_take_its_tags_any_more() {
    let text = "text:sixteen octets!!";
    let srs = format!("srs 0 sha1 21 2026-01-01 - a.example {text}\nsrs 1 sha1 30 - 2026-06-01 b.example {text} 1");
    let sentences = |lines: &str| ring(lines).check(today()).into_iter().map(|f| f.sentence).collect::<Vec<_>>();
    let dropped = "srs key 1 on line 3 ended on 2026-06-01 and no key signs for its domains; \
                   rotate it, or drop it with `backstop key prune` after 2027-10-16 if they no longer send";
    assert_eq!(sentences(&srs), [dropped]);
    let dropped_on = |day: &str| ring(&srs).prune(Day::parse(day).unwrap()).unwrap().1;
    assert_eq!([dropped_on("2027-10-16"), dropped_on("2027-10-17")], [0, 1]);
    let ended = format!("prvs 0 sha256 10 - 2026-11-01 * {text}\nprvs 1 sha256 10 - 2026-11-03 * {text} 1");
    let none = "no prvs key signs today; add one with `backstop key add --use prvs`";
    let given_up = format!(
        "{none}, or drop the last of them with `backstop key prune` after 2027-05-22 if nothing is to be signed with prvs"
    );
    assert_eq!(sentences(&ended), [given_up]);
    assert_eq!(sentences(&format!("{ended}\nprvs 2 sha256 10 2026-11-25 - * {text} 2")), [none]);
}

#[test]
fn a_finding_is_one_sentence_that_names_the_key() {
    let ring = ring("prvs 0 sha1 7 - 2026-11-25 * text:short");
    let sentences: Vec<String> = ring.check(today()).into_iter().map(|finding| finding.sentence).collect();
    let short = "has a secret of less than 16 octets; rotate it, unless another program signs with it";
    let sha1 = "is sha1, so that tags of mixed-case addresses verify only where the case came back; \
                use sha256 unless Exim shares the key";
    assert_eq!(
        sentences,
        [
            "prvs key 0 on line 2 ends on 2026-11-25 and has no successor; rotate it, unless another program signs with it"
                .to_string(),
            format!("prvs key 0 on line 2 {short}"),
            format!("prvs key 0 on line 2 {sha1}"),
        ]
    );
}

/// Over keys for one domain and for two, with a short secret, that sign from and until days before and after today.
#[test]
fn what_is_advised_is_taken_now_or_on_the_day_that_is_waited_for() {
    let sets = ["a.example", "a.example,b.example"];
    let days = [
        "- -",
        "2025-01-01 -",
        "2026-11-24 -",
        "2026-11-24 2026-12-24",
        "2026-01-01 2026-11-27",
        "2026-12-10 -",
        "2026-01-01 2026-11-21",
        "2025-01-01 2026-11-21",
        "2026-01-01 2027-03-01",
        "2027-03-02 -",
    ];
    let mut advised = std::collections::BTreeMap::<String, usize>::new();
    let lines: Vec<String> = sets.iter().flat_map(|set| days.map(|days| format!("{days} {set}"))).collect();
    for (old, new) in lines.iter().flat_map(|old| lines.iter().map(move |new| (old, new))) {
        let text =
            format!("prvs 0 sha256 10 {old} text:0\nprvs 1 sha256 10 {new} text:1\nprvs 2 sha256 10 - - * text:2");
        let ring = ring(&text);
        for finding in ring.check(today()) {
            let key = ring.keys().iter().find(|key| Some(key.line()) == finding.line).unwrap();
            let later = |wait: fn(&KeyRing, &Key, Day) -> bool| {
                (0..200)
                    .map(|ahead| today().plus(ahead))
                    .find(|&day| wait(&ring, key, day))
                    .unwrap_or_else(|| panic!("{text} {}", finding.sentence))
            };
            let signs = |ring: &KeyRing, key: &Key, day| key.signs_on(day) && !ring.is_replaced(key, day);
            let rotated =
                |day| ring.rotate(key, day, KeyId::new(Use::Prvs, '7').unwrap(), &Secret::new(&[7; 32]).unwrap());
            let (_, advice) = finding.sentence.split_once("; ").unwrap();
            let done = match advice.strip_suffix(" to have some").unwrap_or(advice) {
                "rotate it" => rotated(today()),
                "once it signs, rotate it" => rotated(later(signs)),
                "retire it" => ring.retire(key, today()),
                "once its successor signs, retire it" => ring.retire(key, later(KeyRing::is_replaced)),
                add if add.starts_with("add another with `backstop key add --use prvs") => {
                    let domains = format!(" --domains '{}'", key.domains());
                    assert_eq!(add.contains(&domains), key.domains().to_string() != "*", "{add}");
                    assert!(rotated(today()).is_err(), "{text}");
                    let new = NewKey {
                        usage: key.usage(),
                        id: KeyId::new(Use::Prvs, '7').unwrap(),
                        mac: key.mac(),
                        days: key.days(),
                        from: Some(today().plus(3)),
                        until: None,
                        domains: key.domains().clone(),
                        secret: Secret::new(&[7; 32]).unwrap(),
                    };
                    let ring = ring.add(&new).unwrap();
                    let key = ring.keys().iter().find(|old| old.line() == key.line()).unwrap();
                    ring.retire(key, today().plus(3))
                }
                "delete the line" => {
                    let kept = ring.as_text().lines().filter(|line| !line.starts_with(&format!("prvs {} ", key.id())));
                    let kept = self::ring(&kept.skip(1).collect::<Vec<_>>().join("\n"));
                    let first =
                        |ring: &KeyRing, day| ring.signing_key(Use::Prvs, b"a.example", day).map(|key| key.id());
                    assert!(
                        (0..60).map(|days| today().plus(days)).all(|day| first(&ring, day) == first(&kept, day)),
                        "{text}"
                    );
                    Ok(kept)
                }
                other => panic!("{other}"),
            };
            assert!(done.is_ok(), "{text}: {} {:?}", finding.sentence, done.err());
            let domains = format!(" --domains '{}'", key.domains());
            *advised.entry(advice.replace(&domains, "")).or_default() += 1;
        }
    }
    assert_eq!(advised.len(), 8, "{advised:?}");
}

#[test]
fn a_key_that_was_rotated_is_due_for_nothing_until_it_ends() {
    let ring = ring("prvs 0 sha256 10 2025-01-01 - * text:short");
    let successor = KeyId::new(Use::Prvs, '1').unwrap();
    let ring = ring.rotate(&ring.keys()[0], today(), successor, &Secret::new(&[7; 32]).unwrap()).unwrap();
    for day in (0..10).map(|days| today().plus(days)) {
        assert_eq!(ring.check(day), [], "{day}");
    }
}

#[test]
fn a_key_ends_soon_though_a_later_one_begins_after_a_gap() {
    let text = "text:sixteen octets!!";
    let ring = ring(&format!("prvs 0 sha256 10 - 2026-11-25 * {text}\nprvs 1 sha256 10 2026-11-27 - * {text} 1"));
    let found = ring.check(today());
    assert_eq!(found[0].sentence, "prvs key 0 on line 2 ends on 2026-11-25 and has no successor; rotate it");
    let successor = KeyId::new(Use::Prvs, '2').unwrap();
    let ring = ring.rotate(&ring.keys()[0], today(), successor, &Secret::new(&[7; 32]).unwrap()).unwrap();
    assert_eq!(ring.check(today()), []);
}

#[test]
fn a_short_secret_whose_successor_begins_behind_its_end_needs_another_key() {
    let advice = |first: &str, from: &str| {
        let lines =
            format!("prvs 0 sha256 10 {first} 2027-03-01 * text:0\nprvs 1 sha256 10 {from} - * text:sixteen octets!!");
        let found = ring(&lines).check(today());
        let short = found.iter().find(|found| found.slug == "short-secret").unwrap();
        short.sentence.split_once("; ").unwrap().1.to_owned()
    };
    assert_eq!(advice("-", "2027-03-01"), "once its successor signs, retire it");
    let add = "add another with `backstop key add --use prvs";
    let from = today().plus(3);
    assert_eq!(advice("-", "2027-03-02"), format!("{add} --from {from}`, then check again"));
    // Which day, its own first day decides; `key check` names it then.
    assert_eq!(advice("2026-12-01", "2027-03-02"), format!("once it signs, {add}`"));
}
