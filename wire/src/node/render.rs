//! What people and the gateway read of the map: the profile's signals and the manual's table.

use super::{COUNT, Id, REGISTERS, Register, Spelling, Table, WHAT};
use std::fmt::Write as _;

/// The causes that a channel's status takes its value away for: from, to, cause. What is none of them is no measurement either.
const STATUS: [(u16, u16, &str); 10] = [
    (1, 1, "warm-up"),
    (2, 2, "broken-loop"),
    (7, 7, "over-range"),
    (8, 8, "under-range"),
    (9, 9, "sensor-fault"),
    (10, 10, "broken-loop"),
    (11, 11, "inhibit"),
    (12, 12, "calibration"),
    (13, 13, "warm-up"),
    (1, u16::MAX, "unknown-code"),
];

/// The gateway's profile, without examples: `config/profiles/davy-node.toml` begins with it.
pub fn profile() -> String {
    let mut text = String::from(
        "id = \"davy-node\"\n\
         name = { zh = \"Davy 采集与继电器节点\", en = \"Davy sensor and relay node\" }\n\
         source = \"The node's own register map, version 2 (docs/node.md)\"\n\
         confidence = \"V\"\n",
    );
    for register in &REGISTERS {
        if let Some(name) = signal_name(register.id) {
            signal(&mut text, register, name);
        }
    }
    text
}

/// Registers that the gateway may take as points and outputs.
const fn signal_name(id: Id) -> Option<&'static str> {
    Some(match id {
        Id::RelayRequest => "request",
        Id::AlarmActive => "alarm",
        Id::RelayDemand => "relay",
        Id::RelayFeedback => "feedback",
        Id::KeyPressed => "key",
        Id::ConfigVersion => "config-version",
        Id::ResetCause => "reset-cause",
        Id::SelfTest => "self-test",
        Id::StackFree => "stack-free",
        Id::UnlockedS => "unlocked",
        Id::GatewaySilent => "gateway-silent",
        Id::HeartbeatOut => "heartbeat",
        Id::Horn => "horn",
        Id::ChannelValue => "channel",
        Id::ChannelCurrent => "loop",
        Id::AlarmState => "alarm-state",
        _ => return None,
    })
}

fn signal(text: &mut String, register: &Register, name: &str) {
    let table = match register.table {
        Table::Coil => "coil",
        Table::DiscreteInput => "discrete-input",
        Table::Holding => "holding",
        Table::Input => "input",
    };
    let row = register.count > 1;
    let number = if row { "{n}" } else { "" };
    let _ = write!(text, "\n[[signal]]\nid = \"{name}{number}\"\n");
    if row {
        let _ = writeln!(text, "count = {}", register.count);
    }
    if register.spelling.width() > 1 {
        let _ = writeln!(text, "stride = {}", register.spelling.width());
    }
    let _ = write!(
        text,
        "table = \"{table}\"\naddress = {}\n",
        register.address
    );
    if register.spelling == Spelling::I32 {
        text.push_str("as = \"i32\"\nscale = 0.001\n");
    }
    match register.id {
        Id::ChannelValue => statuses(text),
        Id::ChannelCurrent => text.push_str("scale = 0.001\ncurrent_ma = \"ne43\"\n"),
        Id::RelayRequest => text.push_str("write = {}\n"),
        _ => {}
    }
}

fn statuses(text: &mut String) {
    let status = REGISTERS
        .iter()
        .find(|register| register.id == Id::ChannelStatus);
    let address = status.map_or(0, |register| register.address);
    for (from, to, cause) in STATUS {
        let _ = write!(text, "[[signal.status]]\naddress = {address}\nstride = 1\n");
        let _ = match (from, to) {
            (from, u16::MAX) => writeln!(text, "from = {from}"),
            (is, _) => writeln!(text, "is = {is}"),
        };
        let _ = writeln!(text, "cause = \"{cause}\"");
    }
}

/// The manual's table of registers: docs/node.md holds it.
pub fn manual() -> String {
    let mut text = String::from(
        "| Table | Address | Elements | Spelling | Register | Meaning |\n|---|---|---|---|---|---|\n",
    );
    for at in 0..COUNT {
        let register = &REGISTERS[at];
        let table = match register.table {
            Table::Coil => "coil",
            Table::DiscreteInput => "discrete input",
            Table::Holding => "holding",
            Table::Input => "input",
        };
        let spelling = match register.spelling {
            Spelling::Bit => "bit".to_owned(),
            Spelling::U16 => "u16".to_owned(),
            Spelling::U32 => "u32".to_owned(),
            Spelling::I32 => "i32".to_owned(),
            Spelling::I64 => "i64".to_owned(),
            Spelling::Words(width) => format!("{width} words"),
        };
        let (id, what) = (register.id, WHAT[at]);
        let (address, count) = (register.address, register.count);
        let _ = writeln!(
            text,
            "| {table} | {address} | {count} | {spelling} | `{id:?}` | {what} |"
        );
    }
    text
}
