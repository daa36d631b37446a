//! What of a message is kept while it comes in, so that its inspection costs bounded memory and is the same.
//!
//! [`inspect`](super::inspect) looks at header blocks, boundaries and the first `guard::MAX_DECODED` octets of each leaf. The
//! rest of a leaf may be left out, however long it is, and that is all that is left out here: whenever 256 KiB have come
//! together, the leaves are cut to what is looked at, and reading goes on. Where most of that has to stay it is twice as much
//! the next time, up to [`MAX_KEPT`].
//!
//! ```text
//! message = block body           kept whole
//! body    = leaf                 its first MAX_DECODED + 1 octets; nothing behind them is asked for
//!         / parts                blocks and delimiters whole, of each leaf so much; nothing behind the last delimiter
//! ```
//!
//! Where that is not enough (a block of 768 KiB, seven long leaves, a long multipart that lost its boundary) the rest is
//! dropped, and what was kept proves only what it proves: a tag or mark in it is genuine, but nothing is held against the
//! message. [`Kept::is_whole`] tells.

use super::guard::{self, Block, Cut, MAX_DECODED, note};
use super::{Advice, Envelope, Inspection, Verdict, Why, inspect, parts};
use crate::day::Day;
use crate::key::KeyRing;
use crate::policy::Policy;

/// The most octets of a message that are kept.
pub const MAX_KEPT: usize = 1024 * 1024;
/// The octets that come together before leaves are cut for the first time.
const FIRST: usize = 2 * MAX_DECODED;
/// Octets of a leaf that are kept: one more than are decoded, to tell that some were left out.
const LEAF: usize = MAX_DECODED + 1;
/// The longest line without an end behind a cut that is kept: no delimiter is longer.
const MAX_TAIL: usize = 1024;

/// A message that comes in piece by piece, as far as it is kept.
///
/// ```
/// use backstop::bounce::{Envelope, Kept};
/// use backstop::{Day, Domains, KeyRing, policy::Policy};
/// let mut kept = Kept::new();
/// kept.push(b"From: MAILER-DAEMON@mx.example.net\r\nSubject: Undelivered Mail Returned to Sender\r\n\r\n");
/// for _ in 0..100_000 {
///     kept.push(b"no such user\r\n");
/// }
/// assert!(kept.is_whole() && !kept.wants_more() && kept.octets().len() < 150_000);
/// let envelope = Envelope { sender: Some(b"<>"), recipient: Some(b"user@example.com") };
/// let (ring, policy) = (KeyRing::empty(), Policy::new(Domains::parse("example.com")?));
/// assert_eq!(kept.inspect(&envelope, &ring, &policy, Day::parse("2026-11-22")?).kind.slug(), "dsn-failed");
/// # Ok::<(), backstop::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Kept {
    octets: Vec<u8>,
    /// How many octets may come together before leaves are cut.
    limit: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Nothing that comes is looked at.
    Ended,
    /// Something that would be looked at was dropped.
    Cut,
}

impl Default for Kept {
    fn default() -> Kept {
        Kept::new()
    }
}

impl Kept {
    /// Nothing yet.
    pub const fn new() -> Kept {
        Kept { octets: Vec::new(), limit: FIRST, state: State::Open }
    }

    /// Takes the next octets of the message.
    pub fn push(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while self.state == State::Open && !rest.is_empty() {
            let room = self.limit.saturating_sub(self.octets.len());
            let (now, later) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            self.grow(now.len());
            self.octets.extend_from_slice(now);
            rest = later;
            if self.octets.len() >= self.limit {
                self.cut();
            }
        }
    }

    /// Whether what comes may be looked at; a caller need not bring it else.
    pub fn wants_more(&self) -> bool {
        self.state == State::Open
    }

    /// Whether nothing was dropped that would be looked at.
    pub fn is_whole(&self) -> bool {
        self.state != State::Cut
    }

    /// What is kept: the message, with long leaves cut.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Judges the message for one recipient, as [`inspect`](super::inspect) would judge all of it.
    ///
    /// Where not all was kept that would be looked at, the verdict is genuine, not-a-bounce or unproven.
    pub fn inspect(&self, envelope: &Envelope<'_>, ring: &KeyRing, policy: &Policy, day: Day) -> Inspection {
        let mut seen = inspect(&self.octets, envelope, ring, policy, day);
        if !self.is_whole() {
            note(&mut seen.cuts, Cut::Size);
            if matches!(seen.verdict, Verdict::Expired | Verdict::Forged | Verdict::Backscatter) {
                seen.verdict = Verdict::Unproven(Why::Unchecked);
                (seen.advice, seen.would) = (Advice::Deliver, Advice::Deliver);
            }
        }
        seen
    }

    /// Twice as much room at a time, and never more than the limit.
    fn grow(&mut self, octets: usize) {
        let (length, capacity) = (self.octets.len(), self.octets.capacity());
        if length + octets > capacity {
            let wanted = (2 * capacity).max(length + octets).min(self.limit);
            self.octets.reserve_exact(wanted.saturating_sub(length));
        }
    }

    /// Leaves out what is not looked at.
    fn cut(&mut self) {
        let (gaps, ended) = gaps(&self.octets).unwrap_or_default();
        if let Some(end) = ended {
            self.octets.truncate(end);
            self.state = State::Ended;
        }
        // From the last to the first, so that those before stay where they are.
        for (from, to) in gaps.into_iter().rev() {
            self.octets.drain(from..to);
        }
        // Enough new octets must come before it is done again.
        if self.state == State::Open && self.octets.len() > self.limit / 4 * 3 {
            self.limit *= 2;
        }
        if self.limit > MAX_KEPT {
            (self.limit, self.state) = (MAX_KEPT, State::Cut);
        }
    }
}

/// Where stretches begin and end.
type Gaps = Vec<(usize, usize)>;

/// The stretches of the beginning of a message that are not looked at, in their order, and where looking ended for good.
/// `None` if that is not known yet.
fn gaps(octets: &[u8]) -> Option<(Gaps, Option<usize>)> {
    let message = guard::without_blank_lines(octets);
    let (block, length) = Block::read(message);
    let start = octets.len() - message.len() + length;
    let body = octets.get(start..).filter(|body| !body.is_empty())?;
    let content = parts::content(&block, false);
    if content.kind != "multipart" {
        return Some((Vec::new(), (body.len() >= LEAF).then_some(start + LEAF)));
    }
    let (leaves, ended) = guard::leaves_by_boundary(&content, body)?;
    let last = leaves.last()?;
    // A delimiter or block that is not whole yet may become something else.
    let ended = ended.filter(|end| *end < body.len());
    let open = ended.is_none() && last.at + last.body.len() == body.len();
    let mut gaps = Vec::new();
    for leaf in &leaves {
        let (from, end) = (leaf.at + LEAF, leaf.at + leaf.body.len());
        if leaf.body.len() <= LEAF + 1 {
            continue;
        }
        if !(open && leaf.at == last.at) {
            // The end of the line before a delimiter stays.
            gaps.push((start + from, start + end - 1));
            continue;
        }
        // More of this leaf may come: the line that is not whole may become a delimiter.
        match memchr::memrchr(b'\n', leaf.body).map(|at| leaf.at + at) {
            Some(line) if line >= from => {
                gaps.push((start + from, start + line));
                let tail = body.get(line + 1..).unwrap_or_default();
                if tail.len() > MAX_TAIL {
                    if tail.starts_with(b"--") {
                        return None;
                    }
                    // Two octets tell that no delimiter begins here.
                    gaps.push((start + line + 3, start + end));
                }
            }
            _ => gaps.push((start + from, start + end)),
        }
    }
    Some((gaps, ended.map(|end| start + end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: &[u8] = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n";

    #[test]
    fn a_short_message_is_kept_as_it_came() {
        let mut kept = Kept::new();
        assert!(kept.wants_more() && kept.is_whole() && kept.octets().is_empty());
        kept.push(b"Subject: ");
        kept.push(b"x\n\ny\n");
        assert!(kept.wants_more() && kept.is_whole());
        assert_eq!(kept.octets(), b"Subject: x\n\ny\n");
    }

    #[test]
    fn a_message_that_comes_in_one_piece_is_cut_as_well() {
        let mut kept = Kept::new();
        kept.push(&[b"\n", [b'x'; 3 * FIRST].as_slice()].concat());
        assert_eq!((kept.octets().len(), kept.wants_more(), kept.is_whole()), (1 + LEAF, false, true));
        let mut kept = Kept::new();
        kept.push(&[PARTS, b"x\n".repeat(FIRST).as_slice(), b"--b\n\nlast\n--b--\n"].concat());
        assert!(kept.octets().len() < LEAF + 1024 && kept.octets().ends_with(b"\n--b\n\nlast\n--b--\n"));
        assert!(kept.is_whole());
    }

    /// What is looked at of each leaf.
    fn looked_at(message: &[u8]) -> Vec<Vec<u8>> {
        let (block, length) = Block::read(message);
        let leaves = guard::leaves(&block, message.get(length..).unwrap(), &mut Vec::new());
        leaves.iter().map(|leaf| leaf.body.get(..LEAF).unwrap_or(leaf.body).to_vec()).collect()
    }

    #[test]
    fn wherever_the_first_room_ends_the_leaves_stay_what_they_are() {
        let long = format!("{}\n", "y".repeat(MAX_TAIL + 1));
        for filler in [&b"a line\n"[..], b"--no delimiter\n", b"\n", b"x", long.as_bytes()] {
            let filled = filler.repeat(FIRST / filler.len() + 1);
            for tail in [
                "\n--b\n\nlast\n--b--\nbehind\n--b\n\nnot there\n",
                "\n--b--x\n--bb\nmore\n--b\nContent-Type: text/html\n\nlast\n--b--\n",
                "\r\n--b\r\n\r\nlast\r\n--b--\r\n",
            ] {
                for shift in 0..50 {
                    let filled = filled.get(..FIRST - PARTS.len() - shift).unwrap();
                    let message = [PARTS, filled, tail.as_bytes()].concat();
                    let mut kept = Kept::new();
                    kept.push(&message);
                    assert!(kept.is_whole(), "{tail:?} {shift} before the end");
                    assert!(looked_at(kept.octets()) == looked_at(&message), "{tail:?} {shift} before the end");
                    assert!(
                        kept.wants_more() || kept.octets().ends_with(b"--b--\n"),
                        "{tail:?} {shift} before the end"
                    );
                }
            }
        }
    }

    #[test]
    fn of_an_endless_line_as_much_stays_as_tells_that_it_is_no_delimiter() {
        let lines = b"a line\n".repeat(LEAF / 6);
        for begins in [&b"--"[..], b"-", b""] {
            let line = |octets| [PARTS, &lines, begins, &b"y".repeat(octets)].concat();
            let message =
                [line(FIRST - PARTS.len() - lines.len() - begins.len()).as_slice(), b"b\n\nno part\n"].concat();
            let mut kept = Kept::new();
            kept.push(&message);
            assert!(looked_at(kept.octets()) == looked_at(&message), "{begins:?}");
            let mut kept = Kept::new();
            kept.push(&line(3 * MAX_KEPT));
            assert_eq!(kept.is_whole(), begins != b"--", "{begins:?}");
        }
    }

    #[test]
    fn behind_a_closed_leaf_a_block_may_go_on() {
        let next = format!("\n--b\nContent-Type: multipart/mixed; boundary=c\nX-Long: {}", "y".repeat(2 * MAX_TAIL));
        let (gaps, ended) = gaps(&[PARTS, &[b'x'; 2 * LEAF], next.as_bytes()].concat()).unwrap();
        assert_eq!((gaps.len(), ended), (1, None));
    }

    #[test]
    fn a_leaf_that_fits_stays_whole_and_of_a_longer_one_as_much_as_tells_that_it_was_cut() {
        for (octets, is_open, gone) in [
            (LEAF, false, 0),
            (LEAF + 1, false, 0),
            (LEAF + 2, false, 1),
            (2 * LEAF, false, LEAF - 1),
            (LEAF + 1, true, 0),
            (LEAF + 2, true, 2),
        ] {
            let end = if is_open { &b"y"[..] } else { b"\n--b\n" };
            // The end of the line before a delimiter is the leaf's.
            let body = [vec![b'x'; octets - 1].as_slice(), end].concat();
            let (gaps, _) = gaps(&[PARTS, &body].concat()).unwrap();
            let all: usize = gaps.iter().map(|(from, to)| to - from).sum();
            assert_eq!(all, gone, "{octets} octets, open: {is_open}, {gaps:?}");
        }
    }

    #[test]
    fn room_is_doubled_when_it_is_needed_and_never_beyond_the_limit() {
        let mut kept = Kept::new();
        kept.push(PARTS);
        let (mut grown, mut capacity) = (0, 0);
        while kept.octets.len() + 1000 < FIRST {
            kept.push(&[b'x'; 1000]);
            grown += usize::from(kept.octets.capacity() != capacity);
            capacity = kept.octets.capacity();
            assert!(capacity <= FIRST.min(2 * kept.octets.len()), "{capacity} for {}", kept.octets.len());
        }
        assert!(grown < 16, "{grown} times");
    }

    #[test]
    fn a_block_of_700_kib_is_kept_whole_and_one_of_1000_is_not() {
        for (kib, whole) in [(700, true), (1000, false)] {
            let mut kept = Kept::new();
            kept.push(&b"X-A: 012345678\n".repeat(kib * 1024 / 15));
            kept.push(b"\nx\n");
            kept.push(&[b'x'; MAX_KEPT]);
            assert_eq!(kept.is_whole(), whole, "{kib} KiB");
            assert!(kept.octets().len() <= MAX_KEPT && kept.octets.capacity() <= MAX_KEPT);
        }
    }
}
