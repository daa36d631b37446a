//! `backstopd ready` and `backstopd stats`: from the log of the real daemon, and from logs of many days.

use std::io::Write;
use std::process::{Command, Stdio};

use backstop::srs;
use serde_json::{Value, json};

use crate::common::{Daemon, Folder, forged, signed};

/// Exit code, standard output and standard error of a command that reads this log.
pub(crate) fn run(arguments: &[&str], log: impl AsRef<[u8]>) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_backstopd"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut to, log) = (child.stdin.take().unwrap(), log.as_ref().to_vec());
    let writing = std::thread::spawn(move || drop(to.write_all(&log)));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

pub(crate) fn as_json(arguments: &[&str], log: impl AsRef<[u8]>) -> (i32, Value) {
    let (code, out, err) = run(&[arguments, &["--json"]].concat(), log);
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}")))
}

#[test]
fn sigusr1_which_logrotate_sends_to_every_process_of_the_program_ends_no_report() {
    for report in ["ready", "stats"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_backstopd"));
        let pipes = command.arg(report).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        // More than a pipe holds: it reads.
        child.stdin.as_mut().unwrap().write_all(&good().into_bytes().repeat(40)).unwrap();
        assert!(Command::new("kill").args(["-USR1", &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.code().is_some() && !output.stdout.is_empty(), "{report}: {output:?}");
    }
}

/// A line of the log in November 2026.
fn line(day: u32, mut fields: Value) -> String {
    let fields = fields.as_object_mut().unwrap();
    fields.insert("time".to_owned(), format!("2026-11-{day:02}T10:00:00Z").into());
    format!("{}\n", Value::Object(fields.clone()))
}

fn sent(day: u32, sender: &str, reason: &str) -> String {
    let action = if reason == "signed" { "sign" } else { "keep" };
    line(
        day,
        json!({"event": "outgoing", "face": "milter", "mode": "observe", "action": action, "client": "192.0.2.9",
            "sender": sender, "reason": reason}),
    )
}

fn bounce(day: u32, mode: &str, to: &str, verdict: &str) -> String {
    let (refused, genuine) = (mode == "enforce" && verdict != "genuine", verdict == "genuine");
    line(
        day,
        json!({"event": "incoming", "face": "milter", "mode": mode, "client": "198.51.100.1", "sender": "<>",
            "action": if genuine { "strip" } else if refused { "refuse" } else { "unchanged" },
            "would": if genuine { "strip" } else { "refuse" }, "recipient": to, "mailbox": to, "verdict": verdict,
            "reason": verdict, "age": if verdict == "untagged" { Value::Null } else { 3.into() }}),
    )
}

/// Twenty days of signing and one untagged bounce a day.
fn good() -> String {
    (1..=20)
        .map(|day| sent(day, "alice@example.com", "signed") + &bounce(day, "observe", "Alice@Example.com", "untagged"))
        .collect()
}

#[test]
fn the_log_of_a_real_daemon_is_understood_whole() {
    let daemon = Daemon::start(
        "[policy]\nown-domains = [\"example.com\"]\nmode = \"enforce\"\nrefuse-at = \"rcpt\"\n[keys]\nfile = \"DIR/keys\"\n\
         [log]\nformat = \"json\"\nevents = \"all\"\n[socketmap]\nlisten = [\"unix:DIR/map\"]\n\
         [policy-service]\nlisten = [\"unix:DIR/policy\"]\n",
    );
    let mut map = daemon.connect("map");
    map.map("sign", "alice@example.com");
    map.map("sign", "someone@elsewhere.example");
    let mut peer = daemon.connect("policy");
    let genuine = signed("alice@example.com", 3);
    for recipient in [&genuine, &genuine, &genuine, &genuine, &genuine, &forged("alice@example.com"), "bob@example.com"]
    {
        peer.ask("RCPT", "", recipient, "");
    }
    peer.ask("RCPT", "someone@elsewhere.example", "not an address", "");
    daemon.wait_for("\"not an address\"");
    let log = daemon.log().join("\n");

    let (code, stats) = as_json(&["stats"], &log);
    assert_eq!((code, &stats["log"]["broken"]["lines"]), (0, &json!(0)));
    let sum = &stats["modes"][0]["sum"];
    assert_eq!(
        (&stats["modes"][0]["mode"], &sum["signed"], &sum["bounces"]),
        (&json!("enforce"), &json!(1), &json!(7))
    );
    assert_eq!((&sum["verdicts"]["genuine"], &sum["refused"], &sum["let_in"]), (&json!(5), &json!(2), &json!(0)));
    assert_eq!(stats["tags"], json!([{"recipient": genuine, "uses": 5, "proof": "recipient-tag"}]));
    assert_eq!(stats["clients"], json!([{"client": "192.0.2.1", "count": 2}]));

    let (code, ready) = as_json(&["ready"], &log);
    assert_eq!((code, &ready["domains"][0]["against"][0]["reason"]), (1, &json!("too-short")));
    assert_eq!(ready["domains"].as_array().unwrap().len(), 1);
    assert_eq!(ready["domains"][0]["paths"], json!([{"face": "socketmap", "signed": 1, "unsigned": 0, "share": 1.0}]));
}

#[test]
fn a_domain_whose_log_shows_nothing_against_it_may_enforce() {
    let (code, out, err) = run(&["ready"], good());
    assert_eq!((code, err.as_str()), (0, ""));
    let expected = "log: 2026-11-01 to 2026-11-20 (20 days), 40 decisions in 40 lines\n\
        \n\
        example.com: yes, enforce (mode observe)\n\
        \x20 signed by path  mails  signed    share\n\
        \x20 milter             20      20  100.0 %\n\
        \x20 last unsigned, but no-sign and too-long: none\n\
        \x20 would be refused  count        last\n\
        \x20 untagged             20  2026-11-20\n\
        \x20 to                 count  mails signed  reason\n\
        \x20 alice@example.com     20            20  untagged\n";
    assert_eq!(out, expected);
}

#[test]
fn what_speaks_against_it_is_told_by_name_and_can_be_accepted() {
    for (more, slug) in [
        (sent(15, "bob@example.com", "not-vouched"), "not-vouched"),
        (sent(15, "bob@example.com", "no-key"), "no-key"),
        (sent(15, "bob@example.com", "no-sign-recipients"), "no-sign-recipients"),
        (bounce(15, "observe", "bob@example.com", "unknown-key"), "unknown-key"),
        (
            line(
                20,
                json!({"event": "outgoing", "face": "milter", "mode": "off", "action": "keep", "sender": "a@example.com",
            "reason": "off"}),
            ),
            "off",
        ),
    ] {
        let log = good() + &more;
        let (code, found) = as_json(&["ready"], &log);
        let against = found["domains"][0]["against"].as_array().unwrap();
        assert_eq!((code, against.len(), &against[0]["reason"]), (1, 1, &json!(slug)), "{found}");
        assert_eq!((&found["ready"], &found["domains"][0]["enforce"]), (&json!(false), &json!(false)));
        assert_eq!(run(&["ready", "--accept", slug], &log).0, 0, "{slug}");
    }
    // Mail that lies further back than the days does not count, nor does what costs no bounce.
    for more in [
        sent(6, "b@example.com", "no-key"),
        sent(20, "b@example.com", "no-sign"),
        sent(20, "b@example.com", "too-long"),
    ] {
        assert_eq!(run(&["ready"], good() + &more).0, 0, "{more}");
    }
    assert_eq!(run(&["ready"], good() + &sent(7, "b@example.com", "no-key")).0, 1);
}

#[test]
fn the_days_must_be_shown_and_are_counted_to_the_end_of_the_log() {
    for (days, code) in [("20", 0), ("21", 1)] {
        assert_eq!(run(&["ready", "--days", days], good()).0, code, "{days}");
    }
    let (_, found) = as_json(&["ready"], good() + &sent(16, "b@example.com", "not-vouched"));
    let domain = &found["domains"][0];
    assert_eq!((&domain["last_unsigned"], &domain["days_since_unsigned"]), (&json!("2026-11-16"), &json!(4)));
    assert_eq!(domain["not_vouched"], json!([{"client": "192.0.2.9", "count": 1}]));
    let share = domain["paths"][0]["share"].as_f64().unwrap();
    assert!((share - 20. / 21.).abs() < 1e-9);
}

#[test]
fn a_mailbox_with_bounces_that_never_sent_is_pointed_at() {
    let (code, out, _) = run(&["ready"], good() + &bounce(20, "observe", "carol@example.com", "untagged"));
    assert_eq!(code, 0);
    assert!(out.contains("  carol@example.com      1             0  untagged\n"), "{out}");
    assert!(out.contains("note: mailboxes with untagged bounces of which no mail was signed: 1;"), "{out}");
}

#[test]
fn signing_that_stopped_long_before_the_end_speaks_against_it() {
    // Bounces go on: the log does not end.
    let until = |last: u32| -> String {
        (1..=20)
            .map(|day| {
                let signed = if day <= last { sent(day, "alice@example.com", "signed") } else { String::new() };
                signed + &bounce(day, "observe", "alice@example.com", "untagged")
            })
            .collect()
    };
    let (code, found) = as_json(&["ready"], until(13));
    let domain = &found["domains"][0];
    assert_eq!((code, &domain["against"][0]["reason"], &domain["enforce"]), (1, &json!("stopped"), &json!(false)));
    assert_eq!(
        (&domain["first_signed"], &domain["last_signed"], &domain["days_signed"]),
        (&json!("2026-11-01"), &json!("2026-11-13"), &json!(7))
    );
    assert_eq!(domain["notes"], json!([]));
    assert!(
        run(&["ready"], until(13)).1.contains("  stopped: no mail was signed after 2026-11-13, 7 days before the end;")
    );
    assert_eq!(run(&["ready", "--accept", "stopped"], until(13)).0, 0);
    let (code, found) = as_json(&["ready"], until(14));
    let note = found["domains"][0]["notes"][0].as_str().unwrap();
    assert!(code == 0 && note.starts_with("no mail was signed from 2026-11-15 to 2026-11-20;"), "{found}");
}

#[test]
fn days_without_signed_mail_are_told_if_they_are_more_than_a_long_weekend() {
    let without = |from: u32, to: u32| -> String {
        let gap = |line: &&str| !(from..=to).any(|day| line.contains(&format!("2026-11-{day:02}")));
        good().split_inclusive('\n').filter(|line| gap(line) || line.contains("incoming")).collect()
    };
    for (from, to, told) in [
        (10, 12, None),
        (10, 13, Some("2026-11-10 to 2026-11-13")),
        (5, 9, None),
        (4, 10, Some("2026-11-07 to 2026-11-10")),
    ] {
        let (code, out, _) = run(&["ready"], without(from, to));
        assert_eq!(code, 0);
        match told {
            Some(days) => assert!(out.contains(&format!("  note: no mail was signed from {days};")), "{out}"),
            None => assert!(!out.contains("note"), "{out}"),
        }
    }
}

#[test]
fn the_uses_of_a_mark_are_told_by_its_mailbox_and_not_as_the_tag_beside_it() {
    let by_mark = |to: &str, verdict: &str, proof: Value| {
        let fields = json!({"event": "incoming", "face": "milter", "mode": "enforce", "action": "strip", "would": "strip",
            "client": "198.51.100.1", "sender": "<>", "recipient": to, "mailbox": "alice@example.com", "verdict": verdict,
            "reason": "mark-genuine", "kind": "dsn-failed", "message": "genuine", "proof": proof, "uses": 7});
        line(1, fields)
    };
    let (forged, genuine) = (forged("alice@example.com"), signed("bob@example.com", 0));
    let log = by_mark(&forged, "forged", "returned-mark".into())
        + &by_mark(&genuine, "genuine", "recipient-tag".into())
        + &by_mark("carol@example.com", "untagged", Value::Null);
    let (_, found) = as_json(&["stats"], &log);
    let expected = json!([
        {"recipient": "alice@example.com", "uses": 7, "proof": "returned-mark"},
        {"recipient": genuine, "uses": 7, "proof": "recipient-tag"},
    ]);
    assert_eq!(found["tags"], expected);
    let (_, out, _) = run(&["stats"], &log);
    let shown = out.lines().any(|line| line.split_whitespace().eq(["alice@example.com", "7", "returned-mark"]));
    assert!(shown && !out.contains(&forged), "{out}");
}

#[test]
fn each_domain_is_judged_by_itself() {
    let (code, found) = as_json(&["ready"], good() + &sent(20, "a@other.example", "signed"));
    assert_eq!(code, 1);
    let domains =
        found["domains"].as_array().unwrap().iter().map(|it| (it["domain"].as_str().unwrap(), &it["enforce"]));
    assert_eq!(domains.collect::<Vec<_>>(), [("example.com", &json!(true)), ("other.example", &json!(false))]);
}

#[test]
fn bounces_to_srs_addresses_make_no_section_of_a_forwarder() {
    let config = "[policy]\nown-domains = [\"example.com\"]\nmode = \"MODE\"\nrefuse-at = \"rcpt\"\n[policy.srs]\n\
        forwarders = [\"fwd.example.org\"]\n[keys]\nfile = \"DIR/keys\"\n[log]\nformat = \"json\"\naddresses = \"SHOWN\"\n\
        [policy-service]\nlisten = [\"unix:DIR/policy\"]\n";
    let ring = backstop::KeyRing::parse(crate::common::RING.as_bytes()).unwrap();
    let genuine = |sender: &str| {
        let (own, dialect) = (srs::own_forwarders("fwd.example.org", "").unwrap(), srs::Dialect::CLASSIC);
        let made = srs::forward(&ring, sender.as_bytes(), "fwd.example.org", &own, &dialect, crate::common::today());
        made.unwrap().address().unwrap().to_string()
    };
    let own = signed("alice@example.com", 0);
    for (mode, shown) in [("observe", "full"), ("observe", "domain"), ("enforce", "full")] {
        let daemon = Daemon::start(&config.replace("MODE", mode).replace("SHOWN", shown));
        let mut peer = daemon.connect("policy");
        for (number, recipient) in [
            genuine("bob@elsewhere.example"),
            genuine("alice@example.com"),
            genuine(&own),
            genuine(&signed("alice@example.com", 60)),
            "SRS0=abcd=JK=example.net=bob@fwd.example.org".to_owned(),
        ]
        .iter()
        .enumerate()
        {
            for sender in ["", "carol@elsewhere.example"] {
                peer.ask("RCPT", sender, recipient, &format!("instance={number}\n"));
            }
        }
        peer.ask("RCPT", "", "alice@example.com", "instance=9\n");
        daemon.wait_for("\"instance\":\"9\"");
        for reason in ["srs-genuine", "srs-bad", "srs-sender"] {
            assert!(daemon.log().iter().any(|line| line.contains(reason)), "{reason}: {:#?}", daemon.log());
        }
        let (_, found) = as_json(&["ready"], daemon.log().join("\n") + "\n");
        let domains: Vec<&Value> = found["domains"].as_array().unwrap().iter().map(|it| &it["domain"]).collect();
        assert_eq!(domains, ["example.com"], "{mode} {shown}: {:#?}", daemon.log());
    }
}

#[test]
fn stats_set_the_days_before_beside_those_after() {
    let mut log = String::new();
    for day in 1..=4 {
        let mode = if day < 3 { "observe" } else { "enforce" };
        log += &sent(day, "alice@example.com", "signed").replace("observe", mode);
        log += &bounce(day, mode, "alice@example.com", "genuine");
        (0..day).for_each(|_| log += &bounce(day, mode, "alice@example.com", "untagged"));
    }
    let (code, out, err) = run(&["stats"], &log);
    assert_eq!((code, err.as_str()), (0, ""));
    let before_and_after = "Before and after, a day:\n\
        \x20                           observe  enforce\n\
        \x20 days                            2        2\n\
        \x20 own mail signed               1.0      1.0\n\
        \x20 own mail unsigned             0.0      0.0\n\
        \x20 share of own mail signed  100.0 %  100.0 %\n\
        \x20 forwarded mail rewritten      0.0      0.0\n\
        \x20 bounces                       2.5      4.5\n\
        \x20   genuine, delivered          1.0      1.0\n\
        \x20   not genuine, let in         1.5      0.0\n\
        \x20   not genuine, kept out       0.0      3.5\n\
        \x20 refused in all                0.0      3.5\n\
        \x20 would be refused              1.5      0.0\n\
        \x20 sent away for an hour         0.0      0.0\n";
    assert!(out.contains(before_and_after), "{out}");
    let (_, found) = as_json(&["stats"], &log);
    let days: Vec<_> = found["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (&it["sum"]["would_refuse"], &it["sum"]["refused"]))
        .collect();
    assert_eq!(days, [(&json!(1), &json!(0)), (&json!(2), &json!(0)), (&json!(0), &json!(3)), (&json!(0), &json!(4))]);
    assert_eq!(found["reasons"], json!([{"reason": "untagged", "refused": 7, "would_refuse": 3}]));
}

#[test]
fn broken_lines_are_counted_and_named_and_the_rest_is_read() {
    let log = format!("{{\"time\":\n\n{}2026-11-21T10:00:00Z outgoing face=milter\n{}", good(), "x".repeat(200_000));
    for command in ["ready", "stats"] {
        let (code, out, err) = run(&[command], &log);
        assert_eq!(code, 0);
        assert!(out.contains("40 decisions in 43 lines"), "{out}");
        let told = "backstopd: 3 of 43 lines are no events and were left out: line 1 of standard input is no JSON; \
            line 43 of standard input is no JSON; line 44 of standard input is too long\n";
        assert_eq!(err, told);
    }
    let (_, found) = as_json(&["stats"], &log);
    assert_eq!(found["log"]["broken"]["lines"], 3);
}

#[test]
fn a_log_without_events_and_one_that_is_not_there_end_with_their_codes() {
    let (code, out, err) = run(&["ready"], "2026-11-21T10:00:00Z outgoing face=milter sender=a@b\n");
    assert_eq!((code, out.as_str()), (65, ""));
    assert!(err.contains("it is read as JSON, [log] format = \"json\"; line 1 of standard input is no JSON"), "{err}");
    let (code, _, err) = run(&["stats", "/no/log"], "");
    assert_eq!(
        (code, err.as_str()),
        (66, "backstopd: the log /no/log cannot be read: it is not there; correct its name\n")
    );
    let (code, _, err) = run(&["ready", "/"], "");
    assert_eq!((code, err.as_str()), (66, "backstopd: the log / cannot be read: it is a folder; name a file\n"));
    assert_eq!(run(&["ready", "--accept", "nonsense"], "").0, 64);
}

#[test]
fn several_files_count_as_one_log_in_any_order() {
    let folder = Folder::new();
    let (early, late): (Vec<&str>, Vec<&str>) =
        { good() }.leak().split_inclusive('\n').partition(|line| line.contains("2026-11-0"));
    let (early, late) = (folder.write("log.1", &early.concat()), folder.write("log", &late.concat()));
    let (early, late) = (early.to_str().unwrap(), late.to_str().unwrap());
    let (code, out, _) = run(&["ready", late, early], "");
    assert_eq!((code, out), {
        let (code, out, _) = run(&["ready", "-"], good());
        (code, out)
    });
    assert_eq!(run(&["ready", late], "").0, 1);
}

#[test]
fn what_an_address_holds_cannot_write_on_the_terminal() {
    let (_, out, _) = run(&["ready"], good() + &bounce(20, "observe", "a\u{1b}[2Jb@example.com", "untagged"));
    assert!(out.contains("a\\u{1b}[2jb@example.com") && !out.contains('\u{1b}'), "{out}");
}

#[test]
fn a_log_of_very_many_addresses_takes_bounded_memory() {
    let mut log = good();
    for number in 0..100_000 {
        log += &bounce(20, "observe", &format!("{}{number}@example.com", "x".repeat(200)), "untagged");
    }
    for command in ["ready", "stats"] {
        let folder = Folder::new();
        let file = folder.write("log", &log);
        // 64 MB of address space for all of it.
        let limited = format!("ulimit -v 65536; exec \"$0\" {command} --json \"$1\"");
        let output =
            Command::new("sh").args(["-c", &limited, env!("CARGO_BIN_EXE_backstopd")]).arg(&file).output().unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        assert_eq!(found["log"]["decisions"], 100_040);
    }
}
