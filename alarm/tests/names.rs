//! The names of files, API and logs and the numbers of wire and disk: changing one breaks records that exist.

use davy_alarm::{
    Action, Cause, Condition, FaultPolicy, Instant, NoValue, Priority, Quality, Reading, Refusal,
    Shown, WallMs,
};

#[test]
fn every_act_has_its_name() {
    let named = [
        (Action::Acknowledge { occurrence: None }, "acknowledge"),
        (Action::Reset, "reset"),
        (
            Action::Shelve {
                minutes: 1,
                reason: true,
                second: false,
            },
            "shelve",
        ),
        (Action::Unshelve, "unshelve"),
        (Action::OutOfService { reason: true }, "out-of-service"),
        (Action::InService, "in-service"),
        (Action::Suppress, "suppress"),
        (Action::Unsuppress, "unsuppress"),
    ];
    for (action, name) in named {
        assert_eq!(action.name(), name);
    }
}

#[test]
fn every_refusal_says_why_by_its_name() {
    let named = [
        (Refusal::UnknownAlarm, "unknown-alarm"),
        (Refusal::UnknownOutput, "unknown-output"),
        (Refusal::UnknownAction, "unknown-action"),
        (Refusal::Suppressed, "suppressed"),
        (Refusal::NotUnacknowledged, "not-unacknowledged"),
        (Refusal::NewerOccurrence, "newer-occurrence"),
        (Refusal::Occurrence, "occurrence"),
        (Refusal::NotLatched, "not-latched"),
        (Refusal::Active, "active"),
        (Refusal::Unacknowledged, "unacknowledged"),
        (Refusal::BadQuality, "bad-quality"),
        (Refusal::Remote, "remote"),
        (Refusal::Role, "role"),
        (Refusal::Reason, "reason"),
        (Refusal::Minutes, "minutes"),
        (Refusal::SecondPerson, "second-person"),
        (Refusal::NotShelvable, "not-shelvable"),
        (Refusal::Already, "already"),
        (Refusal::NotShelved, "not-shelved"),
        (Refusal::NotOutOfService, "not-out-of-service"),
        (Refusal::NotSuppressed, "not-suppressed"),
        (Refusal::BypassInGroup, "bypass-in-group"),
    ];
    for (refusal, why) in named {
        assert_eq!(refusal.why(), why);
        assert_eq!(refusal.to_string(), why);
    }
}

#[test]
fn every_condition_completes_the_id_of_its_alarm_and_tells_its_set_point_and_deadband() {
    let (set_point, deadband, limit) = (7.0, 1.0, 7.0);
    let named = [
        (
            Condition::HiHi {
                set_point,
                deadband,
            },
            "HH",
            Some(7.0),
        ),
        (
            Condition::Hi {
                set_point,
                deadband,
            },
            "H",
            Some(7.0),
        ),
        (
            Condition::Lo {
                set_point,
                deadband,
            },
            "L",
            Some(7.0),
        ),
        (
            Condition::LoLo {
                set_point,
                deadband,
            },
            "LL",
            Some(7.0),
        ),
        (Condition::Deviation { limit, deadband }, "DEV", Some(7.0)),
        (
            Condition::RateOfChange { limit, deadband },
            "ROC",
            Some(7.0),
        ),
        (Condition::Stel { limit, deadband }, "STEL", Some(7.0)),
        (Condition::Twa { limit, deadband }, "TWA", Some(7.0)),
        (Condition::Discrete { when: true }, "ON", None),
        (Condition::Frozen, "FROZEN", None),
        (Condition::Bad, "BAD", None),
        (Condition::Stale { after_ms: 1 }, "STALE", None),
        (Condition::CommsLost, "COMMS", None),
        (Condition::Vote, "VOTE", None),
        (Condition::Degraded, "DEGRADED", None),
        (Condition::Unmonitored, "UNMON", None),
        (Condition::Discrepancy, "DISC", None),
        (Condition::OutputFailed, "FAILED", None),
        (Condition::Unproved, "PROOF", None),
    ];
    for (condition, suffix, at) in named {
        assert_eq!((condition.suffix(), condition.set_point()), (suffix, at));
        assert_eq!(condition.deadband(), at.map(|_| deadband));
    }
}

#[test]
fn every_shown_state_has_its_name_and_number_and_the_horn_sounds_for_three() {
    let named = [
        (Shown::Normal, "NORM", false),
        (Shown::Unacknowledged, "UNACK", true),
        (Shown::Acknowledged, "ACKED", false),
        (Shown::ReturnedUnacknowledged, "RTNUN", true),
        (Shown::LatchedUnacknowledged, "LATCH-UNACK", true),
        (Shown::LatchedAcknowledged, "LATCH-ACK", false),
        (Shown::Shelved, "SHLVD", false),
        (Shown::SuppressedByDesign, "DSUPR", false),
        (Shown::OutOfService, "OOSRV", false),
    ];
    for (code, (shown, name, annunciated)) in named.into_iter().enumerate() {
        assert_eq!((shown.name(), usize::from(shown.code())), (name, code));
        assert_eq!(Shown::from_code(code as u8), Some(shown));
        assert_eq!(Shown::from_name(name), Some(shown));
        assert_eq!(shown.is_annunciated(), annunciated);
    }
    assert_eq!(Shown::from_code(9), None);
    assert_eq!(Shown::from_name("norm"), None);
}

#[test]
fn every_cause_has_its_name_and_number() {
    let named = [
        (Cause::Active, "active"),
        (Cause::Clear, "clear"),
        (Cause::Acknowledge, "acknowledge"),
        (Cause::Reset, "reset"),
        (Cause::ReAlarm, "re-alarm"),
        (Cause::StepUp, "step-up"),
        (Cause::Shelve, "shelve"),
        (Cause::Unshelve, "unshelve"),
        (Cause::ShelveExpired, "shelve-expired"),
        (Cause::OutOfService, "out-of-service"),
        (Cause::InService, "in-service"),
        (Cause::Suppress, "suppress"),
        (Cause::Unsuppress, "unsuppress"),
        (Cause::Removed, "removed"),
    ];
    for (code, (cause, name)) in named.into_iter().enumerate() {
        assert_eq!((cause.name(), usize::from(cause.code())), (name, code));
        assert_eq!(Cause::from_code(code as u8), Some(cause));
        assert_eq!(Cause::from_name(name), Some(cause));
    }
    assert_eq!(Cause::from_code(14), None);
    assert_eq!(Cause::from_name("Active"), None);
}

#[test]
fn every_cause_of_absence_has_its_name_and_number_and_three_lose_contact() {
    let named = [
        (NoValue::NotYetRead, 1, "not-yet-read"),
        (NoValue::Timeout, 2, "timeout"),
        (NoValue::BadFrame, 3, "bad-frame"),
        (NoValue::LinkDown, 4, "link-down"),
        (NoValue::Exception(0), 5, "exception"),
        (NoValue::NotFinite, 6, "not-finite"),
        (NoValue::OverRange, 7, "over-range"),
        (NoValue::UnderRange, 8, "under-range"),
        (NoValue::SensorFault, 9, "sensor-fault"),
        (NoValue::BrokenLoop, 10, "broken-loop"),
        (NoValue::Inhibit, 11, "inhibit"),
        (NoValue::Calibration, 12, "calibration"),
        (NoValue::WarmUp, 13, "warm-up"),
        (NoValue::UnknownCode, 14, "unknown-code"),
    ];
    for (cause, code, name) in named {
        assert_eq!((cause.code(), cause.name()), (code, name));
        assert_eq!(NoValue::from_code(code), Some(cause));
        assert_eq!(NoValue::from_name(name), Some(cause));
        assert_eq!(cause.is_comms_lost(), (2..=4).contains(&code), "{name}");
    }
    assert_eq!(NoValue::Exception(2).code(), 0x0205);
    assert_eq!(NoValue::from_code(0xff05), Some(NoValue::Exception(255)));
    for unknown in [0, 15, 0x0101, 0x0702, 0xffff] {
        assert_eq!(NoValue::from_code(unknown), None);
    }
    assert_eq!(NoValue::from_name("Timeout"), None);
}

#[test]
fn every_policy_and_priority_has_its_name_or_number() {
    let names = FaultPolicy::ALL.map(FaultPolicy::name);
    assert_eq!(names, ["exclude", "vote-trip"]);
    let priorities = [Priority::P1, Priority::P2, Priority::P3, Priority::P4];
    for (number, priority) in (1..).zip(priorities) {
        assert_eq!(priority.number(), number);
        assert_eq!(Priority::from_number(number), Some(priority));
    }
    assert_eq!(Priority::from_number(0), None);
    assert_eq!(Priority::from_number(5), None);
}

#[test]
fn a_reading_carries_its_quality_and_the_time_of_its_source() {
    let at = WallMs(1_790_000_000_000);
    let measured = Reading::measured(1.5, at);
    assert_eq!(
        (measured.value(), measured.quality()),
        (Ok(1.5), Quality::Good)
    );
    let uncertain = Reading::uncertain(1.5, at);
    assert_eq!(
        (uncertain.value(), uncertain.quality()),
        (Ok(1.5), Quality::Uncertain)
    );
    let absent = Reading::absent(NoValue::Inhibit, at);
    assert_eq!(
        (absent.value(), absent.quality()),
        (Err(NoValue::Inhibit), Quality::Bad)
    );
    for reading in [measured, uncertain, absent] {
        assert_eq!(reading.source_time(), at);
    }
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for reading in [Reading::measured(value, at), Reading::uncertain(value, at)] {
            assert_eq!(
                (reading.value(), reading.quality()),
                (Err(NoValue::NotFinite), Quality::Bad)
            );
        }
    }
}

#[test]
fn time_neither_wraps_at_its_end_nor_runs_backwards() {
    assert_eq!(Instant(7).after(5), Instant(12));
    assert_eq!(Instant(u64::MAX - 1).after(5), Instant(u64::MAX));
    assert_eq!(Instant(12).since(Instant(7)), 5);
    assert_eq!(Instant(7).since(Instant(12)), 0);
}
