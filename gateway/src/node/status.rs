//! How a node does, read in one piece from the front of its input registers. Pure.

use super::registers::register;
use davy_wire::node::{Id, MAP_VERSION};
use serde::Serialize;

/// Registers from the first of the input table to the end of `EventFirst`.
pub(super) fn length() -> u16 {
    register(Id::EventFirst).end()
}

/// What a node says of itself; every field is the register of that name (docs/node.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    pub map_version: u16,
    pub firmware: [u16; 3],
    /// 0: none was ever committed.
    pub config_version: u16,
    pub config_crc: u32,
    pub uptime_ms: i64,
    pub boot_count: u16,
    /// 1 power, 2 watchdog, 3 panic, 4 processor fault, 5 asked for.
    pub reset_cause: u16,
    /// Failed self-tests, by bit.
    pub self_test: u16,
    pub stack_free: u16,
    pub loop_max_us: u16,
    /// 1: the wall clock was set.
    pub time_quality: u16,
    /// UTC milliseconds, or 0.
    pub wall_ms: i64,
    /// Seconds that its configuration may still be written; 0 is locked.
    pub unlocked_s: u16,
    /// Seconds since the gateway's last sign of life.
    pub silent_s: u16,
    /// 1: the relays' policy for a silent gateway holds.
    pub gateway_silent: u16,
    pub heartbeat_out: u16,
    pub horn: u16,
    /// Why the last write was refused.
    pub refusal: u16,
    pub bad_field: u16,
    pub frames: u32,
    pub bad_frames: u32,
    pub event_oldest: u32,
    pub event_next: u32,
    /// Number of the first event since power came.
    pub event_first: u32,
}

impl Status {
    /// Reads the registers; `None` if they are too few, or of a map that this gateway does not know: it must not guess what stands where.
    pub fn of(words: &[u16]) -> Option<Self> {
        let front = Front(words);
        let status = Self {
            map_version: front.one(Id::MapVersion, 0)?,
            firmware: [
                front.one(Id::FirmwareVersion, 0)?,
                front.one(Id::FirmwareVersion, 1)?,
                front.one(Id::FirmwareVersion, 2)?,
            ],
            config_version: front.one(Id::ConfigVersion, 0)?,
            config_crc: front.two(Id::ConfigCrc)?,
            uptime_ms: front.four(Id::UptimeMs)?,
            boot_count: front.one(Id::BootCount, 0)?,
            reset_cause: front.one(Id::ResetCause, 0)?,
            self_test: front.one(Id::SelfTest, 0)?,
            stack_free: front.one(Id::StackFree, 0)?,
            loop_max_us: front.one(Id::LoopMaxUs, 0)?,
            time_quality: front.one(Id::TimeQuality, 0)?,
            wall_ms: front.four(Id::WallMs)?,
            unlocked_s: front.one(Id::UnlockedS, 0)?,
            silent_s: front.one(Id::GatewaySilentS, 0)?,
            gateway_silent: front.one(Id::GatewaySilent, 0)?,
            heartbeat_out: front.one(Id::HeartbeatOut, 0)?,
            horn: front.one(Id::Horn, 0)?,
            refusal: front.one(Id::Refusal, 0)?,
            bad_field: front.one(Id::BadField, 0)?,
            frames: front.two(Id::Frames)?,
            bad_frames: front.two(Id::BadFrames)?,
            event_oldest: front.two(Id::EventOldest)?,
            event_next: front.two(Id::EventNext)?,
            event_first: front.two(Id::EventFirst)?,
        };
        (status.map_version == MAP_VERSION).then_some(status)
    }
}

/// The words from input register 0 on.
struct Front<'a>(&'a [u16]);

impl Front<'_> {
    fn one(&self, id: Id, offset: u16) -> Option<u16> {
        let at = register(id).address + offset;
        self.0.get(usize::from(at)).copied()
    }

    fn two(&self, id: Id) -> Option<u32> {
        Some(u32::from(self.one(id, 0)?) << 16 | u32::from(self.one(id, 1)?))
    }

    fn four(&self, id: Id) -> Option<i64> {
        let bits = (0..4).try_fold(0_u64, |bits, offset| {
            Some(bits << 16 | u64::from(self.one(id, offset)?))
        });
        bits.map(u64::cast_signed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_the_register_of_its_name() {
        let mut words: Vec<u16> = (0..length()).collect();
        assert_eq!(Status::of(&words), None, "map version 0 is no map of ours");
        words[0] = MAP_VERSION;
        let status = Status::of(&words).expect("a whole front");
        assert_eq!(status.firmware, [1, 2, 3]);
        assert_eq!(status.config_crc, 0x0005_0006);
        assert_eq!(status.uptime_ms, 0x0007_0008_0009_000a);
        assert_eq!((status.self_test, status.unlocked_s), (13, 21));
        assert_eq!(status.event_next, 0x0022_0023);
        assert_eq!(status.event_first, 0x0024_0025);
        assert_eq!(Status::of(&words[..words.len() - 1]), None);
    }
}
