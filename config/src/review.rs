//! What a valid file is held against besides itself. Whoever runs a site knows more than its file says, such as what a line carries in a second; what they
//! find wrong is a problem like any other, at its place in the file.

use crate::problem::{Args, Code};
use crate::section::Section;
use crate::site::{AlarmIndex, BusIndex, Site, Subject};

/// Holds a site against what must be so where it runs. Pure: the same site, the same findings.
pub type Review = fn(&Site) -> Vec<Finding>;

/// Nobody asks for more than a valid file.
pub(crate) const NOTHING: Review = |_| Vec::new();

/// One thing that is wrong with a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub code: Code,
    pub at: Place,
    /// What the code's message names.
    pub args: Vec<(&'static str, String)>,
}

/// What of the site it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Bus(BusIndex),
    /// Where the file writes it, or the point that has it.
    Alarm(AlarmIndex),
}

/// Adds what `review` finds to the file's problems.
pub(crate) fn hold(site: &Site, root: &Section<'_, '_>, review: Review) {
    for finding in review(site) {
        let args: Args = finding
            .args
            .into_iter()
            .map(|(name, text)| (name, text.into()))
            .collect();
        let place = match finding.at {
            Place::Bus(bus) => part(root, "bus", &site.buses[bus.0].id),
            Place::Alarm(alarm) => of_alarm(site, root, alarm),
        };
        match place {
            Some(section) => section.problem(finding.code, args),
            None => root.problem(finding.code, args),
        }
    }
}

fn of_alarm<'s, 't>(
    site: &Site,
    root: &Section<'s, 't>,
    alarm: AlarmIndex,
) -> Option<Section<'s, 't>> {
    let alarm = &site.alarms[alarm.0];
    let Subject::Point(point) = alarm.subject else {
        return None;
    };
    let point = part(root, "point", &site.points[point.0].id)?;
    let own = point.section("alarms");
    let own = own.and_then(|own| own.section(alarm.definition.condition.suffix()));
    Some(own.unwrap_or(point))
}

/// The part of this id; ids are unique in a file that is valid.
fn part<'s, 't>(root: &Section<'s, 't>, key: &'static str, id: &str) -> Option<Section<'s, 't>> {
    let is = |section: &Section<'_, '_>| section.text("id").is_some_and(|own| own.value == id);
    root.sections(key).into_iter().find(is)
}
