//! What is wrong in a configuration is told with its line, what it is and what to do.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use backstopd::config::Config;
use backstopd::faces;

const HEAD: &str = "[policy]\nown-domains = [\"example.com\"]\n";

fn fault(rest: &str) -> String {
    Config::parse(format!("{HEAD}{rest}\n").as_bytes()).unwrap_err().to_string()
}

#[test]
fn every_fault_is_one_exact_sentence_with_its_line() {
    for (rest, sentence) in [
        ("[sockmap]", "line 3: unknown key `sockmap`; did you mean `socketmap`?"),
        (
            "[x]",
            "line 3: unknown key `x`; known are policy, keys, log, limits, milter, socketmap, tcp-table, policy-service, \
             filter, metrics",
        ),
        ("[log]\nformt = \"text\"", "line 4: unknown key `formt` in [log]; did you mean `format`?"),
        ("[log]\nformat = \"xml\"", "line 4: `format` must be \"text\" or \"json\""),
        ("[log]\nfile = \"x.log\"", "line 4: `file` must be a path that begins with `/`"),
        ("[log]\nfile = 1", "line 4: `file` must be a text in quotes"),
        ("[keys]\nallow-unsafe = 1", "line 4: `allow-unsafe` must be true or false"),
        ("[limits]\nconnections = 0", "line 4: `connections` must be a whole number from 1 to 100000"),
        ("[limits]\nidle-seconds = 1.5", "line 4: `idle-seconds` must be a whole number from 1 to 86400"),
        (
            "[socketmap]",
            "line 3: `socketmap` listens nowhere; add listen = [\"inet:127.0.0.1:PORT\"] or take the table out",
        ),
        (
            "[milter]\nverdict-header = \"Subject\"",
            "line 4: `verdict-header` = \"Subject\" is deleted from all mail that arrives; give it a name of its own that \
             begins with Backstop- or X-",
        ),
        (
            "[milter]\nverdict-header = \"backstop-MARK\"",
            "line 4: `verdict-header` = \"backstop-MARK\" is deleted from all \
             mail that arrives; give it a name of its own that begins with Backstop- or X-",
        ),
        (
            "[milter]\nverdict-header = \"X-Verdict: x\"",
            "line 4: `verdict-header` = \"X-Verdict: x\" is deleted from all \
             mail that arrives; give it a name of its own that begins with Backstop- or X-",
        ),
        ("[socketmap]\nlisten = \"x\"", "line 4: `listen` must be a list of texts, [\"...\", \"...\"]"),
        (
            "[socketmap]\nlisten = [\n  \"inet:127.0.0.1:1\",\n  \"tcp:1\"]",
            "line 6: `listen` = \"tcp:1\" is no address to listen on; write inet:127.0.0.1:10028, unix:/path or systemd:NAME",
        ),
        (
            "[socketmap]\nmaps = [\"sing\"]",
            "line 4: `maps` must be \"sign\" or \"verify\" or \"srs-forward\" or \"srs-reverse\"",
        ),
        (
            "[socketmap]\nsocket-mode = \"777\"",
            "line 4: `socket-mode` must be four octal digits that let the owner write, such as \"0660\"",
        ),
        (
            "[tcp-table]\nlisten = []",
            "line 4: unknown key `listen` in [tcp-table]; known are sign, verify, srs-forward, \
         srs-reverse, socket-owner, socket-group, socket-mode",
        ),
        (
            "[tcp-table]",
            "line 3: `tcp-table` listens nowhere; give sign, verify, srs-forward or srs-reverse an address",
        ),
        (
            "[socketmap]\nlisten = [\"inet:127.0.0.1:1\"]\n[policy-service]\nlisten = [\"inet:127.0.0.1:1\"]",
            "line 5: `policy-service` listens at inet:127.0.0.1:1, which is taken; every face needs its own",
        ),
        ("[filter]\nsessions = 0", "line 4: `sessions` must be a whole number from 1 to 1000000"),
        (
            "[filter]\nmetrics = [\"systemd:x\"]",
            "line 4: `metrics` cannot be a socket of systemd, since OpenSMTPD starts the filter",
        ),
        (
            "[socketmap]\nlisten = [\"inet:[::1]:1\", \"inet:0.0.0.0:1\"]\n[policy-service]\nlisten = [\"inet:[::]:1\"]",
            "line 5: `policy-service` listens at inet:[::]:1, where inet:[::1]:1 is; every face needs its own",
        ),
        (
            "[filter]\nmetrics = [\"inet:127.0.0.1:1\"]\n[metrics]\nlisten = [\"inet:127.0.0.1:1\"]",
            "line 5: `metrics` listens at inet:127.0.0.1:1, which is taken; every face needs its own",
        ),
        ("mod = \"enforce\"", "line 3: unknown key `mod` in [policy]; did you mean `mode`?"),
        ("[policy", "line 3: this is no TOML: unclosed table, expected `]`"),
        (
            "socketmap = 1",
            "line 3: unknown key `socketmap` in [policy]; known are display-names, domains, enforce-since, exempt-clients, \
         exempt-recipients, exempt-senders, expired-grace, internal-hosts, mailer-daemon-is-null, marks-since, mode, never-send, no-sign, \
         no-sign-recipients, own-domains, own-relays, refuse-at, reverse-any-sender, srs, subaddress",
        ),
    ] {
        assert_eq!(fault(rest), sentence, "{rest}");
    }
    let latin = Config::parse(b"[keys]\nfile = \"/etc/b\xfccher\"\n").unwrap_err();
    assert_eq!(latin.to_string(), "line 2: it is not UTF-8; save it as UTF-8");
}

#[test]
fn a_face_that_cannot_honour_a_rule_is_named_with_the_rule() {
    const MAPS: &str = "[socketmap]\nlisten = [\"inet:127.0.0.1:1\"]\n";
    const SERVICE: &str = "[policy-service]\nlisten = [\"inet:127.0.0.1:2\"]\n";
    let unmet = |rest: String| faces::unmet(&Config::parse(format!("{HEAD}{rest}").as_bytes()).unwrap()).join("\n");
    for (policy, faces, sentences) in [
        ("", MAPS, ""),
        ("mode = \"enforce\"\n", SERVICE, ""),
        (
            "mode = \"enforce\"\n",
            MAPS,
            "no face can refuse, which mode = \"enforce\" wants; add [milter], [policy-service] or [filter]",
        ),
        ("exempt-clients = [\"192.0.2.1\"]\nexempt-senders = [\"a@example.org\"]\n", SERVICE, ""),
        (
            "refuse-at = \"message\"\n",
            SERVICE,
            "[policy-service] cannot honour refuse-at = \"message\": it does not look into the message; take one of the two out",
        ),
        ("refuse-at = \"message\"\n", "[milter]\nlisten = [\"inet:127.0.0.1:2\"]\n", ""),
        (
            "refuse-at = \"rcpt\"\n[policy.domains.\"example.com\"]\nrefuse-at = \"message\"\n",
            SERVICE,
            "[policy-service] cannot honour refuse-at = \"message\": it does not look into the message; take one of the two out",
        ),
        ("mode = \"enforce\"\ninternal-hosts = [\"192.0.2.1\"]\nrefuse-at = \"data\"\n", "[filter]\n", ""),
        (
            "no-sign-recipients = [\"a@example.org\"]\n",
            "[filter]\n",
            "[filter] cannot honour no-sign-recipients: it sees no recipients beside the sender; take one of the two out",
        ),
        (
            "internal-hosts = [\"192.0.2.1\"]\n",
            MAPS,
            "[socketmap] cannot honour internal-hosts: it sees no client and signs whatever the mail server asks it to; take \
             one of the two out",
        ),
        ("internal-hosts = [\"192.0.2.1\"]\n", &format!("{MAPS}maps = [\"verify\"]\n"), ""),
        (
            "no-sign-recipients = [\"a@example.org\"]\n",
            "[tcp-table]\nsign = [\"inet:127.0.0.1:1\"]\n",
            "[tcp-table] cannot honour no-sign-recipients: it sees no recipients beside the sender; take one of the two out",
        ),
        ("no-sign-recipients = [\"a@example.org\"]\n", "[tcp-table]\nverify = [\"inet:127.0.0.1:1\"]\n", ""),
        (
            "[policy.srs]\ndomains = { \"example.com\" = \"fwd.example\" }\n",
            MAPS,
            "[socketmap] cannot honour srs.domains: it sees no recipient beside the sender; take one of the two out",
        ),
    ] {
        assert_eq!(unmet(format!("{policy}{faces}")), sentences, "{policy}{faces}");
    }
}

#[test]
fn the_effective_configuration_reads_back_to_itself() {
    let text = format!(
        "{HEAD}[keys]\nfile = \"/etc/backstop/a \\\" b\"\n[log]\nfile = \"/tmp/a\\u007Fb\"\nformat = \"json\"\naddresses = \"domain\"\n\
         [limits]\nconnections = 7\n[socketmap]\nlisten = [\"unix:/run/a\", \"inet:[::1]:9\"]\nmaps = [\"sign\"]\n\
         socket-group = \"postfix\"\nsocket-mode = \"0600\"\n[tcp-table]\nverify = [\"systemd:x\"]\n\
         [policy-service]\nlisten = [\"inet:127.0.0.1:8\"]\nat-data = true\n[filter]\nsessions = 7\nmetrics = [\"inet:127.0.0.1:10036\"]\n"
    );
    let ring = backstop::KeyRing::parse(b"version 1\nprvs 0 sha256 7 - - * text:not to be seen\n").unwrap();
    let shown = Config::parse(text.as_bytes()).unwrap().to_toml(&ring);
    assert_eq!(Config::parse(shown.as_bytes()).unwrap().to_toml(&ring), shown);
    assert!(shown.contains(&format!("# prvs 0 {}", ring.keys().first().unwrap().fingerprint())));
    assert!(!shown.contains("not to be seen"));
}

#[test]
fn the_table_of_the_readme_is_the_one_of_the_code() {
    use backstop::policy::Need;
    use faces::Face;
    let readme = include_str!("../README.md");
    for face in Face::ALL {
        let can = face.abilities();
        let word = |yes: bool| if yes { "yes" } else { "no" };
        let waits = match (can.refuses, face) {
            (false, _) => "-",
            (true, Face::PolicyService) => "with `at-data`",
            (true, _) => word(can.meets.contains(&Need::RefuseAtData)),
        };
        let to_the_end = if can.refuses { word(can.meets.contains(&Need::RefuseAtMessage)) } else { "-" };
        let row = format!(
            "| {} | {} | {} | {} | {} | {waits} | {to_the_end} | {} | {} |",
            face.as_str(),
            word(can.signs),
            word(can.forwards),
            word(can.strips),
            word(can.refuses),
            word(can.meets.contains(&Need::Client)),
            word(can.meets.contains(&Need::Recipients)),
        );
        assert!(readme.lines().any(|line| line == row), "{row}");
    }
}
