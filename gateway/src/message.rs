//! Text for people at the command line, from message files of equal keys in Chinese and English. Code names a message; it never holds its words.

use davy_config::Language;
use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};

const CHINESE: &str = include_str!("../messages/zh.ftl");
const ENGLISH: &str = include_str!("../messages/en.ftl");

/// The words of a message; the key itself for one that the files lack (a test keeps that from happening).
pub(crate) fn text(key: &str, language: Language) -> String {
    text_with(key, &[], language)
}

/// As [`text`], with what the message names. A value of one is a number to it, so that English can tell one from many.
pub(crate) fn text_with(key: &str, values: &[(&str, String)], language: Language) -> String {
    let bundle = bundle(language);
    let mut arguments = FluentArgs::new();
    for (name, value) in values {
        match value.as_str() {
            "1" => arguments.set(*name, 1),
            _ => arguments.set(*name, value.clone()),
        }
    }
    let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
        return key.to_owned();
    };
    bundle
        .format_pattern(pattern, Some(&arguments), &mut vec![])
        .into_owned()
}

/// The locale's language; Chinese unless it says English.
pub(crate) fn language() -> Language {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    Language::from_locale(&locale.unwrap_or_default())
}

fn bundle(language: Language) -> FluentBundle<FluentResource> {
    let file = match language {
        Language::Zh => CHINESE,
        Language::En => ENGLISH,
    };
    // What a file has wrong, a test finds.
    let resource =
        FluentResource::try_new(file.to_owned()).unwrap_or_else(|(resource, _)| resource);
    let mut bundle = FluentBundle::default();
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(resource);
    bundle
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn keys(file: &str) -> BTreeSet<&str> {
        let keyed = file
            .lines()
            .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()));
        keyed
            .filter_map(|line| line.split_once(" = ").map(|(key, _)| key))
            .collect()
    }

    #[test]
    fn both_languages_have_the_same_keys_and_no_line_that_cannot_be_read() {
        assert_eq!(keys(CHINESE), keys(ENGLISH));
        for file in [CHINESE, ENGLISH] {
            assert!(FluentResource::try_new(file.to_owned()).is_ok());
        }
    }

    #[test]
    fn english_tells_one_from_many() {
        let said = |errors: &str| {
            let values = [
                ("errors", errors),
                ("warnings", "21"),
                ("file", "SITE.toml"),
            ]
            .map(|(name, value)| (name, value.to_owned()));
            text_with("check-refused", &values, Language::En)
        };
        assert_eq!(said("1"), "SITE.toml: must not run. 1 error, 21 warnings.");
        assert_eq!(said("2"), "SITE.toml: must not run. 2 errors, 21 warnings.");
    }

    #[test]
    fn every_message_that_code_names_is_in_the_files() {
        let sources = [
            include_str!("check.rs"),
            include_str!("pin.rs"),
            include_str!("command_line.rs"),
            include_str!("screen/assets.rs"),
        ];
        for source in sources {
            // A key that is put together stands in no source; `cli-…` has a test of its own.
            let named = source.split("message::text(\"").skip(1);
            for key in named.filter_map(|named| named.split('"').next()) {
                assert!(keys(CHINESE).contains(key), "{key}");
            }
        }
    }
}
