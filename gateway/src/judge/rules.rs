//! Suppression by design: which rules hold, and how many hold of each alarm (R16).
//!
//! A rule holds while its state is seen. When that can no longer be seen (its point is BAD or STALE), it ends: what is not known to be meaningless
//! is annunciated.

use super::touched::Touched;
use davy_alarm::Alarm;
use davy_config::site::{AlarmIndex, Site, When};
use std::collections::HashMap;

#[derive(Debug)]
pub(super) struct Rules {
    holds: Vec<bool>,
    /// For rules on a point: whether its last good value was in the rule's state.
    seen: Vec<Option<bool>>,
    /// Rules that look at an alarm.
    of_alarm: HashMap<AlarmIndex, Vec<usize>>,
    /// Rules that hold of an alarm.
    depth: HashMap<AlarmIndex, u32>,
    touched: Touched,
}

impl Rules {
    /// Rules hold as the alarms say that they did before a restart (R20).
    pub(super) fn new(site: &Site, alarms: &[Alarm]) -> Self {
        let mut rules = Self {
            holds: vec![false; site.suppressions.len()],
            seen: vec![None; site.suppressions.len()],
            of_alarm: HashMap::new(),
            depth: HashMap::new(),
            touched: Touched::new(site.suppressions.len()),
        };
        for (position, rule) in site.suppressions.iter().enumerate() {
            let suppressed = |alarm: &AlarmIndex| alarms[alarm.0].is_suppressed_by_design();
            rules.holds[position] = !rule.alarms.is_empty() && rule.alarms.iter().all(suppressed);
            // What is not armed stays held back over a restart also where the file holds back more than before: nothing may sound in between. That the rule
            // counts such an alarm twice does no harm, since it never ends while this file is judged.
            let held = |alarm: &&AlarmIndex| {
                rules.holds[position] || rule.when == When::Unarmed && suppressed(alarm)
            };
            for alarm in rule.alarms.iter().filter(held) {
                *rules.depth.entry(*alarm).or_default() += 1;
            }
            let looked_at = match &rule.when {
                When::Alarm { alarm, faults } => {
                    rules.touched.add(position);
                    [faults.as_slice(), &[*alarm]].concat()
                }
                When::Point { faults, .. } => faults.clone(),
                When::Unarmed => {
                    rules.touched.add(position);
                    Vec::new()
                }
            };
            for alarm in looked_at {
                rules.of_alarm.entry(alarm).or_default().push(position);
            }
        }
        rules
    }

    /// The rules that look at an alarm look again.
    pub(super) fn touch(&mut self, alarm: AlarmIndex) {
        for rule in self.of_alarm.get(&alarm).into_iter().flatten() {
            self.touched.add(*rule);
        }
    }

    /// The point of a rule has a good value: in the rule's state or not.
    pub(super) fn see(&mut self, rule: usize, is: bool) {
        if self.seen[rule] != Some(is) {
            self.seen[rule] = Some(is);
            self.touched.add(rule);
        }
    }

    pub(super) fn take_touched(&mut self) -> Vec<usize> {
        self.touched.take()
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.touched.is_empty()
    }

    /// Looks at a rule anew. Returns the alarms that it ends or begins to suppress, and which of the two.
    pub(super) fn look(
        &mut self,
        site: &Site,
        alarms: &[Alarm],
        rule: usize,
    ) -> Option<(bool, Vec<AlarmIndex>)> {
        let definition = &site.suppressions[rule];
        let holds = match &definition.when {
            When::Alarm { alarm, faults } => {
                let cause = &alarms[alarm.0];
                cause.is_active() && !cause.is_out_of_service() && !unseen(alarms, faults)
            }
            // Not read since a restart: as before, until its value or its silence is known.
            When::Point { faults, .. } => {
                self.seen[rule].unwrap_or(self.holds[rule]) && !unseen(alarms, faults)
            }
            When::Unarmed => true,
        };
        if holds == self.holds[rule] {
            return None;
        }
        self.holds[rule] = holds;
        let mut changed = Vec::new();
        for alarm in &definition.alarms {
            let depth = self.depth.entry(*alarm).or_default();
            let edge = if holds {
                *depth += 1;
                *depth == 1
            } else {
                *depth = depth.saturating_sub(1);
                *depth == 0
            };
            if edge {
                changed.push(*alarm);
            }
        }
        Some((holds, changed))
    }

    /// Whether no rule holds of an alarm.
    pub(super) fn is_free(&self, alarm: AlarmIndex) -> bool {
        self.depth.get(&alarm).is_none_or(|depth| *depth == 0)
    }
}

fn unseen(alarms: &[Alarm], faults: &[AlarmIndex]) -> bool {
    faults.iter().any(|fault| alarms[fault.0].is_active())
}
