//! Why a replay ended before its last line.

use crate::message;
use davy_config::Language;
use std::io;

/// Why a line cannot be read. A replay that guessed would answer a question that nobody asked, so it ends there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("not one of the JSON objects that a line may be: {0}")]
    Json(String),
    #[error("longer than {0} bytes")]
    Long(usize),
    #[error("no point `{0}` in the site file")]
    Point(String),
    #[error("no role `{0}`: operator or maintenance")]
    Role(String),
    #[error("no reason `{0}`: over-range and under-range are the two that count")]
    Range(String),
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("{0} do not go together")]
    Together(&'static str),
}

impl Unreadable {
    const fn key(&self) -> &'static str {
        match self {
            Self::Json(_) => "replay-line-json",
            Self::Long(_) => "replay-line-long",
            Self::Point(_) => "replay-line-point",
            Self::Role(_) => "replay-line-role",
            Self::Range(_) => "replay-line-range",
            Self::Missing(_) => "replay-line-missing",
            Self::Together(_) => "replay-line-together",
        }
    }

    fn what(&self) -> String {
        match self {
            Self::Json(what) | Self::Point(what) | Self::Role(what) | Self::Range(what) => {
                what.clone()
            }
            Self::Long(bytes) => bytes.to_string(),
            Self::Missing(what) | Self::Together(what) => (*what).to_owned(),
        }
    }
}

/// Why a replay came to an early end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("line {number}: {why}")]
    Line { number: u64, why: Unreadable },
    #[error("the events cannot be read: {0}")]
    Read(io::Error),
    #[error("the transitions cannot be written: {0}")]
    Write(io::Error),
    #[error("the journal cannot be read: {0}")]
    Journal(io::Error),
}

impl ReplayError {
    /// For people.
    pub fn text(&self, language: Language) -> String {
        let (key, values) = match self {
            Self::Line { number, why } => {
                let what = [("what", why.what())];
                let why = message::text_with(why.key(), &what, language);
                let values = vec![("line", number.to_string()), ("why", why)];
                ("replay-line", values)
            }
            Self::Read(error) => ("replay-read", vec![("error", error.to_string())]),
            Self::Write(error) => ("replay-write", vec![("error", error.to_string())]),
            Self::Journal(error) => ("replay-journal-read", vec![("error", error.to_string())]),
        };
        message::text_with(key, &values, language)
    }

    /// Whether nobody reads the output any more (`| head`): no failure of ours.
    pub fn is_unwanted(&self) -> bool {
        matches!(self, Self::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_its_words_in_both_languages_and_names_the_line() {
        let whys = [
            Unreadable::Json("column 3".into()),
            Unreadable::Long(7),
            Unreadable::Point("GT-9".into()),
            Unreadable::Role("boss".into()),
            Unreadable::Range("overrange".into()),
            Unreadable::Missing("t"),
            Unreadable::Together("point, action"),
        ];
        for language in [Language::Zh, Language::En] {
            for why in whys.clone() {
                let what = why.what();
                let text = ReplayError::Line { number: 41, why }.text(language);
                assert!(text.contains("41") && text.contains(&what), "{text}");
                assert!(!text.contains("replay-"), "{text}");
            }
            for error in [ReplayError::Read, ReplayError::Write, ReplayError::Journal] {
                let text = error(io::ErrorKind::Other.into()).text(language);
                assert!(!text.contains("replay-"), "{text}");
            }
        }
    }
}
