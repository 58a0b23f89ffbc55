//! A backup taken by its command while a collector commits, and restored by its command: whatever was acknowledged before it began is there.

mod store;

use davy_alarm::{Cause, Priority, Reading, Shown, WallMs};
use davy_cloud::history::embedded::Embedded;
use davy_cloud::history::{History, PointReading};
use davy_cloud::records::{Batch, Line, NodeBirth, Offset, Records, Scope, TransitionFilter};
use davy_cloud::settings::Settings;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

const START_MS: i64 = 1_795_500_000_000;

async fn place(folder: &Path) -> Settings {
    let records = store::table().await;
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[broker]\nkind = \"embedded\"\nlisten = \"127.0.0.1:0\"\n{records}"
    );
    std::fs::write(folder.join("CLOUD.toml"), &text).expect("settings");
    Settings::parse(&text, folder).expect("valid settings")
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_davy-cloud"));
    command.args(arguments).current_dir(folder);
    command
        .env("LC_ALL", "en_US.UTF-8")
        .output()
        .expect("the binary")
}

fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A collector's two stores, written to as ingest does: the reading first, then the line and its offset.
struct Collector {
    records: Records,
    history: Arc<Embedded>,
    acknowledged: Arc<AtomicU64>,
    ending: Arc<AtomicBool>,
}

impl Collector {
    async fn open(settings: &Settings) -> Self {
        std::fs::create_dir_all(&settings.data).expect("a folder");
        let records = Records::of(settings, 0).await.expect("records");
        let birth = NodeBirth {
            group: "davy".into(),
            edge: "tank-farm".into(),
            received_ms: START_MS,
            stream: Some(1),
            ..NodeBirth::default()
        };
        records.node_born(&birth).await.expect("a birth");
        Self {
            records,
            history: Arc::new(Embedded::open(settings.history_folder()).expect("a history")),
            acknowledged: Arc::default(),
            ending: Arc::default(),
        }
    }

    fn commits(&self) -> tokio::task::JoinHandle<()> {
        let (records, history) = (self.records.clone(), Arc::clone(&self.history));
        let (acknowledged, ending) = (Arc::clone(&self.acknowledged), Arc::clone(&self.ending));
        tokio::spawn(async move {
            let mut number = 0;
            while !ending.load(SeqCst) {
                number += 1;
                let time_ms = START_MS + number as i64 * 1_000;
                let reading = PointReading {
                    site: "tank-farm".into(),
                    point: "GT-1".into(),
                    reading: Reading::measured(number as f64, WallMs(time_ms)),
                };
                history.commit(vec![reading]).await.expect("a commit");
                records
                    .commit(&[batch(number, time_ms)])
                    .await
                    .expect("a commit");
                acknowledged.store(number, SeqCst);
            }
        })
    }

    async fn acknowledged(&self, least: u64) -> u64 {
        while self.acknowledged.load(SeqCst) < least {
            tokio::task::yield_now().await;
        }
        self.acknowledged.load(SeqCst)
    }
}

fn batch(number: u64, time_ms: i64) -> Batch {
    let line = Line {
        seq: number,
        alarm: "GT-1.H".into(),
        occurrence: u32::try_from(number).expect("few"),
        from: Shown::Normal,
        to: Shown::Unacknowledged,
        cause: Cause::Active,
        time_ms,
        value: None,
        value_cause: None,
        limit: None,
        priority: Priority::P1,
        actor: None,
        reason: None,
        shelved_until_ms: None,
        command: None,
    };
    Batch {
        site: "tank-farm".into(),
        offset: Offset::new(1, number),
        received_ms: time_ms,
        newest_ms: time_ms,
        lines: vec![line],
        late_after_ms: i64::MAX,
        samples: vec![],
        entries: vec![],
        aside: None,
        again: false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_before_a_backup_began_is_there_after_a_restore() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = place(folder.path()).await;
    let collector = Collector::open(&settings).await;
    let committing = collector.commits();
    let before = collector.acknowledged(50).await;
    let copy = folder.path().join("copy");
    let arguments = ["backup", "CLOUD.toml", copy.to_str().expect("a path")];
    let at = folder.path().to_owned();
    let told = tokio::task::block_in_place(|| succeed(&at, &arguments));
    assert!(told.contains("signed under the key"), "{told}");
    let during = collector.acknowledged.load(SeqCst);
    assert!(during > before, "the collector went on meanwhile");
    collector.ending.store(true, SeqCst);
    committing.await.expect("the commits");

    let elsewhere = tempfile::tempdir().expect("a folder");
    let restored = place(elsewhere.path()).await;
    let from = copy.to_str().expect("a path");
    succeed(elsewhere.path(), &["restore", from, "CLOUD.toml"]);
    let whole = succeed(elsewhere.path(), &["verify", "CLOUD.toml"]);
    assert!(whole.contains("is whole"), "{whole}");
    let records = Records::of(&restored, 0).await.expect("records");
    let history = Embedded::open(restored.history_folder()).expect("a history");
    let last_line = last_line(&records).await;
    assert!(last_line >= before, "{last_line} of {before}");
    let read = history.readings("tank-farm", "GT-1", 0, i64::MAX, usize::MAX / 2);
    let readings = read.await.expect("readings").len() as u64;
    // What the records say is committed is in the history.
    assert!(readings >= last_line, "{readings} of {last_line}");

    // A second restore touches nothing.
    let refused = run(elsewhere.path(), &["restore", from, "CLOUD.toml"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("exists already"));
}

async fn last_line(records: &Records) -> u64 {
    let filter = TransitionFilter {
        scope: Scope::All,
        site: None,
        alarm: None,
        subjects: vec![],
        from_ms: None,
        to_ms: None,
        after: None,
        limit: 1,
    };
    let lines = records.transitions(&filter).await.expect("lines");
    lines.first().map_or(0, |line| line.line.seq)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_somebody_touched_is_not_restored() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = place(folder.path()).await;
    drop(Collector::open(&settings).await);
    let copy = folder.path().join("copy");
    let from = copy.to_str().expect("a path");
    succeed(folder.path(), &["backup", "CLOUD.toml", from]);
    let key = copy.join("CLOUD.toml");
    let text = std::fs::read_to_string(&key).expect("a file");
    std::fs::write(&key, text + "\n").expect("a file");
    let elsewhere = tempfile::tempdir().expect("a folder");
    place(elsewhere.path()).await;
    let refused = run(elsewhere.path(), &["restore", from, "CLOUD.toml"]);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("not as it was signed: CLOUD.toml"), "{told}");
    assert!(!elsewhere.path().join("data/records.db").exists());
}

#[tokio::test]
async fn readings_in_another_engine_are_never_left_out_in_silence() {
    let folder = tempfile::tempdir().expect("a folder");
    place(folder.path()).await;
    let path = folder.path().join("CLOUD.toml");
    let text = std::fs::read_to_string(&path).expect("the settings");
    std::fs::write(folder.path().join("token"), "t").expect("a token");
    let engine = "\n[history]\nengine = \"influxdb\"\nurl = \"http://127.0.0.1:9\"\ntoken_file = \"token\"\n";
    std::fs::write(&path, text + engine).expect("settings");
    let refused = run(folder.path(), &["backup", "CLOUD.toml", "copy"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    assert!(
        told.contains("influx backup") && told.contains("--without-readings"),
        "{told}"
    );
    assert!(!folder.path().join("copy").exists());
    let told = succeed(
        folder.path(),
        &["backup", "CLOUD.toml", "copy", "--without-readings"],
    );
    assert!(
        told.contains("The readings are not in this backup"),
        "{told}"
    );
}
