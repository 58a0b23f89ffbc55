//! The alarm figures of a site, over the API.

use crate::city::{City, NOW_MS, raise, text};
use axum::http::{Method, StatusCode};
use davy_alarm::{Cause, Priority, Reading, Shown, WallMs};
use davy_cloud::audit::Entry;
use davy_cloud::history::PointReading;
use davy_cloud::records::{Line, NodeBirth, Role, Text};
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
    let person = json!({ "actor": "li", "acknowledged": 1, "shelved": 0, "silenced": 0, "median_ms": 2_000, "p90_ms": 2_000 });
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

/// A pressure that trips its limit of 8 every two seconds, a reading a second, for a minute an hour ago.
async fn chatter(city: &City) {
    let model = r#"{"points":[{"id":"PT-7","kind":"pressure","unit":"bar","low":0,"high":10,"decimals":2,"may_wait_ms":15000,
        "limits":[{"alarm":"PT-7.H","condition":"H","set_point":8,"deadband":0.05,"on_delay_ms":0,"off_delay_ms":0,"gas_level_2":false,"priority":3}]}]}"#;
    let birth = NodeBirth {
        group: "davy".into(),
        edge: "tank-farm".into(),
        received_ms: NOW_MS - 3_600_000,
        bd_seq: Some(1),
        name: Text {
            zh: "罐区".into(),
            en: "Tank farm".into(),
        },
        version: "0.1.0".into(),
        digest: "e".into(),
        model: Some(model.into()),
        stream: Some(1),
        payload: vec![],
    };
    city.records.node_born(&birth).await.expect("a birth");
    let begin = NOW_MS - 60 * MINUTE;
    let reading = |n: i64| PointReading {
        site: "tank-farm".into(),
        point: "PT-7".into(),
        reading: Reading::measured(
            if n % 2 == 0 { 8.02 } else { 7.90 },
            WallMs(begin + 1_000 * n),
        ),
    };
    let readings = (-30..90).map(reading);
    city.readings.0.lock().expect("readings").extend(readings);
}

#[tokio::test]
async fn the_city_proposes_what_would_have_quietened_a_chattering_alarm() {
    let city = City::new().await;
    flood(&city).await;
    chatter(&city).await;
    let cookie = city.login("wang", Role::Operator).await;
    let kpi = city.get(&day(), &cookie).await;
    let signal = &kpi["signals"][0];
    assert_eq!(
        (&signal["alarm"], &signal["unit"], &signal["why"]),
        (&json!("PT-7.H"), &json!("bar"), &json!(null))
    );
    let proposals = signal["found"]["proposals"].as_array().expect("proposals");
    let deadband = &proposals[0];
    assert_eq!(
        (&deadband["parameter"], &deadband["now"]),
        (&json!("deadband"), &json!(0.05))
    );
    // The signal swings by 0.12 bar: a deadband that holds it is wider than what it falls below the limit.
    let proposed = deadband["proposed"].as_f64().expect("a number");
    assert!((0.10..=0.12).contains(&proposed), "{proposed}");
    assert_eq!(deadband["trips_after"], 1);
}

#[tokio::test]
async fn an_alarm_whose_gateway_does_not_say_how_it_judges_has_no_proposal_and_the_reason() {
    let city = City::new().await;
    flood(&city).await;
    let cookie = city.login("wang", Role::Operator).await;
    let kpi = city.get(&day(), &cookie).await;
    assert_eq!(kpi["signals"][0]["alarm"], "PT-7.H");
    assert_eq!(kpi["signals"][0]["found"], json!(null));
    assert_eq!(kpi["signals"][0]["why"], "not-told");
}

#[tokio::test]
async fn who_silenced_the_horn_at_the_plant_is_in_the_figures() {
    let city = City::new().await;
    for (actor, subject, time_ms) in [
        ("tank-farm/li", "tank-farm", NOW_MS - MINUTE),
        ("tank-farm/li", "tank-farm", NOW_MS - 2 * MINUTE),
        ("tank-farm/li", "tank-farm", NOW_MS - 2 * DAY),
        ("cold-store/li", "cold-store", NOW_MS - MINUTE),
    ] {
        let entry = Entry {
            time_ms,
            actor: actor.into(),
            action: "plant-silence",
            subject: subject.into(),
            detail: json!({}),
        };
        city.records.audit(&entry).await.expect("an entry");
    }
    let cookie = city.login("wang", Role::Operator).await;
    let kpi = city.get(&day(), &cookie).await;
    assert_eq!(kpi["people"][0]["actor"], "li");
    assert_eq!(kpi["people"][0]["silenced"], 2);
}

#[tokio::test]
async fn a_flood_that_goes_on_shows_at_its_site_and_at_no_other() {
    let city = City::new().await;
    let begin = NOW_MS - 5 * MINUTE;
    let trip = |n: i64| {
        let seq = u64::try_from(n + 2).expect("small");
        let to = Shown::Unacknowledged;
        line(
            seq,
            &format!("PT-{n}.H"),
            begin + 1_000 * n,
            Cause::Active,
            to,
        )
    };
    city.commit("tank-farm", 2, (0..11).map(trip).collect())
        .await;
    let cookie = city.login("li", Role::Administrator).await;
    let overview = city.get("/api/overview", &cookie).await;
    let floods: Vec<_> = (overview["sites"].as_array().expect("sites").iter())
        .map(|site| (site["id"].clone(), site["flood"].clone()))
        .collect();
    // With the one alarm of a minute ago there are twelve.
    let flood = json!({ "count": 12, "since_ms": begin + 10_000 });
    assert!(floods.contains(&(json!("tank-farm"), flood)), "{floods:?}");
    let calm = json!({ "count": 1, "since_ms": null });
    assert!(floods.contains(&(json!("cold-store"), calm)), "{floods:?}");
    let kpi = city.get(&day(), &cookie).await;
    assert_eq!(kpi["flood"]["since_ms"], begin + 10_000);
}
