//! What follows a point's readings beside the point's own alarms. A point that nothing follows costs nothing.

use davy_config::site::{
    AlarmIndex, Input, OutputIndex, PointIndex, Reference, Site, Subject, When,
};

/// Something that a point's value is looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follower {
    /// The point shows what the output does.
    Feedback { output: OutputIndex, when: bool },
    /// The point is where another's value should be.
    Deviation { alarm: AlarmIndex, of: PointIndex },
    /// The point is what a suppression waits for.
    Rule { rule: usize, is: bool },
}

/// By point.
#[derive(Debug)]
pub(super) struct Followers(Vec<Vec<Follower>>);

impl Followers {
    pub(super) fn new(site: &Site) -> Self {
        let mut followers = vec![Vec::new(); site.points.len()];
        for (position, output) in site.outputs.iter().enumerate() {
            if let Some(feedback) = output.feedback {
                followers[feedback.point.0].push(Follower::Feedback {
                    output: OutputIndex(position),
                    when: feedback.when,
                });
            }
        }
        for (position, alarm) in site.alarms.iter().enumerate() {
            if let (Subject::Point(of), Input::Deviation(Reference::Point(point))) =
                (alarm.subject, alarm.input)
            {
                let alarm = AlarmIndex(position);
                followers[point.0].push(Follower::Deviation { alarm, of });
            }
        }
        for (rule, suppression) in site.suppressions.iter().enumerate() {
            if let When::Point { point, is, .. } = suppression.when {
                followers[point.0].push(Follower::Rule { rule, is });
            }
        }
        Self(followers)
    }

    pub(super) fn of(&self, point: PointIndex) -> &[Follower] {
        &self.0[point.0]
    }
}
