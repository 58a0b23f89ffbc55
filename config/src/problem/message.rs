//! Texts for people, in both languages, from message files of equal keys.

use super::{Arg, Problem};
use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};

/// The language of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Zh,
    En,
}

impl Language {
    /// From a locale such as `en_US.UTF-8`; Chinese unless it says English.
    pub fn from_locale(locale: &str) -> Self {
        if locale.starts_with("en") {
            Self::En
        } else {
            Self::Zh
        }
    }

    const fn messages(self) -> &'static str {
        match self {
            Self::Zh => include_str!("../../messages/zh.ftl"),
            Self::En => include_str!("../../messages/en.ftl"),
        }
    }
}

/// A word that messages take as an argument; each has a text of its own in the message files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Text,
    Flag,
    Whole,
    Number,
    Pair,
    Date,
    Table,
    TextList,
    TableList,
    StatePair,
    TextOrNumber,
    Deadband,
    HostPort,
    List,
    Register,
}

impl Word {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 15] = [
        Self::Text,
        Self::Flag,
        Self::Whole,
        Self::Number,
        Self::Pair,
        Self::Date,
        Self::Table,
        Self::TextList,
        Self::TableList,
        Self::StatePair,
        Self::TextOrNumber,
        Self::Deadband,
        Self::HostPort,
        Self::List,
        Self::Register,
    ];

    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Text => "type-text",
            Self::Flag => "type-flag",
            Self::Whole => "type-whole",
            Self::Number => "type-number",
            Self::Pair => "type-pair",
            Self::Date => "type-date",
            Self::Table => "type-table",
            Self::TextList => "type-text-list",
            Self::TableList => "type-table-list",
            Self::StatePair => "type-state-pair",
            Self::TextOrNumber => "type-text-or-number",
            Self::Deadband => "type-deadband",
            Self::HostPort => "type-host-port",
            Self::List => "type-list",
            Self::Register => "type-register",
        }
    }
}

type Bundle = FluentBundle<FluentResource>;

pub(super) fn render(problem: &Problem, language: Language, attribute: Option<&str>) -> String {
    let bundle = bundle(language);
    let mut args = FluentArgs::new();
    args.set("key", problem.key.clone());
    for (name, value) in &problem.args {
        let text = match value {
            Arg::Text(text) => text.clone(),
            Arg::Word(word) => format(&bundle, word.key(), None, None).unwrap_or_default(),
        };
        args.set(*name, text);
    }
    // A test renders every code in both languages, so an empty text never leaves this crate.
    format(&bundle, problem.code.name(), attribute, Some(&args)).unwrap_or_default()
}

/// What each key of the site file says, for editors; `None` for one without a text.
pub(crate) fn key_texts(language: Language) -> impl Fn(&str) -> Option<String> {
    let bundle = bundle(language);
    move |key| {
        let key = format!("key-{}", key.replace('_', "-"));
        format(&bundle, &key, None, None)
    }
}

fn bundle(language: Language) -> Bundle {
    // The message files are embedded, and a test parses them.
    let resource = FluentResource::try_new(language.messages().to_owned())
        .unwrap_or_else(|(resource, _)| resource);
    let mut bundle = FluentBundle::default();
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(resource);
    bundle
}

fn format(
    bundle: &Bundle,
    key: &str,
    attribute: Option<&str>,
    args: Option<&FluentArgs<'_>>,
) -> Option<String> {
    let message = bundle.get_message(key)?;
    let pattern = match attribute {
        None => message.value()?,
        Some(name) => message.get_attribute(name)?.value(),
    };
    let mut errors = Vec::new();
    Some(
        bundle
            .format_pattern(pattern, args, &mut errors)
            .into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;
    use std::collections::BTreeSet;

    fn keys(language: Language) -> BTreeSet<String> {
        let lines = language.messages().lines();
        lines
            .filter(|line| line.starts_with(|char: char| char.is_ascii_lowercase()))
            .filter_map(|line| line.split(" =").next())
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn both_languages_have_the_same_keys_and_no_other() {
        let wanted: BTreeSet<String> = Code::ALL
            .iter()
            .map(|code| code.name())
            .chain(Word::ALL.iter().map(|word| word.key()))
            .map(str::to_owned)
            .chain(
                crate::schema::keys()
                    .into_iter()
                    .map(|key| format!("key-{}", key.replace('_', "-"))),
            )
            .collect();
        assert_eq!(keys(Language::Zh), wanted);
        assert_eq!(keys(Language::En), wanted);
    }

    #[test]
    fn message_files_hold_no_line_that_cannot_be_read() {
        for language in [Language::Zh, Language::En] {
            let read = FluentResource::try_new(language.messages().to_owned());
            assert!(read.is_ok(), "{language:?}: {:?}", read.err());
        }
    }

    #[test]
    fn a_locale_that_is_not_english_gets_chinese() {
        assert_eq!(Language::from_locale("en_GB.UTF-8"), Language::En);
        assert_eq!(Language::from_locale("zh_CN.UTF-8"), Language::Zh);
        assert_eq!(Language::from_locale("C.UTF-8"), Language::Zh);
    }
}
