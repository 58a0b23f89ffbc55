//! The same site judged under another file: what the change leaves as it is goes on as it was (docs/decisions/0009).

use super::{
    Calms, Effects, Followers, Gauges, Happening, Judge, NoValue, Rules, Timers, Votes, Watching,
    place,
};
use crate::succession::Succession;
use davy_alarm::{Alarm, Saved, WallMs};
use davy_config::site::{
    AlarmIndex, Input, OutputIndex, PointIndex, Reference, Site, Subject, VoteIndex, When,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most alarms remembered that are no longer in the site file, here and in the journal: one that comes back after an edit is as it was. When there are more
/// all are forgotten.
pub(crate) const MOST_GONE: usize = 1000;

impl Judge {
    /// The judge of the site that follows, at `now`; this one is left as it is, so that nothing has happened if the change is given up.
    ///
    /// An alarm of the same id keeps its state, and all of it (delays, exposures) where its definition and its point are the same. Under another definition
    /// it is judged by that from the next reading on; of a point that is measured otherwise, or if it was gone and comes back, it is as after a restart (R20),
    /// so that its occurrences are counted on. Outputs of the same register keep
    /// demand, latch and minimum run.
    pub fn under(&self, change: &Succession, wall: WallMs) -> Self {
        let (site, now) = (&change.after, self.now);
        let alarms: Vec<Alarm> = (0..site.alarms.len())
            .map(|at| self.refitted(change, AlarmIndex(at), wall))
            .collect();
        let mut annunciated = [0; 4];
        for alarm in alarms.iter().filter(|alarm| alarm.shown().is_annunciated()) {
            annunciated[place(alarm.definition().priority)] += 1;
        }
        let values = (0..site.points.len()).map(|at| match change.point(PointIndex(at)) {
            Some(known) => self.values[known.0],
            None => Err(NoValue::NotYetRead),
        });
        let values: Vec<_> = values.collect();
        let mut next = Self {
            watching: Watching::of(site),
            calms: Calms::new(site.points.len()),
            values,
            timers: Timers::new(alarms.len(), site.outputs.len()),
            followers: Followers::new(site),
            gauges: Gauges::new(site, now),
            votes: Votes::new(site),
            rules: Rules::new(site, &alarms),
            effects: Effects::new(site, &[], now, wall),
            annunciated,
            horn: self.horn,
            told: self.told,
            now,
            happenings: Vec::new(),
            gone: self.gone_under(site),
            alarms,
            site: site.clone(),
        };
        next.go_on(self, change);
        next
    }

    fn gone_under(&self, site: &Site) -> BTreeMap<Arc<str>, Saved> {
        let mut gone = self.gone.clone();
        for alarm in &site.alarms {
            gone.remove(alarm.id.as_str());
        }
        gone
    }

    /// Outputs that `next` would switch off or let go of while they are on: a change of the file never does that.
    pub fn loses(&self, next: &Self, change: &Succession) -> Vec<OutputIndex> {
        let demand = next.demand();
        let on = self.demand().into_iter().enumerate().filter(|(_, on)| *on);
        on.map(|(position, _)| OutputIndex(position))
            .filter(|output| match change.output_now(*output) {
                None => true,
                Some(now) => self.effects.is_owed(*output) && !demand[now.0],
            })
            .collect()
    }

    /// Ends the alarms that the next file no longer has; what they were becomes a record, and `next` knows them should a later file have them again.
    pub fn retire(&mut self, change: &Succession, next: &mut Self, wall: WallMs) {
        for alarm in change.removed_alarms() {
            if let Some(transition) = self.alarms[alarm.0].remove() {
                let change = self.change_of(alarm, self.now, transition, None);
                self.happenings.push(Happening::Changed(change));
            }
            let id = self.site.alarms[alarm.0].id.as_str().into();
            next.gone.insert(id, self.saved(alarm, wall));
        }
        if next.gone.len() > MOST_GONE {
            next.gone.clear();
        }
    }

    fn refitted(&self, change: &Succession, alarm: AlarmIndex, wall: WallMs) -> Alarm {
        let after = &change.after.alarms[alarm.0];
        let Some(known) = change.alarm(alarm) else {
            return match self.gone.get(after.id.as_str()) {
                Some(saved) => Alarm::restore(after.definition, saved, self.now, wall),
                None => Alarm::new(after.definition, self.now),
            };
        };
        let goes_on = match after.subject {
            Subject::Point(point) => change.point(point).is_some(),
            Subject::Device(_) | Subject::Vote(_) | Subject::Output(_) | Subject::Manual(_) => true,
        };
        if goes_on {
            let mut alarm = self.alarms[known.0].clone();
            if let Subject::Point(point) = self.site.alarms[known.0].subject
                && let Some(heard) = self.calms.heard(point)
            {
                alarm.heard(heard);
            }
            alarm.redefine(after.definition, self.now);
            alarm
        } else {
            let saved = self.saved(known, wall);
            Alarm::restore(after.definition, &saved, self.now, wall)
        }
    }

    fn go_on(&mut self, before: &Self, change: &Succession) {
        for position in 0..self.alarms.len() {
            let alarm = AlarmIndex(position);
            if let Some(known) = change.alarm(alarm)
                && measures_as_before(change, known, alarm)
            {
                self.gauges.go_on(alarm, &before.gauges, known);
            }
            self.schedule(alarm);
        }
        for position in 0..self.site.outputs.len() {
            let output = OutputIndex(position);
            if let Some(known) = change.output(output) {
                self.effects.go_on(output, &before.effects, known, self.now);
            }
        }
        for position in 0..self.site.votes.len() {
            if !change.counts_as_before(VoteIndex(position)) {
                self.votes.touch_group(VoteIndex(position));
            }
        }
        self.look_at_known_values();
        self.effects.touch_all();
        self.end_suppressions_without_a_rule();
    }

    /// What rules and feedbacks see of points whose values are known already.
    fn look_at_known_values(&mut self) {
        let site = self.site.clone();
        for (rule, suppression) in site.suppressions.iter().enumerate() {
            if let When::Point { point, is, .. } = suppression.when
                && let Ok(value) = self.values[point.0]
            {
                self.rules.see(rule, (value != 0.0) == is);
            }
        }
        for (position, output) in site.outputs.iter().enumerate() {
            if let Some(feedback) = output.feedback {
                let shown = self.values[feedback.point.0].ok();
                let shown = shown.map(|value| (value != 0.0) == feedback.when);
                self.effects.see(OutputIndex(position), shown);
            }
        }
    }
}

/// Whether an alarm's gauge goes on: the same input of the same point.
fn measures_as_before(change: &Succession, before: AlarmIndex, after: AlarmIndex) -> bool {
    let (was, is) = (
        &change.before.alarms[before.0],
        &change.after.alarms[after.0],
    );
    let same_point = match is.subject {
        Subject::Point(point) => change.point(point).is_some(),
        Subject::Device(_) | Subject::Vote(_) | Subject::Output(_) | Subject::Manual(_) => false,
    };
    same_point && input(&change.before, was.input) == input(&change.after, is.input)
}

/// An input without positions.
fn input(site: &Site, input: Input) -> (Option<String>, Option<Input>) {
    match input {
        Input::Deviation(Reference::Point(point)) => (Some(site.points[point.0].id.clone()), None),
        Input::Value
        | Input::Deviation(Reference::Fixed(_))
        | Input::Moved { .. }
        | Input::Stands { .. }
        | Input::Exposure { .. } => (None, Some(input)),
    }
}
