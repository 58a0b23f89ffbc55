//! Births and deaths of nodes and devices: who reports for which site, what it is made of, and when it was not heard.

use super::engine::{StoreError, Transaction, values};
use super::model::Model;
use super::notice::Notice;
use super::site::Text;
use super::{Records, RecordsError, alarm, commit, gap, subject};
use davy_alarm::{NoValue, Priority, Shown};

/// An edge node came on line, or came again.
#[derive(Clone, Debug, Default)]
pub struct NodeBirth {
    pub group: String,
    pub edge: String,
    /// By the collector's clock, UTC milliseconds: the edge's own may be wrong, and births must not be refused for it.
    pub received_ms: i64,
    pub bd_seq: Option<u64>,
    pub name: Text,
    pub version: String,
    pub digest: String,
    /// The model as JSON, if the node sent one; kept as it came.
    pub model: Option<String>,
    /// `Store/Stream`, if the node has a journal.
    pub stream: Option<u64>,
    /// The whole message, for alias tables.
    pub payload: Vec<u8>,
}

/// A device of a node came on line, with the present state of its alarms.
#[derive(Clone, Debug)]
pub struct DeviceBirth {
    pub site: String,
    pub device: String,
    pub received_ms: i64,
    pub stream: Option<u64>,
    pub alarms: Vec<BornAlarm>,
    pub payload: Vec<u8>,
}

/// The state of an alarm as a birth gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct BornAlarm {
    pub alarm: String,
    pub state: Shown,
    /// When it came to be so, if the birth says; else when the birth was made.
    pub changed_ms: i64,
    /// Of the last transition, if the birth says; a birth that is older than what we hold changes nothing.
    pub seq: Option<u64>,
    pub occurrence: Option<u32>,
    pub value: Option<f64>,
    pub value_cause: Option<NoValue>,
    pub limit: Option<f64>,
    pub priority: Priority,
}

/// A birth as it came, for rebuilding alias tables. `device` is empty for the node itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBirth {
    pub site: String,
    pub device: String,
    pub received_ms: i64,
    pub payload: Vec<u8>,
}

impl Records {
    /// Records a node's birth and answers its site: the edge's id where that is free or waits for it in the registry, `<group>.<edge>`
    /// where another group has taken it. Ends the outage that the birth ends.
    pub async fn node_born(&self, birth: &NodeBirth) -> Result<String, RecordsError> {
        let mut change = self.engine.begin().await?;
        let site = claim(&mut *change, &birth.group, &birth.edge).await?;
        if let Some(stream) = birth.stream {
            commit::epoch(&mut *change, &site, stream).await?;
        }
        let model = birth
            .model
            .as_deref()
            .and_then(|text| read_model(&birth.edge, text));
        if let Some(model) = &model {
            subject::replace(&mut *change, &site, model).await?;
        }
        let sql = "UPDATE sites SET name_zh = $2, name_en = $3, version = $4, digest = $5, model = COALESCE($6, model), \
            birth_ms = $7, bd_seq = $8 WHERE site = $1 AND (birth_ms IS NULL OR birth_ms <= $7)";
        let kept = birth.model.as_deref().filter(|_| model.is_some());
        let bd_seq = birth.bd_seq.map(|seq| seq as i64);
        let NodeBirth {
            name,
            version,
            digest,
            received_ms,
            ..
        } = birth;
        change
            .execute(
                sql,
                values![
                    &site,
                    &name.zh,
                    &name.en,
                    version,
                    digest,
                    kept,
                    *received_ms,
                    bd_seq
                ],
            )
            .await?;
        store(&mut *change, &site, "", birth.received_ms, &birth.payload).await?;
        heard(&mut *change, &site, birth.received_ms).await?;
        change.tell(Notice::Site(site.clone()));
        change.commit().await?;
        Ok(site)
    }

    /// Records a device's birth, and takes over the alarm states that it gives. Answers the alarms that changed.
    pub async fn device_born(
        &self,
        birth: &DeviceBirth,
    ) -> Result<Vec<super::Alarm>, RecordsError> {
        let mut change = self.engine.begin().await?;
        let DeviceBirth {
            site,
            device,
            received_ms,
            ..
        } = birth;
        store(&mut *change, site, device, *received_ms, &birth.payload).await?;
        device_link(&mut *change, site, device, true, *received_ms).await?;
        let epoch = match birth.stream {
            Some(stream) => commit::epoch(&mut *change, site, stream).await?,
            None => 0,
        };
        let mut changed = Vec::new();
        for born in &birth.alarms {
            if alarm::take_born(&mut *change, site, epoch, born).await? {
                change.tell(Notice::Alarm(site.clone(), born.alarm.clone()));
                changed.push(born.alarm.clone());
            }
        }
        change.tell(Notice::Site(site.clone()));
        change.commit().await?;
        self.alarms_named(site, &changed).await
    }

    /// Records that the node is gone, unless a newer birth says otherwise. Answers whether it changed anything.
    pub async fn node_died(
        &self,
        site: &str,
        bd_seq: Option<u64>,
        received_ms: i64,
    ) -> Result<bool, RecordsError> {
        let mut change = self.engine.begin().await?;
        let sql = "UPDATE sites SET online = 0, since_ms = $2 \
            WHERE site = $1 AND online = 1 AND ($3 IS NULL OR bd_seq IS NULL OR bd_seq = $3)";
        let touched = change
            .execute(
                sql,
                values![site, received_ms, bd_seq.map(|seq| seq as i64)],
            )
            .await?;
        if touched > 0 {
            gap::begin(&mut *change, site, received_ms).await?;
            let sql = "UPDATE devices SET online = 0, since_ms = $2 WHERE site = $1 AND online = 1";
            change.execute(sql, values![site, received_ms]).await?;
            change.tell(Notice::Site(site.to_owned()));
        }
        change.commit().await?;
        Ok(touched > 0)
    }

    /// Records that one device of a node is gone.
    pub async fn device_died(
        &self,
        site: &str,
        device: &str,
        received_ms: i64,
    ) -> Result<(), RecordsError> {
        let mut change = self.engine.begin().await?;
        device_link(&mut *change, site, device, false, received_ms).await?;
        change.tell(Notice::Site(site.to_owned()));
        change.commit().await?;
        Ok(())
    }

    /// A single collector starts: nobody was heard since the last one stopped, so that every site is off line until it speaks.
    pub async fn nobody_heard(&self, now_ms: i64) -> Result<(), RecordsError> {
        let sites = self
            .engine
            .read("SELECT site FROM sites WHERE online = 1".into(), vec![])
            .await?;
        for row in sites {
            self.node_died(&row.text(0)?, None, now_ms).await?;
        }
        Ok(())
    }

    /// The newest births of an edge node and its devices, the node's own first.
    pub async fn births(&self, group: &str, edge: &str) -> Result<Vec<StoredBirth>, RecordsError> {
        let sql = "SELECT b.site, b.device, b.born_ms, b.payload FROM births b JOIN sites s ON s.site = b.site \
            WHERE s.grp = $1 AND s.edge = $2 ORDER BY b.device";
        let rows = self
            .engine
            .read(sql.to_owned(), values![group, edge])
            .await?;
        let birth = |row: &super::engine::Row| {
            Ok(StoredBirth {
                site: row.text(0)?,
                device: row.text(1)?,
                received_ms: row.int(2)?,
                payload: row.bytes(3)?,
            })
        };
        Ok(rows.iter().map(birth).collect::<Result<_, StoreError>>()?)
    }
}

/// One that cannot be read leaves what is known of the site, and is told.
fn read_model(edge: &str, text: &str) -> Option<Model> {
    serde_json::from_str(text)
        .inspect_err(|error| tracing::warn!(edge, %error, "the node's model cannot be read"))
        .ok()
}

/// The site of this edge node; claims one if it has none.
async fn claim(
    change: &mut dyn Transaction,
    group: &str,
    edge: &str,
) -> Result<String, StoreError> {
    let known = change
        .rows(
            "SELECT site FROM sites WHERE grp = $1 AND edge = $2",
            values![group, edge],
        )
        .await?;
    if let Some(row) = known.first() {
        return row.text(0);
    }
    let taken = change
        .rows("SELECT grp FROM sites WHERE site = $1", values![edge])
        .await?;
    let is_free = match taken.first() {
        Some(row) => row.maybe_text(0)?.is_none(),
        None => true,
    };
    let site = if is_free {
        edge.to_owned()
    } else {
        format!("{group}.{edge}")
    };
    let sql = "INSERT INTO sites (site, grp, edge) VALUES ($1, $2, $3) \
        ON CONFLICT (site) DO UPDATE SET grp = excluded.grp, edge = excluded.edge";
    change.execute(sql, values![&site, group, edge]).await?;
    Ok(site)
}

async fn store(
    change: &mut dyn Transaction,
    site: &str,
    device: &str,
    at_ms: i64,
    payload: &[u8],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO births (site, device, born_ms, payload) VALUES ($1, $2, $3, $4) ON CONFLICT (site, device) \
        DO UPDATE SET born_ms = excluded.born_ms, payload = excluded.payload WHERE excluded.born_ms >= births.born_ms";
    change
        .execute(sql, values![site, device, at_ms, payload])
        .await?;
    Ok(())
}

async fn device_link(
    change: &mut dyn Transaction,
    site: &str,
    device: &str,
    online: bool,
    at_ms: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO devices (site, device, online, since_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (site, device) \
        DO UPDATE SET online = excluded.online, since_ms = excluded.since_ms WHERE devices.online <> excluded.online";
    change
        .execute(sql, values![site, device, online, at_ms])
        .await?;
    Ok(())
}

/// The site spoke: it is on line, and an outage that stood open ends.
pub(crate) async fn heard(
    change: &mut dyn Transaction,
    site: &str,
    at_ms: i64,
) -> Result<bool, StoreError> {
    let back = change
        .execute(
            "UPDATE sites SET online = 1, since_ms = $2 WHERE site = $1 AND online = 0",
            values![site, at_ms],
        )
        .await?
        > 0;
    if back {
        gap::end(change, site, at_ms).await?;
    }
    let seen = "UPDATE sites SET last_seen_ms = $2 WHERE site = $1 AND (last_seen_ms IS NULL OR last_seen_ms < $2)";
    change.execute(seen, values![site, at_ms]).await?;
    Ok(back)
}
