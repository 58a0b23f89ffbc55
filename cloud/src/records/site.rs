//! The registry of sites: what the city knows of each (place, sector, risk class, people to call), and what its gateway said at birth.

use super::condition::{Condition, Scope};
use super::engine::{Row, StoreError, values};
use super::notice::Notice;
use super::{Records, RecordsError};
use serde::{Deserialize, Serialize};

/// A name in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Text {
    pub zh: String,
    pub en: String,
}

impl Text {
    /// The id in place of a name that nobody gave.
    pub(crate) fn or_id(self, id: &str) -> Self {
        let named = |text: String| if text.is_empty() { id.to_owned() } else { text };
        Self {
            zh: named(self.zh),
            en: named(self.en),
        }
    }
}

/// Where a site lies, and what a jurisdiction covers: city, town, village; an empty part of a jurisdiction means every one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Place {
    #[serde(default)]
    pub city: String,
    #[serde(default)]
    pub town: String,
    #[serde(default)]
    pub village: String,
}

impl Place {
    /// Whether `other` lies in this one. A place without a city encloses nothing: an empty jurisdiction is no licence.
    pub fn encloses(&self, other: &Self) -> bool {
        let part = |mine: &str, other: &str| mine.is_empty() || mine == other;
        !self.city.is_empty()
            && self.city == other.city
            && part(&self.town, &other.town)
            && part(&self.village, &other.village)
    }
}

/// The four-colour risk class of a site. It is never an alarm priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    Red,
    Orange,
    Yellow,
    #[default]
    Blue,
}

impl Risk {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Orange => "orange",
            Self::Yellow => "yellow",
            Self::Blue => "blue",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Red, Self::Orange, Self::Yellow, Self::Blue]
            .into_iter()
            .find(|risk| risk.name() == name)
    }
}

/// A person to call at a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Contact {
    pub name: String,
    pub role: String,
    pub phone: String,
}

/// The part of a site that the city's administrator keeps. It may exist before the site has ever reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    pub place: Place,
    pub address: String,
    pub sector: String,
    pub risk: Risk,
    pub contacts: Vec<Contact>,
}

/// Whether the city hears a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    Up,
    /// Connected, and silent for longer than [`STALE_AFTER_MS`].
    Stale,
    Down,
}

/// Every point is sent at least once a heartbeat (default 60 s), so a site silent for this long is not well.
pub const STALE_AFTER_MS: i64 = 90_000;

/// A site as the city knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    pub id: String,
    pub name: Text,
    pub registry: Registry,
    /// Sparkplug group and edge node, once it has reported.
    pub edge: Option<(String, String)>,
    /// The JSON of the gateway's `GET /api/site`, as it came.
    pub model: Option<String>,
    /// SHA-256 of its site file.
    pub digest: String,
    pub version: String,
    pub online: bool,
    /// Since when it is online or offline, UTC milliseconds.
    pub since_ms: Option<i64>,
    pub last_seen_ms: Option<i64>,
}

impl Site {
    pub fn link(&self, now_ms: i64) -> Link {
        let silent_ms = self
            .last_seen_ms
            .map_or(i64::MAX, |seen| now_ms.saturating_sub(seen));
        match self.online {
            false => Link::Down,
            true if silent_ms > STALE_AFTER_MS => Link::Stale,
            true => Link::Up,
        }
    }
}

/// A device of a site, and whether the gateway hears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceLink {
    pub id: String,
    pub online: bool,
    pub since_ms: i64,
}

const COLUMNS: &str = "s.site, s.name_zh, s.name_en, s.city, s.town, s.village, s.address, s.sector, s.risk, s.contacts, \
    s.grp, s.edge, s.model, s.digest, s.version, s.online, s.since_ms, s.last_seen_ms";

impl Records {
    /// Every site of the scope, by id.
    pub async fn sites(&self, scope: &Scope) -> Result<Vec<Site>, RecordsError> {
        let mut condition = Condition::default();
        condition.within(scope);
        let sql = format!(
            "SELECT {COLUMNS} FROM sites s{} ORDER BY s.site",
            condition.sql()
        );
        let rows = self.engine.read(sql, condition.values).await?;
        Ok(rows.iter().map(site).collect::<Result<_, _>>()?)
    }

    /// How many sites the city knows.
    pub async fn sites_known(&self) -> Result<i64, RecordsError> {
        let rows = self
            .engine
            .read("SELECT COUNT(*) FROM sites".to_owned(), vec![])
            .await?;
        Ok(rows.first().map_or(Ok(0), |row| row.int(0))?)
    }

    /// One site, whether or not it ever reported.
    pub async fn site(&self, id: &str) -> Result<Option<Site>, RecordsError> {
        let sql = format!("SELECT {COLUMNS} FROM sites s WHERE s.site = $1");
        let rows = self.engine.read(sql, values![id]).await?;
        Ok(rows.first().map(site).transpose()?)
    }

    /// The site that this edge node reports for.
    pub async fn site_of_edge(
        &self,
        group: &str,
        edge: &str,
    ) -> Result<Option<String>, RecordsError> {
        let sql = "SELECT site FROM sites WHERE grp = $1 AND edge = $2";
        let rows = self
            .engine
            .read(sql.to_owned(), values![group, edge])
            .await?;
        Ok(rows.first().map(|row| row.text(0)).transpose()?)
    }

    /// Sets the administrator's part; makes the site if nobody knew it.
    pub async fn put_registry(&self, id: &str, registry: &Registry) -> Result<(), RecordsError> {
        let sql = "INSERT INTO sites (site, city, town, village, address, sector, risk, contacts) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (site) DO UPDATE SET city = excluded.city, town = excluded.town, \
            village = excluded.village, address = excluded.address, sector = excluded.sector, risk = excluded.risk, contacts = excluded.contacts";
        let Registry {
            place,
            address,
            sector,
            risk,
            contacts,
        } = registry;
        let contacts = serde_json::to_string(contacts).expect("texts always serialise");
        let values = values![
            id,
            &place.city,
            &place.town,
            &place.village,
            address,
            sector,
            risk.name(),
            contacts
        ];
        let mut change = self.engine.begin().await?;
        change.execute(sql, values).await?;
        change.tell(Notice::Site(id.to_owned()));
        change.commit().await?;
        Ok(())
    }

    /// The devices of a site that have reported, by id.
    pub async fn devices(&self, site: &str) -> Result<Vec<DeviceLink>, RecordsError> {
        let sql = "SELECT device, online, since_ms FROM devices WHERE site = $1 ORDER BY device";
        let rows = self.engine.read(sql.to_owned(), values![site]).await?;
        let device = |row: &Row| {
            Ok(DeviceLink {
                id: row.text(0)?,
                online: row.flag(1)?,
                since_ms: row.int(2)?,
            })
        };
        Ok(rows.iter().map(device).collect::<Result<_, StoreError>>()?)
    }
}

fn site(row: &Row) -> Result<Site, StoreError> {
    let risk = row.text(8)?;
    let contacts = row.text(9)?;
    Ok(Site {
        id: row.text(0)?,
        name: Text {
            zh: row.text(1)?,
            en: row.text(2)?,
        },
        registry: Registry {
            place: Place {
                city: row.text(3)?,
                town: row.text(4)?,
                village: row.text(5)?,
            },
            address: row.text(6)?,
            sector: row.text(7)?,
            risk: Risk::from_name(&risk).ok_or(StoreError::Stored {
                what: "risk class",
                value: risk,
            })?,
            contacts: serde_json::from_str(&contacts).map_err(|_| StoreError::Stored {
                what: "list of contacts",
                value: contacts,
            })?,
        },
        edge: row.maybe_text(10)?.zip(row.maybe_text(11)?),
        model: row.maybe_text(12)?,
        digest: row.text(13)?,
        version: row.text(14)?,
        online: row.flag(15)?,
        since_ms: row.maybe_int(16)?,
        last_seen_ms: row.maybe_int(17)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(city: &str, town: &str, village: &str) -> Place {
        Place {
            city: city.into(),
            town: town.into(),
            village: village.into(),
        }
    }

    #[test]
    fn a_jurisdiction_encloses_what_lies_in_it_and_nothing_else() {
        let city = place("宁海", "", "");
        let town = place("宁海", "西店", "");
        assert!(city.encloses(&place("宁海", "西店", "王家")));
        assert!(town.encloses(&place("宁海", "西店", "王家")));
        assert!(!town.encloses(&place("宁海", "梅林", "")));
        assert!(!town.encloses(&place("象山", "西店", "")));
    }

    #[test]
    fn an_empty_jurisdiction_encloses_nothing() {
        assert!(!Place::default().encloses(&place("宁海", "", "")));
        assert!(!Place::default().encloses(&Place::default()));
        assert!(!place("", "西店", "").encloses(&place("宁海", "西店", "")));
    }
}
