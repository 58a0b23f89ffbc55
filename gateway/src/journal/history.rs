//! What the plant's screen asks of the past: transitions newest first, and the trend of one point. Read from segments in bounded memory;
//! which segments hold what is known without reading them.

use super::bytes::Bytes;
use super::encoding;
use super::index::Segment;
use super::reader::Reader;
use super::record::{Batch, Names, Record, Transition};
use super::segment;
use davy_alarm::{NoValue, Quality, Reading, WallMs};
use std::collections::VecDeque;
use std::sync::Arc;

/// Most transitions of one answer.
pub(super) const MOST_TRANSITIONS: usize = 500;
/// Most buckets of one trend.
pub(super) const MOST_BUCKETS: u32 = 2000;

/// One point's trend: buckets in the order of time; one without a reading is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Width of a bucket, milliseconds; 0 = each bucket is one reading.
    pub step_ms: i64,
    pub buckets: Vec<Bucket>,
}

/// The readings of one point in one span of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// When it begins; of a single reading, its time.
    pub time: WallMs,
    /// Of the good and uncertain values; `None` = there is none.
    pub values: Option<Values>,
    /// Readings.
    pub count: u32,
    /// Share of good readings, 0–1.
    pub good: f64,
    /// Why there is no value, of a bucket without one: the latest cause.
    pub cause: Option<NoValue>,
}

/// Extremes and mean of values, engineering unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Values {
    pub min: f64,
    pub max: f64,
    pub mean: f64,
}

impl Reader {
    /// Transitions before a sequence number, newest first.
    pub(super) fn transitions(
        &self,
        before: u64,
        limit: usize,
        alarm: Option<&str>,
    ) -> Vec<(Arc<Names>, Transition)> {
        let limit = limit.min(MOST_TRANSITIONS);
        let mut answer = Vec::new();
        for segment in self.segments().iter().rev() {
            if answer.len() >= limit {
                break;
            }
            if segment
                .summary
                .seqs
                .is_none_or(|(least, _)| least >= before)
            {
                continue;
            }
            let room = limit - answer.len();
            let mut newest = VecDeque::new();
            self.each(
                segment,
                |head| head.urgent,
                |batch| {
                    for record in &batch.records {
                        if let Record::Transition(transition) = record
                            && transition.seq < before
                            && alarm.is_none_or(|id| {
                                batch
                                    .names
                                    .alarms
                                    .get(transition.alarm as usize)
                                    .is_some_and(|known| &**known == id)
                            })
                        {
                            newest.push_back((batch.names.clone(), Transition::clone(transition)));
                        }
                    }
                    while newest.len() > room {
                        newest.pop_front();
                    }
                },
            );
            answer.extend(newest.into_iter().rev());
        }
        answer
    }

    /// The trend of one point between two times, both included.
    pub(super) fn trend(&self, point: &str, from: WallMs, to: WallMs, buckets: u32) -> Series {
        let mut trend = Trend::new(from, to, buckets.clamp(1, MOST_BUCKETS));
        for segment in &self.segments() {
            if segment
                .summary
                .times
                .is_none_or(|(least, greatest)| greatest < from.0 || least > to.0)
            {
                continue;
            }
            let mut known: Option<(Arc<Names>, Option<u32>)> = None;
            self.each(
                segment,
                |_| true,
                |batch| {
                    let (_, position) = known.get_or_insert_with(|| {
                        (batch.names.clone(), position(&batch.names, point))
                    });
                    for record in &batch.records {
                        if let Record::Reading { point, reading } = record
                            && Some(*point) == *position
                        {
                            trend.take(reading);
                        }
                    }
                },
            );
        }
        trend.finish()
    }

    /// Runs through the batches of a segment whose head is wanted. One that was removed meanwhile has none.
    pub(super) fn each(
        &self,
        segment: &Segment,
        wanted: impl Fn(&encoding::Head) -> bool,
        mut take: impl FnMut(Batch),
    ) {
        let Ok(Some(open)) = self.open(segment) else {
            return;
        };
        let mut next = segment.first;
        let mut frames = self.frames(&open, segment);
        while let Ok(Some((_, body))) = frames.next() {
            if segment::kind(body) != encoding::BATCH {
                continue;
            }
            let Some(head) = encoding::head(&mut Bytes(body), &open.base) else {
                continue;
            };
            if head.offset < next || head.offset >= segment.summary.next {
                continue;
            }
            next = head.offset + 1;
            if wanted(&head)
                && let Some(batch) = encoding::decode(body, &open.base, &open.names)
            {
                take(batch);
            }
        }
    }
}

fn position(names: &Names, point: &str) -> Option<u32> {
    let position = names.points.iter().position(|id| &**id == point)?;
    u32::try_from(position).ok()
}

/// A trend in the making: single readings while they are few enough, and buckets all along.
struct Trend {
    from: i64,
    to: i64,
    step: i64,
    singles: Vec<Reading>,
    /// More readings than buckets were asked for.
    many: bool,
    sums: Vec<Option<Sum>>,
}

#[derive(Clone, Copy)]
struct Sum {
    min: f64,
    max: f64,
    total: f64,
    values: u32,
    count: u32,
    good: u32,
    cause: Option<NoValue>,
}

impl Sum {
    const EMPTY: Self = Self {
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
        total: 0.0,
        values: 0,
        count: 0,
        good: 0,
        cause: None,
    };

    fn take(&mut self, reading: &Reading) {
        self.count += 1;
        match reading.value() {
            Ok(value) => {
                self.min = self.min.min(value);
                self.max = self.max.max(value);
                self.total += value;
                self.values += 1;
                self.good += u32::from(reading.quality() == Quality::Good);
            }
            Err(cause) => self.cause = Some(cause),
        }
    }

    fn bucket(&self, time: i64) -> Bucket {
        let mean = self.total / f64::from(self.values);
        let values = (self.values > 0).then_some(Values {
            min: self.min,
            max: self.max,
            mean,
        });
        Bucket {
            time: WallMs(time),
            values,
            count: self.count,
            good: f64::from(self.good) / f64::from(self.count),
            cause: self.cause.filter(|_| values.is_none()),
        }
    }
}

impl Trend {
    fn new(from: WallMs, to: WallMs, buckets: u32) -> Self {
        let span = to.0.saturating_sub(from.0).max(0).saturating_add(1);
        let step = span / i64::from(buckets) + i64::from(span % i64::from(buckets) != 0);
        Self {
            from: from.0,
            to: to.0,
            step,
            singles: Vec::new(),
            many: false,
            sums: vec![None; buckets as usize],
        }
    }

    fn take(&mut self, reading: &Reading) {
        let time = reading.source_time().0;
        if time < self.from || time > self.to {
            return;
        }
        if self.singles.len() < self.sums.len() {
            self.singles.push(*reading);
        } else {
            self.many = true;
        }
        let place = usize::try_from((time - self.from) / self.step).unwrap_or(usize::MAX);
        if let Some(sum) = self.sums.get_mut(place) {
            sum.get_or_insert(Sum::EMPTY).take(reading);
        }
    }

    fn finish(mut self) -> Series {
        if !self.many {
            // The wall clock may have been set back meanwhile.
            self.singles.sort_by_key(Reading::source_time);
            let single = |reading: &Reading| {
                let mut sum = Sum::EMPTY;
                sum.take(reading);
                sum.bucket(reading.source_time().0)
            };
            return Series {
                step_ms: 0,
                buckets: self.singles.iter().map(single).collect(),
            };
        }
        let bucket = |(place, sum): (i64, Option<Sum>)| {
            sum.map(|sum| sum.bucket(self.from + place * self.step))
        };
        Series {
            step_ms: self.step,
            buckets: (0..).zip(self.sums).filter_map(bucket).collect(),
        }
    }
}
