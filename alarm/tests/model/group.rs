//! A group that votes, with its members' limits, faults and silences (R17, R18): engine and reference through the same readings.

use crate::definitions::{HIGH, MAINTENANCE, OUT, definition};
use crate::reference::{Input, Line, Reference};
use crate::walk::see;
use davy_alarm::{
    Action, Alarm, Ballot, Condition, Definition, FaultPolicy, Instant, NoValue, Scheme, Signal,
};
use proptest::prelude::*;

const STEP: u64 = 1000;
const STALE: Condition = Condition::Stale { after_ms: 4000 };
const GROUP: [Condition; 4] = [
    Condition::Vote,
    Condition::Degraded,
    Condition::Unmonitored,
    Condition::Discrepancy,
];

/// A reading of a member, time, or a member's way out of service and back.
#[derive(Clone, Copy, Debug)]
enum Event {
    Reading(usize, Input),
    Wait(u64),
    Bypass(usize, bool),
}

/// Limit, fault and silence of each member, then the group's own four.
fn definitions(members: usize, latching: bool) -> Vec<Definition> {
    let limit = Definition {
        off_delay_ms: 1000,
        ..definition(HIGH)
    };
    let bad = Definition {
        on_delay_ms: 2000,
        ..definition(Condition::Bad)
    };
    let member = [limit, bad, definition(STALE)];
    let own = GROUP.map(|condition| Definition {
        latching: latching && condition == Condition::Vote,
        on_delay_ms: if condition == Condition::Discrepancy {
            2000
        } else {
            0
        },
        ..definition(condition)
    });
    let all = std::iter::repeat_n(member, members).flatten().chain(own);
    all.collect()
}

/// What the four are told, read aloud from R17 and R18 in signed numbers.
fn aloud(scheme: Scheme, members: &[[&Reference; 3]]) -> [Signal; 4] {
    let (mut bypassed, mut tripped, mut faulted, mut well) = (0_i32, 0_i32, 0_i32, 0_i32);
    for [limit, bad, stale] in members {
        if limit.is_out_of_service() {
            bypassed += 1;
        } else if limit.is_active() {
            tripped += 1;
        } else if bad.is_active() || stale.is_active() {
            faulted += 1;
        } else {
            well += 1;
        }
    }
    let excluded = if scheme.fault == FaultPolicy::Exclude {
        faulted
    } else {
        0
    };
    let lost = bypassed + excluded;
    let left = members.len() as i32 - lost;
    let wanted = i32::from(scheme.needed);
    let needed = left.min(if scheme.safety {
        1.max(wanted - lost)
    } else {
        wanted
    });
    let votes = tripped + faulted - excluded;
    let vote = match left {
        0 => Signal::Unknown,
        _ if votes >= needed => Signal::Set,
        _ => Signal::Clear,
    };
    [
        vote,
        Signal::from(faulted + bypassed > 0),
        Signal::from(left == 0),
        Signal::from(tripped > 0 && well > 0),
    ]
}

struct Both {
    scheme: Scheme,
    members: usize,
    now: u64,
    references: Vec<Reference>,
    engines: Vec<Alarm>,
    told: Vec<Vec<Line>>,
}

impl Both {
    fn new(scheme: Scheme, members: usize, latching: bool) -> Self {
        let all = definitions(members, latching);
        Self {
            scheme,
            members,
            now: 0,
            references: (all.iter())
                .map(|definition| Reference::new(*definition, STEP))
                .collect(),
            engines: (all.iter())
                .map(|definition| Alarm::new(*definition, Instant(0)))
                .collect(),
            told: vec![Vec::new(); all.len()],
        }
    }

    /// The limit holds while its point is silent (R9), which its STALE alarm told just now.
    fn second(&mut self) {
        self.now += STEP;
        for place in 0..self.engines.len() {
            self.references[place].pass(self.now);
            self.fire(place);
        }
        for member in 0..self.members {
            let stale = self.references[3 * member + 2].told().last();
            let just_now = stale.is_some_and(|line| line.at == self.now);
            if just_now && self.references[3 * member + 2].is_active() {
                self.see(3 * member, Input::Silent);
                self.see(3 * member + 1, Input::Silent);
            }
        }
        self.count();
    }

    fn fire(&mut self, place: usize) {
        while let Some((at, told)) = self.engines[place].fire(Instant(self.now)) {
            let line = told.map(|told| Line {
                at: at.0,
                from: told.from,
                to: told.to,
                cause: told.cause,
                occurrence: told.occurrence,
            });
            self.told[place].extend(line);
        }
    }

    fn see(&mut self, place: usize, input: Input) {
        self.references[place].see(input);
        let told = see(&mut self.engines[place], input, self.now);
        self.told[place].extend(told.map(|told| Line {
            at: self.now,
            from: told.from,
            to: told.to,
            cause: told.cause,
            occurrence: told.occurrence,
        }));
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Reading(member, input) => {
                for alarm in 0..3 {
                    self.see(3 * (member % self.members) + alarm, input);
                }
                self.count();
            }
            Event::Wait(seconds) => (0..seconds).for_each(|_| self.second()),
            Event::Bypass(member, out) => {
                let action = if out { OUT } else { Action::InService };
                let place = 3 * (member % self.members);
                let wanted = self.references[place].act(action, MAINTENANCE);
                let found = self.engines[place].act(action, MAINTENANCE, Instant(self.now));
                assert_eq!(wanted.is_ok(), found.is_ok());
                self.told[place].extend(found.ok().map(|told| Line {
                    at: self.now,
                    from: told.from,
                    to: told.to,
                    cause: told.cause,
                    occurrence: told.occurrence,
                }));
                self.count();
            }
        }
    }

    /// Both tell their own four what their own members say.
    fn count(&mut self) {
        let references: Vec<[&Reference; 3]> = (0..self.members)
            .map(|member| [0, 1, 2].map(|alarm| &self.references[3 * member + alarm]))
            .collect();
        let wanted = aloud(self.scheme, &references);
        let tally = self.scheme.count((0..self.members).map(|member| {
            let [limit, bad, stale] = [0, 1, 2].map(|alarm| &self.engines[3 * member + alarm]);
            let faulted = bad.is_active() || stale.is_active();
            Ballot::of(limit.is_out_of_service(), limit.is_active(), faulted)
        }));
        let found = [
            tally.vote,
            tally.degraded.into(),
            tally.unmonitored.into(),
            tally.discrepancy.into(),
        ];
        assert_eq!(wanted, found);
        for (own, signal) in wanted.into_iter().enumerate() {
            self.see(3 * self.members + own, Input::Says(signal));
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    let inputs = [
        Input::Value(60.0),
        Input::Value(47.0),
        Input::Value(10.0),
        Input::Missing(NoValue::Timeout),
        Input::Missing(NoValue::OverRange),
    ];
    let input = proptest::sample::select(inputs.to_vec());
    prop_oneof![
        6 => (0_usize..12, input).prop_map(|(member, input)| Event::Reading(member, input)),
        3 => (1_u64..4).prop_map(Event::Wait),
        1 => (0_usize..12, any::<bool>()).prop_map(|(member, out)| Event::Bypass(member, out)),
    ]
}

proptest! {
    #[test]
    fn no_group_votes_otherwise_than_by_the_rules(
        members in 1_usize..=4,
        needed in 1_u8..=4,
        vote_trip: bool,
        safety: bool,
        latching: bool,
        events in proptest::collection::vec(event(), 1..50),
    ) {
        let fault = FaultPolicy::ALL[usize::from(vote_trip)];
        let scheme = Scheme { needed: needed.min(members as u8), fault, safety };
        let mut both = Both::new(scheme, members, latching);
        for event in events {
            both.take(event);
            for (place, reference) in both.references.iter().enumerate() {
                prop_assert_eq!(reference.told(), &both.told[place][..], "{:?}", both.engines[place].definition().condition);
                prop_assert_eq!(reference.shown(), both.engines[place].shown());
            }
        }
    }
}
