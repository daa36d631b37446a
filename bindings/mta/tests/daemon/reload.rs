//! SIGHUP: all of a new configuration, ring and listeners, or nothing of it.

use crate::common::{Daemon, RING, listens, signed};

fn config(mode: &str, faces: &str) -> String {
    format!(
        "[policy]\nown-domains = [\"example.com\"]\nmode = \"{mode}\"\nrefuse-at = \"data\"\n[keys]\nfile = \"DIR/keys\"\n{faces}\n"
    )
}

const FACES: &str =
    "[socketmap]\nlisten = [\"unix:DIR/map\"]\n[policy-service]\nlisten = [\"unix:DIR/policy\"]\nat-data = true";

#[test]
fn a_good_configuration_takes_effect_on_connections_that_are_open() {
    let daemon = Daemon::start(&config("sign", FACES));
    let mut peer = daemon.connect("map");
    assert!(peer.map("sign", "alice@example.com").starts_with("OK "));
    assert!(daemon.reload(&config("off", FACES)).contains("notice reloaded: "));
    assert_eq!(peer.map("sign", "alice@example.com"), "NOTFOUND ");
}

#[test]
fn a_bad_configuration_is_refused_as_a_whole_with_its_reason() {
    let daemon = Daemon::start(&config("sign", FACES));
    let mut peer = daemon.connect("map");
    for (bad, why) in [
        (config("of", FACES), "line 3: `mode` must be \"off\" or \"sign\" or \"observe\" or \"enforce\""),
        (config("off", ""), "no face listens; add a table such as [socketmap]"),
        (config("off", "[socketmap]\nlisten = [\"unix:DIR/no/map\"]"), "cannot listen at unix:"),
        (config("off", FACES).replace("DIR/keys", "DIR/none"), "none: is not there"),
        (config("off", "[log]\nfile = \"/\"\n[socketmap]\nlisten = [\"unix:DIR/map\"]"), "the log / cannot be opened"),
        (
            config("off", &FACES.replace("[socketmap]", "[socketmap]\nsocket-group = \"no such group\"")),
            "there is no group \"no such group\"; see socket-group",
        ),
        (
            config("enforce", FACES).replace("[keys]\nfile = \"DIR/keys\"", ""),
            "needs a ring that the configuration names",
        ),
    ] {
        let line = daemon.reload(&bad);
        assert!(
            line.contains("the reload is refused, the old configuration runs on: ") && line.contains(why),
            "{line}"
        );
        assert!(peer.map("sign", "alice@example.com").starts_with("OK "), "{why}");
        assert!(listens(&daemon.folder.path("map")) && listens(&daemon.folder.path("policy")), "{why}");
    }
}

#[test]
fn a_damaged_ring_leaves_the_old_one_in_force() {
    let daemon = Daemon::start(&config("sign", FACES));
    let tagged = format!("OK {}", signed("alice@example.com", 0));
    let mut peer = daemon.connect("map");
    daemon.folder.write("keys", "version 1\nprvs x\n");
    let line = daemon.reload(&config("sign", FACES));
    assert!(line.contains("line 2 of the key ring"), "{line}");
    assert_eq!(peer.map("sign", "alice@example.com"), tagged);
    daemon.folder.write("keys", &RING.replace("the key of", "another key of"));
    assert!(daemon.reload(&config("sign", FACES)).contains("reloaded"));
    let other = peer.map("sign", "alice@example.com");
    assert!(other.starts_with("OK ") && other != tagged);
}

#[test]
fn a_transaction_ends_with_what_it_began() {
    let daemon = Daemon::start(&config("enforce", FACES));
    let mut peer = daemon.connect("policy");
    assert_eq!(peer.ask("RCPT", "", "alice@example.com", "instance=a\n"), "DUNNO");
    assert!(daemon.reload(&config("observe", FACES)).contains("reloaded"));
    assert!(peer.ask("DATA", "", "", "instance=a\n").starts_with("550 "));
    assert_eq!(peer.ask("RCPT", "", "alice@example.com", "instance=b\n"), "DUNNO");
    assert_eq!(peer.ask("DATA", "", "", "instance=b\n"), "DUNNO");
}

#[test]
fn listeners_come_and_go_and_what_stays_is_not_disturbed() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let daemon = Daemon::start(&config("sign", FACES));
    let mut peer = daemon.connect("map");
    let path = daemon.folder.path("map");
    let inode = std::fs::metadata(&path).unwrap().ino();
    let other = "[socketmap]\nlisten = [\"unix:DIR/map\", \"unix:DIR/new\"]\nmaps = [\"sign\"]\nsocket-mode = \"0600\"";
    assert!(daemon.reload(&config("sign", other)).contains("reloaded"));
    assert!(listens(&daemon.folder.path("new")));
    // The name goes a moment after the reload.
    let policy = daemon.folder.path("policy");
    for _ in 0..400 {
        if !policy.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(!policy.exists() && !listens(&policy));
    let there = std::fs::metadata(&path).unwrap();
    assert_eq!((there.ino(), there.permissions().mode() & 0o777), (inode, 0o600));
    assert!(peer.map("sign", "alice@example.com").starts_with("OK "));
    // New connections see the new maps.
    assert!(daemon.connect("map").map("verify", "alice@example.com").starts_with("PERM "));
}
