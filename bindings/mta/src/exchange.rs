//! Reads requests, writes answers: the loop that all request-and-answer faces share.
//!
//! A face gives a function that takes the first whole request off a buffer and appends its answer. The loop keeps the
//! limits: the buffer never grows beyond `frame`, a request that has begun must be whole within `request`, an answer must
//! be taken within `request`, and a connection without a request lives for `idle`. A peer that closes its half gets the
//! answers to all whole requests before the connection ends. When the daemon stops, idle connections end at once.
//!
//! With a quick peer a request costs a read and a write, as in the barest server: where both share a core, the peer runs
//! while its answer is written, and its next request is there before this side would sleep. `Early` looks for it.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::unistd;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::config::Limits;
use crate::pool::Seat;

/// Why a connection is of no more use: what the peer sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken(pub &'static str);

/// How a connection ended.
#[derive(Debug)]
pub enum End {
    /// The peer closed it, or nothing was asked for too long, or the daemon stops.
    Closed,
    /// The peer spoke another language.
    Broken(Broken),
    /// A request or the taking of an answer lasted too long.
    Slow,
    /// The system failed.
    Failed(io::Error),
}

/// Answers until the connection ends.
pub async fn serve<S: AsyncRead + AsyncWrite + AsFd + Unpin>(
    mut stream: S,
    frame: usize,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
    seat: &Seat,
    mut answer: impl FnMut(&[u8], &mut Vec<u8>) -> Result<usize, Broken>,
) -> End {
    let (mut input, mut output) = (Vec::with_capacity(512), Vec::with_capacity(512));
    // Of the request that has begun; `None` between two.
    let mut begun: Option<Instant> = None;
    let mut answered = Instant::now();
    // One timer, set anew only when it fires or must fire earlier: most requests come long before it.
    let timer = sleep_until(answered + limits.idle);
    // An error means that nobody can stop it any more.
    let stopped = async move { drop(stop.wait_for(|stop| *stop).await) };
    tokio::pin!(timer, stopped);
    let mut early = Early::default();
    loop {
        let room = frame.saturating_sub(input.len()).max(1);
        let read = match early.read(&stream, &mut input, room) {
            Some(read) => read,
            None => tokio::select! {
                biased;
                read = read_some(&mut stream, &mut input, room) => read,
                () = &mut timer => {
                    let due = begun.map_or(answered + limits.idle, |begun| begun + limits.request);
                    match begun {
                        _ if due > Instant::now() => timer.as_mut().reset(due),
                        Some(_) => return End::Slow,
                        None => return End::Closed,
                    }
                    continue;
                }
                () = &mut stopped, if begun.is_none() => return End::Closed,
            },
        };
        let closed = match read {
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return End::Closed,
            Err(error) => return End::Failed(error),
            Ok(octets) => octets == 0,
        };
        let (mut taken, mut broken) = (0, None);
        while let Some(rest) = input.get(taken..).filter(|rest| !rest.is_empty()) {
            match answer(rest, &mut output) {
                Ok(0) => break,
                Ok(octets) => taken += octets,
                Err(what) => {
                    broken = Some(what);
                    break;
                }
            }
        }
        input.drain(..taken.min(input.len()));
        if taken > 0 {
            answered = Instant::now();
            seat.touch(answered);
        }
        if !output.is_empty() {
            match write(&mut stream, &output, limits.request).await {
                Ok(true) => output.clear(),
                Ok(false) => return End::Slow,
                Err(error) => return lost(error),
            }
        }
        if let Some(what) = broken {
            return End::Broken(what);
        }
        if closed {
            return End::Closed;
        }
        begun = match (input.is_empty(), begun) {
            (true, _) => None,
            (false, Some(since)) if taken == 0 => Some(since),
            (false, _) => Some(Instant::now()),
        };
        if let Some(due) = begun.map(|begun| begun + limits.request).filter(|due| *due < timer.deadline()) {
            timer.as_mut().reset(due);
        }
    }
}

/// Reads what is there, at most `room` octets.
async fn read_some<S: AsyncRead + Unpin>(stream: &mut S, input: &mut Vec<u8>, room: usize) -> io::Result<usize> {
    let room = u64::try_from(room).unwrap_or(u64::MAX);
    stream.take(room).read_buf(input).await
}

/// Whether the peer took it all within `patience`; as a rule it does so at once.
async fn write<S: AsyncWrite + AsFd + Unpin>(stream: &mut S, output: &[u8], patience: Duration) -> io::Result<bool> {
    let written = match unistd::write(stream.as_fd(), output) {
        Ok(octets) => octets,
        Err(Errno::EAGAIN | Errno::EINTR) => 0,
        Err(error) => return Err(error.into()),
    };
    match output.get(written..) {
        None | Some([]) => Ok(true),
        Some(rest) => match timeout(patience, stream.write_all(rest)).await {
            Err(_) => Ok(false),
            Ok(written) => written.map(|()| true),
        },
    }
}

/// Asks the socket before epoll(7) is asked, as long as that finds something.
#[derive(Debug, Default)]
struct Early {
    /// How many reads may still come early.
    turns: u32,
    /// How many are waited for before it is tried again.
    pause: u32,
}

impl Early {
    /// After so many others have their turn.
    const TURNS: u32 = 32;
    /// After a look in vain.
    const PAUSE: u32 = 8;

    /// Reads what is there; `None` if that is to be waited for.
    fn read(&mut self, stream: &impl AsFd, input: &mut Vec<u8>, room: usize) -> Option<io::Result<usize>> {
        if self.turns == 0 {
            match self.pause.checked_sub(1) {
                Some(less) => self.pause = less,
                None => self.turns = Early::TURNS,
            }
            return None;
        }
        self.turns -= 1;
        let held = input.len();
        // What is free already is enough for a request that comes in a piece of its own.
        input.resize(held + room.min(input.capacity().saturating_sub(held).max(64)), 0);
        let read = unistd::read(stream.as_fd(), input.get_mut(held..).unwrap_or_default());
        input.truncate(held + read.unwrap_or(0));
        match read {
            Ok(octets) => Some(Ok(octets)),
            Err(Errno::EAGAIN | Errno::EINTR) => {
                *self = Early { turns: 0, pause: Early::PAUSE };
                None
            }
            Err(error) => Some(Err(error.into())),
        }
    }
}

/// A peer that went away while it was answered is no failure.
pub(crate) fn lost(error: io::Error) -> End {
    match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => End::Closed,
        _ => End::Failed(error),
    }
}

/// The longest that a stop waits for requests that have begun.
pub const LAST_WORDS: Duration = Duration::from_secs(5);
