//! The story of an alarm's present occurrence, folded from its transitions: what screens show beside its state.
//!
//! The journal folds it for its snapshots and judgement for the present picture, by this one rule.

use super::record::Transition;
use davy_alarm::{Cause, NoValue, WallMs};
use std::sync::Arc;

/// When the present occurrence was raised, cleared and acknowledged, and by whom.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Story {
    /// Sequence number of the newest transition; 0 before the first.
    pub seq: u64,
    pub raised: Option<WallMs>,
    pub changed: Option<WallMs>,
    pub cleared: Option<WallMs>,
    pub acknowledged: Option<WallMs>,
    pub shelved_until: Option<WallMs>,
    /// The value that raised it.
    pub value_then: Option<Result<f64, NoValue>>,
    /// Who acted last, and why.
    pub actor: Option<Arc<str>>,
    pub reason: Option<Arc<str>>,
}

impl Story {
    /// Goes on with the next transition.
    pub fn follow(&mut self, transition: &Transition) {
        self.seq = transition.seq;
        self.changed = Some(transition.time);
        match transition.cause {
            Cause::Active => {
                self.raised = Some(transition.time);
                self.value_then = transition.value;
                (self.cleared, self.acknowledged) = (None, None);
            }
            Cause::Clear => self.cleared = Some(transition.time),
            Cause::Acknowledge => self.acknowledged = Some(transition.time),
            Cause::ReAlarm | Cause::StepUp => self.acknowledged = None,
            Cause::Shelve => self.shelved_until = transition.shelved_until,
            Cause::Unshelve | Cause::ShelveExpired => self.shelved_until = None,
            Cause::Removed => (self.cleared, self.shelved_until) = (Some(transition.time), None),
            Cause::Reset
            | Cause::OutOfService
            | Cause::InService
            | Cause::Suppress
            | Cause::Unsuppress => {}
        }
        if let Some(person) = &transition.person {
            self.actor = Some(person.actor.clone());
            self.reason = person.reason.clone();
        } else if transition.cause == Cause::Active {
            (self.actor, self.reason) = (None, None);
        }
    }
}
