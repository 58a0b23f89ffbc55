//! The type of printed reports: Noto Sans SC, cut to what GBK has (`web/build/font.mjs`), packed into the program and unpacked for one report: who prints
//! seldom is small all the time.

use super::PrintError;
use flate2::read::GzDecoder;
use rust_embed::RustEmbed;
use std::borrow::Cow;
use std::io::Read as _;

/// Largest type that is unpacked, bytes.
const LARGEST: u64 = 32 << 20;
/// What stands for a character that the type lacks.
const UNKNOWN: char = '〓';

#[derive(RustEmbed)]
#[folder = "../web/dist/print"]
#[allow_missing = true]
struct Files;

/// The type, unpacked.
pub struct Type {
    bytes: Vec<u8>,
}

impl std::fmt::Debug for Type {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Type({} bytes)", self.bytes.len())
    }
}

/// The type as the program holds it. Whoever cares for its memory may give the pages back once it is unpacked.
pub fn packed() -> Result<Cow<'static, [u8]>, PrintError> {
    Files::get("noto-sans-sc.ttf.gz")
        .map(|file| file.data)
        .ok_or(PrintError::NoFont)
}

impl Type {
    /// Unpacks what [`packed`] answers.
    pub fn unpack(packed: &[u8]) -> Result<Self, PrintError> {
        let mut bytes = Vec::new();
        GzDecoder::new(packed)
            .take(LARGEST)
            .read_to_end(&mut bytes)
            .map_err(|error| PrintError::Font(error.to_string()))?;
        let face = Self { bytes };
        face.face()?;
        Ok(face)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn face(&self) -> Result<ttf_parser::Face<'_>, PrintError> {
        ttf_parser::Face::parse(&self.bytes, 0).map_err(|error| PrintError::Font(error.to_string()))
    }
}

/// The glyph of a character; that of [`UNKNOWN`] where there is none.
pub(super) fn glyph(face: &ttf_parser::Face<'_>, char: char) -> u16 {
    let known = face.glyph_index(char);
    let known = known.or_else(|| face.glyph_index(UNKNOWN));
    known.map_or(0, |glyph| glyph.0)
}
