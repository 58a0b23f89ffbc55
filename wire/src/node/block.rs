//! The configuration block: [`Settings`] in 440 registers, each a big-endian word on the wire; 32-bit values most significant word first. What is not said is zero.
//!
//! | Words | Content |
//! |---|---|
//! | 0 | layout, 1 |
//! | 1 | life: 0 none, 1 any request, 2 heartbeat |
//! | 2 | silent after, s: at least 6 where life is not none |
//! | 3 | unit id, 1–247 |
//! | 4 + 48 c | channel c: 1 in use, else all of it is zero |
//! | +1, +3 | value at 4 mA and at 20 mA, i32 thousandths |
//! | +5, +6, +7 | filter ms, delay of BAD in 0.1 s, warm-up s |
//! | +8 … +19 | six bands: below, µA; meaning: 0 measures, 1 uncertain, 7 over-range, 8 under-range, 9 sensor fault, 10 broken loop, 11 inhibit, 12 calibration, 13 warm-up |
//! | +20 + 7 l | limit l: bits 0–7 kind (0 none, 1 HH, 2 H, 3 L, 4 LL), 8 latching, 9 gas level 2, 10–11 priority less 1 |
//! | +21, +23 | set-point and deadband, i32 thousandths |
//! | +25, +26 | on-delay and off-delay, 0.1 s |
//! | 388 + 6 g | group g: bits 0–7 members (0: none), 8–9 limit, 10 a fault votes to trip, 11 safety, 12 latching |
//! | +1 | needed |
//! | +2, +3 | delay of the vote and of the discrepancy, 0.1 s |
//! | 412 + 7 r | relay r: causes, u64, bit n for alarm n |
//! | +4 | bits: 0 normally energised, 1 horn, 2 the gateway may request, 3 demanded when failed |
//! | +5 | when the gateway is silent: 0 keeps its request, 1 drops it, 2 demands |
//! | +6 | runs at least, s |

use super::settings::{
    Band, Channel, Group, Life, Limit, LimitKind, Meaning, Relay, RelayFlags, Settings, Silence,
};
use super::{ALARMS, BANDS, BlockWord, CHANNELS, GROUPS, LEAST_SILENT_S, LIMITS, RELAYS, crc32};
use davy_alarm::{FaultPolicy, NoValue, Priority, Scheme};

const LAYOUT: u16 = 1;
pub(super) const HEAD: usize = 4;
pub(super) const FIRST_BAND: usize = 8;
pub(super) const FIRST_LIMIT: usize = FIRST_BAND + 2 * BANDS;
pub(super) const CHANNEL: usize = FIRST_LIMIT + LIMITS * LIMIT;
pub(super) const LIMIT: usize = 7;
pub(super) const GROUP: usize = 6;
pub(super) const RELAY: usize = 7;
pub(super) const FIRST_GROUP: usize = HEAD + CHANNELS * CHANNEL;
pub(super) const FIRST_RELAY: usize = FIRST_GROUP + GROUPS * GROUP;
/// Gas level 2 acts within so many tenths of a second (R23).
const GAS_LEVEL_2_DS: u16 = 20;

/// Registers of a configuration block.
pub const BLOCK_WORDS: usize = FIRST_RELAY + RELAYS * RELAY;

/// A configuration block as it crosses the link and lies in flash; what it says may be wrong until [`Block::settings`] has read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block(pub [u16; BLOCK_WORDS]);

/// The first word of a block that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockError {
    pub word: u16,
}

impl core::fmt::Display for BlockError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { word } = self;
        let (register, of) = (super::STAGED_AT.saturating_add(*word), BlockWord(*word));
        write!(
            formatter,
            "word {word} of the configuration block ({of}; holding register {register}) is not valid: see the block's layout in docs/node.md"
        )
    }
}

impl core::error::Error for BlockError {}

type Checked<T> = Result<T, BlockError>;

impl Block {
    /// Says nothing at all, and is not valid.
    pub const ZERO: Self = Self([0; BLOCK_WORDS]);

    /// CRC-32 of the words, each big-endian: what a commit names.
    pub fn crc(&self) -> u32 {
        crc32(self.0.iter().flat_map(|word| word.to_be_bytes()))
    }

    /// The block that says this.
    pub fn of(settings: &Settings) -> Self {
        let mut writer = Writer {
            words: [0; BLOCK_WORDS],
            at: 0,
        };
        writer.put(LAYOUT);
        writer.put(match settings.life {
            Life::None => 0,
            Life::Request => 1,
            Life::Heartbeat => 2,
        });
        writer.put(settings.silent_after_s);
        writer.put(u16::from(settings.unit));
        for (nth, channel) in settings.channels.iter().enumerate() {
            writer.at = HEAD + nth * CHANNEL;
            channel.iter().for_each(|channel| writer.channel(channel));
        }
        for (nth, group) in settings.groups.iter().enumerate() {
            writer.at = FIRST_GROUP + nth * GROUP;
            group.iter().for_each(|group| writer.group(group));
        }
        for (nth, relay) in settings.relays.iter().enumerate() {
            writer.at = FIRST_RELAY + nth * RELAY;
            writer.relay(relay);
        }
        Self(writer.words)
    }

    /// What the block says, if all of it can be.
    pub fn settings(&self) -> Checked<Settings> {
        let mut settings = Settings::EMPTY;
        let mut reader = Reader {
            words: &self.0,
            at: 0,
        };
        reader.check(|word| word == LAYOUT)?;
        settings.life = match reader.check(|word| word <= 2)? {
            0 => Life::None,
            1 => Life::Request,
            _ => Life::Heartbeat,
        };
        settings.silent_after_s =
            reader.check(|s| s >= LEAST_SILENT_S || settings.life == Life::None)?;
        settings.unit = reader.check(|word| (1..=247).contains(&word))? as u8;
        for channel in &mut settings.channels {
            *channel = reader.channel()?;
        }
        for group in &mut settings.groups {
            *group = reader.group(&settings.channels)?;
        }
        for relay in &mut settings.relays {
            *relay = reader.relay()?;
        }
        Ok(settings)
    }
}

struct Writer {
    words: [u16; BLOCK_WORDS],
    at: usize,
}

impl Writer {
    fn put(&mut self, word: u16) {
        if let Some(place) = self.words.get_mut(self.at) {
            *place = word;
        }
        self.at += 1;
    }

    fn put_32(&mut self, value: i32) {
        let bits = value.cast_unsigned();
        self.put((bits >> 16) as u16);
        self.put(bits as u16);
    }

    fn channel(&mut self, channel: &Channel) {
        let begin = self.at;
        self.put(1);
        self.put_32(channel.low);
        self.put_32(channel.high);
        self.put(channel.filter_ms);
        self.put(channel.bad_delay_ds);
        self.put(channel.warm_up_s);
        for band in &channel.bands {
            self.put(band.below_ua);
            self.put(match band.means {
                Meaning::Measures => 0,
                Meaning::Uncertain => 1,
                Meaning::Absent(cause) => cause.code(),
            });
        }
        for (nth, limit) in channel.limits.iter().enumerate() {
            self.at = begin + FIRST_LIMIT + nth * LIMIT;
            limit.iter().for_each(|limit| self.limit(limit));
        }
    }

    fn limit(&mut self, limit: &Limit) {
        let kind = match limit.kind {
            LimitKind::HiHi => 1,
            LimitKind::Hi => 2,
            LimitKind::Lo => 3,
            LimitKind::LoLo => 4,
        };
        let priority = u16::from(limit.priority.number() - 1);
        self.put(
            kind | u16::from(limit.latching) << 8
                | u16::from(limit.gas_level_2) << 9
                | priority << 10,
        );
        self.put_32(limit.set_point);
        self.put_32(limit.deadband);
        self.put(limit.on_delay_ds);
        self.put(limit.off_delay_ds);
    }

    fn group(&mut self, group: &Group) {
        let trip = group.scheme.fault == FaultPolicy::VoteTrip;
        self.put(
            u16::from(group.members)
                | u16::from(group.limit & 3) << 8
                | u16::from(trip) << 10
                | u16::from(group.scheme.safety) << 11
                | u16::from(group.latching) << 12,
        );
        self.put(u16::from(group.scheme.needed));
        self.put(group.on_delay_ds);
        self.put(group.discrepancy_ds);
    }

    fn relay(&mut self, relay: &Relay) {
        for shift in [48, 32, 16, 0] {
            self.put((relay.causes >> shift) as u16);
        }
        let flags = &relay.flags;
        self.put(
            u16::from(flags.normally_energised)
                | u16::from(flags.horn) << 1
                | u16::from(flags.gateway_may_request) << 2
                | u16::from(flags.demanded_when_failed) << 3,
        );
        self.put(match relay.when_silent {
            Silence::Keep => 0,
            Silence::Drop => 1,
            Silence::Demand => 2,
        });
        self.put(relay.run_s);
    }
}

struct Reader<'a> {
    words: &'a [u16; BLOCK_WORDS],
    at: usize,
}

impl Reader<'_> {
    /// The next word, if it may be.
    fn check(&mut self, may_be: impl FnOnce(u16) -> bool) -> Checked<u16> {
        let word = self.words.get(self.at).copied();
        let word = word
            .filter(|word| may_be(*word))
            .ok_or(self.wrong(self.at))?;
        self.at += 1;
        Ok(word)
    }

    fn any(&mut self) -> Checked<u16> {
        self.check(|_| true)
    }

    const fn wrong(&self, at: usize) -> BlockError {
        BlockError { word: at as u16 }
    }

    fn signed(&mut self, may_be: impl FnOnce(i32) -> bool) -> Checked<i32> {
        let at = self.at;
        let value = (u32::from(self.any()?) << 16 | u32::from(self.any()?)).cast_signed();
        if may_be(value) {
            Ok(value)
        } else {
            Err(self.wrong(at))
        }
    }

    fn zeros(&mut self, count: usize) -> Checked<()> {
        (0..count).try_for_each(|_| self.check(|word| word == 0).map(|_| ()))
    }

    fn channel(&mut self) -> Checked<Option<Channel>> {
        if self.check(|word| word <= 1)? == 0 {
            return self.zeros(CHANNEL - 1).map(|()| None);
        }
        let low = self.signed(|_| true)?;
        let mut channel = Channel {
            low,
            high: self.signed(|high| high > low)?,
            filter_ms: self.any()?,
            bad_delay_ds: self.any()?,
            warm_up_s: self.any()?,
            bands: self.bands()?,
            limits: [None; LIMITS],
        };
        let (low, high) = (channel.low, channel.high);
        for limit in &mut channel.limits {
            *limit = self.limit(low, high)?;
        }
        Ok(Some(channel))
    }

    /// Rising to 65535, then zero.
    fn bands(&mut self) -> Checked<[Band; BANDS]> {
        let mut bands = [Band {
            below_ua: 0,
            means: Meaning::Measures,
        }; BANDS];
        let mut reached = 0;
        for band in &mut bands {
            if reached == u16::MAX {
                self.zeros(2)?;
                continue;
            }
            reached = self.check(|below| below > reached)?;
            *band = Band {
                below_ua: reached,
                means: self.meaning()?,
            };
        }
        if reached == u16::MAX {
            Ok(bands)
        } else {
            Err(self.wrong(self.at - 2))
        }
    }

    fn meaning(&mut self) -> Checked<Meaning> {
        Ok(match self.check(|word| matches!(word, 0 | 1 | 7..=13))? {
            0 => Meaning::Measures,
            1 => Meaning::Uncertain,
            code => Meaning::Absent(NoValue::from_code(code).ok_or(self.wrong(self.at - 1))?),
        })
    }

    fn limit(&mut self, low: i32, high: i32) -> Checked<Option<Limit>> {
        let head = self.check(|word| word & 0xff <= 4 && word >> 12 == 0)?;
        let kind = match head & 0xff {
            0 if head != 0 => return Err(self.wrong(self.at - 1)),
            0 => return self.zeros(LIMIT - 1).map(|()| None),
            1 => LimitKind::HiHi,
            2 => LimitKind::Hi,
            3 => LimitKind::Lo,
            _ => LimitKind::LoLo,
        };
        let gas_level_2 = head & 1 << 9 != 0;
        let set_point = self.signed(|set_point| (low..=high).contains(&set_point))?;
        Ok(Some(Limit {
            kind,
            priority: Priority::from_number((head >> 10 & 3) as u8 + 1).unwrap_or(Priority::P1),
            latching: head & 1 << 8 != 0,
            gas_level_2,
            set_point,
            deadband: self.signed(|deadband| clears(kind, set_point, deadband, low, high))?,
            on_delay_ds: self.check(|ds| !gas_level_2 || ds <= GAS_LEVEL_2_DS)?,
            off_delay_ds: self.any()?,
        }))
    }

    /// Members are channels in use that have this limit; never more needed than there are.
    fn group(&mut self, channels: &[Option<Channel>; CHANNELS]) -> Checked<Option<Group>> {
        let head = self.check(|word| word >> 13 == 0)?;
        let (members, limit) = (head as u8, head >> 8 & 3);
        if members == 0 {
            return if head == 0 {
                self.zeros(GROUP - 1).map(|()| None)
            } else {
                Err(self.wrong(self.at - 1))
            };
        }
        let has_limit = |(nth, channel): (usize, &Option<Channel>)| {
            let has = |channel: &Channel| {
                channel
                    .limits
                    .get(usize::from(limit))
                    .is_some_and(Option::is_some)
            };
            members >> nth & 1 == 0 || channel.as_ref().is_some_and(has)
        };
        if !channels.iter().enumerate().all(has_limit) {
            return Err(self.wrong(self.at - 1));
        }
        let most = members.count_ones() as u16;
        let needed = self.check(|needed| (1..=most).contains(&needed))?;
        let group = Group {
            members,
            limit: limit as u8,
            scheme: Scheme {
                needed: needed as u8,
                fault: if head & 1 << 10 == 0 {
                    FaultPolicy::Exclude
                } else {
                    FaultPolicy::VoteTrip
                },
                safety: head & 1 << 11 != 0,
            },
            latching: head & 1 << 12 != 0,
            on_delay_ds: self.any()?,
            discrepancy_ds: self.any()?,
        };
        self.zeros(2)?;
        Ok(Some(group))
    }

    fn relay(&mut self) -> Checked<Relay> {
        let first = self.check(|word| u64::from(word) << 48 >> ALARMS == 0)?;
        let mut causes = u64::from(first);
        for _ in 0..3 {
            causes = causes << 16 | u64::from(self.any()?);
        }
        let flags = self.check(|word| word >> 4 == 0)?;
        Ok(Relay {
            causes,
            flags: RelayFlags {
                normally_energised: flags & 1 != 0,
                horn: flags & 2 != 0,
                gateway_may_request: flags & 4 != 0,
                demanded_when_failed: flags & 8 != 0,
            },
            when_silent: match self.check(|word| word <= 2)? {
                0 => Silence::Keep,
                1 => Silence::Drop,
                _ => Silence::Demand,
            },
            run_s: self.any()?,
        })
    }
}

/// Whether the deadband is one, and some value of the range ends the alarm (R23).
const fn clears(kind: LimitKind, set_point: i32, deadband: i32, low: i32, high: i32) -> bool {
    let edge = if kind.is_high() {
        (set_point as i64 - deadband as i64) > low as i64
    } else {
        (set_point as i64 + deadband as i64) < high as i64
    };
    deadband >= 0 && edge
}
