//! SIGHUP: all of a new configuration, ring and listeners, or nothing of it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::process::Command;

use nix::unistd::{Gid, Group, getegid, geteuid, getgroups};

use crate::common::{Daemon, RING, listens, netstring, signed};

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
    let daemon = Daemon::start(&config("sign", FACES));
    let mut peer = daemon.connect("map");
    let path = daemon.folder.path("map");
    let inode = fs::metadata(&path).unwrap().ino();
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
    let there = fs::metadata(&path).unwrap();
    assert_eq!((there.ino(), there.permissions().mode() & 0o777), (inode, 0o600));
    assert!(peer.map("sign", "alice@example.com").starts_with("OK "));
    // New connections see the new maps.
    assert!(daemon.connect("map").map("verify", "alice@example.com").starts_with("PERM "));
}

/// Mode and group of a socket.
fn rights(daemon: &Daemon, socket: &str) -> (u32, u32) {
    let there = fs::metadata(daemon.folder.path(socket)).unwrap();
    (there.permissions().mode() & 0o777, there.gid())
}

#[test]
fn a_refused_reload_leaves_the_rights_of_every_socket() {
    let daemon = Daemon::start(&config("sign", FACES));
    let before = rights(&daemon, "map");
    for (owner, why) in
        [("socket-group = \"no such group\"", "no such group"), ("socket-owner = \"no such user\"", "no such user")]
    {
        let faces = FACES.replace("[socketmap]", "[socketmap]\nsocket-mode = \"0666\"");
        let faces = faces.replace("[policy-service]", &format!("[policy-service]\n{owner}"));
        let line = daemon.reload(&config("sign", &faces));
        assert!(line.contains("refused") && line.contains(why), "{line}");
        assert_eq!(rights(&daemon, "map"), before);
    }
}

#[test]
fn rights_that_can_be_given_to_one_socket_only_are_given_to_none() {
    let daemon = Daemon::start_with(&config("sign", FACES), |command| {
        if geteuid().is_root() {
            // Root, but without what lets it give files away.
            let (program, args) = (command.get_program().to_owned(), command.get_args().map(ToOwned::to_owned));
            let args: Vec<_> = args.collect();
            *command = Command::new("setpriv");
            command.args(["--bounding-set=-chown", "--inh-caps=-chown"]).arg(program).args(args);
        }
    });
    let before = rights(&daemon, "map");
    let faces = FACES.replace("[socketmap]", "[socketmap]\nsocket-mode = \"0666\"");
    let faces = faces.replace("[policy-service]", "[policy-service]\nsocket-owner = \"daemon\"");
    let line = daemon.reload(&config("sign", &faces));
    assert!(line.contains("refused") && line.contains("cannot change the rights of"), "{line}");
    assert_eq!(rights(&daemon, "map"), before);
}

#[test]
fn a_group_that_was_given_from_outside_stays_over_a_reload_that_asks_for_none() {
    let Some(other) = another_group() else { return };
    let daemon = Daemon::start(&config("sign", FACES));
    let before = rights(&daemon, "map");
    chown(daemon.folder.path("map"), None, Some(other.gid.as_raw())).unwrap();
    for mode in ["sign", "observe"] {
        assert!(daemon.reload(&config(mode, FACES)).contains("reloaded"));
        assert_eq!(rights(&daemon, "map"), (before.0, other.gid.as_raw()), "{mode}");
    }
    let faces = FACES.replace("[socketmap]", "[socketmap]\nsocket-mode = \"0600\"");
    assert!(daemon.reload(&config("sign", &faces)).contains("reloaded"));
    assert_eq!(rights(&daemon, "map"), (0o600, other.gid.as_raw()));
}

#[test]
fn a_connection_whose_address_becomes_that_of_another_face_ends_before_it_is_asked_again() {
    let sign = format!("OK {}", signed("alice@example.com", 0));
    let table = "[tcp-table]\nverify = [\"unix:DIR/map\"]";
    let daemon = Daemon::start(&config("sign", table));
    let mut peer = daemon.connect("map");
    assert_eq!(peer.get("alice@example.com"), "500 not%20found");
    assert!(daemon.reload(&config("sign", "[socketmap]\nlisten = [\"unix:DIR/map\"]")).contains("reloaded"));
    peer.send("get alice@example.com\n");
    assert_eq!(peer.rest(), "");
    let mut peer = daemon.connect("map");
    assert_eq!(peer.map("sign", "alice@example.com"), sign);
    assert!(daemon.reload(&config("sign", table)).contains("reloaded"));
    peer.send(netstring("sign alice@example.com"));
    assert_eq!(peer.rest(), "");
    assert!(daemon.reload(&config("sign", "[policy-service]\nlisten = [\"unix:DIR/map\"]")).contains("reloaded"));
    let mut peer = daemon.connect("map");
    assert_eq!(peer.ask("RCPT", "", "alice@example.com", "instance=a\n"), "DUNNO");
    assert!(daemon.reload(&config("sign", table)).contains("reloaded"));
    peer.send("request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=alice@example.com\n\n");
    assert_eq!(peer.rest(), "");
    assert!(daemon.log().iter().all(|line| !line.contains("cut off")), "{:?}", daemon.log());
}

/// A group to give beside the own one; whoever is in one group only has none.
fn another_group() -> Option<Group> {
    let own = getegid();
    let mut groups = if geteuid().is_root() { vec![Gid::from_raw(1)] } else { getgroups().unwrap() };
    groups.retain(|group| *group != own);
    groups.first().and_then(|group| Group::from_gid(*group).unwrap())
}

#[test]
fn a_group_that_is_taken_out_of_the_configuration_goes_from_the_socket() {
    let Some(other) = another_group() else { return };
    let daemon = Daemon::start(&config("sign", FACES));
    let before = rights(&daemon, "map");
    let given = FACES.replace("[socketmap]", &format!("[socketmap]\nsocket-group = \"{}\"", other.name));
    for (faces, group) in [(given.as_str(), other.gid.as_raw()), (FACES, before.1)] {
        assert!(daemon.reload(&config("sign", faces)).contains("reloaded"));
        assert_eq!(rights(&daemon, "map"), (before.0, group));
    }
    // The same for a socket that was made with that group.
    let daemon = Daemon::start(&config("sign", &given));
    assert_eq!(rights(&daemon, "map"), (before.0, other.gid.as_raw()));
    assert!(daemon.reload(&config("sign", FACES)).contains("reloaded"));
    assert_eq!(rights(&daemon, "map"), before);
}

/// A port that is free, on the IPv6 loopback as well.
fn port() -> u16 {
    std::net::TcpListener::bind("[::1]:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn all_addresses_of_both_families_may_have_one_port() {
    let port = port();
    let daemon = Daemon::start(&config(
        "sign",
        &format!("[socketmap]\nlisten = [\"inet:0.0.0.0:{port}\", \"inet:[::]:{port}\"]"),
    ));
    daemon.wait_for("is ready");
    for ip in ["127.0.0.1", "::1"] {
        std::net::TcpStream::connect((ip, port)).unwrap();
    }
}

#[test]
fn where_the_daemon_itself_listens_no_other_program_is_blamed() {
    let port = port();
    let map = |at: &str| config("sign", &format!("[socketmap]\nlisten = [\"{at}\"]"));
    let mut daemon = Daemon::start(&map(&format!("inet:127.0.0.1:{port}")));
    let blamed = daemon.reload(&map(&format!("inet:0.0.0.0:{port}")));
    let own = format!(
        "cannot listen at inet:0.0.0.0:{port}: this daemon itself listens there, at inet:127.0.0.1:{port}; take another \
         address, or restart it if inet:127.0.0.1:{port} is to go"
    );
    assert!(blamed.contains(&own), "{blamed}");
    daemon.signal("TERM");
    daemon.ended();
    let daemon = Daemon::start(&map("unix:DIR/map"));
    let folder = daemon.folder.path("");
    let folder = folder.file_name().unwrap().to_str().unwrap();
    let blamed = daemon.reload(&map(&format!("unix:DIR/../{folder}/map")));
    assert!(blamed.contains("this daemon itself listens there, at unix:/"), "{blamed}");
}

#[test]
fn a_socket_file_that_was_taken_away_is_made_anew() {
    let daemon = Daemon::start(&config("sign", FACES));
    fs::remove_file(daemon.folder.path("map")).unwrap();
    assert!(daemon.reload(&config("sign", FACES)).contains("reloaded"));
    assert!(daemon.connect("map").map("sign", "alice@example.com").starts_with("OK "));
    // Another program took the name: that one is not sent away.
    fs::remove_file(daemon.folder.path("map")).unwrap();
    let other = UnixListener::bind(daemon.folder.path("map")).unwrap();
    let line = daemon.reload(&config("sign", FACES));
    assert!(line.contains("another program listens there"), "{line}");
    drop(other);
    assert!(daemon.reload(&config("sign", FACES)).contains("reloaded"));
    assert!(daemon.connect("map").map("sign", "alice@example.com").starts_with("OK "));
    // The former listeners take no name away when they end.
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert!(listens(&daemon.folder.path("map")));
}
