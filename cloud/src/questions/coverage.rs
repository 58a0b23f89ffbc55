//! How much of a span each point was really measured, by the minute.
//!
//! A gateway sends every point at least once a heartbeat (60 s, unless its site file says otherwise), and at once when a value becomes bad or none. So a minute is
//! measured if a good reading came in it; or if no reading came in it and it lies between two minutes with good readings that are no further apart than the
//! heartbeat and a minute: a heartbeat of a minute falls to either side of one. A minute in which only readings came that are not good is not measured, and a
//! minute in which nothing came and that no heartbeat explains neither. So less than two minutes may be counted that were not measured, at each end of a silence;
//! a single reading an hour counts as a minute of it. What came before the span and after it counts as far as it vouches for minutes within.

use super::points::Point;
use super::{Asked, Page, Stores, cursor};
use crate::api::{ApiError, is_output};
use crate::history::{History, Minute};
use crate::table::{Column, Kind, Row, row};
use davy_alarm::Quality;
use davy_config::site::SHORTEST_PERIOD_MS;
use futures_util::future::try_join_all;

pub(super) const COLUMNS: [Column; 9] = [
    Column::new("site", Kind::Code),
    Column::new("point", Kind::Code),
    Column::new("name", Kind::Text),
    Column::new("coverage", Kind::Share),
    Column::new("measured", Kind::Lasting),
    Column::new("missing", Kind::Lasting),
    Column::new("readings", Kind::Whole),
    Column::new("good", Kind::Whole),
    Column::new("last-measured", Kind::Time),
];

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 1_440 * MINUTE_MS;
/// Longest span: a leap year and a day of either edge. One that is longer is refused.
const MOST_MS: i64 = 368 * DAY_MS;
/// What one look into the history spans: its memory.
const LOOK_MS: i64 = 31 * DAY_MS;
/// Days of all the points of a page together, and its most points: what is looked through takes some tenths of a second.
const DAYS_A_PAGE: i64 = 2 * 368;
const POINTS_A_PAGE: i64 = 50;
/// A minute at the shortest period that a site file may name.
const READINGS_A_MINUTE: usize = 60_000 / SHORTEST_PERIOD_MS as usize;

pub(super) async fn coverage(stores: Stores<'_>, asked: &Asked) -> Result<Page, ApiError> {
    let site = asked.site.as_deref().unwrap_or_default();
    let Some(span) = span(asked)? else {
        return Ok(Page::default());
    };
    let known = asked.points(stores).await?;
    let wanted = |id: &String| asked.points.is_empty() || asked.points.contains(id);
    let after = asked.cursor.as_deref().map(cursor::read::<0>).transpose()?;
    let after = after.map_or("", |(_, id)| id);
    // What an output is told is no measurement.
    let mut rest = (known.iter()).filter(|(id, _)| {
        !is_output(id) && wanted(id) && (asked.cursor.is_none() || id.as_str() > after)
    });
    let page: Vec<(&String, &Point)> = rest.by_ref().take(points_a_page(span)).collect();
    let next = rest.next().and(page.last());
    let next = next.map(|(id, _)| cursor::write(&[], id));
    let all = page.iter().map(async |(id, point)| {
        let found = measured(stores.history, (site, id), point, span).await?;
        let last_ms = last_measured(stores.history, (site, id), &found).await?;
        Ok::<_, ApiError>(found.row(site, id, point, last_ms))
    });
    Ok(Page::part(try_join_all(all).await?, next))
}

/// The whole minutes of the question that are over.
pub(super) fn span(asked: &Asked) -> Result<Option<(i64, i64)>, ApiError> {
    let to_ms = up_to_minute(asked.to_ms).min(minute_of(asked.now_ms));
    let from_ms = minute_of(asked.from_ms);
    if to_ms.saturating_sub(from_ms) > MOST_MS {
        return Err(ApiError::Refused {
            why: "too-long-a-span",
        });
    }
    Ok((from_ms < to_ms).then_some((from_ms, to_ms)))
}

/// Where the minute of a time begins.
const fn minute_of(ms: i64) -> i64 {
    ms.div_euclid(MINUTE_MS) * MINUTE_MS
}

const fn up_to_minute(ms: i64) -> i64 {
    minute_of(ms.saturating_add(MINUTE_MS - 1))
}

fn points_a_page((from_ms, to_ms): (i64, i64)) -> usize {
    let days = (to_ms - from_ms).div_euclid(DAY_MS).max(1);
    (DAYS_A_PAGE / days).clamp(1, POINTS_A_PAGE) as usize
}

async fn measured(
    history: &dyn History,
    (site, point): (&str, &str),
    known: &Point,
    span: (i64, i64),
) -> Result<Found, ApiError> {
    let mut found = Found::of(known.heartbeat_ms, span);
    let (mut begins_ms, end_ms) = found.around();
    while begins_ms < end_ms {
        let ends_ms = begins_ms.saturating_add(LOOK_MS).min(end_ms);
        let minutes = history.minutes(site, point, begins_ms, ends_ms).await?;
        minutes.iter().for_each(|minute| found.add(minute));
        begins_ms = ends_ms;
    }
    Ok(found)
}

/// When a good reading last came: looked up in the last minute that holds one.
async fn last_measured(
    history: &dyn History,
    (site, point): (&str, &str),
    found: &Found,
) -> Result<Option<i64>, ApiError> {
    let Some(minute_ms) = found.last_measured_ms else {
        return Ok(None);
    };
    let end_ms = minute_ms + MINUTE_MS;
    let readings = history
        .readings(site, point, minute_ms, end_ms, READINGS_A_MINUTE)
        .await?;
    let last = (readings.iter()).rfind(|reading| reading.quality() == Quality::Good);
    Ok(Some(last.map_or(minute_ms, |last| last.source_time().0)))
}

/// What was found of a point within a span, minute after minute.
#[derive(Debug, PartialEq)]
struct Found {
    from_ms: i64,
    to_ms: i64,
    /// How far apart two minutes with good readings may begin, if nothing came between them.
    apart_ms: i64,
    measured_ms: i64,
    readings: i64,
    good: i64,
    /// The last minute of the span with a good reading.
    last_measured_ms: Option<i64>,
    /// The last minute with a good reading, and with any, also before the span and after it.
    last_good_ms: Option<i64>,
    last_ms: Option<i64>,
}

impl Found {
    fn of(heartbeat_ms: i64, (from_ms, to_ms): (i64, i64)) -> Self {
        Self {
            from_ms,
            to_ms,
            apart_ms: heartbeat_ms.saturating_add(MINUTE_MS),
            measured_ms: 0,
            readings: 0,
            good: 0,
            last_measured_ms: None,
            last_good_ms: None,
            last_ms: None,
        }
    }

    /// Where minutes lie that vouch for minutes of the span.
    fn around(&self) -> (i64, i64) {
        let apart_ms = up_to_minute(self.apart_ms);
        let from_ms = self.from_ms.saturating_sub(apart_ms).max(0);
        (from_ms, self.to_ms.saturating_add(apart_ms))
    }

    fn add(&mut self, minute: &Minute) {
        let is_within = (self.from_ms..self.to_ms).contains(&minute.time_ms);
        if is_within {
            self.readings += i64::from(minute.readings);
            self.good += i64::from(minute.good);
        }
        let before_ms = self.last_ms.replace(minute.time_ms);
        if minute.good == 0 {
            return;
        }
        if is_within {
            self.last_measured_ms = Some(minute.time_ms);
        }
        let last_ms = self.last_good_ms.replace(minute.time_ms);
        // Nothing came between, not even what is not good.
        let last_ms = last_ms.filter(|_| last_ms == before_ms);
        let begins_ms = match last_ms {
            Some(last_ms) if minute.time_ms - last_ms <= self.apart_ms => last_ms + MINUTE_MS,
            _ => minute.time_ms,
        };
        self.measured_ms += self.within(begins_ms, minute.time_ms + MINUTE_MS);
    }

    /// How much of a stretch of time lies within the span.
    fn within(&self, begins_ms: i64, ends_ms: i64) -> i64 {
        (ends_ms.min(self.to_ms) - begins_ms.max(self.from_ms)).max(0)
    }

    fn row(&self, site: &str, id: &str, point: &Point, last_ms: Option<i64>) -> Row {
        let span_ms = self.to_ms - self.from_ms;
        row![
            site,
            id,
            point.name.clone(),
            self.measured_ms as f64 / span_ms as f64,
            self.measured_ms,
            span_ms - self.measured_ms,
            self.readings,
            self.good,
            last_ms,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(heartbeat_ms: i64, minutes: &[(i64, u32, u32)]) -> Found {
        found_in((0, DAY_MS), heartbeat_ms, minutes)
    }

    fn found_in(span: (i64, i64), heartbeat_ms: i64, minutes: &[(i64, u32, u32)]) -> Found {
        let mut found = Found::of(heartbeat_ms, span);
        for (minute, readings, good) in minutes {
            found.add(&Minute {
                time_ms: minute * MINUTE_MS,
                readings: *readings,
                good: *good,
            });
        }
        found
    }

    #[test]
    fn a_minute_of_many_readings_in_an_hour_is_a_minute() {
        let found = found(MINUTE_MS, &[(7, 60, 60)]);
        assert_eq!(found.measured_ms, MINUTE_MS);
        assert_eq!((found.readings, found.good), (60, 60));
    }

    #[test]
    fn a_minute_that_a_heartbeat_skipped_is_measured_and_a_longer_silence_is_not() {
        let measured = |minutes: &[_]| found(MINUTE_MS, minutes).measured_ms / MINUTE_MS;
        assert_eq!(measured(&[(0, 1, 1), (1, 1, 1)]), 2);
        assert_eq!(measured(&[(0, 1, 1), (2, 1, 1)]), 3);
        assert_eq!(measured(&[(0, 1, 1), (3, 1, 1)]), 2);
    }

    #[test]
    fn a_slower_heartbeat_vouches_for_longer() {
        let measured = |apart| found(5 * MINUTE_MS, &[(0, 1, 1), (apart, 1, 1)]).measured_ms;
        assert_eq!(measured(5), 6 * MINUTE_MS);
        assert_eq!(measured(6), 7 * MINUTE_MS);
        assert_eq!(measured(7), 2 * MINUTE_MS);
    }

    #[test]
    fn what_was_bad_between_is_not_measured() {
        let found = found(5 * MINUTE_MS, &[(0, 1, 1), (1, 1, 0), (3, 1, 1)]);
        assert_eq!(found.measured_ms, 2 * MINUTE_MS);
        assert_eq!(found.last_measured_ms, Some(3 * MINUTE_MS));
    }

    #[test]
    fn a_heartbeat_over_an_end_of_the_span_vouches_for_what_lies_within() {
        let hour = (60 * MINUTE_MS, 120 * MINUTE_MS);
        let of = |minutes: &[_]| found_in(hour, 90 * MINUTE_MS, minutes);
        // Read every ninety minutes: the hour lies between two readings, or one of them in it.
        let between = of(&[(50, 1, 1), (140, 1, 1)]);
        assert_eq!(between.measured_ms, 60 * MINUTE_MS);
        assert_eq!((between.readings, between.last_measured_ms), (0, None));
        let one = of(&[(10, 1, 1), (100, 1, 1), (190, 1, 1)]);
        assert_eq!(one.measured_ms, 60 * MINUTE_MS);
        assert_eq!((one.readings, one.good), (1, 1));
        assert_eq!(one.last_measured_ms, Some(100 * MINUTE_MS));
        // Nothing followed, and nothing came before.
        assert_eq!(of(&[(10, 1, 1), (100, 1, 1)]).measured_ms, 41 * MINUTE_MS);
        assert_eq!(of(&[(100, 1, 1)]).measured_ms, MINUTE_MS);
        assert_eq!(of(&[(10, 1, 1), (110, 1, 0)]).measured_ms, 0);
        assert_eq!(of(&[]).around(), (0, (120 + 91) * MINUTE_MS));
    }

    #[test]
    fn a_page_holds_fewer_points_of_a_longer_span() {
        assert_eq!(points_a_page((0, 368 * DAY_MS)), 2);
        assert_eq!(points_a_page((0, 30 * DAY_MS)), 24);
        assert_eq!(points_a_page((0, MINUTE_MS)), 50);
    }
}
