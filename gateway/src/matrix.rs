//! `davy-gateway check --matrix`: the cause-and-effect table of a site, a row for each cause, a column for each output.

use crate::check::wide;
use crate::message;
use crate::model::TextModel;
use davy_alarm::Condition;
use davy_config::Language;
use davy_config::site::{Alarm, AlarmIndex, FailSafe, Output, OutputKind, Point, Site, Subject};
use serde::Serialize;

/// The table, as programs read it.
#[derive(Debug, Serialize)]
pub(crate) struct Matrix<'a> {
    site: &'a str,
    causes: Vec<Cause<'a>>,
    outputs: Vec<Effect<'a>>,
}

#[derive(Debug, Serialize)]
struct Cause<'a> {
    alarm: &'a str,
    /// Of the point, device, group, output or manual cause.
    name: TextModel<'a>,
    priority: u8,
    condition: &'static str,
    set_point: Option<f64>,
    unit: Option<&'a str>,
    on_delay_ms: u32,
    off_delay_ms: u32,
    latching: bool,
    /// Ids of the outputs that it demands.
    outputs: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct Effect<'a> {
    output: &'a str,
    name: TextModel<'a>,
    kind: &'static str,
    latching: bool,
    min_run_ms: u32,
    /// What the field device takes when nobody writes to it any more; null where the site file does not say.
    fail_safe: Option<&'static str>,
    /// The point that shows what it does; null where its register's read-back does.
    feedback: Option<&'a str>,
    /// How long demand and feedback may disagree before `<output>.FAILED`.
    timeout_ms: u32,
    /// A horn: on for whatever is unsuppressed and unacknowledged, besides its causes.
    follows_horn: bool,
}

impl<'a> Matrix<'a> {
    /// Every alarm that demands an output, in the order of the site file, and every output.
    pub(crate) fn of(site: &'a Site) -> Self {
        let causes = site.alarms.iter().enumerate().filter_map(|(at, alarm)| {
            let outputs = demanded(site, AlarmIndex(at));
            (!outputs.is_empty()).then(|| cause(site, alarm, outputs))
        });
        Self {
            site: &site.id,
            causes: causes.collect(),
            outputs: site
                .outputs
                .iter()
                .map(|output| effect(site, output))
                .collect(),
        }
    }

    /// The same for people.
    pub(crate) fn text(&self, language: Language) -> String {
        let say = |key: &str| message::text(key, language);
        let mut rows = vec![self.head(language)];
        rows.extend(self.causes.iter().map(|cause| self.row(cause, language)));
        if let Some(horn) = self.horn(language) {
            rows.push(horn);
        }
        let mut text = aligned(&rows);
        text += &format!("\n{}\n\n", say("matrix-legend"));
        let mut outputs = vec![vec![
            say("matrix-output"),
            say("matrix-kind"),
            say("matrix-latch"),
            say("matrix-min-run"),
            say("matrix-fail-safe"),
            say("matrix-feedback"),
            say("matrix-timeout"),
            say("matrix-name"),
        ]];
        outputs.extend(self.outputs.iter().map(|output| output.row(language)));
        text + &aligned(&outputs)
    }

    fn head(&self, language: Language) -> Vec<String> {
        let mut row: Vec<String> = [
            "matrix-cause",
            "matrix-priority",
            "matrix-limit",
            "matrix-delay",
        ]
        .iter()
        .map(|key| message::text(key, language))
        .collect();
        row.extend(self.outputs.iter().map(|output| output.output.to_owned()));
        row.push(message::text("matrix-means", language));
        row
    }

    fn row(&self, cause: &Cause<'_>, language: Language) -> Vec<String> {
        let limit = cause.set_point.map_or_else(String::new, |limit| {
            format!("{limit} {}", cause.unit.unwrap_or_default())
        });
        let mut row = vec![
            cause.alarm.to_owned(),
            format!("P{}", cause.priority),
            limit.trim_end().to_owned(),
            seconds(cause.on_delay_ms),
        ];
        row.extend(self.outputs.iter().map(|output| {
            let is_demanded = cause.outputs.contains(&output.output);
            mark(is_demanded, output.latching || cause.latching).to_owned()
        }));
        row.push(cause.means(language));
        row
    }

    /// The row of what sounds a horn without standing in the file.
    fn horn(&self, language: Language) -> Option<Vec<String>> {
        self.outputs.iter().find(|output| output.follows_horn)?;
        let mut row = vec![
            message::text("matrix-horn", language),
            String::new(),
            String::new(),
            String::new(),
        ];
        let marks = self.outputs.iter();
        row.extend(marks.map(|output| mark(output.follows_horn, false).to_owned()));
        Some(row)
    }
}

impl Cause<'_> {
    /// What it is of, and what of it, in the reader's language.
    fn means(&self, language: Language) -> String {
        let key = format!("condition-{}", self.condition.to_ascii_lowercase());
        let condition = message::text(&key, language);
        format!("{} · {condition}", pick(self.name, language))
    }
}

impl Effect<'_> {
    fn row(&self, language: Language) -> Vec<String> {
        let latch = if self.latching {
            message::text("matrix-yes", language)
        } else {
            String::new()
        };
        let run = if self.min_run_ms > 0 {
            seconds(self.min_run_ms)
        } else {
            String::new()
        };
        let fail_safe = self.fail_safe.map_or("unsaid", |state| state);
        let fail_safe = message::text(&format!("matrix-fail-safe-{fail_safe}"), language);
        let feedback = match self.feedback {
            Some(point) => point.to_owned(),
            None => message::text("matrix-read-back", language),
        };
        vec![
            self.output.to_owned(),
            self.kind.to_owned(),
            latch,
            run,
            fail_safe,
            feedback,
            seconds(self.timeout_ms),
            pick(self.name, language).to_owned(),
        ]
    }
}

const fn pick<'t>(text: TextModel<'t>, language: Language) -> &'t str {
    match language {
        Language::Zh => text.zh,
        Language::En => text.en,
    }
}

/// L: on until somebody resets the alarm or the output; X: on while the alarm is active.
const fn mark(is_demanded: bool, latches: bool) -> &'static str {
    match (is_demanded, latches) {
        (true, true) => "L",
        (true, false) => "X",
        (false, _) => "·",
    }
}

fn seconds(ms: u32) -> String {
    format!("{} s", f64::from(ms) / 1000.0)
}

fn demanded(site: &Site, alarm: AlarmIndex) -> Vec<&str> {
    let by = site
        .effects
        .iter()
        .filter(|effect| effect.causes.contains(&alarm));
    let is_demanded: Vec<bool> = by.fold(vec![false; site.outputs.len()], |mut on, effect| {
        effect.outputs.iter().for_each(|output| on[output.0] = true);
        on
    });
    let outputs = site.outputs.iter().zip(is_demanded);
    outputs
        .filter(|(_, demanded)| *demanded)
        .map(|(output, _)| &*output.id)
        .collect()
}

fn cause<'a>(site: &'a Site, alarm: &'a Alarm, outputs: Vec<&'a str>) -> Cause<'a> {
    let point = point(site, alarm);
    let definition = &alarm.definition;
    Cause {
        alarm: &alarm.id,
        name: site.name_of(alarm.subject).into(),
        priority: definition.priority.number(),
        condition: definition.condition.suffix(),
        set_point: definition.condition.set_point(),
        unit: point.map(|point| &*point.unit),
        on_delay_ms: match definition.condition {
            Condition::Stale { after_ms } => after_ms.saturating_add(definition.on_delay_ms),
            _ => definition.on_delay_ms,
        },
        off_delay_ms: definition.off_delay_ms,
        latching: definition.latching,
        outputs,
    }
}

fn effect<'a>(site: &'a Site, output: &'a Output) -> Effect<'a> {
    Effect {
        output: &output.id,
        name: (&output.name).into(),
        kind: output.kind.name(),
        latching: output.latching,
        min_run_ms: output.min_run_ms,
        fail_safe: output.fail_safe.map(FailSafe::name),
        feedback: (output.feedback).map(|feedback| &*site.points[feedback.point.0].id),
        timeout_ms: site.alarms[output.failed.0].definition.on_delay_ms,
        follows_horn: output.kind == OutputKind::Horn,
    }
}

fn point<'a>(site: &'a Site, alarm: &Alarm) -> Option<&'a Point> {
    if let Subject::Point(point) = alarm.subject {
        site.points.get(point.0)
    } else {
        None
    }
}

/// Rows under each other; Chinese characters are two columns wide.
pub(crate) fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, wanted) in row.iter().zip(&widths) {
            line += cell;
            line += &" ".repeat(wanted - width(cell) + 2);
        }
        text += line.trim_end();
        text += "\n";
    }
    text
}

fn width(text: &str) -> usize {
    text.chars()
        .map(|char| if wide(char) { 2 } else { 1 })
        .sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::path::Path;

    fn site() -> Site {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay/site.toml");
        davy_config::load(&path).unwrap().site
    }

    #[test]
    fn the_table_shows_what_each_cause_demands_and_how_it_ends() {
        let site = site();
        let text = Matrix::of(&site).text(Language::En);
        let cells = |first: &str| -> Vec<String> {
            let line = text.lines().find(|line| line.starts_with(first)).unwrap();
            line.split("  ")
                .map(|cell| cell.trim().to_owned())
                .filter(|cell| !cell.is_empty())
                .collect()
        };
        assert_eq!(
            cells("GT-1.HH"),
            [
                "GT-1.HH",
                "P1",
                "50 %LEL",
                "1 s",
                "L",
                "·",
                "·",
                "Gas 1 · high-high"
            ]
        );
        assert_eq!(
            cells("XS-1.ON"),
            ["XS-1.ON", "P2", "0 s", "·", "X", "·", "Spark · state"]
        );
        assert!(cells("SIREN-1").contains(&"60 s".to_owned()));
        assert!(!text.contains("GT-1.H "), "only causes are rows: {text}");
        assert!(!text.contains("matrix-"), "{text}");
    }

    #[test]
    fn every_cause_is_named_in_the_readers_language_and_every_output_with_how_it_fails() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay/plant.toml");
        let plant = davy_config::load(&path).unwrap().site;
        let (zh, en) = (
            Matrix::of(&plant).text(Language::Zh),
            Matrix::of(&plant).text(Language::En),
        );
        for (id, zh_name, en_name) in [
            ("G.VOTE", "表决 · 表决动作", "Vote · voted trip"),
            ("G.DEGRADED", "表决 · 表决降级", "Vote · group degraded"),
            ("SIREN.FAILED", "声光 · 输出失效", "Siren · output failed"),
            ("d.COMMS", "器 · 通讯中断", "Device · communication lost"),
            (
                "PURGE.MANUAL",
                "手动吹扫 · 手动启动",
                "Purge by hand · demanded by hand",
            ),
            (
                "BEAT.FROZEN",
                "心跳 · 数值不动",
                "Heartbeat · does not move",
            ),
        ] {
            for (text, name) in [(&zh, zh_name), (&en, en_name)] {
                let row = text.lines().find(|line| line.starts_with(id));
                assert!(row.is_some_and(|row| row.ends_with(name)), "{id}: {text}");
            }
        }
        let row = |id: &str| {
            let mut rows = en.lines().rev();
            let row = rows.find(|line| line.starts_with(id)).unwrap_or_default();
            row.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(row("FAN "), "FAN fan yes 20 s off FLOWS 5 s Fan");
        assert_eq!(
            row("SIREN "),
            "SIREN siren 30 s not said its register 5 s Siren"
        );
        assert_eq!(
            row("BEACON "),
            "BEACON beacon as last written its register 5 s Beacon"
        );
        let json = serde_json::to_value(Matrix::of(&plant)).unwrap();
        let fan = &json["outputs"][0];
        assert_eq!(
            (&fan["fail_safe"], &fan["feedback"]),
            (&"off".into(), &"FLOWS".into())
        );
        assert_eq!(
            (&fan["timeout_ms"], &json["outputs"][1]["fail_safe"]),
            (&5000.into(), &serde_json::Value::Null)
        );
    }

    #[test]
    fn both_languages_have_the_same_table_under_each_other() {
        let site = site();
        let matrix = Matrix::of(&site);
        let (zh, en) = (matrix.text(Language::Zh), matrix.text(Language::En));
        assert_eq!(zh.lines().count(), en.lines().count());
        assert!(!zh.contains("matrix-"), "{zh}");
        for text in [zh, en] {
            // The last: a unit may hold the same letter.
            let at = |line: &str, cell: &str| width(&line[..line.rfind(cell).unwrap()]);
            let head = text.lines().next().unwrap();
            let row = text.lines().find(|line| line.starts_with("GT-1.HH"));
            assert_eq!(at(head, "FAN-1"), at(row.unwrap(), "L   "), "{text}");
        }
    }

    #[test]
    fn programs_get_causes_and_outputs_with_latch_and_minimum_run() {
        let site = site();
        let json = serde_json::to_value(Matrix::of(&site)).unwrap();
        assert_eq!(json["causes"][0]["alarm"], "GT-1.HH");
        assert_eq!(json["causes"][0]["outputs"][0], "FAN-1");
        assert_eq!(json["causes"][0]["latching"], true);
        assert_eq!(json["outputs"][1]["min_run_ms"], 60_000);
        assert_eq!(json["outputs"][0]["latching"], true);
        assert_eq!(json["outputs"][2]["follows_horn"], true);
    }
}
