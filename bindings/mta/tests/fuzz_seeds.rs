//! The daemon's fuzz targets as plain tests: over the seeds in `fuzz/corpus/`, and over mutations of them.
//!
//! The bodies are those that libFuzzer runs (`fuzz/bodies.rs`); the replay is the one of the other targets.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

#[path = "../fuzz/bodies.rs"]
#[allow(unreachable_pub, reason = "public for the fuzz targets")]
mod bodies;
#[path = "../../../fuzz/replay.rs"]
#[allow(unreachable_pub, reason = "public for those who include it")]
mod replay;

/// This package's seeds.
fn replay(target: &str, body: fn(&[u8])) {
    replay::replay(env!("CARGO_MANIFEST_DIR"), target, body);
}

#[test]
fn socketmap_answers_the_same_in_pieces_and_never_twice() {
    replay("socketmap", bodies::socketmap);
}

#[test]
fn tcp_table_answers_the_same_in_pieces_and_never_twice() {
    replay("tcp_table", bodies::tcp_table);
}

#[test]
fn the_policy_service_has_few_answers() {
    replay("policy_service", bodies::policy_service);
}

#[test]
fn the_milter_signs_only_what_is_vouched_for() {
    replay("milter", bodies::milter);
}

#[test]
fn http_answers_once_the_head_is_whole() {
    replay("http", bodies::http);
}

#[test]
fn configurations_read_back() {
    replay("config", bodies::config);
}

#[test]
fn reports_agree_and_cannot_write_on_the_terminal() {
    replay("report", bodies::report);
}

#[test]
fn events_are_lines_that_reports_read() {
    replay("event", bodies::event);
}

#[test]
fn the_filter_answers_each_question_once() {
    replay("filter", bodies::filter);
}
