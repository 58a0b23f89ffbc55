//! A site as the gateway runs it: validated, resolved against its profiles and presets, indices in place of names.
//! It can only be had from [`crate::load`], so it is valid as a whole (invariant 10).

use davy_alarm::{Definition, NoValue, Scheme};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// A name in both languages. They are equal: neither may be empty (invariant 12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub zh: String,
    pub en: String,
}

/// Position of a bus in [`Site::buses`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BusIndex(pub usize);

/// Position of a device in [`Site::devices`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceIndex(pub usize);

/// Position of a point in [`Site::points`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PointIndex(pub usize);

/// Position of an alarm in [`Site::alarms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlarmIndex(pub usize);

/// Position of an output in [`Site::outputs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutputIndex(pub usize);

/// Position of a voting group in [`Site::votes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VoteIndex(pub usize);

/// Position of a manual cause in [`Site::manuals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ManualIndex(pub usize);

/// A valid site.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Also the Sparkplug edge node id.
    pub id: String,
    pub name: Text,
    /// Where the plant screen listens.
    pub http: SocketAddr,
    pub uplink: Option<Uplink>,
    pub journal: Journal,
    pub people: Vec<Person>,
    pub areas: Vec<Area>,
    pub buses: Vec<Bus>,
    pub devices: Vec<Device>,
    pub points: Vec<Point>,
    /// Every alarm of every point, device, output, voting group and manual cause, in the file's order; ids are unique.
    pub alarms: Vec<Alarm>,
    pub outputs: Vec<Output>,
    pub effects: Vec<Effect>,
    pub votes: Vec<Vote>,
    pub manuals: Vec<Manual>,
    pub suppressions: Vec<Suppression>,
    /// SHA-256 of the file's bytes, hexadecimal: the same digest means the same file.
    pub digest: String,
}

/// Least time between two polls of a device that a site file may name, milliseconds.
pub const SHORTEST_PERIOD_MS: u32 = 10;

/// Where and how batches go to the cloud.
#[derive(Clone, Debug, PartialEq)]
pub struct Uplink {
    /// Host name or address of the MQTT broker.
    pub host: String,
    pub port: u16,
    /// Sparkplug group id.
    pub group: String,
    pub username: Option<String>,
    /// File that holds the password; read at start, so that no secret stands in the site file.
    pub password_file: Option<PathBuf>,
    /// Batches published and not yet committed by the collector (1–1000); `None` = by the number of devices.
    pub window: Option<u16>,
    /// Tried in turn when the broker cannot be reached, and kept while they can.
    pub backups: Vec<(String, u16)>,
    /// Sparkplug host id: nothing is born before it is online, and the node leaves when it goes.
    pub primary_host: Option<String>,
    pub delivered: Delivered,
    /// What backlog, and whatever is sent again, may take of the link; alarms and fresh readings are not held to it. `None` = no limit.
    pub backfill_bytes_s: Option<u32>,
}

/// When a batch counts as delivered and may be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// The collector committed it (docs/wire.md).
    Committed,
    /// The broker has it: all that can be known of a plain Sparkplug host.
    Sent,
}

/// How much disk the journal may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Journal {
    /// All segments together, bytes; beyond it the oldest telemetry goes first, as a recorded loss.
    pub max_bytes: u64,
    /// Of which only transitions may use, bytes.
    pub alarm_reserve_bytes: u64,
}

/// What a person may do at this gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Operator,
    Maintenance,
}

/// A person who may act at the plant screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub role: Role,
    /// argon2id hash in PHC form, from `davy-gateway pin`.
    pub pin_hash: String,
}

/// A part of the site that alarms and points are grouped by.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    pub id: String,
    pub name: Text,
}

/// One Modbus link, owned by one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Bus {
    pub id: String,
    pub link: Link,
    /// How long a unit may take to begin and end its answer, milliseconds (10–10,000).
    pub timeout_ms: u32,
    /// Extra silence between an answer and the next request beyond t3.5, milliseconds; serial and RTU-over-TCP alone.
    pub turnaround_ms: u32,
    /// RTU-over-TCP: the speed of the line behind the converter, by which its polls are reckoned. Nothing is set by it.
    pub converter_baud: u32,
    /// TCP and RTU-over-TCP: what the network and the server are taken to need for one exchange, microseconds. Nothing is set by it.
    pub network_us: u32,
}

/// What the bus runs over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    Tcp {
        host: String,
        port: u16,
    },
    RtuOverTcp {
        host: String,
        port: u16,
    },
    Rtu {
        path: PathBuf,
        baud: u32,
        parity: Parity,
        stop_bits: u8,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    None,
    Even,
    Odd,
}

/// One unit on a bus.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    pub id: String,
    pub name: Text,
    pub bus: BusIndex,
    /// Modbus unit id (1–247; 0 and 255 for TCP alone).
    pub unit: u8,
    pub period_ms: u32,
    /// Most registers one read may ask for (1–125), from the profile.
    pub max_block: u16,
    /// Largest run of unneeded registers a block may read across (0 = none), from the profile.
    pub max_gap: u16,
    /// Most coils or discrete inputs one read may ask for (1–2000).
    pub max_bits: u16,
    /// How long the unit may think before it begins to answer, by which its polls are reckoned, milliseconds (0–10,000; 0 = no longer than the line demands).
    pub answer_ms: u32,
    /// Davy's own node, by its profile: the gateway feeds its heartbeat and clock, and collects its events.
    pub is_node: bool,
    /// `<device>.COMMS`, the alarm for this unit's silence.
    pub comms_alarm: AlarmIndex,
}

/// A Modbus address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Functions 1, 5, 15.
    Coil,
    /// Function 2.
    DiscreteInput,
    /// Functions 3, 6, 16.
    Holding,
    /// Function 4.
    Input,
}

/// Where a raw value lies: always 0-based here, whatever the manual printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    pub table: Table,
    pub address: u16,
    pub encoding: Encoding,
}

/// Byte and word order of a value of two or four registers, A the most significant byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Abcd,
    Cdab,
    Badc,
    Dcba,
}

/// How registers spell a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    U16 {
        order: Order,
    },
    I16 {
        order: Order,
    },
    U32 {
        order: Order,
    },
    I32 {
        order: Order,
    },
    U64 {
        order: Order,
    },
    I64 {
        order: Order,
    },
    F32 {
        order: Order,
    },
    F64 {
        order: Order,
    },
    /// A coil or discrete input.
    Bool,
    /// Bit `bit` of one register, 0 the least significant.
    Bit {
        bit: u8,
    },
    /// `width` bits from `shift` of one register, as an unsigned number.
    BitField {
        shift: u8,
        width: u8,
    },
    /// RKI's: bit 15 sign, bits 14–13 decimals, bits 12–0 magnitude.
    SignMagnitude,
    /// Dongxin's: high byte the integer, low byte tenths (0x1409 = 20.9).
    SplitDecimal,
    /// Four decimal digits, one in each four bits (0x1234 = 1234); a digit above 9 is no number.
    Bcd16 {
        order: Order,
    },
    /// Eight of them.
    Bcd32 {
        order: Order,
    },
}

/// A status of the device that overrules its value: the first rule that holds names the cause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StatusRule {
    pub register: Register,
    /// Holds when the raw number lies in `from..=to`.
    pub from: i64,
    pub to: i64,
    pub cause: NoValue,
}

/// A band of loop current and what it means, in mA, `from` ≤ mA < `to`; the first that holds counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    pub from_ma: f64,
    pub to_ma: f64,
    pub meaning: BandMeaning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BandMeaning {
    Uncertain,
    Absent(NoValue),
}

/// From the raw number to the engineering value.
#[derive(Clone, Debug, PartialEq)]
pub enum Scaling {
    /// `raw × scale + offset`.
    Linear { scale: f64, offset: f64 },
    /// `raw × scale + offset` is a loop current in mA; bands are judged on it; 4–20 mA spans the point's range.
    CurrentLoop {
        scale: f64,
        offset: f64,
        bands: Vec<Band>,
    },
}

/// What the point measures; decides defaults and how it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointKind {
    CombustibleGas,
    ToxicGas,
    Oxygen,
    Level,
    Pressure,
    Temperature,
    Flow,
    DifferentialPressure,
    Composition,
    /// 0 or 1.
    Discrete,
    Other,
}

impl PointKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::CombustibleGas,
        Self::ToxicGas,
        Self::Oxygen,
        Self::Level,
        Self::Pressure,
        Self::Temperature,
        Self::Flow,
        Self::DifferentialPressure,
        Self::Composition,
        Self::Discrete,
        Self::Other,
    ];

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Gas, by the rules for gas: prompt alarms, and none reset from afar.
    pub const fn is_gas(self) -> bool {
        matches!(self, Self::CombustibleGas | Self::ToxicGas | Self::Oxygen)
    }

    /// The name in site files and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CombustibleGas => "combustible-gas",
            Self::ToxicGas => "toxic-gas",
            Self::Oxygen => "oxygen",
            Self::Level => "level",
            Self::Pressure => "pressure",
            Self::Temperature => "temperature",
            Self::Flow => "flow",
            Self::DifferentialPressure => "differential-pressure",
            Self::Composition => "composition",
            Self::Discrete => "discrete",
            Self::Other => "other",
        }
    }

    /// How much later than at once an alarm on such a signal may come, milliseconds (R23): gas must alarm within ten seconds, its poll included.
    pub const fn may_wait_ms(self, poll_ms: u32) -> u32 {
        match self {
            Self::CombustibleGas | Self::ToxicGas | Self::Oxygen => {
                10_000_u32.saturating_sub(poll_ms)
            }
            Self::Flow | Self::Pressure | Self::DifferentialPressure => 15_000,
            Self::Level | Self::Temperature => 60_000,
            Self::Composition | Self::Discrete | Self::Other => 2_000,
        }
    }
}

/// One measured or discrete value.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub id: String,
    pub name: Text,
    pub area: usize,
    pub device: DeviceIndex,
    pub kind: PointKind,
    /// Engineering unit as printed, for example `%LEL`; empty for discrete points.
    pub unit: String,
    /// Measuring range in the engineering unit, low < high.
    pub range: (f64, f64),
    /// Decimal places of the instrument, for display (0–6).
    pub decimals: u8,
    pub register: Register,
    pub scaling: Scaling,
    pub status: Vec<StatusRule>,
    /// A value outside this engineering span is absent as under- or over-range.
    pub over_range_at: Option<f64>,
    pub under_range_at: Option<f64>,
    /// Journalled when the value moved by more than this since the last journalled one (engineering unit, ≥ 0).
    pub exception: f64,
    /// Journalled at least this often, milliseconds.
    pub heartbeat_ms: u32,
    /// The alarms that judge this point's readings, as positions in [`Site::alarms`].
    pub alarms: Vec<AlarmIndex>,
    pub proving: Proving,
    /// For discrete points: what 0 and 1 are called.
    pub states: Option<Box<(Text, Text)>>,
    /// Whether its alarms annunciate and demand outputs; else they are only judged and recorded.
    pub armed: bool,
    /// Armed without a proof.
    pub unproved: Option<Box<Unproved>>,
}

/// Who took it on themselves to arm something that nobody proved, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproved {
    pub by: String,
    /// As the file writes it: `2026-11-28`.
    pub date: String,
    pub reason: String,
}

/// The rule that holds back what is not armed, as the record names it.
pub const UNARMED: &str = "unarmed";

/// How often something is proved and calibrated, and how near a proof must come.
#[derive(Clone, Debug, PartialEq)]
pub struct Proving {
    /// Between two proof tests; `None` = nobody says.
    pub proof: Option<Every>,
    /// Between two calibrations; `None` = it has none.
    pub calibration: Option<Every>,
    /// How far seen may be from expected, in the engineering unit; 0 for what is on or off.
    pub tolerance: f64,
    /// `<id>.PROOF`, where the site file arms it.
    pub alarm: Option<AlarmIndex>,
}

/// An interval and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Every {
    pub days: u32,
    /// Where it comes from if it is usual practice; `None` where the site file says it.
    pub practice: Option<Arc<Text>>,
}

/// What an alarm belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Point(PointIndex),
    Device(DeviceIndex),
    Vote(VoteIndex),
    Output(OutputIndex),
    Manual(ManualIndex),
}

/// What an alarm looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input {
    /// Its subject as it is.
    Value,
    /// How far the value is from this.
    Deviation(Reference),
    /// How far the value moved within `window_ms`.
    Moved { window_ms: u32, moves: Moves },
    /// Whether the value moved by more than `band` since it last did.
    Stands { band: f64 },
    /// The time-weighted mean over `window_ms`.
    Exposure { window_ms: u32 },
}

/// Where a value should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reference {
    Fixed(f64),
    Point(PointIndex),
}

/// Which way a movement counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    Up,
    Down,
    Either,
}

/// One alarm with its id.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// `<point>.<condition>`, `<device>.COMMS`, `<group>.VOTE`, `<output>.FAILED`, `<cause>.MANUAL`, `<point or output>.PROOF`.
    pub id: String,
    pub subject: Subject,
    /// What of its subject it looks at.
    pub input: Input,
    pub definition: Definition,
    /// Longest from the event to the alarm, on-delay included, milliseconds; `None` where nothing is asked. Whoever polls holds its buses against it.
    pub response_ms: Option<u32>,
    /// What to do, shown beside the alarm.
    pub guidance: Option<Box<Text>>,
    /// Where the limit comes from: a preset's name and source, or the site. Most alarms of a site share one.
    pub source: Arc<Text>,
}

/// What an output drives. Valves and shutdowns are requests to a certified system, never commands of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    Horn,
    Siren,
    Beacon,
    Fan,
    ValveRequest,
    PowerCutRequest,
}

impl OutputKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Horn,
        Self::Siren,
        Self::Beacon,
        Self::Fan,
        Self::ValveRequest,
        Self::PowerCutRequest,
    ];

    /// The name in site files and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Horn => "horn",
            Self::Siren => "siren",
            Self::Beacon => "beacon",
            Self::Fan => "fan",
            Self::ValveRequest => "valve-request",
            Self::PowerCutRequest => "power-cut-request",
        }
    }
}

/// One output, a coil or a register on a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    pub id: String,
    pub name: Text,
    pub area: usize,
    pub kind: OutputKind,
    pub device: DeviceIndex,
    pub register: Register,
    /// What the register holds for on and for off (a coil: 1 and 0).
    pub on: u16,
    pub off: u16,
    /// Functions 15 and 16 in place of 5 and 6, for devices that know no single write.
    pub write_multiple: bool,
    /// Stays on until reset.
    pub latching: bool,
    /// Once on, stays on at least this long, milliseconds.
    pub min_run_ms: u32,
    /// What the field device takes when the gateway or the wire to it is gone, as its maker or installer set it; `None` = the file does not say.
    pub fail_safe: Option<FailSafe>,
    /// Where it is seen that the output does what is demanded; `None` = its register's own read-back.
    pub feedback: Option<Feedback>,
    /// `<output>.FAILED`: demand and feedback have disagreed for its on-delay.
    pub failed: AlarmIndex,
    /// Whether causes may switch it.
    pub armed: bool,
    /// Armed without a proof.
    pub unproved: Option<Unproved>,
    pub proving: Proving,
}

/// The state that a field device takes by itself when nobody writes to it any more. For people: the gateway writes nothing when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailSafe {
    On,
    Off,
    /// It stays as it was last written.
    Hold,
}

impl FailSafe {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::On, Self::Off, Self::Hold];

    /// The name in site files and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Hold => "hold",
        }
    }
}

/// A discrete point that shows what an output does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feedback {
    pub point: PointIndex,
    /// The output is on when the point's value ≠ 0 equals this.
    pub when: bool,
}

/// One line of the cause-and-effect table: any cause demands every output.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    pub causes: Vec<AlarmIndex>,
    pub outputs: Vec<OutputIndex>,
}

/// A cause that a person at the plant demands and ends, with a reason; nobody can from afar.
#[derive(Clone, Debug, PartialEq)]
pub struct Manual {
    pub id: String,
    pub name: Text,
    pub area: usize,
    /// `<id>.MANUAL`.
    pub alarm: AlarmIndex,
}

/// A voting group: `needed` of its members trip before `<group>.VOTE` does (R17, R18).
#[derive(Clone, Debug, PartialEq)]
pub struct Vote {
    pub id: String,
    pub name: Text,
    pub area: usize,
    /// At least one, each once.
    pub members: Vec<Member>,
    pub scheme: Scheme,
    /// `<group>.VOTE`, `.DEGRADED`, `.UNMON` and `.DISC`.
    pub vote: AlarmIndex,
    pub degraded: AlarmIndex,
    pub unmonitored: AlarmIndex,
    pub discrepancy: AlarmIndex,
}

/// One voice of a group: an alarm, and the two that say that its instrument cannot be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub alarm: AlarmIndex,
    pub bad: AlarmIndex,
    pub stale: AlarmIndex,
}

/// Suppression by design: while `when` is seen, `alarms` are judged and recorded and not annunciated.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppression {
    pub id: String,
    pub name: Text,
    pub when: When,
    /// What `when` names in the file: the reason that is recorded.
    pub reason: String,
    /// Each once; never the alarm that the rule looks at.
    pub alarms: Vec<AlarmIndex>,
}

/// The state that a suppression waits for, and the alarms that say that it cannot be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// The alarm is active and in service.
    Alarm {
        alarm: AlarmIndex,
        faults: Vec<AlarmIndex>,
    },
    /// The discrete point's value ≠ 0 equals `is`.
    Point {
        point: PointIndex,
        is: bool,
        faults: Vec<AlarmIndex>,
    },
    /// As long as the file says that they are not armed.
    Unarmed,
}

impl Site {
    /// Whether an alarm may annunciate and demand outputs.
    pub fn is_armed(&self, alarm: AlarmIndex) -> bool {
        let mut held = (self.suppressions.iter()).filter(|rule| rule.when == When::Unarmed);
        !held.any(|rule| rule.alarms.contains(&alarm))
    }

    /// The bus of this id.
    pub fn bus(&self, id: &str) -> Option<BusIndex> {
        position(&self.buses, |bus| bus.id == id).map(BusIndex)
    }

    /// The device of this id.
    pub fn device(&self, id: &str) -> Option<DeviceIndex> {
        position(&self.devices, |device| device.id == id).map(DeviceIndex)
    }

    /// The device whose records an alarm's transitions belong to; a group's are kept with those of its first member.
    pub fn home(&self, alarm: AlarmIndex) -> DeviceIndex {
        match self.alarms[alarm.0].subject {
            Subject::Point(point) => self.points[point.0].device,
            Subject::Device(device) => device,
            Subject::Output(output) => self.outputs[output.0].device,
            Subject::Manual(_) => self.home_of_cause(alarm),
            Subject::Vote(vote) => match self.votes[vote.0].members.first() {
                // Members are alarms of points: this ends at once.
                Some(member) => self.home(member.alarm),
                None => DeviceIndex(0),
            },
        }
    }

    /// Of a cause without a device: the device of the first output that it demands; it demands at least one.
    fn home_of_cause(&self, alarm: AlarmIndex) -> DeviceIndex {
        let mut effects = self.effects.iter();
        let effect = effects.find(|effect| effect.causes.contains(&alarm));
        let output = effect.and_then(|effect| effect.outputs.first());
        output.map_or(DeviceIndex(0), |output| self.outputs[output.0].device)
    }

    /// What an alarm belongs to, by name.
    pub fn name_of(&self, subject: Subject) -> &Text {
        match subject {
            Subject::Point(point) => &self.points[point.0].name,
            Subject::Device(device) => &self.devices[device.0].name,
            Subject::Vote(vote) => &self.votes[vote.0].name,
            Subject::Output(output) => &self.outputs[output.0].name,
            Subject::Manual(manual) => &self.manuals[manual.0].name,
        }
    }

    /// The area of what an alarm belongs to; a device has none.
    pub fn area_of(&self, subject: Subject) -> Option<&Area> {
        match subject {
            Subject::Point(point) => self.areas.get(self.points[point.0].area),
            Subject::Device(_) => None,
            Subject::Vote(vote) => self.areas.get(self.votes[vote.0].area),
            Subject::Output(output) => self.areas.get(self.outputs[output.0].area),
            Subject::Manual(manual) => self.areas.get(self.manuals[manual.0].area),
        }
    }
}

fn position<T>(all: &[T], is: impl Fn(&T) -> bool) -> Option<usize> {
    all.iter().position(is)
}
