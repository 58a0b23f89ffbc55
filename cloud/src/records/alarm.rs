//! The present state of every alarm, as its newest transitions or a birth tell it.

use super::birth::BornAlarm;
use super::condition::{Condition, Scope};
use super::engine::{Row, StoreError, Transaction, Value, values};
use super::fold::{Standing, Story, Suppressed, is_active};
use super::site::Text;
use super::subject::{self, Subject};
use super::transition::{self, Line, condition_of, number};
use super::{Records, RecordsError};
use davy_alarm::{NoValue, Priority, Shown};

/// One alarm as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    pub site: String,
    pub id: String,
    pub state: Shown,
    pub active: bool,
    pub latched: bool,
    pub suppressed: Suppressed,
    /// `HH H L LL ON BAD STALE COMMS`, or what a third party calls its own.
    pub condition: String,
    pub priority: Priority,
    pub occurrence: u32,
    /// Of its newest transition.
    pub seq: u64,
    /// The present occurrence's activation; none before the first.
    pub raised_ms: Option<i64>,
    pub changed_ms: i64,
    pub cleared_ms: Option<i64>,
    pub acknowledged_ms: Option<i64>,
    /// What the activation carried.
    pub value_then: Option<f64>,
    pub cause_then: Option<NoValue>,
    pub limit: Option<f64>,
    pub actor: Option<String>,
    pub reason: Option<String>,
    pub shelved_until_ms: Option<i64>,
    pub late: bool,
    pub subject: Subject,
    pub guidance: Option<Text>,
}

impl Alarm {
    /// Whether nobody needs to acknowledge it.
    pub fn is_acknowledged(&self) -> bool {
        !self.state.is_annunciated()
    }
}

const SELECT: &str = "SELECT a.site, a.alarm, a.seq, a.state, a.active, a.latched, a.suppressed, a.condition, a.priority, \
    a.occurrence, a.raised_ms, a.changed_ms, a.cleared_ms, a.acknowledged_ms, a.value, a.value_cause, a.set_point, a.actor, a.reason, \
    a.shelved_until_ms, a.late, g.zh, g.en, ";
const FROM: &str = " FROM alarms a JOIN sites s ON s.site = a.site LEFT JOIN guidance g ON g.site = a.site AND g.alarm = a.alarm \
    LEFT JOIN subjects n ON n.site = a.site AND n.subject = a.subject";

impl Records {
    /// Every alarm of the scope that is not `NORM`, worst first.
    pub async fn standing_alarms(&self, scope: &Scope) -> Result<Vec<Alarm>, RecordsError> {
        let mut condition = Condition::default();
        condition.add("a.state <> 0", []);
        condition.within(scope);
        self.alarms(condition).await
    }

    /// One alarm, whatever its state; none if it never left `NORM`.
    pub async fn alarm(&self, site: &str, alarm: &str) -> Result<Option<Alarm>, RecordsError> {
        Ok(self.alarms_named(site, &[alarm.to_owned()]).await?.pop())
    }

    pub(crate) async fn alarms_named(
        &self,
        site: &str,
        names: &[String],
    ) -> Result<Vec<Alarm>, RecordsError> {
        if names.is_empty() {
            return Ok(vec![]);
        }
        let mut condition = Condition::default();
        condition.add("a.site = ?", [Value::from(site)]);
        let places = vec!["?"; names.len()].join(", ");
        condition.add(
            &format!("a.alarm IN ({places})"),
            names.iter().map(Value::from),
        );
        self.alarms(condition).await
    }

    async fn alarms(&self, condition: Condition) -> Result<Vec<Alarm>, RecordsError> {
        let sql = format!(
            "{SELECT}{}{FROM}{} ORDER BY a.priority, a.raised_ms DESC, a.site, a.alarm",
            subject::COLUMNS,
            condition.sql()
        );
        let rows = self.engine.read(sql, condition.values).await?;
        Ok(rows.iter().map(alarm).collect::<Result<_, _>>()?)
    }
}

fn alarm(row: &Row) -> Result<Alarm, StoreError> {
    Ok(Alarm {
        site: row.text(0)?,
        id: row.text(1)?,
        seq: row.int(2)? as u64,
        state: number(row.int(3)?, "alarm state", transition::shown)?,
        active: row.flag(4)?,
        latched: row.flag(5)?,
        suppressed: Suppressed::from_bits(row.int(6)?),
        condition: row.text(7)?,
        priority: number(row.int(8)?, "priority", transition::priority)?,
        occurrence: number(row.int(9)?, "occurrence", |code| u32::try_from(code).ok())?,
        raised_ms: row.maybe_int(10)?,
        changed_ms: row.int(11)?,
        cleared_ms: row.maybe_int(12)?,
        acknowledged_ms: row.maybe_int(13)?,
        value_then: row.maybe_real(14)?,
        cause_then: transition::no_value(row.maybe_int(15)?)?,
        limit: row.maybe_real(16)?,
        actor: row.maybe_text(17)?,
        reason: row.maybe_text(18)?,
        shelved_until_ms: row.maybe_int(19)?,
        late: row.flag(20)?,
        guidance: row
            .maybe_text(21)?
            .zip(row.maybe_text(22)?)
            .map(|(zh, en)| Text { zh, en }),
        subject: subject::subject(row, 23)?,
    })
}

const UPSERT: &str = "INSERT INTO alarms (site, alarm, subject, epoch, seq, state, active, latched, suppressed, condition, priority, occurrence, raised_ms, \
    changed_ms, cleared_ms, acknowledged_ms, value, value_cause, set_point, actor, reason, shelved_until_ms, late) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23) \
    ON CONFLICT (site, alarm) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, state = excluded.state, active = excluded.active, \
    latched = excluded.latched, suppressed = excluded.suppressed, priority = excluded.priority, occurrence = excluded.occurrence, \
    raised_ms = excluded.raised_ms, changed_ms = excluded.changed_ms, cleared_ms = excluded.cleared_ms, \
    acknowledged_ms = excluded.acknowledged_ms, value = excluded.value, value_cause = excluded.value_cause, set_point = excluded.set_point, \
    actor = excluded.actor, reason = excluded.reason, shelved_until_ms = excluded.shelved_until_ms, late = excluded.late \
    WHERE excluded.epoch > alarms.epoch OR (excluded.epoch = alarms.epoch AND excluded.seq >= alarms.seq)";

/// What the newest lines say of an alarm.
pub(crate) struct Newest<'a> {
    pub(crate) site: &'a str,
    pub(crate) epoch: i64,
    /// The newest line.
    pub(crate) last: &'a Line,
    /// The line that began the present occurrence, if it is known.
    pub(crate) raise: Option<&'a Line>,
    pub(crate) standing: Standing,
    pub(crate) story: Option<Story>,
}

/// Writes the state that the lines tell, unless a newer one stands.
pub(crate) async fn put(
    change: &mut dyn Transaction,
    newest: Newest<'_>,
) -> Result<(), StoreError> {
    let Newest {
        site,
        epoch,
        last,
        raise,
        standing,
        story,
    } = newest;
    let raise_or_last = raise.unwrap_or(last);
    let story = story.as_ref();
    let values = values![
        site,
        &last.alarm,
        transition::subject_of(&last.alarm),
        epoch,
        last.seq as i64,
        i64::from(standing.state.code()),
        standing.active,
        standing.latched,
        i64::from(standing.suppressed.bits()),
        condition_of(&last.alarm),
        i64::from(last.priority.number()),
        last.occurrence,
        story.map(|story| story.raised_ms),
        last.time_ms,
        story.and_then(|story| story.cleared_ms),
        story.and_then(|story| story.acknowledged_ms),
        raise_or_last.value,
        raise_or_last
            .value_cause
            .map(|cause| i64::from(cause.code())),
        raise_or_last.limit,
        standing.actor,
        standing.reason,
        standing.shelved_until_ms,
        story.is_some_and(|story| story.late),
    ];
    change.execute(UPSERT, values).await?;
    Ok(())
}

/// Takes over what a birth says of an alarm, unless we hold that transition or a newer one. Answers whether anything changed.
pub(crate) async fn take_born(
    change: &mut dyn Transaction,
    site: &str,
    epoch: i64,
    born: &BornAlarm,
) -> Result<bool, StoreError> {
    let held = "SELECT epoch, seq, state, changed_ms FROM alarms WHERE site = $1 AND alarm = $2";
    let held = change.rows(held, values![site, &born.alarm]).await?;
    let state = i64::from(born.state.code());
    let seq = match held.first() {
        None if born.state == Shown::Normal => return Ok(false),
        None => born.seq.map_or(0, |seq| seq as i64),
        Some(row) if row.int(2)? == state => return Ok(false),
        Some(row) => match born.seq.map(|seq| seq as i64) {
            Some(seq) if (epoch, seq) <= (row.int(0)?, row.int(1)?) => return Ok(false),
            None if born.changed_ms <= row.int(3)? => return Ok(false),
            Some(seq) => seq,
            None => row.int(1)?,
        },
    };
    let active = is_active(born.state).unwrap_or(false);
    let raised_ms = active.then_some(born.changed_ms);
    let values = values![
        site,
        &born.alarm,
        transition::subject_of(&born.alarm),
        epoch,
        seq,
        state,
        active,
        matches!(
            born.state,
            Shown::LatchedUnacknowledged | Shown::LatchedAcknowledged
        ),
        i64::from(Suppressed::implied_by(born.state).bits()),
        condition_of(&born.alarm),
        i64::from(born.priority.number()),
        born.occurrence.unwrap_or(0),
        raised_ms,
        born.changed_ms,
        None::<i64>,
        None::<i64>,
        born.value,
        born.value_cause.map(|cause| i64::from(cause.code())),
        born.limit,
        None::<String>,
        None::<String>,
        None::<i64>,
        false,
    ];
    Ok(change.execute(UPSERT, values).await? > 0)
}
