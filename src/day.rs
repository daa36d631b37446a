//! Days: the only unit of time that tags know.
//!
//! A [`Day`] is a whole UTC day since 1970-01-01, up to 9999-12-31. Calendar dates come from the `time` crate. Here also
//! stand the two windows that map a day number from the wire, cut to a modulus, back to the day of signing:
//!
//! | tag | on the wire | day of signing, if in date |
//! |---|---|---|
//! | prvs | (signing day + days) mod 1000 | the one in today-days ..= today+1 |
//! | SRS0 | signing day mod 1024 | the one in today-days ..= today+1 |
//!
//! The last day of each window is the skew: another host may already live in tomorrow.

use core::fmt;

use time::{Date, Month};

use crate::error::Error;

/// Seconds in a day.
const SECONDS: i64 = 86_400;
/// `time`'s Julian day number of 1970-01-01.
const EPOCH_JULIAN: i32 = 2_440_588;

/// A UTC day, counted from 1970-01-01, at most 9999-12-31.
///
/// ```
/// use backstop::Day;
/// let day = Day::from_unix_seconds(1_795_280_400)?;
/// assert_eq!(day.to_string(), "2026-11-21");
/// assert_eq!(day, Day::parse("2026-11-21")?);
/// assert_eq!(day.number(), 20_778);
/// # Ok::<(), backstop::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u32);

impl Day {
    /// 1970-01-01.
    pub const MIN: Day = Day(0);
    /// 9999-12-31.
    pub const MAX: Day = Day(2_932_896);

    /// The day with this number, counted from 1970-01-01.
    ///
    /// # Errors
    /// [`Error::Date`] past 9999-12-31.
    pub const fn from_number(number: u32) -> Result<Day, Error> {
        if number <= Day::MAX.0 { Ok(Day(number)) } else { Err(Error::Date) }
    }

    /// The day that holds this unix time in seconds.
    ///
    /// # Errors
    /// [`Error::Time`] before 1970 or past the year 9999, as milliseconds would be.
    pub fn from_unix_seconds(seconds: i64) -> Result<Day, Error> {
        u32::try_from(seconds.div_euclid(SECONDS))
            .ok()
            .and_then(|number| Day::from_number(number).ok())
            .ok_or(Error::Time(seconds))
    }

    /// Today by the system clock.
    ///
    /// # Errors
    /// [`Error::Time`] when the clock stands before 1970 or past the year 9999.
    #[cfg(feature = "std")]
    pub fn today() -> Result<Day, Error> {
        // Not `time`'s clock, which makes a calendar date first and takes twice as long.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_err(|_| Error::Time(-1))?;
        Day::from_unix_seconds(i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
    }

    /// Reads `YYYY-MM-DD`.
    ///
    /// # Errors
    /// [`Error::Date`] for any other form and for days that are not in the calendar.
    pub fn parse(text: &str) -> Result<Day, Error> {
        let digits = |range: core::ops::Range<usize>| {
            text.get(range)
                .filter(|part| part.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|part| part.parse::<u16>().ok())
        };
        let dashes = text.bytes().enumerate().all(|(i, b)| (b == b'-') == (i == 4 || i == 7));
        let (true, 10, Some(year), Some(month), Some(day)) =
            (dashes, text.len(), digits(0..4), digits(5..7), digits(8..10))
        else {
            return Err(Error::Date);
        };
        u8::try_from(month)
            .ok()
            .and_then(|month| Month::try_from(month).ok())
            .zip(u8::try_from(day).ok())
            .and_then(|(month, day)| Date::from_calendar_date(i32::from(year), month, day).ok())
            .and_then(|date| u32::try_from(date.to_julian_day() - EPOCH_JULIAN).ok())
            .map(Day)
            .ok_or(Error::Date)
    }

    /// The number of this day, counted from 1970-01-01.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// This many days later, at most [`Day::MAX`].
    pub fn plus(self, days: u32) -> Day {
        Day(self.0.saturating_add(days)).min(Day::MAX)
    }

    /// This many days earlier, at least [`Day::MIN`].
    pub const fn minus(self, days: u32) -> Day {
        Day(self.0.saturating_sub(days))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let julian = i32::try_from(self.0).map_or(i32::MAX, |number| number.saturating_add(EPOCH_JULIAN));
        match Date::from_julian_day(julian) {
            Ok(date) => write!(f, "{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()),
            Err(_) => write!(f, "day {}", self.0),
        }
    }
}

/// The day of signing that a tag implies, and whether the tag is in date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Implied {
    /// The only candidate in the window if in date, else the latest one in the past.
    pub(crate) signed: Day,
    pub(crate) in_date: bool,
}

/// The day that a prvs expiry number (0..=999) implies for a key whose tags live `days` days.
#[inline(always)]
pub(crate) fn implied_by_prvs(expiry: u32, days: u32, today: Day) -> Implied {
    let ahead = ahead_of_prvs(expiry, today);
    let in_date = ahead <= days + 1;
    let expires = today.0 + ahead;
    let signed = if in_date { expires.saturating_sub(days) } else { expires.saturating_sub(1000 + days) };
    Implied { signed: Day(signed), in_date }
}

/// The day that an SRS stamp (0..=1023) implies when addresses live `days` days.
#[inline(always)]
pub(crate) fn implied_by_srs(stamp: u32, days: u32, today: Day) -> Implied {
    let age = (today.0 + 1024 - stamp) % 1024;
    if age == 1023 && days < 1023 {
        return Implied { signed: today.plus(1), in_date: true };
    }
    Implied { signed: today.minus(age), in_date: age <= days }
}

/// Whether a full signing day is in date: not older than `days`, not further ahead than the skew.
pub(crate) fn in_date(signed: Day, days: u32, today: Day) -> bool {
    signed <= today.plus(1) && today.0 <= signed.0.saturating_add(days)
}

/// How many days a prvs expiry number lies ahead, if it is not over: 0 to 999.
pub(crate) fn ahead_of_prvs(expiry: u32, today: Day) -> u32 {
    (expiry + 1000 - today.0 % 1000) % 1000
}

/// Whether a prvs expiry number says of a tag of any key that its last day was over before `grace` and a skew day.
///
/// The number comes again after a thousand days: what may stand for a day ahead, up to the last of the longest-lived tag of
/// tomorrow, is not over. The number is the last day itself, so that the key's `days` need not be known.
pub(crate) fn is_over_by_prvs(expiry: u32, longest: u32, grace: u32, today: Day) -> bool {
    let ahead = ahead_of_prvs(expiry, today);
    ahead > longest + 1 && 1000 - ahead > grace + 1
}

/// The same of an SRS stamp, for which there is no grace.
pub(crate) fn is_over_by_srs(stamp: u32, longest: u32, today: Day) -> bool {
    let age = (today.0 + 1024 - stamp) % 1024;
    age > longest + 1 && age < 1023
}

/// The same of a full signing day; one after tomorrow, on which no tag can have been made yet, is no better.
pub(crate) fn is_over(signed: Day, longest: u32, grace: u32, today: Day) -> bool {
    signed > today.plus(1) || today > signed.plus(longest + grace + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn day(number: u32) -> Day {
        Day::from_number(number).unwrap()
    }

    #[test]
    fn dates_round_trip_through_text() {
        for number in [0, 1, 58, 59, 60, 11_016, 19_782, 20_778, 32_767, Day::MAX.0] {
            let text = day(number).to_string();
            assert_eq!(Day::parse(&text), Ok(day(number)), "{text}");
        }
        assert_eq!(day(0).to_string(), "1970-01-01");
        assert_eq!(day(32_767).to_string(), "2059-09-18");
        assert_eq!(Day::MAX.to_string(), "9999-12-31");
    }

    #[test]
    fn impossible_dates_are_refused() {
        for text in [
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-1-1",
            "2026/11/21",
            "26-11-21",
            "+026-11-21",
            "1969-12-31",
            "2026-11-211",
            "２026-11-21",
        ] {
            assert_eq!(Day::parse(text), Err(Error::Date), "{text}");
        }
    }

    #[test]
    fn milliseconds_are_refused() {
        assert_eq!(Day::from_unix_seconds(1_795_280_400_000), Err(Error::Time(1_795_280_400_000)));
        assert_eq!(Day::from_unix_seconds(-1), Err(Error::Time(-1)));
        assert_eq!(Day::from_unix_seconds(253_402_300_799), Ok(Day::MAX));
        assert_eq!(Day::from_unix_seconds(253_402_300_800), Err(Error::Time(253_402_300_800)));
    }

    #[test]
    fn prvs_window_holds_exactly_the_ages_from_minus_one_to_days() {
        for signed in 20_000..21_000 {
            for age in -10..=998_i64 {
                let today = day(u32::try_from(i64::from(signed) + age).unwrap());
                let implied = implied_by_prvs((signed + 7) % 1000, 7, today);
                assert_eq!(implied.in_date, (-1..=7).contains(&age), "{signed} {age}");
                if age >= -1 {
                    assert_eq!(implied.signed, day(signed), "{signed} {age}");
                }
            }
        }
    }

    #[test]
    fn no_tag_of_any_life_is_over_by_its_number_before_grace_and_a_day_are() {
        for (days, grace) in [(1, 0), (7, 7), (10, 7), (99, 0), (99, 99)] {
            for signed in 20_000..21_000 {
                // From the day before, by a clock that is late, to the day after the last, by one that is ahead.
                for today in signed - 1..=signed + days + grace + 1 {
                    assert!(!is_over_by_prvs((signed + days) % 1000, 99, grace, day(today)), "{signed} {today}");
                    assert!(!is_over(day(signed), 99, grace, day(today)), "{signed} {today}");
                }
            }
        }
    }

    #[test]
    fn a_prvs_number_is_over_from_grace_and_two_days_on_until_it_may_be_the_next_one() {
        let over = |ago: u32| is_over_by_prvs(778, 99, 7, day(20_778 + ago));
        assert_eq!(
            (0..2000).filter(|&ago| over(ago)).collect::<Vec<_>>(),
            (9..900).chain(1009..1900).collect::<Vec<_>>()
        );
        let over = |age: u32| is_over(day(20_778), 99, 7, day(20_778 + age));
        assert_eq!((0..2000).find(|&age| over(age)), Some(108));
        let ahead = |days: u32| is_over(day(20_778 + days), 99, 7, day(20_778));
        assert_eq!((0..2000).find(|&days| ahead(days)), Some(2));
    }

    #[test]
    fn an_srs_stamp_is_over_from_its_longest_life_and_two_days_on_until_it_may_be_tomorrows() {
        let over = |age: u32| is_over_by_srs(20_778 % 1024, 500, day(20_778 + age));
        assert_eq!((0..1024).filter(|&age| over(age)).collect::<Vec<_>>(), (502..1023).collect::<Vec<_>>());
    }

    #[test]
    fn srs_window_holds_exactly_the_ages_from_minus_one_to_days() {
        for signed in [20_000, 20_479, 20_480, 20_481] {
            for age in -10..=1022_i64 {
                let today = day(u32::try_from(i64::from(signed) + age).unwrap());
                let implied = implied_by_srs(signed % 1024, 21, today);
                assert_eq!(implied.in_date, (-1..=21).contains(&age), "{signed} {age}");
                if age >= -1 {
                    assert_eq!(implied.signed, day(signed), "{signed} {age}");
                }
            }
        }
    }

    #[test]
    fn the_calendars_first_days_are_days_as_all_others() {
        for (stamp, number) in [(1023, 0), (5, 3), (1022, 1000)] {
            let implied = implied_by_srs(stamp, 21, day(number));
            // What was signed before the calendar is taken as its first day, and is old.
            let age = (number + 1024 - stamp) % 1024;
            assert_eq!((implied.signed, implied.in_date), (day(number.saturating_sub(age)), age <= 21), "{stamp}");
            assert_eq!(is_over_by_srs(stamp, 500, day(number)), (502..1023).contains(&age), "{stamp}");
        }
    }
}
