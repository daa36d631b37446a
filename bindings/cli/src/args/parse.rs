//! Values on the command line. What a parser says of a value that it refuses goes on from the name of the option, so that
//! `--days` and `takes a whole number from 1 to 99` make one sentence; `main.rs` puts them together.

use std::ffi::OsString;

use backstop::srs::{Alphabet, OverLong};
use backstop::{Day, Domains, Mac, Path, Use};
use clap::builder::{OsStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::when;

/// An address, which holds no line end: each has one line of the output.
pub(super) fn address() -> impl TypedValueParser<Value = OsString> {
    OsStringValueParser::new().try_map(|text| {
        match text.as_encoded_bytes().iter().any(|it| matches!(it, b'\r' | b'\n')) {
            true => Err("holds a line end, as no address does; give each address by itself, or `-` and one a line"),
            false => Ok(text),
        }
    })
}

/// A recipient of an envelope: a mailbox, its tag and all.
pub(super) fn recipient() -> impl TypedValueParser<Value = OsString> {
    parsed(|octets| match Path::parse_tagged(octets) {
        Ok(Path::Null) => Some("takes a recipient, as alice@example.com; `<>` is none".to_owned()),
        Ok(_) => None,
        Err(error) => Some(format!("has a fault: {error}")),
    })
}

/// A sender of an envelope: a mailbox, or `<>`, or MAILER-DAEMON, which some mail systems give without a domain.
pub(super) fn sender() -> impl TypedValueParser<Value = OsString> {
    parsed(|octets| match Path::parse_tagged(octets) {
        Err(error) if !is_daemon(octets) => Some(format!("has a fault: {error}")),
        _ => None,
    })
}

fn is_daemon(octets: &[u8]) -> bool {
    octets.eq_ignore_ascii_case(b"mailer-daemon") || octets.eq_ignore_ascii_case(b"<mailer-daemon>")
}

fn parsed(fault: fn(&[u8]) -> Option<String>) -> impl TypedValueParser<Value = OsString> {
    OsStringValueParser::new().try_map(move |text| {
        let fault = fault(text.as_encoded_bytes());
        fault.map_or(Ok(text), Err)
    })
}

/// The address in the From of what is written: a mailbox in ASCII, with a domain. Brackets and a route go.
pub(super) fn author(text: &str) -> Result<String, String> {
    match Path::parse(text.as_bytes()) {
        Ok(Path::Mailbox(mailbox)) if text.is_ascii() && !text.contains(|it: char| it.is_ascii_control()) => {
            Ok(String::from_utf8_lossy(mailbox.as_bytes()).into_owned())
        }
        Err(error) => Err(format!("has a fault: {error}")),
        Ok(_) => Err("takes an address in ASCII with a domain, as abuse@example.com".to_owned()),
    }
}

/// The name of a header field; a colon behind it goes.
pub(super) fn field(text: &str) -> Result<String, String> {
    let name = text.trim().trim_end_matches(':');
    let fits = !name.is_empty() && name.bytes().all(|it| it.is_ascii_graphic() && it != b':');
    fits.then(|| name.to_owned()).ok_or_else(|| "takes the name of a header field, as X-Envelope-To".to_owned())
}

/// The name of a DNS list.
pub(super) fn zone(text: &str) -> Result<String, String> {
    let name = text.trim_matches('.');
    let is_label = |label: &str| {
        let fits = label.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'));
        fits && (1..=63).contains(&label.len())
    };
    let fits = name.len() <= 180 && name.split('.').all(is_label);
    fits.then(|| name.to_owned()).ok_or_else(|| "takes the name of a DNS list, as zen.example".to_owned())
}

/// A number in a range, which the message gives in these words.
pub(super) fn number(
    low: u16,
    high: u16,
    range: &'static str,
) -> impl Fn(&str) -> Result<u16, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.parse().ok().filter(|number| (low..=high).contains(number));
        number.ok_or_else(|| format!("takes a whole number from {range}"))
    }
}

pub(super) fn id(text: &str) -> Result<char, String> {
    text.parse().map_err(|_| "takes one character: a digit for prvs and srs, else one of a-z2-7".to_owned())
}

pub(super) fn separator(text: &str) -> Result<char, String> {
    let known = text.parse().ok().filter(|separator| "=+-".contains(*separator));
    known.ok_or_else(|| "takes =, + or -".to_owned())
}

pub(super) fn usage() -> impl TypedValueParser<Value = Use> {
    one_of(Use::ALL, |it| it.as_str().into())
}

pub(super) fn mac() -> impl TypedValueParser<Value = Mac> {
    one_of(Mac::ALL, |it| it.as_str().into())
}

pub(super) fn alphabet() -> impl TypedValueParser<Value = Alphabet> {
    one_of(Alphabet::ALL, |it| {
        PossibleValue::new(it.as_str()).help(match it {
            Alphabet::Classic => "+/ as Mail::SRS and libsrs2",
            Alphabet::Url => "-_ as postsrsd since 2.2.6",
            Alphabet::Alt => "_. as libsrs_alt",
        })
    })
}

pub(super) fn over_long() -> impl TypedValueParser<Value = OverLong> {
    one_of(OverLong::ALL, |it| {
        PossibleValue::new(it.as_str()).help(match it {
            OverLong::Leave => "leave the sender as it is, reason too-long",
            OverLong::Emit => "emit it all the same, up to 254 octets in all",
        })
    })
}

/// One of these values by its word; completions and help have the words as well.
fn one_of<T: Copy + Send + Sync>(all: &'static [T], named: fn(T) -> PossibleValue) -> impl TypedValueParser<Value = T> {
    let find =
        move |text: String| all.iter().copied().find(|&it| named(it).get_name() == text).ok_or("is another word");
    PossibleValuesParser::new(all.iter().map(|&it| named(it))).try_map(find)
}

pub(super) fn domains(text: &str) -> Result<Domains, String> {
    Domains::parse(text).map_err(|error| format!("has a fault: {error}"))
}

/// The first or last signing day of a key: `-` is open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open(pub(crate) Option<Day>);

pub(super) fn open(text: &str) -> Result<Open, String> {
    if text == "-" { Ok(Open(None)) } else { when::parse(text).map(|day| Open(Some(day))) }
}
