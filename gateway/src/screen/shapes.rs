//! The JSON of docs/api.md, made from the present picture. Nothing here decides anything.

use crate::journal::{Names, Series, Transition as Line};
use crate::live::{AlarmNow, HornNow, OutputNow, Picture, ValueNow};
use crate::model::TextModel;
use crate::uplink;
use davy_alarm::{NoValue, Quality, WallMs};
use davy_config::site::{Point, Site, Subject};
use davy_kpi::FloodNow;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct Value<'a> {
    point: &'a str,
    value: Option<f64>,
    cause: Option<&'static str>,
    quality: &'static str,
    time_ms: i64,
}

#[derive(Debug, Serialize)]
pub struct Alarm<'a> {
    site: &'a str,
    id: &'a str,
    point: Option<&'a str>,
    device: &'a str,
    area: Option<&'a str>,
    condition: &'static str,
    priority: u8,
    name: TextModel<'a>,
    state: &'static str,
    active: bool,
    acknowledged: bool,
    latched: bool,
    suppressed: Vec<&'static str>,
    occurrence: u32,
    seq: u64,
    raised_ms: Option<i64>,
    changed_ms: Option<i64>,
    cleared_ms: Option<i64>,
    acknowledged_ms: Option<i64>,
    value_then: Option<f64>,
    cause_then: Option<&'static str>,
    limit: Option<f64>,
    unit: &'a str,
    actor: Option<&'a str>,
    reason: Option<&'a str>,
    shelved_until_ms: Option<i64>,
    guidance: Option<TextModel<'a>>,
    late: bool,
    /// Whether a remote party may shelve it: gas level 2 never (R15).
    remote: bool,
}

#[derive(Debug, Serialize)]
pub struct Output<'a> {
    id: &'a str,
    demand: bool,
    feedback: Option<bool>,
    /// Why there is no read-back; null when there is one.
    cause: Option<&'static str>,
    since_ms: i64,
}

#[derive(Debug, Serialize)]
pub struct Horn {
    sounding: bool,
    priority: Option<u8>,
    silenced: bool,
}

/// How a link does and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// `up`, `down` or `off` (not configured).
    state: &'static str,
    since_ms: i64,
}

/// The cloud's link: up while acknowledgements come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CloudLink {
    /// As a [`Link`]'s, or `behind`: up, and batches wait behind newer ones.
    state: &'static str,
    since_ms: i64,
    /// Batches in the journal that the cloud has not committed.
    backlog_batches: u64,
}

/// Both links of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Links {
    broker: Link,
    cloud: CloudLink,
}

impl Links {
    pub fn of(links: &uplink::Links) -> Self {
        Self {
            broker: Link {
                state: links.broker.state.name(),
                since_ms: links.broker.since.0,
            },
            cloud: CloudLink {
                state: links.cloud.state.name(),
                since_ms: links.cloud.since.0,
                backlog_batches: links.cloud.backlog_batches,
            },
        }
    }
}

/// The whole picture; `links` comes from the uplink.
#[derive(Debug, Serialize)]
pub struct Snapshot<'a> {
    /// Of the site file: whoever knows another asks `GET /api/site` again.
    pub digest: &'a str,
    pub time_ms: i64,
    pub values: Vec<Value<'a>>,
    pub alarms: Vec<Alarm<'a>>,
    pub outputs: Vec<Output<'a>>,
    pub horn: Horn,
    pub links: Links,
    pub flood: FloodNow,
}

impl<'a> Snapshot<'a> {
    /// Only alarms that are not normal are listed.
    pub fn of(
        site: &'a Site,
        picture: &'a Picture,
        links: Links,
        flood: FloodNow,
        now: WallMs,
    ) -> Self {
        Self {
            digest: &site.digest,
            time_ms: now.0,
            values: picture
                .values
                .iter()
                .map(|value| self::value(site, value))
                .collect(),
            alarms: picture
                .alarms
                .iter()
                .filter(|alarm| alarm.shown != davy_alarm::Shown::Normal)
                .map(|now| alarm(site, now))
                .collect(),
            outputs: picture
                .outputs
                .iter()
                .map(|now| output(site, now))
                .collect(),
            horn: horn(picture.horn),
            links,
            flood,
        }
    }
}

pub fn value<'a>(site: &'a Site, now: &ValueNow) -> Value<'a> {
    let quality = if now.stale {
        Quality::Stale
    } else {
        now.reading.quality()
    };
    let (value, cause) = split(now.reading.value());
    Value {
        point: &site.points[now.point.0].id,
        value,
        cause,
        quality: quality_name(quality),
        time_ms: now.reading.source_time().0,
    }
}

pub fn alarm<'a>(site: &'a Site, now: &'a AlarmNow) -> Alarm<'a> {
    let configured = &site.alarms[now.alarm.0];
    let definition = &configured.definition;
    let point = match configured.subject {
        Subject::Point(point) => Some(&site.points[point.0]),
        Subject::Device(_) | Subject::Vote(_) | Subject::Output(_) | Subject::Manual(_) => None,
    };
    let (value_then, cause_then) = now.value_then.map_or((None, None), split);
    Alarm {
        site: &site.id,
        id: &configured.id,
        point: point.map(|point| point.id.as_str()),
        device: &site.devices[site.home(now.alarm).0].id,
        area: site
            .area_of(configured.subject)
            .map(|area| area.id.as_str()),
        condition: definition.condition.suffix(),
        priority: definition.priority.number(),
        name: site.name_of(configured.subject).into(),
        state: now.shown.name(),
        active: now.active,
        acknowledged: now.acknowledged,
        latched: now.latched,
        suppressed: suppressed(now),
        occurrence: now.occurrence,
        seq: now.seq,
        raised_ms: ms(now.raised),
        changed_ms: ms(now.changed),
        cleared_ms: ms(now.cleared),
        acknowledged_ms: ms(now.acknowledged_at),
        value_then,
        cause_then,
        limit: definition.condition.set_point(),
        unit: point.map_or("", |point| &point.unit),
        actor: now.actor.as_deref(),
        reason: now.reason.as_deref(),
        shelved_until_ms: ms(now.shelved_until),
        guidance: configured.guidance.as_deref().map(TextModel::from),
        late: false,
        remote: !definition.gas_level_2,
    }
}

pub fn output<'a>(site: &'a Site, now: &OutputNow) -> Output<'a> {
    Output {
        id: &site.outputs[now.output.0].id,
        demand: now.demand,
        feedback: now.feedback,
        cause: now.feedback.is_none().then_some("timeout"),
        since_ms: now.since.0,
    }
}

pub fn horn(now: HornNow) -> Horn {
    Horn {
        sounding: now.sounding,
        priority: now.priority.map(|priority| priority.number()),
        silenced: now.silenced,
    }
}

fn split(value: Result<f64, NoValue>) -> (Option<f64>, Option<&'static str>) {
    match value {
        Ok(value) => (Some(value), None),
        Err(cause) => (None, Some(cause.name())),
    }
}

fn quality_name(quality: Quality) -> &'static str {
    match quality {
        Quality::Good => "good",
        Quality::Uncertain => "uncertain",
        Quality::Bad => "bad",
        Quality::Stale => "stale",
    }
}

fn suppressed(now: &AlarmNow) -> Vec<&'static str> {
    let set = [
        (now.out_of_service, "out-of-service"),
        (now.shelved, "shelved"),
        (now.suppressed_by_design, "by-design"),
    ];
    set.into_iter()
        .filter_map(|(holds, name)| holds.then_some(name))
        .collect()
}

fn ms(time: Option<WallMs>) -> Option<i64> {
    time.map(|time| time.0)
}

/// One line of the alarm journal.
#[derive(Debug, Serialize)]
pub struct Transition<'a> {
    site: &'a str,
    seq: u64,
    alarm: &'a str,
    occurrence: u32,
    from: &'static str,
    to: &'static str,
    cause: &'static str,
    time_ms: i64,
    value: Option<f64>,
    value_cause: Option<&'static str>,
    limit: Option<f64>,
    priority: u8,
    actor: Option<&'a str>,
    reason: Option<&'a str>,
    late: bool,
}

/// `names` are those of the segment that the line was written in: the site file may have changed since.
pub fn transition<'a>(site: &'a Site, names: &'a Names, line: &'a Line) -> Transition<'a> {
    let (value, value_cause) = line.value.map_or((None, None), split);
    let person = line.person.as_ref();
    Transition {
        site: &site.id,
        seq: line.seq,
        alarm: alarm_id(names, line),
        occurrence: line.occurrence,
        from: line.from.name(),
        to: line.to.name(),
        cause: line.cause.name(),
        time_ms: line.time.0,
        value,
        value_cause,
        limit: line.limit,
        priority: line.priority,
        actor: person.map(|person| &*person.actor),
        reason: person.and_then(|person| person.reason.as_deref()),
        late: false,
    }
}

/// The alarm's id as it was when the line was written.
pub fn alarm_id<'a>(names: &'a Names, line: &Line) -> &'a str {
    let name = usize::try_from(line.alarm).ok();
    name.and_then(|name| names.alarms.get(name))
        .map_or("", |name| &**name)
}

/// One point's trend, by columns of equal length.
#[derive(Debug, Default, Serialize)]
pub struct Columns<'a> {
    point: &'a str,
    unit: &'a str,
    step_ms: i64,
    time_ms: Vec<i64>,
    min: Vec<Option<f64>>,
    max: Vec<Option<f64>>,
    mean: Vec<Option<f64>>,
    count: Vec<u32>,
    good: Vec<f64>,
    cause: Vec<Option<&'static str>>,
}

pub fn columns<'a>(point: &'a Point, series: &Series) -> Columns<'a> {
    let mut columns = Columns {
        point: &point.id,
        unit: &point.unit,
        step_ms: series.step_ms,
        ..Columns::default()
    };
    for bucket in &series.buckets {
        columns.time_ms.push(bucket.time.0);
        columns.min.push(bucket.values.map(|values| values.min));
        columns.max.push(bucket.values.map(|values| values.max));
        columns.mean.push(bucket.values.map(|values| values.mean));
        columns.count.push(bucket.count);
        columns.good.push(bucket.good);
        columns.cause.push(bucket.cause.map(NoValue::name));
    }
    columns
}
