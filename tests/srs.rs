//! SRS at one forwarder: shapes, hashes, alphabets, days, lengths, quotes.
//!
//! `srs_chains.rs` has several forwarders, `vectors.rs` the peers' outputs. Most rows use the peers' example: secret
//! `tops3cr3t`, 2023-11-14, `alice@example.com` by `fwd.example.net` is `SRS0=PGkz=G3=example.com=alice@fwd.example.net`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]
#![allow(clippy::expect_used, unreachable_pub, dead_code, reason = "the reference stands in a module of its own")]

mod reference;

use backstop::srs::{self, Alphabet, Dialect, OverLong};
use backstop::{Day, Domains, Error, KeyRing, MAX_ADDRESS, MAX_LOCAL, Signed, UNPARSABLE, Verdict};

/// 2023-11-14, whose stamp is `G3`.
const TODAY: i64 = 19_675;
const CLASSIC: Dialect = Dialect::CLASSIC;
const KEY: &str = "srs 0 sha1 21 - - * text:tops3cr3t";

fn day(number: i64) -> Day {
    Day::from_number(u32::try_from(number).unwrap()).unwrap()
}

fn ring(keys: &str) -> KeyRing {
    KeyRing::parse(format!("version 1\n{keys}\n").as_bytes()).unwrap()
}

fn own() -> Domains {
    Domains::parse("fwd.example.net").unwrap()
}

/// The sender as it leaves, or why it stays.
fn forward_by(keys: &str, sender: &str, dialect: Dialect, today: i64) -> String {
    match srs::forward(&ring(keys), sender.as_bytes(), "fwd.example.net", &own(), &dialect, day(today)) {
        Ok(Signed::Done(address)) => address.to_string(),
        Ok(Signed::Unsigned(reason)) => reason.slug().into(),
        Err(Error::Address { .. }) => UNPARSABLE.into(),
        Err(error) => panic!("{error}"),
    }
}

fn forward(sender: &str, dialect: Dialect) -> String {
    forward_by(KEY, sender, dialect, TODAY)
}

/// To whom it returns and by which key, or the slugs of what else it is.
fn reverse_by(keys: &str, recipient: &str, dialect: Dialect, today: i64) -> String {
    match srs::reverse(&ring(keys), recipient.as_bytes(), &own(), &dialect, day(today)) {
        Ok(Verdict::Genuine(proof)) => format!("{} {}", proof.mailbox, proof.key),
        Ok(other) => [Some(other.slug()), other.reason()].into_iter().flatten().collect::<Vec<_>>().join(" "),
        Err(Error::Address { .. }) => UNPARSABLE.into(),
        Err(error) => panic!("{error}"),
    }
}

fn reverse(recipient: &str, dialect: Dialect) -> String {
    reverse_by(KEY, recipient, dialect, TODAY)
}

fn hash(length: usize, min: usize) -> Dialect {
    CLASSIC.with_hash(length, min).unwrap()
}

#[test]
fn inputs_that_crash_peers_and_all_broken_shapes_are_verdicts() {
    // The local part; as a recipient here; as the sender of a foreign host.
    for (local, here, foreign) in [
        ("SRS0=foo", "malformed shape", "rewritten"),
        ("SRS1=foo", "malformed shape", "shape"),
        ("SRS", "untagged", "rewritten"),
        ("SRS0", "untagged", "rewritten"),
        ("SRS1", "untagged", "rewritten"),
        ("SRS0~foo", "untagged", "rewritten"),
        ("SRS0_foo=AA=dom=u", "untagged", "rewritten"),
        ("SRS2=foo=AA=dom=u", "untagged", "rewritten"),
        ("SRS0=", "malformed shape", "shape"),
        ("SRS0-", "malformed shape", "shape"),
        ("SRS0+", "malformed shape", "shape"),
        ("SRS0==", "malformed shape", "rewritten"),
        ("SRS0===", "malformed shape", "rewritten"),
        ("SRS0====", "malformed hash-length", "rewritten"),
        ("SRS0=foo=", "malformed shape", "rewritten"),
        ("SRS0=foo=AA", "malformed shape", "rewritten"),
        ("SRS0=foo=AA=", "malformed shape", "rewritten"),
        ("SRS0=foo=AA=dom", "malformed shape", "rewritten"),
        ("SRS0=foo=AA=dom=u", "malformed hash-length", "rewritten"),
        ("SRS0=abcd=AA=dom=", "malformed mailbox", "rewritten"),
        ("SRS0=abcd=AA==u", "malformed mailbox", "rewritten"),
        ("SRS0=abcd==dom=u", "malformed stamp", "rewritten"),
        ("SRS0=abcd=A=dom=u", "malformed stamp", "rewritten"),
        ("SRS0=abcd=AAA=dom=u", "malformed stamp", "rewritten"),
        ("SRS0=abcd=A1=dom=u", "malformed stamp", "rewritten"),
        ("SRS0=abcd=8A=dom=u", "malformed stamp", "rewritten"),
        ("SRS0=abcd=AA=do..m=u", "malformed mailbox", "rewritten"),
        ("SRS0=abcd=AA=do/m=u", "malformed mailbox", "rewritten"),
        ("SRS1=", "malformed shape", "shape"),
        ("SRS1==", "malformed shape", "shape"),
        ("SRS1====", "malformed shape", "shape"),
        ("SRS1=foo=", "malformed shape", "shape"),
        ("SRS1=foo=dom", "malformed shape", "shape"),
        ("SRS1=foo=dom=", "malformed shape", "shape"),
        ("SRS1=foo=dom==", "malformed shape", "shape"),
        ("SRS1=abcd=dom=u", "malformed shape", "shape"),
        ("SRS1=abcd==u=v", "malformed shape", "shape"),
        ("SRS1=abcd=do..m==u", "malformed shape", "shape"),
        ("SRS1=foo=dom==u", "malformed hash-length", "rewritten"),
        ("SRS1=abcd=dom==u", "forged", "rewritten"),
    ] {
        assert_eq!(reverse(&format!("{local}@fwd.example.net"), CLASSIC), here, "{local}");
        let is_srs = here != "untagged";
        let elsewhere = reverse(&format!("{local}@x"), CLASSIC);
        assert_eq!(elsewhere, if is_srs { "foreign not-own" } else { "untagged" }, "{local}@x");
        let left = forward(&format!("{local}@x"), CLASSIC);
        assert_eq!(if left.contains('@') { "rewritten" } else { &left }, foreign, "{local}@x as {left}");
    }
    for input in ["SRS", "SRS0", "SRS0=foo", "SRS1=foo=dom==u", "SRS0=@", "@x", "SRS0=a b=c@x"] {
        assert_eq!([forward(input, CLASSIC), reverse(input, CLASSIC)], [UNPARSABLE; 2], "{input}");
    }
    let null = srs::reverse(&ring(KEY), b"<>", &own(), &CLASSIC, day(TODAY));
    assert_eq!(null, Err(Error::NullRecipient));
    assert_eq!(reverse("postmaster", CLASSIC), "untagged");
}

#[test]
fn a_hash_is_a_prefix_of_the_digest_and_nothing_after_it() {
    let whole = forward("alice@example.com", hash(27, 4));
    let digest = &whole[5..32];
    assert!(digest.starts_with("PGkzM2fmRPDO/P21Izul"));
    let with = |hash: &str| format!("SRS0={hash}=G3=example.com=alice@fwd.example.net");
    for length in 1..=27 {
        let cut = forward("alice@example.com", hash(length, 1));
        assert_eq!(cut, with(&digest[..length]));
        let expected = if length < 4 { "malformed hash-length" } else { "alice@example.com 0" };
        assert_eq!(reverse(&cut, CLASSIC), expected, "{cut}");
        assert_eq!(reverse(&cut, hash(27, length)), "alice@example.com 0", "{cut}");
    }
    for (hash, expected) in [
        ("PGkzX", "forged"),
        ("PGkz!", "forged"),
        ("PGkz+", "forged"),
        ("xPGkz", "forged"),
        ("PGkzM2fmRPDO/P21IzulX", "forged"),
        ("PGkz=", "malformed stamp"),
        ("====", "malformed hash-length"),
        ("pgkz", "alice@example.com 0"),
        ("PGKZM2FMRPDO/P21IZUL", "alice@example.com 0"),
        ("PGkz\u{e9}", "forged"),
    ] {
        assert_eq!(reverse(&with(hash), CLASSIC), expected, "{hash}");
    }
    assert_eq!(reverse(&with(&format!("{digest}A")), CLASSIC), "malformed hash-length");
    assert_eq!(reverse(&with("PGkz"), hash(5, 5)), "malformed hash-length");
    for (length, min) in [(0, 0), (28, 4), (4, 5), (4, 0)] {
        assert!(matches!(CLASSIC.with_hash(length, min), Err(Error::Range { .. })), "{length} {min}");
    }
}

#[test]
fn each_alphabet_is_written_on_request_and_all_are_read() {
    // Hashes of user1 and user45, and the same in other alphabets.
    for (user, classic, url, alt) in [("user1", "m+Mp", "m-Mp", "m_Mp"), ("user45", "2A/P", "2A_P", "2A.P")] {
        let sender = format!("{user}@example.com");
        let with = |hash: &str| format!("SRS0={hash}=G3=example.com={user}@fwd.example.net");
        for (alphabet, hash) in [(Alphabet::Classic, classic), (Alphabet::Url, url), (Alphabet::Alt, alt)] {
            assert_eq!(forward(&sender, CLASSIC.with_alphabet(alphabet)), with(hash));
            for &reader in Alphabet::ALL {
                assert_eq!(reverse(&with(hash), CLASSIC.with_alphabet(reader)), format!("{sender} 0"), "{hash}");
            }
        }
    }
    // `_` stands for either; no other character does.
    for (user, hash, expected) in [
        ("user1", "m_Mp", "user1@example.com 0"),
        ("user45", "2A_P", "user45@example.com 0"),
        ("user1", "m/Mp", "forged"),
        ("user1", "m.Mp", "forged"),
        ("user45", "2A+P", "forged"),
        ("user45", "2A-P", "forged"),
        ("user45", "2A~P", "forged"),
        ("user1", "_+Mp", "forged"),
    ] {
        assert_eq!(reverse(&format!("SRS0={hash}=G3=example.com={user}@fwd.example.net"), CLASSIC), expected, "{hash}");
    }
    let srs1 = "SRS1=cZ3_=first.example.org=+wxyz=ZZ=source.org=bob@fwd.example.net";
    assert_eq!(reverse(srs1, CLASSIC), "SRS0+wxyz=ZZ=source.org=bob@first.example.org 0");
}

#[test]
fn a_separator_is_written_as_chosen_and_read_as_it_comes() {
    for separator in ['=', '+', '-'] {
        let dialect = CLASSIC.with_separator(separator).unwrap();
        let left = forward("alice@example.com", dialect);
        assert_eq!(left, format!("SRS0{separator}PGkz=G3=example.com=alice@fwd.example.net"));
        assert_eq!(reverse(&left, CLASSIC), "alice@example.com 0");
        let srs1 = forward("SRS0=wxyz=ZZ=source.org=bob@first.example.org", dialect);
        assert_eq!(srs1, format!("SRS1{separator}EHOX=first.example.org==wxyz=ZZ=source.org=bob@fwd.example.net"));
        assert_eq!(reverse(&srs1, CLASSIC), "SRS0=wxyz=ZZ=source.org=bob@first.example.org 0");
    }
    for separator in ['_', '@', ' ', '0', '.'] {
        assert_eq!(CLASSIC.with_separator(separator), Err(Error::Separator));
    }
}

#[test]
fn case_may_change_on_the_way_and_letters_that_are_not_ascii_may_not() {
    for (recipient, expected) in [
        ("srs0=pgkz=g3=example.com=alice@fwd.example.net", "alice@example.com 0"),
        ("SRS0=PGKZ=G3=EXAMPLE.COM=ALICE@FWD.EXAMPLE.NET", "ALICE@EXAMPLE.COM 0"),
        ("sRs0=pGkZ=g3=Example.Com=aLICE@fwd.Example.Net", "aLICE@Example.Com 0"),
        (
            "srs1=ehox=first.example.org==WXYZ=zz=source.org=BOB@fwd.example.net",
            "SRS0=WXYZ=zz=source.org=BOB@first.example.org 0",
        ),
        ("SRS0=AcEt=G3=example.com=jürgen@fwd.example.net", "jürgen@example.com 0"),
        ("SRS0=AcEt=G3=example.com=JüRGEN@fwd.example.net", "JüRGEN@example.com 0"),
        ("SRS0=AcEt=G3=example.com=JÜRGEN@fwd.example.net", "forged"),
    ] {
        assert_eq!(reverse(recipient, CLASSIC), expected, "{recipient}");
    }
}

#[test]
fn what_needs_quotes_is_quoted_as_a_whole_and_returns_as_it_was() {
    // Sender, local part as it leaves with H for the hash, where it returns.
    for (sender, local, home) in [
        (r#""a b"@example.com"#, r#""SRS0=HHHH=G3=example.com=a b""#, r#""a b"@example.com"#),
        (r#""a@b"@example.com"#, r#""SRS0=HHHH=G3=example.com=a@b""#, r#""a@b"@example.com"#),
        (r#""a\"b"@example.com"#, r#""SRS0=HHHH=G3=example.com=a\"b""#, r#""a\"b"@example.com"#),
        (r#""a\\"@example.com"#, r#""SRS0=HHHH=G3=example.com=a\\""#, r#""a\\"@example.com"#),
        (r#""a=b"@example.com"#, r#""SRS0=HHHH=G3=example.com=a=b""#, r#""a=b"@example.com"#),
        (r#""alice"@example.com"#, r#""SRS0=HHHH=G3=example.com=alice""#, r#""alice"@example.com"#),
        (r#""x..y"@example.com"#, r#""SRS0=HHHH=G3=example.com=x..y""#, r#""x..y"@example.com"#),
        (r#"".x"@[192.0.2.1]"#, r#""SRS0=HHHH=G3=[192.0.2.1]=.x""#, r#"".x"@[192.0.2.1]"#),
        (r#""al"@[192.0.2.1]"#, r#""SRS0=HHHH=G3=[192.0.2.1]=al""#, "al@[192.0.2.1]"),
        ("al@[192.0.2.1]", r#""SRS0=HHHH=G3=[192.0.2.1]=al""#, "al@[192.0.2.1]"),
        ("al@[IPv6:2001:db8::1]", r#""SRS0=HHHH=G3=[IPv6:2001:db8::1]=al""#, "al@[IPv6:2001:db8::1]"),
        (r#""a b"@[192.0.2.1]"#, r#""SRS0=HHHH=G3=[192.0.2.1]=a b""#, r#""a b"@[192.0.2.1]"#),
        ("al@[x-net:any]", r#""SRS0=HHHH=G3=[x-net:any]=al""#, "al@[x-net:any]"),
        (
            r#""SRS0=wx=ZZ=s.org=a b"@b.example"#,
            r#""SRS1=HHHH=b.example==wx=ZZ=s.org=a b""#,
            r#""SRS0=wx=ZZ=s.org=a b"@b.example"#,
        ),
    ] {
        let left = forward(sender, CLASSIC);
        let shown = format!("{}HHHH{}", &left[..6], &left[10..]);
        assert_eq!(shown, format!("{local}@fwd.example.net"));
        assert_eq!(reverse(&left, CLASSIC), format!("{home} 0"), "{left}");
        let other = if &left[6..7] == "A" { "B" } else { "A" };
        let changed = format!("{}{other}{}", &left[..6], &left[7..]);
        assert_eq!(reverse(&changed, CLASSIC), "forged", "{changed}");
    }
    // Needless quotes and escapes change no hash.
    assert_eq!(forward(r#""alice"@example.com"#, CLASSIC)[6..10], forward("alice@example.com", CLASSIC)[5..9]);
    assert_eq!(reverse(r#""SRS0=PGkz=G3=example.com=\alice"@fwd.example.net"#, CLASSIC), r#""\alice"@example.com 0"#);
    for (sender, reason) in [("\"\"@example.com", "shape"), ("al@[x:y=z]", "shape"), ("al@[x:\"]", "shape")] {
        assert_eq!(forward(sender, CLASSIC), reason, "{sender}");
    }
    for (recipient, verdict) in [
        (r#"SRS0=PGkz=G3=example.com="a b"@fwd.example.net"#, UNPARSABLE),
        (r#""SRS0=PGkz\=G3=example.com=alice"@fwd.example.net"#, "forged"),
        (r#""SRS0=PGkz=G3\=example.com=alice"@fwd.example.net"#, "malformed stamp"),
        (r#""SRS0=PGkz=G3=example.com\=alice"@fwd.example.net"#, "malformed mailbox"),
        (r#"" SRS0=PGkz=G3=example.com=alice"@fwd.example.net"#, "untagged"),
    ] {
        assert_eq!(reverse(recipient, CLASSIC), verdict, "{recipient}");
    }
}

#[test]
fn addresses_of_every_length_are_written_as_the_long_way_writes_them_and_return() {
    let emit = CLASSIC.with_over_long(OverLong::Emit);
    // A longer hash goes the long way.
    let longer = hash(5, 4).with_over_long(OverLong::Emit);
    for local in [1, 2, 15, 30, 47, 64] {
        for domain in 1..=150 {
            let sender =
                format!("{}@{}", "Us".repeat(32).get(..local).unwrap(), "dE".repeat(80).get(..domain).unwrap());
            let left = forward(&sender, emit);
            let mut expected = forward(&sender, longer);
            expected.remove(9);
            assert_eq!(left, expected, "{sender}");
            assert_eq!(reverse(&left, CLASSIC), format!("{sender} 0"));
        }
    }
}

#[test]
fn a_result_keeps_64_octets_or_by_request_254_in_all() {
    let emit = CLASSIC.with_over_long(OverLong::Emit);
    let sender = |local: usize, domain: usize| format!("{}@{}", "u".repeat(local), "d".repeat(domain));
    // 14 octets and the domain before the local part; 16 octets of forwarder behind.
    for (local, domain, by_default, by_request) in [
        (39, 11, 64, 64),
        (40, 11, 0, 65),
        (1, 49, 64, 64),
        (1, 50, 0, 65),
        (64, 11, 0, 89),
        (64, 160, 0, 238),
        (64, 161, 0, 0),
        (63, 161, 0, 238),
    ] {
        let sender = sender(local, domain);
        for (dialect, expected) in [(CLASSIC, by_default), (emit, by_request)] {
            let left = forward(&sender, dialect);
            if expected == 0 {
                assert_eq!(left, "too-long", "{sender}");
                continue;
            }
            assert_eq!(left.rfind('@'), Some(expected), "{left}");
            assert!(expected <= MAX_LOCAL || left.len() <= MAX_ADDRESS);
            assert_eq!(reverse(&left, CLASSIC), format!("{sender} 0"));
        }
    }
    // SRS1 counts alike, quotes count, and a longer hash does.
    let srs1 = format!("SRS0={}@first.example.org", "r".repeat(35));
    assert_eq!(forward(&srs1, CLASSIC).rfind('@'), Some(64));
    assert_eq!(forward(&srs1.replace("=r", "=rr"), CLASSIC), "too-long");
    assert_eq!(forward(&format!("\"{}\"@example.com", "q".repeat(37)), CLASSIC).rfind('@'), Some(64));
    assert_eq!(forward(&format!("\"{}\"@example.com", "q".repeat(38)), CLASSIC), "too-long");
    assert_eq!(forward(&sender(39, 11), hash(5, 4)), "too-long");
    // A sender above 64 octets, as Exim's tags make them, leaves and returns only with `emit`, unless it is another's SRS.
    assert_eq!(forward(&sender(65, 11), CLASSIC), "too-long");
    let exim = format!("prvs=4788505da7={}@o.example", "e".repeat(50));
    for long in [sender(65, 11), exim] {
        let left = forward(&long, emit);
        assert_eq!(left, reference::srs_forward(b"tops3cr3t", '=', 4, &long, "fwd.example.net", TODAY));
        assert_eq!(reverse(&left, emit), format!("{long} 0"));
        assert_eq!(reverse(&format!("<{left}>"), emit), format!("{long} 0"));
        assert_eq!(reverse(&left, CLASSIC), "malformed mailbox");
    }
    assert_eq!(forward(&format!("SRS0={}@b.example", "r".repeat(90)), emit).rfind('@'), Some(111));
    let long = reference::srs_forward(b"tops3cr3t", '=', 4, &sender(65, 11), "fwd.example.net", TODAY);
    assert_eq!(reverse(&long, CLASSIC), "malformed mailbox");
    assert_eq!(reverse(&format!("{}@fwd.example.net", "u".repeat(65)), CLASSIC), UNPARSABLE);
}

#[test]
fn a_host_that_is_no_domain_returns_nothing_whatever_its_length_and_with_or_without_brackets() {
    for length in 60..=68 {
        for host in ["a".repeat(length - 1) + ".", ["a".repeat(length - 2), "..b".into()].concat(), "a".repeat(length)]
        {
            let made = reference::srs_forward(b"tops3cr3t", '=', 4, &format!("bob@{host}"), "fwd.example.net", TODAY);
            let expected = if !host.contains('.') { format!("bob@{host} 0") } else { "malformed mailbox".to_owned() };
            assert_eq!(reverse(&format!("<{made}>"), CLASSIC), expected, "{made}");
            assert_eq!(reverse(&made, CLASSIC), expected, "{made}");
        }
    }
}

#[test]
fn nothing_returns_to_an_srs_address_of_an_own_forwarder() {
    // The hash covers the parts without the `=` between them: of a sender at a domain that begins like an own one anybody
    // can move it.
    let seen =
        reference::srs_forward(b"tops3cr3t", '=', 4, "RS0=aaaa=bb=c.example=x@a.examples", "fwd.example.net", TODAY);
    let moved = |own: &str| {
        let moved = seen.replace("a.examples=RS0=", "a.example=SRS0=");
        let own = Domains::parse(own).unwrap();
        assert_ne!(moved, seen);
        [moved.clone(), format!("<{moved}>"), moved.replace("SRS0=aaaa", "SRS1=aaaa")]
            .map(|address| srs::reverse(&ring(KEY), address.as_bytes(), &own, &CLASSIC, day(TODAY)).unwrap().slug())
    };
    assert_eq!(moved("fwd.example.net"), ["genuine", "genuine", "forged"]);
    assert_eq!(moved("fwd.example.net,a.example"), ["malformed"; 3]);
}

/// Signs until four days ago; the other since seven days ago.
const ROTATION: &str = "srs 0 sha1 21 - 2023-11-10 * text:old\nsrs 1 sha1 21 2023-11-07 - * text:new";

#[test]
fn two_keys_verify_each_in_its_window_and_the_later_signs() {
    let made = |secret: &str, age: i64| {
        reference::srs_forward(secret.as_bytes(), '=', 4, "alice@example.com", "fwd.example.net", TODAY - age)
    };
    assert_eq!(forward_by(ROTATION, "alice@example.com", CLASSIC, TODAY - 8), made("old", 8));
    assert_eq!(forward_by(ROTATION, "alice@example.com", CLASSIC, TODAY - 7), made("new", 7));
    for (secret, age, expected) in [
        ("neither", 0, "forged"),
        ("neither", 22, "forged"),
        ("old", 2, "expired window"),
        ("new", 9, "expired window"),
        ("old", 22, "expired lifetime"),
        ("old", 3, "alice@example.com 0"),
        ("old", 21, "alice@example.com 0"),
        ("new", 8, "alice@example.com 1"),
        ("new", -1, "alice@example.com 1"),
    ] {
        assert_eq!(reverse_by(ROTATION, &made(secret, age), CLASSIC, TODAY), expected, "{secret} {age}");
    }
    let ended = "srs 0 sha1 21 2023-09-01 2023-10-31 * text:old";
    assert_eq!(reverse_by(ended, &made("neither", 0), CLASSIC, TODAY), "unknown-key");
    assert_eq!(reverse_by(ended, &made("neither", 12), CLASSIC, TODAY), "unknown-key");
    assert_eq!(reverse_by(ended, &made("neither", 13), CLASSIC, TODAY), "forged");
    assert_eq!(reverse_by("srs 0 sha1 21 - - other.example text:old", &made("old", 0), CLASSIC, TODAY), "unknown-key");
    // Without dates the first listed signs, and a hash is tried with all.
    let both = "srs 7 sha1 21 - - * text:new\nsrs 3 sha1 21 - - * text:old";
    assert_eq!(forward_by(both, "alice@example.com", CLASSIC, TODAY), made("new", 0));
    assert_eq!(reverse_by(both, &made("old", 0), CLASSIC, TODAY), "alice@example.com 3");
    // The address names no key; of those that might have made it a forged one is said to be of the first.
    let forged = made("neither", 0);
    let verdict = srs::reverse(&ring(both), forged.as_bytes(), &own(), &CLASSIC, day(TODAY)).unwrap();
    assert!(matches!(verdict, Verdict::Forged { key } if key.to_string() == "7"), "{verdict:?}");
}

#[test]
fn a_greatest_age_replaces_the_days_of_the_key() {
    let left = forward("alice@example.com", CLASSIC);
    for (max_age, last) in [(None, 21), (Some(1), 1), (Some(5), 5), (Some(500), 500)] {
        let dialect = max_age.map_or(CLASSIC, |days| CLASSIC.with_max_age(days).unwrap());
        for (age, expected) in [
            (-2, "expired lifetime"),
            (-1, "alice@example.com 0"),
            (last, "alice@example.com 0"),
            (last + 1, "expired lifetime"),
        ] {
            assert_eq!(reverse_by(KEY, &left, dialect, TODAY + age), expected, "{max_age:?} {age}");
        }
        let (ring, own) = (ring(KEY), own());
        let verdict = srs::reverse(&ring, left.as_bytes(), &own, &dialect, day(TODAY)).unwrap();
        let proof = verdict.proof().unwrap();
        assert_eq!((proof.signed, proof.expires), (Some(day(TODAY)), Some(day(TODAY + last))));
    }
    for days in [0, 501] {
        assert!(matches!(CLASSIC.with_max_age(days), Err(Error::Range { .. })));
    }
}

#[test]
fn an_srs1_address_carries_no_day_and_lives_with_its_key_and_the_days_after() {
    // From 2023-10-01, 44 days ago, until 2023-10-20, 25 days ago.
    let dated = "srs 0 sha1 21 2023-10-01 2023-10-20 * text:tops3cr3t";
    let right = "SRS1=EHOX=first.example.org==wxyz=ZZ=source.org=bob@fwd.example.net";
    let wrong = right.replace("EHOX", "EHOY");
    let home = "SRS0=wxyz=ZZ=source.org=bob@first.example.org 0";
    let longer = CLASSIC.with_max_age(30).unwrap();
    for (dialect, today, of_right, of_wrong) in [
        (CLASSIC, TODAY - 46, "expired window", "unknown-key"),
        (CLASSIC, TODAY - 45, home, "forged"),
        (CLASSIC, TODAY - 25, home, "forged"),
        (CLASSIC, TODAY - 25 + 22, home, "forged"),
        (CLASSIC, TODAY - 25 + 23, "expired window", "unknown-key"),
        (longer, TODAY - 25 + 31, home, "forged"),
        (longer, TODAY - 25 + 32, "expired window", "unknown-key"),
    ] {
        assert_eq!(reverse_by(dated, right, dialect, today), of_right, "{today}");
        assert_eq!(reverse_by(dated, &wrong, dialect, today), of_wrong, "{today}");
    }
    for later in [0, 1000, 5000] {
        assert_eq!(reverse_by(KEY, right, CLASSIC, TODAY + later), home);
    }
    let (ring, own) = (ring(KEY), own());
    let verdict = srs::reverse(&ring, right.as_bytes(), &own, &CLASSIC, day(TODAY)).unwrap();
    assert_eq!(verdict.proof().map(|proof| (proof.signed, proof.expires)), Some((None, None)));
}

#[test]
fn brackets_change_no_verdict_whatever_octet_stands_anywhere() {
    // The usual SRS0 address is read in one go, one in brackets by the parser.
    let (two, own) = (ring("srs 0 sha1 21 - - * text:other\nsrs 1 sha1 21 - - * text:tops3cr3t"), own());
    let long = "firstname.lastname-department.of.a.company@departments.of.a-company.mail.example.com";
    let longest = format!("{}@b.example", "a".repeat(64));
    let longer = format!("{}@{}.example", "a".repeat(40), "b".repeat(60));
    for sender in ["a@b.example", "Alice=B@example.com", long, &longest, &longer] {
        let emit = CLASSIC.with_over_long(OverLong::Emit);
        let signed = srs::forward(&two, sender.as_bytes(), "fwd.example.net", &own, &emit, day(TODAY)).unwrap();
        let genuine = signed.address().unwrap().as_bytes().to_vec();
        let agree = |address: &[u8]| {
            let bracketed = [b"<", address, b">"].concat();
            let bare = srs::reverse(&two, address, &own, &CLASSIC, day(TODAY)).ok();
            assert_eq!(bare, srs::reverse(&two, &bracketed, &own, &CLASSIC, day(TODAY)).ok(), "{address:?}");
            matches!(bare, Some(Verdict::Genuine(_)))
        };
        assert!(agree(&genuine), "{sender}");
        for place in 0..genuine.len() {
            for octet in (0..=255).filter(|octet| !b"<>".contains(octet)) {
                let mut altered = genuine.clone();
                altered[place] = octet;
                agree(&altered);
            }
            // One octet less, and the same twice.
            agree(&[&genuine[..place], &genuine[place + 1..]].concat());
            agree(&[&genuine[..place], &genuine[place..=place], &genuine[place..]].concat());
        }
    }
}

#[test]
fn a_host_rewrites_into_one_domain_and_takes_back_at_several() {
    for (domain, more) in [("a.example", ""), ("a.example", "b.example,*.c.example"), ("[192.0.2.1]", "a.example")] {
        let own = srs::own_forwarders(domain, more).unwrap();
        assert!(
            own.contains(domain.as_bytes()) && own.contains(b"x.c.example") == more.contains('*'),
            "{domain} {more}"
        );
    }
    for domain in ["", "*", "*.example", "a.example,b.example", "!a.example", "a..example", "a b"] {
        assert!(matches!(srs::own_forwarders(domain, "*"), Err(Error::Pattern { position: 1, .. })), "{domain}");
    }
    // Nothing that goes out under the domain would come back.
    assert!(matches!(
        srs::own_forwarders("a.example", "*.b.example,!A.example"),
        Err(Error::Pattern { position: 1, .. })
    ));
    assert!(srs::own_forwarders("a.b.example", "*.b.example,!c.b.example").is_ok());
    assert!(matches!(
        srs::own_forwarders("a.example", "b.example,c..example"),
        Err(Error::Pattern { position: 3, .. })
    ));
}
