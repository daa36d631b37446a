//! Texts and lists in TOML (1.0), as the policy and the daemon write their settings back.
//!
//! A text becomes a basic string: `"` and `\` behind a backslash, every control character (also DEL and U+0080 to U+009F, so
//! that it can be shown on a terminal) as `\uXXXX`, all else as it is. The escapes of Rust and of JSON are not TOML's: Rust
//! writes `\u{94d}` for a vowel sign, JSON leaves DEL raw, and TOML refuses both.
//!
//! The daemon uses it too, so that it is public; it is no part of what the crate promises.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

/// A basic string.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            // Writing to a String cannot fail.
            control if control.is_control() => drop(write!(out, "\\u{:04X}", u32::from(control))),
            other => out.push(other),
        }
    }
    out + "\""
}

/// An array of basic strings.
pub fn list(entries: impl IntoIterator<Item: AsRef<str>>) -> String {
    let entries: Vec<String> = entries.into_iter().map(|entry| quoted(entry.as_ref())).collect();
    format!("[{}]", entries.join(", "))
}
