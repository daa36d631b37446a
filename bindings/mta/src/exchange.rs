//! Reads requests, writes answers: the loop that all request-and-answer faces share.
//!
//! A face gives a function that takes the first whole request off a buffer and appends its answer. The loop keeps the
//! limits: the buffer never grows beyond `frame`, a request that has begun must be whole within `request`, an answer must
//! be taken within `request`, and a connection without a request lives for `idle`. A peer that closes its half gets the
//! answers to all whole requests before the connection ends. When the daemon stops, idle connections end at once.

use std::io;
use std::time::Duration;

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
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
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
    loop {
        let room = frame.saturating_sub(input.len()).max(1);
        let read = tokio::select! {
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
            match timeout(limits.request, write(&mut stream, &output)).await {
                Err(_) => return End::Slow,
                Ok(Err(error)) => return lost(error),
                Ok(Ok(())) => output.clear(),
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

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, output: &[u8]) -> io::Result<()> {
    stream.write_all(output).await?;
    stream.flush().await
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
