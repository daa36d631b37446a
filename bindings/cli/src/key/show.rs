//! `backstop key list` and `backstop key check`: what a ring holds and what is due, without its secrets.

use std::fmt::Write as _;

use backstop::explain::printable;
use backstop::{Day, Key, KeyRing};

use super::date;
use crate::args;
use crate::output;
use crate::ring;
use crate::stop::{Outcome, Run};
use crate::when::Clock;
use backstop::json::Object;

pub(super) fn list(args: &args::KeyList) -> Run {
    let ring = ring::load(&args.keys)?;
    let today = Clock(args.at.at).day()?;
    let text = if args.json { list_json(&ring, today) } else { list_text(&ring, today).into_bytes() };
    output::print(&text)?;
    Ok(Outcome::Done)
}

/// What a key does on this day: one that is open and signs nothing, since another does in its place, verifies still.
fn state(ring: &KeyRing, key: &Key, today: Day) -> &'static str {
    match (key.signs_on(today), key.from()) {
        (true, _) if ring.is_replaced(key, today) => "open",
        (true, _) => "signs",
        (false, Some(from)) if today < from => "waits",
        (false, _) => "ended",
    }
}

fn list_text(ring: &KeyRing, today: Day) -> String {
    let domains = |key: &Key| printable(key.domains().as_str().as_bytes());
    let width = ring.keys().iter().map(|key| domains(key).chars().count()).fold(7, usize::max);
    let mut text = String::new();
    let mut row = |columns: [&str; 10]| {
        let [usage, id, mac, days, from, until, domains, octets, print, state] = columns;
        // By hand, since a width of the format has sixteen bits. Writing to a String cannot fail.
        let pad = " ".repeat(width.saturating_sub(domains.chars().count()));
        let _ = writeln!(
            text,
            "{usage:<5} {id:<3} {mac:<7} {days:<5} {from:<11} {until:<11} {domains}{pad}  {octets:<7} {print:<12} {state}"
        );
    };
    row(["use", "id", "mac", "days", "from", "until", "domains", "octets", "fingerprint", "today"]);
    for key in ring.keys() {
        let (from, until, id) = (date(key.from()), date(key.until()), key.id().to_string());
        let (days, octets, print) =
            (key.days().to_string(), key.secret_len().to_string(), key.fingerprint().to_string());
        let usage = key.usage().as_str();
        row([
            usage,
            &id,
            key.mac().as_str(),
            &days,
            &from,
            &until,
            &domains(key),
            &octets,
            &print,
            state(ring, key, today),
        ]);
    }
    let _ = writeln!(text, "ring {}", ring.fingerprint());
    text
}

fn list_json(ring: &KeyRing, today: Day) -> Vec<u8> {
    let mut out = Vec::new();
    for key in ring.keys() {
        let mut object = Object::open(&mut out);
        object.text("use", key.usage().as_str().as_bytes()).plain("id", Some(key.id()));
        object.text("mac", key.mac().as_str().as_bytes()).number("days", key.days());
        object.plain("from", key.from()).plain("until", key.until());
        object.text("domains", key.domains().as_str().as_bytes()).number("octets", len(key.secret_len()));
        object.number("line", len(key.line())).plain("fingerprint", Some(key.fingerprint()));
        object.text("today", state(ring, key, today).as_bytes()).plain("ring", Some(ring.fingerprint()));
        object.close();
    }
    out
}

fn len(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

pub(super) fn check(args: &args::KeyCheck) -> Run {
    let ring = ring::load(&args.keys)?;
    let found = ring.check(Clock(args.at.at).day()?);
    let (print, count) = (ring.fingerprint(), ring.keys().len());
    let keys = if count == 1 { "key" } else { "keys" };
    let mut out = Vec::new();
    for finding in &found {
        if args.json {
            let line = finding.line.map(len);
            finding_json(&mut out, Some(finding.slug), finding.due, line, &finding.sentence, &ring);
        } else {
            let due = if finding.due { "due" } else { "note" };
            out.extend_from_slice(format!("{due}  {}: {}\n", finding.slug, finding.sentence).as_bytes());
        }
    }
    if args.json {
        finding_json(&mut out, None, false, None, &format!("the ring has {count} {keys}"), &ring);
    } else {
        out.extend_from_slice(format!("ring {print} has {count} {keys}\n").as_bytes());
    }
    output::print(&out)?;
    Ok(match found.iter().filter(|finding| finding.due).count() {
        0 => Outcome::Done,
        due => Outcome::Remarks(format!("{due} due in this ring")),
    })
}

/// Appends an object; the last one is of the ring, and no finding.
fn finding_json(out: &mut Vec<u8>, slug: Option<&str>, due: bool, line: Option<u64>, sentence: &str, ring: &KeyRing) {
    let mut object = Object::open(out);
    object.plain("finding", slug).flag("due", due);
    match line {
        Some(line) => object.number("line", line),
        None => object.optional("line", None),
    };
    object.text("sentence", sentence.as_bytes()).plain("ring", Some(ring.fingerprint()));
    object.close();
}
