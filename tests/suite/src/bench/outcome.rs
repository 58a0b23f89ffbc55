//! What one client came to over the measured windows.

use super::process::Usage;
use super::reader::Arrival;
use super::served::Answers;
use super::statistics::{maximum, median, quantile, slope};
use super::{REGISTERS, UNITS};
use std::time::Instant;

/// One client's figures. `None` is what could not be measured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// Processor seconds a minute, median of the windows.
    pub cpu_s: Option<f64>,
    /// Processor seconds a minute in the window that cost most.
    pub cpu_worst_s: Option<f64>,
    /// Resident memory in megabytes (10⁶ bytes), the largest at the end of any window.
    pub rss_mb: Option<f64>,
    /// The same with shared pages divided, median of the windows.
    pub pss_mb: Option<f64>,
    /// Highest resident memory since the process began, megabytes.
    pub peak_mb: Option<f64>,
    /// From the answer on Modbus to the arrival on MQTT, milliseconds; medians of the windows' quantiles, and the quantiles of the whole run.
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub p99_run_ms: Option<f64>,
    pub worst_ms: Option<f64>,
    /// By how much the poll of the worst unit moves against the clock, milliseconds a minute.
    pub drift_ms: Option<f64>,
    /// 99th percentile of a poll's distance from its place, milliseconds.
    pub jitter_ms: Option<f64>,
    /// Share of the readings due in the measured time that did not arrive, per cent.
    pub lost_percent: Option<f64>,
}

/// The measured time: the edges of its windows, and what the process had used at each.
#[derive(Clone, Debug, Default)]
pub struct Windows {
    pub edges: Vec<Instant>,
    pub usages: Vec<Usage>,
}

impl Outcome {
    /// Judges what was gathered. The period of every client is a second.
    pub fn of(windows: &Windows, answers: &Answers, arrivals: &[Arrival]) -> Self {
        let memory = |of: fn(&Usage) -> u64| -> Vec<f64> {
            let ends = windows.usages.iter().skip(1);
            ends.map(|usage| of(usage) as f64 * 1024.0 / 1e6).collect()
        };
        let cpu = windows.cpu();
        let latencies = windows.latencies(answers, arrivals);
        let all: Vec<f64> = latencies.iter().flatten().copied().collect();
        let by_window = |share| -> Option<f64> {
            let of_each: Vec<f64> = latencies
                .iter()
                .filter_map(|window| quantile(window, share))
                .collect();
            median(&of_each)
        };
        let (drifts, distances) = windows.periods(answers);
        Self {
            cpu_s: median(&cpu),
            cpu_worst_s: maximum(&cpu),
            rss_mb: maximum(&memory(|usage| usage.rss_kib)),
            pss_mb: median(&memory(|usage| usage.pss_kib)),
            peak_mb: maximum(&memory(|usage| usage.peak_kib)),
            p50_ms: by_window(0.5),
            p99_ms: by_window(0.99),
            p99_run_ms: quantile(&all, 0.99),
            worst_ms: maximum(&all),
            drift_ms: drifts
                .into_iter()
                .max_by(|one, other| one.abs().total_cmp(&other.abs())),
            jitter_ms: quantile(&distances, 0.99),
            lost_percent: windows.lost(answers, arrivals),
        }
    }
}

impl Windows {
    /// Processor seconds a minute in each window.
    fn cpu(&self) -> Vec<f64> {
        let spans = self.edges.windows(2).zip(self.usages.windows(2));
        spans
            .map(|(edges, usages)| {
                let used = usages[1].cpu.saturating_sub(usages[0].cpu).as_secs_f64();
                used * 60.0 / (edges[1] - edges[0]).as_secs_f64()
            })
            .collect()
    }

    /// The window in which a moment lies.
    fn position(&self, at: Instant) -> Option<usize> {
        self.edges
            .windows(2)
            .position(|edges| (edges[0]..edges[1]).contains(&at))
    }

    /// Milliseconds from answer to arrival, by the window of the answer.
    fn latencies(&self, answers: &Answers, arrivals: &[Arrival]) -> Vec<Vec<f64>> {
        let mut found = vec![Vec::new(); self.edges.len().saturating_sub(1)];
        for arrival in arrivals {
            if let Some(answered) = answers.at(arrival.unit, arrival.number)
                && let Some(window) = self.position(answered)
            {
                found[window].push((arrival.at - answered).as_secs_f64() * 1e3);
            }
        }
        found
    }

    /// Each unit's drift in milliseconds a minute, and each poll's distance from its place in milliseconds.
    fn periods(&self, answers: &Answers) -> (Vec<f64>, Vec<f64>) {
        let (mut drifts, mut distances) = (Vec::new(), Vec::new());
        for unit in 1..=UNITS {
            let times: Vec<f64> = (answers.of(unit).into_iter())
                .filter(|at| self.position(*at).is_some())
                .map(|at| (at - self.edges[0]).as_secs_f64())
                .collect();
            let late: Vec<f64> = (times.iter().enumerate())
                .map(|(position, time)| time - position as f64)
                .collect();
            let (Some(middle), Some(slope)) = (median(&late), slope(&late)) else {
                continue;
            };
            drifts.push(slope * 60e3);
            distances.extend(late.iter().map(|late| (late - middle).abs() * 1e3));
        }
        (drifts, distances)
    }

    fn lost(&self, answers: &Answers, arrivals: &[Arrival]) -> Option<f64> {
        let span = *self.edges.last()? - *self.edges.first()?;
        let due = span.as_secs_f64().round() * (UNITS * REGISTERS) as f64;
        let in_time = arrivals.iter().filter(|arrival| {
            answers
                .at(arrival.unit, arrival.number)
                .is_some_and(|at| self.position(at).is_some())
        });
        let came: usize = in_time.map(|arrival| arrival.readings).sum();
        (due > 0.0).then_some((1.0 - came as f64 / due) * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const CLIENT_LATE: Duration = Duration::from_millis(3);

    fn windows(start: Instant, count: u32) -> Windows {
        let usage = |window: u32| Usage {
            cpu: Duration::from_millis(100) * window,
            journal: None,
            rss_kib: 8_000,
            pss_kib: 7_000,
            peak_kib: 9_000,
        };
        Windows {
            edges: (0..=count)
                .map(|window| start + Duration::from_secs(10) * window)
                .collect(),
            usages: (0..=count).map(usage).collect(),
        }
    }

    /// A client whose period is `period` and which passes everything on but what `lose` says.
    fn outcome(period: Duration, lose: impl Fn(usize) -> bool) -> Outcome {
        let start = Instant::now();
        let answers = Answers::default();
        let mut arrivals = Vec::new();
        for poll in 0..30_u32 {
            for unit in 1..=UNITS {
                let at = start + Duration::from_millis(500) + period * poll;
                let number = answers.note_at(unit, at).expect("the log is far from full");
                if !lose(number) {
                    arrivals.push(Arrival {
                        unit,
                        number,
                        readings: REGISTERS,
                        at: at + CLIENT_LATE,
                    });
                }
            }
        }
        Outcome::of(&windows(start, 3), &answers, &arrivals)
    }

    fn near(found: Option<f64>, wanted: f64) {
        let found = found.expect("it was measured");
        assert!(
            (found - wanted).abs() < 1e-3 * wanted.abs().max(1.0),
            "{found} is not {wanted}"
        );
    }

    #[test]
    fn a_steady_client_costs_what_its_clock_says_and_loses_and_drifts_nothing() {
        let outcome = outcome(Duration::from_secs(1), |_| false);
        near(outcome.cpu_s, 0.6);
        near(outcome.rss_mb, 8.192);
        near(outcome.p50_ms, 3.0);
        near(outcome.p99_ms, 3.0);
        near(outcome.drift_ms, 0.0);
        near(outcome.jitter_ms, 0.0);
        near(outcome.lost_percent, 0.0);
    }

    #[test]
    fn a_millisecond_too_long_a_period_is_sixty_a_minute() {
        near(
            outcome(Duration::from_millis(1001), |_| false).drift_ms,
            60.0,
        );
    }

    #[test]
    fn what_did_not_arrive_is_lost() {
        near(
            outcome(Duration::from_secs(1), |number| number == 7).lost_percent,
            100.0 / 30.0,
        );
    }
}
