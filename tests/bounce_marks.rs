//! Which marks in a bounce are looked at, and which of those that cannot be verified stand in the way of backscatter.
//!
//! The ring signs marks from 2026-11-01 to 2026-11-21, which is today; marks of key `z`, which it lacks, are another host's or
//! nobody's.

#![cfg(feature = "bounce")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use backstop::bounce::{self, Advice, Envelope, Inspection, Outcome, Verdict, Why};
use backstop::mark::{self, Marked};
use backstop::policy::{Mode, Policy};
use backstop::{Day, Domains, KeyRing};

const ALICE: &str = "alice@example.com";
const SPAM: &str = "Received: from zombie.isp.example ([198.51.100.17]) by mx.reflector.example with SMTP;\n\
                    \tFri, 20 Nov 2026 10:11:12 +0000\n\
                    From: Cheap Pills <alice@example.com>\nTo: x@reflector.example\nSubject: You won\n\
                    Date: Fri, 20 Nov 2026 10:11:10 +0000\nMessage-ID: <1@zombie>\n";

fn ring() -> KeyRing {
    KeyRing::parse(b"version 1\nmark m sha256 14 2026-11-01 2026-11-21 example.com text:the mark key\n").unwrap()
}

fn absent() -> KeyRing {
    KeyRing::parse(b"version 1\nmark z sha256 14 - - * text:of another host\n").unwrap()
}

fn today() -> Day {
    Day::parse("2026-11-21").unwrap()
}

fn header(ring: &KeyRing, day: Day) -> String {
    let Marked::Done(value) = mark::make_header(ring, ALICE.as_bytes(), [7; 8], day).unwrap() else { panic!() };
    format!("{}: {value}\n", mark::HEADER)
}

fn id(ring: &KeyRing, day: Day) -> String {
    let made = mark::make_message_id(ring, "m", "example.com", ALICE.as_bytes(), day).unwrap();
    let Marked::Done(id) = made else { panic!() };
    id
}

fn judged(message: &str) -> Inspection {
    judged_for(ALICE, message)
}

fn judged_for(recipient: &str, message: &str) -> Inspection {
    let policy = Policy::new(Domains::parse("example.com").unwrap()).with_mode(Mode::Enforce);
    let policy = policy.with_marks_since(today().minus(60));
    let envelope = Envelope { sender: Some(b"<>"), recipient: Some(recipient.as_bytes()) };
    bounce::inspect(message.as_bytes(), &envelope, &ring(), &policy, today())
}

/// A bounce: fields of its own, its text, and the headers that came back in a part.
fn bounce(own: &str, text: &str, returned: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.reflector.example\nSubject: Undelivered Mail Returned to Sender\n{own}MIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nuser unknown\n{text}\n--b\n\
         Content-Type: text/rfc822-headers\n\n{returned}\n--b--\n"
    )
}

#[test]
fn a_mark_of_an_absent_key_in_a_conversation_is_no_hindrance_to_backscatter() {
    let other = id(&absent(), today().minus(32));
    for own in [
        "References: <m.bsm1-zaabaaaaaaaaaaaaaaaa@example.com>\n".to_owned(),
        format!("References: <a@b> {other}\n"),
        format!("In-Reply-To: {other}\n"),
    ] {
        let seen = judged(&bounce(&own, "", SPAM));
        assert!(seen.checks.iter().any(|check| check.outcome == Outcome::NotCovered), "{own}: it is listed");
        assert_eq!(seen.verdict, Verdict::Backscatter, "{own}");
    }
    let returned = SPAM.replace("<1@zombie>", &other);
    assert_eq!(judged(&bounce("", "", &returned)).verdict, Verdict::Unproven(Why::NotCovered));
}

#[test]
fn a_mark_of_an_absent_key_that_no_key_can_have_made_in_date_is_no_hindrance_to_backscatter() {
    let old = "Backstop-Mark: v=1; i=example.com; k=z; d=1; n=aaaaaaaaaaaaa; t=aaaaaaaaaaaaaaaa\n";
    assert_eq!(judged(&bounce("", "", &format!("{old}{SPAM}"))).verdict, Verdict::Backscatter);
    // 99 days that a mark can live, 7 of grace, a day for clocks.
    for (day, expected) in [
        (today().minus(108), Verdict::Backscatter),
        (today().minus(107), Verdict::Unproven(Why::NotCovered)),
        (today().minus(21), Verdict::Unproven(Why::NotCovered)),
        (today().plus(1), Verdict::Unproven(Why::NotCovered)),
        (today().plus(2), Verdict::Backscatter),
    ] {
        let (mark, id) = (header(&absent(), day), id(&absent(), day));
        let told = format!("Message-ID: {id}\n");
        for message in [
            bounce("", "", &format!("{mark}{SPAM}")),
            bounce("", "", &SPAM.replace("<1@zombie>", &id)),
            bounce("", &told, SPAM),
        ] {
            assert_eq!(judged(&message).verdict, expected, "{day}");
        }
    }
}

#[test]
fn headers_behind_a_summary_of_the_same_message_id_are_read() {
    let day = today().minus(3);
    let text = |between: &str, headers: &str| {
        format!(
            "From: MAILER-DAEMON@mx.reflector.example\nSubject: failure notice\n\nSorry, no mailbox.\n\n\
             From: alice@example.com\nTo: x@reflector.example\nSubject: hello\nMessage-ID: <1@zombie>\n\n{between}\n\n{headers}\n\nhello\n"
        )
    };
    let marked = format!("{}{SPAM}", header(&ring(), day));
    for headers in [&marked, &marked.replace("<1@zombie>", "1@zombie")] {
        let seen = judged(&text("--- Headers ---", headers));
        assert_eq!((seen.returned.len(), seen.verdict), (2, Verdict::Genuine));
    }
    // Another mail, which the one that came back quotes.
    for other in ["<2@zombie>", ""] {
        let other = marked.replace("Message-ID: <1@zombie>\n", &format!("Message-ID: {other}\n"));
        let seen = judged(&text("look:", &other));
        assert_eq!((seen.returned.len(), seen.checks.len()), (1, 0));
        let seen = judged(&text("look:", &format!("{other}\nand\n\n{marked}")));
        assert_eq!((seen.returned.len(), seen.checks.len()), (1, 0), "nor what stands behind it");
    }
}

#[test]
fn a_mark_of_an_address_beyond_ascii_proves_whatever_its_text_is_said_to_be_in() {
    let sender = "j\u{f6}rg@example.com";
    let made = mark::make_header(&ring(), sender.as_bytes(), [7; 8], today().minus(3)).unwrap();
    let Marked::Done(value) = made else { panic!() };
    let mark = format!("{}: {value}\n", mark::HEADER);
    let other = mark::make_header(&ring(), b"bounces@example.com", [7; 8], today().minus(3)).unwrap();
    let Marked::Done(other) = other else { panic!() };
    for charset in ["us-ascii", "US-ASCII", "ascii", "ansi_x3.4-1968", "utf-8"] {
        let text = |mark: &str| {
            format!(
                "From: MAILER-DAEMON@mx.reflector.example\nSubject: failure notice\nMIME-Version: 1.0\n\
                 Content-Type: text/plain; charset={charset}\n\n<x@b.example>:\nno such user\n\n{mark}{}\nbody\n",
                SPAM.replace(ALICE, sender)
            )
        };
        let seen = judged_for(sender, &text(&mark));
        let from = seen.returned.first().and_then(|returned| returned.from.as_deref());
        assert_eq!((seen.verdict, from), (Verdict::Genuine, Some(sender)), "{charset}");
        // It is named as the sender where the recipient is another own address.
        let seen = judged_for("bounces@example.com", &text(&mark));
        assert_eq!(seen.verdict, Verdict::Unproven(Why::OtherAddress), "{charset}");
        let forged = judged_for(sender, &text(&format!("{}: {other}\n", mark::HEADER)));
        assert_eq!(forged.verdict, Verdict::Forged, "{charset}");
    }
}

#[test]
fn each_message_id_on_a_line_of_the_text_is_checked_once() {
    let ids = |count: usize| (0..count).map(|n| format!(" <{n}{}", &id(&ring(), today())[1..])).collect::<String>();
    let line = |count| format!("Message-ID:{}\n", ids(count));
    assert!(line(15).len() <= mark::MAX_MARK);
    let foreign = |text: String| text.replace("example.com", "other.example");
    let seen = judged(&bounce("", &foreign(line(15)), SPAM));
    assert_eq!((seen.checks.len(), seen.verdict), (15, Verdict::Backscatter));
    // The good one stands on the last line of several.
    let good = format!("{}Message-ID: {}\n", foreign(line(15).repeat(4)), id(&ring(), today()));
    assert_eq!(judged(&bounce("", &good, SPAM)).verdict, Verdict::Genuine);
    let long = format!("Message-ID: {}{}\n", id(&ring(), today()), "x".repeat(mark::MAX_MARK));
    assert_eq!(judged(&bounce("", &long, SPAM)).checks, []);
}

#[test]
fn a_mark_without_any_sender_of_its_mail_is_not_forged() {
    let (mark, id) = (header(&ring(), today().minus(3)), id(&ring(), today().minus(3)));
    let notice = |text: &str| {
        format!(
            "From: MAILER-DAEMON@mx.reflector.example\nSubject: failure notice\n\n<x@b.example>:\nno such user\n\n{text}"
        )
    };
    let receipt = format!(
        "From: Bob <bob@b.example>\nSubject: Read: hello\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\nIt was read.\n\
         --b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; bob@b.example\n\
         Original-Message-ID: {id}\nDisposition: manual-action/MDN-sent-manually; displayed\n\n--b--\n"
    );
    for message in [
        receipt,
        notice(&format!("Message-ID: {id}\n")),
        notice(&format!("To: x@b.example\nSubject: hello\nMessage-ID: {id}\n")),
        notice(&format!("To: x@b.example\nSubject: hello\nMessage-ID: {}\n", id.to_uppercase())),
        notice(&format!("Return-Path: <>\nFrom: redacted\nTo: x@b.example\nSubject: hello\n{mark}")),
    ] {
        let seen = judged_for("bounces@example.com", &message);
        assert_eq!((seen.verdict, seen.advice), (Verdict::Unproven(Why::Damaged), Advice::Deliver), "{message}");
        assert_eq!(judged_for(ALICE, &message).verdict, Verdict::Genuine, "{message}");
    }
}

#[test]
fn a_message_id_in_a_text_is_of_the_sender_that_any_block_names() {
    let told = format!("Message-ID: {}\n", id(&ring(), today().minus(3)));
    let with = |from: &str| bounce("", &told, &SPAM.replace(ALICE, from));
    let verdict = |from: &str| judged_for("bounces@example.com", &with(from)).verdict;
    assert_eq!(verdict(ALICE), Verdict::Unproven(Why::OtherAddress));
    assert_eq!(verdict("bob@example.com"), Verdict::Forged);
    assert_eq!(verdict("bob@else.example"), Verdict::Forged);
}

#[test]
fn nothing_is_held_against_a_feedback_report() {
    let report = |returned: &str| {
        format!(
            "From: Feedback Loop <fbl@reflector.example>\nSubject: Complaint\nMIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nAn abuse report.\n\
             --b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: Loop/1\nVersion: 1\n\
             --b\nContent-Type: message/rfc822\n\n{returned}\nbuy\n--b--\n"
        )
    };
    let marked = |days| format!("{}{SPAM}", header(&ring(), today().minus(days)));
    for (recipient, returned) in [
        (ALICE, marked(20)),
        ("fbl@example.com", marked(1)),
        ("fbl@example.com", marked(1).replace(ALICE, "redacted@example.com")),
        ("fbl@example.com", marked(1).replace("From: ", "X-From: ")),
    ] {
        let verdict = judged_for(recipient, &report(&returned)).verdict;
        assert_eq!(verdict, Verdict::Unproven(Why::Reported), "{recipient} {returned}");
    }
    assert_eq!(judged(&report(&marked(1))).verdict, Verdict::Genuine);
}

#[test]
fn a_mark_that_came_back_in_pieces_is_no_missing_mark() {
    let whole = header(&ring(), today().minus(2));
    let (cut, wrapped) = (whole.split_at(whole.len() / 2).0, whole.replacen("; n=", ";\nn=", 1));
    let around = |before: &str, after: &str| whole.replacen("v=1", &format!("{before}v=1"), 1).replace('\n', after);
    for mark in [
        format!("{cut}\n"),
        wrapped,
        whole.replace("v=1", "v=3D1"),
        format!("{}\n", cut.to_uppercase()),
        around("\"", "\"\n"),
        around("=?us-ascii?Q?", "?=\n"),
        around("\u{a0}", "\n"),
        around("\n", "\n"),
        format!("{}:\n", mark::HEADER),
    ] {
        let seen = judged(&bounce("", "", &format!("{mark}{SPAM}")));
        assert_eq!((seen.verdict, seen.advice), (Verdict::Unproven(Why::Damaged), Advice::Deliver), "{mark}");
        assert_eq!(seen.checks.first().map(|it| it.outcome), Some(Outcome::Damaged), "{mark}");
    }
}

#[test]
fn a_marked_message_id_that_came_back_in_pieces_is_damaged_and_a_whole_one_that_is_wrong_forged() {
    let whole = id(&ring(), today().minus(3));
    let parted = |at: usize| format!("{}\n {}", whole.get(..at).unwrap(), whole.get(at..).unwrap());
    let verdict = |id: &str| judged(&bounce("", "", &SPAM.replace("<1@zombie>", id))).verdict;
    let cuts = (10..whole.len() - 1).map(|at| whole.get(..at).unwrap().to_owned());
    let folds = (2..whole.len() - 1).map(parted);
    for id in cuts.chain(folds).chain([whole.replace('@', "=40"), whole.replace("bsm1-m", "bsm1-18")]) {
        // Cut or folded within `.bsm1-` nothing shows that there was a mark.
        if id.contains(".bsm1-") {
            assert_eq!(verdict(&id), Verdict::Unproven(Why::Damaged), "{id}");
        }
    }
    assert_eq!(verdict(&whole), Verdict::Genuine);
    assert_eq!(verdict(&whole.replace("<m.", "<n.")), Verdict::Forged);
    assert_eq!(verdict(&whole.replace("<m.", "n.").replace('>', "")), Verdict::Forged);
    assert_eq!(verdict(&whole.replace("example.com", "other.example")), Verdict::Backscatter);
}

#[test]
fn a_message_id_without_brackets_in_headers_quoted_in_a_text_is_never_forged() {
    let id = id(&ring(), today().minus(3));
    let bare = id.trim_matches(['<', '>']);
    let notice = |id: &str, end: &str| {
        let headers = SPAM.replace("<1@zombie>", id);
        format!(
            "From: MAILER-DAEMON@mx.reflector.example\nSubject: failure notice\n\nno such user\n\n{headers}{end}\nbody\n"
        )
    };
    for said in [
        format!("\u{201e}{bare}\u{201c}"),
        format!("\u{a0}{bare}"),
        format!("{bare}\u{a0}"),
        format!("\u{200b}{bare}"),
        format!("__{bare}__"),
        format!("id={bare}"),
        bare.replace("m.", "n."),
    ] {
        let seen = judged(&notice(&said, "X-Other: 1\n"));
        assert!(
            matches!(seen.verdict, Verdict::Genuine | Verdict::Unproven(Why::Damaged)),
            "{said}: {:?}",
            seen.verdict
        );
    }
    assert_eq!(judged(&notice(bare, "")).verdict, Verdict::Genuine);
    assert_eq!(judged(&notice(&id.replace("m.", "n."), "")).verdict, Verdict::Forged);
}

#[test]
fn a_mark_has_one_token_however_it_is_written() {
    let token = |field: &str| {
        let seen = judged(&bounce("", "", &format!("{field}\n{}", SPAM.replace("Message-ID: <1@zombie>\n", ""))));
        assert_eq!(seen.verdict, Verdict::Genuine, "{field}");
        seen.proof().unwrap().token.clone()
    };
    let id = id(&ring(), today().minus(3));
    let bare = id.trim_matches(['<', '>']);
    for said in [
        id.clone(),
        bare.to_owned(),
        format!("<!{bare}>"),
        format!("<_.-{bare}>"),
        format!("<{}>", bare.to_uppercase()),
        id.replace("bsm1", "BSM1"),
    ] {
        assert_eq!(token(&format!("Message-ID: {said}")), bare, "{said}");
    }
    let mark = header(&ring(), today().minus(3)).trim_end().to_owned();
    let nonce = token(&mark);
    assert_eq!(nonce.len(), 13);
    for said in ["N=", "n =", "n=  ", "n=\t"] {
        assert_eq!(token(&mark.replace("n=", said)), nonce, "{said}");
    }
    assert_eq!(token(&mark.replace(&nonce, &nonce.to_uppercase())), nonce);
}
