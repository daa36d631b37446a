//! What the daemon counts, for Prometheus and whoever reads its text.
//!
//! [`ALL`] is the one table of them: it gives the help texts here and the table of the manual. Every label has a closed
//! list of values (faces, modes, verdicts and rules are the core's slugs) or as many as the ring has keys; no address,
//! domain or client is a label, so nothing that comes from outside makes a new series.
//!
//! Decisions are counted where they are logged, also those that the log leaves out. What the ring tells (fingerprints,
//! ends, findings) is asked when the metrics are read. All counts begin with the process; a reload keeps them. The text is
//! that of OpenMetrics 1.0.

pub mod http;

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use backstop::policy::{Mode, Rule};
use backstop::{Day, Finding, Key, bounce};
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use crate::clock::Now;
use crate::event::{Event, KEEP, Kind};
use crate::faces::{self, Face};
use crate::state::{Snapshot, State};

/// A metric as the manual tells it.
#[derive(Debug)]
pub struct Described {
    /// The name of its samples; a histogram's have `_bucket`, `_sum` and `_count` behind it.
    pub name: &'static str,
    /// The labels.
    pub labels: &'static [&'static str],
    /// What it says, without a full stop.
    pub help: &'static str,
}

const fn described(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Described {
    Described { name, labels, help }
}

const DECISIONS: Described = described(
    "backstopd_decisions_total",
    &["event", "face", "mode", "action", "would", "verdict", "reason"],
    "Decisions, with the words that the log has for them; a label with nothing to say is empty",
);
const MESSAGES: Described = described(
    "backstopd_messages_total",
    &["face", "kind", "message", "proof", "why", "action", "would"],
    "Recipients judged by the message (`refuse-at = \"message\"`), with the words that the log has for it",
);
const OWN_MAIL: Described = described(
    "backstopd_own_mail_total",
    &["face", "signed"],
    "Senders of own mail that were signed (yes) or left unsigned (no: not-vouched, no-sign, no-sign-recipients, no-key, \
     too-long); the share signed of a day is sum(increase(backstopd_own_mail_total{signed=\"yes\"}[1d])) / \
     sum(increase(backstopd_own_mail_total[1d]))",
);
const AGES: Described = described(
    "backstopd_tag_age_days",
    &["verdict"],
    "Days from signing to return of tags with a right MAC: genuine and expired ones",
);
const SECONDS: Described = described(
    "backstopd_decision_seconds",
    &["face"],
    "Seconds from a whole question to its decision, without the ways in and out",
);
const RELOADS: Described = described("backstopd_reloads_total", &["result"], "Reloads that were good or refused");
const RELOADED: Described = described(
    "backstopd_last_reload_timestamp_seconds",
    &["result"],
    "When the last reload was good or refused, in unix seconds; 0 for never",
);
const STARTED: Described =
    described("backstopd_start_timestamp_seconds", &[], "When the daemon started, in unix seconds");
const BUILD: Described = described("backstopd_build_info", &["version"], "1, for the version that runs");
const RING: Described =
    described("backstopd_ring_info", &["fingerprint"], "1, for the ring in force; all hosts must show the same");
const KEYS: Described =
    described("backstopd_key_info", &["use", "id", "mac", "fingerprint"], "1, for each key of the ring in force");
const ENDS: Described = described(
    "backstopd_signing_key_ends_days",
    &["use", "id", "fingerprint"],
    "Days that a key which signs today goes on signing after today; keys without an end are left out",
);
const FINDINGS: Described = described(
    "backstopd_ring_due",
    &["finding"],
    "What `backstop key check` finds due in the ring in force; anything but 0 wants someone",
);

/// All metrics, in the order of the manual.
pub const ALL: [&Described; 13] = [
    &DECISIONS, &MESSAGES, &OWN_MAIL, &AGES, &SECONDS, &RELOADS, &RELOADED, &STARTED, &BUILD, &RING, &KEYS, &ENDS,
    &FINDINGS,
];

/// Rules that leave the sender of own mail unsigned.
pub const UNSIGNED: [Rule; 5] = [Rule::NotVouched, Rule::NoSign, Rule::NoSignRecipients, Rule::NoKey, Rule::TooLong];

type Words<const N: usize> = [(&'static str, &'static str); N];
/// What is counted of a decision, in closed words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decision {
    kind: Kind,
    face: Face,
    mode: Mode,
    rule: Rule,
    action: &'static str,
    would: &'static str,
    verdict: &'static str,
}

/// By a number, since a decision takes a microsecond and each is counted; the words tell apart what it does not.
impl Hash for Decision {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(self.face as u32 | (self.mode as u32) << 8 | (self.rule as u32) << 16);
    }
}

/// What is counted of a message that was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Judged {
    face: Face,
    kind: bounce::Kind,
    message: &'static str,
    proof: &'static str,
    why: &'static str,
    action: &'static str,
    would: &'static str,
}

type Histograms = Family<Words<1>, Histogram, fn() -> Histogram>;

/// The counts of a process.
#[derive(Debug)]
pub struct Metrics {
    decisions: Mutex<HashMap<Decision, u64>>,
    messages: Mutex<HashMap<Judged, u64>>,
    ages: Histograms,
    seconds: Histograms,
    reloads: Family<Words<1>, Counter>,
    reloaded: Family<Words<1>, Gauge>,
    started: Gauge,
}

impl Metrics {
    /// All at nought.
    pub fn new(now: Option<Now>) -> Metrics {
        // A tag lives for 99 days at most; what is older came back late.
        let ages = || Histogram::new([0., 1., 2., 3., 5., 7., 10., 14., 17., 21., 30., 60., 99., 365.]);
        let seconds = || Histogram::new([5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 1e-2, 0.1, 1.]);
        let metrics = Metrics {
            decisions: Mutex::default(),
            messages: Mutex::default(),
            ages: Family::new_with_constructor(ages),
            seconds: Family::new_with_constructor(seconds),
            reloads: Family::default(),
            reloaded: Family::default(),
            started: Gauge::default(),
        };
        metrics.started.set(unix(now));
        for result in ["good", "refused"] {
            metrics.reloads.get_or_create(&[("result", result)]).inc_by(0);
            metrics.reloaded.get_or_create(&[("result", result)]).set(0);
        }
        metrics
    }

    /// Counts a decision that was carried out.
    pub fn count(&self, event: &Event<'_>) {
        let verdict = event.verdict.unwrap_or_default();
        self.seconds.get_or_create(&[("face", event.face.as_str())]).observe(event.begun.elapsed().as_secs_f64());
        if let Some(age) = event.age {
            self.ages.get_or_create(&[("verdict", verdict)]).observe(age.into());
        }
        let Event { kind, face, mode, rule, action, .. } = *event;
        let would = event.would.unwrap_or_default();
        *lock(&self.decisions).entry(Decision { kind, face, mode, rule, action, would, verdict }).or_default() += 1;
        if let (Some(kind), Some(message)) = (event.kind_of_message, event.message) {
            let proof = event.proof.map_or("", bounce::Place::slug);
            let why = message.why().map_or("", bounce::Why::slug);
            let judged = Judged { face, kind, message: message.slug(), proof, why, action, would };
            *lock(&self.messages).entry(judged).or_default() += 1;
        }
    }

    fn register_messages(&self, registry: &mut Registry) {
        let messages = Family::<Words<7>, Counter>::default();
        for (it, count) in &*lock(&self.messages) {
            let words = [
                ("face", it.face.as_str()),
                ("kind", it.kind.slug()),
                ("message", it.message),
                ("proof", it.proof),
                ("why", it.why),
                ("action", it.action),
                ("would", it.would),
            ];
            messages.get_or_create(&words).inc_by(*count);
        }
        register(registry, &MESSAGES, &messages);
    }

    fn register_decisions(&self, registry: &mut Registry, snapshot: &Snapshot) {
        let decisions = Family::<Words<7>, Counter>::default();
        let own_mail = Family::<Words<2>, Counter>::default();
        // Prometheus takes no note of a series' first value, and an alarm about nothing signed wants one to look at.
        for face in faces::signing(&snapshot.config) {
            let face = ("face", face.as_str());
            for signed in ["yes", "no"] {
                own_mail.get_or_create(&[face, ("signed", signed)]).inc_by(0);
            }
            for mode in [Mode::Sign, Mode::Observe, Mode::Enforce] {
                let (event, mode) = (("event", Kind::Outgoing.as_str()), ("mode", mode.as_str()));
                let (action, reason) = (("action", KEEP), ("reason", Rule::NoKey.slug()));
                decisions.get_or_create(&[event, face, mode, action, ("would", ""), ("verdict", ""), reason]).inc_by(0);
            }
        }
        for (it, count) in &*lock(&self.decisions) {
            let face = ("face", it.face.as_str());
            let words = [
                ("event", it.kind.as_str()),
                face,
                ("mode", it.mode.as_str()),
                ("action", it.action),
                ("would", it.would),
                ("verdict", it.verdict),
                ("reason", it.rule.slug()),
            ];
            decisions.get_or_create(&words).inc_by(*count);
            let signed = match it.rule {
                Rule::Signed => "yes",
                rule if UNSIGNED.contains(&rule) => "no",
                _ => continue,
            };
            if it.kind == Kind::Outgoing {
                own_mail.get_or_create(&[face, ("signed", signed)]).inc_by(*count);
            }
        }
        register(registry, &DECISIONS, &decisions);
        register(registry, &OWN_MAIL, &own_mail);
    }

    /// Counts a reload.
    pub fn count_reload(&self, good: bool, now: Option<Now>) {
        let labels = [("result", if good { "good" } else { "refused" })];
        self.reloads.get_or_create(&labels).inc();
        self.reloaded.get_or_create(&labels).set(unix(now));
    }

    /// The text of all metrics.
    pub fn text(&self, state: &State) -> String {
        let mut registry = Registry::default();
        let snapshot = state.snapshot();
        self.register_decisions(&mut registry, &snapshot);
        self.register_messages(&mut registry);
        register(&mut registry, &AGES, &self.ages);
        register(&mut registry, &SECONDS, &self.seconds);
        register(&mut registry, &RELOADS, &self.reloads);
        register(&mut registry, &RELOADED, &self.reloaded);
        register(&mut registry, &STARTED, &self.started);
        register_ring(&mut registry, &snapshot, state.clock.now().map(|now| now.day));
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = text::encode(&mut text, &registry);
        text
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is asked anew at each reading.
fn register_ring(registry: &mut Registry, snapshot: &Snapshot, today: Option<Day>) {
    let one = |labels| {
        let family = Family::<Vec<(&'static str, String)>, Gauge>::default();
        family.get_or_create(&labels).set(1);
        family
    };
    let ring = &snapshot.ring;
    register(registry, &BUILD, &one(vec![("version", env!("CARGO_PKG_VERSION").to_owned())]));
    register(registry, &RING, &one(vec![("fingerprint", ring.fingerprint().to_string())]));
    let names = |key: &Key| {
        let fingerprint = ("fingerprint", key.fingerprint().to_string());
        (("use", key.usage().to_string()), ("id", key.id().to_string()), fingerprint)
    };
    let keys = Family::<Vec<(&'static str, String)>, Gauge>::default();
    let ends = Family::<Vec<(&'static str, String)>, Gauge>::default();
    for key in ring.keys() {
        let (usage, id, fingerprint) = names(key);
        let mac = ("mac", key.mac().as_str().to_owned());
        keys.get_or_create(&vec![usage.clone(), id.clone(), mac, fingerprint.clone()]).set(1);
        if let Some((today, until)) = today.filter(|today| key.signs_on(*today)).zip(key.until()) {
            let left = until.number().saturating_sub(today.number());
            ends.get_or_create(&vec![usage, id, fingerprint]).set(left.into());
        }
    }
    register(registry, &KEYS, &keys);
    register(registry, &ENDS, &ends);
    let due = Family::<Words<1>, Gauge>::default();
    for &finding in Finding::DUE {
        due.get_or_create(&[("finding", finding)]).set(0);
    }
    for finding in today.map(|today| ring.check(today)).unwrap_or_default().iter().filter(|it| it.due) {
        due.get_or_create(&[("finding", finding.slug)]).inc();
    }
    register(registry, &FINDINGS, &due);
}

/// Clones share their counts.
fn register(registry: &mut Registry, what: &Described, metric: &(impl Metric + Clone)) {
    // The encoder writes `_total` by itself.
    let name = what.name.strip_suffix("_total").unwrap_or(what.name);
    registry.register(name, what.help, metric.clone());
}

fn unix(now: Option<Now>) -> i64 {
    now.and_then(|now| i64::try_from(now.seconds).ok()).unwrap_or_default()
}
