//! Incoming mail, cell by cell: the table for every mode and kind of sender, and every rule beside it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use backstop::policy::{Action, Client, Incoming, Mode, Origin, Policy, Rule};
use backstop::srs::Dialect;
use backstop::{Day, Domains, Form, Lapse, Verdict, batv, srs};

mod policy_common;
use policy_common::{OUTSIDER, RING, day, forwarded, list, own, policy, ring, signed, today};

const NULL: &[u8] = b"<>";

/// The same secrets without dates: a tag of theirs has the right MAC whatever the window.
fn undated() -> String {
    RING.replace("2026-09-01", "-").replace("2026-11-10", "-")
}

fn days_ago(days: u32) -> Day {
    today().minus(days)
}

fn judge<'r>(policy: &Policy, sender: &[u8], recipient: &'r str) -> Incoming<'r> {
    policy.incoming(&ring(RING), sender, recipient.as_bytes(), Client::Other, today())
}

/// An address with a bst1 tag of a key that the ring lacks, as it lacks all of that use.
fn strangers(days: u32) -> String {
    signed("version 1\nbst1 q sha256 99 - - * text:lost\n", "alice@example.com", days_ago(days))
}

/// `strip alice@example.com log`: the action, its address, whether to log.
fn told(decision: &Incoming<'_>) -> String {
    let address = decision.action.address().map(|it| format!(" {it}")).unwrap_or_default();
    format!("{}{address}{}", decision.action.slug(), if decision.log { " log" } else { "" })
}

/// One line of the table: what every mode does with a bounce and with other mail.
struct Line {
    name: &'static str,
    recipient: String,
    /// Off, sign and observe: null sender, other sender.
    lenient: [&'static str; 2],
    /// Enforce: null sender, other sender.
    enforce: [&'static str; 2],
    rules: [Rule; 2],
}

fn table() -> Vec<Line> {
    use Rule as R;
    let line = |name, recipient: &str, lenient, enforce, rules| Line {
        name,
        recipient: recipient.to_owned(),
        lenient,
        enforce,
        rules,
    };
    let alice = "strip alice@example.com";
    let alice_log = "strip alice@example.com log";
    let genuine = signed(RING, "alice@example.com", today());
    let ago = |days| signed(RING, "alice@example.com", days_ago(days));
    let window = signed(&undated(), "x@old.example.com", day("2026-11-13"));
    let number = |days: u32| days_ago(days).number() % 1000;
    let srs_today = forwarded(RING, "carol@example.org", today());
    let carol = "reverse carol@example.org";
    let bounces = |rule| [rule, R::NotABounce];
    let logged = ["unchanged log"; 2];
    let refused_null = ["refuse log", "unchanged"];
    let refused = ["refuse log"; 2];
    vec![
        line("genuine", &genuine, [alice; 2], [alice; 2], [R::Genuine; 2]),
        line("expired yesterday", &ago(11), [alice_log; 2], [alice_log; 2], [R::ExpiredGrace; 2]),
        line("expired on the last day of grace", &ago(17), [alice_log; 2], [alice_log; 2], [R::ExpiredGrace; 2]),
        line("expired a day past grace", &ago(18), [alice_log; 2], refused, [R::Expired; 2]),
        line(
            "in date but outside the key's window, which gets no grace",
            &window,
            ["strip x@old.example.com log"; 2],
            refused,
            [R::Expired; 2],
        ),
        line("forged", &genuine.replace("alice", "malice"), logged, refused_null, bounces(R::Forged)),
        line("foreign", "btv1==123456789ab==alice@example.com", logged, refused_null, bounces(R::Foreign)),
        line("malformed", "prvs=4x=alice@example.com", logged, refused_null, bounces(R::Malformed)),
        line(
            "unknown key, which none of up to 99 days can have made before the ring",
            &format!("prvs=9{:03}abcdef=alice@example.com", (today().number() + 18) % 1000),
            logged,
            refused_null,
            bounces(R::UnknownKey),
        ),
        line(
            "unknown key, which one of 99 days may have made on the day before the ring",
            &format!("prvs=9{:03}abcdef=alice@example.com", (today().number() + 17) % 1000),
            logged,
            ["unchanged log", "unchanged"],
            [R::NotCovered; 2],
        ),
        line(
            "unknown key of so long a life that the ring covers each day on which it may have been made",
            &format!("prvs=9{:03}abcdef=alice@example.com", (today().number() + 100) % 1000),
            logged,
            refused_null,
            bounces(R::UnknownKey),
        ),
        line(
            "unknown key on a day before the ring, long over",
            &format!("prvs=9{:03}abcdef=alice@example.com", number(100)),
            logged,
            refused_null,
            bounces(R::Expired),
        ),
        line(
            "bst1 of an unknown key, which may be in date or in grace",
            &strangers(106),
            logged,
            ["unchanged log", "unchanged"],
            [R::NotCovered; 2],
        ),
        line(
            "bst1 of an unknown key, over for grace and two days whatever key made it",
            &strangers(108),
            logged,
            refused_null,
            bounces(R::Expired),
        ),
        line(
            "bst1 of an unknown key, dated after tomorrow",
            &signed("version 1\nbst1 q sha256 99 - - * text:lost\n", "alice@example.com", today().plus(2)),
            logged,
            refused_null,
            bounces(R::Expired),
        ),
        line(
            "untagged, signable",
            "alice@example.com",
            ["unchanged log", "unchanged"],
            refused_null,
            bounces(R::Untagged),
        ),
        line(
            "untagged, too long to be signed",
            &format!("{}@example.com", "a".repeat(60)),
            ["unchanged log", "unchanged"],
            ["unchanged log", "unchanged"],
            bounces(R::TooLong),
        ),
        line(
            "SRS genuine",
            &srs_today,
            [carol, "reverse carol@example.org log"],
            [carol, "refuse log"],
            [R::SrsGenuine, R::SrsSender],
        ),
        line(
            "SRS expired, which gets no grace",
            &forwarded(RING, "carol@example.org", days_ago(22)),
            logged,
            refused,
            [R::SrsBad; 2],
        ),
        line("SRS forged", &srs_today.replace("carol", "mallory"), logged, refused, [R::SrsBad; 2]),
        line(
            "SRS outside the key's window",
            &forwarded(&undated(), "carol@example.org", day("2026-08-01")),
            logged,
            refused,
            [R::SrsBad; 2],
        ),
        line(
            "SRS of an unknown key on a day before the ring",
            &forwarded(&undated(), "carol@example.org", day("2026-08-01")).replace("carol", "mallory"),
            logged,
            logged,
            [R::NotCovered; 2],
        ),
        line(
            "SRS of an unknown key on a day before the ring, older than any lives",
            &forwarded(&undated(), "carol@example.org", days_ago(502)).replace("carol", "mallory"),
            logged,
            refused,
            [R::SrsBad; 2],
        ),
        line("SRS malformed", "SRS0=x=y@fwd.example.net", logged, refused, [R::SrsBad; 2]),
        line(
            "SRS elsewhere",
            &srs_today.replace("fwd.example.net", "example.com"),
            ["unchanged"; 2],
            ["unchanged"; 2],
            [R::SrsElsewhere; 2],
        ),
        line(
            "SRS of another site",
            &srs_today.replace("example.net", "example"),
            ["unchanged"; 2],
            ["unchanged"; 2],
            [R::NotOwn; 2],
        ),
        line("unparsable", "alice example.com", ["unchanged"; 2], ["unchanged"; 2], [R::Unparsable; 2]),
        line("the null path as recipient", "<>", ["unchanged"; 2], ["unchanged"; 2], [R::Unparsable; 2]),
        line(
            "tag of a foreign domain",
            "prvs=4853abcdef=x@example.org",
            ["unchanged"; 2],
            ["unchanged"; 2],
            [R::NotOwn; 2],
        ),
        line("bare postmaster", "postmaster", ["unchanged"; 2], ["unchanged"; 2], [R::ExemptRecipient; 2]),
    ]
}

#[test]
fn every_cell_of_the_table_is_as_written() {
    for Line { name, recipient, lenient, enforce, rules } in table() {
        for &mode in Mode::ALL {
            let expected = if mode == Mode::Enforce { enforce } else { lenient };
            for (index, sender) in [NULL, OUTSIDER].into_iter().enumerate() {
                let decision = judge(&policy(mode), sender, &recipient);
                let cell = format!("{name}, {}, {}: {recipient}", mode.as_str(), ["null", "other"][index]);
                assert_eq!(told(&decision), expected[index], "{cell}");
                // Whether a mailbox is signable does not matter while nothing is signed.
                let off = mode == Mode::Off && matches!(rules[index], Rule::Untagged | Rule::TooLong);
                assert_eq!(decision.rule, if off { Rule::Off } else { rules[index] }, "{cell}");
                if !off {
                    assert_eq!(decision.would, judge(&policy(Mode::Enforce), sender, &recipient).action, "{cell}");
                }
                assert_eq!(decision.reply.is_some(), decision.action == Action::Refuse, "{cell}");
                assert_eq!(decision.mode, mode, "{cell}");
            }
        }
    }
}

#[test]
fn a_tag_of_an_unknown_key_is_expired_from_two_days_past_grace_on_and_only_if_the_ring_is_younger() {
    let young = ring("version 1\nprvs 4 sha256 10 2026-11-21 - example.com text:new\n");
    for (grace, last) in [(0, 1), (7, 8), (99, 100)] {
        let policy = policy(Mode::Enforce).with_expired_grace(grace).unwrap();
        for ago in 0..=1000 {
            let recipient = format!("prvs=9{:03}abcdef=alice@example.com", days_ago(ago).number() % 1000);
            let decision = policy.incoming(&young, NULL, recipient.as_bytes(), Client::Other, today());
            let expected = match ago {
                // Made today or tomorrow, even by a key of 99 days; others may have been made before the ring.
                900 | 901 => Rule::UnknownKey,
                0..=100 if ago <= last => Rule::NotCovered,
                900.. => Rule::NotCovered,
                _ => Rule::Expired,
            };
            assert_eq!(decision.rule, expected, "{ago} {grace}");
            assert_eq!(decision.action == Action::Refuse, expected != Rule::NotCovered, "{ago} {grace}");
            if expected == Rule::Expired {
                assert_eq!(decision.reply, Some("550 5.7.1 The signature of this return address has expired"));
            }
        }
    }
}

#[test]
fn refusals_carry_a_full_reply_of_their_verdict() {
    for Line { name, recipient, rules, .. } in table() {
        for (sender, rule) in [(NULL, rules[0]), (OUTSIDER, rules[1])] {
            let decision = judge(&policy(Mode::Enforce), sender, &recipient);
            if let Some(reply) = decision.reply {
                assert!(reply.starts_with("550 5.7.1 ") && reply.is_ascii() && reply.len() < 512, "{name}: {reply}");
                let of_verdict = decision.verdict.and_then(|verdict| verdict.smtp_reply());
                let other = rule == Rule::Expired && matches!(decision.verdict, Some(Verdict::UnknownKey { .. }));
                assert_eq!(of_verdict.is_none_or(|its| its == reply), rule != Rule::NeverSends && !other, "{name}");
            }
        }
    }
}

#[test]
fn verdicts_stand_beside_the_decision_and_are_absent_where_nothing_was_judged() {
    let verdict = |recipient| judge(&policy(Mode::Enforce), NULL, recipient).verdict;
    assert_eq!(verdict("no address"), None);
    assert_eq!(verdict("prvs=4853abcdef=x@example.org"), None);
    assert_eq!(verdict("alice@example.com"), Some(Verdict::Untagged));
    let window = signed(&undated(), "x@old.example.com", day("2026-11-13"));
    assert!(matches!(verdict(&window), Some(Verdict::Expired(_, Lapse::Window))));
}

/// Policy, sender, recipient, client: what enforce does and why.
fn enforced(policy: &Policy, sender: &[u8], recipient: &str, client: Client) -> (Action, Rule) {
    let decision = policy.incoming(&ring(RING), sender, recipient.as_bytes(), client, today());
    assert_eq!(decision.action, decision.would, "enforce does what it would do");
    (decision.action, decision.rule)
}

#[test]
fn exempt_clients_own_users_and_the_mta_itself_are_never_refused() {
    for Line { name, recipient, lenient, .. } in table() {
        for (client, rule) in [
            (Client::Exempt, Rule::ExemptClient),
            (Client::Internal, Rule::InternalClient),
            (Client::Submitted, Rule::SubmittedClient),
        ] {
            for (index, sender) in [NULL, OUTSIDER].into_iter().enumerate() {
                let refused = judge(&policy(Mode::Enforce), sender, &recipient).action == Action::Refuse;
                let (action, found) = enforced(&policy(Mode::Enforce), sender, &recipient, client);
                assert_ne!(action, Action::Refuse, "{name}");
                assert_eq!(found == rule, refused, "{name}");
                assert!(!refused || lenient[index].starts_with(action.slug()), "{name}");
            }
        }
    }
}

#[test]
fn exempt_recipients_are_never_refused_with_or_without_a_tag() {
    let enforce = policy(Mode::Enforce);
    for (recipient, action, rule) in [
        ("Postmaster@example.com", Action::Unchanged, Rule::ExemptRecipient),
        ("abuse@a.example.com", Action::Unchanged, Rule::ExemptRecipient),
        ("prvs=4788abcdef=postmaster@example.com", Action::Unchanged, Rule::ExemptRecipient),
        ("SRS0=x=y@fwd.example.net", Action::Refuse, Rule::SrsBad),
        ("hostmaster@example.com", Action::Refuse, Rule::Untagged),
        ("postmaster+x@example.com", Action::Refuse, Rule::Untagged),
    ] {
        assert_eq!(enforced(&enforce, NULL, recipient, Client::Other), (action, rule), "{recipient}");
    }
    let expired = signed(RING, "abuse@example.com", days_ago(30));
    let (action, rule) = enforced(&enforce, NULL, &expired, Client::Other);
    assert_eq!((action.slug(), rule), ("strip", Rule::ExemptRecipient));
    let own_list = policy(Mode::Enforce).with_exempt_recipients(list(&["hostmaster"]));
    assert_eq!(enforced(&own_list, NULL, "postmaster@example.com", Client::Other).0, Action::Refuse);
    assert_eq!(enforced(&own_list, NULL, "hostmaster@example.com", Client::Other).0, Action::Unchanged);
}

#[test]
fn an_exempt_local_part_elsewhere_opens_no_relay() {
    let srs = forwarded(RING, "postmaster@example.org", today());
    assert_eq!(enforced(&policy(Mode::Enforce), OUTSIDER, &srs, Client::Other), (Action::Refuse, Rule::SrsSender));
}

#[test]
fn exempt_senders_are_never_refused() {
    let policy = policy(Mode::Enforce).with_exempt_senders(list(&["@example.org"]));
    let expired = signed(RING, "alice@example.com", days_ago(30));
    let (action, rule) = enforced(&policy, OUTSIDER, &expired, Client::Other);
    assert_eq!((action.slug(), rule), ("strip", Rule::ExemptSender));
    assert_eq!(enforced(&policy, b"x@example.info", &expired, Client::Other).0, Action::Refuse);
    // A partner that signs has another sender every day.
    let one = self::policy(Mode::Enforce).with_exempt_senders(list(&["bob@partner.example"]));
    for sender in
        ["bob@partner.example", "prvs=1234abcdef=bob@partner.example", "<bob+prvs=1234abcdef@partner.example>"]
    {
        assert_eq!(enforced(&one, sender.as_bytes(), &expired, Client::Other).1, Rule::ExemptSender, "{sender}");
    }
    assert_eq!(enforced(&one, b"prvs=1234abcdef=eve@partner.example", &expired, Client::Other).0, Action::Refuse);
    assert_eq!(enforced(&policy, NULL, "alice@example.com", Client::Other).0, Action::Refuse);
}

#[test]
fn addresses_that_never_send_get_no_bounces() {
    let plain = policy(Mode::Enforce);
    let never = policy(Mode::Enforce).with_never_send(list(&["info", "@lists.example.com"]));
    // Without a key nothing is signable, and the list alone decides.
    let none = ring("version 1\n");
    for (recipient, expected) in [
        ("info@example.com", (Action::Refuse, Rule::NeverSends)),
        ("news@lists.example.com", (Action::Refuse, Rule::NeverSends)),
        ("alice@example.com", (Action::Unchanged, Rule::NoKey)),
        ("info@fwd.example.net", (Action::Unchanged, Rule::NotOwn)),
    ] {
        let decision = never.incoming(&none, NULL, recipient.as_bytes(), Client::Other, today());
        assert_eq!((decision.action, decision.rule), expected, "{recipient}");
    }
    let decision = plain.incoming(&none, NULL, b"info@example.com", Client::Other, today());
    assert_eq!(decision.action, Action::Unchanged);
    let decision = never.incoming(&none, OUTSIDER, b"info@example.com", Client::Other, today());
    assert_eq!(decision.action, Action::Unchanged);
    let decision =
        never.clone().with_mode(Mode::Observe).incoming(&none, NULL, b"info@example.com", Client::Other, today());
    assert_eq!((decision.action, decision.would), (Action::Unchanged, Action::Refuse));
    assert_eq!(enforced(&never, NULL, "info@example.com", Client::Other).0, Action::Refuse);
}

#[test]
fn mailer_daemon_is_null_only_by_option() {
    let plain = policy(Mode::Enforce);
    let option = policy(Mode::Enforce).with_mailer_daemon_is_null(true);
    for (sender, null) in [
        ("", true),
        ("<>", true),
        ("mailer-daemon@example.org", false),
        ("<MAILER-DAEMON@example.org>", false),
        ("MAILER-DAEMON", false),
        ("<mailer-daemon>", false),
    ] {
        let action = |policy: &Policy| enforced(policy, sender.as_bytes(), "alice@example.com", Client::Other).0;
        assert_eq!(action(&plain), if null { Action::Refuse } else { Action::Unchanged }, "{sender}");
        assert_eq!(action(&option), Action::Refuse, "{sender}");
    }
    for sender in ["mailer-daemon2@example.org", "postmaster", "a b"] {
        let action = enforced(&option, sender.as_bytes(), "alice@example.com", Client::Other).0;
        assert_eq!(action, Action::Unchanged, "{sender}");
    }
}

#[test]
fn grace_is_as_long_as_set_and_counts_from_the_last_day_without_the_skew() {
    for (grace, age, action) in [
        (0, 10, "strip"),
        (0, 11, "refuse"),
        (1, 11, "strip"),
        (1, 12, "refuse"),
        (99, 109, "strip"),
        (99, 110, "refuse"),
    ] {
        // The ring of the table is too young for the longest grace.
        let old = ring(&RING.replace("2026-09-01", "2026-01-01"));
        let tag = batv::sign(&old, b"alice@example.com", Form::Prefix, days_ago(age)).unwrap();
        let policy = policy(Mode::Enforce).with_expired_grace(grace).unwrap();
        let decision = policy.incoming(&old, NULL, tag.address().unwrap().as_bytes(), Client::Other, today());
        assert_eq!(decision.action.slug(), action, "{grace} {age}");
    }
    let error = policy(Mode::Enforce).with_expired_grace(100).unwrap_err();
    assert_eq!(error.to_string(), "expired-grace must be 0 to 99");
}

#[test]
fn a_tag_from_the_future_gets_no_grace() {
    let ring = ring("version 1\nbst1 k sha256 10 2026-01-01 - example.com text:one\n");
    let tag = batv::sign(&ring, b"alice@example.com", Form::Prefix, today().plus(5)).unwrap();
    let decision =
        policy(Mode::Enforce).incoming(&ring, NULL, tag.address().unwrap().as_bytes(), Client::Other, today());
    assert_eq!((decision.action, decision.rule), (Action::Refuse, Rule::Expired));
}

#[test]
fn a_tag_of_an_old_key_gets_no_grace_a_thousand_days_later() {
    let old = ring("version 1\nprvs 4 sha256 10 2024-01-01 2024-12-31 example.com text:one\n");
    let tag = batv::sign(&old, b"alice@example.com", Form::Prefix, days_ago(1012)).unwrap();
    let decision =
        policy(Mode::Enforce).incoming(&old, NULL, tag.address().unwrap().as_bytes(), Client::Other, today());
    assert_eq!((decision.action, decision.rule), (Action::Refuse, Rule::Expired));
    assert!(matches!(decision.verdict, Some(Verdict::Expired(_, Lapse::Lifetime))));
}

#[test]
fn reverse_any_sender_lets_srs_addresses_take_ordinary_mail() {
    let srs = forwarded(RING, "carol@example.org", today());
    let (action, rule) = enforced(&policy(Mode::Enforce).with_reverse_any_sender(true), OUTSIDER, &srs, Client::Other);
    assert_eq!((action.slug(), rule), ("reverse", Rule::SrsGenuine));
}

#[test]
fn an_srs_address_in_another_is_bad_since_none_is_made() {
    // The hash covers the parts without the `=` between them.
    let seen = forwarded(RING, "RS0=aaaa=bb=c.example=x@fwd.example.nets", today());
    let moved = seen.replace("fwd.example.nets=RS0=", "fwd.example.net=SRS0=");
    assert!(moved != seen);
    let decision = judge(&policy(Mode::Enforce), NULL, &moved);
    assert_eq!((decision.action, decision.rule), (Action::Refuse, Rule::SrsBad));
    assert_eq!(decision.verdict, Some(Verdict::Malformed(backstop::Malformed::Mailbox)));
}

#[test]
fn an_srs_address_of_another_forwarder_in_ours_is_reversed_to_it() {
    let theirs = "SRS0=aaaa=bb=c.example=x@relay.example";
    let ours = forwarded(RING, theirs, today());
    assert!(ours.starts_with("SRS1="));
    assert_eq!(told(&judge(&policy(Mode::Enforce), NULL, &ours)), format!("reverse {theirs}"));
    // Nor is a mailbox at an own forwarder an SRS address.
    let there = srs_of("postmaster@fwd.example.net");
    assert_eq!(told(&judge(&policy(Mode::Enforce), NULL, &there)), "reverse postmaster@fwd.example.net");
}

#[test]
fn an_srs_address_of_an_own_mailbox_is_judged_in_its_turn() {
    let tag = signed(RING, "alice@example.com", today());
    let expired = signed(RING, "alice@example.com", days_ago(30));
    for (inner, told_enforce, told_observe, rule) in [
        (tag.as_str(), "strip alice@example.com", "strip alice@example.com", Rule::Genuine),
        (expired.as_str(), "refuse log", "strip alice@example.com log", Rule::Expired),
        ("alice@example.com", "refuse log", "reverse alice@example.com log", Rule::Untagged),
        (
            "postmaster@example.com",
            "reverse postmaster@example.com log",
            "reverse postmaster@example.com log",
            Rule::ExemptRecipient,
        ),
    ] {
        let outer = srs_of(inner);
        for (mode, expected) in [(Mode::Enforce, told_enforce), (Mode::Observe, told_observe)] {
            let decision = judge(&policy(mode), NULL, &outer);
            assert_eq!((told(&decision).as_str(), decision.rule), (expected, rule), "{inner} {}", mode.as_str());
        }
    }
    // One that may return without a tag does.
    let unsigned = policy(Mode::Enforce).with_no_sign(list(&["alice"]));
    let outer = srs_of("alice@example.com");
    let decision = judge(&unsigned, NULL, &outer);
    assert_eq!((told(&decision).as_str(), decision.rule), ("reverse alice@example.com log", Rule::NoSign));
    // The mode is then that of the mailbox's domain.
    let mixed = policy(Mode::Enforce).with_domain(own(), Some(Mode::Observe), None);
    assert_eq!(judge(&mixed, NULL, &srs_of("alice@example.com")).mode, Mode::Observe);
    // Ordinary mail to it is refused as to every SRS address.
    let tagged = srs_of(&tag);
    let decision = judge(&policy(Mode::Enforce), OUTSIDER, &tagged);
    assert_eq!((decision.action, decision.rule), (Action::Refuse, Rule::SrsSender));
    let decision = judge(&policy(Mode::Observe), OUTSIDER, &tagged);
    assert_eq!(told(&decision), "strip alice@example.com log");
}

#[test]
fn tags_of_other_sites_inside_srs_return_as_they_are() {
    // A key for every domain does not make the tags of other sites ours.
    let ring =
        ring("version 1\nprvs 4 sha256 10 - - * text:one\nsrs 0 sha1 21 2026-09-01 - fwd.example.net text:three\n");
    for tag in ["prvs=4788abcdef=", "prvs=9788abcdef=", "btv1==123456789ab==", "prvs=x="] {
        let sender = format!("{tag}carol@example.org");
        let outer = srs_of(&sender);
        let decision = policy(Mode::Enforce).incoming(&ring, NULL, outer.as_bytes(), Client::Other, today());
        assert_eq!(told(&decision), format!("reverse {sender}"), "{outer}");
    }
}

/// Also above 64 octets, as peers emit.
fn srs_of(address: &str) -> String {
    let own = Domains::parse("fwd.example.net").unwrap();
    let dialect = Dialect::CLASSIC.with_always_rewrite(true).with_over_long(srs::OverLong::Emit);
    let signed = srs::forward(&ring(RING), address.as_bytes(), "fwd.example.net", &own, &dialect, today()).unwrap();
    signed.address().unwrap().to_string()
}

#[test]
fn an_own_srs_address_inside_srs1_is_reversed_to_the_end() {
    let inner = forwarded(RING, "carol@example.org", today());
    let other = ring("version 1\nsrs 0 sha1 21 - - * text:theirs\n");
    let theirs = Domains::parse("relay.example").unwrap();
    let emit = Dialect::CLASSIC.with_over_long(srs::OverLong::Emit);
    let hop = srs::forward(&other, inner.as_bytes(), "relay.example", &theirs, &emit, today()).unwrap();
    // Theirs is not ours to judge; ours comes back to us as SRS0.
    assert_eq!(judge(&policy(Mode::Enforce), NULL, &hop.address().unwrap().to_string()).rule, Rule::NotOwn);
    assert_eq!(told(&judge(&policy(Mode::Enforce), NULL, &inner)), "reverse carol@example.org");
}

#[test]
fn mailboxes_whose_mail_leaves_unsigned_never_lose_a_bounce() {
    let policy = policy(Mode::Enforce).with_no_sign(list(&["news", "@raw.example.com"]));
    for (recipient, rule) in [
        ("news@example.com", Rule::NoSign),
        ("anyone@raw.example.com", Rule::NoSign),
        ("x@fwd.example.net", Rule::NotOwn),
    ] {
        assert_eq!(enforced(&policy, NULL, recipient, Client::Other), (Action::Unchanged, rule), "{recipient}");
    }
}

#[test]
fn the_form_of_new_tags_is_as_set_and_both_are_stripped() {
    let policy = policy(Mode::Enforce).with_form(Form::Subaddress);
    let sent = policy.outgoing(&ring(RING), b"alice@example.com", [OUTSIDER], Origin::Submitted, today());
    let sender = sent.rewrite.unwrap().to_string();
    assert!(sender.starts_with("alice+prvs=4"), "{sender}");
    assert_eq!(told(&judge(&policy, NULL, &sender)), "strip alice@example.com");
    assert_eq!(told(&judge(&policy, NULL, &signed(RING, "bob@example.com", today()))), "strip bob@example.com");
}

#[test]
fn slugs_are_lower_case_words_and_every_rule_has_its_own() {
    let slugs: std::collections::BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.slug()).collect();
    assert_eq!(slugs.len(), Rule::ALL.len());
    for &rule in Rule::ALL {
        assert!(rule.slug().bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'-'), "{rule}");
        assert!(rule.sentence().ends_with('.') && rule.sentence().is_ascii(), "{rule}");
    }
}
