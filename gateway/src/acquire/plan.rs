//! Which registers are read together: a device's needed registers, coalesced by table, gap and cap. Pure.

use davy_config::site::{DeviceIndex, OutputIndex, PointIndex, Register, Site, Table};

/// A run of registers or bits that is needed as one: a value is never split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item {
    pub(super) table: Table,
    pub(super) start: u16,
    pub(super) width: u16,
}

impl Item {
    const fn end(&self) -> u32 {
        self.start as u32 + self.width as u32
    }
}

/// One read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) table: Table,
    pub(super) start: u16,
    pub(super) count: u16,
    /// Positions in [`Plan::items`].
    items: Vec<usize>,
}

/// A device's points and read-backs, each by the items that it needs.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    items: Vec<Item>,
    pub(super) blocks: Vec<Block>,
    /// Block of each item.
    place: Vec<usize>,
    pub(super) points: Vec<PointItems>,
    pub(super) outputs: Vec<(OutputIndex, usize)>,
}

/// The items of one point.
#[derive(Clone, Debug)]
pub(super) struct PointItems {
    pub(super) point: PointIndex,
    pub(super) value: usize,
    pub(super) status: Vec<usize>,
}

/// What was read of each block, or why not.
pub(super) type Image = Vec<Result<Vec<u16>, davy_alarm::NoValue>>;

impl Plan {
    /// The plan of one device.
    pub(super) fn new(site: &Site, device: DeviceIndex) -> Self {
        let mut items: Vec<Item> = Vec::new();
        let mut item = |register: &Register| {
            let item = Item {
                table: register.table,
                start: register.address,
                width: davy_config::width(register.encoding),
            };
            items
                .iter()
                .position(|known| *known == item)
                .unwrap_or_else(|| {
                    items.push(item);
                    items.len() - 1
                })
        };
        let mut points = Vec::new();
        for (position, point) in site
            .points
            .iter()
            .enumerate()
            .filter(|(_, point)| point.device == device)
        {
            let value = item(&point.register);
            points.push(PointItems {
                point: PointIndex(position),
                value,
                status: point
                    .status
                    .iter()
                    .map(|rule| item(&rule.register))
                    .collect(),
            });
        }
        let own = site
            .outputs
            .iter()
            .enumerate()
            .filter(|(_, output)| output.device == device);
        let outputs = own
            .map(|(position, output)| (OutputIndex(position), item(&output.register)))
            .collect();
        let settings = &site.devices[device.0];
        let blocks = coalesce(
            &items,
            settings.max_block,
            settings.max_gap,
            settings.max_bits,
        );
        let mut plan = Self {
            place: vec![0; items.len()],
            items,
            blocks,
            points,
            outputs,
        };
        plan.index();
        plan
    }

    /// The words of one item, or why there are none.
    pub(super) fn words<'i>(
        &self,
        image: &'i Image,
        item: usize,
    ) -> Result<&'i [u16], davy_alarm::NoValue> {
        let block = &self.blocks[self.place[item]];
        let words = image[self.place[item]].as_ref().map_err(|cause| *cause)?;
        let from = usize::from(self.items[item].start - block.start);
        words
            .get(from..from + usize::from(self.items[item].width))
            .ok_or(davy_alarm::NoValue::BadFrame)
    }

    /// Halves a block that the device refuses (exception 2 or 3), so that the bad register stands alone in the end. Returns whether it could.
    pub(super) fn split(&mut self, block: usize) -> bool {
        let refused = &self.blocks[block];
        if refused.items.len() < 2 {
            return false;
        }
        let (left, right) = refused.items.split_at(refused.items.len() / 2);
        let halves = [self.block_of(left), self.block_of(right)];
        self.blocks.splice(block..=block, halves);
        self.index();
        true
    }

    fn block_of(&self, items: &[usize]) -> Block {
        let first = &self.items[items[0]];
        let end = items
            .iter()
            .map(|item| self.items[*item].end())
            .max()
            .unwrap_or_default();
        Block {
            table: first.table,
            start: first.start,
            count: (end - u32::from(first.start)) as u16,
            items: items.to_vec(),
        }
    }

    fn index(&mut self) {
        for (position, block) in self.blocks.iter().enumerate() {
            for item in &block.items {
                self.place[*item] = position;
            }
        }
    }
}

/// Joins items of one table while the run between them is at most `max_gap` and the block at most the cap.
fn coalesce(items: &[Item], max_block: u16, max_gap: u16, max_bits: u16) -> Vec<Block> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_unstable_by_key(|position| items[*position]);
    let mut blocks: Vec<Block> = Vec::new();
    for position in order {
        let item = &items[position];
        let cap = if matches!(item.table, Table::Coil | Table::DiscreteInput) {
            max_bits
        } else {
            max_block
        };
        if let Some(block) = blocks.last_mut() {
            let end = u32::from(block.start) + u32::from(block.count);
            let joined = item.end().max(end) - u32::from(block.start);
            if block.table == item.table
                && u32::from(item.start) <= end + u32::from(max_gap)
                && joined <= u32::from(cap)
            {
                block.count = joined as u16;
                block.items.push(position);
                continue;
            }
        }
        blocks.push(Block {
            table: item.table,
            start: item.start,
            count: item.width,
            items: vec![position],
        });
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn items() -> impl Strategy<Value = Vec<Item>> {
        let table = prop_oneof![Just(Table::Holding), Just(Table::Input), Just(Table::Coil)];
        let item = (
            table,
            0_u16..400,
            prop_oneof![Just(1_u16), Just(2), Just(4)],
        );
        proptest::collection::hash_set(item, 1..60).prop_map(|set| {
            set.into_iter()
                .map(|(table, start, width)| Item {
                    table,
                    start,
                    width,
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn every_item_lies_whole_in_one_block_and_no_block_passes_cap_or_gap(items in items(), cap in 4_u16..125, gap in 0_u16..10) {
            let blocks = coalesce(&items, cap, gap, cap);
            for (position, item) in items.iter().enumerate() {
                let holding: Vec<&Block> = blocks.iter().filter(|block| block.items.contains(&position)).collect();
                prop_assert_eq!(holding.len(), 1);
                let block = holding[0];
                prop_assert_eq!(block.table, item.table);
                prop_assert!(block.start <= item.start && item.end() <= u32::from(block.start) + u32::from(block.count));
            }
            for block in &blocks {
                prop_assert!(block.count <= cap);
                let covered = |register: u16| block.items.iter().any(|item| (u32::from(items[*item].start)..items[*item].end()).contains(&u32::from(register)));
                let mut run = 0;
                for register in block.start..block.start + block.count {
                    run = if covered(register) { 0 } else { run + 1 };
                    prop_assert!(run <= gap, "a run of {} unneeded registers", run);
                }
            }
        }
    }
}
