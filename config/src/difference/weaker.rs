//! Which differences loosen an alarm or take protection away: what whoever signs a change reads first. In doubt a difference counts as one.

use super::{Change, Difference, Part};
use std::collections::BTreeSet;

/// Whether what `difference` tells protects less than before: an alarm that is gone, later, laxer, lower or easier to silence; an output that fewer causes
/// demand; a vote that needs more; a suppression that is new; a device that is read more rarely.
pub fn weakens(difference: &Difference) -> bool {
    match &difference.change {
        Change::Added => difference.part == Part::Suppress,
        Change::Removed => match difference.part {
            Part::Point | Part::Alarm | Part::Output | Part::Vote | Part::Manual => true,
            Part::Site | Part::Person | Part::Area | Part::Bus | Part::Device | Part::Suppress => {
                false
            }
        },
        Change::Changed { key, from, to } => {
            let values = Values {
                from: from.as_deref(),
                to: to.as_deref(),
            };
            match difference.part {
                Part::Alarm => values.alarm(key, falls(&difference.id)),
                Part::Point => values.point(key),
                Part::Output => values.output(key),
                Part::Vote => values.vote(key),
                Part::Suppress => *key == "when" || (*key == "alarms" && values.gained()),
                Part::Device => *key == "period_ms" && values.rose(),
                Part::Site | Part::Person | Part::Area | Part::Bus | Part::Manual => false,
            }
        }
    }
}

/// Whether an alarm watches for a value that falls: `LT-1.L`, `LT-1.LL`.
fn falls(alarm: &str) -> bool {
    alarm.ends_with(".L") || alarm.ends_with(".LL")
}

/// What a key said before and says now, as the differences tell it.
struct Values<'a> {
    from: Option<&'a str>,
    to: Option<&'a str>,
}

impl Values<'_> {
    fn alarm(&self, key: &str, falls: bool) -> bool {
        match key {
            "set_point" if falls => self.fell(),
            "set_point" | "on_delay_s" | "stale_s" | "priority" | "band" | "shelve_max_min" => {
                self.rose()
            }
            // Absent is never.
            "response_s" | "re_alarm_min" => self.to.is_none() || self.rose(),
            "latching" => self.became("false"),
            "remote_reset" => self.became("true"),
            "when" | "from" | "window_s" => true,
            "moves" => !self.became("either"),
            _ => false,
        }
    }

    fn point(&self, key: &str) -> bool {
        match key {
            "armed" => self.became("false"),
            "kind" | "status" | "over_range_at" | "under_range_at" => true,
            "proof_every_days" | "calibrate_every_days" => self.to.is_none() || self.rose(),
            "tolerance" => self.rose(),
            _ => false,
        }
    }

    fn output(&self, key: &str) -> bool {
        match key {
            "armed" | "latching" => self.became("false"),
            "causes" => self.lost(),
            "min_run_s" => self.fell(),
            "fail_safe" | "kind" => true,
            "feedback" => self.to.is_none(),
            "proof_every_days" => self.to.is_none() || self.rose(),
            _ => false,
        }
    }

    fn vote(&self, key: &str) -> bool {
        match key {
            "needed" => self.rose(),
            "members" => self.lost(),
            "fault" => !self.became("vote-trip"),
            "safety" => self.became("false"),
            _ => false,
        }
    }

    fn became(&self, value: &str) -> bool {
        self.to == Some(value)
    }

    /// The figure is higher; also where one of them is none.
    fn rose(&self) -> bool {
        match (number(self.from), number(self.to)) {
            (Some(from), Some(to)) => to > from,
            _ => true,
        }
    }

    fn fell(&self) -> bool {
        match (number(self.from), number(self.to)) {
            (Some(from), Some(to)) => to < from,
            _ => true,
        }
    }

    fn lost(&self) -> bool {
        !names(self.from).is_subset(&names(self.to))
    }

    fn gained(&self) -> bool {
        !names(self.to).is_subset(&names(self.from))
    }
}

/// `50 %LEL` is 50.
fn number(text: Option<&str>) -> Option<f64> {
    text?.split(' ').next()?.parse().ok()
}

/// `GT-101.HH, GT-102.HH`.
fn names(text: Option<&str>) -> BTreeSet<&str> {
    let list = text.unwrap_or_default().split(", ");
    list.filter(|name| !name.is_empty()).collect()
}
