//! Orders from people in the city to a gateway: acknowledge, shelve, unshelve, and nothing else. The gateway decides; its answer is a transition that
//! carries the order's id, or a refusal.

use crate::audit::Entry;
use crate::records::{Command, Records, RecordsError};
use futures_util::future::BoxFuture;

/// What a person asks of one alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Unique; comes back with the answer.
    pub id: String,
    pub site: String,
    pub alarm: String,
    pub actor: String,
    pub act: Act,
}

/// The acts that may travel from afar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The occurrence that the person saw (R11).
    Acknowledge {
        occurrence: u32,
        note: Option<String>,
    },
    /// `second`: another person who agreed, checked by the city (R15).
    Shelve {
        minutes: u32,
        reason: String,
        second: Option<String>,
    },
    Unshelve,
}

impl Act {
    /// The name of audit rows and logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Acknowledge { .. } => "acknowledge",
            Self::Shelve { .. } => "shelve",
            Self::Unshelve => "unshelve",
        }
    }
}

/// Whoever carries orders to gateways.
pub trait Courier: Send + Sync + 'static {
    /// Returns when the order is on its way; the answer comes through [`crate::live::Live`], a refusal `timeout` after 10 s without one.
    fn send(&self, order: Order) -> BoxFuture<'_, Result<(), CourierError>>;
}

/// Why an order did not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CourierError {
    #[error("the site is not on line")]
    Down,
    #[error("the site has no such alarm")]
    UnknownAlarm,
    #[error("too many orders wait for their answer")]
    Busy,
}

/// Remembers an order, sends it, and remembers what became of it at once.
///
/// # Errors
/// If it cannot be remembered; then it is not sent.
pub async fn place(
    records: &Records,
    courier: &dyn Courier,
    order: Order,
    clock: fn() -> i64,
) -> Result<Result<(), CourierError>, RecordsError> {
    let (id, now_ms) = (order.id.clone(), clock());
    let entry = Entry {
        time_ms: now_ms,
        actor: order.actor.clone(),
        action: order.act.name(),
        subject: format!("{}/{}", order.site, order.alarm),
        detail: detail(&id, &order.act),
    };
    records.audit(&entry).await?;
    let command = Command {
        id: id.clone(),
        site: order.site.clone(),
        alarm: order.alarm.clone(),
        action: order.act.name().to_owned(),
        actor: order.actor.clone(),
        sent_ms: now_ms,
    };
    records.command_sent(&command).await?;
    let sent = courier.send(order).await;
    if sent.is_err() {
        records.command_answered(&id, "unsent", clock()).await?;
    }
    Ok(sent)
}

fn detail(id: &str, act: &Act) -> serde_json::Value {
    match act {
        Act::Acknowledge { occurrence, note } => {
            serde_json::json!({ "command": id, "occurrence": occurrence, "note": note })
        }
        Act::Shelve {
            minutes,
            reason,
            second,
        } => {
            serde_json::json!({ "command": id, "minutes": minutes, "reason": reason, "second": second })
        }
        Act::Unshelve => serde_json::json!({ "command": id }),
    }
}
