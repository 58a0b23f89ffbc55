//! What people ask of judgement: done at once, or refused without a change.

use super::{Ask, Deed, Happening, Judge, Person};
use davy_alarm::{Action, Actor, Condition, Instant, Refusal, Signal};
use davy_config::site::AlarmIndex;

impl Judge {
    /// Somebody acts; time advances to it first. A refusal changes nothing.
    pub fn act(&mut self, ask: &Ask, now: Instant) -> Result<(), Refusal> {
        self.advance(now);
        match ask {
            Ask::Silence { person } => {
                let sounds = self.annunciated.iter().any(|count| *count > 0);
                if sounds && !self.horn.silenced {
                    self.acted(Deed::Silenced, person);
                }
                self.horn.silenced = sounds;
                Ok(())
            }
            Ask::ResetOutput {
                output,
                actor,
                person,
            } => {
                self.effects.reset(*output, *actor)?;
                self.acted(Deed::ResetOutput(*output), person);
                Ok(())
            }
            Ask::Manual {
                alarm,
                demand,
                actor,
                person,
            } => self.demand_manually(*alarm, *demand, *actor, person),
            Ask::TestOutput {
                output,
                for_ms,
                actor,
                person,
            } => {
                let until = self.now.after(u64::from(*for_ms));
                self.effects.test(*output, until, *actor)?;
                self.acted(Deed::TestedOutput(*output, *for_ms), person);
                Ok(())
            }
            Ask::Proof { alarm, overdue } => self.take_overdue(*alarm, *overdue),
            Ask::Alarm {
                alarm,
                action,
                actor,
                person,
            } => {
                let acting = self.site.alarms.get(alarm.0).ok_or(Refusal::UnknownAlarm)?;
                self.count_of(acting.subject);
                let mut acted = self.alarm_mut(*alarm).clone();
                let transition = acted.act(*action, *actor, self.now)?;
                if matches!(action, Action::OutOfService { .. })
                    && self
                        .votes
                        .is_second_bypass(&self.site, &self.alarms, *alarm)
                {
                    return Err(Refusal::BypassInGroup);
                }
                self.alarms[alarm.0] = acted;
                self.took(*alarm, self.now, Some(transition), Some(person.clone()));
                Ok(())
            }
        }
    }

    /// A person demands, or ends what was demanded: at the plant alone, with a reason, and once.
    fn demand_manually(
        &mut self,
        alarm: AlarmIndex,
        demand: bool,
        actor: Actor,
        person: &Person,
    ) -> Result<(), Refusal> {
        let known = self.site.alarms.get(alarm.0);
        if !known.is_some_and(|known| known.definition.condition == Condition::Manual) {
            return Err(Refusal::UnknownAlarm);
        }
        if actor.remote {
            return Err(Refusal::Remote);
        }
        if person.reason.is_none() {
            return Err(Refusal::Reason);
        }
        let signal = Signal::from(demand);
        let now = self.now;
        let transition = self.alarm_mut(alarm).observe_signal(signal, now);
        if transition.is_none() {
            return Err(Refusal::Already);
        }
        self.took(alarm, self.now, transition, Some(person.clone()));
        Ok(())
    }

    /// What the calendar says of a proof: no person's act.
    fn take_overdue(&mut self, alarm: AlarmIndex, overdue: Signal) -> Result<(), Refusal> {
        let known = self.site.alarms.get(alarm.0);
        if !known.is_some_and(|known| known.definition.condition == Condition::Unproved) {
            return Err(Refusal::UnknownAlarm);
        }
        let now = self.now;
        let transition = self.alarm_mut(alarm).observe_signal(overdue, now);
        self.took(alarm, self.now, transition, None);
        Ok(())
    }

    fn acted(&mut self, deed: Deed, person: &Person) {
        self.happenings.push(Happening::Acted {
            at: self.now,
            deed,
            person: person.clone(),
        });
    }
}
