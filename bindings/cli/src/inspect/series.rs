//! Messages over time, and bursts in them, in bounded memory.
//!
//! Time is cut into hours. When more than [`MAX_STEPS`] hours have messages, or [`MAX_MAILBOX_STEPS`] of one mailbox,
//! steps become twice as long. A burst is a row of steps of which each has at least as many messages an hour as the caller
//! says, and four times the usual number: the median of all steps from the first to the last message, at least a day's.
//! In steps of several hours the mean of an hour counts, so that a burst in one of them alone may be missed and none is
//! made up; whoever tells of it names the step.

use std::collections::{BTreeMap, HashMap};

use time::OffsetDateTime;

/// Steps that are held.
pub(crate) const MAX_STEPS: usize = 4096;
/// Mailboxes of which a series is held, and the steps of each.
const MAX_MAILBOXES: usize = 1024;
const MAX_MAILBOX_STEPS: usize = 256;
pub(crate) const HOUR: i64 = 3600;
/// Steps of a day.
const DAY: usize = 24;
/// How much more than usual a burst is.
const FACTOR: u64 = 4;
/// The last second that has a date of four digits.
const MAX_SECONDS: i64 = 253_402_300_799;

/// What is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Genuine,
    /// Backscatter and forged.
    Misuse,
    /// Unproven and expired.
    Unproven,
    /// Ordinary mail.
    Other,
}

impl Class {
    pub(crate) const ALL: [Class; 4] = [Class::Genuine, Class::Misuse, Class::Unproven, Class::Other];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Class::Genuine => "genuine",
            Class::Misuse => "backscatter or forged",
            Class::Unproven => "unproven or expired",
            Class::Other => "not a bounce",
        }
    }
}

/// The messages of one step, by class.
pub(crate) type Step = [u64; 4];

/// Messages by time.
#[derive(Debug)]
pub(crate) struct Series {
    /// Seconds of a step.
    pub(crate) width: i64,
    pub(crate) steps: BTreeMap<i64, Step>,
    most: usize,
}

impl Series {
    fn new(most: usize) -> Series {
        Series { width: HOUR, steps: BTreeMap::new(), most }
    }

    fn add(&mut self, seconds: i64, class: Class) {
        let step = seconds.clamp(0, MAX_SECONDS).div_euclid(self.width);
        if let Some(count) = self.steps.entry(step).or_default().get_mut(class as usize) {
            *count += 1;
        }
        while self.steps.len() > self.most {
            self.width *= 2;
            let mut wider: BTreeMap<i64, Step> = BTreeMap::new();
            for (step, counts) in std::mem::take(&mut self.steps) {
                let sum = wider.entry(step.div_euclid(2)).or_default();
                sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
            self.steps = wider;
        }
    }

    fn bursts(&self, class: Class, least: u64) -> Vec<Burst> {
        let count = |step: &Step| step.get(class as usize).copied().unwrap_or_default();
        let mut counts: Vec<u64> = self.steps.values().map(count).filter(|count| *count > 0).collect();
        let ends = self.steps.keys().next().zip(self.steps.keys().next_back());
        let span = ends.and_then(|(first, last)| usize::try_from(last - first + 1).ok()).unwrap_or_default().max(DAY);
        counts.sort_unstable_by(|a, b| b.cmp(a));
        // Steps without messages count as none.
        let usual = counts.get(span / 2).copied().unwrap_or_default();
        let least = least.saturating_mul(u64::try_from(self.width / HOUR).unwrap_or(u64::MAX));
        let mut bursts: Vec<Burst> = Vec::new();
        let mut last = None;
        for (step, counts) in &self.steps {
            let count = count(counts);
            if count < least.max(usual.saturating_mul(FACTOR)) {
                continue;
            }
            let (from, to) = (step * self.width, (step + 1) * self.width);
            match bursts.last_mut().filter(|_| last == Some(step - 1)) {
                Some(burst) => (burst.to, burst.count) = (to, burst.count + count),
                None => bursts.push(Burst { from, to, count, usual, width: self.width }),
            }
            last = Some(*step);
        }
        bursts
    }
}

/// A row of steps with many messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Burst {
    /// Unix seconds; `to` is behind the last.
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) count: u64,
    /// The median of a step.
    pub(crate) usual: u64,
    /// Seconds of a step.
    pub(crate) width: i64,
}

/// All messages by time, and the genuine bounces of each mailbox.
#[derive(Debug)]
pub(crate) struct Times {
    pub(crate) all: Series,
    mailboxes: HashMap<String, Series>,
    /// Messages that tell no time.
    pub(crate) undated: u64,
}

impl Times {
    pub(crate) fn new() -> Times {
        Times { all: Series::new(MAX_STEPS), mailboxes: HashMap::new(), undated: 0 }
    }

    /// Counts a message; `bounced` is the mailbox of a genuine bounce.
    pub(crate) fn add(&mut self, seconds: Option<i64>, class: Class, bounced: Option<&str>) {
        let Some(seconds) = seconds else {
            self.undated += 1;
            return;
        };
        self.all.add(seconds, class);
        let Some(mailbox) = bounced else { return };
        if self.mailboxes.len() >= MAX_MAILBOXES && !self.mailboxes.contains_key(mailbox) {
            // Those with the fewest bounces go.
            let total = |series: &Series| series.steps.values().flatten().sum::<u64>();
            let mut totals: Vec<u64> = self.mailboxes.values().map(total).collect();
            totals.sort_unstable();
            let median = totals.get(MAX_MAILBOXES / 2).copied().unwrap_or_default();
            self.mailboxes.retain(|_, series| total(series) > median);
        }
        self.mailboxes.entry(mailbox.to_owned()).or_insert_with(|| Series::new(MAX_MAILBOX_STEPS)).add(seconds, class);
    }

    /// The longest step, in seconds.
    pub(crate) fn widest(&self) -> i64 {
        self.mailboxes.values().map(|series| series.width).fold(self.all.width, i64::max)
    }

    /// Bursts of a class.
    pub(crate) fn bursts(&self, class: Class, least: u64) -> Vec<Burst> {
        self.all.bursts(class, least)
    }

    /// Bursts of genuine bounces to one mailbox: somebody may send with a stolen account. The largest first.
    pub(crate) fn stolen(&self, least: u64) -> Vec<(&str, Burst)> {
        let mut found: Vec<(&str, Burst)> = Vec::new();
        for (mailbox, series) in &self.mailboxes {
            found.extend(series.bursts(Class::Genuine, least).into_iter().map(|burst| (mailbox.as_str(), burst)));
        }
        found.sort_unstable_by(|(one, a), (other, b)| (b.count, one, a.from).cmp(&(a.count, other, b.from)));
        found
    }
}

/// `one hour`, `16 hours`.
pub(crate) fn hours(seconds: i64) -> String {
    match seconds / HOUR {
        1 => "one hour".to_owned(),
        hours => format!("{hours} hours"),
    }
}

/// `2026-11-20 10:00`, UTC.
pub(crate) fn stamp(seconds: i64) -> String {
    let Ok(time) = OffsetDateTime::from_unix_timestamp(seconds) else { return "-".to_owned() };
    let (year, month, day) = time.to_calendar_date();
    format!("{year}-{:02}-{day:02} {:02}:{:02}", u8::from(month), time.hour(), time.minute())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_176_000;

    fn hourly(counts: &[u64]) -> Series {
        let mut series = Series::new(MAX_STEPS);
        for (hour, count) in counts.iter().enumerate() {
            (0..*count).for_each(|_| series.add(NOON + HOUR * i64::try_from(hour).unwrap(), Class::Genuine));
        }
        series
    }

    #[test]
    fn many_in_an_hour_are_a_burst_and_as_many_in_each_hour_are_none() {
        let bursts = hourly(&[0, 1, 12, 40, 1]).bursts(Class::Genuine, 10);
        assert_eq!(bursts, [Burst { from: NOON + 2 * HOUR, to: NOON + 4 * HOUR, count: 52, usual: 0, width: HOUR }]);
        assert_eq!(hourly(&[20; 24]).bursts(Class::Genuine, 10), []);
        let mut day = [20; 48];
        day[30] = 80;
        assert_eq!(hourly(&day).bursts(Class::Genuine, 10).len(), 1);
        assert_eq!(hourly(&[9]).bursts(Class::Genuine, 10), []);
        assert_eq!(hourly(&[50]).bursts(Class::Misuse, 10), []);
    }

    #[test]
    fn few_in_each_hour_are_no_burst_however_wide_the_steps_are() {
        let mut times = Times::new();
        let mut add = |hour: i64| times.add(Some(NOON + hour * HOUR), Class::Genuine, Some("alice@example.com"));
        // One every 16 hours, so that steps widen, and then one an hour.
        (0..257).for_each(|step| add(step * 16));
        (257 * 16..258 * 16).for_each(&mut add);
        assert_eq!(times.stolen(10), []);
        (0..400).for_each(|_| times.add(Some(NOON), Class::Genuine, Some("alice@example.com")));
        let stolen = times.stolen(10);
        assert_eq!(stolen.len(), 1);
        let (_, burst) = stolen[0];
        assert_eq!((burst.width, burst.to - burst.from), (32 * HOUR, 32 * HOUR));
        assert_eq!(hourly(&[0, 6, 6, 0]).bursts(Class::Genuine, 10), []);
    }

    #[test]
    fn steps_widen_so_that_any_span_fits() {
        let mut series = Series::new(MAX_STEPS);
        (0..20_000).for_each(|step| series.add(step * HOUR, Class::Other));
        series.add(i64::MAX, Class::Other);
        series.add(i64::MIN, Class::Other);
        assert!(series.steps.len() <= MAX_STEPS && series.width == 8 * HOUR);
        assert_eq!(series.steps.values().flatten().sum::<u64>(), 20_002);
    }

    #[test]
    fn a_mailbox_with_many_bounces_stays_among_any_number() {
        let mut times = Times::new();
        for number in 0..20_000 {
            times.add(Some(NOON), Class::Genuine, Some(&format!("user{number}@example.com")));
            if number % 100 == 0 {
                times.add(Some(NOON), Class::Genuine, Some("alice@example.com"));
            }
        }
        let stolen = times.stolen(10);
        assert_eq!(stolen.iter().map(|(mailbox, _)| *mailbox).collect::<Vec<_>>(), ["alice@example.com"]);
        assert!(times.mailboxes.len() <= MAX_MAILBOXES);
        times.add(None, Class::Other, None);
        assert_eq!(times.undated, 1);
    }
}
