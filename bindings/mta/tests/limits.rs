//! The table of limits that people read is that of the code.

use backstopd::limits;

#[test]
fn the_table_of_the_readme_has_every_limit_with_the_number_of_the_code() {
    let told: Vec<&str> = include_str!("../README.md")
        .split("\n| limit | at most | beyond it |\n|---|---|---|\n")
        .nth(1)
        .into_iter()
        .flat_map(str::lines)
        .take_while(|line| line.starts_with('|'))
        .collect();
    let known: Vec<String> =
        limits::all().into_iter().map(|it| format!("| {} | {} | {} |", it.what, it.most, it.beyond)).collect();
    assert_eq!(told, known, "the whole table:\n{}", known.join("\n"));
}
