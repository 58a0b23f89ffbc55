//! Voting groups: which alarms vote, how many it takes, and what a fault counts as.

use super::alarm::Alarms;
use super::defaults;
use super::derived::Derived;
use super::names::{Names, id, list, name, reference, subject_is_broken};
use crate::problem::Code;
use crate::section::{At, Section};
use crate::site::{Alarm, AlarmIndex, Member, Point, PointIndex, Subject, Text, Vote, VoteIndex};
use davy_alarm::{Condition, FaultPolicy, Priority, Scheme};

/// Most members of a group: it bounds what one transition costs.
const MEMBERS_MAX: usize = 32;
/// How long members may disagree before it is told, milliseconds.
const DISCREPANCY_DELAY_MS: u32 = 30_000;

const POLICIES: &[(&str, FaultPolicy)] = &[
    (FaultPolicy::Exclude.name(), FaultPolicy::Exclude),
    (FaultPolicy::VoteTrip.name(), FaultPolicy::VoteTrip),
];

/// Reads every `[[vote]]`, and adds each one's four alarms.
pub(super) fn votes(
    root: &Section<'_, '_>,
    names: &mut Names,
    points: &[Point],
    alarms: &mut Alarms,
) -> Vec<Vote> {
    let mut position = 0;
    let (votes, index) = list(root, "vote", |section| {
        let read = read(section, names, points, alarms);
        let own = section.section("alarms");
        let vote = read.map(|read| {
            position += 1;
            vote(read, VoteIndex(position - 1), own.as_ref(), alarms)
        });
        match own {
            Some(own) if vote.is_some() => own.finish(),
            _ => {}
        }
        vote
    });
    names.votes = index;
    votes
}

struct Read {
    id: String,
    name: Text,
    area: usize,
    members: Vec<Member>,
    scheme: Scheme,
    /// Of the members: the highest priority, and whether any is gas level 2 or gas at all.
    priority: Priority,
    gas_level_2: bool,
    gas: bool,
}

fn read(
    section: &Section<'_, '_>,
    names: &Names,
    points: &[Point],
    alarms: &Alarms,
) -> Option<Read> {
    let id = id(section);
    let name = name(section);
    let area = reference(section, "area", &names.areas);
    let condition = section.text("condition");
    let written = section.need_texts("members");
    let needed = section.need_whole("needed", 1..=MEMBERS_MAX as i64);
    let fault = section.need_one_of("fault", POLICIES);
    let safety = section.flag("safety");
    let members = members(section, names, points, alarms, &written, condition.as_ref());
    let (needed, fault) = (needed?, fault?);
    // A count of members that could not all be read proves nothing.
    if members.len() == written.len() && needed.value as usize > members.len() {
        let args = vec![
            ("value", needed.value.into()),
            ("low", 1_u32.into()),
            ("high", (members.len() as u32).into()),
        ];
        section.at(&needed, Code::OutOfRange, args);
        return None;
    }
    let of = |member: &Member| &alarms.list[member.alarm.0];
    let gas = |member: &Member| match of(member).subject {
        Subject::Point(point) => points[point.0].kind.is_gas(),
        Subject::Device(_) | Subject::Vote(_) | Subject::Output(_) | Subject::Manual(_) => false,
    };
    let gas = members.iter().any(gas);
    if let Some(safety) = safety.as_ref().filter(|safety| gas && !safety.value) {
        section.at(safety, Code::VoteSafety, vec![]);
    }
    Some(Read {
        id: id?,
        name: name?,
        area: area?,
        scheme: Scheme {
            needed: needed.value as u8,
            fault: fault.value,
            safety: safety.map_or(gas, |at| at.value),
        },
        priority: (members.iter().map(|member| of(member).definition.priority)).min()?,
        gas_level_2: members
            .iter()
            .any(|member| of(member).definition.gas_level_2),
        gas,
        members,
    })
}

fn members(
    section: &Section<'_, '_>,
    names: &Names,
    points: &[Point],
    alarms: &Alarms,
    written: &[At<String>],
    condition: Option<&At<String>>,
) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for at in written {
        let at = at.with(full_id(&at.value, names, condition));
        let Some(alarm) = alarm(section, names, alarms, &at) else {
            continue;
        };
        let Some(member) = member(&alarms.list, points, alarm) else {
            section.at(
                &at,
                Code::VoteMember,
                vec![("value", at.value.as_str().into())],
            );
            continue;
        };
        if members.iter().any(|known| known.alarm == member.alarm) {
            section.at(
                &at,
                Code::SameMember,
                vec![("value", at.value.as_str().into())],
            );
            continue;
        }
        members.push(member);
    }
    if written.len() > MEMBERS_MAX {
        let args = vec![
            ("value", (written.len() as u32).into()),
            ("low", 1_u32.into()),
            ("high", (MEMBERS_MAX as u32).into()),
        ];
        section.at(&written[MEMBERS_MAX], Code::OutOfRange, args);
    }
    members
}

/// A member may be named by its point alone where the group says on which condition it votes.
fn full_id(written: &str, names: &Names, condition: Option<&At<String>>) -> String {
    match condition {
        Some(condition) if names.points.contains_key(written) => {
            format!("{written}.{}", condition.value)
        }
        _ => written.to_owned(),
    }
}

fn alarm(
    section: &Section<'_, '_>,
    names: &Names,
    alarms: &Alarms,
    at: &At<String>,
) -> Option<AlarmIndex> {
    if subject_is_broken(names, &at.value) {
        return None;
    }
    super::names::resolve(section, at, &alarms.index).map(AlarmIndex)
}

/// The member that an alarm makes; a fault is not a vote, it is what a member may suffer.
fn member(list: &[Alarm], points: &[Point], alarm: AlarmIndex) -> Option<Member> {
    let Subject::Point(PointIndex(point)) = list[alarm.0].subject else {
        return None;
    };
    let condition = |index: &AlarmIndex| list[index.0].definition.condition;
    if matches!(condition(&alarm), Condition::Bad | Condition::Stale { .. }) {
        return None;
    }
    let find = |wanted: fn(Condition) -> bool| {
        let mut own = points[point].alarms.iter().copied();
        own.find(|index| wanted(condition(index)))
    };
    Some(Member {
        alarm,
        bad: find(|condition| matches!(condition, Condition::Bad))?,
        stale: find(|condition| matches!(condition, Condition::Stale { .. }))?,
    })
}

fn vote(read: Read, index: VoteIndex, own: Option<&Section<'_, '_>>, alarms: &mut Alarms) -> Vote {
    let fault = defaults::fault_priority(read.gas);
    let (id, subject) = (&read.id, Subject::Vote(index));
    let mut add = |condition: Condition, priority, on_delay_ms| {
        let voted = matches!(condition, Condition::Vote);
        let derived = Derived {
            condition,
            priority,
            on_delay_ms,
            latching: voted && read.gas_level_2,
            gas_level_2: voted && read.gas_level_2,
            fault: !voted,
        };
        let section = own.and_then(|own| own.section(derived.condition.suffix()));
        let alarm = derived.alarm(id, subject, section.as_ref());
        if let Some(section) = section {
            section.finish();
        }
        alarms.push(alarm);
        AlarmIndex(alarms.list.len() - 1)
    };
    let (vote, degraded, unmonitored, discrepancy) = (
        add(Condition::Vote, read.priority, 0),
        add(Condition::Degraded, fault, 0),
        add(Condition::Unmonitored, Priority::P2, 0),
        add(Condition::Discrepancy, fault, DISCREPANCY_DELAY_MS),
    );
    Vote {
        id: read.id,
        name: read.name,
        area: read.area,
        members: read.members,
        scheme: read.scheme,
        vote,
        degraded,
        unmonitored,
        discrepancy,
    }
}
