//! The key ring: its text form, its refusals sentence by sentence, the choice of the signing key, and its edits.
//!
//! Files are the matter of key_file.rs, and what a rotation means for tags that of rotation.rs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use backstop::{Day, Domains, Error, Key, KeyId, KeyRing, Mac, NewKey, Secret, Unsigned, Use};
use proptest::prelude::*;

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn today() -> Day {
    day("2026-11-21")
}

fn ring(lines: &str) -> KeyRing {
    KeyRing::parse(format!("version 1\n{lines}").as_bytes()).unwrap()
}

fn id(usage: Use, character: char) -> KeyId {
    KeyId::new(usage, character).unwrap()
}

fn secret(fill: u8) -> Secret {
    Secret::new(&[fill; 32]).unwrap()
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.unwrap_err().to_string()
}

mod text {
    use super::*;

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
        ];
        for (lines, sentence) in rows {
            let number = 2 + lines.matches('\n').count();
            let expected = format!("line {number} of the key ring: {sentence}");
            assert_eq!(refusal(KeyRing::parse(format!("version 1\n{lines}\n").as_bytes())), expected, "{lines}");
        }
    }

    #[test]
    fn a_ring_that_does_not_begin_with_version_1_is_refused() {
        let first = "the ring must begin with the line `version 1`";
        for (text, line, sentence) in [
            ("", 1, first),
            ("# only a comment\n", 1, first),
            ("\n# a comment\nprvs 0 sha1 7 - - * text:a\nversion 1\n", 3, first),
            ("version 1 1\n", 1, first),
            ("versions 1\n", 1, first),
            ("version 2\n", 1, "version 2 is not known; this backstop reads version 1"),
            ("version one\n", 1, "the version must be a number; this backstop reads version 1"),
            ("version\n", 1, "the version must be a number; this backstop reads version 1"),
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
        let new = NewKey { secret: Secret::new(hidden.as_bytes()).unwrap(), ..new_prvs('0') };
        assert!(!format!("{key:?} {new:?} {:?}", ring.check(today())).contains("Zq7"));
        for error in [refusal(ring.add(&new)), refusal(ring.retire(key, today()))] {
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

fn new_prvs(character: char) -> NewKey {
    NewKey {
        usage: Use::Prvs,
        id: id(Use::Prvs, character),
        mac: Mac::Sha256,
        days: 10,
        from: Some(today()),
        until: None,
        domains: Domains::all(),
        secret: secret(1),
    }
}

mod edits {
    use super::*;

    #[test]
    fn an_empty_ring_takes_a_key_in_the_columns_of_its_comment() {
        let empty = KeyRing::empty();
        assert_eq!(KeyRing::parse(empty.as_text().as_bytes()).unwrap().as_text(), empty.as_text());
        assert_eq!(empty.keys().len(), 0);
        let domains = Domains::parse("example.com,*.example.net").unwrap();
        let new = NewKey { domains, until: Some(day("2027-02-24")), ..new_prvs('4') };
        let expected = "version 1\n\
            # use   id  mac     days  from        until       domains                      secret\n\
            prvs    4   sha256  10    2026-11-21  2027-02-24  example.com,*.example.net    \
            base32:AEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQ\n";
        assert_eq!(empty.add(&new).unwrap().as_text(), expected);
    }

    #[test]
    fn a_secret_is_written_so_that_it_reads_back() {
        let long = "x".repeat(1024);
        for (octets, written) in [
            (&b"shared with Exim"[..], "text:shared with Exim"),
            (b"# two  blanks", "text:# two  blanks"),
            ("schlüssel".as_bytes(), "text:schlüssel"),
            (b" leading", "base64:IGxlYWRpbmc="),
            (b"line\n", "base64:bGluZQo="),
            (b"tab\tbed", "base64:dGFiCWJlZA=="),
            ("\u{a0}x".as_bytes(), "base64:wqB4"),
            (b"\xff", "base64:/w=="),
            (&[0; 32], "base32:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            (long.as_bytes(), &format!("text:{long}")),
        ] {
            let new = NewKey { secret: Secret::new(octets).unwrap(), ..new_prvs('4') };
            let ring = KeyRing::empty().add(&new).unwrap();
            assert!(ring.as_text().ends_with(&format!("* {:27}{written}\n", "")), "{}", ring.as_text());
            assert_eq!(ring.keys()[0].secret_len(), octets.len());
            let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
            let same = super::ring(&format!("prvs 4 sha256 10 2026-11-21 - * hex:{hex}"));
            assert_eq!(ring.keys()[0].fingerprint(), same.keys()[0].fingerprint());
        }
    }

    #[test]
    fn a_key_that_cannot_stand_in_the_ring_is_not_added() {
        let one = KeyRing::empty().add(&new_prvs('4')).unwrap();
        let same = "line 3 has a prvs key of the same id for the same domains; choose another id";
        assert_eq!(refusal(one.add(&new_prvs('4'))), format!("line 4 of the key ring: {same}"));
        let other = NewKey { usage: Use::Bst1, id: id(Use::Bst1, 'k'), ..new_prvs('0') };
        let same = "line 3 has the same secret for another use; give each use its own";
        assert_eq!(refusal(one.add(&other)), format!("line 4 of the key ring: {same}"));
        let many = NewKey { days: 100, ..new_prvs('5') };
        let days = "column 4 (days) must be a number from 1 to 99 for prvs";
        assert_eq!(refusal(one.add(&many)), format!("line 4 of the key ring: {days}"));
    }

    #[test]
    fn ids_are_the_characters_of_their_use() {
        for usage in Use::ALL {
            let known: String = (0..=255).map(char::from).filter(|&c| KeyId::new(usage, c).is_ok()).collect();
            let digits = matches!(usage, Use::Prvs | Use::Srs);
            assert_eq!(known, if digits { "0123456789" } else { "234567abcdefghijklmnopqrstuvwxyz" });
        }
        assert_eq!(refusal(KeyId::new(Use::Prvs, 'k')), "the id of a prvs key must be a digit");
        assert_eq!(refusal(KeyId::new(Use::Mark, '1')), "the id of a mark key must be one of a-z2-7");
    }

    #[test]
    fn a_free_id_is_one_that_no_overlapping_key_has() {
        let lines: String = "012345678".chars().map(|c| format!("prvs {c} sha1 7 - 2020-01-01 * text:{c}\n")).collect();
        let nearly = ring(&lines);
        let all = Domains::all();
        for random in 0..=255 {
            assert_eq!(nearly.free_id(Use::Prvs, &all, random).unwrap(), id(Use::Prvs, '9'));
        }
        let full = ring(&format!("{lines}prvs 9 sha1 7 - - a.example text:9\n"));
        let other = Domains::parse("b.example").unwrap();
        assert_eq!(full.free_id(Use::Prvs, &other, 77).unwrap(), id(Use::Prvs, '9'));
        let expected = "all 10 ids of prvs are in use for these domains; run `backstop key prune`";
        assert_eq!(refusal(full.free_id(Use::Prvs, &all, 0)), expected);
        let mut found: Vec<char> = (0..=255).map(|r| full.free_id(Use::Bst1, &all, r).unwrap().as_char()).collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), 32);
    }

    #[test]
    fn a_key_is_selected_by_what_makes_it_the_only_one() {
        let ring = ring(
            "prvs 0 sha1 7 -          2026-11-25 *         text:0\n\
             prvs 1 sha1 7 2026-11-20 -          *         text:1\n\
             prvs 2 sha1 7 2026-12-01 -          *         text:2\n\
             srs  0 sha1 7 -          -          a.example text:3\n\
             srs  0 sha1 7 -          -          b.example text:4\n",
        );
        let select = |usage, wanted: Option<char>, domain| {
            let wanted = wanted.map(|wanted| id(usage, wanted));
            ring.select(usage, wanted, domain, today()).map(Key::line)
        };
        assert_eq!(select(Use::Prvs, Some('0'), None), Ok(2));
        assert_eq!(select(Use::Prvs, Some('2'), Some("x.example")), Ok(4));
        assert_eq!(select(Use::Prvs, None, None), Ok(3), "the old key is replaced, the next not yet signing");
        assert_eq!(select(Use::Srs, Some('0'), Some("B.example")), Ok(6));
        assert_eq!(select(Use::Srs, None, Some("a.example")), Ok(5));
        for (found, expected) in [
            (
                select(Use::Srs, Some('0'), None),
                "the ring has more than one srs key 0, on lines 5 and 6; say which by its domain",
            ),
            (
                select(Use::Srs, None, None),
                "the ring has more than one srs key that signs today, on lines 5 and 6; say which by its id or domain",
            ),
            (
                select(Use::Prvs, Some('7'), None),
                "the ring has no fitting prvs key 7; `backstop key list` shows its keys",
            ),
            (
                select(Use::Mark, None, None),
                "the ring has no fitting mark key that signs today; `backstop key list` shows its keys",
            ),
        ] {
            assert_eq!(refusal(found), expected);
        }
    }

    fn rotated(ring: &KeyRing, line: usize) -> Result<KeyRing, Error> {
        let key = ring.keys().iter().find(|key| key.line() == line).unwrap();
        ring.rotate(key, today(), id(key.usage(), '7'), &secret(7))
    }

    #[test]
    fn a_rotation_adds_the_successor_below_and_ends_the_old_key() {
        let ring = ring(
            "prvs    4   sha256  10    2026-01-01  -           example.com   text:old secret # and all\r\n\
             # below\n\
             srs 0 sha1 21 - - * text:other\n",
        );
        let written = "base32:A4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQ";
        let expected = format!(
            "version 1\n\
             prvs    4   sha256  10    2026-01-01  2026-11-27  example.com   text:old secret # and all\r\n\
             prvs    7   sha256  10    2026-11-24  -           example.com                  {written}\r\n\
             # below\n\
             srs 0 sha1 21 - - * text:other\n"
        );
        assert_eq!(rotated(&ring, 2).unwrap().as_text(), expected);
    }

    #[test]
    fn a_rotation_lengthens_no_life_and_leaves_no_day_unsigned() {
        for (until, new_from, new_until) in [
            ("-", "2026-11-24", "2026-11-27"),
            ("2027-11-21", "2026-11-24", "2026-11-27"),
            ("2026-11-27", "2026-11-24", "2026-11-27"),
            ("2026-11-25", "2026-11-24", "2026-11-25"),
            ("2026-11-23", "2026-11-24", "2026-11-23"),
            ("2026-11-22", "2026-11-23", "2026-11-22"),
            ("2026-11-21", "2026-11-22", "2026-11-21"),
            ("2026-11-20", "2026-11-21", "2026-11-20"),
            ("2025-01-01", "2026-11-21", "2025-01-01"),
        ] {
            let ring = rotated(&ring(&format!("bst1 k sha256 10 - {until} * text:old")), 2).unwrap();
            assert_eq!(ring.keys()[0].until(), Some(day(new_until)), "{until}");
            assert_eq!((ring.keys()[1].from(), ring.keys()[1].until()), (Some(day(new_from)), None), "{until}");
        }
    }

    #[test]
    fn a_key_is_rotated_once_and_not_before_it_signs() {
        let ring = ring(
            "prvs 0 sha1 7 -          - *         text:0\n\
             prvs 1 sha1 7 2026-11-24 - *         text:1\n\
             prvs 2 sha1 7 2020-01-01 - a.example text:2\n\
             prvs 3 sha1 7 2021-01-01 2026-11-20 a.example text:3\n\
             prvs 4 sha1 7 -          - b.example text:4\n",
        );
        let expected = "line 3 holds a successor of this key, from 2026-11-24 on; rotate that one, once it signs";
        assert_eq!(refusal(rotated(&ring, 2)), expected);
        assert_eq!(refusal(rotated(&ring, 3)), "this key signs only from 2026-11-24 on; rotate it after that day");
        assert!(rotated(&ring, 4).is_ok(), "its later neighbour has ended");
        assert!(rotated(&ring, 6).is_ok(), "keys for other domains are no successors");
    }

    #[test]
    fn a_retired_key_must_leave_a_signer_for_each_of_its_domains() {
        let ring = ring(
            "prvs 0 sha1 7 -          -          *,!c.example        text:0\n\
             prvs 1 sha1 7 2026-11-24 -          *                   text:1\n\
             prvs 2 sha1 7 2026-11-01 2026-12-01 d.example,e.example text:2\n\
             bst1 a sha256 7 -        -          a.example,b.example text:a\n\
             bst1 b sha256 7 -        -          a.example           text:b\n\
             bst1 c sha256 7 -        2026-11-30 b.example           text:c\n",
        );
        let retired = |line: usize, on: &str| {
            let key = ring.keys().iter().find(|key| key.line() == line).unwrap();
            ring.retire(key, day(on)).map(|ring| ring.keys()[line - 2].until().unwrap().to_string())
        };
        assert_eq!(retired(2, "2026-11-23").as_deref(), Ok("2026-11-23"));
        let gap = "no other prvs key signs for all domains of this one on 2026-11-23; \
                   rotate it first, or choose a later day";
        assert_eq!(refusal(retired(2, "2026-11-22")), gap);
        assert_eq!(retired(4, "2026-11-21").as_deref(), Ok("2026-11-21"), "line 2 covers both its domains");
        assert_eq!(retired(5, "2026-11-29").as_deref(), Ok("2026-11-29"), "two keys cover one domain each");
        let gap = "no other bst1 key signs for all domains of this one on 2026-12-01; \
                   rotate it first, or choose a later day";
        assert_eq!(refusal(retired(5, "2026-11-30")), gap);
        assert_eq!(refusal(retired(4, "2026-12-02")), "this key ends on 2026-12-01 already; choose no later day");
        let early = "this key signs only from 2026-11-24 on; delete line 3 to drop it";
        assert_eq!(refusal(retired(3, "2026-11-23")), early);
    }

    #[test]
    fn a_key_goes_once_no_host_can_take_a_tag_of_it() {
        let dated =
            |until: &str| ring(&format!("# kept\nprvs 0 sha256 7 - {until} * text:0\nsrs 0 sha1 9 - - * text:1"));
        let open = ring("prvs 0 sha256 7 - - * text:0");
        let (until, key) = (day("2026-11-01"), dated("2026-11-01"));
        let last = until.plus(7 + 2);
        assert_eq!(key.prune(last).unwrap().1, 0);
        let (pruned, count) = key.prune(last.plus(1)).unwrap();
        assert_eq!((pruned.as_text(), count), ("version 1\n# kept\nsrs 0 sha1 9 - - * text:1", 1));

        // The slowest clock of the site still shows `last` on the day of pruning.
        let genuine = |signed: Day, today: Day| {
            let tag = backstop::batv::sign(&open, b"a@a.example", backstop::Form::Prefix, signed).unwrap();
            let verdict = backstop::batv::verify(&key, tag.address().unwrap().as_bytes(), today).unwrap();
            verdict.slug() == "genuine"
        };
        let signed = || (0..30).map(|back| until.plus(5).minus(back));
        assert!(signed().any(|signed| genuine(signed, last.minus(1))));
        assert!(!signed().any(|signed| genuine(signed, last)));
        assert_eq!(open.prune(Day::MAX).unwrap().1, 0, "an open key never goes");
    }

    #[test]
    fn a_key_of_an_older_ring_is_not_edited() {
        let old = ring("prvs 0 sha1 7 - - * text:0\nprvs 1 sha1 7 - - * text:1");
        let new = old.retire(&old.keys()[0], today()).unwrap();
        let expected = "the ring has changed since this key was chosen; try again";
        assert_eq!(refusal(new.retire(&old.keys()[0], today())), expected);
        assert_eq!(refusal(new.rotate(&old.keys()[0], today(), id(Use::Prvs, '2'), &secret(2))), expected);
    }
}

mod findings {
    use super::*;

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
            (format!("prvs 0 sha256 10 2026-11-22 - * {text}"), "no-signer!"),
            (format!("prvs 0 sha256 10 - 2026-12-05 * {text}"), "ends-soon2!"),
            (format!("prvs 0 sha256 10 - 2026-12-06 * {text}"), ""),
            (format!("prvs 0 sha256 10 - 2026-11-20 * {text}"), "no-signer!"),
            (format!("prvs 0 sha256 10 - 2026-11-08 * {text}"), "no-signer! prunable2!"),
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
            (format!("bst1 k sha256 10 2026-01-01 - * {text}"), "no-fallback2"),
            (format!("bst1 k sha256 10 2026-01-01 - * {text}\nprvs 1 sha256 10 2026-11-20 - * {text} also"), ""),
        ] {
            assert_eq!(found(&lines), expected, "{lines}");
        }
    }

    #[test]
    fn a_finding_is_one_sentence_that_names_the_key() {
        let ring = ring("prvs 0 sha1 7 - 2026-11-25 * text:short");
        let sentences: Vec<String> = ring.check(today()).into_iter().map(|finding| finding.sentence).collect();
        let sha1 = "is sha1, so that tags of mixed-case addresses verify only where the case came back; \
                    use sha256 unless Exim shares the key";
        assert_eq!(
            sentences,
            [
                "prvs key 0 on line 2 ends on 2026-11-25 and has no successor; rotate it".to_string(),
                "prvs key 0 on line 2 has a secret of less than 16 octets; rotate it".to_string(),
                format!("prvs key 0 on line 2 {sha1}"),
            ]
        );
    }
}

mod properties {
    use super::*;

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

    fn write(items: &[(Item, usize)], open_end: bool) -> String {
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
        if open_end { text.trim_end_matches(['\r', '\n']).to_string() } else { text }
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn a_ring_is_read_and_printed_without_loss(
            items in proptest::collection::vec(item(), 0..24),
            open_end: bool,
        ) {
            let text = write(&items, open_end);
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
            open_end: bool,
            which: prop::sample::Index,
            ahead in 0..60_u32,
        ) {
            let text = write(&items, open_end);
            let ring = KeyRing::parse(text.as_bytes()).unwrap();
            let old = lines(&text);
            // The last line gets an end when another follows it, and is else the same.
            let same = |old: &str, new: &str| old == new || (!old.ends_with('\n') && new.trim_end() == old.trim_end());

            let id9 = NewKey { domains: Domains::parse("new.example").unwrap(), ..new_prvs('9') };
            let added = ring.add(&id9).unwrap();
            let new = lines(added.as_text());
            prop_assert_eq!(new.len(), old.len() + 1);
            prop_assert!(old.iter().zip(&new).all(|(old, new)| same(old, new)));

            let (pruned, count) = ring.prune(today()).unwrap();
            let gone = |key: &&Key| key.until().is_some_and(|until| until.plus(11) < today());
            let gone: Vec<usize> = ring.keys().iter().filter(gone).map(Key::line).collect();
            let kept: String = (1..).zip(&old).filter(|(at, _)| !gone.contains(at)).map(|(_, line)| *line).collect();
            prop_assert_eq!((pruned.as_text(), count), (kept.as_str(), gone.len()));

            if ring.keys().is_empty() {
                return Ok(());
            }
            let key = which.get(ring.keys());
            let free = ring.free_id(key.usage(), key.domains(), 0).unwrap();
            let rotated = ring.rotate(key, today(), free, &secret(9)).unwrap();
            let mut new = lines(rotated.as_text());
            prop_assert_eq!(new.len(), old.len() + 1);
            let ends = |line: &str| line.trim_end_matches(['\r', '\n']).len();
            prop_assert_eq!(words(new.remove(key.line()))[1], free.to_string());
            for (at, (old, new)) in (1..).zip(old.iter().zip(&new)) {
                let edited = at == key.line() && differs_in_until_only(&old[..ends(old)], &new[..ends(new)]);
                prop_assert!(edited || same(old, new), "{:?} {:?}", old, new);
            }

            if let Ok(retired) = ring.retire(key, today().plus(ahead)) {
                let new = lines(retired.as_text());
                prop_assert_eq!(new.len(), old.len());
                for (at, (old, new)) in (1..).zip(old.iter().zip(&new)) {
                    prop_assert!(old == new || (at == key.line() && differs_in_until_only(old, new)));
                }
            }
        }
    }
}
