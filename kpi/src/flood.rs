//! Floods: a flood begins when the last ten minutes hold more than ten annunciations, and ends when they hold fewer than five. The window slides:
//! it holds what came after `t` − 10 min, up to and with `t`.

use crate::INTERVAL_MS;
use crate::target::{FLOOD_OVER_BELOW, OVER};
use davy_alarm::{Cause, Instant, Shown, WallMs};
use serde::Serialize;
use std::collections::VecDeque;

/// One flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Flood {
    /// When the window first held more than ten, UTC milliseconds.
    pub from_ms: i64,
    /// When it first held fewer than five again; null while the flood goes on at the period's end.
    pub to_ms: Option<i64>,
    /// Annunciations, with those by which it began.
    pub annunciations: u64,
    /// Most in any ten minutes of it.
    pub most: u64,
}

/// The floods of annunciations at these rising times that begin before `to`.
pub(crate) fn floods(times: &[i64], to: i64) -> Vec<Flood> {
    let mut found = Vec::new();
    let mut open: Option<(Flood, usize)> = None;
    // The window holds times[first..next].
    let (mut first, mut next) = (0, 0);
    loop {
        let expiry = (first < next).then(|| times[first].saturating_add(INTERVAL_MS));
        let arrival = times.get(next).copied();
        let Some(now) = expiry.into_iter().chain(arrival).min() else {
            break;
        };
        if now >= to {
            break;
        }
        while times.get(next).is_some_and(|time| *time <= now) {
            next += 1;
        }
        while first < next && times[first].saturating_add(INTERVAL_MS) <= now {
            first += 1;
        }
        let count = next - first;
        match &mut open {
            None if count > OVER => open = Some((begun(now, count), first)),
            None => {}
            Some((flood, began)) => {
                flood.most = flood.most.max(count as u64);
                flood.annunciations = (next - *began) as u64;
                if count < FLOOD_OVER_BELOW {
                    flood.to_ms = Some(now);
                    found.push(*flood);
                    open = None;
                }
            }
        }
    }
    found.extend(open.map(|(flood, _)| flood));
    found
}

fn begun(now: i64, count: usize) -> Flood {
    Flood {
        from_ms: now,
        to_ms: None,
        annunciations: count as u64,
        most: count as u64,
    }
}

/// How much of `start..end` the floods take, milliseconds.
pub(crate) fn time_in(floods: &[Flood], start: i64, end: i64) -> i64 {
    let inside = |flood: &Flood| {
        let to = flood.to_ms.unwrap_or(end).min(end);
        to.saturating_sub(flood.from_ms.max(start)).max(0)
    };
    floods.iter().map(inside).sum()
}

/// Most annunciations that a watch remembers; when full the oldest goes, and the count stays at this many.
const REMEMBERED: usize = 16_384;

/// The load now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FloodNow {
    /// Annunciations in the last ten minutes.
    pub count: u64,
    /// Since when there is a flood, UTC milliseconds; null when there is none.
    pub since_ms: Option<i64>,
}

/// How far back [`flood_now`] wants annunciations: a flood that has stayed between five and ten in ten minutes for longer than that is not seen to go on.
pub const FLOOD_LEAD_MS: i64 = 12 * INTERVAL_MS;

/// The load at `now_ms` by annunciations at these rising times, from [`FLOOD_LEAD_MS`] before on.
pub fn flood_now(times: &[i64], now_ms: i64) -> FloodNow {
    let floods = floods(times, now_ms.saturating_add(1));
    let window = now_ms.saturating_sub(INTERVAL_MS)..now_ms;
    let count = times
        .iter()
        .filter(|time| window.start < **time && **time <= window.end)
        .count();
    FloodNow {
        count: count as u64,
        since_ms: floods
            .last()
            .filter(|flood| flood.to_ms.is_none())
            .map(|flood| flood.from_ms),
    }
}

/// Follows the load as it comes.
#[derive(Clone, Debug, Default)]
pub struct FloodWatch {
    /// On the monotonic clock, milliseconds; what a restart left behind lies before its beginning.
    times: VecDeque<i64>,
    since: Option<WallMs>,
}

impl FloodWatch {
    /// Takes over what was annunciated before the restart, at these rising times of the wall clock; `now` and `wall` are one moment. What comes after `wall` is of
    /// a clock that was wrong, and is passed over.
    pub fn resume(&mut self, before: &[i64], now: Instant, wall: WallMs) {
        let before = before.iter().filter(|time| **time <= wall.0);
        let known: Vec<i64> = before.copied().collect();
        let now_ms = monotonic(now);
        let ago = |time: i64| now_ms.saturating_sub(wall.0.saturating_sub(time));
        for &time in known.iter().rev() {
            if self.times.len() == REMEMBERED {
                break;
            }
            self.times.push_front(ago(time));
        }
        self.since = flood_now(&known, wall.0)
            .since_ms
            .map(WallMs)
            .or(self.since);
        self.settle(now_ms);
        if self.times.len() > OVER {
            self.since.get_or_insert(wall);
        }
    }

    /// Takes a transition over; one that annunciates nothing is passed over.
    pub fn follow(&mut self, cause: Cause, to: Shown, now: Instant, wall: WallMs) {
        if !crate::line::annunciates(cause, to) {
            return;
        }
        let now_ms = monotonic(now);
        self.settle(now_ms);
        if self.times.len() == REMEMBERED {
            self.times.pop_front();
        }
        self.times.push_back(now_ms);
        if self.times.len() > OVER {
            self.since.get_or_insert(wall);
        }
    }

    /// The load at `now`.
    pub fn look(&mut self, now: Instant) -> FloodNow {
        self.settle(monotonic(now));
        FloodNow {
            count: self.times.len() as u64,
            since_ms: self.since.map(|since| since.0),
        }
    }

    /// Lets go of what is ten minutes old, one by one: the flood ends at the moment at which too few are left.
    fn settle(&mut self, now_ms: i64) {
        while self
            .times
            .front()
            .is_some_and(|oldest| now_ms.saturating_sub(*oldest) >= INTERVAL_MS)
        {
            self.times.pop_front();
        }
        if self.times.len() < FLOOD_OVER_BELOW {
            self.since = None;
        }
    }
}

fn monotonic(now: Instant) -> i64 {
    i64::try_from(now.0).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    #[test]
    fn ten_in_ten_minutes_are_no_flood_and_eleven_are_one() {
        let ten: Vec<i64> = (0..10).map(|n| n * 1_000).collect();
        assert_eq!(floods(&ten, i64::MAX), []);
        let eleven: Vec<i64> = (0..11).map(|n| n * 1_000).collect();
        let flood = floods(&eleven, i64::MAX)[0];
        assert_eq!((flood.from_ms, flood.annunciations), (10_000, 11));
        // Fewer than five are left when the seventh is ten minutes old: five go on, four do not.
        assert_eq!(flood.to_ms, Some(6_000 + INTERVAL_MS));
    }

    #[test]
    fn what_is_just_ten_minutes_old_is_out_of_the_window() {
        let mut times: Vec<i64> = vec![0];
        times.extend((1..=10).map(|n| INTERVAL_MS - 11 + n));
        assert_eq!(floods(&times, i64::MAX).len(), 1, "a millisecond short");
        *times.last_mut().expect("eleven") = INTERVAL_MS;
        assert_eq!(floods(&times, i64::MAX), []);
    }

    #[test]
    fn five_in_ten_minutes_keep_a_flood_alive() {
        let mut times: Vec<i64> = (0..11).map(|n| n * 1_000).collect();
        times.extend((1..30).map(|n| n * 2 * MINUTE));
        let flood = floods(&times, i64::MAX)[0];
        assert_eq!(flood.to_ms, Some(25 * 2 * MINUTE + INTERVAL_MS));
        assert_eq!(flood.annunciations, 11 + 29);
    }

    #[test]
    fn the_watch_begins_and_ends_where_the_report_does() {
        let mut watch = FloodWatch::default();
        for n in 0..11_u64 {
            let now = Instant(n * 1_000);
            let wall = WallMs(i64::try_from(now.0).expect("small"));
            watch.follow(Cause::Active, Shown::Unacknowledged, now, wall);
            watch.follow(Cause::Active, Shown::Shelved, now, wall);
        }
        let seen = watch.look(Instant(10_000));
        assert_eq!((seen.count, seen.since_ms), (11, Some(10_000)));
        let end = 6_000 + INTERVAL_MS.unsigned_abs();
        assert!(watch.look(Instant(end - 1)).since_ms.is_some());
        assert_eq!(
            watch.look(Instant(end)),
            FloodNow {
                count: 4,
                since_ms: None
            }
        );
    }

    #[test]
    fn a_restart_in_the_midst_of_a_flood_goes_on_counting_it() {
        let wall = 1_000 * MINUTE;
        let before: Vec<i64> = (0..11).map(|n| wall - 120_000 + n * 1_000).collect();
        let mut watch = FloodWatch::default();
        // Something came between the start and the moment at which the record was read.
        watch.follow(
            Cause::Active,
            Shown::Unacknowledged,
            Instant(400),
            WallMs(wall - 100),
        );
        watch.resume(&before, Instant(500), WallMs(wall));
        let seen = watch.look(Instant(500));
        assert_eq!((seen.count, seen.since_ms), (12, Some(wall - 110_000)));
        // Fewer than five are left when the eighth of them is ten minutes old.
        let end = u64::try_from(INTERVAL_MS - 120_000 + 7_000 + 500).expect("positive");
        assert!(watch.look(Instant(end - 1)).since_ms.is_some());
        assert_eq!(watch.look(Instant(end)).since_ms, None);
    }

    #[test]
    fn a_record_of_a_clock_that_ran_ahead_begins_no_flood() {
        let wall = 1_000 * MINUTE;
        let ahead: Vec<i64> = (0..20).map(|n| wall + MINUTE + n).collect();
        let mut watch = FloodWatch::default();
        watch.resume(&ahead, Instant(0), WallMs(wall));
        assert_eq!(watch.look(Instant(0)), FloodNow::default());
    }

    #[test]
    fn the_load_of_a_record_is_that_of_a_watch_that_followed_it() {
        let times: Vec<i64> = (0..40).map(|n| n * 37_000 % 900_000 + n * 20_000).collect();
        let mut times = times;
        times.sort_unstable();
        let mut watch = FloodWatch::default();
        let mut next = 0;
        for now in (0..2_000_000).step_by(1_000) {
            while times.get(next).is_some_and(|time| *time <= now) {
                let at = Instant(times[next].unsigned_abs());
                watch.follow(
                    Cause::Active,
                    Shown::Unacknowledged,
                    at,
                    WallMs(times[next]),
                );
                next += 1;
            }
            let followed = watch.look(Instant(now.unsigned_abs()));
            assert_eq!(flood_now(&times[..next], now), followed, "at {now}");
        }
    }
}
