//! What the tests of `backstop inspect` share: the fixtures of the library, and the command with a ring and a policy.

#![allow(dead_code, reason = "each test file that includes this module uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::common::{backstop, private};

const POLICY: &str = "[policy]\nown-domains = [\"example.com\"]\nmode = \"enforce\"\nmarks-since = 2026-01-05\n";
pub(crate) const RECIPIENT: [&str; 2] = ["--recipient", "alice@example.com"];

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/bounce")
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    fs::read(fixtures().join(name).with_extension("eml")).unwrap()
}

/// The command with a ring and a policy of its own, on a fixed day.
pub(crate) fn inspect(name: &str) -> Command {
    let mut command = backstop();
    let keys = private(&format!("{name}-ring"), include_bytes!("../ring"));
    let policy = private(&format!("{name}-policy"), POLICY.as_bytes());
    command.args(["inspect", "--at", "2026-11-21", "--keys"]).arg(keys).arg("--policy").arg(policy);
    command
}

pub(crate) fn objects(output: &[u8]) -> Vec<Value> {
    output
        .split(|octet| *octet == b'\n')
        .filter(|line| !line.is_empty())
        .map(|it| serde_json::from_slice(it).unwrap())
        .collect()
}

/// An mbox of these messages.
pub(crate) fn mbox(messages: &[Vec<u8>]) -> Vec<u8> {
    let separator = b"From MAILER-DAEMON Fri Nov 20 10:12:00 2026\n";
    messages.iter().flat_map(|message| [&separator[..], message, b"\n\n"].concat()).collect()
}
