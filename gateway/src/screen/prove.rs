//! Proof tests at the plant: what is due is for everybody to see; proving is for maintenance, at the plant, with a PIN.

use super::Plant;
use super::acts::{maintaining, read};
use super::refusal::Refused;
use crate::clock;
use crate::desk::DeskError;
use crate::prove::{
    BenchError, DraftError, DueAt, Kind, Look, Of, Plan, Proof, Row, Started, Subject, Summary,
    Taken, folder,
};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use davy_config::site::{Every, Proving, Text};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

type Answer = Result<Response, Refused>;
type Sent<T> = Result<Json<T>, JsonRejection>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    kind: Kind,
    #[serde(default)]
    under_test: bool,
    gas: Option<String>,
    instrument: Option<String>,
    seconds: Option<u32>,
    #[serde(default)]
    confirm: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Take {
    step: usize,
    #[serde(rename = "as")]
    taken: Taken,
    applied: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SkipStep {
    step: usize,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Finish {
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    reason: String,
}

/// `GET /api/prove`.
pub(super) async fn all(State(plant): State<Arc<Plant>>) -> Response {
    let rows = plant.bench.rows();
    let subjects: Vec<Value> = rows.iter().map(|row| shape(&plant, row)).collect();
    let key = plant.bench.fingerprint();
    Json(json!({
        "clock": clock::quality(),
        "clock_doubtful": plant.bench.is_doubtful(),
        "fingerprint": key.as_ref().ok(),
        "key_trouble": key.as_ref().err(),
        "subjects": subjects,
    }))
    .into_response()
}

/// `GET /api/prove/{of}/{id}`: with its plans, and what is seen while it is under way.
pub(super) async fn one(
    State(plant): State<Arc<Plant>>,
    Path((of, id)): Path<(String, String)>,
) -> Answer {
    let subject = found(&plant, &of, &id)?;
    Ok(Json(whole(&plant, subject)).into_response())
}

/// `POST …/start`.
pub(super) async fn start(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    Path((of, id)): Path<(String, String)>,
    body: Sent<Start>,
) -> Answer {
    let person = maintaining(&plant, &headers)?;
    let Start {
        kind,
        under_test,
        gas,
        instrument,
        seconds,
        confirm,
    } = read(body)?;
    let started = Started {
        kind,
        under_test,
        gas,
        instrument,
        seconds,
        confirmed: confirm,
    };
    let subject = found(&plant, &of, &id)?;
    let begun = plant.bench.start(subject, &person, started).await;
    begun.map_err(refused)?;
    tracing::info!(
        subject = id,
        kind = kind.name(),
        person = person.id,
        "proof begun"
    );
    Ok(Json(whole(&plant, subject)).into_response())
}

/// `POST …/take`: what is seen now, as found or as left.
pub(super) async fn take(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    Path((of, id)): Path<(String, String)>,
    body: Sent<Take>,
) -> Answer {
    maintaining(&plant, &headers)?;
    let Take {
        step,
        taken,
        applied,
    } = read(body)?;
    let subject = found(&plant, &of, &id)?;
    let seen = plant.bench.take(subject, step, taken, applied).await;
    seen.map_err(refused)?;
    Ok(Json(whole(&plant, subject)).into_response())
}

/// `POST …/skip-step`.
pub(super) async fn skip_step(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    Path((of, id)): Path<(String, String)>,
    body: Sent<SkipStep>,
) -> Answer {
    maintaining(&plant, &headers)?;
    let SkipStep { step, reason } = read(body)?;
    let subject = found(&plant, &of, &id)?;
    let skipped = plant.bench.skip_step(subject, step, reason).await;
    skipped.map_err(refused)?;
    Ok(Json(whole(&plant, subject)).into_response())
}

/// `POST …/finish`: ends it with its verdict.
pub(super) async fn finish(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    Path((of, id)): Path<(String, String)>,
    body: Sent<Finish>,
) -> Answer {
    let person = maintaining(&plant, &headers)?;
    let Finish { reason } = read(body)?;
    let subject = found(&plant, &of, &id)?;
    ended(plant.bench.finish(subject, &person, reason).await)
}

/// `POST …/abandon`: ends it without one.
pub(super) async fn abandon(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    Path((of, id)): Path<(String, String)>,
    body: Sent<Reason>,
) -> Answer {
    let person = maintaining(&plant, &headers)?;
    let Reason { reason } = read(body)?;
    let subject = found(&plant, &of, &id)?;
    ended(plant.bench.abandon(subject, &person, &reason).await)
}

/// `POST …/skip`: nobody proves it now, and somebody says why.
pub(super) async fn skip(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    Path((of, id)): Path<(String, String)>,
    body: Sent<Reason>,
) -> Answer {
    let person = maintaining(&plant, &headers)?;
    let Reason { reason } = read(body)?;
    let subject = found(&plant, &of, &id)?;
    ended(plant.bench.skip(subject, &person, &reason).await)
}

/// `GET /api/prove/reports`, newest first.
pub(super) async fn reports(State(plant): State<Arc<Plant>>) -> Answer {
    let reports = plant.bench.reports().await.map_err(refused)?;
    Ok(Json(json!({ "reports": reports })).into_response())
}

/// `POST /api/prove/reports`: makes one.
pub(super) async fn report(State(plant): State<Arc<Plant>>, headers: HeaderMap) -> Answer {
    let person = maintaining(&plant, &headers)?;
    let made = plant.bench.report(&person).await.map_err(refused)?;
    tracing::info!(number = made.number, person = person.id, "report made");
    Ok(Json(made).into_response())
}

/// `GET /api/prove/reports/{number}/{file}`.
pub(super) async fn file(
    State(plant): State<Arc<Plant>>,
    Path((number, file)): Path<(u64, String)>,
) -> Answer {
    let unknown = || Refused::Unknown(file.clone());
    // A report's own names have no separators, so nothing outside its folder can be named.
    if file.contains(['/', '\\']) || file.starts_with('.') {
        return Err(unknown());
    }
    let path = folder(plant.bench.data(), number).join(&file);
    let bytes = tokio::fs::read(path).await.map_err(|_| unknown())?;
    let kind = match file.rsplit('.').next() {
        Some("pdf") => "application/pdf",
        Some("csv") => "text/csv; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{file}\""),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, Body::from(bytes)).into_response())
}

fn found(plant: &Plant, of: &str, id: &str) -> Result<Subject, Refused> {
    let of = match of {
        "points" => Of::Point,
        "outputs" => Of::Output,
        _ => return Err(Refused::Unknown(of.to_owned())),
    };
    plant.bench.find(of, id).map_err(refused)
}

fn ended(proof: Result<Proof, BenchError>) -> Answer {
    Ok(Json(proof.map_err(refused)?).into_response())
}

fn shape(plant: &Plant, row: &Row) -> Value {
    let site = &plant.site;
    let (of, id, name, area, proving, kinds) = match row.subject {
        Subject::Point(at) => {
            let point = &site.points[at.0];
            let kinds = Plan::kinds(point);
            (
                "points",
                &point.id,
                &point.name,
                point.area,
                &point.proving,
                kinds,
            )
        }
        Subject::Output(at) => {
            let output = &site.outputs[at.0];
            let kinds = vec![Kind::Output];
            (
                "outputs",
                &output.id,
                &output.name,
                output.area,
                &output.proving,
                kinds,
            )
        }
    };
    let standing = &row.standing;
    let by_whom = |summary: &Option<Summary>| summary.as_ref().map(|summary| json!(summary));
    json!({
        "of": of,
        "id": id,
        "name": text(name),
        "area": site.areas[area].id,
        "state": row.due.state,
        "proof": due(row.due.proof, proving.proof.as_ref()),
        "calibration": due(row.due.calibration, proving.calibration.as_ref()),
        "newest": by_whom(&standing.newest),
        "proved": by_whom(&standing.proved),
        "calibrated": by_whom(&standing.calibrated),
        "alarm": alarm(plant, proving),
        "kinds": kinds,
        "under_way": row.under_way,
    })
}

fn alarm(plant: &Plant, proving: &Proving) -> Option<String> {
    let alarm = proving.alarm?;
    Some(plant.site.alarms[alarm.0].id.clone())
}

fn text(text: &Text) -> Value {
    json!({ "zh": text.zh, "en": text.en })
}

fn due(due: DueAt, every: Option<&Every>) -> Value {
    let (state, at) = match due {
        DueAt::Never => ("never", None),
        DueAt::Now => ("now", None),
        DueAt::At(at) => ("at", Some(at)),
        DueAt::ClockDoubtful => ("clock-doubtful", None),
    };
    json!({
        "due": state,
        "due_ms": at,
        "every_days": every.map(|every| every.days),
        "practice": every.and_then(|every| every.practice.as_deref()).map(text),
    })
}

/// A row with its plans, and what is under way.
fn whole(plant: &Plant, subject: Subject) -> Value {
    let mut shape = shape(plant, &plant.bench.one(subject));
    if let Subject::Point(at) = subject {
        let point = &plant.site.points[at.0];
        let plans = Plan::kinds(point).into_iter();
        let plans: Vec<Plan> = plans
            .filter_map(|kind| Plan::of(&plant.site, point, kind))
            .collect();
        shape["plans"] = json!(plans);
        shape["unit"] = json!(point.unit);
        shape["decimals"] = json!(point.decimals);
    }
    shape["draft"] = plant.bench.look(subject).map_or(Value::Null, draft);
    shape
}

fn draft(look: Look) -> Value {
    let Look {
        draft,
        still,
        window_ms,
        alarms,
        running,
    } = look;
    let mut shape = json!(draft);
    shape["seen"] = json!({
        "still": still.map(|still| json!({ "value": still.value, "spread": still.spread, "readings": still.readings })),
        "window_ms": window_ms,
        "on": alarms.on,
        "came": alarms.came,
        "went": alarms.went,
        "running": running,
    });
    shape
}

fn refused(error: BenchError) -> Refused {
    match error {
        BenchError::Unknown(what) => Refused::Unknown(what),
        BenchError::Kind => Refused::bad("kind", error.to_string()),
        BenchError::Seconds => Refused::bad("seconds", error.to_string()),
        BenchError::Unconfirmed => Refused::bad("confirm", error.to_string()),
        BenchError::UnderWay => Refused::ByRule("under-way"),
        BenchError::NotUnderWay => Refused::ByRule("not-under-way"),
        BenchError::TooMany => Refused::ByRule("too-many-proofs"),
        BenchError::Draft(draft) => of_draft(draft),
        BenchError::Desk(DeskError::Refused(refusal)) => Refused::ByRule(refusal.why()),
        BenchError::Desk(DeskError::NoAnswer) => Refused::NotReady("judgement does not answer"),
        BenchError::Ledger(_) | BenchError::Report(_) | BenchError::Broken => {
            tracing::error!(%error, "proving failed");
            Refused::NotReady("the record of proofs cannot be written")
        }
    }
}

fn of_draft(error: DraftError) -> Refused {
    match error {
        DraftError::UnknownStep => Refused::bad("step", error.to_string()),
        DraftError::Applied => Refused::bad("applied", error.to_string()),
        DraftError::Reason => Refused::ByRule("reason"),
        DraftError::Unsteady => Refused::ByRule("unsteady"),
        DraftError::NotFound => Refused::ByRule("not-found-first"),
        DraftError::Open => Refused::ByRule("steps-open"),
        DraftError::Running => Refused::ByRule("running"),
    }
}
