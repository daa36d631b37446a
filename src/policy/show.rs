//! The TOML form of a policy that exists: every key with the value that holds, set or by default.
//!
//! `file.rs` reads it back to the same policy, but for what a file may not have and code may: sets of domains that share
//! one, or that no own domain lies in. Comments and the order of the first text are not kept.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use super::{Forwarding, Policy, Stance};
use crate::batv::Form;
use crate::domains::Domains;
use crate::settings::{list, quoted};

impl Policy {
    /// The policy as [`Policy::parse`] reads it, all keys included.
    ///
    /// It refuses one that was built with sets of domains that share a pattern, or that are apart from all own domains:
    /// the first would mean what their order says, the others nothing.
    ///
    /// ```
    /// use backstop::policy::Policy;
    /// let policy = Policy::parse(b"[policy]\nown-domains = [\"example.com\"]\nnever-send = [\"info\"]")?;
    /// let text = policy.to_toml();
    /// assert!(text.contains("mode = \"observe\"\n") && text.contains("never-send = [\"info@*\"]\n"));
    /// assert_eq!(Policy::parse(text.as_bytes())?, policy);
    /// # Ok::<(), backstop::Error>(())
    /// ```
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> fmt::Result {
        writeln!(text, "[policy]\nown-domains = {}", domains(&self.own))?;
        writeln!(text, "mode = \"{}\"", self.mode.as_str())?;
        if let Some(day) = self.enforce_since {
            writeln!(text, "enforce-since = {day}")?;
        }
        writeln!(text, "refuse-at = \"{}\"", self.refuse_at.as_str())?;
        writeln!(text, "expired-grace = {}", self.expired_grace)?;
        writeln!(text, "subaddress = {}", self.form == Form::Subaddress)?;
        for (key, addresses) in [
            ("no-sign", &self.no_sign),
            ("no-sign-recipients", &self.no_sign_recipients),
            ("never-send", &self.never_send),
            ("exempt-recipients", &self.exempt_recipients),
            ("exempt-senders", &self.exempt_senders),
        ] {
            writeln!(text, "{key} = {}", list(addresses.entries()))?;
        }
        writeln!(text, "exempt-clients = {}", list(self.exempt_clients.entries()))?;
        writeln!(text, "internal-hosts = {}", list(self.internal_hosts.entries()))?;
        writeln!(text, "mailer-daemon-is-null = {}", self.mailer_daemon_is_null)?;
        writeln!(text, "reverse-any-sender = {}", self.reverse_any_sender)?;
        self.marks_since.map_or(Ok(()), |day| writeln!(text, "marks-since = {day}"))?;
        writeln!(text, "own-relays = {}", list(&self.own_relays))?;
        writeln!(text, "display-names = {}", list(&self.display_names))?;
        self.srs.as_ref().map_or(Ok(()), |srs| write_srs(srs, text))?;
        for (set, Stance { mode, enforce_since, refuse_at }) in &self.by_domain {
            writeln!(text, "\n[policy.domains.{}]", quoted(set.as_str()))?;
            mode.map_or(Ok(()), |mode| writeln!(text, "mode = \"{}\"", mode.as_str()))?;
            enforce_since.map_or(Ok(()), |day| writeln!(text, "enforce-since = {day}"))?;
            refuse_at.map_or(Ok(()), |at| writeln!(text, "refuse-at = \"{}\"", at.as_str()))?;
        }
        Ok(())
    }
}

fn write_srs(srs: &Forwarding, text: &mut String) -> fmt::Result {
    let dialect = &srs.dialect;
    writeln!(text, "\n[policy.srs]")?;
    srs.default.as_ref().map_or(Ok(()), |domain| writeln!(text, "domain = {}", quoted(domain)))?;
    writeln!(text, "forwarders = {}", domains(&srs.forwarders))?;
    let by_recipient = srs.by_recipient.iter().map(|(set, to)| format!("{} = {}", quoted(set.as_str()), quoted(to)));
    let by_recipient: Vec<String> = by_recipient.collect();
    writeln!(text, "domains = {{ {} }}", by_recipient.join(", "))?;
    writeln!(text, "separator = \"{}\"", char::from(dialect.separator))?;
    writeln!(text, "hash-length = {}\nhash-min = {}", dialect.hash_length, dialect.hash_min)?;
    dialect.max_age.map_or(Ok(()), |days| writeln!(text, "max-age = {days}"))?;
    writeln!(text, "always-rewrite = {}", dialect.always_rewrite)?;
    writeln!(text, "alphabet = \"{}\"", dialect.alphabet.as_str())?;
    writeln!(text, "over-long = \"{}\"", dialect.over_long.as_str())
}

fn domains(set: &Domains) -> String {
    list(set.as_str().split(','))
}
