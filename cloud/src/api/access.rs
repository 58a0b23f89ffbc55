//! Every call passes here: who is asking, whether the page that asks is ours, and whether the rule allows it. A route without a row in [`access`]
//! is refused to everybody.

use super::City;
use super::error::ApiError;
use crate::auth::{Action, Token, may};
use crate::records::{Person, Scope};
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// The session cookie.
pub(crate) const COOKIE: &str = "davy_session";

/// What a call asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody, without a session.
    Anybody,
    /// A person who may do this; at the site of the path, where the path has one.
    Person(Action),
}

/// The row of a route, by its method and its path as the OpenAPI document spells it.
pub(crate) fn access(method: &str, path: &str) -> Option<Access> {
    let person = |action| Some(Access::Person(action));
    match (method, path) {
        ("GET", "/healthz" | "/metrics" | "/api/openapi.json") => Some(Access::Anybody),
        ("POST", "/api/session") => Some(Access::Anybody),
        ("GET" | "DELETE", "/api/session") => person(Action::OwnSession),
        ("GET", "/api/overview" | "/api/alarms" | "/api/events") => person(Action::Read),
        ("GET", "/api/sites/{site}" | "/api/sites/{site}/trend") => person(Action::Read),
        ("GET", "/api/history/alarms" | "/api/history/transitions" | "/api/kpi") => {
            person(Action::Read)
        }
        ("GET", "/api/history/alarms.csv" | "/api/sites/{site}/readings.csv" | "/api/kpi.csv") => {
            person(Action::Export)
        }
        ("GET", "/api/questions/{question}") => person(Action::Read),
        ("GET", "/api/export/{question}" | "/api/sites/{site}/case") => person(Action::Export),
        ("POST", "/api/sites/{site}/alarms/{alarm}/acknowledge") => person(Action::Act),
        ("POST", "/api/sites/{site}/alarms/{alarm}/shelve") => person(Action::Act),
        ("POST", "/api/sites/{site}/alarms/{alarm}/unshelve") => person(Action::Act),
        ("GET", "/api/audit") => person(Action::Administer),
        ("GET" | "POST", "/api/admin/users") => person(Action::Administer),
        ("PUT" | "DELETE", "/api/admin/users/{id}") => person(Action::Administer),
        ("GET" | "PUT", "/api/admin/sites/{site}") => person(Action::Administer),
        ("GET", "/api/admin/quarantine" | "/api/admin/quarantine/{message}") => {
            person(Action::Administer)
        }
        ("POST", "/api/admin/quarantine/{message}/replay") => person(Action::Administer),
        _ => None,
    }
}

/// The person behind a call that passed.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) person: Person,
    pub(crate) token: Token,
}

impl Caller {
    pub(crate) fn scope(&self) -> Scope {
        self.person.scope()
    }
}

/// Lets a call through, or says why not.
pub(crate) async fn guard(
    State(city): State<City>,
    path: MatchedPath,
    parameters: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    let site = parameters
        .iter()
        .find(|(name, _)| *name == "site")
        .map(|(_, value)| value.to_owned());
    let call = Call {
        path: path.as_str(),
        site,
        method: request.method(),
        uri: request.uri(),
        headers: request.headers(),
    };
    match admit(&city, call).await {
        Err(error) => error.into_response(),
        Ok(None) => next.run(request).await,
        Ok(Some(caller)) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
    }
}

/// A request as far as it decides who may make it: not its body, which may not be shared between threads.
struct Call<'a> {
    /// As the routes spell it.
    path: &'a str,
    /// Of the path, where the path has one.
    site: Option<String>,
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
}

/// The site that a call is about stands in its path, or in its query.
async fn admit(city: &City, call: Call<'_>) -> Result<Option<Caller>, ApiError> {
    let Call {
        path,
        site,
        method,
        uri,
        headers,
    } = call;
    if changes_something(method) && !is_same_origin(headers) {
        return Err(ApiError::CrossOrigin);
    }
    let method = name(method).ok_or(ApiError::Forbidden)?;
    let access = access(method, path).ok_or(ApiError::Forbidden)?;
    let action = match access {
        Access::Anybody => return Ok(None),
        Access::Person(action) => action,
    };
    let token = token(headers).ok_or(ApiError::NotLoggedIn)?;
    let person = city
        .records
        .session_person(&token.hash(), city.now_ms())
        .await?;
    let person = person.ok_or(ApiError::NotLoggedIn)?;
    let asked = city.asked().read(method, path, uri)?;
    let of_query = asked.into_iter().find(|(name, _)| name == "site");
    let site = site.or(of_query.map(|(_, site)| site));
    allowed(city, &person, action, site.as_deref()).await?;
    Ok(Some(Caller { person, token }))
}

/// As the routes spell it.
fn name(method: &Method) -> Option<&'static str> {
    let of = [
        (Method::GET, "GET"),
        (Method::HEAD, "GET"),
        (Method::POST, "POST"),
        (Method::PUT, "PUT"),
        (Method::DELETE, "DELETE"),
    ];
    of.into_iter()
        .find(|(known, _)| known == method)
        .map(|(_, name)| name)
}

/// An unknown site is told to those alone who may see every site; to others it is a site that they may not see.
async fn allowed(
    city: &City,
    person: &Person,
    action: Action,
    site: Option<&str>,
) -> Result<(), ApiError> {
    let Some(id) = site else {
        return may(person, action, None)
            .then_some(())
            .ok_or(ApiError::Forbidden);
    };
    if !may(person, action, None) {
        return Err(ApiError::Forbidden);
    }
    match city.records.site(id).await? {
        Some(site) if may(person, action, Some((id, &site.registry.place))) => Ok(()),
        // The administrator may register a site before it has ever reported.
        None if action == Action::Administer => Ok(()),
        None if person.scope() == Scope::All => Err(ApiError::Unknown { what: "site" }),
        Some(_) | None => Err(ApiError::Forbidden),
    }
}

/// From the cookie, or from `Authorization: Bearer`.
pub(crate) fn token(headers: &HeaderMap) -> Option<Token> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    if let Some(text) = bearer.and_then(|value| value.strip_prefix("Bearer ")) {
        return Token::from_text(text.trim());
    }
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == COOKIE)
        .and_then(|(_, value)| Token::from_text(value))
}

fn changes_something(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Browsers say where a page that sends a form or a script's call came from; whoever says nothing is no browser, and has no cookie to be misused.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("origin"), text("sec-fetch-site")) {
        (Some(origin), _) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text("host")
        }
        (None, Some(site)) => matches!(site, "same-origin" | "none"),
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    name.parse().expect("a name"),
                    value.parse().expect("a value"),
                )
            })
            .collect()
    }

    #[test]
    fn a_page_of_another_origin_is_told_apart() {
        let host = ("host", "city.example:8443");
        assert!(is_same_origin(&headers(&[
            host,
            ("origin", "https://city.example:8443")
        ])));
        assert!(!is_same_origin(&headers(&[
            host,
            ("origin", "https://evil.example")
        ])));
        assert!(
            !is_same_origin(&headers(&[host, ("origin", "https://city.example")])),
            "another port"
        );
        assert!(!is_same_origin(&headers(&[host, ("origin", "null")])));
        assert!(!is_same_origin(&headers(&[
            host,
            ("sec-fetch-site", "cross-site")
        ])));
        assert!(is_same_origin(&headers(&[host])));
    }

    #[test]
    fn a_token_is_found_among_other_cookies_and_as_bearer() {
        let token_text = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let cookie = headers(&[(
            "cookie",
            "theme=dark; davy_session=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef; x=y",
        )]);
        assert_eq!(token(&cookie).expect("a token").as_str(), token_text);
        assert!(token(&headers(&[("cookie", "davy_session=short")])).is_none());
        assert!(token(&headers(&[("authorization", "Basic abc")])).is_none());
    }
}
