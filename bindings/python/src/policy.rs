//! The policy: read from its TOML form, and its decisions about senders and recipients.

use std::net::IpAddr;

use backstop::policy::{Client, Incoming, Need, Origin, Outgoing, Rule};
use pyo3::prelude::*;

use crate::error::{IP, failed, fault};
use crate::input::{Now, Number, Text, Texts, day, word};
use crate::inspection::Inspection;
use crate::keys::KeyRing;
use crate::output::{shown, text};

/// What a site decides about its envelopes. It never changes.
#[pyclass(frozen, module = "backstop")]
pub(crate) struct Policy(backstop::policy::Policy);

impl Policy {
    pub(crate) const fn policy(&self) -> &backstop::policy::Policy {
        &self.0
    }
}

#[pymethods]
impl Policy {
    /// Reads the table `[policy]` of a TOML text; other tables are left alone.
    #[staticmethod]
    fn parse(text: Text<'_>) -> PyResult<Policy> {
        backstop::policy::Policy::parse(text.octets()).map(Policy).map_err(failed)
    }

    /// The keys of the policy by which it asks something of the program around it, such as "exempt-clients", so that one that
    /// cannot give it says so.
    fn needs(&self) -> Vec<&'static str> {
        Need::ALL.iter().filter(|need| self.0.needs(**need)).map(|need| need.key()).collect()
    }

    /// Tells the origin of a mail: whether its client authenticated, its IP address as text (None if unknown) and its
    /// port (0 for the mail system itself).
    fn origin(&self, authenticated: bool, ip: Option<Text<'_>>, port: Number) -> PyResult<&'static str> {
        Ok(self.0.origin(authenticated, address(ip)?, port.port()?).as_str())
    }

    /// Tells the class of a client, from what `origin` takes.
    fn client(&self, authenticated: bool, ip: Option<Text<'_>>, port: Number) -> PyResult<&'static str> {
        Ok(self.0.client(authenticated, address(ip)?, port.port()?).as_str())
    }

    /// Decides about the sender of a mail that leaves, from its recipients and its origin.
    #[pyo3(signature = (ring, sender, recipients, origin, now=None))]
    fn outgoing(
        &self,
        ring: &KeyRing,
        sender: Text<'_>,
        recipients: &Bound<'_, PyAny>,
        origin: Text<'_>,
        now: Option<Now>,
    ) -> PyResult<Sender> {
        let recipients = Texts::of(recipients)?;
        let origin = word("origin", &origin, Origin::ALL, Origin::as_str)?;
        let recipients = recipients.slices();
        Sender::of(&self.0.outgoing(ring.ring(), sender.octets(), recipients.iter().copied(), origin, day(now)?))
    }

    /// Decides about the sender of a mail that is forwarded; `recipient` is the address here that forwards it.
    #[pyo3(signature = (ring, sender, recipient, now=None))]
    fn forward(&self, ring: &KeyRing, sender: Text<'_>, recipient: Text<'_>, now: Option<Now>) -> PyResult<Sender> {
        Sender::of(&self.0.forward(ring.ring(), sender.octets(), recipient.octets(), day(now)?))
    }

    /// Decides about one recipient of a mail from `sender`, both exactly as MAIL and RCPT gave them.
    #[pyo3(signature = (ring, sender, recipient, client, now=None))]
    fn incoming(
        &self,
        ring: &KeyRing,
        sender: Text<'_>,
        recipient: Text<'_>,
        client: Text<'_>,
        now: Option<Now>,
    ) -> PyResult<Decision> {
        let client = word("client", &client, Client::ALL, Client::as_str)?;
        Decision::of(&self.0.incoming(ring.ring(), sender.octets(), recipient.octets(), client, day(now)?))
    }

    /// Decides once more when the message is there, about a recipient whose decision has `by_message`. `inspection` is that of
    /// the message for this very recipient; the rest is what `incoming` was given, `now` too: midnight may have passed.
    #[pyo3(signature = (ring, sender, recipient, client, inspection, now=None))]
    fn incoming_message(
        &self,
        ring: &KeyRing,
        sender: Text<'_>,
        recipient: Text<'_>,
        client: Text<'_>,
        inspection: &Inspection,
        now: Option<Now>,
    ) -> PyResult<Decision> {
        let client = word("client", &client, Client::ALL, Client::as_str)?;
        let (ring, seen, day) = (ring.ring(), inspection.seen(), day(now)?);
        Decision::of(&self.0.incoming_message(ring, sender.octets(), recipient.octets(), client, seen, day))
    }

    fn __repr__(&self) -> String {
        format!("<backstop.Policy for {}>", self.0.own_domains().as_str())
    }
}

fn address(ip: Option<Text<'_>>) -> PyResult<Option<IpAddr>> {
    let Some(ip) = ip.filter(|ip| !ip.octets().is_empty()) else { return Ok(None) };
    let ip = ip.utf8().and_then(|ip| ip.parse().ok());
    ip.map(Some).ok_or_else(|| fault(IP, "the text is no IP address; write 192.0.2.1 or 2001:db8::1"))
}

/// The decision about a sender.
#[pyclass(frozen, eq, hash, module = "backstop")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Sender {
    /// The new sender; None if it stays as it is.
    #[pyo3(get)]
    rewrite: Option<String>,
    rule: Rule,
}

#[pymethods]
impl Sender {
    /// The word of the rule that decided.
    #[getter]
    const fn rule(&self) -> &'static str {
        self.rule.slug()
    }

    /// What the rule says, for people.
    #[getter]
    const fn sentence(&self) -> &'static str {
        self.rule.sentence()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf, &["rewrite", "rule"])
    }
}

impl Sender {
    fn of(decided: &Outgoing) -> PyResult<Sender> {
        let rewrite = decided.rewrite.as_ref().map(|address| text(address.as_bytes())).transpose()?;
        Ok(Sender { rewrite, rule: decided.rule })
    }
}

/// The decision about one recipient.
#[pyclass(frozen, eq, hash, module = "backstop")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Decision {
    /// What to do: unchanged, strip, reverse or refuse.
    #[pyo3(get)]
    action: &'static str,
    /// What mode enforce would do; differs from `action` only where that is to refuse.
    #[pyo3(get)]
    would: &'static str,
    rule: Rule,
    /// The word of the verdict; None if it is no address or not for this site to judge.
    #[pyo3(get)]
    verdict: Option<&'static str>,
    /// The word of the verdict's reason.
    #[pyo3(get)]
    reason: Option<&'static str>,
    /// The mode in force for the recipient's domain on this day.
    #[pyo3(get)]
    mode: &'static str,
    /// When to refuse, if the action is to refuse: rcpt, data or message.
    #[pyo3(get)]
    refuse_at: &'static str,
    /// Whether the message is to be judged as well before this is final: inspect it and ask `incoming_message`.
    #[pyo3(get)]
    by_message: bool,
    /// Whether this deserves a line in the log.
    #[pyo3(get)]
    log: bool,
    /// The recipient in place of the given one, if the action is to strip or reverse.
    #[pyo3(get)]
    address: Option<String>,
    /// The SMTP reply such as "550 5.7.1 ...", if the action is to refuse.
    #[pyo3(get)]
    reply: Option<&'static str>,
}

#[pymethods]
impl Decision {
    /// The word of the rule that says why `would` is what it is.
    #[getter]
    const fn rule(&self) -> &'static str {
        self.rule.slug()
    }

    /// What the rule says, for people.
    #[getter]
    const fn sentence(&self) -> &'static str {
        self.rule.sentence()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let judged = ["action", "would", "rule", "verdict", "reason", "mode"];
        shown(slf, &[judged.as_slice(), &["refuse_at", "by_message", "log", "address", "reply"]].concat())
    }
}

impl Decision {
    fn of(decided: &Incoming<'_>) -> PyResult<Decision> {
        Ok(Decision {
            action: decided.action.slug(),
            would: decided.would.slug(),
            rule: decided.rule,
            verdict: decided.verdict.as_ref().map(backstop::Verdict::slug),
            reason: decided.verdict.as_ref().and_then(backstop::Verdict::reason),
            mode: decided.mode.as_str(),
            refuse_at: decided.refuse_at.as_str(),
            by_message: decided.by_message,
            log: decided.log,
            address: decided.action.address().map(|address| text(address.as_bytes())).transpose()?,
            reply: decided.reply,
        })
    }
}
