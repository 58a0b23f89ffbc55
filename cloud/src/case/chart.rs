//! A point's readings on paper, drawn from the same data as the screens' trends: the mean as a line, lowest to highest behind it, set-points dashed, each alarm
//! where it came, and grey where there was no value. In grey alone, so that a photocopy tells the same.

use crate::history::{Bucket, Series};
use crate::message::Message;
use crate::table::Form;
use davy_alarm::Priority;
use davy_print::{BLACK, Mark, Pen, SMALL, WIDTH};

/// Columns of a chart: about one a point of paper.
pub(crate) const BUCKETS: u32 = 440;
/// Charts of a case: of the points whose alarms were the most urgent.
pub(crate) const MOST_CHARTS: usize = 6;

const HEIGHT: f32 = 120.0;
/// Room left of the plot for its values, and right of it.
const LEFT: f32 = 44.0;
const RIGHT: f32 = 6.0;
/// Room above the plot for the alarms' marks.
const ABOVE: f32 = 18.0;
const MARK: f32 = 5.0;
const FAINT: f32 = 0.86;
const BAND: f32 = 0.72;
const DASHED: f32 = 0.35;
/// Names of marks are no closer than this.
const APART: f32 = 44.0;

/// What a chart is of.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) unit: String,
    /// How often the point is sent at the least.
    pub(crate) heartbeat_ms: i64,
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    pub(crate) series: Series,
    pub(crate) limits: Vec<Limit>,
    pub(crate) alarms: Vec<Came>,
}

/// The charts of a case.
#[derive(Debug)]
pub(crate) struct Charts {
    pub(crate) charts: Vec<Chart>,
    /// They are of points that were asked for by name, and else of those that alarmed.
    pub(crate) is_named: bool,
    /// There are more such points than charts.
    pub(crate) is_cut: bool,
}

/// A set-point.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limit {
    pub(crate) condition: String,
    pub(crate) value: f64,
}

/// An alarm that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Came {
    pub(crate) time_ms: i64,
    pub(crate) priority: Option<Priority>,
    pub(crate) condition: String,
}

impl Came {
    /// The most urgent is the least; what has no priority comes last.
    pub(crate) fn urgency(&self) -> u8 {
        self.priority.map_or(u8::MAX, Priority::number)
    }
}

impl Chart {
    pub(super) fn draw(&self, pen: &mut Pen<'_>, form: Form) {
        pen.need(HEIGHT + ABOVE + 60.0);
        let named = format!("{} · {} ({})", self.id, self.name, self.unit);
        let named = named.trim_end_matches(" ()");
        pen.row(&[(0.0, 1.0)], SMALL, &[named.to_owned()]);
        let Some(plot) = self.plot(pen.place()) else {
            let nothing = Message::named("case-no-readings").text(form.language);
            pen.row(&[(0.0, 1.0)], SMALL, &[nothing]);
            pen.down(6.0);
            return;
        };
        let mut marks = Vec::new();
        self.absences(&plot, &mut marks);
        plot.frame(&mut marks);
        Self::values(&plot, &mut marks);
        self.times(&plot, form, &mut marks);
        self.set_points(&plot, &mut marks);
        self.lines(&plot, &mut marks);
        self.marks(&plot, &mut marks);
        for mark in marks {
            pen.put(mark);
        }
        pen.skip(ABOVE + HEIGHT + 16.0);
    }

    /// None without a single reading.
    fn plot(&self, (x, y): (f32, f32)) -> Option<Plot> {
        if self.series.buckets.is_empty() {
            return None;
        }
        let spans = self.series.buckets.iter().filter_map(|one| one.span.ok());
        let measured = spans.flat_map(|span| [span.min, span.max]);
        let limits = self.limits.iter().map(|limit| limit.value);
        let all = measured.chain(limits).filter(|value| value.is_finite());
        let (least, most) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), one| {
            (least.min(one), most.max(one))
        });
        // Of absences alone: any scale serves.
        let (least, most) = if least > most {
            (0.0, 1.0)
        } else {
            (least, most)
        };
        let air = ((most - least) * 0.06).max(most.abs().max(1.0) * 1e-3);
        Some(Plot {
            x: x + LEFT,
            y: y + ABOVE,
            width: WIDTH - LEFT - RIGHT,
            least: least - air,
            most: most + air,
            from_ms: self.from_ms,
            to_ms: self.to_ms,
        })
    }

    /// Where readings came and none of them had a value.
    fn absences(&self, plot: &Plot, marks: &mut Vec<Mark>) {
        for (at, bucket) in self.series.buckets.iter().enumerate() {
            if bucket.span.is_ok() {
                continue;
            }
            let next = self.series.buckets.get(at + 1);
            let end_ms = match (self.series.step_ms, next) {
                (0, Some(next)) => next.time_ms.min(bucket.time_ms + self.apart_ms()),
                (0, None) => bucket.time_ms + self.apart_ms(),
                (step_ms, _) => bucket.time_ms + step_ms,
            };
            let from = plot.at(bucket.time_ms);
            marks.push(Mark::Block {
                x: from,
                y: plot.y,
                width: (plot.at(end_ms) - from).max(0.5),
                height: HEIGHT,
                grey: FAINT,
            });
        }
    }

    fn values(plot: &Plot, marks: &mut Vec<Mark>) {
        for share in [0.0, 0.5, 1.0] {
            let value = plot.least + (plot.most - plot.least) * share;
            marks.push(Mark::Text {
                x: plot.x - LEFT,
                y: plot.high(value) + SMALL / 3.0,
                size: SMALL,
                grey: BLACK,
                text: figure(value),
            });
        }
    }

    /// Date and time at both ends and in the middle.
    fn times(&self, plot: &Plot, form: Form, marks: &mut Vec<Mark>) {
        for (share, back) in [(0.0_f32, 0.0), (0.5, 42.0), (1.0, 84.0)] {
            let span_ms = (self.to_ms - self.from_ms) as f64;
            let time_ms = self.from_ms + (span_ms * f64::from(share)) as i64;
            // To the second, and the zone once, at the head of the page.
            let text: String = form.time(time_ms).chars().take(19).collect();
            marks.push(Mark::Text {
                x: plot.x + plot.width * share - back,
                y: plot.y + HEIGHT + SMALL + 3.0,
                size: SMALL,
                grey: BLACK,
                text: text.replace('T', " "),
            });
        }
    }

    fn set_points(&self, plot: &Plot, marks: &mut Vec<Mark>) {
        for limit in &self.limits {
            let y = plot.high(limit.value);
            marks.push(Mark::Path {
                points: vec![(plot.x, y), (plot.x + plot.width, y)],
                width: 0.6,
                grey: DASHED,
                is_dashed: true,
            });
            // Under its line where there is no room above.
            let is_at_top = y - 2.0 - SMALL < plot.y;
            marks.push(Mark::Text {
                x: plot.x + 3.0,
                y: if is_at_top { y + SMALL } else { y - 2.0 },
                size: SMALL - 1.0,
                grey: DASHED,
                text: format!("{} {}", limit.condition, figure(limit.value)),
            });
        }
    }

    /// How far apart two readings, or buckets, may be with nothing missing between them: a heartbeat and a half; of buckets those that a heartbeat skips. The
    /// screens hold to the same (`web/src/trend/columns.ts`).
    const fn apart_ms(&self) -> i64 {
        match self.series.step_ms {
            0 => self.heartbeat_ms.saturating_add(self.heartbeat_ms / 2),
            step_ms => step_ms.saturating_add(self.heartbeat_ms),
        }
    }

    fn lines(&self, plot: &Plot, marks: &mut Vec<Mark>) {
        let apart_ms = self.apart_ms();
        let joins = |a: &Bucket, b: &Bucket| {
            a.span.is_ok() && b.span.is_ok() && b.time_ms - a.time_ms <= apart_ms
        };
        for run in self.series.buckets.chunk_by(joins) {
            for bucket in run {
                let Ok(span) = bucket.span else { continue };
                if span.max > span.min {
                    let x = plot.middle(bucket.time_ms, self.series.step_ms);
                    marks.push(Mark::Path {
                        points: vec![(x, plot.high(span.min)), (x, plot.high(span.max))],
                        width: 1.0,
                        grey: BAND,
                        is_dashed: false,
                    });
                }
            }
        }
        for run in self.series.buckets.chunk_by(joins) {
            let place = |bucket: &Bucket| {
                let x = plot.middle(bucket.time_ms, self.series.step_ms);
                Some((x, plot.high(bucket.span.ok()?.mean)))
            };
            let mut points: Vec<(f32, f32)> = run.iter().filter_map(place).collect();
            // A reading alone is a dot.
            if let [(x, y)] = points[..] {
                points.push((x + 0.8, y));
            }
            if !points.is_empty() {
                marks.push(Mark::Path {
                    points,
                    width: 0.8,
                    grey: BLACK,
                    is_dashed: false,
                });
            }
        }
    }

    /// A triangle above the plot where each alarm came, filled for the two most urgent priorities, and a thin line down from it.
    fn marks(&self, plot: &Plot, marks: &mut Vec<Mark>) {
        let mut named = f32::NEG_INFINITY;
        for came in &self.alarms {
            let x = plot.at(came.time_ms);
            let (top, tip) = (plot.y - MARK - 1.0, plot.y - 1.0);
            marks.push(Mark::Path {
                points: vec![(x, plot.y), (x, plot.y + HEIGHT)],
                width: 0.3,
                grey: DASHED,
                is_dashed: false,
            });
            let corners = vec![(x - MARK / 1.6, top), (x + MARK / 1.6, top), (x, tip)];
            let is_urgent = came.priority.is_some_and(|one| one.number() <= 2);
            marks.push(Mark::Shape {
                points: corners,
                grey: if is_urgent { BLACK } else { BAND },
            });
            if x - named >= APART {
                let priority = came
                    .priority
                    .map_or(String::new(), |one| format!("P{} ", one.number()));
                marks.push(Mark::Text {
                    x: (x - 8.0).min(plot.x + plot.width - 30.0),
                    y: top - 2.0,
                    size: SMALL - 1.0,
                    grey: BLACK,
                    text: format!("{priority}{}", came.condition),
                });
                named = x;
            }
        }
    }
}

/// Where values and times stand on the page.
struct Plot {
    x: f32,
    y: f32,
    width: f32,
    least: f64,
    most: f64,
    from_ms: i64,
    to_ms: i64,
}

impl Plot {
    fn at(&self, time_ms: i64) -> f32 {
        let span = (self.to_ms - self.from_ms).max(1) as f64;
        let share = ((time_ms - self.from_ms) as f64 / span).clamp(0.0, 1.0);
        self.x + self.width * share as f32
    }

    /// The middle of a bucket.
    fn middle(&self, time_ms: i64, step_ms: i64) -> f32 {
        self.at(time_ms.saturating_add(step_ms / 2))
    }

    fn high(&self, value: f64) -> f32 {
        let share = ((value - self.least) / (self.most - self.least)).clamp(0.0, 1.0);
        self.y + HEIGHT * (1.0 - share as f32)
    }

    fn frame(&self, marks: &mut Vec<Mark>) {
        let (right, foot) = (self.x + self.width, self.y + HEIGHT);
        let corners = [
            (self.x, self.y),
            (right, self.y),
            (right, foot),
            (self.x, foot),
            (self.x, self.y),
        ];
        marks.push(Mark::Path {
            points: corners.to_vec(),
            width: 0.4,
            grey: DASHED,
            is_dashed: false,
        });
    }
}

/// Four digits, without zeros at the end.
fn figure(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let before = value.abs().log10().floor() as i32 + 1;
    let after = usize::try_from((4 - before).clamp(0, 6)).unwrap_or(0);
    let text = format!("{value:.after$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Span;
    use davy_alarm::NoValue;

    fn chart(spans: &[(i64, Result<f64, NoValue>)]) -> Chart {
        let bucket = |(minute, value): &(i64, Result<f64, NoValue>)| Bucket {
            time_ms: minute * 60_000,
            span: value.map(|mean| Span {
                min: mean - 1.0,
                max: mean + 1.0,
                mean,
            }),
            count: 1,
            good: 1,
        };
        Chart {
            id: "GT-1".into(),
            name: "GT-1".into(),
            unit: "%LEL".into(),
            heartbeat_ms: 60_000,
            from_ms: 0,
            to_ms: 600_000,
            series: Series {
                step_ms: 60_000,
                buckets: spans.iter().map(bucket).collect(),
            },
            limits: vec![Limit {
                condition: "H".into(),
                value: 50.0,
            }],
            alarms: vec![],
        }
    }

    fn lines(chart: &Chart) -> Vec<usize> {
        let plot = chart.plot((0.0, 0.0)).expect("readings");
        let mut marks = Vec::new();
        chart.lines(&plot, &mut marks);
        let means = marks.iter().filter_map(|mark| match mark {
            Mark::Path { points, grey, .. } if *grey == BLACK => Some(points.len()),
            _ => None,
        });
        means.collect()
    }

    #[test]
    fn the_line_breaks_where_there_was_no_reading_and_where_there_was_no_value() {
        let whole = [(0, Ok(1.0)), (1, Ok(2.0)), (2, Ok(3.0))];
        assert_eq!(lines(&chart(&whole)), [3]);
        let gap = [(0, Ok(1.0)), (1, Ok(2.0)), (4, Ok(3.0)), (5, Ok(3.0))];
        assert_eq!(lines(&chart(&gap)), [2, 2]);
        let bad = [(0, Ok(1.0)), (1, Err(NoValue::BrokenLoop)), (2, Ok(3.0))];
        assert_eq!(lines(&chart(&bad)), [2, 2]);
    }

    #[test]
    fn the_line_goes_on_over_what_a_slow_heartbeat_skips() {
        let slow = |step_ms, minutes: &[_]| {
            let mut slow = chart(minutes);
            slow.heartbeat_ms = 300_000;
            slow.series.step_ms = step_ms;
            lines(&slow)
        };
        let at = |minute| (minute, Ok(1.0));
        for step_ms in [0, 60_000] {
            assert_eq!(slow(step_ms, &[at(0), at(5), at(9)]), [3]);
            assert_eq!(slow(step_ms, &[at(0), at(1), at(9)]), [2, 2]);
        }
        // A bucket in which nothing was read, and that no heartbeat skips.
        let mut missing = chart(&[at(0), at(4)]);
        missing.series.step_ms = 120_000;
        assert_eq!(lines(&missing), [2, 2]);
        missing.heartbeat_ms = 120_000;
        assert_eq!(lines(&missing), [2]);
    }

    #[test]
    fn a_set_point_that_was_never_reached_is_within_the_plot() {
        let plot = chart(&[(0, Ok(1.0))]).plot((0.0, 0.0)).expect("readings");
        assert!(plot.most > 50.0 && plot.least < 0.0);
        assert!(plot.high(50.0) > plot.y);
    }

    #[test]
    fn figures_are_short_and_keep_four_digits() {
        assert_eq!(figure(12.5), "12.5");
        assert_eq!(figure(0.012_34), "0.01234");
        assert_eq!(figure(123_456.0), "123456");
        assert_eq!(figure(-50.0), "-50");
    }
}
