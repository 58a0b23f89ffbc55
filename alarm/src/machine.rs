//! The state machine of one alarm. Rules R1–R22 are those of the alarm rules that the project follows; each is named where it is kept.
//!
//! State is orthogonal (condition, acknowledged, latched, suppressions); what a person sees is derived. Time is an argument. Timers
//! fire one by one through [`Alarm::fire`], earliest first, so that a caller can interleave those of many alarms in the order of R4.

use crate::action::{Action, Actor, Refusal};
use crate::calm::Calm;
use crate::definition::{Condition, Definition, Priority};
use crate::reading::{NoValue, Reading};
use crate::saved::Saved;
use crate::shown::{Cause, Shown, Transition};
use crate::slot::Slot;
use crate::time::{Instant, WallMs};
use crate::vote::Signal;

const MINUTE_MS: u64 = 60_000;

/// When a timer is due and its place among those due at the same instant (R4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    pub at: Instant,
    pub phase: Phase,
}

/// The order of one instant (R4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Stale,
    Delay,
    ShelveExpiry,
    ReAlarm,
    /// Minimum run times of outputs; alarms have none.
    Output,
}

/// What one look at the input says about the condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Set,
    /// Inside the deadband: neither set nor clear (R1).
    Between,
    Clear,
    /// No value to judge by (R7).
    Unknown,
}

/// Why an alarm is judged and recorded but not annunciated: a set (R13).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Suppressions {
    pub(crate) shelved: bool,
    pub(crate) by_design: bool,
    pub(crate) out_of_service: bool,
}

impl Suppressions {
    pub(crate) const fn any(self) -> bool {
        self.shelved || self.by_design || self.out_of_service
    }
}

/// One alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    definition: Definition,
    active: bool,
    acknowledged: bool,
    latched: bool,
    suppressions: Suppressions,
    occurrence: u32,
    /// Whether the last input carried a value to judge by; false until the first.
    has_good_value: bool,
    on_due: Slot,
    off_due: Slot,
    stale_due: Slot,
    shelve_due: Slot,
    re_alarm_due: Slot,
}

impl Alarm {
    /// A new alarm, normal, whose stale time counts from `now`.
    pub fn new(definition: Definition, now: Instant) -> Self {
        Self {
            definition,
            active: false,
            acknowledged: true,
            latched: false,
            suppressions: Suppressions::default(),
            occurrence: 0,
            has_good_value: false,
            on_due: Slot::EMPTY,
            off_due: Slot::EMPTY,
            stale_due: stale_due(&definition, now),
            shelve_due: Slot::EMPTY,
            re_alarm_due: Slot::EMPTY,
        }
    }

    /// The alarm as it was saved (R20): delays and readings are unknown again, expiries have run on while it was down. What fell due
    /// meanwhile is due at once. A wall clock that was set back while it was down makes no shelving longer than its maximum, and no re-alarm later
    /// than its time.
    pub fn restore(definition: Definition, saved: &Saved, now: Instant, wall: WallMs) -> Self {
        let due = |at: Option<WallMs>, longest_ms: u64| {
            let left = at.map(|at| u64::try_from(at.0.saturating_sub(wall.0)).unwrap_or(0));
            left.map(|left| now.after(left.min(longest_ms)))
        };
        let longest_shelving = u64::from(definition.shelve_max_minutes) * MINUTE_MS;
        let re_alarm = definition.re_alarm_ms.map(u64::from);
        Self {
            active: saved.active,
            acknowledged: saved.acknowledged,
            latched: saved.latched,
            suppressions: saved.suppressions,
            occurrence: saved.occurrence,
            shelve_due: due(saved.shelved_until, longest_shelving).into(),
            re_alarm_due: re_alarm.and_then(|ms| due(saved.re_alarm_at, ms)).into(),
            ..Self::new(definition, now)
        }
    }

    /// What must survive a restart. `wall` is the wall clock at `now`.
    pub fn saved(&self, now: Instant, wall: WallMs) -> Saved {
        let at = |due: Slot| {
            due.get()
                .map(|due| WallMs(wall.0.saturating_add_unsigned(due.since(now))))
        };
        Saved {
            active: self.active,
            acknowledged: self.acknowledged,
            latched: self.latched,
            suppressions: self.suppressions,
            occurrence: self.occurrence,
            shelved_until: at(self.shelve_due),
            re_alarm_at: at(self.re_alarm_due),
        }
    }

    /// Judges a reading of the alarm's point at `now`. Timers due by then must have fired before.
    pub fn observe(&mut self, reading: &Reading, now: Instant) -> Option<Transition> {
        let value = reading.value();
        self.has_good_value = value.is_ok();
        if let Condition::Stale { .. } = self.definition.condition {
            self.stale_due = stale_due(&self.definition, now);
            return self.judge(Level::Clear, now);
        }
        self.judge(level(&self.definition.condition, value), now)
    }

    /// Values that [`Alarm::observe`] would have nothing to say about, as the alarm stands: it does not change by them, but for the time at which one was
    /// heard ([`Alarm::heard`]). It may be that it would not by others either.
    pub fn calm(&self) -> Calm {
        let waits = self.on_due != Slot::EMPTY || self.off_due != Slot::EMPTY;
        if waits || !self.has_good_value {
            return Calm::NONE;
        }
        calm(&self.definition.condition, self.active)
    }

    /// Readings have come, the last of them at `at`, and every one within the alarm's [`Alarm::calm`].
    pub fn heard(&mut self, at: Instant) {
        if let Condition::Stale { .. } = self.definition.condition {
            self.stale_due = stale_due(&self.definition, at);
        }
    }

    /// Judges contact with the alarm's device: the input of [`Condition::CommsLost`] alone.
    pub fn observe_contact(&mut self, answered: bool, now: Instant) -> Option<Transition> {
        self.has_good_value = answered;
        self.judge(if answered { Level::Clear } else { Level::Set }, now)
    }

    /// Takes over what was judged elsewhere: the input of votes and outputs. Timers due by then must have fired before.
    pub fn observe_signal(&mut self, signal: Signal, now: Instant) -> Option<Transition> {
        self.has_good_value = signal != Signal::Unknown;
        let level = match signal {
            Signal::Set => Level::Set,
            Signal::Clear => Level::Clear,
            Signal::Unknown => Level::Unknown,
        };
        self.judge(level, now)
    }

    /// The point went stale: its limits hold, a running off-delay ends (R7, R9).
    pub fn hold(&mut self) {
        if !matches!(self.definition.condition, Condition::Stale { .. }) {
            self.has_good_value = false;
            self.off_due = Slot::EMPTY;
        }
    }

    /// The alarm leaves the site: whatever it was ends, which is told unless it was normal. It judges nothing afterwards.
    pub fn remove(&mut self) -> Option<Transition> {
        let from = self.shown();
        (self.active, self.acknowledged, self.latched) = (false, true, false);
        self.suppressions = Suppressions::default();
        (self.on_due, self.off_due) = (Slot::EMPTY, Slot::EMPTY);
        (self.stale_due, self.shelve_due) = (Slot::EMPTY, Slot::EMPTY);
        self.re_alarm_due = Slot::EMPTY;
        (from != Shown::Normal).then(|| self.transition(from, Cause::Removed))
    }

    /// The alarm under another definition of the same condition: what it is stays, and the next reading is judged by the new one. A running on-delay ends no
    /// later than it would have, a running off-delay begins anew.
    pub fn redefine(&mut self, definition: Definition, now: Instant) {
        if self.definition == definition {
            return;
        }
        let longest = now.after(u64::from(definition.shelve_max_minutes) * MINUTE_MS);
        self.shelve_due = self.shelve_due.at_latest(longest);
        self.re_alarm_due = match definition.re_alarm_ms {
            Some(ms) => self.re_alarm_due.at_latest(now.after(u64::from(ms))),
            None => Slot::EMPTY,
        };
        let on_delay = now.after(u64::from(definition.on_delay_ms));
        self.on_due = self.on_due.at_latest(on_delay);
        self.off_due = Slot::EMPTY;
        if self.definition.condition != definition.condition {
            self.stale_due = stale_due(&definition, now);
        }
        self.definition = definition;
    }

    /// The earliest timer.
    pub fn due(&self) -> Option<Due> {
        // In the order of one instant: of timers that are due at once the first counts.
        let timers = [
            (self.stale_due, Phase::Stale),
            (self.on_due, Phase::Delay),
            (self.off_due, Phase::Delay),
            (self.shelve_due, Phase::ShelveExpiry),
            (self.re_alarm_due, Phase::ReAlarm),
        ];
        // Every reading asks, and most alarms have none: five numbers are looked at before anything is made of one.
        let earliest = timers.iter().map(|(slot, _)| slot.order()).min();
        let is_earliest = |(slot, _): &&(Slot, Phase)| Some(slot.order()) == earliest;
        let (slot, phase) = timers.iter().find(is_earliest)?;
        let at = slot.get()?;
        Some(Due { at, phase: *phase })
    }

    /// Fires the earliest timer if it is due by `now`; the change happened at the timer's own time (R2).
    pub fn fire(&mut self, now: Instant) -> Option<(Instant, Option<Transition>)> {
        let due = self.due().filter(|due| due.at <= now)?;
        let transition = match due.phase {
            Phase::Stale => self.fire_stale(due.at),
            Phase::Delay if self.on_due.get() == Some(due.at) => Some(self.activate()),
            Phase::Delay => Some(self.clear()),
            Phase::ShelveExpiry => Some(self.end_shelving(Cause::ShelveExpired)),
            Phase::ReAlarm | Phase::Output => Some(self.re_alarm()),
        };
        Some((due.at, transition))
    }

    /// A person or the plant's logic acts. Refused, it changes nothing.
    pub fn act(
        &mut self,
        action: Action,
        actor: Actor,
        now: Instant,
    ) -> Result<Transition, Refusal> {
        match action {
            Action::Acknowledge { occurrence } => self.acknowledge(occurrence, actor, now),
            Action::Reset => self.reset(actor),
            Action::Shelve {
                minutes,
                reason,
                second,
            } => self.shelve(minutes, reason, second, actor, now),
            Action::Unshelve => self.unshelve(),
            Action::OutOfService { reason } => self.out_of_service(reason, actor),
            Action::InService => self.in_service(actor),
            Action::Suppress => self.suppress(actor),
            Action::Unsuppress => self.unsuppress(actor),
        }
    }

    /// The displayed state: out of service before shelved before by design (R13).
    pub const fn shown(&self) -> Shown {
        match (
            self.suppressions,
            self.active,
            self.latched,
            self.acknowledged,
        ) {
            (
                Suppressions {
                    out_of_service: true,
                    ..
                },
                ..,
            ) => Shown::OutOfService,
            (Suppressions { shelved: true, .. }, ..) => Shown::Shelved,
            (
                Suppressions {
                    by_design: true, ..
                },
                ..,
            ) => Shown::SuppressedByDesign,
            (_, true, _, false) => Shown::Unacknowledged,
            (_, true, _, true) => Shown::Acknowledged,
            (_, false, true, false) => Shown::LatchedUnacknowledged,
            (_, false, true, true) => Shown::LatchedAcknowledged,
            (_, false, false, false) => Shown::ReturnedUnacknowledged,
            (_, false, false, true) => Shown::Normal,
        }
    }

    /// Whether its effects are demanded: shelving and by design silence people, not fans (R22).
    pub const fn demands(&self) -> bool {
        (self.active || self.latched) && !self.suppressions.out_of_service
    }

    pub const fn definition(&self) -> &Definition {
        &self.definition
    }

    pub const fn is_active(&self) -> bool {
        self.active
    }

    pub const fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    pub const fn is_latched(&self) -> bool {
        self.latched
    }

    pub const fn is_shelved(&self) -> bool {
        self.suppressions.shelved
    }

    pub const fn is_suppressed_by_design(&self) -> bool {
        self.suppressions.by_design
    }

    pub const fn is_out_of_service(&self) -> bool {
        self.suppressions.out_of_service
    }

    /// Number of the present occurrence, from 1; 0 before the first.
    pub const fn occurrence(&self) -> u32 {
        self.occurrence
    }

    /// When shelving ends.
    pub const fn shelved_until(&self) -> Option<Instant> {
        self.shelve_due.get()
    }

    fn judge(&mut self, level: Level, now: Instant) -> Option<Transition> {
        if self.active {
            self.judge_active(level, now)
        } else {
            self.judge_normal(level, now)
        }
    }

    /// A good value that is not set ends a running on-delay (R5); a missing one lets it run on (R7).
    fn judge_normal(&mut self, level: Level, now: Instant) -> Option<Transition> {
        match level {
            Level::Set if self.definition.on_delay_ms == 0 => return Some(self.activate()),
            Level::Set => {
                self.on_due
                    .start(now.after(u64::from(self.definition.on_delay_ms)));
            }
            Level::Between | Level::Clear => self.on_due = Slot::EMPTY,
            Level::Unknown => {}
        }
        None
    }

    /// Anything but a clear value ends a running off-delay (R5, R7).
    fn judge_active(&mut self, level: Level, now: Instant) -> Option<Transition> {
        match level {
            Level::Clear if self.definition.off_delay_ms == 0 => return Some(self.clear()),
            Level::Clear => {
                self.off_due
                    .start(now.after(u64::from(self.definition.off_delay_ms)));
            }
            Level::Set | Level::Between | Level::Unknown => self.off_due = Slot::EMPTY,
        }
        None
    }

    /// The stale time has passed without a reading; the alarm's own on-delay follows.
    fn fire_stale(&mut self, at: Instant) -> Option<Transition> {
        self.stale_due = Slot::EMPTY;
        self.has_good_value = false;
        self.judge(Level::Set, at)
    }

    fn activate(&mut self) -> Transition {
        let from = self.shown();
        self.on_due = Slot::EMPTY;
        self.re_alarm_due = Slot::EMPTY;
        self.active = true;
        self.latched |= self.definition.latching;
        self.begin_occurrence();
        self.transition(from, Cause::Active)
    }

    fn clear(&mut self) -> Transition {
        let from = self.shown();
        self.off_due = Slot::EMPTY;
        self.re_alarm_due = Slot::EMPTY;
        self.active = false;
        self.transition(from, Cause::Clear)
    }

    fn re_alarm(&mut self) -> Transition {
        let from = self.shown();
        self.re_alarm_due = Slot::EMPTY;
        self.begin_occurrence();
        self.transition(from, Cause::ReAlarm)
    }

    fn begin_occurrence(&mut self) {
        self.occurrence = self.occurrence.saturating_add(1);
        self.acknowledged = false;
    }

    /// R11.
    fn acknowledge(
        &mut self,
        occurrence: Option<u32>,
        actor: Actor,
        now: Instant,
    ) -> Result<Transition, Refusal> {
        if self.suppressions.any() {
            return Err(Refusal::Suppressed);
        }
        if self.acknowledged {
            return Err(Refusal::NotUnacknowledged);
        }
        match occurrence {
            Some(seen) if seen < self.occurrence => return Err(Refusal::NewerOccurrence),
            Some(seen) if seen > self.occurrence => return Err(Refusal::Occurrence),
            None if actor.remote => return Err(Refusal::Occurrence),
            Some(_) | None => {}
        }
        let from = self.shown();
        self.acknowledged = true;
        self.re_alarm_due = self
            .definition
            .re_alarm_ms
            .filter(|_| self.active)
            .map(|ms| now.after(u64::from(ms)))
            .into();
        Ok(self.transition(from, Cause::Acknowledge))
    }

    /// R10.
    fn reset(&mut self, actor: Actor) -> Result<Transition, Refusal> {
        if self.suppressions.any() {
            return Err(Refusal::Suppressed);
        }
        if !self.latched {
            return Err(Refusal::NotLatched);
        }
        if self.active || self.waits() {
            return Err(Refusal::Active);
        }
        if !self.acknowledged {
            return Err(Refusal::Unacknowledged);
        }
        if !self.has_good_value {
            return Err(Refusal::BadQuality);
        }
        if actor.remote && !self.definition.remote_reset {
            return Err(Refusal::Remote);
        }
        let from = self.shown();
        self.latched = false;
        Ok(self.transition(from, Cause::Reset))
    }

    /// Whether a set condition waits for its on-delay (R10). `Frozen` always does: that a value stands is how its time begins, and no sign of danger.
    fn waits(&self) -> bool {
        self.on_due.get().is_some() && self.definition.condition != Condition::Frozen
    }

    /// R15.
    fn shelve(
        &mut self,
        minutes: u32,
        reason: bool,
        second: bool,
        actor: Actor,
        now: Instant,
    ) -> Result<Transition, Refusal> {
        if !reason {
            return Err(Refusal::Reason);
        }
        if minutes == 0 || minutes > u32::from(self.definition.shelve_max_minutes) {
            return Err(Refusal::Minutes);
        }
        if self.definition.priority == Priority::P1 && !second {
            return Err(Refusal::SecondPerson);
        }
        if self.definition.gas_level_2 && actor.remote {
            return Err(Refusal::NotShelvable);
        }
        if self.suppressions.shelved {
            return Err(Refusal::Already);
        }
        let from = self.shown();
        self.suppressions.shelved = true;
        self.shelve_due = Some(now.after(u64::from(minutes) * MINUTE_MS)).into();
        self.re_alarm_due = Slot::EMPTY;
        Ok(self.transition(from, Cause::Shelve))
    }

    fn unshelve(&mut self) -> Result<Transition, Refusal> {
        if !self.suppressions.shelved {
            return Err(Refusal::NotShelved);
        }
        Ok(self.end_shelving(Cause::Unshelve))
    }

    fn end_shelving(&mut self, cause: Cause) -> Transition {
        let from = self.shown();
        self.suppressions.shelved = false;
        self.shelve_due = Slot::EMPTY;
        self.evaluate();
        self.transition(from, cause)
    }

    /// R16.
    fn out_of_service(&mut self, reason: bool, actor: Actor) -> Result<Transition, Refusal> {
        may_service(actor)?;
        if !reason {
            return Err(Refusal::Reason);
        }
        if self.suppressions.out_of_service {
            return Err(Refusal::Already);
        }
        let from = self.shown();
        self.suppressions.out_of_service = true;
        self.re_alarm_due = Slot::EMPTY;
        Ok(self.transition(from, Cause::OutOfService))
    }

    fn in_service(&mut self, actor: Actor) -> Result<Transition, Refusal> {
        may_service(actor)?;
        if !self.suppressions.out_of_service {
            return Err(Refusal::NotOutOfService);
        }
        let from = self.shown();
        self.suppressions.out_of_service = false;
        self.evaluate();
        Ok(self.transition(from, Cause::InService))
    }

    /// R16.
    fn suppress(&mut self, actor: Actor) -> Result<Transition, Refusal> {
        at_the_plant(actor)?;
        if self.suppressions.by_design {
            return Err(Refusal::Already);
        }
        let from = self.shown();
        self.suppressions.by_design = true;
        self.re_alarm_due = Slot::EMPTY;
        Ok(self.transition(from, Cause::Suppress))
    }

    fn unsuppress(&mut self, actor: Actor) -> Result<Transition, Refusal> {
        at_the_plant(actor)?;
        if !self.suppressions.by_design {
            return Err(Refusal::NotSuppressed);
        }
        let from = self.shown();
        self.suppressions.by_design = false;
        self.evaluate();
        Ok(self.transition(from, Cause::Unsuppress))
    }

    /// The last suppression ended: acknowledgements from before are void, what is active or latched is a new occurrence (R11, R12).
    fn evaluate(&mut self) {
        if self.suppressions.any() {
            return;
        }
        if self.active || self.latched {
            self.begin_occurrence();
        } else {
            self.acknowledged = true;
        }
    }

    const fn transition(&self, from: Shown, cause: Cause) -> Transition {
        Transition {
            from,
            to: self.shown(),
            cause,
            occurrence: self.occurrence,
        }
    }
}

/// Out of service and back: maintenance, at the plant (R16).
fn may_service(actor: Actor) -> Result<(), Refusal> {
    at_the_plant(actor)?;
    if actor.maintenance {
        Ok(())
    } else {
        Err(Refusal::Role)
    }
}

/// Nothing is bypassed from afar; the plant's own logic is at the plant (R16).
const fn at_the_plant(actor: Actor) -> Result<(), Refusal> {
    if actor.remote {
        Err(Refusal::Remote)
    } else {
        Ok(())
    }
}

fn stale_due(definition: &Definition, now: Instant) -> Slot {
    match definition.condition {
        Condition::Stale { after_ms } => Some(now.after(u64::from(after_ms))).into(),
        _ => Slot::EMPTY,
    }
}

/// R1, R6–R9: what a value, or its absence, says about a condition.
fn level(condition: &Condition, value: Result<f64, NoValue>) -> Level {
    match *condition {
        Condition::HiHi {
            set_point,
            deadband,
        }
        | Condition::Hi {
            set_point,
            deadband,
        }
        | Condition::Deviation {
            limit: set_point,
            deadband,
        }
        | Condition::RateOfChange {
            limit: set_point,
            deadband,
        }
        | Condition::Stel {
            limit: set_point,
            deadband,
        }
        | Condition::Twa {
            limit: set_point,
            deadband,
        } => match value {
            Ok(value) if value >= set_point => Level::Set,
            Ok(value) if value < set_point - deadband => Level::Clear,
            Ok(_) => Level::Between,
            Err(NoValue::OverRange) => Level::Set,
            Err(_) => Level::Unknown,
        },
        Condition::Lo {
            set_point,
            deadband,
        }
        | Condition::LoLo {
            set_point,
            deadband,
        } => match value {
            Ok(value) if value <= set_point => Level::Set,
            Ok(value) if value > set_point + deadband => Level::Clear,
            Ok(_) => Level::Between,
            Err(_) => Level::Unknown,
        },
        Condition::Discrete { when } => match value {
            Ok(value) if (value != 0.0) == when => Level::Set,
            Ok(_) => Level::Clear,
            Err(_) => Level::Unknown,
        },
        Condition::Bad => match value {
            Ok(_) => Level::Clear,
            Err(_) => Level::Set,
        },
        // Judged by something else than the value.
        Condition::Stale { .. }
        | Condition::Frozen
        | Condition::CommsLost
        | Condition::Vote
        | Condition::Degraded
        | Condition::Unmonitored
        | Condition::Discrepancy
        | Condition::OutputFailed
        | Condition::Manual
        | Condition::Unproved => Level::Unknown,
    }
}

/// Values by which [`level`] is not clear while the alarm is active, and not set while it is not.
fn calm(condition: &Condition, active: bool) -> Calm {
    let edges = condition.set_point().zip(condition.deadband());
    match (*condition, edges) {
        (Condition::Lo { .. } | Condition::LoLo { .. }, Some((set_point, deadband))) => {
            if active {
                Calm::below(set_point + deadband)
            } else {
                Calm::above(set_point)
            }
        }
        (_, Some((set_point, deadband))) => {
            if active {
                Calm::above(set_point - deadband)
            } else {
                Calm::below(set_point)
            }
        }
        // Of the values other than nought those above it: a discrete point has no others.
        (Condition::Discrete { when }, None) if when == active => Calm::above(0.0),
        (Condition::Discrete { .. }, None) => Calm::NOUGHT,
        (Condition::Bad | Condition::Stale { .. }, None) if active => Calm::NONE,
        (Condition::Bad | Condition::Stale { .. }, None) => Calm::EVERY,
        // Judged by something else than the value.
        _ if level(condition, Ok(0.0)) == Level::Unknown => Calm::EVERY,
        _ => Calm::NONE,
    }
}
