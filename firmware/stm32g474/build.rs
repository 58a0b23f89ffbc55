//! Writes the linker's map of memory for the slot that DAVY_SLOT names, A or B: an image runs where it lies.

use std::path::PathBuf;

const HEAD: u32 = 1_024;
const SLOT: u32 = 96 * 1_024;

fn main() {
    println!("cargo::rerun-if-env-changed=DAVY_SLOT");
    let begin: u32 = match std::env::var("DAVY_SLOT").as_deref() {
        Ok("B") => 0x0802_0000,
        _ => 0x0800_8000,
    };
    let (flash, length) = (begin + HEAD, SLOT - HEAD);
    let map = format!(
        "/* 512 kB of flash (src/layout.rs). 64 kB of the RAM's 128 are used, so that all of it is tested within half a minute; its begin outlives a reset (place.rs). */
MEMORY
{{
  FLASH : ORIGIN = {flash:#x}, LENGTH = {length}
  RAM : ORIGIN = 0x20001080, LENGTH = 61312
}}
"
    );
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    std::fs::write(out.join("memory.x"), map).expect("cargo's folder is writable");
    println!("cargo::rustc-link-search={}", out.display());
}
