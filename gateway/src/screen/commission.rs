//! The installer's calls: what the commissioning pages ask and hand in. Looking is free; whatever asks a device, changes the draft, or makes a site of it
//! asks for a person of maintenance.

use super::Plant;
use super::acts::{kept, maintaining, opened, read, same_origin, shown};
use super::refusal::Refused;
use super::session::LoginError;
use crate::commission::{
    ApplyError, Draft, KeepError, LookError, Probed, Running, Scanned, Signed, Skip, opening,
};
use crate::pin;
use crate::reload;
use axum::Json;
use axum::Router;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use davy_config::site::{Encoding, Person, Role, Site};
use davy_config::{Presets, profile_names, profile_shape};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// The largest draft: some thousands of points.
const DRAFT_MAX: usize = 4 << 20;
/// The plant's own time, by which a signature is dated: +08:00 in seconds.
const ZONE_S: i32 = 8 * 3600;

type Answer = Result<Response, Refused>;

pub(super) fn routes() -> Router<Arc<Plant>> {
    let draft = get(draft).put(keep).delete(clear);
    Router::new()
        .route("/api/commission", get(state))
        .route("/api/commission/person", post(person))
        .route("/api/commission/ports", get(ports))
        .route(
            "/api/commission/scan",
            get(scanned).post(scan).delete(end_scan),
        )
        .route("/api/commission/probe", post(probe))
        .route("/api/commission/profiles", get(profiles))
        .route("/api/commission/presets", get(presets))
        .route(
            "/api/commission/draft",
            draft.layer(DefaultBodyLimit::max(DRAFT_MAX)),
        )
        .route("/api/commission/check", get(check))
        .route("/api/commission/apply", post(apply))
        .route("/api/commission/arm", post(arm))
}

/// `GET /api/commission`.
async fn state(State(plant): State<Arc<Plant>>) -> Response {
    Json(plant.commission.state()).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPerson {
    /// Lets the first one in.
    code: Option<String>,
    id: String,
    name: String,
    role: RoleName,
    pin: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RoleName {
    Operator,
    Maintenance,
}

/// `POST /api/commission/person`: the first by the code, every other by somebody of maintenance. Into the draft, with the hash alone.
async fn person(
    State(plant): State<Arc<Plant>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<NewPerson>, JsonRejection>,
) -> Answer {
    let wanted = read(body)?;
    let by = match &wanted.code {
        Some(code) => {
            same_origin(&headers)?;
            first(&plant, peer, code)?;
            wanted.id.clone()
        }
        None => maintaining(&plant, &headers)?.id,
    };
    let (person, tree) = hashed(&plant, &wanted).await?;
    let draft = plant.commission.draft(&plant.site).map_err(unreadable)?;
    let mut site = draft.site;
    put_person(&mut site, tree);
    let now = plant.clock.wall().0;
    let draft = plant
        .commission
        .keep(draft.revision, site, &by, now, &plant.site);
    let draft = draft.map_err(not_kept)?;
    let answer = json!({ "person": shown(&person), "revision": draft.revision });
    let is_first = wanted.code.is_some();
    tracing::info!(person = person.id, by, "a person is in the draft");
    take_people(&plant, &draft);
    if !is_first {
        return Ok(Json(answer).into_response());
    }
    plant.commission.code.spend();
    Ok(opened(&plant, &person, answer))
}

/// Whether the code is the one that the console shows.
fn first(plant: &Plant, peer: SocketAddr, code: &str) -> Result<(), Refused> {
    let fits = || plant.commission.code.fits(code);
    match plant.sessions.admits(peer.ip(), Instant::now(), fits) {
        Ok(()) => Ok(()),
        Err(LoginError::Wrong) => Err(against("wrong-code", "the console shows another code")),
        Err(LoginError::TooMany) => Err(Refused::TooMany),
    }
}

async fn hashed(plant: &Plant, wanted: &NewPerson) -> Result<(Person, Value), Refused> {
    let is_id = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    if wanted.id.is_empty() || wanted.id.len() > 64 || !wanted.id.chars().all(is_id) {
        return Err(Refused::bad("id", "letters, digits, - and _".into()));
    }
    let name = kept(wanted.name.clone()).ok_or_else(|| Refused::bad("name", "a name".into()))?;
    if !pin::is_long_enough(&wanted.pin) {
        return Err(Refused::bad("pin", "4 to 32 characters".into()));
    }
    // The first one commissions, whatever the page says.
    let (role, role_name) = match (wanted.role, &wanted.code) {
        (RoleName::Operator, None) => (Role::Operator, "operator"),
        (RoleName::Maintenance, _) | (RoleName::Operator, Some(_)) => {
            (Role::Maintenance, "maintenance")
        }
    };
    let _permit = plant.verifying.acquire().await;
    let typed = wanted.pin.clone();
    let hash = tokio::task::spawn_blocking(move || pin::hash_of(&typed)).await;
    let Ok(Ok(pin_hash)) = hash else {
        return Err(Refused::NotReady("the PIN could not be hashed"));
    };
    let id = wanted.id.clone();
    let tree = json!({ "id": id, "name": name, "role": role_name, "pin": pin_hash });
    let person = Person {
        id,
        name,
        role,
        pin_hash,
    };
    Ok((person, tree))
}

/// In place of the one of the same id, or behind the others.
fn put_person(site: &mut Value, person: Value) {
    if !site["person"].is_array() {
        site["person"] = json!([]);
    }
    if let Some(people) = site["person"].as_array_mut() {
        match people.iter_mut().find(|own| own["id"] == person["id"]) {
            Some(own) => *own = person,
            None => people.push(person),
        }
    }
}

/// Where no site file says who may log in, the draft does.
fn take_people(plant: &Plant, draft: &Draft) {
    if plant.commission.is_blank {
        let site = opening::site(plant.site.http, Some(&draft.site));
        plant.sessions.set_people(site.people);
    }
}

/// `GET /api/commission/ports`.
async fn ports(State(plant): State<Arc<Plant>>) -> Response {
    Json(json!({ "ports": plant.commission.ports(&plant.site) })).into_response()
}

/// `GET /api/commission/scan`.
async fn scanned(State(plant): State<Arc<Plant>>) -> Response {
    Json(plant.commission.scans.shown()).into_response()
}

/// `POST /api/commission/scan`.
async fn scan(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    body: Result<Json<Scanned>, JsonRejection>,
) -> Answer {
    let person = maintaining(&plant, &headers)?;
    let asked = read(body)?;
    tracing::info!(person = person.id, ?asked, "a search begins");
    let now = plant.clock.wall().0;
    let begun = plant
        .commission
        .scan(asked, &plant.site, now, &plant.shutdown);
    begun.map_err(not_looked)?;
    Ok((StatusCode::ACCEPTED, Json(plant.commission.scans.shown())).into_response())
}

/// `DELETE /api/commission/scan`.
async fn end_scan(State(plant): State<Arc<Plant>>, headers: HeaderMap) -> Answer {
    maintaining(&plant, &headers)?;
    plant.commission.scans.end();
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /api/commission/probe`.
async fn probe(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    body: Result<Json<Probed>, JsonRejection>,
) -> Answer {
    maintaining(&plant, &headers)?;
    let probed = plant.commission.probe(read(body)?, &plant.site).await;
    Ok(Json(probed.map_err(not_looked)?).into_response())
}

/// `GET /api/commission/profiles`.
async fn profiles() -> Response {
    let one = |name: &'static str| {
        let shape = profile_shape(name)?;
        let signals = shape.signals.iter().map(|signal| {
            let encoding = signal.register.encoding;
            let discrete = matches!(encoding, Encoding::Bool | Encoding::Bit { .. });
            json!({ "id": signal.id, "discrete": discrete, "writable": signal.writable })
        });
        let signals: Vec<Value> = signals.collect();
        Some(json!({ "id": name, "name": shape.name, "source": shape.source, "signals": signals }))
    };
    let profiles: Vec<Value> = profile_names().filter_map(one).collect();
    Json(json!({ "profiles": profiles })).into_response()
}

/// `GET /api/commission/presets`.
async fn presets() -> Response {
    Json(Presets::embedded()).into_response()
}

/// `GET /api/commission/draft`.
async fn draft(State(plant): State<Arc<Plant>>) -> Answer {
    let draft = plant.commission.draft(&plant.site).map_err(unreadable)?;
    Ok(Json(draft.shown()).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    revision: u64,
    site: Value,
}

/// `PUT /api/commission/draft`.
async fn keep(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    body: Result<Json<Kept>, JsonRejection>,
) -> Answer {
    let person = maintaining(&plant, &headers)?;
    let Kept { revision, site } = read(body)?;
    if !site.is_object() {
        return Err(Refused::bad("site", "a site file as a tree".into()));
    }
    let now = plant.clock.wall().0;
    let kept = (plant.commission).keep(revision, site, &person.id, now, &plant.site);
    let draft = kept.map_err(not_kept)?;
    take_people(&plant, &draft);
    Ok(Json(draft.shown()).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revision {
    revision: u64,
}

/// `DELETE /api/commission/draft?revision`: the next one begins from what runs. A blank gateway's people stand in the draft alone and stay.
async fn clear(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    query: Result<Query<Revision>, QueryRejection>,
) -> Answer {
    let person = maintaining(&plant, &headers)?;
    let Query(Revision { revision }) =
        query.map_err(|error| Refused::bad("revision", error.body_text()))?;
    if plant.commission.is_blank {
        let before = plant.commission.draft(&plant.site).map_err(unreadable)?;
        let mut site = opening::beginning(plant.site.http);
        site["person"] = before.site["person"].clone();
        let now = plant.clock.wall().0;
        let kept = (plant.commission).keep(revision, site, &person.id, now, &plant.site);
        kept.map_err(not_kept)?;
    } else {
        plant.commission.clear(revision).map_err(not_kept)?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /api/commission/check`.
async fn check(State(plant): State<Arc<Plant>>) -> Answer {
    let checked = plant
        .commission
        .check(&plant.site, |next, id| plant.bench.proves(next, id));
    Ok(Json(checked.map_err(unreadable)?).into_response())
}

/// `POST /api/commission/apply`.
async fn apply(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    body: Result<Json<Revision>, JsonRejection>,
) -> Answer {
    to_the_end(apply_draft(plant, headers, body)).await
}

/// A refused file is taken back once it is refused: whoever hangs up before that does not leave it on disk.
async fn to_the_end(work: impl Future<Output = Answer> + Send + 'static) -> Answer {
    let ended = tokio::spawn(work).await;
    ended.unwrap_or_else(|error| Err(against("ending", &error.to_string())))
}

async fn apply_draft(
    plant: Arc<Plant>,
    headers: HeaderMap,
    body: Result<Json<Revision>, JsonRejection>,
) -> Answer {
    let person = maintaining(&plant, &headers)?;
    let Revision { revision } = read(body)?;
    let is_proved = |next: &Site, id: &str| plant.bench.proves(next, id);
    let running = running(&plant, &is_proved);
    let applied = plant.commission.apply(revision, &running, &person.id).await;
    applied.map_err(not_applied)?;
    tracing::info!(person = person.id, revision, "the draft is applied");
    Ok((StatusCode::ACCEPTED, Json(json!({ "revision": revision }))).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arm {
    revision: u64,
    ids: Vec<String>,
    #[serde(default)]
    skips: Vec<Skip>,
}

/// `POST /api/commission/arm`.
async fn arm(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    body: Result<Json<Arm>, JsonRejection>,
) -> Answer {
    to_the_end(arm_named(plant, headers, body)).await
}

async fn arm_named(
    plant: Arc<Plant>,
    headers: HeaderMap,
    body: Result<Json<Arm>, JsonRejection>,
) -> Answer {
    let person = maintaining(&plant, &headers)?;
    let Arm {
        revision,
        ids,
        skips,
    } = read(body)?;
    let known = |id: &str| {
        plant.site.points.iter().any(|point| point.id == id)
            || plant.site.outputs.iter().any(|output| output.id == id)
    };
    let mut named = ids.iter().chain(skips.iter().map(|skip| &skip.id));
    if let Some(unknown) = named.find(|id| !known(id)) {
        return Err(Refused::Unknown(unknown.clone()));
    }
    if skips.iter().any(|skip| skip.reason.trim().is_empty()) {
        return Err(Refused::ByRule("reason"));
    }
    let now_ms = plant.clock.wall().0;
    let signed = Signed {
        id: &person.id,
        by: &person.name,
        date: date(now_ms),
        now_ms,
    };
    let is_proved = |next: &Site, id: &str| plant.bench.proves(next, id);
    let running = running(&plant, &is_proved);
    let armed = (plant.commission)
        .arm(revision, &ids, &skips, &signed, &running)
        .await;
    armed.map_err(not_applied)?;
    tracing::info!(person = person.id, ?ids, ?skips, "armed");
    Ok((
        StatusCode::ACCEPTED,
        Json(json!({ "revision": revision + 1 })),
    )
        .into_response())
}

fn running<'a>(
    plant: &'a Plant,
    is_proved: &'a (dyn Fn(&Site, &str) -> bool + Sync),
) -> Running<'a> {
    Running {
        site: &plant.site,
        reload: &plant.reload,
        is_proved,
    }
}

/// The day at the plant.
fn date(now_ms: i64) -> String {
    let zone = jiff::tz::Offset::from_seconds(ZONE_S).unwrap_or(jiff::tz::Offset::UTC);
    let now = jiff::Timestamp::from_millisecond(now_ms).unwrap_or_default();
    zone.to_datetime(now).date().to_string()
}

fn against(why: &'static str, message: &str) -> Refused {
    Refused::Against {
        why,
        message: message.to_owned(),
        detail: Value::Null,
    }
}

fn unreadable(error: std::io::Error) -> Refused {
    tracing::error!(%error, "the site file cannot be read");
    against("site-file", &error.to_string())
}

fn not_looked(error: LookError) -> Refused {
    match error {
        LookError::Field(field, message) => Refused::bad(field, message),
        LookError::Busy => against("busy", "another search or probe runs"),
        LookError::Held(held) => Refused::Against {
            why: "bus-held",
            message: "the running site holds it".to_owned(),
            detail: json!({ "held": held }),
        },
        LookError::Unreachable(error) => Refused::Against {
            why: "unreachable",
            message: error.to_string(),
            detail: json!({ "reason": error.to_string() }),
        },
    }
}

fn not_kept(error: KeepError) -> Refused {
    match error {
        KeepError::Changed => against("draft-changed", "somebody else changed it meanwhile"),
        KeepError::Disk(error) => {
            tracing::error!(%error, "the draft cannot be written");
            against("not-written", &error.to_string())
        }
    }
}

pub(super) fn not_applied(error: ApplyError) -> Refused {
    let message = error.to_string();
    let (why, detail) = match error {
        ApplyError::Keep(error) => return not_kept(error),
        ApplyError::Invalid(problems) | ApplyError::Refused(reload::Refused::Invalid(problems)) => {
            let rows: Vec<Value> = problems.iter().map(crate::check::row).collect();
            ("not-valid", json!({ "problems": rows }))
        }
        ApplyError::Unproved(ids) => ("unproved", json!({ "ids": ids })),
        ApplyError::NoInstaller => ("no-installer", Value::Null),
        ApplyError::Listen(error) => ("listen", json!({ "reason": error.to_string() })),
        ApplyError::Write(error) => {
            tracing::error!(%error, "the site file cannot be written");
            ("not-written", json!({ "reason": error.to_string() }))
        }
        ApplyError::Unapplied => ("unapplied", Value::Null),
        ApplyError::Ending | ApplyError::Refused(reload::Refused::Busy) => ("ending", Value::Null),
        ApplyError::Refused(reload::Refused::NeedsRestart(keys)) => {
            ("needs-restart", json!({ "keys": keys }))
        }
        ApplyError::Refused(reload::Refused::Demanded(outputs)) => {
            ("demanded", json!({ "outputs": outputs }))
        }
    };
    Refused::Against {
        why,
        message,
        detail,
    }
}
