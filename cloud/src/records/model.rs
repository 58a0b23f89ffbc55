//! What a gateway says of itself at birth (`Node Info/Model`): the JSON of its own `GET /api/site`. Read leniently: a part that a third party's
//! node or an older gateway leaves out is empty, a part that we do not know is passed over.

use super::site::Text;
use super::transition::subject_of;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A site as its gateway describes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Model {
    pub id: String,
    pub name: Text,
    pub digest: String,
    pub areas: Vec<ModelArea>,
    pub devices: Vec<ModelDevice>,
    pub points: Vec<ModelPoint>,
    pub outputs: Vec<ModelOutput>,
    pub effects: Vec<Effect>,
    pub votes: Vec<ModelVote>,
    pub people: Vec<ModelPerson>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ModelArea {
    pub id: String,
    pub name: Text,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ModelDevice {
    pub id: String,
    pub name: Text,
    pub bus: String,
    /// Modbus unit id; none for a device of a third party's node.
    pub unit: Option<u16>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ModelPoint {
    pub id: String,
    pub name: Text,
    pub area: String,
    pub device: String,
    pub kind: String,
    /// Engineering unit; empty for discrete points.
    pub unit: String,
    /// Measuring range in the engineering unit.
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub decimals: Option<u8>,
    /// What 0 and 1 are called.
    pub states: Option<[Text; 2]>,
    pub limits: Vec<ModelLimit>,
    /// Its alarm of a discrete state.
    pub on: Option<ModelJudged>,
    /// Its alarm of a bad value.
    pub bad: Option<ModelJudged>,
    /// How much later than at once its alarms may come; none where an older gateway does not say.
    pub may_wait_ms: Option<u32>,
    /// How often it is sent at the least; none where an older gateway does not say.
    pub heartbeat_ms: Option<u32>,
}

/// How an alarm judges, beside its condition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ModelJudged {
    /// The state that is an alarm; none where the condition is none of a state.
    pub when: Option<bool>,
    pub priority: Option<u8>,
    pub on_delay_ms: Option<u32>,
    pub off_delay_ms: Option<u32>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ModelLimit {
    pub alarm: String,
    pub condition: String,
    /// In the point's unit; none where the condition has none.
    pub set_point: Option<f64>,
    pub deadband: Option<f64>,
    /// None where an older gateway does not say.
    pub on_delay_ms: Option<u32>,
    pub off_delay_ms: Option<u32>,
    pub gas_level_2: Option<bool>,
    pub priority: Option<u8>,
    /// Where it is from; an older gateway tells it in one text.
    #[serde(deserialize_with = "in_both_languages")]
    pub source: Text,
    pub guidance: Option<Text>,
}

/// A text of both languages, or one for either.
fn in_both_languages<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Told {
        Both(Text),
        One(String),
    }
    Ok(match Option::deserialize(from)? {
        None => Text::default(),
        Some(Told::Both(text)) => text,
        Some(Told::One(text)) => Text {
            zh: text.clone(),
            en: text,
        },
    })
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ModelOutput {
    pub id: String,
    pub name: Text,
    pub area: String,
    /// That it hangs on; empty where an older gateway does not say.
    pub device: String,
    pub kind: String,
    pub latching: bool,
}

/// One line of the cause-and-effect table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Effect {
    pub causes: Vec<String>,
    pub outputs: Vec<String>,
}

/// A voting group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ModelVote {
    pub id: String,
    pub name: Text,
    pub area: String,
    /// Alarms; the group's own live on the device of the first one's point.
    pub members: Vec<String>,
    pub needed: u8,
    /// `exclude` or `vote-trip`.
    pub fault: String,
    pub safety: bool,
    /// The group's own.
    pub alarms: Vec<String>,
}

impl Model {
    /// The device on which a group's alarms live; empty where the model does not tell.
    pub(crate) fn home_of(&self, vote: &ModelVote) -> &str {
        let first = vote.members.first().map(|member| subject_of(member));
        let point = first.and_then(|id| self.points.iter().find(|point| point.id == id));
        point.map_or("", |point| &point.device)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ModelPerson {
    pub id: String,
    pub name: String,
    pub role: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_a_limit_is_read_in_two_languages_in_one_and_in_none() {
        let check = |told: &str, zh: &str, en: &str| {
            let limit: ModelLimit = serde_json::from_str(told).expect("a limit");
            let (zh, en) = (zh.to_owned(), en.to_owned());
            assert_eq!(limit.source, Text { zh, en }, "{told}");
        };
        check(
            r#"{"source":{"zh":"标准","en":"standard"}}"#,
            "标准",
            "standard",
        );
        check(r#"{"source":"GB/T 50493"}"#, "GB/T 50493", "GB/T 50493");
        check(r#"{"source":null}"#, "", "");
        check("{}", "", "");
    }
}
