//! Whose tag a local part carries: known type plus known shape, nothing else.
//!
//! | at the start of the local part, any case | whose |
//! |---|---|
//! | `prvs=` 4 digits 6 hex `=` local | ours, Exim, batv-tools, Proofpoint |
//! | `bst1=` 17 of `a-z2-7` `=` local | ours |
//! | local `+prvs=` 4 digits 6 hex | ours, batv-tools: the sub-address form |
//! | `prvs=` 3 digits 6 hex `=` local | Cisco ESA, Amazon, Citrix |
//! | `prvs=` local `/` or `=` 4 digits 6 hex | Exim before 4.68, old qmail |
//! | `btv1==` 3 digits 8 hex `==` local | Barracuda |
//! | `msprvs1=` 5 digits 8 of base64url `=` local | SparkPost, Message Systems |
//! | `SES=` 16 to 32 of `A-Z0-9_-` `=` local | pysrs |
//!
//! Anything else that begins with `prvs=` or `bst1=` is malformed. There is no rule for `a=b=c` in general: it would eat
//! VERP and SRS. All functions take the content of a local part, without its quotes.

use super::{bst1, prvs};
use crate::verdict::Foreign;
use crate::words;

/// A tag that [`strip`](super::strip) took off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// `prvs=`, also as a sub-address; of whatever site.
    Prvs,
    /// `bst1=`.
    Bst1,
    /// The tag of another system.
    Foreign(Foreign),
}

impl Tag {
    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Tag::Prvs => "prvs",
            Tag::Bst1 => "bst1",
            Tag::Foreign(foreign) => foreign.slug(),
        }
    }
}

/// What the content of a local part is, with what is left of it when the tag is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found<'a> {
    Prvs(prvs::Tag, &'a [u8]),
    Bst1(bst1::Tag, &'a [u8]),
    Foreign(Foreign, &'a [u8]),
    Malformed,
    Nothing,
}

#[inline(always)]
pub(super) fn recognise(content: &[u8]) -> Found<'_> {
    let prvs = strip_prefix(content, b"prvs=");
    match prvs.and_then(prvs::read) {
        Some((tag, rest)) => Found::Prvs(tag, rest),
        None => recognise_rest(content, prvs),
    }
}

/// All but the usual case; `prvs` is what follows `prvs=`.
#[inline(never)]
fn recognise_rest<'a>(content: &'a [u8], prvs: Option<&'a [u8]>) -> Found<'a> {
    let bst1 = strip_prefix(content, b"bst1=");
    if let Some((tag, rest)) = bst1.and_then(bst1::read) {
        return Found::Bst1(tag, rest);
    }
    if let Some((tag, rest)) = prvs::read_subaddress(content) {
        return Found::Prvs(tag, rest);
    }
    match prvs.map_or_else(|| other(content), old) {
        Some((foreign, rest)) => Found::Foreign(foreign, rest),
        None if prvs.or(bst1).is_some() => Found::Malformed,
        None => Found::Nothing,
    }
}

/// Other systems' use of `prvs=`.
fn old(value: &[u8]) -> Option<(Foreign, &[u8])> {
    if let Some(rest) = shaped(value, 9, |tag| prvs::is_tag(tag, 3)).and_then(|rest| after(rest, b"=")) {
        return Some((Foreign::Cisco, rest));
    }
    let (rest, tag) = value.split_last_chunk::<10>()?;
    let (separator, local) = rest.split_last()?;
    let foreign = match separator {
        b'/' => Foreign::PrvsSlash,
        b'=' => Foreign::PrvsTrailing,
        _ => return None,
    };
    (prvs::is_tag(tag, 4) && is_whole(local)).then_some((foreign, local))
}

/// Types of other systems.
fn other(content: &[u8]) -> Option<(Foreign, &[u8])> {
    if let Some(value) = strip_prefix(content, b"btv1==") {
        let rest = shaped(value, 11, |tag| prvs::is_tag(tag, 3))?;
        return Some((Foreign::Btv1, after(rest, b"==")?));
    }
    let is_base64url = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    if let Some(value) = strip_prefix(content, b"msprvs1=") {
        let rest = shaped(value, 5, |day| day.iter().all(u8::is_ascii_digit))?;
        let rest = shaped(rest, 8, |hash| hash.iter().all(is_base64url))?;
        return Some((Foreign::Msprvs1, after(rest, b"=")?));
    }
    let value = strip_prefix(content, b"SES=")?;
    let end = value.iter().position(|&octet| octet == b'=').filter(|end| (16..=32).contains(end))?;
    let rest = shaped(value, end, |tag| tag.iter().all(is_base64url))?;
    Some((Foreign::Ses, after(rest, b"=")?))
}

/// What follows a prefix of any case.
#[inline(always)]
pub(super) fn strip_prefix<'a, const N: usize>(content: &'a [u8], prefix: &[u8; N]) -> Option<&'a [u8]> {
    let (head, rest) = content.split_first_chunk()?;
    words::is_same_short(head, prefix).then_some(rest)
}

/// What follows the first `length` octets, if they have the shape.
fn shaped(value: &[u8], length: usize, is: impl Fn(&[u8]) -> bool) -> Option<&[u8]> {
    let (tag, rest) = value.split_at_checked(length)?;
    is(tag).then_some(rest)
}

/// What follows the separator, if it is something.
fn after<'a>(rest: &'a [u8], separator: &[u8]) -> Option<&'a [u8]> {
    rest.strip_prefix(separator).filter(|local| !local.is_empty())
}

/// Whether a piece cut off before a tag is something and does not end inside a quoted pair.
pub(super) fn is_whole(local: &[u8]) -> bool {
    let backslashes = local.iter().rev().take_while(|&&octet| octet == b'\\').count();
    !local.is_empty() && backslashes % 2 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(content: &str) -> (&'static str, &str) {
        let (slug, rest) = match recognise(content.as_bytes()) {
            Found::Prvs(_, rest) => ("prvs", rest),
            Found::Bst1(_, rest) => ("bst1", rest),
            Found::Foreign(foreign, rest) => (foreign.slug(), rest),
            Found::Malformed => ("malformed", &b""[..]),
            Found::Nothing => ("nothing", &b""[..]),
        };
        (slug, core::str::from_utf8(rest).unwrap())
    }

    #[test]
    fn every_known_form_is_told_apart() {
        for (content, expected) in [
            ("prvs=0785e65738=alice", ("prvs", "alice")),
            ("PRVS=0785E65738=alice", ("prvs", "alice")),
            ("prvs=0785e65738=a=b", ("prvs", "a=b")),
            ("prvs=0785e65738=prvs=0785e65738=a", ("prvs", "prvs=0785e65738=a")),
            ("alice+prvs=0785e65738", ("prvs", "alice")),
            ("a+prvs=0785e65738+prvs=0785e65738", ("prvs", "a+prvs=0785e65738")),
            ("bst1=kaaaaaaaaaaaaaaaa=alice", ("bst1", "alice")),
            ("BST1=KAAAAAAAAAAAAAAA7=alice", ("bst1", "alice")),
            ("prvs=785e65738=alice", ("prvs-cisco", "alice")),
            ("prvs=785e65738=0=alice", ("prvs-cisco", "0=alice")),
            ("prvs=alice/0785e65738", ("prvs-slash", "alice")),
            ("prvs=alice=0785e65738", ("prvs-trailing", "alice")),
            ("btv1==12300000000==alice", ("btv1", "alice")),
            ("BTV1==123abcdef09==a=b", ("btv1", "a=b")),
            ("msprvs1=20778a_-4Zz09=alice", ("msprvs1", "alice")),
            ("SES=ABCDEFGHIJ123456_-=alice", ("ses", "alice")),
        ] {
            assert_eq!(slug(content), expected, "{content}");
        }
    }

    #[test]
    fn what_begins_like_ours_and_is_not_is_malformed() {
        for content in [
            "prvs=",
            "prvs==",
            "prvs=0785e65738=",
            "prvs=0785e65738",
            "prvs=0785e657381=alice",
            "prvs=078xe65738=alice",
            "prvs=0785g65738=alice",
            "prvs=alice",
            "prvs=0785e65738-alice",
            "bst1=",
            "bst1=kaaaaaaaaaaaaaaaa=",
            "bst1=kaaaaaaaaaaaaaaa1=alice",
            "bst1=kaaaaaaaaaaaaaaa=alice",
            "prvs=\\/0785e65738",
        ] {
            assert_eq!(slug(content), ("malformed", ""), "{content}");
        }
    }

    #[test]
    fn verp_srs_and_ordinary_addresses_carry_no_tag() {
        for content in [
            "alice",
            "user=rcpt",
            "list-owner+a=b.example",
            "a==b=c",
            "SRS0=PGkz=G3=example.com=alice",
            "SRS1=48Yo=first.example.org=-wxyz=ZZ=source.org=bob",
            "prvs",
            "prvs-0785e65738=alice",
            "xprvs=0785e65738=alice",
            "btv1=12300000000=alice",
            "btv1==1230000000==alice",
            "btv1==12300000000==",
            "msprvs1=2077a_-4Zz09=alice",
            "SES=SHORT=alice",
            "ses",
            "+prvs=0785e65738",
            "alice+prvs=0785e6573",
            "alice+prvs=0785e657380",
            "a\\+prvs=0785e65738",
        ] {
            assert_eq!(slug(content), ("nothing", ""), "{content}");
        }
    }
}
