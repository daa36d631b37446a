//! The table of evidence: the library's own, checked and printed, or tables in files, checked.

use std::path::PathBuf;

use backstop::bounce::evidence;
use backstop::keyfile;

use crate::output;
use crate::stop::{Outcome, Run, Stop};

pub(crate) fn run(files: &[PathBuf]) -> Run {
    let (mut text, mut wrong) = (String::new(), 0);
    if files.is_empty() {
        wrong += check("the table of evidence", evidence::TABLE, &mut text);
        for row in evidence::rows() {
            text += &format!("{:<42} {:<26} {:>4}  {}\n", row.id, row.speaks_for, row.weight, row.why);
        }
    }
    for path in files {
        let octets = keyfile::read_text(path, "the table")?;
        wrong += check(&path.display().to_string(), &String::from_utf8_lossy(&octets), &mut text);
    }
    output::print(text.as_bytes())?;
    match wrong {
        0 => Ok(Outcome::Done),
        _ => Err(Stop::trouble(format!("{wrong} slips in the table; mend the lines that are named"))),
    }
}

/// Appends what is in a table, or what is wrong with it; says how much is wrong.
fn check(name: &str, table: &str, text: &mut String) -> usize {
    match evidence::check(table) {
        Ok((items, phrases)) => {
            *text += &format!("{name} is valid: {items} items, {phrases} phrases\n");
            0
        }
        Err(problems) => {
            problems.iter().for_each(|problem| *text += &format!("{name}: {problem}\n"));
            problems.len()
        }
    }
}
