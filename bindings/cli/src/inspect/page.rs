//! The counts as one HTML page: plots as inline SVG, every number also as text, nothing that is fetched or run.
//!
//! Colours are variables that follow the reader's light or dark scheme; patterns do not depend on colour alone, since every
//! bar has its number beside it and the timeline a table. All text is escaped; a content security policy forbids scripts
//! and every resource from elsewhere, should an escape ever fail.

use std::fmt::Write as _;

use backstop::Day;
use backstop::explain::printable;

use super::counts::{Counts, Table};
use super::series::{Class, Series, Step, hours, stamp};
use super::text::{remarks, words};
use super::top::Top;

/// How many of each ranking are shown.
const MOST: usize = 20;
/// Columns of the timeline.
const COLUMNS: i64 = 96;
/// Size of the timeline in units of its drawing.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 180.0;

/// How every page begins, which lets a later one replace it: keep it as it is.
pub(crate) const START: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Returned messages</title>
"#;

const HEAD: &str = r#"<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<style>
:root { --back: #fcfcfb; --text: #1d1f21; --soft: #5a6068; --line: #d9dcdf;
  --genuine: #1b7f5c; --misuse: #b3362c; --unproven: #9a6a00; --other: #6b7786; --bar: #2f66a8; --alert: #fbe9e7; }
@media (prefers-color-scheme: dark) { :root { --back: #16181b; --text: #e6e7e8; --soft: #a2a9b1; --line: #383d43;
  --genuine: #4dbb92; --misuse: #ec7a6f; --unproven: #d9a63a; --other: #8e9aa8; --bar: #7aa7de; --alert: #3d2220; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 64rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
p { margin: .3rem 0; } .soft { color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .8rem; margin: 1.2rem 0; }
.cards div { border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem; }
.cards b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.alert { background: var(--alert); border-left: .3rem solid var(--misuse); padding: .6rem 1rem; margin: 1rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: var(--soft); }
th, td { text-align: left; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: middle; }
th { font-weight: 600; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th.n { width: 6rem; } td.name { overflow-wrap: anywhere; } td.plot, th.plot { width: 34%; }
svg { display: block; width: 100%; } svg text { fill: var(--soft); font-size: 12px; }
.key span { display: inline-block; margin-right: 1.2rem; } .key i { display: inline-block; width: .8em; height: .8em;
  margin-right: .4em; }
.genuine { fill: var(--genuine); background: var(--genuine); } .misuse { fill: var(--misuse); background: var(--misuse); }
.unproven { fill: var(--unproven); background: var(--unproven); } .other { fill: var(--other); background: var(--other); }
.bar { fill: var(--bar); } .axis { stroke: var(--line); }
</style>
</head>
<body>
<main>
"#;

/// The page.
pub(crate) fn page(counts: &Counts, least: u16, has_policy: bool, day: Day) -> String {
    let mut page = format!("{START}{HEAD}");
    let _ = writeln!(
        page,
        "<h1>Returned messages</h1>\n<p class=\"soft\">{} messages, made on {day} by backstop {}</p>",
        grouped(counts.messages),
        env!("CARGO_PKG_VERSION")
    );
    cards(&mut page, counts);
    let least = u64::from(least);
    let stolen = counts.times.stolen(least);
    if !stolen.is_empty() {
        page += "<div class=\"alert\" role=\"note\"><h2>Possibly stolen accounts</h2>\n<p>Bursts of genuine bounces: \
                 somebody sends with these.</p>\n<ul>\n";
        for (mailbox, burst) in stolen.iter().take(MOST) {
            let _ = writeln!(page, "<li><b>{}</b> {}</li>", safe(mailbox), safe(&words(*burst)));
        }
        page += "</ul></div>\n";
    }
    timeline(&mut page, &counts.times.all);
    bursts(&mut page, counts, least);
    for (title, table) in [
        ("Verdicts", &counts.verdicts),
        ("Why nothing is proved", &counts.whys),
        ("Where proofs stood", &counts.proofs),
        ("Kinds", &counts.kinds),
        ("Why mail was not delivered", &counts.reasons),
    ] {
        bars(&mut page, title, table);
    }
    if has_policy {
        enforce(&mut page, counts);
    }
    for (title, what, top) in [
        ("Reporting hosts", "Host", &counts.reporters),
        ("Networks that injected the mail", "Network", &counts.networks),
        ("Runs", "Subject | link | structure", &counts.runs),
    ] {
        ranking(&mut page, title, what, top);
    }
    for remark in remarks(counts) {
        let _ = writeln!(page, "<p class=\"soft\">{}</p>", safe(&remark));
    }
    page += "</main>\n</body>\n</html>\n";
    page
}

/// A number with a comma between each three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Text as HTML, without what would hide or turn it.
fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in printable(text.as_bytes()).chars() {
        match char {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            _ => out.push(char),
        }
    }
    out
}

const fn colour(class: Class) -> &'static str {
    match class {
        Class::Genuine => "genuine",
        Class::Misuse => "misuse",
        Class::Unproven => "unproven",
        Class::Other => "other",
    }
}

fn cards(page: &mut String, counts: &Counts) {
    *page += "<div class=\"cards\">\n";
    for verdict in ["genuine", "backscatter", "forged", "expired", "unproven", "not-a-bounce"] {
        let count = counts.verdicts.get(verdict).copied().unwrap_or_default();
        let _ = writeln!(page, "<div><b>{}</b>{verdict}</div>", grouped(count));
    }
    *page += "</div>\n";
}

/// Stacked columns over time, and the same numbers as a table.
fn timeline(page: &mut String, series: &Series) {
    let ends = series.steps.keys().next().zip(series.steps.keys().next_back());
    let Some((first, last)) = ends.map(|(first, last)| (*first, *last)) else { return };
    let per_column = (last - first).div_euclid(COLUMNS) + 1;
    let mut columns: Vec<(i64, Step)> = Vec::new();
    for (step, counts) in &series.steps {
        let column = (step - first).div_euclid(per_column);
        match columns.last_mut().filter(|(known, _)| *known == column) {
            Some((_, sums)) => sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count),
            None => columns.push((column, *counts)),
        }
    }
    let most = columns.iter().map(|(_, counts)| counts.iter().sum::<u64>()).max().unwrap_or(1).max(1);
    let number = (last - first).div_euclid(per_column) + 1;
    // At least a dozen, or one column would fill the page.
    let width = WIDTH / number.max(12) as f64;
    let span = hours(per_column * series.width);
    let _ = writeln!(
        page,
        "<h2 id=\"time\">Over time</h2>\n<p class=\"key\" aria-hidden=\"true\">{}</p>",
        Class::ALL.map(|it| format!("<span><i class=\"{}\"></i>{}</span>", colour(it), it.name())).concat()
    );
    let _ = writeln!(
        page,
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-labelledby=\"time\" \
        aria-describedby=\"steps\">\n<text x=\"0\" y=\"12\">{} in {span}</text><line class=\"axis\" x1=\"0\" x2=\"{WIDTH}\" y1=\"18\" \
        y2=\"18\"/>",
        HEIGHT + 44.0,
        grouped(most)
    );
    let base = HEIGHT + 18.0;
    for (column, counts) in &columns {
        let mut top = base;
        for class in Class::ALL {
            let count = counts.get(class as usize).copied().unwrap_or_default();
            if count > 0 {
                let height = HEIGHT * count as f64 / most as f64;
                top -= height;
                let _ = writeln!(
                    page,
                    "<rect class=\"{}\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>",
                    colour(class),
                    *column as f64 * width,
                    (width - 1.0).max(0.8)
                );
            }
        }
    }
    let _ = writeln!(page, "<line class=\"axis\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{base}\" y2=\"{base}\"/>");
    let end = (number as f64 * width).max(260.0);
    let at = |column: i64| stamp((first + column * per_column) * series.width);
    let mut times = vec![(0.0, "start", at(0)), (end, "end", stamp((last + 1) * series.width))];
    if end > WIDTH / 2.0 {
        times.push(((number / 2) as f64 * width, "middle", at(number / 2)));
    }
    for (x, anchor, time) in times {
        let _ = writeln!(page, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{time}</text>", base + 18.0);
    }
    *page += "</svg>\n";
    let _ = writeln!(
        page,
        "<details><summary>The same as a table</summary>\n<div class=\"wide\"><table>\n<caption id=\"steps\">Columns \
        of {span}, UTC; the highest has {} messages</caption>\n<tr><th scope=\"col\">From</th>{}</tr>",
        grouped(most),
        Class::ALL.map(|it| format!("<th scope=\"col\" class=\"n\">{}</th>", it.name())).concat()
    );
    for (column, counts) in &columns {
        let cells: String = counts.iter().map(|count| format!("<td class=\"n\">{count}</td>")).collect();
        let from = stamp((first + column * per_column) * series.width);
        let _ = writeln!(page, "<tr><th scope=\"row\">{from}</th>{cells}</tr>");
    }
    *page += "</table></div></details>\n";
}

fn bursts(page: &mut String, counts: &Counts, least: u64) {
    for class in [Class::Genuine, Class::Misuse, Class::Unproven] {
        let found = counts.times.bursts(class, least);
        if !found.is_empty() {
            let _ = writeln!(page, "<h2>Bursts: {}</h2>\n<ul>", class.name());
            for burst in found.iter().take(MOST) {
                let _ = writeln!(page, "<li>{}</li>", safe(&words(*burst)));
            }
            *page += "</ul>\n";
        }
    }
}

fn enforce(page: &mut String, counts: &Counts) {
    *page += "<h2>What mode enforce refuses</h2>\n<table>\n";
    for (what, count) in [
        ("for the recipient alone, at RCPT or DATA", counts.would_at_rcpt),
        ("of these genuine by a mark, of which refuse-at = \"message\" keeps all but SRS", counts.would_lose),
        ("after the message", counts.would),
        ("in all", counts.would_in_all),
    ] {
        let _ = writeln!(page, "<tr><th scope=\"row\">{what}</th><td class=\"n\">{}</td></tr>", grouped(count));
    }
    *page += "</table>\n";
}

/// A bar for a table cell.
fn bar(class: &str, part: u64, all: u64) -> String {
    let width = 100.0 * part as f64 / all.max(1) as f64;
    format!("<rect class=\"{class}\" width=\"{width:.2}\" height=\"10\"/>")
}

fn drawing(bars: &str) -> String {
    format!("<svg viewBox=\"0 0 100 10\" height=\"12\" preserveAspectRatio=\"none\" aria-hidden=\"true\">{bars}</svg>")
}

fn bars(page: &mut String, title: &str, table: &Table) {
    if table.is_empty() {
        return;
    }
    let _ = writeln!(page, "<h2>{title}</h2>\n<table>");
    let mut rows: Vec<_> = table.iter().collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let most = rows.first().map_or(1, |(_, count)| **count);
    for (name, count) in rows {
        let plot = drawing(&bar("bar", *count, most));
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{name}</th><td class=\"n\">{}</td><td class=\"plot\">{plot}</td></tr>",
            grouped(*count)
        );
    }
    *page += "</table>\n";
}

fn ranking(page: &mut String, title: &str, what: &str, top: &Top) {
    let ranked = top.ranked();
    if ranked.is_empty() {
        return;
    }
    let _ = writeln!(
        page,
        "<h2>{title}</h2>\n<p class=\"soft\">Of automatic messages that nothing proves to be ours; \
        the part that is backscatter or forged is red</p>\n\
        <table>\n<tr><th scope=\"col\">{what}</th><th scope=\"col\" class=\"n\">All</th><th scope=\"col\" class=\"n\">Backscatter, \
        forged</th><th class=\"plot\"></th></tr>"
    );
    let most = ranked.iter().map(|(_, count)| count.all).max().unwrap_or(1);
    for (name, count) in ranked.iter().take(MOST) {
        let plot = drawing(&(bar("unproven", count.all, most) + &bar("misuse", count.misuse, most)));
        let _ = writeln!(
            page,
            "<tr><td class=\"name\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
            <td class=\"plot\">{plot}</td></tr>",
            safe(name),
            grouped(count.all),
            grouped(count.misuse)
        );
    }
    *page += "</table>\n";
    if ranked.len() > MOST {
        let _ = writeln!(page, "<p class=\"soft\">and {} more</p>", grouped((ranked.len() - MOST) as u64));
    }
    if top.dropped > 0 {
        let dropped = grouped(top.dropped);
        let _ = writeln!(page, "<p class=\"soft\">and {dropped} messages of ones too rare to be held</p>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn nothing_from_outside_becomes_markup() {
        assert_eq!(safe("<script>\"'&\u{202e}\n"), "&lt;script&gt;&quot;&#39;&amp;\\u{202e}\\n");
    }
}
