//! What the walks are about.

use davy_alarm::{Action, Actor, Condition, Definition, Priority};

pub(crate) const PLANT: Actor = Actor {
    remote: false,
    maintenance: false,
};
pub(crate) const CITY: Actor = Actor {
    remote: true,
    maintenance: false,
};
pub(crate) const MAINTENANCE: Actor = Actor {
    remote: false,
    maintenance: true,
};

/// One minute: the shortest that exists.
pub(crate) const SHELVE: Action = Action::Shelve {
    minutes: 1,
    reason: true,
    second: true,
};
pub(crate) const OUT: Action = Action::OutOfService { reason: true };

pub(crate) const HIGH: Condition = Condition::HiHi {
    set_point: 50.0,
    deadband: 5.0,
};

/// At once, not latching, priority 2.
pub(crate) const fn definition(condition: Condition) -> Definition {
    Definition {
        condition,
        priority: Priority::P2,
        on_delay_ms: 0,
        off_delay_ms: 0,
        latching: false,
        gas_level_2: false,
        re_alarm_ms: None,
        shelve_max_minutes: 2,
        remote_reset: false,
    }
}
