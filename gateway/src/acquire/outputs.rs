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

/// A demand that is on has so many attempts in quick succession at a device that is silent.
const URGENT: u32 = 3;
/// A device that answers neither polls nor writes is written at least this often, besides the turns that its polls cede.
const MUTE_MAX: Duration = Duration::from_secs(30);

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    ReadBack(bool),
    /// The device took the write and lets nobody read the register.
    Unreadable,
    Failed,
    /// The device did not answer the write.
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
    /// Its own latest writes in a row that were not answered: its device may ignore this register alone.
    vain: u32,
    /// That took its turn when its demand had just changed, or its own write was lost then.
    passed_over: bool,
}

#[derive(Debug)]
pub(super) struct Outputs {
    drives: Vec<Drive>,
}

impl Drive {
    /// Its device did not answer another output's write, which is repeated at `due`.
    fn wait_for(&mut self, due: Instant, tries: u32) {
        self.due = if self.fresh { due } else { self.due.max(due) };
        self.passed_over |= self.fresh;
        (self.fresh, self.tries) = (false, self.tries.max(tries));
    }

    /// Its device answers again: what was not written meanwhile is written now.
    fn come_back(&mut self, now: Instant) {
        self.fresh |= std::mem::take(&mut self.passed_over);
        if self.vain == 0 {
            self.due = now;
        }
        self.tries = self.vain;
    }
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
            vain: 0,
            passed_over: false,
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
                (drive.vain, drive.passed_over) = (known.vain, known.passed_over);
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
        let mut changed = Vec::new();
        for drive in &mut self.drives {
            let asked = demand.get(drive.output.0).copied().unwrap_or(drive.asked);
            if asked != drive.asked {
                (drive.asked, drive.fresh, drive.vain) = (asked, true, 0);
                changed.push(drive.station);
            }
        }
        // A change has its attempts at once, however long its device has been silent.
        for station in changed {
            let own = (self.drives.iter_mut()).filter(|drive| drive.station == station);
            own.for_each(|drive| drive.tries = 0);
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

    /// The next output that is due again, where `silent` tells which stations do not answer their polls.
    pub(super) fn next_due(&self, now: Instant, silent: impl Fn(usize) -> bool) -> Option<usize> {
        let due = self.drives.iter().enumerate();
        let due = due.map(|(position, drive)| (self.due(drive, &silent), drive.tried, position));
        due.filter(|(due, ..)| *due <= now)
            .min()
            .map(|(.., position)| position)
    }

    /// The output of this station that is due, whether its device answers or not.
    pub(super) fn due_of(&self, station: usize, now: Instant) -> Option<usize> {
        let own = self.drives.iter().enumerate();
        let due = own.filter(|(_, drive)| drive.station == station && drive.due <= now);
        due.min_by_key(|(_, drive)| (drive.due, drive.tried))
            .map(|(position, _)| position)
    }

    /// When time next asks for a write.
    pub(super) fn next_wake(&self, silent: impl Fn(usize) -> bool) -> Option<Instant> {
        let due = self.drives.iter().map(|drive| self.due(drive, &silent));
        due.min()
    }

    fn due(&self, drive: &Drive, silent: impl Fn(usize) -> bool) -> Instant {
        if !silent(drive.station) {
            return drive.due;
        }
        let mut own = (self.drives.iter()).filter(|other| other.station == drive.station);
        match self.unanswered(drive.station) {
            Some(tried) if !own.any(|other| other.asked && other.tries < URGENT) => {
                drive.due.max(tried + MUTE_MAX)
            }
            _ => drive.due,
        }
    }

    /// When this device was last written, if it did not answer that.
    fn unanswered(&self, station: usize) -> Option<Instant> {
        let own = self.drives.iter().filter(|drive| drive.station == station);
        let latest = own.max_by_key(|drive| drive.tried)?;
        latest.tried.filter(|_| latest.vain > 0)
    }

    /// Notes how a write ended. Returns whether this is the first failure after a success.
    pub(super) fn written(&mut self, position: usize, written: Written, now: Instant) -> bool {
        let was_silent = self.unanswered(self.drives[position].station).is_some();
        let drive = &mut self.drives[position];
        // An "on" whose own frame was lost goes first as well once the device answers: before the repeats of all that is off.
        let is_owed = drive.asked && (drive.fresh || drive.passed_over);
        drive.vain = match written {
            Written::Silent => drive.vain.saturating_add(1),
            _ => 0,
        };
        drive.passed_over = drive.vain > 0 && drive.vain < URGENT && is_owed;
        (drive.fresh, drive.tried) = (false, Some(now));
        let is_done = written == Written::ReadBack(drive.asked) || written == Written::Unreadable;
        if is_done {
            (drive.tries, drive.due) = (0, now + REWRITE);
        } else {
            drive.due = now + RETRY.saturating_mul(1 << drive.tries.min(8)).min(RETRY_MAX);
            drive.tries = drive.tries.saturating_add(1);
        }
        let (station, due, tries) = (drive.station, drive.due, drive.tries);
        let own = self.drives.iter_mut().enumerate();
        for (at, other) in own.filter(|(_, other)| other.station == station) {
            if at == position {
                continue;
            }
            if written == Written::Silent {
                other.wait_for(due, tries);
            } else if was_silent {
                other.come_back(now);
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
            drive.vain = 0;
            drive.come_back(now);
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

    /// Every device answers its polls.
    const fn all(_: usize) -> bool {
        false
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

    /// Three outputs of one device and one of another, all asked to be on.
    fn asked() -> (Outputs, Instant) {
        let now = Instant::now();
        let of_bus = (0..).zip([0, 0, 0, 1]);
        let of_bus = of_bus.map(|(at, station)| (OutputIndex(at), station));
        let mut outputs = Outputs::new(of_bus, now);
        for position in 0..4 {
            outputs.written(position, Written::ReadBack(false), now);
        }
        outputs.ask(&[true, true, true, true]);
        (outputs, now)
    }

    #[test]
    fn a_silence_stands_for_all_outputs_of_its_device_and_they_take_turns() {
        let (mut outputs, now) = asked();
        assert_eq!(outputs.next_fresh(), Some(0));
        assert!(outputs.written(0, Written::Silent, now + RETRY / 2));
        assert_eq!(outputs.next_fresh(), Some(3), "of another device");
        outputs.written(3, Written::ReadBack(true), now);
        outputs.seen(OutputIndex(1), Some(false), now);
        assert_eq!(outputs.next_due(now, all), None);
        let mut then = now;
        let mut tried = Vec::new();
        for _ in 0..5 {
            then += RETRY_MAX;
            let output = outputs.due_of(0, then).expect("due");
            outputs.written(output, Written::Silent, then);
            assert_eq!(outputs.due_of(0, then), None);
            tried.push(output);
        }
        assert_eq!(tried, [1, 2, 0, 1, 2]);
        assert_eq!(
            outputs.next_due(now + REWRITE, |station| station == 0),
            Some(3)
        );
    }

    #[test]
    fn a_demand_that_another_outputs_lost_frame_passed_over_is_written_first_once_the_device_answers()
     {
        let (mut outputs, now) = asked();
        let then = now + RETRY;
        outputs.written(0, Written::Silent, then);
        outputs.written(3, Written::ReadBack(true), then);
        let then = then + RETRY;
        assert_eq!(
            outputs.next_due(then, all),
            Some(1),
            "as soon as any of them"
        );
        outputs.written(1, Written::ReadBack(true), then);
        for next in [0, 2] {
            assert_eq!(outputs.next_fresh(), Some(next));
            outputs.written(next, Written::ReadBack(true), then);
        }
        assert_eq!(outputs.next_fresh(), None);
    }

    #[test]
    fn a_device_that_answers_neither_polls_nor_writes_is_written_seldom_and_a_new_demand_thrice() {
        let (mut outputs, now) = outputs(1);
        outputs.written(0, Written::Silent, now);
        let dead = |_: usize| true;
        assert_eq!(outputs.next_due(now + REWRITE, dead), None, "nothing is on");
        assert_eq!(outputs.next_wake(dead), Some(now + MUTE_MAX));
        assert_eq!(outputs.next_due(now + MUTE_MAX, dead), Some(0));
        for _ in 0..5 {
            outputs.written(0, Written::Silent, now);
        }
        outputs.ask(&[true]);
        assert_eq!(outputs.next_fresh(), Some(0));
        let mut then = now;
        for attempt in 1..=URGENT {
            outputs.written(0, Written::Silent, then);
            then += RETRY_MAX;
            let again = (attempt < URGENT).then_some(0);
            assert_eq!(outputs.next_due(then, dead), again, "after {attempt}");
        }
    }

    #[test]
    fn a_change_has_its_attempts_whatever_else_its_silent_device_owes() {
        let (mut outputs, now) = outputs(2);
        let dead = |_: usize| true;
        let mut then = now;
        for _ in 0..8 {
            outputs.written(1, Written::Silent, then);
            then += RETRY_MAX;
        }
        assert_eq!(outputs.next_due(then, dead), None);
        outputs.ask(&[true, false]);
        assert_eq!(outputs.next_fresh(), Some(0));
        outputs.written(0, Written::Silent, then);
        for _ in 1..URGENT {
            then += RETRY_MAX;
            let next = outputs.next_due(then, dead).expect("an attempt more");
            outputs.written(next, Written::Silent, then);
        }
        then += RETRY_MAX;
        assert_eq!(outputs.next_due(then, dead), None);
        outputs.station_is_back(0, then);
        assert_eq!(outputs.next_fresh(), Some(0), "what is on goes first");
    }

    /// A module may ignore one of its registers and answer all others.
    #[test]
    fn an_output_that_alone_is_ignored_neither_fills_the_line_nor_stops_the_others() {
        let (mut outputs, start) = asked();
        let mut now = start;
        let mut written = [0; 3];
        let end = start + Duration::from_secs(60);
        while now < end {
            let next = outputs.next_fresh().or_else(|| outputs.next_due(now, all));
            let took = match next {
                Some(0) => {
                    outputs.written(0, Written::Silent, now + Duration::from_millis(500));
                    Duration::from_millis(500)
                }
                Some(other) => {
                    outputs.written(other, Written::ReadBack(true), now);
                    Duration::from_millis(20)
                }
                None => Duration::from_millis(50),
            };
            if let Some(count) = next.and_then(|next| written.get_mut(next)) {
                *count += 1;
            }
            now += took;
        }
        assert!((20..=32).contains(&written[0]), "{written:?}");
        assert!(written[1..].iter().all(|count| *count >= 8), "{written:?}");
    }
}
