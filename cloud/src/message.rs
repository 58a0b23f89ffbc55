//! Text for people, from message files of equal keys in Chinese and English. Code names a message; it never holds its words.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::LazyLock;

/// The language of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    Zh,
    En,
}

impl Language {
    /// From `Accept-Language` or a locale: whichever of the two comes first; Chinese where neither does.
    pub fn from_preference(preference: &str) -> Self {
        let languages = preference.split([',', ';']).map(str::trim);
        let known = languages.filter_map(|tag| {
            match tag.get(..2).map(str::to_ascii_lowercase).as_deref() {
                Some("zh") => Some(Self::Zh),
                Some("en") => Some(Self::En),
                _ => None,
            }
        });
        known.into_iter().next().unwrap_or_default()
    }
}

/// A message by its key, with what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    key: Cow<'static, str>,
    arguments: Vec<(&'static str, Argument)>,
}

/// What a message names: as it is, or by words of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Argument {
    Text(String),
    Said(Message),
}

impl Message {
    pub const fn new(key: &'static str) -> Self {
        Self {
            key: Cow::Borrowed(key),
            arguments: Vec::new(),
        }
    }

    /// A message whose key is made at run time; whoever makes keys tests that they are in the files.
    pub fn named(key: &str) -> Self {
        Self {
            key: Cow::Owned(key.to_owned()),
            arguments: Vec::new(),
        }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.arguments.push((name, Argument::Text(value.into())));
        self
    }

    /// Names a thing by its message, in the language of the whole.
    pub fn with_message(mut self, name: &'static str, message: Message) -> Self {
        self.arguments.push((name, Argument::Said(message)));
        self
    }

    /// The words; the key itself for a message that no file has (a test keeps that from happening).
    pub fn text(&self, language: Language) -> String {
        let bundle = match language {
            Language::Zh => &*CHINESE,
            Language::En => &*ENGLISH,
        };
        let Some(pattern) = bundle
            .get_message(&self.key)
            .and_then(|message| message.value())
        else {
            return self.key.to_string();
        };
        let mut arguments = FluentArgs::new();
        for (name, value) in &self.arguments {
            let value = match value {
                Argument::Text(text) => text.clone(),
                Argument::Said(message) => message.text(language),
            };
            arguments.set(*name, value);
        }
        bundle
            .format_pattern(pattern, Some(&arguments), &mut vec![])
            .into_owned()
    }
}

type Bundle = FluentBundle<FluentResource>;

const CHINESE_FILE: &str = include_str!("../messages/zh.ftl");
const ENGLISH_FILE: &str = include_str!("../messages/en.ftl");

static CHINESE: LazyLock<Bundle> = LazyLock::new(|| bundle(CHINESE_FILE));
static ENGLISH: LazyLock<Bundle> = LazyLock::new(|| bundle(ENGLISH_FILE));

fn bundle(file: &str) -> Bundle {
    // No locale: nothing here depends on plurals or number forms. What a file has wrong, a test finds.
    let mut bundle = FluentBundle::new_concurrent(vec![]);
    bundle.set_use_isolating(false);
    let resource =
        FluentResource::try_new(file.to_owned()).unwrap_or_else(|(resource, _)| resource);
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
    fn chinese_and_english_have_the_same_keys_and_no_errors() {
        assert_eq!(keys(CHINESE_FILE), keys(ENGLISH_FILE));
        for file in [CHINESE_FILE, ENGLISH_FILE] {
            FluentResource::try_new(file.to_owned()).expect("a clean message file");
        }
    }

    #[test]
    fn every_message_that_code_names_is_in_the_files() {
        let sources = [
            include_str!("settings.rs"),
            include_str!("command_line.rs"),
            include_str!("prompt.rs"),
            include_str!("screen.rs"),
            include_str!("api/error.rs"),
            include_str!("command_line/backup.rs"),
            include_str!("command_line/export.rs"),
            include_str!("command_line/hold.rs"),
            include_str!("command_line/verify.rs"),
            include_str!("settings/records.rs"),
        ];
        let keys = keys(CHINESE_FILE);
        for source in sources {
            for named in source.split("Message::new(\"").skip(1) {
                let key = named.split('"').next().expect("a closing quote");
                assert!(keys.contains(key), "{key}");
            }
        }
    }

    /// Every `"code"` after `before` in a source, up to `end`.
    fn codes<'a>(source: &'a str, before: &str, end: &str) -> BTreeSet<&'a str> {
        let named = source.split(before).skip(1);
        let named = named.filter_map(|rest| rest.split(end).next());
        named.filter(|code| !code.contains('{')).collect()
    }

    #[test]
    fn every_refusal_unknown_thing_and_busy_part_has_its_words() {
        let rules = include_str!("../../alarm/src/action.rs");
        let (_, rules) = rules.split_once("enum Refusal").expect("the refusals");
        let api = [
            include_str!("api/access.rs"),
            include_str!("api/admin.rs"),
            include_str!("api/error.rs"),
            include_str!("api/events.rs"),
            include_str!("api/export.rs"),
            include_str!("api/orders.rs"),
            include_str!("api/session.rs"),
            include_str!("api/questions.rs"),
            include_str!("api/site.rs"),
            include_str!("api/trend.rs"),
            include_str!("questions/coverage.rs"),
            include_str!("questions/mod.rs"),
            include_str!("questions/ranking.rs"),
        ]
        .concat();
        let keys = keys(CHINESE_FILE);
        for (prefix, least, codes) in [
            ("why", 20, codes(rules, " => \"", "\",")),
            ("why", 1, codes(&api, "why: \"", "\"")),
            ("what", 3, codes(&api, "what: \"", "\"")),
            ("part", 4, codes(&api, "NotReady(\"", "\"")),
        ] {
            assert!(codes.len() >= least, "{prefix} {codes:?}");
            for code in codes {
                let key = format!("{prefix}-{code}");
                assert!(keys.contains(&*key), "{key}");
            }
        }
    }

    #[test]
    fn a_refusal_is_a_sentence_in_both_languages() {
        let said = Message::named("why-second-person");
        let message = Message::new("error-refused").with_message("why", said);
        for (language, words) in [(Language::Zh, "另一名"), (Language::En, "another person")] {
            let text = message.text(language);
            assert!(
                text.contains(words) && !text.contains("second-person"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_preference_picks_the_first_language_that_we_have() {
        assert_eq!(
            Language::from_preference("en-GB,en;q=0.9,zh;q=0.8"),
            Language::En
        );
        assert_eq!(Language::from_preference("fr, zh-CN"), Language::Zh);
        assert_eq!(Language::from_preference(""), Language::Zh);
    }
}
