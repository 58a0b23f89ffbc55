//! Walking a TOML document with its places kept: each key is asked for once, with its type and range; what was never asked for is an unknown key.

use crate::problem::{Code, Problem};
use serde_spanned::Spanned;
use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};
use toml::de::{DeTable, DeValue};

/// Where problems are gathered while a file is read.
#[derive(Debug)]
pub(crate) struct Sink<'t> {
    file: String,
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Sink<'t> {
    pub(crate) fn new(file: &str, text: &'t str) -> Self {
        Self {
            file: file.to_owned(),
            text,
            problems: RefCell::default(),
        }
    }

    pub(crate) fn add(
        &self,
        code: Code,
        span: Range<usize>,
        key: &str,
        args: Vec<(&'static str, String)>,
    ) {
        let (line, column) = place(self.text, span.start);
        let problem = Problem {
            code,
            file: self.file.clone(),
            line,
            column,
            key: key.to_owned(),
            args,
        };
        self.problems.borrow_mut().push(problem);
    }

    /// Takes over what was found in another file.
    pub(crate) fn add_all(&self, problems: Vec<Problem>) {
        self.problems.borrow_mut().extend(problems);
    }

    pub(crate) fn take(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

/// Line and column, both from 1, the column in characters.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    (line, column)
}

/// A value with where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
    pub(crate) key: String,
}

impl<T> At<T> {
    pub(crate) fn with<U>(&self, value: U) -> At<U> {
        At {
            value,
            span: self.span.clone(),
            key: self.key.clone(),
        }
    }
}

/// A value that may be written either way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Either {
    Text(String),
    Number(f64),
}

/// One table of the document.
#[derive(Debug)]
pub(crate) struct Section<'s, 't> {
    pub(crate) sink: &'s Sink<'t>,
    table: &'s DeTable<'t>,
    span: Range<usize>,
    path: String,
    asked: RefCell<Vec<&'static str>>,
}

impl<'s, 't> Section<'s, 't> {
    pub(crate) fn new(
        sink: &'s Sink<'t>,
        table: &'s DeTable<'t>,
        span: Range<usize>,
        path: String,
    ) -> Self {
        Self {
            sink,
            table,
            span,
            path,
            asked: RefCell::default(),
        }
    }

    /// Reports every key that nobody asked for, with the nearest that exists.
    pub(crate) fn finish(self) {
        let asked = self.asked.borrow();
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if !asked.contains(&name) {
                let near = nearest(name, asked.iter().copied()).unwrap_or_else(|| asked.join(", "));
                self.sink.add(
                    Code::UnknownKey,
                    key.span(),
                    &self.key(name),
                    vec![("name", name.to_owned()), ("near", near)],
                );
            }
        }
    }

    /// A problem with this table as a whole.
    pub(crate) fn problem(&self, code: Code, args: Vec<(&'static str, String)>) {
        self.sink.add(code, self.span.clone(), &self.path, args);
    }

    /// A problem with one value.
    pub(crate) fn at<T>(&self, at: &At<T>, code: Code, args: Vec<(&'static str, String)>) {
        self.sink.add(code, at.span.clone(), &at.key, args);
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub(crate) fn text(&self, key: &'static str) -> Option<At<String>> {
        self.typed(key, "string", |value| value.as_str().map(str::to_owned))
    }

    pub(crate) fn need_text(&self, key: &'static str) -> Option<At<String>> {
        self.need(key, "string", self.text(key))
    }

    pub(crate) fn flag(&self, key: &'static str) -> Option<At<bool>> {
        self.typed(key, "true or false", DeValue::as_bool)
    }

    pub(crate) fn date(&self, key: &'static str) -> Option<At<String>> {
        self.typed(key, "date", |value| {
            value.as_datetime().map(ToString::to_string)
        })
    }

    pub(crate) fn need_date(&self, key: &'static str) -> Option<At<String>> {
        self.need(key, "date", self.date(key))
    }

    /// A whole number inside `range`.
    pub(crate) fn whole(&self, key: &'static str, range: RangeInclusive<i64>) -> Option<At<i64>> {
        let at = self.typed(key, "whole number", |value| {
            value.as_integer().and_then(integer)
        })?;
        if range.contains(&at.value) {
            return Some(at);
        }
        self.at(
            &at,
            Code::OutOfRange,
            vec![
                ("value", at.value.to_string()),
                ("low", range.start().to_string()),
                ("high", range.end().to_string()),
            ],
        );
        None
    }

    pub(crate) fn need_whole(
        &self,
        key: &'static str,
        range: RangeInclusive<i64>,
    ) -> Option<At<i64>> {
        self.need(key, "whole number", self.whole(key, range))
    }

    pub(crate) fn number(&self, key: &'static str) -> Option<At<f64>> {
        self.typed(key, "number", number)
    }

    /// A string or a number.
    pub(crate) fn text_or_number(&self, key: &'static str) -> Option<At<Either>> {
        self.typed(key, "string or number", |value| {
            value
                .as_str()
                .map(|text| Either::Text(text.to_owned()))
                .or_else(|| number(value).map(Either::Number))
        })
    }

    /// Two numbers, `[low, high]`.
    pub(crate) fn pair(&self, key: &'static str) -> Option<At<(f64, f64)>> {
        self.typed(key, "[low, high]", |value| {
            match value
                .as_array()
                .map(|array| array.iter().collect::<Vec<_>>())
                .as_deref()
            {
                Some([low, high]) => number(low.get_ref()).zip(number(high.get_ref())),
                _ => None,
            }
        })
    }

    /// A list of strings.
    pub(crate) fn texts(&self, key: &'static str) -> Vec<At<String>> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "list of strings");
            return Vec::new();
        };
        let text = |(position, item): (usize, &Spanned<DeValue<'_>>)| {
            let found = item.get_ref().as_str().map(|text| At {
                value: text.to_owned(),
                span: item.span(),
                key: format!("{}[{position}]", self.key(key)),
            });
            if found.is_none() {
                self.wrong_type(key, item, "string");
            }
            found
        };
        array.iter().enumerate().filter_map(text).collect()
    }

    /// One of the names given.
    pub(crate) fn one_of<T: Copy>(&self, key: &'static str, names: &[(&str, T)]) -> Option<At<T>> {
        let at = self.text(key)?;
        if let Some((_, value)) = names.iter().find(|(name, _)| *name == at.value) {
            return Some(at.with(*value));
        }
        let all: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let near = nearest(&at.value, all.iter().copied()).unwrap_or_else(|| all.join(", "));
        self.at(
            &at,
            Code::UnknownName,
            vec![("value", at.value.clone()), ("near", near)],
        );
        None
    }

    pub(crate) fn need_one_of<T: Copy>(
        &self,
        key: &'static str,
        names: &[(&str, T)],
    ) -> Option<At<T>> {
        self.need(key, "string", self.one_of(key, names))
    }

    pub(crate) fn section(&self, key: &'static str) -> Option<Section<'s, 't>> {
        let value = self.value(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(Section::new(self.sink, table, value.span(), self.key(key))),
            None => {
                self.wrong_type(key, value, "table");
                None
            }
        }
    }

    pub(crate) fn need_section(&self, key: &'static str) -> Option<Section<'s, 't>> {
        self.need(key, "table", self.section(key))
    }

    /// A list of tables, `[[key]]`.
    pub(crate) fn sections(&self, key: &'static str) -> Vec<Section<'s, 't>> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "list of tables");
            return Vec::new();
        };
        let section =
            |(position, item): (usize, &'s Spanned<DeValue<'t>>)| match item.get_ref().as_table() {
                Some(table) => Some(Section::new(
                    self.sink,
                    table,
                    item.span(),
                    format!("{}[{position}]", self.key(key)),
                )),
                None => {
                    self.wrong_type(key, item, "table");
                    None
                }
            };
        array.iter().enumerate().filter_map(section).collect()
    }

    /// Takes a key as known without reading it.
    pub(crate) fn ignore(&self, key: &'static str) {
        self.asked.borrow_mut().push(key);
    }

    /// Reports a key that must be there and is not.
    pub(crate) fn missing(&self, key: &'static str, kind: &str) {
        self.sink.add(
            Code::MissingKey,
            self.span.clone(),
            &self.key(key),
            vec![("name", key.to_owned()), ("type", kind.to_owned())],
        );
    }

    fn need<T>(&self, key: &'static str, kind: &str, found: Option<T>) -> Option<T> {
        if found.is_none() && !self.has(key) {
            self.missing(key, kind);
        }
        found
    }

    fn typed<T>(
        &self,
        key: &'static str,
        kind: &str,
        read: impl Fn(&DeValue<'t>) -> Option<T>,
    ) -> Option<At<T>> {
        let value = self.value(key)?;
        match read(value.get_ref()) {
            Some(read) => Some(At {
                value: read,
                span: value.span(),
                key: self.key(key),
            }),
            None => {
                self.wrong_type(key, value, kind);
                None
            }
        }
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, kind: &str) {
        let found = value.get_ref().type_str().to_owned();
        self.sink.add(
            Code::WrongType,
            value.span(),
            &self.key(key),
            vec![("type", kind.to_owned()), ("found", found)],
        );
    }

    fn value(&self, key: &'static str) -> Option<&'s Spanned<DeValue<'t>>> {
        self.asked.borrow_mut().push(key);
        self.table.get(key)
    }

    fn key(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

fn integer(value: &toml::de::DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(&value.as_str().replace('_', ""), value.radix()).ok()
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    let float = || {
        value
            .as_float()
            .and_then(|float| float.as_str().replace('_', "").parse::<f64>().ok())
    };
    value
        .as_integer()
        .and_then(integer)
        .map(|whole| whole as f64)
        .or_else(float)
        .filter(|number| number.is_finite())
}

/// The candidate that a person most likely meant, if one is near.
pub(crate) fn nearest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<String> {
    let scored = candidates
        .map(|candidate| (distance(name, candidate), candidate))
        .min()?;
    (scored.0 <= 2.max(name.len() / 3)).then(|| scored.1.to_owned())
}

/// Edits between two names (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, left) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, right) in other.iter().enumerate() {
            let cost = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = cost.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
