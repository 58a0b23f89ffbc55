//! How many alarms call for a person now, by site.

use super::condition::{Condition, Scope};
use super::engine::{Row, StoreError, Value};
use super::transition::{number, shown};
use super::{Records, RecordsError};
use davy_alarm::Cause;
use davy_kpi::{FLOOD_LEAD_MS, FloodNow, annunciates, flood_now};
use std::collections::HashMap;

/// Most lines that are looked at, the newest: of two hours, of all sites of a scope.
const MOST_LINES: usize = 100_000;

impl Records {
    /// The load of each site of the scope that had an annunciation within the last two hours. The cost is that of the lines of that time.
    pub async fn loads(
        &self,
        scope: &Scope,
        now_ms: i64,
    ) -> Result<HashMap<String, FloodNow>, RecordsError> {
        let mut condition = Condition::default();
        condition.add(
            "t.time_ms > ? AND t.time_ms <= ?",
            [
                Value::from(now_ms.saturating_sub(FLOOD_LEAD_MS)),
                Value::from(now_ms),
            ],
        );
        condition.within(scope);
        let sql = format!(
            "SELECT t.site, t.time_ms, t.cause, t.to_state FROM transitions t JOIN sites s ON s.site = t.site{} \
             ORDER BY t.time_ms DESC LIMIT {MOST_LINES}",
            condition.sql()
        );
        let rows = self.engine.read(sql, condition.values).await?;
        let mut times: HashMap<String, Vec<i64>> = HashMap::new();
        for row in rows.iter().rev() {
            if let Some((site, time_ms)) = annunciation(row)? {
                times.entry(site).or_default().push(time_ms);
            }
        }
        let load = |(site, times): (String, Vec<i64>)| (site, flood_now(&times, now_ms));
        Ok(times.into_iter().map(load).collect())
    }
}

fn annunciation(row: &Row) -> Result<Option<(String, i64)>, StoreError> {
    let cause = number(row.int(2)?, "cause", |code| {
        Cause::from_code(u8::try_from(code).ok()?)
    })?;
    let to = number(row.int(3)?, "alarm state", shown)?;
    if annunciates(cause, to) {
        Ok(Some((row.text(0)?, row.int(1)?)))
    } else {
        Ok(None)
    }
}
