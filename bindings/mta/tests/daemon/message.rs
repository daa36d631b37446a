//! The milter under refuse-at = message: bounces are judged by what they return, at the end of the message.

use std::fmt::Write as _;

use backstop::mark::{self, Marked};
use backstop::{Day, KeyRing};

use crate::common::{Daemon, Peer, RING, forged, signed, today};
use crate::headers::fields;
use crate::milter::{ALONE, Server};

const ALICE: &str = "alice@example.com";
const MARK_KEY: &str = "mark m sha256 14 2020-01-01 - * text:the mark key of these tests\n";
const BACKSCATTER: &str = "y550 5.7.1 We mark all our mail; this answers mail that we did not send (forged sender)";

fn ring() -> String {
    format!("{RING}{MARK_KEY}")
}

/// A daemon that enforces for example.com and observes for example.net.
fn start(more: &str) -> Daemon {
    let config = format!(
        "[policy]\nown-domains = [\"example.com\", \"example.net\"]\nmode = \"enforce\"\nrefuse-at = \"message\"\n\
         marks-since = 2020-02-01\ninternal-hosts = [\"192.0.2.0/24\"]\n[policy.domains.\"example.net\"]\nmode = \"observe\"\n\
         [keys]\nfile = \"DIR/keys\"\n[log]\nformat = \"json\"\n[milter]\nlisten = [\"unix:DIR/milter\"]\n\
         verdict-header = \"Backstop-Verdict\"\n{more}"
    );
    let daemon = Daemon::start(&config);
    daemon.folder.write("keys", &ring());
    assert!(daemon.reload(&config).contains("reloaded"));
    daemon.clear_log();
    daemon
}

/// A mail server that knows these options; the last says whether it can skip.
fn connect_with(daemon: &Daemon, options: u32) -> Server {
    let mut server = Server(daemon.connect("milter"));
    let agreed = server.negotiate(0x1ff, options);
    // No HELO, no unknown; header, its end and body come, the body with an answer.
    assert_eq!((agreed.0, agreed.1), (0x1dd, (0x102 | 0x1000 | 0x4000 | 0x80 | 0x4_0000 | 0x400) & options));
    server.send(b'C', &[b"mx.example.org\x004", &4000_u16.to_be_bytes()[..], b"198.51.100.1\0"].concat());
    server
}

fn connect(daemon: &Daemon) -> Server {
    connect_with(daemon, 0x1f_ffff)
}

fn marked(from: &str, on: Day) -> String {
    let ring = KeyRing::parse(ring().as_bytes()).unwrap();
    let Marked::Done(mark) = mark::make_header(&ring, from.as_bytes(), [7; 8], on).unwrap() else { panic!() };
    format!("Backstop-Mark: {mark}\r\n")
}

const HEAD: [(&str, &str); 4] = [
    ("From", "MAILER-DAEMON@mx.elsewhere.example"),
    ("Subject", "Undelivered Mail Returned to Sender"),
    ("MIME-Version", "1.0"),
    ("Content-Type", "multipart/report; report-type=delivery-status;\n\tboundary=\"=_b\""),
];

/// The body of a bounce of alice's mail, with this mark in the mail that came back and this much of its body.
fn body(mark: &str, octets: usize) -> Vec<u8> {
    let mut text = format!(
        "--=_b\r\n\r\nno such user\r\n--=_b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; \
         mx.elsewhere.example\r\n\r\nFinal-Recipient: rfc822; bob@elsewhere.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
         --=_b\r\nContent-Type: message/rfc822\r\n\r\nReceived: from x by y; Fri, 20 Nov 2026 10:11:12 +0000\r\nFrom: {ALICE}\r\n\
         To: bob@elsewhere.example\r\n{mark}Date: Fri, 20 Nov 2026 10:11:12 +0000\r\n\r\n"
    );
    for line in 0..octets / 40 {
        let _ = write!(text, "this is line {line:>10} of the mail, \u{e9}\r\n");
    }
    text += "\r\n--=_b--\r\n";
    text.into_bytes()
}

/// The end of a message: the reply if it is refused, else the changes.
fn deliver(server: &mut Server, head: &[(&str, &str)], body: &[u8], piece: usize) -> Result<Vec<String>, String> {
    fields(server, head);
    for piece in body.chunks(piece) {
        server.send(b'B', piece);
        if server.answer() == "s" {
            break;
        }
    }
    server.end_or_refusal()
}

/// A bounce for one recipient.
fn bounce(server: &mut Server, recipient: &str, body: &[u8]) -> Result<Vec<String>, String> {
    server.mail("<>");
    assert_eq!(server.rcpt(&format!("<{recipient}>")), "c");
    deliver(server, &HEAD, body, 65_535)
}

fn told(text: &str) -> String {
    format!("i    Backstop-Verdict {text}")
}

fn event(daemon: &Daemon, what: &str) -> serde_json::Value {
    serde_json::from_str(&daemon.wait_for(what)).unwrap()
}

#[test]
fn a_mark_that_came_back_lets_an_untagged_bounce_in() {
    let daemon = start("");
    let changes = bounce(&mut connect(&daemon), ALICE, &body(&marked(ALICE, today()), 100));
    let verdict = "untagged; rule=mark-genuine; would=unchanged; mode=enforce; message=genuine; kind=dsn-failed; \
                   proof=returned-mark";
    assert_eq!(changes, Ok(vec![told(verdict)]));
    let event = event(&daemon, "\"incoming\"");
    for (key, value) in [
        ("action", "unchanged"),
        ("verdict", "untagged"),
        ("reason", "mark-genuine"),
        ("kind", "dsn-failed"),
        ("message", "genuine"),
        ("proof", "returned-mark"),
        ("queue", "QUEUE1"),
    ] {
        assert_eq!(event[key], value, "{key} of {event}");
    }
    assert_eq!((&event["uses"], event["why"].is_null()), (&1.into(), true));
}

#[test]
fn a_tagged_bounce_is_let_in_and_its_tag_taken_off() {
    let daemon = start("");
    let tagged = signed(ALICE, 2);
    let changes = bounce(&mut connect(&daemon), &tagged, &body("", 100)).unwrap();
    let verdict =
        "genuine; rule=genuine; would=strip; mode=enforce; message=genuine; kind=dsn-failed; proof=recipient-tag";
    assert_eq!(changes, [format!("-<{tagged}>"), format!("+<{ALICE}>"), told(verdict)]);
}

#[test]
fn a_forged_tag_with_a_genuine_mark_is_let_in_and_taken_off() {
    let daemon = start("");
    let tagged = forged(ALICE);
    let changes = bounce(&mut connect(&daemon), &tagged, &body(&marked(ALICE, today()), 100)).unwrap();
    assert_eq!(changes[..2], [format!("-<{tagged}>"), format!("+<{ALICE}>")]);
}

#[test]
fn backscatter_forged_and_old_marks_are_refused_at_the_end_and_the_connection_goes_on() {
    let daemon = start("");
    let mut server = connect(&daemon);
    for (mark, reply, message) in [
        (String::new(), BACKSCATTER, "backscatter"),
        (
            marked("carol@example.com", today()),
            "y550 5.7.1 This answers mail with a signature that we did not make for this address",
            "forged",
        ),
        (marked(ALICE, today().minus(60)), "y550 5.7.1 This answers mail whose signature has expired", "expired"),
    ] {
        daemon.clear_log();
        assert_eq!(bounce(&mut server, ALICE, &body(&mark, 100)), Err(reply.to_owned()), "{message}");
        let event = event(&daemon, "\"incoming\"");
        assert_eq!((&event["action"], &event["stage"]), (&"refuse".into(), &"message".into()), "{event}");
        assert_eq!((&event["message"], &event["kind"]), (&message.into(), &"dsn-failed".into()), "{event}");
        assert_eq!(event["reply"], reply[1..]);
    }
    let unproven = deliver_after(&mut server, ALICE, b"no such user here\r\n");
    let untagged = "y550 5.7.1 We sign all our mail; this bounce answers mail that we did not send";
    assert_eq!(unproven, Err(untagged.to_owned()));
    assert_eq!(event(&daemon, "nothing-returned")["why"], "nothing-returned");
    assert!(bounce(&mut server, ALICE, &body(&marked(ALICE, today()), 100)).is_ok());
}

/// A bounce whose body is plain text.
fn deliver_after(server: &mut Server, recipient: &str, body: &[u8]) -> Result<Vec<String>, String> {
    server.mail("<>");
    assert_eq!(server.rcpt(&format!("<{recipient}>")), "c");
    deliver(server, &HEAD[..2], body, 65_535)
}

#[test]
fn observe_lets_all_in_and_tells_what_would_be_refused() {
    let daemon = start("");
    let message = String::from_utf8(body("", 100)).unwrap().replace("example.com", "example.net");
    let changes = bounce(&mut connect(&daemon), "alice@example.net", message.as_bytes());
    let verdict = "untagged; rule=backscatter; would=refuse; mode=observe; message=backscatter; kind=dsn-failed";
    assert_eq!(changes, Ok(vec![told(verdict)]));
    let event = event(&daemon, "\"incoming\"");
    assert_eq!((&event["action"], &event["would"]), (&"unchanged".into(), &"refuse".into()), "{event}");
    assert!(event["stage"].is_null() && event["reply"].is_null(), "{event}");
}

#[test]
fn an_auto_reply_that_names_our_message_id_is_let_in() {
    let daemon = start("");
    let ring = KeyRing::parse(ring().as_bytes()).unwrap();
    let made = mark::make_message_id(&ring, "20261121.1", "example.com", ALICE.as_bytes(), today()).unwrap();
    let Marked::Done(id) = made else { panic!() };
    let head = [
        ("From", "bob@elsewhere.example"),
        ("Subject", "Out of office: your mail"),
        ("Auto-Submitted", "auto-replied"),
        ("In-Reply-To", &id),
    ];
    let mut server = connect(&daemon);
    for (head, admitted) in [(&head[..], true), (&head[..3], false)] {
        server.mail("<>");
        assert_eq!(server.rcpt(&format!("<{ALICE}>")), "c");
        assert_eq!(deliver(&mut server, head, b"I am away\r\n", 5).is_ok(), admitted);
    }
    assert_eq!(event(&daemon, "in-reply-to")["kind"], "vacation");
}

#[test]
fn mail_of_other_senders_is_not_read_and_not_changed() {
    let daemon = start("");
    let mut server = connect(&daemon);
    server.mail("<bob@elsewhere.example>");
    assert_eq!(server.rcpt(&format!("<{ALICE}>")), "c");
    fields(&mut server, &[("From", "bob@elsewhere.example"), ("Subject", "hello")]);
    server.send(b'B', &[b'x'; 65_535]);
    assert_eq!(server.answer(), "s");
    assert_eq!(server.end_or_refusal(), Ok(Vec::new()));
    assert!(daemon.log().is_empty(), "{:?}", daemon.log());
    // One that cannot skip brings all of it.
    let mut server = connect_with(&daemon, 0x1f_fbff);
    server.mail("<bob@elsewhere.example>");
    assert_eq!(server.rcpt(&format!("<{ALICE}>")), "c");
    fields(&mut server, &[("From", "bob@elsewhere.example")]);
    for _ in 0..3 {
        server.send(b'B', b"hello\r\n");
        assert_eq!(server.answer(), "c");
    }
    assert_eq!(server.end_or_refusal(), Ok(Vec::new()));
}

#[test]
fn a_call_out_passes_and_leaves_no_event() {
    let daemon = start("");
    let mut server = connect(&daemon);
    server.mail("<>");
    assert_eq!(server.rcpt(&format!("<{ALICE}>")), "c");
    server.send(b'A', b"");
    assert!(bounce(&mut server, ALICE, &body(&marked(ALICE, today()), 0)).is_ok());
    daemon.wait_for("mark-genuine");
    assert_eq!(daemon.log().len(), 1, "{:?}", daemon.log());
}

#[test]
fn one_whose_answer_may_be_a_refusal_waits_alone_and_the_others_come_again() {
    let daemon = start("");
    let mut server = connect(&daemon);
    let alone = "y452 4.5.3 One recipient at a time: this mail may be refused; send it again for the others";
    let (tagged, carol, observed) = (signed(ALICE, 1), "carol@example.com", "dave@example.net");
    for recipients in [
        [(ALICE, "c"), (carol, alone), (&tagged, alone), ("postmaster@example.com", alone), (observed, alone)],
        [
            ("postmaster@example.com", "c"),
            (ALICE, alone),
            ("abuse@example.com", "c"),
            (&tagged, alone),
            (observed, "c"),
        ],
        [(observed, "c"), (ALICE, alone), ("erin@example.net", "c"), (&tagged, alone), ("abuse@example.com", "c")],
        [(&tagged, "c"), (ALICE, alone), (&tagged, alone), (observed, alone), ("bob@elsewhere.example", alone)],
    ] {
        server.mail("<>");
        for (recipient, answer) in recipients {
            assert_eq!(server.rcpt(&format!("<{recipient}>")), answer, "{recipient} of {recipients:?}");
        }
        let genuine = recipients[0].0 == tagged;
        let admitted = deliver(&mut server, &HEAD, &body("", 10), 1000).is_ok();
        assert_eq!(admitted, recipients[0].0 != ALICE, "{recipients:?} {genuine}");
    }
    let deferred = event(&daemon, "\"later\"");
    assert_eq!((&deferred["recipient"], &deferred["stage"]), (&carol.into(), &"rcpt".into()));
    // Other mail has as many as it likes.
    server.mail("<bob@elsewhere.example>");
    assert!((0..20).all(|number| server.rcpt(&format!("<user{number}@example.com>")) == "c"));
    server.send(b'A', b"");
}

#[test]
fn a_refusal_that_waits_for_data_and_one_that_waits_for_the_message_never_meet() {
    let daemon = start("[policy.domains.\"example.com\"]\nrefuse-at = \"data\"\n");
    let mut server = connect(&daemon);
    let genuine = signed("bob@example.net", 1);
    for observed in ["bob@example.net", &genuine] {
        let observed = format!("<{observed}>");
        server.mail("<>");
        assert_eq!(server.rcpt(&format!("<{ALICE}>")), "c");
        assert_eq!(server.rcpt(&observed), format!("y{ALONE}"));
        server.send(b'T', b"");
        assert!(server.answer().starts_with("y550 5.7.1 "));
        server.mail("<>");
        assert_eq!(server.rcpt(&observed), "c");
        assert!(server.rcpt(&format!("<{ALICE}>")).starts_with("y550 5.7.1 "));
        assert!(deliver(&mut server, &HEAD, &body("", 10), 1000).is_ok());
    }
    daemon.wait_for("\"strip\"");
    assert_eq!(daemon.log().iter().filter(|line| line.contains("\"later\"")).count(), 2);
}

#[test]
fn under_observe_each_of_several_recipients_is_judged_and_the_first_eight_by_the_message() {
    let daemon = start("");
    let mut server = connect(&daemon);
    server.mail("<>");
    for number in 0..10 {
        assert_eq!(server.rcpt(&format!("<user{number}@example.net>")), "c");
    }
    assert!(deliver(&mut server, &HEAD, &body("", 10), 1000).is_ok());
    daemon.wait_for("user7@example.net");
    let kinds: Vec<bool> = daemon.log().iter().map(|line| line.contains("\"kind\":\"dsn-failed\"")).collect();
    assert_eq!(kinds, [[false; 2].as_slice(), &[true; 8]].concat());
}

#[test]
fn the_verdict_is_the_same_wherever_the_body_is_cut() {
    let daemon = start("");
    let mut server = connect(&daemon);
    let (genuine, bad) = (body(&marked(ALICE, today()), 2000), body("", 2000));
    for piece in [1, 2, 3, 7, 64, 255, 1000, 65_535] {
        for (body, admitted) in [(&genuine, true), (&bad, false)] {
            server.mail("<>");
            assert_eq!(server.rcpt(&format!("<{ALICE}>")), "c");
            assert_eq!(deliver(&mut server, &HEAD, body, piece).is_ok(), admitted, "{piece}");
        }
    }
}

#[test]
fn twenty_megabytes_cost_bounded_memory_and_the_rest_is_left_where_no_more_is_looked_at() {
    let daemon = start("");
    let mut server = connect(&daemon);
    let memory = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    // The tables of the inspection are read once.
    assert!(bounce(&mut server, ALICE, &body(&marked(ALICE, today()), 0)).is_ok());
    let before = memory();
    let large = body(&marked(ALICE, today()), 20_000_000);
    assert!(bounce(&mut server, ALICE, &large).is_ok());
    let cost = memory() - before;
    println!("20 MB cost {cost} KB");
    assert!(cost < 2048, "20 MB cost {cost} KB");
    assert!(bounce(&mut server, ALICE, &body("", 20_000_000)).is_err());
    // A single leaf: the mail server is told to keep the rest.
    server.mail("<>");
    assert_eq!(server.rcpt(&format!("<{ALICE}>")), "c");
    fields(&mut server, &HEAD[..2]);
    let answers: Vec<String> = (0..20)
        .map(|_| {
            server.send(b'B', &[b'x'; 65_535]);
            server.answer()
        })
        .collect();
    assert_eq!(answers.iter().position(|answer| answer == "s"), Some(3));
    assert!(server.end_or_refusal().is_err());
}

#[test]
fn a_message_without_a_header_and_one_without_a_body_are_judged() {
    let daemon = start("");
    let mut server = connect(&daemon);
    for (head, body) in [(&[][..], &b"no such user\r\n"[..]), (&HEAD[..2], b""), (&[], b"")] {
        server.mail("<>");
        assert_eq!(server.rcpt(&format!("<{ALICE}>")), "c");
        assert!(deliver(&mut server, head, body, 1000).is_err());
        // And what the envelope proves gets in.
        server.mail("<>");
        assert_eq!(server.rcpt(&format!("<{}>", signed(ALICE, 0))), "c");
        assert!(deliver(&mut server, head, body, 1000).is_ok());
    }
}

#[test]
fn copies_of_the_verdict_that_arrive_go_and_nothing_of_the_message_gets_into_ours() {
    let daemon = start("");
    let mut server = connect(&daemon);
    server.mail("<>");
    assert_eq!(server.rcpt(&format!("<{}>", signed(ALICE, 0))), "c");
    let head = [&[("Backstop-Verdict", "genuine; kind=x"), ("backstop-verdict", "x")][..], &HEAD].concat();
    let changes = deliver(&mut server, &head, &body("", 10), 1000).unwrap();
    let gone = |index: u8| format!("m   {}Backstop-Verdict", char::from(index));
    assert_eq!(changes[2..4], [gone(2), gone(1)]);
    assert!(
        changes[4].starts_with(&told("genuine; rule=genuine; would=strip; mode=enforce; message=genuine; kind=dsn"))
    );
    assert_eq!(changes.len(), 5);
}

/// A daemon with metrics that has judged a bounce by its message.
pub(crate) fn with_metrics() -> Daemon {
    let daemon = start("[metrics]\nlisten = [\"unix:DIR/metrics\"]\n");
    assert!(bounce(&mut connect(&daemon), "bob@example.com", &body("", 10)).is_err());
    daemon
}

#[test]
fn what_was_judged_by_the_message_is_counted() {
    let daemon = start("[metrics]\nlisten = [\"unix:DIR/metrics\"]\n");
    let mut server = connect(&daemon);
    assert!(bounce(&mut server, ALICE, &body(&marked(ALICE, today()), 10)).is_ok());
    assert!(bounce(&mut server, ALICE, &body("", 10)).is_err());
    assert!(deliver_after(&mut server, ALICE, b"no such user\r\n").is_err());
    let mut peer: Peer = daemon.connect("metrics");
    peer.send("GET /metrics HTTP/1.1\r\n\r\n");
    let text = peer.rest();
    for labels in [
        "kind=\"dsn-failed\",message=\"genuine\",proof=\"returned-mark\",why=\"\",action=\"unchanged\",would=\"unchanged\"",
        "kind=\"dsn-failed\",message=\"backscatter\",proof=\"\",why=\"\",action=\"refuse\",would=\"refuse\"",
        "kind=\"dsn-failed\",message=\"unproven\",proof=\"\",why=\"nothing-returned\",action=\"refuse\",would=\"refuse\"",
    ] {
        let sample = format!("backstopd_messages_total{{face=\"milter\",{labels}}} 1\n");
        assert!(text.contains(&sample), "no {sample} in {text}");
    }
}

#[test]
fn stats_tell_what_messages_showed_and_a_mark_makes_a_genuine_bounce() {
    let daemon = start("");
    let mut server = connect(&daemon);
    assert!(bounce(&mut server, ALICE, &body(&marked(ALICE, today()), 10)).is_ok());
    assert!(bounce(&mut server, &signed(ALICE, 1), &body("", 10)).is_ok());
    assert!(bounce(&mut server, ALICE, &body("", 10)).is_err());
    assert!(bounce(&mut server, "alice@example.net", &body("", 10)).is_ok());
    server.mail("<>");
    assert_eq!(server.rcpt(&format!("<{ALICE}>")), "c");
    assert!(server.rcpt("<carol@example.com>").starts_with("y452"));
    server.send(b'A', b"");
    daemon.wait_for("\"later\"");
    let log = daemon.log().join("\n");
    let (code, stats) = crate::reports::as_json(&["stats"], &log);
    assert_eq!((code, &stats["log"]["broken"]["lines"]), (0, &0.into()), "{log}");
    let sum = |mode: usize| &stats["modes"][mode]["sum"];
    // The one that was sent away comes again.
    assert_eq!((&sum(0)["bounces"], &sum(0)["proved"], &sum(0)["let_in"]), (&1.into(), &0.into(), &1.into()));
    assert_eq!((&sum(1)["bounces"], &sum(1)["proved"], &sum(1)["let_in"]), (&3.into(), &2.into(), &0.into()));
    let shown = |message: &str, proof: Option<&str>, [let_in, refused, would]: [u32; 3]| {
        serde_json::json!({
            "message": message, "kind": "dsn-failed", "proof": proof, "why": null, "let_in": let_in, "refused": refused,
            "would_refuse": would,
        })
    };
    let expected = [
        shown("genuine", Some("recipient-tag"), [1, 0, 0]),
        shown("genuine", Some("returned-mark"), [1, 0, 0]),
        shown("backscatter", None, [0, 1, 1]),
    ];
    assert_eq!(stats["messages"], serde_json::Value::from(expected.to_vec()));
    let (_, text, _) = crate::reports::run(&["stats"], &log);
    let row = "  message      let in  refused  would be refused  kind        proof, or why not told\n";
    assert!(text.contains(row), "{text}");
}

#[test]
fn very_many_messages_at_once_are_bounded_together_and_the_last_come_again() {
    let daemon = start("");
    // 256 KiB of each are kept before a leaf is cut for the first time.
    let mut servers: Vec<Server> = (0..270).map(|_| connect(&daemon)).collect();
    for server in &mut servers {
        server.mail("<>");
        assert_eq!(server.rcpt(&format!("<{}>", signed(ALICE, 0))), "c");
        fields(server, &HEAD);
        for _ in 0..4 {
            server.send(b'B', &[b'x'; 65_000]);
            server.answer();
        }
    }
    let late = servers.last_mut().unwrap().end_or_refusal();
    assert_eq!(late, Err("y451 4.3.2 Too many messages are judged at once; try again later".to_owned()));
    daemon.wait_for("take more than 64 MiB");
    assert!(servers[0].end_or_refusal().is_ok());
    drop(servers);
    let again = std::time::Instant::now();
    while bounce(&mut connect(&daemon), &signed(ALICE, 0), &body("", 500_000)).is_err() {
        assert!(again.elapsed() < crate::common::PATIENCE);
    }
}
