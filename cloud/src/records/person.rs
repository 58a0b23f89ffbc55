//! People who may log in to the city, their roles and what each may see.

use super::condition::Scope;
use super::engine::{Row, StoreError, Transaction, values};
use super::site::Place;
use super::{Records, RecordsError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a person is to the city.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Watches and acts at named sites.
    Operator,
    /// Reads everything in a jurisdiction; acts on nothing.
    Regulator,
    /// Keeps people and the registry.
    Administrator,
}

impl Role {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Regulator => "regulator",
            Self::Administrator => "administrator",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Operator, Self::Regulator, Self::Administrator]
            .into_iter()
            .find(|role| role.name() == name)
    }
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub role: Role,
    /// An operator's sites.
    pub sites: BTreeSet<String>,
    /// A regulator's jurisdiction.
    pub jurisdiction: Place,
}

impl Person {
    /// The sites that this person may see.
    pub fn scope(&self) -> Scope {
        match self.role {
            Role::Operator => Scope::Sites(self.sites.clone()),
            Role::Regulator if self.jurisdiction.city.is_empty() => Scope::Sites(BTreeSet::new()),
            Role::Regulator => Scope::Jurisdiction(self.jurisdiction.clone()),
            Role::Administrator => Scope::All,
        }
    }
}

const COLUMNS: &str = "u.id, u.name, u.role, u.sites, u.city, u.town, u.village";

impl Records {
    /// Everybody, by id.
    pub async fn people(&self) -> Result<Vec<Person>, RecordsError> {
        let rows = self
            .engine
            .read(
                format!("SELECT {COLUMNS} FROM users u ORDER BY u.id"),
                vec![],
            )
            .await?;
        Ok(rows.iter().map(person).collect::<Result<_, _>>()?)
    }

    /// A person with the argon2id hash of the password.
    pub async fn person(&self, id: &str) -> Result<Option<(Person, String)>, RecordsError> {
        let sql = format!("SELECT {COLUMNS}, u.password_hash FROM users u WHERE u.id = $1");
        let rows = self.engine.read(sql, values![id]).await?;
        Ok(rows
            .first()
            .map(|row| Ok::<_, StoreError>((person(row)?, row.text(7)?)))
            .transpose()?)
    }

    pub async fn add_person(
        &self,
        person: &Person,
        password_hash: &str,
        now_ms: i64,
    ) -> Result<(), RecordsError> {
        let sql = "INSERT INTO users (id, name, role, sites, city, town, village, password_hash, created_ms) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
        let Person {
            id,
            name,
            role,
            sites,
            jurisdiction:
                Place {
                    city,
                    town,
                    village,
                },
        } = person;
        let values = values![
            id,
            name,
            role.name(),
            listed(sites),
            city,
            town,
            village,
            password_hash,
            now_ms
        ];
        match self.change(sql, values).await? {
            0 => Err(RecordsError::UserExists(id.clone())),
            _ => Ok(()),
        }
    }

    /// Changes who somebody is, and the password if one is given. Every session of that person ends.
    pub async fn change_person(
        &self,
        person: &Person,
        password_hash: Option<&str>,
    ) -> Result<(), RecordsError> {
        let mut change = self.engine.begin().await?;
        let sql = "UPDATE users SET name = $2, role = $3, sites = $4, city = $5, town = $6, village = $7, \
            password_hash = COALESCE($8, password_hash) WHERE id = $1";
        let Person {
            id,
            name,
            role,
            sites,
            jurisdiction:
                Place {
                    city,
                    town,
                    village,
                },
        } = person;
        let values = values![
            id,
            name,
            role.name(),
            listed(sites),
            city,
            town,
            village,
            password_hash
        ];
        if change.execute(sql, values).await? == 0 {
            return Err(RecordsError::NoUser(id.clone()));
        }
        an_administrator_stays(&mut *change, id).await?;
        change
            .execute("DELETE FROM sessions WHERE user_id = $1", values![id])
            .await?;
        change.commit().await?;
        Ok(())
    }

    pub async fn remove_person(&self, id: &str) -> Result<(), RecordsError> {
        let mut change = self.engine.begin().await?;
        change
            .execute("DELETE FROM sessions WHERE user_id = $1", values![id])
            .await?;
        if change
            .execute("DELETE FROM users WHERE id = $1", values![id])
            .await?
            == 0
        {
            return Err(RecordsError::NoUser(id.to_owned()));
        }
        an_administrator_stays(&mut *change, id).await?;
        change.commit().await?;
        Ok(())
    }
}

/// Nobody may lock the city out of its own administration.
async fn an_administrator_stays(
    change: &mut dyn Transaction,
    id: &str,
) -> Result<(), RecordsError> {
    let left = change
        .rows(
            "SELECT COUNT(*) FROM users WHERE role = $1",
            values![Role::Administrator.name()],
        )
        .await?;
    match left.first().map_or(Ok(0), |row| row.int(0))? {
        0 => Err(RecordsError::LastAdministrator(id.to_owned())),
        _ => Ok(()),
    }
}

fn listed(sites: &BTreeSet<String>) -> String {
    serde_json::to_string(sites).expect("texts always serialise")
}

pub(crate) fn person(row: &Row) -> Result<Person, StoreError> {
    let (role, sites) = (row.text(2)?, row.text(3)?);
    Ok(Person {
        id: row.text(0)?,
        name: row.text(1)?,
        role: Role::from_name(&role).ok_or(StoreError::Stored {
            what: "role",
            value: role,
        })?,
        sites: serde_json::from_str(&sites).map_err(|_| StoreError::Stored {
            what: "list of sites",
            value: sites,
        })?,
        jurisdiction: Place {
            city: row.text(4)?,
            town: row.text(5)?,
            village: row.text(6)?,
        },
    })
}

pub(crate) const PERSON_COLUMNS: &str = COLUMNS;
