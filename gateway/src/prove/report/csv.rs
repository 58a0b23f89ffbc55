//! The table of a report: RFC 4180, UTF-8 with a byte order mark, a row a step, so that a spreadsheet opens it as it is. The first column says what the row
//! is: `fact`, `point`, `step` or `run`; those names and the codes beside the words are the same in both languages.

use super::Facts;
use super::content::{
    Content, Line, due_word, figure, kind_word, moment, pick, say, state_word, step_word,
    verdict_word,
};
use crate::prove::proof::{Proof, Seen, StepDone};
use davy_config::Language;

const COLUMNS: [&str; 25] = [
    "row",
    "id",
    "name",
    "area",
    "state",
    "proof-due",
    "calibration-due",
    "number",
    "kind",
    "verdict",
    "by",
    "ended",
    "clock",
    "gas",
    "instrument",
    "under-test",
    "step",
    "expected",
    "tolerance",
    "unit",
    "found",
    "left",
    "alarms-on",
    "good",
    "reason",
];

/// The whole table.
pub(super) fn table(
    content: &Content,
    facts: &Facts,
    fingerprint: &str,
    language: Language,
) -> String {
    let mut text = String::from('\u{feff}');
    let head = COLUMNS.map(|column| say(&format!("column-{column}"), language));
    row(&mut text, &head);
    for (key, value) in [
        (
            "site",
            format!("{} {}", content.site, pick(&content.name, language)),
        ),
        ("number", facts.number.to_string()),
        ("made", format!("{} +08:00", moment(facts.made_ms))),
        ("clock", say(&format!("clock-{}", facts.clock), language)),
        ("made-by", format!("{} ({})", facts.name, facts.by)),
        ("site-file", content.site_file.clone()),
        ("fingerprint", fingerprint.to_owned()),
    ] {
        row(&mut text, &["fact".to_owned(), say(key, language), value]);
    }
    for line in &content.lines {
        point(&mut text, line, language);
    }
    text
}

fn point(text: &mut String, line: &Line, language: Language) {
    let head = |what: &str| {
        vec![
            what.to_owned(),
            line.id.clone(),
            pick(&line.name, language).to_owned(),
            pick(&line.area, language).to_owned(),
            state_word(line.due.state, language),
            due_word(line.due.proof, language),
            due_word(line.due.calibration, language),
        ]
    };
    row(text, &head("point"));
    for proof in &line.proofs {
        if proof.steps.is_empty() {
            let mut cells = head("run");
            cells.extend(of_proof(proof, language));
            cells.extend(of_run(proof, language));
            row(text, &cells);
        }
        for step in &proof.steps {
            let mut cells = head("step");
            cells.extend(of_proof(proof, language));
            cells.extend(of_step(proof, step, line.decimals, language));
            row(text, &cells);
        }
    }
}

fn of_proof(proof: &Proof, language: Language) -> Vec<String> {
    vec![
        proof.number.to_string(),
        kind_word(proof.kind, language),
        verdict_word(proof.verdict, language),
        format!("{} ({})", proof.name, proof.by),
        format!("{} +08:00", moment(proof.ended_ms)),
        say(&format!("clock-{}", proof.clock), language),
        proof.gas.clone().unwrap_or_default(),
        proof.instrument.clone().unwrap_or_default(),
        yes_no(proof.under_test, language),
    ]
}

fn of_step(proof: &Proof, step: &StepDone, decimals: u8, language: Language) -> Vec<String> {
    let value = |seen: &Option<Seen>| match seen {
        Some(seen) => figure(seen.value, decimals),
        None => String::new(),
    };
    let counts = step.counts();
    let applied = counts.map_or(step.expected, |seen| seen.applied);
    vec![
        step_name(step, language),
        figure(applied, decimals),
        figure(step.tolerance, decimals),
        proof.unit.clone(),
        value(&step.found),
        value(&step.left),
        counts.map_or_else(String::new, |seen| seen.on.join(" ")),
        counts.map_or_else(String::new, |seen| yes_no(seen.good, language)),
        step.skipped
            .clone()
            .or_else(|| proof.reason.clone())
            .unwrap_or_default(),
    ]
}

fn of_run(proof: &Proof, language: Language) -> Vec<String> {
    let Some(run) = &proof.run else {
        let mut cells = vec![String::new(); 8];
        cells.push(proof.reason.clone().unwrap_or_default());
        return cells;
    };
    let after = |after: Option<u32>| match after {
        Some(ms) => format!("{:.1}", f64::from(ms) / 1000.0),
        None => say("not-seen", language),
    };
    vec![
        say("run-on-off", language),
        format!("{:.1}", f64::from(run.timeout_ms) / 1000.0),
        String::new(),
        "s".to_owned(),
        after(run.on_after_ms),
        after(run.off_after_ms),
        String::new(),
        yes_no(run.is_good(), language),
        proof.reason.clone().unwrap_or_default(),
    ]
}

/// What a step is, with its alarm.
pub(super) fn step_name(step: &StepDone, language: Language) -> String {
    let word = step_word(step.kind, language);
    match &step.alarm {
        Some(alarm) => format!("{word} {alarm}"),
        None => word,
    }
}

fn yes_no(is: bool, language: Language) -> String {
    say(if is { "yes" } else { "no" }, language)
}

fn row(text: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    *text += &cells.join(",");
    *text += "\r\n";
}

/// Quoted where it must be; what a spreadsheet would take for a formula is made a text.
fn quoted(cell: &str) -> String {
    let number = cell.parse::<f64>().is_ok();
    let formula = !number && cell.starts_with(['=', '+', '-', '@', '\t']);
    let cell = match formula {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    };
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_a_number_stays_one() {
        assert_eq!(quoted("=1+1"), "'=1+1");
        assert_eq!(quoted("-1.5"), "-1.5");
        assert_eq!(quoted("a \"b\", c"), "\"a \"\"b\"\", c\"");
    }
}
