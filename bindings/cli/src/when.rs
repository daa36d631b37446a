//! `--at WHEN`: the day to work with instead of today.
//!
//! ```text
//! WHEN = 2026-11-21 / 2026-11-21T10:00:00Z (RFC 3339) / "@" unix day "d" / "@" unix seconds
//! ```
//!
//! Days are UTC: a time with an offset counts on the UTC day on which it falls.

use backstop::Day;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::stop::Stop;

const FORMS: &str = "takes 2026-11-21, 2026-11-21T10:00:00Z, @20778d (a unix day) or @1795280400 (unix seconds)";
const NO_DAY: &str = "names no such day; days run from 1970-01-01 to 9999-12-31";
const MILLISECONDS: &str = "lies past the year 9999; give unix seconds, not milliseconds";

/// Reads a WHEN; what is wrong with it goes on from the name of the option.
pub(crate) fn parse(text: &str) -> Result<Day, String> {
    let day = match text.strip_prefix('@') {
        Some(number) => counted(number),
        None => dated(text),
    };
    day.map_err(Into::into)
}

fn counted(number: &str) -> Result<Day, &'static str> {
    let (number, is_days) = match number.strip_suffix('d') {
        Some(days) => (days, true),
        None => (number, false),
    };
    let digits = number.strip_prefix('-').unwrap_or(number);
    if digits.is_empty() || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(FORMS);
    }
    if is_days || number.starts_with('-') {
        return number.parse().ok().and_then(|days| Day::from_number(days).ok()).ok_or(NO_DAY);
    }
    number.parse().ok().and_then(day_of).ok_or(MILLISECONDS)
}

fn dated(text: &str) -> Result<Day, &'static str> {
    let time = || OffsetDateTime::parse(text, &Rfc3339).ok().and_then(|time| day_of(time.unix_timestamp()));
    if let Some(day) = Day::parse(text).ok().or_else(time) {
        return Ok(day);
    }
    let Some((date, rest)) = text.split_at_checked("2026-11-21".len()) else { return Err(FORMS) };
    let fits = |(at, octet): (usize, u8)| if at == 4 || at == 7 { octet == b'-' } else { octet.is_ascii_digit() };
    let is_date = date.bytes().enumerate().all(fits);
    if is_date && (rest.is_empty() || Day::parse(date).is_err()) { Err(NO_DAY) } else { Err(FORMS) }
}

fn day_of(seconds: i64) -> Option<Day> {
    Day::from_unix_seconds(seconds).ok()
}

/// The day of a run: the one that `--at` gave, else today, asked anew so that a long stream lives through midnight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(pub(crate) Option<Day>);

impl Clock {
    /// The day now.
    pub(crate) fn day(self) -> Result<Day, Stop> {
        Ok(match self.0 {
            Some(day) => day,
            None => Day::today()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_names_the_same_day() {
        for text in [
            "2026-11-21",
            "2026-11-21T10:00:00Z",
            "2026-11-21T23:59:59.9Z",
            "2026-11-22T01:00:00+02:00",
            "@20778d",
            "@1795280400",
            "@1795219200",
            "@1795305599",
        ] {
            assert_eq!(parse(text).map(|day| day.number()), Ok(20_778), "{text}");
        }
    }

    #[test]
    fn anything_else_is_told_the_forms_or_the_days_that_there_are() {
        for text in
            ["", "now", "21.11.2026", "@", "@d", "@+1", "@20778D", "20778d", "-5", "@-", "2026-11-21T10", "--json"]
        {
            assert_eq!(parse(text), Err(FORMS.to_owned()), "{text}");
        }
        for text in ["2026-11-31", "1969-12-31", "2026-02-30T10:00:00Z", "@-1", "@-1d", "@9999999d"] {
            assert_eq!(parse(text), Err(NO_DAY.to_owned()), "{text}");
        }
        assert_eq!(parse("@1795280400000"), Err(MILLISECONDS.to_owned()));
    }
}
