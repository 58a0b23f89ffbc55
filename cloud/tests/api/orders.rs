//! Acknowledge and shelve from afar: what the city asks, what it sends, what it remembers.

use crate::city::{City, PASSWORD};
use axum::http::StatusCode;
use davy_cloud::order::Act;
use davy_cloud::records::Role;
use serde_json::json;

const ALARM: &str = "/api/sites/tank-farm/alarms/GT-101.HH";

#[tokio::test]
async fn an_acknowledgement_travels_with_its_occurrence_its_note_and_its_person() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let (status, body) = city
        .post(
            &format!("{ALARM}/acknowledge"),
            &cookie,
            json!({ "occurrence": 1, "note": " on my way " }),
        )
        .await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let orders = city.orders.carried.lock().expect("a lock").clone();
    assert_eq!(
        (orders[0].id.as_str(), orders[0].actor.as_str()),
        (body["command"].as_str().expect("an id"), "wang")
    );
    assert_eq!(
        orders[0].act,
        Act::Acknowledge {
            occurrence: 1,
            note: Some("on my way".into())
        }
    );
}

#[tokio::test]
async fn priority_one_is_not_acknowledged_without_a_note() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let (status, body) = city
        .post(
            &format!("{ALARM}/acknowledge"),
            &cookie,
            json!({ "occurrence": 1, "note": "  " }),
        )
        .await;
    assert_eq!(
        (status, &body["error"]),
        (StatusCode::CONFLICT, &json!("reason"))
    );
    assert!(city.orders.carried.lock().expect("a lock").is_empty());
}

#[tokio::test]
async fn priority_one_is_shelved_by_two_people() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    city.login("zhao", Role::Operator).await;
    city.login("reg", Role::Regulator).await;
    let shelve = async |second: serde_json::Value| {
        let body = json!({ "minutes": 30, "reason": "calibration", "second": second });
        let (status, body) = city.post(&format!("{ALARM}/shelve"), &cookie, body).await;
        (
            status.as_u16(),
            body["error"].as_str().unwrap_or("").to_owned(),
        )
    };
    let refused = (409, "second-person".to_owned());
    assert_eq!(shelve(json!(null)).await, refused);
    assert_eq!(
        shelve(json!({ "user": "wang", "password": PASSWORD })).await,
        refused,
        "oneself"
    );
    assert_eq!(
        shelve(json!({ "user": "zhao", "password": "wrong password" })).await,
        refused
    );
    assert_eq!(
        shelve(json!({ "user": "reg", "password": PASSWORD })).await,
        refused,
        "who may not act"
    );
    assert_eq!(
        shelve(json!({ "user": "zhao", "password": PASSWORD }))
            .await
            .0,
        202
    );
    let act = Act::Shelve {
        minutes: 30,
        reason: "calibration".into(),
        second: Some("zhao".into()),
    };
    assert_eq!(city.orders.carried.lock().expect("a lock")[0].act, act);
}

#[tokio::test]
async fn an_order_to_a_site_that_is_down_is_refused_at_once() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    *city.orders.down.lock().expect("a lock") = true;
    let (status, body) = city
        .post(&format!("{ALARM}/unshelve"), &cookie, json!({}))
        .await;
    assert_eq!(
        (status, &body["error"]),
        (StatusCode::CONFLICT, &json!("site-down"))
    );
}

#[tokio::test]
async fn an_alarm_that_never_stood_is_unknown() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let (status, _) = city
        .post(
            "/api/sites/tank-farm/alarms/NO-1.H/unshelve",
            &cookie,
            json!({}),
        )
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_order_is_in_the_audit_log() {
    let city = City::new().await;
    let administrator = city.login("adm", Role::Administrator).await;
    let cookie = city.login("wang", Role::Operator).await;
    let (_, body) = city
        .post(
            &format!("{ALARM}/acknowledge"),
            &cookie,
            json!({ "occurrence": 1, "note": "seen" }),
        )
        .await;
    let entry = city.get("/api/audit?limit=1", &administrator).await["entries"][0].clone();
    assert_eq!(
        (&entry["actor"], &entry["subject"]),
        (&json!("wang"), &json!("tank-farm/GT-101.HH"))
    );
    assert_eq!(
        entry["detail"],
        json!({ "command": body["command"], "occurrence": 1, "note": "seen" })
    );
    assert_eq!(
        city.records.verify_audit().await.expect("a verdict").fault,
        None
    );
}
