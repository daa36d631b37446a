//! Where the lines go: standard error or a file, written by a thread of its own.
//!
//! A slow disk or a reader that sleeps must not hold up mail: lines wait in a queue of [`QUEUE`], which take [`MAX_WAITING`]
//! octets at most; what finds it full is dropped, and how many were is told when there is room again; so it is where writing
//! fails. SIGUSR1 opens the file anew, as logrotate wants, and so does a reload. Nobody who hands over a line or another file
//! waits: while the log is stalled the other file waits, too, and of several the last one counts. A FIFO passes as a file if
//! somebody reads it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backstop::keyfile;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, FcntlArg, OFlag, fcntl};
use nix::unistd::{AccessFlags, faccessat};

use crate::clock::Clock;
use crate::config::LogSettings;
use crate::event;
use crate::stop::{Exit, Stop};

/// How many lines wait at most.
pub const QUEUE: usize = 16_384;
/// How many octets they take at most.
pub const MAX_WAITING: usize = 16 * 1024 * 1024;

/// How long the first line waits for others.
const NAP: Duration = Duration::from_millis(20);

/// What the thread is told.
enum Message {
    Line(String),
    /// To answer when all before it is written.
    Flush(SyncSender<()>),
}

#[derive(Debug)]
enum Target {
    Stderr,
    File(File),
}

/// The way to the log.
#[derive(Debug, Clone)]
pub struct Log {
    queue: SyncSender<Message>,
    shared: Arc<Shared>,
    json: Arc<AtomicBool>,
    clock: Clock,
    /// The second of the last complaint, and how many were left out since.
    complained: Arc<AtomicU64>,
    unsaid: Arc<AtomicU64>,
}

/// What the thread shares with those who hand over lines.
#[derive(Debug, Default)]
struct Shared {
    /// Lines that were dropped.
    lost: AtomicU64,
    /// Octets of the lines that wait.
    waiting: AtomicUsize,
    /// Where the next bunch goes, if elsewhere.
    next: Mutex<Option<Target>>,
}

impl Shared {
    fn next(&self) -> MutexGuard<'_, Option<Target>> {
        // Nothing panics while it holds the lock.
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    /// Opens what the settings name and starts the thread.
    ///
    /// # Errors
    /// A sentence, if the file cannot be opened or the thread not started.
    pub fn start(settings: &LogSettings, clock: Clock) -> Result<Log, Stop> {
        let (queue, lines) = sync_channel(QUEUE);
        let (shared, target) = (Arc::<Shared>::default(), open(settings)?);
        let json = Arc::new(AtomicBool::new(settings.json));
        let log = Log {
            queue,
            shared: Arc::clone(&shared),
            json: Arc::clone(&json),
            clock: clock.clone(),
            complained: Arc::default(),
            unsaid: Arc::default(),
        };
        let write = move || write_all(&lines, target, &shared, || notice_line(&clock, &json));
        let thread = std::thread::Builder::new().name("log".to_owned()).spawn(write);
        thread.map_err(|error| Stop::new(Exit::Os, format!("the thread of the log cannot be started: {error}")))?;
        Ok(log)
    }

    /// Opens what the settings name, for [`Log::turn`]: apart, so that a reload can fail before anything has changed.
    ///
    /// # Errors
    /// A sentence, if the file cannot be opened.
    pub fn prepare(settings: &LogSettings) -> Result<Prepared, Stop> {
        Ok(Prepared { target: open(settings)?, json: settings.json })
    }

    /// Writes elsewhere from now on, what waits included.
    pub fn turn(&self, prepared: Prepared) {
        self.json.store(prepared.json, Ordering::Relaxed);
        let _unused = self.shared.next().replace(prepared.target);
        // So that the old file is closed even if no line comes; a full queue has lines.
        let _ = self.queue.try_send(Message::Flush(sync_channel(1).0));
    }

    /// Opens the file anew, if it can be; why not is told in the log, which goes on as it was.
    pub fn reopen(&self, settings: &LogSettings) {
        match Log::prepare(settings) {
            Ok(prepared) => self.turn(prepared),
            Err(stop) => self.notice(&stop.sentence),
        }
    }

    /// Writes a line, or drops it if the queue is full.
    pub fn line(&self, line: String) {
        let (octets, waiting) = (line.capacity(), &self.shared.waiting);
        let fits = waiting.fetch_add(octets, Ordering::Relaxed) + octets <= MAX_WAITING;
        if !fits || self.queue.try_send(Message::Line(line)).is_err() {
            waiting.fetch_sub(octets, Ordering::Relaxed);
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes a notice of the daemon.
    pub fn notice(&self, text: &str) {
        let seconds = self.clock.now().map_or(0, |now| now.seconds);
        self.line(event::notice(seconds, text, self.json.load(Ordering::Relaxed)));
    }

    /// Writes a notice that a peer can bring about: one a second at most, with the number of those left out.
    pub fn complaint(&self, text: &str) {
        let now = self.clock.now().map_or(0, |now| now.seconds);
        if self.complained.swap(now, Ordering::Relaxed) == now {
            self.unsaid.fetch_add(1, Ordering::Relaxed);
            return;
        }
        match self.unsaid.swap(0, Ordering::Relaxed) {
            0 => self.notice(text),
            more => self.notice(&format!("{text} (and {more} complaints about peers before)")),
        }
    }

    /// Waits until everything so far is written, but not for ever.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.queue.try_send(Message::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(Duration::from_secs(2));
        }
    }
}

/// A target that is open.
pub struct Prepared {
    target: Target,
    json: bool,
}

fn open(settings: &LogSettings) -> Result<Target, Stop> {
    let Some(path) = &settings.file else { return Ok(Target::Stderr) };
    open_file(path, true).map(Target::File).map_err(|error| cannot_be_opened(path, &error))
}

/// Whether a start could open the log; a file that is not there is not made.
///
/// # Errors
/// What a start would say.
pub fn check(settings: &LogSettings) -> Result<(), Stop> {
    let Some(path) = &settings.file else { return Ok(()) };
    let opened = match open_file(path, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let rights = AccessFlags::W_OK | AccessFlags::X_OK;
            faccessat(AT_FDCWD, folder, rights, AtFlags::AT_EACCESS).map_err(io::Error::from)
        }
        opened => opened.map(drop),
    };
    opened.map_err(|error| cannot_be_opened(path, &error))
}

fn cannot_be_opened(path: &Path, error: &io::Error) -> Stop {
    let why = match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENXIO) => "it is a FIFO that nobody reads, or a socket; name another file".to_owned(),
        _ => keyfile::in_words_of_new(error),
    };
    Stop::new(Exit::CannotCreate, format!("the log {} cannot be opened: {why}", path.display()))
}

/// Addresses are nobody's business but the group's. Of a FIFO nobody waits for the reader.
fn open_file(path: &Path, make: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file = options.append(true).create(make).mode(0o640).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    // Writing may wait: there is a thread for it.
    fcntl(&file, FcntlArg::F_SETFL(OFlag::O_APPEND))?;
    Ok(file)
}

fn notice_line(clock: &Clock, json: &AtomicBool) -> impl Fn(&str) -> String {
    let (seconds, json) = (clock.now().map_or(0, |now| now.seconds), json.load(Ordering::Relaxed));
    move |text| event::notice(seconds, text, json)
}

fn write_all<F: Fn(&str) -> String>(
    lines: &Receiver<Message>,
    mut target: Target,
    shared: &Shared,
    notice: impl Fn() -> F,
) {
    let (mut buffer, mut behind) = (Vec::new(), false);
    let mut failed = 0;
    while let Ok(first) = lines.recv() {
        // A moment for others to follow: a write for each line would cost more than the decision that it tells.
        if matches!(first, Message::Line(_)) && !behind {
            std::thread::sleep(NAP);
        }
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Line(line) => {
                    shared.waiting.fetch_sub(line.capacity(), Ordering::Relaxed);
                    buffer.extend_from_slice(line.as_bytes());
                    buffer.push(b'\n');
                }
                Message::Flush(done) => {
                    failed += put(&mut target, &mut buffer, shared);
                    let _ = done.send(());
                }
            }
            // Whole bunches, but not without end.
            behind = buffer.len() >= 65_536;
            next = if behind { None } else { lines.try_recv().ok() };
        }
        let dropped = shared.lost.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let line = notice()(&format!("{dropped} lines were dropped, since the log did not take them in time"));
            buffer.extend_from_slice(line.as_bytes());
            buffer.push(b'\n');
        }
        let lines = count(&buffer);
        if failed > 0 && lines > 0 {
            // What was written last may end within a line.
            let line = notice()(&format!("{failed} lines could not be written to the log; is the disk full?"));
            buffer.splice(0..0, format!("\n{line}\n").into_bytes());
        }
        failed = if put(&mut target, &mut buffer, shared) > 0 { failed + lines } else { 0 };
    }
}

fn count(buffer: &[u8]) -> usize {
    buffer.iter().filter(|&&octet| octet == b'\n').count()
}

/// Writes all, elsewhere if that was told; how many lines that failed for. A log that cannot be written has nobody to tell; the
/// next line tries again.
fn put(target: &mut Target, buffer: &mut Vec<u8>, shared: &Shared) -> usize {
    let next = shared.next().take();
    if let Some(next) = next {
        *target = next;
    }
    let written = match target {
        Target::Stderr => io::stderr().write_all(buffer),
        Target::File(file) => file.write_all(buffer),
    };
    let lines = count(buffer);
    buffer.clear();
    if written.is_ok() { 0 } else { lines }
}
