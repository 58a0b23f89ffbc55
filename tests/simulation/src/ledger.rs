//! The readings of one point: what was on disk, and what of it the city was found to have. What was found is remembered by its hash alone, so that a comparison
//! costs what is new and not all that ever was.

use davy_alarm::Reading;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// By source time in UTC milliseconds, with the batch; several when a clock was set back.
type Several = BTreeMap<i64, Vec<(u64, Reading)>>;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Seen, and not yet found in the city.
    open: Several,
    /// Found in the city, by source time; it stays, and as it is.
    found: Vec<(i64, u64)>,
    /// Told of as lost. Some of it may have reached the city all the same.
    lost: Several,
    /// Readings seen.
    pub(crate) count: u64,
}

/// Whether the city must have a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owed {
    Now,
    Later,
    /// Told of as lost.
    Never,
}

impl Ledger {
    /// A reading that is on disk.
    pub(crate) fn sees(&mut self, offset: u64, reading: Reading) {
        let at = self.open.entry(reading.source_time().0).or_default();
        at.push((offset, reading));
        self.count += 1;
    }

    /// The source times to ask the city for, in UTC milliseconds, the end not among them: those of which something is open, or of all.
    pub(crate) fn span(&self, of_all: bool) -> Option<(i64, i64)> {
        let ends = |several: &Several| {
            let (first, last) = (several.first_key_value()?, several.last_key_value()?);
            Some((*first.0, *last.0 + 1))
        };
        let found = || Some((self.found.first()?.0, self.found.last()?.0 + 1));
        let (found, lost) = if of_all {
            (found(), ends(&self.lost))
        } else {
            (None, None)
        };
        let all = [ends(&self.open), found, lost].into_iter().flatten();
        all.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    }

    /// Holds what the city has between two source times, the end not among them, against what was seen.
    ///
    /// # Errors
    /// The first reading that is there and was not seen, is another than was seen, or is not there and must be.
    pub(crate) fn compare(
        &mut self,
        stored: &BTreeMap<i64, Reading>,
        (from_ms, to_ms): (i64, i64),
        owed: impl Fn(u64) -> Owed,
    ) -> Result<(), String> {
        let mut again = 0;
        for (time, reading) in stored {
            again += usize::from(self.explains(*time, reading)?);
        }
        let place = |ms| self.found.partition_point(|(time, _)| *time < ms);
        let found = &self.found[place(from_ms)..place(to_ms)];
        if found.len() != again {
            let gone = found.iter().find(|(time, _)| !stored.contains_key(time));
            return Err(format!(
                "the reading at {gone:?} was in the city, and is not any more"
            ));
        }
        // What counted as lost may be owed after all.
        for (time, several) in self.open.iter().chain(self.lost.range(from_ms..to_ms)) {
            let is_due = || several.iter().any(|(offset, _)| owed(*offset) == Owed::Now);
            if !stored.contains_key(time) && is_due() {
                return Err(format!(
                    "the reading at {time} of batches {several:?} is not in the city"
                ));
            }
        }
        self.close(stored, owed);
        Ok(())
    }

    /// Whether a reading in the city was found there before; it is one that was seen in either case.
    fn explains(&self, time: i64, reading: &Reading) -> Result<bool, String> {
        if let Ok(place) = self.found.binary_search_by_key(&time, |(time, _)| *time) {
            return if self.found[place].1 == hash(reading) {
                Ok(true)
            } else {
                Err(format!(
                    "the reading at {time} is {reading:?} in the city, and was another there before"
                ))
            };
        }
        let of = |several: &Several| several.get(&time).cloned().unwrap_or_default();
        let seen = [of(&self.open), of(&self.lost)].concat();
        if seen.iter().any(|(_, one)| one == reading) {
            Ok(false)
        } else if seen.is_empty() {
            Err(format!(
                "the city has {reading:?} at {time}, which no journal ever had"
            ))
        } else {
            Err(format!(
                "the reading at {time} is {reading:?} in the city, and was {seen:?}"
            ))
        }
    }

    fn close(&mut self, stored: &BTreeMap<i64, Reading>, owed: impl Fn(u64) -> Owed) {
        for (time, several) in std::mem::take(&mut self.open) {
            if let Some(reading) = stored.get(&time) {
                if let Err(place) = self.found.binary_search_by_key(&time, |(time, _)| *time) {
                    self.found.insert(place, (time, hash(reading)));
                }
            } else if several
                .iter()
                .all(|(offset, _)| owed(*offset) == Owed::Never)
            {
                self.lost.entry(time).or_default().extend(several);
            } else {
                self.open.insert(time, several);
            }
        }
    }
}

/// The same for the same reading in each run.
fn hash(reading: &Reading) -> u64 {
    let mut hasher = DefaultHasher::new();
    match reading.value() {
        Ok(value) => (0_u8, value.to_bits()).hash(&mut hasher),
        Err(cause) => (1_u8, cause).hash(&mut hasher),
    }
    (reading.quality(), reading.source_time().0).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::{Ledger, Owed};
    use davy_alarm::{Reading, WallMs};
    use std::collections::BTreeMap;

    const ALL: (i64, i64) = (0, 100);

    fn reading(value: f64, ms: i64) -> Reading {
        Reading::measured(value, WallMs(ms))
    }

    fn city(readings: &[Reading]) -> BTreeMap<i64, Reading> {
        let by_time = |reading: &Reading| (reading.source_time().0, *reading);
        readings.iter().map(by_time).collect()
    }

    /// Batches up to 5 are owed, batches from 8 on are lost.
    fn compare(ledger: &mut Ledger, stored: &[Reading]) -> Result<(), String> {
        ledger.compare(&city(stored), ALL, |offset| match offset {
            ..=5 => Owed::Now,
            6..=7 => Owed::Later,
            8.. => Owed::Never,
        })
    }

    fn seen(seen: &[(u64, f64, i64)]) -> Ledger {
        let mut ledger = Ledger::default();
        for (offset, value, ms) in seen {
            ledger.sees(*offset, reading(*value, *ms));
        }
        ledger
    }

    #[test]
    fn what_is_due_must_be_there_and_the_rest_may() {
        let [one, two] = [reading(1.0, 10), reading(2.0, 20)];
        let of = || seen(&[(5, 1.0, 10), (6, 2.0, 20)]);
        assert_eq!(compare(&mut of(), &[one]), Ok(()));
        assert_eq!(compare(&mut of(), &[one, two]), Ok(()));
        let missing = compare(&mut of(), &[two]).unwrap_err();
        assert!(
            missing.starts_with("the reading at 10 of batches"),
            "{missing}"
        );
    }

    #[test]
    fn what_nobody_saw_or_saw_otherwise_is_told() {
        let of = || seen(&[(1, 1.0, 10)]);
        let other = compare(&mut of(), &[reading(1.5, 10)]).unwrap_err();
        assert!(other.starts_with("the reading at 10 is "), "{other}");
        let foreign = compare(&mut of(), &[reading(1.0, 10), reading(1.0, 11)]).unwrap_err();
        assert!(foreign.ends_with("which no journal ever had"), "{foreign}");
    }

    #[test]
    fn what_was_found_must_stay_and_as_it_was() {
        let found = || {
            let mut ledger = seen(&[(1, 1.0, 10), (2, 2.0, 20)]);
            assert_eq!(
                compare(&mut ledger, &[reading(1.0, 10), reading(2.0, 20)]),
                Ok(())
            );
            ledger
        };
        assert_eq!(found().span(false), None);
        assert_eq!(found().span(true), Some((10, 21)));
        let gone = compare(&mut found(), &[reading(2.0, 20)]).unwrap_err();
        assert!(gone.ends_with("and is not any more"), "{gone}");
        let other = compare(&mut found(), &[reading(1.0, 10), reading(2.5, 20)]).unwrap_err();
        assert!(other.ends_with("and was another there before"), "{other}");
    }

    #[test]
    fn of_two_with_one_source_time_the_first_found_stays() {
        let mut ledger = seen(&[(1, 1.0, 10)]);
        assert_eq!(compare(&mut ledger, &[reading(1.0, 10)]), Ok(()));
        ledger.sees(2, reading(1.5, 10));
        assert_eq!(compare(&mut ledger, &[reading(1.0, 10)]), Ok(()));
        assert_eq!(ledger.span(false), None);
        assert_eq!(ledger.count, 2);
    }

    #[test]
    fn what_counted_as_lost_is_missed_once_the_city_has_its_batch() {
        let mut ledger = seen(&[(8, 1.0, 10)]);
        assert_eq!(compare(&mut ledger, &[]), Ok(()));
        let missing = ledger.compare(&city(&[]), ALL, |_| Owed::Now).unwrap_err();
        assert!(missing.ends_with("is not in the city"), "{missing}");
    }

    #[test]
    fn what_is_lost_may_come_all_the_same_but_as_it_was() {
        let mut ledger = seen(&[(8, 1.0, 10)]);
        assert_eq!(compare(&mut ledger, &[]), Ok(()));
        assert_eq!(
            (ledger.span(false), ledger.span(true)),
            (None, Some((10, 11)))
        );
        let other = compare(&mut ledger, &[reading(1.5, 10)]).unwrap_err();
        assert!(other.starts_with("the reading at 10 is "), "{other}");
        assert_eq!(compare(&mut ledger, &[reading(1.0, 10)]), Ok(()));
    }
}
