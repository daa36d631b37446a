//! The counts as one JSON object on a line.

use super::counts::{Counts, Table};
use super::series::{Burst, Class, stamp};
use super::top::{Count, Top};
use backstop::json::Object;

/// How many of each ranking, and of the bursts, are told.
const MOST: usize = 100;

/// The object. Without a policy there is nothing that it would do, and its two keys are null.
pub(crate) fn object(counts: &Counts, least: u16, has_policy: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Object::open(&mut out);
    object.number("messages", counts.messages).number("octets", counts.octets).number("cut", counts.cut);
    object.number("no_recipient", counts.no_recipient).number("undated", counts.times.undated);
    for (name, table) in [
        ("verdicts", &counts.verdicts),
        ("unproven", &counts.whys),
        ("kinds", &counts.kinds),
        ("reasons", &counts.reasons),
        ("proofs", &counts.proofs),
    ] {
        object.object(name, Some(|inner: &mut Object<'_>| fill(table, inner)));
    }
    object.object("advice", has_policy.then_some(|inner: &mut Object<'_>| fill(&counts.advice, inner)));
    object.object(
        "enforce",
        has_policy.then_some(|inner: &mut Object<'_>| {
            inner.number("refused_after_message", counts.would).number("refused_at_rcpt", counts.would_at_rcpt);
            inner.number("genuine_refused_at_rcpt", counts.would_lose).number("refused", counts.would_in_all);
        }),
    );
    for (name, top) in [("reporters", &counts.reporters), ("networks", &counts.networks), ("runs", &counts.runs)] {
        ranking(&mut object, name, top, true);
    }
    ranking(&mut object, "tokens", &counts.tokens, false);
    object.number("step_seconds", counts.times.all.width);
    let least = u64::from(least);
    object.objects("bursts", [Class::Genuine, Class::Misuse, Class::Unproven], |inner, class| {
        inner.plain("of", Some(class.name()));
        inner.objects("times", counts.times.bursts(class, least).into_iter().take(MOST), burst);
    });
    object.objects("stolen_accounts", counts.times.stolen(least).into_iter().take(MOST), |inner, (mailbox, it)| {
        inner.text("mailbox", mailbox.as_bytes());
        burst(inner, it);
        inner.number("step_seconds", it.width);
    });
    object.close();
    out
}

fn fill(table: &Table, object: &mut Object<'_>) {
    for (name, count) in table {
        object.number(name, *count);
    }
}

fn ranking(object: &mut Object<'_>, name: &'static str, top: &Top, has_misuse: bool) {
    object.objects(name, top.ranked().into_iter().take(MOST), |inner, (key, Count { all, misuse })| {
        inner.text("name", key.as_bytes()).number("messages", all);
        if has_misuse {
            inner.number("misuse", misuse);
        }
    });
}

fn burst(object: &mut Object<'_>, burst: Burst) {
    let at = |seconds| Some(stamp(seconds));
    object.plain("from", at(burst.from)).plain("to", at(burst.to)).number("messages", burst.count);
    object.number("usual", burst.usual);
}
