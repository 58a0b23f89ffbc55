//! What is wrong with a file: every problem at once, each with its place, a stable code, a text in both languages and a way out.

mod code;
mod message;

pub use code::{Code, Severity};
pub(crate) use message::key_texts;
pub use message::{Language, Word};

/// What a message is told beside its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arg {
    Text(String),
    Word(Word),
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Word> for Arg {
    fn from(word: Word) -> Self {
        Self::Word(word)
    }
}

impl From<f64> for Arg {
    fn from(number: f64) -> Self {
        Self::Text(number.to_string())
    }
}

impl From<i64> for Arg {
    fn from(number: i64) -> Self {
        Self::Text(number.to_string())
    }
}

impl From<u32> for Arg {
    fn from(number: u32) -> Self {
        Self::Text(number.to_string())
    }
}

/// The arguments of one message.
pub(crate) type Args = Vec<(&'static str, Arg)>;

/// One problem at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub code: Code,
    pub file: String,
    /// From 1; 0 if the file could not be read at all.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// How many characters of the line are meant, at least 1.
    pub width: usize,
    /// The line itself; empty if the file could not be read.
    pub excerpt: String,
    /// Dotted, lists from 0, for example `point[3].alarms.HH.set_point`.
    pub key: String,
    pub(crate) args: Args,
}

impl Problem {
    /// A problem with a file as a whole.
    pub(crate) fn of_file(code: Code, file: &str, args: Args) -> Self {
        Self {
            code,
            file: file.to_owned(),
            line: 0,
            column: 0,
            width: 1,
            excerpt: String::new(),
            key: String::new(),
            args,
        }
    }

    /// `file:line:column`, or the file alone where no line of it was read.
    pub fn place(&self) -> String {
        match self.line {
            0 => self.file.clone(),
            line => format!("{}:{line}:{}", self.file, self.column),
        }
    }

    pub const fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// What is wrong.
    pub fn message(&self, language: Language) -> String {
        message::render(self, language, None)
    }

    /// The way out.
    pub fn help(&self, language: Language) -> String {
        message::render(self, language, Some("help"))
    }
}

/// Everything that is wrong with a file, in the order of its lines, each thing once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|one, other| {
            let place = |problem: &Problem| (problem.line, problem.column, problem.code.name());
            (&one.file, place(one), &one.key).cmp(&(&other.file, place(other), &other.key))
        });
        problems.dedup();
        Self(problems)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
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
            let (place, key) = (problem.place(), &problem.key);
            writeln!(
                formatter,
                "{place}: {key}: {}",
                problem.message(Language::En)
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
