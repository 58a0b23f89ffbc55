//! Slaves with the quirks of devices in the field, one by one from a list (`quirks/quirks.toml`): each value is read rightly, or is absent for the cause that
//! the list tells, and is never another number.
#![allow(clippy::unwrap_used, missing_debug_implementations)]

#[path = "quirks/slave.rs"]
mod slave;
#[path = "hostile/wire.rs"]
mod wire;

use davy_alarm::NoValue;
use davy_config::site::Site;
use davy_gateway::acquire::{self, Demand};
use davy_gateway::clock::Clock;
use davy_plant::pty::Pty;
use serde::Deserialize;
use slave::{Framing, Quirk, serve_line, serve_tcp};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

const LIST: &str = include_str!("quirks/quirks.toml");
/// So often in a row every point must read as told.
const STEADY: usize = 3;
/// Longest until then, unless the entry says otherwise: a silent unit is asked again after ten seconds at the latest, and the machine may be busy.
const SEEN_LIMIT: Duration = Duration::from_secs(40);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    quirk: Vec<Entry>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    /// What kind of device shows it.
    seen_in: String,
    source: String,
    #[serde(default)]
    link: Wired,
    #[serde(default = "one")]
    unit: u8,
    /// Of the bus, milliseconds.
    #[serde(default = "usual_timeout")]
    timeout_ms: u32,
    #[serde(default)]
    slave: Quirk,
    /// The link breaks in between: between values there may be any cause.
    #[serde(default)]
    flaps: bool,
    points: Vec<Told>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Wired {
    #[default]
    Tcp,
    RtuOverTcp,
    Rtu,
}

/// A point, and what it must read.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    register: toml::Table,
    /// Further keys of the point.
    #[serde(default)]
    keys: String,
    reads: Reads,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Reads {
    Value(f64),
    /// `timeout`, `exception 2`, …, or `none` for any.
    Cause(String),
}

const fn one() -> u8 {
    1
}

const fn usual_timeout() -> u32 {
    400
}

impl Reads {
    /// Whether this is what was told; a number that was not is a fault at once.
    fn is(&self, found: Result<f64, NoValue>) -> Result<bool, String> {
        match (self, found) {
            (Self::Value(wanted), Ok(found)) if found == *wanted => Ok(true),
            (_, Ok(found)) => Err(format!("a wrong value: {found} in place of {self:?}")),
            (Self::Value(_), Err(_)) => Ok(false),
            (Self::Cause(name), Err(NoValue::NotYetRead)) => Ok(name == "not-yet-read"),
            (Self::Cause(name), Err(NoValue::Exception(code))) => {
                Ok(name == "none" || *name == format!("exception {code}"))
            }
            (Self::Cause(name), Err(cause)) => Ok(name == "none" || name == cause.name()),
        }
    }
}

fn list() -> Vec<Entry> {
    toml::from_str::<List>(LIST).unwrap().quirk
}

#[test]
fn every_quirk_has_a_name_of_its_own_and_says_where_it_is_seen() {
    let list = list();
    let names: BTreeSet<&str> = list.iter().map(|entry| &*entry.id).collect();
    assert_eq!(names.len(), list.len(), "a name stands twice");
    for entry in &list {
        let told = !entry.seen_in.is_empty() && !entry.source.is_empty();
        assert!(told && !entry.points.is_empty(), "{}", entry.id);
    }
    for link in [Wired::Tcp, Wired::RtuOverTcp, Wired::Rtu] {
        assert!(list.iter().any(|entry| entry.link == link), "{link:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_quirk_gives_the_value_or_the_cause_that_the_list_tells_and_no_other_number() {
    let mut running = tokio::task::JoinSet::new();
    for entry in list() {
        running.spawn(async move { (play(&entry).await, entry.id) });
    }
    let outcomes: Vec<(Result<Duration, String>, String)> = running.join_all().await;
    let mut wrong = String::new();
    for (outcome, id) in outcomes {
        match outcome {
            Ok(after) => println!("{id}: as told after {} ms", after.as_millis()),
            Err(told) => wrong += &format!("{id}: {told}\n"),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

async fn play(entry: &Entry) -> Result<Duration, String> {
    let dir = tempfile::tempdir().unwrap();
    let link = serve(entry, dir.path()).await;
    let loaded = davy_config::parse("site.toml", &site(entry, &link), Path::new("."));
    let site = Arc::new(loaded.map_err(|problems| problems.to_string())?.site);
    let (sender, mut scans) = mpsc::channel(16);
    let (_demand, asked) = watch::channel(Demand::new(&site, Vec::new()));
    let shutdown = CancellationToken::new();
    let acquisition = acquire::spawn(Clock::start(), &sender, &asked, &shutdown);
    let outcome = until_steady(entry, &site, &mut scans).await;
    shutdown.cancel();
    drop(scans);
    for (bus, task) in acquisition.tasks {
        task.await.map_err(|error| format!("{bus}: {error}"))?;
    }
    outcome
}

async fn until_steady(
    entry: &Entry,
    site: &Site,
    scans: &mut mpsc::Receiver<davy_gateway::scan::Scan>,
) -> Result<Duration, String> {
    let begun = std::time::Instant::now();
    let mut steady = 0;
    let mut last = String::new();
    while steady < STEADY {
        let left = SEEN_LIMIT.saturating_sub(begun.elapsed());
        let scan = tokio::time::timeout(left, scans.recv()).await;
        let Ok(Some(scan)) = scan else {
            return Err(format!("not as told within {SEEN_LIMIT:?}; last {last}"));
        };
        let mut all = scan.readings.len() == site.points.len();
        for (point, reading) in &scan.readings {
            all &= entry.points[point.0].reads.is(reading.value())?;
        }
        steady = match all {
            true => steady + 1,
            false if entry.flaps => steady,
            false => 0,
        };
        last = format!("{:?}", scan.readings);
    }
    Ok(begun.elapsed())
}

/// Starts the slave; returns the keys of its bus.
async fn serve(entry: &Entry, dir: &Path) -> String {
    let (name, framing) = match entry.link {
        Wired::Rtu => {
            let path = dir.join("tty");
            let line = wire::Wire::Pty(Pty::open(&path).unwrap());
            tokio::spawn(serve_line(line, entry.slave.clone()));
            return format!("kind = \"rtu\"\npath = \"{}\"\nbaud = 9600", path.display());
        }
        Wired::Tcp => ("tcp", Framing::Tcp),
        Wired::RtuOverTcp => ("rtu-over-tcp", Framing::Rtu),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve_tcp(listener, framing, entry.slave.clone()));
    format!("kind = \"{name}\"\naddress = \"{address}\"")
}

fn site(entry: &Entry, link: &str) -> String {
    let (unit, timeout) = (entry.unit, entry.timeout_ms);
    let mut text = format!(
        r#"schema = 1
[site]
id = "s"
name = {{ zh = "站", en = "Site" }}
[screen]
listen = "127.0.0.1:8080"
[[area]]
id = "a"
name = {{ zh = "区", en = "Area" }}
[[bus]]
id = "b"
{link}
timeout_ms = {timeout}
[[device]]
id = "d"
name = {{ zh = "器", en = "Device" }}
bus = "b"
unit = {unit}
period_ms = 200
"#
    );
    for (nth, point) in entry.points.iter().enumerate() {
        let keys: String = (point.register.iter())
            .map(|(key, value)| format!("{key} = {value}, "))
            .collect();
        let keys = keys.trim_end_matches(", ");
        text += &format!(
            "[[point]]\nid = \"p{nth}\"\nname = {{ zh = \"点\", en = \"Point\" }}\narea = \"a\"\ndevice = \"d\"\nkind = \"other\"\nunit = \"1\"\nrange = [-10000, 10000]\nregister = {{ {keys} }}\n{}\n",
            point.keys
        );
    }
    text
}
