//! What differs between two site files, in the words of the site: which part, which key, from what to what. Comments, order and spelling make no difference.

mod facts;
mod weaker;

pub use weaker::weakens;

use crate::site::{Site, Subject};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A kind of part of a site file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    Site,
    Person,
    Area,
    Bus,
    Device,
    Point,
    Alarm,
    Output,
    Vote,
    Manual,
    Suppress,
}

impl Part {
    /// Every part, in the order of a site file.
    pub const ALL: [Self; 11] = [
        Self::Site,
        Self::Person,
        Self::Area,
        Self::Bus,
        Self::Device,
        Self::Point,
        Self::Alarm,
        Self::Output,
        Self::Vote,
        Self::Manual,
        Self::Suppress,
    ];

    /// The name in JSON and in message keys.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Person => "person",
            Self::Area => "area",
            Self::Bus => "bus",
            Self::Device => "device",
            Self::Point => "point",
            Self::Alarm => "alarm",
            Self::Output => "output",
            Self::Vote => "vote",
            Self::Manual => "manual",
            Self::Suppress => "suppress",
        }
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub part: Part,
    pub id: String,
    #[serde(flatten)]
    pub change: Change,
}

/// What became of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum Change {
    Added,
    Removed,
    /// One key of it, which may be absent before or after.
    Changed {
        key: &'static str,
        from: Option<String>,
        to: Option<String>,
    },
}

/// What the file says of one part, by key.
type Facts = BTreeMap<&'static str, String>;

/// Every difference, part by part in the order of a site file. Of a part that came or went its alarms are told only where they have a limit of their own.
pub fn differences(before: &Site, after: &Site) -> Vec<Difference> {
    let mut found = Vec::new();
    for part in Part::ALL {
        let (was, is) = (facts::of(before, part), facts::of(after, part));
        let removed = was.iter().filter(|(id, _)| !is.contains_key(*id));
        let removed = removed.map(|(id, _)| (id, Change::Removed));
        let added = is.iter().filter(|(id, _)| !was.contains_key(*id));
        let added = added.map(|(id, _)| (id, Change::Added));
        let both = is
            .iter()
            .filter_map(|(id, is)| Some((id, was.get(id)?, is)));
        let changed = both.flat_map(|(id, was, is)| {
            let changes = changed(was, is);
            changes.into_iter().map(move |change| (id, change))
        });
        let all = removed.chain(added).chain(changed);
        found.extend(all.map(|(id, change)| Difference {
            part,
            id: id.clone(),
            change,
        }));
    }
    let own: BTreeMap<&str, (Part, &str)> =
        [before, after].into_iter().flat_map(own_alarms).collect();
    let is_whole = |it: &Difference| !matches!(it.change, Change::Changed { .. });
    let whole = found.iter().filter(|it| is_whole(it));
    let whole: BTreeSet<(Part, String)> = whole.map(|it| (it.part, it.id.clone())).collect();
    let comes_along = |alarm: &str| {
        let subject = own.get(alarm);
        subject.is_some_and(|(part, id)| whole.contains(&(*part, (*id).to_owned())))
    };
    found.retain(|it| !(it.part == Part::Alarm && is_whole(it) && comes_along(&it.id)));
    found
}

fn changed(was: &Facts, is: &Facts) -> Vec<Change> {
    let keys: BTreeSet<&'static str> = was.keys().chain(is.keys()).copied().collect();
    let differs = keys.into_iter().filter(|key| was.get(key) != is.get(key));
    let change = differs.map(|key| Change::Changed {
        key,
        from: was.get(key).cloned(),
        to: is.get(key).cloned(),
    });
    change.collect()
}

/// Alarms that every part of their kind has without being asked for, and whose they are.
fn own_alarms(site: &Site) -> impl Iterator<Item = (&str, (Part, &str))> {
    let own = site.alarms.iter().filter(|alarm| facts::is_own(alarm));
    own.map(|alarm| {
        let subject = match alarm.subject {
            Subject::Point(at) => (Part::Point, site.points[at.0].id.as_str()),
            Subject::Device(at) => (Part::Device, site.devices[at.0].id.as_str()),
            Subject::Vote(at) => (Part::Vote, site.votes[at.0].id.as_str()),
            Subject::Output(at) => (Part::Output, site.outputs[at.0].id.as_str()),
            Subject::Manual(at) => (Part::Manual, site.manuals[at.0].id.as_str()),
        };
        (alarm.id.as_str(), subject)
    })
}
