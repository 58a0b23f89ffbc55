//! Which groups must count again, and what their members say.

use super::touched::Touched;
use davy_alarm::{Alarm, Ballot, Signal, Tally};
use davy_config::site::{AlarmIndex, Member, Site, Vote, VoteIndex};
use std::collections::HashMap;

#[derive(Debug)]
pub(super) struct Votes {
    /// Groups in which an alarm is a member or a member's fault.
    of_alarm: HashMap<AlarmIndex, Vec<VoteIndex>>,
    touched: Touched,
}

impl Votes {
    pub(super) fn new(site: &Site) -> Self {
        let mut of_alarm: HashMap<AlarmIndex, Vec<VoteIndex>> = HashMap::new();
        for (position, vote) in site.votes.iter().enumerate() {
            for member in &vote.members {
                for alarm in [member.alarm, member.bad, member.stale] {
                    of_alarm.entry(alarm).or_default().push(VoteIndex(position));
                }
            }
        }
        Self {
            of_alarm,
            touched: Touched::new(site.votes.len()),
        }
    }

    /// The groups that an alarm has a voice in count again.
    pub(super) fn touch(&mut self, alarm: AlarmIndex) {
        for vote in self.of_alarm.get(&alarm).into_iter().flatten() {
            self.touched.add(vote.0);
        }
    }

    /// One group counts again.
    pub(super) fn touch_group(&mut self, vote: VoteIndex) {
        self.touched.add(vote.0);
    }

    pub(super) fn take_touched(&mut self) -> Vec<usize> {
        self.touched.take()
    }

    /// Whether the group must count again; it counts as told.
    pub(super) fn take(&mut self, vote: VoteIndex) -> bool {
        self.touched.take_one(vote.0)
    }

    /// Whether taking `alarm` out of service would be a second bypass in one of its groups (R17).
    pub(super) fn is_second_bypass(
        &self,
        site: &Site,
        alarms: &[Alarm],
        alarm: AlarmIndex,
    ) -> bool {
        let bypassed =
            |member: &Member| member.alarm != alarm && alarms[member.alarm.0].is_out_of_service();
        let mut groups = self.of_alarm.get(&alarm).into_iter().flatten();
        groups.any(|vote| {
            let members = &site.votes[vote.0].members;
            members.iter().any(|member| member.alarm == alarm) && members.iter().any(bypassed)
        })
    }
}

/// Each alarm of the group with what the count says of it.
pub(super) fn signals(vote: &Vote, alarms: &[Alarm]) -> [(AlarmIndex, Signal); 4] {
    let tally: Tally = vote
        .scheme
        .count(vote.members.iter().map(|member| ballot(member, alarms)));
    [
        (vote.vote, tally.vote),
        (vote.degraded, tally.degraded.into()),
        (vote.unmonitored, tally.unmonitored.into()),
        (vote.discrepancy, tally.discrepancy.into()),
    ]
}

fn ballot(member: &Member, alarms: &[Alarm]) -> Ballot {
    let of = |alarm: AlarmIndex| &alarms[alarm.0];
    Ballot::of(
        of(member.alarm).is_out_of_service(),
        of(member.alarm).is_active(),
        of(member.bad).is_active() || of(member.stale).is_active(),
    )
}
