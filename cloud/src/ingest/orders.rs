//! The courier: carries orders to gateways as device commands, and says `timeout` where none answers.

use super::edge::{Known, Meaning};
use super::link::Speaker;
use super::outbox;
use super::tables;
use crate::collector::Means;
use crate::live::{Live, Update};
use crate::order::{Act, Courier, CourierError, Order};
use crate::records::{DONE, Records, RecordsError};
use davy_wire::{Metric, Topic, Value, Verb};
use futures_util::future::BoxFuture;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a gateway may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Orders that wait for their answer. Beyond it the person is told that the city is busy.
const MOST_WAITING: usize = 1_000;

/// States of the alarm metric that a command asks for.
const UNSHELVE: i64 = 0;
const ACKNOWLEDGE: i64 = 2;
const SHELVE: i64 = 6;

/// The orders on their way; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    records: Records,
    live: Live,
    speaker: Speaker,
    clock: fn() -> i64,
    waiting: Arc<Mutex<HashSet<String>>>,
}

impl Courier for Orders {
    fn send(&self, order: Order) -> BoxFuture<'_, Result<(), CourierError>> {
        Box::pin(self.carry(order))
    }
}

impl Orders {
    pub(crate) fn new(means: &Means, speaker: Speaker) -> Self {
        Self {
            records: means.records.clone(),
            live: means.live.clone(),
            speaker,
            clock: means.clock,
            waiting: Arc::default(),
        }
    }

    async fn carry(&self, order: Order) -> Result<(), CourierError> {
        let (topic, payload) = self.message(&order).await?;
        {
            let mut waiting = self.waiting();
            if waiting.len() >= MOST_WAITING {
                return Err(CourierError::Busy);
            }
            waiting.insert(order.id.clone());
        }
        let sent = tokio::time::timeout(ANSWER_WITHIN, self.speaker.publish(topic, payload)).await;
        if !matches!(sent, Ok(Ok(()))) {
            self.waiting().remove(&order.id);
            return Err(CourierError::Down);
        }
        metrics::counter!("davy_orders_sent_total").increment(1);
        tokio::spawn(self.clone().watch(order));
        Ok(())
    }

    /// The command on the alarm's metric, as its node's births declare it now.
    async fn message(&self, order: &Order) -> Result<(String, Vec<u8>), CourierError> {
        let down = |error: RecordsError| {
            tracing::error!(%error, order = order.id, "an order cannot be sent");
            CourierError::Down
        };
        let site = self.records.site(&order.site).await.map_err(down)?;
        let site = site.filter(|site| site.online).ok_or(CourierError::Down)?;
        let (group, edge) = site.edge.ok_or(CourierError::Down)?;
        let births = self.records.births(&group, &edge).await.map_err(down)?;
        let (table, _) = tables::from_births(&births).ok_or(CourierError::Down)?;
        let known = table
            .alarm(&order.alarm)
            .ok_or(CourierError::UnknownAlarm)?;
        let topic = Topic::device(&group, Verb::DeviceCommand, &edge, &known.device);
        let payload = outbox::payload(metric(order, known), (self.clock)()).to_bytes();
        Ok((topic.to_string(), payload))
    }

    /// Waits for the answer; says so where there is none.
    async fn watch(self, order: Order) {
        tokio::time::sleep(ANSWER_WITHIN).await;
        if self.waiting().remove(&order.id) {
            self.refused(&order.id, &order.site, &order.alarm, "timeout")
                .await;
        }
    }

    /// A transition came that answers this command.
    pub(crate) async fn done(&self, command: &str) {
        self.waiting().remove(command);
        self.answered(command, DONE).await;
    }

    /// The gateway refused this command, or did not answer.
    pub(crate) async fn refused(&self, command: &str, site: &str, alarm: &str, why: &str) {
        self.waiting().remove(command);
        // Another collector may have heard the answer: the first that is recorded stands.
        if self.answered(command, why).await {
            self.live.tell(Update::Refused {
                command: command.to_owned(),
                site: site.to_owned(),
                alarm: alarm.to_owned(),
                why: why.to_owned(),
            });
        }
    }

    async fn answered(&self, command: &str, outcome: &str) -> bool {
        let now_ms = (self.clock)();
        match self
            .records
            .command_answered(command, outcome, now_ms)
            .await
        {
            Ok(is_first) => is_first,
            Err(error) => {
                tracing::error!(%error, command, outcome, "an answer cannot be recorded");
                true
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashSet<String>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn metric(order: &Order, known: &Known) -> Metric {
    debug_assert!(matches!(known.meaning, Meaning::Alarm(_)));
    let text = |text: &str| Value::Text(text.to_owned());
    let maybe = |given: &Option<String>| given.as_deref().map(text);
    let asked = match &order.act {
        Act::Acknowledge { occurrence, note } => ask(known, ACKNOWLEDGE)
            .with("occurrence", Value::Unsigned(u64::from(*occurrence)))
            .with_some("reason", maybe(note)),
        Act::Shelve {
            minutes,
            reason,
            second,
        } => ask(known, SHELVE)
            .with("minutes", Value::Whole(i64::from(*minutes)))
            .with("reason", text(reason))
            .with_some("second", maybe(second)),
        Act::Unshelve => ask(known, UNSHELVE),
    };
    asked
        .with("actor", text(&order.actor))
        .with("command", text(&order.id))
}

/// By the alias where the birth gave one, else by the name.
fn ask(known: &Known, state: i64) -> Metric {
    let value = Some(Value::Whole(state));
    match known.alias {
        Some(alias) => Metric::aliased(alias, value),
        None => Metric::named(&known.name, davy_wire::DataType::Int32, value),
    }
}
