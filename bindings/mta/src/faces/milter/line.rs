//! One connection for the milter library, which only knows listeners: a listener that yields it once.
//!
//! The library spawns its sessions where nobody can end them. The line ends when its [`Hold`] is dropped, and says so to
//! the hold when the library is done with it. Each read counts as a sign of life for the pool.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use indymilter::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::listen::Duplex;
use crate::pool::Seat;

/// A connection in the library's hands.
pub struct Line {
    stream: Box<dyn Duplex>,
    seat: Seat,
    cut: oneshot::Receiver<()>,
    _done: oneshot::Sender<()>,
}

/// Our end: cuts the line when dropped.
pub struct Hold {
    _cut: oneshot::Sender<()>,
    done: oneshot::Receiver<()>,
}

impl Hold {
    /// Waits until the library is done with the line.
    pub async fn done(&mut self) {
        // Nothing is ever sent: the other end is dropped.
        let _ = (&mut self.done).await;
    }
}

/// A listener that yields one line and then nothing.
pub struct Once(Option<Line>);

impl Once {
    /// Puts a connection on a line.
    pub fn new(stream: Box<dyn Duplex>, seat: Seat) -> (Once, Hold) {
        let ((cut, to_cut), (done, when_done)) = (oneshot::channel(), oneshot::channel());
        let line = Line { stream, seat, cut: to_cut, _done: done };
        (Once(Some(line)), Hold { _cut: cut, done: when_done })
    }
}

impl Listener for Once {
    type Io = Line;

    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<io::Result<Line>> {
        // Pending without a waker: there never is another one.
        self.0.take().map_or(Poll::Pending, |line| Poll::Ready(Ok(line)))
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut line.stream).poll_read(cx, buffer);
        if read.is_ready() {
            if buffer.filled().len() > before {
                line.seat.touch(Instant::now());
            }
            return read;
        }
        // The end of the file ends the library's session.
        Pin::new(&mut line.cut).poll(cx).map(|_| Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, octets)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
