//! The screens' files, or a plain page that says that they are not there; and calls that do not exist.

use crate::city::{City, json, text};
use axum::http::{Method, StatusCode};

#[tokio::test]
async fn any_place_of_the_application_is_a_page_and_a_missing_file_is_missing() {
    let city = City::new().await;
    for path in ["/", "/sites/tank-farm", "/record?site=x"] {
        let answer = city.call(Method::GET, path, None, None).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert!(
            text(answer)
                .await
                .to_lowercase()
                .contains("<!doctype html>"),
            "{path}"
        );
    }
    for path in ["/assets/missing.js", "/../Cargo.toml", "/%2e%2e/Cargo.toml"] {
        let answer = city.call(Method::GET, path, None, None).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_call_that_does_not_exist_is_told_so_as_json() {
    let city = City::new().await;
    for (method, path) in [(Method::GET, "/api/nothing"), (Method::POST, "/anything")] {
        let answer = city.call(method, path, None, None).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(json(answer).await["error"], "unknown", "{path}");
    }
    let answer = city.call(Method::PUT, "/api/session", None, None).await;
    assert_eq!(
        answer.status(),
        StatusCode::FORBIDDEN,
        "a method without a row is nobody's"
    );
}
