//! Forwarders in a row, in a circle and under one roof: the right answer for each loop and chain of SRS.
//!
//! What a hop writes is compared with `reference/mod.rs`; where a bounce goes is what the library says.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]
#![allow(clippy::expect_used, unreachable_pub, dead_code, reason = "the reference stands in a module of its own")]

mod reference;

use backstop::srs::{self, Dialect};
use backstop::{Day, Domains, Error, Form, KeyRing, Signed, UNPARSABLE, Verdict, batv};

/// 2023-11-14, whose stamp is `G3`.
const TODAY: i64 = 19_675;

fn today() -> Day {
    Day::from_number(u32::try_from(TODAY).unwrap()).unwrap()
}

/// A site: its own forwarders and its keys.
struct Site {
    own: Domains,
    ring: KeyRing,
}

impl Site {
    fn new(own: &str, keys: &str) -> Site {
        let ring = KeyRing::parse(format!("version 1\n{keys}\n").as_bytes()).unwrap();
        Site { own: Domains::parse(own).unwrap(), ring }
    }

    /// The sender as it leaves, or the slug of why it stays as it is.
    fn forward(&self, sender: &str, forwarder: &str, dialect: Dialect) -> String {
        match srs::forward(&self.ring, sender.as_bytes(), forwarder, &self.own, &dialect, today()) {
            Ok(Signed::Done(address)) => address.to_string(),
            Ok(Signed::Unsigned(reason)) => reason.slug().into(),
            Err(Error::Address { .. }) => UNPARSABLE.into(),
            Err(error) => panic!("{error}"),
        }
    }

    /// To whom a bounce returns, or the slugs of what else it is.
    fn reverse(&self, recipient: &str) -> String {
        match srs::reverse(&self.ring, recipient.as_bytes(), &self.own, &Dialect::CLASSIC, today()) {
            Ok(Verdict::Genuine(proof)) => proof.mailbox.to_string(),
            Ok(other) => [Some(other.slug()), other.reason()].into_iter().flatten().collect::<Vec<_>>().join(" "),
            Err(Error::Address { .. }) => UNPARSABLE.into(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// The site of most tests: two forwarders, and a key that is right for every tag under it.
fn site() -> Site {
    let keys = "srs 0 sha1 21 - - * text:tops3cr3t\nprvs 4 sha1 7 - - * text:ours";
    Site::new("fwd.example.net,second.example.net", keys)
}

#[test]
fn each_kind_of_sender_leaves_and_returns_as_it_should() {
    // The sender, where its bounce goes once the forwarder has rewritten it, or why it stays as it is.
    let rows = [
        // Ours comes back to be forwarded again: at this forwarder or another own one, right, forged or broken.
        ("SRS0=PGkz=G3=example.com=alice@fwd.example.net", "already"),
        ("srs0=pgkz=g3=example.com=alice@FWD.EXAMPLE.NET", "already"),
        ("SRS0=AAAA=G3=example.com=alice@fwd.example.net", "already"),
        ("SRS0=PGkz=G3=example.com=alice@second.example.net", "already"),
        ("SRS1=EHOX=first.example.org==wxyz=ZZ=source.org=bob@fwd.example.net", "already"),
        ("SRS1=EHOX=first.example.org==wxyz=ZZ=source.org=bob@second.example.net", "already"),
        ("SRS0=@fwd.example.net", "already"),
        // Another's SRS0 becomes SRS1, whatever it holds; another's SRS1 a new one with the same host and rest.
        ("SRS0=wxyz=ZZ=source.org=bob@first.example.org", "SRS0=wxyz=ZZ=source.org=bob@first.example.org"),
        ("SRS0+wxyz=ZZ=source.org=bob@first.example.org", "SRS0+wxyz=ZZ=source.org=bob@first.example.org"),
        ("srs0-wxyz=zz=source.org=bob@first.example.org", "SRS0-wxyz=zz=source.org=bob@first.example.org"),
        ("SRS0=foo@first.example.org", "SRS0=foo@first.example.org"),
        ("SRS1=abcd=first.example.org==wx=ZZ=s.org=bob@b.example", "SRS0=wx=ZZ=s.org=bob@first.example.org"),
        ("SRS1+abcd=first.example.org=-wx=ZZ=s.org=bob@b.example", "SRS0-wx=ZZ=s.org=bob@first.example.org"),
        // One that went out from here and came back through another site returns to the end in one call.
        ("SRS1=abcd=fwd.example.net==PGkz=G3=example.com=alice@b.example", "alice@example.com"),
        ("SRS1=abcd=FWD.example.net==PGkz=G3=example.com=alice@b.example", "alice@example.com"),
        // Tags of a foreign sender, even one that looks like ours, stay inside and come back whole.
        ("prvs=4788abcdef=bob@other.example", "prvs=4788abcdef=bob@other.example"),
        ("bst1=kujk3cbbs7rtk2ddl=bob@o.example", "bst1=kujk3cbbs7rtk2ddl=bob@o.example"),
        ("btv1==123456789ab==bob@other.example", "btv1==123456789ab==bob@other.example"),
        ("prvs=788abcdef=bob@other.example", "prvs=788abcdef=bob@other.example"),
        ("bob+prvs=4788abcdef@other.example", "bob+prvs=4788abcdef@other.example"),
        ("prvs=broken@other.example", "prvs=broken@other.example"),
        // SRS inside a foreign tag is the tag's business.
        ("prvs=4788abcdef=SRS0=a=b=c=d@other.example", "prvs=4788abcdef=SRS0=a=b=c=d@other.example"),
        // Senders with `=` that are neither.
        ("list-owner+bob=example.org@l.example", "list-owner+bob=example.org@l.example"),
        ("SRS2=a=b=c=d@other.example", "SRS2=a=b=c=d@other.example"),
        ("SRS0@other.example", "SRS0@other.example"),
        ("srs@other.example", "srs@other.example"),
        // Only the forwarder's own domain is its own.
        ("bob@fwd.example.net", "own-domain"),
        ("prvs=4788abcdef=bob@fwd.example.net", "own-domain"),
        ("bob@second.example.net", "bob@second.example.net"),
        ("bob@sub.fwd.example.net", "bob@sub.fwd.example.net"),
        ("<>", "null"),
        ("postmaster", "not-own"),
        ("postmaster@example.com", "postmaster@example.com"),
    ];
    let site = site();
    for (sender, expected) in rows {
        let left = site.forward(sender, "fwd.example.net", Dialect::CLASSIC);
        if !expected.contains('@') {
            assert_eq!(left, expected, "{sender}");
            continue;
        }
        assert_eq!(left, reference::srs_forward(b"tops3cr3t", '=', 4, sender, "fwd.example.net", TODAY), "{sender}");
        assert_eq!(site.reverse(&left), expected, "{sender} as {left}");
        assert_eq!(site.forward(&left, "fwd.example.net", Dialect::CLASSIC), "already", "{left}");
    }
}

#[test]
fn three_sites_in_a_row_keep_the_first_host_and_a_bounce_finds_its_way_home() {
    let [a, b, c] = ["a", "b", "c"].map(|name| {
        let site = Site::new(&format!("{name}.example"), &format!("srs 0 sha1 21 - - * text:secret of {name}"));
        (site, format!("{name}.example"))
    });
    let hop = |(site, name): &(Site, String), sender: &str| {
        let left = site.forward(sender, name, Dialect::CLASSIC);
        let secret = format!("secret of {}", &name[..1]);
        assert_eq!(left, reference::srs_forward(secret.as_bytes(), '=', 4, sender, name, TODAY));
        left
    };
    let first = hop(&a, "al@x.example");
    let second = hop(&b, &first);
    let third = hop(&c, &second);
    let rest = first.strip_prefix("SRS0").unwrap().strip_suffix("@a.example").unwrap();
    for (address, host) in [(&second, "b"), (&third, "c")] {
        assert!(address.starts_with("SRS1=") && address.ends_with(&format!("=a.example={rest}@{host}.example")));
    }
    // A bounce to the last goes past the middle to the first, and from there home; so does one to the middle.
    assert_eq!(c.0.reverse(&third), first);
    assert_eq!(b.0.reverse(&second), first);
    assert_eq!(a.0.reverse(&first), "al@x.example");
    // No site takes another's for its own, under its own name or the other's.
    for (site, address) in [(&a, &third), (&b, &third), (&c, &second), (&c, &first), (&a, &second)] {
        assert_eq!(site.0.reverse(address), "foreign not-own", "{address}");
        let moved = format!("{}@{}", address.split('@').next().unwrap(), site.1);
        assert_eq!(site.0.reverse(&moved), "forged", "{moved}");
    }
    // In a circle: back at the first, the sender grows no further layer.
    let circle = hop(&a, &third);
    assert!(circle.ends_with(&format!("=a.example={rest}@a.example")) && circle.len() == third.len());
    assert_eq!(a.0.reverse(&circle), "al@x.example");
}

/// One site with a key for each of its two forwarders.
fn one_roof() -> Site {
    let keys = "srs 0 sha1 21 - - a.example text:secret of a\nsrs 1 sha1 21 - - c.example text:secret of c";
    Site::new("a.example,c.example", keys)
}

#[test]
fn under_one_roof_an_srs1_is_as_good_as_both_its_hashes_and_its_inner_day() {
    let inner = |day: i64| reference::srs_forward(b"secret of a", '=', 4, "al@x.example", "a.example", day);
    let outer = |inner: &str| reference::srs_forward(b"secret of c", '=', 4, inner, "c.example", TODAY);
    let broken = |address: &str, at: usize| {
        let with = if address[at..].starts_with('A') { "B" } else { "A" };
        format!("{}{with}{}", &address[..at], &address[at + 1..])
    };
    let right = outer(&inner(TODAY));
    let rows = [
        (right.clone(), "al@x.example"),
        (outer(&inner(TODAY - 21)), "al@x.example"),
        (outer(&inner(TODAY + 1)), "al@x.example"),
        // A wrong hash outside; a right one around a wrong hash, an old day, another host's SRS0, something broken.
        (broken(&right, 5), "forged"),
        (outer(&broken(&inner(TODAY), 5)), "forged"),
        (outer(&inner(TODAY - 22)), "expired lifetime"),
        (outer(&inner(TODAY + 2)), "expired lifetime"),
        (outer("SRS0=abcd=G3=x.example=al@a.example"), "forged"),
        (outer("SRS0=foo@a.example"), "malformed shape"),
        (outer("SRS0=abc=G3=x.example=al@a.example"), "malformed hash-length"),
        (outer("SRS0=abcd=G=x.example=al@a.example"), "malformed stamp"),
        // First hosts that are not own are told to whom to turn, unjudged.
        (outer("SRS0=foo@b.example"), "SRS0=foo@b.example"),
    ];
    for (address, expected) in rows {
        assert_eq!(one_roof().reverse(&address), expected, "{address}");
    }
    // Each forwarder has its key: the hash of one is none at the other.
    assert_eq!(one_roof().reverse(&inner(TODAY)), "al@x.example");
    assert_eq!(one_roof().reverse(&inner(TODAY).replace("a.example", "c.example")), "forged");
}

#[test]
fn a_signed_sender_of_the_forwarders_own_domain_is_wrapped_on_request_and_judged_when_it_returns() {
    let site = site();
    let signed = batv::sign(&site.ring, b"al@fwd.example.net", Form::Prefix, today()).unwrap();
    let signed = signed.address().unwrap().to_string();
    assert_eq!(site.forward(&signed, "fwd.example.net", Dialect::CLASSIC), "own-domain");
    let wrapped = site.forward(&signed, "fwd.example.net", Dialect::CLASSIC.with_always_rewrite(true));
    assert!(wrapped.starts_with("SRS0=") && wrapped.ends_with(&format!("=fwd.example.net={}", signed)), "{wrapped}");

    let returned = site.reverse(&wrapped);
    assert_eq!(returned, signed);
    let verdict = batv::verify(&site.ring, returned.as_bytes(), today()).unwrap();
    assert_eq!(verdict.proof().unwrap().mailbox.to_string(), "al@fwd.example.net");
    assert_eq!(verdict.slug(), "genuine");

    // A right SRS hash makes no wrong tag right.
    let changed = signed.replacen("prvs=4", "prvs=9", 1);
    let wrapped = site.forward(&changed, "fwd.example.net", Dialect::CLASSIC.with_always_rewrite(true));
    let returned = site.reverse(&wrapped);
    assert_eq!(returned, changed);
    assert_eq!(batv::verify(&site.ring, returned.as_bytes(), today()).unwrap().slug(), "unknown-key");
}

#[test]
fn no_srs_address_is_signed_by_prvs() {
    let site = site();
    for sender in [
        "SRS0=PGkz=G3=example.com=alice@fwd.example.net",
        "srs0+pgkz=g3=example.com=alice@fwd.example.net",
        "SRS1=EHOX=first.example.org==wxyz=ZZ=source.org=bob@fwd.example.net",
        "SRS0=foo@fwd.example.net",
        "\"SRS0=PGkz=G3=example.com=a b\"@fwd.example.net",
        "SRS0=abcd=ZZ=source.org=bob@elsewhere.example",
    ] {
        let signed = batv::sign(&site.ring, sender.as_bytes(), Form::Prefix, today()).unwrap();
        assert_eq!(signed.reason().map(|reason| reason.slug()), Some("already"), "{sender}");
    }
}

/// Forwards and reverses with the own forwarders that the ring tells.
fn by_the_ring(ring: &KeyRing, sender: &str, forwarder: &str) -> (String, String) {
    let named = srs::named_forwarders(ring, sender.as_bytes());
    let sent = srs::forward(ring, sender.as_bytes(), forwarder, &named, &Dialect::CLASSIC, today()).unwrap();
    let Signed::Done(sent) = sent else { return (sent.reason().unwrap().slug().into(), String::new()) };
    (sent.to_string(), returned(ring, &sent.to_string()))
}

fn returned(ring: &KeyRing, recipient: &str) -> String {
    let own = srs::served_forwarders(ring, recipient.as_bytes());
    match srs::reverse(ring, recipient.as_bytes(), &own, &Dialect::CLASSIC, today()).unwrap() {
        Verdict::Genuine(proof) => proof.mailbox.to_string(),
        other => other.slug().into(),
    }
}

#[test]
fn without_a_list_own_forwarders_are_those_that_a_key_names_by_itself() {
    let ring = |keys: &str| Site::new("unused.example", keys).ring;
    let lists = "SRS0=PGkz=G3=example.com=alice@lists.example.net";
    // What one key takes away is no other's, and not its own either.
    let without_lists = ring("srs 0 sha1 21 - - *.example.net,!lists.example.net text:tops3cr3t");
    let (sent, back) = by_the_ring(&without_lists, lists, "fwd.example.net");
    assert!(sent.starts_with("SRS1=") && back == lists, "{sent} {back}");
    let other_key = ring(
        "srs 0 sha1 21 - - *.example.net,!lists.example.net text:another\n\
         srs 1 sha1 21 - - lists.example.net text:tops3cr3t",
    );
    assert_eq!(by_the_ring(&other_key, lists, "fwd.example.net").0, "already");
    assert_eq!(returned(&other_key, lists), "alice@example.com");
    // Both forwarders are named: the bounce goes to the end.
    let both = ring("srs 0 sha1 21 - - a.example,b.example text:tops3cr3t");
    let (at_b, _) = by_the_ring(&both, "alice@example.com", "b.example");
    let own = Domains::parse("a.example").unwrap();
    let sent = srs::forward(&both, at_b.as_bytes(), "a.example", &own, &Dialect::CLASSIC, today()).unwrap();
    assert_eq!(returned(&both, &sent.address().unwrap().to_string()), "alice@example.com");
    // A key for all makes no other host an own one.
    let all = ring("srs 0 sha1 21 - - * text:tops3cr3t");
    let (sent, back) = by_the_ring(&all, lists, "fwd.example.net");
    assert!(sent.starts_with("SRS1=") && back == lists, "{sent} {back}");
    for foreign in ["SRS0=PGkz=G3=example.com=alice@else.example", "SRS0=PGkz=G3=example.com=alice@[x:a,b]"] {
        assert_eq!(returned(&both, foreign), "foreign", "{foreign}");
    }
    for nothing in ["", "<>", "alice@a.example", "a b"] {
        assert_eq!(srs::served_forwarders(&both, nothing.as_bytes()).as_str().is_empty(), !nothing.contains('@'));
    }
}
