//! What stands where on which page. It knows widths of characters and nothing of PDF.

/// Width and height, points.
pub(crate) const A4: (f32, f32) = (595.0, 842.0);
const MARGIN: f32 = 42.0;
/// Between the margins.
pub const WIDTH: f32 = A4.0 - 2.0 * MARGIN;
/// Where the foot of a page begins.
const FOOT: f32 = A4.1 - 44.0;
/// Size of what is read.
pub const TEXT: f32 = 9.0;
/// Size of what is looked up.
pub const SMALL: f32 = 7.5;
/// From one line to the next, in the size of the type.
const LEADING: f32 = 1.45;
/// Of text.
pub const BLACK: f32 = 0.0;
const GREY: f32 = 0.38;
const RULE: f32 = 0.65;
const BAND: f32 = 0.92;

/// One thing on a page; y is the base line, from the top.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    Text {
        x: f32,
        y: f32,
        size: f32,
        grey: f32,
        text: String,
    },
    Line {
        x: f32,
        y: f32,
        width: f32,
        grey: f32,
    },
    Block {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        grey: f32,
    },
    /// A line from point to point.
    Path {
        points: Vec<(f32, f32)>,
        width: f32,
        grey: f32,
        is_dashed: bool,
    },
    /// A filled outline.
    Shape { points: Vec<(f32, f32)>, grey: f32 },
}

/// What stands on one page.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub marks: Vec<Mark>,
}

/// A column of a table: where it begins and how wide it is, as shares of the width.
pub type Column = (f32, f32);

/// What stands at the foot of every page, about its number.
#[derive(Clone, Debug)]
pub struct Foot<'a> {
    pub left: &'a str,
    pub right: &'a str,
}

/// Where the next thing goes.
#[derive(Clone)]
pub struct Pen<'a> {
    pages: Vec<Page>,
    y: f32,
    advance: &'a dyn Fn(char) -> f32,
}

impl std::fmt::Debug for Pen<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Pen(page {}, {})", self.pages.len(), self.y)
    }
}

impl<'a> Pen<'a> {
    /// At the top of the first page. `advance` is the width of a character in the size of the type.
    pub fn new(advance: &'a dyn Fn(char) -> f32) -> Self {
        Self {
            pages: vec![Page::default()],
            y: MARGIN,
            advance,
        }
    }

    /// Every page, with its foot.
    pub fn finish(mut self, foot: &Foot<'_>) -> Vec<Page> {
        let all = self.pages.len();
        for (position, page) in self.pages.iter_mut().enumerate() {
            let text = format!("{} · {} / {all} · {}", foot.left, position + 1, foot.right);
            page.marks.push(Mark::Line {
                x: MARGIN,
                y: FOOT + 8.0,
                width: WIDTH,
                grey: RULE,
            });
            page.marks.push(Mark::Text {
                x: MARGIN,
                y: FOOT + 20.0,
                size: SMALL,
                grey: GREY,
                text,
            });
        }
        self.pages
    }

    /// Room for so much, on a new page if there is none left here.
    pub fn need(&mut self, height: f32) {
        if self.y + height > FOOT && self.y > MARGIN {
            self.pages.push(Page::default());
            self.y = MARGIN;
        }
    }

    /// Moves down by a line of this size.
    pub fn down(&mut self, size: f32) {
        self.y += size * LEADING;
    }

    /// Where the next thing goes: left and top of it.
    pub fn place(&self) -> (f32, f32) {
        (MARGIN, self.y)
    }

    /// Moves down by so much.
    pub fn skip(&mut self, height: f32) {
        self.y += height;
    }

    /// A drawing's part, on this page, wherever it says; the caller has made room for it.
    pub fn put(&mut self, mark: Mark) {
        self.mark(mark);
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.marks.push(mark);
        }
    }

    /// One line of text, which the caller has made room for.
    pub fn text(&mut self, x: f32, size: f32, grey: f32, text: &str) {
        let mark = Mark::Text {
            x: MARGIN + x,
            y: self.y + size,
            size,
            grey,
            text: text.to_owned(),
        };
        self.mark(mark);
    }

    /// A heading, with room for something under it.
    pub fn heading(&mut self, text: &str) {
        let lines = self.wrapped(text, 11.0, WIDTH);
        self.need(30.0);
        for line in lines {
            self.text(0.0, 11.0, BLACK, &line);
            self.down(11.0);
        }
        self.down(1.5);
    }

    /// A thin line across.
    pub fn rule(&mut self) {
        let mark = Mark::Line {
            x: MARGIN,
            y: self.y + 1.0,
            width: WIDTH,
            grey: BAND,
        };
        self.mark(mark);
        self.y += 2.5;
    }

    /// The head of a table.
    pub fn band(&mut self, columns: &[Column], cells: &[String]) {
        self.need(40.0);
        let lines: usize = columns
            .iter()
            .zip(cells)
            .map(|((_, width), cell)| self.wrapped(cell, SMALL, width * WIDTH - 4.0).len())
            .max()
            .unwrap_or(1);
        let mark = Mark::Block {
            x: MARGIN,
            y: self.y,
            width: WIDTH,
            height: lines as f32 * SMALL * LEADING + 3.0,
            grey: BAND,
        };
        self.mark(mark);
        self.y += 1.0;
        self.row(columns, SMALL, cells);
        self.y += 2.0;
    }

    /// A row of cells, each wrapped in its column.
    pub fn row(&mut self, columns: &[Column], size: f32, cells: &[String]) {
        let wrapped: Vec<Vec<String>> = columns
            .iter()
            .zip(cells)
            .map(|((_, width), cell)| self.wrapped(cell, size, width * WIDTH - 4.0))
            .collect();
        let lines = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        self.need(lines.min(12) as f32 * size * LEADING);
        for line in 0..lines {
            self.need(size * LEADING);
            for ((place, _), cell) in columns.iter().zip(&wrapped) {
                if let Some(text) = cell.get(line) {
                    self.text(place * WIDTH + 2.0, size, BLACK, text);
                }
            }
            self.down(size);
        }
    }

    /// Lines no wider than that; Latin words stay whole where they can.
    fn wrapped(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines = Vec::new();
        let (mut line, mut used) = (String::new(), 0.0);
        for word in words(text) {
            let wide = |text: &str| {
                text.chars()
                    .map(|char| (self.advance)(char) * size)
                    .sum::<f32>()
            };
            if used + wide(word.trim_end()) > width && !line.is_empty() {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0.0;
            }
            // A word wider than the column is broken where it must.
            for char in word.chars() {
                let own = (self.advance)(char) * size;
                if used + own > width && !line.is_empty() {
                    lines.push(std::mem::take(&mut line).trim_end().to_owned());
                    used = 0.0;
                }
                line.push(char);
                used += own;
            }
        }
        if !line.is_empty() {
            lines.push(line.trim_end().to_owned());
        }
        lines
    }
}

/// Where a line may break: after a space, and around every Chinese character.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    for (at, char) in text.char_indices() {
        let end = at + char.len_utf8();
        if char == ' ' || char >= '\u{2e80}' {
            if char >= '\u{2e80}' && at > start {
                words.push(&text[start..at]);
                start = at;
            }
            words.push(&text[start..end]);
            start = end;
        }
    }
    if start < text.len() {
        words.push(&text[start..]);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_wrapped_text_loses_nothing_but_spaces_and_never_overflows(text in "[a-z 一-三]{0,200}", width in 20.0_f32..300.0) {
            let advance = |char: char| if char.is_ascii() { 0.5 } else { 1.0 };
            let lines = Pen::new(&advance).wrapped(&text, 10.0, width);
            for line in &lines {
                let wide: f32 = line.chars().map(|char| advance(char) * 10.0).sum();
                prop_assert!(wide <= width + 0.01);
            }
            let bare = |text: &str| text.replace(' ', "");
            prop_assert_eq!(bare(&lines.concat()), bare(&text));
        }
    }
}
