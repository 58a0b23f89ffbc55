//! Retention by class of data, as the settings say and the holds allow. Readings and rollups go by whole months, and so every month that a hold reaches back to
//! stays, of every site; rollups may stay longer than their readings; alarms go row by row, but for the site and time of a hold; the audit log goes from its beginning, up to the earliest hold.

use crate::history::{History, HistoryError};
use crate::records::{Records, RecordsError, Step};
use crate::settings::Retention;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

/// Why a class did not do its work; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    #[error(transparent)]
    Records(#[from] RecordsError),
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// What was taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Months of readings before this time, if some were asked to go.
    pub readings_before_ms: Option<i64>,
    /// Months of rollups before this time, where they have a time of their own.
    pub rollups_before_ms: Option<i64>,
    pub alarm_rows: u64,
    pub audit_rows: i64,
}

/// A round of retention: what went, and the classes that could not do all of their work, each by its key in the settings.
#[derive(Debug, Default)]
pub struct Round {
    pub taken: Taken,
    pub failed: Vec<(&'static str, RetentionError)>,
}

impl Round {
    /// What a class took; nothing where it failed.
    fn note<T: Default>(&mut self, class: &'static str, done: Result<T, RetentionError>) -> T {
        done.unwrap_or_else(|error| {
            self.failed.push((class, error));
            T::default()
        })
    }
}

/// Up to when the history has forgotten, by class, and since when this process knows: asking again costs a look at all that it holds, and only what came late since
/// is found by it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reached {
    readings: Option<Done>,
    rollups: Option<Done>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Done {
    before_ms: i64,
    at_ms: i64,
}

/// A history that has forgotten up to a time is asked again so much later.
const AGAIN_AFTER_MS: i64 = 86_400_000;

impl Done {
    /// Whether a history that has done this need not be asked to forget up to then.
    fn is_enough(done: Option<Self>, before_ms: i64, now_ms: i64) -> bool {
        let young = 0..AGAIN_AFTER_MS;
        done.is_some_and(|done| {
            done.before_ms == before_ms && young.contains(&(now_ms - done.at_ms))
        })
    }
}

/// Takes away what is older than it must be. A class that fails keeps no other from its work.
pub async fn enforce(
    retention: &Retention,
    records: &Records,
    history: &dyn History,
    reached: &mut Reached,
    now_ms: i64,
) -> Round {
    let keeping = Keeping {
        records,
        history,
        now_ms,
    };
    let mut round = Round::default();
    if let Some(months) = retention.readings_months {
        let keeps_rollups = retention.rollups_months.is_some();
        let done = keeping.readings(months, keeps_rollups, &mut reached.readings);
        let done = done.await;
        round.taken.readings_before_ms = round.note("readings_months", done);
    }
    if let Some(months) = retention.rollups_months {
        let done = keeping.rollups(months, &mut reached.rollups).await;
        round.taken.rollups_before_ms = round.note("rollups_months", done);
    }
    if let Some(months) = retention.alarms_months {
        let before_ms = months_before(now_ms, months);
        let done = records.purge_alarms(before_ms, now_ms).await;
        round.taken.alarm_rows = round.note("alarms_months", done.map_err(Into::into));
    }
    if let Some(months) = retention.audit_months {
        let before_ms = months_before(now_ms, months);
        let done = records.purge_audit(before_ms, now_ms).await;
        round.taken.audit_rows = round.note("audit_months", done.map_err(Into::into));
    }
    round
}

/// What the classes of the history work on.
struct Keeping<'a> {
    records: &'a Records,
    history: &'a dyn History,
    now_ms: i64,
}

impl Keeping<'_> {
    async fn readings(
        &self,
        months: u32,
        keeps_rollups: bool,
        done: &mut Option<Done>,
    ) -> Result<Option<i64>, RetentionError> {
        let step = self.step("readings", months).await?;
        // Also when the step was taken before: a history that was away then still has them, and forgetting again changes nothing.
        if !Done::is_enough(*done, step.before_ms, self.now_ms) {
            match keeps_rollups {
                true => self.history.forget_readings_before(step.before_ms).await?,
                false => self.history.forget_before(step.before_ms).await?,
            }
            *done = Some(self.done(step));
        }
        Ok(step.is_first.then_some(step.before_ms))
    }

    async fn rollups(
        &self,
        months: u32,
        done: &mut Option<Done>,
    ) -> Result<Option<i64>, RetentionError> {
        let step = self.step("rollups", months).await?;
        if !Done::is_enough(*done, step.before_ms, self.now_ms) {
            self.history.forget_before(step.before_ms).await?;
            *done = Some(self.done(step));
        }
        Ok(step.is_first.then_some(step.before_ms))
    }

    const fn done(&self, step: Step) -> Done {
        Done {
            before_ms: step.before_ms,
            at_ms: self.now_ms,
        }
    }

    async fn step(&self, class: &str, months: u32) -> Result<Step, RecordsError> {
        let before_ms = months_before(self.now_ms, months);
        self.records
            .retention_step(class, before_ms, self.now_ms)
            .await
    }
}

/// The beginning of the UTC month that lies so many whole months behind the present one.
fn months_before(now_ms: i64, months: u32) -> i64 {
    let begin = || {
        let now = Timestamp::from_millisecond(now_ms).ok()?;
        let now = Offset::UTC.to_datetime(now);
        let months = i64::from(now.year()) * 12 + i64::from(now.month()) - 1 - i64::from(months);
        let year = i16::try_from(months.div_euclid(12)).ok()?;
        let month = i8::try_from(months.rem_euclid(12) + 1).ok()?;
        let first = Date::new(year, month, 1).ok()?.at(0, 0, 0, 0);
        let first = Offset::UTC.to_timestamp(first).ok()?;
        Some(first.as_millisecond())
    };
    // What cannot be reckoned takes nothing away.
    begin().unwrap_or(i64::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_counted_whole_behind_the_present_one() {
        // 2026-11-29T13:00:00Z.
        let now_ms = 1_795_957_200_000;
        let told = |months| {
            let time = Timestamp::from_millisecond(months_before(now_ms, months));
            time.expect("a time").to_string()
        };
        assert_eq!(told(1), "2026-10-01T00:00:00Z");
        assert_eq!(told(36), "2023-11-01T00:00:00Z");
    }
}
