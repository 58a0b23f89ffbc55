//! Outputs by the cause-and-effect table: demand, latch and minimum run time (R22).

use davy_alarm::{Actor, Alarm, Instant, Refusal};
use davy_config::site::{AlarmIndex, OutputIndex, OutputKind, Site};

#[derive(Debug)]
struct Output {
    causes: Vec<AlarmIndex>,
    is_horn: bool,
    latching: bool,
    min_run_ms: u64,
    on: bool,
    latched: bool,
    demanded: bool,
    /// When its minimum run ends; counts from on.
    run_until: Option<Instant>,
    touched: bool,
}

#[derive(Debug)]
pub(super) struct Effects {
    outputs: Vec<Output>,
    /// Outputs that each alarm is a cause of.
    of_alarm: Vec<Vec<OutputIndex>>,
    touched: Vec<OutputIndex>,
}

impl Effects {
    pub(super) fn new(site: &Site, latched: &[OutputIndex]) -> Self {
        let mut outputs: Vec<Output> = site
            .outputs
            .iter()
            .enumerate()
            .map(|(position, output)| {
                let latched = output.latching && latched.contains(&OutputIndex(position));
                Output {
                    causes: Vec::new(),
                    is_horn: output.kind == OutputKind::Horn,
                    latching: output.latching,
                    min_run_ms: u64::from(output.min_run_ms),
                    on: latched,
                    latched,
                    demanded: false,
                    run_until: None,
                    touched: false,
                }
            })
            .collect();
        let mut of_alarm = vec![Vec::new(); site.alarms.len()];
        for effect in &site.effects {
            for (cause, output) in effect
                .causes
                .iter()
                .flat_map(|cause| effect.outputs.iter().map(move |output| (cause, output)))
            {
                if !outputs[output.0].causes.contains(cause) {
                    outputs[output.0].causes.push(*cause);
                    of_alarm[cause.0].push(*output);
                }
            }
        }
        Self {
            outputs,
            of_alarm,
            touched: Vec::new(),
        }
    }

    pub(super) fn touch(&mut self, output: OutputIndex) {
        let state = &mut self.outputs[output.0];
        if !state.touched {
            state.touched = true;
            self.touched.push(output);
        }
    }

    pub(super) fn touch_all(&mut self) {
        (0..self.outputs.len()).for_each(|position| self.touch(OutputIndex(position)));
    }

    pub(super) fn touch_causes(&mut self, alarm: AlarmIndex) {
        for output in self.of_alarm[alarm.0].clone() {
            self.touch(output);
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
        let touched = std::mem::take(&mut self.touched);
        touched
            .iter()
            .for_each(|output| self.outputs[output.0].touched = false);
        touched
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
        let output = &mut self.outputs[output.0];
        output.demanded = demanded;
        output.latched |= demanded && output.latching;
        if demanded && !output.on {
            output.run_until = Some(now.after(output.min_run_ms));
        }
        let runs = output.run_until.is_some_and(|end| now < end);
        let on = demanded || output.latched || runs;
        let changed = on != output.on;
        output.on = on;
        (
            changed.then_some(on),
            output
                .run_until
                .filter(|_| runs && !demanded && !output.latched),
        )
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

    pub(super) fn demand(&self) -> Vec<bool> {
        self.outputs.iter().map(|output| output.on).collect()
    }
}
