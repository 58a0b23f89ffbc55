//! A period of one history in another: series by series, each read back and compared by number and checksum. What is done stands in a ledger, so that a copy
//! that was broken off goes on where it was; what had been copied of a series then comes again, which changes nothing.

use super::{History, HistoryError, PointReading, state};
use davy_alarm::Reading;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Readings of one page and one commit.
const PAGE: usize = 10_000;
/// Pause while the target is busy.
const WHILE_BUSY: Duration = Duration::from_millis(50);

/// What is copied, from where and to where: a ledger belongs to one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    pub from: String,
    pub to: String,
    /// `from_ms` ≤ source time < `to_ms`.
    pub from_ms: i64,
    pub to_ms: i64,
}

/// One series, as it was found on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    pub site: String,
    pub point: String,
    pub readings: u64,
    /// SHA-256 over time, state and value of each reading, hexadecimal.
    pub checksum: String,
}

/// Why a series was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error("the ledger {path}: {source}")]
    Ledger {
        path: String,
        source: std::io::Error,
    },
    #[error("the ledger {path} belongs to another copy; name another file")]
    OtherLedger { path: String },
    /// The target holds other readings of this period, or did not keep what it took.
    #[error("{site} {point}: {from} readings ({from_checksum}) became {to} ({to_checksum})")]
    Differs {
        site: String,
        point: String,
        from: u64,
        from_checksum: String,
        to: u64,
        to_checksum: String,
    },
}

/// What has been copied and verified: lines of JSON, the first of which says of what.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: File,
    done: HashMap<(String, String), Copied>,
}

impl Ledger {
    /// Opens the ledger, or begins it. A last line that was cut off is passed over.
    ///
    /// # Errors
    /// If the file cannot be read or written, or belongs to another copy.
    pub fn open(path: &Path, copy: &Copy) -> Result<Self, CopyError> {
        let failed = |source| CopyError::Ledger {
            path: path.display().to_string(),
            source,
        };
        let mut file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(failed)?;
        let mut lines = BufReader::new(&file).lines();
        match lines.next().transpose().map_err(failed)? {
            None => {}
            Some(first) if serde_json::from_str(&first).is_ok_and(|of: Copy| of == *copy) => {}
            Some(_) => {
                let path = path.display().to_string();
                return Err(CopyError::OtherLedger { path });
            }
        }
        let mut done = HashMap::new();
        for line in lines {
            let line = line.map_err(failed)?;
            if let Ok(copied) = serde_json::from_str::<Copied>(&line) {
                done.insert((copied.site.clone(), copied.point.clone()), copied);
            }
        }
        if file.metadata().map_err(failed)?.len() == 0 {
            append(&mut file, copy).map_err(failed)?;
        } else {
            // What follows a line that was cut off is a line of its own.
            file.write_all(b"\n").map_err(failed)?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            done,
        })
    }

    /// A series that is done.
    fn done(&self, site: &str, point: &str) -> Option<&Copied> {
        self.done.get(&(site.to_owned(), point.to_owned()))
    }

    fn note(&mut self, copied: &Copied) -> Result<(), CopyError> {
        append(&mut self.file, copied).map_err(|source| CopyError::Ledger {
            path: self.path.display().to_string(),
            source,
        })
    }
}

fn append(file: &mut File, what: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_data()
}

/// Copies one series, unless the ledger has it, and compares what the target then holds.
///
/// # Errors
/// As the histories', or the ledger's; [`CopyError::Differs`] if the target holds something else.
pub async fn series(
    (from, to): (&dyn History, &dyn History),
    copy: &Copy,
    (site, point): (&str, &str),
    ledger: &mut Ledger,
) -> Result<Copied, CopyError> {
    if let Some(copied) = ledger.done(site, point) {
        return Ok(copied.clone());
    }
    let mut sent = Sum::default();
    let mut pages = Pages::new((site, point), copy);
    while let Some(page) = pages.next(from).await? {
        sent.add(&page);
        commit(to, (site, point), page).await?;
    }
    let mut held = Sum::default();
    let mut pages = Pages::new((site, point), copy);
    while let Some(page) = pages.next(to).await? {
        held.add(&page);
    }
    let (sent, held) = (sent.of(site, point), held.of(site, point));
    if sent != held {
        return Err(CopyError::Differs {
            site: sent.site,
            point: sent.point,
            from: sent.readings,
            from_checksum: sent.checksum,
            to: held.readings,
            to_checksum: held.checksum,
        });
    }
    ledger.note(&sent)?;
    Ok(sent)
}

async fn commit(
    to: &dyn History,
    (site, point): (&str, &str),
    page: Vec<Reading>,
) -> Result<(), CopyError> {
    let named = page.into_iter().map(|reading| PointReading {
        site: site.into(),
        point: point.into(),
        reading,
    });
    let named: Vec<PointReading> = named.collect();
    loop {
        match to.commit(named.clone()).await {
            Err(HistoryError::Busy) => tokio::time::sleep(WHILE_BUSY).await,
            done => return Ok(done?),
        }
    }
}

/// A period of a series, page by page.
struct Pages<'a> {
    name: (&'a str, &'a str),
    next_ms: Option<i64>,
    to_ms: i64,
}

impl<'a> Pages<'a> {
    fn new(name: (&'a str, &'a str), copy: &Copy) -> Self {
        Self {
            name,
            next_ms: Some(copy.from_ms),
            to_ms: copy.to_ms,
        }
    }

    async fn next(&mut self, history: &dyn History) -> Result<Option<Vec<Reading>>, HistoryError> {
        let Some(from_ms) = self.next_ms.filter(|from_ms| *from_ms < self.to_ms) else {
            return Ok(None);
        };
        let (site, point) = self.name;
        let page = history
            .readings(site, point, from_ms, self.to_ms, PAGE)
            .await?;
        self.next_ms = page
            .last()
            .and_then(|last| last.source_time().0.checked_add(1));
        Ok((!page.is_empty()).then_some(page))
    }
}

#[derive(Default)]
struct Sum {
    readings: u64,
    digest: Sha256,
}

impl Sum {
    fn add(&mut self, page: &[Reading]) {
        self.readings += page.len() as u64;
        for one in page {
            self.digest.update(one.source_time().0.to_le_bytes());
            self.digest.update(state::of(one).to_le_bytes());
            let value = one.value().unwrap_or_default();
            self.digest.update(value.to_le_bytes());
        }
    }

    fn of(self, site: &str, point: &str) -> Copied {
        let digest = self.digest.finalize();
        Copied {
            site: site.to_owned(),
            point: point.to_owned(),
            readings: self.readings,
            checksum: davy_print::text_of(&digest),
        }
    }
}
