//! What came back of the mail that is answered: its headers, in a part or quoted in the text.
//!
//! ```text
//! part     message/rfc822, message/global, message/partial, text/rfc822-headers, message/global-headers; encoded or not
//! in text  1*( prefix name ":" value *( prefix blank value ) )   prefix: blanks, ">" and "|", the same for all lines
//! ```
//!
//! The quoted form is what qmail, Exim, Sendmail before 8.8, Exchange and many others write; no marker line is needed. A
//! run of lines is a block if it has three fields that every mail has, From, Received or Message-ID among them. A line that
//! a text wrapped, or that lost its prefix, is taken as folded if such a field with the prefix follows it; else the block
//! breaks off there, and up to the next blank line only marks are read. What breaks off before it is a block leaves its marks
//! to the next one, which is not whole then; without a mark a blank line ends that. A mark header counts behind other words on
//! its line as well, since it stands on top, where a label or a quotation mark may be. A block breaks off as well where
//! the text ends with it, or where the first line behind it says that more was cut off. A part may end with its
//! block, and a text with what it quotes where a delimiter closes it, as Exchange writes it; that it was cut there
//! shows in nothing, which is why a mark belongs on top. Where the encoding of a part or text is broken a line may
//! have swallowed the next, so that no block there is whole.
//!
//! Behind a block that has a Received or a mark stands the body of what came back; like that of a part it is not searched for
//! blocks, since what a mail quotes is another mail. Less than that may be a summary in front of the block: behind one with a
//! Message-ID only blocks with the same one are the same mail, and the first other one ends the search. Outer headers are
//! never looked at here.

use std::borrow::Cow;

use super::guard::{
    Block, Cut, KNOWN, Leaf, MAX_QUOTED, MAX_RETURNED, field_name, has_mark, is_known, line_at, next_line, note,
    quote_marks, without_blank_lines,
};
use super::parts;
use crate::mark;

/// How the headers came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A whole message in a part.
    Message,
    /// Headers in a part.
    Headers,
    /// Headers quoted in plain text.
    Text,
}

impl Form {
    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Form::Message => "message",
            Form::Headers => "headers",
            Form::Text => "text",
        }
    }
}

/// A block of headers that came back, and what stood behind it.
#[derive(Debug, Clone)]
pub(super) struct Found<'a> {
    pub(super) form: Form,
    /// Whether the block ends as a block does. One that breaks off may have lost a mark.
    pub(super) whole: bool,
    /// The block, quote marks off, and as much as is known of the body.
    pub(super) octets: Cow<'a, [u8]>,
    /// Marks around the place where the block breaks off, or in a part that is perhaps not in its encoding. Perhaps another
    /// mail's: they may prove, and are held against nothing.
    pub(super) loose: Vec<u8>,
}

/// Fields of [`KNOWN`] that a block needs.
const MIN_KNOWN: usize = 3;

/// The blocks that came back in parts.
pub(super) fn in_parts<'a>(leaves: &[Leaf<'a>], found: &mut Vec<Found<'a>>, cuts: &mut Vec<Cut>) {
    for leaf in leaves {
        let form = match &leaf.content {
            content if content.is_message() => Form::Message,
            content if content.is_headers() => Form::Headers,
            _ => continue,
        };
        if found.len() >= MAX_RETURNED {
            return note(cuts, Cut::Leaves);
        }
        let parts::Decoded { octets, cut, broken, raw } = parts::decoded(leaf);
        if cut && form == Form::Headers {
            note(cuts, Cut::Size);
        }
        let octets = match octets {
            Cow::Borrowed(octets) => Cow::Borrowed(without_blank_lines(octets)),
            Cow::Owned(octets) => Cow::Owned(without_blank_lines(&octets).to_vec()),
        };
        let (block, length) = Block::read(&octets);
        if !block.fields.is_empty() {
            let (head, body) = octets.split_at_checked(length).unwrap_or_default();
            // What was cut off by the limit ends nowhere.
            let ends = (body.is_empty() && !cut) || head.ends_with(b"\n\n") || head.ends_with(b"\n\r\n");
            let mut loose = Vec::new();
            if !ends {
                marks(body, 0, b"", &mut loose);
            }
            let hides_mark = hides_mark(head, &block);
            if hides_mark {
                marks(head, 0, b"", &mut loose);
            }
            let mut unread = Vec::new();
            marks(without_blank_lines(raw), 0, b"", &mut unread);
            if !is_encoded(&unread) {
                loose.append(&mut unread);
            }
            let whole = ends && !hides_mark && !broken && !block.cut && !is_told_cut(body);
            found.push(Found { form, whole, octets, loose });
        }
    }
}

/// The blocks that are quoted in a text, and the offset of the first.
pub(super) fn in_text<'a>(leaf: &parts::Text<'_>, found: &mut Vec<Found<'a>>) -> Option<usize> {
    let bytes = leaf.text.as_bytes();
    let bytes = bytes.get(..MAX_QUOTED).unwrap_or(bytes);
    let may_hide_mark = may_hide_mark(bytes);
    let (mut at, mut first) = (0, None);
    let mut summary: Option<Vec<u8>> = None;
    let mut torn: Option<Torn> = None;
    while at < bytes.len() && found.len() < MAX_RETURNED {
        let line = line_at(bytes, at).unwrap_or_default();
        let (prefix, rest) = line.split_at_checked(quote_marks(line)).unwrap_or_default();
        if !is_known(rest) {
            if may_hide_mark && let Some(within) = mark_in(line) {
                // Behind a word on its line, such as "Headers:", or what HTML ends no line with.
                at += within;
                continue;
            }
            let is_blank = rest.trim_ascii().is_empty();
            torn = torn.filter(|torn| torn.is_marked || !is_blank);
            at = next_line(bytes, at);
            if let Some(torn) = torn.as_mut().filter(|_| is_blank) {
                // What follows is the notice's own text, up to the rest of the block.
                torn.at = at;
            }
            continue;
        }
        let (block, end, whole) = quoted_block(bytes, at, prefix);
        if let Some(seen) = seen_in(&block) {
            if summary.is_some() && summary != seen.message_id {
                break;
            }
            summary = seen.message_id;
            let whole = whole && torn.is_none();
            let Torn { at, marks: mut loose, is_original, .. } = torn.take().unwrap_or_else(|| Torn::new(at));
            first = first.or(Some(at));
            if !whole {
                marks(bytes, end, prefix, &mut loose);
            }
            if seen.hides_mark {
                marks(&block, 0, b"", &mut loose);
            }
            let mut octets = block;
            octets.push(b'\n');
            // What follows is the original's body, or the rest of the notice; links are looked for in it.
            let behind = bytes.get(end..).unwrap_or_default();
            octets.extend_from_slice(behind);
            let whole = whole && !seen.hides_mark && !leaf.broken && !is_told_cut(behind);
            found.push(Found { form: Form::Text, whole, octets: Cow::Owned(octets), loose });
            if seen.is_original || is_original {
                break;
            }
        } else {
            let above = torn.get_or_insert_with(|| Torn::new(at));
            above.add(&block);
            if whole && !above.is_marked {
                torn = None;
            }
        }
        at = end.max(next_line(bytes, at));
    }
    first
}

/// Fields that broke off before they were a block: the top of the next one.
struct Torn {
    at: usize,
    marks: Vec<u8>,
    /// Whether one is more than a Message-ID, which any text may have.
    is_marked: bool,
    /// Whether the block that they are the top of is a mail's own and no summary of it.
    is_original: bool,
}

impl Torn {
    const fn new(at: usize) -> Torn {
        Torn { at, marks: Vec::new(), is_marked: false, is_original: false }
    }

    fn add(&mut self, octets: &[u8]) {
        let (block, _) = Block::read(octets);
        // Of the new ones alone, so that the work is no more than their length.
        self.is_marked |= block.get(mark::HEADER).is_some() || block.all("Message-ID").any(has_mark);
        self.is_original |= is_original(&block);
        marks(octets, 0, b"", &mut self.marks);
    }
}

/// The fields from `at` on that have this prefix, without it, where they end, and whether that is a block's end.
fn quoted_block(bytes: &[u8], mut at: usize, prefix: &[u8]) -> (Vec<u8>, usize, bool) {
    let mut block = Vec::new();
    let is_known_field = |at: usize| {
        let line = line_at(bytes, at).and_then(|line| line.strip_prefix(prefix));
        line.is_some_and(is_known)
    };
    while let Some(line) = line_at(bytes, at) {
        let next = next_line(bytes, at);
        let (line, has_prefix) = without_prefix(line, prefix);
        if line.trim_ascii().is_empty() {
            return (block, at, true);
        } else if !has_prefix || !(field_name(line).is_some() || begins_blank(line)) {
            if !is_known_field(next) {
                return (block, at, false);
            } else if !is_known(line) {
                block.push(b' ');
            }
        }
        block.extend_from_slice(line);
        block.push(b'\n');
        at = next;
    }
    // What ends with the text was cut off, by the limit or by who quoted it.
    (block, at, false)
}

/// A line without the prefix, or without all quote marks if it has another one, which wrapped lines have.
fn without_prefix<'a>(line: &'a [u8], prefix: &[u8]) -> (&'a [u8], bool) {
    match line.strip_prefix(prefix) {
        Some(line) => (line, true),
        None => (line.get(quote_marks(line)..).unwrap_or_default(), false),
    }
}

fn begins_blank(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

/// Appends the mark headers and Message-IDs between `at`, where a block breaks off, and the next blank line. What they are
/// worth, their MAC says.
fn marks(bytes: &[u8], mut at: usize, prefix: &[u8], found: &mut Vec<u8>) {
    let mut taken = false;
    let may_hide_mark = may_hide_mark(bytes.get(at..).unwrap_or_default());
    while let Some(line) = line_at(bytes, at) {
        let (line, has_prefix) = without_prefix(line, prefix);
        if line.trim_ascii().is_empty() {
            return;
        }
        let within = if may_hide_mark { mark_in(line).unwrap_or(0) } else { 0 };
        let line = line.get(within..).unwrap_or(line);
        let name = field_name(line).unwrap_or_default().trim_ascii_end();
        let is_mark = [mark::HEADER, "Message-ID"].iter().any(|it| name.eq_ignore_ascii_case(it.as_bytes()));
        taken = is_mark || (taken && has_prefix && begins_blank(line));
        if taken {
            found.extend_from_slice(line);
            found.push(b'\n');
        }
        at = next_line(bytes, at);
    }
}

/// Whether a mark header is no field of the block that these octets are, since something stands before it on its line.
fn hides_mark(octets: &[u8], block: &Block<'_>) -> bool {
    block.get(mark::HEADER).is_none()
        && may_hide_mark(octets)
        && octets.split(|octet| *octet == b'\n').any(|line| mark_in(line).is_some())
}

/// Whether it is worth to look for a mark header within lines; nearly nothing has one. No system writes it half in capitals.
fn may_hide_mark(octets: &[u8]) -> bool {
    [&b"ackstop-"[..], b"ACKSTOP-"].iter().any(|part| memchr::memmem::find(octets, part).is_some())
}

/// Where a mark header begins in a line.
fn mark_in(line: &[u8]) -> Option<usize> {
    let name = mark::HEADER.as_bytes();
    let begins = |colon: usize| {
        let start = colon.checked_sub(name.len())?;
        line.get(start..colon)?.eq_ignore_ascii_case(name).then_some(start)
    };
    memchr::memchr_iter(b':', line).find_map(begins)
}

/// Whether quoted-printable is what these lines are in.
fn is_encoded(lines: &[u8]) -> bool {
    let is_encoded = |line: &[u8]| line.ends_with(b"=") || memchr::memmem::find(line, b"=3D").is_some();
    lines.split(|octet| *octet == b'\n').any(is_encoded)
}

/// Octets of a line that tells of a cut; a longer one is prose.
const MAX_TELLING: usize = 60;

/// Whether the first line behind a block says that more was cut off: `[message truncated]`, `--- Rest of message stripped.`
fn is_told_cut(body: &[u8]) -> bool {
    let is_skipped = |octet: &&u8| octet.is_ascii_whitespace() || matches!(octet, b'>' | b'|');
    let start = body.iter().take_while(is_skipped).count();
    let line = line_at(body, start).filter(|line| line.len() <= MAX_TELLING).unwrap_or_default().to_ascii_lowercase();
    let is_notice = line.starts_with(b"message") || line.first().is_some_and(|octet| !octet.is_ascii_alphanumeric());
    let says = |word: &&[u8]| memchr::memmem::find(&line, word).is_some();
    is_notice && [&b"truncated"[..], b"stripped", b"removed"].iter().any(says)
}

/// What shows of which mail a block is.
struct Seen {
    is_original: bool,
    hides_mark: bool,
    /// Without brackets.
    message_id: Option<Vec<u8>>,
}

/// Whether it is a mail's own block and no summary of it.
fn is_original(block: &Block<'_>) -> bool {
    block.get("Received").is_some() || block.get(mark::HEADER).is_some()
}

/// `None` if it is no block.
fn seen_in(octets: &[u8]) -> Option<Seen> {
    let (block, _) = Block::read(octets);
    let known = KNOWN.iter().filter(|name| block.get(name).is_some()).count();
    let has = |name: &str| block.get(name).is_some();
    let is_original = is_original(&block);
    let is_block = known >= MIN_KNOWN && (is_original || has("From") || has("Message-ID"));
    let bare = |octet: &u8| !octet.is_ascii_whitespace() && !matches!(octet, b'<' | b'>');
    let id: Option<Vec<u8>> = block.get("Message-ID").map(|id| id.iter().copied().filter(bare).collect());
    let message_id = id.filter(|id| !id.is_empty());
    is_block.then(|| Seen { is_original, hides_mark: hides_mark(octets, &block), message_id })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounce::guard::{MAX_DECODED, MAX_FIELDS};

    /// Whether the block of one part is whole; `None` if it is no block.
    fn part(kind: &str, body: &str, cuts: &mut Vec<Cut>) -> Option<(Form, bool)> {
        let field = format!("Content-Type: {kind}");
        let content = parts::content(&Block::read(field.as_bytes()).0, false);
        let mut found = Vec::new();
        in_parts(&[Leaf { content, at: 0, body: body.as_bytes() }], &mut found, cuts);
        found.first().map(|it| (it.form, it.whole))
    }

    /// How many blocks a text has, and whether the last is whole.
    fn text(text: &str) -> (usize, Option<bool>) {
        let mut found = Vec::new();
        let leaf = parts::Text { text: text.into(), cut: false, broken: false };
        in_text(&leaf, &mut found);
        (found.len(), found.last().map(|it| it.whole))
    }

    #[test]
    fn a_block_in_a_part_is_whole_where_it_ends_as_a_block_does() {
        let (headers, message) = ("text/rfc822-headers", "message/rfc822");
        let many = "A: 1\n".repeat(MAX_FIELDS + 1);
        let long = format!("A: {}\n\n", "x".repeat(MAX_DECODED));
        let long_body = format!("A: 1\n\n{}", "x".repeat(MAX_DECODED));
        for (kind, body, expected, cut) in [
            (headers, "A: 1\n", Some((Form::Headers, true)), false),
            (message, "A: 1\n\nbody\n", Some((Form::Message, true)), false),
            (message, "A: 1\r\n\r\nbody\r\n", Some((Form::Message, true)), false),
            (message, "\r\n\nA: 1\n\nbody\n", Some((Form::Message, true)), false),
            (headers, "A: 1\n[20 more lines]\n", Some((Form::Headers, false)), false),
            (headers, many.as_str(), Some((Form::Headers, false)), false),
            (headers, long.as_str(), Some((Form::Headers, false)), true),
            (message, long.as_str(), Some((Form::Message, false)), false),
            (message, long_body.as_str(), Some((Form::Message, true)), false),
            (message, "no field\n", None, false),
            ("text/plain", "A: 1\n", None, false),
        ] {
            let mut cuts = Vec::new();
            assert_eq!(part(kind, body, &mut cuts), expected, "{kind} {} octets", body.len());
            assert_eq!(cuts, if cut { vec![Cut::Size] } else { vec![] }, "{kind} {} octets", body.len());
        }
    }

    #[test]
    fn as_many_blocks_are_taken_as_the_limit_says() {
        let content = parts::content(&Block::read(b"Content-Type: message/rfc822").0, false);
        let leaf = Leaf { content, at: 0, body: b"A: 1\n" };
        let (mut found, mut cuts) = (Vec::new(), Vec::new());
        in_parts(&vec![leaf.clone(); MAX_RETURNED], &mut found, &mut cuts);
        assert_eq!((found.len(), cuts.len()), (MAX_RETURNED, 0));
        in_parts(&[leaf], &mut found, &mut cuts);
        assert_eq!((found.len(), cuts), (MAX_RETURNED, vec![Cut::Leaves]));
        let summary = "From: a\nTo: b\nSubject: x\n\n";
        assert_eq!(text(&summary.repeat(MAX_RETURNED + 1)).0, MAX_RETURNED);
    }

    #[test]
    fn behind_a_summary_only_the_same_mail_is_looked_for() {
        let block = |id: &str| format!("From: a\nTo: b\nSubject: x\n{id}\n");
        for (first, second, expected) in [
            ("Message-ID: <1@a>\n", "Message-ID: 1@a\n", 2),
            ("Message-ID: <1@a>\n", "Message-ID: <2@a>\n", 1),
            ("Message-ID: <1@a>\n", "", 1),
            ("", "Message-ID: <1@a>\n", 2),
            ("Message-ID: <>\n", "Message-ID: <1@a>\n", 2),
            ("Received: x\n", "", 1),
        ] {
            assert_eq!(text(&(block(first) + &block(second))).0, expected, "{first}{second}");
        }
    }

    #[test]
    fn a_block_in_a_text_has_three_known_fields_and_one_that_tells_it() {
        for (fields, expected) in [
            ("From: a\nTo: b\nSubject: x\n\n", Some(true)),
            ("From: a\nX-Other: 1\nTo: b\n\n", None),
            ("To: b\nSubject: x\nDate: y\n\n", None),
            ("Received: a\nTo: b\nSubject: x\n\n", Some(true)),
            ("Backstop-Mark: a\nTo: b\nSubject: x\n\n", Some(true)),
            ("Message-ID: a\nTo: b\nSubject: x\n\n", Some(true)),
            ("| From: a\n| To: b\n|  folded\n| Subject: x\n|\n", Some(true)),
            ("| From: a\n| To: b\n| Subject: x\n\n", Some(true)),
            ("From: a\nTo: b, which was\nwrapped\nSubject: x\n\n", Some(true)),
            ("| From: a\n| To: b, which was\nwrapped\n| Subject: x\n|\n", Some(true)),
            ("| From: a\n| To: b\n| Subject: x\nthe rest\n\n", Some(false)),
            ("From: a\nTo: b\nSubject: x\nbroken off\n\n", Some(false)),
            ("From: a\nTo: b\nSubject: x\nbroken off\nX-Other: 1\n\n", Some(false)),
        ] {
            assert_eq!(text(fields).1, expected, "{fields}");
        }
    }

    #[test]
    fn a_block_with_which_the_text_ends_is_not_whole() {
        let block = "From: a\nTo: b\nSubject: x\n";
        assert_eq!(text(block).1, Some(false));
        assert_eq!(text(&format!("{block}\n")).1, Some(true));
        // Nor is one that the limit cuts off.
        let before = |octets: usize| "\n".repeat(octets - block.len()) + block + "\nbody";
        assert_eq!(text(&before(MAX_QUOTED - 1)).1, Some(true));
        assert_eq!(text(&before(MAX_QUOTED)).1, Some(false));
    }
}
