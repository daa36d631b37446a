//! The file of `backstop inspect --html`: which one is replaced, and what stays when something goes wrong.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod common;
#[path = "common/inspecting.rs"]
mod inspecting;

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use common::{backstop, folder, mode, run, set_mode};
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
        let mut command = if policy { inspect("policy-run") } else { backstop() };
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

#[test]
fn a_page_in_place_of_a_private_one_is_private_while_it_is_written() {
    let home = folder("private");
    let path = home.join("page.html");
    fs::write(&path, b"").unwrap();
    set_mode(&path, 0o600);
    let made = inspect("private-run");
    let mut command = Command::new("sh");
    // The first block of 512 octets is the last one: the signal kills the command, and what it had begun stays.
    command.args(["-c", "umask 0; ulimit -c 0; ulimit -f 1; exec \"$0\" \"$@\""]);
    command.arg(made.get_program()).args(made.get_args()).args(RECIPIENT).arg("--html").arg(&path).arg("-");
    assert_eq!(run(&mut command, &fixture("postfix")).status.code(), None);
    let names = names(&home);
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(names.iter().map(|name| mode(&home.join(name))).collect::<Vec<_>>(), [0o600, 0o600]);
}

#[test]
fn a_name_that_only_a_folder_can_have_is_refused_before_the_run() {
    let home = folder("slash");
    for name in ["out/", "out/.", "out/.."] {
        let path = format!("{}/{name}", home.display());
        let mut command = inspect("slash-run");
        let message = inspecting::fixtures().join("postfix.eml");
        let ended = run(command.args(RECIPIENT).args(["--each", "--html", &path]).arg(message), b"");
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!((ended.status.code(), ended.stdout.len()), (Some(2), 0), "{said}");
        assert!(said.contains("cannot be written: it is a folder; name a file, or name another --html"), "{said}");
    }
    assert_eq!(names(&home), [""; 0].map(PathBuf::from));
}

#[test]
fn standard_output_may_be_the_page_where_it_is_a_file() {
    let path = folder("stdout").join("page.html");
    for name in [Path::new("/dev/stdout"), &path] {
        let mut command = inspect("stdout-run");
        command.args(RECIPIENT).arg("--html").arg(name).arg(inspecting::fixtures().join("postfix.eml"));
        let ended = command.stdout(fs::File::create(&path).unwrap()).output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{}", String::from_utf8_lossy(&ended.stderr));
        assert!(is_page(&path));
    }
}

/// Somebody who is not root, and has no files.
const OTHER: u32 = 65_534;

#[test]
fn a_page_that_no_new_file_can_replace_is_written_in_place() {
    // Where another user may come, whom the folder of the sources need not let in.
    let home = env::temp_dir().join(format!("backstop-in-place-{}", process::id()));
    fs::create_dir(&home).unwrap();
    set_mode(&home, 0o755);
    let is_root = fs::metadata(&home).unwrap().uid() == 0;
    let program = home.join("backstop");
    fs::copy(env!("CARGO_BIN_EXE_backstop"), &program).unwrap();
    let is_written = |path: &Path| {
        let before = fs::metadata(path).unwrap();
        let mut command = Command::new(&program);
        command.args(["inspect", "--without-keys", "--html"]).arg(path).arg("-");
        if is_root {
            command.uid(OTHER).gid(OTHER).current_dir("/");
        }
        let ended = run(&mut command, &fixture("postfix"));
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!((ended.status.code(), said.as_str()), (Some(0), ""), "{}", path.display());
        let after = fs::metadata(path).unwrap();
        assert!(
            is_page(path) && (after.ino(), after.uid(), after.mode()) == (before.ino(), before.uid(), before.mode())
        );
    };
    let made = |name: &str| {
        fs::create_dir(home.join(name)).unwrap();
        let path = home.join(name).join("page.html");
        fs::write(&path, b"").unwrap();
        path
    };
    let (closed, sticky) = (made("closed"), made("sticky"));
    if is_root {
        chown(&closed, Some(OTHER), Some(OTHER)).unwrap();
        // The page of somebody else, which all may write to, where each may rename his own files only.
        set_mode(&home.join("sticky"), 0o1777);
        set_mode(&sticky, 0o666);
        is_written(&sticky);
    } else {
        eprintln!("skipped: a page of another user needs root");
    }
    set_mode(&home.join("closed"), 0o555);
    is_written(&closed);
    is_written(&closed);
    set_mode(&home.join("closed"), 0o755);
    fs::remove_dir_all(&home).unwrap();
}
