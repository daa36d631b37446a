//! The man pages: everything of the code stands in them, and groff takes them without a warning.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use backstopd::config::TABLES;
use backstopd::{event, metrics};

/// A folder with the pages.
fn pages(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_backstopd")).arg("man").arg(&folder).output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
    folder
}

/// A page without the marks of roff.
fn text(folder: &Path, name: &str) -> String {
    let page = fs::read_to_string(folder.join(name)).unwrap();
    page.replace("\\fB", "").replace("\\fR", "").replace("\\-", "-").replace("\\*(Aq", "'")
}

#[test]
fn there_is_a_page_for_the_daemon_each_subcommand_and_the_configuration() {
    let mut names: Vec<String> =
        fs::read_dir(pages("all-pages")).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let subcommands = ["check", "filter", "man", "ready", "run", "stats"].map(|name| format!("backstopd-{name}.8"));
    let expected = [&subcommands[..], &["backstopd.8".to_owned(), "backstopd.toml.5".to_owned()]].concat();
    assert_eq!(names, expected);
}

#[test]
fn a_synopsis_names_values_and_what_may_be_repeated_and_the_environment_stands_with_its_option() {
    let folder = pages("synopsis");
    for (name, synopsis) in [
        (
            "backstopd",
            "backstopd [--config <FILE>] [--domain <DOMAIN>]... [--port <PORT>] [--state <FOLDER>]\n.br\nbackstopd <COMMAND> ...\n",
        ),
        (
            "backstopd-check",
            "backstopd check [FILE] [--config <FILE>] [--domain <DOMAIN>]... [--port <PORT>] [--state <FOLDER>]\n",
        ),
        ("backstopd-ready", "backstopd ready [--days <N>] [--accept <REASON>]... [FILE]... [--top <N>] [--json]\n"),
        ("backstopd-stats", "backstopd stats [FILE]... [--top <N>] [--json]\n"),
        ("backstopd-man", "backstopd man <FOLDER>\n"),
    ] {
        let page = text(&folder, &format!("{name}.8"));
        let (_, rest) = page.split_once(".SH SYNOPSIS\n").unwrap();
        assert!(rest.starts_with(&format!("{synopsis}.SH ")), "{name}: {rest:.200}");
        let (has_state, told) = (synopsis.contains("--state"), page.contains("STATE_DIRECTORY"));
        assert_eq!(told, has_state, "{name}");
    }
}

#[test]
fn every_event_key_metric_and_exit_code_stands_in_section_8() {
    let page = text(&pages("section-8"), "backstopd.8");
    let lines: Vec<&str> = page.lines().collect();
    let terms: Vec<&str> = lines.windows(2).filter(|pair| pair[0] == ".TP").map(|pair| pair[1]).collect();
    for (name, _) in event::FIELDS {
        assert!(terms.contains(&name), "{name}");
    }
    for metric in metrics::ALL {
        assert!(terms.iter().any(|term| term.split('{').next() == Some(metric.name)), "{}", metric.name);
    }
    for (exit, _) in backstopd::stop::EXITS {
        assert!(terms.contains(&exit.map_or(0, |exit| exit as u8).to_string().as_str()), "{exit:?}");
    }
}

#[test]
fn every_key_of_the_configuration_stands_in_section_5_under_its_table() {
    let page = text(&pages("section-5"), "backstopd.toml.5");
    let sections: Vec<(&str, &str)> = page.split("\n.SS\n").skip(1).filter_map(|it| it.split_once('\n')).collect();
    for (table, keys) in TABLES {
        let (_, section) = sections.iter().find(|(name, _)| *name == format!("[{table}]")).unwrap();
        for key in *keys {
            let heads = section.split(".TP\n").skip(1).map(|it| it.lines().next().unwrap());
            assert!(heads.flat_map(|head| head.split(", ")).any(|head| head == *key), "[{table}] {key}");
        }
    }
    assert!(sections.iter().any(|(name, _)| *name == "[policy]"));
    // The prose comes whole: no sentence is lost on the way.
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let page = words(&page).join(" ");
    let sample = include_str!("../backstopd.toml");
    for line in sample.lines().filter_map(|line| line.strip_prefix("# ")) {
        let line = words(&line.replace('`', "")).join(" ");
        assert!(page.contains(&line), "{line}");
    }
}

/// Whether a program is there, which it must be in CI.
fn is_there(program: &str) -> bool {
    let there = Command::new(program).stdin(Stdio::null()).output().is_ok();
    assert!(there || std::env::var_os("CI").is_none_or(|it| it != "true"), "{program} is missing; install it");
    if !there {
        eprintln!("skipped: {program} is missing");
    }
    there
}

#[test]
fn each_page_has_name_section_date_and_source_in_its_title_and_mandoc_has_no_warning() {
    let folder = pages("titles");
    let lints = is_there("mandoc");
    for entry in fs::read_dir(folder).unwrap() {
        let page = entry.unwrap().path();
        let file = page.file_name().unwrap().to_str().unwrap();
        let (name, section) = file.rsplit_once('.').unwrap();
        let text = fs::read_to_string(&page).unwrap().replace("\\-", "-");
        let title = text.lines().find_map(|line| line.strip_prefix(".TH ")).unwrap();
        let (begin, end) = (format!("{name} {section} 20"), " \"backstopd 0.1.0\" backstopd");
        assert!(title.starts_with(&begin) && title.ends_with(end), "{file}: {title}");
        if lints {
            let done = Command::new("mandoc").args(["-Tlint", "-Wwarning"]).arg(&page).output().unwrap();
            assert!(done.stdout.is_empty(), "{}", String::from_utf8_lossy(&done.stdout));
        }
    }
}

#[test]
fn groff_has_no_warning_about_a_page() {
    if !is_there("groff") {
        return;
    }
    for entry in fs::read_dir(pages("groff")).unwrap() {
        let page = entry.unwrap().path();
        let done = Command::new("groff").args(["-man", "-Tutf8", "-ww", "-z"]).arg(&page).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success() && said.is_empty(), "{}: {said}", page.display());
    }
}
