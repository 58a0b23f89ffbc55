//! What happens now, for whoever watches: ingest tells, event streams listen.
//!
//! Values of a site go to those who watch that site and wake nobody else; everything else goes to all. So an alarm never waits behind values.
//!
//! Bounds: the last 4,096 updates for all, and 64 of the values of each site that somebody watches. A listener that falls further behind is told so once and
//! begins again from a snapshot; what it had not heard is skipped, so that nothing old follows the snapshot. It slows nobody. The same is told to all when
//! something may have changed that nobody here heard of.

use crate::records::{Alarm, Transition};
use bytes::Bytes;
use davy_alarm::Reading;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync;
use tokio::sync::broadcast::{Receiver, Sender, error::RecvError};

/// Updates for all that are kept for the slowest listener.
const BACKLOG: usize = 4_096;
/// Updates of one site's values that are kept. A message of 1,000 points is some 100 kB of text.
const BACKLOG_OF_VALUES: usize = 64;

/// One thing that changed. Each names its site, by which listeners' rights are checked.
#[derive(Clone, Debug)]
pub enum Update {
    Values {
        site: String,
        values: Vec<(String, Reading)>,
    },
    Alarm(Box<Alarm>),
    /// As it was stored; `command` in it answers a person who waits.
    Transition(Box<Transition>),
    /// The site went up or down, was born anew, or its registry changed.
    Site(String),
    /// A gateway refused a command, or did not answer in time (`timeout`).
    Refused {
        command: String,
        site: String,
        alarm: String,
        why: String,
    },
}

impl Update {
    /// The site that it is about.
    pub fn site(&self) -> &str {
        match self {
            Self::Values { site, .. } | Self::Site(site) | Self::Refused { site, .. } => site,
            Self::Alarm(alarm) => &alarm.site,
            Self::Transition(transition) => &transition.site,
        }
    }
}

/// An update as it was told, and the events that it is sent as, which are written once for all streams.
#[derive(Debug)]
pub struct Told {
    update: Update,
    events: OnceLock<Vec<Bytes>>,
}

impl Told {
    const fn new(update: Update) -> Self {
        Self {
            update,
            events: OnceLock::new(),
        }
    }

    /// Its events, written by the first who asks.
    pub fn events(&self, write: impl FnOnce(&Update) -> Vec<Bytes>) -> &[Bytes] {
        self.events.get_or_init(|| write(&self.update))
    }
}

impl Deref for Told {
    type Target = Update;

    fn deref(&self) -> &Update {
        &self.update
    }
}

/// The hub; cheap to clone.
#[derive(Clone, Debug)]
pub struct Live(Arc<Hub>);

#[derive(Debug)]
struct Hub {
    /// Nothing in it: something was missed.
    all: Sender<Option<Arc<Told>>>,
    /// By site, of those that ever told anything or are watched.
    sites: Mutex<HashMap<String, OfSite>>,
    /// How often anything but values was told.
    told: AtomicU64,
    /// How often something may have been missed, which counts as told of every site.
    missed: AtomicU64,
    turn: sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct OfSite {
    /// How often anything but values was told of it.
    told: u64,
    /// There while somebody watches.
    values: Option<Sender<Arc<Told>>>,
}

impl Default for Live {
    fn default() -> Self {
        Self(Arc::new(Hub {
            all: Sender::new(BACKLOG),
            sites: Mutex::default(),
            told: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            turn: sync::Mutex::default(),
        }))
    }
}

impl Hub {
    /// What a panic left is counters and channels: each is whole.
    fn sites(&self) -> MutexGuard<'_, HashMap<String, OfSite>> {
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// Never waits; without a listener it is as if nothing was said.
    pub fn tell(&self, update: Update) {
        let told = Told::new(update);
        if let Update::Values { site, .. } = &*told {
            let sender = self.0.sites().get(site).and_then(|of| of.values.clone());
            let _listeners = sender.map(|sender| sender.send(Arc::new(told)));
            return;
        }
        // Counted before it is sent: whoever begins to listen after it sees by the count that what was made before is old.
        let mut sites = self.0.sites();
        if let Some(of) = sites.get_mut(told.site()) {
            of.told += 1;
        } else {
            let of = OfSite {
                told: 1,
                values: None,
            };
            sites.insert(told.site().to_owned(), of);
        }
        drop(sites);
        self.0.told.fetch_add(1, Ordering::SeqCst);
        let _listeners = self.0.all.send(Some(Arc::new(told)));
    }

    /// Something may have changed of which nobody here heard: all that was known is old, and every listener begins again.
    pub fn missed(&self) {
        self.0.missed.fetch_add(1, Ordering::SeqCst);
        let _listeners = self.0.all.send(None);
    }

    /// Whoever reads the state of an alarm and tells it holds this from before the one until after the other: so an older state is never told after a newer one.
    pub async fn turn(&self) -> sync::MutexGuard<'_, ()> {
        self.0.turn.lock().await
    }

    /// How often anything but values was told: what was made before, at another count, is old.
    pub fn told(&self) -> u64 {
        self.0.told.load(Ordering::SeqCst) + self.missed_yet()
    }

    /// The same of one site.
    pub fn told_of(&self, site: &str) -> u64 {
        self.0.sites().get(site).map_or(0, |of| of.told) + self.missed_yet()
    }

    fn missed_yet(&self) -> u64 {
        self.0.missed.load(Ordering::SeqCst)
    }

    /// Whether anybody watches the values of this site: what costs to make is not made for nobody.
    pub fn is_watched(&self, site: &str) -> bool {
        let sites = self.0.sites();
        let values = sites.get(site).and_then(|of| of.values.as_ref());
        values.is_some_and(|values| values.receiver_count() > 0)
    }

    /// Hears everything but values, and the values of the site that is watched.
    pub fn listen(&self, watched: Option<&str>) -> Listener {
        Listener {
            all: self.0.all.subscribe(),
            values: watched.map(|site| self.watch(site)),
        }
    }

    fn watch(&self, site: &str) -> Receiver<Arc<Told>> {
        let mut sites = self.0.sites();
        // Of what nobody watches any more nothing stays, so that names which no site has do not gather here.
        sites.retain(|_, of| {
            of.values.take_if(|values| values.receiver_count() == 0);
            of.told > 0 || of.values.is_some()
        });
        let of = sites.entry(site.to_owned()).or_default();
        let values = of
            .values
            .get_or_insert_with(|| Sender::new(BACKLOG_OF_VALUES));
        values.subscribe()
    }
}

/// One listener's place in the stream.
#[derive(Debug)]
pub struct Listener {
    all: Receiver<Option<Arc<Told>>>,
    values: Option<Receiver<Arc<Told>>>,
}

/// What a listener hears next.
#[derive(Clone, Debug)]
pub enum Heard {
    Update(Arc<Told>),
    /// It fell behind, or something was missed: what it knows is stale, and a snapshot must follow.
    Behind,
    /// The hub is gone.
    Ended,
}

impl Listener {
    /// What comes next; values after everything else. What waits is older than the snapshot that must follow a loss, and is skipped; for a loss of values they
    /// alone, since everything else has been heard by then.
    pub async fn next(&mut self) -> Heard {
        let (is_of_all, heard) = tokio::select! {
            biased;
            heard = self.all.recv() => (true, heard),
            heard = of_values(&mut self.values) => (false, heard.map(Some)),
        };
        match heard {
            Ok(Some(update)) => Heard::Update(update),
            Err(RecvError::Closed) => Heard::Ended,
            Ok(None) | Err(RecvError::Lagged(_)) => {
                if is_of_all {
                    self.all = self.all.resubscribe();
                }
                self.values = self.values.as_ref().map(Receiver::resubscribe);
                Heard::Behind
            }
        }
    }
}

async fn of_values(values: &mut Option<Receiver<Arc<Told>>>) -> Result<Arc<Told>, RecvError> {
    match values {
        Some(values) => values.recv().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_alarm::WallMs;
    use futures_util::FutureExt as _;

    fn values(site: &str) -> Update {
        Update::Values {
            site: site.to_owned(),
            values: vec![("GT-101".to_owned(), Reading::measured(1.0, WallMs(0)))],
        }
    }

    #[tokio::test]
    async fn a_listener_that_falls_behind_is_told_once_and_nothing_old_follows() {
        let live = Live::default();
        let mut listener = live.listen(Some("tank-farm"));
        live.tell(values("tank-farm"));
        for number in 0..=BACKLOG {
            live.tell(Update::Site(number.to_string()));
        }
        assert!(matches!(listener.next().await, Heard::Behind));
        assert!(listener.next().now_or_never().is_none());
        live.tell(Update::Site("new".to_owned()));
        let Heard::Update(update) = listener.next().await else {
            panic!("an update")
        };
        assert_eq!(update.site(), "new");
    }

    #[tokio::test]
    async fn what_was_missed_makes_every_listener_and_all_that_is_kept_begin_again() {
        let live = Live::default();
        let mut listener = live.listen(Some("tank-farm"));
        let before = (live.told(), live.told_of("tank-farm"));
        live.missed();
        live.tell(values("tank-farm"));
        assert!(live.told() > before.0 && live.told_of("tank-farm") > before.1);
        assert!(matches!(listener.next().await, Heard::Behind));
        assert!(listener.next().now_or_never().is_none());
    }

    #[tokio::test]
    async fn values_wake_those_who_watch_their_site_and_an_alarm_does_not_wait_behind_them() {
        let live = Live::default();
        let mut nobody = live.listen(None);
        let mut here = live.listen(Some("tank-farm"));
        let mut there = live.listen(Some("cold-store"));
        assert!(live.is_watched("tank-farm") && !live.is_watched("elsewhere"));
        live.tell(values("tank-farm"));
        assert!(nobody.next().now_or_never().is_none());
        assert!(there.next().now_or_never().is_none());
        live.tell(Update::Site("cold-store".to_owned()));
        let heard = [here.next().await, here.next().await];
        assert!(
            matches!(&heard[0], Heard::Update(told) if matches!(&***told, Update::Site(_))),
            "{heard:?}"
        );
        assert!(matches!(&heard[1], Heard::Update(_)), "{heard:?}");
        drop(here);
        assert!(!live.is_watched("tank-farm"));
    }

    #[test]
    fn an_event_is_written_once_for_all() {
        let told = Told::new(values("tank-farm"));
        let first = told.events(|update| vec![update.site().to_owned().into()]);
        assert_eq!(first, told.events(|_| panic!("they are there")));
    }

    #[test]
    fn what_is_told_of_a_site_counts_for_it_and_for_all_and_values_count_for_nobody() {
        let live = Live::default();
        live.tell(values("tank-farm"));
        live.tell(Update::Site("tank-farm".to_owned()));
        live.tell(Update::Site("cold-store".to_owned()));
        assert_eq!((live.told(), live.told_of("tank-farm")), (2, 1));
        assert_eq!(live.told_of("elsewhere"), 0);
    }
}
