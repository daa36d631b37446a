//! The log: both formats, redaction, a file that is opened anew.

use crate::common::{Daemon, signed};

fn config(log: &str) -> String {
    format!(
        "[policy]\nown-domains = [\"example.com\"]\n[keys]\nfile = \"DIR/keys\"\n[log]\n{log}\n\
         [socketmap]\nlisten = [\"unix:DIR/map\"]\n"
    )
}

#[test]
fn text_tells_a_decision_in_a_line() {
    let daemon = Daemon::start(&config(""));
    let tagged = signed("alice@example.com", 0);
    daemon.connect("map").map("sign", "alice@example.com");
    let line = daemon.wait_for(" outgoing ");
    let told = line.split_once(" outgoing ").unwrap().1;
    let expected =
        format!("face=socketmap mode=observe action=sign sender=alice@example.com output=\"{tagged}\" reason=signed");
    assert_eq!(told, expected);
}

#[test]
fn redacted_addresses_keep_their_domain_only() {
    let daemon = Daemon::start(&config("addresses = \"domain\"\nformat = \"json\""));
    let tagged = signed("alice@example.com", 0);
    let mut peer = daemon.connect("map");
    peer.map("sign", "alice@example.com");
    peer.map("verify", &tagged);
    let line = daemon.wait_for("\"incoming\"");
    assert!(line.contains("\"recipient\":\"*@example.com\",\"mailbox\":\"*@example.com\""), "{line}");
    assert!(!daemon.log().join("\n").contains("alice"));
}

#[test]
fn what_changes_nothing_is_logged_only_on_demand() {
    let daemon = Daemon::start(&config("events = \"all\""));
    daemon.connect("map").map("verify", "bob@example.com");
    daemon.wait_for("recipient=bob@example.com");
    let daemon = Daemon::start(&config(""));
    let mut peer = daemon.connect("map");
    peer.map("verify", "bob@example.com");
    peer.map("sign", "carol@example.com");
    daemon.wait_for("carol");
    assert!(!daemon.log().join("\n").contains("bob@"));
}

#[test]
fn own_mail_that_leaves_unsigned_is_told() {
    let long = "x".repeat(60);
    let daemon = Daemon::start(&config(""));
    daemon.connect("map").map("sign", &format!("{long}@example.com"));
    assert!(daemon.wait_for(&long).contains("action=keep"));
    assert!(daemon.wait_for(&long).ends_with("reason=too-long"));
}

#[test]
fn a_log_file_is_opened_anew_on_reload_and_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let daemon = Daemon::start_until(&config("file = \"DIR/log\""), |folder| folder.path("log").exists());
    let path = daemon.folder.path("log");
    let wait = |what: &str| {
        for _ in 0..400 {
            if std::fs::read_to_string(&path).is_ok_and(|text| text.contains(what)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("no {what}");
    };
    wait("is ready");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    std::fs::rename(&path, daemon.folder.path("log.1")).unwrap();
    daemon.signal("HUP");
    wait("reloaded");
    daemon.connect("map").map("sign", "alice@example.com");
    wait("alice@example.com");
}

#[test]
fn an_event_has_the_keys_of_the_manual_in_their_order() {
    let daemon = Daemon::start(&config("format = \"json\""));
    daemon.connect("map").map("sign", "alice@example.com");
    let line = daemon.wait_for("\"outgoing\"");
    let found: Vec<&str> =
        line.trim_start_matches('{').split(",\"").map(|it| it.trim_matches('"').split('"').next().unwrap()).collect();
    assert_eq!(found, backstopd::event::FIELDS.map(|(name, _)| name));
}
