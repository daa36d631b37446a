//! What the filter of OpenSMTPD remembers of a session, and which of its mails it judges by what: the real process, as in
//! `filter.rs`, between filters in front that answered for it and more sessions than it may remember.

use crate::common::signed;
use crate::filter::{Filter, UNTAGGED, by_message, config, rewrite};

#[test]
fn more_sessions_than_it_remembers_leave_the_idlest_unsigned() {
    let mut filter = Filter::start(&(config("observe", "rcpt") + "sessions = 3\n"));
    filter.connect("192.0.2.7:4567");
    for id in 1..=3 {
        filter.tell(&format!("report|0.6|1|smtp-in|link-connect|{id:016x}|a|pass|192.0.2.7:1|192.0.2.25:25"));
    }
    assert_eq!(filter.mail("alice@example.com"), "proceed");
    // The latest is still known.
    filter.tell("filter|0.6|1|smtp-in|mail-from|0000000000000003|1|alice@example.com");
    let answer = format!("filter-result|0000000000000003|1|{}", rewrite(&signed("alice@example.com", 0)));
    assert_eq!(filter.line(), answer);
}

/// Other clients come, and the first session is forgotten.
fn crowd(filter: &mut Filter) {
    for id in 1..=2 {
        filter.tell(&format!("report|0.6|1|smtp-in|link-connect|{id:016x}|a|pass|203.0.113.9:1|192.0.2.25:25"));
    }
}

#[test]
fn a_mail_whose_session_was_forgotten_comes_again_and_is_taken_for_no_bounce() {
    const AGAIN: &str = "reject|451 4.3.2 Too many sessions at once, and this mail was forgotten; send it again";
    for refuse_at in ["rcpt", "data"] {
        let mut filter = Filter::start(&(config("enforce", refuse_at) + "sessions = 2\n"));
        filter.connect("203.0.113.5:4567");
        assert_eq!(filter.ask("mail-from", "friend@elsewhere.example"), "proceed");
        crowd(&mut filter);
        filter.told("ac9124ff", "friend@elsewhere.example");
        for (phase, address) in
            [("rcpt-to", "alice@example.com"), ("rcpt-to", &signed("bob@example.com", 1)), ("data", "")]
        {
            assert_eq!(filter.ask(phase, address), AGAIN, "{phase}");
        }
        // It was put off, and did not push out the others: the next mail of the session is judged as ever.
        assert_eq!(filter.mail("friend@elsewhere.example"), "proceed");
        assert_eq!(filter.ask("rcpt-to", "alice@example.com"), "proceed");
        assert_eq!(filter.ask("data", ""), "proceed");
        let (log, _) = filter.end();
        assert!(log.iter().all(|event| event["event"] == "notice"), "{log:?}");
    }
}

#[test]
fn a_message_whose_session_was_forgotten_comes_again() {
    let mut filter = Filter::spawn(&(by_message("enforce") + "sessions = 2\n"));
    filter.tell("config|ready");
    while filter.line() != "register|ready" {}
    filter.connect("203.0.113.5:4567");
    assert_eq!(filter.mail(""), "proceed");
    assert_eq!(filter.ask("rcpt-to", &signed("alice@example.com", 1)), rewrite("alice@example.com"));
    assert_eq!(filter.ask("data", ""), "proceed");
    filter.mail_line("Subject: x");
    crowd(&mut filter);
    filter.mail_line("");
    filter.mail_line(".");
    let answer = filter.ask("commit", "");
    assert!(answer.starts_with("reject|451 4.3.2 Too many sessions"), "{answer}");
}

#[test]
fn a_mail_that_a_filter_in_front_answered_is_judged_by_the_sender_that_opensmtpd_tells() {
    for (mode, answer) in [("enforce", UNTAGGED), ("observe", "proceed")] {
        let mut filter = Filter::start(&config(mode, "rcpt"));
        filter.connect("203.0.113.5:4567");
        // A known session whose mail nobody told.
        assert_eq!(filter.ask("rcpt-to", "alice@example.com"), "proceed");
        assert_eq!(filter.ask("data", ""), "proceed");
        filter.told("ac9124ff", "friend@elsewhere.example");
        assert_eq!(filter.ask("rcpt-to", "alice@example.com"), "proceed");
        assert_eq!(filter.ask("data", ""), "proceed");
        filter.told("ac912500", "");
        assert_eq!(filter.ask("rcpt-to", "alice@example.com"), answer);
        let (log, _) = filter.end();
        let judged: Vec<_> = log.iter().filter(|it| it["event"] == "incoming").collect();
        assert_eq!(judged.len(), 1, "{log:?}");
        assert_eq!((&judged[0]["queue"], &judged[0]["verdict"]), (&"ac912500".into(), &"untagged".into()));
    }
}

#[test]
fn a_mail_is_never_judged_by_the_sender_of_the_one_before() {
    let mut filter = Filter::start(&config("enforce", "rcpt"));
    filter.connect("203.0.113.5:4567");
    filter.mail("");
    assert_eq!(filter.ask("rcpt-to", "postmaster"), "proceed");
    // Rewritten by a filter in front: not asked about, but told.
    filter.told("ac912500", "friend@elsewhere.example");
    assert_eq!(filter.ask("rcpt-to", "alice@example.com"), "proceed");
    filter.mail("");
    filter.report("tx-begin", "|ac912501");
    assert_eq!(filter.ask("rcpt-to", "alice@example.com"), "proceed");
}

#[test]
fn a_mail_that_was_asked_about_and_failed_makes_no_other_of_its_sender_signed() {
    let mut filter = Filter::start(&config("observe", "rcpt"));
    filter.connect("192.0.2.7:4567");
    filter.ask("mail-from", "alice@example.com");
    // As OpenSMTPD 6.8 tells a MAIL with BODY=BINARYMIME, which it does not know: no mail begins.
    filter.report("tx-mail", "|00000000|permfail|alice@example.com");
    filter.told("ac912501", "alice@example.com");
    left_unsigned(filter);
}

#[test]
fn own_mail_that_a_filter_in_front_kept_from_it_is_told_in_the_log_and_not_as_signed() {
    let mut filter = Filter::start(&config("observe", "rcpt"));
    filter.connect("192.0.2.7:4567");
    // It was asked about, and refused by a filter behind.
    filter.ask("mail-from", "bob@example.com");
    filter.told("ac9124ff", "alice@example.com");
    left_unsigned(filter);
}

/// The log tells of no signature, and of own mail that left without.
fn left_unsigned(filter: Filter) {
    let (log, _) = filter.end();
    assert!(log.iter().all(|it| it["event"] == "notice"), "{log:?}");
    let told = |it: &serde_json::Value| it["text"].as_str().is_some_and(|text| text.contains("leaves unsigned"));
    assert!(log.iter().any(told), "{log:?}");
}
