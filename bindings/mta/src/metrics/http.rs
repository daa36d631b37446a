//! `GET /metrics` over HTTP/1.1, and nothing else of it.
//!
//! ```text
//! request = head of at most 8192 octets and 64 headers        a body is not read
//! answer  = 200 for GET and HEAD of /metrics, 404 elsewhere, 405 for other methods, 400 for no HTTP, 431 for too long
//! ```
//!
//! One request a connection, whole within `[limits] request-seconds`, answer and all. No TLS, no password: the listener
//! belongs on the loopback, or behind whatever guards the other exporters. The text holds no address and no secret.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::config::Limits;
use crate::exchange::{self, End};
use crate::listen::Duplex;
use crate::pool::Seat;
use crate::state::State;

/// The longest head of a request.
pub const MAX_HEAD: usize = 8192;
/// The most headers of a request.
pub const MAX_HEADERS: usize = 64;
const PLAIN: &str = "text/plain; charset=utf-8";
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What a request is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The metrics, or with `false` their head only.
    Metrics(bool),
    /// A status and a sentence.
    Error(&'static str, &'static str),
}

/// The answer to a head; `None` while it is not whole.
pub fn answer(head: &[u8]) -> Option<Answer> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let whole = match request.parse(head) {
        Ok(status) => status.is_complete(),
        Err(httparse::Error::TooManyHeaders) => {
            return Some(Answer::Error("431 Request Header Fields Too Large", "too many headers"));
        }
        Err(_) => return Some(Answer::Error("400 Bad Request", "this is no HTTP")),
    };
    if !whole {
        let long = || Answer::Error("431 Request Header Fields Too Large", "the head of the request is too long");
        return (head.len() >= MAX_HEAD).then(long);
    }
    let path = request.path.unwrap_or_default();
    // As a proxy would have it (RFC 9112, 3.2.2).
    let path =
        path.strip_prefix("http://").map_or(path, |rest| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"));
    if path.split('?').next() != Some("/metrics") {
        return Some(Answer::Error("404 Not Found", "the metrics are at /metrics"));
    }
    Some(match request.method {
        Some("GET") => Answer::Metrics(true),
        Some("HEAD") => Answer::Metrics(false),
        _ => Answer::Error("405 Method Not Allowed", "only GET and HEAD are known here"),
    })
}

/// Answers one request.
pub async fn serve(
    state: &State,
    mut stream: Box<dyn Duplex>,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
    seat: &Seat,
) -> End {
    let talk = async {
        let mut head = Vec::with_capacity(1024);
        let answer = loop {
            let room = u64::try_from(MAX_HEAD.saturating_sub(head.len()).max(1)).unwrap_or(1);
            let mut some = (&mut stream).take(room);
            let read = tokio::select! {
                read = some.read_buf(&mut head) => read?,
                _ = stop.wait_for(|stop| *stop), if head.is_empty() => 0,
            };
            if read == 0 {
                return Ok(());
            }
            if let Some(answer) = answer(&head) {
                break answer;
            }
        };
        seat.touch(Instant::now());
        stream.write_all(&text(state, answer)).await?;
        stream.shutdown().await
    };
    match timeout(limits.request, talk).await {
        Err(_) => End::Slow,
        Ok(Err(error)) => exchange::lost(error),
        Ok(Ok(())) => End::Closed,
    }
}

fn text(state: &State, answer: Answer) -> Vec<u8> {
    let (status, kind, body, whole) = match answer {
        Answer::Metrics(whole) => ("200 OK", METRICS, state.metrics.text(state), whole),
        Answer::Error(status, sentence) => (status, PLAIN, format!("{sentence}\n"), true),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nAllow: GET, HEAD\r\n\
         Connection: close\r\n\r\n"
    );
    [head.as_bytes(), if whole { body.as_bytes() } else { b"" }].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beginning_of_a_request_waits_for_more() {
        let whole = b"GET /metrics HTTP/1.1\r\nHost: localhost:10035\r\n\r\n";
        for end in 0..whole.len() {
            assert_eq!(answer(&whole[..end]), None, "{end}");
        }
        assert_eq!(answer(whole), Some(Answer::Metrics(true)));
    }

    #[test]
    fn other_requests_get_their_status() {
        let long = [b"GET /metrics HTTP/1.1\r\nX: ", &[b'x'; MAX_HEAD][..]].concat();
        let many = [b"GET /metrics HTTP/1.1\r\n", &b"a: b\r\n".repeat(MAX_HEADERS + 1)[..], b"\r\n"].concat();
        for (head, status) in [
            (&b"GET / HTTP/1.1\r\n\r\n"[..], "404"),
            (b"GET http://metrics HTTP/1.1\r\n\r\n", "404"),
            (b"POST /metrics HTTP/1.1\r\n\r\n", "405"),
            (b"26:verify alice@example.com,\r\n", "400"),
            (b"\x16\x03\x01", "400"),
            (&long, "431"),
            (&many, "431"),
        ] {
            let Some(Answer::Error(found, _)) = answer(head) else { panic!("{}", head.escape_ascii()) };
            assert!(found.starts_with(status), "{found}: {}", head.escape_ascii());
        }
        assert_eq!(answer(b"GET http://host:10035/metrics HTTP/1.1\r\n\r\n"), Some(Answer::Metrics(true)));
        assert_eq!(answer(b"HEAD /metrics?x=y HTTP/1.0\r\n\r\n"), Some(Answer::Metrics(false)));
    }
}
