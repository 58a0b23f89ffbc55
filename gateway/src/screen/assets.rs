//! The plant face of the screens, embedded when the gateway is built.

use axum::body::Body;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../web/dist/plant"]
#[allow_missing = true]
struct Face;

/// Answers any address that is not an interface call: a file of the face, or its first page, whose own router reads the address.
pub async fn serve(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") {
        return StatusCode::NOT_FOUND.into_response();
    }
    match Face::get(path).map(|file| (path, file)).or_else(|| Face::get("index.html").map(|file| ("index.html", file))) {
        Some((path, file)) => answer(path, file),
        None => (StatusCode::SERVICE_UNAVAILABLE, "The screens are not built into this gateway: run `cargo xtask web`, then build it again.\n").into_response(),
    }
}

/// Files with a content hash in their name never change; the first page is asked for anew each time.
fn answer(path: &str, file: EmbeddedFile) -> Response {
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let kind = file.metadata.mimetype().to_owned();
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache.to_owned())], Body::from(file.data)).into_response()
}
