//! What comes most often, in bounded memory.
//!
//! A table of [`CAPACITY`] entries. When it is full, the lower half goes; each such pruning can lose at most the count that
//! it cut at, so every count is at most `lost` too low, and whatever came more often than that is in the table.

use std::collections::HashMap;
use std::hash::Hash;

/// The most entries of a table.
pub const CAPACITY: usize = 10_000;

/// Counts by key.
#[derive(Debug)]
pub struct Top<K> {
    counts: HashMap<K, u64>,
    lost: u64,
}

impl<K> Default for Top<K> {
    fn default() -> Self {
        Top { counts: HashMap::new(), lost: 0 }
    }
}

impl<K: Eq + Hash + Ord + Clone> Top<K> {
    /// Counts one more.
    pub fn add(&mut self, key: K) {
        self.make_room(&key);
        *self.counts.entry(key).or_default() += 1;
    }

    /// Notes that a key reached this number.
    pub fn raise(&mut self, key: K, number: u64) {
        self.make_room(&key);
        let highest = self.counts.entry(key).or_default();
        *highest = number.max(*highest);
    }

    /// The count of a key.
    pub fn get(&self, key: &K) -> u64 {
        self.counts.get(key).copied().unwrap_or_default()
    }

    /// The most frequent of those that fit, the most frequent first, the rest in the order of the keys.
    pub fn most(&self, number: usize, fits: impl Fn(&K) -> bool) -> Vec<(K, u64)> {
        let mut all: Vec<(&K, u64)> =
            self.counts.iter().filter(|(key, _)| fits(key)).map(|(key, count)| (key, *count)).collect();
        all.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(right.0)));
        all.into_iter().take(number).map(|(key, count)| (key.clone(), count)).collect()
    }

    /// By how much a count may be too low.
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    fn make_room(&mut self, key: &K) {
        if self.counts.len() < CAPACITY || self.counts.contains_key(key) {
            return;
        }
        let mut all: Vec<u64> = self.counts.values().copied().collect();
        let (_, median, _) = all.select_nth_unstable(CAPACITY / 2);
        let cut = *median;
        self.counts.retain(|_, count| *count > cut);
        self.lost += cut;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_often_is_found_among_ten_times_the_capacity() {
        let (mut top, mut often) = (Top::default(), 0);
        for number in 0..10 * CAPACITY {
            top.add(format!("{number}"));
            if number % 10 == 0 {
                top.add("often".to_owned());
                often += 1;
            }
            assert!(top.counts.len() <= CAPACITY);
        }
        let most = top.most(1, |_| true);
        assert_eq!(most[0].0, "often");
        assert!(most[0].1 <= often && most[0].1 + top.lost() >= often, "{most:?} {}", top.lost());
    }

    #[test]
    fn equal_counts_come_in_the_order_of_their_keys() {
        let mut top = Top::default();
        ["b", "a", "c", "c"].into_iter().for_each(|key| top.add(key));
        assert_eq!(top.most(9, |_| true), [("c", 2), ("a", 1), ("b", 1)]);
        top.raise("a", 7);
        top.raise("a", 3);
        assert_eq!(top.most(1, |key| *key != "c"), [("a", 7)]);
    }
}
