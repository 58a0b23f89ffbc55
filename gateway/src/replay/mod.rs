//! `davy-gateway replay`: the whole judgement of a site on events that were recorded or written by hand, with no device and no clock of its own.
//!
//! The judgement is that of `run`, [`crate::judge::Judge`], driven by the time that the lines tell. Lines in ([`line_in`]) and out ([`line_out`]) are JSON
//! objects, one a line. Memory is bounded: a line at a time, whatever the length of the file.

mod clock;
mod command;
mod error;
mod journal;
mod line_in;
mod line_out;
mod rehearsal;
mod source;

pub(crate) use command::Replay;
pub use error::{ReplayError, Unreadable};
pub use journal::{Both, Comparison, Tally, journal};
pub use rehearsal::{Act, Rehearsal, Target, Told};
pub use source::{Found, Span};

use clock::Clock;
use davy_alarm::WallMs;
use davy_config::site::Site;
use line_in::{Line, Lines, Names};
use line_out::Printer;
use std::io::{BufReader, Read, Write};
use std::sync::Arc;

/// What is worth a second look after a replay that was read to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Lines read.
    pub lines: u64,
    /// Lines whose time was earlier than one before them, handled at the latest (R3): how many, and the first.
    pub earlier: u64,
    pub first_earlier: Option<u64>,
    /// The first line whose reason is none of Davy's: it counts as bad all the same (R7).
    pub unknown_reason: Option<(u64, String)>,
}

/// Judges the events of `input` on a new site at time 0 and prints what happens.
///
/// # Errors
/// At the first line that cannot be read: what was judged before it is printed. If input or output fails.
pub fn events(
    site: &Arc<Site>,
    input: impl Read,
    output: impl Write,
) -> Result<Remarks, ReplayError> {
    let names = Names::of(site);
    let mut lines = Lines::new(BufReader::with_capacity(1 << 16, input));
    let mut printer = Printer::new(site, output);
    let mut rehearsal = Rehearsal::new(site.clone(), &[], &[], WallMs(0));
    let mut clock = Clock::default();
    let mut remarks = Remarks::default();
    let outcome = loop {
        match lines.next(&names) {
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
            Ok(Some((number, line))) => {
                remarks.lines += 1;
                take(&mut rehearsal, &mut clock, number, line, &mut remarks);
                printer.print(&mut rehearsal)?;
                // Whoever types or pipes events sees what they did before the next one comes.
                if lines.is_drained() {
                    printer.flush()?;
                }
            }
        }
    };
    if outcome.is_ok() {
        rehearsal.end();
    }
    printer.print(&mut rehearsal)?;
    printer.flush()?;
    outcome.map(|()| remarks)
}

fn take(
    rehearsal: &mut Rehearsal,
    clock: &mut Clock,
    number: u64,
    line: Line,
    remarks: &mut Remarks,
) {
    let (now, is_earlier) = clock.at(line.t());
    if is_earlier {
        remarks.earlier += 1;
        remarks.first_earlier.get_or_insert(number);
    }
    match line {
        Line::Pass { .. } => rehearsal.pass(now),
        Line::Reading {
            point,
            reading,
            unknown,
            ..
        } => {
            if let Some(reason) = unknown {
                remarks.unknown_reason.get_or_insert((number, reason));
            }
            rehearsal.reading(point, &reading, now);
        }
        Line::Act { act, .. } => rehearsal.act(*act, now),
        Line::Restart { down, .. } => clock.set(rehearsal.restart(now, down)),
    }
}
