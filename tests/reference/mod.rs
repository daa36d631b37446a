//! A second implementation of the tag formats, slow and obvious: the oracle of the property tests.
//!
//! It shares no line with the library. Bits are strings of `0` and `1`, and whatever can be
//! checked by making the tag again and comparing is checked that way.
//!
//! Formats: `prvs=KDDDSSSSSS=` of draft-levine-smtp-batv-01 with HMAC-SHA1 (as Exim signs) or
//! HMAC-SHA256; `bst1=`; SRS0 and SRS1 as `Mail::SRS` 0.31 writes them; the mark header and the
//! marked Message-ID.
//!
//! Limits: an address is `local@domain` with an unquoted local part; one key without dates at a
//! time; no length limits; nothing is constant-time. A day is a unix day. What is not an address
//! where one is needed panics.

#![allow(dead_code, reason = "each test file that includes this module uses a part of it")]

use base64ct::{Base64Unpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

/// What one key without dates says of an address that may carry a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The MAC is right and the tag in date; the mailbox stands as it came, without the tag.
    Genuine { mailbox: String, signed: i64, expires: i64 },
    /// The MAC is right, the tag out of date.
    Expired { mailbox: String },
    /// The MAC is wrong, whatever the date.
    Forged,
    /// No tag of this kind and key.
    NotATag,
}

/// Lower-cases A to Z and nothing else.
pub fn fold(s: &str) -> String {
    s.to_ascii_lowercase()
}

fn hmac(sha256: bool, secret: &[u8], text: &str) -> Vec<u8> {
    if sha256 {
        let mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length is a key");
        mac.chain_update(text).finalize().into_bytes().to_vec()
    } else {
        let mac = Hmac::<Sha1>::new_from_slice(secret).expect("any length is a key");
        mac.chain_update(text).finalize().into_bytes().to_vec()
    }
}

const ALPHABET: &str = "abcdefghijklmnopqrstuvwxyz234567";

/// Base32 of a string of bits, five bits a character.
fn base32(bits: &str) -> String {
    let mut out = String::new();
    for at in (0..bits.len()).step_by(5) {
        let value = usize::from_str_radix(&bits[at..at + 5], 2).expect("five bits");
        out.push(char::from(ALPHABET.as_bytes()[value]));
    }
    out
}

/// The bits of `bytes`, first bit first.
fn bits(bytes: &[u8]) -> String {
    let octets: Vec<String> = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    octets.concat()
}

/// A day as 15 bits, big-endian.
fn day_bits(day: i64) -> String {
    assert!((0..=32767).contains(&day), "day {day} has no 15 bits");
    format!("{day:015b}")
}

/// The local part and the domain, cut at the last `@`; neither is empty.
fn split(address: &str) -> Option<(&str, &str)> {
    let (local, domain) = address.rsplit_once('@')?;
    (!local.is_empty() && !domain.is_empty()).then_some((local, domain))
}

/// What follows `prefix`, which may come in any case.
fn strip_any_case<'a>(s: &'a str, prefix: &str) -> Option<&'a str> {
    let head = s.get(..prefix.len())?;
    let same = head.eq_ignore_ascii_case(prefix);
    same.then(|| &s[prefix.len()..])
}

/// Four digits and six hexadecimal digits, or an id and sixteen more characters of base32.
fn is_value(kind: &str, s: &str) -> bool {
    if kind == "prvs=" {
        let digits = s.chars().take(4).all(|c| c.is_ascii_digit());
        s.len() == 10 && digits && s.chars().all(|c| c.is_ascii_hexdigit())
    } else {
        s.len() == 17 && fold(s).chars().all(|c| ALPHABET.contains(c))
    }
}

/// The one tag that comes off: at the start of the local part with something after it, else
/// `+prvs=` at its end. Gives the tag-type, the folded value and the mailbox as it came.
fn find_tag(address: &str) -> Option<(&'static str, String, String)> {
    let (local, domain) = split(address)?;
    for kind in ["prvs=", "bst1="] {
        if let Some((value, core)) = strip_any_case(local, kind).and_then(|s| s.split_once('='))
            && is_value(kind, value)
            && !core.is_empty()
        {
            return Some((kind, fold(value), format!("{core}@{domain}")));
        }
    }
    let at = fold(local).rfind("+prvs=")?;
    let (core, value) = (&local[..at], &local[at + "+prvs=".len()..]);
    let found = is_value("prvs=", value) && !core.is_empty();
    found.then(|| ("prvs=", fold(value), format!("{core}@{domain}")))
}

/// The MAC is judged before the date.
fn judge(right: bool, in_date: bool, mailbox: String, signed: i64, days: i64) -> Outcome {
    if !right {
        Outcome::Forged
    } else if !in_date {
        Outcome::Expired { mailbox }
    } else {
        Outcome::Genuine { mailbox, signed, expires: signed + days }
    }
}

/// `KDDDSSSSSS` over `KDDD` and the address.
fn prvs_value(sha256: bool, secret: &[u8], kddd: &str, address: &str) -> String {
    let mac = hmac(sha256, secret, &format!("{kddd}{address}"));
    format!("{kddd}{:02x}{:02x}{:02x}", mac[0], mac[1], mac[2])
}

/// `prvs=KDDDSSSSSS=local@domain` over the address as given.
pub fn prvs_sha1(secret: &[u8], key: char, days: i64, address: &str, day: i64) -> String {
    let kddd = format!("{key}{:03}", (day + days).rem_euclid(1000));
    let value = prvs_value(false, secret, &kddd, address);
    format!("prvs={value}={address}")
}

/// `prvs=KDDDSSSSSS=local@domain` over the folded address.
pub fn prvs_sha256(secret: &[u8], key: char, days: i64, address: &str, day: i64) -> String {
    let kddd = format!("{key}{:03}", (day + days).rem_euclid(1000));
    let value = prvs_value(true, secret, &kddd, &fold(address));
    format!("prvs={value}={address}")
}

/// Judges `prvs=KDDDSSSSSS=local@domain` or `local+prvs=KDDDSSSSSS@domain`.
pub fn prvs_verify(sha256: bool, secret: &[u8], key: char, days: i64, tagged: &str, today: i64) -> Outcome {
    let Some(("prvs=", value, mailbox)) = find_tag(tagged) else {
        return Outcome::NotATag;
    };
    if !value.starts_with(key) {
        return Outcome::NotATag;
    }
    let over_folded = value == prvs_value(sha256, secret, &value[..4], &fold(&mailbox));
    let as_given = !sha256 && value == prvs_value(false, secret, &value[..4], &mailbox);
    let ddd: i64 = value[1..4].parse().expect("three digits");
    let days_left = (ddd - today).rem_euclid(1000);
    // One more than the tag lives: the clock of the host that signed may be a day ahead.
    let in_date = days_left <= days + 1;
    let signed = today + days_left - days;
    judge(over_folded || as_given, in_date, mailbox, signed, days)
}

/// `bst1=`, the id, sixteen characters of day and MAC, `=local@domain`.
pub fn bst1(secret: &[u8], id: char, address: &str, day: i64) -> String {
    let text = format!("bst1|{id}|{day}|{}", fold(address));
    let mac = bits(&hmac(true, secret, &text));
    let code = base32(&format!("{}{}", day_bits(day), &mac[..65]));
    format!("bst1={id}{code}={address}")
}

/// Judges `bst1=TAG=local@domain`.
pub fn bst1_verify(secret: &[u8], id: char, days: i64, tagged: &str, today: i64) -> Outcome {
    let Some(("bst1=", value, mailbox)) = find_tag(tagged) else {
        return Outcome::NotATag;
    };
    if !value.starts_with(id) {
        return Outcome::NotATag;
    }
    // The day stands in the three characters after the id.
    let mut signed = 0;
    for c in value[1..4].chars() {
        let digit = ALPHABET.find(c).expect("checked by the shape");
        signed = signed * 32 + i64::try_from(digit).expect("below 32");
    }
    let right = fold(tagged) == fold(&bst1(secret, id, &mailbox, signed));
    let in_date = (-1..=days).contains(&(today - signed));
    judge(right, in_date, mailbox, signed, days)
}

/// The whole digest of an SRS address: 27 characters of base64.
fn srs_digest(secret: &[u8], parts: &[&str]) -> String {
    Base64Unpadded::encode_string(&hmac(false, secret, &fold(&parts.concat())))
}

/// The day modulo 1024 in two base32 characters.
fn srs_stamp(day: i64) -> String {
    base32(&format!("{:010b}", day.rem_euclid(1024))).to_ascii_uppercase()
}

/// What follows `SRS0` or `SRS1` if the next character is a separator, which stays.
fn srs_rest<'a>(local: &'a str, kind: &str) -> Option<&'a str> {
    strip_any_case(local, kind).filter(|rest| rest.starts_with(['=', '+', '-']))
}

/// The sender as the forwarder sends it on; in the forwarder's own domain it stays as it is.
pub fn srs_forward(
    secret: &[u8],
    separator: char,
    hash_length: usize,
    sender: &str,
    forwarder: &str,
    day: i64,
) -> String {
    let (local, host) = split(sender).expect("a sender is local@domain");
    let cut = |digest: String| digest.chars().take(hash_length).collect::<String>();
    if fold(host) == fold(forwarder) {
        sender.to_string()
    } else if let Some(rest) = srs_rest(local, "SRS1") {
        let mut parts = rest[1..].splitn(3, '=').skip(1);
        let first = parts.next().unwrap_or("");
        let inner = parts.next().unwrap_or("");
        let hash = cut(srs_digest(secret, &[first, inner]));
        format!("SRS1{separator}{hash}={first}={inner}@{forwarder}")
    } else if let Some(inner) = srs_rest(local, "SRS0") {
        let hash = cut(srs_digest(secret, &[host, inner]));
        format!("SRS1{separator}{hash}={host}={inner}@{forwarder}")
    } else {
        let stamp = srs_stamp(day);
        let hash = cut(srs_digest(secret, &[&stamp, host, local]));
        format!("SRS0{separator}{hash}={stamp}={host}={local}@{forwarder}")
    }
}

/// Whether `given` is how a relay or peer may write the first characters of `digest`.
fn srs_hash_fits(given: &str, digest: &str, hash_min: usize) -> bool {
    let length = given.chars().count();
    length >= hash_min
        && length <= digest.len()
        && given.chars().zip(digest.chars()).all(|(g, d)| match d {
            '+' => matches!(g, '+' | '-' | '_'),
            '/' => matches!(g, '/' | '_' | '.'),
            _ => g.eq_ignore_ascii_case(&d),
        })
}

/// The address that a valid SRS0 or SRS1 address stands for.
pub fn srs_reverse(secrets: &[&[u8]], hash_min: usize, max_age: i64, address: &str, day: i64) -> Option<String> {
    let (local, _) = split(address)?;
    let fits = |hash: &str, parts: &[&str]| {
        secrets.iter().any(|secret| srs_hash_fits(hash, &srs_digest(secret, parts), hash_min))
    };
    if let Some(rest) = srs_rest(local, "SRS1") {
        let parts: Vec<&str> = rest[1..].splitn(3, '=').collect();
        let [hash, first, inner] = parts[..] else {
            return None;
        };
        // Behind `SRS0` stands a separator; a changed address whose short hash fits by chance may have lost it.
        let good =
            fits(hash, &[first, inner]) && !first.is_empty() && inner.len() > 1 && inner.starts_with(['=', '+', '-']);
        return good.then(|| format!("SRS0{inner}@{first}"));
    }
    let rest = srs_rest(local, "SRS0")?;
    let parts: Vec<&str> = rest[1..].splitn(4, '=').collect();
    let [hash, stamp, host, user] = parts[..] else {
        return None;
    };
    // One day below zero: the signing host's clock may be a day ahead.
    let in_date = (-1..=max_age).any(|age| srs_stamp(day - age).eq_ignore_ascii_case(stamp));
    let good = fits(hash, &[stamp, host, user]) && in_date && !host.is_empty() && !user.is_empty();
    good.then(|| format!("{user}@{host}"))
}

/// The first 80 bits of HMAC-SHA256 in 16 base32 characters.
fn mark_tag(secret: &[u8], text: &str) -> String {
    base32(&bits(&hmac(true, secret, text))[..80])
}

/// The value of the mark header: `v=1; i=DOMAIN; k=ID; d=DAY; n=NONCE; t=TAG`.
pub fn mark_header(secret: &[u8], id: char, from: &str, nonce13: &str, day: i64) -> String {
    let (_, domain) = split(from).expect("a From address is local@domain");
    let folded = fold(from);
    let tag = mark_tag(secret, &format!("mark1|{id}|{day}|{nonce13}|{folded}"));
    format!("v=1; i={domain}; k={id}; d={day}; n={nonce13}; t={tag}")
}

/// The marked Message-ID: `<left.bsm1-KDDDT@domain>`.
pub fn mark_message_id(secret: &[u8], id: char, left: &str, domain: &str, from: &str, day: i64) -> String {
    let folded = fold(from);
    let tag = mark_tag(secret, &format!("bsm1|{id}|{day}|{left}|{domain}|{folded}"));
    let three = base32(&day_bits(day));
    format!("<{left}.bsm1-{id}{three}{tag}@{domain}>")
}
