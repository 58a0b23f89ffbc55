//! What the commissioning pages stand on: the draft, the search, the probe, and the way of a draft to the site that runs. It opens no bus that the running
//! site holds, and replaces the site file as a whole or not at all.

use super::gate;
use super::job::{Busy, Scans};
use super::kept;
use super::link::{self, Target};
use super::opening::{self, Code};
use super::range::{Range, TableName};
use super::search::{self, Asked};
use super::target::TargetError;
use super::tree;
use super::workbook::{Draft, KeepError, Workbook};
use super::{Line, changes};
use crate::admission;
use crate::budget;
use crate::check;
use crate::diff::Diff;
use crate::message;
use crate::reload::{self, Reload};
use davy_config::site::Site;
use davy_config::{Language, Loaded, Problems, Today, differences};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

/// How long a unit may take to answer a search, and a probe, unless the page says.
const SCAN_MS: u32 = 200;
const PROBE_MS: u32 = 500;
const TIMEOUT_MS: std::ops::RangeInclusive<u32> = 10..=10_000;
/// Registers of one probe.
const COUNT: std::ops::RangeInclusive<u16> = 1..=125;

/// What a page asks of a search.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scanned {
    target: Target,
    units: Option<String>,
    #[serde(default)]
    thorough: bool,
    timeout_ms: Option<u32>,
}

/// What a page asks of a probe.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Probed {
    target: Target,
    unit: u8,
    table: TableName,
    start: u16,
    count: u16,
    timeout_ms: Option<u32>,
}

/// A thing that is armed without a proof, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Skip {
    pub(crate) id: String,
    pub(crate) reason: String,
}

/// Why nothing was looked at.
#[derive(Debug)]
pub(crate) enum LookError {
    /// A part of the question makes no sense.
    Field(&'static str, String),
    Busy,
    /// Buses of the running site hold what was named.
    Held(Vec<String>),
    /// The link cannot be opened, or the unit does not answer.
    Unreachable(io::Error),
}

/// Why a draft does not become the site that runs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    #[error("{0}")]
    Keep(#[from] KeepError),
    #[error("{0}")]
    Invalid(Problems),
    /// These would be armed.
    #[error("neither proved nor skipped: {}", .0.join(", "))]
    Unproved(Vec<String>),
    #[error("nobody could commission it any more")]
    NoInstaller,
    #[error("cannot listen there: {0}")]
    Listen(io::Error),
    #[error("the site file cannot be written: {0}")]
    Write(io::Error),
    /// The draft holds more than the arming: that is applied first.
    #[error("the draft holds changes that are not applied")]
    Unapplied,
    #[error("another site is being taken over")]
    Ending,
    /// The running gateway does not go over to it.
    #[error("{0}")]
    Refused(reload::Refused),
}

/// The installer's side of one gateway.
#[derive(Debug)]
pub(crate) struct Commission {
    /// Where the site file is, or will be.
    file: PathBuf,
    /// There is none yet, and nothing is monitored.
    pub(crate) is_blank: bool,
    pub(crate) code: Code,
    workbook: Workbook,
    pub(crate) scans: Scans,
    /// One change of the site file at a time.
    applying: Mutex<()>,
    /// One probe at a time: a line has one speaker.
    probing: Mutex<()>,
    /// Where a site goes that shall run.
    next: mpsc::Sender<Arc<Site>>,
}

impl Commission {
    /// On what was kept in `data`. A site that is applied goes to `next`.
    ///
    /// # Errors
    /// The data directory cannot be read.
    pub(crate) fn open(
        file: &Path,
        data: &Path,
        is_blank: bool,
        next: mpsc::Sender<Arc<Site>>,
    ) -> io::Result<Self> {
        let workbook = Workbook::open(data)?;
        let draft = workbook.draft();
        let known = || {
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            opening::site(any, draft.as_ref().map(|draft| &draft.site)).people
        };
        Ok(Self {
            file: file.to_owned(),
            is_blank,
            code: Code::new(is_blank && !opening::has_installer(&known())),
            workbook,
            scans: Scans::default(),
            applying: Mutex::new(()),
            probing: Mutex::new(()),
            next,
        })
    }

    /// What a page is told first.
    pub(crate) fn state(&self) -> Value {
        json!({
            "blank": self.is_blank,
            "first": self.code.is_open(),
            "file": self.file.file_name().map(|name| name.to_string_lossy()),
            "revision": self.workbook.draft().map_or(0, |draft| draft.revision),
        })
    }

    /// The draft; where there is none, one that begins from the file, or from nothing.
    ///
    /// # Errors
    /// The site file cannot be read any more.
    pub(crate) fn draft(&self, site: &Site) -> io::Result<Draft> {
        if let Some(draft) = self.workbook.draft() {
            return Ok(draft);
        }
        Ok(Draft {
            revision: 0,
            site: self.present(site)?,
            by: String::new(),
            changed_ms: 0,
        })
    }

    /// The file that is there now, as a tree.
    fn present(&self, site: &Site) -> io::Result<Value> {
        if self.is_blank {
            return Ok(opening::beginning(site.http));
        }
        let text = std::fs::read_to_string(&self.file)?;
        tree::read(&text).map_err(io::Error::other)
    }

    /// Keeps a draft; see [`Workbook::keep`].
    pub(crate) fn keep(
        &self,
        revision: u64,
        mut tree: Value,
        by: &str,
        now_ms: i64,
        site: &Site,
    ) -> Result<Draft, KeepError> {
        if revision == 0 {
            super::workbook::take_pins(&mut tree, &self.present(site)?);
        }
        self.workbook.keep(revision, tree, by, now_ms)
    }

    /// Forgets the draft.
    pub(crate) fn clear(&self, revision: u64) -> Result<(), KeepError> {
        self.workbook.clear(revision)
    }

    /// What `check` says of the draft, what it changes, where it protects less, what it asks of the buses, and what it may not arm.
    ///
    /// # Errors
    /// The site file cannot be read any more.
    pub(crate) fn check(
        &self,
        site: &Site,
        is_proved: impl Fn(&Site, &str) -> bool,
    ) -> io::Result<Value> {
        let draft = self.draft(site)?;
        let text = self.text(&draft.site);
        let (loaded, problems) = match self.parse(&text) {
            Ok(Loaded { site, warnings }) => (Some(site), warnings),
            Err(problems) => (None, problems),
        };
        // Also of a draft that is refused for just that.
        let valid = davy_config::parse(&self.name(), &text, kept::folder(&self.file)).ok();
        let budget = (valid.as_ref()).map(|loaded| json!(budget::Table::of(&loaded.site)));
        let weaker = |next: &Site| {
            let running = self.running(site);
            running.map(|running| Diff::of(differences(running, next)).weaker())
        };
        let unproved = |next: &Site| -> Vec<String> {
            let refused = gate::unproved(next, self.running(site), is_proved);
            refused.into_iter().map(String::from).collect()
        };
        let rows: Vec<Value> = problems.iter().map(check::row).collect();
        Ok(json!({
            "revision": draft.revision,
            "ok": loaded.is_some(),
            "problems": rows,
            "text": hidden(&text),
            "changes": changes::changes(&self.present(site)?, &draft.site),
            "weaker": loaded.as_ref().and_then(weaker).unwrap_or_default(),
            "budget": budget,
            "unproved": loaded.as_ref().map(unproved).unwrap_or_default(),
        }))
    }

    /// Makes the draft the site that runs: checked, held against the gate, written in place of the file, and handed over.
    ///
    /// # Errors
    /// Why not; the file is then as it was.
    pub(crate) async fn apply(
        &self,
        revision: u64,
        running: &Running<'_>,
        actor: &str,
    ) -> Result<(), ApplyError> {
        let _one = self.applying.try_lock().map_err(|_| ApplyError::Ending)?;
        let site = running.site;
        let draft = self.draft(site).map_err(ApplyError::Write)?;
        if draft.revision != revision {
            return Err(KeepError::Changed.into());
        }
        self.take(&draft.site, running, actor).await
    }

    /// Arms points and outputs of the site that runs; those in `skips` without a proof, for a reason.
    ///
    /// # Errors
    /// Why not; nothing of it is then armed.
    pub(crate) async fn arm(
        &self,
        revision: u64,
        ids: &[String],
        skips: &[Skip],
        signed: &Signed<'_>,
        running: &Running<'_>,
    ) -> Result<(), ApplyError> {
        let _one = self.applying.try_lock().map_err(|_| ApplyError::Ending)?;
        let site = running.site;
        let mut draft = self.draft(site).map_err(ApplyError::Write)?;
        let present = self.present(site).map_err(ApplyError::Write)?;
        if self.is_blank || !changes::changes(&present, &draft.site).is_empty() {
            return Err(ApplyError::Unapplied);
        }
        for part in ["point", "output"] {
            let list = draft.site.get_mut(part).and_then(Value::as_array_mut);
            for one in list.into_iter().flatten().filter_map(Value::as_object_mut) {
                let is = |id: &String| one.get("id").is_some_and(|own| own == id.as_str());
                let skip = skips.iter().find(|skip| is(&skip.id));
                let is_meant = ids.iter().any(is) || skip.is_some();
                if !is_meant {
                    continue;
                }
                one.remove("armed");
                one.remove("unproved");
                if let Some(skip) = skip {
                    let date = json!({ "$date": signed.date });
                    one.insert(
                        "unproved".to_owned(),
                        json!({ "by": signed.by, "date": date, "reason": skip.reason }),
                    );
                }
            }
        }
        self.admit(&draft.site, running)?;
        let draft = (self.workbook).keep(revision, draft.site, signed.id, signed.now_ms)?;
        self.take(&draft.site, running, signed.id).await
    }

    /// The site that a tree makes, if it may run.
    fn admit(&self, tree: &Value, running: &Running<'_>) -> Result<(String, Site), ApplyError> {
        let site = running.site;
        let text = self.text(tree);
        let next = self.parse(&text).map_err(ApplyError::Invalid)?.site;
        if !opening::has_installer(&next.people) {
            return Err(ApplyError::NoInstaller);
        }
        let refused = gate::unproved(&next, self.running(site), running.is_proved);
        if !refused.is_empty() {
            return Err(ApplyError::Unproved(
                refused.into_iter().map(String::from).collect(),
            ));
        }
        if next.http.port() != site.http.port() {
            // A port that another program holds would leave the plant without a screen.
            TcpListener::bind(next.http).map_err(ApplyError::Listen)?;
        }
        Ok((text, next))
    }

    async fn take(
        &self,
        tree: &Value,
        running: &Running<'_>,
        actor: &str,
    ) -> Result<(), ApplyError> {
        let (text, next) = self.admit(tree, running)?;
        if self.is_blank {
            let place = self.next.try_reserve().map_err(|_| ApplyError::Ending)?;
            self.write(&text).map_err(ApplyError::Write)?;
            place.send(Arc::new(next));
            return Ok(());
        }
        let before = std::fs::read(&self.file).map_err(ApplyError::Write)?;
        self.write(&text).map_err(ApplyError::Write)?;
        if let Err(refused) = running.reload.apply(actor).await {
            // What runs on is what the file says again: a restart must not do what was refused.
            kept::replace(&self.file, &before).map_err(ApplyError::Write)?;
            return Err(ApplyError::Refused(refused));
        }
        Ok(())
    }

    /// The file that was there stays beside it.
    fn write(&self, text: &str) -> io::Result<()> {
        match std::fs::read(&self.file) {
            Ok(before) => kept::replace(&kept::beside(&self.file, "previous"), &before)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        kept::replace(&self.file, text.as_bytes())
    }

    fn text(&self, tree: &Value) -> String {
        let line = |language| format!("# {}\n", message::text("commission-head", language));
        let head = line(Language::Zh) + &line(Language::En);
        tree::write(tree, &head)
    }

    fn name(&self) -> String {
        self.file.display().to_string()
    }

    fn parse(&self, text: &str) -> Result<Loaded, Problems> {
        admission::parse(
            &self.name(),
            text,
            kept::folder(&self.file),
            Today::Certain(check::day()),
        )
    }

    /// A blank gateway has armed nothing.
    fn running<'s>(&self, site: &'s Site) -> Option<&'s Site> {
        (!self.is_blank).then_some(site)
    }

    /// Begins a search.
    pub(crate) fn scan(
        &self,
        asked: Scanned,
        site: &Site,
        now_ms: i64,
        shutdown: &CancellationToken,
    ) -> Result<(), LookError> {
        let timeout_ms = timeout(asked.timeout_ms, SCAN_MS)?;
        let units = (asked
            .units
            .as_deref()
            .filter(|units| !units.trim().is_empty()))
        .map(search::units)
        .transpose()
        .map_err(|example| LookError::Field("units", example))?;
        let all = asked.target.buses(asked.thorough, timeout_ms).map_err(at)?;
        let (held, free): (Vec<_>, Vec<_>) =
            (all.into_iter()).partition(|bus| link::holder(site, &bus.link).is_some());
        let mut held: Vec<String> = held
            .iter()
            .map(|bus| super::target::spelt(&bus.link))
            .collect();
        held.dedup();
        if free.is_empty() {
            return Err(LookError::Held(held));
        }
        let _one = self.probing.try_lock().map_err(|_| LookError::Busy)?;
        let units = Asked {
            units,
            thorough: asked.thorough,
        };
        let begun = self
            .scans
            .begin(asked.target, free, units, held, now_ms, shutdown);
        begun.map_err(|Busy| LookError::Busy)
    }

    /// Reads a range of one unit.
    pub(crate) async fn probe(&self, asked: Probed, site: &Site) -> Result<Value, LookError> {
        let timeout_ms = timeout(asked.timeout_ms, PROBE_MS)?;
        if !COUNT.contains(&asked.count) {
            return Err(LookError::Field("count", "1-125".to_owned()));
        }
        let bus = asked.target.bus(timeout_ms).map_err(at)?;
        if let Some(holder) = link::holder(site, &bus.link) {
            return Err(LookError::Held(vec![holder.to_owned()]));
        }
        if self.scans.is_running() {
            return Err(LookError::Busy);
        }
        let _one = self.probing.try_lock().map_err(|_| LookError::Busy)?;
        let range = Range {
            unit: asked.unit,
            table: asked.table,
            start: asked.start,
            count: asked.count,
        };
        let tree = link::tree(&bus.link);
        let places = range.read(&mut Line::new(bus)).await;
        let places = places.map_err(LookError::Unreachable)?;
        Ok(json!({ "bus": tree, "unit": asked.unit, "rows": range.rows(&places) }))
    }

    /// The machine's serial ports.
    pub(crate) fn ports(&self, site: &Site) -> Value {
        link::ports(site)
    }
}

/// What a draft is held against, and how another site takes its place.
pub(crate) struct Running<'a> {
    pub(crate) site: &'a Site,
    pub(crate) reload: &'a Reload,
    /// Whether somebody proved a point or an output as it is in that site.
    pub(crate) is_proved: &'a (dyn Fn(&Site, &str) -> bool + Sync),
}

/// Who arms, and when.
#[derive(Debug)]
pub(crate) struct Signed<'a> {
    pub(crate) id: &'a str,
    /// As people call them.
    pub(crate) by: &'a str,
    /// `2026-11-28`
    pub(crate) date: String,
    pub(crate) now_ms: i64,
}

fn timeout(asked: Option<u32>, usual: u32) -> Result<u32, LookError> {
    match asked.unwrap_or(usual) {
        given if TIMEOUT_MS.contains(&given) => Ok(given),
        _ => Err(LookError::Field("timeout_ms", "10-10000".to_owned())),
    }
}

fn at(error: TargetError) -> LookError {
    LookError::Field("at", error.text(Language::En))
}

/// The text without what nobody may read over a shoulder.
fn hidden(text: &str) -> String {
    let line = |line: &str| match line.trim_start().starts_with("pin = ") {
        true => "pin = \"…\"\n".to_owned(),
        false => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}
