//! A few seeds at each run of the tests; thousands by `cargo xtask simulate`.

#![allow(clippy::unwrap_used)]

use davy_simulation::{Account, Mutant, Plan, run};

fn lives(seed: u64, days: f64) -> Account {
    let plan = Plan {
        seed,
        days,
        mutant: None,
    };
    run(&plan).unwrap_or_else(|broken| panic!("{broken:#}"))
}

/// Each with a seed in which it shows; a mistake in the audit log needs one in which somebody acts.
const MUTANTS: [(Mutant, std::ops::RangeInclusive<u64>); 10] = [
    (Mutant::ForgetsWhatItPublishes, 1..=4),
    (Mutant::AcknowledgesBeforeCommit, 1..=1),
    (Mutant::ForgetsOffsets, 1..=1),
    (Mutant::DiskLies, 1..=8),
    (Mutant::AltersAudit, 1..=12),
    (Mutant::AltersReadings, 1..=1),
    (Mutant::MakesAbsencesZero, 1..=1),
    (Mutant::OmitsAPointFromBirths, 1..=1),
    (Mutant::ReloadsWithoutBirths, 1..=4),
    (Mutant::ForgetsAlarmsOnReload, 1..=4),
];

#[test]
fn under_every_fault_nothing_is_lost_doubled_or_invented_and_alarms_sound() {
    let accounts: Vec<Account> = (1..=8).map(|seed| lives(seed, 0.01)).collect();
    let sum = |of: fn(&Account) -> u64| accounts.iter().map(of).sum::<u64>();
    // A simulation in which nothing happens proves nothing.
    assert!(sum(|account| account.readings) > 2_000);
    assert!(sum(|account| account.transitions) > 100);
    assert!(sum(|account| account.restarts) > 8);
}

#[test]
fn the_same_seed_tells_the_same_story_to_the_bit() {
    let first = lives(7, 0.005);
    assert_eq!(lives(7, 0.005), first);
    assert_ne!(lives(8, 0.005).hash, first.hash);
}

#[test]
fn every_deliberate_mistake_is_found() {
    for (mutant, mut seeds) in MUTANTS {
        let is_found = |seed| {
            let plan = Plan {
                seed,
                days: 0.05,
                mutant: Some(mutant),
            };
            run(&plan).is_err()
        };
        assert!(seeds.any(is_found), "{mutant:?} is not found");
    }
}
