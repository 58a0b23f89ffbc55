//! The regulator's questions over a small story: an alarm that somebody answered, one that chattered, one shelved, a site that fell silent, a late line.

use crate::city::{City, NOW_MS, raise};
use axum::http::{Method, StatusCode};
use davy_alarm::{Cause, Priority, Reading, Shown, WallMs};
use davy_cloud::audit::Entry;
use davy_cloud::history::PointReading;
use davy_cloud::records::{Command, Line, NodeBirth, Role};
use serde_json::Value;
use std::collections::BTreeSet;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The story, and a regulator of both towns' city logged in as administrator.
async fn story() -> (City, String) {
    let city = City::new().await;
    let cookie = city.login("adm", Role::Administrator).await;
    let line = |seq, alarm: &str, occurrence, cause, to, time_ms| Line {
        occurrence,
        cause,
        to,
        ..raise(seq, alarm, time_ms)
    };
    let by = |line: Line, actor: &str, reason: Option<&str>| Line {
        actor: Some(actor.into()),
        reason: reason.map(str::to_owned),
        ..line
    };
    let hour = NOW_MS - HOUR_MS;
    let mut lines = vec![
        line(2, "GT-101.H", 1, Cause::Active, Shown::Unacknowledged, hour),
        by(
            line(
                3,
                "GT-101.H",
                1,
                Cause::Acknowledge,
                Shown::Acknowledged,
                hour + 30_000,
            ),
            "li",
            Some("巡检"),
        ),
        line(4, "GT-101.H", 1, Cause::Clear, Shown::Normal, hour + 90_000),
        by(
            line(
                5,
                "GT-101.L",
                0,
                Cause::Shelve,
                Shown::Shelved,
                hour + 100_000,
            ),
            "wang",
            Some("检修"),
        ),
        line(
            6,
            "GT-101.L",
            0,
            Cause::ShelveExpired,
            Shown::Normal,
            hour + 700_000,
        ),
    ];
    for number in 0..4_u32 {
        let (seq, at_ms) = (
            7 + 2 * u64::from(number),
            hour + 800_000 + i64::from(number) * 10_000,
        );
        let came = Line {
            priority: Priority::P2,
            ..line(
                seq,
                "PT-1.H",
                number + 1,
                Cause::Active,
                Shown::Unacknowledged,
                at_ms,
            )
        };
        let went = line(
            seq + 1,
            "PT-1.H",
            number + 1,
            Cause::Clear,
            Shown::ReturnedUnacknowledged,
            at_ms + 5_000,
        );
        lines.extend([
            came,
            Line {
                priority: Priority::P2,
                ..went
            },
        ]);
    }
    // Ten minutes is late in this city; this one took two hours.
    lines.push(line(
        15,
        "GT-101.BAD",
        1,
        Cause::Active,
        Shown::Unacknowledged,
        NOW_MS - 2 * HOUR_MS,
    ));
    city.commit("tank-farm", 2, lines).await;
    let entry = Entry {
        time_ms: hour + 120_000,
        actor: "tank-farm/li".into(),
        action: "plant-reload",
        subject: "tank-farm".into(),
        detail: serde_json::json!({ "changes": ["GT-101.H: set_point 20 → 25"] }),
    };
    city.records.audit(&entry).await.expect("an entry");
    let dead_ms = NOW_MS - 20 * MINUTE_MS;
    city.records
        .node_died("cold-store", None, dead_ms)
        .await
        .expect("a death");
    (city, cookie)
}

/// The rows of a whole answer, page by page of two rows, by column key.
async fn ask(city: &City, cookie: &str, path: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    let mut pages = BTreeSet::new();
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let page = format!("/api/questions/{path}{joint}limit=2{cursor}");
        let answer = city.get(&page, cookie).await;
        let columns = answer["columns"].as_array().expect("columns");
        for row in answer["rows"].as_array().expect("rows") {
            let cells = columns.iter().zip(row.as_array().expect("a row"));
            let named = cells.map(|(column, cell)| {
                let key = column["key"].as_str().expect("a key").to_owned();
                (key, cell.clone())
            });
            rows.push(Value::Object(named.collect()));
        }
        match answer["next_cursor"].as_str() {
            Some(next) => {
                assert!(pages.insert(next.to_owned()), "{next} comes again");
                cursor = format!("&cursor={}", next.replace('+', "%2B"));
            }
            None => return rows,
        }
    }
}

fn texts<'a>(rows: &'a [Value], key: &str) -> Vec<&'a str> {
    rows.iter()
        .map(|row| row[key].as_str().unwrap_or(""))
        .collect()
}

#[tokio::test]
async fn a_sites_timeline_holds_alarms_acts_and_silences_in_order_and_each_once() {
    let (city, cookie) = story().await;
    // For those who may read the audit log, and for nobody else.
    for action in ["export", "hold-set", "login"] {
        let entry = Entry {
            time_ms: NOW_MS - HOUR_MS,
            actor: "adm".into(),
            action,
            subject: "tank-farm".into(),
            detail: serde_json::json!({}),
        };
        city.records.audit(&entry).await.expect("an entry");
    }
    let span = format!("from_ms={}&to_ms={NOW_MS}", NOW_MS - 3 * HOUR_MS);
    let rows = ask(&city, &cookie, &format!("timeline?site=tank-farm&{span}")).await;
    let times: Vec<i64> = rows
        .iter()
        .map(|row| row["time"].as_i64().expect("a time"))
        .collect();
    assert!(times.is_sorted_by(|one, other| one >= other), "{times:?}");
    // Fifteen lines and the change of the site file.
    assert_eq!(rows.len(), 16);
    let act = rows
        .iter()
        .find(|row| row["record"] == "act")
        .expect("an act");
    assert_eq!(
        (act["what"].as_str(), act["actor"].as_str()),
        (Some("plant-reload"), Some("li"))
    );
    let shelved = rows
        .iter()
        .find(|row| row["what"] == "shelve")
        .expect("a shelving");
    assert_eq!(
        (shelved["reason"].as_str(), shelved["name"]["zh"].as_str()),
        (Some("检修"), Some("一号罐"))
    );

    let rows = ask(&city, &cookie, &format!("timeline?site=cold-store&{span}")).await;
    assert_eq!(texts(&rows, "what"), ["silent", "active"]);
}

#[tokio::test]
async fn orders_of_one_millisecond_are_all_told_over_the_edge_of_a_page() {
    let (city, cookie) = story().await;
    for id in ["a", "b", "c"] {
        let command = Command {
            id: id.into(),
            site: "cold-store".into(),
            alarm: format!("NH3.{id}"),
            action: "acknowledge".into(),
            actor: "adm".into(),
            sent_ms: NOW_MS - MINUTE_MS,
        };
        city.records.command_sent(&command).await.expect("an order");
    }
    let span = format!("from_ms={}&to_ms={NOW_MS}", NOW_MS - 2 * MINUTE_MS);
    let rows = ask(&city, &cookie, &format!("timeline?site=cold-store&{span}")).await;
    let orders: Vec<&str> = (rows.iter())
        .filter(|row| row["record"] == "order")
        .filter_map(|row| row["subject"].as_str())
        .collect();
    assert_eq!(orders, ["NH3.c", "NH3.b", "NH3.a"]);
}

#[tokio::test]
async fn every_alarm_is_told_with_the_time_to_acknowledge_and_to_clear() {
    let (city, cookie) = story().await;
    let rows = ask(
        &city,
        &cookie,
        "alarms?site=tank-farm&condition=H&priority=1",
    )
    .await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["time-to-acknowledge"], 30_000);
    assert_eq!(rows[0]["duration"], 90_000);
    assert_eq!(rows[0]["acknowledged-by"], "li");
}

#[tokio::test]
async fn acts_name_who_did_what_with_the_reason() {
    let (city, cookie) = story().await;
    let rows = ask(&city, &cookie, "acts").await;
    assert_eq!(
        texts(&rows, "what"),
        ["plant-reload", "shelve", "acknowledge"]
    );
    assert_eq!(texts(&rows, "actor"), ["li", "wang", "li"]);
    assert!(
        rows[0]["reason"]
            .as_str()
            .expect("a detail")
            .contains("20 → 25")
    );
}

#[tokio::test]
async fn silent_sites_are_those_silent_for_longer_than_asked() {
    let (city, cookie) = story().await;
    let birth = NodeBirth {
        edge: "old-mill".into(),
        received_ms: NOW_MS - 20 * MINUTE_MS,
        stream: None,
        ..NodeBirth::default()
    };
    city.records.node_born(&birth).await.expect("a birth");
    let rows = ask(&city, &cookie, "silent?minutes=10").await;
    assert_eq!(texts(&rows, "site"), ["old-mill"]);
    assert_eq!(rows[0]["silent-for"], 20 * MINUTE_MS);
    assert!(ask(&city, &cookie, "silent?minutes=600").await.is_empty());
}

#[tokio::test]
async fn what_was_shelved_or_bad_is_told_with_how_long() {
    let (city, cookie) = story().await;
    let rows = ask(&city, &cookie, "blind").await;
    assert_eq!(texts(&rows, "what"), ["bad", "shelved"]);
    assert_eq!(rows[1]["duration"], 600_000);
    assert_eq!(rows[1]["reason"], "检修");
    assert_eq!(rows[0]["to"], Value::Null);
    // A span in which the shelving was over already.
    let later = format!("blind?from_ms={}", NOW_MS - 30 * MINUTE_MS);
    assert_eq!(texts(&ask(&city, &cookie, &later).await, "what"), ["bad"]);
}

#[tokio::test]
async fn a_source_that_came_three_times_within_a_minute_chatters_and_one_active_for_long_stands() {
    let (city, cookie) = story().await;
    let rows = ask(&city, &cookie, "sources?minutes=60").await;
    assert_eq!(texts(&rows, "what"), ["standing", "chattering"]);
    assert_eq!(texts(&rows, "alarm"), ["GT-101.BAD", "PT-1.H"]);
    assert_eq!(
        (rows[1]["occurrences"].as_i64(), rows[1]["bursts"].as_i64()),
        (Some(4), Some(2))
    );
}

#[tokio::test]
async fn coverage_tells_how_much_of_the_time_a_point_was_measured() {
    let (city, cookie) = story().await;
    let minutes = (0..30).map(|minute| NOW_MS - HOUR_MS + minute * MINUTE_MS);
    measured_at(&city, minutes);
    let path = format!("coverage?site=tank-farm&from_ms={}", NOW_MS - HOUR_MS);
    let rows = ask(&city, &cookie, &path).await;
    assert_eq!(rows[0]["coverage"], 0.5);
    assert_eq!(rows[0]["missing"], 30 * MINUTE_MS);
}

#[tokio::test]
async fn coverage_of_more_points_than_a_page_ends_and_tells_each_once() {
    let (city, cookie) = story().await;
    let held = (0..51).map(|number| PointReading {
        site: "tank-farm".into(),
        point: format!("P-{number:02}").into(),
        reading: Reading::measured(1.0, WallMs(NOW_MS - 2 * MINUTE_MS)),
    });
    city.readings.0.lock().expect("a lock").extend(held);
    let span = format!("site=tank-farm&from_ms={}", NOW_MS - HOUR_MS);
    let rows = ask(&city, &cookie, &format!("coverage?{span}")).await;
    // And the one that the site's gateway names.
    let mut wanted = vec!["GT-101".to_owned()];
    wanted.extend((0..51).map(|number| format!("P-{number:02}")));
    assert_eq!(texts(&rows, "point"), wanted);
    let path = format!("/api/export/coverage?{span}");
    let answer = city.call(Method::GET, &path, Some(&cookie), None).await;
    let file = crate::city::text(answer).await;
    assert_eq!(file.matches("\r\ntank-farm,").count(), 52);
}

#[tokio::test]
async fn coverage_of_more_than_a_year_is_refused_and_never_shortened() {
    let (city, cookie) = story().await;
    let day = 24 * HOUR_MS;
    for (days, status) in [(368, StatusCode::OK), (369, StatusCode::CONFLICT)] {
        let span = format!("site=tank-farm&from_ms={}", NOW_MS - days * day);
        for way in ["questions", "export"] {
            let path = format!("/api/{way}/coverage?{span}");
            let answer = city.call(Method::GET, &path, Some(&cookie), None).await;
            assert_eq!(answer.status(), status, "{days} {way}");
            if status == StatusCode::CONFLICT {
                let refused = crate::city::json(answer).await;
                assert_eq!(refused["error"], "too-long-a-span");
            }
        }
    }
}

#[tokio::test]
async fn a_heartbeat_over_an_end_of_the_span_vouches_for_the_minutes_within() {
    let (city, cookie) = story().await;
    // Twice a minute apart by two, around a span of which no minute has a reading.
    measured_at(
        &city,
        [13, 11].map(|back| NOW_MS - back * MINUTE_MS).into_iter(),
    );
    let span = format!(
        "from_ms={}&to_ms={}",
        NOW_MS - 12 * MINUTE_MS,
        NOW_MS - 11 * MINUTE_MS
    );
    let rows = ask(&city, &cookie, &format!("coverage?site=tank-farm&{span}")).await;
    assert_eq!(rows[0]["coverage"], 1.0);
    assert_eq!(rows[0]["readings"], 0);
}

#[tokio::test]
async fn the_last_measurement_is_told_by_its_own_time_where_coverage_goes_by_the_minute() {
    let (city, cookie) = story().await;
    let last_ms = NOW_MS - 1_234;
    measured_at(&city, (0..100).rev().map(|back| last_ms - back * 7_000));
    let path = format!("coverage?site=tank-farm&from_ms={}", NOW_MS - HOUR_MS);
    let rows = ask(&city, &cookie, &path).await;
    assert_eq!(rows[0]["last-measured"], last_ms);
}

#[tokio::test]
async fn a_minute_of_many_readings_in_an_hour_is_a_minute_measured() {
    let (city, cookie) = story().await;
    let hour = NOW_MS - HOUR_MS;
    measured_at(&city, (0..60).map(|second| hour + 300_000 + second * 1_000));
    for from_ms in [hour, hour + 1] {
        let path = format!("coverage?site=tank-farm&from_ms={from_ms}");
        let rows = ask(&city, &cookie, &path).await;
        assert_eq!(rows[0]["measured"], MINUTE_MS);
        assert_eq!(rows[0]["missing"], 59 * MINUTE_MS);
        assert_eq!(rows[0]["good"], 60);
    }
}

/// A point that the site's gateway no longer names, and what a fan was told.
fn of_old(city: &City) {
    let held = |point: &str, time_ms: i64, value: f64| PointReading {
        site: "tank-farm".into(),
        point: point.into(),
        reading: Reading::measured(value, WallMs(time_ms)),
    };
    let all = [
        held("GT-099", NOW_MS - HOUR_MS, 7.0),
        held("GT-101", NOW_MS - HOUR_MS, 1.0),
        held("Outputs/FAN-1", NOW_MS - HOUR_MS + 1_000, 1.0),
        held("Outputs/FAN-1", NOW_MS - HOUR_MS + 90_500, 0.0),
    ];
    city.readings.0.lock().expect("a lock").extend(all);
}

#[tokio::test]
async fn points_that_were_removed_and_what_outputs_were_told_are_in_readings_and_coverage() {
    let (city, cookie) = story().await;
    of_old(&city);
    let span = format!("site=tank-farm&from_ms={}", NOW_MS - 2 * HOUR_MS);
    let rows = ask(&city, &cookie, &format!("readings?{span}")).await;
    let points = ["GT-099", "GT-101", "Outputs/FAN-1", "Outputs/FAN-1"];
    assert_eq!(texts(&rows, "point"), points);
    assert_eq!(texts(&rows, "unit"), ["", "%LEL", "", ""]);
    let rows = ask(&city, &cookie, &format!("coverage?{span}")).await;
    // What an output is told is no measurement.
    assert_eq!(texts(&rows, "point"), ["GT-099", "GT-101"]);
    assert_eq!(rows[0]["measured"], MINUTE_MS);
}

#[tokio::test]
async fn what_outputs_were_told_stands_on_the_timeline_among_the_alarms() {
    let (city, cookie) = story().await;
    of_old(&city);
    let span = format!("from_ms={}&to_ms={NOW_MS}", NOW_MS - 3 * HOUR_MS);
    let rows = ask(&city, &cookie, &format!("timeline?site=tank-farm&{span}")).await;
    // Fifteen lines, the change of the site file, and the fan twice.
    assert_eq!(rows.len(), 18);
    let told: Vec<_> = rows
        .iter()
        .filter(|row| row["record"] == "output")
        .collect();
    let words: Vec<_> = told.iter().map(|row| row["what"].as_str()).collect();
    assert_eq!(words, [Some("output-off"), Some("output-on")]);
    assert_eq!(told[0]["subject"], "FAN-1");
    assert_eq!(told[0]["name"]["zh"], "一号风机");
    let times: Vec<_> = rows.iter().map(|row| row["time"].as_i64()).collect();
    assert!(times.is_sorted_by(|one, other| one >= other), "{times:?}");
}

#[tokio::test]
async fn a_page_of_the_timeline_looks_no_further_back_for_outputs_than_it_reaches() {
    let (city, cookie) = story().await;
    of_old(&city);
    city.readings.1.lock().expect("a lock").clear();
    let path = format!("/api/questions/timeline?site=tank-farm&from_ms=0&to_ms={NOW_MS}&limit=3");
    let page = city.get(&path, &cookie).await;
    let last_ms = page["rows"][2][0].as_i64().expect("a time");
    let looks = city.readings.1.lock().expect("a lock").clone();
    assert!(!looks.is_empty());
    let furthest = looks.iter().map(|(from_ms, _)| *from_ms).min();
    assert_eq!(furthest, Some(last_ms));
}

#[tokio::test]
async fn an_output_that_was_told_very_often_is_on_the_timeline_each_time() {
    const TOLD: i64 = 45_000;
    let (city, cookie) = story().await;
    let told = (0..TOLD).map(|at| PointReading {
        site: "tank-farm".into(),
        point: "Outputs/FAN-1".into(),
        reading: Reading::measured((at % 2) as f64, WallMs(NOW_MS - HOUR_MS + at)),
    });
    city.readings.0.lock().expect("a lock").extend(told);
    let span = format!("from_ms={}&to_ms={NOW_MS}", NOW_MS - 3 * HOUR_MS);
    let path = format!("/api/export/timeline?site=tank-farm&zone=Z&{span}");
    let answer = city.call(Method::GET, &path, Some(&cookie), None).await;
    let file = crate::city::text(answer).await;
    let times: Vec<&str> = (file.lines())
        .filter(|line| line.contains(",output,tank-farm,FAN-1,"))
        .filter_map(|line| line.split(',').next())
        .collect();
    assert_eq!(times.len(), TOLD as usize);
    assert!(times.is_sorted_by(|one, other| one > other));
}

/// Hours to either side of the tests' present.
fn around() -> String {
    format!(
        "from_ms={}&to_ms={}",
        NOW_MS - 4 * HOUR_MS,
        NOW_MS + 4 * HOUR_MS
    )
}

/// A site that comes and goes again and again, from the silence of the story on.
async fn flaps(city: &City, times: i64) {
    let begins_ms = NOW_MS + MINUTE_MS;
    for time in 0..times {
        let gone_ms = begins_ms + time * 2_000;
        let died = city.records.node_died("cold-store", None, gone_ms).await;
        died.expect("a death");
        let birth = NodeBirth {
            group: "davy".into(),
            edge: "cold-store".into(),
            received_ms: gone_ms + 1_000,
            ..NodeBirth::default()
        };
        city.records.node_born(&birth).await.expect("a birth");
    }
}

#[tokio::test]
async fn every_silence_that_reached_us_late_is_told_over_the_edge_of_a_page() {
    let (city, cookie) = story().await;
    flaps(&city, 5).await;
    let path = format!("late?site=cold-store&{}", around());
    let rows = ask(&city, &cookie, &path).await;
    let times: Vec<_> = (rows.iter())
        .filter(|row| row["record"] == "link")
        .map(|row| row["time"].as_i64().expect("a time"))
        .collect();
    let mut once = times.clone();
    once.dedup();
    assert_eq!((times.len(), once.len()), (5, 5), "{times:?}");
}

#[tokio::test]
async fn more_gaps_of_record_than_an_answer_holds_are_paged_through_or_said() {
    let (city, cookie) = story().await;
    flaps(&city, 1_003).await;
    let page = format!("/api/history/alarms?site=cold-store&{}", around());
    let answer = city.get(&page, &cookie).await;
    assert_eq!(answer["gaps"].as_array().expect("gaps").len(), 1_000);
    assert_eq!(answer["gaps_cut"], true);
    for question in ["alarms", "readings"] {
        let path = format!("{question}?site=cold-store&{}", around());
        let rows = ask(&city, &cookie, &path).await;
        let gaps = rows.iter().filter(|row| row["record"] == "gap");
        assert_eq!(gaps.count(), 1_003, "{question}");
    }
}

#[tokio::test]
async fn an_answer_with_more_rows_than_are_told_says_so_on_the_page_and_in_its_file() {
    let (city, cookie) = story().await;
    let path = "/api/questions/blind?site=tank-farm";
    assert_eq!(city.get(path, &cookie).await["is_cut"], false);
    let lines = (100..10_101).map(|seq| raise(seq, &format!("P{seq}.BAD"), NOW_MS - 1_000));
    city.commit("tank-farm", 3, lines.collect()).await;
    let answer = city.get(path, &cookie).await;
    assert_eq!(answer["rows"].as_array().expect("rows").len(), 10_000);
    assert_eq!(answer["is_cut"], true);
    let path = "/api/export/blind?site=tank-farm&lang=en";
    let answer = city.call(Method::GET, path, Some(&cookie), None).await;
    let file = crate::city::text(answer).await;
    let last = file.trim_end().lines().last().expect("a row");
    assert!(
        last.starts_with("\"There is more than these 10000 rows"),
        "{last}"
    );
}

#[tokio::test]
async fn a_page_of_the_audit_log_is_full_however_much_lies_outside_the_span() {
    let (city, cookie) = story().await;
    for number in 0..40_i64 {
        let entry = Entry {
            time_ms: if number % 4 == 0 {
                1_000 + number
            } else {
                NOW_MS
            },
            actor: "adm".into(),
            action: "export",
            subject: "tank-farm".into(),
            detail: serde_json::json!({ "number": number }),
        };
        city.records.audit(&entry).await.expect("an entry");
    }
    let page = "/api/questions/audit?from_ms=1000&to_ms=2000&limit=6";
    let answer = city.get(page, &cookie).await;
    assert_eq!(answer["rows"].as_array().expect("rows").len(), 6);
    let rows = ask(&city, &cookie, "audit?from_ms=1000&to_ms=2000").await;
    let times: Vec<_> = rows.iter().map(|row| row["time"].as_i64()).collect();
    let wanted: Vec<_> = (0..10).rev().map(|one| Some(1_000 + one * 4)).collect();
    assert_eq!(times, wanted);
}

fn measured_at(city: &City, times: impl Iterator<Item = i64>) {
    let readings = times.map(|time_ms| PointReading {
        site: "tank-farm".into(),
        point: "GT-101".into(),
        reading: Reading::measured(1.0, WallMs(time_ms)),
    });
    city.readings.0.lock().expect("a lock").extend(readings);
}

#[tokio::test]
async fn a_ranking_counts_by_town_sector_hazard_and_site() {
    let (city, cookie) = story().await;
    let rows = ask(&city, &cookie, "ranking?by=town").await;
    assert_eq!(texts(&rows, "group"), ["西店", "梅林"]);
    assert_eq!(
        (rows[0]["occurrences"].as_i64(), rows[0]["p2"].as_i64()),
        (Some(7), Some(4))
    );
    let rows = ask(&city, &cookie, "ranking?by=hazard").await;
    assert!(
        texts(&rows, "group").contains(&"combustible-gas"),
        "{rows:?}"
    );
    let rows = ask(&city, &cookie, "ranking?by=sector&priority=2").await;
    assert_eq!((rows.len(), rows[0]["occurrences"].as_i64()), (1, Some(4)));
    let rows = ask(&city, &cookie, "trend?by=site").await;
    assert!(rows.iter().all(|row| row["month"] == "2026-11"), "{rows:?}");
}

#[tokio::test]
async fn a_trend_tells_each_month_in_which_there_were_alarms() {
    let (city, cookie) = story().await;
    let day = 24 * HOUR_MS;
    // 2026-11-01T00:00:00+08:00: the first millisecond of the month, and the last of the one before.
    let november_ms = 1_793_462_400_000;
    let old = [november_ms, november_ms - 1, NOW_MS - 90 * day];
    let old = (50..).zip(old).map(|(seq, at_ms)| Line {
        occurrence: seq as u32,
        ..raise(seq, "PT-9.H", at_ms)
    });
    city.commit("tank-farm", 3, old.collect()).await;
    let span = format!("from_ms={}&to_ms={NOW_MS}", NOW_MS - 200 * day);
    let path = format!("trend?by=alarm&zone=%2B08:00&{span}");
    let rows = ask(&city, &cookie, &path).await;
    let of_old = rows.iter().filter(|row| row["group"] == "tank-farm/PT-9.H");
    let months: Vec<_> = of_old
        .map(|row| (row["month"].as_str(), row["occurrences"].as_i64()))
        .collect();
    let once = |month| (Some(month), Some(1));
    assert_eq!(months, ["2026-08", "2026-10", "2026-11"].map(once));
}

#[tokio::test]
async fn what_came_late_is_told_by_how_much() {
    let (city, cookie) = story().await;
    let rows = ask(&city, &cookie, "late").await;
    let line = rows
        .iter()
        .find(|row| row["alarm"] == "GT-101.BAD")
        .expect("the late line");
    assert_eq!(line["delay"], 2 * HOUR_MS - 1_000);
    let link = rows
        .iter()
        .find(|row| row["record"] == "link")
        .expect("the silence");
    assert_eq!(
        (link["site"].as_str(), link["what"].as_str()),
        (Some("cold-store"), Some("silent"))
    );
}

#[tokio::test]
async fn overdue_proofs_are_those_that_a_plant_alarms_with_its_last_proof() {
    let (city, cookie) = story().await;
    assert!(ask(&city, &cookie, "proofs").await.is_empty());
    let due = raise(40, "GT-101.PROOF", NOW_MS - HOUR_MS);
    city.commit("tank-farm", 40, vec![due]).await;
    let entry = Entry {
        time_ms: 5,
        actor: "tank-farm/li".into(),
        action: "plant-prove",
        subject: "tank-farm".into(),
        detail: serde_json::json!({ "of": "GT-101", "outcome": "pass" }),
    };
    city.records.audit(&entry).await.expect("an entry");
    let rows = ask(&city, &cookie, "proofs").await;
    assert_eq!(rows[0]["overdue-for"], HOUR_MS);
    assert_eq!(
        (rows[0]["last-proof"].as_i64(), rows[0]["verdict"].as_str()),
        (Some(5), Some("pass"))
    );
}

#[tokio::test]
async fn nobody_is_told_of_a_site_outside_the_jurisdiction() {
    let (city, _) = story().await;
    // Of 西店 alone.
    let cookie = city.login("reg", Role::Regulator).await;
    let questions = [
        "alarms",
        "acts",
        "silent?minutes=1",
        "blind",
        "sources?minutes=0",
        "ranking?by=site",
        "trend?by=site",
        "late",
        "proofs",
    ];
    for question in questions {
        for row in ask(&city, &cookie, question).await {
            let of = row.get("site").or(row.get("group")).and_then(Value::as_str);
            assert_eq!(of, Some("tank-farm"), "{question}: {row}");
        }
    }
    let call = async |path: &str| {
        city.call(Method::GET, path, Some(&cookie), None)
            .await
            .status()
    };
    assert_eq!(
        call("/api/questions/timeline?site=cold-store").await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        call("/api/export/coverage?site=cold-store").await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(call("/api/questions/audit").await, StatusCode::FORBIDDEN);
    assert_eq!(
        call("/api/questions/timeline").await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        call("/api/questions/weather").await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        call("/api/questions/late?cursor=x").await,
        StatusCode::BAD_REQUEST
    );
}
