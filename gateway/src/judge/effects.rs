//! Outputs by the cause-and-effect table: demand, latch and minimum run time (R22).

use super::touched::Touched;
use davy_alarm::{Actor, Alarm, Instant, Refusal, Signal, WallMs};
use davy_config::site::{AlarmIndex, OutputIndex, OutputKind, Site};

/// What survives a restart of one output: whether it is on, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switched {
    pub on: bool,
    /// When it last changed, by the wall clock; `None` = it never did, or an older journal did not say.
    pub since: Option<WallMs>,
}

impl Switched {
    /// How much of a minimum run is left at `wall`, milliseconds. Unknown or later times leave it whole: an output that runs too long does less harm.
    fn left(self, min_run_ms: u64, wall: WallMs) -> u64 {
        let ran = self.since.map_or(0, |since| wall.0.saturating_sub(since.0));
        min_run_ms.saturating_sub(u64::try_from(ran).unwrap_or(0))
    }
}

#[derive(Debug)]
struct Output {
    causes: Vec<AlarmIndex>,
    is_horn: bool,
    latching: bool,
    min_run_ms: u64,
    on: bool,
    /// What it is seen to do; `None` while that cannot be read.
    feedback: Option<bool>,
    latched: bool,
    demanded: bool,
    /// When its minimum run ends; counts from on.
    run_until: Option<Instant>,
    /// When a test of it ends.
    test_until: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Effects {
    outputs: Vec<Output>,
    /// Outputs that each alarm is a cause of.
    of_alarm: Vec<Vec<OutputIndex>>,
    touched: Touched,
    /// Outputs whose demand or feedback changed.
    unproven: Touched,
}

impl Effects {
    /// Outputs are as `switched` says until their instant ends: then what nothing demands, latches or runs goes off, and is told.
    pub(super) fn new(site: &Site, switched: &[Switched], now: Instant, wall: WallMs) -> Self {
        let mut outputs: Vec<Output> = site
            .outputs
            .iter()
            .enumerate()
            .map(|(position, output)| {
                let was = switched.get(position).copied().unwrap_or_default();
                let min_run_ms = u64::from(output.min_run_ms);
                let left = was.left(min_run_ms, wall);
                Output {
                    causes: Vec::new(),
                    is_horn: output.kind == OutputKind::Horn && output.armed,
                    latching: output.latching,
                    min_run_ms,
                    on: was.on,
                    feedback: None,
                    latched: output.latching && was.on,
                    demanded: false,
                    run_until: (was.on && left > 0).then(|| now.after(left)),
                    test_until: None,
                }
            })
            .collect();
        let mut of_alarm = vec![Vec::new(); site.alarms.len()];
        // What is not armed demands nothing, and is not demanded.
        let is_armed = |cause: AlarmIndex, output: OutputIndex| {
            site.is_armed(cause) && site.outputs[output.0].armed
        };
        for effect in &site.effects {
            let pairs = (effect.causes.iter())
                .flat_map(|cause| effect.outputs.iter().map(move |output| (cause, output)));
            for (cause, output) in pairs.filter(|(cause, output)| is_armed(**cause, **output)) {
                if !outputs[output.0].causes.contains(cause) {
                    outputs[output.0].causes.push(*cause);
                    of_alarm[cause.0].push(*output);
                }
            }
        }
        Self {
            touched: Touched::new(outputs.len()),
            unproven: Touched::new(outputs.len()),
            outputs,
            of_alarm,
        }
    }

    /// An output goes on as it was under another file. A latch that the file no longer asks for ends, and a minimum run ends no later
    /// than the file's own would if it began now.
    pub(super) fn go_on(
        &mut self,
        output: OutputIndex,
        before: &Self,
        known: OutputIndex,
        now: Instant,
    ) {
        let (was, is) = (&before.outputs[known.0], &mut self.outputs[output.0]);
        (is.on, is.feedback, is.demanded) = (was.on, was.feedback, was.demanded);
        is.latched = was.latched && is.latching;
        let longest = now.after(is.min_run_ms);
        is.run_until = was.run_until.map(|end| end.min(longest));
    }

    /// Whether something asks for the output, or its latch holds it; not its minimum run alone.
    pub(super) fn is_owed(&self, output: OutputIndex) -> bool {
        let output = &self.outputs[output.0];
        output.on && (output.demanded || output.latched)
    }

    pub(super) fn touch(&mut self, output: OutputIndex) {
        self.touched.add(output.0);
    }

    pub(super) fn touch_all(&mut self) {
        (0..self.outputs.len()).for_each(|position| self.touch(OutputIndex(position)));
    }

    pub(super) fn touch_causes(&mut self, alarm: AlarmIndex) {
        for output in &self.of_alarm[alarm.0] {
            self.touched.add(output.0);
        }
    }

    pub(super) fn touch_horns(&mut self) {
        for position in 0..self.outputs.len() {
            if self.outputs[position].is_horn {
                self.touch(OutputIndex(position));
            }
        }
    }

    pub(super) fn take_touched(&mut self) -> Vec<OutputIndex> {
        self.touched.take().into_iter().map(OutputIndex).collect()
    }

    /// Whether anything demands the output now.
    pub(super) fn demanded(&self, output: OutputIndex, alarms: &[Alarm], horn: bool) -> bool {
        let output = &self.outputs[output.0];
        output.is_horn && horn || output.causes.iter().any(|cause| alarms[cause.0].demands())
    }

    /// Takes a demand over. Returns the output's new value if it changed, and when its minimum run ends if that holds it on.
    pub(super) fn set(
        &mut self,
        output: OutputIndex,
        demanded: bool,
        now: Instant,
    ) -> (Option<bool>, Option<Instant>) {
        let position = output.0;
        let output = &mut self.outputs[position];
        output.demanded = demanded;
        output.latched |= demanded && output.latching;
        let tested = output.test_until.is_some_and(|end| now < end);
        if (demanded || tested) && !output.on {
            output.run_until = Some(now.after(output.min_run_ms));
        }
        let runs = output.run_until.is_some_and(|end| now < end);
        let on = demanded || output.latched || runs || tested;
        let changed = on != output.on;
        output.on = on;
        // Whichever of the two holds it on ends first: then it is looked at anew.
        let run = output.run_until.filter(|_| runs);
        let test = output.test_until.filter(|_| tested);
        let ends = run.into_iter().chain(test).min();
        if changed {
            self.unproven.add(position);
        }
        (
            changed.then_some(on),
            ends.filter(|_| !demanded && !output.latched),
        )
    }

    /// Has an output on until then, to prove it; refused to anybody but maintenance at the plant, and while it is on already.
    pub(super) fn test(
        &mut self,
        output: OutputIndex,
        until: Instant,
        actor: Actor,
    ) -> Result<(), Refusal> {
        let state = (self.outputs.get_mut(output.0)).ok_or(Refusal::UnknownOutput)?;
        if actor.remote {
            return Err(Refusal::Remote);
        }
        if !actor.maintenance {
            return Err(Refusal::Role);
        }
        if state.on {
            return Err(Refusal::Already);
        }
        state.test_until = Some(until);
        self.touch(output);
        Ok(())
    }

    /// Ends an output's latch; refused while it is demanded (R22) and from afar.
    pub(super) fn reset(&mut self, output: OutputIndex, actor: Actor) -> Result<(), Refusal> {
        let state = self
            .outputs
            .get_mut(output.0)
            .ok_or(Refusal::UnknownOutput)?;
        if !state.latched {
            return Err(Refusal::NotLatched);
        }
        if state.demanded {
            return Err(Refusal::Active);
        }
        if actor.remote {
            return Err(Refusal::Remote);
        }
        state.latched = false;
        self.touch(output);
        Ok(())
    }

    /// Takes over what an output is seen to do.
    pub(super) fn see(&mut self, output: OutputIndex, feedback: Option<bool>) {
        let state = &mut self.outputs[output.0];
        if state.feedback != feedback {
            state.feedback = feedback;
            self.unproven.add(output.0);
        }
    }

    pub(super) fn take_unproven(&mut self) -> Vec<OutputIndex> {
        self.unproven.take().into_iter().map(OutputIndex).collect()
    }

    /// Whether the output does something else than is demanded.
    pub(super) fn disagrees(&self, output: OutputIndex) -> Signal {
        let output = &self.outputs[output.0];
        output.feedback.map_or(Signal::Unknown, |feedback| {
            Signal::from(feedback != output.on)
        })
    }

    /// Whether nothing is left to do in this instant.
    pub(super) fn is_quiet(&self) -> bool {
        self.touched.is_empty() && self.unproven.is_empty()
    }

    pub(super) fn demand(&self) -> Vec<bool> {
        self.outputs.iter().map(|output| output.on).collect()
    }
}
