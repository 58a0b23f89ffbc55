//! People: at the plant they acknowledge, shelve, silence and reset; in the city they acknowledge and shelve; and somebody forges commands.

use crate::broker::Broker;
use crate::city::City;
use crate::dice::Dice;
use crate::gateway::Gateway;
use crate::invariants::{Broken, whole};
use davy_alarm::{Action, Actor};
use davy_cloud::order::{Act, Order};
use davy_config::site::{AlarmIndex, OutputIndex};
use davy_gateway::judge::{Ask, Person};
use davy_wire::{Ack, DataType, Metric, Payload, Topic, Value, Verb, name};
use std::collections::BTreeSet;

/// Alarms as they are named on the wire.
const NAMES: [&str; 4] = [
    "Alarms/GT-1/HIHI",
    "Alarms/GT-1/HI",
    "Alarms/XS-1/DISCRETE",
    "Alarms/LT-1/HI",
];

pub(crate) struct People {
    dice: Dice,
    orders: BTreeSet<String>,
}

impl People {
    pub(crate) fn new(dice: Dice) -> Self {
        Self {
            dice,
            orders: BTreeSet::new(),
        }
    }

    /// Somebody at the plant does something.
    pub(crate) async fn act_at(&self, gateway: &Gateway) {
        let Some(alive) = &gateway.alive else {
            return;
        };
        let ask = self.ask(gateway);
        // Refusals are judgement's right.
        let _answer = alive.works.desk.ask(ask, None).await;
    }

    fn ask(&self, gateway: &Gateway) -> Ask {
        let person = Person {
            actor: "wang".into(),
            reason: Some("检修".into()),
            second: Some("li".into()),
        };
        let actor = Actor {
            remote: false,
            maintenance: true,
        };
        let alarm = AlarmIndex(self.place(gateway.site.alarms.len()));
        let on_alarm = |action| Ask::Alarm {
            alarm,
            action,
            actor,
            person: person.clone(),
        };
        let shelve = Action::Shelve {
            minutes: 10,
            reason: true,
            second: true,
        };
        match self.dice.below(12) {
            0..=4 => on_alarm(Action::Acknowledge { occurrence: None }),
            5..=6 => on_alarm(Action::Reset),
            7 => on_alarm(shelve),
            8 => on_alarm(Action::Unshelve),
            9 => Ask::Silence { person },
            10 => Ask::ResetOutput {
                output: OutputIndex(self.place(gateway.site.outputs.len())),
                actor,
                person,
            },
            _ if self.dice.one_in(2) => on_alarm(Action::OutOfService { reason: true }),
            _ => on_alarm(Action::InService),
        }
    }

    /// Somebody in the city does something to an alarm that the city knows.
    pub(crate) async fn act_from_afar(&mut self, gateway: &Gateway, city: &mut City) {
        let sql = format!(
            "SELECT alarm, occurrence FROM alarms WHERE site = '{}' ORDER BY alarm",
            gateway.name
        );
        let rows = city.database.examine(&sql).await.unwrap_or_default();
        let Some(row) = self.dice.one_of(&rows) else {
            return;
        };
        let davy_cloud::records::memory::Cell::Text(alarm) = &row[0] else {
            return;
        };
        let occurrence = u32::try_from(whole(&row[1])).unwrap_or_default();
        let act = match self.dice.below(4) {
            0..=1 => Act::Acknowledge {
                occurrence,
                note: Some("已通知".to_owned()),
            },
            2 => Act::Shelve {
                minutes: 5,
                reason: "检修".to_owned(),
                second: Some("city-li".to_owned()),
            },
            _ => Act::Unshelve,
        };
        let placed = city.order(|id| Order {
            id,
            site: gateway.name.clone(),
            alarm: alarm.clone(),
            actor: "city-zhang".to_owned(),
            act,
        });
        self.orders.extend(placed);
    }

    /// Commands that no city sends: resets, bypasses, acknowledgements of another log.
    pub(crate) fn forge(&self, gateway: &Gateway, broker: &Broker) {
        let (topic, metric) = match self.dice.below(3) {
            0 => {
                let text = Ack::of(self.dice.any(), &[0, 1, 2, 3, 1000]).to_string();
                let metric = Metric::named(name::ACK, DataType::Text, Some(Value::Text(text)));
                (
                    Topic::node("330282", Verb::NodeCommand, &gateway.name),
                    metric,
                )
            }
            1 => {
                let metric = Metric::named(
                    "Node Control/Reset",
                    DataType::Boolean,
                    Some(Value::Flag(true)),
                );
                (
                    Topic::node("330282", Verb::NodeCommand, &gateway.name),
                    metric,
                )
            }
            _ => {
                let state = [1, 3, 4, 5, 7, 8, 99][self.place(7)];
                let alarm = NAMES[self.place(NAMES.len())];
                let metric = Metric::named(alarm, DataType::Int32, Some(Value::Whole(state)))
                    .with("actor", Value::Text("forger".to_owned()))
                    .with("reason", Value::Text("x".to_owned()))
                    .with(
                        "command",
                        Value::Text(format!("forged-{}", self.dice.any())),
                    );
                (
                    Topic::device("330282", Verb::DeviceCommand, &gateway.name, "d"),
                    metric,
                )
            }
        };
        let payload = Payload {
            timestamp: Some(1),
            metrics: vec![metric],
            seq: None,
        };
        broker.publish(&topic.to_string(), payload.to_bytes());
    }

    /// At the end: no order acted twice, none that nobody placed, and nobody from afar did what only the plant may.
    pub(crate) async fn settled(&self, city: &City) -> Result<(), Broken> {
        let sql = "SELECT command, cause, COUNT(*) FROM transitions WHERE command IS NOT NULL GROUP BY command";
        for row in city.database.examine(sql).await? {
            let davy_cloud::records::memory::Cell::Text(command) = &row[0] else {
                continue;
            };
            if !self.orders.contains(command) {
                return Err(Broken::new(format!("nobody ordered what {command} did")));
            }
            if whole(&row[2]) > 1 {
                return Err(Broken::new(format!(
                    "{command} acted {} times",
                    whole(&row[2])
                )));
            }
        }
        let allowed = [
            davy_alarm::Cause::Acknowledge,
            davy_alarm::Cause::Shelve,
            davy_alarm::Cause::Unshelve,
        ];
        let sql =
            "SELECT cause, actor FROM transitions WHERE actor = 'city-zhang' OR actor = 'forger'";
        for row in city.database.examine(sql).await? {
            let cause = u8::try_from(whole(&row[0])).ok();
            let cause = cause.and_then(davy_alarm::Cause::from_code);
            if !cause.is_some_and(|cause| allowed.contains(&cause)) {
                return Err(Broken::new(format!(
                    "somebody from afar did {cause:?}: {row:?}"
                )));
            }
        }
        Ok(())
    }

    fn place(&self, count: usize) -> usize {
        usize::try_from(self.dice.below(count as u64)).unwrap_or_default()
    }
}
