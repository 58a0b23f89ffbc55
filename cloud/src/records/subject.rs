//! Names, units and guidance of a site's alarms, kept beside the model so that a question over many sites joins them.

use super::engine::{Row, StoreError, Transaction, values};
use super::model::Model;
use super::site::Text;

/// What an alarm's subject is called and where it belongs. Empty where the site never said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subject {
    pub is_point: bool,
    pub device: String,
    pub area: String,
    pub name: Text,
    pub unit: String,
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

/// Replaces what was known of the site's subjects.
pub(crate) async fn replace(
    change: &mut dyn Transaction,
    site: &str,
    model: &Model,
) -> Result<(), StoreError> {
    change
        .execute("DELETE FROM subjects WHERE site = $1", values![site])
        .await?;
    change
        .execute("DELETE FROM guidance WHERE site = $1", values![site])
        .await?;
    let insert = "INSERT INTO subjects (site, subject, is_point, device, area, name_zh, name_en, unit) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    for point in &model.points {
        let named = values![
            site,
            &point.id,
            true,
            &point.device,
            &point.area,
            &point.name.zh,
            &point.name.en,
            &point.unit
        ];
        change.execute(insert, named).await?;
        for limit in &point.limits {
            let Some(text) = &limit.guidance else {
                continue;
            };
            let insert = "INSERT INTO guidance (site, alarm, zh, en) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
            change
                .execute(insert, values![site, &limit.alarm, &text.zh, &text.en])
                .await?;
        }
    }
    for device in &model.devices {
        let named = values![
            site,
            &device.id,
            false,
            &device.id,
            "",
            &device.name.zh,
            &device.name.en,
            ""
        ];
        change.execute(insert, named).await?;
    }
    Ok(())
}
