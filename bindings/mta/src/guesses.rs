//! Who guesses tags, and how often each tag was used: counted in bounded memory, kept over reloads, lost with the process.
//!
//! A client with more forged tags an hour than the limit allows is sent away with 421 for an hour; a genuine bounce of
//! such a client comes later, none is lost. An IPv6 client is its /64. Replays are not refused, since a mail may have
//! several genuine bounces: the log shows the number of uses.
//!
//! Each table has two generations of [`GENERATION`] entries. A full young one becomes the old one, and the old one goes:
//! whoever floods the table with addresses makes it forget what was quiet the longest.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many entries a generation has: a table stays below some 2 MB.
pub const GENERATION: usize = 16_384;
/// The window of counting, and how long a client is sent away, in seconds.
pub const HOUR: u64 = 3600;
/// What a client is told that guesses.
pub const REPLY: &str = "421 4.7.0 Too many forged return addresses from your host; try again in an hour";

/// Both tables.
#[derive(Debug, Default)]
pub struct Guesses {
    clients: Mutex<Generations<IpAddr, Hour>>,
    tags: Mutex<Generations<u64, u32>>,
    hasher: RandomState,
}

/// What a client did since a moment.
#[derive(Debug, Clone, Copy, Default)]
struct Hour {
    since: u64,
    forged: u32,
    away_until: u64,
}

impl Guesses {
    /// Counts a forged tag, if it is one, and says whether the client is to be sent away now.
    pub fn is_away(&self, client: IpAddr, forged: bool, limit: u32, seconds: u64) -> bool {
        let mut clients = lock(&self.clients);
        let client = network(client);
        let mut hour = match clients.get(&client) {
            Some(hour) => hour,
            None if forged => Hour { since: seconds, ..Hour::default() },
            None => return false,
        };
        // A clock that was ahead and is set back would keep the client away for the whole difference.
        if seconds < hour.since {
            hour = Hour { since: seconds, ..Hour::default() };
        }
        if seconds.saturating_sub(hour.since) >= HOUR {
            hour = Hour { since: seconds, away_until: hour.away_until, forged: 0 };
        }
        hour.forged = hour.forged.saturating_add(u32::from(forged));
        if hour.forged > limit && hour.away_until <= seconds {
            hour = Hour { since: seconds, forged: 0, away_until: seconds + HOUR };
        }
        clients.put(client, hour);
        seconds < hour.away_until
    }

    /// Counts a use of a tag with a right MAC, and says how many there were.
    pub fn count_use(&self, tagged: &[u8]) -> u32 {
        let key = self.hasher.hash_one(tagged.to_ascii_lowercase());
        let mut tags = lock(&self.tags);
        let uses = tags.get(&key).unwrap_or(0).saturating_add(1);
        tags.put(key, uses);
        uses
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The client as it is counted.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
    }
}

/// A map that forgets what was not touched for long.
#[derive(Debug)]
struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K, V> Default for Generations<K, V> {
    fn default() -> Self {
        Generations { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<K: Eq + Hash, V: Copy> Generations<K, V> {
    fn get(&self, key: &K) -> Option<V> {
        self.young.get(key).or_else(|| self.old.get(key)).copied()
    }

    fn put(&mut self, key: K, value: V) {
        if self.young.len() >= GENERATION && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn one_more_than_the_limit_sends_the_client_away_for_an_hour() {
        let guesses = Guesses::default();
        assert!((0..3).all(|second| !guesses.is_away(CLIENT, true, 3, second)));
        assert!(!guesses.is_away(CLIENT, false, 3, 3));
        assert!(guesses.is_away(CLIENT, true, 3, 4));
        assert!(guesses.is_away(CLIENT, false, 3, 4 + HOUR - 1));
        assert!(!guesses.is_away(CLIENT, false, 3, 4 + HOUR));
    }

    #[test]
    fn a_clock_that_is_set_back_lets_the_client_return_and_counting_begin_anew() {
        let guesses = Guesses::default();
        let ahead = 100 * HOUR;
        assert!((0..4).all(|_| !guesses.is_away(CLIENT, true, 4, ahead)));
        assert!(guesses.is_away(CLIENT, true, 4, ahead));
        assert!((0..4).all(|second| !guesses.is_away(CLIENT, true, 4, second)));
        assert!(guesses.is_away(CLIENT, true, 4, 4));
        assert!(!guesses.is_away(CLIENT, false, 4, 4 + HOUR));
    }

    #[test]
    fn guesses_of_an_hour_ago_no_longer_count() {
        let guesses = Guesses::default();
        for hour in 0..5 {
            assert!((0..3).all(|_| !guesses.is_away(CLIENT, true, 3, hour * HOUR)));
        }
    }

    #[test]
    fn an_ipv6_client_is_its_network_and_a_mapped_ipv4_client_itself() {
        let guesses = Guesses::default();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(!guesses.is_away(ip("2001:db8::1"), true, 1, 0));
        assert!(guesses.is_away(ip("2001:db8::2"), true, 1, 0));
        assert!(!guesses.is_away(ip("2001:db8:0:1::2"), true, 1, 0));
        assert!(!guesses.is_away(ip("::ffff:192.0.2.1"), true, 1, 0));
        assert!(guesses.is_away(CLIENT, true, 1, 0));
    }

    #[test]
    fn uses_of_a_tag_are_counted_in_any_case() {
        let guesses = Guesses::default();
        assert_eq!([&b"a@b"[..], b"A@b", b"c@b"].map(|tagged| guesses.count_use(tagged)), [1, 2, 1]);
    }

    #[test]
    fn the_tables_stay_bounded_and_keep_what_is_touched() {
        let guesses = Guesses::default();
        for number in 0..10 * u32::try_from(GENERATION).unwrap() {
            guesses.is_away(IpAddr::V4(number.into()), true, 1_000_000, 0);
            guesses.count_use(&number.to_be_bytes());
            guesses.count_use(b"often");
        }
        let clients = lock(&guesses.clients);
        assert!(clients.young.len() <= GENERATION && clients.old.len() <= GENERATION);
        drop(clients);
        assert_eq!(guesses.count_use(b"often"), 10 * u32::try_from(GENERATION).unwrap() + 1);
    }
}
