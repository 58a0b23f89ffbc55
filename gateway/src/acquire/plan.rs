//! Which registers are read together, and where their words lie afterwards. Pure.
//!
//! A device's needed registers, sorted by table and address, are its *slots*: one word each, allocated once. A point knows its slots; a
//! block is a run of slots that one request reads. A value of several registers lies in neighbouring slots with no *cut* between them, so that
//! neither planning nor bisection ever splits it.

use crate::decode::Decoder;
use davy_alarm::{NoValue, Reading, WallMs};
use davy_config::site::{DeviceIndex, OutputIndex, PointIndex, Register, Site, Table};
use std::collections::BTreeMap;
use std::ops::Range;

/// The slots of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    from: u32,
    width: u32,
}

impl Span {
    fn slots(self) -> Range<usize> {
        self.from as usize..(self.from + self.width) as usize
    }
}

/// One read: `count` registers or bits from `start`; the needed ones fill `slots`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) table: Table,
    pub(super) start: u16,
    pub(super) count: u16,
    slots: Range<usize>,
}

/// The span of one point, and what is made of it.
#[derive(Clone, Debug)]
struct PointSpan {
    point: PointIndex,
    value: Span,
    decoder: Decoder,
}

const _: () = assert!(size_of::<PointSpan>() <= 64, "a line of cache");

/// A device's slots, and which points and outputs they belong to.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    slots: Slots,
    points: Vec<PointSpan>,
    /// By position in `points`: the spans of its status rules, in their order.
    status: Vec<Box<[Span]>>,
    pub(super) outputs: Vec<(OutputIndex, Span)>,
}

/// How much one read may ask for, from the device's profile.
#[derive(Clone, Copy, Debug)]
struct Caps {
    registers: u16,
    bits: u16,
    gap: u16,
}

impl Plan {
    /// The plan of one device and its blocks: values joined while the gap and the device's caps allow.
    ///
    /// Values that overlap stand or fall together; should such a group be wider than the cap it is a block of its own all the same, and the device's
    /// refusal shows as an exception on its points.
    pub(super) fn new(site: &Site, device: DeviceIndex) -> (Self, Vec<Block>) {
        let points = || {
            site.points
                .iter()
                .enumerate()
                .filter(|(_, point)| point.device == device)
        };
        let outputs = || {
            site.outputs
                .iter()
                .enumerate()
                .filter(|(_, output)| output.device == device)
        };
        let of_points = points().flat_map(|(_, point)| {
            std::iter::once(&point.register).chain(point.status.iter().map(|rule| &rule.register))
        });
        let values = of_points.chain(outputs().map(|(_, output)| &output.register));
        let slots = Slots::of(values.map(value));
        let span = |(position, point): (usize, &davy_config::site::Point)| PointSpan {
            point: PointIndex(position),
            value: slots.span(value(&point.register)),
            decoder: Decoder::of(point),
        };
        let status = |(_, point): (usize, &davy_config::site::Point)| {
            let rules = point.status.iter();
            let spans = rules.map(|rule| slots.span(value(&rule.register)));
            spans.collect()
        };
        let (status, points) = (points().map(status).collect(), points().map(span).collect());
        let outputs = outputs()
            .map(|(position, output)| (OutputIndex(position), slots.span(value(&output.register))))
            .collect();
        let device = &site.devices[device.0];
        let blocks = slots.coalesce(Caps {
            registers: device.max_block,
            bits: device.max_bits,
            gap: device.max_gap,
        });
        (
            Self {
                slots,
                points,
                status,
                outputs,
            },
            blocks,
        )
    }

    /// Whether it needs the same registers as another plan, so that an image of the one is an image of the other.
    pub(super) fn reads_as(&self, other: &Self) -> bool {
        self.slots == other.slots
    }

    /// An image with a slot for each needed register.
    pub(super) fn image(&self) -> Image {
        let slots = self.slots.places.len();
        Image {
            words: vec![0; slots],
            causes: vec![Some(NoValue::NotYetRead); slots],
            times: vec![WallMs(0); slots],
        }
    }

    /// A reading of each point.
    pub(super) fn readings(&self, image: &Image) -> Vec<(PointIndex, Reading)> {
        let reading = |(place, span): (usize, &PointSpan)| {
            let status = match span.decoder.has_status() {
                true => &self.status[place][..],
                false => &[],
            };
            let status = status.iter().map(|span| image.words(*span));
            let (value, at) = (image.words(span.value), image.time(span.value));
            (span.point, span.decoder.reading(value, status, at))
        };
        self.points.iter().enumerate().map(reading).collect()
    }

    /// Puts the words of a block's answer into its slots.
    pub(super) fn fill(&self, image: &mut Image, block: &Block, words: &[u16], at: WallMs) {
        // Without a gap, as blocks are as a rule, the one is the other.
        if words.len() == block.slots.len() && words.len() == usize::from(block.count) {
            image.words[block.slots.clone()].copy_from_slice(words);
            image.causes[block.slots.clone()].fill(None);
            image.times[block.slots.clone()].fill(at);
            return;
        }
        for slot in block.slots.clone() {
            let offset = usize::from(self.slots.places[slot].1 - block.start);
            match words.get(offset) {
                Some(word) => (image.words[slot], image.causes[slot]) = (*word, None),
                None => image.causes[slot] = Some(NoValue::BadFrame),
            }
            image.times[slot] = at;
        }
    }

    /// Halves a block that the device refuses, at the cut nearest its middle; `None` if it holds one value.
    pub(super) fn halves(&self, block: &Block) -> Option<[Block; 2]> {
        let Range { start, end } = block.slots;
        let middle = start + (end - start) / 2;
        let cut = (start + 1..end)
            .filter(|slot| self.slots.cuts[*slot])
            .min_by_key(|slot| slot.abs_diff(middle))?;
        Some([self.slots.block(start..cut), self.slots.block(cut..end)])
    }
}

/// The outcome of a device's last reads, slot by slot. A slot holds a word, or the cause why not.
#[derive(Clone, Debug)]
pub(super) struct Image {
    words: Vec<u16>,
    causes: Vec<Option<NoValue>>,
    times: Vec<WallMs>,
}

impl Image {
    /// The words of a value, or the first cause that keeps it from being whole.
    pub(super) fn words(&self, span: Span) -> Result<&[u16], NoValue> {
        let slots = span.slots();
        match self.causes[slots.clone()].iter().flatten().next() {
            Some(cause) => Err(*cause),
            None => Ok(&self.words[slots]),
        }
    }

    /// When the value arrived, or was found missing.
    pub(super) fn time(&self, span: Span) -> WallMs {
        self.times[span.from as usize]
    }

    /// No slot has a word.
    pub(super) fn forget(&mut self, cause: NoValue, at: WallMs) {
        self.causes.fill(Some(cause));
        self.times.fill(at);
    }

    /// The slots of a block have no word.
    pub(super) fn miss(&mut self, block: &Block, cause: NoValue, at: WallMs) {
        self.causes[block.slots.clone()].fill(Some(cause));
        self.times[block.slots.clone()].fill(at);
    }
}

type Place = (Table, u16);

fn value(register: &Register) -> (Table, u16, u16) {
    (
        register.table,
        register.address,
        davy_config::width(register.encoding),
    )
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Slots {
    /// Sorted, each once.
    places: Vec<Place>,
    /// Whether a block may begin at this slot: no value reaches across its left edge.
    cuts: Vec<bool>,
}

impl Slots {
    fn of(values: impl Iterator<Item = (Table, u16, u16)>) -> Self {
        let mut cut_at: BTreeMap<Place, bool> = BTreeMap::new();
        for (table, start, width) in values {
            for offset in 0..width {
                let inside = offset > 0;
                let cut = cut_at
                    .entry((table, start.saturating_add(offset)))
                    .or_insert(true);
                *cut &= !inside;
            }
        }
        Self {
            places: cut_at.keys().copied().collect(),
            cuts: cut_at.values().copied().collect(),
        }
    }

    fn span(&self, (table, start, width): (Table, u16, u16)) -> Span {
        let from = self
            .places
            .binary_search(&(table, start))
            .unwrap_or_else(|next| next);
        Span {
            // Four tables of 65,536 registers.
            from: from as u32,
            width: width.into(),
        }
    }

    fn coalesce(&self, caps: Caps) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        for group in self.groups() {
            let alone = self.block(group.clone());
            match blocks.last_mut() {
                Some(last) if caps.allow(last, &alone) => {
                    *last = self.block(last.slots.start..group.end)
                }
                _ => blocks.push(alone),
            }
        }
        blocks
    }

    /// Runs of slots that must be read together.
    fn groups(&self) -> impl Iterator<Item = Range<usize>> {
        let mut next = 0;
        std::iter::from_fn(move || {
            let start = next;
            (start < self.cuts.len()).then(|| {
                next = (start + 1..self.cuts.len())
                    .find(|slot| self.cuts[*slot])
                    .unwrap_or(self.cuts.len());
                start..next
            })
        })
    }

    fn block(&self, slots: Range<usize>) -> Block {
        let ((table, start), (_, last)) = (self.places[slots.start], self.places[slots.end - 1]);
        Block {
            table,
            start,
            count: last - start + 1,
            slots,
        }
    }
}

impl Caps {
    fn allow(self, left: &Block, right: &Block) -> bool {
        let cap = match left.table {
            Table::Coil | Table::DiscreteInput => self.bits,
            Table::Holding | Table::Input => self.registers,
        };
        let end = u32::from(left.start) + u32::from(left.count);
        let right_end = u32::from(right.start) + u32::from(right.count);
        left.table == right.table
            && u32::from(right.start) <= end + u32::from(self.gap)
            && right_end - u32::from(left.start) <= u32::from(cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Value = (Table, u16, u16);

    fn values() -> impl Strategy<Value = Vec<Value>> {
        let table = prop_oneof![Just(Table::Holding), Just(Table::Input), Just(Table::Coil)];
        let value = (
            table,
            0_u16..400,
            prop_oneof![Just(1_u16), Just(2), Just(4)],
        );
        proptest::collection::vec(value, 1..60)
    }

    fn needed(values: &[Value], block: &Block, register: u16) -> bool {
        let holds = |(table, start, width): &Value| {
            *table == block.table && (*start..start + width).contains(&register)
        };
        values.iter().any(holds)
    }

    fn holds(block: &Block, (table, start, width): &Value) -> bool {
        block.table == *table && block.start <= *start && start + width <= block.start + block.count
    }

    fn plan(values: &[Value]) -> Plan {
        Plan {
            slots: Slots::of(values.iter().copied()),
            points: Vec::new(),
            status: Vec::new(),
            outputs: Vec::new(),
        }
    }

    proptest! {
        #[test]
        fn every_register_is_read_once_and_every_value_whole(values in values(), cap in 4_u16..125, gap in 0_u16..10) {
            let slots = Slots::of(values.iter().copied());
            let blocks = slots.coalesce(Caps { registers: cap, bits: cap, gap });
            let read: Vec<usize> = blocks.iter().flat_map(|block| block.slots.clone()).collect();
            prop_assert_eq!(read, (0..slots.places.len()).collect::<Vec<_>>());
            for value in &values {
                prop_assert_eq!(blocks.iter().filter(|block| holds(block, value)).count(), 1);
            }
        }

        #[test]
        fn no_block_passes_the_cap_or_reads_across_a_wider_gap(values in values(), cap in 4_u16..125, gap in 0_u16..10) {
            let slots = Slots::of(values.iter().copied());
            let widest = slots.groups().map(|group| slots.block(group).count).max().unwrap_or(0);
            for block in slots.coalesce(Caps { registers: cap, bits: cap, gap }) {
                prop_assert!(block.count <= cap.max(widest));
                let mut run = 0;
                for register in block.start..block.start + block.count {
                    run = if needed(&values, &block, register) { 0 } else { run + 1 };
                    prop_assert!(run <= gap, "a run of {} unneeded registers", run);
                }
            }
        }

        #[test]
        fn bisection_ends_at_single_values_and_loses_none(values in values()) {
            let plan = plan(&values);
            let mut work = plan.slots.coalesce(Caps { registers: 125, bits: 125, gap: 125 });
            let mut ends = Vec::new();
            while let Some(block) = work.pop() {
                match plan.halves(&block) {
                    Some(halves) => work.extend(halves),
                    None => ends.push(block),
                }
            }
            for value in &values {
                prop_assert_eq!(ends.iter().filter(|block| holds(block, value)).count(), 1);
            }
            prop_assert_eq!(ends.len(), plan.slots.groups().count());
        }
    }

    #[test]
    fn a_value_with_one_missing_word_is_missing() {
        let plan = plan(&[(Table::Input, 10, 2), (Table::Input, 20, 1)]);
        let mut image = plan.image();
        let block = plan.slots.block(0..3);
        let pair = plan.slots.span((Table::Input, 10, 2));
        assert_eq!(image.words(pair), Err(NoValue::NotYetRead));
        plan.fill(
            &mut image,
            &block,
            &[1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3],
            WallMs(5),
        );
        assert_eq!(image.words(pair), Ok(&[1, 2][..]));
        assert_eq!(
            image.words(plan.slots.span((Table::Input, 20, 1))),
            Ok(&[3][..])
        );
        plan.fill(&mut image, &block, &[9], WallMs(6));
        assert_eq!(image.words(pair), Err(NoValue::BadFrame));
    }
}
