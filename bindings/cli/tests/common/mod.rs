//! What the tests of the command share: private files and folders under cargo's folder for tests, and running.

#![allow(dead_code, reason = "each test file that includes this module uses a part of it")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Where the files of one test program lie, which may have the names of another's.
fn home() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
    fs::create_dir_all(&path).unwrap();
    path
}

/// An empty folder of this name.
pub(crate) fn folder(name: &str) -> PathBuf {
    let path = home().join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// A file of this name with this content, for its owner alone.
pub(crate) fn private(name: &str, content: &[u8]) -> PathBuf {
    let path = home().join(name);
    fs::write(&path, content).unwrap();
    set_mode(&path, 0o600);
    path
}

/// Gives a file this mode.
pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The permission bits of a file.
pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The command, with no key ring in its environment.
pub(crate) fn backstop() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backstop"));
    command.env_remove("BACKSTOP_KEYS").env_remove("XDG_CONFIG_HOME");
    command
}

/// Runs a command on this standard input.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // Beside the reader, or both pipes fill up.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    output
}
