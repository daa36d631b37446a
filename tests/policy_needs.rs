//! A policy tells what it needs, each need from exactly one key.
#![cfg(feature = "policy-file")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use backstop::policy::{Client, Need, Origin, Policy, RefuseAt};
use backstop::srs::Dialect;

fn needs(keys: &str) -> Vec<Need> {
    let policy = Policy::parse(format!("[policy]\nown-domains = [\"example.com\"]\n{keys}\n").as_bytes()).unwrap();
    Need::ALL.iter().copied().filter(|need| policy.needs(*need)).collect()
}

#[test]
fn each_need_comes_from_the_key_that_it_names() {
    assert_eq!(needs(""), [Need::RefuseAtData]);
    for (keys, need) in [
        ("mode = \"enforce\"", Need::Refuse),
        ("[policy.domains.\"example.com\"]\nmode = \"enforce\"", Need::Refuse),
        ("refuse-at = \"message\"", Need::RefuseAtMessage),
        ("[policy.domains.\"example.com\"]\nrefuse-at = \"message\"", Need::RefuseAtMessage),
        ("[policy.domains.\"example.com\"]\nrefuse-at = \"data\"", Need::RefuseAtData),
        ("exempt-clients = [\"192.0.2.1\"]", Need::Client),
        ("exempt-senders = [\"a@example.org\"]", Need::Sender),
        ("internal-hosts = [\"192.0.2.1\"]", Need::OwnNetwork),
        ("no-sign-recipients = [\"a@example.org\"]", Need::Recipients),
        ("[policy.srs]\ndomains = { \"example.com\" = \"fwd.example\" }", Need::Forwarder),
    ] {
        let mut found = needs(
            &format!("refuse-at = \"rcpt\"\n{keys}")
                .replace("refuse-at = \"rcpt\"\nrefuse-at = \"message\"", "refuse-at = \"message\""),
        );
        assert_eq!(found.pop(), Some(need), "{keys}");
        assert!(found.is_empty(), "{keys}: {found:?}");
        let word = need.key().split(['.', ' ']).next().unwrap();
        assert!(!word.is_empty() && keys.contains(word), "{keys}: {word}");
    }
    assert!(needs("refuse-at = \"rcpt\"\n[policy.domains.\"example.com\"]\nmode = \"observe\"").is_empty());
}

#[test]
fn a_policy_tells_back_what_it_was_given() {
    let given = Policy::parse(
        b"[policy]\nown-domains = [\"example.com\"]\nrefuse-at = \"message\"\n\
         [policy.srs]\ndomain = \"fwd.example\"\nhash-length = 6\n",
    )
    .unwrap();
    assert_eq!(given.refuse_at(), RefuseAt::Message);
    assert_eq!(*given.srs().unwrap().dialect(), Dialect::CLASSIC.with_hash(6, 6).unwrap());
    assert!(Origin::ALL.iter().map(|it| it.as_str()).eq(["submitted", "internal", "inbound", "unknown"]));
    assert!(Client::ALL.iter().map(|it| it.as_str()).eq(["internal", "exempt", "other", "submitted"]));
}
