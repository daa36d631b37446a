//! Edits of a key ring: each makes a new ring from the old one's text.
//!
//! An edit changes or adds only the lines that it must; every other line, comments, order, blanks and line ends stay as
//! they are, octet for octet. The new text is read again as a whole, so that what could not be loaded cannot be made.
//!
//! | edit | what happens to the text |
//! |---|---|
//! | [`KeyRing::add`] | a line more at the end |
//! | [`KeyRing::rotate`] | a line more after the old key's, whose `until` is set |
//! | [`KeyRing::retire`] | `until` is set |
//! | [`KeyRing::prune`] | lines of keys that no policy asks about any more go |
//!
//! Randomness and today come in as arguments. Nothing here touches a file: `keyfile.rs` does.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::ops::Range;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use super::text::{self, word};
use super::{Key, KeyId, KeyRing, MAX_GRACE, Secret, Use};
use crate::address::check_domain;
use crate::day::Day;
use crate::domains::Domains;
use crate::error::Error;
use crate::mac::Mac;

/// What [`KeyRing::empty`] begins with.
const HEADER: &str = "version 1\n\
    # use   id  mac     days  from        until       domains                      secret\n";

/// Days from making a key to its first signature: time to copy the ring to all hosts.
pub(super) const LEAD: u32 = 3;
/// Days for which the old key still signs on hosts that are late with the new ring.
const OVERLAP: u32 = 3;
/// One skew day where a tag is signed and one where it is verified.
const SKEWS: u32 = 2;
/// The octets of a secret that `key new` makes.
const GENERATED: usize = 32;
/// More than an edited date can add to a line.
const DATE: usize = 16;

/// A key that is about to enter a ring.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What its tags mark.
    pub usage: Use,
    /// The character that names it; [`KeyRing::free_id`] finds one.
    pub id: KeyId,
    /// Its hash: sha256, for srs sha1; prvs takes sha1 where the secret is shared with Exim.
    pub mac: Mac,
    /// How many days its tags live: 1 to 99, srs to 500.
    pub days: u16,
    /// The first day on which it signs; `None` is open.
    pub from: Option<Day>,
    /// The last day on which it signs; `None` is open.
    pub until: Option<Day>,
    /// The domains for which it signs.
    pub domains: Domains,
    /// Its octets.
    pub secret: Secret,
}

impl NewKey {
    /// The line of the ring, without its end.
    fn line(&self) -> Zeroizing<String> {
        let date = |day: Option<Day>| day.map_or_else(|| "-".to_string(), |day| day.to_string());
        let settings = format!(
            "{:<7} {:<3} {:<7} {:<5} {:<11} {:<11} {:<28} ",
            self.usage.as_str(),
            self.id.as_char(),
            self.mac.as_str(),
            self.days,
            date(self.from),
            date(self.until),
            self.domains.as_str(),
        );
        Zeroizing::new([settings.as_str(), &written(self.secret.octets())].concat())
    }
}

/// A secret as text: as it is where that reads back to the same octets, else in base32 (generated ones) or base64.
fn written(octets: &[u8]) -> Zeroizing<String> {
    let plain = core::str::from_utf8(octets).ok();
    let (form, value) = match plain.filter(|text| text.trim() == *text && !text.chars().any(char::is_control)) {
        Some(text) => ("text:", Zeroizing::new(text.to_string())),
        None if octets.len() == GENERATED => ("base32:", Zeroizing::new(base32::RFC4648_NOPAD.encode(octets))),
        None => ("base64:", Zeroizing::new(Base64::encode_string(octets))),
    };
    Zeroizing::new([form, value.as_str()].concat())
}

impl KeyRing {
    /// A ring without keys: the version line and a comment that names the columns.
    pub fn empty() -> KeyRing {
        KeyRing::new(HEADER, Vec::new())
    }

    /// The one key of this use that is meant: by its id, and by a domain that it serves where an id is not enough.
    ///
    /// Without an id it is the one that signs today, for the domain if one is given; keys that another one has replaced
    /// ([`KeyRing::is_replaced`]) are not meant.
    ///
    /// # Errors
    /// [`Error::Edit`] if no key fits, or more than one; [`Error::Address`] for what is no domain, a pattern for one.
    pub fn select(&self, usage: Use, id: Option<KeyId>, domain: Option<&str>, today: Day) -> Result<&Key, Error> {
        let domain = domain.map(str::as_bytes);
        domain.map_or(Ok(()), |domain| check_domain(domain, 0))?;
        let meant = |key: &&Key| match (id, domain) {
            _ if key.usage != usage => false,
            (Some(id), domain) => key.id == id && domain.is_none_or(|domain| key.domains.contains(domain)),
            (None, Some(domain)) => self.signing_key(usage, domain, today).is_ok_and(|signer| signer.line == key.line),
            (None, None) => key.signs_on(today) && !self.is_replaced(key, today),
        };
        let found: Vec<&Key> = self.keys.iter().filter(meant).collect();
        let name = match id {
            Some(id) => format!("{usage} key {id}"),
            None => format!("{usage} key that signs today"),
        };
        match *found {
            [key] => Ok(key),
            [] => Err(Error::Edit(format!("the ring has no fitting {name}; `backstop key list` shows its keys"))),
            [first, second, ..] => {
                let (first, second) = (first.line(), second.line());
                let by = if id.is_some() { "domain" } else { "id or domain" };
                Err(Error::Edit(format!(
                    "the ring has more than one {name}, on lines {first} and {second}; say which by its {by}"
                )))
            }
        }
    }

    /// An id that no key of this use has for any of these domains, chosen by a random octet.
    ///
    /// # Errors
    /// [`Error::Edit`] if all ids are in use.
    pub fn free_id(&self, usage: Use, domains: &Domains, random: u8) -> Result<KeyId, Error> {
        let holders = |id: u8| {
            let same = move |key: &&Key| key.usage == usage && key.id == KeyId(id);
            self.keys.iter().filter(same).filter(|key| key.domains.overlaps(domains))
        };
        let free: Vec<u8> = usage.ids().iter().copied().filter(|&id| holders(id).next().is_none()).collect();
        let chosen = usize::from(random).checked_rem(free.len()).and_then(|at| free.get(at));
        chosen.map(|&id| KeyId(id)).ok_or_else(|| {
            let last = |id: u8| holders(id).try_fold(Day::MIN, |last, key| Some(last.max(key.counts_until()?)));
            let remedy = match usage.ids().iter().filter_map(|&id| last(id)).min() {
                Some(last) => format!("`backstop key prune` frees the first from {} on", last.plus(1)),
                None => "each of them is held by a key without a last day; end one with `backstop key retire`, and \
                     `backstop key prune` frees its id once no policy asks about it"
                    .into(),
            };
            Error::Edit(format!("all {} ids of {usage} are in use for these domains; {remedy}", usage.ids().len()))
        })
    }

    /// The ring with one key more, at its end.
    ///
    /// # Errors
    /// [`Error::Edit`] if a key of the same use has the secret already for some of the domains, as when a secret is
    /// imported twice; [`Error::Ring`] with the line that the key would have, if it cannot stand in this ring.
    pub fn add(&self, new: &NewKey) -> Result<KeyRing, Error> {
        let mut old = text::lines(&self.text).filter_map(|(index, line)| text::key(index, line).ok());
        let is_same = |(key, secret): &(Key, Secret)| {
            key.usage == new.usage && *secret == new.secret && key.domains.overlaps(&new.domains)
        };
        if let Some((key, _)) = old.find(is_same) {
            let (line, usage, id) = (key.line(), key.usage, key.id);
            return Err(Error::Edit(format!(
                "line {line} has this secret already, as {usage} key {id}; give another secret, or other domains"
            )));
        }
        self.edited(Some(new), |_| Line::Same, None)
    }

    /// The ring with a successor for a key: same use, mac, days and domains, another id and secret.
    ///
    /// The successor signs from three days after today on, so that all hosts can have it by then; the old key may sign
    /// for three days more, on hosts that are late. An old key that ends before that keeps its last day, and its
    /// successor starts on the day after it, or today: a rotation lengthens no key's life and leaves no day unsigned.
    ///
    /// ```
    /// use backstop::{Day, KeyRing, Secret, Use};
    /// let ring = KeyRing::parse(b"version 1\nprvs 4 sha256 10 - - * text:an example\n")?;
    /// let today = Day::parse("2026-11-21")?;
    /// let old = ring.select(Use::Prvs, None, None, today)?;
    /// let id = ring.free_id(Use::Prvs, old.domains(), 77)?;
    /// let ring = ring.rotate(old, today, id, &Secret::new(&[7; 32])?)?;
    /// assert_eq!(ring.keys()[0].until(), Some(Day::parse("2026-11-27")?));
    /// assert_eq!(ring.keys()[1].from(), Some(Day::parse("2026-11-24")?));
    /// # Ok::<(), backstop::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Edit`] if the key does not sign yet, another signs in its place, or it already has a successor;
    /// [`Error::Ring`] if the id or the secret cannot stand in this ring.
    pub fn rotate(&self, key: &Key, today: Day, id: KeyId, secret: &Secret) -> Result<KeyRing, Error> {
        self.rotate_to(key, today, id, secret, key.mac, key.days)
    }

    /// [`KeyRing::rotate`] with another hash or life of tags: from the sha1 that was shared with Exim to sha256.
    ///
    /// # Errors
    /// As for [`KeyRing::rotate`]; [`Error::Ring`] as well if a key of this use cannot have this hash or so many days.
    pub fn rotate_to(
        &self,
        key: &Key,
        today: Day,
        id: KeyId,
        secret: &Secret,
        mac: Mac,
        days: u16,
    ) -> Result<KeyRing, Error> {
        self.own(key)?;
        if let Some(next) = self.successors(key, today).next() {
            let (line, first) = (next.line(), next.from.unwrap_or(Day::MIN));
            return Err(Error::Edit(format!(
                "line {line} holds a successor of this key, from {first} on; rotate that one, once it signs"
            )));
        }
        if let Some(from) = key.from.filter(|&from| from > today) {
            return Err(Error::Edit(format!("this key signs only from {from} on; rotate it after that day")));
        }
        // Its successor would be that of the one which signs, and this one's secret for nothing.
        if let Some(signers) = self.in_place_of(key, today) {
            let lines: BTreeSet<usize> = signers.into_iter().map(Key::line).collect();
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            return Err(Error::Edit(match lines.as_slice() {
                [line] => format!("the key on line {line} signs in place of this one; rotate that one"),
                _ => format!("the keys on lines {} sign in place of this one; rotate those", lines.join(" and ")),
            }));
        }
        let latest = today.plus(LEAD);
        let from = key.until.map_or(latest, |until| until.plus(1).max(today).min(latest));
        let until = key.until.map_or(from.plus(OVERLAP), |until| until.min(from.plus(OVERLAP)));
        let new = NewKey {
            usage: key.usage,
            id,
            mac,
            days,
            from: Some(from),
            until: None,
            domains: key.domains.clone(),
            secret: secret.clone(),
        };
        self.edited(Some(&new), |line| if line == key.line { Line::Until(until) } else { Line::Same }, Some(key.line))
    }

    /// The ring with the last signing day of a key set; tags signed later no longer verify, but for a skew day.
    ///
    /// # Errors
    /// [`Error::Edit`] if the key would then end later than now, or before it begins, or if on the following day, or on a
    /// later one on which it signs so far, no other key signs for some of its domains.
    pub fn retire(&self, key: &Key, last_day: Day) -> Result<KeyRing, Error> {
        self.own(key)?;
        if let Some(until) = key.until.filter(|&until| until < last_day) {
            return Err(Error::Edit(format!("this key ends on {until} already; choose no later day")));
        }
        if let Some(from) = key.from.filter(|&from| last_day < from) {
            let line = key.line();
            return Err(Error::Edit(format!("this key signs only from {from} on; delete line {line} to drop it")));
        }
        if let Some(gap) = self.unsigned_after(key, last_day) {
            let usage = key.usage;
            // Later on, only the beginning of another key closes a gap.
            let days = self.others(key).filter_map(|other| other.from).map(|from| from.minus(1));
            let days: BTreeSet<Day> = days.filter(|&day| day >= gap && key.signs_on(day)).collect();
            let remedy = match days.into_iter().find(|&day| self.unsigned_after(key, day).is_none()) {
                Some(day) if key.until == Some(day) => format!("to end it before {day}, add another key first"),
                Some(day) if key.until == Some(day.plus(1)) => format!("choose {day}"),
                Some(day) => format!("choose {day} or a later day"),
                None => "rotate it first".to_string(),
            };
            return Err(Error::Edit(format!(
                "no other {usage} key signs for all domains of this one on {gap}; {remedy}"
            )));
        }
        self.edited(None, |line| if line == key.line { Line::Until(last_day) } else { Line::Same }, None)
    }

    /// The ring without the keys that no longer count, and how many those are; keys that may still sign stay.
    ///
    /// A key counts for 200 days after its last: 99, the most that a tag may live, 99, the most that `expired-grace` may be,
    /// and two for clocks; for SRS for 502, since `max-age` may be 500. For so long a policy may take a tag of it, or, of a
    /// tag whose key the ring lacks, ask whether the ring signed on its days: only then is it refused. What still names the
    /// key is as if of an unknown one from then on: out of date by its day in a bounce, and of no account in other mail.
    ///
    /// # Errors
    /// None that the text of a ring can cause; the new text is read like any other.
    pub fn prune(&self, today: Day) -> Result<(KeyRing, usize), Error> {
        let gone: Vec<usize> = self.keys.iter().filter(|key| key.has_run_out(today)).map(|key| key.line).collect();
        let ring = self.edited(None, |line| if gone.contains(&line) { Line::Gone } else { Line::Same }, None)?;
        Ok((ring, gone.len()))
    }

    /// Makes the new text, with a new line at the end or after the line with index `after`, and reads it.
    fn edited(
        &self,
        new: Option<&NewKey>,
        change: impl Fn(usize) -> Line,
        after: Option<usize>,
    ) -> Result<KeyRing, Error> {
        let new = new.map(NewKey::line).unwrap_or_default();
        let end = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        // Large enough from the start: growing would leave copies of the secrets behind.
        let mut text = Zeroizing::new(String::with_capacity(self.text.len() + new.len() + DATE));
        let add = |text: &mut String| {
            text.push_str(&new);
            text.push_str(end);
        };
        for (index, line) in self.text.split_inclusive('\n').enumerate() {
            match change(index) {
                Line::Same => text.push_str(line),
                Line::Gone => {}
                Line::Until(day) => push_with_until(&mut text, line, day),
            }
            if after == Some(index) {
                add(&mut text);
            }
        }
        if after.is_none() && !new.is_empty() {
            add(&mut text);
        }
        KeyRing::parse(text.as_bytes())
    }

    /// Refuses a key that was taken from another ring: its line number means nothing here.
    fn own(&self, key: &Key) -> Result<(), Error> {
        let own = self.keys.iter().any(|own| own.line == key.line && own.fingerprint == key.fingerprint);
        if own { Ok(()) } else { Err(Error::Edit("the ring has changed since this key was chosen; try again".into())) }
    }

    /// Later keys of the use that sign today or will, each in the place of this one for all its domains: from the day after
    /// its end at the latest, and longer than it.
    pub(super) fn successors<'r>(&'r self, key: &'r Key, today: Day) -> impl Iterator<Item = &'r Key> {
        let follows = move |next: &&Key| {
            next.from > key.from
                && key.until.is_none_or(|end| next.from <= Some(end.plus(1)))
                && next.until.is_none_or(|until| today <= until && key.until.is_some_and(|end| end < until))
        };
        self.others(key)
            .filter(follows)
            .filter(|next| key.domains.parts().all(|(_, part)| fits_as_closely(next, &part)))
    }

    /// Whether this key is open on this day and signs nothing, since for each part of its domains another key of the use
    /// signs: one with the same pattern, and a later `from` or, of two alike, the earlier line. It verifies then.
    ///
    /// No key that signs for any domain is said to be replaced. Of a part that no other key covers alone it is not found
    /// out whether several do so together: `*` behind a later `*,!a.example` and `a.example`.
    pub fn is_replaced(&self, key: &Key, day: Day) -> bool {
        key.signs_on(day) && self.in_place_of(key, day).is_some()
    }

    /// Whether [`KeyRing::is_replaced`] says so of this day and of every later one on which the key signs so far.
    pub(super) fn is_replaced_for_good(&self, key: &Key, day: Day) -> bool {
        let ends = self.others(key).filter_map(|other| other.until).map(|until| until.plus(1));
        let days: BTreeSet<Day> = ends.filter(|&end| day < end && key.signs_on(end)).chain([day]).collect();
        days.into_iter().all(|day| self.is_replaced(key, day))
    }

    /// For each part of a key's domains the one that signs on this day before it, as [`KeyRing::signing_key`] has it of
    /// keys that fit equally; none if there is a part without one.
    fn in_place_of<'r>(&'r self, key: &'r Key, day: Day) -> Option<Vec<&'r Key>> {
        let goes_before = |it: &&Key| it.from > key.from || it.from == key.from && it.line < key.line;
        let before = || self.others(key).filter(goes_before).filter(|it| it.signs_on(day));
        let signer = |part: Domains| {
            before().filter(|it| fits_as_closely(it, &part)).max_by_key(|it| (it.from, Reverse(it.line)))
        };
        key.domains.parts().map(|(_, part)| signer(part)).collect()
    }

    /// The other keys of the use.
    fn others<'r>(&'r self, key: &'r Key) -> impl Iterator<Item = &'r Key> {
        self.keys.iter().filter(move |other| other.line != key.line && other.usage == key.usage)
    }

    /// Whether other keys of the use sign on this day for all domains of this one.
    pub(super) fn replaced_on(&self, key: &Key, day: Day) -> bool {
        signed_by(&key.domains, || self.others(key).filter(|other| other.signs_on(day)))
    }

    /// The day that the end of a key after this one would leave unsigned for some of its domains: the next, or a later
    /// one on which it still signs and the last of the others does no longer.
    fn unsigned_after(&self, key: &Key, last_day: Day) -> Option<Day> {
        let next = last_day.plus(1);
        let ends = self.others(key).filter_map(|other| other.until).map(|until| until.plus(1));
        let mut days: BTreeSet<Day> = ends.filter(|&day| next < day && key.signs_on(day)).collect();
        days.insert(next);
        days.into_iter().find(|&day| !self.replaced_on(key, day))
    }
}

/// Whether a key covers a part with the pattern itself. With a wider one it would leave the part to a key that has it.
fn fits_as_closely(key: &Key, part: &Domains) -> bool {
    key.domains.shares_a_pattern(part) && key.domains.covers(part)
}

/// Whether each pattern of a set is covered by some key.
pub(super) fn signed_by<'r, I: Iterator<Item = &'r Key>>(domains: &Domains, keys: impl Fn() -> I) -> bool {
    domains.parts().all(|(_, part)| keys().any(|key| key.domains.covers(&part)))
}

impl Key {
    /// Whether no policy may take a tag of this key any more, nor asks about the days on which it signed.
    pub(super) fn has_run_out(&self, today: Day) -> bool {
        self.counts_until().is_some_and(|last| last < today)
    }

    /// The last day on which a policy may take a tag of this key or, to refuse one whose key the ring lacks, ask whether
    /// the ring signed on its days; none of one that is open. A ring does not know its hosts' policies, so the most holds
    /// that one may say.
    pub(super) fn counts_until(&self) -> Option<Day> {
        let grace = match self.usage {
            // A policy may give another age than the keys, and no grace.
            Use::Srs => 0,
            Use::Prvs | Use::Bst1 | Use::Mark => u32::from(MAX_GRACE),
        };
        self.until.map(|until| until.plus(u32::from(self.usage.max_days()) + grace + SKEWS))
    }
}

/// What becomes of a line.
enum Line {
    Same,
    Gone,
    Until(Day),
}

/// Appends the line of a key with another `until`; blanks after it make room, so that the columns stay in line.
fn push_with_until(text: &mut String, line: &str, day: Day) {
    let Range { start, end } = until_column(line);
    let (head, old, tail) = (
        line.get(..start).unwrap_or(line),
        line.get(start..end).unwrap_or_default(),
        line.get(end..).unwrap_or_default(),
    );
    let day = day.to_string();
    let blanks = tail.len() - tail.trim_start_matches(' ').len();
    let spare = day.len().saturating_sub(old.len()).min(blanks.saturating_sub(1));
    text.push_str(head);
    text.push_str(&day);
    text.push_str(tail.get(spare..).unwrap_or_default());
}

/// Where the sixth column stands in the line of a key.
fn until_column(line: &str) -> Range<usize> {
    let rest = (1..6).fold(line, |rest, _| word(rest).1);
    let start = line.len() - rest.len();
    start..start + word(rest).0.len()
}
