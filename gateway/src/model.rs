//! The site as screens and the cloud know it: the JSON of `GET /api/site` and of the birth metric `Node Info/Model` (docs/api.md, docs/wire.md).

use davy_alarm::Condition;
use davy_config::site::{self, Site, Text};
use serde::Serialize;

/// What a site is made of, without its addresses, people's PINs and other things that nobody outside needs.
#[derive(Debug, Serialize)]
pub struct Model<'a> {
    pub id: &'a str,
    pub name: TextModel<'a>,
    pub digest: &'a str,
    pub areas: Vec<AreaModel<'a>>,
    pub devices: Vec<DeviceModel<'a>>,
    pub points: Vec<PointModel<'a>>,
    pub outputs: Vec<OutputModel<'a>>,
    pub effects: Vec<EffectModel<'a>>,
    pub votes: Vec<VoteModel<'a>>,
    pub manuals: Vec<ManualModel<'a>>,
}

/// A name in both languages.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TextModel<'a> {
    pub zh: &'a str,
    pub en: &'a str,
}

impl<'a> From<&'a Text> for TextModel<'a> {
    fn from(text: &'a Text) -> Self {
        Self {
            zh: &text.zh,
            en: &text.en,
        }
    }
}

#[derive(Debug, Serialize)]
pub struct AreaModel<'a> {
    pub id: &'a str,
    pub name: TextModel<'a>,
}

#[derive(Debug, Serialize)]
pub struct DeviceModel<'a> {
    pub id: &'a str,
    pub name: TextModel<'a>,
    pub bus: &'a str,
    pub unit: u8,
}

#[derive(Debug, Serialize)]
pub struct PointModel<'a> {
    pub id: &'a str,
    pub name: TextModel<'a>,
    pub area: &'a str,
    pub device: &'a str,
    pub kind: &'static str,
    pub unit: &'a str,
    pub low: f64,
    pub high: f64,
    pub decimals: u8,
    pub states: Option<[TextModel<'a>; 2]>,
    /// Else it is judged and recorded, and neither annunciates nor demands anything.
    pub armed: bool,
    pub limits: Vec<LimitModel<'a>>,
    /// Its alarm of a discrete state.
    pub on: Option<JudgedModel>,
    /// Its alarm of a bad value.
    pub bad: Option<JudgedModel>,
    /// How much later than at once its alarms may come (R23).
    pub may_wait_ms: u32,
    /// How often it is sent at the least.
    pub heartbeat_ms: u32,
}

/// How an alarm judges, beside its condition.
#[derive(Debug, Serialize)]
pub struct JudgedModel {
    /// The state that is an alarm; null where the condition is none of a state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<bool>,
    pub priority: u8,
    pub on_delay_ms: u32,
    pub off_delay_ms: u32,
}

/// An alarm limit of a point: only alarms with a set-point have one.
#[derive(Debug, Serialize)]
pub struct LimitModel<'a> {
    pub alarm: &'a str,
    pub condition: &'static str,
    pub set_point: f64,
    pub deadband: f64,
    pub on_delay_ms: u32,
    pub off_delay_ms: u32,
    /// Gas level 2: its trip must not wait.
    pub gas_level_2: bool,
    pub priority: u8,
    pub source: TextModel<'a>,
    pub guidance: Option<TextModel<'a>>,
}

#[derive(Debug, Serialize)]
pub struct OutputModel<'a> {
    pub id: &'a str,
    pub name: TextModel<'a>,
    pub area: &'a str,
    pub device: &'a str,
    pub kind: &'static str,
    pub latching: bool,
    pub min_run_ms: u32,
    /// What the field device takes when nobody writes to it any more; null where the site file does not say.
    pub fail_safe: Option<&'static str>,
    /// The point that shows what it does; null where its register's read-back does.
    pub feedback: Option<&'a str>,
    /// How long demand and feedback may disagree.
    pub timeout_ms: u32,
    /// Whether causes may switch it.
    pub armed: bool,
}

#[derive(Debug, Serialize)]
pub struct EffectModel<'a> {
    pub causes: Vec<&'a str>,
    pub outputs: Vec<&'a str>,
}

/// A cause that a person at the plant demands and ends.
#[derive(Debug, Serialize)]
pub struct ManualModel<'a> {
    pub id: &'a str,
    pub name: TextModel<'a>,
    pub area: &'a str,
    pub alarm: &'a str,
    pub priority: u8,
}

/// A voting group.
#[derive(Debug, Serialize)]
pub struct VoteModel<'a> {
    pub id: &'a str,
    pub name: TextModel<'a>,
    pub area: &'a str,
    pub members: Vec<&'a str>,
    pub needed: u8,
    pub fault: &'static str,
    pub safety: bool,
    /// The group's own alarms.
    pub alarms: [&'a str; 4],
}

impl<'a> Model<'a> {
    /// The model of a valid site; borrows every text from it.
    pub fn of(site: &'a Site) -> Self {
        Self {
            id: &site.id,
            name: (&site.name).into(),
            digest: &site.digest,
            areas: site.areas.iter().map(area).collect(),
            devices: site
                .devices
                .iter()
                .map(|device| device_model(site, device))
                .collect(),
            points: site
                .points
                .iter()
                .map(|point| point_model(site, point))
                .collect(),
            outputs: site
                .outputs
                .iter()
                .map(|output| output_model(site, output))
                .collect(),
            effects: site
                .effects
                .iter()
                .map(|effect| effect_model(site, effect))
                .collect(),
            votes: site
                .votes
                .iter()
                .map(|vote| vote_model(site, vote))
                .collect(),
            manuals: site
                .manuals
                .iter()
                .map(|manual| manual_model(site, manual))
                .collect(),
        }
    }
}

fn area(area: &site::Area) -> AreaModel<'_> {
    AreaModel {
        id: &area.id,
        name: (&area.name).into(),
    }
}

fn device_model<'a>(site: &'a Site, device: &'a site::Device) -> DeviceModel<'a> {
    DeviceModel {
        id: &device.id,
        name: (&device.name).into(),
        bus: &site.buses[device.bus.0].id,
        unit: device.unit,
    }
}

fn point_model<'a>(site: &'a Site, point: &'a site::Point) -> PointModel<'a> {
    PointModel {
        id: &point.id,
        name: (&point.name).into(),
        area: &site.areas[point.area].id,
        device: &site.devices[point.device.0].id,
        kind: point.kind.name(),
        unit: &point.unit,
        low: point.range.0,
        high: point.range.1,
        decimals: point.decimals,
        states: point
            .states
            .as_deref()
            .map(|(off, on)| [off.into(), on.into()]),
        armed: point.armed,
        limits: point
            .alarms
            .iter()
            .filter_map(|alarm| limit(&site.alarms[alarm.0]))
            .collect(),
        on: judged(site, point, |condition| match condition {
            Condition::Discrete { when } => Some(Some(*when)),
            _ => None,
        }),
        bad: judged(site, point, |condition| {
            matches!(condition, Condition::Bad).then_some(None)
        }),
        may_wait_ms: point
            .kind
            .may_wait_ms(site.devices[point.device.0].period_ms),
        heartbeat_ms: point.heartbeat_ms,
    }
}

/// The point's alarm of the condition that `is` knows.
fn judged(
    site: &Site,
    point: &site::Point,
    is: impl Fn(&Condition) -> Option<Option<bool>>,
) -> Option<JudgedModel> {
    let mut alarms = point.alarms.iter().map(|alarm| &site.alarms[alarm.0]);
    alarms.find_map(|alarm| {
        let definition = &alarm.definition;
        let when = is(&definition.condition).filter(|_| alarm.input == site::Input::Value)?;
        Some(JudgedModel {
            when,
            priority: definition.priority.number(),
            on_delay_ms: definition.on_delay_ms,
            off_delay_ms: definition.off_delay_ms,
        })
    })
}

/// Of what is a limit of the value itself.
fn limit(alarm: &site::Alarm) -> Option<LimitModel<'_>> {
    let condition = &alarm.definition.condition;
    let on_value = Some(condition).filter(|_| alarm.input == site::Input::Value);
    let (set_point, deadband) = on_value?.set_point().zip(condition.deadband())?;
    Some(LimitModel {
        alarm: &alarm.id,
        condition: alarm.definition.condition.suffix(),
        set_point,
        deadband,
        on_delay_ms: alarm.definition.on_delay_ms,
        off_delay_ms: alarm.definition.off_delay_ms,
        gas_level_2: alarm.definition.gas_level_2,
        priority: alarm.definition.priority.number(),
        source: (&*alarm.source).into(),
        guidance: alarm.guidance.as_deref().map(TextModel::from),
    })
}

fn output_model<'a>(site: &'a Site, output: &'a site::Output) -> OutputModel<'a> {
    OutputModel {
        id: &output.id,
        name: (&output.name).into(),
        area: &site.areas[output.area].id,
        device: &site.devices[output.device.0].id,
        kind: output.kind.name(),
        latching: output.latching,
        min_run_ms: output.min_run_ms,
        fail_safe: output.fail_safe.map(site::FailSafe::name),
        feedback: (output.feedback).map(|feedback| &*site.points[feedback.point.0].id),
        timeout_ms: site.alarms[output.failed.0].definition.on_delay_ms,
        armed: output.armed,
    }
}

fn effect_model<'a>(site: &'a Site, effect: &'a site::Effect) -> EffectModel<'a> {
    EffectModel {
        causes: effect
            .causes
            .iter()
            .map(|cause| site.alarms[cause.0].id.as_str())
            .collect(),
        outputs: effect
            .outputs
            .iter()
            .map(|output| site.outputs[output.0].id.as_str())
            .collect(),
    }
}

fn manual_model<'a>(site: &'a Site, manual: &'a site::Manual) -> ManualModel<'a> {
    let alarm = &site.alarms[manual.alarm.0];
    ManualModel {
        id: &manual.id,
        name: (&manual.name).into(),
        area: &site.areas[manual.area].id,
        alarm: &alarm.id,
        priority: alarm.definition.priority.number(),
    }
}

fn vote_model<'a>(site: &'a Site, vote: &'a site::Vote) -> VoteModel<'a> {
    let id = |alarm: site::AlarmIndex| site.alarms[alarm.0].id.as_str();
    VoteModel {
        id: &vote.id,
        name: (&vote.name).into(),
        area: &site.areas[vote.area].id,
        members: vote.members.iter().map(|member| id(member.alarm)).collect(),
        needed: vote.scheme.needed,
        fault: vote.scheme.fault.name(),
        safety: vote.scheme.safety,
        alarms: [vote.vote, vote.degraded, vote.unmonitored, vote.discrepancy].map(id),
    }
}
