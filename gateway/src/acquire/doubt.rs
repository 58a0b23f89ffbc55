//! What a unit may still owe on a link without transaction numbers, where a late answer could pass for that of the next request. Reads no clock and does no I/O.
//!
//! After a silence the next request, a probe, has an answer of another length than all that stayed unanswered, and only that answer ends the doubt: a unit
//! answers in order, so nothing older can come after it. It is asked where the unit has answered before, if it has anywhere: what was silent may be a block
//! and not the unit. Refusals are all of one length, and may be owed to an older request: another length is asked for. A unit that answers none of them all is
//! left alone for [`REST`], and then believed: it may have nothing that can be read at another length.

use super::pdu::{Request, data_length};
use davy_config::site::Table;
use std::time::Duration;
use tokio::time::Instant;

/// So many requests that stay unanswered in a row have answers of different lengths; they are sent over a minute and more.
pub(super) const PROBES: u16 = 8;
/// What a unit still owes that answers no probe has come after this: longer than converters keep a request.
pub(crate) const REST: Duration = Duration::from_secs(3);

/// Open from a read that got no good answer until a probe did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Doubt {
    owed: Option<Request>,
    /// Probes since then that were not answered either.
    vain: usize,
    /// All that there are: when the doubt ends by itself.
    rest_until: Option<Instant>,
}

/// Where a unit may be asked.
#[derive(Debug)]
pub(super) struct Ground {
    /// Reads that it has answered.
    pub(super) good: Vec<Request>,
    /// Those that follow once the doubt has ended.
    pub(super) blocks: Vec<Request>,
    /// Most values of a probe, by what the device can: of registers and of bits.
    pub(super) longest: (u16, u16),
}

impl Doubt {
    pub(super) fn of(owed: Request) -> Self {
        Self {
            owed: Some(owed),
            ..Self::default()
        }
    }

    pub(super) const fn is_open(&self) -> bool {
        self.owed.is_some()
    }

    pub(super) fn rests(&self, now: Instant) -> bool {
        self.rest_until.is_some_and(|until| now < until)
    }

    pub(super) const fn rest_until(&self) -> Option<Instant> {
        self.rest_until
    }

    /// A read whose answer is as long as none that is owed; none if there is none.
    pub(super) fn probe(&self, ground: &Ground) -> Option<Request> {
        let probes = ground.probes(&self.owed?);
        probes.get(self.vain % probes.len().max(1)).copied()
    }

    pub(super) fn probe_was_vain(&mut self, ground: &Ground, now: Instant) {
        self.vain += 1;
        self.rest_after_the_last(ground, now);
    }

    /// Where no probe exists, the rest begins with the end of the round that brought the doubt.
    pub(super) fn end_of_round(&mut self, ground: &Ground, now: Instant) {
        if self.rest_until.is_none() {
            self.rest_after_the_last(ground, now);
        }
    }

    fn rest_after_the_last(&mut self, ground: &Ground, now: Instant) {
        let probes = self.owed.map_or(0, |owed| ground.probes(&owed).len());
        if self.vain >= probes {
            self.rest_until = Some(now + REST);
        }
    }

    /// A rest that is over ends the doubt.
    pub(super) fn end_of_rest(&mut self) {
        if self.rest_until.is_some() {
            *self = Self::default();
        }
    }
}

impl Ground {
    /// All that could be asked in the place of what is owed, each with an answer of its own length: first those of a length that a block has, for what is asked
    /// last may itself be owed when blocks are asked again; of these first what the unit has answered before.
    fn probes(&self, owed: &Request) -> Vec<Request> {
        let places = match self.good.is_empty() {
            true => std::slice::from_ref(owed),
            false => &self.good,
        };
        let mut probes: Vec<(bool, bool, Request)> = Vec::new();
        for nth in 0..=PROBES {
            let turn = places.iter().cycle().skip(usize::from(nth) % places.len());
            let can = turn
                .take(places.len())
                .filter_map(|place| self.probe_at(place, nth, owed));
            probes.extend(can.min_by_key(|(foreign, beyond, _)| (*beyond, *foreign)));
        }
        probes.sort_by_key(|(foreign, beyond, _)| (*foreign, *beyond));
        probes.into_iter().map(|(.., request)| request).collect()
    }

    /// The `nth` length at a place that is read, unless the device cannot or it is owed; whether no block has it, and whether it reaches beyond what is known.
    fn probe_at(&self, place: &Request, nth: u16, owed: &Request) -> Option<(bool, bool, Request)> {
        let Request::Read {
            table,
            start,
            count: known,
        } = *place
        else {
            return None;
        };
        let (step, most) = match table {
            Table::Coil | Table::DiscreteInput => (8, self.longest.1),
            Table::Holding | Table::Input => (1, self.longest.0),
        };
        let count = 1 + nth * step;
        let request = Request::Read {
            table,
            start,
            count,
        };
        let is_of_a_block = self
            .blocks
            .iter()
            .any(|block| answer(block) == answer(&request));
        let beyond = count > known || self.good.is_empty();
        (count <= most && answer(&request) != answer(owed)).then_some((
            !is_of_a_block,
            beyond,
            request,
        ))
    }
}

/// What tells a read's answer from others': function and bytes of data.
fn answer(request: &Request) -> (u8, usize) {
    let length = match *request {
        Request::Read { table, count, .. } => data_length(table, count),
        _ => 0,
    };
    (request.function(), length)
}
