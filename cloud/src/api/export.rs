//! Exports: the same answers as files, streamed a page at a time, so that a year of a site takes no more memory than a day. Each is in the audit log before
//! its first byte leaves.

use super::City;
use super::access::Caller;
use super::csv::{Chunk, CsvQuery, Form, READINGS_A_CHUNK, after, is_last};
use super::error::{ApiError, ErrorBody};
use super::query::{AlarmQuery, Span, split};
use super::shapes;
use crate::audit::Entry;
use crate::message::Language;
use crate::records::{Gap, OccurrenceFilter, Scope};
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::try_unfold;
use serde::Deserialize;
use std::collections::VecDeque;
use utoipa::IntoParams;

/// Occurrences of one chunk.
const ROWS_A_CHUNK: u32 = 1_000;
/// Points of one file of readings.
const MOST_POINTS: usize = 100;

pub(super) fn form(city: &City, query: &CsvQuery, headers: &HeaderMap) -> Result<Form, ApiError> {
    let preferred = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    query.form(
        city.zone,
        Language::from_preference(preferred.unwrap_or("")),
    )
}

pub(super) async fn audit(
    city: &City,
    caller: &Caller,
    subject: &str,
    detail: serde_json::Value,
) -> Result<(), ApiError> {
    let entry = Entry {
        time_ms: city.now_ms(),
        actor: caller.person.id.clone(),
        action: "export",
        subject: subject.to_owned(),
        detail,
    };
    city.records.audit(&entry).await?;
    Ok(())
}

pub(super) fn file(name: &str, body: Body) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    (
        [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (header::CONTENT_DISPOSITION, disposition),
        ],
        body,
    )
        .into_response()
}

/// The alarm history as CSV; `cursor` and `limit` are passed over.
#[utoipa::path(get, path = "/api/history/alarms.csv", params(AlarmQuery, CsvQuery),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 400, body = ErrorBody)))]
pub(crate) async fn alarms_csv(
    State(city): State<City>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<AlarmQuery>,
    Query(csv): Query<CsvQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let form = form(&city, &csv, &headers)?;
    let whole = AlarmQuery {
        cursor: None,
        limit: None,
        ..query
    };
    let filter = OccurrenceFilter {
        limit: ROWS_A_CHUNK,
        ..whole.filter(caller.scope(), city.now_ms())?
    };
    let (site, town) = (filter.site.as_deref(), filter.town.as_deref());
    let gaps = city
        .records
        .gaps(&filter.scope, site, town, filter.from_ms, filter.to_ms)
        .await?;
    let detail = serde_json::json!({ "site": site, "town": town, "from_ms": whole.from_ms, "to_ms": whole.to_ms,
        "condition": whole.condition, "priority": whole.priority });
    audit(&city, &caller, "alarms.csv", detail).await?;
    let start = AlarmFile {
        city,
        form,
        filter,
        gaps,
        state: Progress::Head,
    };
    Ok(file(
        "davy-alarms.csv",
        Body::from_stream(try_unfold(start, AlarmFile::next)),
    ))
}

/// How far a file has come.
enum Progress {
    Head,
    Rows,
    Gaps,
    Done,
}

struct AlarmFile {
    city: City,
    form: Form,
    filter: OccurrenceFilter,
    gaps: Vec<Gap>,
    state: Progress,
}

impl AlarmFile {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, ApiError> {
        let bytes = match self.state {
            Progress::Head => {
                self.state = Progress::Rows;
                Chunk::alarm_head(self.form)
            }
            Progress::Rows => self.rows().await?,
            Progress::Gaps => {
                self.state = Progress::Done;
                let mut chunk = Chunk::new(self.form);
                self.gaps.iter().for_each(|gap| chunk.alarm_gap(gap));
                chunk.into_bytes()
            }
            Progress::Done => return Ok(None),
        };
        Ok(Some((bytes.into(), self)))
    }

    async fn rows(&mut self) -> Result<Vec<u8>, ApiError> {
        let found = self.city.records.occurrences(&self.filter).await?;
        if found.len() < ROWS_A_CHUNK as usize {
            self.state = Progress::Gaps;
        }
        self.filter.after = found.last().map(|last| last.key());
        let mut chunk = Chunk::new(self.form);
        found.iter().for_each(|one| chunk.alarm(one));
        Ok(chunk.into_bytes())
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReadingsQuery {
    /// Ids with commas between them, at most a hundred.
    points: String,
    /// UTC milliseconds.
    from_ms: i64,
    to_ms: i64,
}

/// Readings with quality and cause, point after point, as CSV.
#[utoipa::path(get, path = "/api/sites/{site}/readings.csv", params(("site" = String, Path), ReadingsQuery, CsvQuery),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 400, body = ErrorBody), (status = 403, body = ErrorBody)))]
pub(crate) async fn readings_csv(
    State(city): State<City>,
    Path(site): Path<String>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<ReadingsQuery>,
    Query(csv): Query<CsvQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let form = form(&city, &csv, &headers)?;
    let span = Span::new(query.from_ms, query.to_ms)?;
    let points = split(&query.points);
    if points.is_empty() || points.len() > MOST_POINTS {
        return Err(ApiError::BadRequest {
            field: "points".into(),
        });
    }
    let known = city
        .records
        .site(&site)
        .await?
        .ok_or(ApiError::Unknown { what: "site" })?;
    let gaps = city
        .records
        .gaps(&Scope::All, Some(&site), None, span.from_ms, span.to_ms)
        .await?;
    let detail =
        serde_json::json!({ "points": points, "from_ms": span.from_ms, "to_ms": span.to_ms });
    audit(&city, &caller, &site, detail).await?;
    let model = shapes::model(&known);
    let unit = |id: &String| {
        model
            .points
            .iter()
            .find(|point| point.id == *id)
            .map_or("", |point| &point.unit)
            .to_owned()
    };
    let points = points.into_iter().map(|id| (unit(&id), id)).collect();
    let start = ReadingFile {
        city,
        form,
        site,
        span,
        from_ms: span.from_ms,
        points,
        gaps,
        state: Progress::Head,
    };
    Ok(file(
        "davy-readings.csv",
        Body::from_stream(try_unfold(start, ReadingFile::next)),
    ))
}

struct ReadingFile {
    city: City,
    form: Form,
    site: String,
    span: Span,
    /// Where the next page of the first point begins.
    from_ms: i64,
    /// Units and ids of the points still to write.
    points: VecDeque<(String, String)>,
    gaps: Vec<Gap>,
    state: Progress,
}

impl ReadingFile {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, ApiError> {
        let bytes = match self.state {
            Progress::Head => {
                self.state = Progress::Rows;
                Chunk::reading_head(self.form)
            }
            Progress::Rows => self.rows().await?,
            Progress::Gaps => {
                self.state = Progress::Done;
                let mut chunk = Chunk::new(self.form);
                self.gaps.iter().for_each(|gap| chunk.reading_gap(gap));
                chunk.into_bytes()
            }
            Progress::Done => return Ok(None),
        };
        Ok(Some((bytes.into(), self)))
    }

    async fn rows(&mut self) -> Result<Vec<u8>, ApiError> {
        let mut chunk = Chunk::new(self.form);
        let Some((unit, point)) = self.points.front() else {
            self.state = Progress::Gaps;
            return Ok(chunk.into_bytes());
        };
        let page = self
            .city
            .history
            .readings(
                &self.site,
                point,
                self.from_ms,
                self.span.to_ms,
                READINGS_A_CHUNK,
            )
            .await?;
        page.iter()
            .for_each(|reading| chunk.reading(&self.site, point, unit, reading));
        match page.last().filter(|_| !is_last(&page)) {
            Some(last) => self.from_ms = after(last),
            None => {
                self.points.pop_front();
                self.from_ms = self.span.from_ms;
            }
        }
        Ok(chunk.into_bytes())
    }
}
