//! Writes the linker's map of memory for the slot that DAVY_SLOT names, A or B: an image runs where it lies.

use std::path::PathBuf;

const HEAD: u32 = 1_024;
const SLOT: u32 = 64 * 1_024;

fn main() {
    println!("cargo::rerun-if-env-changed=DAVY_SLOT");
    let begin: u32 = match std::env::var("DAVY_SLOT").as_deref() {
        Ok("B") => 0x2_0000,
        _ => 0x1_0000,
    };
    let (flash, length) = (begin + HEAD, SLOT - HEAD);
    let map = format!(
        "/* 256 kB of flash: boot stage, slot A, slot B. 64 kB of RAM, whose begin outlives a reset (src/place.rs). */
MEMORY
{{
  FLASH : ORIGIN = {flash:#x}, LENGTH = {length}
  RAM : ORIGIN = 0x20001400, LENGTH = 59K
}}
"
    );
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    std::fs::write(out.join("memory.x"), map).expect("cargo's folder is writable");
    println!("cargo::rustc-link-search={}", out.display());
}
