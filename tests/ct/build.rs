//! Compiles shim.c, which needs valgrind's header, and links it.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=shim.c");
    let out = std::env::var("OUT_DIR").expect("cargo sets it");
    let object = Path::new(&out).join("shim.o");
    let done = Command::new("cc")
        .args(["-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-c", "shim.c", "-o"])
        .arg(&object)
        .status();
    assert!(done.is_ok_and(|status| status.success()), "cc cannot compile shim.c; install gcc and valgrind");
    println!("cargo::rustc-link-arg={}", object.display());
}
