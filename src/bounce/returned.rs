//! What came back of the mail that is answered: its headers, in a part or quoted in the text.
//!
//! ```text
//! part     message/rfc822, message/global, message/partial, text/rfc822-headers, message/global-headers; encoded or not
//! in text  1*( prefix name ":" value *( prefix blank value ) )   prefix: blanks, ">" and "|", the same for all lines
//! ```
//!
//! The quoted form is what qmail, Exim, Sendmail before 8.8, Exchange and many others write; no marker line is needed. A
//! run of lines is a block if it has three fields that every mail has, From, Received or Message-ID among them. A line that
//! a text wrapped is taken as folded if a field follows it. Behind a block that has a Received or a mark stands the body of
//! what came back; like that of a part it is not searched for blocks, since what a mail quotes is another mail. Less than that
//! may be a summary in front of the block: behind one with a Message-ID only blocks with the same one are the same mail, and
//! the first other one ends the search. Outer headers are never looked at here.

use std::borrow::Cow;

use super::guard::{Block, Cut, Leaf, MAX_QUOTED, MAX_RETURNED, field_name, line_at, next_line, note};
use super::parts;

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
}

/// Names that tell a block of headers from other lines with a colon.
const KNOWN: [&str; 27] = [
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
        let (octets, cut) = parts::decoded(leaf);
        if cut && form == Form::Headers {
            note(cuts, Cut::Size);
        }
        let blank = octets.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
        let octets = match octets {
            Cow::Borrowed(octets) => Cow::Borrowed(octets.get(blank..).unwrap_or_default()),
            Cow::Owned(octets) => Cow::Owned(octets.get(blank..).unwrap_or_default().to_vec()),
        };
        let (block, length) = Block::read(&octets);
        if !block.fields.is_empty() {
            let head = octets.get(..length).unwrap_or_default();
            // What was cut off by the limit ends nowhere.
            let whole = (length == octets.len() && !cut) || head.ends_with(b"\n\n") || head.ends_with(b"\n\r\n");
            found.push(Found { form, whole: whole && !block.cut, octets });
        }
    }
}

/// The blocks that are quoted in a text, and the offset of the first.
pub(super) fn in_text<'a>(text: &str, found: &mut Vec<Found<'a>>) -> Option<usize> {
    let bytes = text.as_bytes().get(..MAX_QUOTED).unwrap_or(text.as_bytes());
    let (mut at, mut first) = (0, None);
    let mut summary: Option<Vec<u8>> = None;
    while at < bytes.len() && found.len() < MAX_RETURNED {
        let line = line_at(bytes, at).unwrap_or_default();
        let prefix = line.iter().take_while(|octet| matches!(octet, b' ' | b'\t' | b'>' | b'|')).count();
        let (prefix, rest) = line.split_at_checked(prefix).unwrap_or_default();
        if !is_known(rest) {
            at = next_line(bytes, at);
            continue;
        }
        let (block, end, whole) = quoted_block(bytes, at, prefix);
        if let Some(seen) = seen_in(&block) {
            if summary.is_some() && summary != seen.message_id {
                break;
            }
            summary = seen.message_id;
            first = first.or(Some(at));
            let mut octets = block;
            octets.push(b'\n');
            // What follows is the original's body, or the rest of the notice; links are looked for in it.
            octets.extend_from_slice(bytes.get(end..).unwrap_or_default());
            found.push(Found { form: Form::Text, whole, octets: Cow::Owned(octets) });
            if seen.is_original {
                break;
            }
        }
        at = end.max(next_line(bytes, at));
    }
    first
}

fn is_known(line: &[u8]) -> bool {
    let name = field_name(line).unwrap_or_default().trim_ascii_end();
    KNOWN.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// The fields from `at` on that have this prefix, without it, where they end, and whether that is a block's end.
fn quoted_block(bytes: &[u8], mut at: usize, prefix: &[u8]) -> (Vec<u8>, usize, bool) {
    let mut block = Vec::new();
    let mut whole = true;
    let bare = |at: usize| line_at(bytes, at).and_then(|line| line.strip_prefix(prefix));
    while let Some(line) = bare(at) {
        let next = next_line(bytes, at);
        let folded = line.first().is_some_and(|octet| matches!(octet, b' ' | b'\t'));
        if line.trim_ascii().is_empty() {
            break;
        } else if field_name(line).is_some() || (folded && !block.is_empty()) {
            block.extend_from_slice(line);
        } else if bare(next).is_some_and(is_known) {
            block.push(b' ');
            block.extend_from_slice(line);
        } else {
            whole = false;
            break;
        }
        block.push(b'\n');
        at = next;
    }
    // What was cut off by the limit ends nowhere.
    (block, at, whole && (at < bytes.len() || bytes.len() < MAX_QUOTED))
}

/// What shows of which mail a block is.
struct Seen {
    /// Whether it is a mail's own block and no summary of it.
    is_original: bool,
    /// Without brackets.
    message_id: Option<Vec<u8>>,
}

/// `None` if it is no block.
fn seen_in(octets: &[u8]) -> Option<Seen> {
    let (block, _) = Block::read(octets);
    let known = KNOWN.iter().filter(|name| block.get(name).is_some()).count();
    let has = |name: &str| block.get(name).is_some();
    let is_original = has("Received") || has(crate::mark::HEADER);
    let is_block = known >= MIN_KNOWN && (is_original || has("From") || has("Message-ID"));
    let bare = |octet: &u8| !octet.is_ascii_whitespace() && !matches!(octet, b'<' | b'>');
    let id: Option<Vec<u8>> = block.get("Message-ID").map(|id| id.iter().copied().filter(bare).collect());
    is_block.then_some(Seen { is_original, message_id: id.filter(|id| !id.is_empty()) })
}
