//! The real daemon on sockets of its own: every protocol, reloads, hostile peers, start and stop.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod filter;
mod headers;
mod hostile;
mod limits;
mod log;
mod maps;
mod message;
mod metrics;
mod milter;
mod policy_service;
mod reload;
mod reports;
mod sessions;
mod start;
