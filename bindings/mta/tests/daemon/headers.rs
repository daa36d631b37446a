//! What the milter does with headers: marks on own mail, verdicts on bounces, and copies of them that arrive.

use crate::common::Daemon;
use crate::milter::{Server, config};

/// A mail server that speaks to a daemon which wants headers.
pub(crate) fn with_headers(daemon: &Daemon, ip: &str) -> Server {
    let mut server = Server(daemon.connect("milter"));
    let agreed = server.negotiate(0x1ff, 0x1f_ffff);
    // ADDHDRS and CHGHDRS beside the others; the header and its end come, without an answer.
    assert_eq!((agreed.0, agreed.1), (0x1dd, 0x112 | 0x1000 | 0x4000 | 0x80 | 0x4_0000));
    server.send(b'C', &[b"mx.example.org\x004", &4000_u16.to_be_bytes()[..], ip.as_bytes(), b"\0"].concat());
    server
}

pub(crate) fn fields(server: &mut Server, fields: &[(&str, &str)]) {
    for (name, value) in fields {
        server.send(b'L', format!("{name}\0{value}\0").as_bytes());
    }
    server.send(b'N', b"");
}

pub(crate) fn headers_config(mode: &str) -> String {
    config(mode, "rcpt") + "verdict-header = \"Backstop-Verdict\"\n"
}

const MARK_KEY: &str = "mark m sha256 14 2020-01-01 - * text:the mark key of these tests\n";

#[test]
fn own_mail_with_one_author_gets_a_mark_that_proves_its_bounce_though_its_sender_stays_unsigned() {
    let daemon = Daemon::start(&headers_config("enforce"));
    let ring = format!("{}{MARK_KEY}", crate::common::RING);
    daemon.folder.write("keys", &ring);
    daemon.reload(&headers_config("enforce"));
    let ring = backstop::KeyRing::parse(ring.as_bytes()).unwrap();
    let mut server = with_headers(&daemon, "192.0.2.7");
    let (other, list) = ("<bob@elsewhere.example>", "<list@old.example>");
    let long = format!("<{}@example.com>", "a".repeat(60));
    for (sender, recipient, from, marked) in [
        ("<alice@example.com>", other, &["\"Alice, at home\"\n <Alice@example.com>"][..], true),
        ("<alice@example.com>", list, &["alice@example.com"], true),
        (&long, other, &["alice@example.com"], true),
        ("<alice@example.com>", other, &[], false),
        ("<alice@example.com>", other, &["alice@example.com", "bob@example.com"], false),
        ("<alice@example.com>", other, &["alice@example.com, bob@example.com"], false),
        ("<prvs=02d71a5ee5d=alice@example.com>", other, &["alice@example.com"], false),
        ("<carol@elsewhere.example>", other, &["alice@example.com"], false),
        ("<>", other, &["alice@example.com"], false),
    ] {
        server.mail(sender);
        assert_eq!(server.rcpt(recipient), "c");
        let list: Vec<_> = from.iter().map(|from| ("From", *from)).collect();
        fields(&mut server, &list);
        let changes = server.end();
        let signed = changes.iter().any(|change| change.contains("prvs="));
        assert_eq!(signed, (sender, recipient) == ("<alice@example.com>", other), "{sender} {changes:?}");
        // On top, at index 0.
        let mark = changes.iter().find_map(|change| change.strip_prefix("i    Backstop-Mark "));
        assert_eq!(mark.is_some(), marked, "{sender} {from:?} {changes:?}");
        if let Some(mark) = mark {
            let verdict =
                backstop::mark::verify_header(&ring, mark.as_bytes(), b"alice@example.com", crate::common::today());
            assert_eq!(verdict.unwrap().slug(), "genuine");
        }
    }
}

#[test]
fn bounces_are_told_their_verdict_and_copies_that_arrive_go_from_the_last_to_the_first() {
    let daemon = Daemon::start(&headers_config("observe"));
    let mut server = with_headers(&daemon, "198.51.100.1");
    // The number of the instance in four octets, and no value; a NUL shows as a blank.
    let gone = |index: u8| format!("m   {}Backstop-Verdict", char::from(index));
    let told = |text: &str| format!("i    Backstop-Verdict {text}; mode=observe");
    for (sender, recipients, arriving, expected) in [
        // Of others nothing is said, but what they say of themselves goes.
        ("<x@elsewhere.example>", &["<alice@example.com>"][..], &[][..], vec![]),
        (
            "<x@elsewhere.example>",
            &["<alice@example.com>"],
            &["Backstop-Verdict", "Subject", "BACKSTOP-VERDICT", "Backstop-Mark"],
            vec![gone(2), gone(1)],
        ),
        (
            "<>",
            &["<alice@example.com>", "<bob@example.com>"],
            &["backstop-verdict"],
            vec![gone(1), told("untagged; rule=untagged; would=refuse")],
        ),
        (
            "<>",
            &["<postmaster@example.com>", "<alice@example.com>"],
            &[],
            vec![
                told("untagged; rule=untagged; would=refuse"),
                told("untagged; rule=exempt-recipient; would=unchanged"),
            ],
        ),
    ] {
        server.mail(sender);
        assert!(recipients.iter().all(|recipient| server.rcpt(recipient) == "c"));
        let list: Vec<_> = arriving.iter().map(|name| (*name, "genuine")).collect();
        fields(&mut server, &list);
        assert_eq!(server.end(), expected);
    }
}

#[test]
fn a_message_with_very_many_copies_of_the_verdict_is_refused_and_costs_the_mail_server_no_changes() {
    let daemon = Daemon::start(&headers_config("observe"));
    let mut server = with_headers(&daemon, "198.51.100.1");
    for (copies, changes) in [(100, Ok(100)), (101, Err(())), (20_000, Err(())), (1, Ok(1))] {
        server.mail("<x@elsewhere.example>");
        assert_eq!(server.rcpt("<alice@example.com>"), "c");
        fields(&mut server, &vec![("Backstop-Verdict", "x"); copies]);
        let end = server.end_or_refusal();
        let refusal = "y554 5.6.0 This message has too many copies of a header that only this host may write";
        assert!(end.as_ref().err().is_none_or(|reply| reply == refusal), "{end:?}");
        assert_eq!(end.map(|list| list.len()).map_err(|_| ()), changes);
    }
    daemon.wait_for("more than 100 copies of the verdict header was refused");
}

#[test]
fn a_mail_server_without_changes_of_headers_is_told_of_in_the_log() {
    let daemon = Daemon::start(&headers_config("observe"));
    let mut server = Server(daemon.connect("milter"));
    server.send(b'O', &[6_u32, 0x4c, 0x1f_ffff].map(u32::to_be_bytes).concat());
    assert_eq!(server.0.rest(), "");
    daemon.wait_for("offers no change of headers");
}
