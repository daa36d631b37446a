//! backstopd.toml is the manual: every key of the code stands in it, and all that stands in it is understood.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;

use backstop::policy::Policy;
use backstopd::config::{Config, TABLES};

const SAMPLE: &str = include_str!("../backstopd.toml");

/// The sample with all examples in force; the manual's prose has a blank behind its `#`.
fn with_examples() -> String {
    let example = |line: &str| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).map(str::to_owned);
    let lines = SAMPLE.lines().map(|line| example(line).unwrap_or_else(|| line.to_owned()));
    lines.collect::<Vec<_>>().join("\n")
}

/// Tables with their keys; the name of a domain's table does not matter.
fn keys(text: &str) -> BTreeSet<(String, String)> {
    let mut table = String::new();
    let mut keys = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            table = name.split('"').next().unwrap().trim_end_matches('.').to_owned();
        } else if let Some((key, _)) = line.split_once(" = ") {
            assert!(keys.insert((table.clone(), key.to_owned())), "[{table}] {key} stands there twice");
        }
    }
    keys
}

#[test]
fn every_key_of_the_code_stands_in_the_sample_and_no_other() {
    let mut expected: BTreeSet<(String, String)> = TABLES
        .iter()
        .flat_map(|(table, keys)| keys.iter().map(|key| ((*table).to_owned(), (*key).to_owned())))
        .collect();
    // The core's keys, as the core writes a policy that sets all of them.
    expected.extend(keys(
        &Policy::parse(include_str!("../../../tests/vectors/policy.toml").trim().as_bytes())
            .unwrap()
            .to_toml()
            .replace("[policy.domains.\"lists.example.com\"]\nmode = \"observe\"\n", ""),
    ));
    assert_eq!(keys(&with_examples()), expected);
}

#[test]
fn the_sample_is_valid_as_it_is_and_with_all_its_examples() {
    let plain = Config::parse(SAMPLE.as_bytes()).unwrap();
    assert_eq!(plain.endpoints.len(), 2);
    let full = with_examples().replace("listen = [\"inet:127.0.0.1:10029\"]", "listen = [\"systemd:policy\"]");
    assert_eq!(Config::parse(full.as_bytes()).unwrap().endpoints.len(), 8);
}

#[test]
fn every_default_that_the_sample_tells_is_the_one_of_the_code() {
    // Examples that show the default change nothing; those that do not are listed.
    let other = [
        "marks-since",
        "own-relays",
        "display-names",
        "no-sign",
        "no-sign-recipients",
        "never-send",
        "exempt-senders",
        "exempt-clients",
        "internal-hosts",
        "enforce-since",
        "listen",
        "format",
        "addresses",
        "events",
        "file",
        "at-data",
        "mode",
        "sign",
        "verify",
        "srs-forward",
        "srs-reverse",
        "socket-owner",
        "socket-group",
        "domains",
        "domain",
        "forwarders",
        "mark",
        "verdict-header",
        "metrics",
    ];
    let ring = backstop::KeyRing::empty();
    let plain = Config::parse(SAMPLE.replace("#[filter]", "[filter]").as_bytes()).unwrap().to_toml(&ring);
    let full = Config::parse(with_examples().as_bytes()).unwrap().to_toml(&ring);
    let plain: BTreeSet<&str> = plain.lines().filter(|line| line.contains(" = ")).collect();
    for line in
        full.split("\n[policy.srs]").next().unwrap().lines().chain(full.split("\n[keys]").nth(1).unwrap().lines())
    {
        let Some((key, _)) = line.split_once(" = ") else { continue };
        assert!(plain.contains(line) || other.contains(&key) || key == "socket-mode", "{line}");
    }
}
