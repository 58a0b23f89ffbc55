//! One alarm by the alarm rules R1–R22, written from the rules and not from the engine. Slow, and meant to be obviously right.
//!
//! It has no timer and no flag: it keeps all that was ever seen and all that was ever told, and finds what holds by looking back through both. Time passes
//! in steps of one length; every instant at which something may fall due lies on a step.

use davy_alarm::{
    Action, Actor, Cause, Condition, Definition, NoValue, Priority, Refusal, Shown, Signal,
};

/// Something that an alarm is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Input {
    Value(f64),
    Missing(NoValue),
    Answered(bool),
    Says(Signal),
    /// The point has been silent for its stale time (R9).
    Silent,
    /// The gateway started: nothing of before is known (R20).
    Started,
}

/// What an input says about the condition (R1, R5–R9).
#[derive(Clone, Copy, Debug, PartialEq)]
enum Look {
    Set,
    Between,
    Gone,
    Nothing,
    Start,
}

/// A line, as R14 has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) at: u64,
    pub(crate) from: Shown,
    pub(crate) to: Shown,
    pub(crate) cause: Cause,
    pub(crate) occurrence: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Reference {
    definition: Definition,
    step: u64,
    now: u64,
    seen: Vec<(u64, Input)>,
    told: Vec<Line>,
    /// Minutes of the shelvings, in order.
    minutes: Vec<u64>,
}

impl Reference {
    pub(crate) fn new(definition: Definition, step: u64) -> Self {
        Self {
            definition,
            step,
            now: 0,
            seen: vec![(0, Input::Started)],
            told: Vec::new(),
            minutes: Vec::new(),
        }
    }

    /// All that was told so far.
    pub(crate) fn told(&self) -> &[Line] {
        &self.told
    }

    /// Lives through every instant up to and with `until`.
    pub(crate) fn pass(&mut self, until: u64) {
        while self.now < until {
            self.now += self.step;
            self.instant();
        }
    }

    /// Stopped now, back `down` later; what fell due meanwhile does so at the start (R20).
    pub(crate) fn restart(&mut self, down: u64) {
        self.now += down;
        self.seen.push((self.now, Input::Started));
        self.instant();
    }

    /// An input at the present instant.
    pub(crate) fn see(&mut self, input: Input) {
        self.seen.push((self.now, input));
        self.judge();
    }

    /// One instant, in the order of R4.
    fn instant(&mut self) {
        self.fall_silent();
        self.judge();
        if self.is_shelved() && self.since_told(Cause::Shelve) >= self.shelved_for() {
            self.tell(Cause::ShelveExpired);
        }
        if let Some(ms) = self.definition.re_alarm_ms
            && self.shown() == Shown::Acknowledged
            && self.since_told(Cause::Acknowledge) >= u64::from(ms)
        {
            self.tell(Cause::ReAlarm);
        }
    }

    /// R9: no reading, good or bad, for the stale time, from the start if never read.
    fn fall_silent(&mut self) {
        let Condition::Stale { after_ms } = self.definition.condition else {
            return;
        };
        let (at, last) = self.seen[self.seen.len() - 1];
        if last != Input::Silent && self.now - at >= u64::from(after_ms) {
            self.seen.push((self.now, Input::Silent));
        }
    }

    /// R2: elapsed ≥ delay.
    fn judge(&mut self) {
        let longer = |since: Option<u64>, delay: u32| {
            since.is_some_and(|since| self.now - since >= u64::from(delay))
        };
        if self.is_active() {
            if longer(self.gone_since(), self.definition.off_delay_ms) {
                self.tell(Cause::Clear);
            }
        } else if longer(self.set_since(), self.definition.on_delay_ms) {
            self.tell(Cause::Active);
        }
    }

    /// Since when the condition is set; a missing value neither begins nor ends that (R5, R7).
    fn set_since(&self) -> Option<u64> {
        let mut since = None;
        for (at, input) in self.seen.iter().rev() {
            match look(&self.definition.condition, *input) {
                Look::Set => since = Some(*at),
                Look::Nothing => {}
                Look::Between | Look::Gone | Look::Start => break,
            }
        }
        since
    }

    /// Since when every look says that it is gone; a missing value ends that (R5, R7).
    fn gone_since(&self) -> Option<u64> {
        let looks = self.seen.iter().rev();
        let gone = looks.take_while(|seen| look(&self.definition.condition, seen.1) == Look::Gone);
        gone.last().map(|seen| seen.0)
    }

    fn tell(&mut self, cause: Cause) {
        let from = self.shown();
        self.told.push(Line {
            at: self.now,
            from,
            to: from,
            cause,
            occurrence: 0,
        });
        let (to, occurrence) = (self.shown(), self.occurrence());
        let last = self.told.len() - 1;
        self.told[last] = Line {
            to,
            occurrence,
            ..self.told[last]
        };
    }

    fn since_told(&self, cause: Cause) -> u64 {
        let mut lines = self.told.iter().rev();
        let line = lines.find(|line| line.cause == cause);
        line.map_or(0, |line| self.now - line.at)
    }

    fn shelved_for(&self) -> u64 {
        self.minutes.last().map_or(0, |minutes| minutes * 60_000)
    }

    /// When shelving ends.
    pub(crate) fn shelved_until(&self) -> Option<u64> {
        let end = self.now + self.shelved_for() - self.since_told(Cause::Shelve);
        self.is_shelved().then_some(end)
    }

    pub(crate) fn is_active(&self) -> bool {
        active(&self.told)
    }

    pub(crate) fn is_latched(&self) -> bool {
        latched(&self.definition, &self.told)
    }

    pub(crate) fn is_shelved(&self) -> bool {
        shelved(&self.told)
    }

    pub(crate) fn is_by_design(&self) -> bool {
        by_design(&self.told)
    }

    pub(crate) fn is_out_of_service(&self) -> bool {
        out_of_service(&self.told)
    }

    /// +1 at each activation, re-alarm and return from suppression not to NORM (R11).
    pub(crate) fn occurrence(&self) -> u32 {
        let begun = (1..=self.told.len())
            .filter(|end| begins(&self.definition, &self.told[..*end]) == Some(true));
        begun.count() as u32
    }

    /// R13, then the table of safety.md §5.
    pub(crate) fn shown(&self) -> Shown {
        if self.is_out_of_service() {
            return Shown::OutOfService;
        }
        if self.is_shelved() {
            return Shown::Shelved;
        }
        if self.is_by_design() {
            return Shown::SuppressedByDesign;
        }
        match (self.is_active(), self.is_latched(), self.is_acknowledged()) {
            (true, _, false) => Shown::Unacknowledged,
            (true, _, true) => Shown::Acknowledged,
            (false, true, false) => Shown::LatchedUnacknowledged,
            (false, true, true) => Shown::LatchedAcknowledged,
            (false, false, false) => Shown::ReturnedUnacknowledged,
            (false, false, true) => Shown::Normal,
        }
    }

    /// R22: a cause active or latched and not out of service.
    pub(crate) fn demands(&self) -> bool {
        (self.is_active() || self.is_latched()) && !self.is_out_of_service()
    }

    /// R21: unsuppressed and unacknowledged.
    pub(crate) fn is_annunciated(&self) -> bool {
        !self.is_suppressed() && !self.is_acknowledged()
    }

    pub(crate) fn is_suppressed(&self) -> bool {
        suppressed(&self.told)
    }

    /// Acknowledged since the present occurrence began, or back at NORM from a suppression, or never told.
    pub(crate) fn is_acknowledged(&self) -> bool {
        for end in (1..=self.told.len()).rev() {
            let until = &self.told[..end];
            if until[end - 1].cause == Cause::Acknowledge {
                return true;
            }
            if let Some(begins) = begins(&self.definition, until) {
                return !begins;
            }
        }
        true
    }

    /// R10: a good value now.
    fn has_good_value(&self) -> bool {
        match self.seen[self.seen.len() - 1].1 {
            Input::Value(value) => value.is_finite(),
            Input::Answered(answered) => answered,
            Input::Says(signal) => signal != Signal::Unknown,
            Input::Missing(_) | Input::Silent | Input::Started => false,
        }
    }

    /// Does it, or says every reason for which it is refused.
    pub(crate) fn act(&mut self, action: Action, actor: Actor) -> Result<(), Vec<Refusal>> {
        let (reasons, cause) = self.weigh(action, actor);
        let reasons: Vec<Refusal> = (reasons.into_iter())
            .filter_map(|(holds, reason)| holds.then_some(reason))
            .collect();
        if !reasons.is_empty() {
            return Err(reasons);
        }
        if let Action::Shelve { minutes, .. } = action {
            self.minutes.push(u64::from(minutes));
        }
        self.tell(cause);
        Ok(())
    }

    fn weigh(&self, action: Action, actor: Actor) -> (Vec<(bool, Refusal)>, Cause) {
        match action {
            Action::Acknowledge { occurrence } => (
                self.weigh_acknowledge(occurrence, actor),
                Cause::Acknowledge,
            ),
            Action::Reset => (self.weigh_reset(actor), Cause::Reset),
            Action::Shelve {
                minutes,
                reason,
                second,
            } => (
                self.weigh_shelve(minutes, reason, second, actor),
                Cause::Shelve,
            ),
            Action::Unshelve => (
                vec![(!self.is_shelved(), Refusal::NotShelved)],
                Cause::Unshelve,
            ),
            Action::OutOfService { reason } => {
                let already = (self.is_out_of_service(), Refusal::Already);
                let reasons = [at_the_plant(actor), maintenance(actor), already];
                let mut reasons = reasons.to_vec();
                reasons.push((!reason, Refusal::Reason));
                (reasons, Cause::OutOfService)
            }
            Action::InService => {
                let not = (!self.is_out_of_service(), Refusal::NotOutOfService);
                let reasons = vec![at_the_plant(actor), maintenance(actor), not];
                (reasons, Cause::InService)
            }
            // Logic only, and the plant's logic is at the plant (R16).
            Action::Suppress => {
                let already = (self.is_by_design(), Refusal::Already);
                (vec![at_the_plant(actor), already], Cause::Suppress)
            }
            Action::Unsuppress => {
                let not = (!self.is_by_design(), Refusal::NotSuppressed);
                (vec![at_the_plant(actor), not], Cause::Unsuppress)
            }
        }
    }

    /// R11.
    fn weigh_acknowledge(&self, named: Option<u32>, actor: Actor) -> Vec<(bool, Refusal)> {
        let present = self.occurrence();
        vec![
            (self.is_suppressed(), Refusal::Suppressed),
            (self.is_acknowledged(), Refusal::NotUnacknowledged),
            (
                named.is_some_and(|named| named < present),
                Refusal::NewerOccurrence,
            ),
            (
                named.is_some_and(|named| named > present),
                Refusal::Occurrence,
            ),
            (named.is_none() && actor.remote, Refusal::Occurrence),
        ]
    }

    /// R10.
    fn weigh_reset(&self, actor: Actor) -> Vec<(bool, Refusal)> {
        // To stand still is FROZEN's beginning, not its condition: else a latched one that moves again could never be reset.
        let waits = self.definition.condition != Condition::Frozen
            && !self.is_active()
            && self.set_since().is_some();
        let from_afar = actor.remote && !self.definition.remote_reset;
        vec![
            (self.is_active() || waits, Refusal::Active),
            (!self.is_acknowledged(), Refusal::Unacknowledged),
            (!self.is_latched(), Refusal::NotLatched),
            (self.is_suppressed(), Refusal::Suppressed),
            (!self.has_good_value(), Refusal::BadQuality),
            (from_afar, Refusal::Remote),
        ]
    }

    /// R15.
    fn weigh_shelve(
        &self,
        minutes: u32,
        reason: bool,
        second: bool,
        actor: Actor,
    ) -> Vec<(bool, Refusal)> {
        let most = u32::from(self.definition.shelve_max_minutes);
        let alone = self.definition.priority == Priority::P1 && !second;
        let gas_from_afar = self.definition.gas_level_2 && actor.remote;
        vec![
            (!reason, Refusal::Reason),
            (minutes == 0 || minutes > most, Refusal::Minutes),
            (alone, Refusal::SecondPerson),
            (gas_from_afar, Refusal::NotShelvable),
            (self.is_shelved(), Refusal::Already),
        ]
    }
}

fn at_the_plant(actor: Actor) -> (bool, Refusal) {
    (actor.remote, Refusal::Remote)
}

fn maintenance(actor: Actor) -> (bool, Refusal) {
    (!actor.maintenance, Refusal::Role)
}

/// The last of these causes to be told.
fn last_of(told: &[Line], causes: &[Cause]) -> Option<Cause> {
    let mut told = told.iter().rev().map(|line| line.cause);
    told.find(|cause| causes.contains(cause))
}

fn active(told: &[Line]) -> bool {
    last_of(told, &[Cause::Active, Cause::Clear]) == Some(Cause::Active)
}

/// Set at the activation of a latching alarm, ended by reset alone (R12).
fn latched(definition: &Definition, told: &[Line]) -> bool {
    definition.latching && last_of(told, &[Cause::Active, Cause::Reset]) == Some(Cause::Active)
}

fn shelved(told: &[Line]) -> bool {
    let causes = [Cause::Shelve, Cause::Unshelve, Cause::ShelveExpired];
    last_of(told, &causes) == Some(Cause::Shelve)
}

fn by_design(told: &[Line]) -> bool {
    last_of(told, &[Cause::Suppress, Cause::Unsuppress]) == Some(Cause::Suppress)
}

fn out_of_service(told: &[Line]) -> bool {
    last_of(told, &[Cause::OutOfService, Cause::InService]) == Some(Cause::OutOfService)
}

fn suppressed(told: &[Line]) -> bool {
    shelved(told) || by_design(told) || out_of_service(told)
}

/// Of the last line: whether it began an occurrence (R11); `None` if it settles nothing about acknowledgement.
fn begins(definition: &Definition, told: &[Line]) -> Option<bool> {
    match told.last()?.cause {
        Cause::Active | Cause::ReAlarm | Cause::StepUp => Some(true),
        // The last suppression ended: what is active or latched is a new occurrence, the rest is NORM (R12).
        Cause::Unshelve | Cause::ShelveExpired | Cause::InService | Cause::Unsuppress => {
            (!suppressed(told)).then(|| active(told) || latched(definition, told))
        }
        Cause::Clear | Cause::Acknowledge | Cause::Reset | Cause::Removed => None,
        Cause::Shelve | Cause::OutOfService | Cause::Suppress => None,
    }
}

fn look(condition: &Condition, input: Input) -> Look {
    let value = match input {
        Input::Started => return Look::Start,
        // Not finite is bad, never a value (R6).
        Input::Value(value) if !value.is_finite() => Err(NoValue::NotFinite),
        Input::Value(value) => Ok(value),
        Input::Missing(cause) => Err(cause),
        Input::Answered(answered) => return if answered { Look::Gone } else { Look::Set },
        Input::Says(Signal::Set) => return Look::Set,
        Input::Says(Signal::Clear) => return Look::Gone,
        Input::Says(Signal::Unknown) => return Look::Nothing,
        Input::Silent if matches!(condition, Condition::Stale { .. }) => return Look::Set,
        Input::Silent => return Look::Nothing,
    };
    match (*condition, value) {
        (Condition::Stale { .. }, _) | (Condition::Bad, Ok(_)) => Look::Gone,
        (Condition::Bad, Err(_)) => Look::Set,
        (Condition::Discrete { when }, Ok(value)) if when == (value != 0.0) => Look::Set,
        (Condition::Discrete { .. }, Ok(_)) => Look::Gone,
        (Condition::Lo { .. } | Condition::LoLo { .. }, Err(_)) => Look::Nothing,
        (
            Condition::Lo {
                set_point,
                deadband,
            }
            | Condition::LoLo {
                set_point,
                deadband,
            },
            Ok(value),
        ) => match value {
            _ if value <= set_point => Look::Set,
            _ if value > set_point + deadband => Look::Gone,
            _ => Look::Between,
        },
        (condition, value) => match (above(&condition), value) {
            (Some((set_point, _)), Ok(value)) if value >= set_point => Look::Set,
            (Some((set_point, deadband)), Ok(value)) if value < set_point - deadband => Look::Gone,
            (Some(_), Ok(_)) => Look::Between,
            (Some(_), Err(NoValue::OverRange)) => Look::Set,
            (Some(_), Err(_)) | (None, _) => Look::Nothing,
        },
    }
}

/// Set-point and deadband of what is set above.
fn above(condition: &Condition) -> Option<(f64, f64)> {
    match *condition {
        Condition::HiHi {
            set_point,
            deadband,
        }
        | Condition::Hi {
            set_point,
            deadband,
        } => Some((set_point, deadband)),
        Condition::Deviation { limit, deadband }
        | Condition::RateOfChange { limit, deadband }
        | Condition::Stel { limit, deadband }
        | Condition::Twa { limit, deadband } => Some((limit, deadband)),
        _ => None,
    }
}
