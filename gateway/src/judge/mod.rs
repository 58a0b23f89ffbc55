//! Judgement of a whole site: every alarm, the horn, and the demand of every output by the cause-and-effect table.
//!
//! Pure: no clock, no I/O. Time fires timers at their own due time before the input of a later one (R2), in the order of R4 within one instant.
//! `run` and `replay` drive the same code. The cost of a reading is that of its point's own alarms, whatever the size of the site, and as
//! long as they have nothing to say about it (`calms`) two comparisons.

mod asked;
mod calms;
mod effects;
mod followers;
mod gauges;
mod happening;
mod refit;
mod rules;
mod timers;
mod touched;
mod votes;
mod watching;

use calms::Calms;
use davy_alarm::{
    Action, Actor, Alarm, Cause, Condition, Due, Instant, NoValue, Phase, Priority, Reading, Saved,
    Signal, WallMs,
};
use davy_config::site::{
    AlarmIndex, Input, OutputIndex, PointIndex, Reference, Site, Subject, VoteIndex,
};
use effects::Effects;
pub use effects::Switched;
use followers::{Follower, Followers};
use gauges::{Gauges, Measured};
pub use happening::{Ask, Change, Deed, Happening, Horn, LOCAL, Person};
pub(crate) use refit::MOST_GONE;
use rules::Rules;
use std::collections::BTreeMap;
use std::sync::Arc;
use timers::{Timer, Timers};
use votes::Votes;
use watching::Watching;

/// The plant's own logic acts at the plant.
const LOGIC: Actor = Actor {
    remote: false,
    maintenance: false,
};

/// The site under judgement.
#[derive(Debug)]
pub struct Judge {
    site: Arc<Site>,
    alarms: Vec<Alarm>,
    /// Each point's own alarms.
    watching: Watching,
    calms: Calms,
    /// The latest value of each point.
    values: Vec<Result<f64, NoValue>>,
    timers: Timers,
    followers: Followers,
    gauges: Gauges,
    votes: Votes,
    rules: Rules,
    effects: Effects,
    /// Unsuppressed unacknowledged alarms by priority: what the horn sounds for.
    annunciated: [u32; 4],
    horn: Horn,
    /// The horn as last told.
    told: Horn,
    now: Instant,
    happenings: Vec<Happening>,
    /// Alarms that the site file no longer has, by id.
    gone: BTreeMap<Arc<str>, Saved>,
}

impl Judge {
    /// A site whose alarms are as `saved` says (by position in `Site::alarms`; `None` = new) and whose outputs are as `switched` does (by position, too;
    /// what is missing is off).
    pub fn new(
        site: Arc<Site>,
        saved: &[Option<Saved>],
        switched: &[Switched],
        now: Instant,
        wall: WallMs,
    ) -> Self {
        let alarms: Vec<Alarm> = site
            .alarms
            .iter()
            .enumerate()
            .map(
                |(position, alarm)| match saved.get(position).copied().flatten() {
                    Some(saved) => Alarm::restore(alarm.definition, &saved, now, wall),
                    None => Alarm::new(alarm.definition, now),
                },
            )
            .collect();
        let mut annunciated = [0; 4];
        for alarm in alarms.iter().filter(|alarm| alarm.shown().is_annunciated()) {
            annunciated[place(alarm.definition().priority)] += 1;
        }
        let mut judge = Self {
            watching: Watching::of(&site),
            calms: Calms::new(site.points.len()),
            values: vec![Err(NoValue::NotYetRead); site.points.len()],
            timers: Timers::new(alarms.len(), site.outputs.len()),
            followers: Followers::new(&site),
            gauges: Gauges::new(&site, now),
            votes: Votes::new(&site),
            rules: Rules::new(&site, &alarms),
            effects: Effects::new(&site, switched, now, wall),
            annunciated,
            horn: Horn::default(),
            told: Horn::default(),
            now,
            happenings: Vec::new(),
            gone: BTreeMap::new(),
            alarms,
            site,
        };
        for position in 0..judge.alarms.len() {
            judge.schedule(AlarmIndex(position));
        }
        judge.effects.touch_all();
        judge
    }

    /// Remembers alarms that the site file does not have, should a later one have them.
    pub fn remember(&mut self, gone: BTreeMap<Arc<str>, Saved>) {
        self.gone = gone;
    }

    /// Fires everything due by `now`, instant by instant.
    #[inline]
    pub fn advance(&mut self, now: Instant) {
        // Most readings of a scan come at the instant of the one before.
        if now > self.now || self.timers.next().is_some_and(|due| due <= self.now) {
            self.advance_to(now);
        }
    }

    fn advance_to(&mut self, now: Instant) {
        loop {
            while let Some((due, timer)) = self.timers.pop(self.now) {
                self.fire(due, timer);
            }
            if now <= self.now {
                return;
            }
            // The end of an instant may start timers, so it comes before the next instant is known.
            self.settle();
            let next = self.timers.next().filter(|next| *next < now);
            self.now = next.unwrap_or(now).max(self.now);
        }
    }

    /// Judges a reading at `now`; time advances to it first.
    pub fn reading(&mut self, point: PointIndex, reading: &Reading, now: Instant) {
        self.advance(now);
        if let Ok(value) = reading.value()
            && self.calms.take(point, value, self.now)
        {
            self.values[point.0] = Ok(value);
            return;
        }
        self.end_calm(point);
        let first = self.values[point.0] == Err(NoValue::NotYetRead);
        self.values[point.0] = reading.value();
        for place in self.watching.places(point) {
            let run = self.watching.runs[place];
            for alarm in run.alarms() {
                if first {
                    // A group counts from its members' first readings: what ran before a restart runs anew (R20).
                    self.votes.touch(alarm);
                }
                self.look(alarm, run.input, reading);
            }
        }
        self.follow(point);
        self.begin_calm(point);
    }

    /// Judges what one alarm looks at, of its point's reading.
    fn look(&mut self, alarm: AlarmIndex, input: Input, reading: &Reading) {
        match input {
            Input::Value => {
                let transition = self.alarms[alarm.0].observe(reading, self.now);
                self.took(alarm, self.now, transition, None);
            }
            Input::Deviation(reference) => {
                let from = match reference {
                    Reference::Fixed(value) => Ok(value),
                    Reference::Point(other) => self.present(other),
                };
                self.compare(alarm, reading.value(), from);
            }
            Input::Moved { .. } | Input::Stands { .. } | Input::Exposure { .. } => {
                self.measure(alarm, reading.value());
            }
        }
    }

    /// Takes over what an output's register holds at `now`, or that it cannot be read; an output with a feedback point looks at that alone.
    pub fn feedback(&mut self, output: OutputIndex, feedback: Option<bool>, now: Instant) {
        self.advance(now);
        if self.site.outputs[output.0].feedback.is_none() {
            self.effects.see(output, feedback);
        }
    }

    /// Judges whether a device answered; time advances to it first.
    pub fn contact(&mut self, alarm: AlarmIndex, answered: bool, now: Instant) {
        self.advance(now);
        // No point's: no calm can hold it.
        let transition = self.alarms[alarm.0].observe_contact(answered, self.now);
        self.took(alarm, self.now, transition, None);
    }

    /// Ends the present instant: outputs and horn count by their value now (R4).
    pub fn settle(&mut self) {
        loop {
            for vote in self.votes.take_touched() {
                self.count(VoteIndex(vote));
            }
            self.settle_rules();
            self.settle_horn();
            self.settle_outputs();
            // An output that does as demanded at last clears its alarm, which may end another's demand. Within an instant such alarms only
            // clear, each once, so this ends.
            if self.effects.is_quiet() && self.rules.is_quiet() {
                return;
            }
        }
    }

    /// Ends what a rule suppressed that the site file no longer has. For a site that is judged anew under another file, before the first reading.
    pub fn end_suppressions_without_a_rule(&mut self) {
        for position in 0..self.alarms.len() {
            let alarm = AlarmIndex(position);
            if self.rules.is_free(alarm) {
                // Refused where nothing suppresses it, which is well.
                let now = self.now;
                let ended = self.alarm_mut(alarm).act(Action::Unsuppress, LOGIC, now);
                self.took(alarm, self.now, ended.ok(), None);
            }
        }
    }

    fn settle_rules(&mut self) {
        let site = self.site.clone();
        for rule in self.rules.take_touched() {
            let Some((holds, alarms)) = self.rules.look(&site, &self.alarms, rule) else {
                continue;
            };
            let suppression = &site.suppressions[rule];
            let by = Person {
                actor: suppression.id.as_str().into(),
                reason: Some(suppression.reason.as_str().into()),
                second: None,
            };
            let action = if holds {
                Action::Suppress
            } else {
                Action::Unsuppress
            };
            for alarm in alarms {
                // Refused where it is so already, as after a restart.
                let now = self.now;
                let done = self.alarm_mut(alarm).act(action, LOGIC, now);
                self.took(alarm, self.now, done.ok(), Some(by.clone()));
            }
        }
    }

    fn settle_outputs(&mut self) {
        let sounding = self.horn.sounding;
        for output in self.effects.take_touched() {
            let demanded = self.effects.demanded(output, &self.alarms, sounding);
            let (changed, due) = self.effects.set(output, demanded, self.now);
            if let Some(at) = due {
                self.timers.schedule(
                    Timer::Output(output),
                    Due {
                        at,
                        phase: Phase::Output,
                    },
                );
            }
            if let Some(on) = changed {
                self.happenings.push(Happening::Output {
                    output,
                    at: self.now,
                    on,
                });
            }
        }
        for output in self.effects.take_unproven() {
            let failed = self.site.outputs[output.0].failed;
            let signal = self.effects.disagrees(output);
            let now = self.now;
            let transition = self.alarm_mut(failed).observe_signal(signal, now);
            self.took(failed, self.now, transition, None);
        }
    }

    /// Judges what an alarm's gauge makes of its point's value.
    fn measure(&mut self, alarm: AlarmIndex, value: Result<f64, NoValue>) {
        match self.gauges.measure(alarm, value, self.now) {
            Measured::Value(value) => self.judge_value(alarm, value),
            Measured::Stands { moved } => {
                if moved {
                    self.judge_signal(alarm, Signal::Clear);
                }
                self.judge_signal(alarm, Signal::Set);
            }
        }
    }

    /// Judges how far a point is from where it should be; from what is bad or silent it is no distance.
    fn compare(
        &mut self,
        alarm: AlarmIndex,
        value: Result<f64, NoValue>,
        from: Result<f64, NoValue>,
    ) {
        // That the other is over its range says nothing of this one.
        let from = from.map_err(|_| NoValue::NotYetRead);
        let distance = value.and_then(|value| from.map(|from| (value - from).abs()));
        self.judge_value(alarm, distance);
    }

    fn judge_value(&mut self, alarm: AlarmIndex, value: Result<f64, NoValue>) {
        let reading = match value {
            Ok(value) => Reading::measured(value, WallMs(0)),
            Err(cause) => Reading::absent(cause, WallMs(0)),
        };
        let transition = self.alarms[alarm.0].observe(&reading, self.now);
        self.took(alarm, self.now, transition, None);
    }

    fn judge_signal(&mut self, alarm: AlarmIndex, signal: Signal) {
        let transition = self.alarms[alarm.0].observe_signal(signal, self.now);
        self.took(alarm, self.now, transition, None);
    }

    /// A point's value, unless it has gone stale since.
    fn present(&self, point: PointIndex) -> Result<f64, NoValue> {
        let mut alarms = self.site.points[point.0].alarms.iter();
        let stale = alarms.any(|alarm| {
            let alarm = &self.alarms[alarm.0];
            matches!(alarm.definition().condition, Condition::Stale { .. }) && alarm.is_active()
        });
        if stale {
            return Err(NoValue::NotYetRead);
        }
        self.values[point.0]
    }

    /// What looks at a point's value beside the point's own alarms.
    fn follow(&mut self, point: PointIndex) {
        let value = self.values[point.0];
        let deviations: Vec<(AlarmIndex, PointIndex)> = (self.followers.of(point).iter())
            .filter_map(|follower| match *follower {
                Follower::Deviation { alarm, of } => Some((alarm, of)),
                Follower::Feedback { .. } | Follower::Rule { .. } => None,
            })
            .collect();
        for (alarm, of) in deviations {
            let of = self.present(of);
            self.compare(alarm, of, value);
        }
        for follower in self.followers.of(point) {
            match *follower {
                Follower::Feedback { output, when } => {
                    let shown = value.ok().map(|value| (value != 0.0) == when);
                    self.effects.see(output, shown);
                }
                Follower::Deviation { .. } => {}
                Follower::Rule { rule, is } => {
                    if let Ok(value) = value {
                        self.rules.see(rule, (value != 0.0) == is);
                    }
                }
            }
        }
    }

    /// What has happened since this was last asked, in order.
    pub fn take_happenings(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.happenings)
    }

    /// When time next fires something.
    pub fn next_due(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// One alarm as it stands; when its point was last heard it may not know.
    pub fn alarm(&self, alarm: AlarmIndex) -> &Alarm {
        &self.alarms[alarm.0]
    }

    /// Whether each output is on.
    pub fn demand(&self) -> Vec<bool> {
        self.effects.demand()
    }

    /// The horn as of the last [`Judge::settle`].
    pub const fn horn(&self) -> Horn {
        self.horn
    }

    /// What must survive a restart of one alarm; `wall` is the wall clock now.
    pub fn saved(&self, alarm: AlarmIndex, wall: WallMs) -> Saved {
        self.alarms[alarm.0].saved(self.now, wall)
    }

    fn fire(&mut self, due: Due, timer: Timer) {
        match timer {
            Timer::Output(output) => self.effects.touch(output),
            Timer::Alarm(alarm) => {
                if due.phase > Phase::Delay {
                    // Votes come before what is due of them later in the instant (R4).
                    self.count_of(self.site.alarms[alarm.0].subject);
                }
                // The timer may have moved since it was queued.
                let current = self.alarm_mut(alarm).due();
                if current != Some(due) {
                    return self.schedule(alarm);
                }
                if due.phase == Phase::Stale {
                    self.hold_limits(alarm);
                }
                let fired = self.alarm_mut(alarm).fire(due.at);
                let transition = fired.and_then(|(_, transition)| transition);
                self.took(alarm, due.at, transition, None);
            }
        }
    }

    /// Counts the group that an alarm belongs to, if it must.
    fn count_of(&mut self, subject: Subject) {
        if let Subject::Vote(vote) = subject
            && self.votes.take(vote)
        {
            self.count(vote);
        }
    }

    fn count(&mut self, vote: VoteIndex) {
        let site = self.site.clone();
        for (alarm, signal) in votes::signals(&site.votes[vote.0], &self.alarms) {
            let now = self.now;
            let transition = self.alarm_mut(alarm).observe_signal(signal, now);
            self.took(alarm, self.now, transition, None);
        }
    }

    /// A stale point's limits hold (R9).
    fn hold_limits(&mut self, stale: AlarmIndex) {
        let site = self.site.clone();
        if let Subject::Point(point) = site.alarms[stale.0].subject {
            for &alarm in &site.points[point.0].alarms {
                self.alarm_mut(alarm).hold();
                self.gauges.lose(alarm, self.now);
            }
        }
    }

    fn took(
        &mut self,
        alarm: AlarmIndex,
        at: Instant,
        transition: Option<davy_alarm::Transition>,
        person: Option<Person>,
    ) {
        self.schedule(alarm);
        let Some(transition) = transition else { return };
        let definition = self.alarms[alarm.0].definition();
        self.note(
            definition.priority,
            transition.from.is_annunciated(),
            transition.to.is_annunciated(),
        );
        let annunciates = matches!(
            transition.cause,
            Cause::Active | Cause::ReAlarm | Cause::StepUp
        ) || !transition.from.is_annunciated() && transition.to.is_annunciated();
        if annunciates
            && transition.to.is_annunciated()
            && self.alarms[alarm.0].definition().priority <= Priority::P2
        {
            self.horn.silenced = false;
        }
        self.votes.touch(alarm);
        self.rules.touch(alarm);
        self.effects.touch_causes(alarm);
        let change = self.change_of(alarm, at, transition, person);
        self.happenings.push(Happening::Changed(change));
    }

    /// A transition with what a record needs to tell of it.
    fn change_of(
        &self,
        alarm: AlarmIndex,
        at: Instant,
        transition: davy_alarm::Transition,
        person: Option<Person>,
    ) -> Change {
        let value = match self.site.alarms[alarm.0].subject {
            // The calendar raised it, whatever the point reads.
            _ if self.alarms[alarm.0].definition().condition == Condition::Unproved => None,
            Subject::Point(point) => Some(self.values[point.0]),
            Subject::Device(_) | Subject::Vote(_) | Subject::Output(_) | Subject::Manual(_) => None,
        };
        let davy_alarm::Transition {
            from,
            to,
            cause,
            occurrence,
        } = transition;
        Change {
            alarm,
            at,
            from,
            to,
            cause,
            occurrence,
            value,
            person,
        }
    }

    fn note(&mut self, priority: Priority, before: bool, after: bool) {
        let count = &mut self.annunciated[place(priority)];
        *count = *count + u32::from(after) - u32::from(before);
    }

    fn settle_horn(&mut self) {
        let loudest = [Priority::P1, Priority::P2, Priority::P3, Priority::P4]
            .into_iter()
            .find(|priority| self.annunciated[place(*priority)] > 0);
        let silenced = self.horn.silenced && loudest.is_some();
        let horn = Horn {
            sounding: loudest.is_some() && !silenced,
            priority: loudest,
            silenced,
        };
        if horn != self.told {
            if horn.sounding != self.told.sounding {
                self.effects.touch_horns();
            }
            self.told = horn;
            self.happenings.push(Happening::Horn { at: self.now, horn });
        }
        self.horn = horn;
    }

    fn schedule(&mut self, alarm: AlarmIndex) {
        if let Some(due) = self.alarms[alarm.0].due() {
            self.timers.schedule(Timer::Alarm(alarm), due);
        }
    }
}

const fn place(priority: Priority) -> usize {
    priority.number() as usize - 1
}
