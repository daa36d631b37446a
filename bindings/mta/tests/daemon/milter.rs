//! The milter face, spoken to as a mail server would: packets of a length, a command and its data.

use std::io::Write;
use std::time::Duration;

use crate::common::{Daemon, Peer, forged, signed};

pub(crate) fn config(mode: &str, refuse_at: &str) -> String {
    format!(
        "[policy]\nown-domains = [\"example.com\"]\nmode = \"{mode}\"\nrefuse-at = \"{refuse_at}\"\n\
         internal-hosts = [\"192.0.2.0/24\"]\nno-sign-recipients = [\"@old.example\"]\n[keys]\nfile = \"DIR/keys\"\n\
         [log]\nformat = \"json\"\n[milter]\nlisten = [\"unix:DIR/milter\"]\n"
    )
}

const UNTAGGED: &str = "y550 5.7.1 We sign all our mail; this bounce answers mail that we did not send";

/// A mail server.
pub(crate) struct Server(pub(crate) Peer);

impl Server {
    /// Agrees on everything and tells of a client.
    fn new(daemon: &Daemon, ip: &str, port: u16) -> Server {
        let mut server = Server(daemon.connect("milter"));
        let agreed = server.negotiate(0x1ff, 0x1f_ffff);
        // CHGFROM, ADDRCPT with arguments and without, DELRCPT and the list of macros; no HELO, headers, body, unknown; no
        // answer to connect, MAIL.
        assert_eq!((agreed.0, agreed.1), (0x1cc, 0x172 | 0x1000 | 0x4000));
        server.send(b'D', b"C\0");
        server.send(b'C', &[b"mx.example.org\x004", &port.to_be_bytes()[..], ip.as_bytes(), b"\0"].concat());
        server
    }

    pub(crate) fn negotiate(&mut self, actions: u32, options: u32) -> (u32, u32) {
        self.send(b'O', &[6_u32, actions, options].map(u32::to_be_bytes).concat());
        let answer = self.packet();
        assert_eq!(answer[..5], [b'O', 0, 0, 0, 6]);
        let number = |at: usize| u32::from_be_bytes(answer[at..at + 4].try_into().unwrap());
        (number(5), number(9))
    }

    pub(crate) fn send(&mut self, command: u8, data: &[u8]) {
        let length = u32::try_from(data.len() + 1).unwrap();
        self.0.0.write_all(&[&length.to_be_bytes()[..], &[command], data].concat()).unwrap();
    }

    fn packet(&mut self) -> Vec<u8> {
        use std::io::Read;
        let mut length = [0; 4];
        self.0.0.read_exact(&mut length).unwrap();
        let mut packet = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        self.0.0.read_exact(&mut packet).unwrap();
        packet
    }

    pub(crate) fn answer(&mut self) -> String {
        let packet = self.packet();
        String::from_utf8(packet).unwrap().trim_end_matches('\0').replace('\0', " ")
    }

    pub(crate) fn mail(&mut self, sender: &str) {
        self.send(b'D', b"M\0");
        self.send(b'M', format!("{sender}\0SIZE=1\0").as_bytes());
    }

    pub(crate) fn rcpt(&mut self, recipient: &str) -> String {
        self.send(b'R', format!("{recipient}\0").as_bytes());
        self.answer()
    }

    pub(crate) fn data(&mut self) -> String {
        self.send(b'T', b"");
        self.answer()
    }

    /// The changes at the end of the message.
    pub(crate) fn end(&mut self) -> Vec<String> {
        self.end_or_refusal().unwrap()
    }

    /// The changes at the end of the message, or its refusal.
    pub(crate) fn end_or_refusal(&mut self) -> Result<Vec<String>, String> {
        self.send(b'D', b"Ei\0QUEUE1\0");
        self.send(b'E', b"");
        let mut answers = Vec::new();
        loop {
            match self.answer() {
                last if last == "c" => return Ok(answers),
                refusal if refusal == "t" || refusal.starts_with('y') => return Err(refusal),
                change => answers.push(change),
            }
        }
    }
}

#[test]
fn submitted_mail_is_signed_whatever_the_form_of_its_addresses() {
    let daemon = Daemon::start(&config("enforce", "data"));
    let tagged = format!("e<{}>", signed("alice@example.com", 0));
    let mut server = Server::new(&daemon, "192.0.2.7", 4000);
    for sender in ["<alice@example.com>", "alice@example.com"] {
        server.mail(sender);
        assert_eq!(server.rcpt("<bob@elsewhere.example>"), "c");
        assert_eq!(server.data(), "c");
        assert_eq!(server.end(), [tagged.as_str()]);
    }
    let event: serde_json::Value = serde_json::from_str(&daemon.wait_for("\"outgoing\"")).unwrap();
    assert_eq!((&event["queue"], &event["client"]), (&"QUEUE1".into(), &"192.0.2.7".into()));
}

#[test]
fn only_mail_that_someone_vouches_for_is_signed() {
    let daemon = Daemon::start(&config("enforce", "data"));
    let tagged = format!("e<{}>", signed("alice@example.com", 0));
    for (ip, port, macros, expected) in [
        ("198.51.100.1", 4000, "", None),
        ("198.51.100.1", 4000, "M{auth_authen}\0alice\0", Some(&tagged)),
        ("198.51.100.1", 4000, "M{auth_authen}\0\0", None),
        // The mail server itself, and a proxy that does not know the port.
        ("127.0.0.1", 0, "", Some(&tagged)),
        ("198.51.100.1", 0, "", None),
    ] {
        let mut server = Server::new(&daemon, ip, port);
        if !macros.is_empty() {
            server.send(b'D', macros.as_bytes());
        }
        server.send(b'M', b"<alice@example.com>\0");
        assert_eq!(server.rcpt("<forward@example.com>"), "c");
        assert_eq!(server.data(), "c");
        assert_eq!(server.end().first(), expected, "{ip} {port} {macros}");
    }
}

#[test]
fn a_client_that_the_mail_server_does_not_know_is_neither_signed_nor_spared() {
    let daemon = Daemon::start(&config("enforce", "rcpt"));
    for (client, changes, refused) in [(&b"unknown\0U"[..], 0, true), (b"localhost\0L\0\0/run/x\0", 1, false)] {
        let mut server = Server(daemon.connect("milter"));
        server.negotiate(0x1ff, 0x1f_ffff);
        server.send(b'C', client);
        server.mail("<alice@example.com>");
        assert_eq!(server.rcpt("<bob@elsewhere.example>"), "c");
        assert_eq!(server.end().len(), changes);
        server.mail("<>");
        assert_eq!(server.rcpt("<alice@example.com>") == UNTAGGED, refused);
    }
}

#[test]
fn an_unknown_client_inherits_no_trust_of_the_one_before_it_on_the_connection() {
    let daemon = Daemon::start(&config("enforce", "rcpt"));
    let mut server = Server::new(&daemon, "192.0.2.7", 4000);
    for (client, changes) in [(None, 1), (Some(&b"unknown\0U"[..]), 0)] {
        if let Some(client) = client {
            // QUIT_NC: the mail server keeps the connection for its next client.
            server.send(b'K', b"");
            server.send(b'C', client);
        }
        server.mail("<alice@example.com>");
        assert_eq!(server.rcpt("<bob@elsewhere.example>"), "c");
        assert_eq!(server.end().len(), changes);
    }
    server.mail("<>");
    assert_eq!(server.rcpt("<alice@example.com>"), UNTAGGED);
}

#[test]
fn an_ipv6_client_is_known_with_the_tag_of_sendmail_and_without() {
    let daemon = Daemon::start(&config("enforce", "rcpt").replace("192.0.2.0/24", "2001:db8::/32"));
    for (address, changes) in [("2001:db8::25", 1), ("IPv6:2001:db8::25", 1), ("IPv6:2001:db9::25", 0)] {
        let mut server = Server(daemon.connect("milter"));
        server.negotiate(0x1ff, 0x1f_ffff);
        server.send(b'C', &[b"mx.example.org\x006", &4000_u16.to_be_bytes()[..], address.as_bytes(), b"\0"].concat());
        server.mail("<alice@example.com>");
        assert_eq!(server.rcpt("<bob@elsewhere.example>"), "c");
        assert_eq!(server.end().len(), changes, "{address}");
    }
}

#[test]
fn mail_goes_unsigned_only_if_every_recipient_asks_for_it() {
    let daemon = Daemon::start(&config("enforce", "data"));
    let mut server = Server::new(&daemon, "192.0.2.7", 4000);
    for (recipients, changes) in [(&["<l@old.example>"][..], 0), (&["<l@old.example>", "<bob@elsewhere.example>"], 1)] {
        server.mail("<alice@example.com>");
        assert!(recipients.iter().all(|recipient| server.rcpt(recipient) == "c"));
        assert_eq!(server.data(), "c");
        assert_eq!(server.end().len(), changes);
    }
}

#[test]
fn tags_are_taken_off_and_what_was_not_sent_is_refused_at_rcpt() {
    let daemon = Daemon::start(&config("enforce", "rcpt"));
    let tagged = signed("Alice@Example.com", 0).to_lowercase();
    let mut server = Server::new(&daemon, "198.51.100.1", 4000);
    server.mail("<>");
    assert_eq!(server.rcpt("<alice@example.com>"), UNTAGGED);
    assert!(server.rcpt(&format!("<{}>", forged("alice@example.com"))).starts_with("y550 5.7.1 "));
    assert_eq!(server.rcpt(&format!("<{tagged}>")), "c");
    assert_eq!(server.end(), [format!("-<{tagged}>"), "+<alice@example.com>".to_owned()]);
}

#[test]
fn the_notify_of_a_recipient_stays_when_its_tag_goes_and_its_orcpt_does_not() {
    let daemon = Daemon::start(&config("enforce", "rcpt"));
    let tagged = signed("alice@example.com", 0);
    let orcpt = format!("ORCPT=rfc822;{}", tagged.replace('=', "+3D"));
    // 0x80 is ADDRCPT_PAR, which an old mail server does not have.
    for (actions, arguments, added) in [
        (0x1ff, "NOTIFY=NEVER", "2<alice@example.com> NOTIFY=NEVER"),
        (0x1ff, &format!("{orcpt}\0notify=Success,DELAY"), "2<alice@example.com> notify=Success,DELAY"),
        (0x1ff, &orcpt, "+<alice@example.com>"),
        (0x1ff, "NOTIFY=NEVER X=1", "+<alice@example.com>"),
        (0x17f, "NOTIFY=NEVER", "+<alice@example.com>"),
    ] {
        let mut server = Server(daemon.connect("milter"));
        server.negotiate(actions, 0x1f_ffff);
        server.mail("<bob@elsewhere.example>");
        assert_eq!(server.rcpt(&format!("<{tagged}>\0{arguments}")), "c");
        assert_eq!(server.end(), [format!("-<{tagged}>"), added.to_owned()], "{actions} {arguments}");
    }
}

#[test]
fn under_refuse_at_data_call_outs_pass_and_bounces_are_refused() {
    let daemon = Daemon::start(&config("enforce", "data"));
    let mut server = Server::new(&daemon, "198.51.100.1", 4000);
    server.mail("<>");
    assert_eq!(server.rcpt("<alice@example.com>"), "c");
    // RSET of a call-out.
    server.send(b'A', b"");
    server.mail("<>");
    assert_eq!(server.rcpt("<alice@example.com>"), "c");
    assert_eq!(server.data(), UNTAGGED);
    // The connection goes on.
    server.mail("<bob@elsewhere.example>");
    assert_eq!(server.rcpt("<alice@example.com>"), "c");
    assert_eq!(server.data(), "c");
    assert_eq!(server.end(), [""; 0]);
}

pub(crate) const ALONE: &str =
    "452 4.5.3 One recipient at a time: this mail may be refused; send it again for the others";

#[test]
fn nobody_is_let_in_beside_one_whose_refusal_waits_for_data_so_no_tag_stays_on() {
    let daemon = Daemon::start(&config("enforce", "data"));
    let mut server = Server::new(&daemon, "198.51.100.1", 4000);
    let (expired, genuine) = (signed("alice@example.com", 40), signed("alice@example.com", 1));
    for sender in ["<>", "<carol@elsewhere.example>"] {
        server.mail(sender);
        assert_eq!(server.rcpt(&format!("<{expired}>")), "c");
        for beside in ["bob@elsewhere.example", "postmaster@example.com", &genuine] {
            assert_eq!(server.rcpt(&format!("<{beside}>")), format!("y{ALONE}"), "{sender} {beside}");
        }
        assert!(server.data().starts_with("y550 5.7.1 "), "{sender}");
        // In the other order the refusal is given at once.
        server.mail(sender);
        assert_eq!(server.rcpt(&format!("<{genuine}>")), "c");
        assert!(server.rcpt(&format!("<{expired}>")).starts_with("y550 5.7.1 "));
        assert_eq!(server.data(), "c");
        assert_eq!(server.end(), [format!("-<{genuine}>"), "+<alice@example.com>".to_owned()]);
    }
}

#[test]
fn the_mail_servers_own_bounces_are_never_refused_and_reach_the_mailbox() {
    let daemon = Daemon::start(&config("enforce", "data"));
    let (mut server, old) = (Server::new(&daemon, "127.0.0.1", 0), signed("alice@example.com", 40));
    // The cleanup path: no brackets, and an empty null sender.
    server.mail("");
    assert_eq!(server.rcpt(&old), "c");
    assert_eq!(server.rcpt("alice@example.com"), "c");
    assert_eq!(server.data(), "c");
    assert_eq!(server.end(), [format!("-{old}"), "+<alice@example.com>".to_owned()]);
}

#[test]
fn a_mail_ends_with_the_configuration_with_which_it_began_and_the_next_has_the_new_one() {
    let daemon = Daemon::start(&config("enforce", "rcpt"));
    let mut stranger = Server::new(&daemon, "198.51.100.1", 4000);
    let mut own = Server::new(&daemon, "192.0.2.7", 4000);
    stranger.mail("<>");
    own.mail("<alice@example.com>");
    assert_eq!(own.rcpt("<bob@elsewhere.example>"), "c");
    // The wish before the reload, so that it is known to be read.
    assert_eq!(stranger.rcpt("<alice@example.com>"), UNTAGGED);
    assert!(daemon.reload(&config("off", "rcpt")).contains("reloaded"));
    assert_eq!(stranger.rcpt("<alice@example.com>"), UNTAGGED);
    assert_eq!(own.end().len(), 1);
    own.mail("<alice@example.com>");
    assert_eq!(own.rcpt("<bob@elsewhere.example>"), "c");
    assert_eq!(own.end(), [""; 0]);
    stranger.mail("<>");
    assert_eq!(stranger.rcpt("<alice@example.com>"), "c");
}

#[test]
fn a_connection_whose_steps_are_too_few_for_a_new_configuration_ends_with_the_old_one() {
    let daemon = Daemon::start(&config("enforce", "rcpt"));
    let mut old = Server::new(&daemon, "198.51.100.1", 4000);
    for wants_more in
        [config("observe", "rcpt") + "verdict-header = \"Backstop-Verdict\"\n", config("observe", "message")]
    {
        assert!(daemon.reload(&wants_more).contains("reloaded"));
        old.mail("<>");
        assert_eq!(old.rcpt("<alice@example.com>"), UNTAGGED);
    }
}

#[test]
fn addresses_that_no_mail_has_are_put_off_and_cost_neither_memory_nor_log() {
    let daemon = Daemon::start(&config("enforce", "data"));
    let mut server = Server::new(&daemon, "198.51.100.1", 4000);
    let long = format!("<{}@example.com>", "a".repeat(1_000_000));
    server.mail(&long);
    assert_eq!(server.rcpt("<bob@elsewhere.example>"), "t");
    server.send(b'A', b"");
    server.mail("<x@elsewhere.example>");
    for _ in 0..100 {
        assert_eq!(server.rcpt(&long), "t");
    }
    let longest = format!("<{}@example.com>", "a".repeat(1000 - "<@example.com>".len()));
    for sender in ["<x@elsewhere.example>", &longest] {
        server.send(b'A', b"");
        server.send(b'D', format!("R{{i}}\0{}\0", "Q".repeat(60_000)).as_bytes());
        server.mail(sender);
        assert_eq!(server.rcpt(&longest), "c");
        assert_eq!(server.data(), "c");
        assert_eq!(server.end(), [""; 0]);
    }
    daemon.wait_for("an address of more than 1000 octets");
    assert!(daemon.log().iter().map(String::len).sum::<usize>() < 50_000);
    let memory = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let peak = memory.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
    assert!(peak.is_some_and(|peak: u32| peak < 60_000), "{peak:?} kB");
}

#[test]
fn an_authenticated_user_goes_with_his_mail_also_where_the_next_has_no_macros() {
    let daemon = Daemon::start(&config("enforce", "data"));
    let mut server = Server::new(&daemon, "198.51.100.1", 4000);
    // Postfix sends an empty packet where no macro has a value, of which the library takes no note.
    for (macros, changes) in [(&b"M{auth_authen}\0alice\0"[..], 1), (b"M", 0), (b"M{auth_authen}\0bob\0", 1), (b"M", 0)]
    {
        server.send(b'D', macros);
        server.send(b'M', b"<alice@example.com>\0");
        assert_eq!(server.rcpt("<bob@elsewhere.example>"), "c");
        assert_eq!(server.data(), "c");
        assert_eq!(server.end().len(), changes, "{}", macros.escape_ascii());
    }
}

#[test]
fn a_mail_server_without_the_actions_is_turned_away_and_the_log_says_so() {
    let daemon = Daemon::start(&config("enforce", "rcpt"));
    let mut server = Server(daemon.connect("milter"));
    server.send(b'O', &[2_u32, 0x01, 0x7f].map(u32::to_be_bytes).concat());
    assert_eq!(server.0.rest(), "");
    daemon.wait_for("offers no change of sender and recipients");
}

#[test]
fn a_stop_waits_for_the_mail_under_way_and_cuts_idle_connections() {
    let mut daemon = Daemon::start(&config("enforce", "data"));
    let (mut busy, mut idle) = (Server::new(&daemon, "192.0.2.7", 4000), Server::new(&daemon, "192.0.2.7", 4000));
    busy.mail("<alice@example.com>");
    assert_eq!(busy.rcpt("<bob@elsewhere.example>"), "c");
    daemon.signal("TERM");
    assert_eq!(idle.0.rest(), "");
    assert_eq!(busy.data(), "c");
    assert_eq!(busy.end(), [format!("e<{}>", signed("alice@example.com", 0))]);
    assert_eq!(busy.0.rest(), "");
    assert_eq!(daemon.ended().code(), Some(0));
}

#[test]
fn hostile_packets_end_their_own_connection_only() {
    let daemon = Daemon::start(&(config("enforce", "rcpt") + "[limits]\nconnections = 3\n"));
    for octets in [&b"\xff\xff\xff\xff"[..], b"\0\0\0\0", b"\0\0\0\x01Z", b"\0\0\0\x02O\0", b"GET / HTTP/1.1\r\n\r\n"] {
        let mut peer = daemon.connect("milter");
        peer.send(octets);
        peer.0.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(peer.rest(), "", "{}", octets.escape_ascii());
    }
    // Silent ones make room.
    let mut silent: Vec<Peer> = (0..3).map(|_| daemon.connect("milter")).collect();
    std::thread::sleep(Duration::from_millis(50));
    let mut server = Server::new(&daemon, "198.51.100.1", 4000);
    server.mail("<>");
    assert_eq!(server.rcpt("<alice@example.com>"), UNTAGGED);
    assert_eq!(silent.remove(0).rest(), "");
}

#[test]
fn a_client_that_guesses_tags_is_told_421() {
    let daemon = Daemon::start(&(config("enforce", "rcpt") + "[limits]\nforged-per-hour = 1\n"));
    let mut server = Server::new(&daemon, "198.51.100.1", 4000);
    server.mail("<>");
    let wrong = format!("<{}>", forged("alice@example.com"));
    assert!(server.rcpt(&wrong).starts_with("y550 5.7.1 "));
    let away = "y421 4.7.0 Too many forged return addresses from your host; try again in an hour";
    assert_eq!(server.rcpt(&wrong), away);
}

#[test]
fn a_client_that_was_sent_away_still_reaches_the_postmaster_and_whoever_is_exempt() {
    let exempt = "exempt-recipients = [\"postmaster\", \"help@example.com\"]\n[keys]";
    let daemon =
        Daemon::start(&(config("enforce", "data").replace("[keys]", exempt) + "[limits]\nforged-per-hour = 1\n"));
    let mut server = Server::new(&daemon, "198.51.100.1", 4000);
    server.mail("<>");
    let wrong = format!("<{}>", forged("alice@example.com"));
    server.rcpt(&wrong);
    assert!(server.rcpt(&wrong).starts_with("y421 "));
    // Also where the policy has no reason to refuse, and with a tag that it cannot believe.
    server.mail("<>");
    for recipient in ["postmaster", "Postmaster@example.com", "help@example.com", &signed("help@example.com", 1)] {
        assert_eq!(server.rcpt(&format!("<{recipient}>")), "c", "{recipient}");
    }
    assert_eq!(server.rcpt(&format!("<{}>", forged("help@example.com"))), "c");
    for recipient in ["alice@example.com", "abuse@example.com", &signed("alice@example.com", 1)] {
        assert!(server.rcpt(&format!("<{recipient}>")).starts_with("y421 "), "{recipient}");
    }
}

#[test]
fn what_is_no_address_passes_with_an_event_where_strangers_or_own_users_bring_it() {
    let daemon = Daemon::start(&config("enforce", "rcpt"));
    let mut server = Server::new(&daemon, "198.51.100.1", 4000);
    server.mail("<>");
    for recipient in ["<alice>", "<alice@example.com.>"] {
        assert_eq!(server.rcpt(recipient), "c");
    }
    // Nothing is said of a sender that claims nothing here.
    server.mail("<nobody>");
    assert_eq!(server.rcpt("<bob@elsewhere.example>"), "c");
    server.data();
    server.end();
    let mut user = Server::new(&daemon, "192.0.2.7", 4000);
    user.mail("<root>");
    assert_eq!(user.rcpt("<bob>"), "c");
    user.data();
    user.end();
    daemon.wait_for("\"sender\":\"root\"");
    let field = |event: &serde_json::Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let events: Vec<_> = daemon
        .log()
        .iter()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|event| event["event"] != "notice")
        .map(|it| ["event", "recipient", "action", "reason"].map(|name| field(&it, name)).join(" "))
        .collect();
    let expected = [
        "incoming alice unchanged unparsable",
        "incoming alice@example.com. unchanged unparsable",
        "outgoing  keep unparsable",
    ];
    assert_eq!(events, expected);
}

#[test]
fn the_events_of_a_mail_share_an_instance_that_no_other_mail_has() {
    let daemon = Daemon::start(&config("observe", "rcpt"));
    let mut server = Server::new(&daemon, "192.0.2.7", 2525);
    for sender in ["alice", "bob"] {
        server.mail(&format!("<{sender}@example.com>"));
        server.rcpt(&format!("<{}>", signed("carol@example.com", 1)));
        server.data();
        server.end();
    }
    daemon.wait_for("\"bob@example.com\",\"recipient\":null");
    let instances: Vec<String> = daemon
        .log()
        .iter()
        .filter_map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["instance"].as_str().map(str::to_owned)
        })
        .collect();
    assert_eq!(instances.len(), 4, "{instances:?}");
    assert!(
        instances[0] == instances[1] && instances[2] == instances[3] && instances[1] != instances[2],
        "{instances:?}"
    );
}

#[test]
fn a_client_that_the_library_cannot_read_ends_the_session_and_the_log_says_so() {
    let daemon = Daemon::start(&config("enforce", "data"));
    for client in [&b"mx\x004\x0f\xa0nonsense\0"[..], b"mx\x004\x0f"] {
        let mut server = Server(daemon.connect("milter"));
        server.negotiate(0x1ff, 0x1f_ffff);
        server.send(b'C', client);
        assert_eq!(server.0.rest(), "");
    }
    daemon.wait_for("sent a CONNECT packet that cannot be read; it was cut off");
    Server::new(&daemon, "198.51.100.1", 4000).mail("<>");
}

#[test]
fn a_mail_server_that_goes_or_sleeps_is_no_complaint() {
    let daemon = Daemon::start(&(config("enforce", "data") + "[limits]\nmilter-idle-seconds = 1\n"));
    let mut quits = Server::new(&daemon, "198.51.100.1", 4000);
    quits.mail("<>");
    assert_eq!(quits.rcpt("<bob@example.com>"), "c");
    quits.send(b'Q', b"");
    assert_eq!(quits.0.rest(), "");
    drop(Server::new(&daemon, "198.51.100.1", 4000));
    let mut sleeps = Server::new(&daemon, "198.51.100.1", 4000);
    sleeps.mail("<>");
    assert_eq!(sleeps.0.rest(), "");
    assert!(!daemon.log().iter().any(|line| line.contains("cut off")), "{:#?}", daemon.log());
}
