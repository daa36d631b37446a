//! Bounds: what is looked at of a message, before any library sees an octet of it.
//!
//! ```text
//! message = [ "From " line ] block body          block = *( name ":" value *( LF blank value ) LF ) ( LF / what is no field )
//! body    = leaf / preamble 1*( "--" boundary LF block body ) "--" boundary "--"        RFC 2046 section 5.1.1
//! ```
//!
//! mail-parser's own walk over the parts recurses when nested messages are dropped, opens encoded messages unseen, and
//! looks for each missing boundary up to the end of the message. So the message is cut into header blocks and leaves
//! here, in one pass and without recursion, and `parts.rs` hands the library one short value or one leaf at a time. A
//! returned message is a leaf. Every limit is a constant below; what lies beyond is left out and [`Cut`] says so. An
//! unfinished multipart ends with the message; one that lost its boundary has that of the first line that looks like a
//! delimiter, else it is a leaf; a line that is no field ends a block.

use memchr::{memchr, memmem};

/// Fields of one header block that are looked at.
pub const MAX_FIELDS: usize = 500;
/// Octets of a field's value that are looked at.
pub const MAX_VALUE: usize = 8 * 1024;
/// The most octets of a Content-Type that are read: each of its parameters is looked for among those before it.
pub const MAX_TYPE: usize = 2 * 1024;
/// Leaves of a message that are looked at.
pub const MAX_LEAVES: usize = 64;
/// Parts of a message that are looked at, multiparts counted.
pub const MAX_PARTS: usize = 4 * MAX_LEAVES;
/// Multiparts inside each other that are looked at.
pub const MAX_NESTING: usize = 8;
/// Octets of a boundary (RFC 2046 allows 70).
pub(super) const MAX_BOUNDARY: usize = 255;
/// Octets of a leaf that are decoded, in its encoded form.
pub const MAX_DECODED: usize = 128 * 1024;
/// Octets of text in which phrases are looked for.
pub const MAX_PHRASES: usize = 16 * 1024;
/// Octets of text in which quoted headers are looked for.
pub const MAX_QUOTED: usize = 64 * 1024;
/// Returned header blocks that are looked at.
pub const MAX_RETURNED: usize = 8;
/// Recipients of delivery-status fields that are kept.
pub const MAX_DELIVERIES: usize = 32;
/// Message-IDs of In-Reply-To and References, and marks, that are verified.
pub const MAX_CHECKS: usize = 64;
/// Hosts of links that are kept.
pub const MAX_LINKS: usize = 16;

/// What was left out of a message because a limit was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Fields after the first [`MAX_FIELDS`].
    Fields,
    /// Parts after the first [`MAX_LEAVES`] leaves or [`MAX_PARTS`] parts, or blocks after [`MAX_RETURNED`].
    Leaves,
    /// Multiparts deeper than [`MAX_NESTING`].
    Nesting,
    /// The end of a leaf longer than [`MAX_DECODED`] or [`MAX_QUOTED`].
    Size,
}

impl Cut {
    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Cut::Fields => "fields",
            Cut::Leaves => "leaves",
            Cut::Nesting => "nesting",
            Cut::Size => "size",
        }
    }
}

/// One field of a header block: its name, and its value as it stands, folds and all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
}

/// The fields of a header block, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Block<'a> {
    pub(super) fields: Vec<Field<'a>>,
    pub(super) cut: bool,
}

impl<'a> Block<'a> {
    /// Reads a block from the start of `bytes`; the number is where its body begins.
    pub(super) fn read(bytes: &'a [u8]) -> (Block<'a>, usize) {
        let mut block = Block { fields: Vec::with_capacity(24), cut: false };
        let mut at = 0;
        while let Some(line) = line_at(bytes, at) {
            if line.is_empty() {
                return (block, next_line(bytes, at));
            }
            let Some(name) = field_name(line) else {
                // The separator of an mbox, and the quoted one that some systems return.
                let separator = block.fields.is_empty() && (line.starts_with(b"From ") || line.starts_with(b">From "));
                if separator || (block.fields.is_empty() && is_blank(line.first())) {
                    at = next_line(bytes, at);
                    continue;
                }
                // One damaged line among fields.
                if line_at(bytes, next_line(bytes, at)).is_some_and(is_known) {
                    at = next_line(bytes, at);
                    continue;
                }
                return (block, at);
            };
            let start = at + name.len() + 1;
            let mut end = next_line(bytes, at);
            while is_blank(bytes.get(end)) && line_at(bytes, end).is_some_and(|line| !line.trim_ascii().is_empty()) {
                end = next_line(bytes, end);
            }
            if block.fields.len() < MAX_FIELDS {
                let value = bytes.get(start..end).unwrap_or_default();
                let value = value.get(..MAX_VALUE).unwrap_or(value).trim_ascii();
                block.fields.push(Field { name: name.trim_ascii_end(), value });
            } else {
                block.cut = true;
            }
            at = end;
        }
        (block, bytes.len())
    }

    /// The value of the first field of this name.
    pub(super) fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// The values of all fields of this name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.fields
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| field.value)
    }
}

/// What some programs write in front of a text in UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The message without the byte order marks and blank lines in front of its block, which some stores add.
pub(super) fn without_blank_lines(message: &[u8]) -> &[u8] {
    let mut at = 0;
    loop {
        let rest = message.get(at..).unwrap_or_default();
        if rest.starts_with(BYTE_ORDER_MARK) {
            at += BYTE_ORDER_MARK.len();
        } else if line_at(rest, 0).is_some_and(|line| line.trim_ascii().is_empty()) {
            at = next_line(message, at);
        } else {
            return rest;
        }
    }
}

/// The sender in the separator of an mbox, in front of a message.
pub(super) fn mbox_sender(message: &[u8]) -> Option<&[u8]> {
    let line = line_at(message.strip_prefix(b">").unwrap_or(message), 0)?;
    line.strip_prefix(b"From ")?.split(|octet| *octet == b' ').next().filter(|sender| !sender.is_empty())
}

/// The name before the colon of a line that is a field.
pub(super) fn field_name(line: &[u8]) -> Option<&[u8]> {
    let name = line.get(..memchr(b':', line.get(..MAX_NAME).unwrap_or(line))?)?;
    let bare = name.trim_ascii_end();
    (!bare.is_empty() && bare.iter().all(u8::is_ascii_graphic)).then_some(name)
}

/// Names that tell a block of headers from other lines with a colon. A line that is no field, and before one of these, is
/// damaged or wrapped, and no body.
pub(super) const KNOWN: [&str; 27] = [
    "received",
    "return-path",
    "from",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "reply-to",
    "sender",
    "x-mailer",
    "in-reply-to",
    "references",
    "delivered-to",
    "dkim-signature",
    "domainkey-signature",
    "backstop-mark",
    "list-id",
    "importance",
    "x-priority",
    "user-agent",
    "errors-to",
    "organization",
    "precedence",
];

/// Whether a line is a field of one of the [`KNOWN`] names.
pub(super) fn is_known(line: &[u8]) -> bool {
    let name = field_name(line).unwrap_or_default().trim_ascii_end();
    KNOWN.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// How many octets of blanks and quote marks a line begins with.
pub(super) fn quote_marks(line: &[u8]) -> usize {
    line.iter().take_while(|octet| matches!(octet, b' ' | b'\t' | b'>' | b'|')).count()
}

/// Octets of a field's name.
const MAX_NAME: usize = 100;

fn is_blank(octet: Option<&u8>) -> bool {
    matches!(octet, Some(b' ' | b'\t'))
}

/// The line that begins at `at`, without its end; `None` past the end.
pub(super) fn line_at(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
    let line = memchr(b'\n', rest).and_then(|end| rest.get(..end)).unwrap_or(rest);
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

/// Where the line after the one at `at` begins.
pub(super) fn next_line(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    memchr(b'\n', rest).map_or(bytes.len(), |end| at + end + 1)
}

/// The content of a leaf or of a message: its type, how it is encoded, and where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf<'a> {
    pub(super) content: super::parts::Content,
    /// Where its body begins in that of the message.
    pub(super) at: usize,
    pub(super) body: &'a [u8],
}

/// A multipart that is open.
struct Open {
    boundary: Vec<u8>,
    is_digest: bool,
}

/// Cuts the body of a message into its leaves, in their order.
pub(super) fn leaves<'a>(block: &Block<'_>, body: &'a [u8], cuts: &mut Vec<Cut>) -> Vec<Leaf<'a>> {
    let content = super::parts::content(block, false);
    if content.kind != "multipart" {
        return vec![Leaf { content, at: 0, body }];
    }
    for open in boundary(&content).into_iter().chain(guessed(body)) {
        let (leaves, _) = walk(body, open, cuts);
        if !leaves.is_empty() {
            return leaves;
        }
    }
    // No boundary is anywhere: what people would see is text.
    vec![Leaf { content: super::parts::Content::default(), at: 0, body }]
}

/// The leaves of a multipart by the boundary that it names, and where looking at it ended before the end of the body.
pub(super) fn leaves_by_boundary<'a>(
    content: &super::parts::Content,
    body: &'a [u8],
) -> Option<(Vec<Leaf<'a>>, Option<usize>)> {
    boundary(content).map(|open| walk(body, open, &mut Vec::new()))
}

fn walk<'a>(body: &'a [u8], open: Open, cuts: &mut Vec<Cut>) -> (Vec<Leaf<'a>>, Option<usize>) {
    let mut walk = Walk { body, leaves: Vec::new(), open: vec![open], parts: 0, current: None, cuts };
    let ended = walk.run();
    (walk.leaves, ended)
}

/// The boundary of a multipart that lost it, from the first line that looks like a delimiter before a part.
fn guessed(body: &[u8]) -> Option<Open> {
    let start = if body.starts_with(b"--") { 0 } else { memmem::find(body, b"\n--")? + 1 };
    let boundary = line_at(body, start)?.get(2..)?.trim_ascii_end();
    let next = line_at(body, next_line(body, start))?;
    let fits =
        !boundary.is_empty() && boundary.len() <= MAX_BOUNDARY && (next.is_empty() || field_name(next).is_some());
    fits.then(|| Open { boundary: boundary.to_vec(), is_digest: false })
}

fn boundary(content: &super::parts::Content) -> Option<Open> {
    let boundary = content.boundary.as_deref().filter(|boundary| !boundary.is_empty())?;
    let is_digest = content.subtype == "digest";
    (boundary.len() <= MAX_BOUNDARY).then(|| Open { boundary: boundary.as_bytes().to_vec(), is_digest })
}

struct Walk<'a, 'c> {
    body: &'a [u8],
    leaves: Vec<Leaf<'a>>,
    open: Vec<Open>,
    /// Parts so far.
    parts: usize,
    /// The leaf that is being read: its type and where its body begins.
    current: Option<(super::parts::Content, usize)>,
    cuts: &'c mut Vec<Cut>,
}

impl Walk<'_, '_> {
    /// Fills the leaves; the number is where looking ended, if that is before the end.
    fn run(&mut self) -> Option<usize> {
        let finder = memmem::Finder::new(b"\n--");
        let mut at = if self.body.starts_with(b"--") { Some(0) } else { self.find(&finder, 0) };
        while let Some(start) = at {
            let line = line_at(self.body, start).unwrap_or_default();
            let Some((level, is_end)) = self.level(line) else {
                at = self.find(&finder, start);
                continue;
            };
            self.close(start);
            self.open.truncate(level + usize::from(!is_end));
            let next = next_line(self.body, start);
            let after = if is_end { next } else { self.begin(next) };
            if self.open.is_empty() || self.leaves.len() >= MAX_LEAVES || self.parts >= MAX_PARTS {
                self.current = None;
                if !self.open.is_empty() {
                    note(self.cuts, Cut::Leaves);
                }
                return Some(after);
            }
            // A body may begin with the next boundary.
            at = self.find(&finder, after.saturating_sub(1));
        }
        self.close(self.body.len());
        None
    }

    /// The start of the next line with `--`, from the line end at or behind `from`.
    fn find(&self, finder: &memmem::Finder<'_>, from: usize) -> Option<usize> {
        finder.find(self.body.get(from..)?).map(|offset| from + offset + 1)
    }

    /// Which open multipart this line is a delimiter of, innermost first, and whether it ends it.
    fn level(&self, line: &[u8]) -> Option<(usize, bool)> {
        let rest = line.strip_prefix(b"--")?;
        for (level, open) in self.open.iter().enumerate().rev() {
            if let Some(tail) = rest.strip_prefix(open.boundary.as_slice()) {
                match tail.trim_ascii_end() {
                    b"" => return Some((level, false)),
                    b"--" => return Some((level, true)),
                    _ => {}
                }
            }
        }
        None
    }

    /// Ends the leaf that is being read before the delimiter at `end`. The end of the line before that stays in the leaf, so
    /// that a block with which a closed text ends has its blank line.
    fn close(&mut self, end: usize) {
        if let Some((content, start)) = self.current.take() {
            let body = self.body.get(start..end.max(start)).unwrap_or_default();
            self.leaves.push(Leaf { content, at: start, body });
        }
    }

    /// Reads the block of a part at `at`; the number is where its body begins.
    fn begin(&mut self, at: usize) -> usize {
        self.parts += 1;
        let (block, length) = Block::read(self.body.get(at..).unwrap_or_default());
        if block.cut {
            note(self.cuts, Cut::Fields);
        }
        let in_digest = self.open.last().is_some_and(|open| open.is_digest);
        let content = super::parts::content(&block, in_digest);
        match boundary(&content) {
            Some(open) if self.open.len() < MAX_NESTING => self.open.push(open),
            Some(_) => {
                note(self.cuts, Cut::Nesting);
                self.current = Some((super::parts::Content::default(), at + length));
            }
            None => self.current = Some((content, at + length)),
        }
        at + length
    }
}

/// Adds what was cut, once.
pub(super) fn note(cuts: &mut Vec<Cut>, cut: Cut) {
    if !cuts.contains(&cut) {
        cuts.push(cut);
    }
}

/// What shows that a Message-ID has a mark.
pub(super) const MARKED: &[u8] = b".bsm1-";

/// Whether a Message-ID with a mark is among these octets.
pub(super) fn has_mark(octets: &[u8]) -> bool {
    memmem::find(&octets.to_ascii_lowercase(), MARKED).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(bytes: &[u8]) -> Vec<&str> {
        let (block, _) = Block::read(bytes);
        block.fields.iter().map(|field| std::str::from_utf8(field.name).unwrap()).collect()
    }

    /// The bodies of the leaves of a multipart with the boundary `b`, and what was cut.
    fn bodies(body: &str) -> (Vec<String>, Vec<Cut>) {
        let (block, _) = Block::read(b"Content-Type: multipart/mixed; boundary=b\n\n");
        let mut cuts = Vec::new();
        let leaves = leaves(&block, body.as_bytes(), &mut cuts);
        (leaves.iter().map(|leaf| String::from_utf8_lossy(leaf.body).into_owned()).collect(), cuts)
    }

    #[test]
    fn each_limit_has_its_word() {
        let cuts = [Cut::Fields, Cut::Leaves, Cut::Nesting, Cut::Size];
        assert_eq!(cuts.map(Cut::slug), ["fields", "leaves", "nesting", "size"]);
    }

    #[test]
    fn a_block_ends_at_a_line_that_is_no_field_unless_a_known_field_follows_it() {
        for (block, expected) in [
            ("From a@b.example Fri\nA: 1\n\nB: 2\n", &["A"][..]),
            (">From a@b.example Fri\nA: 1\n\n", &["A"]),
            (" blank\nA: 1\n\n", &["A"]),
            ("damaged\nA: 1\n\n", &[]),
            ("A: 1\nFrom a@b.example Fri\nB: 2\n\n", &["A"]),
            ("A: 1\ndamaged\nB: 2\n\n", &["A"]),
            ("A: 1\ndamaged\nsubject: 2\nB: 3\n\n", &["A", "subject", "B"]),
            ("A : 1\n: 2\n", &["A"]),
            ("two words: 1\n", &[]),
        ] {
            assert_eq!(names(block.as_bytes()), expected, "{block:?}");
        }
    }

    #[test]
    fn as_many_fields_are_read_as_the_limit_says() {
        for (fields, cut) in [(MAX_FIELDS, false), (MAX_FIELDS + 1, true)] {
            let text = "A: 1\n".repeat(fields);
            let (block, _) = Block::read(text.as_bytes());
            assert_eq!((block.fields.len(), block.cut), (MAX_FIELDS, cut));
        }
    }

    #[test]
    fn the_separator_of_an_mbox_names_the_sender() {
        for (line, expected) in [
            ("From a@b.example Fri Nov 20 10:12:00 2026\n", Some("a@b.example")),
            (">From a@b.example Fri\n", Some("a@b.example")),
            ("From  Fri\n", None),
            ("From: a@b.example\n", None),
        ] {
            assert_eq!(mbox_sender(line.as_bytes()), expected.map(str::as_bytes), "{line}");
        }
    }

    #[test]
    fn a_lost_boundary_is_guessed_from_a_line_before_a_part() {
        for (body, expected) in [
            ("--x\n\none\n--x\n\ntwo\n--x--\n", &["one\n", "two\n"][..]),
            ("preamble\n--x\nA: 1\n\none\n--x--\n", &["one\n"]),
            ("text\n--x\nno field\n", &["text\n--x\nno field\n"]),
            ("text\n--\n\nsignature\n", &["text\n--\n\nsignature\n"]),
            ("text\n--x", &["text\n--x"]),
        ] {
            assert_eq!(bodies(body).0, expected, "{body:?}");
        }
        let long = format!("--{}\n\none\n", "x".repeat(MAX_BOUNDARY + 1));
        assert_eq!(bodies(&long).0, [long.as_str()]);
    }

    #[test]
    fn a_part_without_a_body_is_a_leaf_beside_the_next() {
        assert_eq!(bodies("--b\n\n--b\nA: 1\n--b\n\nx\n--b--\n--b\n\ny\n").0, ["", "", "x\n"]);
    }

    #[test]
    fn multiparts_are_opened_as_deep_as_the_limit_says() {
        let nested = |levels: usize| -> String {
            let open = |level: usize| format!("--b{level}\nContent-Type: multipart/mixed; boundary=b{}\n\n", level + 1);
            (2..=levels).map(|level| open(level - 1)).collect::<String>()
                + &format!("--b{levels}\n\nx\n--b{levels}--\n")
        };
        let read = |levels| bodies(&nested(levels).replace("--b1\n", "--b\n"));
        assert_eq!(read(MAX_NESTING), (vec!["x\n".to_owned()], vec![]));
        let last = format!("--b{0}\n\nx\n--b{0}--\n", MAX_NESTING + 1);
        assert_eq!(read(MAX_NESTING + 1), (vec![last], vec![Cut::Nesting]));
    }

    #[test]
    fn leaves_and_parts_beyond_the_limits_are_cut() {
        let leaf = "--b\n\nx\n";
        let multipart = "--b\nContent-Type: multipart/mixed; boundary=c\n\n";
        for (body, expected, cut) in [
            (leaf.repeat(MAX_LEAVES), MAX_LEAVES, false),
            (leaf.repeat(MAX_LEAVES + 1), MAX_LEAVES, true),
            (multipart.repeat(MAX_PARTS - 1) + leaf, 1, true),
            (multipart.repeat(MAX_PARTS - 2) + leaf, 1, false),
        ] {
            let (leaves, cuts) = bodies(&body);
            assert_eq!((leaves.len(), cuts.contains(&Cut::Leaves)), (expected, cut), "{} octets", body.len());
        }
    }
}
