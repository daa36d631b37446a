//! What came back wrapped, damaged or cut off: a mark that is still there proves, and one that may have been lost is not missed.
//!
//! Each way is made of the same mail, with a mark and without. Where the headers came back whole for all that, the want of a
//! mark makes backscatter; where they may not have, too little came back. Nor is a block judged for want of a mark that an
//! automatic answer may have out of the text of a mail.

#![cfg(feature = "bounce")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use backstop::bounce::{self, Envelope, Inspection, Verdict, Why};
use backstop::mark::{self, Marked};
use backstop::policy::{Mode, Policy};
use backstop::{Day, Domains, KeyRing};
use base64ct::{Base64, Encoding};

const ALICE: &[u8] = b"alice@example.com";
const TOO_LITTLE: Verdict = Verdict::Unproven(Why::TooLittleReturned);

/// As a mail begins that came back, but for what the mark stands among.
const TOP: &str = "Received: from mail.example.com ([192.0.2.10]) by mx.b.example; Fri, 20 Nov 2026 10:11:12 +0000\n\
                   From: Alice <alice@example.com>\nTo: x@b.example\nSubject: Minutes\n\
                   Date: Fri, 20 Nov 2026 10:11:10 +0000\n";

/// The fields below a Received.
const REST: &str =
    "From: Alice <alice@example.com>\nTo: x@b.example\nSubject: Minutes\nDate: Fri, 20 Nov 2026 10:11:10 +0000\n";

fn today() -> Day {
    Day::parse("2026-11-21").unwrap()
}

fn ring() -> KeyRing {
    KeyRing::parse(b"version 1\nmark m sha256 14 - - example.com text:the mark key\n").unwrap()
}

fn mark() -> String {
    let Marked::Done(value) = mark::make_header(&ring(), ALICE, [7; 8], today().minus(2)).unwrap() else { panic!() };
    format!("{}: {value}\n", mark::HEADER)
}

fn inspected(message: &str, sender: &[u8]) -> Inspection {
    let policy = Policy::new(Domains::parse("example.com").unwrap())
        .with_mode(Mode::Enforce)
        .with_marks_since(today().minus(60));
    let envelope = Envelope { sender: Some(sender), recipient: Some(ALICE) };
    bounce::inspect(message.as_bytes(), &envelope, &ring(), &policy, today())
}

fn verdict(message: &str) -> Verdict {
    inspected(message, b"<>").verdict
}

/// A bounce that returns this in its text.
fn in_text(text: &str) -> String {
    format!("From: MAILER-DAEMON@mx.b.example\nSubject: failure notice\n\n<x@b.example>: no such user\n\n{text}")
}

/// A bounce that returns this in a part of this type.
fn in_part(kind: &str, body: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.b.example\nSubject: failure notice\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nuser unknown\n\n--b\n\
         Content-Type: {kind}\n\n{body}\n--b--\n"
    )
}

fn quoted(prefix: &str, text: &str) -> String {
    text.lines().map(|line| format!("{prefix}{line}\n")).collect()
}

/// With the mark and without it.
fn both(message: impl Fn(&str) -> String) -> (Verdict, Verdict) {
    (verdict(&message(&mark())), verdict(&message("")))
}

#[test]
fn a_line_that_lost_its_quote_mark_is_a_wrapped_one_before_a_field() {
    let rest = "MIME-Version: 1.0\nContent-Type: text/plain\n";
    for prefix in ["> ", "| ", "    "] {
        for (field, tail) in [("X-Report: a line that", "was wrapped"), ("X-Long: a", "\tb"), ("X-Long: a", ">\tb")] {
            let text = |mark: &str| {
                let (above, below) =
                    (quoted(prefix, &format!("{TOP}{field}\n")), quoted(prefix, &format!("{rest}{mark}")));
                in_text(&format!("{above}{tail}\n{below}\nbody\n"))
            };
            assert_eq!(both(text), (Verdict::Genuine, Verdict::Backscatter), "{prefix}{field}\n{tail}");
        }
    }
    // The mark itself, above all.
    let wrapped = mark().replacen("; t=", ";\nt=", 1);
    let text = in_text(&format!("> {wrapped}{}>\n> body\n", quoted("> ", TOP)));
    assert_eq!(verdict(&text), Verdict::Genuine);
    // A field that lost its quote mark is one for all that.
    let text = in_text(&format!("{}{}> MIME-Version: 1.0\n>\n> body\n", quoted("> ", TOP), mark()));
    assert_eq!(verdict(&text), Verdict::Genuine);
}

#[test]
fn behind_a_line_that_breaks_a_block_off_marks_are_read_to_the_next_blank_line() {
    let rest = "X-Other: 1\nX-Another: 2\n";
    for (what, head, tail) in [
        ("wrapped before an unknown field", quoted("> ", &format!("{TOP}X-Long: a")) + "b\n", "> "),
        ("wrapped twice", quoted("> ", &format!("{TOP}X-Long: a")) + "b\nc\n", "> "),
        ("unevenly indented", quoted("  ", TOP), " "),
        ("wrapped without quote marks", format!("{TOP}X-Long: a\nb\n"), ""),
    ] {
        let text = |mark: &str| in_text(&format!("{head}{}\nbody\n", quoted(tail, &format!("{rest}{mark}"))));
        assert_eq!(both(text), (Verdict::Genuine, TOO_LITTLE), "{what}");
        let behind = format!("{head}{}\n{}", quoted(tail, rest), quoted(tail, &mark()));
        assert_eq!(verdict(&in_text(&behind)), TOO_LITTLE, "{what}: in the body");
    }
    let folded = mark().replacen("; t=", ";\n\tt=", 1);
    assert_eq!(verdict(&in_text(&format!("{TOP}X-Long: a\nb\n{rest}{folded}\nbody\n"))), Verdict::Genuine);
    for kind in ["text/rfc822-headers", "message/rfc822"] {
        let part = |mark: &str| in_part(kind, &format!("{TOP}X-Long: a\nb\nc\n{rest}{mark}\nbody\n"));
        assert_eq!(both(part), (Verdict::Genuine, TOO_LITTLE), "{kind}");
    }
}

#[test]
fn a_block_in_a_text_that_breaks_off_before_it_is_one_keeps_its_mark_and_what_follows_it_is_not_whole() {
    let folded = "Received: from mx.example.com ([192.0.2.10])\n\tby mx.b.example (Postfix) with ESMTPS id 4XyZ\n\
                  \tfor <x@b.example>; Fri, 20 Nov 2026 10:11:12 +0000\n";
    let unfolded = folded.replace('\t', "");
    for (what, above, below) in [
        ("lines that lost their blanks", unfolded.as_str(), unfolded.as_str()),
        ("a wrapped line above", "Received: from a\nby b\nX-Other: 1\n", ""),
        ("a wrapped line below", "", "X-Other: a line that\nwas wrapped\nX-More: 1\n"),
        ("two of them", unfolded.as_str(), "X-Other: a line that\nwas wrapped\nX-More: 1\n"),
    ] {
        for prefix in ["", "> "] {
            let text =
                |mark: &str| in_text(&format!("{}\nbody\n", quoted(prefix, &format!("{above}{mark}{below}{TOP}"))));
            assert_eq!(verdict(&text(&mark())), Verdict::Genuine, "{what} {prefix}");
            if !above.is_empty() {
                assert_eq!(verdict(&text("")), TOO_LITTLE, "{what} {prefix}");
            }
        }
    }
    let html = |mark: &str| {
        let lines = format!("{folded}{mark}{folded}{TOP}").replace('<', "&lt;").replace('\n', "<br>\n");
        let text = in_text(&format!("<html><body><p>no such user</p><p>{lines}</p><p>body</p></body></html>\n"));
        text.replacen("\n\n", "\nMIME-Version: 1.0\nContent-Type: text/html\n\n", 1)
    };
    assert_eq!(both(html), (Verdict::Genuine, TOO_LITTLE));
    // The mark itself, before a field that not every mail has.
    let text = |mark: &str| in_text(&format!("{mark}X-Other: 1\n{TOP}\nbody\n"));
    assert_eq!(verdict(&text(&mark().replacen("; t=", ";\nt=", 1))), Verdict::Unproven(Why::Damaged));
    // What may be another mail's is held against nothing.
    let old = mark::make_header(&ring(), ALICE, [7; 8], today().minus(60)).unwrap();
    let Marked::Done(old) = old else { panic!() };
    let text = |end: &str| in_text(&format!("{}: {old}\nbroken off\nX-Other: 1\n{end}{TOP}\nbody\n", mark::HEADER));
    assert_eq!(verdict(&text("")), Verdict::Unproven(Why::Damaged));
    assert_eq!(verdict(&text("\n")), Verdict::Unproven(Why::Damaged));
}

#[test]
fn a_mark_above_a_blank_line_among_the_fields_is_not_lost_and_other_fields_there_are_no_sign() {
    for above in
        ["", "X-Other: 1\n", "Received: from a by b; Fri, 20 Nov 2026 10:11:12 +0000\n", "Received: from a\nby b\n"]
    {
        for below in ["\n", "\n\n", "X-Other: a line that\nwas wrapped\n\n"] {
            let text = |mark: &str| in_text(&format!("{above}{mark}{below}{TOP}\nbody\n"));
            assert_eq!(verdict(&text(&mark())), Verdict::Genuine, "{above} {below}");
            assert_eq!(verdict(&text("Message-ID: <1@example.com>\n")), Verdict::Backscatter, "{above} {below}");
        }
    }
}

#[test]
fn a_block_whose_received_broke_off_above_it_is_the_mails_own_and_its_body_is_not_searched() {
    let text = |received: &str| in_text(&format!("{received}{REST}X-Other: 1\n\nAs we wrote:\n\n{}{TOP}\n", mark()));
    assert_eq!(verdict(&text("Received: from a by b; Fri, 20 Nov 2026 10:11:12 +0000\n")), Verdict::Backscatter);
    assert_eq!(verdict(&text("Received: from a\nby b\nfor x; Fri, 20 Nov 2026 10:11:12 +0000\n")), TOO_LITTLE);
}

#[test]
fn an_old_message_id_among_fields_that_broke_off_is_held_against_nothing() {
    let old = mark::make_message_id(&ring(), "20260922.7", "example.com", ALICE, today().minus(60)).unwrap();
    let Marked::Done(old) = old else { panic!() };
    let text = |end: &str| in_text(&format!("Message-ID: {old}\n{end}X-Other: 1\n{TOP}\nbody\n"));
    assert_eq!(verdict(&text("")), Verdict::Expired);
    assert_eq!(verdict(&text("broken off\n")), Verdict::Unproven(Why::Damaged));
}

#[test]
fn an_id_that_html_took_for_a_tag_leaves_a_block_that_is_not_whole() {
    let top = TOP.replace('<', "&lt;");
    let html = |open: &str| {
        let text = in_text(&format!(
            "<html><body>no such user<pre>\n{top}Message-ID: {open}1@example.com>\n</pre></body></html>\n"
        ));
        text.replacen("\n\n", "\nMIME-Version: 1.0\nContent-Type: text/html\n\n", 1)
    };
    assert_eq!(verdict(&html("&lt;")), Verdict::Backscatter);
    assert_eq!(verdict(&html("<")), TOO_LITTLE);
}

#[test]
fn one_damaged_line_before_a_mark_hides_it_in_no_form() {
    for message in [in_text as fn(&str) -> String, |text| in_part("text/rfc822-headers", text)] {
        let block = |mark: &str| message(&format!("{TOP}X-Long: a\ndamaged\n{mark}MIME-Version: 1.0\n\nbody\n"));
        assert_eq!(both(block), (Verdict::Genuine, Verdict::Backscatter), "{}", block(""));
    }
}

#[test]
fn a_bare_cr_may_have_hidden_a_mark() {
    let part = |text: &str| in_part("text/rfc822-headers", text);
    let top = TOP.trim_end();
    for (field, expected) in [(mark(), Verdict::Genuine), ("X-Other: a\n".into(), TOO_LITTLE)] {
        assert_eq!(verdict(&part(&format!("{top}\r{field}\n"))), expected);
        assert_eq!(verdict(&in_text(&format!("{top}\r{field}\nbody\n"))), expected);
    }
    // Ends of lines, folds among them, are none.
    let folded = part(&format!("{TOP}X-Long: a\n b\n\nbody\n")).replace('\n', "\r\n");
    assert_eq!(verdict(&folded), Verdict::Backscatter);
}

#[test]
fn headers_behind_which_a_text_ends_or_says_that_it_was_cut_are_too_little() {
    for end in [
        "",
        "[message truncated]\n",
        "\n[message truncated]\n",
        "\n\n--- End of message stripped.\n",
        "\n>\n---- MESSAGE TRUNCATED ----\n",
        "\nMessage truncated\n",
        "\n(rest removed)\n",
    ] {
        assert_eq!(verdict(&in_text(&format!("{TOP}{end}"))), TOO_LITTLE, "{end}");
        // A mark above it is there.
        assert_eq!(verdict(&in_text(&format!("{}{TOP}{end}", mark()))), Verdict::Genuine, "{end}");
        if end.starts_with('\n') {
            let part = in_part("message/rfc822", &format!("{TOP}{end}"));
            assert_eq!(verdict(&part), TOO_LITTLE, "{end}");
        }
    }
    for body in
        ["\nStripped wood, cheap!\n", "\nTo be removed write to us\n", &format!("\n{} truncated\n", "-".repeat(60))]
    {
        assert_eq!(verdict(&in_text(&format!("{TOP}{body}"))), Verdict::Backscatter, "{body}");
    }
    // HTML that is closed was not cut.
    let html = |end: &str| {
        in_text(&format!("<p>no such user</p><pre>\n{}{end}", TOP.replace('<', "&lt;"))).replacen(
            "\n\n",
            "\nMIME-Version: 1.0\nContent-Type: text/html\n\n",
            1,
        )
    };
    assert_eq!(verdict(&html("</pre></body></html>\n")), Verdict::Backscatter);
    assert_eq!(verdict(&html("")), TOO_LITTLE);
    let text = TOP.replace('<', "&lt;").replace('\n', "<br>\n");
    let lines = |end: &str| html("").split("<pre>").next().unwrap().to_owned() + &text + end;
    assert_eq!(verdict(&lines("")), TOO_LITTLE);
    assert_eq!(verdict(&lines("<br>body")), Verdict::Backscatter);
    // Nor is a text that a delimiter closes.
    assert_eq!(verdict(&in_part("text/plain", TOP)), Verdict::Backscatter);
}

/// The same part with this encoding.
fn encoded(kind: &str, encoding: &str, body: &str) -> String {
    in_part(&format!("{kind}\nContent-Transfer-Encoding: {encoding}"), body)
}

#[test]
fn a_part_that_is_not_in_its_encoding_hides_no_mark_and_none_is_missed_in_it() {
    // What looks like the end of a line in quoted-printable takes in the field behind it.
    let signature =
        "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=x;\n\th=from:to; bh=abc;\n\tb=dGhpcyBpcyBhIG=\n";
    for kind in ["text/rfc822-headers", "message/rfc822"] {
        let raw = |mark: &str| encoded(kind, "quoted-printable", &format!("\n{TOP}{signature}{mark}\nbody\n"));
        assert_eq!(both(raw), (Verdict::Genuine, TOO_LITTLE), "{kind}");
        let right = |mark: &str| {
            let text = format!("{TOP}{signature}{mark}\nbody\n").replace('=', "=3D");
            encoded(kind, "quoted-printable", &text)
        };
        assert_eq!(both(right), (Verdict::Genuine, Verdict::Backscatter), "{kind}");
        let with_cr = |mark: &str| right(mark).replace("\nSubject", "\rX-Other: 1\nSubject");
        assert_eq!(both(with_cr), (Verdict::Genuine, TOO_LITTLE), "{kind}");
        // Nothing in it shows that it is not in its encoding.
        let plain =
            |mark: &str| encoded(kind, "quoted-printable", &format!("X-Tag: dGhpcyBpcyBhIG=\n{mark}{TOP}\nbody\n"));
        let made = mark::make_message_id(&ring(), "m", "example.com", ALICE, today().minus(2)).unwrap();
        let Marked::Done(id) = made else { panic!() };
        assert_eq!(verdict(&plain(&format!("Message-ID: {id}\n"))), Verdict::Genuine, "{kind}");
        assert_eq!(verdict(&plain(&mark())), Verdict::Genuine, "{kind}");
        // One that is in it is checked once.
        let message = right(&mark());
        let policy = Policy::new(Domains::parse("example.com").unwrap());
        let envelope = Envelope { sender: Some(b"<>"), recipient: Some(ALICE) };
        let seen = bounce::inspect(message.as_bytes(), &envelope, &ring(), &policy, today());
        assert_eq!(seen.checks.len(), 1, "{kind}");
        // A line of base64 with an octet of another kind: from there on nothing is known.
        let lines = |bad: &str| {
            let text = format!("{TOP}{}", mark());
            let text: String = text.as_bytes().chunks(57).map(|it| Base64::encode_string(it) + "\n").collect();
            encoded(kind, "base64", &(text.get(..300).unwrap().to_owned() + bad + text.get(300..).unwrap()))
        };
        assert_eq!(verdict(&lines("!")), TOO_LITTLE, "{kind}");
        assert_eq!(verdict(&lines("")), Verdict::Genuine, "{kind}");
    }
}

#[test]
fn a_text_that_is_not_in_quoted_printable_may_have_lost_a_mark() {
    let made = mark::make_message_id(&ring(), "m", "example.com", ALICE, today().minus(2)).unwrap();
    let Marked::Done(id) = made else { panic!() };
    let encoding = "\nMIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n";
    let text = |fields: &str| in_text(&format!("{fields}\nbody\n")).replacen("\n\n", encoding, 1);
    for prefix in ["", "> "] {
        for end in ["\n", "\r\n"] {
            let said = quoted(prefix, &format!("{TOP}X-Token: YWJj=\nMessage-ID: {id}\n"));
            assert_eq!(verdict(&text(&said).replace('\n', end)), TOO_LITTLE, "{prefix}");
        }
        // What is in it may break a line before a word with a colon.
        let right = quoted(prefix, &format!("{TOP}X-Other: what=\nis said: that=3D\n"));
        assert_eq!(verdict(&text(&right)), Verdict::Backscatter, "{prefix}");
    }
}

#[test]
fn a_byte_order_mark_hides_no_mark() {
    let headers = ["text/rfc822-headers", "message/rfc822"];
    for kind in headers.into_iter().chain(["text/plain", "text/plain; charset=iso-8859-1"]) {
        for before in ["\u{feff}", "\u{feff}\u{feff}", "\n\u{feff}", "\u{feff}\n \n\u{feff}"] {
            let part = |mark: &str| in_part(kind, &format!("{before}{mark}{TOP}\nbody\n"));
            assert_eq!(both(part), (Verdict::Genuine, Verdict::Backscatter), "{kind} {before:?}");
        }
    }
    let text = |mark: &str| in_text(&format!("It came back:\n\n\u{feff}{mark}{TOP}\nbody\n"));
    assert_eq!(both(text), (Verdict::Genuine, Verdict::Backscatter));
    let pre = |mark: &str| {
        let fields = format!("{mark}{TOP}").replace('<', "&lt;").replace('>', "&gt;");
        in_part("text/html; charset=utf-8", &format!("<p>It came back:</p>\n<pre>\u{feff}{fields}</pre>\n"))
    };
    assert_eq!(both(pre), (Verdict::Genuine, Verdict::Backscatter));
    let base64 = Base64::encode_string(format!("\u{feff}{}{TOP}", mark()).as_bytes());
    assert_eq!(verdict(&encoded("message/rfc822", "base64", &base64)), Verdict::Genuine);
}

#[test]
fn words_behind_a_marked_id_in_a_paragraph_of_its_own_are_read() {
    let made = mark::make_message_id(&ring(), "m", "example.com", ALICE, today().minus(2)).unwrap();
    let Marked::Done(id) = made else { panic!() };
    for message_id in [id.as_str(), "<m@example.com>"] {
        let message = format!(
            "From: Mail System <no-reply@b.example>\nSubject: Mail\n\nYour message\n\n  Message-ID: {message_id}\n\n\
             could not be delivered to these recipients:\n\n<x@b.example>: 550 5.1.1 User unknown\n\n{}{TOP}\nbody\n",
            mark()
        );
        let seen = inspected(&message, b"bounces@b.example");
        assert_eq!((seen.kind.slug(), seen.verdict), ("dsn-failed", Verdict::Genuine), "{message_id}");
    }
}

#[test]
fn what_stands_before_a_mark_on_its_line_does_not_hide_it() {
    for before in ["Original headers: ", "\"", "Headers:", "\u{200b}", "\u{a0}", "\u{feff}caf\u{e9} "] {
        let text = |mark: &str| in_text(&format!("{before}{mark}{TOP}\nbody\n"));
        assert_eq!(verdict(&text(&mark())), Verdict::Genuine, "{before:?}");
    }
    for before in [" ", "\t", "\0", "\"", "\u{200b}", "\u{a0}"] {
        for kind in ["text/rfc822-headers", "message/rfc822"] {
            let part = |mark: &str| in_part(kind, &format!("{before}{mark}{TOP}\nbody\n"));
            assert_eq!(verdict(&part(&mark())), Verdict::Genuine, "{kind} {before:?}");
            let broken = part(&mark().replace("t=", "t=aaaa"));
            assert_eq!(verdict(&broken), Verdict::Unproven(Why::Damaged), "{kind} {before:?}");
        }
    }
    // The library ends no line where these elements end.
    let fields = format!("{}{TOP}", mark()).replace('<', "&lt;").replace('>', "&gt;").replace('\n', "<br>\n");
    for (before, behind) in
        [("<div>Headers:</div><div>", "</div>"), ("<h3>Headers</h3>", ""), ("<td>Headers</td><td>", "</td>")]
    {
        let html = in_part("text/html", &format!("<html><body>{before}{fields}{behind}</body></html>\n"));
        assert_eq!(verdict(&html), Verdict::Genuine, "{before}");
    }
}

#[test]
fn what_stands_behind_a_break_proves_and_is_held_against_nothing() {
    let made = |sender: &[u8]| {
        let made = mark::make_message_id(&ring(), "m", "example.com", sender, today().minus(2)).unwrap();
        let Marked::Done(id) = made else { panic!() };
        format!("On Tuesday it was said:\nMessage-ID: {id}\n")
    };
    for message in [in_text as fn(&str) -> String, |text| in_part("message/rfc822", text)] {
        let bounce = |behind: &str| message(&format!("{TOP}broken off\nX-Other: 1\n{behind}\nbody\n"));
        assert_eq!(verdict(&bounce("")), TOO_LITTLE);
        assert_eq!(verdict(&bounce(&made(ALICE))), Verdict::Genuine);
        assert_eq!(verdict(&bounce(&made(b"bob@example.com"))), Verdict::Unproven(Why::Damaged));
        let folded = format!("{}X-Other: a\n\tb\n", mark());
        assert_eq!(verdict(&bounce(&folded)), Verdict::Genuine);
        let old = |days| {
            let made = mark::make_header(&ring(), ALICE, [7; 8], today().minus(days)).unwrap();
            let Marked::Done(value) = made else { panic!() };
            format!("{}: {value}\n", mark::HEADER)
        };
        // In grace it saves, and later it is an old mail's that the returned one may quote.
        assert_eq!(verdict(&bounce(&old(20))), Verdict::Expired);
        assert_eq!(verdict(&bounce(&old(60))), Verdict::Unproven(Why::Damaged));
        let twice = format!("Message-ID: <1@b.example>\nbroken again\nX-Other: 2\n{}", mark());
        assert_eq!(verdict(&bounce(&twice)), Verdict::Genuine);
    }
}

#[test]
fn headers_that_an_answer_quotes_may_be_those_of_spam_in_the_text_that_it_answers() {
    let answer = |fields: &str, text: &str| format!("{fields}Auto-Submitted: auto-replied\n\n{text}");
    let desk = "From: Abuse Desk <abuse@b.example>\nSubject: Re: spam [#12345]\n";
    let away = "From: Carl <carl@b.example>\nSubject: Out of office: Minutes\n";
    let virus = "From: virusalert@b.example\nSubject: VIRUS IN YOUR MAIL\n";
    for (fields, said, expected) in [
        (desk, "This is an automatic response. Your message was:", TOO_LITTLE),
        (away, "I am out of the office.", TOO_LITTLE),
        // What has a virus is not quoted but by its headers.
        (virus, "Our virus scanner found the virus Worm.A in your email. Its headers were:", Verdict::Backscatter),
    ] {
        for prefix in ["", "> "] {
            let block =
                |mark: &str| answer(fields, &format!("{said}\n\n{}\nbody\n", quoted(prefix, &format!("{TOP}{mark}"))));
            assert_eq!(both(block), (Verdict::Genuine, expected), "{said} {prefix}");
        }
    }
    // A returned part is what was answered.
    let part = in_part("message/rfc822", &format!("{TOP}\nbody\n"));
    let part = part.replace("report; report-type=delivery-status", "mixed");
    let challenge = part.replace("failure notice", "Please confirm your message").replace("MAILER-DAEMON", "challenge");
    let challenge = challenge.replace("user unknown", "To release your message, simply reply to this one.");
    assert_eq!(verdict(&challenge), Verdict::Backscatter);
}
