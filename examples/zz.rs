#![allow(missing_docs)]
use backstop::bounce::{self, Envelope};
use backstop::policy::Policy;
use backstop::*;
fn main() {
    let ring = KeyRing::parse(b"version 1\nmark m sha256 14 - - * text:x\n").unwrap();
    let p = Policy::new(Domains::parse("example.com").unwrap());
    for (rp, f, s, extra, b) in [
        (
            "<>",
            "\"MAILER-DAEMON\" <mailer-daemon@ah.example>",
            "FAILURE NOTICE :",
            "X-AHMAILID: 1\n",
            "  ----- The following addresses had permanent fatal errors -----\n\n>>> kijitora@example.org <kijitora@example.org>\n\n  ----- original message -----",
        ),
        (
            "x@y.z",
            "postmaster@james.example",
            "[BOUNCE]",
            "",
            "Hi. This is the James mail server at x.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n",
        ),
        (
            "x@y.z",
            "Mail Deliver System <x@y.example>",
            "Returned Mail: a@b.c",
            "",
            "The original message was received at x from y\n\nI could not deliver your mail",
        ),
        (
            "x@y.z",
            "MAILER-DAEMON@y.example",
            "There was an error sending your mail",
            "",
            "A message that you sent could not be delivered",
        ),
        (
            "x@y.z",
            "post_master@vtext.example",
            "Undeliverable Message",
            "",
            "Error:     No valid recipients from this MM\n",
        ),
        (
            "x@y.z",
            "sysadmin@vzwpix.example",
            "Undeliverable Message",
            "",
            "Message could not be delivered to mobile.\nError: No valid recipients\n",
        ),
        (
            "x@y.z",
            "InterScan MSS <x@y.example>",
            "Mail could not be delivered",
            "",
            "Sent >>> RCPT TO:<k@example.net>\nReceived <<< 550 5.1.1 unknown user account\nUnable to deliver message to <k@example.net>\n",
        ),
        (
            "x@y.z",
            "InterScan Notification <x@y.example>",
            "メール配信に失敗しました。",
            "",
            "不明なユーザ: k@example.net",
        ),
        (
            "x@y.z",
            "Postmaster <postmaster@ez.example>",
            "Mail System Error - Returned Mail",
            "",
            "The user(s) account is disabled.\n<k@ez.example>",
        ),
        (
            "x@y.z",
            "no-reply@dion.example",
            "Undelivered Mail",
            "",
            "Your mail sent on: Thu, 29 Apr 2010\nCould not be delivered to: k@dion.example\nAs their mailbox is full.\n",
        ),
        (
            "x@y.z",
            "postmaster@foo.example",
            "DELIVERY FAILURE: User k not listed",
            "",
            "because: User k not listed in public Name",
        ),
        ("x@y.z", "amavis@foo.example", "Undeliverable mail, MTA-BLOCKED", "", "550 5.7.1 blocked"),
        (
            "x@y.z",
            "apps@sendgrid.example",
            "Undelivered Mail Returned to Sender",
            "",
            "This is an automatically generated message from SendGrid.\n\nI'm sorry to have to tell you that your message was not able to be delivered to one of its intended recipients.",
        ),
        (
            "x@y.z",
            "Administrator@spam.example",
            "Delivery Status",
            "X-NAI-Header: Modified by McAfee\n",
            "--- The following addresses had delivery problems ---\n\n<k@example.net>   (User unknown k@example.net)\n",
        ),
        (
            "x@y.z",
            "admin@x.example",
            "Message delivery has failed",
            "",
            "Unable to deliver message to: <k@example.org>, delivery failed\npermanent failure for one or more recipients (k@example.org:blocked)",
        ),
        (
            "x@y.z",
            "MAILER-DAEMON",
            "Undeliverable mail: hello",
            "",
            "------- Failure Reasons  --------\n\nUser not listed in public Name & Address Book\nk@notes.example\n\n------- Returned Message --------\n",
        ),
        ("<>", "a@b.example", "Hộp thư đầy", "", "Thư của bạn"),
        ("a@b.example", "a@b.example", "Notification d'échec de remise", "", "Échec de la remise pour le destinataire"),
        ("x@y.z", "fml-admin@fml.example", "Rejected mail by <a@b>", "", "You are not a member of this list"),
        (
            "x@y.z",
            "mailer-daemon@yandex.example",
            "Недоставленное сообщение",
            "",
            "Это письмо отправлено почтовым сервером",
        ),
        (
            "x@y.z",
            "System Anti-Virus Administrator <virus@foo.example>",
            "**Message you sent blocked by our bulk email filter**",
            "",
            "Your message to: k@x was blocked by our Spam Firewall.",
        ),
        (
            "x@y.z",
            "\"Symantec AntiVirus\" <av@x.example>",
            "Virus Found in message \"Hi\"",
            "",
            "Symantec AntiVirus found a virus in an attachment you sent",
        ),
        (
            "x@y.z",
            "TMDA <bob+confirm@x.example>",
            "Please confirm your message",
            "",
            "This message was created automatically by mail delivery software (TMDA).\nYour message is being held because your address has not been verified.",
        ),
        (
            "x@y.z",
            "spamarrest <bob@x.example>",
            "Re: hi (verification required)",
            "",
            "Bob here, I'm protecting myself from receiving junk mail. Please click the link below to complete the verification process.",
        ),
        (
            "x@y.z",
            "MailScanner <postmaster@x.example>",
            "Warning: E-mail viruses detected",
            "",
            "Our virus detector has just been triggered by a message you sent",
        ),
        ("x@y.z", "Bob <bob@x.example>", "I am away Re: hello", "Precedence: bulk\n", "I will be back on Monday."),
        ("x@y.z", "Bob <bob@x.example>", "Abwesend: hallo", "", "bin ich ab Montag wieder da"),
        ("x@y.z", "bounce@mailgun.example", "Delivery Status Notification", "", "x"),
    ] {
        let m = format!("Return-Path: {rp}\nFrom: {f}\nTo: alice@example.com\nSubject: {s}\n{extra}\n{b}\n");
        let i = bounce::inspect(m.as_bytes(), &Envelope::default(), &ring, &p, Day::parse("2026-11-21").unwrap());
        println!(
            "{:<14} {:>4}  {f} | {s}  [{}]",
            i.kind.slug(),
            i.score,
            i.evidence.iter().map(|e| format!("{} {}", e.id, e.weight)).collect::<Vec<_>>().join(", ")
        );
    }
}
