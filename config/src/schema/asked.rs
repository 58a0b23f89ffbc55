//! One thing that the reader asks a table for.

use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A key that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Where, with the numbers of lists: `point[3].alarms.HH`.
    pub(crate) table: String,
    pub(crate) key: &'static str,
    pub(crate) form: Form,
}

/// What may stand there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    Text,
    Flag,
    Date,
    Whole(i64, i64),
    /// From and to, where they are bounded.
    Number(Option<(f64, f64)>),
    TextOrNumber,
    Pair,
    Texts,
    Names(BTreeSet<String>),
    Table,
    Tables,
    /// Not what it is, but that it must be there.
    Needed,
}

impl Form {
    /// The names that a text may be.
    pub(crate) fn names<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        Self::Names(names.into_iter().map(str::to_owned).collect())
    }

    /// Of two that were asked of one key: the narrower kind, the wider range.
    pub(crate) fn with(self, before: Option<Self>) -> Self {
        match (before, self) {
            (None, form) => form,
            (Some(Self::Whole(low, high)), Self::Whole(other_low, other_high)) => {
                Self::Whole(low.min(other_low), high.max(other_high))
            }
            (Some(Self::Number(Some(one))), Self::Number(Some(other))) => {
                Self::Number(Some((one.0.min(other.0), one.1.max(other.1))))
            }
            (Some(Self::Names(mut names)), Self::Names(more)) => {
                names.extend(more);
                Self::Names(names)
            }
            // A name and a number in a range are first asked for as a text and as a number.
            (Some(narrow @ (Self::Names(_) | Self::Date)), Self::Text)
            | (Some(narrow @ Self::Number(Some(_))), Self::Number(None)) => narrow,
            (Some(_), form) => form,
        }
    }

    pub(crate) fn schema(&self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Date => json!({ "type": "string", "format": "date" }),
            Self::Whole(low, i64::MAX) => json!({ "type": "integer", "minimum": low }),
            Self::Whole(low, high) => {
                json!({ "type": "integer", "minimum": low, "maximum": high })
            }
            Self::Number(None) => json!({ "type": "number" }),
            Self::Number(Some((low, high))) if *high >= f64::MAX => {
                json!({ "type": "number", "minimum": low })
            }
            Self::Number(Some((low, high))) => {
                json!({ "type": "number", "minimum": low, "maximum": high })
            }
            Self::TextOrNumber => json!({ "type": ["string", "number"] }),
            Self::Pair => {
                json!({ "type": "array", "items": { "type": "number" }, "minItems": 2, "maxItems": 2 })
            }
            Self::Texts => {
                json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 })
            }
            Self::Names(names) => json!({ "enum": names }),
            Self::Table | Self::Tables | Self::Needed => json!({}),
        }
    }
}

/// `point[3].alarms.HH` is a `point[].alarms.HH`.
pub(crate) fn kind(table: &str) -> String {
    let mut kind = String::with_capacity(table.len());
    let mut inside = false;
    for char in table.chars() {
        inside = match char {
            '[' => true,
            ']' => false,
            _ => inside,
        };
        if !(inside && char.is_ascii_digit()) {
            kind.push(char);
        }
    }
    kind
}
