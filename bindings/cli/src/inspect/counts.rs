//! What is counted of all messages, in bounded memory.
//!
//! A run of mail is one subject, link host and structure: numbers in the subject become `#`, its case and the prefixes of
//! answers do not count. A network is the /24 or /48 of the injecting host. Reporting hosts, networks and runs are those
//! of automatic messages that nothing proves to be ours.

use std::collections::BTreeMap;

use backstop::bounce::{Advice, Arrival, Inspection, Place, Verdict};
use backstop::explain::printable;

use super::series::{Class, Times};
use super::top::Top;

/// Characters of a subject that make a run.
const MAX_SUBJECT: usize = 80;

/// Names and how often each came.
pub(crate) type Table = BTreeMap<&'static str, u64>;

#[derive(Debug)]
pub(crate) struct Counts {
    pub(crate) messages: u64,
    pub(crate) octets: u64,
    /// Longer than is looked at.
    pub(crate) cut: u64,
    /// Automatic ones of which nobody knows for whom they came.
    pub(crate) no_recipient: u64,
    pub(crate) verdicts: Table,
    /// Why the unproven are.
    pub(crate) whys: Table,
    pub(crate) kinds: Table,
    /// Why mail was not delivered.
    pub(crate) reasons: Table,
    /// Where the proofs stood.
    pub(crate) proofs: Table,
    /// By the policy as it is: deliver, flag, refuse.
    pub(crate) advice: Table,
    /// Refused after the message in mode enforce.
    pub(crate) would: u64,
    /// Refused in mode enforce for the recipient alone, at RCPT or DATA.
    pub(crate) would_at_rcpt: u64,
    /// Those of them that a mark proves genuine: lost unless the policy waits for the message.
    pub(crate) would_lose: u64,
    /// Refused by either.
    pub(crate) would_in_all: u64,
    pub(crate) reporters: Top,
    pub(crate) networks: Top,
    pub(crate) runs: Top,
    /// Tags and marks that proved something.
    pub(crate) tokens: Top,
    pub(crate) times: Times,
}

impl Counts {
    pub(crate) fn new() -> Counts {
        Counts {
            messages: 0,
            octets: 0,
            cut: 0,
            no_recipient: 0,
            verdicts: Table::new(),
            whys: Table::new(),
            kinds: Table::new(),
            reasons: Table::new(),
            proofs: Table::new(),
            advice: Table::new(),
            would: 0,
            would_at_rcpt: 0,
            would_lose: 0,
            would_in_all: 0,
            reporters: Top::default(),
            networks: Top::default(),
            runs: Top::default(),
            tokens: Top::default(),
            times: Times::new(),
        }
    }

    /// Counts one message; `at_rcpt` says whether mode enforce would refuse its recipient.
    pub(crate) fn add(&mut self, seen: &Inspection, arrival: &Arrival, knows_recipient: bool, at_rcpt: bool) {
        let class = class(seen.verdict);
        let proof = seen.proof();
        let count = |table: &mut Table, name: &'static str| *table.entry(name).or_default() += 1;
        self.messages += 1;
        count(&mut self.verdicts, seen.verdict.slug());
        count(&mut self.kinds, seen.kind.slug());
        count(&mut self.advice, seen.advice.slug());
        if let Some(why) = seen.verdict.why() {
            count(&mut self.whys, why.slug());
        }
        if let Some(reason) = seen.reason {
            count(&mut self.reasons, reason.slug());
        }
        let after = seen.would == Advice::Refuse;
        self.would += u64::from(after);
        self.would_at_rcpt += u64::from(at_rcpt);
        self.would_lose += u64::from(at_rcpt && proof.is_some_and(|it| it.place != Place::Recipient));
        self.would_in_all += u64::from(after || at_rcpt);
        if let Some(proof) = proof {
            count(&mut self.proofs, proof.place.slug());
            self.tokens.add(&printable(proof.token.as_bytes()), false);
        }
        let bounced = proof.filter(|_| seen.kind.is_dsn()).and(seen.mailbox.as_deref());
        self.times.add(arrival.seconds, class, bounced.map(str::to_lowercase).as_deref());
        if matches!(class, Class::Genuine | Class::Other) {
            return;
        }
        self.no_recipient += u64::from(!knows_recipient);
        let is_misuse = class == Class::Misuse;
        if let Some(host) = &seen.source.reporting {
            self.reporters.add(&printable(host.as_bytes()), is_misuse);
        }
        if let Some(injector) = &seen.source.injector {
            self.networks.add(&injector.network(), is_misuse);
        }
        if let Some(run) = run(seen) {
            self.runs.add(&run, is_misuse);
        }
    }
}

/// What a verdict is counted as over time.
pub(crate) const fn class(verdict: Verdict) -> Class {
    match verdict {
        Verdict::NotABounce => Class::Other,
        Verdict::Genuine => Class::Genuine,
        Verdict::Backscatter | Verdict::Forged => Class::Misuse,
        Verdict::Expired | Verdict::Unproven(_) => Class::Unproven,
    }
}

/// The run that the returned mail belongs to.
fn run(seen: &Inspection) -> Option<String> {
    let source = &seen.source;
    let subject = source.subject.as_deref().map(normalised).filter(|subject| !subject.is_empty());
    let link = source.links.first().map(String::as_str);
    if subject.is_none() && link.is_none() {
        return None;
    }
    let structure = source.structure.as_deref().map(|text| text.split(" (").next().unwrap_or(text));
    let part = |text: Option<&str>| printable(text.unwrap_or("-").as_bytes());
    Some(format!("{} | {} | {}", part(subject.as_deref()), part(link), part(structure)))
}

/// A subject in which runs agree: no prefixes of answers, one case, numbers as `#`, single blanks.
fn normalised(subject: &str) -> String {
    const ANSWERS: [&str; 9] = ["re:", "fw:", "fwd:", "aw:", "sv:", "wg:", "antw:", "rv:", "tr:"];
    let lower = subject.to_lowercase();
    let mut rest = lower.trim_start();
    while let Some(shorter) = ANSWERS.iter().find_map(|prefix| rest.strip_prefix(prefix)) {
        rest = shorter.trim_start();
    }
    let mut text = String::new();
    for char in rest.chars() {
        match char {
            _ if char.is_numeric() && text.ends_with('#') => {}
            _ if char.is_numeric() => text.push('#'),
            _ if char.is_whitespace() && (text.ends_with(' ') || text.is_empty()) => {}
            _ if char.is_whitespace() => text.push(' '),
            _ => text.push(char),
        }
    }
    text.trim_end().chars().take(MAX_SUBJECT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_of_one_run_agree() {
        for subject in
            ["Re: AW: You won 1,000,000  dollars", " you WON 2,345,678 dollars ", "Fwd:you won 1,2,3 dollars"]
        {
            assert_eq!(normalised(subject), "you won #,#,# dollars", "{subject}");
        }
        assert_eq!(normalised("re: "), "");
        assert_eq!(normalised(&"é".repeat(200)).chars().count(), MAX_SUBJECT);
    }
}
