//! Pages to PDF: one embedded type, cut to the glyphs that are used, each with its character, so that what is printed can be searched, copied and read aloud.

use super::PrintError;
use super::font::{Type, glyph};
use super::page::{A4, Mark, Page};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};
use std::collections::BTreeMap;
use std::io::Write as _;
use subsetter::GlyphRemapper;
use ttf_parser::Face;

const FONT: Name<'static> = Name(b"F1");
const FAMILY: Name<'static> = Name(b"DAVYSC+NotoSansSC-Regular");
const IDENTITY: SystemInfo<'static> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

/// Glyphs that are used: by their number in the type, the character.
#[derive(Default)]
struct Used {
    remapper: GlyphRemapper,
    chars: BTreeMap<u16, (char, u16)>,
}

impl Used {
    /// The number of a character's glyph in the embedded type.
    fn number(&mut self, face: &Face<'_>, char: char) -> u16 {
        let own = glyph(face, char);
        let number = self.remapper.remap(own);
        self.chars.entry(number).or_insert((char, own));
        number
    }
}

/// The objects of the file.
struct Refs {
    catalog: Ref,
    tree: Ref,
    font: Ref,
    cid: Ref,
    descriptor: Ref,
    cmap: Ref,
    data: Ref,
    info: Ref,
}

const REFS: Refs = Refs {
    catalog: Ref::new(1),
    tree: Ref::new(2),
    font: Ref::new(3),
    cid: Ref::new(4),
    descriptor: Ref::new(5),
    cmap: Ref::new(6),
    data: Ref::new(7),
    info: Ref::new(8),
};
const FIRST_PAGE: i32 = 10;

/// What the file says of itself.
#[derive(Clone, Debug)]
pub struct Sheet<'a> {
    pub title: &'a str,
    pub subject: &'a str,
    /// `zh` or `en`.
    pub language: &'a str,
}

/// Lays pages out and writes them. `lay_out` is given the width of a character in the size of the type.
pub fn write(
    face_of: &Type,
    sheet: &Sheet<'_>,
    lay_out: impl FnOnce(&dyn Fn(char) -> f32) -> Vec<Page>,
) -> Result<Vec<u8>, PrintError> {
    let face = face_of.face()?;
    let pages = lay_out(&|char| advance(&face, char));
    let mut used = Used::default();
    let mut pdf = Pdf::new();
    let refs = |page: usize| {
        let first = FIRST_PAGE + 2 * i32::try_from(page).unwrap_or(0);
        (Ref::new(first), Ref::new(first + 1))
    };
    pdf.catalog(REFS.catalog)
        .pages(REFS.tree)
        .lang(TextStr(sheet.language));
    let kids = (0..pages.len()).map(|page| refs(page).0);
    let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
    pdf.pages(REFS.tree).kids(kids).count(count);
    for (position, page) in pages.iter().enumerate() {
        let (own, content) = refs(position);
        let mut written = pdf.page(own);
        written.parent(REFS.tree).contents(content);
        written.media_box(Rect::new(0.0, 0.0, A4.0, A4.1));
        written.resources().fonts().pair(FONT, REFS.font);
        written.finish();
        let marks = drawn(&face, page, &mut used);
        pdf.stream(content, &packed(&marks))
            .filter(Filter::FlateDecode);
    }
    embed(&mut pdf, face_of, &face, &used)?;
    let mut info = pdf.document_info(REFS.info);
    info.title(TextStr(sheet.title))
        .producer(TextStr("Davy"))
        .subject(TextStr(sheet.subject));
    info.finish();
    Ok(pdf.finish())
}

/// How wide a character is, in the size of the type.
fn advance(face: &Face<'_>, char: char) -> f32 {
    let units = f32::from(face.units_per_em());
    let width = face.glyph_hor_advance(ttf_parser::GlyphId(glyph(face, char)));
    f32::from(width.unwrap_or(0)) / units
}

fn drawn(face: &Face<'_>, page: &Page, used: &mut Used) -> Vec<u8> {
    let mut content = Content::new();
    for mark in &page.marks {
        match mark {
            Mark::Text {
                x,
                y,
                size,
                grey,
                text,
            } => {
                let glyphs: Vec<u8> = text
                    .chars()
                    .flat_map(|char| used.number(face, char).to_be_bytes())
                    .collect();
                content.set_fill_gray(*grey);
                content.begin_text().set_font(FONT, *size);
                content.next_line(*x, A4.1 - y).show(Str(&glyphs));
                content.end_text();
            }
            Mark::Line { x, y, width, grey } => {
                content.set_fill_gray(*grey);
                content.rect(*x, A4.1 - y, *width, 0.5).fill_nonzero();
            }
            Mark::Block {
                x,
                y,
                width,
                height,
                grey,
            } => {
                content.set_fill_gray(*grey);
                content
                    .rect(*x, A4.1 - y - height, *width, *height)
                    .fill_nonzero();
            }
            Mark::Path {
                points,
                width,
                grey,
                is_dashed,
            } => {
                let dashes: &[f32] = if *is_dashed { &[3.0, 2.0] } else { &[] };
                content.set_stroke_gray(*grey).set_line_width(*width);
                content.set_dash_pattern(dashes.iter().copied(), 0.0);
                outline(&mut content, points);
                content.stroke();
            }
            Mark::Shape { points, grey } => {
                content.set_fill_gray(*grey);
                outline(&mut content, points);
                content.close_path().fill_nonzero();
            }
        }
    }
    content.finish().into_vec()
}

fn outline(content: &mut Content, points: &[(f32, f32)]) {
    for (at, (x, y)) in points.iter().enumerate() {
        if at == 0 {
            content.move_to(*x, A4.1 - y);
        } else {
            content.line_to(*x, A4.1 - y);
        }
    }
}

fn embed(pdf: &mut Pdf, face_of: &Type, face: &Face<'_>, used: &Used) -> Result<(), PrintError> {
    pdf.type0_font(REFS.font)
        .base_font(FAMILY)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(REFS.cid)
        .to_unicode(REFS.cmap);
    let per_mille = 1000.0 / f32::from(face.units_per_em());
    let scaled = |units: i16| f32::from(units) * per_mille;
    let mut cid = pdf.cid_font(REFS.cid);
    cid.subtype(CidFontType::Type2)
        .base_font(FAMILY)
        .system_info(IDENTITY);
    cid.font_descriptor(REFS.descriptor).default_width(1000.0);
    cid.cid_to_gid_map_predefined(Name(b"Identity"));
    let mut widths = cid.widths();
    for (number, (_, own)) in &used.chars {
        let width = face
            .glyph_hor_advance(ttf_parser::GlyphId(*own))
            .unwrap_or(0);
        widths.same(*number, *number, f32::from(width) * per_mille);
    }
    widths.finish();
    cid.finish();
    let bbox = face.global_bounding_box();
    pdf.font_descriptor(REFS.descriptor)
        .name(FAMILY)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(
            scaled(bbox.x_min),
            scaled(bbox.y_min),
            scaled(bbox.x_max),
            scaled(bbox.y_max),
        ))
        .italic_angle(0.0)
        .ascent(scaled(face.ascender()))
        .descent(scaled(face.descender()))
        .cap_height(scaled(face.capital_height().unwrap_or(face.ascender())))
        .stem_v(80.0)
        .font_file2(REFS.data);
    let mut cmap = UnicodeCmap::new(Name(b"Davy"), IDENTITY);
    for (number, (char, _)) in &used.chars {
        cmap.pair(*number, *char);
    }
    let cmap = cmap.finish().into_vec();
    pdf.stream(REFS.cmap, &packed(&cmap))
        .filter(Filter::FlateDecode);
    let cut = subsetter::subset(face_of.bytes(), 0, &used.remapper)
        .map_err(|error| PrintError::Font(error.to_string()))?;
    pdf.stream(REFS.data, &packed(&cut))
        .filter(Filter::FlateDecode)
        .pair(
            Name(b"Length1"),
            i32::try_from(cut.len()).unwrap_or(i32::MAX),
        );
    Ok(())
}

/// Deflated. Writing to memory does not fail.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}
