//! Births and deaths of nodes and their devices, as the worker meets them: told to the records, kept in the tables, shown to whoever watches.

use super::birth;
use super::edge::Edge;
use super::outbox::EdgeName;
use super::store::GaveUp;
use super::worker::{Message, Worker};
use crate::live::Update;
use crate::records::DeviceBirth;
use davy_wire::{Payload, Verb};
use tokio::time::Instant;

/// Whose part a device's birth is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Of its node's birth as we know it.
    Known,
    /// Of one before that.
    Over,
    /// Of one that was not heard.
    Unheard,
}

fn part(known: Option<&Edge>, device: &Payload) -> Part {
    match known {
        Some(edge) if edge.owns(device) => Part::Known,
        Some(edge) if edge.is_after(device) => Part::Over,
        _ => Part::Unheard,
    }
}

impl Worker {
    /// A birth or a death.
    pub(super) async fn state(
        &mut self,
        verb: Verb,
        name: EdgeName,
        device: &str,
        message: Message,
    ) -> Result<(), GaveUp> {
        let Ok(payload) = Payload::from_bytes(&message.payload) else {
            return self
                .store
                .quarantine(&message, "not a Sparkplug payload")
                .await;
        };
        match verb {
            Verb::NodeBirth => self.sequences.born(&name, payload.seq),
            Verb::DeviceBirth | Verb::DeviceDeath => {
                self.sequences.heard(&name, payload.seq, Instant::now());
            }
            _ => {}
        }
        match verb {
            Verb::NodeBirth => self.node_born(name, &payload, &message).await,
            Verb::DeviceBirth => self.device_born(name, device, &payload, &message).await,
            Verb::NodeDeath => self.node_died(&name, &payload, &message).await,
            _ => self.device_died(&name, device, &message).await,
        }
    }

    async fn node_born(
        &mut self,
        name: EdgeName,
        payload: &Payload,
        message: &Message,
    ) -> Result<(), GaveUp> {
        let birth = birth::node(&name, payload, message);
        let site = self.store.node_born(&birth).await?;
        tracing::info!(edge = %name, site, "node born");
        let edge = Edge::new(&site, payload);
        self.values_of_birth(&name, "", payload, &edge, message)
            .await?;
        self.tables.node_born(&name, edge, message.received_ms);
        self.live.tell(Update::Site(site));
        Ok(())
    }

    async fn device_born(
        &mut self,
        name: EdgeName,
        device: &str,
        payload: &Payload,
        message: &Message,
    ) -> Result<(), GaveUp> {
        match self.part(&name, payload).await? {
            Part::Known => {}
            Part::Over => {
                tracing::debug!(edge = %name, device, "a device's birth of a session that is over");
                metrics::counter!("davy_ingest_old_births_total").increment(1);
                return Ok(());
            }
            Part::Unheard => {
                self.ask_rebirth(&name, "a device was born of a birth that was not heard");
                return Ok(());
            }
        }
        let Some(edge) = self.tables.device_born(&name, device, payload) else {
            return Ok(());
        };
        let (birth, faults) = birth::device(&edge, device, payload, message);
        self.keep_device(&birth).await?;
        if !faults.is_empty() {
            self.store.quarantine(message, &faults.join("; ")).await?;
        }
        self.values_of_birth(&name, device, payload, &edge, message)
            .await
    }

    /// Which birth of its node a device's birth is a part of. Another collector may have that one: it is waited for a little, and not for one that is over, which
    /// a broker may send by the hundred.
    async fn part(&mut self, name: &EdgeName, device: &Payload) -> Result<Part, GaveUp> {
        match part(self.edge(name).await?.as_deref(), device) {
            Part::Unheard => {
                let looked = self.tables.refresh(name).await;
                self.store.found("tables", looked).await?;
                Ok(part(self.edge(name).await?.as_deref(), device))
            }
            found => Ok(found),
        }
    }

    async fn keep_device(&self, birth: &DeviceBirth) -> Result<(), GaveUp> {
        let _turn = self.live.turn().await;
        let alarms = self.store.device_born(birth).await?;
        self.live.tell(Update::Site(birth.site.clone()));
        for alarm in alarms {
            self.live.tell(Update::Alarm(Box::new(alarm)));
        }
        Ok(())
    }

    /// What a node without a journal says at birth is all that it says until a value changes. One with a journal sends the same by its batches,
    /// but for the demands of its outputs: of those it journals the changes alone.
    async fn values_of_birth(
        &self,
        name: &EdgeName,
        device: &str,
        payload: &Payload,
        edge: &Edge,
        message: &Message,
    ) -> Result<(), GaveUp> {
        let kept = match edge.stream {
            Some(_) => birth::Kept::Demands,
            None => birth::Kept::Everything,
        };
        let data = birth::values(payload, device, edge, message.received_ms, kept);
        if data.readings.is_empty() {
            return Ok(());
        }
        tracing::debug!(edge = %name, device, values = data.live.len(), "values of a birth");
        self.store.readings(data.readings).await?;
        self.tell_values(&edge.site, data.live);
        Ok(())
    }

    async fn node_died(
        &mut self,
        name: &EdgeName,
        payload: &Payload,
        message: &Message,
    ) -> Result<(), GaveUp> {
        let Some(site) = self.store.site_of(name).await? else {
            return Ok(());
        };
        let bd_seq = birth::bd_seq(payload);
        if self
            .store
            .node_died(&site, bd_seq, message.received_ms)
            .await?
        {
            tracing::warn!(edge = %name, site, "node died");
            self.live.tell(Update::Site(site));
        }
        Ok(())
    }

    async fn device_died(
        &mut self,
        name: &EdgeName,
        device: &str,
        message: &Message,
    ) -> Result<(), GaveUp> {
        let Some(site) = self.store.site_of(name).await? else {
            return Ok(());
        };
        self.store
            .device_died(&site, device, message.received_ms)
            .await?;
        self.live.tell(Update::Site(site));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_wire::{DataType, Metric, Value, name};

    fn birth(made: Option<u64>, session: Option<u64>) -> Payload {
        let session = session.map(|session| {
            let offset = Metric::named(name::OFFSET, DataType::UInt64, None);
            offset.with(name::BIRTH, Value::Unsigned(session))
        });
        Payload {
            timestamp: made,
            metrics: session.into_iter().collect(),
            ..Payload::default()
        }
    }

    /// The part of a birth that was made then, and names this session, of a node that was born at 100.
    fn of(made: Option<u64>, session: Option<u64>) -> Part {
        let node = Edge::new("tank-farm", &birth(Some(100), None));
        part(Some(&node), &birth(made, session))
    }

    #[test]
    fn a_devices_birth_of_a_session_that_is_over_is_known_by_its_time_or_by_the_session_it_names() {
        assert_eq!(of(Some(99), None), Part::Over);
        assert_eq!(of(Some(60), Some(50)), Part::Over);
        assert_eq!(of(None, Some(50)), Part::Over);
    }

    #[test]
    fn a_devices_birth_of_a_session_that_was_not_heard_asks_for_another() {
        assert_eq!(of(Some(160), Some(150)), Part::Unheard);
        assert_eq!(of(None, Some(150)), Part::Unheard);
        // The gateway's clock was set back when its session began, and forth after it.
        assert_eq!(of(Some(160), Some(50)), Part::Unheard);
        assert_eq!(part(None, &birth(Some(1), None)), Part::Unheard);
        let timeless = Edge::new("tank-farm", &birth(None, None));
        assert_eq!(
            part(Some(&timeless), &birth(Some(1), Some(1))),
            Part::Unheard
        );
    }

    #[test]
    fn a_devices_birth_that_is_its_nodes_is_known() {
        assert_eq!(of(Some(100), Some(100)), Part::Known);
        assert_eq!(of(Some(120), None), Part::Known);
        assert_eq!(of(None, None), Part::Known);
    }
}
