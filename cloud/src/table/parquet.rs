//! A Parquet file: one row group some pages, columns compressed, each absence a null. Times are UTC milliseconds as the format's own timestamps, lasting is whole
//! milliseconds; names of columns are the API's keys, the same in both languages, and what they are called stands in the file's own facts.
//!
//! Written by the plain column writers of the `parquet` crate, without Arrow: a tenth of what is to be compiled, and files that any reader takes
//! (`cloud/tests/api/export.rs` reads them with pyarrow).

use super::{Cell, Column, Form, Kind, Row, TableError};
use ::parquet::basic::{
    Compression, ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical,
};
use ::parquet::column::writer::ColumnWriter;
use ::parquet::data_type::ByteArray;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::Type;
use std::io::Write;
use std::sync::Arc;

/// A file in the making.
pub(crate) struct Parquet<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: &'static [Column],
    form: Form,
    /// Of the next row group.
    waiting: Vec<Row>,
}

/// Rows of a group: about ten megabytes in memory. The end of the file describes each of them, which a group a page would make long.
const ROWS_A_GROUP: usize = 20_000;

impl<W: Write + Send> Parquet<W> {
    pub(crate) fn new(columns: &'static [Column], form: Form, file: W) -> Result<Self, TableError> {
        let fields = columns.iter().map(|column| field(column).map(Arc::new));
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        let schema = Type::group_type_builder("answer")
            .with_fields(fields)
            .build()?;
        let facts = columns.iter().map(|column| KeyValue {
            key: format!("davy.{}", column.key),
            value: Some(column.head(form.language)),
        });
        let properties = WriterProperties::builder()
            .set_compression(Compression::GZIP(Default::default()))
            .set_created_by(concat!("Davy ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata(Some(facts.collect()))
            .build();
        Ok(Self {
            writer: SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))?,
            columns,
            form,
            waiting: Vec::new(),
        })
    }

    /// Takes a page; what makes a row group is written.
    pub(crate) fn rows(&mut self, rows: &[Row]) -> Result<(), TableError> {
        self.waiting.extend_from_slice(rows);
        if self.waiting.len() >= ROWS_A_GROUP {
            self.group()?;
        }
        Ok(())
    }

    /// Says in the file's facts that it holds not all there is.
    pub(crate) fn cut(&mut self) {
        self.writer.append_key_value_metadata(KeyValue {
            key: "davy.is_cut".to_owned(),
            value: Some("true".to_owned()),
        });
    }

    fn group(&mut self) -> Result<(), TableError> {
        let rows = std::mem::take(&mut self.waiting);
        if rows.is_empty() {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for (at, column) in self.columns.iter().enumerate() {
            let Some(mut writer) = group.next_column()? else {
                break;
            };
            let cells = rows.iter().map(|row| row.get(at).unwrap_or(&Cell::None));
            put(writer.untyped(), column.kind, cells, self.form)?;
            writer.close()?;
        }
        group.close()?;
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<W, TableError> {
        self.group()?;
        Ok(self.writer.into_inner()?)
    }
}

fn field(column: &Column) -> Result<Type, ::parquet::errors::ParquetError> {
    let (physical, logical, converted) = match column.kind {
        Kind::Text | Kind::Code => (
            Physical::BYTE_ARRAY,
            Some(LogicalType::String),
            ConvertedType::UTF8,
        ),
        Kind::Time => (
            Physical::INT64,
            Some(LogicalType::timestamp(true, TimeUnit::MILLIS)),
            ConvertedType::NONE,
        ),
        Kind::Whole | Kind::Lasting => (Physical::INT64, None, ConvertedType::NONE),
        Kind::Number | Kind::Share => (Physical::DOUBLE, None, ConvertedType::NONE),
        Kind::Flag => (Physical::BOOLEAN, None, ConvertedType::NONE),
    };
    Type::primitive_type_builder(&name(column), physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .with_converted_type(converted)
        .build()
}

/// A length of time says its unit.
fn name(column: &Column) -> String {
    match column.kind {
        Kind::Lasting => format!("{}_ms", column.key.replace('-', "_")),
        _ => column.key.replace('-', "_"),
    }
}

fn put<'a>(
    writer: &mut ColumnWriter<'_>,
    kind: Kind,
    cells: impl Iterator<Item = &'a Cell> + Clone,
    form: Form,
) -> Result<(), TableError> {
    match writer {
        ColumnWriter::Int64ColumnWriter(writer) => {
            let (values, present) = split(cells, |cell| match cell {
                Cell::Whole(value) => Some(*value),
                _ => None,
            });
            writer.write_batch(&values, Some(&present), None)?;
        }
        ColumnWriter::DoubleColumnWriter(writer) => {
            let (values, present) = split(cells, |cell| match cell {
                Cell::Number(value) => Some(*value),
                Cell::Whole(value) => Some(*value as f64),
                _ => None,
            });
            writer.write_batch(&values, Some(&present), None)?;
        }
        ColumnWriter::BoolColumnWriter(writer) => {
            let (values, present) = split(cells, |cell| match cell {
                Cell::Flag(value) => Some(*value),
                _ => None,
            });
            writer.write_batch(&values, Some(&present), None)?;
        }
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            let (values, present) = split(cells, |cell| match cell {
                Cell::None => None,
                cell => Some(ByteArray::from(cell.text(kind, form).into_bytes())),
            });
            writer.write_batch(&values, Some(&present), None)?;
        }
        // `field` makes no other.
        _ => {}
    }
    Ok(())
}

/// The values that are there, and for each row whether it has one.
fn split<'a, T>(
    cells: impl Iterator<Item = &'a Cell>,
    value: impl Fn(&Cell) -> Option<T>,
) -> (Vec<T>, Vec<i16>) {
    let mut values = Vec::new();
    let present = cells.map(|cell| {
        let value = value(cell);
        let is_present = i16::from(value.is_some());
        values.extend(value);
        is_present
    });
    let present = present.collect();
    (values, present)
}
