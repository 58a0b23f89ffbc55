//! What the recorded signal of a chattering alarm proposes, by what its gateway says of the alarm and by the history of its point.

use super::City;
use super::error::ApiError;
use crate::records::{Model, ModelJudged, ModelLimit, ModelPoint};
use davy_alarm::{Condition, Definition, Priority};
use davy_kpi::{Allowed, Chatterer, Proposals, SIGNALS_MOST, Signal, Unproposed, propose};

/// Readings of one signal: half an hour of ten a second.
const MOST_READINGS: usize = 20_000;

/// Conditions of a point's own recorded value.
const WATCHES: [&str; 6] = ["HH", "H", "L", "LL", "ON", "BAD"];

/// Of the alarms that chatter most.
pub(super) async fn signals(
    city: &City,
    site: &str,
    model: &Model,
    chatterers: &[Chatterer],
) -> Result<Vec<Signal>, ApiError> {
    let mut signals = Vec::new();
    for chatterer in chatterers.iter().take(SIGNALS_MOST) {
        let point = point_of(model, &chatterer.alarm);
        let found = match point {
            Some(point) => found(city, site, point, chatterer).await?,
            // A device, a vote or an output has no signal; a point that its gateway no longer has is not known.
            None if WATCHES.contains(&suffix(&chatterer.alarm)) => Err(Unproposed::NotTold),
            None => Err(Unproposed::NoSignal),
        };
        let unit = point.map_or("", |point| &point.unit);
        let decimals = point.and_then(|point| point.decimals).unwrap_or(0);
        signals.push(Signal::new(&chatterer.alarm, unit, decimals, found));
    }
    Ok(signals)
}

fn point_of<'a>(model: &'a Model, alarm: &str) -> Option<&'a ModelPoint> {
    let (subject, _) = alarm.rsplit_once('.')?;
    model.points.iter().find(|point| point.id == subject)
}

async fn found(
    city: &City,
    site: &str,
    point: &ModelPoint,
    chatterer: &Chatterer,
) -> Result<Result<Proposals, Unproposed>, ApiError> {
    let (definition, allowed) = match told(point, &chatterer.alarm) {
        Ok(told) => told,
        Err(why) => return Ok(Err(why)),
    };
    let (from, to) = chatterer.signal_span();
    let readings = city
        .history
        .readings(site, &point.id, from, to.saturating_add(1), MOST_READINGS)
        .await?;
    tokio::task::spawn_blocking(move || propose(&definition, &readings, &allowed))
        .await
        .map_err(|_| ApiError::NotReady("kpi"))
}

/// How the alarm judges, as far as its gateway says.
fn told(point: &ModelPoint, alarm: &str) -> Result<(Definition, Allowed), Unproposed> {
    let suffix = suffix(alarm);
    let definition = match suffix {
        "HH" | "H" | "L" | "LL" => {
            let limit = point.limits.iter().find(|limit| limit.alarm == alarm);
            limit.and_then(|limit| of_limit(limit, suffix))
        }
        "ON" => (point.on.as_ref()).and_then(|judged| {
            let when = judged.when?;
            of_judged(judged, Condition::Discrete { when })
        }),
        "BAD" => (point.bad.as_ref()).and_then(|judged| of_judged(judged, Condition::Bad)),
        _ => return Err(Unproposed::NoSignal),
    };
    let allowed = point.may_wait_ms.zip(point.low.zip(point.high));
    let allowed = allowed.map(|(later_ms, range)| Allowed {
        range,
        decimals: point.decimals.unwrap_or(0),
        later_ms,
    });
    definition.zip(allowed).ok_or(Unproposed::NotTold)
}

fn suffix(alarm: &str) -> &str {
    alarm.rsplit_once('.').map_or("", |(_, suffix)| suffix)
}

fn of_limit(limit: &ModelLimit, suffix: &str) -> Option<Definition> {
    let (set_point, deadband) = limit.set_point.zip(limit.deadband)?;
    let condition = match suffix {
        "HH" => Condition::HiHi {
            set_point,
            deadband,
        },
        "H" => Condition::Hi {
            set_point,
            deadband,
        },
        "L" => Condition::Lo {
            set_point,
            deadband,
        },
        "LL" => Condition::LoLo {
            set_point,
            deadband,
        },
        _ => return None,
    };
    let judged = ModelJudged {
        when: None,
        priority: limit.priority,
        on_delay_ms: limit.on_delay_ms,
        off_delay_ms: limit.off_delay_ms,
    };
    Some(Definition {
        gas_level_2: limit.gas_level_2?,
        ..of_judged(&judged, condition)?
    })
}

/// What shelving, latch and re-alarm would be plays no part in when it trips.
fn of_judged(judged: &ModelJudged, condition: Condition) -> Option<Definition> {
    Some(Definition {
        condition,
        priority: Priority::from_number(judged.priority?)?,
        on_delay_ms: judged.on_delay_ms?,
        off_delay_ms: judged.off_delay_ms?,
        latching: false,
        gas_level_2: false,
        re_alarm_ms: None,
        shelve_max_minutes: 0,
        remote_reset: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point() -> ModelPoint {
        ModelPoint {
            id: "PT-7".into(),
            low: Some(0.0),
            high: Some(10.0),
            decimals: Some(2),
            may_wait_ms: Some(15_000),
            limits: vec![ModelLimit {
                alarm: "PT-7.H".into(),
                set_point: Some(8.0),
                deadband: Some(0.1),
                on_delay_ms: Some(500),
                off_delay_ms: Some(0),
                gas_level_2: Some(false),
                priority: Some(3),
                ..ModelLimit::default()
            }],
            on: Some(ModelJudged {
                when: Some(false),
                priority: Some(2),
                on_delay_ms: Some(0),
                off_delay_ms: Some(1_000),
            }),
            ..ModelPoint::default()
        }
    }

    #[test]
    fn an_alarm_is_judged_as_its_gateway_says() {
        let (definition, allowed) = told(&point(), "PT-7.H").expect("told");
        let hi = Condition::Hi {
            set_point: 8.0,
            deadband: 0.1,
        };
        assert_eq!((definition.condition, definition.on_delay_ms), (hi, 500));
        assert_eq!((allowed.range, allowed.later_ms), ((0.0, 10.0), 15_000));
        let (definition, _) = told(&point(), "PT-7.ON").expect("told");
        assert_eq!(definition.condition, Condition::Discrete { when: false });
    }

    #[test]
    fn what_an_older_gateway_does_not_say_is_not_guessed() {
        let mut old = point();
        old.limits[0].off_delay_ms = None;
        assert_eq!(told(&old, "PT-7.H").err(), Some(Unproposed::NotTold));
        let old = ModelPoint {
            may_wait_ms: None,
            ..point()
        };
        assert_eq!(told(&old, "PT-7.H").err(), Some(Unproposed::NotTold));
        assert_eq!(told(&point(), "PT-7.BAD").err(), Some(Unproposed::NotTold));
        assert_eq!(
            told(&point(), "PT-7.STALE").err(),
            Some(Unproposed::NoSignal)
        );
    }
}
