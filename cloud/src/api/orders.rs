//! Acknowledge, shelve and unshelve from afar. The city checks who asks and what it can know; the gateway decides, and its transition is the answer.

use super::City;
use super::access::Caller;
use super::address::Address;
use super::error::{ApiError, ErrorBody};
use super::session;
use crate::auth::{Action, may};
use crate::order::{self, Act, Order};
use crate::records::Alarm;
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use davy_alarm::{Priority, Refusal};
use davy_print::text_of;
use rand::TryRng as _;
use rand::rngs::SysRng;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;

/// Longest note or reason, characters.
const LONGEST_TEXT: usize = 500;

/// The order is on its way; the answer comes in the event stream.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ordered {
    command: String,
}

type Answer = Result<(StatusCode, Json<Ordered>), ApiError>;

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Acknowledge {
    /// The occurrence that the person saw.
    occurrence: u32,
    /// Compulsory for priority 1.
    note: Option<String>,
}

/// Acknowledges one occurrence.
#[utoipa::path(post, path = "/api/sites/{site}/alarms/{alarm}/acknowledge", params(("site" = String, Path), ("alarm" = String, Path)),
    request_body = Acknowledge, responses((status = 202, body = Ordered), (status = 403, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn acknowledge(
    State(city): State<City>,
    Path((site, alarm)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
    Json(asked): Json<Acknowledge>,
) -> Answer {
    let standing = standing(&city, &site, &alarm).await?;
    let note = text(asked.note.as_deref(), "note")?;
    if standing.priority == Priority::P1 && note.is_none() {
        return Err(ApiError::Refused {
            why: Refusal::Reason.why(),
        });
    }
    send(
        &city,
        caller,
        standing,
        Act::Acknowledge {
            occurrence: asked.occurrence,
            note,
        },
    )
    .await
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Shelve {
    /// 1 to 1,440; the alarm's own maximum is the gateway's to know.
    minutes: u32,
    reason: String,
    /// Compulsory for priority 1.
    second: Option<Second>,
}

/// Another person who agrees, and proves to be that person.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Second {
    user: String,
    password: String,
}

const MOST_MINUTES: u32 = 1_440;

/// Shelves an alarm.
#[utoipa::path(post, path = "/api/sites/{site}/alarms/{alarm}/shelve", params(("site" = String, Path), ("alarm" = String, Path)),
    request_body = Shelve, responses((status = 202, body = Ordered), (status = 403, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn shelve(
    State(city): State<City>,
    Path((site, alarm)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
    Address(address): Address,
    Json(asked): Json<Shelve>,
) -> Answer {
    let standing = standing(&city, &site, &alarm).await?;
    let reason = text(Some(&asked.reason), "reason")?;
    let reason = reason.ok_or(ApiError::Refused {
        why: Refusal::Reason.why(),
    })?;
    if !(1..=MOST_MINUTES).contains(&asked.minutes) {
        return Err(ApiError::Refused {
            why: Refusal::Minutes.why(),
        });
    }
    let second = match asked.second {
        Some(second) => Some(agreed(&city, &caller, address, &site, second).await?),
        None => None,
    };
    if standing.priority == Priority::P1 && second.is_none() {
        return Err(ApiError::Refused {
            why: Refusal::SecondPerson.why(),
        });
    }
    send(
        &city,
        caller,
        standing,
        Act::Shelve {
            minutes: asked.minutes,
            reason,
            second,
        },
    )
    .await
}

/// Ends a shelving.
#[utoipa::path(post, path = "/api/sites/{site}/alarms/{alarm}/unshelve", params(("site" = String, Path), ("alarm" = String, Path)),
    responses((status = 202, body = Ordered), (status = 403, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn unshelve(
    State(city): State<City>,
    Path((site, alarm)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
) -> Answer {
    let standing = standing(&city, &site, &alarm).await?;
    send(&city, caller, standing, Act::Unshelve).await
}

async fn standing(city: &City, site: &str, alarm: &str) -> Result<Alarm, ApiError> {
    city.records
        .alarm(site, alarm)
        .await?
        .ok_or(ApiError::Unknown { what: "alarm" })
}

/// The second person's id: somebody else, who may act at this site.
async fn agreed(
    city: &City,
    caller: &Caller,
    address: IpAddr,
    site: &str,
    second: Second,
) -> Result<String, ApiError> {
    let refused = ApiError::Refused {
        why: Refusal::SecondPerson.why(),
    };
    if second.user == caller.person.id {
        return Err(refused);
    }
    let person = match session::check(city, address, &second.user, second.password).await {
        Err(ApiError::WrongLogin) => return Err(refused),
        checked => checked?,
    };
    let place = city
        .records
        .site(site)
        .await?
        .ok_or(ApiError::Unknown { what: "site" })?
        .registry
        .place;
    if may(&person, Action::Act, Some((site, &place))) {
        Ok(person.id)
    } else {
        Err(refused)
    }
}

fn text(given: Option<&str>, field: &'static str) -> Result<Option<String>, ApiError> {
    let given = given.map(str::trim).filter(|text| !text.is_empty());
    match given {
        Some(text) if text.chars().count() > LONGEST_TEXT => Err(ApiError::BadRequest {
            field: field.into(),
        }),
        given => Ok(given.map(str::to_owned)),
    }
}

/// Sends the order under a name of its own.
async fn send(city: &City, caller: Caller, alarm: Alarm, act: Act) -> Answer {
    let id = order_id().ok_or(ApiError::NotReady("randomness"))?;
    let order = Order {
        id: id.clone(),
        site: alarm.site,
        alarm: alarm.id,
        actor: caller.person.id,
        act,
    };
    match order::place(&city.records, &*city.courier, order, city.clock).await? {
        Ok(()) => Ok((StatusCode::ACCEPTED, Json(Ordered { command: id }))),
        Err(error) => Err(error.into()),
    }
}

/// 128 random bits.
fn order_id() -> Option<String> {
    let mut bytes = [0; 16];
    SysRng.try_fill_bytes(&mut bytes).ok()?;
    Some(text_of(&bytes))
}
