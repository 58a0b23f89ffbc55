//! Lets the linker find memory.x, and writes down whose signature is believed: the public key in DAVY_NODE_KEY (64 hexadecimal digits, of either case), or nobody's.

use std::path::PathBuf;

const TEST_KEY: &str = include_str!("../../test-key.public");
const KEY_DIGITS: usize = 64;

fn main() {
    let variable = |name| std::env::var(name).unwrap_or_default();
    println!(
        "cargo::rustc-link-search={}",
        variable("CARGO_MANIFEST_DIR")
    );
    println!("cargo::rerun-if-changed=memory.x");
    println!("cargo::rerun-if-changed=../../test-key.public");
    println!("cargo::rerun-if-env-changed=DAVY_NODE_KEY");
    let digits = variable("DAVY_NODE_KEY").to_ascii_lowercase();
    let is_key =
        digits.len() == KEY_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    assert!(
        digits.is_empty() || is_key,
        "DAVY_NODE_KEY is `{digits}`: a public key is {KEY_DIGITS} hexadecimal digits"
    );
    let may_test = std::env::var_os("CARGO_FEATURE_TEST_KEY").is_some();
    let trust = match digits.as_str() {
        "" => "Nobody",
        key if key == TEST_KEY.trim().to_ascii_lowercase() => "Test",
        _ => "Installer",
    };
    assert!(
        trust != "Test" || may_test,
        "DAVY_NODE_KEY is the key that lies in the repository: whoever has that could sign for this node"
    );
    let bytes: Vec<String> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| format!("0x{}", String::from_utf8_lossy(pair)))
        .collect();
    let bytes = if bytes.is_empty() {
        vec!["0".to_owned(); 32]
    } else {
        bytes
    };
    let text = format!(
        "const TRUST: Trust = Trust::{trust};\nconst KEY: [u8; 32] = [{}];\n",
        bytes.join(", ")
    );
    let out = PathBuf::from(variable("OUT_DIR")).join("key.rs");
    std::fs::write(&out, text).expect("cargo's folder is writable");
}
