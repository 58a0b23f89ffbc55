//! Parameters that several calls share, read strictly.

use super::error::ApiError;
use crate::records::{OccurrenceFilter, OccurrenceKey, Scope, TransitionKey};
use davy_alarm::Priority;
use serde::Deserialize;
use utoipa::IntoParams;

/// A span of time that is one: `from_ms` < `to_ms`, UTC milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
}

impl Span {
    pub(crate) fn new(from_ms: i64, to_ms: i64) -> Result<Self, ApiError> {
        if from_ms < 0 {
            return Err(ApiError::BadRequest {
                field: "from_ms".into(),
            });
        }
        if to_ms <= from_ms {
            return Err(ApiError::BadRequest {
                field: "to_ms".into(),
            });
        }
        Ok(Self { from_ms, to_ms })
    }
}

/// The parts of a list with commas, without empty ones.
pub(crate) fn split(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A question to the alarm history.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlarmQuery {
    pub(crate) site: Option<String>,
    pub(crate) town: Option<String>,
    /// `HH`, `H`, …; several with commas between them.
    pub(crate) condition: Option<String>,
    /// 1 to 4; several with commas between them.
    pub(crate) priority: Option<String>,
    /// UTC milliseconds; from the beginning if left out.
    pub(crate) from_ms: Option<i64>,
    /// Up to now if left out.
    pub(crate) to_ms: Option<i64>,
    /// Only those that waited longer than this, seconds.
    pub(crate) unacknowledged_over_s: Option<i64>,
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// 1 to 1,000; 100 if left out.
    pub(crate) limit: Option<u32>,
}

const MOST_ROWS: u32 = 1_000;
const ROWS: u32 = 100;

/// Rows of a page.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, ApiError> {
    let limit = asked.unwrap_or(ROWS);
    if (1..=MOST_ROWS).contains(&limit) {
        Ok(limit)
    } else {
        Err(ApiError::BadRequest {
            field: "limit".into(),
        })
    }
}

impl AlarmQuery {
    /// The records' form of the question, limited to what the caller may see.
    pub(crate) fn filter(&self, scope: Scope, now_ms: i64) -> Result<OccurrenceFilter, ApiError> {
        // An alarm of a gateway whose clock runs ahead is not yet over.
        let to_ms = self.to_ms.unwrap_or(i64::MAX);
        let span = Span::new(self.from_ms.unwrap_or(0), to_ms)?;
        let over_s = self.unacknowledged_over_s;
        if over_s.is_some_and(|seconds| seconds < 0) {
            return Err(ApiError::BadRequest {
                field: "unacknowledged_over_s".into(),
            });
        }
        Ok(OccurrenceFilter {
            scope,
            site: self.site.clone(),
            town: self.town.clone(),
            conditions: split(self.condition.as_deref().unwrap_or("")),
            priorities: priorities(self.priority.as_deref().unwrap_or(""))?,
            from_ms: span.from_ms,
            to_ms: span.to_ms,
            unacknowledged_over_ms: over_s.map(|seconds| seconds.saturating_mul(1_000)),
            now_ms,
            after: self
                .cursor
                .as_deref()
                .map(read_occurrence_cursor)
                .transpose()?,
            limit: limit(self.limit)?,
        })
    }
}

pub(crate) fn priorities(list: &str) -> Result<Vec<Priority>, ApiError> {
    let number = |part: &String| part.parse().ok().and_then(Priority::from_number);
    split(list)
        .iter()
        .map(|part| {
            number(part).ok_or(ApiError::BadRequest {
                field: "priority".into(),
            })
        })
        .collect()
}

/// A cursor is the key of the last row: `<raised_ms>.<epoch>.<occurrence>.<site>/<alarm>`; a site's id holds no slash.
pub(crate) fn occurrence_cursor(key: &OccurrenceKey) -> String {
    format!(
        "{}.{}.{}.{}/{}",
        key.raised_ms, key.epoch, key.occurrence, key.site, key.alarm
    )
}

pub(crate) fn read_occurrence_cursor(text: &str) -> Result<OccurrenceKey, ApiError> {
    let read = || {
        let mut parts = text.splitn(4, '.');
        let (raised_ms, epoch) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let occurrence = parts.next()?.parse().ok()?;
        let (site, alarm) = parts.next()?.split_once('/')?;
        Some(OccurrenceKey {
            raised_ms,
            site: site.to_owned(),
            alarm: alarm.to_owned(),
            epoch,
            occurrence,
        })
    };
    read().ok_or(ApiError::BadRequest {
        field: "cursor".into(),
    })
}

/// `<time_ms>.<epoch>.<seq>.<site>`.
pub(crate) fn transition_cursor(key: &TransitionKey) -> String {
    format!("{}.{}.{}.{}", key.time_ms, key.epoch, key.seq, key.site)
}

pub(crate) fn read_transition_cursor(text: &str) -> Result<TransitionKey, ApiError> {
    let read = || {
        let mut parts = text.splitn(4, '.');
        let (time_ms, epoch) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(TransitionKey {
            time_ms,
            epoch,
            seq: parts.next()?.parse().ok()?,
            site: parts.next()?.to_owned(),
        })
    };
    read().ok_or(ApiError::BadRequest {
        field: "cursor".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_reads_back(raised_ms: i64, epoch: i64, occurrence: u32, site in "[^/]{0,12}", alarm in ".{0,12}") {
            let key = OccurrenceKey { raised_ms, site, alarm, epoch, occurrence };
            prop_assert_eq!(read_occurrence_cursor(&occurrence_cursor(&key)).expect("a cursor"), key);
        }

        #[test]
        fn no_text_makes_a_cursor_panic(text in ".{0,40}") {
            let _read = (read_occurrence_cursor(&text), read_transition_cursor(&text));
        }
    }

    #[test]
    fn a_span_ends_after_it_begins() {
        assert!(Span::new(1, 2).is_ok());
        assert!(Span::new(2, 2).is_err());
        assert!(Span::new(-1, 2).is_err());
    }

    #[test]
    fn priorities_are_one_to_four() {
        assert_eq!(
            priorities("1, 4").expect("two"),
            [Priority::P1, Priority::P4]
        );
        assert!(priorities("5").is_err() && priorities("x").is_err());
    }
}
