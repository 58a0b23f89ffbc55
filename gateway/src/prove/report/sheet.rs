//! The layout of a printed report: what stands in which order on its pages.

use super::Facts;
use super::content::{
    Content, Line, day, due_word, figure, kind_word, moment, pick, say, state_word, verdict_word,
};
use super::csv::step_name;
use crate::prove::due::State;
use crate::prove::proof::{Proof, Run, Seen, StepDone};
use davy_config::Language;
use davy_print::{BLACK, Column, Foot, Page, Pen, PrintError, SMALL, TEXT, Type, WIDTH};

/// A report in one language.
pub(super) struct Sheet<'a> {
    pub(super) content: &'a Content,
    pub(super) facts: &'a Facts,
    pub(super) fingerprint: &'a str,
    /// Of the tables: name and SHA-256.
    pub(super) hashes: &'a [(String, String)],
    pub(super) language: Language,
}

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
    /// The report as a file.
    pub(super) fn print(&self, face: &Type) -> Result<Vec<u8>, PrintError> {
        let title = format!(
            "{} {} {}",
            self.content.site,
            self.say("title"),
            self.facts.number
        );
        let sheet = davy_print::Sheet {
            title: &title,
            subject: &moment(self.facts.made_ms),
            language: super::code(self.language),
        };
        davy_print::write(face, &sheet, |advance| self.pages(advance))
    }

    /// Every page. `advance` is the width of a character in the size of the type.
    fn pages(&self, advance: &dyn Fn(char) -> f32) -> Vec<Page> {
        let mut pen = Pen::new(advance);
        self.head(&mut pen);
        self.overview(&mut pen);
        for line in &self.content.lines {
            for proof in &line.proofs {
                self.proof(&mut pen, line, proof);
            }
        }
        self.signature(&mut pen);
        pen.finish(&Foot {
            left: &format!(
                "{} · {} {}",
                self.content.site,
                self.say("title"),
                self.facts.number
            ),
            right: self.fingerprint,
        })
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
}
