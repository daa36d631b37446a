//! How evidence makes a kind: what is a sign of a mail system, what shows a person, what words can give.
//!
//! Each message is as little as the fact needs: fields, and a text. The fixtures (`bounce_fixtures.rs`) are whole ones.

#![cfg(feature = "bounce")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use backstop::bounce::{self, Envelope, Inspection, Kind};
use backstop::policy::Policy;
use backstop::{Day, Domains, KeyRing};

/// Its subject and its name say that it is a bounce, and nothing else does.
const NAMED: &str = "From: Mail Delivery <auto@b.example>\nSubject: Delivery failure\n";

fn seen(fields: &str, text: &str) -> Inspection {
    let policy = Policy::new(Domains::parse("example.com").unwrap());
    let day = Day::parse("2026-11-22").unwrap();
    bounce::inspect(format!("{fields}\n{text}\n").as_bytes(), &Envelope::default(), &KeyRing::empty(), &policy, day)
}

fn has(fields: &str, text: &str, id: &str) -> bool {
    seen(fields, text).evidence.iter().any(|it| it.id == id)
}

#[test]
fn without_a_sign_a_bounce_must_show_more_than_words_and_be_nobodys_mail_nor_a_programs() {
    const NAMELESS: &str = "From: auto@b.example\nSubject: Delivery failure\n";
    let shown = "550 5.1.1 <a@b.example> delivery failed";
    let generated = format!("{NAMED}Auto-Submitted: auto-generated\n");
    let threaded = format!("{NAMELESS}In-Reply-To: <1@a>\n");
    let listed = format!("{NAMED}List-Id: <x>\n");
    for (fields, text, kind) in [
        (NAMED, "delivery failed", Kind::NotABounce),
        (NAMED, shown, Kind::DsnFailed),
        (NAMELESS, shown, Kind::DsnFailed),
        (&threaded, shown, Kind::NotABounce),
        (&listed, shown, Kind::NotABounce),
        (&generated, shown, Kind::OtherAutomatic),
        // The very subject of a mail system is a sign, but for what an envelope sender sent.
        ("From: auto@b.example\nSubject: failure notice\n", "delivery failed", Kind::DsnFailed),
        (
            "Return-Path: <a@b.example>\nFrom: auto@b.example\nSubject: failure notice\n",
            "delivery failed",
            Kind::NotABounce,
        ),
        (
            "Return-Path: <a@b.example>\nFrom: Mail Delivery <auto@b.example>\nSubject: failure notice\n",
            "delivery failed",
            Kind::DsnFailed,
        ),
        // A person may write it, too.
        ("From: bob@b.example\nSubject: failure notice\n", "delivery failed", Kind::NotABounce),
        // A sign, but nothing that says that a mail was not delivered; then an SMTP reply.
        ("Return-Path: <>\nFrom: postmaster@b.example\n", "hello", Kind::OtherAutomatic),
        ("Return-Path: <>\nFrom: postmaster@b.example\n", "550 <a>", Kind::DsnFailed),
    ] {
        let seen = seen(fields, text);
        assert_eq!(seen.kind, kind, "{fields}{text}: {} {:?}", seen.score, seen.evidence);
    }
}

#[test]
fn a_postmaster_who_writes_with_a_program_of_people_is_no_sign() {
    let postmaster = "From: postmaster@b.example\nSubject: Delivery failure\n";
    for (field, kind) in [
        ("User-Agent: Mutt/2\n", Kind::NotABounce),
        ("X-Mailer: Microsoft Outlook 16.0\n", Kind::NotABounce),
        ("Message-ID: <1@mail.gmail.com>\n", Kind::DsnFailed),
        ("", Kind::DsnFailed),
    ] {
        let seen = seen(&format!("{postmaster}{field}"), "550 5.1.1 <a@b.example> delivery failed");
        assert_eq!(seen.kind, kind, "{field}: {} {:?}", seen.score, seen.evidence);
    }
}

#[test]
fn of_kinds_with_the_same_score_the_first_counts() {
    let seen = seen("From: auto@b.example\nContent-Class: urn:content-classes:mdn\nX-Loop: fbl\n", "");
    assert_eq!((seen.kind, seen.score), (Kind::Mdn, 60));
}

#[test]
fn who_is_no_mail_system_and_no_program_is_perhaps_a_person() {
    for (from, expected) in [
        ("bob@b.example", true),
        ("cron@b.example", false),
        ("mailmarshal@b.example", false),
        ("Mail Delivery <bob@b.example>", false),
        ("bob", false),
        ("filters@b.example", false),
    ] {
        assert_eq!(has(&format!("From: {from}\n"), "", "from-other"), expected, "{from}");
    }
    let sent = "Return-Path: <bob@b.example>\nFrom: Mail Delivery <bob@b.example>\n";
    assert!(has(sent, "", "from-other"), "a person's name may be that of a mail system");
    assert!(!has("Return-Path: <>\nFrom: bob@b.example\n", "", "from-other"));
}

#[test]
fn a_sender_speaks_against_a_bounce_if_it_is_neither_null_nor_a_mail_systems() {
    for (sender, expected) in [("<bob@b.example>", true), ("<>", false), ("<mailer-daemon@b.example>", false)] {
        let fields = format!("Return-Path: {sender}\nFrom: MAILER-DAEMON@b.example\n");
        assert_eq!(has(&fields, "", "sender-other"), expected, "{sender}");
        assert_eq!(has(&fields, "", "sender-daemon"), sender.contains("daemon"), "{sender}");
    }
}

#[test]
fn a_list_speaks_against_a_bounce_unless_a_mail_system_is_the_sender() {
    for (from, expected) in [
        ("bob@b.example", true),
        ("cron@b.example", true),
        ("MAILER-DAEMON@b.example", false),
        ("postmaster@b.example", false),
        ("Mail Delivery <auto@b.example>", false),
    ] {
        assert_eq!(has(&format!("From: {from}\nList-Id: <x>\n"), "", "list-of-others"), expected, "{from}");
        assert!(!has(&format!("From: {from}\n"), "", "list-of-others"), "{from}");
    }
}

#[test]
fn an_answer_above_a_quote_counts_in_a_conversation() {
    for (fields, expected) in
        [("", false), ("In-Reply-To: <1@a>\n", true), ("References: <1@a>\n", true), ("Subject: Re: x\n", true)]
    {
        let fields = format!("From: MAILER-DAEMON@b.example\n{fields}");
        assert_eq!(has(&fields, "I see.\n> a\n> b", "quoted-answer"), expected, "{fields}");
    }
}

#[test]
fn what_the_message_says_of_itself_is_evidence() {
    let report = |name: &str| format!("Content-Type: multipart/report; report-type={name}; boundary=b\n");
    for (fields, id, expected) in [
        (report("delivery-status"), "report-delivery", true),
        (report("disposition-notification"), "report-disposition", true),
        (report("feedback-report"), "report-feedback", true),
        (report("x"), "report-other", true),
        (report("x"), "report-delivery", false),
        (report("delivery-status").replace("report;", "mixed;"), "report-delivery", false),
        ("From: <>\n".to_owned(), "from-nobody", true),
        ("From: \n".to_owned(), "from-nobody", false),
        ("From: bob@b.example <>\n".to_owned(), "from-nobody", false),
    ] {
        assert_eq!(has(&fields, "", id), expected, "{fields}{id}");
    }
}

#[test]
fn words_alone_give_so_much_and_the_rest_tells_the_three_bounces_apart() {
    let weights = |subject: &str, text: &str| -> Vec<_> {
        let seen = seen(&format!("From: MAILER-DAEMON@b.example\nSubject: {subject}\n"), text);
        seen.evidence.iter().filter(|it| it.id.starts_with("en-")).map(|it| (it.id, it.weight)).collect()
    };
    let (subject, body) = ("en-subject-dsn-failed", "en-body-dsn-failed");
    let delayed = "en-body-dsn-delayed";
    assert_eq!(weights("Delivery failure", "delivery failed"), [(subject, 40), (body, 5)]);
    assert_eq!(weights("x", "delivery failed, will be retried"), [(body, 25), (delayed, 20)]);
    assert_eq!(weights("Re: Delivery failure", "delivery failed"), [(body, 25)], "the subject of an answer");
    // Of equals it is the delay, and a failure before a success.
    for (text, kind) in [
        ("delivery failed, will be retried", Kind::DsnDelayed),
        ("delivery failed, was successfully delivered", Kind::DsnFailed),
        ("was successfully delivered", Kind::DsnSuccess),
    ] {
        let seen = seen("From: MAILER-DAEMON@b.example\n", text);
        assert_eq!(seen.kind, kind, "{text}: {:?}", seen.evidence);
    }
}
