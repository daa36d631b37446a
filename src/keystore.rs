//! A key file that changes while a host runs for weeks: when to look at it, and whether it is another one.
//!
//! A [`Watch`] holds no ring, since hosts differ in how they exchange one under their threads: the C library without a
//! lock, Python under its own. The host keeps the ring, the [`Seen`] that came with it, and why a newer file cannot be
//! used; a bad file leaves the ring as it is. So does a ring without any key: it is rather a file that was cut off while
//! it was copied than the wish that all mail leaves unsigned. A look is one `stat`, once a second of the monotonic clock
//! for all threads together; only a changed file is read, and one that could not be used is read again at each look, since
//! the reason (no free descriptor, a disk in trouble) may pass without a change of the file.
//!
//! Files are told apart by device, inode, size and times, on systems that are no Unix by size and time of change.
//!
//! ```
//! use backstop::keystore::Watch;
//! # use backstop::{KeyRing, keyfile};
//! # let folder = std::env::temp_dir().join(format!("backstop-doc-watch-{}", std::process::id()));
//! # std::fs::create_dir(&folder).unwrap();
//! # let path = folder.join("keys");
//! # keyfile::create(&path, &KeyRing::parse(b"version 1\nprvs 0 sha1 7 - - * text:an example\n")?, None)?;
//! let (watch, mut ring, mut seen) = Watch::open(&path)?;
//! let mut told = None;
//! // For every mail:
//! if watch.is_due()
//!     && let Some((now, read)) = watch.read_if_changed(&seen)
//! {
//!     seen = now;
//!     match read {
//!         Ok(new) => (ring, told) = (new, None),
//!         // The same at every look, until the file is mended.
//!         Err(error) if told.as_ref() == Some(&error) => {}
//!         Err(error) => {
//!             eprintln!("{error}; the keys that were read before stay in use");
//!             told = Some(error);
//!         }
//!     }
//! }
//! # assert_eq!((ring.keys().len(), told), (1, None));
//! # assert!(watch.read_if_changed(&seen).is_none());
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok::<(), backstop::Error>(())
//! ```

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::key::KeyRing;
use crate::keyfile::{self, Trust};

/// How long a look at the file lasts.
pub const PAUSE: Duration = Duration::from_secs(1);

/// A key file that is looked at again and again, by any number of threads.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    opened: Instant,
    /// When the next look is due, in milliseconds since `opened`.
    due: AtomicU64,
}

/// What tells one state of a key file from another.
///
/// Nothing but empty marks for a file that is not there; `None` for one that could not be used, which no file is seen as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen(Option<Vec<i128>>);

impl Watch {
    /// Reads the ring in a file, as [`keyfile::load`] with [`Trust::Private`] does, and watches the file from now on, also
    /// if the process changes its folder.
    ///
    /// # Errors
    /// Those of [`keyfile::load`]; [`Error::File`] if the ring has no key.
    pub fn open(path: impl Into<PathBuf>) -> Result<(Watch, KeyRing, Seen), Error> {
        let due = AtomicU64::new(milliseconds(PAUSE));
        let path = path.into();
        let path = std::path::absolute(&path).unwrap_or(path);
        let watch = Watch { path, opened: Instant::now(), due };
        let (seen, ring) = watch.read();
        Ok((watch, ring?, seen))
    }

    /// Whether a look is due and this caller is the one to look; the next is due [`PAUSE`] later.
    pub fn is_due(&self) -> bool {
        let now = milliseconds(self.opened.elapsed());
        let due = self.due.load(Ordering::Relaxed);
        let next = now.saturating_add(milliseconds(PAUSE));
        now >= due && self.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Reads the file if it is another one than it was, or could not be used; with what it was seen as before it was read.
    pub fn read_if_changed(&self, seen: &Seen) -> Option<(Seen, Result<KeyRing, Error>)> {
        let now = Seen::at(&self.path);
        (now != *seen).then(|| self.read_as(now))
    }

    /// Reads the file in any case.
    pub fn read(&self) -> (Seen, Result<KeyRing, Error>) {
        self.read_as(Seen::at(&self.path))
    }

    fn read_as(&self, now: Seen) -> (Seen, Result<KeyRing, Error>) {
        match self.load() {
            Ok(ring) => (now, Ok(ring)),
            // One that is not there can only be used when it is seen to have come back.
            Err(error) => (Seen(now.0.filter(Vec::is_empty)), Err(error)),
        }
    }

    fn load(&self) -> Result<KeyRing, Error> {
        let ring = keyfile::load(&self.path, Trust::Private)?.ring;
        if ring.keys().is_empty() {
            let message = "has no key; copy the whole ring, or add a key with `backstop key add`".to_owned();
            return Err(Error::File { path: self.path.display().to_string(), message });
        }
        Ok(ring)
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Seen {
    /// The state of a file now, which may be any file.
    pub fn at(path: &Path) -> Seen {
        Seen(Some(fs::metadata(path).map_or_else(|_| Vec::new(), |metadata| marks(&metadata))))
    }
}

#[cfg(unix)]
fn marks(metadata: &Metadata) -> Vec<i128> {
    use std::os::unix::fs::MetadataExt;
    let (device, inode, size) = (metadata.dev().into(), metadata.ino().into(), metadata.len().into());
    let times = [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()].map(i128::from);
    [device, inode, size].into_iter().chain(times).collect()
}

#[cfg(not(unix))]
fn marks(metadata: &Metadata) -> Vec<i128> {
    let time = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    vec![metadata.len().into(), time.map_or(0, |time| time.as_nanos().cast_signed())]
}
