//! The lines of OpenSMTPD's filter protocol (smtpd-filters(7)), versions 0.5 to 0.7.
//!
//! ```text
//! config|KEY|VALUE ... config|ready
//! report|VERSION|TIME|smtp-in|EVENT|SESSION|...        link-connect|SESSION|rdns|fcrdns|SOURCE|DESTINATION
//!                                                      link-auth|SESSION|USER|RESULT       since 0.7: RESULT|USER
//!                                                      tx-begin|SESSION|MESSAGE            link-disconnect|SESSION
//!                                                      tx-mail|SESSION|MESSAGE|RESULT|ADDRESS    before 0.6: ADDRESS|RESULT
//! filter|VERSION|TIME|smtp-in|PHASE|SESSION|TOKEN|ADDRESS          data-line: a line of the mail, dots as in SMTP
//! ```
//!
//! SESSION and TOKEN are hexadecimal. The address has no brackets, is empty for the null sender, and may hold a `|`, as may
//! names that strangers choose (reverse DNS, users): those are read from the side on which nothing can be slipped in.
//! A source is `192.0.2.1:25`, `[2001:db8::1]:25`, or `unix:/path` for mail of this host.

use std::net::{IpAddr, SocketAddr};

use crate::decide::STRANGER;

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// The handshake is over; it waits to be told what is wanted.
    Ready,
    /// A client came: its address and port, port 0 for this host itself.
    Connect(u64, (Option<IpAddr>, u16)),
    /// A client authenticated, or tried to.
    Auth(u64, bool),
    /// A mail begins: its MAIL was accepted.
    Begin(u64),
    /// Its queue id, and its sender as the client gave it, whatever filters made of it.
    Mail(u64, &'a [u8], &'a [u8]),
    /// A MAIL was not accepted, by whomever; no mail begins.
    Fail(u64),
    /// A client left.
    Disconnect(u64),
    /// A question that waits for an answer.
    Ask(Question<'a>),
    /// Something else, of no use here.
    Other,
}

/// A step of a session that wants to know how to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// The step.
    pub phase: Phase,
    /// The session.
    pub session: u64,
    /// Session and token as they came, `SESSION|TOKEN`, for the answer.
    pub key: &'a [u8],
    /// The address, or the line of the mail.
    pub address: &'a [u8],
}

/// The steps that are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// MAIL.
    MailFrom,
    /// RCPT.
    RcptTo,
    /// DATA.
    Data,
    /// A line of the mail, which is to be given back.
    DataLine,
    /// The mail is there.
    Commit,
    /// One that was not asked for; it may go on.
    Other,
}

/// Why a line cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault<'a> {
    /// Another version: fields may mean something else, so nothing of it may be believed.
    Version(&'a [u8]),
    /// It has not the shape of its kind.
    Shape,
}

/// Reads a line without its end.
///
/// # Errors
/// [`Fault`].
pub fn parse(line: &[u8]) -> Result<Line<'_>, Fault<'_>> {
    let (kind, rest) = cut(line);
    match kind {
        b"config" => Ok(if rest == Some(b"ready") { Line::Ready } else { Line::Other }),
        b"report" | b"filter" => {
            let (version, rest) = cut(rest.ok_or(Fault::Shape)?);
            let minor = match version {
                b"0.5" => 5,
                b"0.6" => 6,
                b"0.7" => 7,
                _ => return Err(Fault::Version(version)),
            };
            let (_time, rest) = cut(rest.ok_or(Fault::Shape)?);
            let (subsystem, rest) = cut(rest.ok_or(Fault::Shape)?);
            let (what, rest) = cut(rest.ok_or(Fault::Shape)?);
            let rest = rest.ok_or(Fault::Shape)?;
            match (kind, subsystem) {
                (b"filter", _) => question(what, rest),
                (_, b"smtp-in") => report(what, rest, minor),
                _ => Ok(Line::Other),
            }
        }
        _ => Err(Fault::Shape),
    }
}

fn report<'a>(event: &[u8], rest: &'a [u8], minor: u8) -> Result<Line<'a>, Fault<'a>> {
    let (session, rest) = cut(rest);
    let session = number(session).ok_or(Fault::Shape)?;
    let values = || rest.ok_or(Fault::Shape);
    Ok(match event {
        b"link-connect" => {
            // rdns|fcrdns|source|destination: the host's name is a stranger's choice.
            let source = values()?.rsplit(|octet| *octet == b'|').nth(1).ok_or(Fault::Shape)?;
            Line::Connect(session, client(source))
        }
        b"link-auth" => {
            let mut fields = values()?.split(|octet| *octet == b'|');
            // The user's name is the client's choice: `x|pass` is a name as good as any.
            let result = if minor >= 7 { fields.next() } else { fields.next_back() };
            Line::Auth(session, result == Some(b"pass"))
        }
        b"tx-begin" => Line::Begin(session),
        b"tx-mail" => {
            let (queue, rest) = cut(values()?);
            let rest = rest.ok_or(Fault::Shape)?;
            // The address may hold a bar, the result holds none.
            let at = if minor >= 6 { rest.strip_prefix(b"ok|") } else { rest.strip_suffix(b"|ok") };
            at.map_or(Line::Fail(session), |sender| Line::Mail(session, queue, sender))
        }
        b"link-disconnect" => Line::Disconnect(session),
        _ => Line::Other,
    })
}

fn question<'a>(phase: &[u8], key: &'a [u8]) -> Result<Line<'a>, Fault<'a>> {
    let (session, rest) = cut(key);
    let (token, address) = cut(rest.ok_or(Fault::Shape)?);
    let session_number = number(session).ok_or(Fault::Shape)?;
    number(token).ok_or(Fault::Shape)?;
    let key = key.get(..session.len() + 1 + token.len()).ok_or(Fault::Shape)?;
    let phase = match phase {
        b"mail-from" => Phase::MailFrom,
        b"rcpt-to" => Phase::RcptTo,
        b"data" => Phase::Data,
        b"data-line" => Phase::DataLine,
        b"commit" => Phase::Commit,
        _ => Phase::Other,
    };
    Ok(Line::Ask(Question { phase, session: session_number, key, address: address.unwrap_or_default() }))
}

/// The client behind a source.
fn client(source: &[u8]) -> (Option<IpAddr>, u16) {
    if source.starts_with(b"unix:") {
        return (None, 0);
    }
    let parsed = std::str::from_utf8(source).ok().and_then(|text| text.parse::<SocketAddr>().ok());
    // A port 0 would make it this host, which nobody who came by TCP is.
    parsed.map_or(STRANGER, |address| (Some(address.ip()), address.port().max(1)))
}

/// Up to 16 hexadecimal digits.
fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().all(u8::is_ascii_hexdigit) && text.len() <= 16;
    let text = std::str::from_utf8(text).ok().filter(|_| digits)?;
    u64::from_str_radix(text, 16).ok()
}

/// The first field, and what stands behind it if anything does.
fn cut(line: &[u8]) -> (&[u8], Option<&[u8]>) {
    match line.iter().position(|octet| *octet == b'|').and_then(|at| line.split_at_checked(at)) {
        Some((field, rest)) => (field, rest.get(1..)),
        None => (line, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: u64 = 0x0799_2ef0_3a3b_9c16;

    fn ask(phase: Phase, address: &[u8]) -> Result<Line<'_>, Fault<'_>> {
        Ok(Line::Ask(Question { phase, session: SID, key: b"07992ef03a3b9c16|85af90f1abcacb9e", address }))
    }

    fn connect(ip: &str, port: u16) -> Result<Line<'static>, Fault<'static>> {
        Ok(Line::Connect(SID, (Some(ip.parse().unwrap()), port)))
    }

    /// `report` without its beginning, in this version.
    fn report(version: &str, rest: &str) -> String {
        format!("report|{version}|1795300471.716358|smtp-in|{}", rest.replace("SID", "07992ef03a3b9c16"))
    }

    fn filter(rest: &str) -> String {
        format!("filter|0.6|1795300471.7|smtp-in|{}", rest.replace("KEY", "07992ef03a3b9c16|85af90f1abcacb9e"))
    }

    #[test]
    fn every_line_that_opensmtpd_6_8_sends_is_read() {
        for (line, read) in [
            ("config|smtpd-version|6.8.0p2".to_owned(), Ok(Line::Other)),
            ("config|subsystem|smtp-in".to_owned(), Ok(Line::Other)),
            ("config|ready".to_owned(), Ok(Line::Ready)),
            (
                report("0.6", "link-connect|SID|localhost|pass|127.0.0.1:53872|127.0.0.1:21510"),
                connect("127.0.0.1", 53872),
            ),
            (report("0.6", "link-connect|SID||fail|[2001:db8::1]:25|[::1]:25"), connect("2001:db8::1", 25)),
            (
                report("0.6", "link-connect|SID|vm|pass|unix:/var/run/smtpd.sock|unix:/var/run/smtpd.sock"),
                Ok(Line::Connect(SID, (None, 0))),
            ),
            (report("0.6", "link-auth|SID|alice|pass"), Ok(Line::Auth(SID, true))),
            (report("0.6", "link-auth|SID|alice|fail"), Ok(Line::Auth(SID, false))),
            (report("0.7", "link-auth|SID|pass|alice"), Ok(Line::Auth(SID, true))),
            (report("0.6", "tx-begin|SID|ac9124ff"), Ok(Line::Begin(SID))),
            (
                report("0.6", "tx-mail|SID|ac9124ff|ok|a|b@example.com"),
                Ok(Line::Mail(SID, b"ac9124ff", b"a|b@example.com")),
            ),
            (report("0.7", "tx-mail|SID|ac9124ff|ok|"), Ok(Line::Mail(SID, b"ac9124ff", b""))),
            (report("0.6", "tx-mail|SID|00000000|permfail|a|ok"), Ok(Line::Fail(SID))),
            (
                report("0.5", "tx-mail|SID|ac9124ff|ok|b@example.com|ok"),
                Ok(Line::Mail(SID, b"ac9124ff", b"ok|b@example.com")),
            ),
            (report("0.5", "tx-mail|SID|00000000|ok|b@example.com|tempfail"), Ok(Line::Fail(SID))),
            (report("0.6", "link-disconnect|SID"), Ok(Line::Disconnect(SID))),
            (filter("mail-from|KEY|alice@example.com"), ask(Phase::MailFrom, b"alice@example.com")),
            (filter("mail-from|KEY|"), ask(Phase::MailFrom, b"")),
            (filter("rcpt-to|KEY|a|b@example.com"), ask(Phase::RcptTo, b"a|b@example.com")),
            (filter("data|KEY|"), ask(Phase::Data, b"")),
            (filter("data-line|KEY|a|..b|"), ask(Phase::DataLine, b"a|..b|")),
            (filter("commit|KEY|"), ask(Phase::Commit, b"")),
            (filter("helo|KEY|x"), ask(Phase::Other, b"x")),
        ] {
            assert_eq!(parse(line.as_bytes()), read, "{line}");
        }
    }

    #[test]
    fn what_a_stranger_names_himself_proves_nothing() {
        for (line, read) in [
            (report("0.6", "link-auth|SID|x|pass|fail"), Ok(Line::Auth(SID, false))),
            (report("0.7", "link-auth|SID|fail|x|pass"), Ok(Line::Auth(SID, false))),
            (
                report("0.6", "link-connect|SID|x|pass|unix:/a|unix:/b|fail|192.0.2.1:9|192.0.2.2:25"),
                connect("192.0.2.1", 9),
            ),
            (report("0.6", "link-connect|SID|x|pass|192.0.2.1:0|192.0.2.2:25"), connect("192.0.2.1", 1)),
            (report("0.6", "link-connect|SID|x|pass|nowhere|192.0.2.2:25"), Ok(Line::Connect(SID, STRANGER))),
            ("report|0.6|1|smtp-out|link-auth|07992ef03a3b9c16|x|pass".to_owned(), Ok(Line::Other)),
        ] {
            assert_eq!(parse(line.as_bytes()), read, "{line}");
        }
    }

    #[test]
    fn versions_in_which_fields_may_mean_something_else_are_not_read() {
        for version in ["0.4", "0.8", "1.0", "", "0.60"] {
            let line = report(version, "link-auth|SID|alice|pass");
            assert_eq!(parse(line.as_bytes()), Err(Fault::Version(version.as_bytes())), "{line}");
        }
    }

    #[test]
    fn what_has_not_the_shape_of_its_kind_is_told() {
        for line in [
            "",
            "hello",
            "report",
            "report|0.6",
            "filter|0.6|1|smtp-in|mail-from",
            "filter|0.6|1|smtp-in|mail-from|0799",
            "filter|0.6|1|smtp-in|mail-from|0799|xyz|a@b",
            "filter|0.6|1|smtp-in|mail-from|+799|1|a@b",
            "filter|0.6|1|smtp-in|mail-from|07992ef03a3b9c161|1|a@b",
            "report|0.6|1|smtp-in|link-connect|0799",
            "report|0.6|1|smtp-in|link-connect||a|b|c|d",
            "report|0.6|1|smtp-in|tx-mail|0799",
            "report|0.6|1|smtp-in|tx-mail|0799|ac9124ff",
        ] {
            assert_eq!(parse(line.as_bytes()), Err(Fault::Shape), "{line}");
        }
    }

    #[test]
    fn every_beginning_of_every_line_is_read_without_a_panic() {
        let line = filter("mail-from|KEY|alice@example.com");
        for end in 0..line.len() {
            let _ = parse(&line.as_bytes()[..end]);
        }
    }
}
