//! Columns for people: the first to the left, the others to the right, but for those that hold words.

use backstop::explain::printable;

/// The rows, indented; the last `words` columns and the first are set to the left. Addresses are shown as the log does.
pub(super) fn table(rows: &[Vec<String>], words: usize) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| printable(cell.as_bytes())).collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or_default()).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::from("  ");
        for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let left = at == 0 || at + words >= columns;
            // By hand, since a width of the format has sixteen bits.
            let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
            line += &if left { format!("{cell}{pad}  ") } else { format!("{pad}{cell}  ") };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// A row of texts.
pub(super) fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_may_be_longer_than_any_width_of_a_format() {
        let long = "x".repeat(70_000);
        let text = table(&[row(["a", &long]), row(["b", "1"])], 0);
        assert_eq!(text, format!("  a  {long}\n  b  {}1\n", " ".repeat(69_999)));
    }

    #[test]
    fn figures_stand_to_the_right_and_words_to_the_left() {
        let rows = [row(["what", "count", "why"]), row(["ü", "10", "because"]), row(["longer", "1000000", "x"])];
        assert_eq!(table(&rows, 1), "  what      count  why\n  ü            10  because\n  longer  1000000  x\n");
    }
}
