//! What a node under test is configured for: a small site that has all that a suite looks at.

use davy_alarm::{FaultPolicy, NoValue, Priority, Scheme};
use davy_wire::node::{
    AlarmId, Band, Channel, Group, Life, Limit, LimitKind, Meaning, Relay, RelayFlags, Settings,
    Silence,
};

/// The siren's relay.
pub const SIREN: u8 = 1;
/// The fan's, which is fail-safe: driven while all is well.
pub const FAN: u8 = 2;

/// Two channels of 0–100 with a latching limit at 50, one of two trips the group; relay 0 sounds, relay 1 is a fail-safe fan.
pub fn settings() -> Settings {
    let mut settings = Settings::EMPTY;
    (settings.life, settings.silent_after_s) = (Life::Request, 6);
    let band = |below_ua, means| Band { below_ua, means };
    for channel in &mut settings.channels[..2] {
        *channel = Some(Channel {
            low: 0,
            high: 100_000,
            filter_ms: 0,
            bad_delay_ds: 20,
            warm_up_s: 0,
            bands: [
                band(3_600, Meaning::Absent(NoValue::SensorFault)),
                band(3_800, Meaning::Uncertain),
                band(20_500, Meaning::Measures),
                band(u16::MAX, Meaning::Absent(NoValue::OverRange)),
                band(0, Meaning::Measures),
                band(0, Meaning::Measures),
            ],
            limits: [
                Some(Limit {
                    kind: LimitKind::HiHi,
                    priority: Priority::P1,
                    latching: true,
                    gas_level_2: true,
                    set_point: 50_000,
                    deadband: 1_000,
                    on_delay_ds: 0,
                    off_delay_ds: 0,
                }),
                None,
                None,
                None,
            ],
        });
    }
    settings.groups[0] = Some(Group {
        members: 3,
        limit: 0,
        scheme: Scheme {
            needed: 1,
            fault: FaultPolicy::Exclude,
            safety: true,
        },
        latching: false,
        on_delay_ds: 0,
        discrepancy_ds: 6_000,
    });
    let relay = |causes, normally_energised, horn| Relay {
        causes,
        flags: RelayFlags {
            normally_energised,
            horn,
            gateway_may_request: false,
            demanded_when_failed: horn,
        },
        when_silent: Silence::Keep,
        run_s: 0,
    };
    settings.relays[0] = relay(0, false, true);
    settings.relays[1] = relay(1 << AlarmId::Vote { group: 0 }.number(), true, false);
    settings
}
