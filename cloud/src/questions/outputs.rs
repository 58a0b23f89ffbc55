//! What the outputs of a site were told, on its timeline: a valve that shut is what an inquiry asks about first. Gateways send an output when what it is told
//! changes, so that each of its readings is an event.
//!
//! The history tells a span oldest first, so what is newest in it is found by looking back, a little further each time.

use super::events::{After, Event, OUTPUT, blank};
use super::{Asked, Stores, points};
use crate::api::{ApiError, is_output};
use crate::table::Row;
use davy_alarm::Reading;

/// The first look back; each next one is eight times as long, until there are rows for a page.
const FIRST_MS: i64 = 6 * 3_600_000;
const LONGER: i64 = 8;
/// Readings that one look holds, of all outputs: its memory. A look into times with more is shortened.
const MOST_AT_ONCE: usize = 20_000;

/// The newest of what was told, older than the cursor and no older than the floor: as many as a page, or all of them.
pub(super) async fn switched(
    stores: Stores<'_>,
    asked: &Asked,
    after: Option<&After<'_>>,
    floor_ms: i64,
) -> Result<Vec<Event>, ApiError> {
    let known = asked.points(stores).await?;
    let outputs: Vec<_> = known.iter().filter(|(id, _)| is_output(id)).collect();
    if outputs.is_empty() {
        return Ok(Vec::new());
    }
    let site = asked.site.as_deref().unwrap_or_default();
    let (before_ms, place) = after.map_or((asked.to_ms, None), |after| after.before(OUTPUT));
    let is_older = |id: &str, time_ms: i64| match (after, place) {
        (Some(after), Some(place)) if time_ms == after.time_ms() => id < place,
        _ => true,
    };
    // Nothing is told from times that are yet to come, but a gateway's clock may run ahead.
    let mut to_ms = before_ms.min(asked.to_ms);
    let mut look_ms = FIRST_MS;
    let mut events: Vec<Event> = Vec::new();
    while to_ms > floor_ms && events.len() < asked.limit as usize {
        let from_ms = to_ms.saturating_sub(look_ms).max(floor_ms);
        let Some(told) = look(stores, site, &outputs, (from_ms, to_ms)).await? else {
            look_ms = ((to_ms - from_ms) / LONGER).max(1);
            continue;
        };
        for ((id, point), reading) in told {
            let time_ms = reading.source_time().0;
            if is_older(id, time_ms) {
                let row = row(site, id, point, &reading);
                events.push(Event::new(time_ms, OUTPUT, id.clone(), row));
            }
        }
        to_ms = from_ms;
        look_ms = look_ms.saturating_mul(LONGER);
    }
    Ok(events)
}

/// An output as the history and the site know it.
type Output<'a> = (&'a String, &'a points::Point);

/// What the outputs were told within a span; none where that is more than a look holds. Of one millisecond it is told whatever it is: there each output has one
/// reading at the most.
async fn look<'a>(
    stores: Stores<'_>,
    site: &str,
    outputs: &[Output<'a>],
    (from_ms, to_ms): (i64, i64),
) -> Result<Option<Vec<(Output<'a>, Reading)>>, ApiError> {
    let mut told = Vec::new();
    for output in outputs {
        let (id, _) = output;
        let found = stores
            .history
            .readings(site, id, from_ms, to_ms, MOST_AT_ONCE);
        told.extend(found.await?.into_iter().map(|reading| (*output, reading)));
        if told.len() >= MOST_AT_ONCE && to_ms - from_ms > 1 {
            return Ok(None);
        }
    }
    Ok(Some(told))
}

fn row(site: &str, id: &str, point: &points::Point, reading: &Reading) -> Row {
    let mut cells = blank(reading.source_time().0, "output", site);
    cells[3] = points::subject(id).into();
    cells[4] = point.name.clone().into();
    match reading.value() {
        Ok(value) => {
            cells[5] = if value == 0.0 {
                "output-off"
            } else {
                "output-on"
            }
            .into();
            cells[8] = value.into();
        }
        Err(cause) => cells[5] = cause.name().into(),
    }
    cells
}
