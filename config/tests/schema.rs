//! The schema for editors knows what the reader knows: it takes every site file of the repository and refuses a key or a name that the reader refuses.
#![allow(clippy::unwrap_used)]

use serde_json::{Map, Value, json};
use std::path::Path;

/// What of a value is against a schema. It knows the words that the schema uses and no other.
fn wrong(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut says = |holds: bool, what: &str| {
        if !holds {
            found.push(format!("{at}: {what}"));
        }
    };
    for (word, asked) in schema.as_object().unwrap() {
        match word.as_str() {
            "$schema" | "title" | "description" | "properties" | "items" | "format" => {}
            "type" => {
                let types = asked.as_array().cloned().unwrap_or(vec![asked.clone()]);
                says(
                    types.iter().any(|kind| is(value, kind.as_str().unwrap())),
                    "type",
                );
            }
            "enum" => says(asked.as_array().unwrap().contains(value), "enum"),
            "minimum" => says(value.as_f64() >= asked.as_f64(), "minimum"),
            "maximum" => says(value.as_f64() <= asked.as_f64(), "maximum"),
            "minItems" => says(value.as_array().map(Vec::len) >= count(asked), "minItems"),
            "maxItems" => says(value.as_array().map(Vec::len) <= count(asked), "maxItems"),
            "required" => {
                for key in asked.as_array().unwrap() {
                    says(
                        value.get(key.as_str().unwrap()).is_some(),
                        &format!("{key} is missing"),
                    );
                }
            }
            "additionalProperties" => {
                let empty = Map::new();
                for key in value.as_object().unwrap_or(&empty).keys() {
                    says(
                        schema["properties"].get(key).is_some(),
                        &format!("{key} is not known"),
                    );
                }
            }
            word => panic!("the test does not know {word}"),
        }
    }
    if let Some(table) = value.as_object() {
        for (key, value) in table {
            if let Some(inner) = schema["properties"].get(key) {
                found.extend(wrong(inner, value, &format!("{at}.{key}")));
            }
        }
    }
    if let (Some(list), Some(inner)) = (value.as_array(), schema.get("items")) {
        for (number, value) in list.iter().enumerate() {
            found.extend(wrong(inner, value, &format!("{at}[{number}]")));
        }
    }
    found
}

fn count(asked: &Value) -> Option<usize> {
    asked.as_u64().map(|count| count as usize)
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        kind => panic!("the test does not know the type {kind}"),
    }
}

/// A file as an editor sees it: dates are texts.
fn tree(text: &str) -> Value {
    fn value(read: toml::Value) -> Value {
        match read {
            toml::Value::String(text) => json!(text),
            toml::Value::Integer(number) => json!(number),
            toml::Value::Float(number) => json!(number),
            toml::Value::Boolean(flag) => json!(flag),
            toml::Value::Datetime(date) => json!(date.to_string()),
            toml::Value::Array(list) => list.into_iter().map(value).collect(),
            toml::Value::Table(table) => {
                let keys = table.into_iter().map(|(key, inner)| (key, value(inner)));
                Value::Object(keys.collect())
            }
        }
    }
    let table: toml::Table = text.parse().unwrap();
    value(toml::Value::Table(table))
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn blocks(page: &str) -> String {
    let text = read(page);
    let blocks = text.split("```toml\n").skip(1);
    let blocks: Vec<&str> = blocks.filter_map(|rest| rest.split("```").next()).collect();
    blocks.join("\n")
}

#[test]
fn every_site_file_of_the_repository_is_as_the_schema_says() {
    let schema = davy_config::schema();
    let mut files: Vec<(String, String)> = ["docs/site-file.md", "README.md"]
        .map(|page| (page.to_owned(), blocks(page)))
        .into();
    for name in [
        "tank-farm",
        "cold-store",
        "dust-workshop",
        "solvent-warehouse",
    ] {
        let path = format!("config/examples/{name}.toml");
        let text = read(&path);
        files.push((path, text));
    }
    for path in [
        "gateway/tests/replay/plant.toml",
        "gateway/tests/replay/site.toml",
    ] {
        files.push((path.to_owned(), read(path)));
    }
    for (name, text) in files {
        let found = wrong(&schema, &tree(&text), "");
        assert_eq!(found, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn what_the_reader_refuses_by_key_type_range_or_name_the_schema_refuses_too() {
    let schema = davy_config::schema();
    let good = read("config/examples/tank-farm.toml");
    for (old, new, wanted) in [
        ("[site]\n", "[site]\nnick = 1\n", "nick"),
        ("[[point]]\n", "[[point]]\nset_piont = 1\n", "set_piont"),
        ("kind = \"combustible-gas\"", "kind = \"gas\"", "kind: enum"),
        (
            "preset = \"combustible-gas\"",
            "preset = \"combustible\"",
            "preset: enum",
        ),
        ("unit = 1\n", "unit = \"1\"\n", "unit: type"),
        ("schema = 1", "", "schema"),
    ] {
        assert!(good.contains(old), "{old}");
        let found = wrong(&schema, &tree(&good.replacen(old, new, 1)), "");
        assert!(
            found.iter().any(|told| told.contains(wanted)),
            "{new}: {found:?}"
        );
    }
}

/// Walks the tables of a schema.
fn keys(schema: &Value, found: &mut std::collections::BTreeSet<String>) {
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        found.insert(key.clone());
        let description = inner["description"].as_str().unwrap();
        let (zh, en) = description.split_once(" / ").unwrap();
        assert!(!zh.is_empty() && !en.is_empty(), "{key} has no text");
        keys(inner, found);
        if let Some(items) = inner.get("items") {
            keys(items, found);
        }
    }
}

#[test]
fn the_schema_names_every_key_that_the_readers_sources_ask_for() {
    let mut known = std::collections::BTreeSet::new();
    keys(&davy_config::schema(), &mut known);
    let folder = std::fs::read_dir(root().join("config/src/read")).unwrap();
    let sources = folder.map(|entry| entry.unwrap().path());
    let register = root().join("config/src/profile/register.rs");
    let mut missing = Vec::new();
    for source in sources.chain([register]) {
        let source = std::fs::read_to_string(source).unwrap();
        for kind in [
            "text",
            "need_text",
            "texts",
            "need_texts",
            "need_date",
            "flag",
            "number",
            "number_in",
            "whole",
            "need_whole",
            "seconds",
            "pair",
            "one_of",
            "need_one_of",
            "text_or_number",
            "section",
            "need_section",
            "sections",
        ] {
            for rest in source.split(&format!(".{kind}(")).skip(1) {
                let key = rest
                    .trim_start()
                    .strip_prefix('"')
                    .and_then(|rest| rest.split('"').next());
                missing.extend(key.filter(|key| !known.contains(*key)).map(str::to_owned));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
    assert!(known.len() > 100, "{}", known.len());
}
