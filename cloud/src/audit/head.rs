//! Signed heads: the chain's end as a collector saw it, under its key (`<data>/key`), so that who rewrites the log whole is found too.
//!
//! A head is a signed list (`davy_print::SignedList`):
//!
//! ```text
//! davy audit head 1
//! key <public key, 64 hexadecimal digits>
//! seq 1234
//! hash <64 hexadecimal digits>
//! made_ms 1795500000000
//! signature <128 hexadecimal digits>
//! ```
//!
//! While the chain grows one is made every minute, and at least one a UTC day. The last of each day stays twice: in the records (`audit_heads`), where every
//! collector of several finds it, and as a file `<data>/audit-heads/<day>`, out of reach of whoever has the database alone. A copy in other hands
//! (each case file and backup has one) is out of reach of whoever has the machine.
//!
//! A key is told to the chain itself before it first signs ([`KEY`]): a head under a key that the chain never knew is forged.

use super::Entry;
use crate::records::engine::{Row, StoreError, values};
use crate::records::{Records, RecordsError};
use crate::settings::Settings;
use davy_print::{Key, KeyError, SignedList, is_signed, replace, signed};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The action by which a collector tells the chain the key that it signs with; the subject is the public key.
pub(crate) const KEY: &str = "audit-key";

const TITLE: &str = "davy audit head 1";
const DAY_MS: i64 = 86_400_000;
/// A head is some 300 bytes.
const LONGEST: u64 = 4_096;

/// The chain's end under a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Public key, hexadecimal.
    pub public: String,
    pub seq: i64,
    pub hash: String,
    pub made_ms: i64,
    pub signature: String,
}

impl Head {
    fn sign(key: &Key, seq: i64, hash: String, made_ms: i64) -> Self {
        let mut head = Self {
            public: key.public(),
            seq,
            hash,
            made_ms,
            signature: String::new(),
        };
        head.signature = key.sign(head.body().as_bytes());
        head
    }

    fn body(&self) -> String {
        let Self {
            public,
            seq,
            hash,
            made_ms,
            ..
        } = self;
        format!("{TITLE}\nkey {public}\nseq {seq}\nhash {hash}\nmade_ms {made_ms}\n")
    }

    /// The head as a signed list.
    pub fn text(&self) -> String {
        signed(&self.body(), &self.signature)
    }

    /// Reads a signed list; none if it is no head.
    pub fn read(text: &str) -> Option<Self> {
        let list = SignedList::read(text, TITLE)?;
        Some(Self {
            public: list.public.to_owned(),
            seq: list.fact("seq")?.parse().ok()?,
            hash: list.fact("hash")?.to_owned(),
            made_ms: list.fact("made_ms")?.parse().ok()?,
            signature: text.rsplit_once("signature ")?.1.trim_end().to_owned(),
        })
    }

    /// Whether its own key signed exactly this.
    pub fn is_signed(&self) -> bool {
        is_signed(&self.public, &self.signature, self.body().as_bytes())
    }

    /// Days since 1970, UTC.
    pub(crate) const fn day(&self) -> i64 {
        self.made_ms.div_euclid(DAY_MS)
    }
}

/// Why no head was made or read.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Records(#[from] RecordsError),
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("{0} is no signed head of an audit log")]
    Unreadable(PathBuf),
}

/// Makes heads for one collector.
#[derive(Debug)]
pub struct Keeper {
    records: Records,
    key: Key,
    folder: PathBuf,
    newest: Option<Head>,
}

impl Keeper {
    /// With the collector's key, which is made if there is none.
    pub fn open(settings: &Settings, records: Records) -> Result<Self, HeadError> {
        Ok(Self {
            records,
            key: Key::open(&settings.key_file())?,
            folder: settings.heads_folder(),
            newest: None,
        })
    }

    /// What people compare a signature's key with.
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint()
    }

    /// Signs the chain's end, unless that was done today already; answers the head in force.
    pub async fn keep(&mut self, now_ms: i64) -> Result<Head, HeadError> {
        let public = self.key.public();
        if self.newest.is_none() && !self.records.knows_key(&public).await? {
            let told = Entry {
                time_ms: now_ms,
                actor: "collector".to_owned(),
                action: KEY,
                subject: public,
                detail: serde_json::json!({ "fingerprint": self.key.fingerprint() }),
            };
            self.records.audit(&told).await?;
        }
        let (seq, hash) = self.records.audit_end().await?;
        let day = now_ms.div_euclid(DAY_MS);
        if let Some(newest) = &self.newest
            && (newest.seq, newest.day()) == (seq, day)
        {
            return Ok(newest.clone());
        }
        let head = Head::sign(&self.key, seq, hash, now_ms);
        // The database first: a file that it does not know would be a head that somebody took away.
        self.records.put_head(&head).await?;
        self.write(&head)?;
        self.newest = Some(head.clone());
        Ok(head)
    }

    fn write(&self, head: &Head) -> Result<(), HeadError> {
        let path = self.folder.join(day_name(head.day()));
        let put = || {
            fs::create_dir_all(&self.folder)?;
            replace(&path, head.text().as_bytes())
        };
        put().map_err(|source| HeadError::File {
            path: path.clone(),
            source,
        })
    }
}

/// Every head that this collector kept outside the database.
pub fn kept(settings: &Settings) -> Result<Vec<Head>, HeadError> {
    let folder = settings.heads_folder();
    let fail = |source| HeadError::File {
        path: folder.clone(),
        source,
    };
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        entries => entries.map_err(fail)?,
    };
    let mut heads = Vec::new();
    for entry in entries {
        let path = entry.map_err(fail)?.path();
        // What a crash left of a file that was not yet in its place.
        if path.extension().is_none_or(|end| end != "new") {
            heads.push(read(&path)?);
        }
    }
    Ok(heads)
}

/// Reads one head's file.
pub fn read(path: &Path) -> Result<Head, HeadError> {
    let fail = |source| HeadError::File {
        path: path.to_owned(),
        source,
    };
    let unreadable = || HeadError::Unreadable(path.to_owned());
    if fs::metadata(path).map_err(fail)?.len() > LONGEST {
        return Err(unreadable());
    }
    let text = fs::read_to_string(path).map_err(fail)?;
    Head::read(&text).ok_or_else(unreadable)
}

/// `2026-11-29` of days since 1970.
fn day_name(day: i64) -> String {
    jiff::Timestamp::from_millisecond(day.saturating_mul(DAY_MS))
        .map_or_else(|_| day.to_string(), |time| time.strftime("%F").to_string())
}

const SELECT: &str = "SELECT public_key, seq, hash, made_ms, signature FROM audit_heads";

impl Records {
    /// The last row of the chain: number and hash.
    pub(crate) async fn audit_end(&self) -> Result<(i64, String), RecordsError> {
        let sql = "SELECT seq, hash FROM audit_head WHERE id = 1".to_owned();
        let rows = self.engine.read(sql, vec![]).await?;
        let end = rows.first().map(|row| Ok((row.int(0)?, row.text(1)?)));
        Ok(end
            .transpose()
            .map_err(|error: StoreError| error)?
            .unwrap_or_default())
    }

    /// The heads in the database, by what they sign.
    pub(crate) async fn heads(&self) -> Result<Vec<Head>, RecordsError> {
        let sql = format!("{SELECT} ORDER BY seq, public_key, day");
        let rows = self.engine.read(sql, vec![]).await?;
        Ok(rows.iter().map(head).collect::<Result<_, _>>()?)
    }

    async fn knows_key(&self, public: &str) -> Result<bool, RecordsError> {
        let sql = "SELECT seq FROM audit WHERE subject = $1 AND action = $2 LIMIT 1".to_owned();
        let rows = self.engine.read(sql, values![public, KEY]).await?;
        Ok(!rows.is_empty())
    }

    async fn put_head(&self, head: &Head) -> Result<(), RecordsError> {
        let sql = "INSERT INTO audit_heads (public_key, day, seq, hash, made_ms, signature) VALUES ($1, $2, $3, $4, $5, $6) \
            ON CONFLICT (public_key, day) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, made_ms = excluded.made_ms, \
            signature = excluded.signature";
        let Head {
            public,
            seq,
            hash,
            made_ms,
            signature,
        } = head;
        let values = values![public, head.day(), *seq, hash, *made_ms, signature];
        self.change(sql, values).await.map(drop)
    }
}

fn head(row: &Row) -> Result<Head, StoreError> {
    Ok(Head {
        public: row.text(0)?,
        seq: row.int(1)?,
        hash: row.text(2)?,
        made_ms: row.int(3)?,
        signature: row.text(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_back_and_one_that_was_altered_is_not_signed() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = Key::open(&folder.path().join("key")).expect("a key");
        let head = Head::sign(&key, 7, "ab".repeat(32), 1_795_500_000_000);
        assert!(head.is_signed());
        assert_eq!(Head::read(&head.text()), Some(head.clone()));
        let text = head.text().replace("seq 7", "seq 8");
        assert!(!Head::read(&text).expect("a head").is_signed());
    }

    #[test]
    fn a_day_is_named_by_its_date() {
        assert_eq!(day_name(20_786), "2026-11-29");
    }
}
