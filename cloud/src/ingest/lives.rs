//! Births and deaths of nodes and their devices, as the worker meets them: told to the records, kept in the tables, shown to whoever watches.

use super::birth;
use super::edge::Edge;
use super::outbox::EdgeName;
use super::store::GaveUp;
use super::worker::{Message, Worker};
use crate::live::Update;
use davy_wire::{Payload, Verb};
use tokio::time::Instant;

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
        if self.edge(&name).await?.is_none() {
            let looked = self.tables.refresh(&name).await;
            self.store.found("tables", looked).await?;
        }
        let Some(edge) = self.tables.device_born(&name, device, payload) else {
            self.ask_rebirth(&name, "a device was born before its node");
            return Ok(());
        };
        let (birth, faults) = birth::device(&edge, device, payload, message);
        let alarms = self.store.device_born(&birth).await?;
        if !faults.is_empty() {
            self.store.quarantine(message, &faults.join("; ")).await?;
        }
        self.values_of_birth(&name, device, payload, &edge, message)
            .await?;
        self.live.tell(Update::Site(edge.site.to_string()));
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
