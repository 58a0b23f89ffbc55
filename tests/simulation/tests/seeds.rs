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

/// The seed and time in which each mistake shows, found by trying seeds from 1 on.
const MUTANTS: [(Mutant, u64, f64); 7] = [
    (Mutant::ForgetsWhatItPublishes, 1, 0.01),
    (Mutant::AcknowledgesBeforeCommit, 1, 0.01),
    (Mutant::ForgetsOffsets, 1, 0.01),
    (Mutant::DiskLies, 5, 0.01),
    (Mutant::AltersAudit, 1, 0.01),
    (Mutant::AltersReadings, 1, 0.01),
    (Mutant::MakesAbsencesZero, 1, 0.01),
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
    for (mutant, seed, days) in MUTANTS {
        let plan = Plan {
            seed,
            days,
            mutant: Some(mutant),
        };
        assert!(run(&plan).is_err(), "{mutant:?} is not found");
    }
}
