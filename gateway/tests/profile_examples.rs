//! The examples of every profile, held against the decoder, and read by acquisition over Modbus TCP from devices that hold those registers and no other.
#![allow(clippy::unwrap_used)]

use davy_config::site::Table;
use davy_config::{Example, Expected, Language, Problems};
use davy_gateway::acquire::{self, Demand};
use davy_gateway::clock::Clock;
use davy_gateway::decode;
use davy_plant::modbus::Registers;
use davy_plant::serve::{Units, tcp};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Longest that one poll of every example of a profile may take to read as told.
const SEEN_LIMIT: Duration = Duration::from_secs(20);
const PAGE: &str = include_str!("../../docs/profiles.md");

fn check(text: &str) -> Problems {
    davy_config::check_profile("profile.toml", text, &decode::example)
}

fn found(text: &str) -> Vec<(&'static str, String)> {
    let problems = check(text);
    let told = |problem: &davy_config::Problem| {
        for language in [Language::Zh, Language::En] {
            let text = problem.message(language) + &problem.help(language);
            assert!(!text.contains('$') && !text.contains("{ "), "{text}");
        }
        (problem.code.name(), problem.key.clone())
    };
    problems.iter().map(told).collect()
}

#[test]
fn every_profile_reads_as_its_examples_say_and_shows_every_rule_that_it_has() {
    for name in davy_config::profile_names() {
        let problems = check(davy_config::profile_text(name).unwrap());
        assert!(problems.is_empty(), "{name}:\n{problems}");
        assert!(!davy_config::profile_examples(name).unwrap().is_empty());
    }
    assert!(davy_config::profile_examples("no-such-profile").is_none());
}

#[test]
fn the_profile_of_the_page_shows_what_it_explains() {
    let (_, rest) = PAGE.split_once("```toml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    assert_eq!(found(text), []);
}

const PROFILE: &str = r#"
id = "p"
name = { zh = "器", en = "Device" }
source = "a test"
confidence = "C"
numbering = "entity"
[[signal]]
id = "gas"
table = "holding"
address = 40001
scale = 0.1
[[signal.status]]
address = 40002
is = 3
cause = "warm-up"
[[example]]
state = "normal"
holding = { 40001 = 205, 40002 = 0 }
reads = { gas = 20.5 }
[[example]]
state = "warm-up"
holding = { 40001 = 0, 40002 = 3 }
reads = { gas = "warm-up" }
"#;

#[test]
fn an_example_that_reads_otherwise_or_cannot_be_read_is_told_at_its_place() {
    assert_eq!(found(PROFILE), []);
    let with = |from: &str, to: &str| found(&PROFILE.replacen(from, to, 1));
    let at = |code, key: &str| vec![(code, key.to_owned())];
    let gas = "example[0].reads.gas";
    assert_eq!(with("gas = 20.5", "gas = 205"), at("example-differs", gas));
    assert_eq!(
        with("gas = 20.5", "gas = 'inhibit'"),
        at("example-differs", gas)
    );
    assert_eq!(
        with("gas = 20.5 }", "gas = 20.5 }\nuncertain = true"),
        at("example-differs", gas)
    );
    assert!(with("205, 40002 = 0", "205").contains(&("example-hole", gas.into())));
    let unknown = with("gas = 20.5", "gsa = 20.5");
    assert!(unknown.contains(&("unknown-reference", "example[0].reads.gsa".into())));
    assert_eq!(with("gas = 20.5", "gas = 'rust'"), at("unknown-name", gas));
    assert_eq!(
        with("{ 40001 = 205", "{ 30001 = 205")[0].0,
        "register-address"
    );
    assert_eq!(
        with("{ 40001 = 205", "{ 40001 = 65536")[0].0,
        "out-of-range"
    );
    assert_eq!(with("{ gas = 20.5 }", "{}")[0].0, "empty-list");
}

#[test]
fn what_no_example_shows_is_a_warning() {
    let (profile, warm_up) = PROFILE.rsplit_once("[[example]]").unwrap();
    let unshown = || vec![("unshown", "signal[0]".to_owned())];
    assert_eq!(found(profile), unshown());
    let (profile, _) = profile.rsplit_once("[[example]]").unwrap();
    assert_eq!(found(profile).len(), 2);
    assert_eq!(found(&format!("{profile}[[example]]{warm_up}")), unshown());
    assert!(!check(profile).refuse());
}

#[tokio::test]
async fn every_example_of_every_profile_is_read_over_modbus_tcp() {
    for name in davy_config::profile_names() {
        read(name, &davy_config::profile_examples(name).unwrap()).await;
    }
}

/// One unit an example, with a point for everything that it tells.
async fn read(profile: &str, examples: &[Example]) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut text = HEAD.replace("{port}", &listener.local_addr().unwrap().port().to_string());
    let units = Arc::new(Units::default());
    let mut left: BTreeMap<String, Expected> = BTreeMap::new();
    for (unit, example) in (1_u8..).zip(examples) {
        units.with(unit, |held| held.registers = registers(example));
        write!(text, "[[device]]\nid = \"d{unit}\"\nname = {{ zh = \"器\", en = \"Device\" }}\nbus = \"b\"\nunit = {unit}\nprofile = \"{profile}\"\nperiod_ms = 200\n").unwrap();
        for expected in &example.reads {
            let id = format!("e{unit}-{}", expected.signal);
            text += &point(&id, unit, example, &expected.signal);
            left.insert(id, expected.clone());
        }
    }
    tokio::spawn(tcp(listener, units));
    let loaded = davy_config::parse("site.toml", &text, Path::new("."));
    let site = Arc::new(loaded.unwrap_or_else(|problems| panic!("{problems}")).site);
    let (sender, mut scans) = mpsc::channel(256);
    let (_demand, asked) = watch::channel(Demand::new(&site, Vec::new()));
    let shutdown = CancellationToken::new();
    acquire::spawn(Clock::start(), &sender, &asked, &shutdown);
    let seen = tokio::time::timeout(SEEN_LIMIT, async {
        while !left.is_empty() {
            let scan = scans.recv().await.expect("acquisition goes on");
            for (index, reading) in &scan.readings {
                let id = &site.points[index.0].id;
                if left.get(id).is_some_and(|told| told.is(reading.value())) {
                    left.remove(id);
                }
            }
        }
    });
    let seen = seen.await;
    shutdown.cancel();
    assert!(seen.is_ok(), "{profile} never read as told: {left:#?}");
}

fn registers(example: &Example) -> Registers {
    let mut registers = Registers::default();
    for (table, address, word) in &example.registers {
        match table {
            Table::Coil => drop(registers.coils.insert(*address, *word != 0)),
            Table::DiscreteInput => drop(registers.discretes.insert(*address, *word != 0)),
            Table::Holding => drop(registers.holdings.insert(*address, *word)),
            Table::Input => drop(registers.inputs.insert(*address, *word)),
        }
    }
    registers
}

fn point(id: &str, unit: u8, example: &Example, signal: &str) -> String {
    let (low, high) = example.range;
    let bands = example.bands.as_ref();
    let bands = bands.map_or_else(String::new, |name| format!("bands = \"{name}\"\n"));
    format!(
        "[[point]]\nid = \"{id}\"\nname = {{ zh = \"点\", en = \"Point\" }}\narea = \"a\"\ndevice = \"d{unit}\"\nsignal = \"{signal}\"\nkind = \"other\"\nunit = \"1\"\nrange = [{low:?}, {high:?}]\n{bands}"
    )
}

const HEAD: &str = r#"schema = 1
[site]
id = "bench"
name = { zh = "台", en = "Bench" }
[screen]
listen = "127.0.0.1:8080"
[[area]]
id = "a"
name = { zh = "区", en = "Area" }
[[bus]]
id = "b"
kind = "tcp"
address = "127.0.0.1:{port}"
timeout_ms = 1000
"#;
