//! `backstopd ready`: may a domain go on to enforce, by what its log shows?
//!
//! Yes, if the log shows for `--days` days (14) that the domain's mail is signed, and still is, that none left unsigned, and
//! that no own tag would be refused. A week without signed mail at the end of the log is an obstacle, a shorter gap a note:
//! either nobody wrote, or the mail took another way. What speaks against it is a closed list ([`Obstacle`]); those that an administrator has looked
//! into are accepted by name. The rest is told as notes: what would be refused and to whom, and mailboxes that get
//! untagged bounces though no mail of theirs was signed here, whose owners may send elsewhere. Recipients that are SRS addresses
//! say nothing of a domain: a forwarder signs no mail of its own.
//!
//! Figures come from decisions of all faces; what would be refused only from those that see the sender. Days are counted
//! to the last day of the log, not to today. The policy's own rule stays: a mailbox is refused untagged bounces only when
//! it was signable for the lifetime of the tags and seven days, however early enforce is set.

use std::collections::{BTreeMap, BTreeSet};

use backstop::Day;
use backstop::policy::{Mode, Rule};
use serde_json::{Value, json};

use super::line::Decision;
use super::table::{row, table};
use super::top::Top;
use super::{Log, percent, ratio};
use crate::event::Kind;
use crate::faces::Face;
use crate::metrics::UNSIGNED;

/// The most domains that have figures of their own; further ones are counted together.
pub const MAX_DOMAINS: usize = 1000;
/// The most days with signed mail that are kept of a domain: `--days` asks for 365 at most.
const DAYS: usize = 366;
/// So many days without signed mail at the end of the log, and signing may have stopped.
const STOPPED: u32 = 7;
/// So many anywhere, and it is told: longer than a long weekend.
const GAP: u32 = 4;
/// Leaving these unsigned costs no bounce: the policy refuses none to them.
const HARMLESS: [Rule; 2] = [Rule::NoSign, Rule::TooLong];

/// What speaks against enforcing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Obstacle {
    /// No mail was signed
    NothingSigned,
    /// The policy is off, in the last decision of the log
    Off,
    /// The log shows signing for fewer days than it should
    TooShort,
    /// No mail was signed in the last seven days of the log
    Stopped,
    /// Mail with an own sender came from clients that nobody vouches for, and left unsigned if it left
    NotVouched,
    /// Mail left unsigned, since all its recipients are on the list no-sign-recipients
    NoSignRecipients,
    /// Mail left unsigned for want of a key
    NoKey,
    /// Tags of keys that the ring lacks would be refused: perhaps another host's
    UnknownKey,
}

impl Obstacle {
    /// The word that stands for it.
    pub const fn slug(self) -> &'static str {
        match self {
            Obstacle::NothingSigned => "nothing-signed",
            Obstacle::Off => "off",
            Obstacle::TooShort => "too-short",
            Obstacle::Stopped => "stopped",
            Obstacle::NotVouched => Rule::NotVouched.slug(),
            Obstacle::NoSignRecipients => Rule::NoSignRecipients.slug(),
            Obstacle::NoKey => Rule::NoKey.slug(),
            Obstacle::UnknownKey => Rule::UnknownKey.slug(),
        }
    }

    fn of_rule(rule: Rule) -> Option<Obstacle> {
        let all = [Obstacle::NotVouched, Obstacle::NoSignRecipients, Obstacle::NoKey, Obstacle::UnknownKey];
        all.into_iter().find(|it| it.slug() == rule.slug())
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// For how many days the log must show nothing against it.
    pub days: u32,
    /// How many rows a list has.
    pub top: usize,
    /// What does not count.
    pub accept: Vec<Obstacle>,
}

/// How often, and when last.
#[derive(Debug, Clone, Copy)]
struct Seen {
    count: u64,
    last: Day,
}

#[derive(Debug, Default)]
struct Domain {
    mode: Option<(Day, Mode)>,
    first_signed: Option<Day>,
    /// The days on which mail was signed, the last [`DAYS`] of them.
    signed: BTreeSet<Day>,
    /// Signed and unsigned, by face.
    paths: BTreeMap<Face, (u64, u64)>,
    unsigned: BTreeMap<Rule, Seen>,
    refused: BTreeMap<Rule, Seen>,
    too_early: Option<Seen>,
    /// The oldest tag that came too late, in days.
    oldest: Option<u64>,
}

/// The figures.
#[derive(Debug, Default)]
pub struct Ready {
    domains: BTreeMap<String, Domain>,
    /// Decisions about domains beyond [`MAX_DOMAINS`].
    beyond: u64,
    /// By domain, mailbox and rule.
    recipients: Top<(String, String, Rule)>,
    /// Mailboxes whose mail was signed.
    senders: Top<String>,
    /// Clients of mail that was not vouched for, by domain.
    clients: Top<(String, String)>,
    /// Whether a face was asked that can refuse.
    judged: bool,
}

/// The answer about a domain.
#[derive(Debug)]
struct Answer<'a> {
    name: &'a str,
    domain: &'a Domain,
    against: Vec<(Obstacle, String)>,
    notes: Vec<String>,
}

impl Domain {
    /// The days with signed mail, of so many up to the end.
    fn signed_within(&self, end: Day, days: u32) -> impl Iterator<Item = Day> {
        self.signed.range(end.minus(days.saturating_sub(1))..=end).copied()
    }

    /// The last day with signed mail, if it lies too far back.
    fn stopped(&self, end: Day, days: u32) -> Option<Day> {
        let last = *self.signed.last()?;
        (end.number().saturating_sub(last.number()) >= days.min(STOPPED)).then_some(last)
    }

    /// The first and the last day of the longest stretch without signed mail after the first, if it is worth a word.
    fn longest_gap(&self, end: Day, days: u32) -> Option<(Day, Day)> {
        let mut before = self.first_signed?.max(end.minus(days));
        let mut longest: Option<(u32, Day, Day)> = None;
        for day in self.signed_within(end, days).chain([end.plus(1)]) {
            let gap = day.number().saturating_sub(before.number() + 1);
            if gap >= GAP && longest.is_none_or(|(length, ..)| length < gap) {
                longest = Some((gap, before.plus(1), day.minus(1)));
            }
            before = day;
        }
        longest.map(|(_, from, to)| (from, to))
    }
}

impl Ready {
    /// Takes a decision into account.
    pub fn take(&mut self, decision: &Decision) {
        self.judged |= Face::abilities(decision.face).refuses;
        // What comes again is counted then.
        let Some(name) = decision.domain().filter(|_| decision.action != "later") else { return };
        let about_us = match decision.kind {
            Kind::Outgoing => {
                decision.rule == Rule::Signed || decision.rule == Rule::Off || UNSIGNED.contains(&decision.rule)
            }
            Kind::Incoming => decision.verdict.is_some() && !decision.is_srs(),
            Kind::Forward => false,
        };
        if !about_us {
            return;
        }
        if self.domains.len() >= MAX_DOMAINS && !self.domains.contains_key(&name) {
            self.beyond += 1;
            return;
        }
        let domain = self.domains.entry(name.clone()).or_default();
        let day = decision.day;
        if domain.mode.is_none_or(|(last, _)| last <= day) {
            domain.mode = Some((day, decision.mode));
        }
        match decision.kind {
            Kind::Outgoing if decision.rule == Rule::Signed => {
                domain.first_signed = Some(domain.first_signed.map_or(day, |first| first.min(day)));
                domain.signed.insert(day);
                if domain.signed.len() > DAYS {
                    domain.signed.pop_first();
                }
                domain.paths.entry(decision.face).or_default().0 += 1;
                self.senders.add(decision.sender.clone().unwrap_or_default().to_ascii_lowercase());
            }
            Kind::Outgoing if UNSIGNED.contains(&decision.rule) => {
                domain.paths.entry(decision.face).or_default().1 += 1;
                see(domain.unsigned.entry(decision.rule), day);
                if decision.rule == Rule::NotVouched {
                    let client = decision.client.clone().unwrap_or_else(|| "unknown".to_owned());
                    self.clients.add((name, client));
                }
            }
            Kind::Incoming if decision.rule == Rule::TooEarly => {
                let seen = domain.too_early.map_or(0, |seen| seen.count);
                domain.too_early =
                    Some(Seen { count: seen + 1, last: domain.too_early.map_or(day, |it| it.last.max(day)) });
            }
            Kind::Incoming if decision.would_refuse => {
                see(domain.refused.entry(decision.rule), day);
                if decision.rule == Rule::Expired {
                    domain.oldest = domain.oldest.max(decision.age);
                }
                let mailbox = decision.mailbox.as_ref().or(decision.recipient.as_ref());
                let mailbox = mailbox.cloned().unwrap_or_default().to_ascii_lowercase();
                self.recipients.add((name, mailbox, decision.rule));
            }
            Kind::Outgoing | Kind::Forward | Kind::Incoming => {}
        }
    }

    /// The report, for people or as JSON, and whether every domain may go on.
    pub fn answer(&self, log: &Log, question: &Question, as_json: bool) -> (String, bool) {
        let answers: Vec<Answer<'_>> =
            self.domains.iter().map(|(name, domain)| self.about(name, domain, log.end(), question)).collect();
        let all = !answers.is_empty() && answers.iter().all(|answer| answer.against.is_empty());
        let end = log.end();
        if as_json {
            let domains: Vec<Value> = answers.iter().map(|answer| self.to_json(answer, end, question)).collect();
            let report = json!({
                "log": log.to_json(), "ready": all, "domains": domains, "decisions_beyond": self.beyond,
                "counts_at_most_too_low": self.lost(),
            });
            return (format!("{report}\n"), all);
        }
        let mut text = log.to_text();
        if answers.is_empty() {
            text += "no own domain stands in the log: nothing was signed and no recipient judged\n";
        }
        for answer in &answers {
            text += &self.to_text(answer, end, question);
        }
        if self.beyond > 0 {
            text += &format!("\n{} decisions about more than {MAX_DOMAINS} domains are left out\n", self.beyond);
        }
        if self.lost() > 0 {
            text += &format!("\nthe log has very many addresses: counts by address may be {} too low\n", self.lost());
        }
        (text, all)
    }

    fn lost(&self) -> u64 {
        self.recipients.lost().max(self.senders.lost()).max(self.clients.lost())
    }

    fn about<'a>(&self, name: &'a str, domain: &'a Domain, end: Day, question: &Question) -> Answer<'a> {
        let mut against = Vec::new();
        let recent = |seen: &Seen| end.number().saturating_sub(seen.last.number()) < question.days;
        if domain.mode.is_some_and(|(_, mode)| mode == Mode::Off) {
            against.push((Obstacle::Off, "mode is \"off\"; nothing is signed".to_owned()));
        }
        match domain.first_signed {
            None => {
                let what = "no mail was signed: nothing tells a genuine bounce from backscatter";
                against.push((Obstacle::NothingSigned, what.to_owned()));
            }
            Some(first) => {
                let shown = end.number().saturating_sub(first.number()) + 1;
                if shown < question.days {
                    let what = format!(
                        "the log shows signing for {shown} of {} days; wait, or give older logs too",
                        question.days
                    );
                    against.push((Obstacle::TooShort, what));
                }
            }
        }
        if let Some(last) = domain.stopped(end, question.days) {
            let what = format!(
                "no mail was signed after {last}, {} days before the end; if any was sent since, find out which way it took, else \
                 accept this",
                end.number() - last.number()
            );
            against.push((Obstacle::Stopped, what));
        }
        for (rule, seen) in domain.unsigned.iter().filter(|(_, seen)| recent(seen)) {
            let Some(obstacle) = Obstacle::of_rule(*rule) else { continue };
            let (count, last) = (seen.count, seen.last);
            let what = match rule {
                Rule::NotVouched => format!(
                    "{count} mails with an own sender (last {last}) came from clients that nobody vouches for; if one of \
                     the clients below is yours, put it into internal-hosts or have it authenticate, else accept this"
                ),
                Rule::NoSignRecipients => format!(
                    "{count} mails (last {last}) left unsigned for no-sign-recipients; their bounces would be refused \
                     unless the hosts that send them are in exempt-clients, or refuse-at is \"message\" and they return a mark"
                ),
                _ => {
                    format!("{count} mails (last {last}) left unsigned, since no key signed; see `backstop key check`")
                }
            };
            against.push((obstacle, what));
        }
        if let Some(seen) = domain.refused.get(&Rule::UnknownKey).filter(|seen| recent(seen)) {
            let what = format!(
                "{} bounces (last {}) carry tags of keys that the ring lacks; if another host of yours signs, share the ring",
                seen.count, seen.last
            );
            against.push((Obstacle::UnknownKey, what));
        }
        against.retain(|(obstacle, _)| !question.accept.contains(obstacle));
        Answer { name, domain, against, notes: self.notes(name, domain, end, question) }
    }

    fn notes(&self, name: &str, domain: &Domain, end: Day, question: &Question) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some((_, mode)) = domain.mode.filter(|(_, mode)| *mode == Mode::Sign) {
            notes.push(format!("mode is \"{}\"; go by way of observe", mode.as_str()));
        }
        if !self.judged {
            notes.push("only maps were asked, which refuse nothing; enforce needs a face that does".to_owned());
        }
        if let Some((from, to)) = domain.longest_gap(end, question.days)
            && (to < end || domain.stopped(end, question.days).is_none())
        {
            notes.push(format!(
                "no mail was signed from {from} to {to}; if any was sent then, it took another way and bounces to it would be refused"
            ));
        }
        if let Some(seen) = domain.refused.get(&Rule::Expired) {
            let oldest = domain.oldest.map_or_else(String::new, |days| format!(", the oldest after {days} days"));
            notes.push(format!(
                "{} bounces came back too late{oldest}; if they are genuine, sign with a key of more days",
                seen.count
            ));
        }
        let recent = |seen: &Seen| end.number().saturating_sub(seen.last.number()) < question.days;
        if let Some(seen) = domain.too_early.filter(|seen| recent(seen)) {
            notes.push(format!(
                "untagged bounces still pass as too-early (last {}); the policy refuses them when the ring is old enough",
                seen.last
            ));
        }
        let never = |(of, mailbox, rule): &(String, String, Rule)| {
            of == name && *rule == Rule::Untagged && self.senders.get(mailbox) == 0
        };
        let mailboxes = self.recipients.most(usize::MAX, never).len();
        if mailboxes > 0 {
            notes.push(format!(
                "mailboxes with untagged bounces of which no mail was signed: {mailboxes}; ask whether they send elsewhere"
            ));
        }
        for rule in HARMLESS {
            if let Some(seen) = domain.unsigned.get(&rule) {
                notes.push(format!(
                    "{} mails left unsigned as {}; their bounces are not refused",
                    seen.count,
                    rule.slug()
                ));
            }
        }
        notes
    }

    /// The last day on which mail left unsigned that could have a bounce refused.
    fn last_unsigned(domain: &Domain) -> Option<Day> {
        let harmful = domain.unsigned.iter().filter(|(rule, _)| !HARMLESS.contains(rule));
        harmful.map(|(_, seen)| seen.last).max()
    }

    fn to_text(&self, answer: &Answer<'_>, end: Day, question: &Question) -> String {
        let Answer { name, domain, against, notes } = answer;
        let yes = if against.is_empty() { "yes, enforce" } else { "no, do not enforce" };
        let mode = domain.mode.map_or("", |(_, mode)| mode.as_str());
        let mut text = format!("\n{}: {yes} (mode {mode})\n", backstop::explain::printable(name.as_bytes()));
        for (obstacle, what) in against {
            text += &format!("  {}: {what}\n", obstacle.slug());
        }
        let mut rows = vec![row(["signed by path", "mails", "signed", "share"])];
        for (face, (signed, unsigned)) in &domain.paths {
            let all = signed + unsigned;
            rows.push(vec![face.as_str().to_owned(), all.to_string(), signed.to_string(), percent(*signed, all)]);
        }
        if rows.len() > 1 {
            text += &table(&rows, 0);
        }
        text += &match Ready::last_unsigned(domain) {
            None => "  last unsigned, but no-sign and too-long: none\n".to_owned(),
            Some(last) => {
                format!(
                    "  last unsigned, but no-sign and too-long: {last}, {} days before the end\n",
                    end.number() - last.number()
                )
            }
        };
        for (rule, seen) in &domain.unsigned {
            text += &format!("  unsigned, {}: {}, last on {}\n", rule.slug(), seen.count, seen.last);
        }
        let clients = self.clients.most(question.top, |(of, _)| of == name);
        if !clients.is_empty() {
            let mut rows = vec![row(["not vouched for", "mails"])];
            rows.extend(clients.into_iter().map(|((_, client), count)| vec![client, count.to_string()]));
            text += &table(&rows, 0);
        }
        if !domain.refused.is_empty() {
            let mut rows = vec![row(["would be refused", "count", "last"])];
            for (rule, seen) in &domain.refused {
                rows.push(vec![rule.slug().to_owned(), seen.count.to_string(), seen.last.to_string()]);
            }
            text += &table(&rows, 0);
            let mut rows = vec![row(["to", "count", "mails signed", "reason"])];
            for ((_, mailbox, rule), count) in self.recipients.most(question.top, |(of, ..)| of == name) {
                let signed = self.senders.get(&mailbox).to_string();
                rows.push(vec![mailbox, count.to_string(), signed, rule.slug().to_owned()]);
            }
            text += &table(&rows, 1);
        }
        for note in notes {
            text += &format!("  note: {note}\n");
        }
        text
    }

    fn to_json(&self, answer: &Answer<'_>, end: Day, question: &Question) -> Value {
        let Answer { name, domain, against, notes } = answer;
        let seen = |all: &BTreeMap<Rule, Seen>| -> Vec<Value> {
            let one = |(rule, seen): (&Rule, &Seen)| json!({ "reason": rule.slug(), "count": seen.count, "last": seen.last.to_string() });
            all.iter().map(one).collect()
        };
        let paths = domain.paths.iter().map(|(face, (signed, unsigned))| {
            let all = signed + unsigned;
            json!({ "face": face.as_str(), "signed": signed, "unsigned": unsigned, "share": ratio(*signed, all) })
        });
        let recipients =
            self.recipients.most(question.top, |(of, ..)| of == name).into_iter().map(|((_, mailbox, rule), count)| {
                json!({
                    "mailbox": mailbox, "reason": rule.slug(), "count": count, "signed": self.senders.get(&mailbox),
                })
            });
        let clients = self.clients.most(question.top, |(of, _)| of == name).into_iter();
        let last = Ready::last_unsigned(domain);
        json!({
            "domain": name,
            "mode": domain.mode.map(|(_, mode)| mode.as_str()),
            "enforce": against.is_empty(),
            "first_signed": domain.first_signed.map(|first| first.to_string()),
            "last_signed": domain.signed.last().map(ToString::to_string),
            "days_signed": domain.signed_within(end, question.days).count(),
            "against": against.iter().map(|(it, what)| json!({ "reason": it.slug(), "text": what })).collect::<Vec<_>>(),
            "paths": paths.collect::<Vec<_>>(),
            "unsigned": seen(&domain.unsigned),
            "last_unsigned": last.map(|last| last.to_string()),
            "days_since_unsigned": last.map(|last| end.number() - last.number()),
            "not_vouched": clients.map(|((_, client), count)| json!({ "client": client, "count": count })).collect::<Vec<_>>(),
            "would_refuse": seen(&domain.refused),
            "recipients": recipients.collect::<Vec<_>>(),
            "notes": notes,
        })
    }
}

fn see(entry: std::collections::btree_map::Entry<'_, Rule, Seen>, day: Day) {
    let seen = entry.or_insert(Seen { count: 0, last: day });
    *seen = Seen { count: seen.count + 1, last: seen.last.max(day) };
}
