//! Key rings in files: what is trusted, how one is made, and that an edit replaces all of it or nothing.
//!
//! Owners can be given away only by root: the tests that need that say that they are skipped when another user runs
//! them. Some tests run this very program again, as another process or another user.

#![cfg(all(unix, feature = "std"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use std::{env, thread};

use backstop::keyfile::{self, Trust};
use backstop::{Domains, Error, KeyId, KeyRing, Mac, NewKey, Secret, Use};

/// Ids that no ordinary file has here, and that no user needs to have.
const OWNER: u32 = 54_321;
const GROUP: u32 = 54_322;
const RING: &str = "version 1\n# kept\nprvs 4 sha256 10 2026-11-21 - * text:the secret\n";
const NO_RIGHT: &str = "the user that runs this has not the right; run it as another one, or change the rights of the \
                        file and of its folders";

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("backstop-key-file-{}-{number}", process::id()));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        Folder(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file with this text and mode.
    fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    fn names(&self) -> Vec<String> {
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<String> = fs::read_dir(&self.0).unwrap().map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn ring() -> KeyRing {
    KeyRing::parse(RING.as_bytes()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

/// The message of a file error, without the path that it must name.
fn message<T: std::fmt::Debug>(result: Result<T, Error>, path: &Path) -> String {
    match result.unwrap_err() {
        Error::File { path: named, message } if Path::new(&named) == path => message,
        other => panic!("{other:?} does not name {}", path.display()),
    }
}

/// Adds one key that no other number gives.
fn add(ring: &KeyRing, number: u32) -> Result<KeyRing, Error> {
    ring.add(&NewKey {
        usage: Use::Srs,
        id: KeyId::new(Use::Srs, '0')?,
        mac: Mac::Sha1,
        days: 21,
        from: None,
        until: None,
        domains: Domains::parse(&format!("d{number}.example"))?,
        secret: Secret::new(&[1; 32])?,
    })
}

fn is_root(test: &str) -> bool {
    let folder = Folder::new();
    let root = fs::metadata(&folder.0).unwrap().uid() == 0;
    if !root {
        eprintln!("skipped: {test} needs root");
    }
    root
}

mod trust {
    use super::*;

    #[test]
    fn only_modes_that_keep_others_out_are_taken() {
        let folder = Folder::new();
        for given in [0o600, 0o400, 0o640, 0o440, 0o700, 0o750, 0o601] {
            let path = folder.file("keys", RING, given);
            let loaded = keyfile::load(&path, Trust::Private).unwrap();
            assert_eq!((loaded.ring.as_text(), loaded.warning), (RING, None), "{given:o}");
            fs::remove_file(path).unwrap();
        }
        for (given, who) in [
            (0o604, "others may read or write it"),
            (0o602, "others may read or write it"),
            (0o644, "others may read or write it"),
            (0o666, "others may read or write it"),
            (0o620, "its group may write to it"),
            (0o660, "its group may write to it"),
        ] {
            let path = folder.file("keys", RING, given);
            let expected = format!("{who} (mode {given:04o}); run `chmod g-w,o-rwx {}`", path.display());
            assert_eq!(message(keyfile::load(&path, Trust::Private), &path), expected);
            let edited = keyfile::edit(&path, Trust::Private, |ring| add(ring, 0));
            assert_eq!(message(edited, &path), expected);
            let loaded = keyfile::load(&path, Trust::AnyMode).unwrap();
            assert_eq!(loaded.warning, Some(format!("{}: {expected}", path.display())));
            let edited = keyfile::edit(&path, Trust::AnyMode, |ring| add(ring, 0)).unwrap();
            assert_eq!((edited.warning, mode(&path)), (loaded.warning, given));
            fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn nobody_is_told_to_change_the_mode_of_what_is_no_ring() {
        let folder = Folder::new();
        let path = folder.file("passwd", "root:x:0:0:root:/root:/bin/sh\n", 0o644);
        let told = message(keyfile::load(&path, Trust::Private), &path);
        assert_eq!(told, "line 1 of the key ring: this is no key ring, which begins with the line `version 1`");
        let path = folder.file("the keys", RING, 0o644);
        let told = message(keyfile::load(&path, Trust::Private), &path);
        assert!(told.ends_with(&format!("run `chmod g-w,o-rwx '{}'`", path.display())), "{told}");
    }

    #[test]
    fn what_is_no_ring_in_a_regular_file_is_refused() {
        let folder = Folder::new();
        let pipe = folder.path("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let dangling = folder.path("dangling");
        symlink("nowhere", &dangling).unwrap();
        let long = folder.file("long", &"#".repeat((1 << 20) + 1), 0o600);
        let other = folder.file("other", "version 1\nprvs 4 sha256 10 - - * secret\n", 0o600);
        let absent = folder.path("absent");
        let (below, endless) = (other.join("keys"), folder.path(&"x".repeat(256)));
        let no_file = "is no regular file; name the file that holds the key ring";
        let no_name = "is not there; `backstop key new` makes a key ring";
        let form = "column 8 (secret) must begin with text:, hex:, base32: or base64:";
        for (path, expected) in [
            (&folder.0, no_file),
            (&pipe, no_file),
            (&dangling, "is a link to a file that is not there; make that, or correct the link"),
            (&absent, no_name),
            (&below, "cannot be opened: a part of its path is no folder; correct its name"),
            (&endless, "cannot be opened: its name is too long or not allowed there; choose another one"),
            (&long, "is longer than 1048576 octets; name the file that holds the key ring"),
            (&other, &format!("line 2 of the key ring: {form}")),
        ] {
            assert_eq!(message(keyfile::load(path, Trust::Private), path), expected);
            assert_eq!(message(keyfile::edit(path, Trust::AnyMode, |ring| add(ring, 0)), path), expected);
        }
    }
}

mod other_files {
    use super::*;

    #[test]
    fn a_text_is_read_whatever_its_mode_up_to_a_mebibyte() {
        let folder = Folder::new();
        let read = |path: &Path| keyfile::read_text(path, "the policy");
        let whole = "#".repeat(1 << 20);
        assert_eq!(*read(&folder.file("policy", "a text", 0o644)).unwrap(), b"a text");
        assert_eq!(*read(&folder.file("whole", &whole, 0o644)).unwrap(), whole.as_bytes());
        let long = folder.file("long", &format!("{whole}#"), 0o644);
        assert_eq!(message(read(&long), &long), "is longer than 1048576 octets; name the file that holds the policy");
        assert_eq!(message(read(&folder.0), &folder.0), "is no regular file; name the file that holds the policy");
        let absent = folder.path("absent");
        assert!(message(read(&absent), &absent).starts_with("cannot be opened: it is not there; "));
    }

    #[test]
    fn each_refusal_of_the_file_system_says_what_to_do() {
        use std::io::ErrorKind;
        for (kind, words) in [
            (ErrorKind::IsADirectory, "it is a folder; name a file"),
            (ErrorKind::StorageFull, "no room is left on its file system; make some and try again"),
            (ErrorKind::QuotaExceeded, "no room is left on its file system; make some and try again"),
            (
                ErrorKind::ReadOnlyFilesystem,
                "its file system is read-only; choose another place, or have it made writable",
            ),
        ] {
            assert_eq!(keyfile::in_words(&kind.into()), words);
        }
    }
}

mod create {
    use super::*;

    #[test]
    fn a_new_file_is_for_its_owner_alone() {
        let folder = Folder::new();
        let path = folder.path("keys");
        keyfile::create(&path, &ring(), None).unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), (RING, 0o600));
        assert_eq!(folder.names(), ["keys"]);
    }

    #[test]
    fn a_group_may_read_a_file_made_for_it() {
        let folder = Folder::new();
        let path = folder.path("keys");
        let own = fs::metadata(&folder.0).unwrap().gid();
        let group = if is_root("a group other than the own one") { GROUP } else { own };
        keyfile::create(&path, &ring(), Some(group)).unwrap();
        assert_eq!((mode(&path), fs::metadata(&path).unwrap().gid()), (0o640, group));
        assert!(keyfile::load(&path, Trust::Private).is_ok());
    }

    #[test]
    fn a_group_that_the_system_takes_for_no_change_is_refused() {
        let folder = Folder::new();
        let path = folder.path("keys");
        let expected = "cannot be given to group 4294967295, which can be none; name another one";
        assert_eq!(message(keyfile::create(&path, &ring(), Some(u32::MAX)), &path), expected);
        assert_eq!(folder.names(), [""; 0]);
    }

    #[test]
    fn what_is_there_already_stays() {
        let folder = Folder::new();
        let path = folder.file("keys", "something else", 0o644);
        let empty = folder.file("empty", "", 0o600);
        let link = folder.path("link");
        symlink("nowhere", &link).unwrap();
        let dangling = "is there already and cannot be followed: it is not there; correct its name";
        for (path, expected) in [
            (&path, "is there already; add to it with `backstop key add`"),
            (&empty, "is there already and empty; delete it first, unless another program is just making it"),
            (&link, dangling),
            (&folder.0, "is no regular file; name the file that holds the key ring"),
        ] {
            assert_eq!(message(keyfile::create(path, &ring(), None), path), expected);
        }
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("something else", 0o644));
        assert_eq!(folder.names(), ["empty", "keys", "link"]);
        let path = folder.path("no/keys");
        let expected = "cannot be made: its folder is not there; make that first";
        assert_eq!(message(keyfile::create(&path, &ring(), None), &path), expected);
    }

    #[test]
    fn a_file_that_cannot_be_given_to_its_group_is_not_left_behind() {
        if !is_root("another user") {
            return;
        }
        let folder = Folder::new();
        chown(&folder.0, Some(OWNER), Some(OWNER)).unwrap();
        let path = folder.path("keys");
        let output = Child::new("creates", &path).user().with("GROUP", GROUP).output();
        let words = "the user that runs this is not in it; run it as root, or name a group of that user";
        assert_eq!(output, format!("{}: cannot be given to group {GROUP}: {words}", path.display()));
        assert_eq!(folder.names(), [""; 0]);
    }

    #[test]
    fn the_umask_decides_nothing() {
        for umask in ["000", "777"] {
            let folder = Folder::new();
            let path = folder.path("keys");
            assert_eq!(Child::new("creates", &path).with("UMASK", umask).output(), "");
            assert_eq!(mode(&path), 0o600, "{umask}");
            fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
            assert_eq!(Child::new("edits", &path).with("UMASK", umask).output(), "");
            assert_eq!(mode(&path), 0o640, "{umask}");
        }
    }
}

mod edit {
    use super::*;

    #[test]
    fn an_edit_replaces_the_text_and_keeps_the_mode() {
        let folder = Folder::new();
        for given in [0o600, 0o640, 0o700] {
            let path = folder.file("keys", RING, given);
            let edited = keyfile::edit(&path, Trust::Private, |ring| add(ring, 7)).unwrap();
            let expected = add(&ring(), 7).unwrap();
            assert_eq!(edited.ring.as_text(), expected.as_text());
            assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), (expected.as_text(), given));
            assert_eq!(folder.names(), ["keys"]);
        }
    }

    #[test]
    fn an_edit_keeps_owner_and_group() {
        if !is_root("keeping another owner") {
            return;
        }
        let folder = Folder::new();
        let path = folder.file("keys", RING, 0o640);
        chown(&path, Some(OWNER), Some(GROUP)).unwrap();
        keyfile::edit(&path, Trust::Private, |ring| add(ring, 7)).unwrap();
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.uid(), metadata.gid(), mode(&path)), (OWNER, GROUP, 0o640));
    }

    #[test]
    fn an_edit_follows_symlinks_and_keeps_them() {
        let folder = Folder::new();
        fs::create_dir(folder.path("real")).unwrap();
        let target = folder.file("real/keys", RING, 0o600);
        let (near, far) = (folder.path("near"), folder.path("far"));
        symlink("real/keys", &near).unwrap();
        symlink(&near, &far).unwrap();
        keyfile::edit(&far, Trust::Private, |ring| add(ring, 7)).unwrap();
        assert_eq!(fs::read_link(&near).unwrap(), Path::new("real/keys"));
        assert_eq!(fs::read_link(&far).unwrap(), near);
        assert!(!fs::symlink_metadata(&target).unwrap().is_symlink());
        assert_eq!(keyfile::load(&target, Trust::Private).unwrap().ring.keys().len(), 2);
        assert_eq!(folder.names(), ["far", "near", "real"]);
        assert_eq!(fs::read_dir(folder.path("real")).unwrap().count(), 1);
    }

    #[test]
    fn a_file_with_a_second_name_is_not_split_in_two() {
        let folder = Folder::new();
        let path = folder.file("keys", RING, 0o600);
        fs::hard_link(&path, folder.path("second")).unwrap();
        let expected = "has 2 names (hard links), of which an edit would change one; use a symlink instead";
        assert_eq!(message(keyfile::edit(&path, Trust::Private, |ring| add(ring, 7)), &path), expected);
        assert_eq!(fs::read_to_string(&path).unwrap(), RING);
    }

    #[test]
    fn an_edit_that_changes_nothing_leaves_the_file_alone() {
        let folder = Folder::new();
        let path = folder.file("keys", RING, 0o600);
        let before = fs::metadata(&path).unwrap().ino();
        keyfile::edit(&path, Trust::Private, |ring| Ok(ring.clone())).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().ino(), before);
    }

    #[test]
    fn an_edit_that_is_refused_changes_nothing() {
        let folder = Folder::new();
        let path = folder.file("keys", RING, 0o600);
        let before = fs::metadata(&path).unwrap();
        let error = keyfile::edit(&path, Trust::Private, |_| Err(Error::Edit("no".into()))).unwrap_err();
        assert_eq!(error, Error::Edit("no".into()));
        assert_eq!(fs::read_to_string(&path).unwrap(), RING);
        assert_eq!(fs::metadata(&path).unwrap().ino(), before.ino());
        assert_eq!(folder.names(), ["keys"]);
    }

    #[test]
    fn what_a_killed_edit_left_is_cleared_away() {
        let folder = Folder::new();
        let path = folder.file("keys", RING, 0o600);
        folder.file(".keys.new", "left over", 0o644);
        keyfile::edit(&path, Trust::Private, |ring| add(ring, 7)).unwrap();
        assert_eq!(keyfile::load(&path, Trust::Private).unwrap().ring.keys().len(), 2);
        assert_eq!((folder.names(), mode(&path)), (vec!["keys".to_owned()], 0o600));
    }

    #[test]
    fn an_edit_that_cannot_be_written_changes_nothing() {
        let folder = Folder::new();
        let path = folder.file("keys", RING, 0o600);
        fs::create_dir(folder.path(".keys.new")).unwrap();
        let told = message(keyfile::edit(&path, Trust::Private, |ring| add(ring, 7)), &path);
        assert!(told.starts_with("cannot be replaced: "), "{told}");
        assert_eq!(fs::read_to_string(&path).unwrap(), RING);
    }

    #[test]
    fn an_edit_that_runs_out_of_room_changes_nothing() {
        let folder = Folder::new();
        let long = format!("{RING}#{}\n", "x".repeat(4096));
        let path = folder.file("keys", &long, 0o600);
        let output = Child::new("edits", &path).with("BLOCKS", 1).output();
        assert_eq!(
            output,
            format!(
                "{}: cannot be replaced: it would be longer than this process may write; raise that limit (`ulimit -f`)",
                path.display()
            )
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), long);
        assert_eq!(folder.names(), ["keys"]);

        // Without any room the child cannot even report.
        let made = folder.path("made");
        assert!(!Child::new("creates", &made).with("BLOCKS", 0).start().0.wait().unwrap().success());
        assert_eq!(folder.names(), ["keys"]);
    }

    #[test]
    fn a_user_who_cannot_keep_owner_and_group_changes_nothing() {
        if !is_root("another user") {
            return;
        }
        // A folder that the user may not write to, then one that the user owns, with a file of a strange group.
        for folder_owner in [0, OWNER] {
            let folder = Folder::new();
            let path = folder.file("keys", RING, 0o600);
            chown(&path, Some(OWNER), Some(GROUP)).unwrap();
            chown(&folder.0, Some(folder_owner), None).unwrap();
            let output = Child::new("edits", &path).user().output();
            assert_eq!(output, format!("{}: cannot be replaced: {NO_RIGHT}", path.display()));
            assert_eq!(fs::read_to_string(&path).unwrap(), RING);
            assert_eq!(fs::metadata(&path).unwrap().gid(), GROUP);
            assert_eq!(folder.names(), ["keys"]);
        }
    }

    #[test]
    fn an_edit_that_is_made_is_no_error_though_its_folder_cannot_be_synced() {
        if !is_root("another user") {
            return;
        }
        let folder = Folder::new();
        let path = folder.file("keys", RING, 0o600);
        for path in [&path, &folder.0] {
            chown(path, Some(OWNER), Some(OWNER)).unwrap();
        }
        // What may be written to and not be read cannot be opened for a sync.
        fs::set_permissions(&folder.0, Permissions::from_mode(0o300)).unwrap();
        let output = Child::new("edits", &path).user().output();
        let told = "the change is made, but a crash of the host may undo it, since its folder cannot be synced";
        assert_eq!(output, format!("{}: {told}: {NO_RIGHT}", path.display()));
        assert_eq!(fs::read_to_string(&path).unwrap(), add(&ring(), 7).unwrap().as_text());
        assert_eq!(folder.names(), ["keys"]);
    }

    #[test]
    fn an_edit_waits_for_the_lock() {
        let folder = Folder::new();
        let path = folder.file("keys", RING, 0o600);
        let lock = File::open(&path).unwrap();
        lock.lock().unwrap();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                keyfile::edit(&path, Trust::Private, |ring| add(ring, 7)).unwrap();
                done.store(true, Ordering::SeqCst);
            });
            thread::sleep(Duration::from_millis(200));
            assert!(!done.load(Ordering::SeqCst));
            assert_eq!(fs::read_to_string(&path).unwrap(), RING);
            lock.unlock().unwrap();
        });
        assert!(done.load(Ordering::SeqCst));
    }

    #[test]
    fn editors_at_once_lose_nothing_and_readers_see_whole_rings() {
        let folder = Folder::new();
        let path = folder.file("keys", RING, 0o600);
        let link = folder.path("link");
        symlink(&path, &link).unwrap();
        let done = AtomicBool::new(false);
        let seen = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut seen = vec![0];
                while !done.load(Ordering::SeqCst) {
                    seen.push(keyfile::load(&path, Trust::Private).unwrap().ring.keys().len());
                }
                seen
            });
            let editors: Vec<_> = (0..4)
                .map(|editor| {
                    let name = if editor % 2 == 0 { &path } else { &link };
                    scope.spawn(move || {
                        for number in 0..5 {
                            keyfile::edit(name, Trust::Private, |ring| add(ring, editor * 100 + number)).unwrap();
                        }
                    })
                })
                .collect();
            let mut processes: Vec<_> = (4..7)
                .map(|editor| Child::new("edits", &path).with("FIRST", editor * 100).with("TIMES", 5).start())
                .collect();
            assert!(processes.iter_mut().all(|(process, _)| process.wait().unwrap().success()));
            editors.into_iter().for_each(|editor| editor.join().unwrap());
            done.store(true, Ordering::SeqCst);
            reader.join().unwrap()
        });
        assert!(seen.is_sorted(), "a reader saw an older ring after a newer one");
        let ring = keyfile::load(&path, Trust::Private).unwrap().ring;
        let mut domains: Vec<&str> = ring.keys().iter().skip(1).map(|key| key.domains().as_str()).collect();
        let mut expected: Vec<String> =
            (0..7).flat_map(|editor| (0..5).map(move |number| format!("d{}.example", editor * 100 + number))).collect();
        domains.sort_unstable();
        expected.sort_unstable();
        assert_eq!(domains, expected);
        assert_eq!(folder.names(), ["keys", "link"]);
    }
}

/// This program again, in another process: what it does, and the error or warning that it meets.
struct Child {
    command: Command,
    /// Holds the report, which the test harness, writing to the outputs, cannot get mixed up with.
    folder: Folder,
}

impl Child {
    fn new(what: &str, path: &Path) -> Child {
        let folder = Folder::new();
        let report = folder.file("report", "nothing was done", 0o666);
        // A copy, since another user may be unable to reach the folder of this program; made by another process, since
        // a descriptor that is open for writing here, and inherited by another child, would keep the copy from running.
        let program = folder.path("program");
        assert!(Command::new("cp").arg(env::current_exe().unwrap()).arg(&program).status().unwrap().success());
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new("sh");
        let limits = "trap '' XFSZ; umask ${BACKSTOP_CHILD_UMASK:-077}; ulimit -f ${BACKSTOP_CHILD_BLOCKS:-unlimited}";
        let script = format!("{limits}; exec \"$0\" --ignored --exact child 2>&1");
        command.args(["-c", &script]).arg(program).current_dir("/").stdout(Stdio::null());
        command.env("BACKSTOP_CHILD", what).env("BACKSTOP_CHILD_PATH", path).env("BACKSTOP_CHILD_REPORT", report);
        Child { command, folder }
    }

    /// As a user without rights.
    fn user(mut self) -> Child {
        self.command.uid(OWNER).gid(OWNER);
        self
    }

    fn with(mut self, name: &str, value: impl ToString) -> Child {
        self.command.env(format!("BACKSTOP_CHILD_{name}"), value.to_string());
        self
    }

    fn start(mut self) -> (process::Child, Folder) {
        (self.command.spawn().unwrap(), self.folder)
    }

    fn output(self) -> String {
        let (mut process, folder) = self.start();
        let status = process.wait().unwrap();
        let text = fs::read_to_string(folder.path("report")).unwrap();
        assert!(status.success(), "{status} {text}");
        text
    }
}

#[test]
#[ignore = "runs only as a child of other tests"]
fn child() {
    let number = |name: &str| env::var(name).ok().map(|number| number.parse::<u32>().unwrap());
    let path = PathBuf::from(env::var_os("BACKSTOP_CHILD_PATH").expect("started by another test"));
    let mut warnings = String::new();
    let result = match env::var("BACKSTOP_CHILD").unwrap().as_str() {
        "creates" => keyfile::create(&path, &ring(), number("BACKSTOP_CHILD_GROUP")),
        _ => {
            let first = number("BACKSTOP_CHILD_FIRST").unwrap_or(7);
            let times = number("BACKSTOP_CHILD_TIMES").unwrap_or(1);
            (first..first + times).try_for_each(|number| {
                let edited = keyfile::edit(&path, Trust::Private, |ring| add(ring, number))?;
                warnings.extend(edited.warning);
                Ok(())
            })
        }
    };
    let report = result.err().map_or(warnings, |error| error.to_string());
    fs::write(env::var_os("BACKSTOP_CHILD_REPORT").unwrap(), report).unwrap();
}
