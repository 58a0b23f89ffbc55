//! Walks the whole chain and holds it against every signed head.

use super::head::{Head, KEY};
use super::{Audited, PURGE, SELECT, audited, hash};
use crate::records::engine::{StoreError, values};
use crate::records::{Records, RecordsError};
use std::collections::{BTreeMap, BTreeSet};

/// The first thing that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Rows from this one on are gone.
    Missing { seq: i64 },
    /// This row is not as it was written, or was put in.
    Altered { seq: i64 },
    /// Rows after the chain's end: this one was put in.
    Inserted { seq: i64 },
    /// Each row fits the one before it, but one of these is not what was signed: the log was written anew.
    Rewritten { from: i64, to: i64 },
    /// A head that nobody signed who may: it was altered or put in. `seq` is the row that it claims.
    Forged { seq: i64, made_ms: i64 },
    /// A signed head that was kept outside is gone from the database.
    HeadGone { seq: i64, made_ms: i64 },
}

/// What a check of the whole chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Rows that were seen.
    pub rows: i64,
    /// The last row under a signed head; rows after it are held by the chain alone. 0 if nothing is signed.
    pub signed_to: i64,
    pub fault: Option<Fault>,
}

/// Rows read at once while the chain is walked.
const PAGE: usize = 1_000;

impl Records {
    /// Walks the chain from its first row to its end, against the heads in the database.
    pub async fn verify_audit(&self) -> Result<Verdict, RecordsError> {
        self.verify_audit_against(&[]).await
    }

    /// As [`Self::verify_audit`], and against heads that were kept elsewhere.
    pub async fn verify_audit_against(&self, kept: &[Head]) -> Result<Verdict, RecordsError> {
        let stored = self.heads().await?;
        let mut walk = self.walk(&stored, kept).await?;
        while walk.row_fault.is_none() {
            let sql = format!("{SELECT} WHERE seq > $1 ORDER BY seq LIMIT {PAGE}");
            let rows = self.engine.read(sql, values![walk.seq]).await?;
            for row in &rows {
                walk.step(audited(row)?);
            }
            if rows.len() < PAGE {
                break;
            }
        }
        Ok(walk.end())
    }

    async fn walk(&self, stored: &[Head], kept: &[Head]) -> Result<Walk, RecordsError> {
        let (end, end_hash) = self.audit_end().await?;
        let sql = "SELECT seq, hash FROM audit_base WHERE id = 1".to_owned();
        let rows = self.engine.read(sql, vec![]).await?;
        let base = rows.first().map(|row| Ok((row.int(0)?, row.text(1)?)));
        let base = base
            .transpose()
            .map_err(|error: StoreError| error)?
            .unwrap_or_default();
        Ok(Walk::new(base, (end, end_hash), stored, kept))
    }
}

/// How far the walk has come.
struct Walk {
    base: (i64, String),
    end: (i64, String),
    rows: i64,
    seq: i64,
    hash: String,
    signed_to: i64,
    /// What is signed, by row.
    heads: BTreeMap<i64, Vec<Head>>,
    /// Heads that fit their row.
    fitting: Vec<Head>,
    /// Keys that the chain told.
    keys: BTreeSet<String>,
    /// The chain itself says that it was cut up to its base.
    base_is_told: bool,
    /// Of the rows, which is told first.
    row_fault: Option<Fault>,
    /// Of a head, which is told where the rows themselves are whole.
    head_fault: Option<Fault>,
}

impl Walk {
    fn new(base: (i64, String), end: (i64, String), stored: &[Head], kept: &[Head]) -> Self {
        let forged = |head: &&Head| !head.is_signed();
        let all = || stored.iter().chain(kept);
        let forged = all().find(forged).map(forged_as);
        let gone = kept.iter().find(|head| gone(head, stored));
        let gone = gone.map(|head| Fault::HeadGone {
            seq: head.seq,
            made_ms: head.made_ms,
        });
        let mut heads: BTreeMap<i64, Vec<Head>> = BTreeMap::new();
        // What retention took away under a head is told by the purge's own row.
        for head in all().filter(|head| head.is_signed() && head.seq >= base.0) {
            heads.entry(head.seq).or_default().push(head.clone());
        }
        let mut walk = Self {
            seq: base.0,
            hash: base.1.clone(),
            signed_to: 0,
            base_is_told: base.0 == 0,
            rows: 0,
            keys: BTreeSet::new(),
            heads,
            fitting: Vec::new(),
            base,
            end,
            row_fault: None,
            head_fault: forged.or(gone),
        };
        walk.look_at_heads();
        walk
    }

    fn step(&mut self, row: Audited) {
        if self.row_fault.is_some() {
            return;
        }
        self.row_fault = misfit(&row, self.seq, &self.hash, self.end.0);
        if self.row_fault.is_some() {
            return;
        }
        self.learn(&row);
        self.rows += 1;
        (self.seq, self.hash) = (row.seq, row.hash);
        self.look_at_heads();
    }

    fn learn(&mut self, row: &Audited) {
        if row.action == KEY {
            self.keys.insert(row.subject.clone());
        }
        if row.action == PURGE {
            let detail: serde_json::Value = serde_json::from_str(&row.detail).unwrap_or_default();
            let (seq, hash) = (&detail["audit"]["seq"], &detail["audit"]["hash"]);
            self.base_is_told |=
                seq.as_i64() == Some(self.base.0) && hash.as_str() == Some(&self.base.1);
            let keys = detail["audit"]["keys"].as_array().into_iter().flatten();
            let keys = keys.filter_map(|key| key.as_str().map(str::to_owned));
            self.keys.extend(keys);
        }
    }

    fn look_at_heads(&mut self) {
        for head in self.heads.remove(&self.seq).into_iter().flatten() {
            if head.hash == self.hash {
                self.signed_to = self.seq;
                self.fitting.push(head);
            } else {
                let from = self.signed_to.max(self.base.0) + 1;
                let to = self.seq;
                self.row_fault = Some(Fault::Rewritten { from, to });
            }
        }
    }

    fn end(self) -> Verdict {
        let unknown = self
            .fitting
            .iter()
            .find(|head| !self.keys.contains(&head.public));
        let cut = self.seq < self.end.0 || !self.heads.is_empty();
        let end_differs = self.hash != self.end.1;
        let fault = match self.row_fault {
            Some(fault) => Some(fault),
            None if cut => Some(Fault::Missing { seq: self.seq + 1 }),
            None if !self.base_is_told => Some(Fault::Missing { seq: self.base.0 }),
            None if end_differs => Some(Fault::Altered { seq: self.seq }),
            None => self.head_fault.or(unknown.map(forged_as)),
        };
        Verdict {
            rows: self.rows,
            signed_to: self.signed_to,
            fault,
        }
    }
}

fn forged_as(head: &Head) -> Fault {
    Fault::Forged {
        seq: head.seq,
        made_ms: head.made_ms,
    }
}

/// Not in the database, nor one of the same key and day that is newer.
fn gone(head: &Head, stored: &[Head]) -> bool {
    let same = |other: &&Head| (&other.public, other.day()) == (&head.public, head.day());
    stored
        .iter()
        .find(same)
        .is_none_or(|other| other.seq < head.seq)
}

fn misfit(row: &Audited, before: i64, before_hash: &str, end: i64) -> Option<Fault> {
    match row {
        row if row.seq > end => Some(Fault::Inserted { seq: row.seq }),
        row if row.seq != before + 1 => Some(Fault::Missing { seq: before + 1 }),
        row if row.hash != hash(before_hash, row) => Some(Fault::Altered { seq: row.seq }),
        _ => None,
    }
}
