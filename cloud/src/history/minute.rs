//! The minutes of a span by the trends of any engine, where it has no quicker way.

use super::rollup::MINUTE_MS;
use super::{Bucket, History, HistoryError, Minute, SeriesQuery};

/// Buckets of one trend: as many as an engine makes.
const MOST: u32 = 10_000;

/// Asks for trends whose buckets are minutes.
pub(super) async fn of_series<H: History + ?Sized>(
    history: &H,
    (site, point): (&str, &str),
    (from_ms, to_ms): (i64, i64),
) -> Result<Vec<Minute>, HistoryError> {
    let mut found: Vec<Minute> = Vec::new();
    let mut next_ms = from_ms;
    while next_ms < to_ms {
        let end_ms = next_ms
            .saturating_add(i64::from(MOST) * MINUTE_MS)
            .min(to_ms);
        let buckets = (end_ms - next_ms).div_euclid(MINUTE_MS).max(1);
        let series = history.series(SeriesQuery {
            site: site.to_owned(),
            point: point.to_owned(),
            from_ms: next_ms,
            to_ms: end_ms,
            buckets: u32::try_from(buckets).unwrap_or(MOST),
        });
        for bucket in &series.await?.buckets {
            add(&mut found, bucket);
        }
        next_ms = end_ms;
    }
    Ok(found)
}

/// A bucket is a minute, or a reading where there are few.
fn add(found: &mut Vec<Minute>, bucket: &Bucket) {
    let time_ms = bucket.time_ms.div_euclid(MINUTE_MS) * MINUTE_MS;
    match found.last_mut() {
        Some(last) if last.time_ms == time_ms => {
            last.readings = last.readings.saturating_add(bucket.count);
            last.good = last.good.saturating_add(bucket.good);
        }
        _ => found.push(Minute {
            time_ms,
            readings: bucket.count,
            good: bucket.good,
        }),
    }
}
