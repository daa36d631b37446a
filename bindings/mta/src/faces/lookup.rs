//! The four maps that socketmap and tcp_table offer: one address in, another one or nothing out.
//!
//! | map | key | answer |
//! |---|---|---|
//! | `sign` | a sender of mail that the MTA vouches for | the signed sender |
//! | `verify` | a recipient | the mailbox under a tag with a right MAC |
//! | `srs-forward` | a sender of mail that is forwarded | the sender rewritten into the forwarder's domain |
//! | `srs-reverse` | a recipient | to whom an SRS address of ours returns |
//!
//! Everything else is not found, so that sign(signed) and verify(plain) end Postfix's recursion. The null sender comes as
//! the two characters `""`; virtual maps also ask for bare domains. None of these is an address to decide about.
//!
//! **Who is signed** is for the MTA to say: a map sees no client, so the sign map must hang on a cleanup service that only
//! submission and pickup use. A map refuses nothing either: it is asked after the refusing was done, or about the MTA's
//! own bounces, and takes off what has a right MAC. A tag that is not ours is not found: an answer would make any
//! recipient "known" and be accepted and bounced.

use backstop::policy::Origin;
use backstop::{Path, srs};

use crate::clock::Now;
use crate::decide::{self, Context};
use crate::faces::Face;
use crate::state::{Snapshot, State};

/// A map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Map {
    /// Plain sender to signed sender.
    Sign,
    /// Tagged recipient to mailbox.
    Verify,
    /// Foreign sender to SRS address.
    SrsForward,
    /// SRS address to sender.
    SrsReverse,
}

impl Map {
    /// All maps.
    pub const ALL: [Map; 4] = [Map::Sign, Map::Verify, Map::SrsForward, Map::SrsReverse];

    /// The name of the map in requests and configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Map::Sign => "sign",
            Map::Verify => "verify",
            Map::SrsForward => "srs-forward",
            Map::SrsReverse => "srs-reverse",
        }
    }

    /// The map of this name.
    pub fn by_name(name: &[u8]) -> Option<Map> {
        Map::ALL.into_iter().find(|map| map.as_str().as_bytes() == name)
    }
}

/// Looks a key up.
pub fn look_up(
    state: &State,
    snapshot: &Snapshot,
    face: Face,
    map: Map,
    key: &[u8],
    now: Now,
) -> Option<backstop::Address> {
    // Postfix writes the null sender as an empty quoted string.
    if key.is_empty() || key == b"\"\"" || key == b"<>" || !key.contains(&b'@') {
        return None;
    }
    let context = Context { origin: Origin::Submitted, ..Context::internal(face) };
    match map {
        Map::Sign => {
            let (decided, event) = decide::outgoing(snapshot, &context, key, &[], now);
            state.record(snapshot, &event);
            decided.rewrite
        }
        Map::SrsForward => {
            let (decided, event) = decide::forward(snapshot, &context, key, b"", now);
            state.record(snapshot, &event);
            decided.rewrite
        }
        Map::Verify | Map::SrsReverse => {
            let mailbox = Path::parse_tagged(key).ok().and_then(Path::mailbox)?;
            // Both hang on the same recipients: each answers for its own kind only.
            if srs::is_srs(mailbox.content()) != (map == Map::SrsReverse) {
                return None;
            }
            let (decided, event) = decide::incoming(snapshot, &context, b"", key, now);
            state.record(snapshot, &event);
            decided.action.address().copied()
        }
    }
}
