//! Cause and effect: which relay is demanded, and whether its coil is driven for it.

use davy_alarm::Instant;
use davy_wire::node::{RELAYS, Relay, Settings, Silence};

/// What decides over the relays besides time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Causes {
    /// Bit n: alarm n demands its relays.
    pub(crate) alarms: u64,
    /// Some alarm is not acknowledged.
    pub(crate) horn: bool,
    /// Bit n: the gateway asks for relay n.
    pub(crate) requested: u8,
    pub(crate) gateway_silent: bool,
}

/// The relays' memory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Relaying {
    /// Bit n: relay n is demanded.
    pub(crate) demanded: u8,
    /// Until when a relay must run at least.
    runs_until: [Instant; RELAYS],
}

impl Relaying {
    /// Decides anew; bits of the relays whose demand changed.
    pub(crate) fn decide(&mut self, settings: &Settings, causes: Causes, now: Instant) -> u8 {
        let before = self.demanded;
        let relays = settings.relays.iter().zip(&mut self.runs_until).enumerate();
        for (nth, (relay, until)) in relays {
            let bit = 1_u8 << nth;
            let asked = is_asked(relay, causes, causes.requested & bit != 0);
            if asked && before & bit == 0 {
                *until = now.after(u64::from(relay.run_s) * 1_000);
            }
            let runs = before & bit != 0 && now < *until;
            if asked || runs {
                self.demanded |= bit;
            } else {
                self.demanded &= !bit;
            }
        }
        before ^ self.demanded
    }
}

fn is_asked(relay: &Relay, causes: Causes, requested: bool) -> bool {
    let gateway = relay.flags.gateway_may_request
        && match (causes.gateway_silent, relay.when_silent) {
            (true, Silence::Demand) => true,
            (true, Silence::Drop) => false,
            (true, Silence::Keep) | (false, _) => requested,
        };
    relay.causes & causes.alarms != 0 || relay.flags.horn && causes.horn || gateway
}

/// Which coils are driven for these demands: a fail-safe one while nothing is demanded.
pub(crate) fn coils(settings: &Settings, demanded: u8) -> u8 {
    let relays = settings.relays.iter().enumerate();
    relays.fold(0, |coils, (nth, relay)| {
        let driven = (demanded >> nth & 1 != 0) != relay.flags.normally_energised;
        coils | u8::from(driven) << nth
    })
}

/// Which coils are driven from a panic or fault until the node judges again: a fail-safe relay drops.
pub(crate) fn failed_coils(settings: &Settings) -> u8 {
    let relays = settings.relays.iter().enumerate();
    relays.fold(0, |coils, (nth, relay)| {
        let driven = relay.flags.demanded_when_failed && !relay.flags.normally_energised;
        coils | u8::from(driven) << nth
    })
}
