//! What must hold on every walk, one property a test, by the engine alone.

use crate::definitions::{CITY, HIGH, MAINTENANCE, OUT, PLANT, SHELVE, definition};
use crate::random_walks::walk;
use crate::reference::Input;
use crate::walk::{Event, see};
use davy_alarm::{
    Action, Actor, Alarm, Ballot, Cause, Condition, Definition, FaultPolicy, Instant, NoValue,
    Refusal, Saved, Scheme, Shown, Signal, Transition, WallMs,
};
use proptest::prelude::*;

const HOUR_MS: i64 = 3_600_000;

/// One alarm on its way, with what it tells.
#[derive(Clone)]
struct Lone {
    alarm: Alarm,
    now: u64,
    /// How far the wall clock is from the monotonic one.
    wall_ahead: i64,
}

/// What an event came to.
#[derive(Debug, Default)]
struct Came {
    told: Vec<(u64, Transition)>,
    refused: Option<Refusal>,
}

impl Lone {
    fn new(definition: Definition) -> Self {
        Self {
            alarm: Alarm::new(definition, Instant(0)),
            now: 0,
            wall_ahead: 1_790_000_000_000,
        }
    }

    fn take(&mut self, event: Event) -> Came {
        let mut came = Came::default();
        match event {
            Event::Input(input) => {
                let told = see(&mut self.alarm, input, self.now);
                came.told.extend(told.map(|told| (self.now, told)));
            }
            Event::Wait(ms) => {
                self.now += ms;
                self.fire(&mut came);
            }
            Event::Act(action, actor) => self.act(action, actor, &mut came),
            Event::AcknowledgePresent => {
                let occurrence = Some(self.alarm.occurrence());
                self.act(Action::Acknowledge { occurrence }, PLANT, &mut came);
            }
            Event::Restart(down) => {
                let saved = self.saved();
                self.now += down;
                self.restore(&saved);
                self.fire(&mut came);
            }
        }
        came
    }

    fn saved(&self) -> Saved {
        self.alarm.saved(Instant(self.now), self.wall())
    }

    fn restore(&mut self, saved: &Saved) {
        let definition = *self.alarm.definition();
        self.alarm = Alarm::restore(definition, saved, Instant(self.now), self.wall());
    }

    fn wall(&self) -> WallMs {
        WallMs(self.now as i64 + self.wall_ahead)
    }

    fn fire(&mut self, came: &mut Came) {
        while let Some((at, told)) = self.alarm.fire(Instant(self.now)) {
            came.told.extend(told.map(|told| (at.0, told)));
        }
    }

    fn act(&mut self, action: Action, actor: Actor, came: &mut Came) {
        match self.alarm.act(action, actor, Instant(self.now)) {
            Ok(told) => came.told.push((self.now, told)),
            Err(refusal) => came.refused = Some(refusal),
        }
    }
}

fn is_suppressed(alarm: &Alarm) -> bool {
    alarm.is_shelved() || alarm.is_suppressed_by_design() || alarm.is_out_of_service()
}

fn by(event: Event) -> Option<(Action, Actor)> {
    match event {
        Event::Act(action, actor) => Some((action, actor)),
        Event::AcknowledgePresent => Some((Action::Acknowledge { occurrence: None }, PLANT)),
        Event::Input(_) | Event::Wait(_) | Event::Restart(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, max_shrink_time: 5000, ..ProptestConfig::default() })]

    #[test]
    fn an_active_alarm_that_nothing_suppresses_is_annunciated_until_somebody_acknowledges_it((definition, _, events) in walk()) {
        let mut lone = Lone::new(definition);
        // Of which occurrence somebody said that they saw it.
        let mut seen = None;
        for event in events {
            for (_, told) in lone.take(event).told {
                if told.cause == Cause::Acknowledge {
                    seen = Some(told.occurrence);
                }
            }
            let alarm = &lone.alarm;
            if alarm.is_active() && !is_suppressed(alarm) {
                let acknowledged = seen == Some(alarm.occurrence());
                prop_assert_eq!(alarm.shown().is_annunciated(), !acknowledged);
            }
        }
    }

    #[test]
    fn a_missing_value_silence_or_a_restart_clears_nothing((definition, _, events) in walk()) {
        let stale = matches!(definition.condition, Condition::Stale { .. });
        let mut lone = Lone::new(definition);
        let mut known = false;
        for event in events {
            match event {
                Event::Input(Input::Value(value)) => known = value.is_finite(),
                Event::Input(Input::Says(signal)) => known = signal != Signal::Unknown,
                Event::Input(Input::Answered(answered)) => known = answered,
                Event::Input(_) | Event::Restart(_) => known = false,
                Event::Wait(_) | Event::Act(..) | Event::AcknowledgePresent => {}
            }
            let came = lone.take(event);
            let clears = came.told.iter().any(|(_, told)| told.cause == Cause::Clear);
            // A bad reading is a reading: it ends a silence, and nothing else.
            prop_assert!(!clears || known || stale, "{event:?} cleared it");
        }
    }

    #[test]
    fn no_path_leaves_a_latch_but_a_reset((definition, _, events) in walk()) {
        let mut lone = Lone::new(Definition { latching: true, ..definition });
        for event in events {
            let before = lone.alarm.clone();
            let came = lone.take(event);
            if before.is_latched() && !lone.alarm.is_latched() {
                prop_assert!(matches!(event, Event::Act(Action::Reset, _)));
                prop_assert_eq!(before.shown(), Shown::LatchedAcknowledged);
                prop_assert_eq!(lone.alarm.shown(), Shown::Normal);
            }
            let activates = came.told.iter().any(|(_, told)| told.cause == Cause::Active);
            prop_assert!(!activates || lone.alarm.is_latched());
        }
    }

    #[test]
    fn nothing_suppressed_stops_being_judged((definition, _, events) in walk()) {
        // Beside it the same alarm that nobody ever suppresses.
        let (mut lone, mut free) = (Lone::new(definition), Lone::new(definition));
        let conditions = |came: Came| -> Vec<(u64, Cause)> {
            let told = came.told.into_iter().map(|(at, told)| (at, told.cause));
            told.filter(|(_, cause)| matches!(cause, Cause::Active | Cause::Clear)).collect()
        };
        for event in events {
            let found = conditions(lone.take(event));
            let wanted = if by(event).is_some() { Vec::new() } else { conditions(free.take(event)) };
            prop_assert_eq!(found, wanted);
            prop_assert_eq!(lone.alarm.is_active(), free.alarm.is_active());
        }
    }

    #[test]
    fn an_acknowledgement_of_another_occurrence_never_counts((definition, _, events) in walk()) {
        let mut lone = Lone::new(definition);
        for event in events {
            lone.take(event);
            let present = lone.alarm.occurrence();
            for occurrence in [present.saturating_sub(1), present.saturating_sub(2), present + 1] {
                if occurrence != present {
                    let mut other = lone.clone();
                    let named = Action::Acknowledge { occurrence: Some(occurrence) };
                    let came = other.take(Event::Act(named, PLANT));
                    prop_assert!(came.refused.is_some() && came.told.is_empty());
                }
            }
            let mut unnamed = lone.clone();
            let came = unnamed.take(Event::Act(Action::Acknowledge { occurrence: None }, CITY));
            prop_assert!(came.refused.is_some());
        }
    }

    #[test]
    fn gas_level_2_is_never_shelved_from_afar((definition, _, events) in walk()) {
        let mut lone = Lone::new(Definition { gas_level_2: true, ..definition });
        for event in events {
            let before = lone.alarm.is_shelved();
            lone.take(event);
            if !before && lone.alarm.is_shelved() {
                prop_assert!(by(event).is_some_and(|(_, actor)| !actor.remote));
            }
        }
    }

    #[test]
    fn nothing_is_bypassed_suppressed_or_reset_from_afar((definition, _, events) in walk()) {
        let mut lone = Lone::new(Definition { remote_reset: false, ..definition });
        for event in events {
            let before = lone.alarm.clone();
            let remote = by(event).is_some_and(|(_, actor)| actor.remote);
            let actor = by(event).map(|(_, actor)| actor);
            lone.take(event);
            let (then, now) = (&before, &lone.alarm);
            if then.is_out_of_service() != now.is_out_of_service() {
                prop_assert_eq!(actor, Some(MAINTENANCE));
            }
            let changed = then.is_suppressed_by_design() != now.is_suppressed_by_design();
            prop_assert!(!(remote && changed));
            prop_assert!(!(remote && then.is_latched() && !now.is_latched()));
        }
    }

    #[test]
    fn a_restart_changes_no_state_and_tells_nothing((definition, _, events) in walk()) {
        let mut lone = Lone::new(definition);
        for event in events {
            lone.take(event);
            let mut again = lone.clone();
            let came = again.take(Event::Restart(0));
            prop_assert!(came.told.is_empty(), "{:?}", came.told);
            prop_assert_eq!(again.saved(), lone.saved());
            prop_assert_eq!(again.alarm.shown(), lone.alarm.shown());
            prop_assert_eq!(again.alarm.demands(), lone.alarm.demands());
        }
    }

    #[test]
    fn a_clock_that_jumps_by_hours_moves_no_delay_and_no_latch((definition, _, events) in walk(), jumps in proptest::collection::vec(-30_i64..30, 60)) {
        // Two that live through the same, one of them under a wall clock that jumps before every event.
        let (mut lone, mut steady) = (Lone::new(definition), Lone::new(definition));
        for (event, hours) in events.into_iter().zip(jumps) {
            lone.wall_ahead += hours * HOUR_MS;
            if let Event::Restart(_) = event {
                continue;
            }
            let (found, wanted) = (lone.take(event), steady.take(event));
            prop_assert_eq!(found.told, wanted.told);
            prop_assert_eq!(lone.alarm.due(), steady.alarm.due());
        }
    }

    #[test]
    fn a_clock_that_jumped_while_down_loses_no_state_and_prolongs_nothing((definition, _, events) in walk(), hours in -1000_i64..1000) {
        let mut lone = Lone::new(definition);
        for event in events {
            lone.take(event);
            let (before, saved) = (lone.alarm.clone(), lone.saved());
            let mut again = lone.clone();
            again.wall_ahead += hours * HOUR_MS;
            again.restore(&saved);
            let (found, wanted) = (&again.alarm, &before);
            prop_assert_eq!(found.shown(), wanted.shown());
            prop_assert_eq!(
                (found.is_active(), found.is_latched(), found.occurrence()),
                (wanted.is_active(), wanted.is_latched(), wanted.occurrence())
            );
            let most = u64::from(definition.shelve_max_minutes) * 60_000;
            let left = found.shelved_until().map(|until| until.since(Instant(again.now)));
            prop_assert!(left.is_none_or(|left| left <= most));
            // An hour on, whatever could fall due has.
            let came = again.take(Event::Wait(HOUR_MS as u64));
            prop_assert!(!again.alarm.is_shelved(), "{came:?}");
        }
    }

    #[test]
    fn every_annunciation_is_an_occurrence_of_its_own((definition, _, events) in walk()) {
        let mut lone = Lone::new(definition);
        for event in events {
            let before = lone.alarm.clone();
            lone.take(event);
            let (then, now) = (before.shown().is_annunciated(), lone.alarm.shown().is_annunciated());
            prop_assert!(lone.alarm.occurrence() >= before.occurrence());
            prop_assert!(then || !now || lone.alarm.occurrence() > before.occurrence());
        }
    }

    #[test]
    fn shelving_and_suppression_end_no_demand((definition, _, events) in walk()) {
        let mut lone = Lone::new(definition);
        for event in events {
            let before = lone.alarm.demands();
            let came = lone.take(event);
            for (_, told) in came.told {
                if matches!(told.cause, Cause::Shelve | Cause::Suppress | Cause::Acknowledge) {
                    prop_assert_eq!(before, lone.alarm.demands());
                }
            }
        }
    }
}

#[test]
fn a_group_for_safety_that_excludes_its_faulted_members_never_cannot_trip() {
    for n in 1_u8..=6 {
        for needed in 1..=n {
            for lost in 0..n {
                let scheme = Scheme {
                    needed,
                    fault: FaultPolicy::Exclude,
                    safety: true,
                };
                for how in [Ballot::Fault, Ballot::Bypass] {
                    let group = |says| {
                        let gone = std::iter::repeat_n(how, usize::from(lost));
                        gone.chain(std::iter::repeat_n(says, usize::from(n - lost)))
                    };
                    let tally = scheme.count(group(Ballot::Trip));
                    assert_eq!(tally.vote, Signal::Set, "{needed} of {n}, {lost} lost");
                    assert!(tally.needed >= 1 && tally.needed <= tally.left);
                    assert!(tally.needed <= needed, "a loss never asks for more");
                    assert_eq!(scheme.count(group(Ballot::Ok)).vote, Signal::Clear);
                }
            }
        }
    }
}

#[test]
fn a_shelved_latched_alarm_out_of_service_comes_back_latched_and_unacknowledged() {
    let mut lone = Lone::new(Definition {
        latching: true,
        ..definition(HIGH)
    });
    for event in [
        Event::Input(Input::Value(60.0)),
        Event::AcknowledgePresent,
        Event::Act(SHELVE, PLANT),
        Event::Act(OUT, MAINTENANCE),
        Event::Input(Input::Value(1.0)),
        Event::Input(Input::Missing(NoValue::Timeout)),
        Event::Wait(60_000),
    ] {
        assert_eq!(lone.take(event).refused, None);
    }
    assert_eq!(lone.alarm.shown(), Shown::OutOfService);
    lone.take(Event::Act(Action::InService, MAINTENANCE));
    assert_eq!(lone.alarm.shown(), Shown::LatchedUnacknowledged);
    assert_eq!(lone.alarm.occurrence(), 2);
}
