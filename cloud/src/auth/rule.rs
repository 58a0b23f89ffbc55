//! The one place that decides what a person may do, and where.

use crate::records::{Person, Place, Role};

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// See one's own session, and end it.
    OwnSession,
    /// See sites, alarms, trends and history; lists hold what the scope holds.
    Read,
    /// Take the record away as a file.
    Export,
    /// Acknowledge, shelve or unshelve at a site.
    Act,
    /// Keep people and the registry, and read the audit log.
    Administer,
}

/// Whether `person` may do `action`; at `site` (id and place) where it is about one.
pub fn may(person: &Person, action: Action, site: Option<(&str, &Place)>) -> bool {
    let by_role = match (person.role, action) {
        (
            Role::Operator | Role::Regulator | Role::Administrator,
            Action::OwnSession | Action::Read | Action::Export,
        ) => true,
        (Role::Operator | Role::Administrator, Action::Act) => true,
        (Role::Regulator, Action::Act) => false,
        (Role::Administrator, Action::Administer) => true,
        (Role::Operator | Role::Regulator, Action::Administer) => false,
    };
    by_role && site.is_none_or(|(id, place)| person.scope().holds(id, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(role: Role) -> Person {
        Person {
            id: "p".into(),
            name: "P".into(),
            role,
            sites: ["tank-farm".to_owned()].into(),
            jurisdiction: place("宁海", "西店"),
        }
    }

    fn place(city: &str, town: &str) -> Place {
        Place {
            city: city.into(),
            town: town.into(),
            village: String::new(),
        }
    }

    #[test]
    fn an_operator_acts_at_its_sites_and_nowhere_else() {
        let operator = person(Role::Operator);
        let town = place("宁海", "西店");
        assert!(may(&operator, Action::Act, Some(("tank-farm", &town))));
        assert!(!may(&operator, Action::Act, Some(("cold-store", &town))));
        assert!(!may(&operator, Action::Read, Some(("cold-store", &town))));
        assert!(!may(&operator, Action::Administer, None));
    }

    #[test]
    fn a_regulator_reads_its_jurisdiction_and_acts_on_nothing() {
        let regulator = person(Role::Regulator);
        assert!(may(
            &regulator,
            Action::Export,
            Some(("cold-store", &place("宁海", "西店")))
        ));
        assert!(!may(
            &regulator,
            Action::Read,
            Some(("tank-farm", &place("宁海", "梅林")))
        ));
        assert!(!may(
            &regulator,
            Action::Act,
            Some(("tank-farm", &place("宁海", "西店")))
        ));
        assert!(!may(&regulator, Action::Administer, None));
    }

    #[test]
    fn a_regulator_without_a_city_sees_nothing() {
        let regulator = Person {
            jurisdiction: Place::default(),
            ..person(Role::Regulator)
        };
        assert!(!may(
            &regulator,
            Action::Read,
            Some(("tank-farm", &Place::default()))
        ));
    }

    #[test]
    fn an_administrator_may_everything_everywhere() {
        for action in [
            Action::OwnSession,
            Action::Read,
            Action::Export,
            Action::Act,
            Action::Administer,
        ] {
            assert!(may(
                &person(Role::Administrator),
                action,
                Some(("any", &Place::default()))
            ));
        }
    }
}
