//! backstopd.toml(5) from the sample configuration, which is its own manual.
//!
//! ```text
//! block   = prose *item              blocks stand apart by empty lines; the first one has no item and is the introduction
//! prose   = *( "# " text )           text behind more blanks stands as it is: lists
//! item    = [ "#" ] ( "[" table "]" / key " = " example )
//! ```

use std::io;

use clap_mangen::roff::{Roff, bold};

use super::{DATE, SOURCE, heading, marked};

const SAMPLE: &str = include_str!("../../backstopd.toml");

pub(super) fn page() -> io::Result<Vec<u8>> {
    let mut page = Roff::new();
    page.control("TH", ["backstopd.toml", "5", DATE, SOURCE, "backstopd"]);
    heading(&mut page, "NAME");
    page.text(marked("backstopd.toml - configuration of `backstopd`(8)"));
    heading(&mut page, "DESCRIPTION");
    for block in SAMPLE.split("\n\n") {
        write_block(&mut page, block);
    }
    heading(&mut page, "SEE ALSO");
    page.text(marked("`backstopd`(8), `backstop`(1)"));
    let mut text = Vec::new();
    page.to_writer(&mut text)?;
    Ok(text)
}

fn write_block(page: &mut Roff, block: &str) {
    let is_prose = |line: &&str| *line == "#" || line.starts_with("# ");
    let prose: Vec<&str> = block.lines().filter(is_prose).map(|line| line.get(2..).unwrap_or_default()).collect();
    let items = block.lines().filter(|line| !is_prose(line) && !line.is_empty());
    let items: Vec<&str> = items.map(|line| line.strip_prefix('#').unwrap_or(line)).collect();
    let (tables, examples): (Vec<&str>, Vec<&str>) = items.into_iter().partition(|item| item.starts_with('['));
    match tables.first() {
        Some(table) => {
            // As the next line: an argument could not hold quotes.
            page.control("SS", []).text([bold(*table)]);
        }
        None if !examples.is_empty() => {
            let keys: Vec<&str> = examples.iter().filter_map(|item| item.split(" = ").next()).collect();
            page.control("TP", []).text([bold(keys.join(", "))]);
        }
        None => {}
    }
    write_prose(page, &prose);
    if !examples.is_empty() {
        write_as_is(page, &examples);
    }
}

/// Lines that run on; defaults begin a line, and lists stand as they are.
fn write_prose(page: &mut Roff, lines: &[&str]) {
    let mut lines = lines.iter().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with(' ') {
            let mut list = vec![*line];
            while let Some(more) = lines.next_if(|line| line.starts_with(' ')) {
                list.push(*more);
            }
            write_as_is(page, &list);
            continue;
        }
        if line.is_empty() {
            page.control("sp", []);
            continue;
        }
        if line.starts_with("Default: ") {
            page.control("br", []);
        }
        page.text(marked(line));
    }
}

fn write_as_is(page: &mut Roff, lines: &[&str]) {
    // RS would leave the indentation of the key.
    page.control("nf", []);
    for line in lines {
        page.text(marked(&format!("  {}", line.trim_start())));
    }
    page.control("fi", []);
}
