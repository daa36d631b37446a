//! The library over the fixed vectors in `vectors/`: outputs of Exim, Mail::SRS and the second implementation.
//!
//! A row of a peer is either ordinary, and then we give its bytes, or it stands in `vectors/choices.md` with our answer
//! and the reason. The table is read here, so that the documentation says what is asserted.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use backstop::mark::{self, Marked};
use backstop::srs::{self, Dialect, OverLong};
use backstop::{Day, Domains, Error, Form, KeyRing, Path, Signed, UNPARSABLE, Verdict, batv};
use serde_json::Value;

const CHOICES: &str = include_str!("vectors/choices.md");

fn rows(text: &str) -> Vec<Value> {
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(rows.len() > 5, "the vectors are gone");
    rows
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_else(|| panic!("{name} of {row}"))
}

fn number(row: &Value, name: &str) -> usize {
    usize::try_from(row[name].as_u64().unwrap()).unwrap()
}

fn day(row: &Value, name: &str) -> Day {
    Day::from_number(u32::try_from(number(row, name)).unwrap()).unwrap()
}

fn hex(octets: &str) -> String {
    octets.bytes().map(|octet| format!("{octet:02x}")).collect()
}

fn ring(lines: &str) -> KeyRing {
    KeyRing::parse(format!("version 1\n{lines}\n").as_bytes()).unwrap()
}

/// The cells of a table of the choices whose header begins like this, without their back-ticks.
fn choices<const N: usize>(header: &str) -> Vec<[&'static str; N]> {
    let lines = CHOICES.lines().skip_while(|line| !line.starts_with(header)).skip(2);
    let cells = |line: &'static str| {
        let cells = line.trim_matches(['|', ' ']).split(" | ").map(|cell| {
            let cell = cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).unwrap_or(cell);
            if cell == "(empty)" { "" } else { cell }
        });
        <[&str; N]>::try_from(cells.collect::<Vec<_>>()).unwrap()
    };
    let rows: Vec<[&str; N]> = lines.take_while(|line| line.starts_with('|')).map(cells).collect();
    assert!(rows.len() > 5 && rows.iter().all(|row| row[N - 1].ends_with('.')), "{header}: each row has its reason");
    rows
}

fn is_legal(address: &str) -> bool {
    matches!(Path::parse(address.as_bytes()), Ok(Path::Mailbox(_)))
}

/// The address, or the slug of why there is none.
fn signed(outcome: &Result<Signed, Error>) -> String {
    match outcome {
        Ok(Signed::Done(address)) => address.to_string(),
        Ok(Signed::Unsigned(reason)) => reason.slug().into(),
        Err(Error::Address { .. }) => UNPARSABLE.into(),
        Err(error) => panic!("{error}"),
    }
}

/// The mailbox of a genuine address, or the slugs of what else it is.
fn verified(outcome: &Result<Verdict<'_>, Error>) -> String {
    match outcome {
        Ok(Verdict::Genuine(proof)) => proof.mailbox.to_string(),
        Ok(verdict) => [Some(verdict.slug()), verdict.reason()].into_iter().flatten().collect::<Vec<_>>().join(" "),
        Err(Error::Address { .. }) => UNPARSABLE.into(),
        Err(Error::NullRecipient) => "null".into(),
        Err(error) => panic!("{error}"),
    }
}

/// Neither quoted nor with blanks, within the lengths, neither tagged nor rewritten.
fn is_ordinary_sender(address: &str) -> bool {
    let known = ["prvs=", "btv1==", "SRS0="].iter().any(|head| address.starts_with(head));
    let local = address.rfind('@').unwrap();
    !known && !address.contains(['"', ' ']) && local + 16 <= backstop::MAX_LOCAL
}

#[test]
fn exim_and_we_sign_alike_and_the_rest_is_in_the_choices() {
    let choices = choices::<5>("| Exim signs");
    let mut met = vec![false; choices.len()];
    for row in rows(include_str!("vectors/exim_prvs.jsonl")) {
        let (input, output) = (text(&row, "input"), text(&row, "output"));
        let key = row["keynum"].as_str().unwrap_or("0");
        let ring = ring(&format!("prvs {key} sha1 7 - - * hex:{}", hex(text(&row, "secret"))));
        let day = day(&row, "unix_day");
        let made = batv::sign(&ring, input.as_bytes(), Form::Prefix, day);
        let checked = batv::verify(&ring, output.as_bytes(), day);
        if is_ordinary_sender(input) {
            assert_eq!(signed(&made), output);
            assert_eq!(verified(&checked), input, "{output}");
            continue;
        }
        let at = choices.iter().position(|choice| choice[1] == output);
        let at = at.unwrap_or_else(|| panic!("{output} is not among the choices"));
        met[at] = true;
        assert_eq!(input, choices[at][0]);
        assert_eq!(signed(&made), choices[at][2], "{input}");
        assert_eq!(verified(&checked), choices[at][3], "{output}");
        if let Ok(Signed::Done(address)) = made {
            assert_eq!(verified(&batv::verify(&ring, address.as_bytes(), day)), input, "{address}");
        }
    }
    assert!(!met.contains(&false), "a choice without a row: {met:?}");
}

/// The row's ring and dialect.
fn srs_settings(row: &Value) -> (KeyRing, Dialect) {
    let secrets = row["secrets"].as_array().unwrap().iter().enumerate();
    let keys = secrets.map(|(id, secret)| format!("srs {id} sha1 21 - - * hex:{}", hex(secret.as_str().unwrap())));
    let dialect = Dialect::CLASSIC
        .with_separator(text(row, "separator").chars().next().unwrap())
        .and_then(|dialect| dialect.with_hash(number(row, "hashlength"), number(row, "hashmin")))
        .and_then(|dialect| dialect.with_max_age(u16::try_from(number(row, "maxage")).unwrap()))
        .unwrap()
        .with_always_rewrite(row["alwaysrewrite"].as_bool().unwrap());
    (ring(&keys.collect::<Vec<_>>().join("\n")), dialect)
}

fn srs_answer(row: &Value, over_long: OverLong) -> String {
    let (ring, dialect) = srs_settings(row);
    let dialect = dialect.with_over_long(over_long);
    let own = Domains::parse("fwd.example.net").unwrap();
    let day = Day::from_unix_seconds(row["time"].as_i64().unwrap()).unwrap();
    let input = text(row, "input").as_bytes();
    match text(row, "op") {
        "forward" => signed(&srs::forward(&ring, input, text(row, "alias"), &own, &dialect, day)),
        _ => verified(&srs::reverse(&ring, input, &own, &dialect, day)),
    }
}

#[test]
fn all_peers_and_we_rewrite_alike_and_the_rest_is_in_the_choices() {
    let choices = choices::<5>("| row");
    let rows = rows(include_str!("vectors/srs_classic.jsonl"));
    let mut chosen = 0;
    for row in &rows {
        let (id, input) = (text(row, "id"), text(row, "input"));
        let reference = row["reference_output"].as_str().unwrap_or("error");
        let ours = srs_answer(row, OverLong::Leave);
        if row["peers_differ"].as_object().unwrap().is_empty() && is_legal(input) && is_legal(reference) {
            assert_eq!(ours, reference, "{id}");
            continue;
        }
        let choice = choices.iter().find(|choice| choice[0] == id);
        let [_, from, theirs, expected, _] = choice.unwrap_or_else(|| panic!("{id} is not among the choices"));
        chosen += 1;
        assert_eq!((input, reference), (*from, *theirs), "{id}");
        assert_eq!(ours, if *expected == "the same" { reference } else { expected }, "{id}");
        if *expected == "too-long" {
            assert_eq!(srs_answer(row, OverLong::Emit), reference, "{id}");
        }
    }
    assert_eq!(chosen, choices.len(), "a choice without a row");
}

#[test]
fn prvs_over_sha256_is_as_fixed() {
    for row in rows(include_str!("vectors/prvs_sha256.jsonl")) {
        let (input, output, day) = (text(&row, "input"), text(&row, "output"), day(&row, "day"));
        let (key, days, secret) = (text(&row, "key"), &row["days"], text(&row, "secret_hex"));
        let ring = ring(&format!("prvs {key} sha256 {days} - - * hex:{secret}"));
        assert_eq!(signed(&batv::sign(&ring, input.as_bytes(), Form::Prefix, day)), output);
        assert_eq!(verified(&batv::verify(&ring, output.as_bytes(), day)), input);
    }
}

#[test]
fn bst1_is_as_fixed() {
    for row in rows(include_str!("vectors/bst1.jsonl")) {
        let (input, output, day) = (text(&row, "input"), text(&row, "output"), day(&row, "day"));
        let ring = ring(&format!("bst1 {} sha256 10 - - * hex:{}", text(&row, "id"), text(&row, "secret_hex")));
        let made = signed(&batv::sign(&ring, input.as_bytes(), Form::Prefix, day));
        // One SRS hop puts 14 octets and the domain before the local part.
        let with_hop = output.len() - 1 + 14;
        assert_eq!(made, if with_hop <= backstop::MAX_LOCAL { output } else { "too-long" });
        assert_eq!(verified(&batv::verify(&ring, output.as_bytes(), day)), input);
    }
}

/// The octets of a nonce in base32; `None` if its last bit is set, as eight octets never leave it.
fn octets_of_nonce(nonce: &str) -> Option<[u8; 8]> {
    let value = |octet| "abcdefghijklmnopqrstuvwxyz234567".find(char::from(octet)).unwrap();
    let bits = nonce.bytes().fold(0_u128, |bits, octet| bits << 5 | u128::try_from(value(octet)).unwrap());
    (bits & 1 == 0).then(|| u64::try_from(bits >> 1).unwrap().to_be_bytes())
}

#[test]
fn marks_are_as_fixed() {
    let mut made = [0; 2];
    for row in rows(include_str!("vectors/mark.jsonl")) {
        let (from, output, day) = (text(&row, "from").as_bytes(), text(&row, "output"), day(&row, "day"));
        let ring = ring(&format!("mark {} sha256 14 - - * hex:{}", text(&row, "id"), text(&row, "secret_hex")));
        let verdict = if text(&row, "form") == "header" {
            if let Some(nonce) = octets_of_nonce(text(&row, "nonce")) {
                assert_eq!(mark::make_header(&ring, from, nonce, day), Ok(Marked::Done(output.into())));
                made[0] += 1;
            }
            mark::verify_header(&ring, output.as_bytes(), from, day)
        } else {
            let id = mark::make_message_id(&ring, text(&row, "left"), text(&row, "domain"), from, day);
            assert_eq!(id, Ok(Marked::Done(output.into())));
            made[1] += 1;
            mark::verify_message_id(&ring, output.as_bytes(), from, day)
        };
        assert_eq!(verified(&verdict), text(&row, "from"), "{output}");
    }
    assert_eq!(made, [4, 5], "one header has a nonce of 65 bits, which is only verified");
}
