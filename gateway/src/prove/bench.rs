//! The test bench: the one owner of ledger and proofs under way. It looks at the live picture, asks judgement at the desk as everybody does, and tells
//! journal and alarms what came of it.

use super::draft::{Alarms, Draft, DraftError, Sight, Taken, kept};
use super::due::{Calendar, Due, Standing, State};
use super::ledger::{Entry, Ledger, LedgerError};
use super::plan::Kind;
use super::proof::{Of, Proof, Seen, Verdict};
use super::report::{self, Made, ReportError};
use super::subject::{Subject, basis_of, find, named};
use super::told;
use super::under_way::UnderWay;
use super::window::Still;
use crate::clock::{self, Clock};
use crate::desk::{Desk, DeskError};
use crate::journal::Journal;
use crate::judge::Ask;
use crate::live::Live;
use crate::message;
use davy_alarm::Signal;
use davy_config::Language;
use davy_config::site::{OutputIndex, PointIndex, Site};
use davy_print::Key;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often a point under proof is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often the calendar is looked at.
const CALENDAR_EVERY: Duration = Duration::from_secs(60);
/// After this long the journal has synced what it was given, if nothing failed.
const JOURNALLED_AFTER: Duration = Duration::from_secs(2);
/// A proof that nobody touches for so long ends, and its alarms come back into service.
const IDLE_MAX_MS: u64 = 2 * 3_600_000;
/// Why something is not done.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("nothing here is called {0}")]
    Unknown(String),
    #[error("it cannot be proved so")]
    Kind,
    #[error("it is being proved already")]
    UnderWay,
    #[error("it is not being proved")]
    NotUnderWay,
    #[error("too many proofs are under way")]
    TooMany,
    #[error("a test takes 1 to 60 s")]
    Seconds,
    #[error("the act must be confirmed")]
    Unconfirmed,
    #[error(transparent)]
    Draft(#[from] DraftError),
    #[error(transparent)]
    Desk(#[from] DeskError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("the work was broken off")]
    Broken,
}

/// How a proof begins.
#[derive(Clone, Debug)]
pub struct Started {
    pub kind: Kind,
    pub under_test: bool,
    pub gas: Option<String>,
    pub instrument: Option<String>,
    /// Of an output: how long it is on, and that whoever asks knows that it really will be.
    pub seconds: Option<u32>,
    pub confirmed: bool,
}

/// The bench; cheap to clone.
#[derive(Clone, Debug)]
pub struct Bench(pub(super) Arc<Inner>);

/// Where a bench gets at the rest of the gateway.
#[derive(Clone, Debug)]
pub struct Parts {
    pub site: Arc<Site>,
    pub live: Arc<Live>,
    pub desk: Desk,
    pub journal: Journal,
    pub clock: Clock,
    pub data: PathBuf,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) parts: Parts,
    /// Why there is none, if there is none: then nothing is signed, and all else goes on.
    key: Result<Key, String>,
    state: Mutex<Shelf>,
    /// Something changed that the watch must look at.
    pub(super) stirred: Notify,
}

#[derive(Debug)]
pub(super) struct Shelf {
    ledger: Ledger,
    pub(super) under_way: Vec<UnderWay>,
    /// Numbers up to this one were handed to the journal.
    handed: Option<(u64, tokio::time::Instant)>,
    /// By alarm: what it was last told.
    told: BTreeMap<usize, Signal>,
}

/// One row of what is to be proved.
#[derive(Clone, Debug)]
pub struct Row {
    pub subject: Subject,
    pub due: Due,
    pub standing: Standing,
    pub under_way: bool,
}

/// A proof under way as it is shown.
#[derive(Clone, Debug)]
pub struct Look {
    pub draft: Draft,
    pub still: Option<Still>,
    pub window_ms: u64,
    pub alarms: Alarms,
    /// Of an output: it works still.
    pub running: bool,
}

impl Bench {
    /// Opens the ledger and takes up what was under way.
    pub fn open(parts: Parts) -> Result<Self, LedgerError> {
        let ledger = Ledger::open(&parts.data)?;
        Ok(Self::with(parts, ledger))
    }

    /// Takes up what was under way by an open ledger.
    pub fn with(parts: Parts, ledger: Ledger) -> Self {
        if ledger.damaged() > 0 {
            tracing::error!(lines = ledger.damaged(), "the ledger of proofs is damaged");
        }
        let key = Key::open(&parts.data.join("prove/key")).map_err(|error| {
            tracing::error!(%error, "no key: reports cannot be signed");
            error.to_string()
        });
        let now = parts.clock.now();
        let taken_up = |draft: Draft| {
            let subject = find(&parts.site, draft.of, &draft.subject)?;
            Some(UnderWay::new(&parts.site, draft, subject, now))
        };
        let under_way = ledger.drafts().into_iter().filter_map(taken_up).collect();
        Self(Arc::new(Inner {
            state: Mutex::new(Shelf {
                ledger,
                under_way,
                handed: None,
                told: BTreeMap::new(),
            }),
            parts,
            key,
            stirred: Notify::new(),
        }))
    }

    /// Ends its writing, so that the bench of another site file may take the ledger over.
    pub fn close(&self) {
        self.shelf().ledger.close();
    }

    /// The fingerprint of the key that reports are signed with, or why there is none.
    pub fn fingerprint(&self) -> Result<String, String> {
        self.0
            .key
            .as_ref()
            .map(Key::fingerprint)
            .map_err(Clone::clone)
    }

    /// Every point and output, how it stands and when it is due.
    pub fn rows(&self) -> Vec<Row> {
        let site = &self.0.parts.site;
        let points = (0..site.points.len()).map(|at| Subject::Point(PointIndex(at)));
        let outputs = (0..site.outputs.len()).map(|at| Subject::Output(OutputIndex(at)));
        let shelf = self.shelf();
        points
            .chain(outputs)
            .map(|subject| self.row(&shelf, subject))
            .collect()
    }

    /// One of them.
    pub fn one(&self, subject: Subject) -> Row {
        self.row(&self.shelf(), subject)
    }

    /// Whether the point or output of this id is proved as `site` has it: what a site that is about to run changes of it asks for a proof again.
    pub fn proves(&self, site: &Site, id: &str) -> bool {
        let shelf = self.shelf();
        let is_proved = |subject| self.due(&shelf, site, subject).1.state == State::Proved;
        [Of::Point, Of::Output]
            .into_iter()
            .filter_map(|of| find(site, of, id))
            .any(is_proved)
    }

    /// The point or output of this id.
    pub fn find(&self, of: Of, id: &str) -> Result<Subject, BenchError> {
        find(&self.0.parts.site, of, id).ok_or_else(|| BenchError::Unknown(id.to_owned()))
    }

    /// A proof under way and what is seen.
    pub fn look(&self, subject: Subject) -> Option<Look> {
        let shelf = self.shelf();
        let under_way = shelf.under_way.iter().find(|one| one.subject == subject)?;
        Some(Look {
            draft: under_way.draft.clone(),
            still: under_way.window.still(self.0.parts.clock.now()),
            window_ms: under_way.window.length_ms(),
            alarms: under_way.alarms.clone(),
            running: under_way.is_running(),
        })
    }

    /// Whether the clock is behind the ledger.
    pub fn is_doubtful(&self) -> bool {
        self.calendar(&self.shelf()).is_doubtful()
    }

    /// Takes what is seen now into a step.
    pub async fn take(
        &self,
        subject: Subject,
        step: usize,
        taken: Taken,
        applied: Option<f64>,
    ) -> Result<Seen, BenchError> {
        let (now, wall) = (self.0.parts.clock.now(), self.0.parts.clock.wall().0);
        let site = self.0.parts.site.clone();
        self.with_draft(subject, move |under_way| {
            let plan = under_way.plan(&site);
            let bounds = plan.map_or_else(Vec::new, |plan| plan.bounds);
            let still = under_way.window.still(now);
            let alarms = under_way.alarms.clone();
            let sight = Sight {
                still,
                alarms: &alarms,
                bounds: &bounds,
                at_ms: wall,
            };
            let draft = &mut under_way.draft;
            let seen = draft.take(step, taken, applied, sight)?;
            under_way.alarms.came.clear();
            under_way.alarms.went.clear();
            under_way.touched = now;
            Ok(seen.clone())
        })
        .await
    }

    /// Leaves a step out, with a reason.
    pub async fn skip_step(
        &self,
        subject: Subject,
        step: usize,
        reason: String,
    ) -> Result<(), BenchError> {
        let (now, wall) = (self.0.parts.clock.now(), self.0.parts.clock.wall().0);
        self.with_draft(subject, move |under_way| {
            under_way.touched = now;
            Ok(under_way.draft.skip(step, &reason, wall)?)
        })
        .await
    }

    /// Ends a proof with its verdict; `reason` is for steps that are still open.
    pub async fn finish(
        &self,
        subject: Subject,
        by: &davy_config::site::Person,
        reason: Option<String>,
    ) -> Result<Proof, BenchError> {
        let site = self.0.parts.site.clone();
        let wall = self.0.parts.clock.wall().0;
        let why = reason.clone();
        let verdict = self
            .with_draft(subject, move |under_way| {
                if under_way.is_running() {
                    return Err(DraftError::Running.into());
                }
                under_way.draft.skip_open(why.as_deref(), wall)?;
                let plan = under_way.plan(&site);
                Ok(under_way.draft.verdict(plan.as_ref())?)
            })
            .await?;
        self.end(subject, &by.id, &by.name, verdict, reason).await
    }

    /// Ends a proof without a verdict.
    pub async fn abandon(
        &self,
        subject: Subject,
        by: &davy_config::site::Person,
        reason: &str,
    ) -> Result<Proof, BenchError> {
        let reason = kept(reason).ok_or(DraftError::Reason)?;
        self.end(subject, &by.id, &by.name, Verdict::Abandoned, Some(reason))
            .await
    }

    /// Nobody proves it now, and somebody says why.
    pub async fn skip(
        &self,
        subject: Subject,
        by: &davy_config::site::Person,
        reason: &str,
    ) -> Result<Proof, BenchError> {
        let reason = kept(reason).ok_or(DraftError::Reason)?;
        let now_ms = self.0.parts.clock.wall().0;
        let (of, basis) = basis_of(&self.0.parts.site, subject);
        let id = named(&self.0.parts.site, subject).0.to_owned();
        let by = by.clone();
        let proof = move |number| Proof {
            number,
            of,
            subject: id,
            kind: Kind::None,
            verdict: Verdict::Skipped,
            reason: Some(reason),
            by: by.id,
            name: by.name,
            begun_ms: now_ms,
            ended_ms: now_ms,
            clock: clock::quality().to_owned(),
            gas: None,
            instrument: None,
            under_test: false,
            unit: String::new(),
            basis,
            steps: Vec::new(),
            run: None,
        };
        self.enter(proof).await
    }

    /// Makes a signed report of the newest proofs of everything.
    pub async fn report(&self, by: &davy_config::site::Person) -> Result<Made, BenchError> {
        let key = self.0.key.as_ref();
        let public = key
            .map(Key::public)
            .map_err(|why| ReportError::NoKey(why.clone()))?;
        let (rows, number) = (self.rows(), self.shelf().ledger.next());
        let (this, by) = (self.clone(), by.clone());
        let made = tokio::task::spawn_blocking(move || {
            let parts = &this.0.parts;
            let content = report::Content::gather(&parts.site, &parts.data, rows)?;
            let facts = report::Facts {
                number,
                by: by.id,
                name: by.name,
                made_ms: parts.clock.wall().0,
                clock: clock::quality().to_owned(),
                public,
            };
            let sign = |bytes: &[u8]| this.0.key.as_ref().map(|key| key.sign(bytes)).ok();
            report::make(&parts.data, &content, facts, sign)
        })
        .await
        .map_err(|_| BenchError::Broken)??;
        crate::memory::give_back();
        let entry = Entry::Report(Box::new(made.clone()));
        self.with_shelf(move |shelf| Ok(shelf.ledger.append(entry)?))
            .await?;
        self.hand_over();
        Ok(made)
    }

    /// Every report, newest first.
    pub async fn reports(&self) -> Result<Vec<Made>, BenchError> {
        let data = self.0.parts.data.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut reports = Vec::new();
            let read = Ledger::read(&data, |entry| {
                if let Entry::Report(made) = entry {
                    reports.push(*made);
                }
            });
            reports.reverse();
            read.map(|()| reports).map_err(|source| ReportError::File {
                path: data.join("prove/ledger"),
                source,
            })
        });
        Ok(read.await.map_err(|_| BenchError::Broken)??)
    }

    /// Where reports are kept.
    pub fn data(&self) -> &Path {
        &self.0.parts.data
    }

    /// Looks at what is under way and at the calendar until shutdown.
    pub async fn run(self, shutdown: CancellationToken) {
        self.hand_over();
        self.tell_overdue().await;
        let mut calendar = tokio::time::interval(CALENDAR_EVERY);
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            let busy = !self.shelf().under_way.is_empty();
            let marking = self.shelf().handed.map(|(_, at)| at + JOURNALLED_AFTER);
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = look.tick(), if busy => self.look_at_all(),
                () = sleep_until(marking), if marking.is_some() => self.mark_journalled().await,
                () = self.0.stirred.notified() => self.tell_overdue().await,
                _ = calendar.tick() => {
                    self.end_idle().await;
                    self.tell_overdue().await;
                }
            }
        }
    }

    fn row(&self, shelf: &Shelf, subject: Subject) -> Row {
        let (standing, due) = self.due(shelf, &self.0.parts.site, subject);
        Row {
            due,
            under_way: shelf.under_way.iter().any(|one| one.subject == subject),
            standing,
            subject,
        }
    }

    /// What the ledger knows of a point or output, and how it stands as `site` has it.
    fn due(&self, shelf: &Shelf, site: &Site, subject: Subject) -> (Standing, Due) {
        let (id, proving) = named(site, subject);
        let (of, basis) = basis_of(site, subject);
        let standing = shelf.ledger.standing(of, id);
        let due = Due::of(&standing, proving, &basis, self.calendar(shelf));
        (standing, due)
    }

    fn calendar(&self, shelf: &Shelf) -> Calendar {
        Calendar {
            now_ms: self.0.parts.clock.wall().0,
            newest_ms: shelf.ledger.newest_ms(),
        }
    }

    /// Enters the proof into the ledger, then lets its alarms back.
    async fn end(
        &self,
        subject: Subject,
        by: &str,
        name: &str,
        verdict: Verdict,
        reason: Option<String>,
    ) -> Result<Proof, BenchError> {
        // Who ends it ends it alone: two at one time would enter it twice.
        let draft = {
            let mut shelf = self.shelf();
            let mut all = shelf.under_way.iter_mut();
            let found = all.find(|one| one.subject == subject && !one.ending);
            let one = found.ok_or(BenchError::NotUnderWay)?;
            one.ending = true;
            one.draft.clone()
        };
        let (taken_out, now_ms) = (draft.taken_out.clone(), self.0.parts.clock.wall().0);
        let unit = match subject {
            Subject::Point(point) => self.0.parts.site.points[point.0].unit.clone(),
            Subject::Output(_) => String::new(),
        };
        let (by, name) = (by.to_owned(), name.to_owned());
        let who = by.clone();
        let proof = move |number| Proof {
            number,
            of: draft.of,
            subject: draft.subject,
            kind: draft.kind,
            verdict,
            reason: reason.as_deref().and_then(kept),
            by,
            name,
            begun_ms: draft.begun_ms,
            ended_ms: now_ms,
            clock: clock::quality().to_owned(),
            gas: draft.gas,
            instrument: draft.instrument,
            under_test: draft.under_test,
            unit,
            basis: draft.basis,
            steps: draft.steps,
            run: draft.run,
        };
        let entered = self.enter(proof).await;
        if entered.is_err() {
            let mut shelf = self.shelf();
            let mut all = shelf.under_way.iter_mut();
            if let Some(one) = all.find(|one| one.subject == subject) {
                one.ending = false;
            }
        }
        let proof = entered?;
        self.bring_back(&taken_out, &who).await;
        self.forget(subject).await?;
        tracing::info!(
            subject = proof.subject,
            kind = proof.kind.name(),
            verdict = proof.verdict.name(),
            person = proof.by,
            "proof ended"
        );
        Ok(proof)
    }

    async fn enter(
        &self,
        proof: impl FnOnce(u64) -> Proof + Send + 'static,
    ) -> Result<Proof, BenchError> {
        let entered = self
            .with_shelf(move |shelf| {
                let proof = proof(shelf.ledger.next());
                let entry = Entry::Proof(Box::new(proof.clone()));
                shelf.ledger.append(entry)?;
                Ok(proof)
            })
            .await?;
        self.hand_over();
        self.0.stirred.notify_one();
        Ok(entered)
    }

    /// Hands the journal what it may not have.
    fn hand_over(&self) {
        let mut shelf = self.shelf();
        let handed = shelf.handed.map_or(0, |(number, _)| number);
        let mut newest = handed;
        for entry in shelf.ledger.unjournalled() {
            let (number, record) = match entry {
                Entry::Proof(proof) => (proof.number, told::record(&self.0.parts.site, proof)),
                Entry::Report(made) => (made.number, told::record_of_report(made)),
                Entry::Journalled(_) | Entry::Drafts(_) => continue,
            };
            if number > handed {
                self.0.parts.journal.append(None, vec![record]);
                newest = newest.max(number);
            }
        }
        if newest > handed {
            shelf.handed = Some((newest, tokio::time::Instant::now()));
        }
    }

    async fn mark_journalled(&self) {
        let Some((number, _)) = self.shelf().handed else {
            return;
        };
        if !self.0.parts.journal.stats().synced {
            self.shelf().handed = Some((number, tokio::time::Instant::now()));
            return;
        }
        let marked = self
            .with_shelf(move |shelf| {
                shelf.ledger.append(Entry::Journalled(number))?;
                // What was handed over meanwhile waits for its own mark.
                if shelf.handed.is_some_and(|(newest, _)| newest == number) {
                    shelf.handed = None;
                }
                Ok(())
            })
            .await;
        if let Err(error) = marked {
            tracing::warn!(%error, "cannot mark what is journalled");
            self.shelf().handed = Some((number, tokio::time::Instant::now()));
        }
    }

    /// Tells every armed alarm what the calendar says, where that is news.
    async fn tell_overdue(&self) {
        let now_ms = self.0.parts.clock.wall().0;
        let mut news = Vec::new();
        for row in self.rows() {
            let (_, proving) = named(&self.0.parts.site, row.subject);
            if let Some(alarm) = proving.alarm {
                let signal = row.due.signal(now_ms);
                let told = self.shelf().told.get(&alarm.0) == Some(&signal);
                if !told {
                    news.push((alarm, signal));
                }
            }
        }
        for (alarm, overdue) in news {
            let ask = Ask::Proof { alarm, overdue };
            match self.0.parts.desk.ask(ask, None).await {
                Ok(()) => {
                    self.shelf().told.insert(alarm.0, overdue);
                }
                Err(error) => tracing::warn!(%error, "an overdue proof could not be told"),
            }
        }
    }

    /// Ends what nobody has touched for long, so that no alarm stays out of service by forgetfulness.
    async fn end_idle(&self) {
        let now = self.0.parts.clock.now();
        let idle: Vec<(Subject, String, String)> = {
            let shelf = self.shelf();
            let idle = shelf
                .under_way
                .iter()
                .filter(|one| now.since(one.touched) > IDLE_MAX_MS);
            idle.map(|one| {
                let draft = &one.draft;
                (one.subject, draft.by.clone(), draft.name.clone())
            })
            .collect()
        };
        for (subject, by, name) in idle {
            let why = Some(both("prove-idle"));
            if let Err(error) = self.end(subject, &by, &name, Verdict::Abandoned, why).await {
                tracing::warn!(person = by, %error, "cannot end a proof that nobody goes on with");
            }
        }
    }

    fn look_at_all(&self) {
        let (live, now) = (&self.0.parts.live, self.0.parts.clock.now());
        let site = &self.0.parts.site;
        for one in &mut self.shelf().under_way {
            match one.subject {
                Subject::Point(point) => one.look_at_point(site, live, point, now),
                Subject::Output(output) => one.look_at_output(site, live, output, now),
            }
        }
    }

    pub(super) fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a proof under way and keeps it.
    async fn with_draft<T: Send + 'static>(
        &self,
        subject: Subject,
        change: impl FnOnce(&mut UnderWay) -> Result<T, BenchError> + Send + 'static,
    ) -> Result<T, BenchError> {
        self.with_shelf(move |shelf| {
            let mut all = shelf.under_way.iter_mut();
            let found = all.find(|one| one.subject == subject);
            let changed = change(found.ok_or(BenchError::NotUnderWay)?)?;
            shelf.keep()?;
            Ok(changed)
        })
        .await
    }

    /// Writes to disk where it holds nobody up.
    pub(super) async fn with_shelf<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Shelf) -> Result<T, BenchError> + Send + 'static,
    ) -> Result<T, BenchError> {
        let this = self.clone();
        let changed = tokio::task::spawn_blocking(move || change(&mut this.shelf()));
        changed.await.map_err(|_| BenchError::Broken)?
    }
}

impl Shelf {
    pub(super) fn keep(&self) -> Result<(), BenchError> {
        let drafts: Vec<Draft> = self.under_way.iter().map(|one| one.draft.clone()).collect();
        Ok(self.ledger.keep(&drafts)?)
    }
}

/// A reason that is recorded, in both languages: the record is read in either.
pub(super) fn both(key: &str) -> String {
    let say = |language| message::text(key, language);
    format!("{} / {}", say(Language::Zh), say(Language::En))
}

async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
