//! Edits of a key ring, case by case.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use backstop::policy::{Client, Forwarding, Mode, Policy};
use backstop::{Day, Domains, Error, Key, KeyId, KeyRing, Mac, NewKey, Secret, Use};

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn today() -> Day {
    day("2026-11-21")
}

fn ring(lines: &str) -> KeyRing {
    KeyRing::parse(format!("version 1\n{}\n", lines.trim_end_matches('\n')).as_bytes()).unwrap()
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
        let twice = "line 3 has this secret already, as prvs key 4; give another secret, or other domains";
        assert_eq!(refusal(one.add(&new_prvs('5'))), twice);
        let same = "line 3 has a prvs key of the same id for the same domains; choose another id";
        assert_eq!(
            refusal(one.add(&NewKey { secret: secret(9), ..new_prvs('4') })),
            format!("line 4 of the key ring: {same}")
        );
        let other = NewKey { usage: Use::Bst1, id: id(Use::Bst1, 'k'), ..new_prvs('0') };
        let same = "line 3 has the same secret for another use; give each use its own";
        assert_eq!(refusal(one.add(&other)), format!("line 4 of the key ring: {same}"));
        let many = NewKey { days: 100, secret: secret(9), ..new_prvs('5') };
        let days = "column 4 (days) must be a number from 1 to 99 for prvs";
        assert_eq!(refusal(one.add(&many)), format!("line 4 of the key ring: {days}"));
    }

    #[test]
    fn ids_are_the_characters_of_their_use() {
        for &usage in Use::ALL {
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
        let refused = |ring: &KeyRing, domains| refusal(ring.free_id(Use::Prvs, domains, 0));
        let in_use = "all 10 ids of prvs are in use for these domains; ";
        let expected = "`backstop key prune` frees the first from 2020-07-20 on";
        assert_eq!(refused(&full, &all), format!("{in_use}{expected}"));
        assert_eq!(full.prune(day("2020-07-19")).unwrap().1, 0);
        assert!(full.prune(day("2020-07-20")).unwrap().0.free_id(Use::Prvs, &all, 0).is_ok());
        let shared = full.as_text().replacen("2020-01-01 *", "2020-01-01 a.example", 1).replace("prvs 8", "srs 8");
        let shared = ring(&format!(
            "{}prvs 0 sha1 7 - - b.example text:other\nprvs 8 sha1 20 - 2019-12-01 * text:last\n",
            &shared[10..]
        ));
        let expected = "`backstop key prune` frees the first from 2020-06-19 on";
        assert_eq!(refused(&shared, &all), format!("{in_use}{expected}"));
        let open = ring(&full.as_text()[10..].replace("2020-01-01", "-"));
        let expected = "each of them is held by a key without a last day; end one with `backstop key retire`, and `backstop key prune` \
                        frees its id once no policy asks about it";
        assert_eq!(refused(&open, &all), format!("{in_use}{expected}"));
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
             srs  0 sha1 7 -          -          b.example text:4\n\
             mark m sha256 7 -        -          *         text:5\n\
             mark n sha256 7 -        -          a.example text:6\n",
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
        assert_eq!(select(Use::Mark, None, Some("a.example")), Ok(8), "the closest domain signs");
        assert_eq!(select(Use::Mark, None, Some("b.example")), Ok(7));
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
                select(Use::Bst1, None, None),
                "the ring has no fitting bst1 key that signs today; `backstop key list` shows its keys",
            ),
            (select(Use::Prvs, None, Some("x y")), "octet 1 of the address: this octet may not stand in a domain"),
            (
                select(Use::Prvs, Some('0'), Some("*.example")),
                "octet 0 of the address: this octet may not stand in a domain",
            ),
            (select(Use::Prvs, Some('0'), Some("")), "octet 0 of the address: the domain is empty"),
        ] {
            assert_eq!(refusal(found), expected);
        }
    }

    #[test]
    fn of_keys_that_are_alike_the_first_signs_and_the_others_are_replaced() {
        let ring = ring(
            "srs 0 sha1 21 - - *         text:the first of a file\n\
             srs 1 sha1 21 - - *         text:its second\n\
             srs 2 sha1 21 - - a.example text:another\n",
        );
        let replaced: Vec<bool> = ring.keys().iter().map(|key| ring.is_replaced(key, today())).collect();
        assert_eq!(replaced, [false, true, false]);
        assert_eq!(ring.signing_key(Use::Srs, b"b.example", today()).map(Key::line), Ok(2));
        let expected = "the key on line 2 signs in place of this one; rotate that one";
        assert_eq!(refusal(rotated(&ring, 3)), expected);
        let (pair, _) = ring.retire(&ring.keys()[2], today()).unwrap().prune(day("2028-11-21")).unwrap();
        assert_eq!(pair.select(Use::Srs, None, None, today()).map(Key::line), Ok(2));
        assert!(rotated(&pair, 2).unwrap().keys()[1].from().is_some());
    }

    #[test]
    fn a_key_is_replaced_by_those_that_sign_for_all_parts_of_its_domains() {
        for (old, others, replaced) in [
            ("a.example", &["2026-06-01 - a.example,b.example"][..], true),
            ("a.example", &["2025-06-01 - a.example,b.example"], false),
            ("a.example", &["2026-06-01 2026-11-20 a.example,b.example"], false),
            ("a.example", &["2026-11-22 - a.example,b.example"], false),
            ("a.example,b.example", &["2026-06-01 - a.example", "2026-06-01 - B.example"], true),
            ("a.example,b.example", &["2026-06-01 - a.example"], false),
            // A wider pattern fits less closely, a closer one leaves something.
            ("a.example", &["2026-06-01 - *.example,*"], false),
            ("*.example", &["2026-06-01 - a.example", "2026-06-01 - *.a.example"], false),
            ("*.example", &["2026-06-01 - *.example,a.example"], true),
            ("*.example,a.example", &["2026-06-01 - *.example"], false),
            ("*", &["2026-06-01 - *,!a.example"], false),
            ("*,!*.a.example", &["2026-06-01 - *,!x.a.example"], true),
            // The others sign for all; that several together cover one part is not found out.
            ("*", &["2026-06-01 - *,!a.example", "2026-06-01 - a.example"], false),
        ] {
            let line = |(at, columns): (usize, &&str)| {
                let (dates, domains) = columns.rsplit_once(' ').unwrap();
                format!("prvs {at} sha256 10 {dates} {domains} text:{at}\n")
            };
            let old = format!("2026-01-01 - {old}");
            let lines: String = [old.as_str()].iter().chain(others).enumerate().map(line).collect();
            let ring = ring(&lines);
            assert_eq!(ring.is_replaced(&ring.keys()[0], today()), replaced, "{lines}");
            let is_waited_for = others[0].starts_with("2026-11-22");
            assert_eq!(rotated(&ring, 2).is_err(), replaced || is_waited_for, "{lines}");
        }
        let of_two = ring(
            "prvs 1 sha256 10 2026-01-01 - a.example,b.example text:1\n\
             prvs 2 sha256 10 2026-02-01 - a.example           text:2\n\
             prvs 3 sha256 10 2026-06-01 - a.example           text:3\n\
             prvs 4 sha256 10 2026-06-01 - b.example,c.example text:4\n",
        );
        let expected = "the keys on lines 4 and 5 sign in place of this one; rotate those";
        assert_eq!(refusal(rotated(&of_two, 2)), expected);
        let pair = ring(
            "prvs 1 sha256 10 2026-01-01 - a.example           text:1\n\
             prvs 2 sha256 10 2026-06-01 - a.example,b.example text:2\n",
        );
        assert_eq!(pair.select(Use::Prvs, None, None, today()).map(Key::line), Ok(3), "only this one signs");
    }

    #[test]
    fn a_key_that_does_not_sign_any_more_or_yet_is_not_replaced() {
        let ring = ring(
            "prvs 0 sha256 10 2026-02-01 -          * text:0\n\
             prvs 1 sha256 10 2025-01-01 2025-02-01 * text:1\n\
             prvs 2 sha256 10 2026-12-01 -          * text:2\n",
        );
        assert!(ring.keys().iter().all(|key| !ring.is_replaced(key, today())));
        assert!(ring.is_replaced(&ring.keys()[0], day("2026-12-01")));
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
                   choose 2026-11-23 or a later day";
        assert_eq!(refusal(retired(2, "2026-11-22")), gap);
        assert_eq!(retired(4, "2026-11-21").as_deref(), Ok("2026-11-21"), "line 2 covers both its domains");
        let gap = "no other bst1 key signs for all domains of this one on 2026-12-01; rotate it first";
        assert_eq!(refusal(retired(5, "2026-11-29")), gap, "two keys cover one domain each, one of them not for long");
        assert_eq!(refusal(retired(5, "2026-11-30")), gap);
        assert_eq!(refusal(retired(4, "2026-12-02")), "this key ends on 2026-12-01 already; choose no later day");
        let early = "this key signs only from 2026-11-24 on; delete line 3 to drop it";
        assert_eq!(refusal(retired(3, "2026-11-23")), early);
    }

    #[test]
    fn a_retired_key_leaves_a_signer_on_every_later_day_of_its_own() {
        // What a rotation makes: the old key ends three days after the new one begins.
        let pair = "prvs 4 sha1 7 2026-01-01 2026-11-24 * text:0\nprvs 8 sha1 7 2026-11-18 - * text:1\n";
        let retired = |lines: &str, at: usize| {
            let ring = ring(lines);
            ring.retire(&ring.keys()[at], today()).map(|ring| ring.keys()[at].until())
        };
        let gap = "no other prvs key signs for all domains of this one on 2026-11-25; rotate it first";
        assert_eq!(refusal(retired(pair, 1)), gap);
        assert_eq!(retired(pair, 0), Ok(Some(today())));
        let again = format!("{pair}prvs 1 sha1 7 2026-12-01 - * text:2\n");
        let gap = "no other prvs key signs for all domains of this one on 2026-11-25; choose 2026-11-30 or a later day";
        assert_eq!(refusal(retired(&again, 1)), gap);
        let adjoining = "prvs 4 sha1 7 2026-01-01 2026-11-24 * text:0\nprvs 8 sha1 7 2026-11-25 - * text:1\n";
        let gap = "no other prvs key signs for all domains of this one on 2026-11-22; \
                   to end it before 2026-11-24, add another key first";
        assert_eq!(refusal(retired(adjoining, 0)), gap);
        let in_time = format!("{pair}prvs 1 sha1 7 2026-11-25 - * text:2\n");
        assert_eq!(retired(&in_time, 1), Ok(Some(today())), "a third key takes over from the first");
        let both_end = pair.replace("2026-11-18 -", "2026-11-18 2026-11-24");
        assert_eq!(retired(&both_end, 1), Ok(Some(today())), "it would have ended with the other one");
        let parts = "bst1 a sha256 7 - - a.example,b.example text:a\n\
                     bst1 b sha256 7 - - a.example text:b\n\
                     bst1 c sha256 7 - 2026-11-30 b.example text:c\n\
                     bst1 d sha256 7 2026-11-28 - b.example text:d\n";
        assert_eq!(retired(parts, 0), Ok(Some(today())), "other keys cover one domain each");
    }

    #[test]
    fn a_first_and_a_last_day_belong_to_a_key_that_is_edited() {
        let ring = ring(
            "prvs 0 sha1 7 2026-11-21 2026-11-30 * text:0\n\
             prvs 1 sha1 7 2026-11-01 -          * text:1\n",
        );
        let until = |on: &str| ring.retire(&ring.keys()[0], day(on)).map(|ring| ring.keys()[0].until());
        assert_eq!(until("2026-11-21"), Ok(Some(day("2026-11-21"))));
        assert_eq!(until("2026-11-30"), Ok(Some(day("2026-11-30"))));
        let new = self::ring("prvs 0 sha1 7 2026-11-21 - * text:0\n");
        assert!(rotated(&new, 2).is_ok());
    }

    #[test]
    fn no_day_is_proposed_on_which_the_others_do_not_sign_for_all() {
        for other in [
            // From later on for one domain, and for both only in the past.
            "prvs 1 sha1 7 2026-12-10 -          a.example",
            "prvs 1 sha1 7 2026-11-01 2026-11-10 *",
        ] {
            let ring = ring(&format!("prvs 0 sha1 7 - - a.example,b.example text:0\n{other} text:1\n"));
            let refused = refusal(ring.retire(&ring.keys()[0], today()));
            assert!(refused.ends_with("on 2026-11-22; rotate it first"), "{refused}");
        }
    }

    #[test]
    fn the_days_that_are_proposed_are_those_on_which_a_key_may_end() {
        for (until, proposed) in [
            ("2026-11-29", "to end it before 2026-11-29, add another key first"),
            ("2026-11-30", "choose 2026-11-29"),
            ("2026-12-01", "choose 2026-11-29 or a later day"),
            ("-", "choose 2026-11-29 or a later day"),
        ] {
            let ring = ring(&format!("prvs 0 sha1 7 - {until} * text:0\nprvs 1 sha1 7 2026-11-30 - * text:1\n"));
            let retired = |on: &str| ring.retire(&ring.keys()[0], day(on));
            let refused = refusal(retired("2026-11-28"));
            assert!(refused.ends_with(&format!("on 2026-11-29; {proposed}")), "{until}: {refused}");
            assert!(retired("2026-11-29").is_ok(), "{until}");
        }
    }

    #[test]
    fn a_key_goes_once_no_host_asks_about_it_whatever_its_policy() {
        let dated =
            |until: &str| ring(&format!("# kept\nprvs 0 sha256 7 - {until} * text:0\nsrs 0 sha1 9 - - * text:1"));
        let open = ring("prvs 0 sha256 7 - - * text:0");
        let (until, key) = (day("2026-11-01"), dated("2026-11-01"));
        let last = until.plus(7 + 2);
        assert_eq!(key.prune(until.plus(200)).unwrap().1, 0);
        let (pruned, count) = key.prune(until.plus(201)).unwrap();
        assert_eq!((pruned.as_text(), count), ("version 1\n# kept\nsrs 0 sha1 9 - - * text:1\n", 1));

        // The slowest clock of the site still shows `last` on the day after.
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
    fn no_key_is_pruned_of_which_a_policy_takes_a_bounce() {
        let lines = "prvs 0 sha256 7 - 2026-11-01 * text:0\nbst1 k sha256 9 - 2026-11-01 b.example text:1\n\
                     srs 0 sha1 9 - 2026-11-01 * text:2\n";
        let (key, end) = (ring(lines), day("2026-11-01"));
        let age = backstop::srs::Dialect::CLASSIC.with_max_age(500).unwrap();
        let srs = Forwarding::new("fwd.example").unwrap().with_dialect(age);
        let own = Domains::parse("a.example,b.example").unwrap();
        let policy =
            Policy::new(own).with_mode(Mode::Enforce).with_srs(srs).with_expired_grace(Policy::MAX_GRACE).unwrap();
        let signed = |sender: &[u8]| {
            backstop::batv::sign(&key, sender, backstop::Form::Prefix, end).unwrap().address().unwrap().to_string()
        };
        let forwarded = policy.forward(&key, b"x@c.example", b"a@a.example", end).rewrite.unwrap().to_string();
        for (recipient, last) in [(signed(b"a@a.example"), 7 + 99), (signed(b"a@b.example"), 9 + 99), (forwarded, 500)]
        {
            for (days, taken) in [(last, true), (last + 1, false)] {
                let today = end.plus(days);
                let (ring, _) = key.prune(today).unwrap();
                let decision = policy.incoming(&ring, b"<>", recipient.as_bytes(), Client::Other, today);
                assert_eq!(decision.action.address().is_some(), taken, "{recipient} {days} {:?}", decision.rule);
            }
        }
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
