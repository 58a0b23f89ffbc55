//! Gaps of record: spans in which a site was not heard and of which the city does not yet hold everything.
//!
//! An outage begins when the site was last heard and ends when it is heard again. It is *filled* once the offsets committed up to a batch that was
//! made after its end have no hole: then the gateway's journal has delivered all of it. A node without a journal never fills one.

use super::condition::{Condition, Scope};
use super::engine::{Row, StoreError, Transaction, Value, values};
use super::{Records, RecordsError};

/// A span of which the record is not known to be whole; `to_ms` is none while it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub site: String,
    pub from_ms: i64,
    pub to_ms: Option<i64>,
}

/// Gaps in one answer.
pub(crate) const MOST_GAPS: u32 = 1_000;

/// Which gaps are asked for.
#[derive(Clone, Debug)]
pub struct GapFilter<'a> {
    pub scope: &'a Scope,
    pub site: Option<&'a str>,
    pub town: Option<&'a str>,
    /// Those that touch `from_ms` ≤ time < `to_ms`.
    pub from_ms: i64,
    pub to_ms: i64,
    /// Those after this one: where it begins, and its site.
    pub after: Option<(i64, &'a str)>,
}

/// Gaps, and whether there are more of them than one answer holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    pub gaps: Vec<Gap>,
    pub is_cut: bool,
}

impl Records {
    /// The gaps that touch the span, oldest first, at most 1,000: those after the last one are the next page.
    pub async fn gaps(&self, filter: &GapFilter<'_>) -> Result<Gaps, RecordsError> {
        let GapFilter {
            scope,
            site,
            town,
            from_ms,
            to_ms,
            after,
        } = *filter;
        let mut condition = Condition::default();
        condition.within(scope);
        condition.add_if("s.site = ?", site);
        condition.add_if("s.town = ?", town);
        condition.add("g.filled_ms IS NULL", []);
        condition.add(
            "g.from_ms < ? AND (g.to_ms IS NULL OR g.to_ms > ?)",
            [Value::from(to_ms), Value::from(from_ms)],
        );
        if let Some((from_ms, site)) = after {
            condition.add("(g.from_ms, g.site) > (?, ?)", values![from_ms, site]);
        }
        let sql = format!(
            "SELECT g.site, g.from_ms, g.to_ms FROM outages g JOIN sites s ON s.site = g.site{} \
             ORDER BY g.from_ms, g.site LIMIT {}",
            condition.sql(),
            MOST_GAPS + 1
        );
        let rows = self.engine.read(sql, condition.values).await?;
        let gap = |row: &Row| {
            Ok(Gap {
                site: row.text(0)?,
                from_ms: row.int(1)?,
                to_ms: row.maybe_int(2)?,
            })
        };
        let mut gaps: Vec<Gap> = rows.iter().map(gap).collect::<Result<_, StoreError>>()?;
        let is_cut = gaps.len() > MOST_GAPS as usize;
        gaps.truncate(MOST_GAPS as usize);
        Ok(Gaps { gaps, is_cut })
    }
}

/// The site is gone: the outage counts from when it was last heard.
pub(crate) async fn begin(
    change: &mut dyn Transaction,
    site: &str,
    at_ms: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO outages (site, from_ms) SELECT site, COALESCE(last_seen_ms, $2) FROM sites WHERE site = $1 ON CONFLICT DO NOTHING";
    change.execute(sql, values![site, at_ms]).await?;
    Ok(())
}

pub(crate) async fn end(
    change: &mut dyn Transaction,
    site: &str,
    at_ms: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE outages SET to_ms = $2 WHERE site = $1 AND to_ms IS NULL";
    change.execute(sql, values![site, at_ms]).await?;
    Ok(())
}

/// Everything made up to `complete_ms` has arrived.
pub(crate) async fn fill(
    change: &mut dyn Transaction,
    site: &str,
    complete_ms: i64,
    at_ms: i64,
) -> Result<(), StoreError> {
    let sql =
        "UPDATE outages SET filled_ms = $3 WHERE site = $1 AND filled_ms IS NULL AND to_ms <= $2";
    change
        .execute(sql, values![site, complete_ms, at_ms])
        .await?;
    Ok(())
}
