//! The page that starts scenarios, with its texts in both languages put in.

use crate::scenario::Kind;
use serde_json::{Value, json};

const PAGE: &str = include_str!("page.html");
const ZH: &str = include_str!("../messages/zh.json");
const EN: &str = include_str!("../messages/en.json");

fn language(text: &str) -> Value {
    serde_json::from_str(text).expect("message files are JSON, pinned by a test")
}

/// The whole page.
pub fn html() -> String {
    let kinds = Kind::ALL.map(Kind::name);
    let texts = json!({ "zh": language(ZH), "en": language(EN), "kinds": kinds });
    PAGE.replace("/*TEXTS*/", &texts.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn both_languages_have_the_same_keys_and_name_every_site_and_scenario() {
        let keys = |text| -> BTreeSet<String> {
            let language = language(text);
            language
                .as_object()
                .into_iter()
                .flat_map(|map| map.keys().cloned())
                .collect()
        };
        assert_eq!(keys(ZH), keys(EN));
        let sites = crate::sites::all().into_iter().map(|layout| layout.id);
        for name in Kind::ALL.map(Kind::name).into_iter().chain(sites) {
            assert!(keys(ZH).contains(name), "{name}");
        }
    }
}
