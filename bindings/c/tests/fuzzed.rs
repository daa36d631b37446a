//! Whether the fuzz targets call what they promise to: every function of the header that takes more than a number.
//!
//! Read from the text of both, since the targets are built with a nightly Rust by cargo-fuzz only. A function that is named
//! and not called would pass.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::HashSet;
use std::fs;
use std::path::Path;

#[test]
fn every_function_that_takes_more_than_a_number_is_fuzzed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap();
    let targets = ["fuzz_targets/capi.rs", "fuzz_targets/capi_inspect.rs", "call.rs", "call_address.rs", "many.rs"];
    let targets = targets.map(|file| read(&format!("fuzz/{file}"))).concat();
    let named: HashSet<&str> = targets.split(|it: char| !it.is_ascii_alphanumeric() && it != '_').collect();
    let header = read("include/backstop.h");
    // A declaration begins in the first column, where comments and what goes on have a blank or a sign.
    let declared = header.lines().filter(|line| line.starts_with(|it: char| it.is_ascii_lowercase()));
    let functions: Vec<&str> = declared
        .filter_map(|line| line.split_once('('))
        .filter(|(_, takes)| *takes != "void);" && !(takes.starts_with("int32_t ") && takes.ends_with(");")))
        .filter_map(|(before, _)| before.rsplit([' ', '*']).next())
        .collect();
    assert!(functions.len() > 50, "{functions:?}");
    let missing: Vec<&&str> = functions.iter().filter(|name| !named.contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
