//! A node's configuration as a file: TOML, in units that people use. Pure: text to settings and back.
//!
//! Values are decimals of the unit, kept in thousandths; delays are seconds, kept in tenths.

use davy_alarm::{FaultPolicy, NoValue, Priority, Scheme};
use davy_wire::node::{
    ALARMS, AlarmId, BANDS, Band, Channel, Group, Life, Limit, LimitKind, Meaning, RELAYS, Relay,
    RelayFlags, Settings, Silence,
};
use serde::Deserialize;

/// Why a file is no configuration.
#[derive(Debug, thiserror::Error)]
pub(super) enum WiringError {
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    #[error("{at}: `{key}` {why}")]
    Wrong {
        at: At,
        key: &'static str,
        why: String,
    },
}

/// The bands of NAMUR NE 43, with the causes that the gateway gives them too.
const NE43: [(f64, Means); 6] = [
    (1.0, Means::BrokenLoop),
    (3.6, Means::SensorFault),
    (3.8, Means::Uncertain),
    (20.5, Means::Measures),
    (21.0, Means::Uncertain),
    (65.535, Means::SensorFault),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    unit: u8,
    #[serde(default)]
    life: LifeName,
    #[serde(default)]
    silent_after_s: u16,
    #[serde(default, rename = "channel")]
    channels: Vec<ChannelTable>,
    #[serde(default, rename = "group")]
    groups: Vec<GroupTable>,
    #[serde(default, rename = "relay")]
    relays: Vec<RelayTable>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum LifeName {
    None,
    Request,
    #[default]
    Heartbeat,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelTable {
    number: u8,
    /// At 4 mA.
    low: f64,
    /// At 20 mA.
    high: f64,
    #[serde(default)]
    filter_ms: u16,
    #[serde(default)]
    bad_delay_s: f64,
    #[serde(default)]
    warm_up_s: u16,
    /// NE 43 where it is left out.
    #[serde(default)]
    bands: Vec<BandTable>,
    #[serde(default, rename = "limit")]
    limits: Vec<LimitTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BandTable {
    below_ma: f64,
    means: Means,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Means {
    Measures,
    Uncertain,
    OverRange,
    UnderRange,
    SensorFault,
    BrokenLoop,
    Inhibit,
    Calibration,
    WarmUp,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitTable {
    number: u8,
    kind: KindName,
    at: f64,
    #[serde(default)]
    deadband: f64,
    priority: u8,
    #[serde(default)]
    latching: bool,
    #[serde(default)]
    gas_level_2: bool,
    #[serde(default)]
    on_delay_s: f64,
    #[serde(default)]
    off_delay_s: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum KindName {
    HH,
    H,
    L,
    LL,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupTable {
    number: u8,
    channels: Vec<u8>,
    /// Which limit of each.
    limit: u8,
    needed: u8,
    fault: FaultName,
    #[serde(default)]
    safety: bool,
    #[serde(default)]
    latching: bool,
    #[serde(default)]
    on_delay_s: f64,
    #[serde(default)]
    discrepancy_s: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FaultName {
    Trip,
    Exclude,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RelayTable {
    number: u8,
    #[serde(default)]
    causes: Vec<String>,
    #[serde(default)]
    normally_energised: bool,
    #[serde(default)]
    horn: bool,
    #[serde(default)]
    gateway_may_request: bool,
    #[serde(default)]
    demanded_when_failed: bool,
    #[serde(default)]
    when_silent: SilenceName,
    #[serde(default)]
    run_s: u16,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SilenceName {
    #[default]
    Keep,
    Drop,
    Demand,
}

/// Reads a file. What a block cannot hold is an error here; what no node may run, `Block::settings` finds.
pub(super) fn settings(text: &str) -> Result<Settings, WiringError> {
    let file: File = toml::from_str(text)?;
    let mut settings = Settings {
        unit: file.unit,
        life: match file.life {
            LifeName::None => Life::None,
            LifeName::Request => Life::Request,
            LifeName::Heartbeat => Life::Heartbeat,
        },
        silent_after_s: file.silent_after_s,
        ..Settings::EMPTY
    };
    for table in &file.channels {
        let at = At::Table("channel", table.number);
        *at.free(&mut settings.channels)? = Some(channel(table, at)?);
    }
    for table in &file.groups {
        let at = At::Table("group", table.number);
        *at.free(&mut settings.groups)? = Some(group(table, at)?);
    }
    let mut relays = [None; RELAYS];
    for table in &file.relays {
        let at = At::Table("relay", table.number);
        *at.free(&mut relays)? = Some(relay(table, at)?);
    }
    for (own, told) in settings.relays.iter_mut().zip(relays) {
        *own = told.unwrap_or(*own);
    }
    for table in &file.relays {
        causes_exist(table, &settings)?;
    }
    Ok(settings)
}

/// A cause that the node does not have would never switch anything, and nobody would see it.
fn causes_exist(table: &RelayTable, settings: &Settings) -> Result<(), WiringError> {
    let missing = table.causes.iter().find(|cause| {
        let id = number_of(cause).and_then(AlarmId::from_number);
        !id.is_some_and(|id| settings.has(id))
    });
    match missing {
        None => Ok(()),
        Some(cause) => Err(At::Table("relay", table.number).wrong(
            "causes",
            format!("has `{cause}`, which this file does not configure"),
        )),
    }
}

fn number_of(cause: &str) -> Option<u8> {
    (0..ALARMS as u8).find(|number| alarm_name(*number) == cause)
}

/// Where a problem is: a table by its number, or a limit of a channel.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    Table(&'static str, u8),
    Limit { channel: u8, limit: u8 },
}

impl std::fmt::Display for At {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Table(section, number) => write!(formatter, "[[{section}]] {number}"),
            Self::Limit { channel, limit } => {
                write!(
                    formatter,
                    "[[channel]] {channel}, [[channel.limit]] {limit}"
                )
            }
        }
    }
}

impl At {
    const fn wrong(self, key: &'static str, why: String) -> WiringError {
        WiringError::Wrong { at: self, key, why }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Table(_, number) | Self::Limit { limit: number, .. } => number,
        }
    }

    fn free<T>(self, places: &mut [Option<T>]) -> Result<&mut Option<T>, WiringError> {
        let most = places.len();
        let place = places.get_mut(usize::from(self.number().wrapping_sub(1)));
        let place =
            place.ok_or_else(|| self.wrong("number", format!("is not one of 1 to {most}")))?;
        match place {
            Some(_) => Err(self.wrong("number", "stands here twice".into())),
            None => Ok(place),
        }
    }

    fn thousandths(self, key: &'static str, value: f64) -> Result<i32, WiringError> {
        let scaled = (value * 1e3).round();
        let fits = scaled >= f64::from(i32::MIN) && scaled <= f64::from(i32::MAX);
        if fits {
            Ok(scaled as i32)
        } else {
            Err(self.wrong(key, format!("is {value}, beyond ±2147483.647")))
        }
    }

    fn tenths(self, key: &'static str, seconds: f64) -> Result<u16, WiringError> {
        let scaled = (seconds * 10.0).round();
        if (0.0..=f64::from(u16::MAX)).contains(&scaled) {
            Ok(scaled as u16)
        } else {
            Err(self.wrong(key, format!("is {seconds} s, not 0 to 6553.5")))
        }
    }
}

fn channel(table: &ChannelTable, at: At) -> Result<Channel, WiringError> {
    let mut channel = Channel {
        low: at.thousandths("low", table.low)?,
        high: at.thousandths("high", table.high)?,
        filter_ms: table.filter_ms,
        bad_delay_ds: at.tenths("bad_delay_s", table.bad_delay_s)?,
        warm_up_s: table.warm_up_s,
        bands: bands(table, at)?,
        limits: Default::default(),
    };
    for limit in &table.limits {
        let at = At::Limit {
            channel: table.number,
            limit: limit.number,
        };
        *at.free(&mut channel.limits)? = Some(Limit {
            kind: match limit.kind {
                KindName::HH => LimitKind::HiHi,
                KindName::H => LimitKind::Hi,
                KindName::L => LimitKind::Lo,
                KindName::LL => LimitKind::LoLo,
            },
            priority: Priority::from_number(limit.priority)
                .ok_or_else(|| at.wrong("priority", "is not 1 to 4".into()))?,
            latching: limit.latching,
            gas_level_2: limit.gas_level_2,
            set_point: at.thousandths("at", limit.at)?,
            deadband: at.thousandths("deadband", limit.deadband)?,
            on_delay_ds: at.tenths("on_delay_s", limit.on_delay_s)?,
            off_delay_ds: at.tenths("off_delay_s", limit.off_delay_s)?,
        });
    }
    Ok(channel)
}

fn bands(table: &ChannelTable, at: At) -> Result<[Band; BANDS], WiringError> {
    let own = table.bands.iter().map(|band| (band.below_ma, band.means));
    let told: Vec<(f64, Means)> = match table.bands.len() {
        0 => NE43.to_vec(),
        1..=BANDS => own.collect(),
        _ => return Err(at.wrong("bands", format!("are more than {BANDS}"))),
    };
    let mut bands = [Band {
        below_ua: 0,
        means: Meaning::Measures,
    }; BANDS];
    for (place, (below_ma, means)) in bands.iter_mut().zip(told) {
        let below = (below_ma * 1e3).round();
        if !(0.0..=f64::from(u16::MAX)).contains(&below) {
            return Err(at.wrong("below_ma", format!("is {below_ma}, not 0 to 65.535")));
        }
        *place = Band {
            below_ua: below as u16,
            means: meaning(means),
        };
    }
    Ok(bands)
}

const fn meaning(means: Means) -> Meaning {
    match means {
        Means::Measures => Meaning::Measures,
        Means::Uncertain => Meaning::Uncertain,
        Means::OverRange => Meaning::Absent(NoValue::OverRange),
        Means::UnderRange => Meaning::Absent(NoValue::UnderRange),
        Means::SensorFault => Meaning::Absent(NoValue::SensorFault),
        Means::BrokenLoop => Meaning::Absent(NoValue::BrokenLoop),
        Means::Inhibit => Meaning::Absent(NoValue::Inhibit),
        Means::Calibration => Meaning::Absent(NoValue::Calibration),
        Means::WarmUp => Meaning::Absent(NoValue::WarmUp),
    }
}

fn group(table: &GroupTable, at: At) -> Result<Group, WiringError> {
    let mut members = 0;
    for channel in &table.channels {
        match channel {
            1..=8 => members |= 1 << (channel - 1),
            _ => return Err(at.wrong("channels", format!("has {channel}, not 1 to 8"))),
        }
    }
    if !(1..=4).contains(&table.limit) {
        return Err(at.wrong("limit", "is not 1 to 4".into()));
    }
    Ok(Group {
        members,
        limit: table.limit - 1,
        scheme: Scheme {
            needed: table.needed,
            fault: match table.fault {
                FaultName::Trip => FaultPolicy::VoteTrip,
                FaultName::Exclude => FaultPolicy::Exclude,
            },
            safety: table.safety,
        },
        latching: table.latching,
        on_delay_ds: at.tenths("on_delay_s", table.on_delay_s)?,
        discrepancy_ds: at.tenths("discrepancy_s", table.discrepancy_s)?,
    })
}

fn relay(table: &RelayTable, at: At) -> Result<Relay, WiringError> {
    let mut causes = 0;
    for cause in &table.causes {
        let number = number_of(cause);
        let unknown = || {
            at.wrong("causes", format!("has `{cause}`: say channel1.limit1, channel1.bad, group1.vote, group1.degraded, group1.unmonitored, group1.discrepancy or relay1.failed"))
        };
        causes |= 1_u64 << number.ok_or_else(unknown)?;
    }
    Ok(Relay {
        causes,
        flags: RelayFlags {
            normally_energised: table.normally_energised,
            horn: table.horn,
            gateway_may_request: table.gateway_may_request,
            demanded_when_failed: table.demanded_when_failed,
        },
        when_silent: match table.when_silent {
            SilenceName::Keep => Silence::Keep,
            SilenceName::Drop => Silence::Drop,
            SilenceName::Demand => Silence::Demand,
        },
        run_s: table.run_s,
    })
}

/// An alarm of a node, as its file names it.
pub(crate) fn alarm_name(number: u8) -> String {
    match AlarmId::from_number(number) {
        Some(AlarmId::Limit { channel, limit }) => {
            format!("channel{}.limit{}", channel + 1, limit + 1)
        }
        Some(AlarmId::Bad { channel }) => format!("channel{}.bad", channel + 1),
        Some(AlarmId::Vote { group }) => format!("group{}.vote", group + 1),
        Some(AlarmId::Degraded { group }) => format!("group{}.degraded", group + 1),
        Some(AlarmId::Unmonitored { group }) => format!("group{}.unmonitored", group + 1),
        Some(AlarmId::Discrepancy { group }) => format!("group{}.discrepancy", group + 1),
        Some(AlarmId::RelayFailed { relay }) => format!("relay{}.failed", relay + 1),
        None => format!("alarm{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_wire::node::Block;

    const TANK: &str = include_str!("../../../docs/node-example.toml");

    #[test]
    fn the_example_is_a_configuration_that_a_node_may_run() {
        let settings = settings(TANK).expect("the example");
        let block = Block::of(&settings);
        assert_eq!(block.settings(), Ok(settings.clone()));
        let channel = settings.channels[0].expect("channel 1");
        assert_eq!((channel.low, channel.high), (0, 100_000));
        let high = channel.limits[0].expect("limit 1");
        assert_eq!((high.set_point, high.on_delay_ds), (50_000, 10));
        let siren = AlarmId::Limit {
            channel: 0,
            limit: 0,
        }
        .number();
        assert!(settings.relays[0].causes >> siren & 1 == 1);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_section_number_and_key() {
        let wrong = |from: &str, to: &str| {
            assert!(TANK.contains(from), "{from}");
            settings(&TANK.replacen(from, to, 1))
                .unwrap_err()
                .to_string()
        };
        assert!(wrong("channel1.limit1", "channel9.limit1").contains("[[relay]] 1: `causes`"));
        assert!(wrong("number = 1", "number = 9").contains("`number` is not one of 1 to 8"));
        assert!(wrong("unit = ", "unti = ").contains("unti"));
        assert!(wrong("high = 100.0", "high = 1e12").contains("[[channel]] 1: `high`"));
        let limit = "[[channel]] 1, [[channel.limit]] 2: ";
        assert!(wrong("at = 20.0", "at = 1e12").contains(&format!("{limit}`at`")));
        let priority = wrong("priority = 2", "priority = 5");
        assert!(priority.contains(&format!("{limit}`priority` is not 1 to 4")));
    }

    /// The gateway judges the same current by config/data/bands.toml: below, and between its bands what measures.
    #[test]
    fn ne43_is_the_gateways() {
        #[derive(Deserialize)]
        struct Bands {
            bands: std::collections::BTreeMap<String, Named>,
        }
        #[derive(Deserialize)]
        struct Named {
            band: Vec<Step>,
        }
        #[derive(Deserialize)]
        struct Step {
            from_ma: f64,
            to_ma: f64,
            means: Means,
        }
        let text = include_str!("../../../config/data/bands.toml");
        let bands: Bands = toml::from_str(text).expect("the bands");
        let named = &bands.bands["ne43"].band;
        for ua in 0..=25_000_u32 {
            let ma = f64::from(ua) / 1e3;
            let gateways = named
                .iter()
                .find(|step| (step.from_ma..step.to_ma).contains(&ma));
            let gateways = gateways.map_or(Means::Measures, |step| step.means);
            let nodes = NE43.iter().find(|(below, _)| ma < *below);
            assert_eq!(nodes.map(|(_, means)| *means), Some(gateways), "{ma} mA");
        }
    }

    #[test]
    fn the_same_relay_twice_and_a_cause_that_is_not_configured_are_refused() {
        let wrong = |from: &str, to: &str| {
            assert!(TANK.contains(from), "{from}");
            settings(&TANK.replacen(from, to, 1))
                .unwrap_err()
                .to_string()
        };
        let siren = "number = 1                  # siren";
        assert!(wrong(siren, "number = 2").contains("[[relay]] 2: `number` stands here twice"));
        assert!(wrong(siren, "number = 5").contains("[[relay]] 5: `number` is not one of 1 to 4"));
        for missing in [
            "channel1.limit4",
            "channel4.limit1",
            "channel8.bad",
            "group2.vote",
            "relay4.failed",
        ] {
            let cause = format!("\"channel1.limit1\", \"{missing}\"");
            let told = wrong("\"channel1.limit1\"", &cause);
            let named = format!("[[relay]] 1: `causes` has `{missing}`, which");
            assert!(told.contains(&named), "{told}");
        }
        let failed = TANK.replacen("\"channel1.limit1\"", "\"relay2.failed\"", 1);
        assert!(settings(&failed).is_ok());
    }
}
