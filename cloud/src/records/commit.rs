//! The commit of what a gateway sent: idempotent by offset, many batches in one transaction, on disk when it returns.

use super::alarm::{self, Alarm, Newest};
use super::engine::{Row, StoreError, Transaction, values};
use super::fold::{self, Story};
use super::notice::Notice;
use super::offset::{self, Offset, Taken};
use super::transition::{self, Line, Transition};
use super::{Records, RecordsError, birth, gap, occurrence, quarantine};
use crate::audit::{self, Entry};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// A good reading, for the peak of an occurrence that was active at its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub point: Arc<str>,
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
    /// What the audit log is to keep of it: losses, acts at the plant.
    pub entries: Vec<Entry>,
    /// The message that it came in, where a part of it could not be read.
    pub aside: Option<Aside>,
}

/// A message that is put aside, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    pub topic: String,
    pub why: String,
    pub payload: Vec<u8>,
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

impl Batch {
    /// Whether it holds nothing but readings.
    fn is_plain(&self) -> bool {
        self.lines.is_empty() && self.entries.is_empty() && self.aside.is_none() && !self.again
    }

    fn stream(&self) -> Option<u64> {
        self.offset.map(|offset| offset.stream)
    }
}

impl Records {
    /// Commits batches in one transaction; answers one outcome a batch, in order. On an error nothing was committed.
    pub async fn commit(&self, batches: &[Batch]) -> Result<Vec<Committed>, RecordsError> {
        let mut change = self.engine.begin().await?;
        let mut outcomes = vec![Committed::default(); batches.len()];
        for streak in streaks(batches) {
            let of_streak: Vec<&Batch> = streak.iter().map(|at| &batches[*at]).collect();
            let told = commit(&mut *change, &of_streak).await?;
            for (at, outcome) in streak.into_iter().zip(told) {
                outcomes[at] = outcome;
            }
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

/// The batches in streaks that are committed each as one: of one site and stream, in order, and with nothing but readings in them. Any other batch is
/// a streak of its own, between what came before and after it of its site.
fn streaks(batches: &[Batch]) -> Vec<Vec<usize>> {
    let mut streaks: Vec<Vec<usize>> = Vec::new();
    let mut newest: HashMap<&str, usize> = HashMap::new();
    for (at, batch) in batches.iter().enumerate() {
        let goes_on = newest.get(batch.site.as_str()).copied().filter(|streak| {
            let first = &batches[streaks[*streak][0]];
            first.is_plain() && batch.is_plain() && first.stream() == batch.stream()
        });
        match goes_on {
            Some(streak) => streaks[streak].push(at),
            None => {
                newest.insert(&batch.site, streaks.len());
                streaks.push(vec![at]);
            }
        }
    }
    streaks
}

async fn commit(
    change: &mut dyn Transaction,
    streak: &[&Batch],
) -> Result<Vec<Committed>, StoreError> {
    let mut outcomes = vec![Committed::default(); streak.len()];
    let Some(first) = streak.first() else {
        return Ok(outcomes);
    };
    let site = first.site.as_str();
    outcomes[0].back = birth::heard(change, site, first.received_ms).await?;
    if outcomes[0].back {
        change.tell(Notice::Site(site.to_owned()));
    }
    let newest_ms = streak.iter().map(|batch| batch.received_ms).max();
    if let Some(newest_ms) = newest_ms.filter(|newest_ms| *newest_ms > first.received_ms) {
        birth::heard(change, site, newest_ms).await?;
    }
    let offsets = streak.iter().filter_map(|batch| batch.offset);
    let offsets: Vec<i64> = offsets.map(|offset| offset.offset).collect();
    let (taken, epoch) = match first.stream() {
        None => (vec![Taken::Now { contiguous: false }; streak.len()], 0),
        Some(stream) => {
            let taken = offset::take(change, site, stream, &offsets).await?;
            (taken, epoch(change, site, stream).await?)
        }
    };
    let mut samples = Vec::new();
    let mut complete: Option<&Batch> = None;
    for ((batch, taken), outcome) in streak.iter().zip(taken).zip(&mut outcomes) {
        match taken {
            Taken::Before if !batch.again => {
                outcome.duplicate = true;
                continue;
            }
            Taken::Now { contiguous: true } => {
                let is_newer = complete.is_none_or(|held| held.newest_ms < batch.newest_ms);
                complete = if is_newer { Some(batch) } else { complete };
            }
            Taken::Before | Taken::Now { .. } => {}
        }
        outcome.transitions = lines_of(change, batch, epoch).await?;
        samples.extend_from_slice(&batch.samples);
    }
    occurrence::sample(change, site, &samples).await?;
    if let Some(batch) = complete {
        gap::fill(change, site, batch.newest_ms, batch.received_ms).await?;
    }
    Ok(outcomes)
}

/// Keeps a batch's lines and what follows from them, and all that is no reading; answers the lines that were new.
async fn lines_of(
    change: &mut dyn Transaction,
    batch: &Batch,
    epoch: i64,
) -> Result<Vec<Transition>, StoreError> {
    let mut transitions = Vec::new();
    for line in &batch.lines {
        let transition = received(batch, epoch, line);
        if change
            .execute(transition::INSERT, transition::values_of(&transition))
            .await?
            > 0
        {
            let number = transition.line.seq;
            change.tell(Notice::Line(batch.site.clone(), epoch, number));
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
        change.tell(Notice::Alarm(batch.site.clone(), alarm.to_owned()));
    }
    for entry in &batch.entries {
        audit::append(change, entry).await?;
    }
    if let Some(Aside {
        topic,
        why,
        payload,
    }) = &batch.aside
    {
        quarantine::put(change, topic, batch.received_ms, why, payload).await?;
    }
    Ok(transitions)
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

/// All that a story is told of.
const OF_OCCURRENCE: &str = "t.occurrence = $4 ORDER BY t.seq LIMIT 1000";

async fn story(
    change: &mut dyn Transaction,
    site: &str,
    epoch: i64,
    alarm: &str,
    number: u32,
) -> Result<Option<Story>, StoreError> {
    let of = |number| values![site, epoch, alarm, number];
    let lines = lines(change, OF_OCCURRENCE, of(number)).await?;
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

fn of_alarm(rest: &str) -> String {
    format!(
        "SELECT {} FROM transitions t WHERE t.site = $1 AND t.epoch = $2 AND t.alarm = $3 AND {rest}",
        transition::COLUMNS
    )
}

async fn lines(
    change: &mut dyn Transaction,
    rest: &str,
    values: Vec<super::engine::Value>,
) -> Result<Vec<Transition>, StoreError> {
    change
        .rows(&of_alarm(rest), values)
        .await?
        .iter()
        .map(|row: &Row| transition::transition(row))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Records;
    use super::*;

    #[tokio::test]
    async fn a_story_is_told_without_a_look_at_other_occurrences() {
        let folder = tempfile::tempdir().expect("a folder");
        let records = Records::open(&folder.path().join("records.db"), 0).await;
        let records = records.expect("records");
        let values = values!["s", 1_i64, "a", 2_i64];
        let plan = records.plan(&of_alarm(OF_OCCURRENCE), values).await;
        let way = "alarm=? AND epoch=? AND occurrence=?";
        assert!(
            plan.contains(way) && !plan.contains("TEMP B-TREE"),
            "{plan}"
        );
    }
}
