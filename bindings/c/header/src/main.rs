//! Makes `include/backstop.h` from the sources of bindings/c.
//!
//! ```text
//! cargo run -p backstop-c-header             writes the header
//! cargo run -p backstop-c-header -- --check  fails if the header that is there is another one
//! ```
//!
//! cbindgen does the work; here stand its settings, the order of the files, and what it has no setting for: headings
//! between groups (a comment that begins with `# TITLE`), short comments on one line, and the look of numbers and
//! types. Whatever cbindgen warns of fails, since it would go missing from the header.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use cbindgen::{Builder, Config, DocumentationStyle, Language, Style};

/// The sources in the order of the manual.
const SOURCES: [&str; 14] = [
    "status.rs",
    "keyring.rs",
    "keystore.rs",
    "verdict.rs",
    "tag.rs",
    "srs.rs",
    "mark.rs",
    "policy.rs",
    "policy_names.rs",
    "rule.rs",
    "many.rs",
    "inspection_names.rs",
    "inspection.rs",
    "exim/mod.rs",
];

/// No line of the header is longer, in columns.
const LINE: usize = 120;

/// What stands before all: the rules that hold for every function.
const MANUAL: &str = include_str!("../manual.h");
/// What stands last: the values with which structures begin.
const INITIAL: &str = include_str!("../initial.h");

/// Counts what cbindgen warns of.
struct Warnings(AtomicUsize);

static WARNINGS: Warnings = Warnings(AtomicUsize::new(0));

impl log::Log for Warnings {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        // What is not `pub` is meant to be missing.
        if self.enabled(record.metadata()) && !record.args().to_string().ends_with("(not `pub`).") {
            self.0.fetch_add(1, Ordering::Relaxed);
            eprintln!("cbindgen: {}: {}", record.level(), record.args());
        }
    }

    fn flush(&self) {}
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("backstop-c-header: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    log::set_logger(&WARNINGS)?;
    log::set_max_level(log::LevelFilter::Warn);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let header = generate(&root.join("bindings/c/src"))?;
    // Inside the guard, which a trailer of cbindgen would stand behind.
    let (declared, end) = header.rsplit_once("#ifdef __cplusplus").ok_or("cbindgen wrote no end for C++")?;
    let header = finish(&format!("{declared}{INITIAL}\n#ifdef __cplusplus{end}"));
    if let Some(line) = header.lines().find(|line| line.len() > LINE) {
        return Err(format!("more than {LINE} columns: {line}").into());
    }
    let warnings = WARNINGS.0.load(Ordering::Relaxed);
    if warnings > 0 {
        return Err(format!("cbindgen warned {warnings} times; what it does not understand is missing").into());
    }
    let path = root.join("include/backstop.h");
    match std::env::args().nth(1).as_deref() {
        None => std::fs::write(&path, header)?,
        Some("--check") if std::fs::read_to_string(&path)? == header => {}
        Some("--check") => {
            return Err(
                "include/backstop.h is not what bindings/c/src makes; run `cargo run -p backstop-c-header`".into()
            );
        }
        Some(other) => return Err(format!("`{other}` is no option; --check is the only one").into()),
    }
    Ok(())
}

fn generate(sources: &Path) -> Result<String, Box<dyn Error>> {
    let config = Config {
        language: Language::C,
        header: Some(MANUAL.trim_end().to_owned()),
        include_guard: Some("BACKSTOP_H".to_owned()),
        no_includes: true,
        sys_includes: vec!["stddef.h".to_owned(), "stdint.h".to_owned()],
        after_includes: Some(version()),
        cpp_compat: true,
        usize_is_size_t: true,
        style: Style::Both,
        documentation_style: DocumentationStyle::Doxy,
        tab_width: 4,
        line_length: 110,
        ..Config::default()
    };
    let builder = SOURCES.iter().fold(Builder::new().with_config(config), |all, file| all.with_src(sources.join(file)));
    let mut header = Vec::new();
    builder.generate()?.write(&mut header);
    Ok(String::from_utf8(header)?)
}

/// The version of this package, which is that of the workspace and so of the library. cbindgen makes no macros of text.
fn version() -> String {
    let (major, minor, patch) =
        (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH"));
    format!(
        "\n/** The version of this header, such as \"0.1.0\". */\n#define BACKSTOP_VERSION \"{}\"\n\
         /** The version of this header: major * 1000000 + minor * 1000 + patch. */\n\
         #define BACKSTOP_VERSION_NUMBER ({major} * 1000000 + {minor} * 1000 + {patch})",
        env!("CARGO_PKG_VERSION")
    )
}

/// What cbindgen has no setting for.
fn finish(header: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut lines = header.lines().peekable();
    while let Some(line) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        if line.trim() != "/**" {
            out.push(code(line));
            continue;
        }
        let mut comment: Vec<&str> = Vec::new();
        while let Some(text) = lines.next_if(|line| line.trim() != "*/") {
            comment.push(text.trim_start().trim_start_matches('*').trim_end());
        }
        lines.next();
        if let Some(title) = comment.first().and_then(|first| first.strip_prefix(" # ")) {
            out.push(format!("/*\n * ==== {title} ====\n */\n"));
            comment.drain(..2.min(comment.len()));
        }
        let space = " ".repeat(indent);
        match comment.as_slice() {
            [one] if indent + "/** */".len() + one.len() <= LINE => out.push(format!("{space}/**{one} */")),
            many => {
                out.push(format!("{space}/**"));
                out.extend(many.iter().map(|text| format!("{space} *{text}")));
                out.push(format!("{space} */"));
            }
        }
    }
    let text = out.join("\n") + "\n";
    // Numbers of one group stand together.
    let mut result = String::new();
    let mut paragraphs = text.split("\n\n").peekable();
    while let Some(paragraph) = paragraphs.next() {
        result.push_str(paragraph);
        let is_define = |text: &str| text.starts_with("/** ") && text.contains("\n#define ");
        match paragraphs.peek() {
            Some(next) if is_define(paragraph) && is_define(next) => result.push('\n'),
            Some(_) => result.push_str("\n\n"),
            None => {}
        }
    }
    result
}

/// A line of code: negative numbers in brackets, as C wants them in a macro, types by their plain names, and comments as
/// the rest of the header has them.
fn code(line: &str) -> String {
    let is_number = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    if let Some((directive, comment)) = line.split_once("//").filter(|_| line.starts_with('#')) {
        return format!("{} /* {} */", directive.trim_end(), comment.trim());
    }
    match line.strip_prefix("#define ").and_then(|rest| rest.split_once(" -")) {
        Some((name, number)) if is_number(number) => format!("#define {name} (-{number})"),
        _ if line.starts_with("typedef") => line.to_owned(),
        _ => line.replace("struct backstop_", "backstop_"),
    }
}
