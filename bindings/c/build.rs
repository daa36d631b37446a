//! Names the shared library by its interface, so that programs find the one they were linked with.

/// Grows when a published function goes or changes, which is not meant to happen.
const INTERFACE: u32 = 0;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libbackstop.so.{INTERFACE}");
    }
}
