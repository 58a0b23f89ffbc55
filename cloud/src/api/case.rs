//! The case file of an incident at a site.

use super::City;
use super::access::Caller;
use super::error::{ApiError, ErrorBody};
use super::export::{self, FormQuery};
use super::questions::{QuestionQuery, read, stores};
use crate::case::{self, Alarmed, CaseError, Chart, Charts, Facts, Limit, OfPoint, Pages, Part};
use crate::case::{Table, WITH_SET_POINT};
use crate::history::SeriesQuery;
use crate::questions::{self, Asked, Known, Page, Question};
use crate::records::{Model, Site};
use crate::table::{Form, Format, Row};
use axum::extract::{Extension, Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

/// Longest span of a case: a year.
const MOST_MS: i64 = 366 * 86_400_000;

#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CaseQuery {
    /// UTC milliseconds; at most a year.
    from_ms: i64,
    to_ms: i64,
    /// Ids with commas between them; every point if left out.
    points: Option<String>,
}

/// What the files of a case answer, each in these forms.
const FILES: [(Question, &[Format]); 6] = [
    (Question::Timeline, &[Format::Csv]),
    (Question::Alarms, &[Format::Csv]),
    (Question::Blind, &[Format::Csv]),
    (Question::Coverage, &[Format::Csv]),
    (Question::Late, &[Format::Csv]),
    (Question::Readings, &[Format::Csv, Format::Parquet]),
];

/// What of it is printed, in this order.
const PRINTED: [Question; 4] = [
    Question::Alarms,
    Question::Timeline,
    Question::Coverage,
    Question::Blind,
];

/// A case file: what happened at the site between two times, on paper and as data, signed.
#[utoipa::path(get, path = "/api/sites/{site}/case", params(("site" = String, Path), CaseQuery, FormQuery),
    responses((status = 200, body = String, content_type = "application/zip"), (status = 400, body = ErrorBody), (status = 403, body = ErrorBody)))]
pub(crate) async fn case(
    State(city): State<City>,
    Path(site): Path<String>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<CaseQuery>,
    Query(form_query): Query<FormQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let form = export::form(&city, &form_query, &headers)?;
    let known = city.records.site(&site).await?;
    let known = known.ok_or(ApiError::Unknown { what: "site" })?;
    if query.to_ms.saturating_sub(query.from_ms) > MOST_MS {
        return Err(ApiError::BadRequest {
            field: "from_ms".into(),
        });
    }
    let whole = QuestionQuery {
        site: Some(site.clone()),
        from_ms: Some(query.from_ms),
        to_ms: Some(query.to_ms),
        points: query.points.clone(),
        ..QuestionQuery::default()
    };
    let of = |question| read(&city, &caller, question, &whole);
    let first = of(Question::Timeline)?;
    let turn = city.spool().turn()?;
    let detail = serde_json::json!({ "file": "case", "from_ms": first.from_ms, "to_ms": first.to_ms, "points": query.points });
    export::audit(&city, &caller, &site, detail).await?;
    let facts = Facts {
        site: site.clone(),
        from: form.time(first.from_ms),
        to: form.time(first.to_ms),
        made: form.time(city.now_ms()),
        by: format!("{} ({})", caller.person.name, caller.person.id),
    };
    let mut parts = Vec::new();
    let mut looks = Vec::new();
    let known_points = questions::known(stores(&city), &known).await?;
    let mut alarmed = Alarmed::new(known_points.clone(), first.from_ms, first.to_ms);
    for (question, formats) in FILES {
        let mut asked = of(question)?;
        asked.known = Some(known_points.clone());
        let (files, look) = answered(&city, asked, form, formats, &mut alarmed).await?;
        for (format, file) in formats.iter().zip(files) {
            let name = format!("{}.{}", question.name(), format.ending());
            parts.push(hashed(name, file).await?);
        }
        looks.push(look);
    }
    parts.extend(head(&city).await?);
    let place = |look: &Look| PRINTED.iter().position(|one| *one == look.question);
    looks.retain(|look| place(look).is_some());
    looks.sort_by_key(place);
    let charts = drawn(&city, &known, &first, &known_points, &alarmed, form).await?;
    let parts = printed(&city, &known, &facts, form, parts, (looks, charts)).await?;
    let (key, folder) = (city.key.clone(), city.spool().folder()?.to_owned());
    let packed = tokio::task::spawn_blocking(move || case::pack(&facts, parts, &key, &folder));
    let packed = packed.await.map_err(ended)??;
    let name = format!("davy-case-{site}.zip");
    Ok(export::file(&name, "application/zip", turn.fetched(packed)))
}

fn ended(error: tokio::task::JoinError) -> ApiError {
    ApiError::Table(error.to_string())
}

/// The files of an answer, and its first rows for the printed page; its alarms, all of them, for the charts.
async fn answered(
    city: &City,
    asked: Asked,
    form: Form,
    formats: &[Format],
    alarmed: &mut Alarmed,
) -> Result<(Vec<std::fs::File>, Look), ApiError> {
    let mut look = Look {
        question: asked.question,
        rows: Vec::new(),
        is_cut: false,
    };
    let folder = city.spool().folder()?;
    let files = export::write(stores(city), asked, form, formats, folder, |page| {
        look.add(page);
        if look.question == Question::Alarms {
            alarmed.add(&page.rows);
        }
    });
    Ok((files.await?, look))
}

async fn hashed(name: String, file: std::fs::File) -> Result<Part, ApiError> {
    let part = tokio::task::spawn_blocking(move || Part::of(&name, file)).await;
    Ok(part.map_err(ended)??)
}

/// The newest signed head of the audit log, if one was made yet.
async fn head(city: &City) -> Result<Option<Part>, ApiError> {
    let heads = city.records.heads().await?;
    let newest = heads.iter().max_by_key(|head| (head.seq, head.made_ms));
    let folder = city.spool().folder()?;
    let part = newest.map(|head| Part::of_bytes("audit-head.txt", head.text().as_bytes(), folder));
    Ok(part.transpose()?)
}

/// The rows of a printed table, and whether there are more.
struct Look {
    question: Question,
    rows: Vec<Row>,
    is_cut: bool,
}

impl Look {
    fn add(&mut self, page: &Page) {
        let room = case::MOST_ROWS - self.rows.len();
        self.is_cut |= page.is_cut || page.rows.len() > room;
        self.rows.extend(page.rows.iter().take(room).cloned());
    }
}

/// The readings of the points that were asked for by name, or else of those that alarmed, the most urgent first.
async fn drawn(
    city: &City,
    site: &Site,
    asked: &Asked,
    known: &Known,
    alarmed: &Alarmed,
    form: Form,
) -> Result<Charts, ApiError> {
    let named = &asked.points;
    let urgency = |id: &String| alarmed.of(id).and_then(OfPoint::urgency);
    let mut ids: Vec<&String> = (known.keys())
        .filter(|id| !super::is_output(id))
        .filter(|id| named.contains(id) || (named.is_empty() && alarmed.of(id).is_some()))
        .collect();
    ids.sort_by_key(|id| (urgency(id).is_none(), urgency(id)));
    let is_cut = ids.len() > case::MOST_CHARTS;
    let model = super::model(site);
    let mut charts = Vec::new();
    for id in ids.into_iter().take(case::MOST_CHARTS) {
        let series = city.history.series(SeriesQuery {
            site: site.id.clone(),
            point: id.clone(),
            from_ms: asked.from_ms,
            to_ms: asked.to_ms,
            buckets: case::BUCKETS,
        });
        let of_point = alarmed.of(id);
        let point = &known[id];
        charts.push(Chart {
            id: id.clone(),
            name: form.pick(&point.name).to_owned(),
            unit: point.unit.clone(),
            heartbeat_ms: point.heartbeat_ms,
            from_ms: asked.from_ms,
            to_ms: asked.to_ms,
            series: series.await?,
            limits: limits(&model, id, of_point.map_or(&[], OfPoint::limits)),
            alarms: of_point.map(OfPoint::came).unwrap_or_default(),
        });
    }
    Ok(Charts {
        charts,
        is_named: !named.is_empty(),
        is_cut,
    })
}

/// Set-points as they were when the alarms came, and of the other conditions as the site file has them now.
fn limits(model: &Model, id: &str, then: &[Limit]) -> Vec<Limit> {
    let mut limits = then.to_vec();
    let point = model.points.iter().find(|point| point.id == id);
    for limit in point.map_or(&[][..], |point| &point.limits) {
        let is_known = (limits.iter()).any(|known| known.condition == limit.condition);
        let has = WITH_SET_POINT.contains(&limit.condition.as_str());
        if let Some(value) = limit.set_point.filter(|_| has && !is_known) {
            limits.push(Limit {
                condition: limit.condition.clone(),
                value,
            });
        }
    }
    limits
}

/// What of an answer stands on paper: columns with their shares of the width.
const fn shown(question: Question) -> &'static [(&'static str, f32)] {
    match question {
        Question::Alarms => &[
            ("raised", 0.25),
            ("alarm", 0.15),
            ("name", 0.2),
            ("priority", 0.06),
            ("peak", 0.08),
            ("limit", 0.08),
            ("time-to-acknowledge", 0.09),
            ("duration", 0.09),
        ],
        Question::Coverage => &[
            ("point", 0.2),
            ("name", 0.35),
            ("coverage", 0.25),
            ("missing", 0.2),
        ],
        Question::Blind => &[
            ("from", 0.25),
            ("alarm", 0.2),
            ("what", 0.15),
            ("duration", 0.12),
            ("actor", 0.1),
            ("reason", 0.18),
        ],
        _ => &[
            ("time", 0.25),
            ("record", 0.08),
            ("subject", 0.15),
            ("what", 0.14),
            ("state", 0.12),
            ("actor", 0.08),
            ("reason", 0.18),
        ],
    }
}

async fn printed(
    city: &City,
    site: &Site,
    facts: &Facts,
    form: Form,
    parts: Vec<Part>,
    (looks, drawn): (Vec<Look>, Charts),
) -> Result<Vec<Part>, ApiError> {
    let place = &site.registry.place;
    let place = [
        &place.city,
        &place.town,
        &place.village,
        &site.registry.address,
    ];
    let place: Vec<&str> = place.iter().map(|part| part.as_str()).collect();
    let (name, place) = (
        form.pick(&super::model(site).name).to_owned(),
        place.join(" "),
    );
    let fingerprint = city.key.fingerprint();
    let folder = city.spool().folder()?.to_owned();
    let facts = facts.clone();
    let made = tokio::task::spawn_blocking(move || {
        let tables = looks.iter().map(|look| Table {
            key: look.question.name(),
            columns: look.question.columns(),
            shown: shown(look.question),
            rows: &look.rows,
            is_cut: look.is_cut,
        });
        let pages = Pages {
            facts: &facts,
            form,
            name,
            place: place.trim().to_owned(),
            fingerprint,
            charts: &drawn,
            tables: tables.collect(),
            parts: &parts,
        };
        let pdf = Part::of_bytes("case.pdf", &pages.print()?, &folder)?;
        let mut all = vec![pdf];
        all.extend(parts);
        Ok::<_, CaseError>(all)
    });
    Ok(made.await.map_err(ended)??)
}
