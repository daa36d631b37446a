//! The fuzz targets as plain tests: over the seeds in `fuzz/corpus/`, and over mutations of them.
//!
//! The bodies are those that libFuzzer runs (`fuzz/bodies.rs`); `fuzz/replay.rs` brings the inputs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

#[path = "../fuzz/bodies.rs"]
#[allow(unreachable_pub, reason = "public for the fuzz targets")]
mod bodies;

#[path = "../fuzz/replay.rs"]
#[allow(unreachable_pub, reason = "public for those who include it")]
mod replay;

/// This package's seeds.
fn replay(target: &str, body: fn(&[u8])) {
    replay::replay(env!("CARGO_MANIFEST_DIR"), target, body);
}

#[test]
fn addresses_parse_to_themselves() {
    replay("address", bodies::address);
}

#[test]
fn rings_keep_their_text() {
    replay("ring", bodies::ring);
}

#[test]
fn prvs_verifies_what_was_signed() {
    replay("prvs", bodies::prvs);
}

#[test]
fn bst1_verifies_what_was_signed() {
    replay("bst1", bodies::bst1);
}

#[test]
fn srs_reverses_what_was_forwarded() {
    replay("srs", bodies::srs);
}

#[test]
fn one_tag_comes_off() {
    replay("strip", bodies::strip);
}

#[test]
fn marks_verify_for_their_from() {
    replay("mark", bodies::mark);
}

#[test]
#[cfg(feature = "policy-file")]
fn policies_keep_their_promises() {
    replay("policy", bodies::policy);
}

#[test]
#[cfg(feature = "bounce")]
fn verdicts_of_messages_follow_from_what_was_found() {
    replay("bounce", bodies::messages::bounce);
}
