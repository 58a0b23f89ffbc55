//! Where problems are gathered while a file is read, and where in the text they stand.

use crate::problem::{Args, Code, Problem, Severity};
use crate::schema::{Asked, Form};
use std::cell::RefCell;
use std::ops::Range;

/// Longest piece of a line kept as an excerpt, in characters.
const EXCERPT_MAX: usize = 200;

#[derive(Debug)]
pub(crate) struct Sink<'t> {
    file: String,
    text: &'t str,
    /// Offset of the first byte of each line.
    lines: Vec<usize>,
    problems: RefCell<Vec<Problem>>,
    /// What is asked for, where that is wanted: see `schema`.
    asked: Option<RefCell<Vec<Asked>>>,
}

impl<'t> Sink<'t> {
    pub(crate) fn new(file: &str, text: &'t str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            file: file.to_owned(),
            text,
            lines: std::iter::once(0).chain(breaks).collect(),
            problems: RefCell::default(),
            asked: None,
        }
    }

    /// One that remembers what is asked for.
    pub(crate) fn recording(file: &str, text: &'t str) -> Self {
        Self {
            asked: Some(RefCell::default()),
            ..Self::new(file, text)
        }
    }

    /// Remembers what is asked for, if anybody wants to know.
    pub(crate) fn note(&self, table: &str, key: &'static str, form: impl FnOnce() -> Form) {
        if let Some(asked) = &self.asked {
            asked.borrow_mut().push(Asked {
                table: table.to_owned(),
                key,
                form: form(),
            });
        }
    }

    pub(crate) fn asked(self) -> Vec<Asked> {
        self.asked.map(RefCell::into_inner).unwrap_or_default()
    }

    pub(crate) fn add(&self, code: Code, span: Range<usize>, key: &str, args: Args) {
        let (line, column) = self.place(span.start);
        let excerpt = self.line(line);
        let meant = self.text.get(span).unwrap_or_default();
        let width = meant.lines().next().unwrap_or_default().chars().count();
        let problem = Problem {
            code,
            file: self.file.clone(),
            line,
            column,
            width: width.max(1),
            excerpt: excerpt.chars().take(EXCERPT_MAX).collect(),
            key: key.to_owned(),
            args,
        };
        self.problems.borrow_mut().push(problem);
    }

    /// Takes over what was found in another file.
    pub(crate) fn add_all(&self, problems: Vec<Problem>) {
        self.problems.borrow_mut().extend(problems);
    }

    /// Whether anything found so far refuses the file.
    pub(crate) fn refuses(&self) -> bool {
        let problems = self.problems.borrow();
        problems
            .iter()
            .any(|problem| problem.severity() == Severity::Error)
    }

    pub(crate) fn take(self) -> Vec<Problem> {
        self.problems.into_inner()
    }

    /// Line and column, both from 1, the column in characters.
    fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).map_or(0, |at| self.lines[at]);
        let before = self
            .text
            .get(start..offset.min(self.text.len()))
            .unwrap_or_default();
        (line.max(1), before.chars().count() + 1)
    }

    fn line(&self, line: usize) -> &'t str {
        let from = self.lines.get(line - 1).copied().unwrap_or_default();
        let rest = self.text.get(from..).unwrap_or_default();
        rest.lines().next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let text = "一二\n名 = \"值\"\r\nend";
        let sink = Sink::new("site.toml", text);
        let at = text.find('值').unwrap();
        sink.add(Code::Syntax, at..at + '值'.len_utf8(), "", vec![]);
        sink.add(Code::Syntax, text.len()..text.len(), "", vec![]);
        sink.add(Code::Syntax, 0..usize::MAX, "", vec![]);
        let found = sink.take();
        let place = |problem: &Problem| (problem.line, problem.column, problem.width);
        assert_eq!(place(&found[0]), (2, 6, 1));
        assert_eq!(found[0].excerpt, "名 = \"值\"");
        assert_eq!(place(&found[1]), (3, 4, 1));
        assert_eq!(place(&found[2]), (1, 1, 1));
    }
}
