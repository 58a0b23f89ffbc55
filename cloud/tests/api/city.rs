//! A city for tests: real records in a file, readings held in memory, orders kept instead of carried.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use axum::response::Response;
use davy_alarm::{Cause, Priority, Reading, Shown};
use davy_cloud::api::{self, Health, Parts};
use davy_cloud::auth::Passwords;
use davy_cloud::history::{Bucket, History, HistoryError, PointReading, Series, SeriesQuery, Span};
use davy_cloud::live::Live;
use davy_cloud::order::{Courier, CourierError, Order};
use davy_cloud::records::{
    Batch, Line, NodeBirth, Offset, Person, Place, Records, Registry, Role, Text,
};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt as _;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// The tests' present: 2026-11-24T14:00:00+08:00.
pub(crate) const NOW_MS: i64 = 1_795_500_000_000;
pub(crate) const PASSWORD: &str = "a good password";

/// Two sites in one city: `tank-farm` in 西店, `cold-store` in 梅林.
pub(crate) struct City {
    pub(crate) router: Router,
    pub(crate) records: Records,
    pub(crate) live: Live,
    pub(crate) orders: Arc<Orders>,
    pub(crate) readings: Arc<Readings>,
    pub(crate) ending: CancellationToken,
    pub(crate) folder: tempfile::TempDir,
}

impl City {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let records = crate::store::records(folder.path(), NOW_MS).await;
        let (live, ending) = (Live::default(), CancellationToken::new());
        let (orders, readings) = (Arc::new(Orders::default()), Arc::new(Readings::default()));
        let parts = Parts {
            records: records.clone(),
            history: readings.clone(),
            courier: orders.clone(),
            live: live.clone(),
            health: Health::default(),
            metrics: metrics_exporter_prometheus::PrometheusBuilder::new()
                .build_recorder()
                .handle(),
            zone: davy_cloud::settings::parse_zone("+08:00").expect("a zone"),
            secure_cookie: true,
            spool: folder.path().join("exports"),
            key: Arc::new(davy_print::Key::open(&folder.path().join("key")).expect("a key")),
            clock: || NOW_MS,
            ending: ending.clone(),
        };
        let city = Self {
            router: api::router(parts),
            records,
            live,
            orders,
            readings,
            ending,
            folder,
        };
        city.site("tank-farm", "西店").await;
        city.site("cold-store", "梅林").await;
        city
    }

    async fn site(&self, edge: &str, town: &str) {
        let registry = Registry {
            place: place("宁海", town),
            sector: "chemicals".into(),
            ..Registry::default()
        };
        self.records
            .put_registry(edge, &registry)
            .await
            .expect("a registry");
        let model = r#"{"devices":[{"id":"GD-01","name":{"zh":"主机","en":"Panel"},"bus":"tcp","unit":1}],"points":[{"id":"GT-101",
            "name":{"zh":"一号罐","en":"Tank 1"},"area":"tank-1","device":"GD-01","kind":"combustible-gas","unit":"%LEL","low":0,"high":100,"decimals":1,
            "limits":[{"alarm":"GT-101.HH","condition":"HH","set_point":50,"priority":1,"source":"site",
            "guidance":{"zh":"撤离","en":"Leave"}}]}],
            "outputs":[{"id":"FAN-1","name":{"zh":"一号风机","en":"Fan 1"},"area":"tank-1","device":"IO-1","kind":"fan","latching":true}],
            "votes":[{"id":"GV-1","name":{"zh":"一号罐表决","en":"Tank 1 vote"},"area":"tank-1","members":["GT-101.HH"],"needed":1,"fault":"exclude",
            "safety":true,"alarms":["GV-1.VOTE","GV-1.DEGRADED","GV-1.UNMON","GV-1.DISC"]}]}"#;
        let birth = NodeBirth {
            group: "davy".into(),
            edge: edge.into(),
            received_ms: NOW_MS - 3_600_000,
            bd_seq: Some(0),
            name: Text {
                zh: format!("{edge}（中）"),
                en: edge.into(),
            },
            version: "0.1.0".into(),
            digest: "d".into(),
            model: Some(model.into()),
            stream: Some(1),
            payload: vec![],
        };
        self.records.node_born(&birth).await.expect("a birth");
        self.commit(edge, 1, vec![raise(1, "GT-101.HH", NOW_MS - 60_000)])
            .await;
    }

    /// Commits lines as a gateway's batch and tells whoever listens.
    pub(crate) async fn commit(&self, site: &str, offset: u64, lines: Vec<Line>) {
        let batch = Batch {
            site: site.into(),
            offset: Offset::new(1, offset),
            received_ms: NOW_MS - 1_000,
            newest_ms: NOW_MS - 1_000,
            lines,
            late_after_ms: 600_000,
            samples: vec![],
            entries: vec![],
            aside: None,
            again: false,
        };
        let outcomes = self.records.commit(&[batch]).await.expect("a commit");
        for alarm in &outcomes[0].alarms {
            self.live
                .tell(davy_cloud::live::Update::Alarm(Box::new(alarm.clone())));
        }
    }

    /// Adds a person of this id and logs in; answers the cookie.
    pub(crate) async fn login(&self, id: &str, role: Role) -> String {
        let person = Person {
            id: id.into(),
            name: id.into(),
            role,
            sites: ["tank-farm".to_owned()].into(),
            jurisdiction: place("宁海", "西店"),
        };
        self.records
            .add_person(&person, &password_hash().await, NOW_MS)
            .await
            .expect("a person");
        self.login_again(id).await
    }

    pub(crate) async fn login_again(&self, id: &str) -> String {
        let body = serde_json::json!({ "user": id, "password": PASSWORD });
        let answer = self
            .call(Method::POST, "/api/session", None, Some(body))
            .await;
        assert_eq!(answer.status(), StatusCode::OK);
        let cookie = answer.headers()[header::SET_COOKIE]
            .to_str()
            .expect("a cookie");
        cookie.split(';').next().expect("a pair").to_owned()
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        cookie: Option<&str>,
        body: Option<serde_json::Value>,
    ) -> Response {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT_LANGUAGE, "en");
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).expect("a request")).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response {
        self.router
            .clone()
            .oneshot(request)
            .await
            .expect("an answer")
    }

    pub(crate) async fn get(&self, path: &str, cookie: &str) -> serde_json::Value {
        let answer = self.call(Method::GET, path, Some(cookie), None).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        json(answer).await
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        cookie: &str,
        body: serde_json::Value,
    ) -> (StatusCode, serde_json::Value) {
        let answer = self
            .call(Method::POST, path, Some(cookie), Some(body))
            .await;
        (answer.status(), json(answer).await)
    }
}

pub(crate) async fn text(answer: Response) -> String {
    let bytes = answer
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

pub(crate) async fn json(answer: Response) -> serde_json::Value {
    serde_json::from_str(&text(answer).await).expect("JSON")
}

/// One hash for all: argon2 is slow by design.
async fn password_hash() -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    match HASH.get() {
        Some(hash) => hash.clone(),
        None => {
            let hash = Passwords::default()
                .hash(PASSWORD.into())
                .await
                .expect("a hash");
            HASH.get_or_init(|| hash).clone()
        }
    }
}

pub(crate) fn place(city: &str, town: &str) -> Place {
    Place {
        city: city.into(),
        town: town.into(),
        village: String::new(),
    }
}

pub(crate) fn raise(seq: u64, alarm: &str, time_ms: i64) -> Line {
    Line {
        seq,
        alarm: alarm.into(),
        occurrence: 1,
        from: Shown::Normal,
        to: Shown::Unacknowledged,
        cause: Cause::Active,
        time_ms,
        value: Some(62.1),
        value_cause: None,
        limit: Some(50.0),
        priority: Priority::P1,
        actor: None,
        reason: None,
        shelved_until_ms: None,
        command: None,
    }
}

/// Orders that were to be carried.
#[derive(Default)]
pub(crate) struct Orders {
    pub(crate) carried: Mutex<Vec<Order>>,
    /// When set, no site answers.
    pub(crate) down: Mutex<bool>,
}

impl Courier for Orders {
    fn send(&self, order: Order) -> BoxFuture<'_, Result<(), CourierError>> {
        Box::pin(async move {
            if *self.down.lock().expect("a lock") {
                return Err(CourierError::Down);
            }
            self.carried.lock().expect("a lock").push(order);
            Ok(())
        })
    }
}

/// A history that holds what a test gave it, and the spans whose readings it was asked for.
#[derive(Default)]
pub(crate) struct Readings(
    pub(crate) Mutex<Vec<PointReading>>,
    pub(crate) Mutex<Vec<(i64, i64)>>,
    /// Away, as far as the newest ones are asked for.
    pub(crate) AtomicBool,
);

impl Readings {
    fn of(&self, site: &str, point: &str, from_ms: i64, to_ms: i64) -> Vec<Reading> {
        let held = self.0.lock().expect("a lock");
        let mine = held
            .iter()
            .filter(|one| *one.site == *site && *one.point == *point)
            .map(|one| one.reading);
        mine.filter(|reading| (from_ms..to_ms).contains(&reading.source_time().0))
            .collect()
    }
}

impl History for Readings {
    fn commit(&self, readings: Vec<PointReading>) -> BoxFuture<'_, Result<(), HistoryError>> {
        self.0.lock().expect("a lock").extend(readings);
        Box::pin(async { Ok(()) })
    }

    fn series(&self, query: SeriesQuery) -> BoxFuture<'_, Result<Series, HistoryError>> {
        let raw = self.of(&query.site, &query.point, query.from_ms, query.to_ms);
        let bucket = |reading: &Reading| Bucket {
            time_ms: reading.source_time().0,
            span: reading.value().map(|value| Span {
                min: value,
                max: value,
                mean: value,
            }),
            count: 1,
            good: u32::from(reading.value().is_ok()),
        };
        let buckets = raw.iter().map(bucket).collect();
        Box::pin(async {
            Ok(Series {
                step_ms: 0,
                buckets,
            })
        })
    }

    fn readings(
        &self,
        site: &str,
        point: &str,
        from_ms: i64,
        to_ms: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Reading>, HistoryError>> {
        self.1.lock().expect("a lock").push((from_ms, to_ms));
        let mut page = self.of(site, point, from_ms, to_ms);
        page.truncate(limit);
        Box::pin(async { Ok(page) })
    }

    fn latest(&self, site: &str) -> BoxFuture<'_, Result<Vec<(String, Reading)>, HistoryError>> {
        if self.2.load(Ordering::Relaxed) {
            return Box::pin(async { Err(HistoryError::Busy) });
        }
        let held = self.0.lock().expect("a lock");
        let of_site = held.iter().filter(|one| *one.site == *site);
        let latest: BTreeMap<String, Reading> = of_site
            .map(|one| (one.point.to_string(), one.reading))
            .collect();
        Box::pin(async { Ok(latest.into_iter().collect()) })
    }

    fn forget_before(&self, _before_ms: i64) -> BoxFuture<'_, Result<(), HistoryError>> {
        Box::pin(async { Ok(()) })
    }
}
