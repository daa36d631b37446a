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

use std::net::IpAddr;

use super::guard::{Block, Field, without_blank_lines};
use super::parts;

/// The fields that name the recipient of the envelope, the one before any rewriting first.
pub const RECIPIENT_FIELDS: [&str; 3] = ["X-Original-To", "Envelope-To", "Delivered-To"];

/// What is known of the arrival of a stored message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrival {
    /// The recipient of the envelope.
    pub recipient: Option<String>,
    /// The sender of the envelope, from Return-Path above the first Received; `<>` is the null sender.
    pub sender: Option<String>,
    /// When it came, in unix seconds: from the first Received, else from Date, which its sender wrote.
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
    let (block, _) = Block::read(without_blank_lines(message));
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
        seconds: received.and_then(parts::seconds).or_else(|| block.get("Date").and_then(parts::seconds)),
        client: block.all("Received").filter_map(|value| parts::hop(value).ip).find(|ip| super::source::is_public(*ip)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_that_the_sender_wrote_is_not_taken() {
        let below = b"Received: from a by b; Fri, 20 Nov 2026 10:12:00 +0000\nX-Original-To: a@example.com\n\n";
        assert_eq!(arrival(below, &[]).recipient, None);
        assert_eq!(arrival(b"To: a@example.com\n\n", &[]).recipient, None);
        let above = b"From x Fri Nov 20 10:12:00 2026\nDelivered-To: b@example.com\nEnvelope-to: a@example.com\nReceived: by b\n\n";
        assert_eq!(arrival(above, &[]).recipient.as_deref(), Some("a@example.com"));
    }

    #[test]
    fn nothing_known_is_no_guess() {
        for message in [&b""[..], b"\n\n", b"Received: \nDate: never\n\nx", b"\xff\xfe"] {
            assert_eq!(arrival(message, &[]), Arrival::default());
        }
    }
}
