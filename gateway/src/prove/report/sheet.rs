//! The layout of a printed report: what stands where on which page. It knows widths of characters and nothing of PDF.

use super::Facts;
use super::content::{
    Content, Line, day, due_word, figure, kind_word, moment, pick, say, state_word, verdict_word,
};
use super::csv::step_name;
use crate::prove::due::State;
use crate::prove::proof::{Proof, Run, Seen, StepDone};
use davy_config::Language;

/// Width and height, points.
pub(super) const A4: (f32, f32) = (595.0, 842.0);
const MARGIN: f32 = 42.0;
const WIDTH: f32 = A4.0 - 2.0 * MARGIN;
/// Where the foot of a page begins.
const FOOT: f32 = A4.1 - 44.0;
const TEXT: f32 = 9.0;
const SMALL: f32 = 7.5;
/// From one line to the next, in the size of the type.
const LEADING: f32 = 1.45;
const BLACK: f32 = 0.0;
const GREY: f32 = 0.38;
const RULE: f32 = 0.65;
const BAND: f32 = 0.92;

/// One thing on a page; y is the base line, from the top.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    Text {
        x: f32,
        y: f32,
        size: f32,
        grey: f32,
        text: String,
    },
    Line {
        x: f32,
        y: f32,
        width: f32,
        grey: f32,
    },
    Block {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        grey: f32,
    },
}

#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub(super) marks: Vec<Mark>,
}

/// A report in one language.
pub(super) struct Sheet<'a> {
    pub(super) content: &'a Content,
    pub(super) facts: &'a Facts,
    pub(super) fingerprint: &'a str,
    /// Of the tables: name and SHA-256.
    pub(super) hashes: &'a [(String, String)],
    pub(super) language: Language,
}

/// A column of a table: where it begins and how wide it is, as shares of the width.
type Column = (f32, f32);

const OVERVIEW: [Column; 6] = [
    (0.0, 0.15),
    (0.15, 0.27),
    (0.42, 0.14),
    (0.56, 0.18),
    (0.74, 0.13),
    (0.87, 0.13),
];
const STEPS: [Column; 6] = [
    (0.0, 0.27),
    (0.27, 0.18),
    (0.45, 0.14),
    (0.59, 0.14),
    (0.73, 0.18),
    (0.91, 0.09),
];

impl Sheet<'_> {
    /// Every page. `advance` is the width of a character in the size of the type.
    pub(super) fn pages(&self, advance: &dyn Fn(char) -> f32) -> Vec<Page> {
        let mut pen = Pen {
            pages: vec![Page::default()],
            y: MARGIN,
            advance,
        };
        self.head(&mut pen);
        self.overview(&mut pen);
        for line in &self.content.lines {
            for proof in &line.proofs {
                self.proof(&mut pen, line, proof);
            }
        }
        self.signature(&mut pen);
        let mut pages = pen.pages;
        self.feet(&mut pages);
        pages
    }

    fn say(&self, key: &str) -> String {
        say(key, self.language)
    }

    fn head(&self, pen: &mut Pen<'_>) {
        let title = self.say("title");
        pen.text(0.0, 18.0, BLACK, &title);
        pen.down(18.0);
        pen.text(0.0, 12.0, BLACK, pick(&self.content.name, self.language));
        pen.down(12.0);
        pen.down(2.0);
        for (key, value) in [
            ("site", self.content.site.clone()),
            ("number", self.facts.number.to_string()),
            ("made", format!("{} +08:00", moment(self.facts.made_ms))),
            ("clock", self.say(&format!("clock-{}", self.facts.clock))),
            (
                "made-by",
                format!("{} ({})", self.facts.name, self.facts.by),
            ),
            ("site-file", self.content.site_file.clone()),
            ("fingerprint", self.fingerprint.to_owned()),
        ] {
            pen.row(&[(0.0, 0.2), (0.2, 0.8)], TEXT, &[self.say(key), value]);
        }
        pen.down(6.0);
        pen.row(&[(0.0, 1.0)], SMALL, &[self.say("claim")]);
        pen.down(8.0);
    }

    fn overview(&self, pen: &mut Pen<'_>) {
        let count = |state: State| {
            self.content
                .lines
                .iter()
                .filter(|line| line.due.state == state)
                .count()
        };
        let counts = [
            State::Proved,
            State::Overdue,
            State::Failed,
            State::Changed,
            State::Skipped,
            State::Unproved,
            State::ClockDoubtful,
        ];
        let counts: Vec<String> = counts
            .into_iter()
            .filter(|state| count(*state) > 0)
            .map(|state| format!("{} {}", state_word(state, self.language), count(state)))
            .collect();
        pen.heading(&self.say("overview"));
        pen.row(&[(0.0, 1.0)], TEXT, &[counts.join(" · ")]);
        pen.down(4.0);
        let keys = [
            "column-id",
            "column-name",
            "column-state",
            "last",
            "column-proof-due",
            "column-calibration-due",
        ];
        pen.band(&OVERVIEW, &keys.map(|key| self.say(key)));
        for line in &self.content.lines {
            let last = line.standing.newest.as_ref();
            let last = last.map_or_else(String::new, |last| {
                format!("{} {}", day(last.ended_ms), last.name)
            });
            pen.row(
                &OVERVIEW,
                TEXT,
                &[
                    line.id.clone(),
                    pick(&line.name, self.language).to_owned(),
                    state_word(line.due.state, self.language),
                    last,
                    due_word(line.due.proof, self.language),
                    due_word(line.due.calibration, self.language),
                ],
            );
            pen.rule();
        }
        pen.down(12.0);
    }

    fn proof(&self, pen: &mut Pen<'_>, line: &Line, proof: &Proof) {
        // A heading and two lines stay together.
        pen.need(80.0);
        let name = pick(&line.name, self.language);
        let head = format!(
            "{}  {name}  {}  {}",
            line.id,
            kind_word(proof.kind, self.language),
            verdict_word(proof.verdict, self.language)
        );
        pen.heading(&head);
        let facts = [
            ("column-number", Some(proof.number.to_string())),
            ("column-by", Some(format!("{} ({})", proof.name, proof.by))),
            (
                "column-ended",
                Some(format!("{} +08:00", moment(proof.ended_ms))),
            ),
            (
                "column-clock",
                Some(self.say(&format!("clock-{}", proof.clock))),
            ),
            (
                "column-area",
                Some(pick(&line.area, self.language).to_owned()),
            ),
            ("column-gas", proof.gas.clone()),
            ("column-instrument", proof.instrument.clone()),
            (
                "column-under-test",
                proof.under_test.then(|| self.say("yes")),
            ),
            ("column-reason", proof.reason.clone()),
        ];
        let facts = facts
            .into_iter()
            .filter_map(|(key, value)| Some(format!("{}: {}", self.say(key), value?)));
        pen.row(
            &[(0.0, 1.0)],
            SMALL,
            &[facts.collect::<Vec<_>>().join("   ")],
        );
        if let Some(run) = &proof.run {
            self.run(pen, run);
        }
        if !proof.steps.is_empty() {
            let keys = [
                "column-step",
                "column-expected",
                "column-found",
                "column-left",
                "column-alarms-on",
                "column-good",
            ];
            pen.band(&STEPS, &keys.map(|key| self.say(key)));
        }
        for step in &proof.steps {
            self.step(pen, line, proof, step);
        }
        pen.down(10.0);
    }

    fn step(&self, pen: &mut Pen<'_>, line: &Line, proof: &Proof, step: &StepDone) {
        let value = |seen: Option<&Seen>| {
            seen.map_or_else(String::new, |seen| figure(seen.value, line.decimals))
        };
        let counts = step.counts();
        let applied = counts.map_or(step.expected, |seen| seen.applied);
        let expected = format!(
            "{} ± {} {}",
            figure(applied, line.decimals),
            figure(step.tolerance, line.decimals),
            proof.unit
        );
        let good = match counts {
            Some(seen) => self.say(if seen.good { "yes" } else { "no" }),
            None => self.say("verdict-skipped"),
        };
        pen.row(
            &STEPS,
            TEXT,
            &[
                step_name(step, self.language),
                expected.trim_end().to_owned(),
                value(step.found.as_ref()),
                value(step.left.as_ref()),
                counts.map_or_else(String::new, |seen| seen.on.join(" ")),
                good,
            ],
        );
        for (key, text) in self.remarks(step) {
            pen.row(
                &[(0.02, 0.98)],
                SMALL,
                &[format!("{}: {text}", self.say(key))],
            );
        }
        pen.rule();
    }

    fn remarks(&self, step: &StepDone) -> Vec<(&'static str, String)> {
        let mut remarks = Vec::new();
        if let Some(skipped) = &step.skipped {
            remarks.push(("column-reason", skipped.clone()));
        }
        let Some(seen) = step.counts() else {
            return remarks;
        };
        for (key, alarms) in [
            ("came", &seen.came),
            ("went", &seen.went),
            ("missing", &seen.missing),
            ("unexpected", &seen.unexpected),
        ] {
            if !alarms.is_empty() {
                remarks.push((key, alarms.join(" ")));
            }
        }
        remarks
    }

    fn run(&self, pen: &mut Pen<'_>, run: &Run) {
        let seconds = |ms: u32| format!("{:.1} s", f64::from(ms) / 1000.0);
        let after = |after: Option<u32>| after.map_or_else(|| self.say("not-seen"), seconds);
        for (key, value) in [
            ("run-demand", seconds(run.demand_ms)),
            ("run-on", after(run.on_after_ms)),
            ("run-off", after(run.off_after_ms)),
            ("run-timeout", seconds(run.timeout_ms)),
        ] {
            pen.row(&[(0.0, 0.4), (0.4, 0.6)], TEXT, &[self.say(key), value]);
        }
    }

    fn signature(&self, pen: &mut Pen<'_>) {
        pen.need(110.0);
        pen.heading(&self.say("tables"));
        for (name, hash) in self.hashes {
            pen.row(
                &[(0.0, 0.28), (0.28, 0.72)],
                SMALL,
                &[name.clone(), hash.clone()],
            );
        }
        pen.down(4.0);
        pen.row(&[(0.0, 1.0)], SMALL, &[self.say("how-to-verify")]);
        pen.down(28.0);
        for (place, key) in [(0.0, "sign-tester"), (0.5, "sign-witness")] {
            pen.text(place * WIDTH, TEXT, BLACK, &self.say(key));
        }
        pen.down(TEXT);
    }

    fn feet(&self, pages: &mut [Page]) {
        let all = pages.len();
        for (position, page) in pages.iter_mut().enumerate() {
            let foot = format!(
                "{} · {} {} · {} / {all} · {}",
                self.content.site,
                self.say("title"),
                self.facts.number,
                position + 1,
                self.fingerprint
            );
            page.marks.push(Mark::Line {
                x: MARGIN,
                y: FOOT + 8.0,
                width: WIDTH,
                grey: RULE,
            });
            page.marks.push(Mark::Text {
                x: MARGIN,
                y: FOOT + 20.0,
                size: SMALL,
                grey: GREY,
                text: foot,
            });
        }
    }
}

/// Where the next thing goes.
struct Pen<'a> {
    pages: Vec<Page>,
    y: f32,
    advance: &'a dyn Fn(char) -> f32,
}

impl Pen<'_> {
    /// Room for so much, on a new page if there is none left here.
    fn need(&mut self, height: f32) {
        if self.y + height > FOOT && self.y > MARGIN {
            self.pages.push(Page::default());
            self.y = MARGIN;
        }
    }

    fn down(&mut self, size: f32) {
        self.y += size * LEADING;
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.marks.push(mark);
        }
    }

    /// One line of text, which the caller has made room for.
    fn text(&mut self, x: f32, size: f32, grey: f32, text: &str) {
        let mark = Mark::Text {
            x: MARGIN + x,
            y: self.y + size,
            size,
            grey,
            text: text.to_owned(),
        };
        self.mark(mark);
    }

    fn heading(&mut self, text: &str) {
        let lines = self.wrapped(text, 11.0, WIDTH);
        self.need(30.0);
        for line in lines {
            self.text(0.0, 11.0, BLACK, &line);
            self.down(11.0);
        }
        self.down(1.5);
    }

    fn rule(&mut self) {
        let mark = Mark::Line {
            x: MARGIN,
            y: self.y + 1.0,
            width: WIDTH,
            grey: BAND,
        };
        self.mark(mark);
        self.y += 2.5;
    }

    /// The head of a table.
    fn band(&mut self, columns: &[Column], cells: &[String]) {
        self.need(40.0);
        let lines: usize = columns
            .iter()
            .zip(cells)
            .map(|((_, width), cell)| self.wrapped(cell, SMALL, width * WIDTH - 4.0).len())
            .max()
            .unwrap_or(1);
        let mark = Mark::Block {
            x: MARGIN,
            y: self.y,
            width: WIDTH,
            height: lines as f32 * SMALL * LEADING + 3.0,
            grey: BAND,
        };
        self.mark(mark);
        self.y += 1.0;
        self.row(columns, SMALL, cells);
        self.y += 2.0;
    }

    /// A row of cells, each wrapped in its column.
    fn row(&mut self, columns: &[Column], size: f32, cells: &[String]) {
        let wrapped: Vec<Vec<String>> = columns
            .iter()
            .zip(cells)
            .map(|((_, width), cell)| self.wrapped(cell, size, width * WIDTH - 4.0))
            .collect();
        let lines = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        self.need(lines.min(12) as f32 * size * LEADING);
        for line in 0..lines {
            self.need(size * LEADING);
            for ((place, _), cell) in columns.iter().zip(&wrapped) {
                if let Some(text) = cell.get(line) {
                    self.text(place * WIDTH + 2.0, size, BLACK, text);
                }
            }
            self.down(size);
        }
    }

    /// Lines no wider than that; Latin words stay whole where they can.
    fn wrapped(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines = Vec::new();
        let (mut line, mut used) = (String::new(), 0.0);
        for word in words(text) {
            let wide = |text: &str| {
                text.chars()
                    .map(|char| (self.advance)(char) * size)
                    .sum::<f32>()
            };
            if used + wide(word.trim_end()) > width && !line.is_empty() {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0.0;
            }
            // A word wider than the column is broken where it must.
            for char in word.chars() {
                let own = (self.advance)(char) * size;
                if used + own > width && !line.is_empty() {
                    lines.push(std::mem::take(&mut line).trim_end().to_owned());
                    used = 0.0;
                }
                line.push(char);
                used += own;
            }
        }
        if !line.is_empty() {
            lines.push(line.trim_end().to_owned());
        }
        lines
    }
}

/// Where a line may break: after a space, and around every Chinese character.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    for (at, char) in text.char_indices() {
        let end = at + char.len_utf8();
        if char == ' ' || char >= '\u{2e80}' {
            if char >= '\u{2e80}' && at > start {
                words.push(&text[start..at]);
                start = at;
            }
            words.push(&text[start..end]);
            start = end;
        }
    }
    if start < text.len() {
        words.push(&text[start..]);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pen(advance: &dyn Fn(char) -> f32) -> Pen<'_> {
        Pen {
            pages: vec![Page::default()],
            y: MARGIN,
            advance,
        }
    }

    proptest! {
        #[test]
        fn a_wrapped_text_loses_nothing_but_spaces_and_never_overflows(text in "[a-z 一-三]{0,200}", width in 20.0_f32..300.0) {
            let advance = |char: char| if char.is_ascii() { 0.5 } else { 1.0 };
            let lines = pen(&advance).wrapped(&text, 10.0, width);
            for line in &lines {
                let wide: f32 = line.chars().map(|char| advance(char) * 10.0).sum();
                prop_assert!(wide <= width + 0.01);
            }
            let bare = |text: &str| text.replace(' ', "");
            prop_assert_eq!(bare(&lines.concat()), bare(&text));
        }
    }
}
