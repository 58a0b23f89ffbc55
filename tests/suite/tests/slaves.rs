//! The simulated slaves that our own tests rest on, asked by a master that we did not write: mbpoll, by libmodbus.

use davy_plant::line::{Line, serve};
use davy_plant::pty::Pty;
use davy_plant::serve::{Units, tcp};
use davy_suite::libmodbus::mbpoll;
use std::sync::Arc;
use tokio::net::TcpListener;

const UNIT: &str = "7";
/// mbpoll's tables: coils, discrete inputs, input registers, holding registers.
const COILS: &str = "0";
const CONTACTS: &str = "1";
const INPUTS: &str = "3";
const HOLDINGS: &str = "4";

fn units() -> Arc<Units> {
    let units = Arc::new(Units::default());
    units.with(7, |unit| {
        let registers = &mut unit.registers;
        registers.coils = (0..4).map(|at| (at, false)).collect();
        registers.discretes = (0..4).map(|at| (at, at == 2)).collect();
        registers.inputs = (0..4).map(|at| (at, 300 + at)).collect();
        registers.holdings = (0..4).map(|at| (at, 400 + at)).collect();
    });
    units
}

/// Every function that a gateway uses, by the eyes of another master. `link` is how mbpoll reaches the slave: options, then the address.
fn ask(units: &Units, options: &[&str], address: &str) {
    let call = |table: &str, from: &str, rest: &[&str], written: &[&str]| {
        let own = ["-a", UNIT, "-0", "-1", "-t", table, "-r", from];
        mbpoll(&[options, &own, rest, &[address], written].concat())
    };
    let reads = |table: &str, wanted: &[&str]| {
        let count = wanted.len().to_string();
        let (well, told) = call(table, "0", &["-c", &count], &[]);
        assert!(well, "{told}");
        for line in wanted {
            assert!(
                told.lines().any(|own| own == *line),
                "no `{line}` in\n{told}"
            );
        }
    };
    reads(
        INPUTS,
        &["[0]: \t300", "[1]: \t301", "[2]: \t302", "[3]: \t303"],
    );
    reads(
        HOLDINGS,
        &["[0]: \t400", "[1]: \t401", "[2]: \t402", "[3]: \t403"],
    );
    reads(CONTACTS, &["[0]: \t0", "[1]: \t0", "[2]: \t1", "[3]: \t0"]);
    let (well, told) = call(HOLDINGS, "1", &[], &["77"]);
    assert!(well, "{told}");
    let (well, told) = call(HOLDINGS, "2", &[], &["78", "79"]);
    assert!(well, "{told}");
    let (well, told) = call(COILS, "1", &[], &["1"]);
    assert!(well, "{told}");
    let (well, told) = call(COILS, "2", &[], &["1", "1"]);
    assert!(well, "{told}");
    reads(
        HOLDINGS,
        &["[0]: \t400", "[1]: \t77", "[2]: \t78", "[3]: \t79"],
    );
    reads(COILS, &["[0]: \t0", "[1]: \t1", "[2]: \t1", "[3]: \t1"]);
    let (well, told) = call(HOLDINGS, "3", &["-c", "2"], &[]);
    assert!(!well && told.contains("Illegal data address"), "{told}");
    units.with(7, |unit| unit.dead = true);
    let (well, told) = call(HOLDINGS, "0", &["-o", "0.3"], &[]);
    assert!(!well && told.contains("timed out"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tcp_the_plants_slave_answers_another_master_as_a_slave_should() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let units = units();
    tokio::spawn(tcp(listener, units.clone()));
    tokio::task::block_in_place(|| ask(&units, &["-m", "tcp", "-p", &port], "127.0.0.1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_serial_line_the_plants_slave_answers_another_master_as_a_slave_should() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tty");
    let (units, pty) = (units(), Pty::open(&path).unwrap());
    let served = units.clone();
    tokio::spawn(async move { serve(Line::Pty(pty), 9600, served).await });
    let options = [
        "-m", "rtu", "-b", "9600", "-d", "8", "-s", "1", "-P", "none",
    ];
    let path = path.to_str().unwrap().to_owned();
    tokio::task::block_in_place(|| ask(&units, &options, &path));
}
