//! What a bus owes its outputs: which to write next. Reads no clock and does no I/O.
//!
//! A change of demand goes before everything else, on before off. An output is written until its read-back equals its demand, and anew every
//! [`REWRITE`] all the same, since a relay module may restart unseen. A repetition waits for a poll between two of them, and after a silence no other output
//! of the same device is tried before the next repetition is due, so that a dead relay module does not starve the sensors.

use super::pdu::Request;
use davy_config::site::{Output, OutputIndex, Table};
use std::time::Duration;
use tokio::time::Instant;

pub(super) const REWRITE: Duration = Duration::from_secs(5);
/// Before the first repetition; doubled for each further one up to [`RETRY_MAX`].
const RETRY: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(2);

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    ReadBack(bool),
    /// The device took the write and lets nobody read the register.
    Unreadable,
    Failed,
    /// The device did not answer.
    Silent,
}

impl Written {
    /// What the register is known to hold.
    pub(super) const fn state(self) -> Option<bool> {
        match self {
            Self::ReadBack(state) => Some(state),
            Self::Unreadable | Self::Failed | Self::Silent => None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Drive {
    pub(super) output: OutputIndex,
    /// Position of its device among the bus's stations.
    pub(super) station: usize,
    pub(super) asked: bool,
    fresh: bool,
    pub(super) due: Instant,
    /// When it was last written.
    tried: Option<Instant>,
    tries: u32,
}

#[derive(Debug)]
pub(super) struct Outputs {
    drives: Vec<Drive>,
}

impl Outputs {
    /// All are written once at the start.
    pub(super) fn new(of_bus: impl Iterator<Item = (OutputIndex, usize)>, now: Instant) -> Self {
        let drive = |(output, station)| Drive {
            output,
            station,
            asked: false,
            fresh: true,
            due: now,
            tried: None,
            tries: 0,
        };
        Self {
            drives: of_bus.map(drive).collect(),
        }
    }

    /// The outputs of another site file. One that `kept` finds as it was (by its former position) is not written for the change; all others are.
    pub(super) fn follow(
        &mut self,
        of_bus: impl Iterator<Item = (OutputIndex, usize)>,
        kept: impl Fn(OutputIndex) -> Option<OutputIndex>,
        now: Instant,
    ) {
        let mut next = Self::new(of_bus, now);
        for drive in &mut next.drives {
            let before = kept(drive.output);
            let known = (self.drives.iter()).find(|known| Some(known.output) == before);
            if let Some(known) = known {
                (drive.asked, drive.fresh) = (known.asked, known.fresh);
                (drive.due, drive.tried, drive.tries) = (known.due, known.tried, known.tries);
            }
        }
        *self = next;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.drives.is_empty()
    }

    pub(super) fn drive(&self, position: usize) -> &Drive {
        &self.drives[position]
    }

    /// Takes the demand of every output of the site.
    pub(super) fn ask(&mut self, demand: &[bool]) {
        for drive in &mut self.drives {
            let asked = demand.get(drive.output.0).copied().unwrap_or(drive.asked);
            drive.fresh |= asked != drive.asked;
            drive.asked = asked;
        }
    }

    /// The next output whose demand changed, on before off.
    pub(super) fn next_fresh(&self) -> Option<usize> {
        let fresh = self
            .drives
            .iter()
            .enumerate()
            .filter(|(_, drive)| drive.fresh);
        fresh
            .max_by_key(|(position, drive)| (drive.asked, usize::MAX - position))
            .map(|(position, _)| position)
    }

    /// The next output that is due again, of the stations that are `asked`.
    pub(super) fn next_due(&self, now: Instant, asked: impl Fn(usize) -> bool) -> Option<usize> {
        let due = self
            .drives
            .iter()
            .enumerate()
            .filter(|(_, drive)| drive.due <= now && asked(drive.station));
        due.min_by_key(|(_, drive)| (drive.due, drive.tried))
            .map(|(position, _)| position)
    }

    /// When time next asks for a write, of the stations that are `asked`.
    pub(super) fn next_wake(&self, asked: impl Fn(usize) -> bool) -> Option<Instant> {
        let asked = self.drives.iter().filter(|drive| asked(drive.station));
        asked.map(|drive| drive.due).min()
    }

    /// Notes how a write ended. Returns whether this is the first failure after a success.
    pub(super) fn written(&mut self, position: usize, written: Written, now: Instant) -> bool {
        let drive = &mut self.drives[position];
        (drive.fresh, drive.tried) = (false, Some(now));
        if written == Written::ReadBack(drive.asked) || written == Written::Unreadable {
            (drive.tries, drive.due) = (0, now + REWRITE);
            return false;
        }
        drive.due = now + RETRY.saturating_mul(1 << drive.tries.min(8)).min(RETRY_MAX);
        drive.tries = drive.tries.saturating_add(1);
        let Drive {
            station,
            due,
            tries,
            ..
        } = *drive;
        if written == Written::Silent {
            for other in (self.drives.iter_mut()).filter(|other| other.station == station) {
                (other.fresh, other.due) = (false, other.due.max(due));
                other.tries = other.tries.max(tries);
            }
        }
        tries == 1
    }

    /// A poll has read the register: one that disagrees is written now, unless it is being repeated anyway.
    pub(super) fn seen(&mut self, output: OutputIndex, state: Option<bool>, now: Instant) {
        for drive in self
            .drives
            .iter_mut()
            .filter(|drive| drive.output == output)
        {
            if drive.tries == 0 && state.is_some_and(|state| state != drive.asked) {
                drive.due = drive.due.min(now);
            }
        }
    }

    /// A device answers again: its outputs are written now.
    pub(super) fn station_is_back(&mut self, station: usize, now: Instant) {
        for drive in self
            .drives
            .iter_mut()
            .filter(|drive| drive.station == station)
        {
            drive.due = now;
        }
    }
}

/// The request that makes an output what is asked.
pub(super) fn write_request(output: &Output, asked: bool) -> Request {
    let (address, multiple) = (output.register.address, output.write_multiple);
    let value = if asked { output.on } else { output.off };
    match output.register.table {
        Table::Coil | Table::DiscreteInput => Request::WriteCoil {
            address,
            on: value != 0,
            multiple,
        },
        Table::Holding | Table::Input => Request::WriteRegister {
            address,
            value,
            multiple,
        },
    }
}

/// The request that reads an output back.
pub(super) const fn read_request(output: &Output) -> Request {
    Request::Read {
        table: output.register.table,
        start: output.register.address,
        count: 1,
    }
}

/// What the word of an output's register means; a word that is neither on nor off means nothing.
pub(super) fn state(output: &Output, word: u16) -> Option<bool> {
    if word == output.on {
        Some(true)
    } else if word == output.off {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(count: usize) -> (Outputs, Instant) {
        let now = Instant::now();
        let mut outputs = Outputs::new((0..count).map(|position| (OutputIndex(position), 0)), now);
        for position in 0..count {
            outputs.written(position, Written::ReadBack(false), now);
        }
        (outputs, now)
    }

    const fn all(_: usize) -> bool {
        true
    }

    #[test]
    fn a_changed_demand_goes_first_and_on_before_off() {
        let (mut outputs, now) = outputs(3);
        outputs.ask(&[true, false, false]);
        outputs.written(0, Written::ReadBack(true), now);
        outputs.ask(&[false, false, true]);
        assert_eq!(outputs.next_fresh(), Some(2));
        outputs.written(2, Written::ReadBack(true), now);
        assert_eq!(outputs.next_fresh(), Some(0));
    }

    #[test]
    fn a_write_is_repeated_until_the_read_back_agrees_and_then_now_and_again() {
        let (mut outputs, now) = outputs(1);
        outputs.ask(&[true]);
        assert!(outputs.written(0, Written::ReadBack(false), now));
        assert_eq!(outputs.next_due(now, all), None);
        assert_eq!(outputs.next_due(now + RETRY, all), Some(0));
        assert!(!outputs.written(0, Written::Failed, now));
        assert!(!outputs.written(0, Written::ReadBack(true), now));
        assert_eq!(outputs.next_due(now + RETRY_MAX, all), None);
        assert_eq!(outputs.next_due(now + REWRITE, all), Some(0));
    }

    #[test]
    fn a_register_that_disagrees_with_its_demand_is_written_at_once() {
        let (mut outputs, now) = outputs(2);
        outputs.seen(OutputIndex(1), Some(false), now);
        outputs.seen(OutputIndex(1), None, now);
        assert_eq!(outputs.next_due(now, all), None);
        outputs.seen(OutputIndex(1), Some(true), now);
        assert_eq!(outputs.next_due(now, all), Some(1));
    }

    #[test]
    fn a_demand_shorter_than_the_outputs_changes_none_of_the_rest() {
        let (mut outputs, _) = outputs(2);
        outputs.ask(&[]);
        assert_eq!(outputs.next_fresh(), None);
    }

    #[test]
    fn a_silence_stands_for_all_outputs_of_its_device_and_they_take_turns() {
        let now = Instant::now();
        let stations = [0, 0, 0, 1];
        let of_bus = (0..)
            .zip(stations)
            .map(|(at, station)| (OutputIndex(at), station));
        let mut outputs = Outputs::new(of_bus, now);
        outputs.ask(&[true, true, true, true]);
        assert_eq!(outputs.next_fresh(), Some(0));
        assert!(outputs.written(0, Written::Silent, now));
        assert_eq!(outputs.next_fresh(), Some(3), "of another device");
        outputs.written(3, Written::ReadBack(true), now);
        outputs.seen(OutputIndex(1), Some(false), now);
        assert_eq!(
            outputs.next_due(now, all),
            None,
            "not before the repetition"
        );
        let mut tried = Vec::new();
        let mut then = now;
        for _ in 0..6 {
            then = outputs.next_wake(|station| station == 0).expect("due");
            let output = outputs.next_due(then, |station| station == 0).expect("due");
            outputs.written(output, Written::Silent, then);
            assert_eq!(outputs.next_due(then, |station| station == 0), None);
            tried.push(output);
        }
        assert_eq!(tried, [1, 2, 0, 1, 2, 0]);
        assert_eq!(
            outputs.next_due(then + REWRITE, |station| station != 0),
            Some(3)
        );
    }
}
