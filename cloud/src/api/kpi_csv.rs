//! The alarm figures as rows: what it is, of what, its value, its target and how it stands. Codes are the API's own.

use super::kpi::Kpi;
use crate::records::Gap;
use crate::table::{Column, Form, Kind, Row, csv, row};
use davy_kpi::{Report, Verdict};

const COLUMNS: [Column; 9] = [
    Column::new("figure", Kind::Code),
    Column::new("site", Kind::Code),
    Column::new("of", Kind::Text),
    Column::new("value", Kind::Number),
    Column::new("unit", Kind::Text),
    Column::new("target", Kind::Number),
    Column::new("verdict", Kind::Code),
    Column::new("from", Kind::Time),
    Column::new("to", Kind::Time),
];

/// The whole file.
pub(super) fn file(form: Form, kpi: &Kpi, gaps: &[Gap]) -> Vec<u8> {
    let mut sheet = Sheet {
        site: &kpi.site,
        rows: Vec::new(),
    };
    sheet.figures(&kpi.report);
    sheet.lists(&kpi.report);
    for gap in gaps {
        sheet.row(Figure::new("gap", "").during(Some(gap.from_ms), gap.to_ms));
    }
    let head = csv::head(&COLUMNS, form);
    [head, csv::rows(&COLUMNS, &sheet.rows, form)].concat()
}

/// One row in the making.
#[derive(Default)]
struct Figure<'a> {
    figure: &'static str,
    of: &'a str,
    value: Option<f64>,
    unit: &'static str,
    target: Option<f64>,
    verdict: Option<Verdict>,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
}

impl<'a> Figure<'a> {
    fn new(figure: &'static str, of: &'a str) -> Self {
        Self {
            figure,
            of,
            ..Self::default()
        }
    }

    fn value(self, value: impl Into<Option<f64>>, unit: &'static str) -> Self {
        Self {
            value: value.into(),
            unit,
            ..self
        }
    }

    fn against(self, target: f64, verdict: Verdict) -> Self {
        Self {
            target: Some(target),
            verdict: Some(verdict),
            ..self
        }
    }

    fn during(self, from_ms: Option<i64>, to_ms: Option<i64>) -> Self {
        Self {
            from_ms,
            to_ms,
            ..self
        }
    }
}

struct Sheet<'a> {
    site: &'a str,
    rows: Vec<Row>,
}

impl Sheet<'_> {
    fn row(&mut self, figure: Figure<'_>) {
        self.rows.push(row![
            figure.figure,
            self.site,
            figure.of,
            figure.value,
            figure.unit,
            figure.target,
            figure.verdict.map(Verdict::name),
            figure.from_ms,
            figure.to_ms,
        ]);
    }

    fn figures(&mut self, report: &Report) {
        let Report {
            rate,
            intervals,
            floods,
            sources,
            standing,
            chattering,
            ..
        } = report;
        let whole = |figure| Figure::new(figure, "");
        let span = (report.record_from_ms, Some(report.to_ms));
        let rows = [
            whole("record")
                .value(report.days, "d")
                .during(span.0, span.1),
            whole("annunciations").value(report.annunciations as f64, ""),
            whole("rate-average")
                .value(rate.average, "/10min")
                .against(rate.target, rate.verdict),
            whole("rate-worst")
                .value(rate.worst as f64, "/10min")
                .during(rate.worst_from_ms, None),
            whole("intervals-over")
                .value(intervals.share, "1")
                .against(intervals.target, intervals.verdict),
            whole("time-in-flood")
                .value(floods.share, "1")
                .against(floods.target, floods.verdict),
            whole("top-sources")
                .value(sources.share, "1")
                .against(sources.target, sources.verdict),
            whole("standing-worst-day")
                .value(standing.worst_day as f64, "")
                .against(standing.target as f64, standing.verdict),
            whole("chattering")
                .value(chattering.total as f64, "")
                .against(chattering.target as f64, chattering.verdict),
        ];
        rows.into_iter().for_each(|row| self.row(row));
    }

    fn lists(&mut self, report: &Report) {
        const PRIORITIES: [&str; 4] = ["P1", "P2", "P3", "P4"];
        for (share, name) in report.priorities.iter().zip(PRIORITIES) {
            let row = Figure::new("priority-share", name).value(share.share, "1");
            self.row(row.against(share.target, share.verdict));
        }
        for (answer, name) in report.acknowledgement.iter().zip(PRIORITIES) {
            self.row(Figure::new("acknowledge-median", name).value(seconds(answer.median_ms), "s"));
            self.row(Figure::new("acknowledge-p90", name).value(seconds(answer.p90_ms), "s"));
        }
        for flood in &report.floods.list {
            let row = Figure::new("flood", "").value(flood.annunciations as f64, "");
            self.row(row.during(Some(flood.from_ms), flood.to_ms));
        }
        for source in &report.sources.list {
            self.row(Figure::new("source", &source.alarm).value(source.annunciations as f64, ""));
        }
        for alarm in &report.standing.list {
            let row = Figure::new("standing", &alarm.alarm);
            self.row(row.during(alarm.since_ms, alarm.until_ms));
        }
        for alarm in &report.chattering.list {
            let row = Figure::new("chatterer", &alarm.alarm);
            let row = row.value(alarm.annunciations as f64, "");
            self.row(row.during(Some(alarm.from_ms), Some(alarm.to_ms)));
        }
        for person in &report.people {
            let row = |figure| Figure::new(figure, &person.actor);
            self.row(row("acknowledged-by").value(person.acknowledged as f64, ""));
            self.row(row("acknowledged-by-median").value(seconds(person.median_ms), "s"));
            self.row(row("shelved-by").value(person.shelved as f64, ""));
            self.row(row("silenced-by").value(person.silenced as f64, ""));
        }
    }
}

fn seconds(ms: Option<i64>) -> Option<f64> {
    ms.map(|ms| ms as f64 / 1_000.0)
}
