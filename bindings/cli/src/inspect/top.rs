//! The most frequent of any number of keys, in bounded memory.
//!
//! At most [`MAX_KEYS`] keys are held; when there are more, the rarer half goes, and what it counted is kept as one number.
//! A key that went and comes again begins anew, so its count is then too low, never too high.

use std::collections::HashMap;

/// Keys that are held.
pub(crate) const MAX_KEYS: usize = 8192;
/// Characters of a key.
const MAX_KEY: usize = 200;

/// How often a key came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) all: u64,
    /// Those of them that are backscatter or forged.
    pub(crate) misuse: u64,
}

/// Counts keys.
#[derive(Debug, Default)]
pub(crate) struct Top {
    counts: HashMap<String, Count>,
    /// What was counted of keys that went.
    pub(crate) dropped: u64,
}

impl Top {
    pub(crate) fn add(&mut self, key: &str, is_misuse: bool) {
        let count = match self.counts.get_mut(key) {
            Some(count) => count,
            None => {
                if self.counts.len() >= MAX_KEYS {
                    self.thin();
                }
                self.counts.entry(key.chars().take(MAX_KEY).collect()).or_default()
            }
        };
        count.all += 1;
        count.misuse += u64::from(is_misuse);
    }

    fn thin(&mut self) {
        let ranked = self.ranked();
        let rare: Vec<String> = ranked.iter().skip(MAX_KEYS / 2).map(|(key, _)| (*key).to_owned()).collect();
        for key in rare {
            self.dropped += self.counts.remove(&key).map_or(0, |count| count.all);
        }
    }

    /// All keys that are held, the most frequent first.
    pub(crate) fn ranked(&self) -> Vec<(&str, Count)> {
        let mut ranked: Vec<(&str, Count)> = self.counts.iter().map(|(key, count)| (key.as_str(), *count)).collect();
        ranked.sort_unstable_by(|(one, a), (other, b)| (b.misuse, b.all, one).cmp(&(a.misuse, a.all, other)));
        ranked
    }

    /// How often a key came, as far as it is held.
    pub(crate) fn count(&self, key: &str) -> u64 {
        self.counts.get(key).map_or(0, |count| count.all)
    }

    /// How many keys are held.
    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frequent_stay_among_any_number_of_rare_ones() {
        let mut top = Top::default();
        for number in 0..100_000 {
            top.add(&format!("once {number}"), false);
            if number % 100 == 0 {
                top.add("often", true);
            }
        }
        assert_eq!(top.ranked()[0], ("often", Count { all: 1000, misuse: 1000 }));
        assert!(top.len() <= MAX_KEYS && top.dropped > 90_000);
        let all: u64 = top.ranked().iter().map(|(_, count)| count.all).sum();
        assert_eq!(all + top.dropped, 101_000);
    }

    #[test]
    fn a_long_key_is_cut_and_counts_on() {
        let mut top = Top::default();
        let long = "ü".repeat(1000);
        top.add(&long, false);
        top.add(&long, false);
        assert_eq!(top.ranked(), [("ü".repeat(MAX_KEY).as_str(), Count { all: 2, misuse: 0 })]);
    }
}
