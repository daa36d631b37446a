//! `backstopd stats`: the log as figures, before and after enforcing, by day, and what lies behind the refusals.
//!
//! A bounce is a recipient of mail from the null sender, as told by a face that sees senders: maps are asked several
//! times for one mail and are left out of it. Genuine ones are delivered; of the others, what was neither refused nor
//! sent away was let in. "Refused" also counts what is refused of other senders (old tags, SRS). A bounce that a mark in its
//! message proves is genuine too; what messages showed has a table of its own.

use std::collections::{BTreeMap, BTreeSet};

use backstop::Day;
use backstop::bounce::Place;
use backstop::policy::{Mode, Rule};
use serde_json::{Value, json};

use super::line::{Decision, MESSAGES, Message, VERDICTS};
use super::table::{row, table};
use super::top::Top;
use super::{Log, MAX_DAYS, percent, ratio};
use crate::event::Kind;
use crate::metrics::UNSIGNED;

/// The least uses of a tag that are told: a mail may have several genuine bounces.
pub const OFTEN: u64 = 5;

/// What happened in a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    signed: u64,
    unsigned: u64,
    rewritten: u64,
    bounces: u64,
    verdicts: [u64; VERDICTS.len()],
    /// Genuine by tag or mark.
    proved: u64,
    refused_bounces: u64,
    refused: u64,
    would: u64,
    deferred: u64,
}

impl Counts {
    fn take(&mut self, decision: &Decision) {
        match decision.kind {
            Kind::Outgoing if decision.rule == Rule::Signed => self.signed += 1,
            Kind::Outgoing => self.unsigned += u64::from(UNSIGNED.contains(&decision.rule)),
            Kind::Forward => self.rewritten += u64::from(decision.rule == Rule::Rewritten),
            Kind::Incoming => {
                let (refused, deferred) = (decision.action == "refuse", decision.action == "defer");
                self.refused += u64::from(refused);
                self.deferred += u64::from(deferred);
                self.would += u64::from(decision.would_refuse && !refused && !deferred);
                if decision.is_bounce() {
                    self.bounces += 1;
                    self.refused_bounces += u64::from(refused || deferred);
                    self.proved += u64::from(decision.is_proved());
                    if let Some(count) = decision.verdict.and_then(|at| self.verdicts.get_mut(at)) {
                        *count += 1;
                    }
                }
            }
        }
    }

    fn add(&mut self, other: &Counts) {
        self.signed += other.signed;
        self.unsigned += other.unsigned;
        self.rewritten += other.rewritten;
        self.bounces += other.bounces;
        self.verdicts.iter_mut().zip(other.verdicts).for_each(|(sum, count)| *sum += count);
        self.proved += other.proved;
        self.refused_bounces += other.refused_bounces;
        self.refused += other.refused;
        self.would += other.would;
        self.deferred += other.deferred;
    }

    fn verdict(&self, slug: &str) -> u64 {
        VERDICTS.iter().zip(self.verdicts).find(|(it, _)| **it == slug).map_or(0, |(_, count)| count)
    }

    /// Bounces without a genuine tag or mark that got in.
    fn let_in(&self) -> u64 {
        self.bounces.saturating_sub(self.proved + self.refused_bounces)
    }

    fn to_json(self) -> Value {
        let verdicts: serde_json::Map<String, Value> =
            VERDICTS.iter().zip(self.verdicts).map(|(slug, count)| ((*slug).to_owned(), count.into())).collect();
        json!({
            "signed": self.signed, "unsigned": self.unsigned, "rewritten": self.rewritten, "bounces": self.bounces,
            "verdicts": verdicts, "proved": self.proved, "let_in": self.let_in(), "refused": self.refused, "would_refuse": self.would,
            "deferred": self.deferred,
        })
    }
}

/// Refusals by rule: those that were, and those that would have been.
type Reasons = BTreeMap<Rule, (u64, u64)>;

/// Recipients judged by what their message showed: let in, refused, and would be refused.
type Messages = BTreeMap<Message, [u64; 3]>;

/// The figures.
#[derive(Debug, Default)]
pub struct Stats {
    days: BTreeMap<(Day, Mode), Counts>,
    /// Decisions of days beyond [`MAX_DAYS`].
    beyond: u64,
    reasons: Reasons,
    messages: Messages,
    clients: Top<String>,
    /// The uses of a tag, by the recipient as given; of a mark by the mailbox, and where the mark stood.
    tags: Top<(String, &'static str)>,
}

impl Stats {
    /// Takes a decision into account.
    pub fn take(&mut self, decision: &Decision) {
        // It comes again, and is counted then.
        if decision.action == "later" {
            return;
        }
        let at = (decision.day, decision.mode);
        if self.days.len() >= MAX_DAYS && !self.days.contains_key(&at) {
            self.beyond += 1;
            return;
        }
        self.days.entry(at).or_default().take(decision);
        let (refused, away) = (decision.action == "refuse", decision.action == "defer");
        if refused || away || decision.would_refuse {
            let reasons = self.reasons.entry(decision.rule).or_default();
            *if refused { &mut reasons.0 } else { &mut reasons.1 } += 1;
            if let Some(client) = &decision.client {
                self.clients.add(client.clone());
            }
        }
        if let Some(message) = decision.message {
            let which = if refused { 1 } else { 2 * usize::from(decision.would_refuse) };
            let counts = self.messages.entry(message).or_default();
            counts.get_mut(which).into_iter().for_each(|count| *count += 1);
        }
        if let (Some(uses), Some((proved, place))) = (decision.uses.filter(|uses| *uses >= OFTEN), proved(decision)) {
            self.tags.raise((proved.to_ascii_lowercase(), place.slug()), uses);
        }
    }

    /// The report, for people or as JSON.
    pub fn report(&self, log: &Log, top: usize, as_json: bool) -> String {
        if as_json { format!("{}\n", self.to_json(log, top)) } else { self.to_text(log, top) }
    }

    /// The days and sums of each mode that occurs.
    fn modes(&self) -> Vec<(Mode, u64, Counts)> {
        let of = |mode: Mode| {
            let mut sum = (0, Counts::default());
            for (_, counts) in self.days.iter().filter(|((_, it), _)| *it == mode) {
                sum.0 += 1;
                sum.1.add(counts);
            }
            (mode, sum.0, sum.1)
        };
        Mode::ALL.iter().copied().map(of).filter(|(_, days, _)| *days > 0).collect()
    }

    fn by_day(&self) -> Vec<(Day, Vec<Mode>, Counts)> {
        let days: BTreeSet<Day> = self.days.keys().map(|(day, _)| *day).collect();
        let of = |day: Day| {
            let (mut modes, mut sum) = (Vec::new(), Counts::default());
            for ((_, mode), counts) in self.days.range((day, Mode::Off)..=(day, Mode::Enforce)) {
                modes.push(*mode);
                sum.add(counts);
            }
            (day, modes, sum)
        };
        days.into_iter().map(of).collect()
    }

    fn to_text(&self, log: &Log, top: usize) -> String {
        let mut text = log.to_text();
        text += "\nBefore and after, a day:\n";
        text += &table(&before_and_after(&self.modes()), 0);
        text += "\nBy day:\n";
        let mut rows = vec![row([
            "day",
            "signed",
            "bounces",
            "genuine",
            "untagged",
            "forged",
            "expired",
            "other",
            "let in",
            "would be refused",
            "refused",
            "sent away",
            "mode",
        ])];
        for (day, modes, counts) in self.by_day() {
            let named = ["genuine", "untagged", "forged", "expired"].map(|slug| counts.verdict(slug));
            let other = counts.bounces.saturating_sub(named.iter().sum());
            let mut cells = vec![day.to_string(), counts.signed.to_string(), counts.bounces.to_string()];
            cells.extend(named.iter().chain([&other]).map(u64::to_string));
            cells.extend([counts.let_in(), counts.would, counts.refused, counts.deferred].map(|it| it.to_string()));
            cells.push(modes.iter().map(|mode| mode.as_str()).collect::<Vec<_>>().join(", "));
            rows.push(cells);
        }
        text += &table(&rows, 1);
        if self.beyond > 0 {
            text += &format!("  and {} decisions of further days\n", self.beyond);
        }
        let mut rows = vec![row(["reason", "refused", "would be refused", "what it means"])];
        let mut reasons: Vec<_> = self.reasons.iter().collect();
        reasons.sort_by_key(|(_, (refused, would))| std::cmp::Reverse(refused + would));
        for (rule, (refused, would)) in reasons.into_iter().take(top) {
            rows.push(vec![rule.slug().to_owned(), refused.to_string(), would.to_string(), rule.sentence().to_owned()]);
        }
        text += &section("Why mail was or would be refused, or its client sent away:", &rows, 1);
        let mut rows =
            vec![row(["message", "let in", "refused", "would be refused", "kind", "proof, or why not told"])];
        for (message, counts) in &self.messages {
            let why = message.why.map(|why| why.slug());
            let more = message.proof.map(|place| place.slug()).or(why).unwrap_or("-");
            let mut cells = vec![word(message).to_owned()];
            cells.extend(counts.iter().map(u64::to_string));
            cells.extend([message.kind.slug(), more].map(str::to_owned));
            rows.push(cells);
        }
        text += &section("What was judged by its message:", &rows, 2);
        let mut rows = vec![row(["client", "refused, would be refused, or sent away"])];
        rows.extend(
            self.clients.most(top, |_| true).into_iter().map(|(client, count)| vec![client, count.to_string()]),
        );
        text += &section("By client:", &rows, 0);
        let mut rows = vec![row(["recipient", "uses", "proof"])];
        let tags = self.tags.most(top, |_| true).into_iter();
        rows.extend(tags.map(|((tagged, place), uses)| vec![tagged, uses.to_string(), place.to_owned()]));
        text += &section(&format!("Tags and marks used {OFTEN} times or more, which may be replays:"), &rows, 1);
        if self.clients.lost() > 0 {
            text += &format!("\nThe log has very many clients: their counts may be {} too low.\n", self.clients.lost());
        }
        text
    }

    fn to_json(&self, log: &Log, top: usize) -> Value {
        let modes = self
            .modes()
            .into_iter()
            .map(|(mode, days, sum)| json!({ "mode": mode.as_str(), "days": days, "sum": sum.to_json() }));
        let days = self.by_day().into_iter().map(|(day, modes, sum)| {
            let modes: Vec<&str> = modes.iter().map(|mode| mode.as_str()).collect();
            json!({ "day": day.to_string(), "modes": modes, "sum": sum.to_json() })
        });
        let reasons = self.reasons.iter().map(
            |(rule, (refused, would))| json!({ "reason": rule.slug(), "refused": refused, "would_refuse": would }),
        );
        let messages = self.messages.iter().map(|(message, [let_in, refused, would])| {
            let (proof, why) = (message.proof.map(|place| place.slug()), message.why.map(|why| why.slug()));
            json!({
                "message": word(message), "kind": message.kind.slug(), "proof": proof, "why": why, "let_in": let_in,
                "refused": refused, "would_refuse": would,
            })
        });
        let clients = self.clients.most(top, |_| true).into_iter();
        let tags = self.tags.most(top, |_| true).into_iter();
        json!({
            "log": log.to_json(),
            "modes": modes.collect::<Vec<_>>(),
            "days": days.collect::<Vec<_>>(),
            "decisions_beyond": self.beyond,
            "reasons": reasons.collect::<Vec<_>>(),
            "messages": messages.collect::<Vec<_>>(),
            "clients": clients.map(|(client, count)| json!({ "client": client, "count": count })).collect::<Vec<_>>(),
            "tags": tags.map(|((tagged, place), uses)| json!({ "recipient": tagged, "uses": uses, "proof": place })).collect::<Vec<_>>(),
            "counts_at_most_too_low": self.clients.lost(),
        })
    }
}

/// What the proof of a bounce, whose uses were counted, is told by: the tagged recipient, or the mailbox whose mark it is.
fn proved(decision: &Decision) -> Option<(&String, Place)> {
    let place = decision.message.map_or(Some(Place::Recipient), |message| message.proof)?;
    let address = if place == Place::Recipient { &decision.recipient } else { &decision.mailbox };
    address.as_ref().or(decision.recipient.as_ref()).map(|address| (address, place))
}

fn word(message: &Message) -> &'static str {
    MESSAGES.get(message.verdict).copied().unwrap_or_default()
}

/// A column a mode, figures a day.
fn before_and_after(modes: &[(Mode, u64, Counts)]) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()], vec!["days".to_owned()]];
    for (mode, days, _) in modes {
        for (row, cell) in rows.iter_mut().zip([mode.as_str().to_owned(), days.to_string()]) {
            row.push(cell);
        }
    }
    type Figure = fn(&Counts) -> u64;
    let figures: [(&str, Figure); 10] = [
        ("own mail signed", |it| it.signed),
        ("own mail unsigned", |it| it.unsigned),
        ("forwarded mail rewritten", |it| it.rewritten),
        ("bounces", |it| it.bounces),
        ("  genuine, delivered", |it| it.proved),
        ("  not genuine, let in", Counts::let_in),
        ("  not genuine, kept out", |it| it.refused_bounces),
        ("refused in all", |it| it.refused),
        ("would be refused", |it| it.would),
        ("sent away for an hour", |it| it.deferred),
    ];
    for (what, figure) in figures {
        let mut cells = vec![what.to_owned()];
        cells.extend(modes.iter().map(|(_, days, sum)| format!("{:.1}", ratio(figure(sum), *days))));
        rows.push(cells);
    }
    let mut shares = vec!["share of own mail signed".to_owned()];
    shares.extend(modes.iter().map(|(_, _, sum)| percent(sum.signed, sum.signed + sum.unsigned)));
    rows.insert(4, shares);
    rows
}

/// A table under its title, unless it has no row but its head.
fn section(title: &str, rows: &[Vec<String>], words: usize) -> String {
    if rows.len() < 2 { String::new() } else { format!("\n{title}\n{}", table(rows, words)) }
}
