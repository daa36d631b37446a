//! When a watched key file is looked at, and what counts as a change.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::PathBuf;
use std::thread;

use backstop::keystore::{PAUSE, Watch};
use backstop::{Error, KeyRing, keyfile};

/// A folder of the test's own, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("backstop-keystore-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        Folder(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// Puts a file with this ring in the place of the one that is there.
    fn put(&self, ring: &KeyRing) {
        let new = self.0.join("new");
        keyfile::create(&new, ring, None).unwrap();
        fs::rename(new, self.path()).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn ring(id: u32) -> KeyRing {
    KeyRing::parse(format!("version 1\nprvs {id} sha1 7 - - * text:an example\n").as_bytes()).unwrap()
}

#[test]
fn a_file_is_read_when_it_is_another_one_and_only_then() {
    let folder = Folder::new("change");
    folder.put(&ring(1));
    let (watch, first, seen) = Watch::open(folder.path()).unwrap();
    assert_eq!(first.as_text(), ring(1).as_text());
    assert!(watch.read_if_changed(&seen).is_none());
    folder.put(&ring(2));
    let (later, read) = watch.read_if_changed(&seen).unwrap();
    assert_eq!(read.unwrap().as_text(), ring(2).as_text());
    assert!(watch.read_if_changed(&later).is_none());
    assert_eq!(watch.read().1.unwrap().as_text(), ring(2).as_text());
}

#[test]
fn a_file_that_went_or_came_back_has_changed() {
    let folder = Folder::new("gone");
    folder.put(&ring(1));
    let (watch, _, seen) = Watch::open(folder.path()).unwrap();
    fs::remove_file(folder.path()).unwrap();
    let (gone, read) = watch.read_if_changed(&seen).unwrap();
    assert!(matches!(read, Err(Error::File { .. })));
    assert!(watch.read_if_changed(&gone).is_none());
    folder.put(&ring(1));
    assert!(watch.read_if_changed(&gone).unwrap().1.is_ok());
}

#[test]
fn a_file_that_could_not_be_used_is_read_again_though_it_did_not_change() {
    let folder = Folder::new("again");
    folder.put(&ring(1));
    let (watch, _, seen) = Watch::open(folder.path()).unwrap();
    fs::write(folder.path(), "nothing").unwrap();
    let (bad, read) = watch.read_if_changed(&seen).unwrap();
    assert!(read.is_err());
    // It goes, which is another reason.
    let text = fs::read(folder.path()).unwrap();
    fs::remove_file(folder.path()).unwrap();
    let gone = watch.read_if_changed(&bad).unwrap().1.unwrap_err();
    assert!(gone.to_string().contains("is not there"), "{gone}");
    fs::write(folder.path(), text).unwrap();
    let (still, read) = watch.read_if_changed(&bad).unwrap();
    assert!(read.is_err());
    assert!(watch.read_if_changed(&still).is_some() && watch.read().1.is_err());
    folder.put(&ring(1));
    let (good, read) = watch.read_if_changed(&still).unwrap();
    assert!(read.is_ok());
    assert!(watch.read_if_changed(&good).is_none());
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_read_is_refused_as_soon_as_it_is_looked_at() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("mode");
    folder.put(&ring(1));
    let (watch, _, seen) = Watch::open(folder.path()).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(watch.read_if_changed(&seen).unwrap().1, Err(Error::File { .. })));
    assert!(Watch::open(folder.path()).is_err());
}

#[test]
fn a_ring_without_a_key_is_refused_since_it_was_cut_off() {
    let folder = Folder::new("cut");
    folder.put(&ring(1));
    let (watch, _, seen) = Watch::open(folder.path()).unwrap();
    fs::write(folder.path(), "version 1\n").unwrap();
    let (_, read) = watch.read_if_changed(&seen).unwrap();
    assert!(read.unwrap_err().to_string().contains("has no key"));
    assert!(Watch::open(folder.path()).is_err());
}

#[test]
fn the_file_stays_the_same_where_the_path_was_relative() {
    let folder = Folder::new("relative");
    folder.put(&ring(1));
    let here = std::env::current_dir().unwrap();
    let up = "../".repeat(here.components().count() - 1);
    let relative = format!("{up}{}", folder.path().strip_prefix("/").unwrap().display());
    let (watch, ..) = Watch::open(&relative).unwrap();
    folder.put(&ring(2));
    std::env::set_current_dir(&folder.0).unwrap();
    let read = watch.read().1;
    std::env::set_current_dir(here).unwrap();
    assert_eq!(read.unwrap().as_text(), ring(2).as_text());
}

#[test]
fn one_caller_a_second_is_to_look() {
    let folder = Folder::new("due");
    folder.put(&ring(1));
    let (watch, ..) = Watch::open(folder.path()).unwrap();
    assert!(!watch.is_due());
    thread::sleep(PAUSE);
    let due = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| (0..100).filter(|_| watch.is_due()).count())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    assert_eq!(due, 1);
}
