//! The metrics, read as Prometheus reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

use backstopd::metrics::ALL;

use crate::common::{Daemon, RING, forged, signed};

fn config(more: &str) -> String {
    format!(
        "[policy]\nown-domains = [\"example.com\"]\nmode = \"enforce\"\nrefuse-at = \"rcpt\"\n[keys]\nfile = \"DIR/keys\"\n\
         [socketmap]\nlisten = [\"unix:DIR/map\"]\n[policy-service]\nlisten = [\"unix:DIR/policy\"]\n\
         [metrics]\nlisten = [\"unix:DIR/metrics\"]\n{more}\n"
    )
}

fn request(daemon: &Daemon, line: &str) -> (String, String) {
    let mut peer = daemon.connect("metrics");
    peer.send(format!("{line}\r\nHost: localhost\r\nAccept: application/openmetrics-text\r\n\r\n"));
    let answer = peer.rest();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The samples of a text, by name and labels, after a check of its grammar.
fn samples(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with("\n# EOF\n"), "{text}");
    let mut samples = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let old = samples.insert(name.to_owned(), value.parse().unwrap());
        assert!(old.is_none(), "{name} stands there twice");
    }
    samples
}

fn read(daemon: &Daemon) -> BTreeMap<String, f64> {
    let (head, body) = request(daemon, "GET /metrics HTTP/1.1");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    samples(&body)
}

#[test]
fn decisions_are_counted_by_face_mode_verdict_and_reason() {
    let daemon = Daemon::start(&config(""));
    daemon.connect("map").map("sign", "alice@example.com");
    let mut peer = daemon.connect("policy");
    for recipient in [signed("alice@example.com", 3), forged("alice@example.com"), forged("alice@example.com")] {
        peer.ask("RCPT", "", &recipient, "");
    }
    let found = read(&daemon);
    let decisions = |event: &str, face: &str, action: &str, verdict: &str, reason: &str| {
        let would = if event == "incoming" { action } else { "" };
        let name = format!(
            "backstopd_decisions_total{{event=\"{event}\",face=\"{face}\",mode=\"enforce\",action=\"{action}\",\
             would=\"{would}\",verdict=\"{verdict}\",reason=\"{reason}\"}}"
        );
        *found.get(&name).unwrap_or_else(|| panic!("no {name} in {found:#?}"))
    };
    assert_eq!(decisions("outgoing", "socketmap", "sign", "", "signed"), 1.);
    assert_eq!(decisions("incoming", "policy-service", "strip", "genuine", "genuine"), 1.);
    assert_eq!(decisions("incoming", "policy-service", "refuse", "forged", "forged"), 2.);
    let own = "backstopd_own_mail_total{face=\"socketmap\",signed=\"yes\"}";
    assert_eq!(found.get(own), Some(&1.));
    let seconds = "backstopd_decision_seconds_count{face=\"policy-service\"}";
    assert_eq!(found.get(seconds), Some(&3.));
}

#[test]
fn what_the_alarms_look_for_is_there_with_nought_from_the_start_for_each_face_that_signs() {
    let daemon = Daemon::start(&config(""));
    let before = read(&daemon);
    for signed in ["yes", "no"] {
        let own = format!("backstopd_own_mail_total{{face=\"socketmap\",signed=\"{signed}\"}}");
        assert_eq!(before.get(&own), Some(&0.), "{own}");
    }
    let no_key = |mode: &str| {
        format!(
            "backstopd_decisions_total{{event=\"outgoing\",face=\"socketmap\",mode=\"{mode}\",action=\"keep\",\
             would=\"\",verdict=\"\",reason=\"no-key\"}}"
        )
    };
    assert!(
        ["sign", "observe", "enforce"].into_iter().all(|mode| before.get(&no_key(mode)) == Some(&0.)),
        "{before:#?}"
    );
    assert!(!before.keys().any(|name| name.contains("policy-service")), "it signs nothing");
    // The very series counts.
    daemon.folder.write("keys", &RING.replace("2020-01-01 - * text:the key", "2020-01-01 2021-01-01 * text:the key"));
    assert!(daemon.reload(&config("")).contains("reloaded"));
    daemon.connect("map").map("sign", "alice@example.com");
    let after = read(&daemon);
    assert_eq!(after.get(&no_key("enforce")), Some(&1.));
    assert_eq!(after.get("backstopd_own_mail_total{face=\"socketmap\",signed=\"no\"}"), Some(&1.));
}

#[test]
fn ages_of_genuine_and_expired_tags_are_told() {
    let daemon = Daemon::start(&config(""));
    let mut peer = daemon.connect("policy");
    for age in [3, 40] {
        peer.ask("RCPT", "", &signed("alice@example.com", age), "");
    }
    let found = read(&daemon);
    for (verdict, sum) in [("genuine", 3.), ("expired", 40.)] {
        assert_eq!(found.get(&format!("backstopd_tag_age_days_sum{{verdict=\"{verdict}\"}}")), Some(&sum));
        assert_eq!(found.get(&format!("backstopd_tag_age_days_count{{verdict=\"{verdict}\"}}")), Some(&1.));
    }
}

/// Debian's python3-prometheus-client, which knows the format from elsewhere.
#[test]
fn the_parser_of_prometheus_takes_the_text_and_finds_every_metric() {
    let daemon = Daemon::start(&config(""));
    daemon.connect("map").map("sign", "alice@example.com");
    daemon.connect("policy").ask("RCPT", "", &signed("alice@example.com", 3), "");
    let (_, body) = request(&daemon, "GET /metrics HTTP/1.1");
    let read = "import sys\nfrom prometheus_client.openmetrics.parser import text_string_to_metric_families as parse\n\
        for family in parse(sys.stdin.read()):\n    assert family.samples and family.documentation, family\n    \
        print(family.name + ('_total' if family.type == 'counter' else ''))";
    let python = |code| {
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-c", code]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()
    };
    let there = python("import prometheus_client").is_some_and(|mut child| child.wait().unwrap().success());
    if !there {
        assert!(
            std::env::var_os("CI").is_none_or(|it| it != "true"),
            "apt-get install python3-prometheus-client, which this test wants"
        );
        eprintln!("skipped: python3-prometheus-client is missing");
        return;
    }
    let mut child = python(read).unwrap();
    child.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success());
    let found: BTreeSet<String> = String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect();
    // No key of the ring has an end, and no message was judged.
    let absent = ["backstopd_signing_key_ends_days", "backstopd_messages_total"];
    let expected = ALL.map(|it| it.name.to_owned()).into_iter().filter(|it| !absent.contains(&it.as_str()));
    assert_eq!(found, expected.collect());
}

#[test]
fn reloads_are_counted_and_the_ring_in_force_is_shown() {
    let daemon = Daemon::start(&config(""));
    let ring = |ring: &str| {
        let ring = backstop::KeyRing::parse(ring.as_bytes()).unwrap();
        format!("backstopd_ring_info{{fingerprint=\"{}\"}}", ring.fingerprint())
    };
    let before = read(&daemon);
    assert_eq!(before.get(&ring(RING)), Some(&1.));
    assert_eq!(before.get("backstopd_reloads_total{result=\"good\"}"), Some(&0.));
    let until = crate::common::today().plus(9);
    let other = RING.replace("2020-01-01 - * text:the key", &format!("2020-01-01 {until} * text:another key"));
    daemon.folder.write("keys", &other);
    assert!(daemon.reload(&config("")).contains("reloaded"));
    assert!(daemon.reload("nonsense").contains("refused"));
    let after = read(&daemon);
    assert_eq!((after.get(&ring(RING)), after.get(&ring(&other))), (None, Some(&1.)));
    for result in ["good", "refused"] {
        assert_eq!(after.get(&format!("backstopd_reloads_total{{result=\"{result}\"}}")), Some(&1.));
        let when = after.get(&format!("backstopd_last_reload_timestamp_seconds{{result=\"{result}\"}}"));
        assert!(when.is_some_and(|when| *when >= after["backstopd_start_timestamp_seconds"]), "{when:?}");
    }
    let ends: Vec<_> = after.iter().filter(|(name, _)| name.starts_with("backstopd_signing_key_ends_days{")).collect();
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert_eq!(*ends[0].1, 9.);
    assert_eq!(after.get("backstopd_ring_due{finding=\"ends-soon\"}"), Some(&1.));
}

#[test]
fn the_table_of_the_manual_names_every_metric_and_label_and_no_other() {
    let daemon = Daemon::start(&config(""));
    let until = crate::common::today().plus(9);
    daemon.folder.write("keys", &RING.replace("2020-01-01 - *", &format!("2020-01-01 {until} *")));
    daemon.reload(&config(""));
    daemon.connect("map").map("sign", "alice@example.com");
    daemon.connect("policy").ask("RCPT", "", &signed("alice@example.com", 1), "");
    let mut all = read(&daemon);
    all.extend(read(&crate::message::with_metrics()));
    let found: BTreeSet<(String, Vec<String>)> = all
        .keys()
        .map(|sample| {
            let (name, labels) = sample.split_once('{').unwrap_or((sample, ""));
            let name = ["_bucket", "_sum", "_count"].iter().find_map(|it| name.strip_suffix(it)).unwrap_or(name);
            let labels = labels.trim_end_matches('}').split("\",").filter(|it| !it.is_empty());
            let labels = labels.map(|label| label.split('=').next().unwrap().to_owned());
            (name.to_owned(), labels.filter(|label| label != "le").collect())
        })
        .collect();
    let table: BTreeSet<(String, Vec<String>)> =
        ALL.iter().map(|it| (it.name.to_owned(), it.labels.iter().map(|it| (*it).to_owned()).collect())).collect();
    assert_eq!(found, table);
}

#[test]
fn no_address_and_no_client_makes_a_series() {
    let daemon = Daemon::start(&config(""));
    let mut peer = daemon.connect("policy");
    peer.ask("RCPT", "", &forged("alice@example.com"), "");
    let before = read(&daemon).len();
    for number in 0..50 {
        peer.ask("RCPT", "", &forged(&format!("user{number}@example.com")), "");
    }
    let found = read(&daemon);
    assert_eq!(found.len(), before);
    assert!(!found.keys().any(|name| name.contains("example.com") || name.contains("192.0.2")));
}

#[test]
fn what_is_no_reading_of_the_metrics_is_told_so() {
    let daemon = Daemon::start(&config("[limits]\nrequest-seconds = 1"));
    for (line, status) in [("GET / HTTP/1.1", "404"), ("POST /metrics HTTP/1.1", "405"), ("nonsense", "400")] {
        assert!(request(&daemon, line).0.starts_with(&format!("HTTP/1.1 {status} ")), "{line}");
    }
    assert_eq!(request(&daemon, "HEAD /metrics HTTP/1.1").1, "");
    // One who never ends its request is cut off, and others are served meanwhile.
    let mut slow = daemon.connect("metrics");
    slow.send("GET /metrics HTTP/1.1\r\nX-Slow: ");
    read(&daemon);
    assert_eq!(slow.rest(), "");
    daemon.wait_for("too slow");
}

#[test]
fn without_its_table_nothing_listens_for_metrics() {
    let config = config("").replace("[metrics]\nlisten = [\"unix:DIR/metrics\"]\n", "");
    let daemon = Daemon::start(&config);
    assert!(!daemon.folder.path("metrics").exists());
    assert!(!daemon.wait_for("is ready").contains("metrics"));
}
