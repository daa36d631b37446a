//! What the delivering host wrote on top of a stored message: for whom it was, when it came, and from where.
//!
//! ```text
//! stored message = [ "From " line ] own fields, Received of this host, ...      RFC 5321 section 4.4: each host writes on top
//! own fields     = Return-Path, X-Original-To (Postfix), Envelope-To (Exim), Delivered-To (Postfix, Dovecot, qmail, Gmail)
//! ```
//!
//! A tag or mark proves something only for the recipient of the envelope, so the recipient must not come from the sender
//! of the message. Fields that name it are taken only from above the first Received: what a sender puts into a message
//! lies below the Received of the host that took it in. Where a site's hosts write the field elsewhere, the caller names
//! it, and answers for it. To is never the envelope's. A message without any Received came by no network, and is believed.
//!
//! The time is that of the topmost Received, else that of the separator of an mbox, which the delivering program wrote (in
//! its own time zone; UTC is taken). Date is the sender's, who could choose the day on which his mark is in date: it is
//! never the time of arrival. Without one of the two the time is not known.

use std::net::IpAddr;

use super::guard::{Block, Field, line_at, without_blank_lines};
use super::parts;

/// The fields that name the recipient of the envelope, the one before any rewriting first.
pub const RECIPIENT_FIELDS: [&str; 3] = ["X-Original-To", "Envelope-To", "Delivered-To"];

/// What is known of the arrival of a stored message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrival {
    /// The recipient of the envelope.
    pub recipient: Option<String>,
    /// The sender of the envelope, from Return-Path above the first Received; `<>` is the null sender.
    pub sender: Option<String>,
    /// When it came, in unix seconds: from the first Received, else from the separator of an mbox; never from Date.
    pub seconds: Option<i64>,
    /// The host that it came from: the first address of the internet in Received.
    pub client: Option<IpAddr>,
}

/// Reads it. `fields` are the names of fields that the caller trusts wherever they stand, the first that is there wins;
/// empty: [`RECIPIENT_FIELDS`] above the first Received.
///
/// ```
/// use backstop::bounce::arrival;
/// let message = b"X-Original-To: prvs=1@example.com\r\nReceived: from x (x [192.0.2.1]) by mx.example.com;\r\n \
///                 Fri, 20 Nov 2026 10:12:00 +0000\r\nDelivered-To: forged@example.com\r\n\r\n";
/// let seen = arrival(message, &[]);
/// assert_eq!(seen.recipient.as_deref(), Some("prvs=1@example.com"));
/// assert_eq!((seen.seconds, seen.client), (Some(1_795_169_520), Some("192.0.2.1".parse().unwrap())));
/// assert_eq!(arrival(message, &["Delivered-To".to_owned()]).recipient.as_deref(), Some("forged@example.com"));
/// ```
pub fn arrival(message: &[u8], fields: &[String]) -> Arrival {
    let message = without_blank_lines(message);
    let (block, _) = Block::read(message);
    let is_received = |field: &Field<'_>| field.name.eq_ignore_ascii_case(b"Received");
    let top = block.fields.iter().position(is_received).unwrap_or(block.fields.len());
    let own = Block { fields: block.fields.get(..top).unwrap_or_default().to_vec(), cut: false };
    let recipient = match fields {
        [] => RECIPIENT_FIELDS.iter().find_map(|name| own.get(name)),
        named => named.iter().find_map(|name| block.get(name)),
    };
    let received = block.get("Received").and_then(|value| value.rsplit(|octet| *octet == b';').next());
    Arrival {
        recipient: recipient.map(|value| parts::address(value).address).filter(|address| !address.is_empty()),
        sender: own.get("Return-Path").map(|value| String::from_utf8_lossy(value.trim_ascii()).into_owned()),
        seconds: received.and_then(parts::seconds).or_else(|| separated(message)),
        client: block.all("Received").filter_map(|value| parts::hop(value).ip).find(|ip| super::source::is_public(*ip)),
    }
}

/// The time in the separator of an mbox: `From sender Fri Nov 20 10:12:00 2026`.
fn separated(message: &[u8]) -> Option<i64> {
    let line = std::str::from_utf8(line_at(message, 0)?).ok()?;
    let mut words = line.strip_prefix("From ")?.split_ascii_whitespace().skip(1);
    let [weekday, month, day, time, year] = std::array::from_fn(|_| words.next().unwrap_or_default());
    parts::seconds(format!("{weekday}, {day} {month} {year} {time} +0000").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_senders_date_is_no_time_of_arrival() {
        let received = b"Received: from a by b\nDate: Fri, 20 Nov 2026 10:12:00 +0000\n\n";
        assert_eq!(arrival(received, &[]).seconds, None);
        assert_eq!(arrival(b"Date: Fri, 20 Nov 2026 10:12:00 +0000\n\n", &[]).seconds, None);
        let second = b"Received: from a by b\nReceived: from c by d; Fri, 20 Nov 2026 10:12:00 +0000\n\n";
        assert_eq!(arrival(second, &[]).seconds, None, "that of a host further away");
        let stored = b"From x@y.example Fri Nov 20 10:12:00 2026\nDate: Fri, 1 Jan 2027 00:00:00 +0000\n\n";
        assert_eq!(arrival(stored, &[]).seconds, Some(1_795_169_520));
        for broken in [&b"From x\n\n"[..], b"From x Fri Nov 99 10:12:00 2026\n\n", b"From x a b c d e f g\n\n"] {
            assert_eq!(arrival(broken, &[]).seconds, None);
        }
    }

    #[test]
    fn a_recipient_that_the_sender_wrote_is_not_taken() {
        let below = b"Received: from a by b; Fri, 20 Nov 2026 10:12:00 +0000\nX-Original-To: a@example.com\n\n";
        assert_eq!(arrival(below, &[]).recipient, None);
        assert_eq!(arrival(b"To: a@example.com\n\n", &[]).recipient, None);
        let above = b"From x Fri Nov 20 10:12:00 2026\nDelivered-To: b@example.com\nEnvelope-to: a@example.com\nReceived: by b\n\n";
        assert_eq!(arrival(above, &[]).recipient.as_deref(), Some("a@example.com"));
        for quoted in ["\"a b\"@example.com", "<\"a b\"@example.com>"] {
            let message = format!("Envelope-To: {quoted}\nReceived: by b\n\n");
            assert_eq!(arrival(message.as_bytes(), &[]).recipient.as_deref(), Some("\"a b\"@example.com"));
        }
    }

    #[test]
    fn the_time_of_arrival_stands_behind_the_last_semicolon_of_the_first_received() {
        let message = b"Received: from a by b (x; y); Fri, 20 Nov 2026 10:12:00 +0000\n\n";
        assert_eq!(arrival(message, &[]).seconds, Some(1_795_169_520));
    }

    #[test]
    fn nothing_known_is_no_guess() {
        for message in [&b""[..], b"\n\n", b"Received: \nDate: never\n\nx", b"\xff\xfe"] {
            assert_eq!(arrival(message, &[]), Arrival::default());
        }
    }
}
