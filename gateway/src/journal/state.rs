//! What the whole log comes to: the durable state of every alarm, the outputs that are on, the next sequence number. Each segment begins with it.
//!
//! Bytes, pieces as in [`super::bytes`]: varint next seq; varint lost batches; varint number of outputs that ever changed, each text id, byte flags (bit 0 on,
//! bit 1 since known), zigzag since, if so (in version 1: of the outputs that are on alone, each a text); varint number of alarms, each text id, 24 bytes [`Saved`], varint seq, byte flags (bit 0 raised, 1 changed, 2 cleared, 3 acknowledged, 4 shelved until, 5 actor, 6 reason),
//! the times among them as zigzag milliseconds since 1970, byte form and value of `value_then` (see [`super::encoding`]), then the texts; since version 4 varint number of nodes, each text id of the device, varint next event, varint collected, varint missed.

use super::bytes::{Bytes, put_text, put_varint, put_zigzag};
use super::record::{Names, Record};
use super::story::Story;
use super::values::{optional_value, put_optional_value};
use crate::judge::{MOST_GONE, Switched};
use crate::node::Mark;
use davy_alarm::{Saved, WallMs};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Nodes that are remembered; more, and those that the site file no longer has are forgotten.
const MOST_NODES: usize = 1024;

/// Keyed by id, so that it survives another site file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    pub(super) alarms: BTreeMap<Arc<str>, (Saved, Story)>,
    /// Those that ever changed.
    pub(super) outputs: BTreeMap<Arc<str>, Switched>,
    pub(super) next_seq: u64,
    /// Batches that were ever told as lost.
    pub(super) lost_batches: u64,
    /// How far the events of nodes are in the log, by the device's id.
    pub(super) nodes: BTreeMap<Arc<str>, Mark>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            alarms: BTreeMap::new(),
            outputs: BTreeMap::new(),
            next_seq: 1,
            lost_batches: 0,
            nodes: BTreeMap::new(),
        }
    }
}

impl State {
    /// Goes on with the next record. A transition that it has already followed changes nothing: in journals of earlier releases the state in a
    /// segment's header may be ahead of the batches behind it.
    pub(super) fn follow(&mut self, names: &Names, record: &Record) {
        match record {
            Record::Transition(transition) => {
                let Some(id) = names.alarms.get(transition.alarm as usize) else {
                    return;
                };
                self.next_seq = self.next_seq.max(transition.seq.saturating_add(1));
                let (saved, story) = self
                    .alarms
                    .entry(id.clone())
                    .or_insert_with(|| (transition.saved, Story::default()));
                if transition.seq > story.seq {
                    *saved = transition.saved;
                    story.follow(transition);
                }
            }
            Record::Output { output, on, time } => {
                let Some(id) = names.outputs.get(*output as usize) else {
                    return;
                };
                let switched = Switched {
                    on: *on,
                    since: Some(*time),
                };
                self.outputs.insert(id.clone(), switched);
            }
            Record::Lost { from, to, .. } => {
                self.lost_batches = self
                    .lost_batches
                    .saturating_add(to.saturating_sub(*from).saturating_add(1));
            }
            Record::Told(told) => {
                let mark = self.nodes.entry(told.device.clone()).or_default();
                mark.follow(&told.what);
            }
            Record::Reading { .. }
            | Record::Started { .. }
            | Record::Reloaded(_)
            | Record::ClockSet { .. }
            | Record::Act { .. }
            | Record::Proof(_) => {}
        }
    }

    /// Forgets the alarms and nodes that are gone from the site if they are too many; outputs that are gone at once.
    pub(super) fn fit(&mut self, names: &Names) {
        let alarms: BTreeSet<&str> = names.alarms.iter().map(|id| &**id).collect();
        let outputs: BTreeSet<&str> = names.outputs.iter().map(|id| &**id).collect();
        let gone = self.alarms.keys().filter(|id| !alarms.contains(&***id));
        if gone.count() > MOST_GONE {
            self.alarms.retain(|id, _| alarms.contains(&**id));
        }
        self.outputs.retain(|id, _| outputs.contains(&**id));
        if self.nodes.len() > MOST_NODES {
            let devices: BTreeSet<&str> = names.devices.iter().map(|id| &**id).collect();
            self.nodes.retain(|id, _| devices.contains(&**id));
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.next_seq);
        put_varint(out, self.lost_batches);
        put_varint(out, self.outputs.len() as u64);
        for (id, output) in &self.outputs {
            put_text(out, id);
            out.push(u8::from(output.on) | u8::from(output.since.is_some()) << 1);
            if let Some(since) = output.since {
                put_zigzag(out, since.0);
            }
        }
        put_varint(out, self.alarms.len() as u64);
        for (id, (saved, story)) in &self.alarms {
            put_text(out, id);
            out.extend(saved.to_bytes());
            put_story(out, story);
        }
        put_varint(out, self.nodes.len() as u64);
        for (id, mark) in &self.nodes {
            put_text(out, id);
            put_varint(out, u64::from(mark.next));
            put_varint(out, mark.collected);
            put_varint(out, mark.missed);
        }
    }

    /// Reads a state of this version of a segment.
    pub(super) fn decode(bytes: &mut Bytes<'_>, version: u16) -> Option<Self> {
        let next_seq = bytes.varint()?.max(1);
        let lost_batches = bytes.varint()?;
        let mut outputs = BTreeMap::new();
        for _ in 0..bytes.varint()? {
            let id = bytes.text()?;
            outputs.insert(id, switched(bytes, version)?);
        }
        let mut alarms = BTreeMap::new();
        for _ in 0..bytes.varint()? {
            let id = bytes.text()?;
            let saved = Saved::from_bytes(bytes.take(Saved::BYTES)?)?;
            alarms.insert(id, (saved, story(bytes)?));
        }
        let nodes = match version {
            1..4 => BTreeMap::new(),
            _ => nodes(bytes)?,
        };
        Some(Self {
            alarms,
            outputs,
            next_seq,
            lost_batches,
            nodes,
        })
    }
}

fn nodes(bytes: &mut Bytes<'_>) -> Option<BTreeMap<Arc<str>, Mark>> {
    let node = |bytes: &mut Bytes<'_>| {
        let id = bytes.text()?;
        let mark = Mark {
            next: bytes.varint_u32()?,
            collected: bytes.varint()?,
            missed: bytes.varint()?,
        };
        Some((id, mark))
    };
    let count = bytes.varint()?;
    (0..count).map(|_| node(bytes)).collect()
}

fn switched(bytes: &mut Bytes<'_>, version: u16) -> Option<Switched> {
    if version == 1 {
        return Some(Switched {
            on: true,
            since: None,
        });
    }
    let flags = bytes.byte()?;
    if flags & !0b11 != 0 {
        return None;
    }
    let since = if flags & 2 != 0 {
        Some(WallMs(bytes.zigzag()?))
    } else {
        None
    };
    Some(Switched {
        on: flags & 1 != 0,
        since,
    })
}

fn put_story(out: &mut Vec<u8>, story: &Story) {
    put_varint(out, story.seq);
    let times = [
        story.raised,
        story.changed,
        story.cleared,
        story.acknowledged,
        story.shelved_until,
    ];
    let texts = [story.actor.as_deref(), story.reason.as_deref()];
    let present = times
        .iter()
        .map(Option::is_some)
        .chain(texts.iter().map(Option::is_some));
    out.push(
        (0..)
            .zip(present)
            .fold(0, |bits, (bit, present)| bits | u8::from(present) << bit),
    );
    for time in times.into_iter().flatten() {
        put_zigzag(out, time.0);
    }
    put_optional_value(out, story.value_then);
    for text in texts.into_iter().flatten() {
        put_text(out, text);
    }
}

fn story(bytes: &mut Bytes<'_>) -> Option<Story> {
    let seq = bytes.varint()?;
    let flags = bytes.byte()?;
    let mut times = [None; 5];
    for (bit, time) in times.iter_mut().enumerate() {
        if flags & 1 << bit != 0 {
            *time = Some(WallMs(bytes.zigzag()?));
        }
    }
    let value_then = optional_value(bytes)?;
    let mut texts = [None, None];
    for (bit, text) in texts.iter_mut().enumerate() {
        if flags & 1 << (bit + 5) != 0 {
            *text = Some(bytes.text()?);
        }
    }
    let [raised, changed, cleared, acknowledged, shelved_until] = times;
    let [actor, reason] = texts;
    Some(Story {
        seq,
        raised,
        changed,
        cleared,
        acknowledged,
        shelved_until,
        value_then,
        actor,
        reason,
    })
}
