//! The example site files, with their ports and serial paths moved to where the demo runs.

use crate::ports;
use anyhow::{Context, Result};
use std::path::Path;

/// The demo's sites, in the order of their screens.
pub(crate) const SITES: [&str; 4] = [
    "tank-farm",
    "dust-workshop",
    "cold-store",
    "solvent-warehouse",
];
/// Where the examples expect the simulated plant's serial lines.
const SERIAL: &str = "/tmp/davy-plant/";

/// Writes one site's file into `data`.
pub(crate) fn write(site: &str, examples: &Path, data: &Path, base_port: u16) -> Result<()> {
    let from = examples.join(format!("{site}.toml"));
    let text = std::fs::read_to_string(&from)
        .with_context(|| format!("cannot read {}", from.display()))?;
    let to = data.join(format!("{site}.toml"));
    std::fs::write(&to, moved(&text, &data.join("plant"), base_port))
        .with_context(|| format!("cannot write {}", to.display()))
}

fn moved(text: &str, plant: &Path, base_port: u16) -> String {
    let text = text.replace(SERIAL, &format!("{}/", plant.display()));
    let mut parts = text.split("127.0.0.1:");
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        let (digits, rest) = part.split_at(end);
        let port = digits.parse::<u16>().ok();
        let shifted = port.and_then(|port| port.checked_sub(ports::BASE)?.checked_add(base_port));
        let port = shifted.map_or(digits.to_owned(), |port| port.to_string());
        result += &format!("127.0.0.1:{port}{rest}");
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_move_with_the_base_and_serial_lines_with_the_data() {
        let text = "address = \"127.0.0.1:42100\"\npath = \"/tmp/davy-plant/line\"\n";
        assert_eq!(
            moved(text, Path::new("/data/plant"), 43_000),
            "address = \"127.0.0.1:43100\"\npath = \"/data/plant/line\"\n"
        );
    }
}
