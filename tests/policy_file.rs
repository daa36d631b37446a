//! The TOML form of the policy: every key, and every way to get one wrong, with its line and remedy.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(feature = "policy-file")]

use backstop::policy::{Addresses, Forwarding, Mode, Networks, Policy, RefuseAt};
use backstop::srs::{Alphabet, Dialect, OverLong};
use backstop::{Day, Domains, Error, Form};

const SAMPLE: &str = include_str!("vectors/policy.toml");
const OWN: &str = "[policy]\nown-domains = [\"example.com\"]\n";

fn plain() -> Policy {
    Policy::new(domains("example.com"))
}

fn domains(text: &str) -> Domains {
    Domains::parse(text).unwrap()
}

fn list(entries: &[&str]) -> Addresses {
    Addresses::parse(entries.iter().copied()).unwrap()
}

fn networks(entries: &[&str]) -> Networks {
    Networks::parse(entries.iter().copied()).unwrap()
}

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn parse(rest: &str) -> Result<Policy, Error> {
    Policy::parse(format!("{OWN}{rest}").as_bytes())
}

#[test]
fn the_sample_says_what_the_library_calls_say() {
    let read = Policy::parse(SAMPLE.as_bytes()).unwrap();
    let srs = read.srs().unwrap().clone();
    assert_eq!(srs.forwarders(), &domains("fwd.example.com,fwd.example.net,old-fwd.example.com"));
    assert_eq!(srs.forwarder_for(b"a.example.net"), Some("fwd.example.net"));
    assert_eq!(srs.forwarder_for(b"x.example"), Some("fwd.example.com"));
    assert_eq!(srs, srs.clone().with_dialect(Dialect::CLASSIC.with_max_age(21).unwrap()));
    let built = Policy::new(domains("example.com,lists.example.com,*.example.net,!lists.example.net"))
        .with_mode(Mode::Enforce)
        .with_enforce_since(day("2026-12-08"))
        .with_refuse_at(RefuseAt::Data)
        .with_expired_grace(7)
        .unwrap()
        .with_no_sign(list(&["newsletter@example.com", "@raw.example.net"]))
        .with_no_sign_recipients(list(&["@ezmlm.example.org"]))
        .with_never_send(list(&["info", "sales@example.com"]))
        .with_exempt_recipients(list(&["postmaster", "abuse"]))
        .with_exempt_senders(list(&["monitor@example.org"]))
        .with_exempt_clients(networks(&["198.51.100.7", "2001:db8:25::/48"]))
        .with_internal_hosts(networks(&["192.0.2.0/24"]))
        .with_marks_since(day("2026-12-01"))
        .with_own_relays(["mail.example.com", "192.0.2.25"])
        .with_display_names(["Alice Example", "Example Shop"])
        .with_domain(domains("lists.example.com"), Some(Mode::Observe), None)
        .with_domain(domains("*.example.net"), Some(Mode::Enforce), Some(day("2027-01-15")))
        .with_domain_refuse_at(domains("*.example.net"), RefuseAt::Message);
    assert_eq!(read, built.with_srs(srs));
}

#[test]
fn the_sample_explains_every_key_with_its_default() {
    let error = |rest: &str| parse(rest).unwrap_err().to_string();
    let all = [
        error("a-key-that-is-like-no-other = 1\n"),
        error("[policy.srs]\na-key-that-is-like-no-other = 1\n"),
        error("[policy.domains.\"example.com\"]\na-key-that-is-like-no-other = 1\n"),
    ];
    let mut keys = 0;
    for listed in all.iter().map(|it| it.split_once("known are ").unwrap().1.split(", ")) {
        for key in listed {
            let table = matches!(key, "srs") || (key == "domains" && SAMPLE.contains("[policy.domains."));
            let written = SAMPLE.lines().any(|line| line.starts_with(&format!("{key} = ")));
            assert!(written || (table && SAMPLE.contains(&format!("[policy.{key}"))), "{key}");
            keys += 1;
        }
    }
    assert_eq!(keys, 33);
    assert!(SAMPLE.matches("# Default: ").count() >= 24);
}

#[test]
fn own_domains_alone_are_a_policy_with_every_default() {
    assert_eq!(parse("").unwrap(), plain());
    assert_eq!(
        Policy::parse(b"x = 1\n[policy]\nown-domains = [\"example.com\"]\n[daemon]\nlisten = 1\n").unwrap(),
        plain()
    );
}

#[test]
fn every_key_does_what_its_setter_does() {
    for (text, built) in [
        ("mode = \"off\"", plain().with_mode(Mode::Off)),
        ("mode = \"sign\"", plain().with_mode(Mode::Sign)),
        ("mode = \"observe\"", plain().with_mode(Mode::Observe)),
        ("mode = \"enforce\"", plain().with_mode(Mode::Enforce)),
        ("enforce-since = 2026-11-21", plain().with_enforce_since(day("2026-11-21"))),
        ("enforce-since = \"2026-11-21\"", plain().with_enforce_since(day("2026-11-21"))),
        ("refuse-at = \"rcpt\"", plain().with_refuse_at(RefuseAt::Rcpt)),
        ("refuse-at = \"data\"", plain()),
        ("refuse-at = \"message\"", plain().with_refuse_at(RefuseAt::Message)),
        ("expired-grace = 0", plain().with_expired_grace(0).unwrap()),
        ("expired-grace = 99", plain().with_expired_grace(99).unwrap()),
        ("expired-grace = 0x10", plain().with_expired_grace(16).unwrap()),
        ("subaddress = true", plain().with_form(Form::Subaddress)),
        ("subaddress = false", plain()),
        ("no-sign = [\"a@b.example\"]", plain().with_no_sign(list(&["a@b.example"]))),
        ("no-sign-recipients = ['@b.example']", plain().with_no_sign_recipients(list(&["@b.example"]))),
        ("never-send = [\"info\"]", plain().with_never_send(list(&["info"]))),
        ("exempt-recipients = []", plain().with_exempt_recipients(list(&[]))),
        ("exempt-senders = [\"@c.example\"]", plain().with_exempt_senders(list(&["@c.example"]))),
        ("exempt-clients = [\"192.0.2.1\"]", plain().with_exempt_clients(networks(&["192.0.2.1"]))),
        ("internal-hosts = [\"::/0\"]", plain().with_internal_hosts(networks(&["::/0"]))),
        ("mailer-daemon-is-null = true", plain().with_mailer_daemon_is_null(true)),
        ("reverse-any-sender = true", plain().with_reverse_any_sender(true)),
    ] {
        assert_eq!(parse(text).unwrap(), built, "{text}");
    }
}

#[test]
fn every_key_of_srs_does_what_its_setter_does() {
    let fwd = || Forwarding::new("fwd.example").unwrap();
    let dialect = |dialect| fwd().with_dialect(dialect);
    let classic = Dialect::CLASSIC;
    for (text, built) in [
        ("", fwd()),
        (
            "domains = {\"x.example\" = \"fwd2.example\"}",
            fwd().with_domain("x.example", "fwd.example").unwrap().with_domain("x.example", "fwd2.example").unwrap(),
        ),
        ("forwarders = [\"fwd.example\"]", fwd()),
        ("separator = \"+\"", dialect(classic.with_separator('+').unwrap())),
        ("separator = \"-\"", dialect(classic.with_separator('-').unwrap())),
        ("hash-length = 27", dialect(classic.with_hash(27, 27).unwrap())),
        ("hash-length = 3", dialect(classic.with_hash(3, 3).unwrap())),
        ("hash-length = 8\nhash-min = 4", dialect(classic.with_hash(8, 4).unwrap())),
        ("hash-min = 2", dialect(classic.with_hash(4, 2).unwrap())),
        ("max-age = 500", dialect(classic.with_max_age(500).unwrap())),
        ("always-rewrite = true", dialect(classic.with_always_rewrite(true))),
        ("alphabet = \"classic\"", fwd()),
        ("alphabet = \"url\"", dialect(classic.with_alphabet(Alphabet::Url))),
        ("alphabet = \"alt\"", dialect(classic.with_alphabet(Alphabet::Alt))),
        ("over-long = \"leave\"", fwd()),
        ("over-long = \"emit\"", dialect(classic.with_over_long(OverLong::Emit))),
    ] {
        let read = parse(&format!("[policy.srs]\ndomain = \"fwd.example\"\n{text}\n")).unwrap();
        assert_eq!(read.srs(), Some(&built), "{text}");
    }
    let read = parse("[policy.srs]\nforwarders = [\"a.example\", \"*.b.example\"]").unwrap();
    assert_eq!(read.srs(), Some(&Forwarding::returning(domains("a.example,*.b.example"))));
}

#[test]
fn modes_of_domains_are_read_and_inherited() {
    let text = "mode = \"enforce\"\n[policy.domains.\"Example.com\"]\nenforce-since = 2026-12-01\n";
    let policy = parse(text).unwrap();
    assert_eq!(policy.mode_on(b"example.com", day("2026-11-30")), Mode::Observe);
    assert_eq!(policy.mode_on(b"example.com", day("2026-12-01")), Mode::Enforce);
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_a_remedy() {
    for (text, line, message) in [
        ("", 1, "there is no table [policy]; begin with [policy] and own-domains"),
        ("[daemon]\n", 1, "there is no table [policy]; begin with [policy] and own-domains"),
        ("mode = \"enforce\"\n[policy]\nown-domains = [\"a\"]\n", 1, "`mode` belongs into the table [policy]"),
        ("[policy]\nown-domains = [\"a\"]\n[srs]\n", 3, "`srs` belongs into the table [policy]"),
        ("[policy]\nown-domains = [\"a\"]\n[Policy.srs]\n", 3, "unknown key `Policy`; did you mean `policy`?"),
        ("policy = 1\n", 1, "`policy` must be a table"),
        ("\n\n[policy]\n", 3, "`policy` has no own-domains; list the domains whose mail this site sends"),
        (
            "[policy]\nown-domain = [\"a.example\"]\n",
            2,
            "unknown key `own-domain` in [policy]; did you mean `own-domains`?",
        ),
        ("[policy]\nown-domains = []\n", 2, "`own-domains` must name at least one domain"),
        ("[policy]\nown-domains = \"example.com\"\n", 2, "`own-domains` must be a list of texts, [\"...\", \"...\"]"),
        (
            "[policy]\nown-domains = [\n  \"a.example\",\n  \"b..c\",\n]\n",
            4,
            "`own-domains`: domain pattern 1: this is no domain; write example.com, *.example.net, !lists.example.net or *",
        ),
        (
            "[policy]\nown-domains = [\"!a.example\"]\n",
            2,
            "`own-domains`: domain pattern 1: the list only takes away; put `*` or a domain before it",
        ),
    ] {
        assert_eq!(Policy::parse(text.as_bytes()), Err(Error::Policy { line, message: message.into() }), "{text}");
    }
}

#[test]
fn wrong_values_are_refused_at_their_line() {
    // Line 3 is the first after own-domains.
    for (text, line, message) in [
        ("mode = \"on\"", 3, "`mode` must be \"off\" or \"sign\" or \"observe\" or \"enforce\""),
        ("mode = true", 3, "`mode` must be \"off\" or \"sign\" or \"observe\" or \"enforce\""),
        ("enforce-since = 2026-11-21T00:00:00Z", 3, "`enforce-since` must be a date such as 2026-11-21"),
        ("enforce-since = \"tomorrow\"", 3, "`enforce-since` must be a date such as 2026-11-21"),
        ("enforce-since = 10:00:00", 3, "`enforce-since` must be a date such as 2026-11-21"),
        ("refuse-at = \"end\"", 3, "`refuse-at` must be \"rcpt\" or \"data\" or \"message\""),
        ("expired-grace = 100", 3, "`expired-grace` must be a whole number from 0 to 99"),
        ("expired-grace = -1", 3, "`expired-grace` must be a whole number from 0 to 99"),
        ("expired-grace = 1.0", 3, "`expired-grace` must be a whole number from 0 to 99"),
        ("expired-grace = 99999999999999999999", 3, "`expired-grace` must be a whole number from 0 to 99"),
        ("expired-grace = \"7\"", 3, "`expired-grace` must be a whole number from 0 to 99"),
        (
            "exempt-senders = [\"<>\"]",
            3,
            "`exempt-senders`: `<>` is the null sender, which no list can hold; leave it out",
        ),
        ("subaddress = \"yes\"", 3, "`subaddress` must be true or false"),
        ("reverse-any-sender = 1", 3, "`reverse-any-sender` must be true or false"),
        ("mailer-daemon-is-null = 0", 3, "`mailer-daemon-is-null` must be true or false"),
        ("no-sign = \"a@b.example\"", 3, "`no-sign` must be a list of texts, [\"...\", \"...\"]"),
        ("no-sign = [\n\"a@b.example\",\n1,\n]", 5, "`no-sign` must be a list of texts, [\"...\", \"...\"]"),
        (
            "no-sign = [\n\"a@b.example\",\n\"c.example\",\n]",
            5,
            "`no-sign`: `c.example` has no `@`; write @example.com for a domain, local@* for a local part",
        ),
        (
            "exempt-clients = [\"192.0.2.1/24\"]",
            3,
            "`exempt-clients`: `192.0.2.1/24` has bits set behind its prefix; write the network's first address",
        ),
        // Of two faults the one that stands first, whatever the names.
        ("subaddress = 1\nmode = 1", 3, "`subaddress` must be true or false"),
        ("srs = 1", 3, "`srs` must be a table"),
        ("[policy.srs]", 3, "`srs` names neither domain nor forwarders"),
        ("[policy.srs]\ndomain = 1", 4, "`domain` must be a text in quotes"),
        ("[policy.srs]\ndomain = \"a..b\"", 4, "`domain`: octet 2 of the address: a label of the domain is empty"),
        (
            "[policy.srs]\ndomain = \"a.example\"\nforwarders = [\"b.example\"]",
            4,
            "`domain` is not among the forwarders, so that nothing could return; add it there",
        ),
        (
            "[policy.srs]\nforwarders = [\"b.example\"]\n[policy.srs.domains]\n\"x.example\" = \"c.example\"",
            6,
            "`x.example` is not among the forwarders, so that nothing could return; add it there",
        ),
        (
            "[policy.srs]\ndomain = \"a.example\"\ndomains = {\"x y\" = \"a.example\"}",
            5,
            "`x y`: domain pattern 1: this is no domain; write example.com, *.example.net, !lists.example.net or *",
        ),
        (
            "[policy.srs]\ndomain = \"a.example\"\nhash-length = 0",
            5,
            "`hash-length` must be a whole number from 1 to 27",
        ),
        (
            "[policy.srs]\ndomain = \"a.example\"\nhash-length = 28",
            5,
            "`hash-length` must be a whole number from 1 to 27",
        ),
        ("[policy.srs]\ndomain = \"a.example\"\nhash-min = 5", 5, "`hash-min` must be a whole number from 1 to 4"),
        ("[policy.srs]\ndomain = \"a.example\"\nmax-age = 501", 5, "`max-age` must be a whole number from 1 to 500"),
        ("[policy.srs]\ndomain = \"a.example\"\nseparator = \"_\"", 5, "`separator` must be \"=\" or \"+\" or \"-\""),
        (
            "[policy.srs]\ndomain = \"a.example\"\nalphabet = 1",
            5,
            "`alphabet` must be \"classic\" or \"url\" or \"alt\"",
        ),
        ("[policy.srs]\ndomain = \"a.example\"\nover-long = \"cut\"", 5, "`over-long` must be \"leave\" or \"emit\""),
        ("[policy.srs]\ndomain = \"a.example\"\nalways-rewrite = 1", 5, "`always-rewrite` must be true or false"),
        ("domains = []", 3, "`domains` must be a table"),
        ("domains = { \"example.com\" = \"off\" }", 3, "`example.com` must be a table"),
        (
            "[policy.domains.\"example.org\"]\nmode = \"off\"",
            3,
            "`example.org` lies neither in own-domains nor in the forwarders of [policy.srs]",
        ),
        (
            "[policy.domains.\"example.com\"]\nmode = 1",
            4,
            "`mode` must be \"off\" or \"sign\" or \"observe\" or \"enforce\"",
        ),
    ] {
        assert_eq!(parse(text), Err(Error::Policy { line, message: message.into() }), "{text}");
    }
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_name() {
    for (text, line, message) in [
        ("mod = \"off\"", 3, "unknown key `mod` in [policy]; did you mean `mode`?"),
        // Three edits of nine letters are near, four are not; a letter too many or too few at the end counts as one.
        ("rfuseeatt = 1", 3, "unknown key `rfuseeatt` in [policy]; did you mean `refuse-at`?"),
        ("modes = 1", 3, "unknown key `modes` in [policy]; did you mean `mode`?"),
        ("nosign = []", 3, "unknown key `nosign` in [policy]; did you mean `no-sign`?"),
        ("own_domains = []", 3, "unknown key `own_domains` in [policy]; did you mean `own-domains`?"),
        ("\n\nexempt-client = []", 5, "unknown key `exempt-client` in [policy]; did you mean `exempt-clients`?"),
        ("[policy.srs]\nhashlength = 4", 4, "unknown key `hashlength` in [policy.srs]; did you mean `hash-length`?"),
        (
            "[policy.domains.\"example.com\"]\nMode = \"off\"",
            4,
            "unknown key `Mode` in [policy.domains]; did you mean `mode`?",
        ),
        (
            "[policy.domains.\"example.com\"]\nenforce = true",
            4,
            "unknown key `enforce` in [policy.domains]; known are enforce-since, mode, refuse-at",
        ),
        (
            "[policy.domains.\"example.com\"]\nkeys = \"off\"",
            4,
            "unknown key `keys` in [policy.domains]; known are enforce-since, mode, refuse-at",
        ),
    ] {
        assert_eq!(parse(text), Err(Error::Policy { line, message: message.into() }), "{text}");
    }
    let long = parse(&format!("{} = 1", "x".repeat(100_000))).unwrap_err().to_string();
    assert!(long.contains("known are display-names, domains, enforce-since, "));
}

#[test]
fn what_is_no_toml_or_no_utf8_is_refused_with_its_line() {
    for (text, line) in
        [("mode = ", 3), ("mode = \"off\"\nmode = \"off\"", 4), ("\nx = [1, ", 4), ("\nx = 2026-02-29", 4), ("\0", 3)]
    {
        let Err(Error::Policy { line: found, message }) = parse(text) else { panic!("{text}") };
        assert_eq!(found, line, "{text:?} {message}");
        assert!(message.starts_with("this is no TOML: "), "{message}");
    }
    let latin = Policy::parse(b"[policy]\n\nown-domains = [\"b\xfccher.example\"]\n");
    assert_eq!(latin.unwrap_err().to_string(), "line 3 of the policy: it is not UTF-8; save it as UTF-8");
    let deep = format!("x = {}", "[".repeat(100_000));
    assert!(parse(&deep).is_err());
}

#[test]
fn what_is_written_reads_back_to_the_same_policy_with_every_key() {
    let odd = "never-send = [\"\\\"a \\\\\\\"b\\\"@example.com\", \"\\\"\\\"@*\"]\ninternal-hosts = [\"::/0\", \"192.0.2.1\"]";
    for text in [SAMPLE, OWN, &format!("{OWN}{odd}\n")] {
        let policy = Policy::parse(text.as_bytes()).unwrap();
        let written = policy.to_toml();
        assert_eq!(Policy::parse(written.as_bytes()).unwrap(), policy, "{written}");
    }
    let written = Policy::parse(SAMPLE.as_bytes()).unwrap().to_toml();
    let keys = |text: &str| {
        let names = text.lines().filter_map(|line| line.split_once(" = ")).filter(|(name, _)| !name.starts_with('#'));
        let mut names: Vec<String> = names.map(|(name, _)| name.to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(keys(&written), keys(SAMPLE));
}

#[test]
fn a_domain_that_stands_in_two_sets_is_refused_whichever_comes_first() {
    for (one, other) in [
        ("x.example.com,a.example.com", "X.example.com"),
        ("a.example.com,x.example.com", "x.example.com"),
        ("*.example.com,!a.example.com", "*.example.com"),
    ] {
        let text = format!(
            "{OWN}[policy.domains.\"{one}\"]\nmode = \"observe\"\n[policy.domains.\"{other}\"]\nmode = \"off\""
        );
        let text = text.replace("[\"example.com\"]", "[\"*.example.com\"]");
        let Err(Error::Policy { line, message, .. }) = Policy::parse(text.as_bytes()) else { panic!("{text}") };
        assert!(line == 5 && message.contains("has a domain that stands in `"), "{line} {message}");
        let text = format!(
            "{OWN}[policy.srs]\nforwarders = [\"f.example\"]\ndomains = {{ \"{one}\" = \"f.example\", \"{other}\" = \"f.example\" }}"
        );
        let Err(Error::Policy { message, .. }) = Policy::parse(text.as_bytes()) else { panic!("{text}") };
        assert!(message.contains("name each once"), "{message}");
    }
    let (set, day) = (|| domains("x.example.com"), day("2026-11-21"));
    let twice = Policy::new(domains("*.example.com"))
        .with_domain(set(), Some(Mode::Off), None)
        .with_domain_refuse_at(set(), RefuseAt::Rcpt);
    let twice = twice.with_domain(set(), Some(Mode::Sign), None);
    let read = Policy::parse(twice.to_toml().as_bytes()).unwrap();
    assert_eq!((read == twice, read.mode_on(b"x.example.com", day)), (true, Mode::Sign));
}
