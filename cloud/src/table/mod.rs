//! Answers as tables, whatever file they end in: columns that know what they hold, cells that know nothing of a file's form. `csv`, `xlsx` and `parquet`
//! write them, a page at a time.

pub(crate) mod csv;
mod file;
mod parquet;
mod xlsx;

pub(crate) use file::Sheet;

use crate::message::{Language, Message};
use crate::records::Text;
use jiff::Timestamp;
use jiff::tz::Offset;

/// How times and heads are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) zone: Offset,
    pub(crate) language: Language,
}

impl Form {
    /// RFC 3339 to the millisecond, with the offset.
    pub(crate) fn time(self, ms: i64) -> String {
        Timestamp::from_millisecond(ms).map_or(String::new(), |time| {
            format!("{:.3}", time.display_with_offset(self.zone))
        })
    }

    pub(crate) const fn pick(self, text: &Text) -> &str {
        match self.language {
            Language::Zh => text.zh.as_str(),
            Language::En => text.en.as_str(),
        }
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A name, in the reader's language, or a text as somebody wrote it.
    Text,
    /// A code of the API: a condition, a cause, an action.
    Code,
    Whole,
    Number,
    /// UTC milliseconds.
    Time,
    /// Milliseconds.
    Lasting,
    Flag,
    /// 0 to 1.
    Share,
}

/// A column: its name for programs, which never changes, and what it holds. Its head is the message `column-<key>`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) key: &'static str,
    pub(crate) kind: Kind,
}

impl Column {
    pub(crate) const fn new(key: &'static str, kind: Kind) -> Self {
        Self { key, kind }
    }

    pub(crate) fn head(&self, language: Language) -> String {
        Message::named(&format!("column-{}", self.key)).text(language)
    }
}

/// What stands in a row and a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    None,
    Text(String),
    /// In both languages; with what stands for it where it has no name.
    Name(Text),
    Whole(i64),
    Number(f64),
    Flag(bool),
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Whole(value)
    }
}

impl From<u32> for Cell {
    fn from(value: u32) -> Self {
        Self::Whole(i64::from(value))
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Text> for Cell {
    fn from(value: Text) -> Self {
        Self::Name(value)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

impl Cell {
    /// As JSON; a name in both languages.
    pub(crate) fn json(&self) -> serde_json::Value {
        match self {
            Self::None => serde_json::Value::Null,
            Self::Text(text) => text.as_str().into(),
            Self::Name(Text { zh, en }) => serde_json::json!({ "zh": zh, "en": en }),
            Self::Whole(value) => (*value).into(),
            Self::Number(value) => (*value).into(),
            Self::Flag(value) => (*value).into(),
        }
    }

    /// As text, by the column's kind. Lasting is written in seconds, a share as it is.
    pub(crate) fn text(&self, kind: Kind, form: Form) -> String {
        match self {
            Self::None => String::new(),
            Self::Text(text) => text.clone(),
            Self::Name(text) => form.pick(text).to_owned(),
            Self::Whole(ms) if kind == Kind::Time => form.time(*ms),
            Self::Whole(ms) if kind == Kind::Lasting => (*ms as f64 / 1_000.0).to_string(),
            Self::Whole(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            Self::Flag(value) => value.to_string(),
        }
    }
}

/// Cells in the order of the columns.
pub(crate) type Row = Vec<Cell>;

/// Builds a row.
macro_rules! row {
    ($($cell:expr),* $(,)?) => { vec![$($crate::table::Cell::from($cell)),*] };
}
pub(crate) use row;

/// What a file says of itself, in its last row, that holds not all there is.
fn cut_text(rows: usize, form: Form) -> String {
    Message::new("table-cut")
        .with("rows", rows.to_string())
        .text(form.language)
}

/// Which file.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    serde::Deserialize,
    serde::Serialize,
    utoipa::ToSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    #[default]
    Csv,
    Xlsx,
    Parquet,
}

impl Format {
    pub(crate) const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }

    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    #[error("more rows than a spreadsheet holds in reason")]
    TooManyRows,
    #[error("a spreadsheet: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    #[error("a Parquet file: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
    #[error("a file: {0}")]
    File(#[from] std::io::Error),
}
