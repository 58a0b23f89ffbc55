//! The name that a person most likely meant.

use crate::problem::{Arg, Args};

/// Names listed when none is near.
const LISTED_MAX: usize = 16;

/// What to offer in place of a name that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Suggestion {
    Near(String),
    /// None is near: what there is, cut at [`LISTED_MAX`].
    All(String),
    /// There is nothing to choose from.
    Nothing,
}

impl Suggestion {
    pub(crate) fn new<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Self {
        let mut candidates: Vec<&str> = candidates.collect();
        candidates.sort_unstable();
        candidates.dedup();
        let best = candidates
            .iter()
            .map(|candidate| (distance(name, candidate), *candidate))
            .min();
        match best {
            None => Self::Nothing,
            Some((edits, candidate)) if edits <= tolerance(name) => {
                Self::Near(candidate.to_owned())
            }
            Some(_) if candidates.len() > LISTED_MAX => {
                Self::All(candidates[..LISTED_MAX].join(", ") + ", …")
            }
            Some(_) => Self::All(candidates.join(", ")),
        }
    }

    /// As arguments of a message: `how` it is meant, and the name or names.
    pub(crate) fn args(self) -> Args {
        let (how, names) = match self {
            Self::Near(name) => ("near", name),
            Self::All(names) => ("all", names),
            Self::Nothing => ("nothing", String::new()),
        };
        vec![("how", Arg::from(how)), ("names", Arg::from(names))]
    }
}

/// Edits that still count as a slip of the hand: a third of the name, at least one.
fn tolerance(name: &str) -> usize {
    (name.chars().count() / 3).max(1)
}

/// Edits between two names (Levenshtein), letters of either case alike.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, left) in one.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, right) in other.iter().enumerate() {
            let cost = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = cost.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggest(name: &str, candidates: &[&str]) -> Suggestion {
        Suggestion::new(name, candidates.iter().copied())
    }

    #[test]
    fn a_slip_of_the_hand_finds_the_name_that_was_meant() {
        let keys = ["set_point", "deadband", "on_delay_s"];
        assert_eq!(
            suggest("setpoint", &keys),
            Suggestion::Near("set_point".into())
        );
        assert_eq!(
            suggest("gt-101", &["GT-101", "GT-202"]),
            Suggestion::Near("GT-101".into())
        );
    }

    #[test]
    fn without_a_near_name_all_are_listed_up_to_a_bound() {
        assert_eq!(
            suggest("colour", &["b", "a"]),
            Suggestion::All("a, b".into())
        );
        assert_eq!(suggest("colour", &[]), Suggestion::Nothing);
        let many: Vec<String> = (0..40).map(|n| format!("signal-number-{n:02}")).collect();
        let Suggestion::All(listed) = Suggestion::new("x", many.iter().map(String::as_str)) else {
            panic!("none of them is near");
        };
        assert_eq!(listed.matches(", ").count(), LISTED_MAX);
    }
}
