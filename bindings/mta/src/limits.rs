//! Every limit of the daemon, what it is and what lies beyond it, for the manual.
//!
//! The numbers are those of the code; `tests/limits.rs` compares the table of README.md with this one. Each is kept by the
//! file that it comes from, and `tests/daemon/limits.rs` shows it on the running daemon.

use backstop::bounce::limits::MAX_KEPT;

use crate::config::{Filter, Limits};
use crate::exchange::LAST_WORDS;
use crate::faces::{filter, hold, milter, policy_service, socketmap, tcp_table};
use crate::metrics::http;
use crate::{event, guesses, listen, log};

/// A limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// What is limited.
    pub what: &'static str,
    /// How much there may be, with its unit; of a key of the configuration the default.
    pub most: String,
    /// What becomes of more.
    pub beyond: &'static str,
}

const CUT: &str = "the connection ends";

/// All limits.
pub fn all() -> Vec<Limit> {
    let limit = |what, most: String, beyond| Limit { what, most, beyond };
    let Limits { connections, idle, milter_idle, request, forged } = Limits::default();
    let octets = |number: usize| format!("{number} octets");
    vec![
        limit(
            "connections of a listener, `[limits] connections`",
            connections.to_string(),
            "the one whose last answer lies furthest back is closed",
        ),
        limit(
            "connections that the kernel keeps until they are accepted",
            listen::BACKLOG.to_string(),
            "the peer waits",
        ),
        limit(
            "descriptors",
            "the hard limit of the process (`LimitNOFILE=`)".to_owned(),
            "the idlest connection of all listeners is closed; without one accepting rests for 100 ms",
        ),
        limit(
            "the coming in of a request or a milter packet, the taking of an answer, `[limits] request-seconds`",
            format!("{} s", request.as_secs()),
            CUT,
        ),
        limit("silence between two requests, `[limits] idle-seconds`", format!("{} s", idle.as_secs()), CUT),
        limit(
            "silence of a milter connection, `[limits] milter-idle-seconds`",
            format!("{} s", milter_idle.as_secs()),
            CUT,
        ),
        limit("a request of the socketmap", octets(socketmap::MAX_REQUEST), CUT),
        limit("a line of the tcp_table", octets(tcp_table::MAX_LINE), CUT),
        limit("a request of the policy service", octets(policy_service::MAX_REQUEST), CUT),
        limit("a milter packet", octets(milter::MAX_PACKET), CUT),
        limit("the macros of a milter step", format!("{} octets", milter::line::MAX_MACROS), CUT),
        limit(
            "recipients of a mail in the milter",
            milter::session::MAX_RECIPIENTS.to_string(),
            "each further one is put off with 451",
        ),
        limit("an address in the milter", octets(milter::session::MAX_ADDRESS), "it is put off with 451"),
        limit(
            "recipients that are judged by one message",
            hold::MAX_WAITING.to_string(),
            "the others are judged at RCPT",
        ),
        limit(
            "what is kept of a bounce that is judged by its message",
            octets(MAX_KEPT),
            "nothing is held against the rest",
        ),
        limit("a From for a mark", octets(backstop::mark::MAX_FROM), "no mark"),
        limit(
            "copies of `verdict-header` in a message",
            milter::headers::MAX_COPIES.to_string(),
            "the message is refused (554)",
        ),
        limit("a line of the filter", octets(filter::MAX_LINE), "its end is not read"),
        limit(
            "sessions of the filter, `[filter] sessions`",
            Filter::default().sessions.to_string(),
            "the one that was silent for longest is forgotten; a mail in its midst has to come again (451), later ones leave unsigned",
        ),
        limit(
            "the head of a request for metrics",
            format!("{} octets, {} headers", http::MAX_HEAD, http::MAX_HEADERS),
            "431",
        ),
        limit(
            "forged tags of a client in an hour, `[limits] forged-per-hour`",
            forged.to_string(),
            "421 for an hour, in enforce",
        ),
        limit(
            "clients and tags that are counted",
            format!("twice {} of each", guesses::GENERATION),
            "those not seen for longest are forgotten",
        ),
        limit("an address in a line of the log", octets(event::MAX_SHOWN), "its end is left out"),
        limit(
            "lines that wait for the log",
            format!("{}, {} octets", log::QUEUE, log::MAX_WAITING),
            "dropped, and counted in the log",
        ),
        limit(
            "the end of requests and mails under way after SIGTERM",
            format!("{} s", LAST_WORDS.as_secs()),
            "they are cut off",
        ),
    ]
}
