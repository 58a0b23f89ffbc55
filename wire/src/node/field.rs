//! The words of a configuration block by name, for whoever reads an error.

use super::block::{
    CHANNEL, FIRST_BAND, FIRST_GROUP, FIRST_LIMIT, FIRST_RELAY, GROUP, HEAD, LIMIT, RELAY,
};
use core::fmt::{Display, Formatter, Result};

/// A word of the block: what it belongs to, by numbers from 1, and its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockWord(pub u16);

impl Display for BlockWord {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        let word = usize::from(self.0);
        let within = |first: usize, length: usize| {
            let (nth, field) = ((word - first) / length, (word - first) % length);
            (nth + 1, field)
        };
        match word {
            0..HEAD => {
                formatter.write_str(field(&["layout", "life", "silent after", "unit id"], word))
            }
            HEAD..FIRST_GROUP => {
                let (channel, at) = within(HEAD, CHANNEL);
                write!(formatter, "channel {channel}, ")?;
                match at {
                    0..FIRST_BAND => formatter.write_str(field(&CHANNEL_FIELDS, at)),
                    FIRST_BAND..FIRST_LIMIT => {
                        let (band, part) = ((at - FIRST_BAND) / 2 + 1, (at - FIRST_BAND) % 2);
                        write!(
                            formatter,
                            "band {band}, {}",
                            field(&["below", "meaning"], part)
                        )
                    }
                    _ => {
                        let (limit, part) =
                            ((at - FIRST_LIMIT) / LIMIT + 1, (at - FIRST_LIMIT) % LIMIT);
                        write!(formatter, "limit {limit}, {}", field(&LIMIT_FIELDS, part))
                    }
                }
            }
            FIRST_GROUP..FIRST_RELAY => {
                let (group, at) = within(FIRST_GROUP, GROUP);
                write!(formatter, "group {group}, {}", field(&GROUP_FIELDS, at))
            }
            _ => {
                let (relay, at) = within(FIRST_RELAY, RELAY);
                write!(formatter, "relay {relay}, {}", field(&RELAY_FIELDS, at))
            }
        }
    }
}

const CHANNEL_FIELDS: [&str; FIRST_BAND] = [
    "in use",
    "value at 4 mA",
    "value at 4 mA",
    "value at 20 mA",
    "value at 20 mA",
    "filter",
    "delay of BAD",
    "warm-up",
];
const LIMIT_FIELDS: [&str; LIMIT] = [
    "kind and priority",
    "set-point",
    "set-point",
    "deadband",
    "deadband",
    "on-delay",
    "off-delay",
];
const GROUP_FIELDS: [&str; GROUP] = [
    "members and limit",
    "needed",
    "delay of the vote",
    "delay of the discrepancy",
    "always zero",
    "always zero",
];
const RELAY_FIELDS: [&str; RELAY] = [
    "causes",
    "causes",
    "causes",
    "causes",
    "switches",
    "when the gateway is silent",
    "minimum run",
];

fn field(of: &[&'static str], at: usize) -> &'static str {
    of.get(at).copied().unwrap_or("beyond its end")
}
