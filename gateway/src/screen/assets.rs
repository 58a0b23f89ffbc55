//! The plant face of the screens, embedded from `web/dist/plant` when the binary is built (a debug build reads it from there). Any path that is no file and
//! no call is the application itself, which finds its place from the address.

use super::refusal::Refused;
use crate::message;
use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use davy_config::Language;
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../web/dist/plant"]
#[allow_missing = true]
struct Files;

const INDEX: &str = "index.html";

/// The application loads nothing from elsewhere, and nobody may frame it.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
    frame-ancestors 'none'; form-action 'self'";

/// Answers what no call of the interface did.
pub(super) async fn serve(method: Method, uri: Uri) -> Response {
    let name = uri.path().trim_start_matches('/');
    if name.starts_with("api/") || !matches!(method, Method::GET | Method::HEAD) {
        return Refused::Unknown(uri.path().to_owned()).into_response();
    }
    match Files::get(name).filter(|_| !name.is_empty()) {
        Some(file) => answer(name, file),
        // A missing script must be a missing script, never a page.
        None if name
            .rsplit('/')
            .next()
            .is_some_and(|last| last.contains('.')) =>
        {
            StatusCode::NOT_FOUND.into_response()
        }
        None => match Files::get(INDEX) {
            Some(file) => answer(INDEX, file),
            None => not_built(),
        },
    }
}

/// Files with a content hash in their name never change; the page that names them is asked for anew each time.
fn answer(name: &str, file: EmbeddedFile) -> Response {
    let cache = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let kind = HeaderValue::from_str(file.metadata.mimetype());
    let headers = [
        (
            header::CONTENT_TYPE,
            kind.unwrap_or(HeaderValue::from_static("application/octet-stream")),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(POLICY),
        ),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("same-origin"),
        ),
    ];
    (headers, Body::from(file.data)).into_response()
}

/// A plain page for a binary that was built without the screens.
fn not_built() -> Response {
    let text =
        [Language::Zh, Language::En].map(|language| message::text("screen-not-built", language));
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>Davy</title><p>{}</p>",
        text.join("</p><p>")
    );
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
        page,
    )
        .into_response()
}
