//! A spreadsheet, written row by row into a file of a given folder: memory stays flat. Times are dates in the chosen zone, which the head names,
//! since a spreadsheet's date has no offset. A sheet holds a million rows; the next ones follow on another.

use super::{Cell, Column, Form, Kind, Row, TableError};
use rust_xlsxwriter::{Format, Workbook, Worksheet};
use std::io::{Seek, Write};
use std::path::Path;

/// Rows of a sheet, its head among them (the format allows 1,048,576).
const MOST_ROWS: u32 = 1_000_000;
/// Days from 1899-12-30, a spreadsheet's beginning, to 1970.
const EPOCH_DAYS: f64 = 25_569.0;
const DAY_MS: f64 = 86_400_000.0;
/// Longest text of a cell.
const MOST_CHARACTERS: usize = 32_767;

/// A workbook in the making.
pub(crate) struct Book {
    workbook: Workbook,
    columns: &'static [Column],
    form: Form,
    sheets: usize,
    /// The next row of the sheet.
    row: u32,
    head: Format,
    time: Format,
    share: Format,
}

impl Book {
    pub(crate) fn new(
        columns: &'static [Column],
        form: Form,
        folder: &Path,
    ) -> Result<Self, TableError> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(folder)?;
        let mut book = Self {
            workbook,
            columns,
            form,
            sheets: 0,
            row: 0,
            head: Format::new().set_bold(),
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss.000"),
            share: Format::new().set_num_format("0.0 %"),
        };
        book.begin_sheet()?;
        Ok(book)
    }

    fn begin_sheet(&mut self) -> Result<(), TableError> {
        let sheet = self.workbook.add_worksheet_with_constant_memory()?;
        for (at, column) in (0_u16..).zip(self.columns) {
            sheet.set_column_width(at, if column.kind == Kind::Time { 24 } else { 16 })?;
        }
        sheet.set_freeze_panes(1, 0)?;
        for (at, column) in (0_u16..).zip(self.columns) {
            let named = column.head(self.form.language);
            let named = match column.kind {
                Kind::Time => format!("{named} ({})", zone(self.form)),
                _ => named,
            };
            sheet.write_with_format(0, at, named, &self.head)?;
        }
        self.sheets += 1;
        self.row = 1;
        Ok(())
    }

    pub(crate) fn rows(&mut self, rows: &[Row]) -> Result<(), TableError> {
        for row in rows {
            if self.row >= MOST_ROWS {
                self.begin_sheet()?;
            }
            let sheet = self.workbook.worksheet_from_index(self.sheets - 1)?;
            let cells = self.columns.iter().zip(row);
            for (at, (column, cell)) in (0_u16..).zip(cells) {
                let place = (self.row, at);
                match (column.kind, cell) {
                    (Kind::Time, Cell::Whole(ms)) => {
                        sheet.write_with_format(place.0, at, date(*ms, self.form), &self.time)?;
                    }
                    (Kind::Share, Cell::Number(share)) => {
                        sheet.write_with_format(place.0, at, *share, &self.share)?;
                    }
                    (kind, cell) => write(sheet, place, kind, cell, self.form)?,
                }
            }
            self.row += 1;
        }
        Ok(())
    }

    /// The last row of a file that holds not all there is.
    pub(crate) fn cut(&mut self, rows: usize) -> Result<(), TableError> {
        let told = super::cut_text(rows, self.form);
        let sheet = self.workbook.worksheet_from_index(self.sheets - 1)?;
        sheet.write_with_format(self.row, 0, told, &self.head)?;
        self.row += 1;
        Ok(())
    }

    /// Writes the file.
    pub(crate) fn finish<W: Write + Seek + Send>(mut self, file: W) -> Result<(), TableError> {
        Ok(self.workbook.save_to_writer(file)?)
    }
}

fn write(
    sheet: &mut Worksheet,
    (row, at): (u32, u16),
    kind: Kind,
    cell: &Cell,
    form: Form,
) -> Result<(), TableError> {
    match cell {
        Cell::None => {}
        Cell::Whole(ms) if kind == Kind::Lasting => {
            sheet.write_number(row, at, *ms as f64 / 1_000.0)?;
        }
        Cell::Whole(value) => {
            sheet.write_number(row, at, *value as f64)?;
        }
        Cell::Number(value) => {
            sheet.write_number(row, at, *value)?;
        }
        Cell::Flag(value) => {
            sheet.write_boolean(row, at, *value)?;
        }
        cell @ (Cell::Text(_) | Cell::Name(_)) => {
            let text = cell.text(kind, form);
            let text: String = text.chars().take(MOST_CHARACTERS).collect();
            sheet.write_string(row, at, text)?;
        }
    }
    Ok(())
}

/// The spreadsheet's serial date of a moment, as a clock of that zone shows it.
fn date(ms: i64, form: Form) -> f64 {
    (ms as f64 + f64::from(form.zone.seconds()) * 1_000.0) / DAY_MS + EPOCH_DAYS
}

fn zone(form: Form) -> String {
    let minutes = form.zone.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.abs();
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}
