//! What goes wrong around the daemon, and hostile mail servers: bounded memory, and nobody else's service.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::common::{Daemon, Folder, PATIENCE, Peer, RING, signed};
use crate::headers::{fields, headers_config, with_headers};
use crate::milter::Server;

/// Resident memory in kB.
pub(crate) fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A mail of a user is signed.
fn is_served(daemon: &Daemon) {
    let mut server = with_headers(daemon, "192.0.2.7");
    server.mail("<alice@example.com>");
    assert_eq!(server.rcpt("<bob@elsewhere.example>"), "c");
    fields(&mut server, &[("Subject", "x")]);
    assert_eq!(server.end(), [format!("e<{}>", signed("alice@example.com", 0))]);
}

/// Starts it with no more descriptors than this.
pub(crate) fn with_descriptors(config: &str, number: u32) -> Daemon {
    Daemon::start_with(config, |command| {
        let program = command.get_program().to_owned();
        let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        *command = Command::new("sh");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.args(["-c", &format!("ulimit -n {number} && exec \"$@\""), "sh"]).arg(program).args(args);
    })
}

#[test]
fn a_mail_of_endless_headers_and_recipients_takes_bounded_memory_and_is_put_off() {
    let daemon = Daemon::start(&headers_config("enforce"));
    is_served(&daemon);
    let before = resident(daemon.pid());
    let mut server = with_headers(&daemon, "198.51.100.1");
    server.mail("<x@elsewhere.example>");
    let long = |at: usize| format!("<{at}{}@elsewhere.example>\0NOTIFY=SUCCESS,FAILURE,DELAY", "r".repeat(960));
    assert!((0..10_000).all(|at| server.rcpt(&long(at)) == "c"));
    assert_eq!(server.rcpt(&long(0)), "t");
    let value = "a".repeat(60_000);
    for name in ["From", "Backstop-Verdict", "Subject"] {
        for _ in 0..100 {
            server.send(b'L', format!("{name}\0{value}\0").as_bytes());
        }
    }
    server.send(b'N', b"");
    // All copies go, from the last to the first.
    let answers = server.end();
    assert_eq!(answers.len(), 100);
    let grown = resident(daemon.pid()).saturating_sub(before);
    assert!(grown < 20_000, "{grown} kB more");
    is_served(&daemon);
}

#[test]
fn macros_of_all_steps_take_bounded_memory_and_longer_ones_end_the_connection() {
    // The shortest names, of which each costs the library most.
    let macros = |step: u8, octets: usize| {
        let names = (1..=255_u8).flat_map(|first| (1..=255).map(move |second| [first, second, 0, 0]));
        let mut macros = [&[step][..], &names.take(octets / 4).collect::<Vec<_>>().concat()].concat();
        macros.resize(octets - 2, b'x');
        [&macros[..], &[0]].concat()
    };
    let daemon = Daemon::start(&headers_config("enforce"));
    is_served(&daemon);
    let before = resident(daemon.pid());
    let mut server = with_headers(&daemon, "198.51.100.1");
    for step in *b"CHMRTNE" {
        server.send(b'D', &macros(step, 65_536));
    }
    server.send(b'M', b"<x@elsewhere.example>\0");
    assert_eq!(server.rcpt("<alice@elsewhere.example>"), "c");
    for step in *b"RTNE" {
        server.send(b'D', &macros(step, 65_536));
    }
    server.send(b'N', b"");
    server.end();
    let grown = resident(daemon.pid()).saturating_sub(before);
    // What README.md says.
    assert!(grown < 30_000, "{grown} kB more");
    let mut server = with_headers(&daemon, "198.51.100.1");
    server.send(b'D', &macros(b'C', 65_537));
    assert_eq!(server.0.rest(), "");
    daemon.wait_for("sent macros of more than 65536 octets; it was cut off");
    is_served(&daemon);
}

#[test]
fn a_packet_of_more_than_a_mebibyte_and_one_that_never_ends_cost_their_own_connection_only() {
    let daemon = Daemon::start(&headers_config("enforce"));
    is_served(&daemon);
    let before = resident(daemon.pid());
    let mut peers: Vec<Server> = (0..20).map(|_| with_headers(&daemon, "198.51.100.1")).collect();
    for server in &mut peers {
        // Half a MiB of a packet that says it has one.
        server.0.0.write_all(&[&0x10_0000_u32.to_be_bytes()[..], b"L", &[b'x'; 500_000]].concat()).unwrap();
    }
    let mut huge = with_headers(&daemon, "198.51.100.1");
    huge.0.0.write_all(&0x10_0001_u32.to_be_bytes()).unwrap();
    huge.0.0.write_all(b"L").unwrap();
    assert_eq!(huge.0.rest(), "");
    is_served(&daemon);
    let grown = resident(daemon.pid()).saturating_sub(before);
    // What README.md says: a hostile peer of the milter may use a MiB.
    assert!(grown < 20 * 1100, "{grown} kB more");
}

#[test]
fn a_mail_server_that_dies_within_a_mail_leaves_nothing_behind() {
    let daemon = Daemon::start(&headers_config("enforce"));
    is_served(&daemon);
    let open = || fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count();
    let before = open();
    for step in 0..30 {
        let mut server = with_headers(&daemon, "198.51.100.1");
        server.mail("<>");
        if step % 3 > 0 {
            server.rcpt("<postmaster@example.com>");
        }
        if step % 3 > 1 {
            server.send(b'L', b"From\0a");
            server.0.0.shutdown(std::net::Shutdown::Write).unwrap();
        }
    }
    let begun = Instant::now();
    while open() > before {
        assert!(begun.elapsed() < PATIENCE, "{} descriptors, {before} before", open());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    is_served(&daemon);
}

/// Whoever reads standard error sleeps: the pipe takes 64 KiB.
#[test]
fn a_log_that_nobody_reads_holds_up_no_question_and_what_was_dropped_is_counted() {
    let folder = Folder::new();
    folder.write("keys", RING);
    let dir = folder.path("").display().to_string();
    let config = format!(
        "[policy]\nown-domains = [\"example.com\"]\n[keys]\nfile = \"{dir}/keys\"\n[log]\nevents = \"all\"\n\
         [socketmap]\nlisten = [\"unix:{dir}/map\"]\n"
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_backstopd"));
    command.arg("--config").arg(folder.write("config", &config)).arg("--state").arg(folder.path("."));
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while !crate::common::listens(&folder.path("map")) {
        assert!(begun.elapsed() < PATIENCE, "it does not start");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let mut peer = Peer::new(std::os::unix::net::UnixStream::connect(folder.path("map")).unwrap());
    for _ in 0..20_000 {
        assert!(peer.map("sign", "alice@example.com").starts_with("OK "));
    }
    let memory = resident(child.id());
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = log.find_map(|line| line.ok().filter(|line| line.contains(" lines were dropped")));
    drop(peer);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(said.is_some());
    assert!(memory < 40_000, "{memory} kB");
}
