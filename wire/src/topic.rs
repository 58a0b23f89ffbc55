//! Topics: `spBv1.0/<group>/<verb>/<edge>[/<device>]` and `spBv1.0/STATE/<host>`.

use std::fmt;

const NAMESPACE: &str = "spBv1.0";

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    NodeBirth,
    NodeDeath,
    DeviceBirth,
    DeviceDeath,
    NodeData,
    DeviceData,
    NodeCommand,
    DeviceCommand,
}

const VERBS: [(&str, Verb); 8] = [
    ("NBIRTH", Verb::NodeBirth),
    ("NDEATH", Verb::NodeDeath),
    ("DBIRTH", Verb::DeviceBirth),
    ("DDEATH", Verb::DeviceDeath),
    ("NDATA", Verb::NodeData),
    ("DDATA", Verb::DeviceData),
    ("NCMD", Verb::NodeCommand),
    ("DCMD", Verb::DeviceCommand),
];

/// A parsed topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    State {
        host: String,
    },
    Message {
        group: String,
        verb: Verb,
        edge: String,
        device: Option<String>,
    },
}

/// Not a topic of this namespace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a Sparkplug topic")]
pub struct TopicError(String);

impl Topic {
    pub fn node(group: &str, verb: Verb, edge: &str) -> Self {
        Self::Message {
            group: group.into(),
            verb,
            edge: edge.into(),
            device: None,
        }
    }

    pub fn device(group: &str, verb: Verb, edge: &str, device: &str) -> Self {
        Self::Message {
            group: group.into(),
            verb,
            edge: edge.into(),
            device: Some(device.into()),
        }
    }

    /// Reads a topic name.
    ///
    /// # Errors
    /// Another namespace, an unknown verb, an empty id, or a device where none belongs.
    pub fn parse(topic: &str) -> Result<Self, TopicError> {
        let parts: Vec<&str> = topic.split('/').collect();
        let bad = || TopicError(topic.to_owned());
        if parts.iter().any(|part| part.is_empty()) {
            return Err(bad());
        }
        match parts[..] {
            [NAMESPACE, "STATE", host] => Ok(Self::State { host: host.into() }),
            [NAMESPACE, group, verb, edge] => verb_of(verb, false)
                .map(|verb| Self::node(group, verb, edge))
                .ok_or_else(bad),
            [NAMESPACE, group, verb, edge, device] => verb_of(verb, true)
                .map(|verb| Self::device(group, verb, edge, device))
                .ok_or_else(bad),
            _ => Err(bad()),
        }
    }
}

fn verb_of(name: &str, device: bool) -> Option<Verb> {
    (name.starts_with('D') == device)
        .then(|| {
            VERBS
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, verb)| *verb)
        })
        .flatten()
}

impl fmt::Display for Topic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State { host } => write!(formatter, "{NAMESPACE}/STATE/{host}"),
            Self::Message {
                group,
                verb,
                edge,
                device,
            } => {
                let name = VERBS
                    .iter()
                    .find(|(_, known)| known == verb)
                    .map_or("", |(name, _)| *name);
                write!(formatter, "{NAMESPACE}/{group}/{name}/{edge}")?;
                device
                    .iter()
                    .try_for_each(|device| write!(formatter, "/{device}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_read_back_as_they_were_written() {
        for topic in [
            Topic::node("g", Verb::NodeData, "e"),
            Topic::device("g", Verb::DeviceCommand, "e", "d"),
            Topic::State { host: "h".into() },
        ] {
            assert_eq!(Topic::parse(&topic.to_string()), Ok(topic));
        }
    }

    #[test]
    fn other_topics_are_refused() {
        for topic in [
            "spAv1.0/g/NDATA/e",
            "spBv1.0/g/NDATA",
            "spBv1.0/g/NDATA/e/d",
            "spBv1.0/g/DDATA/e",
            "spBv1.0//NDATA/e",
            "spBv1.0/g/XDATA/e",
            "",
        ] {
            assert!(Topic::parse(topic).is_err(), "{topic}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_topic_makes_the_reader_panic_and_what_it_reads_is_what_was_written(
            parts in proptest::collection::vec("spBv1.0|STATE|NDATA|DCMD|DBIRTH|\\PC{0,6}", 0..7),
        ) {
            let text = parts.join("/");
            if let Ok(topic) = Topic::parse(&text) {
                proptest::prop_assert_eq!(topic.to_string(), text);
            }
        }
    }
}
