//! What people do at the screen: log in, silence, acknowledge, reset, shelve, take out of service. Each act is handed to judgement, which alone decides.

use super::Plant;
use super::refusal::Refused;
use super::session::{self, LoginError};
use super::shapes;
use crate::desk::DeskError;
use crate::judge::{Ask, LOCAL};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use davy_alarm::{Action, Actor, Priority};
use davy_config::site::{AlarmIndex, OutputIndex, Person, Role};
use serde::Deserialize;
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

/// Characters of a note or reason that are kept.
const TEXT_MAX: usize = 500;

type Answer = Result<Response, Refused>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogIn {
    person: String,
    pin: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Acknowledge {
    occurrence: u32,
    note: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shelve {
    minutes: u32,
    reason: String,
    second: Option<LogIn>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    reason: String,
}

/// `GET /api/session`.
pub(super) async fn who(State(plant): State<Arc<Plant>>, headers: HeaderMap) -> Response {
    let person = logged_in(&plant, &headers).ok();
    Json(json!({ "person": person.as_ref().map(shown) })).into_response()
}

/// `POST /api/session`.
pub(super) async fn log_in(
    State(plant): State<Arc<Plant>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<LogIn>, JsonRejection>,
) -> Answer {
    same_origin(&headers)?;
    let person = verified(&plant, peer.ip(), read(body)?).await?;
    let answer = json!({ "person": shown(&person) });
    Ok(opened(&plant, &person, answer))
}

/// A session for somebody who has shown who they are.
pub(super) fn opened(plant: &Plant, person: &Person, answer: serde_json::Value) -> Response {
    let token = plant.sessions.open(person, Instant::now());
    tracing::info!(person = person.id, "logged in");
    let cookie = format!(
        "{}={token}; Path=/; HttpOnly; SameSite=Strict",
        session::cookie(&plant.site.id)
    );
    ([(header::SET_COOKIE, cookie)], Json(answer)).into_response()
}

/// `DELETE /api/session`.
pub(super) async fn log_out(State(plant): State<Arc<Plant>>, headers: HeaderMap) -> Answer {
    same_origin(&headers)?;
    if let Some(token) = token(&headers, &plant.site.id) {
        plant.sessions.close(token);
    }
    let gone = format!(
        "{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0",
        session::cookie(&plant.site.id)
    );
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}

/// `POST /api/silence`: everybody at the plant may.
pub(super) async fn silence(State(plant): State<Arc<Plant>>, headers: HeaderMap) -> Answer {
    same_origin(&headers)?;
    let actor = logged_in(&plant, &headers).map_or_else(|_| LOCAL.to_owned(), |person| person.id);
    let ask = Ask::Silence {
        person: recorded(&actor, None, None),
    };
    plant.desk.ask(ask, None).await.map_err(refused)?;
    tracing::info!(person = actor, "horn silenced");
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /api/alarms/{id}/acknowledge`; P1 needs a note.
pub(super) async fn acknowledge(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: Result<Json<Acknowledge>, JsonRejection>,
) -> Answer {
    let person = acting(&plant, &headers)?;
    let Acknowledge { occurrence, note } = read(body)?;
    let alarm = find_alarm(&plant, &id)?;
    let note = note.and_then(kept);
    let priority = plant.site.alarms[alarm.0].definition.priority;
    if priority == Priority::P1 && note.is_none() {
        return Err(Refused::ByRule("reason"));
    }
    let action = Action::Acknowledge {
        occurrence: Some(occurrence),
    };
    act(&plant, alarm, action, &person, note, None).await
}

/// `POST /api/alarms/{id}/reset`.
pub(super) async fn reset(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    let person = acting(&plant, &headers)?;
    act_plainly(&plant, &id, Action::Reset, &person).await
}

/// `POST /api/alarms/{id}/shelve`.
pub(super) async fn shelve(
    State(plant): State<Arc<Plant>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: Result<Json<Shelve>, JsonRejection>,
) -> Answer {
    let person = acting(&plant, &headers)?;
    let Shelve {
        minutes,
        reason,
        second,
    } = read(body)?;
    let alarm = find_alarm(&plant, &id)?;
    let second = match second {
        Some(second) => {
            Some(verified(&plant, peer.ip(), second).await?).filter(|other| other.id != person.id)
        }
        None => None,
    };
    let reason = kept(reason);
    let action = Action::Shelve {
        minutes,
        reason: reason.is_some(),
        second: second.is_some(),
    };
    act(&plant, alarm, action, &person, reason, second).await
}

/// `POST /api/alarms/{id}/unshelve`.
pub(super) async fn unshelve(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    let person = acting(&plant, &headers)?;
    act_plainly(&plant, &id, Action::Unshelve, &person).await
}

/// `POST /api/alarms/{id}/out-of-service`; maintenance alone.
pub(super) async fn out_of_service(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: Result<Json<Reason>, JsonRejection>,
) -> Answer {
    let person = maintaining(&plant, &headers)?;
    let reason = kept(read(body)?.reason);
    let alarm = find_alarm(&plant, &id)?;
    let action = Action::OutOfService {
        reason: reason.is_some(),
    };
    act(&plant, alarm, action, &person, reason, None).await
}

/// `POST /api/alarms/{id}/in-service`; maintenance alone.
pub(super) async fn in_service(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    let person = maintaining(&plant, &headers)?;
    act_plainly(&plant, &id, Action::InService, &person).await
}

/// `POST /api/alarms/{id}/demand`: what a manual cause switches.
pub(super) async fn demand(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: Result<Json<Reason>, JsonRejection>,
) -> Answer {
    manual(&plant, &headers, &id, body, true).await
}

/// `POST /api/alarms/{id}/withdraw`: ends that.
pub(super) async fn withdraw(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: Result<Json<Reason>, JsonRejection>,
) -> Answer {
    manual(&plant, &headers, &id, body, false).await
}

async fn manual(
    plant: &Plant,
    headers: &HeaderMap,
    id: &str,
    body: Result<Json<Reason>, JsonRejection>,
    demand: bool,
) -> Answer {
    let person = acting(plant, headers)?;
    let Reason { reason } = read(body)?;
    let alarm = find_alarm(plant, id)?;
    let ask = Ask::Manual {
        alarm,
        demand,
        actor: actor(&person),
        person: recorded(&person.id, kept(reason), None),
    };
    plant.desk.ask(ask, None).await.map_err(refused)?;
    Ok(Json(shapes::alarm(&plant.site, &plant.live.alarm(alarm))).into_response())
}

/// `POST /api/outputs/{id}/reset`.
pub(super) async fn reset_output(
    State(plant): State<Arc<Plant>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    let person = acting(&plant, &headers)?;
    let mut outputs = plant.site.outputs.iter();
    let position = outputs.position(|output| output.id == id);
    let output = OutputIndex(position.ok_or(Refused::Unknown(id))?);
    let ask = Ask::ResetOutput {
        output,
        actor: actor(&person),
        person: recorded(&person.id, None, None),
    };
    plant.desk.ask(ask, None).await.map_err(refused)?;
    tracing::info!(
        output = plant.site.outputs[output.0].id,
        person = person.id,
        "output reset"
    );
    Ok(Json(shapes::output(&plant.site, &plant.live.output(output))).into_response())
}

/// An act that takes neither reason nor second person.
async fn act_plainly(plant: &Plant, id: &str, action: Action, person: &Person) -> Answer {
    let alarm = find_alarm(plant, id)?;
    act(plant, alarm, action, person, None, None).await
}

async fn act(
    plant: &Plant,
    alarm: AlarmIndex,
    action: Action,
    person: &Person,
    reason: Option<String>,
    second: Option<Person>,
) -> Answer {
    let ask = Ask::Alarm {
        alarm,
        action,
        actor: actor(person),
        person: recorded(&person.id, reason, second.as_ref()),
    };
    plant.desk.ask(ask, None).await.map_err(refused)?;
    Ok(Json(shapes::alarm(&plant.site, &plant.live.alarm(alarm))).into_response())
}

/// Who acted, as the record keeps it.
fn recorded(actor: &str, reason: Option<String>, second: Option<&Person>) -> crate::judge::Person {
    crate::judge::Person {
        actor: Arc::from(actor),
        reason: reason.map(Arc::from),
        second: second.map(|second| Arc::from(second.id.as_str())),
    }
}

fn actor(person: &Person) -> Actor {
    Actor {
        remote: false,
        maintenance: person.role == Role::Maintenance,
    }
}

fn refused(error: DeskError) -> Refused {
    match error {
        DeskError::Refused(refusal) => Refused::ByRule(refusal.why()),
        DeskError::NoAnswer => Refused::NotReady("judgement does not answer"),
    }
}

fn find_alarm(plant: &Plant, id: &str) -> Result<AlarmIndex, Refused> {
    let position = plant.site.alarms.iter().position(|alarm| alarm.id == id);
    position
        .map(AlarmIndex)
        .ok_or_else(|| Refused::Unknown(id.to_owned()))
}

fn acting(plant: &Plant, headers: &HeaderMap) -> Result<Person, Refused> {
    same_origin(headers)?;
    logged_in(plant, headers)
}

pub(super) fn maintaining(plant: &Plant, headers: &HeaderMap) -> Result<Person, Refused> {
    let person = acting(plant, headers)?;
    match person.role {
        Role::Maintenance => Ok(person),
        Role::Operator => Err(Refused::NotAllowed),
    }
}

fn logged_in(plant: &Plant, headers: &HeaderMap) -> Result<Person, Refused> {
    let token = token(headers, &plant.site.id).ok_or(Refused::NotLoggedIn)?;
    let person = plant.sessions.person(token, Instant::now());
    person.ok_or(Refused::NotLoggedIn)
}

/// Checks a PIN off the asynchronous threads: the hash costs tens of milliseconds by design.
async fn verified(plant: &Arc<Plant>, address: IpAddr, typed: LogIn) -> Result<Person, Refused> {
    let permit = plant.verifying.clone().acquire_owned().await;
    let plant = plant.clone();
    let checked = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        plant
            .sessions
            .verify(address, &typed.person, &typed.pin, Instant::now())
    });
    match checked.await {
        Ok(Ok(person)) => Ok(person),
        Ok(Err(LoginError::Wrong)) => Err(Refused::WrongPin),
        Ok(Err(LoginError::TooMany)) => Err(Refused::TooMany),
        Err(_) => Err(Refused::NotReady("the PIN could not be checked")),
    }
}

fn token<'h>(headers: &'h HeaderMap, site: &str) -> Option<&'h str> {
    let cookie = session::cookie(site);
    let cookies = headers.get_all(header::COOKIE).iter();
    let mut pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    pairs.find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == cookie).then_some(value)
    })
}

/// A page of another origin may not act with a person's cookie.
pub(super) fn same_origin(headers: &HeaderMap) -> Result<(), Refused> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let origin = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"));
    match (origin, host) {
        (Some((_, origin)), Some(host)) if origin == host => Ok(()),
        _ => Err(Refused::NotAllowed),
    }
}

pub(super) fn read<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Refused> {
    match body {
        Ok(Json(value)) => Ok(value),
        Err(rejection) => Err(Refused::bad("body", rejection.body_text())),
    }
}

/// A note or reason that says something, cut to the length that is kept.
pub(super) fn kept(text: String) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.chars().take(TEXT_MAX).collect())
}

pub(super) fn shown(person: &Person) -> serde_json::Value {
    let role = match person.role {
        Role::Operator => "operator",
        Role::Maintenance => "maintenance",
    };
    json!({ "id": person.id, "name": person.name, "role": role })
}
