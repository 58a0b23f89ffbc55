//! Exports: the whole answer as a file, and a row in the audit log.

use crate::city::{City, NOW_MS, raise, text};
use axum::http::{Method, header};
use davy_alarm::{Reading, WallMs};
use davy_cloud::history::PointReading;
use davy_cloud::records::Role;

#[tokio::test]
async fn alarms_as_csv_hold_every_occurrence_and_every_gap() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let lines = (2..=1_500)
        .map(|seq| raise(seq, &format!("PT-{seq}.H"), NOW_MS - seq as i64))
        .collect();
    city.commit("tank-farm", 2, lines).await;
    city.records
        .node_died("tank-farm", None, NOW_MS)
        .await
        .expect("a death");
    let answer = city
        .call(
            Method::GET,
            "/api/history/alarms.csv?lang=zh&zone=%2B08:00",
            Some(&cookie),
            None,
        )
        .await;
    assert_eq!(
        answer.headers()[header::CONTENT_TYPE],
        "text/csv; charset=utf-8"
    );
    let file = text(answer).await;
    let rows: Vec<_> = file.split("\r\n").collect();
    assert!(
        rows[0].starts_with("\u{feff}记录,企业,报警,"),
        "{}",
        rows[0]
    );
    assert_eq!(
        rows.iter()
            .filter(|row| row.starts_with("alarm,tank-farm,"))
            .count(),
        1_500
    );
    assert_eq!(
        rows[1_501],
        "gap,tank-farm,,,,,,2026-11-24T13:59:59.000+08:00,,,,,,,,,"
    );
    assert!(!file.contains("cold-store"));
}

#[tokio::test]
async fn readings_as_csv_page_through_the_history_without_loss() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let reading = |at: i64| PointReading {
        site: "tank-farm".into(),
        point: "GT-101".into(),
        reading: Reading::measured(at as f64, WallMs(at)),
    };
    city.readings
        .0
        .lock()
        .expect("a lock")
        .extend((0..12_345).map(reading));
    let path =
        "/api/sites/tank-farm/readings.csv?points=GT-101,PT-7&from_ms=0&to_ms=20000&zone=Z&lang=en";
    let file = text(city.call(Method::GET, path, Some(&cookie), None).await).await;
    assert_eq!(file.matches("\r\nreading,").count(), 12_345);
    assert!(file.contains(
        "\r\nreading,tank-farm,GT-101,1970-01-01T00:00:12.344+00:00,,12344,%LEL,good,\r\n"
    ));
}

#[tokio::test]
async fn an_export_is_remembered_with_its_question() {
    let city = City::new().await;
    let cookie = city.login("adm", Role::Administrator).await;
    city.call(
        Method::GET,
        "/api/history/alarms.csv?site=tank-farm&from_ms=5",
        Some(&cookie),
        None,
    )
    .await;
    let entry = city.get("/api/audit?limit=1", &cookie).await["entries"][0].clone();
    assert_eq!(
        (entry["action"].as_str(), entry["subject"].as_str()),
        (Some("export"), Some("alarms.csv"))
    );
    assert_eq!(
        (
            entry["detail"]["site"].as_str(),
            entry["detail"]["from_ms"].as_i64()
        ),
        (Some("tank-farm"), Some(5))
    );
}
