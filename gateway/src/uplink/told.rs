//! What a node told, as a metric of the gateway's own node. Pure.
//!
//! It is of the past, whenever it comes: marked historical always, with its own time, whose clock told that, and when it was collected.

use super::encode::text;
use crate::node::{Told, What, kind};
use davy_wire::node::{Event, Happening};
use davy_wire::{DataType, Metric, Value, name};

/// The metric of one record.
pub(super) fn metric(told: &Told) -> Metric {
    let kind = match &told.what {
        What::Event { .. } => told.event().map_or("unknown", |event| kind(event.what)),
        What::Missed { .. } => "missed",
        What::Renumbered { .. } => "renumbered",
    };
    let mut metric = Metric::named(name::TOLD, DataType::Text, Some(text(kind)))
        .at(told.time().0)
        .with("device", text(&told.device))
        .with("collected", Value::Whole(told.collected.0));
    metric.is_historical = Some(true);
    let number = |number: u32| Value::Unsigned(number.into());
    match &told.what {
        What::Event { words, clock, .. } => {
            let raw: String = words.iter().map(|word| format!("{word:04x}")).collect();
            let metric = metric
                .with("clock", text(clock.name()))
                .with("words", text(&raw));
            match told.event() {
                Some(event) => with_event(metric, &event),
                None => metric,
            }
        }
        What::Missed { from, to } => metric.with("from", number(*from)).with("to", number(*to)),
        What::Renumbered { expected, from } => metric
            .with("expected", number(*expected))
            .with("from", number(*from)),
    }
}

fn with_event(metric: Metric, event: &Event) -> Metric {
    let whole = |number: u32| Value::Unsigned(number.into());
    let metric = metric
        .with("number", whole(event.number))
        .with("boot", whole(event.boot.into()));
    match event.what {
        Happening::Alarm { number, transition } => metric
            .with("alarm", whole(number.into()))
            .with("prev", Value::Whole(transition.from.code().into()))
            .with("state", Value::Whole(transition.to.code().into()))
            .with("cause", text(transition.cause.name()))
            .with("occurrence", whole(transition.occurrence)),
        Happening::Started { cause } => metric.with("reset_cause", whole(cause.into())),
        Happening::Configured { version } => metric.with("version", whole(version.into())),
        Happening::Relay { number, demanded } => metric
            .with("relay", whole(number.into()))
            .with("on", Value::Flag(demanded)),
        Happening::GatewaySilent(on) | Happening::Unlocked(on) => {
            metric.with("on", Value::Flag(on))
        }
        Happening::ClockSet => metric,
        Happening::Updated { slot, state, why } => {
            let metric = metric
                .with("slot", text(slot.name()))
                .with("slot_state", text(state.name()));
            match why {
                Some(why) => metric.with("slot_why", text(why.name())),
                None => metric,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::EventClock;
    use davy_alarm::WallMs;
    use davy_wire::node::{Slot, SlotState, TimeQuality, Why};

    #[test]
    fn firmware_that_a_node_has_gone_back_from_is_told_with_its_slot_and_why() {
        let event = Event {
            number: 8,
            boot: 2,
            quality: TimeQuality::SetByGateway,
            time_ms: 1_000,
            what: Happening::Updated {
                slot: Slot::B,
                state: SlotState::Rejected,
                why: Some(Why::SelfTest),
            },
        };
        let metric = metric(&Told {
            device: "node-1".into(),
            collected: WallMs(9_000),
            what: What::Event {
                words: event.to_words(),
                time: WallMs(1_000),
                clock: EventClock::Node,
            },
        });
        assert_eq!(metric.value(None), Some(text("update")));
        for (key, wanted) in [
            ("slot", "B"),
            ("slot_state", "rejected"),
            ("slot_why", "self-test"),
        ] {
            assert_eq!(metric.property(key), Some(text(wanted)), "{key}");
        }
    }

    #[test]
    fn what_a_node_told_is_of_the_past_and_says_by_whose_clock() {
        let event = Event {
            number: 7,
            boot: 1,
            quality: TimeQuality::SetByGateway,
            time_ms: 1_000,
            what: Happening::GatewaySilent(true),
        };
        let told = |what| Told {
            device: "node-1".into(),
            collected: WallMs(9_000),
            what,
        };
        let metric = metric(&told(What::Event {
            words: event.to_words(),
            time: WallMs(1_000),
            clock: EventClock::Node,
        }));
        assert_eq!(metric.timestamp, Some(1_000));
        assert_eq!(metric.is_historical, Some(true));
        assert_eq!(metric.value(None), Some(text("gateway-silent")));
        assert_eq!(metric.property("clock"), Some(text("node")));
        assert_eq!(metric.property("on"), Some(Value::Flag(true)));
        let missed = super::metric(&told(What::Missed { from: 3, to: 6 }));
        assert_eq!(missed.timestamp, Some(9_000));
        assert_eq!(missed.property("to").and_then(|to| to.as_u64()), Some(6));
    }
}
