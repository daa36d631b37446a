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

/// Reads a WHEN.
pub(crate) fn parse(text: &str) -> Result<Day, String> {
    let forms = "write 2026-11-21, 2026-11-21T10:00:00Z, @20778d (a unix day) or @1795280400 (unix seconds)";
    let day = match text.strip_prefix('@') {
        Some(number) => match number.strip_suffix('d') {
            Some(days) => digits(days).and_then(|days| Day::from_number(days).ok()),
            None => {
                return digits(number).ok_or(forms).and_then(|it| day_of(it).ok_or(MILLISECONDS)).map_err(Into::into);
            }
        },
        None => Day::parse(text).ok().or_else(|| {
            let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
            day_of(time.unix_timestamp())
        }),
    };
    day.ok_or_else(|| forms.to_owned())
}

const MILLISECONDS: &str = "that is past the year 9999; give unix seconds, not milliseconds";

fn day_of(seconds: i64) -> Option<Day> {
    Day::from_unix_seconds(seconds).ok()
}

/// A number without sign.
fn digits<N: std::str::FromStr>(text: &str) -> Option<N> {
    let all = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    if all { text.parse().ok() } else { None }
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
    fn anything_else_is_told_the_forms() {
        for text in ["", "now", "21.11.2026", "2026-11-31", "@", "@d", "@-1", "@+1", "@20778D", "20778d", "@9999999d"] {
            assert!(parse(text).unwrap_err().starts_with("write 2026-11-21, "), "{text}");
        }
        assert_eq!(parse("@1795280400000"), Err(MILLISECONDS.to_owned()));
    }
}
