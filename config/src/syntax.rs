//! TOML's own errors, told like every other problem.

use crate::problem::Code;
use crate::sink::Sink;

/// How the parser's descriptions begin, and the word by which the message files know each.
const KNOWN: &[(&str, &str)] = &[
    ("duplicate key", "duplicate"),
    ("string values must be quoted", "unquoted"),
    ("unquoted string", "unquoted"),
    ("invalid basic string", "unclosed-string"),
    ("invalid literal string", "unclosed-string"),
    ("invalid multi-line", "unclosed-string"),
    ("missing opening quote", "unclosed-string"),
    ("unclosed", "unclosed-bracket"),
    ("key with no value", "no-value"),
    ("missing value", "no-value"),
    ("unquoted keys cannot be empty", "key"),
    ("invalid unquoted key", "key"),
    ("invalid key", "key"),
    ("missing escaped value", "escape"),
    ("unexpected key or value", "after-value"),
    ("unexpected content", "after-value"),
    ("unexpected leading zero", "number"),
    ("invalid integer", "number"),
    ("invalid float", "number"),
    ("invalid boolean", "boolean"),
    ("invalid date", "date"),
    ("recursion limit", "depth"),
];

pub(crate) fn report(sink: &Sink<'_>, errors: &[toml::de::Error]) {
    for error in errors {
        let message = error.message();
        let found = KNOWN.iter().find(|(start, _)| message.starts_with(start));
        let what = found.map_or("other", |(_, what)| *what);
        let args = vec![("what", what.into()), ("error", message.into())];
        sink.add(Code::Syntax, error.span().unwrap_or(0..0), "", args);
    }
}
