//! What an image for a 32-bit ARM says of itself: sections, functions, frames (ELF, little-endian; `.stack_sizes` of LLVM).

use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;

/// A section.
struct Section<'a> {
    name: &'a str,
    address: u32,
    size: u32,
    bytes: &'a [u8],
    in_memory: bool,
}

/// Bytes by kind.
pub(crate) struct Sizes {
    pub(crate) text: u32,
    pub(crate) fixed: u32,
}

/// A function: where it lies and what frame it takes.
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    pub(crate) size: u32,
    /// Bytes; `None` where the compiler did not say, as for assembly.
    pub(crate) frame: Option<u32>,
    pub(crate) code: &'a [u8],
}

/// An image.
pub(crate) struct Image<'a> {
    sections: Vec<Section<'a>>,
    /// By address.
    pub(crate) functions: BTreeMap<u32, Function<'a>>,
}

const RAM: u32 = 0x2000_0000;
const SECTION_BYTES: usize = 40;
const SYMBOL_BYTES: usize = 16;
const FUNCTION: u8 = 2;
const ALLOCATED: u32 = 2;
const NO_BYTES: u32 = 8;

fn u32_at(bytes: &[u8], at: usize) -> Result<u32> {
    let bytes = bytes.get(at..at + 4).context("the image ends early")?;
    Ok(u32::from_le_bytes(bytes.try_into()?))
}

fn u16_at(bytes: &[u8], at: usize) -> Result<usize> {
    let bytes = bytes.get(at..at + 2).context("the image ends early")?;
    Ok(usize::from(u16::from_le_bytes(bytes.try_into()?)))
}

fn name_at(names: &[u8], at: u32) -> Result<&str> {
    let name = names
        .get(at as usize..)
        .context("a name lies outside the image")?;
    Ok(std::str::from_utf8(
        name.split(|byte| *byte == 0).next().unwrap_or(&[]),
    )?)
}

impl<'a> Image<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self> {
        ensure!(
            bytes.starts_with(b"\x7fELF\x01\x01"),
            "not a little-endian 32-bit ELF image"
        );
        let (table, count, names) = (
            u32_at(bytes, 0x20)? as usize,
            u16_at(bytes, 0x30)?,
            u16_at(bytes, 0x32)?,
        );
        let head = |nth: usize, word: usize| u32_at(bytes, table + nth * SECTION_BYTES + word * 4);
        let body = |nth: usize| -> Result<&'a [u8]> {
            let (at, size) = (head(nth, 4)? as usize, head(nth, 5)? as usize);
            let size = if head(nth, 1)? == NO_BYTES { 0 } else { size };
            bytes
                .get(at..at + size)
                .context("a section lies outside the image")
        };
        let names = body(names)?;
        let section = |nth| -> Result<Section<'a>> {
            Ok(Section {
                name: name_at(names, head(nth, 0)?)?,
                address: head(nth, 3)?,
                size: head(nth, 5)?,
                bytes: body(nth)?,
                in_memory: head(nth, 2)? & ALLOCATED != 0,
            })
        };
        let sections: Vec<Section<'a>> = (0..count).map(section).collect::<Result<_>>()?;
        let mut image = Self {
            sections,
            functions: BTreeMap::new(),
        };
        image.read_functions()?;
        image.read_frames()?;
        Ok(image)
    }

    /// What lies in flash, from its first byte on, gaps filled with 0xff: where it begins, and its bytes.
    pub(crate) fn flat(bytes: &[u8]) -> Result<(u32, Vec<u8>)> {
        const SEGMENT_BYTES: usize = 32;
        const LOADED: u32 = 1;
        let (table, count) = (u32_at(bytes, 0x1c)? as usize, u16_at(bytes, 0x2c)?);
        let mut parts = Vec::new();
        for nth in 0..count {
            let word = |word: usize| u32_at(bytes, table + nth * SEGMENT_BYTES + word * 4);
            let (from, address, size) = (word(1)? as usize, word(3)?, word(4)? as usize);
            let content = bytes.get(from..from + size);
            if word(0)? == LOADED && size > 0 {
                let content = content.context("a segment lies outside the image")?;
                parts.push((address, content));
            }
        }
        parts.sort_by_key(|(address, _)| *address);
        let begin = parts.first().context("the image holds nothing")?.0;
        let mut flat = Vec::new();
        for (address, content) in parts {
            let at = (address - begin) as usize;
            ensure!(
                at >= flat.len() && address < RAM,
                "segments of flash overlap"
            );
            flat.resize(at, 0xff);
            flat.extend_from_slice(content);
        }
        // The linker may load the file's own head before the first section.
        let sections = Image::read(bytes)?.sections;
        let first = sections
            .iter()
            .filter(|section| section.in_memory && section.size > 0)
            .map(|section| section.address)
            .min();
        let first = first.unwrap_or(begin);
        let before = first
            .checked_sub(begin)
            .context("a section lies in no segment")?;
        Ok((first, flat.split_off(before as usize)))
    }

    pub(crate) fn sizes(&self) -> Sizes {
        let sum = |is: &dyn Fn(&Section<'_>) -> bool| {
            self.sections
                .iter()
                .filter(|section| section.in_memory && is(section))
                .map(|section| section.size)
                .sum()
        };
        Sizes {
            text: sum(&|section| section.address < RAM || section.name == ".data"),
            fixed: sum(&|section| section.address >= RAM),
        }
    }

    fn bytes_of(&self, name: &str) -> Result<&'a [u8]> {
        let section = self.sections.iter().find(|section| section.name == name);
        Ok(section
            .with_context(|| format!("the image has no section {name}"))?
            .bytes)
    }

    fn read_functions(&mut self) -> Result<()> {
        let (symbols, names, code) = (
            self.bytes_of(".symtab")?,
            self.bytes_of(".strtab")?,
            self.bytes_of(".text")?,
        );
        let begin = self
            .sections
            .iter()
            .find(|section| section.name == ".text")
            .map_or(0, |section| section.address);
        for symbol in symbols.chunks_exact(SYMBOL_BYTES) {
            let (address, size) = (u32_at(symbol, 4)? & !1, u32_at(symbol, 8)?);
            if symbol.get(12).is_some_and(|info| info & 0xf == FUNCTION) && size > 0 {
                let from = address.wrapping_sub(begin) as usize;
                let code = code.get(from..from + size as usize).unwrap_or(&[]);
                let function = Function {
                    name: name_at(names, u32_at(symbol, 0)?)?,
                    size,
                    frame: None,
                    code,
                };
                self.functions.insert(address, function);
            }
        }
        Ok(())
    }

    /// Pairs of an address and a LEB128 number.
    fn read_frames(&mut self) -> Result<()> {
        let mut rest = self.bytes_of(".stack_sizes")?;
        while let Some((address, after)) = rest.split_first_chunk() {
            let mut frame = 0_u32;
            let mut used = 0;
            for byte in after {
                frame |= u32::from(byte & 0x7f) << (7 * used);
                used += 1;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            if let Some(function) = self.functions.get_mut(&(u32::from_le_bytes(*address) & !1)) {
                function.frame = Some(frame);
            }
            rest = after.get(used..).unwrap_or(&[]);
        }
        Ok(())
    }
}
