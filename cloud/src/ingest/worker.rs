//! The one task that commits: takes messages in order, decodes, gathers data into groups, commits a group in one transaction, then acknowledges and tells.

use super::decode::{self, Data, Refusal};
use super::edge::Edge;
use super::orders::Orders;
use super::outbox::{EdgeName, Outbox};
use super::sequence::Sequences;
use super::store::{self, GaveUp, Store};
use super::tables::Tables;
use crate::audit::Entry;
use crate::history::PointReading;
use crate::live::{Live, Update};
use crate::records::{Aside, Batch, Committed, Offset};
use bytes::Bytes;
use davy_alarm::Reading;
use davy_wire::{Topic, Verb};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Messages in one transaction.
const MOST_A_GROUP: usize = 256;

/// Batches whose undeclared metrics are remembered. Beyond it all are forgotten, and each is asked about once more.
const MOST_DEFERRED: usize = 10_000;

/// How often it is looked for missing messages, and for quarantined ones that somebody asked to be put through again.
const LOOKS_EVERY: Duration = Duration::from_millis(500);

/// What the listening task hands over.
#[derive(Debug)]
pub(crate) enum Item {
    /// A new connection: what came before it and what comes after are apart.
    Connected,
    Message(Message),
}

/// A message as it came.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) topic: Topic,
    pub(crate) payload: Bytes,
    pub(crate) received_ms: i64,
    /// Its share of the queue's bytes.
    pub(crate) _space: OwnedSemaphorePermit,
}

/// The committing task.
pub(crate) struct Worker {
    pub(crate) store: Store,
    pub(crate) live: Live,
    pub(crate) tables: Tables,
    pub(crate) outbox: Outbox,
    pub(crate) orders: Orders,
    pub(crate) late_after_ms: i64,
    pub(crate) clock: fn() -> i64,
    pub(crate) sequences: Sequences,
    pub(crate) deferred: HashMap<(EdgeName, Offset), i64>,
}

/// A decoded message that waits for its transaction.
struct Pending {
    name: EdgeName,
    stream: Option<u64>,
    data: Data,
    batch: Batch,
    message: Message,
}

impl Worker {
    /// Works until the service ends; what is then not committed is not acknowledged either.
    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<Item>, ending: CancellationToken) {
        let mut items = Vec::with_capacity(MOST_A_GROUP);
        let mut looks = tokio::time::interval(LOOKS_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let taken = tokio::select! {
                biased;
                () = ending.cancelled() => return,
                _ = looks.tick() => {
                    self.ask_for_missing();
                    let _told = self.replays().await;
                    continue;
                }
                taken = queue.recv_many(&mut items, MOST_A_GROUP) => taken,
            };
            if taken == 0 {
                return;
            }
            metrics::gauge!("davy_ingest_queue_messages").set(queue.len() as f64);
            // Why a store gave up has been told by it; what was not committed comes again.
            let _told = self.work(items.drain(..)).await;
        }
    }

    async fn work(&mut self, items: impl Iterator<Item = Item>) -> Result<(), GaveUp> {
        let mut group = Vec::new();
        for item in items {
            match item {
                Item::Connected => {
                    self.tables.connected();
                    self.deferred.clear();
                    self.sequences.forget();
                }
                Item::Message(message) => self.message(message, &mut group).await?,
            }
        }
        self.flush(&mut group).await
    }

    async fn message(&mut self, message: Message, group: &mut Vec<Pending>) -> Result<(), GaveUp> {
        let Topic::Message {
            group: names,
            verb,
            edge,
            device,
        } = message.topic.clone()
        else {
            return Ok(());
        };
        let name = EdgeName { group: names, edge };
        let device = device.unwrap_or_default();
        metrics::counter!("davy_ingest_messages_total", "kind" => kind(verb)).increment(1);
        match verb {
            Verb::NodeData | Verb::DeviceData => self.data(name, &device, message, group).await,
            Verb::NodeCommand | Verb::DeviceCommand => Ok(()),
            Verb::NodeBirth | Verb::DeviceBirth | Verb::NodeDeath | Verb::DeviceDeath => {
                // What was sent before it is committed before it.
                self.flush(group).await?;
                self.state(verb, name, &device, message).await
            }
        }
    }

    async fn data(
        &mut self,
        name: EdgeName,
        device: &str,
        message: Message,
        group: &mut Vec<Pending>,
    ) -> Result<(), GaveUp> {
        let mut read = self.decode(&name, device, &message).await?;
        if read
            .as_ref()
            .is_none_or(|(_, data)| !data.undeclared.is_empty())
        {
            let looked = self.tables.refresh(&name).await;
            self.store.found("tables", looked).await?;
            read = self.decode(&name, device, &message).await?;
        }
        match read {
            None => self.ask_rebirth(&name, "its birth was not heard"),
            Some((edge, data)) => group.extend(self.pending(name, &edge, data, message)),
        }
        Ok(())
    }

    /// None for a node whose birth is not known.
    async fn decode(
        &mut self,
        name: &EdgeName,
        device: &str,
        message: &Message,
    ) -> Result<Option<(Arc<Edge>, Data)>, GaveUp> {
        let Some(edge) = self.edge(name).await? else {
            return Ok(None);
        };
        let data = match davy_wire::Data::from_bytes(&message.payload) {
            Ok(read) => {
                self.sequences.heard(name, read.seq, Instant::now());
                decode::bulk(&read, device, &edge, message.received_ms)
            }
            Err(error) => Data {
                offset: decode::salvaged_offset(&message.payload, &edge),
                faults: vec![error.to_string()],
                ..Data::default()
            },
        };
        Ok(Some((edge, data)))
    }

    pub(super) async fn edge(&mut self, name: &EdgeName) -> Result<Option<Arc<Edge>>, GaveUp> {
        let found = self.tables.get(name).await;
        self.store.found("tables", found).await
    }

    /// None for a batch that must come again under a newer birth.
    fn pending(
        &mut self,
        name: EdgeName,
        edge: &Edge,
        mut data: Data,
        message: Message,
    ) -> Option<Pending> {
        let journal = edge.stream.zip(data.offset);
        let offset = journal.and_then(|(stream, offset)| Offset::new(stream, offset));
        if !data.undeclared.is_empty() {
            self.ask_rebirth(&name, &data.undeclared.join(", "));
            // The next sending is under the birth that the node has then: this one, late or twice, says nothing of the batch. And of a table that
            // lacks a device nobody can say that it does not declare.
            if offset.is_some() && (data.is_foreign || !edge.is_whole()) {
                return None;
            }
            if offset.is_some_and(|offset| self.defer(&name, offset)) {
                return None;
            }
            let undeclared = std::mem::take(&mut data.undeclared);
            data.faults
                .push(format!("no birth declared {}", undeclared.join(", ")));
        }
        if edge.stream.is_some() && offset.is_none() && !data.lines.is_empty() {
            data.lines.clear();
            data.faults
                .push("alarm lines without a valid Store/Offset".to_owned());
        }
        let batch = Batch {
            site: edge.site.to_string(),
            offset,
            received_ms: message.received_ms,
            newest_ms: data.newest_ms,
            lines: std::mem::take(&mut data.lines),
            late_after_ms: self.late_after_ms,
            samples: std::mem::take(&mut data.samples),
            entries: entries(&edge.site, &data),
            aside: aside(&data, &message),
            again: false,
        };
        Some(Pending {
            name,
            stream: edge.stream,
            data,
            batch,
            message,
        })
    }

    /// Whether a batch with undeclared metrics shall come again: yes, unless it has and a newer birth did not declare them either. A batch that never
    /// becomes readable would wedge the gateway's window.
    fn defer(&mut self, name: &EdgeName, offset: Offset) -> bool {
        let born_ms = self.tables.born_ms(name).unwrap_or(i64::MIN);
        let key = (name.clone(), offset);
        match self.deferred.get(&key) {
            Some(first_born_ms) if *first_born_ms < born_ms => {
                self.deferred.remove(&key);
                false
            }
            Some(_) => true,
            None => {
                if self.deferred.len() >= MOST_DEFERRED {
                    self.deferred.clear();
                }
                self.deferred.insert(key, born_ms);
                true
            }
        }
    }

    pub(super) fn ask_rebirth(&mut self, name: &EdgeName, why: &str) {
        if self.tables.may_ask(name, Instant::now()) {
            tracing::info!(edge = %name, why, "asked to be born again");
            metrics::counter!("davy_ingest_rebirths_asked_total").increment(1);
            self.outbox.ask_rebirth(name);
        }
    }

    /// Something that a node sent did not come.
    fn ask_for_missing(&mut self) {
        for name in self.sequences.overdue(Instant::now()) {
            self.ask_rebirth(&name, "a message is missing");
        }
    }

    /// Commits what was gathered, in one transaction, then acknowledges and tells.
    async fn flush(&mut self, group: &mut Vec<Pending>) -> Result<(), GaveUp> {
        if group.is_empty() {
            return Ok(());
        }
        let mut group = std::mem::take(group);
        let begun = Instant::now();
        let readings: Vec<PointReading> = group
            .iter_mut()
            .flat_map(|pending| std::mem::take(&mut pending.data.readings))
            .collect();
        self.store.readings(readings).await?;
        let (batches, rest): (Vec<_>, Vec<_>) = group.into_iter().map(Pending::split).unzip();
        let live = self.live.clone();
        let _turn = live.turn().await;
        let outcomes = self.store.batches(&batches).await?;
        metrics::histogram!("davy_ingest_commit_seconds").record(begun.elapsed().as_secs_f64());
        for ((batch, rest), outcome) in batches.iter().zip(rest).zip(outcomes) {
            self.committed(batch, rest, outcome).await;
        }
        Ok(())
    }

    async fn committed(&mut self, batch: &Batch, rest: Rest, outcome: Committed) {
        let Rest {
            name,
            stream,
            data,
            message,
        } = rest;
        if outcome.duplicate {
            metrics::counter!("davy_ingest_duplicates_total").increment(1);
        } else {
            metrics::counter!("davy_ingest_batches_total").increment(1);
            for lost in &data.lost {
                tracing::error!(
                    site = batch.site,
                    ?lost,
                    "a gateway lost batches to a full disk"
                );
            }
            for set in &data.clock_sets {
                tracing::warn!(site = batch.site, ?set, "a gateway's clock was set");
            }
            if let Some(aside) = &batch.aside {
                store::told_aside(&message, &aside.why);
            }
        }
        if let Some((stream, offset)) = stream.zip(data.offset) {
            self.outbox.acknowledge(&name, stream, offset);
        }
        self.tell(&batch.site, data, outcome).await;
    }

    pub(super) async fn tell(&self, site: &str, data: Data, outcome: Committed) {
        if outcome.back {
            self.live.tell(Update::Site(site.to_owned()));
        }
        for Refusal {
            command,
            alarm,
            why,
        } in data.refusals
        {
            self.orders.refused(&command, site, &alarm, &why).await;
        }
        if outcome.duplicate {
            return;
        }
        self.tell_values(site, data.live);
        for transition in outcome.transitions {
            if let Some(command) = &transition.line.command {
                self.orders.done(command).await;
            }
            self.live.tell(Update::Transition(Box::new(transition)));
        }
        for alarm in outcome.alarms {
            self.live.tell(Update::Alarm(Box::new(alarm)));
        }
    }

    /// The newest of each point.
    pub(super) fn tell_values(&self, site: &str, values: Vec<(Arc<str>, Reading)>) {
        if !self.live.is_watched(site) {
            return;
        }
        let mut newest = BTreeMap::<Arc<str>, Reading>::new();
        for (point, reading) in values {
            let held = newest.entry(point).or_insert(reading);
            if held.source_time() <= reading.source_time() {
                *held = reading;
            }
        }
        if !newest.is_empty() {
            self.live.tell(Update::Values {
                site: site.to_owned(),
                values: newest
                    .into_iter()
                    .map(|(point, reading)| (point.to_string(), reading))
                    .collect(),
            });
        }
    }
}

/// What is to be remembered for ever of a batch, with it or not at all.
fn entries(site: &str, data: &Data) -> Vec<Entry> {
    let lost = data.lost.iter().map(|lost| store::lost(site, lost));
    let acts = data.acts.iter().map(|act| store::acted(site, act));
    let sets = data
        .clock_sets
        .iter()
        .map(|set| store::clock_set(site, set));
    let told = data.told.iter().map(|told| store::told(site, told));
    lost.chain(acts).chain(sets).chain(told).collect()
}

/// What could not be read of a message is put aside with the commit of the rest.
fn aside(data: &Data, message: &Message) -> Option<Aside> {
    (!data.faults.is_empty()).then(|| Aside {
        topic: message.topic.to_string(),
        why: data.faults.join("; "),
        payload: message.payload.to_vec(),
    })
}

/// A pending message without its batch.
struct Rest {
    name: EdgeName,
    stream: Option<u64>,
    data: Data,
    message: Message,
}

impl Pending {
    fn split(self) -> (Batch, Rest) {
        let Self {
            name,
            stream,
            data,
            batch,
            message,
        } = self;
        let rest = Rest {
            name,
            stream,
            data,
            message,
        };
        (batch, rest)
    }
}

const fn kind(verb: Verb) -> &'static str {
    match verb {
        Verb::NodeBirth | Verb::DeviceBirth => "birth",
        Verb::NodeDeath | Verb::DeviceDeath => "death",
        Verb::NodeData | Verb::DeviceData => "data",
        Verb::NodeCommand | Verb::DeviceCommand => "command",
    }
}
