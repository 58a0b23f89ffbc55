//! A process that is killed in the middle of its commits: what was acknowledged is there, and nothing twice.

use super::{START_MS, measured};
use davy_cloud::history::History;
use davy_cloud::history::embedded::Embedded;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Names the folder to the child, which is this very test run again.
const FOLDER: &str = "DAVY_TEST_HISTORY_FOLDER";
const BATCH: i64 = 50;
/// Before the child is killed.
const ACKNOWLEDGED: usize = 60;

#[test]
fn what_was_acknowledged_outlives_a_kill_and_is_there_once() {
    if let Ok(folder) = std::env::var(FOLDER) {
        return commit_until_killed(PathBuf::from(folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 1..=3 {
        let last = run_and_kill(folder.path().to_owned());
        assert!(
            last > acknowledged,
            "round {round}: it went on where it was"
        );
        acknowledged = last;
        check(folder.path().to_owned(), acknowledged);
    }
}

fn value(at: i64) -> f64 {
    (at % 977) as f64 / 10.0
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// The child: goes on behind what is there, says each batch that was acknowledged, seals now and then.
fn commit_until_killed(folder: PathBuf) {
    runtime().block_on(async {
        let history = Embedded::open(folder).unwrap();
        let latest = history.latest("plant-1").await.unwrap();
        let mut next = latest
            .first()
            .map_or(0, |(_, one)| (one.source_time().0 - START_MS) / 1_000 + 1);
        // The batch before once more, as a gateway does that saw no acknowledgement.
        next = (next - BATCH).max(0);
        loop {
            let batch = next..next + BATCH;
            let readings = batch.map(|at| measured("GD-101", START_MS + at * 1_000, value(at)));
            history.commit(readings.collect()).await.unwrap();
            next += BATCH;
            println!("\nacknowledged {next}");
            std::io::stdout().flush().unwrap();
            if next % (BATCH * 7) == 0 {
                history.seal().await.unwrap();
            }
        }
    });
}

/// How many readings the child said were acknowledged.
fn run_and_kill(folder: PathBuf) -> i64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "crash::what_was_acknowledged_outlives_a_kill_and_is_there_once",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut numbers = lines
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<i64>().ok());
    let mut last = numbers.by_ref().nth(ACKNOWLEDGED - 1).unwrap();
    child.kill().unwrap();
    // What it said before it died counts too.
    last = numbers.last().unwrap_or(last);
    child.wait().unwrap();
    last
}

fn check(folder: PathBuf, acknowledged: i64) {
    runtime().block_on(async {
        let history = Embedded::open(folder).unwrap();
        assert!(history.damaged().is_empty());
        let all = history
            .readings("plant-1", "GD-101", 0, i64::MAX, usize::MAX)
            .await
            .unwrap();
        assert!(
            all.len() as i64 >= acknowledged,
            "{} of {acknowledged}",
            all.len()
        );
        for (at, one) in (0..).zip(&all) {
            assert_eq!(one.source_time().0, START_MS + at * 1_000);
            assert_eq!(one.value(), Ok(value(at)));
        }
    });
}
