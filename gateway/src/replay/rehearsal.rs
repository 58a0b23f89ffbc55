//! A site under judgement without a device: what `run` would do with the same readings, acts and restarts at the same times.

use crate::judge::{Ask, Change, Happening, Judge, Switched};
use davy_alarm::{Instant, Reading, Refusal, Saved, WallMs};
use davy_config::site::{AlarmIndex, OutputIndex, PointIndex, Site};
use std::sync::Arc;

/// One line out.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Changed(Change),
    Refused {
        at: Instant,
        target: Target,
        /// As the line named it.
        action: String,
        why: Refusal,
    },
    Output {
        at: Instant,
        output: OutputIndex,
        on: bool,
    },
}

/// What an act is upon, as the line named it: it need not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Site,
    Alarm(String),
    Output(String),
}

/// Somebody's act, or why it cannot even be asked of judgement.
#[derive(Clone, Debug)]
pub struct Act {
    pub target: Target,
    pub action: String,
    pub ask: Result<Ask, Refusal>,
}

/// The site and what is told of it.
#[derive(Debug)]
pub struct Rehearsal {
    site: Arc<Site>,
    judge: Judge,
    /// The wall clock at time 0.
    started: WallMs,
    now: Instant,
    /// Outputs as they were last told.
    on: Vec<bool>,
    /// Outputs as they would be journalled.
    switched: Vec<Switched>,
    /// The gateway came back within the present instant: its outputs are held against what was told at the instant's end.
    is_back: bool,
    told: Vec<Told>,
}

impl Rehearsal {
    /// A site at time 0 whose alarms and outputs are as `saved` and `switched` say, as [`Judge::new`] takes them.
    pub fn new(
        site: Arc<Site>,
        saved: &[Option<Saved>],
        switched: &[Switched],
        started: WallMs,
    ) -> Self {
        let judge = Judge::new(site.clone(), saved, switched, Instant(0), started);
        let mut known = switched.to_vec();
        known.resize(site.outputs.len(), Switched::default());
        Self {
            site,
            judge,
            started,
            now: Instant(0),
            on: known.iter().map(|output| output.on).collect(),
            switched: known,
            is_back: true,
            told: Vec::new(),
        }
    }

    /// Time passes: everything due by `now` fires at its own time.
    pub fn pass(&mut self, now: Instant) {
        self.go_on(now);
        self.judge.advance(now);
        self.hear();
    }

    /// A reading comes.
    pub fn reading(&mut self, point: PointIndex, reading: &Reading, now: Instant) {
        self.go_on(now);
        self.judge.reading(point, reading, now);
        self.hear();
    }

    /// A device answers, or does not.
    pub fn contact(&mut self, alarm: AlarmIndex, answered: bool, now: Instant) {
        self.go_on(now);
        self.judge.contact(alarm, answered, now);
        self.hear();
    }

    /// An output's register is seen to hold this, or cannot be read.
    pub fn feedback(&mut self, output: OutputIndex, held: Option<bool>, now: Instant) {
        self.go_on(now);
        self.judge.feedback(output, held, now);
        self.hear();
    }

    /// Ends what a rule suppressed that the site file does not have, as at every start.
    pub fn end_suppressions_without_a_rule(&mut self) {
        self.judge.end_suppressions_without_a_rule();
        self.hear();
    }

    /// Somebody acts; a refusal is told.
    pub fn act(&mut self, act: Act, now: Instant) {
        self.go_on(now);
        self.judge.advance(now);
        let outcome = act.ask.and_then(|ask| self.judge.act(&ask, now));
        self.hear();
        if let Err(why) = outcome {
            self.told.push(Told::Refused {
                at: now,
                target: act.target,
                action: act.action,
                why,
            });
        }
    }

    /// The gateway stops at `now`, writes its state, and comes back `down` milliseconds later with nothing but that (R20). Returns when.
    pub fn restart(&mut self, now: Instant, down: u64) -> Instant {
        self.pass(now);
        if down > 0 {
            self.end_instant();
        } else {
            // An output counts by its value at the end of the instant, which a restart of no length does not end (R4).
            self.judge.settle();
            self.hear_some(|told| !matches!(told, Happening::Output { .. }));
        }
        let saved = self.state(now);
        self.now = now.after(down);
        let wall = self.wall(self.now);
        self.judge = Judge::new(self.site.clone(), &saved, &self.switched, self.now, wall);
        self.is_back = true;
        self.judge.advance(self.now);
        self.hear();
        self.now
    }

    /// The last line is read: its instant ends.
    pub fn end(&mut self) {
        self.end_instant();
    }

    /// What was told since this was last asked, in order.
    pub fn take_told(&mut self) -> std::vec::Drain<'_, Told> {
        self.told.drain(..)
    }

    /// Present time.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The wall clock at a time.
    pub fn wall(&self, at: Instant) -> WallMs {
        WallMs(self.started.0.saturating_add_unsigned(at.0))
    }

    /// The judgement as it stands.
    pub const fn judge(&self) -> &Judge {
        &self.judge
    }

    /// What of the alarms survives a restart, through the bytes that the journal keeps.
    fn state(&self, now: Instant) -> Vec<Option<Saved>> {
        let wall = self.wall(now);
        (0..self.site.alarms.len())
            .map(|position| self.judge.saved(AlarmIndex(position), wall).to_bytes())
            .map(|bytes| Saved::from_bytes(&bytes))
            .collect()
    }

    /// Goes from due time to due time. Each instant ends by itself, for its end may start a timer that is due before whatever was next.
    fn go_on(&mut self, now: Instant) {
        while self.now < now {
            self.end_instant();
            let next = self.judge.next_due().filter(|due| *due < now);
            self.now = next.unwrap_or(now).max(self.now.after(1));
            self.judge.advance(self.now);
            self.hear();
        }
    }

    fn end_instant(&mut self) {
        self.judge.settle();
        if !std::mem::take(&mut self.is_back) {
            return self.hear();
        }
        self.hear_some(|told| !matches!(told, Happening::Output { .. }));
        for (position, on) in self.judge.demand().into_iter().enumerate() {
            self.switch(OutputIndex(position), on, self.now);
        }
    }

    fn hear(&mut self) {
        self.hear_some(|_| true);
    }

    fn hear_some(&mut self, counts: impl Fn(&Happening) -> bool) {
        for happening in self.judge.take_happenings() {
            if let Happening::Output { output, at, on } = happening {
                self.switched[output.0] = Switched {
                    on,
                    since: Some(self.wall(at)),
                };
            }
            if !counts(&happening) {
                continue;
            }
            match happening {
                Happening::Changed(change) => self.told.push(Told::Changed(change)),
                Happening::Output { output, at, on } => self.switch(output, on, at),
                // The horn as people hear it is an output of its own.
                Happening::Horn { .. } | Happening::Acted { .. } => {}
            }
        }
    }

    fn switch(&mut self, output: OutputIndex, on: bool, at: Instant) {
        if self.on[output.0] != on {
            self.on[output.0] = on;
            self.told.push(Told::Output { at, output, on });
        }
    }
}
