//! Every message in `tests/bounce` is what the JSON beside it says.
//!
//! The messages were written for this test: each kind, the forms of the known mail systems, fourteen languages. Of the
//! JSON only the keys that are there are compared: kind, reason, returned (the form, null for none), complete, from,
//! message_id, blocks, recipient, action, status, deliveries, reporting, injector, trust, subject, links, language (evidence
//! speaks that language).

#![cfg(feature = "bounce")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use backstop::bounce::{self, Envelope, Inspection, Kind, evidence};
use backstop::policy::Policy;
use backstop::{Day, Domains, KeyRing};
use serde_json::{Value, json};

fn inspect(message: &[u8]) -> Inspection {
    let ring = KeyRing::parse(b"version 1\nmark m sha256 14 - - * text:an example\n").unwrap();
    let policy = Policy::new(Domains::parse("example.com").unwrap());
    bounce::inspect(message, &Envelope::default(), &ring, &policy, Day::parse("2026-11-21").unwrap())
}

fn value(seen: &Inspection, key: &str, expected: &Value) -> Value {
    let returned = seen.returned.first();
    let delivery = seen.deliveries.first();
    match key {
        "kind" => json!(seen.kind.slug()),
        "reason" => json!(seen.reason.map(|reason| reason.slug())),
        "returned" => json!(returned.map(|it| it.form.slug())),
        "complete" => json!(returned.map(|it| it.complete)),
        "from" => json!(returned.and_then(|it| it.from.clone())),
        "message_id" => json!(returned.and_then(|it| it.message_id.clone())),
        "recipient" => json!(delivery.and_then(|it| it.recipient.clone())),
        "action" => json!(delivery.and_then(|it| it.action).map(|action| action.slug())),
        "status" => json!(delivery.and_then(|it| it.status.clone())),
        "deliveries" => json!(seen.deliveries.len()),
        "blocks" => json!(seen.returned.len()),
        "reporting" => json!(seen.source.reporting),
        "injector" => json!(seen.source.injector.as_ref().map(|it| it.ip.to_string())),
        "trust" => json!(seen.source.injector.as_ref().map(|it| it.trust.slug())),
        "subject" => json!(seen.source.subject),
        "links" => json!(seen.source.links),
        "language" => {
            let start = format!("{}-", expected.as_str().unwrap());
            let speaks = seen.evidence.iter().any(|it| it.id.starts_with(&start));
            if speaks { expected.clone() } else { json!(seen.evidence.iter().map(|it| it.id).collect::<Vec<_>>()) }
        }
        other => json!(format!("no such key: {other}")),
    }
}

#[test]
fn every_fixture_is_what_stands_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bounce");
    let mut wrong = Vec::new();
    let (mut kinds, mut languages) = (BTreeSet::new(), BTreeSet::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let expected: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let message = fs::read(path.with_extension("eml")).unwrap();
        let with_crlf = String::from_utf8_lossy(&message).replace('\n', "\r\n");
        for (ends, message) in [("LF", message.as_slice()), ("CRLF", with_crlf.as_bytes())] {
            if ends == "CRLF" && !message.is_ascii() {
                continue;
            }
            let seen = inspect(message);
            for (key, expected) in expected.as_object().unwrap() {
                let found = value(&seen, key, expected);
                if found != *expected {
                    let why: Vec<_> = seen.evidence.iter().map(|it| format!("{} {}", it.id, it.weight)).collect();
                    wrong.push(format!(
                        "{} ({ends}) {key}: {found}, not {expected} [{}]",
                        path.display(),
                        why.join(", ")
                    ));
                }
            }
        }
        kinds.insert(expected["kind"].as_str().unwrap().to_owned());
        languages.extend(expected.get("language").and_then(Value::as_str).map(str::to_owned));
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let missing: Vec<_> = Kind::ALL.iter().filter(|kind| !kinds.contains(kind.slug())).collect();
    assert!(missing.is_empty(), "no fixture of {missing:?}");
    assert!(languages.len() >= 10, "{languages:?}");
}

#[test]
fn the_table_of_evidence_is_valid() {
    let (items, phrases) = evidence::check(evidence::TABLE).map_err(|problems| problems.join("\n")).unwrap();
    assert!(items >= 50 && phrases >= 1000, "{items} items, {phrases} phrases");
}

#[test]
fn the_rows_of_the_table_are_its_items_and_its_phrases_by_language_place_and_kind() {
    let rows: Vec<_> = evidence::rows().map(|row| (row.id, (row.speaks_for, row.weight))).collect();
    for expected in [
        ("from-mailer-daemon", ("bounce", 50)),
        ("null-sender", ("automatic", 20)),
        ("own-relay", ("not-ours", -20)),
        ("report-disposition", ("mdn", 90)),
        ("en-subject-dsn-failed", ("dsn-failed", 40)),
    ] {
        assert!(rows.contains(&expected), "{expected:?}");
    }
}

#[test]
fn a_table_with_a_slip_is_refused_with_its_line() {
    for (table, problem) in [
        ("x = 1", "line 1: `x` is no part of the table"),
        ("[[item]]\nid = \"a\"\n", "line 1: an item needs id, for, weight, test, words and why"),
        ("[phrases.en.body]\ndsn-failed = [\"undelivered\"]\n", "line 2: the place of these phrases has no weight"),
        (
            "[place.body]\nweight = 0\nwhy = \"So.\"\n",
            "line 2: a weight is a number up to 100, for or against, and not 0",
        ),
        (
            "[place.body]\nweight = 5\nwhy = \"so\"\n",
            "line 3: a sentence begins with a capital and ends with a full stop",
        ),
    ] {
        let problems = evidence::check(table).unwrap_err();
        assert!(problems.iter().any(|it| it == problem), "{problems:?}");
    }
    const ITEM: &str =
        "[[item]]\nid = \"a\"\nfor = \"bounce\"\nweight = 5\ntest = \"field\"\nwords = [\"X\"]\nwhy = \"So.\"\n";
    const PHRASE: &str = "[place.body]\nweight = 5\nwhy = \"So.\"\n[phrases.en.body]\ndsn-failed = [\"failed\"]\n";
    let words = "line 1: the words of this item must be there, and in lower case";
    let test = "line 1: no such test; field and fact take one word";
    let id = |id: &str| format!("line 1: the id {id} must be of a-z, 0-9 and -");
    let phrase = |it: &str| format!("line 5: {it:?} is shorter than 6 octets, or not in lower case with single blanks");
    let sentence = "a sentence begins with a capital and ends with a full stop";
    let weight = "line 4: a weight is a number up to 100, for or against, and not 0";
    for (table, from, to, problem) in [
        (ITEM, "\"a\"", "\"a-1\"", ""),
        (ITEM, "\"a\"", "\"\"", id("").as_str()),
        (ITEM, "\"a\"", "\"a_b\"", &id("a_b")),
        (ITEM, "\"a\"", "1", "line 2: this must be a text in quotes"),
        (ITEM, "\"a\"", "\"a\"\nx = 1", "line 3: `x` is no part of an item"),
        (ITEM, "\"bounce\"", "\"mdn\"", ""),
        (ITEM, "\"bounce\"", "\"not-a-bounce\"", "line 3: not-a-bounce is no kind"),
        (ITEM, "\"bounce\"", "\"x\"", "line 3: x is no kind"),
        (ITEM, "5", "-100", ""),
        (ITEM, "5", "100", ""),
        (ITEM, "5", "101", weight),
        (ITEM, "5", "0", weight),
        (ITEM, "[\"X\"]", "[]", words),
        (ITEM, "[\"X\"]", "[\"X\", \"Y\"]", test),
        (ITEM, "[\"X\"]", "\"X\"", "line 6: this must be a list of texts"),
        (ITEM, "\"field\"\nwords = [\"X\"]", "\"from-local\"\nwords = [\"x\"]", ""),
        (ITEM, "\"field\"\nwords = [\"X\"]", "\"from-local\"\nwords = [\"X\"]", words),
        (ITEM, "\"field\"\nwords = [\"X\"]", "\"from-local\"\nwords = [\"x\", \"\"]", words),
        (ITEM, "\"field\"\nwords = [\"X\"]", "\"fact\"\nwords = [\"x\"]", test),
        (ITEM, "\"field\"\nwords = [\"X\"]", "\"other\"\nwords = [\"x\"]", test),
        (ITEM, "So.", "so.", &format!("line 7: {sentence}")),
        (ITEM, "So.", "So", &format!("line 7: {sentence}")),
        (PHRASE, "failed\"]", "failed\", \"returned\"]\nmdn = [\"was read\"]", ""),
        (PHRASE, "[\"failed\"]", "[\"faile\"]", &phrase("faile")),
        (PHRASE, "[\"failed\"]", "[\"it  failed\"]", &phrase("it  failed")),
        (PHRASE, "failed\"]", "failed\"]\nmdn = [\"failed\"]", "line 6: \"failed\" is there twice"),
        (PHRASE, "dsn-failed", "x", "line 5: en-body-x names no kind, or no place"),
        (PHRASE, "dsn-failed", "not-a-bounce", "line 5: en-body-not-a-bounce names no kind, or no place"),
        (PHRASE, "en.body", "en.x", "line 5: en-x-dsn-failed names no kind, or no place"),
        (PHRASE, "place.body", "place.x", "line 1: a place is subject or body"),
        (PHRASE, "weight = 5", "weight = 5\nx = 1", "line 3: a place has weight and why"),
        (PHRASE, "weight = 5\n", "", "line 1: a place needs weight and why"),
        (
            PHRASE,
            "[place.body]\nweight = 5\nwhy = \"So.\"\n[phrases.en.body]\ndsn-failed = [\"failed\"]",
            "place = 1",
            "line 1: this must be a table",
        ),
        (PHRASE, "5", "", "line 2: no TOML"),
    ] {
        let changed = table.replacen(from, to, 1);
        assert_ne!(changed, table, "{from}");
        match evidence::check(&changed) {
            Ok(_) => assert_eq!(problem, "", "{changed}"),
            Err(problems) => {
                let is_told = |it: &String| it == problem || problem.ends_with("TOML") && it.starts_with(problem);
                assert!(problems.iter().any(is_told), "{changed}{problems:?}");
            }
        }
    }
    let two_places = PHRASE.to_owned() + &PHRASE.replace("body", "subject");
    assert_eq!(evidence::check(&two_places), Ok((0, 2)), "a phrase may stand in both");
    let twice = evidence::TABLE.replacen("id = \"from-postmaster\"", "id = \"from-mailer-daemon\"", 1);
    assert!(evidence::check(&twice).unwrap_err()[0].ends_with("the id from-mailer-daemon is there twice"));
    let shouted = evidence::TABLE.replacen("'undelivered mail'", "'Undelivered Mail'", 1);
    assert!(evidence::check(&shouted).unwrap_err()[0].contains("\"Undelivered Mail\" is shorter than"));
    let item = |id: &str| format!("[[item]]\nid = \"{id}\"");
    for (id, behind, later) in [
        ("from-mailer-daemon", "from-person-virus-notice", "from-other"),
        ("sender-other", "from-person-virus-notice", "from-other"),
        ("from-other", "list-of-others", "from-person-virus-notice"),
    ] {
        let (start, rest) = evidence::TABLE.split_once(&item(id)).unwrap();
        let (moved, end) = rest.split_once("\n\n").unwrap();
        let end = end.replacen(&item(behind), &format!("{}{moved}\n\n{}", item(id), item(behind)), 1);
        let problems = evidence::check(&format!("{start}{end}")).unwrap_err();
        let problem = format!("{id} must stand before {later}, which asks whether it holds");
        assert!(problems.len() == 1 && problems[0].ends_with(&problem), "{problems:?}");
    }
}
