//! The daemon behind `backstopd`: backscatter protection for mail servers that link nothing.
//!
//! ```text
//! args.rs -> pages/               the manual pages; limits.rs: the table of limits in them
//!         -> check.rs             validates as a start would
//!         -> server.rs            start, signals, reload, stop; notify.rs tells systemd; stop.rs: how it ends in trouble
//!              |  maincf.rs       the configuration that `--domain` stands for, and Postfix's lines to it
//!              |  config/         one TOML file -> Config (address.rs: where to listen; show.rs: written back)
//!              |  ring.rs         the key ring: from its file, or made in the state directory
//!              v
//!            state.rs             one immutable Snapshot of configuration and ring, swapped as a whole
//!              |  listen.rs       sockets of all kinds (unix.rs: their files); pool.rs caps connections
//!              |  exchange.rs     reads, answers, times out
//!              v
//!            faces/               one file a protocol: pure parsers over bytes; mod.rs: what each face can do
//!              |                  (faces/filter/ is a process of its own, which OpenSMTPD starts)
//!              v
//!            decide.rs            the one place that asks the core's policy; gives the answer and its event
//!              |  guesses.rs      who brings forged tags, how often a tag was used
//!              v
//!            event.rs -> log.rs   one event a decision, as text or JSON; a thread writes
//!              |  metrics/        the same decisions counted, read over HTTP
//!              v
//!            report/              the log read again: `ready`, `stats`
//! ```
//!
//! All decisions are `backstop::policy`'s: nothing here says who is signed or refused. Time comes from `clock.rs`, so
//! that tests bring their own. This is a library only for the tests and fuzz targets of the daemon; its interface
//! promises nothing.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        reason = "tests fail by panicking"
    )
)]

pub mod args;
pub mod check;
pub mod clock;
pub mod config;
pub mod decide;
pub mod event;
pub mod exchange;
pub mod faces;
pub mod guesses;
pub mod limits;
pub mod listen;
pub mod log;
pub mod maincf;
pub mod metrics;
pub mod notify;
pub mod pages;
pub mod pool;
pub mod report;
pub mod ring;
pub mod server;
pub mod state;
pub mod stop;
pub mod unix;
