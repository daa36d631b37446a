//! What holds for every key ring, whatever its comments, blanks and line ends: it is printed as it was read, and an edit
//! touches no line but those that it must. A key that is retired leaves no day without a signer, and
//! one that is told to be replaced signs nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use backstop::{Day, Domains, Form, Key, KeyId, KeyRing, Mac, NewKey, Secret, Use};
use proptest::prelude::*;

fn today() -> Day {
    Day::parse("2026-11-21").unwrap()
}

const MARGINS: [&str; 4] = ["", " ", "\t", "  \t "];
const GAPS: [&str; 4] = [" ", "\t", "   ", "\t \t"];
const ENDS: [&str; 2] = ["\n", "\r\n"];

/// One line of a ring: a comment, a blank line, or a key whose settings its place in the ring decides.
#[derive(Debug, Clone)]
enum Item {
    Comment(String),
    Blank(usize),
    Key { margin: usize, gaps: Vec<usize>, until: Option<u32>, secret: usize },
}

fn item() -> impl Strategy<Value = (Item, usize)> {
    let key = (0..4_usize, proptest::collection::vec(0..4_usize, 7), proptest::option::of(0..60_u32), 0..4_usize);
    let item = prop_oneof![
        "[ -~äß\t]{0,20}".prop_map(Item::Comment),
        (0..4_usize).prop_map(Item::Blank),
        key.prop_map(|(margin, gaps, until, secret)| Item::Key { margin, gaps, until, secret }),
    ];
    (item, 0..2_usize)
}

fn write(items: &[(Item, usize)]) -> String {
    let (mut text, mut number) = (String::from("version 1\n"), 0);
    for (item, end) in items {
        match item {
            Item::Comment(comment) => text.push_str(&format!("#{comment}")),
            Item::Blank(margin) => text.push_str(MARGINS[*margin]),
            Item::Key { margin, gaps, until, secret } => {
                let usage = Use::ALL[number % 4];
                let until = until.map_or("-".into(), |days| today().minus(30).plus(days).to_string());
                let columns = [
                    usage.as_str(),
                    &char::from(usage.ids()[number / 4]).to_string(),
                    if usage == Use::Srs { "sha1" } else { "sha256" },
                    "9",
                    "-",
                    &until,
                    &format!("*,!d{number}.example"),
                    &[
                        format!("text:key {number} \t of the ring # {number}"),
                        format!("hex:{number:032x}  "),
                        format!("base64:{number:04}AAAA\t"),
                        format!("base32:AAAAAAA{}AAAA", ["A", "B", "C", "D", "E", "F", "G"][number % 7]),
                    ][if number < 7 { *secret } else { secret % 3 }],
                ];
                text.push_str(MARGINS[*margin]);
                for (column, gap) in columns.iter().zip(gaps) {
                    text.push_str(column);
                    text.push_str(GAPS[*gap]);
                }
                text.push_str(columns[7]);
                number += 1;
            }
        }
        text.push_str(ENDS[*end]);
    }
    text
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn words(line: &str) -> Vec<&str> {
    line.split([' ', '\t']).filter(|word| !word.is_empty()).collect()
}

/// A line with another `until`: the same words, the same secret and line end.
fn differs_in_until_only(old: &str, new: &str) -> bool {
    let (before, after) = (words(old), words(new));
    let same = before.iter().zip(&after).enumerate().all(|(at, (before, after))| at == 5 || before == after);
    let domains = |line: &str| line.find(before[6]).map(|at| line[at..].to_string());
    let head = |line: &str| line[..line.find(before[2]).unwrap()].to_string();
    same && before.len() == after.len() && domains(old) == domains(new) && head(old) == head(new)
}

/// Patterns one within another, and what takes some of it away again.
const PATTERNS: [&str; 10] = [
    "*",
    "*.example",
    "a.example",
    "*.a.example",
    "x.a.example",
    "b.example",
    "!a.example",
    "!*.a.example",
    "!x.a.example",
    "!b.example",
];
/// At least one sender in and beside each of them.
const SENDERS: [&str; 8] = [
    "u@a.example",
    "u@x.a.example",
    "u@y.a.example",
    "u@z.x.a.example",
    "u@b.example",
    "u@c.example",
    "u@c.test",
    "u@[192.0.2.1]",
];

fn domains() -> impl Strategy<Value = Domains> {
    let list = proptest::sample::subsequence(&PATTERNS[..], 1..4).prop_shuffle();
    list.prop_filter_map("a list that gives nothing", |patterns| Domains::parse(&patterns.join(",")).ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_ring_is_read_and_printed_without_loss(
        items in proptest::collection::vec(item(), 0..24),
    ) {
        let text = write(&items);
        let ring = KeyRing::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(ring.as_text(), &text);
        let keys = items.iter().filter(|(item, _)| matches!(item, Item::Key { .. }));
        prop_assert_eq!(ring.keys().len(), keys.count());
        for (number, key) in ring.keys().iter().enumerate() {
            let line = lines(&text)[key.line() - 1];
            prop_assert_eq!(key.usage(), Use::ALL[number % 4]);
            prop_assert_eq!(key.domains().as_str(), format!("*,!d{number}.example"));
            prop_assert_eq!(words(line)[5], key.until().map_or("-".to_string(), |day| day.to_string()));
        }
    }

    #[test]
    fn an_edit_keeps_all_other_lines_octet_for_octet(
        items in proptest::collection::vec(item(), 1..24),
        which: prop::sample::Index,
        ahead in 0..60_u32,
    ) {
        let text = write(&items);
        let ring = KeyRing::parse(text.as_bytes()).unwrap();
        let old = lines(&text);

        let new = NewKey {
            usage: Use::Prvs,
            id: KeyId::new(Use::Prvs, '9').unwrap(),
            mac: Mac::Sha256,
            days: 10,
            from: Some(today()),
            until: None,
            domains: Domains::parse("new.example").unwrap(),
            secret: Secret::new(&[1; 32]).unwrap(),
        };
        let added = ring.add(&new).unwrap();
        let new = lines(added.as_text());
        prop_assert_eq!(new.len(), old.len() + 1);
        prop_assert!(old.iter().zip(&new).all(|(old, new)| old == new));

        let late = today().plus(190);
        let (pruned, count) = ring.prune(late).unwrap();
        let counts = |key: &Key| if key.usage() == Use::Srs { 502 } else { 200 };
        let gone = |key: &&Key| key.until().is_some_and(|until| until.plus(counts(key)) < late);
        let gone: Vec<usize> = ring.keys().iter().filter(gone).map(Key::line).collect();
        let kept: String = (1..).zip(&old).filter(|(at, _)| !gone.contains(at)).map(|(_, line)| *line).collect();
        prop_assert_eq!((pruned.as_text(), count), (kept.as_str(), gone.len()));

        if ring.keys().is_empty() {
            return Ok(());
        }
        let key = which.get(ring.keys());
        let free = ring.free_id(key.usage(), key.domains(), 0).unwrap();
        let rotated = ring.rotate(key, today(), free, &Secret::new(&[9; 32]).unwrap()).unwrap();
        let mut new = lines(rotated.as_text());
        prop_assert_eq!(new.len(), old.len() + 1);
        let ends = |line: &str| line.trim_end_matches(['\r', '\n']).len();
        prop_assert_eq!(words(new.remove(key.line()))[1], free.to_string());
        for (at, (old, new)) in (1..).zip(old.iter().zip(&new)) {
            let edited = at == key.line() && differs_in_until_only(&old[..ends(old)], &new[..ends(new)]);
            prop_assert!(edited || old == new, "{:?} {:?}", old, new);
        }

        if let Ok(retired) = ring.retire(key, today().plus(ahead)) {
            let new = lines(retired.as_text());
            prop_assert_eq!(new.len(), old.len());
            for (at, (old, new)) in (1..).zip(old.iter().zip(&new)) {
                prop_assert!(old == new || (at == key.line() && differs_in_until_only(old, new)));
            }
        }
    }

    #[test]
    fn what_signs_on_a_day_still_does_once_a_key_is_retired(
        windows in proptest::collection::vec((0..3_usize, proptest::option::of(0..20_u32), proptest::option::of(0..20_u32)), 1..6),
        which: prop::sample::Index,
        ahead in 0..20_u32,
    ) {
        let sets = ["a.example", "b.example", "a.example,b.example"];
        let date = |days: Option<u32>| days.map_or("-".to_string(), |days| today().plus(days).to_string());
        let mut text = String::from("version 1\n");
        for (id, (set, from, days)) in windows.iter().enumerate() {
            let (first, last) = (date(*from), date(days.map(|days| from.unwrap_or(0) + days)));
            text += &format!("prvs {id} sha1 7 {first} {last} {} text:{id}\n", sets[*set]);
        }
        let ring = KeyRing::parse(text.as_bytes()).unwrap();
        let key = which.get(ring.keys());
        let last_day = today().plus(ahead);
        match ring.retire(key, last_day) {
            Ok(retired) => {
                for day in (0..50).map(|days| today().plus(days)) {
                    for domain in [b"a.example", b"b.example"] {
                        let signs = |ring: &KeyRing| ring.signing_key(Use::Prvs, domain, day).is_ok();
                        prop_assert_eq!(signs(&ring), signs(&retired), "{} {:?} {}", text, key, day);
                    }
                }
            }
            Err(refused) => {
                let refused = refused.to_string();
                let proposed = refused.split_once("choose ").and_then(|(_, rest)| Day::parse(rest.get(..10)?).ok());
                if let Some(day) = proposed {
                    prop_assert!(day > last_day && ring.retire(key, day).is_ok(), "{} {:?} {}", text, key, refused);
                    prop_assert!(ring.retire(key, day.minus(1)).is_err(), "{} {:?} {}", text, key, refused);
                }
            }
        }
    }

    #[test]
    fn a_key_that_is_told_replaced_signs_nothing_and_can_be_retired(
        settings in proptest::collection::vec(
            (domains(), prop::option::of(0..4_u32), prop::option::of(3..6_u32)),
            2..7,
        ),
    ) {
        let date = |days: Option<u32>| days.map_or("-".to_string(), |days| today().plus(days).to_string());
        let lines = settings.iter().enumerate().map(|(id, (domains, from, until))| {
            format!("prvs {id} sha256 10 {} {} {domains} text:{id}\n", date(*from), date(*until))
        });
        let ring = KeyRing::parse(format!("version 1\n{}", lines.collect::<String>()).as_bytes()).unwrap();
        for day in (0..7).map(|days| today().plus(days)) {
            let signers: Vec<char> = SENDERS.iter().filter_map(|sender| {
                let signed = backstop::batv::sign(&ring, sender.as_bytes(), Form::Prefix, day).unwrap();
                signed.address().map(|address| char::from(address.as_bytes()[5]))
            }).collect();
            for key in ring.keys().iter().filter(|key| ring.is_replaced(key, day)) {
                prop_assert!(!signers.contains(&key.id().as_char()), "{:?} {}\n{}", key, day, ring.as_text());
            }
            for finding in ring.check(day).into_iter().filter(|finding| finding.slug == "replaced") {
                let key = ring.keys().iter().find(|key| Some(key.line()) == finding.line).unwrap();
                prop_assert!(ring.retire(key, day).is_ok(), "{:?} {}\n{}", key, day, ring.as_text());
            }
        }
    }
}
