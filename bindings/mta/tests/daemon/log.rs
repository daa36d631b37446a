//! The log: both formats, redaction, a file that is opened anew, and one that nobody reads.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::{Daemon, PATIENCE, netstring, signed};
use crate::faults::resident;

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
    let wait = |what: &str| wait_until(what, || fs::read_to_string(&path).is_ok_and(|text| text.contains(what)));
    wait("is ready");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    fs::rename(&path, daemon.folder.path("log.1")).unwrap();
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

/// A FIFO in the daemon's folder, open to be read.
fn fifo(daemon: &Daemon, name: &str) -> File {
    let path = daemon.folder.path(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    OpenOptions::new().read(true).write(true).open(path).unwrap()
}

/// Puts the configuration in place and sends a signal; whether it was taken the log may be unable to tell.
fn send(daemon: &Daemon, signal: &str, config: &str) {
    let folder = daemon.folder.path("");
    daemon.folder.write("config", &config.replace("DIR", folder.to_str().unwrap().trim_end_matches('/')));
    daemon.signal(signal);
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_log_that_nobody_reads_holds_up_neither_answers_nor_reloads_and_the_last_file_of_several_gets_the_lines() {
    let daemon = Daemon::start(&config(""));
    let mut stalled = fifo(&daemon, "fifo");
    send(&daemon, "HUP", &config("file = \"DIR/fifo\""));
    let mut peer = daemon.connect("map");
    // More than the pipe takes, and then more than the queue behind it.
    let request = netstring("sign alice@example.com").repeat(100);
    let answer = peer.map("sign", "alice@example.com").len() + "43:,".len();
    for (name, hundreds) in [("between", 20), ("after", 180)] {
        for _ in 0..hundreds {
            peer.send(&request);
            peer.take(100 * answer);
        }
        send(&daemon, "HUP", &config(&format!("file = \"DIR/{name}\"")));
        wait_until("it is not reloaded", || daemon.folder.path(name).exists());
    }
    assert!(peer.map("sign", "alice@example.com").starts_with("OK "));
    assert!(daemon.connect("map").map("sign", "bob@example.com").starts_with("OK "));
    // What is under way ends where it began, and then the last file has its turn.
    let draining = std::thread::spawn(move || {
        let mut some = [0; 65_536];
        while !some.ends_with(b"the end\n") {
            let length = stalled.read(&mut some).unwrap();
            some.copy_within(..length, 65_536 - length);
        }
    });
    wait_until("the other file gets no line", || {
        peer.map("sign", "carol@example.com");
        fs::read_to_string(daemon.folder.path("after")).unwrap().contains("carol")
    });
    fs::write(daemon.folder.path("fifo"), "the end\n").unwrap();
    draining.join().unwrap();
}

#[test]
fn lines_that_wait_for_the_log_take_bounded_memory_however_long_they_are() {
    let long = "x".repeat(200) + &"\u{1}".repeat(3500) + "@elsewhere.example";
    let with = |log: &str| config(log) + "[policy-service]\nlisten = [\"unix:DIR/policy\"]\n";
    let daemon = Daemon::start(&with(""));
    let _stalled = fifo(&daemon, "fifo");
    send(&daemon, "HUP", &with("events = \"all\"\nfile = \"DIR/fifo\""));
    let mut peer = daemon.connect("policy");
    peer.ask("RCPT", "", "alice@example.com", "");
    let before = resident(daemon.pid());
    for _ in 0..4000 {
        peer.ask("RCPT", &long, "alice@example.com", "");
    }
    let grown = resident(daemon.pid()).saturating_sub(before);
    assert!(grown < 40_000, "{grown} kB");
}

#[test]
fn a_fifo_without_a_reader_is_refused_and_waited_for_by_nobody() {
    let daemon = Daemon::start(&config(""));
    drop(fifo(&daemon, "fifo"));
    let line = daemon.reload(&config("file = \"DIR/fifo\""));
    assert!(line.contains("fifo cannot be opened: it is a FIFO that nobody reads, or a socket; name another file"));
    assert!(daemon.connect("map").map("sign", "alice@example.com").starts_with("OK "));
    let started = Command::new(env!("CARGO_BIN_EXE_backstopd"))
        .args(["run", "--config", daemon.folder.path("config").to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(started.status.code(), Some(73), "{started:?}");
}

#[test]
fn sigusr1_opens_the_log_anew_and_leaves_an_edited_configuration_alone() {
    let log = "file = \"DIR/log\"\nformat = \"json\"";
    let daemon = Daemon::start_until(&config(log), |folder| folder.path("log").exists());
    let path = daemon.folder.path("log");
    wait_until("it does not start", || fs::read_to_string(&path).unwrap().contains("is ready"));
    fs::rename(&path, daemon.folder.path("log.1")).unwrap();
    send(&daemon, "USR1", &config(log).replace("[keys]", "mode = \"off\"\n[keys]"));
    wait_until("the log is not opened anew", || path.exists());
    assert!(daemon.connect("map").map("sign", "alice@example.com").starts_with("OK "));
    wait_until("no line", || fs::read_to_string(&path).unwrap().contains("\"action\":\"sign\""));
    let text = fs::read_to_string(&path).unwrap() + &fs::read_to_string(daemon.folder.path("log.1")).unwrap();
    assert!(!text.contains("reload"), "{text}");
}
