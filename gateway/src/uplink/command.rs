//! What hosts ask of this node: acknowledgements of batches, rebirths, and people's acts upon alarms. Pure; anything else is refused.

use super::directory::Directory;
use crate::judge::{Ask, Person};
use davy_alarm::{Action, Actor, Refusal, Shown};
use davy_config::site::{AlarmIndex, DeviceIndex};
use davy_wire::{Ack, Metric, Payload, Value, name};
use std::collections::VecDeque;
use std::sync::Arc;

/// Metrics of one command that are looked at; the rest is not read.
const METRICS_MAX: usize = 64;
/// Longest name of an actor, a second person or a command, bytes.
const NAME_MAX: usize = 128;
/// Longest reason, bytes.
const REASON_MAX: usize = 1_024;
/// Commands remembered, so that none acts twice.
const REMEMBERED: usize = 256;

/// One thing that a command asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Ack(Ack),
    Rebirth,
    /// A person's act upon an alarm.
    Act(Box<Act>),
    Refused(No),
}

/// An act upon an alarm, as judgement takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Act {
    /// The host's name for it, unique.
    pub(super) command: Arc<str>,
    /// The alarm's id.
    pub(super) alarm: String,
    pub(super) ask: Ask,
}

/// The answer to a command that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct No {
    pub(super) command: String,
    pub(super) alarm: String,
    /// A refusal's `why`, or `no-command`, `no-actor`, `too-long`, `busy`, `no-answer`.
    pub(super) why: &'static str,
}

/// Reads a command to the node.
pub(super) fn of_node(payload: &Payload) -> Vec<Order> {
    payload
        .metrics
        .iter()
        .take(METRICS_MAX)
        .filter_map(node_order)
        .collect()
}

/// Reads a command to a device; `alarm_ids` answers the id of an alarm.
pub(super) fn of_device<'a>(
    payload: &Payload,
    device: Option<DeviceIndex>,
    directory: &Directory,
    alarm_id: impl Fn(AlarmIndex) -> &'a str,
) -> Vec<Order> {
    let metrics = payload.metrics.iter().take(METRICS_MAX);
    let order = |metric| match device_order(metric, device, directory, &alarm_id) {
        Ok(act) => Order::Act(Box::new(act)),
        Err(no) => Order::Refused(no),
    };
    metrics.map(order).collect()
}

/// A rebirth that is asked with `false` asks for nothing, and an acknowledgement that cannot be read has nobody to tell.
fn node_order(metric: &Metric) -> Option<Order> {
    let known = metric.name.as_deref().unwrap_or_default();
    match known {
        name::REBIRTH => (metric.value(None) == Some(Value::Flag(true))).then_some(Order::Rebirth),
        name::ACK => match metric
            .value(None)
            .as_ref()
            .and_then(Value::as_text)
            .map(Ack::parse)
        {
            Some(Ok(ack)) => Some(Order::Ack(ack)),
            Some(Err(error)) => {
                tracing::warn!(%error, "unreadable acknowledgement from the broker");
                None
            }
            None => None,
        },
        _ => Some(Order::Refused(No {
            command: property(metric, "command").unwrap_or_default(),
            alarm: known.chars().take(NAME_MAX).collect(),
            why: Refusal::UnknownAction.why(),
        })),
    }
}

fn device_order<'a>(
    metric: &Metric,
    device: Option<DeviceIndex>,
    directory: &Directory,
    alarm_id: &impl Fn(AlarmIndex) -> &'a str,
) -> Result<Act, No> {
    let command = property(metric, "command").unwrap_or_default();
    let named = metric.name.as_deref().unwrap_or_default();
    let alarm = match metric.alias {
        Some(alias) if named.is_empty() => directory.alarm_of_alias(alias),
        _ => directory.alarm_of_name(named),
    };
    let alarm = alarm.filter(|alarm| Some(directory.device_of(*alarm)) == device);
    let alarm_name = alarm.map_or_else(
        || named.chars().take(NAME_MAX).collect(),
        |at| alarm_id(at).to_owned(),
    );
    let no = |why| No {
        command: command.chars().take(NAME_MAX).collect(),
        alarm: alarm_name.clone(),
        why,
    };
    let alarm = alarm.ok_or_else(|| no(Refusal::UnknownAlarm.why()))?;
    if command.is_empty() {
        return Err(no("no-command"));
    }
    let person = person(metric).map_err(no)?;
    if command.len() > NAME_MAX {
        return Err(no("too-long"));
    }
    let action = action(metric, &person).map_err(|refusal| no(refusal.why()))?;
    let actor = Actor {
        remote: true,
        maintenance: false,
    };
    Ok(Act {
        command: command.into(),
        alarm: alarm_name,
        ask: Ask::Alarm {
            alarm,
            action,
            actor,
            person,
        },
    })
}

fn person(metric: &Metric) -> Result<Person, &'static str> {
    let actor = property(metric, "actor").filter(|actor| !actor.is_empty());
    let actor = actor.ok_or("no-actor")?;
    let given = |key| property(metric, key).filter(|text| !text.trim().is_empty());
    let (reason, second) = (given("reason"), given("second"));
    let long = |text: &Option<String>, most| text.as_ref().is_some_and(|text| text.len() > most);
    if actor.len() > NAME_MAX || long(&reason, REASON_MAX) || long(&second, NAME_MAX) {
        return Err("too-long");
    }
    Ok(Person {
        actor: actor.into(),
        reason: reason.map(Arc::from),
        second: second.map(Arc::from),
    })
}

/// What the alarm's number asks for: 2 acknowledge, 6 shelve, 0 unshelve. Whether the alarm allows it is judgement's to say.
fn action(metric: &Metric, person: &Person) -> Result<Action, Refusal> {
    let number = metric.value(None).as_ref().and_then(Value::as_i64);
    let shown = number
        .and_then(|number| u8::try_from(number).ok())
        .and_then(Shown::from_code);
    match shown {
        Some(Shown::Acknowledged) => Ok(Action::Acknowledge {
            occurrence: Some(whole(metric, "occurrence").ok_or(Refusal::Occurrence)?),
        }),
        Some(Shown::Shelved) => Ok(Action::Shelve {
            minutes: whole(metric, "minutes").ok_or(Refusal::Minutes)?,
            reason: person.reason.is_some(),
            second: person
                .second
                .as_ref()
                .is_some_and(|second| *second != person.actor),
        }),
        Some(Shown::Normal) => Ok(Action::Unshelve),
        _ => Err(Refusal::UnknownAction),
    }
}

fn whole(metric: &Metric, key: &str) -> Option<u32> {
    let value = metric.property(key)?.as_u64()?;
    u32::try_from(value).ok()
}

fn property(metric: &Metric, key: &str) -> Option<String> {
    metric.property(key)?.as_text().map(str::to_owned)
}

/// The newest commands and what came of them, oldest forgotten first. A broker may deliver a command twice; it must not act twice.
#[derive(Debug, Default)]
pub(super) struct Done {
    commands: VecDeque<(Arc<str>, Option<No>)>,
}

impl Done {
    /// Whether the command is new; it is remembered from now on.
    pub(super) fn begin(&mut self, command: &Arc<str>) -> bool {
        if self.commands.iter().any(|(known, _)| known == command) {
            return false;
        }
        if self.commands.len() == REMEMBERED {
            self.commands.pop_front();
        }
        self.commands.push_back((command.clone(), None));
        true
    }

    /// Keeps the answer, for a host that asks again.
    pub(super) fn refused(&mut self, no: &No) {
        let known = self
            .commands
            .iter_mut()
            .find(|(known, _)| **known == *no.command);
        if let Some((_, answer)) = known {
            *answer = Some(no.clone());
        }
    }

    /// The refusal that a command got, if it got one.
    pub(super) fn answer(&self, command: &str) -> Option<&No> {
        let known = self.commands.iter().find(|(known, _)| **known == *command);
        known.and_then(|(_, answer)| answer.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use davy_config::site::Site;
    use davy_wire::DataType;
    use proptest::prelude::*;

    fn read(site: &Arc<Site>, device: &str, metric: Metric) -> Vec<Order> {
        let directory = Directory::new(site.clone());
        let payload = payload(metric);
        let id = |alarm: AlarmIndex| site.alarms[alarm.0].id.as_str();
        of_device(&payload, directory.device(device), &directory, id)
    }

    fn payload(metric: Metric) -> Payload {
        Payload {
            timestamp: Some(1),
            metrics: vec![metric],
            seq: None,
        }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    /// A command of zhao upon GT-1.HH, asking for a state.
    fn asking(state: i64) -> Metric {
        Metric::named(
            "Alarms/GT-1/HIHI",
            DataType::Int32,
            Some(Value::Whole(state)),
        )
        .with("actor", text("zhao"))
        .with("command", text("c-1"))
    }

    fn action_of(orders: &[Order]) -> Action {
        match orders {
            [Order::Act(act)] => match act.ask {
                Ask::Alarm { action, .. } => action,
                _ => panic!("{act:?}"),
            },
            _ => panic!("{orders:?}"),
        }
    }

    fn why(orders: &[Order]) -> &'static str {
        match orders {
            [Order::Refused(no)] => no.why,
            _ => panic!("{orders:?}"),
        }
    }

    #[test]
    fn a_command_says_by_the_state_that_it_wants_what_to_do() {
        let site = fixture::site();
        let acknowledge = asking(2).with("occurrence", Value::Unsigned(3));
        let occurrence = Some(3);
        assert_eq!(
            action_of(&read(&site, "GC-1", acknowledge)),
            Action::Acknowledge { occurrence }
        );
        let shelve = asking(6)
            .with("minutes", Value::Whole(30))
            .with("reason", text("test"));
        let (minutes, reason) = (30, true);
        let second = false;
        assert_eq!(
            action_of(&read(&site, "GC-1", shelve.clone())),
            Action::Shelve {
                minutes,
                reason,
                second
            }
        );
        let alone = shelve.clone().with("second", text("zhao"));
        assert_eq!(
            action_of(&read(&site, "GC-1", alone)),
            Action::Shelve {
                minutes,
                reason,
                second
            }
        );
        let second = true;
        let both = shelve.with("second", text("sun"));
        assert_eq!(
            action_of(&read(&site, "GC-1", both)),
            Action::Shelve {
                minutes,
                reason,
                second
            }
        );
        assert_eq!(action_of(&read(&site, "GC-1", asking(0))), Action::Unshelve);
    }

    #[test]
    fn a_command_may_name_the_alarm_by_its_alias() {
        let site = fixture::site();
        let position = fixture::alarm(&site, "GT-1.HH") as usize;
        let alias = Directory::new(site.clone()).alarm_alias(AlarmIndex(position));
        let named = asking(0);
        let aliased = Metric {
            name: None,
            alias: Some(alias),
            datatype: None,
            ..named.clone()
        };
        assert_eq!(read(&site, "GC-1", aliased), read(&site, "GC-1", named));
    }

    #[test]
    fn what_is_not_wholly_understood_is_refused() {
        let site = fixture::site();
        let named = |name: &str| Metric {
            name: Some(name.into()),
            ..asking(0)
        };
        let bare = || Metric::named("Alarms/GT-1/HIHI", DataType::Int32, Some(Value::Whole(0)));
        let long = "x".repeat(129);
        let cases = [
            (named("Alarms/GT-1/ROC"), "unknown-alarm"),
            (named("GT-1"), "unknown-alarm"),
            (Metric::aliased(1, Some(Value::Whole(0))), "unknown-alarm"),
            (
                Metric::aliased(u64::MAX, Some(Value::Whole(0))),
                "unknown-alarm",
            ),
            (bare().with("actor", text("zhao")), "no-command"),
            (bare().with("command", text("c-1")), "no-actor"),
            (asking(7), "unknown-action"),
            (asking(8), "unknown-action"),
            (asking(-1), "unknown-action"),
            (asking(2), "occurrence"),
            (
                asking(2).with("occurrence", Value::Unsigned(1 << 32)),
                "occurrence",
            ),
            (asking(6), "minutes"),
            (
                bare().with("actor", text(&long)).with("command", text("c")),
                "too-long",
            ),
            (
                bare().with("actor", text("a")).with("command", text(&long)),
                "too-long",
            ),
        ];
        for (metric, expected) in cases {
            assert_eq!(
                why(&read(&site, "GC-1", metric.clone())),
                expected,
                "{metric:?}"
            );
        }
        assert_eq!(
            why(&read(&site, "GD-2", asking(0))),
            "unknown-alarm",
            "another device's"
        );
    }

    #[test]
    fn the_node_takes_acknowledgements_and_rebirths_and_refuses_the_rest() {
        let of =
            |name: &str, kind, value| of_node(&payload(Metric::named(name, kind, Some(value))));
        let flag = |flag| of(name::REBIRTH, DataType::Boolean, Value::Flag(flag));
        assert_eq!(flag(true), [Order::Rebirth]);
        assert_eq!(flag(false), []);
        let ack = of(name::ACK, DataType::Text, text("7:1-3"));
        assert_eq!(ack, [Order::Ack(Ack::of(7, &[1, 2, 3]))]);
        assert_eq!(of(name::ACK, DataType::Text, text("7:3-1")), []);
        assert_eq!(
            why(&of("Outputs/FAN-1", DataType::Boolean, Value::Flag(true))),
            "unknown-action"
        );
    }

    #[test]
    fn a_command_is_new_once_among_the_last_256() {
        let mut done = Done::default();
        let id = |number: usize| Arc::<str>::from(number.to_string());
        for number in 0..REMEMBERED {
            assert!(done.begin(&id(number)));
        }
        assert!(!done.begin(&id(0)));
        let no = No {
            command: "5".into(),
            alarm: "a".into(),
            why: "remote",
        };
        done.refused(&no);
        assert_eq!((done.answer("5"), done.answer("6")), (Some(&no), None));
        assert!(done.begin(&id(REMEMBERED)));
        assert!(done.begin(&id(0)), "forgotten");
    }

    proptest! {
        #[test]
        fn no_command_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), name in "[A-Za-z/-]{0,20}", alias: Option<u64>) {
            let site = fixture::site();
            if let Ok(payload) = Payload::from_bytes(&bytes) {
                let _ = of_node(&payload);
            }
            let mut metric = asking(2);
            (metric.name, metric.alias) = (Some(name), alias);
            let _ = read(&site, "GC-1", metric);
        }
    }
}
