//! The newest readings of a month in memory: what lies in the file as whole commits, where no question could find its series. The writer puts them here
//! when their commit is on disk, and takes them out when they lie in the file as runs.
//!
//! A reader looks here first and into the file afterwards: what moves meanwhile is then seen twice, and told once.

use davy_alarm::Reading;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

/// What is recent of one month; the writer alone changes it.
#[derive(Debug, Default)]
pub(super) struct Recent(RwLock<Held>);

impl Recent {
    pub(super) fn look(&self) -> RwLockReadGuard<'_, Held> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change(&self) -> RwLockWriteGuard<'_, Held> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
pub(super) struct Held {
    /// Places in `series`, by site and point.
    places: HashMap<Arc<str>, HashMap<Arc<str>, usize>>,
    pub(super) series: Vec<Of>,
    pub(super) readings: usize,
    /// When the oldest of them came.
    pub(super) since: Option<Instant>,
}

/// The recent readings of one series, as they came.
#[derive(Debug)]
pub(super) struct Of {
    /// Its number in the file.
    pub(super) number: u32,
    pub(super) readings: Vec<Reading>,
}

impl Held {
    pub(super) fn place(&self, site: &str, point: &str) -> Option<usize> {
        self.places.get(site)?.get(point).copied()
    }

    pub(super) fn declare(&mut self, site: Arc<str>, point: Arc<str>, number: u32) {
        let of_site = self.places.entry(site).or_default();
        of_site.insert(point, self.series.len());
        let readings = Vec::new();
        self.series.push(Of { number, readings });
    }

    pub(super) fn put(&mut self, placed: &[(usize, Reading)]) {
        for (place, reading) in placed {
            self.series[*place].readings.push(*reading);
        }
        self.readings += placed.len();
        self.since.get_or_insert_with(Instant::now);
    }

    /// The file has them where they are found.
    pub(super) fn settled(&mut self) {
        self.series.iter_mut().for_each(|of| of.readings = vec![]);
        (self.readings, self.since) = (0, None);
    }

    /// The readings of a series over `from_ms` ≤ time < `to_ms`, as they came.
    pub(super) fn of(&self, (site, point): (&str, &str), from_ms: i64, to_ms: i64) -> Vec<Reading> {
        let found = self.place(site, point).map(|place| &self.series[place]);
        let is_within = |one: &&Reading| (from_ms..to_ms).contains(&one.source_time().0);
        let readings = found.into_iter().flat_map(|of| &of.readings);
        readings.filter(is_within).copied().collect()
    }

    /// The newest reading of each point of a site that has one here.
    pub(super) fn latest(&self, site: &str) -> Vec<(String, Reading)> {
        let points = self.places.get(site).into_iter().flatten();
        let newest = points.filter_map(|(point, place)| {
            let newest = self.series[*place].readings.iter().copied();
            Some((point.to_string(), newest.reduce(newer)?))
        });
        newest.collect()
    }
}

/// Of two readings of the same time the first.
fn newer(first: Reading, second: Reading) -> Reading {
    if second.source_time() > first.source_time() {
        second
    } else {
        first
    }
}
