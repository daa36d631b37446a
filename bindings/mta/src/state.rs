//! What all faces share: the snapshot in force, the clock and the log.
//!
//! A [`Snapshot`] never changes. A reload makes a new one, whole, and swaps it; whoever holds the old one (a session, a
//! request) goes on with it to its end.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use backstop::KeyRing;

use crate::clock::Clock;
use crate::config::Config;
use crate::event::Event;
use crate::guesses::Guesses;
use crate::log::Log;
use crate::metrics::Metrics;

/// Configuration and key ring, read and checked together.
#[derive(Debug)]
pub struct Snapshot {
    /// The configuration.
    pub config: Config,
    /// The key ring that it names.
    pub ring: KeyRing,
}

/// What lives as long as the daemon.
#[derive(Debug)]
pub struct State {
    current: RwLock<Arc<Snapshot>>,
    /// The time.
    pub clock: Clock,
    /// The log.
    pub log: Log,
    /// Who guesses.
    pub guesses: Guesses,
    /// What was counted.
    pub metrics: Metrics,
    /// Octets of the messages that are kept to be judged.
    pub messages: AtomicUsize,
    connections: AtomicU64,
}

impl State {
    /// Begins with this snapshot.
    pub fn new(snapshot: Snapshot, clock: Clock, log: Log) -> State {
        let metrics = Metrics::new(clock.now());
        State {
            current: RwLock::new(Arc::new(snapshot)),
            clock,
            log,
            guesses: Guesses::default(),
            metrics,
            messages: AtomicUsize::new(0),
            connections: AtomicU64::new(0),
        }
    }

    /// The snapshot in force now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        // Nothing panics while it holds the lock, and an Arc is never half written.
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another snapshot in force.
    pub fn swap(&self, snapshot: Snapshot) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }

    /// A name for a connection that no other one has, after a restart neither: the second in hexadecimal, and a number.
    pub fn connection_name(&self) -> String {
        let seconds = self.clock.now().map_or(0, |now| now.seconds);
        format!("{seconds:x}.{}", self.connections.fetch_add(1, Ordering::Relaxed))
    }

    /// Takes note of a decision that was carried out.
    pub fn record(&self, snapshot: &Snapshot, event: &Event<'_>) {
        self.metrics.count(event);
        let settings = &snapshot.config.log;
        if settings.all_events || event.is_notable() {
            self.log.line(event.to_line(settings));
        }
    }
}
