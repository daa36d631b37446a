//! What makes a bounce genuine, forged, expired or backscatter, and what does not; what to do; what is written about it.

#![cfg(feature = "bounce")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

use backstop::bounce::report::{self, Letter};
use backstop::bounce::{self, Advice, Envelope, Inspection, Kind, Outcome, Place, Verdict, Why};
use backstop::mark::{self, Marked};
use backstop::policy::{Action, Addresses, Client, Mode, Policy, RefuseAt};
use backstop::{Day, Domains, Form, KeyRing, batv};

const ALICE: &str = "alice@example.com";

fn ring() -> KeyRing {
    let text = "version 1\nprvs 4 sha256 10 - - example.com text:the prvs key\nmark m sha256 14 - - example.com text:the mark key\n";
    KeyRing::parse(text.as_bytes()).unwrap()
}

/// A ring of another site with the same ids.
fn other_ring() -> KeyRing {
    KeyRing::parse(b"version 1\nprvs 4 sha256 10 - - * text:other\nmark m sha256 14 - - * text:another\n").unwrap()
}

fn today() -> Day {
    Day::parse("2026-11-21").unwrap()
}

fn policy() -> Policy {
    Policy::new(Domains::parse("example.com").unwrap())
        .with_mode(Mode::Enforce)
        .with_marks_since(today().minus(60))
        .with_own_relays(["mail.example.com"])
        .with_display_names(["Alice Example"])
}

fn header(ring: &KeyRing, from: &str, day: Day) -> String {
    let Marked::Done(value) = mark::make_header(ring, from.as_bytes(), [7; 8], day).unwrap() else { panic!() };
    format!("{}: {value}\n", mark::HEADER)
}

fn id(ring: &KeyRing, from: &str, day: Day) -> String {
    let made = mark::make_message_id(ring, "m.1", "example.com", from.as_bytes(), day).unwrap();
    let Marked::Done(id) = made else { panic!() };
    id
}

/// A bounce: fields of its own, then what came back.
fn bounce(own: &str, returned: &str) -> String {
    format!(
        "From: Mail Delivery System <MAILER-DAEMON@mx.reflector.example>\nSubject: Undelivered Mail Returned to Sender\n{own}\
         MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nuser unknown\n\
         --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.reflector.example\n\n\
         Final-Recipient: rfc822; x@reflector.example\nAction: failed\nStatus: 5.1.1\n\n--b\n\
         Content-Type: text/rfc822-headers\n\n{returned}\n--b--\n"
    )
}

const SPAM: &str = "Received: from zombie.isp.example ([198.51.100.17]) by mx.reflector.example with SMTP;\n\
                    \tFri, 20 Nov 2026 10:11:12 +0000\n\
                    From: Cheap Pills <alice@example.com>\nTo: x@reflector.example\nSubject: You won\n\
                    Date: Fri, 20 Nov 2026 10:11:10 +0000\nMessage-ID: <1@zombie>\n";

fn judged(message: &str, recipient: &str, policy: &Policy) -> Inspection {
    let envelope = Envelope { sender: Some(b"<>"), recipient: Some(recipient.as_bytes()) };
    bounce::inspect(message.as_bytes(), &envelope, &ring(), policy, today())
}

fn verdict(message: &str) -> Verdict {
    judged(message, ALICE, &policy()).verdict
}

#[test]
fn three_things_prove_and_say_where_they_stood() {
    let signed = batv::sign(&ring(), ALICE.as_bytes(), Form::Prefix, today().minus(3)).unwrap();
    let tagged = signed.address().unwrap().to_string();
    let day = today().minus(3);
    let (mark, own_id) = (header(&ring(), ALICE, day), id(&ring(), ALICE, day));
    let with_id = SPAM.replace("<1@zombie>", &own_id);
    for (message, recipient, place) in [
        (bounce("", SPAM), tagged.as_str(), Place::Recipient),
        (bounce("", &format!("{mark}{SPAM}")), ALICE, Place::ReturnedMark),
        (bounce("", &with_id), ALICE, Place::ReturnedMessageId),
        (bounce(&format!("In-Reply-To: {own_id}\n"), SPAM), ALICE, Place::InReplyTo),
        (bounce(&format!("References: <a@b> {own_id}\n"), SPAM), ALICE, Place::References),
    ] {
        let seen = judged(&message, recipient, &policy());
        assert_eq!((seen.verdict, seen.advice), (Verdict::Genuine, Advice::Deliver), "{place:?}");
        let proof = seen.proof().unwrap();
        assert_eq!((proof.place, proof.signed, proof.outcome), (place, Some(day), Outcome::Genuine));
        assert_eq!(seen.mailbox.as_deref(), Some(ALICE));
    }
}

#[test]
fn nothing_weaker_proves() {
    let day = today().minus(3);
    let stale = header(&ring(), ALICE, today().minus(30));
    let relay = "Received: from mail.example.com ([192.0.2.1]) by mx.reflector.example with ESMTP\n";
    let named = SPAM.replace("Cheap Pills", "Alice Example");
    let old_id = SPAM.replace("<1@zombie>", &id(&ring(), ALICE, today().minus(40)));
    let others = header(&other_ring(), "alice@other.example", day);
    let same_id = header(&other_ring(), ALICE, day);
    for (what, message, expected) in [
        ("a relay in Received", bounce("", &format!("{relay}{SPAM}")), Verdict::Backscatter),
        ("the right name", bounce("", &named), Verdict::Backscatter),
        ("a stale mark", bounce("", &format!("{stale}{SPAM}")), Verdict::Expired),
        (
            "a mark of another sender",
            bounce("", &format!("{}{SPAM}", header(&ring(), "bob@example.com", day))),
            Verdict::Forged,
        ),
        ("a mark of another site", bounce("", &format!("{others}{SPAM}")), Verdict::Backscatter),
        ("a mark with another key of our name", bounce("", &format!("{same_id}{SPAM}")), Verdict::Forged),
        ("a mark in the outer headers", bounce(&header(&ring(), ALICE, day), SPAM), Verdict::Backscatter),
        (
            "a Message-ID in the outer headers",
            bounce(&format!("Message-ID: {}\n", id(&ring(), ALICE, day)), SPAM),
            Verdict::Backscatter,
        ),
        ("a Message-ID past its lifetime", bounce("", &old_id), Verdict::Expired),
        (
            "a reply to a Message-ID past its lifetime",
            bounce(&format!("In-Reply-To: {}\n", id(&ring(), ALICE, today().minus(40))), SPAM),
            Verdict::Backscatter,
        ),
        (
            "a mark of tomorrow's tomorrow",
            bounce("", &format!("{}{SPAM}", header(&ring(), ALICE, today().plus(2)))),
            Verdict::Unproven(Why::Future),
        ),
    ] {
        let seen = judged(&message, ALICE, &policy());
        assert_eq!((seen.verdict, seen.proof()), (expected, None), "{what}");
    }
}

#[test]
fn one_good_proof_wins_and_bad_ones_are_listed() {
    let day = today().minus(1);
    let marks =
        [header(&other_ring(), ALICE, day), header(&ring(), ALICE, today().minus(30)), header(&ring(), ALICE, day)];
    let seen =
        judged(&bounce("", &format!("{}{SPAM}", marks.concat())), "prvs=4788000000=alice@example.com", &policy());
    assert_eq!(seen.verdict, Verdict::Genuine);
    let outcomes: Vec<_> = seen.checks.iter().map(|check| (check.place, check.outcome)).collect();
    let expected = [
        (Place::Recipient, Outcome::Forged),
        (Place::ReturnedMark, Outcome::Forged),
        (Place::ReturnedMark, Outcome::Expired),
        (Place::ReturnedMark, Outcome::Genuine),
    ];
    assert_eq!(outcomes, expected);
}

#[test]
fn the_uses_of_one_mark_can_be_counted() {
    let mark = header(&ring(), ALICE, today());
    let token =
        |own: &str| judged(&bounce(own, &format!("{mark}{SPAM}")), ALICE, &policy()).proof().unwrap().token.clone();
    assert_eq!(token(""), token("X-Other: 1\n"));
    assert_eq!(token("").len(), 13);
}

/// As [`bounce`], of a mail from another address.
fn bounce_of(from: &str, fields: &str) -> String {
    bounce("", &format!("{fields}{}", SPAM.replace("alice@example.com", from)))
}

#[test]
fn a_mark_for_the_from_is_no_forgery_where_the_envelope_sender_is_another_own_address() {
    let (day, old) = (today().minus(3), today().minus(60));
    let refuses = |seen: &Inspection| (seen.verdict, seen.proof().is_some(), seen.advice, seen.would);
    for recipient in ["bounces@example.com", "bob@example.com", "alice+verp@example.com"] {
        let own_id = SPAM.replace("<1@zombie>", &id(&ring(), ALICE, day));
        for message in [
            bounce_of(ALICE, &header(&ring(), ALICE, day)),
            bounce_of(ALICE, &header(&ring(), ALICE, old)),
            bounce("", &own_id),
            // The list or assistant that sent for her is the From, and she the Sender.
            bounce_of("news@example.com", &format!("Sender: {ALICE}\n{}", header(&ring(), ALICE, day))),
        ] {
            let seen = judged(&message, recipient, &policy());
            let expected = (Verdict::Unproven(Why::OtherAddress), false, Advice::Deliver, Advice::Deliver);
            assert_eq!(refuses(&seen), expected, "{recipient}: {:?}", seen.checks);
            assert_eq!(seen.checks[0].outcome, Outcome::OtherAddress);
            assert_eq!(report::arf(message.as_bytes(), &seen, &letter(), &policy()), None);
        }
    }
}

#[test]
fn a_mark_for_another_address_that_the_block_does_not_name_is_forged() {
    let day = today().minus(3);
    let bob = header(&ring(), "bob@example.com", day);
    for message in [
        bounce("", &format!("{bob}{SPAM}")),
        // Named in another block, or by another site.
        bounce("", &format!("{bob}{SPAM}\nFrom: bob@example.com\n")),
        bounce_of("bob@else.example", &bob),
        // Named, and made with another key.
        bounce_of("bob@example.com", &header(&other_ring(), "bob@example.com", day)),
    ] {
        let seen = judged(&message, ALICE, &policy());
        assert_eq!((seen.verdict, seen.advice), (Verdict::Forged, Advice::Refuse), "{:?}", seen.checks);
    }
}

#[test]
fn message_ids_of_a_conversation_prove_and_are_not_held_against_a_message() {
    let (day, old) = (today().minus(3), today().minus(40));
    let (good, gone) = (id(&ring(), ALICE, day), id(&ring(), ALICE, old));
    let (colleague, damaged) = (id(&ring(), "bob@example.com", day), good.replace("m.1", "m.2"));
    let away = |fields: &str| {
        let message = format!(
            "From: Eve <eve@friend.example>\nSubject: Out of office\nAuto-Submitted: auto-replied\n{fields}\nI am away.\n"
        );
        judged(&message, ALICE, &policy())
    };
    for (fields, expected) in [
        (format!("References: {gone} {colleague} {damaged}\n"), Verdict::Unproven(Why::NothingReturned)),
        (format!("In-Reply-To: {colleague}\n"), Verdict::Unproven(Why::NothingReturned)),
        (format!("In-Reply-To: {damaged}\nReferences: {gone}\n"), Verdict::Unproven(Why::NothingReturned)),
        (format!("In-Reply-To: {gone}\n"), Verdict::Expired),
        (format!("In-Reply-To: {gone}\nReferences: {damaged} {good}\n"), Verdict::Genuine),
    ] {
        let seen = away(&fields);
        assert_eq!(seen.verdict, expected, "{fields}");
        assert!(!seen.checks.is_empty(), "all are listed");
    }
    // What came back decides.
    let thread = format!("References: {gone} {colleague}\nIn-Reply-To: {damaged}\n");
    assert_eq!(verdict(&bounce(&thread, SPAM)), Verdict::Backscatter);
    assert_eq!(verdict(&bounce(&thread, &format!("{}{SPAM}", header(&ring(), ALICE, day)))), Verdict::Genuine);
    assert_eq!(verdict(&bounce(&thread, &format!("{}{SPAM}", header(&ring(), ALICE, old)))), Verdict::Expired);
}

#[test]
fn a_mark_dated_in_the_future_says_so() {
    let ahead = today().plus(2);
    for message in [
        bounce("", &format!("{}{SPAM}", header(&ring(), ALICE, ahead))),
        bounce("", &SPAM.replace("<1@zombie>", &id(&ring(), ALICE, ahead))),
    ] {
        let seen = judged(&message, ALICE, &policy());
        assert_eq!((seen.verdict, seen.advice), (Verdict::Unproven(Why::Future), Advice::Deliver));
        assert_eq!((seen.checks[0].outcome, seen.checks[0].signed), (Outcome::Future, Some(ahead)));
    }
    let skewed = bounce("", &format!("{}{SPAM}", header(&ring(), ALICE, today().plus(1))));
    assert_eq!(verdict(&skewed), Verdict::Genuine, "a day of skew");
}

#[test]
fn a_message_id_whose_case_was_changed_is_not_forged() {
    let day = today().minus(3);
    let with = |id: &str| verdict(&bounce("", &SPAM.replace("<1@zombie>", id)));
    let Marked::Done(mixed) = mark::make_message_id(&ring(), "Mixed.1", "example.com", ALICE.as_bytes(), day).unwrap()
    else {
        panic!()
    };
    assert_eq!(with(&id(&ring(), ALICE, day).to_uppercase()), Verdict::Genuine, "it was in lower case");
    // What it was cannot be told; the block came back without a mark that holds.
    assert_eq!(with(&mixed.to_uppercase()), Verdict::Unproven(Why::Damaged));
    assert_eq!(with(&mixed.replace("Mixed", "MIXED")), Verdict::Forged);
}

#[test]
fn what_a_returned_text_quotes_is_another_mail() {
    let quoted: String =
        format!("{}{SPAM}", header(&ring(), ALICE, today())).lines().map(|line| format!("> {line}\n")).collect();
    let text = |behind: &str| {
        format!(
            "From: MAILER-DAEMON@mx.reflector.example\nSubject: failure notice\n\nSorry, no mailbox.\n\n{SPAM}\n{behind}\n"
        )
    };
    let part = bounce("", &format!("{SPAM}\n{quoted}")).replace("text/rfc822-headers", "message/rfc822");
    for message in [text(&quoted), text(&quoted.replace("> ", "")), part] {
        let seen = judged(&message, ALICE, &policy());
        assert_eq!((seen.returned.len(), seen.checks.len(), seen.verdict), (1, 0, Verdict::Backscatter));
    }
}

#[test]
fn a_mark_outside_the_window_of_its_key_has_no_grace() {
    // In date for its days, and signed before the key was in use: somebody else has it, or a clock was wrong.
    let text = |from: &str| format!("version 1\nmark m sha256 14 {from} - example.com text:the mark key\n");
    let ring = KeyRing::parse(text("2026-11-19").as_bytes()).unwrap();
    let early = header(&KeyRing::parse(text("-").as_bytes()).unwrap(), ALICE, today().minus(5));
    let message = bounce("", &format!("{early}{SPAM}"));
    let policy = policy().with_refuse_at(RefuseAt::Message);
    let envelope = Envelope { sender: Some(b"<>"), recipient: Some(ALICE.as_bytes()) };
    let seen = bounce::inspect(message.as_bytes(), &envelope, &ring, &policy, today());
    assert_eq!((seen.verdict, seen.advice), (Verdict::Expired, Advice::Refuse));
    let row = policy.incoming_message(&ring, b"<>", ALICE.as_bytes(), Client::Other, &seen, today());
    assert_eq!((row.would, row.rule.slug()), (Action::Refuse, "mark-expired"));
}

#[test]
fn without_a_recipient_only_what_the_delivering_host_wrote_on_top_names_it() {
    let signed = batv::sign(&ring(), ALICE.as_bytes(), Form::Prefix, today()).unwrap();
    let tag = signed.address().unwrap().to_string();
    let received = "Received: from a.example by mx.example.com; Fri, 20 Nov 2026 10:12:00 +0000\n";
    let judged = |message: &str, recipient: Option<&[u8]>| {
        let envelope = Envelope { sender: Some(b"<>"), recipient };
        bounce::inspect(message.as_bytes(), &envelope, &ring(), &policy(), today()).verdict
    };
    let both = format!("Delivered-To: {ALICE}\nX-Original-To: {tag}\n{received}{}", bounce("", SPAM));
    assert_eq!(judged(&both, None), Verdict::Genuine, "the one before any rewriting");
    for field in bounce::RECIPIENT_FIELDS {
        let line = format!("{field}: {tag}\n");
        assert_eq!(judged(&format!("{line}{received}{}", bounce("", SPAM)), None), Verdict::Genuine, "{field}");
        let below = format!("{received}{}", bounce(&line, SPAM));
        assert_eq!(judged(&below, None), Verdict::Unproven(Why::Unchecked), "{field} below Received");
    }
    let to = bounce(&format!("To: {tag}\n"), SPAM);
    assert_eq!(judged(&to, None), Verdict::Unproven(Why::Unchecked), "To is not the envelope's");
    assert_eq!(judged(&both, Some(b"")), Verdict::Unproven(Why::Unchecked), "nobody knows it");
}

#[test]
fn a_person_who_forwards_a_bounce_is_never_refused_whatever_it_holds() {
    let forged = header(&other_ring(), ALICE, today().minus(3));
    let person = |from: &str, sender: Option<&[u8]>| {
        let message = format!(
            "From: {from}\nTo: {ALICE}\nSubject: Undelivered Mail Returned to Sender\n\nIs this ours?\n\n\
             <x@reflector.example>: 550 5.1.1 user unknown\n\n{forged}{SPAM}\nbuy\n"
        );
        let envelope = Envelope { sender, recipient: Some(ALICE.as_bytes()) };
        bounce::inspect(message.as_bytes(), &envelope, &ring(), &policy(), today())
    };
    for sender in [None, Some(&b"bob@friend.example"[..])] {
        let seen = person("Bob Miller <bob@friend.example>", sender);
        assert_eq!((seen.verdict, seen.would), (Verdict::NotABounce, Advice::Deliver), "{:?}", seen.evidence);
    }
    let seen = person("MAILER-DAEMON@mx.reflector.example", Some(b"<>"));
    assert_eq!((seen.verdict, seen.would), (Verdict::Forged, Advice::Refuse), "the same from a mail system");
}

#[test]
fn ordinary_mail_is_no_bounce_whatever_it_carries() {
    let signed = batv::sign(&ring(), ALICE.as_bytes(), Form::Prefix, today()).unwrap();
    let message = format!(
        "From: Bob <bob@friend.example>\nSubject: Re: lunch\nIn-Reply-To: {}\n\nYes.\n\n> {}> From: Alice <alice@example.com>\n> To: b\n",
        id(&ring(), ALICE, today()),
        header(&ring(), ALICE, today())
    );
    let recipient = signed.address().unwrap().to_string();
    let envelope = Envelope { sender: Some(b"bob@friend.example"), recipient: Some(recipient.as_bytes()) };
    let seen = bounce::inspect(message.as_bytes(), &envelope, &ring(), &policy(), today());
    assert_eq!((seen.kind, seen.verdict, seen.advice), (Kind::NotABounce, Verdict::NotABounce, Advice::Deliver));
    assert_eq!(seen.proof(), None);
}

#[test]
fn backscatter_needs_all_of_its_conditions() {
    assert_eq!(verdict(&bounce("", SPAM)), Verdict::Backscatter);
    let nothing = bounce("", "").replace("text/rfc822-headers", "text/x-none");
    let little = "From: alice@example.com\nTo: x@reflector.example\nSubject: You won\n";
    for (why, message, policy) in [
        (Why::NothingReturned, nothing, policy()),
        (Why::TooLittleReturned, bounce("", little), policy()),
        (Why::FromNotOwn, bounce("", &SPAM.replace("alice@example.com", "alice@else.example")), policy()),
        (Why::FromNotOwn, bounce("", &SPAM.replace("From: Cheap Pills <alice@example.com>", "From: nobody")), policy()),
        (Why::MarksNotInForce, bounce("", SPAM), Policy::new(Domains::parse("example.com").unwrap())),
        (Why::MarksNotInForce, bounce("", SPAM), policy().with_marks_since(today().minus(7))),
        (Why::MarksNotInForce, bounce("", &SPAM.replace("20 Nov 2026", "20 Jul 2026")), policy()),
        (Why::MarksNotInForce, bounce("", SPAM), policy().with_no_sign(Addresses::parse([ALICE]).unwrap())),
    ] {
        assert_eq!(judged(&message, ALICE, &policy).verdict, Verdict::Unproven(why));
    }
    assert_eq!(
        judged(&bounce("", SPAM), ALICE, &policy().with_marks_since(today().minus(8))).verdict,
        Verdict::Backscatter
    );
}

#[test]
fn a_block_that_breaks_off_may_have_lost_its_mark() {
    let text = |end: &str| {
        format!(
            "From: MAILER-DAEMON@mx.reflector.example\nSubject: failure notice\n\nSorry, no mailbox.\n\n{SPAM}{end}"
        )
    };
    assert_eq!(verdict(&text("\nbuy\n")), Verdict::Backscatter);
    assert_eq!(verdict(&text("[20 more lines]\n")), Verdict::Unproven(Why::TooLittleReturned));
    assert_eq!(verdict(&bounce("", &format!("{SPAM}[20 more lines]\n"))), Verdict::Unproven(Why::TooLittleReturned));
}

#[test]
fn a_disposition_notification_proves_by_the_message_id_that_it_names() {
    let receipt = |id: &str| {
        format!(
            "From: Bob <bob@example.org>\nSubject: Read: Minutes\nMIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\nIt was read.\n\
             --b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; bob@example.org\n\
             Original-Message-ID: {id}\nDisposition: manual-action/MDN-sent-manually; displayed\n\n--b--\n"
        )
    };
    let seen = judged(&receipt(&id(&ring(), ALICE, today().minus(2))), ALICE, &policy());
    assert_eq!((seen.kind, seen.verdict), (Kind::Mdn, Verdict::Genuine));
    let seen = judged(&receipt(&id(&other_ring(), ALICE, today().minus(2))), ALICE, &policy());
    assert_eq!(seen.verdict, Verdict::Unproven(Why::Damaged), "it may be of another own address, and names no sender");
    assert_eq!(verdict(&receipt("<1@example.com>")), Verdict::Unproven(Why::NothingReturned));
}

#[test]
fn a_feedback_report_is_no_backscatter_and_proves_by_its_mark() {
    let report = |mark: &str| {
        format!(
            "From: Feedback Loop <fbl@reflector.example>\nSubject: Complaint\nMIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nAn abuse report.\n\
             --b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: Loop/1\nVersion: 1\n\
             --b\nContent-Type: message/rfc822\n\n{mark}{SPAM}\nbuy\n--b--\n"
        )
    };
    let seen = judged(&report(""), ALICE, &policy());
    assert_eq!((seen.kind, seen.verdict), (Kind::FeedbackReport, Verdict::Unproven(Why::Reported)));
    assert_eq!(verdict(&report(&header(&ring(), ALICE, today()))), Verdict::Genuine);
}

#[test]
fn a_block_without_a_date_may_have_been_cut_off_before_its_mark() {
    let cut = "Received: from x by y; Thu, 19 Nov 2026 10:00:00 +0000\nMessage-ID: <1@example.com>\nFrom: alice@example.com\n";
    assert_eq!(verdict(&bounce("", cut)), Verdict::Unproven(Why::TooLittleReturned));
    assert_eq!(verdict(&bounce("", &format!("{cut}Date: Thu, 19 Nov 2026 10:00:00 +0000\n"))), Verdict::Backscatter);
}

#[test]
fn headers_quoted_in_the_body_of_what_came_back_are_no_backscatter() {
    let little = "From: alice@example.com\nTo: x@reflector.example\nSubject: Fwd: You won\n";
    let text = format!(
        "From: MAILER-DAEMON@mx.reflector.example\nSubject: failure notice\n\n{little}\nlook:\n\n{SPAM}\nbuy\n"
    );
    let seen = judged(&text, ALICE, &policy());
    assert_eq!((seen.returned.len(), seen.verdict), (2, Verdict::Unproven(Why::TooLittleReturned)));
}

#[test]
fn marks_are_in_force_only_where_the_ring_signed_on_each_of_the_last_days() {
    let seen = |from: Day| {
        let text = format!("version 1\nmark m sha256 14 {from} - * text:an example\n");
        let ring = KeyRing::parse(text.as_bytes()).unwrap();
        let envelope = Envelope { sender: Some(b"<>"), recipient: Some(ALICE.as_bytes()) };
        bounce::inspect(bounce("", SPAM).as_bytes(), &envelope, &ring, &policy(), today()).verdict
    };
    assert_eq!(seen(today().minus(7)), Verdict::Backscatter);
    assert_eq!(seen(today().minus(6)), Verdict::Unproven(Why::MarksNotInForce));
}

#[test]
fn a_key_that_the_ring_lacks_on_a_day_that_it_does_not_cover_proves_nothing() {
    let late = KeyRing::parse(b"version 1\nmark z sha256 14 2026-11-20 - example.com text:the next key\n").unwrap();
    let mark =
        header(&KeyRing::parse(b"version 1\nmark a sha256 14 - - * text:old\n").unwrap(), ALICE, today().minus(9));
    let envelope = Envelope { sender: Some(b"<>"), recipient: Some(ALICE.as_bytes()) };
    let seen = bounce::inspect(bounce("", &format!("{mark}{SPAM}")).as_bytes(), &envelope, &late, &policy(), today());
    assert_eq!(seen.verdict, Verdict::Unproven(Why::NotCovered));
}

#[test]
fn a_tag_of_a_key_that_was_pruned_is_out_of_date_by_its_day_alone_and_proves_no_mailbox() {
    let pruned = KeyRing::parse(b"version 1\nprvs 2 sha256 7 2026-11-20 - * text:the next key\n").unwrap();
    let old = KeyRing::parse(b"version 1\nprvs 1 sha256 7 - - * text:an old key\n").unwrap();
    let seen = |signed: Day| {
        let tagged = batv::sign(&old, ALICE.as_bytes(), Form::Prefix, signed).unwrap();
        let envelope = Envelope { sender: Some(b"<>"), recipient: tagged.address().map(|it| it.as_bytes()) };
        bounce::inspect(bounce("", SPAM).as_bytes(), &envelope, &pruned, &policy(), today())
    };
    // 7 days of life, which the tag tells, and 7 of grace.
    assert_eq!(seen(today().minus(20)).verdict, Verdict::Expired);
    assert_eq!(seen(today().minus(20)).mailbox, None);
    assert_eq!(seen(today().minus(12)).verdict, Verdict::Unproven(Why::NotCovered));
}

#[test]
fn what_could_not_be_checked_is_no_backscatter() {
    let whole = bounce("", &format!("{}{SPAM}", header(&ring(), ALICE, today())));
    for recipient in ["", "postmaster", "no address", "<>"] {
        let seen = judged(&whole, recipient, &policy());
        assert!(matches!(seen.verdict, Verdict::Unproven(_) | Verdict::Forged), "{recipient}: {:?}", seen.verdict);
    }
    let others: String = (0..70).map(|_| header(&other_ring(), "alice@other.example", today())).collect();
    let seen = judged(&bounce("", &format!("{others}{SPAM}")), ALICE, &policy());
    assert_eq!(seen.verdict, Verdict::Unproven(Why::Unchecked));
}

#[test]
fn what_to_do_follows_the_mode() {
    let message = bounce("", SPAM);
    let advice = |policy: &Policy| judged(&message, ALICE, policy).advice;
    for (mode, expected) in [
        (Mode::Off, Advice::Deliver),
        (Mode::Sign, Advice::Deliver),
        (Mode::Observe, Advice::Flag),
        (Mode::Enforce, Advice::Refuse),
    ] {
        assert_eq!(advice(&policy().with_mode(mode)), expected, "{mode:?}");
    }
    assert_eq!(advice(&policy().with_exempt_recipients(Addresses::parse(["alice"]).unwrap())), Advice::Flag);
    let days_ago = |days| format!("{}{SPAM}", header(&ring(), ALICE, today().minus(days)));
    assert_eq!(judged(&bounce("", &days_ago(21)), ALICE, &policy()).advice, Advice::Deliver, "grace");
    assert_eq!(judged(&bounce("", &days_ago(22)), ALICE, &policy()).advice, Advice::Refuse);
    let nothing = judged("From: MAILER-DAEMON@x.example\nSubject: failure notice\n\nno such user\n", ALICE, &policy());
    assert_eq!((nothing.verdict, nothing.advice), (Verdict::Unproven(Why::NothingReturned), Advice::Deliver));
    assert!(Verdict::Backscatter.reply().unwrap().starts_with("550 5.7.1 "));
}

#[test]
fn weak_evidence_moves_the_leaning_only() {
    let lean = |returned: &str| judged(&bounce("", returned), ALICE, &policy());
    let spam = lean(SPAM);
    assert_eq!(spam.lean, 55, "{:?}", spam.evidence);
    assert_eq!(spam.source.name_is_ours, Some(false));
    let named = lean(&SPAM.replace("Cheap Pills", "Alice Example"));
    let relayed = lean(&format!("Received: from mail.example.com ([192.0.2.1]) by mx.reflector.example\n{SPAM}"));
    assert_eq!((named.lean, relayed.lean), (10, 10));
    assert_eq!([spam.score, named.score, relayed.score], [spam.score; 3]);
    assert_eq!([spam.verdict, named.verdict, relayed.verdict], [Verdict::Backscatter; 3]);
}

#[test]
fn the_injecting_host_is_believed_only_where_the_reporting_host_wrote_it() {
    let source = |returned: &str| judged(&bounce("", returned), ALICE, &policy()).source.injector.unwrap();
    let spam = source(SPAM);
    assert_eq!((spam.ip.to_string().as_str(), spam.trust.slug()), ("198.51.100.17", "reporter"));
    let inner = "Received: from in.reflector.example ([203.0.113.5]) by mx.reflector.example\n";
    assert_eq!(source(&format!("{inner}{SPAM}")).ip, spam.ip);
    let invented = SPAM.replace("by mx.reflector.example", "by elsewhere.example");
    assert_eq!(source(&invented).trust.slug(), "claimed");
    let private = "Received: from gate ([10.0.0.1]) by mx.reflector.example\n";
    assert_eq!(source(&format!("{private}{SPAM}")).ip, spam.ip);
}

fn letter() -> Letter<'static> {
    Letter {
        from: "abuse@example.com",
        to: "postmaster@reflector.example",
        date: "Sat, 21 Nov 2026 10:00:00 +0000",
        arrival: Some("Fri, 20 Nov 2026 10:00:00 +0000"),
        sender: Some(b"<>"),
        client: Some("203.0.113.9".parse().unwrap()),
    }
}

#[test]
fn reports_are_redacted_and_are_feedback_reports() {
    let signed = batv::sign(&ring(), ALICE.as_bytes(), Form::Prefix, today()).unwrap().address().unwrap().to_string();
    let own = format!(
        "To: {signed}\nReceived: from a by b for <{signed}>\nX-Note: \"alice x\"@example.com\n{}",
        header(&ring(), ALICE, today())
    );
    let message = bounce(&own, &SPAM.replace("You won", "You won alice@example.com"));
    let seen = judged(&message, ALICE, &policy());
    let arf = report::arf(message.as_bytes(), &seen, &letter(), &policy()).unwrap();
    for secret in ["alice", "prvs=4", "; t=", "n=a4dq"] {
        let body = arf.split_once("\n\n").unwrap().1;
        assert!(!body.contains(secret), "{secret}: {arf}");
    }
    for fact in [
        "198.51.100.17 (as the reporting host itself wrote)",
        "Source-IP: 203.0.113.9",
        "Reported-Domain: reflector.example",
        "Original-Rcpt-To: <redacted@example.com>",
        "All mail that leaves us carries a signed mark",
        "Backstop-Mark: redacted",
        "Feedback-Type: abuse",
    ] {
        assert!(arf.contains(fact), "{fact}: {arf}");
    }
    let read = bounce::inspect(arf.as_bytes(), &Envelope::default(), &ring(), &policy(), today());
    assert_eq!(read.kind, Kind::FeedbackReport);
    let record = report::victim_record(&seen, &letter(), &policy()).unwrap();
    assert!(record.contains("It was not sent by us.") && !record.contains("alice"), "{record}");
}

#[test]
fn nothing_is_reported_that_may_be_rightful() {
    let genuine = bounce("", &format!("{}{SPAM}", header(&ring(), ALICE, today())));
    for message in [genuine, bounce("", "From: alice@example.com\n"), "From: bob@friend.example\n\nhi\n".to_owned()] {
        let seen = judged(&message, ALICE, &policy());
        assert_eq!(report::arf(message.as_bytes(), &seen, &letter(), &policy()), None);
        assert_eq!(report::plain(message.as_bytes(), &seen, &letter(), &policy()), None);
        assert_eq!(report::victim_record(&seen, &letter(), &policy()), None);
    }
}

#[test]
fn what_comes_from_outside_cannot_add_lines_to_a_report() {
    let subject = "=?utf-8?q?a=0ABcc:_x=40y.example=0D=0A=1B[2J?=";
    let message = bounce("X-A: b\n --b\n", &SPAM.replace("You won", subject));
    let seen = judged(&message, ALICE, &policy());
    assert_eq!(seen.verdict, Verdict::Backscatter);
    let letter = Letter { from: "a@example.com\nBcc: z@y.example", ..letter() };
    for text in [
        report::arf(message.as_bytes(), &seen, &letter, &policy()).unwrap(),
        report::victim_record(&seen, &letter, &policy()).unwrap(),
    ] {
        assert!(!text.lines().any(|line| line.trim_start().starts_with("Bcc:")), "{text}");
        assert!(text.chars().all(|it| !it.is_control() || matches!(it, '\n' | '\t')), "{text:?}");
    }
}
