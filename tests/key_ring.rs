//! The key ring: its refusals sentence by sentence, and the choice of the signing key.
//!
//! key_edits.rs has the edits, key_check.rs the findings, key_properties.rs what holds for every ring, key_file.rs the files and
//! rotation.rs what a rotation means for tags.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use backstop::{Day, Domains, Error, KeyId, KeyRing, Mac, NewKey, Secret, Unsigned, Use};

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn ring(lines: &str) -> KeyRing {
    KeyRing::parse(format!("version 1\n{}\n", lines.trim_end_matches('\n')).as_bytes()).unwrap()
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.unwrap_err().to_string()
}

mod text {
    use super::*;

    #[test]
    fn a_ring_names_at_most_ten_thousand_domains() {
        let domains = |count: usize| vec!["a.example"; count].join(",");
        let ring = |first, second| {
            let (first, second) = (domains(first), domains(second));
            format!("version 1\nprvs 0 sha1 7 - - {first} text:one\nprvs 1 sha1 7 - - {second} text:two\n")
        };
        assert!(KeyRing::parse(ring(5_000, 5_000).as_bytes()).is_ok());
        let error = KeyRing::parse(ring(5_000, 5_001).as_bytes()).unwrap_err();
        let sentence = "line 3 of the key ring: a ring may name 10000 domains; use `*`, or `*.` and a suffix";
        assert_eq!(error.to_string(), sentence);
    }

    #[test]
    fn each_rule_refuses_with_its_sentence() {
        let columns = "a key has eight columns: use id mac days from until domains secret";
        let pattern = "this is no domain; write example.com, *.example.net, !lists.example.net or *";
        let fault = |position: u8| format!("column 7 (domains) has a fault: domain pattern {position}: {pattern}");
        let rows: &[(&str, &str)] = &[
            ("prvs", columns),
            ("prvs 0 sha1 7 - - *", columns),
            ("PRVS 0 sha1 7 - - * text:a", "column 1 (use) must be prvs, bst1, srs or mark"),
            (" # no comment", columns),
            ("dkim 0 sha1 7 - - * text:a", "column 1 (use) must be prvs, bst1, srs or mark"),
            ("prvs a sha1 7 - - * text:a", "column 2 (id) must be a digit for prvs"),
            ("prvs 10 sha1 7 - - * text:a", "column 2 (id) must be a digit for prvs"),
            ("srs k sha1 7 - - * text:a", "column 2 (id) must be a digit for srs"),
            ("bst1 1 sha256 7 - - * text:a", "column 2 (id) must be one of a-z2-7 for bst1"),
            ("bst1 A sha256 7 - - * text:a", "column 2 (id) must be one of a-z2-7 for bst1"),
            ("mark é sha256 7 - - * text:a", "column 2 (id) must be one of a-z2-7 for mark"),
            ("prvs 0 md5 7 - - * text:a", "column 3 (mac) must be sha1 or sha256"),
            ("srs 0 sha256 7 - - * text:a", "column 3 (mac) must be sha1 for srs"),
            ("bst1 a sha1 7 - - * text:a", "column 3 (mac) must be sha256 for bst1"),
            ("mark a sha1 7 - - * text:a", "column 3 (mac) must be sha256 for mark"),
            ("prvs 0 sha1 0 - - * text:a", "column 4 (days) must be a number from 1 to 99 for prvs"),
            ("prvs 0 sha1 100 - - * text:a", "column 4 (days) must be a number from 1 to 99 for prvs"),
            ("prvs 0 sha1 +7 - - * text:a", "column 4 (days) must be a number from 1 to 99 for prvs"),
            ("prvs 0 sha1 07 - - * text:a", "column 4 (days) must be a number from 1 to 99 for prvs"),
            ("srs 0 sha1 501 - - * text:a", "column 4 (days) must be a number from 1 to 500 for srs"),
            ("prvs 0 sha1 7 2026-02-29 - * text:a", "column 5 (from) must be `-` or a date such as 2026-11-21"),
            ("prvs 0 sha1 7 - 2026-13-01 * text:a", "column 6 (until) must be `-` or a date such as 2026-11-21"),
            ("prvs 0 sha1 7 - tomorrow * text:a", "column 6 (until) must be `-` or a date such as 2026-11-21"),
            (
                "prvs 0 sha1 7 2026-11-21 2026-11-20 * text:a",
                "column 6 (until) lies before `from`; the key would never sign",
            ),
            ("prvs 0 sha1 7 - - a..b text:a", &fault(1)),
            ("prvs 0 sha1 7 - - a.example,*b text:a", &fault(2)),
            (
                "prvs 0 sha1 7 - - !a.example text:a",
                "column 7 (domains) has a fault: domain pattern 1: the list only takes away; put `*` or a domain before it",
            ),
            ("prvs 0 sha1 7 - - * secret", "column 8 (secret) must begin with text:, hex:, base32: or base64:"),
            ("prvs 0 sha1 7 - - * rot13:a", "column 8 (secret) must begin with text:, hex:, base32: or base64:"),
            ("prvs 0 sha1 7 - - * text:", "column 8 (secret) must have 1 to 1024 octets"),
            ("prvs 0 sha1 7 - - * hex:", "column 8 (secret) must have 1 to 1024 octets"),
            (
                "prvs 0 sha1 7 - - * text: a",
                "column 8 (secret) has blanks at an end of text:; write it as hex: or base64:",
            ),
            (
                "prvs 0 sha1 7 - - * text:a\t",
                "column 8 (secret) has blanks at an end of text:; write it as hex: or base64:",
            ),
            (
                "prvs 0 sha1 7 - - * text:a\0b",
                "column 8 (secret) has a control character in text:; write it as hex: or base64:",
            ),
            ("prvs 0 sha1 7 - - * hex:abc", "column 8 (secret) is not hex"),
            ("prvs 0 sha1 7 - - * hex:zz", "column 8 (secret) is not hex"),
            ("prvs 0 sha1 7 - - * base32:ab1", "column 8 (secret) is not base32"),
            ("prvs 0 sha1 7 - - * base64:a", "column 8 (secret) is not base64"),
            ("prvs 0 sha1 7 - - * base64:ab d", "column 8 (secret) is not base64"),
            (
                "prvs 0 sha1 7 - - * text:one\nsrs 0 sha1 21 - - * hex:6f6e65",
                "line 2 has the same secret for another use; give each use its own",
            ),
            (
                "prvs 0 sha1 7 - 2020-01-01 *,!b.example text:one\nprvs 0 sha256 7 2026-01-01 - a.example text:two",
                "line 2 has a prvs key of the same id for the same domains; choose another id",
            ),
            (
                "prvs 0 sha256 7 - - a.example text:one\nprvs 0 sha1 7 - - * text:two",
                "line 2 has a prvs key of the same id for the same domains; choose another id, in Exim too if it has this key",
            ),
        ];
        for (lines, sentence) in rows {
            let number = 2 + lines.matches('\n').count();
            let expected = format!("line {number} of the key ring: {sentence}");
            assert_eq!(refusal(KeyRing::parse(format!("version 1\n{lines}\n").as_bytes())), expected, "{lines}");
        }
    }

    #[test]
    fn a_ring_that_does_not_begin_with_version_1_is_refused() {
        let first = "this is no key ring, which begins with the line `version 1`";
        for (text, line, sentence) in [
            ("", 1, first),
            ("# only a comment\n", 1, first),
            ("\n# a comment\nprvs 0 sha1 7 - - * text:a\nversion 1\n", 3, first),
            ("version 1 1\n", 1, first),
            ("\u{feff}version 1\n", 1, "the file begins with a byte order mark; save it as UTF-8 without one"),
            ("versions 1\n", 1, first),
            ("version 2\n", 1, "version 2 is not known; this backstop reads version 1"),
            ("version 01\n", 1, "the version must be a plain number; this backstop reads version 1"),
            // What stands there may be a secret in the wrong place.
            ("version 00000000000000000002\n", 1, "version 2 is not known; this backstop reads version 1"),
            ("version one\n", 1, "the version must be a plain number; this backstop reads version 1"),
            ("version\n", 1, "the version must be a plain number; this backstop reads version 1"),
            ("not a ring", 1, first),
            ("[policy]\nmode = \"enforce\"", 1, first),
            ("versi", 1, first),
            ("version 2", 1, "version 2 is not known; this backstop reads version 1"),
            ("version 1\nversion 1\n", 2, "a key has eight columns: use id mac days from until domains secret"),
        ] {
            let expected = format!("line {line} of the key ring: {sentence}");
            assert_eq!(refusal(KeyRing::parse(text.as_bytes())), expected, "{text:?}");
        }
    }

    #[test]
    fn rings_beyond_the_limits_are_refused() {
        let long = format!("version 1\n#{}\n", "x".repeat(1 << 20));
        let expected = "line 1 of the key ring: it is longer than 1048576 octets; prune it";
        assert_eq!(refusal(KeyRing::parse(long.as_bytes())), expected);

        let key = |number: usize| format!("srs 0 sha1 9 - - d{number}.example text:secret\n");
        let many: String = (0..1000).map(key).collect();
        assert_eq!(ring(&many).keys().len(), 1000);
        let more = format!("version 1\n{many}{}", key(1000));
        let expected = "line 1002 of the key ring: a ring may hold 1000 keys; prune it";
        assert_eq!(refusal(KeyRing::parse(more.as_bytes())), expected);

        let bytes = b"version 1\n# fine\nprvs 0 sha1 7 - - * text:\xff\xfe\n";
        let expected = "line 3 of the key ring: it is not UTF-8; write a secret of other octets as hex: or base64:";
        assert_eq!(refusal(KeyRing::parse(bytes)), expected);
    }

    #[test]
    fn the_same_octets_in_every_form_are_the_same_key() {
        let forms = [
            "text:one two",
            "hex:6F6e652074776f",
            "base32:n5xgkidUO5XQ",
            "base32:N5XGKIDUO5XQ====",
            "base64:b25lIHR3bw==",
            "base64:b25lIHR3bw \t",
        ];
        let prints = forms.map(|form| ring(&format!("prvs 0 sha1 7 - - * {form}")).keys()[0].fingerprint());
        assert!(prints.iter().all(|print| print == &prints[0]), "{prints:?}");
        let other = ring("prvs 0 sha1 7 - - * text:one twO").keys()[0].fingerprint();
        assert_ne!(other, prints[0]);
    }

    #[test]
    fn a_ring_cut_off_anywhere_in_a_line_is_refused() {
        let mut whole = KeyRing::empty();
        for (usage, secret) in [(Use::Prvs, [7; 32]), (Use::Srs, [8; 32]), (Use::Mark, [9; 32])] {
            let key = NewKey {
                usage,
                id: KeyId::new(usage, usage.ids()[0].into()).unwrap(),
                mac: usage.default_mac(),
                days: usage.default_days(),
                from: None,
                until: None,
                domains: Domains::parse("*").unwrap(),
                secret: Secret::new(&secret).unwrap(),
            };
            whole = whole.add(&key).unwrap();
        }
        let text = whole.as_text();
        assert!(text.contains("base32:"));
        // A part of the version line is no ring yet.
        for length in "version 1".len()..text.len() {
            let cut = &text[..length];
            match KeyRing::parse(cut.as_bytes()) {
                Ok(_) => assert!(cut.ends_with('\n'), "{cut}"),
                Err(error) => {
                    let line = cut.lines().count();
                    let told = format!(
                        "line {line} of the key ring: the text ends in the middle of a line; copy it whole, or end the last line"
                    );
                    assert_eq!(error.to_string(), told);
                }
            }
        }
        for end in ["\r", " ", "\n ", "\n# a comment"] {
            let text = format!("version 1\nprvs 0 sha1 7 - - * text:secret{end}");
            assert!(KeyRing::parse(text.as_bytes()).is_err(), "{end:?}");
        }
    }

    #[test]
    fn base32_and_base64_are_taken_only_as_they_are_written() {
        for wrong in [
            "base32:N5XGKIDUO5XR",
            "base32:N5XGKIDUO5XQ=",
            "base32:N5XGKIDUO5XQ========",
            "base32:N5XGKIDUO5X",
            "base32:N5XGKIDUO",
            "base64:b25lIHR3bx==",
            "base64:b25lIHR3bx",
            "base64:b25lIHR3bw=",
        ] {
            let told = refusal(KeyRing::parse(format!("version 1\nprvs 0 sha1 7 - - * {wrong}\n").as_bytes()));
            assert!(told.starts_with("line 2 of the key ring: column 8 (secret) is not base"), "{wrong}: {told}");
        }
    }

    #[test]
    fn keys_that_cannot_meet_may_share_an_id_and_keys_of_one_use_a_secret() {
        let ring = ring(
            "prvs 0 sha1 7 - - a.example text:one\n\
             prvs 0 sha1 7 - - *,!a.example text:one\n\
             prvs 1 sha1 7 - - * text:one\n\
             srs 0 sha1 7 - - * text:two\n",
        );
        assert_eq!(ring.keys().len(), 4);
    }

    /// The eight columns of a key, its secret column last.
    const COLUMNS: [&str; 8] = ["prvs", "4", "sha256", "10", "2026-11-21", "-", "*", "text:ordinary"];

    #[test]
    fn no_message_and_no_debug_output_repeats_a_column() {
        let hidden = "Zq7hiddenZq7";
        let mut refused = 0;
        for value in [hidden.to_string(), format!("text:{hidden}"), format!("hex:{hidden}"), format!("!{hidden}")] {
            for at in 0..8 {
                let mut columns = COLUMNS;
                columns[at] = &value;
                let line = columns.join(" ");
                let short = columns[..=at].join(" ");
                for text in [
                    format!("version 1\n{line}"),
                    format!("version 1\n{short}"),
                    format!("version 1\n{line}\n{line}"),
                    format!("version {value}"),
                    format!("{value} 1\n{line}"),
                    format!("{line}\nversion 1"),
                    format!("version 1\n{line}\0"),
                    format!("version 1\nsrs 0 sha1 7 - - * text:{hidden}\n{line}"),
                ] {
                    match KeyRing::parse(text.as_bytes()) {
                        Ok(ring) => assert!(!format!("{ring:?}").contains("Zq7"), "{text}"),
                        Err(error) => {
                            refused += 1;
                            assert!(!format!("{error} {error:?}").contains("Zq7"), "{text}: {error}");
                        }
                    }
                }
            }
        }
        assert!(refused > 100, "{refused}");
        let ring = ring(&format!("prvs 0 sha1 7 - - * text:{hidden}"));
        let key = &ring.keys()[0];
        let new = NewKey {
            usage: Use::Prvs,
            id: key.id(),
            mac: Mac::Sha256,
            days: 10,
            from: None,
            until: None,
            domains: Domains::all(),
            secret: Secret::new(hidden.as_bytes()).unwrap(),
        };
        let today = day("2026-11-21");
        assert!(!format!("{key:?} {new:?} {:?}", ring.check(today)).contains("Zq7"));
        for error in [refusal(ring.add(&new)), refusal(ring.retire(key, today))] {
            assert!(!error.contains("Zq7"), "{error}");
        }
    }
}

mod choice {
    use super::*;

    fn chosen(ring: &KeyRing, usage: Use, domain: &str, on: &str) -> Result<char, Unsigned> {
        ring.signing_key(usage, domain.as_bytes(), day(on)).map(|key| key.id().as_char())
    }

    #[test]
    fn the_closest_domain_then_the_latest_from_then_the_first_line_signs() {
        let ring = ring(
            "prvs 0 sha1 7 -          -          *                 text:0\n\
             prvs 1 sha1 7 2026-01-01 2026-12-31 *                 text:1\n\
             prvs 2 sha1 7 2026-06-01 -          *                 text:2\n\
             prvs 3 sha1 7 2026-06-01 -          *                 text:3\n\
             prvs 4 sha1 7 -          -          *.example         text:4\n\
             prvs 5 sha1 7 2026-03-01 2026-03-31 a.example,b.test  text:5\n\
             mark m sha256 7 - 2026-03-31 a.example                text:m\n",
        );
        for (domain, on, expected) in [
            ("other.test", "2025-12-31", '0'),
            ("other.test", "2026-01-01", '1'),
            ("other.test", "2026-05-31", '1'),
            ("other.test", "2026-06-01", '2'),
            ("other.test", "2027-01-01", '2'),
            ("c.example", "2026-06-01", '4'),
            ("A.EXAMPLE", "2026-02-28", '4'),
            ("a.example", "2026-03-01", '5'),
            ("a.example", "2026-03-31", '5'),
            ("a.example", "2026-04-01", '4'),
            ("b.test", "2026-03-15", '5'),
            ("b.test", "2026-04-01", '1'),
        ] {
            assert_eq!(chosen(&ring, Use::Prvs, domain, on), Ok(expected), "{domain} {on}");
        }
        assert_eq!(chosen(&ring, Use::Mark, "a.example", "2026-03-31"), Ok('m'));
        assert_eq!(chosen(&ring, Use::Mark, "a.example", "2026-04-01"), Err(Unsigned::NoKey));
        assert_eq!(chosen(&ring, Use::Mark, "b.example", "2026-03-01"), Err(Unsigned::NotOwn));
        assert_eq!(chosen(&ring, Use::Srs, "a.example", "2026-03-01"), Err(Unsigned::NotOwn));
    }
}

#[test]
fn a_ring_and_its_keys_are_named_in_debug_by_use_id_and_fingerprint() {
    let ring = ring("prvs 0 sha1 7 - - * text:a secret\nbst1 k sha256 9 - - * text:another\n");
    let [one, two] = ring.keys() else { panic!("{ring:?}") };
    assert_eq!((one.days(), two.days()), (7, 9));
    assert_eq!(format!("{one:?}"), format!("Key(prvs 0 {})", one.fingerprint()));
    assert_eq!(format!("{ring:?}"), format!("KeyRing([{one:?}, {two:?}])"));
    assert_eq!(one.fingerprint().to_string().len(), 8);
    assert_ne!(one.fingerprint().to_string(), two.fingerprint().to_string());
    assert_eq!(format!("{:?}", Secret::new(b"a secret").unwrap()), "Secret(..)");
}

#[test]
fn two_rings_have_one_fingerprint_only_if_their_keys_have() {
    let print = |lines: &str| ring(lines).fingerprint();
    assert_eq!(print("prvs 0 sha1 7 - - * text:a\n"), print("# a comment\nprvs 0 sha1 7 - - * text:a\n"));
    assert_ne!(print("prvs 0 sha1 7 - - * text:a\n"), print("prvs 0 sha1 7 - - * text:b\n"));
}

#[test]
fn a_key_may_sign_on_one_day_only_and_a_ring_may_have_all_its_octets() {
    assert!(KeyRing::parse(b"version 1\nprvs 0 sha1 7 2026-11-21 2026-11-21 * text:a\n").is_ok());
    let text = |length: usize| format!("version 1\n{}\n", "#".repeat(length - 11));
    assert!(KeyRing::parse(text(1 << 20).as_bytes()).is_ok());
    assert!(KeyRing::parse(text((1 << 20) + 1).as_bytes()).is_err());
}

#[test]
fn every_use_takes_its_defaults() {
    for usage in Use::ALL {
        let taken: Vec<Mac> = Mac::ALL.iter().copied().filter(|mac| usage.takes(*mac)).collect();
        assert!(taken.contains(&usage.default_mac()), "{usage}");
        assert!((1..=usage.max_days()).contains(&usage.default_days()), "{usage}");
    }
}
