//! Log-in, log-out, and who one is.

use super::City;
use super::access::{COOKIE, Caller};
use super::address::Address;
use super::error::{ApiError, ErrorBody};
use crate::audit::Entry;
use crate::auth::Token;
use crate::records::{Person, Place, Role, Session};
use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;

/// One shift with its handover, milliseconds.
const SESSION_MS: i64 = 12 * 3_600_000;

#[derive(Deserialize, ToSchema)]
pub(crate) struct Login {
    user: String,
    password: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionBody {
    user: User,
}

/// A person, as others may see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct User {
    id: String,
    name: String,
    role: Role,
    /// An operator's sites.
    sites: Vec<String>,
    /// A regulator's jurisdiction.
    jurisdiction: Option<Place>,
}

impl From<Person> for User {
    fn from(person: Person) -> Self {
        Self {
            jurisdiction: (person.role == Role::Regulator).then_some(person.jurisdiction),
            id: person.id,
            name: person.name,
            role: person.role,
            sites: person.sites.into_iter().collect(),
        }
    }
}

/// Logs in; sets the cookie.
#[utoipa::path(post, path = "/api/session", request_body = Login,
    responses((status = 200, body = SessionBody), (status = 401, body = ErrorBody), (status = 429, body = ErrorBody)))]
pub(crate) async fn begin(
    State(city): State<City>,
    Address(address): Address,
    Json(login): Json<Login>,
) -> Result<Response, ApiError> {
    let person = check(&city, address, &login.user, login.password).await?;
    let token = Token::random().ok_or(ApiError::NotReady("randomness"))?;
    let now_ms = city.now_ms();
    audit(&city, &person.id, "login", serde_json::json!({})).await?;
    let session = Session {
        token_hash: token.hash(),
        person: person.id.clone(),
        created_ms: now_ms,
        expires_ms: now_ms + SESSION_MS,
    };
    city.records.begin_session(&session).await?;
    let cookie = cookie(token.as_str(), SESSION_MS / 1_000, city.secure_cookie);
    let body = SessionBody {
        user: person.into(),
    };
    Ok(([(header::SET_COOKIE, cookie)], Json(body)).into_response())
}

/// Whose name and password these are; counts and remembers the wrong ones.
pub(crate) async fn check(
    city: &City,
    address: IpAddr,
    user: &str,
    password: String,
) -> Result<Person, ApiError> {
    // A name can be anything: no more of it is kept than a name is long.
    let counted: String = user.chars().take(64).collect();
    if !city.throttle().admit(address, &counted, city.now_ms()) {
        return Err(ApiError::TooManyTries);
    }
    let (person, hash) = city.records.person(user).await?.unzip();
    let matches = city.passwords().check(password, hash).await;
    match person.filter(|_| matches) {
        Some(person) => {
            city.throttle().forgive(address, &counted, city.now_ms());
            Ok(person)
        }
        None => {
            audit(city, &counted, "login-failed", serde_json::json!({})).await?;
            Err(ApiError::WrongLogin)
        }
    }
}

async fn audit(
    city: &City,
    user: &str,
    action: &'static str,
    detail: serde_json::Value,
) -> Result<(), ApiError> {
    let entry = Entry {
        time_ms: city.now_ms(),
        actor: user.to_owned(),
        action,
        subject: user.to_owned(),
        detail,
    };
    city.records.audit(&entry).await?;
    Ok(())
}

/// Who one is.
#[utoipa::path(get, path = "/api/session", responses((status = 200, body = SessionBody), (status = 401, body = ErrorBody)))]
pub(crate) async fn show(Extension(caller): Extension<Caller>) -> Json<SessionBody> {
    Json(SessionBody {
        user: caller.person.into(),
    })
}

/// Logs out.
#[utoipa::path(delete, path = "/api/session", responses((status = 204), (status = 401, body = ErrorBody)))]
pub(crate) async fn end(
    State(city): State<City>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, ApiError> {
    city.records.end_session(&caller.token.hash()).await?;
    audit(&city, &caller.person.id, "logout", serde_json::json!({})).await?;
    Ok((
        StatusCode::NO_CONTENT,
        [(header::SET_COOKIE, cookie("", 0, city.secure_cookie))],
    )
        .into_response())
}

fn cookie(value: &str, max_age_s: i64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age_s}{secure}")
}
