//! The printed page of a case: what it is of, the readings behind its alarms, the alarms, the timeline, how far each point was measured, and what the files are by their hashes. A table that is
//! longer than a reader turns pages for is cut, and says so: the whole stands in the files.

use super::{CaseError, Charts, Facts, Part};
use crate::message::{Language, Message};
use crate::table::{Column, Form, Row};
use davy_print::{BLACK, Foot, Page, Pen, SMALL, Sheet, TEXT, Type, WIDTH};

/// Rows of one printed table.
pub(crate) const MOST_ROWS: usize = 400;

/// A table to be printed: some of an answer's columns.
pub(crate) struct Table<'a> {
    /// `case-<key>` is its heading.
    pub(crate) key: &'static str,
    pub(crate) columns: &'a [Column],
    /// Which columns, each with its share of the width.
    pub(crate) shown: &'a [(&'static str, f32)],
    pub(crate) rows: &'a [Row],
    /// There are more than these.
    pub(crate) is_cut: bool,
}

/// What stands on the pages.
pub(crate) struct Pages<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) form: Form,
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) fingerprint: String,
    pub(crate) charts: &'a Charts,
    pub(crate) tables: Vec<Table<'a>>,
    pub(crate) parts: &'a [Part],
}

impl Pages<'_> {
    /// The pages as PDF.
    pub(crate) fn print(&self) -> Result<Vec<u8>, CaseError> {
        let face = Type::unpack(&davy_print::packed()?)?;
        let title = format!("{} {}", self.say("case-title"), self.facts.site);
        let sheet = Sheet {
            title: &title,
            subject: &self.facts.made,
            language: match self.form.language {
                Language::Zh => "zh",
                Language::En => "en",
            },
        };
        Ok(davy_print::write(&face, &sheet, |advance| {
            self.lay_out(advance)
        })?)
    }

    fn say(&self, key: &str) -> String {
        Message::named(key).text(self.form.language)
    }

    fn lay_out(&self, advance: &dyn Fn(char) -> f32) -> Vec<Page> {
        let mut pen = Pen::new(advance);
        self.head(&mut pen);
        self.charts(&mut pen);
        for table in &self.tables {
            self.table(&mut pen, table);
        }
        self.hashes(&mut pen);
        pen.finish(&Foot {
            left: &format!("{} · {}", self.facts.site, self.say("case-title")),
            right: &self.fingerprint,
        })
    }

    fn head(&self, pen: &mut Pen<'_>) {
        pen.text(0.0, 18.0, BLACK, &self.say("case-title"));
        pen.down(18.0);
        pen.text(0.0, 12.0, BLACK, &self.name);
        pen.down(14.0);
        for (key, value) in [
            ("case-site", &self.facts.site),
            ("case-place", &self.place),
            ("case-from", &self.facts.from),
            ("case-to", &self.facts.to),
            ("case-made", &self.facts.made),
            ("case-by", &self.facts.by),
            ("case-fingerprint", &self.fingerprint),
        ] {
            let cells = [self.say(key), value.clone()];
            pen.row(&[(0.0, 0.2), (0.2, 0.8)], TEXT, &cells);
        }
        pen.down(6.0);
        pen.row(&[(0.0, 1.0)], SMALL, &[self.say("case-claim")]);
        pen.down(8.0);
    }

    fn charts(&self, pen: &mut Pen<'_>) {
        let Charts {
            charts,
            is_named,
            is_cut,
        } = self.charts;
        if charts.is_empty() {
            return;
        }
        let heading = if *is_named {
            "case-charts-named"
        } else {
            "case-charts"
        };
        pen.heading(&self.say(heading));
        for chart in charts {
            chart.draw(pen, self.form);
        }
        pen.row(&[(0.0, 1.0)], SMALL, &[self.say("case-chart-signs")]);
        if *is_cut {
            pen.row(&[(0.0, 1.0)], SMALL, &[self.say("case-charts-cut")]);
        }
        pen.down(8.0);
    }

    fn table(&self, pen: &mut Pen<'_>, table: &Table<'_>) {
        pen.heading(&self.say(&format!("case-{}", table.key)));
        if table.rows.is_empty() {
            pen.row(&[(0.0, 1.0)], TEXT, &[self.say("case-nothing")]);
            pen.down(8.0);
            return;
        }
        let mut at = 0.0;
        let mut places = Vec::new();
        let mut picked = Vec::new();
        for (key, width) in table.shown {
            let found = table.columns.iter().position(|column| column.key == *key);
            let Some(column) = found else { continue };
            places.push((at, *width));
            picked.push(column);
            at += width;
        }
        let heads = picked
            .iter()
            .map(|at| table.columns[*at].head(self.form.language));
        pen.band(&places, &heads.collect::<Vec<_>>());
        for row in table.rows {
            let cells = picked.iter().map(|at| {
                let cell = row
                    .get(*at)
                    .map(|cell| cell.text(table.columns[*at].kind, self.form));
                short(cell.unwrap_or_default())
            });
            pen.row(&places, SMALL, &cells.collect::<Vec<_>>());
            pen.rule();
        }
        if table.is_cut {
            pen.row(&[(0.0, 1.0)], SMALL, &[self.say("case-cut")]);
        }
        pen.down(8.0);
    }

    fn hashes(&self, pen: &mut Pen<'_>) {
        pen.heading(&self.say("case-files"));
        for part in self.parts {
            let cells = [part.name.clone(), part.hash.clone()];
            pen.row(&[(0.0, 0.28), (0.28, 0.72)], SMALL, &cells);
        }
        pen.down(4.0);
        pen.row(&[(0.0, 1.0)], SMALL, &[self.say("case-how-to-verify")]);
        pen.need(60.0);
        pen.down(28.0);
        for (place, key) in [(0.0, "case-sign"), (0.5, "case-witness")] {
            pen.text(place * WIDTH, TEXT, BLACK, &self.say(key));
        }
        pen.down(TEXT);
    }
}

/// A time without its offset's repetition and a text of readable length: the head of the page names the zone, the files hold the whole.
fn short(text: String) -> String {
    const MOST: usize = 80;
    if text.chars().count() <= MOST {
        return text;
    }
    let cut: String = text.chars().take(MOST).collect();
    format!("{cut}…")
}
