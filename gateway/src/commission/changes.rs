//! What a draft changes of the file that runs, part by part: for whoever is about to apply it.

use serde::Serialize;
use serde_json::{Map, Value};

/// One part of the file that is not as it was.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    /// `point`, `device`, …
    part: String,
    /// Of a list: whose; the number in the list where it has none.
    id: Option<String>,
    kind: Kind,
    /// The keys that differ, of what is in both.
    keys: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Added,
    Removed,
    Changed,
}

/// Every difference, in the order of the parts' names.
pub(crate) fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let (before, after) = (table(before), table(after));
    let mut parts: Vec<&String> = before.keys().chain(after.keys()).collect();
    parts.sort();
    parts.dedup();
    let mut all = Vec::new();
    for part in parts {
        let empty = Value::Null;
        let old = before.get(part).unwrap_or(&empty);
        let new = after.get(part).unwrap_or(&empty);
        if is_list(old) || is_list(new) {
            of_list(part, old, new, &mut all);
        } else if let Some((kind, keys)) = differs(Some(old), Some(new)) {
            all.push(Change {
                part: part.clone(),
                id: None,
                kind,
                keys,
            });
        }
    }
    all
}

fn table(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn is_list(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|list| list.iter().any(Value::is_object))
}

fn of_list(part: &str, before: &Value, after: &Value, all: &mut Vec<Change>) {
    let named = |list: &Value| -> Vec<(String, Value)> {
        let list = list.as_array().cloned().unwrap_or_default();
        let with_name = |(number, value): (usize, Value)| {
            let id = value["id"]
                .as_str()
                .map_or_else(|| (number + 1).to_string(), String::from);
            (id, value)
        };
        list.into_iter().enumerate().map(with_name).collect()
    };
    let (before, after) = (named(before), named(after));
    let find = |list: &[(String, Value)], id: &str| {
        list.iter()
            .find(|(own, _)| own == id)
            .map(|(_, value)| value.clone())
    };
    let gone = before.iter().filter(|(id, _)| find(&after, id).is_none());
    for id in after.iter().chain(gone).map(|(id, _)| id) {
        let (old, new) = (find(&before, id), find(&after, id));
        if let Some((kind, keys)) = differs(old.as_ref(), new.as_ref()) {
            all.push(Change {
                part: part.to_owned(),
                id: Some(id.clone()),
                kind,
                keys,
            });
        }
    }
}

/// How two differ; an absent part, an empty list and a null are one.
fn differs(before: Option<&Value>, after: Option<&Value>) -> Option<(Kind, Vec<String>)> {
    let some = |value: Option<&Value>| {
        value.cloned().filter(|value| {
            !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())
        })
    };
    match (some(before), some(after)) {
        (None, None) => None,
        (None, Some(_)) => Some((Kind::Added, Vec::new())),
        (Some(_), None) => Some((Kind::Removed, Vec::new())),
        (Some(before), Some(after)) => {
            let (old, new) = (table(&before), table(&after));
            let mut keys: Vec<String> = old.keys().chain(new.keys()).cloned().collect();
            keys.sort();
            keys.dedup();
            let same = |key: &String| some(old.get(key)) == some(new.get(key));
            keys.retain(|key| !same(key));
            let is_same = keys.is_empty() && (before.is_object() || before == after);
            (!is_same).then_some((Kind::Changed, keys))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_came_went_and_changed_is_told_by_its_part_id_and_keys() {
        let before = json!({ "schema": 1, "site": { "id": "a" }, "point": [{ "id": "P-1", "unit": "ppm" }, { "id": "P-2" }], "effect": [{ "causes": ["x"] }] });
        let after = json!({ "schema": 1, "site": { "id": "b" }, "point": [{ "id": "P-1", "unit": "%LEL" }, { "id": "P-3" }], "effect": [{ "causes": ["x"] }], "area": [] });
        let told: Vec<_> = changes(&before, &after)
            .into_iter()
            .map(|one| (one.part, one.id, one.kind, one.keys))
            .collect();
        let text = |text: &str| text.to_owned();
        assert_eq!(
            told,
            [
                (
                    text("point"),
                    Some(text("P-1")),
                    Kind::Changed,
                    vec![text("unit")]
                ),
                (text("point"), Some(text("P-3")), Kind::Added, vec![]),
                (text("point"), Some(text("P-2")), Kind::Removed, vec![]),
                (text("site"), None, Kind::Changed, vec![text("id")]),
            ]
        );
    }

    #[test]
    fn the_same_file_changes_nothing() {
        let tree = json!({ "schema": 1, "point": [{ "id": "P-1", "range": [0, 1] }] });
        assert_eq!(changes(&tree, &tree), []);
    }
}
