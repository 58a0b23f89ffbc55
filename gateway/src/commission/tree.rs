//! The site file as a tree that pages can change part by part, and the tree as a file again.
//!
//! The tree is the file's own: every key of it, also those that no page knows, so that nothing is lost on the way. Comments are; the file that is replaced is
//! kept beside. A date is `{ "$date": "2026-11-28" }`: JSON has none.

use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use toml::value::Datetime;

/// Parts of a file in the order that a reader expects; what is not named comes after them.
const PARTS: [&str; 14] = [
    "schema", "site", "screen", "uplink", "journal", "person", "area", "bus", "device", "point",
    "vote", "manual", "output", "effect",
];
/// Keys of one part in the order that a reader expects.
const KEYS: [&str; 24] = [
    "id",
    "name",
    "role",
    "kind",
    "area",
    "bus",
    "device",
    "unit",
    "profile",
    "signal",
    "register",
    "substance",
    "range",
    "decimals",
    "preset",
    "address",
    "path",
    "baud",
    "parity",
    "stop_bits",
    "set_point",
    "deadband",
    "priority",
    "armed",
];
/// Tables that get a heading of their own in a part.
const HEADED: [&str; 1] = ["alarms"];

/// A site file's text as a tree.
///
/// # Errors
/// It is no TOML; what is wrong is told by `check`, which reads it too.
pub(crate) fn read(text: &str) -> Result<Value, toml::de::Error> {
    let table: toml::Table = toml::from_str(text)?;
    Ok(from_toml(toml::Value::Table(table)))
}

fn from_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(date) => json!({ "$date": date.to_string() }),
        toml::Value::Array(list) => list.into_iter().map(from_toml).collect(),
        toml::Value::Table(table) => {
            let pairs = table
                .into_iter()
                .map(|(key, value)| (key, from_toml(value)));
            Value::Object(pairs.collect())
        }
    }
}

/// A tree as a site file's text. `head` stands above it.
pub(crate) fn write(tree: &Value, head: &str) -> String {
    let mut text = head.to_owned();
    let empty = Map::new();
    let parts = tree.as_object().unwrap_or(&empty);
    // What has no heading of its own comes first, or it would belong to the part above.
    let is_plain = |value: &Value| !is_headed(value) && !is_empty(value);
    for (key, value) in ordered(parts, &PARTS).filter(|(_, value)| is_plain(value)) {
        line(&mut text, &quoted(key), value);
    }
    for (key, value) in ordered(parts, &PARTS) {
        match value {
            Value::Object(table) if date(value).is_none() => part(&mut text, key, table, false),
            Value::Array(list) if is_headed(value) => {
                for table in list.iter().filter_map(Value::as_object) {
                    part(&mut text, key, table, true);
                }
            }
            _ => {}
        }
    }
    text
}

/// A list of parts that has none: the file says that by their absence.
fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

/// Whether a value of the whole file has headings: a table, or a list of tables.
fn is_headed(value: &Value) -> bool {
    match value {
        Value::Object(_) => date(value).is_none(),
        Value::Array(list) => !list.is_empty() && list.iter().all(Value::is_object),
        _ => false,
    }
}

fn part(text: &mut String, heading: &str, table: &Map<String, Value>, is_list: bool) {
    let (open, close) = if is_list { ("[[", "]]") } else { ("[", "]") };
    // Writing to a text cannot fail.
    let _ = write!(text, "\n{open}{}{close}\n", quoted(heading));
    let inner =
        |(key, value): &(&String, &Value)| HEADED.contains(&key.as_str()) && value.is_object();
    for (key, value) in ordered(table, &KEYS).filter(|pair| !inner(pair)) {
        line(text, &quoted(key), value);
    }
    for (key, value) in ordered(table, &KEYS).filter(inner) {
        let Some(table) = value.as_object() else {
            continue;
        };
        // What has no heading of its own comes first here too.
        for (name, value) in ordered(table, &[]).filter(|(_, value)| !value.is_object()) {
            line(text, &format!("{}.{}", quoted(key), quoted(name)), value);
        }
        for (name, value) in ordered(table, &[]) {
            if let Value::Object(table) = value {
                let path = [heading, key.as_str(), name.as_str()].map(quoted);
                let _ = writeln!(text, "[{}]", path.join("."));
                for (key, value) in ordered(table, &KEYS) {
                    line(text, &quoted(key), value);
                }
            }
        }
    }
}

/// The pairs of a table, those that `first` names before the others. What is null is not there: a page has taken it away.
fn ordered<'t>(
    table: &'t Map<String, Value>,
    first: &'static [&'static str],
) -> impl Iterator<Item = (&'t String, &'t Value)> {
    let place = |key: &str| {
        first
            .iter()
            .position(|own| *own == key)
            .unwrap_or(first.len())
    };
    let mut pairs: Vec<_> = table.iter().filter(|(_, value)| !value.is_null()).collect();
    pairs.sort_by_key(|(key, _)| place(key));
    pairs.into_iter()
}

/// One line; the key comes as the file takes it.
fn line(text: &mut String, key: &str, value: &Value) {
    // Writing to a text cannot fail.
    let _ = writeln!(text, "{key} = {}", inline(value));
}

fn inline(value: &Value) -> String {
    if let Some(date) = date(value) {
        return date.to_string();
    }
    match value {
        Value::Null => "\"\"".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => escaped(text),
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(table) => {
            let pairs: Vec<String> = ordered(table, &KEYS)
                .map(|(key, value)| format!("{} = {}", quoted(key), inline(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
    }
}

/// A date, where the value is one; what is none stays a table, which `check` refuses at its place.
fn date(value: &Value) -> Option<Datetime> {
    let table = value.as_object()?;
    let text = table.get("$date").filter(|_| table.len() == 1)?;
    text.as_str()?.parse().ok()
}

/// A key as TOML takes it.
fn quoted(key: &str) -> String {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    match !key.is_empty() && key.chars().all(is_bare) {
        true => key.to_owned(),
        false => escaped(key),
    }
}

/// A text as TOML takes it: its escapes are those of JSON, but for one character that JSON leaves alone.
fn escaped(text: &str) -> String {
    let text = Value::from(text).to_string();
    text.replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_config::parse;
    use proptest::prelude::*;
    use std::path::{Path, PathBuf};

    fn examples() -> Vec<PathBuf> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/examples");
        let files = std::fs::read_dir(folder).unwrap();
        let paths = files.map(|file| file.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|end| end == "toml"))
            .collect()
    }

    #[test]
    fn every_example_site_is_the_same_site_after_the_tree() {
        for path in examples() {
            let text = std::fs::read_to_string(&path).unwrap();
            let tree = read(&text).unwrap();
            let again = write(&tree, "# head\n");
            assert_eq!(read(&again).unwrap(), tree, "{again}");
            let site = |text: &str| {
                let loaded = parse("site.toml", text, Path::new("."));
                let mut site = loaded
                    .unwrap_or_else(|problems| panic!("{problems}\n{text}"))
                    .site;
                site.digest = String::new();
                format!("{site:?}")
            };
            assert_eq!(site(&again), site(&text), "{}", path.display());
        }
    }

    #[test]
    fn texts_keys_and_dates_survive_whatever_they_hold() {
        let tree = json!({
            "schema": 1,
            "odd key": "a \"b\" \\ \n \u{7f} 罐",
            "site": { "sign_off": { "date": { "$date": "2026-11-28" }, "by": "李" }, "gone": null },
            "point": [{ "range": [0, 1.5], "alarms": { "HH": { "set_point": 5 }, "x.y": { "on": true } } }],
            "empty": [],
        });
        let again = read(&write(&tree, "")).unwrap();
        let mut wanted = tree;
        wanted["site"].as_object_mut().unwrap().remove("gone");
        wanted.as_object_mut().unwrap().remove("empty");
        assert_eq!(again, wanted);
    }

    /// Whatever a page could send: any key, any text, any number that TOML has, one in the other.
    fn value() -> impl Strategy<Value = Value> {
        let plain = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e300..1e300_f64).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            Just(json!({ "$date": "2026-11-28" })),
        ];
        plain.prop_recursive(3, 24, 4, |inner| {
            let list = proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from);
            prop_oneof![list, table(inner, 0)]
        })
    }

    fn table(inner: impl Strategy<Value = Value>, least: usize) -> impl Strategy<Value = Value> {
        let key = prop_oneof![
            Just("alarms".to_owned()),
            Just("point".to_owned()),
            Just("site".to_owned()),
            any::<String>(),
        ];
        proptest::collection::btree_map(key, inner, least..4)
            .prop_map(|pairs| Value::Object(pairs.into_iter().collect()))
    }

    /// What a file cannot say: an empty list of parts, and an empty table of limits.
    fn without_empty(tree: &Value) -> Value {
        let of = |value: &Value, drop: &dyn Fn(&str, &Value) -> bool| match value {
            Value::Object(table) => {
                let kept = table.iter().filter(|(key, value)| !drop(key, value));
                Value::Object(
                    kept.map(|(key, value)| (key.clone(), value.clone()))
                        .collect(),
                )
            }
            other => other.clone(),
        };
        let empty = |key: &str, value: &Value| HEADED.contains(&key) && *value == json!({});
        let Value::Object(parts) = of(tree, &|_, value| is_empty(value)) else {
            return tree.clone();
        };
        let part = |value: &Value| match value {
            Value::Array(list) if is_headed(value) => {
                list.iter().map(|one| of(one, &empty)).collect()
            }
            other => of(other, &empty),
        };
        Value::Object(
            parts
                .iter()
                .map(|(key, value)| (key.clone(), part(value)))
                .collect(),
        )
    }

    proptest! {
        #[test]
        fn whatever_a_page_sends_is_a_file_that_says_the_same(tree in table(value(), 1)) {
            let text = write(&tree, "");
            let again = read(&text);
            prop_assert!(again.is_ok(), "{:?}\n{text}", again.err());
            prop_assert_eq!(again.unwrap(), without_empty(&tree), "{}", text);
        }
    }

    #[test]
    fn a_limit_that_is_taken_away_and_one_that_is_none_say_nothing_of_the_next() {
        let alarms = json!({ "HH": { "set_point": 5 }, "H": null, "odd": 7 });
        let tree = json!({ "point": [{ "id": "p", "alarms": alarms }] });
        let again = read(&write(&tree, "")).unwrap();
        let wanted = json!({ "HH": { "set_point": 5 }, "odd": 7 });
        assert_eq!(again["point"][0]["alarms"], wanted);
    }

    #[test]
    fn what_is_no_date_stays_what_it_is_so_that_check_can_name_it() {
        let text = write(&json!({ "site": { "date": { "$date": "tomorrow" } } }), "");
        assert!(text.contains("\"$date\" = \"tomorrow\""), "{text}");
    }
}
