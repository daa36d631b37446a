//! Whether this host may answer a message by itself, so that it is no reflector.
//!
//! A bounce or an automatic reply to a forged sender is the backscatter of somebody else. Both go to the envelope sender
//! only, with a null sender of their own, and automatic replies say so in Auto-Submitted (RFC 3834). What was not refused
//! in SMTP and may not be bounced is best dropped and logged; better, refuse it there.

use super::Envelope;
use super::arrival::arrival;
use super::guard::{Block, without_blank_lines};
use super::parts;
use crate::address::{Mailbox, Path};

/// Why a message is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Restraint {
    /// The envelope sender is null, unknown or no address: nobody could be told.
    NullSender,
    /// Nobody vouches for the sender: it may be forged.
    Unauthenticated,
    /// The message is a report itself.
    Report,
    /// A program wrote it (Auto-Submitted).
    AutoSubmitted,
    /// It came over a list, or is bulk mail.
    List,
    /// The sender is a program: `mailer-daemon`, `owner-LIST`, `LIST-request`, `no-reply`.
    Robot,
    /// It asks that no automatic reply be sent.
    Suppressed,
    /// None of the own addresses stands in To or Cc.
    NotAddressed,
}

impl Restraint {
    /// All of them.
    pub const ALL: &'static [Restraint] = &[
        Restraint::NullSender,
        Restraint::Unauthenticated,
        Restraint::Report,
        Restraint::AutoSubmitted,
        Restraint::List,
        Restraint::Robot,
        Restraint::Suppressed,
        Restraint::NotAddressed,
    ];

    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Restraint::NullSender => "null-sender",
            Restraint::Unauthenticated => "unauthenticated",
            Restraint::Report => "report",
            Restraint::AutoSubmitted => "auto-submitted",
            Restraint::List => "list",
            Restraint::Robot => "robot",
            Restraint::Suppressed => "suppressed",
            Restraint::NotAddressed => "not-addressed",
        }
    }

    /// One sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Restraint::NullSender => "The sender is null or no address, so that nobody can be answered.",
            Restraint::Unauthenticated => {
                "Nobody vouches for the sender; an answer may go to somebody who sent nothing."
            }
            Restraint::Report => "It is a report of a mail system or program, which nobody answers.",
            Restraint::AutoSubmitted => "A program wrote it.",
            Restraint::List => "It came over a mailing list or is bulk mail.",
            Restraint::Robot => "The sender is a program.",
            Restraint::Suppressed => "It asks for no automatic replies.",
            Restraint::NotAddressed => "It is not addressed to this recipient by name.",
        }
    }
}

/// Whether a bounce may be sent for a message that was taken in.
///
/// `authenticated` says that someone vouches for the envelope sender: SMTP authentication, the own network, or SPF that
/// passed. The sender is that of the envelope, else of Return-Path above the first Received.
///
/// ```
/// use backstop::bounce::{Envelope, Restraint, may_bounce};
/// let from = |sender| Envelope { sender: Some(sender), recipient: None };
/// let mail = b"From: bob@example.org\r\n\r\nhello\r\n";
/// assert_eq!(may_bounce(mail, &from(b"bob@example.org"), true), Ok(()));
/// assert_eq!(may_bounce(mail, &from(b"bob@example.org"), false), Err(Restraint::Unauthenticated));
/// assert_eq!(may_bounce(mail, &from(b"<>"), true), Err(Restraint::NullSender));
/// ```
///
/// # Errors
/// Why not.
pub fn may_bounce(message: &[u8], envelope: &Envelope<'_>, authenticated: bool) -> Result<(), Restraint> {
    let (block, _) = Block::read(without_blank_lines(message));
    sender(message, envelope).ok_or(Restraint::NullSender)?;
    if parts::content(&block, false).is("multipart", "report") {
        Err(Restraint::Report)
    } else if !authenticated {
        Err(Restraint::Unauthenticated)
    } else {
        Ok(())
    }
}

/// Whether an automatic reply (vacation, receipt) may be sent for one of these own addresses (RFC 3834 section 2).
///
/// They are without tags; brackets, a route and quotes are as RCPT may have them. How often one sender is answered is for the caller to keep.
///
/// ```
/// use backstop::bounce::{Envelope, Restraint, may_autorespond};
/// let envelope = Envelope { sender: Some(b"bob@example.org"), recipient: Some(b"alice@example.com") };
/// let mail = b"From: bob@example.org\r\nTo: Alice <Alice@example.com>\r\n\r\nhello\r\n";
/// assert_eq!(may_autorespond(mail, &envelope, &["alice@example.com"], true), Ok(()));
/// assert_eq!(may_autorespond(mail, &envelope, &["carol@example.com"], true), Err(Restraint::NotAddressed));
/// ```
///
/// # Errors
/// Why not.
pub fn may_autorespond(
    message: &[u8],
    envelope: &Envelope<'_>,
    own: &[&str],
    authenticated: bool,
) -> Result<(), Restraint> {
    may_bounce(message, envelope, authenticated)?;
    let (block, _) = Block::read(without_blank_lines(message));
    let sender = sender(message, envelope).ok_or(Restraint::NullSender)?;
    let says = |name: &str, words: &[&str]| {
        block.all(name).any(|value| {
            let value = parts::text(value).to_lowercase();
            words.iter().any(|word| value.contains(word))
        })
    };
    let mailboxes: Vec<Mailbox<'_>> = own.iter().filter_map(|it| mailbox(it)).collect();
    let is_own = |named: &String| {
        let is_same = |named: Mailbox<'_>, own: &Mailbox<'_>| {
            own.content().eq_ignore_ascii_case(named.content()) && own.domain().eq_ignore_ascii_case(named.domain())
        };
        own.iter().any(|own| own.eq_ignore_ascii_case(named))
            || mailbox(named).is_some_and(|named| mailboxes.iter().any(|own| is_same(named, own)))
    };
    let submitted = block.all("Auto-Submitted").any(|value| !value.trim_ascii().eq_ignore_ascii_case(b"no"));
    let is_list = block.fields.iter().any(|field| {
        field.name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"List-"))
            || field.name.eq_ignore_ascii_case(b"X-Mailing-List")
    });
    if submitted {
        Err(Restraint::AutoSubmitted)
    } else if is_list || says("Precedence", &["bulk", "list", "junk", "auto_reply"]) {
        Err(Restraint::List)
    } else if is_robot(&sender) || block.get("From").is_some_and(|from| is_robot(&parts::address(from).address)) {
        Err(Restraint::Robot)
    } else if says("X-Auto-Response-Suppress", &["all", "oof", "autoreply"]) {
        Err(Restraint::Suppressed)
    } else if !["To", "Cc", "Resent-To", "Resent-Cc"]
        .iter()
        .flat_map(|name| block.all(name))
        .any(|value| parts::addresses(value).iter().any(is_own))
    {
        Err(Restraint::NotAddressed)
    } else {
        Ok(())
    }
}

/// The mailbox in a path, whatever brackets and route it has.
fn mailbox(address: &str) -> Option<Mailbox<'_>> {
    Path::parse_tagged(address.as_bytes()).ok()?.mailbox()
}

/// The sender that an answer would go to; one that the sender of the message wrote is not taken.
fn sender(message: &[u8], envelope: &Envelope<'_>) -> Option<String> {
    let given = match envelope.sender {
        Some(sender) => sender.to_vec(),
        None => arrival(message, &[]).sender?.into_bytes(),
    };
    match Path::parse_tagged(given.trim_ascii()).ok()? {
        Path::Mailbox(mailbox) => Some(String::from_utf8_lossy(mailbox.as_bytes()).into_owned()),
        Path::Null | Path::Postmaster => None,
    }
}

/// Names of programs, as those of RFC 3834 and of vacation programs, and what sites call the sender that nobody reads.
fn is_robot(address: &str) -> bool {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local).to_ascii_lowercase();
    let joined: String = local.chars().filter(|it| !matches!(it, '-' | '.' | '_')).collect();
    let first = local.split(['-', '+', '=', '.', '_']).next().unwrap_or_default();
    let whole = ["mailer-daemon", "mailer", "majordomo", "listserv", "mailman", "uucp"];
    let ends = ["-request", "-owner", "-relay", "-bounces", "-bounce", "-admin", "-errors"];
    let unread = ["noreply", "donotreply"];
    whole.contains(&local.as_str())
        || local.starts_with("owner-")
        || ["bounce", "bounces"].contains(&first)
        || ends.iter().any(|end| local.ends_with(end))
        || unread.iter().any(|name| joined.starts_with(name) || joined.ends_with(name))
}

#[cfg(test)]
mod tests {
    use super::is_robot;

    #[test]
    fn names_of_programs_are_known_and_those_of_people_are_not_taken_for_them() {
        for name in
            ["noreply-dmarc-support", "no.reply", "news_no-reply", "do.not.reply", "bounces+123", "bounce-7-a=b"]
        {
            assert!(is_robot(&format!("{name}@example.org")), "{name}");
        }
        for name in [
            "mailer-daemon",
            "MAILER",
            "owner-list",
            "list-request",
            "list-bounces",
            "bounce",
            "x-noreply",
            "majordomo",
            "x-errors",
        ] {
            assert!(is_robot(&format!("{name}@example.org")), "{name}");
        }
        for name in ["alice", "norepl", "reply", "bouncer", "owner.of.it", "requester", "mailer7"] {
            assert!(!is_robot(&format!("{name}@example.org")), "{name}");
        }
    }
}
