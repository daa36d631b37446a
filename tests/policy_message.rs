//! The policy's last word, when the message is there: every cell of the table in `src/policy/message.rs`, over real messages.
//!
//! The message is a bounce whose returned mail has the From and the mark that a case asks for. The ring signs tags since
//! 2026-09-01 and marks since 2026-01-01; "young" is the same without a key for tags before 2026-11-15.

#![cfg(feature = "bounce")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use backstop::bounce::{self, Advice, Envelope};
use backstop::mark::{self, Marked};
use backstop::policy::{Action, Client, Forwarding, Incoming, Mode, Policy, RefuseAt, Rule};
use backstop::{Day, KeyRing};

#[allow(dead_code, reason = "it has a ring of its own, with marks")]
mod policy_common;
use policy_common::{OUTSIDER, day, forwarded, list, own, signed, today};

const OLD: &str = "version 1
prvs 4 sha256 10 2026-09-01 - example.com,*.example.com text:one
srs 0 sha1 21 2026-09-01 - fwd.example.net text:three
mark m sha256 14 2026-01-01 - * text:four
";
const ALICE: &str = "alice@example.com";
const NULL: &[u8] = b"<>";

fn young() -> String {
    OLD.replace("10 2026-09-01", "10 2026-11-15")
}

fn policy(mode: Mode) -> Policy {
    let srs = Forwarding::new("fwd.example.net").unwrap();
    let policy = Policy::new(own()).with_mode(mode).with_srs(srs).with_refuse_at(RefuseAt::Message);
    policy.with_marks_since(day("2026-02-01"))
}

fn mark(from: &str, on: Day) -> Option<String> {
    let ring = KeyRing::parse(OLD.as_bytes()).unwrap();
    let Marked::Done(mark) = mark::make_header(&ring, from.as_bytes(), [7; 8], on).unwrap() else { panic!() };
    Some(mark)
}

/// A bounce of a mail with this From and mark.
fn bounce(from: &str, mark: Option<String>) -> String {
    let mark = mark.map(|mark| format!("Backstop-Mark: {mark}\n")).unwrap_or_default();
    format!(
        "From: MAILER-DAEMON@mx.example.net\nSubject: Undelivered Mail Returned to Sender\nContent-Type: message/rfc822\n\n\
         Received: from x by y; Fri, 20 Nov 2026 10:11:12 +0000\nFrom: {from}\nDate: Fri, 20 Nov 2026 10:11:00 +0000\n{mark}\n\
         hello\n"
    )
}

fn nothing_returned() -> String {
    "From: MAILER-DAEMON@mx.example.net\nSubject: Undelivered Mail Returned to Sender\n\nno such user\n".to_owned()
}

fn judge<'r>(policy: &Policy, ring: &str, sender: &[u8], to: &'r str, message: &str) -> (Incoming<'r>, Incoming<'r>) {
    let (ring, to) = (KeyRing::parse(ring.as_bytes()).unwrap(), to.as_bytes());
    let envelope = Envelope { sender: Some(sender), recipient: Some(to) };
    let seen = bounce::inspect(message.as_bytes(), &envelope, &ring, policy, today());
    let client = Client::Other;
    let last = policy.incoming_message(&ring, sender, to, client, &seen, today());
    (policy.incoming(&ring, sender, to, client, today()), last)
}

/// `strip alice@example.com mark-genuine`: the action, its address, the rule.
fn told(decision: &Incoming<'_>) -> String {
    let address = decision.action.address().map(|it| format!(" {it}")).unwrap_or_default();
    format!("{}{address} {}", decision.action.slug(), decision.rule)
}

#[test]
fn every_cell_of_the_table() {
    let genuine = bounce(ALICE, mark(ALICE, today().minus(3)));
    let in_grace = bounce(ALICE, mark(ALICE, today().minus(18)));
    let expired = bounce(ALICE, mark(ALICE, today().minus(60)));
    let forged = bounce(ALICE, mark("carol@example.com", today().minus(3)));
    let of_another = bounce("carol@example.com", mark("carol@example.com", today().minus(3)));
    let forged_of_another = bounce("carol@example.com", mark("dave@example.com", today().minus(3)));
    let backscatter = bounce(ALICE, None);
    let unproven = nothing_returned();
    let mail = "From: bob@example.org\nSubject: hello\n\nhello\n".to_owned();
    // Without a tag to a mailbox that is long signed, without a tag to a young one, with a tag that passes by grace, with one
    // that passes since its key is not known and may be another host's.
    let kept =
        ["refuse untagged", "unchanged too-early", "strip alice@example.com expired-grace", "unchanged not-covered"];
    for (name, message, cells) in [
        (
            "genuine",
            genuine,
            [
                "unchanged mark-genuine",
                "unchanged mark-genuine",
                "strip alice@example.com mark-genuine",
                "strip alice@example.com mark-genuine",
            ],
        ),
        (
            "in grace",
            in_grace,
            [
                "unchanged expired-grace",
                "unchanged expired-grace",
                "strip alice@example.com expired-grace",
                "strip alice@example.com expired-grace",
            ],
        ),
        ("expired", expired, ["refuse mark-expired", "refuse mark-expired", kept[2], kept[3]]),
        ("forged", forged, ["refuse mark-forged", "refuse mark-forged", kept[2], kept[3]]),
        ("of another", of_another, kept),
        ("forged, of another", forged_of_another, ["refuse mark-forged", kept[1], kept[2], kept[3]]),
        ("backscatter", backscatter, ["refuse backscatter", "refuse backscatter", kept[2], kept[3]]),
        ("unproven", unproven, kept),
        ("ordinary mail", mail, kept),
    ] {
        let tagged = signed(OLD, ALICE, today().minus(13));
        // Of a key that the ring lacks, on a day before its first one.
        let absent = signed(&OLD.replace("prvs 4", "prvs 5"), ALICE, today().minus(9));
        let rows = [(OLD.to_owned(), ALICE), (young(), ALICE), (OLD.to_owned(), &tagged), (young(), &absent)];
        for ((ring, to), cell) in rows.into_iter().zip(cells) {
            let named = ring.replace("2026-01-01 - *", "2026-01-01 - example.com");
            for (ring, to) in [(&ring, to.to_owned()), (&ring, format!("<{to}>")), (&named, format!("<{to}>"))] {
                let (first, last) = judge(&policy(Mode::Enforce), ring, NULL, &to, &message);
                assert!(first.by_message, "{name} {to}");
                assert_eq!(told(&last), cell, "{name} {to}");
                assert_eq!(last.reply.is_some(), last.action == Action::Refuse, "{name} {to}");
                let (_, seen) = judge(&policy(Mode::Observe), ring, NULL, &to, &message);
                assert_ne!(seen.action, Action::Refuse, "{name} {to}");
                assert_eq!((seen.would.slug(), seen.rule), (last.action.slug(), last.rule), "{name} {to}");
            }
        }
    }
}

#[test]
fn a_mark_saves_a_recipient_whose_tag_does_not_pass_and_the_tag_comes_off() {
    let saved = bounce(ALICE, mark(ALICE, today()));
    let genuine = signed(OLD, ALICE, today());
    let (head, mac) = genuine.split_at("prvs=4123".len());
    let wrong = format!("{head}{}{}", if mac.starts_with('0') { '1' } else { '0' }, &mac[1..]);
    for to in [wrong.as_str(), &signed(OLD, ALICE, today().minus(40)), "btv1==04412345678==alice@example.com"] {
        let (first, last) = judge(&policy(Mode::Enforce), OLD, NULL, to, &saved);
        assert_eq!(first.action, Action::Refuse, "{to}");
        assert_eq!(told(&last), format!("strip {ALICE} mark-genuine"), "{to}");
        // Without the mark the tag is what speaks.
        let (first, last) = judge(&policy(Mode::Enforce), OLD, NULL, to, &bounce(ALICE, None));
        assert_eq!((last.action, last.rule, last.reply), (first.action, first.rule, first.reply), "{to}");
    }
}

#[test]
fn a_genuine_tag_stays_genuine_whatever_the_message_says() {
    let tagged = signed(OLD, ALICE, today());
    for age in [3, 18, 60] {
        for from in [ALICE, "carol@example.com"] {
            let (_, last) =
                judge(&policy(Mode::Enforce), OLD, NULL, &tagged, &bounce(ALICE, mark(from, today().minus(age))));
            assert_eq!(told(&last), format!("strip {ALICE} genuine"), "{from} {age}");
        }
    }
}

#[test]
fn an_exempt_client_changes_nothing_of_what_is_genuine() {
    let ring = KeyRing::parse(OLD.as_bytes()).unwrap();
    let tagged = signed(OLD, ALICE, today());
    for &client in Client::ALL {
        let decision = policy(Mode::Enforce).incoming(&ring, NULL, tagged.as_bytes(), client, today());
        assert_eq!(
            (told(&decision).as_str(), decision.by_message),
            ("strip alice@example.com genuine", client == Client::Other)
        );
    }
}

#[test]
fn what_the_envelope_never_refuses_the_message_does_not_either() {
    let backscatter = bounce(ALICE, None);
    let ring = KeyRing::parse(OLD.as_bytes()).unwrap();
    let base = policy(Mode::Enforce);
    let exempt = base.clone().with_exempt_recipients(list(&["alice"]));
    let no_sign = base.clone().with_no_sign(list(&["alice"]));
    let long = format!("{}@example.com", "a".repeat(60));
    for (policy, client, to, rule) in [
        (&base, Client::Internal, ALICE, Rule::InternalClient),
        (&base, Client::Exempt, ALICE, Rule::ExemptClient),
        (&base, Client::Submitted, ALICE, Rule::SubmittedClient),
        (&exempt, Client::Other, ALICE, Rule::ExemptRecipient),
        (&no_sign, Client::Other, ALICE, Rule::NoSign),
        (&base, Client::Other, &long, Rule::TooLong),
        (&base, Client::Other, "postmaster", Rule::ExemptRecipient),
        (&base, Client::Other, "bob@elsewhere.example", Rule::NotOwn),
    ] {
        let envelope = Envelope { sender: Some(NULL), recipient: Some(to.as_bytes()) };
        let seen = bounce::inspect(backscatter.as_bytes(), &envelope, &ring, policy, today());
        let last = policy.incoming_message(&ring, NULL, to.as_bytes(), client, &seen, today());
        assert_eq!((last.action, last.would, last.rule), (Action::Unchanged, Action::Unchanged, rule), "{to}");
    }
}

#[test]
fn only_bounces_and_refusals_of_domains_with_that_step_wait_for_the_message() {
    let message = policy(Mode::Enforce);
    let srs = forwarded(OLD, "bob@elsewhere.example", today());
    let old = signed(OLD, ALICE, today().minus(60));
    let tagged = signed(OLD, ALICE, today());
    let bad = srs.replace("SRS0=", "SRS0=x");
    for (sender, to, waits) in [
        (NULL, ALICE, true),
        (NULL, &tagged, true),
        (NULL, &srs, false),
        (NULL, &bad, true),
        (OUTSIDER, ALICE, false),
        (OUTSIDER, &tagged, false),
        (OUTSIDER, &old, true),
        (OUTSIDER, &srs, true),
    ] {
        let ring = KeyRing::parse(OLD.as_bytes()).unwrap();
        let waiting =
            |policy: &Policy| policy.incoming(&ring, sender, to.as_bytes(), Client::Other, today()).by_message;
        assert_eq!(waiting(&message), waits, "{to}");
        assert!(!waiting(&policy(Mode::Sign)) && !waiting(&policy(Mode::Off)), "{to}");
        assert!(!waiting(&policy(Mode::Enforce).with_refuse_at(RefuseAt::Data)), "{to}");
        let below = policy(Mode::Enforce).with_domain_refuse_at(own(), RefuseAt::Rcpt);
        assert!(!waiting(&below) || to.contains("fwd.example.net"), "{to}");
    }
}

#[test]
fn a_mark_opens_no_srs_address_and_no_message_shuts_one() {
    let saved = bounce(ALICE, mark(ALICE, today()));
    let srs = forwarded(OLD, "bob@elsewhere.example", today());
    for (sender, to, expected) in [
        (NULL, srs.replace("SRS0=", "SRS0=x"), "refuse srs-bad".to_owned()),
        (OUTSIDER, srs.clone(), "refuse srs-sender".to_owned()),
        (NULL, srs, "reverse bob@elsewhere.example srs-genuine".to_owned()),
        // The mark is for the mailbox to which it leads.
        (OUTSIDER, forwarded(OLD, ALICE, today()), "refuse srs-sender".to_owned()),
    ] {
        for message in [&saved, &bounce(ALICE, None)] {
            assert_eq!(told(&judge(&policy(Mode::Enforce), OLD, sender, &to, message).1), expected);
        }
    }
    // The way back through a forward of the own site: the mark is for the mailbox to which it leads.
    let back = forwarded(OLD, ALICE, today());
    assert_eq!(
        told(&judge(&policy(Mode::Enforce), OLD, NULL, &back, &saved).1),
        format!("reverse {ALICE} mark-genuine")
    );
}

#[test]
fn where_the_answer_did_not_wait_the_message_changes_nothing() {
    let data = policy(Mode::Enforce).with_refuse_at(RefuseAt::Data);
    for message in [bounce(ALICE, mark(ALICE, today())), bounce(ALICE, None)] {
        let (first, last) = judge(&data, OLD, NULL, ALICE, &message);
        assert_eq!((told(&first).as_str(), told(&last).as_str()), ("refuse untagged", "refuse untagged"));
    }
}

#[test]
fn a_mark_in_grace_saves_a_feedback_report_as_it_saves_a_bounce() {
    let report = |days: u32| {
        let returned = bounce(ALICE, mark(ALICE, today().minus(days)));
        format!(
            "From: Feedback Loop <fbl@mx.example.net>\nSubject: Complaint\nMIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nAn abuse report.\n\
             --b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: Loop/1\nVersion: 1\n\
             --b\nContent-Type: message/rfc822\n\n{}\n--b--\n",
            returned.split_once("\n\n").unwrap().1
        )
    };
    let last = |ring: &str, days| told(&judge(&policy(Mode::Enforce), ring, NULL, ALICE, &report(days)).1);
    for (days, long_signed, young_ring) in [
        (3, "unchanged mark-genuine", "unchanged mark-genuine"),
        (18, "unchanged expired-grace", "unchanged expired-grace"),
        (60, "refuse untagged", "unchanged too-early"),
    ] {
        assert_eq!([last(OLD, days), last(&young(), days)], [long_signed, young_ring], "{days}");
    }
}

#[test]
fn a_mark_of_a_key_that_no_longer_signed_then_is_no_mark_in_grace() {
    let retired = OLD.replace("14 2026-01-01 -", "14 2026-01-01 2026-08-01");
    let late = bounce(ALICE, mark(ALICE, today().minus(18)));
    let (_, last) = judge(&policy(Mode::Enforce), &retired, NULL, ALICE, &late);
    assert_eq!(told(&last), "refuse mark-expired");
}

#[test]
fn an_address_that_never_sends_keeps_its_own_reply() {
    let never = policy(Mode::Enforce).with_never_send(list(&["alice"]));
    let (first, last) = judge(&never, OLD, NULL, ALICE, &bounce(ALICE, None));
    assert_eq!((last.rule, last.reply), (Rule::NeverSends, first.reply));
}

#[test]
fn an_srs_address_of_an_own_mailbox_has_the_answer_of_the_mailbox() {
    let own_tag = |days: u32| signed(OLD, ALICE, today().minus(days));
    let forged = signed(OLD, "carol@example.com", today()).replace("carol", "alice");
    let marked = bounce(ALICE, mark(ALICE, today().minus(3)));
    let unmarked = bounce(ALICE, None);
    for (ring, inner, message, expected) in [
        // Nothing but the want of a mark tells these from genuine ones.
        (young(), ALICE.to_owned(), &unmarked, "refuse backscatter"),
        (young(), ALICE.to_owned(), &marked, "reverse alice@example.com mark-genuine"),
        (OLD.to_owned(), ALICE.to_owned(), &unmarked, "refuse backscatter"),
        (OLD.to_owned(), ALICE.to_owned(), &marked, "reverse alice@example.com mark-genuine"),
        (OLD.to_owned(), own_tag(1), &unmarked, "strip alice@example.com genuine"),
        (OLD.to_owned(), own_tag(30), &unmarked, "refuse expired"),
        (OLD.to_owned(), own_tag(30), &marked, "strip alice@example.com mark-genuine"),
        (OLD.to_owned(), forged, &marked, "strip alice@example.com mark-genuine"),
    ] {
        let outer = forwarded(OLD, &inner, today());
        assert_eq!(told(&judge(&policy(Mode::Enforce), &ring, NULL, &outer, message).1), expected, "{inner}");
    }
    let ring = KeyRing::parse(OLD.as_bytes()).unwrap();
    let outer = forwarded(OLD, ALICE, today());
    let envelope = Envelope { sender: Some(NULL), recipient: Some(outer.as_bytes()) };
    let seen = bounce::inspect(unmarked.as_bytes(), &envelope, &ring, &policy(Mode::Enforce), today());
    assert_eq!((seen.verdict.slug(), seen.mailbox.as_deref()), ("backscatter", Some(ALICE)));
}

#[test]
fn a_tag_of_any_form_has_the_grace_of_its_own_key_and_srs_has_none() {
    let keys = "version 1
bst1 a sha256 10 2026-09-01 - example.com text:five
prvs 3 sha256 10 2026-09-01 - * text:one
srs 3 sha1 10 2026-09-01 - fwd.example.net text:three
mark m sha256 14 2026-01-01 - * text:four
";
    let ring_of = |name: &str| {
        let line = keys.lines().find(|line| line.starts_with(name)).unwrap();
        format!("version 1\n{line}\n")
    };
    let late = today().minus(13);
    let bst1 = signed(&ring_of("bst1"), ALICE, late);
    let (local, domain) = bst1.split_once('@').unwrap();
    let suffixed = {
        let ring = KeyRing::parse(ring_of("prvs").as_bytes()).unwrap();
        let made = backstop::batv::sign(&ring, b"srsmith@example.com", backstop::Form::Subaddress, late).unwrap();
        made.address().unwrap().to_string()
    };
    assert!(suffixed.starts_with("srsmith+prvs="), "{suffixed}");
    let quoted = format!("\"{local}\"@{domain}");
    let srs = forwarded(&ring_of("srs"), "bob@elsewhere.example", late);
    let ring = KeyRing::parse(keys.as_bytes()).unwrap();
    for (to, verdict, advice) in [
        (bst1, "expired", Advice::Deliver),
        (quoted, "expired", Advice::Deliver),
        (suffixed, "expired", Advice::Deliver),
        (srs, "expired", Advice::Refuse),
    ] {
        for to in [to.clone(), format!("<{to}>")] {
            let envelope = Envelope { sender: Some(NULL), recipient: Some(to.as_bytes()) };
            // The key for prvs has the id of that for SRS and serves each domain.
            let seen =
                bounce::inspect(nothing_returned().as_bytes(), &envelope, &ring, &policy(Mode::Enforce), today());
            assert_eq!((seen.verdict.slug(), seen.would), (verdict, advice), "{to} {:?}", seen.checks);
        }
    }
}
