//! The gateway's journal as the uplink's source of batches.

use super::{Batches, Offsets};
use crate::journal::{Batch, Journal};
use std::ops::RangeInclusive;
use std::sync::Arc;
use tokio::sync::watch;

impl Offsets for Journal {
    fn synced(&self) -> u64 {
        *Journal::synced(self).borrow()
    }

    fn urgent(&self, from: u64, limit: usize) -> Vec<u64> {
        Journal::urgent(self, from, limit)
    }

    fn next_unacknowledged(&self, from: u64) -> Option<u64> {
        Journal::next_unacknowledged(self, from)
    }
}

impl Batches for Journal {
    fn watch(&self) -> watch::Receiver<u64> {
        Journal::synced(self)
    }

    async fn batch(&self, offset: u64) -> Option<Arc<Batch>> {
        Journal::batch(self, offset).await
    }

    fn acknowledge(&self, ranges: &[RangeInclusive<u64>]) {
        Journal::acknowledge(self, ranges);
    }

    fn backlog(&self) -> u64 {
        Journal::backlog(self)
    }

    fn stream(&self) -> u64 {
        Journal::stream(self)
    }

    fn lost(&self) -> u64 {
        self.stats().lost_batches
    }
}
