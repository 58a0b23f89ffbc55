//! Every profile that ships, read by acquisition over Modbus TCP from a simulated device of its model: the value, and each state that takes it away.
//!
//! The simulated registers are the plant's own reading of the manuals (`davy_plant::image`), made without the profiles; for the models that no demo site
//! has, the registers stand here as the manual prints them.
#![allow(clippy::unwrap_used)]

use davy_alarm::NoValue;
use davy_config::site::{OutputIndex, Site};
use davy_gateway::acquire::{self, Demand};
use davy_gateway::clock::Clock;
use davy_gateway::scan::Scan;
use davy_plant::image::show;
use davy_plant::modbus::Registers;
use davy_plant::serve::{Units, tcp};
use davy_plant::{Model, Sensing, State};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Longest that a change of the device may take to be seen; polls come every 50 ms.
const SEEN_LIMIT: Duration = Duration::from_secs(10);
const UNIT: u8 = 7;
const PERCENT: (f64, f64) = (0.0, 100.0);

/// One simulated device and the acquisition that reads it.
struct Bench {
    units: Arc<Units>,
    site: Arc<Site>,
    scans: mpsc::Receiver<Scan>,
    demand: watch::Sender<Demand>,
    shutdown: CancellationToken,
}

impl Bench {
    /// A point for each signal; the range is the measuring range, and a signal of one bit is a discrete point. `keys` belong to the device.
    async fn start(profile: &str, keys: &str, signals: &[(&str, (f64, f64))]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let text = site(profile, keys, port, signals);
        let loaded = davy_config::parse("site.toml", &text, Path::new("."));
        let site = Arc::new(loaded.unwrap_or_else(|problems| panic!("{problems}")).site);
        let units = Arc::new(Units::default());
        tokio::spawn(tcp(listener, units.clone()));
        let (sender, scans) = mpsc::channel(16);
        let (demand, asked) = watch::channel(Demand::new(&site, vec![false; site.outputs.len()]));
        let shutdown = CancellationToken::new();
        acquire::spawn(Clock::start(), &sender, &asked, &shutdown);
        Self {
            units,
            site,
            scans,
            demand,
            shutdown,
        }
    }

    /// Shows what a model with one instrument on `channel` senses.
    fn sense(&self, model: Model, channel: u16, value: f64, range: (f64, f64), state: State) {
        let sensing = Sensing {
            channel,
            value,
            range,
            state,
        };
        self.hold(|registers| show(model, 0, &[sensing], registers));
    }

    /// Changes the device's registers.
    fn hold(&self, change: impl FnOnce(&mut Registers)) {
        self.units.with(UNIT, |unit| change(&mut unit.registers));
    }

    /// Waits until a point reads as told; a value may differ by what its spelling rounds away.
    async fn reads(&mut self, signal: &str, wanted: Result<f64, NoValue>) {
        let ids = &self.site.points;
        let position = ids.iter().position(|point| point.id == signal).unwrap();
        let same = |found: Result<f64, NoValue>| match (found, wanted) {
            (Ok(found), Ok(wanted)) => (found - wanted).abs() <= 1e-3 * wanted.abs().max(1.0),
            (found, wanted) => found == wanted,
        };
        let mut last = None;
        let seen = tokio::time::timeout(SEEN_LIMIT, async {
            loop {
                let scan = self.scans.recv().await.expect("acquisition goes on");
                let own = scan
                    .readings
                    .iter()
                    .find(|(point, _)| point.0 == position)
                    .map(|(_, reading)| reading.value());
                if own.is_some_and(same) {
                    return;
                }
                last = own.or(last);
            }
        });
        if seen.await.is_err() {
            panic!("{signal} should read {wanted:?} and reads {last:?}");
        }
    }

    /// Waits until the read-back of the output says `on`.
    async fn drives(&mut self, on: bool) {
        self.demand.send_modify(|demand| demand.on = vec![on]);
        let seen = tokio::time::timeout(SEEN_LIMIT, async {
            loop {
                let scan = self.scans.recv().await.expect("acquisition goes on");
                if scan.outputs.contains(&(OutputIndex(0), Some(on))) {
                    return;
                }
            }
        });
        assert!(seen.await.is_ok(), "the output never read back {on}");
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn site(profile: &str, keys: &str, port: u16, signals: &[(&str, (f64, f64))]) -> String {
    let head = format!(
        r#"schema = 1
[site]
id = "bench"
name = {{ zh = "台", en = "Bench" }}
[screen]
listen = "127.0.0.1:8080"
[[area]]
id = "a"
name = {{ zh = "区", en = "Area" }}
[[bus]]
id = "b"
kind = "tcp"
address = "127.0.0.1:{port}"
timeout_ms = 1000
[[device]]
id = "d"
name = {{ zh = "器", en = "Device" }}
bus = "b"
unit = {UNIT}
profile = "{profile}"
period_ms = 50
{keys}
"#
    );
    let points: String = signals.iter().map(point).collect();
    head + &points
}

fn point((signal, (low, high)): &(&str, (f64, f64))) -> String {
    let kind = if (*low, *high) == BIT {
        "kind = \"discrete\"".to_owned()
    } else {
        format!("kind = \"other\"\nunit = \"1\"\nrange = [{low:?}, {high:?}]")
    };
    format!(
        "[[point]]\nid = \"{signal}\"\nname = {{ zh = \"点\", en = \"Point\" }}\narea = \"a\"\ndevice = \"d\"\nsignal = \"{signal}\"\n{kind}\n"
    )
}

/// The range of a point of one bit.
const BIT: (f64, f64) = (0.0, 1.0);

/// Shows each state and waits for what it makes of the value, which is back between any two of them.
async fn states(
    bench: &mut Bench,
    model: Model,
    (signal, channel): (&str, u16),
    range: (f64, f64),
    wanted: &[(State, NoValue)],
) {
    let middle = f64::midpoint(range.0, range.1).round();
    for (state, cause) in wanted {
        bench.sense(model, channel, middle, range, State::Measuring);
        bench.reads(signal, Ok(middle)).await;
        bench.sense(model, channel, middle, range, *state);
        bench.reads(signal, Err(*cause)).await;
    }
}

#[tokio::test]
async fn an_xnx_shows_no_zero_when_it_is_inhibited_and_its_own_alarms() {
    let signals = [("gas", PERCENT), ("alarm1", BIT), ("alarm2", BIT)];
    let mut bench = Bench::start("honeywell-xnx", "", &signals).await;
    let model = Model::HoneywellXnx;
    let wanted = [
        (State::Inhibit, NoValue::Inhibit),
        (State::WarmUp, NoValue::Inhibit),
        (State::SensorFault, NoValue::SensorFault),
    ];
    states(&mut bench, model, ("gas", 1), PERCENT, &wanted).await;
    bench.sense(model, 1, 30.0, PERCENT, State::Measuring);
    bench.reads("alarm1", Ok(1.0)).await;
    bench.reads("alarm2", Ok(0.0)).await;
    bench.sense(model, 1, 62.5, PERCENT, State::Measuring);
    bench.reads("gas", Ok(62.5)).await;
    bench.reads("alarm2", Ok(1.0)).await;
    bench.hold(|registers| *registers.holdings.get_mut(&4).unwrap() = 2500);
    bench.reads("gas", Err(NoValue::UnknownCode)).await;
}

#[tokio::test]
async fn each_channel_of_a_touch_point_pro_has_its_own_value_and_status() {
    let signals = [("ch3", PERCENT), ("ch4", PERCENT)];
    let mut bench = Bench::start("honeywell-touchpoint-pro", "", &signals).await;
    let model = Model::HoneywellTouchPointPro;
    bench.sense(model, 4, 7.5, PERCENT, State::Measuring);
    let wanted = [
        (State::Inhibit, NoValue::Inhibit),
        (State::SensorFault, NoValue::SensorFault),
        (State::WarmUp, NoValue::UnknownCode),
    ];
    states(&mut bench, model, ("ch3", 3), PERCENT, &wanted).await;
    bench.reads("ch4", Ok(7.5)).await;
}

#[tokio::test]
async fn an_ultima_x3_is_read_at_the_base_that_the_site_gives() {
    let range = (0.0, 300.0);
    let signals = [("gas", range), ("value2", range)];
    let keys = "registers = { base = 0 }";
    let mut bench = Bench::start("msa-ultima-x3", keys, &signals).await;
    let model = Model::MsaUltimaX3;
    let wanted = [
        (State::WarmUp, NoValue::WarmUp),
        (State::Calibration, NoValue::Calibration),
        (State::SensorFault, NoValue::SensorFault),
    ];
    states(&mut bench, model, ("gas", 1), range, &wanted).await;
    bench.reads("value2", Err(NoValue::SensorFault)).await;
    drop(bench);

    let keys = "registers = { base = 40000 }";
    let mut bench = Bench::start("msa-ultima-x3", keys, &signals).await;
    let sensing = Sensing {
        channel: 1,
        value: 42.0,
        range,
        state: State::Measuring,
    };
    bench.hold(|registers| show(model, 40_000, &[sensing], registers));
    bench.reads("gas", Ok(42.0)).await;
    bench.reads("value2", Ok(42.0)).await;
}

#[tokio::test]
async fn an_rki_m2a_spells_signs_and_decimals_and_tells_when_it_is_over_scale() {
    let range = (-100.0, 100.0);
    let mut bench = Bench::start("rki-m2a", "", &[("gas", range)]).await;
    let model = Model::RkiM2a;
    bench.sense(model, 1, -1.5, range, State::Measuring);
    bench.reads("gas", Ok(-1.5)).await;
    let wanted = [
        (State::WarmUp, NoValue::WarmUp),
        (State::Calibration, NoValue::Calibration),
        (State::SensorFault, NoValue::SensorFault),
    ];
    states(&mut bench, model, ("gas", 1), range, &wanted).await;
    bench.sense(model, 1, 200.0, range, State::Measuring);
    bench.reads("gas", Err(NoValue::OverRange)).await;
    bench.hold(|registers| *registers.holdings.get_mut(&2).unwrap() = 9 << 12);
    bench.reads("gas", Err(NoValue::UnknownCode)).await;
}

#[tokio::test]
async fn a_sierra_5100_has_gas_trouble_and_a_temperature_below_zero() {
    let signals = [
        ("gas", PERCENT),
        ("temperature", (-40.0, 80.0)),
        ("alarm1", (0.0, 2.0)),
        ("unit", (0.0, 2.0)),
    ];
    let mut bench = Bench::start("sierra-5100-02-it", "", &signals).await;
    let model = Model::Sierra5100;
    bench.sense(model, 2, -1.5, (-40.0, 80.0), State::Measuring);
    bench.reads("temperature", Ok(-1.5)).await;
    let wanted = [(State::SensorFault, NoValue::SensorFault)];
    states(&mut bench, model, ("gas", 1), PERCENT, &wanted).await;
    bench.reads("alarm1", Ok(1.0)).await;
    bench.reads("unit", Ok(1.0)).await;
}

#[tokio::test]
async fn a_raeguard_3_tells_its_concentration_and_nothing_else() {
    let range = (0.0, 300.0);
    let mut bench = Bench::start("raeguard-3", "", &[("gas", range)]).await;
    bench.sense(Model::RaeGuard3, 1, 209.0, range, State::Measuring);
    bench.reads("gas", Ok(209.0)).await;
    // What docs/profiles.md warns of: it has no register that would tell a fault.
    bench.sense(Model::RaeGuard3, 1, 209.0, range, State::SensorFault);
    bench.reads("gas", Ok(0.0)).await;
}

#[tokio::test]
async fn a_rosemount_5300_is_believed_only_while_no_value_is_invalid() {
    let signals = [("value1", PERCENT), ("value2", PERCENT)];
    let mut bench = Bench::start("rosemount-5300", "", &signals).await;
    let model = Model::Rosemount5300;
    bench.sense(model, 1, 62.0, PERCENT, State::Measuring);
    let wanted = [
        (State::SensorFault, NoValue::SensorFault),
        (State::WarmUp, NoValue::WarmUp),
    ];
    states(&mut bench, model, ("value2", 2), PERCENT, &wanted).await;
    bench.reads("value1", Err(NoValue::WarmUp)).await;
    drop(bench);

    let keys = "registers = { order = \"CDAB\" }";
    let mut bench = Bench::start("rosemount-5300", keys, &signals).await;
    bench.hold(|registers| {
        let bits = 50.25_f32.to_bits();
        let words = [(1300, 0), (1302, bits as u16), (1303, (bits >> 16) as u16)];
        registers.inputs.extend(words);
        registers.inputs.extend([(1301, 0), (1304, 0), (1305, 0)]);
    });
    bench.reads("value1", Ok(50.25)).await;
}

#[tokio::test]
async fn a_moxa_e1200_tells_a_broken_wire_from_the_low_end_of_the_range() {
    let range = (0.0, 1600.0);
    let mut bench = Bench::start("moxa-e1200-ai", "", &[("ai2", range)]).await;
    let model = Model::MoxaE1200Ai;
    let wanted = [
        (State::BrokenLoop, NoValue::BrokenLoop),
        (State::SensorFault, NoValue::UnderRange),
    ];
    states(&mut bench, model, ("ai2", 2), range, &wanted).await;
    bench.sense(model, 2, 0.0, range, State::Measuring);
    bench.reads("ai2", Ok(0.0)).await;
    bench.sense(model, 2, 2000.0, range, State::Measuring);
    bench.reads("ai2", Err(NoValue::OverRange)).await;
}

#[tokio::test]
async fn a_dongxin_spells_its_oxygen_by_bytes() {
    let signals = [("sf6", (0.0, 1000.0)), ("o2", (0.0, 25.0))];
    let mut bench = Bench::start("dongxin-sf6-o2", "", &signals).await;
    bench.sense(
        Model::DongxinSf6O2,
        1,
        350.0,
        (0.0, 1000.0),
        State::Measuring,
    );
    bench.sense(Model::DongxinSf6O2, 2, 20.9, (0.0, 25.0), State::Measuring);
    bench.reads("sf6", Ok(350.0)).await;
    bench.reads("o2", Ok(20.9)).await;
}

#[tokio::test]
async fn an_oldham_mx43_channel_is_believed_as_far_as_its_status_goes() {
    let signals = [("ch1", (-10.0, 100.0)), ("ch264", PERCENT)];
    let mut bench = Bench::start("oldham-mx43", "", &signals).await;
    bench.hold(|registers| {
        registers
            .holdings
            .extend([(2001, -3_i16 as u16), (2301, 0b111), (2264, 17), (2564, 0)]);
    });
    bench.reads("ch1", Ok(-3.0)).await;
    bench.reads("ch264", Ok(17.0)).await;
    for (bit, cause) in [
        (3, NoValue::UnderRange),
        (4, NoValue::OverRange),
        (5, NoValue::SensorFault),
        (6, NoValue::OverRange),
    ] {
        bench.hold(|registers| *registers.holdings.get_mut(&2301).unwrap() = 1 << bit);
        bench.reads("ch1", Err(cause)).await;
    }
    bench.reads("ch264", Ok(17.0)).await;
}

#[tokio::test]
async fn a_pemtech_pt495_keeps_type_and_status_apart() {
    let signals = [
        ("gas", (0.0, 1000.0)),
        ("gas-tenths", PERCENT),
        ("status", (0.0, 255.0)),
        ("type", (0.0, 255.0)),
        ("set-point-1", (0.0, 1000.0)),
        ("set-point-2", (0.0, 1000.0)),
    ];
    let mut bench = Bench::start("pemtech-pt495", "", &signals).await;
    bench.hold(|registers| {
        let words = [(0, 205), (1, 0x0a04), (2, 250), (3, 0), (4, 500)];
        registers.holdings.extend(words);
    });
    bench.reads("gas", Ok(205.0)).await;
    bench.reads("gas-tenths", Ok(20.5)).await;
    bench.reads("status", Ok(4.0)).await;
    bench.reads("type", Ok(10.0)).await;
    bench.reads("set-point-1", Ok(250.0)).await;
    bench.reads("set-point-2", Ok(500.0)).await;
}

#[tokio::test]
async fn a_loop_module_judges_its_currents_by_ne43() {
    let mut bench = Bench::start("generic-ai-420", "", &[("ai2", PERCENT)]).await;
    let model = Model::LoopModule;
    let wanted = [
        (State::BrokenLoop, NoValue::BrokenLoop),
        (State::SensorFault, NoValue::SensorFault),
    ];
    states(&mut bench, model, ("ai2", 2), PERCENT, &wanted).await;
    bench.sense(model, 2, 25.0, PERCENT, State::Measuring);
    bench.reads("ai2", Ok(25.0)).await;
}

#[tokio::test]
async fn a_relay_module_shows_its_contacts_and_reads_its_relays_back() {
    let keys = r#"
[[output]]
id = "o"
name = { zh = "出", en = "Output" }
area = "a"
kind = "beacon"
device = "d"
signal = "do2"
[[effect]]
causes = ["d.COMMS"]
outputs = ["o"]
"#;
    let mut bench = Bench::start("generic-relay", keys, &[("di3", BIT)]).await;
    bench.sense(Model::RelayModule, 3, 1.0, BIT, State::Measuring);
    bench.reads("di3", Ok(1.0)).await;
    bench.drives(true).await;
    let coils = bench.units.with(UNIT, |unit| unit.registers.coils.clone());
    assert!(coils[&1] && !coils[&0] && !coils[&2], "{coils:?}");
    bench.drives(false).await;
}

#[tokio::test]
async fn a_contact_module_shows_thirty_two_contacts() {
    let signals = [("di1", BIT), ("di32", BIT)];
    let mut bench = Bench::start("generic-di", "", &signals).await;
    bench.hold(|registers| {
        registers.discretes = (0..32).map(|at| (at, at == 31)).collect();
    });
    bench.reads("di32", Ok(1.0)).await;
    bench.reads("di1", Ok(0.0)).await;
}

#[tokio::test]
async fn a_node_tells_its_channels_alarms_and_relays() {
    let signals = [("channel2", PERCENT), ("alarm5", BIT), ("relay1", BIT)];
    let mut bench = Bench::start("davy-node", "", &signals).await;
    bench.hold(|registers| {
        registers.inputs.extend((100..133).map(|at| (at, 0)));
        registers.inputs.extend([(102, 1), (103, 0)]);
        registers.discretes = (0..73).map(|at| (at, at == 4 || at == 60)).collect();
    });
    bench.reads("channel2", Ok(65.536)).await;
    bench.reads("alarm5", Ok(1.0)).await;
    bench.reads("relay1", Ok(1.0)).await;
    for (status, cause) in [
        (2, NoValue::BrokenLoop),
        (9, NoValue::SensorFault),
        (15, NoValue::UnknownCode),
    ] {
        bench.hold(|registers| {
            registers.inputs.insert(117, status);
        });
        bench.reads("channel2", Err(cause)).await;
    }
}

#[test]
fn no_profile_ships_without_a_simulated_device_here() {
    let tests = include_str!("profiles.rs");
    for name in davy_config::profile_names() {
        let start = format!("Bench::start(\"{name}\"");
        assert!(tests.contains(&start), "{name} is read by no test");
    }
}
