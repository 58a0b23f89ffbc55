//! What a site file says of each of its parts, as text by key: the keys of the file itself, the figures in its units.

use super::{Facts, Part};
use crate::site::{
    Alarm, Bus, Delivered, Device, Encoding, Input, Link, Moves, Order, Output, Parity, Point,
    Proving, Reference, Register, Role, Scaling, Site, Suppression, Table, Text, UNARMED, Unproved,
    Uplink, Vote, When,
};
use davy_alarm::Condition;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Everything of one kind, by id.
pub(super) fn of(site: &Site, part: Part) -> BTreeMap<String, Facts> {
    match part {
        Part::Site => BTreeMap::from([(site.id.clone(), head(site))]),
        Part::Person => by_id(&site.people, |person| (&person.id, self::person(person))),
        Part::Area => by_id(&site.areas, |area| (&area.id, name(&area.name))),
        Part::Bus => by_id(&site.buses, |bus| (&bus.id, self::bus(bus))),
        Part::Device => by_id(&site.devices, |it| (&it.id, device(site, it))),
        Part::Point => by_id(&site.points, |it| (&it.id, point(site, it))),
        Part::Alarm => by_id(&site.alarms, |it| (&it.id, alarm(site, it))),
        Part::Output => by_id(&site.outputs, |it| (&it.id, output(site, it))),
        Part::Vote => by_id(&site.votes, |it| (&it.id, vote(site, it))),
        Part::Manual => by_id(&site.manuals, |it| {
            (&it.id, in_area(site, &it.name, it.area))
        }),
        Part::Suppress => by_id(&site.suppressions, |it| (&it.id, suppression(site, it))),
    }
}

/// Whether an alarm is one that its subject has without being asked for.
pub(super) const fn is_own(alarm: &Alarm) -> bool {
    match alarm.definition.condition {
        Condition::Bad
        | Condition::Stale { .. }
        | Condition::CommsLost
        | Condition::Vote
        | Condition::Degraded
        | Condition::Unmonitored
        | Condition::Discrepancy
        | Condition::OutputFailed
        | Condition::Manual
        | Condition::Unproved => true,
        Condition::HiHi { .. }
        | Condition::Hi { .. }
        | Condition::Lo { .. }
        | Condition::LoLo { .. }
        | Condition::Discrete { .. }
        | Condition::Deviation { .. }
        | Condition::RateOfChange { .. }
        | Condition::Frozen
        | Condition::Stel { .. }
        | Condition::Twa { .. } => false,
    }
}

fn by_id<'a, T>(
    all: &'a [T],
    facts: impl Fn(&'a T) -> (&'a String, Facts),
) -> BTreeMap<String, Facts> {
    let all = all.iter().map(facts);
    all.map(|(id, facts)| (id.clone(), facts)).collect()
}

fn head(site: &Site) -> Facts {
    let mut facts = name(&site.name);
    facts.insert("listen", site.http.to_string());
    facts.insert("max_mb", (site.journal.max_bytes >> 20).to_string());
    facts.insert(
        "alarm_reserve_mb",
        (site.journal.alarm_reserve_bytes >> 20).to_string(),
    );
    if let Some(uplink) = &site.uplink {
        self::uplink(&mut facts, uplink);
    }
    facts
}

fn uplink(facts: &mut Facts, uplink: &Uplink) {
    facts.insert("broker", format!("{}:{}", uplink.host, uplink.port));
    facts.insert("group", uplink.group.clone());
    facts.extend((uplink.window).map(|window| ("window", window.to_string())));
    let ack = match uplink.delivered {
        Delivered::Committed => "commit",
        Delivered::Sent => "none",
    };
    facts.insert("ack", ack.to_owned());
    let limit = uplink.backfill_bytes_s;
    facts.extend(limit.map(|limit| ("backfill_bytes_s", limit.to_string())));
    let backups = uplink.backups.iter();
    let backups: Vec<_> = backups
        .map(|(host, port)| format!("{host}:{port}"))
        .collect();
    if !backups.is_empty() {
        facts.insert("backup_brokers", backups.join(", "));
    }
    let password = uplink.password_file.as_ref();
    let password = password.map(|path| path.display().to_string());
    for (key, value) in [
        ("username", uplink.username.clone()),
        ("password_file", password),
        ("primary_host", uplink.primary_host.clone()),
    ] {
        facts.extend(value.map(|value| (key, value)));
    }
}

/// A PIN is told apart, never told.
fn person(person: &crate::site::Person) -> Facts {
    let role = match person.role {
        Role::Operator => "operator",
        Role::Maintenance => "maintenance",
    };
    let pin: String = Sha256::digest(&person.pin_hash)
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Facts::from([
        ("name", person.name.clone()),
        ("role", role.to_owned()),
        ("pin", format!("#{pin}")),
    ])
}

fn bus(bus: &Bus) -> Facts {
    let (kind, at) = match &bus.link {
        Link::Tcp { host, port } => ("tcp", format!("{host}:{port}")),
        Link::RtuOverTcp { host, port } => ("rtu-over-tcp", format!("{host}:{port}")),
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
            (
                "rtu",
                format!("{} {baud} {parity} {stop_bits}", path.display()),
            )
        }
    };
    let mut facts = Facts::from([
        ("kind", kind.to_owned()),
        ("address", at),
        ("timeout_ms", bus.timeout_ms.to_string()),
        ("turnaround_ms", bus.turnaround_ms.to_string()),
    ]);
    if let Link::RtuOverTcp { .. } = bus.link {
        facts.insert("baud", bus.converter_baud.to_string());
    }
    if let Link::Tcp { .. } | Link::RtuOverTcp { .. } = bus.link {
        let ms = f64::from(bus.network_us) / 1000.0;
        facts.insert("exchange_ms", ms.to_string());
    }
    facts
}

fn device(site: &Site, device: &Device) -> Facts {
    let mut facts = name(&device.name);
    facts.extend([
        ("bus", site.buses[device.bus.0].id.clone()),
        ("unit", device.unit.to_string()),
        ("period_ms", device.period_ms.to_string()),
        ("max_block", device.max_block.to_string()),
        ("max_bits", device.max_bits.to_string()),
        ("answer_ms", device.answer_ms.to_string()),
        ("max_gap", device.max_gap.to_string()),
    ]);
    facts
}

fn point(site: &Site, point: &Point) -> Facts {
    let mut facts = in_area(site, &point.name, point.area);
    facts.extend([
        ("device", site.devices[point.device.0].id.clone()),
        ("register", register(&point.register)),
        ("scale", scaling(&point.scaling)),
        ("kind", point.kind.name().to_owned()),
        ("unit", point.unit.clone()),
        ("range", format!("{} … {}", point.range.0, point.range.1)),
        ("decimals", point.decimals.to_string()),
        ("exception", point.exception.to_string()),
        ("heartbeat_s", seconds(point.heartbeat_ms)),
    ]);
    let status: Vec<_> = (point.status.iter())
        .map(|rule| {
            let at = register(&rule.register);
            format!("{at} {}…{} {}", rule.from, rule.to, rule.cause.name())
        })
        .collect();
    if !status.is_empty() {
        facts.insert("status", status.join("; "));
    }
    for (key, beyond) in [
        ("over_range_at", point.over_range_at),
        ("under_range_at", point.under_range_at),
    ] {
        facts.extend(beyond.map(|beyond| (key, beyond.to_string())));
    }
    if let Some((off, on)) = point.states.as_deref() {
        facts.insert("states", format!("{} | {}", both(off), both(on)));
    }
    facts.extend(arming(point.armed, point.unproved.as_deref()));
    proving(&mut facts, &point.proving);
    facts
}

/// Whether it may alarm or act, and on whose word without a proof.
fn arming(armed: bool, unproved: Option<&Unproved>) -> Facts {
    let mut facts = Facts::from([("armed", armed.to_string())]);
    let word = unproved.map(|own| format!("{} {}: {}", own.date, own.by, own.reason));
    facts.extend(word.map(|word| ("unproved", word)));
    facts
}

fn proving(facts: &mut Facts, proving: &Proving) {
    for (key, every) in [
        ("proof_every_days", &proving.proof),
        ("calibrate_every_days", &proving.calibration),
    ] {
        facts.extend(every.as_ref().map(|every| (key, every.days.to_string())));
    }
    facts.insert("tolerance", proving.tolerance.to_string());
}

fn alarm(site: &Site, alarm: &Alarm) -> Facts {
    let definition = &alarm.definition;
    let unit = match alarm.subject {
        crate::site::Subject::Point(point) => site.points[point.0].unit.as_str(),
        _ => "",
    };
    let with_unit = |value: f64| format!("{value} {unit}").trim_end().to_owned();
    let mut facts = Facts::from([
        ("priority", definition.priority.number().to_string()),
        ("on_delay_s", seconds(definition.on_delay_ms)),
        ("off_delay_s", seconds(definition.off_delay_ms)),
        ("latching", definition.latching.to_string()),
        ("shelve_max_min", definition.shelve_max_minutes.to_string()),
        ("remote_reset", definition.remote_reset.to_string()),
        ("source", both(&alarm.source)),
    ]);
    facts.extend(alarm.response_ms.map(|ms| ("response_s", seconds(ms))));
    let again = definition.re_alarm_ms.map(|ms| (ms / 60_000).to_string());
    facts.extend(again.map(|minutes| ("re_alarm_min", minutes)));
    facts.extend(alarm.guidance.as_ref().map(|text| ("guidance", both(text))));
    let limit = definition.condition.set_point();
    facts.extend(limit.map(|limit| ("set_point", with_unit(limit))));
    facts.extend(
        definition
            .condition
            .deadband()
            .map(|band| ("deadband", with_unit(band))),
    );
    match definition.condition {
        Condition::Discrete { when } => {
            facts.insert("when", when.to_string());
        }
        Condition::Stale { after_ms } => {
            facts.insert("stale_s", seconds(after_ms));
        }
        _ => {}
    }
    facts.extend(looks_at(site, alarm.input));
    facts
}

fn looks_at(site: &Site, input: Input) -> Vec<(&'static str, String)> {
    match input {
        Input::Value => vec![],
        Input::Deviation(Reference::Fixed(value)) => vec![("from", value.to_string())],
        Input::Deviation(Reference::Point(point)) => {
            vec![("from", site.points[point.0].id.clone())]
        }
        Input::Moved { window_ms, moves } => {
            let moves = match moves {
                Moves::Up => "up",
                Moves::Down => "down",
                Moves::Either => "either",
            };
            vec![
                ("window_s", seconds(window_ms)),
                ("moves", moves.to_owned()),
            ]
        }
        Input::Stands { band } => vec![("band", band.to_string())],
        Input::Exposure { window_ms } => vec![("window_s", seconds(window_ms))],
    }
}

/// With the causes that demand it: an effect has no name of its own.
fn output(site: &Site, output: &Output) -> Facts {
    let mut facts = in_area(site, &output.name, output.area);
    let device = &site.devices[output.device.0].id;
    facts.extend([
        ("kind", output.kind.name().to_owned()),
        ("device", device.clone()),
        ("register", register(&output.register)),
        ("on", format!("{} | {}", output.on, output.off)),
        ("write_multiple", output.write_multiple.to_string()),
        ("latching", output.latching.to_string()),
        ("min_run_s", seconds(output.min_run_ms)),
        ("causes", causes(site, output)),
    ]);
    if let Some(fail_safe) = output.fail_safe {
        facts.insert("fail_safe", fail_safe.name().to_owned());
    }
    if let Some(feedback) = output.feedback {
        let point = &site.points[feedback.point.0].id;
        facts.insert("feedback", format!("{point} = {}", feedback.when));
    }
    facts.extend(arming(output.armed, output.unproved.as_ref()));
    proving(&mut facts, &output.proving);
    facts
}

fn causes(site: &Site, output: &Output) -> String {
    let demands = |effect: &&crate::site::Effect| {
        let mut outputs = effect.outputs.iter();
        outputs.any(|it| site.outputs[it.0].id == output.id)
    };
    let effects = site.effects.iter().filter(demands);
    let mut causes: Vec<&str> = effects
        .flat_map(|effect| &effect.causes)
        .map(|cause| site.alarms[cause.0].id.as_str())
        .collect();
    causes.sort_unstable();
    causes.dedup();
    causes.join(", ")
}

fn vote(site: &Site, vote: &Vote) -> Facts {
    let mut facts = in_area(site, &vote.name, vote.area);
    let members = vote.members.iter();
    let members: Vec<&str> = members
        .map(|member| site.alarms[member.alarm.0].id.as_str())
        .collect();
    facts.extend([
        ("members", members.join(", ")),
        ("needed", vote.scheme.needed.to_string()),
        ("fault", vote.scheme.fault.name().to_owned()),
        ("safety", vote.scheme.safety.to_string()),
    ]);
    facts
}

fn suppression(site: &Site, rule: &Suppression) -> Facts {
    let mut facts = name(&rule.name);
    let when = match &rule.when {
        When::Alarm { alarm, .. } => site.alarms[alarm.0].id.clone(),
        When::Point { point, is, .. } => format!("{} = {is}", site.points[point.0].id),
        When::Unarmed => UNARMED.to_owned(),
    };
    let alarms = rule.alarms.iter();
    let alarms: Vec<&str> = alarms.map(|at| site.alarms[at.0].id.as_str()).collect();
    facts.extend([("when", when), ("alarms", alarms.join(", "))]);
    facts
}

fn name(text: &Text) -> Facts {
    Facts::from([("name", both(text))])
}

fn in_area(site: &Site, text: &Text, area: usize) -> Facts {
    let mut facts = name(text);
    facts.insert("area", site.areas[area].id.clone());
    facts
}

fn both(text: &Text) -> String {
    format!("{} / {}", text.zh, text.en)
}

/// Seconds as the file has them: `1`, `0.5`.
fn seconds(ms: u32) -> String {
    (f64::from(ms) / 1000.0).to_string()
}

fn register(register: &Register) -> String {
    let table = match register.table {
        Table::Coil => "coil",
        Table::DiscreteInput => "discrete",
        Table::Holding => "holding",
        Table::Input => "input",
    };
    format!(
        "{table} {} {}",
        register.address,
        encoding(register.encoding)
    )
}

fn encoding(encoding: Encoding) -> String {
    let (kind, order) = match encoding {
        Encoding::U16 { order } => ("u16", order),
        Encoding::I16 { order } => ("i16", order),
        Encoding::U32 { order } => ("u32", order),
        Encoding::I32 { order } => ("i32", order),
        Encoding::U64 { order } => ("u64", order),
        Encoding::I64 { order } => ("i64", order),
        Encoding::F32 { order } => ("f32", order),
        Encoding::F64 { order } => ("f64", order),
        Encoding::Bcd16 { order } => ("bcd16", order),
        Encoding::Bcd32 { order } => ("bcd32", order),
        Encoding::Bool => return "bool".to_owned(),
        Encoding::Bit { bit } => return format!("bit {bit}"),
        Encoding::BitField { shift, width } => return format!("bits {shift}+{width}"),
        Encoding::SignMagnitude => return "sign-magnitude".to_owned(),
        Encoding::SplitDecimal => return "split-decimal".to_owned(),
    };
    let order = match order {
        Order::Abcd => "ABCD",
        Order::Cdab => "CDAB",
        Order::Badc => "BADC",
        Order::Dcba => "DCBA",
    };
    format!("{kind} {order}")
}

fn scaling(scaling: &Scaling) -> String {
    match scaling {
        Scaling::Linear { scale, offset } => format!("× {scale} + {offset}"),
        Scaling::CurrentLoop {
            scale,
            offset,
            bands,
        } => {
            let bands = bands.iter();
            let bands: Vec<_> = bands
                .map(|band| format!("{}…{} {}", band.from_ma, band.to_ma, meaning(band.meaning)))
                .collect();
            format!("mA × {scale} + {offset}; {}", bands.join(", "))
        }
    }
}

const fn meaning(meaning: crate::site::BandMeaning) -> &'static str {
    match meaning {
        crate::site::BandMeaning::Uncertain => "uncertain",
        crate::site::BandMeaning::Absent(cause) => cause.name(),
    }
}
