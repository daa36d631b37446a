//! Words for people: one line for a message, all about a message, the counts.
//!
//! What comes from outside is shown with control characters escaped.

use std::fmt::Write as _;

use backstop::bounce::{Advice, Trust, Verdict, Why, dnsbl_name};
use backstop::explain::printable;

use super::counts::{Counts, Table};
use super::series::{Burst, Class, HOUR, hours, stamp};
use super::top::Top;
use super::{Seen, store};

/// How many of each ranking are told.
const MOST: usize = 10;

/// Appends `VERDICT KIND FILE`, with proof and reason where there are some.
pub(crate) fn line(seen: &Seen<'_>, out: &mut Vec<u8>) {
    let it = &seen.inspection;
    let mut line = format!("{} {} {}", it.verdict.slug(), it.kind.slug(), printable(seen.file));
    if let Some(proof) = it.proof() {
        line += &format!(" proof={}", proof.place.slug());
    }
    if let Some(why) = it.verdict.why() {
        line += &format!(" reason={}", why.slug());
    }
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
}

/// All about one message.
pub(crate) fn one(seen: &Seen<'_>, zones: &[String]) -> String {
    let it = &seen.inspection;
    let mut text = Lines { text: format!("{}\n", printable(seen.file)), last: "" };
    text.put("kind", &format!("{}: {} Score {}.", it.kind.slug(), it.kind.sentence(), it.score));
    text.put("verdict", &format!("{}: {}", it.verdict.slug(), it.verdict.sentence()));
    if let Some(why) = it.verdict.why() {
        text.put("reason", why.slug());
    }
    let would =
        if it.would == Advice::Refuse && it.advice != Advice::Refuse { "; mode enforce would refuse it" } else { "" };
    text.put("advice", &format!("{}{would}", it.advice.slug()));
    text.put("next", next(it.verdict, seen.recipient.is_some()));
    let recipient = seen.recipient.map_or_else(|| "not known".to_owned(), printable);
    text.put("recipient", &recipient);
    for check in &it.checks {
        text.put("checked", &check.sentence());
    }
    for evidence in &it.evidence {
        text.put("evidence", &format!("{:>4}  {}: {}", evidence.weight, evidence.id, evidence.why));
    }
    if let Some(returned) = it.returned.first() {
        let whole = if returned.complete { "a mark would show" } else { "a mark need not show" };
        text.put("returned", &format!("{}, {} fields, {whole}", returned.form.slug(), returned.fields));
        text.maybe("", "Message-ID", returned.message_id.as_deref());
        text.maybe("", "to", returned.to.as_deref());
        text.maybe("", "date", returned.day.map(|day| day.to_string()).as_deref());
    }
    for delivery in &it.deliveries {
        let words = [
            delivery.recipient.as_deref(),
            delivery.action.map(|action| action.slug()),
            delivery.status.as_deref(),
            delivery.reason.map(|reason| reason.slug()),
        ];
        text.put("delivery", &words.into_iter().flatten().collect::<Vec<_>>().join(" "));
    }
    if it.deliveries.is_empty() {
        text.maybe("delivery", "class", it.reason.map(|reason| reason.slug()));
    }
    let source = &it.source;
    text.maybe("source", "reported by", source.reporting.as_deref());
    if let Some(injector) = &source.injector {
        let trust = match injector.trust {
            Trust::Reporter => "as the reporting host wrote",
            Trust::Claimed => "by a line that may be forged",
        };
        text.put("source", &format!("injected by {} in {}, {trust}", injector.ip, injector.network()));
        for zone in zones {
            text.put("source", &format!("DNS list: {}", dnsbl_name(injector.ip, zone)));
        }
    }
    let from = source.from.as_ref().map(|from| match (&source.name, source.name_is_ours) {
        (Some(name), Some(false)) => format!("{name} <{from}>, a name that is not ours"),
        (Some(name), _) => format!("{name} <{from}>"),
        (None, _) => from.clone(),
    });
    text.maybe("source", "From", from.as_deref());
    text.maybe("source", "subject", source.subject.as_deref());
    text.maybe("source", "structure", source.structure.as_deref());
    for link in &source.links {
        text.maybe("source", "link to", Some(link));
    }
    for cut in &it.cuts {
        text.put("left out", &format!("{}: more than is looked at", cut.slug()));
    }
    text.text
}

/// What to do next, in one sentence.
fn next(verdict: Verdict, knows_recipient: bool) -> &'static str {
    match verdict {
        _ if !knows_recipient && !matches!(verdict, Verdict::NotABounce | Verdict::Genuine) => {
            "Name for whom it came, with --recipient or --recipient-from; without that nothing can be proved."
        }
        Verdict::NotABounce => "Treat it as any other mail; whether it is spam is not for this command to say.",
        Verdict::Genuine => {
            "Deliver it; if you sent no such mail, somebody sends with your account: change its password."
        }
        Verdict::Expired => {
            "Look whether such a mail left on the day that the mark names; if not, somebody repeats an old one."
        }
        Verdict::Forged => {
            "Try --recipient with the returned From if that mailbox is yours too; else file it apart, it is not yours."
        }
        Verdict::Backscatter => {
            "File it apart or refuse it; to tell the host that sent it, add --report-to and --report-from."
        }
        Verdict::Unproven(why) => match why {
            Why::NothingReturned => {
                "Deliver it; only a tag in the envelope sender tells such answers apart: see `backstop sign`."
            }
            Why::TooLittleReturned => {
                "Deliver it; only a tag in the envelope sender tells it apart: see `backstop sign`."
            }
            Why::FromNotOwn => {
                "Deliver it; if the From is yours after all, add its domain to own-domains in the policy."
            }
            Why::MarksNotInForce => {
                "Deliver it; mark all outgoing mail, and set marks-since in the policy to the day on which that began."
            }
            Why::NotCovered => {
                "Deliver it, and bring the key rings of all your hosts together: `backstop key list` compares."
            }
            Why::OtherAddress => {
                "Deliver it; it may be a rightful bounce to another of your mailboxes: see the returned From."
            }
            Why::Future => "Deliver it, and set the clock of the host that signed it.",
            Why::Damaged => "Deliver it; nothing more can be known.",
            Why::Reported => "Deliver it to whoever reads such reports; it is no answer to mail of yours.",
            Why::Unchecked => "Deliver it; it is larger or has more marks than is looked at.",
        },
    }
}

/// Names and values below each other; a name is told once.
struct Lines {
    text: String,
    /// The name that was told last.
    last: &'static str,
}

impl Lines {
    fn put(&mut self, name: &'static str, value: &str) {
        let shown = if name == self.last { "" } else { name };
        if !name.is_empty() {
            self.last = name;
        }
        let _ = writeln!(self.text, "{shown:<10} {}", printable(value.as_bytes()));
    }

    fn maybe(&mut self, name: &'static str, what: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put(name, &format!("{what} {value}"));
        }
    }
}

/// The counts.
pub(crate) fn counts(counts: &Counts, least: u16, has_policy: bool) -> String {
    let mut text = format!("{} messages, {} octets\n", counts.messages, counts.octets);
    table(&mut text, "Verdicts", &counts.verdicts, counts.messages);
    let unproven = counts.verdicts.get("unproven").copied().unwrap_or_default();
    table(&mut text, "Why unproven", &counts.whys, unproven);
    table(&mut text, "Proofs", &counts.proofs, counts.verdicts.get("genuine").copied().unwrap_or_default());
    table(&mut text, "Kinds", &counts.kinds, counts.messages);
    table(&mut text, "Why mail was not delivered", &counts.reasons, counts.messages);
    if has_policy {
        text += "\nThe policy\n";
        for (what, count) in [
            ("refuses after the message", counts.advice.get("refuse").copied().unwrap_or_default()),
            ("flags", counts.advice.get("flag").copied().unwrap_or_default()),
            ("in mode enforce refuses after the message", counts.would),
            ("in mode enforce refuses for the recipient, at RCPT or DATA", counts.would_at_rcpt),
            ("of these genuine by a mark (\"message\" keeps all but SRS)", counts.would_lose),
            ("in mode enforce refuses in all", counts.would_in_all),
        ] {
            let _ = writeln!(text, "  {what:<62} {count:>9}");
        }
    }
    for (title, top) in [
        ("Reporting hosts, of what nothing proves ours", &counts.reporters),
        ("Networks that injected it", &counts.networks),
        ("Runs: subject | link | structure", &counts.runs),
    ] {
        ranking(&mut text, title, top);
    }
    repeats(&mut text, &counts.tokens);
    bursts(&mut text, counts, u64::from(least));
    notes(&mut text, counts);
    text
}

fn table(text: &mut String, title: &str, table: &Table, all: u64) {
    if table.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}");
    let mut rows: Vec<_> = table.iter().collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (name, count) in rows {
        let share = 100.0 * *count as f64 / all.max(1) as f64;
        let _ = writeln!(text, "  {name:<30} {count:>9} {share:>6.1} %");
    }
}

fn ranking(text: &mut String, title: &str, top: &Top) {
    if top.len() == 0 {
        return;
    }
    let _ = writeln!(text, "\n{title}\n  {:>9} {:>9}", "all", "misuse");
    for (name, count) in top.ranked().into_iter().take(MOST) {
        let _ = writeln!(text, "  {:>9} {:>9}  {name}", count.all, count.misuse);
    }
    if top.len() > MOST {
        let _ = writeln!(text, "  and {} more", top.len() - MOST);
    }
    if top.dropped > 0 {
        let _ = writeln!(text, "  and {} messages of ones too rare to be held", top.dropped);
    }
}

/// Tags and marks that proved more than one message: mail to many, or somebody repeats them.
fn repeats(text: &mut String, tokens: &Top) {
    let often: Vec<_> = tokens.ranked().into_iter().filter(|(_, count)| count.all > 1).take(MOST).collect();
    if !often.is_empty() {
        *text += "\nTags and marks that proved several messages: mail to many, or repeated by somebody\n";
        for (name, count) in often {
            let _ = writeln!(text, "  {:>9}  {name}", count.all);
        }
    }
}

/// When and how many; the step is named where it is not an hour.
pub(crate) fn words(burst: Burst) -> String {
    let Burst { from, to, count, usual, width } = burst;
    let step = if width == HOUR { String::new() } else { format!(" in {}", hours(width)) };
    format!("{} to {}: {count}, usually {usual}{step}", stamp(from), stamp(to))
}

fn bursts(text: &mut String, counts: &Counts, least: u64) {
    let stolen = counts.times.stolen(least);
    if !stolen.is_empty() {
        *text += "\nPossibly stolen accounts: bursts of genuine bounces, so somebody sends with them\n";
        for (mailbox, burst) in stolen.into_iter().take(MOST) {
            let _ = writeln!(text, "  {}  {}", printable(mailbox.as_bytes()), words(burst));
        }
    }
    for class in [Class::Genuine, Class::Misuse, Class::Unproven] {
        let found = counts.times.bursts(class, least);
        if !found.is_empty() {
            let _ = writeln!(text, "\nBursts, {} (UTC)", class.name());
            for burst in found.iter().take(MOST) {
                let _ = writeln!(text, "  {}", words(*burst));
            }
        }
    }
}

/// What the reader of the counts must know, one sentence a line.
fn notes(text: &mut String, counts: &Counts) {
    for note in remarks(counts) {
        let _ = writeln!(text, "\n{note}");
    }
}

/// The sentences of [`notes`].
pub(crate) fn remarks(counts: &Counts) -> Vec<String> {
    let mut notes = Vec::new();
    if counts.no_recipient > 0 {
        notes.push(format!(
            "For whom they came is not known of {} automatic messages, so that no tag or mark in them could be checked; \
             name the recipient with --recipient, or the field that holds it with --recipient-from.",
            counts.no_recipient
        ));
    }
    if counts.cut > 0 {
        let most = store::MAX_MESSAGE >> 20;
        notes.push(format!("{} messages were judged by their first {most} MiB.", counts.cut));
    }
    if counts.times.undated > 0 {
        notes
            .push(format!("{} messages tell no time and are missing in what is told of bursts.", counts.times.undated));
    }
    if counts.times.widest() > HOUR {
        notes.push(format!(
            "The mail spans so many hours that bursts are looked for in steps of up to {}, by the mean of an hour; to see \
             each hour, give less mail at once.",
            hours(counts.times.widest())
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_names_its_step_where_that_is_no_hour() {
        let hour = Burst { from: 0, to: HOUR, count: 12, usual: 1, width: HOUR };
        assert_eq!(words(hour), "1970-01-01 00:00 to 1970-01-01 01:00: 12, usually 1");
        let wide = Burst { to: 2 * HOUR, width: 2 * HOUR, ..hour };
        assert_eq!(words(wide), "1970-01-01 00:00 to 1970-01-01 02:00: 12, usually 1 in 2 hours");
        let mut counts = Counts::new();
        (0..257).for_each(|hour| counts.times.add(Some(hour * HOUR), Class::Genuine, Some("alice@example.com")));
        assert!(remarks(&counts).concat().contains("in steps of up to 2 hours, by the mean of an hour"));
    }
}
