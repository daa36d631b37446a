//! The policy delegation of Postfix (SMTPD_POLICY_README): refuses recipients.
//!
//! ```text
//! request = *( name "=" value LF ) LF        request=smtpd_access_policy, protocol_state, sender, recipient, ...
//! reply   = "action=" action LF LF           DUNNO, or a reply such as 550 5.7.1 text
//! ```
//!
//! `sender` is empty for `<>`, `recipient` is the original address with its tag, both without the quotes that the local part
//! has in SMTP; `queue_id` is empty at the first RCPT, `instance` names the transaction. Postfix asks at RCPT; at DATA as well
//! if `smtpd_data_restrictions` say so, which `at-data = true` promises; then refusals can wait until there (`hold.rs`).
//!
//! A request longer than [`MAX_REQUEST`] or of another kind ends the connection. One connection carries one transaction
//! at a time; a transaction keeps the snapshot with which it began. DATA may come by another connection than RCPT (either side
//! ends idle ones): with the one recipient that Postfix then names, the answer is what RCPT would have been told.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use backstop::Path;

use crate::clock::Now;
use crate::decide::{Context, STRANGER};
use crate::exchange::Broken;
use crate::faces::Face;
use crate::faces::hold::{Reach, Recipients, Told};
use crate::state::{Snapshot, State};

/// The longest request: some forty attributes, two of them addresses.
pub const MAX_REQUEST: usize = 16_384;
/// The longest instance that is remembered; Postfix makes some twenty octets.
const MAX_INSTANCE: usize = 256;

/// What of a request matters here; absent attributes are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Request<'a> {
    /// `protocol_state`: RCPT, DATA and others.
    pub state: &'a [u8],
    /// The sender, empty for the null sender.
    pub sender: &'a [u8],
    /// The recipient.
    pub recipient: &'a [u8],
    /// The address of the client, as text.
    pub client_address: &'a [u8],
    /// Its port, as text.
    pub client_port: &'a [u8],
    /// The SASL user, empty without authentication.
    pub sasl_username: &'a [u8],
    /// The queue id, if there is one yet.
    pub queue_id: &'a [u8],
    /// The transaction.
    pub instance: &'a [u8],
}

/// The first request in the buffer and the octets that it takes; `None` while it is not whole.
///
/// # Errors
/// [`Broken`] if it is too long or of another kind.
pub fn parse(buffer: &[u8]) -> Result<Option<(Request<'_>, usize)>, Broken> {
    let (mut request, mut kind, mut taken) = (Request::default(), &b""[..], 0);
    for line in buffer.split_inclusive(|octet| *octet == b'\n') {
        taken += line.len();
        if taken > MAX_REQUEST {
            break;
        }
        let Some(line) = line.strip_suffix(b"\n") else { break };
        if line.is_empty() {
            return match kind {
                b"smtpd_access_policy" => Ok(Some((request, taken))),
                _ => Err(Broken("a request that is not request=smtpd_access_policy")),
            };
        }
        let at = line.iter().position(|octet| *octet == b'=').ok_or(Broken("a line without a `=`"))?;
        let (name, value) = line.split_at_checked(at).unwrap_or_default();
        let value = value.get(1..).unwrap_or_default();
        match name {
            b"request" => kind = value,
            b"protocol_state" => request.state = value,
            b"sender" => request.sender = value,
            b"recipient" => request.recipient = value,
            b"client_address" => request.client_address = value,
            b"client_port" => request.client_port = value,
            b"sasl_username" => request.sasl_username = value,
            b"queue_id" => request.queue_id = value,
            b"instance" => request.instance = value,
            _ => {}
        }
    }
    if buffer.len() >= MAX_REQUEST { Err(Broken("a request of more than 16384 octets")) } else { Ok(None) }
}

/// What a connection remembers between two requests.
#[derive(Debug, Default)]
pub struct Session {
    transaction: Option<Transaction>,
}

#[derive(Debug)]
struct Transaction {
    instance: Vec<u8>,
    snapshot: Arc<Snapshot>,
    recipients: Recipients,
}

impl Session {
    /// Answers the first request in the buffer; 0 while it is not whole.
    ///
    /// # Errors
    /// [`Broken`] if the connection is of no more use.
    pub fn answer(&mut self, state: &State, buffer: &[u8], out: &mut Vec<u8>) -> Result<usize, Broken> {
        let Some((request, taken)) = parse(buffer)? else { return Ok(0) };
        let action = match state.clock.now() {
            None => "451 4.3.0 The clock of the policy service shows no usable time",
            Some(now) => self.decide(state, &request, now).unwrap_or("DUNNO"),
        };
        out.extend_from_slice(b"action=");
        out.extend_from_slice(action.as_bytes());
        out.extend_from_slice(b"\n\n");
        Ok(taken)
    }

    /// The reply to refuse with.
    fn decide(&mut self, state: &State, request: &Request<'_>, now: Now) -> Option<&'static str> {
        let transaction = self.transaction(state, request.instance);
        match request.state {
            b"RCPT" => transaction.recipient(state, request, now),
            b"DATA" => transaction.data(state, request, now),
            _ => None,
        }
    }

    fn transaction(&mut self, state: &State, instance: &[u8]) -> &mut Transaction {
        let instance = instance.get(..MAX_INSTANCE).unwrap_or(instance);
        let same = |it: &Transaction| it.instance == instance && !instance.is_empty();
        let kept = self.transaction.take().filter(same);
        self.transaction.insert(kept.unwrap_or_else(|| Transaction {
            instance: instance.to_vec(),
            snapshot: state.snapshot(),
            recipients: Recipients::default(),
        }))
    }
}

impl Transaction {
    fn recipient(&mut self, state: &State, request: &Request<'_>, now: Now) -> Option<&'static str> {
        let (snapshot, context) = (&*self.snapshot, context(&self.snapshot, request));
        let (sender, recipient) = (as_in_smtp(request.sender), as_in_smtp(request.recipient));
        let reach = if self.can_wait() { Reach::DATA } else { Reach::RCPT };
        match self.recipients.next(state, snapshot, &context, &sender, &recipient, reach, now).1 {
            Told::Refuse(reply) => Some(reply),
            Told::Go | Told::Wait => None,
        }
    }

    fn data(&mut self, state: &State, request: &Request<'_>, now: Now) -> Option<&'static str> {
        let (snapshot, context) = (&*self.snapshot, context(&self.snapshot, request));
        let only = if self.can_wait() { as_in_smtp(request.recipient) } else { Cow::Borrowed(&b""[..]) };
        self.recipients.data(state, snapshot, &context, &as_in_smtp(request.sender), &only, now)
    }

    /// Whether a refusal may wait for DATA.
    fn can_wait(&self) -> bool {
        self.snapshot.config.policy_service_at_data && !self.instance.is_empty()
    }
}

/// An address with the quotes that its local part needs in SMTP: Postfix leaves them away, callers like Exim do not.
fn as_in_smtp(address: &[u8]) -> Cow<'_, [u8]> {
    let at = address.iter().rposition(|octet| *octet == b'@').filter(|_| Path::parse_tagged(address).is_err());
    let Some((local, domain)) = at.and_then(|at| address.split_at_checked(at)) else { return Cow::Borrowed(address) };
    let mut quoted = vec![b'"'];
    for octet in local {
        if matches!(octet, b'"' | b'\\') {
            quoted.push(b'\\');
        }
        quoted.push(*octet);
    }
    quoted.push(b'"');
    quoted.extend_from_slice(domain);
    Cow::Owned(quoted)
}

fn context<'a>(snapshot: &Snapshot, request: &Request<'a>) -> Context<'a> {
    let text = |octets| std::str::from_utf8(octets).ok();
    let ip = text(request.client_address).and_then(|ip| ip.parse::<IpAddr>().ok());
    // Postfix before 3.0 tells no port.
    let port = text(request.client_port).and_then(|port| port.parse().ok()).unwrap_or(STRANGER.1);
    let authenticated = !request.sasl_username.is_empty();
    let context = Context::of_client(Face::PolicyService, snapshot, (ip, port), authenticated);
    context.of_mail(request.queue_id, request.instance)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RCPT: &[u8] =
        b"request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\nclient_address=192.0.2.1\n\
        client_name=mx.example.org\nreverse_client_name=\nhelo_name=mx\nsender=\nrecipient=a=b@example.com\n\
        recipient_count=0\nqueue_id=\ninstance=123.456.7\nsize=0\nsasl_username=\nclient_port=1234\n\n";

    #[test]
    fn the_attributes_that_matter_are_taken_and_values_may_hold_an_equals_sign() {
        let (request, taken) =
            parse(&[RCPT, b"request="].concat()).unwrap().map(|(it, at)| (it.recipient.to_vec(), at)).unwrap();
        assert_eq!((request, taken), (b"a=b@example.com".to_vec(), RCPT.len()));
        let (request, _) = parse(RCPT).unwrap().unwrap();
        let expected = Request {
            state: b"RCPT",
            sender: b"",
            recipient: b"a=b@example.com",
            client_address: b"192.0.2.1",
            client_port: b"1234",
            sasl_username: b"",
            queue_id: b"",
            instance: b"123.456.7",
        };
        assert_eq!(request, expected);
    }

    #[test]
    fn a_local_part_has_the_quotes_that_it_needs_and_no_other_address_changes() {
        for (told, expected) in [
            ("alice+ x@example.com", r#""alice+ x"@example.com"#),
            ("alice+(x@example.com", r#""alice+(x"@example.com"#),
            ("a\"b\\c@example.com", r#""a\"b\\c"@example.com"#),
            ("a@b@example.com", r#""a@b"@example.com"#),
            ("a..b@example.com", "a..b@example.com"),
            ("prvs=1788abcdef=two words@example.com", r#""prvs=1788abcdef=two words"@example.com"#),
            ("@example.com", r#"""@example.com"#),
            ("alice@example.com", "alice@example.com"),
            (r#""two words"@example.com"#, r#""two words"@example.com"#),
            ("", ""),
            ("postmaster", "postmaster"),
            ("two words", "two words"),
        ] {
            assert_eq!(String::from_utf8(as_in_smtp(told.as_bytes()).into_owned()).unwrap(), expected);
        }
    }

    #[test]
    fn every_beginning_of_a_request_waits_for_more() {
        for end in 0..RCPT.len() {
            assert_eq!(parse(&RCPT[..end]), Ok(None), "{end}");
        }
    }

    #[test]
    fn what_is_no_request_ends_the_connection() {
        let long = [&[b'a'; 8][..], b"=", &[b'x'; MAX_REQUEST]].concat();
        for (buffer, what) in [
            (&b"\n"[..], "a request that is not request=smtpd_access_policy"),
            (b"sender=a\n\n", "a request that is not request=smtpd_access_policy"),
            (b"request=junk_mail\n\n", "a request that is not request=smtpd_access_policy"),
            (b"GET / HTTP/1.1\r\n\r\n", "a line without a `=`"),
            (&long, "a request of more than 16384 octets"),
        ] {
            assert_eq!(parse(buffer), Err(Broken(what)));
        }
        let many = [&b"a=b\n".repeat(MAX_REQUEST / 4)[..], b"\n"].concat();
        assert_eq!(parse(&many), Err(Broken("a request of more than 16384 octets")));
    }
}
