//! Names the shared library by its interface, so that programs find the one they were linked with.

/// Grows when a published function goes or changes, which is not meant to happen.
const INTERFACE: u32 = 0;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |what: &str, word: &str| std::env::var(what).is_ok_and(|it| it.split(',').any(|it| it == word));
    if is("CARGO_CFG_TARGET_FAMILY", "unix") && !is("CARGO_CFG_TARGET_VENDOR", "apple") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libbackstop.so.{INTERFACE}");
    }
}
