//! The policy service: who is refused, when, and what the log says of it.

use crate::common::{Daemon, forged, signed};

fn config(mode: &str, refuse_at: &str, rest: &str) -> String {
    format!(
        "[policy]\nown-domains = [\"example.com\"]\nmode = \"{mode}\"\nrefuse-at = \"{refuse_at}\"\n\
         exempt-clients = [\"198.51.100.7\"]\n[keys]\nfile = \"DIR/keys\"\n[log]\nformat = \"json\"\n\
         [policy-service]\nlisten = [\"unix:DIR/policy\"]\n{rest}\n"
    )
}

const FORGED: &str = "550 5.7.1 The signature of this return address is forged; we did not send that mail";
const UNTAGGED: &str = "550 5.7.1 We sign all our mail; this bounce answers mail that we did not send";

#[test]
fn enforce_refuses_what_we_did_not_send_and_nothing_else() {
    let daemon = Daemon::start(&config("enforce", "rcpt", ""));
    let mut peer = daemon.connect("policy");
    let (genuine, old) = (signed("alice@example.com", 0), signed("alice@example.com", 30));
    for (sender, recipient, action) in [
        ("", genuine.as_str(), "DUNNO"),
        ("", &genuine.to_uppercase(), "DUNNO"),
        ("", &forged("alice@example.com"), FORGED),
        ("", "alice@example.com", UNTAGGED),
        (
            "",
            "btv1==04412345678==alice@example.com",
            "550 5.7.1 This return address carries a signature of another system",
        ),
        ("", "prvs=4x=alice@example.com", "550 5.7.1 The signature of this return address is damaged"),
        ("", &old, "550 5.7.1 The signature of this return address has expired"),
        ("", &signed("alice@example.com", 14), "DUNNO"),
        ("", "postmaster@example.com", "DUNNO"),
        ("", "postmaster", "DUNNO"),
        ("", "bob@elsewhere.example", "DUNNO"),
        ("", "", "DUNNO"),
        ("bob@elsewhere.example", "alice@example.com", "DUNNO"),
        ("bob@elsewhere.example", &forged("alice@example.com"), "DUNNO"),
    ] {
        assert_eq!(peer.ask("RCPT", sender, recipient, "instance=a\n"), action, "<{sender}> {recipient}");
    }
}

#[test]
fn observe_refuses_nothing_and_says_what_it_would() {
    let daemon = Daemon::start(&config("observe", "rcpt", ""));
    let mut peer = daemon.connect("policy");
    assert_eq!(peer.ask("RCPT", "", "alice@example.com", "instance=abc.1\n"), "DUNNO");
    let event: serde_json::Value = serde_json::from_str(&daemon.wait_for("\"incoming\"")).unwrap();
    for (key, value) in [
        ("face", "policy-service"),
        ("mode", "observe"),
        ("action", "unchanged"),
        ("would", "refuse"),
        ("client", "192.0.2.1"),
        ("sender", "<>"),
        ("recipient", "alice@example.com"),
        ("instance", "abc.1"),
        ("verdict", "untagged"),
        ("reason", "untagged"),
    ] {
        assert_eq!(event[key], value, "{key}");
    }
    assert!(event["reply"].is_null() && event["key"].is_null() && event["age"].is_null());
}

#[test]
fn the_log_of_a_refusal_has_reply_key_and_age() {
    let daemon = Daemon::start(&config("enforce", "rcpt", ""));
    let old = signed("alice@example.com", 30);
    daemon.connect("policy").ask("RCPT", "", &old, "instance=a\nqueue_id=4F00\n");
    let event: serde_json::Value = serde_json::from_str(&daemon.wait_for("\"refuse\"")).unwrap();
    assert_eq!(event["reply"], "550 5.7.1 The signature of this return address has expired");
    assert_eq!((&event["key"], &event["stage"], &event["detail"]), (&"4".into(), &"rcpt".into(), &"lifetime".into()));
    assert_eq!(event["age"], 30);
    assert_eq!((&event["recipient"], &event["mailbox"]), (&old.into(), &"alice@example.com".into()));
}

#[test]
fn exempt_clients_are_never_refused_and_others_on_their_port_are() {
    let daemon = Daemon::start(&config("enforce", "rcpt", ""));
    let mut peer = daemon.connect("policy");
    let ask = |peer: &mut crate::common::Peer, client: &str| {
        peer.ask("RCPT", "", "alice@example.com", &format!("instance=a\n{client}"))
    };
    assert_eq!(ask(&mut peer, "client_address=198.51.100.7\n"), "DUNNO");
    assert_eq!(ask(&mut peer, "client_address=::ffff:198.51.100.7\n"), "DUNNO");
    assert_eq!(ask(&mut peer, "client_address=198.51.100.8\n"), UNTAGGED);
    // Not the MTA itself: a proxy that does not know the port.
    assert_eq!(ask(&mut peer, "client_address=198.51.100.8\nclient_port=0\n"), UNTAGGED);
    assert_eq!(ask(&mut peer, "client_address=unknown\nclient_port=unknown\n"), UNTAGGED);
    assert_eq!(ask(&mut peer, "client_address=127.0.0.1\nclient_port=0\n"), "DUNNO");
}

#[test]
fn without_at_data_a_refusal_is_given_at_rcpt() {
    let daemon = Daemon::start(&config("enforce", "data", ""));
    assert_eq!(daemon.connect("policy").ask("RCPT", "", "alice@example.com", "instance=a\n"), UNTAGGED);
}

#[test]
fn with_at_data_a_call_out_passes_and_a_bounce_is_refused() {
    let daemon = Daemon::start(&config("enforce", "data", "at-data = true"));
    let mut peer = daemon.connect("policy");
    // A call-out never comes to DATA.
    assert_eq!(peer.ask("RCPT", "", "alice@example.com", "instance=a\n"), "DUNNO");
    assert_eq!(peer.ask("DATA", "bob@elsewhere.example", "bob@example.com", "instance=b\n"), "DUNNO");
    // Postfix leaves the recipient out at DATA if there are several.
    assert_eq!(peer.ask("RCPT", "", "alice@example.com", "instance=c\n"), "DUNNO");
    assert_eq!(peer.ask("DATA", "", "", "instance=c\n"), UNTAGGED);
    let event: serde_json::Value = serde_json::from_str(&daemon.wait_for("\"refuse\"")).unwrap();
    assert_eq!((&event["stage"], &event["instance"]), (&"data".into(), &"c".into()));
}

#[test]
fn with_at_data_a_refusal_that_waits_outlives_its_connection() {
    let daemon = Daemon::start(&config("enforce", "data", "at-data = true\n[limits]\nforged-per-hour = 1"));
    let (genuine, wrong) = (signed("alice@example.com", 0), forged("alice@example.com"));
    let ask = |state: &str, sender: &str, recipient: &str, more: &str| {
        daemon.connect("policy").ask(state, sender, recipient, more)
    };
    for (sender, recipient, more, action) in [
        ("", "alice@example.com", "instance=a\n", UNTAGGED),
        ("", &wrong, "instance=b\n", FORGED),
        ("", &genuine, "instance=c\n", "DUNNO"),
        ("", "postmaster@example.com", "instance=d\n", "DUNNO"),
        ("bob@elsewhere.example", "alice@example.com", "instance=e\n", "DUNNO"),
        ("", "alice@example.com", "instance=f\nclient_address=198.51.100.7\n", "DUNNO"),
        ("", "alice@example.com", "instance=g\nsasl_username=alice\n", "DUNNO"),
    ] {
        assert_eq!(ask("RCPT", sender, recipient, more), "DUNNO", "{recipient} {more}");
        assert_eq!(ask("DATA", sender, recipient, more), action, "{recipient} {more}");
    }
    // Several recipients: Postfix names none, and each was judged at RCPT as far as somebody knows.
    assert_eq!(ask("DATA", "", "", "instance=h\n"), "DUNNO");
    // Nothing was counted twice: neither guesses (one is allowed) nor events nor uses of a tag.
    assert_eq!(ask("RCPT", "", &wrong, "instance=i\nclient_address=198.51.100.8\n"), "DUNNO");
    assert_eq!(ask("DATA", "", &wrong, "instance=i\nclient_address=198.51.100.8\n"), FORGED);
    assert_eq!(ask("RCPT", "", &genuine, "instance=j\nclient_address=198.51.100.8\n"), "DUNNO");
    daemon.wait_for("\"uses\":2,");
    let count = |what: &str| daemon.log().iter().filter(|line| line.contains(what)).count();
    assert_eq!((count("\"verdict\":\"genuine\""), count("\"action\":\"refuse\"")), (2, 3));
    assert_eq!((count("\"stage\":\"data\""), count("\"action\":\"defer\"")), (3, 0));
}

#[test]
fn with_at_data_whoever_is_refused_at_rcpt_is_not_judged_again_at_data() {
    let daemon = Daemon::start(&config("enforce", "rcpt", "at-data = true"));
    let mut peer = daemon.connect("policy");
    assert_eq!(peer.ask("RCPT", "", "alice@example.com", "instance=a\n"), UNTAGGED);
    // Some own rule of the mail server let it in without asking.
    assert_eq!(peer.ask("DATA", "", "alice@example.com", "instance=b\n"), "DUNNO");
}

#[test]
fn with_at_data_every_recipient_is_judged_by_itself() {
    let daemon = Daemon::start(&config("enforce", "data", "at-data = true"));
    let mut peer = daemon.connect("policy");
    let genuine = signed("alice@example.com", 0);
    // Behind one that waits, another bad one is refused at once, and a good one has to come again.
    assert_eq!(peer.ask("RCPT", "", "alice@example.com", "instance=a\n"), "DUNNO");
    assert_eq!(peer.ask("RCPT", "", "bob@example.com", "instance=a\n"), UNTAGGED);
    let alone = "452 4.5.3 One recipient at a time: this mail may be refused; send it again for the others";
    assert_eq!(peer.ask("RCPT", "", &genuine, "instance=a\n"), alone);
    assert_eq!(peer.ask("DATA", "", "alice@example.com", "instance=a\n"), UNTAGGED);
    let event: serde_json::Value = serde_json::from_str(&daemon.wait_for("\"later\"")).unwrap();
    assert_eq!((&event["recipient"], &event["reply"]), (&genuine.as_str().into(), &alone.into()));
    // Behind a good one nothing waits.
    assert_eq!(peer.ask("RCPT", "", &genuine, "instance=b\n"), "DUNNO");
    assert_eq!(peer.ask("RCPT", "", "alice@example.com", "instance=b\n"), UNTAGGED);
}

#[test]
fn a_client_that_guesses_tags_is_sent_away_and_others_are_not() {
    let daemon = Daemon::start(&config("enforce", "rcpt", "[limits]\nforged-per-hour = 5"));
    let (mut peer, genuine, wrong) =
        (daemon.connect("policy"), signed("alice@example.com", 0), forged("alice@example.com"));
    for _ in 0..5 {
        assert_eq!(peer.ask("RCPT", "", &wrong, "instance=a\n"), FORGED);
    }
    let away = "421 4.7.0 Too many forged return addresses from your host; try again in an hour";
    assert_eq!(peer.ask("RCPT", "", &wrong, "instance=a\n"), away);
    assert_eq!(peer.ask("RCPT", "", &genuine, "instance=a\n"), away);
    daemon.wait_for("\"action\":\"defer\"");
    for exempt in ["postmaster", "postmaster@example.com", &forged("abuse@example.com")] {
        assert_eq!(peer.ask("RCPT", "", exempt, "instance=a\n"), "DUNNO", "{exempt}");
    }
    // Its ordinary mail goes on, as all mail of others does, also after a reload.
    assert_eq!(peer.ask("RCPT", "bob@elsewhere.example", "alice@example.com", "instance=a\n"), "DUNNO");
    assert_eq!(peer.ask("RCPT", "", &genuine, "instance=a\nclient_address=192.0.2.2\n"), "DUNNO");
    assert_eq!(peer.ask("RCPT", "", &genuine, "instance=a\nclient_address=198.51.100.7\n"), "DUNNO");
    assert!(daemon.reload(&config("enforce", "rcpt", "[limits]\nforged-per-hour = 5")).contains("reloaded"));
    assert_eq!(peer.ask("RCPT", "", &genuine, "instance=b\n"), away);
}

#[test]
fn the_uses_of_a_tag_are_counted_and_shown() {
    let daemon = Daemon::start(&config("observe", "rcpt", ""));
    let (mut peer, genuine) = (daemon.connect("policy"), signed("alice@example.com", 0));
    for uses in 1..4 {
        peer.ask("RCPT", "", &genuine, "instance=a\n");
        daemon.wait_for(&format!("\"uses\":{uses},"));
    }
}
