//! What a returned message is, and whom this host may answer.

use backstop::Day;
use backstop::bounce::{self, Check as Checked, Envelope, Inspection as Seen, Outcome};
use pyo3::prelude::*;
use pyo3::types::PyDate;

use crate::error::{DOMAIN, OPTION, fault};
use crate::input::{Now, Text, Texts, day};
use crate::keys::KeyRing;
use crate::output::{date, shown};
use crate::policy::Policy;

/// One tag or mark that was checked, good or bad.
#[pyclass(frozen, eq, hash, module = "backstop")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Check {
    /// Where it stood.
    #[pyo3(get)]
    place: &'static str,
    /// What it is.
    #[pyo3(get)]
    verdict: &'static str,
    /// With unknown-key: whether keys of the ring signed on that day, for prvs on each day that it may be, so that it is none
    /// of ours.
    #[pyo3(get)]
    covered: bool,
    /// The character of the key that it names; None if it names none.
    #[pyo3(get)]
    key: Option<char>,
    /// The tag or mark itself, so that its uses can be counted.
    #[pyo3(get)]
    token: String,
    signed: Option<Day>,
    expires: Option<Day>,
}

#[pymethods]
impl Check {
    /// The day of signing; None if unknown.
    #[getter]
    fn signed<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDate>>> {
        date(py, self.signed)
    }

    /// The last day of validity; None if unknown.
    #[getter]
    fn expires<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDate>>> {
        date(py, self.expires)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf, &["place", "verdict", "covered", "key", "signed", "expires"])
    }
}

impl From<&Checked> for Check {
    fn from(check: &Checked) -> Check {
        // As a verdict of an address has it: the same word, and whether the ring covers the day.
        let (verdict, covered) = match check.outcome {
            Outcome::UnknownKey => (Outcome::UnknownKey.slug(), true),
            Outcome::NotCovered => (Outcome::UnknownKey.slug(), false),
            other => (other.slug(), false),
        };
        Check {
            place: check.place.slug(),
            verdict,
            covered,
            key: check.key,
            token: check.token.clone(),
            signed: check.signed,
            expires: check.expires,
        }
    }
}

/// All that is known of a message.
#[pyclass(frozen, module = "backstop")]
pub(crate) struct Inspection(Seen);

impl Inspection {
    pub(crate) const fn seen(&self) -> &Seen {
        &self.0
    }
}

#[pymethods]
impl Inspection {
    /// What kind of message it is.
    #[getter]
    const fn kind(&self) -> &'static str {
        self.0.kind.slug()
    }

    /// What it is to us.
    #[getter]
    const fn verdict(&self) -> &'static str {
        self.0.verdict.slug()
    }

    /// Why it is unproven; None unless it is.
    #[getter]
    fn why(&self) -> Option<&'static str> {
        self.0.verdict.why().map(|why| why.slug())
    }

    /// The verdict in one sentence.
    #[getter]
    const fn sentence(&self) -> &'static str {
        self.0.verdict.sentence()
    }

    /// What to do with it, in the mode of the recipient's domain. It knows no client: who receives mail asks
    /// `Policy.incoming_message`.
    #[getter]
    const fn advice(&self) -> &'static str {
        self.0.advice.slug()
    }

    /// What mode enforce would do with it.
    #[getter]
    const fn would(&self) -> &'static str {
        self.0.would.slug()
    }

    /// The SMTP reply where a policy may refuse after the message; None for what is never refused.
    #[getter]
    const fn reply(&self) -> Option<&'static str> {
        self.0.verdict.reply()
    }

    /// Why mail was not delivered, if a bounce tells.
    #[getter]
    fn failure(&self) -> Option<&'static str> {
        self.0.reason.map(|reason| reason.slug())
    }

    /// How much speaks for the kind; from 50 on it is one.
    #[getter]
    const fn score(&self) -> i32 {
        self.0.score
    }

    /// How much weak evidence says that the mail it answers was not ours (above 0) or was (below). It never decides.
    #[getter]
    const fn lean(&self) -> i32 {
        self.0.lean
    }

    /// What the score and the leaning are made of: id, weight, sentence.
    #[getter]
    fn evidence(&self) -> Vec<(&'static str, i32, &'static str)> {
        self.0.evidence.iter().map(|item| (item.id, item.weight, item.why)).collect()
    }

    /// Every tag and mark that was checked.
    #[getter]
    fn checks(&self) -> Vec<Check> {
        self.0.checks.iter().map(Check::from).collect()
    }

    /// The one that proves it; None unless it is genuine.
    #[getter]
    fn proof(&self) -> Option<Check> {
        self.0.proof().map(Check::from)
    }

    /// The recipient without its tag; None under a tag that nothing proves, and where the kind is not-a-bounce, since nobody
    /// looked at it then.
    #[getter]
    fn mailbox(&self) -> Option<&str> {
        self.0.mailbox.as_deref()
    }

    /// The host that reports, a reflector if this is backscatter.
    #[getter]
    fn reporting(&self) -> Option<&str> {
        self.0.source.reporting.as_deref()
    }

    /// The IP address that gave the returned mail to that host.
    #[getter]
    fn injector(&self) -> Option<String> {
        self.0.source.injector.as_ref().map(|injector| injector.ip.to_string())
    }

    /// The subject of the returned mail.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.0.source.subject.as_deref()
    }

    /// The address in the From of the returned mail.
    #[getter]
    fn returned_from(&self) -> Option<&str> {
        self.0.returned.first().and_then(|it| it.from.as_deref())
    }

    /// The Message-ID of the returned mail, without brackets.
    #[getter]
    fn returned_message_id(&self) -> Option<&str> {
        self.0.returned.first().and_then(|it| it.message_id.as_deref())
    }

    /// All that is known as one JSON object on one line, the same that `backstop inspect --json` prints. `file` says where
    /// the message stands; `dnsbl` are names of DNS lists: the object says what to ask them about the injecting host.
    #[pyo3(signature = (file=None, dnsbl=None))]
    fn json(&self, file: Option<Text<'_>>, dnsbl: Option<&Bound<'_, PyAny>>) -> PyResult<String> {
        let zones = dnsbl.map(Texts::of).transpose()?;
        let zones = zones.iter().flat_map(Texts::slices);
        let zones: Result<Vec<&str>, _> = zones.map(std::str::from_utf8).collect();
        let zones = zones.map_err(|error| {
            fault(DOMAIN, &format!("the name of a DNS list is not UTF-8 from octet {} on", error.valid_up_to()))
        })?;
        let mut json = Vec::new();
        self.0.json(file.as_ref().map(Text::octets), &zones, &mut json);
        // It is UTF-8 as it is.
        Ok(String::from_utf8_lossy(&json).into_owned())
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        shown(slf, &["kind", "verdict", "why", "advice", "score", "proof"])
    }
}

/// Judges one message for one recipient. What is None is read from the message, as stored mail wants it: the sender from
/// Return-Path, the recipient from X-Original-To, Envelope-To or Delivered-To above the first Received, never from To. For
/// a message that is just being received give the recipient: without any of these nothing is proved.
#[pyfunction]
#[pyo3(signature = (policy, ring, message, sender=None, recipient=None, now=None))]
pub(crate) fn inspect(
    py: Python<'_>,
    policy: &Policy,
    ring: &KeyRing,
    message: Text<'_>,
    sender: Option<Text<'_>>,
    recipient: Option<Text<'_>>,
    now: Option<Now>,
) -> PyResult<Inspection> {
    let envelope = envelope(sender.as_ref(), recipient.as_ref());
    let (octets, policy, ring, day) = (message.octets(), policy.policy(), ring.ring(), day(now)?);
    // A message may have many megabytes: other threads go on.
    Ok(Inspection(py.detach(|| bounce::inspect(octets, &envelope, ring, policy, day))))
}

/// Why no bounce may be sent for a message; None if one may. `authenticated` says that someone vouches for the sender.
#[pyfunction]
#[pyo3(signature = (message, sender=None, authenticated=false))]
pub(crate) fn may_bounce(message: Text<'_>, sender: Option<Text<'_>>, authenticated: bool) -> Option<&'static str> {
    let envelope = envelope(sender.as_ref(), None);
    bounce::may_bounce(message.octets(), &envelope, authenticated).err().map(|restraint| restraint.slug())
}

/// Why no automatic reply may be sent in the name of these own addresses (RFC 3834); None if one may.
#[pyfunction]
#[pyo3(signature = (message, own, sender=None, authenticated=false))]
pub(crate) fn may_autorespond(
    message: Text<'_>,
    own: &Bound<'_, PyAny>,
    sender: Option<Text<'_>>,
    authenticated: bool,
) -> PyResult<Option<&'static str>> {
    let own = Texts::of(own)?;
    let own: Result<Vec<&str>, _> = own.slices().into_iter().map(std::str::from_utf8).collect();
    let own = own.map_err(|error| {
        fault(OPTION, &format!("an own address is not UTF-8 from octet {} on", error.valid_up_to()))
    })?;
    let envelope = envelope(sender.as_ref(), None);
    let may = bounce::may_autorespond(message.octets(), &envelope, &own, authenticated);
    Ok(may.err().map(|restraint| restraint.slug()))
}

fn envelope<'a>(sender: Option<&'a Text<'_>>, recipient: Option<&'a Text<'_>>) -> Envelope<'a> {
    Envelope { sender: sender.map(Text::octets), recipient: recipient.map(Text::octets) }
}
