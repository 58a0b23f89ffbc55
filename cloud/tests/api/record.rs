//! What the screens and the regulators read: overview, site, trend, history.

use crate::city::{City, NOW_MS, raise};
use axum::http::{Method, StatusCode};
use davy_alarm::{NoValue, Reading, WallMs};
use davy_cloud::history::PointReading;
use davy_cloud::records::Role;
use serde_json::json;

fn reading(reading: Reading) -> PointReading {
    PointReading {
        site: "tank-farm".into(),
        point: "GT-101".into(),
        reading,
    }
}

#[tokio::test]
async fn the_overview_counts_what_is_wrong_and_names_the_worst() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let site = city.get("/api/overview", &cookie).await["sites"][0].clone();
    assert_eq!(
        site["alarms"]["p1"],
        json!({ "unacknowledged": 1, "active": 1 })
    );
    assert_eq!(
        site["alarms"]["p2"],
        json!({ "unacknowledged": 0, "active": 0 })
    );
    assert_eq!(
        (&site["link"], &site["town"], &site["risk"]),
        (&json!("up"), &json!("西店"), &json!("blue"))
    );
    let worst = &site["worst"];
    assert_eq!(
        (&worst["id"], &worst["state"], &worst["name"]["zh"]),
        (&json!("GT-101.HH"), &json!("UNACK"), &json!("一号罐"))
    );
    assert_eq!(
        (&worst["unit"], &worst["guidance"]["en"], &worst["device"]),
        (&json!("%LEL"), &json!("Leave"), &json!("GD-01"))
    );
}

#[tokio::test]
async fn a_site_shows_its_values_and_a_silent_one_shows_them_stale() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    city.readings
        .0
        .lock()
        .expect("a lock")
        .push(reading(Reading::measured(12.5, WallMs(NOW_MS))));
    let site = city.get("/api/sites/tank-farm", &cookie).await;
    let value = json!({ "point": "GT-101", "value": 12.5, "cause": null, "quality": "good", "time_ms": NOW_MS });
    assert_eq!(site["values"], json!([value]));
    assert_eq!(
        (&site["points"][0]["unit"], &site["name"]["en"]),
        (&json!("%LEL"), &json!("tank-farm"))
    );
    city.records
        .node_died("tank-farm", None, NOW_MS)
        .await
        .expect("a death");
    let site = city.get("/api/sites/tank-farm", &cookie).await;
    assert_eq!(
        (&site["values"][0]["quality"], &site["link"]),
        (&json!("stale"), &json!("down"))
    );
    assert_eq!(site["values"][0]["value"], 12.5);
}

#[tokio::test]
async fn an_alarm_of_a_vote_or_of_an_output_is_no_points_and_has_its_name_and_area() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let lines = vec![
        raise(2, "GV-1.VOTE", NOW_MS - 40_000),
        raise(3, "FAN-1.FAILED", NOW_MS - 30_000),
        raise(4, "GV-9.DEGRADED", NOW_MS - 20_000),
        raise(5, "GD-01.COMMS", NOW_MS - 10_000),
    ];
    city.commit("tank-farm", 2, lines).await;
    let alarms = city.get("/api/alarms", &cookie).await;
    let of = |id: &str| {
        let all = alarms["alarms"].as_array().expect("a list");
        let one = all.iter().find(|one| one["id"] == id).expect("an alarm");
        assert_eq!(one["point"], json!(null), "{id}");
        json!([one["name"]["en"], one["area"], one["device"]])
    };
    assert_eq!(of("GV-1.VOTE"), json!(["Tank 1 vote", "tank-1", "GD-01"]));
    assert_eq!(of("FAN-1.FAILED"), json!(["Fan 1", "tank-1", "IO-1"]));
    assert_eq!(of("GD-01.COMMS"), json!(["Panel", "", "GD-01"]));
    // Of a group that no birth has named, the condition alone is known.
    assert_eq!(of("GV-9.DEGRADED"), json!(["GV-9", "", ""]));
    let answer = city
        .get("/api/history/alarms?condition=VOTE", &cookie)
        .await;
    assert_eq!(answer["occurrences"][0]["name"]["zh"], "一号罐表决");
    let site = city.get("/api/sites/tank-farm", &cookie).await;
    assert_eq!(site["votes"][0]["needed"], 1);
}

#[tokio::test]
async fn a_site_tells_what_is_demanded_of_its_outputs_and_since_when() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let demand = |on, time_ms| PointReading {
        point: "Outputs/FAN-1".into(),
        ..reading(Reading::measured(on, WallMs(time_ms)))
    };
    city.readings
        .0
        .lock()
        .expect("a lock")
        .extend([demand(0.0, NOW_MS - 9_000), demand(1.0, NOW_MS - 5_000)]);
    let site = city.get("/api/sites/tank-farm", &cookie).await;
    let shown =
        json!({ "output": "FAN-1", "demand": true, "since_ms": NOW_MS - 5_000, "stale": false });
    assert_eq!(
        (&site["demands"], &site["values"]),
        (&json!([shown]), &json!([]))
    );
    city.records
        .node_died("tank-farm", None, NOW_MS)
        .await
        .expect("a death");
    let site = city.get("/api/sites/tank-farm", &cookie).await;
    assert_eq!(site["demands"][0]["stale"], true);
}

#[tokio::test]
async fn a_trend_has_columns_of_equal_length_and_the_transitions_of_its_points() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    city.commit("tank-farm", 2, vec![raise(2, "PT-7.H", NOW_MS - 30_000)])
        .await;
    city.readings.0.lock().expect("a lock").extend([
        reading(Reading::measured(1.0, WallMs(NOW_MS - 2_000))),
        reading(Reading::absent(NoValue::Timeout, WallMs(NOW_MS - 1_000))),
    ]);
    let path = format!(
        "/api/sites/tank-farm/trend?points=GT-101&from_ms={}&to_ms={NOW_MS}",
        NOW_MS - 3_600_000
    );
    let trend = city.get(&path, &cookie).await;
    let expected = json!({ "point": "GT-101", "unit": "%LEL", "step_ms": 0, "time_ms": [NOW_MS - 2_000, NOW_MS - 1_000],
        "min": [1.0, null], "max": [1.0, null], "mean": [1.0, null], "count": [1, 1], "good": [1.0, 0.0], "cause": [null, "timeout"] });
    assert_eq!(trend["series"], json!([expected]));
    let alarms: Vec<_> = trend["transitions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["alarm"])
        .collect();
    assert_eq!(alarms, [&json!("GT-101.HH")]);
}

#[tokio::test]
async fn a_trend_is_cut_by_the_transitions_of_its_own_points_alone() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let path = format!(
        "/api/sites/tank-farm/trend?points=GT-101&from_ms=0&to_ms={}",
        NOW_MS + 1
    );
    // Newer, and of another point, whose id begins with this one's and a dot.
    let others = (2..2_100).map(|seq| raise(seq, "GT-101.B.H", NOW_MS));
    city.commit("tank-farm", 2, others.collect()).await;
    let trend = city.get(&path, &cookie).await;
    let transitions = trend["transitions"].as_array().expect("a list");
    let alarms: Vec<_> = transitions.iter().map(|one| &one["alarm"]).collect();
    assert_eq!(alarms, [&json!("GT-101.HH")]);
    assert_eq!(trend["transitions_cut"], false);
    let own = (2_100..4_100).map(|seq| raise(seq, "GT-101.H", NOW_MS));
    city.commit("tank-farm", 3, own.collect()).await;
    let trend = city.get(&path, &cookie).await;
    let transitions = trend["transitions"].as_array().expect("a list");
    assert_eq!(transitions.len(), 2_000);
    assert_eq!(trend["transitions_cut"], true);
}

#[tokio::test]
async fn a_question_that_makes_no_sense_names_its_field() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    for (path, field) in [
        (
            "/api/sites/tank-farm/trend?points=&from_ms=0&to_ms=1",
            "points",
        ),
        (
            "/api/sites/tank-farm/trend?points=a&from_ms=1&to_ms=1",
            "to_ms",
        ),
        (
            "/api/sites/tank-farm/trend?points=a&from_ms=0&to_ms=1&buckets=0",
            "buckets",
        ),
        ("/api/history/alarms?limit=0", "limit"),
        ("/api/history/alarms?priority=9", "priority"),
        ("/api/history/alarms?cursor=x", "cursor"),
        ("/api/history/alarms.csv?zone=Mars", "zone"),
    ] {
        let answer = city.call(Method::GET, path, Some(&cookie), None).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(
            crate::city::json(answer).await["detail"]["field"],
            field,
            "{path}"
        );
    }
}

#[tokio::test]
async fn alarm_history_answers_pages_a_total_and_the_gaps() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let lines = (2..=6)
        .map(|seq| raise(seq, &format!("PT-{seq}.H"), NOW_MS - seq as i64 * 1_000))
        .collect();
    city.commit("tank-farm", 2, lines).await;
    city.records
        .node_died("tank-farm", None, NOW_MS)
        .await
        .expect("a death");
    let mut seen = Vec::new();
    let mut path = "/api/history/alarms?condition=H&limit=2".to_owned();
    loop {
        let page = city.get(&path, &cookie).await;
        assert_eq!(page["total"], 5);
        assert_eq!(
            page["gaps"],
            json!([{ "site": "tank-farm", "from_ms": NOW_MS - 1_000, "to_ms": null }])
        );
        seen.extend(
            page["occurrences"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|one| one["alarm"].clone()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/history/alarms?condition=H&limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ["PT-2.H", "PT-3.H", "PT-4.H", "PT-5.H", "PT-6.H"]);
}

#[tokio::test]
async fn alarms_that_waited_too_long_are_found_whether_or_not_they_still_wait() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let total = async |over_s: i64| {
        city.get(
            &format!("/api/history/alarms?unacknowledged_over_s={over_s}"),
            &cookie,
        )
        .await["total"]
            .clone()
    };
    assert_eq!(total(59).await, 1);
    assert_eq!(total(60).await, 0);
}
