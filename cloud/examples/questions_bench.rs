//! Measures how long the regulator's questions take at the server, and how much memory a month and a year of a site as a file take, on a year of 200 sites × 50 points that it synthesises.
//!
//! `cargo run --release -p davy-cloud --example questions_bench [folder [days]]`; lines of `name value unit limit`. With a folder, what was synthesised there is kept and
//! used again: `davy-cloud run` opens it too. With days, so many are synthesised instead of a year, to try the bench itself. Bounds on disk: five occurrences a site and day (365,000 with 1,095,000 lines, about 400 MB), and readings of one site, ten points
//! a minute and forty points an hour, for a year (5.6 million): the cost of a question about readings is that of the points asked for, whatever the others hold.

#[path = "cost/process.rs"]
mod process;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use davy_alarm::{Reading, WallMs};
use davy_cloud::api::{Health, Parts, router};
use davy_cloud::auth::Passwords;
use davy_cloud::history::embedded::Embedded;
use davy_cloud::history::{History, PointReading};
use davy_cloud::live::Live;
use davy_cloud::order::{Courier, CourierError, Order};
use davy_cloud::records::{NodeBirth, Person, Place, Records, Registry, Role};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt as _;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tower::ServiceExt as _;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// 2026-01-01T00:00:00Z, the end of the year that is synthesised.
const NOW_MS: i64 = 1_767_225_600_000;
const DAY_MS: i64 = 86_400_000;
const SITES: usize = 200;
const POINTS: usize = 50;
const A_DAY: i64 = 5;
const TOWNS: usize = 12;
const ROUNDS: usize = 5;

#[tokio::main]
async fn main() -> Outcome<()> {
    let temporary = std::env::temp_dir().join(format!("questions-bench-{}", std::process::id()));
    let given = std::env::args().nth(1).map(PathBuf::from);
    let folder = given.clone().unwrap_or_else(|| temporary.clone());
    std::fs::create_dir_all(&folder)?;
    let done = measure(&folder).await;
    if given.is_none() {
        std::fs::remove_dir_all(&temporary)?;
    }
    done
}

async fn measure(folder: &Path) -> Outcome<()> {
    let file = folder.join("records.db");
    let is_new = !file.exists();
    let records = Records::open(&file, NOW_MS).await?;
    let history = Arc::new(Embedded::open(folder.join("history"))?);
    if is_new {
        let began = Instant::now();
        sites(&records).await?;
        alarms(&file)?;
        readings(&history).await?;
        eprintln!("synthesised in {:.0} s", began.elapsed().as_secs_f64());
    }
    let city = City::new(folder, records, history).await?;
    for (name, path, limit_ms) in questions() {
        let took = city.ask(&path).await?;
        println!("{name} {took:.1} ms {limit_ms}");
    }
    for format in ["csv", "parquet", "xlsx"] {
        let month = city.file("month", format, 30).await?;
        // A spreadsheet takes no more than five million rows.
        let (span, length) = match format {
            "xlsx" => ("half_year", days() / 2),
            _ => ("year", days()),
        };
        let longer = city.file(span, format, length).await?;
        let times = longer.peak as f64 / month.peak as f64;
        println!("sites_{span}_over_month_as_{format} {times:.2} times {MOST_TIMES}");
    }
    let path = format!("/api/sites/s000/case?{}", last(days()));
    city.take(&path).await?.tell("sites_year_as_case");
    Ok(())
}

/// How many days are synthesised.
fn days() -> i64 {
    let given = std::env::args().nth(2);
    given.and_then(|days| days.parse().ok()).unwrap_or(365)
}

/// What an export may take of memory beyond what the collector had, MiB.
const MOST_MIB: u32 = 200;
/// How many times the resident memory of a month's export that of a year's may be: memory that grew with the rows would be twelve times as much.
const MOST_TIMES: f64 = 1.5;

/// The last so many days, as parameters.
fn last(days: i64) -> String {
    format!("from_ms={}&to_ms={NOW_MS}", NOW_MS - days * DAY_MS)
}

struct Taken {
    bytes: u64,
    /// The largest resident set meanwhile, bytes.
    peak: u64,
    /// How much more memory was in use at its peak than before, bytes.
    grown: u64,
    took_s: f64,
}

impl Taken {
    fn tell(&self, name: &str) {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        println!("{name}_peak {:.1} MiB", mib(self.peak));
        println!("{name}_memory {:.1} MiB {MOST_MIB}", mib(self.grown));
        println!("{name}_size {:.1} MiB", mib(self.bytes));
        println!("{name}_took {:.1} s", self.took_s);
    }
}

/// The largest resident set since it was last forgotten, bytes; Linux alone tells.
fn peak() -> Outcome<u64> {
    Ok(process::peak_kb(std::process::id())? * 1_024)
}

/// Forgets the largest resident set: it is the present one now.
fn forget_peak() -> Outcome<()> {
    Ok(std::fs::write("/proc/self/clear_refs", "5")?)
}

/// Name, call and limit in milliseconds.
fn questions() -> Vec<(&'static str, String, u32)> {
    let (month, quarter, year) = (last(30), last(92), last(365));
    let ten: Vec<String> = (0..10).map(point).collect();
    let ten = ten.join(",");
    let ask = |question: &str, rest: &str| format!("/api/questions/{question}?{rest}");
    vec![
        (
            "quarters_alarms_of_200_sites",
            format!("/api/history/alarms?priority=1,2&{quarter}&limit=100"),
            300,
        ),
        (
            "timeline_of_a_sites_year",
            ask("timeline", &format!("site=s000&{year}")),
            1_000,
        ),
        ("acts_of_a_quarter", ask("acts", &quarter), 1_000),
        ("silent_sites", ask("silent", "minutes=10"), 1_000),
        ("blind_of_a_quarter", ask("blind", &quarter), 1_000),
        ("overdue_proofs", ask("proofs", ""), 1_000),
        (
            "standing_and_chattering_of_a_quarter",
            ask("sources", &quarter),
            1_000,
        ),
        (
            "coverage_of_a_year_a_page",
            ask("coverage", &format!("site=s000&{year}&points={ten}")),
            1_000,
        ),
        (
            "ranking_of_a_quarter_by_town",
            ask("ranking", &format!("by=town&{quarter}")),
            1_000,
        ),
        (
            "ranking_of_a_quarter_by_hazard",
            ask("ranking", &format!("by=hazard&{quarter}")),
            1_000,
        ),
        (
            "ranking_of_a_year_by_town",
            ask("ranking", &format!("by=town&{year}")),
            1_000,
        ),
        (
            "ranking_of_a_year_by_hazard",
            ask("ranking", &format!("by=hazard&{year}")),
            1_000,
        ),
        (
            "ranking_of_a_year_by_alarm",
            ask("ranking", &format!("by=alarm&{year}")),
            1_000,
        ),
        (
            "trend_of_a_year_by_sector",
            ask("trend", &format!("by=sector&{year}")),
            1_000,
        ),
        ("late_of_a_quarter", ask("late", &quarter), 1_000),
        (
            "one_points_year",
            format!("/api/sites/s000/trend?points={}&{year}", point(0)),
            100,
        ),
        (
            "ten_points_month",
            format!("/api/sites/s000/trend?points={ten}&{month}"),
            200,
        ),
    ]
}

fn site(number: usize) -> String {
    format!("s{number:03}")
}

fn point(number: usize) -> String {
    format!("GT-{number:02}")
}

async fn sites(records: &Records) -> Outcome<()> {
    let points: Vec<_> = (0..POINTS)
        .map(|number| {
            let kind = ["combustible-gas", "ammonia", "dust", "level"][number % 4];
            serde_json::json!({ "id": point(number), "name": { "zh": point(number), "en": point(number) }, "kind": kind, "unit": "%LEL", "device": "D" })
        })
        .collect();
    for number in 0..SITES {
        let registry = Registry {
            place: Place {
                city: "C".into(),
                town: format!("T{:02}", number % TOWNS),
                village: String::new(),
            },
            sector: format!("sector-{}", number % 5),
            ..Registry::default()
        };
        records.put_registry(&site(number), &registry).await?;
        let model = serde_json::json!({ "points": points }).to_string();
        let birth = NodeBirth {
            group: "davy".into(),
            edge: site(number),
            received_ms: NOW_MS - days() * DAY_MS,
            model: Some(model),
            stream: Some(1),
            ..NodeBirth::default()
        };
        records.node_born(&birth).await?;
    }
    Ok(())
}

/// Past the fold that ingest does, a line at a time: the same rows in a hundredth of the time.
fn alarms(file: &Path) -> Outcome<()> {
    let mut connection = rusqlite::Connection::open(file)?;
    let change = connection.transaction()?;
    {
        let mut occurrence = change.prepare(
            "INSERT INTO occurrences (site, epoch, alarm, occurrence, subject, condition, priority, raised_ms, cleared_ms, acknowledged_ms, acknowledged_by, late) \
             VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'li', ?10)",
        )?;
        let mut line = change.prepare(
            "INSERT INTO transitions (site, epoch, seq, alarm, occurrence, from_state, to_state, cause, time_ms, priority, actor, reason, late, received_ms) \
             VALUES (?1, 1, ?2, ?3, ?4, 0, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?;
        for number in 0..SITES {
            let site = site(number);
            for at in 0..days() * A_DAY {
                let chance = scattered(number as u64 * 1_000_003 + at as u64);
                let subject = point((chance % POINTS as u64) as usize);
                let condition = ["H", "HH", "L", "BAD", "FROZEN"][(chance / 64 % 5) as usize];
                let alarm = format!("{subject}.{condition}");
                let priority = (chance / 512 % 4 + 1) as i64;
                let raised_ms =
                    NOW_MS - days() * DAY_MS + at * DAY_MS / A_DAY + (chance % 3_600_000) as i64;
                let late = (chance / 4_096).is_multiple_of(50);
                let answered_ms = raised_ms + (chance % 600_000) as i64;
                let gone_ms = answered_ms + 60_000;
                occurrence.execute((
                    &site,
                    &alarm,
                    at + 1,
                    &subject,
                    condition,
                    priority,
                    raised_ms,
                    gone_ms,
                    answered_ms,
                    late,
                ))?;
                let shelved = (chance / 8_192).is_multiple_of(40);
                let (cause, then) = if shelved { (6, 7) } else { (2, 1) };
                for (step, cause, state, time_ms, actor) in [
                    (0, 0, 1, raised_ms, None),
                    (1, cause, 2, answered_ms, Some("li")),
                    (2, then, 0, gone_ms, None),
                ] {
                    let reason = actor.map(|_| "checked");
                    let received_ms = time_ms + if late { 900_000 } else { 1_000 };
                    line.execute((
                        &site,
                        at * 3 + step + 1,
                        &alarm,
                        at + 1,
                        state,
                        cause,
                        time_ms,
                        priority,
                        actor,
                        reason,
                        late,
                        received_ms,
                    ))?;
                }
            }
        }
    }
    change.commit()?;
    Ok(())
}

/// A number that looks like chance and is the same each time.
const fn scattered(seed: u64) -> u64 {
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

async fn readings(history: &Embedded) -> Outcome<()> {
    let site: Arc<str> = site(0).into();
    let points: Vec<Arc<str>> = (0..POINTS).map(|number| point(number).into()).collect();
    for hour in 0..days() * 24 {
        let begins_ms = NOW_MS - days() * DAY_MS + hour * 3_600_000;
        let mut batch = Vec::new();
        for (number, name) in points.iter().enumerate() {
            let count = if number < 10 { 60 } else { 1 };
            for minute in 0..count {
                let value = (scattered((hour * 60 + minute) as u64) % 400) as f64 / 10.0;
                batch.push(PointReading {
                    site: site.clone(),
                    point: name.clone(),
                    reading: Reading::measured(value, WallMs(begins_ms + minute * 60_000)),
                });
            }
        }
        history.commit(batch).await?;
    }
    history.seal().await?;
    Ok(())
}

struct City {
    router: Router,
    cookie: String,
}

impl City {
    async fn new(folder: &Path, records: Records, history: Arc<Embedded>) -> Outcome<Self> {
        let person = Person {
            id: "bench".into(),
            name: "bench".into(),
            role: Role::Administrator,
            sites: Default::default(),
            jurisdiction: Place::default(),
        };
        if records.person("bench").await?.is_none() {
            let hash = Passwords::default().hash("a good password".into()).await?;
            records.add_person(&person, &hash, NOW_MS).await?;
        }
        let router = router(Parts {
            records,
            history,
            courier: Arc::new(Nobody),
            live: Live::default(),
            health: Health::default(),
            metrics: metrics_exporter_prometheus::PrometheusBuilder::new()
                .build_recorder()
                .handle(),
            zone: davy_cloud::settings::parse_zone("+08:00").ok_or("a zone")?,
            secure_cookie: false,
            spool: folder.join("exports"),
            key: Arc::new(davy_print::Key::open(&folder.join("key"))?),
            clock: || NOW_MS,
            ending: Default::default(),
        });
        let login = serde_json::json!({ "user": "bench", "password": "a good password" });
        let request = Request::builder()
            .method(Method::POST)
            .uri("/api/session")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(login.to_string()))?;
        let answer = router.clone().oneshot(request).await?;
        let cookie = answer.headers().get(header::SET_COOKIE).ok_or("a log-in")?;
        let cookie = cookie.to_str()?.split(';').next().unwrap_or_default();
        Ok(Self {
            cookie: cookie.to_owned(),
            router,
        })
    }

    /// Takes a file as a browser would, and keeps none of it.
    async fn take(&self, path: &str) -> Outcome<Taken> {
        let request = Request::builder()
            .uri(path)
            .header(header::COOKIE, &self.cookie)
            .body(Body::empty())?;
        forget_peak()?;
        let (before, began) = (peak()?, Instant::now());
        let answer = self.router.clone().oneshot(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(format!("{path}: {}", answer.status()).into());
        }
        let mut body = answer.into_body();
        let mut bytes = 0;
        while let Some(frame) = body.frame().await {
            bytes += frame?.data_ref().map_or(0, |data| data.len() as u64);
        }
        let peak = peak()?;
        Ok(Taken {
            bytes,
            peak,
            grown: peak.saturating_sub(before),
            took_s: began.elapsed().as_secs_f64(),
        })
    }

    /// The readings of a site of the last days as a file.
    async fn file(&self, span: &str, format: &str, days: i64) -> Outcome<Taken> {
        let path = format!(
            "/api/export/readings?site=s000&format={format}&{}",
            last(days)
        );
        let taken = self.take(&path).await?;
        taken.tell(&format!("sites_{span}_as_{format}"));
        Ok(taken)
    }

    /// The median of some rounds, milliseconds, from the call to its last byte.
    async fn ask(&self, path: &str) -> Outcome<f64> {
        let mut took = Vec::new();
        for _ in 0..ROUNDS {
            let request = Request::builder()
                .uri(path)
                .header(header::COOKIE, &self.cookie)
                .body(Body::empty())?;
            let began = Instant::now();
            let answer = self.router.clone().oneshot(request).await?;
            if answer.status() != StatusCode::OK {
                return Err(format!("{path}: {}", answer.status()).into());
            }
            answer.into_body().collect().await?;
            took.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        took.sort_by(f64::total_cmp);
        Ok(took[ROUNDS / 2])
    }
}

/// No order is given here.
struct Nobody;

impl Courier for Nobody {
    fn send(&self, _: Order) -> BoxFuture<'_, Result<(), CourierError>> {
        Box::pin(async { Err(CourierError::Down) })
    }
}
