//! A judged message as a JSON object, the same from the command, the crate, C, Lua and Python.
//!
//! ```text
//! {"file","kind","verdict","proof","reason","score","evidence":[{"id","weight","why"}],"returned":{...},"source":{...},
//!  "mailbox","advice","would"}
//! proof     where the tag or mark stood, null unless genuine         reason   why the verdict is unproven, else null
//! evidence  what the score is made of, then every tag or mark that was checked, with weight 0: PLACE-OUTCOME
//! returned  {"form","message_id","from","to","date","complete","fields","blocks","reason","deliveries","cuts"}
//!           null when neither headers, delivery-status fields nor a reason came back
//! source    {"reporting","injector","subject","links","structure","from","name","name_is_ours","dnsbl"}
//!           null when it is ordinary mail
//! mailbox   the recipient without its tag, null where it is not known, under a tag that nothing proves, or for ordinary mail
//! advice    what the policy makes of the verdict                     would    what it would in mode enforce
//! ```
//!
//! file_hex  only where the name of the file is not UTF-8: its octets in hex, since `file` has U+FFFD for them
//!
//! Text is escaped as `json.rs` has it: no control character is left, and what is not UTF-8 becomes U+FFFD. What came out
//! of a message is as its sender wrote it, and bounded by the limits of `guard.rs`.

use super::{Check, Delivery, Evidence, Inspection, Kind, Returned, dnsbl_name};
use crate::json::{self, Object};

impl Inspection {
    /// Appends the message as one JSON object on one line, without a line feed behind it.
    ///
    /// `file` says where the message stands, `None` for null; if it is not UTF-8, a last key `file_hex` has its octets.
    /// `zones` are names of DNS lists; what to ask them about the injecting host stands in `dnsbl`. Text of the message is
    /// as its sender wrote it, with control characters escaped and U+FFFD for what is not UTF-8.
    ///
    /// ```text
    /// {"file","kind","verdict","proof","reason","score","evidence":[{"id","weight","why"}],
    ///  "returned":{"form","message_id","from","to","date","complete","fields","blocks","reason","deliveries","cuts"},
    ///  "source":{"reporting","injector","subject","links","structure","from","name","name_is_ours","dnsbl"},
    ///  "mailbox","advice","would"}
    /// ```
    ///
    /// ```
    /// # use backstop::bounce::{self, Envelope};
    /// # use backstop::{Day, Domains, KeyRing, policy::Policy};
    /// let (ring, policy) = (KeyRing::parse(b"version 1\n")?, Policy::new(Domains::parse("example.com")?));
    /// let (message, day) = (b"Subject: hello\n\n", Day::parse("2026-11-22")?);
    /// let seen = bounce::inspect(message, &Envelope::default(), &ring, &policy, day);
    /// let mut out = Vec::new();
    /// seen.json(Some(b"mail/1"), &[], &mut out);
    /// assert!(out.starts_with(br#"{"file":"mail/1","kind":"not-a-bounce","verdict":"not-a-bounce","proof":null,"#));
    /// # Ok::<(), backstop::Error>(())
    /// ```
    pub fn json(&self, file: Option<&[u8]>, zones: &[&str], out: &mut Vec<u8>) {
        json::object(out, |object| write(self, file, zones, object));
    }
}

fn write(it: &Inspection, file: Option<&[u8]>, zones: &[&str], object: &mut Object<'_>) {
    object.optional("file", file).plain("kind", Some(it.kind.slug())).plain("verdict", Some(it.verdict.slug()));
    object.plain("proof", it.proof().map(|proof| proof.place.slug()));
    object.plain("reason", it.verdict.why().map(|why| why.slug())).number("score", it.score);
    let checks: Vec<(String, String)> = it.checks.iter().map(|check| (check.id(), check.sentence())).collect();
    let items = it.evidence.iter().map(|Evidence { id, weight, why }| (*id, *weight, *why));
    let items = items.chain(checks.iter().map(|(id, why)| (id.as_str(), 0, why.as_str())));
    object.objects("evidence", items, |inner, (id, weight, why)| {
        inner.text("id", id.as_bytes()).number("weight", weight).text("why", why.as_bytes());
    });
    let has_returned = !it.returned.is_empty() || !it.deliveries.is_empty() || it.reason.is_some();
    object.object("returned", has_returned.then_some(|inner: &mut Object<'_>| returned(it, inner)));
    let has_source = it.kind != Kind::NotABounce;
    object.object("source", has_source.then_some(|inner: &mut Object<'_>| source(it, zones, inner)));
    object.optional("mailbox", it.mailbox.as_ref().map(|mailbox| mailbox.as_bytes()));
    object.plain("advice", Some(it.advice.slug())).plain("would", Some(it.would.slug()));
    if let Some(file) = file.filter(|file| core::str::from_utf8(file).is_err()) {
        let hex: String = file.iter().map(|octet| format!("{octet:02x}")).collect();
        object.plain("file_hex", Some(hex));
    }
}

impl Check {
    /// The word that stands for it beside the words of other evidence: PLACE-OUTCOME.
    pub fn id(&self) -> String {
        format!("{}-{}", self.place.slug(), self.outcome.slug())
    }

    /// One sentence for people.
    pub fn sentence(&self) -> String {
        let mut sentence = format!("The {} is {}", self.place.slug(), self.outcome.slug());
        for (name, value) in [
            ("key", self.key.map(String::from)),
            ("signed", self.signed.map(|day| day.to_string())),
            ("expires", self.expires.map(|day| day.to_string())),
        ] {
            sentence += &value.map(|value| format!(", {name} {value}")).unwrap_or_default();
        }
        sentence + "."
    }
}

fn returned(it: &Inspection, object: &mut Object<'_>) {
    let first = it.returned.first();
    let text = |get: fn(&Returned) -> Option<&String>| first.and_then(get).map(|text| text.as_bytes());
    object.plain("form", first.map(|it| it.form.slug())).optional("message_id", text(|it| it.message_id.as_ref()));
    object.optional("from", text(|it| it.from.as_ref())).optional("to", text(|it| it.to.as_ref()));
    object.plain("date", first.and_then(|it| it.day)).flag("complete", first.is_some_and(|it| it.complete));
    object.number("fields", first.map_or(0, |it| it.fields) as u64).number("blocks", it.returned.len() as u64);
    object.plain("reason", it.reason.map(|reason| reason.slug()));
    object.objects("deliveries", &it.deliveries, |inner, delivery: &Delivery| {
        let text = |text: &Option<String>| text.clone().map(String::into_bytes);
        inner.optional("recipient", text(&delivery.recipient).as_deref());
        inner.plain("action", delivery.action.map(|action| action.slug()));
        inner.optional("status", text(&delivery.status).as_deref());
        inner.optional("diagnostic", text(&delivery.diagnostic).as_deref());
        inner.plain("reason", delivery.reason.map(|reason| reason.slug()));
    });
    object.texts("cuts", it.cuts.iter().map(|cut| cut.slug()));
}

fn source(it: &Inspection, zones: &[&str], object: &mut Object<'_>) {
    let (source, injector) = (&it.source, it.source.injector.as_ref());
    let text = |text: &Option<String>| text.clone().map(String::into_bytes);
    object.optional("reporting", text(&source.reporting).as_deref());
    object.object(
        "injector",
        injector.map(|injector| {
            |inner: &mut Object<'_>| {
                inner.plain("ip", Some(injector.ip)).optional("name", text(&injector.name).as_deref());
                inner.plain("trust", Some(injector.trust.slug())).plain("network", Some(injector.network()));
            }
        }),
    );
    object.optional("subject", text(&source.subject).as_deref()).texts("links", &source.links);
    object.optional("structure", text(&source.structure).as_deref()).optional("from", text(&source.from).as_deref());
    object.optional("name", text(&source.name).as_deref());
    match source.name_is_ours {
        Some(is_ours) => object.flag("name_is_ours", is_ours),
        None => object.optional("name_is_ours", None),
    };
    let names = injector.into_iter().flat_map(|injector| zones.iter().map(|zone| dnsbl_name(injector.ip, zone)));
    object.texts("dnsbl", names);
}

#[cfg(test)]
mod tests {
    use crate::bounce::{Envelope, inspect};
    use crate::domains::Domains;
    use crate::mark::{self, Marked};
    use crate::policy::Policy;
    use crate::{Day, Form, KeyRing, batv};

    const ALICE: &[u8] = b"alice@example.com";

    fn ring() -> KeyRing {
        let keys = b"version 1\nprvs 4 sha256 10 - - * text:secret\nmark m sha256 10 - - * text:another\n";
        KeyRing::parse(keys).unwrap()
    }

    fn json(message: &str, recipient: &str, file: &[u8]) -> String {
        let policy = Policy::new(Domains::parse("example.com").unwrap());
        let envelope = Envelope { sender: None, recipient: Some(recipient.as_bytes()) };
        let mut out = Vec::new();
        let seen = inspect(message.as_bytes(), &envelope, &ring(), &policy, Day::parse("2026-11-22").unwrap());
        seen.json(Some(file), &["zen.example"], &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_bounce_is_written_with_its_checks_what_came_back_and_its_source() {
        let message = "From: MAILER-DAEMON@mx.b.example\nSubject: x\n\n<x@b.example>: 550 5.1.1 user unknown\n\n\
                       Received: from z ([198.51.100.17]) by mx.b.example\nFrom: Eve <alice@example.com>\n\
                       To: x@b.example\nDate: Fri, 20 Nov 2026 10:11:10 +0000\nMessage-ID: <1@z>\nSubject: pills\n\n\
                       http://pills.example/\n";
        let text = json(message, "prvs=4788000000=alice@example.com", b"a\xff");
        let forged = r#"{"id":"recipient-tag-forged","weight":0,"why":"The recipient-tag is forged, key 4."}],"#;
        assert!(text.starts_with("{\"file\":\"a\u{fffd}\","), "{text}");
        for part in [
            r#","kind":"dsn-failed","verdict":"forged","proof":null,"reason":null,"score":"#,
            forged,
            r#""returned":{"form":"text","message_id":"1@z","from":"alice@example.com","to":"x@b.example","#,
            r#""date":"2026-11-20","complete":true,"fields":6,"blocks":1,"reason":"bad-address","deliveries":[],"cuts":[]},"#,
            r#""source":{"reporting":"mx.b.example","injector":{"ip":"198.51.100.17","name":"z","trust":"reporter","#,
            r#""network":"198.51.100.0/24"},"subject":"pills","links":["pills.example"],"structure":null,"#,
            r#""from":"alice@example.com","name":"Eve","name_is_ours":null,"dnsbl":["17.100.51.198.zen.example"]},"#,
            r#""mailbox":null,"advice":"flag","would":"refuse","file_hex":"61ff"}"#,
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn what_an_unproved_tag_says_is_no_mailbox() {
        let notice = "From: MAILER-DAEMON@mx.b.example\nSubject: Undelivered Mail Returned to Sender\n\nno such user\n";
        let made = mark::make_header(&ring(), ALICE, [7; 8], Day::parse("2026-11-20").unwrap()).unwrap();
        let Marked::Done(mark) = made else { panic!() };
        let marked = format!("{notice}\nFrom: alice@example.com\nTo: x@b.example\nBackstop-Mark: {mark}\n");
        let signed = |day| {
            batv::sign(&ring(), ALICE, Form::Prefix, Day::parse(day).unwrap()).unwrap().address().unwrap().to_string()
        };
        let (forged, given) = ("prvs=4788000000=alice@example.com", r#""mailbox":"alice@example.com","#);
        for (message, recipient, expected) in [
            (notice, "alice@example.com", given),
            (notice, "<alice@example.com>", given),
            (notice, &signed("2026-11-20"), given),
            (notice, &signed("2026-11-01"), given),
            (notice, forged, r#""mailbox":null,"#),
            (notice, "prvs=9788000000=alice@example.com", r#""mailbox":null,"#),
            (notice, "btv1==123456789ab==alice@example.com", r#""mailbox":null,"#),
            (notice, "prvs=x=alice@example.com", r#""mailbox":null,"#),
            (&marked, forged, given),
        ] {
            let text = json(message, recipient, b"1");
            assert!(text.contains(expected), "{recipient}\n{text}");
        }
    }

    #[test]
    fn what_is_not_there_is_null() {
        let mail = json("From: bob@b.example\nSubject: hello\n\n", "alice@example.com", b"1");
        let end = r#""returned":null,"source":null,"mailbox":null,"advice":"deliver","would":"deliver"}"#;
        assert!(mail.ends_with(end), "{mail}");
        let bare = "From: MAILER-DAEMON@b.example\nSubject: failure notice\n\n";
        let bounce = json(&format!("{bare}hello\n"), "alice@example.com", b"1");
        assert!(bounce.contains(r#""returned":null,"source":{"reporting":"b.example","injector":null,"#), "{bounce}");
        // Each of the three alone is enough: a reason, fields, headers.
        for (text, part) in [
            ("no such user\n", r#""form":null,"message_id":null,"#),
            (
                "Final-Recipient: rfc822; x@b.example\nAction: delivered\n",
                r#""deliveries":[{"recipient":"x@b.example","#,
            ),
            ("From: a@b.example\nTo: c@b.example\nSubject: x\n", r#""form":"text","message_id":null,"#),
        ] {
            let bounce = json(&format!("{bare}{text}"), "alice@example.com", b"1");
            assert!(bounce.contains(part), "{part}\n{bounce}");
        }
    }
}
