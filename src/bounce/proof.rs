//! Proof that a bounce answers our own mail. Only three things prove it.
//!
//! 1. a genuine tag in the recipient (`batv`, or `srs` at an own forwarder that returns to another site);
//! 2. a mark header, or a Message-ID with a mark, in a block that came back (`mark`), or a Message-ID with a mark on a line
//!    of the text or of a disposition notification that calls it so;
//! 3. a Message-ID with a mark in In-Reply-To or References of the message itself.
//!
//! Everything that looks like a tag or mark is checked and listed, good or bad; one good one is enough. A mark header or
//! Message-ID in the message's own block proves nothing and is not looked at. Marks are checked for the recipient without
//! its tag. At most `guard::MAX_CHECKS` are checked.
//!
//! A site may send as From alice@ with the envelope sender bounces@, both its own, and a bounce to bounces@ returns a mark
//! for alice@. Such a mark proves nothing for bounces@, and is no forgery: it is `other-address` if the MAC is right for an
//! own address in From, Sender or Return-Path of the block that it stands in. Where no sender came back at all, the address
//! that it was made for is lost, and a mark that does not hold for the recipient is `damaged`. A Message-ID that does not
//! hold is tried in lower case and without punctuation before it; one that is all upper case and does not hold so either, is
//! not of the form or has lost one of its brackets, in a text both, is `damaged`. So is a mark around the place where a block
//! breaks off, or that decoding lost in a part that is not in its encoding, unless its MAC is right and it is in date or in
//! grace: it may be another mail's.

use super::check::{Check, Outcome, Place};
use super::guard::{Block, MARKED, MAX_CHECKS, has_mark, line_at, next_line};
use super::parts;
use crate::address::Path;
use crate::day::Day;
use crate::key::{KeyRing, Use};
use crate::policy::Policy;
use crate::verdict::Verdict;
use crate::{batv, mark, srs};

/// The Message-IDs with a mark in a field or line, without what stands around them, and how many brackets each has: with one
/// it lost an end. The octets that bound an id without brackets are in none of ours, but for address literals.
fn marked_ids(value: &[u8]) -> impl Iterator<Item = (&[u8], usize)> {
    let is_bound = |octet: &u8| octet.is_ascii_whitespace() || matches!(octet, b'<' | b'>' | b',');
    let mut next = 0;
    value.split(is_bound).filter_map(move |word| {
        let start = next;
        next += word.len() + 1;
        let opened = start.checked_sub(1).and_then(|before| value.get(before)) == Some(&b'<');
        let closed = value.get(start + word.len()) == Some(&b'>');
        if opened && closed {
            return has_mark(word).then_some((word, 2));
        }
        let is_around = |octet: &u8| matches!(octet, b':' | b';' | b'(' | b')' | b'[' | b']' | b'"');
        let id = word.split(is_around).find(|part| has_mark(part))?;
        // An id may have an equals sign, so that it is no bound.
        let name = memchr::memmem::rfind(&id.to_ascii_lowercase(), b"message-id=").map_or(0, |at| at + 11);
        Some((up_to_domain(id.get(name..).unwrap_or_default()), usize::from(opened) + usize::from(closed)))
    })
}

/// An id without what stands behind its domain: a quotation mark, the end of a sentence.
fn up_to_domain(id: &[u8]) -> &[u8] {
    let Some(at) = memchr::memchr(b'@', id) else { return id };
    let is_domain = |octet: &&u8| octet.is_ascii_alphanumeric() || !octet.is_ascii() || b"-._[]".contains(octet);
    let length = at + 1 + id.iter().skip(at + 1).take_while(is_domain).count();
    let id = id.get(..length).unwrap_or(id);
    let dots = id.iter().rev().take_while(|octet| **octet == b'.').count();
    id.get(..id.len() - dots).unwrap_or(id)
}

/// Whom the mail that came back names as its senders.
struct Senders {
    /// The own addresses, but for the recipient.
    own: Vec<Vec<u8>>,
    /// Whether any address is there, own or not.
    are_shown: bool,
}

/// What a tag or mark is, without whose.
#[derive(Debug, Clone, Copy)]
struct Seen {
    outcome: Outcome,
    key: Option<char>,
    usage: Option<Use>,
    signed: Option<Day>,
    expires: Option<Day>,
}

impl Seen {
    const DAMAGED: Seen = Seen { outcome: Outcome::Damaged, key: None, usage: None, signed: None, expires: None };

    fn of(verdict: &Verdict<'_>) -> Option<Seen> {
        let proof = verdict.proof();
        Some(Seen {
            outcome: Outcome::of(verdict)?,
            key: verdict.key().map(|key| key.as_char()),
            usage: proof.map(|proof| proof.usage),
            signed: proof.and_then(|proof| proof.signed),
            expires: proof.and_then(|proof| proof.expires),
        })
    }
}

/// What the checks are made with.
pub(super) struct Checker<'a> {
    ring: &'a KeyRing,
    policy: &'a Policy,
    day: Day,
    /// The recipient without its tag.
    pub(super) mailbox: Option<Vec<u8>>,
    pub(super) checks: Vec<Check>,
    /// Whether a tag or mark, but in a conversation, is of a key that the ring lacks, and by its day may be another host's.
    pub(super) may_be_of_another_host: bool,
    made: usize,
}

impl<'a> Checker<'a> {
    /// Begins with the recipient.
    pub(super) fn new(ring: &'a KeyRing, policy: &'a Policy, recipient: Option<&[u8]>, day: Day) -> Checker<'a> {
        let mut checker =
            Checker { ring, policy, day, mailbox: None, checks: Vec::new(), may_be_of_another_host: false, made: 0 };
        let Some(recipient) = recipient else { return checker };
        // A bare postmaster has no domain, and no mark is for it.
        let Ok(Path::Mailbox(given)) = Path::parse_tagged(recipient) else { return checker };
        let verdict = match (srs::is_srs(given.content()), policy.srs()) {
            (true, Some(srs)) => srs::reverse(ring, recipient, srs.forwarders(), srs.dialect(), day),
            (true, None) => Ok(Verdict::Untagged),
            (false, _) => batv::verify(ring, recipient, day),
        };
        let Ok(verdict) = verdict else { return checker };
        if let Verdict::Genuine(proof) = verdict
            && proof.usage == Use::Srs
            && policy.own_domains().contains(proof.mailbox.domain())
        {
            // As for the envelope: what tells of mail that left here is the tag of the own mailbox, and not the way to it.
            return Checker::new(ring, policy, Some(proof.mailbox.to_address().as_bytes()), day);
        }
        let stripped = || batv::strip(recipient).ok().flatten().map(|(_, under)| under);
        let under = verdict.proof().map(|proof| proof.mailbox).or_else(stripped).map(|under| under.to_address());
        // Without the brackets and the route that RCPT may have.
        checker.mailbox = Some(under.as_ref().map_or(given.as_bytes(), |under| under.as_bytes()).to_vec());
        if let Some(mut read) = Seen::of(&verdict) {
            if read.outcome == Outcome::NotCovered && policy.is_no_day_of_a_tag(given.content(), day) {
                // Out of date whatever key made it, as for the envelope of a bounce.
                read.outcome = Outcome::Expired;
            }
            checker.may_be_of_another_host = read.outcome == Outcome::NotCovered;
            checker.add(Place::Recipient, read, &given.as_bytes().to_ascii_lowercase());
        }
        checker
    }

    /// What a mark is, for the recipient, else for one of the senders.
    fn mark(&self, mailbox: &[u8], senders: &Senders, verify: impl Fn(&[u8]) -> Option<Seen>) -> Option<Seen> {
        let mut seen = verify(mailbox)?;
        if seen.outcome == Outcome::Expired && seen.signed.is_some_and(|signed| signed > self.day.plus(1)) {
            seen.outcome = Outcome::Future;
        }
        if matches!(seen.outcome, Outcome::Forged | Outcome::UnknownKey | Outcome::NotCovered) {
            let right = |it: &Seen| matches!(it.outcome, Outcome::Genuine | Outcome::Expired);
            if let Some(other) = senders.own.iter().filter_map(|sender| verify(sender)).find(right) {
                seen = Seen { outcome: Outcome::OtherAddress, ..other };
            } else if !senders.are_shown && seen.outcome != Outcome::NotCovered {
                seen.outcome = Outcome::Damaged;
            }
        }
        Some(seen)
    }

    /// Looks whether a mark that cannot be verified may be another host's by the day that it names.
    fn look_at_day(&mut self, seen: Seen, named: Option<Day>) {
        let is_day = named.is_some_and(|named| !self.policy.is_no_day_of_a_mark(named, self.day));
        self.may_be_of_another_host |= seen.outcome == Outcome::NotCovered && is_day;
    }

    fn add(&mut self, place: Place, seen: Seen, token: &[u8]) {
        let Seen { outcome, key, usage, signed, expires } = seen;
        let token = String::from_utf8_lossy(token).to_ascii_lowercase();
        if self.checks.iter().any(|check| check.place == place && check.token == token && check.outcome == outcome) {
            return;
        }
        self.checks.push(Check { place, outcome, key, usage, signed, expires, token });
    }

    /// The marks of a block that came back, and those that stand loosely behind it: of these it is not sure whose they are,
    /// so that what is wrong there is damaged. In a part the bounds of a Message-ID are those of its field.
    pub(super) fn returned(&mut self, block: &Block<'_>, loose: &Block<'_>, in_part: bool) {
        let is_marked = |it: &Block<'_>| it.get(mark::HEADER).is_some() || it.all("Message-ID").any(has_mark);
        if !is_marked(block) && !is_marked(loose) {
            return;
        }
        let senders = self.senders([block]);
        self.marks(block, &senders, in_part);
        let known = self.checks.len();
        self.marks(loose, &Senders { are_shown: false, ..senders }, in_part);
        let domain =
            self.mailbox.as_deref().and_then(|it| it.rsplit(|octet| *octet == b'@').next()).unwrap_or_default();
        for check in self.checks.iter_mut().skip(known).filter(|check| check.outcome == Outcome::Expired) {
            if !self.policy.check_in_grace(self.ring, check, domain, self.day) {
                check.outcome = Outcome::Damaged;
            }
        }
    }

    /// The mark headers and Message-IDs of a block.
    fn marks(&mut self, block: &Block<'_>, senders: &Senders, in_part: bool) {
        for value in block.all(mark::HEADER) {
            let Some(mailbox) = self.room() else { return };
            let verify = |mailbox: &[u8]| Seen::of(&mark::verify_header(self.ring, value, mailbox, self.day).ok()?);
            if let Some(mut seen) = self.mark(&mailbox, senders, verify) {
                // Cut, wrapped, quoted or encoded on the way, or all but its name taken out.
                if seen.outcome == Outcome::Malformed {
                    seen.outcome = Outcome::Damaged;
                }
                let (day, nonce) = mark::day_and_nonce_of_header(value).unzip();
                self.look_at_day(seen, day);
                self.add(Place::ReturnedMark, seen, nonce.unwrap_or_default());
            }
        }
        for value in block.all("Message-ID") {
            self.ids(Place::ReturnedMessageId, value, senders, in_part);
        }
    }

    /// Whom these blocks name as their senders.
    fn senders<'b, 'o: 'b>(&self, blocks: impl IntoIterator<Item = &'b Block<'o>>) -> Senders {
        let mut senders = Senders { own: Vec::new(), are_shown: false };
        let fields =
            |block: &'b Block<'o>| ["From", "Sender", "Return-Path"].into_iter().filter_map(|name| block.get(name));
        for value in blocks.into_iter().flat_map(fields) {
            let address = parts::address(value).address.into_bytes();
            let address = batv::strip(&address)
                .ok()
                .flatten()
                .map_or_else(|| address.clone(), |(_, under)| under.to_address().as_bytes().to_vec());
            let Ok(Path::Mailbox(mailbox)) = Path::parse(&address) else { continue };
            senders.are_shown = true;
            let is_known = |known: &Vec<u8>| known.eq_ignore_ascii_case(&address);
            let is_recipient = self.mailbox.as_ref().is_some_and(is_known);
            if self.policy.own_domains().contains(mailbox.domain())
                && !is_recipient
                && !senders.own.iter().any(is_known)
            {
                senders.own.push(address);
            }
        }
        senders
    }

    /// A Message-ID with a mark in the text of a message, on a line that calls it so: some report of the mail that they
    /// answer this line only. The senders are those of all blocks that came back.
    pub(super) fn told<'b, 'o: 'b>(&mut self, text: &[u8], blocks: impl IntoIterator<Item = &'b Block<'o>>) {
        let lower = text.to_ascii_lowercase();
        let find = |at| memchr::memmem::find(lower.get(at..).unwrap_or_default(), MARKED).map(|offset| at + offset);
        if find(0).is_none() {
            return;
        }
        let senders = self.senders(blocks);
        let mut at = 0;
        while let Some(found) = find(at) {
            let before = text.get(at..found).unwrap_or_default();
            let start = memchr::memrchr(b'\n', before).map_or(at, |end| at + end + 1);
            let line = line_at(text, start).unwrap_or_default();
            let says = line_at(&lower, start).is_some_and(|it| memchr::memmem::find(it, b"message-id").is_some());
            if says && line.len() <= mark::MAX_MARK {
                self.ids(Place::ReturnedMessageId, line, &senders, false);
            }
            at = next_line(text, start);
        }
    }

    /// The marks in In-Reply-To and References of the message itself.
    pub(super) fn replied(&mut self, block: &Block<'_>) {
        for (place, name) in [(Place::InReplyTo, "In-Reply-To"), (Place::References, "References")] {
            for value in block.all(name) {
                self.ids(place, value, &Senders { own: Vec::new(), are_shown: true }, true);
            }
        }
    }

    /// The Message-IDs of a field or of a line. What bounds one without brackets in a text is a guess.
    fn ids(&mut self, place: Place, value: &[u8], senders: &Senders, is_field: bool) {
        // Cheap, since nearly all have none.
        if !has_mark(value) {
            return;
        }
        for (id, brackets) in marked_ids(value) {
            let Some(mailbox) = self.room() else { return };
            let read = |id: &[u8]| {
                let verify =
                    |mailbox: &[u8]| Seen::of(&mark::verify_message_id(self.ring, id, mailbox, self.day).ok()?);
                self.mark(&mailbox, senders, verify)
            };
            let Some(mut seen) = read(id).or((!place.is_thread()).then_some(Seen::DAMAGED)) else { continue };
            let is_wrong = |seen: &Seen| matches!(seen.outcome, Outcome::Forged | Outcome::Damaged);
            let mut token = id.to_vec();
            if is_wrong(&seen) {
                // In capitals, or behind a quotation mark with which an id may begin as well.
                let quotes = id.iter().take_while(|octet| octet.is_ascii_punctuation()).count();
                let bare = id.get(quotes..).unwrap_or(id);
                let others = [id.to_ascii_lowercase(), bare.to_vec(), bare.to_ascii_lowercase()];
                let others = others.into_iter().filter(|other| other != id);
                match others.filter_map(|other| read(&other).zip(Some(other))).find(|(other, _)| !is_wrong(other)) {
                    Some(held) => (seen, token) = held,
                    None if !id.iter().any(u8::is_ascii_lowercase) => seen.outcome = Outcome::Damaged,
                    None => {}
                }
            }
            if !place.is_thread() {
                let is_cut = brackets == 1 || (brackets == 0 && !is_field);
                let is_lost =
                    matches!(seen.outcome, Outcome::Forged | Outcome::UnknownKey | Outcome::Foreign) && is_cut;
                if is_lost || seen.outcome == Outcome::Malformed {
                    seen.outcome = Outcome::Damaged;
                }
                self.look_at_day(seen, mark::day_of_message_id(id));
            }
            self.add(place, seen, &token);
        }
    }

    /// Whether everything that looks like a mark was checked.
    pub(super) const fn is_whole(&self) -> bool {
        self.mailbox.is_some() && self.made <= MAX_CHECKS
    }

    /// The recipient, while another check may be made.
    fn room(&mut self) -> Option<Vec<u8>> {
        self.made += 1;
        if self.made <= MAX_CHECKS { self.mailbox.clone() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mark::Marked;
    use crate::{Domains, KeyRing};

    const ALICE: &[u8] = b"alice@example.com";

    fn today() -> Day {
        Day::parse("2026-11-22").unwrap()
    }

    fn ring() -> KeyRing {
        KeyRing::parse(b"version 1\nmark m sha256 14 - - * text:secret\n").unwrap()
    }

    fn id(left: &str, day: Day) -> String {
        let Marked::Done(id) = mark::make_message_id(&ring(), left, "example.com", ALICE, day).unwrap() else {
            panic!()
        };
        id
    }

    /// What is found with the recipient given: places and outcomes, and whether all was checked.
    fn checked(recipient: &[u8], look: impl Fn(&mut Checker<'_>)) -> (Vec<(Place, Outcome)>, bool) {
        let (ring, policy) = (ring(), Policy::new(Domains::parse("example.com").unwrap()));
        let mut checker = Checker::new(&ring, &policy, Some(recipient), today());
        look(&mut checker);
        (checker.checks.iter().map(|check| (check.place, check.outcome)).collect(), checker.is_whole())
    }

    fn told(text: &str) -> Vec<(Place, Outcome)> {
        checked(ALICE, |checker| checker.told(text.as_bytes(), [])).0
    }

    #[test]
    fn a_mark_in_a_text_is_found_on_the_line_that_calls_it_a_message_id() {
        let id = id("m.1", today());
        let genuine = [(Place::ReturnedMessageId, Outcome::Genuine)];
        let line = "a line that is long enough\n".repeat(3);
        let long = format!("Message-ID: {id}{}\n", " ".repeat(mark::MAX_MARK));
        for (text, expected) in [
            (format!("Message-ID: {id}\n"), &genuine[..]),
            (format!("\nMessage-ID: {id}\n"), &genuine),
            (format!("{line}the message-id: {id}"), &genuine),
            (format!("{line}{id}\n{line}Message-ID: {id}\n"), &genuine),
            (format!("{line}Message-ID:\n{id}\n"), &[]),
            (long, &[]),
        ] {
            assert_eq!(told(&text), expected, "{text}");
        }
    }

    #[test]
    fn what_stands_around_a_message_id_in_a_text_is_none_of_it() {
        let id = id("m=1.a", today());
        let bare = id.trim_matches(['<', '>']);
        for text in [
            format!("Message-ID:{bare}"),
            format!("message-id={bare}, sent"),
            format!("message-id={id}"),
            format!("Message-ID ({bare})"),
            format!("Message-ID: [{bare}]"),
            format!("Message-ID \"{bare}\" was refused"),
            format!("the Message-ID is {bare}."),
            format!("Message-ID: {bare};"),
            format!("Message-ID: '{bare}'"),
            format!("Message-ID: `{}`", bare.to_uppercase()),
            format!("**Message-ID**: **{bare}**"),
            format!("Message-ID: {{{bare}}}"),
            format!("Did you send Message-ID #{bare}...?"),
            format!("MESSAGE-ID: {}", id.to_uppercase()),
            format!("Message-ID: {bare}<mailto:{bare}>"),
        ] {
            assert_eq!(told(&text).first(), Some(&(Place::ReturnedMessageId, Outcome::Genuine)), "{text}");
        }
    }

    #[test]
    fn a_message_id_in_a_text_whose_bounds_are_a_guess_is_never_forged() {
        let id = id("m.1", today());
        let bare = id.trim_matches(['<', '>']);
        for text in [
            format!("\u{201e}{bare}\u{201c}"),
            format!("\u{ab}{bare}\u{bb}"),
            format!("\u{200b}{bare}\u{a0}"),
            format!("__{bare}__"),
            format!("-{bare}-"),
            format!("id={bare}"),
            format!("'_{bare}'"),
            bare.replace("m.1", "m.2"),
        ] {
            let found = checked(ALICE, |checker| {
                let block = Block::read(b"From: bob@b.example\n").0;
                checker.told(format!("Message-ID: {text}\n").as_bytes(), [&block]);
            });
            let outcomes: Vec<_> = found.0.iter().map(|(_, outcome)| *outcome).collect();
            assert!(matches!(outcomes[..], [Outcome::Genuine | Outcome::Damaged]), "{text}: {outcomes:?}");
        }
    }

    #[test]
    fn a_mark_is_listed_once_for_each_place() {
        let (one, two) = (id("m.1", today()), id("m.2", today()));
        let fields = format!("In-Reply-To: {one}\nReferences: {two} {one} {one}\n");
        let (checks, _) = checked(ALICE, |checker| checker.replied(&Block::read(fields.as_bytes()).0));
        let genuine = |place| (place, Outcome::Genuine);
        assert_eq!(checks, [Place::InReplyTo, Place::References, Place::References].map(genuine));
    }

    #[test]
    fn a_mark_is_of_the_future_from_the_day_after_tomorrow_on() {
        // Its key signs no longer, so that it is out of the window on each day.
        let ring = KeyRing::parse(b"version 1\nmark m sha256 14 - 2026-11-20 * text:secret\n").unwrap();
        let policy = Policy::new(Domains::parse("example.com").unwrap());
        let ahead = |days: u32| {
            let mut checker = Checker::new(&ring, &policy, Some(ALICE), today());
            checker.told(format!("Message-ID: {}\n", id("m.1", today().plus(days))).as_bytes(), []);
            checker.checks.iter().map(|check| check.outcome).collect::<Vec<_>>()
        };
        assert_eq!(
            [0, 1, 2, 3].map(ahead).concat(),
            [Outcome::Expired, Outcome::Expired, Outcome::Future, Outcome::Future]
        );
    }

    #[test]
    fn a_right_mark_in_capitals_is_not_damaged() {
        let made = mark::make_message_id(&ring(), "M.1", "EXAMPLE.COM", ALICE, today()).unwrap();
        let Marked::Done(id) = made else { panic!() };
        let block = format!("Message-ID: {}\n", id.to_uppercase());
        let (checks, _) =
            checked(ALICE, |checker| checker.returned(&Block::read(block.as_bytes()).0, &Block::default(), true));
        assert_eq!(checks, [(Place::ReturnedMessageId, Outcome::Genuine)]);
    }

    #[test]
    fn only_an_own_sender_that_the_block_names_makes_a_mark_that_of_another_address() {
        let returned = |recipient: &str, from: &str| {
            let block = format!("Message-ID: {}\nFrom: {from}\n", id("m.1", today()));
            let foreign = Policy::new(Domains::parse("else.example").unwrap());
            let ring = ring();
            let own = Policy::new(Domains::parse("example.com").unwrap());
            [own, foreign].map(|policy| {
                let mut checker = Checker::new(&ring, &policy, Some(recipient.as_bytes()), today());
                checker.returned(&Block::read(block.as_bytes()).0, &Block::default(), true);
                checker.checks.iter().map(|check| check.outcome).collect::<Vec<_>>()
            })
        };
        let (other, forged) = (vec![Outcome::OtherAddress], vec![Outcome::Forged]);
        assert_eq!(returned("bob@example.com", "Alice@Example.com"), [other, forged.clone()]);
        assert_eq!(returned("bob@example.com", "carol@example.com"), [forged.clone(), forged]);
    }

    #[test]
    fn as_many_marks_are_checked_as_the_limit_says() {
        let ids = |count: usize| (0..count).map(|at| id(&format!("m.{at}"), today()) + " ").collect::<String>();
        for (count, whole) in [(MAX_CHECKS, true), (MAX_CHECKS + 1, false)] {
            let field = format!("References: {}", ids(count));
            let (checks, is_whole) = checked(ALICE, |checker| checker.replied(&Block::read(field.as_bytes()).0));
            assert_eq!((checks.len(), is_whole), (MAX_CHECKS, whole));
        }
    }
}
