//! People and the registry of sites, for administrators. Every change is in the audit log.

use super::City;
use super::access::Caller;
use super::error::{ApiError, ErrorBody};
use super::session::User;
use crate::audit::Entry;
use crate::live::Update;
use crate::records::{Contact, Person, Place, Registry, Risk, Role};
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Users {
    users: Vec<User>,
}

/// Somebody to add or change.
#[derive(Deserialize, ToSchema)]
pub(crate) struct UserChange {
    /// Letters, digits, `.`, `_` and `-`; passed over in a change, where the path names the person.
    #[serde(default)]
    id: String,
    name: String,
    role: Role,
    #[serde(default)]
    sites: Vec<String>,
    jurisdiction: Option<Place>,
    /// Left out in a change, the old one stays.
    password: Option<String>,
}

const LONGEST_ID: usize = 64;
const LONGEST_NAME: usize = 200;
const MOST_SITES: usize = 1_000;

impl UserChange {
    fn person(&self, id: String) -> Result<Person, ApiError> {
        let is_id = |id: &str| {
            id.chars()
                .all(|one| one.is_alphanumeric() || matches!(one, '.' | '_' | '-'))
        };
        if id.is_empty() || id.len() > LONGEST_ID || !is_id(&id) {
            return Err(ApiError::BadRequest { field: "id".into() });
        }
        if self.name.trim().is_empty() || self.name.len() > LONGEST_NAME {
            return Err(ApiError::BadRequest {
                field: "name".into(),
            });
        }
        if self.sites.len() > MOST_SITES {
            return Err(ApiError::BadRequest {
                field: "sites".into(),
            });
        }
        let jurisdiction = self.jurisdiction.clone().unwrap_or_default();
        if self.role == Role::Regulator && jurisdiction.city.is_empty() {
            return Err(ApiError::BadRequest {
                field: "jurisdiction".into(),
            });
        }
        let sites = self.sites.iter().cloned().collect();
        Ok(Person {
            id,
            name: self.name.trim().to_owned(),
            role: self.role,
            sites,
            jurisdiction,
        })
    }
}

pub(super) async fn audit(
    city: &City,
    caller: &Caller,
    action: &'static str,
    subject: &str,
    detail: serde_json::Value,
) -> Result<(), ApiError> {
    let (actor, subject) = (caller.person.id.clone(), subject.to_owned());
    city.records
        .audit(&Entry {
            time_ms: city.now_ms(),
            actor,
            action,
            subject,
            detail,
        })
        .await?;
    Ok(())
}

fn told(person: &Person, password: bool) -> serde_json::Value {
    serde_json::json!({ "role": person.role, "sites": person.sites, "jurisdiction": person.jurisdiction, "password": password })
}

/// Everybody.
#[utoipa::path(get, path = "/api/admin/users", responses((status = 200, body = Users), (status = 403, body = ErrorBody)))]
pub(crate) async fn users(State(city): State<City>) -> Result<Json<Users>, ApiError> {
    let people = city.records.people().await?;
    Ok(Json(Users {
        users: people.into_iter().map(User::from).collect(),
    }))
}

/// Adds somebody.
#[utoipa::path(post, path = "/api/admin/users", request_body = UserChange,
    responses((status = 201, body = User), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn add_user(
    State(city): State<City>,
    Extension(caller): Extension<Caller>,
    Json(change): Json<UserChange>,
) -> Result<(StatusCode, Json<User>), ApiError> {
    let person = change.person(change.id.clone())?;
    let password = change.password.ok_or(ApiError::BadRequest {
        field: "password".into(),
    })?;
    let hash = city.passwords().hash(password).await?;
    city.records
        .add_person(&person, &hash, city.now_ms())
        .await?;
    audit(&city, &caller, "user-add", &person.id, told(&person, true)).await?;
    Ok((StatusCode::CREATED, Json(person.into())))
}

/// Changes somebody; every session of that person ends.
#[utoipa::path(put, path = "/api/admin/users/{id}", params(("id" = String, Path)), request_body = UserChange,
    responses((status = 200, body = User), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn change_user(
    State(city): State<City>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    Json(change): Json<UserChange>,
) -> Result<Json<User>, ApiError> {
    let person = change.person(id)?;
    let hash = match change.password {
        Some(password) => Some(city.passwords().hash(password).await?),
        None => None,
    };
    city.records.change_person(&person, hash.as_deref()).await?;
    audit(
        &city,
        &caller,
        "user-change",
        &person.id,
        told(&person, hash.is_some()),
    )
    .await?;
    Ok(Json(person.into()))
}

/// Removes somebody; what that person did stays in the record.
#[utoipa::path(delete, path = "/api/admin/users/{id}", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn remove_user(
    State(city): State<City>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, ApiError> {
    city.records.remove_person(&id).await?;
    audit(&city, &caller, "user-remove", &id, serde_json::json!({})).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The registry's part of a site.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RegistryBody {
    #[serde(flatten)]
    place: Place,
    #[serde(default)]
    address: String,
    #[serde(default)]
    sector: String,
    #[serde(default)]
    risk: Risk,
    #[serde(default)]
    contacts: Vec<Contact>,
}

const MOST_CONTACTS: usize = 50;

/// The registry's part of a site.
#[utoipa::path(get, path = "/api/admin/sites/{site}", params(("site" = String, Path)),
    responses((status = 200, body = RegistryBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn registry(
    State(city): State<City>,
    Path(site): Path<String>,
) -> Result<Json<RegistryBody>, ApiError> {
    let site = city
        .records
        .site(&site)
        .await?
        .ok_or(ApiError::Unknown { what: "site" })?;
    let Registry {
        place,
        address,
        sector,
        risk,
        contacts,
    } = site.registry;
    Ok(Json(RegistryBody {
        place,
        address,
        sector,
        risk,
        contacts,
    }))
}

/// Sets the registry's part of a site, also before it has ever reported.
#[utoipa::path(put, path = "/api/admin/sites/{site}", params(("site" = String, Path)), request_body = RegistryBody,
    responses((status = 200, body = RegistryBody), (status = 400, body = ErrorBody)))]
pub(crate) async fn put_registry(
    State(city): State<City>,
    Path(site): Path<String>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<RegistryBody>,
) -> Result<Json<RegistryBody>, ApiError> {
    if site.is_empty() || site.len() > LONGEST_ID || site.contains(['/', '+', '#']) {
        return Err(ApiError::BadRequest {
            field: "site".into(),
        });
    }
    if body.contacts.len() > MOST_CONTACTS {
        return Err(ApiError::BadRequest {
            field: "contacts".into(),
        });
    }
    let RegistryBody {
        place,
        address,
        sector,
        risk,
        contacts,
    } = body;
    let registry = Registry {
        place,
        address,
        sector,
        risk,
        contacts,
    };
    city.records.put_registry(&site, &registry).await?;
    let Registry {
        place,
        address,
        sector,
        risk,
        contacts,
    } = registry;
    let detail = serde_json::json!({ "place": place, "address": address, "sector": sector, "risk": risk, "contacts": contacts });
    audit(&city, &caller, "site-set", &site, detail).await?;
    city.live.tell(Update::Site(site));
    Ok(Json(RegistryBody {
        place,
        address,
        sector,
        risk,
        contacts,
    }))
}
