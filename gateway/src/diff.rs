//! `davy-gateway check --diff`: what a site file changes of another, what protects less first.

use crate::message;
use davy_config::{Change, Difference, Language, weakens};
use serde::{Deserialize, Serialize};

/// Every difference; those that protect less come first.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Diff {
    weaker: usize,
    differences: Vec<Told>,
}

/// One difference as it is told, also over the interface.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Told {
    /// It loosens an alarm or takes protection away.
    weakens: bool,
    part: String,
    id: String,
    change: Kind,
    /// Of a changed one: which key, and what it said and says; null is absent.
    key: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Added,
    Removed,
    Changed,
}

impl Diff {
    /// Of the differences from what runs, or ran, to what shall.
    pub(crate) fn of(differences: Vec<Difference>) -> Self {
        let mut told: Vec<Told> = differences.into_iter().map(Told::of).collect();
        told.sort_by_key(|told| !told.weakens);
        Self {
            weaker: told.iter().filter(|told| told.weakens).count(),
            differences: told,
        }
    }

    /// Those alone that loosen an alarm or take protection away.
    pub(crate) fn weaker(self) -> Vec<Told> {
        let mut told = self.differences;
        told.truncate(self.weaker);
        told
    }

    /// For people.
    pub(crate) fn text(&self, language: Language) -> String {
        if self.differences.is_empty() {
            return message::text("diff-none", language) + "\n";
        }
        let (weaker, others): (Vec<&Told>, Vec<&Told>) =
            self.differences.iter().partition(|told| told.weakens);
        let mut text = String::new();
        for (key, part) in [("diff-weaker", weaker), ("diff-others", others)] {
            if part.is_empty() {
                continue;
            }
            let count = [("count", part.len().to_string())];
            text += &format!("{}\n", message::text_with(key, &count, language));
            for told in part {
                text += &format!("  {}\n", told.text(language));
            }
        }
        text
    }
}

impl Told {
    fn of(difference: Difference) -> Self {
        let weakens = weakens(&difference);
        let Difference { part, id, change } = difference;
        let (kind, key, from, to) = match change {
            Change::Added => (Kind::Added, None, None, None),
            Change::Removed => (Kind::Removed, None, None, None),
            Change::Changed { key, from, to } => (Kind::Changed, Some(key.to_owned()), from, to),
        };
        Self {
            weakens,
            part: part.name().to_owned(),
            id,
            change: kind,
            key,
            from,
            to,
        }
    }

    fn text(&self, language: Language) -> String {
        let say = |key: &str| message::text(key, language);
        let change = match self.change {
            Kind::Added => say("diff-added"),
            Kind::Removed => say("diff-removed"),
            Kind::Changed => {
                let value =
                    |value: &Option<String>| value.clone().unwrap_or_else(|| say("diff-absent"));
                let key = self.key.as_deref().unwrap_or_default();
                format!("{key}: {} → {}", value(&self.from), value(&self.to))
            }
        };
        let part = say(&format!("diff-part-{}", self.part));
        format!("{part} {}  {change}", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_config::Part;

    fn changed(part: Part, id: &str, key: &'static str, from: &str, to: &str) -> Difference {
        Difference {
            part,
            id: id.to_owned(),
            change: Change::Changed {
                key,
                from: Some(from.to_owned()),
                to: Some(to.to_owned()),
            },
        }
    }

    #[test]
    fn what_protects_less_is_told_first_and_in_both_languages() {
        let diff = Diff::of(vec![
            changed(Part::Area, "a", "name", "x", "y"),
            changed(Part::Alarm, "G.HH", "set_point", "50 %LEL", "60 %LEL"),
        ]);
        let text = diff.text(Language::En);
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].starts_with("1 that loosens an alarm or removes protection"),
            "{text}"
        );
        assert_eq!(lines[1], "  alarm G.HH  set_point: 50 %LEL → 60 %LEL");
        assert!(
            lines[2].starts_with("1 other:") && lines[3].contains("area a"),
            "{text}"
        );
        assert!(diff.text(Language::Zh).contains("报警 G.HH"));
    }

    #[test]
    fn every_part_has_its_word_in_both_languages() {
        for part in Part::ALL {
            let key = format!("diff-part-{}", part.name());
            for language in [Language::Zh, Language::En] {
                assert_ne!(message::text(&key, language), key);
            }
        }
    }
}
