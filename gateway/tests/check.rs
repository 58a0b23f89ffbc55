//! `davy-gateway check` as people and programs run it.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn gateway(arguments: &[&str], locale: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_davy-gateway"));
    command.args(arguments).env("LC_ALL", locale);
    command.output().unwrap()
}

fn json(arguments: &[&str]) -> (i32, Value) {
    let ended = gateway(arguments, "C");
    let answer = serde_json::from_slice(&ended.stdout);
    let answer = answer.unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    (ended.status.code().unwrap(), answer)
}

/// The example sites, and what the page of the format shows.
fn files(dir: &Path) -> Vec<PathBuf> {
    let examples = std::fs::read_dir(root().join("config/examples")).unwrap();
    let examples = examples.map(|entry| entry.unwrap().path());
    let is_site = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "toml");
    let mut files: Vec<PathBuf> = examples.filter(is_site).collect();
    assert!(files.len() >= 4);
    for page in ["docs/site-file.md", "README.md"] {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        let blocks = text.split("```toml\n").skip(1);
        let blocks: Vec<&str> = blocks.filter_map(|rest| rest.split("```").next()).collect();
        let file = dir.join(page.replace('/', "-") + ".toml");
        std::fs::write(&file, blocks.join("\n")).unwrap();
        files.push(file);
    }
    files
}

#[test]
fn every_site_that_davy_shows_is_carried_by_its_buses() {
    let dir = tempfile::tempdir().unwrap();
    for file in files(dir.path()) {
        let name = file.to_string_lossy();
        let (code, answer) = json(&["check", &name, "--budget", "--format", "json"]);
        // A signed-off day of the future is not what is asked here.
        let problems = answer["problems"].as_array().unwrap();
        let budget = problems
            .iter()
            .find(|row| ["bus-load", "slow-response"].contains(&row["code"].as_str().unwrap()));
        assert_eq!(budget, None, "{name}");
        if code != 0 {
            continue;
        }
        let buses = answer["budget"]["buses"].as_array().unwrap();
        assert!(!buses.is_empty(), "{name}");
        for bus in buses {
            assert!(bus["load"].as_f64().unwrap() <= 1.0, "{name}: {bus}");
            let polls = bus["devices"].as_array().unwrap();
            assert!(polls.iter().all(|poll| poll["reads"].as_u64() > Some(0)));
        }
    }
}

/// The page of the format with its bus on a line too slow for it.
fn overloaded(dir: &Path) -> PathBuf {
    let file = dir.join("slow.toml");
    let text = std::fs::read_to_string(root().join("config/examples/tank-farm.toml")).unwrap();
    let (head, rest) = text.split_once("[[bus]]").unwrap();
    let (bus, rest) = rest.split_once("\n[[").unwrap();
    let id = bus.lines().find(|line| line.starts_with("id = ")).unwrap();
    let slow = format!(
        "[[bus]]\n{id}\nkind = \"rtu\"\npath = \"/dev/ttyS9\"\nbaud = 300\ntimeout_ms = 500\n\n[["
    );
    std::fs::write(&file, format!("{head}{slow}{rest}")).unwrap();
    file
}

#[test]
fn check_and_run_refuse_what_a_bus_cannot_carry_by_the_same_code() {
    let dir = tempfile::tempdir().unwrap();
    let file = overloaded(dir.path());
    let name = file.to_string_lossy();
    let (code, answer) = json(&["check", &name, "--format", "json"]);
    assert_eq!((code, &answer["ok"]), (1, &Value::Bool(false)));
    let problems = answer["problems"].as_array().unwrap();
    let load = problems.iter().find(|row| row["code"] == "bus-load");
    let load = load.unwrap_or_else(|| panic!("{answer}"));
    assert!(
        load["line"].as_u64() > Some(1) && load["key"] == "bus[0]",
        "{load}"
    );
    // The table is what one needs then.
    let (code, answer) = json(&["check", &name, "--budget", "--format", "json"]);
    assert_eq!(code, 1);
    assert!(answer["budget"]["buses"][0]["load"].as_f64() > Some(1.0));
    let data = dir.path().join("data");
    let ended = gateway(
        &["run", &name, "--data", &data.to_string_lossy()],
        "C.UTF-8",
    );
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(told.contains("[bus-load]"), "{told}");
    assert!(!data.exists());
}

#[test]
fn the_budget_is_told_in_both_languages() {
    let file = root().join("config/examples/tank-farm.toml");
    let name = file.to_string_lossy();
    for (locale, words) in [
        ("zh_CN.UTF-8", ["总线", "最长扫描"]),
        ("en_US.UTF-8", ["Bus", "Longest scan"]),
    ] {
        let told =
            String::from_utf8(gateway(&["check", &name, "--budget"], locale).stdout).unwrap();
        for word in words {
            assert!(told.contains(word), "{told}");
        }
        assert!(told.contains(" %") && !told.contains("budget-"), "{told}");
    }
}
