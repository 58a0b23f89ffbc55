//! Whether each part of the gateway does its work: what `GET /healthz` says and what a supervisor acts on.

use serde::Serialize;

/// How a part does, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Ok,
    /// Something outside is away (a device, the broker, the cloud) or the record has a gap; judgement and outputs work.
    Degraded,
    /// Judgement does not turn: alarms are not being judged. The answer is then 503.
    Failed,
}

/// One part and how it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    pub name: String,
    pub status: Status,
    /// What is wrong, in English, for logs and tools; empty if nothing is.
    pub detail: String,
}

impl Part {
    /// A part that does its work unless `trouble` names what is wrong.
    pub fn new(name: impl Into<String>, trouble: Option<(Status, String)>) -> Self {
        let (status, detail) = trouble.unwrap_or((Status::Ok, String::new()));
        Self {
            name: name.into(),
            status,
            detail,
        }
    }
}

/// All parts, and the worst of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    pub status: Status,
    pub parts: Vec<Part>,
}

impl Health {
    /// As bad as its worst part.
    pub fn of(parts: Vec<Part>) -> Self {
        let status = parts
            .iter()
            .map(|part| part.status)
            .max()
            .unwrap_or(Status::Ok);
        Self { status, parts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_as_healthy_as_its_worst_part() {
        let well = Part::new("journal", None);
        let away = Part::new("broker", Some((Status::Degraded, "down".into())));
        let stuck = Part::new(
            "judgement",
            Some((Status::Failed, "no turn for 5 s".into())),
        );
        assert_eq!(Health::of(vec![]).status, Status::Ok);
        assert_eq!(
            Health::of(vec![well.clone(), away.clone()]).status,
            Status::Degraded
        );
        assert_eq!(Health::of(vec![well, stuck, away]).status, Status::Failed);
    }
}
