//! Kinds over labelled messages: one line for each label, and what was taken for something else. How fast they are judged
//! tells `cargo bench --bench bounce --features bounce`.
//!
//! ```text
//! BACKSTOP_CORPORA=FOLDER cargo run --release --example corpora --features bounce [-- [HALF] [list]]
//! ```
//!
//! FOLDER holds `manifest.jsonl`, one object a line: `{"path": ..., "kind": ...}`, kind one of bounce, autoreply, cr, arf,
//! ham, ham-fixture, spam, other. HALF is 0 or 1: only the paths whose SHA-256 begins with an even or an odd octet, so that
//! one half can be kept apart. `list` names the messages that were missed, and why. Without the folder it says so and
//! ends with 0.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use backstop::bounce::{self, Envelope, Form, Inspection};
use backstop::policy::Policy;
use backstop::{Day, Domains, KeyRing};
use sha2::{Digest, Sha256};

struct Labelled {
    path: String,
    label: String,
    octets: Vec<u8>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(folder) = std::env::var_os("BACKSTOP_CORPORA") else {
        println!("skipped: BACKSTOP_CORPORA names no folder of labelled messages");
        return Ok(());
    };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let half = arguments.iter().find_map(|argument| argument.parse::<u8>().ok());
    let messages = read(Path::new(&folder), half)?;
    let ring = KeyRing::parse(b"version 1\nmark m sha256 14 - - * text:an example\n")?;
    let policy = Policy::new(Domains::parse("example.com")?);
    let day = Day::parse("2026-11-21")?;
    let judge = |message: &Labelled| bounce::inspect(&message.octets, &Envelope::default(), &ring, &policy, day);

    let seen: Vec<Inspection> = messages.iter().map(judge).collect();
    let mut table: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for (message, seen) in messages.iter().zip(&seen) {
        *table.entry(&message.label).or_default().entry(seen.kind.slug()).or_default() += 1;
    }
    for (label, kinds) in &table {
        let all: usize = kinds.values().sum();
        let bounces: usize = kinds.iter().filter(|(kind, _)| kind.starts_with("dsn-")).map(|(_, count)| count).sum();
        let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        println!("{label:<12} {all:>5}  dsn {:>5.1} %  {}", 100.0 * bounces as f64 / all as f64, kinds.join(", "));
    }
    returned(&seen);
    if arguments.iter().any(|argument| argument == "list") {
        for (message, seen) in messages.iter().zip(&seen).filter(|(message, seen)| is_missed(message, seen)) {
            let why: Vec<String> = seen.evidence.iter().map(|it| format!("{} {}", it.id, it.weight)).collect();
            println!("{} {} {} ({})", message.path, seen.kind.slug(), seen.score, why.join(", "));
        }
    }
    Ok(())
}

/// What the bounces return, and whether a mark would show in it.
fn returned(seen: &[Inspection]) {
    let bounces: Vec<&Inspection> = seen.iter().filter(|seen| seen.kind.is_dsn()).collect();
    let share = |which: &dyn Fn(&Inspection) -> bool| {
        let count = bounces.iter().filter(|seen| which(seen)).count();
        100.0 * count as f64 / bounces.len().max(1) as f64
    };
    let form = |form: Form| move |seen: &Inspection| seen.returned.first().is_some_and(|it| it.form == form);
    println!(
        "{} bounces return a message {:.1} %, headers {:.1} %, headers in text {:.1} %; a Message-ID {:.1} %; a mark would \
         show in {:.1} %; a reason is known of {:.1} %, the injecting host of {:.1} %",
        bounces.len(),
        share(&form(Form::Message)),
        share(&form(Form::Headers)),
        share(&form(Form::Text)),
        share(&|seen| seen.returned.iter().any(|it| it.message_id.is_some())),
        share(&|seen| seen.returned.iter().any(|it| it.complete)),
        share(&|seen| seen.reason.is_some()),
        share(&|seen| seen.source.injector.is_some()),
    );
}

fn read(folder: &Path, half: Option<u8>) -> Result<Vec<Labelled>, Box<dyn Error>> {
    let mut messages = Vec::new();
    for line in std::fs::read_to_string(folder.join("manifest.jsonl"))?.lines() {
        let row: serde_json::Value = serde_json::from_str(line)?;
        let column = |name: &str| row.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
        let (path, label) = (column("path"), column("kind"));
        if half.is_none_or(|half| Sha256::digest(path).first().is_some_and(|octet| octet & 1 == half)) {
            let octets = std::fs::read(folder.join(path))?;
            messages.push(Labelled { path: path.to_owned(), label: label.to_owned(), octets });
        }
    }
    Ok(messages)
}

fn is_missed(message: &Labelled, seen: &Inspection) -> bool {
    match message.label.as_str() {
        "bounce" => !seen.kind.is_dsn(),
        "arf" => seen.kind.slug() != "feedback-report",
        "autoreply" => !matches!(seen.kind.slug(), "auto-reply" | "vacation"),
        "cr" => seen.kind.slug() != "challenge",
        _ => seen.kind.slug() != "not-a-bounce",
    }
}
