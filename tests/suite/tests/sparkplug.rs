//! What the gateway publishes, read by somebody else's decoder (pysparkplug's own protobuf) through somebody else's broker (mosquitto).

use davy_suite::peers::{Pymodbus, Slave as _, SparkplugReader, mosquitto};
use davy_suite::site::{Site, Wiring};
use davy_suite::wait::{self, free_port};
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn births_and_data_are_sparkplug_to_an_independent_decoder() {
    let dir = tempfile::tempdir().unwrap();
    let (port, field) = (free_port(), free_port());
    let _broker = mosquitto(dir.path(), port);
    let reader = SparkplugReader::start(dir.path(), port);
    let plant = Pymodbus::tcp(dir.path(), field);
    let wiring = Wiring {
        id: "suite".into(),
        bus: format!("kind = \"tcp\"\naddress = \"127.0.0.1:{field}\"\ntimeout_ms = 1000"),
        broker: Some(port),
        period_ms: 200,
    };
    let gateway = Site::write(dir.path(), &wiring).start();
    gateway.await_value("GT-1", 0.0);
    plant.set("hr", 0, 600);
    gateway.await_state("GT-1.HH", "UNACK");
    let alarm = wait::until("the alarm on the wire", LIMIT, || {
        let births = names(&reader);
        data(&reader).into_iter().find(|metric| {
            name_of(metric, &births) == Some("Alarms/GT-1/HIHI") && metric["value"] == 1
        })
    });
    assert_eq!(alarm["properties"]["value"], 60.0, "{alarm}");
    assert!(alarm["properties"]["seq"].is_i64(), "{alarm}");
    assert_eq!(alarm["properties"]["occurrence"], 1, "{alarm}");

    let messages = reader.messages();
    assert!(
        messages.iter().all(|message| message["error"].is_null()),
        "{messages:?}"
    );
    check_birth(&reader);
    check_order(&messages);
    let births = names(&reader);
    let is_value =
        |metric: &Value| name_of(metric, &births) == Some("GT-1") && metric["value"] == 60.0;
    assert!(
        data(&reader).iter().any(is_value),
        "the value itself is on the wire"
    );

    assert!(gateway.daemon.stop().success());
    wait::until("the node's death", LIMIT, || {
        reader.of("NDEATH").first().map(|_| ())
    });
}

fn check_birth(reader: &SparkplugReader) {
    let nodes = reader.of("NBIRTH");
    let node = nodes.first().expect("a node birth");
    assert_eq!(node["topic"], "spBv1.0/330282/NBIRTH/suite");
    assert_eq!((&node["seq"], &node["retain"]), (&0.into(), &false.into()));
    let metrics: HashMap<_, _> = metrics(node)
        .into_iter()
        .map(|metric| {
            (
                metric["name"].as_str().unwrap_or_default().to_owned(),
                metric,
            )
        })
        .collect();
    assert_eq!(metrics["bdSeq"]["datatype"], 4, "INT64");
    assert_eq!(metrics["Node Control/Rebirth"]["value"], false);
    assert!(
        metrics["Node Control/Rebirth"]["alias"].is_null(),
        "never aliased"
    );
    assert!(metrics["Store/Stream"]["value"].is_u64());
    let devices = reader.of("DBIRTH");
    assert_eq!(devices[0]["topic"], "spBv1.0/330282/DBIRTH/suite/DEV-1");
}

/// `seq` rises by one modulo 256 from each birth on.
fn check_order(messages: &[Value]) {
    let mut expected: Option<u64> = None;
    for message in messages {
        let Some(seq) = message["seq"].as_u64() else {
            continue;
        };
        let birth = message["topic"]
            .as_str()
            .is_some_and(|topic| topic.contains("/NBIRTH/"));
        if birth {
            assert_eq!(seq, 0);
        } else if let Some(expected) = expected {
            assert_eq!(seq, expected, "{message}");
        }
        expected = Some((seq + 1) % 256);
    }
    assert!(expected.is_some(), "something was published");
}

/// Alias → name, from the births.
fn names(reader: &SparkplugReader) -> HashMap<u64, String> {
    let births = reader.of("NBIRTH").into_iter().chain(reader.of("DBIRTH"));
    let metrics = births.flat_map(|birth| metrics(&birth));
    metrics
        .filter_map(|metric| {
            Some((
                metric["alias"].as_u64()?,
                metric["name"].as_str()?.to_owned(),
            ))
        })
        .collect()
}

fn name_of<'a>(metric: &Value, names: &'a HashMap<u64, String>) -> Option<&'a str> {
    names.get(&metric["alias"].as_u64()?).map(String::as_str)
}

fn data(reader: &SparkplugReader) -> Vec<Value> {
    let messages = reader.of("DDATA").into_iter().chain(reader.of("NDATA"));
    messages.flat_map(|message| metrics(&message)).collect()
}

fn metrics(message: &Value) -> Vec<Value> {
    message["metrics"].as_array().cloned().unwrap_or_default()
}
