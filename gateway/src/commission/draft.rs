//! A draft site file from what a scan found: it passes `check`, arms nothing, and says where a person must decide.

use super::search::Found;
use davy_config::profile_shape;
use davy_config::site::{Encoding, Link, Parity};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Signals of one device that become points of a draft; of a controller of hundreds of channels a person picks the wired ones.
const POINTS_MAX: usize = 8;

/// What a draft says of a switch and of a measured value; a person says the rest.
const SWITCH: &str = "kind = \"discrete\"";
const MEASURED: &str = "kind = \"other\"\nunit = \"?\"\nrange = [0, 100]";

const HEAD: &str = r#"# 草稿：由 davy-gateway scan 生成。请改名、定区域、定单位和量程、设报警，然后运行 davy-gateway check。
# A draft by davy-gateway scan. Name things, give units and ranges, set alarms, then run davy-gateway check.
schema = 1

[site]
id = "draft"
name = { zh = "草稿", en = "Draft" }

[screen]
listen = "127.0.0.1:8080"

[[area]]
id = "area-1"
name = { zh = "一区", en = "Area 1" }
"#;

/// The file's text.
pub(super) fn text(found: &[Found]) -> String {
    let mut text = HEAD.to_owned();
    let mut buses: BTreeMap<&str, String> = BTreeMap::new();
    for one in found {
        if !buses.contains_key(&*one.at) {
            let id = format!("bus-{}", buses.len() + 1);
            bus(&mut text, &id, &one.bus.link);
            buses.insert(&one.at, id);
        }
    }
    for (number, one) in (1..).zip(found) {
        device(&mut text, number, &buses[&*one.at], one);
    }
    text
}

fn bus(text: &mut String, id: &str, link: &Link) {
    let (kind, place) = match link {
        Link::Tcp { host, port } => ("tcp", format!("address = \"{host}:{port}\"")),
        Link::RtuOverTcp { host, port } => ("rtu-over-tcp", format!("address = \"{host}:{port}\"")),
        Link::Rtu {
            path,
            baud,
            parity,
            stop_bits,
        } => {
            let parity = match parity {
                Parity::None => "none",
                Parity::Even => "even",
                Parity::Odd => "odd",
            };
            let path = toml_text(&path.to_string_lossy());
            (
                "rtu",
                format!(
                    "path = {path}\nbaud = {baud}\nparity = \"{parity}\"\nstop_bits = {stop_bits}"
                ),
            )
        }
    };
    // Writing to a text cannot fail.
    let _ = write!(
        text,
        "\n[[bus]]\nid = \"{id}\"\nkind = \"{kind}\"\n{place}\n"
    );
}

fn device(text: &mut String, number: usize, bus: &str, found: &Found) {
    // Registers at rest fit many maps: among several a person chooses.
    let fitting: Vec<&str> = found.profiles.iter().map(|one| one.profile).collect();
    let profile = match fitting[..] {
        [only] => Some(only),
        _ => None,
    };
    let _ = write!(
        text,
        "\n[[device]]\nid = \"device-{number}\"\nname = {{ zh = \"{number} 号设备\", en = \"Device {number}\" }}\nbus = \"{bus}\"\nunit = {}\n",
        found.unit
    );
    if let Some(profile) = profile {
        let _ = writeln!(text, "profile = \"{profile}\"");
    }
    if found.answer_ms > 0 {
        let _ = writeln!(
            text,
            "answer_ms = {} # 扫描时测得 / measured by the scan",
            found.answer_ms
        );
    }
    if fitting.len() > 1 {
        let _ = writeln!(text, "# 请选择 / choose: profile = {}", fitting.join(" | "));
    }
    let signals = profile.and_then(profile_shape).map(|shape| shape.signals);
    let read = signals
        .into_iter()
        .flatten()
        .filter(|signal| !signal.writable);
    let sources: Vec<(String, &str)> = read
        .take(POINTS_MAX)
        .map(|signal| {
            let is_switch = matches!(
                signal.register.encoding,
                Encoding::Bool | Encoding::Bit { .. }
            );
            let kind = if is_switch { SWITCH } else { MEASURED };
            (format!("signal = \"{}\"", signal.id), kind)
        })
        .collect();
    if sources.is_empty() {
        text.push_str("# 未知设备：用 davy-gateway probe 找到它的寄存器 / unknown: find its registers with davy-gateway probe\n");
        point(
            text,
            number,
            1,
            "register = { table = \"holding\", address = 0 }",
            MEASURED,
        );
    }
    for (place, (source, kind)) in (1..).zip(&sources) {
        point(text, number, place, source, kind);
    }
}

fn point(text: &mut String, device: usize, place: usize, source: &str, kind: &str) {
    let _ = write!(
        text,
        "\n[[point]]\nid = \"p-{device}-{place}\"\nname = {{ zh = \"{device} 号设备 {place}\", en = \"Device {device}, {place}\" }}\narea = \"area-1\"\ndevice = \"device-{device}\"\n{source}\n{kind}\n",
    );
}

/// As a TOML text with whatever characters a path may hold: its escapes are those of JSON.
fn toml_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::identify::Match;
    use super::super::target;
    use super::*;
    use davy_config::profile_names;
    use std::path::Path;

    fn found(at: &str, unit: u8, profile: Option<&'static str>) -> Found {
        let bus = target::host(at);
        Found {
            at: target::spelt(&bus.link),
            bus,
            unit,
            any_unit: false,
            identity: None,
            answer_ms: 12,
            profiles: profile
                .map(|profile| Match {
                    profile,
                    fitting: 1,
                    status: 0,
                })
                .into_iter()
                .collect(),
        }
    }

    fn load(found: &[Found]) -> davy_config::site::Site {
        let text = text(found);
        let loaded = davy_config::parse("draft.toml", &text, Path::new("."));
        loaded
            .unwrap_or_else(|problems| panic!("{problems}\n{text}"))
            .site
    }

    #[test]
    fn a_draft_of_every_profile_passes_the_check() {
        for profile in profile_names() {
            let site = load(&[found("10.0.0.1", 1, Some(profile))]);
            assert_eq!(site.devices.len(), 1, "{profile}");
            let switch = |point: &davy_config::site::Point| {
                matches!(
                    point.register.encoding,
                    Encoding::Bool | Encoding::Bit { .. }
                )
            };
            for point in &site.points {
                let is_discrete = point.kind == davy_config::site::PointKind::Discrete;
                assert_eq!(is_discrete, switch(point), "{profile} {}", point.id);
            }
        }
    }

    #[test]
    fn units_of_one_host_share_its_bus_and_an_unknown_one_gets_a_register_to_be_changed() {
        let site = load(&[
            found("10.0.0.1", 1, Some("honeywell-xnx")),
            found("10.0.0.1", 9, None),
            found("10.0.0.2:1502", 1, None),
        ]);
        assert_eq!((site.buses.len(), site.devices.len()), (2, 3));
        assert!(site.devices.iter().all(|device| device.answer_ms == 12));
        for device in 1..3 {
            let own = site.points.iter().filter(|point| point.device.0 == device);
            assert_eq!(own.count(), 1);
        }
    }

    #[test]
    fn a_serial_line_keeps_its_settings() {
        let bus = target::serial(Path::new("/dev/a \"b\""), Some(19_200), false, 200).remove(1);
        let one = Found {
            at: target::spelt(&bus.link),
            bus: bus.clone(),
            ..found("10.0.0.1", 3, None)
        };
        assert_eq!(load(&[one]).buses[0].link, bus.link);
    }
}
