//! Streams, as scripts and MTAs use them: every line in gives one line out, in order, whatever the line is and however
//! long the stream; memory stays as it is; a reader that goes away is no trouble.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use common::{backstop, private, run};

const RING: &[u8] = b"version 1\nprvs 0 sha1 7 - - * text:secret\nsrs 0 sha1 21 - - * text:tops3cr3t\n";

/// A command with a ring, on a fixed day, reading standard input.
fn stream(ring: &str, words: &[&str]) -> Command {
    let mut command = backstop();
    command.args(words).args(["--at", "2026-11-21", "--keys"]).arg(private(ring, RING)).arg("-");
    command
}

#[test]
fn a_million_lines_give_a_million_lines_in_order() {
    let input: String = (0..1_000_000).map(|number| format!("user{number}@example.com\n")).collect();
    let signed = run(&mut stream("million", &["sign"]), input.as_bytes());
    assert_eq!(signed.status.code(), Some(0));
    let lines: Vec<&str> = std::str::from_utf8(&signed.stdout).unwrap().lines().collect();
    assert_eq!(lines.len(), 1_000_000);
    for (number, line) in lines.iter().enumerate() {
        let address = line.strip_prefix("prvs=0785").unwrap().get(7..).unwrap();
        assert_eq!(address, format!("user{number}@example.com"));
    }
    let verified = run(&mut stream("million", &["verify"]), &signed.stdout);
    assert_eq!(verified.status.code(), Some(0));
    let verdicts = std::str::from_utf8(&verified.stdout).unwrap().lines();
    assert_eq!(verdicts.clone().count(), 1_000_000);
    for (number, line) in verdicts.enumerate() {
        assert_eq!(line, format!("genuine user{number}@example.com key=0 signed=2026-11-21 expires=2026-11-28"));
    }
}

#[test]
fn odd_lines_count_and_the_stream_goes_on() {
    let input = b"a@b.example\r\n\n\xff\xfe@b.example\na\0b@c\n<>\r\n@\nlast@b.example";
    let signed = run(&mut stream("odd", &["sign"]), input);
    assert_eq!(signed.status.code(), Some(1));
    let lines: Vec<&[u8]> = signed.stdout.split(|&octet| octet == b'\n').collect();
    let [first, unchanged @ .., last, b""] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(unchanged, [&b""[..], b"\xff\xfe@b.example", b"a\0b@c", b"<>", b"@"]);
    assert!(first.starts_with(b"prvs=0785") && first.ends_with(b"=a@b.example"));
    assert!(last.starts_with(b"prvs=0785") && last.ends_with(b"=last@b.example"));
    assert_eq!(signed.stderr, b"backstop: 3 of 7 left unsigned: unparsable 3\n");

    for words in [&["verify"][..], &["verify", "--json"], &["sign", "--json"], &["srs", "reverse", "--json"]] {
        let output = run(&mut stream("odd", words), input);
        assert_eq!(output.stdout.iter().filter(|&&octet| octet == b'\n').count(), 7, "{words:?}");
        assert!(std::str::from_utf8(&output.stdout).is_ok(), "{words:?}");
    }
}

#[test]
fn a_line_of_megabytes_gives_one_line_in_the_memory_of_any_other() {
    let long = "x".repeat(64 << 20);
    let input = format!("a@b.example\n{long}\r\nb@b.example\n");
    for (words, passes) in [(&["sign"][..], true), (&["sign", "--json"], false), (&["verify"], false)] {
        let mut child =
            stream("long", words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let child = child.as_mut().unwrap();
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let status = format!("/proc/{}/status", child.id());
        std::thread::scope(|scope| {
            let input = &input;
            // The end of the input waits until the memory has been looked at.
            let writer = scope.spawn(move || {
                stdin.write_all(input.as_bytes()).unwrap();
                stdin
            });
            let reader = scope.spawn(move || {
                let mut output = Vec::new();
                stdout.read_to_end(&mut output).unwrap();
                output
            });
            let stdin = writer.join().unwrap();
            let peak = fs::read_to_string(&status).unwrap();
            let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
            let peak: u64 = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
            assert!(peak < 16 << 10, "{words:?}: {peak} kB");
            drop(stdin);
            let output = reader.join().unwrap();
            let lines: Vec<&[u8]> = output.split(|&octet| octet == b'\n').collect();
            assert_eq!(lines.len(), 4, "{words:?}");
            assert_eq!(lines[1] == long.as_bytes(), passes, "{words:?}");
        });
        assert_eq!(child.wait().unwrap().code(), Some(1), "{words:?}");
    }
}

#[test]
fn a_coprocess_gets_each_answer_before_it_asks_again() {
    let mut child = stream("coprocess", &["sign"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for number in 0..100 {
        writeln!(stdin, "user{number}@example.com").unwrap();
        let mut answer = String::new();
        stdout.read_line(&mut answer).unwrap();
        assert!(answer.ends_with(&format!("=user{number}@example.com\n")), "{answer}");
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let input = "a@b.example\n".repeat(200_000);
    let mut command = stream("closed", &["sign"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let mut some = [0; 10];
    stdout.read_exact(&mut some).unwrap();
    drop(stdout);
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
    // The writer may have been stopped by the command's end.
    let _ = writer.join().unwrap();
}

#[test]
fn a_full_disk_is_trouble() {
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let input = fs::File::open(private("full-input", b"a@b.example\n")).unwrap();
    let streamed = stream("full", &["sign"]).stdin(input).stdout(full()).output().unwrap();
    let given = backstop().args(["strip", "a@b.example"]).stdout(full()).output().unwrap();
    for ended in [streamed, given] {
        assert_eq!(ended.status.code(), Some(2));
        let told = b"backstop: standard output cannot be written: no room is left on its file system; ";
        assert!(ended.stderr.starts_with(told), "{ended:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_address_steers_a_terminal_and_elsewhere_each_octet_comes_out_as_it_is() {
    let input = b"\"\x1b[31m\"@b.example\na\xc2\x9bm@b.example\nm\xc3\xbcller\xe2\x80\xae@b.example\n\xff\rx\n";
    let path = private("steering", input);
    let ring = private("steering-ring", include_bytes!("ring"));
    let words = format!("sign --at 2026-11-21 --keys {}", ring.display());
    let given = "\"$(printf '\\033[31m')\"";
    for (words, escaped) in [
        (
            format!("{words} - < {}", path.display()),
            &["\"\\u{1b}[31m\"@b", "a\\u{9b}m@b", "müller\\u{202e}@b", "\\xff\\rx"][..],
        ),
        (
            format!("strip - < {}", path.display()),
            &["\"\\u{1b}[31m\"@b", "a\\u{9b}m@b", "müller\\u{202e}@b", "\\xff\\rx"],
        ),
        (format!("{words} {given}"), &["\\u{1b}[31m"]),
    ] {
        let line = format!("{} {words} 2>&1", env!("CARGO_BIN_EXE_backstop"));
        let shown = run(Command::new("script").args(["-qec", &line, "/dev/null"]), b"").stdout;
        let shown = String::from_utf8(shown).unwrap();
        assert!(escaped.iter().all(|text| shown.contains(text)), "{shown:?}");
        assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{shown:?}");
    }
    let piped = run(backstop().args(["strip", "-"]), input).stdout;
    assert_eq!(piped, input);
}

#[cfg(target_os = "linux")]
#[test]
fn json_is_json_on_a_terminal_too_and_shows_none_of_what_cannot_be_seen() {
    let address = "a\u{200b}b\u{202e}\u{e0001}@b.example";
    let ring = private("unseen-ring", include_bytes!("ring"));
    let policy = private("unseen-policy", include_bytes!("policy.toml"));
    let message = private(address, b"Subject: hello\n\nhi\n");
    let (ring, policy) = (format!("--keys {}", ring.display()), format!("--policy {}", policy.display()));
    let header = "--recipient alice@example.com --header";
    for words in [
        format!("sign {ring} {address}"),
        format!("verify {ring} {address}"),
        format!("strip {address}"),
        format!("srs forward {ring} --domain fwd.example.net {address}"),
        format!("srs reverse {ring} {address}"),
        format!("mark verify {ring} {header} {address}"),
        format!("try {address}"),
        format!("decide {ring} {policy} --from {address} --to {address}"),
        format!("inspect {ring} {policy} --recipient {address} {}", message.display()),
    ] {
        let line = format!("{} {words} --json 2>/dev/null", env!("CARGO_BIN_EXE_backstop"));
        let shown = run(Command::new("script").args(["-qec", &line, "/dev/null"]), b"").stdout;
        let shown = String::from_utf8(shown).unwrap();
        assert!(!shown.contains(['\u{200b}', '\u{202e}', '\u{e0001}']), "{words}: {shown}");
        let objects: Vec<serde_json::Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let is_told = |object: &serde_json::Value| object.to_string().contains(address);
        assert!(!objects.is_empty() && objects.iter().all(is_told), "{words}: {shown}");
    }
}
