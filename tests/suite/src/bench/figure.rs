//! A figure as people and tools read it: one line each.

use serde::Serialize;
use std::fmt;

/// One measured figure, with what the peers reached in the same run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    pub name: &'static str,
    /// `None` where nothing could be measured, which is never shown as 0.
    pub value: Option<f64>,
    pub unit: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<Peer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
}

/// A peer's value of the same figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Peer {
    pub name: &'static str,
    pub value: Option<f64>,
    /// Ours over theirs.
    pub ratio: Option<f64>,
}

/// What a figure should not exceed, or not fall short of, in its own unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Target {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    pub held: bool,
}

impl Figure {
    pub fn new(name: &'static str, value: Option<f64>, unit: &'static str) -> Self {
        Self {
            name,
            value: value.filter(|value| value.is_finite()),
            unit,
            peers: Vec::new(),
            target: None,
        }
    }

    /// Adds what a peer reached.
    pub fn beside(mut self, name: &'static str, value: Option<f64>) -> Self {
        let value = value.filter(|value| value.is_finite());
        let ratio = self.value.zip(value).map(|(ours, theirs)| ours / theirs);
        let ratio = ratio.filter(|ratio| ratio.is_finite());
        self.peers.push(Peer { name, value, ratio });
        self
    }

    /// Holds the figure against a target. What could not be measured has missed it.
    pub fn at_most(mut self, at_most: f64) -> Self {
        let held = self.value.is_some_and(|value| value.abs() <= at_most);
        self.target = Some(Target {
            at_most: Some(at_most),
            at_least: None,
            held,
        });
        self
    }

    /// As [`Figure::at_most`], for what must be reached.
    pub fn at_least(mut self, at_least: f64) -> Self {
        let held = self.value.is_some_and(|value| value >= at_least);
        self.target = Some(Target {
            at_most: None,
            at_least: Some(at_least),
            held,
        });
        self
    }

    /// The figure as one JSON object.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("names and finite numbers are always JSON")
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = spelt(self.value);
        write!(formatter, "{:<40} {value:>9} {}", self.name, self.unit)?;
        for peer in &self.peers {
            write!(formatter, "  | {} {}", peer.name, spelt(peer.value))?;
            if let Some(ratio) = peer.ratio {
                write!(formatter, " (ratio {ratio:.2})")?;
            }
        }
        if let Some(target) = self.target {
            let verdict = if target.held { "held" } else { "missed" };
            if let Some(at_most) = target.at_most {
                write!(formatter, "  | at most {at_most} {verdict}")?;
            }
            if let Some(at_least) = target.at_least {
                write!(formatter, "  | at least {at_least} {verdict}")?;
            }
        }
        Ok(())
    }
}

/// Three figures that count, without an exponent.
fn spelt(value: Option<f64>) -> String {
    let Some(value) = value else {
        return "none".to_owned();
    };
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_value_unit_peer_ratio_and_verdict() {
        let figure = Figure::new("edge cpu", Some(0.3), "CPU-s/min")
            .beside("bare", Some(0.15))
            .at_most(0.2);
        let line = figure.to_string();
        assert!(
            line.ends_with("0.300 CPU-s/min  | bare 0.150 (ratio 2.00)  | at most 0.2 missed"),
            "{line}"
        );
    }

    #[test]
    fn what_was_not_measured_is_no_zero_and_holds_no_target() {
        let figure = Figure::new("edge cpu", Some(f64::NAN), "s")
            .beside("bare", Some(0.0))
            .at_most(1.0);
        assert_eq!(figure.value, None);
        assert_eq!(figure.target.map(|target| target.held), Some(false));
        let json: serde_json::Value =
            serde_json::from_str(&figure.json()).expect("a figure is JSON");
        assert_eq!(json["value"], serde_json::Value::Null);
        assert_eq!(json["peers"][0]["ratio"], serde_json::Value::Null);
    }

    #[test]
    fn a_drift_backwards_counts_like_one_forwards() {
        let drift = Figure::new("drift", Some(-3.0), "ms/min").at_most(2.0);
        assert_eq!(drift.target.map(|target| target.held), Some(false));
    }
}
