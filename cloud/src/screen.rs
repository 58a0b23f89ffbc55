//! The city's screens, embedded from `web/dist/city` when the binary is built (a debug build reads them from there). Any path that is no file and no call is
//! the application itself, which finds its place from the address.

use crate::api::ApiError;
use crate::message::{Language, Message};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

#[derive(rust_embed::RustEmbed)]
#[folder = "../web/dist/city"]
#[allow_missing = true]
struct Files;

const INDEX: &str = "index.html";

/// The application loads nothing from elsewhere, and nobody may frame it.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
    frame-ancestors 'none'; form-action 'self'";

/// Answers what no call of the API did.
pub(crate) async fn serve(request: Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return ApiError::Unknown { what: "call" }.into_response();
    }
    let name = path.trim_start_matches('/');
    match Files::get(name).filter(|_| !name.is_empty()) {
        Some(file) => with_headers(name, &file),
        // A missing script must be a missing script, never a page.
        None if name
            .rsplit('/')
            .next()
            .is_some_and(|last| last.contains('.')) =>
        {
            StatusCode::NOT_FOUND.into_response()
        }
        None => match Files::get(INDEX) {
            Some(file) => with_headers(INDEX, &file),
            None => not_built(request.headers()),
        },
    }
}

fn with_headers(name: &str, file: &rust_embed::EmbeddedFile) -> Response {
    // Names of assets carry a hash of their content; the page that names them is asked for anew each time.
    let cache = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut response = file.data.clone().into_owned().into_response();
    let kind = HeaderValue::from_str(file.metadata.mimetype());
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        kind.unwrap_or(HeaderValue::from_static("application/octet-stream")),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    response
}

/// A plain page for a binary that was built without the screens.
fn not_built(headers: &HeaderMap) -> Response {
    let preferred = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let text =
        Message::new("screen-not-built").text(Language::from_preference(preferred.unwrap_or("")));
    let page = format!("<!doctype html><meta charset=\"utf-8\"><title>Davy</title><p>{text}</p>");
    (
        StatusCode::OK,
        [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
        page,
    )
        .into_response()
}
