//! Slow, silent, half-closed and hostile peers: they lose their own connection and nobody else's service.

use std::net::Shutdown;
use std::time::{Duration, Instant};

use crate::common::{Daemon, Peer, netstring, signed};

const FACES: &str = "[socketmap]\nlisten = [\"unix:DIR/map\"]\n[tcp-table]\nsign = [\"unix:DIR/sign\"]\n\
    [policy-service]\nlisten = [\"unix:DIR/policy\"]";

fn config(limits: &str) -> String {
    format!("[policy]\nown-domains = [\"example.com\"]\n[keys]\nfile = \"DIR/keys\"\n[limits]\n{limits}\n{FACES}\n")
}

fn is_served(daemon: &Daemon) {
    let tagged = signed("alice@example.com", 0);
    assert_eq!(daemon.connect("map").map("sign", "alice@example.com"), format!("OK {tagged}"));
    assert_eq!(daemon.connect("sign").get("alice@example.com"), format!("200 {tagged}"));
    assert_eq!(daemon.connect("policy").ask("RCPT", "", "alice@example.com", ""), "DUNNO");
}

#[test]
fn a_request_that_is_never_whole_is_cut_off_and_an_idle_connection_later() {
    let daemon = Daemon::start(&config("request-seconds = 1\nidle-seconds = 3"));
    let begun = Instant::now();
    let mut idle = daemon.connect("map");
    let mut slow: Vec<Peer> = ["map", "sign", "policy"].into_iter().map(|it| daemon.connect(it)).collect();
    for (peer, beginning) in slow.iter_mut().zip(["22:sign ali", "get alice@", "request=smtpd_access_policy\nsender="])
    {
        peer.send(beginning);
    }
    is_served(&daemon);
    for peer in &mut slow {
        assert_eq!(peer.rest(), "");
    }
    let slow_end = begun.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_millis(2900)).contains(&slow_end), "{slow_end:?}");
    daemon.wait_for("was too slow; it was cut off");
    assert_eq!(idle.rest(), "");
    assert!(begun.elapsed() >= Duration::from_millis(2900));
    is_served(&daemon);
}

#[test]
fn a_half_closed_connection_gets_its_answers() {
    let daemon = Daemon::start(&config(""));
    let tagged = signed("alice@example.com", 0);
    let mut peer = daemon.connect("map");
    peer.send(netstring("sign alice@example.com").repeat(3) + "22:sign");
    peer.0.shutdown(Shutdown::Write).unwrap();
    assert_eq!(peer.rest(), netstring(&format!("OK {tagged}")).repeat(3));
}

#[test]
fn another_language_or_too_long_a_request_ends_the_connection_after_the_answers_before_it() {
    let daemon = Daemon::start(&config(""));
    let tagged = netstring(&format!("OK {}", signed("alice@example.com", 0)));
    for (socket, octets, answer) in [
        ("map", "GET / HTTP/1.1\r\n\r\n".to_owned(), ""),
        ("map", netstring("sign alice@example.com") + "99999:", tagged.as_str()),
        ("map", format!("4097:{}", "x".repeat(4000)), ""),
        ("sign", "x".repeat(4096), ""),
        ("policy", "EHLO x\r\n".to_owned(), ""),
        ("policy", format!("request={}", "x".repeat(20_000)), ""),
    ] {
        let mut peer = daemon.connect(socket);
        peer.send(&octets);
        assert_eq!(peer.rest(), answer, "{socket}");
    }
    is_served(&daemon);
    daemon.wait_for("it was cut off");
}

#[test]
fn silent_connections_make_room_for_those_that_ask() {
    let daemon = Daemon::start(&config("connections = 20"));
    let mut busy = daemon.connect("map");
    let mut silent: Vec<Peer> = Vec::new();
    for _ in 0..60 {
        // Asks once, so that it is known to be accepted before the busy one asks: of more newcomers than there is room
        // for, accepted in one go, the busy one would be the idlest.
        let mut peer = daemon.connect("map");
        for peer in [&mut peer, &mut busy] {
            assert!(peer.map("sign", "alice@example.com").starts_with("OK "));
        }
        silent.push(peer);
    }
    is_served(&daemon);
    assert!(silent.iter_mut().take(40).all(|peer| peer.rest().is_empty()));
    daemon.wait_for("has more than 20 connections; the idlest one was closed");
}
