//! Readings of one series from several rows as one: in order of time, each time once, whatever order the rows came in.

use davy_alarm::{Quality, Reading};
use std::cmp::Ordering;

/// Sorts, and of those of one time keeps the one that stands.
pub(super) fn settle(readings: &mut Vec<Reading>) {
    readings.sort_by(|a, b| {
        let by_time = a.source_time().cmp(&b.source_time());
        by_time.then_with(|| stands_before(a, b))
    });
    readings.dedup_by_key(|one| one.source_time());
}

/// `Less` if the first stands: a value before an absence, good before uncertain, the higher value, the lower code.
fn stands_before(a: &Reading, b: &Reading) -> Ordering {
    let is_good = |one: &Reading| one.quality() == Quality::Good;
    match (a.value(), b.value()) {
        (Ok(of_a), Ok(of_b)) => is_good(b)
            .cmp(&is_good(a))
            .then_with(|| of_b.total_cmp(&of_a)),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(of_a), Err(of_b)) => of_a.code().cmp(&of_b.code()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_alarm::{NoValue, WallMs};

    #[test]
    fn of_one_time_the_same_reading_stands_whatever_order_they_came_in() {
        let time = WallMs(5);
        let mut all = vec![
            Reading::absent(NoValue::SensorFault, time),
            Reading::measured(1.0, time),
            Reading::uncertain(9.0, time),
            Reading::measured(2.0, time),
            Reading::measured(7.0, WallMs(4)),
            Reading::absent(NoValue::Timeout, WallMs(6)),
            Reading::absent(NoValue::SensorFault, WallMs(6)),
        ];
        let stands = [
            Reading::measured(7.0, WallMs(4)),
            Reading::measured(2.0, time),
            Reading::absent(NoValue::Timeout, WallMs(6)),
        ];
        for _ in 0..all.len() {
            all.rotate_left(1);
            let mut settled = all.clone();
            settle(&mut settled);
            assert_eq!(settled, stands);
        }
    }
}
