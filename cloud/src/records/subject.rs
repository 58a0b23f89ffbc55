//! Names, units and guidance of a site's alarms, kept beside the model so that a question over many sites joins them.

use super::Records;
use super::engine::{Row, StoreError, Transaction, Value, values};
use super::model::{Model, ModelLimit};
use super::site::Text;
use std::collections::{BTreeSet, HashMap};

/// What an alarm's subject is called and where it belongs. Empty where the site never said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subject {
    pub is_point: bool,
    /// Of a device, itself.
    pub device: String,
    pub area: String,
    pub name: Text,
    pub unit: String,
}

impl Subject {
    /// Whether a birth has told of it. (A known output may have neither device nor names.)
    pub fn is_known(&self) -> bool {
        self.is_point || !self.device.is_empty() || !self.area.is_empty()
    }
}

/// Columns of [`subject`], for a query that joins the table as `n`.
pub(crate) const COLUMNS: &str = "n.is_point, n.device, n.area, n.name_zh, n.name_en, n.unit";

/// Reads them from column `at` on.
pub(crate) fn subject(row: &Row, at: usize) -> Result<Subject, StoreError> {
    Ok(Subject {
        is_point: row.maybe_int(at)?.is_some_and(|flag| flag != 0),
        device: row.maybe_text(at + 1)?.unwrap_or_default(),
        area: row.maybe_text(at + 2)?.unwrap_or_default(),
        name: Text {
            zh: row.maybe_text(at + 3)?.unwrap_or_default(),
            en: row.maybe_text(at + 4)?.unwrap_or_default(),
        },
        unit: row.maybe_text(at + 5)?.unwrap_or_default(),
    })
}

/// Names and units of some subjects.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<(String, String), (Text, String)>);

impl Names {
    /// The name, or the id for one without; and the unit.
    pub(crate) fn of(&self, site: &str, id: &str) -> (Text, String) {
        let known = self.0.get(&(site.to_owned(), id.to_owned()));
        let (name, unit) = known.cloned().unwrap_or_default();
        (name.or_id(id), unit)
    }
}

/// Subjects asked for at once: two places each, of the 32,766 that SQLite takes.
const AT_ONCE: usize = 5_000;

impl Records {
    /// What these sites' subjects are called.
    pub(crate) async fn names(
        &self,
        subjects: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Names, StoreError> {
        let wanted: BTreeSet<(String, String)> = subjects.into_iter().collect();
        let wanted: Vec<_> = wanted.into_iter().collect();
        let mut names = Names::default();
        for some in wanted.chunks(AT_ONCE) {
            let places: Vec<String> = (0..some.len())
                .map(|at| format!("(${}, ${})", 2 * at + 1, 2 * at + 2))
                .collect();
            let sql = format!(
                "SELECT site, subject, name_zh, name_en, unit FROM subjects WHERE (site, subject) IN (VALUES {})",
                places.join(", ")
            );
            let values = some.iter().flat_map(|(site, id)| values![site, id]);
            for row in self.engine.read(sql, values.collect()).await? {
                let name = Text {
                    zh: row.text(2)?,
                    en: row.text(3)?,
                };
                let key = (row.text(0)?, row.text(1)?);
                names.0.insert(key, (name, row.text(4)?));
            }
        }
        Ok(names)
    }
}

/// Puts what the site now says of its subjects in the place of what it said before. What it no longer names keeps the name and the unit that it had: its alarms
/// and readings are asked for long after.
pub(crate) async fn replace(
    change: &mut dyn Transaction,
    site: &str,
    model: &Model,
) -> Result<(), StoreError> {
    forget(change, site, model).await?;
    change
        .execute("DELETE FROM guidance WHERE site = $1", values![site])
        .await?;
    for point in &model.points {
        let named = Named {
            id: &point.id,
            is_point: true,
            device: &point.device,
            area: &point.area,
            name: &point.name,
            unit: &point.unit,
        };
        named.put(change, site).await?;
        for limit in &point.limits {
            guide(change, site, limit).await?;
        }
    }
    for named in others(model) {
        named.put(change, site).await?;
    }
    Ok(())
}

/// What is known of the subjects that the model names.
async fn forget(change: &mut dyn Transaction, site: &str, model: &Model) -> Result<(), StoreError> {
    let points = model.points.iter().map(|point| point.id.as_str());
    let named: Vec<&str> = points.chain(others(model).map(|named| named.id)).collect();
    for some in named.chunks(AT_ONCE) {
        let places: Vec<String> = (0..some.len()).map(|at| format!("${}", at + 2)).collect();
        let sql = format!(
            "DELETE FROM subjects WHERE site = $1 AND subject IN ({})",
            places.join(", ")
        );
        let mut values = values![site];
        values.extend(some.iter().map(|id| Value::from(*id)));
        change.execute(&sql, values).await?;
    }
    Ok(())
}

/// One that has alarms. Of two with one id the first is kept: points, then devices, outputs, groups.
struct Named<'a> {
    id: &'a str,
    is_point: bool,
    device: &'a str,
    area: &'a str,
    name: &'a Text,
    unit: &'a str,
}

impl Named<'_> {
    async fn put(&self, change: &mut dyn Transaction, site: &str) -> Result<(), StoreError> {
        let insert = "INSERT INTO subjects (site, subject, is_point, device, area, name_zh, name_en, unit) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
        let values = values![
            site,
            self.id,
            self.is_point,
            self.device,
            self.area,
            &self.name.zh,
            &self.name.en,
            self.unit
        ];
        change.execute(insert, values).await?;
        Ok(())
    }
}

/// Devices (silent ones), outputs (failed ones) and voting groups.
fn others(model: &Model) -> impl Iterator<Item = Named<'_>> {
    let named = |id, device, area, name| Named {
        id,
        is_point: false,
        device,
        area,
        name,
        unit: "",
    };
    let devices = (model.devices.iter()).map(move |one| named(&*one.id, &*one.id, "", &one.name));
    let outputs =
        (model.outputs.iter()).map(move |one| named(&one.id, &one.device, &one.area, &one.name));
    let votes = (model.votes.iter())
        .map(move |one| named(&one.id, model.home_of(one), &one.area, &one.name));
    devices.chain(outputs).chain(votes)
}

async fn guide(
    change: &mut dyn Transaction,
    site: &str,
    limit: &ModelLimit,
) -> Result<(), StoreError> {
    let Some(text) = &limit.guidance else {
        return Ok(());
    };
    let insert =
        "INSERT INTO guidance (site, alarm, zh, en) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let values = values![site, &limit.alarm, &text.zh, &text.en];
    change.execute(insert, values).await?;
    Ok(())
}
