//! socketmap and tcp_table: what Postfix asks and what it must be told.

use crate::common::{Daemon, forged, netstring, signed};

const CONFIG: &str = r#"
[policy]
own-domains = ["example.com"]
mode = "enforce"
refuse-at = "rcpt"
[policy.srs]
domain = "fwd.example.com"
[keys]
file = "DIR/keys"
[socketmap]
listen = ["unix:DIR/map"]
[tcp-table]
sign = ["unix:DIR/sign"]
verify = ["unix:DIR/verify"]
srs-forward = ["unix:DIR/forward"]
srs-reverse = ["unix:DIR/reverse"]
[policy-service]
listen = ["unix:DIR/policy"]
"#;

#[test]
fn a_sender_is_signed_and_its_bounce_comes_back() {
    let daemon = Daemon::start(CONFIG);
    let mut peer = daemon.connect("map");
    let tagged = signed("alice@example.com", 0);
    assert_eq!(peer.map("sign", "alice@example.com"), format!("OK {tagged}"));
    assert_eq!(peer.map("verify", &tagged), "OK alice@example.com");
}

#[test]
fn a_maps_own_answer_is_not_found_so_that_recursion_ends() {
    let daemon = Daemon::start(CONFIG);
    let mut peer = daemon.connect("map");
    assert_eq!(peer.map("sign", &signed("alice@example.com", 0)), "NOTFOUND ");
    assert_eq!(peer.map("verify", "alice@example.com"), "NOTFOUND ");
    let forwarded = peer.map("srs-forward", "bob@elsewhere.example");
    let forwarded = forwarded.strip_prefix("OK ").unwrap();
    assert!(forwarded.starts_with("SRS0=") && forwarded.ends_with("=elsewhere.example=bob@fwd.example.com"));
    assert_eq!(peer.map("srs-forward", forwarded), "NOTFOUND ");
    assert_eq!(peer.map("srs-reverse", forwarded), "OK bob@elsewhere.example");
    assert_eq!(peer.map("srs-reverse", "bob@elsewhere.example"), "NOTFOUND ");
}

#[test]
fn keys_that_are_no_address_to_decide_about_are_not_found() {
    let daemon = Daemon::start(CONFIG);
    let mut peer = daemon.connect("map");
    for map in ["sign", "verify", "srs-forward", "srs-reverse"] {
        // The null sender as Postfix writes it, bare domains as virtual maps ask for them, bare names.
        for key in
            ["\"\"", "", "<>", "example.com", "@example.com", "alice", "postmaster", "a b@example.com", "@", "a@"]
        {
            assert_eq!(peer.map(map, key), "NOTFOUND ", "{map} {key}");
        }
    }
    // Senders and recipients of others.
    assert_eq!(peer.map("sign", "bob@elsewhere.example"), "NOTFOUND ");
    assert_eq!(peer.map("verify", "prvs=4123abcdef=bob@elsewhere.example"), "NOTFOUND ");
    assert_eq!(peer.map("srs-forward", "alice@example.com"), "NOTFOUND ");
}

#[test]
fn a_tag_verifies_in_any_case_and_quotes_stay() {
    let daemon = Daemon::start(CONFIG);
    let mut peer = daemon.connect("map");
    let tagged = signed("Alice@Example.com", 0);
    assert_eq!(peer.map("verify", &tagged.to_lowercase()), "OK alice@example.com");
    assert_eq!(peer.map("verify", &tagged.to_uppercase()), "OK ALICE@EXAMPLE.COM");
    let quoted = peer.map("sign", "\"two words\"@example.com");
    assert!(quoted.starts_with("OK \"prvs=4") && quoted.ends_with("=two words\"@example.com"), "{quoted}");
    assert_eq!(peer.map("verify", quoted.strip_prefix("OK ").unwrap()), "OK \"two words\"@example.com");
}

#[test]
fn only_tags_with_a_right_mac_are_taken_off() {
    let daemon = Daemon::start(CONFIG);
    let mut peer = daemon.connect("map");
    // A hit would make any recipient known, and the mail to it be accepted and bounced.
    assert_eq!(peer.map("verify", &forged("alice@example.com")), "NOTFOUND ");
    assert_eq!(peer.map("verify", "prvs=3123abcdef=alice@example.com"), "NOTFOUND ");
    assert_eq!(peer.map("verify", "btv1==04412345678==alice@example.com"), "NOTFOUND ");
    // Refusing what has expired is for the policy service; what it lets pass must reach the mailbox.
    assert_eq!(peer.map("verify", &signed("alice@example.com", 60)), "OK alice@example.com");
}

#[test]
fn verify_and_srs_reverse_answer_for_their_own_kind_only() {
    let daemon = Daemon::start(CONFIG);
    let mut peer = daemon.connect("map");
    let forwarded = peer.map("srs-forward", "bob@elsewhere.example");
    assert_eq!(peer.map("verify", forwarded.strip_prefix("OK ").unwrap()), "NOTFOUND ");
    assert_eq!(peer.map("srs-reverse", &signed("alice@example.com", 0)), "NOTFOUND ");
    // Somebody else's key, or nobody's.
    assert_eq!(peer.map("srs-reverse", "SRS0=AAAA=AA=elsewhere.example=bob@fwd.example.com"), "NOTFOUND ");
    assert_eq!(peer.map("srs-reverse", "SRS0=AAAA=AA=elsewhere.example=bob@other.example"), "NOTFOUND ");
}

#[test]
fn a_map_that_is_not_served_is_an_error_for_ever() {
    let daemon = Daemon::start(&CONFIG.replace("[\"unix:DIR/map\"]", "[\"unix:DIR/map\"]\nmaps = [\"verify\"]"));
    let mut peer = daemon.connect("map");
    let answer = "PERM there is no such map here; the maps are verify";
    assert_eq!(peer.map("sign", "alice@example.com"), answer);
    assert_eq!(peer.map("Verify", "alice@example.com"), answer);
    assert_eq!(peer.map("verify", "alice@example.com"), "NOTFOUND ");
}

#[test]
fn a_map_that_a_reload_takes_away_is_gone_for_connections_that_are_open() {
    let config = |maps: &str| {
        format!(
            "[policy]\nown-domains = [\"example.com\"]\n[keys]\nfile = \"DIR/keys\"\n\
                 [socketmap]\nlisten = [\"unix:DIR/map\"]\nmaps = [{maps}]\n"
        )
    };
    let daemon = Daemon::start(&config("\"sign\", \"verify\""));
    let mut peer = daemon.connect("map");
    assert!(peer.map("sign", "alice@example.com").starts_with("OK "));
    assert!(daemon.reload(&config("\"verify\"")).contains("reloaded"));
    assert_eq!(peer.map("sign", "alice@example.com"), "PERM there is no such map here; the maps are verify");
    assert!(daemon.reload(&config("\"sign\"")).contains("reloaded"));
    assert!(peer.map("sign", "alice@example.com").starts_with("OK "));
}

#[test]
fn requests_may_follow_each_other_without_a_wait_and_in_pieces() {
    let daemon = Daemon::start(CONFIG);
    let mut peer = daemon.connect("map");
    let tagged = signed("alice@example.com", 0);
    let both = netstring("sign alice@example.com") + &netstring(&format!("verify {tagged}"));
    peer.send(&both);
    assert_eq!((peer.netstring(), peer.netstring()), (format!("OK {tagged}"), "OK alice@example.com".to_owned()));
    for octet in both.as_bytes() {
        peer.send([*octet]);
    }
    assert_eq!((peer.netstring(), peer.netstring()), (format!("OK {tagged}"), "OK alice@example.com".to_owned()));
}

#[test]
fn tcp_tables_have_a_port_a_map_and_code_what_is_not_printable() {
    let daemon = Daemon::start(CONFIG);
    let tagged = signed("alice@example.com", 0);
    assert_eq!(daemon.connect("sign").get("alice@example.com"), format!("200 {tagged}"));
    let mut verify = daemon.connect("verify");
    assert_eq!(verify.get(&tagged), "200 alice@example.com");
    assert_eq!(verify.get("alice@example.com"), "500 not%20found");
    assert_eq!(verify.get("%22%22"), "500 not%20found");
    assert_eq!(verify.get("100%"), "500 a%20%%20must%20be%20followed%20by%20two%20hex%20digits".replace("%%", "%25%"));
    let quoted = daemon.connect("sign").get("%22two%20words%22@example.com");
    assert!(quoted.ends_with("=two%20words\"@example.com"), "{quoted}");
    let forwarded = daemon.connect("forward").get("bob@elsewhere.example");
    let back = daemon.connect("reverse").get(forwarded.strip_prefix("200 ").unwrap());
    assert_eq!(back, "200 bob@elsewhere.example");
}

#[test]
fn sockets_have_the_rights_that_the_configuration_gives_them() {
    use std::os::unix::fs::PermissionsExt;
    let daemon = Daemon::start(&CONFIG.replace("[socketmap]", "[socketmap]\nsocket-mode = \"0600\""));
    let mode = |name| std::fs::metadata(daemon.folder.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("map"), mode("sign")), (0o600, 0o660));
}
