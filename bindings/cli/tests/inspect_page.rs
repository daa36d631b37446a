//! The file of `backstop inspect --html`: which one is replaced, and what stays when something goes wrong.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod common;
#[path = "common/inspecting.rs"]
mod inspecting;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{folder, mode, run, set_mode};
use inspecting::{RECIPIENT, fixture, inspect, mbox};

/// Runs with these words behind `--html`: what is told, and the exit code.
fn page(name: &str, words: &[&dyn AsRef<OsStr>]) -> (String, i32) {
    let mut command = inspect(name);
    command.args(RECIPIENT).arg("--html");
    command.args(words.iter().map(|word| word.as_ref()));
    let ended = run(&mut command, b"");
    (String::from_utf8(ended.stderr).unwrap(), ended.status.code().unwrap())
}

fn is_page(path: &Path) -> bool {
    let text = fs::read_to_string(path).unwrap();
    text.starts_with("<!DOCTYPE html>\n") && text.ends_with("</html>\n")
}

fn names(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into()).collect();
    names.sort();
    names
}

#[test]
fn a_file_that_is_no_page_is_never_replaced() {
    let home = folder("no-page");
    let mail = mbox(&[fixture("postfix"), fixture("mail")]);
    let (input, new) = (home.join("m.mbox"), home.join("page.html"));
    fs::write(&input, &mail).unwrap();
    symlink("m.mbox", home.join("link")).unwrap();
    for words in [
        &[&input as &dyn AsRef<OsStr>, &input][..],
        &[&home.join("link"), &input],
        &[&input, &new],
        &[&home.join("link"), &new],
        &[&input, &"--without-keys", &"-"],
    ] {
        let (said, code) = page("no-page-run", words);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(" cannot be written: it ") || said.contains("cannot be used with"), "{said}");
        assert!(said.contains("or name another --html") || said.contains("cannot be used with"), "{said}");
        assert!(fs::read(&input).unwrap() == mail);
    }
    assert_eq!(names(&home), ["link", "m.mbox"].map(PathBuf::from));
    let (said, _) = page("no-page-said", &[&input, &"-"]);
    assert!(said.contains("it holds something else than a page of this command; remove it first"), "{said}");
}

#[test]
fn an_input_is_not_replaced_though_it_is_empty_or_a_page() {
    let home = folder("input");
    let path = home.join("page.html");
    fs::write(&path, b"").unwrap();
    for _ in 0..2 {
        let (said, code) = page("input-run", &[&path, &"/dev/null", &home.join("../input/page.html")]);
        assert!(code == 2 && said.contains("it is among the files to read, or name another --html"), "{said}");
        assert_eq!(page("input-page", &[&path, &"-"]).1, 0);
    }
}

#[test]
fn an_empty_file_and_an_older_page_are_replaced_and_keep_their_rights() {
    let home = folder("older");
    let path = home.join("page.html");
    fs::write(&path, b"").unwrap();
    set_mode(&path, 0o640);
    for _ in 0..2 {
        assert_eq!(
            page("older-run", &[&path, &"-"]),
            (String::from("backstop: standard input is empty and holds no message\n"), 0)
        );
        assert!(is_page(&path));
        assert_eq!((mode(&path), names(&home).len()), (0o640, 1));
    }
}

#[test]
fn a_link_is_followed_and_stays_and_one_to_nothing_is_refused() {
    let home = folder("link");
    fs::create_dir(home.join("www")).unwrap();
    fs::write(home.join("www/page.html"), b"").unwrap();
    symlink("www/page.html", home.join("link")).unwrap();
    symlink("none", home.join("nowhere")).unwrap();
    assert_eq!(page("link-run", &[&home.join("link"), &"-"]).1, 0);
    assert!(home.join("link").is_symlink() && is_page(&home.join("www/page.html")));
    assert_eq!(names(&home.join("www")).len(), 1);
    let (said, code) = page("link-nowhere", &[&home.join("nowhere"), &"-"]);
    assert!(code == 2 && said.contains("it is a link to a file that is not there; make that, or remove"), "{said}");
}

#[test]
fn a_later_check_that_fails_leaves_no_page() {
    let home = folder("later");
    fs::create_dir(home.join("reports")).unwrap();
    fs::write(home.join("reports/1"), b"").unwrap();
    let words: [&dyn AsRef<OsStr>; 6] =
        [&home.join("page.html"), &"--report-from", &"a@b.example", &"--report-to", &home.join("reports"), &"-"];
    let (said, code) = page("later-run", &words);
    assert!(code == 2 && said.contains("is not empty"), "{said}");
    assert_eq!(names(&home), ["reports"].map(PathBuf::from));
}

#[test]
fn a_page_for_which_no_room_is_left_lets_the_older_one_stand() {
    let home = folder("room");
    let path = home.join("page.html");
    assert_eq!(page("room-run", &[&path, &"-"]).1, 0);
    let old = fs::read(&path).unwrap();
    let made = inspect("room-run");
    let mut command = Command::new("sh");
    // A limit on the length of files fails as a full disk does, if the signal that comes with it is passed over.
    command.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""]).arg(made.get_program()).args(made.get_args());
    let ended = run(command.args(RECIPIENT).arg("--html").arg(&path).arg("-"), &fixture("postfix"));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(
        said.contains("cannot be written: it would be longer") && said.contains("what it held before stays"),
        "{said}"
    );
    assert!(fs::read(&path).unwrap() == old);
    assert_eq!(names(&home).len(), 1);
}

#[test]
fn without_a_policy_page_and_summary_say_nothing_of_what_one_refuses() {
    let path = folder("policy").join("page.html");
    let judged = |policy: bool| {
        let mut command = if policy { inspect("policy-run") } else { common::backstop() };
        if !policy {
            command.args(["inspect", "--without-keys"]);
        }
        let ended = run(command.arg("--summary-json").arg("--html").arg(&path).arg("-"), &fixture("postfix"));
        let summary: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
        let is_told = fs::read_to_string(&path).unwrap().contains("What mode enforce refuses");
        (is_told, summary["enforce"].is_object(), summary["advice"].is_object(), summary.get("enforce").is_some())
    };
    assert_eq!(judged(true), (true, true, true, true));
    assert_eq!(judged(false), (false, false, false, true));
}
