//! Sessions: cookie, expiry, throttling, and what the audit log remembers.

use crate::city::{City, NOW_MS, PASSWORD, json};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode, header};
use davy_cloud::records::Role;
use serde_json::json;
use std::net::SocketAddr;
use tower::ServiceExt as _;

#[tokio::test]
async fn the_cookie_is_hidden_from_scripts_and_other_sites() {
    let city = City::new().await;
    city.login("wang", Role::Operator).await;
    let body = json!({ "user": "wang", "password": PASSWORD });
    let answer = city
        .call(Method::POST, "/api/session", None, Some(body))
        .await;
    let cookie = answer.headers()[header::SET_COOKIE]
        .to_str()
        .expect("a cookie")
        .to_owned();
    for attribute in [
        "HttpOnly",
        "SameSite=Strict",
        "Path=/",
        "Secure",
        "Max-Age=43200",
    ] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let user = &json(answer).await["user"];
    assert_eq!(
        (&user["id"], &user["role"], &user["sites"]),
        (&json!("wang"), &json!("operator"), &json!(["tank-farm"]))
    );
    assert_eq!(user["jurisdiction"], json!(null));
}

#[tokio::test]
async fn a_bearer_token_is_as_good_as_the_cookie() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let token = cookie.strip_prefix("davy_session=").expect("a token");
    let request =
        Request::get("/api/session").header(header::AUTHORIZATION, format!("Bearer {token}"));
    let answer = city
        .send(request.body(Body::empty()).expect("a request"))
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_log_out_ends_the_session() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    city.call(Method::DELETE, "/api/session", Some(&cookie), None)
        .await;
    let answer = city
        .call(Method::GET, "/api/session", Some(&cookie), None)
        .await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_that_has_expired_is_none() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let token =
        davy_cloud::auth::Token::from_text(cookie.strip_prefix("davy_session=").expect("a token"))
            .expect("a token");
    let shift = 12 * 3_600_000;
    let at = async |now_ms| {
        city.records
            .session_person(&token.hash(), now_ms)
            .await
            .expect("an answer")
            .is_some()
    };
    assert!(at(NOW_MS + shift - 1).await);
    assert!(!at(NOW_MS + shift).await);
}

#[tokio::test]
async fn a_changed_person_must_log_in_again() {
    let city = City::new().await;
    let administrator = city.login("adm", Role::Administrator).await;
    let cookie = city.login("wang", Role::Operator).await;
    let change = json!({ "name": "Wang", "role": "operator", "sites": ["cold-store"] });
    let answer = city
        .call(
            Method::PUT,
            "/api/admin/users/wang",
            Some(&administrator),
            Some(change),
        )
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = city
        .call(Method::GET, "/api/session", Some(&cookie), None)
        .await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let cookie = city.login_again("wang").await;
    assert_eq!(
        city.get("/api/overview", &cookie).await["sites"][0]["id"],
        "cold-store"
    );
}

#[tokio::test]
async fn the_sixth_wrong_password_of_a_minute_waits() {
    let city = City::new().await;
    city.login("wang", Role::Operator).await;
    let wrong = async || {
        let body = json!({ "user": "wang", "password": "wrong password" });
        let answer = city
            .call(Method::POST, "/api/session", None, Some(body))
            .await;
        (
            answer.status().as_u16(),
            json(answer).await["error"].clone(),
        )
    };
    for _ in 0..5 {
        assert_eq!(wrong().await, (401, json!("wrong-login")));
    }
    assert_eq!(wrong().await, (429, json!("too-many-tries")));
}

#[tokio::test]
async fn log_ins_and_failures_are_remembered() {
    let city = City::new().await;
    let cookie = city.login("adm", Role::Administrator).await;
    let body = json!({ "user": "ghost", "password": "wrong password" });
    city.call(Method::POST, "/api/session", None, Some(body))
        .await;
    let entries = city.get("/api/audit", &cookie).await["entries"].clone();
    let seen: Vec<_> = entries
        .as_array()
        .expect("entries")
        .iter()
        .map(|one| (&one["actor"], &one["action"]))
        .collect();
    assert_eq!(
        seen,
        [
            (&json!("ghost"), &json!("login-failed")),
            (&json!("adm"), &json!("login"))
        ]
    );
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let city = City::new().await;
    let cookie = city.login("adm", Role::Administrator).await;
    let answer = city
        .call(Method::DELETE, "/api/admin/users/adm", Some(&cookie), None)
        .await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    let demoted = json!({ "name": "Adm", "role": "operator" });
    let answer = city
        .call(
            Method::PUT,
            "/api/admin/users/adm",
            Some(&cookie),
            Some(demoted),
        )
        .await;
    assert_eq!(
        (answer.status(), json(answer).await["error"].clone()),
        (StatusCode::CONFLICT, json!("last-administrator"))
    );
    assert_eq!(
        city.get("/api/session", &cookie).await["user"]["role"],
        "administrator"
    );
}

#[tokio::test]
async fn an_error_is_told_in_the_language_of_the_request() {
    let city = City::new().await;
    let asked = async |language| {
        let request = Request::get("/api/alarms").header(header::ACCEPT_LANGUAGE, language);
        json(
            city.send(request.body(Body::empty()).expect("a request"))
                .await,
        )
        .await
    };
    assert_eq!(
        asked("zh-CN").await,
        json!({ "error": "not-logged-in", "message": "请先登录。", "detail": null })
    );
    assert_eq!(asked("en").await["message"], "Log in first.");
}

#[tokio::test]
async fn a_body_that_is_no_call_is_a_bad_request_with_a_code() {
    let city = City::new().await;
    let answer = city
        .call(
            Method::POST,
            "/api/session",
            None,
            Some(json!({ "user": 1 })),
        )
        .await;
    assert_eq!(
        (answer.status(), json(answer).await["error"].clone()),
        (StatusCode::BAD_REQUEST, json!("bad-request"))
    );
}

/// A log-in as if over a connection from there.
async fn log_in_from(city: &City, address: &str, password: &str) -> u16 {
    let body = json!({ "user": "wang", "password": password }).to_string();
    let request = Request::post("/api/session").header(header::CONTENT_TYPE, "application/json");
    let mut request = request.body(Body::from(body)).expect("a request");
    let peer: SocketAddr = address.parse().expect("an address");
    request.extensions_mut().insert(ConnectInfo(peer));
    let answer = city.router.clone().oneshot(request).await;
    answer.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn whoever_guesses_a_password_keeps_its_owner_out_of_nowhere_else() {
    let city = City::new().await;
    city.login("wang", Role::Operator).await;
    for _ in 0..5 {
        assert_eq!(
            log_in_from(&city, "10.0.0.66:1", "wrong password").await,
            401
        );
    }
    assert_eq!(log_in_from(&city, "10.0.0.66:2", PASSWORD).await, 429);
    assert_eq!(log_in_from(&city, "10.0.0.7:1", PASSWORD).await, 200);
}
