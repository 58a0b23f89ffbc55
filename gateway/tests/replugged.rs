//! A serial adapter that is pulled out and plugged in again comes back under another number and the same stable name: the line recovers by itself.
#![allow(clippy::unwrap_used)]

use davy_alarm::NoValue;
use davy_gateway::acquire::{self, Demand};
use davy_gateway::clock::Clock;
use davy_gateway::scan::Scan;
use davy_plant::line::{Line, serve};
use davy_plant::pty::Pty;
use davy_plant::serve::Units;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A poll, and room for a busy machine.
const LOST_LIMIT: Duration = Duration::from_secs(5);
/// An absent port is tried again every five seconds at the latest; the rest is room for a busy machine.
const RECOVERY_LIMIT: Duration = Duration::from_secs(10);
const BAUD: u32 = 115_200;

/// The adapter: its port, found by the stable name, and the device on its line.
struct Adapter {
    line: JoinHandle<()>,
    /// What the stable name means: `/dev/pts/7` as `/dev/ttyUSB1` elsewhere.
    port: PathBuf,
}

impl Adapter {
    fn plug_in(name: &Path, gas: u16) -> Self {
        let units = Arc::new(Units::default());
        units.with(1, |unit| unit.registers.holdings.insert(0, gas));
        let pty = Pty::open(name).unwrap();
        let port = std::fs::read_link(name).unwrap();
        let line = tokio::spawn(async move {
            // Ends by being pulled out.
            let _ = serve(Line::Pty(pty), BAUD, units).await;
        });
        Self { line, port }
    }

    /// The port is closed under whoever reads it, and its name goes.
    async fn pull_out(self, name: &Path) {
        self.line.abort();
        assert!(self.line.await.unwrap_err().is_cancelled());
        assert!(!name.is_symlink());
    }
}

async fn until(scans: &mut mpsc::Receiver<Scan>, wanted: Result<f64, NoValue>, limit: Duration) {
    let begun = Instant::now();
    let mut last = None;
    while last != Some(wanted) {
        let left = limit.saturating_sub(begun.elapsed());
        let scan = tokio::time::timeout(left, scans.recv()).await;
        let Ok(scan) = scan else {
            panic!("{wanted:?} is not read within {limit:?}, but {last:?}");
        };
        last = Some(scan.unwrap().readings[0].1.value());
    }
    println!("{wanted:?} after {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_line_whose_adapter_was_pulled_out_says_so_and_is_read_again_when_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let name = dir.path().join("usb-FTDI_FT232R_A10KX4-if00-port0");
    let adapter = Adapter::plug_in(&name, 12);
    let text = SITE.replace("{path}", &name.display().to_string());
    let loaded = davy_config::parse("site.toml", &text, Path::new("."));
    let site = Arc::new(loaded.unwrap_or_else(|problems| panic!("{problems}")).site);
    let (sender, mut scans) = mpsc::channel(1);
    let (_demand, asked) = watch::channel(Demand::new(&site, Vec::new()));
    let shutdown = CancellationToken::new();
    let acquisition = acquire::spawn(Clock::start(), &sender, &asked, &shutdown);
    until(&mut scans, Ok(12.0), LOST_LIMIT).await;

    let first = adapter.port.clone();
    // Somebody else takes the number, as another adapter would.
    let other = Pty::open(&dir.path().join("usb-other")).unwrap();
    adapter.pull_out(&name).await;
    until(&mut scans, Err(NoValue::LinkDown), LOST_LIMIT).await;
    let taken = Pty::open(&dir.path().join("usb-third")).unwrap();
    let adapter = Adapter::plug_in(&name, 34);
    assert_ne!(adapter.port, first, "the number is taken");
    until(&mut scans, Ok(34.0), RECOVERY_LIMIT).await;

    // And again, for a line that was lost once is no worse off.
    adapter.pull_out(&name).await;
    until(&mut scans, Err(NoValue::LinkDown), LOST_LIMIT).await;
    let _adapter = Adapter::plug_in(&name, 56);
    until(&mut scans, Ok(56.0), RECOVERY_LIMIT).await;
    drop((other, taken));
    shutdown.cancel();
    for (bus, task) in acquisition.tasks {
        task.await.unwrap_or_else(|error| panic!("{bus}: {error}"));
    }
}

const SITE: &str = r#"schema = 1
[site]
id = "s"
name = { zh = "站", en = "Site" }
[screen]
listen = "127.0.0.1:8080"
[[area]]
id = "a"
name = { zh = "区", en = "Area" }
[[bus]]
id = "b"
kind = "rtu"
path = "{path}"
baud = 115200
timeout_ms = 300
[[device]]
id = "d"
name = { zh = "器", en = "Device" }
bus = "b"
unit = 1
period_ms = 100
[[point]]
id = "p"
name = { zh = "点", en = "Point" }
area = "a"
device = "d"
kind = "other"
unit = "1"
range = [0, 100]
register = { table = "holding", address = 0 }
"#;
