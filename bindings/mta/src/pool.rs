//! The connections of one listener: how many there are, and which goes when there are too many.
//!
//! A full pool does not turn newcomers away, since silent peers could then keep everyone else out. The connection whose
//! last answer lies furthest back goes instead; a mail server that loses an idle connection opens another. Descriptors are
//! of all listeners together, so where those lack, the idlest of a [`Crowd`] goes: one face's silent peers must not keep
//! another face from accepting.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

/// The connections of one listener.
#[derive(Debug, Clone)]
pub struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    born: Instant,
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    next: u64,
    /// When each was last answered, in microseconds since the pool began, and how to end it.
    all: HashMap<u64, (Arc<AtomicU64>, Option<AbortHandle>)>,
}

/// The pools of all listeners, those included that no longer listen.
#[derive(Debug, Clone, Default)]
pub struct Crowd(Arc<Mutex<Vec<Weak<Shared>>>>);

impl Crowd {
    /// Another pool of it.
    pub fn pool(&self) -> Pool {
        let pool = Pool::new();
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(&pool.0));
        pool
    }

    /// Ends the connection that was last answered longest ago, whoever's it is; false if there is none.
    pub fn evict(&self) -> bool {
        let pools: Vec<Pool> = {
            let pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            pools.iter().filter_map(Weak::upgrade).map(Pool).collect()
        };
        let idlest = pools.iter().filter_map(|pool| Some((pool.idlest()?, pool))).min_by_key(|(since, _)| *since);
        idlest.is_some_and(|(_, pool)| pool.evict())
    }
}

/// A place in a pool; dropping it gives it back.
#[derive(Debug)]
pub struct Seat {
    pool: Pool,
    id: u64,
    answered: Arc<AtomicU64>,
}

impl Pool {
    /// An empty one.
    pub fn new() -> Pool {
        Pool(Arc::new(Shared { born: Instant::now(), members: Mutex::new(Members::default()) }))
    }

    /// Makes room for one more of at most `most`, and seats it. Whether another connection went for it comes second.
    pub fn seat(&self, most: usize) -> (Seat, bool) {
        let evicted = self.len() >= most && self.evict();
        let answered = Arc::new(AtomicU64::new(self.since(Instant::now())));
        let mut members = self.members();
        let id = members.next;
        members.next += 1;
        members.all.insert(id, (Arc::clone(&answered), None));
        drop(members);
        (Seat { pool: self.clone(), id, answered }, evicted)
    }

    /// Says how the connection of a seat is ended.
    pub fn set_handle(&self, id: u64, handle: AbortHandle) {
        // It may have ended already.
        if let Some(member) = self.members().all.get_mut(&id) {
            member.1 = Some(handle);
        }
    }

    /// Ends the connection that was last answered longest ago; false if there is none.
    pub fn evict(&self) -> bool {
        let mut members = self.members();
        let oldest = members.all.iter().min_by_key(|(id, (answered, _))| (answered.load(Ordering::Relaxed), **id));
        let Some(id) = oldest.map(|(id, _)| *id) else { return false };
        let handle = members.all.remove(&id).and_then(|(_, handle)| handle);
        drop(members);
        handle.inspect(AbortHandle::abort).is_some()
    }

    /// When the connection was answered that [`Pool::evict`] would end.
    fn idlest(&self) -> Option<Instant> {
        let oldest = self.members().all.values().map(|(answered, _)| answered.load(Ordering::Relaxed)).min()?;
        self.0.born.checked_add(Duration::from_micros(oldest))
    }

    /// Ends all.
    pub fn abort_all(&self) {
        let all = std::mem::take(&mut self.members().all);
        all.into_values().filter_map(|(_, handle)| handle).for_each(|handle| handle.abort());
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.members().all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        // Nothing panics while it holds the lock.
        self.0.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn since(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.0.born).as_micros()).unwrap_or(u64::MAX)
    }
}

impl Default for Pool {
    fn default() -> Pool {
        Pool::new()
    }
}

impl Seat {
    /// Its number, for [`Pool::set_handle`].
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Notes that a request was answered now.
    pub fn touch(&self, now: Instant) {
        self.answered.store(self.pool.since(now), Ordering::Relaxed);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.pool.members().all.remove(&self.id);
    }
}
