//! What the milter reads of a message's header, and what it writes there.
//!
//! ```text
//! From: ...                                                      read, for the mark
//! Backstop-Mark: v=1; i=example.com; k=m; d=20778; n=...; t=...  put on top of own mail (Outgoing::takes_mark)
//! Backstop-Verdict: untagged; rule=too-early; would=unchanged; mode=enforce      put on top of bounces
//! Backstop-Verdict: untagged; rule=mark-genuine; would=unchanged; mode=enforce; message=genuine; kind=dsn-failed;
//!   proof=returned-mark                        where the message was judged; why= in place of proof= if it is unproven
//! ```
//!
//! The second name is the configuration's. Copies of it that arrive are deleted, whoever sent them, since what believes the
//! header must believe it always; a message with more than [`MAX_COPIES`] is refused, since Postfix looks for each from the top
//! anew (16,000 copies took it 22 s and ended its cleanup). Marks stay, they prove themselves. A mark covers the From, so there is none unless the
//! message has one From with one address ([`mark::address_of_from`]). Headers are only asked for when the configuration or a
//! mark key wants one of the two.

use backstop::bounce::Inspection;
use backstop::policy::{Incoming, Need, Rule};
use backstop::{Day, Use, mark};

use crate::state::Snapshot;

/// The most copies of the verdict's header that are deleted from a message.
pub const MAX_COPIES: i32 = 100;
/// The reply to a message with more.
pub const TOO_MANY: &str = "554 5.6.0 This message has too many copies of a header that only this host may write";

/// What the configuration and the ring have a milter do with headers and message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Marks are added.
    pub mark: bool,
    /// Verdicts are added, and their copies deleted.
    pub verdict: bool,
    /// Bounces are judged by their message.
    pub message: bool,
}

impl Wanted {
    /// Whether a connection made for this can do the other as well.
    pub const fn covers(self, other: Wanted) -> bool {
        let adds = self.mark || self.verdict;
        (adds || !(other.mark || other.verdict)) && (self.verdict || !other.verdict) && (self.message || !other.message)
    }

    /// What this snapshot wants; no mark without a key for it.
    pub fn of(snapshot: &Snapshot) -> Wanted {
        let headers = &snapshot.config.headers;
        let has_key = || snapshot.ring.keys().iter().any(|key| key.usage() == Use::Mark);
        let message = snapshot.config.policy.needs(Need::RefuseAtMessage);
        Wanted { mark: headers.mark && has_key(), verdict: headers.verdict.is_some(), message }
    }
}

/// A change of the header, in the order in which they are to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Delete the instance with this number, from 1 on.
    Delete(String, i32),
    /// Put on top of all others.
    Top(String, String),
}

/// The header of one message, as far as it matters.
#[derive(Debug, Default)]
pub struct Headers {
    from: From,
    copies: i32,
    verdicts: Vec<String>,
}

#[derive(Debug, Default)]
enum From {
    #[default]
    Missing,
    One(Vec<u8>),
    /// Several, or one that is too long.
    Unusable,
}

impl Headers {
    /// Takes note of a field.
    pub fn field(&mut self, snapshot: &Snapshot, name: &[u8], value: &[u8]) {
        let name = name.trim_ascii_end();
        if name.eq_ignore_ascii_case(b"from") {
            self.from = match self.from {
                From::Missing if value.len() <= mark::MAX_FROM => From::One(value.to_vec()),
                _ => From::Unusable,
            };
        }
        let verdict = snapshot.config.headers.verdict.as_deref();
        if verdict.is_some_and(|verdict| name.eq_ignore_ascii_case(verdict.as_bytes())) {
            self.copies = self.copies.saturating_add(1);
        }
    }

    /// Takes note of the judgement of a recipient that was let in; only bounces and tagged recipients have one.
    pub fn judged(&mut self, decided: &Incoming<'_>, seen: Option<&Inspection>) {
        let Some(verdict) = decided.verdict.filter(|_| decided.rule != Rule::NotABounce) else { return };
        let (rule, would) = (decided.rule.slug(), decided.would.slug());
        let mut text = format!("{}; rule={rule}; would={would}; mode={}", verdict.slug(), decided.mode.as_str());
        if let Some(seen) = seen {
            text += &format!("; message={}; kind={}", seen.verdict.slug(), seen.kind.slug());
            let proof = seen.proof().map(|check| ("proof", check.place.slug()));
            let more = proof.or_else(|| seen.verdict.why().map(|why| ("why", why.slug())));
            text.extend(more.into_iter().map(|(name, slug)| format!("; {name}={slug}")));
        }
        if !self.verdicts.contains(&text) {
            self.verdicts.push(text);
        }
    }

    /// The refusal of a message with too many copies.
    pub fn refusal(&self) -> Option<&'static str> {
        (self.copies > MAX_COPIES).then_some(TOO_MANY)
    }

    /// What to change at the end of the message. From the last copy to the first: deleting one renumbers those behind it.
    pub fn changes(&self, snapshot: &Snapshot, own: bool, day: Day) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Some(name) = &snapshot.config.headers.verdict {
            changes.extend((1..=self.copies).rev().map(|index| Change::Delete(name.clone(), index)));
            // Each goes above the ones before.
            changes.extend(self.verdicts.iter().rev().map(|text| Change::Top(name.clone(), text.clone())));
        }
        if own && Wanted::of(snapshot).mark {
            // Who returns a header cut off cuts its end.
            changes.extend(self.mark(snapshot, day).map(|value| Change::Top(mark::HEADER.to_owned(), value)));
        }
        changes
    }

    fn mark(&self, snapshot: &Snapshot, day: Day) -> Option<String> {
        let From::One(field) = &self.from else { return None };
        let (from, mut nonce) = (mark::address_of_from(field)?, [0; 8]);
        getrandom::fill(&mut nonce).ok()?;
        match mark::make_header(&snapshot.ring, &from, nonce, day).ok()? {
            mark::Marked::Done(value) => Some(value),
            mark::Marked::Unsigned(_) => None,
        }
    }
}
