//! What a caller is told when it cannot have what it asked for. The client gets a status, a stable code and a text in its language; what went wrong
//! inside goes to the log alone.

use crate::auth::PasswordError;
use crate::case::CaseError;
use crate::history::HistoryError;
use crate::message::{Language, Message};
use crate::order::CourierError;
use crate::records::RecordsError;
use crate::table::TableError;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// Every way in which a call fails.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// `field` is the parameter that cannot be taken.
    #[error("bad request: {field}")]
    BadRequest { field: Cow<'static, str> },
    #[error("bad password: {0}")]
    Password(#[from] PasswordError),
    #[error("not logged in")]
    NotLoggedIn,
    #[error("wrong name or password")]
    WrongLogin,
    #[error("not allowed")]
    Forbidden,
    #[error("from another site")]
    CrossOrigin,
    #[error("no such {what}")]
    Unknown { what: &'static str },
    #[error("a person with this name exists")]
    Exists,
    #[error("the last administrator")]
    LastAdministrator,
    /// By the alarm's rules, as far as the city can tell; `why` is one of theirs.
    #[error("refused: {why}")]
    Refused { why: &'static str },
    #[error("too many tries")]
    TooManyTries,
    #[error("not ready: {0}")]
    NotReady(&'static str),
    #[error("records: {0}")]
    Records(RecordsError),
    #[error("history: {0}")]
    History(HistoryError),
    #[error("a file: {0}")]
    Table(String),
}

impl From<RecordsError> for ApiError {
    fn from(error: RecordsError) -> Self {
        match error {
            RecordsError::NoUser(_) => Self::Unknown { what: "user" },
            RecordsError::NoSite(_) => Self::Unknown { what: "site" },
            RecordsError::UserExists(_) => Self::Exists,
            RecordsError::LastAdministrator(_) => Self::LastAdministrator,
            error @ RecordsError::Store(_) => Self::Records(error),
        }
    }
}

impl From<HistoryError> for ApiError {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Busy | HistoryError::Stopped => Self::NotReady("history"),
            error @ (HistoryError::Store { .. }
            | HistoryError::Damaged { .. }
            | HistoryError::Several(_)) => Self::History(error),
        }
    }
}

impl From<TableError> for ApiError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::TooManyRows => Self::Refused {
                why: "too-many-rows",
            },
            error => Self::Table(error.to_string()),
        }
    }
}

impl From<CaseError> for ApiError {
    fn from(error: CaseError) -> Self {
        Self::Table(error.to_string())
    }
}

impl From<CourierError> for ApiError {
    fn from(error: CourierError) -> Self {
        match error {
            CourierError::Down => Self::Refused { why: "site-down" },
            CourierError::UnknownAlarm => Self::Unknown { what: "alarm" },
            CourierError::Busy => Self::NotReady("orders"),
        }
    }
}

/// An error as JSON.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// Stable code.
    error: String,
    /// In the caller's language.
    message: String,
    detail: Option<serde_json::Value>,
}

/// What is to be said, until the language is known.
#[derive(Clone, Debug)]
struct Failure {
    code: &'static str,
    message: Message,
    detail: Option<serde_json::Value>,
    /// When to come again, seconds.
    retry_after_s: Option<u32>,
}

/// When to come again, seconds, of one who guessed too often; of one for whose file there was no turn; of others whom a busy part sent away.
const AFTER_TRIES_S: u32 = 60;
const AFTER_EXPORT_S: u32 = 30;
const AFTER_BUSY_S: u32 = 5;

impl ApiError {
    const fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::TooManyTries => Some(AFTER_TRIES_S),
            Self::NotReady(part) if matches!(part.as_bytes(), b"export") => Some(AFTER_EXPORT_S),
            Self::NotReady(_) => Some(AFTER_BUSY_S),
            _ => None,
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest { .. } | Self::Password(_) => StatusCode::BAD_REQUEST,
            Self::NotLoggedIn | Self::WrongLogin => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::CrossOrigin => StatusCode::FORBIDDEN,
            Self::Unknown { .. } => StatusCode::NOT_FOUND,
            Self::Exists | Self::LastAdministrator | Self::Refused { .. } => StatusCode::CONFLICT,
            Self::TooManyTries => StatusCode::TOO_MANY_REQUESTS,
            Self::NotReady(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Records(_) | Self::History(_) | Self::Table(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    fn failure(&self) -> Failure {
        let (code, message) = match self {
            Self::BadRequest { field } => (
                "bad-request",
                Message::new("error-bad-request").with("field", field.as_ref()),
            ),
            Self::Password(PasswordError::Short) => {
                ("password-short", Message::new("error-password-short"))
            }
            Self::Password(_) => ("password", Message::new("error-password")),
            Self::NotLoggedIn => ("not-logged-in", Message::new("error-not-logged-in")),
            Self::WrongLogin => ("wrong-login", Message::new("error-wrong-login")),
            Self::Forbidden => ("forbidden", Message::new("error-forbidden")),
            Self::CrossOrigin => ("cross-origin", Message::new("error-cross-origin")),
            Self::Unknown { what } => {
                let what = Message::named(&format!("what-{what}"));
                (
                    "unknown",
                    Message::new("error-unknown").with_message("what", what),
                )
            }
            Self::Exists => ("exists", Message::new("error-exists")),
            Self::LastAdministrator => (
                "last-administrator",
                Message::new("error-last-administrator"),
            ),
            Self::Refused { why } => {
                let said = Message::named(&format!("why-{why}"));
                (
                    *why,
                    Message::new("error-refused").with_message("why", said),
                )
            }
            Self::TooManyTries => ("too-many-tries", Message::new("error-too-many-tries")),
            Self::NotReady(part) => (
                "not-ready",
                Message::new("error-not-ready")
                    .with_message("part", Message::named(&format!("part-{part}"))),
            ),
            Self::Records(_) | Self::History(_) | Self::Table(_) => {
                ("internal", Message::new("error-internal"))
            }
        };
        let detail = match self {
            Self::BadRequest { field } => Some(serde_json::json!({ "field": field })),
            _ => None,
        };
        Failure {
            code,
            message,
            detail,
            retry_after_s: self.retry_after_s(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match &self {
            Self::Records(error) => tracing::error!(%error, "the records failed a call"),
            Self::History(error) => tracing::error!(%error, "the history failed a call"),
            Self::Table(error) => tracing::error!(%error, "an export failed"),
            _ => tracing::debug!(error = %self, "a call was refused"),
        }
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self.failure());
        response
    }
}

/// Gives every failed answer its body, in the language of the request; also those that the router made itself.
pub(crate) async fn render(request: Request, next: Next) -> Response {
    let preferred = request
        .headers()
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let language = Language::from_preference(preferred.unwrap_or(""));
    let response = next.run(request).await;
    let failure = response.extensions().get::<Failure>().cloned();
    match failure.or_else(|| of_router(response.status())) {
        Some(failure) => with_body(response.status(), &failure, language),
        None => response,
    }
}

fn of_router(status: StatusCode) -> Option<Failure> {
    let (code, message) = match status {
        StatusCode::BAD_REQUEST
        | StatusCode::UNPROCESSABLE_ENTITY
        | StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            "bad-request",
            Message::new("error-bad-request").with("field", "…"),
        ),
        StatusCode::PAYLOAD_TOO_LARGE => ("too-large", Message::new("error-too-large")),
        StatusCode::METHOD_NOT_ALLOWED => ("method", Message::new("error-method")),
        _ => return None,
    };
    Some(Failure {
        code,
        message,
        detail: None,
        retry_after_s: None,
    })
}

fn with_body(status: StatusCode, failure: &Failure, language: Language) -> Response {
    // What the router calls unprocessable is to our callers a bad request.
    let status = match status {
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            StatusCode::BAD_REQUEST
        }
        status => status,
    };
    let body = ErrorBody {
        error: failure.code.to_owned(),
        message: failure.message.text(language),
        detail: failure.detail.clone(),
    };
    let mut response = (status, axum::Json(body)).into_response();
    if let Some(seconds) = failure.retry_after_s {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
