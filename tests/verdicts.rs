//! Every verdict on a recipient, in the order in which they are decided, hostile rows first.
//!
//! A row is an address and what is said of it. In the address, `{4 -3 alice@example.com}` stands for the value that key 4
//! gives that address three days before today, made by `reference/mod.rs`, which knows neither quotes nor folding
//! of ours: what a tag covers is what the braces say. `{!4` has a wrong MAC, `{^4` is in upper case, `{>4` has the number
//! of the next day, `{45` names key 4 and was made with the secret of key 5. Letters are bst1 keys, digits prvs keys.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]
#![allow(clippy::expect_used, unreachable_pub, dead_code, reason = "the reference stands in a module of its own")]

mod reference;

use backstop::{Day, Error, KeyRing, Use, Verdict, batv};

/// 2026-11-21.
const TODAY: i64 = 20_778;

/// Id, days, from, until (from 51 days ago to 4 days ahead, and so on), domains, secret.
const KEYS: [(char, i64, &str, &str, &str, &str); 7] = [
    ('4', 10, "2026-10-01", "2026-11-25", "example.com,*.example.net", "four"),
    ('5', 10, "2026-08-01", "2026-10-31", "example.com", "five"),
    ('6', 7, "-", "-", "other.example", "six"),
    ('k', 10, "2026-10-01", "2026-11-25", "example.com", "kay"),
    ('o', 10, "2026-10-01", "2026-11-18", "example.com", "oh"),
    ('b', 10, "-", "-", "other.example", "bee"),
    // In no ring.
    ('?', 10, "", "", "", "none"),
];

fn ring(mac: &str) -> KeyRing {
    let mut text = "version 1\nsrs 0 sha1 21 - - * text:other\nmark k sha256 14 - - * text:another\n".to_owned();
    for (id, days, from, until, domains, secret) in KEYS.into_iter().filter(|key| key.0 != '?') {
        let (usage, mac) = if id.is_ascii_digit() { ("prvs", mac) } else { ("bst1", "sha256") };
        text += &format!("{usage} {id} {mac} {days} {from} {until} {domains} text:{secret}\n");
    }
    KeyRing::parse(text.as_bytes()).unwrap()
}

/// What stands between the braces, as a tag's value.
fn value(mac: &str, made: &str) -> String {
    let mut parts = made.splitn(3, ' ');
    let (name, offset, address) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let keys: Vec<char> = name.trim_start_matches(['!', '^', '>']).chars().collect();
    let (id, maker) = (keys[0], *keys.last().unwrap());
    let (_, days, .., secret) = KEYS.into_iter().find(|key| key.0 == maker || key.0 == '?').unwrap();
    let day = TODAY + offset.parse::<i64>().unwrap();
    let mut value = match (id.is_ascii_digit(), mac) {
        (false, _) => reference::bst1(secret.as_bytes(), id, address, day)[5..22].to_owned(),
        (true, "sha1") => reference::prvs_sha1(secret.as_bytes(), id, days, address, day)[5..15].to_owned(),
        (true, _) => reference::prvs_sha256(secret.as_bytes(), id, days, address, day)[5..15].to_owned(),
    };
    match name.chars().next().unwrap() {
        '!' => {
            let last = value.pop().unwrap();
            value.push(if last == 'a' { 'b' } else { 'a' });
        }
        '^' => value.make_ascii_uppercase(),
        '>' => value.replace_range(1..4, &format!("{:03}", (day + days + 1) % 1000)),
        _ => {}
    }
    value
}

fn filled(mac: &str, template: &str) -> String {
    let mut pieces = template.split('{');
    let mut text = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (made, rest) = piece.split_once('}').unwrap();
        text += &value(mac, made);
        text += rest;
    }
    text
}

/// The verdict in words, with the mailbox, the key, and the days of signing and expiry counted from today.
fn told(outcome: &Result<Verdict<'_>, Error>) -> String {
    let verdict = match outcome {
        Ok(verdict) => verdict,
        Err(Error::Address { offset, .. }) => return format!("unparsable at {offset}"),
        Err(Error::NullRecipient) => return "null".into(),
        Err(error) => panic!("{error}"),
    };
    let mut words: Vec<String> =
        [Some(verdict.slug()), verdict.reason()].into_iter().flatten().map(Into::into).collect();
    match verdict {
        Verdict::Genuine(proof) | Verdict::Expired(proof, _) => {
            let [signed, expires] = [proof.signed, proof.expires].map(|day| i64::from(day.unwrap().number()) - TODAY);
            assert_eq!(proof.usage, if proof.key.as_char().is_ascii_digit() { Use::Prvs } else { Use::Bst1 });
            words.push(format!("{} {} {signed}..{expires}", proof.mailbox, proof.key));
        }
        Verdict::UnknownKey { key, covered } => {
            words.push(format!("{}{}", key.unwrap(), if *covered { " covered" } else { "" }));
        }
        other => words.extend(other.key().map(|key| key.to_string())),
    }
    words.join(" ")
}

/// The prvs keys for which a row holds, the recipient, the verdict.
type Row = (&'static [&'static str], &'static str, &'static str);
const ANY: &[&str] = &["sha1", "sha256"];
const SHA1: &[&str] = &["sha1"];
const SHA256: &[&str] = &["sha256"];

fn assert_rows(rows: &[Row]) {
    let today = Day::from_number(u32::try_from(TODAY).unwrap()).unwrap();
    for (macs, template, expected) in rows {
        for mac in *macs {
            let recipient = filled(mac, template);
            let outcome = batv::verify(&ring(mac), recipient.as_bytes(), today);
            assert_eq!(told(&outcome), *expected, "{mac}: {template} is {recipient}");
        }
    }
}

#[test]
fn tags_of_other_systems_are_foreign_whatever_stands_behind_them() {
    assert_rows(&[
        (ANY, "prvs=785e65738=prvs={4 0 alice@example.com}=alice@example.com", "foreign prvs-cisco"),
        (ANY, "btv1==123456789ab==prvs={4 0 alice@example.com}=alice@example.com", "foreign btv1"),
        (ANY, "prvs=prvs={4 0 alice@example.com}=alice/{4 0 alice@example.com}@example.com", "foreign prvs-slash"),
        (ANY, "prvs=alice/{4 0 alice@example.com}@example.com", "foreign prvs-slash"),
        (ANY, "prvs=alice={4 0 alice@example.com}@example.com", "foreign prvs-trailing"),
        (ANY, "PRVS=785E65738=alice@example.com", "foreign prvs-cisco"),
        // One digit short of ours.
        (ANY, "prvs=4788abcde=alice@example.com", "foreign prvs-cisco"),
        (ANY, "BTV1==123456789AB==alice@example.com", "foreign btv1"),
        (ANY, r#""btv1==123456789ab==a b"@example.com"#, "foreign btv1"),
        (ANY, "msprvs1=20778a_-4Zz09=alice@example.com", "foreign msprvs1"),
        (ANY, "ses=ABCDEFGHIJ123456_-=alice@example.com", "foreign ses"),
        (ANY, "prvs=785e65738=alice@nowhere.example", "foreign prvs-cisco"),
    ]);
}

#[test]
fn what_begins_like_a_tag_of_ours_and_has_another_shape_is_malformed() {
    assert_rows(&[
        // The tag of one use under the name of the other.
        (ANY, "prvs={k 0 alice@example.com}=alice@example.com", "malformed shape"),
        (ANY, "bst1={4 0 alice@example.com}=alice@example.com", "malformed shape"),
        // An escape, a sign, full-width digits inside the tag; another separator behind it.
        (ANY, r#""prvs=\4788abcdef=alice"@example.com"#, "malformed shape"),
        (ANY, "prvs=+788abcdef=alice@example.com", "malformed shape"),
        (ANY, "prvs=４788abcdef=alice@example.com", "malformed shape"),
        (ANY, "prvs={4 0 alice@example.com}-alice@example.com", "malformed shape"),
        (ANY, r#""prvs= 4788abcdef=alice"@example.com"#, "malformed shape"),
        // Nothing behind it.
        (ANY, "prvs={4 0 alice@example.com}@example.com", "malformed shape"),
        (ANY, "prvs={4 0 @example.com}=@example.com", "malformed shape"),
        (ANY, "bst1={k 0 @example.com}=@example.com", "malformed shape"),
        (ANY, "prvs=@example.com", "malformed shape"),
        (ANY, "prvs==alice@example.com", "malformed shape"),
        (ANY, "prvs=alice@example.com", "malformed shape"),
        // Too short, too long, foreign to the alphabet.
        (ANY, "prvs=4788abcd=alice@example.com", "malformed shape"),
        (ANY, "prvs=4788abcdef0=alice@example.com", "malformed shape"),
        (ANY, "prvs=47x8abcdef=alice@example.com", "malformed shape"),
        (ANY, "prvs=4788abcdeg=alice@example.com", "malformed shape"),
        (ANY, "bst1=kaaaaaaaaaaaaaaa=alice@example.com", "malformed shape"),
        (ANY, "bst1=kaaaaaaaaaaaaaaaaa=alice@example.com", "malformed shape"),
        (ANY, "bst1=kaaaaaaaaaaaaaaa1=alice@example.com", "malformed shape"),
        (ANY, "bst1=1aaaaaaaaaaaaaaaa=alice@example.com", "malformed shape"),
    ]);
}

#[test]
fn an_address_that_no_tag_begins_or_ends_is_untagged() {
    assert_rows(&[
        // Looks tagged: the tag stands neither at the start nor at the end, or an escape reaches into it.
        (ANY, "x-prvs={4 0 alice@example.com}=alice@example.com", "untagged"),
        (ANY, r#"" prvs={4 0 alice@example.com}=alice"@example.com"#, "untagged"),
        (ANY, "alice+prvs={4 0 alice@example.com}x@example.com", "untagged"),
        (ANY, "+prvs={4 0 @example.com}@example.com", "untagged"),
        (ANY, "alice+bst1={k 0 alice@example.com}@example.com", "untagged"),
        (ANY, r#""alice\+prvs={4 0 alice@example.com}"@example.com"#, "untagged"),
        (ANY, "prvs-{4 0 alice@example.com}=alice@example.com", "untagged"),
        // Tags of the other uses.
        (ANY, "SRS0=PGkz=G3=example.com=alice@example.com", "untagged"),
        (ANY, "SRS1=48Yo=first.example.org=-wxyz=ZZ=source.org=bob@example.com", "untagged"),
        (ANY, "1.2.bsm1-mujkkd7v7ta5quwc73wy@example.com", "untagged"),
        // VERP and others with `=`.
        (ANY, "list-owner+bob=example.org@example.com", "untagged"),
        (ANY, "a==b=c@example.com", "untagged"),
        (ANY, "btv1=123456789ab=alice@example.com", "untagged"),
        (ANY, "alice@example.com", "untagged"),
        (ANY, r#""a@b"@example.com"#, "untagged"),
        (ANY, "jörg@bücher.example", "untagged"),
        (ANY, "alice@[IPv6:2001:db8::1]", "untagged"),
        (ANY, "<@relay.example:alice@example.com>", "untagged"),
        (ANY, "postmaster@example.com", "untagged"),
        (ANY, "postmaster", "untagged"),
        (ANY, "<Postmaster>", "untagged"),
    ]);
}

#[test]
fn a_tag_of_no_key_for_that_domain_and_day_is_unknown_and_says_whether_others_signed_then() {
    assert_rows(&[
        // The key is another domain's, and its MAC would be right.
        (ANY, "prvs={6 0 alice@example.com}=alice@example.com", "unknown-key 6 covered"),
        (ANY, "prvs={4 0 alice@other.example}=alice@other.example", "unknown-key 4 covered"),
        (ANY, "prvs={4 0 alice@example.net}=alice@example.net", "unknown-key 4"),
        (ANY, "bst1={b 0 alice@example.com}=alice@example.com", "unknown-key b covered"),
        (ANY, "bst1={k 0 alice@other.example}=alice@other.example", "unknown-key k covered"),
        // The MAC is wrong, and the key was not signing on that day: another was, or none.
        (ANY, "prvs={!5 0 alice@example.com}=alice@example.com", "unknown-key 5 covered"),
        (ANY, "prvs={!4 -53 alice@example.com}=alice@example.com", "unknown-key 4"),
        (ANY, "prvs={!4 -113 alice@example.com}=alice@example.com", "unknown-key 4"),
        // So far ahead that only a key of a longer life can have made it, on days that the ring covers.
        (ANY, "prvs={!4 6 alice@example.com}=alice@example.com", "unknown-key 4 covered"),
        (ANY, "bst1={!o 0 alice@example.com}=alice@example.com", "unknown-key o covered"),
        (ANY, "bst1={!k -53 alice@example.com}=alice@example.com", "unknown-key k"),
        (ANY, "bst1={!k 6 alice@example.com}=alice@example.com", "unknown-key k"),
        // The ring has no such key.
        (ANY, "prvs={9 0 alice@example.com}=alice@example.com", "unknown-key 9 covered"),
        // Its last day was 13 or 14 days ago, so that one of 99 days was signed at most 112 or 113 days ago.
        (ANY, "prvs={9 -23 alice@example.com}=alice@example.com", "unknown-key 9 covered"),
        (ANY, "prvs={9 -24 alice@example.com}=alice@example.com", "unknown-key 9"),
        (ANY, "prvs={4 0 alice@nowhere.example}=alice@nowhere.example", "unknown-key 4"),
        (ANY, "alice+prvs={9 0 alice@example.com}@example.com", "unknown-key 9 covered"),
        (ANY, "bst1={z 0 alice@example.com}=alice@example.com", "unknown-key z covered"),
        (ANY, "BST1={^z 0 alice@example.com}=alice@example.com", "unknown-key z covered"),
        (ANY, "bst1={k 0 alice@nowhere.example}=alice@nowhere.example", "unknown-key k"),
    ]);
}

#[test]
fn a_wrong_mac_is_forged_whatever_the_date() {
    assert_rows(&[
        // In date, too old, from the future by the skew, a day before the window by the skew.
        (ANY, "prvs={!4 0 alice@example.com}=alice@example.com", "forged 4"),
        (ANY, "prvs={!4 -30 alice@example.com}=alice@example.com", "forged 4"),
        (ANY, "prvs={!4 1 alice@example.com}=alice@example.com", "forged 4"),
        (ANY, "prvs={!4 -52 alice@example.com}=alice@example.com", "forged 4"),
        (ANY, "bst1={!k 0 alice@example.com}=alice@example.com", "forged k"),
        (ANY, "bst1={!k -30 alice@example.com}=alice@example.com", "forged k"),
        (ANY, "bst1={!k -52 alice@example.com}=alice@example.com", "forged k"),
        // A right tag made younger, or by another key, or moved to another address.
        (ANY, "prvs={>4 -11 alice@example.com}=alice@example.com", "forged 4"),
        (ANY, "prvs={45 0 alice@example.com}=alice@example.com", "forged 4"),
        (ANY, "bst1={ko 0 alice@example.com}=alice@example.com", "forged k"),
        (ANY, "prvs={4 0 bob@example.com}=alice@example.com", "forged 4"),
        (ANY, "prvs={4 0 alice@a.example.net}=alice@b.example.net", "forged 4"),
        (ANY, "bst1={k 0 bob@example.com}=alice@example.com", "forged k"),
        (ANY, "alice+prvs={4 0 bob@example.com}@example.com", "forged 4"),
        (ANY, "alice+x+prvs={4 0 alice@example.com}@example.com", "forged 4"),
        // Twice: the outer tag is judged, over what stands inside.
        (ANY, "prvs={!4 0 alice@example.com}=prvs={4 0 alice@example.com}=alice@example.com", "forged 4"),
        (ANY, "prvs={4 0 alice@example.com}=prvs={4 0 alice@example.com}=alice@example.com", "forged 4"),
        (ANY, "prvs={4 0 alice@example.com}=alice+prvs={4 0 alice@example.com}@example.com", "forged 4"),
        (ANY, "bst1={k 0 alice@example.com}=bst1={k 0 alice@example.com}=alice@example.com", "forged k"),
        // Letters that are not ASCII have one spelling: no case, no other composition.
        (ANY, "prvs={4 0 JÖRG@example.com}=jörg@example.com", "forged 4"),
        (ANY, "prvs={4 0 jo\u{308}rg@example.com}=jörg@example.com", "forged 4"),
        (ANY, "bst1={k 0 JÖRG@example.com}=jörg@example.com", "forged k"),
        // sha1 covers the address as it was: a lost capital or added quotes break it.
        (SHA1, "prvs={4 0 Alice@Example.COM}=alice@example.com", "forged 4"),
        (SHA1, "prvs={4 0 Alice@Example.COM}=ALICE@EXAMPLE.COM", "forged 4"),
        (SHA1, r#""prvs={4 0 alice@example.com}=alice"@example.com"#, "forged 4"),
        (SHA256, r#""prvs={4 0 "a b"@example.com}=a b"@example.com"#, "forged 4"),
    ]);
}

#[test]
fn a_right_tag_is_expired_by_its_lifetime_or_by_the_window_of_its_key() {
    assert_rows(&[
        // The number of the day has wrapped, and the key signed a thousand days ago only.
        (ANY, "prvs={5 -1003 alice@example.com}=alice@example.com", "expired window alice@example.com 5 -3..7"),
        (ANY, "prvs={5 0 alice@example.com}=alice@example.com", "expired window alice@example.com 5 0..10"),
        (ANY, "bst1={o 0 alice@example.com}=alice@example.com", "expired window alice@example.com o 0..10"),
        (ANY, "bst1={o -1 alice@example.com}=alice@example.com", "expired window alice@example.com o -1..9"),
        // Further ahead than the skew.
        (ANY, "prvs={4 2 alice@example.com}=alice@example.com", "expired lifetime alice@example.com 4 -998..-988"),
        (ANY, "bst1={k 2 alice@example.com}=alice@example.com", "expired lifetime alice@example.com k 2..12"),
        // Too old, in the window or not.
        (ANY, "prvs={4 -11 alice@example.com}=alice@example.com", "expired lifetime alice@example.com 4 -11..-1"),
        (ANY, "prvs={4 -53 alice@example.com}=alice@example.com", "expired lifetime alice@example.com 4 -53..-43"),
        (ANY, "prvs={5 -22 alice@example.com}=alice@example.com", "expired lifetime alice@example.com 5 -22..-12"),
        (ANY, "prvs={6 -8 alice@other.example}=alice@other.example", "expired lifetime alice@other.example 6 -8..-1"),
        (ANY, "PRVS={^4 -11 alice@example.com}=alice@example.com", "expired lifetime alice@example.com 4 -11..-1"),
        (ANY, "alice+prvs={4 -11 alice@example.com}@example.com", "expired lifetime alice@example.com 4 -11..-1"),
        (ANY, "bst1={k -11 alice@example.com}=alice@example.com", "expired lifetime alice@example.com k -11..-1"),
        (
            ANY,
            "bst1={b -1000 alice@other.example}=alice@other.example",
            "expired lifetime alice@other.example b -1000..-990",
        ),
    ]);
}

#[test]
fn a_right_tag_in_date_is_genuine_and_one_tag_comes_off() {
    assert_rows(&[
        // Tags before, behind and inside tags.
        (
            ANY,
            "prvs={4 0 prvs=9788abcdef=alice@example.com}=prvs=9788abcdef=alice@example.com",
            "genuine prvs=9788abcdef=alice@example.com 4 0..10",
        ),
        (
            ANY,
            "prvs={4 0 alice+prvs=9788abcdef@example.com}=alice+prvs=9788abcdef@example.com",
            "genuine alice+prvs=9788abcdef@example.com 4 0..10",
        ),
        (
            ANY,
            "btv1==123456789ab==a+prvs={4 0 btv1==123456789ab==a@example.com}@example.com",
            "genuine btv1==123456789ab==a@example.com 4 0..10",
        ),
        (ANY, "a+prvs=x+prvs={4 0 a+prvs=x@example.com}@example.com", "genuine a+prvs=x@example.com 4 0..10"),
        (
            ANY,
            "bst1={k 0 prvs=9788abcdef=al@example.com}=prvs=9788abcdef=al@example.com",
            "genuine prvs=9788abcdef=al@example.com k 0..10",
        ),
        // Case that relays change: type and hash, and an address that was in lower case.
        (ANY, "PRVS={^4 0 alice@example.com}=alice@example.com", "genuine alice@example.com 4 0..10"),
        (ANY, "PrVs={^4 0 alice@example.com}=ALICE@EXAMPLE.COM", "genuine ALICE@EXAMPLE.COM 4 0..10"),
        (ANY, "ALICE+PRVS={^4 0 alice@example.com}@EXAMPLE.COM", "genuine ALICE@EXAMPLE.COM 4 0..10"),
        (ANY, "BST1={^k 0 alice@example.com}=ALICE@EXAMPLE.COM", "genuine ALICE@EXAMPLE.COM k 0..10"),
        (ANY, "prvs={4 0 Alice@Example.COM}=Alice@Example.COM", "genuine Alice@Example.COM 4 0..10"),
        (SHA256, "prvs={4 0 Alice@Example.COM}=alice@example.com", "genuine alice@example.com 4 0..10"),
        (ANY, "bst1={k 0 Alice@Example.COM}=alice@example.com", "genuine alice@example.com k 0..10"),
        // Quotes: sha1 covers them, the others cover what they hold.
        (SHA1, r#""prvs={4 0 "a b"@example.com}=a b"@example.com"#, r#"genuine "a b"@example.com 4 0..10"#),
        (SHA1, r#""a\"b+prvs={4 0 "a\"b"@example.com}"@example.com"#, r#"genuine "a\"b"@example.com 4 0..10"#),
        (SHA256, r#""prvs={4 0 a b@example.com}=a b"@example.com"#, r#"genuine "a b"@example.com 4 0..10"#),
        (SHA256, r#""prvs={4 0 a"b@example.com}=a\"b"@example.com"#, r#"genuine "a\"b"@example.com 4 0..10"#),
        (SHA256, r#""a b+prvs={4 0 a b@example.com}"@example.com"#, r#"genuine "a b"@example.com 4 0..10"#),
        (SHA256, r#""a\\+prvs={4 0 a\@example.com}"@example.com"#, r#"genuine "a\\"@example.com 4 0..10"#),
        (SHA256, r#""prvs={4 0 alice@example.com}=alice"@example.com"#, r#"genuine "alice"@example.com 4 0..10"#),
        (SHA256, r#""prvs={4 0 alice@example.com}=\a\lice"@example.com"#, r#"genuine "\a\lice"@example.com 4 0..10"#),
        (ANY, r#""bst1={k 0 a@b@example.com}=a@b"@example.com"#, r#"genuine "a@b"@example.com k 0..10"#),
        // Brackets and routes go, everything else stays.
        (ANY, "<@relay.example:prvs={4 0 alice@example.com}=alice@example.com>", "genuine alice@example.com 4 0..10"),
        (
            ANY,
            "prvs={4 0 l+b=example.org@example.com}=l+b=example.org@example.com",
            "genuine l+b=example.org@example.com 4 0..10",
        ),
        (ANY, "prvs={4 0 jörg@example.com}=jörg@example.com", "genuine jörg@example.com 4 0..10"),
        (ANY, "prvs={4 0 postmaster@example.com}=postmaster@example.com", "genuine postmaster@example.com 4 0..10"),
        // The ends of the days, with the skew.
        (ANY, "prvs={4 1 alice@example.com}=alice@example.com", "genuine alice@example.com 4 1..11"),
        (ANY, "prvs={4 -10 alice@example.com}=alice@example.com", "genuine alice@example.com 4 -10..0"),
        (ANY, "prvs={6 -7 alice@other.example}=alice@other.example", "genuine alice@other.example 6 -7..0"),
        (ANY, "bst1={o -2 alice@example.com}=alice@example.com", "genuine alice@example.com o -2..8"),
        (ANY, "bst1={k 1 alice@example.com}=alice@example.com", "genuine alice@example.com k 1..11"),
        (ANY, "bst1={k -10 alice@example.com}=alice@example.com", "genuine alice@example.com k -10..0"),
        (ANY, "alice+prvs={4 -10 alice@example.com}@example.com", "genuine alice@example.com 4 -10..0"),
        (ANY, "prvs={4 0 alice@a.b.example.net}=alice@a.b.example.net", "genuine alice@a.b.example.net 4 0..10"),
    ]);
}

#[test]
fn what_is_no_address_is_an_error_with_its_offset_and_so_is_the_null_sender() {
    assert_rows(&[
        (ANY, "<>", "null"),
        (ANY, "", "null"),
        (ANY, "prvs={4 0 alice@example.com}=alice", "unparsable at 21"),
        (ANY, r#"prvs={4 0 "a b"@example.com}="a b"@example.com"#, "unparsable at 16"),
        (ANY, r#""prvs={4 0 a@example.com}=a\"@example.com"#, "unparsable at 32"),
        (ANY, "prvs={4 0 alice@example.com}=alice@example.com>", "unparsable at 33"),
        (ANY, "prvs={4 0 alice@example.com}=alice@example.com.", "unparsable at 34"),
        (ANY, "prvs={4 0 alice@example.com}=al ice@example.com", "unparsable at 18"),
        (ANY, "prvs={4 0 alice@example.com}=alice@example.com@example.com", "unparsable at 33"),
    ]);
}

#[test]
fn sixty_four_octets_may_stand_under_a_tag_and_not_one_more() {
    let today = Day::from_number(u32::try_from(TODAY).unwrap()).unwrap();
    let long = format!("{}@example.com", "a".repeat(64));
    let longer = format!("a{long}");
    let told_of = |mac: &str, template: &str| told(&batv::verify(&ring(mac), filled(mac, template).as_bytes(), today));
    for mac in ANY {
        for (usage, key) in [("prvs", '4'), ("bst1", 'k')] {
            let genuine = format!("genuine {long} {key} 0..10");
            assert_eq!(told_of(mac, &format!("{usage}={{{key} 0 {long}}}={long}")), genuine);
            for value in [format!("{{{key} 0 {longer}}}"), format!("{{!{key} 0 {longer}}}")] {
                assert_eq!(told_of(mac, &format!("{usage}={value}={longer}")), "unparsable at 64");
            }
        }
        assert_eq!(told_of(mac, &long), "untagged");
        assert_eq!(told_of(mac, &longer), "unparsable at 64");
    }
}
