//! `backstop inspect` and what users give it by mistake, or find on old disks: no file hangs it, each is read or told, and
//! the exit code is as the help says.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod common;
#[path = "common/inspecting.rs"]
mod inspecting;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::{folder, run};
use inspecting::{RECIPIENT, fixture, inspect, mbox, objects};

/// Runs over these paths, one line a message, and gives lines, what is told, and the exit code.
fn each(name: &str, words: &[&str], paths: &[PathBuf]) -> (Vec<String>, String, i32) {
    told(&run(inspect(name).args(RECIPIENT).arg("--each").args(words).args(paths), b""))
}

fn told(ended: &Output) -> (Vec<String>, String, i32) {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    let lines = text(&ended.stdout).lines().map(str::to_owned).collect();
    (lines, text(&ended.stderr), ended.status.code().unwrap())
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn written(folder: &Path, name: &str, octets: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, octets).unwrap();
    path
}

#[test]
fn pipes_sockets_and_devices_are_refused_as_arguments_and_left_out_in_folders() {
    let home = folder("odd-kinds");
    pipe(&home.join("pipe"));
    let _socket = UnixListener::bind(home.join("socket")).unwrap();
    let bounce = written(&home, "bounce.eml", &fixture("postfix"));
    for (path, what) in
        [(home.join("pipe"), "a named pipe"), (home.join("socket"), "a socket"), ("/dev/zero".into(), "a device")]
    {
        let (lines, said, code) = each("odd-kind", &[], &[path, bounce.clone()]);
        assert_eq!((lines.len(), code), (1, 2), "{said}");
        assert!(
            said.contains(&format!("cannot be read: it is {what}; give its messages to `backstop inspect -`")),
            "{said}"
        );
    }
    let (lines, said, code) = each("odd-folder", &[], std::slice::from_ref(&home));
    assert_eq!((lines.len(), code), (1, 1), "{said}");
    assert!(
        said.contains("/pipe is a named pipe and is left out\n")
            && said.contains("/socket is a socket and is left out\n")
    );
}

#[test]
fn what_the_shell_opened_is_read_though_it_is_a_pipe() {
    for path in ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "-"] {
        let ended = run(inspect("opened").args(RECIPIENT).args(["--each", path]), &fixture("postfix"));
        assert_eq!(told(&ended).0, [format!("backscatter dsn-failed {path}")]);
    }
}

#[test]
fn folders_are_walked_and_what_is_not_read_is_told() {
    let home = folder("walk");
    for (name, octets) in [
        ("1", "postfix"),
        ("inbox/2", "qmail"),
        ("inbox/old/3", "exim"),
        ("maildir/cur/4:2,S", "mail"),
        ("maildir/sub/new/5", "mail"),
        (".hidden", "mail"),
    ] {
        written(&home, name, &fixture(octets));
    }
    fs::create_dir_all(home.join("maildir/sub/cur")).unwrap();
    symlink(&home, home.join("inbox/loop")).unwrap();
    let deep = (0..20).fold(home.join("deep"), |path, _| path.join("d"));
    written(&deep, "6", &fixture("mail"));
    let (lines, said, code) = each("walked", &[], std::slice::from_ref(&home));
    let names: Vec<_> = lines.iter().map(|line| line.rsplit_once("walk/").unwrap().1).collect();
    assert_eq!(names, ["1", "inbox/2", "inbox/old/3", "maildir/cur/4:2,S", "maildir/sub/new/5"]);
    assert!(
        said.contains("inbox/loop is a link to a folder and is left out; name the folder itself to read it\n"),
        "{said}"
    );
    assert!(said.contains("lies 16 folders deep and is left out; name it to read it\n"), "{said}");
    assert_eq!(code, 1);
}

#[test]
fn folders_of_a_maildir_are_found_below_folders_that_are_none() {
    let home = folder("layout-fs");
    for name in ["cur/1", "Work/cur/2", "Archive/2020/cur/3", "Archive/2020/deeper/still/new/4", ".Sent/cur/5"] {
        written(&home, name, &fixture("mail"));
    }
    for no_mail in ["dovecot.index", "sieve/script", "Archive/.subscriptions", "tmp/unfinished"] {
        written(&home, no_mail, b"no mail");
    }
    symlink(home.join("Archive"), home.join("link")).unwrap();
    for words in [&[][..], &["--format", "maildir"]] {
        let (lines, said, code) = each("layout-fs-run", words, std::slice::from_ref(&home));
        let names: Vec<_> = lines.iter().map(|line| line.rsplit_once("layout-fs/").unwrap().1).collect();
        let all = ["cur/1", ".Sent/cur/5", "Archive/2020/cur/3", "Archive/2020/deeper/still/new/4", "Work/cur/2"];
        assert_eq!((names, code), (all.to_vec(), 0), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("layout-fs/link is a link to a folder and is left out"), "{said}");
    }
}

#[test]
fn reports_and_the_page_are_no_messages_of_the_folder_that_they_are_in() {
    let home = folder("own-output");
    written(&home, "bounce.eml", &fixture("postfix"));
    let (page, reports) = (home.join("page.html"), home.join("reports"));
    for _ in 0..2 {
        let mut command = inspect("own-output");
        command.args(RECIPIENT).arg("--each").arg("--html").arg(&page).arg("--report-to").arg(&reports);
        let (lines, ..) = told(&run(command.args(["--report-from", "abuse@example.com"]).arg(&home), b""));
        assert_eq!(lines.len(), 1, "{lines:?}");
        fs::remove_dir_all(&reports).unwrap();
    }
}

#[test]
fn a_maildir_in_use_loses_no_message_that_is_renamed_and_none_is_read_twice() {
    const NUMBER: usize = 3000;
    let home = folder("in-use");
    let name = |number: usize| format!("{number:06}.{}", "x".repeat(120));
    let read = |number: usize| home.join(format!("cur/{}:2,", name(number)));
    let unread = |number: usize| home.join(format!("new/{}", name(number)));
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(home.join(part)).unwrap();
    }
    for number in 0..NUMBER {
        let path = if number % 4 == 0 { unread(number) } else { read(number) };
        fs::write(path, b"Subject: x\n\n").unwrap();
    }
    // In a file, since nobody reads it until the end.
    let errors = folder("in-use-errors").join("said");
    let mut command = inspect("in-use-run");
    command.arg("--each").arg(&home).stdout(Stdio::piped()).stderr(fs::File::create(&errors).unwrap());
    let mut child = command.spawn();
    let child = child.as_mut().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut first = [0];
    stdout.read_exact(&mut first).unwrap();
    // The names of cur are known, and the pipe is full before half of it is read. Now a mail program comes: it takes in
    // what is new, sets flags of half the others that wait, and expunges the last ones.
    let mut expunged = 0;
    for number in 0..NUMBER {
        let is_late = number > NUMBER * 2 / 3;
        if number % 4 == 0 {
            fs::rename(unread(number), home.join(format!("cur/{}:2,", name(number)))).unwrap();
        } else if number > NUMBER - 10 {
            fs::remove_file(read(number)).unwrap();
            expunged += 1;
        } else if is_late && number % 2 == 0 {
            fs::rename(read(number), home.join(format!("cur/{}:2,S", name(number)))).unwrap();
        }
    }
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    let code = child.wait().unwrap().code();
    let said = fs::read_to_string(&errors).unwrap();
    assert_eq!(code, Some(0), "{} lines: {}", said.lines().count(), said.lines().last().unwrap_or_default());
    let text = String::from_utf8([&first[..], &rest].concat()).unwrap();
    let mut seen: Vec<&str> =
        text.lines().map(|line| line.rsplit_once('/').unwrap().1.split_once('.').unwrap().0).collect();
    seen.sort_unstable();
    let number = seen.len();
    seen.dedup();
    assert_eq!((number, seen.len()), (NUMBER - expunged, NUMBER - expunged));
    assert!(
        said.contains(&format!("in-use lost {expunged} messages while it was read; they are left out\n")),
        "{said}"
    );
}

#[test]
fn notes_beyond_the_first_are_counted_also_for_may_answer() {
    let home = folder("many-notes");
    let path = written(&home, "bounce.eml", &fixture("postfix"));
    let paths: Vec<PathBuf> =
        std::iter::once(path).chain((0..23).map(|number| written(&home, &format!("empty/{number}"), b""))).collect();
    for words in [&["--each"][..], &["--may-answer", "bounce"]] {
        let mut command = if words[0] == "--each" { inspect("many-notes-run") } else { common::backstop() };
        if words[0] != "--each" {
            command.arg("inspect");
        }
        let (_, said, _) = told(&run(command.args(RECIPIENT).args(words).args(&paths), b""));
        assert_eq!(said.matches("is empty and holds no message\n").count(), 20, "{said}");
        assert_eq!(said.matches("and 3 more notes of this kind\n").count(), 1, "{said}");
    }
}

#[test]
fn a_page_that_cannot_be_written_is_told_in_words() {
    let home = folder("no-page");
    for (page, why) in [
        (home.join("none/page.html"), "its folder is not there; make that first, or name another --html"),
        (home.clone(), "it is a folder; name a file, or name another --html"),
        ("-".into(), "it stands for no file; give /dev/stdout, or ./- for a file of that name, or name another --html"),
    ] {
        let (lines, said, code) = each("no-page-run", &["--html", page.to_str().unwrap()], &["-".into()]);
        assert_eq!((lines.len(), code), (0, 2), "{said}");
        assert!(said.contains(&format!("{} cannot be written: {why}\n", page.display())), "{said}");
    }
    let (_, said, code) = each("full-page-run", &["--html", "/dev/full"], &["-".into()]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("/dev/full is cut short: no room is left on its file system"), "{said}");
}

#[test]
fn files_in_other_forms_are_refused_by_name() {
    let home = folder("forms");
    written(&home, "in-tar/cur/1", &fixture("postfix"));
    let made = Command::new("tar").arg("-cC").arg(home.join("in-tar")).arg("cur").output().unwrap();
    let tar = made.stdout;
    let wide: Vec<u8> = fixture("postfix").iter().flat_map(|octet| [*octet, 0]).collect();
    for (name, octets, what) in [
        ("a.gz", &b"\x1f\x8b\x08\0\0\0"[..], "packed with gzip; give what zcat prints"),
        ("a.xz", b"\xfd7zXZ\0\0", "packed with xz"),
        ("a.zip", b"PK\x03\x04\x14", "a zip archive"),
        ("a.tar", &tar, "a tar archive; unpack it and name the folder"),
        ("a.lz4", b"\x04\x22\x4d\x18\x64\x40", "packed with lz4; give what lz4cat prints"),
        ("a.Z", b"\x1f\x9d\x90S\xea", "packed with compress; give what zcat prints"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\0\x04", "a 7z archive"),
        ("dovecot-lz4", b"Dovecot-LZ4\r*\x9b\xc5\0\x01\0\0", "packed by Dovecot with lz4; have Dovecot hand it out"),
        ("dovecot-crypt", b"CRYPTED\x03\x07\x02", "encrypted by Dovecot (mail_crypt); have Dovecot hand it out"),
        ("a.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "an Outlook message"),
        ("a.txt", &[b"\xff\xfe", wide.as_slice()].concat(), "text in UTF-16"),
        ("b.txt", &wide, "text in UTF-16"),
    ] {
        let (lines, said, code) = each("form", &[], &[written(&home, name, octets)]);
        assert_eq!((lines.len(), code), (0, 2), "{name}");
        assert!(said.contains(&format!("{name} cannot be read: it is {what}")), "{said}");
        // In a Maildir as well, where a server may pack messages.
        written(&home, &format!("box-{name}/cur/1"), octets);
        assert_eq!(each("form-maildir", &[], &[home.join(format!("box-{name}"))]).2, 2);
    }
}

#[test]
fn what_is_no_message_or_no_mbox_is_told_and_judged_all_the_same() {
    let home = folder("told");
    let bounce = fixture("postfix");
    for (name, octets, words, number, said) in [
        ("empty", &b""[..], &[][..], 0, "empty is empty and holds no message\n"),
        ("empty", b"", &["--format", "mbox"], 0, "is empty and holds no message\n"),
        ("text", b"hello world\n", &[], 1, "does not begin with a header field"),
        ("binary", b"\x89PNG\r\n\x1a\n\0\0\0", &[], 1, "does not begin with a header field"),
        ("zeros", &[0; 5000], &[], 1, "does not begin with a header field"),
        ("bounce", &bounce, &["--format", "mbox"], 1, "does not begin as an mbox does"),
    ] {
        let (lines, err, code) = each("told", words, &[written(&home, name, octets)]);
        assert_eq!(lines.len(), number, "{name}: {lines:?}");
        assert!(err.contains(said) && code < 2, "{name}: {err}");
    }
}

#[test]
fn a_bounce_is_one_however_it_was_saved() {
    let home = folder("saved");
    let bounce = String::from_utf8(fixture("postfix")).unwrap();
    let crlf = bounce.replace('\n', "\r\n");
    let mixed: String = bounce
        .lines()
        .enumerate()
        .map(|(at, line)| format!("{line}{}", if at % 2 == 0 { "\r\n" } else { "\n" }))
        .collect();
    let quoted = format!("From MAILER-DAEMON Fri Nov 20 10:12:00 2026\n{bounce}\n>From the desk of nobody\n");
    for (name, text) in [
        ("lf", bounce.clone()),
        ("crlf", crlf.clone()),
        ("mixed", mixed),
        ("mark-of-utf-8", format!("\u{feff}{bounce}")),
        ("blank-lines-first", format!("\r\n\n{bounce}")),
        ("no-last-line-end", bounce.trim_end().to_owned()),
        ("quoted-from", quoted),
        ("crlf-mbox", format!("From MAILER-DAEMON Fri Nov 20 10:12:00 2026\r\n{crlf}")),
        ("long-line", bounce.replacen("Subject:", &format!("X-Long: {}\nSubject:", "x".repeat(3 << 20)), 1)),
        ("many-fields", bounce.replacen("Subject:", &("X-A: 1\n".repeat(400) + "Subject:"), 1)),
        ("zeros-in-it", bounce.replacen("Subject: U", "X-Zero: \0\0\nSubject: U", 1)),
    ] {
        let path = written(&home, name, text.as_bytes());
        let (lines, err, _) = each("saved", &[], std::slice::from_ref(&path));
        assert_eq!(lines, [format!("backscatter dsn-failed {}", path.display())], "{name}: {err}");
    }
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_judged() {
    let home = folder("closed");
    let bounce = written(&home, "open/1", &fixture("postfix"));
    let closed = written(&home, "closed/2", &fixture("postfix"));
    symlink("loop", home.join("loop")).unwrap();
    common::set_mode(closed.parent().unwrap(), 0);
    let is_root = fs::read_dir(closed.parent().unwrap()).is_ok();
    // Reading this file fails behind its start, for root as well.
    let (lines, said, code) = each("closed", &[], &[home.clone(), "/proc/self/mem".into(), bounce]);
    common::set_mode(closed.parent().unwrap(), 0o700);
    assert_eq!((lines.len(), code), (if is_root { 3 } else { 2 }, 2), "{said}");
    for path in ["closed/loop", "/proc/self/mem"] {
        assert!(said.contains(&format!("{path} cannot be read: ")), "{said}");
    }
    assert!(is_root || said.contains("closed/closed cannot be read: "), "{said}");
}

#[test]
fn names_that_are_not_utf_8_are_whole_in_json_and_in_text() {
    let home = folder("names");
    for name in [&b"caf\xe9.eml"[..], b"line\nend", b"\"quote\\", "caf\u{e9}".as_bytes()] {
        fs::write(home.join(std::ffi::OsStr::from_bytes(name)), fixture("mail")).unwrap();
    }
    let ended = run(inspect("names").arg("--json").arg(&home), b"");
    let seen = objects(&ended.stdout);
    assert_eq!(seen.len(), 4);
    for it in &seen {
        let file = it["file"].as_str().unwrap();
        let octets = match it["file_hex"].as_str() {
            Some(hex) => {
                (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
            }
            None => file.as_bytes().to_vec(),
        };
        assert_eq!(file, String::from_utf8_lossy(&octets));
        assert_eq!(it["file_hex"].is_null(), std::str::from_utf8(&octets).is_ok());
        assert!(Path::new(std::ffi::OsStr::from_bytes(&octets)).is_file(), "{file}");
    }
    let (lines, ..) = each("names", &[], &[home]);
    assert_eq!(lines.len(), 4);
    assert!(
        lines.iter().any(|line| line.ends_with("caf\\xe9.eml"))
            && lines.iter().any(|line| line.ends_with("line\\nend")),
        "{lines:?}"
    );
}

#[test]
fn addresses_and_names_of_fields_are_checked_with_the_place() {
    for (words, said) in [
        (["--recipient", "alice@@example.com"], "--recipient has a fault: octet 6 of the address: "),
        (["--recipient", "alice"], "--recipient has a fault: octet 5 of the address: "),
        (["--recipient", ""], "--recipient takes a recipient, as alice@example.com; `<>` is none"),
        (["--recipient", "<>"], "--recipient takes a recipient"),
        (["--sender", "a b@c"], "--sender has a fault: octet 1 of the address: "),
        (["--recipient-from", "X Y"], "--recipient-from takes the name of a header field"),
        (["--dnsbl", "a b"], "--dnsbl takes the name of a DNS list"),
    ] {
        let ended = run(inspect("checked").args(words).arg("-"), b"");
        let (lines, err, code) = told(&ended);
        assert_eq!((lines.len(), code), (0, 2), "{words:?}");
        assert!(err.starts_with(&format!("backstop: {said}")), "{err}");
    }
    let colon = run(inspect("colon").args(["--each", "--recipient-from", "To:", "-"]), &fixture("postfix"));
    assert_eq!(told(&colon).0, ["backscatter dsn-failed -"]);
    assert_eq!(
        told(&run(inspect("null").args(RECIPIENT).args(["--each", "--sender", "", "-"]), &fixture("postfix"))).2,
        1
    );
}

#[test]
fn an_option_that_would_do_nothing_is_refused() {
    let answer = "--may-answer=reply";
    let evidence = "--check-evidence";
    let options = [
        ("--policy", "p"),
        ("--keys", "k"),
        ("--allow-unsafe-keys", ""),
        ("--without-keys", ""),
        ("--at", "2026-11-21"),
        ("--at-arrival", ""),
        ("--json", ""),
        ("--each", ""),
        ("--summary-json", ""),
        ("--html", "p"),
        ("--burst", "20"),
        ("--dnsbl", "dnsbl.example"),
    ];
    let alone = [
        ("--format", "mbox"),
        ("--recipient", "a@b.example"),
        ("--recipient-from", "X"),
        ("--sender", "a@b.example"),
        (answer, ""),
    ];
    let with_all = options.iter().map(|(option, value)| (*option, *value, answer));
    let checked = options.iter().chain(&alone).map(|(option, value)| (*option, *value, evidence));
    let more = [
        ("--dnsbl", "dnsbl.example", "--each"),
        ("--dnsbl", "dnsbl.example", "--summary-json"),
        ("--without-keys", "", "--allow-unsafe-keys"),
        ("--burst", "20", "--each"),
        ("--burst", "20", "--json"),
    ];
    for (option, value, beside) in with_all.chain(checked).chain(more) {
        let words = [option, value, beside, "-"].into_iter().filter(|word| !word.is_empty());
        let (lines, err, code) = told(&run(common::backstop().arg("inspect").args(words), b""));
        assert_eq!((lines.len(), code), (0, 2), "{option} {beside}: {err}");
        assert!(err.contains("cannot be used with"), "{option} {beside}: {err}");
    }
    let (_, err, code) = told(&run(inspect("alone").args(["--reports-per-host", "5", "-"]), b""));
    assert!(code == 2 && err.contains("not provided: ") && err.contains("--report-to <FOLDER>"), "{err}");
    let page = folder("burst").join("page.html");
    for words in [&["--summary-json"][..], &["--html", page.to_str().unwrap(), "--each"]] {
        let (_, err, code) = told(&run(inspect("burst").args(["--burst", "20", "-"]).args(words), &fixture("mail")));
        assert_eq!(code, 0, "{words:?}: {err}");
    }
}

#[test]
fn a_reader_that_goes_ends_the_run_quietly_unless_files_are_to_be_written() {
    let home = folder("gone");
    let path = written(&home, "many.mbox", &mbox(&vec![fixture("postfix"); 5000]));
    let page = home.join("page.html");
    for with_page in [false, true] {
        let mut command = inspect("gone");
        command.args(RECIPIENT).arg("--json").arg(&path).stdout(Stdio::piped()).stderr(Stdio::piped());
        if with_page {
            command.arg("--html").arg(&page);
        }
        let mut child = command.spawn().unwrap();
        let mut first = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        if with_page {
            assert_eq!(ended.status.code(), Some(1), "{said}");
            assert!(fs::read_to_string(&page).unwrap().contains("<b>5,000</b>backscatter"));
        } else {
            assert_eq!((ended.status.code(), said.as_str()), (Some(0), ""));
        }
    }
}

#[test]
fn a_signal_ends_the_run_at_once_and_leaves_the_old_page() {
    let home = folder("interrupted");
    let page = home.join("page.html");
    run(inspect("interrupted").args(RECIPIENT).arg("--html").arg(&page).arg("-"), &fixture("mail"));
    let old = fs::read(&page).unwrap();
    let mut command = inspect("interrupted");
    command.args(RECIPIENT).arg("--html").arg(&page).arg("-").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&mbox(&vec![fixture("postfix"); 200])).unwrap();
    // Not SIGINT, which a shell without job control has what runs in the background ignore.
    let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended.status), Some(15));
    assert_eq!((fs::read(&page).unwrap() == old, ended.stdout), (true, Vec::new()));
    assert_eq!(fs::read_dir(&home).unwrap().count(), 1);
}

#[test]
fn what_may_be_answered_is_said_in_one_line_each() {
    let home = folder("answer");
    let friend = b"Return-Path: <bob@friend.example>\nDelivered-To: alice@example.com\nReceived: by b\nFrom: bob@friend.example\nTo: alice@example.com\n\nhi\n";
    let paths = [written(&home, "friend", friend), written(&home, "bounce", &fixture("postfix"))];
    let asked = |words: &[&str]| {
        let mut command = common::backstop();
        let (lines, _, code) = told(&run(command.args(["inspect", "--may-answer"]).args(words).args(&paths), b""));
        let words: Vec<String> = lines.iter().map(|line| line.replace(&format!("{}/", home.display()), "")).collect();
        (words.join(", "), code)
    };
    assert_eq!(asked(&["reply", "--vouched"]), ("yes friend, no bounce reason=null-sender".to_owned(), 1));
    assert_eq!(asked(&["bounce"]), ("no friend reason=unauthenticated, no bounce reason=null-sender".to_owned(), 1));
    assert_eq!(
        asked(&["reply", "--vouched", "--recipient", "carol@example.com"]).0.split(", ").next(),
        Some("no friend reason=not-addressed")
    );
}

#[test]
fn nobody_is_answered_where_there_is_no_message() {
    let home = folder("no-answer");
    let empty = written(&home, "empty", b"");
    let asked = |words: &[&str], input: &[u8]| {
        let mut command = common::backstop();
        command.args(["inspect", "--vouched", "--sender", "bob@friend.example", "--may-answer"]).args(words);
        told(&run(&mut command, input))
    };
    let separator = b"From bob@friend.example Fri Nov 20 10:12:00 2026\r\n\n";
    for (name, folder) in [("folder", ""), ("maildir", "new")] {
        fs::create_dir_all(home.join(name).join(folder)).unwrap();
    }
    for answer in ["reply", "bounce"] {
        for (form, input) in [("auto", &b""[..]), ("message", b""), ("mbox", b""), ("auto", b"\r\n \n")]
            .into_iter()
            .chain(["auto", "message", "mbox"].map(|form| (form, &separator[..])))
        {
            let (lines, said, code) = asked(&[answer, "--format", form, "-"], input);
            assert_eq!((lines, code), (vec!["no - reason=empty".to_owned()], 1), "{answer} {form} {said}");
        }
        let friend = b"From: bob@friend.example\nTo: alice@example.com\n\nhi\n";
        let two = [&separator[..], separator.trim_ascii_end(), b"\n", friend].concat();
        let (lines, ..) = asked(&[answer, "--recipient", "alice@example.com", "-"], &two);
        assert_eq!(lines, ["no -#1 reason=empty", "yes -#2"], "{answer}");
        for name in ["folder", "maildir"] {
            let (lines, said, code) = asked(&[answer, home.join(name).to_str().unwrap()], b"");
            assert!(lines.is_empty() && code == 1 && said.contains("there is no message"), "{answer} {name} {said}");
        }
        let (lines, said, _) = asked(&[answer, empty.to_str().unwrap()], b"");
        assert_eq!(lines, [format!("no {} reason=empty", empty.display())]);
        assert!(said.contains("is empty and holds no message\n"), "{said}");
    }
}

#[test]
fn a_reply_is_addressed_to_the_mailbox_under_the_recipients_tag() {
    let friend = b"From: bob@friend.example\nTo: Alice <alice@example.com>\n\nhi\n";
    for recipient in [
        "prvs=4795abcdef=alice@example.com",
        "<prvs=4795abcdef=alice@example.com>",
        "alice+prvs=4795abcdef@example.com",
        "alice@example.com",
        "<alice@example.com>",
        "<@relay.example:alice@example.com>",
        "\"alice\"@example.com",
        "\"prvs=4795abcdef=alice\"@example.com",
    ] {
        let mut command = common::backstop();
        command.args([
            "inspect",
            "--vouched",
            "--may-answer",
            "reply",
            "--sender",
            "bob@friend.example",
            "--recipient",
        ]);
        let (lines, ..) = told(&run(command.args([recipient, "-"]), friend));
        assert_eq!(lines, ["yes -"], "{recipient}");
    }
}
