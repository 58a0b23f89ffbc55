//! The event stream: a snapshot first, then what changes, filtered for its reader.

use crate::city::{City, NOW_MS, raise};
use axum::body::BodyDataStream;
use axum::http::{Method, StatusCode};
use davy_alarm::{Reading, WallMs};
use davy_cloud::live::Update;
use davy_cloud::records::Role;
use futures_util::StreamExt as _;
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The longest that a test waits for an event.
const PATIENCE: Duration = Duration::from_secs(10);

struct Stream {
    body: BodyDataStream,
    text: String,
}

impl Stream {
    async fn open(city: &City, path: &str, cookie: &str) -> Self {
        let answer = city.call(Method::GET, path, Some(cookie), None).await;
        assert_eq!(answer.status(), StatusCode::OK);
        Self {
            body: answer.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    /// The next event's id, name and data; none at the end.
    async fn next(&mut self) -> Option<(u64, String, serde_json::Value)> {
        while !self.text.contains("\n\n") {
            let chunk = tokio::time::timeout(PATIENCE, self.body.next())
                .await
                .expect("an event in time")?;
            self.text
                .push_str(std::str::from_utf8(&chunk.expect("a chunk")).expect("UTF-8"));
        }
        let (event, rest) = self.text.split_once("\n\n").expect("an event");
        let field = |name: &str| {
            let line = event
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .expect("a field");
            line.trim_start_matches(':').trim().to_owned()
        };
        let read = (
            field("id").parse().expect("a number"),
            field("event"),
            serde_json::from_str(&field("data")).expect("JSON"),
        );
        self.text = rest.to_owned();
        Some(read)
    }

    /// The next event that is no tick.
    async fn next_but_ticks(&mut self) -> (String, serde_json::Value) {
        loop {
            let (_, name, data) = self.next().await.expect("an event");
            if name != "tick" {
                return (name, data);
            }
        }
    }
}

#[tokio::test]
async fn a_stream_begins_with_a_snapshot_and_numbers_its_events() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let mut stream = Stream::open(&city, "/api/events", &cookie).await;
    let (first, name, snapshot) = stream.next().await.expect("an event");
    assert_eq!(
        (first, name.as_str(), &snapshot["time_ms"]),
        (1, "snapshot", &json!(NOW_MS))
    );
    assert_eq!(snapshot["sites"].as_array().expect("a list").len(), 1);
    assert_eq!(snapshot["alarms"][0]["id"], "GT-101.HH");
    let (second, name, _) = stream.next().await.expect("an event");
    assert_eq!((second, name.as_str()), (2, "tick"));
}

#[tokio::test]
async fn alarms_are_shown_while_the_history_is_away_and_values_are_said_to_be() {
    let city = City::new().await;
    city.readings.2.store(true, Ordering::Relaxed);
    let cookie = city.login("wang", Role::Operator).await;
    let mut stream = Stream::open(&city, "/api/events?site=tank-farm", &cookie).await;
    let (_, snapshot) = stream.next_but_ticks().await;
    assert_eq!(snapshot["alarms"][0]["id"], "GT-101.HH");
    assert_eq!(snapshot["values_away"], true);
    let answer = city.get("/api/sites/tank-farm", &cookie).await;
    assert_eq!(
        (&answer["id"], &answer["values_away"]),
        (&json!("tank-farm"), &json!(true))
    );
}

#[tokio::test]
async fn an_alarm_arrives_and_its_sites_overview_follows() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let mut stream = Stream::open(&city, "/api/events", &cookie).await;
    stream.next_but_ticks().await;
    city.commit("cold-store", 2, vec![raise(2, "PT-7.H", NOW_MS)])
        .await;
    city.commit("tank-farm", 2, vec![raise(2, "PT-7.H", NOW_MS)])
        .await;
    let (name, alarm) = stream.next_but_ticks().await;
    assert_eq!(
        (name.as_str(), &alarm["site"], &alarm["id"]),
        ("alarm", &json!("tank-farm"), &json!("PT-7.H"))
    );
    let (name, site) = stream.next_but_ticks().await;
    assert_eq!((name.as_str(), &site["id"]), ("site", &json!("tank-farm")));
    assert_eq!(site["alarms"]["p1"]["unacknowledged"], 2);
}

#[tokio::test]
async fn values_come_for_the_site_that_is_watched_and_no_other() {
    let city = City::new().await;
    let cookie = city.login("adm", Role::Administrator).await;
    let mut stream = Stream::open(&city, "/api/events?site=tank-farm", &cookie).await;
    stream.next_but_ticks().await;
    let values = |site: &str, value| Update::Values {
        site: site.into(),
        values: vec![("GT-101".into(), Reading::measured(value, WallMs(NOW_MS)))],
    };
    city.live.tell(values("cold-store", 1.0));
    city.live.tell(values("tank-farm", 2.0));
    let (name, shown) = stream.next_but_ticks().await;
    assert_eq!(name, "values");
    let expected = json!([{ "site": "tank-farm", "point": "GT-101", "value": 2.0, "cause": null, "quality": "good", "time_ms": NOW_MS }]);
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn a_demand_comes_beside_the_values_and_not_among_them() {
    let city = City::new().await;
    let cookie = city.login("adm", Role::Administrator).await;
    let mut stream = Stream::open(&city, "/api/events?site=tank-farm", &cookie).await;
    let (_, snapshot) = stream.next_but_ticks().await;
    assert_eq!(snapshot["demands"], json!([]));
    let now = |value| Reading::measured(value, WallMs(NOW_MS));
    city.live.tell(Update::Values {
        site: "tank-farm".into(),
        values: vec![
            ("GT-101".into(), now(2.0)),
            ("Outputs/FAN-1".into(), now(1.0)),
        ],
    });
    let (name, values) = stream.next_but_ticks().await;
    assert_eq!(
        (name.as_str(), values.as_array().map(Vec::len)),
        ("values", Some(1))
    );
    let (name, demands) = stream.next_but_ticks().await;
    let expected = json!([{ "site": "tank-farm", "output": "FAN-1", "demand": true, "since_ms": NOW_MS, "stale": false }]);
    assert_eq!((name.as_str(), demands), ("demands", expected));
}

#[tokio::test]
async fn a_refusal_reaches_its_site_and_names_the_command() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let mut stream = Stream::open(&city, "/api/events", &cookie).await;
    stream.next_but_ticks().await;
    city.live.tell(Update::Refused {
        command: "c1".into(),
        site: "tank-farm".into(),
        alarm: "GT-101.HH".into(),
        why: "timeout".into(),
    });
    let (name, refused) = stream.next_but_ticks().await;
    assert_eq!(name, "refused");
    assert_eq!(
        refused,
        json!({ "command": "c1", "site": "tank-farm", "alarm": "GT-101.HH", "why": "timeout" })
    );
}

#[tokio::test]
async fn a_reader_that_falls_behind_gets_a_new_snapshot() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let mut stream = Stream::open(&city, "/api/events", &cookie).await;
    stream.next_but_ticks().await;
    for _ in 0..5_000 {
        city.live.tell(Update::Site("cold-store".into()));
    }
    assert_eq!(stream.next_but_ticks().await.0, "snapshot");
}

#[tokio::test]
async fn a_site_that_leaves_the_jurisdiction_falls_silent() {
    let city = City::new().await;
    let cookie = city.login("reg", Role::Regulator).await;
    let mut stream = Stream::open(&city, "/api/events", &cookie).await;
    stream.next_but_ticks().await;
    let mut registry = city
        .records
        .site("tank-farm")
        .await
        .expect("an answer")
        .expect("the site")
        .registry;
    registry.place.town = "梅林".into();
    city.records
        .put_registry("tank-farm", &registry)
        .await
        .expect("a registry");
    city.live.tell(Update::Site("tank-farm".into()));
    city.commit("tank-farm", 2, vec![raise(2, "PT-7.H", NOW_MS)])
        .await;
    let mut cold_store = city
        .records
        .site("cold-store")
        .await
        .expect("an answer")
        .expect("the site")
        .registry;
    cold_store.place.town = "西店".into();
    city.records
        .put_registry("cold-store", &cold_store)
        .await
        .expect("a registry");
    city.live.tell(Update::Site("cold-store".into()));
    let (name, site) = stream.next_but_ticks().await;
    assert_eq!((name.as_str(), &site["id"]), ("site", &json!("cold-store")));
}

#[tokio::test]
async fn streams_end_when_the_service_ends() {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let mut stream = Stream::open(&city, "/api/events", &cookie).await;
    stream.next_but_ticks().await;
    city.ending.cancel();
    while let Some((_, name, _)) = stream.next().await {
        assert_eq!(name, "tick");
    }
}
