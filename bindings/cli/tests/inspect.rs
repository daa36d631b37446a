//! `backstop inspect` over files as they lie on hosts: mbox, Maildir, streams; its JSON, its reports, and its memory.
//!
//! What a message is stands in `tests/bounce_*.rs` of the library; the words are in `cmd/inspect.trycmd` and in the tutorial.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod common;
#[path = "common/inspecting.rs"]
mod inspecting;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use common::{backstop, folder, private, run};
use inspecting::{RECIPIENT, fixture, fixtures, inspect, mbox, objects};
use serde_json::{Value, json};

fn files(output: &[u8]) -> Vec<String> {
    objects(output).iter().map(|it| it["file"].as_str().unwrap().to_owned()).collect()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn every_fixture_gives_one_object_with_the_promised_keys_in_order() {
    let mut paths: Vec<PathBuf> = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "eml"));
    let ended = run(inspect("fixtures").args(RECIPIENT).arg("--json").args(&paths), b"");
    let lines: Vec<&[u8]> = ended.stdout.split(|octet| *octet == b'\n').collect();
    assert_eq!(lines.len(), paths.len() + 1);
    for (path, line) in paths.iter().zip(lines) {
        let it: Value = serde_json::from_slice(line).unwrap();
        let wanted = [
            "file", "kind", "verdict", "proof", "reason", "score", "evidence", "returned", "source", "mailbox",
            "advice", "would",
        ];
        let text = std::str::from_utf8(line).unwrap();
        let mut at = 0;
        for name in wanted {
            at += text[at..].find(&format!("\"{name}\":")).unwrap();
        }
        assert_eq!(keys(&it).len(), wanted.len());
        assert_eq!(it["file"], path.to_str().unwrap());
        for evidence in it["evidence"].as_array().unwrap() {
            assert_eq!(keys(evidence).len(), 3, "{evidence}");
            assert!(evidence["id"].is_string() && evidence["weight"].is_i64() && evidence["why"].is_string());
        }
        let expected: Value = serde_json::from_slice(&fs::read(path.with_extension("json")).unwrap()).unwrap();
        assert_eq!(it["kind"], expected["kind"], "{}", path.display());
        assert_eq!(it["source"].is_null(), it["kind"] == "not-a-bounce");
    }
    assert_eq!(ended.status.code(), Some(1));
}

#[test]
fn all_of_an_mbox_counts_whatever_one_message_is() {
    let odd = [
        vec![],
        b"\xff\xfe\0\0".to_vec(),
        vec![b'x'; 3 << 20],
        b"Content-Type: multipart/mixed; boundary=\n\n--".to_vec(),
    ];
    let mut messages = vec![fixture("postfix")];
    for message in odd {
        messages.push([b"Subject: odd\n\n", message.as_slice()].concat());
        messages.push(fixture("qmail"));
    }
    let input = mbox(&messages);
    let ended = run(inspect("odd").args(RECIPIENT).args(["--json", "-"]), &input);
    assert_eq!(files(&ended.stdout), (1..=9).map(|number| format!("-#{number}")).collect::<Vec<_>>());
    let verdicts: Vec<Value> = objects(&ended.stdout).iter().step_by(2).map(|it| it["verdict"].clone()).collect();
    assert_eq!(verdicts, vec![json!("backscatter"); 5]);
    assert_eq!(ended.stderr, b"backstop: 5 of 9 answer no recent mail of ours: backscatter 5\n");
}

#[test]
fn maildir_and_its_folders_are_read_and_what_is_unread_is_told() {
    let home = folder("maildir");
    for (name, message) in [("cur/1:2,S", "mail"), ("new/2", "postfix"), (".Junk/cur/3:2,", "qmail"), ("tmp/4", "exim")]
    {
        let path = home.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, fixture(message)).unwrap();
    }
    fs::write(home.join("dovecot-uidlist"), b"3 V1\n").unwrap();
    let mut command = inspect("maildir-run");
    command.args(RECIPIENT).arg("--json").arg(&home);
    let seen = files(&run(&mut command, b"").stdout);
    let names: Vec<&str> = seen.iter().map(|path| path.strip_prefix(home.to_str().unwrap()).unwrap()).collect();
    assert_eq!(names, ["/cur/1:2,S", "/new/2", "/.Junk/cur/3:2,"]);
    std::os::unix::fs::symlink("/nowhere", home.join("new/5")).unwrap();
    let ended = run(&mut command, b"");
    assert_eq!((files(&ended.stdout).len(), ended.status.code()), (3, Some(2)));
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(
        told.contains("new/5 cannot be read: ")
            && told.ends_with("1 of 4 files cannot be read; the counts are without them\n")
    );
}

#[test]
fn only_a_recipient_that_the_delivering_host_wrote_lets_a_tag_prove() {
    let tag = run(
        backstop()
            .args(["sign", "--at", "2026-11-20", "--keys"])
            .arg(private("tag", include_bytes!("ring")))
            .arg("alice@example.com"),
        b"",
    );
    let tag = String::from_utf8(tag.stdout).unwrap();
    let with = |line: String, above: bool| {
        let text = String::from_utf8(fixture("postfix")).unwrap();
        if above { line + &text } else { text.replacen("From: MAILER", &(line + "From: MAILER"), 1) }
    };
    let judged = |message: String, words: &[&str]| {
        let it = &objects(&run(inspect("trust").arg("--json").args(words).arg("-"), message.as_bytes()).stdout)[0];
        (it["verdict"].as_str().unwrap().to_owned(), it["proof"].as_str().unwrap_or_default().to_owned())
    };
    let genuine = ("genuine".to_owned(), "recipient-tag".to_owned());
    let unproven = ("unproven".to_owned(), String::new());
    for field in ["X-Original-To", "Envelope-To", "Delivered-To"] {
        assert_eq!(judged(with(format!("{field}: {tag}"), true), &[]), genuine, "{field}");
        assert_eq!(judged(with(format!("{field}: {tag}"), false), &[]), unproven, "{field} below Received");
        assert_eq!(
            judged(with(format!("{field}: {tag}"), false), &["--recipient-from", field]),
            genuine,
            "{field} named"
        );
    }
    let to =
        String::from_utf8(fixture("postfix")).unwrap().replacen("To: alice@example.com\n", &format!("To: {tag}"), 1);
    assert_eq!(judged(to.clone(), &[]), unproven);
    assert_eq!(judged(to, &["--recipient", "alice@example.com"]).0, "backscatter");
    assert_eq!(judged(with(String::new(), true), &["--recipient", tag.trim()]), genuine);
}

#[test]
fn a_burst_of_genuine_bounces_names_the_mailbox() {
    let tag = run(
        backstop()
            .args(["sign", "--at", "2026-11-20", "--keys"])
            .arg(private("burst", include_bytes!("ring")))
            .arg("alice@example.com"),
        b"",
    );
    let message = [b"Delivered-To: ".as_slice(), &tag.stdout, &fixture("postfix")].concat();
    let told = |number: usize| {
        let input = mbox(&vec![message.clone(); number]);
        objects(&run(inspect("burst-run").args(["--summary-json", "-"]), &input).stdout).remove(0)
    };
    let summary = told(12);
    assert_eq!(summary["verdicts"], json!({"genuine": 12}));
    assert_eq!(
        summary["stolen_accounts"],
        json!([{"mailbox": "alice@example.com", "from": "2026-11-20 10:00", "to": "2026-11-20 11:00", "messages": 12, "usual": 0, "step_seconds": 3600}])
    );
    assert_eq!(summary["tokens"][0]["messages"], 12);
    assert_eq!(told(9)["stolen_accounts"], json!([]));
}

#[test]
fn the_author_of_reports_has_neither_brackets_nor_a_route() {
    let out = folder("author").join("out");
    let mut command = inspect("author-run");
    command.args(RECIPIENT).args(["--report-from", "<@x.example:abuse@example.com>", "--report-to"]).arg(&out).arg("-");
    run(&mut command, &fixture("postfix"));
    let arf = fs::read_to_string(out.join("000001-mx.reflector.example.arf.eml")).unwrap();
    assert!(arf.contains("\nFrom: abuse@example.com\n") || arf.starts_with("From: abuse@example.com\n"), "{arf}");
    assert!(!arf.contains("x.example:"), "{arf}");
}

#[test]
fn the_name_of_a_file_is_no_label_of_the_text() {
    let path = folder("label").join("kind x.eml");
    fs::write(&path, fixture("mail")).unwrap();
    let mut command = inspect("label-run");
    command.args(RECIPIENT).arg("kind x.eml").current_dir(path.parent().unwrap());
    let text = String::from_utf8(run(&mut command, b"").stdout).unwrap();
    assert!(text.starts_with("kind x.eml\nkind       not-a-bounce"), "{text}");
}

#[test]
fn reports_are_files_that_are_never_replaced_and_hold_no_own_address() {
    let path = folder("reports");
    let out = path.join("out");
    let input = mbox(&[fixture("postfix"), fixture("postfix"), fixture("mail"), fixture("lang_de_answer")]);
    let mut command = inspect("reports-run");
    command.args(RECIPIENT).args(["--report-from", "abuse@example.com", "--reports-per-host", "1", "--report-to"]);
    command.arg(&out).arg("-");
    let ended = run(&mut command, &input);
    assert!(String::from_utf8_lossy(&ended.stderr).contains("1 messages reported"), "{ended:?}");
    let mut names: Vec<String> =
        fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let name = "000001-mx.reflector.example";
    assert_eq!(names, ["arf.eml", "letter.txt", "record.txt"].map(|kind| format!("{name}.{kind}")));
    for file in &names {
        let text = fs::read_to_string(out.join(file)).unwrap();
        assert!(!text.contains("alice@"), "{file}");
        assert_eq!(common::mode(&out.join(file)), 0o600);
    }
    let arf = fs::read_to_string(out.join(format!("{name}.arf.eml"))).unwrap();
    for line in [
        "From: abuse@example.com",
        "To: postmaster@mx.reflector.example",
        "Date: Fri, 20 Nov 2026 10:12:00 +0000",
        "Source-IP: 203.0.113.9",
    ] {
        assert!(arf.contains(&format!("{line}\n")), "{line}\n{arf}");
    }
    let mut below = inspect("reports-below");
    below
        .args(RECIPIENT)
        .args(["--report-from", "abuse@example.com", "--report-to"])
        .arg(path.join("none/out"))
        .arg("-");
    let refused = run(&mut below, b"");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("none/out cannot be made: its folder is not there; make that first"), "{said}");
    assert!(!path.join("none").exists());
    let again = command.stdin(Stdio::null()).output().unwrap();
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not empty; name a new folder"));
}

#[test]
fn a_page_is_whole_and_shows_no_markup_of_others() {
    let path = folder("page").join("page.html");
    let spam = String::from_utf8(fixture("postfix")).unwrap();
    let spam = spam.replace("Subject: You won", "Subject: <script>alert(1)</script><img src=x>");
    let ended = run(inspect("page-run").args(RECIPIENT).arg("--html").arg(&path).arg("-"), spam.as_bytes());
    assert_eq!(ended.status.code(), Some(1));
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.ends_with("</html>\n") && page.contains("&lt;script&gt;alert(#)&lt;/script&gt;"));
    for part in ["<script", "<img", "http://", "https://", "url(", "@import", "onload"] {
        assert!(!page.contains(part), "{part}");
    }
}

#[test]
fn two_hundred_megabytes_of_mail_take_the_memory_of_a_little() {
    // Every message has a host, a network, a subject and an hour of its own, so that every count meets its limit.
    let template = String::from_utf8(fixture("postfix")).unwrap();
    let pad = "x".repeat(72).as_str().to_owned() + "\n";
    let template = template.replace("Click http", &(pad.repeat(220) + "Click http"));
    let page = folder("memory").join("page.html");
    let mut child = inspect("memory-run")
        .args(RECIPIENT)
        .arg("--html")
        .arg(&page)
        .args(["--summary-json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let (mut written, mut number) = (0, 0_u32);
    while written < 200 << 20 {
        let [_, a, b, c] = number.to_be_bytes();
        let letters: String = number.to_string().bytes().map(|digit| char::from(digit + 49)).collect();
        let message = template
            .replace("mx.reflector.example", &format!("mx.{letters}.example"))
            .replace("198.51.100.17", &format!("20.{a}{b}.{c}.17").replace("20.0", "20."))
            .replace("You won", &letters)
            .replace(
                "Fri, 20 Nov 2026 10:12:00",
                &format!("{:02} Jan {} {:02}:12:00", 1 + number % 28, 1990 + number / 672 % 36, number / 28 % 24),
            );
        let message = mbox(&[message.into_bytes()]);
        stdin.write_all(&message).unwrap();
        written += message.len();
        number += 1;
    }
    let peak = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    drop(stdin);
    let ended = child.wait_with_output().unwrap();
    let summary = &objects(&ended.stdout)[0];
    assert_eq!(summary["messages"], number);
    assert!(number > 10_000);
    println!("{number} messages, {written} octets: {peak} kB");
    assert!(peak < 32 << 10, "{peak} kB");
    for (octets, most) in [(fs::metadata(page).unwrap().len(), 100 << 10), (ended.stdout.len() as u64, 100 << 10)] {
        assert!((1000..most).contains(&octets), "{octets} octets");
    }
}
