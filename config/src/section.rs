//! Walking a TOML document with its places kept: each key is asked for with its type and range; what was never asked for is an unknown key.

use crate::nearest::Suggestion;
use crate::problem::{Arg, Args, Code, Word};
use crate::schema::Form;
use crate::sink::Sink;
use serde_spanned::Spanned;
use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};
use toml::de::{DeTable, DeValue};

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
    pub(crate) fn root(sink: &'s Sink<'t>, table: &'s Spanned<DeTable<'t>>) -> Self {
        Self::new(sink, table.get_ref(), 0..0, String::new())
    }

    fn new(sink: &'s Sink<'t>, table: &'s DeTable<'t>, span: Range<usize>, path: String) -> Self {
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
                let mut args: Args = vec![("name", name.into())];
                args.extend(Suggestion::new(name, asked.iter().copied()).args());
                self.sink
                    .add(Code::UnknownKey, key.span(), &self.key(name), args);
            }
        }
    }

    /// A problem with this table as a whole.
    pub(crate) fn problem(&self, code: Code, args: Args) {
        self.sink.add(code, self.span.clone(), &self.path, args);
    }

    /// A problem with one value.
    pub(crate) fn at<T>(&self, at: &At<T>, code: Code, args: Args) {
        self.sink.add(code, at.span.clone(), &at.key, args);
    }

    /// A problem with one value if it stands in the file, else with this table.
    pub(crate) fn at_or_here<T>(&self, at: Option<&At<T>>, code: Code, args: Args) {
        match at {
            Some(at) => self.at(at, code, args),
            None => self.problem(code, args),
        }
    }

    /// A name that is not known, with the nearest of those that are.
    pub(crate) fn unknown<'c>(
        &self,
        at: &At<String>,
        code: Code,
        known: impl Iterator<Item = &'c str>,
    ) {
        unknown(self.sink, at, code, known);
    }

    /// This table, as a place to point at later.
    pub(crate) fn here(&self) -> At<()> {
        At {
            value: (),
            span: self.span.clone(),
            key: self.path.clone(),
        }
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub(crate) fn text(&self, key: &'static str) -> Option<At<String>> {
        self.note(key, || Form::Text);
        self.typed(key, Word::Text, |value| value.as_str().map(str::to_owned))
    }

    /// A text that must be there and say something.
    pub(crate) fn need_text(&self, key: &'static str) -> Option<At<String>> {
        let at = self.need(key, Word::Text, self.text(key))?;
        if at.value.trim().is_empty() {
            self.at(&at, Code::EmptyText, vec![("name", key.into())]);
            return None;
        }
        Some(at)
    }

    pub(crate) fn flag(&self, key: &'static str) -> Option<At<bool>> {
        self.note(key, || Form::Flag);
        self.typed(key, Word::Flag, DeValue::as_bool)
    }

    /// A date that must be there; a time alone is none.
    pub(crate) fn need_date(&self, key: &'static str) -> Option<At<String>> {
        self.note(key, || Form::Date);
        let date = self.typed(key, Word::Date, |value| {
            let found = value.as_datetime().filter(|found| found.date.is_some());
            found.map(ToString::to_string)
        });
        self.need(key, Word::Date, date)
    }

    /// A whole number inside `range`.
    pub(crate) fn whole(&self, key: &'static str, range: RangeInclusive<i64>) -> Option<At<i64>> {
        self.note(key, || Form::Whole(*range.start(), *range.end()));
        let at = self.typed(key, Word::Whole, |value| {
            value.as_integer().and_then(integer)
        })?;
        if range.contains(&at.value) {
            return Some(at);
        }
        self.out_of_range(&at, *range.start(), *range.end());
        None
    }

    pub(crate) fn need_whole(
        &self,
        key: &'static str,
        range: RangeInclusive<i64>,
    ) -> Option<At<i64>> {
        self.need(key, Word::Whole, self.whole(key, range))
    }

    pub(crate) fn number(&self, key: &'static str) -> Option<At<f64>> {
        self.note(key, || Form::Number(None));
        self.typed(key, Word::Number, number)
    }

    /// A number inside `range`.
    pub(crate) fn number_in(
        &self,
        key: &'static str,
        range: RangeInclusive<f64>,
    ) -> Option<At<f64>> {
        self.note(key, || Form::Number(Some((*range.start(), *range.end()))));
        let at = self.number(key)?;
        if range.contains(&at.value) {
            return Some(at);
        }
        self.out_of_range(&at, *range.start(), *range.end());
        None
    }

    /// Seconds inside `range`, as whole milliseconds.
    pub(crate) fn seconds(&self, key: &'static str, range: RangeInclusive<f64>) -> Option<At<u32>> {
        debug_assert!(*range.end() <= 86_400.0, "milliseconds must fit u32");
        let at = self.number_in(key, range)?;
        let ms = (at.value * 1000.0).round() as u32;
        Some(at.with(ms))
    }

    fn out_of_range<T: Into<Arg> + Clone>(&self, at: &At<T>, low: T, high: T) {
        let args = vec![
            ("value", at.value.clone().into()),
            ("low", low.into()),
            ("high", high.into()),
        ];
        self.at(at, Code::OutOfRange, args);
    }

    /// A string or a number.
    pub(crate) fn text_or_number(&self, key: &'static str) -> Option<At<Either>> {
        self.note(key, || Form::TextOrNumber);
        self.typed(key, Word::TextOrNumber, either)
    }

    /// Two numbers, `[low, high]`.
    pub(crate) fn pair(&self, key: &'static str) -> Option<At<(f64, f64)>> {
        self.note(key, || Form::Pair);
        self.typed(key, Word::Pair, |value| {
            let items: Vec<_> = value.as_array()?.iter().collect();
            match items.as_slice() {
                [low, high] => number(low.get_ref()).zip(number(high.get_ref())),
                _ => None,
            }
        })
    }

    /// A list of strings that must be there and hold at least one.
    pub(crate) fn need_texts(&self, key: &'static str) -> Vec<At<String>> {
        let texts = self.texts(key);
        self.need(key, Word::TextList, self.has(key).then_some(()));
        texts
    }

    /// A list of strings that holds at least one, if it is there.
    pub(crate) fn texts(&self, key: &'static str) -> Vec<At<String>> {
        self.note(key, || Form::Texts);
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, Word::TextList);
            return Vec::new();
        };
        if array.is_empty() {
            let args = vec![("name", key.into())];
            self.sink
                .add(Code::EmptyList, value.span(), &self.key(key), args);
        }
        let text = |(position, item): (usize, &Spanned<DeValue<'_>>)| {
            let found = item.get_ref().as_str().map(|text| At {
                value: text.to_owned(),
                span: item.span(),
                key: format!("{}[{position}]", self.key(key)),
            });
            if found.is_none() {
                self.wrong_type(key, item, Word::Text);
            }
            found
        };
        array.iter().enumerate().filter_map(text).collect()
    }

    /// One of the names given.
    pub(crate) fn one_of<T: Copy>(&self, key: &'static str, names: &[(&str, T)]) -> Option<At<T>> {
        self.note(key, || Form::names(names.iter().map(|(name, _)| *name)));
        let at = self.text(key)?;
        if let Some((_, value)) = names.iter().find(|(name, _)| *name == at.value) {
            return Some(at.with(*value));
        }
        self.unknown(&at, Code::UnknownName, names.iter().map(|(name, _)| *name));
        None
    }

    pub(crate) fn need_one_of<T: Copy>(
        &self,
        key: &'static str,
        names: &[(&str, T)],
    ) -> Option<At<T>> {
        self.need(key, Word::Text, self.one_of(key, names))
    }

    pub(crate) fn section(&self, key: &'static str) -> Option<Section<'s, 't>> {
        self.note(key, || Form::Table);
        let value = self.value(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(Section::new(self.sink, table, value.span(), self.key(key))),
            None => {
                self.wrong_type(key, value, Word::Table);
                None
            }
        }
    }

    pub(crate) fn need_section(&self, key: &'static str) -> Option<Section<'s, 't>> {
        self.need(key, Word::Table, self.section(key))
    }

    /// A list of tables, `[[key]]`.
    pub(crate) fn sections(&self, key: &'static str) -> Vec<Section<'s, 't>> {
        self.note(key, || Form::Tables);
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, Word::TableList);
            return Vec::new();
        };
        let section = |(position, item): (usize, &'s Spanned<DeValue<'t>>)| {
            let key_of_item = format!("{}[{position}]", self.key(key));
            match item.get_ref().as_table() {
                Some(table) => Some(Section::new(self.sink, table, item.span(), key_of_item)),
                None => {
                    self.wrong_type(key, item, Word::Table);
                    None
                }
            }
        };
        array.iter().enumerate().filter_map(section).collect()
    }

    /// Tells whoever wants to know it which names a text may be; the reader itself looks it up elsewhere.
    pub(crate) fn offers<'n>(&self, key: &'static str, names: impl IntoIterator<Item = &'n str>) {
        self.note(key, || Form::names(names));
    }

    fn note(&self, key: &'static str, form: impl FnOnce() -> Form) {
        self.sink.note(&self.path, key, form);
    }

    /// Every key of this table with a whole number inside `range`: a table whose keys are names or numbers of somebody's own.
    pub(crate) fn wholes(&self, range: RangeInclusive<i64>) -> Vec<(At<String>, At<i64>)> {
        let inside = |(_, at): &(At<String>, At<i64>)| {
            let inside = range.contains(&at.value);
            if !inside {
                self.out_of_range(at, *range.start(), *range.end());
            }
            inside
        };
        let whole = |value: &DeValue<'_>| value.as_integer().and_then(integer);
        let found = self.entries(Word::Whole, whole);
        found.into_iter().filter(inside).collect()
    }

    /// Every key of this table with a string or a number.
    pub(crate) fn texts_or_numbers(&self) -> Vec<(At<String>, At<Either>)> {
        self.entries(Word::TextOrNumber, either)
    }

    fn entries<T>(
        &self,
        kind: Word,
        read: impl Fn(&DeValue<'t>) -> Option<T>,
    ) -> Vec<(At<String>, At<T>)> {
        let entry = |(name, value): (&Spanned<toml::de::DeString<'t>>, &Spanned<DeValue<'t>>)| {
            let own: &str = name.get_ref();
            let Some(found) = read(value.get_ref()) else {
                self.wrong_type(own, value, kind);
                return None;
            };
            let at = |span| At {
                value: (),
                span,
                key: self.key(own),
            };
            Some((
                at(name.span()).with(own.to_owned()),
                at(value.span()).with(found),
            ))
        };
        self.table.iter().filter_map(entry).collect()
    }

    /// Takes keys as known without reading them: what they mean hangs on something that is wrong already.
    pub(crate) fn ignore(&self, keys: &[&'static str]) {
        self.asked.borrow_mut().extend(keys);
    }

    /// Reports a key that must be there and is not.
    pub(crate) fn missing(&self, key: &'static str, kind: Word) {
        self.sink.add(
            Code::MissingKey,
            self.span.clone(),
            &self.key(key),
            vec![("name", key.into()), ("type", kind.into())],
        );
    }

    /// Reports two keys of which only one may stand.
    pub(crate) fn exclusive<T>(&self, kept: &'static str, other: &At<T>) {
        self.at(other, Code::Exclusive, vec![("name", kept.into())]);
    }

    pub(crate) fn wrong(&self, at: &At<impl Sized>, kind: Word, found: &str) {
        let args = vec![("type", kind.into()), ("found", found.into())];
        self.at(at, Code::WrongType, args);
    }

    fn need<T>(&self, key: &'static str, kind: Word, found: Option<T>) -> Option<T> {
        self.note(key, || Form::Needed);
        if found.is_none() && !self.has(key) {
            self.missing(key, kind);
        }
        found
    }

    fn typed<T>(
        &self,
        key: &'static str,
        kind: Word,
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

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, kind: Word) {
        let (code, found): (_, (&'static str, Arg)) = match not_finite(value.get_ref()) {
            Some(text) => (Code::NotFinite, ("value", text.into())),
            None => (Code::WrongType, ("found", type_of(value.get_ref()).into())),
        };
        let args = vec![("type", kind.into()), found];
        self.sink.add(code, value.span(), &self.key(key), args);
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

/// A name that is not known, with the nearest of those that are.
pub(crate) fn unknown<'c>(
    sink: &Sink<'_>,
    at: &At<String>,
    code: Code,
    known: impl Iterator<Item = &'c str>,
) {
    let mut args: Args = vec![("value", at.value.as_str().into())];
    args.extend(Suggestion::new(&at.value, known).args());
    sink.add(code, at.span.clone(), &at.key, args);
}

fn either(value: &DeValue<'_>) -> Option<Either> {
    let text = value.as_str().map(|text| Either::Text(text.to_owned()));
    text.or_else(|| number(value).map(Either::Number))
}

const fn type_of(value: &DeValue<'_>) -> Word {
    match value {
        DeValue::String(_) => Word::Text,
        DeValue::Integer(_) => Word::Whole,
        DeValue::Float(_) => Word::Number,
        DeValue::Boolean(_) => Word::Flag,
        DeValue::Datetime(_) => Word::Date,
        DeValue::Array(_) => Word::List,
        DeValue::Table(_) => Word::Table,
    }
}

/// `nan` or `inf`, in a list too, as written: a number by its type and no value.
fn not_finite<'v>(value: &'v DeValue<'_>) -> Option<&'v str> {
    match value {
        DeValue::Float(float) => {
            let parsed = float.as_str().replace('_', "").parse::<f64>();
            (!parsed.is_ok_and(f64::is_finite)).then(|| float.as_str())
        }
        DeValue::Array(items) => items.iter().find_map(|item| not_finite(item.get_ref())),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Table(_) => None,
    }
}

fn integer(value: &toml::de::DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(&value.as_str().replace('_', ""), value.radix()).ok()
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    let float = || value.as_float()?.as_str().replace('_', "").parse().ok();
    let whole = value.as_integer().and_then(integer);
    whole
        .map(|whole| whole as f64)
        .or_else(float)
        .filter(|number: &f64| number.is_finite())
}
