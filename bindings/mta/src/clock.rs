//! The time, asked in one place, so that a test can walk forty days in a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use backstop::Day;

/// Where the time comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system.
    System,
    /// A test: unix seconds that it sets.
    Set(Arc<AtomicU64>),
}

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Unix seconds.
    pub seconds: u64,
    /// The day, UTC.
    pub day: Day,
}

impl Clock {
    /// The moment now; `None` while the clock shows no time between 1970 and 9999.
    pub fn now(&self) -> Option<Now> {
        let seconds = match self {
            Clock::System => SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs(),
            Clock::Set(seconds) => seconds.load(Ordering::Relaxed),
        };
        let day = Day::from_unix_seconds(i64::try_from(seconds).ok()?).ok()?;
        Some(Now { seconds, day })
    }
}
