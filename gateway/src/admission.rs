//! A site file as this gateway admits it: valid by itself, and carried by its buses. Whoever starts, takes over, checks or commissions a file asks here.

use crate::acquire::Budget;
use davy_config::site::{Alarm, AlarmIndex, DeviceIndex, Site, Subject};
use davy_config::{Code, Finding, Loaded, Place, Problems, Today};
use std::path::Path;
use std::time::Duration;

/// Reads a site file; see [`davy_config::load_on`].
///
/// # Errors
/// Every problem at once, those of its buses among them.
pub(crate) fn load(path: &Path, today: Today) -> Result<Loaded, Problems> {
    davy_config::load_reviewed(path, today, review)
}

/// As [`load`], of a text.
///
/// # Errors
/// As [`load`].
pub(crate) fn parse(file: &str, text: &str, base: &Path, today: Today) -> Result<Loaded, Problems> {
    davy_config::parse_reviewed(file, text, base, today, review)
}

/// Buses that cannot carry their periods, and alarms that would come too late.
fn review(site: &Site) -> Vec<Finding> {
    let budgets = Budget::of_site(site);
    let overloaded = budgets.iter().filter(|budget| budget.load > 1.0);
    let mut found: Vec<Finding> = overloaded.map(|budget| overload(site, budget)).collect();
    let late = Answer::of_site(site, &budgets);
    found.extend(
        late.filter(Answer::is_late)
            .map(|answer| too_slow(site, &budgets, &answer)),
    );
    found
}

/// How soon an alarm comes in the worst case: its value changed just after it was read, the next poll waits for a whole scan and one silent unit, and the
/// on-delay runs from there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) position: AlarmIndex,
    pub(crate) alarm: &'a Alarm,
    pub(crate) device: DeviceIndex,
    pub(crate) worst: Duration,
    pub(crate) required: Duration,
}

impl<'a> Answer<'a> {
    /// Of every alarm that must come within some time, on a bus that carries its periods: on one that does not, nothing is certain.
    pub(crate) fn of_site(site: &'a Site, budgets: &[Budget]) -> impl Iterator<Item = Self> {
        let alarms = site.alarms.iter().enumerate();
        alarms.filter_map(|(position, alarm)| {
            let Subject::Point(point) = alarm.subject else {
                return None;
            };
            let device = site.points[point.0].device;
            let budget = &budgets[site.devices[device.0].bus.0];
            let required = ms(alarm.response_ms?);
            let delay = ms(alarm.definition.on_delay_ms);
            let period = ms(site.devices[device.0].period_ms);
            (budget.load <= 1.0).then_some(Self {
                position: AlarmIndex(position),
                alarm,
                device,
                worst: period + budget.scan_with_silence + delay,
                required,
            })
        })
    }

    pub(crate) fn is_late(&self) -> bool {
        self.worst > self.required
    }
}

const fn ms(ms: u32) -> Duration {
    Duration::from_millis(ms as u64)
}

fn overload(site: &Site, budget: &Budget) -> Finding {
    let baud = Budget::enough_baud(site, budget.bus);
    Finding {
        code: Code::BusLoad,
        at: Place::Bus(budget.bus),
        args: vec![
            ("bus", site.buses[budget.bus.0].id.clone()),
            ("load", up(budget.load * 100.0)),
            ("scan", seconds(budget.scan)),
            ("times", up(budget.load)),
            (
                "baud",
                baud.map_or("none".to_owned(), |baud| baud.to_string()),
            ),
        ],
    }
}

/// Rounded up to the tenth, but for what is nothing: times are whole nanoseconds.
fn up(figure: f64) -> String {
    format!("{:.1}", ((figure - 1e-4) * 10.0).ceil() / 10.0)
}

fn too_slow(site: &Site, budgets: &[Budget], answer: &Answer<'_>) -> Finding {
    let device = &site.devices[answer.device.0];
    let budget = &budgets[device.bus.0];
    Finding {
        code: Code::SlowResponse,
        at: Place::Alarm(answer.position),
        args: vec![
            ("name", answer.alarm.id.clone()),
            ("bus", site.buses[device.bus.0].id.clone()),
            ("total", seconds(answer.worst)),
            ("response", seconds(answer.required)),
            ("period", seconds(ms(device.period_ms))),
            ("scan", seconds(budget.scan_with_silence)),
            ("delay", seconds(ms(answer.alarm.definition.on_delay_ms))),
        ],
    }
}

/// To the hundredth, so that two figures that differ read differently.
pub(crate) fn seconds(time: Duration) -> String {
    let text = format!("{:.2}", time.as_secs_f64());
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_config::{Language, Problem};

    const BUS: &str = "kind = \"rtu\"\npath = \"/dev/ttyS1\"";

    /// One gas detector's point on a bus, with what else a device and a point may say.
    fn site(bus: &str, device: &str, alarm: &str) -> String {
        format!(
            r#"schema = 1
[site]
id = "s"
name = {{ zh = "站", en = "Site" }}
[[area]]
id = "a"
name = {{ zh = "区", en = "Area" }}
[[bus]]
id = "field"
{bus}
[[device]]
id = "d"
name = {{ zh = "器", en = "Device" }}
bus = "field"
unit = 1
{device}
[[point]]
id = "p"
name = {{ zh = "点", en = "Point" }}
area = "a"
device = "d"
register = {{ table = "holding", address = 0, as = "f32" }}
{alarm}
"#
        )
    }

    const GAS: &str = "kind = \"combustible-gas\"\nsubstance = \"methane\"\nunit = \"%LEL\"\nrange = [0, 100]\n[point.alarms.HH]\nset_point = 50";

    fn found(text: &str) -> Vec<Problem> {
        match parse("site.toml", text, Path::new("."), Today::Unknown) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().cloned().collect(),
        }
    }

    fn the(text: &str, code: Code) -> Problem {
        let all = found(text);
        let mut of_code = all.iter().filter(|problem| problem.code == code);
        let first = of_code.next().unwrap_or_else(|| panic!("{all:?}")).clone();
        assert_eq!(of_code.next(), None);
        first
    }

    #[test]
    fn a_bus_that_cannot_carry_its_periods_is_refused_at_its_line_with_ways_out() {
        let slow = format!("{BUS}\nbaud = 1200");
        let problem = the(&site(&slow, "period_ms = 100", GAS), Code::BusLoad);
        assert_eq!((problem.key.as_str(), problem.line), ("bus[0]", 8));
        // 8 and 9 characters and twice 3.5, of ten bits, every 100 ms.
        let said = problem.message(Language::En);
        assert!(
            said.contains("`field`") && said.contains(" 200.0 %"),
            "{said}"
        );
        let help = problem.help(Language::En);
        assert!(
            help.contains("2.0 times") && help.contains("4800 baud"),
            "{help}"
        );
        assert_eq!(found(&site(&slow, "period_ms = 300", GAS)), []);
    }

    #[test]
    fn a_bus_without_a_speed_names_none() {
        let tcp = "kind = \"tcp\"\naddress = \"127.0.0.1:502\"";
        let mut text = site(tcp, "period_ms = 50", GAS);
        for unit in 2..=12 {
            text += &site(tcp, "period_ms = 50", GAS)
                .split_once("[[device]]")
                .map(|(_, rest)| format!("[[device]]{rest}"))
                .unwrap_or_default()
                .replace("id = \"d\"", &format!("id = \"d{unit}\""))
                .replace("id = \"p\"", &format!("id = \"p{unit}\""))
                .replace("device = \"d\"", &format!("device = \"d{unit}\""))
                .replace("unit = 1\n", &format!("unit = {unit}\n"));
        }
        let help = the(&text, Code::BusLoad).help(Language::En);
        assert!(
            !help.contains("baud") && help.contains("1.2 times"),
            "{help}"
        );
    }

    #[test]
    fn an_alarm_that_its_bus_brings_too_late_is_refused_where_it_stands() {
        let patient = format!("{BUS}\ntimeout_ms = 3000");
        let problem = the(&site(&patient, "period_ms = 8000", GAS), Code::SlowResponse);
        assert_eq!(problem.key, "point[0].alarms.HH");
        let said = problem.message(Language::En);
        for figure in [
            "p.HH",
            "11.02 s",
            "more than 10 s",
            "`field`",
            "period 8 s",
            "3.02 s",
        ] {
            assert!(said.contains(figure), "{figure}: {said}");
        }
        assert_eq!(found(&site(BUS, "period_ms = 8000", GAS)), []);
    }

    #[test]
    fn what_is_not_gas_may_wait_by_its_kind_or_by_what_the_file_says() {
        let level = |rest: &str| {
            let alarm = format!(
                "kind = \"level\"\nunit = \"m\"\nrange = [0, 10]\n[point.alarms.H]\nset_point = 8\non_delay_s = 30\n{rest}"
            );
            site(BUS, "period_ms = 50000", &alarm)
        };
        assert_eq!(found(&level("")), []);
        assert_eq!(found(&level("response_s = 90")), []);
        the(&level("response_s = 80"), Code::SlowResponse);
        let slower = level("").replace("50000", "60000");
        the(&slower, Code::SlowResponse);
    }

    #[test]
    fn no_file_gives_gas_longer_than_the_standard() {
        let problem = the(
            &site(BUS, "", &format!("{GAS}\nresponse_s = 11")),
            Code::OutOfRange,
        );
        assert_eq!(problem.key, "point[0].alarms.HH.response_s");
        assert_eq!(found(&site(BUS, "", &format!("{GAS}\nresponse_s = 2"))), []);
        the(
            &site(BUS, "", &format!("{GAS}\nresponse_s = 1.5")),
            Code::SlowResponse,
        );
    }
}
