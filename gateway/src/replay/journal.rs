//! `replay --journal`: what a site file makes of hours that a gateway recorded, and how that differs from what was recorded.

use super::error::ReplayError;
use super::line_out::Printer;
use super::rehearsal::{Rehearsal, Told};
use super::source::{Found, JournalSource, Recorded, Span};
use crate::journal::{Archive, Transition};
use davy_alarm::{Cause, Instant, WallMs};
use davy_config::site::{OutputKind, Site};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

/// How often something happened, and when first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub times: u64,
    pub first: Option<WallMs>,
}

impl Tally {
    fn count(&mut self, time: WallMs) {
        self.times += 1;
        self.first.get_or_insert(time);
    }
}

/// What was recorded of one alarm or output, and what was judged here: alarms raised, outputs switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Both {
    pub recorded: Tally,
    pub here: Tally,
}

/// A journal's replay, held against the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    pub found: Found,
    /// By the alarm's id.
    pub alarms: BTreeMap<String, Both>,
    /// By the output's id; horns are left out, for older journals do not tell who silenced them.
    pub outputs: BTreeMap<String, Both>,
    /// Recorded transitions, and those judged here.
    pub transitions: (u64, u64),
    /// Recorded acts that the rules refused here.
    pub refused: u64,
    /// The site file is the one that the journal was written under last.
    pub is_own_site: bool,
}

/// Judges what a journal recorded and prints what happens.
///
/// # Errors
/// If the journal cannot be read or the lines cannot be written.
pub fn journal(
    site: &Arc<Site>,
    archive: &Archive,
    span: Span,
    output: impl Write,
) -> Result<Comparison, ReplayError> {
    let mut compared = Compared {
        site: site.clone(),
        printer: Printer::with_time(site, output),
        comparison: Comparison::default(),
    };
    let outcome = JournalSource::new(site, archive, span).run(&mut compared);
    compared.printer.flush()?;
    compared.comparison.found = outcome?;
    compared.comparison.is_own_site = archive.digest() == site.digest;
    Ok(compared.comparison)
}

struct Compared<W: Write> {
    site: Arc<Site>,
    printer: Printer<W>,
    comparison: Comparison,
}

impl<W: Write> Recorded for Compared<W> {
    fn stepped(&mut self, rehearsal: &mut Rehearsal) -> Result<(), ReplayError> {
        let started = rehearsal.wall(Instant(0));
        for told in rehearsal.take_told() {
            self.note(&told, started);
            self.printer.line(&told, started)?;
        }
        Ok(())
    }

    fn transition(&mut self, alarm: &str, transition: &Transition) {
        self.comparison.transitions.0 += 1;
        if transition.cause == Cause::Active {
            let both = self.comparison.alarms.entry(alarm.to_owned());
            both.or_default().recorded.count(transition.time);
        }
    }

    fn output(&mut self, output: &str, on: bool, time: WallMs) {
        let known = self.site.outputs.iter().find(|known| known.id == output);
        if on && known.is_none_or(|known| known.kind != OutputKind::Horn) {
            let both = self.comparison.outputs.entry(output.to_owned());
            both.or_default().recorded.count(time);
        }
    }
}

impl<W: Write> Compared<W> {
    fn note(&mut self, told: &Told, started: WallMs) {
        let wall = |at: Instant| WallMs(started.0.saturating_add_unsigned(at.0));
        let Comparison {
            alarms,
            outputs,
            transitions,
            refused,
            ..
        } = &mut self.comparison;
        match told {
            Told::Changed(change) => {
                transitions.1 += 1;
                if change.cause == Cause::Active {
                    let id = &self.site.alarms[change.alarm.0].id;
                    let both = alarms.entry(id.clone()).or_default();
                    both.here.count(wall(change.at));
                }
            }
            Told::Output { at, output, on } => {
                let output = &self.site.outputs[output.0];
                if *on && output.kind != OutputKind::Horn {
                    let both = outputs.entry(output.id.clone()).or_default();
                    both.here.count(wall(*at));
                }
            }
            Told::Refused { .. } => *refused += 1,
        }
    }
}
