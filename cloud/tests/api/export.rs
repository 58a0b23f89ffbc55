//! Exports: the whole answer as a file, and a row in the audit log.

use crate::city::{City, NOW_MS, raise, text};
use axum::http::{Method, StatusCode, header};
use davy_alarm::{NoValue, Reading, WallMs};
use davy_cloud::history::PointReading;
use davy_cloud::records::Role;
use http_body_util::BodyExt as _;

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
async fn a_third_export_at_once_is_told_when_to_come_again_and_is_no_export() {
    let (city, cookie) = with_readings().await;
    let more = (6_000..40_000).map(|at| PointReading {
        site: "tank-farm".into(),
        point: "GT-101".into(),
        reading: Reading::measured(1.0, WallMs(at)),
    });
    city.readings.0.lock().expect("a lock").extend(more);
    let path = "/api/export/readings?site=tank-farm&from_ms=0&to_ms=100000";
    let call = async || city.call(Method::GET, path, Some(&cookie), None).await;
    let (first, second) = (call().await, call().await);
    assert_eq!(
        (first.status(), second.status()),
        (StatusCode::OK, StatusCode::OK)
    );
    let third = call().await;
    assert_eq!(third.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(third.headers()[header::RETRY_AFTER], "30");
    let adm = city.login("adm", Role::Administrator).await;
    let entries = city.get("/api/audit?limit=100", &adm).await;
    let entries = entries["entries"].as_array().expect("entries").clone();
    let exports = entries.iter().filter(|entry| entry["action"] == "export");
    assert_eq!(exports.count(), 2);

    // What is read to its end, and what is let go, gives its turn back.
    assert_eq!(text(first).await.matches("\r\nreading,").count(), 40_000);
    drop(second);
    let again = call().await;
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(text(again).await.matches("\r\nreading,").count(), 40_000);
}

#[tokio::test]
async fn files_are_made_in_the_collectors_own_folder_and_leave_nothing_there() {
    let (city, cookie) = with_readings().await;
    for format in ["csv", "xlsx", "parquet"] {
        let path = format!("/api/export/readings?site=tank-farm&from_ms=0&format={format}");
        let answer = city.call(Method::GET, &path, Some(&cookie), None).await;
        assert_eq!(answer.status(), StatusCode::OK, "{format}");
        answer.into_body().collect().await.expect("a body");
    }
    let folder = city.folder.path().join("exports");
    let left = std::fs::read_dir(folder).expect("the folder").count();
    assert_eq!(left, 0);
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

/// What another program reads in a file.
async fn read_elsewhere(city: &City, cookie: &str, path: &str, ending: &str) -> serde_json::Value {
    let answer = city.call(Method::GET, path, Some(cookie), None).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    let disposition = answer.headers()[header::CONTENT_DISPOSITION].to_str();
    assert!(disposition.expect("a name").contains(ending), "{path}");
    let bytes = answer.into_body().collect().await.expect("a body");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(format!("answer.{ending}"));
    std::fs::write(&file, bytes.to_bytes()).expect("a file");
    let python = std::env::var("DAVY_PYTHON").expect("DAVY_PYTHON: run `cargo xtask test`");
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/suite/peers/read_table.py"
    );
    let read = std::process::Command::new(python)
        .arg(script)
        .arg(&file)
        .output();
    let read = read.expect("the reader");
    assert!(
        read.status.success(),
        "{}",
        String::from_utf8_lossy(&read.stderr)
    );
    serde_json::from_slice(&read.stdout).expect("JSON")
}

async fn with_readings() -> (City, String) {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let reading = |at: i64| PointReading {
        site: "tank-farm".into(),
        point: "GT-101".into(),
        reading: match at {
            7 => Reading::absent(NoValue::BrokenLoop, WallMs(at)),
            _ => Reading::measured(at as f64 / 2.0, WallMs(at)),
        },
    };
    let mut held = city.readings.0.lock().expect("a lock");
    held.extend((0..6_000).map(reading));
    drop(held);
    (city, cookie)
}

#[tokio::test]
async fn a_parquet_file_is_read_elsewhere_with_its_times_units_qualities_and_absences() {
    let (city, cookie) = with_readings().await;
    let path = "/api/export/readings?site=tank-farm&from_ms=0&to_ms=20000&format=parquet&lang=zh";
    let read = read_elsewhere(&city, &cookie, path, "parquet").await;
    let rows = read["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 6_000);
    assert_eq!(read["kinds"][3], "timestamp[ms, tz=UTC]");
    assert_eq!(read["facts"]["davy.value"], "数值");
    let cells = |row: usize| rows[row].as_array().expect("a row").clone();
    let measured = serde_json::json!([
        "reading",
        "tank-farm",
        "GT-101",
        "1970-01-01T00:00:05.999+00:00",
        null,
        2999.5,
        "%LEL",
        "good",
        null
    ]);
    assert_eq!(cells(5_999), *measured.as_array().expect("a row"));
    let absent = cells(7);
    assert_eq!(
        (&absent[5], &absent[7], &absent[8]),
        (
            &serde_json::Value::Null,
            &"bad".into(),
            &"broken-loop".into()
        )
    );
}

#[tokio::test]
async fn a_spreadsheet_is_read_elsewhere_with_times_of_the_chosen_zone() {
    let (city, cookie) = with_readings().await;
    let path = "/api/export/readings?site=tank-farm&from_ms=0&to_ms=20000&format=xlsx&lang=en&zone=%2B08:00";
    let read = read_elsewhere(&city, &cookie, path, "xlsx").await;
    assert_eq!(read["heads"][3], "Time (+08:00)");
    let rows = read["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 6_000);
    assert_eq!(rows[1_000][3], "1970-01-01T08:00:01.000");
    assert_eq!(rows[1_000][5], 500);
    assert_eq!(rows[7][5], serde_json::Value::Null);
    assert_eq!(rows[7][8], "broken-loop");
}

#[tokio::test]
async fn every_question_leaves_as_every_kind_of_file_with_the_same_rows() {
    let (city, _) = with_readings().await;
    let cookie = city.login("adm", Role::Administrator).await;
    for question in [
        "timeline", "alarms", "coverage", "ranking", "blind", "audit",
    ] {
        let path = |format: &str| {
            // Coverage is told of a year at most.
            let from_ms = if question == "coverage" {
                NOW_MS - 86_400_000
            } else {
                0
            };
            format!("/api/export/{question}?site=tank-farm&format={format}&from_ms={from_ms}")
        };
        let parquet = read_elsewhere(&city, &cookie, &path("parquet"), "parquet").await;
        let sheet = read_elsewhere(&city, &cookie, &path("xlsx"), "xlsx").await;
        let csv = text(
            city.call(Method::GET, &path("csv"), Some(&cookie), None)
                .await,
        )
        .await;
        let lines = csv.matches("\r\n").count() - 1;
        let rows = |read: &serde_json::Value| read["rows"].as_array().expect("rows").len();
        // Each export is an act of its own, told by the audit log alone.
        let grown = usize::from(question == "audit");
        assert_eq!(rows(&sheet), rows(&parquet) + grown, "{question}");
        assert_eq!(lines, rows(&parquet) + 2 * grown, "{question}");
    }
}
