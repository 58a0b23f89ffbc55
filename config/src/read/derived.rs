//! Alarms that follow from something else than one point's value: those of voting groups and of outputs.

use super::defaults::{FAULT_DELAY_MAX_S, SHELVE_MAX_MINUTES};
use super::limits::{PROMPT_DELAY_MS, priority};
use super::{names::text, preset};
use crate::problem::{Args, Code};
use crate::section::Section;
use crate::site::{Alarm, Input, Subject};
use davy_alarm::{Condition, Definition, Priority};

/// Such an alarm where the file says nothing of it.
pub(super) struct Derived {
    pub(super) condition: Condition,
    pub(super) priority: Priority,
    pub(super) on_delay_ms: u32,
    pub(super) latching: bool,
    pub(super) gas_level_2: bool,
    /// A fault of the system, as against a danger: it cannot latch.
    pub(super) fault: bool,
}

impl Derived {
    /// The alarm, with what `section` changes about it.
    pub(super) fn alarm(
        self,
        owner: &str,
        subject: Subject,
        section: Option<&Section<'_, '_>>,
    ) -> Alarm {
        let id = format!("{owner}.{}", self.condition.suffix());
        let mut definition = Definition {
            condition: self.condition,
            priority: self.priority,
            on_delay_ms: self.on_delay_ms,
            off_delay_ms: 0,
            latching: self.latching,
            gas_level_2: self.gas_level_2,
            re_alarm_ms: None,
            shelve_max_minutes: SHELVE_MAX_MINUTES,
            remote_reset: false,
        };
        let mut guidance = None;
        if let Some(section) = section {
            guidance = section.section("guidance").and_then(text).map(Box::new);
            self.change(&id, &mut definition, section);
        }
        Alarm {
            id,
            subject,
            input: Input::Value,
            definition,
            guidance,
            response_ms: None,
            source: preset::built_in(),
        }
    }

    fn change(&self, id: &str, definition: &mut Definition, section: &Section<'_, '_>) {
        let longest = if self.fault {
            FAULT_DELAY_MAX_S
        } else {
            86_400.0
        };
        definition.priority = priority(section).unwrap_or(definition.priority);
        if let Some(at) = section.seconds("on_delay_s", 0.0..=longest) {
            definition.on_delay_ms = at.value;
            let args: Args = vec![("name", id.into()), ("value", at.value.into())];
            let slow = at.value > PROMPT_DELAY_MS && !self.fault;
            if slow && self.gas_level_2 {
                section.at(&at, Code::GasLevel2Delay, args);
            } else if slow && definition.priority == Priority::P1 {
                section.at(&at, Code::SlowLimit, args);
            }
        }
        if let Some(at) = section.seconds("off_delay_s", 0.0..=longest) {
            definition.off_delay_ms = at.value;
        }
        definition.re_alarm_ms = section
            .whole("re_alarm_min", 1..=1440)
            .map(|at| at.value as u32 * 60_000);
        if let Some(at) = section.whole("shelve_max_min", 1..=i64::from(SHELVE_MAX_MINUTES)) {
            definition.shelve_max_minutes = at.value as u16;
        }
        if self.fault {
            return;
        }
        if let Some(at) = section.flag("latching") {
            definition.latching = at.value;
        }
        if let Some(at) = section.flag("remote_reset") {
            definition.remote_reset = at.value;
            if at.value && self.gas_level_2 {
                section.at(&at, Code::RemoteReset, vec![("name", id.into())]);
            }
        }
    }
}
