//! What a client is told when a call is refused: a status and a stable code (docs/api.md), apart from what the log says.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a call was refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    BadRequest(&'static str, String),
    NotLoggedIn,
    WrongPin,
    NotAllowed,
    Unknown(String),
    /// By the alarm's own rules: the `why` of the rules.
    ByRule(&'static str),
    TooMany,
    NotReady(&'static str),
}

impl Refused {
    fn parts(self) -> (StatusCode, &'static str, String) {
        match self {
            Self::BadRequest(code, message) => (StatusCode::BAD_REQUEST, code, message),
            Self::NotLoggedIn => (
                StatusCode::UNAUTHORIZED,
                "not-logged-in",
                "log in first".into(),
            ),
            Self::WrongPin => (
                StatusCode::UNAUTHORIZED,
                "wrong-pin",
                "unknown person or wrong PIN".into(),
            ),
            Self::NotAllowed => (
                StatusCode::FORBIDDEN,
                "not-allowed",
                "this role may not do that".into(),
            ),
            Self::Unknown(what) => (StatusCode::NOT_FOUND, "unknown", what),
            Self::ByRule(why) => (
                StatusCode::CONFLICT,
                why,
                "refused by the alarm's rules".into(),
            ),
            Self::TooMany => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-many",
                "too many tries; wait a minute".into(),
            ),
            Self::NotReady(why) => (StatusCode::SERVICE_UNAVAILABLE, "not-ready", why.into()),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, error, message) = self.parts();
        (
            status,
            Json(json!({ "error": error, "message": message, "detail": null })),
        )
            .into_response()
    }
}
