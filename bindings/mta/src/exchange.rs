//! Reads requests, writes answers: the loop that all request-and-answer faces share.
//!
//! A face gives a function that takes the first whole request off a buffer and appends its answer. The loop keeps the
//! limits: the buffer never grows beyond `frame`, a request that has begun must be whole within `request`, an answer must
//! be taken within `request`, and a connection without a request lives for `idle`. A peer that closes its half gets the
//! answers to all whole requests before the connection ends. When the daemon stops, idle connections end at once.
//!
//! With a quick peer a request costs a read and a write, as in the barest server: where both share a core, the peer runs
//! while its answer is written, and its next request is there before this side would sleep. `Early` looks for it. One that
//! sends very many at once waits for all others after every few of them (`Turn`).

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::unistd;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::task::yield_now;
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
    // The first request is seldom there already.
    let (mut early, mut turn) = (Early { pause: 1 }, Turn { left: Turn::STEPS });
    loop {
        turn.step().await;
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
                Ok(octets) => {
                    taken += octets;
                    turn.step().await;
                }
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
#[derive(Debug)]
struct Early {
    /// How many reads are waited for before it is tried again.
    pause: u32,
}

impl Early {
    /// After a look in vain.
    const PAUSE: u32 = 8;

    /// Reads what is there; `None` if that is to be waited for.
    fn read(&mut self, stream: &impl AsFd, input: &mut Vec<u8>, room: usize) -> Option<io::Result<usize>> {
        if let Some(less) = self.pause.checked_sub(1) {
            self.pause = less;
            return None;
        }
        let held = input.len();
        // What is free already is enough for a request that comes in a piece of its own.
        input.resize(held + room.min(input.capacity().saturating_sub(held).max(64)), 0);
        let read = unistd::read(stream.as_fd(), input.get_mut(held..).unwrap_or_default());
        input.truncate(held + read.unwrap_or(0));
        match read {
            Ok(octets) => Some(Ok(octets)),
            Err(Errno::EAGAIN | Errno::EINTR) => {
                self.pause = Early::PAUSE;
                None
            }
            Err(error) => Some(Err(error.into())),
        }
    }
}

/// What a connection may do before all others have their turn: tokio does not see what is read and written here.
#[derive(Debug)]
struct Turn {
    left: u32,
}

impl Turn {
    /// Reads and answers together; a quick peer has one of each for a request.
    const STEPS: u32 = 64;

    async fn step(&mut self) {
        match self.left.checked_sub(1) {
            Some(less) => self.left = less,
            None => {
                self.left = Turn::STEPS;
                yield_now().await;
            }
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::Write;
    use std::os::unix::net::UnixStream as Peer;

    use tokio::net::UnixStream;

    use super::*;
    use crate::pool::Crowd;

    #[test]
    fn a_peer_that_sends_very_many_requests_at_once_lets_another_have_its_answer_between_them() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (limits, answers, (_stop, stopped)) = (Limits::default(), RefCell::new(Vec::new()), watch::channel(false));
        let pool = Crowd::default().pool();
        let talk = async |name: char, requests: usize| {
            let (mut peer, ours) = Peer::pair().unwrap();
            peer.write_all(&b"x\n".repeat(requests)).unwrap();
            peer.shutdown(std::net::Shutdown::Write).unwrap();
            ours.set_nonblocking(true).unwrap();
            let seat = pool.seat(limits.connections).0;
            let answer = |_: &[u8], out: &mut Vec<u8>| {
                answers.borrow_mut().push(name);
                out.push(b'y');
                Ok(2)
            };
            let end = serve(UnixStream::from_std(ours).unwrap(), 4096, limits, stopped.clone(), &seat, answer).await;
            assert!(matches!(end, End::Closed), "{end:?}");
        };
        let later = async {
            while answers.borrow().is_empty() {
                yield_now().await;
            }
            talk('b', 1).await;
        };
        runtime.block_on(async { tokio::join!(talk('a', 10_000), later) });
        let answers = answers.into_inner();
        let place = answers.iter().position(|name| *name == 'b').unwrap();
        assert!(answers.len() == 10_001 && place < 1000, "{place} of {}", answers.len());
    }
}
