//! The commit of what a gateway sent: idempotent by offset, many batches in one transaction, on disk when it returns.

use super::alarm::{self, Alarm, Newest};
use super::engine::{Row, StoreError, Transaction, values};
use super::fold::{self, Story};
use super::transition::{self, Line, Transition};
use super::{Records, RecordsError, birth, gap, occurrence};
use std::collections::BTreeSet;

/// A batch's place in its gateway's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Offset {
    stream: u64,
    offset: i64,
}

impl Offset {
    /// None for an offset that no journal reaches (above 2⁶³ − 2).
    pub fn new(stream: u64, offset: u64) -> Option<Self> {
        let offset = i64::try_from(offset)
            .ok()
            .filter(|offset| *offset < i64::MAX)?;
        Some(Self { stream, offset })
    }
}

/// A good reading, for the peak of an occurrence that was active at its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub point: String,
    pub time_ms: i64,
    pub value: f64,
}

/// One batch of a gateway's journal, or one message of a node that has none.
#[derive(Clone, Debug)]
pub struct Batch {
    pub site: String,
    /// None for a node without a journal.
    pub offset: Option<Offset>,
    pub received_ms: i64,
    /// The newest source time in it: how far the journal had come when it was made.
    pub newest_ms: i64,
    pub lines: Vec<Line>,
    /// Lines older than this when they were received are marked late, milliseconds.
    pub late_after_ms: i64,
    pub samples: Vec<Sample>,
    /// It was acknowledged before without all that it holds, and is put through again: its lines count although its offset is known.
    pub again: bool,
}

/// What a batch changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Committed {
    /// It had been committed before: acknowledge again, do nothing else.
    pub duplicate: bool,
    /// The site was off line until this batch.
    pub back: bool,
    /// The lines that were new.
    pub transitions: Vec<Transition>,
    /// The present state of every alarm that they touched.
    pub alarms: Vec<Alarm>,
}

impl Records {
    /// Commits batches in one transaction; answers one outcome a batch, in order. On an error nothing was committed.
    pub async fn commit(&self, batches: &[Batch]) -> Result<Vec<Committed>, RecordsError> {
        let mut change = self.engine.begin().await?;
        let mut outcomes = Vec::with_capacity(batches.len());
        for batch in batches {
            outcomes.push(commit(&mut *change, batch).await?);
        }
        change.commit().await?;
        for (batch, outcome) in batches.iter().zip(&mut outcomes) {
            let touched: BTreeSet<_> = outcome
                .transitions
                .iter()
                .map(|new| new.line.alarm.clone())
                .collect();
            outcome.alarms = self
                .alarms_named(&batch.site, &touched.into_iter().collect::<Vec<_>>())
                .await?;
        }
        Ok(outcomes)
    }
}

async fn commit(change: &mut dyn Transaction, batch: &Batch) -> Result<Committed, StoreError> {
    let back = birth::heard(change, &batch.site, batch.received_ms).await?;
    let (epoch, contiguous) = match batch.offset {
        None => (0, false),
        Some(Offset { stream, offset }) => match take_offset(change, &batch.site, stream, offset)
            .await?
        {
            Taken::Before if batch.again => (epoch(change, &batch.site, stream).await?, false),
            Taken::Before => {
                return Ok(Committed {
                    duplicate: true,
                    back,
                    ..Committed::default()
                });
            }
            Taken::Now { contiguous } => (epoch(change, &batch.site, stream).await?, contiguous),
        },
    };
    let mut transitions = Vec::new();
    for line in &batch.lines {
        let transition = received(batch, epoch, line);
        if change
            .execute(transition::INSERT, transition::values_of(&transition))
            .await?
            > 0
        {
            transitions.push(transition);
        }
    }
    let touched: BTreeSet<_> = transitions
        .iter()
        .map(|new| (new.line.alarm.as_str(), new.line.occurrence))
        .collect();
    for (alarm, number) in &touched {
        derive_around(change, &batch.site, epoch, alarm, *number).await?;
    }
    for alarm in touched
        .iter()
        .map(|(alarm, _)| *alarm)
        .collect::<BTreeSet<_>>()
    {
        derive_standing(change, &batch.site, epoch, alarm).await?;
    }
    occurrence::sample(change, &batch.site, &batch.samples).await?;
    if contiguous {
        gap::fill(change, &batch.site, batch.newest_ms, batch.received_ms).await?;
    }
    Ok(Committed {
        duplicate: false,
        back,
        transitions,
        alarms: vec![],
    })
}

fn received(batch: &Batch, epoch: i64, line: &Line) -> Transition {
    Transition {
        site: batch.site.clone(),
        epoch,
        line: line.clone(),
        late: batch.received_ms.saturating_sub(line.time_ms) > batch.late_after_ms,
        received_ms: batch.received_ms,
    }
}

enum Taken {
    Before,
    /// `contiguous`: no offset before this one is missing.
    Now {
        contiguous: bool,
    },
}

/// Puts an offset into the stream's ranges, joining its neighbours.
async fn take_offset(
    change: &mut dyn Transaction,
    site: &str,
    stream: u64,
    offset: i64,
) -> Result<Taken, StoreError> {
    let stream = stream as i64;
    let near = "SELECT first, last FROM offsets WHERE site = $1 AND stream = $2 AND first <= $3 AND last >= $4";
    let near = change
        .rows(near, values![site, stream, offset + 1, offset - 1])
        .await?;
    let ranges = near
        .iter()
        .map(|row| Ok((row.int(0)?, row.int(1)?)))
        .collect::<Result<Vec<_>, StoreError>>()?;
    if ranges
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&offset))
    {
        return Ok(Taken::Before);
    }
    let first = ranges.iter().map(|range| range.0).fold(offset, i64::min);
    let last = ranges.iter().map(|range| range.1).fold(offset, i64::max);
    let drop = "DELETE FROM offsets WHERE site = $1 AND stream = $2 AND first >= $3 AND last <= $4";
    change
        .execute(drop, values![site, stream, first, last])
        .await?;
    let put = "INSERT INTO offsets (site, stream, first, last) VALUES ($1, $2, $3, $4)";
    change
        .execute(put, values![site, stream, first, last])
        .await?;
    let before = "SELECT COUNT(*) FROM offsets WHERE site = $1 AND stream = $2 AND first < $3";
    let before = change.rows(before, values![site, stream, first]).await?;
    Ok(Taken::Now {
        contiguous: before.first().map_or(Ok(0), |row| row.int(0))? == 0,
    })
}

/// The epoch of a stream; the next one for a stream that is new.
pub(crate) async fn epoch(
    change: &mut dyn Transaction,
    site: &str,
    stream: u64,
) -> Result<i64, StoreError> {
    let known = "SELECT epoch FROM streams WHERE site = $1 AND stream = $2";
    if let Some(row) = change
        .rows(known, values![site, stream as i64])
        .await?
        .first()
    {
        return row.int(0);
    }
    let newest = change
        .rows(
            "SELECT COALESCE(MAX(epoch), 0) FROM streams WHERE site = $1",
            values![site],
        )
        .await?;
    let epoch = newest.first().map_or(Ok(0), |row| row.int(0))? + 1;
    let put = "INSERT INTO streams (site, stream, epoch) VALUES ($1, $2, $3)";
    change
        .execute(put, values![site, stream as i64, epoch])
        .await?;
    Ok(epoch)
}

/// Derives an occurrence, and the one before it, whose end it may be.
async fn derive_around(
    change: &mut dyn Transaction,
    site: &str,
    epoch: i64,
    alarm: &str,
    number: u32,
) -> Result<(), StoreError> {
    for number in [number.saturating_sub(1), number]
        .into_iter()
        .filter(|number| *number > 0)
        .collect::<BTreeSet<_>>()
    {
        if let Some(story) = story(change, site, epoch, alarm, number).await? {
            occurrence::put(change, site, epoch, alarm, number, &story).await?;
        }
    }
    Ok(())
}

async fn story(
    change: &mut dyn Transaction,
    site: &str,
    epoch: i64,
    alarm: &str,
    number: u32,
) -> Result<Option<Story>, StoreError> {
    let of = |number| values![site, epoch, alarm, number];
    let lines = lines(
        change,
        "t.occurrence = $4 ORDER BY t.seq LIMIT 1000",
        of(number),
    )
    .await?;
    let next = self::lines(
        change,
        "t.occurrence = $4 ORDER BY t.seq LIMIT 1",
        of(number + 1),
    )
    .await?;
    let told: Vec<_> = lines
        .iter()
        .map(|transition| (&transition.line, transition.late))
        .collect();
    Ok(fold::story(
        &told,
        next.first().map(|transition| transition.line.time_ms),
    ))
}

/// How far back the present state is folded: a shelving that began more changes ago than this shows no reason.
const NEWEST_LINES: usize = 64;

async fn derive_standing(
    change: &mut dyn Transaction,
    site: &str,
    epoch: i64,
    alarm: &str,
) -> Result<(), StoreError> {
    let newest = format!("1 = 1 ORDER BY t.seq DESC LIMIT {NEWEST_LINES}");
    let mut newest = lines(change, &newest, values![site, epoch, alarm]).await?;
    newest.reverse();
    let lines: Vec<_> = newest.iter().map(|transition| &transition.line).collect();
    let (Some(last), Some(standing)) = (lines.last(), fold::standing(&lines)) else {
        return Ok(());
    };
    let raise = lines
        .iter()
        .find(|line| line.occurrence == last.occurrence && line.occurrence > 0);
    let story = story(change, site, epoch, alarm, last.occurrence)
        .await?
        .filter(|_| last.occurrence > 0);
    alarm::put(
        change,
        Newest {
            site,
            epoch,
            last,
            raise: raise.copied(),
            standing,
            story,
        },
    )
    .await
}

async fn lines(
    change: &mut dyn Transaction,
    rest: &str,
    values: Vec<super::engine::Value>,
) -> Result<Vec<Transition>, StoreError> {
    let sql = format!(
        "SELECT {} FROM transitions t WHERE t.site = $1 AND t.epoch = $2 AND t.alarm = $3 AND {rest}",
        transition::COLUMNS
    );
    change
        .rows(&sql, values)
        .await?
        .iter()
        .map(|row: &Row| transition::transition(row))
        .collect()
}
