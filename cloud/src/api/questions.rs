//! The regulator's questions: each one call, answered in pages, and the same as a file.

use super::City;
use super::access::Caller;
use super::error::{ApiError, ErrorBody};
use super::export::{self, FormQuery};
use super::query::{self, Span, split};
use crate::auth::{Action, may};
use crate::message::Language;
use crate::questions::{self, Asked, By, Question, Stores};
use crate::records::Text;
use crate::table::{Column, Format, Kind};
use axum::Json;
use axum::extract::{Extension, Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::time::Instant;
use utoipa::{IntoParams, ToSchema};

/// Longest minutes that may be asked for: a year.
const MOST_MINUTES: i64 = 366 * 1_440;
/// `silent` and `sources` without `minutes`: ten minutes, and a day.
const MINUTES_SILENT: i64 = 10;
const MINUTES_STANDING: i64 = 1_440;
/// Spans without `from_ms`: thirty days.
const SPAN_MS: i64 = 30 * 86_400_000;

/// What narrows a question; what a question does not know, it passes over.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct QuestionQuery {
    /// Needed by `timeline`, `readings` and `coverage`.
    pub(crate) site: Option<String>,
    pub(crate) town: Option<String>,
    /// UTC milliseconds; thirty days before the end if left out.
    pub(crate) from_ms: Option<i64>,
    /// UTC milliseconds; now if left out.
    pub(crate) to_ms: Option<i64>,
    /// 1 to 4; several with commas between them. Of `alarms`, `ranking` and `trend`.
    pub(crate) priority: Option<String>,
    /// `HH`, `H`, …; several with commas between them. Of `alarms`.
    pub(crate) condition: Option<String>,
    /// Only those that waited longer than this, seconds. Of `alarms`.
    pub(crate) unacknowledged_over_s: Option<i64>,
    /// Of `silent` (10 if left out) and of what stands in `sources` (1,440 if left out).
    pub(crate) minutes: Option<i64>,
    /// Of `ranking` and `trend`.
    pub(crate) by: Option<By>,
    /// Ids with commas between them; every point that the site has or had if left out, and in `readings` what its outputs were told (`Outputs/<id>`). Of
    /// `readings` and `coverage`.
    pub(crate) points: Option<String>,
    /// Offset in which months begin, such as `+08:00`; the city's own if left out.
    pub(crate) zone: Option<String>,
}

/// Where a page begins, and how long it is.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// 1 to 1,000; 100 if left out. Short answers come whole.
    limit: Option<u32>,
}

/// A page of an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answer {
    question: Question,
    columns: Vec<ColumnShape>,
    /// A row's values in the order of the columns: texts, numbers, truths, `{zh, en}` for names, null for nothing.
    rows: Vec<Vec<serde_json::Value>>,
    next_cursor: Option<String>,
    /// There are more rows than this question ever answers, and `next_cursor` does not lead to them: narrow it.
    is_cut: bool,
    /// The span that was asked about.
    from_ms: i64,
    to_ms: i64,
    /// How long the answer took at the server, milliseconds.
    took_ms: f64,
}

#[derive(Debug, Serialize, ToSchema)]
struct ColumnShape {
    key: &'static str,
    kind: Kind,
    /// What people call it, as the files do.
    head: Text,
}

impl From<&Column> for ColumnShape {
    fn from(column: &Column) -> Self {
        Self {
            key: column.key,
            kind: column.kind,
            head: Text {
                zh: column.head(Language::Zh),
                en: column.head(Language::En),
            },
        }
    }
}

/// One of the regulator's questions.
#[utoipa::path(get, path = "/api/questions/{question}", params(("question" = Question, Path), QuestionQuery, PageQuery),
    responses((status = 200, body = Answer), (status = 400, body = ErrorBody), (status = 403, body = ErrorBody)))]
pub(crate) async fn question(
    State(city): State<City>,
    Extension(caller): Extension<Caller>,
    Path(question): Path<Question>,
    Query(query): Query<QuestionQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Answer>, ApiError> {
    let began = Instant::now();
    let mut asked = read(&city, &caller, question, &query)?;
    asked.cursor = page.cursor;
    asked.limit = query::limit(page.limit)?;
    let found = questions::ask(stores(&city), &asked).await?;
    let rows = found.rows.iter();
    let rows = rows.map(|row| row.iter().map(crate::table::Cell::json).collect());
    Ok(Json(Answer {
        question,
        columns: question.columns().iter().map(ColumnShape::from).collect(),
        rows: rows.collect(),
        next_cursor: found.next,
        is_cut: found.is_cut,
        from_ms: asked.from_ms,
        to_ms: asked.to_ms,
        took_ms: began.elapsed().as_secs_f64() * 1_000.0,
    }))
}

/// The whole answer as a file.
#[utoipa::path(get, path = "/api/export/{question}", params(("question" = Question, Path), QuestionQuery, FileQuery),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 400, body = ErrorBody), (status = 403, body = ErrorBody)))]
pub(crate) async fn export(
    State(city): State<City>,
    Extension(caller): Extension<Caller>,
    Path(question): Path<Question>,
    Query(query): Query<QuestionQuery>,
    Query(file): Query<FileQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let form_query = FormQuery {
        zone: query.zone.clone(),
        lang: file.lang,
    };
    let form = export::form(&city, &form_query, &headers)?;
    let asked = read(&city, &caller, question, &query)?;
    let format = file.format.unwrap_or_default();
    let turn = city.spool().turn()?;
    let detail = detail(&asked, format);
    let subject = asked.site.clone();
    let subject = subject.unwrap_or_else(|| question.name().to_owned());
    export::audit(&city, &caller, &subject, detail).await?;
    let name = match &asked.site {
        Some(site) => format!("davy-{}-{site}", question.name()),
        None => format!("davy-{}", question.name()),
    };
    export::answer(city, asked, form, format, turn, &name).await
}

/// Which file.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FileQuery {
    /// `csv` if left out.
    format: Option<Format>,
    /// Of the column heads; the browser's own if left out.
    lang: Option<Language>,
}

/// What the audit log remembers of an export.
pub(super) fn detail(asked: &Asked, format: Format) -> serde_json::Value {
    serde_json::json!({
        "question": asked.question, "format": format, "site": asked.site, "town": asked.town, "from_ms": asked.from_ms, "to_ms": asked.to_ms,
        "priority": asked.priorities, "condition": asked.conditions, "points": asked.points,
    })
}

pub(super) fn stores(city: &City) -> Stores<'_> {
    Stores {
        records: &city.records,
        history: &*city.history,
    }
}

/// A question with its bounds, of this caller.
pub(super) fn read(
    city: &City,
    caller: &Caller,
    question: Question,
    query: &QuestionQuery,
) -> Result<Asked, ApiError> {
    let bad = |field: &'static str| ApiError::BadRequest {
        field: field.into(),
    };
    if question == Question::Audit && !may(&caller.person, Action::Administer, None) {
        return Err(ApiError::Forbidden);
    }
    if question.needs_site() && query.site.is_none() {
        return Err(bad("site"));
    }
    let now_ms = city.now_ms();
    // What happened in this millisecond has happened.
    let to_ms = query.to_ms.unwrap_or(now_ms.saturating_add(1));
    let from_ms = query
        .from_ms
        .unwrap_or(to_ms.saturating_sub(SPAN_MS).max(0));
    let span = Span::new(from_ms, to_ms)?;
    let minutes = query.minutes.unwrap_or(match question {
        Question::Silent => MINUTES_SILENT,
        _ => MINUTES_STANDING,
    });
    if !(0..=MOST_MINUTES).contains(&minutes) {
        return Err(bad("minutes"));
    }
    let over_s = query.unacknowledged_over_s;
    if over_s.is_some_and(|seconds| seconds < 0) {
        return Err(bad("unacknowledged_over_s"));
    }
    let points = split(query.points.as_deref().unwrap_or(""));
    if points.len() > questions::MOST_POINTS {
        return Err(bad("points"));
    }
    let priorities = query::priorities(query.priority.as_deref().unwrap_or(""))?;
    let form = FormQuery {
        zone: query.zone.clone(),
        lang: None,
    };
    let asked = Asked {
        question,
        scope: caller.scope(),
        site: query.site.clone(),
        town: query.town.clone(),
        from_ms: span.from_ms,
        to_ms: span.to_ms,
        now_ms,
        priorities: priorities
            .iter()
            .map(|one| i64::from(one.number()))
            .collect(),
        conditions: split(query.condition.as_deref().unwrap_or("")),
        unacknowledged_over_ms: over_s.map(|seconds| seconds.saturating_mul(1_000)),
        minutes,
        by: query.by.unwrap_or_default(),
        points,
        known: None,
        zone: form.zone(city.zone)?,
        cursor: None,
        limit: export::ROWS_A_PAGE,
    };
    asked.check()?;
    Ok(asked)
}
