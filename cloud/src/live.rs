//! What happens now, for whoever watches: ingest tells, event streams listen.
//!
//! Bound: the last 4,096 updates. A listener that falls further behind is told so once and begins again from a snapshot; it slows nobody.

use crate::records::{Alarm, Transition};
use davy_alarm::Reading;
use std::sync::Arc;
use tokio::sync::broadcast;

/// Updates kept for the slowest listener.
const BACKLOG: usize = 4_096;

/// One thing that changed. Each names its site, by which listeners' rights are checked.
#[derive(Clone, Debug)]
pub enum Update {
    Values {
        site: String,
        values: Vec<(String, Reading)>,
    },
    Alarm(Box<Alarm>),
    /// As it was stored; `command` in it answers a person who waits.
    Transition(Box<Transition>),
    /// The site went up or down, was born anew, or its registry changed.
    Site(String),
    /// A gateway refused a command, or did not answer in time (`timeout`).
    Refused {
        command: String,
        site: String,
        alarm: String,
        why: String,
    },
}

impl Update {
    /// The site that it is about.
    pub fn site(&self) -> &str {
        match self {
            Self::Values { site, .. } | Self::Site(site) | Self::Refused { site, .. } => site,
            Self::Alarm(alarm) => &alarm.site,
            Self::Transition(transition) => &transition.site,
        }
    }
}

/// The hub; cheap to clone.
#[derive(Clone, Debug)]
pub struct Live(broadcast::Sender<Arc<Update>>);

impl Default for Live {
    fn default() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }
}

impl Live {
    /// Never waits; without a listener it is as if nothing was said.
    pub fn tell(&self, update: Update) {
        let _listeners = self.0.send(Arc::new(update));
    }

    /// Whether anybody listens: what costs to make is not made for nobody.
    pub fn is_heard(&self) -> bool {
        self.0.receiver_count() > 0
    }

    pub fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

/// One listener's place in the stream.
#[derive(Debug)]
pub struct Listener(broadcast::Receiver<Arc<Update>>);

/// What a listener hears next.
#[derive(Clone, Debug)]
pub enum Heard {
    Update(Arc<Update>),
    /// It fell behind: what it knows is stale, and a snapshot must follow.
    Behind,
    /// The hub is gone.
    Ended,
}

impl Listener {
    pub async fn next(&mut self) -> Heard {
        match self.0.recv().await {
            Ok(update) => Heard::Update(update),
            Err(broadcast::error::RecvError::Lagged(_)) => Heard::Behind,
            Err(broadcast::error::RecvError::Closed) => Heard::Ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_that_falls_behind_is_told_once_and_then_hears_the_newest() {
        let live = Live::default();
        let mut listener = live.listen();
        for number in 0..=BACKLOG {
            live.tell(Update::Site(number.to_string()));
        }
        assert!(matches!(listener.next().await, Heard::Behind));
        let Heard::Update(update) = listener.next().await else {
            panic!("an update")
        };
        assert_eq!(update.site(), "1");
    }
}
