//! The site file as a JSON Schema (draft 2020-12), for editors. It is not written beside the reader but got from it: a file that has every table is read,
//! and what the reader asks for, with type, range and names, is the schema. Nothing that the reader does not ask for is in it, and nothing that it does is
//! missing, provided that the file really has every table (a test holds it against the reader's sources).

mod asked;

use crate::problem::{Language, key_texts};
use crate::section::Section;
use crate::sink::Sink;
use crate::today::Today;
pub(crate) use asked::{Asked, Form};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::de::DeTable;

/// Every table of the format, and every kind of bus, alarm and register.
const EVERY_KEY: &str = include_str!("../../data/every-key.toml");

/// The schema; descriptions in both languages.
pub fn schema() -> Value {
    let tables = tables();
    let (zh, en) = (key_texts(Language::Zh), key_texts(Language::En));
    // In both languages: an editor knows only one description.
    let described = |key: &str| {
        let (zh, en) = (zh(key).unwrap_or_default(), en(key).unwrap_or_default());
        format!("{zh} / {en}")
    };
    let mut schema = table(&tables, "", &described);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Davy site file");
    schema
}

/// What the reader asks for, by table: `""`, `point[]`, `point[].alarms.HH`, …
fn tables() -> BTreeMap<String, Table> {
    let sink = Sink::recording("every-key.toml", EVERY_KEY);
    let (root, _) = DeTable::parse_recoverable(EVERY_KEY);
    // What it finds wrong does not matter here: asked is asked.
    let _site = crate::read::site(
        Section::root(&sink, &root),
        EVERY_KEY,
        Path::new("."),
        Today::Unknown,
    );
    gathered(sink.asked())
}

/// One kind of table.
#[derive(Debug, Default)]
struct Table {
    /// How many of them were read.
    read: BTreeSet<String>,
    keys: BTreeMap<&'static str, Key>,
}

#[derive(Debug, Default)]
struct Key {
    form: Option<Form>,
    /// In which tables it had to be.
    needed: BTreeSet<String>,
}

fn gathered(asked: Vec<Asked>) -> BTreeMap<String, Table> {
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for Asked { table, key, form } in asked {
        let kind = tables.entry(asked::kind(&table)).or_default();
        kind.read.insert(table.clone());
        let key = kind.keys.entry(key).or_default();
        match form {
            Form::Needed => {
                key.needed.insert(table);
            }
            form => key.form = Some(form.with(key.form.take())),
        }
    }
    tables
}

fn table(
    tables: &BTreeMap<String, Table>,
    path: &str,
    described: &dyn Fn(&str) -> String,
) -> Value {
    let empty = Table::default();
    let own = tables.get(path).unwrap_or(&empty);
    let mut properties = Map::new();
    for (name, key) in &own.keys {
        let Some(form) = &key.form else { continue };
        let path = match path {
            "" => (*name).to_owned(),
            path => format!("{path}.{name}"),
        };
        let mut property = match form {
            Form::Table => table(tables, &path, described),
            Form::Tables => {
                json!({ "type": "array", "items": table(tables, &format!("{path}[]"), described) })
            }
            form => form.schema(),
        };
        property["description"] = json!(described(name));
        properties.insert((*name).to_owned(), property);
    }
    let needed = own.keys.iter().filter(|(_, key)| key.needed == own.read);
    let required: Vec<&str> = needed.map(|(name, _)| *name).collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// Every key that the format has, in any table.
#[cfg(test)]
pub(crate) fn keys() -> BTreeSet<&'static str> {
    let tables = tables();
    tables
        .values()
        .flat_map(|table| table.keys.keys().copied())
        .collect()
}
