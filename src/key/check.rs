//! What is due in a key ring: the table behind `key check`.
//!
//! | slug | due | when |
//! |---|---|---|
//! | `no-signer` | yes | the ring has no key, no key of a use signs today, or none for the domains of a key that has ended |
//! | `ends-soon` | yes | a key ends within [`SOON`] days and no other signs for all its domains on the day after |
//! | `prunable` | yes | no policy may take a tag of a key any more, or ask whether the ring signed on its days |
//! | `replaced` | yes, but for an undated sha1 key | an open key signs nothing, now or later, since others sign in its place |
//! | `old` | yes | an open key has signed for more than [`OLD`] days |
//! | `short-secret` | yes | a secret that signs beyond today is shorter than [`Secret::SHORT`] octets: one tag may be enough to guess it |
//! | `undated` | no | an open prvs or srs key without `from`: its tags verify again after 1000 or 1024 days |
//! | `no-fallback` | no | a bst1 key without a prvs key beside it: addresses too long for bst1 go unsigned |
//! | `sha1` | no | a sha1 prvs key: tags of mixed-case addresses survive only where RCPT kept the case |
//!
//! A key that ends soon and is followed has been rotated: of its secret nothing is said.
//!
//! A finding that is not due is a property of the ring that its owner may have chosen, for example to share a key with
//! Exim: an undated sha1 key is what another program signs with, which a successor or an end of it would cut off.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::edit::{LEAD, signed_by};
use super::{Key, KeyRing, Secret, Use};
use crate::day::Day;
use crate::mac::Mac;

/// Days before the end of a key from which on it should have a successor.
const SOON: u32 = 14;
/// Days after which an open key should be rotated.
const OLD: u32 = 400;

/// Something about a key ring that its owner should know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The word that stands for it.
    pub slug: &'static str,
    /// Whether something should be done; else it is only good to know.
    pub due: bool,
    /// The line of the ring, counted from 1; `None` where it is about no single key.
    pub line: Option<usize>,
    /// One sentence with what to do. It holds no secret.
    pub sentence: String,
}

impl Finding {
    /// The slugs of those that are due; `replaced` is not for an undated sha1 key, which may be shared.
    pub const DUE: &'static [&'static str] = &["no-signer", "ends-soon", "prunable", "replaced", "old", "short-secret"];

    fn new(slug: &'static str, line: Option<usize>, sentence: String) -> Finding {
        Finding { slug, due: Finding::DUE.contains(&slug), line, sentence }
    }

    /// One that is only good to know, whatever its slug.
    fn note(slug: &'static str, line: Option<usize>, sentence: String) -> Finding {
        Finding { due: false, ..Finding::new(slug, line, sentence) }
    }
}

impl KeyRing {
    /// What is due on this day, in the order of the ring; nothing if all is well.
    ///
    /// ```
    /// use backstop::{Day, KeyRing};
    /// let ring = KeyRing::parse(b"version 1\nbst1 k sha256 10 - 2026-11-25 * base64:b25lIHR3byB0aHJlZSBmb3Vy\n")?;
    /// let found = ring.check(Day::parse("2026-11-21")?);
    /// assert_eq!(found[0].slug, "ends-soon");
    /// assert_eq!(found[0].sentence, "bst1 key k on line 2 ends on 2026-11-25 and has no successor; rotate it");
    /// # Ok::<(), backstop::Error>(())
    /// ```
    pub fn check(&self, today: Day) -> Vec<Finding> {
        let mut found = Vec::new();
        if self.keys.is_empty() {
            let sentence = "the ring has no key; add one with `backstop key add`".into();
            found.push(Finding::new("no-signer", None, sentence));
        }
        for &usage in Use::ALL {
            let keys = || self.keys.iter().filter(|key| key.usage == usage);
            if keys().next().is_none() || keys().any(|key| key.signs_on(today)) {
                continue;
            }
            let ended = |key: &Key| key.counts_until().filter(|_| key.until < Some(today));
            let last = keys().try_fold(Day::MIN, |last, key| Some(last.max(ended(key)?)));
            let or_not = last.map(|last| {
                format!(", or drop the last of them with `backstop key prune` after {last} if nothing is to be signed with {usage}")
            });
            let sentence = format!(
                "no {usage} key signs today; add one with `backstop key add --use {usage}`{}",
                or_not.unwrap_or_default()
            );
            found.push(Finding::new("no-signer", None, sentence));
        }
        for key in &self.keys {
            self.check_key(key, today, &mut found);
        }
        found
    }

    fn check_key(&self, key: &Key, today: Day, found: &mut Vec<Finding>) {
        let name = format!("{} key {} on line {}", key.usage, key.id, key.line());
        let mut report =
            |slug, what: String| found.push(Finding::new(slug, Some(key.line()), format!("{name} {what}")));
        if key.has_run_out(today) {
            return report("prunable", "no longer counts; drop it with `backstop key prune`".into());
        }
        if let Some(until) = key.until.filter(|&until| until < today) {
            let another = || self.keys.iter().any(|other| other.usage == key.usage && other.signs_on(today));
            if another() && !self.replaced_on(key, today) {
                let last = key.counts_until().unwrap_or(until);
                let what = format!(
                    "ended on {until} and no key signs for its domains; \
                     rotate it, or drop it with `backstop key prune` after {last} if they no longer send"
                );
                report("no-signer", what);
            }
            return;
        }
        let first = key.from.map_or(today, |from| from.max(today));
        let is_for_good = self.is_replaced_for_good(key, first);
        let remedy = self.remedy(key, today, is_for_good);
        // No other program knows sha256.
        let unless = if key.mac == Mac::Sha1 { ", unless another program signs with it" } else { "" };
        let end = key.until.filter(|&until| until <= today.plus(SOON));
        let is_followed = end.is_some_and(|until| self.replaced_on(key, until.plus(1)));
        // One that is replaced for good leaves nothing unsigned; those which sign have this finding.
        if let Some(until) = end.filter(|_| !is_followed && !is_for_good) {
            report("ends-soon", format!("ends on {until} and has no successor; {remedy}{unless}"));
        }
        if key.secret_len < Secret::SHORT && !is_followed && key.until != Some(today) {
            let least = Secret::SHORT;
            let remedy = if !is_for_good && self.is_followed_only_behind_its_end(key, today) {
                let domains = key.domains.to_string();
                let domains = if domains == "*" { String::new() } else { format!(" --domains '{domains}'") };
                let add = format!("add another with `backstop key add --use {}{domains}", key.usage);
                if key.signs_on(today) {
                    format!("{add} --from {}`, then check again", today.plus(LEAD))
                } else {
                    format!("once it signs, {add}`")
                }
            } else {
                remedy.into()
            };
            report("short-secret", format!("has a secret of less than {least} octets; {remedy}{unless}"));
        }
        let is_open = key.signs_on(today) && key.until.is_none();
        // One that is to sign when another ends is left alone until then.
        if is_open && is_for_good {
            let what = format!("{name} is open, though another key signs in its place; retire it{unless}");
            let is_shared = key.mac == Mac::Sha1 && key.from.is_none();
            let new = if is_shared { Finding::note } else { Finding::new };
            return found.push(new("replaced", Some(key.line()), what));
        }
        let signs_openly = is_open && !self.is_replaced(key, today);
        if let Some(from) = key.from.filter(|from| signs_openly && from.plus(OLD) < today) {
            report("old", format!("has signed since {from}, for more than a year; {remedy}{unless}"));
        }
        let wrap = match key.usage {
            Use::Prvs => Some(1000),
            Use::Srs => Some(1024),
            Use::Bst1 | Use::Mark => None,
        };
        if let Some(wrap) = wrap.filter(|_| signs_openly && key.from.is_none()) {
            let what =
                format!("has no dates, so that its tags verify again after {wrap} days; {remedy} to have some{unless}");
            report("undated", what);
        }
        let prvs = || self.keys.iter().filter(|other| other.usage == Use::Prvs && other.signs_on(today));
        if key.usage == Use::Bst1 && key.signs_on(today) && !signed_by(&key.domains, prvs) {
            let what = "has no prvs key beside it, so that long addresses go unsigned; add one";
            report("no-fallback", what.into());
        }
        if key.usage == Use::Prvs && key.mac == Mac::Sha1 {
            let what = "is sha1, so that tags of mixed-case addresses verify only where the case came back; \
                        use sha256 unless Exim shares the key";
            report("sha1", what.into());
        }
    }

    /// Whether a key has successors and all begin behind its end, so that neither they nor a rotation end it sooner.
    fn is_followed_only_behind_its_end(&self, key: &Key, today: Day) -> bool {
        let mut successors = self.successors(key, today).peekable();
        successors.peek().is_some() && key.until.is_some_and(|end| successors.all(|next| next.from > Some(end)))
    }

    /// What can be done, today or later, about a key that has not ended: what `rotate` and `retire` take.
    fn remedy(&self, key: &Key, today: Day, is_for_good: bool) -> &'static str {
        match (is_for_good, key.signs_on(today)) {
            (true, true) => "retire it",
            (true, false) => "delete the line",
            _ if self.successors(key, today).next().is_some() => "once its successor signs, retire it",
            (_, is_open) if !is_open || self.is_replaced(key, today) => "once it signs, rotate it",
            _ => "rotate it",
        }
    }
}
