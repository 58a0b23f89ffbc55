//! What is wrong with a file: every problem at once, each with its place, a stable code, a text in both languages and a way out.

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};
use serde::Serialize;

/// Errors refuse the file; warnings do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// The language of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Zh,
    En,
}

impl Language {
    const fn messages(self) -> &'static str {
        match self {
            Self::Zh => include_str!("../messages/zh.ftl"),
            Self::En => include_str!("../messages/en.ftl"),
        }
    }

    /// From a locale such as `en_US.UTF-8`; Chinese unless it says English.
    pub fn from_locale(locale: &str) -> Self {
        if locale.starts_with("en") {
            Self::En
        } else {
            Self::Zh
        }
    }
}

/// Declares the codes with their names, so that a test can walk them all.
macro_rules! codes {
    ($($variant:ident = $name:literal $severity:ident),+ $(,)?) => {
        /// The kind of a problem; its name is stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($variant),+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name, also the key of its message.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Whether it refuses the file.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }
        }
    };
}

codes! {
    Unreadable = "unreadable" Error,
    Syntax = "syntax" Error,
    Schema = "schema" Error,
    UnknownKey = "unknown-key" Error,
    MissingKey = "missing-key" Error,
    WrongType = "wrong-type" Error,
    OutOfRange = "out-of-range" Error,
    BadId = "bad-id" Error,
    DuplicateId = "duplicate-id" Error,
    UnknownName = "unknown-name" Error,
    UnknownReference = "unknown-reference" Error,
    Address = "address" Error,
    RegisterRange = "register-range" Error,
    Encoding = "encoding" Error,
    Range = "range" Error,
    LimitOutsideRange = "limit-outside-range" Error,
    LimitOrder = "limit-order" Error,
    Deadband = "deadband" Error,
    GasDelay = "gas-delay" Error,
    GasLevel2Delay = "gas-level-2-delay" Error,
    NotSignedOff = "not-signed-off" Error,
    PresetUnit = "preset-unit" Error,
    NotWritable = "not-writable" Error,
    PinHash = "pin-hash" Error,
    SameLink = "same-link" Error,
    SameUnit = "same-unit" Error,
    Conflict = "conflict" Warning,
    Laxer = "laxer" Warning,
    NoAlarm = "no-alarm" Warning,
    IdleOutput = "idle-output" Warning,
}

/// One problem at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub code: Code,
    pub file: String,
    /// From 1; 0 if the file could not be read at all.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// Dotted, for example `point[3].alarms.HH.set_point`.
    pub key: String,
    pub(crate) args: Vec<(&'static str, String)>,
}

impl Problem {
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// What is wrong.
    pub fn message(&self, language: Language) -> String {
        self.text(language, None)
    }

    /// The way out.
    pub fn help(&self, language: Language) -> String {
        self.text(language, Some("help"))
    }

    fn text(&self, language: Language, attribute: Option<&str>) -> String {
        // The message files are embedded, and a test formats every code in both languages.
        let resource = FluentResource::try_new(language.messages().to_owned())
            .unwrap_or_else(|(resource, _)| resource);
        let mut bundle = FluentBundle::default();
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        let mut args = FluentArgs::new();
        args.set("key", self.key.clone());
        for (name, value) in &self.args {
            args.set(*name, value.clone());
        }
        let message = bundle.get_message(self.code.name());
        let pattern = message.and_then(|message| match attribute {
            None => message.value(),
            Some(name) => message
                .get_attribute(name)
                .map(|attribute| attribute.value()),
        });
        pattern
            .map(|pattern| {
                bundle
                    .format_pattern(pattern, Some(&args), &mut Vec::new())
                    .into_owned()
            })
            .unwrap_or_default()
    }
}

/// Everything that is wrong with a file, in the order of its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.line, problem.column));
        Self(problems)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any of them refuses the file.
    pub fn refuse(&self) -> bool {
        self.0
            .iter()
            .any(|problem| problem.severity() == Severity::Error)
    }
}

impl std::fmt::Display for Problems {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for problem in &self.0 {
            writeln!(
                formatter,
                "{}:{}:{}: {}: {}",
                problem.file,
                problem.line,
                problem.column,
                problem.key,
                problem.message(Language::En)
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
