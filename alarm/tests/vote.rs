//! Voting against a naive model of R17 and R18: every group of up to four members, every ballot, policy and need.

use davy_alarm::{Ballot, FaultPolicy, Scheme, Signal, Tally};

/// Every list of `n` ballots.
fn every(n: usize) -> Vec<Vec<Ballot>> {
    (0..n).fold(vec![vec![]], |lists, _| {
        let longer = |list: &Vec<Ballot>| {
            let list = list.clone();
            Ballot::ALL.map(|ballot| [list.clone(), vec![ballot]].concat())
        };
        lists.iter().flat_map(longer).collect()
    })
}

fn schemes(n: usize) -> Vec<Scheme> {
    let mut schemes = Vec::new();
    for needed in 1..=n as u8 {
        for fault in FaultPolicy::ALL {
            for safety in [false, true] {
                schemes.push(Scheme {
                    needed,
                    fault,
                    safety,
                });
            }
        }
    }
    schemes
}

/// R18, read aloud in signed numbers.
fn naive(scheme: Scheme, ballots: &[Ballot]) -> Tally {
    let count = |wanted| ballots.iter().filter(|ballot| **ballot == wanted).count() as i32;
    let exclude = scheme.fault == FaultPolicy::Exclude;
    let lost = count(Ballot::Bypass) + if exclude { count(Ballot::Fault) } else { 0 };
    let left = ballots.len() as i32 - lost;
    let m = i32::from(scheme.needed);
    let needed = left.min(if scheme.safety { 1.max(m - lost) } else { m });
    let votes = count(Ballot::Trip) + if exclude { 0 } else { count(Ballot::Fault) };
    Tally {
        vote: match left {
            0 => Signal::Unknown,
            _ if votes >= needed => Signal::Set,
            _ => Signal::Clear,
        },
        degraded: count(Ballot::Fault) + count(Ballot::Bypass) > 0,
        unmonitored: left == 0,
        discrepancy: count(Ballot::Trip) > 0 && count(Ballot::Ok) > 0,
        left: left as u8,
        needed: needed as u8,
    }
}

#[test]
fn every_group_of_up_to_four_votes_as_the_rules_read_aloud() {
    let mut seen = 0;
    for n in 1..=4 {
        for scheme in schemes(n) {
            for ballots in every(n) {
                let counted = scheme.count(ballots.iter().copied());
                assert_eq!(counted, naive(scheme, &ballots), "{scheme:?} {ballots:?}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 4 * 4 + 8 * 16 + 12 * 64 + 16 * 256);
}

#[test]
fn a_member_that_trips_never_takes_a_trip_away_and_one_for_safety_trips_sooner() {
    for n in 1..=4 {
        for scheme in schemes(n) {
            for ballots in every(n) {
                let before = scheme.count(ballots.iter().copied()).vote;
                for member in 0..n {
                    let mut tripped = ballots.clone();
                    tripped[member] = Ballot::Trip;
                    let after = scheme.count(tripped.iter().copied()).vote;
                    assert!(
                        before != Signal::Set || after == Signal::Set,
                        "{scheme:?} {ballots:?} then {member} trips"
                    );
                }
                let safe = Scheme {
                    safety: true,
                    ..scheme
                };
                let safer = safe.count(ballots.iter().copied()).vote;
                assert!(before != Signal::Set || safer == Signal::Set);
            }
        }
    }
}

#[test]
fn a_group_with_a_member_left_can_always_trip() {
    for n in 1..=4 {
        for scheme in schemes(n) {
            for ballots in every(n) {
                let all: Vec<Ballot> = (ballots.iter())
                    .map(|ballot| match ballot {
                        Ballot::Ok => Ballot::Trip,
                        other => *other,
                    })
                    .collect();
                let tally = scheme.count(all);
                let wanted = if tally.left == 0 {
                    Signal::Unknown
                } else {
                    Signal::Set
                };
                assert_eq!(tally.vote, wanted, "{scheme:?} {ballots:?}");
            }
        }
    }
}

/// The table of the degraded modes: what is needed of what is left.
#[test]
fn a_degraded_group_needs_what_the_table_says() {
    use Ballot::{Bypass, Fault, Ok};
    let needs = |needed, safety, ballots: &[Ballot]| {
        let scheme = Scheme {
            needed,
            fault: FaultPolicy::Exclude,
            safety,
        };
        let tally = scheme.count(ballots.iter().copied());
        (tally.needed, tally.left)
    };
    assert_eq!(needs(1, false, &[Fault, Ok]), (1, 1), "1oo2 becomes 1oo1");
    assert_eq!(needs(2, false, &[Fault, Ok]), (1, 1), "2oo2 becomes 1oo1");
    assert_eq!(needs(2, false, &[Fault, Ok, Ok]), (2, 2), "2oo3, 2oo2");
    assert_eq!(needs(2, true, &[Bypass, Ok, Ok]), (1, 2), "2oo3, safe 1oo2");
    assert_eq!(needs(2, false, &[Fault, Fault, Ok]), (1, 1), "2oo3, 1oo1");
    let trip = Scheme {
        needed: 2,
        fault: FaultPolicy::VoteTrip,
        safety: false,
    };
    assert_eq!(trip.count([Fault, Ok, Ok]).vote, Signal::Clear);
    assert_eq!(trip.count([Fault, Fault, Ok]).vote, Signal::Set);
}

#[test]
fn a_member_out_of_service_is_a_bypass_whatever_else_it_is() {
    assert_eq!(Ballot::of(true, true, true), Ballot::Bypass);
    assert_eq!(Ballot::of(false, true, true), Ballot::Trip);
    assert_eq!(Ballot::of(false, false, true), Ballot::Fault);
    assert_eq!(Ballot::of(false, false, false), Ballot::Ok);
}

#[test]
fn a_crowd_is_counted_without_overflow() {
    let scheme = Scheme {
        needed: 2,
        fault: FaultPolicy::VoteTrip,
        safety: true,
    };
    for ballot in Ballot::ALL {
        let tally = scheme.count(std::iter::repeat_n(ballot, 1000));
        assert_eq!(tally.unmonitored, ballot == Ballot::Bypass);
    }
}
