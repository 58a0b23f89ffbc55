//! What people did, as a journal tells it.

use crate::journal::Transition;
use crate::judge::{Ask, Person};
use crate::replay::rehearsal::{Act, Target};
use davy_alarm::{Action, Actor, Cause, Signal};
use davy_config::site::{AlarmIndex, OutputIndex};

/// The act behind a transition of a manual cause.
pub(super) fn manual(transition: &Transition, alarm: AlarmIndex, id: String) -> Option<Act> {
    let demand = match transition.cause {
        Cause::Active => true,
        Cause::Clear => false,
        _ => return None,
    };
    Some(Act {
        target: Target::Alarm(id),
        action: if demand { "demand" } else { "withdraw" }.to_owned(),
        ask: Ok(Ask::Manual {
            alarm,
            demand,
            actor: Actor::default(),
            person: transition.person.clone()?,
        }),
    })
}

/// Whether somebody's act led to a transition. Suppression by design is no act: the rules of the site file that judges suppress anew, at the same moments
/// if they are the same rules.
pub(super) const fn is_act(transition: &Transition) -> bool {
    match transition.cause {
        Cause::Acknowledge
        | Cause::Reset
        | Cause::Shelve
        | Cause::Unshelve
        | Cause::OutOfService
        | Cause::InService => true,
        Cause::Active
        | Cause::Clear
        | Cause::ReAlarm
        | Cause::StepUp
        | Cause::ShelveExpired
        | Cause::Suppress
        | Cause::Unsuppress
        | Cause::Removed => false,
    }
}

/// The act behind a recorded transition, if there is one. Whoever acted was allowed to; an acknowledgement is of `occurrence`, what is shown now, for
/// other limits count otherwise.
pub(super) fn act(
    transition: &Transition,
    alarm: AlarmIndex,
    id: String,
    occurrence: u32,
) -> Option<Act> {
    let person = transition.person.clone();
    let said = |text: fn(&Person) -> bool| person.as_ref().is_some_and(text);
    let reason = said(|person| person.reason.is_some());
    let action = match transition.cause {
        Cause::Acknowledge => Action::Acknowledge {
            occurrence: Some(occurrence),
        },
        Cause::Reset => Action::Reset,
        Cause::Shelve => Action::Shelve {
            minutes: minutes(transition),
            reason,
            second: said(|person| person.second.is_some()),
        },
        Cause::Unshelve => Action::Unshelve,
        Cause::OutOfService => Action::OutOfService { reason },
        Cause::InService => Action::InService,
        Cause::Active
        | Cause::Clear
        | Cause::ReAlarm
        | Cause::StepUp
        | Cause::ShelveExpired
        | Cause::Suppress
        | Cause::Unsuppress
        | Cause::Removed => return None,
    };
    let actor = Actor {
        remote: transition.command.is_some(),
        maintenance: true,
    };
    Some(Act {
        target: Target::Alarm(id),
        action: action.name().to_owned(),
        ask: Ok(Ask::Alarm {
            alarm,
            action,
            actor,
            person: person.unwrap_or_else(|| self::person("")),
        }),
    })
}

/// How long a recorded shelving was to last, whole minutes.
fn minutes(transition: &Transition) -> u32 {
    let until = transition.shelved_until.unwrap_or(transition.time);
    let lasts = until
        .0
        .saturating_sub(transition.time.0)
        .saturating_add(30_000)
        / 60_000;
    u32::try_from(lasts.max(0)).unwrap_or(u32::MAX)
}

/// The reset of an output's latch.
pub(super) fn reset(output: OutputIndex, id: String, actor: &str) -> Act {
    Act {
        target: Target::Output(id),
        action: Action::Reset.name().to_owned(),
        ask: Ok(Ask::ResetOutput {
            output,
            actor: Actor {
                remote: false,
                maintenance: true,
            },
            person: person(actor),
        }),
    }
}

/// The test of an output.
pub(super) fn test(output: OutputIndex, for_ms: u32, id: String, actor: &str) -> Act {
    Act {
        target: Target::Output(id),
        action: "test".to_owned(),
        ask: Ok(Ask::TestOutput {
            output,
            for_ms,
            actor: Actor {
                remote: false,
                maintenance: true,
            },
            person: person(actor),
        }),
    }
}

/// What the calendar said of a proof.
pub(super) fn proof(alarm: AlarmIndex, overdue: bool, id: String) -> Act {
    Act {
        target: Target::Alarm(id),
        action: "proof".to_owned(),
        ask: Ok(Ask::Proof {
            alarm,
            overdue: Signal::from(overdue),
        }),
    }
}

/// The silencing of the horn.
pub(super) fn silence(actor: &str) -> Act {
    Act {
        target: Target::Site,
        action: "silence".to_owned(),
        ask: Ok(Ask::Silence {
            person: person(actor),
        }),
    }
}

fn person(actor: &str) -> Person {
    Person {
        actor: actor.into(),
        reason: None,
        second: None,
    }
}
