//! The service in a temporary folder, its records read through a second handle, its readings on a shelf that can be told to fail.

use davy_alarm::Reading;
use davy_cloud::api::Health;
use davy_cloud::auth::Passwords;
use davy_cloud::history::{History, HistoryError, PointReading, Series, SeriesQuery};
use davy_cloud::records::{
    Person, Place, Quarantined, Records, Role, Scope, Transition, TransitionFilter,
};
use davy_cloud::run::{Service, now_ms};
use davy_cloud::settings::Settings;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const PASSWORD: &str = "a good password";

/// How long a condition may take: far longer than it ever does, since the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running cloud.
pub(crate) struct City {
    pub(crate) records: Records,
    pub(crate) settings: Settings,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) broker: SocketAddr,
    pub(crate) http: SocketAddr,
    service: Option<Service>,
    folder: Arc<tempfile::TempDir>,
}

impl City {
    /// With the embedded broker.
    pub(crate) async fn new() -> Self {
        Self::with("kind = \"embedded\"\nlisten = \"127.0.0.1:0\"", None).await
    }

    /// With somebody's broker, and stores in a folder of its own.
    pub(crate) async fn beside(broker: SocketAddr, more: &str) -> Self {
        let (host, port) = (broker.ip(), broker.port());
        let table = format!("kind = \"external\"\nhost = \"{host}\"\nport = {port}\n{more}");
        Self::with(&table, Some(broker)).await
    }

    /// The same, which waits so long for a message that is missing between others.
    pub(crate) async fn patient(broker: SocketAddr, reorder_timeout_ms: u32) -> Self {
        let (host, port) = (broker.ip(), broker.port());
        let table = format!("kind = \"external\"\nhost = \"{host}\"\nport = {port}");
        let own = format!("reorder_timeout_ms = {reorder_timeout_ms}\n");
        Self::of(&own, &table, Some(broker)).await
    }

    /// With the embedded broker, and records in PostgreSQL, which others may share.
    pub(crate) async fn shared() -> Self {
        let records = crate::store::table_of(&crate::store::database(crate::store::BYTES).await);
        let broker = "kind = \"embedded\"\nlisten = \"127.0.0.1:0\"";
        Self::on(&records, broker, None).await
    }

    async fn with(broker: &str, outside: Option<SocketAddr>) -> Self {
        Self::of("", broker, outside).await
    }

    async fn of(own: &str, broker: &str, outside: Option<SocketAddr>) -> Self {
        let records = crate::store::table().await;
        Self::on(&format!("{own}{records}"), broker, outside).await
    }

    async fn on(own: &str, broker: &str, outside: Option<SocketAddr>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!("listen = \"127.0.0.1:0\"\n{own}[broker]\n{broker}\n");
        let settings = Settings::parse(&text, folder.path()).expect("valid settings");
        let shelf = Arc::new(Shelf::default());
        let service = start(&settings, shelf.clone()).await;
        let records = Records::of(&settings, now_ms()).await;
        Self {
            records: records.expect("records"),
            shelf,
            broker: service.broker.or(outside).expect("a broker"),
            http: service.listen,
            service: Some(service),
            settings,
            folder: Arc::new(folder),
        }
    }

    /// Another collector on the same stores, but with a shelf of its own.
    pub(crate) async fn replica(&self) -> Self {
        let shelf = Arc::new(Shelf::default());
        let service = start(&self.settings, shelf.clone()).await;
        Self {
            records: self.records.clone(),
            shelf,
            broker: self.broker,
            http: service.listen,
            service: Some(service),
            settings: self.settings.clone(),
            folder: self.folder.clone(),
        }
    }

    /// Ends the service as a signal would.
    pub(crate) async fn end(mut self) {
        let service = self.service.take().expect("a service");
        service
            .until(std::future::ready(()))
            .await
            .expect("a clean end");
    }

    pub(crate) async fn transitions(&self) -> Vec<Transition> {
        let filter = TransitionFilter {
            scope: Scope::All,
            site: None,
            alarm: None,
            subjects: vec![],
            from_ms: None,
            to_ms: None,
            after: None,
            limit: 100,
        };
        self.records
            .transitions(&filter)
            .await
            .expect("transitions")
    }

    pub(crate) async fn quarantined(&self) -> Vec<Quarantined> {
        self.records
            .quarantined(None, 100)
            .await
            .expect("a quarantine")
    }

    pub(crate) async fn is_online(&self, site: &str) -> bool {
        let site = self.records.site(site).await.expect("records");
        site.is_some_and(|site| site.online)
    }

    /// Adds an operator of `tank-farm` who is logged in.
    pub(crate) async fn operator(&self) -> Agent {
        let hash = Passwords::default()
            .hash(PASSWORD.to_owned())
            .await
            .expect("a hash");
        let person = Person {
            id: "wang".into(),
            name: "wang".into(),
            role: Role::Operator,
            sites: ["tank-farm".to_owned()].into(),
            jurisdiction: Place::default(),
        };
        self.records
            .add_person(&person, &hash, now_ms())
            .await
            .expect("a person");
        let agent = Agent {
            http: self.http,
            agent: ureq::Agent::new_with_defaults(),
        };
        agent
            .post(
                "/api/session",
                serde_json::json!({ "user": "wang", "password": PASSWORD }),
            )
            .await;
        agent
    }
}

async fn start(settings: &Settings, shelf: Arc<Shelf>) -> Service {
    let figures = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    Service::start_with(settings, figures.handle(), Health::default(), shelf)
        .await
        .expect("the service")
}

/// A person's browser.
#[derive(Clone)]
pub(crate) struct Agent {
    http: SocketAddr,
    agent: ureq::Agent,
}

impl Agent {
    pub(crate) async fn post(&self, path: &str, body: serde_json::Value) -> serde_json::Value {
        let (agent, url) = (self.agent.clone(), format!("http://{}{path}", self.http));
        let call = move || {
            let mut answer = agent.post(&url).send_json(body).expect("an answer");
            answer.body_mut().read_to_string().expect("a body")
        };
        let text = tokio::task::spawn_blocking(call).await.expect("no panic");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// The status of an empty POST.
    pub(crate) async fn status(&self, url: String) -> u16 {
        let agent = self.agent.clone();
        let call = move || {
            let answer = agent
                .post(&url)
                .config()
                .http_status_as_error(false)
                .build()
                .send_json(serde_json::json!({}));
            answer.expect("an answer").status().as_u16()
        };
        tokio::task::spawn_blocking(call).await.expect("no panic")
    }

    /// The next event of this name.
    pub(crate) async fn event(&self, name: &'static str) -> serde_json::Value {
        let (agent, url) = (
            self.agent.clone(),
            format!("http://{}/api/events", self.http),
        );
        let listen = move || {
            use std::io::BufRead as _;
            let answer = agent.get(&url).call().expect("a stream");
            let lines = std::io::BufReader::new(answer.into_body().into_reader()).lines();
            let mut lines = lines.map(|line| line.expect("a line"));
            lines
                .find(|line| *line == format!("event: {name}"))
                .expect("the event");
            let data = lines.find(|line| line.starts_with("data: "));
            let data = data.expect("its data");
            serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON")
        };
        within(tokio::task::spawn_blocking(listen))
            .await
            .expect("no panic")
    }
}

/// Readings in memory.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    readings: Mutex<BTreeMap<(String, String, i64), Reading>>,
    /// How often the next commits fail, and as what.
    fails: Mutex<(u32, bool)>,
}

impl Shelf {
    pub(crate) fn of(&self, site: &str, point: &str) -> Vec<Reading> {
        let readings = self.readings.lock().expect("a lock");
        let is_it = |key: &&(String, String, i64)| key.0 == site && key.1 == point;
        readings
            .keys()
            .filter(is_it)
            .map(|key| readings[key])
            .collect()
    }

    pub(crate) fn be_busy(&self, times: u32) {
        *self.fails.lock().expect("a lock") = (times, true);
    }

    pub(crate) fn fail(&self, times: u32) {
        *self.fails.lock().expect("a lock") = (times, false);
    }

    pub(crate) fn failures_left(&self) -> u32 {
        self.fails.lock().expect("a lock").0
    }

    fn take(&self, readings: Vec<PointReading>) -> Result<(), HistoryError> {
        let mut fails = self.fails.lock().expect("a lock");
        if fails.0 > 0 {
            fails.0 -= 1;
            return Err(if fails.1 {
                HistoryError::Busy
            } else {
                HistoryError::Stopped
            });
        }
        let mut held = self.readings.lock().expect("a lock");
        for PointReading {
            site,
            point,
            reading,
        } in readings
        {
            held.insert(
                (site.to_string(), point.to_string(), reading.source_time().0),
                reading,
            );
        }
        Ok(())
    }
}

impl History for Shelf {
    fn commit(&self, readings: Vec<PointReading>) -> BoxFuture<'_, Result<(), HistoryError>> {
        Box::pin(async { self.take(readings) })
    }

    fn series(&self, _query: SeriesQuery) -> BoxFuture<'_, Result<Series, HistoryError>> {
        Box::pin(async { Ok(Series::default()) })
    }

    fn readings(
        &self,
        site: &str,
        point: &str,
        _from_ms: i64,
        _to_ms: i64,
        _limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Reading>, HistoryError>> {
        let readings = self.of(site, point);
        Box::pin(async { Ok(readings) })
    }

    fn latest(&self, _site: &str) -> BoxFuture<'_, Result<Vec<(String, Reading)>, HistoryError>> {
        Box::pin(async { Ok(vec![]) })
    }

    fn forget_before(&self, _before_ms: i64) -> BoxFuture<'_, Result<(), HistoryError>> {
        Box::pin(async { Ok(()) })
    }
}

/// Awaits something that must come.
pub(crate) async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("it in time")
}

/// Awaits a condition that must come to hold.
pub(crate) async fn until(holds: impl AsyncFn() -> bool) {
    within(async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}
