//! The node's judgement in whole numbers beside the gateway's in floating point, on the same random traces: every transition at the same time, as long as no value
//! comes nearer to an edge than the stated error.
#![allow(clippy::unwrap_used)]

mod rig;

use davy_alarm::{
    Action, Actor, Alarm, Condition, Definition, Instant, NoValue, Priority, Reading, Transition,
    WallMs,
};
use davy_node::Kept;
use davy_wire::node::{Block, Channel, Event, Happening, Id, Life, Limit, LimitKind, Settings};
use rig::{Pages, Rig, ne43};

const TRACES: u64 = 60;
const STEPS: usize = 700;
const KINDS: [LimitKind; 4] = [
    LimitKind::HiHi,
    LimitKind::Hi,
    LimitKind::Lo,
    LimitKind::LoLo,
];

/// A small generator; its seed is its state.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: i64) -> i64 {
        (self.next() >> 11) as i64 % end
    }

    fn within(&mut self, low: i32, high: i32) -> i32 {
        (i64::from(low) + self.below(i64::from(high) - i64::from(low) + 1)) as i32
    }

    /// One channel with four limits that a node takes.
    fn settings(&mut self) -> Settings {
        loop {
            let low = self.within(-2_000_000, 1_000_000);
            let high = low + self.within(1_000, 5_000_000);
            let limits = KINDS.map(|kind| {
                Some(Limit {
                    kind,
                    priority: Priority::P2,
                    latching: self.below(3) == 0,
                    gas_level_2: false,
                    set_point: self.within(low, high),
                    deadband: self.within(0, (high - low) / 8),
                    on_delay_ds: self.below(12) as u16,
                    off_delay_ds: self.below(12) as u16,
                })
            });
            let mut settings = Settings::EMPTY;
            settings.life = Life::None;
            settings.channels[0] = Some(Channel {
                low,
                high,
                filter_ms: 0,
                bad_delay_ds: 20,
                warm_up_s: 0,
                bands: ne43(),
                limits,
            });
            if Block::of(&settings).settings().is_ok() {
                return settings;
            }
        }
    }

    /// Mostly a walk, now and then a jump or a broken loop.
    fn current(&mut self, before: u16) -> u16 {
        let moved = match self.below(40) {
            0 => self.below(22_000),
            1 => self.below(4_000),
            _ => i64::from(before) + self.below(1_201) - 600,
        };
        moved.clamp(0, 22_000) as u16
    }
}

/// What the gateway makes of the current: NE 43, then the scale, in floating point.
fn reading(channel: &Channel, ua: u16) -> Reading {
    let ma = f64::from(ua) / 1e3;
    let absent = |cause| Reading::absent(cause, WallMs(0));
    match ua {
        ..1_000 => absent(NoValue::BrokenLoop),
        ..3_600 | 21_000.. => absent(NoValue::SensorFault),
        ..3_800 | 20_500.. => Reading::uncertain(scaled(channel, ma), WallMs(0)),
        _ => Reading::measured(scaled(channel, ma), WallMs(0)),
    }
}

fn scaled(channel: &Channel, ma: f64) -> f64 {
    let (low, high) = (f64::from(channel.low) / 1e3, f64::from(channel.high) / 1e3);
    low + (ma - 4.0) / 16.0 * (high - low)
}

/// Half a thousandth of the unit and two millionths of the span (docs/node.md).
fn error(channel: &Channel) -> f64 {
    0.0005 + 2e-6 * (f64::from(channel.high) - f64::from(channel.low)) / 1e3
}

fn edges(limit: &Limit) -> [f64; 2] {
    let (at, band) = (
        f64::from(limit.set_point) / 1e3,
        f64::from(limit.deadband) / 1e3,
    );
    let clears = if limit.kind.is_high() {
        at - band
    } else {
        at + band
    };
    [at, clears]
}

fn is_clear_of_edges(channel: &Channel, ua: u16) -> bool {
    let value = scaled(channel, f64::from(ua) / 1e3);
    let near = |edge: f64| (value - edge).abs() <= error(channel);
    let limits = channel.limits.iter().flatten();
    !limits.flat_map(edges).any(near)
}

/// The same alarm in the gateway's units.
fn alarm(limit: &Limit) -> Alarm {
    let set_point = f64::from(limit.set_point) / 1e3;
    let deadband = f64::from(limit.deadband) / 1e3;
    let condition = match limit.kind {
        LimitKind::HiHi => Condition::HiHi {
            set_point,
            deadband,
        },
        LimitKind::Hi => Condition::Hi {
            set_point,
            deadband,
        },
        LimitKind::Lo => Condition::Lo {
            set_point,
            deadband,
        },
        LimitKind::LoLo => Condition::LoLo {
            set_point,
            deadband,
        },
    };
    let definition = Definition {
        condition,
        priority: limit.priority,
        on_delay_ms: u32::from(limit.on_delay_ds) * 100,
        off_delay_ms: u32::from(limit.off_delay_ds) * 100,
        latching: limit.latching,
        gas_level_2: limit.gas_level_2,
        re_alarm_ms: None,
        shelve_max_minutes: 480,
        remote_reset: false,
    };
    Alarm::new(definition, Instant(0))
}

/// The gateway's side: four alarms, and what they did.
struct Gateway {
    alarms: Vec<Alarm>,
    told: Vec<(u8, u64, Transition)>,
}

impl Gateway {
    fn step(&mut self, reading: Option<&Reading>, now: Instant) {
        for (number, alarm) in (0_u8..).zip(&mut self.alarms) {
            while let Some((at, transition)) = alarm.fire(now) {
                self.told
                    .extend(transition.map(|told| (number, at.0, told)));
            }
            let observed = reading.and_then(|reading| alarm.observe(reading, now));
            self.told.extend(observed.map(|told| (number, now.0, told)));
        }
    }

    fn acknowledge(&mut self, number: u8, occurrence: u32, now: Instant) -> bool {
        self.step(None, now);
        let action = Action::Acknowledge {
            occurrence: Some(occurrence),
        };
        let actor = Actor {
            remote: true,
            maintenance: false,
        };
        let acted = self.alarms[usize::from(number)].act(action, actor, now);
        self.told
            .extend(acted.ok().map(|told| (number, now.0, told)));
        acted.is_ok()
    }
}

/// The node's transitions of its four limits since `from`.
fn node_told(rig: &mut Rig<'_>, from: u32) -> Vec<(u8, u64, Transition)> {
    let of_limit = |event: Event| match event.what {
        Happening::Alarm { number, transition } if number < 4 => {
            Some((number, event.time_ms as u64, transition))
        }
        _ => None,
    };
    rig.events(from).into_iter().filter_map(of_limit).collect()
}

fn in_order(mut told: Vec<(u8, u64, Transition)>) -> Vec<(u8, u64, Transition)> {
    // Between alarms any order (R4); those of one alarm keep theirs.
    told.sort_by_key(|(number, at, _)| (*number, *at));
    told
}

#[test]
fn node_and_gateway_judge_the_same_traces_alike() {
    let (mut transitions, mut avoided, mut worst) = (0, 0, 0.0_f64);
    for seed in 1..=TRACES {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let settings = random.settings();
        let channel = settings.channels[0].unwrap();
        let (mut kept, pages) = (Kept::NEW, Pages::new());
        let mut rig = Rig::configured(&mut kept, &pages, &settings);
        let mut gateway = Gateway {
            alarms: channel.limits.iter().flatten().map(alarm).collect(),
            told: Vec::new(),
        };
        let mut ua = 12_000;
        for _ in 0..STEPS {
            ua = random.current(ua);
            while !is_clear_of_edges(&channel, ua) {
                (ua, avoided) = (random.current(ua), avoided + 1);
            }
            let before = rig.input(Id::EventNext, 0) as u32;
            gateway.told.clear();
            rig.now += 20 + random.below(200) as u64;
            rig.current(0, ua);
            let number = random.below(4) as u8;
            if random.below(6) == 0 {
                let occurrence = gateway.alarms[usize::from(number)].occurrence();
                let words = [u16::from(number), occurrence as u16];
                let acted = rig.write(Id::Acknowledge, 0, &words).is_ok();
                let same = gateway.acknowledge(number, occurrence, Instant(rig.now));
                assert_eq!(acted, same, "trace {seed}");
            }
            rig.run(0);
            let seen = reading(&channel, ua);
            gateway.step(Some(&seen), Instant(rig.now));
            let told = in_order(node_told(&mut rig, before));
            assert_eq!(
                told,
                in_order(gateway.told.clone()),
                "trace {seed}, {ua} uA"
            );
            transitions += told.len();
            if rig.input(Id::ChannelStatus, 0) == 0 {
                let bits = rig.input(Id::ChannelValue, 0) as u32;
                let node = f64::from(bits.cast_signed()) / 1e3;
                let off = (node - scaled(&channel, f64::from(ua) / 1e3)).abs();
                assert!(off <= error(&channel), "trace {seed}: {off}");
                worst = worst.max(off / error(&channel));
            }
        }
    }
    println!(
        "FIGURE {transitions} transitions alike in {TRACES} traces of {STEPS} readings; {avoided} readings nearer to an edge than the error were drawn again; worst error {:.0} % of the stated",
        worst * 100.0
    );
    assert!(transitions > 2_000, "{transitions}");
}
