//! `GET /api/kpi`: the alarm figures of a period from the journal, and for what chatters what its recorded signal proposes.
//!
//! Bounds: 92 days, 200,000 lines, five signals of at most half an hour; one answer is made at a time, and others wait for it a little.

use super::Plant;
use super::refusal::Refused;
use crate::journal::AlarmLines;
use crate::live::Picture;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use davy_alarm::{Definition, WallMs};
use davy_config::site::{Alarm, Input, Point, Site, Subject};
use davy_kpi::{
    Allowed, ChatterRule, Chatterer, FloodNow, Held, LEAD_MS, Line, Period, Proposals, Record,
    Report, SIGNALS_MOST, Signal, Silence, Unproposed,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Longest period: a quarter.
const SPAN_MAX_MS: i64 = 92 * 86_400_000;
/// How long a call waits for another's figures.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Deserialize)]
pub(super) struct KpiQuery {
    from_ms: i64,
    to_ms: i64,
    chatter_count: Option<u32>,
    chatter_s: Option<u32>,
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    report: Report,
    /// There were too many lines: the record begins where those that were kept do.
    truncated: bool,
    flood: FloodNow,
    signals: Vec<Signal>,
}

/// `GET /api/kpi`.
pub(super) async fn kpi(
    State(plant): State<Arc<Plant>>,
    query: Result<Query<KpiQuery>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(query) = query.map_err(|error| Refused::bad("query", error.body_text()))?;
    let rule = rule(&query)?;
    let (from, to) = span(&query, plant.clock.wall())?;
    let waited = tokio::time::timeout(PATIENCE, plant.reckoning.clone().acquire_owned()).await;
    // The semaphore is never closed.
    let Ok(Ok(_turn)) = waited else {
        return Err(Refused::NotReady("other figures are being made"));
    };
    let lines_from = from.saturating_sub(LEAD_MS);
    let journal = &plant.watch.journal;
    let found = journal.alarm_lines(WallMs(lines_from), WallMs(to)).await;
    let period = Period {
        from_ms: from,
        to_ms: to,
        lines_from_ms: lines_from,
        record_from_ms: found.record_from.map(|time| time.0),
    };
    let truncated = found.truncated;
    let report = off_runtime({
        let plant = plant.clone();
        move || report(&plant.site, &plant.live.picture(), &found, &period, rule)
    })
    .await?;
    let mut signals = Vec::new();
    for chatterer in report.chattering.list.iter().take(SIGNALS_MOST) {
        signals.extend(signal(&plant, chatterer).await?);
    }
    let answer = Answer {
        report,
        truncated,
        flood: plant.flood(),
        signals,
    };
    Ok(Json(answer).into_response())
}

fn rule(query: &KpiQuery) -> Result<ChatterRule, Refused> {
    let (count, window) = (query.chatter_count, query.chatter_s);
    if count.is_none() && window.is_none() {
        return Ok(ChatterRule::default());
    }
    let rule = ChatterRule::new(count.unwrap_or(3), window.unwrap_or(60));
    let limits = "chatter_count 2 to 60, chatter_s 10 to 3600";
    rule.ok_or_else(|| Refused::bad("chatter", limits.into()))
}

/// The period asked for, up to now.
fn span(query: &KpiQuery, now: WallMs) -> Result<(i64, i64), Refused> {
    let refused = |field, why: &str| Err(Refused::bad(field, why.into()));
    let (from, to) = (query.from_ms, query.to_ms.min(now.0));
    if from < 0 {
        return refused("from_ms", "from_ms is not before 1970");
    }
    if query.to_ms <= from || to <= from {
        return refused("to_ms", "to_ms lies after from_ms, and from_ms before now");
    }
    if to - from > SPAN_MAX_MS {
        return refused("from_ms", "at most 92 days");
    }
    Ok((from, to))
}

fn report(
    site: &Site,
    picture: &Picture,
    found: &AlarmLines,
    period: &Period,
    rule: ChatterRule,
) -> Report {
    let lines: Vec<Line<'_>> = found
        .lines
        .iter()
        .map(|line| Line {
            alarm: &line.alarm,
            priority: line.priority,
            time_ms: line.time.0,
            cause: line.cause,
            to: line.to,
            actor: line.actor.as_deref(),
        })
        .collect();
    let silences: Vec<Silence<'_>> = found
        .silences
        .iter()
        .map(|(actor, time)| Silence {
            actor,
            time_ms: time.0,
        })
        .collect();
    let record = Record {
        lines: &lines,
        held: &held(site, picture, period),
        silences: &silences,
    };
    davy_kpi::report(&record, period, rule)
}

/// What is active now and was raised before the lines begin was active all along.
fn held<'a>(site: &'a Site, picture: &Picture, period: &Period) -> Vec<Held<'a>> {
    let active = picture.alarms.iter().filter(|alarm| alarm.active);
    active
        .filter_map(|now| {
            let alarm = &site.alarms[now.alarm.0];
            let since_ms = now.raised?.0;
            (since_ms < period.lines_from_ms).then_some(Held {
                alarm: &alarm.id,
                priority: alarm.definition.priority,
                since_ms,
            })
        })
        .collect()
}

/// None for an alarm that the site file no longer has.
async fn signal(plant: &Plant, chatterer: &Chatterer) -> Result<Option<Signal>, Refused> {
    let site = &plant.site;
    let Some(alarm) = site.alarms.iter().find(|one| one.id == chatterer.alarm) else {
        return Ok(None);
    };
    let (found, point) = match (alarm.subject, alarm.input) {
        (Subject::Point(point), Input::Value) => {
            let point = &site.points[point.0];
            let found = proposals(plant, alarm, point, chatterer).await?;
            (found, Some(point))
        }
        _ => (Err(Unproposed::NoSignal), None),
    };
    let (unit, decimals) = point.map_or(("", 0), |point| (&point.unit, point.decimals));
    Ok(Some(Signal::new(&alarm.id, unit, decimals, found)))
}

async fn proposals(
    plant: &Plant,
    alarm: &Alarm,
    point: &Point,
    chatterer: &Chatterer,
) -> Result<Result<Proposals, Unproposed>, Refused> {
    let (from, to) = chatterer.signal_span();
    let journal = &plant.watch.journal;
    let readings = journal.readings(&point.id, WallMs(from), WallMs(to)).await;
    let poll_ms = plant.site.devices[point.device.0].period_ms;
    let allowed = Allowed {
        range: point.range,
        decimals: point.decimals,
        later_ms: point.kind.may_wait_ms(poll_ms),
    };
    let definition: Definition = alarm.definition;
    off_runtime(move || davy_kpi::propose(&definition, &readings, &allowed)).await
}

async fn off_runtime<T: Send + 'static>(
    reckon: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refused> {
    tokio::task::spawn_blocking(reckon)
        .await
        .map_err(|_| Refused::NotReady("the figures could not be made"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    fn asked(from_ms: i64, to_ms: i64) -> KpiQuery {
        KpiQuery {
            from_ms,
            to_ms,
            chatter_count: None,
            chatter_s: None,
        }
    }

    #[test]
    fn a_period_ends_now_at_the_latest_and_is_a_quarter_at_most() {
        let now = WallMs(100 * DAY);
        assert_eq!(
            span(&asked(99 * DAY, 200 * DAY), now),
            Ok((99 * DAY, 100 * DAY))
        );
        assert!(span(&asked(8 * DAY, 100 * DAY), now).is_ok());
        assert!(span(&asked(8 * DAY - 1, 100 * DAY), now).is_err());
        assert!(span(&asked(DAY, DAY), now).is_err());
        assert!(
            span(&asked(100 * DAY, 101 * DAY), now).is_err(),
            "nothing yet"
        );
        assert!(span(&asked(-1, DAY), now).is_err());
        assert!(span(&asked(i64::MIN, i64::MAX), now).is_err());
    }
}
