//! Voting: m of n members must say so before a group trips (R17, R18). Pure counting; the group's alarms are [`crate::Alarm`]s of their own.
//!
//! A member that cannot speak is lost or counts as a trip, as the group's fault policy says, and its loss is always told. A group that has lost
//! every member holds its vote: it can neither trip nor clear (R7).

/// What one member says, the first that holds (R17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ballot {
    /// Out of service.
    Bypass,
    /// Its condition is active.
    Trip,
    /// Its instrument is bad or silent.
    Fault,
    Ok,
}

impl Ballot {
    /// Every ballot.
    pub const ALL: [Self; 4] = [Self::Bypass, Self::Trip, Self::Fault, Self::Ok];

    /// The ballot of a member of which this is known.
    pub const fn of(out_of_service: bool, active: bool, faulted: bool) -> Self {
        match (out_of_service, active, faulted) {
            (true, ..) => Self::Bypass,
            (_, true, _) => Self::Trip,
            (.., true) => Self::Fault,
            (.., false) => Self::Ok,
        }
    }
}

/// What a fault counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultPolicy {
    /// As nothing: the others decide.
    Exclude,
    /// As a trip: the safe side.
    VoteTrip,
}

impl FaultPolicy {
    /// Every policy.
    pub const ALL: [Self; 2] = [Self::Exclude, Self::VoteTrip];

    /// The name in site files and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exclude => "exclude",
            Self::VoteTrip => "vote-trip",
        }
    }
}

/// How a group votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// Trips that it takes while every member speaks, at least 1.
    pub needed: u8,
    pub fault: FaultPolicy,
    /// A lost member lowers what is needed by one, never below 1: a group for safety degrades towards tripping.
    pub safety: bool,
}

/// What a condition that is judged elsewhere says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    Set,
    Clear,
    /// Nothing to judge by: holds (R7).
    Unknown,
}

impl From<bool> for Signal {
    fn from(set: bool) -> Self {
        if set { Self::Set } else { Self::Clear }
    }
}

/// What the count comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    pub vote: Signal,
    /// Some member is faulted or bypassed.
    pub degraded: bool,
    /// No member is left to vote.
    pub unmonitored: bool,
    /// Some members trip while others say all is well.
    pub discrepancy: bool,
    /// Members that are not lost.
    pub left: u8,
    /// Votes that it takes now.
    pub needed: u8,
}

impl Scheme {
    /// Counts the members' ballots (R18); of more than 255 the rest is not counted, and configuration allows far fewer.
    pub fn count(&self, ballots: impl IntoIterator<Item = Ballot>) -> Tally {
        let (mut bypassed, mut tripped, mut faulted, mut well) = (0_u8, 0_u8, 0_u8, 0_u8);
        for ballot in ballots.into_iter().take(usize::from(u8::MAX)) {
            match ballot {
                Ballot::Bypass => bypassed += 1,
                Ballot::Trip => tripped += 1,
                Ballot::Fault => faulted += 1,
                Ballot::Ok => well += 1,
            }
        }
        let (lost_to_fault, votes) = match self.fault {
            FaultPolicy::Exclude => (faulted, tripped),
            FaultPolicy::VoteTrip => (0, tripped + faulted),
        };
        let left = tripped + well + faulted - lost_to_fault;
        let needed = self.needed_of(left, bypassed + lost_to_fault);
        Tally {
            vote: if left == 0 {
                Signal::Unknown
            } else {
                Signal::from(votes >= needed)
            },
            degraded: faulted > 0 || bypassed > 0,
            unmonitored: left == 0,
            discrepancy: tripped > 0 && well > 0,
            left,
            needed,
        }
    }

    /// Never more than can speak, or the group could not trip.
    fn needed_of(&self, left: u8, lost: u8) -> u8 {
        let wanted = match self.needed.checked_sub(lost) {
            _ if !self.safety => self.needed,
            Some(0) | None => 1,
            Some(rest) => rest,
        };
        wanted.min(left)
    }
}
