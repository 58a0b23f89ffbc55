//! The alarm figures of a site, over the API.

use crate::city::{City, NOW_MS, raise, text};
use axum::http::{Method, StatusCode};
use davy_alarm::{Cause, Priority, Shown};
use davy_cloud::records::{Line, Role};
use serde_json::json;

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

fn day() -> String {
    format!(
        "/api/kpi?site=tank-farm&from_ms={}&to_ms={NOW_MS}",
        NOW_MS - DAY
    )
}

fn line(seq: u64, alarm: &str, time_ms: i64, cause: Cause, to: Shown) -> Line {
    Line {
        occurrence: u32::try_from(seq).expect("a small number"),
        priority: Priority::P3,
        cause,
        to,
        ..raise(seq, alarm, time_ms)
    }
}

/// Twelve trips of `PT-7.H` in as many seconds an hour ago, the last acknowledged by li two seconds later.
async fn flood(city: &City) {
    let begin = NOW_MS - 60 * MINUTE;
    let mut lines = vec![];
    for n in 0..12 {
        let (seq, time_ms) = (2 + 2 * n, begin + 1_000 * i64::try_from(n).expect("small"));
        lines.push(line(
            seq,
            "PT-7.H",
            time_ms,
            Cause::Active,
            Shown::Unacknowledged,
        ));
        let to = Shown::ReturnedUnacknowledged;
        lines.push(line(seq + 1, "PT-7.H", time_ms + 500, Cause::Clear, to));
    }
    lines.push(Line {
        actor: Some("li".into()),
        ..line(
            26,
            "PT-7.H",
            begin + 13_000,
            Cause::Acknowledge,
            Shown::Normal,
        )
    });
    city.commit("tank-farm", 2, lines).await;
}

#[tokio::test]
async fn a_flood_a_chattering_alarm_and_who_answered_are_named() {
    let city = City::new().await;
    flood(&city).await;
    let cookie = city.login("wang", Role::Operator).await;
    let kpi = city.get(&day(), &cookie).await;
    assert_eq!(
        (&kpi["site"], &kpi["annunciations"]),
        (&json!("tank-farm"), &json!(13))
    );
    assert_eq!(
        (&kpi["intervals"]["over"], &kpi["floods"]["total"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(kpi["floods"]["list"][0]["annunciations"], 12);
    let chatterer = &kpi["chattering"]["list"][0];
    assert_eq!(
        (&chatterer["alarm"], &chatterer["most"]),
        (&json!("PT-7.H"), &json!(12))
    );
    assert_eq!(kpi["chattering"]["verdict"], "missed");
    assert_eq!(kpi["sources"]["list"][0]["alarm"], "PT-7.H");
    let person = json!({ "actor": "li", "acknowledged": 1, "shelved": 0, "median_ms": 2_000, "p90_ms": 2_000 });
    assert_eq!(kpi["people"], json!([person]));
    // The one P1 of the site waits still.
    assert_eq!(kpi["acknowledgement"][0]["waiting"], 1);
    assert_eq!(
        (&kpi["enough"], &kpi["truncated"], &kpi["gaps"]),
        (&json!(false), &json!(false), &json!([]))
    );
}

#[tokio::test]
async fn an_alarm_that_was_raised_long_before_the_period_stands_since_then() {
    let city = City::new().await;
    let since = NOW_MS - 40 * DAY;
    city.commit("tank-farm", 2, vec![raise(2, "PT-7.H", since)])
        .await;
    // A re-alarm begins an occurrence and is no activation.
    let again = Line {
        occurrence: 2,
        ..line(
            3,
            "PT-7.H",
            NOW_MS - 3 * DAY,
            Cause::ReAlarm,
            Shown::Unacknowledged,
        )
    };
    city.commit("tank-farm", 3, vec![again]).await;
    let cookie = city.login("wang", Role::Regulator).await;
    let kpi = city.get(&day(), &cookie).await;
    assert_eq!(kpi["standing"]["list"][0]["since_ms"], since);
    assert_eq!(kpi["standing"]["total"], 1);

    // A past period of which it was part, and after which it cleared.
    let clear = Line {
        occurrence: 2,
        ..line(4, "PT-7.H", NOW_MS - MINUTE, Cause::Clear, Shown::Normal)
    };
    city.commit("tank-farm", 4, vec![clear]).await;
    let past = format!(
        "/api/kpi?site=tank-farm&from_ms={}&to_ms={}",
        NOW_MS - 20 * DAY,
        NOW_MS - 10 * DAY
    );
    let kpi = city.get(&past, &cookie).await;
    assert_eq!(kpi["standing"]["list"][0]["since_ms"], since);
    assert_eq!(kpi["standing"]["list"][0]["until_ms"], json!(null));
}

#[tokio::test]
async fn another_s_site_has_no_figures_for_an_operator_or_a_regulator() {
    let city = City::new().await;
    for (id, role) in [("wang", Role::Operator), ("zhao", Role::Regulator)] {
        let cookie = city.login(id, role).await;
        for call in ["kpi", "kpi.csv"] {
            for site in ["cold-store", "nowhere"] {
                let path = format!("/api/{call}?site={site}&from_ms=0&to_ms=1");
                let answer = city.call(Method::GET, &path, Some(&cookie), None).await;
                assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{role:?} {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_period_that_makes_no_sense_names_its_field() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let quarter = NOW_MS - 92 * DAY;
    for (query, field) in [
        (format!("from_ms={NOW_MS}&to_ms={NOW_MS}"), "to_ms"),
        (format!("from_ms={NOW_MS}&to_ms={}", NOW_MS + 1), "to_ms"),
        (format!("from_ms={}&to_ms={NOW_MS}", quarter - 1), "from_ms"),
        ("from_ms=0&to_ms=1&chatter_count=1".into(), "chatter_count"),
        ("from_ms=0&to_ms=1&chatter_s=5".into(), "chatter_s"),
    ] {
        let path = format!("/api/kpi?site=tank-farm&{query}");
        let answer = city.call(Method::GET, &path, Some(&cookie), None).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path}");
        let error = crate::city::json(answer).await;
        assert_eq!(error["detail"]["field"], field, "{path}");
    }
    let path = format!("/api/kpi?site=tank-farm&from_ms={quarter}&to_ms={NOW_MS}");
    let answer = city.call(Method::GET, &path, Some(&cookie), None).await;
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_file_has_the_figures_in_either_language() {
    let city = City::new().await;
    flood(&city).await;
    let cookie = city.login("wang", Role::Operator).await;
    let path = day().replace("/api/kpi?", "/api/kpi.csv?");
    let answer = city
        .call(Method::GET, &format!("{path}&lang=zh"), Some(&cookie), None)
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    let file = text(answer).await;
    assert!(
        file.starts_with("\u{feff}指标,企业,对象,数值,单位,目标,结论,起,止\r\n"),
        "{file}"
    );
    let answer = city
        .call(Method::GET, &format!("{path}&lang=en"), Some(&cookie), None)
        .await;
    let file = text(answer).await;
    for row in [
        "\r\nannunciations,tank-farm,,13,,,,,\r\n",
        "\r\nchatterer,tank-farm,PT-7.H,12,,,,2026-11-24T13:00:00.000+08:00,2026-11-24T13:00:11.000+08:00\r\n",
        "\r\nacknowledged-by-median,tank-farm,li,2,s,,,,\r\n",
    ] {
        assert!(file.contains(row), "{row} in {file}");
    }
    let columns = |row: &str| row.matches(',').count();
    assert!(file.lines().all(|row| columns(row) == 8), "{file}");
}
