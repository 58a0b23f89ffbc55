//! Lays the code of the released daemon out: what runs every second lies together (docs/decisions/0032).

use std::env::var;

/// Written by `cargo xtask code-order`.
const NEAR: &str = "link/near-code.ld";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={NEAR}");
    let is = |name: &str, value: &str| var(name).is_ok_and(|found| found == value);
    // A debug build has no section of its own for what is inlined away, and nobody measures its pages.
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") {
        let folder = var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bin=davy-gateway=-Wl,-T,{folder}/{NEAR}");
    }
}
