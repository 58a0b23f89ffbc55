//! The earliest timer of every alarm and output.
//!
//! A timer that moves later (a stale time on each reading) leaves its old entry in place; the entry is found early when it comes up and queued
//! anew. So a reading costs no heap operation, and the heap holds about one entry an alarm.

use davy_alarm::{Due, Instant};
use davy_config::site::{AlarmIndex, OutputIndex};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Whose timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Alarm(AlarmIndex),
    Output(OutputIndex),
}

#[derive(Debug)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Due, Timer)>>,
    /// The earliest entry of each alarm in the heap.
    alarms: Vec<Option<Due>>,
    outputs: Vec<Option<Due>>,
}

impl Timers {
    pub(super) fn new(alarms: usize, outputs: usize) -> Self {
        Self {
            heap: BinaryHeap::new(),
            alarms: vec![None; alarms],
            outputs: vec![None; outputs],
        }
    }

    /// Sees to it that `timer` comes up at `due` at the latest.
    pub(super) fn schedule(&mut self, timer: Timer, due: Due) {
        let queued = self.queued(timer);
        if queued.is_none_or(|queued| due < queued) {
            *queued = Some(due);
            self.heap.push(Reverse((due, timer)));
        }
    }

    /// Takes the earliest entry that is due by `now`. It may be early: its owner knows its true due time.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Due, Timer)> {
        let Reverse((due, _)) = *self.heap.peek()?;
        if due.at > now {
            return None;
        }
        let Reverse((due, timer)) = self.heap.pop()?;
        let queued = self.queued(timer);
        if *queued == Some(due) {
            *queued = None;
        }
        Some((due, timer))
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((due, _))| due.at)
    }

    fn queued(&mut self, timer: Timer) -> &mut Option<Due> {
        match timer {
            Timer::Alarm(alarm) => &mut self.alarms[alarm.0],
            Timer::Output(output) => &mut self.outputs[output.0],
        }
    }
}
