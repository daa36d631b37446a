//! One connection for the milter library, which only knows listeners: a listener that yields it once.
//!
//! The library spawns its sessions where nobody can end them, and its one timeout is for the wait between two commands of
//! a mail, which may be hours. The line ends when its [`Hold`] is dropped, and when a packet that has begun is not whole,
//! or an answer not taken, within `[limits] request-seconds`. It says so to the hold when the library is done with it.
//! Each read counts as a sign of life for the pool.
//!
//! ```text
//! packet = length (4 octets, network byte order), as many octets
//! ```
//!
//! That is all that is looked at here, but for four things: Sendmail names an IPv6 client `IPv6:2001:db8::25`, of which the
//! library knows the second part only (looked for in packets that come in one piece, as Sendmail writes them); the library
//! keeps the former macros of MAIL where an empty packet says that there are none; it makes some fifty octets of each octet of
//! short macros, so a packet of more than [`MAX_MACROS`] ends the line; and it ends a session at a packet that it cannot read
//! without a word, so the line remembers which came last, and whether the mail server ended the session ([`Fate`]).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use indymilter::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::listen::Duplex;
use crate::pool::Seat;

/// The longest packet of macros, with the octet of its command: those of mail servers are below a tenth of it.
pub const MAX_MACROS: u32 = 64 * 1024;

/// A connection in the library's hands.
pub struct Line {
    stream: Box<dyn Duplex>,
    seat: Seat,
    cut: oneshot::Receiver<()>,
    _done: oneshot::Sender<()>,
    packet: Packet,
    reading: Patience,
    writing: Patience,
    fate: Arc<Fate>,
}

/// How a line came to its end.
#[derive(Debug, Default)]
pub struct Fate {
    slow: AtomicBool,
    /// Whether an end now is not because of what was read last.
    over: AtomicBool,
    /// The command of the last packet; 0 for none.
    last: AtomicU8,
    /// Whether the last macros for MAIL were none.
    bare: AtomicBool,
    /// Whether it brought a packet of macros that is too long.
    swollen: AtomicBool,
}

impl Fate {
    /// Whether the peer was too slow.
    pub fn is_slow(&self) -> bool {
        self.slow.load(Ordering::Relaxed)
    }

    /// Whether the mail server said last that a MAIL has no macros. Nothing of another mail is read before the answer to RCPT.
    pub fn is_bare(&self) -> bool {
        self.bare.load(Ordering::Relaxed)
    }

    /// What was read last where the library ended the session by itself, since it could not read that.
    pub fn unread(&self) -> Option<&'static str> {
        if self.swollen.load(Ordering::Relaxed) {
            return Some("macros of more than 65536 octets");
        }
        let last = self.last.load(Ordering::Relaxed);
        (!self.over.load(Ordering::Relaxed)).then_some(match last {
            b'C' => "a CONNECT packet that cannot be read",
            b'O' => "a negotiation that cannot be read",
            b'A' | b'B' | b'D' | b'E' | b'H' | b'K' | b'L' | b'M' | b'N' | b'R' | b'T' | b'U' => {
                "a milter packet that cannot be read, or not at that step"
            }
            _ => "no milter packet",
        })
    }
}

/// Our end: cuts the line when dropped.
pub struct Hold {
    _cut: oneshot::Sender<()>,
    done: oneshot::Receiver<()>,
    fate: Arc<Fate>,
}

impl Hold {
    /// Waits until the library is done with the line.
    pub async fn done(&mut self) {
        // Nothing is ever sent: the other end is dropped.
        let _ = (&mut self.done).await;
    }

    /// To be asked when the line is at its end.
    pub fn fate(&self) -> Arc<Fate> {
        Arc::clone(&self.fate)
    }
}

/// A listener that yields one line and then nothing.
pub struct Once(Option<Line>);

impl Once {
    /// Puts a connection on a line; `request` is how long a packet or the taking of an answer may last.
    pub fn new(stream: Box<dyn Duplex>, seat: Seat, request: Duration) -> (Once, Hold) {
        let ((cut, to_cut), (done, when_done)) = (oneshot::channel(), oneshot::channel());
        let fate = Arc::new(Fate::default());
        let patience = || Patience { most: request, due: None, timer: None, fate: Arc::clone(&fate) };
        let (reading, writing) = (patience(), patience());
        let (packet, kept) = (Packet::default(), Arc::clone(&fate));
        let line = Line { stream, seat, cut: to_cut, _done: done, packet, reading, writing, fate: kept };
        (Once(Some(line)), Hold { _cut: cut, done: when_done, fate })
    }
}

impl Listener for Once {
    type Io = Line;

    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<io::Result<Line>> {
        // Pending without a waker: there never is another one.
        self.0.take().map_or(Poll::Pending, |line| Poll::Ready(Ok(line)))
    }
}

/// Where in a packet the octets that were read end.
#[derive(Debug, Default)]
struct Packet {
    /// The octets of the length so far, and how many they are.
    length: u32,
    digits: u8,
    /// How many octets of the packet are to come, and the first of them.
    left: usize,
    command: Option<u8>,
}

impl Packet {
    /// Goes over octets that are about to be the library's; whether a packet ended within them.
    fn read(&mut self, mut octets: &mut [u8], fate: &Fate) -> bool {
        let mut ended = false;
        while !octets.is_empty() {
            if self.command.is_none()
                && let Some((first, rest)) = std::mem::take(&mut octets).split_first_mut()
            {
                if self.digits < 4 {
                    (self.length, self.digits) = (self.length << 8 | u32::from(*first), self.digits + 1);
                } else {
                    // The library reads a command in any case.
                    self.command = Some(*first);
                    fate.last.store(*first, Ordering::Relaxed);
                    // With this the mail server says that it goes.
                    fate.over.store(*first == b'Q', Ordering::Relaxed);
                    fate.swollen.fetch_or(*first == b'D' && self.length > MAX_MACROS, Ordering::Relaxed);
                    self.left = usize::try_from(self.length).unwrap_or(usize::MAX).saturating_sub(1);
                }
                octets = rest;
            } else {
                let taken = self.left.min(octets.len());
                let Some((now, later)) = std::mem::take(&mut octets).split_at_mut_checked(taken) else { break };
                if self.command == Some(b'D') && self.length.checked_sub(1) == u32::try_from(self.left).ok() {
                    let is_of_mail = now.first() == Some(&b'M');
                    let bare = if is_of_mail { self.length == 2 } else { fate.is_bare() };
                    fate.bare.store(bare, Ordering::Relaxed);
                }
                // A mail server writes what it says of a client at once.
                if self.command == Some(b'C') && u32::try_from(taken + 1) == Ok(self.length) {
                    move_tag(now);
                }
                (self.left, octets) = (self.left - taken, later);
            }
            if self.command.is_some() && self.left == 0 {
                (*self, ended) = (Packet::default(), true);
            }
        }
        ended
    }

    const fn is_under_way(&self) -> bool {
        self.digits > 0
    }
}

/// How long something may last that has begun.
struct Patience {
    most: Duration,
    due: Option<Instant>,
    /// Made only when something has to be waited for: most connections never need it.
    timer: Option<Pin<Box<Sleep>>>,
    fate: Arc<Fate>,
}

impl Patience {
    fn end(&mut self) {
        (self.due, self.timer) = (None, None);
    }

    /// Begins, unless it has; an error when it is at its end.
    fn check(&mut self) -> io::Result<Instant> {
        let due = *self.due.get_or_insert_with(|| Instant::now() + self.most);
        if due > Instant::now() {
            return Ok(due);
        }
        self.fate.slow.store(true, Ordering::Relaxed);
        Err(io::ErrorKind::TimedOut.into())
    }

    /// Ready, with an error, at its end.
    fn poll<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        match self.check() {
            Err(error) => Poll::Ready(Err(error)),
            Ok(due) => {
                let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
                timer.as_mut().poll(cx).map(|()| {
                    self.fate.slow.store(true, Ordering::Relaxed);
                    Err(io::ErrorKind::TimedOut.into())
                })
            }
        }
    }
}

/// Moves the tag of an IPv6 address in front of the name of the client, which nobody reads.
///
/// ```text
/// packet = "C" rest
/// rest   = name NUL "6" port (2 octets) "IPv6:" address NUL
/// ```
fn move_tag(rest: &mut [u8]) {
    const TAG: &[u8] = b"IPv6:";
    let Some(name) = rest.iter().position(|&octet| octet == 0) else { return };
    let (family, tag) = (name + 1, name + 4);
    let is_tagged = rest.get(family) == Some(&b'6')
        && rest.get(tag..tag + TAG.len()).is_some_and(|found| found.eq_ignore_ascii_case(TAG));
    if let (true, Some(until)) = (is_tagged, rest.get_mut(..tag + TAG.len())) {
        until.rotate_right(TAG.len());
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut line.stream).poll_read(cx, buffer);
        if read.is_ready() {
            let octets = buffer.filled_mut().get_mut(before..).unwrap_or_default();
            line.fate.over.store(octets.is_empty(), Ordering::Relaxed);
            if !octets.is_empty() {
                line.seat.touch(Instant::now());
            }
            if line.packet.read(octets, &line.fate) || !line.packet.is_under_way() {
                line.reading.end();
            }
            if line.fate.swollen.load(Ordering::Relaxed) {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
            return match line.packet.is_under_way().then(|| line.reading.check()) {
                Some(Err(error)) => Poll::Ready(Err(error)),
                _ => read,
            };
        }
        // The end of the file ends the library's session.
        if Pin::new(&mut line.cut).poll(cx).is_ready() {
            line.fate.over.store(true, Ordering::Relaxed);
            return Poll::Ready(Ok(()));
        }
        if line.packet.is_under_way() {
            return line.reading.poll(cx);
        }
        // Whoever waits has read all before it: an end that comes now is that of the library's patience.
        line.fate.over.store(true, Ordering::Relaxed);
        Poll::Pending
    }
}

impl Line {
    /// What came of an attempt to write.
    fn written<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(result) = &written {
            self.fate.over.fetch_or(result.is_err(), Ordering::Relaxed);
            self.writing.end();
            return written;
        }
        if Pin::new(&mut self.cut).poll(cx).is_ready() {
            self.fate.over.store(true, Ordering::Relaxed);
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        self.writing.poll(cx)
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let line = self.get_mut();
        let written = Pin::new(&mut line.stream).poll_write(cx, octets);
        line.written(cx, written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        let flushed = Pin::new(&mut line.stream).poll_flush(cx);
        line.written(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tag_of_an_ipv6_client_is_moved() {
        let moved = |rest: &[u8]| {
            let mut rest = rest.to_vec();
            move_tag(&mut rest);
            rest
        };
        assert_eq!(moved(b"mx\x006\x0f\xa0IPv6:2001:db8::1\0"), b"IPv6:mx\x006\x0f\xa02001:db8::1\0");
        assert_eq!(moved(b"\x006\0\0ipv6:::1\0"), b"ipv6:\x006\0\0::1\0");
        for same in
            [&b"mx\x006\x0f\xa02001:db8::1\0"[..], b"mx\x004\x0f\xa0IPv6:1\0", b"IPv6:\0U", b"mx\x006\x0f\xa0IPv6", b""]
        {
            assert_eq!(moved(same), same);
        }
    }

    #[test]
    fn the_end_of_a_packet_is_seen_however_its_octets_come() {
        let fate = Fate::default();
        let two = [&[0, 0, 0, 3][..], b"Mab", &[0, 0, 0, 1], b"E"].concat();
        for at in 0..two.len() {
            let mut packet = Packet::default();
            let ended = packet.read(&mut two.clone()[..at], &fate);
            assert_eq!((ended, packet.is_under_way()), (at >= 7, !matches!(at, 0 | 7)), "{at}");
            assert!(packet.read(&mut two.clone()[at..], &fate));
            assert!(!packet.is_under_way());
        }
        let mut packet = Packet::default();
        assert!(!packet.read(&mut [0, 0, 0, 0], &fate) && packet.read(&mut [b'x'], &fate) && !packet.is_under_way());
        assert!(!packet.read(&mut [0xff; 10], &fate) && packet.is_under_way());
    }
}
