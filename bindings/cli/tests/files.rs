//! Where the command looks for its key ring, how it makes one, and what it refuses: modes, folders and the environment,
//! which data files cannot show.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod common;

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use common::{backstop, folder, mode, private, run, set_mode};

const RING: &[u8] = b"version 1\nprvs 0 sha1 7 - - * text:secret\n";

/// Exit code, standard output and standard error.
fn ended(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn sign(home: &Path) -> Command {
    let mut command = backstop();
    command.args(["sign", "--at", "2026-11-21", "user@example.com"]).env("HOME", home);
    command
}

#[test]
fn without_a_ring_nothing_is_signed_and_the_remedy_works() {
    let home = folder("no-ring");
    let (code, out, err) = ended(&mut sign(&home));
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("make one with `backstop key new`"), "{err}");

    let (code, out, err) = ended(backstop().args(["key", "new"]).env("HOME", &home));
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let ring = home.join(".config/backstop/keys");
    assert_eq!((mode(&ring), mode(ring.parent().unwrap())), (0o600, 0o700));

    let (code, out, err) = ended(backstop().args(["sign", "user@example.com"]).env("HOME", &home));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.starts_with("prvs=") && out.ends_with("=user@example.com\n"), "{out}");
}

#[test]
fn a_key_of_very_many_domains_is_listed() {
    let path = folder("wide").join("keys");
    let domains: Vec<String> = (0..2400).map(|number| format!("a-rather-long-name-{number}.example")).collect();
    let domains = domains.join(",");
    fs::write(&path, format!("version 1\nprvs 1 sha1 7 - - {domains} text:secret\n")).unwrap();
    set_mode(&path, 0o600);
    let (code, out, err) = ended(backstop().args(["key", "list", "--keys"]).arg(&path));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(domains.len() > 65_535 && out.contains(&format!(" {domains}  6 ")), "{}", out.len());
}

#[test]
fn the_ring_is_that_of_the_option_then_the_variable_then_the_configuration_folder() {
    let home = folder("places");
    fs::create_dir_all(home.join("xdg/backstop")).unwrap();
    fs::create_dir_all(home.join(".config/backstop")).unwrap();
    let ring = |name: &str, id: u8| {
        let path = home.join(name);
        fs::write(&path, format!("version 1\nprvs {id} sha1 7 - - * text:secret {id}\n")).unwrap();
        set_mode(&path, 0o600);
        path
    };
    ring(".config/backstop/keys", 1);
    let is = |command: &mut Command, id: u8| {
        let (code, out, err) = ended(command);
        assert_eq!((code, err.as_str()), (Some(0), ""));
        assert!(out.starts_with(&format!("prvs={id}785")), "{out}");
    };
    is(&mut sign(&home), 1);
    ring("xdg/backstop/keys", 2);
    is(sign(&home).env("XDG_CONFIG_HOME", home.join("xdg")), 2);
    is(sign(&home).env("XDG_CONFIG_HOME", "xdg").current_dir(&home), 1);
    let by_variable = ring("variable", 3);
    is(sign(&home).env("XDG_CONFIG_HOME", home.join("xdg")).env("BACKSTOP_KEYS", &by_variable), 3);
    is(sign(&home).env("BACKSTOP_KEYS", ""), 1);
    let by_option = ring("option", 4);
    is(sign(&home).env("BACKSTOP_KEYS", &by_variable).arg("--keys").arg(&by_option), 4);
}

#[test]
fn a_ring_that_others_may_read_is_refused_unless_told() {
    let ring = private("open-ring", RING);
    set_mode(&ring, 0o644);
    let with = |more: &[&str]| {
        ended(backstop().args(["sign", "--at", "2026-11-21", "user@example.com", "--keys"]).arg(&ring).args(more))
    };
    let (code, out, err) = with(&[]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("others may read or write it (mode 0644); run `chmod "), "{err}");
    let (code, out, err) = with(&["--allow-unsafe-keys"]);
    assert_eq!((code, out.as_str()), (Some(0), "prvs=07853508f8=user@example.com\n"));
    assert!(err.starts_with("backstop: warning: ") && err.contains("mode 0644"), "{err}");
}

#[test]
fn a_group_may_be_given_the_ring_to_read() {
    let home = folder("group");
    let ring = home.join("ring");
    // The group of a file just made is one that this user may give files to.
    let gid = std::os::unix::fs::MetadataExt::gid(&fs::metadata(private("mine", b"")).unwrap());
    let (code, _, err) = ended(backstop().args(["key", "new", "--group", &gid.to_string(), "--keys"]).arg(&ring));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(mode(&ring), 0o640);
    let imported = home.join("imported");
    let import = |secrets: &[u8]| {
        let mut command = backstop();
        command.args(["key", "import", "--from", "postsrsd", "--group", &gid.to_string(), "-", "--keys"]);
        let ended = run(command.arg(&imported), secrets);
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    assert_eq!(import(b"a long secret of postsrsd\n"), (Some(0), String::new()));
    assert_eq!(mode(&imported), 0o640);
    let expected =
        format!("backstop: {} is there already and keeps its group; leave --group out\n", imported.display());
    // Nothing is read of what it refuses.
    assert_eq!(import(b""), (Some(2), expected));
}

#[test]
fn a_secret_comes_from_standard_input_and_is_never_shown() {
    let ring = private("stdin-ring", b"version 1\n");
    let mut command = backstop();
    command.args([
        "key",
        "add",
        "--mac",
        "sha1",
        "--days",
        "7",
        "--id",
        "0",
        "--from",
        "-",
        "--secret-file",
        "-",
        "--keys",
    ]);
    let added = run(command.arg(&ring), b"secret\n");
    assert_eq!(added.status.code(), Some(0), "{added:?}");
    let (code, out, _) =
        ended(backstop().args(["sign", "--at", "2026-11-21", "user@example.com", "--keys"]).arg(&ring));
    assert_eq!((code, out.as_str()), (Some(0), "prvs=07853508f8=user@example.com\n"));

    let bad = private("bad-ring", b"version 1\nprvs 0 sha1 7 - - hunter2! text:hunter2\n");
    for words in [&["key", "list"][..], &["key", "check"], &["key", "prune"], &["sign", "a@b.example"]] {
        for ring in [&ring, &bad] {
            let (_, out, err) = ended(backstop().args(words).arg("--keys").arg(ring));
            assert!(
                !out.contains("secret\n") && !out.contains("text:") && !(out + &err).contains("hunter2"),
                "{words:?}"
            );
        }
    }
}

#[test]
fn a_secret_that_others_may_read_is_taken_with_a_warning() {
    let ring = private("warned-ring", b"version 1\n");
    let secret = private("warned-secret", b"the secret of the test\n");
    let add = |id: &str| {
        let mut command = backstop();
        command.args(["key", "add", "--id", id, "--domains", &format!("d{id}.example"), "--keys"]).arg(&ring);
        ended(command.arg("--secret-file").arg(&secret))
    };
    let (code, _, err) = add("1");
    assert_eq!((code, err.as_str()), (Some(0), ""));
    set_mode(&secret, 0o644);
    let (code, _, err) = add("2");
    assert_eq!(code, Some(0));
    assert!(err.starts_with("backstop: warning: ") && err.contains("others may read or write it (mode 0644)"), "{err}");
}

#[test]
fn a_line_of_postsrsd_that_looks_like_a_comment_or_is_short_is_told() {
    let ring = private("odd-ring", b"version 1\n");
    let mut command = backstop();
    command.args(["key", "import", "--from", "postsrsd", "-", "--keys"]).arg(&ring);
    let output = run(&mut command, b"# not a comment\n\nfifteen octets!\nsixteen octets!!\n");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let err = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = err.lines().collect();
    let expected = ["secret 1 begins with #", "secret 1 has less than 16 octets", "secret 2 has less than 16 octets"];
    assert_eq!(lines.len(), expected.len(), "{err}");
    assert!(lines.iter().zip(expected).all(|(line, expected)| line.contains(expected)), "{err}");
}

#[test]
fn a_short_secret_is_told_and_a_byte_order_mark_is_refused_where_it_may_be_none_of_it() {
    let ring = private("begun-ring", b"version 1\n");
    let told = |words: &str, secret: &[u8]| {
        let mut command = backstop();
        let output = run(command.args(["key"]).args(words.split(' ')).arg("--keys").arg(&ring), secret);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let short = "backstop: warning: standard input: the secret has less than 16 octets, so that one tag may be enough to guess it; \
                 `backstop key check` says what to do\n";
    let check = || run(backstop().args(["key", "check", "--json", "--keys"]).arg(&ring), b"").stdout;
    let is_due = || String::from_utf8(check()).unwrap().contains("short-secret");
    assert_eq!(told("add --secret-file -", b"sixteen octets!!\n"), (Some(0), String::new()));
    assert!(!is_due(), "making and checking call the same short");
    assert_eq!(told("add --secret-file -", b"fifteen octets!\n"), (Some(0), short.to_owned()));
    assert!(is_due());
    let marked = "backstop: standard input begins with a byte order mark, as some editors write it, which other programs may take for a \
                  part of the secret; save it without one\n";
    for words in ["add --secret-file -", "import --from exim -"] {
        assert_eq!(told(words, b"\xef\xbb\xbfa secret\n"), (Some(2), marked.to_owned()), "{words}");
    }
    let octets = b"\xef\xbb\xbf\xff is no text and no mark";
    assert_eq!(told("add --secret-file -", octets), (Some(0), String::new()));
    let kept = "backstop: warning: standard input: secret 1 begins with a byte order mark, which is a part of it as for postsrsd\n";
    assert_eq!(told("import --from postsrsd -", b"\xef\xbb\xbfsixteen octets!!\n"), (Some(0), kept.to_owned()));
}

#[test]
fn a_file_of_postsrsd_is_refused_in_words_about_the_file() {
    let ring = folder("no-ring-yet").join("ring");
    let import = |secrets: &str| {
        let mut command = backstop();
        command.args(["key", "import", "--from", "postsrsd", "-", "--keys"]).arg(&ring);
        String::from_utf8(run(&mut command, secrets.as_bytes()).stderr).unwrap()
    };
    let many: String = (0..11).map(|number| format!("the long secret {number}\n")).collect();
    let expected = "backstop: standard input holds 11 secrets, and srs has 10 ids; leave out those that have signed nothing for 21 days\n";
    assert_eq!(import(&many), expected);
    let expected = "backstop: standard input: secret 3 is secret 1 again; leave one of them out\n";
    assert_eq!(import("the first\n\nthe second\nthe first\n"), expected);
    assert!(!ring.exists());
    assert_eq!(import(many.split_at(many.find("the long secret 10").unwrap()).0), "");
}

#[test]
fn a_key_that_never_signs_is_told_as_one() {
    let ring = private("over-ring", b"version 1\n");
    let added = |from: &str, until: &str| {
        let mut command = backstop();
        command.args(["key", "add", "--at", "2026-11-21", "--from", from, "--until", until, "--keys"]).arg(&ring);
        ended(&mut command).1
    };
    let out = added("-", "2020-01-01");
    assert!(out.ends_with(", for * until 2020-01-01: it verifies and never signs; copy the ring to all hosts and reload their daemons\n"), "{out}");
    let out = added("-", "2026-11-21");
    assert!(
        out.ends_with(", for * from now until 2026-11-21; copy the ring to all hosts and reload their daemons\n"),
        "{out}"
    );
    let out = added("-", "2020-01-02");
    assert!(out.contains(", for * until 2020-01-02: it verifies and never signs; "), "none signs in its place: {out}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_change_that_cannot_be_told_is_made_all_the_same_and_says_so() {
    let ring = private("untold-ring", b"version 1\n");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (code, _, err) = ended(backstop().args(["key", "add", "--keys"]).arg(&ring).stdout(full));
    assert_eq!(code, Some(2));
    assert!(err.contains("holds what was asked for, see `backstop key list`, but standard output cannot"), "{err}");
    assert!(fs::read_to_string(&ring).unwrap().contains("\nprvs "));
}

#[test]
fn a_policy_that_never_ends_or_never_comes_is_refused() {
    let pipe = folder("policies").join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (code, out, err) =
        ended(backstop().args(["decide", "--from", "<>", "--to", "a@b.example", "--policy"]).arg(&pipe));
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("is no regular file; name the file that holds the policy"), "{err}");
    let long = private("long-policy", &vec![b'#'; (1 << 20) + 1]);
    let (code, _, err) =
        ended(backstop().args(["decide", "--from", "<>", "--to", "a@b.example", "--policy"]).arg(&long));
    assert_eq!(code, Some(2));
    assert!(err.contains("is longer than 1048576 octets; name the file that holds the policy"), "{err}");
}

#[test]
fn an_address_with_a_line_end_is_refused_and_one_line_stays_one_line() {
    for address in ["a@b.example\nc@d.example", "a@b.example\r", "\n\n"] {
        for words in [&["strip"][..], &["explain"], &["try"]] {
            let (code, out, err) = ended(backstop().args(words).arg(address));
            assert_eq!((code, out.as_str()), (Some(2), ""), "{words:?}");
            assert!(err.contains(" holds a line end, as no address does; ") && err.lines().count() == 1, "{err}");
        }
    }
}

#[test]
fn an_empty_ring_is_due_and_pruning_says_that_it_is_one() {
    let ring = private("empty-ring", b"version 1\nprvs 0 sha1 7 - 2026-01-01 *,!\xe2\x80\xaex.example text:secret\n");
    let (_, out, _) = ended(backstop().args(["key", "list", "--at", "2026-01-01", "--keys"]).arg(&ring));
    assert!(out.contains("*,!\\u{202e}x.example"), "{out}");
    let (code, out, _) = ended(backstop().args(["key", "prune", "--at", "2026-08-01", "--keys"]).arg(&ring));
    assert_eq!(code, Some(0));
    assert_eq!(out, "1 dropped, 0 kept; the ring has no key left, add one with `backstop key add`\n");
    let (code, out, _) = ended(backstop().args(["key", "check", "--keys"]).arg(&ring));
    assert_eq!(code, Some(1));
    assert!(out.starts_with("due  no-signer: the ring has no key; add one"), "{out}");
}

#[test]
fn edits_keep_mode_and_comments() {
    let ring = private("edited-ring", b"version 1\n# ours\nprvs 0 sha256 10 2026-01-01 - * text:a secret of our own\n");
    set_mode(&ring, 0o640);
    let (code, out, err) = ended(backstop().args(["key", "rotate", "--at", "2026-06-01", "--keys"]).arg(&ring));
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let text = fs::read_to_string(&ring).unwrap();
    assert!(text.starts_with("version 1\n# ours\nprvs 0 sha256 10 2026-01-01 2026-06-07 * text:a secret"), "{text}");
    assert_eq!(mode(&ring), 0o640);
}

#[test]
fn a_key_of_sha1_is_rotated_to_sha256_if_that_is_asked_for() {
    let ring = private("to-sha256", b"version 1\nprvs 0 sha1 7 - - * text:the secret that Exim has\n");
    let rotate =
        |more: &[&str]| ended(backstop().args(["key", "rotate", "--at", "2026-06-01", "--keys"]).arg(&ring).args(more));
    let (code, _, err) = rotate(&["--use", "srs", "--mac", "sha256"]);
    assert_eq!((code, err.as_str()), (Some(2), "backstop: --mac must be sha1 for srs\n"));
    let (code, _, err) = rotate(&["--days", "100"]);
    assert_eq!((code, err.as_str()), (Some(2), "backstop: --days takes a whole number from 1 to 99 for prvs\n"));
    let (code, _, err) = rotate(&["--mac", "sha256", "--days", "12"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let text = fs::read_to_string(&ring).unwrap();
    let new: Vec<&str> = text.lines().nth(2).unwrap().split_whitespace().skip(2).take(4).collect();
    assert_eq!(new, ["sha256", "12", "2026-06-04", "-"], "{text}");
    assert!(text.contains("prvs 0 sha1 7 - 2026-06-07 * text:the secret that Exim has\n"), "{text}");
}

#[test]
fn domains_in_another_order_are_the_same_domains_when_a_key_is_chosen_to_retire() {
    let text = "version 1\nprvs 4 sha256 10 2026-01-01 2026-12-01 b.example,a.example text:a secret of our own\n\
                prvs 5 sha256 10 2026-11-20 - a.example,b.example text:another of our own\n";
    let ring = private("retired-order", text.as_bytes());
    let (code, _, err) = ended(
        backstop().args(["key", "retire", "--domain", "a.example", "--at", "2026-11-21"]).arg("--keys").arg(&ring),
    );
    let expected =
        "backstop: prvs key 5 signs in place of 4, which is still open; say with --id which of them to retire\n";
    assert_eq!((code, err.as_str()), (Some(2), expected));
}

#[test]
fn whichever_key_is_retired_the_ring_keeps_a_signer() {
    let text = "version 1\nprvs 4 sha256 10 2026-01-01 2026-11-07 * text:a secret of our own\n\
                prvs 8 sha256 10 2026-11-04 - * text:another of our own\n";
    let ring = private("retired-ring", text.as_bytes());
    let retire = |more: &[&str]| {
        ended(backstop().args(["key", "retire", "--at", "2026-11-05"]).args(more).arg("--keys").arg(&ring))
    };
    let (code, _, err) = retire(&[]);
    assert_eq!(code, Some(2));
    let expected =
        "backstop: prvs key 8 signs in place of 4, which is still open; say with --id which of them to retire\n";
    assert_eq!(err, expected);
    let (code, _, err) = retire(&["--id", "8"]);
    assert_eq!(code, Some(2));
    let expected = "backstop: no other prvs key signs for all domains of this one on 2026-11-08; rotate it first\n";
    assert_eq!(err, expected);
    assert_eq!(fs::read_to_string(&ring).unwrap(), text);
    let (code, out, _) = retire(&["--id", "4"]);
    let told = "prvs key 4 signs until 2026-11-05; copy the ring to all hosts and reload their daemons\n";
    assert_eq!((code, out.as_str()), (Some(0), told));
    let (code, out, _) = ended(backstop().args(["sign", "--at", "2026-11-08", "a@b.example", "--keys"]).arg(&ring));
    assert!(code == Some(0) && out.starts_with("prvs=8"), "{out}");
}

#[test]
fn the_successor_of_an_ended_key_is_to_be_copied_now() {
    let ring = private("ended-ring", b"version 1\nprvs 4 sha256 10 - 2026-01-07 * text:a secret of our own\n");
    let mut command = backstop();
    command.args(["key", "rotate", "--id", "4", "--at", "2026-11-22", "--keys"]).arg(&ring);
    let (code, out, err) = ended(&mut command);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(
        out.ends_with(
            " signs from now on, key 4 ended on 2026-01-07; copy the ring to all hosts and reload their daemons now\n"
        ),
        "{out}"
    );
}

#[test]
fn arguments_that_are_not_utf8_are_addresses_all_the_same() {
    let address = std::ffi::OsStr::from_bytes(b"a\xff@b.example");
    let output = backstop().arg("strip").arg(address).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b"a\xff@b.example\n"[..]));
    let output = backstop().args(["strip", "--json"]).arg(address).output().unwrap();
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["input"], "a\u{fffd}@b.example");
}

#[test]
fn every_command_has_a_man_page_and_every_shell_its_completions() {
    let man = folder("man");
    let (code, out, err) = ended(backstop().arg("man").arg(&man));
    assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "", ""));
    for page in [
        "backstop",
        "backstop-sign",
        "backstop-verify",
        "backstop-srs-reverse",
        "backstop-key-import",
        "backstop-mark-verify",
    ] {
        assert!(man.join(format!("{page}.1")).exists(), "{page}");
    }
    let page = fs::read_to_string(man.join("backstop-key-add.1")).unwrap();
    assert!(page.contains("[\\-\\-secret\\-file <FILE>]") && page.contains("\n.SH EXAMPLES\n"), "{page}");
    let page = fs::read_to_string(man.join("backstop.1")).unwrap();
    assert!(page.contains("Exit codes:") && page.contains("BACKSTOP_KEYS"), "{page}");
    let page = fs::read_to_string(man.join("backstop-mark-verify.1")).unwrap().replace("\\-", "-");
    assert!(
        page.contains(" --recipient <ADDRESS> [--json] ") && page.contains(" <--header <VALUE> | --message-id <ID>>"),
        "{page}"
    );
    for entry in fs::read_dir(&man).unwrap() {
        let path = entry.unwrap().path();
        let page = fs::read_to_string(&path).unwrap();
        assert!(!page.contains("\n.br\n\n"), "{}: mandoc warns of it", path.display());
    }
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (code, out, _) = ended(backstop().args(["completions", shell]));
        assert!(code == Some(0) && out.contains("allow-unsafe-keys"), "{shell}");
    }
    let (_, out, _) = ended(backstop().args(["completions", "bash"]));
    for (option, words) in [("--use", "prvs bst1 srs mark"), ("--mac", "sha1 sha256")] {
        let completed = format!("{option})\n                    COMPREPLY=($(compgen -W \"{words}\"");
        assert!(out.contains(&completed), "{completed}");
    }
}
