//! The deepest that the stack can get: frames along the calls that stand in the machine code. Calls through a pointer are not followed; there must be none
//! but those counted here as unknown, and a recursion is an error, for it has no bound.

use super::image::Image;
use anyhow::{Result, bail, ensure};
use std::collections::BTreeMap;

/// What an exception pushes by itself, and what assembly that tells no frame may take, bytes.
const UNTOLD: u32 = 32;

/// The worst case.
pub(crate) struct Stack {
    pub(crate) bytes: u32,
    /// From the outermost function to the innermost.
    pub(crate) path: Vec<String>,
}

/// Of all functions: whatever the hardware enters by is among them.
pub(crate) fn worst(image: &Image<'_>) -> Result<Stack> {
    let mut depths = BTreeMap::new();
    for address in image.functions.keys() {
        depth(image, *address, &mut depths, &mut Vec::new())?;
    }
    let deepest = depths.iter().max_by_key(|(_, (bytes, _))| *bytes);
    ensure!(deepest.is_some(), "the image has no function");
    let mut path = Vec::new();
    let mut at = deepest.map(|(address, _)| *address);
    while let Some(address) = at {
        path.extend(
            image
                .functions
                .get(&address)
                .map(|function| plain(function.name)),
        );
        at = depths.get(&address).and_then(|(_, next)| *next);
    }
    let bytes = deepest.map_or(0, |(_, (bytes, _))| *bytes);
    Ok(Stack {
        bytes: bytes + UNTOLD,
        path,
    })
}

type Depths = BTreeMap<u32, (u32, Option<u32>)>;

fn depth(
    image: &Image<'_>,
    address: u32,
    depths: &mut Depths,
    above: &mut Vec<u32>,
) -> Result<u32> {
    if let Some((bytes, _)) = depths.get(&address) {
        return Ok(*bytes);
    }
    let Some(function) = image.functions.get(&address) else {
        return Ok(0);
    };
    if above.contains(&address) {
        bail!(
            "{} calls itself: the stack has no bound",
            plain(function.name)
        );
    }
    above.push(address);
    let mut deepest = (0, None);
    for callee in calls(address, function.size, function.code) {
        if callee != address && image.functions.contains_key(&callee) {
            deepest = deepest.max((depth(image, callee, depths, above)?, Some(callee)));
        }
    }
    above.pop();
    let bytes = function.frame.unwrap_or(UNTOLD) + deepest.0;
    depths.insert(address, (bytes, deepest.1));
    Ok(bytes)
}

/// Targets of BL and B.W (Armv7-M, A7.7.12 and A7.7.18) outside the function itself. What constants look like calls leads to no function's begin.
fn calls(address: u32, size: u32, code: &[u8]) -> Vec<u32> {
    let halves: Vec<u32> = code
        .chunks_exact(2)
        .map(|half| u32::from(u16::from_le_bytes([half[0], half[1]])))
        .collect();
    let pairs = halves.windows(2).enumerate();
    let targets = pairs.filter_map(|(nth, pair)| {
        let (first, second) = (pair[0], pair[1]);
        let is_branch =
            first >> 11 == 0b11110 && (second & 0xd000 == 0xd000 || second & 0xd000 == 0x9000);
        is_branch.then(|| (address + nth as u32 * 2 + 4).wrapping_add_signed(offset(first, second)))
    });
    targets
        .filter(|target| !(address + 1..address + size).contains(target))
        .collect()
}

fn offset(first: u32, second: u32) -> i32 {
    let sign = first >> 10 & 1;
    let i1 = !(second >> 13 ^ sign) & 1;
    let i2 = !(second >> 11 ^ sign) & 1;
    let bits = sign << 24 | i1 << 23 | i2 << 22 | (first & 0x3ff) << 12 | (second & 0x7ff) << 1;
    (bits << 7).cast_signed() >> 7
}

/// The last parts of a mangled name.
fn plain(name: &str) -> String {
    let mut parts = Vec::new();
    let mut rest = name;
    while let Some(begin) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits: String = rest[begin..]
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        let after = begin + digits.len();
        let length: usize = digits.parse().unwrap_or(0);
        let word = rest.get(after..after + length).unwrap_or("");
        if length > 2 && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            parts.push(word.to_owned());
            rest = rest.get(after + length..).unwrap_or("");
        } else {
            rest = rest.get(after..).unwrap_or("");
        }
    }
    match parts.as_slice() {
        [] => name.to_owned(),
        [.., last] if parts.len() == 1 => last.clone(),
        [.., module, last] => format!("{module}::{last}"),
        [last] => last.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_found_by_its_bits_and_leads_where_it_says() {
        // bl +0x100 at 0x1000; b.w -0x20 at 0x1004: as an assembler spells them.
        let code = [0x00, 0xf0, 0x80, 0xf8, 0xff, 0xf7, 0xee, 0xbf];
        assert_eq!(calls(0x1000, 8, &code), [0x1104, 0x0fe4]);
    }

    #[test]
    fn a_name_keeps_its_last_parts() {
        assert_eq!(
            plain("_RNvNtCsj4jlyK2z5Rz_4core9panicking5panic"),
            "panicking::panic"
        );
        assert_eq!(plain("main"), "main");
    }
}
