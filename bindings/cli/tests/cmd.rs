//! The tests of the command as data: `cmd/*.trycmd` hold commands with what they print and their exit codes,
//! `cmd/*.toml` with `.stdin` and `.stdout` those that read standard input. `TRYCMD=overwrite` writes what came out.
//!
//! They share the key ring `ring` by way of `$BACKSTOP_KEYS`. It is copied first, since git keeps no mode 0600 and the
//! command refuses a ring that others may read.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod common;

#[test]
fn every_command_prints_what_its_file_says() {
    let keys = common::private("ring", include_bytes!("ring"));
    let home = common::folder("home");
    trycmd::TestCases::new()
        .env("BACKSTOP_KEYS", keys.to_str().unwrap())
        .env("COLUMNS", "100")
        .env("HOME", home.to_str().unwrap())
        .case("tests/cmd/*.trycmd")
        .case("tests/cmd/*.toml");
}
