//! SRS: senders of forwarded mail out, their bounces back.

use backstop::srs::{self, Alphabet, Dialect, OverLong};
use backstop::{Domains, Error};
use pyo3::prelude::*;

use crate::error::{DOMAIN, failed, fault};
use crate::input::{Now, Number, Text, day, word};
use crate::keys::KeyRing;
use crate::tag::Signed;
use crate::verdict::Verdict;

/// A forwarder: the domain into which it rewrites, the own forwarders, and the options. It never changes.
#[pyclass(frozen, module = "backstop")]
pub(crate) struct Srs {
    forwarder: String,
    own: Domains,
    dialect: Dialect,
}

#[pymethods]
impl Srs {
    /// `domain` is the one domain into which senders are rewritten. `own` lists further domains whose SRS addresses are
    /// taken back, such as "fwd2.example,*.fwd.example".
    #[new]
    #[pyo3(signature = (
        domain, own=None, *, separator=None, hash_length=None, hash_min=None, max_age=None, always_rewrite=false,
        alphabet=None, over_long=None
    ))]
    #[pyo3(text_signature = "(domain, own='', *, separator='=', hash_length=4, hash_min=4, max_age=None, \
                             always_rewrite=False, alphabet='classic', over_long='leave')")]
    #[expect(clippy::too_many_arguments, reason = "they have names")]
    fn new(
        domain: Text<'_>,
        own: Option<Text<'_>>,
        separator: Option<Text<'_>>,
        hash_length: Option<Number>,
        hash_min: Option<Number>,
        max_age: Option<Number>,
        always_rewrite: bool,
        alphabet: Option<Text<'_>>,
        over_long: Option<Text<'_>>,
    ) -> PyResult<Srs> {
        let not_utf8 = || fault(DOMAIN, "a domain is UTF-8");
        let forwarder = domain.utf8().ok_or_else(not_utf8)?;
        let own = own.as_ref().map_or(Some(""), Text::utf8).ok_or_else(not_utf8)?;
        let own = srs::own_forwarders(forwarder, own).map_err(failed)?;

        let mut dialect = Dialect::CLASSIC.with_always_rewrite(always_rewrite);
        if let Some(separator) = separator {
            dialect = dialect.with_separator(one_character(&separator)?).map_err(failed)?;
        }
        let (length, min) =
            (hash_length.map_or(4, |number| number.count()), hash_min.map_or(4, |number| number.count()));
        dialect = dialect.with_hash(length, min).map_err(failed)?;
        if let Some(days) = max_age {
            dialect = dialect.with_max_age(days.days()).map_err(failed)?;
        }
        if let Some(given) = alphabet {
            dialect = dialect.with_alphabet(word("alphabet", &given, Alphabet::ALL, Alphabet::as_str)?);
        }
        if let Some(given) = over_long {
            dialect = dialect.with_over_long(word("over_long", &given, OverLong::ALL, OverLong::as_str)?);
        }
        Ok(Srs { forwarder: forwarder.to_owned(), own, dialect })
    }

    fn __repr__(&self) -> String {
        format!("<backstop.Srs for {}>", self.own.as_str())
    }
}

fn one_character(text: &Text<'_>) -> PyResult<char> {
    let mut characters = text.utf8().unwrap_or_default().chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(failed(Error::Separator)),
    }
}

/// Rewrites the envelope sender of forwarded mail into the forwarder's domain: SRS0, or SRS1 if it is SRS already.
#[pyfunction]
#[pyo3(signature = (ring, srs, address, now=None))]
pub(crate) fn srs_forward(ring: &KeyRing, srs: &Srs, address: Text<'_>, now: Option<Now>) -> PyResult<Signed> {
    let signed = srs::forward(ring.ring(), address.octets(), &srs.forwarder, &srs.own, &srs.dialect, day(now)?);
    Signed::of(&signed.map_err(failed)?, address.octets())
}

/// Tells what the recipient of a bounce to a forwarder is; if genuine, `mailbox` is the sender to whom it returns.
///
/// Let only bounces in by it, from the null sender, or it is an open relay for those who saw it.
#[pyfunction]
#[pyo3(signature = (ring, srs, address, now=None))]
pub(crate) fn srs_reverse(ring: &KeyRing, srs: &Srs, address: Text<'_>, now: Option<Now>) -> PyResult<Verdict> {
    let verdict = srs::reverse(ring.ring(), address.octets(), &srs.own, &srs.dialect, day(now)?);
    Verdict::of(&verdict.map_err(failed)?, Some(address.octets()))
}
