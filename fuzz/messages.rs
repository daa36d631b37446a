//! Whole messages: what the target `bounce` asserts, and the messages that octets stand for.
//!
//! Octets from 0x80 up stand for PIECES of messages, the others for themselves: so mutations soon make parts, boundaries
//! and headers that belong together.

use std::sync::OnceLock;

use backstop::bounce::report::{self, Letter};
use backstop::bounce::{self as bounces, Envelope, Kind, Outcome, Verdict as Judgement, limits};
use backstop::policy::Policy;
use backstop::{Day, Domains, KeyRing, mark as marks};

/// What octets from 0x80 up stand for in a message.
const PIECES: [&[u8]; 64] = [
    b"From: ",
    b"From: Mail Delivery System <MAILER-DAEMON@mx.example.net>\n",
    b"Return-Path: <>\n",
    b"Subject: ",
    b"Subject: Undelivered Mail Returned to Sender\n",
    b"Subject: =?utf-8?q?",
    b"=?iso-2022-jp?b?",
    b"?=",
    b"Auto-Submitted: auto-replied\n",
    b"To: alice@example.com\n",
    b"Received: from x ([198.51.100.17]) by mx.example.net with SMTP; Fri, 20 Nov 2026 10:11:12 +0000\n",
    b"Message-ID: <1@x>\n",
    b"Date: Fri, 20 Nov 2026 10:11:12 +0000\n",
    b"In-Reply-To: ",
    b"References: ",
    b"Content-Type: ",
    b"multipart/report; report-type=delivery-status; boundary=b\n\n",
    b"multipart/mixed; boundary=c\n\n",
    b"multipart/digest; boundary=d\n\n",
    b"message/rfc822\n\n",
    b"message/delivery-status\n\n",
    b"text/rfc822-headers\n\n",
    b"text/plain; charset=",
    b"text/html\n\n",
    b"; boundary*0=\"b",
    b"boundary*=utf-8''b",
    b"utf-16",
    b"gb2312",
    b"iso-2022-jp",
    b"utf-7",
    b"Content-Transfer-Encoding: base64\n",
    b"Content-Transfer-Encoding: quoted-printable\n",
    b"--b\n",
    b"--b--\n",
    b"--c\n",
    b"--d\n",
    b"\n",
    b"\r\n",
    b"\n\n",
    b"\n\t",
    b"> ",
    b"Reporting-MTA: dns; mx.example.net\n\n",
    b"Final-Recipient: utf-8; j\\x{FC}@example.net\n",
    b"Action: failed\nStatus: 5.1.1\n",
    b"Diagnostic-Code: smtp; 550 5.7.1 spam\n",
    b"550 5.1.1 user unknown\n",
    b"--- Below this line is a copy of the message.\n",
    b"<x@example.net>:\n",
    b"http://spam.example/\n",
    b"Backstop-Mark: v=1; i=example.com; k=m; d=20778; n=a4dqobyha4dqo; t=aaaaaaaaaaaaaaaa\n",
    b"<m.bsm1-mujkaaaaaaaaaaaaaaaaa@example.com>",
    b"From MAILER-DAEMON Fri Nov 20 10:12:00 2026\n",
    b"RnJvbTogYQo=\n",
    b"=3D=\n",
    b"&#x41;&amp;<script>",
    b"i am out of the office\n",
    b"<pre class=x>\n",
    b"</pre>",
    b"Subject: [EXT] Fwd: \xe8\xbd\xac\xe5\x8f\x91\xef\xbc\x9a\n",
    b"From: Bob <bob@friend.example>\nReturn-Path: <bob@friend.example>\n",
    b"List-Id: <l.example>\nPrecedence: list\n",
    b"Sender: bob@example.com\n",
    b"<M.BSM1-MUJKAAAAAAAAAAAAAAAAA@EXAMPLE.COM>",
    b"X-Mailer: Microsoft Outlook 16.0\n",
];

/// The message that octets stand for.
pub fn expanded(data: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    for &octet in data {
        match PIECES.get(usize::from(octet).wrapping_sub(0x80) % PIECES.len()) {
            Some(piece) if octet >= 0x80 => message.extend_from_slice(piece),
            _ => message.push(octet),
        }
    }
    message
}

/// A whole message: a verdict follows from what was found, a mark in front changes nothing but by being one header more,
/// and reports are made of misuse only, without a control character.
pub fn bounce(data: &[u8]) {
    static SITE: OnceLock<(KeyRing, Policy, String)> = OnceLock::new();
    let day = Day::from_number(20_778).unwrap();
    let (ring, policy, mark) = SITE.get_or_init(|| {
        let ring = KeyRing::parse(b"version 1\nmark m sha256 14 - - * text:secret\n").unwrap();
        let own = Policy::new(Domains::parse("example.com").unwrap()).with_marks_since(day.minus(60));
        let policy = own.with_own_relays(["mail.example.com"]).with_display_names(["Alice"]);
        let Ok(marks::Marked::Done(value)) = marks::make_header(&ring, b"alice@example.com", [7; 8], day) else {
            panic!("no mark");
        };
        (ring, policy, format!("{}: {value}\n", marks::HEADER))
    });
    let message = expanded(data);
    let envelope = Envelope { sender: None, recipient: Some(b"alice@example.com") };
    let inspect = |message: &[u8]| bounces::inspect(message, &envelope, ring, policy, day);
    let seen = inspect(&message);
    assert_eq!(seen, inspect(&message), "twice the same");
    assert_eq!(seen.kind == Kind::NotABounce, seen.verdict == Judgement::NotABounce);
    let good = seen.checks.iter().any(|check| check.outcome == Outcome::Genuine);
    assert_eq!(seen.verdict == Judgement::Genuine, good && seen.kind != Kind::NotABounce);
    assert_eq!(seen.proof().is_some(), seen.verdict == Judgement::Genuine);
    assert!(seen.checks.len() <= limits::MAX_CHECKS && seen.returned.len() <= limits::MAX_RETURNED);
    assert!(seen.deliveries.len() <= limits::MAX_DELIVERIES && seen.source.links.len() <= limits::MAX_LINKS);
    if seen.verdict == Judgement::Backscatter {
        // Message-IDs of a conversation prove, and are not held against a message.
        let is_thread =
            |check: &bounces::Check| matches!(check.place, bounces::Place::InReplyTo | bounces::Place::References);
        let decides = |check: &bounces::Check| !matches!(check.outcome, Outcome::Foreign | Outcome::Malformed);
        assert!(!seen.checks.iter().any(|check| decides(check) && !is_thread(check)));
        assert!(seen.returned.iter().any(|returned| returned.complete && returned.from.is_some()));
    }
    // A mark among the headers of the message itself is no proof.
    if !data.starts_with(b"\n") && !good {
        assert_eq!(inspect(&[mark.as_bytes(), &message].concat()).proof(), None);
    }
    let letter =
        Letter { from: "a@example.com", to: "b@example.net", date: "today", arrival: None, sender: None, client: None };
    let report = report::arf(&message, &seen, &letter, policy);
    assert_eq!(report.is_some(), matches!(seen.verdict, Judgement::Backscatter | Judgement::Forged));
    let controls = |text: &str| text.chars().any(|it| it.is_control() && !matches!(it, '\n' | '\t'));
    assert!(!report.is_some_and(|report| controls(&report)));
}
