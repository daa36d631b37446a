//! Every limit at every face: whoever drips, sleeps, sends too much or comes too often loses the own connection only, and
//! costs bounded memory. `hostile.rs` and `faults.rs` go into single faces, `filter.rs` has the filter.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::common::{Daemon, Peer, netstring, signed};
use crate::faults::{resident, with_descriptors};

/// The faces with sockets.
const FACES: [&str; 5] = ["map", "sign", "policy", "milter", "metrics"];
const POLICY: &str = "request=smtpd_access_policy\nprotocol_state=RCPT\nsender=\nrecipient=alice@example.com\n\n";

fn config(limits: &str) -> String {
    format!(
        "[policy]\nown-domains = [\"example.com\"]\n[keys]\nfile = \"DIR/keys\"\n[limits]\n{limits}\n\
         [socketmap]\nlisten = [\"unix:DIR/map\"]\n[tcp-table]\nsign = [\"unix:DIR/sign\"]\n\
         [policy-service]\nlisten = [\"unix:DIR/policy\"]\n[milter]\nlisten = [\"unix:DIR/milter\"]\n\
         [metrics]\nlisten = [\"unix:DIR/metrics\"]\n"
    )
}

/// A packet of a milter's mail server.
fn packet(command: u8, data: &[u8]) -> Vec<u8> {
    [&u32::try_from(data.len() + 1).unwrap().to_be_bytes()[..], &[command], data].concat()
}

fn negotiation() -> Vec<u8> {
    packet(b'O', &[6_u32, 0x1ff, 0x1f_ffff].map(u32::to_be_bytes).concat())
}

/// A whole request of a face and how its answer begins.
fn request(face: &str) -> (Vec<u8>, String) {
    let tagged = signed("alice@example.com", 0);
    match face {
        "map" => (netstring("sign alice@example.com").into_bytes(), netstring(&format!("OK {tagged}"))),
        "sign" => (b"get alice@example.com\n".to_vec(), format!("200 {tagged}\n")),
        "policy" => (POLICY.as_bytes().to_vec(), "action=DUNNO\n\n".to_owned()),
        "milter" => (negotiation(), "\0\0\0".to_owned()),
        _ => (b"GET /metrics HTTP/1.1\r\n\r\n".to_vec(), "HTTP/1.1 200 OK\r\n".to_owned()),
    }
}

/// Each face answers a new peer.
fn is_served(daemon: &Daemon) {
    for face in FACES {
        let (question, answer) = request(face);
        let mut peer = daemon.connect(face);
        peer.send(question);
        assert_eq!(peer.take(answer.len()), answer, "{face}");
    }
}

/// Until the daemon ends the connection, however it does.
fn wait_for_end(peer: &mut Peer) {
    let mut octets = [0; 4096];
    loop {
        match peer.0.read(&mut octets) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => return,
            Err(error) => panic!("the connection is not closed: {error}"),
        }
    }
}

#[test]
fn octets_that_drip_lengthen_no_request_at_any_face() {
    let daemon = Daemon::start(&config("request-seconds = 1"));
    thread::scope(|scope| {
        for (face, beginning) in [
            ("map", &b"4000:"[..]),
            ("sign", b"get "),
            ("policy", b"request=smtpd_access_policy\nsender="),
            ("milter", &[0, 0, 0, 200, b'O']),
            ("metrics", b"GET /metrics HTTP/1.1\r\nX: "),
        ] {
            let mut peer = daemon.connect(face);
            scope.spawn(move || {
                let begun = Instant::now();
                peer.send(beginning);
                while peer.0.write_all(b"x").is_ok() {
                    assert!(begun.elapsed() < Duration::from_secs(5), "{face} still listens");
                    thread::sleep(Duration::from_millis(200));
                }
                assert!(begun.elapsed() > Duration::from_millis(900), "{face}: {:?}", begun.elapsed());
            });
        }
        is_served(&daemon);
    });
    daemon.wait_for("was too slow; it was cut off");
    is_served(&daemon);
}

#[test]
fn who_takes_no_answers_is_cut_off_at_every_face_that_answers_more_than_once() {
    let daemon = Daemon::start(&config("request-seconds = 1"));
    let recipient = packet(b'R', b"<bob@elsewhere.example>\0");
    thread::scope(|scope| {
        for face in ["map", "sign", "policy", "milter"] {
            let mut peer = daemon.connect(face);
            if face == "milter" {
                peer.send([negotiation(), packet(b'M', b"<>\0")].concat());
            }
            let question = if face == "milter" { recipient.clone() } else { request(face).0 };
            scope.spawn(move || {
                let (begun, questions) = (Instant::now(), question.repeat(1000));
                let error = loop {
                    match peer.0.write_all(&questions) {
                        Ok(()) => assert!(begun.elapsed() < Duration::from_secs(20), "{face} still listens"),
                        Err(error) => break error,
                    }
                };
                assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{face}: {error}");
            });
        }
        is_served(&daemon);
    });
    let grown = resident(daemon.pid());
    assert!(grown < 40_000, "{grown} kB");
    is_served(&daemon);
}

#[test]
fn a_half_closed_connection_gets_its_answer_at_every_face() {
    let daemon = Daemon::start(&config(""));
    for face in FACES {
        let (question, answer) = request(face);
        let mut peer = daemon.connect(face);
        peer.send(question);
        peer.0.shutdown(Shutdown::Write).unwrap();
        assert_eq!(peer.take(answer.len()), answer, "{face}");
        wait_for_end(&mut peer);
    }
}

#[test]
fn what_is_longer_than_its_limit_ends_the_connection_at_every_face() {
    let daemon = Daemon::start(&config(""));
    let before = resident(daemon.pid());
    let head = [b"GET /metrics HTTP/1.1\r\nX: ", &[b'x'; 9000][..]].concat();
    for (face, octets, answer) in [
        ("map", b"4097:".to_vec(), ""),
        ("sign", vec![b'x'; 4096], ""),
        ("policy", [b"request=", &[b'x'; 20_000][..]].concat(), ""),
        ("milter", [&0x10_0001_u32.to_be_bytes()[..], b"L"].concat(), ""),
        ("metrics", head, "HTTP/1.1 431 "),
    ] {
        let mut peer = daemon.connect(face);
        // It may be gone before all is sent.
        let _ = peer.0.write_all(&octets);
        assert_eq!(peer.take(answer.len()), answer, "{face}");
        wait_for_end(&mut peer);
    }
    let grown = resident(daemon.pid()).saturating_sub(before);
    assert!(grown < 4000, "{grown} kB");
    is_served(&daemon);
}

#[test]
fn every_face_has_its_cap_of_connections_and_the_silent_make_room() {
    let daemon = Daemon::start(&config("connections = 20"));
    let mut silent: Vec<Peer> = Vec::new();
    for _ in 0..60 {
        silent.extend(FACES.map(|face| daemon.connect(face)));
    }
    is_served(&daemon);
    let open = std::fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count();
    assert!(open <= 5 * 20 + 30, "{open} descriptors");
    daemon.wait_for("has more than 20 connections; the idlest one was closed");
}

#[test]
fn out_of_descriptors_every_face_pauses_and_recovers() {
    let daemon = with_descriptors(&config(""), 60);
    let mut silent: Vec<Peer> = Vec::new();
    for _ in 0..60 {
        silent.extend(FACES.map(|face| daemon.connect(face)));
    }
    daemon.wait_for("cannot accept for the moment");
    is_served(&daemon);
    let open = std::fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count();
    // What the process that starts it left open comes on top.
    assert!(open <= 70, "{open}");
    silent.clear();
    for _ in 0..20 {
        is_served(&daemon);
    }
}

#[test]
fn two_thousand_unfinished_requests_take_bounded_memory_and_nobody_is_kept_waiting() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    assert!(hard > 5000, "this test wants more than 5000 descriptors; raise the hard limit (ulimit -Hn)");
    let daemon = Daemon::start(&config("connections = 3000\nrequest-seconds = 60"));
    let before = resident(daemon.pid());
    let unfinished = [b"4096:sign ", &[b'x'; 4000][..]].concat();
    let mut peers: Vec<Peer> = (0..2000).map(|_| daemon.connect("map")).collect();
    peers.iter_mut().for_each(|peer| peer.send(&unfinished));
    let begun = Instant::now();
    is_served(&daemon);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let grown = resident(daemon.pid()).saturating_sub(before);
    // Twice the longest frame each, and what a connection takes by itself.
    assert!(grown < 2000 * 16, "{grown} kB more");
    peers.iter_mut().for_each(|peer| peer.send([&[b'x'; 91][..], b","].concat()));
    assert!(peers.iter_mut().all(|peer| peer.netstring() == "NOTFOUND "));
}

#[test]
fn a_milter_connection_has_an_idle_limit_of_its_own() {
    let daemon = Daemon::start(&config("idle-seconds = 1\nmilter-idle-seconds = 3"));
    let begun = Instant::now();
    let [mut map, mut milter] = ["map", "milter"].map(|face| daemon.connect(face));
    milter.send(negotiation());
    wait_for_end(&mut map);
    let elapsed = begun.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_millis(2900)).contains(&elapsed), "{elapsed:?}");
    wait_for_end(&mut milter);
    assert!(begun.elapsed() > Duration::from_millis(2900), "{:?}", begun.elapsed());
}

#[test]
fn silent_peers_of_one_face_that_hold_all_descriptors_make_room_for_the_others() {
    let daemon = with_descriptors(&config(""), 60);
    let _silent: Vec<Peer> = (0..60).map(|_| daemon.connect("map")).collect();
    daemon.wait_for("cannot accept for the moment");
    // Until all of them are accepted: nobody waits at that face any more, and what it holds it keeps.
    thread::sleep(Duration::from_secs(1));
    for face in ["policy", "milter", "sign", "metrics"] {
        let (question, answer) = request(face);
        let mut peer = daemon.connect(face);
        peer.send(question);
        assert_eq!(peer.take(answer.len()), answer, "{face}");
    }
}
