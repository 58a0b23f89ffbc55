//! Exports: the same answers as files, a page at a time, so that a year of a site takes no more memory than a day. CSV is streamed as it is made; the others
//! are written into a file that nobody else sees, and streamed from there; how many at once is the matter of [`super::spool`]. Each is in the audit log before
//! its first byte leaves, and each that was turned away is not.

use super::City;
use super::access::Caller;
use super::error::{ApiError, ErrorBody};
use super::query::{AlarmQuery, Span, split};
use super::questions::{QuestionQuery, detail, read, stores};
use super::spool::{self, Broken, Pieces, Turn};
use crate::audit::Entry;
use crate::message::Language;
use crate::questions::{Asked, Page, Question, Stores, ask};
use crate::settings::parse_zone;
use crate::table::{Form, Format, Sheet, csv};
use axum::body::Body;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use jiff::tz::Offset;
use serde::Deserialize;
use std::fs::File;
use utoipa::IntoParams;

/// Rows of a page of a file.
pub(super) const ROWS_A_PAGE: u32 = 5_000;
/// Points of one file of readings.
const MOST_POINTS: usize = 100;

/// How a file is to be written.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FormQuery {
    /// Offset of the times, such as `+08:00`; the city's own if left out.
    pub(super) zone: Option<String>,
    /// Of the column heads; the browser's own if left out.
    pub(super) lang: Option<Language>,
}

impl FormQuery {
    /// The zone that was asked for, or this one.
    pub(super) fn zone(&self, otherwise: Offset) -> Result<Offset, ApiError> {
        let Some(text) = self.zone.as_deref() else {
            return Ok(otherwise);
        };
        // A plus sign that nobody escaped comes as a space.
        parse_zone(&text.replace(' ', "+")).ok_or(ApiError::BadRequest {
            field: "zone".into(),
        })
    }
}

pub(super) fn form(city: &City, query: &FormQuery, headers: &HeaderMap) -> Result<Form, ApiError> {
    let preferred = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let preferred = Language::from_preference(preferred.unwrap_or(""));
    Ok(Form {
        zone: query.zone(city.zone)?,
        language: query.lang.unwrap_or(preferred),
    })
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

pub(super) fn file(name: &str, media_type: &str, body: Body) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    (
        [
            (header::CONTENT_TYPE, media_type.to_owned()),
            (header::CONTENT_DISPOSITION, disposition),
        ],
        body,
    )
        .into_response()
}

/// The alarm history as CSV; `cursor` and `limit` are passed over.
#[utoipa::path(get, path = "/api/history/alarms.csv", params(AlarmQuery, FormQuery),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 400, body = ErrorBody)))]
pub(crate) async fn alarms_csv(
    State(city): State<City>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<AlarmQuery>,
    Query(form_query): Query<FormQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let form = form(&city, &form_query, &headers)?;
    let whole = QuestionQuery {
        site: query.site.clone(),
        town: query.town.clone(),
        from_ms: Some(query.from_ms.unwrap_or(0)),
        // An alarm of a gateway whose clock runs ahead is not yet over.
        to_ms: Some(query.to_ms.unwrap_or(i64::MAX)),
        priority: query.priority.clone(),
        condition: query.condition.clone(),
        unacknowledged_over_s: query.unacknowledged_over_s,
        ..QuestionQuery::default()
    };
    let asked = read(&city, &caller, Question::Alarms, &whole)?;
    let turn = city.spool().turn()?;
    let detail = detail(&asked, Format::Csv);
    audit(&city, &caller, "alarms.csv", detail).await?;
    answer(city, asked, form, Format::Csv, turn, "davy-alarms").await
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
#[utoipa::path(get, path = "/api/sites/{site}/readings.csv", params(("site" = String, Path), ReadingsQuery, FormQuery),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 400, body = ErrorBody), (status = 403, body = ErrorBody)))]
pub(crate) async fn readings_csv(
    State(city): State<City>,
    Path(site): Path<String>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<ReadingsQuery>,
    Query(form_query): Query<FormQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let form = form(&city, &form_query, &headers)?;
    let span = Span::new(query.from_ms, query.to_ms)?;
    let points = split(&query.points);
    if points.is_empty() || points.len() > MOST_POINTS {
        return Err(ApiError::BadRequest {
            field: "points".into(),
        });
    }
    let known = city.records.site(&site).await?;
    known.ok_or(ApiError::Unknown { what: "site" })?;
    let whole = QuestionQuery {
        site: Some(site.clone()),
        points: Some(query.points.clone()),
        from_ms: Some(span.from_ms),
        to_ms: Some(span.to_ms),
        ..QuestionQuery::default()
    };
    let asked = read(&city, &caller, Question::Readings, &whole)?;
    let turn = city.spool().turn()?;
    audit(&city, &caller, &site, detail(&asked, Format::Csv)).await?;
    answer(city, asked, form, Format::Csv, turn, "davy-readings").await
}

/// The whole answer as a file of this form.
pub(super) async fn answer(
    city: City,
    mut asked: Asked,
    form: Form,
    format: Format,
    turn: Turn,
    name: &str,
) -> Result<Response, ApiError> {
    asked.prepare(stores(&city)).await?;
    let body = match format {
        Format::Csv => turn.streamed(move |pieces| stream(city, asked, form, pieces)),
        Format::Xlsx | Format::Parquet => {
            let folder = city.spool().folder()?;
            let mut files = write(stores(&city), asked, form, &[format], folder, |_| {}).await?;
            let made = files.pop().ok_or(ApiError::NotReady("export"))?;
            turn.fetched(made)
        }
    };
    let name = format!("{name}.{}", format.ending());
    Ok(file(&name, format.media_type(), body))
}

/// A CSV as it is made.
async fn stream(city: City, mut asked: Asked, form: Form, pieces: Pieces) -> Result<(), Broken> {
    let columns = asked.question.columns();
    let mut rows = 0;
    let mut bytes = csv::head(columns, form);
    loop {
        let page = ask(stores(&city), &asked).await?;
        bytes.extend(csv::rows(columns, &page.rows, form));
        rows += page.rows.len();
        if page.is_cut {
            bytes.extend(csv::cut(columns, rows, form));
        }
        spool::give(&pieces, std::mem::take(&mut bytes).into()).await?;
        asked.cursor = page.next;
        if asked.cursor.is_none() {
            return Ok(());
        }
    }
}

/// Writes the whole answer into files without a name, one of each form, while somebody looks on.
pub(super) async fn write(
    stores: Stores<'_>,
    mut asked: Asked,
    form: Form,
    formats: &[Format],
    folder: &std::path::Path,
    mut look: impl FnMut(&Page),
) -> Result<Vec<File>, ApiError> {
    let columns = asked.question.columns();
    let sheets = formats
        .iter()
        .map(|format| Sheet::begin(*format, columns, form, folder));
    let mut sheets = sheets.collect::<Result<Vec<_>, _>>()?;
    loop {
        let page = ask(stores, &asked).await?;
        let written = aside(move || {
            for sheet in &mut sheets {
                sheet.rows(&page.rows)?;
                if page.is_cut {
                    sheet.cut()?;
                }
            }
            Ok((sheets, page))
        });
        let page;
        (sheets, page) = written.await?;
        look(&page);
        asked.cursor = page.next;
        if asked.cursor.is_none() {
            break;
        }
    }
    aside(move || {
        let finished = sheets.into_iter().map(Sheet::finish);
        Ok(finished.collect::<Result<_, _>>()?)
    })
    .await
}

/// Compresses and writes apart from the threads that serve live pages and ingest.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| ApiError::Table(error.to_string()))?
}
