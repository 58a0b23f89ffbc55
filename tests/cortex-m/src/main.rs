//! Every public entry of `davy-alarm` on a Cortex-M, without a heap and with inputs that the compiler knows nothing of. Never run: `cargo xtask check` builds
//! it and looks in its symbols for a way to panic.
#![no_std]
#![no_main]

use core::fmt::{self, Write};
use core::hint::black_box;
use davy_alarm::{
    Action, Actor, Alarm, Ballot, Calm, Cause, Condition, Definition, Exposure, Extremes,
    FaultPolicy, Instant, Mean, NoValue, Priority, Reading, Refusal, Saved, Scheme, Shown, Signal,
    WallMs,
};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    names();
    times_and_readings();
    saved();
    life_of_an_alarm();
    what_an_alarm_is();
    windows();
    votes();
    #[cfg(feature = "panics")]
    assert!(black_box(false), "on purpose");
    loop {}
}

/// Swallows what is written.
struct Sink;

impl Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        black_box(text);
        Ok(())
    }
}

fn names() {
    let word = black_box("word");
    black_box((
        black_box(ACTIONS[0]).name(),
        black_box(Refusal::Remote).why(),
    ));
    black_box(
        Sink.write_fmt(format_args!("{}", black_box(Refusal::Role)))
            .is_ok(),
    );
    let shown = black_box(Shown::Normal);
    black_box((shown.name(), shown.code(), shown.is_annunciated()));
    black_box((Shown::from_code(black_box(3)), Shown::from_name(word)));
    let cause = black_box(Cause::Active);
    black_box((cause.name(), cause.code()));
    black_box((Cause::from_code(black_box(3)), Cause::from_name(word)));
    let absent = black_box(NoValue::Timeout);
    black_box((absent.name(), absent.code(), absent.is_comms_lost()));
    black_box((NoValue::from_code(black_box(3)), NoValue::from_name(word)));
    black_box((
        black_box(FaultPolicy::Exclude).name(),
        black_box(Priority::P1).number(),
    ));
    black_box(Priority::from_number(black_box(3)));
    let condition = black_box(definition().condition);
    black_box((
        condition.suffix(),
        condition.set_point(),
        condition.deadband(),
    ));
}

fn times_and_readings() {
    let now = black_box(Instant(7));
    black_box((
        now.after(black_box(u64::MAX)),
        now.since(black_box(Instant(9))),
    ));
    for reading in readings() {
        black_box((
            reading.value().ok(),
            reading.quality(),
            reading.source_time(),
        ));
    }
}

fn readings() -> [Reading; 3] {
    let (value, wall) = (black_box(1.0), black_box(WallMs(5)));
    black_box([
        Reading::measured(value, wall),
        Reading::uncertain(value, wall),
        Reading::absent(black_box(NoValue::Timeout), wall),
    ])
}

fn definition() -> Definition {
    black_box(Definition {
        condition: Condition::HiHi {
            set_point: 50.0,
            deadband: 1.0,
        },
        priority: Priority::P1,
        on_delay_ms: 5,
        off_delay_ms: 5,
        latching: true,
        gas_level_2: true,
        re_alarm_ms: Some(5),
        shelve_max_minutes: 480,
        remote_reset: false,
    })
}

/// By reference, so that a slice of unknown length reaches the parser.
fn saved() {
    const BYTES: [u8; 64] = [1; 64];
    let bytes: &[u8] = black_box(&BYTES);
    if let Some(saved) = black_box(Saved::from_bytes(bytes)) {
        black_box(saved.to_bytes());
        black_box(Alarm::restore(
            definition(),
            &saved,
            black_box(Instant(7)),
            black_box(WallMs(3)),
        ));
    }
}

const ACTIONS: [Action; 8] = [
    Action::Acknowledge {
        occurrence: Some(1),
    },
    Action::Reset,
    Action::Shelve {
        minutes: 5,
        reason: true,
        second: true,
    },
    Action::Unshelve,
    Action::OutOfService { reason: true },
    Action::InService,
    Action::Suppress,
    Action::Unsuppress,
];

fn life_of_an_alarm() {
    let now = black_box(Instant(7));
    let mut alarm = black_box(Alarm::new(definition(), now));
    for reading in &readings() {
        black_box(alarm.observe(reading, black_box(now)));
    }
    black_box(alarm.observe_contact(black_box(false), black_box(now)));
    black_box(alarm.observe_signal(black_box(Signal::from(black_box(true))), black_box(now)));
    let calm = black_box(alarm.calm().and(black_box(Calm::EVERY)));
    black_box(calm.holds(black_box(1.0)));
    alarm.heard(black_box(now));
    alarm.hold();
    for action in black_box(ACTIONS) {
        let actor = black_box(Actor::default());
        black_box(alarm.act(action, actor, black_box(now)).is_ok());
    }
    while let Some(fired) = alarm.fire(black_box(now)) {
        black_box(fired);
    }
    black_box(alarm.saved(black_box(now), black_box(WallMs(3))));
    let definition = black_box(*alarm.definition());
    alarm.redefine(definition, black_box(now));
    black_box(alarm.remove());
}

fn what_an_alarm_is() {
    let alarm = black_box(Alarm::new(definition(), black_box(Instant(7))));
    black_box((
        alarm.due(),
        alarm.shown(),
        alarm.demands(),
        *alarm.definition(),
    ));
    black_box((
        alarm.is_active(),
        alarm.is_acknowledged(),
        alarm.is_latched(),
    ));
    black_box((
        alarm.is_shelved(),
        alarm.is_suppressed_by_design(),
        alarm.is_out_of_service(),
    ));
    black_box((alarm.occurrence(), alarm.shelved_until()));
}

fn windows() {
    let (window_ms, now) = (black_box(900_000), black_box(Instant(7)));
    let mut mean = black_box(Mean::<60>::new(window_ms, now));
    mean.see(black_box(1.0), black_box(now));
    mean.lose(black_box(now));
    match mean.exposure(black_box(now)) {
        Exposure::Mean(value) | Exposure::AtLeast(value) => black_box(value),
    };
    black_box(mean.next_bucket());
    let mut extremes = black_box(Extremes::<16>::new(window_ms, now));
    black_box(extremes.see(black_box(1.0), black_box(now)));
    extremes.lose(black_box(now));
}

fn votes() {
    let scheme = black_box(Scheme {
        needed: 2,
        fault: FaultPolicy::Exclude,
        safety: true,
    });
    let ballots: &[Ballot] = black_box(&Ballot::ALL);
    black_box(scheme.count(ballots.iter().copied()));
    black_box(Ballot::of(
        black_box(false),
        black_box(true),
        black_box(true),
    ));
}
