//! What a client is told when a call is refused: a status and a stable code (docs/api.md), apart from what the log says.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Why a call was refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// `field` is the parameter, or part of the request, that cannot be taken.
    BadRequest {
        field: Cow<'static, str>,
        message: String,
    },
    NotLoggedIn,
    WrongPin,
    NotAllowed,
    Unknown(String),
    /// By the alarm's own rules: the `why` of the rules.
    ByRule(&'static str),
    TooMany,
    NotReady(&'static str),
    /// On the commissioning pages: what stands against it, and its parts.
    Against {
        why: &'static str,
        message: String,
        detail: Value,
    },
}

impl Refused {
    pub(super) fn bad(field: impl Into<Cow<'static, str>>, message: String) -> Self {
        Self::BadRequest {
            field: field.into(),
            message,
        }
    }

    fn detail(&self) -> Option<Value> {
        match self {
            Self::BadRequest { field, .. } => Some(json!({ "field": field })),
            Self::Against { detail, .. } => Some(detail.clone()).filter(|detail| !detail.is_null()),
            _ => None,
        }
    }

    fn parts(self) -> (StatusCode, &'static str, String) {
        match self {
            Self::BadRequest { message, .. } => (StatusCode::BAD_REQUEST, "bad-request", message),
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
            Self::Against { why, message, .. } => (StatusCode::CONFLICT, why, message),
            Self::NotReady(why) => (StatusCode::SERVICE_UNAVAILABLE, "not-ready", why.into()),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let detail = self.detail();
        let (status, error, message) = self.parts();
        (
            status,
            Json(json!({ "error": error, "message": message, "detail": detail })),
        )
            .into_response()
    }
}
