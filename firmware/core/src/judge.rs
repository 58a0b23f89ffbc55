//! The node's sixty alarms, each a `davy_alarm::Alarm`. Only those that the configuration has exist.
//!
//! The order of one instant is R4's: timers due before, each at its own time and votes after each; then readings; then votes, once.

use crate::kept::State;
use crate::sampling::Sensed;
use davy_alarm::{
    Action, Actor, Alarm, Ballot, Condition, Definition, Instant, Priority, Reading, Refusal,
    Saved, Signal, Transition, WallMs,
};
use davy_wire::node::{ALARMS, AlarmId, CHANNELS, GROUPS, Group, Limit, LimitKind, Settings};

/// A relay whose feedback differs so long has failed, milliseconds: longer than a contactor takes.
const FEEDBACK_MS: u32 = 500;
const MS_PER_DS: u32 = 100;
/// The node never shelves; the definition must say something.
const SHELVE_MAX_MINUTES: u16 = 480;

/// Every alarm of the node.
#[derive(Debug)]
pub struct Judge {
    alarms: [Option<Alarm>; ALARMS],
    /// The highest occurrence of any alarm that a configuration ended: one that comes later begins above it.
    ended_at: u32,
}

/// Where transitions go, with the time that they happened at.
pub(crate) trait Told {
    fn alarm(&mut self, number: u8, transition: Transition, at: Instant);
}

impl Judge {
    /// No alarm at all.
    pub const fn empty() -> Self {
        Self {
            alarms: [const { None }; ALARMS],
            ended_at: 0,
        }
    }

    /// The alarms that the settings have, as `states` left them (R20).
    pub fn configure(&mut self, settings: &Settings, states: &[State; ALARMS], now: Instant) {
        for (number, (alarm, state)) in self.alarms.iter_mut().zip(states).enumerate() {
            let definition = u8::try_from(number)
                .ok()
                .and_then(AlarmId::from_number)
                .and_then(|id| definition(settings, id));
            if definition.is_none() {
                self.ended_at = self.ended_at.max(state.occurrence);
            }
            *alarm = definition.map(|definition| alarm_of(definition, state, now));
        }
    }

    /// Goes over to other settings. An alarm of the same condition stays what it is, with its latch, its acknowledgement and its delays; one that is gone, or is of
    /// another condition now, ends and says so. One that begins counts its occurrences on from the one before it, or from above every one that ended: an acknowledgement
    /// that was meant for another alarm of its number never meets it.
    pub(crate) fn refit(&mut self, settings: &Settings, now: Instant, told: &mut impl Told) {
        for (number, alarm) in (0_u8..).zip(&mut self.alarms) {
            let id = AlarmId::from_number(number);
            let next = id.and_then(|id| definition(settings, id));
            match (alarm.as_mut(), next) {
                (Some(alarm), Some(next))
                    if is_same(&alarm.definition().condition, &next.condition) =>
                {
                    alarm.redefine(next, now);
                }
                (before, next) => {
                    let occurrence = before.as_ref().map(|alarm| alarm.occurrence());
                    let occurrence = occurrence.unwrap_or(self.ended_at);
                    self.ended_at = self.ended_at.max(occurrence);
                    if let Some(transition) = before.and_then(Alarm::remove) {
                        told.alarm(number, transition, now);
                    }
                    let state = State {
                        occurrence,
                        ..State::NONE
                    };
                    *alarm = next.map(|next| alarm_of(next, &state, now));
                }
            }
        }
    }

    /// What must survive a restart.
    pub fn states(&self) -> [State; ALARMS] {
        self.alarms.each_ref().map(|alarm| {
            let none = State {
                occurrence: self.ended_at,
                ..State::NONE
            };
            alarm.as_ref().map_or(none, |alarm| {
                let bytes = alarm.saved(Instant(0), WallMs(0)).to_bytes();
                State {
                    flags: bytes[1],
                    occurrence: alarm.occurrence(),
                }
            })
        })
    }

    /// The alarm of this number, if the configuration has it.
    pub fn alarm(&self, number: u8) -> Option<&Alarm> {
        self.alarms.get(usize::from(number))?.as_ref()
    }

    /// Bit n: alarm n demands its relays (R22).
    pub fn demands(&self) -> u64 {
        self.bits(Alarm::demands)
    }

    /// Bit n: alarm n sounds the horn (R21).
    pub fn sounds(&self) -> u64 {
        self.bits(|alarm| alarm.shown().is_annunciated())
    }

    fn bits(&self, is: impl Fn(&Alarm) -> bool) -> u64 {
        let bit = |(number, alarm): (usize, &Option<Alarm>)| {
            u64::from(alarm.as_ref().is_some_and(&is)) << number
        };
        self.alarms
            .iter()
            .enumerate()
            .map(bit)
            .fold(0, |bits, bit| bits | bit)
    }

    /// Judges what was sensed, at `now`.
    pub(crate) fn step(
        &mut self,
        settings: &Settings,
        sensed: &[Sensed; CHANNELS],
        now: Instant,
        told: &mut impl Told,
    ) {
        self.fire(settings, now, told);
        for (channel, sensed) in (0_u8..).zip(sensed) {
            let reading = match sensed.value {
                Ok(value) if sensed.uncertain => Reading::uncertain(f64::from(value), WallMs(0)),
                Ok(value) => Reading::measured(f64::from(value), WallMs(0)),
                Err(cause) => Reading::absent(cause, WallMs(0)),
            };
            for limit in 0..4 {
                self.observe(AlarmId::Limit { channel, limit }, now, told, |alarm| {
                    alarm.observe(&reading, now)
                });
            }
            self.observe(AlarmId::Bad { channel }, now, told, |alarm| {
                alarm.observe(&reading, now)
            });
        }
        self.vote(settings, now, told);
    }

    /// Compares the relays' feedback with their drive; bit n is relay n.
    pub(crate) fn feedback(&mut self, differs: u8, now: Instant, told: &mut impl Told) {
        for relay in 0..4 {
            let signal = Signal::from(differs >> relay & 1 != 0);
            self.observe(AlarmId::RelayFailed { relay }, now, told, |alarm| {
                alarm.observe_signal(signal, now)
            });
        }
    }

    /// Fires what is due, earliest first, and counts the votes at each time. Due before whatever comes at `now`: a reading, or a person's act (R2).
    pub(crate) fn fire(&mut self, settings: &Settings, now: Instant, told: &mut impl Told) {
        while let Some(number) = self.next_due(now) {
            let fired = self
                .alarms
                .get_mut(usize::from(number))
                .and_then(|alarm| alarm.as_mut()?.fire(now));
            // `next_due` said that it is; without it nothing would ever end the loop.
            let Some((at, transition)) = fired else {
                return;
            };
            if let Some(transition) = transition {
                told.alarm(number, transition, at);
                self.vote(settings, at, told);
            }
        }
    }

    fn next_due(&self, now: Instant) -> Option<u8> {
        let due =
            |(number, alarm): (u8, &Option<Alarm>)| alarm.as_ref()?.due().map(|due| (due, number));
        let earliest = (0_u8..).zip(&self.alarms).filter_map(due).min()?;
        (earliest.0.at <= now).then_some(earliest.1)
    }

    fn vote(&mut self, settings: &Settings, now: Instant, told: &mut impl Told) {
        for (group, of) in (0_u8..).zip(&settings.groups) {
            let Some(of) = of else { continue };
            let tally = of.scheme.count(self.ballots(of));
            let signals = [
                (AlarmId::Vote { group }, tally.vote),
                (AlarmId::Degraded { group }, tally.degraded.into()),
                (AlarmId::Unmonitored { group }, tally.unmonitored.into()),
                (AlarmId::Discrepancy { group }, tally.discrepancy.into()),
            ];
            for (id, signal) in signals {
                self.observe(id, now, told, |alarm| alarm.observe_signal(signal, now));
            }
        }
    }

    fn ballots(&self, group: &Group) -> impl Iterator<Item = Ballot> {
        let (members, limit) = (group.members, group.limit);
        let active = |id: AlarmId| self.alarm(id.number()).is_some_and(Alarm::is_active);
        (0..8_u8)
            .filter(move |channel| members >> channel & 1 != 0)
            .map(move |channel| {
                let limit = AlarmId::Limit { channel, limit };
                let out = self
                    .alarm(limit.number())
                    .is_some_and(Alarm::is_out_of_service);
                Ballot::of(out, active(limit), active(AlarmId::Bad { channel }))
            })
    }

    fn observe(
        &mut self,
        id: AlarmId,
        now: Instant,
        told: &mut impl Told,
        look: impl FnOnce(&mut Alarm) -> Option<Transition>,
    ) {
        let alarm = self
            .alarms
            .get_mut(usize::from(id.number()))
            .and_then(Option::as_mut);
        if let Some(transition) = alarm.and_then(look) {
            told.alarm(id.number(), transition, now);
        }
    }

    /// An act upon one alarm, after [`Self::fire`].
    pub(crate) fn act(
        &mut self,
        number: u8,
        action: Action,
        actor: Actor,
        now: Instant,
        told: &mut impl Told,
    ) -> Result<(), Refusal> {
        let alarm = self
            .alarms
            .get_mut(usize::from(number))
            .and_then(Option::as_mut);
        let transition = alarm
            .ok_or(Refusal::UnknownAlarm)?
            .act(action, actor, now)?;
        told.alarm(number, transition, now);
        Ok(())
    }
}

fn alarm_of(definition: Definition, state: &State, now: Instant) -> Alarm {
    match saved(state) {
        Some(saved) => Alarm::restore(definition, &saved, now, WallMs(0)),
        None => Alarm::new(definition, now),
    }
}

/// Whether two conditions are of one kind, whatever their numbers.
fn is_same(one: &Condition, other: &Condition) -> bool {
    core::mem::discriminant(one) == core::mem::discriminant(other)
}

fn saved(state: &State) -> Option<Saved> {
    let mut bytes = [0; Saved::BYTES];
    (bytes[0], bytes[1]) = (1, state.flags);
    bytes[4..8].copy_from_slice(&state.occurrence.to_le_bytes());
    bytes[8..16].copy_from_slice(&i64::MIN.to_le_bytes());
    bytes[16..24].copy_from_slice(&i64::MIN.to_le_bytes());
    Saved::from_bytes(&bytes)
}

/// What an alarm watches, if the settings have it.
fn definition(settings: &Settings, id: AlarmId) -> Option<Definition> {
    let channel = |channel: u8| settings.channels.get(usize::from(channel))?.as_ref();
    let group = |group: u8| settings.groups.get(usize::from(group))?.as_ref();
    Some(match id {
        AlarmId::Limit {
            channel: nth,
            limit,
        } => limit_of(channel(nth)?.limits.get(usize::from(limit))?.as_ref()?),
        AlarmId::Bad { channel: nth } => {
            plain(Condition::Bad, Priority::P3, channel(nth)?.bad_delay_ds)
        }
        AlarmId::Vote { group: nth } => Definition {
            latching: group(nth)?.latching,
            off_delay_ms: 0,
            ..plain(Condition::Vote, Priority::P1, group(nth)?.on_delay_ds)
        },
        AlarmId::Degraded { group: nth } => {
            group(nth).map(|_| plain(Condition::Degraded, Priority::P3, 0))?
        }
        AlarmId::Unmonitored { group: nth } => {
            group(nth).map(|_| plain(Condition::Unmonitored, Priority::P2, 0))?
        }
        AlarmId::Discrepancy { group: nth } => plain(
            Condition::Discrepancy,
            Priority::P3,
            group(nth)?.discrepancy_ds,
        ),
        AlarmId::RelayFailed { .. } => {
            let definition = Definition {
                on_delay_ms: FEEDBACK_MS,
                ..plain(Condition::OutputFailed, Priority::P2, 0)
            };
            settings.has(id).then_some(definition)?
        }
    })
}

fn plain(condition: Condition, priority: Priority, delay_ds: u16) -> Definition {
    Definition {
        condition,
        priority,
        on_delay_ms: u32::from(delay_ds) * MS_PER_DS,
        off_delay_ms: u32::from(delay_ds) * MS_PER_DS,
        latching: false,
        gas_level_2: false,
        re_alarm_ms: None,
        shelve_max_minutes: SHELVE_MAX_MINUTES,
        remote_reset: false,
    }
}

/// Every `i32` is an `f64`: no rounding here.
fn limit_of(limit: &Limit) -> Definition {
    let (set_point, deadband) = (f64::from(limit.set_point), f64::from(limit.deadband));
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
    Definition {
        off_delay_ms: u32::from(limit.off_delay_ds) * MS_PER_DS,
        latching: limit.latching,
        gas_level_2: limit.gas_level_2,
        ..plain(condition, limit.priority, limit.on_delay_ds)
    }
}

const _: () = assert!(CHANNELS == 8 && GROUPS == 4);
