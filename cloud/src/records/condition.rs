//! Builds the `WHERE` of a question: clauses are constants, values are bound and numbered as they are added.

use super::engine::Value;
use super::site::Place;
use std::collections::BTreeSet;

/// Which sites a question may touch. Every list is asked with one, so that no caller can forget it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    All,
    Sites(BTreeSet<String>),
    /// Empty parts of the place mean every one: a city's regulator has neither town nor village.
    Jurisdiction(Place),
}

impl Scope {
    /// Whether this site, lying there, is inside.
    pub fn holds(&self, site: &str, place: &Place) -> bool {
        match self {
            Self::All => true,
            Self::Sites(sites) => sites.contains(site),
            Self::Jurisdiction(wanted) => wanted.encloses(place),
        }
    }
}

/// A `WHERE` in the making.
#[derive(Debug, Default)]
pub(crate) struct Condition {
    clauses: Vec<String>,
    pub(crate) values: Vec<Value>,
}

impl Condition {
    /// Adds a clause; each `?` in it takes the next value.
    pub(crate) fn add(&mut self, clause: &str, values: impl IntoIterator<Item = Value>) {
        let mut values = values.into_iter();
        let mut text = String::new();
        for part in clause.split_inclusive('?') {
            match (part.strip_suffix('?'), values.next()) {
                (Some(before), Some(value)) => {
                    self.values.push(value);
                    text.push_str(&format!("{before}${}", self.values.len()));
                }
                _ => text.push_str(part),
            }
        }
        self.clauses.push(text);
    }

    pub(crate) fn add_if<T: Into<Value>>(&mut self, clause: &str, value: Option<T>) {
        if let Some(value) = value {
            self.add(clause, [value.into()]);
        }
    }

    /// Limits the question to the scope; the query must name the table `sites` as `s`.
    pub(crate) fn within(&mut self, scope: &Scope) {
        match scope {
            Scope::All => {}
            Scope::Sites(sites) if sites.is_empty() => self.add("1 = 0", []),
            Scope::Sites(sites) => {
                let places = vec!["?"; sites.len()].join(", ");
                self.add(
                    &format!("s.site IN ({places})"),
                    sites.iter().map(Value::from),
                );
            }
            Scope::Jurisdiction(place) => {
                let part = |part: &String| Some(part.clone()).filter(|part| !part.is_empty());
                self.add_if("s.city = ?", part(&place.city));
                self.add_if("s.town = ?", part(&place.town));
                self.add_if("s.village = ?", part(&place.village));
            }
        }
    }

    /// ` WHERE …`, or nothing.
    pub(crate) fn sql(&self) -> String {
        if self.clauses.is_empty() {
            return String::new();
        }
        format!(" WHERE {}", self.clauses.join(" AND "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbered_in_the_order_they_are_added() {
        let mut condition = Condition::default();
        condition.add_if("s.site = ?", Some("tank-farm"));
        condition.add_if("o.priority = ?", None::<i64>);
        condition.add(
            "o.raised_ms >= ? AND o.raised_ms < ?",
            [Value::from(1_i64), Value::from(2_i64)],
        );
        assert_eq!(
            condition.sql(),
            " WHERE s.site = $1 AND o.raised_ms >= $2 AND o.raised_ms < $3"
        );
        assert_eq!(condition.values.len(), 3);
    }

    #[test]
    fn a_scope_without_sites_holds_nothing() {
        let mut condition = Condition::default();
        condition.within(&Scope::Sites(BTreeSet::new()));
        assert_eq!(condition.sql(), " WHERE 1 = 0");
    }
}
