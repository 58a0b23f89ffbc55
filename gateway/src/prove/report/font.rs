//! The type of printed reports: Noto Sans SC, cut to what GBK has (`web/build/font.mjs`), packed into the program. It is unpacked for one report and
//! given back afterwards, the pages of the program that held it too: a gateway prints seldom and is small all the time.

use super::ReportError;
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
pub(super) struct Type {
    bytes: Vec<u8>,
}

/// Unpacks the type.
pub(super) fn load() -> Result<Type, ReportError> {
    let file = Files::get("noto-sans-sc.ttf.gz").ok_or(ReportError::NoFont)?;
    let mut bytes = Vec::new();
    let unpacked = GzDecoder::new(&*file.data)
        .take(LARGEST)
        .read_to_end(&mut bytes);
    if let Cow::Borrowed(packed) = file.data {
        crate::memory::leave(packed);
    }
    unpacked.map_err(|error| ReportError::Font(error.to_string()))?;
    let face = Type { bytes };
    face.face()?;
    Ok(face)
}

impl Type {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn face(&self) -> Result<ttf_parser::Face<'_>, ReportError> {
        ttf_parser::Face::parse(&self.bytes, 0)
            .map_err(|error| ReportError::Font(error.to_string()))
    }
}

/// The glyph of a character; that of [`UNKNOWN`] where there is none.
pub(super) fn glyph(face: &ttf_parser::Face<'_>, char: char) -> u16 {
    let known = face.glyph_index(char);
    let known = known.or_else(|| face.glyph_index(UNKNOWN));
    known.map_or(0, |glyph| glyph.0)
}
