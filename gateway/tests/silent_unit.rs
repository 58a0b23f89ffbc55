//! One silent unit of ten behind one converter: the other nine keep their polls. And what silence is, and of whom.
#![allow(clippy::unwrap_used)]

use davy_gateway::acquire::{self, Acquisition, Demand};
use davy_gateway::clock::Clock;
use davy_gateway::scan::Scan;
use davy_plant::modbus::crc;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

const PERIOD: Duration = Duration::from_millis(250);
/// As long as a period: there is no room beside it.
const TIMEOUT: Duration = PERIOD;
/// In it the silent unit is asked seven times.
const RUN: Duration = Duration::from_secs(25);
const UNITS: u8 = 10;
const SILENT: u8 = 5;
/// What a unit takes to answer over a slow line.
const ANSWER: Duration = Duration::from_millis(4);
/// A machine that does other things too.
const SLACK: Duration = Duration::from_millis(100);

/// When each unit was asked.
type Polls = Arc<Mutex<Vec<(u8, Instant)>>>;

/// A site's buses at work, with nobody to judge.
struct Master {
    acquisition: Acquisition,
    scans: mpsc::Receiver<Scan>,
    shutdown: CancellationToken,
    _demand: watch::Sender<Demand>,
}

impl Master {
    fn of(text: &str, demand: Vec<bool>) -> Self {
        let loaded = davy_config::parse("site.toml", text, Path::new("."));
        let site = Arc::new(loaded.unwrap_or_else(|problems| panic!("{problems}")).site);
        let (to_judge, scans) = mpsc::channel(64);
        let (demand, asked) = watch::channel(Demand::new(&site, demand));
        let shutdown = CancellationToken::new();
        Self {
            acquisition: acquire::spawn(Clock::start(), &to_judge, &asked, &shutdown),
            scans,
            shutdown,
            _demand: demand,
        }
    }

    async fn end(self) {
        self.shutdown.cancel();
        for (_, task) in self.acquisition.tasks {
            task.await.unwrap();
        }
    }
}

#[tokio::test]
async fn over_tcp_one_silent_unit_of_ten_costs_the_others_no_poll() {
    run(("tcp", ""), 12, tcp_answer).await;
}

/// A relay module that has lost its supply: nothing that it should switch may cost the sensors beside it more than its silence does.
#[tokio::test]
async fn over_tcp_a_silent_unit_that_drives_sixteen_outputs_costs_the_others_no_poll() {
    let outputs: String = (1..=16).map(output).collect();
    run(("tcp", &outputs), 12, tcp_answer).await;
}

/// COMMS goes by contact, and of a device that only drives outputs a write may be all that is asked.
#[tokio::test]
async fn a_gateways_word_for_a_unit_that_it_cannot_reach_is_no_contact_of_a_write_either() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let gateway = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 12];
        let mut writes = 0;
        while stream.read_exact(&mut request).await.is_ok() {
            let [t1, t2, .., unit, function, _, _, _, _] = request;
            writes += usize::from(function == 5);
            let answer = [t1, t2, 0, 0, 0, 3, unit, function | 0x80, 11];
            // The master may have gone.
            let _ = stream.write_all(&answer).await;
        }
        writes
    });
    let mut master = Master::of(&(site("tcp", &address) + &output(1)), vec![true]);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(6) {
        let scan = master.scans.recv().await.unwrap();
        assert!(!scan.answered, "{scan:?}");
    }
    master.end().await;
    let writes = gateway.await.unwrap();
    assert!(writes >= 2, "it is tried again: {writes}");
}

/// Only a defect of ours can end a bus's task: it is started again, and its device read on.
#[tokio::test]
async fn a_bus_whose_task_has_ended_is_started_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let slave = tokio::spawn(async move {
        for _ in 0..2 {
            let (stream, _) = listener.accept().await.unwrap();
            convert(stream, 12, tcp_answer, &Polls::default()).await;
        }
    });
    let mut master = Master::of(&site("tcp", &address), Vec::new());
    while !master.scans.recv().await.unwrap().answered {}
    assert_eq!(master.acquisition.tend(), Vec::<String>::new());
    master.acquisition.tasks[0].1.abort();
    while !master.acquisition.tasks[0].1.is_finished() {
        tokio::task::yield_now().await;
    }
    assert_eq!(master.acquisition.tend(), ["b"]);
    let restarts = &master.acquisition.stats.buses[0].restarts;
    assert_eq!(restarts.load(Relaxed), 1);
    while master.scans.try_recv().is_ok() {}
    while !master.scans.recv().await.unwrap().answered {}
    master.shutdown.cancel();
    assert_eq!(master.acquisition.tend(), Vec::<String>::new());
    master.end().await;
    slave.await.unwrap();
}

#[tokio::test]
async fn over_a_converter_one_silent_unit_of_ten_costs_the_others_no_poll() {
    run(("rtu-over-tcp", ""), 8, |request| {
        let unit = request[0];
        let count = 2 * request[5];
        let mut answer = vec![unit, 3, count];
        answer.extend((0..count).map(|_| unit));
        let check = crc(&answer).to_le_bytes();
        answer.extend(check);
        (unit, answer)
    })
    .await;
}

async fn run((kind, outputs): (&str, &str), request: usize, answer: fn(&[u8]) -> (u8, Vec<u8>)) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let polls = Polls::default();
    let slave = tokio::spawn({
        let polls = polls.clone();
        async move {
            let (stream, _) = listener.accept().await.unwrap();
            convert(stream, request, answer, &polls).await;
        }
    });
    let begun = Instant::now();
    let mut master = Master::of(&(site(kind, &address) + outputs), Vec::new());
    while begun.elapsed() < RUN {
        master.scans.recv().await.unwrap();
    }
    master.end().await;
    slave.await.unwrap();
    judge(&polls.lock().unwrap());
}

/// One request after another, as on a line; ends with the connection.
async fn convert(
    mut stream: TcpStream,
    length: usize,
    answer: fn(&[u8]) -> (u8, Vec<u8>),
    polls: &Polls,
) {
    stream.set_nodelay(true).unwrap();
    let mut request = vec![0; length];
    while stream.read_exact(&mut request).await.is_ok() {
        let (unit, answer) = answer(&request);
        polls.lock().unwrap().push((unit, Instant::now()));
        if unit != SILENT {
            tokio::time::sleep(ANSWER).await;
            // The master may have gone.
            let _ = stream.write_all(&answer).await;
        }
    }
}

/// A unit says its own number.
fn tcp_answer(request: &[u8]) -> (u8, Vec<u8>) {
    let unit = request[6];
    let answer = [request[0], request[1], 0, 0, 0, 5, unit, 3, 2, 0, unit];
    (unit, answer.to_vec())
}

/// A coil of the silent unit.
fn output(number: u8) -> String {
    format!(
        r#"
[[output]]
id = "o{number}"
name = {{ zh = "出", en = "Output" }}
area = "a"
kind = "fan"
device = "d{SILENT}"
signal = "do{number}"
"#
    )
}

fn judge(polls: &[(u8, Instant)]) {
    let of = |unit: u8| -> Vec<Instant> {
        let own = polls.iter().filter(|(asked, _)| *asked == unit);
        own.map(|(_, at)| *at).collect()
    };
    let probes = of(SILENT).len();
    assert!((5..=9).contains(&probes), "asked {probes} times");
    for unit in (1..=UNITS).filter(|unit| *unit != SILENT) {
        let own = of(unit);
        let whole = (RUN.as_millis() / PERIOD.as_millis()) as usize;
        let share = own.len() as f64 / whole as f64;
        let gap = own.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        println!(
            "unit {unit}: {:.1} % of its polls, longest gap {gap:?}",
            share * 100.0
        );
        assert!(
            share >= 0.99,
            "unit {unit} had {} of {whole} polls",
            own.len()
        );
        assert!(
            gap <= PERIOD + TIMEOUT + SLACK,
            "unit {unit} waited {gap:?}"
        );
    }
}

fn site(kind: &str, address: &str) -> String {
    let timeout = TIMEOUT.as_millis();
    let mut text = format!(
        r#"
schema = 1
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
kind = "{kind}"
address = "{address}"
timeout_ms = {timeout}
"#
    );
    for unit in 1..=UNITS {
        let period = PERIOD.as_millis();
        // The silent one is a relay module.
        let (profile, what) = match unit {
            SILENT => (
                "profile = \"generic-relay\"",
                "kind = \"discrete\"\nsignal = \"di1\"",
            ),
            _ => (
                "",
                "kind = \"other\"\nunit = \"1\"\nrange = [0, 100]\nregister = { table = \"holding\", address = 0 }",
            ),
        };
        write!(
            text,
            r#"
[[device]]
id = "d{unit}"
name = {{ zh = "器", en = "Device" }}
bus = "b"
unit = {unit}
period_ms = {period}
{profile}
[[point]]
id = "p{unit}"
name = {{ zh = "点", en = "Point" }}
area = "a"
device = "d{unit}"
{what}
"#
        )
        .unwrap();
    }
    text
}
