//! A file in the making, of whichever form: pages go in, a file on disk comes out. None of them holds more than some thousand rows in memory.

use super::parquet::Parquet;
use super::xlsx::Book;
use super::{Column, Form, Format, Row, TableError, csv};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

/// Rows of the largest spreadsheet: its program opens no more in reason.
const MOST_XLSX_ROWS: usize = 5_000_000;

/// A file in the making. It has no name: it is gone when it is closed.
pub(crate) struct Sheet {
    columns: &'static [Column],
    form: Form,
    rows: usize,
    made: Made,
}

enum Made {
    Csv(BufWriter<File>),
    Xlsx(Box<Book>, File),
    Parquet(Box<Parquet<File>>),
}

impl Sheet {
    /// Begins a file in this folder.
    pub(crate) fn begin(
        format: Format,
        columns: &'static [Column],
        form: Form,
        folder: &Path,
    ) -> Result<Self, TableError> {
        let file = tempfile::tempfile_in(folder)?;
        let made = match format {
            Format::Csv => {
                let mut out = BufWriter::new(file);
                out.write_all(&csv::head(columns, form))?;
                Made::Csv(out)
            }
            Format::Xlsx => Made::Xlsx(Box::new(Book::new(columns, form, folder)?), file),
            Format::Parquet => Made::Parquet(Box::new(Parquet::new(columns, form, file)?)),
        };
        Ok(Self {
            columns,
            form,
            rows: 0,
            made,
        })
    }

    pub(crate) fn rows(&mut self, rows: &[Row]) -> Result<(), TableError> {
        self.rows += rows.len();
        match &mut self.made {
            Made::Csv(out) => Ok(out.write_all(&csv::rows(self.columns, rows, self.form))?),
            Made::Xlsx(..) if self.rows > MOST_XLSX_ROWS => Err(TableError::TooManyRows),
            Made::Xlsx(book, _) => book.rows(rows),
            Made::Parquet(parquet) => parquet.rows(rows),
        }
    }

    /// Says in the file that there is more than it holds.
    pub(crate) fn cut(&mut self) -> Result<(), TableError> {
        match &mut self.made {
            Made::Csv(out) => Ok(out.write_all(&csv::cut(self.columns, self.rows, self.form))?),
            Made::Xlsx(book, _) => book.cut(self.rows),
            Made::Parquet(parquet) => {
                parquet.cut();
                Ok(())
            }
        }
    }

    /// The whole file. A spreadsheet is packed here: the work of seconds where it is large.
    pub(crate) fn finish(self) -> Result<File, TableError> {
        match self.made {
            Made::Csv(out) => Ok(out
                .into_inner()
                .map_err(std::io::IntoInnerError::into_error)?),
            Made::Xlsx(book, file) => {
                book.finish(BufWriter::new(file.try_clone()?))?;
                Ok(file)
            }
            Made::Parquet(parquet) => parquet.finish(),
        }
    }
}
